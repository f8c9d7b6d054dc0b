/* call.c - the functions of the kernel that raw programs call, in a world. */
#include "compiler/raw/machine.h"

#include <errno.h>
#include <string.h>

static bool bad_argument(struct machine *m)
{
	return machine_fault(m, "bad argument of a function");
}

static uint64_t error(int number)
{
	return (uint64_t)(int64_t)-number;
}

/* ---- maps ------------------------------------------------------------------------------------------- */

/* The map in r1, if its kind is one of those with keys (or a ring). */
static bool map_in_r1(struct machine *m, bool ring, uint32_t *map)
{
	uint64_t i = m->reg[1] - MAP_BASE - TARGET_RAW_MAP;
	if (m->reg[1] < MAP_BASE || i >= m->raw->nmaps || (m->raw->maps[i].kind == RAW_RING) != ring)
		return bad_argument(m);
	*map = (uint32_t)i;
	return true;
}

static bool look_up(struct machine *m)
{
	uint32_t map = 0;
	if (!map_in_r1(m, false, &map))
		return false;
	const unsigned char *key = machine_bytes(m, m->reg[2], m->raw->maps[map].key.size);
	if (!key)
		return bad_argument(m);
	const struct raw_entry *e = world_find(m->world, map, key);
	m->reg[0] = e ? machine_address(m, map, e) : 0;
	return true;
}

static bool update(struct machine *m)
{
	uint32_t map = 0;
	if (!map_in_r1(m, false, &map))
		return false;
	const struct raw_map *of = &m->raw->maps[map];
	const unsigned char *key = machine_bytes(m, m->reg[2], of->key.size);
	const unsigned char *value = machine_bytes(m, m->reg[3], of->value.size);
	if (!key || !value)
		return bad_argument(m);
	bool absent = m->reg[4] == BPF_NOEXIST, exists = world_find(m->world, map, key) != NULL;
	if (m->reg[4] > BPF_EXIST || (m->reg[4] == BPF_EXIST && !exists) ||
	    !world_put(m->world, map, key, value, absent)) {
		m->reg[0] = error(m->reg[4] > BPF_EXIST ? EINVAL : absent && exists ? EEXIST : m->reg[4] == BPF_EXIST ? ENOENT : E2BIG);
		return true;
	}
	raw_log_add(m->log, &(struct raw_effect){.kind = EFFECT_PUT, .map = map, .key = key, .nkey = of->key.size,
	                                         .value = value, .nvalue = of->value.size, .line = machine_line(m)});
	m->reg[0] = 0;
	return true;
}

static bool delete(struct machine *m)
{
	uint32_t map = 0;
	if (!map_in_r1(m, false, &map))
		return false;
	const struct raw_map *of = &m->raw->maps[map];
	const unsigned char *key = machine_bytes(m, m->reg[2], of->key.size);
	if (!key)
		return bad_argument(m);
	bool gone = world_delete(m->world, map, key);
	if (gone)
		raw_log_add(m->log, &(struct raw_effect){.kind = EFFECT_DELETE, .map = map, .key = key,
		                                         .nkey = of->key.size, .line = machine_line(m)});
	m->reg[0] = gone ? 0 : error(ENOENT);
	return true;
}

static bool output(struct machine *m)
{
	uint32_t map = 0;
	if (!map_in_r1(m, true, &map))
		return false;
	size_t size = m->reg[3];
	const unsigned char *record = size && size <= STACK_SIZE ? machine_bytes(m, m->reg[2], size) : NULL;
	if (!record)
		return bad_argument(m);
	if (m->reg[4] || !world_out(m->world, map)) {
		m->reg[0] = error(m->reg[4] ? EINVAL : EAGAIN);
		return true;
	}
	raw_log_add(m->log, &(struct raw_effect){.kind = EFFECT_OUT, .map = map, .value = record, .nvalue = size,
	                                         .line = machine_line(m)});
	m->reg[0] = 0;
	return true;
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static bool text_argument(struct machine *m, uint64_t at, char text[COMM_SIZE])
{
	memset(text, 0, COMM_SIZE);
	for (size_t i = 0; i < COMM_SIZE; i++) {
		const unsigned char *byte = machine_bytes(m, at + i, 1);
		if (!byte)
			return bad_argument(m);
		text[i] = (char)*byte;
		if (!text[i])
			return true;
	}
	return true;
}

static bool print(struct machine *m)
{
	size_t size = m->reg[2];
	const char *format = size && size <= STACK_SIZE ? (const char *)machine_bytes(m, m->reg[1], size) : NULL;
	char letters[RAW_PRINT_ARGS], text[COMM_SIZE];
	if (!format)
		return bad_argument(m);
	size_t n = strnlen(format, size);
	int count = format[size - 1] ? -1 : raw_format(format, n, letters);
	m->reg[0] = count < 0 ? error(EINVAL) : n;
	if (count < 0)
		return true;
	struct raw_effect e = {.kind = EFFECT_PRINT, .text = format, .ntext = n, .nnumbers = (size_t)count,
	                       .line = machine_line(m)};
	for (int i = 0; i < count; i++) {
		if (letters[i] != 's') {
			e.numbers[i] = (int64_t)m->reg[3 + i];
			continue;
		}
		if (!text_argument(m, m->reg[3 + i], text))
			return false;
		e.value = (const unsigned char *)text;
		e.nvalue = COMM_SIZE;
	}
	raw_log_add(m->log, &e);
	return true;
}

/* ---- what the kernel tells ---------------------------------------------------------------------------------- */

static bool peek(struct machine *m)
{
	size_t size = m->reg[2];
	unsigned char *to = size && size <= STACK_SIZE ? machine_stack(m, m->reg[1], size) : NULL;
	if (!to)
		return bad_argument(m);
	bool there = m->world->peek(m->world, m->reg[3], to, size);
	if (!there)
		memset(to, 0, size);
	m->reg[0] = there ? 0 : error(EFAULT);
	return true;
}

static bool name(struct machine *m)
{
	unsigned char *to = m->reg[2] == COMM_SIZE ? machine_stack(m, m->reg[1], COMM_SIZE) : NULL;
	if (!to)
		return bad_argument(m);
	memcpy(to, &m->world->inputs[IN_COMM_0], COMM_SIZE);
	m->reg[0] = 0;
	return true;
}

static uint64_t both(const int64_t *inputs, enum input high, enum input low)
{
	return (uint64_t)inputs[high] << 32 | (uint32_t)inputs[low];
}

static bool ask(struct machine *m, int32_t function)
{
	const int64_t *inputs = m->world->inputs;
	switch (function) {
	case BPF_FUNC_map_lookup_elem: return look_up(m);
	case BPF_FUNC_map_update_elem: return update(m);
	case BPF_FUNC_map_delete_elem: return delete(m);
	case BPF_FUNC_ringbuf_output: return output(m);
	case BPF_FUNC_trace_printk: return print(m);
	case BPF_FUNC_probe_read_kernel: return peek(m);
	case BPF_FUNC_get_current_comm: return name(m);
	case BPF_FUNC_ktime_get_ns:
		m->reg[0] = m->world->time;
		m->world->time += m->world->tick;
		return true;
	case BPF_FUNC_ktime_get_boot_ns: m->reg[0] = (uint64_t)inputs[IN_UPTIME] * NSEC_PER_SEC; return true;
	case BPF_FUNC_get_smp_processor_id: m->reg[0] = m->world->cpu; return true;
	case BPF_FUNC_get_current_cgroup_id: m->reg[0] = (uint64_t)inputs[IN_CGROUP_ID]; return true;
	case BPF_FUNC_get_current_uid_gid: m->reg[0] = both(inputs, IN_GID, IN_UID); return true;
	case BPF_FUNC_get_current_pid_tgid: m->reg[0] = both(inputs, IN_PID, IN_TID); return true;
	default: return machine_fault(m, "unknown function");
	}
}

bool machine_call(struct machine *m, const struct bpf_insn *in)
{
	if (in->src_reg || in->dst_reg || in->off)
		return machine_fault(m, "unknown call");
	if (!ask(m, in->imm))
		return false;
	for (int i = 1; i <= 5; i++)
		m->reg[i] = machine_noise(m);
	return true;
}
