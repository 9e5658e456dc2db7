#include "fake_endpoint.h"

#include "base/buf.h"
#include "base/vec.h"
#include "codec/resume_token.h"
#include "log_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* ---- versions in words ---- */

struct versions fake_versions(const char *text)
{
	struct versions l = { 0 };
	char name[32];
	unsigned id;
	int n;

	for (; *text; text += n) {
		char sigil;

		if (sscanf(text, " %c%31[^0-9]%u%n", &sigil, name, &id, &n) != 3)
			abort();
		versions_add(&l,
			     (struct version){ .type = sigil == '@' ? VERSION_SNAPSHOT
								    : VERSION_BOOKMARK,
					       .name = xstrdup(name),
					       .guid = id,
					       .createtxg = id,
					       .creation_s = id });
	}
	versions_sort(&l);
	return l;
}

static void version_text(struct buf *b, const struct version *v)
{
	buf_printf(b, "%s%c%s%" PRIu64, b->len ? " " : "", version_sigil(v), v->name,
		   v->guid);
}

char *fake_versions_text(const struct versions *l)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < l->n; i++)
		version_text(&b, &l->v[i]);
	return b.p ? buf_take(&b) : xstrdup("");
}

/* ---- the two sides ---- */

/* Listings are asked for in order: the search starts at `hint`. */
static size_t find_from(const struct fake_side *s, const char *fs, size_t hint)
{
	for (size_t k = 0; k < s->fs.n; k++) {
		size_t i = (hint + k) % s->fs.n;

		if (strcmp(s->fs.v[i].path, fs) == 0)
			return i;
	}
	return s->fs.n;
}

static size_t find(const struct fake_side *s, const char *fs)
{
	return find_from(s, fs, 0);
}

static void add(struct fake_side *s, const char *fs, const char *versions)
{
	struct ep_filesystem f = { .path = xstrdup(fs) };
	struct ep_version_list l = { .path = xstrdup(fs),
				     .versions = fake_versions(versions) };

	VEC_PUSH(&s->fs, f);
	VEC_PUSH(&s->versions, l);
}

void fake_sender(struct fake *w, const char *fs, const char *versions)
{
	add(&w->sender, fs, versions);
}

void fake_receiver(struct fake *w, const char *fs, const char *versions)
{
	add(&w->receiver, fs, versions);
}

void fake_placeholder(struct fake_side *s, const char *fs)
{
	add(s, fs, "");
	s->fs.v[s->fs.n - 1].is_placeholder = true;
}

void fake_token(struct fake *w, const char *fs, const char *token)
{
	struct ep_filesystem *f = &w->receiver.fs.v[find(&w->receiver, fs)];

	free(f->resume_token);
	f->resume_token = xstrdup(token);
}

void fake_add_version(struct fake_side *s, const char *fs, const char *version)
{
	struct versions one = fake_versions(version);

	pthread_mutex_lock(&s->world->lock);
	versions_copy(&s->versions.v[find(s, fs)].versions, &one);
	pthread_mutex_unlock(&s->world->lock);
	versions_free(&one);
}

char *fake_has(struct fake_side *s, const char *fs)
{
	size_t i = find(s, fs);

	return i < s->fs.n ? fake_versions_text(&s->versions.v[i].versions)
			   : xstrdup("(none)");
}

/* ---- rules ---- */

void fake_rule(struct fake *w, struct fake_rule rule)
{
	pthread_mutex_lock(&w->lock);
	if (w->n_rules == ARRAY_LEN(w->rules))
		abort();
	w->rules[w->n_rules++] = rule;
	pthread_mutex_unlock(&w->lock);
}

void fake_fail(struct fake *w, enum fake_op op, const char *fs, enum err_kind kind,
	       const char *text)
{
	fake_rule(w,
		  (struct fake_rule){
			  .op = op, .fs = fs, .times = -1, .kind = kind, .text = text });
}

void fake_block(struct fake *w, enum fake_op op, const char *fs)
{
	fake_rule(w,
		  (struct fake_rule){ .op = op, .fs = fs, .times = 1, .blocks = true });
}

void fake_open(struct fake *w)
{
	wake_signal(&w->gate);
}

/* Locked: the rule that holds for this call, or NULL. */
static const struct fake_rule *rule_for(struct fake *w, enum fake_op op, const char *fs)
{
	for (size_t i = 0; i < w->n_rules; i++) {
		struct fake_rule *r = &w->rules[i];

		if (r->op != op || r->times == 0 || (r->fs && fs && strcmp(r->fs, fs)))
			continue;
		if (r->skip > 0) {
			r->skip--;
			continue;
		}
		if (r->times > 0)
			r->times--;
		return r;
	}
	return NULL;
}

/* Every call begins here; unless it fails, it ends with leave(). */
static int enter(struct ctx *ctx, struct fake *w, enum fake_op op, const char *fs,
		 struct err *err)
{
	const struct fake_rule *found;
	struct fake_rule rule = { 0 };
	bool is_nth;

	pthread_mutex_lock(&w->lock);
	w->n_ops[op]++;
	w->n_calls++;
	is_nth = w->fail_from && w->n_calls >= w->fail_from && w->n_calls <= w->fail_to;
	if (++w->running[op] > w->max_running[op])
		w->max_running[op] = w->running[op];
	found = rule_for(w, op, fs);
	if (found)
		rule = *found;
	pthread_mutex_unlock(&w->lock);

	if (is_nth)
		err_set(err, w->fail_kind, "injected failure");
	else if (found && !rule.blocks)
		err_set(err, rule.kind, "%s", rule.text);
	else if (!found)
		return 0;
	if (found && rule.blocks && !is_nth) {
		struct pollfd gate = { .fd = w->gate.fd, .events = POLLIN };

		sem_post(&w->blocked);
		if (ctx_poll(ctx, &gate, 1, -1, err) > 0)
			return 0;
	}
	pthread_mutex_lock(&w->lock);
	w->running[op]--;
	pthread_mutex_unlock(&w->lock);
	return -1;
}

static int leave(struct fake *w, enum fake_op op)
{
	pthread_mutex_lock(&w->lock);
	w->running[op]--;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static void note(struct fake *w, const char *what, const char *fs,
		 const struct version *from, const struct version *to)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s %s", what, fs);
	if (from)
		version_text(&b, from);
	version_text(&b, to);
	pthread_mutex_lock(&w->lock);
	strs_take(&w->calls, buf_take(&b));
	pthread_mutex_unlock(&w->lock);
}

/* ---- listing ---- */

static struct fake_side *side_of(struct endpoint *e)
{
	return CONTAINER_OF(e, struct fake_side, ep);
}

static int list_filesystems(struct ctx *ctx, struct endpoint *e,
			    struct ep_filesystems *out, struct err *err)
{
	struct fake_side *s = side_of(e);
	enum fake_op op = s == &s->world->sender ? OP_SENDER_LIST : OP_RECEIVER_LIST;

	if (enter(ctx, s->world, op, NULL, err) < 0)
		return -1;
	pthread_mutex_lock(&s->world->lock);
	for (size_t i = 0; i < s->fs.n; i++) {
		struct ep_filesystem f = s->fs.v[i];

		f.path = xstrdup(f.path);
		f.resume_token = f.resume_token ? xstrdup(f.resume_token) : NULL;
		VEC_PUSH(out, f);
	}
	pthread_mutex_unlock(&s->world->lock);
	return leave(s->world, op);
}

static int list_versions(struct ctx *ctx, struct endpoint *e, const struct strs *paths,
			 struct ep_version_lists *out, struct err *err)
{
	struct fake_side *s = side_of(e);
	enum fake_op op =
		s == &s->world->sender ? OP_SENDER_VERSIONS : OP_RECEIVER_VERSIONS;
	size_t at = 0;

	if (enter(ctx, s->world, op, NULL, err) < 0)
		return -1;
	pthread_mutex_lock(&s->world->lock);
	for (size_t i = 0; i < paths->n; i++) {
		struct ep_version_list l = { .path = xstrdup(paths->v[i]) };
		struct err *own;

		at = find_from(s, paths->v[i], at);
		if (at == s->fs.n) {
			err_set(&l.err, ERR_NOT_FOUND, "dataset does not exist");
			at = 0;
		} else if (own = &s->versions.v[at].err, own->kind != ERR_NONE) {
			err_set(&l.err, own->kind, "%s", err_msg(own));
		} else {
			versions_copy(&l.versions, &s->versions.v[at].versions);
		}
		VEC_PUSH(out, l);
	}
	pthread_mutex_unlock(&s->world->lock);
	return leave(s->world, op);
}

static int ping(struct ctx *ctx, struct endpoint *e, struct err *err)
{
	struct fake_side *s = side_of(e);
	enum fake_op op = s == &s->world->sender ? OP_SENDER_PING : OP_RECEIVER_PING;

	if (enter(ctx, s->world, op, NULL, err) < 0)
		return -1;
	return leave(s->world, op);
}

static int decode_token(struct ctx *ctx, void *arg, const char *token,
			struct resume_token *out, struct err *err)
{
	struct fake *w = arg;
	uint64_t from, to;

	if (enter(ctx, w, OP_DECODE, NULL, err) < 0)
		return -1;
	leave(w, OP_DECODE);
	if (sscanf(token, "%" SCNu64 ":%" SCNu64, &from, &to) != 2)
		return err_set(err, ERR_INVALID, "resume token is corrupt");
	*out = (struct resume_token){ .has_from_guid = from > 0,
				      .from_guid = from,
				      .to_guid = to,
				      .to_name = xstrdup("fs@snap") };
	return 0;
}

/* ---- steps ---- */

struct fake_stream {
	struct ep_stream stream;
	struct fake *world;
	char *fs;
	bool has_from;
	uint64_t from;
	int fds[2]; /* [1] stays open while the sender is still at it */
};

static int finish(struct ep_stream *stream, struct err *err)
{
	struct fake_stream *s = CONTAINER_OF(stream, struct fake_stream, stream);
	struct fake *w = s->world;
	int r = enter(NULL, w, OP_FINISH, s->fs, err);

	if (r == 0)
		leave(w, OP_FINISH);
	if (r == 0 && s->fds[1] >= 0)
		r = err_set(err, ERR_CANCELLED, "ended before all was written");
	pthread_mutex_lock(&w->lock);
	w->open_streams--;
	pthread_mutex_unlock(&w->lock);
	fd_closep(&s->fds[0]);
	fd_closep(&s->fds[1]);
	free(s->fs);
	free(s);
	return r;
}

/* Only our own receive() reads it, and that asks for no result. */
static const struct ep_stream_ops stream_ops = { .finish = finish };

static int send_dry(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		    uint64_t *bytes, struct err *err)
{
	struct fake *w = side_of(e)->world;

	if (enter(ctx, w, OP_DRY, req->fs, err) < 0)
		return -1;
	*bytes = w->payload;
	return leave(w, OP_DRY);
}

static int send_stream(struct ctx *ctx, struct endpoint *e, const struct ep_send_req *req,
		       struct ep_stream **out, struct err *err)
{
	struct fake *w = side_of(e)->world;
	struct fake_stream *s;

	note(w, "send", req->fs, req->from, req->to);
	if (enter(ctx, w, OP_SEND, req->fs, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->world = w;
	s->fs = xstrdup(req->fs);
	s->has_from = req->from != NULL;
	s->from = req->from ? req->from->guid : 0;
	if (pipe2(s->fds, O_CLOEXEC | O_NONBLOCK) < 0)
		abort();
	for (size_t i = 0; i < w->payload; i++)
		if (write(s->fds[1], "x", 1) != 1)
			abort();
	if (!w->endless)
		fd_closep(&s->fds[1]);
	s->stream.fd = s->fds[0];
	s->stream.ops = &stream_ops;
	pthread_mutex_lock(&w->lock);
	w->open_streams++;
	pthread_mutex_unlock(&w->lock);
	*out = &s->stream;
	return leave(w, OP_SEND);
}

static int read_all(struct ctx *ctx, struct fake *w, const struct ep_recv_req *req,
		    int fd, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[256];

	for (;;) {
		ssize_t n;

		if (ctx_poll(ctx, &p, 1, -1, err) < 0)
			return -1;
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0)
			return 0;
		if (n < 0)
			return err_sys(err, errno, "read");
		atomic_fetch_add(req->moved, (uint64_t)n);
		sem_post(&w->moved);
	}
}

/* Locked.  Does the receiver have all filesystems above fs that the sender has? */
static bool has_parents(const struct fake *w, const char *fs)
{
	for (size_t i = 0; i < w->sender.fs.n; i++) {
		const char *p = w->sender.fs.v[i].path;
		size_t n = strlen(p);

		if (strncmp(p, fs, n) == 0 && fs[n] == '/' &&
		    !w->sender.fs.v[i].is_placeholder &&
		    find(&w->receiver, p) == w->receiver.fs.n)
			return false;
	}
	return true;
}

/* Locked. */
static void take(struct fake *w, const struct ep_recv_req *req,
		 const struct fake_stream *s)
{
	struct fake_side *r = &w->receiver;
	size_t i = find(r, req->fs);
	struct versions *l;

	if (i == r->fs.n) {
		if (s->has_from || !has_parents(w, req->fs))
			w->violations++;
		add(r, req->fs, "");
	}
	l = &r->versions.v[i].versions;
	if (s->has_from && (l->n == 0 || l->v[l->n - 1].guid != s->from))
		w->violations++;
	free(r->fs.v[i].resume_token);
	r->fs.v[i].resume_token = NULL;
	r->fs.v[i].is_placeholder = false;
	versions_add(l, version_dup(req->to));
}

static int receive(struct ctx *ctx, struct endpoint *e, const struct ep_recv_req *req,
		   struct ep_stream *in, struct err *err)
{
	struct fake *w = side_of(e)->world;
	struct fake_stream *s = CONTAINER_OF(in, struct fake_stream, stream);
	int r;

	note(w, req->clear_token ? "receive" : "resume", req->fs, NULL, req->to);
	if (enter(ctx, w, OP_RECEIVE, req->fs, err) < 0)
		return -1;
	r = read_all(ctx, w, req, in->fd, err);
	if (r == 0) {
		pthread_mutex_lock(&w->lock);
		take(w, req, s);
		pthread_mutex_unlock(&w->lock);
	}
	leave(w, OP_RECEIVE);
	return r;
}

static int send_completed(struct ctx *ctx, struct endpoint *e,
			  const struct ep_send_req *req, struct err *err)
{
	struct fake *w = side_of(e)->world;

	note(w, "completed", req->fs, NULL, req->to);
	if (enter(ctx, w, OP_COMPLETED, req->fs, err) < 0)
		return -1;
	return leave(w, OP_COMPLETED);
}

static const struct endpoint_ops ops = {
	.list_filesystems = list_filesystems,
	.list_versions = list_versions,
	.send_dry = send_dry,
	.send = send_stream,
	.send_completed = send_completed,
	.receive = receive,
	.ping = ping,
};

/* ---- the world ---- */

void fake_log(void *fake, const struct log_entry *e)
{
	struct fake *w = fake;
	struct buf b = { 0 };

	log_text_put(&b, e);
	pthread_mutex_lock(&w->lock);
	strs_take(&w->logged, buf_take(&b));
	pthread_mutex_unlock(&w->lock);
}

size_t fake_logged(struct fake *w, const char *text)
{
	size_t n = 0;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->logged.n; i++)
		n += strstr(w->logged.v[i], text) != NULL;
	pthread_mutex_unlock(&w->lock);
	return n;
}

void fake_init(struct fake *w)
{
	*w = (struct fake){
		.sender = { .ep = { &ops, "sender" }, .world = w },
		.receiver = { .ep = { &ops, "receiver" }, .world = w },
		.conf = { .protect_initial = PROTECTION_RESUMABILITY,
			  .protect_incremental = PROTECTION_RESUMABILITY,
			  .concurrency_steps = 1,
			  .concurrency_size_estimates = 4,
			  .initial_replication = INITIAL_ALL },
		.env = { .replication_max_attempts = 3,
			 .reconnect_hard_fail_ms = 600 * 1000 },
		.payload = 100,
	};
	pthread_mutex_init(&w->lock, NULL);
	wake_init(&w->gate);
	sem_init(&w->blocked, 0, 0);
	sem_init(&w->moved, 0, 0);
}

void fake_fini(struct fake *w)
{
	ep_filesystems_free(&w->sender.fs);
	ep_filesystems_free(&w->receiver.fs);
	ep_version_lists_free(&w->sender.versions);
	ep_version_lists_free(&w->receiver.versions);
	strs_free(&w->calls);
	strs_free(&w->logged);
	wake_fini(&w->gate);
	sem_destroy(&w->blocked);
	sem_destroy(&w->moved);
	pthread_mutex_destroy(&w->lock);
}

struct replication *fake_replication(struct fake *w)
{
	struct replication_opts o = {
		.sender = &w->sender.ep,
		.receiver = &w->receiver.ep,
		.conf = &w->conf,
		.env = &w->env,
		.log = { fake_log, w, "job", "repl" },
		.decode_token = decode_token,
		.decode_arg = w,
	};

	return replication_new(&o);
}
