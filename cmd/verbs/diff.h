/* diff.h - what the files of the verb `diff` share. */
#ifndef DEVGUARD_CMD_VERBS_DIFF_H
#define DEVGUARD_CMD_VERBS_DIFF_H

#include "cmd/cmd.h"
#include "cmd/compare.h"

/* A side: a SOURCE, loaded. */
struct side {
	const char *source;
	struct unit unit;
	bool files; /* its rules stand in files */
};

struct diff {
	struct cmd *cmd;
	struct side side[2];
	bool quiet, github;
	bool looser_allowed, stricter_allowed;
	const char *replay; /* a file of records, "-"; NULL: the policies are compared */
};

/* ---- diff_tell.c ------------------------------------------------------------------------ */

/* "looser", "stricter", "both", "equal"; NULL: it is not known. */
const char *relation_word(const struct comparison *x);
/* All of it: as text, as annotations, or into c->json.out. */
void tell_comparison(const struct diff *d, const struct comparison *x);
/* A line: what side 0, "before", or 1 says, and who decides. */
void print_answer(const struct diff *d, int side, const struct decision *x);
/* A side's answer, for JSON: the verdict, and who decided. */
json_t *answer_json(const struct side *s, const struct decision *d);

/* ---- diff_replay.c ----------------------------------------------------------------------- */

/* Puts each recorded request to both sides; says which are decided otherwise. The exit status. */
int replay(const struct diff *d);

#endif
