#include "daemon/daemon.h"

#include "base/version.h"
#include "daemon/control.h"
#include "daemon/exporter.h"
#include "daemon/outlets.h"
#include "daemon/process_metrics.h"
#include "zfs/meter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct running {
	struct ctx *ctx;
	struct job **jobs;
	size_t n_jobs;
	struct offers offers;
};

/* Signals become readable, and are not ignored, whatever our parent did; SIGPIPE becomes
 * EPIPE.  Threads inherit the mask. */
static int open_signals(struct err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction def = { .sa_handler = SIG_DFL };
	sigset_t set;
	int fd;

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGINT, &def, NULL);
	sigaction(SIGTERM, &def, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, errno, "sigprocmask");
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "signalfd") : fd;
}

static const char *wait_for_signal(int fd)
{
	struct signalfd_siginfo si = { 0 };

	while (read(fd, &si, sizeof(si)) < 0 && errno == EINTR)
		;
	return si.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM";
}

static void restore_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void stop_kind(struct running *r, bool is_passive)
{
	for (size_t i = 0; i < r->n_jobs; i++)
		if (job_is_passive(r->jobs[i]) == is_passive)
			job_stop(r->jobs[i]);
}

/* Passive ones last: an active job may still be using one until it has stopped. */
static void stop_jobs(struct running *r)
{
	ctx_cancel(r->ctx);
	stop_kind(r, false);
	stop_kind(r, true);
}

static void free_jobs(struct running *r)
{
	for (size_t i = 0; i < r->n_jobs; i++)
		if (!job_is_passive(r->jobs[i]))
			job_free(TAKE(r->jobs[i]));
	for (size_t i = 0; i < r->n_jobs; i++)
		job_free(r->jobs[i]);
	free(r->jobs);
	offers_free(&r->offers);
	ctx_free(r->ctx);
}

static void make_jobs(struct running *r, const struct config *config,
		      struct job_surroundings *s)
{
	s->offers = &r->offers;
	r->ctx = ctx_new(NULL);
	r->jobs = xcalloc(config->n_jobs, sizeof(struct job *));
	for (; r->n_jobs < config->n_jobs; r->n_jobs++)
		r->jobs[r->n_jobs] = job_new(&config->jobs[r->n_jobs], s);
}

static void run_jobs(struct running *r, const struct log *log, int signal_fd)
{
	for (size_t i = 0; i < r->n_jobs; i++)
		job_start(r->jobs[i], r->ctx);
	log_info(log, "stopping: received %s", wait_for_signal(signal_fd));
	/* From now on a signal has its default effect: a second one ends at once. */
	restore_signals();
	stop_jobs(r);
}

/* Many steps at a time need many pipes: take all we may have. */
static void raise_descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static struct exporter *start_exporter(const struct conf_global *conf,
				       struct metrics *metrics, const struct log *log)
{
	if (!conf->prometheus)
		return NULL;
	return exporter_start(&(struct exporter_opts){
		.conf = conf->prometheus,
		.metrics = metrics,
		.log = { log->write, log->arg, "_prometheus", "job" },
	});
}

static void log_beginning(const struct log *log, const struct config *config)
{
	cleanup(str_freep) char *version = version_text(version_info());

	log_info(log, "%s", version);
	for (size_t i = 0; i < config->n_warnings; i++)
		log_warn(log, "%s", config->warnings[i]);
}

int daemon_run(const struct config *config, const struct env *env, int log_fd,
	       struct err *err)
{
	cleanup(metrics_freep) struct metrics *metrics =
		config->global.prometheus ? metrics_new() : NULL;
	cleanup(outlets_freep) struct outlets *outlets = NULL;
	cleanup(zfs_freep) struct zfs *zfs = NULL;
	cleanup(fd_closep) int signal_fd = open_signals(err);
	struct exporter *exporter;
	struct control *control;
	struct running r = { 0 };
	struct log log, zfs_log;

	if (signal_fd < 0)
		return -1;
	raise_descriptor_limit();
	zfs_complete_path(); /* as long as there is one thread */
	outlets = outlets_new(
		&config->global,
		&(struct outlets_opts){ .stdout_fd = log_fd, .metrics = metrics }, err);
	if (!outlets)
		return -1;
	log = outlets_log(outlets);
	zfs_log = log_with_subsystem(&log, "zfs.cmd");
	zfs = zfs_new(env, &zfs_log);
	zfs_meter(zfs, metrics);
	process_metrics_start(metrics);
	log_beginning(&log, config);

	make_jobs(&r, config,
		  &(struct job_surroundings){ .zfs = zfs,
					      .env = env,
					      .global = &config->global,
					      .log = log,
					      .metrics = metrics });
	control = control_start(
		&(struct control_opts){
			.sockpath = config->global.control_sockpath,
			.jobs = r.jobs,
			.n_jobs = r.n_jobs,
			.zfs = zfs,
			.env = env,
			.log = { log.write, log.arg, "_control", "job" },
			.metrics = metrics,
		},
		err);
	if (control) {
		exporter = start_exporter(&config->global, metrics, &log);
		log_info(&log, "starting daemon");
		run_jobs(&r, &log, signal_fd);
		exporter_stop(exporter);
		control_stop(control);
		log_info(&log, "daemon exiting");
	}
	free_jobs(&r);
	return control ? 0 : err_wrap(err, "control socket");
}
