/*
 * pack.c - a policy and its program as bytes, from one process of the compilation to
 * the next.
 *
 * A fixed head (counts, little-endian as the machine is), the policy as serial.c writes
 * it, the instructions, their lines and relocations. Nothing in the bytes is trusted when
 * they are read: counts are bounded by what is there, and the caller proves the program
 * against the policy with verify_image().
 */
#include "compiler/internal.h"
#include "compiler/object_internal.h"

#include <string.h>

enum { PACK_MAGIC = 0x4b504744 }; /* "DGPK" */

struct pack_head {
	uint32_t magic, has_image;
	uint64_t policy;                  /* bytes */
	uint64_t ninsns, nlines, nrelocs;
	uint64_t tail;
	uint32_t longest, reserved;
};

int serial_keep(struct policy *p, struct diags *d)
{
	struct buffer all = {.arena = d->arena};
	uint64_t digest;
	if (serial_write(p, d, &all, &digest))
		return -1;
	p->serial.data = all.data;
	p->serial.len = all.n;
	p->serial.digest = digest;
	return 0;
}

int pack_write(const struct policy *p, const struct image *image, struct diags *d, struct bytes *out)
{
	struct buffer all = {.arena = d->arena};
	struct pack_head h = {.magic = PACK_MAGIC};
	uint64_t digest;
	buffer_put(&all, &h, sizeof h);
	if (serial_write(p, d, &all, &digest))
		return -1;
	h.policy = all.n - sizeof h;
	if (image) {
		h.has_image = 1;
		h.ninsns = image->ninsns;
		h.nlines = image->nlines;
		h.nrelocs = image->nrelocs;
		h.tail = image->tail;
		h.longest = image->longest;
		buffer_put(&all, image->insns, image->ninsns * sizeof(struct bpf_insn));
		buffer_put(&all, image->lines, image->nlines * sizeof *image->lines);
		buffer_put(&all, image->relocs, image->nrelocs * sizeof *image->relocs);
	}
	memcpy(all.data, &h, sizeof h);
	*out = (struct bytes){all.data, all.n};
	return 0;
}

/* The next `n` things of `size` bytes as a copy, which is aligned; NULL when they are not there. */
static void *take(struct arena *a, const unsigned char **at, const unsigned char *end, uint64_t n, size_t size)
{
	if (n > (uint64_t)(end - *at) / size)
		return NULL;
	void *copy = arena_alloc(a, (size_t)n * size);
	memcpy(copy, *at, (size_t)n * size);
	*at += n * size;
	return copy;
}

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

/* The program that follows the policy. NULL, or what of it is not possible. */
static const char *read_program(struct arena *a, const struct pack_head *h, const struct policy *p,
                                const unsigned char *at, const unsigned char *end, struct image *image)
{
	struct bpf_insn *insns = take(a, &at, end, h->ninsns, sizeof *insns);
	struct image_line *lines = insns ? take(a, &at, end, h->nlines, sizeof *lines) : NULL;
	struct image_reloc *relocs = lines ? take(a, &at, end, h->nrelocs, sizeof *relocs) : NULL;
	if (!relocs || at != end)
		return "its size";
	*image = (struct image){.insns = insns, .ninsns = h->ninsns, .lines = lines, .nlines = h->nlines,
	                        .relocs = relocs, .nrelocs = h->nrelocs, .tail = h->tail,
	                        .longest = h->longest};
	return image_check(a, image, p);
}

/* NULL, or what is damaged; "" when that was said. */
static const char *read_pack(struct arena *a, struct diags *d, const char *file, const unsigned char *at,
                             size_t len, struct policy **policy, struct image *image)
{
	const unsigned char *end = at + len;
	struct pack_head h;
	uint64_t digest;
	if (len < sizeof h)
		return "its head";
	memcpy(&h, at, sizeof h);
	at += sizeof h;
	if (h.magic != PACK_MAGIC || h.has_image > 1 || h.policy > (uint64_t)(end - at))
		return "its head";
	if (serial_read(a, d, file, at, h.policy, policy, &digest))
		return "";
	at += h.policy;
	*image = (struct image){0};
	if (!h.has_image)
		return at == end ? NULL : "its size";
	return read_program(a, &h, *policy, at, end, image);
}

int pack_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len,
              struct policy **policy, struct image *image)
{
	const char *wrong = read_pack(a, d, file, data, len, policy, image);
	if (wrong && *wrong)
		diag_add(d, DIAG_ERROR, (struct span){.file = file}, "report it with the policy",
		         "what the compiler returned is damaged: %s", wrong);
	return wrong ? -1 : 0;
}
