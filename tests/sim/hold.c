#include "sim.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As in ZFS, each for itself: those that can be held are, whatever the others say. */
int cmd_hold(int argc, char **argv)
{
	int status = 0;

	if (argc < 3)
		usage("\thold <tag> <snapshot> ...");
	for (int i = 2; i < argc; i++) {
		struct dataset d;
		struct version *v = target_open(&d, argv[i], true);

		if (v == NULL || v->kind != '@')
			die("cannot hold '%s': not a snapshot", argv[i]);
		if (tags_find(v->tags, argv[1]) != NULL) {
			fprintf(stderr,
				"cannot hold snapshot '%s': tag already exists on this "
				"dataset\n",
				argv[i]);
			status = 1;
			close(d.fd);
			continue;
		}
		v->tags = *v->tags != '\0' ? format("%s\t%s", v->tags, argv[1]) : argv[1];
		ds_save(&d);
	}
	return status;
}

static void put_holds(struct buf *out, const char *name, const struct version *v)
{
	char *tag, *rest = dup_text(v->tags);

	while (*v->tags != '\0' && (tag = strsep(&rest, "\t")) != NULL) {
		buf_str(out, name);
		buf_put(out, "\t", 1);
		buf_str(out, tag);
		buf_str(out, "\tMon Jan  1  0:00 2024\n");
	}
}

int cmd_holds(int argc, char **argv)
{
	struct buf out = { 0 };
	int status = 0;

	for (int c; (c = getopt(argc, argv, "+Hpr")) != -1;)
		if (c == '?')
			usage("\tholds [-Hpr] <snapshot> ...");
	if (optind == argc)
		usage("\tholds [-Hpr] <snapshot> ...");
	for (int i = optind; i < argc; i++) {
		struct dataset d;
		bool ok;
		const struct version *v = target_find(&d, argv[i], false, &ok);

		if (ok && v == NULL)
			die("'%s' is not a snapshot", argv[i]);
		if (ok) {
			put_holds(&out, argv[i], v);
		} else {
			say_missing(argv[i]);
			status = 1;
		}
	}
	buf_flush(&out, STDOUT_FILENO);
	return status;
}

/* tags without the one at `at`, together with one of the TABs around it. */
static char *tags_without(const char *tags, const char *at, size_t len)
{
	size_t before = (size_t)(at - tags);
	char *rest = dup_text(tags);

	if (rest[before + len] == '\t') {
		len++;
	} else if (before > 0) {
		before--;
		len++;
	}
	memmove(rest + before, rest + before + len, strlen(rest + before + len) + 1);
	return rest;
}

int cmd_release(int argc, char **argv)
{
	int status = 0;

	if (argc < 3)
		usage("\trelease <tag> <snapshot> ...");
	for (int i = 2; i < argc; i++) {
		struct dataset d;
		struct version *v = target_open(&d, argv[i], true);
		const char *at = v != NULL ? tags_find(v->tags, argv[1]) : NULL;

		if (at == NULL) {
			fprintf(stderr,
				"cannot release hold from snapshot '%s': "
				"no such tag on this dataset\n",
				argv[i]);
			status = 1;
			close(d.fd);
			continue;
		}
		v->tags = tags_without(v->tags, at, strlen(argv[1]));
		ds_save(&d);
	}
	return status;
}
