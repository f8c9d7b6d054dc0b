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
static const struct kernel_need an_errno = {"bpf_set_retval", 5, 18};

static uint32_t term_reads(const struct policy *p, const struct raw_operand *o)
{
	return o->is_comm ? 1u << IN_COMM_0 : term_get(p->terms, o->t)->inputs;
}

/* The inputs that steps read. */
static uint32_t steps_read(const struct policy *p, const struct step *first)
{
	uint32_t reads = 0;
	for (const struct step *s = first; s; s = s->next) {
		for (size_t i = 0; i < s->nargs; i++)
			reads |= term_reads(p, &s->args[i]);
		if (s->kind == STEP_SET || s->kind == STEP_ADD)
			reads |= term_reads(p, &s->operand);
		if (s->kind == STEP_IF)
			reads |= term_get(p->terms, s->condition)->inputs | steps_read(p, s->yes) | steps_read(p, s->no);
	}
	return reads & ~(1u << INPUT_VALUES);
}

size_t image_needs(const struct policy *p, const struct image *image, uint32_t reads,
                   struct kernel_need out[KERNEL_NEEDS_MAX])
{
	bool called[FACT_HELPERS] = {false};
	size_t n = 0;
	if (p->raw && p->raw->section == RAW_DEVICE)
		reads |= steps_read(p, p->raw->steps);
	else if (p->raw) /* what tells facts, tracing programs may call since long ago */
		reads = 0;
	for (; reads; reads &= reads - 1) {
		int helper = input_helper((enum input)__builtin_ctz(reads));
		if (helper >= 0)
			called[helper] = true;
	}
	for (int i = 0; i < FACT_HELPERS; i++)
		if (called[i])
			out[n++] = helpers[i];
	if (image_jumps_far(image))
		out[n++] = far_jumps;
	if (policy_has_errno(p))
		out[n++] = an_errno;
	return n;
}
