/*
 * record_parts.c - what records are made of: texts in one block, arrays, places in files.
 */
#include "cmd/room/record_parts.h"

#include <string.h>

/* ---- writing ---------------------------------------------------------------------------- */

uint32_t part_text(struct texts *t, const char *s)
{
	if (!s)
		return 0;
	if (t->last && (s == t->last || !strcmp(s, t->last)))
		return t->last_at;
	size_t len = strlen(s) + 1, at = t->n;
	if (len > t->cap - t->n) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		while (cap < t->n + len)
			cap *= 2;
		t->data = arena_grow(t->arena, t->data, t->cap, cap);
		t->cap = cap;
	}
	memcpy(t->data + at, s, len);
	t->n += len;
	return (uint32_t)at + 1;
}

uint32_t part_file(struct texts *t, const char *s)
{
	uint32_t at = part_text(t, s);
	if (s) {
		t->last = s;
		t->last_at = at;
	}
	return at;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* The next n things as a copy; the first that is not there spoils the whole. */
void *part_take(struct reader *r, uint64_t n, size_t size)
{
	if (r->bad || n > (uint64_t)(r->end - r->at) / size) {
		r->bad = true;
		return NULL;
	}
	void *copy = arena_alloc(r->arena, (size_t)n * size);
	memcpy(copy, r->at, (size_t)n * size);
	r->at += n * size;
	return copy;
}

/* The block of texts ends in a 0, so every place in it is the start of a text. */
const char *part_text_at(struct reader *r, uint32_t place)
{
	if (place > r->ntexts)
		r->bad = true;
	return r->bad || !place ? NULL : r->texts + place - 1;
}

const char *part_some_text(struct reader *r, uint32_t place)
{
	const char *s = part_text_at(r, place);
	if (!s)
		r->bad = true;
	return s ? s : "";
}

void part_must(struct reader *r, bool holds)
{
	r->bad |= !holds;
}

struct span part_place(struct reader *r, uint32_t file, int32_t line, int32_t column)
{
	part_must(r, line >= 0 && column >= 0);
	return (struct span){.file = part_text_at(r, file), .line = line, .column = column};
}
