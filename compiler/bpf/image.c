/*
 * image.c - could these bytes be a program of ours? What a program does is for verify.c.
 */
#include "compiler/bpf/internal.h"
#include "compiler/object/internal.h"

const char *image_check(struct arena *a, const struct image *image, const struct policy *p)
{
	const struct bpf_insn *insns = image->insns;
	if (!image->ninsns || image->tail > image->ninsns)
		return "its size";
	const bool *starts = object_insn_starts(a, insns, image->ninsns);
	if (!starts)
		return "its last instruction";
	for (size_t i = 0; i < image->nlines; i++) {
		const struct image_line *l = &image->lines[i];
		if (l->insn >= image->ninsns || !starts[l->insn] || l->line < 0 || l->file > p->nrules || (i && l->insn <= l[-1].insn))
			return "its lines";
	}
	for (size_t i = 0; i < image->nrelocs; i++) {
		const struct image_reloc *r = &image->relocs[i];
		if (r->insn >= image->ninsns || !starts[r->insn] || insns[r->insn].code != (BPF_LD | BPF_IMM | BPF_DW) ||
		    (r->target >= p->nparams && (r->target < TARGET_HEADER || r->target >= TARGETS_END)))
			return "its addresses";
	}
	for (size_t i = 0; i < image->ninsns; i++)
		if (starts[i] && insns[i].code == (BPF_JMP | BPF_CALL) &&
		    (insns[i].src_reg || !asm_helper(insns[i].imm)))
			return "its calls";
	return NULL;
}
