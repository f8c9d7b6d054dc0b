/*
 * known.c - the table of devices with a name, and the names that are made by number.
 *
 * What devices.txt of the kernel fixes means the same on every host. What it does not
 * fix, or other than the kernel does it (nbd and mmcblk by their options, video by the
 * order in which cameras are found), is for the host to tell.
 */
#include "policy/known.h"
#include "policy/access.h"
#include "policy/interval.h"
#include "policy/text.h"

#include <string.h>

const struct known_device known_devices[] = {
#define KNOWN(symbol, text, at, is) {.form = FORM_KNOWN, .name = symbol, .numbers = text, .type = text[0], .path = at, .what = is},
#define SERIES(prefix, of, maj, min, by, from, n, at, is) \
	{.form = FORM_SERIES, .name = prefix, .type = of, .major = maj, .minor = min, .step = by, .first = from, \
	 .count = n, .path = at, .what = is},
#define DISKS(prefix, majors, disks, minors, is) \
	{.form = FORM_DISKS, .name = prefix, .numbers = majors, .type = 'b', .step = minors, .count = disks, \
	 .path = prefix, .group = "blkext", .module = "", .what = is},
#define HERE(prefix, of, at, in, by, is) \
	{.form = FORM_HERE, .name = prefix, .type = of, .path = at, .group = in, .module = by, .what = is},
#define LOOKUP(symbol, text, is) {.form = FORM_LOOKUP, .name = symbol, .numbers = text, .path = "", .what = is},
#include "policy/devices.def"
};
const size_t known_devices_n = sizeof known_devices / sizeof *known_devices;

#define EACH(k) (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++)

/* ---- names ------------------------------------------------------------------------- */

/* What is behind `prefix`; s NULL: something else stands there. Ruby writes symbols with
 * '_' where a device's file has '-'. */
static struct slice behind(struct slice s, const char *prefix, bool symbol)
{
	size_t n = strlen(prefix);
	if (s.n < n)
		return (struct slice){0};
	for (size_t i = 0; i < n; i++)
		if ((symbol && s.s[i] == '-' ? '_' : s.s[i]) != prefix[i])
			return (struct slice){0};
	return (struct slice){s.s + n, s.n - n};
}

static const struct known_device *whole(struct slice name, enum known_form form)
{
	for EACH (k) {
		struct slice rest = k->form == form ? behind(name, k->name, true) : (struct slice){0};
		if (rest.s && !rest.n)
			return k;
	}
	return NULL;
}

const struct known_device *known_symbol(struct slice name)
{
	return whole(name, FORM_KNOWN);
}

const struct known_device *known_lookup(struct slice name)
{
	return whole(name, FORM_LOOKUP);
}

static bool digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
	return s.n > 0;
}

/* ---- fixed numbers ------------------------------------------------------------------- */

static bool number_of(struct slice s, int64_t *number)
{
	if (!digits(s) || s.n > 7 || (s.n > 1 && s.s[0] == '0'))
		return false;
	*number = 0;
	for (size_t i = 0; i < s.n; i++)
		*number = *number * 10 + (s.s[i] - '0');
	return true;
}

static const char *in_series(struct arena *a, const struct known_device *k, struct slice rest)
{
	int64_t n;
	if (!number_of(rest, &n) || n < k->first || n >= (int64_t)k->first + k->count)
		return NULL;
	return arena_printf(a, "%c %d:%d", k->type, k->major, k->minor + ((int)n - k->first) * k->step);
}

/* Letters count a to z, aa to zz, aaa ... The index of the disk, its letters cut off. */
static bool disk_of(struct slice *rest, int64_t *disk)
{
	enum { LETTERS_MOST = 3 };
	size_t n = 0;
	*disk = 0;
	while (n < rest->n && rest->s[n] >= 'a' && rest->s[n] <= 'z')
		*disk = *disk * 26 + (rest->s[n++] - 'a' + 1);
	*rest = (struct slice){rest->s + n, rest->n - n};
	--*disk;
	return n > 0 && n <= LETTERS_MOST;
}

static const char *in_disks(struct arena *a, const struct known_device *k, struct slice rest)
{
	struct fault ignored = {.arena = a};
	struct slice majors = {k->numbers, strlen(k->numbers)};
	struct interval *list;
	size_t n;
	int64_t disk, part = 0;
	if (!disk_of(&rest, &disk) || (rest.n && (!number_of(rest, &part) || !part)) || part >= k->step ||
	    intervals_read(&ignored, "", majors, MAJOR_MAX, &list, &n))
		return NULL;
	int64_t nth = disk / k->count, minor = disk % k->count * k->step + part;
	for (size_t i = 0; i < n; nth -= list[i].hi - list[i].lo + 1, i++)
		if (nth <= list[i].hi - list[i].lo)
			return arena_printf(a, "b %d:%d", (int)(list[i].lo + nth), (int)minor);
	return NULL;
}

static const char *made(struct arena *a, struct slice name, bool symbol)
{
	for EACH (k) {
		struct slice rest = behind(name, symbol ? k->name : k->path, symbol);
		const char *text = !rest.s                    ? NULL
		                   : k->form == FORM_SERIES ? in_series(a, k, rest)
		                   : k->form == FORM_DISKS  ? in_disks(a, k, rest)
		                                            : NULL;
		if (text)
			return text;
	}
	return NULL;
}

const char *known_numbers(struct arena *a, struct slice name)
{
	const struct known_device *k = known_symbol(name);
	return k ? k->numbers : made(a, name, true);
}

const char *known_path_numbers(struct arena *a, struct slice path)
{
	for EACH (k)
		if (k->form == FORM_KNOWN && *k->path && slice_is(path, k->path))
			return k->numbers;
	return made(a, path, false);
}

/* ---- names of numbers ------------------------------------------------------------------ */

static const struct known_device *with_numbers(const char *numbers)
{
	for EACH (k)
		if (k->form == FORM_KNOWN && !strcmp(k->numbers, numbers))
			return k;
	return NULL;
}

const char *known_name_of_numbers(const char *numbers)
{
	const struct known_device *k = with_numbers(numbers);
	return !k ? NULL : *k->path ? k->path : k->name;
}

const char *known_symbol_of(const char *numbers)
{
	const struct known_device *k = with_numbers(numbers);
	return k ? k->name : NULL;
}

static const char *name_in_series(struct arena *a, const struct known_device *k, int64_t major, int64_t minor)
{
	int64_t behind = minor - k->minor;
	if (k->major != major || behind < 0 || behind % k->step || behind / k->step >= k->count)
		return NULL;
	return arena_printf(a, "%s%d", k->path, k->first + (int)(behind / k->step));
}

/* a to z, aa to zz, ... of the disk with this index. */
static const char *disk_letters(struct arena *a, int64_t disk)
{
	char text[8], *at = text + sizeof text - 1;
	for (*at = '\0', disk++; disk; disk /= 26)
		*--at = (char)('a' + --disk % 26);
	return arena_strdup(a, at);
}

static const char *name_in_disks(struct arena *a, const struct known_device *k, int64_t major, int64_t minor)
{
	struct fault ignored = {.arena = a};
	struct interval *list;
	size_t n;
	int64_t nth = 0;
	if (intervals_read(&ignored, "", (struct slice){k->numbers, strlen(k->numbers)}, MAJOR_MAX, &list, &n) ||
	    !intervals_have(list, n, major) || minor / k->step >= k->count)
		return NULL;
	for (; list->hi < major; list++)
		nth += list->hi - list->lo + 1;
	nth += major - list->lo;
	const char *letters = disk_letters(a, nth * k->count + minor / k->step);
	return minor % k->step ? arena_printf(a, "%s%s%d", k->path, letters, (int)(minor % k->step))
	                       : arena_printf(a, "%s%s", k->path, letters);
}

const char *known_name_of(struct arena *a, char type, int64_t major, int64_t minor)
{
	const char *name = known_name_of_numbers(arena_printf(a, "%c %d:%d", type, (int)major, (int)minor));
	for (const struct known_device *k = known_devices; !name && k < known_devices + known_devices_n; k++) {
		if (k->form == FORM_SERIES && k->type == type)
			name = name_in_series(a, k, major, minor);
		if (k->form == FORM_DISKS && type == 'b')
			name = name_in_disks(a, k, major, minor);
	}
	return name;
}

/* ---- numbers that the host tells ------------------------------------------------------- */

/* "0n1p2" of nvme0n1p2, "a3" of vda3: a device and not another word. */
static bool is_instance(const struct known_device *k, struct slice rest)
{
	static const char after[] = "abcdefghijklmnopqrstuvwxyzCD0123456789.";
	enum { MOST = 24 };
	int64_t disk;
	struct slice part = rest;
	if (!rest.n || rest.n > MOST)
		return false;
	if (k->form == FORM_DISKS || !strcmp(k->name, "vd"))
		return disk_of(&part, &disk) && (!part.n || digits(part));
	for (size_t i = 0; i < rest.n; i++)
		if (!memchr(after, rest.s[i], sizeof after - 1))
			return false;
	return rest.s[0] >= '0' && rest.s[0] <= '9';
}

/* Partitions of a series of block devices have numbers that nothing fixes. */
static bool tells(const struct known_device *k, struct slice rest)
{
	if (k->form == FORM_SERIES)
		return k->type == 'b' && !digits(rest) && is_instance(k, rest);
	return (k->form == FORM_HERE || k->form == FORM_DISKS) && is_instance(k, rest);
}

const struct known_device *known_here(struct arena *a, struct slice name, const char **path)
{
	for EACH (k) {
		struct slice rest = behind(name, k->name, true);
		if (!rest.s || !tells(k, rest))
			continue;
		*path = arena_printf(a, "/dev/%s%.*s", k->path, (int)rest.n, rest.s);
		return k;
	}
	return NULL;
}

const struct known_device *known_path_here(struct slice path)
{
	for EACH (k) {
		struct slice rest = behind(path, k->path, false);
		if (rest.s && tells(k, rest))
			return k;
	}
	return NULL;
}

const struct known_device *known_series(struct slice name)
{
	for EACH (k) {
		struct slice rest = behind(name, k->name, true);
		if (k->form == FORM_SERIES && rest.s && digits(rest))
			return k;
	}
	return NULL;
}

const char *known_first(struct arena *a, struct slice family)
{
	const struct known_device *k = whole(family, FORM_SERIES);
	if (k)
		return arena_printf(a, "%s%d", k->name, k->first);
	if (!(k = whole(family, FORM_HERE)))
		return NULL;
	return arena_printf(a, "%s%s", k->name, !strcmp(k->name, "nvme") ? "0n1" : !strcmp(k->name, "vd") ? "a" : "0");
}
