/* world.c - the maps of a world in which a raw program runs. */
#include "compiler/raw/world.h"

#include <string.h>

bool raw_is_array(enum raw_map_kind kind)
{
	return kind == RAW_ARRAY || kind == RAW_HISTOGRAM || kind == RAW_LOST;
}

int raw_lost_map(const struct raw *r)
{
	for (size_t i = 0; i < r->nmaps; i++)
		if (r->maps[i].kind == RAW_LOST)
			return (int)i;
	return -1;
}

int64_t raw_load(const void *from, size_t size, bool is_signed)
{
	uint64_t value = 0;
	memcpy(&value, from, size < 8 ? size : 8);
	unsigned unused = size < 8 ? 64 - 8 * (unsigned)size : 0;
	return is_signed ? (int64_t)(value << unused) >> unused : (int64_t)value;
}

void raw_store(void *to, size_t size, int64_t value)
{
	memset(to, 0, size);
	memcpy(to, &value, size < 8 ? size : 8);
}

static const struct raw_map *map_of(const struct raw_world *w, uint32_t map)
{
	return &w->policy->raw->maps[map];
}

void world_maps(struct raw_world *w)
{
	const struct raw *r = w->policy->raw;
	w->stores = arena_alloc(w->arena, (r->nmaps + 1) * sizeof *w->stores);
	for (size_t i = 0; i < r->nmaps; i++)
		w->stores[i].room = r->maps[i].entries;
}

static unsigned char *copy_of(struct arena *a, const void *bytes, size_t n)
{
	return memcpy(arena_alloc(a, n + 1), bytes, n);
}

static struct raw_entry *add_entry(struct raw_world *w, uint32_t map, const void *key, const void *value)
{
	struct raw_store *s = &w->stores[map];
	struct raw_entry *e = ARENA_PUSH(w->arena, s->entries, s->n, s->cap);
	e->key = copy_of(w->arena, key, map_of(w, map)->key.size);
	e->value = copy_of(w->arena, value, map_of(w, map)->value.size);
	return e;
}

struct raw_world world_copy(const struct raw_world *w)
{
	struct raw_world copy = *w;
	size_t n = w->policy->raw->nmaps;
	copy.stores = arena_alloc(w->arena, (n + 1) * sizeof *copy.stores);
	for (uint32_t i = 0; i < n; i++) {
		copy.stores[i].room = w->stores[i].room;
		for (size_t k = 0; k < w->stores[i].n; k++)
			add_entry(&copy, i, w->stores[i].entries[k].key, w->stores[i].entries[k].value);
	}
	return copy;
}

struct raw_entry *world_find(struct raw_world *w, uint32_t map, const void *key)
{
	static const unsigned char zeros[RAW_RECORD_MAX];
	struct raw_store *s = &w->stores[map];
	const struct raw_map *m = map_of(w, map);
	for (size_t i = 0; i < s->n; i++)
		if (!memcmp(s->entries[i].key, key, m->key.size))
			return &s->entries[i];
	if (raw_is_array(m->kind) && (uint64_t)raw_load(key, 4, false) < m->entries)
		return add_entry(w, map, key, zeros);
	return NULL;
}

bool world_put(struct raw_world *w, uint32_t map, const void *key, const void *value, bool absent)
{
	struct raw_entry *e = world_find(w, map, key);
	const struct raw_map *m = map_of(w, map);
	if ((e && absent) || (!e && (raw_is_array(m->kind) || w->stores[map].n >= w->stores[map].room)))
		return false;
	if (e)
		memcpy(e->value, value, m->value.size);
	else
		add_entry(w, map, key, value);
	return true;
}

bool world_delete(struct raw_world *w, uint32_t map, const void *key)
{
	struct raw_store *s = &w->stores[map];
	struct raw_entry *e = raw_is_array(map_of(w, map)->kind) ? NULL : world_find(w, map, key);
	if (!e)
		return false;
	*e = s->entries[--s->n];
	return true;
}

bool world_out(struct raw_world *w, uint32_t map)
{
	if (!w->stores[map].room)
		return false;
	w->stores[map].room--;
	return true;
}
