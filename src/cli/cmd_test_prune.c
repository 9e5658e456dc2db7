#include "cli/local_zfs.h"
#include "cli/options.h"
#include "cli/prune_text.h"
#include "conf/config.h"
#include "job/preview.h"

#include <signal.h>
#include <string.h>

enum { MAX_SIDES = 2 };

struct question {
	const struct config *config;
	const struct conf_job *job;
	struct prune_text_side sides[MAX_SIDES];
	size_t n;
};

static void question_fini(struct question *q)
{
	for (size_t i = 0; i < q->n; i++) {
		prune_plan_free(&q->sides[i].plan);
		err_clear(&q->sides[i].err);
	}
}

static int parse_side(const char *word, enum prune_side *out)
{
	for (enum prune_side s = PRUNE_SENDER; s <= PRUNE_LOCAL; s++) {
		if (strcmp(prune_side_name(s), word) == 0) {
			*out = s;
			return 0;
		}
	}
	return -1;
}

static void add_side(struct question *q, enum prune_side side)
{
	q->sides[q->n++].side = side;
}

/* Where nobody says which: as the job prunes them. */
static void add_all_sides(struct question *q)
{
	if (q->job->type == JOB_SNAP) {
		add_side(q, PRUNE_LOCAL);
		return;
	}
	add_side(q, PRUNE_SENDER);
	add_side(q, PRUNE_RECEIVER);
}

/* The second side needs all that the first does: one that fails is the last. */
static int ask(struct question *q, struct err *err)
{
	static const struct log nobody;
	cleanup(local_zfs_fini) struct local_zfs z = { 0 };
	struct job_surroundings s = { .env = &z.env, .global = &q->config->global };
	struct preview_opts o = { .config = q->config, .job = q->job, .s = &s };

	if (local_zfs_init(&z, err) < 0)
		return -1;
	s.zfs = z.zfs;
	s.log = nobody;
	for (size_t i = 0; i < q->n; i++) {
		struct prune_text_side *side = &q->sides[i];

		o.side = side->side;
		if (preview_prune(z.ctx, &o, &side->plan, &side->err) < 0)
			q->n = i + 1;
	}
	return 0;
}

static int print(const struct question *q, bool json, struct err *err)
{
	cleanup(tzif_freep) struct tzif *zone = tzif_load("Local", err);
	cleanup(buf_free) struct buf out = { 0 };

	if (!zone)
		return -1;
	if (json)
		prune_text_put_json(&out, q->job->name, q->sides, q->n);
	for (size_t i = 0; i < q->n && !json; i++)
		prune_text_put(&out, &q->sides[i], zone);
	fwrite(out.p, 1, out.len, stdout);
	return 0;
}

/* What of it went wrong, in a line for each side. */
static int verdict(const struct question *q)
{
	int status = 0;

	fflush(stdout);
	for (size_t i = 0; i < q->n; i++) {
		const struct prune_text_side *s = &q->sides[i];
		struct prune_counts c = { 0 };

		prune_text_count(s, &c);
		if (s->err.kind != ERR_NONE)
			fprintf(stderr, "%s: %s\n", prune_side_name(s->side),
				err_msg(&s->err));
		else if (c.errors > 0)
			fprintf(stderr,
				"%s: %zu of %zu filesystems could not be planned\n",
				prune_side_name(s->side), c.errors, c.filesystems);
		if (c.errors > 0)
			status = 1;
	}
	return status;
}

static int run(const struct command *self, const char *config_path, int argc, char **argv)
{
	cleanup(err_clear) struct err err = ERR_INIT;
	cleanup(config_freep) struct config *config = NULL;
	cleanup(question_fini) struct question q = { 0 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	const char *side_word = NULL;
	enum prune_side side = PRUNE_LOCAL;
	bool json = false;
	const struct option_spec specs[] = {
		{ "side", 0, &side_word, NULL },
		{ "json", 0, NULL, &json },
	};
	int n = options_parse(self, specs, ARRAY_LEN(specs), argc, argv);

	if (n < 0)
		return 1;
	if (n != 1)
		return cli_usage_error(self, "expected 1 argument: a job");
	if (side_word && parse_side(side_word, &side) < 0)
		return cli_usage_error(
			self, "--side must be sender or receiver, not \"%s\"", side_word);
	if (!(config = cli_load(config_path, &err)))
		return cli_fail(&err);
	q.config = config;
	if (!(q.job = cli_find_job(config, argv[1], &err)))
		return cli_fail(&err);
	if (side_word)
		add_side(&q, side);
	else
		add_all_sides(&q);
	sigaction(SIGPIPE, &ignore, NULL); /* of connections */
	if (ask(&q, &err) < 0 || print(&q, json, &err) < 0)
		return cli_fail(&err);
	return verdict(&q);
}

const struct command cmd_test_prune = {
	.name = "prune",
	.parent = &cmd_test,
	.args = "JOB [--side sender|receiver] [--json]",
	.summary = "what would a job's pruning destroy and keep now, and why?",
	.help = "Lists both sides of a push or pull job, and asks the other host over "
		"the job's own\n"
		"transport; or the one side of a snap job.  Nothing is changed on "
		"either, and no\n"
		"daemon is asked.  Exits 1 if something could not be found out.\n"
		"\n"
		"Options:\n"
		"  --side SIDE  only this one: sender or receiver\n"
		"  --json       one JSON document\n",
	.run = run,
};
