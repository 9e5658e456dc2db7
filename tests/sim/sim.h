/*
 * sim.h - simzfs, a fast imitation of zfs(8) and zpool(8) for tests and measurements.
 *
 * One small program, linked under the names "zfs" and "zpool" in a directory that is put
 * first in PATH.  It keeps filesystems, snapshots, bookmarks, holds and local properties,
 * answers the command lines that this project uses with zfs(8)'s output and messages, and
 * moves send streams of any size at almost no cost.  It stores no file data.
 *
 * Environment
 *	SIMZFS_DIR	state directory, one a simulated machine; created if missing
 *	SIMZFS_LOG	append one line a process: start time in us, pid, ppid, argv
 *	SIMZFS_DELAY_US	sleep so long in every process: a real zfs takes milliseconds
 *
 * Settings, from the environment or else from files $SIMZFS_DIR/set/NAME
 *	SIMZFS_FULL	length of a full stream, with suffix K, M, G (default 1M)
 *	SIMZFS_INCR	length of an incremental stream (default 64K).  The dataset
 *			properties sim:full and sim:incr override both.
 *			What is written since the latest snapshot is the dataset
 *			property sim:written, which the next snapshot takes away.
 *	SIMZFS_COPY	nonempty: move the stream with read(2) and write(2) of 128 KiB
 *			instead of vmsplice(2) and splice(2)
 *	SIMZFS_VERIFY	nonempty: zfs recv compares every byte (implies reading)
 *	SIMZFS_FAIL_AT	zfs send dies after so many bytes
 *	SIMZFS_FAIL	zfs commands that begin with this text, as in "hold", fail
 *
 * Commands of its own
 *	zfs sim-populate [-g SEED] [-c JOB] [-l JOB] BASE NFS NSNAPS
 *		make NFS filesystems BASE/fs00000... with NSNAPS snapshots each, 10
 *		minutes apart.  Equal SEEDs give equal guids, so that two machines can be
 *		populated as already replicated.  -c adds the replication cursor of JOB to
 *		the last snapshot, -l its last-received hold.
 *	zfs sim-version FS@NAME|FS#NAME GUID [TAG]...
 *		add a snapshot or bookmark with that guid, held with these tags
 *	zfs sim-show [FS]...
 *		what is there, one line a dataset: NAME [PROPERTY=VALUE]... [@SNAP{TAG
 *		TAG}]... [#BOOKMARK]..., in order of creation
 *	zfs sim-fail N
 *		let the Nth process from now fail; 0: none
 *
 * State: $SIMZFS_DIR/ds/NAME, one text file a dataset with '/' written as '+' (which is
 * not valid in a name), and $SIMZFS_DIR/counters.  Lines, separated by TAB:
 *	D type guid createtxg creation
 *	P key value
 *	@ name guid createtxg creation [tag...]
 *	# name guid createtxg creation
 * Writers hold flock(2) exclusively on the dataset's file and rewrite it in place;
 * readers hold it shared.  No operation locks two datasets, so there is no order to keep;
 * and none is atomic across datasets (snapshot -r is not).
 *
 * Limits, on purpose: no -I, -R, -D; no clones or quota; encryption is a property and
 * nothing more; sizes are made up; all output is as with -H and -p; unknown options are
 * errors, so that they are noticed.  Memory is never freed: processes are short.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAX_NAME = 256, /* as ZFS_MAX_DATASET_NAME_LEN */
	MAX_VALUE = 2 * MAX_NAME,
	MAX_SOURCE = MAX_NAME + 16, /* "inherited from NAME" */
	MIB = 1 << 20,
};

struct version {
	char kind; /* '@' snapshot, '#' bookmark */
	const char *name;
	uint64_t guid, txg, creation;
	const char *tags; /* of holds, separated by TAB; "" if none */
};

struct prop {
	const char *key, *value;
};

struct dataset {
	char name[MAX_NAME];
	int fd;    /* locked exclusively, or -1 */
	char type; /* 'f' filesystem, 'v' volume */
	uint64_t guid, txg, creation;
	struct prop *props;
	size_t nprops;
	struct version *versions; /* oldest entry of the file first */
	size_t nversions;
};

struct buf {
	char *data;
	size_t len, cap;
};

/* text.c: errors, memory, output */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void usage(const char *text);
_Noreturn void die_missing(const char *name);
void say_missing(const char *name); /* the same without dying */
void *grow(void *p, size_t n);
char *dup_text(const char *s);
char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void buf_put(struct buf *b, const char *s, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_u64(struct buf *b, uint64_t v);
void buf_flush(struct buf *b, int fd); /* write all of it */
uint64_t parse_size(const char *s);
uint64_t mix64(uint64_t x); /* a good mixing function (splitmix64) */

/* state.c: the state directory and the datasets in it */
void state_open(void);
const char *setting(const char *name); /* NULL: not set, or empty */
void fail_set(uint64_t n);             /* the nth process from now */
bool fail_now(void);                   /* is it this one? */
uint64_t txg_take(uint64_t n);
uint64_t guid_new(void);
void name_copy(char dst[MAX_NAME], const char *name, size_t len);
struct version *ds_add_version(struct dataset *d, struct version v);
void ds_set_prop(struct dataset *d, const char *key, const char *value);
void ds_unset_prop(struct dataset *d, const char *key);
const char *ds_prop(const struct dataset *d, const char *key);
struct version *ds_version(struct dataset *d, char kind, const char *name);
struct version *ds_newest_snapshot(const struct dataset *d);
/* With writable, it is locked until ds_save() or exit.  False: it does not exist. */
bool ds_open(struct dataset *d, const char *name, bool writable);
void ds_save(struct dataset *d);
void ds_init(struct dataset *d, const char *name, char type); /* in memory */
bool ds_create(struct dataset *d);                            /* false: name is taken */
void ds_remove(const char *name);
bool ds_exists(const char *name);
/* Sorted: root (NULL: everything) and all below it. */
char **ds_names(const char *root, size_t *count);
/* The version that target names, NULL if it is a dataset.  Dies if it is missing. */
struct version *target_open(struct dataset *d, const char *target, bool writable);
/* The same, NULL and false in *ok if anything is missing, without words. */
struct version *target_find(struct dataset *d, const char *target, bool writable,
			    bool *ok);
size_t tags_count(const char *tags);
const char *tags_find(const char *tags, const char *tag);

/* props.c */
bool word_in(const char *word, const char *list); /* separated by ',' */
/* Of d, or of its version v.  tmp has room for values that must be made up. */
const char *prop_get(const struct dataset *d, const struct version *v, const char *key,
		     char tmp[MAX_VALUE], char source[MAX_SOURCE]);
void prop_print(struct buf *out, const struct dataset *d, const struct version *v,
		const char *key);

/* The commands, by file; each gets its name as argv[0] and returns the exit status. */
typedef int command_fn(int argc, char **argv);
command_fn cmd_list, cmd_get;                                             /* list.c */
command_fn cmd_set, cmd_inherit, cmd_create, cmd_destroy;                 /* change.c */
command_fn cmd_snapshot, cmd_bookmark, cmd_rollback;                      /* change.c */
command_fn cmd_hold, cmd_holds, cmd_release;                              /* hold.c */
command_fn cmd_send, cmd_recv;                                            /* stream.c */
command_fn cmd_sim_populate, cmd_sim_version, cmd_sim_show, cmd_sim_fail; /* own.c */

void set_assignment(struct dataset *d, const char *assignment); /* "key=value" */
void create_parents(const char *name);

#endif
