/*
 * cells.c - what is known of (major, minor), each a number or all of them, so that
 * a list of n entries is compared with itself in n steps.
 *
 * An entry is told to its own cell and to the unions of its row, its column and
 * of everything: what meets it is then found by at most four look-ups.
 */
#include "policy/import/internal.h"

#include <string.h>

static uint64_t key_of(int32_t major, int32_t minor)
{
	return ((uint64_t)(uint32_t)(major + 3) << 32) | (uint32_t)(minor + 3);
}

/* The place of a pair's cell; false: it has none. */
static bool find(const struct cells *c, uint64_t key, size_t *place)
{
	for (struct table_look l = table_look(&c->table, (uint32_t)table_mix(0, key)); table_next(&c->table, &l);)
		if (c->cells[l.place].key == key) {
			*place = l.place;
			return true;
		}
	return false;
}

void cells_init(struct cells *c, struct arena *a)
{
	*c = (struct cells){.arena = a};
}

/* The place of a pair's cell, made when there is none. */
static size_t cell_at(struct cells *c, int32_t major, int32_t minor)
{
	uint64_t key = key_of(major, minor);
	size_t place;
	if (find(c, key, &place))
		return place;
	table_add(&c->table, c->arena, (uint32_t)table_mix(0, key), (uint32_t)c->n);
	*ARENA_PUSH(c->arena, c->cells, c->n, c->cap) = (struct cell){.key = key};
	return c->n - 1;
}

static const struct cell *cell_find(const struct cells *c, int32_t major, int32_t minor)
{
	size_t place;
	return find(c, key_of(major, minor), &place) ? &c->cells[place] : NULL;
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
