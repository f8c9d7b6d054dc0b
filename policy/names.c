/*
 * names.c - devices by name: symbols (known.h); paths and groups as the host says (host.h).
 *
 * A symbol whose numbers are fixed means the same devices on every host. What has no fixed
 * number is what the host has by that name, or an error that says what to do; never a guess.
 */
#include "policy/names.h"
#include "policy/device.h"
#include "policy/diag.h"
#include "policy/host.h"
#include "policy/known.h"
#include "policy/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- symbols --------------------------------------------------------------- */

const char *device_known(struct arena *a, struct slice name)
{
	const struct known_device *k = known_symbol(name);
	const char *path;
	if (k)
		return k->name;
	return known_numbers(a, name) || known_here(a, name, &path) ? text_safe(a, name.s, name.n, 32) : NULL;
}

static int not_here(struct fault *f, const char *hint, const char *what)
{
	fault_set(f, hint, "%s", what);
	f->missing = true;
	return -1;
}

/* What makes such devices come. */
static const char *how_it_comes(struct arena *a, const struct known_device *k)
{
	return k->module && *k->module
	               ? arena_printf(a, "its number is told by the host: plug it in, or load its driver (modprobe %s)",
	                              k->module)
	               : "its number is told by the host: plug it in, or load its driver";
}

/* A name with a number out of its series. */
static const char *out_of_series(struct arena *a, const struct known_device *k)
{
	return arena_printf(a, "the names are %s%d to %s%d", k->name, k->first, k->name, k->first + k->count - 1);
}

/* The name that was probably meant. A name with a number is never answered by a whole kind of
 * devices, nor one that begins with the kind's name: that would be wider than what was asked. */
static const char *near_symbol(struct arena *a, const char *name)
{
	const char **candidates = arena_alloc(a, known_devices_n * sizeof *candidates);
	size_t n = 0, stem = strcspn(name, "0123456789"), len = strlen(name);
	for (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++) {
		bool many = !*k->path, single = k->form == FORM_KNOWN || k->form == FORM_LOOKUP;
		if (single && !(many && (stem < len || !strncmp(name, k->name, strlen(k->name)))))
			candidates[n++] = k->name;
	}
	const char *near = *name ? did_you_mean(name, candidates, n) : NULL;
	if (near || stem == len || !stem)
		return near;
	n = 0;
	for (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++)
		if (k->form == FORM_SERIES || k->form == FORM_HERE)
			candidates[n++] = k->name;
	near = did_you_mean(arena_strndup(a, name, stem), candidates, n);
	return near ? arena_printf(a, "%s%s", near, name + stem) : NULL;
}

/* Of a name that the host must tell: the form for one of a family, and that for all. */
static const char *looked_up(struct arena *a, const struct known_device *k, const char *first)
{
	if (!first)
		return arena_printf(a, "write \"%s\": it is looked up on this host", k->numbers);
	if (*k->numbers == '/')
		return arena_printf(a, "write which one: :%s is looked up on this host", first);
	return arena_printf(a, "write which one, :%s, or \"%s\" for all: they are looked up on this host", first, k->numbers);
}

static int unknown_symbol(struct fault *f, struct slice name)
{
	struct arena *a = f->arena;
	const char *safe = text_safe(a, name.s, name.n, 32);
	const struct known_device *k = known_lookup(name);
	const char *first = known_first(a, name);
	if (k)
		return fault_set(f, looked_up(a, k, first), "device :%s has no fixed number", safe);
	if ((k = known_series(name)))
		return fault_set(f, out_of_series(a, k), "unknown device :%s", safe);
	const char *near = near_symbol(a, safe);
	return fault_set(f,
	                 first  ? arena_printf(a, "write which one: :%s", first)
	                 : near ? arena_printf(a, "did you mean :%s?", near)
	                      : "write its numbers (\"c 10:200\"), its path (\"/dev/net/tun\") "
	                        "or its group (\"char-pts\")",
	                 "unknown device :%s", safe);
}

/* What the host has at the path of such a device. */
static int symbol_here(struct fault *f, const struct host *h, const struct known_device *k, struct slice name,
                       const char *path, const char **numbers)
{
	struct slice at = {path, strlen(path)};
	int64_t major, minor;
	int type;
	struct fault why = {.arena = f->arena};
	if (device_at(&why, h, at, &type, &major, &minor)) {
		const char *safe = text_safe(f->arena, name.s, name.n, 32);
		if (why.missing)
			return not_here(f, how_it_comes(f->arena, k),
			                arena_printf(f->arena, "device :%s is not on this host: there is no %s", safe, path));
		return fault_set(f, why.hint, "%s", why.error);
	}
	if (type != types_of(k->type))
		return fault_set(f, "write the device's numbers instead: \"c 1:3\"", "%s is no %s device here", path,
		                 k->type == 'b' ? "block" : "character");
	*numbers = arena_printf(f->arena, "%c %lld:%lld", k->type, (long long)major, (long long)minor);
	return 0;
}

const char *device_symbol(struct fault *f, const struct host *h, struct slice name, bool *here)
{
	const char *path, *text = known_numbers(f->arena, name);
	const struct known_device *k = text ? NULL : known_here(f->arena, name, &path);
	*here = k != NULL;
	if (k)
		symbol_here(f, h, k, name, path, &text);
	else if (!text)
		unknown_symbol(f, name);
	return text;
}

/* ---- paths ------------------------------------------------------------------- */

static int no_file(struct fault *f, const char *path, const struct host_device *found)
{
	struct arena *a = f->arena;
	struct slice s = {path, strlen(path)};
	if (found->error == EXDEV)
		return fault_set(f, "name a node below /dev, or write the numbers: \"c 1:3\"",
		                 "%s leads out of /dev", text_quoted(a, s));
	if (found->error == EACCES)
		return fault_set(f, "write the device's numbers instead: \"c 1:3\"",
		                 "%s is not trusted: others than root can write a directory on the way",
		                 text_quoted(a, s));
	if (found->error != ENOENT && found->error != ENOTDIR)
		return fault_set(f, "write the device's numbers instead: \"c 1:3\"",
		                 "cannot look at %s: %s", text_quoted(a, s), strerror(found->error));
	const char *near = found->near, *base = strrchr(path, '/') + 1;
	const char *at = strncmp(path, "/dev/", 5) ? base : path + 5;
	struct slice name = {at, strlen(at)};
	const char *text = known_path_numbers(a, name);
	const struct known_device *k = known_path_here(name);
	const char *hint = "paths are looked up on this host: for a device it does not have, write "
			   "the numbers, such as \"c 1:3\"";
	if (text)
		hint = arena_printf(a, "this host does not have it: write \"%s\"", text);
	else if (k)
		hint = how_it_comes(a, k);
	else if (near)
		hint = arena_printf(a, "did you mean %s?",
		                    text_quoted(a, (struct slice){near, strlen(near)}));
	return not_here(f, hint, arena_printf(a, "no such file: %s", text_quoted(a, s)));
}

static const char *kind_of(mode_t mode)
{
	return S_ISREG(mode)    ? "a regular file"
	       : S_ISDIR(mode)  ? "a directory"
	       : S_ISFIFO(mode) ? "a FIFO"
	       : S_ISSOCK(mode) ? "a socket"
	                        : "something else";
}

int device_at(struct fault *f, const struct host *h, struct slice path, int *type, int64_t *major,
              int64_t *minor)
{
	char *name = arena_strndup(f->arena, path.s, path.n);
	struct host_device found;
	if (!h->any_path && strncmp(name, "/dev/", 5))
		return fault_set(f, "a device's path begins with /dev/; of a device that is elsewhere, "
		                    "write the numbers: \"c 1:3\"",
		                 "%s is not below /dev", text_quoted(f->arena, path));
	h->device(h, f->arena, name, &found);
	if (found.error)
		return no_file(f, name, &found);
	if (!S_ISBLK(found.mode) && !S_ISCHR(found.mode))
		return fault_set(
			f,
			S_ISDIR(found.mode)
				? "name the devices in it, or their group, such as \"char-pts\""
				: "name a device node, or write numbers, such as \"c 1:3\"",
			"%s is %s, not a device", text_quoted(f->arena, path), kind_of(found.mode));
	*type = S_ISBLK(found.mode) ? DEV_BLOCK : DEV_CHAR;
	*major = found.major;
	*minor = found.minor;
	if (*major >= 0 && *major <= MAJOR_MAX && *minor >= 0 && *minor <= MINOR_MAX)
		return 0;
	return fault_set(f, "the kernel's device numbers end at 4095:1048575",
	                 "%s has an impossible number", text_quoted(f->arena, path));
}

/* ---- groups of /proc/devices --------------------------------------------------- */

struct group {
	bool block;
	int64_t major;
	struct slice name;
};

/* The next line `  4 /dev/vc/0` of a listing; headings set g->block. */
static bool next_group(struct slice *rest, struct group *g)
{
	while (rest->n) {
		const char *end = memchr(rest->s, '\n', rest->n);
		struct slice line = {rest->s, end ? (size_t)(end - rest->s) : rest->n}, number;
		size_t used = line.n + (end != NULL);
		*rest = (struct slice){rest->s + used, rest->n - used};
		if (line.n >= 5 && !memcmp(line.s, "Block", 5))
			g->block = true;
		if (!next_word(&line, &number) || number.s[0] < '0' || number.s[0] > '9')
			continue;
		g->major = strtol(number.s, NULL, 10);
		if (next_word(&line, &g->name) && g->major <= MAJOR_MAX)
			return true;
	}
	return false;
}

/* Is it the symbol of one device? */
static bool is_one_device(struct arena *a, struct slice name)
{
	const char *path, *numbers = known_numbers(a, name);
	return numbers ? !strpbrk(numbers, "*,-") : known_here(a, name, &path) != NULL;
}

/* Is it a name like pts0 of the group pts? */
static bool wider(const char *near, const char *name)
{
	size_t n = strlen(near);
	return !strncmp(near, name, n) && strpbrk(name + n, "0123456789");
}

static int unknown_group(struct fault *f, bool block, const char *name, const char *listing)
{
	const char *prefix = block ? "block" : "char", **names = NULL, *near;
	struct arena *a = f->arena;
	struct slice rest = {listing, strlen(listing)};
	struct group g = {0};
	size_t n = 0, cap = 0;
	const char *hint = "cat /proc/devices shows the groups of this host; a driver that is not "
			   "loaded has none";
	while (next_group(&rest, &g)) {
		if (g.block == block)
			*ARENA_PUSH(a, names, n, cap) = text_safe(a, g.name.s, g.name.n, 64);
		else if (slice_is(g.name, name))
			hint = arena_printf(a, "\"%s\" is a %s device here: write \"%s-%s\"", name,
			                    block ? "character" : "block", block ? "char" : "block",
			                    name);
	}
	if (name[0] && !name[strspn(name, "0123456789")])
		hint = arena_printf(a, "write \"%c %s:*\" for a major number", prefix[0], name);
	else if (is_one_device(a, (struct slice){name, strlen(name)}))
		hint = arena_printf(a, "it is one device and no group: write :%s", name);
	else if (name[0] && (near = did_you_mean(name, names, n)) && !wider(near, name))
		hint = arena_printf(a, "did you mean \"%s-%s\"?", prefix, near);
	return not_here(f, hint,
	                arena_printf(a, "no %s device group %s in /proc/devices", block ? "block" : "character",
	                             text_quoted(a, (struct slice){name, strlen(name)})));
}

int device_group(struct fault *f, struct slice name, const char *listing, struct pattern *out)
{
	bool block = name.s[0] == 'b';
	size_t prefix = block ? strlen("block-") : strlen("char-"), cap = 0;
	char *glob = arena_strndup(f->arena, name.s + prefix, name.n - prefix);
	bool wild = strpbrk(glob, "*?[") != NULL;
	struct slice rest = {listing, strlen(listing)};
	struct group g = {0};
	out->types = block ? DEV_BLOCK : DEV_CHAR;
	*ARENA_PUSH(f->arena, out->minors, out->nminors, cap) = (struct interval){0, MINOR_MAX};
	cap = 0;
	while (next_group(&rest, &g)) {
		char *have = arena_strndup(f->arena, g.name.s, g.name.n);
		if (g.block == block && (wild ? !fnmatch(glob, have, 0) : !strcmp(glob, have)))
			*ARENA_PUSH(f->arena, out->majors, out->nmajors, cap) =
				(struct interval){g.major, g.major};
	}
	/* as in systemd, char-* is every device, also of drivers loaded later */
	if (!strcmp(glob, "*"))
		*ARENA_PUSH(f->arena, out->majors, out->nmajors, cap) =
			(struct interval){0, MAJOR_MAX};
	out->nmajors = intervals_merge(out->majors, out->nmajors);
	return out->nmajors ? 0 : unknown_group(f, block, glob, listing);
}

int device_group_here(struct fault *f, const struct host *h, struct slice name, struct pattern *out)
{
	const char *listing;
	int error = h->groups(h, f->arena, &listing);
	if (error)
		return fault_set(f, "mount /proc, or write the numbers: \"c 136:*\"",
		                 "cannot read /proc/devices: %s", strerror(error));
	return device_group(f, name, listing, out);
}
