/* dump.c - programs read from the kernel as bytes, from one process of the tool to another. */
#include "policy/dump.h"
#include "policy/arena.h"

#include <string.h>

struct map_head { uint32_t id, type, key_size, value_size, max_entries, known; uint64_t n; char name[16]; };
struct call_head { uint32_t insn; int32_t function; char name[40]; };
struct program_head { uint64_t ninsns, nmaps, ncalls, nopens, nfields; uint32_t has_calls, is; };

/* ---- writing ------------------------------------------------------------------------------ */

struct writer { uint8_t *at; size_t len; }; /* at NULL: only counts */

static void put(struct writer *w, const void *data, size_t n)
{
	if (w->at && n)
		memcpy(w->at + w->len, data, n);
	w->len += n;
}

static void copy_name(char *to, size_t size, const char *name)
{
	if (name)
		memcpy(to, name, strnlen(name, size - 1));
}

static void put_program(struct writer *w, const struct dump *d)
{
	struct program_head h = {.ninsns = d->ninsns, .nmaps = d->nmaps, .ncalls = d->ncalls, .nopens = d->nopens,
	                         .nfields = d->nfields, .has_calls = d->calls != NULL, .is = d->is};
	put(w, &h, sizeof h);
	put(w, d->opens, d->nopens * sizeof *d->opens);
	put(w, d->fields, d->nfields * sizeof *d->fields);
	put(w, d->insns, d->ninsns * 8);
	for (const struct dump_map *m = d->maps; m < d->maps + d->nmaps; m++) {
		struct map_head head = {m->id, m->type, m->key_size, m->value_size, m->max_entries, m->known, m->known ? m->n : 0, ""};
		copy_name(head.name, sizeof head.name, m->name);
		put(w, &head, sizeof head);
		put(w, m->keys, head.n * m->key_size);
		put(w, m->values, head.n * m->value_size);
	}
	for (size_t i = 0; i < d->ncalls; i++) {
		struct call_head head = {.insn = d->calls[i].insn, .function = d->calls[i].function};
		copy_name(head.name, sizeof head.name, d->calls[i].name);
		put(w, &head, sizeof head);
	}
}

void *dumps_write(struct arena *a, const struct dump *list, size_t n, size_t *len)
{
	struct writer count = {NULL, 0};
	for (size_t i = 0; i < n; i++)
		put_program(&count, &list[i]);
	*len = count.len <= DUMPS_MAX ? count.len : 0;
	if (!*len)
		return NULL;
	struct writer w = {arena_alloc(a, count.len), 0};
	for (size_t i = 0; i < n; i++)
		put_program(&w, &list[i]);
	return w.at;
}

/* ---- reading ------------------------------------------------------------------------------- */

struct bytes_left { const uint8_t *at; size_t n; bool bad; };

static const void *take(struct bytes_left *b, uint64_t count, size_t size)
{
	if (b->bad || (size && count > b->n / size)) {
		b->bad = true;
		return NULL;
	}
	const void *at = b->at;
	b->at += count * size;
	b->n -= count * size;
	return at;
}

static bool take_head(struct bytes_left *b, void *head, size_t size)
{
	const void *at = take(b, 1, size);
	if (at)
		memcpy(head, at, size);
	return at;
}

static void read_map(struct arena *a, struct bytes_left *b, struct dump_map *out)
{
	struct map_head h;
	if (!take_head(b, &h, sizeof h))
		return;
	*out = (struct dump_map){.id = h.id, .type = h.type, .key_size = h.key_size, .value_size = h.value_size,
	                         .max_entries = h.max_entries, .known = h.known, .n = h.n};
	out->keys = take(b, h.n, h.key_size);
	out->values = take(b, h.n, h.value_size);
	out->name = arena_strndup(a, h.name, strnlen(h.name, sizeof h.name));
}

static void read_call(struct arena *a, struct bytes_left *b, struct dump_call *out)
{
	struct call_head h;
	if (!take_head(b, &h, sizeof h))
		return;
	size_t n = strnlen(h.name, sizeof h.name);
	*out = (struct dump_call){h.insn, h.function, n ? arena_strndup(a, h.name, n) : NULL};
}

static bool read_program(struct arena *a, struct bytes_left *b, struct dump *out)
{
	struct program_head h;
	if (!take_head(b, &h, sizeof h) || h.is > DUMP_OPENS_ALL || h.nmaps > b->n / sizeof(struct map_head) ||
	    h.ncalls > b->n / sizeof(struct call_head))
		return false;
	const void *opens = take(b, h.nopens, sizeof *out->opens);
	if (!opens)
		return false;
	struct dump_opens *list = arena_alloc(a, h.nopens * sizeof *list + 1);
	memcpy(list, opens, h.nopens * sizeof *list);
	const void *fields = take(b, h.nfields, sizeof *out->fields);
	if (!fields)
		return false;
	int32_t *places = arena_alloc(a, h.nfields * sizeof *places + 1);
	memcpy(places, fields, h.nfields * sizeof *places);
	struct dump_map *maps = arena_alloc(a, (h.nmaps + 1) * sizeof *maps);
	struct dump_call *calls = arena_alloc(a, (h.ncalls + 1) * sizeof *calls);
	const void *insns = take(b, h.ninsns, 8);
	if (!insns)
		return false;
	void *aligned = arena_alloc(a, h.ninsns * 8 + 1);
	memcpy(aligned, insns, h.ninsns * 8);
	for (size_t i = 0; i < h.nmaps; i++)
		read_map(a, b, &maps[i]);
	for (size_t i = 0; i < h.ncalls; i++)
		read_call(a, b, &calls[i]);
	*out = (struct dump){.is = h.is, .opens = list, .nopens = h.nopens, .insns = aligned, .ninsns = h.ninsns, .maps = maps, .nmaps = h.nmaps,
	                     .calls = h.has_calls ? calls : NULL, .ncalls = h.ncalls, .fields = places, .nfields = h.nfields};
	return !b->bad;
}

bool dumps_read(struct arena *a, const void *data, size_t len, struct dump **list, size_t *n)
{
	struct bytes_left b = {data, len, false};
	size_t cap = 0;
	*list = NULL;
	*n = 0;
	while (b.n)
		if (!read_program(a, &b, ARENA_PUSH(a, *list, *n, cap)))
			return false;
	return *n > 0;
}
