#include "rpc/pdu_impl.h"

#include "base/vec.h"
#include "codec/utf8.h"

/* ---- filesystems ---- */

void pdu_put_filesystems(struct buf *out, const struct ep_filesystems *l)
{
	cleanup(arena_free) struct arena a = { 0 };
	Filesystem *fs = arena_alloc(&a, l->n, sizeof(*fs));
	ListFilesystemRes m = LIST_FILESYSTEM_RES__INIT;

	m.n_filesystems = l->n;
	m.filesystems = arena_alloc(&a, l->n, sizeof(*m.filesystems));
	for (size_t i = 0; i < l->n; i++) {
		const struct ep_filesystem *f = &l->v[i];

		fs[i] = (Filesystem)FILESYSTEM__INIT;
		fs[i].path = pdu_put_text(&a, f->path, PDU_ONE_MAX);
		fs[i].resumetoken = pdu_put_text(&a, f->resume_token, PDU_TOKEN_MAX);
		fs[i].isplaceholder = f->is_placeholder;
		m.filesystems[i] = &fs[i];
	}
	pdu_pack(out, &m.base);
}

static int add_filesystem(struct arena *a, const Filesystem *m,
			  struct ep_filesystems *out, struct err *err)
{
	const char *path, *token;

	if (pdu_path(a, PDU_PATH_LENIENT, m->path, &path, err) < 0 ||
	    pdu_token(a, m->resumetoken, &token, err) < 0)
		return -1;
	VEC_PUSH(out, ((struct ep_filesystem){ .path = xstrdup(path),
					       .resume_token = xstrdup_or_null(token),
					       .is_placeholder = m->isplaceholder }));
	return 0;
}

static int by_path(const void *p, const void *q)
{
	const struct ep_filesystem *a = p, *b = q;

	return strcmp(a->path, b->path);
}

int pdu_get_filesystems(struct view in, struct ep_filesystems *out, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const ListFilesystemRes *m =
		pdu_unpack(&a, &list_filesystem_res__descriptor, in, PDU_LIST_MAX, err);
	size_t before = out->n;

	if (!m)
		return -1;
	for (size_t i = 0; i < m->n_filesystems; i++)
		if (add_filesystem(&a, m->filesystems[i], out, err) < 0)
			return err_wrap(err, "Filesystems");
	/* Peers promise no order; this one has parents before children. */
	if (out->n > before)
		qsort(out->v + before, out->n - before, sizeof(*out->v), by_path);
	for (size_t i = before + 1; i < out->n; i++)
		if (by_path(&out->v[i - 1], &out->v[i]) == 0)
			return err_set(err, ERR_PROTOCOL,
				       "Filesystems: %s is there twice", out->v[i].path);
	return 0;
}

/* ---- versions ---- */

void pdu_put_versions(struct buf *out, const struct versions *l)
{
	cleanup(arena_free) struct arena a = { 0 };
	FilesystemVersion *v = arena_alloc(&a, l->n, sizeof(*v));
	ListFilesystemVersionsRes m = LIST_FILESYSTEM_VERSIONS_RES__INIT;

	m.n_versions = l->n;
	m.versions = arena_alloc(&a, l->n, sizeof(*m.versions));
	for (size_t i = 0; i < l->n; i++) {
		v[i] = pdu_put_version(&a, &l->v[i]);
		m.versions[i] = &v[i];
	}
	pdu_pack(out, &m.base);
}

int pdu_get_versions(struct view in, struct versions *out, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const ListFilesystemVersionsRes *m = pdu_unpack(
		&a, &list_filesystem_versions_res__descriptor, in, PDU_LIST_MAX, err);
	size_t before = out->n;

	if (!m)
		return -1;
	for (size_t i = 0; i < m->n_versions; i++) {
		struct version v;

		if (pdu_version(&a, "Versions", m->versions[i], &v, err) < 0)
			return -1;
		versions_add(out, version_dup(&v));
	}
	return out->n == before ? 0
				: pdu_check_unique("Versions", out->v + before,
						   out->n - before, err);
}

/* ---- send ---- */

void pdu_put_send_res(struct buf *out, const struct pdu_send_res *r)
{
	SendRes m = SEND_RES__INIT;

	m.usedresumetoken = r->used_token;
	m.expectedsize = r->expected_size;
	pdu_pack(out, &m.base);
}

int pdu_get_send_res(struct view in, struct pdu_send_res *out, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const SendRes *m = pdu_unpack(&a, &send_res__descriptor, in, PDU_ONE_MAX, err);

	if (!m)
		return -1;
	*out = (struct pdu_send_res){ m->usedresumetoken, m->expectedsize };
	return 0;
}

/* ---- destroy ---- */

/*
 * Of each error, so that all of them fit into a message: one that is too large does not
 * arrive at all, and with it what was destroyed.
 */
static size_t error_max(const struct pdu_destroy_req *req,
			const struct ep_destroy_results *r)
{
	size_t n = 0, most;

	for (size_t i = 0; i < req->n; i++)
		n += i >= r->n || r->v[i].kind != ERR_NONE;
	most = n > 0 ? PDU_ERRORS_MAX / n : PDU_ERROR_MAX;
	return most > PDU_ERROR_MAX   ? PDU_ERROR_MAX
	       : most < PDU_ERROR_MIN ? PDU_ERROR_MIN
				      : most;
}

/* A result without its snapshot aborts a peer of version 0.7. */
void pdu_put_destroy_res(struct buf *out, const struct pdu_destroy_req *req,
			 const struct ep_destroy_results *r)
{
	cleanup(arena_free) struct arena a = { 0 };
	DestroySnapshotRes *res = arena_alloc(&a, req->n, sizeof(*res));
	FilesystemVersion *snaps = arena_alloc(&a, req->n, sizeof(*snaps));
	DestroySnapshotsRes m = DESTROY_SNAPSHOTS_RES__INIT;
	const size_t most = error_max(req, r);

	m.n_results = req->n;
	m.results = arena_alloc(&a, req->n, sizeof(*m.results));
	for (size_t i = 0; i < req->n; i++) {
		const struct err *e = i < r->n ? &r->v[i] : NULL;

		snaps[i] = pdu_put_version(&a, &req->snaps[i]);
		res[i] = (DestroySnapshotRes)DESTROY_SNAPSHOT_RES__INIT;
		res[i].snapshot = &snaps[i];
		if (!e || e->kind != ERR_NONE)
			res[i].error =
				pdu_put_text(&a, e ? err_msg(e) : "not destroyed", most);
		m.results[i] = &res[i];
	}
	pdu_pack(out, &m.base);
}

struct answer {
	const char *name;
	const char *error; /* "": destroyed */
};

static int by_name(const void *p, const void *q)
{
	const struct answer *a = p, *b = q;

	return strcmp(a->name, b->name);
}

/* Of the snapshot only the name matters: it is looked for among those that were asked. */
static int read_answers(struct arena *a, const DestroySnapshotsRes *m, struct answer *out,
			struct err *err)
{
	for (size_t i = 0; i < m->n_results; i++) {
		const DestroySnapshotRes *r = m->results[i];

		if (!r->snapshot)
			return err_set(err, ERR_PROTOCOL, "Snapshot: is missing");
		if (pdu_text(a, "Snapshot.Name", r->snapshot->name, PDU_ONE_MAX,
			     &out[i].name, err) < 0 ||
		    pdu_text(a, "Error", r->error, PDU_LIST_MAX, &out[i].error, err) < 0)
			return -1;
	}
	if (m->n_results > 0)
		qsort(out, m->n_results, sizeof(*out), by_name);
	for (size_t i = 1; i < m->n_results; i++)
		if (by_name(&out[i - 1], &out[i]) == 0)
			return err_set(err, ERR_PROTOCOL, "@%s is there twice",
				       out[i].name);
	return 0;
}

static struct err result_of(const struct answer *a, const char *name)
{
	struct err e = ERR_INIT;
	struct buf text = { 0 };

	if (!a)
		err_set(&e, ERR_PROTOCOL, "the peer does not say what became of @%s",
			name);
	else if (a->error[0] != '\0')
		utf8_put(&text, view_of(a->error), PDU_ERROR_MAX);
	if (text.len > 0)
		err_set(&e, ERR_REMOTE, "%s", buf_str(&text));
	buf_free(&text);
	return e;
}

int pdu_get_destroy_res(struct view in, const struct pdu_destroy_req *req,
			struct ep_destroy_results *out, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const DestroySnapshotsRes *m =
		pdu_unpack(&a, &destroy_snapshots_res__descriptor, in, PDU_LIST_MAX, err);
	struct answer *answers;

	if (!m)
		return -1;
	answers = arena_alloc(&a, m->n_results, sizeof(*answers));
	if (read_answers(&a, m, answers, err) < 0)
		return err_wrap(err, "Results");
	for (size_t i = 0; i < req->n; i++) {
		struct answer key = { .name = req->snaps[i].name };
		const struct answer *found =
			bsearch(&key, answers, m->n_results, sizeof(*answers), by_name);

		VEC_PUSH(out, result_of(found, key.name));
	}
	return 0;
}

/* ---- replication cursor ---- */

void pdu_put_cursor_res(struct buf *out, bool exists, uint64_t guid)
{
	ReplicationCursorRes m = REPLICATION_CURSOR_RES__INIT;

	if (exists) {
		m.result_case = REPLICATION_CURSOR_RES__RESULT_GUID;
		m.guid = guid;
	} else {
		m.result_case = REPLICATION_CURSOR_RES__RESULT_NOTEXIST;
		m.notexist = true;
	}
	pdu_pack(out, &m.base);
}

int pdu_get_cursor_res(struct view in, bool *exists, uint64_t *guid, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };
	const ReplicationCursorRes *m =
		pdu_unpack(&a, &replication_cursor_res__descriptor, in, PDU_ONE_MAX, err);

	if (!m)
		return -1;
	if (m->result_case == REPLICATION_CURSOR_RES__RESULT_GUID) {
		*exists = true;
		*guid = m->guid;
		return 0;
	}
	if (m->result_case == REPLICATION_CURSOR_RES__RESULT_NOTEXIST && m->notexist) {
		*exists = false;
		*guid = 0;
		return 0;
	}
	return err_set(err, ERR_PROTOCOL, "Result: neither Guid nor Notexist");
}
