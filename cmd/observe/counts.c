/* counts.c - counts by cgroup, as the kernel has them: found, added up, in words. */
#include "cmd/observe/observe.h"

#include <stdlib.h>

const struct host_count *counts_find(const struct host_count_entry *list, size_t n, uint32_t watcher, uint64_t cgroup)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].watcher == watcher && list[i].cgroup == cgroup)
			return &list[i].count;
	return NULL;
}

void counts_add(struct host_count *to, const struct host_count *one)
{
	to->denied += one->denied;
	to->granted += one->granted;
	to->permitted += one->permitted;
	to->allowed += one->allowed;
	to->recorded += one->recorded;
	to->lost += one->lost;
}

uint64_t counts_requests(const struct host_count *count)
{
	return count->denied + count->granted + count->permitted + count->allowed;
}

static int order(const void *a, const void *b)
{
	const struct host_count_entry *x = a, *y = b;
	uint64_t of_x = counts_requests(&x->count), of_y = counts_requests(&y->count);
	if (x->watcher != y->watcher)
		return x->watcher < y->watcher ? -1 : 1;
	if (of_x != of_y)
		return of_x > of_y ? -1 : 1;
	return (x->cgroup > y->cgroup) - (x->cgroup < y->cgroup);
}

void counts_sort(struct host_count_entry *list, size_t n)
{
	if (n)
		qsort(list, n, sizeof *list, order);
}

const char *counts_place(struct arena *a, const struct host_count_entry *e, const char *path)
{
	const char *place = path ? path : arena_printf(a, "cgroup %llu (removed)", (unsigned long long)e->cgroup);
	return !e->cgroup ? "cgroups that are gone" : e->below ? arena_printf(a, "%s (cgroups below it)", place) : place;
}

static const char *with(struct arena *a, const char *text, uint64_t count, const char *what)
{
	return count ? arena_printf(a, "%s%s%llu %s", text, *text ? ", " : "", (unsigned long long)count, what) : text;
}

const char *counts_text(struct arena *a, const struct host_count *count)
{
	const char *text = with(a, with(a, with(a, with(a, "", count->denied, "denied"), count->granted, "opened by grants"),
	                                count->permitted, "let pass"),
	                        count->allowed, "allowed");
	return arena_printf(a, "%s; %llu record%s, %llu lost", *text ? text : "nothing", (unsigned long long)count->recorded,
	                    PLURAL(count->recorded), (unsigned long long)count->lost);
}
