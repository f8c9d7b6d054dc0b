/* placed.c - programs by their numbers: on which cgroup they are, and whose they are. */
#include "cmd/where/where.h"

#include "cmd/cmd.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

/* Whose a program is decides what is told of it; one that is gone meanwhile is seen afterwards. */
static int readable(struct cmd *c, const struct cgroup *cg, const struct attached *at)
{
	if (!at->unreadable || at->unreadable == ENOENT)
		return STATUS_OK;
	diag_fail(&c->diags, error_hint(c->arena, at->unreadable, "see the kernel log"), "cannot tell whose program %u on %s is: %s", at->id,
	          cg->path, strerror(at->unreadable));
	return STATUS_FAILED;
}

/* What the kernel says of those on one cgroup. Of one that is gone meanwhile nothing is known. */
static int look_at(struct cmd *c, const struct cgroup *cg, struct placed *list, size_t n)
{
	struct attached *on;
	size_t count;
	if (cgroup_query(c->arena, &c->diags, cg, &on, &count))
		return STATUS_FAILED;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < count && !list[i].path; k++)
			if (on[k].id == list[i].id) {
				list[i].at = on[k];
				list[i].path = cg->path;
				if (readable(c, cg, &on[k]))
					return STATUS_FAILED;
			}
	return STATUS_OK;
}

int placed_find(struct cmd *c, struct cgroup *cg, bool above, const uint32_t *ids, size_t n, struct placed *out)
{
	int status = STATUS_OK;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct placed){.id = ids[i], .at.id = ids[i]};
	for (struct cgroup *at = cg; at;) {
		status = look_at(c, at, out, n);
		struct cgroup *parent = status || !above ? NULL : cgroup_parent(c->arena, &c->diags, at);
		if (at != cg)
			cgroup_close(at);
		at = parent;
	}
	for (size_t i = 0; i < n && !status; i++)
		if (!out[i].at.ours && !out[i].at.host_parts)
			program_author(out[i].id, &out[i].author);
	return status;
}

const char *attach_word(uint32_t flags)
{
	return flags & BPF_F_ALLOW_MULTI ? "multi" : flags & BPF_F_ALLOW_OVERRIDE ? "override" : "exclusive";
}
