/*
 * hook.h - the OCI hook: shared by hook.c, hook_state.c and install.c.
 */
#ifndef DEVGUARD_CMD_HOOK_H
#define DEVGUARD_CMD_HOOK_H

#include "cmd/cmd.h"

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

#endif
