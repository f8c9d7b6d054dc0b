/*
 * asked.c - what a policy asks of the calling task beside numbers, and what a request says to it.
 */
#include "policy/asked.h"
#include "policy/arena.h"
#include "policy/request.h"

#include <string.h>

/* ---- what is asked ------------------------------------------------------------------------- */

int asked_ask(struct asked *as, enum ask_kind kind, int64_t number, const char *text, struct span at)
{
	for (size_t i = 0; i < as->nasks; i++)
		if (as->asks[i].kind == kind && as->asks[i].number == number)
			return (int)i;
	if (as->nasks == TASK_ASKS_MAX)
		return -1;
	const char *name = kind == ASK_GROUP ? arena_printf(as->arena, "in_group?(%lld)", (long long)number)
	                 : kind == ASK_CAPABLE ? arena_printf(as->arena, "capable?(:%s)", capability_name((int)number))
	                                       : arena_printf(as->arena, "under?(\"%s\")", text);
	as->asks[as->nasks] = (struct ask){kind, number, text, name, at};
	return (int)as->nasks++;
}

const struct path_named *asked_path(struct asked *as, const char *path, bool is_cgroup, struct span at)
{
	int64_t value = path_value(path, strlen(path));
	for (size_t i = 0; i < as->npaths; i++) {
		bool same = !strcmp(as->paths[i].path, path);
		if (as->paths[i].value == value && !same)
			return NULL;
		if (same && as->paths[i].is_cgroup == is_cgroup)
			return &as->paths[i];
	}
	struct path_named *made = ARENA_PUSH(as->arena, as->paths, as->npaths, as->paths_cap);
	*made = (struct path_named){arena_strdup(as->arena, path), value, is_cgroup, at};
	return made;
}

const char *asked_path_text(const struct asked *as, int64_t value)
{
	for (size_t i = 0; i < as->npaths; i++)
		if (as->paths[i].value == value)
			return as->paths[i].path;
	return NULL;
}

/* ---- what a request says ---------------------------------------------------------------------- */

static bool has_group(const struct request *r, int64_t gid)
{
	for (size_t i = 0; i < r->who.ngroups; i++)
		if (r->who.groups[i] == gid)
			return true;
	return false;
}

/* Is it said that it is in none of it? */
static bool has_not(const struct request *r, const struct ask *ask)
{
	bool not = ask->kind == ASK_CAPABLE && r->who.not_caps >> ask->number & 1;
	for (size_t i = 0; i < r->who.nnot && ask->kind == ASK_GROUP; i++)
		not |= r->who.not_groups[i] == ask->number;
	return not;
}

static bool is_under(const struct request *r, int64_t value)
{
	for (size_t i = 0; i < r->who.nunder; i++)
		if (r->who.under[i] == value)
			return true;
	return false;
}

/* What a request must say to answer one; nothing answers a question that is not told (policy/told.h). */
static const uint32_t known_by[ASK_KINDS + 1] = {WHO_GROUPS, WHO_CAPS, WHO_CGROUP};

static bool answer(const struct ask *ask, const struct request *r)
{
	switch (ask->kind) {
	case ASK_GROUP: return has_group(r, ask->number);
	case ASK_CAPABLE: return r->who.caps >> ask->number & 1;
	default: return is_under(r, ask->number);
	}
}

/* Does the request say nothing of it, because it names only a part? */
static bool left_open(const struct ask *ask, const struct request *r)
{
	return r->who.partly & known_by[ask->kind] && !answer(ask, r) && !has_not(r, ask);
}

void asked_answer(const struct asked *as, struct request *r)
{
	for (size_t i = 0; i < as->nasks; i++) {
		enum input in = IN_ASK_0 + (int)i;
		if (as->asks[i].kind == ASK_CAPABLE && r->known & INPUT(IN_HOST_USER_NS) && !r->fact[IN_HOST_USER_NS]) {
			r->fact[in] = 0; /* whatever capabilities it has in a user namespace of its own */
			r->known |= INPUT(in);
			continue;
		}
		if (!(r->who.known & known_by[as->asks[i].kind]) || left_open(&as->asks[i], r))
			continue;
		r->fact[in] = answer(&as->asks[i], r);
		r->known |= INPUT(in);
	}
}

bool asked_suppose(const struct ask *ask, bool yes, struct request *r)
{
	bool told = r->who.known & known_by[ask->kind];
	if (yes && has_not(r, ask))
		return false;
	if (answer(ask, r) != yes) {
		if (!yes || (told && ask->kind == ASK_UNDER && r->who.cgroup))
			return false;
		switch (ask->kind) {
		case ASK_GROUP:
			if (r->who.ngroups == REQUEST_GROUPS)
				return false;
			r->who.groups[r->who.ngroups++] = (uint32_t)ask->number;
			break;
		case ASK_CAPABLE: r->who.caps |= (uint64_t)1 << ask->number; break;
		default: return request_cgroup(r, ask->text, strlen(ask->text));
		}
	}
	if (!yes && left_open(ask, r)) {
		if (ask->kind == ASK_CAPABLE)
			r->who.not_caps |= (uint64_t)1 << ask->number;
		else if (r->who.nnot == REQUEST_GROUPS)
			return false;
		else
			r->who.not_groups[r->who.nnot++] = (uint32_t)ask->number;
	}
	r->who.known |= known_by[ask->kind];
	return true;
}
