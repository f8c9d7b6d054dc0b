/*
 * foreign_cells.c - a hash table over (major, minor), each a number or all of
 * them, so that a list of n entries is compared with itself in n steps.
 *
 * An entry is told to its own cell and to the unions of its row, its column and
 * of everything: what meets it is then found by at most four look-ups.
 */
#include "policy/foreign_internal.h"

#include <string.h>

enum { FIRST_SIZE = 64 };

static uint64_t key_of(int32_t major, int32_t minor)
{
	return ((uint64_t)(uint32_t)(major + 3) << 32) | (uint32_t)(minor + 3);
}

static size_t slot_of(const struct cells *c, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(h >> 20) & (c->size - 1);
	while (c->table[i].key && c->table[i].key != key)
		i = (i + 1) & (c->size - 1);
	return i;
}

static void resize(struct cells *c, size_t size)
{
	struct cell *old = c->table;
	size_t old_size = c->size;
	c->table = arena_alloc(c->arena, size * sizeof *c->table);
	c->size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].key)
			c->table[slot_of(c, old[i].key)] = old[i];
}

void cells_init(struct cells *c, struct arena *a)
{
	*c = (struct cells){.arena = a};
	resize(c, FIRST_SIZE);
}

/* The cell of a pair, made when there is none: there is room for it. */
static struct cell *cell_at(struct cells *c, int32_t major, int32_t minor)
{
	uint64_t key = key_of(major, minor);
	struct cell *cell = &c->table[slot_of(c, key)];
	if (!cell->key)
		c->n++;
	cell->key = key;
	return cell;
}

static const struct cell *cell_find(const struct cells *c, int32_t major, int32_t minor)
{
	const struct cell *cell = &c->table[slot_of(c, key_of(major, minor))];
	return cell->key ? cell : NULL;
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
	if (2 * (c->n + 4) > c->size) /* the table moves before any cell is pointed to */
		resize(c, 4 * c->size);
	for (size_t i = 0; i < 4; i++)
		out[i] = cell_at(c, majors[i / 2], minors[i % 2]);
}

unsigned planes_of(int types, int access)
{
	unsigned one = (access & ACC_MKNOD ? 1u : 0) | (access & ACC_READ ? 2u : 0) |
	               (access & ACC_WRITE ? 4u : 0);
	return (types & DEV_BLOCK ? one : 0) | (types & DEV_CHAR ? one << 3 : 0);
}
