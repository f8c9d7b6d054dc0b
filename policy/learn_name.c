/*
 * learn_name.c - how the rule for a recorded device names it: as a person would.
 *
 * A number that the kernel hands out by chance means nothing the next time: then the rule names the family. Which
 * these are says a table, and nothing else is made wider, except that a device of a driver that gets its number when
 * it is loaded, and that has no path on this host, can only be named by its driver. No family stands for what was let
 * pass when one of its members was only denied: that would be allowed, too. What the host tells is believed when it
 * leads to the numbers that were recorded; else these stand in the rule.
 */
#include "policy/arena.h"
#include "policy/host.h"
#include "policy/known.h"
#include "policy/learn.h"
#include "policy/names.h"
#include "policy/text.h"

#include <string.h>

#define WHOLE {0, MINOR_MAX}
static const struct family {
	int type, major;
	struct interval minors;
	const char *driver;  /* what is meant whatever its number; NULL: the numbers are fixed */
	bool loops;          /* where they are handed out to the workload only */
	const char *text, *shown, *why;
} families[] = {
	{DEV_CHAR, 136, WHOLE, NULL, false, ":pts", "/dev/pts/N", "each terminal gets the next free number"},
	{DEV_BLOCK, 7, WHOLE, NULL, true, ":loop", "/dev/loopN", "loop_control hands out the next free one"},
	{DEV_CHAR, 13, {0, 31}, NULL, false, "\"c 13:0-31\"", "/dev/input/jsN", "numbered as they are found"},
	{DEV_CHAR, 13, {32, 62}, NULL, false, "\"c 13:32-62\"", "/dev/input/mouseN", "numbered as they are found"},
	{DEV_CHAR, 13, {64, 95}, NULL, false, "\"c 13:64-95\"", "/dev/input/eventN", "numbered as they are found"},
	{DEV_CHAR, 13, {256, 1023}, NULL, false, "\"c 13:256-1023\"", "c 13:256-1023", "more of them, numbered as they are found"},
	{DEV_CHAR, 166, WHOLE, NULL, false, ":ttyACM", "/dev/ttyACMN", "numbered as they are plugged in"},
	{DEV_CHAR, 188, WHOLE, NULL, false, ":ttyUSB", "/dev/ttyUSBN", "numbered as they are plugged in"},
	{DEV_CHAR, 189, WHOLE, NULL, false, ":usb", "/dev/bus/usb/N/N", "numbered as they are plugged in"},
	{DEV_CHAR, -1, WHOLE, "hidraw", false, "\"char-hidraw\"", "/dev/hidrawN", "numbered as they are found"},
	{DEV_CHAR, -1, WHOLE, "nvidia-uvm", false, "\"char-nvidia-uvm\"", "char-nvidia-uvm",
	 "the driver's number is another after each boot"},
};

_Static_assert(sizeof families / sizeof *families <= 32, "a bit for each");

static bool within(const struct family *f, const struct learned_request *r)
{
	return f->type == r->type && f->major == r->major && r->minor >= f->minors.lo && r->minor <= f->minors.hi;
}

static void spare(struct learned_names *n, const struct learned_request *r)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		n->spared |= (uint32_t)within(&families[i], r) << i;
	if (r->type == DEV_CHAR)
		n->majors[r->major / 64] |= 1ull << r->major % 64;
}

void learned_names_start(struct arena *a, const struct host *h, const struct learned *l, struct learned_names *out)
{
	const struct learned *all = l->part_of ? l->part_of : l;
	*out = (struct learned_names){.arena = a, .host = h};
	for (size_t i = 0; i < all->n; i++) {
		const struct learned_request *r = &all->list[i];
		out->loops |= r->type == DEV_CHAR && r->major == 10 && r->minor == 237 && learned_passed(r);
		if (!learned_passed(r))
			spare(out, r);
	}
	if (h->groups(h, a, &out->groups))
		out->groups = "";
}

static char letter(int type)
{
	return type == DEV_BLOCK ? 'b' : 'c';
}

static const char *numbers_of(struct arena *a, const struct learned_request *r)
{
	return arena_printf(a, "%c %lld:%lld", letter(r->type), (long long)r->major, (long long)r->minor);
}

/* ---- families ------------------------------------------------------------------------------ */

/* Is it a device of that driver, by what this host says now? */
static bool of_driver(const struct learned_names *n, const struct learned_request *r, const char *driver)
{
	struct fault ignored = {.arena = n->arena};
	struct pattern p = {0};
	const char *group = arena_printf(n->arena, "%s-%s", r->type == DEV_BLOCK ? "block" : "char", driver);
	return !device_group(&ignored, (struct slice){group, strlen(group)}, n->groups, &p) && p.types == r->type &&
	       p.nmajors == 1 && intervals_are_one(p.majors, 1) && p.majors->lo == r->major;
}

static const struct family *family_of(const struct learned_names *n, const struct learned_request *r)
{
	for (const struct family *f = families; f < families + sizeof families / sizeof *families; f++) {
		if (f->type != r->type || (f->loops && !n->loops))
			continue;
		if (f->driver ? r->driver && !strcmp(f->driver, r->driver) && of_driver(n, r, f->driver) : within(f, r))
			return f;
	}
	return NULL;
}

static bool major_spared(const struct learned_names *n, const struct learned_request *r)
{
	return r->exact || (n->majors[r->major / 64] >> r->major % 64 & 1);
}

static bool is_spared(const struct learned_names *n, const struct family *f, const struct learned_request *r)
{
	return r->exact || (f->driver ? major_spared(n, r) : n->spared >> (f - families) & 1);
}

/* Numbers that are given when a driver is loaded (devices.txt of the kernel: local use, dynamic). */
static bool given_when_loaded(int64_t major)
{
	return (major >= 234 && major <= 254) || (major >= 384 && major <= 511);
}

/* ---- one device ------------------------------------------------------------------------------- */

/* "i2c-3" of /dev/i2c-3 as a symbol, i2c_3; NULL: it can be none. */
static const char *symbol_of(struct arena *a, const char *path)
{
	const char *base = strrchr(path, '/');
	char *name = arena_strdup(a, base ? base + 1 : path);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	size_t n = strlen(name);
	bool plain = n && (*name < '0' || *name > '9') &&
	             strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
	return plain ? name : NULL;
}

static bool means(const struct pattern *p, const struct learned_request *r)
{
	return p->types == r->type && intervals_are_one(p->majors, p->nmajors) && intervals_are_one(p->minors, p->nminors) &&
	       p->majors->lo == r->major && p->minors->lo == r->minor;
}

bool learned_path_fits(const char *path)
{
	size_t n = strlen(path);
	return n <= LEARN_PATH_MAX && !strncmp(path, "/dev/", 5) && path[5] && !strstr(path, "..") && !strstr(path, "//") &&
	       path[n - 1] != '/' && strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+@,") == n;
}

/* By a symbol whose numbers are fixed. */
static const char *fixed_symbol(struct arena *a, const struct learned_request *r, const char *numbers)
{
	const char *name = known_symbol_of(numbers);
	const char *path = name ? NULL : known_name_of(a, letter(r->type), r->major, r->minor);
	if (path && (name = symbol_of(a, path))) {
		const char *are = known_numbers(a, (struct slice){name, strlen(name)});
		name = are && !strcmp(are, numbers) ? name : NULL;
	}
	return name ? arena_printf(a, ":%s", name) : NULL;
}

/* By the path that it had, where that is the same device here. */
static const char *here(const struct learned_names *n, const struct learned_request *r)
{
	const char *error, *hint;
	struct pattern p;
	if (!r->path || !learned_path_fits(r->path))
		return NULL;
	const char *name = symbol_of(n->arena, r->path);
	if (name && !pattern_named(n->arena, n->host, name, &p, &error, &hint) && means(&p, r))
		return arena_printf(n->arena, ":%s", name);
	return !pattern_parse(n->arena, n->host, r->path, &p, &error, &hint) && means(&p, r)
	               ? arena_printf(n->arena, "\"%s\"", r->path)
	               : NULL;
}

static const char *shown_name(struct arena *a, const struct learned_request *r, const char *text, const char *numbers)
{
	const char *path = known_name_of(a, letter(r->type), r->major, r->minor);
	return path ? arena_printf(a, "/dev/%s", path) : text && r->path ? r->path : numbers;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

/* By its driver: nothing narrower names it when it has another number. */
static bool by_driver(const struct learned_names *n, const struct learned_request *r, struct learned_name *out)
{
	if (r->type != DEV_CHAR || !r->driver || !given_when_loaded(r->major) || major_spared(n, r) || !of_driver(n, r, r->driver))
		return false;
	const char *group = arena_printf(n->arena, "char-%s", r->driver);
	if (strspn(group, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(group))
		return false;
	out->text = arena_printf(n->arena, "\"%s\"", group);
	out->shown = group;
	out->why = "the driver gets another number when it is loaded again";
	out->minors = (struct interval)WHOLE;
	return true;
}

struct learned_name learned_name(struct learned_names *n, const struct learned_request *r)
{
	struct arena *a = n->arena;
	const struct family *f = family_of(n, r);
	const char *numbers = numbers_of(a, r);
	struct learned_name out = {.type = r->type, .majors = {r->major, r->major}, .minors = {r->minor, r->minor}};
	if (f && is_spared(n, f, r)) { /* no path: who has it next is chance */
		out.text = fixed_symbol(a, r, numbers);
		out.shown = shown_name(a, r, out.text, numbers);
	} else if (f) {
		out.text = f->text, out.shown = f->shown, out.why = f->why, out.minors = f->minors;
	} else if ((out.text = fixed_symbol(a, r, numbers)) || (out.text = here(n, r)) || !by_driver(n, r, &out)) {
		out.shown = shown_name(a, r, out.text, numbers);
	}
	struct device_run run = {r->type, out.majors, out.minors};
	out.what = device_called(a, &run).what;
	out.reach = device_reach(&run);
	out.terminal = r->type == DEV_CHAR && (r->major == 136 || (r->major == 5 && (r->minor == 0 || r->minor == 2)));
	return out;
}
