/*
 * differences.c - methods of mruby that answer something else than Ruby's.
 *
 * Each is replaced by a function that refuses, always or for the values for which
 * the answers differ, and else calls what was there before. What was there is kept
 * under a name that no Ruby text can spell. lift_methods.c finds the new functions
 * by dispatch, like any other, so a block and the file mean the same.
 */
#include "compiler/differences.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT "before "
#define HINT_ASCII "use == or include?, which compare bytes, or write the text in ASCII"
#define HINT_64 "an Integer of a policy has 64 bits"

void differs(mrb_state *mrb, const char *hint, const char *fmt, ...)
{
	struct ruby *rb = ruby_of(mrb);
	struct span at = {.file = rb->file, .line = rb->lifter ? lift_place(rb->lifter).line : ruby_line(mrb)};
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(rb->arena, fmt, ap);
	va_end(ap);
	diag_add(rb->diags, DIAG_ERROR, at, hint, "%s", text)->source = ruby_source_line(rb, at.line);
	rb->differs = true;
	mrb_raise(mrb, mrb_class_get(mrb, "NotImplementedError"), text);
}

/* ---- what was there before ----------------------------------------------------------- */

static void replace(mrb_state *mrb, struct RClass *c, const char *name, mrb_func_t fn)
{
	char kept[64];
	struct RClass *owner = c;
	mrb_method_t m = mrb_method_search_vm(mrb, &owner, mrb_intern_cstr(mrb, name));
	if (MRB_METHOD_UNDEF_P(m))
		return; /* not in this mruby: calls of it are refused as they are */
	snprintf(kept, sizeof kept, KEPT "%s", name);
	mrb_define_alias(mrb, c, kept, name);
	mrb_define_method(mrb, c, name, fn, MRB_METHOD_NOARG_P(m) ? MRB_ARGS_NONE() : MRB_ARGS_ANY());
}

static mrb_value before(mrb_state *mrb, mrb_value self, const char *name)
{
	char kept[64];
	const mrb_value *args;
	mrb_int n;
	mrb_value block;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	snprintf(kept, sizeof kept, KEPT "%s", name);
	return mrb_funcall_with_block(mrb, self, mrb_intern_cstr(mrb, kept), n, args, block);
}

static mrb_value argument(mrb_state *mrb, mrb_int i)
{
	return i < mrb_get_argc(mrb) ? mrb_get_argv(mrb)[i] : mrb_nil_value();
}

/* ---- text that is not ASCII: Ruby counts characters, mruby bytes ------------------------ */

static bool text_of(mrb_state *mrb, mrb_value v, const char **s, size_t *n)
{
	mrb_int len = 0;
	if (mrb_string_p(v)) {
		*s = RSTRING_PTR(v);
		*n = (size_t)RSTRING_LEN(v);
	} else if (mrb_symbol_p(v)) {
		*s = mrb_sym_name_len(mrb, mrb_symbol(v), &len);
		*n = (size_t)len;
	}
	return mrb_string_p(v) || mrb_symbol_p(v);
}

static bool is_ascii(mrb_state *mrb, mrb_value v)
{
	const char *s;
	size_t n;
	if (text_of(mrb, v, &s, &n))
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)s[i] > 127)
				return false;
	return true;
}

static mrb_value ascii_only(mrb_state *mrb, mrb_value self, const char *name)
{
	bool plain = is_ascii(mrb, self);
	for (mrb_int i = 0; i < mrb_get_argc(mrb); i++)
		plain = plain && is_ascii(mrb, argument(mrb, i));
	if (!plain)
		differs(mrb, HINT_ASCII, "`%s` of a text that is not ASCII: mruby counts bytes, Ruby characters", name);
	return before(mrb, self, name);
}

#define ASCII_STRING(X)                                                                                 \
	X(size, "size") X(length, "length") X(reverse, "reverse") X(reverse_, "reverse!") X(upcase, "upcase") \
	X(upcase_, "upcase!") X(downcase, "downcase") X(downcase_, "downcase!") X(capitalize, "capitalize")    \
	X(capitalize_, "capitalize!") X(swapcase, "swapcase") X(swapcase_, "swapcase!") X(at, "[]")            \
	X(slice, "slice") X(put, "[]=") X(slice_, "slice!") X(chars, "chars")                                  \
	X(index, "index") X(rindex, "rindex") X(ord, "ord") X(chr, "chr") X(tr, "tr") X(tr_, "tr!")            \
	X(tr_s, "tr_s") X(tr_s_, "tr_s!") X(chop, "chop") X(chop_, "chop!") X(ljust, "ljust")                  \
	X(rjust, "rjust") X(center, "center") X(insert, "insert") X(casecmp, "casecmp")                        \
	X(casecmp_p, "casecmp?") X(split, "split") X(codepoints, "codepoints") X(byteslice, "byteslice") X(order, "<=>")                \
	X(start_with, "start_with?") X(end_with, "end_with?")

#define ASCII_FUNCTION(id, name) \
	static mrb_value string_##id(mrb_state *mrb, mrb_value self) { return ascii_only(mrb, self, name); }
ASCII_STRING(ASCII_FUNCTION)

static mrb_value symbol_size(mrb_state *mrb, mrb_value self)
{
	return ascii_only(mrb, self, "size");
}

/* Ruby writes other escapes for control bytes than mruby. */
static mrb_value text_inspect(mrb_state *mrb, mrb_value self)
{
	const char *s = "";
	size_t n = 0;
	text_of(mrb, self, &s, &n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 127 || ((unsigned char)s[i] < 32 && !strchr("\a\b\t\n\v\f\r\033", s[i])) || !s[i])
			differs(mrb, HINT_ASCII, "`inspect` of a text that is not ASCII: mruby and Ruby write it in two ways");
	return before(mrb, self, "inspect");
}

/* ---- sets of letters, next words ---------------------------------------------------------- */

static mrb_value letters_of(mrb_state *mrb, mrb_value self, const char *name)
{
	for (mrb_int i = 0; i < mrb_get_argc(mrb); i++) {
		mrb_value v = argument(mrb, i);
		if (mrb_string_p(v) && RSTRING_LEN(v) > 1 && strpbrk(mrb_string_cstr(mrb, v), "-^\\"))
			differs(mrb, "write the letters one by one: \"abc\", not \"a-c\"",
			        "`%s` of a String: mruby knows no ranges of letters in it", name);
	}
	return ascii_only(mrb, self, name);
}

#define LETTERS(X) X(count, "count") X(delete, "delete") X(delete_, "delete!") X(squeeze, "squeeze") X(squeeze_, "squeeze!")
#define LETTERS_FUNCTION(id, name) \
	static mrb_value string_##id(mrb_state *mrb, mrb_value self) { return letters_of(mrb, self, name); }
LETTERS(LETTERS_FUNCTION)

static mrb_value next_word(mrb_state *mrb, mrb_value self, const char *name)
{
	for (mrb_int i = 0; i < RSTRING_LEN(self); i++)
		if (!isalnum((unsigned char)RSTRING_PTR(self)[i]))
			differs(mrb, "only letters and digits have a next word that is the same in both",
			        "`%s` of a String with other characters than letters and digits", name);
	return ascii_only(mrb, self, name);
}

#define NEXT(X) X(succ, "succ") X(succ_, "succ!") X(next, "next") X(next_, "next!")
#define NEXT_FUNCTION(id, name) \
	static mrb_value string_##id(mrb_state *mrb, mrb_value self) { return next_word(mrb, self, name); }
NEXT(NEXT_FUNCTION)

static mrb_value without_nul(mrb_state *mrb, mrb_value self, const char *name)
{
	if (memchr(RSTRING_PTR(self), 0, (size_t)RSTRING_LEN(self)))
		differs(mrb, "remove the \\0", "`%s` of a String with a \\0: Ruby strips it, mruby does not", name);
	return before(mrb, self, name);
}

#define STRIP(X) X(strip, "strip") X(strip_, "strip!") X(lstrip, "lstrip") X(lstrip_, "lstrip!") X(rstrip, "rstrip") X(rstrip_, "rstrip!")
#define STRIP_FUNCTION(id, name) \
	static mrb_value string_##id(mrb_state *mrb, mrb_value self) { return without_nul(mrb, self, name); }
STRIP(STRIP_FUNCTION)

static mrb_value string_oct(mrb_state *mrb, mrb_value self)
{
	for (mrb_int i = 0; i < RSTRING_LEN(self); i++)
		if (!isdigit((unsigned char)RSTRING_PTR(self)[i]))
			differs(mrb, "use to_i(8), to_i(16) or to_i(2)", "`oct` of a String with a prefix or a sign");
	return before(mrb, self, "oct");
}

/* ---- format ------------------------------------------------------------------------------- */

static void refuse_format(mrb_state *mrb, mrb_value form, mrb_value given)
{
	bool plain = is_ascii(mrb, form), big = false;
	mrb_value list = mrb_array_p(given) ? given : mrb_ary_new_from_values(mrb, 1, &given);
	for (mrb_int i = 0; i < RARRAY_LEN(list); i++) {
		mrb_value v = RARRAY_PTR(list)[i];
		plain = plain && is_ascii(mrb, v);
		big |= mrb_integer_p(v) && (mrb_integer(v) > 127 || mrb_integer(v) < 0);
	}
	if (!plain)
		differs(mrb, HINT_ASCII, "a format of text that is not ASCII: mruby counts bytes, Ruby characters");
	const char *s = mrb_string_p(form) ? mrb_string_cstr(mrb, form) : "";
	while (big && (s = strchr(s, '%'))) {
		s += 1 + strspn(s + 1, "0123456789$-+ #*.");
		if (*s == 'c')
			differs(mrb, "write the character itself", "a format `%%c` of a number that is not ASCII");
	}
}

static mrb_value string_format(mrb_state *mrb, mrb_value self)
{
	refuse_format(mrb, self, argument(mrb, 0));
	return before(mrb, self, "%");
}

static mrb_value kernel_formatted(mrb_state *mrb, mrb_value self, const char *name)
{
	mrb_int n = mrb_get_argc(mrb);
	refuse_format(mrb, argument(mrb, 0), n > 1 ? mrb_ary_new_from_values(mrb, n - 1, mrb_get_argv(mrb) + 1) : mrb_nil_value());
	return before(mrb, self, name);
}

static mrb_value kernel_format(mrb_state *mrb, mrb_value self)
{
	return kernel_formatted(mrb, self, "format");
}

static mrb_value kernel_sprintf(mrb_state *mrb, mrb_value self)
{
	return kernel_formatted(mrb, self, "sprintf");
}

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
	mrb_value v = before(mrb, self, op), other = argument(mrb, 0);
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
	mrb_value v = before(mrb, self, "to_f");
	exact(mrb, v, number(self));
	return v;
}

static mrb_value no_float(mrb_state *mrb, mrb_value self, const char *name)
{
	if (mrb_float_p(argument(mrb, 0)))
		differs(mrb, "divide Integers", "`%s` with a Float: mruby rounds it in another way than Ruby", name);
	return before(mrb, self, name);
}

#define NO_FLOAT(X) X(mod, "%") X(modulo, "modulo") X(divmod, "divmod") X(remainder, "remainder")
#define NO_FLOAT_FUNCTION(id, name) \
	static mrb_value integer_##id(mrb_state *mrb, mrb_value self) { return no_float(mrb, self, name); }
NO_FLOAT(NO_FLOAT_FUNCTION)

static mrb_value integer_power(mrb_state *mrb, mrb_value self)
{
	mrb_value n = argument(mrb, 0);
	if (mrb_integer_p(n) && mrb_integer(n) < 0)
		differs(mrb, "write 1.0 / (2 ** 3) for a Float", "a negative exponent makes a Rational in Ruby, which mruby has not");
	mrb_value v = before(mrb, self, "**");
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
	return before(mrb, self, "abs");
}

static mrb_value integer_order(mrb_state *mrb, mrb_value self)
{
	mrb_value other = argument(mrb, 0);
	if (mrb_float_p(other) && isnan(mrb_float(other)))
		return mrb_nil_value();
	return before(mrb, self, "<=>");
}

static mrb_value integer_chr(mrb_state *mrb, mrb_value self)
{
	if (mrb_integer_p(self) && mrb_integer(self) > 127)
		differs(mrb, "write the character itself", "`chr` of a number that is not ASCII");
	return before(mrb, self, "chr");
}

/* To an Integer: no digits, and nothing beyond 64 bits. */
static mrb_value to_integer(mrb_state *mrb, mrb_value self, const char *name)
{
	if (mrb_get_argc(mrb))
		differs(mrb, "multiply first: (x * 100).round", "`%s` of a Float with an argument: mruby rounds it in another way than Ruby", name);
	if (!isnan(mrb_float(self)) && !isinf(mrb_float(self)) && fabs(mrb_float(self)) >= 9223372036854775808.0)
		differs(mrb, HINT_64, "`%s` of a Float that does not fit 64 bits", name);
	return before(mrb, self, name);
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
		return before(mrb, self, "to_s");
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
	mrb_value v = before(mrb, self, "to_f");
	const char *s = mrb_string_cstr(mrb, self);
	s += strspn(s, " \t\n\v\f\r");
	size_t sign = strspn(s, "+-"), n = sign + strspn(s + sign, "0123456789._eE+-");
	if (mrb_float_p(v) && mrb_float(v) != 0)
		differs_decimal(mrb, s, n, mrb_float(v));
	return v;
}

static mrb_value kernel_float(mrb_state *mrb, mrb_value self)
{
	mrb_value v = before(mrb, self, "Float"), from = argument(mrb, 0);
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
	mrb_value lo = RANGE_BEG(r), hi = RANGE_END(r), x = argument(mrb, 0);
	if (!mrb_string_p(lo) && !mrb_string_p(hi))
		return before(mrb, self, name);
	bool letters = mrb_string_p(lo) && mrb_string_p(hi) && RSTRING_LEN(lo) == 1 && RSTRING_LEN(hi) == 1;
	if (!letters || !is_ascii(mrb, lo) || !is_ascii(mrb, hi))
		differs(mrb, "use cover?, which compares, or list the words: [\"sda\", \"sdb\"].include?(word)",
		        "`%s` of a range of words: Ruby goes through the words, mruby compares", name);
	if (!mrb_string_p(x) || RSTRING_LEN(x) != 1)
		return mrb_false_value();
	return before(mrb, self, name);
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
	mrb_value x = argument(mrb, 0);
	if (mrb_type(x) != MRB_TT_RANGE)
		return before(mrb, self, "cover?");
	struct RRange *r = mrb_range_ptr(mrb, self), *in = mrb_range_ptr(mrb, x);
	mrb_value ends[] = {RANGE_BEG(r), RANGE_END(r), RANGE_BEG(in), RANGE_END(in)};
	for (size_t i = 0; i < 4; i++)
		if (!mrb_integer_p(ends[i]))
			differs(mrb, "compare the ends with <= and >=", "`cover?` of a range that is not of Integers on both sides");
	mrb_int last = mrb_integer(ends[1]) - (RANGE_EXCL(r) ? 1 : 0), end = mrb_integer(ends[3]) - (RANGE_EXCL(in) ? 1 : 0);
	return mrb_bool_value(mrb_integer(ends[2]) <= end && mrb_integer(ends[0]) <= mrb_integer(ends[2]) && end <= last);
}

static mrb_value range_case(mrb_state *mrb, mrb_value self)
{
	struct RRange *r = mrb_range_ptr(mrb, self);
	if (mrb_nil_p(RANGE_BEG(r)) && mrb_nil_p(RANGE_END(r)))
		differs(mrb, "leave it out: everything is in it", "a range without ends");
	return before(mrb, self, "===");
}

/* ---- questions about what there is --------------------------------------------------------------- */

static bool in_words(const char *words, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = words; n && (at = strstr(at, name)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

bool ruby_alone_has(const char *name, bool of_nil)
{
	static const char of_all[] =
		"=~ display extend_object method public_method public_send singleton_method rationalize to_c to_r";
	static const char of_some[] =
		"% +@ -@ [] abs2 angle arg ascii_only? assoc b bit_length bsearch cause chain chunk chunk_while coerce compact "
		"compare_by_identity conj crypt deconstruct deconstruct_keys denominator digits each_entry each_grapheme_cluster "
		"encode encoding end_with? even? fdiv filter force_encoding full_message gcd gcdlcm grapheme_clusters grep_v "
		"id2name instance_method integer? key lazy lcm magnitude match match? next next_float numerator odd? ord pack "
		"pow pred prev_float rassoc receiver sample scan scrub shuffle size slice slice_after slice_before slice_when "
		"sort_by! start_with? step succ sum swapcase to_ary to_hash to_int unicode_normalize unpack unpack1 "
		"valid_encoding? ceildiv";
	return in_words(of_all, name) || (!of_nil && in_words(of_some, name));
}

/* Of a method at the file's top level: private in Ruby. */
static bool is_top_level(mrb_state *mrb, mrb_value self, mrb_sym name)
{
	struct RClass *c = mrb_class(mrb, self);
	mrb_method_t m = mrb_method_search_vm(mrb, &c, name);
	return !MRB_METHOD_UNDEF_P(m) && !MRB_METHOD_CFUNC_P(m) && c == mrb->object_class &&
	       mrb_debug_get_filename(mrb, MRB_METHOD_PROC(m)->body.irep, 0);
}

static mrb_value kernel_respond_to(mrb_state *mrb, mrb_value self)
{
	mrb_value name = argument(mrb, 0), v = before(mrb, self, "respond_to?");
	mrb_sym sym = mrb_symbol_p(name) || mrb_string_p(name) ? mrb_obj_to_sym(mrb, name) : 0;
	if (!mrb_test(v) && sym && ruby_alone_has(mrb_sym_name(mrb, sym), mrb_nil_p(self)))
		differs(mrb, "ask for the class: x.is_a?(Integer)", "`respond_to?` of a method that Ruby has and mruby has not");
	if (mrb_test(v) && sym && !mrb_test(argument(mrb, 1)) && is_top_level(mrb, self, sym))
		return mrb_false_value();
	return v;
}

static const char *const absent_constants[] = {"RUBY_ENGINE", "RUBY_ENGINE_VERSION", "RUBY_VERSION", "MRUBY_VERSION", "MRUBY_COPYRIGHT",
	"MRUBY_DESCRIPTION", "MRUBY_RELEASE_DATE", "MRUBY_RELEASE_NO", NULL};

/* ---- what is refused whatever it is given ----------------------------------------------------------- */

struct refused { const char *class, *name, *text, *hint; };

#define PUBLIC "leave it out: in a policy every method can be called by its name, and a policy's constants are its own"
#define LISTS "name what you need: the lists of mruby and Ruby differ"
#define FLOATS "divide Integers"

static const struct refused refusals[] = {
	{"Module", "private", "`private` has no effect in mruby", PUBLIC},
	{"Module", "protected", "`protected` has no effect in mruby", PUBLIC},
	{"Module", "private_class_method", "`private_class_method` is not in mruby", PUBLIC},
	{"Module", "private_constant", "`private_constant` is not in mruby", PUBLIC},
	{"Module", "module_function", "`module_function` has no effect in mruby", "write `def self.name` for each method"},
	{"Module", "instance_methods", "`instance_methods` lists other methods in Ruby", LISTS},
	{"Module", "method_defined?", "`method_defined?` answers for mruby's methods, not for Ruby's", LISTS},
	{"Module", "const_defined?", "`const_defined?` answers for mruby's constants, not for Ruby's", LISTS},
	{"Kernel", "object_id", "`object_id` is another number in Ruby", "compare with =="},
	{"Kernel", "__id__", "`__id__` is another number in Ruby", "compare with =="},
	{"Kernel", "methods", "`methods` lists other methods in Ruby", LISTS},
	{"Kernel", "public_methods", "`public_methods` lists other methods in Ruby", LISTS},
	{"Kernel", "private_methods", "`private_methods` lists other methods in Ruby", LISTS},
	{"Kernel", "protected_methods", "`protected_methods` lists other methods in Ruby", LISTS},
	{"Kernel", "global_variables", "`global_variables` lists others in Ruby", LISTS},
	{"Proc", "arity", "`arity` counts parameters in another way in mruby", "give the number as a value of its own"},
	{"Proc", "parameters", "`parameters` says something else in mruby", "give the number as a value of its own"},
	{"Proc", "lambda?", "`lambda?` answers something else in mruby", "write -> (x) { ... } for a lambda"},
	{"Integer", "quo", "`quo` of Integers makes a Rational in Ruby, which mruby has not", "use / or fdiv"},
	{"Float", "%", "`%` of a Float: mruby rounds it in another way than Ruby", FLOATS},
	{"Float", "modulo", "`modulo` of a Float: mruby rounds it in another way than Ruby", FLOATS},
	{"Float", "divmod", "`divmod` of a Float: mruby rounds it in another way than Ruby", FLOATS},
	{"String", "dump", "`dump` writes other escapes in mruby", "write the text itself"},
};

static mrb_value differs_always(mrb_state *mrb, mrb_value self)
{
	const char *name = ruby_name(ruby_of(mrb), mrb_get_mid(mrb));
	(void)self;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (!strcmp(refusals[i].name, name))
			differs(mrb, refusals[i].hint, "%s", refusals[i].text);
	differs(mrb, "write it without", "`%s` is not in mruby", name);
}

static mrb_value frozen_text(mrb_state *mrb, mrb_value self)
{
	const char *name = ruby_name(ruby_of(mrb), mrb_get_mid(mrb));
	(void)self;
	differs(mrb, "leave the comment out, or make a new String: a + b",
	        "`%s` of a String in a file with `frozen_string_literal: true`, which mruby does not know", name);
}

void differences_frozen(struct ruby *rb)
{
	static const char *const changing[] = {"<<", "concat", "prepend", "replace", "insert", "[]=", "slice!", "clear",
		"upcase!", "downcase!", "capitalize!", "swapcase!", "reverse!", "strip!", "lstrip!", "rstrip!", "chomp!", "chop!",
		"squeeze!", "sub!", "gsub!", "tr!", "tr_s!", "delete!", "succ!", "next!", "setbyte", "frozen?"};
	for (size_t i = 0; i < sizeof changing / sizeof *changing; i++)
		mrb_define_method(rb->mrb, rb->mrb->string_class, changing[i], frozen_text, MRB_ARGS_ANY());
}

/* ---- the whole -------------------------------------------------------------------------------------- */

struct replacement { const char *name; mrb_func_t fn; };

#define STRING_ENTRY(id, name) {name, string_##id},
#define INTEGER_ENTRY(id, name) {name, integer_##id},
#define FLOAT_ENTRY(id, name) {name, float_##id},

static void replace_all(mrb_state *mrb, struct RClass *c, const struct replacement *list)
{
	for (; list->name; list++)
		replace(mrb, c, list->name, list->fn);
}

static void replace_text(mrb_state *mrb)
{
	static const struct replacement strings[] = {
		ASCII_STRING(STRING_ENTRY) LETTERS(STRING_ENTRY) NEXT(STRING_ENTRY) STRIP(STRING_ENTRY)
		{"oct", string_oct}, {"%", string_format}, {"to_f", string_to_f}, {"inspect", text_inspect}, {NULL, NULL}};
	static const struct replacement symbols[] = {
		{"size", symbol_size}, {"length", symbol_size}, {"inspect", text_inspect}, {NULL, NULL}};
	static const struct replacement kernel[] = {
		{"format", kernel_format}, {"sprintf", kernel_sprintf}, {"Float", kernel_float},
		{"respond_to?", kernel_respond_to}, {NULL, NULL}};
	replace_all(mrb, mrb->string_class, strings);
	replace_all(mrb, mrb->symbol_class, symbols);
	replace_all(mrb, mrb->kernel_module, kernel);
}

static void replace_numbers(mrb_state *mrb)
{
	static const struct replacement integers[] = {NO_FLOAT(INTEGER_ENTRY) ARITHMETIC(INTEGER_ENTRY) {"to_f", integer_to_f},
		{"**", integer_power}, {"abs", integer_abs}, {"<=>", integer_order}, {"chr", integer_chr}, {NULL, NULL}};
	static const struct replacement floats[] = {TO_INTEGER(FLOAT_ENTRY) ARITHMETIC(FLOAT_ENTRY)
		{"**", float_power}, {"to_s", float_text}, {"inspect", float_text}, {NULL, NULL}};
	static const struct replacement ranges[] = {{"include?", range_include_p}, {"member?", range_member},
		{"cover?", range_cover}, {"===", range_case}, {NULL, NULL}};
	static const char *const bits[] = {"&", "|", "^", "~", "<<", ">>"};
	replace_all(mrb, mrb->integer_class, integers);
	replace_all(mrb, mrb->float_class, floats);
	replace_all(mrb, mrb_class_get(mrb, "Range"), ranges);
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		mrb_undef_method(mrb, mrb->float_class, bits[i]);
}

static mrb_value math_function(mrb_state *mrb, mrb_value self)
{
	const char *name = ruby_name(ruby_of(mrb), mrb_get_mid(mrb));
	(void)self;
	differs(mrb, "use Integers", "Math.%s: mruby holds Floats with fewer digits than Ruby", name);
}

static const char *const inexact_math[] = {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh",
	"acosh", "atanh", "exp", "log", "log2", "log10", "sqrt", "cbrt", "frexp", "ldexp", "hypot", "erf", "erfc"};

static void remove_constant(mrb_state *mrb, mrb_value in, const char *name)
{
	if (mrb_const_defined_at(mrb, in, mrb_intern_cstr(mrb, name)))
		mrb_const_remove(mrb, in, mrb_intern_cstr(mrb, name));
}

void differences_define(struct ruby *rb)
{
	mrb_state *mrb = rb->mrb;
	mrb_value top = mrb_top_self(mrb), object = mrb_obj_value(mrb->object_class);
	replace_text(mrb);
	replace_numbers(mrb);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		mrb_define_method(mrb, !strcmp(refusals[i].class, "Kernel") ? mrb->kernel_module : mrb_class_get(mrb, refusals[i].class),
		                  refusals[i].name, differs_always, MRB_ARGS_ANY());
	mrb_define_singleton_method(mrb, mrb_obj_ptr(top), "private", differs_always, MRB_ARGS_ANY());
	for (size_t i = 0; i < sizeof inexact_math / sizeof *inexact_math; i++)
		mrb_define_module_function(mrb, mrb_module_get(mrb, "Math"), inexact_math[i], math_function, MRB_ARGS_ANY());
	for (size_t i = 0; absent_constants[i]; i++)
		remove_constant(mrb, object, absent_constants[i]);
	remove_constant(mrb, mrb_obj_value(mrb_module_get(mrb, "Math")), "PI");
	remove_constant(mrb, mrb_obj_value(mrb_module_get(mrb, "Math")), "E");
	remove_constant(mrb, mrb_obj_value(mrb->float_class), "MAX");
	remove_constant(mrb, mrb_obj_value(mrb->float_class), "NAN");
}
