/*
 * output.h - understanding what zfs(8) prints.
 *
 * Pure functions over text.  The listings (-H: fields separated by one TAB) are a
 * documented interface, see zfs-list(8), zfs-get(8), zfs-send(8) -P.  Messages are not:
 * what is matched here are those of OpenZFS 0.8 to 2.4 in the C locale.  Names of
 * snapshots may contain blanks and colons, so a message is only matched by what stands
 * before and after a name in quotes, or around a name that we know.
 */
#ifndef ZFS_OUTPUT_H
#define ZFS_OUTPUT_H

#include "zfs/zfs.h"

/* ---- messages ---- */

/* What was said without the "usage:" that some commands add, and without blanks around
 * it. */
struct view out_without_usage(struct view said);

/* "cannot VERB 'NAME': REASON" -> ERR_NOT_FOUND, ERR_EXISTS, ERR_BUSY or ERR_DENIED by
 * the first line; ERR_CHILD when it is none of those. */
enum err_kind out_failure_kind(struct view said);
/* The same for the REASON alone. */
enum err_kind out_reason_kind(struct view reason);

/* A line "cannot VERB 'NAME': REASON"; the verb includes its object: "hold snapshot". */
bool out_cannot(struct view line, const char *verb, struct view *name,
		struct view *reason);

/* Is it the line about a dataset or snapshot that is not there?  Which one? */
bool out_is_missing(struct view line, struct view *name);

/* zfs receive -A: "'FS' does not have any resumable receive state to abort" */
bool out_has_no_resume_state(struct view line, const char *fs);

/* zfs destroy: nothing to do, it is gone.  full: FS@SNAP or FS#BOOKMARK. */
bool out_is_gone(struct view said, const char *full);

/*
 * zfs destroy of a list of snapshots of fs: true if every line is about one of them, in
 * names (sorted).  Their indexes, rising and each only once, are appended to out.
 */
struct out_indexes {
	size_t *v;
	size_t n, cap;
};
bool out_undestroyable(struct view said, const char *fs, const struct strs *names,
		       struct out_indexes *out);

enum out_recv {
	OUT_RECV_OTHER,
	OUT_RECV_STATE_SAVED,
	OUT_RECV_ENCRYPTION_REFUSED,
	OUT_RECV_STREAM_ENDED,
};
enum out_recv out_recv_failure(struct view said);

/* ---- listings; ERR_PROTOCOL if they are not ---- */

/*
 * A line of zfs list -o name,guid,createtxg,creation,userrefs.  out->name is the
 * caller's, fs is a view of the line.
 */
int out_version(struct view line, struct view *fs, struct version *out, struct err *err)
	must_check;

/* A line of zfs list -o name,written. */
int out_written(struct view line, struct view *name, uint64_t *bytes, struct err *err)
	must_check;

/* A line of zfs holds -H.  A tag may contain anything. */
int out_hold(struct view line, struct view *snapshot, struct view *tag, struct err *err)
	must_check;

/* zfs send -nvP: the size of the stream; 0 if it does not say. */
int out_estimate(struct view text, uint64_t *bytes, struct err *err) must_check;

/* The value, in a line of zfs get -o name,property,value,source. */
int out_property(struct view line, const char *name, const char *property,
		 struct view *value, struct err *err) must_check;

/*
 * Lines of zfs get for many datasets, fed one by one: for each of them first `type`,
 * then, in any order, guid, receive_resume_token, encryption (if zfs knows it) and
 * zrepl:placeholder, whose value may contain anything, TAB and newline included.
 */
struct out_datasets {
	struct zfs_datasets list; /* the caller's */
	unsigned seen;            /* which properties of the last one */
	struct buf placeholder;   /* its value and source, so far */
};
int out_dataset_line(struct out_datasets *d, struct view line, struct err *err)
	must_check;
int out_dataset_end(struct out_datasets *d, struct err *err) must_check;
void out_datasets_free(struct out_datasets *d);

#endif
