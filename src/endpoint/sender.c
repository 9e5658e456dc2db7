#include "endpoint/sender.h"

#include "base/vec.h"
#include "codec/dsname.h"
#include "endpoint/abstraction.h"
#include "endpoint/local.h"
#include "endpoint/send_policy.h"
#include "zfs/meter.h"
#include "zfs/stream.h"

/*
 * Versions are listed once a request, and everything else follows from that list: do the
 * versions asked for exist, which bookmarks are there, which snapshots are held at all.
 * There is no memory from request to request (compat: zrepl 0.7 keeps one and does not
 * see what others leave behind): what is on the pool is what is cleaned.
 */
struct sender {
	struct local local;
	struct sender_opts o;
	char *step_tag;
};

/* A send request, checked against what is there. */
struct step {
	const struct sender *s;
	const struct ep_send_req *req;
	enum protection protection;
	struct versions versions;
	const struct version *from, *to; /* of versions; from may be NULL */
	/* What cleaning leaves alone, by short names. */
	struct strs keep_bookmarks, keep_holds;
};

static void step_fini(struct step *st)
{
	versions_free(&st->versions);
	strs_free(&st->keep_bookmarks);
	strs_free(&st->keep_holds);
}

static const struct sender *sender_of(const struct endpoint *e)
{
	return CONTAINER_OF(e, struct sender, local.ep);
}

static char *map(const struct local *l, const char *path, struct err *err)
{
	const struct sender *s = sender_of(&l->ep);

	if (dsname_check_dataset(path, err) < 0)
		return NULL;
	if (!dsfilter_accepts(s->o.filter, path)) {
		err_set(err, ERR_DENIED,
			"endpoint does not allow access to filesystem %s", path);
		return NULL;
	}
	return xstrdup(path);
}

static int list_filesystems(struct ctx *ctx, struct endpoint *e,
			    struct ep_filesystems *out, struct err *err)
{
	const struct sender *s = sender_of(e);
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };
	cleanup(strs_free) struct strs subtrees = { 0 }, exact = { 0 };

	dsfilter_roots(s->o.filter, &subtrees, &exact);
	if (zfs_list_datasets(ctx, s->o.zfs, &subtrees, &exact, &found, err) < 0)
		return err_wrap(err, "list filesystems");
	zfs_meter_unmatched(s->o.zfs, s->o.filter, &found);
	for (size_t i = 0; i < found.n; i++) {
		struct zfs_dataset *d = &found.v[i];

		if (!dsfilter_accepts(s->o.filter, d->name))
			continue;
		VEC_PUSH(out,
			 ((struct ep_filesystem){ .path = TAKE(d->name),
						  .is_placeholder = d->is_placeholder }));
	}
	return 0;
}

/* The newest cursor of the job; the versions are sorted. */
static void find_cursor(const struct sender *s, const struct versions *versions,
			struct ep_cursor *c)
{
	for (size_t i = 0; i < versions->n; i++) {
		const struct version *v = &versions->v[i];
		const char *job;

		if (abs_of_bookmark(v, &job) == ABS_CURSOR_V1)
			log_warn(&s->local.log,
				 "%s#%s is a cursor of zrepl 0.2 and older: not used, "
				 "may be destroyed",
				 c->path, v->name);
		if (!abs_is_bookmark(v, ABS_CURSOR, s->o.job))
			continue;
		c->exists = true;
		c->guid = v->guid;
	}
}

static void cursor_among(struct endpoint *e, const struct versions *versions,
			 struct ep_cursor *c)
{
	find_cursor(sender_of(e), versions, c);
}

static int cursors(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
		   struct ep_cursors *out, struct err *err)
{
	const struct sender *s = sender_of(e);
	cleanup(ep_version_lists_free) struct ep_version_lists found = { 0 };

	if (local_list_kinds(ctx, &s->local, paths, ZFS_BOOKMARKS, &found, err) < 0)
		return err_wrap(err, "look for replication cursors");
	for (size_t i = 0; i < found.n; i++) {
		struct ep_cursor c = { .path = TAKE(found.v[i].path) };

		err_move(&c.err, &found.v[i].err);
		find_cursor(s, &found.v[i].versions, &c);
		VEC_PUSH(out, c);
	}
	return 0;
}

/* ---- what a request asks for ---- */

static enum protection protection_of(const struct ep_send_req *req)
{
	return req->from ? req->protection.incremental : req->protection.initial;
}

static int check_version_name(const char *fs, const struct version *v, struct err *err)
{
	cleanup(str_freep) char *full = version_fullname(v, fs);

	return dsname_check_version(full, version_sigil(v), err);
}

/* Will the bookmarks of this step fit?  Better known before everything is sent. */
static int check_bookmark_names(const struct sender *s, const struct ep_send_req *req,
				struct err *err)
{
	enum protection p = protection_of(req);
	cleanup(str_freep) char *name =
		p == PROTECTION_INCREMENTAL ? abs_tentative_name(req->to->guid, s->o.job)
					    : abs_cursor_name(req->to->guid, s->o.job);
	struct version bookmark = { .type = VERSION_BOOKMARK, .name = name };

	if (p == PROTECTION_NOTHING || check_version_name(req->fs, &bookmark, err) == 0)
		return 0;
	return err_wrap(err, "replication needs bookmarks that ZFS cannot have here, "
			     "use a shorter job name");
}

/* Without asking ZFS anything. */
static int check_request(const struct sender *s, const struct ep_send_req *req,
			 struct err *err)
{
	cleanup(str_freep) char *name = map(&s->local, req->fs, err);

	if (!name)
		return -1;
	if (req->to->type != VERSION_SNAPSHOT)
		return err_set(err, ERR_INVALID, "%s: only snapshots can be sent", name);
	if (check_version_name(name, req->to, err) < 0 ||
	    (req->from && check_version_name(name, req->from, err) < 0) ||
	    local_check_protection(&req->protection, err) < 0)
		return -1;
	return check_bookmark_names(s, req, err);
}

static int is_encrypted(struct ctx *ctx, const struct sender *s, const char *fs,
			bool *encrypted, struct err *err)
{
	cleanup(zfs_datasets_free) struct zfs_datasets found = { 0 };
	cleanup(strs_free) struct strs exact = { 0 };
	const struct zfs_dataset *d;

	strs_add(&exact, fs);
	if (zfs_list_datasets(ctx, s->o.zfs, NULL, &exact, &found, err) < 0)
		return err_wrap(err, "is %s encrypted", fs);
	d = zfs_datasets_find(&found, fs);
	if (!d)
		return err_set(err, ERR_NOT_FOUND, "filesystem %s does not exist", fs);
	*encrypted = d->is_encrypted;
	return 0;
}

/* What may leave this host.  ZFS is asked only where the answer matters. */
static int check_content(struct ctx *ctx, const struct sender *s,
			 const struct ep_send_req *req, struct err *err)
{
	cleanup(resume_token_free) struct resume_token decoded = { 0 };
	const struct resume_token *t = NULL;
	bool is_enc = false;

	if (req->token) {
		if (zfs_decode_token(ctx, s->o.zfs, req->token, &decoded, err) < 0)
			return err_wrap(err, "%s", req->fs);
		t = &decoded;
		if (send_policy_token(req, t, err) < 0)
			return -1;
	}
	if (!send_policy_asks(s->o.flags, t))
		return 0;
	if (is_encrypted(ctx, s, req->fs, &is_enc, err) < 0)
		return -1;
	return send_policy_check(s->o.flags, t, req->fs, is_enc, err);
}

/* ---- protecting and cleaning ---- */

static bool has_bookmark(const struct step *st, const char *name, uint64_t guid)
{
	const struct version *v = versions_find(&st->versions, VERSION_BOOKMARK, name);

	return v && v->guid == guid;
}

/* Makes the bookmark, unless it is there, and has cleaning spare it. */
static int make_bookmark(struct ctx *ctx, struct step *st, const struct version *v,
			 char *name, struct err *err)
{
	const struct sender *s = st->s;

	strs_take(&st->keep_bookmarks, name);
	if (has_bookmark(st, name, v->guid))
		return 0;
	/* ZFS can copy bookmarks since 2.0, but one of ours has its name and guid
	 * already, and one of somebody else's is his to keep: go on without (compat:
	 * zrepl 0.7). */
	if (v->type == VERSION_BOOKMARK)
		return 0;
	return zfs_bookmark(ctx, s->o.zfs, st->req->fs, v, name, err);
}

static int hold_ends(struct ctx *ctx, struct step *st, struct err *err)
{
	cleanup(strs_free) struct strs full = { 0 };

	/* A bookmark cannot be held, and cannot be lost either. */
	if (st->from && st->from->type == VERSION_SNAPSHOT) {
		strs_take(&full, version_fullname(st->from, st->req->fs));
		strs_add(&st->keep_holds, st->from->name);
	}
	strs_take(&full, version_fullname(st->to, st->req->fs));
	strs_add(&st->keep_holds, st->to->name);
	return zfs_hold(ctx, st->s->o.zfs, st->s->step_tag, &full, err);
}

static int bookmark_ends(struct ctx *ctx, struct step *st, struct err *err)
{
	const char *job = st->s->o.job;

	if (st->from && make_bookmark(ctx, st, st->from,
				      abs_tentative_name(st->from->guid, job), err) < 0)
		return -1;
	return make_bookmark(ctx, st, st->to, abs_tentative_name(st->to->guid, job), err);
}

static int protect(struct ctx *ctx, struct step *st, struct err *err)
{
	switch (st->protection) {
	case PROTECTION_RESUMABILITY:
		return hold_ends(ctx, st, err);
	case PROTECTION_INCREMENTAL:
		return bookmark_ends(ctx, st, err);
	case PROTECTION_NOTHING:
		return 0;
	case PROTECTION_INVALID:
		break;
	}
	return err_set(err, ERR_INTERNAL, "protection was not checked");
}

/* Best effort.  All tentative cursors and step holds of the job but what is to be kept;
 * its cursors too, when `also_cursors`. */
static void clean(struct ctx *ctx, const struct step *st, bool also_cursors,
		  const struct strs *known_held)
{
	const struct sender *s = st->s;
	const struct local_release r = { .tag = s->step_tag,
					 .fs = st->req->fs,
					 .versions = &st->versions,
					 .keep = &st->keep_holds,
					 .known = known_held };
	cleanup(strs_free) struct strs doomed = { 0 };

	for (size_t i = 0; i < st->versions.n; i++) {
		const struct version *v = &st->versions.v[i];

		if ((!abs_is_bookmark(v, ABS_TENTATIVE_CURSOR, s->o.job) &&
		     !(also_cursors && abs_is_bookmark(v, ABS_CURSOR, s->o.job))) ||
		    strs_has(&st->keep_bookmarks, v->name))
			continue;
		strs_take(&doomed, version_fullname(v, st->req->fs));
	}
	local_destroy_bookmarks(ctx, &s->local, &doomed);
	local_release_holds(ctx, &s->local, &r);
}

/* ---- sending ---- */

static int list_step(struct ctx *ctx, struct step *st, struct err *err)
{
	const struct ep_send_req *req = st->req;

	st->protection = protection_of(req);
	return local_versions(ctx, &st->s->local, req->fs, ZFS_SNAPSHOTS | ZFS_BOOKMARKS,
			      &st->versions, err);
}

/* "tank/a@2", "tank/a@1 -> @2": what we were sending, for messages. */
static char *describe(const struct ep_send_req *req)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s", req->fs);
	if (req->from)
		buf_printf(&b, "%c%s -> ", version_sigil(req->from), req->from->name);
	buf_printf(&b, "%c%s", version_sigil(req->to), req->to->name);
	return buf_take(&b);
}

static int wrap(struct err *err, const char *doing, const struct ep_send_req *req)
{
	cleanup(str_freep) char *what = describe(req);

	return err_wrap(err, "%s %s", doing, what);
}

struct send_stream {
	struct ep_stream stream;
	struct zfs_send *send; /* NULL: ended, see err */
	struct err err;
	char *what;
};

static int result(struct ep_stream *stream, struct err *err)
{
	struct send_stream *s = CONTAINER_OF(stream, struct send_stream, stream);

	if (s->send && zfs_send_finish(TAKE(s->send), &s->err) < 0)
		err_wrap(&s->err, "send %s", s->what);
	stream->fd = -1;
	if (err_is(&s->err, ERR_NONE))
		return 0;
	err_copy(err, &s->err);
	return -1;
}

static int finish(struct ep_stream *stream, struct err *err)
{
	struct send_stream *s = CONTAINER_OF(stream, struct send_stream, stream);
	int r = result(stream, err);

	err_clear(&s->err);
	free(s->what);
	free(s);
	return r;
}

static const struct ep_stream_ops stream_ops = { .result = result, .finish = finish };

/* Relative names, as zfs_send_args wants them. */
struct names {
	char *from, *to;
};

static void names_fini(struct names *n)
{
	free(n->from);
	free(n->to);
}

static struct zfs_send_args args_of(const struct sender *s, const struct ep_send_req *req,
				    struct names *n)
{
	n->from = req->from ? version_relname(req->from) : NULL;
	n->to = version_relname(req->to);
	return (struct zfs_send_args){ .fs = req->fs,
				       .from = n->from,
				       .to = n->to,
				       .token = req->token,
				       .flags = s->o.flags };
}

static int send_dry(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		    uint64_t *bytes, struct err *err)
{
	const struct sender *s = sender_of(e);
	cleanup(names_fini) struct names names = { 0 };
	struct zfs_send_args args;

	if (check_request(s, req, err) < 0)
		return -1;
	args = args_of(s, req, &names);
	/* Whether the versions exist, zfs send says itself. */
	if (check_content(ctx, s, req, err) < 0 ||
	    zfs_send_estimate(ctx, s->o.zfs, &args, bytes, err) < 0)
		return wrap(err, "estimate size of", req);
	return 0;
}

static int prepare(struct ctx *ctx, struct step *st, struct err *err)
{
	const struct ep_send_req *req = st->req;

	if (list_step(ctx, st, err) < 0)
		return -1;
	st->to = local_find_version(&st->versions, req->to, err);
	if (!st->to)
		return -1;
	if (req->from) {
		st->from = local_find_version(&st->versions, req->from, err);
		if (!st->from)
			return -1;
	}
	if (check_content(ctx, st->s, req, err) < 0)
		return -1;
	if (protect(ctx, st, err) < 0)
		return err_wrap(err, "protect");
	/* from may be a tentative cursor, left by a step whose end was not heard of. */
	if (st->from && st->from->type == VERSION_BOOKMARK)
		strs_add(&st->keep_bookmarks, st->from->name);
	clean(ctx, st, false, NULL);
	return 0;
}

static int send_start(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		      struct ep_stream **out, struct err *err)
{
	const struct sender *s = sender_of(e);
	cleanup(step_fini) struct step st = { .s = s, .req = req };
	cleanup(names_fini) struct names names = { 0 };
	struct zfs_send_args args;
	struct send_stream *stream;
	struct zfs_send *send;

	if (check_request(s, req, err) < 0)
		return -1;
	if (prepare(ctx, &st, err) < 0)
		return wrap(err, "prepare to send", req);
	args = args_of(s, req, &names);
	send = zfs_send_start(s->o.zfs, &args, err);
	if (!send)
		return wrap(err, "send", req);
	stream = xcalloc(1, sizeof(*stream));
	*stream = (struct send_stream){
		.stream = { .ops = &stream_ops,
			    .fd = zfs_send_fd(send),
			    .limit = s->o.limit },
		.send = send,
		.what = describe(req),
	};
	*out = &stream->stream;
	return 0;
}

/* from may be gone by now: the receiver has what it was needed for. */
static int check_sent(struct step *st, struct err *err)
{
	const struct ep_send_req *req = st->req;
	cleanup(err_clear) struct err why = ERR_INIT;

	st->to = local_find_version(&st->versions, req->to, err);
	if (!st->to)
		return -1;
	if (!req->from)
		return 0;
	st->from = local_find_version(&st->versions, req->from, &why);
	if (!st->from && !err_is(&why, ERR_NOT_FOUND)) {
		err_move(err, &why);
		return -1;
	}
	return 0;
}

/*
 * The new cursor comes first, and only when it is there is anything removed: whenever we
 * are interrupted, some version that both sides have is protected.
 */
static int complete(struct ctx *ctx, struct step *st, struct err *err)
{
	cleanup(strs_free) struct strs held = { 0 };
	const char *job = st->s->o.job;

	if (list_step(ctx, st, err) < 0 || check_sent(st, err) < 0)
		return -1;
	if (st->protection != PROTECTION_NOTHING &&
	    make_bookmark(ctx, st, st->to, abs_cursor_name(st->to->guid, job), err) < 0)
		return err_wrap(err, "move replication cursor");
	/* We made these holds ourselves a while ago. */
	if (st->protection == PROTECTION_RESUMABILITY) {
		strs_add(&held, st->to->name);
		if (st->from && st->from->type == VERSION_SNAPSHOT)
			strs_add(&held, st->from->name);
	}
	clean(ctx, st, true, &held);
	return 0;
}

static int send_completed(struct ctx *ctx, struct endpoint *e,
			  const struct ep_send_req *req, struct err *err)
{
	const struct sender *s = sender_of(e);
	cleanup(step_fini) struct step st = { .s = s, .req = req };

	if (check_request(s, req, err) < 0)
		return -1;
	return complete(ctx, &st, err) < 0 ? wrap(err, "complete step", req) : 0;
}

/* Is one of the held snapshots held by a step of ours? */
static int has_step_hold(struct ctx *ctx, const struct sender *s, const char *fs,
			 const struct versions *versions, struct err *err)
{
	cleanup(strs_free) struct strs held = { 0 }, ours = { 0 };

	for (size_t i = 0; i < versions->n; i++)
		if (versions->v[i].userrefs > 0)
			strs_take(&held, version_fullname(&versions->v[i], fs));
	if (local_find_holds(ctx, &s->local, s->step_tag, &held, &ours, err) < 0)
		return -1;
	return ours.n > 0;
}

/* What a step leaves behind that was interrupted after the receiver had it all. */
static int is_unsettled(struct ctx *ctx, const struct sender *s, const char *fs,
			const struct versions *versions, struct err *err)
{
	for (size_t i = 0; i < versions->n; i++)
		if (abs_is_bookmark(&versions->v[i], ABS_TENTATIVE_CURSOR, s->o.job))
			return 1;
	return has_step_hold(ctx, s, fs, versions, err);
}

static int settle(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *arrived,
		  const struct versions *versions, struct err *err)
{
	const struct sender *s = sender_of(e);
	int r;

	if (check_request(s, arrived, err) < 0)
		return -1;
	r = is_unsettled(ctx, s, arrived->fs, versions, err);
	if (r < 0)
		return err_wrap(err, "look for an interrupted step of %s", arrived->fs);
	return r == 0 ? 0 : send_completed(ctx, e, arrived, err);
}

static void sender_close(struct endpoint *e)
{
	struct sender *s = CONTAINER_OF(e, struct sender, local.ep);

	free(s->step_tag);
	free(s);
}

static const struct endpoint_ops sender_ops = {
	.list_filesystems = list_filesystems,
	.list_versions = local_list_versions,
	.cursors = cursors,
	.cursor_among = cursor_among,
	.send_dry = send_dry,
	.send = send_start,
	.send_completed = send_completed,
	.settle = settle,
	.destroy_snapshots = local_destroy_snapshots,
	.ping = local_ping,
	.close = sender_close,
};

struct endpoint *sender_new(const struct sender_opts *o)
{
	struct sender *s = xcalloc(1, sizeof(*s));

	*s = (struct sender){
		.local = { .ep = { .ops = &sender_ops, .label = "sender" },
			   .zfs = o->zfs,
			   .log = log_with_subsystem(&o->log, "endpoint"),
			   .map = map },
		.o = *o,
		.step_tag = abs_step_tag(o->job),
	};
	return &s->local.ep;
}
