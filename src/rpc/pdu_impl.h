/*
 * pdu_impl.h - what requests and responses have in common; included by src/rpc/pdu*.c
 * only.
 *
 * Decoding: pdu_unpack() makes protobuf-c's structs, with a bound on memory; from there
 * on pdu_text() and its kin are the only way to a text.  Encoding: pdu_put_text() and its
 * kin are the only way from one.
 */
#ifndef RPC_PDU_IMPL_H
#define RPC_PDU_IMPL_H

#include "rpc/pdu.h"
#include "rpc/pdu.pb-c.h"

enum {
	PDU_ONE_MAX = 64 * 1024, /* a message without a list in it */
	PDU_LIST_MAX = 8 * 1024 * 1024,
	PDU_TOKEN_MAX = 32 * 1024,
	PDU_PING_MAX = 16 * 1024,
	PDU_ERROR_MAX = 4096,         /* of one snapshot's error */
	PDU_ERROR_MIN = 40,           /* where there are many: its beginning, at least */
	PDU_ERRORS_MAX = 1024 * 1024, /* of all of them */
};

/* A path of ours that is asked for, or one that shall be created. */
enum pdu_path_rule { PDU_PATH_LENIENT, PDU_PATH_STRICT };

/* ---- decoding ---- */

/* Lives in the arena, whatever it points to as well.  The caller knows its type. */
void *pdu_unpack(struct arena *a, const ProtobufCMessageDescriptor *type, struct view in,
		 size_t max, struct err *err) must_check;

/* Errors of these begin with the name of the field. */
int pdu_text(struct arena *a, const char *field, ProtobufCBinaryData in, size_t max,
	     const char **out, struct err *err) must_check;
/* "" becomes NULL. */
int pdu_token(struct arena *a, ProtobufCBinaryData in, const char **out, struct err *err)
	must_check;
int pdu_path(struct arena *a, enum pdu_path_rule rule, ProtobufCBinaryData in,
	     const char **out, struct err *err) must_check;
/* m NULL: it is missing.  out->name is the arena's. */
int pdu_version(struct arena *a, const char *field, const FilesystemVersion *m,
		struct version *out, struct err *err) must_check;
int pdu_protection(const ReplicationConfig *m, struct ep_protection *out, struct err *err)
	must_check;
/* No two of the same type and name. */
int pdu_check_unique(const char *field, const struct version *v, size_t n,
		     struct err *err) must_check;

/* ---- encoding ---- */

void pdu_pack(struct buf *out, const ProtobufCMessage *m);

/* s NULL: "".  What they make refers to s, or to the arena. */
ProtobufCBinaryData pdu_put_text(struct arena *a, const char *s, size_t max);
FilesystemVersion pdu_put_version(struct arena *a, const struct version *v);

struct pdu_config { /* refers to itself */
	ReplicationConfig config;
	ReplicationConfigProtection protection;
};
ReplicationConfig *pdu_put_protection(struct pdu_config *m,
				      const struct ep_protection *p);

#endif
