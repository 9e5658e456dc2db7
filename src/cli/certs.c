#include "cli/certs.h"

#include "net/tls.h"

/* NULL: the job needs none.  What would be logged is in the error, too.  *key: which of
 * the job's keys names its files. */
static struct tls *tls_of(const struct conf_job *j, const char **key)
{
	static const struct log nobody;

	*key = j->type == JOB_PUSH || j->type == JOB_PULL ? "connect" : "serve";
	switch (j->type) {
	case JOB_PUSH:
	case JOB_PULL:
		if (j->connect.type == CONNECT_TLS)
			return tls_client_new(&j->connect, &nobody);
		break;
	case JOB_SINK:
	case JOB_SOURCE:
		if (j->serve.type == SERVE_TLS)
			return tls_server_new(&j->serve, &nobody);
		break;
	case JOB_SNAP:
		break;
	}
	return NULL;
}

size_t certs_check(const struct config *c, FILE *to)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_jobs; i++) {
		cleanup(err_clear) struct err err = ERR_INIT;
		const struct conf_job *j = &c->jobs[i];
		const char *key;
		struct tls *t = tls_of(j, &key);
		struct conf_place at = conf_job_place(j, key);

		if (t && tls_load(t, &err) < 0) {
			fprintf(to,
				"cannot build jobs from config: %s:%u:%u: %s.%s: %s\n",
				j->file, at.line, at.column, j->path, key, err_msg(&err));
			n++;
		}
		tls_free(t);
	}
	return n;
}
