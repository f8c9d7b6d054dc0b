/*
 * bytecode.c - decoding mruby instructions through the installed opcode list,
 * whatever its numbers are.
 */
#include "compiler/ruby/ruby.h"

enum shape { SHAPE_Z, SHAPE_B, SHAPE_BB, SHAPE_BBB, SHAPE_BS, SHAPE_BSS, SHAPE_S, SHAPE_W };

static const struct { enum shape shape; const char *name; } table[] = {
#define OPCODE(name, shape) [OP_##name] = {SHAPE_##shape, #name},
#include <mruby/ops.h>
#undef OPCODE
};

const char *insn_name(uint8_t op)
{
	return op < sizeof table / sizeof *table ? table[op].name : "?";
}

struct reader { const mrb_code *p; size_t left; };

static uint32_t take(struct reader *r, size_t bytes)
{
	uint32_t v = 0;
	if (r->left < bytes) {
		r->left = 0;
		return 0;
	}
	r->left -= bytes;
	while (bytes--)
		v = v << 8 | *r->p++;
	return v;
}

bool insn_decode(const mrb_irep *irep, uint32_t pc, struct insn *out)
{
	if (pc >= irep->ilen)
		return false;
	struct reader r = {irep->iseq + pc, irep->ilen - pc};
	uint32_t op = take(&r, 1), wide_a = 1, wide_b = 1;
	if (op == OP_EXT1 || op == OP_EXT2 || op == OP_EXT3) {
		wide_a = op == OP_EXT2 ? 1 : 2;
		wide_b = op == OP_EXT1 ? 1 : 2;
		op = take(&r, 1);
	}
	*out = (struct insn){.op = (uint8_t)op};
	if (op >= sizeof table / sizeof *table || !table[op].name)
		return false;
	enum shape s = table[op].shape;
	if (s == SHAPE_S)
		out->a = take(&r, 2);
	else if (s == SHAPE_W)
		out->a = take(&r, 3);
	else if (s != SHAPE_Z)
		out->a = take(&r, wide_a);
	if (s == SHAPE_BB || s == SHAPE_BBB)
		out->b = take(&r, wide_b);
	else if (s == SHAPE_BS || s == SHAPE_BSS)
		out->b = take(&r, 2);
	if (s == SHAPE_BBB)
		out->c = take(&r, 1);
	else if (s == SHAPE_BSS)
		out->c = take(&r, 2);
	out->next = (uint32_t)(r.p - irep->iseq);
	return true;
}

static uint32_t big_endian(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool handler_covers(const struct mrb_irep_catch_handler *h, uint32_t pc)
{
	return pc >= big_endian(h->begin) && pc < big_endian(h->end);
}

uint32_t handler_target(const struct mrb_irep_catch_handler *h)
{
	return big_endian(h->target);
}

static void dump_irep(FILE *out, struct interpreter *rb, const mrb_irep *irep, int depth)
{
	struct insn in;
	int shown = 0;
	for (uint32_t pc = 0; pc < irep->ilen && insn_decode(irep, pc, &in); pc = in.next) {
		int line = irep_line(rb, irep, pc);
		if (line > 0 && line != shown)
			fprintf(out, "%*s; %s:%d\n", 2 * depth, "", mrb_debug_get_filename(rb->mrb, irep, pc), line);
		shown = line;
		fprintf(out, "%*s%4u  %-10s %u %u %u\n", 2 * depth, "", pc, insn_name(in.op), in.a, in.b,
		        in.c);
		if (in.op == OP_BLOCK || in.op == OP_LAMBDA)
			dump_irep(out, rb, irep->reps[in.b], depth + 1);
	}
}

void ruby_dump(FILE *out, struct ruby *ruby)
{
	const struct said *said = &ruby->said;
	if (!said->nblocks)
		fputs("; no rule has a block\n", out);
	for (size_t i = 0; i < said->nblocks; i++) {
		const struct block *b = &said->blocks[i];
		fprintf(out, "%s:%d: block of a rule\n", b->at.file, b->at.line);
		dump_irep(out, &ruby->rb, mrb_proc_ptr(b->proc)->body.irep, 1);
	}
}
