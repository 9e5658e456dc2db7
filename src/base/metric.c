#include "base/metric.h"

#include "base/vec.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

const double metric_default_bounds[METRIC_DEFAULT_BOUNDS] = { 0.005, 0.01, 0.025, 0.05,
							      0.1,   0.25, 0.5,   1,
							      2.5,   5,    10 };

struct series {
	char *labels[METRIC_LABELS_MAX];
	double value;     /* of a histogram: the sum */
	uint64_t *counts; /* histogram: n_bounds, and one for what is above */
};

struct metric {
	const struct metric_desc *d;
	size_t n_labels;
	pthread_mutex_t lock;
	struct series **v; /* sorted by labels; guarded by lock, as the next */
	size_t n, cap;
};

struct metrics {
	pthread_mutex_t lock;
	struct metric **v; /* sorted by name; guarded by lock */
	size_t n, cap;
};

/* ---- the registry ---- */

struct metrics *metrics_new(void)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	pthread_mutex_init(&m->lock, NULL);
	return m;
}

static void metric_free(struct metric *m)
{
	for (size_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < m->n_labels; k++)
			free(m->v[i]->labels[k]);
		free(m->v[i]->counts);
		free(m->v[i]);
	}
	free(m->v);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		metric_free(m->v[i]);
	free(m->v);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct metric *metric_new(const struct metric_desc *d)
{
	struct metric *m = xcalloc(1, sizeof(*m));

	m->d = d;
	while (m->n_labels < METRIC_LABELS_MAX && d->labels[m->n_labels])
		m->n_labels++;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

/* Makes room at `at` of a sorted list of pointers. */
#define INSERT(l, at, item)                                     \
	do {                                                    \
		VEC_PUSH((l), (item));                          \
		memmove((l)->v + (at) + 1, (l)->v + (at),       \
			((l)->n - 1 - (at)) * sizeof(*(l)->v)); \
		(l)->v[at] = (item);                            \
	} while (0)

struct metric *metric_of(struct metrics *m, const struct metric_desc *d)
{
	struct metric *found = NULL;
	size_t from = 0, to;

	if (!m)
		return NULL;
	pthread_mutex_lock(&m->lock);
	for (to = m->n; !found && from < to;) {
		size_t mid = (from + to) / 2;
		int c = strcmp(d->name, m->v[mid]->d->name);

		if (c == 0)
			found = m->v[mid];
		else if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	if (!found) {
		found = metric_new(d);
		INSERT(m, from, found);
	}
	pthread_mutex_unlock(&m->lock);
	return found;
}

/* ---- series ---- */

static int compare(const struct metric *m, const char *const *labels,
		   const struct series *s)
{
	int c = 0;

	for (size_t i = 0; c == 0 && i < m->n_labels; i++)
		c = strcmp(labels[i], s->labels[i]);
	return c;
}

/* Locked.  Whether it is there; *at: where it is, or belongs. */
static bool find(const struct metric *m, const char *const *labels, size_t *at)
{
	size_t from = 0, to = m->n;

	while (from < to) {
		size_t mid = (from + to) / 2;
		int c = compare(m, labels, m->v[mid]);

		if (c == 0) {
			*at = mid;
			return true;
		}
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	*at = from;
	return false;
}

/* Locked. */
static struct series *series_of(struct metric *m, const char *const *labels)
{
	const char *other[METRIC_LABELS_MAX];
	struct series *s;
	size_t at;

	if (find(m, labels, &at))
		return m->v[at];
	if (m->n >= METRIC_SERIES_MAX && m->n_labels > 0) {
		for (size_t i = 0; i < m->n_labels; i++)
			other[i] = labels[i];
		other[m->n_labels - 1] = METRIC_OTHER;
		labels = other;
		/* Their number is that of the other labels: jobs, commands. */
		if (find(m, labels, &at))
			return m->v[at];
	}
	s = xcalloc(1, sizeof(*s));
	for (size_t i = 0; i < m->n_labels; i++)
		s->labels[i] = xstrdup(labels[i]);
	if (m->d->type == METRIC_HISTOGRAM)
		s->counts = xcalloc(m->d->n_bounds + 1, sizeof(*s->counts));
	INSERT(m, at, s);
	return s;
}

void metric_add(struct metric *m, const char *const *labels, double v)
{
	if (!m)
		return;
	assert(m->d->type != METRIC_HISTOGRAM);
	pthread_mutex_lock(&m->lock);
	series_of(m, labels)->value += v;
	pthread_mutex_unlock(&m->lock);
}

void metric_set(struct metric *m, const char *const *labels, double v)
{
	if (!m)
		return;
	assert(m->d->type != METRIC_HISTOGRAM);
	pthread_mutex_lock(&m->lock);
	series_of(m, labels)->value = v;
	pthread_mutex_unlock(&m->lock);
}

void metric_observe(struct metric *m, const char *const *labels, double v)
{
	struct series *s;
	size_t i = 0;

	if (!m)
		return;
	assert(m->d->type == METRIC_HISTOGRAM);
	while (i < m->d->n_bounds && v > m->d->bounds[i])
		i++;
	pthread_mutex_lock(&m->lock);
	s = series_of(m, labels);
	s->counts[i]++;
	s->value += v;
	pthread_mutex_unlock(&m->lock);
}

/* ---- as text ---- */

/* The shortest of two forms that reads back as the same number. */
static void put_number(struct buf *out, double v)
{
	char text[32];

	if (isnan(v) || isinf(v)) {
		buf_printf(out, "%s", isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (v > -1e15 && v < 1e15 && !islessgreater(v, (double)(long long)v)) {
		buf_printf(out, "%lld", (long long)v);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", v);
	if (strtod(text, NULL) < v || strtod(text, NULL) > v)
		snprintf(text, sizeof(text), "%.17g", v);
	buf_printf(out, "%s", text);
}

/*
 * What a peer called its filesystem may be anything, and must be UTF-8 here.  No name of
 * a dataset or job has more than ASCII in it.
 */
static void put_value(struct buf *out, const char *s)
{
	for (; *s; s++) {
		char *to = buf_reserve(out, 2);
		size_t n = 0;

		if (*s == '\\' || *s == '"')
			to[n++] = '\\';
		to[n++] = *s >= ' ' && *s < 0x7f ? *s : '?';
		buf_added(out, n);
	}
}

/* le: NULL, or the bound of a bucket. */
static void put_line(struct buf *out, const struct metric *m, const struct series *s,
		     const char *suffix, const double *le, double v)
{
	const char *before = "{";

	buf_printf(out, "%s%s", m->d->name, suffix);
	for (size_t i = 0; i < m->n_labels; i++) {
		buf_printf(out, "%s%s=\"", before, m->d->labels[i]);
		put_value(out, s->labels[i]);
		buf_put(out, "\"", 1);
		before = ",";
	}
	if (le) {
		buf_printf(out, "%sle=\"", before);
		put_number(out, *le);
		buf_put(out, "\"", 1);
	}
	buf_printf(out, "%s ", m->n_labels > 0 || le ? "}" : "");
	put_number(out, v);
	buf_put(out, "\n", 1);
}

static void put_series(struct buf *out, const struct metric *m, const struct series *s)
{
	const double above = INFINITY;
	uint64_t sum = 0;

	if (m->d->type != METRIC_HISTOGRAM) {
		put_line(out, m, s, "", NULL, s->value);
		return;
	}
	for (size_t i = 0; i <= m->d->n_bounds; i++) {
		sum += s->counts[i];
		put_line(out, m, s, "_bucket",
			 i < m->d->n_bounds ? &m->d->bounds[i] : &above, (double)sum);
	}
	put_line(out, m, s, "_sum", NULL, s->value);
	put_line(out, m, s, "_count", NULL, (double)sum);
}

/* More than all the lines of a series may have. */
static size_t room_for(const struct metric *m, const struct series *s)
{
	size_t line = strlen(m->d->name) + 128;

	for (size_t i = 0; i < m->n_labels; i++)
		line += strlen(m->d->labels[i]) + 2 * strlen(s->labels[i]) + 4;
	return line * (m->d->n_bounds + 3);
}

/* Locked. */
static bool put_metric(struct buf *out, const struct metric *m)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	if (m->n == 0)
		return true;
	if (buf_room(out) < 2 * (strlen(m->d->help) + strlen(m->d->name)) + 64)
		return false;
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->d->name, m->d->help,
		   m->d->name, types[m->d->type]);
	for (size_t i = 0; i < m->n; i++) {
		if (buf_room(out) < room_for(m, m->v[i]))
			return false;
		put_series(out, m, m->v[i]);
	}
	return true;
}

bool metrics_write(struct metrics *m, struct buf *out)
{
	bool fits = true;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; fits && i < m->n; i++) {
		pthread_mutex_lock(&m->v[i]->lock);
		fits = put_metric(out, m->v[i]);
		pthread_mutex_unlock(&m->v[i]->lock);
	}
	pthread_mutex_unlock(&m->lock);
	return fits;
}
