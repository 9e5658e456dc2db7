#include "cli/prune_text.h"

#include "base/vec.h"
#include "codec/gotime.h"
#include "codec/jsonw.h"

#include <string.h>

enum { MAX_NAME_WIDTH = 60 }; /* longer names stand out */

static const char date_layout[] = "2006-01-02 15:04:05 -0700";

static bool has_failed(const struct err *e)
{
	return e->kind != ERR_NONE;
}

void prune_text_count(const struct prune_text_side *s, struct prune_counts *c)
{
	const struct prune_plan_fs *fs;

	c->errors += has_failed(&s->err);
	VEC_FOREACH (fs, &s->plan) {
		c->filesystems++;
		c->skipped += fs->report.skip != PRUNE_NOT_SKIPPED;
		c->errors += has_failed(&fs->err);
		c->destroy += fs->report.n_destroy;
		c->keep += fs->report.n_snaps - fs->report.n_destroy;
	}
}

/* ---- to read ---- */

static int name_width(const struct prune_report_fs *fs)
{
	size_t width = 0;

	for (size_t i = 0; i < fs->n_snaps; i++) {
		size_t len = strlen(fs->snaps[i].name);

		if (len > width)
			width = len;
	}
	return width > MAX_NAME_WIDTH ? MAX_NAME_WIDTH : (int)width;
}

static void put_snapshots(struct buf *out, const struct prune_report_fs *fs,
			  const struct tzif *zone)
{
	int width = name_width(fs);

	for (size_t i = 0; i < fs->n_snaps; i++) {
		const struct prune_report_snap *s = &fs->snaps[i];

		buf_printf(out, "  %-7s  %-*s  ", s->destroy ? "destroy" : "keep", width,
			   s->name);
		gotime_format(out, date_layout,
			      (struct timespec){ .tv_sec = s->creation_s }, zone);
		buf_printf(out, "  %s\n", s->reason);
	}
}

static void put_filesystem(struct buf *out, const char *side,
			   const struct prune_plan_fs *fs, const struct tzif *zone)
{
	const struct prune_report_fs *r = &fs->report;

	buf_printf(out, "%s %s", side, r->path);
	if (r->skip != PRUNE_NOT_SKIPPED)
		buf_printf(out, ": skipped: %s", prune_skip_name(r->skip));
	else if (has_failed(&fs->err))
		buf_printf(out, ": ERROR: %s", err_msg(&fs->err));
	else if (r->n_snaps == 0)
		buf_printf(out, ": no snapshots");
	buf_printf(out, "\n");
	put_snapshots(out, r, zone);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

void prune_text_put(struct buf *out, const struct prune_text_side *s,
		    const struct tzif *zone)
{
	const char *side = prune_side_name(s->side);
	const struct prune_plan_fs *fs;
	struct prune_counts c = { 0 };

	if (has_failed(&s->err))
		return;
	VEC_FOREACH (fs, &s->plan)
		put_filesystem(out, side, fs, zone);
	prune_text_count(s, &c);
	buf_printf(out,
		   "%s: %zu filesystem%s: would destroy %zu snapshot%s, keep %zu; "
		   "%zu skipped, %zu error%s\n",
		   side, c.filesystems, plural(c.filesystems), c.destroy,
		   plural(c.destroy), c.keep, c.skipped, c.errors, plural(c.errors));
}

/* ---- JSON ---- */

static void json_snapshot(struct jsonw *w, const struct prune_report_snap *s)
{
	jsonw_object(w);
	jsonw_member_str(w, "name", s->name);
	jsonw_member_time(w, "created", (struct timespec){ .tv_sec = s->creation_s });
	jsonw_member_bool(w, "replicated", s->replicated);
	jsonw_member_bool(w, "destroy", s->destroy);
	jsonw_member_str(w, "reason", s->reason);
	jsonw_end(w);
}

static void json_error(struct jsonw *w, const struct err *e)
{
	jsonw_member_str(w, "error", has_failed(e) ? err_msg(e) : NULL);
}

static void json_filesystem(struct jsonw *w, const struct prune_plan_fs *fs)
{
	const struct prune_report_fs *r = &fs->report;
	bool is_skipped = r->skip != PRUNE_NOT_SKIPPED;

	jsonw_object(w);
	jsonw_member_str(w, "path", r->path);
	jsonw_member_str(w, "skipped", is_skipped ? prune_skip_name(r->skip) : NULL);
	json_error(w, &fs->err);
	jsonw_key(w, "snapshots");
	jsonw_array(w);
	for (size_t i = 0; i < r->n_snaps; i++)
		json_snapshot(w, &r->snaps[i]);
	jsonw_end(w);
	jsonw_end(w);
}

static void json_side(struct jsonw *w, const struct prune_text_side *s)
{
	const struct prune_plan_fs *fs;

	jsonw_object(w);
	jsonw_member_str(w, "side", prune_side_name(s->side));
	json_error(w, &s->err);
	jsonw_key(w, "filesystems");
	jsonw_array(w);
	VEC_FOREACH (fs, &s->plan)
		json_filesystem(w, fs);
	jsonw_end(w);
	jsonw_end(w);
}

void prune_text_put_json(struct buf *out, const char *job,
			 const struct prune_text_side *sides, size_t n)
{
	struct prune_counts c = { 0 };
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_member_str(&w, "job", job);
	jsonw_key(&w, "sides");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		json_side(&w, &sides[i]);
		prune_text_count(&sides[i], &c);
	}
	jsonw_end(&w);
	jsonw_member_u64(&w, "destroy", c.destroy);
	jsonw_member_u64(&w, "keep", c.keep);
	jsonw_member_u64(&w, "errors", c.errors);
	jsonw_end(&w);
	buf_printf(out, "\n");
}
