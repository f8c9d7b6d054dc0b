/*
 * table.h - a hash table over the elements of an array.
 *
 * The array is its owner's; the table has the hash and the place of each element. So:
 *
 *	for (struct table_look l = table_look(&t, hash); table_next(&t, &l);)
 *		if (same(&array[l.place], key))
 *			return l.place;
 *	table_add(&t, arena, hash, place);
 */
#ifndef DEVGUARD_POLICY_TABLE_H
#define DEVGUARD_POLICY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct table_slot { uint32_t hash, place; }; /* place: 1 more, 0: empty */
/* All zero: empty. */
struct table {
	struct table_slot *slots; /* open addressing, at most half full */
	size_t n, size;           /* size: a power of two */
};

/* Goes over the places of elements with that hash. */
struct table_look { uint32_t hash, place; size_t at; };

static inline struct table_look table_look(const struct table *t, uint32_t hash)
{
	return (struct table_look){.hash = hash, .at = t->size ? hash & (t->size - 1) : 0};
}

/* False: there are no more. */
static inline bool table_next(const struct table *t, struct table_look *l)
{
	while (t->size && t->slots[l->at].place) {
		struct table_slot s = t->slots[l->at];
		l->at = (l->at + 1) & (t->size - 1);
		if (s.hash != l->hash)
			continue;
		l->place = s.place - 1;
		return true;
	}
	return false;
}

/* Adds an element that is not in it. */
void table_add(struct table *t, struct arena *a, uint32_t hash, uint32_t place);

/* A hash of several numbers: mixes one more into h. Its low half is good. */
static inline uint64_t table_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

#endif
