#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool word_in(const char *word, const char *list)
{
	size_t len = strlen(word);

	for (const char *p = list; *p != '\0'; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* A property that a parent of d has set. */
static const char *inherited_prop(const struct dataset *d, const char *key,
				  char source[MAX_SOURCE])
{
	char name[MAX_NAME], *slash;
	struct dataset parent;
	const char *value;

	memcpy(name, d->name, sizeof(name));
	while ((slash = strrchr(name, '/')) != NULL) {
		*slash = '\0';
		if (!ds_open(&parent, name, false))
			continue;
		value = ds_prop(&parent, key);
		if (value != NULL) {
			snprintf(source, MAX_SOURCE, "inherited from %s", name);
			return value;
		}
	}
	return NULL;
}

/* The value of a property of the dataset d that can be set, here or on a parent. */
static const char *prop_get_settable(const struct dataset *d, const char *key,
				     char source[MAX_SOURCE])
{
	const char *value;

	value = ds_prop(d, key);
	if (value != NULL) {
		snprintf(source, MAX_SOURCE, "%s",
			 strcmp(key, "receive_resume_token") == 0 ? "-" : "local");
		return value;
	}
	if (word_in(key, "receive_resume_token,mounted,origin,userrefs"))
		return strcmp(key, "mounted") == 0 ? "no" : "-";
	value = inherited_prop(d, key, source);
	if (value == NULL && strcmp(key, "encryption") == 0) {
		snprintf(source, MAX_SOURCE, "default");
		return "off";
	}
	return value != NULL ? value : "-";
}

/* Since the latest snapshot: nothing, unless sim:written was set since then. */
static uint64_t written(const struct dataset *d)
{
	const char *bytes = ds_prop(d, "sim:written");

	if (bytes != NULL)
		return strtoull(bytes, NULL, 10);
	return ds_newest_snapshot(d) != NULL ? 0 : 24576;
}

/*
 * The value of property key of d, or of its version v if that is not NULL.
 * tmp has room for any value that must be made up, source for the source.
 */
const char *prop_get(const struct dataset *d, const struct version *v, const char *key,
		     char tmp[MAX_VALUE], char source[MAX_SOURCE])
{
	uint64_t number;

	snprintf(source, MAX_SOURCE, "-");
	if (strcmp(key, "name") == 0) {
		if (v == NULL)
			return d->name;
		snprintf(tmp, MAX_VALUE, "%s%c%s", d->name, v->kind, v->name);
		return tmp;
	}
	if (strcmp(key, "type") == 0) {
		if (v != NULL)
			return v->kind == '@' ? "snapshot" : "bookmark";
		return d->type == 'v' ? "volume" : "filesystem";
	}
	if (strcmp(key, "guid") == 0)
		number = v != NULL ? v->guid : d->guid;
	else if (strcmp(key, "createtxg") == 0)
		number = v != NULL ? v->txg : d->txg;
	else if (strcmp(key, "creation") == 0)
		number = v != NULL ? v->creation : d->creation;
	else if (strcmp(key, "userrefs") == 0 && v != NULL && v->kind == '@')
		number = tags_count(v->tags);
	else if (strcmp(key, "written") == 0 && v == NULL)
		number = written(d);
	else if (word_in(key,
			 "used,referenced,written,usedbydataset,logicalused,available"))
		number = 24576;
	else
		return v != NULL ? "-" : prop_get_settable(d, key, source);
	snprintf(tmp, MAX_VALUE, "%" PRIu64, number);
	return tmp;
}

/*
 * Append the value of key to out: prop_get() with a short cut for what is printed a
 * hundred times per process.
 */
void prop_print(struct buf *out, const struct dataset *d, const struct version *v,
		const char *key)
{
	char tmp[MAX_VALUE], source[MAX_SOURCE];

	if (v == NULL) {
		buf_str(out, prop_get(d, v, key, tmp, source));
	} else if (strcmp(key, "name") == 0) {
		buf_str(out, d->name);
		buf_put(out, &v->kind, 1);
		buf_str(out, v->name);
	} else if (strcmp(key, "guid") == 0) {
		buf_u64(out, v->guid);
	} else if (strcmp(key, "createtxg") == 0) {
		buf_u64(out, v->txg);
	} else if (strcmp(key, "creation") == 0) {
		buf_u64(out, v->creation);
	} else {
		buf_str(out, prop_get(d, v, key, tmp, source));
	}
}
