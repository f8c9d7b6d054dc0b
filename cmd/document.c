/* document.c - texts that messages quote: found by their lines, an index made when first needed. */
#include "cmd/document.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"

struct document *document_add(struct documents *all, const char *file)
{
	if (all->n == sizeof all->items / sizeof *all->items)
		return NULL;
	struct document *in = &all->items[all->n++];
	*in = (struct document){.file = file};
	return in;
}

void documents_free(struct documents *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->items[i].text);
		free(all->items[i].lines);
	}
	*all = (struct documents){0};
}

static bool index_lines(struct document *in)
{
	size_t n = 1, at = 0;
	for (const char *p = in->text; (p = memchr(p, '\n', in->len - (size_t)(p - in->text))); p++)
		n++;
	in->lines = malloc(n * sizeof *in->lines);
	if (!in->lines)
		return false;
	for (size_t i = 0; i < n; i++) {
		in->lines[i] = at;
		const char *end = memchr(in->text + at, '\n', in->len - at);
		at = end ? (size_t)(end - in->text) + 1 : in->len;
	}
	in->nlines = n;
	return true;
}

const char *document_line(struct document *in, int line, size_t *len)
{
	if (!in->text || line < 1 || object_is(in->text, in->len))
		return NULL;
	if (!in->lines && !index_lines(in))
		return NULL;
	if ((size_t)line > in->nlines)
		return NULL;
	const char *start = in->text + in->lines[line - 1];
	*len = strcspn(start, "\n");
	return start;
}
