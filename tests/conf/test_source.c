#include "codec/yaml.h"
#include "conf/config.h"
#include "conf/source.h"
#include "tap.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a directory with files, deleted at the end ---- */

struct place {
	char dir[32];
	struct strs made; /* in the order to delete in reverse */
};

static void place_init(struct place *p)
{
	*p = (struct place){ .dir = "/tmp/zrepl-conf-XXXXXX" };
	if (!mkdtemp(p->dir))
		abort();
}

static void place_fini(struct place *p)
{
	for (size_t i = p->made.n; i > 0; i--)
		remove(p->made.v[i - 1]);
	strs_free(&p->made);
	rmdir(p->dir);
}

static const char *add_path(struct place *p, const char *name)
{
	strs_addf(&p->made, "%s/%s", p->dir, name);
	return p->made.v[p->made.n - 1];
}

static void add_dir(struct place *p, const char *name)
{
	if (mkdir(add_path(p, name), 0700) < 0)
		abort();
}

/* Returns the whole path, which the place owns. */
static const char *add_file(struct place *p, const char *name, const char *fmt, ...)
	printf_like(3, 4);
static const char *add_file(struct place *p, const char *name, const char *fmt, ...)
{
	const char *path = add_path(p, name);
	FILE *f = fopen(path, "we");
	va_list ap;

	if (!f)
		abort();
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
	return path;
}

static const char *add_jobs(struct place *p, const char *name, const char *job)
{
	return add_file(p, name,
			"jobs: [{type: sink, name: %s, root_fs: %s, serve: {type: local, "
			"listener_name: %s}}]\n",
			job, job, job);
}

/* The names of the jobs in order, or the error's text; the caller frees. */
static char *loaded(const char *path)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *c = config_load(path, &err);
	cleanup(buf_free) struct buf b = { 0 };

	if (!c)
		return xstrdup(err_msg(&err));
	for (size_t i = 0; i < c->n_jobs; i++)
		buf_printf(&b, "%s%s", i ? " " : "", c->jobs[i].name);
	return xstrdup(buf_str(&b));
}

static void check_loaded(const struct place *p, const char *path, const char *want)
{
	cleanup(str_freep) char *got = loaded(path);

	/* without the directory, whose name nobody knows in advance */
	for (char *at; (at = strstr(got, p->dir)) != NULL;)
		memmove(at, at + strlen(p->dir), strlen(at + strlen(p->dir)) + 1);
	CHECK_STR(got, want);
}

/* ---- includes ---- */

TEST(included_jobs_follow_those_of_the_main_file)
{
	cleanup(place_fini) struct place p;

	place_init(&p);
	add_dir(&p, "d");
	add_jobs(&p, "d/b.yml", "b");
	add_jobs(&p, "d/a.yml", "a");
	add_file(&p, "d/empty.yml", "# nothing\n");
	add_file(&p, "d/ignored.yaml", "rubbish\n");
	add_jobs(&p, "one.yml", "one");
	check_loaded(
		&p,
		add_file(&p, "main.yml",
			 "include: [d, one.yml]\n"
			 "jobs: [{type: sink, name: m, root_fs: m, serve: {type: local, "
			 "listener_name: m}}]\n"),
		"m a b one");
}

TEST(absolute_entries_are_taken_as_they_are)
{
	cleanup(place_fini) struct place p;

	place_init(&p);
	add_dir(&p, "d");
	const char *one = add_jobs(&p, "one.yml", "one");

	check_loaded(&p, add_file(&p, "d/main.yml", "include: ['%s']\n", one), "one");
}

TEST(the_global_section_of_an_included_file_is_checked_and_ignored)
{
	cleanup(place_fini) struct place p;
	cleanup(err_clear) struct err err = ERR_INIT;

	place_init(&p);
	add_file(&p, "one.yml", "global: {control: {sockpath: /one}}\n");
	cleanup(config_freep) struct config *c =
		config_load(add_file(&p, "main.yml", "include: [one.yml]\n"), &err);

	REQUIRE(c);
	CHECK_STR(c->global.control_sockpath, "/var/run/zrepl/control");
	add_file(&p, "two.yml", "global: {controll: x}\n");
	check_loaded(
		&p, add_file(&p, "main2.yml", "include: [two.yml]\n"),
		"/two.yml:1:10: global.controll: unknown key, perhaps \"control\" is "
		"meant; global has logging, monitoring, control, serve");
}

TEST(what_cannot_be_included_is_refused)
{
	static const char want[] =
		"; want the path of a .yml file, or of a directory of such files";
	static const struct {
		const char *entry, *why;
	} cases[] = {
		{ "nothing.yml", "\"/nothing.yml\": No such file or directory" },
		{ "text.txt", "\"/text.txt\" does not end in .yml" },
		{ "fifo.yml", "\"/fifo.yml\" is neither a file nor a directory" },
		{ "text.txt/x.yml", "\"/text.txt/x.yml\": Not a directory" },
	};
	cleanup(place_fini) struct place p;

	place_init(&p);
	add_file(&p, "text.txt", "x");
	if (mkfifo(add_path(&p, "fifo.yml"), 0600) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup(buf_free) struct buf msg = { 0 };

		buf_printf(&msg, "/main.yml:1:11: include[0]: %s%s", cases[i].why, want);
		check_loaded(&p,
			     add_file(&p, "main.yml", "include: [%s]\n", cases[i].entry),
			     buf_str(&msg));
	}
	check_loaded(&p, add_file(&p, "main.yml", "include: [~]\n"),
		     "/main.yml:1:11: include[0]: is null; remove the element, or give "
		     "the path of a .yml file, or of a directory of such files");
	check_loaded(&p, add_file(&p, "main.yml", "include: ['']\n"),
		     "/main.yml:1:11: include[0]: is empty; want the path of a .yml "
		     "file, or of a directory of such files");
}

TEST(an_included_file_includes_nothing)
{
	cleanup(place_fini) struct place p;

	place_init(&p);
	add_file(&p, "two.yml", "jobs: []\n");
	add_file(&p, "one.yml", "jobs: []\ninclude: [two.yml]\n");
	check_loaded(
		&p, add_file(&p, "main.yml", "include: [one.yml]\n"),
		"/one.yml:2:11: include[0]: an included file cannot include others; list "
		"them all in the main file");
	add_file(&p, "none.yml", "jobs: []\ninclude: []\n");
	check_loaded(&p, add_file(&p, "main2.yml", "include: [none.yml]\n"), "");
}

TEST(names_differ_across_files)
{
	cleanup(place_fini) struct place p;

	place_init(&p);
	add_jobs(&p, "one.yml", "same");
	add_jobs(&p, "two.yml", "same");
	check_loaded(
		&p, add_file(&p, "main.yml", "include: [one.yml, two.yml]\n"),
		"/two.yml:1:27: jobs[0].name: \"same\" is also the name of the job at "
		"/one.yml:1; names must differ");
}

TEST(an_entry_in_the_working_directory_only_is_taken_with_a_warning)
{
	cleanup(place_fini) struct place p;
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(str_freep) char *before = getcwd(NULL, 0);

	place_init(&p);
	add_dir(&p, "etc");
	add_dir(&p, "cwd");
	add_jobs(&p, "cwd/one.yml", "one");
	const char *main = add_file(&p, "etc/main.yml", "include: [one.yml]\n");
	cleanup(buf_free) struct buf cwd = { 0 };

	buf_printf(&cwd, "%s/cwd", p.dir);
	REQUIRE(before && chdir(buf_str(&cwd)) == 0);
	cleanup(config_freep) struct config *c = config_load(main, &err);

	CHECK_INT(chdir(before), 0);
	REQUIRE(c && c->n_jobs == 1 && c->n_warnings == 1);
	CHECK_STR(c->jobs[0].file, "one.yml");
	CHECK(strstr(c->warnings[0],
		     "/etc/main.yml:1:11: include[0]: \"one.yml\" is not beside this "
		     "file, but in the working directory"));
}

TEST(all_files_are_checked_whatever_is_wrong_with_one)
{
	cleanup(place_fini) struct place p;
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(buf_free) struct buf want = { 0 };

	place_init(&p);
	add_file(&p, "a.yml", "jobs: [\n");
	add_file(&p, "b.yml", "jobs:\n- {type: nothing, name: x}\n");
	add_jobs(&p, "c.yml", "same");
	add_jobs(&p, "d.yml", "same");
	const char *main = add_file(&p, "main.yml",
				    "include: [a.yml, z.yml, b.yml, c.yml, d.yml]\n"
				    "global: {loging: []}\n");

	CHECK(!config_load(main, &err));
	CHECK_INT(err.kind, ERR_INVALID);
	buf_printf(
		&want,
		"%s/main.yml:1:18: include[1]: \"%s/z.yml\": No such file or directory; "
		"want the path of a .yml file, or of a directory of such files\n"
		"%s/main.yml:2:10: global.loging: unknown key, perhaps \"logging\" is "
		"meant; global has logging, monitoring, control, serve\n"
		"%s/a.yml:2:1: did not find expected node content, while parsing a "
		"flow node that began in line 2; close the bracket\n"
		"%s/b.yml:2:10: jobs[0].type: job type \"nothing\" is unknown; there "
		"are push, sink, snap, pull, source\n"
		"%s/d.yml:1:27: jobs[0].name: \"same\" is also the name of the job at "
		"%s/c.yml:1; names must differ",
		p.dir, p.dir, p.dir, p.dir, p.dir, p.dir, p.dir);
	CHECK_STR(err_msg(&err), buf_str(&want));
	CHECK_INT(config_wrap(&err), -1);
	CHECK(strncmp(err_msg(&err), "could not parse config: 5 problems\n/", 36) == 0);
}

TEST(the_number_of_included_files_is_limited)
{
	cleanup(place_fini) struct place p;
	struct strs files = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;
	bool from_cwd;

	place_init(&p);
	add_dir(&p, "d");
	for (int i = 0; i <= SOURCE_MAX_INCLUDED; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/%d.yml", i);
		add_file(&p, name, "\n");
	}
	CHECK_INT(source_expand(p.made.v[1], p.made.v[0], &files, &from_cwd, &err), -1);
	CHECK_STR(err_msg(&err), "more than 1000 files are included");
	strs_free(&files);
}

/* ---- reading and finding ---- */

TEST(a_file_that_cannot_be_read_says_why)
{
	cleanup(place_fini) struct place p;
	cleanup(err_clear) struct err err = ERR_INIT;

	place_init(&p);
	add_dir(&p, "d");
	check_loaded(&p, p.made.v[0], "/d: cannot read: Is a directory");
	CHECK(!config_load("/nonexistent/zrepl.yml", &err));
	CHECK_STR(err_msg(&err),
		  "/nonexistent/zrepl.yml: cannot open: No such file or directory");
	CHECK_INT(err.kind, ERR_SYSTEM);
	CHECK_INT(err.sys, ENOENT);
}

TEST(a_file_that_is_too_large_is_not_read_to_its_end)
{
	cleanup(place_fini) struct place p;
	cleanup(buf_free) struct buf text = { 0 };
	cleanup(err_clear) struct err err = ERR_INIT;

	place_init(&p);
	const char *path = add_file(&p, "large.yml", "#");

	REQUIRE(truncate(path, 80 << 20) == 0);
	CHECK_INT(source_read(path, &text, &err), -1);
	CHECK(text.cap < (32 << 20));
	check_loaded(&p, path,
		     "/large.yml:1:1: the file is longer than 8388608 bytes; is it a "
		     "configuration file?");
	REQUIRE(truncate(path, YAML_MAX_BYTES) == 0);
	err_clear(&err);
	CHECK_INT(source_read(path, &text, &err), 0);
	CHECK_INT(text.len, YAML_MAX_BYTES);
}

TEST(rubbish_is_one_clear_error)
{
	cleanup(place_fini) struct place p;

	place_init(&p);
	check_loaded(&p,
		     add_file(&p, "elf.yml",
			      "\x7f"
			      "ELF\x02\x01"),
		     "/elf.yml:1:1: control characters are not allowed (byte 0x7f); save "
		     "the file as UTF-8 text");
	check_loaded(&p, add_file(&p, "latin1.yml", "jobs: [] # \xe4\n"),
		     "/latin1.yml:1:12: incomplete UTF-8 octet sequence; save the file "
		     "as UTF-8 text");
}

TEST(the_first_candidate_that_exists_is_the_file)
{
	cleanup(place_fini) struct place p;
	cleanup(err_clear) struct err err = ERR_INIT;

	place_init(&p);
	add_file(&p, "b.yml", "jobs: []\n");
	add_file(&p, "c.yml", "jobs: []\n");
	add_dir(&p, "d.yml");
	const char *b = p.made.v[0], *c = p.made.v[1], *d = p.made.v[2];

	CHECK_STR(
		source_find((const char *const[]){ "/nonexistent/a.yml", c, b }, 3, &err),
		c);
	CHECK(!source_find((const char *const[]){ d, c }, 2, &err));
	CHECK_INT(err.kind, ERR_INVALID);
	CHECK(strstr(err_msg(&err), "/d.yml: not a regular file"));
	CHECK(!source_find((const char *const[]){ "/nonexistent/a", "/nonexistent/b" }, 2,
			   &err));
	CHECK_INT(err.kind, ERR_SYSTEM);
	CHECK_STR(err_msg(&err), "no configuration file, neither /nonexistent/a nor "
				 "/nonexistent/b: No such file or directory");
}

TEST_MAIN()
