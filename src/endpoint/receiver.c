#include "endpoint/receiver.h"

#include "base/vec.h"
#include "base/wake.h"
#include "codec/dsname.h"
#include "endpoint/abstraction.h"
#include "endpoint/local.h"
#include "zfs/stream.h"

#include <errno.h>
#include <unistd.h>

enum { UNMARK_MS = 30 * 1000 /* to say what has become of a placeholder */ };

struct receiver {
	struct receiver_opts o;
	struct log log;
	char *tag; /* of last-received holds */
	/* Set while nobody creates placeholders: whoever clears it may. */
	struct wake turn;
};

struct client {
	struct local local;
	struct receiver *r;
	char *root;
};

static const struct client *client_of(const struct endpoint *e)
{
	return CONTAINER_OF(e, struct client, local.ep);
}

/* Only strict components pass, so nothing in `path` leads out of the root. */
static char *map(const struct local *l, const char *path, struct err *err)
{
	const struct client *c = client_of(&l->ep);
	cleanup(str_freep) char *full = NULL;

	if (dsname_check_dataset(path, err) < 0)
		return NULL;
	full = xasprintf("%s/%s", c->root, path);
	if (dsname_check_dataset(full, err) < 0) /* too long */
		return NULL;
	return TAKE(full);
}

static int root_fs_missing(const struct receiver *r, struct err *err)
{
	if (strchr(r->o.root_fs, '/'))
		return err_set(err, ERR_NOT_FOUND, "root_fs \"%s\" does not exist",
			       r->o.root_fs);
	return err_set(err, ERR_NOT_FOUND, "pool \"%s\" not imported", r->o.root_fs);
}

static int check_root_fs(struct ctx *ctx, const struct receiver *r, struct err *err)
{
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };
	cleanup(strs_free) struct strs exact = { 0 };

	strs_add(&exact, r->o.root_fs);
	if (zfs_list_datasets(ctx, r->o.zfs, NULL, &exact, &found, err) < 0)
		return err_wrap(err, "look for root_fs");
	if (found.n == 0)
		return err_set(err, ERR_NOT_FOUND, "root_fs \"%s\" does not exist",
			       r->o.root_fs);
	return 0;
}

/* root_fs is asked for only where it is in doubt: before the client's first receive. */
static int list_filesystems(struct ctx *ctx, struct endpoint *e,
			    struct ep_filesystems *out, struct err *err)
{
	const struct client *c = client_of(e);
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };
	cleanup(strs_free) struct strs subtrees = { 0 };

	strs_add(&subtrees, c->root);
	if (zfs_list_datasets(ctx, c->r->o.zfs, &subtrees, NULL, &found, err) < 0)
		return err_wrap(err, "list filesystems below %s", c->root);
	if (!zfs_datasets_find(&found, c->root))
		return check_root_fs(ctx, c->r, err);
	for (size_t i = 0; i < found.n; i++) {
		struct zfs_dataset *d = &found.v[i];

		if (!dsname_is_below(d->name, c->root))
			continue;
		VEC_PUSH(out, ((struct ep_filesystem){
				      .path = xstrdup(d->name + strlen(c->root) + 1),
				      .is_placeholder = d->is_placeholder,
				      .resume_token = TAKE(d->resume_token) }));
	}
	return 0;
}

/* ---- receiving ---- */

/* A receive under way. */
struct receipt {
	const struct client *c;
	const struct ep_recv_req *req;
	struct ep_stream *in;
	char *target, *full; /* FS, FS@SNAP */
	bool existed, replaces_placeholder, drops_state;
	struct buf peeked;
	bool at_end; /* peeked is all there is */
};

static void receipt_fini(struct receipt *p)
{
	free(p->target);
	free(p->full);
	buf_free(&p->peeked);
}

static struct zfs *zfs_of(const struct receipt *p)
{
	return p->c->r->o.zfs;
}

static int name_target(struct receipt *p, struct err *err)
{
	if (p->req->to->type != VERSION_SNAPSHOT)
		return err_set(err, ERR_INVALID, "only snapshots can be received");
	p->target = p->c->local.map(&p->c->local, p->req->fs, err);
	if (!p->target)
		return -1;
	p->full = version_fullname(p->req->to, p->target);
	if (dsname_check_version(p->full, '@', err) < 0)
		return -1;
	return local_check_protection(&p->req->protection, err);
}

static int take_turn(struct receiver *r, struct ctx *ctx, struct err *err)
{
	struct pollfd turn = { .fd = r->turn.fd, .events = POLLIN };

	/* Several may see it set, but only one gets to clear it. */
	while (!wake_clear(&r->turn))
		if (ctx_poll(ctx, &turn, 1, -1, err) < 0)
			return err_wrap(err, "wait to create placeholders");
	return 0;
}

static int create_placeholder(struct ctx *ctx, const struct client *c, const char *fs,
			      struct err *err)
{
	bool off = false;

	switch (c->r->o.recv->placeholder_encryption) {
	case PLACEHOLDER_ENCRYPTION_UNSPECIFIED:
		if (strcmp(fs, c->root) == 0)
			break; /* the client's root, which is nobody's copy */
		return err_set(err, ERR_INVALID,
			       "cannot create placeholder filesystem %s: "
			       "recv.placeholder.encryption must be configured, "
			       "'inherit' or 'off'",
			       fs);
	case PLACEHOLDER_ENCRYPTION_INHERIT:
		break;
	case PLACEHOLDER_ENCRYPTION_OFF:
		off = true;
		break;
	}
	if (zfs_create_placeholder(ctx, c->r->o.zfs, fs, off, err) < 0)
		return err_wrap(err, "create placeholder filesystem %s", fs);
	log_info(&c->r->log, "created placeholder filesystem %s", fs);
	return 0;
}

/* Somebody else may have created some of them while we waited for our turn. */
static int create_placeholders(struct ctx *ctx, const struct client *c,
			       const struct strs *parents, struct err *err)
{
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };

	if (zfs_list_datasets(ctx, c->r->o.zfs, NULL, parents, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < parents->n; i++) {
		if (zfs_datasets_find(&found, parents->v[i]))
			continue;
		if (create_placeholder(ctx, c, parents->v[i], err) < 0)
			return -1;
	}
	return 0;
}

/* What is there, from the pool down to the target; and the gaps filled. */
static int look(struct ctx *ctx, struct receipt *p, struct err *err)
{
	struct receiver *r = p->c->r;
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };
	cleanup(strs_free) struct strs parents = { 0 }, all = { 0 };
	const struct zfs_dataset *target;
	bool gaps = false;
	int done;

	dsname_ancestors(p->target, &parents);
	strs_copy(&all, &parents);
	strs_add(&all, p->target);
	if (zfs_list_datasets(ctx, zfs_of(p), NULL, &all, &found, err) < 0)
		return -1;
	if (!zfs_datasets_find(&found, r->o.root_fs))
		return root_fs_missing(r, err);
	target = zfs_datasets_find(&found, p->target);
	p->existed = target != NULL;
	p->replaces_placeholder = target && target->is_placeholder;
	p->drops_state = target && target->resume_token && p->req->clear_token;

	for (size_t i = 0; i < parents.n; i++)
		gaps = gaps || !zfs_datasets_find(&found, parents.v[i]);
	if (!gaps)
		return 0;
	if (take_turn(r, ctx, err) < 0)
		return -1;
	done = create_placeholders(ctx, p->c, &parents, err);
	wake_signal(&r->turn);
	return done;
}

static struct pump_opts pump_opts(const struct receipt *p)
{
	return (struct pump_opts){ .moved = p->req->moved,
				   .stall_ms = p->c->r->o.env->stream_stall_ms,
				   .limits = { NULL, p->c->r->o.limit } };
}

/*
 * Read the beginning of the stream.  What we are about to do to the target cannot be
 * undone, so it waits until the sender really delivers.
 */
static int peek(struct ctx *ctx, struct receipt *p, struct err *err)
{
	int64_t want = p->c->r->o.env->recv_peek_bytes;
	struct pump_opts o = pump_opts(p);

	p->peeked.max = want < 1                           ? 1
			: (uint64_t)want > BUF_MAX_DEFAULT ? BUF_MAX_DEFAULT
							   : (size_t)want;
	if (stream_peek(ctx, p->in, &o, &p->peeked, &p->at_end, err) < 0)
		return -1;
	if (p->peeked.len == 0)
		return err_set(err, ERR_CHILD, "stream ended before its first byte");
	return 0;
}

/* zfs receive -F refuses to replace what has snapshots (zfs-receive(8)). */
static int remove_snapshots(struct ctx *ctx, const struct receipt *p, struct err *err)
{
	cleanup(versions_free) struct versions snaps = { 0 };
	cleanup(zfs_results_free) struct zfs_results done = { 0 };
	cleanup(strs_free) struct strs oldest = { 0 };

	if (local_versions(ctx, &p->c->local, p->target, ZFS_SNAPSHOTS, &snaps, err) < 0)
		return -1;
	if (snaps.n == 0)
		return 0;
	strs_add(&oldest, snaps.v[0].name);
	if (zfs_rollback(ctx, zfs_of(p), p->target, oldest.v[0], err) < 0 ||
	    zfs_destroy_snapshots(ctx, zfs_of(p), p->target, &oldest, &done, err) < 0)
		return -1;
	if (done.v[0].kind != ERR_NONE) {
		err_move(err, &done.v[0]);
		return -1;
	}
	return 0;
}

/* Returns 0 when all went out, or nobody reads any more, which *end says. */
static int feed(struct ctx *ctx, const struct receipt *p, int to, enum pump_end *end,
		struct err *err)
{
	const struct pump_opts o = pump_opts(p);
	struct view left = buf_view(&p->peeked);

	*end = PUMP_EOF;
	while (left.len > 0) {
		ssize_t n = write(to, left.p, left.len);

		if (n < 0 && errno == EPIPE) {
			*end = PUMP_CLOSED;
			return 0;
		}
		if (n < 0 && errno == EAGAIN) {
			if (pump_poll(ctx, to, POLLOUT, &o, err) < 0)
				return -1;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "write stream");
		if (n > 0)
			left = (struct view){ left.p + n, left.len - (size_t)n };
	}
	return 0;
}

static int copy(struct ctx *ctx, const struct receipt *p, int to, struct err *err)
{
	struct pump_opts o = pump_opts(p);
	enum pump_end end;

	if (feed(ctx, p, to, &end, err) < 0)
		return -1;
	if (p->at_end || end == PUMP_CLOSED)
		return 0;
	return stream_pump(ctx, p->in, to, &o, &end, err);
}

/*
 * Whether we saw the stream's end, or zfs receive did not want to read on, its own exit
 * status says what became of it; a stream that we could not read to its end did not
 * arrive, whatever zfs receive makes of what it has.
 */
static int run(struct ctx *ctx, const struct receipt *p, bool force,
	       enum zfs_recv_failure *why, struct err *err)
{
	struct zfs_recv_args args = { .fs = p->target,
				      .snap = p->req->to->name,
				      .force = force,
				      .props = p->c->r->o.recv };
	cleanup(err_clear) struct err copy_err = ERR_INIT;
	struct zfs_recv *recv;
	int copied;

	*why = ZFS_RECV_FAILED;
	if (zfs_recv_can_resume(ctx, zfs_of(p), p->target, &args.resumable, err) < 0)
		return -1;
	recv = zfs_recv_start(zfs_of(p), &args, err);
	if (!recv)
		return -1;
	copied = copy(ctx, p, zfs_recv_fd(recv), &copy_err);
	if (zfs_recv_finish(recv, ctx, copied == 0, why, err) == 0)
		return 0;
	if (copied < 0)
		err_move(err, &copy_err);
	return -1;
}

/* Even if we were told to stop meanwhile: with its mark it would be received anew. */
static int unmark_placeholder(const struct receipt *p, struct err *err)
{
	cleanup(ctx_freep) struct ctx *ctx = ctx_new(NULL);

	ctx_set_timeout(ctx, UNMARK_MS);
	return zfs_set_placeholder(ctx, zfs_of(p), p->target, false, err);
}

/* Receives what we have peeked, unless fs is there already. */
static int receive_peeked(struct ctx *ctx, const struct receipt *p, const char *fs,
			  struct err *err)
{
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };
	cleanup(strs_free) struct strs exact = { 0 };
	cleanup(err_clear) struct err feed_err = ERR_INIT;
	struct zfs_recv_args args = { .fs = fs,
				      .snap = p->req->to->name,
				      .resumable = true,
				      .props = p->c->r->o.recv };
	enum zfs_recv_failure why = ZFS_RECV_FAILED;
	struct zfs_recv *recv;
	enum pump_end end;
	int fed;

	strs_add(&exact, fs);
	if (zfs_list_datasets(ctx, zfs_of(p), NULL, &exact, &found, err) < 0)
		return -1;
	if (found.n > 0)
		return 0;
	recv = zfs_recv_start(zfs_of(p), &args, err);
	if (!recv)
		return -1;
	fed = feed(ctx, p, zfs_recv_fd(recv), &end, &feed_err);
	if (zfs_recv_finish(recv, ctx, true, &why, err) == 0)
		return 0;
	if (why == ZFS_RECV_STATE_SAVED) {
		err_clear(err);
		return 0;
	}
	if (fed < 0)
		err_move(err, &feed_err);
	return -1;
}

/*
 * zfs receive -F cannot put an encrypted filesystem in the place of an unencrypted one,
 * or the other way round (zfs-receive(8)).  Begin to receive next to the placeholder, so
 * that all that is left to do by hand is two renames (compat: zrepl 0.7).
 */
static void receive_beside(struct ctx *ctx, const struct receipt *p)
{
	cleanup(str_freep) char *beside = xasprintf("%s.zrepl.initial-recv", p->target);
	const struct log *log = &p->c->r->log;
	cleanup(err_clear) struct err err = ERR_INIT;

	log_error(
		log,
		"zfs cannot replace the placeholder %s, because one of it and the stream "
		"is encrypted and the other is not; its beginning goes to %s: stop "
		"zrepl, swap the two with `zfs rename`, start zrepl",
		p->target, beside);
	if (receive_peeked(ctx, p, beside, &err) < 0)
		log_error(log, "receive %s: %s", beside, err_msg(&err));
}

/*
 * It stays a placeholder until it is replaced, so that whatever interrupts us, the next
 * receive may use force again, or go on with the stream, which needs force as well.
 * (compat: zrepl 0.7 takes the mark away first, and can be told not to put it back.)
 */
static int replace_placeholder(struct ctx *ctx, const struct receipt *p, struct err *err)
{
	enum zfs_recv_failure why = ZFS_RECV_FAILED;
	struct err ignored = ERR_INIT;

	if (remove_snapshots(ctx, p, err) == 0 && run(ctx, p, true, &why, err) == 0)
		return unmark_placeholder(p, err);
	if (p->c->r->o.env->disable_placeholder_restoration &&
	    why != ZFS_RECV_STATE_SAVED && unmark_placeholder(p, &ignored) < 0)
		err_clear(&ignored);
	if (why == ZFS_RECV_ENCRYPTION_REFUSED) {
		receive_beside(ctx, p);
		err_wrap(err, "cannot automatically replace placeholder filesystem %s",
			 p->target);
	}
	return -1;
}

static int transfer(struct ctx *ctx, struct receipt *p, struct err *err)
{
	enum zfs_recv_failure why;

	if ((p->replaces_placeholder || p->drops_state) && peek(ctx, p, err) < 0)
		return -1;
	if (p->drops_state && zfs_recv_abort(ctx, zfs_of(p), p->target, err) < 0)
		return -1;
	if (p->replaces_placeholder)
		return replace_placeholder(ctx, p, err);
	return run(ctx, p, false, &why, err);
}

/* What zfs receive says is not enough: is it the snapshot that was announced?  Then
 * protect it, and only then give up what protected the one before. */
static int confirm(struct ctx *ctx, const struct receipt *p, struct err *err)
{
	const struct receiver *r = p->c->r;
	cleanup(versions_free) struct versions now = { 0 };
	cleanup(strs_free) struct strs full = { 0 }, keep = { 0 };
	const struct local_release old = {
		.tag = r->tag, .fs = p->target, .versions = &now, .keep = &keep
	};

	if (local_versions(ctx, &p->c->local, p->target, ZFS_SNAPSHOTS, &now, err) < 0 ||
	    !local_find_version(&now, p->req->to, err))
		return err_wrap(err, "verify");
	/* A placeholder did exist (compat: zrepl 0.7). */
	if ((p->existed ? p->req->protection.incremental : p->req->protection.initial) !=
	    PROTECTION_NOTHING) {
		strs_add(&full, p->full);
		strs_add(&keep, p->req->to->name);
		if (zfs_hold(ctx, r->o.zfs, r->tag, &full, err) < 0)
			return err_wrap(err, "protect");
	}
	local_release_holds(ctx, &p->c->local, &old);
	return 0;
}

static int receive(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		   struct ep_stream *in, struct err *err)
{
	const struct client *c = client_of(e);
	cleanup(receipt_fini) struct receipt p = { .c = c, .req = req, .in = in };

	if (name_target(&p, err) < 0)
		return -1;
	if (look(ctx, &p, err) < 0 || transfer(ctx, &p, err) < 0 ||
	    confirm(ctx, &p, err) < 0)
		return err_wrap(err, "receive %s", p.full);
	return 0;
}

/* ---- life ---- */

static void client_close(struct endpoint *e)
{
	struct client *c = CONTAINER_OF(e, struct client, local.ep);

	free(c->root);
	free(c);
}

static const struct endpoint_ops receiver_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = local_list_versions,
	.receive = receive,
	.destroy_snapshots = local_destroy_snapshots,
	.ping = local_ping,
	.close = client_close,
};

struct receiver *receiver_new(const struct receiver_opts *o)
{
	struct receiver *r = xcalloc(1, sizeof(*r));

	r->o = *o;
	r->log = log_with_subsystem(&o->log, "endpoint");
	r->tag = abs_last_received_tag(o->job);
	wake_init(&r->turn);
	wake_signal(&r->turn);
	return r;
}

void receiver_free(struct receiver *r)
{
	if (!r)
		return;
	wake_fini(&r->turn);
	free(r->tag);
	free(r);
}

static char *client_root(const struct receiver *r, const char *identity, struct err *err)
{
	cleanup(str_freep) char *root = NULL;

	if (!identity)
		return xstrdup(r->o.root_fs);
	if (dsname_check_component(identity, err) < 0) {
		err_wrap(err, "client identity");
		return NULL;
	}
	root = xasprintf("%s/%s", r->o.root_fs, identity);
	return dsname_check_dataset(root, err) < 0 ? NULL : TAKE(root);
}

struct endpoint *receiver_for(struct receiver *r, const char *identity, struct err *err)
{
	cleanup(str_freep) char *root = client_root(r, identity, err);
	struct client *c;

	if (!root)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	*c = (struct client){
		.local = { .ep = { .ops = &receiver_ops, .label = "receiver" },
			   .zfs = r->o.zfs,
			   .log = r->log,
			   .map = map },
		.r = r,
		.root = TAKE(root),
	};
	return &c->local.ep;
}
