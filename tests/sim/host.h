/*
 * host.h - a simulated machine for tests: simzfs first in PATH, with pools of its own.
 *
 *	sim_start();
 *	CHECK(sim("create -p tank/a"));
 *	CHECK(sim("sim-version tank/a@1 %d zrepl_STEP_J_j", 1));
 *	CHECK_SHOW("tank/a", "tank/a @1{zrepl_STEP_J_j}");
 *
 * The environment is the process's, so there is one machine at a time; call these while
 * no other thread runs.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "base/base.h"

/* A new, empty machine, without settings. */
void sim_start(void);

/* zfs, with these words as arguments; did it succeed?  No word can have a blank in it. */
bool sim(const char *fmt, ...) printf_like(1, 2);

/* A setting of sim.h: sim_set("SIMZFS_FAIL", "hold "); NULL: none. */
void sim_set(const char *name, const char *value);

/* What a zfs command prints, without the last newline; NULL if it fails.  The caller
 * frees. */
char *sim_output(const char *fmt, ...) printf_like(1, 2);

/* The line that sim-show prints about a dataset is the wanted one. */
#define CHECK_SHOW(fs, want)                              \
	do {                                              \
		char *shown = sim_output("sim-show " fs); \
		CHECK_STR(shown, (want));                 \
		free(shown);                              \
	} while (0)

#endif
