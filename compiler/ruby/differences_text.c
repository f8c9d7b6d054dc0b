/*
 * differences_text.c - strings and symbols: mruby counts bytes where Ruby counts
 * characters, and knows fewer forms of some arguments.
 */
#include "compiler/ruby/differences.h"
#include "compiler/ruby/ruby.h"

#include <ctype.h>
#include <string.h>

#define HINT_ASCII "use == or include?, which compare bytes, or write the text in ASCII"

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

bool difference_ascii(mrb_state *mrb, mrb_value v)
{
	const char *s;
	size_t n;
	if (!ruby_of(mrb)->rb.bytes && text_of(mrb, v, &s, &n))
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)s[i] > 127)
				return false;
	return true;
}

static mrb_value ascii_only(mrb_state *mrb, mrb_value self, const char *name)
{
	bool plain = difference_ascii(mrb, self);
	for (mrb_int i = 0; i < mrb_get_argc(mrb); i++)
		plain = plain && difference_ascii(mrb, difference_argument(mrb, i));
	if (!plain)
		differs(mrb, HINT_ASCII, "`%s` of a text that is not ASCII: mruby counts bytes, Ruby characters", name);
	return difference_before(mrb, self, name);
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
	return difference_before(mrb, self, "inspect");
}

/* "#<Proc:... file:line>", where mruby 3.1 writes an @. */
static mrb_value proc_text(mrb_state *mrb, mrb_value self)
{
	static const char begin[] = "#<Proc:...@";
	mrb_value text = difference_before(mrb, self, "inspect");
	if (mrb_string_p(text) && !strncmp(RSTRING_PTR(text), begin, strlen(begin)))
		RSTRING_PTR(text)[strlen(begin) - 1] = ' ';
	return text;
}

/* ---- sets of letters, next words ---------------------------------------------------------- */

static mrb_value letters_of(mrb_state *mrb, mrb_value self, const char *name)
{
	for (mrb_int i = 0; i < mrb_get_argc(mrb); i++) {
		mrb_value v = difference_argument(mrb, i);
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
	return difference_before(mrb, self, name);
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
	return difference_before(mrb, self, "oct");
}

/* Newer mrubies take several. */
static mrb_value string_concat(mrb_state *mrb, mrb_value self)
{
	if (mrb_get_argc(mrb) != 1)
		mrb_argnum_error(mrb, mrb_get_argc(mrb), 1, 1);
	return difference_before(mrb, self, "concat");
}

static mrb_value array_concat(mrb_state *mrb, mrb_value self)
{
	return string_concat(mrb, self);
}

/* With a String: join, which mruby 3.1 does not do. */
static mrb_value array_times(mrb_state *mrb, mrb_value self)
{
	mrb_value by = difference_argument(mrb, 0);
	return mrb_string_p(by) ? mrb_funcall(mrb, self, "join", 1, by) : difference_before(mrb, self, "*");
}

/* ---- format ------------------------------------------------------------------------------- */

static void refuse_format(mrb_state *mrb, mrb_value form, mrb_value given)
{
	bool plain = difference_ascii(mrb, form), big = false;
	mrb_value list = mrb_array_p(given) ? given : mrb_ary_new_from_values(mrb, 1, &given);
	for (mrb_int i = 0; i < RARRAY_LEN(list); i++) {
		mrb_value v = RARRAY_PTR(list)[i];
		plain = plain && difference_ascii(mrb, v);
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
	refuse_format(mrb, self, difference_argument(mrb, 0));
	return difference_before(mrb, self, "%");
}

static mrb_value kernel_formatted(mrb_state *mrb, mrb_value self, const char *name)
{
	mrb_int n = mrb_get_argc(mrb);
	refuse_format(mrb, difference_argument(mrb, 0), n > 1 ? mrb_ary_new_from_values(mrb, n - 1, mrb_get_argv(mrb) + 1) : mrb_nil_value());
	return difference_before(mrb, self, name);
}

static mrb_value kernel_format(mrb_state *mrb, mrb_value self)
{
	return kernel_formatted(mrb, self, "format");
}

static mrb_value kernel_sprintf(mrb_state *mrb, mrb_value self)
{
	return kernel_formatted(mrb, self, "sprintf");
}

/* ---- the whole ---- */

#define STRING_ENTRY(id, name) {name, string_##id},

void differences_text(mrb_state *mrb)
{
	static const struct replacement strings[] = {
		ASCII_STRING(STRING_ENTRY) LETTERS(STRING_ENTRY) NEXT(STRING_ENTRY) STRIP(STRING_ENTRY)
		{"oct", string_oct}, {"concat", string_concat}, {"%", string_format}, {"inspect", text_inspect}, {NULL, NULL}};
	static const struct replacement symbols[] = {
		{"size", symbol_size}, {"length", symbol_size}, {"inspect", text_inspect}, {NULL, NULL}};
	static const struct replacement kernel[] = {
		{"format", kernel_format}, {"sprintf", kernel_sprintf}, {NULL, NULL}};
	difference_replace(mrb, mrb->string_class, strings);
	difference_replace(mrb, mrb->symbol_class, symbols);
	static const struct replacement arrays[] = {{"concat", array_concat}, {"*", array_times}, {NULL, NULL}};
	static const struct replacement procs[] = {{"inspect", proc_text}, {"to_s", proc_text}, {NULL, NULL}};
	difference_replace(mrb, mrb->kernel_module, kernel);
	difference_replace(mrb, mrb->proc_class, procs);
	difference_replace(mrb, mrb->array_class, arrays);
}
