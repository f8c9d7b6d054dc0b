/* carried.h - what a bundle has with it, and its verbs. */
#ifndef DEVGUARD_CMD_BUNDLE_GUARD_CARRIED_H
#define DEVGUARD_CMD_BUNDLE_GUARD_CARRIED_H

#include <stddef.h>

struct cmd;
struct load;
struct unit;
struct verb;

struct carried {
	const char *policy; /* its name */
	const void *object;
	size_t nobject;
};

/* ---- carried.c ----------------------------------------------------------------------- */

/* Finds it in memory, and looks whether the file is whole. NULL, or what is wrong. A file that is cut short ends the
 * process, with a message in the name of `name`. */
const char *carried_find(const char *name);
/* The one that was found. */
const struct carried *carried(void);

/* ---- load.c -------------------------------------------------------------------------- */

/* Has the policy proven, with the settings of the command line. STATUS_OK or a status with diagnostics. */
int carried_load(struct cmd *c, const struct load *l, struct unit *u);

/* ---- guard.c ------------------------------------------------------------------------- */

/* Runs what the command line says. `has`: for --version, see struct cli. Returns the exit status. */
int guard_main(const struct verb *const *verbs, size_t nverbs, const char *has, int argc, char **argv);

/* Verbs that are not the tool's own. */
extern const struct verb guard_apply, guard_watch, guard_detach, guard_explain;

#endif
