/*
 * Control connections of zrepl 0.7, replayed: our server against what its client sent,
 * our client against what its server sent; whole, cut at every byte, and damaged.
 */
#include "h2_ends.h"
#include "h2_text.h"
#include "tap.h"

enum { BANNER = 67, LABEL = 64 };

static const struct recording {
	const char *name;
	size_t calls;
} recordings[] = { { "push/01", 9 }, { "push/08", 12 }, { "pull/01", 25 } };

static struct buf load(const char *name, const char *side)
{
	char path[512];
	struct buf b = { 0 };
	FILE *f;

	snprintf(path, sizeof(path), RECORDINGS "/%s-%s.bin", name, side);
	f = fopen(path, "rb");
	if (!CHECK(f))
		exit(1);
	buf_added(&b, fread(buf_reserve(&b, 65536), 1, 65536, f));
	fclose(f);
	buf_drop(&b, strcmp(side, "active") == 0 ? BANNER + LABEL : BANNER);
	return b;
}

/* The server's end of a recording, which then knows all its requests. */
static void replay_active(struct server_end *s, struct view bytes)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	server_end_init(s, 0);
	s->echoes = true;
	CHECK_INT(h2_server_feed(s->s, bytes.p, bytes.len, 0, &e), 0);
}

TEST(the_server_gets_every_request_and_the_goodbye)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		struct buf b = load(recordings[i].name, "active");
		struct server_end s;

		replay_active(&s, buf_view(&b));
		CHECK_INT(s.n, recordings[i].calls);
		for (size_t k = 0; k < s.n; k++) {
			CHECK_INT(s.v[k].id, (int)(2 * k + 1));
			CHECK(strncmp(s.v[k].path, "/Replication/", 13) == 0);
		}
		CHECK_STR(s.v[0].path, "/Replication/ListFilesystems");
		while (h2_server_output(s.s).len > 0)
			h2_server_sent(s.s, h2_server_output(s.s).len);
		CHECK(h2_server_is_done(s.s));
		server_end_fini(&s);
		buf_free(&b);
	}
}

TEST(the_requests_are_the_same_wherever_they_are_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		struct buf b = load(recordings[i].name, "active");

		for (size_t cut = 0; cut <= b.len; cut++) {
			cleanup(err_clear) struct err e = ERR_INIT;
			struct server_end s;

			server_end_init(&s, 0);
			CHECK_INT(h2_server_feed(s.s, b.p, cut, 0, &e), 0);
			CHECK_INT(h2_server_feed(s.s, b.p + cut, b.len - cut, 0, &e), 0);
			CHECK_INT(s.n, recordings[i].calls);
			server_end_fini(&s);
		}
		buf_free(&b);
	}
}

/* ---- the client's end ---- */

struct client_end {
	struct h2_client *c;
	struct end_reply *r; /* as many as there are requests */
	size_t n;
};

/* Has made the calls of the recording. */
static void client_end_init(struct client_end *k, const struct server_end *calls)
{
	k->c = h2_client_new(0);
	k->n = calls->n;
	k->r = xcalloc(k->n, sizeof(*k->r));
	for (size_t i = 0; i < k->n; i++)
		CHECK_INT(end_call(k->c, calls->v[i].path, buf_view(&calls->v[i].body),
				   &k->r[i]),
			  calls->v[i].id);
	while (h2_client_output(k->c).len > 0)
		h2_client_sent(k->c, h2_client_output(k->c).len);
}

static void client_end_fini(struct client_end *k)
{
	h2_client_free(k->c);
	for (size_t i = 0; i < k->n; i++)
		end_reply_fini(&k->r[i]);
	free(k->r);
}

/* As a connection would: what comes, and then its end. */
static void client_end_feed(struct client_end *k, struct view bytes)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	if (h2_client_feed(k->c, bytes.p, bytes.len, 0, &e) == 0)
		err_set(&e, ERR_NETWORK, "cut");
	h2_client_fail(k->c, &e);
}

TEST(the_client_gets_every_reply_wherever_it_is_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		struct buf active = load(recordings[i].name, "active");
		struct buf passive = load(recordings[i].name, "passive");
		struct server_end calls;

		replay_active(&calls, buf_view(&active));
		for (size_t cut = 0; cut <= passive.len; cut++) {
			cleanup(err_clear) struct err e = ERR_INIT;
			struct client_end k;

			client_end_init(&k, &calls);
			CHECK_INT(h2_client_feed(k.c, passive.p, cut, 0, &e), 0);
			client_end_feed(
				&k, (struct view){ passive.p + cut, passive.len - cut });
			for (size_t n = 0; n < k.n; n++) {
				CHECK_INT(k.r[n].times, 1);
				CHECK_INT(k.r[n].err.kind, ERR_NONE);
			}
			client_end_fini(&k);
		}
		server_end_fini(&calls);
		buf_free(&active);
		buf_free(&passive);
	}
}

TEST(replies_that_did_not_come_whole_are_no_success)
{
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		struct buf active = load(recordings[i].name, "active");
		struct buf passive = load(recordings[i].name, "passive");
		struct server_end calls;
		size_t before = 0;

		replay_active(&calls, buf_view(&active));
		for (size_t cut = 0; cut <= passive.len; cut += 3) {
			struct client_end k;
			size_t well = 0;

			client_end_init(&k, &calls);
			client_end_feed(&k, (struct view){ passive.p, cut });
			for (size_t n = 0; n < k.n; n++) {
				CHECK_INT(k.r[n].times, 1);
				CHECK(k.r[n].err.kind == ERR_NONE ||
				      err_is(&k.r[n].err, ERR_NETWORK));
				well += k.r[n].err.kind == ERR_NONE;
			}
			CHECK(well >= before);
			before = well;
			client_end_fini(&k);
		}
		server_end_fini(&calls);
		buf_free(&active);
		buf_free(&passive);
	}
}

/* ---- damage ---- */

enum damage { DROP, DOUBLE, FLIP_LOW, FLIP_HIGH, DAMAGES };

static void harm(struct buf *out, struct view v, size_t at, enum damage how)
{
	char c = v.p[at];

	out->len = 0;
	buf_put(out, v.p, at);
	if (how == DOUBLE)
		buf_put(out, &c, 1);
	if (how == FLIP_LOW || how == FLIP_HIGH)
		c = (char)(c ^ (how == FLIP_LOW ? 1 << at % 4 : 0x80 >> at % 4));
	if (how != DROP)
		buf_put(out, &c, 1);
	buf_put(out, v.p + at + 1, v.len - at - 1);
}

/* Equal, or of the same length and different in one byte: a payload that was hit. */
static bool is_hit(struct view a, struct view b)
{
	size_t different = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		different += a.p[i] != b.p[i];
	return different <= 1;
}

TEST(damage_never_makes_a_reply_that_was_not_sent)
{
	struct buf active = load("push/01", "active"),
		   passive = load("push/01", "passive");
	struct buf harmed = { 0 };
	struct server_end calls;
	struct client_end good;

	replay_active(&calls, buf_view(&active));
	client_end_init(&good, &calls);
	client_end_feed(&good, buf_view(&passive));
	for (size_t at = 0; at < passive.len; at++) {
		for (int how = 0; how < DAMAGES; how++) {
			struct client_end k;

			client_end_init(&k, &calls);
			harm(&harmed, buf_view(&passive), at, (enum damage)how);
			client_end_feed(&k, buf_view(&harmed));
			for (size_t n = 0; n < k.n; n++) {
				CHECK_INT(k.r[n].times, 1);
				CHECK(k.r[n].err.kind != ERR_NONE ||
				      is_hit(buf_view(&k.r[n].body),
					     buf_view(&good.r[n].body)));
			}
			client_end_fini(&k);
		}
	}
	client_end_fini(&good);
	server_end_fini(&calls);
	buf_free(&harmed);
	buf_free(&active);
	buf_free(&passive);
}

/*
 * A request ends with its one DATA frame, so that bytes within it can move unnoticed; but
 * it is as long as it was, and there is not one more.
 */
TEST(damage_never_makes_a_request_that_was_not_sent)
{
	struct buf active = load("push/01", "active"), harmed = { 0 };
	struct server_end good;

	replay_active(&good, buf_view(&active));
	for (size_t at = 0; at < active.len; at++) {
		for (int how = 0; how < DAMAGES; how++) {
			cleanup(err_clear) struct err e = ERR_INIT;
			struct server_end s;

			server_end_init(&s, 0);
			s.echoes = true;
			harm(&harmed, buf_view(&active), at, (enum damage)how);
			if (h2_server_feed(s.s, harmed.p, harmed.len, 0, &e) < 0)
				CHECK(err_is(&e, ERR_PROTOCOL) ||
				      err_is(&e, ERR_NETWORK));
			CHECK(s.n <= good.n);
			for (size_t n = 0; n < s.n; n++) {
				bool known = false;

				for (size_t g = 0; g < good.n && !known; g++)
					known = s.v[n].body.len == good.v[g].body.len;
				CHECK(known);
			}
			server_end_fini(&s);
		}
	}
	server_end_fini(&good);
	buf_free(&harmed);
	buf_free(&active);
}

/* Both sides at once, over a line that harms one byte of what the client says. */
TEST(two_ends_over_a_damaged_line_neither_hang_nor_lie)
{
	for (size_t at = 0; at < 330; at++) {
		for (int how = 0; how < DAMAGES; how++) {
			cleanup(err_clear) struct err e = ERR_INIT;
			struct h2_client *c = h2_client_new(0);
			struct buf said = { 0 }, harmed = { 0 };
			struct end_reply r[2] = { 0 };
			struct server_end s;
			struct view v;

			server_end_init(&s, 0);
			s.echoes = true;
			end_call(c, "/a", VIEW("first"), &r[0]);
			end_call(c, "/b", VIEW("second"), &r[1]);
			v = h2_client_output(c);
			buf_put(&said, v.p, v.len);
			h2_client_sent(c, v.len);
			harm(&harmed, buf_view(&said), at % said.len, (enum damage)how);
			if (h2_server_feed(s.s, harmed.p, harmed.len, 0, &e) == 0)
				err_set(&e, ERR_NETWORK, "cut");
			while (to_client(s.s, c, SIZE_MAX, 0, &e) > 0)
				continue;
			h2_client_fail(c, &e);
			for (size_t i = 0; i < 2; i++) {
				CHECK_INT(r[i].times, 1);
				CHECK(r[i].err.kind != ERR_NONE ||
				      r[i].body.len == strlen(i ? "second" : "first"));
				end_reply_fini(&r[i]);
			}
			h2_client_free(c);
			server_end_fini(&s);
			buf_free(&said);
			buf_free(&harmed);
		}
	}
}

TEST_MAIN()
