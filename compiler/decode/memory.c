/* memory.c - loads and stores, and addresses that are in instructions. */
#include "compiler/decode/internal.h"

#include <string.h>

enum {
	SIGN_EXTENDING = 0x80, /* BPF_MEMSX */
	ATOMIC = 0xc0,         /* BPF_ATOMIC */
	BARRIER = 0xc0,        /* BPF_NOSPEC, of a store: what the kernel adds to programs of who lacks CAP_PERFMON */
};

static unsigned size_of(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

static struct value address_in(const struct state *st, uint8_t reg)
{
	return reg == BPF_REG_10 ? (struct value){.kind = V_STACK, .a = st->up ? st->up->depth : 0} : st->reg[reg];
}

/* ---- loads ---------------------------------------------------------------------------------- */

static struct value field_of_request(struct decoder *r, int64_t field)
{
	int64_t of[WORDS];
	if (field)
		return value_term(r, term_input(r->terms, field == 1 ? IN_MAJOR : IN_MINOR));
	for (int i = 0; i < WORDS; i++)
		of[i] = WORD_ACCESS(i) << 16 | WORD_TYPE(i);
	return value_of_words(r, of);
}

/* Of the context: three words, or a part of one. */
static bool load_request(struct decoder *r, uint32_t pc, int64_t at, unsigned size, struct value *out)
{
	int64_t within = at % 4, of[WORDS];
	if (at < 0 || at / 4 > 2 || within + size > 4)
		return decoder_fail(r, "instruction %u reads what a device request does not have", pc);
	struct value v = field_of_request(r, at / 4);
	if (within && v.kind == V_TERM)
		v = value_term(r, term_op(r->terms, TERM_SHR, v.a, term_const(r->terms, 8 * within)));
	if (within && v.kind == V_WORD) {
		for (int i = 0; i < WORDS; i++)
			of[i] = r->words[v.a][i] >> 8 * within;
		v = value_of_words(r, of);
	}
	*out = value_cut(r, &v, size);
	return true;
}

static struct value bytes_as_number(const uint8_t *bytes, unsigned size)
{
	uint64_t k = 0;
	for (unsigned i = 0; i < size; i++)
		k |= (uint64_t)bytes[i] << 8 * i;
	return value_const((int64_t)k);
}

static struct value load_entry(struct decoder *r, const struct state *st, uint32_t pc, const struct value *base, int64_t at,
                               unsigned size)
{
	const struct dump_map *m = &r->dump->maps[base->a];
	if (r->written[base->a] || at < 0 || at + (int64_t)size > m->value_size)
		return value_unknown(r, st, pc, "what a map holds");
	return bytes_as_number(r->groups[base->a][base->b].bytes + at, size);
}

/* Of an array, by the place that its elements have behind its head (array_base). */
static struct value load_array(struct decoder *r, const struct state *st, uint32_t pc, const struct value *base, int64_t at,
                               unsigned size)
{
	const struct dump_map *m = base->a < r->dump->nmaps ? &r->dump->maps[base->a] : NULL;
	int64_t behind = at - r->array_base;
	if (!m || m->type != BPF_MAP_TYPE_ARRAY || !m->known || r->written[base->a] || !r->array_base || behind < 0)
		return value_unknown(r, st, pc, "what a map holds");
	int64_t element = (m->value_size + 7) / 8 * 8, i = behind / element, within = behind % element;
	if (i >= (int64_t)m->n || within + (int64_t)size > m->value_size)
		return value_unknown(r, st, pc, "what a map holds");
	return bytes_as_number(m->values + i * m->value_size + within, size);
}

bool load_step(struct decoder *r, struct state *st, uint32_t pc)
{
	const struct bpf_insn *in = &r->insns[pc];
	unsigned size = size_of(in->code);
	if (!is_register(in->dst_reg) || in->src_reg >= REGISTERS)
		return decoder_fail(r, "instruction %u is none", pc);
	struct value base = address_in(st, in->src_reg), *out = &st->reg[in->dst_reg];
	int64_t at = base.k + in->off;
	if (BPF_MODE(in->code) != BPF_MEM) {
		*out = value_unknown(r, st, pc, "what is in memory");
		return BPF_MODE(in->code) == SIGN_EXTENDING || decoder_fail(r, "instruction %u is none that is known", pc);
	}
	switch (base.kind) {
	case V_CTX: return load_request(r, pc, at, size, out);
	case V_STACK: *out = stack_read(r, st, base.a, at, size); break;
	case V_ENTRY: *out = load_entry(r, st, pc, &base, at, size); break;
	case V_MAP: *out = load_array(r, st, pc, &base, at, size); break;
	default: *out = (struct value){.kind = V_NONE}; break;
	}
	if (out->kind == V_NONE)
		*out = value_unknown(r, st, pc, "what is in memory");
	return true;
}

/* ---- stores --------------------------------------------------------------------------------- */

static void store_to(struct decoder *r, struct state *st, const struct value *base, int64_t at, unsigned size,
                     const struct value *v)
{
	switch (base->kind) {
	case V_STACK: stack_write(r, st, base->a, at, size, v); break;
	case V_ENTRY:
	case V_MAP:
		if (base->a < r->dump->nmaps)
			r->written[base->a] = true;
		break;
	case V_FOREIGN: break;
	default: stack_forget(st); /* wherever that is */
	}
}

/* The atomic operations that change memory; newer ones load and store. */
static bool is_atomic(int32_t imm)
{
	switch (imm & ~BPF_FETCH) {
	case BPF_ADD:
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR: return true;
	default: return imm == BPF_XCHG || imm == BPF_CMPXCHG;
	}
}

/* An atomic operation: what was there may come into a register. */
static void atomic(struct decoder *r, struct state *st, uint32_t pc, const struct value *base, int64_t at, unsigned size)
{
	const struct bpf_insn *in = &r->insns[pc];
	struct value none = {.kind = V_NONE};
	store_to(r, st, base, at, size, &none);
	if (in->imm == BPF_CMPXCHG)
		st->reg[0] = value_unknown(r, st, pc, "what is in memory");
	else if (in->imm & BPF_FETCH && is_register(in->src_reg))
		st->reg[in->src_reg] = value_unknown(r, st, pc, "what is in memory");
}

bool store_step(struct decoder *r, struct state *st, uint32_t pc)
{
	const struct bpf_insn *in = &r->insns[pc];
	unsigned size = size_of(in->code);
	if (in->dst_reg >= REGISTERS || in->src_reg >= REGISTERS)
		return decoder_fail(r, "instruction %u is none", pc);
	if (in->code == (BPF_ST | BARRIER))
		return true;
	struct value base = address_in(st, in->dst_reg);
	struct value v = BPF_CLASS(in->code) == BPF_ST ? value_const(in->imm) : address_in(st, in->src_reg);
	if (BPF_MODE(in->code) == ATOMIC && BPF_CLASS(in->code) == BPF_STX && is_atomic(in->imm)) {
		atomic(r, st, pc, &base, base.k + in->off, size);
		return true;
	}
	if (BPF_MODE(in->code) != BPF_MEM)
		return decoder_fail(r, "instruction %u is none that is known", pc);
	v = value_cut(r, &v, size);
	store_to(r, st, &base, base.k + in->off, size, &v);
	return true;
}

/* ---- wide constants ---------------------------------------------------------------------------- */

static uint32_t map_by_id(const struct decoder *r, uint32_t id)
{
	uint32_t i = 0;
	while (i < r->dump->nmaps && r->dump->maps[i].id != id)
		i++;
	return i;
}

/* The only element of an array, from a byte on. */
static struct value element(struct decoder *r, uint32_t map, int64_t at)
{
	if (map == r->dump->nmaps || !map_groups(r, map))
		return (struct value){.kind = V_FOREIGN, .a = true};
	return (struct value){.kind = V_ENTRY, .a = map, .b = r->group_of_first[map], .k = at};
}

bool wide_step(struct decoder *r, struct state *st, uint32_t pc)
{
	enum { MAP_IDX = 5, MAP_IDX_VALUE = 6 };
	const struct bpf_insn *in = &r->insns[pc];
	if (in->code != (BPF_LD | BPF_DW | BPF_IMM) || pc + 1 >= r->n || !is_register(in->dst_reg))
		return decoder_fail(r, "instruction %u is none that is known", pc);
	struct value *out = &st->reg[in->dst_reg];
	switch (in->src_reg) {
	case 0: *out = value_const((int64_t)((uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm)); break;
	case BPF_PSEUDO_MAP_FD:
	case MAP_IDX: *out = (struct value){.kind = V_MAP, .a = map_by_id(r, (uint32_t)in->imm)}; break;
	case BPF_PSEUDO_MAP_VALUE:
	case MAP_IDX_VALUE: *out = element(r, map_by_id(r, (uint32_t)in->imm), in[1].imm); break;
	default: *out = (struct value){.kind = V_FOREIGN, .a = true};
	}
	return true;
}
