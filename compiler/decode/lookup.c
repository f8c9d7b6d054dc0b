/*
 * lookup.c - look-ups in maps whose contents are known.
 *
 * Entries with the same value are a group: what a program does with them is the same. A look-up has
 * a way for each group, with the condition that the key is one of its entries', and one for no entry.
 */
#include "compiler/decode/internal.h"

#include <string.h>

enum { GROUPS_MAX = 64 };

static bool has_known_entries(const struct dump_map *m)
{
	return m->known && (m->type == BPF_MAP_TYPE_HASH || m->type == BPF_MAP_TYPE_ARRAY);
}

static bool group_entries(struct decoder *r, uint32_t map)
{
	const struct dump_map *m = &r->dump->maps[map];
	struct group *list = arena_alloc(r->arena, GROUPS_MAX * sizeof *list);
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++) {
		const uint8_t *bytes = m->values + i * m->value_size;
		size_t g = 0;
		while (g < n && memcmp(list[g].bytes, bytes, m->value_size))
			g++;
		if (g == GROUPS_MAX)
			return false;
		if (g == n)
			list[n++].bytes = bytes;
		*ARENA_PUSH(r->arena, list[g].entries, list[g].n, list[g].cap) = (uint32_t)i;
	}
	r->groups[map] = list;
	r->ngroups[map] = n;
	r->group_of_first[map] = 0; /* the first entry makes the first group */
	return true;
}

bool map_groups(struct decoder *r, uint32_t map)
{
	const struct dump_map *m = &r->dump->maps[map];
	return r->groups[map] || (has_known_entries(m) && m->n && group_entries(r, map));
}

/* A look-up in an array as the kernel writes it out: `r1 += HEAD; r0 = *(u32 *)(r2 + 0); if r0 >= N goto none;
 * r0 &= MASK; r0 <<= SHIFT (or *=); r0 += r1; goto end; none: r0 = 0; end:`; the mask is not always there. */
uint32_t array_lookup(const struct decoder *r, uint32_t pc)
{
	const struct bpf_insn *in = &r->insns[pc];
	uint32_t n = 3;
	if (pc + 8 > r->n || in[0].code != (BPF_ALU64 | BPF_ADD | BPF_K) || in[0].dst_reg != BPF_REG_1 ||
	    in[1].code != (BPF_LDX | BPF_MEM | BPF_W) || in[1].dst_reg || in[1].src_reg != BPF_REG_2 || in[1].off ||
	    in[2].code != (BPF_JMP | BPF_JGE | BPF_K) || in[2].dst_reg)
		return 0;
	n += in[n].code == (BPF_ALU | BPF_AND | BPF_K) && !in[n].dst_reg;
	bool scaled = (in[n].code == (BPF_ALU64 | BPF_LSH | BPF_K) || in[n].code == (BPF_ALU64 | BPF_MUL | BPF_K)) && !in[n].dst_reg;
	bool ends = pc + n + 4 <= r->n && in[n + 1].code == (BPF_ALU64 | BPF_ADD | BPF_X) && !in[n + 1].dst_reg && in[n + 1].src_reg == BPF_REG_1 &&
	            in[n + 2].code == (BPF_JMP | BPF_JA) && in[n + 2].off == 1 && in[n + 3].code == (BPF_ALU64 | BPF_MOV | BPF_K) &&
	            !in[n + 3].dst_reg && !in[n + 3].imm && in[2].off == (int16_t)n;
	return scaled && ends ? n + 4 : 0;
}

/* Where the value is behind what the kernel's own look-up returns: `if r0 == 0 goto +1; r0 += N`. */
bool behind_element(const struct decoder *r, uint32_t pc, int64_t *behind)
{
	const struct bpf_insn *in = &r->insns[pc];
	bool so = pc + 2 < r->n && in[1].code == (BPF_JMP | BPF_JEQ | BPF_K) && !in[1].dst_reg && !in[1].imm && in[1].off == 1 &&
	          in[2].code == (BPF_ALU64 | BPF_ADD | BPF_K) && !in[2].dst_reg;
	*behind = so ? in[2].imm : 0;
	return so;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static node equal_words(struct decoder *r, const struct value *v, uint64_t k)
{
	uint16_t yes = 0;
	for (int i = 0; i < WORDS; i++)
		yes |= (uint16_t)(((uint64_t)r->words[v->a][i] == k) << i);
	return word_diagram(r, yes);
}

static node both(struct decoder *r, node x, node y)
{
	return diagram_ite(r->dg, x, y, diagram_terminal(OUT_PASS));
}

/* A part of a key is a number. */
static bool equals(struct decoder *r, const struct value *v, uint64_t k, node *out)
{
	term t;
	if (v->kind == V_CONST) {
		*out = diagram_terminal((uint64_t)v->k == k ? OUT_ALLOW : OUT_PASS);
		return true;
	}
	if (v->kind == V_WORD) {
		*out = equal_words(r, v, k);
		return true;
	}
	if (v->kind == V_PAIR) {
		term low = term_eq(r->terms, v->a, term_const(r->terms, (int64_t)(k & UINT32_MAX)));
		term high = term_eq(r->terms, v->b, term_const(r->terms, (int64_t)(k >> 32)));
		*out = both(r, diagram_of_term(r->dg, low), diagram_of_term(r->dg, high));
		return true;
	}
	if (v->kind == V_NONE || !value_as_term(r, v, &t))
		return false;
	*out = diagram_of_term(r->dg, term_eq(r->terms, t, term_const(r->terms, (int64_t)k)));
	return true;
}

/* How many bytes of a key, from one on, are a number of their own: as they were written. */
static unsigned part_size(const struct state *st, uint32_t frame, int64_t at, unsigned left)
{
	unsigned size = 8;
	for (size_t i = 0; i < st->npieces; i++) {
		const struct piece *p = &st->pieces[i];
		if (p->frame == frame && p->at == at)
			size = p->size;
	}
	while (size > left || (size & (size - 1)))
		size--;
	return size;
}

static bool entry_condition(struct decoder *r, const struct state *st, const struct value *key,
                            const uint8_t *bytes, unsigned size, node *out)
{
	*out = diagram_terminal(OUT_ALLOW);
	for (unsigned done = 0, n; done < size; done += n) {
		node part;
		uint64_t k = 0;
		n = part_size(st, key->a, key->k + done, size - done);
		struct value v = stack_read(r, st, key->a, key->k + done, n);
		for (unsigned i = 0; i < n; i++)
			k |= (uint64_t)bytes[done + i] << 8 * i;
		if (!equals(r, &v, k, &part))
			return false;
		*out = both(r, part, *out);
	}
	return true;
}

bool key_condition(struct decoder *r, const struct state *st, uint32_t map, uint32_t group,
                   const struct value *key, node *out)
{
	const struct dump_map *m = &r->dump->maps[map];
	const struct group *g = &r->groups[map][group];
	node *parts = arena_alloc(r->arena, g->n * sizeof *parts);
	if (key->kind != V_STACK)
		return false;
	for (size_t i = 0; i < g->n; i++)
		if (!entry_condition(r, st, key, m->keys + (size_t)g->entries[i] * m->key_size, m->key_size, &parts[i]))
			return false;
	*out = diagram_over_all(r->dg, parts, g->n);
	return true;
}
