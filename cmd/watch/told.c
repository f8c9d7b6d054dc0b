/*
 * told.c - messages about handlers. A handler that raises does so for each event, and an attacker makes events:
 * the same message is shown once in a while, with how often it came.
 */
#include "cmd/watch/watch.h"

#include "cmd/audit/audit.h"

#include <string.h>

#define QUIET (10 * WATCH_NSEC)
enum { SECOND_MOST = 10 };

/* By its place: its text may have in it what an attacker chose. */
static uint64_t key_of(const struct diag *d)
{
	uint64_t hash = 1469598103934665603u ^ (uint64_t)d->at.line;
	for (const char *s = d->at.file; s && *s; s++)
		hash = (hash ^ (unsigned char)*s) * 1099511628211u;
	return hash ? hash : 1;
}

static void say_more(struct cmd *c, struct told_one *one)
{
	if (one->more)
		tell(c, "%s%s%d: the error there came %llu more time%s", one->file, *one->file ? ":" : "line ", one->line, one->more,
		     PLURAL(one->more));
	one->more = 0;
}

void told_add(struct cmd *c, struct told *t, const struct diag *d)
{
	uint64_t key = key_of(d), now = watch_now();
	struct told_one *slot = &t->list[0];
	for (struct told_one *one = t->list; one < t->list + TOLD_SLOTS; one++) {
		if (one->key == key) {
			slot = one;
			break;
		}
		slot = one->at < slot->at ? one : slot; /* the oldest */
	}
	if (now - t->second >= WATCH_NSEC) {
		t->second = now;
		t->shown = 0;
	}
	if ((slot->key == key && now - slot->at < QUIET) || t->shown == SECOND_MOST) {
		slot->more++;
		return;
	}
	t->shown++;
	say_more(c, slot);
	*slot = (struct told_one){.key = key, .at = now, .line = d->at.line};
	snprintf(slot->file, sizeof slot->file, "%s", d->at.file ? d->at.file : "");
	struct diag shown = *d;
	diag_show(c, &shown);
	fflush(stderr);
}

void told_more(struct cmd *c, struct told *t, bool all)
{
	uint64_t now = watch_now();
	for (struct told_one *one = t->list; one < t->list + TOLD_SLOTS; one++)
		if (all || now - one->at >= QUIET)
			say_more(c, one);
}

const char *handlers_ended_text(struct arena *a, const struct room_ended *e, bool cpu)
{
	switch (e->how) {
	case ROOM_ENDED_TIME: return cpu ? arena_printf(a, "was stopped after %d s of CPU time", CALL_CPU)
	                                 : arena_printf(a, "was stopped after %d s", CALL_SECONDS);
	case ROOM_ENDED_MEMORY: return arena_printf(a, "was stopped at %d MiB of memory", HANDLERS_MEMORY >> 20);
	case ROOM_ENDED_PRINTED: return arena_printf(a, "was stopped: it printed more than %d MiB in one call", CALL_BYTES >> 20);
	case ROOM_ENDED_NO_MEMORY: return "was stopped: the host has no memory left";
	case ROOM_ENDED_CALL: return "made a system call that it may not make";
	case ROOM_ENDED_KILLED: return "was killed from outside";
	case ROOM_ENDED_GARBLED: return "broke the process that runs it: it sent what it should not";
	default:
		return arena_printf(a, "broke the process that runs it (%s)",
		                    e->signal ? strsignal(e->signal) : arena_printf(a, "exit status %d", e->exit_status));
	}
}
