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

static bool addresses_fit(const struct image *image, const bool *starts, uint32_t nparams)
{
	const struct bpf_insn *insns = image->insns;
	for (size_t i = 0; i < image->nrelocs; i++) {
		const struct image_reloc *r = &image->relocs[i];
		bool known = r->target < nparams || (r->target >= TARGET_HEADER && r->target < TARGETS_END);
		if (!known || r->insn >= image->ninsns || !starts[r->insn] || insns[r->insn].code != (BPF_LD | BPF_IMM | BPF_DW))
			return false;
	}
	return true;
}

static bool calls_known(const struct image *image, const bool *starts)
{
	const struct bpf_insn *insns = image->insns;
	for (size_t i = 0; i < image->ninsns; i++)
		if (starts[i] && insns[i].code == (BPF_JMP | BPF_CALL) && (insns[i].src_reg || !asm_helper(insns[i].imm)))
			return false;
	return true;
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
	if (!addresses_fit(image, starts, (uint32_t)p->nparams))
		return "its addresses";
	return calls_known(image, starts) ? NULL : "its calls";
}
