/*
 * irep.c - questions about a piece of bytecode and the names in it.
 */
#include "compiler/ruby/ruby.h"

#include <string.h>

bool is_one_of(const char *word, const char *const *list)
{
	while (*list && strcmp(*list, word))
		list++;
	return *list;
}

const char *irep_symbol(struct interpreter *rb, const mrb_irep *irep, uint32_t i)
{
	return i < irep->slen ? ruby_name(rb, irep->syms[i]) : "";
}

bool irep_has_local(struct interpreter *rb, const mrb_irep *irep, const char *name)
{
	for (int i = 0; irep->lv && i + 1 < irep->nlocals; i++)
		if (irep->lv[i] && !strcmp(ruby_name(rb, irep->lv[i]), name))
			return true;
	return false;
}

int irep_first_line(struct interpreter *rb, const mrb_irep *irep)
{
	struct insn in;
	int first = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		int line = irep_line(rb, irep, pc);
		if (line > 0 && (!first || line < first))
			first = line;
	}
	return first;
}

/* The operands of ENTER, 0 when there is none. */
static mrb_aspec parameters_of(const mrb_irep *irep, bool *has)
{
	struct insn in;
	*has = insn_decode(irep, 0, &in) && in.op == OP_ENTER;
	return *has ? in.a : 0;
}

bool irep_takes_keywords(const mrb_irep *irep)
{
	bool has;
	mrb_aspec a = parameters_of(irep, &has);
	return MRB_ASPEC_KEY(a) || MRB_ASPEC_KDICT(a);
}

bool irep_takes_rest(const mrb_irep *irep)
{
	bool has;
	mrb_aspec a = parameters_of(irep, &has);
	return MRB_ASPEC_KDICT(a) && !MRB_ASPEC_KEY(a);
}

static bool writer_at(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out, uint32_t *where)
{
	struct insn in;
	bool found = false;
	for (uint32_t at = 0; at < pc && insn_decode(irep, at, &in); at = in.next)
		if (in.a == reg && in.op != OP_JMPIF && in.op != OP_JMPNOT && in.op != OP_JMPNIL && in.op != OP_JMP) {
			*out = in;
			*where = at;
			found = true;
		}
	return found;
}

bool irep_writer(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out)
{
	uint32_t where;
	return writer_at(irep, pc, reg, out, &where);
}

bool insn_jumps(const struct insn *in, uint32_t *to)
{
	bool always = in->op == OP_JMP || in->op == OP_JMPUW;
	*to = in->next + (uint32_t)(int32_t)(int16_t)(always ? in->a : in->b);
	return always || in->op == OP_JMPIF || in->op == OP_JMPNOT || in->op == OP_JMPNIL;
}

/* Where a hash begins with `**hash` some mrubies add that to an empty one, and others take
 * it as it is: its writer is what wrote the first hash, in both. */
bool irep_hash_writer(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out)
{
	struct insn empty;
	uint32_t where;
	if (!writer_at(irep, pc, reg, out, &where))
		return false;
	return out->op != OP_HASHCAT || !irep_writer(irep, where, reg, &empty) || empty.op != OP_HASH || empty.b ||
	       irep_writer(irep, where, reg + 1, out);
}
