/*
 * named.c - cgroups by what people call them: a systemd unit, a container by a part of its id,
 * or by a name that stands in its directory's.
 *
 * A name decides which processes a policy is for, so it is believed only where root alone
 * could have given it. Whoever has a cgroup of his own may make `web.service` in it:
 *
 *   - a unit is looked for where systemd puts units: in the root and in slices, each in the one that
 *     its name says (a-b.slice in a.slice). What is in a service or a scope is that one's own affair.
 *   - a container is looked for everywhere, but not inside of another container.
 *   - what lies in a directory that is not root's is found (somebody will ask for it), and
 *     marked: it is never taken.
 *
 * Needs a walk of the hierarchy; linear in its cgroups.
 */
#include "cgroup/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a directory's name says ---------------------------------------------------------- */

static bool ends(const char *text, size_t n, const char *suffix)
{
	size_t m = strlen(suffix);
	return n >= m && !memcmp(text + n - m, suffix, m);
}

static size_t hex_digits(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

/* The id in the name of a container's directory, as engines name them: ID, docker-ID.scope,
 * libpod-ID, cri-containerd-ID.scope, libpod-payload-ID ...; NULL: it is none. What watches a container
 * (libpod-conmon-ID.scope) is not the container. */
static const char *container_id(const char *name)
{
	size_t n = strlen(name);
	if (ends(name, n, ".scope"))
		n -= strlen(".scope");
	if (n < CONTAINER_ID || hex_digits(name + n - CONTAINER_ID) < CONTAINER_ID)
		return NULL;
	if (n == CONTAINER_ID)
		return name;
	size_t before = n - CONTAINER_ID;
	return name[before - 1] == '-' && !ends(name, before, "conmon-") ? name + before : NULL;
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* A part of a unit's name as it was before systemd escaped it (systemd-escape(1)). */
static const char *unescape(struct arena *a, const char *text, size_t n)
{
	char *out = arena_alloc(a, n + 1), *to = out;
	for (size_t i = 0; i < n; i++) {
		bool escaped = n - i >= 4 && text[i] == '\\' && text[i + 1] == 'x';
		int high = escaped ? hex_value(text[i + 2]) : -1, low = escaped ? hex_value(text[i + 3]) : -1;
		if (high >= 0 && low >= 0) {
			*to++ = (char)(16 * high + low);
			i += 3;
		} else {
			*to++ = text[i];
		}
	}
	return out;
}

/* What stands between prefix and suffix in a name, or NULL. */
static const char *between(struct arena *a, const char *name, const char *prefix, const char *suffix)
{
	size_t n = strlen(name), p = strlen(prefix), s = strlen(suffix);
	if (n <= p + s || strncmp(name, prefix, p) || !ends(name, n, suffix))
		return NULL;
	return unescape(a, name + p, n - p - s);
}

/* libvirt's own name behind its driver and number: "web" of "qemu-3-web"; NULL: it is none. */
static const char *domain_name(const char *machine)
{
	static const char *const drivers[] = {"qemu-", "lxc-"};
	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
		if (strncmp(machine, drivers[i], strlen(drivers[i])))
			continue;
		const char *number = machine + strlen(drivers[i]);
		size_t digits = strspn(number, "0123456789");
		if (digits && number[digits] == '-' && number[digits + 1])
			return number + digits + 1;
	}
	return NULL;
}

/* The machine of a unit of systemd-nspawn or libvirt (machine-qemu\x2d3\x2dweb.scope), or NULL. */
static const char *machine_name(struct arena *a, const char *name)
{
	const char *machine = between(a, name, "machine-", ".scope");
	if (!machine)
		return between(a, name, "systemd-nspawn@", ".service");
	const char *domain = domain_name(machine);
	return domain ? domain : machine;
}

/* libvirt's without systemd: machine/qemu-3-web.libvirt-qemu; NULL: it is none. */
static const char *domain_directory(struct arena *a, const char *name)
{
	const char *machine = between(a, name, "", ".libvirt-qemu");
	if (!machine)
		machine = between(a, name, "", ".libvirt-lxc");
	return machine ? domain_name(machine) : NULL;
}

/* Is `name` a slice that systemd puts into the one named `parent` ("" is the root)? a-b.slice
 * is in a.slice, a.slice in the root. */
static bool slice_is_at_home(const char *name, size_t n, const char *parent, size_t parent_n)
{
	if (!ends(name, n, ".slice"))
		return false;
	const char *dash = memrchr(name, '-', n);
	if (!dash)
		return !parent_n;
	size_t stem = (size_t)(dash - name);
	return parent_n == stem + strlen(".slice") && !memcmp(name, parent, stem) && ends(parent, parent_n, ".slice");
}

/* Is it where systemd puts units: are all directories above it slices, each in its place? */
static bool is_in_slices(const struct cgroup_dir *dir)
{
	const char *parent = "";
	size_t parent_n = 0;
	for (const char *at = dir->path + 1; at < dir->name;) {
		size_t n = strcspn(at, "/");
		if (!slice_is_at_home(at, n, parent, parent_n))
			return false;
		parent = at;
		parent_n = n;
		at += n + 1;
	}
	size_t n = strlen(dir->name);
	return !ends(dir->name, n, ".slice") || slice_is_at_home(dir->name, n, parent, parent_n);
}

/* ---- what a text can mean --------------------------------------------------------------- */

/* Those that have a cgroup. */
static bool is_unit(const char *text)
{
	static const char *const kinds[] = {".service", ".scope", ".slice", ".mount", ".socket", ".swap"};
	size_t n = strlen(text);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (n > strlen(kinds[i]) && ends(text, n, kinds[i]))
			return true;
	return false;
}

/* 0: it is no pid. */
static pid_t pid_of(const char *text)
{
	size_t n = strlen(text);
	if (!n || n > 10 || strspn(text, "0123456789") != n || *text == '0')
		return 0;
	long long pid = strtoll(text, NULL, 10);
	return pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* Behind "unit:" and the like; NULL: it is not of that kind. */
static const char *behind(const char *text, const char *kind)
{
	size_t n = strlen(kind);
	return !strncmp(text, kind, n) ? text + n : NULL;
}

bool cgroup_name_parse(struct arena *a, const char *text, struct cgroup_name *out)
{
	const char *rest, *name = text;
	bool one = true;
	*out = (struct cgroup_name){0};
	if ((rest = behind(text, "pid:"))) {
		out->pid = pid_of(rest);
	} else if ((rest = behind(text, "unit:"))) {
		name = rest;
		out->unit = is_unit(rest) ? rest : *rest ? arena_printf(a, "%s.service", rest) : NULL;
	} else {
		if ((rest = behind(text, "container:")))
			name = rest;
		else
			one = false;
		size_t n = strlen(name);
		out->container = *name ? name : NULL;
		out->id = n >= CONTAINER_ID_LEAST && n <= CONTAINER_ID && hex_digits(name) == n ? name : NULL;
	}
	if (!one) {
		out->unit = is_unit(text) ? text : NULL;
		out->pid = pid_of(text);
	}
	if (strchr(name, '/'))
		*out = (struct cgroup_name){0};
	return out->unit || out->container || out->pid;
}

/* ---- the search ----------------------------------------------------------------------------- */

struct search {
	struct arena *arena;
	const struct cgroup_name *name;
	struct cgroup_found *out;
	bool lxc_runs; /* the container of that very name was found, and something runs in it */
};

static struct cgroup_named *found(struct search *s, const struct cgroup_dir *dir, const char *what)
{
	struct cgroup_named *one = ARENA_PUSH(s->arena, s->out->list, s->out->n, s->out->cap);
	*one = (struct cgroup_named){
		.path = arena_strdup(s->arena, dir->path), .what = what, .id = dir->id, .others = !dir->below_roots};
	return one;
}

static void look_for_unit(struct search *s, const struct cgroup_dir *dir, bool in_slices)
{
	if (s->name->unit && in_slices && !strcmp(dir->name, s->name->unit))
		found(s, dir, arena_printf(s->arena, "the unit %s", s->name->unit));
}

/* LXC adds -1, -2 ... to the name of the cgroup while an old one is there still: where nothing runs
 * in that, the others may be meant too. */
static bool look_for_lxc(struct search *s, const struct cgroup_dir *dir)
{
	static const char prefix[] = "lxc.payload.";
	const char *wanted = s->name->container;
	if (strncmp(dir->name, prefix, sizeof prefix - 1))
		return false;
	const char *name = dir->name + sizeof prefix - 1;
	size_t n = wanted ? strlen(wanted) : 0;
	if (!n || strncmp(name, wanted, n))
		return true;
	bool numbered = name[n] == '-' && name[n + 1] && !name[n + 1 + strspn(name + n + 1, "0123456789")];
	if (!name[n]) {
		s->lxc_runs |= cgroup_populated(dir->fd);
		found(s, dir, arena_printf(s->arena, "the LXC container %s", name));
	} else if (numbered && !s->lxc_runs && cgroup_populated(dir->fd)) {
		found(s, dir, arena_printf(s->arena, "an LXC container %s, or a new one of %s", name, wanted));
	}
	return true;
}

static bool look_for_machine(struct search *s, const struct cgroup_dir *dir, bool in_slices)
{
	const char *machine = in_slices ? machine_name(s->arena, dir->name) : NULL;
	if (!machine)
		machine = domain_directory(s->arena, dir->name);
	if (machine && s->name->container && !strcmp(machine, s->name->container))
		found(s, dir, arena_printf(s->arena, "the machine %s", machine));
	return machine;
}

static bool look_for_id(struct search *s, const struct cgroup_dir *dir)
{
	const char *id = container_id(dir->name);
	if (id && s->name->id && !strncmp(id, s->name->id, strlen(s->name->id)))
		found(s, dir, arena_printf(s->arena, "the container %.12s", id))->container =
			arena_strndup(s->arena, id, CONTAINER_ID);
	return id;
}

static enum walk_step look(void *arg, const struct cgroup_dir *dir)
{
	struct search *s = arg;
	bool in_slices = is_in_slices(dir);
	look_for_unit(s, dir, in_slices);
	return look_for_id(s, dir) || look_for_lxc(s, dir) || look_for_machine(s, dir, in_slices) ? WALK_PAST
	                                                                                          : WALK_DOWN;
}

int cgroup_find(struct arena *a, struct diags *d, const struct cgroup_name *name, struct cgroup_found *out)
{
	struct search s = {.arena = a, .name = name, .out = out};
	return cgroup_walk(a, d, look, &s);
}

/* ---- what a path tells ----------------------------------------------------------------------- */

/* The engine that gives directories such names, or NULL. */
static const char *engine_of(const char *path, const char *name)
{
	static const struct { const char *prefix, *engine; } names[] = {
		{"docker-", "docker"}, {"libpod-", "podman"}, {"cri-containerd-", "containerd"}, {"crio-", "CRI-O"}, {"nerdctl-", "containerd"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strncmp(name, names[i].prefix, strlen(names[i].prefix)))
			return names[i].engine;
	return !strncmp(path, "/docker/", strlen("/docker/"))                 ? "docker"
	       : !strncmp(path, "/libpod_parent/", strlen("/libpod_parent/")) ? "podman"
	                                                                      : NULL;
}

/* The uid of a pod, behind "pod": kubepods/burstable/pod1234-..., kubepods-burstable-pod1234_....slice; NULL: it is none. */
static const char *pod_of(struct arena *a, const char *name)
{
	size_t n = strlen(name);
	const char *at = name;
	if (!strncmp(name, "kubepods", strlen("kubepods")) && ends(name, n, ".slice")) {
		n -= strlen(".slice");
		at = strstr(name, "-pod");
		at = at ? at + 1 : name;
	}
	if (strncmp(at, "pod", 3))
		return NULL;
	char *uid = arena_strndup(a, at + 3, n - (size_t)(at + 3 - name));
	for (char *p = uid; *p; p++)
		*p = *p == '_' ? '-' : *p;
	return strlen(uid) == 36 && strspn(uid, "0123456789abcdef-") == 36 ? uid : NULL;
}

/* LXC's or a machine's name. */
static const char *name_of(struct arena *a, const struct cgroup_dir *dir, const char **engine)
{
	static const char lxc[] = "lxc.payload.";
	if (!strncmp(dir->name, lxc, sizeof lxc - 1)) {
		*engine = "LXC";
		return dir->name + sizeof lxc - 1;
	}
	const char *machine = is_in_slices(dir) ? machine_name(a, dir->name) : NULL;
	*engine = !strncmp(dir->name, "systemd-nspawn@", strlen("systemd-nspawn@")) ? "systemd-nspawn" : "machine";
	if (!machine && (machine = domain_directory(a, dir->name)))
		*engine = "libvirt";
	return machine;
}

void cgroup_told(struct arena *a, const char *path, struct cgroup_told *out)
{
	*out = (struct cgroup_told){0};
	for (const char *at = path; *at == '/' && at[1] && !out->id && !out->name;) {
		size_t n = 1 + strcspn(at + 1, "/");
		size_t end = (size_t)(at - path) + n;
		const char *so_far = arena_strndup(a, path, end), *name = so_far + (at - path) + 1, *engine = NULL;
		struct cgroup_dir dir = {.path = so_far, .name = name};
		const char *id = container_id(name), *pod = pod_of(a, name);
		if (is_unit(name) && !ends(name, n - 1, ".slice") && is_in_slices(&dir))
			out->unit = name;
		if (pod)
			out->pod = pod;
		if (id) {
			out->id = arena_strndup(a, id, CONTAINER_ID);
			out->engine = engine_of(path, name);
		} else if ((out->name = name_of(a, &dir, &engine))) {
			out->engine = engine;
		}
		if (out->id || out->name)
			out->at = end;
		at += n;
	}
}
