/*
 * unit.c - which unit a file is of, which of its sections systemd reads
 * then, and which keys there. A unit's settings and its socket's are two lists.
 */
#include "policy/import/systemd.h"

#include <string.h>

static const struct { const char *suffix, *section; } types[UNIT_TYPES] = {
	[UNIT_SERVICE] = {".service", "Service"}, [UNIT_SOCKET] = {".socket", "Socket"},
	[UNIT_MOUNT] = {".mount", "Mount"},       [UNIT_SWAP] = {".swap", "Swap"},
	[UNIT_SLICE] = {".slice", "Slice"},       [UNIT_SCOPE] = {".scope", "Scope"},
};

#define SECTIONS "[Service], [Slice], [Scope], [Socket], [Mount], [Swap]"

/* ---- the type ---------------------------------------------------------------------- */

/* A drop-in for every unit of a type is in the directory service.d. */
static enum unit_type type_of_name(struct slice name)
{
	for (enum unit_type t = 0; t < UNIT_TYPES; t++) {
		struct slice suffix = {types[t].suffix, strlen(types[t].suffix)};
		if (slice_is(name, suffix.s + 1))
			return t;
		if (name.n > suffix.n && !memcmp(name.s + name.n - suffix.n, suffix.s, suffix.n))
			return t;
	}
	return UNIT_TYPES;
}

/* Splits the last part off a path. */
static struct slice last_part(struct slice *path)
{
	const char *slash = memrchr(path->s, '/', path->n);
	size_t before = slash ? (size_t)(slash - path->s) : 0, begin = slash ? before + 1 : 0;
	struct slice part = {path->s + begin, path->n - begin};
	path->n = before;
	return part;
}

/* The type a path says, and whether it is of a drop-in. */
static enum unit_type type_of_path(struct slice path, struct slice *name, bool *drop_in)
{
	*name = last_part(&path);
	struct slice directory = last_part(&path);
	*drop_in = directory.n > 2 && !memcmp(directory.s + directory.n - 2, ".d", 2);
	return type_of_name(*drop_in ? (struct slice){directory.s, directory.n - 2} : *name);
}

void unit_of_file(struct unit *u, const char *file, const char *wanted)
{
	struct slice name;
	bool drop_in;
	u->type = type_of_path((struct slice){file, strlen(file)}, &name, &drop_in);
	if (u->type == UNIT_TYPES && wanted)
		u->type = type_of_name((struct slice){wanted, strlen(wanted)});
	u->named = u->type != UNIT_TYPES;
	u->wanted = wanted;
	u->called = wanted ? wanted : u->named && !drop_in ? arena_strndup(u->l.d->arena, name.s, name.n) : NULL;
}

/* One of several units begins. */
static void next_unit(struct fault *f, struct unit *u, struct slice name)
{
	enum { NAMES_SHOWN = 12 };
	u->other = !unit_is_file_of(name, u->wanted);
	u->met |= !u->other;
	u->section = (struct slice){0};
	u->counts = false;
	if (++u->nothers <= NAMES_SHOWN)
		u->others = arena_printf(f->arena, "%s%s%s", u->others ? u->others : "", u->others ? ", " : "",
		                         text_safe(f->arena, name.s, name.n, 64));
	else if (u->nothers == NAMES_SHOWN + 1)
		u->others = arena_printf(f->arena, "%s ...", u->others);
}

int unit_of_comment(struct fault *f, struct unit *u, struct slice comment)
{
	struct slice path = trimmed((struct slice){comment.s + 1, comment.n - 1}), name;
	bool drop_in;
	if (comment.s[0] != '#' || !path.n || path.s[0] != '/' || memchr(path.s, ' ', path.n))
		return 0;
	enum unit_type type = type_of_path(path, &name, &drop_in);
	if (type == UNIT_TYPES || drop_in)
		return 0;
	if (u->wanted) {
		next_unit(f, u, name);
		return 0;
	}
	bool second = (u->name && !slice_is(name, u->name)) || (u->type != UNIT_TYPES && u->type != type);
	u->name = arena_strndup(f->arena, name.s, name.n);
	u->type = type, u->named = true;
	u->called = u->name;
	return second ? fault_set(f, arena_printf(f->arena, "say which one: --unit %s", text_safe(f->arena, name.s, name.n, 64)),
	                          "a second unit begins: %s", text_quoted(f->arena, name))
	              : 0;
}

/* ---- sections ------------------------------------------------------------------------ */

int unit_section(struct fault *f, struct unit *u, struct slice section)
{
	enum unit_type type = 0;
	u->section = section;
	while (type < UNIT_TYPES && !slice_is(section, types[type].section))
		type++;
	if (type < UNIT_TYPES && u->type == UNIT_TYPES)
		u->type = type;
	u->counts = type < UNIT_TYPES && type == u->type;
	u->any |= u->counts;
	if (type == UNIT_TYPES || u->counts || u->named)
		return 0;
	return fault_set(f, "take the section out, or import one unit at a time: systemctl cat UNIT",
	                 "[%s] beside [%s]: a unit has one of them", types[type].section, types[u->type].section);
}

int unit_no_section(struct fault *f, const struct unit *u)
{
	if (u->others && !u->met)
		return fault_set(f, arena_printf(f->arena, "--unit NAME, one of: %s", u->others), "there is no unit %s in it",
		                 text_quoted(f->arena, (struct slice){u->wanted, strlen(u->wanted)}));
	if (u->type == UNIT_TYPES)
		return fault_set(f, "give a unit file, or what systemctl cat UNIT prints",
		                 "no section can have DeviceAllow=: " SECTIONS);
	return fault_set(f, "give the unit's own file, or what systemctl cat UNIT prints",
	                 "there is no [%s], the section a file of this name can have DeviceAllow= in",
	                 types[u->type].section);
}

/* ---- keys ---------------------------------------------------------------------------- */

/* PrivateDevices= and ProtectClock= are of units that start processes themselves. */
static const char *const device_keys[] = {"DevicePolicy", "DeviceAllow", "PrivateDevices", "ProtectClock"};
enum { DEVICE_KEYS = sizeof device_keys / sizeof *device_keys, CGROUP_KEYS = 2 };

/* What systemd knows, about other things, that has "device" in it. */
static bool other_device_key(const char *key)
{
	static const char *const keys[] = {"BindToDevice", "IODeviceWeight", "IODeviceLatencyTargetSec",
					   "BlockIODeviceWeight"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return !strncmp(key, "X-", 2);
}

int unit_check_key(struct fault *f, const struct unit *u, const char *key)
{
	struct slice word = {key, strlen(key)};
	size_t known = 0;
	while (known < DEVICE_KEYS && strcmp(key, device_keys[known]) != 0)
		known++;
	bool processes = u->type != UNIT_SLICE && u->type != UNIT_SCOPE;
	if (known < DEVICE_KEYS && u->counts && (processes || known < CGROUP_KEYS))
		return 0;
	if (known < DEVICE_KEYS)
		return fault_set(f, u->type == UNIT_TYPES ? "put it into " SECTIONS
		                    : !processes          ? "write DevicePolicy= and DeviceAllow="
		                                          : arena_printf(f->arena, "put it into [%s]", types[u->type].section),
		                 "%s stands in [%s], where systemd does not read it", key,
		                 text_safe(f->arena, u->section.s, u->section.n, 64));
	const char *near = foreign_near(f->arena, word, device_keys, DEVICE_KEYS);
	if (other_device_key(key) || (!near && !strstr(foreign_plain(f->arena, word), "device")))
		return 0;
	return fault_set(f, near_hint(f->arena, near, "those about devices are DevicePolicy=, DeviceAllow= and "
	                                              "PrivateDevices="),
	                 "unknown setting %s", text_safe(f->arena, key, word.n, 64));
}
