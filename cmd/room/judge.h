/* judge.h - what the child that proves a policy keeps of it, and what it can be asked. */
#ifndef DEVGUARD_CMD_ROOM_JUDGE_H
#define DEVGUARD_CMD_ROOM_JUDGE_H

#include "cmd/room/inside.h"

struct judge {
	struct inside *in;
	const char *file;      /* what it is called in messages */
	struct policy *policy; /* NULL: a program of several that cannot be read */
	struct policy_diagram diagram;
	struct image image; /* ninsns 0: none */
	size_t unknown;     /* values that a program decides by, and that are not understood */
	const struct dump *program; /* JOB_EACH: as the kernel has it */
	const char *told;      /* JOB_EACH: the text of its struct part */
	struct judge *parts;   /* JOB_EACH: each program by itself */
	size_t nparts;
	bool (*read_list)(struct judge *j, const struct order *o); /* JOB_OCI; NULL: this program takes none */
};

/* work_judge.c: the whole work of a judge. */
void judge_work(struct inside *in, bool (*read_list)(struct judge *j, const struct order *o));

/* work_programs.c: programs of the kernel, all of which must allow, as the rules that mean the same. With
 * JOB_EACH each is a part too; then one that cannot be read is no failure of the others. False: it
 * failed. */
bool judge_reads_programs(struct judge *j, const struct order *o);

/* Each answers one frame; what it takes from j->in->arena is given back after it. False: it failed, and
 * a message may say why. */

/* work_tell.c: FRAME_DUMP, a listing. */
bool judge_tells(struct judge *j, const struct frame *f);
/* work_explain.c: FRAME_EXPLAIN, what it amounts to, as FRAME_RULES. */
bool judge_explains(struct judge *j, const struct frame *f);

/* work_claims.c: the claims of the policy itself, told one by one; true: all hold. Then FRAME_CLAIMS, those of a file
 * of its own: what cannot be told is told, and is no failure. */
bool judge_proves_claims(struct judge *j, bool lint);
bool judge_claims(struct judge *j, const struct frame *f);
/* work_rule.c: FRAME_RULE, by which rule of its own policy a program of ours decides. */
/* The policy that stands in a program, its parameters as they are; *meaning: the line that stands before it. NULL: none
 * does. */
struct policy *policy_in_program(struct arena *a, const char *file, const struct dump *program, const char **meaning);
/* The names of files and cgroups that the policy in a program of ours compares with: what its numbers stand for. */
struct asked;
void names_in_program(struct arena *a, const char *file, const struct dump *program, struct asked *to);
bool judge_tells_rule(struct judge *j, const struct frame *f);

/* work_names.c: FRAME_NAMES, what that policy names; also of a program that cannot be read. */
bool judge_tells_names(struct judge *j, const struct frame *f);

/* work_cover.c: FRAME_COVER, requests. */
bool judge_covers(struct judge *j, const struct frame *f);

/* work_compare.c: FRAME_SHARE, the policy for another judge; FRAME_COMPARE, with one of another. */
bool judge_shares(struct judge *j, const struct frame *f);
bool judge_compares(struct judge *j, const struct frame *f);
/* work_verify.c: FRAME_VERIFY, a program; nothing: the one that was read, with the policy that stands in it. */
bool judge_verifies(struct judge *j, const struct frame *f);

#endif
