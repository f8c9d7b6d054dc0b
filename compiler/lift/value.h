/*
 * value.h - what a block computes with: a Ruby value known now, one known when a device is
 * asked for, or one of several by path.
 */
#ifndef DEVGUARD_COMPILER_LIFT_VALUE_H
#define DEVGUARD_COMPILER_LIFT_VALUE_H

#include "compiler/ruby/mruby.h"
#include "policy/term.h"

struct lifter;
struct frame;

enum vkind {
	V_UNSET,   /* a register never written: nil */
	V_STATIC,  /* a Ruby value known now */
	V_INT,     /* a runtime Integer */
	V_COMM,    /* ctx.comm */
	V_PATH,    /* ctx.exe, ctx.parent_exe: the input that has a number for each path that is compared */
	V_CTX,     /* the block's argument */
	V_TEXT,    /* a String made from what is not known */
	V_ARRAY,   /* an array made in the block: its cell holds a tuple */
	V_HASH,    /* a hash made in the block: its cell holds keys and values by turns */
	V_OBJECT,  /* an object made in the block: its cell holds names and values by turns */
	V_TUPLE,   /* only in the cell of an array or hash */
	V_RANGE,   /* a range with an end known at run time only */
	V_CLOSURE, /* a block or lambda made in the block */
	V_PEEK,    /* of a raw program: a structure of the kernel at an address */
	V_SUM,     /* what `MAP[key] += n` assigns: it is added by the kernel; `cell` is the map */
	V_CHOICE,  /* one of several, by path */
};

struct val {
	enum vkind kind;
	union {
		mrb_value st;
		term t;
		uint32_t cell;
		struct tuple *tuple;
		struct closure *closure;
		struct choice *choice;
		struct range_val *range;
		struct object_val *object;
		struct peek_val *peek;
	} u;
};

struct object_val { struct RClass *class; uint32_t cell; };
struct layout;
struct peek_val { const struct layout *layout; term address; };
struct tuple { size_t n; bool frozen; struct val items[]; };
struct range_val { struct val lo, hi; bool exclusive; };
struct arm { term guard; struct val v; };
struct arms { struct arm *list; size_t n, cap; };
struct choice { struct choice *flat; size_t n; struct arm arms[]; }; /* flat: itself, or NULL = not yet */

/* Code with its surroundings: a proc of the file, or one made while lifting. */
struct closure {
	const mrb_irep *irep;
	const struct RProc *proc;   /* of the file or library; NULL: made while lifting */
	struct closure *upper;      /* lexically around it (made while lifting) */
	uint32_t home_base;         /* cells of the frame that made it */
	uint32_t home_frame;        /* and its id */
	struct val self;
	struct frame *maker;        /* for return and block_given? */
	bool strict;
	mrb_sym sends;              /* of `&:name`: the message; irep is then NULL */
};

/* ---- value.c: one value, no choice ------------------------------------------------------ */

struct val val_static(mrb_value v);
struct val val_nil(void);
struct val val_int(struct lifter *l, term t);
bool val_is_nil(struct val v);
/* Of the class Integer; a Float; one of both; an Array: known or not. */
bool val_is_integer(struct val v);
bool val_is_float(struct val v);
bool val_is_number(struct val v);
bool val_is_array(struct val v);
/* An Array or Hash made in the block. */
bool val_is_own(struct val v);
/* Are they one object, or one number? */
bool val_same(struct lifter *l, struct val a, struct val b);
/* Did the policy write that method of a class? */
bool class_redefines(struct lifter *l, struct RClass *class, const char *method);
/* Has the class of v a method? */
bool val_responds(struct lifter *l, struct val v, const char *method);
/* Integer value as a term. */
bool val_as_term(struct lifter *l, struct val v, term *t);
struct RClass *val_class(struct lifter *l, struct val v);
/* "nil", "an Integer", ...: for messages (arena text). */
const char *val_describe(struct lifter *l, struct val v);

#endif
