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

/* Bytes of the operands; one byte may be widened to two. */
static const struct { uint8_t a, b, c; } widths[] = {
	[SHAPE_Z] = {0, 0, 0}, [SHAPE_B] = {1, 0, 0}, [SHAPE_BB] = {1, 1, 0}, [SHAPE_BBB] = {1, 1, 1},
	[SHAPE_BS] = {1, 2, 0}, [SHAPE_BSS] = {1, 2, 2}, [SHAPE_S] = {2, 0, 0}, [SHAPE_W] = {3, 0, 0},
};

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
	uint32_t op = take(&r, 1);
	bool wide_a = op == OP_EXT1 || op == OP_EXT3, wide_b = op == OP_EXT2 || op == OP_EXT3;
	if (wide_a || wide_b)
		op = take(&r, 1);
	*out = (struct insn){.op = (uint8_t)op};
	if (op >= sizeof table / sizeof *table || !table[op].name)
		return false;
	enum shape s = table[op].shape;
	out->a = take(&r, widths[s].a + (wide_a && widths[s].a == 1));
	out->b = take(&r, widths[s].b + (wide_b && widths[s].b == 1));
	out->c = take(&r, widths[s].c);
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
