/*
 * raw_print.c - printk and bpf_trace_printk: a format that is known, and up to three values.
 *
 * Kernels since 5.10 print it, so only what all of them take: %d %i %u %x, also with l or ll, and one %s. A number
 * that does not fit 32 bits is printed whole: its conversion becomes that of 64 bits.
 */
#include "compiler/lift/methods.h"

#include <ctype.h>
#include <string.h>

struct format {
	const char *text;
	size_t len;
	char conversion[RAW_PRINT_ARGS];
	size_t at[RAW_PRINT_ARGS], end[RAW_PRINT_ARGS]; /* of each: where it stands */
	size_t n;
};

static void bad_conversion(struct lifter *l, const char *hint, const char *what)
{
	lift_refuse(l, hint, "%s", what);
}

static void read_conversion(struct lifter *l, struct format *f, size_t *i)
{
	size_t start = *i;
	if (f->n == RAW_PRINT_ARGS)
		bad_conversion(l, "print twice", "the kernel prints at most three values at once");
	for (++*i; *i < f->len && f->text[*i] == 'l' && *i - start <= 2;)
		++*i;
	char c = *i < f->len ? f->text[*i] : 0;
	if (c == '%')
		bad_conversion(l, "write the word percent", "the kernel prints no % sign");
	if (!c || !strchr("diuxs", c) || (c == 's' && *i != start + 1))
		bad_conversion(l, "use %d, %u, %x or %s, without a width",
		               arena_printf(l->arena, "the kernel does not print %%%.*s", c ? (int)(*i - start) : 0, f->text + start + 1));
	if (c == 's' && f->n && memchr(f->conversion, 's', f->n))
		bad_conversion(l, "print twice", "the kernel prints one text at once");
	f->at[f->n] = start;
	f->end[f->n] = *i + 1;
	f->conversion[f->n++] = c;
}

static struct format read_format(struct lifter *l, struct val v)
{
	struct format f = {0};
	if (v.kind != V_STATIC || !mrb_string_p(v.u.st))
		lift_refuse(l, "write it as \"...\", with %d where a number stands", "the format is not a text that is known when the program is compiled");
	f.len = (size_t)RSTRING_LEN(v.u.st);
	f.text = arena_strndup(l->arena, RSTRING_PTR(v.u.st), f.len);
	if (!f.len)
		lift_refuse(l, "say something", "the format is empty");
	for (size_t i = 0; i < f.len; i++) {
		unsigned char c = (unsigned char)f.text[i];
		if (!isprint(c) && !isspace(c))
			lift_refuse(l, "use letters, digits and signs of ASCII", "the kernel prints ASCII only");
		if (c == '%')
			read_conversion(l, &f, &i);
	}
	return f;
}

/* `bpf_trace_printk(format, length, ...)`, as C has it: the length counts the NUL, or not. */
static void check_length(struct lifter *l, struct state *st, const struct format *f, struct val v)
{
	term t;
	const struct term_node *k = raw_integer(l, st, v, &t) ? term_get(l->terms, t) : NULL;
	if (!k || k->op != TERM_CONST)
		lift_refuse(l, "leave it out", "the length of the format is not an Integer that is known when the program is compiled");
	if (k->lo != (int64_t)f->len && k->lo != (int64_t)f->len + 1)
		lift_refuse(l, arena_printf(l->arena, "write %zu, or leave it out", f->len + 1), "the format has %zu bytes and a NUL, not %lld", f->len,
		            (long long)k->lo);
}

static void append(struct lifter *l, struct step *s, const char *text, size_t n)
{
	if (s->ntext + n >= RAW_PRINT_MAX)
		lift_refuse(l, "print twice", "the format has more than %d bytes", RAW_PRINT_MAX - 1);
	char *whole = arena_alloc(l->rb->arena, s->ntext + n + 1);
	if (s->ntext)
		memcpy(whole, s->text, s->ntext);
	memcpy(whole + s->ntext, text, n);
	whole[s->ntext += n] = 0;
	s->text = whole;
}

/* A number: by its range, whether 32 bits hold it. */
static void print_number(struct lifter *l, struct state *st, struct step *s, const struct format *f, size_t i, struct val v)
{
	term t;
	char c = f->conversion[i], text[4];
	int64_t lo, hi;
	if (!raw_integer(l, st, v, &t))
		lift_refuse(l, v.kind == V_COMM ? "print comm by %s" : "print an Integer", "%%%c prints an Integer, and this is %s", c, val_describe(l, v));
	term_range_given(l->terms, st->guard->full, t, &lo, &hi);
	bool is_signed = c == 'd' || c == 'i', small = is_signed ? lo >= INT32_MIN && hi <= INT32_MAX : lo >= 0 && hi <= UINT32_MAX;
	bool wide = f->end[i] - f->at[i] > 2;
	append(l, s, text, (size_t)snprintf(text, sizeof text, "%%%s", wide || !small ? "ll" : ""));
	append(l, s, &c, 1);
	s->args[s->nargs++].t = t;
}

static void print_text(struct lifter *l, struct step *s, struct val v)
{
	if (v.kind == V_COMM) {
		append(l, s, "%s", 2);
		s->args[s->nargs++] = (struct raw_operand){.is_comm = true};
		return;
	}
	if (v.kind != V_STATIC || !(mrb_string_p(v.u.st) || mrb_symbol_p(v.u.st)))
		lift_refuse(l, "print comm, or a text that is written in the program", "%%s prints a text, and this is %s", val_describe(l, v));
	mrb_value text = mrb_string_p(v.u.st) ? v.u.st : mrb_sym_str(l->mrb, mrb_symbol(v.u.st));
	for (mrb_int i = 0; i < RSTRING_LEN(text); i++)
		if (RSTRING_PTR(text)[i] == '%' || !(isprint((unsigned char)RSTRING_PTR(text)[i]) || isspace((unsigned char)RSTRING_PTR(text)[i])))
			lift_refuse(l, "use letters, digits and signs of ASCII", "the kernel does not print this text");
	append(l, s, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
}

struct flow raw_print(struct lifter *l, struct state *st, const struct call *c, int with_length)
{
	const char *name = ruby_name(l->rb, c->mid);
	if (!c->n || !val_is_nil(c->block))
		lift_refuse(l, arena_printf(l->arena, "write %s(\"pid %%d\", pid)", name), "`%s` takes a format, and what it prints", name);
	struct format f = read_format(l, val_settle(l, st, c->args[0]));
	size_t first = 1;
	if (with_length && c->n == f.n + 2)
		check_length(l, st, &f, c->args[first++]);
	if (c->n - first != f.n)
		lift_refuse(l, "give one value for each %", "the format has %zu conversion%s, and there %s %zu value%s", f.n, f.n == 1 ? "" : "s",
		            c->n - first == 1 ? "is" : "are", c->n - first, c->n - first == 1 ? "" : "s");
	/* filled in before it is a step: what is printed may be evaluated in steps of its own */
	struct step s = {.kind = STEP_PRINT, .at = lift_place(l)};
	size_t done = 0;
	for (size_t i = 0; i < f.n; i++) {
		struct val v = val_settle(l, st, c->args[first + i]);
		append(l, &s, f.text + done, f.at[i] - done);
		done = f.end[i];
		if (f.conversion[i] == 's')
			print_text(l, &s, v);
		else
			print_number(l, st, &s, &f, i, v);
	}
	append(l, &s, f.text + done, f.len - done);
	*trail_step(l, st, STEP_PRINT) = s;
	return flow_value(st, val_nil());
}
