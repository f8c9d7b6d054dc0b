/* numbers.c - the keys of a grant as numbers: what it is really for, whatever it was called. */
#include "cmd/grant/grant.h"
#include "policy/interval.h"

#include <string.h>

/* One major number: its minors. */
struct row {
	uint64_t type;
	int64_t major;
	struct interval *minors;
	size_t n, cap;
};

struct rows {
	struct arena *arena;
	struct row *list;
	size_t n, cap;
};

/* What is next to each other comes one after the other: the last row is the one, mostly. */
static struct row *row_of(struct rows *r, const struct grant_key *key)
{
	for (size_t i = r->n; i-- > 0;)
		if (r->list[i].type == key->type && r->list[i].major == key->major)
			return &r->list[i];
	struct row *new = ARENA_PUSH(r->arena, r->list, r->n, r->cap);
	*new = (struct row){.type = key->type, .major = key->major};
	return new;
}

static bool same_minors(const struct row *x, const struct row *y)
{
	return x->type == y->type && x->n == y->n && !memcmp(x->minors, y->minors, x->n * sizeof *x->minors);
}

/* "b 8,65-71:*": a row, and those behind it that have the same minors; they are empty then. */
static const char *rows_text(struct rows *r, size_t at)
{
	struct row *first = &r->list[at];
	struct interval *majors = NULL;
	size_t n = 0, cap = 0;
	for (struct row *row = first; row < r->list + r->n; row++)
		if (row->n && same_minors(row, first)) {
			*ARENA_PUSH(r->arena, majors, n, cap) = (struct interval){row->major, row->major};
			row->n = row == first ? row->n : 0;
		}
	n = intervals_merge(majors, n);
	return arena_printf(r->arena, "%c %s:%s", first->type == DEV_BLOCK ? 'b' : 'c', intervals_text(r->arena, majors, n, MAJOR_MAX),
	                    intervals_text(r->arena, first->minors, first->n, MINOR_MAX));
}

const char *grant_numbers(struct arena *a, const struct host_grant *list, size_t n)
{
	struct rows r = {.arena = a};
	const char *text = "";
	for (size_t i = 0; i < n; i++) {
		const struct grant_key *key = &list[i].key;
		struct row *row = row_of(&r, key);
		bool any = key->minor == GRANT_ANY_MINOR;
		*ARENA_PUSH(a, row->minors, row->n, row->cap) = (struct interval){any ? 0 : key->minor, any ? MINOR_MAX : key->minor};
	}
	for (size_t i = 0; i < r.n; i++)
		r.list[i].n = intervals_merge(r.list[i].minors, r.list[i].n);
	for (size_t i = 0; i < r.n; i++)
		if (r.list[i].n)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "", rows_text(&r, i));
	return text;
}

bool grant_covers(const struct grant_key *key, const struct grant_key *number)
{
	return key->type == number->type && key->major == number->major &&
	       (key->minor == GRANT_ANY_MINOR || key->minor == number->minor);
}
