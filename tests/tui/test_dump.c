#include "codec/tzif.h"
#include "tap.h"
#include "tui/dump.h"

#include <json-c/json.h>

/*
 * Documents tests/golden/status-NAME.json, and what is shown of them in dump-NAME.txt.
 * With GOLDEN_UPDATE=1 in the environment these are written instead of compared: look at
 * the difference before it is committed.
 */

static const char *const documents[] = { "replication", "pruning", "snapshotting",
					 "others" };

static const struct timespec now = { .tv_sec = 1715714183, .tv_nsec = 500000000 };

static struct tzif *zone(void)
{
	struct err err = ERR_INIT;
	struct tzif *z = tzif_from_rule(VIEW("CET-1CEST,M3.5.0,M10.5.0/3"), &err);

	if (!z)
		abort();
	return z;
}

static char *path_of(const char *what, const char *name, const char *ending)
{
	char *path;

	if (asprintf(&path, GOLDEN_DIR "/%s-%s.%s", what, name, ending) < 0)
		abort();
	return path;
}

static struct json_object *jobs_of(const char *name, struct json_object **doc)
{
	cleanup(str_freep) char *path = path_of("status", name, "json");
	struct json_object *jobs = NULL;

	*doc = json_object_from_file(path);
	if (!*doc || !json_object_object_get_ex(*doc, "Jobs", &jobs)) {
		printf("# %s: %s\n", path, json_util_get_last_err());
		return NULL;
	}
	return jobs;
}

static void dump_all(struct buf *out, struct json_object *jobs)
{
	cleanup(tzif_freep) struct tzif *z = zone();

	json_object_object_foreach(jobs, name, job)
	{
		if (name[0] == '_')
			continue;
		dump_job(out, name, job, now, z);
		buf_printf(out, "----\n");
	}
}

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return;
	do {
		n = fread(buf_reserve(out, 4096), 1, 4096, f);
		buf_added(out, n);
	} while (n > 0);
	fclose(f);
}

static bool write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fwrite(b->p, 1, b->len, f) == b->len;

	return f && fclose(f) == 0 && ok;
}

/* The first line that differs says more than two pages. */
static void check_same_lines(const struct buf *got, const struct buf *want)
{
	const char *g = buf_str(got), *w = buf_str(want);

	for (unsigned n = 1; *g || *w; n++) {
		size_t gl = strcspn(g, "\n"), wl = strcspn(w, "\n");

		if (gl != wl || memcmp(g, w, gl) != 0) {
			printf("# line %u\n# got  %.*s\n# want %.*s\n", n, (int)gl, g,
			       (int)wl, w);
			break;
		}
		g += gl + (g[gl] == '\n');
		w += wl + (w[wl] == '\n');
	}
	CHECK_INT(got->len, want->len);
	CHECK(strcmp(buf_str(got), buf_str(want)) == 0);
}

TEST(documents_are_shown_as_they_were)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		cleanup(str_freep) char *path = path_of("dump", documents[i], "txt");
		cleanup(buf_free) struct buf got = { 0 }, want = { 0 };
		struct json_object *doc, *jobs = jobs_of(documents[i], &doc);

		REQUIRE(jobs != NULL);
		dump_all(&got, jobs);
		if (getenv("GOLDEN_UPDATE"))
			CHECK(write_file(path, &got));
		read_file(path, &want);
		printf("# %s\n", documents[i]);
		check_same_lines(&got, &want);
		json_object_put(doc);
	}
}

/* ---- documents of strangers ---- */

struct damage {
	struct json_object *jobs;
	unsigned n;
};

static void check_survives(struct damage *d)
{
	cleanup(buf_free) struct buf out = { 0 };

	dump_all(&out, d->jobs);
	CHECK((strncmp(buf_str(&out), "Job: ", 5) == 0) ==
	      (json_object_object_length(d->jobs) > 0));
	d->n++;
}

static const char *const replacements[] = {
	"null",
	"true",
	"-1",
	"18446744073709551615",
	"1e300",
	"\"\"",
	"\"%s%n\\n\\u001b[31m\"",
	"\"9999-12-31T23:59:59.999999999-23:59\"",
	"\"0001-01-01T00:00:00.000000001Z\"",
	"[]",
	"[null,1,\"x\",[[]],{}]",
	"{}",
	"{\"Err\":{},\"Info\":[],\"Periodic\":7}",
};

static void damage(struct damage *d, struct json_object *node);

static void damage_member(struct damage *d, struct json_object *o, const char *key)
{
	struct json_object *old = json_object_get(json_object_object_get(o, key));

	damage(d, old);
	json_object_object_del(o, key);
	check_survives(d);
	for (size_t i = 0; i < ARRAY_LEN(replacements); i++) {
		json_object_object_add(o, key, json_tokener_parse(replacements[i]));
		check_survives(d);
	}
	json_object_object_add(o, key, old);
}

static void damage_element(struct damage *d, struct json_object *a, size_t at)
{
	struct json_object *old = json_object_get(json_object_array_get_idx(a, at));

	damage(d, old);
	for (size_t i = 0; i < ARRAY_LEN(replacements); i++) {
		json_object_array_put_idx(a, at, json_tokener_parse(replacements[i]));
		check_survives(d);
	}
	json_object_array_put_idx(a, at, old);
}

static void damage(struct damage *d, struct json_object *node)
{
	enum { MAX_KEYS = 16 };
	char *keys[MAX_KEYS];
	size_t n = 0;

	if (json_object_is_type(node, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(node) && i < 4; i++)
			damage_element(d, node, i);
		return;
	}
	if (!json_object_is_type(node, json_type_object))
		return;
	json_object_object_foreach(node, key, value)
	{
		(void)value;
		if (n < MAX_KEYS)
			keys[n++] = xstrdup(key);
	}
	for (size_t i = 0; i < n; i++) {
		damage_member(d, node, keys[i]);
		free(keys[i]);
	}
}

TEST(any_member_may_be_missing_or_of_another_type)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		struct json_object *doc, *jobs = jobs_of(documents[i], &doc);
		struct damage d = { .n = 0 };

		REQUIRE(jobs != NULL);
		/* One job at a time, so that it is the only one to be shown again. */
		json_object_object_foreach(jobs, name, job)
		{
			if (name[0] == '_')
				continue;
			d.jobs = json_object_new_object();
			json_object_object_add(d.jobs, name, json_object_get(job));
			damage(&d, d.jobs);
			json_object_put(d.jobs);
		}
		printf("# %s: %u damaged documents\n", documents[i], d.n);
		CHECK(d.n > 100);
		json_object_put(doc);
	}
}

TEST(what_is_not_a_job_is_shown_by_its_name)
{
	cleanup(tzif_freep) struct tzif *z = zone();
	cleanup(buf_free) struct buf out = { 0 };

	dump_job(&out, "j", NULL, now, z);
	CHECK_STR(out.p, "Job: j\nType: \n\nNo status representation for job type ''\n");
}

TEST(what_could_command_a_terminal_is_escaped)
{
	cleanup(tzif_freep) struct tzif *z = zone();
	cleanup(buf_free) struct buf out = { 0 };
	struct json_object *job = json_tokener_parse(
		"{\"type\": \"snap\", \"snap\": {\"Pruning\": {\"State\": \"PlanErr\","
		" \"Error\": \"said \\u001b[2J\\u007f\\tand\\nmore\"}}}");

	REQUIRE(job != NULL);
	dump_job(&out, "j", job, now, z);
	CHECK(strstr(out.p, "Error: said \\x1b[2J\\x7f\tand\n") != NULL);
	CHECK(strpbrk(out.p, "\x1b\x7f") == NULL);
	json_object_put(job);
}

TEST_MAIN()
