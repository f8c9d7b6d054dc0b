/*
 * interpret.h - a program of the kernel run on one request, instruction by instruction: what reading it is held
 * against. Written from the kernel's description of instructions alone; shares nothing with the tool.
 */
#ifndef DEVGUARD_TESTS_INTERPRET_H
#define DEVGUARD_TESTS_INTERPRET_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "policy/dump.h"

/* Addresses, as the program sees them. Of maps: the map itself, and its values. */
enum { AT_CONTEXT = 0x1000000, AT_STACK = 0x2000000, FRAME = 512, FRAMES = 8, AT_MAP = 0x40000000, AT_VALUE = 0x60000000, MAP_ROOM = 1 << 24 };

struct machine {
	const struct dump *dump;
	uint32_t context[3];
	uint8_t stack[FRAME * FRAMES];
	uint64_t reg[12];
	uint64_t array_head; /* what the kernel adds to an array's address to have its values */
	struct { size_t back; uint64_t saved[4]; } calls[FRAMES];
	unsigned depth;
	const char *wrong;   /* it did what no program does */
};

/* The bytes at an address, NULL: there are none. */
static const void *bytes_at(struct machine *m, uint64_t at, unsigned size)
{
	const struct dump *d = m->dump;
	if (at >= AT_CONTEXT && at + size <= AT_CONTEXT + sizeof m->context)
		return (const uint8_t *)m->context + (at - AT_CONTEXT);
	if (at >= AT_STACK - sizeof m->stack && at + size <= AT_STACK)
		return m->stack + sizeof m->stack - (AT_STACK - at);
	bool values = at >= AT_VALUE;
	uint64_t base = values ? AT_VALUE : AT_MAP, map = at >= AT_MAP ? (at - base) / MAP_ROOM : d->nmaps;
	if (map >= d->nmaps)
		return NULL;
	uint64_t within = (at - base) % MAP_ROOM - (values ? 0 : m->array_head);
	return within + size <= d->maps[map].n * d->maps[map].value_size ? d->maps[map].values + within : NULL;
}

static uint64_t read_memory(struct machine *m, uint64_t at, unsigned size)
{
	uint64_t v = 0;
	const void *from = bytes_at(m, at, size);
	if (!from)
		m->wrong = "it reads where nothing is";
	else
		memcpy(&v, from, size);
	return v;
}

static void write_memory(struct machine *m, uint64_t at, unsigned size, uint64_t v)
{
	if (at < AT_STACK - sizeof m->stack || at + size > AT_STACK)
		m->wrong = "it writes where nothing may be written";
	else
		memcpy(m->stack + sizeof m->stack - (AT_STACK - at), &v, size);
}

static uint64_t shift_signed(uint64_t v, unsigned by, unsigned bits)
{
	uint64_t sign = v >> (bits - 1) & 1, out = v >> by;
	for (unsigned i = 0; sign && i < by; i++)
		out |= 1ull << (bits - 1 - i);
	return out;
}

static uint64_t extend(uint64_t v, unsigned from)
{
	return from < 64 && v >> (from - 1) & 1 ? v | ~((1ull << from) - 1) : v & (from < 64 ? (1ull << from) - 1 : ~0ull);
}

static uint64_t divide(const struct bpf_insn *in, uint64_t x, uint64_t y, unsigned bits)
{
	bool rest = BPF_OP(in->code) == BPF_MOD;
	if (!y)
		return rest ? x : 0;
	if (!in->off)
		return rest ? x % y : x / y;
	int64_t a = (int64_t)extend(x, bits), b = (int64_t)extend(y, bits);
	if (b == -1)
		return rest ? 0 : 0 - x;
	return (uint64_t)(rest ? a % b : a / b);
}

static void calculate(struct machine *m, const struct bpf_insn *in)
{
	bool wide = BPF_CLASS(in->code) == BPF_ALU64;
	unsigned bits = wide ? 64 : 32, op = BPF_OP(in->code);
	uint64_t mask = wide ? ~0ull : UINT32_MAX, x = m->reg[in->dst_reg] & mask;
	uint64_t y = (BPF_SRC(in->code) == BPF_X ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm) & mask, by = y & (bits - 1);
	if (op == BPF_END) {
		unsigned size = (unsigned)in->imm / 8;
		uint64_t v = m->reg[in->dst_reg], out = 0;
		bool swap = wide || BPF_SRC(in->code) == BPF_TO_BE;
		for (unsigned i = 0; i < size; i++)
			out |= (v >> 8 * i & 0xff) << 8 * (swap ? size - 1 - i : i);
		m->reg[in->dst_reg] = out;
		return;
	}
	switch (op) {
	case BPF_ADD: x += y; break;
	case BPF_SUB: x -= y; break;
	case BPF_MUL: x *= y; break;
	case BPF_OR: x |= y; break;
	case BPF_AND: x &= y; break;
	case BPF_XOR: x ^= y; break;
	case BPF_LSH: x <<= by; break;
	case BPF_RSH: x >>= by; break;
	case BPF_ARSH: x = shift_signed(x, (unsigned)by, bits); break;
	case BPF_NEG: x = 0 - x; break;
	case BPF_MOV: x = in->off ? extend(y, (unsigned)in->off) : y; break;
	case BPF_DIV:
	case BPF_MOD: x = divide(in, x, y, bits); break;
	default: m->wrong = "it calculates what is not known";
	}
	m->reg[in->dst_reg] = x & mask;
}

static bool holds(const struct machine *m, const struct bpf_insn *in)
{
	bool wide = BPF_CLASS(in->code) == BPF_JMP;
	uint64_t x = m->reg[in->dst_reg], y = BPF_SRC(in->code) == BPF_X ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm;
	int64_t a = (int64_t)(wide ? x : extend(x, 32)), b = (int64_t)(wide ? y : extend(y, 32));
	if (!wide) {
		x &= UINT32_MAX;
		y &= UINT32_MAX;
	}
	switch (BPF_OP(in->code)) {
	case BPF_JEQ: return x == y;
	case BPF_JNE: return x != y;
	case BPF_JGT: return x > y;
	case BPF_JGE: return x >= y;
	case BPF_JLT: return x < y;
	case BPF_JLE: return x <= y;
	case BPF_JSGT: return a > b;
	case BPF_JSGE: return a >= b;
	case BPF_JSLT: return a < b;
	case BPF_JSLE: return a <= b;
	default: return x & y; /* BPF_JSET */
	}
}

/* r1 a map, r2 a key. */
static void look_up(struct machine *m, const struct dump_call *call, const struct bpf_insn *behind)
{
	uint64_t map = (m->reg[1] - AT_MAP) / MAP_ROOM, found = 0;
	const struct dump_map *from = m->reg[1] >= AT_MAP && map < m->dump->nmaps ? &m->dump->maps[map] : NULL;
	const void *key = from ? bytes_at(m, m->reg[2], from->key_size) : NULL;
	if (!key) {
		m->wrong = "it looks up in no map, or no key";
		return;
	}
	for (size_t i = 0; i < from->n && !found; i++)
		if (!memcmp(from->keys + i * from->key_size, key, from->key_size))
			found = AT_VALUE + map * MAP_ROOM + i * from->value_size;
	/* the kernel's own gives the element: what is behind adds the way to its value */
	m->reg[0] = found && call->function == DUMP_HASH_ELEMENT ? found - (uint64_t)(int64_t)behind[1].imm : found;
}

/* Memory that is loaded or stored. */
static void access_memory(struct machine *m, const struct bpf_insn *in)
{
	static const unsigned sizes[] = {4, 2, 1, 8};
	unsigned size = sizes[BPF_SIZE(in->code) >> 3], class = BPF_CLASS(in->code);
	uint64_t at = m->reg[class == BPF_LDX ? in->src_reg : in->dst_reg] + (uint64_t)(int64_t)in->off;
	if (class == BPF_ST && BPF_MODE(in->code) == 0xc0) /* a barrier against speculation */
		return;
	if (BPF_MODE(in->code) != BPF_MEM && BPF_MODE(in->code) != 0x80)
		m->wrong = "it does what is not known to memory";
	else if (class == BPF_LDX)
		m->reg[in->dst_reg] = BPF_MODE(in->code) == 0x80 ? extend(read_memory(m, at, size), 8 * size) : read_memory(m, at, size);
	else
		write_memory(m, at, size, class == BPF_ST ? (uint64_t)(int64_t)in->imm : m->reg[in->src_reg]);
}

/* An ldimm64: a number, a map, or the values of one. */
static uint64_t wide_constant(const struct dump *d, const struct bpf_insn *in)
{
	uint64_t k = (uint32_t)in[0].imm | (uint64_t)(uint32_t)in[1].imm << 32;
	for (size_t i = 0; in->src_reg && i < d->nmaps; i++)
		if (d->maps[i].id == (uint32_t)in->imm)
			k = in->src_reg == BPF_PSEUDO_MAP_VALUE ? AT_VALUE + i * MAP_ROOM + (uint32_t)in[1].imm : AT_MAP + i * MAP_ROOM;
	return k;
}

/* A call, or the end. The next instruction; the program's length: it ended. */
static size_t call_or_end(struct machine *m, const struct bpf_insn *in, size_t pc)
{
	const struct dump *d = m->dump;
	if (in->code == (BPF_JMP | BPF_EXIT)) {
		if (!m->depth)
			return d->ninsns;
		m->depth--;
		m->reg[10] += FRAME;
		memcpy(&m->reg[6], m->calls[m->depth].saved, sizeof m->calls[m->depth].saved);
		return m->calls[m->depth].back;
	}
	if (in->src_reg == BPF_PSEUDO_CALL && m->depth < FRAMES - 1) {
		m->calls[m->depth].back = pc + 1;
		memcpy(m->calls[m->depth].saved, &m->reg[6], sizeof m->calls[m->depth].saved);
		m->depth++;
		m->reg[10] -= FRAME;
		return pc + 1 + (size_t)(int64_t)in->imm;
	}
	const struct dump_call *call = d->calls;
	while (call < d->calls + d->ncalls && call->insn != pc)
		call++;
	if (call < d->calls + d->ncalls && (call->function == BPF_FUNC_map_lookup_elem || call->function == DUMP_HASH_ELEMENT))
		look_up(m, call, in + 1);
	else
		m->wrong = "it calls what is not known";
	return pc + 1;
}

/* 1: it allows the request, 0: it denies it. -1: it cannot be run so, *wrong says why. */
static int interpret(const struct dump *d, uint64_t array_head, uint32_t word, uint32_t major, uint32_t minor, const char **wrong)
{
	struct machine m = {.dump = d, .context = {word, major, minor}, .array_head = array_head};
	const struct bpf_insn *insns = d->insns;
	m.reg[1] = AT_CONTEXT;
	m.reg[10] = AT_STACK;
	size_t pc = 0;
	for (unsigned steps = 0; pc < d->ninsns && !m.wrong; steps++) {
		const struct bpf_insn *in = &insns[pc];
		unsigned class = BPF_CLASS(in->code), op = BPF_OP(in->code);
		if (steps > 1u << 20)
			m.wrong = "it does not end";
		else if (class == BPF_ALU || class == BPF_ALU64)
			calculate(&m, in), pc++;
		else if (class == BPF_LD)
			m.reg[in->dst_reg] = wide_constant(d, in), pc += 2;
		else if (class == BPF_LDX || class == BPF_ST || class == BPF_STX)
			access_memory(&m, in), pc++;
		else if (op == BPF_CALL || op == BPF_EXIT)
			pc = call_or_end(&m, in, pc);
		else if (op == BPF_JA)
			pc += 1 + (size_t)(int64_t)(class == BPF_JMP ? in->off : in->imm);
		else
			pc += 1 + (holds(&m, in) ? (size_t)(int64_t)in->off : 0);
	}
	*wrong = m.wrong;
	return m.wrong ? -1 : (uint32_t)m.reg[0] != 0;
}

#endif
