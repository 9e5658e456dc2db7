/*
 * pdu.h - requests and responses: the endpoint's structs to and from protobuf
 * (pdu.proto).
 *
 * Whatever is decoded is checked before anybody sees it: text is UTF-8, dataset paths,
 * snapshot and bookmark names are names that ZFS accepts, with no way out of where they
 * are put, kinds are known, times are times, what must be there is there, and no name is
 * longer than a name can be.  ERR_PROTOCOL says which field is wrong.  What was decoded
 * is owned by the arena that is handed in, and its size is bounded by the bytes.
 *
 * Whatever is encoded is made fit for peers that do not protect themselves: text of
 * zfs(8) becomes UTF-8 (bad bytes become U+FFFD), times are RFC 3339 in UTC with seconds.
 *
 * Encoders append to a buf.  Pure; nothing here waits.
 */
#ifndef RPC_PDU_H
#define RPC_PDU_H

#include "base/arena.h"
#include "endpoint/endpoint.h"

/* ---- requests: encoding is the client's business, decoding the server's ---- */

void pdu_put_path_req(struct buf *out, const char *fs); /* ListFilesystemVersionsReq,
							   ReplicationCursorReq */
int pdu_get_path_req(struct arena *a, struct view in, const char **fs, struct err *err)
	must_check;

void pdu_put_send_req(struct buf *out, const struct ep_send_req *r);
int pdu_get_send_req(struct arena *a, struct view in, struct ep_send_req *out,
		     struct err *err) must_check;
void pdu_put_send_completed_req(struct buf *out, const struct ep_send_req *r);
int pdu_get_send_completed_req(struct arena *a, struct view in, struct ep_send_req *out,
			       struct err *err) must_check;

void pdu_put_receive_req(struct buf *out, const struct ep_recv_req *r);
/* ->moved is NULL */
int pdu_get_receive_req(struct arena *a, struct view in, struct ep_recv_req *out,
			struct err *err) must_check;

/* Snapshots are known by more than their names: a peer wants back what it sent. */
struct pdu_destroy_req {
	const char *fs;
	const struct version *snaps; /* all of them snapshots */
	size_t n;
};
void pdu_put_destroy_req(struct buf *out, const struct pdu_destroy_req *r);
int pdu_get_destroy_req(struct arena *a, struct view in, struct pdu_destroy_req *out,
			struct err *err) must_check;

void pdu_put_ping(struct buf *out, const char *text); /* PingReq, PingRes */
int pdu_get_ping(struct arena *a, struct view in, const char **text, struct err *err)
	must_check;

/* ListFilesystemReq, SendCompletedRes and ReceiveRes are empty. */
int pdu_get_empty(struct view in, struct err *err) must_check;

/* ---- responses: the other way round; lists are appended to, and the caller's ---- */

void pdu_put_filesystems(struct buf *out, const struct ep_filesystems *l);
int pdu_get_filesystems(struct view in, struct ep_filesystems *out, struct err *err)
	must_check;

void pdu_put_versions(struct buf *out, const struct versions *l);
int pdu_get_versions(struct view in, struct versions *out, struct err *err) must_check;

struct pdu_send_res {
	bool used_token;
	uint64_t expected_size;
};
void pdu_put_send_res(struct buf *out, const struct pdu_send_res *r);
int pdu_get_send_res(struct view in, struct pdu_send_res *out, struct err *err)
	must_check;

/* One result for each of req->snaps, in order; each echoes what was asked. */
void pdu_put_destroy_res(struct buf *out, const struct pdu_destroy_req *req,
			 const struct ep_destroy_results *r);
/*
 * Matched by name to req->snaps, whatever the order; appended to out in the order of
 * req.  One that the peer left out is an ERR_PROTOCOL of its own; errors of the peer are
 * ERR_REMOTE.
 */
int pdu_get_destroy_res(struct view in, const struct pdu_destroy_req *req,
			struct ep_destroy_results *out, struct err *err) must_check;

void pdu_put_cursor_res(struct buf *out, bool exists, uint64_t guid);
int pdu_get_cursor_res(struct view in, bool *exists, uint64_t *guid, struct err *err)
	must_check;

#endif
