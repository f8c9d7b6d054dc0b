/*
 * change.c - what would have to change so that a program would allow a request: in the words of whoever
 * made it.
 *
 * Whose hand it is, its shape tells (cgroup/author.c); which engine runs that runtime, the cgroup's name.
 * Both are for people to read. Of a program that nobody knows only its number is said.
 */
#include "cmd/why/why.h"

#include <string.h>

/* "c 10:229 rw"; a request without letters asks whether it may be used at all. */
static const char *device_text(struct arena *a, const struct request *r)
{
	return arena_printf(a, "%c %lld:%lld %s%s%s", r->type == DEV_BLOCK ? 'b' : 'c', (long long)r->major, (long long)r->minor,
	                    r->access & ACC_READ || !r->access ? "r" : "", r->access & ACC_WRITE ? "w" : "",
	                    r->access & ACC_MKNOD ? "m" : "");
}

static const char *letters(struct arena *a, const struct request *r)
{
	return strrchr(device_text(a, r), ' ') + 1;
}

/* Its path, or one that systemd takes for the numbers. */
static const char *path_or_numbers(const struct inquiry *q)
{
	const struct request *r = &q->request;
	return q->path ? q->path
	               : arena_printf(q->c->arena, "/dev/%s/%lld:%lld", r->type == DEV_BLOCK ? "block" : "char", (long long)r->major,
	                              (long long)r->minor);
}

/* ---- ours ------------------------------------------------------------------------------------------- */

/* What the program was attached with, for the same to be given again. Names come from the program. */
static const char *settings_of(struct arena *a, const struct opinion *o)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=-";
	const struct attached *at = o->at;
	const char *text = at->mode == MODE_PERMISSIVE ? " --mode permissive" : "", *param = o->own.params;
	if (at->audit != AUDIT_NONE)
		text = arena_printf(a, "%s --audit %s", text, audit_words[at->audit]);
	while (*param) {
		size_t n = strspn(param, plain);
		if (param[n] && param[n] != ' ')
			return text;
		text = arena_printf(a, "%s --param %.*s", text, (int)n, param);
		param += n + (param[n] == ' ');
	}
	return text;
}

/* Some callers are let through. A rule without their condition would open it to everybody: none is proposed. */
static const char *of_callers(struct arena *a, const struct opinion *o)
{
	const struct rule_told *own = &o->own;
	bool by_rule = *own->callers_file;
	const char *file = by_rule ? own->callers_file : own->file;
	int line = by_rule ? own->callers_line : own->line;
	const char *place = line ? arena_printf(a, "%s:%d", file, line) : file;
	const char *text = by_rule && *own->callers_source ? arena_printf(a, ": %s", own->callers_source) : "";
	return arena_printf(a, "who asks decides: %s %s it to some callers%s; change that condition so that it holds for this one, too, "
	                       "or ask as one of them (a rule without a condition would allow it to everybody)",
	                    place, by_rule ? "allows" : "denies", text);
}

static const char *of_ours(const struct inquiry *q, const struct opinion *o)
{
	struct arena *a = q->c->arena;
	const struct rule_told *own = &o->own;
	const char *rule = arena_printf(a, "allow \"%s\"", device_text(a, &q->request)), *where;
	if (own->known && own->callers)
		return of_callers(a, o);
	if (!own->known)
		return arena_printf(a, "in the policy %s, %s has to stand above the rule that denies", o->at->name, rule);
	bool file = *own->policy && strcmp(own->policy, "-");
	if (!file)
		where = own->before_line ? arena_printf(a, "in the policy %s, before line %d: %s", o->at->name, own->before_line, rule)
		                         : arena_printf(a, "in the policy %s: %s", o->at->name, rule);
	else if (own->before_line)
		where = arena_printf(a, "before line %d of %s add: %s", own->before_line, own->before_file, rule);
	else
		where = arena_printf(a, "in %s add%s: %s", own->policy, own->before_file ? " at the top" : "", rule);
	return arena_printf(a, "%s; then: %s apply %s %s%s", where, PROGRAM, file ? shell_word(a, own->policy) : "POLICY",
	                    o->path ? shell_word(a, o->path) : "CGROUP", settings_of(a, o));
}

/* ---- engines and systemd ----------------------------------------------------------------------------- */

static const char *of_podman_or_docker(const struct inquiry *q, const char *engine)
{
	struct arena *a = q->c->arena;
	const char *rule = arena_printf(a, "--device-cgroup-rule '%s'", device_text(a, &q->request));
	const char *node = q->path ? arena_printf(a, "--device %s, or %s", shell_word(a, q->path), rule) : rule;
	return arena_printf(a, "make the container again with %s (%s run)", node, engine);
}

static const char *of_kubernetes(const struct inquiry *q)
{
	(void)q;
	return "no field of a pod names a device: a device plugin has to, or the container has to be privileged";
}

static const char *of_lxc(const struct inquiry *q)
{
	return arena_printf(q->c->arena, "in the container's configuration add: lxc.cgroup2.devices.allow = %s; then start it again",
	                    device_text(q->c->arena, &q->request));
}

static const char *of_libvirt(const struct inquiry *q)
{
	struct arena *a = q->c->arena;
	if (q->request.access & ACC_MKNOD)
		return "cgroup_device_acl of /etc/libvirt/qemu.conf gives r and w alone, never m";
	return arena_printf(a, "add %s to cgroup_device_acl in /etc/libvirt/qemu.conf (all of the list that is a comment there holds now), "
	                       "restart libvirtd or virtqemud, and start the guest again",
	                    q->path ? arena_printf(a, "\"%s\"", q->path) : "the device's path");
}

static const char *of_runtime(const struct inquiry *q, const char *runtime)
{
	struct arena *a = q->c->arena;
	const struct request *r = &q->request;
	return arena_printf(a, "make the container again with this at the end of linux.resources.devices in its config.json (%s): "
	                       "{\"allow\": true, \"type\": \"%c\", \"major\": %lld, \"minor\": %lld, \"access\": \"%s\"}",
	                    runtime, r->type == DEV_BLOCK ? 'b' : 'c', (long long)r->major, (long long)r->minor, letters(a, r));
}

/* The unit that a cgroup is: units have these types. */
static const char *unit_of(const char *path)
{
	static const char *const types[] = {".service", ".scope", ".slice", ".socket", ".mount", ".swap"};
	const char *name = path ? strrchr(path, '/') : NULL, *dot = name ? strrchr(name, '.') : NULL;
	for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
		if (!strcmp(dot, types[i]))
			return name + 1;
	return NULL;
}

static const char *of_systemd(const struct inquiry *q, const struct opinion *o)
{
	struct arena *a = q->c->arena;
	const char *unit = unit_of(o->path);
	const char *line = arena_printf(a, "DeviceAllow=%s %s", path_or_numbers(q), letters(a, &q->request));
	if (!unit)
		return arena_printf(a, "the unit needs %s", line);
	return arena_printf(a, "systemctl set-property %s %s (at once and for good; --runtime: until the next boot)", shell_word(a, unit),
	                    shell_word(a, line));
}

/* ---- whose ------------------------------------------------------------------------------------------- */

/* The engine that names cgroups like that, or NULL. */
static const char *engine_of(const char *path)
{
	static const struct { const char *part, *engine; } names[] = {
		{"/kubepods", "kubernetes"}, {"/libpod-", "podman"}, {"/libpod_parent", "podman"}, {"/docker-", "docker"}, {"/docker/", "docker"},
	};
	for (size_t i = 0; path && i < sizeof names / sizeof *names; i++)
		if (strstr(path, names[i].part))
			return names[i].engine;
	return NULL;
}

const char *why_change(const struct inquiry *q, const struct opinion *o)
{
	struct arena *a = q->c->arena;
	const char *path = o->path ? o->path + strlen(q->cg->mount) : NULL, *engine = engine_of(path), *author = o->author;
	if (o->at && o->at->ours)
		return of_ours(q, o);
	if (!author)
		return arena_printf(a, "program %u would have to allow it: whoever attached it knows how", o->id);
	if (!strcmp(author, "libvirt"))
		return of_libvirt(q);
	if (!strcmp(author, "LXC") || (!strcmp(author, "crun or LXC") && path && strstr(path, "/lxc")))
		return of_lxc(q);
	if (engine && !strcmp(engine, "kubernetes"))
		return of_kubernetes(q);
	if (engine)
		return of_podman_or_docker(q, engine);
	if (!strcmp(author, "systemd"))
		return of_systemd(q, o);
	if (!strcmp(author, "runc") || !strncmp(author, "crun", 4))
		return of_runtime(q, author);
	return arena_printf(a, "program %u, written as %s writes them, would have to allow it", o->id, author);
}
