#include "base/buf.h"
#include "base/log.h"
#include "tap.h"

/* Writes entries as "level job subsystem msg key=value ...;" */
static void collect(void *arg, const struct log_entry *e)
{
	struct buf *b = arg;

	buf_printf(b, "%s %s %s %s", log_level_name(e->level), e->job ? e->job : "-",
		   e->subsystem ? e->subsystem : "-", e->msg);
	for (size_t i = 0; i < e->n_fields; i++)
		buf_printf(b, " %s=%s", e->fields[i].key, e->fields[i].value);
	buf_printf(b, ";");
	CHECK(e->time.tv_sec > 1700000000);
}

TEST(entries_carry_level_job_subsystem_and_fields)
{
	cleanup(buf_free) struct buf b = { 0 };
	struct log l = { collect, &b, "push", NULL };
	struct log sub = log_with_subsystem(&l, "repl");

	log_info(&l, "took %d snapshots of %s", 3, "tank");
	log_at(&sub, LOG_ERROR, LOG_FIELDS({ "fs", "tank" }, { "err", "busy" }),
	       "cannot %s", "hold");
	log_debug(&sub, "d");
	log_warn(&l, "100%%");
	CHECK_STR(b.p, "info push - took 3 snapshots of tank;"
		       "error push repl cannot hold fs=tank err=busy;"
		       "debug push repl d;"
		       "warn push - 100%;");
}

TEST(a_zeroed_log_drops_everything)
{
	struct log l = { 0 };

	log_error(&l, "nobody listens to %s", "this");
	CHECK(l.write == NULL);
}

TEST(levels_have_names)
{
	static const struct {
		enum log_level level;
		const char *name;
	} all[] = {
		{ LOG_DEBUG, "debug" },
		{ LOG_INFO, "info" },
		{ LOG_WARN, "warn" },
		{ LOG_ERROR, "error" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		CHECK_STR(log_level_name(all[i].level), all[i].name);
}

TEST_MAIN()
