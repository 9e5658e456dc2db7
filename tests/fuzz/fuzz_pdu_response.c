/*
 * Responses of a peer.  The first byte says which; what passes is encoded again, and must
 * then pass again and be the same bytes.
 */
#include "rpc/pdu.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int again_fn(struct view in, struct buf *out, struct err *err);

static int filesystems(struct view in, struct buf *out, struct err *err)
{
	cleanup(ep_filesystems_free) struct ep_filesystems l = { 0 };

	if (pdu_get_filesystems(in, &l, err) < 0)
		return -1;
	for (size_t i = 1; i < l.n; i++)
		assert(strcmp(l.v[i - 1].path, l.v[i].path) < 0);
	pdu_put_filesystems(out, &l);
	return 0;
}

static int versions(struct view in, struct buf *out, struct err *err)
{
	cleanup(versions_free) struct versions l = { 0 };

	if (pdu_get_versions(in, &l, err) < 0)
		return -1;
	pdu_put_versions(out, &l);
	return 0;
}

static int send_one(struct view in, struct buf *out, struct err *err)
{
	struct pdu_send_res r;

	if (pdu_get_send_res(in, &r, err) < 0)
		return -1;
	pdu_put_send_res(out, &r);
	return 0;
}

static int destroy(struct view in, struct buf *out, struct err *err)
{
	static char a[] = "a", b[] = "b";
	static const struct version asked[] = { { .name = a }, { .name = b } };
	static const struct pdu_destroy_req req = { "tank", asked, 2 };
	cleanup(ep_destroy_results_free) struct ep_destroy_results l = { 0 };

	if (pdu_get_destroy_res(in, &req, &l, err) < 0)
		return -1;
	assert(l.n == 2);
	pdu_put_destroy_res(out, &req, &l);
	return 0;
}

static int cursor(struct view in, struct buf *out, struct err *err)
{
	bool exists;
	uint64_t guid;

	if (pdu_get_cursor_res(in, &exists, &guid, err) < 0)
		return -1;
	pdu_put_cursor_res(out, exists, guid);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static again_fn *const kinds[] = { filesystems, versions, send_one, destroy,
					   cursor };
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf once = { 0 }, twice = { 0 };
	struct view in = { (const char *)data + 1, size - 1 };
	again_fn *again;

	if (size == 0)
		return 0;
	again = kinds[data[0] % ARRAY_LEN(kinds)];
	if (again(in, &once, &err) < 0) {
		assert(err.kind == ERR_PROTOCOL);
		return 0;
	}
	assert(again(buf_view(&once), &twice, &err) == 0);
	assert(view_eq(buf_view(&once), buf_view(&twice)));
	return 0;
}
