/* readers.c - the functions that a program calls to read the calling task (compiler/task/), counted. */
#include "compiler/bpf/internal.h"

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
