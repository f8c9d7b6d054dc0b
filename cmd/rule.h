/* rule.h - by which rule of its policy a program of ours decides. */
#ifndef DEVGUARD_CMD_RULE_H
#define DEVGUARD_CMD_RULE_H

#include "cmd/unit.h"

struct rule_told {
	bool known;        /* false: there is no policy in the program, or it says something else */
	bool allow;        /* what the rule says, the mode aside */
	bool permissive;   /* and what is denied is let pass */
	bool is_default;   /* no rule matches */
	const char *policy; /* the policy's own file */
	const char *file;  /* the rule's; "": not known */
	int line;          /* 0: not known */
	const char *label, *source, *error; /* "": none. They come from a child: to be escaped */
	const char *params; /* "gpu=3 disk=16": its parameters as it runs */
	/* A rule that allows all accesses has to stand before this one; NULL: anywhere. */
	const char *before_file;
	int before_line;
	/* Other callers are allowed it: by this rule; file "": by default, but for the rule that denies it. */
	bool callers;
	const char *callers_file, *callers_source;
	int callers_line;
};
/* Of a program of several (each.h), as the program was when it was read. STATUS_OK or a status with
 * diagnostics. */
int unit_rule(struct cmd *c, const struct unit *u, const struct request_record *request, struct rule_told *out);

#endif
