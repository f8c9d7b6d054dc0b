/*
 * term_text.c - terms as text: the listing of --emit=terms, and for messages.
 */
#include "policy/term_internal.h"
#include "policy/who_text.h"

static const char *const op_names[TERM_OPS] = {
	[TERM_FALSE] = "false", [TERM_TRUE] = "true", [TERM_NOT] = "not", [TERM_AND] = "and",
	[TERM_EQ] = "==", [TERM_LT] = "<", [TERM_CONST] = "const", [TERM_INPUT] = "input",
	[TERM_ITE] = "?",
	[TERM_ADD] = "+", [TERM_SUB] = "-", [TERM_MUL] = "*", [TERM_DIV] = "/", [TERM_MOD] = "%",
	[TERM_BAND] = "&", [TERM_BOR] = "|", [TERM_BXOR] = "^", [TERM_SHL] = "<<", [TERM_SHR] = ">>",
};

static void dump_node(FILE *out, const struct terms *ts, term t, const uint32_t *number)
{
	const struct term_node *k = term_get(ts, t);
	fprintf(out, "  t%u = ", number[t]);
	switch (k->op) {
	case TERM_FALSE:
	case TERM_TRUE: fprintf(out, "%s", op_names[k->op]); break;
	case TERM_CONST: fprintf(out, "%lld", (long long)k->lo); break;
	case TERM_INPUT: fputs(terms_input_name(ts, k->a), out); break;
	case TERM_NOT: fprintf(out, "not t%u", number[k->a]); break;
	case TERM_ITE: fprintf(out, "t%u ? t%u : t%u", number[k->c], number[k->a], number[k->b]); break;
	default: fprintf(out, "t%u %s t%u", number[k->a], op_names[k->op], number[k->b]);
	}
	if (!term_op_is_bool(k->op) && k->op != TERM_CONST)
		fprintf(out, "   # %lld..%lld", (long long)k->lo, (long long)k->hi);
	fputc('\n', out);
}

void terms_dump(FILE *out, const struct terms *ts, const term *roots, const char *const *names,
                size_t n)
{
	size_t count = terms_count(ts);
	struct arena *scratch = arena_scratch(ts->arena);
	bool *live = arena_alloc(scratch, count * sizeof *live);
	uint32_t *number = arena_alloc(scratch, count * sizeof *number), next = 0;
	for (size_t i = 0; i < n; i++)
		live[roots[i]] = true;
	for (term t = (term)count; t-- > 0;) {
		term below[3];
		size_t operands = live[t] ? term_operands(term_get(ts, t), below) : 0;
		for (size_t i = 0; i < operands; i++)
			live[below[i]] = true;
	}
	for (term t = 0; t < count; t++)
		if (live[t]) {
			number[t] = next++;
			dump_node(out, ts, t, number);
		}
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s: t%u\n", names[i], number[roots[i]]);
	arena_free(scratch);
}

/* A comparison of a fact about the task, or of an answer, with what is more than a number: yes or no, a name, none. */
struct named { enum input in; int64_t value; };

static bool compares_named(const struct terms *ts, const struct term_node *k, struct named *out)
{
	if (k->op != TERM_EQ)
		return false;
	const struct term_node *x = term_get(ts, k->a), *c = term_get(ts, k->b);
	if (x->op != TERM_INPUT || c->op != TERM_CONST || !input_is_task((enum input)x->a))
		return false;
	*out = (struct named){(enum input)x->a, c->lo};
	switch (input_kind(out->in)) {
	case FACT_FILE: return asked_path_text(terms_asked(ts), c->lo) != NULL;
	case FACT_OR_NONE: return c->lo == ID_NONE;
	case FACT_YES_NO: return true;
	default: return input_is_ask(out->in);
	}
}

static void write_named(FILE *out, const struct terms *ts, const struct named *k, bool holds)
{
	const char *name = terms_input_name(ts, k->in), *way = holds ? "==" : "!=";
	switch (input_kind(k->in)) {
	case FACT_FILE: fprintf(out, "%s %s %s", name, way, asked_path_text(terms_asked(ts), k->value)); return;
	case FACT_OR_NONE: fprintf(out, "%s %s nil", name, way); return;
	case FACT_YES_NO: fprintf(out, "%s%s?", (k->value != 0) == holds ? "" : "!", name); return;
	default: fprintf(out, "%s%s", (k->value != 0) == holds ? "" : "!", name);
	}
}

/* Text for people, cut where `left` runs out. */
static void write_text(FILE *out, const struct terms *ts, term t, size_t limit, int depth)
{
	const struct term_node *k = term_get(ts, t);
	struct named named;
	if (depth > 40 || ftell(out) > (long)limit) {
		fputs("...", out);
		return;
	}
	if (compares_named(ts, k, &named)) {
		write_named(out, ts, &named, true);
		return;
	}
	switch (k->op) {
	case TERM_FALSE:
	case TERM_TRUE: fputs(op_names[k->op], out); return;
	case TERM_CONST: fprintf(out, "%lld", (long long)k->lo); return;
	case TERM_INPUT: fputs(terms_input_name(ts, k->a), out); return;
	case TERM_NOT: {
		const struct term_node *m = term_get(ts, k->a);
		if (compares_named(ts, m, &named)) {
			write_named(out, ts, &named, false);
			return;
		}
		if (m->op == TERM_EQ || m->op == TERM_LT) {
			write_text(out, ts, m->a, limit, depth + 1);
			fputs(m->op == TERM_EQ ? " != " : " >= ", out);
			write_text(out, ts, m->b, limit, depth + 1);
			return;
		}
		fputs("!(", out);
		write_text(out, ts, k->a, limit, depth + 1);
		fputc(')', out);
		return;
	}
	default: break;
	}
	bool nested = depth > 0 && !term_op_is_bool(k->op);
	if (nested)
		fputc('(', out);
	if (k->op == TERM_ITE) {
		write_text(out, ts, k->c, limit, depth + 1);
		fputs(" ? ", out);
	}
	write_text(out, ts, k->a, limit, depth + 1);
	fprintf(out, " %s ", k->op == TERM_AND ? "&&" : k->op == TERM_ITE ? ":" : op_names[k->op]);
	write_text(out, ts, k->b, limit, depth + 1);
	if (nested)
		fputc(')', out);
}

char *term_text(struct arena *a, const struct terms *ts, term t, size_t limit)
{
	struct arena_stream s;
	write_text(arena_stream(a, &s), ts, t, limit, 0);
	return arena_text(a, &s);
}

/* ---- Ruby -------------------------------------------------------------------------------------- */

struct ruby_text { FILE *out; struct arena *arena; const struct terms *ts; size_t nparams; bool failed; };

static void write_named_ruby(struct ruby_text *w, const struct named *k)
{
	const struct interval one = {k->value, k->value};
	switch (input_kind(k->in)) {
	case FACT_FILE: fprintf(w->out, "(%s)", who_file_ruby(w->arena, w->ts, k->in, &one, 1)); return;
	case FACT_OR_NONE: fprintf(w->out, "ctx.%s.nil?", input_name(k->in)); return;
	default: fputs(who_ruby(w->arena, w->ts, k->in, k->value), w->out);
	}
}

/* An input as a number. */
static void write_input_ruby(struct ruby_text *w, enum input in)
{
	enum fact_kind kind = in < IN_PARAM_0 ? input_kind(in) : FACT_NONE;
	const char *yes = in < IN_PARAM_0 ? who_ruby(w->arena, w->ts, in, true) : NULL;
	w->failed |= (in >= IN_PARAM_0 && in - IN_PARAM_0 >= w->nparams) || in == IN_COMM_0 || in == IN_COMM_1 || kind == FACT_FILE;
	if (in == IN_TYPE)
		fputs("(ctx.char? ? 2 : 1)", w->out);
	else if (yes)
		fprintf(w->out, "(%s ? 1 : 0)", yes);
	else if (kind == FACT_OR_NONE)
		fprintf(w->out, "(ctx.%s || %u)", input_name(in), (unsigned)ID_NONE);
	else
		fprintf(w->out, "ctx.%s", terms_input_name(w->ts, in));
}

static void write_ruby(struct ruby_text *w, term t, int depth)
{
	enum { DEPTH_MAX = 200, BYTES_MAX = 100000 };
	const struct term_node *k = term_get(w->ts, t);
	struct named named;
	if (w->failed || depth > DEPTH_MAX || ftell(w->out) > BYTES_MAX) {
		w->failed = true;
		return;
	}
	if (compares_named(w->ts, k, &named)) {
		write_named_ruby(w, &named);
		return;
	}
	switch (k->op) {
	case TERM_FALSE:
	case TERM_TRUE: fputs(op_names[k->op], w->out); return;
	case TERM_CONST: fprintf(w->out, k->lo < 0 ? "(%lld)" : "%lld", (long long)k->lo); return;
	case TERM_INPUT: write_input_ruby(w, (enum input)k->a); return;
	case TERM_NOT:
		fputs("!", w->out);
		write_ruby(w, k->a, depth + 1);
		return;
	default: break;
	}
	fputc('(', w->out);
	if (k->op == TERM_ITE) {
		write_ruby(w, k->c, depth + 1);
		fputs(" ? ", w->out);
	}
	write_ruby(w, k->a, depth + 1);
	fprintf(w->out, " %s ", k->op == TERM_AND ? "&&" : k->op == TERM_ITE ? ":" : op_names[k->op]);
	write_ruby(w, k->b, depth + 1);
	fputc(')', w->out);
}

char *term_ruby(struct arena *a, const struct terms *ts, size_t nparams, term t)
{
	struct arena_stream s;
	struct ruby_text w = {.out = arena_stream(a, &s), .arena = a, .ts = ts, .nparams = nparams};
	write_ruby(&w, t, 0);
	char *text = arena_text(a, &s);
	return w.failed ? NULL : text;
}
