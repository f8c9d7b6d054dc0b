/* told.c - what a record tells of the calling task, as a request and in its words. */
#include "cmd/audit/audit.h"
#include "policy/asked.h"
#include "policy/told.h"

#include <string.h>

/* Do both answer what the policy read alike? */
static bool agree(const struct event_told *told, const struct asked *as, struct request x, struct request y)
{
	asked_answer(as, &x);
	asked_answer(as, &y);
	for (size_t i = 0; i < as->nasks; i++)
		if (as->asks[i].kind == ASK_UNDER && told->which >> (EVENT_ASKS + i) & 1 && x.fact[IN_ASK_0 + i] != y.fact[IN_ASK_0 + i])
			return false;
	return true;
}

/* The caller's own cgroup, where the policy's questions are answered by it. Of one that is gone the deepest that it was
 * under is known, and of none nothing: it need not have been in the root. */
static void place(const struct event_told *told, const struct asked *as, const char *path, struct request *r)
{
	struct request own = *r;
	if (!(r->who.known & WHO_CGROUP))
		return;
	if (path && request_cgroup(&own, path, strlen(path)) && agree(told, as, *r, own)) {
		r->who = own.who;
	} else if (!r->who.nunder) {
		r->who.known &= ~(uint32_t)WHO_CGROUP;
		r->who.cgroup = NULL;
	}
}

struct request record_request(struct arena *a, const struct event_record *record, const struct asked *as, const char *path,
                              const char **untold)
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
	place(&record->told, as, path, &r);
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
