#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * A stream is a header of 512 bytes (struct stream_head), then records of 16 bytes of
 * header and up to 1 MiB of payload.  The payload of every record is the same pseudo
 * random MiB, so that the sender can give the same pages to the pipe again and again; the
 * record header numbers the records, so that loss and disorder are noticed under
 * SIMZFS_VERIFY.  Without it only the total length is checked.
 */
enum {
	COPY_SIZE = 128 << 10,
	RECORD_HEADS = 4096, /* more than any pipe and socket can hold at a time */
	NAME_ROOM = 440,
};

/* STREAM_FORCED: what has been received of it is to replace a filesystem. */
enum stream_flags { STREAM_RAW = 1, STREAM_RESUMED = 2, STREAM_FORCED = 4 };

struct stream_head {
	char magic[8];
	uint64_t total; /* length of the whole stream, this head included */
	uint64_t first; /* number of its first record, > 0 when resumed */
	uint64_t full;  /* length of the stream that is being resumed */
	uint64_t toguid, fromguid, creation;
	uint64_t type;  /* of the dataset */
	uint64_t flags; /* enum stream_flags */
	char toname[NAME_ROOM];
};

struct record_head {
	uint64_t number;
	uint32_t magic, len;
};

_Static_assert(sizeof(struct stream_head) == 512, "stream_head");
_Static_assert(sizeof(struct record_head) == 16, "record_head");

static const char stream_magic[8] = "SIMZFS01";
static const uint32_t record_magic = 0x53494d52;
static unsigned char payload[MIB] __attribute__((aligned(4096)));

static void payload_fill(void)
{
	for (size_t i = 0; i < sizeof(payload); i += 8) {
		uint64_t x = mix64(i);

		memcpy(payload + i, &x, sizeof(x));
	}
}

/*
 * Write iov completely.  vmsplice(2) lends our pages to the pipe; that is safe as long
 * as nobody changes them, so payload is constant and a record head is not reused early.
 */
static void emit(struct iovec *iov, int n)
{
	static int mode = -1; /* 1 vmsplice, 0 writev */

	if (mode < 0)
		mode = setting("SIMZFS_COPY") == NULL;
	while (n > 0) {
		ssize_t done = mode == 1 ? vmsplice(STDOUT_FILENO, iov, (size_t)n, 0)
					 : writev(STDOUT_FILENO, iov, n);

		if (done < 0 && mode == 1 && errno == EBADF) {
			mode = 0; /* not a pipe */
			continue;
		}
		if (done < 0)
			die("warning: cannot send: %s", strerrordesc_np(errno));
		for (; n > 0 && (size_t)done >= iov->iov_len; n--)
			done -= (ssize_t)iov++->iov_len;
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
}

static void send_stream(const struct stream_head *head)
{
	static struct stream_head h; /* static: its page is lent to the pipe */
	static struct record_head heads[RECORD_HEADS];
	uint64_t left = head->total - sizeof(h), number = head->first;
	const char *fail = setting("SIMZFS_FAIL_AT");
	uint64_t fail_at = fail != NULL ? parse_size(fail) : UINT64_MAX;

	payload_fill();
	h = *head;
	emit((struct iovec[]){ { &h, sizeof(h) } }, 1);
	while (left > 0) {
		struct record_head *r = &heads[number % RECORD_HEADS];
		size_t len = left < sizeof(*r) + MIB ? left - sizeof(*r) : MIB;

		if (head->total - left >= fail_at)
			die("cannot send: I/O error");
		*r = (struct record_head){ number++, record_magic, (uint32_t)len };
		emit((struct iovec[]){ { r, sizeof(*r) }, { payload, len } }, 2);
		left -= sizeof(*r) + len;
	}
}

/* The length of a stream of want bytes: at least a head and one nonempty record. */
static uint64_t stream_length(const struct dataset *d, bool incremental)
{
	const char *s = ds_prop(d, incremental ? "sim:incr" : "sim:full");
	uint64_t want,
		least = sizeof(struct stream_head) + sizeof(struct record_head) + 1;
	uint64_t tail;

	if (s == NULL)
		s = setting(incremental ? "SIMZFS_INCR" : "SIMZFS_FULL");
	want = s != NULL ? parse_size(s) : incremental ? 64 << 10 : MIB;
	if (want < least)
		want = least;
	/* The last record must not be shorter than its head. */
	tail = (want - sizeof(struct stream_head)) % (sizeof(struct record_head) + MIB);
	return tail != 0 && tail <= sizeof(struct record_head) ? want + 32 : want;
}

/* A resume token: numbers in hex and the name of the snapshot with every byte in hex. */
static char *token_make(const struct stream_head *h, uint64_t record)
{
	char name[2 * NAME_ROOM + 1] = "";

	for (size_t i = 0; h->toname[i] != '\0'; i++)
		snprintf(name + 2 * i, 3, "%02x", (unsigned char)h->toname[i]);
	return format("1-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%s",
		      h->toguid, h->fromguid, record, h->full,
		      h->flags & (STREAM_RAW | STREAM_FORCED), name);
}

static void token_parse(const char *token, struct stream_head *h)
{
	int at = 0;

	memset(h, 0, sizeof(*h));
	if (sscanf(token,
		   "1-%" SCNx64 "-%" SCNx64 "-%" SCNx64 "-%" SCNx64 "-%" SCNx64 "-%n",
		   &h->toguid, &h->fromguid, &h->first, &h->full, &h->flags, &at) != 5 ||
	    at == 0)
		die("cannot resume send: resume token is corrupt");
	for (size_t i = 0; token[at] != '\0' && i < sizeof(h->toname) - 1; i++, at += 2) {
		unsigned byte;

		if (sscanf(token + at, "%2x", &byte) != 1)
			die("cannot resume send: resume token is corrupt");
		h->toname[i] = (char)byte;
	}
	h->flags |= STREAM_RESUMED;
	h->total = h->full - h->first * (sizeof(struct record_head) + MIB);
}

static void token_print(const struct stream_head *h)
{
	printf("resume token contents:\nnvlist version: 0\n");
	if (h->fromguid != 0)
		printf("\tfromguid = 0x%" PRIx64 "\n", h->fromguid);
	printf("\tobject = 0x1\n\toffset = 0x%" PRIx64 "\n\tbytes = 0x%" PRIx64 "\n"
	       "\ttoguid = 0x%" PRIx64 "\n\ttoname = %s\n",
	       h->first * MIB, h->first * MIB, h->toguid, h->toname);
	if (h->flags & STREAM_RAW)
		printf("\trawok = 1\n");
}

/* The source of an incremental send: "@snap", "#bookmark", "snap" or a full name. */
static const struct version *send_source(struct dataset *d, const char *arg)
{
	size_t len = strcspn(arg, "@#");
	const struct version *v;

	if (arg[len] == '\0')
		v = ds_version(d, '@', arg);
	else if (len > 0 && (strlen(d->name) != len || memcmp(d->name, arg, len) != 0))
		v = NULL;
	else
		v = ds_version(d, arg[len], arg + len + 1);
	if (v == NULL)
		die("cannot send '%s': incremental source (%s) does not exist", d->name,
		    arg);
	return v;
}

static bool is_encrypted(const struct dataset *d)
{
	char tmp[MAX_VALUE], source[MAX_SOURCE];

	return strcmp(prop_get(d, NULL, "encryption", tmp, source), "off") != 0;
}

struct send_opts {
	const char *from, *token, *to;
	bool dry, parsable, raw;
};

static void send_options(int argc, char **argv, struct send_opts *o)
{
	static const char text[] =
		"\tsend [-DnPpRvLecwhbS] [-[i|I] snapshot] <snapshot>\n"
		"\tsend [-DnvPe] -t <receive_resume_token>";

	for (int c; (c = getopt(argc, argv, "+nvPwpbLceShi:t:")) != -1;) {
		if (c == '?')
			usage(text);
		o->dry |= c == 'n';
		o->parsable |= c == 'P';
		o->raw |= c == 'w';
		if (c == 'i')
			o->from = optarg;
		if (c == 't')
			o->token = optarg;
	}
	if ((o->token == NULL) != (optind + 1 == argc))
		usage(text);
	o->to = argv[optind];
}

/* What is to be sent, if it can be. */
static void send_begin(const struct send_opts *o, const char *to, struct stream_head *h)
{
	struct dataset d;
	const struct version *v = target_open(&d, to, false), *from = NULL;

	if (v == NULL || v->kind != '@')
		die("cannot send '%s': not a snapshot", to);
	h->creation = v->creation;
	h->type = (uint64_t)d.type;
	if (o->token != NULL)
		return;
	if (o->from != NULL)
		from = send_source(&d, o->from);
	if (from != NULL && from->txg >= v->txg)
		die("cannot send '%s': not an earlier snapshot from the same fs", to);
	h->full = h->total = stream_length(&d, o->from != NULL);
	h->toguid = v->guid;
	h->fromguid = from != NULL ? from->guid : 0;
	h->flags = o->raw && is_encrypted(&d) ? STREAM_RAW : 0;
	snprintf(h->toname, sizeof(h->toname), "%s", to);
}

int cmd_send(int argc, char **argv)
{
	struct stream_head h = { 0 };
	struct send_opts o = { 0 };

	send_options(argc, argv, &o);
	if (o.token != NULL) {
		token_parse(o.token, &h);
		if (o.dry && !o.parsable)
			token_print(&h);
		o.to = h.toname;
	}
	/* Decoding prints first: it works without the dataset. */
	fflush(stdout);
	send_begin(&o, o.to, &h);
	memcpy(h.magic, stream_magic, sizeof(h.magic));
	if (o.dry && o.parsable) {
		if (o.from != NULL)
			printf("incremental\t%s\t%s\t%" PRIu64 "\n", o.from, o.to,
			       h.total);
		else
			printf("full\t%s\t%" PRIu64 "\n", o.to, h.total);
		printf("size\t%" PRIu64 "\n", h.total);
	}
	if (!o.dry)
		send_stream(&h);
	return 0;
}

static bool read_full(void *data, size_t n)
{
	for (size_t off = 0; off < n;) {
		ssize_t got = read(STDIN_FILENO, (char *)data + off, n - off);

		if (got <= 0)
			return false;
		off += (size_t)got;
	}
	return true;
}

/* Read and check left bytes of records; return how many bytes were good. */
static uint64_t recv_verify(uint64_t left, uint64_t number)
{
	static unsigned char data[MIB];
	uint64_t done = 0;

	payload_fill();
	while (done < left) {
		struct record_head r;

		if (!read_full(&r, sizeof(r)))
			break;
		if (r.magic != record_magic || r.number != number || r.len > MIB)
			die("cannot receive: invalid stream (bad record %" PRIu64 ")",
			    number);
		if (!read_full(data, r.len))
			break;
		if (memcmp(data, payload, r.len) != 0)
			die("cannot receive: invalid stream (checksum mismatch)");
		number++;
		done += sizeof(r) + r.len;
	}
	return done;
}

/* Throw left bytes of input away as cheaply as possible; return how many came. */
static uint64_t recv_drain(uint64_t left)
{
	static unsigned char data[COPY_SIZE];
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bool copy = setting("SIMZFS_COPY") != NULL;
	uint64_t done = 0;

	while (done < left) {
		size_t want = left - done < 64 * MIB ? (size_t)(left - done) : 64 * MIB;
		ssize_t n;

		if (copy)
			n = read(STDIN_FILENO, data,
				 want < sizeof(data) ? want : sizeof(data));
		else
			n = splice(STDIN_FILENO, NULL, null, NULL, want, SPLICE_F_MOVE);
		if (n < 0 && !copy && errno == EINVAL) {
			copy = true; /* not a pipe */
			continue;
		}
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	close(null);
	return done;
}

/*
 * Refuse the stream h if d, which exists if exists, cannot take it, with ZFS's
 * words.
 */
static void recv_check(struct dataset *d, bool exists, const struct stream_head *h,
		       bool force)
{
	struct version *newest = exists ? ds_newest_snapshot(d) : NULL;
	const char *token = exists ? ds_prop(d, "receive_resume_token") : NULL;
	struct stream_head saved;

	if (token != NULL) {
		token_parse(token, &saved);
		if ((h->flags & STREAM_RESUMED) == 0)
			die("cannot receive: destination %s contains partially-complete "
			    "state from \"zfs receive -s\".",
			    d->name);
		if (saved.first != h->first || saved.toguid != h->toguid)
			die("cannot receive resume stream: kernel modules must be "
			    "upgraded");
		if ((saved.flags & STREAM_FORCED) != 0 && !force)
			die("cannot receive resume stream: Resuming recv on existing "
			    "destination '%s'\nmust specify -F to overwrite it",
			    d->name);
		return;
	}
	if (h->fromguid != 0) {
		if (!exists)
			die("cannot receive incremental stream: destination '%s' does "
			    "not exist",
			    d->name);
		if (newest == NULL || newest->guid != h->fromguid)
			die("cannot receive incremental stream: most recent snapshot of "
			    "%s does not\nmatch incremental source",
			    d->name);
	} else if (exists && !force) {
		die("cannot receive new filesystem stream: destination '%s' exists\n"
		    "must specify -F to overwrite it",
		    d->name);
	} else if (exists && is_encrypted(d) != ((h->flags & STREAM_RAW) != 0)) {
		die("cannot receive new filesystem stream: zfs receive -F cannot be used "
		    "to destroy an encrypted filesystem or overwrite an unencrypted one "
		    "with an encrypted one");
	} else if (newest != NULL) {
		die("cannot receive new filesystem stream: destination has snapshots "
		    "(eg. %s@%s)\n"
		    "must destroy them to overwrite it",
		    d->name, newest->name);
	}
}

static int recv_abort(const char *name)
{
	struct dataset d;

	target_open(&d, name, true);
	if (ds_prop(&d, "receive_resume_token") == NULL)
		die("'%s' does not have any resumable receive state to abort", name);
	ds_unset_prop(&d, "receive_resume_token");
	ds_save(&d);
	return 0;
}

struct recv_opts {
	bool force, resumable, discard;
	struct dataset props; /* only those */
	char *name, *snap;
};

static void recv_options(int argc, char **argv, struct recv_opts *o)
{
	static const char text[] =
		"\treceive [-vMnsFhu] [-o property=value] ... [-x property] ... "
		"<filesystem|volume|snapshot>\n\treceive -A <filesystem|volume>";

	for (int c; (c = getopt(argc, argv, "+FsuvMAx:o:")) != -1;) {
		if (c == '?')
			usage(text);
		o->force |= c == 'F';
		o->resumable |= c == 's';
		o->discard |= c == 'A';
		if (c == 'o')
			set_assignment(&o->props, optarg);
	}
	if (optind + 1 != argc)
		usage(text);
	o->name = argv[optind];
	o->snap = strchr(o->name, '@');
	if (o->snap == NULL && !o->discard)
		die("simzfs: recv needs the name of the snapshot");
	if (o->snap != NULL)
		*o->snap++ = '\0';
}

static void recv_check_parent(const char *name)
{
	const char *slash = strrchr(name, '/');
	char parent[MAX_NAME];

	if (slash == NULL)
		return;
	name_copy(parent, name, (size_t)(slash - name));
	if (!ds_exists(parent))
		die_missing(name);
}

/* The data has passed; got says how much of it. */
static void recv_store(const struct recv_opts *o, const struct stream_head *h,
		       bool exists, uint64_t got)
{
	struct dataset d;

	if (!exists) {
		ds_init(&d, o->name, (char)h->type);
		if (h->flags & STREAM_RAW)
			ds_set_prop(&d, "encryption", "aes-256-gcm");
		if (!ds_create(&d))
			die("cannot receive new filesystem stream: destination '%s' "
			    "exists",
			    o->name);
	}
	if (!ds_open(&d, o->name, true))
		die_missing(o->name);
	ds_unset_prop(&d, "receive_resume_token");
	for (size_t i = 0; i < o->props.nprops; i++)
		ds_set_prop(&d, o->props.props[i].key, o->props.props[i].value);
	if (got < h->total - sizeof(*h)) {
		char *token = token_make(
			h, h->first + got / (sizeof(struct record_head) + MIB));

		ds_set_prop(&d, "receive_resume_token", token);
		ds_save(&d);
		die("cannot receive %s stream: checksum mismatch or incomplete stream.\n"
		    "Partially received snapshot is saved.\nA resuming stream can be "
		    "generated on the sending system by running:\n    zfs send -t %s",
		    h->fromguid != 0 ? "incremental" : "new filesystem", token);
	}
	if (ds_version(&d, '@', o->snap) != NULL)
		die("cannot receive: snapshot '%s@%s' exists", d.name, o->snap);
	ds_add_version(&d, (struct version){ '@', o->snap, h->toguid, txg_take(1),
					     h->creation, "" });
	ds_save(&d);
}

int cmd_recv(int argc, char **argv)
{
	struct recv_opts o = { 0 };
	struct stream_head h;
	struct dataset d;
	bool exists;
	uint64_t got, want;

	recv_options(argc, argv, &o);
	if (o.discard)
		return recv_abort(o.name);
	recv_check_parent(o.name);
	if (!read_full(&h, sizeof(h)))
		die("cannot receive: failed to read from stream");
	if (memcmp(h.magic, stream_magic, sizeof(h.magic)) != 0)
		die("cannot receive: invalid stream (bad magic number)");
	exists = ds_open(&d, o.name, false);
	recv_check(&d, exists, &h, o.force);
	if (exists && h.fromguid == 0 && (h.flags & STREAM_RESUMED) == 0)
		h.flags |= STREAM_FORCED;

	/* No lock is held while the data passes. */
	want = h.total - sizeof(h);
	got = setting("SIMZFS_VERIFY") != NULL ? recv_verify(want, h.first)
					       : recv_drain(want);
	if (got < want && !o.resumable)
		die("cannot receive: failed to read from stream");
	recv_store(&o, &h, exists, got);
	return 0;
}
