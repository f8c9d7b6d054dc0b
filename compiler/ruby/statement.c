/*
 * statement.c - the line a statement of the policy begins on.
 *
 * Of a call over several lines mruby has the line it ends on. Where its arguments
 * begin is read from the instructions before the call, and where its word stands
 * from the text above.
 */
#include "compiler/ruby/ruby.h"

#include <ctype.h>
#include <string.h>

static bool is_send(const struct insn *in)
{
	return in->op == OP_SEND || in->op == OP_SENDB || in->op == OP_SSEND || in->op == OP_SSENDB;
}

/* Some have no register; what ends code, or begins it, is part of no argument. */
static bool writes_above(const struct insn *in, uint32_t reg)
{
	switch (in->op) {
	case OP_NOP: case OP_ENTER: case OP_KEYEND: case OP_JMP: case OP_JMPUW: case OP_ALIAS: case OP_UNDEF:
	case OP_RETURN: case OP_RETURN_BLK: case OP_BREAK: case OP_STOP:
		return false;
	default:
		return in->a > reg;
	}
}

/* The last call before `end`, and the first instruction for its arguments: those
 * before it that touch registers above the call's only. False: it is no call. The
 * calls of one piece of code come mostly in order, so the reading goes on from the last. */
static bool find_call(struct interpreter *rb, const mrb_irep *irep, uint32_t end, uint32_t *first, struct insn *call)
{
	uint32_t from = rb->statement.irep == irep && rb->statement.end < end ? rb->statement.end : 0, pc = from;
	for (; insn_decode(irep, pc, call) && call->next < end; pc = call->next)
		;
	if (call->next != end || !is_send(call))
		return false;
	struct insn in;
	*first = pc;
	bool inside = false;
	for (uint32_t at = from; at < pc && insn_decode(irep, at, &in); at = in.next) {
		bool above = writes_above(&in, call->a);
		if (above && !inside)
			*first = at;
		inside = above;
	}
	if (!inside)
		*first = pc;
	rb->statement.irep = irep;
	rb->statement.end = end;
	return true;
}

static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);
	for (const char *s = line; line && (s = strstr(s, word)); s++) {
		bool before = s > line && (isalnum((unsigned char)s[-1]) || s[-1] == '_');
		if (!before && !isalnum((unsigned char)s[n]) && s[n] != '_')
			return true;
	}
	return false;
}

int statement_word(struct interpreter *rb, int line, const char *word)
{
	enum { LINES_BACK = 1000 };
	for (int at = line; at > 0 && at > line - LINES_BACK; at--)
		if (has_word(ruby_source_line(rb, at), word))
			return at;
	return line;
}

int statement_line(struct interpreter *rb)
{
	const mrb_callinfo *ci = ruby_frame(rb);
	if (!ci)
		return 0;
	const mrb_irep *irep = ci->proc->body.irep;
	uint32_t end = (uint32_t)(ci->pc - irep->iseq), first;
	struct insn call, in;
	int line = irep_line(rb, irep, end ? end - 1 : 0);
	if (!find_call(rb, irep, end, &first, &call))
		return line;
	const char *word = ruby_name(rb, irep->syms[call.b]);
	bool block = call.op == OP_SENDB || call.op == OP_SSENDB;
	if (!block && has_word(ruby_source_line(rb, line), word))
		return line;
	for (uint32_t pc = first; pc < end && insn_decode(irep, pc, &in); pc = in.next) {
		int at = irep_line(rb, irep, pc);
		if (at > 0 && at < line)
			line = at;
		if (in.op == OP_BLOCK) {
			int body = irep_first_line(rb, irep->reps[in.b]);
			line = body > 0 && body < line ? body : line;
		}
	}
	return statement_word(rb, line, word);
}

void statement_made(struct ruby *ruby)
{
	struct said *said = &ruby->said;
	const mrb_callinfo *ci = ruby_frame(&ruby->rb);
	if (ci && (!said->nmade || said->made[said->nmade - 1] != ci->proc->body.irep))
		*ARENA_PUSH(ruby->rb.arena, said->made, said->nmade, said->made_cap) = ci->proc->body.irep;
}
