#include "codec/tzif.h"

#include "base/parse.h"
#include "codec/quote.h"
#include "codec/tzrule.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONEINFO_DIR "/usr/share/zoneinfo"

/*
 * RFC 8536.  A file is one block (version 1), or that block and another one with
 * 64-bit times, followed by a newline, a POSIX TZ string and a newline.
 *
 *	 0  "TZif"            4  version: NUL, '2', '3', '4'      5  unused (15)
 *	20  isutcnt          24  isstdcnt         28  leapcnt
 *	32  timecnt          36  typecnt          40  charcnt
 *	44  transition times (timecnt x 4 or 8)
 *	    transition types (timecnt x 1)
 *	    types            (typecnt x 6: i32 offset, u8 is DST, u8 index of name)
 *	    names            (charcnt, each NUL-terminated)
 *	    leap seconds     (leapcnt x 8 or 12)
 *	    standard/wall    (isstdcnt)
 *	    UT/local         (isutcnt)
 */
enum {
	HEADER_SIZE = 44,
	TYPE_SIZE = 6,
	MAX_FILE = 256 * 1024,
	MAX_TYPES = 256,
	MAX_CHARS = 4096,
	MAX_OFFSET_S = 26 * 3600,
};

struct counts {
	size_t isut, isstd, leap, time, type, chars;
};

struct tzif {
	size_t n_times, n_types;
	int64_t *times;    /* ascending */
	uint8_t *at_time;  /* index into offsets, from that time on */
	int32_t *offsets;  /* of the types */
	uint8_t *name_idx; /* of the types, into names */
	char *names;
	bool has_rule; /* for after the last time */
	struct tzrule rule;
};

static int damaged(struct err *err)
{
	return err_set(err, ERR_INVALID, "not a valid time zone file");
}

static uint32_t be32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t be_time(const char *p, size_t size)
{
	if (size == 4)
		return (int32_t)be32(p);
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool read_header(struct view v, struct counts *c, char *version)
{
	if (v.len < HEADER_SIZE || memcmp(v.p, "TZif", 4) != 0)
		return false;
	*version = v.p[4];
	*c = (struct counts){
		.isut = be32(v.p + 20),
		.isstd = be32(v.p + 24),
		.leap = be32(v.p + 28),
		.time = be32(v.p + 32),
		.type = be32(v.p + 36),
		.chars = be32(v.p + 40),
	};
	return c->time <= MAX_FILE && c->leap <= MAX_FILE && c->type >= 1 &&
	       c->type <= MAX_TYPES && c->chars >= 1 && c->chars <= MAX_CHARS &&
	       c->isstd <= c->type && c->isut <= c->type;
}

static size_t block_size(const struct counts *c, size_t time_size)
{
	return HEADER_SIZE + c->time * (time_size + 1) + c->type * TYPE_SIZE + c->chars +
	       c->leap * (time_size + 4) + c->isstd + c->isut;
}

/* The block's arrays; p is behind its header, and all of it is there. */
static bool read_block(struct tzif *z, const struct counts *c, const char *p,
		       size_t time_size)
{
	const char *types = p + c->time * (time_size + 1);

	z->n_times = c->time;
	z->n_types = c->type;
	z->times = xcalloc(c->time, sizeof(*z->times));
	z->at_time = xcalloc(c->time, 1);
	z->offsets = xcalloc(c->type, sizeof(*z->offsets));
	z->name_idx = xcalloc(c->type, 1);
	z->names = view_dup((struct view){ types + c->type * TYPE_SIZE, c->chars });
	for (size_t i = 0; i < c->time; i++) {
		z->times[i] = be_time(p + i * time_size, time_size);
		z->at_time[i] = (uint8_t)p[c->time * time_size + i];
		if (z->at_time[i] >= c->type || (i > 0 && z->times[i] <= z->times[i - 1]))
			return false;
	}
	for (size_t i = 0; i < c->type; i++) {
		const char *type = types + i * TYPE_SIZE;

		z->offsets[i] = (int32_t)be32(type);
		z->name_idx[i] = (uint8_t)type[5];
		if (z->name_idx[i] >= c->chars || z->offsets[i] > MAX_OFFSET_S ||
		    z->offsets[i] < -MAX_OFFSET_S)
			return false;
	}
	return true;
}

/* What follows the second block: "\nTZ\n", where TZ may be empty. */
static int read_footer(struct tzif *z, struct view v, struct err *err)
{
	struct view text;

	if (v.len < 2 || v.p[0] != '\n')
		return damaged(err);
	v.p++;
	v.len--;
	text = parse_field(&v, '\n');
	if (!v.p)
		return damaged(err);
	if (text.len == 0)
		return 0;
	z->has_rule = true;
	return tzrule_parse(text, &z->rule, err);
}

struct tzif *tzif_parse(struct view file, struct err *err)
{
	cleanup(tzif_freep) struct tzif *z = xcalloc(1, sizeof(*z));
	size_t time_size = 4, size;
	struct counts c;
	char version;

	if (file.len > MAX_FILE || !read_header(file, &c, &version)) {
		damaged(err);
		return NULL;
	}
	size = block_size(&c, 4);
	if (version != '\0' && size <= file.len) {
		file.p += size;
		file.len -= size;
		if (!read_header(file, &c, &version)) {
			damaged(err);
			return NULL;
		}
		time_size = 8;
		size = block_size(&c, 8);
	}
	if (size > file.len || !read_block(z, &c, file.p + HEADER_SIZE, time_size)) {
		damaged(err);
		return NULL;
	}
	file.p += size;
	file.len -= size;
	if (time_size == 8 && read_footer(z, file, err) < 0)
		return NULL;
	return TAKE(z);
}

struct tzif *tzif_from_rule(struct view rule, struct err *err)
{
	struct tzif *z = xcalloc(1, sizeof(*z));

	z->has_rule = true;
	if (tzrule_parse(rule, &z->rule, err) == 0)
		return z;
	tzif_free(z);
	return NULL;
}

static struct tzif *utc(void)
{
	struct tzif *z = xcalloc(1, sizeof(*z));

	z->has_rule = true;
	z->rule = (struct tzrule){ .std = "UTC" };
	return z;
}

static struct tzif *load_file(const char *path, struct err *err)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup(buf_free) struct buf text = { .max = MAX_FILE + 1 };
	struct tzif *z;
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		err_sys(err, errno, "%s", path);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE) {
		err_set(err, ERR_INVALID, "%s: not a time zone file", path);
		return NULL;
	}
	while (buf_room(&text) > 0) {
		n = read(fd, buf_reserve(&text, buf_room(&text)), buf_room(&text));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(err, errno, "%s", path);
			return NULL;
		}
		if (n == 0)
			break;
		buf_added(&text, (size_t)n);
	}
	z = tzif_parse((struct view){ text.p, text.len }, err);
	if (!z)
		err_wrap(err, "%s", path);
	return z;
}

/* A name below the zoneinfo directory that cannot lead out of it. */
static bool is_zone_name(const char *name)
{
	return name[0] != '\0' && name[0] != '/' && strlen(name) <= 128 &&
	       !strstr(name, "..") &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789/_+-.")] == '\0';
}

static struct tzif *load_named(const char *name, struct err *err)
{
	cleanup(buf_free) struct buf path = { 0 };

	if (!is_zone_name(name)) {
		err_set(err, ERR_INVALID, "not the name of a zone");
		return NULL;
	}
	buf_printf(&path, ZONEINFO_DIR "/%s", name);
	return load_file(path.p, err);
}

/* As libc does it, with TZ=:NAME, TZ=NAME, TZ=/FILE, or a rule. */
static struct tzif *load_local(struct err *err)
{
	const char *tz = getenv("TZ");
	cleanup(err_clear) struct err ignored = ERR_INIT;
	struct tzif *z;

	if (!tz)
		return access("/etc/localtime", F_OK) == 0
			       ? load_file("/etc/localtime", err)
			       : utc();
	if (tz[0] == ':')
		tz++;
	if (tz[0] == '\0' || strcmp(tz, "UTC") == 0)
		return utc();
	if (tz[0] == '/')
		return load_file(tz, err);
	z = load_named(tz, err);
	if (z)
		return z;
	z = tzif_from_rule(view_of(tz), &ignored);
	if (z)
		err_clear(err);
	return z;
}

static int refuse_zone(const char *name, const char *why, struct err *err)
{
	cleanup(str_freep) char *shown = quote_str(name);

	return err_set(err, ERR_INVALID,
		       "unknown time zone %s: %s; write e.g. UTC or "
		       "Europe/Berlin",
		       shown, why);
}

struct tzif *tzif_load(const char *name, struct err *err)
{
	cleanup(err_clear) struct err why = ERR_INIT;
	struct tzif *z;

	if (name[0] == '\0' || strcmp(name, "UTC") == 0)
		return utc();
	z = strcmp(name, "Local") == 0 ? load_local(&why) : load_named(name, &why);
	if (!z)
		refuse_zone(name, err_msg(&why), err);
	return z;
}

void tzif_free(struct tzif *z)
{
	if (!z)
		return;
	free(z->times);
	free(z->at_time);
	free(z->offsets);
	free(z->name_idx);
	free(z->names);
	free(z);
}

static struct tzif_time of_type(const struct tzif *z, size_t type)
{
	return (struct tzif_time){ z->offsets[type], z->names + z->name_idx[type] };
}

/* How many of the times are at or before unix_s. */
static size_t times_until(const struct tzif *z, int64_t unix_s)
{
	size_t low = 0, high = z->n_times;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->times[mid] <= unix_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct tzif_time tzif_at(const struct tzif *z, int64_t unix_s)
{
	size_t n = times_until(z, unix_s);
	const struct tzrule *r = &z->rule;

	if (z->has_rule && n == z->n_times) {
		if (tzrule_is_dst(r, unix_s))
			return (struct tzif_time){ r->dst_s, r->dst };
		return (struct tzif_time){ r->std_s, r->std };
	}
	return of_type(z, n == 0 ? 0 : z->at_time[n - 1]);
}

int64_t tzif_next_change(const struct tzif *z, int64_t unix_s)
{
	size_t n = times_until(z, unix_s);

	if (n < z->n_times)
		return z->times[n];
	return z->has_rule ? tzrule_next_change(&z->rule, unix_s) : INT64_MAX;
}
