#include "zfs/output.h"

#include "base/parse.h"
#include "base/vec.h"
#include "zfs/names.h"

#include <string.h>

static bool view_find(struct view v, const char *text, size_t *at)
{
	const char *p = v.len ? memmem(v.p, v.len, text, strlen(text)) : NULL;

	if (p)
		*at = (size_t)(p - v.p);
	return p != NULL;
}

static struct view view_from(struct view v, size_t at)
{
	return (struct view){ v.p + at, v.len - at };
}

static bool view_is(struct view v, const char *s)
{
	return view_eq(v, view_of(s));
}

/* The next line of text; false at its end. */
static bool next_line(struct view *text, struct view *line)
{
	if (!text->p || text->len == 0)
		return false;
	*line = parse_field(text, '\n');
	return true;
}

/* ---- messages ---- */

struct view out_without_usage(struct view said)
{
	size_t at;

	if (view_starts(said, "usage:\n"))
		said.len = 0;
	else if (view_find(said, "\nusage:\n", &at))
		said.len = at;
	return view_trim(said);
}

enum err_kind out_reason_kind(struct view reason)
{
	static const struct {
		const char *text;
		enum err_kind kind;
	} reasons[] = {
		{ "dataset does not exist", ERR_NOT_FOUND },
		{ "parent does not exist", ERR_NOT_FOUND },
		{ "no such pool", ERR_NOT_FOUND },
		{ "dataset already exists", ERR_EXISTS },
		{ "bookmark exists", ERR_EXISTS },
		{ "dataset is busy", ERR_BUSY },
		{ "pool or dataset is busy", ERR_BUSY },
		{ "it's being held", ERR_BUSY },
		{ "snapshot has dependent clones", ERR_BUSY },
		{ "permission denied", ERR_DENIED },
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (view_starts(reason, reasons[i].text))
			return reasons[i].kind;
	return ERR_CHILD;
}

/* "...'NAME': REASON".  Names have no quotes in them. */
static bool split_quoted(struct view line, struct view *before, struct view *name,
			 struct view *reason)
{
	size_t open, close;

	if (!view_find(line, "'", &open))
		return false;
	*before = (struct view){ line.p, open };
	line = view_from(line, open + 1);
	if (!view_find(line, "'", &close))
		return false;
	*name = (struct view){ line.p, close };
	line = view_from(line, close + 1);
	if (!view_starts(line, ": "))
		return false;
	*reason = view_from(line, 2);
	return true;
}

bool out_cannot(struct view line, const char *verb, struct view *name,
		struct view *reason)
{
	struct view before;

	if (!split_quoted(line, &before, name, reason) || !view_starts(before, "cannot "))
		return false;
	return view_is(view_trim(view_from(before, strlen("cannot "))), verb);
}

enum err_kind out_failure_kind(struct view said)
{
	static const char snapshots[] = "cannot create snapshots : ";
	struct view line, before, name, reason;

	if (!next_line(&said, &line))
		return ERR_CHILD;
	/* compat: OpenZFS, for users who may not open /dev/zfs */
	if (view_starts(line, "Permission denied the ZFS utilities must be run as root"))
		return ERR_DENIED;
	if (view_starts(line, snapshots))
		return out_reason_kind(view_from(line, strlen(snapshots)));
	if (view_starts(line, "cannot ") && split_quoted(line, &before, &name, &reason))
		return out_reason_kind(reason);
	return ERR_CHILD;
}

bool out_is_missing(struct view line, struct view *name)
{
	struct view reason;

	if (!out_cannot(line, "open", name, &reason))
		return false;
	reason = view_trim(reason);
	return view_is(reason, "dataset does not exist") ||
	       view_is(reason, "no such pool or dataset");
}

bool out_has_no_resume_state(struct view line, const char *fs)
{
	size_t n = strlen(fs);

	return line.len > n + 2 && line.p[0] == '\'' && line.p[n + 1] == '\'' &&
	       memcmp(line.p + 1, fs, n) == 0 &&
	       view_starts(view_from(line, n + 2),
			   " does not have any resumable receive state to abort");
}

bool out_is_gone(struct view said, const char *full)
{
	size_t fs_len = strcspn(full, "@#");
	struct view line, name;

	if (view_starts(said, "could not find any snapshots to destroy; check snapshot "
			      "names."))
		return true;
	if (!next_line(&said, &line))
		return false;
	if (view_starts(line, "bookmark '")) {
		struct view rest = view_from(line, strlen("bookmark '"));
		struct view quoted = parse_field(&rest, '\'');

		return view_is(quoted, full) && rest.p &&
		       view_starts(rest, " does not exist");
	}
	return out_is_missing(line, &name) &&
	       view_eq(name, (struct view){ full, fs_len });
}

/* The longest of the names (sorted) that `rest` begins with before ": "; n: none. */
static size_t match_name(struct view rest, const struct strs *names)
{
	for (size_t len = rest.len; len-- > 1;) {
		size_t i;

		if (!view_starts(view_from(rest, len), ": "))
			continue;
		i = zfs_names_find(names, (struct view){ rest.p, len });
		if (i < names->n)
			return i;
	}
	return names->n;
}

static int compare_index(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

bool out_undestroyable(struct view said, const char *fs, const struct strs *names,
		       struct out_indexes *out)
{
	static const char prefix[] = "cannot destroy snapshot ";
	size_t fs_len = strlen(fs), unique = 0;
	struct view line;

	while (next_line(&said, &line)) {
		size_t i;

		if (!view_starts(line, prefix))
			return false;
		line = view_from(line, strlen(prefix));
		if (!view_starts(line, fs) || line.len <= fs_len || line.p[fs_len] != '@')
			return false;
		i = match_name(view_from(line, fs_len + 1), names);
		if (i == names->n)
			return false;
		VEC_PUSH(out, i);
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), compare_index);
	for (size_t i = 0; i < out->n; i++)
		if (i == 0 || out->v[i] != out->v[unique - 1])
			out->v[unique++] = out->v[i];
	out->n = unique;
	return out->n > 0;
}

static bool is_state_saved(struct view said)
{
	static const char intro[] = "A resuming stream can be generated on the sending "
				    "system by running:";
	static const char command[] = "zfs send -t ";
	size_t at;

	if (!view_find(said, intro, &at))
		return false;
	said = view_trim(view_from(said, at + strlen(intro)));
	return view_starts(said, command) && said.len > strlen(command);
}

enum out_recv out_recv_failure(struct view said)
{
	said = view_trim(said);
	if (is_state_saved(said))
		return OUT_RECV_STATE_SAVED;
	if (view_starts(said, "cannot receive new filesystem stream: zfs receive -F "
			      "cannot be used to destroy an encrypted filesystem"))
		return OUT_RECV_ENCRYPTION_REFUSED;
	if (view_is(said, "cannot receive: failed to read from stream"))
		return OUT_RECV_STREAM_ENDED;
	return OUT_RECV_OTHER;
}

/* ---- listings ---- */

static int unexpected(struct view line, const char *what, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "unexpected output: not %s: \"%.*s\"", what,
		       (int)(line.len < 200 ? line.len : 200), line.p ? line.p : "");
}

/* Names become C strings. */
static bool has_nul(struct view v)
{
	return v.len && memchr(v.p, '\0', v.len);
}

int out_version(struct view line, struct view *fs, struct version *out, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct view rest = line, name = parse_field(&rest, '\t'), field[4];
	struct version v = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(field); i++)
		field[i] = parse_field(&rest, '\t');
	if (!field[3].p || rest.p || has_nul(line))
		return unexpected(line, "the five fields of a version", err);
	while (at < name.len && name.p[at] != '@' && name.p[at] != '#')
		at++;
	if (at == 0 || at + 1 >= name.len)
		return unexpected(line, "about a snapshot or bookmark", err);
	*fs = (struct view){ name.p, at };
	v.type = name.p[at] == '@' ? VERSION_SNAPSHOT : VERSION_BOOKMARK;
	name = view_from(name, at + 1);
	if (memchr(name.p, '@', name.len) || memchr(name.p, '#', name.len))
		return unexpected(line, "about a snapshot or bookmark", err);
	if (parse_u64(field[0], &v.guid, &why) < 0 ||
	    parse_u64(field[1], &v.createtxg, &why) < 0 ||
	    parse_i64(field[2], &v.creation_s, &why) < 0)
		return unexpected(line, "a version", err);
	if (v.type == VERSION_SNAPSHOT) {
		v.has_userrefs = true;
		if (parse_u64(field[3], &v.userrefs, &why) < 0)
			return unexpected(line, "a snapshot", err);
	} else if (!view_is(field[3], "-")) {
		return unexpected(line, "a bookmark", err);
	}
	*out = v;
	out->name = view_dup(name);
	return 0;
}

int out_written(struct view line, struct view *name, uint64_t *bytes, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct view rest = line;

	*name = parse_field(&rest, '\t');
	if (name->len == 0 || !rest.p || has_nul(line) ||
	    parse_u64(rest, bytes, &why) < 0)
		return unexpected(line, "a dataset and what is written", err);
	return 0;
}

int out_hold(struct view line, struct view *snapshot, struct view *tag, struct err *err)
{
	struct view rest = line, name = parse_field(&rest, '\t');
	const char *last = rest.len ? memrchr(rest.p, '\t', rest.len) : NULL;

	if (!last || !memchr(name.p, '@', name.len) || has_nul(line))
		return unexpected(line, "a hold", err);
	*snapshot = name;
	*tag = (struct view){ rest.p, (size_t)(last - rest.p) };
	return 0;
}

int out_estimate(struct view text, uint64_t *bytes, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct view line;

	while (next_line(&text, &line)) {
		struct view rest = line, kind = parse_field(&rest, '\t');
		struct view to, size;

		if (view_is(kind, "incremental"))
			parse_field(&rest, '\t');
		else if (!view_is(kind, "full"))
			continue;
		to = parse_field(&rest, '\t');
		size = parse_field(&rest, '\t');
		if (to.len == 0 || !memchr(to.p, '@', to.len) || rest.p)
			continue;
		*bytes = 0;
		if (size.len > 0 && parse_u64(size, bytes, &why) < 0)
			return unexpected(line, "an estimate", err);
		return 0;
	}
	return err_set(err, ERR_PROTOCOL, "unexpected output: no estimate in it");
}

/* NAME TAB PROPERTY TAB VALUE TAB SOURCE; value is VALUE TAB SOURCE. */
static bool split_property(struct view line, struct view *name, struct view *property,
			   struct view *value)
{
	*name = parse_field(&line, '\t');
	*property = parse_field(&line, '\t');
	*value = line;
	return name->len > 0 && property->len > 0 && line.p;
}

static bool is_source(struct view s)
{
	return view_is(s, "-") || view_is(s, "local") || view_is(s, "default") ||
	       view_is(s, "temporary") || view_is(s, "received") ||
	       view_starts(s, "inherited from ");
}

/* The source is what follows the last TAB. */
static bool split_source(struct view *value, struct view *source)
{
	const char *last = value->len ? memrchr(value->p, '\t', value->len) : NULL;

	if (!last)
		return false;
	*source = view_from(*value, (size_t)(last - value->p) + 1);
	value->len = (size_t)(last - value->p);
	return is_source(*source);
}

int out_property(struct view line, const char *name, const char *property,
		 struct view *value, struct err *err)
{
	struct view n, p, source;

	if (!split_property(line, &n, &p, value) || !split_source(value, &source) ||
	    !view_is(n, name) || !view_is(p, property))
		return unexpected(line, property, err);
	return 0;
}

enum {
	SEEN_GUID = 1,
	SEEN_ENCRYPTION = 2,
	SEEN_TOKEN = 4,
	SEEN_PLACEHOLDER = 8,
	PLACEHOLDER_MAX = 64 * 1024, /* zfs itself allows 8 KiB */
};

static unsigned property_bit(struct view property)
{
	if (view_is(property, "guid"))
		return SEEN_GUID;
	if (view_is(property, "encryption"))
		return SEEN_ENCRYPTION;
	if (view_is(property, "receive_resume_token"))
		return SEEN_TOKEN;
	if (view_is(property, "zrepl:placeholder"))
		return SEEN_PLACEHOLDER;
	return 0;
}

static int set_property(struct zfs_dataset *ds, unsigned bit, struct view value,
			struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct view source;

	if (!split_source(&value, &source))
		return unexpected(value, "a property's value and source", err);
	if (bit == SEEN_GUID && parse_u64(value, &ds->guid, &why) < 0)
		return unexpected(value, "a guid", err);
	if (bit == SEEN_ENCRYPTION)
		ds->is_encrypted = !view_is(value, "off") && !view_is(value, "-");
	if (bit == SEEN_TOKEN && !view_is(value, "-") && value.len > 0)
		ds->resume_token = view_dup(value);
	return 0;
}

static int keep_placeholder(struct out_datasets *d, struct view more, struct err *err)
{
	d->placeholder.max = PLACEHOLDER_MAX;
	if (buf_room(&d->placeholder) <= more.len)
		return err_set(err, ERR_PROTOCOL,
			       "the value of zrepl:placeholder is too long");
	if (d->placeholder.len > 0)
		buf_put(&d->placeholder, "\n", 1);
	buf_put(&d->placeholder, more.p, more.len);
	return 0;
}

int out_dataset_end(struct out_datasets *d, struct err *err)
{
	struct view value = buf_view(&d->placeholder), source;
	struct zfs_dataset *ds;

	if (d->list.n == 0)
		return 0;
	ds = &d->list.v[d->list.n - 1];
	if (!(d->seen & SEEN_GUID) || !(d->seen & SEEN_PLACEHOLDER))
		return err_set(err, ERR_PROTOCOL,
			       "unexpected output: properties of %s are missing",
			       ds->name);
	if (!split_source(&value, &source))
		return unexpected(value, "a property's value and source", err);
	if (view_is(source, "local"))
		ds->placeholder = view_dup(value);
	ds->is_placeholder = ds->placeholder && strcmp(ds->placeholder, "on") == 0;
	return 0;
}

static int begin_dataset(struct out_datasets *d, struct view name, bool is_volume,
			 struct err *err)
{
	if (out_dataset_end(d, err) < 0)
		return -1;
	buf_drop(&d->placeholder, d->placeholder.len);
	d->seen = 0;
	VEC_PUSH(&d->list, ((struct zfs_dataset){
				   .name = view_dup(name),
				   .type = is_volume ? ZFS_VOLUME : ZFS_FILESYSTEM,
			   }));
	return 0;
}

int out_dataset_line(struct out_datasets *d, struct view line, struct err *err)
{
	struct view name, property, value;
	bool is_property = split_property(line, &name, &property, &value);
	unsigned bit = is_property ? property_bit(property) : 0;
	struct zfs_dataset *ds;

	if (has_nul(line))
		return unexpected(line, "text", err);
	if (is_property && view_is(property, "type") &&
	    (view_is(value, "filesystem\t-") || view_is(value, "volume\t-")))
		return begin_dataset(d, name, view_is(value, "volume\t-"), err);
	if (d->list.n == 0)
		return unexpected(line, "a dataset's property", err);
	ds = &d->list.v[d->list.n - 1];
	if (bit == 0 || !view_is(name, ds->name)) {
		if (!(d->seen & SEEN_PLACEHOLDER))
			return unexpected(line, "a dataset's property", err);
		return keep_placeholder(d, line, err); /* a value of several lines */
	}
	if (d->seen & bit)
		return unexpected(line, "new", err);
	d->seen |= bit;
	return bit == SEEN_PLACEHOLDER ? keep_placeholder(d, value, err)
				       : set_property(ds, bit, value, err);
}

void out_datasets_free(struct out_datasets *d)
{
	zfs_datasets_free(&d->list);
	buf_free(&d->placeholder);
	*d = (struct out_datasets){ 0 };
}
