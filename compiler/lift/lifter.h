/*
 * lifter.h - a block being lifted: its frames and calls, how a path of it raises and how all
 * of it is refused.
 */
#ifndef DEVGUARD_COMPILER_LIFT_LIFTER_H
#define DEVGUARD_COMPILER_LIFT_LIFTER_H

#include "compiler/lift/lift.h"
#include "compiler/lift/state.h"

struct call {
	mrb_sym mid;
	struct val recv;
	const struct val *args;
	size_t n;
	struct val block;    /* static nil: none */
	struct val keywords; /* a hash, or nil */
};

struct frame {
	struct frame *up;
	const struct closure *code;
	const mrb_irep *irep;
	uint32_t base, id;
	uint32_t pc;          /* of the instruction being evaluated */
	const struct call *call; /* what it was called with */
	uint32_t keywords_at;    /* register of the keywords not taken yet */
	bool is_root;
	uint32_t end;         /* of its registers */
	uint32_t escaped;     /* of the state it was entered with */
};

struct raised {
	term when;
	struct span at;
	const char *what;
	const char *hint;
	bool certain_class; /* NameError, NoMethodError, ArgumentError, TypeError */
	bool on_purpose;    /* an explicit raise */
};

struct lifter {
	struct lifting *all;
	struct raw *raw;     /* what is lifted is the method of a raw program; NULL: a rule's block */
	const mrb_irep *sum_irep; /* the one instruction that may store the sum of `MAP[key] += n` */
	uint32_t sum_pc;
	struct step **makes; /* by value of it: the step that makes it, NULL: none */
	size_t nmakes, makes_cap;
	/* scratch of steps.c: terms and values that were looked at, by the number of the look */
	uint32_t *looked_terms, *looked_values, look;
	size_t looked_terms_cap, looked_values_cap;
	struct interpreter *rb;
	mrb_state *mrb;
	struct arena *arena;
	struct terms *terms;
	jmp_buf bail;
	struct frame *frame;
	uint32_t next_frame, next_cell;
	uint64_t next_owner;
	unsigned depth;
	unsigned long fuel;
	size_t memory_before; /* bytes of the arena when the block was begun */
	struct raised *raised;
	size_t nraised, raised_cap;
	term *implied; /* by condition of a case: see path_implies() */
	size_t implied_cap;
};

/* ---- steps.c: what a raw program does on a path ------------------------------------------ */

/* One step, and those before it. Never changed: paths that parted share what they did before. */
struct trail { struct trail *up; unsigned depth; struct step step; };

/* Adds a step at the place of the call that is evaluated; the step, to be filled in. */
struct step *trail_step(struct lifter *l, struct state *st, enum step_kind kind);
/* A new value, with its name and range; its number. */
uint32_t trail_value(struct lifter *l, const char *name, int64_t lo, int64_t hi);
struct val trail_read(struct lifter *l, uint32_t value);
/* Does the condition read a value that was made since a and b parted? Then it is not known where they part. */
bool trail_reads_since(struct lifter *l, struct trail *a, struct trail *b, term condition);
/* Did either learn something since they parted? */
bool trail_learns_since(struct trail *a, struct trail *b);
/* What a and then b did, of which a is the case where `condition` holds: a step that chooses. */
struct trail *trail_merge(struct lifter *l, struct trail *a, struct trail *b, term condition);
/* Gives values that are called alike numbers, by the order of the steps that are left. */
void trail_name(struct lifter *l, const struct step *steps);
/* The steps in their order, without those that only learn what is never used. `kept`: terms used elsewhere. */
struct step *trail_steps(struct lifter *l, const struct trail *last, const term *kept, size_t nkept);

/* ---- refuse.c ----------------------------------------------------------------------------- */

/* Is the code of a frame in the policy's own text? */
bool lift_in_policy(const struct lifter *l, const struct frame *f);
/* The call that the policy's own text makes, where c (NULL: none) may be one
 * that the library makes on its way. NULL: the library is not involved. */
const struct call *lift_user_call(const struct lifter *l, const struct call *c);
/* "`any?` of an Array". */
const char *lift_call_text(struct lifter *l, const struct call *c);
/* "`key?` of a Hash takes 1 argument" from mruby's text on a call with a wrong
 * number of arguments; NULL for another text. */
const char *lift_takes(struct lifter *l, const struct call *c, const char *what);

/* Warns once of what is at this place. */
void lift_warn(struct lifter *l, const char *hint, const char *text);
/* Refuses the block. */
void lift_refuse(struct lifter *l, const char *hint, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* Refuses a method that the policy calls; `why` (or "") ends the sentence. */
void lift_refuse_method(struct lifter *l, const struct call *c, const char *why, const char *hint)
	__attribute__((noreturn));
/* Refuses a string made from what is not known; returns when v is none. */
void lift_refuse_text(struct lifter *l, struct val v);
/* Refuses a method of a path that is compared as a file, or one that is given it; returns when there is none. */
void lift_refuse_path(struct lifter *l, const struct call *c);
/* Pays for one instruction; refuses a block that needs too many, or too much memory. */
void lift_spend(struct lifter *l);

/* Ends a path by an exception. */
void lift_raise(struct lifter *l, struct state *st, struct RClass *class, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Where the last exception is about the number of arguments of a call, its hint
 * says what the method takes. */
void lift_hint_count(struct lifter *l, const struct call *c);

#endif
