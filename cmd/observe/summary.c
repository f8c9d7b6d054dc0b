/*
 * summary.c - what the kernel counted while somebody observed: losses as they come, and all of it at the end. Counts are
 * exact for each cgroup, also where records of another one took all the room.
 */
#include "cmd/observe/observe.h"

#include <string.h>

/* "/web", "web (docker 3f2a91c0ffee), /docker/3f2a...", "cgroup 1234 (removed)" */
static const char *name_of(struct arena *a, const struct host_count_entry *e, const struct seen *s)
{
	const char *place = counts_place(a, e, s ? s->path : NULL);
	return s && s->text && s->path ? arena_printf(a, "%s, %s", s->text, place) : place;
}

/* What this watcher has of the list. */
static size_t own(const struct observing *o, struct host_count_entry *list, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if ((int)list[i].watcher == watcher_number(o->watcher))
			list[kept++] = list[i];
	return kept;
}

int observe_losses(struct observing *o)
{
	struct arena *a = cmd_arena(o->c);
	struct host_count_entry *list;
	struct diags d;
	uint64_t uncounted;
	size_t n;
	diags_init(&d, a);
	int failed = watcher_counts(a, &d, o->hp, o->watcher, &list, &n, &uncounted);
	if (failed)
		diag_fail(&o->c->diags, NULL, "the counts cannot be read%s%s", d.n ? ": " : "", d.n ? d.items[0].text : "");
	n = failed ? 0 : own(o, list, n);
	for (size_t i = 0; i < n; i++) {
		if (!list[i].count.lost || !list[i].cgroup || list[i].below)
			continue;
		struct seen *s = known_cgroup(o->known, list[i].cgroup);
		unsigned long long more = list[i].count.lost - s->lost_told;
		if (list[i].count.lost > s->lost_told)
			tell(o->c, "%s: %llu record%s lost: the reader was slower than the denials; they are counted", name_of(a, &list[i], s), more,
			     more == 1 ? " was" : "s were");
		s->lost_told = list[i].count.lost;
	}
	arena_free(a);
	return failed;
}

void observe_summary(struct observing *o)
{
	struct arena *a = cmd_arena(o->c);
	struct host_count_entry *list;
	struct host_count sum = {0};
	struct diags ignored;
	uint64_t uncounted;
	size_t n;
	diags_init(&ignored, a);
	if (watcher_counts(a, &ignored, o->hp, o->watcher, &list, &n, &uncounted)) {
		tell(o->c, "what was counted cannot be read any more");
		arena_free(a);
		return;
	}
	n = own(o, list, n);
	counts_sort(list, n);
	for (size_t i = 0; i < n; i++) {
		const struct seen *s = list[i].cgroup ? known_cgroup(o->known, list[i].cgroup) : NULL;
		tell(o->c, "%s: %s", name_of(a, &list[i], s), counts_text(a, &list[i].count));
		counts_add(&sum, &list[i].count);
	}
	tell(o->c, "%zu cgroup%s: %s", n, PLURAL(n), counts_text(a, &sum));
	if (uncounted)
		tell(o->c, "%llu requests more are in no count of a cgroup: there are too many cgroups", (unsigned long long)uncounted);
	arena_free(a);
}
