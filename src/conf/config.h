/*
 * config.h - the configuration, checked and immutable.
 *
 * config_load() reads the file, its includes, and checks everything that can be
 * checked without asking ZFS or the network; whoever holds a struct config need
 * not check again.  Everything is owned by the config and lives until
 * config_free(); it is never changed after loading and may be read by any thread.
 *
 * The message of an error has a line for each thing that is wrong, all of them, in the
 * order of the files (CONFIG_MAX_PROBLEMS at most, then how many more):
 *
 *	FILE:LINE:COLUMN: KEY.PATH: what is wrong; what would be right
 *
 * config_wrap() says before that, or above it, what it is about.
 */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include "codec/cron.h"
#include "codec/dsfilter.h"
#include "codec/grid.h"
#include "codec/mysql_dsn.h"
#include "codec/regex.h"
#include "codec/snapname.h"
#include "conf/global.h"

enum { CONFIG_MAX_PROBLEMS = 100 };

/* ---- parts of jobs ---- */

enum protection {
	PROTECTION_INVALID = 0,
	PROTECTION_RESUMABILITY = 1,
	PROTECTION_INCREMENTAL = 2,
	PROTECTION_NOTHING = 3,
};

enum initial_replication { INITIAL_MOST_RECENT, INITIAL_ALL, INITIAL_FAIL };

enum placeholder_encryption {
	PLACEHOLDER_ENCRYPTION_UNSPECIFIED,
	PLACEHOLDER_ENCRYPTION_INHERIT,
	PLACEHOLDER_ENCRYPTION_OFF,
};

/* One token bucket (base/rate.h) for all streams of a job. */
struct conf_bandwidth {
	int64_t max;             /* bytes a second; < 0: unlimited; never 0 */
	int64_t bucket_capacity; /* bytes, > 0 */
};

struct conf_send { /* flags of zfs-send(8) */
	bool encrypted, raw, send_properties, backup_properties, large_blocks, compressed,
		embedded_data, saved;
	struct conf_bandwidth bandwidth;
};

struct conf_property {
	const char *name, *value;
};

struct conf_recv {
	const char **inherit; /* -x */
	size_t n_inherit;
	struct conf_property *override; /* -o */
	size_t n_override;
	enum placeholder_encryption placeholder_encryption;
	struct conf_bandwidth bandwidth;
};

struct conf_replication {
	enum protection protect_initial, protect_incremental;
	int64_t concurrency_steps;          /* >= 1 */
	int64_t concurrency_size_estimates; /* >= 1 */
	enum initial_replication initial_replication;
};

enum hook_type { HOOK_COMMAND, HOOK_POSTGRES_CHECKPOINT, HOOK_MYSQL_LOCK_TABLES };

struct conf_hook {
	enum hook_type type;
	bool err_is_fatal;
	int64_t timeout_ms; /* > 0; of each edge */
	struct dsfilter filesystems;
	const char *path;       /* command */
	const char *dsn;        /* the others; it may contain a password */
	struct mysql_dsn mysql; /* mysql-lock-tables: dsn, parsed */
};

enum snapshotting_type { SNAPSHOTTING_MANUAL, SNAPSHOTTING_PERIODIC, SNAPSHOTTING_CRON };

struct conf_snapshotting {
	enum snapshotting_type type;
	/* periodic and cron */
	const char *prefix;
	const char *timestamp_format, *timestamp_location;
	struct snapname *name; /* prefix and timestamp */
	bool skip_unchanged;   /* none where nothing was written since the last one */
	struct conf_hook *hooks;
	size_t n_hooks;
	int64_t interval_s; /* periodic: > 0 */
	struct cron *cron;  /* cron */
};

enum keep_type { KEEP_NOT_REPLICATED, KEEP_LAST_N, KEEP_GRID, KEEP_REGEX };

struct conf_keep {
	enum keep_type type;
	struct regex *regex; /* last_n: NULL matches all */
	bool negate;         /* regex */
	int64_t count;       /* last_n: > 0 */
	struct grid grid;
	bool keep_snapshot_at_cursor; /* not_replicated */
	const char *text; /* the rule as a user would name it: "last_n 10 ^zrepl_" */
};

struct conf_keeps {
	struct conf_keep *v;
	size_t n;
};

/* ---- jobs ---- */

/* Where a key of a job stands. */
struct conf_place {
	const char *key; /* "pruning.keep_sender"; "" is the job itself */
	unsigned line, column;
};

enum job_type { JOB_PUSH, JOB_SINK, JOB_SNAP, JOB_PULL, JOB_SOURCE };

struct conf_job {
	enum job_type type;
	const char *name;
	const char *file; /* where it stands, for messages */
	unsigned line, column;
	const char *path;                /* in its file: "jobs[2]" */
	const struct conf_place *places; /* of its keys that may contradict others */
	size_t n_places;
	bool is_whole; /* while loading: nothing of it had a problem */

	struct dsfilter filesystems;           /* push, snap, source */
	struct conf_snapshotting snapshotting; /* push, snap, source */
	struct conf_send send;                 /* push, source */
	struct conf_connect connect;           /* push, pull */
	struct conf_replication replication;   /* push, pull */
	struct conf_keeps keep_sender;         /* push, pull */
	struct conf_keeps keep_receiver;       /* push, pull */
	struct conf_keeps keep;                /* snap */
	int64_t interval_s;                    /* pull; 0: manual */
	struct conf_serve serve;               /* sink, source */
	const char *root_fs;                   /* sink, pull */
	struct conf_recv recv;                 /* sink, pull */
};

struct config {
	struct conf_global global;
	struct conf_job *jobs; /* in the order of the file */
	size_t n_jobs;
	/* What is accepted but probably not meant, in the form of the errors. */
	const char *const *warnings;
	size_t n_warnings;
	struct config_memory *memory; /* what everything above points into */
};

/* Is j what `to`, of type local, leads to?  Names of listeners differ. */
bool conf_job_serves(const struct conf_job *j, const struct conf_connect *to);

/* "push", "sink", "snap", "pull", "source"; the words of the other enums as in the file.
 * NULL: no such. */
const char *job_type_name(enum job_type t);
const char *protection_name(enum protection p);
const char *initial_replication_name(enum initial_replication i);
const char *snapshotting_type_name(enum snapshotting_type t);
const char *hook_type_name(enum hook_type t);

/* Of the job, if it has no such key, or the key none. */
struct conf_place conf_job_place(const struct conf_job *j, const char *key);

/* The dsn of a hook for a database without what is secret in it; the caller frees. */
char *hook_dsn_shown(const struct conf_hook *h) must_check;

/*
 * path NULL: the first of /etc/zrepl/zrepl.yml and /usr/local/etc/zrepl/zrepl.yml that
 * exists.  NULL with ERR_INVALID (content) or ERR_SYSTEM (cannot read).
 */
struct config *config_load(const char *path, struct err *err) must_check;
/* The same from memory; file is for messages, and the place that includes are relative
 * to. */
struct config *config_parse(const char *file, struct view text, struct err *err)
	must_check;
/* For commands: what the two above said becomes "could not parse config: ...", and if
 * there are several problems their number, and a line for each.  Returns -1. */
int config_wrap(struct err *err);
void config_free(struct config *c);
DEFINE_CLEANUP(config_free, struct config *);

#endif
