#include "codec/duration.h"
#include "hook/hook.h"

#include <stdio.h>

const char *hook_status_name(enum hook_status s)
{
	static const char *const names[] = {
		[HOOK_PENDING] = "Pending",
		[HOOK_EXEC] = "Exec",
		[HOOK_OK] = "Ok",
		[HOOK_ERR] = "Err",
		[HOOK_SKIPPED_FATAL] = "SkippedDueToFatalErr",
		[HOOK_SKIPPED_PRE] = "SkippedDueToPreErr",
	};

	return names[s];
}

/* "..." until it is known. */
static void put_run_time(struct buf *out, const struct hook_step *s)
{
	int64_t ns;

	if (s->end.tv_sec == 0) {
		buf_printf(out, "...");
		return;
	}
	ns = ((int64_t)s->end.tv_sec - s->start.tv_sec) * NS_PER_S +
	     (s->end.tv_nsec - s->start.tv_nsec);
	gdur_format(out, (ns + NS_PER_MS / 2) / NS_PER_MS * NS_PER_MS);
}

/* Lines after the first are moved to the right by `by`. */
static void put_indented(struct buf *out, const char *text, int by)
{
	for (const char *nl; (nl = strchr(text, '\n')) != NULL; text = nl + 1)
		buf_printf(out, "%.*s\n%*s", (int)(nl - text), text, by, "");
	buf_printf(out, "%s", text);
}

static void put_what(struct buf *out, const struct hook_step *s)
{
	switch (s->edge) {
	case HOOK_PRE:
		buf_printf(out, "before: ");
		break;
	case HOOK_SNAPSHOT:
		break;
	case HOOK_POST:
		buf_printf(out, "after: ");
		break;
	}
	buf_printf(out, "%s", s->what);
}

void hook_report_text(struct buf *out, const struct hook_report *r)
{
	int number_width = snprintf(NULL, 0, "%zu", r->n);
	int status_width = 0, time_width = 0;

	for (size_t i = 0; i < r->n; i++) {
		cleanup(buf_free) struct buf t = { 0 };
		int n = (int)strlen(hook_status_name(r->v[i].status));

		put_run_time(&t, &r->v[i]);
		status_width = n > status_width ? n : status_width;
		time_width = (int)t.len > time_width ? (int)t.len : time_width;
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct hook_step *s = &r->v[i];
		cleanup(buf_free) struct buf t = { 0 };

		put_run_time(&t, s);
		buf_printf(out, "%*zu  %-*s  %*s  ", number_width, i + 1, status_width,
			   hook_status_name(s->status), time_width, buf_str(&t));
		put_what(out, s);
		if (s->error) {
			buf_printf(out, ": ");
			put_indented(out, s->error,
				     number_width + status_width + time_width + 6);
		}
		buf_printf(out, "\n");
	}
}
