/*
 * differences_numbers.c - Integers, Floats and ranges.
 *
 * A Float of mruby on this machine has two bits less than Ruby's: only what is held
 * exactly is let through, so that a comparison with it means the same.
 */
#include "compiler/ruby/differences.h"
#include "compiler/ruby/ruby.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT_64 "an Integer of a policy has 64 bits"

/* ---- numbers -------------------------------------------------------------------------------- */

static double number(mrb_value v)
{
	return mrb_float_p(v) ? mrb_float(v) : mrb_integer_p(v) ? (double)mrb_integer(v) : NAN;
}

/* A Float of mruby can have fewer bits than Ruby's: v is what it keeps of x. */
static void exact(mrb_state *mrb, mrb_value v, double x)
{
	if (mrb_float_p(v) && mrb_float(v) != x)
		differs(mrb, "use Integers: compare x * 10 with 3, not x with 0.3", "a Float that mruby holds with fewer digits than Ruby");
}

static mrb_value arithmetic(mrb_state *mrb, mrb_value self, const char *op)
{
	mrb_value v = difference_before(mrb, self, op), other = difference_argument(mrb, 0);
	double a = number(self), b = number(other);
	if (mrb_float_p(v))
		exact(mrb, v, *op == '+' ? a + b : *op == '-' ? a - b : *op == '*' ? a * b : a / b);
	return v;
}

#define ARITHMETIC(X) X(plus, "+") X(minus, "-") X(times, "*") X(over, "/")
#define ARITHMETIC_FUNCTION(id, name) \
	static mrb_value integer_##id(mrb_state *mrb, mrb_value self) { return arithmetic(mrb, self, name); } \
	static mrb_value float_##id(mrb_state *mrb, mrb_value self) { return arithmetic(mrb, self, name); }
ARITHMETIC(ARITHMETIC_FUNCTION)

static mrb_value integer_to_f(mrb_state *mrb, mrb_value self)
{
	mrb_value v = difference_before(mrb, self, "to_f");
	exact(mrb, v, number(self));
	return v;
}

static mrb_value no_float(mrb_state *mrb, mrb_value self, const char *name)
{
	if (mrb_float_p(difference_argument(mrb, 0)))
		differs(mrb, "divide Integers", "`%s` with a Float: mruby rounds it in another way than Ruby", name);
	return difference_before(mrb, self, name);
}

#define NO_FLOAT(X) X(mod, "%") X(modulo, "modulo") X(divmod, "divmod") X(remainder, "remainder")
#define NO_FLOAT_FUNCTION(id, name) \
	static mrb_value integer_##id(mrb_state *mrb, mrb_value self) { return no_float(mrb, self, name); }
NO_FLOAT(NO_FLOAT_FUNCTION)

static mrb_value integer_power(mrb_state *mrb, mrb_value self)
{
	mrb_value n = difference_argument(mrb, 0);
	if (mrb_integer_p(n) && mrb_integer(n) < 0)
		differs(mrb, "use Integers: x * 8 < y, not x < y * 2 ** -3", "a negative exponent makes a Rational in Ruby, which mruby has not");
	mrb_value v = difference_before(mrb, self, "**");
	if (mrb_float_p(v) && isnan(mrb_float(v)))
		differs(mrb, "take the root of a number that is not negative", "a root that is a Complex in Ruby");
	if (mrb_float_p(v))
		exact(mrb, v, pow(number(self), number(n)));
	return v;
}

static mrb_value integer_abs(mrb_state *mrb, mrb_value self)
{
	if (mrb_integer_p(self) && mrb_integer(self) == MRB_INT_MIN)
		differs(mrb, HINT_64, "`abs` of the smallest Integer does not fit 64 bits");
	return difference_before(mrb, self, "abs");
}

static mrb_value integer_order(mrb_state *mrb, mrb_value self)
{
	mrb_value other = difference_argument(mrb, 0);
	if (mrb_float_p(other) && isnan(mrb_float(other)))
		return mrb_nil_value();
	return difference_before(mrb, self, "<=>");
}

/* A number asks an object that has a == of its own. */
static mrb_value number_equal(mrb_state *mrb, mrb_value self)
{
	mrb_value other = difference_argument(mrb, 0);
	struct RClass *c = mrb_class(mrb, other);
	mrb_method_t m = mruby_method(mrb, &c, mrb_intern_lit(mrb, "=="));
	if (MRB_METHOD_UNDEF_P(m) || MRB_METHOD_CFUNC_P(m) || !mrb_debug_get_filename(mrb, MRB_METHOD_PROC(m)->body.irep, 0))
		return difference_before(mrb, self, "==");
	return mrb_bool_value(mrb_test(mrb_funcall(mrb, other, "==", 1, self)));
}

static mrb_value integer_equal(mrb_state *mrb, mrb_value self)
{
	return number_equal(mrb, self);
}

static mrb_value float_equal(mrb_state *mrb, mrb_value self)
{
	return number_equal(mrb, self);
}

static mrb_value integer_chr(mrb_state *mrb, mrb_value self)
{
	if (mrb_integer_p(self) && mrb_integer(self) > 127)
		differs(mrb, "write the character itself", "`chr` of a number that is not ASCII");
	return difference_before(mrb, self, "chr");
}

/* To an Integer: no digits, and nothing beyond 64 bits. */
static mrb_value to_integer(mrb_state *mrb, mrb_value self, const char *name)
{
	if (mrb_get_argc(mrb))
		differs(mrb, "use Integers: compare x * 10 with 3, not x with 0.3", "`%s` of a Float with an argument: mruby rounds it in another way than Ruby", name);
	if (!isnan(mrb_float(self)) && !isinf(mrb_float(self)) && fabs(mrb_float(self)) >= 9223372036854775808.0)
		differs(mrb, HINT_64, "`%s` of a Float that does not fit 64 bits", name);
	return difference_before(mrb, self, name);
}

#define TO_INTEGER(X) X(to_i, "to_i") X(floor, "floor") X(ceil, "ceil") X(round, "round") X(truncate, "truncate")
#define TO_INTEGER_FUNCTION(id, name) \
	static mrb_value float_##id(mrb_state *mrb, mrb_value self) { return to_integer(mrb, self, name); }
TO_INTEGER(TO_INTEGER_FUNCTION)

static mrb_value float_power(mrb_state *mrb, mrb_value self)
{
	return integer_power(mrb, self);
}

/* The shortest digits that read back as the number, as Ruby lays them out. */
static mrb_value float_text(mrb_state *mrb, mrb_value self)
{
	double x = mrb_float(self);
	char e[40], text[64];
	if (isnan(x) || isinf(x))
		return difference_before(mrb, self, "to_s");
	int digits = 1;
	do
		snprintf(e, sizeof e, "%.*e", digits - 1, x);
	while (strtod(e, NULL) != x && digits++ < 17);
	int exponent = atoi(strchr(e, 'e') + 1);
	if (exponent < -4 || exponent >= 15) {
		char *mantissa_end = strchr(e, 'e');
		snprintf(text, sizeof text, "%.*s%se%+03d", (int)(mantissa_end - e), e, digits == 1 ? ".0" : "", exponent);
	} else {
		int after = digits - 1 - exponent;
		snprintf(text, sizeof text, "%.*f", after > 0 ? after : 1, x);
	}
	return mrb_str_new_cstr(mrb, text);
}

/* mruby's reading of decimals is inexact in the last place. */
static void differs_decimal(mrb_state *mrb, const char *text, size_t n, double read)
{
	char plain[400];
	size_t k = 0;
	for (size_t i = 0; i < n && k + 1 < sizeof plain; i++)
		if (text[i] != '_')
			plain[k++] = text[i];
	plain[k] = 0;
	if (n >= sizeof plain || strtod(plain, NULL) != read)
		differs(mrb, "write the decimal with fewer digits", "a decimal that mruby reads inexactly: %s", plain);
}

static mrb_value string_to_f(mrb_state *mrb, mrb_value self)
{
	mrb_value v = difference_before(mrb, self, "to_f");
	const char *s = mrb_string_cstr(mrb, self);
	s += strspn(s, " \t\n\v\f\r");
	size_t sign = strspn(s, "+-"), n = sign + strspn(s + sign, "0123456789._eE+-");
	if (mrb_float_p(v) && mrb_float(v) != 0)
		differs_decimal(mrb, s, n, mrb_float(v));
	return v;
}

static mrb_value kernel_float(mrb_state *mrb, mrb_value self)
{
	mrb_value v = difference_before(mrb, self, "Float"), from = difference_argument(mrb, 0);
	if (mrb_string_p(from) && mrb_float_p(v) && mrb_float(v) != 0)
		differs_decimal(mrb, mrb_string_cstr(mrb, from), (size_t)RSTRING_LEN(from), mrb_float(v));
	return v;
}

/* ---- ranges ----------------------------------------------------------------------------------- */

/* Of words: between two letters a letter is in the range; of longer words Ruby
 * goes through them, where mruby compares. */
static mrb_value range_include(mrb_state *mrb, mrb_value self, const char *name)
{
	struct RRange *r = mrb_range_ptr(mrb, self);
	mrb_value lo = RANGE_BEG(r), hi = RANGE_END(r), x = difference_argument(mrb, 0);
	if (!mrb_string_p(lo) && !mrb_string_p(hi))
		return difference_before(mrb, self, name);
	bool letters = mrb_string_p(lo) && mrb_string_p(hi) && RSTRING_LEN(lo) == 1 && RSTRING_LEN(hi) == 1;
	if (!letters || !difference_ascii(mrb, lo) || !difference_ascii(mrb, hi))
		differs(mrb, "use cover?, which compares, or list the words: [\"sda\", \"sdb\"].include?(word)",
		        "`%s` of a range of words: Ruby goes through the words, mruby compares", name);
	if (!mrb_string_p(x) || RSTRING_LEN(x) != 1)
		return mrb_false_value();
	return difference_before(mrb, self, name);
}

static mrb_value range_include_p(mrb_state *mrb, mrb_value self)
{
	return range_include(mrb, self, "include?");
}

static mrb_value range_member(mrb_state *mrb, mrb_value self)
{
	return range_include(mrb, self, "member?");
}

static mrb_value range_cover(mrb_state *mrb, mrb_value self)
{
	mrb_value x = difference_argument(mrb, 0);
	if (mrb_type(x) != MRB_TT_RANGE)
		return difference_before(mrb, self, "cover?");
	struct RRange *r = mrb_range_ptr(mrb, self), *in = mrb_range_ptr(mrb, x);
	mrb_value ends[] = {RANGE_BEG(r), RANGE_END(r), RANGE_BEG(in), RANGE_END(in)};
	for (size_t i = 0; i < 4; i++)
		if (!mrb_integer_p(ends[i]))
			differs(mrb, "compare the ends with <= and >=", "`cover?` of a range that is not of Integers on both sides");
	mrb_int last = mrb_integer(ends[1]) - (RANGE_EXCL(r) ? 1 : 0), end = mrb_integer(ends[3]) - (RANGE_EXCL(in) ? 1 : 0);
	return mrb_bool_value(mrb_integer(ends[2]) <= end && mrb_integer(ends[0]) <= mrb_integer(ends[2]) && end <= last);
}

/* Newer mrubies take 5..1 for a very long one. */
static mrb_value range_numbers(mrb_state *mrb, mrb_value self)
{
	struct RRange *r = mrb_range_ptr(mrb, self);
	if (mrb_integer_p(RANGE_BEG(r)) && mrb_integer_p(RANGE_END(r)) && mrb_integer(RANGE_END(r)) < mrb_integer(RANGE_BEG(r)))
		return mrb_ary_new(mrb);
	return difference_before(mrb, self, "__num_to_a");
}

static mrb_value range_case(mrb_state *mrb, mrb_value self)
{
	struct RRange *r = mrb_range_ptr(mrb, self);
	if (mrb_nil_p(RANGE_BEG(r)) && mrb_nil_p(RANGE_END(r)))
		differs(mrb, "leave it out: everything is in it", "a range without ends");
	return difference_before(mrb, self, "===");
}

/* ---- the whole ---- */

#define INTEGER_ENTRY(id, name) {name, integer_##id},
#define FLOAT_ENTRY(id, name) {name, float_##id},

void differences_numbers(mrb_state *mrb)
{
	static const struct replacement integers[] = {NO_FLOAT(INTEGER_ENTRY) ARITHMETIC(INTEGER_ENTRY) {"to_f", integer_to_f},
		{"**", integer_power}, {"abs", integer_abs}, {"<=>", integer_order}, {"==", integer_equal}, {"chr", integer_chr}, {NULL, NULL}};
	static const struct replacement floats[] = {TO_INTEGER(FLOAT_ENTRY) ARITHMETIC(FLOAT_ENTRY)
		{"**", float_power}, {"==", float_equal}, {"to_s", float_text}, {"inspect", float_text}, {NULL, NULL}};
	static const struct replacement ranges[] = {{"include?", range_include_p}, {"member?", range_member},
		{"cover?", range_cover}, {"===", range_case}, {"__num_to_a", range_numbers}, {NULL, NULL}};
	static const struct replacement read[] = {{"to_f", string_to_f}, {NULL, NULL}};
	static const struct replacement kernel[] = {{"Float", kernel_float}, {NULL, NULL}};
	static const char *const bits[] = {"&", "|", "^", "~", "<<", ">>"};
	difference_replace(mrb, mrb->integer_class, integers);
	difference_replace(mrb, mrb->float_class, floats);
	difference_replace(mrb, mrb_class_get(mrb, "Range"), ranges);
	difference_replace(mrb, mrb->string_class, read);
	difference_replace(mrb, mrb->kernel_module, kernel);
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		mrb_undef_method(mrb, mrb->float_class, bits[i]);
}
