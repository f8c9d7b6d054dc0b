/*
 * image.c - could these bytes be a program of ours? What a program does is for verify.c.
 */
#include "compiler/bpf/internal.h"
#include "compiler/object/internal.h"

static bool lines_fit(const struct image *image, const bool *starts, uint32_t nrules)
{
	for (size_t i = 0; i < image->nlines; i++) {
		const struct image_line *l = &image->lines[i];
		bool ascends = !i || l->insn > l[-1].insn;
		if (!ascends || l->insn >= image->ninsns || !starts[l->insn] || l->line < 0 || l->file > nrules)
			return false;
	}
	return true;
}

static bool is_target(const struct policy *p, uint32_t target)
{
	return target < p->nparams || (target >= TARGET_HEADER && target < TARGETS_END) ||
	       (p->raw && target >= TARGET_RAW_MAP && target - TARGET_RAW_MAP < p->raw->nmaps);
}

static bool addresses_fit(const struct image *image, const bool *starts, const struct policy *p)
{
	const struct bpf_insn *insns = image->insns;
	for (size_t i = 0; i < image->nrelocs; i++) {
		const struct image_reloc *r = &image->relocs[i];
		if (reader_called(r) != READERS && r->insn < image->ninsns && starts[r->insn] && insns[r->insn].code == (BPF_JMP | BPF_CALL) &&
		    insns[r->insn].src_reg == BPF_PSEUDO_CALL)
			continue;
		if (!is_target(p, r->target) || r->insn >= image->ninsns || !starts[r->insn] ||
		    insns[r->insn].code != (BPF_LD | BPF_IMM | BPF_DW))
			return false;
	}
	return true;
}

/* What the steps of a raw program call, beside facts and maps. */
static bool is_of_steps(int helper)
{
	switch (helper) {
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_get_smp_processor_id:
	case BPF_FUNC_probe_read_kernel:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_ringbuf_output: return true;
	default: return false;
	}
}

static bool calls_known(const struct image *image, const bool *starts)
{
	const struct bpf_insn *insns = image->insns;
	for (size_t i = 0; i < image->ninsns; i++) {
		if (!starts[i] || insns[i].code != (BPF_JMP | BPF_CALL))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_CALL && reader_called(image_reloc_at(image, i)) != READERS)
			continue;
		if (insns[i].src_reg || !asm_helper(insns[i].imm) || (i >= image->steps && is_of_steps(insns[i].imm)))
			return false;
	}
	return true;
}

/* Only a raw program has steps, and what decides follows where its section decides. */
static bool steps_fit(const struct image *image, const struct policy *p, const bool *starts)
{
	if (!p->raw)
		return !image->steps;
	if (!policy_decides(p))
		return image->steps == image->ninsns && image->tail == image->ninsns;
	return !image->steps || (image->steps < image->tail && starts[image->steps]);
}

const char *image_check(struct arena *a, const struct image *image, const struct policy *p)
{
	if (!image->ninsns || image->tail > image->ninsns)
		return "its size";
	const bool *starts = object_insn_starts(a, image->insns, image->ninsns);
	if (!starts)
		return "its last instruction";
	if (!lines_fit(image, starts, (uint32_t)p->nrules))
		return "its lines";
	if (!steps_fit(image, p, starts))
		return "its steps";
	if (!addresses_fit(image, starts, p))
		return "its addresses";
	return calls_known(image, starts) ? NULL : "its calls";
}
