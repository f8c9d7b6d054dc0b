/*
 * hook.h - the OCI hook: shared by hook.c, hook_state.c, install.c and install_file.c.
 */
#ifndef DEVGUARD_CMD_CONTAINERS_HOOK_H
#define DEVGUARD_CMD_CONTAINERS_HOOK_H

#include <sys/types.h>

#include "cmd/cmd.h"
#include "cmd/containers/guard.h"

/* The manifest, unless another one is named. */
#define MANIFEST "/etc/rucy-devguard/guard.yaml"

struct hook_state {
	const char *id, *bundle;
	const char *status; /* NULL: not told */
	int64_t pid;        /* 0: not told */
	const struct annotation *annotations;
	size_t nannotations;
};
/* Reads and checks stdin. STATUS_OK or a status with a diagnostic; what it gives lives
 * as long as the command. */
int hook_state_read(struct cmd *c, struct hook_state *out);

/* ---- install.c ------------------------------------------------------------------------- */

/* STATUS_OK with *fd, if only root can have written the file; else a status with a diagnostic. */
int open_trusted_file(struct cmd *c, const char *path, const char *hint, int *fd);

/* ---- install_file.c: the files of an installed hook -------------------------------------- */

/* The wrapper that a hook names, for this program. */
const char *wrapper_text(struct cmd *c, const char *program);
/* Was it written by install-hook? 1 yes, 0 there is none, -1 with a diagnostic. */
int hook_file_ours(struct cmd *c, const char *path);
int wrapper_ours(struct cmd *c, const char *path);
/* The directory and those above it. 0 or -1. */
int make_directories(struct cmd *c, const char *dir);
/* The file whole, or as it was. STATUS_OK or a status with a diagnostic. */
int hook_file_write(struct cmd *c, const char *path, const char *text, mode_t mode);
/* What to do about an errno. */
const char *hook_file_hint(int error);

#endif
