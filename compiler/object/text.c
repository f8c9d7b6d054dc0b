/* text.c - section .text of an object: the readers that its program calls, one behind the other. */
#include "compiler/object/text.h"

#include <gelf.h>
#include <string.h>

/* Of an image's relocation: the reader that is called, READERS: it is an address. */
static enum reader called(const struct image_reloc *r)
{
	bool is_reader = r->target >= TARGET_READER && r->target - TARGET_READER < READERS;
	return is_reader ? (enum reader)(r->target - TARGET_READER) : READERS;
}

static void add_reader(struct arena *a, struct text *t, enum reader r)
{
	struct text_reader *tr = &t->readers[t->n++];
	*tr = (struct text_reader){r, (uint32_t)t->ninsns, arena_printf(a, "devguard_%s", reader_name(r)), reader_code(a, r)};
	t->insns = arena_grow(a, t->insns, t->ninsns * sizeof *t->insns, (t->ninsns + tr->code.ninsns) * sizeof *t->insns);
	memcpy(t->insns + t->ninsns, tr->code.insns, tr->code.ninsns * sizeof *t->insns);
	t->ninsns += tr->code.ninsns;
	t->nrelocs += tr->code.nrelocs;
	for (size_t i = 0; i < tr->code.nrelocs; i++)
		t->asks_who |= tr->code.relocs[i].target == TARGET_WHO;
}

const struct text *object_text(struct arena *a, const struct image *image)
{
	struct text *t = arena_alloc(a, sizeof *t);
	bool used[READERS + 1] = {0};
	for (size_t i = 0; i < image->nrelocs; i++)
		used[called(&image->relocs[i])] = true;
	for (int r = 0; r < READERS; r++)
		if (used[r])
			add_reader(a, t, (enum reader)r);
	return t;
}

const struct text_reader *text_reader(const struct text *t, const struct image_reloc *r)
{
	enum reader reader = called(r);
	for (size_t i = 0; i < t->n; i++)
		if (t->readers[i].reader == reader)
			return &t->readers[i];
	return NULL;
}
