/* readers.c - what is called or addressed at an instruction; the functions that read the calling task (compiler/task/), counted. */
#include "compiler/bpf/internal.h"

const struct image_reloc *image_reloc_at(const struct image *image, size_t pc)
{
	size_t lo = 0, hi = image->nrelocs;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (image->relocs[mid].insn < pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < image->nrelocs && image->relocs[lo].insn == pc ? &image->relocs[lo] : NULL;
}

enum reader reader_called(const struct image_reloc *r)
{
	bool is_reader = r && r->target >= TARGET_READER && r->target - TARGET_READER < READERS;
	return is_reader ? (enum reader)(r->target - TARGET_READER) : READERS;
}

unsigned *readers_longest(struct arena *a, size_t n, const struct image_reloc *relocs, size_t nrelocs)
{
	unsigned *out = arena_alloc(a, (n + 1) * sizeof *out), longest[READERS] = {0};
	for (size_t i = 0; i < nrelocs; i++) {
		uint32_t reader = relocs[i].target - TARGET_READER;
		if (reader >= READERS || relocs[i].insn >= n)
			continue;
		if (!longest[reader])
			longest[reader] = reader_code(a, (enum reader)reader).longest;
		out[relocs[i].insn] = longest[reader];
	}
	return out;
}

size_t image_instructions(struct arena *a, const struct image *image)
{
	size_t n = image->ninsns;
	bool counted[READERS] = {false};
	for (size_t i = 0; i < image->nrelocs; i++) {
		uint32_t reader = image->relocs[i].target - TARGET_READER;
		if (reader >= READERS || counted[reader])
			continue;
		counted[reader] = true;
		n += reader_code(a, (enum reader)reader).ninsns;
	}
	return n;
}
