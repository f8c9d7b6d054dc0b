/*
 * needs.c - what a program asks of the kernel beyond what Linux 5.10 has.
 */
#include "compiler/bpf/internal.h"

/* By enum fact_helper. */
static const struct kernel_need helpers[FACT_HELPERS] = {
#define HELPER(id, function, facts, slots, major, minor) {"bpf_" #function, major, minor},
#include "policy/facts.def"
};
static const struct kernel_need far_jumps = {"32-bit jumps", 6, 6};
static const struct kernel_need types = {"type information: CONFIG_DEBUG_INFO_BTF", 5, 10};
static const struct kernel_need an_errno = {"bpf_set_retval", 5, 18};

/* Which of them steps call: what tells facts, tracing programs may call since long ago. */
static void steps_call(const struct policy *p, const struct image *image, bool called[FACT_HELPERS])
{
	const struct bpf_insn *in = image->insns;
	for (size_t pc = 0; pc < image->steps && policy_decides(p); pc++) {
		for (int i = 0; i < FACT_HELPERS; i++)
			called[i] |= in[pc].code == (BPF_JMP | BPF_CALL) && in[pc].imm == helper_number((enum fact_helper)i);
		pc += in[pc].code == (BPF_LD | BPF_DW | BPF_IMM);
	}
}

size_t image_needs(const struct policy *p, const struct image *image, input_set reads,
                   struct kernel_need out[KERNEL_NEEDS_MAX])
{
	bool called[FACT_HELPERS] = {false};
	size_t n = 0;
	steps_call(p, image, called);
	bool reads_task = reads & TASK_INPUTS;
	for (; reads; reads &= reads - 1) {
		int helper = input_helper((enum input)__builtin_ctzll(reads));
		if (helper >= 0)
			called[helper] = true;
	}
	for (int i = 0; i < FACT_HELPERS; i++)
		if (called[i])
			out[n++] = helpers[i];
	if (reads_task)
		out[n++] = types;
	if (image_jumps_far(image))
		out[n++] = far_jumps;
	if (policy_has_errno(p))
		out[n++] = an_errno;
	return n;
}
