/*
 * methods.h - mruby's C functions in a block: what they mean on runtime values, each kind of
 * value in its own file, and what mruby may run itself.
 */
#ifndef DEVGUARD_COMPILER_LIFT_METHODS_H
#define DEVGUARD_COMPILER_LIFT_METHODS_H

#include "compiler/lift/flow.h"

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

/* The lines of a table of methods: mruby's own answer ... */
#define PURE(class, name) {class, name, METHOD_PURE, NULL, 0}
#define FRESH(class, name) {class, name, METHOD_PURE | METHOD_FRESH, NULL, 0}
#define CLASS(class, name) {class, name, METHOD_PURE | METHOD_CLASS_ONLY, NULL, 0}
/* ... that or a handler's, when something is known at run time only ... */
#define BOTH(class, name, handler, arg) {class, name, METHOD_PURE, handler, arg}
#define NEW(class, name, handler, arg) {class, name, METHOD_PURE | METHOD_FRESH, handler, arg}
/* ... or always a handler's. */
#define ONLY(class, name, handler, arg) {class, name, 0, handler, arg}
#define RAW(class, name, handler, arg) {class, name, METHOD_RAW, handler, arg}
#define METHODS_END {NULL, NULL, 0, NULL, 0}

/* What a file knows of the methods of its kind; each list ends with METHODS_END. */
extern const struct method common_methods[];
extern const struct method object_methods[], attribute_methods[]; /* attr_accessor :probe */
extern const struct method number_methods[];
extern const struct method string_methods[];
extern const struct method array_methods[];
extern const struct method hash_methods[];
extern const struct method range_methods[];

/* ---- native.c ------------------------------------------------------------------------------ */

/* An argument; nil: it is not given. */
struct val call_arg(const struct call *c, size_t i);
/* Refuses a call that would change what was there before the block. */
void method_refuse_write(struct lifter *l, const struct call *c, const char *hint) __attribute__((noreturn));
/* Refuses a call whose operands must be known when the policy is compiled. */
void method_needs_known(struct lifter *l, const struct call *c) __attribute__((noreturn));
/* Runs the function in mruby: all it needs is known. False: something is not. */
bool native_run(struct lifter *l, struct state *st, const struct call *c, int flags, struct flow *out);
/* A value of the same class, for questions about the class only. */
struct val native_stand_in(struct lifter *l, struct val v);

/* ---- hashes.c: hash[key] = value, of the hash in a cell ------------------------------------- */

void hash_store(struct lifter *l, struct state *st, uint32_t cell, struct val key, struct val value);

/* ---- arrays.c: a[i] with a known array and a runtime index ---------------------------------- */

struct flow lift_index(struct lifter *l, struct state *st, struct val array, struct val index);

/* ---- objects.c: instance variables of an object made in the block --------------------------- */

struct val object_get(struct lifter *l, const struct state *st, struct val object, mrb_sym name);
void object_set(struct lifter *l, struct state *st, struct val object, mrb_sym name, struct val value);

/* ---- ctx.c ---------------------------------------------------------------------------------- */

struct flow ctx_method(struct lifter *l, struct state *st, const struct call *c);

/* ---- program.c: what only a raw program may call ---------------------------------------------- */

/* Fields of its context and of structures of the kernel, maps, functions. False: the call is none of these. */
bool raw_send(struct lifter *l, struct state *st, const struct call *c, struct flow *out);
/* Refuses a use of what `MAP[key] += n` gives. */
void raw_refuse_sum(struct lifter *l) __attribute__((noreturn));
/* What to do about a fact that only rules ask for; NULL: it is none. */
const char *raw_rules_ask(struct lifter *l, const char *name);
/* What to call instead of a function that there is not. */
const char *raw_function_hint(struct lifter *l, const char *name);
/* An Integer, which may differ by path. False: it is, or may be, something else. */
bool raw_integer(struct lifter *l, struct state *st, struct val v, term *t);
/* The number of a map among those of the program, -1: it is none. */
int raw_map_of(const struct lifter *l, struct val v);


/* ---- raw_print.c ------------------------------------------------------------------------- */

/* Printk and bpf_trace_printk */
struct flow raw_print(struct lifter *l, struct state *st, const struct call *c, int with_length);

/* ---- raw_maps.c -------------------------------------------------------------------------- */

/* A call of a map's method */
struct flow raw_map_call(struct lifter *l, struct state *st, const struct call *c, uint32_t map);
/* `MAP[key] += n`, where `old` is what was read of that map by that key. False: it is something else. */
bool raw_map_sum(struct lifter *l, struct state *st, struct val map, struct val key, struct val old, struct val n, bool subtract);

/* ---- raw_fields.c ------------------------------------------------------------------------ */

/* A field of the context, or of a structure. False: there is no such field. */
bool raw_context(struct lifter *l, struct state *st, const struct call *c, struct flow *out);
bool raw_structure(struct lifter *l, struct state *st, const struct call *c, struct flow *out);
struct flow raw_structure_at(struct lifter *l, struct state *st, const struct layout *layout, const struct call *c);

/* ---- methods.c: C functions of mruby, by what dispatch finds -------------------------------- */

struct methods *methods_empty(struct arena *a);
/* Learns what a method of a class is now; what is known of the same code already stays. */
void methods_learn(struct methods *m, mrb_state *mrb, struct RClass *class, const struct method *method);
/* Runs Ruby code of mruby's library in mruby itself when the table says so and all
 * it needs is known. False: it is to be lifted. */
bool lift_library(struct lifter *l, struct state *st, const struct call *c, const mrb_irep *irep,
                  struct flow *out);
struct flow lift_cfunc(struct lifter *l, struct state *st, const struct call *c, mrb_func_t fn,
                       struct RClass *owner);

/* ---- table.c: all that are known ------------------------------------------------------------ */

struct methods *methods_new(struct interpreter *rb);

#endif
