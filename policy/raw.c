/*
 * raw.c - the steps of a raw program gone over, and as text.
 */
#include "policy/raw.h"
#include "policy/arena.h"
#include "policy/request.h"
#include "policy/rules.h"

#include <string.h>

bool policy_decides(const struct policy *p)
{
	return !p->raw || p->raw->section == RAW_DEVICE;
}

/* ---- requests ------------------------------------------------------------------------- */

/* `COUNTS[pid]?` is whether it is there. */
static bool asks_presence(const char *asked, uint64_t id, char *scratch, size_t size)
{
	size_t n = strlen(asked);
	if (!n || n >= size || asked[n - 1] != '?')
		return false;
	memcpy(scratch, asked, n - 1);
	scratch[n - 1] = 0;
	return request_more_id(scratch) == id;
}

enum { ASKED_NAME = 256 };

static void settle_one(const struct raw_value *v, enum input in, const struct request_more *m, struct request *r)
{
	char scratch[ASKED_NAME];
	bool presence = asks_presence(v->name, m->id, scratch, sizeof scratch);
	if (!presence && request_more_id(v->name) != m->id)
		return;
	if (!presence && !m->absent && (m->value < v->lo || m->value > v->hi)) /* it can never be */
		return;
	r->fact[in] = presence ? !m->absent : m->absent ? 0 : m->value;
	r->known |= INPUT(in);
}

void raw_settle(const struct policy *p, struct request *r)
{
	for (size_t i = 0; p->raw && i < p->raw->nasked; i++)
		for (size_t k = 0; k < r->nmore; k++)
			settle_one(&p->raw->values[p->raw->asked[i]], (enum input)(IN_PARAM_0 + p->nparams + i), &r->more[k], r);
}

const char *raw_not_asked(const struct policy *p, const struct request *r)
{
	for (size_t k = 0; k < r->nmore; k++) {
		struct request one = {.more = {r->more[k]}, .nmore = 1};
		raw_settle(p, &one);
		if (!one.known)
			return r->more[k].name;
	}
	return NULL;
}

/* ---- terms ---------------------------------------------------------------------------- */

static void each_of_steps(const struct step *s, void (*visit)(void *self, term t), void *self)
{
	for (; s; s = s->next) {
		for (size_t i = 0; i < s->nargs; i++)
			if (!s->args[i].is_comm)
				visit(self, s->args[i].t);
		if ((s->kind == STEP_SET || s->kind == STEP_ADD) && !s->operand.is_comm)
			visit(self, s->operand.t);
		if (s->kind != STEP_IF)
			continue;
		visit(self, s->condition);
		each_of_steps(s->yes, visit, self);
		each_of_steps(s->no, visit, self);
	}
}

void raw_each_term(const struct raw *r, void (*visit)(void *self, term t), void *self)
{
	each_of_steps(r->steps, visit, self);
	visit(self, r->result);
}

/* ---- text ------------------------------------------------------------------------------ */

enum { TERM_LIMIT = 400 };

struct dumping { FILE *out; const struct terms *ts; const struct raw *raw; struct arena *arena; };

static const char *text_of(const struct dumping *d, const struct raw_operand *o)
{
	return o->is_comm ? "comm" : term_text(d->arena, d->ts, o->t, TERM_LIMIT);
}

static void put_args(const struct dumping *d, const struct step *s)
{
	for (size_t i = 0; i < s->nargs; i++)
		fprintf(d->out, "%s%s", i ? ", " : "", text_of(d, &s->args[i]));
}

static void put_format(FILE *out, const struct step *s)
{
	fputc('"', out);
	for (size_t i = 0; i < s->ntext; i++)
		if (s->text[i] == '\n')
			fputs("\\n", out);
		else
			fputc(s->text[i] == '\t' || s->text[i] == '\r' || s->text[i] == '\v' || s->text[i] == '\f' ? ' ' : s->text[i], out);
	fputc('"', out);
}

static void put_access(const struct dumping *d, const struct step *s)
{
	fprintf(d->out, "%s[", d->raw->maps[s->map].name);
	put_args(d, s);
	fputc(']', d->out);
}

static void dump_steps(const struct dumping *d, const struct step *s, int depth);

static void dump_if(const struct dumping *d, const struct step *s, int depth)
{
	fprintf(d->out, "if %s\n", term_text(d->arena, d->ts, s->condition, TERM_LIMIT));
	dump_steps(d, s->yes, depth + 1);
	if (s->no)
		fprintf(d->out, "%*selse\n", 2 * depth, "");
	dump_steps(d, s->no, depth + 1);
	fprintf(d->out, "%*send\n", 2 * depth, "");
}

static void dump_step(const struct dumping *d, const struct step *s)
{
	FILE *out = d->out;
	if (step_learns(s))
		fprintf(out, "v%u = ", s->value);
	switch (s->kind) {
	case STEP_PRINT:
		fputs("print ", out);
		put_format(out, s);
		if (s->nargs)
			fputs(", ", out);
		put_args(d, s);
		break;
	case STEP_TIME: fputs("ktime_ns", out); break;
	case STEP_CPU: fputs("cpu", out); break;
	case STEP_PEEK: fprintf(out, "%u bytes at %s + %u", s->peek.size, text_of(d, &s->args[0]), s->peek.offset); break;
	case STEP_GET: put_access(d, s); fprintf(out, ", v%u: is it there", s->found); break;
	case STEP_SET: put_access(d, s); fprintf(out, " = %s", text_of(d, &s->operand)); break;
	case STEP_ADD: put_access(d, s); fprintf(out, " += %s", text_of(d, &s->operand)); break;
	case STEP_DELETE: fputs("delete ", out); put_access(d, s); break;
	case STEP_OUT:
		fprintf(out, "%s << ", d->raw->maps[s->map].name);
		put_args(d, s);
		break;
	default: break;
	}
	fputc('\n', out);
}

static void dump_steps(const struct dumping *d, const struct step *s, int depth)
{
	for (; s; s = s->next) {
		fprintf(d->out, "%*s", 2 * depth, "");
		if (s->kind == STEP_IF)
			dump_if(d, s, depth);
		else
			dump_step(d, s);
	}
}

void raw_dump(FILE *out, const struct terms *ts, const struct raw *r)
{
	struct arena *scratch = arena_new();
	if (!scratch)
		return;
	struct dumping d = {out, ts, r, scratch};
	fprintf(out, "# %s, %s\n", r->section_name, r->license);
	dump_steps(&d, r->steps, 0);
	fprintf(out, "result %s\n", term_text(scratch, ts, r->result, TERM_LIMIT));
	arena_free(scratch);
}
