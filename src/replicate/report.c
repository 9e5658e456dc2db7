#include "replicate/report.h"

const char *attempt_state_name(enum attempt_state s)
{
	static const char *const names[] = {
		[ATTEMPT_PLANNING] = "planning",
		[ATTEMPT_PLANNING_ERROR] = "planning-error",
		[ATTEMPT_FAN_OUT_FILESYSTEMS] = "fan-out-filesystems",
		[ATTEMPT_FILESYSTEM_ERROR] = "filesystem-error",
		[ATTEMPT_DONE] = "done",
	};

	return names[s];
}

const char *fs_state_name(enum fs_state s)
{
	static const char *const names[] = {
		[FS_PLANNING] = "planning", [FS_PLANNING_ERROR] = "planning-error",
		[FS_STEPPING] = "stepping", [FS_STEP_ERROR] = "step-error",
		[FS_DONE] = "done",
	};

	return names[s];
}

const char *fs_blocked_name(enum fs_blocked b)
{
	static const char *const names[] = {
		[BLOCKED_ON_NOTHING] = "nothing",
		[BLOCKED_ON_PLAN_QUEUE] = "plan-queue",
		[BLOCKED_ON_PARENT_INITIAL_REPL] = "parent-initial-repl",
		[BLOCKED_ON_REPL_QUEUE] = "repl-queue",
	};

	return names[b];
}

void timed_error_set(struct timed_error *e, const char *text)
{
	timed_error_fini(e);
	e->text = xstrdup(text);
	clock_gettime(CLOCK_REALTIME, &e->time);
}

struct timed_error timed_error_dup(const struct timed_error *e)
{
	return (struct timed_error){ xstrdup_or_null(e->text), e->time };
}

void timed_error_fini(struct timed_error *e)
{
	free(e->text);
	*e = (struct timed_error){ 0 };
}

static void report_fs_fini(struct report_fs *f)
{
	for (size_t i = 0; i < f->n_steps; i++) {
		free(f->steps[i].from);
		free(f->steps[i].to);
	}
	free(f->steps);
	free(f->path);
	timed_error_fini(&f->plan_error);
	timed_error_fini(&f->step_error);
}

void repl_report_free(struct repl_report *r)
{
	for (size_t i = 0; i < r->n_attempts; i++) {
		struct report_attempt *a = &r->attempts[i];

		for (size_t k = 0; k < a->n_fs; k++)
			report_fs_fini(&a->fs[k]);
		free(a->fs);
		timed_error_fini(&a->plan_error);
	}
	free(r->attempts);
	timed_error_fini(&r->wait_reconnect_error);
	*r = (struct repl_report){ 0 };
}
