#include "rpc/pdu_impl.h"

/* ---- one path; both messages are alike ---- */

void pdu_put_path_req(struct buf *out, const char *fs)
{
	cleanup(arena_free) struct arena a = { 0 };
	ListFilesystemVersionsReq m = LIST_FILESYSTEM_VERSIONS_REQ__INIT;

	m.filesystem = pdu_put_text(&a, fs, PDU_ONE_MAX);
	pdu_pack(out, &m.base);
}

int pdu_get_path_req(struct arena *a, struct view in, const char **fs, struct err *err)
{
	const ListFilesystemVersionsReq *m = pdu_unpack(
		a, &list_filesystem_versions_req__descriptor, in, PDU_ONE_MAX, err);

	return m ? pdu_path(a, PDU_PATH_LENIENT, m->filesystem, fs, err) : -1;
}

/* ---- send ---- */

/* What an encoded request refers to. */
struct send_parts {
	SendReq req;
	FilesystemVersion from, to;
	struct pdu_config config;
	struct arena arena;
};

static void send_parts_fini(struct send_parts *p)
{
	arena_free(&p->arena);
}

static void fill_send(struct send_parts *p, const struct ep_send_req *r)
{
	*p = (struct send_parts){ .req = SEND_REQ__INIT };
	p->req.filesystem = pdu_put_text(&p->arena, r->fs, PDU_ONE_MAX);
	p->req.resumetoken = pdu_put_text(&p->arena, r->token, PDU_TOKEN_MAX);
	if (r->from) {
		p->from = pdu_put_version(&p->arena, r->from);
		p->req.from = &p->from;
	}
	p->to = pdu_put_version(&p->arena, r->to);
	p->req.to = &p->to;
	p->req.replicationconfig = pdu_put_protection(&p->config, &r->protection);
}

void pdu_put_send_req(struct buf *out, const struct ep_send_req *r)
{
	cleanup(send_parts_fini) struct send_parts p;

	fill_send(&p, r);
	pdu_pack(out, &p.req.base);
}

static int read_send(struct arena *a, const SendReq *m, struct ep_send_req *out,
		     struct err *err)
{
	struct version *to = arena_alloc(a, 1, sizeof(*to));
	struct version *from = arena_alloc(a, 1, sizeof(*from));

	*out = (struct ep_send_req){ .to = to, .from = m->from ? from : NULL };
	if (pdu_path(a, PDU_PATH_LENIENT, m->filesystem, &out->fs, err) < 0 ||
	    (m->from && pdu_version(a, "From", m->from, from, err) < 0) ||
	    pdu_version(a, "To", m->to, to, err) < 0 ||
	    pdu_token(a, m->resumetoken, &out->token, err) < 0)
		return -1;
	return pdu_protection(m->replicationconfig, &out->protection, err);
}

int pdu_get_send_req(struct arena *a, struct view in, struct ep_send_req *out,
		     struct err *err)
{
	const SendReq *m = pdu_unpack(a, &send_req__descriptor, in, PDU_ONE_MAX, err);

	return m ? read_send(a, m, out, err) : -1;
}

void pdu_put_send_completed_req(struct buf *out, const struct ep_send_req *r)
{
	cleanup(send_parts_fini) struct send_parts p;
	SendCompletedReq m = SEND_COMPLETED_REQ__INIT;

	fill_send(&p, r);
	m.originalreq = &p.req;
	pdu_pack(out, &m.base);
}

int pdu_get_send_completed_req(struct arena *a, struct view in, struct ep_send_req *out,
			       struct err *err)
{
	const SendCompletedReq *m =
		pdu_unpack(a, &send_completed_req__descriptor, in, PDU_ONE_MAX, err);

	if (!m)
		return -1;
	if (!m->originalreq)
		return err_set(err, ERR_PROTOCOL, "OriginalReq: is missing");
	return read_send(a, m->originalreq, out, err) < 0 ? err_wrap(err, "OriginalReq")
							  : 0;
}

/* ---- receive ---- */

void pdu_put_receive_req(struct buf *out, const struct ep_recv_req *r)
{
	cleanup(arena_free) struct arena a = { 0 };
	FilesystemVersion to = pdu_put_version(&a, r->to);
	struct pdu_config config;
	ReceiveReq m = RECEIVE_REQ__INIT;

	m.filesystem = pdu_put_text(&a, r->fs, PDU_ONE_MAX);
	m.to = &to;
	m.clearresumetoken = r->clear_token;
	m.replicationconfig = pdu_put_protection(&config, &r->protection);
	pdu_pack(out, &m.base);
}

int pdu_get_receive_req(struct arena *a, struct view in, struct ep_recv_req *out,
			struct err *err)
{
	const ReceiveReq *m =
		pdu_unpack(a, &receive_req__descriptor, in, PDU_ONE_MAX, err);
	struct version *to = arena_alloc(a, 1, sizeof(*to));

	if (!m)
		return -1;
	*out = (struct ep_recv_req){ .to = to, .clear_token = m->clearresumetoken };
	if (pdu_path(a, PDU_PATH_STRICT, m->filesystem, &out->fs, err) < 0 ||
	    pdu_version(a, "To", m->to, to, err) < 0)
		return -1;
	if (to->type != VERSION_SNAPSHOT)
		return err_set(err, ERR_PROTOCOL, "To: is not a snapshot");
	return pdu_protection(m->replicationconfig, &out->protection, err);
}

/* ---- destroy ---- */

void pdu_put_destroy_req(struct buf *out, const struct pdu_destroy_req *r)
{
	cleanup(arena_free) struct arena a = { 0 };
	FilesystemVersion *snaps = arena_alloc(&a, r->n, sizeof(*snaps));
	DestroySnapshotsReq m = DESTROY_SNAPSHOTS_REQ__INIT;

	m.filesystem = pdu_put_text(&a, r->fs, PDU_ONE_MAX);
	m.n_snapshots = r->n;
	m.snapshots = arena_alloc(&a, r->n, sizeof(*m.snapshots));
	for (size_t i = 0; i < r->n; i++) {
		snaps[i] = pdu_put_version(&a, &r->snaps[i]);
		m.snapshots[i] = &snaps[i];
	}
	pdu_pack(out, &m.base);
}

int pdu_get_destroy_req(struct arena *a, struct view in, struct pdu_destroy_req *out,
			struct err *err)
{
	const DestroySnapshotsReq *m =
		pdu_unpack(a, &destroy_snapshots_req__descriptor, in, PDU_LIST_MAX, err);
	struct version *snaps;

	if (!m || pdu_path(a, PDU_PATH_LENIENT, m->filesystem, &out->fs, err) < 0)
		return -1;
	snaps = arena_alloc(a, m->n_snapshots, sizeof(*snaps));
	for (size_t i = 0; i < m->n_snapshots; i++) {
		if (pdu_version(a, "Snapshots", m->snapshots[i], &snaps[i], err) < 0)
			return -1;
		if (snaps[i].type != VERSION_SNAPSHOT)
			return err_set(err, ERR_PROTOCOL,
				       "Snapshots: #%s is not a snapshot", snaps[i].name);
	}
	out->snaps = snaps;
	out->n = m->n_snapshots;
	return pdu_check_unique("Snapshots", snaps, out->n, err);
}

/* ---- ping; request and response are alike ---- */

void pdu_put_ping(struct buf *out, const char *text)
{
	cleanup(arena_free) struct arena a = { 0 };
	PingReq m = PING_REQ__INIT;

	m.message = pdu_put_text(&a, text, PDU_PING_MAX);
	pdu_pack(out, &m.base);
}

int pdu_get_ping(struct arena *a, struct view in, const char **text, struct err *err)
{
	const PingReq *m = pdu_unpack(a, &ping_req__descriptor, in, PDU_ONE_MAX, err);

	return m ? pdu_text(a, "Message", m->message, PDU_PING_MAX, text, err) : -1;
}

int pdu_get_empty(struct view in, struct err *err)
{
	cleanup(arena_free) struct arena a = { 0 };

	return pdu_unpack(&a, &list_filesystem_req__descriptor, in, PDU_ONE_MAX, err)
		       ? 0
		       : -1;
}
