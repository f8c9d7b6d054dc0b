/* table.c - a hash table over the elements of an array: adding to it. */
#include "policy/table.h"
#include "policy/arena.h"

enum { TABLE_FIRST = 128 };

static void put(struct table *t, struct table_slot s)
{
	size_t i = s.hash & (t->size - 1);
	while (t->slots[i].place)
		i = (i + 1) & (t->size - 1);
	t->slots[i] = s;
}

static void grow(struct table *t, struct arena *a)
{
	struct table grown = {.size = t->size ? 2 * t->size : TABLE_FIRST, .n = t->n};
	grown.slots = arena_alloc(a, grown.size * sizeof *grown.slots);
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].place)
			put(&grown, t->slots[i]);
	arena_release(a, t->slots, t->size * sizeof *t->slots);
	*t = grown;
}

void table_add(struct table *t, struct arena *a, uint32_t hash, uint32_t place)
{
	if (2 * t->n >= t->size)
		grow(t, a);
	put(t, (struct table_slot){hash, place + 1});
	t->n++;
}
