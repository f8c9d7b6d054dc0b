/* judged.h - what goes to a child that makes something of a policy, and what it hands back: between load.c, or who else
 * has a policy, and judged.c. */
#ifndef DEVGUARD_CMD_JUDGED_H
#define DEVGUARD_CMD_JUDGED_H

#include "cmd/room/record.h"
#include "cmd/unit.h"

/* What is to be loaded, and how. */
struct loading {
	struct cmd *cmd;
	const struct settings *settings;
	const struct load *load;
	bool source; /* a list or programs: no child ran before the one that proves it */
};

/* What a child hands back. */
struct delivery {
	struct cmd *cmd;
	unsigned char *policy; /* of the child that ran it */
	size_t npolicy;
	struct recorded record;
	bool has_record;
	char *text;
	struct verdict *verdicts; /* of mruby, one a frame */
	size_t nverdicts, verdicts_max;
	struct claims_told claims;
};

/* A job for a child, and what it is about. */
struct errand {
	struct job job; /* kind and flags */
	const struct ruby_ask *ask; /* or NULL */
	const char *file;
	const void *text;
	size_t len;
	bool go_on;
	bool first; /* nothing was done for this policy before */
};

/* ---- judged.c ---------------------------------------------------------------------------- */

/* Sends a job and waits for what comes of it. STATUS_OK or a status with diagnostics. */
int errand_run(const struct loading *g, struct room *r, const struct errand *o, struct delivery *d);
/* Has the policy proven in a child that ran no Ruby. The same. */
int unit_judge(const struct loading *g, struct room *r, enum job_kind kind, const char *file, const void *text,
               size_t len, struct unit *u);
/* The child that proved it goes on only for those who will ask it. Returns `status`. */
int unit_loaded(struct cmd *c, int status, const struct load *l, struct unit *u);

#endif
