/* told.c - what a record tells of the calling task, as a request and in its words. */
#include "cmd/audit/audit.h"
#include "policy/told.h"

#include <string.h>

struct request record_request(struct arena *a, const struct event_record *record, const struct asked *as, const char **untold)
{
	const struct event *e = &record->event;
	struct request r = {.type = e->type, .access = e->requested & ACC_ALL, .major = e->major, .minor = e->minor};
	r.fact[IN_UID] = e->uid;
	r.fact[IN_GID] = e->gid;
	r.fact[IN_CGROUP_ID] = (int64_t)e->cgroup_id;
	r.fact[IN_UPTIME] = (int64_t)(e->time / NSEC);
	r.known = INPUT(IN_UID) | INPUT(IN_GID) | INPUT(IN_CGROUP_ID) | INPUT(IN_UPTIME);
	if (!(e->flags & EVENT_NO_PID)) {
		r.fact[IN_PID] = e->pid;
		r.fact[IN_TID] = e->tid;
		r.known |= INPUT(IN_PID) | INPUT(IN_TID);
	}
	if (!(e->flags & EVENT_NO_COMM)) {
		memcpy(&r.fact[IN_COMM_0], e->comm, sizeof e->comm);
		r.known |= INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
	}
	*untold = told_request(a, &record->told, as, &r);
	return r;
}

const char *told_words(struct arena *a, const struct request *r, const char *untold)
{
	const char *words = request_who_words(a, r, arena_strdup(a, ""));
	size_t n = strlen(words);
	char *safe = arena_alloc(a, 4 * n + 1);
	text_escape(safe, 4 * n + 1, words, n);
	return untold ? arena_printf(a, "%s%s (not told by the kernel: %s)", safe, *safe ? "" : " ", untold) : safe;
}
