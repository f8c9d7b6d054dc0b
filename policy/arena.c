/*
 * arena.c - region allocation: one arena a compilation, freed in one call.
 *
 * Blocks double up to a megabyte; a block that was allocated last can grow in
 * place, which makes arrays that grow one at a time cheap.
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *chunks; /* the current one first */
	jmp_buf *handler;
	size_t size; /* of all chunks */
	struct budget *budget;
};

enum { CHUNK_FIRST = 16 << 10, CHUNK_MAX = 1 << 20 };

static size_t round_up(size_t n)
{
	size_t align = _Alignof(max_align_t);
	return (n + align - 1) & ~(align - 1);
}

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	if (a->budget)
		a->budget->used -= a->size;
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

void arena_catch(struct arena *a, jmp_buf *handler)
{
	a->handler = handler;
}

void arena_charge(struct arena *a, struct budget *b)
{
	if (a->budget)
		a->budget->used -= a->size;
	a->budget = b;
	if (b)
		budget_take(b, a->size);
}

struct budget *arena_budget(const struct arena *a)
{
	return a->budget;
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}

void arena_fail(struct arena *a)
{
	if (a->handler)
		longjmp(*a->handler, 1);
	abort();
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 4)
		arena_fail(a);
	size = round_up(size ? size : 1);
	struct chunk *c = a->chunks;
	if (!c || c->size - c->used < size) {
		size_t want = c ? c->size * 2 : CHUNK_FIRST;
		if (want > CHUNK_MAX)
			want = CHUNK_MAX;
		if (want < size)
			want = size;
		if (a->budget)
			budget_take(a->budget, want);
		/* calloc: fresh pages come zeroed and stay untouched until used */
		struct chunk *fresh = calloc(1, sizeof *fresh + want);
		if (!fresh)
			arena_fail(a);
		fresh->size = want;
		fresh->next = c;
		a->size += want;
		a->chunks = c = fresh;
	}
	void *p = c->data + c->used;
	c->used += size;
	return p;
}

void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	struct chunk *c = a->chunks;
	size_t had = round_up(old_size ? old_size : 1), want = round_up(new_size ? new_size : 1);
	if (old && c && (unsigned char *)old + had == c->data + c->used && want >= had &&
	    c->size - c->used >= want - had) {
		c->used += want - had;
		return old;
	}
	void *p = arena_alloc(a, new_size);
	if (old && old_size)
		memcpy(p, old, old_size < new_size ? old_size : new_size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return arena_strdup(a, "");
	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}
