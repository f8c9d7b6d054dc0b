/* node_there.c - whether a node is to be seen in a container: that of a grant, or any. */
#include "cmd/grant/node_internal.h"

#include <string.h>
#include <sys/sysmacros.h>

bool there_is(const struct node_seen *s, int type, uint64_t rdev)
{
	return s->there && (s->node.mode & S_IFMT) == (type == DEV_CHAR ? S_IFCHR : S_IFBLK) && s->node.rdev == rdev;
}

bool there_is_made(const struct node_seen *s, const struct host_grant *g)
{
	bool mounted = g->node == GRANT_NODE_MOUNTED;
	return g->node_ino && there_is(s, (int)g->key.type, makedev(g->key.major, g->node_minor)) &&
	       (mounted ? s->node.mount == g->node_mount : s->node.dev == g->node_dev && s->node.ino == g->node_ino);
}

bool node_stands(struct arena *a, const struct host_grant *g)
{
	struct node_whose w;
	struct node_seen s;
	pid_t pid = 0;
	if (g->node == GRANT_NODE_NONE || !whose_find(a, g->node_ns, &pid, &w))
		return false;
	bool stands = !node_look(&w, true, g->node_path, NULL, &s) && there_is_made(&s, g);
	node_look_end(&s);
	whose_let_go(&w);
	return stands;
}

enum node_sight node_sight(struct arena *a, const struct node_wish *w)
{
	struct node_whose whose;
	struct node_seen s;
	struct diags none;
	diags_init(&none, a);
	if (whose_choose(a, &none, w->cg, w->pid, &whose))
		return SIGHT_UNKNOWN;
	bool seen = !node_look(&whose, false, w->path, NULL, &s) && whose_runs(&whose);
	enum node_sight sight = !seen || (s.there && S_ISLNK(s.node.mode)) ? SIGHT_UNKNOWN
	                        : !s.there                                 ? SIGHT_NOTHING
	                        : there_is(&s, w->type, makedev(w->major, w->minor)) ? SIGHT_NODE : SIGHT_OTHER;
	node_look_end(&s);
	whose_let_go(&whose);
	return sight;
}
