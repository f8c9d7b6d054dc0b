/* text.h - section .text of an object: the readers that its program calls. */
#ifndef DEVGUARD_COMPILER_OBJECT_TEXT_H
#define DEVGUARD_COMPILER_OBJECT_TEXT_H

#include "compiler/task/task.h"

/* ---- text.c ----------------------------------------------------------------------- */

struct text_reader {
	enum reader reader;
	uint32_t at;      /* its first instruction in .text */
	const char *name; /* of its symbol and type */
	struct reader_code code;
};
/* Section .text, empty when the program calls no reader. */
struct text {
	struct text_reader readers[READERS]; /* in their order */
	size_t n;
	struct bpf_insn *insns;
	size_t ninsns, nrelocs;
	bool asks_who; /* a reader uses the map devguard_who */
};
const struct text *object_text(struct arena *a, const struct image *image);
/* The reader that a relocation of the program is of; NULL: of an address. */
const struct text_reader *text_reader(const struct text *t, const struct image_reloc *r);

#endif
