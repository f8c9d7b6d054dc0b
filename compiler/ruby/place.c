/*
 * place.c - where the code at work is, and what is refused there.
 *
 * That is the line that the parser has read, the place in the block that is lifted, or the
 * frame of the policy that mruby runs.
 */
#include "compiler/lift/lift.h"
#include "compiler/ruby/ruby.h"

#include <string.h>

enum { ERRORS_TOLD = 20 };

/* ---- what is refused ------------------------------------------------------------------- */

static bool lifts(const struct ruby *ruby)
{
	return ruby->lifting && ruby->lifting->lifter;
}

/* Of what runs, the line, or that on which its statement begins. */
static struct span place_of(struct ruby *ruby, bool statement)
{
	if (lifts(ruby))
		return lift_place(ruby->lifting->lifter);
	int line = statement ? statement_line(&ruby->rb) : ruby_line(&ruby->rb); /* turns to its file */
	return ruby_at(&ruby->rb, line);
}

void dsl_fail(mrb_state *mrb, const char *hint, const char *fmt, ...)
{
	struct ruby *ruby = ruby_of(mrb);
	const struct diags *d = ruby->rb.diags;
	struct span at = place_of(ruby, true);
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(ruby->rb.arena, fmt, ap);
	va_end(ap);
	const struct diag *last = d->n ? &d->items[d->n - 1] : NULL;
	bool told = last && last->level == DIAG_ERROR && last->at.line == at.line && !strcmp(last->text, text);
	if (!told && d->errors < ERRORS_TOLD) /* an ensure may raise again, in a loop */
		ruby_report(&ruby->rb, DIAG_ERROR, at, hint, text);
	mrb_raise(mrb, mrb_class_get(mrb, "ArgumentError"), text);
}

void differs(mrb_state *mrb, const char *hint, const char *fmt, ...)
{
	struct ruby *ruby = ruby_of(mrb);
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(ruby->rb.arena, fmt, ap);
	va_end(ap);
	ruby_report(&ruby->rb, DIAG_ERROR, place_of(ruby, false), hint, text);
	ruby->rb.differs = true;
	mrb_raise(mrb, mrb_class_get(mrb, "NotImplementedError"), text);
}

/* ---- what runs, for whoever ends it from outside ------------------------------------------ */

/* The smallest line of some instructions; 0: none has one. */
static int first_line(mrb_state *mrb, const mrb_irep *irep, uint32_t from, uint32_t last)
{
	struct insn in;
	int first = 0;
	for (uint32_t pc = from; pc <= last && insn_decode(irep, pc, &in); pc = in.next) {
		int line = mrb_debug_get_line(mrb, irep, pc);
		first = line > 0 && (!first || line < first) ? line : first;
	}
	return first;
}

/* Line of the only loop of an irep, 0 when there is none or several. */
static int only_loop(mrb_state *mrb, const mrb_irep *irep)
{
	struct insn in;
	uint32_t head = UINT32_MAX, last = 0, to;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		if (!insn_jumps(&in, &to) || to >= in.next)
			continue;
		if (head != UINT32_MAX && to != head)
			return 0;
		head = to;
		last = pc;
	}
	return first_line(mrb, irep, head, last);
}

/* The line of an irep that has one line only, else 0. */
static int only_line(mrb_state *mrb, const mrb_irep *irep)
{
	struct insn in;
	int only = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		int line = mrb_debug_get_line(mrb, irep, pc);
		if (only && line > 0 && line != only)
			return 0;
		only = line > 0 ? line : only;
	}
	return only;
}

/* Where a frame of the policy is; of the innermost one only what is certain. */
static int frame_line(mrb_state *mrb, const mrb_callinfo *ci)
{
	const mrb_irep *irep = ci->proc->body.irep;
	if (ci != mrb->c->ci)
		return ci->pc && ci > mrb->c->cibase ? mrb_debug_get_line(mrb, irep, (uint32_t)(ci->pc - irep->iseq - 1)) : 0;
	int line = only_line(mrb, irep);
	return line ? line : only_loop(mrb, irep);
}

/* *in: the file that the line is of. */
static int frames_line(const struct interpreter *rb, const struct source **in)
{
	const struct mrb_context *c = rb->mrb->c;
	for (const mrb_callinfo *ci = c->ci; ci >= c->cibase; ci--) {
		if (!ci->proc || MRB_PROC_CFUNC_P(ci->proc))
			continue;
		const struct source *s = ruby_source(rb, mrb_debug_get_filename(rb->mrb, ci->proc->body.irep, 0));
		if (!s)
			continue;
		*in = s;
		int line = frame_line(rb->mrb, ci);
		if (line || ci != c->ci) /* else the call it is in is certain */
			return line;
	}
	return 0;
}

int ruby_running_line(const struct ruby *ruby, unsigned *file)
{
	const struct interpreter *rb = &ruby->rb;
	const struct source *in = NULL;
	int line;
	if (rb->parser) { /* mruby counts lines in 16 bits */
		in = rb->source;
		line = rb->parser_begin + (uint16_t)(rb->parser->lineno - rb->parser_begin);
	} else if (lifts(ruby)) {
		struct span at = lift_place(ruby->lifting->lifter);
		in = ruby_source(rb, at.file);
		line = at.line;
	} else {
		line = frames_line(rb, &in);
	}
	*file = in ? in->number : 0;
	return line;
}
