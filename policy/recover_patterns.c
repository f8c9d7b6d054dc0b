/*
 * recover_patterns.c - the devices of several classes as the patterns of one rule, as few as there are
 * different lists of minor numbers.
 */
#include "policy/recover_patterns.h"
#include "policy/arena.h"
#include "policy/device.h"

#include <string.h>

/* Some of the majors of a list of blocks, and all minors that they have there. */
struct column { struct interval majors; struct interval *minors; size_t nminors; };

static bool has_major(const struct block_of_devices *b, int64_t major)
{
	return intervals_have(b->majors, b->nmajors, major);
}

static struct column column_at(struct arena *a, const struct block_of_devices *const *blocks, size_t n, int64_t lo, int64_t hi)
{
	struct column col = {.majors = {lo, hi}};
	size_t cap = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; has_major(blocks[i], lo) && k < blocks[i]->nminors; k++)
			*ARENA_PUSH(a, col.minors, col.nminors, cap) = blocks[i]->minors[k];
	col.nminors = intervals_merge(col.minors, col.nminors);
	return col;
}

/* The next major from which on the list of blocks is another one. */
static int64_t next_change(const struct block_of_devices *const *blocks, size_t n, int64_t from)
{
	int64_t next = MAJOR_MAX + 1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < blocks[i]->nmajors; k++) {
			const struct interval *m = &blocks[i]->majors[k];
			if (m->lo > from && m->lo < next)
				next = m->lo;
			if (m->hi >= from && m->hi + 1 < next)
				next = m->hi + 1;
		}
	return next;
}

/* Adds a column to a rule's patterns: to one with the same minors, or as a new one. */
static void add_column(struct arena *a, struct rule *r, size_t *cap, int type, int letters, const struct column *col)
{
	struct pattern *p = r->patterns, *end = p + r->npatterns;
	while (p < end && !(p->types == type && p->nminors == col->nminors &&
	                    !memcmp(p->minors, col->minors, col->nminors * sizeof *col->minors)))
		p++;
	if (p == end) {
		p = ARENA_PUSH(a, r->patterns, r->npatterns, *cap);
		*p = (struct pattern){.types = type, .minors = col->minors, .nminors = col->nminors, .access = letters};
	}
	struct interval *majors = arena_alloc(a, (p->nmajors + 1) * sizeof *majors);
	if (p->nmajors)
		memcpy(majors, p->majors, p->nmajors * sizeof *majors);
	majors[p->nmajors] = col->majors;
	p->nmajors = intervals_merge(majors, p->nmajors + 1);
	p->majors = majors;
}

void rule_add_blocks(struct arena *a, struct rule *r, size_t *cap, int letters, const struct block_of_devices *const *blocks,
                     size_t n)
{
	int type = blocks[0]->type;
	for (int64_t lo = 0; lo <= MAJOR_MAX;) {
		int64_t next = next_change(blocks, n, lo);
		struct column col = column_at(a, blocks, n, lo, next - 1);
		if (col.nminors)
			add_column(a, r, cap, type, letters, &col);
		lo = next;
	}
}

static bool same_numbers(const struct pattern *x, const struct pattern *y)
{
	return x->nmajors == y->nmajors && x->nminors == y->nminors &&
	       !memcmp(x->majors, y->majors, x->nmajors * sizeof *x->majors) &&
	       !memcmp(x->minors, y->minors, x->nminors * sizeof *x->minors);
}

/* Patterns of both types with the same numbers are one. */
void rule_join_types(struct rule *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->npatterns; i++) {
		size_t k = 0;
		while (k < n && !(r->patterns[k].types != r->patterns[i].types && same_numbers(&r->patterns[k], &r->patterns[i])))
			k++;
		if (k < n)
			r->patterns[k].types = DEV_BLOCK | DEV_CHAR;
		else
			r->patterns[n++] = r->patterns[i];
	}
	r->npatterns = n;
}
