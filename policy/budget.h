/*
 * budget.h - how much memory a compilation may take, and what it is doing now.
 *
 * Whoever ends a compilation from outside reads `progress` to say where it was; the
 * compilation only writes it.
 */
#ifndef DEVGUARD_POLICY_BUDGET_H
#define DEVGUARD_POLICY_BUDGET_H

#include <stddef.h>
#include <stdint.h>

/* Stages of a compilation, in their order. */
enum stage {
	STAGE_START, STAGE_PARSE, STAGE_RUN, STAGE_LIFT, STAGE_READ, STAGE_DIAGRAM, STAGE_EMIT,
	STAGE_PROVE, STAGE_CLAIMS, STAGE_LINT, STAGE_ASK, STAGE_COVER, STAGE_WRITE, STAGES
};
/* "running the file", "proving the program" ... */
extern const char *const stage_words[STAGES];

struct progress {
	volatile uint32_t stage; /* enum stage */
	volatile uint32_t file;  /* 0: the policy; n: the n-th file it loaded */
	volatile int32_t line;   /* 0: not known */
	volatile uint32_t done;  /* how much of what it was given the user half is done with */
};

struct budget {
	size_t used, limit; /* bytes */
	/* Called when more than the limit is asked for; does not return. */
	void (*over)(struct budget *b);
	struct progress *progress;
};

/* Counts `size` more bytes. */
void budget_take(struct budget *b, size_t size);
/* Says what is being done now; a NULL budget is told nothing. line 0: not known. */
void budget_stage(struct budget *b, enum stage stage);
void budget_line(struct budget *b, int line);

#endif
