/* term.h - hash-consed expressions over the inputs. */
#ifndef DEVGUARD_POLICY_TERM_H
#define DEVGUARD_POLICY_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/input.h"

struct arena;
struct asked;

typedef uint32_t term;
enum { T_FALSE = 0, T_TRUE = 1 };

enum term_op {
	/* booleans */
	TERM_FALSE, TERM_TRUE, TERM_NOT, TERM_AND, TERM_EQ, TERM_LT,
	/* integers */
	TERM_CONST, TERM_INPUT,
	TERM_ITE, /* c ? a : b */
	TERM_ADD, TERM_SUB, TERM_MUL, TERM_DIV, TERM_MOD, /* floor; total: see term_op */
	TERM_BAND, TERM_BOR, TERM_BXOR, TERM_SHL, TERM_SHR,
	TERM_OPS
};

struct term_node {
	uint8_t op;
	bool chooses;   /* it, or a term below it, is a TERM_ITE */
	term a, b, c;   /* operands; TERM_INPUT: a = enum input */
	int64_t lo, hi; /* every value it can have; TERM_CONST: lo == hi */
	input_set inputs; /* that it reads */
	uint32_t height; /* operations on the longest way to an input or constant */
};

struct terms;
struct terms *terms_new(struct arena *a);
/* A parameter's name and range; before any term reads it. */
void terms_param(struct terms *ts, enum input in, const char *name, int64_t lo, int64_t hi);
/* What is asked of the calling task by these terms: its questions are inputs from IN_ASK_0 on, and values of inputs of
 * FACT_FILE have their names there (policy/asked.h). */
struct asked *terms_asked(const struct terms *ts);
/* The name of an input, of a parameter its own, of an ask as it is asked. */
const char *terms_input_name(const struct terms *ts, enum input in);
const struct term_node *term_get(const struct terms *ts, term t);
size_t terms_count(const struct terms *ts);
/* The operands of a term: how many, 0 of constants and inputs. */
size_t term_operands(const struct term_node *k, term out[3]);

term term_const(struct terms *ts, int64_t v);
term term_input(struct terms *ts, enum input in);
/* A value of a raw program (policy/raw.h): an input behind INPUT_MAX. In sets of inputs all of them are INPUT_VALUES. */
enum { INPUT_VALUES = 63 };
term term_value(struct terms *ts, uint32_t number, int64_t lo, int64_t hi);
/* What it is called: terms_input_name() of its input. */
void terms_value_name(struct terms *ts, uint32_t number, const char *name);
/* Integer operations are total, so that a term may be evaluated where its
 * guard does not hold: they wrap at 64 bits; SHL and SHR (arithmetic) use the
 * low six bits of the count; DIV and MOD take the divisor as unsigned:
 * s = a >> 63, DIV = ((a ^ s) / b) ^ s with x / 0 = 0, MOD = a - b * DIV, which
 * is Ruby's floor division and modulo for b > 0. */
term term_op(struct terms *ts, enum term_op op, term a, term b);
/* Is its result a truth value, not a number? */
bool term_op_is_bool(enum term_op op);
/* Do the operands change places without a difference? A constant is the second; of others
 * the one with the smaller id is the first. */
bool term_commutes(enum term_op op);
/* c ? a : b for integers a and b; the condition that is kept is never a NOT. */
term term_ite(struct terms *ts, term c, term a, term b);
/* Boolean constructors fold and normalise: only NOT, AND, EQ and LT are kept. */
term term_not(struct terms *ts, term a);
term term_and(struct terms *ts, term a, term b);
term term_or(struct terms *ts, term a, term b);
term term_eq(struct terms *ts, term a, term b);
term term_lt(struct terms *ts, term a, term b); /* signed */
term term_le(struct terms *ts, term a, term b);
/* lo <= a <= hi */
term term_between(struct terms *ts, term a, int64_t lo, int64_t hi);
/* Narrows *lo..*hi, a range of t, by what the conjunction `given` says; looks a
 * bounded way into both. */
void term_range_given(const struct terms *ts, term given, term t, int64_t *lo, int64_t *hi);
/* Value of a term for values of the inputs (indexed by enum input): 0 or 1 for
 * a boolean. Total, iterative. */
int64_t term_eval(struct terms *ts, term t, const int64_t *inputs);
/* Bounds of its value while each input is within lo..hi (indexed by enum input): sound, and exact
 * where each input has one value. */
void term_bounds(struct terms *ts, term t, const int64_t *lo, const int64_t *hi, int64_t *least, int64_t *most);
/* A term of other terms, built in these: each input becomes inputs[it]; NULL: they are the same, parameters by their
 * numbers. */
term term_brought(struct terms *ts, struct terms *from, term t, const term *inputs);
/* A boolean term of one input, by value of that input, lo..hi: true or false up to `hi`, from
 * the piece before. 0: more than `max` pieces, or too much work. */
struct term_piece { int64_t hi; bool value; };
size_t term_pieces(struct terms *ts, term t, enum input in, int64_t lo, int64_t hi,
                   struct term_piece *out, size_t max);
/* The term with an input replaced by a value; with a condition (or its negation) true: choices
 * made by it, or by what it decides, become the arm. */
term term_substitute(struct terms *ts, term t, enum input in, int64_t value);
term term_assume(struct terms *ts, term t, term literal);
/* The term with one below it replaced by another of its kind. */
term term_replaced(struct terms *ts, term t, term old, term by);
/* The first choice below a condition that others are computed from; T_FALSE: there is none. */
term term_choice_in(struct terms *ts, term t);
/* A comparison of values that differ by path, case by case. */
struct term_case {
	term cond; /* T_FALSE: a leaf */
	term leaf;
	uint32_t yes, no; /* else what it is then, by their places, before this one */
};
/* How many parts, the whole as the last one; 0: it has no choices, or too many cases. */
size_t term_cases(struct terms *ts, struct arena *a, term t, struct term_case **parts);
/* One operation on constants, as term_op defines it. */
int64_t term_apply(enum term_op op, int64_t a, int64_t b);
/* "major == 195 && minor < 4": for people; cut to about `limit` bytes. */
char *term_text(struct arena *a, const struct terms *ts, term t, size_t limit);
/* A boolean term as the body of a block of `ctx`, which knows nparams parameters; NULL: it cannot be said
 * (halves of comm, other parameters), or is long. */
char *term_ruby(struct arena *a, const struct terms *ts, size_t nparams, term t);
/* The whole DAG below the given roots, one numbered line a node (--emit=terms). */
void terms_dump(FILE *out, const struct terms *ts, const term *roots, const char *const *names,
                size_t n);

#endif
