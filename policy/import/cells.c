/*
 * cells.c - a hash table over (major, minor), each a number or all of
 * them, so that a list of n entries is compared with itself in n steps.
 *
 * An entry is told to its own cell and to the unions of its row, its column and
 * of everything: what meets it is then found by at most four look-ups.
 */
#include "policy/import/internal.h"

#include <string.h>

enum { FIRST_SIZE = 64 };

static uint64_t key_of(int32_t major, int32_t minor)
{
	return ((uint64_t)(uint32_t)(major + 3) << 32) | (uint32_t)(minor + 3);
}

/* Where the key's index is, or belongs. */
static uint32_t *slot_of(const struct cells *c, uint64_t key)
{
	uint64_t h = (key ^ key >> 32) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(h ^ h >> 32) & (c->size - 1);
	while (c->slots[i] && c->cells[c->slots[i] - 1].key != key)
		i = (i + 1) & (c->size - 1);
	return &c->slots[i];
}

static void resize(struct cells *c, size_t size)
{
	c->slots = arena_alloc(c->arena, size * sizeof *c->slots);
	c->size = size;
	for (size_t i = 0; i < c->n; i++)
		*slot_of(c, c->cells[i].key) = (uint32_t)i + 1;
}

void cells_init(struct cells *c, struct arena *a)
{
	*c = (struct cells){.arena = a};
	resize(c, FIRST_SIZE);
}

/* The index of a pair's cell, made when there is none. */
static size_t cell_at(struct cells *c, int32_t major, int32_t minor)
{
	uint64_t key = key_of(major, minor);
	uint32_t *slot = slot_of(c, key);
	if (!*slot) {
		*ARENA_PUSH(c->arena, c->cells, c->n, c->cap) = (struct cell){.key = key};
		*slot = (uint32_t)c->n;
	}
	return *slot - 1;
}

static const struct cell *cell_find(const struct cells *c, int32_t major, int32_t minor)
{
	uint32_t index = *slot_of(c, key_of(major, minor));
	return index ? &c->cells[index - 1] : NULL;
}

static size_t product(const struct cells *c, const int32_t *majors, size_t nmajors,
                      const int32_t *minors, size_t nminors, const struct cell **out)
{
	size_t n = 0;
	for (size_t i = 0; i < nmajors; i++)
		for (size_t j = 0; j < nminors; j++)
			if ((out[n] = cell_find(c, majors[i], minors[j])))
				n++;
	return n;
}

size_t cells_meeting(const struct cells *c, int32_t major, int32_t minor, const struct cell **out)
{
	int32_t majors[] = {major == FOREIGN_ANY ? CELL_UNION : major, FOREIGN_ANY};
	int32_t minors[] = {minor == FOREIGN_ANY ? CELL_UNION : minor, FOREIGN_ANY};
	return product(c, majors, major == FOREIGN_ANY ? 1 : 2, minors, minor == FOREIGN_ANY ? 1 : 2, out);
}

size_t cells_covering(const struct cells *c, int32_t major, int32_t minor, const struct cell **out)
{
	int32_t majors[] = {FOREIGN_ANY, major}, minors[] = {FOREIGN_ANY, minor};
	return product(c, majors, major == FOREIGN_ANY ? 1 : 2, minors, minor == FOREIGN_ANY ? 1 : 2, out);
}

void cells_telling(struct cells *c, int32_t major, int32_t minor, struct cell **out)
{
	const int32_t majors[] = {major, CELL_UNION}, minors[] = {minor, CELL_UNION};
	size_t index[4];
	if (2 * (c->n + 4) > c->size)
		resize(c, 4 * c->size);
	for (size_t i = 0; i < 4; i++)
		index[i] = cell_at(c, majors[i / 2], minors[i % 2]);
	for (size_t i = 0; i < 4; i++) /* now that none is made and moves the others */
		out[i] = &c->cells[index[i]];
}

unsigned planes_of(int types, int access)
{
	unsigned one = (access & ACC_MKNOD ? 1u : 0) | (access & ACC_READ ? 2u : 0) |
	               (access & ACC_WRITE ? 4u : 0);
	return (types & DEV_BLOCK ? one : 0) | (types & DEV_CHAR ? one << 3 : 0);
}
