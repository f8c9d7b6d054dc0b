/*
 * caller.c - what a request says of a process that is the caller: its own facts, beside those that were given.
 *
 * Which file or cgroup a name is, each program has in its own map. So a request is put to each with what it would read.
 */
#include "cgroup/who.h"
#include "cmd/why/why.h"
#include "policy/asked.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- of every program ------------------------------------------------------------------------- */

static void take_groups(struct request_who *w, const struct process_view *v)
{
	if (w->known & WHO_GROUPS || v->ngroups >= REQUEST_GROUPS) /* then those that are asked for: groups_asked() */
		return;
	memcpy(w->groups, v->groups, v->ngroups * sizeof *w->groups);
	w->groups[v->ngroups] = v->fsgid;
	w->ngroups = (uint32_t)v->ngroups + 1;
	w->known |= WHO_GROUPS;
}

/* They count in the first user namespace only. */
static void take_caps(struct request_who *w, const struct inquiry *q)
{
	const struct process_task *t = &q->task;
	if (w->known & WHO_CAPS || !(t->known & INPUT(IN_HOST_USER_NS)))
		return;
	w->caps = t->fact[IN_HOST_USER_NS] ? q->view.caps : 0;
	w->known |= WHO_CAPS;
}

/* Facts that the request gives count more. */
void why_take_facts(struct inquiry *q)
{
	struct request *r = &q->request;
	const struct process_view *v = &q->view;
	struct timespec up = {0};
	clock_gettime(CLOCK_BOOTTIME, &up);
	int64_t facts[INPUT_MAX] = {[IN_UID] = v->uid, [IN_GID] = v->gid, [IN_PID] = q->held.pid, [IN_TID] = q->held.pid,
	                            [IN_CGROUP_ID] = (int64_t)q->cg->id, [IN_UPTIME] = up.tv_sec};
	memcpy(&facts[IN_COMM_0], v->comm, sizeof v->comm);
	const input_set told = INPUT(IN_UID) | INPUT(IN_GID) | INPUT(IN_CGROUP_ID) | INPUT(IN_UPTIME) | INPUT(IN_COMM_0) | INPUT(IN_COMM_1) |
	                      (v->hosts_pid ? INPUT(IN_PID) | INPUT(IN_TID) : 0);
	q->of_process = (told | q->task.known) & ~r->known;
	for (int in = 0; in < INPUT_MAX; in++)
		if (q->of_process & INPUT(in))
			r->fact[in] = told & INPUT(in) ? facts[in] : q->task.fact[in];
	r->known |= q->of_process;
	take_groups(&r->who, v);
	take_caps(&r->who, q);
}

/* ---- of one ------------------------------------------------------------------------------------- */

/* Of very many groups those that a program asks for. */
static void groups_asked(struct request_who *w, const struct process_view *v, const struct asked *as)
{
	for (size_t i = 0; i < as->nasks; i++) {
		if (as->asks[i].kind != ASK_GROUP)
			continue;
		bool in = v->fsgid == as->asks[i].number;
		for (size_t g = 0; g < v->ngroups; g++)
			in |= v->groups[g] == as->asks[i].number;
		if (in)
			w->groups[w->ngroups++] = (uint32_t)as->asks[i].number;
	}
	w->known |= WHO_GROUPS;
}

struct names { const struct who_entry *list; size_t n; };

/* The name of a key; 0: it has none. */
static int64_t name_of(const struct names *names, const struct who_key *key)
{
	for (size_t i = 0; i < names->n; i++)
		if (!memcmp(&names->list[i].key, key, sizeof *key))
			return (int64_t)names->list[i].value;
	return 0;
}

static void take_file(struct request *r, enum input in, const struct process_file *file, const struct names *names)
{
	if (!file->known || r->known & INPUT(in))
		return;
	r->fact[in] = file->none ? 0 : name_of(names, &file->key);
	r->known |= INPUT(in);
}

static void take_cgroups(struct request_who *w, const struct process_task *t, const struct names *names)
{
	if (w->known & WHO_CGROUP || !t->cgroups_known)
		return;
	for (size_t i = 0; i < t->ncgroups && w->nunder < REQUEST_LEVELS; i++) {
		struct who_key key = {.id = t->cgroups[i], .device = WHO_DEVICE_CGROUP};
		int64_t name = name_of(names, &key);
		if (name)
			w->under[w->nunder++] = name;
	}
	w->known |= WHO_CGROUP;
}

struct request why_request(const struct inquiry *q, uint32_t program, const struct policy *p)
{
	struct request r = q->request;
	struct who_entry *list;
	struct names names = {0};
	struct who_root root;
	if (!q->caller)
		return r;
	if (!(r.who.known & WHO_GROUPS))
		groups_asked(&r.who, &q->view, policy_asks(p));
	int map = who_map_of(program);
	if (map >= 0 && !who_map_read(q->c->arena, map, &list, &names.n, &root)) {
		names.list = list;
		take_file(&r, IN_EXE, &q->task.exe, &names);
		take_file(&r, IN_PARENT_EXE, &q->task.parent_exe, &names);
		take_cgroups(&r.who, &q->task, &names);
	}
	if (map >= 0)
		close(map);
	return r;
}

/* Does one of the programs know files or cgroups by name? Where that cannot be told, it may. */
bool why_names(const uint32_t *ids, size_t n)
{
	int map = -ENOENT;
	for (size_t i = 0; i < n && map == -ENOENT; i++)
		map = who_map_of(ids[i]);
	if (map >= 0)
		close(map);
	return map != -ENOENT;
}
