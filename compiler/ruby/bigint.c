/*
 * bigint.c - an Integer of a policy has 64 bits.
 *
 * Newer mrubies call these functions where a result needs more. The linker finds them here
 * and leaves the library's alone: each raises what an mruby without them raises. None is
 * given a number of more than 64 bits, since none ever makes one.
 */
#include "compiler/ruby/mruby.h"

#ifdef MRB_USE_BIGINT

static mrb_noreturn void beyond(mrb_state *mrb, const char *text)
{
	mrb_raise(mrb, mrb_class_get(mrb, "RangeError"), text);
}

/* Made of two numbers, by a method. */
#define OPERATION(name, text) \
	mrb_value mrb_bint_##name(mrb_state *mrb, mrb_value x, mrb_value y) \
	{ \
		(void)x, (void)y; \
		beyond(mrb, "integer overflow in " text); \
	}
OPERATION(add, "addition") OPERATION(add_d, "addition")
OPERATION(sub, "subtraction") OPERATION(sub_d, "subtraction")
OPERATION(mul, "multiplication") OPERATION(pow, "power")
OPERATION(div, "division") OPERATION(mod, "division") OPERATION(rem, "division") OPERATION(divmod, "division")
OPERATION(and, "bit operation") OPERATION(or, "bit operation") OPERATION(xor, "bit operation")

/* By an instruction, or by what ends in `/` (the smallest number by -1). */
mrb_value mrb_bint_add_ii(mrb_state *mrb, mrb_int x, mrb_int y)
{
	(void)x, (void)y;
	beyond(mrb, "integer overflow");
}

mrb_value mrb_bint_sub_ii(mrb_state *mrb, mrb_int x, mrb_int y)
{
	(void)x, (void)y;
	beyond(mrb, "integer overflow");
}

mrb_value mrb_bint_mul_ii(mrb_state *mrb, mrb_int x, mrb_int y)
{
	beyond(mrb, x == MRB_INT_MIN && y == -1 ? "integer overflow in division" : "integer overflow");
}

mrb_value mrb_bint_div_ii(mrb_state *mrb, mrb_int x, mrb_int y); /* of 3.2 alone */
mrb_value mrb_bint_div_ii(mrb_state *mrb, mrb_int x, mrb_int y)
{
	(void)x, (void)y;
	beyond(mrb, "integer overflow in division");
}

mrb_value mrb_bint_powm(mrb_state *mrb, mrb_value x, mruby_exponent y, mrb_value z)
{
	(void)x, (void)y, (void)z;
	beyond(mrb, "integer overflow in power");
}

mrb_value mrb_bint_lshift(mrb_state *mrb, mrb_value x, mrb_int width)
{
	(void)x, (void)width;
	beyond(mrb, "integer overflow in bit shift");
}

mrb_value mrb_bint_rshift(mrb_state *mrb, mrb_value x, mrb_int width)
{
	(void)x, (void)width;
	beyond(mrb, "integer overflow in bit shift");
}

/* Digits: of a number in the code, or of a String. */
mrb_value mrb_bint_new_str(mrb_state *mrb, const char *digits, mrb_int n, mrb_int base)
{
	const struct RProc *caller = mrb->c->ci->proc;
	(void)base;
	if (caller && !MRB_PROC_CFUNC_P(caller))
		beyond(mrb, "integer overflow");
	mrb_raisef(mrb, mrb_class_get(mrb, "RangeError"), "string (%l) too big for integer", digits, (size_t)n);
}

mrb_value mrb_bint_new_float(mrb_state *mrb, mrb_float x)
{
	mrb_raisef(mrb, mrb_class_get(mrb, "RangeError"), "number (%f) too big for integer", x);
}

/* What the operations above are given: as it is. */
mrb_value mrb_bint_new_int(mrb_state *mrb, mrb_int x)
{
	return mrb_int_value(mrb, x);
}

mrb_value mrb_as_bint(mrb_state *mrb, mrb_value x)
{
	(void)mrb;
	return x;
}

/* Asked of a number of more than 64 bits only. */
#define QUESTION(type, name, ...) \
	type mrb_bint_##name(mrb_state *mrb, __VA_ARGS__) \
	{ \
		(void)x; \
		beyond(mrb, "integer overflow"); \
	}
QUESTION(mrb_value, rev, mrb_value x)
QUESTION(mrb_value, hash, mrb_value x)
QUESTION(mrb_float, as_float, mrb_value x)
QUESTION(mrb_int, as_int, mrb_value x)

mrb_int mrb_bint_cmp(mrb_state *mrb, mrb_value x, mrb_value y)
{
	(void)x, (void)y;
	beyond(mrb, "integer overflow");
}

mrb_value mrb_bint_to_s(mrb_state *mrb, mrb_value x, mrb_int base)
{
	(void)x, (void)base;
	beyond(mrb, "integer overflow");
}

size_t mrb_bint_memsize(mrb_value x)
{
	(void)x;
	return 0;
}

void mrb_bint_copy(mrb_state *mrb, mrb_value to, mrb_value from)
{
	(void)mrb, (void)to, (void)from;
}

void mrb_gc_free_bint(mrb_state *mrb, struct RBasic *x)
{
	(void)mrb, (void)x;
}

#endif
