/*
 * Requests of a peer.  The first byte says which; what passes is encoded again, and must
 * then pass again and be the same bytes.
 */
#include "rpc/pdu.h"

#include "codec/dsname.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int again_fn(struct arena *a, struct view in, struct buf *out, struct err *err);

static void check_path(const char *path)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	assert(dsname_check_lenient(path, &e) == 0);
	assert(strlen(path) > 0 && strlen(path) <= ZFS_MAX_NAME);
	assert(path[0] != '/' && !strstr(path, "//") && !strstr(path, "/../"));
	assert(strncmp(path, "../", 3) != 0);
}

static void check_version(const struct version *v)
{
	cleanup(err_clear) struct err e = ERR_INIT;

	assert(dsname_check_component(v->name, &e) == 0);
}

static int path(struct arena *a, struct view in, struct buf *out, struct err *err)
{
	const char *fs;

	if (pdu_get_path_req(a, in, &fs, err) < 0)
		return -1;
	check_path(fs);
	pdu_put_path_req(out, fs);
	return 0;
}

static void check_send(const struct ep_send_req *r)
{
	check_path(r->fs);
	check_version(r->to);
	if (r->from)
		check_version(r->from);
	assert(r->protection.initial != PROTECTION_INVALID);
	assert(r->protection.incremental != PROTECTION_INVALID);
}

static int send_one(struct arena *a, struct view in, struct buf *out, struct err *err)
{
	struct ep_send_req r;

	if (pdu_get_send_req(a, in, &r, err) < 0)
		return -1;
	check_send(&r);
	pdu_put_send_req(out, &r);
	return 0;
}

static int send_completed(struct arena *a, struct view in, struct buf *out,
			  struct err *err)
{
	struct ep_send_req r;

	if (pdu_get_send_completed_req(a, in, &r, err) < 0)
		return -1;
	check_send(&r);
	pdu_put_send_completed_req(out, &r);
	return 0;
}

static int receive(struct arena *a, struct view in, struct buf *out, struct err *err)
{
	struct ep_recv_req r;

	if (pdu_get_receive_req(a, in, &r, err) < 0)
		return -1;
	assert(dsname_check_dataset(r.fs, err) == 0);
	check_version(r.to);
	assert(r.to->type == VERSION_SNAPSHOT);
	pdu_put_receive_req(out, &r);
	return 0;
}

static int destroy(struct arena *a, struct view in, struct buf *out, struct err *err)
{
	struct pdu_destroy_req r;

	if (pdu_get_destroy_req(a, in, &r, err) < 0)
		return -1;
	check_path(r.fs);
	for (size_t i = 0; i < r.n; i++)
		check_version(&r.snaps[i]);
	pdu_put_destroy_req(out, &r);
	return 0;
}

static int ping(struct arena *a, struct view in, struct buf *out, struct err *err)
{
	const char *text;

	if (pdu_get_ping(a, in, &text, err) < 0)
		return -1;
	pdu_put_ping(out, text);
	return 0;
}

static int empty(struct arena *a, struct view in, struct buf *out, struct err *err)
{
	(void)a;
	(void)out;
	return pdu_get_empty(in, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static again_fn *const kinds[] = { path,    send_one, send_completed, receive,
					   destroy, ping,     empty };
	cleanup(arena_free) struct arena a = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf once = { 0 }, twice = { 0 };
	struct view in = { (const char *)data + 1, size - 1 };
	again_fn *again;

	if (size == 0)
		return 0;
	again = kinds[data[0] % ARRAY_LEN(kinds)];
	if (again(&a, in, &once, &err) < 0) {
		assert(err.kind == ERR_PROTOCOL);
		return 0;
	}
	assert(again(&a, buf_view(&once), &twice, &err) == 0);
	assert(view_eq(buf_view(&once), buf_view(&twice)));
	return 0;
}
