/*
 * metric.h - numbers for whoever watches: counters, gauges, histograms, with labels.
 *
 *	static const struct metric_desc errors = {
 *		.type = METRIC_COUNTER,
 *		.name = "zrepl_errors",
 *		.help = "errors so far",
 *		.labels = { "zrepl_job" },
 *	};
 *	metric_add(metric_of(metrics, &errors), METRIC_LABELS(job), 1);
 *
 * A registry (struct metrics) is made where the program starts, and handed to whoever has
 * something to count.  Without one, NULL, there are no metrics either: metric_of() gives
 * NULL, and to add to that costs a comparison.
 *
 * A series, one combination of label values, is there from when it is first touched until
 * the end.  A metric has at most METRIC_SERIES_MAX of them; what is counted for others is
 * counted in one whose last label is METRIC_OTHER, so sums stay right.
 *
 * Thread safety: all functions may be called from any thread.  A metric has a lock of its
 * own, held while one number changes.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/buf.h"

enum { METRIC_LABELS_MAX = 3, METRIC_SERIES_MAX = 10000 };
#define METRIC_OTHER "_other" /* no dataset and no job may be called so */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_desc { /* constant, as all it points to */
	enum metric_type type;
	const char *name;
	const char *help;                      /* one line, without backslashes */
	const char *labels[METRIC_LABELS_MAX]; /* names; the rest is NULL */
	const double *bounds; /* METRIC_HISTOGRAM: of its buckets, ascending */
	size_t n_bounds;
};

/* 5 ms to 10 s: for what usually takes less than a second. */
enum { METRIC_DEFAULT_BOUNDS = 11 };
extern const double metric_default_bounds[METRIC_DEFAULT_BOUNDS];

struct metrics;
struct metrics *metrics_new(void) must_check;
void metrics_free(struct metrics *m); /* and all metrics of it */
DEFINE_CLEANUP(metrics_free, struct metrics *);

/* The metric of that name, made when it is asked for first.  NULL if m is. */
struct metric *metric_of(struct metrics *m, const struct metric_desc *d);

/* The values of all labels, in the order of their names. */
#define METRIC_LABELS(...) ((const char *const[]){ __VA_ARGS__ })
#define METRIC_NO_LABELS   NULL

/* m may be NULL. */
void metric_add(struct metric *m, const char *const *labels, double v); /* 0: just be */
void metric_set(struct metric *m, const char *const *labels, double v);
/* METRIC_HISTOGRAM only. */
void metric_observe(struct metric *m, const char *const *labels, double v);

/*
 * The text exposition format 0.0.4 of Prometheus, sorted by name and by labels; metrics
 * without series are left out.  false: it does not fit into out->max.
 */
bool metrics_write(struct metrics *m, struct buf *out) must_check;

#endif
