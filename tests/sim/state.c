#include "sim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int state_fd = -1; /* $SIMZFS_DIR/ds */

struct counters {
	uint64_t txg;
	uint64_t fail_in; /* processes; 0: never */
};
static struct counters *counters; /* shared by all processes */

static _Noreturn void die_errno(const char *what)
{
	die("simzfs: %s: %s", what, strerrordesc_np(errno));
}

void state_open(void)
{
	const char *dir = getenv("SIMZFS_DIR");
	char path[4096];
	int fd;

	if (dir == NULL)
		die("simzfs: SIMZFS_DIR is not set");
	snprintf(path, sizeof(path), "%s/ds", dir);
	state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0) {
		mkdir(dir, 0777);
		mkdir(path, 0777);
		state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (state_fd < 0)
		die_errno(path);
	fd = openat(state_fd, "../counters", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, sizeof(*counters)) != 0)
		die_errno("counters");
	counters =
		mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		die_errno("counters");
	close(fd);
}

const char *setting(const char *name)
{
	const char *env = getenv(name);
	char path[64], text[4096];
	ssize_t n;
	int fd;

	if (env != NULL)
		return *env != '\0' ? env : NULL;
	snprintf(path, sizeof(path), "../set/%s", name);
	fd = openat(state_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return dup_text(text);
}

void fail_set(uint64_t n)
{
	__atomic_store_n(&counters->fail_in, n, __ATOMIC_SEQ_CST);
}

bool fail_now(void)
{
	uint64_t n = __atomic_load_n(&counters->fail_in, __ATOMIC_SEQ_CST);

	while (n > 0 && !__atomic_compare_exchange_n(&counters->fail_in, &n, n - 1, false,
						     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return n == 1;
}

uint64_t txg_take(uint64_t n)
{
	return __atomic_fetch_add(&counters->txg, n, __ATOMIC_RELAXED) + 100;
}

uint64_t guid_new(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return mix64((uint64_t)t.tv_sec << 30 ^ (uint64_t)t.tv_nsec ^
		     (uint64_t)getpid() << 48);
}

/* Turn a dataset name into its file name in place, or back. */
static void name_translate(char *s, char from, char to)
{
	for (; *s != '\0'; s++)
		if (*s == from)
			*s = to;
}

void name_copy(char dst[MAX_NAME], const char *name, size_t len)
{
	if (len == 0 || len >= MAX_NAME)
		die("cannot open '%.*s': name is too long", (int)len, name);
	memcpy(dst, name, len);
	dst[len] = '\0';
}

struct version *ds_add_version(struct dataset *d, struct version v)
{
	d->versions = grow(d->versions, (d->nversions + 1) * sizeof(*d->versions));
	d->versions[d->nversions] = v;
	return &d->versions[d->nversions++];
}

void ds_set_prop(struct dataset *d, const char *key, const char *value)
{
	size_t i = 0;

	while (i < d->nprops && strcmp(d->props[i].key, key) != 0)
		i++;
	if (i == d->nprops)
		d->props = grow(d->props, ++d->nprops * sizeof(*d->props));
	d->props[i] = (struct prop){ dup_text(key), dup_text(value) };
}

void ds_unset_prop(struct dataset *d, const char *key)
{
	for (size_t i = 0; i < d->nprops; i++)
		if (strcmp(d->props[i].key, key) == 0)
			d->props[i] = d->props[--d->nprops];
}

const char *ds_prop(const struct dataset *d, const char *key)
{
	for (size_t i = 0; i < d->nprops; i++)
		if (strcmp(d->props[i].key, key) == 0)
			return d->props[i].value;
	return NULL;
}

struct version *ds_version(struct dataset *d, char kind, const char *name)
{
	for (size_t i = 0; i < d->nversions; i++)
		if (d->versions[i].kind == kind && strcmp(d->versions[i].name, name) == 0)
			return &d->versions[i];
	return NULL;
}

struct version *ds_newest_snapshot(const struct dataset *d)
{
	struct version *newest = NULL;

	for (size_t i = 0; i < d->nversions; i++)
		if (d->versions[i].kind == '@' &&
		    (newest == NULL || d->versions[i].txg > newest->txg))
			newest = &d->versions[i];
	return newest;
}

static char *next_field(char **s)
{
	char *field = strsep(s, "\t");

	return field != NULL ? field : (char *)"";
}

static uint64_t next_u64(char **s)
{
	return strtoull(next_field(s), NULL, 10);
}

/* Fill d from text, which it keeps. */
static void ds_parse(struct dataset *d, char *text)
{
	size_t lines = 0;

	for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	d->versions = grow(NULL, (lines + 1) * sizeof(*d->versions));
	for (char *line; (line = strsep(&text, "\n")) != NULL && *line != '\0';) {
		char kind = *next_field(&line);

		if (kind == 'D') {
			d->type = *next_field(&line);
			d->guid = next_u64(&line);
			d->txg = next_u64(&line);
			d->creation = next_u64(&line);
		} else if (kind == 'P') {
			d->props = grow(d->props, ++d->nprops * sizeof(*d->props));
			d->props[d->nprops - 1].key = next_field(&line);
			d->props[d->nprops - 1].value = next_field(&line);
		} else {
			struct version *v = &d->versions[d->nversions++];

			v->kind = kind;
			v->name = next_field(&line);
			v->guid = next_u64(&line);
			v->txg = next_u64(&line);
			v->creation = next_u64(&line);
			v->tags = line != NULL ? line : "";
		}
	}
}

bool ds_open(struct dataset *d, const char *name, bool writable)
{
	struct stat st;
	char *text;
	size_t len = 0;
	ssize_t n;

	memset(d, 0, sizeof(*d));
	name_copy(d->name, name, strlen(name));
	name_translate(d->name, '/', '+');
	d->fd = openat(state_fd, d->name, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	name_translate(d->name, '+', '/');
	if (d->fd < 0)
		return false;
	if (flock(d->fd, writable ? LOCK_EX : LOCK_SH) != 0 || fstat(d->fd, &st) != 0)
		die_errno(name);
	if (st.st_nlink == 0) { /* destroyed while we waited */
		close(d->fd);
		return false;
	}
	text = grow(NULL, (size_t)st.st_size + 1);
	while (len < (size_t)st.st_size &&
	       (n = read(d->fd, text + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	ds_parse(d, text);
	if (!writable) {
		close(d->fd);
		d->fd = -1;
	}
	return true;
}

static void ds_format(const struct dataset *d, struct buf *b)
{
	buf_put(b, (char[]){ 'D', '\t', d->type, '\t' }, 4);
	buf_u64(b, d->guid);
	buf_put(b, "\t", 1);
	buf_u64(b, d->txg);
	buf_put(b, "\t", 1);
	buf_u64(b, d->creation);
	buf_put(b, "\n", 1);
	for (size_t i = 0; i < d->nprops; i++) {
		buf_put(b, "P\t", 2);
		buf_str(b, d->props[i].key);
		buf_put(b, "\t", 1);
		buf_str(b, d->props[i].value);
		buf_put(b, "\n", 1);
	}
	for (size_t i = 0; i < d->nversions; i++) {
		const struct version *v = &d->versions[i];

		buf_put(b, (char[]){ v->kind, '\t' }, 2);
		buf_str(b, v->name);
		buf_put(b, "\t", 1);
		buf_u64(b, v->guid);
		buf_put(b, "\t", 1);
		buf_u64(b, v->txg);
		buf_put(b, "\t", 1);
		buf_u64(b, v->creation);
		if (*v->tags != '\0') {
			buf_put(b, "\t", 1);
			buf_str(b, v->tags);
		}
		buf_put(b, "\n", 1);
	}
}

void ds_save(struct dataset *d)
{
	struct buf b = { 0 };

	ds_format(d, &b);
	if (pwrite(d->fd, b.data, b.len, 0) != (ssize_t)b.len ||
	    ftruncate(d->fd, (off_t)b.len) != 0)
		die_errno(d->name);
	free(b.data);
	close(d->fd);
	d->fd = -1;
}

void ds_init(struct dataset *d, const char *name, char type)
{
	memset(d, 0, sizeof(*d));
	name_copy(d->name, name, strlen(name));
	d->fd = -1;
	d->type = type;
	d->guid = guid_new();
	d->txg = txg_take(1);
	d->creation = (uint64_t)time(NULL);
}

bool ds_create(struct dataset *d)
{
	struct buf b = { 0 };
	char tmp[64], file[MAX_NAME];
	int fd;
	bool ok;

	/* Nobody may see a half-written file: link(2) it when it is complete. */
	snprintf(tmp, sizeof(tmp), "../new.%d", getpid());
	fd = openat(state_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		die_errno(tmp);
	ds_format(d, &b);
	buf_flush(&b, fd);
	free(b.data);
	close(fd);
	memcpy(file, d->name, sizeof(file));
	name_translate(file, '/', '+');
	ok = linkat(state_fd, tmp, state_fd, file, 0) == 0;
	unlinkat(state_fd, tmp, 0);
	return ok;
}

void ds_remove(const char *name)
{
	char file[MAX_NAME];

	name_copy(file, name, strlen(name));
	name_translate(file, '/', '+');
	unlinkat(state_fd, file, 0);
}

bool ds_exists(const char *name)
{
	char file[MAX_NAME];

	name_copy(file, name, strlen(name));
	name_translate(file, '/', '+');
	return faccessat(state_fd, file, F_OK, 0) == 0;
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **ds_names(const char *root, size_t *count)
{
	DIR *dir = fdopendir(dup(state_fd));
	size_t len = root != NULL ? strlen(root) : 0, n = 0, cap = 0;
	char **names = NULL;

	if (dir == NULL)
		die_errno("list");
	rewinddir(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		name_translate(e->d_name, '+', '/');
		if (root != NULL && (strncmp(e->d_name, root, len) != 0 ||
				     (e->d_name[len] != '\0' && e->d_name[len] != '/')))
			continue;
		if (n == cap)
			names = grow(names, (cap = cap * 2 + 64) * sizeof(*names));
		names[n++] = dup_text(e->d_name);
	}
	closedir(dir);
	/* tmpfs lists the newest entry first; sorting is fast if there is nothing to do.
	 */
	for (size_t i = 0; i < n / 2; i++) {
		char *swap = names[i];

		names[i] = names[n - 1 - i];
		names[n - 1 - i] = swap;
	}
	if (n > 0)
		qsort(names, n, sizeof(*names), cmp_names);
	*count = n;
	return names;
}

struct version *target_find(struct dataset *d, const char *target, bool writable,
			    bool *ok)
{
	size_t len = strcspn(target, "@#");
	char name[MAX_NAME];
	struct version *v = NULL;

	name_copy(name, target, len);
	*ok = ds_open(d, name, writable);
	if (*ok && target[len] != '\0') {
		v = ds_version(d, target[len], target + len + 1);
		*ok = v != NULL;
		if (!*ok && d->fd >= 0)
			close(d->fd);
	}
	return v;
}

struct version *target_open(struct dataset *d, const char *target, bool writable)
{
	bool ok;
	struct version *v = target_find(d, target, writable, &ok);

	if (!ok)
		die_missing(target);
	return v;
}

size_t tags_count(const char *tags)
{
	size_t n = *tags != '\0';

	for (; *tags != '\0'; tags++)
		n += *tags == '\t';
	return n;
}

const char *tags_find(const char *tags, const char *tag)
{
	size_t len = strlen(tag);

	for (const char *p = tags; *p != '\0'; p += *p == '\t') {
		size_t n = strcspn(p, "\t");

		if (n == len && memcmp(p, tag, n) == 0)
			return p;
		p += n;
	}
	return NULL;
}
