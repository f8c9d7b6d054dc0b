/*
 * attach.c - attaching, replacing and detaching our programs, each in one step.
 *
 * Whoever calls these holds the cgroup's lock. Programs of others are never
 * touched. Others may still change the list at any moment, so every answer of the
 * kernel is expected and explained, and after a change the kernel is asked again.
 */
#include "cgroup/hostprog.h"
#include "cgroup/link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include <bpf/bpf.h>

/* ---- why the kernel said no ------------------------------------------------------------ */

/* The bpf_link that holds program `id` on this cgroup, or 0. */
static uint32_t link_of(const struct cgroup *cg, uint32_t id)
{
	uint32_t link = 0;
	while (!bpf_link_get_next_id(link, &link)) {
		struct bpf_link_info info;
		int fd = bpf_link_get_fd_by_id(link);
		if (fd < 0)
			continue;
		bool same = link_info(fd, &info) && info.prog_id == id && info.cgroup.cgroup_id == cg->id;
		close(fd);
		if (same)
			return link;
	}
	return 0;
}

/* ENOENT though the program is listed: only a link's owner can change it. */
static int held_by_link(struct arena *a, struct diags *d, const struct cgroup *cg,
                        const struct attached *at)
{
	uint32_t link = link_of(cg, at->id);
	const char *hint = "remove the link's pin below /sys/fs/bpf or stop the process that holds it";
	if (link)
		hint = arena_printf(a, "bpftool link detach id %u, or remove its pin below /sys/fs/bpf", link);
	return diag_fail(d, hint,
	                 "program %u ('%s') on '%s' is attached by a bpf_link, which alone can change it",
	                 at->id, at->name, cg->path);
}

static const char *program_text(struct arena *a, const struct attached *at)
{
	const char *name = at->ours ? at->name : at->kernel_name;
	return *name ? arena_printf(a, "program %u ('%s')", at->id, name)
	             : arena_printf(a, "program %u", at->id);
}

/* One cgroup's part in refusing BPF_F_ALLOW_MULTI to a descendant or itself: 1 it
 * refuses, 0 it allows whatever is above, -1 it has no programs. */
static int refuses(struct arena *a, const struct cgroup *cg, bool itself, struct attached *by)
{
	struct diags ignored;
	struct attached *list;
	size_t n;
	diags_init(&ignored, a);
	if (cgroup_query(a, &ignored, cg, &list, &n) || !n)
		return -1;
	*by = list[0];
	if (by->attach_flags & BPF_F_ALLOW_MULTI)
		return itself ? -1 : 0;
	return itself || !(by->attach_flags & BPF_F_ALLOW_OVERRIDE);
}

/* Does a program, here or above, keep others out? As hierarchy_allows_attach() of the
 * kernel: the first cgroup above that has programs decides. -1 with a diagnostic. */
static int kept_out(struct arena *a, struct diags *d, const struct cgroup *cg)
{
	struct attached by;
	struct diags ignored;
	struct cgroup *up, *next;
	diags_init(&ignored, a);
	int answer = refuses(a, cg, true, &by);
	const char *where = cg->path;
	for (up = cgroup_parent(a, &ignored, cg); up; up = next) {
		if (answer < 0) {
			answer = refuses(a, up, false, &by);
			where = up->path;
		}
		next = cgroup_parent(a, &ignored, up);
		cgroup_close(up);
	}
	if (answer != 1)
		return 0;
	return diag_fail(d,
	                 arena_printf(a, "have its owner attach it with BPF_F_ALLOW_MULTI (bpftool: "
	                                 "multi), or detach it: bpftool cgroup detach %s "
	                                 "cgroup_device id %u", where, by.id),
	                 "cannot attach to '%s': %s on '%s' is attached %s", cg->path,
	                 program_text(a, &by), where,
	                 by.attach_flags & BPF_F_ALLOW_OVERRIDE
	                         ? "with BPF_F_ALLOW_OVERRIDE, which takes no other beside it"
	                         : "exclusively");
}

/* EPERM: the privilege is missing, or a program attached exclusively is in the way. */
static int not_permitted(struct arena *a, struct diags *d, const struct cgroup *cg)
{
	if (kept_out(a, d, cg))
		return -1;
	if (capable(CAP_SYS_ADMIN))
		return diag_fail(d, "a program attached exclusively above what is mounted here may be in "
		                    "the way: look on the host with `bpftool cgroup tree`",
		                 "the kernel does not permit attaching to '%s'", cg->path);
	return diag_fail(d, privilege_hint(a), "no permission to attach to '%s'", cg->path);
}

static int attach_failed(struct arena *a, struct diags *d, const struct cgroup *cg,
                         const struct attached *old, int error)
{
	if (cgroup_gone(cg))
		return cgroup_is_gone(d, cg);
	switch (error) {
	case E2BIG:
		return diag_fail(d, old ? "detach one that is not needed; the kernel then replaces this one "
		                          "(bpftool cgroup show lists them)"
		                        : "detach one that is not needed (bpftool cgroup show lists them), "
		                          "or attach to the parent cgroup",
		                 "'%s' already has %d device programs, as many as the kernel takes%s",
		                 cg->path, CGROUP_PROGRAMS_MAX, old ? ", also when one is replaced" : "");
	case EPERM:
	case EACCES:
		return not_permitted(a, d, cg);
	case EINVAL:
		return diag_fail(d, "load the object again and attach the new program",
		                 "this very program is already attached to '%s'", cg->path);
	case ENOENT:
		if (old)
			return held_by_link(a, d, cg, old);
		/* fall through */
	default:
		return diag_fail(d, error_hint(a, error, "see `rucy-devguard doctor` and the kernel log"),
		                 "cannot attach to '%s': %s", cg->path, strerror(error));
	}
}

int attach_refused(struct arena *a, struct diags *d, const struct cgroup *cg, int error)
{
	return attach_failed(a, d, cg, NULL, error);
}

/* ---- attach, replace, detach --------------------------------------------------------------- */

/* A program that would not be found again under `name` must not be attached. *grants: may grants open what it denies? */
static int check_name(struct diags *d, const struct program *p, const char *name, bool *grants)
{
	struct attached self = {0};
	if (describe_program(program_fd(p), &self) != READ_OK)
		return diag_fail(d, error_hint(d->arena, self.unreadable, "see the kernel log"),
		                 "cannot read back what '%s' carries: %s", name, strerror(self.unreadable));
	*grants = self.grants;
	if (self.ours && !strcmp(self.name, name))
		return 0;
	return diag_fail(d, "compile the policy again with this version",
	                 "the program does not carry the name '%s': it could not be found again", name);
}

/* One system call: there is no moment with none or two. 0 or -errno. */
static int attach_or_replace(const struct cgroup *cg, const struct program *p,
                             const struct attached *old)
{
	struct bpf_prog_attach_opts opts = {.sz = sizeof opts, .flags = BPF_F_ALLOW_MULTI};
	int fd = -1;
	if (old) {
		fd = bpf_prog_get_fd_by_id(old->id);
		if (fd < 0)
			return fd;
		opts.flags |= BPF_F_REPLACE;
		opts.replace_prog_fd = fd;
	}
	int error = bpf_prog_attach_opts(program_fd(p), cg->fd, BPF_CGROUP_DEVICE, &opts);
	if (fd >= 0)
		close(fd);
	return error;
}

/* The change itself. */
static int attach_it(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p, const char *name,
                     uint32_t *replaced)
{
	struct attached *old;
	int error = 0;
	/* the second time: the program to be replaced went in between */
	for (int times = 0; times < 2; times++) {
		if (find_ours(a, d, cg, name, &old))
			return -1;
		if (old && link_program(cg) == old->id) { /* the guard of a container */
			*replaced = old->id;
			return link_attach(a, d, cg, p, name);
		}
		error = attach_or_replace(cg, p, old);
		if (error != -ENOENT || !old)
			break;
	}
	if (error)
		return attach_failed(a, d, cg, old, -error);
	*replaced = old ? old->id : 0;
	int unsettled = program_settle(d, name, p);
	return attach_confirm(a, d, cg, p, name) || unsettled ? -1 : 0;
}

int cgroup_attach(struct arena *a, struct diags *d, const struct cgroup *cg,
                  const struct program *p, const char *name, uint32_t *replaced)
{
	bool grants;
	*replaced = 0;
	if (check_name(d, p, name, &grants) || guarded_add(a, d, cg, grants))
		return -1;
	if (!attach_it(a, d, cg, p, name, replaced))
		return attach_guarded(a, d, cg, p, name, grants);
	guarded_renew(a, cg);
	return -1;
}

int cgroup_rehearse(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
                    const struct attached **old)
{
	struct attached *list, *found;
	size_t n;
	*old = NULL;
	if (find_ours(a, d, cg, name, &found) || cgroup_query(a, d, cg, &list, &n))
		return -1;
	if (found && link_program(cg) != found->id && link_of(cg, found->id))
		return held_by_link(a, d, cg, found);
	if (n >= CGROUP_PROGRAMS_MAX)
		return attach_failed(a, d, cg, found, E2BIG);
	*old = found;
	return kept_out(a, d, cg);
}

/* "'one', 'two'" */
static const char *names_text(struct arena *a, const struct attached *list, size_t n)
{
	const char *text = "";
	for (size_t i = 0; i < n; i++)
		if (list[i].ours)
			text = arena_printf(a, "%s%s'%s'", text, *text ? ", " : "", list[i].name);
	return text;
}

/* The only one of ours, for a detach without a name. */
static int only_ours(struct arena *a, struct diags *d, const struct cgroup *cg,
                     struct attached **found)
{
	struct attached *list;
	size_t n, ours = 0;
	const struct attached *unreadable;
	*found = NULL;
	if (list_attached(a, d, cg, &list, &n, &unreadable))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && !ours++)
			*found = &list[i];
	if (ours > 1)
		return diag_fail(d, arena_printf(a, "name one of %s", names_text(a, list, n)),
		                 "%zu policies are attached to '%s'", ours, cg->path);
	if (unreadable)
		return diag_fail(d, error_hint(a, unreadable->unreadable, "see the kernel log"),
		                 "cannot tell whose program %u on '%s' is: %s", unreadable->id, cg->path,
		                 strerror(unreadable->unreadable));
	if (!ours) {
		const char *elsewhere = elsewhere_hint(a, cg, NULL);
		return diag_fail(d, elsewhere ? elsewhere
		                    : n       ? "its programs belong to others and are left alone"
		                              : "`rucy-devguard list` shows where policies are attached",
		                 "no policy is attached to '%s'", cg->path);
	}
	return 0;
}

static int no_such_name(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name)
{
	struct attached *list;
	size_t n, ours = 0;
	const char *hint = "`rucy-devguard list` shows where policies are attached", *elsewhere;
	if (cgroup_query(a, d, cg, &list, &n))
		return -1;
	const char **names = arena_alloc(a, n * sizeof *names);
	for (size_t i = 0; i < n; i++)
		if (list[i].ours)
			names[ours++] = list[i].name;
	const char *near = did_you_mean(name, names, ours);
	if ((elsewhere = elsewhere_hint(a, cg, name)))
		hint = elsewhere;
	else if (near)
		hint = arena_printf(a, "did you mean '%s'?", near);
	else if (ours)
		hint = arena_printf(a, "attached here: %s", names_text(a, list, n));
	return diag_fail(d, hint, "no policy '%s' is attached to '%s'", name, cg->path);
}

static int detach_failed(struct arena *a, struct diags *d, const struct cgroup *cg,
                         const struct attached *at, int error)
{
	struct attached *now;
	if (cgroup_gone(cg))
		return cgroup_is_gone(d, cg);
	if (error == EPERM || error == EACCES)
		return diag_fail(d, privilege_hint(a), "no permission to detach '%s' from '%s'", at->name,
		                 cg->path);
	if (error != ENOENT)
		return diag_fail(d, error_hint(a, error, "see `rucy-devguard doctor` and the kernel log"),
		                 "cannot detach '%s' from '%s': %s", at->name, cg->path, strerror(error));
	if (find_ours(a, d, cg, at->name, &now))
		return -1;
	return now && now->id == at->id ? held_by_link(a, d, cg, at) : no_such_name(a, d, cg, at->name);
}

/* One system call. 0 or -errno. */
static int take_off(const struct cgroup *cg, uint32_t id)
{
	int fd = bpf_prog_get_fd_by_id(id);
	int error = fd < 0 ? fd : bpf_prog_detach2(fd, cg->fd, BPF_CGROUP_DEVICE);
	if (fd >= 0)
		close(fd);
	return error;
}

int cgroup_detach(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
                  struct attached *detached)
{
	struct attached *at, *now;
	struct diags reason;
	int error = 0, left = 0;
	if (name ? find_ours(a, d, cg, name, &at) : only_ours(a, d, cg, &at))
		return -1;
	if (!at)
		return no_such_name(a, d, cg, name);
	guarded_unsettle(a, cg);
	if (link_program(cg) == at->id)
		left = link_detach(d, cg) < 0;
	else
		error = take_off(cg, at->id);
	guarded_renew(a, cg);
	if (error)
		return detach_failed(a, d, cg, at, -error);
	if (detached)
		*detached = *at;
	diags_init(&reason, a);
	if (find_ours(a, &reason, cg, at->name, &now))
		return unconfirmed(d, &reason, arena_printf(a, "'%s': detached from '%s'", at->name, cg->path));
	if (now && !left)
		return diag_fail(d, "another tool attached it at the same moment: `rucy-devguard status`",
		                 "'%s' was detached from '%s', but a program of that name is there again",
		                 at->name, cg->path);
	return left ? -1 : 0;
}
