#include "rpc/pdu_impl.h"

#include "codec/dsname.h"
#include "codec/rfc3339.h"
#include "codec/utf8.h"

#include <inttypes.h>

/*
 * What protobuf-c allocates for a message, in relation to its bytes: the shortest
 * filesystem that a pool could have ("tank/a", 10 bytes) takes 15 times its size.  What
 * takes more is made to: unknown fields and empty elements, two bytes each.
 */
enum { GROWTH = 16, GROWTH_FREE = 256 * 1024 };

/* ---- bounded memory ---- */

struct budget {
	struct arena *arena;
	size_t left;
};

static void *take(void *p, size_t size)
{
	struct budget *b = p;

	if (size > b->left)
		return NULL;
	b->left -= size;
	return arena_alloc(b->arena, size, 1);
}

/* The arena frees everything at once. */
static void give_back(void *p, void *block)
{
	(void)p;
	(void)block;
}

void *pdu_unpack(struct arena *a, const ProtobufCMessageDescriptor *type, struct view in,
		 size_t max, struct err *err)
{
	struct budget budget = { a, GROWTH_FREE + in.len * GROWTH };
	ProtobufCAllocator allocator = { take, give_back, &budget };
	ProtobufCMessage *m;

	if (in.len > max) {
		err_set(err, ERR_PROTOCOL, "%s is too large: %zu bytes, at most %zu",
			type->name, in.len, max);
		return NULL;
	}
	/* for no bytes at all p may be NULL */
	m = protobuf_c_message_unpack(type, &allocator, in.len,
				      in.len ? (const uint8_t *)in.p : (uint8_t[1]){ 0 });
	if (!m)
		err_set(err, ERR_PROTOCOL, "%s cannot be decoded", type->name);
	return m;
}

/* ---- decoding ---- */

static int bad(const char *field, const char *why, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "%s: %s", field, why);
}

int pdu_text(struct arena *a, const char *field, ProtobufCBinaryData in, size_t max,
	     const char **out, struct err *err)
{
	struct view text = { (const char *)in.data, in.len };

	if (text.len == 0) {
		*out = "";
		return 0;
	}
	if (text.len > max)
		return err_set(err, ERR_PROTOCOL, "%s: %zu bytes, more than %zu", field,
			       text.len, max);
	if (memchr(text.p, '\0', text.len))
		return bad(field, "contains a NUL byte", err);
	if (!utf8_is_valid(text))
		return bad(field, "is not UTF-8", err);
	*out = arena_dup(a, text);
	return 0;
}

int pdu_token(struct arena *a, ProtobufCBinaryData in, const char **out, struct err *err)
{
	if (pdu_text(a, "ResumeToken", in, PDU_TOKEN_MAX, out, err) < 0)
		return -1;
	for (const char *p = *out; *p; p++)
		if (*p <= ' ' || *p > '~')
			return bad("ResumeToken", "contains what no token has", err);
	if (**out == '\0')
		*out = NULL;
	return 0;
}

/* What no dataset is called, and what would lead elsewhere; NULL: nothing. */
static const char *path_fault(const char *path)
{
	size_t n;

	if (*path == '\0')
		return "is empty";
	for (const char *p = path; *p; p++)
		if (*p < ' ' || *p > '~')
			return "contains other than printable ASCII characters";
	for (const char *c = path;; c += n + 1) {
		n = strcspn(c, "/");
		if (n == 0)
			return "has an empty component";
		if (strspn(c, ".") == n && n <= 2)
			return "has a component '.' or '..'";
		if (c[n] == '\0')
			return NULL;
	}
}

int pdu_path(struct arena *a, enum pdu_path_rule rule, ProtobufCBinaryData in,
	     const char **out, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	const char *fault;
	int r = 0;

	if (pdu_text(a, "Filesystem", in, ZFS_MAX_NAME, out, err) < 0)
		return -1;
	fault = path_fault(*out);
	if (fault)
		return bad("Filesystem", fault, err);
	switch (rule) {
	case PDU_PATH_LENIENT:
		r = dsname_check_lenient(*out, &why);
		break;
	case PDU_PATH_STRICT:
		r = dsname_check_dataset(*out, &why);
		break;
	}
	return r < 0 ? bad("Filesystem", err_msg(&why), err) : 0;
}

static int version_type(FilesystemVersion__VersionType in, enum version_type *out,
			struct err *err)
{
	if (in != FILESYSTEM_VERSION__VERSION_TYPE__Snapshot &&
	    in != FILESYSTEM_VERSION__VERSION_TYPE__Bookmark)
		return err_set(err, ERR_PROTOCOL,
			       "Type: %d is neither snapshot nor bookmark", (int)in);
	*out = in == FILESYSTEM_VERSION__VERSION_TYPE__Snapshot ? VERSION_SNAPSHOT
								: VERSION_BOOKMARK;
	return 0;
}

static int version(struct arena *a, const FilesystemVersion *m, struct version *out,
		   struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	const char *name, *creation;
	struct timespec t;

	*out = (struct version){ .guid = m->guid, .createtxg = m->createtxg };
	if (version_type(m->type, &out->type, err) < 0 ||
	    pdu_text(a, "Name", m->name, ZFS_MAX_NAME, &name, err) < 0 ||
	    pdu_text(a, "Creation", m->creation, ZFS_MAX_NAME, &creation, err) < 0)
		return -1;
	if (dsname_check_component(name, &why) < 0)
		return bad("Name", err_msg(&why), err);
	if (rfc3339_parse(creation, &t, &why) < 0)
		return bad("Creation", err_msg(&why), err);
	out->name = arena_strdup(a, name);
	out->creation_s = t.tv_sec;
	return 0;
}

int pdu_version(struct arena *a, const char *field, const FilesystemVersion *m,
		struct version *out, struct err *err)
{
	if (!m)
		return bad(field, "is missing", err);
	return version(a, m, out, err) < 0 ? err_wrap(err, "%s", field) : 0;
}

static const struct {
	ReplicationGuaranteeKind wire;
	enum protection ours;
} kinds[] = {
	{ REPLICATION_GUARANTEE_KIND__GuaranteeResumability, PROTECTION_RESUMABILITY },
	{ REPLICATION_GUARANTEE_KIND__GuaranteeIncrementalReplication,
	  PROTECTION_INCREMENTAL },
	{ REPLICATION_GUARANTEE_KIND__GuaranteeNothing, PROTECTION_NOTHING },
};

static int protection_kind(const char *field, ReplicationGuaranteeKind in,
			   enum protection *out, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].wire == in) {
			*out = kinds[i].ours;
			return 0;
		}
	return err_set(err, ERR_PROTOCOL, "%s: %d is no kind of protection", field,
		       (int)in);
}

int pdu_protection(const ReplicationConfig *m, struct ep_protection *out, struct err *err)
{
	if (!m)
		return bad("ReplicationConfig", "is missing", err);
	if (!m->protection)
		return bad("ReplicationConfig.protection", "is missing", err);
	if (protection_kind("Initial", m->protection->initial, &out->initial, err) < 0 ||
	    protection_kind("Incremental", m->protection->incremental, &out->incremental,
			    err) < 0)
		return err_wrap(err, "ReplicationConfig.protection");
	return 0;
}

static int by_name(const void *p, const void *q)
{
	const struct version *a = *(const struct version *const *)p;
	const struct version *b = *(const struct version *const *)q;
	int r = strcmp(a->name, b->name);

	return r ? r : (a->type > b->type) - (a->type < b->type);
}

int pdu_check_unique(const char *field, const struct version *v, size_t n,
		     struct err *err)
{
	const struct version **sorted = xcalloc(n, sizeof(struct version *));
	int r = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &v[i];
	if (n > 0)
		qsort(sorted, n, sizeof(struct version *), by_name);
	for (size_t i = 1; i < n && r == 0; i++)
		if (by_name(&sorted[i - 1], &sorted[i]) == 0)
			r = err_set(err, ERR_PROTOCOL, "%s: %c%s is there twice", field,
				    version_sigil(sorted[i]), sorted[i]->name);
	free(sorted);
	return r;
}

/* ---- encoding ---- */

void pdu_pack(struct buf *out, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);

	protobuf_c_message_pack(m, (uint8_t *)buf_reserve(out, n));
	buf_added(out, n);
}

ProtobufCBinaryData pdu_put_text(struct arena *a, const char *s, size_t max)
{
	struct view text = view_of(s ? s : "");

	if (text.len > max || !utf8_is_valid(text)) {
		struct buf fit = { 0 };

		utf8_put(&fit, text, max);
		text = (struct view){ arena_dup(a, buf_view(&fit)), fit.len };
		buf_free(&fit);
	}
	return (ProtobufCBinaryData){ text.len, (uint8_t *)text.p };
}

/*
 * Peers of version 0.7 abort when a time does not parse.  Where rfc3339_format() has no
 * room (and for 1970 itself, which it takes for "no time") it says year 1.
 */
static const char *creation_text(struct arena *a, int64_t s)
{
	cleanup(buf_free) struct buf text = { 0 };

	rfc3339_format(&text, (struct timespec){ .tv_sec = s });
	if (view_eq(buf_view(&text), VIEW("0001-01-01T00:00:00Z")))
		return "1970-01-01T00:00:00Z";
	return arena_dup(a, buf_view(&text));
}

FilesystemVersion pdu_put_version(struct arena *a, const struct version *v)
{
	FilesystemVersion m = FILESYSTEM_VERSION__INIT;
	const char *creation = creation_text(a, v->creation_s);

	m.type = v->type == VERSION_SNAPSHOT ? FILESYSTEM_VERSION__VERSION_TYPE__Snapshot
					     : FILESYSTEM_VERSION__VERSION_TYPE__Bookmark;
	m.name = pdu_put_text(a, v->name, ZFS_MAX_NAME);
	m.guid = v->guid;
	m.createtxg = v->createtxg;
	m.creation = pdu_put_text(a, creation, ZFS_MAX_NAME);
	return m;
}

static ReplicationGuaranteeKind kind_of(enum protection p)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].ours == p)
			return kinds[i].wire;
	return REPLICATION_GUARANTEE_KIND__GuaranteeInvalid;
}

/* Never without: peers of version 0.7 abort. */
ReplicationConfig *pdu_put_protection(struct pdu_config *m, const struct ep_protection *p)
{
	*m = (struct pdu_config){ REPLICATION_CONFIG__INIT,
				  REPLICATION_CONFIG_PROTECTION__INIT };
	m->protection.initial = kind_of(p->initial);
	m->protection.incremental = kind_of(p->incremental);
	m->config.protection = &m->protection;
	return &m->config;
}
