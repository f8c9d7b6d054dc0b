/* node_grant.h - a grant with a node, as the verb asks for one, for tests with a box (box.h). */
#ifndef DEVGUARD_TESTS_NODE_GRANT_H
#define DEVGUARD_TESTS_NODE_GRANT_H

#include "cmd/grant/node.h"
#include "policy/access.h"
#include "tests/unit/box.h"

#include <time.h>

/* The entry, and where it is kept: shared with a process that is killed. */
struct kept {
	struct host_grant now, kept;
	struct diags *d;
	unsigned times;  /* it was kept */
	unsigned refuse; /* at that time */
};

static inline int keep(void *arg)
{
	struct kept *k = arg;
	if (++k->times == k->refuse)
		return diag_fail(k->d, "none", "no room");
	k->kept = k->now;
	return 0;
}

static inline void entry_new(struct env *e, struct host_grant *g)
{
	static uint64_t id;
	*g = (struct host_grant){.key = {e->cg->id, 1, 3, DEV_CHAR}, .id = ++id, .until = 1, .access = ACC_READ | ACC_WRITE};
	g->time = (uint64_t)time(NULL) * 1000000000u + id;
	snprintf(g->path, sizeof g->path, "%s", e->cg->path + strlen(e->cg->mount));
}

static inline struct node_wish wish(struct env *e, const char *path)
{
	return (struct node_wish){e->cg, 0, DEV_CHAR, 1, 3, ACC_READ | ACC_WRITE, "/dev/null", path};
}

/* c 1:3 at that path. */
static inline int make_at(struct env *e, struct kept *k, const char *path)
{
	struct node_wish w = wish(e, path);
	memset(k, 0, sizeof *k);
	entry_new(e, &k->now);
	return node_make(e->arena, &e->d, &w, &k->now, keep, k);
}

static inline void made_at(struct env *e, struct kept *k, const char *path)
{
	if (make_at(e, k, path))
		fail_msg("%s", e->d.items[e->d.n - 1].text);
}

static inline int remove_it(struct env *e, const struct host_grant *g, const char **told)
{
	return node_remove(e->arena, g, told);
}

static inline void removed(struct env *e, const struct host_grant *g)
{
	const char *told;
	int result = remove_it(e, g, &told);
	if (result != 1)
		fail_msg("%d: %s", result, told);
}

/* Is there a device node, a file or a name of ours in the box's /dev? */
static inline unsigned in_dev(struct box *b)
{
	return box_ask(b, '#', "/dev", NULL).count;
}

#endif
