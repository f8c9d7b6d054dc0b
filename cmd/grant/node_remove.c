/*
 * node_remove.c - the node of a grant taken away: found by what its entry says, and by nothing else.
 *
 * Some process is needed that has the mounts it was made in; without one these mounts are gone, and the node with them.
 * Where processes have other mounts now (a container's first process made itself new ones), a node of mknod may be on the same
 * tmpfs still: they are asked, too.
 */
#include "cmd/grant/node_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { BESIDE_MAX = 8 /* namespaces */ };

struct removing {
	struct arena *a;
	const struct host_grant *g;
	const char **told;
	char temp[NODE_TEMP];
};

static int tell(struct removing *r, int result, const char *text)
{
	*r->told = arena_strdup(r->a, text);
	return result;
}

static int tell_failed(struct removing *r, int error, const char *at)
{
	if (error == ETIMEDOUT)
		return tell(r, -1, arena_printf(r->a, "'%s' could not be looked at within %d seconds", r->g->node_path, NODE_SECONDS));
	if (error == EBUSY || error == EXDEV)
		return tell(r, -1, arena_printf(r->a, "something else is mounted over '%s'", r->g->node_path));
	return tell(r, -1, arena_printf(r->a, "'%s' cannot be removed%s%s: %s", r->g->node_path, *at ? ": " : "", at, strerror(error)));
}

/* Where its way ends before it: it is not there. */
static bool nothing_there(const struct node_seen *s)
{
	return !strcmp(s->failed, "path") && (s->error == ELOOP || s->error == ENOTDIR || s->error == ENOENT);
}

/* Where this process's mount namespace has it. */
static int remove_in(struct removing *r, const struct node_whose *w)
{
	const struct host_grant *g = r->g;
	struct node_seen s;
	struct work_done done;
	int result = 0;
	if (node_look(w, true, g->node_path, r->temp, &s)) {
		node_look_end(&s);
		return nothing_there(&s) ? 0 : tell_failed(r, s.error, s.failed);
	}
	const char *rest = g->node_path + s.behind;
	struct node_taking t = {
		.whose = w, .dir = s.dir_fd, .dir_path = arena_strndup(r->a, g->node_path, s.behind), .name = strchr(rest, '/') ? NULL : rest,
		.temp_dir = s.temp_fd, .temp = r->temp, .temp_below = g->node_path + s.temp_behind, .g = g,
		.rdev = makedev(g->key.major, g->node_minor),
	};
	if (s.has_temp || (g->node_ino && s.dir.dev == g->node_dev))
		result = node_take(&t, &done);
	node_look_end(&s);
	if (result < 0)
		return tell_failed(r, done.error, done.failed);
	if (result && !strcmp(done.failed, "directories"))
		tell(r, 1, arena_printf(r->a, "the directories that were made for '%s' are not empty, and stay", g->node_path));
	return result;
}

static int remove_beside(struct removing *r)
{
	struct node_whose w;
	pid_t pid = 0;
	uint64_t seen[BESIDE_MAX];
	size_t n = 0;
	while (n < BESIDE_MAX && whose_beside(r->a, r->g->path, r->g->node_ns, &pid, &w)) {
		bool again = w.hosts;
		for (size_t i = 0; i < n; i++)
			again |= seen[i] == w.ns_id;
		seen[n] = w.ns_id;
		n += !again;
		int result = again ? 0 : remove_in(r, &w);
		whose_let_go(&w);
		if (result)
			return result;
	}
	return 0;
}

int node_remove(struct arena *a, const struct host_grant *g, const char **told)
{
	struct removing r = {a, g, told, ""};
	struct node_whose w;
	pid_t pid = 0;
	*told = "";
	if (g->node == GRANT_NODE_NONE)
		return tell(&r, 0, "no node was made");
	tree_temp(g, r.temp);
	bool found = whose_find(a, g->node_ns, &pid, &w);
	int result = found && !w.hosts ? remove_in(&r, &w) : 0;
	if (found)
		whose_let_go(&w);
	if (!result && g->node == GRANT_NODE_MADE)
		result = remove_beside(&r);
	if (result)
		return result;
	return tell(&r, 0, arena_printf(a, found ? "'%s' is not there any more" : "the mounts with '%s' are gone", g->node_path));
}
