/*
 * arena.c - region allocation: one arena a compilation, freed in one call.
 *
 * Blocks double up to a megabyte; a block that was allocated last can grow in
 * place, which makes arrays that grow one at a time cheap. A large block has a
 * chunk of its own, which can be given back: an array that moves leaves no garbage.
 * A scratch arena belongs to another one, for what a
 * stage needs no longer than it runs.
 */
#include "policy/arena.h"
#include "policy/budget.h"

#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *next, *prev; /* prev: of large ones only */
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *chunks; /* the current one first */
	struct chunk *large;  /* of one block each */
	jmp_buf *handler;
	size_t size; /* of all chunks, and of the scratch arenas */
	struct budget *budget; /* of one without a parent */
	struct arena *parent, *scratch, *next; /* scratch: the first one of this arena, then by next */
};

enum { CHUNK_FIRST = 16 << 10, CHUNK_MAX = 1 << 20, LARGE = 256 << 10 };

static size_t round_up(size_t n)
{
	size_t align = _Alignof(max_align_t);
	return (n + align - 1) & ~(align - 1);
}

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_fail(struct arena *a)
{
	while (a->parent)
		a = a->parent;
	if (a->handler)
		longjmp(*a->handler, 1);
	abort();
}

struct arena *arena_scratch(struct arena *parent)
{
	struct arena *a = arena_new();
	if (!a)
		arena_fail(parent);
	a->parent = parent;
	a->next = parent->scratch;
	return parent->scratch = a;
}

static void free_chunks(struct chunk *c)
{
	for (struct chunk *next; c; c = next) {
		next = c->next;
		free(c);
	}
}

/* Every arena counts, and the outermost one's budget. */
static void count(struct arena *a, size_t more, size_t less)
{
	for (;; a = a->parent) {
		a->size += more - less;
		if (!a->parent)
			break;
	}
	if (a->budget && more)
		budget_take(a->budget, more);
	if (a->budget)
		a->budget->used -= less;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->scratch)
		arena_free(a->scratch);
	if (a->parent) {
		struct arena **at = &a->parent->scratch;
		while (*at != a)
			at = &(*at)->next;
		*at = a->next;
		count(a->parent, 0, a->size);
	}
	if (a->budget)
		a->budget->used -= a->size;
	free_chunks(a->chunks);
	free_chunks(a->large);
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
	while (a->parent)
		a = a->parent;
	return a->budget;
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}

static struct chunk *new_chunk(struct arena *a, size_t size, void *(*allocate)(size_t size))
{
	count(a, size, 0); /* before: it may be more than there is a budget for */
	struct chunk *fresh = allocate(sizeof *fresh + size);
	if (!fresh)
		arena_fail(a);
	*fresh = (struct chunk){.size = size};
	return fresh;
}

static void *zeroed(size_t size)
{
	return calloc(1, size); /* fresh pages come zeroed and stay untouched until used */
}

static void *alloc_large(struct arena *a, size_t size)
{
	struct chunk *c = new_chunk(a, size, zeroed);
	c->next = a->large;
	if (a->large)
		a->large->prev = c;
	a->large = c;
	return c->data;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 4)
		arena_fail(a);
	size = round_up(size ? size : 1);
	if (size >= LARGE)
		return alloc_large(a, size);
	struct chunk *c = a->chunks;
	if (!c || c->size - c->used < size) {
		size_t want = c ? c->size * 2 : CHUNK_FIRST;
		if (want > CHUNK_MAX)
			want = CHUNK_MAX;
		if (want < size)
			want = size;
		struct chunk *fresh = new_chunk(a, want, malloc);
		fresh->next = c;
		a->chunks = c = fresh;
	}
	void *p = memset(c->data + c->used, 0, size); /* here: a chunk may be left with pages unused */
	c->used += size;
	return p;
}

void arena_release(struct arena *a, void *block, size_t size)
{
	if (!block || round_up(size) < LARGE)
		return;
	struct chunk *c = (struct chunk *)((unsigned char *)block - offsetof(struct chunk, data));
	if (c->prev)
		c->prev->next = c->next;
	else
		a->large = c->next;
	if (c->next)
		c->next->prev = c->prev;
	count(a, 0, c->size);
	free(c);
}

void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	struct chunk *c = a->chunks;
	size_t had = round_up(old_size ? old_size : 1), want = round_up(new_size ? new_size : 1);
	if (old && c && (unsigned char *)old + had == c->data + c->used && want >= had &&
	    c->size - c->used >= want - had && want < LARGE) {
		memset(c->data + c->used, 0, want - had);
		c->used += want - had;
		return old;
	}
	void *p = arena_alloc(a, new_size);
	if (old && old_size)
		memcpy(p, old, old_size < new_size ? old_size : new_size);
	return p;
}

void *arena_move(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	void *p = arena_grow(a, old, old_size, new_size);
	if (p != old)
		arena_release(a, old, old_size);
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

/* open_memstream() loses text without a word when it finds no memory (glibc 2.36). */
static ssize_t append(void *cookie, const char *text, size_t n)
{
	struct arena_stream *s = cookie;
	if (s->cap - s->len < n + 1) {
		size_t cap = 2 * s->cap + n + 1;
		char *grown = realloc(s->text, cap);
		s->failed |= !grown;
		if (!grown)
			return 0; /* an error */
		s->text = grown;
		s->cap = cap;
	}
	memcpy(s->text + s->len, text, n);
	s->len += n;
	return (ssize_t)n;
}

/* Only where it is: for ftell(). */
static int tell(void *cookie, off64_t *at, int whence)
{
	const struct arena_stream *s = cookie;
	if (whence != SEEK_CUR || *at)
		return -1;
	*at = (off64_t)s->len;
	return 0;
}

FILE *arena_stream(struct arena *a, struct arena_stream *s)
{
	*s = (struct arena_stream){0};
	s->out = fopencookie(s, "w", (cookie_io_functions_t){.write = append, .seek = tell});
	if (!s->out)
		arena_fail(a);
	return s->out;
}

char *arena_text(struct arena *a, struct arena_stream *s)
{
	if (fclose(s->out) || s->failed) {
		free(s->text);
		arena_fail(a);
	}
	char *copy = arena_strndup(a, s->text ? s->text : "", s->len);
	free(s->text);
	return copy;
}
