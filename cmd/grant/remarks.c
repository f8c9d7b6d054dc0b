/*
 * remarks.c - what a grant cannot do: refused before it is given, or told with it.
 *
 * A grant turns a denial of programs below the root of the hierarchy, and nothing else. Whatever else denies is told here,
 * so that nobody takes an opened filter for an opened device.
 */
#include "cmd/grant/grant.h"
#include "cmd/grant/node.h"
#include "policy/device.h"

#include <string.h>

static void __attribute__((format(printf, 3, 4))) warn(struct cmd *c, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *text = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	diag_add(&c->diags, DIAG_WARNING, (struct span){0}, hint, "%s", text);
}

/* ---- refused ------------------------------------------------------------------------------ */

/* 0 is the root, 1 its children. */
static int level_of(const struct cgroup *cg)
{
	int level = 0;
	for (const char *p = cg->path + strlen(cg->mount); *p; p++)
		level += *p == '/';
	return level;
}

static int below_guard(struct cmd *c, const struct cgroup *cg)
{
	struct attached at = {.ours = false};
	const char *path = NULL;
	if (grants_refused_by(c->arena, &c->diags, cg, &at, &path))
		return STATUS_FAILED;
	if (!at.ours)
		return STATUS_OK;
	diag_fail(&c->diags,
	          arena_printf(c->arena, "write `grants :allowed` into that policy and apply it again: " PROGRAM " apply POLICY %s; or allow the "
	                                 "device in it",
	                       shell_word(c->arena, path)),
	          "the guard '%s' on %s does not allow grants: no grant opens anything below it", at.name, path);
	return STATUS_FAILED;
}

int grant_allowed(struct cmd *c, const struct grant_target *t)
{
	const char *hint = NULL, *closed = hostprog_closed(c->arena, &hint);
	struct diags *d = &c->diags;
	if (closed)
		return diag_fail(d, hint, "%s", closed), STATUS_FAILED;
	if (cgroup_is_hosts_root(t->cg) || !level_of(t->cg)) {
		diag_fail(d, "name the cgroup of what needs the device; `" PROGRAM " list` shows those with programs",
		          "%s is the root of the hierarchy: a grant there would be for every process of the host", t->cg->path);
		return STATUS_FAILED;
	}
	if (level_of(t->cg) > HOSTPROG_LEVELS) {
		diag_fail(d, "give the grant to a cgroup above it, or move what needs the device",
		          "%s is %d levels below the root: the kernel is asked for grants of the first %d", t->cg->path, level_of(t->cg),
		          HOSTPROG_LEVELS);
		return STATUS_FAILED;
	}
	return below_guard(c, t->cg);
}

/* ---- told --------------------------------------------------------------------------------- */

static void look_at_program(struct cmd *c, struct hostprog *hp, const struct cgroup *cg)
{
	struct hostprog_info info;
	if (hostprog_info(c->arena, &c->diags, hp, NULL, &info))
		return;
	if (info.after)
		warn(c, arena_printf(c->arena, "`" PROGRAM " status %s` shows them", shell_word(c->arena, info.root)),
		     "%u program%s on the root of the hierarchy run%s after ours: what %s, a grant does not open", info.after, PLURAL(info.after),
		     info.after == 1 ? "s" : "", info.after == 1 ? "it denies" : "they deny");
	if (!(info.features & HOSTPROG_ANCESTORS))
		warn(c, "Linux 6.1 has what is needed for those", "on this kernel a grant is for the processes of the cgroup itself, not of those below it");
	if (level_of(cg) == HOSTPROG_LEVELS)
		warn(c, "give the grant to what is above only for cgroups that are less deep",
		     "no grant is looked for in cgroups below this one: they are deeper than %d levels", HOSTPROG_LEVELS);
}

static const char *number_text(struct arena *a, const struct grant_key *key)
{
	const char *minor = key->minor == GRANT_ANY_MINOR ? "*" : arena_printf(a, "%u", key->minor);
	return arena_printf(a, "%c %u:%s", key->type == DEV_BLOCK ? 'b' : 'c', key->major, minor);
}

static int64_t minor_of(const struct grant_key *key)
{
	return key->minor == GRANT_ANY_MINOR ? -1 : (int64_t)key->minor;
}

static void look_at_v1(struct cmd *c, pid_t pid, const char *list, const struct grant_device *d)
{
	for (size_t i = 0; list && i < d->n; i++) {
		const struct grant_key *key = &d->keys[i];
		if (devices_v1_allow(list, (int)key->type, key->major, minor_of(key), (int)d->access))
			continue;
		warn(c, "allow it there, too: write the line to devices.allow of the v1 cgroup",
		     "this host has cgroup v1 beside v2, and the devices controller denies %s to process %d", number_text(c->arena, key), (int)pid);
		return;
	}
}

static bool has_driver(struct cmd *c, const struct grant_device *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct grant_key *key = &d->keys[i];
		bool again = i && key->type == key[-1].type && key->major == key[-1].major;
		if (!again && driver_has(c->arena, (int)key->type, key->major, d->n > 1 ? -1 : minor_of(key)))
			return true;
	}
	return false;
}

/* What several devices have in common is said once. */
struct common {
	const char *first;
	size_t n;
};

static void note(struct common *all, const char *what)
{
	if (!all->n++)
		all->first = what;
}

static const char *common_text(struct arena *a, const struct common *all)
{
	return all->n > 1 ? arena_printf(a, "%s and %zu more", all->first, all->n - 1) : all->first;
}

static void look_for_node(struct cmd *c, const struct cgroup *cg, pid_t pid, const struct grant_device *d, struct common *absent)
{
	const struct grant_key *key = &d->keys[0];
	struct node_wish wish = {.cg = cg, .pid = pid, .type = (int)key->type, .major = key->major, .minor = key->minor, .path = d->path};
	enum node_sight sight = pid && d->path ? node_sight(c->arena, &wish) : SIGHT_UNKNOWN;
	if (sight == SIGHT_OTHER)
		warn(c, arena_printf(c->arena, "make one elsewhere: --node=%s.granted", d->path), "what processes there have at %s is not %s", d->path,
		     number_text(c->arena, key));
	else if (sight == SIGHT_NOTHING)
		note(absent, d->path);
}

void grant_remarks(struct cmd *c, struct hostprog *hp, const struct grant_target *t, const struct grant_device *list, size_t n, bool node)
{
	struct arena *a = c->arena;
	pid_t pid = t->held.pidfd >= 0 ? t->held.pid : cgroup_first_process(t->cg);
	const char *v1 = pid ? process_devices_v1(a, pid) : NULL;
	struct common idle = {.n = 0}, absent = {.n = 0};
	look_at_program(c, hp, t->cg);
	for (size_t i = 0; i < n; i++) {
		look_at_v1(c, pid, v1, &list[i]);
		if (!has_driver(c, &list[i]))
			note(&idle, number_text(a, &list[i].keys[0]));
		if (!node)
			look_for_node(c, t->cg, pid, &list[i], &absent);
	}
	if (idle.n)
		warn(c, "load its module. A grant is for the number: whatever driver gets it, is opened by it", "no driver of this kernel has %s now",
		     common_text(a, &idle));
	if (absent.n)
		warn(c, "make it with the same command and --node", "processes there have no node %s to open", common_text(a, &absent));
}
