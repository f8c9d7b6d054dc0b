/*
 * given.c - what handlers are given, as bytes.
 */
#include "cmd/watch/watch.h"

#include <string.h>

static struct iovec part(const void *p, size_t n)
{
	return (struct iovec){(void *)(uintptr_t)p, n};
}

void handlers_give_event(struct handlers *h, const struct user_event *e)
{
	struct give_event g = {.event = e->event, .count = e->count, .time = e->time, .ndevice = (uint32_t)strlen(e->device),
	                       .nrule = (uint32_t)strlen(e->rule), .nlabel = (uint32_t)strlen(e->label),
	                       .ncgroup = (uint32_t)strlen(e->cgroup), .told = e->told, .nexe = (uint32_t)strlen(e->exe),
	                       .nparent_exe = (uint32_t)strlen(e->parent_exe), .nfacts = (uint32_t)strlen(e->facts)};
	const struct iovec parts[] = {part(&g, sizeof g), part(e->device, g.ndevice), part(e->rule, g.nrule), part(e->label, g.nlabel),
	                              part(e->cgroup, g.ncgroup), part(e->exe, g.nexe), part(e->parent_exe, g.nparent_exe),
	                              part(e->facts, g.nfacts)};
	memcpy(g.fact, e->fact, sizeof g.fact);
	handlers_give(h, GIVE_EVENT, 0, parts, sizeof parts / sizeof *parts);
}

void handlers_give_line(struct handlers *h, const struct user_line *l)
{
	struct give_line g = {.time = l->time, .pid = l->pid, .cpu = l->cpu, .ncomm = (uint32_t)strlen(l->comm), .ntext = (uint32_t)l->ntext};
	const struct iovec parts[] = {part(&g, sizeof g), part(l->comm, g.ncomm), part(l->text, g.ntext)};
	handlers_give(h, GIVE_LINE, 0, parts, sizeof parts / sizeof *parts);
}
