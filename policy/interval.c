/* interval.c - sets of numbers as ranges. Linear in the text, but for sorting. */
#include "policy/interval.h"
#include "policy/text.h"

#include <stdlib.h>
#include <string.h>

static int by_lo(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

size_t intervals_merge(struct interval *list, size_t n)
{
	size_t kept = 0;
	if (n == 0)
		return 0;
	qsort(list, n, sizeof *list, by_lo);
	for (size_t i = 1; i < n; i++) {
		if (list[i].lo > list[kept].hi + 1)
			list[++kept] = list[i];
		else if (list[i].hi > list[kept].hi)
			list[kept].hi = list[i].hi;
	}
	return kept + 1;
}

/* One number or range of a list. */
static int read_interval(struct fault *f, const char *what, struct slice item, int64_t max,
                         struct interval *out)
{
	/* a dash in front is a sign, and read_number() says so */
	const char *dash = item.n > 1 ? memchr(item.s + 1, '-', item.n - 1) : NULL;
	struct slice lo = item, hi = item;
	if (dash) {
		lo.n = (size_t)(dash - item.s);
		hi = (struct slice){dash + 1, item.n - lo.n - 1};
		if (hi.n == 0)
			return fault_set(f, "a range is LO-HI; * is every number",
			                 "%s range %s has no end", what,
			                 text_quoted(f->arena, item));
	}
	if (read_number(f, what, lo, (uint64_t)max, &out->lo) ||
	    read_number(f, what, hi, (uint64_t)max, &out->hi))
		return -1;
	if (out->lo <= out->hi)
		return 0;
	return fault_set(f,
	                 arena_printf(f->arena, "write %lld-%lld", (long long)out->hi,
	                              (long long)out->lo),
	                 "%s range %lld-%lld runs backwards", what, (long long)out->lo,
	                 (long long)out->hi);
}

int intervals_read(struct fault *f, const char *what, struct slice s, int64_t max, struct interval **list, size_t *n)
{
	struct interval *items = NULL;
	size_t count = 0, cap = 0;
	if (slice_is(s, "*")) {
		*ARENA_PUSH(f->arena, items, count, cap) = (struct interval){0, max};
	} else if (slice_has(s, '*')) {
		return fault_set(f, "write '*' alone for all of them, or list numbers and ranges",
		                 "'*' stands with something else in %s %s", what,
		                 text_quoted(f->arena, s));
	} else {
		for (const char *end = s.s + s.n, *at = s.s, *next; at <= end; at = next + 1) {
			next = memchr(at, ',', (size_t)(end - at));
			if (!next)
				next = end;
			if (next == at && s.n > 0)
				return fault_set(f, "a list is numbers and ranges: 0-2,7",
				                 "missing %s in %s", what,
				                 text_quoted(f->arena, s));
			if (read_interval(f, what, (struct slice){at, (size_t)(next - at)}, max,
			                  ARENA_PUSH(f->arena, items, count, cap)))
				return -1;
		}
	}
	*n = intervals_merge(items, count);
	*list = items;
	return 0;
}

bool intervals_have(const struct interval *list, size_t n, int64_t v)
{
	for (size_t i = 0; i < n && list[i].lo <= v; i++)
		if (v <= list[i].hi)
			return true;
	return false;
}

bool intervals_are_one(const struct interval *list, size_t n)
{
	return n == 1 && list->lo == list->hi;
}

bool intervals_meet(const struct interval *x, size_t n, const struct interval *y, size_t m)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++)
			if (x[i].lo <= y[k].hi && y[k].lo <= x[i].hi)
				return true;
	return false;
}

char *intervals_text(struct arena *a, const struct interval *list, size_t n, int64_t max)
{
	enum { ITEM = sizeof "4095-4095,1048575-1048575" };
	if (n == 1 && list[0].lo == 0 && list[0].hi == max)
		return arena_strdup(a, "*");
	char *out = arena_alloc(a, n * ITEM + 1);
	for (size_t i = 0, used = 0; i < n; i++) {
		used += (size_t)snprintf(out + used, ITEM, "%s%lld", i ? "," : "",
		                         (long long)list[i].lo);
		if (list[i].hi != list[i].lo)
			used += (size_t)snprintf(out + used, ITEM, "-%lld", (long long)list[i].hi);
	}
	return out;
}
