/* memory.c - what the instructions of a raw program load and store. */
#include "compiler/raw/machine.h"

#include <string.h>

bool machine_fault(struct machine *m, const char *why)
{
	m->why = why;
	return false;
}

uint64_t machine_noise(struct machine *m)
{
	m->noise ^= m->noise << 13;
	m->noise ^= m->noise >> 7;
	m->noise ^= m->noise << 17;
	return m->noise;
}

int machine_line(const struct machine *m)
{
	const struct image *image = m->image;
	int line = 0;
	for (size_t i = 0; i < image->nlines && image->lines[i].insn <= m->pc; i++)
		line = image->lines[i].line;
	return line;
}

unsigned char *machine_stack(struct machine *m, uint64_t at, size_t size)
{
	if (at < STACK_TOP - STACK_SIZE || at > STACK_TOP || size > STACK_TOP - at)
		return NULL;
	return m->stack + (at - (STACK_TOP - STACK_SIZE));
}

uint64_t machine_address(struct machine *m, uint32_t map, const struct raw_entry *e)
{
	size_t i = 0;
	while (i < m->nhandles && m->handles[i].entry.value != e->value)
		i++;
	if (i == m->nhandles)
		*ARENA_PUSH(m->log->arena, m->handles, m->nhandles, m->handles_cap) = (struct handle){map, *e};
	return ENTRY_BASE + i * ENTRY_PAGE;
}

/* The entry at an address within its value. */
static struct handle *entry_at(struct machine *m, uint64_t at, size_t size)
{
	uint64_t i = at >= ENTRY_BASE ? (at - ENTRY_BASE) / ENTRY_PAGE : UINT64_MAX;
	if (i >= m->nhandles || at % ENTRY_PAGE + size > m->raw->maps[m->handles[i].map].value.size)
		return NULL;
	return &m->handles[i];
}

static const unsigned char *context(struct machine *m, uint64_t at, size_t size)
{
	bool device = m->raw->section == RAW_DEVICE;
	const unsigned char *bytes = device ? m->device : m->world->context;
	size_t n = device ? sizeof m->device : m->world->ncontext;
	if (at < CONTEXT_BASE || at - CONTEXT_BASE > n || size > n - (at - CONTEXT_BASE))
		return NULL;
	return bytes + (at - CONTEXT_BASE);
}

const unsigned char *machine_bytes(struct machine *m, uint64_t at, size_t size)
{
	const unsigned char *p = machine_stack(m, at, size);
	struct handle *h = entry_at(m, at, size);
	if (h)
		return h->entry.value + at % ENTRY_PAGE;
	return p ? p : context(m, at, size);
}

static size_t width(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

bool machine_load(struct machine *m, const struct bpf_insn *in)
{
	enum { SIGNED = 0x80 }; /* BPF_MEMSX of Linux 6.6 */
	uint64_t at = m->reg[in->src_reg] + (uint64_t)(int64_t)in->off;
	const struct policy *p = m->world->policy;
	size_t size = width(in->code);
	bool is_signed = BPF_MODE(in->code) == SIGNED && size < 8;
	if (BPF_MODE(in->code) != BPF_MEM && !is_signed)
		return machine_fault(m, "unknown load");
	if (at >= PARAM_BASE && at % 8 == 0 && size == 8 && (at - PARAM_BASE) / 8 < p->nparams) {
		m->reg[in->dst_reg] = (uint64_t)p->params[(at - PARAM_BASE) / 8].value;
		return true;
	}
	const unsigned char *from = machine_bytes(m, at, size);
	if (!from)
		return machine_fault(m, "load from a bad address");
	m->reg[in->dst_reg] = (uint64_t)raw_load(from, size, is_signed);
	return true;
}

/* ---- stores ------------------------------------------------------------------------------------- */

static uint64_t low_bytes(uint64_t value, size_t size)
{
	return (uint64_t)raw_load(&value, size, false);
}

/* What is at the place after an atomic operation, and what comes back. False: there is none with that number. */
static bool atomic(struct machine *m, const struct bpf_insn *in, size_t size, uint64_t old, uint64_t *value)
{
	uint64_t x = low_bytes(m->reg[in->src_reg], size);
	switch (in->imm & ~BPF_FETCH) {
	case BPF_ADD: *value = old + x; break;
	case BPF_OR: *value = old | x; break;
	case BPF_AND: *value = old & x; break;
	case BPF_XOR: *value = old ^ x; break;
	case BPF_XCHG & ~BPF_FETCH: *value = x; break;
	case BPF_CMPXCHG & ~BPF_FETCH: *value = old == low_bytes(m->reg[0], size) ? x : old; break;
	default: return machine_fault(m, "unknown atomic operation");
	}
	if (in->imm == BPF_CMPXCHG)
		m->reg[0] = old;
	else if (in->imm & BPF_FETCH)
		m->reg[in->src_reg] = old;
	else if (in->imm != BPF_ADD && in->imm != BPF_OR && in->imm != BPF_AND && in->imm != BPF_XOR)
		return machine_fault(m, "unknown atomic operation");
	return true;
}

/* What was written to an entry, or added to it. */
static void tell_entry(struct machine *m, const struct handle *h, bool adds, int64_t number)
{
	const struct raw_map *map = &m->raw->maps[h->map];
	struct raw_effect e = {.kind = adds ? EFFECT_ADD : EFFECT_PUT, .map = h->map, .key = h->entry.key,
	                       .nkey = map->key.size, .line = machine_line(m)};
	if (adds) {
		e.numbers[e.nnumbers++] = number;
	} else {
		e.value = h->entry.value;
		e.nvalue = map->value.size;
	}
	if (adds && map->kind == RAW_LOST) {
		e.kind = EFFECT_LOST;
		e.map = (uint32_t)raw_load(e.key, 4, false);
		e.nkey = 0;
	}
	raw_log_add(m->log, &e);
}

bool machine_store(struct machine *m, const struct bpf_insn *in)
{
	uint64_t at = m->reg[in->dst_reg] + (uint64_t)(int64_t)in->off;
	bool by_register = BPF_CLASS(in->code) == BPF_STX, is_atomic = by_register && BPF_MODE(in->code) == BPF_ATOMIC;
	uint64_t value = by_register ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm;
	size_t size = width(in->code);
	struct handle *h = entry_at(m, at, size);
	unsigned char *to = h ? h->entry.value + at % ENTRY_PAGE : machine_stack(m, at, size);
	int64_t number = (int64_t)low_bytes(value, size);
	if (!to || (!is_atomic && BPF_MODE(in->code) != BPF_MEM) || (is_atomic && (size < 4 || at % size)))
		return machine_fault(m, "store to a bad address");
	if (is_atomic && !atomic(m, in, size, low_bytes((uint64_t)raw_load(to, size, false), size), &value))
		return false;
	memcpy(to, &value, size);
	if (h)
		tell_entry(m, h, is_atomic && (in->imm == BPF_ADD || in->imm == (BPF_ADD | BPF_FETCH)), number);
	return true;
}
