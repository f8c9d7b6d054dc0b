/* compare_internal.h - how requests that two policies decide differently are counted: shared by the compare files
 * only. */
#ifndef DEVGUARD_POLICY_COMPARE_INTERNAL_H
#define DEVGUARD_POLICY_COMPARE_INTERNAL_H

#include "policy/arena.h"
#include "policy/comm.h"
#include "policy/diagram_internal.h"
#include "policy/interval.h"
#include "policy/request.h"
#include "policy/term_box.h"

/* Is there a caller for whom it is so? MAYBE: not for each of the devices asked about alike, or it cannot be told. */
enum exists { NEVER, MAYBE, ALWAYS };

/* A free variable, as it is asked for while inputs are within bounds. */
struct free_term {
	struct term_box is;
	input_set inputs;
	/* A comparison of a fact with what does not hang on it: `fact` == `other`; -1: it is none. */
	int fact;
	struct term_box other;
	/* A comparison of bytes of comm: (its half & mask) == bytes; -1: it is none. */
	int half;
	uint64_t mask, bytes;
};

struct literal { uint32_t free; bool value; };

struct search {
	struct arena *arena;
	struct diagrams *dg;
	struct terms *ts;
	uint8_t *callers;     /* by node: 0: not known yet, else 1 + enum exists */
	input_set *reads;     /* by node: what the free variables below it read, HAS_FREE with them */
	struct free_term *free;
	size_t nfree;
	int8_t *against;      /* by two literals: 0: not known yet, 1: both can be, 2: they cannot */
	int64_t lo[INPUT_MAX], hi[INPUT_MAX]; /* of the search now */
	struct literal *literals;             /* on the way that is looked at */
	size_t nliterals;
	bool *skip;           /* scratch, by literal */
	long long work;       /* what may still be done */
	int64_t fact[INPUT_MAX]; /* of the caller that was found last */
	uint32_t hangs;       /* a free variable that could not be told, 1 + its index; 0: none */
};
#define HAS_FREE ALL_COMPARISONS
enum { RELATED_MAX = 64 }; /* free variables, of which `against` is kept */

/* ---- compare_caller.c --------------------------------------------------------------------- */

/* Of a boolean function of facts about the caller, without free variables: is it true of any? */
bool caller_exists(struct search *s, node n);
/* One of whom it is true, into s->fact; facts that are not asked for are left. */
void caller_choose(struct search *s, node n);
/* A value of lo..hi that looks like one. */
int64_t fact_within(enum input in, int64_t lo, int64_t hi);

/* ---- compare_free.c ------------------------------------------------------------------------ */

/* Of a function of facts and free variables, with the device within s->lo..s->hi: is there a caller for each of
 * these devices? ALWAYS: s->fact is one, of the first device. */
enum exists caller_for_each(struct search *s, node n);

/* ---- compare_count.c ----------------------------------------------------------------------- */

struct counted {
	uint64_t least, most; /* requests */
	bool found;
	struct request one;   /* with all facts */
	term hangs;           /* a condition that could not be told; T_FALSE: none */
};
/* The requests that the kernel asks, and that a boolean function is true of for some caller. */
void requests_counted(struct arena *a, struct diagrams *dg, struct terms *ts, node n, struct counted *out);

#endif
