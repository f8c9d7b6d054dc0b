/*
 * run.c - runs the instructions of a raw program in a world.
 *
 * What the kernel refuses (an address that is none, a function that is not known) ends the run, so that a damaged
 * program is not taken for one that does nothing. What is not set is noise: a program that uses it does something else
 * in another world.
 */
#include "compiler/raw/machine.h"

#include <string.h>

static bool alu(struct machine *m, const struct bpf_insn *in)
{
	bool by_register = BPF_SRC(in->code) == BPF_X;
	if (BPF_OP(in->code) > BPF_ARSH || in->off || in->dst_reg == BPF_REG_10)
		return machine_fault(m, "unknown arithmetic");
	m->reg[in->dst_reg] = insn_alu(in->code, m->reg[in->dst_reg],
	                               by_register ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm);
	return true;
}

static bool wide_constant(struct machine *m)
{
	const struct bpf_insn *in = (const struct bpf_insn *)m->image->insns + m->pc;
	if (in->code != (BPF_LD | BPF_DW | BPF_IMM) || m->pc + 1 >= m->image->ninsns || in[1].code)
		return machine_fault(m, "unknown load");
	uint64_t value = (uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm;
	for (size_t i = 0; i < m->image->nrelocs; i++) {
		uint32_t target = m->image->relocs[i].target;
		if (m->image->relocs[i].insn == m->pc)
			value = target >= TARGET_RAW_MAP ? MAP_BASE + target : PARAM_BASE + 8 * (uint64_t)target;
	}
	m->reg[in->dst_reg] = value;
	m->pc++;
	return true;
}

static bool jump(struct machine *m, const struct bpf_insn *in)
{
	bool far = in->code == (BPF_JMP32 | BPF_JA), by_register = BPF_SRC(in->code) == BPF_X;
	uint64_t y = by_register ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm;
	int64_t to = (int64_t)m->pc + (far ? in->imm : in->off);
	if (BPF_OP(in->code) > BPF_JSLE || BPF_OP(in->code) == BPF_CALL || BPF_OP(in->code) == BPF_EXIT || to < -1 ||
	    to + 1 >= (int64_t)m->image->ninsns)
		return machine_fault(m, "unknown jump");
	if (far || insn_taken(in->code, m->reg[in->dst_reg], y))
		m->pc = (size_t)to;
	return true;
}

static bool execute(struct machine *m)
{
	const struct bpf_insn *in = (const struct bpf_insn *)m->image->insns + m->pc;
	if (in->dst_reg > 10 || in->src_reg > 10)
		return machine_fault(m, "unknown register");
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64: return alu(m, in);
	case BPF_LDX: return in->dst_reg < 10 ? machine_load(m, in) : machine_fault(m, "unknown register");
	case BPF_ST:
	case BPF_STX: return machine_store(m, in);
	case BPF_LD: return wide_constant(m);
	default: return in->code == (BPF_JMP | BPF_CALL) ? machine_call(m, in) : jump(m, in);
	}
}

static void prepare(struct machine *m)
{
	const int64_t *inputs = m->world->inputs;
	uint32_t device[3] = {(uint32_t)inputs[IN_REQUESTED] << 16 | (uint32_t)inputs[IN_TYPE],
	                      (uint32_t)inputs[IN_MAJOR], (uint32_t)inputs[IN_MINOR]};
	memcpy(m->device, device, sizeof device);
	for (size_t i = 0; i < STACK_SIZE; i++)
		m->stack[i] = (unsigned char)(machine_noise(m) >> 32);
	for (int i = 0; i < 10; i++)
		m->reg[i] = machine_noise(m);
	m->reg[1] = CONTEXT_BASE;
	m->reg[10] = STACK_TOP;
}

/* Has the program decided? */
static bool ends(struct machine *m)
{
	bool device = m->raw->section == RAW_DEVICE;
	if (device && m->pc >= m->image->tail) {
		m->log->result = OUTCOME_KIND((outcome)m->reg[REG_OUTCOME]) == OUT_ALLOW;
		return true;
	}
	if (((const struct bpf_insn *)m->image->insns)[m->pc].code != (BPF_JMP | BPF_EXIT))
		return false;
	m->log->result = device ? m->reg[0] == 1 : (int64_t)m->reg[0];
	return true;
}

int raw_run(struct raw_world *w, const struct image *image, struct raw_log *log, const char **why)
{
	struct machine m = {.world = w, .raw = w->policy->raw, .image = image, .log = log, .noise = w->seed | 1};
	bool running = true;
	prepare(&m);
	for (size_t n = 0; running && m.pc < image->ninsns && n < RUN_STEPS_MAX; m.pc++, n++) {
		if (ends(&m))
			return 0;
		running = execute(&m);
	}
	*why = m.why ? m.why : "the program does not end";
	return -1;
}
