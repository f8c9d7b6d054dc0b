/*
 * handlers.h - the meaning of C functions on runtime values: shared by
 * lift/methods.c (who calls), lift/table.c (which) and lift_handlers*.c (how).
 */
#ifndef DEVGUARD_COMPILER_LIFT_HANDLERS_H
#define DEVGUARD_COMPILER_LIFT_HANDLERS_H

#include "compiler/lift/lift.h"

enum {
	METHOD_PURE = 1,       /* mruby may run it when all is known */
	METHOD_RAW = 2,        /* the handler takes arguments that are choices */
	METHOD_CLASS_ONLY = 4, /* it asks about classes only, never about values */
	METHOD_FRESH = 8,      /* an array or hash it returns is new: the block may change it */
};

typedef struct flow (*handler)(struct lifter *l, struct state *st, const struct call *c, int arg);

struct method {
	const char *class, *name;
	int flags;
	handler handler; /* or NULL */
	int arg;         /* of the handler */
};

/* Ends with an entry without a name. */
extern const struct method method_table[];

/* An argument; nil: it is not given. */
struct val call_arg(const struct call *c, size_t i);
/* Refuses a call that would change what was there before the block. */
void method_refuse_write(struct lifter *l, const struct call *c, const char *hint) __attribute__((noreturn));
/* Refuses a call whose operands must be known when the policy is compiled. */
void method_needs_known(struct lifter *l, const struct call *c) __attribute__((noreturn));
/* The message of an exception. */
mrb_value mrb_exc_message(struct lifter *l, mrb_value exc);

/* lift/handlers.c: objects, numbers, ctx */
struct flow ctx_method(struct lifter *l, struct state *st, const struct call *c);
struct flow h_arithmetic(struct lifter *, struct state *, const struct call *, int op);
struct flow h_power(struct lifter *, struct state *, const struct call *, int);
struct flow h_compare(struct lifter *, struct state *, const struct call *, int op);
struct flow h_unary(struct lifter *, struct state *, const struct call *, int which);
struct flow h_divmod(struct lifter *, struct state *, const struct call *, int);
struct flow h_bits(struct lifter *, struct state *, const struct call *, int which);
struct flow h_between(struct lifter *, struct state *, const struct call *, int);
struct flow h_equal(struct lifter *, struct state *, const struct call *, int eql);
struct flow h_case_equal(struct lifter *, struct state *, const struct call *, int);
struct flow h_not_equal(struct lifter *, struct state *, const struct call *, int);
struct flow h_not(struct lifter *, struct state *, const struct call *, int);
struct flow h_itself(struct lifter *, struct state *, const struct call *, int);
struct flow h_raise(struct lifter *, struct state *, const struct call *, int);
struct flow h_lambda(struct lifter *, struct state *, const struct call *, int strict);
struct flow h_block_given(struct lifter *, struct state *, const struct call *, int);
struct flow h_send(struct lifter *, struct state *, const struct call *, int);
struct flow h_case_splat(struct lifter *, struct state *, const struct call *, int);

struct flow h_freeze(struct lifter *, struct state *, const struct call *, int);
struct flow h_frozen(struct lifter *, struct state *, const struct call *, int);
struct flow h_dup(struct lifter *, struct state *, const struct call *, int);

/* lift/strings.c */
struct flow h_never(struct lifter *, struct state *, const struct call *, int);
struct flow h_text(struct lifter *, struct state *, const struct call *, int);
struct flow h_comm(struct lifter *, struct state *, const struct call *, int which);
struct flow h_comm_size(struct lifter *, struct state *, const struct call *, int empty);

/* lift/arrays.c */
struct flow h_array_at(struct lifter *, struct state *, const struct call *, int);
struct flow h_array_end(struct lifter *, struct state *, const struct call *, int last);
struct flow h_array_size(struct lifter *, struct state *, const struct call *, int empty);
struct flow h_array_push(struct lifter *, struct state *, const struct call *, int);
struct flow h_array_change(struct lifter *, struct state *, const struct call *, int which);
struct flow h_array_store(struct lifter *, struct state *, const struct call *, int);
struct flow h_array_plus(struct lifter *, struct state *, const struct call *, int);
struct flow h_array_copy(struct lifter *, struct state *, const struct call *, int backwards);
struct flow h_array_compact(struct lifter *, struct state *, const struct call *, int);
struct flow h_array_find(struct lifter *, struct state *, const struct call *, int assoc);
struct flow h_array_of(struct lifter *, struct state *, const struct call *, int);
struct flow h_array_eq(struct lifter *, struct state *, const struct call *, int);
struct flow h_svalue(struct lifter *, struct state *, const struct call *, int);

/* lift/hashes.c */
struct flow h_hash_get(struct lifter *, struct state *, const struct call *, int only_key);
struct flow h_hash_store(struct lifter *, struct state *, const struct call *, int);
struct flow h_hash_delete(struct lifter *, struct state *, const struct call *, int);
struct flow h_hash_list(struct lifter *, struct state *, const struct call *, int values);
struct flow h_hash_value(struct lifter *, struct state *, const struct call *, int);
struct flow h_hash_size(struct lifter *, struct state *, const struct call *, int empty);
struct flow h_hash_clear(struct lifter *, struct state *, const struct call *, int);
struct flow h_hash_new(struct lifter *, struct state *, const struct call *, int);
struct flow h_hash_default(struct lifter *, struct state *, const struct call *, int);

/* lift/objects.c */
struct flow h_allocate(struct lifter *, struct state *, const struct call *, int);
struct flow h_exception_new(struct lifter *, struct state *, const struct call *, int);
struct flow h_attr_reader(struct lifter *, struct state *, const struct call *, int);
struct flow h_attr_writer(struct lifter *, struct state *, const struct call *, int);

/* lift/ranges.c */
struct flow h_range(struct lifter *, struct state *, const struct call *, int);
struct flow h_range_end(struct lifter *, struct state *, const struct call *, int last);

enum { UNARY_MINUS, UNARY_PLUS, UNARY_INVERT, UNARY_SUCC, UNARY_SAME, UNARY_ABS, UNARY_ZERO,
       UNARY_POSITIVE, UNARY_NEGATIVE, UNARY_NONZERO };
enum { BITS_ALL, BITS_ANY, BITS_NONE };
enum { COMM_START, COMM_END, COMM_INCLUDE };
enum { CHANGE_POP, CHANGE_SHIFT, CHANGE_UNSHIFT, CHANGE_CONCAT, CHANGE_REPLACE, CHANGE_CLEAR,
       CHANGE_REVERSE, CHANGE_DELETE_AT };

#endif
