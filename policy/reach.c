/* reach.c - what it means that a device can be reached, and what devices are called. Linear in the tables. */
#include "policy/reach.h"
#include "policy/arena.h"
#include "policy/known.h"

#include <string.h>

const char *const reach_words[REACHES] = {
	"everything", "disk", "memory", "log", "input", "hardware", "usb", "terminal", "other", "virtual", "standard",
};

struct reach_line { enum reach reach; int type; struct interval majors, minors; };

static int type_of(char letter)
{
	return letter == 'b' ? DEV_BLOCK : DEV_CHAR;
}

/* How many numbers are in both. */
static int64_t shared(struct interval x, struct interval y)
{
	int64_t lo = x.lo > y.lo ? x.lo : y.lo, hi = x.hi < y.hi ? x.hi : y.hi;
	return hi < lo ? 0 : hi - lo + 1;
}

static bool is_all(const struct device_run *r)
{
	return !r->majors.lo && r->majors.hi == MAJOR_MAX && !r->minors.lo && r->minors.hi == MINOR_MAX;
}

static enum reach reach_of_type(const struct device_run *r, int type)
{
#define REACH(kind, letter, ...) {REACH_##kind, letter == 'b' ? DEV_BLOCK : DEV_CHAR, REACH_LINE(__VA_ARGS__)},
#define REACH_LINE(...) REACH_RANGES(__VA_ARGS__)
#define REACH_RANGES(a, b, c, d) {a, b}, {c, d}
	static const struct reach_line lines[] = {
#include "policy/reach.def"
	};
	enum reach most = REACHES - 1, rest = type == DEV_BLOCK ? REACH_DISK : REACH_OTHER;
	int64_t left = shared(r->majors, r->majors) * shared(r->minors, r->minors);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const struct reach_line *l = &lines[i];
		int64_t n = l->type == type ? shared(r->majors, l->majors) * shared(r->minors, l->minors) : 0;
		left -= n;
		if (n && l->reach < most)
			most = l->reach;
	}
	return left && rest < most ? rest : most;
}

enum reach device_reach(const struct device_run *r)
{
	enum reach most = REACHES - 1;
	if (is_all(r))
		return REACH_EVERYTHING;
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++) {
		enum reach one = r->types & type ? reach_of_type(r, type) : most;
		most = one < most ? one : most;
	}
	return most;
}

/* ---- names ------------------------------------------------------------------------------------- */

#define EACH(k) (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++)

static bool is_one(struct interval i)
{
	return i.lo == i.hi;
}

static char letter_of(const struct device_run *r)
{
	return r->types == DEV_BLOCK ? 'b' : 'c';
}

static bool within(struct interval x, int64_t lo, int64_t hi)
{
	return x.lo >= lo && x.hi <= hi;
}

/* The series or disks that all of a run are of, or NULL. */
static const struct known_device *family_of(struct arena *a, const struct device_run *r)
{
	for EACH (k) {
		if (k->form == FORM_SERIES && k->type == letter_of(r) && is_one(r->majors) && r->majors.lo == k->major &&
		    within(r->minors, k->minor, k->minor + (int64_t)(k->count - 1) * k->step))
			return k;
		const char *name = k->form == FORM_DISKS && letter_of(r) == 'b' && is_one(r->majors) ? known_name_of(a, 'b', r->majors.lo, r->minors.lo) : NULL;
		if (name && !strncmp(name, k->path, strlen(k->path)) && r->minors.hi < (int64_t)k->step * k->count)
			return k;
	}
	return NULL;
}

/* The entry of the table that has exactly these numbers. */
static const struct known_device *exactly(struct arena *a, const struct device_run *r)
{
	struct interval majors = r->majors, minors = r->minors;
	const struct pattern p = {.types = r->types, .majors = &majors, .nmajors = 1, .minors = &minors, .nminors = 1};
	const char *text = pattern_text(a, &p);
	size_t n = (size_t)(strrchr(text, ' ') - text);
	for EACH (k)
		if (k->form == FORM_KNOWN && strlen(k->numbers) == n && !strncmp(k->numbers, text, n))
			return k;
	return NULL;
}

/* A family by its symbol; by its path where its devices are a series of that name. */
static const char *family_name(struct arena *a, const struct known_device *family)
{
	if (*family->path)
		return arena_printf(a, "/dev/%s", family->path);
	for EACH (k)
		if ((k->form == FORM_SERIES || k->form == FORM_DISKS) && !strcmp(k->name, family->name))
			return arena_printf(a, "/dev/%s*", k->path);
	return arena_printf(a, ":%s", family->name);
}

/* "/dev/tty0-63", "/dev/sda*", "/dev/sda3 to sdb15" */
static const char *from_to(struct arena *a, const struct device_run *r, const struct known_device *k)
{
	int64_t first_of = (r->minors.lo - k->minor) / k->step + k->first, last_of = (r->minors.hi - k->minor) / k->step + k->first;
	if (k->form == FORM_SERIES)
		return arena_printf(a, "/dev/%s%lld-%lld", k->path, (long long)first_of, (long long)last_of);
	const char *first = known_name_of(a, letter_of(r), r->majors.lo, r->minors.lo);
	const char *last = known_name_of(a, letter_of(r), r->majors.lo, r->minors.hi);
	if (!first || !last)
		return "";
	if (!(r->minors.lo % k->step) && r->minors.hi == r->minors.lo + k->step - 1)
		return arena_printf(a, "/dev/%s*", first);
	const char *base = strrchr(last, '/');
	return arena_printf(a, "/dev/%s to %s", first, base ? base + 1 : last);
}

/* The numbers of an entry as a run; of a list of majors only the first. False: it has none. */
static bool run_of(const struct known_device *k, struct device_run *out)
{
	long long major, lo, hi;
	char star;
	out->types = type_of(k->type);
	if (k->form == FORM_SERIES) {
		out->majors = (struct interval){k->major, k->major};
		out->minors = (struct interval){k->minor, k->minor + (int64_t)(k->count - 1) * k->step};
		return true;
	}
	if (k->form != FORM_KNOWN || sscanf(k->numbers + 2, "%lld", &major) != 1)
		return false;
	const char *minors = strchr(k->numbers, ':') + 1;
	int n = sscanf(minors, "%lld-%lld", &lo, &hi);
	out->majors = (struct interval){major, major};
	out->minors = n == 2 ? (struct interval){lo, hi} : n == 1 ? (struct interval){lo, lo} : (struct interval){0, MINOR_MAX};
	return n > 0 || (sscanf(minors, "%c", &star) == 1 && star == '*');
}

/* The entry that has all of a run, and more. */
static const struct known_device *part_of(const struct device_run *r)
{
	for EACH (k) {
		struct device_run whole;
		if (k->form == FORM_KNOWN && run_of(k, &whole) && whole.types == r->types && within(r->minors, whole.minors.lo, whole.minors.hi) &&
		    within(r->majors, whole.majors.lo, whole.majors.hi))
			return k;
	}
	return NULL;
}

/* Is there an entry for the whole major that it is of? Or is the entry one of that name? */
static bool is_told(const struct known_device *series, const struct device_run *run)
{
	for EACH (k) {
		struct device_run other;
		if (k->form != FORM_KNOWN || !run_of(k, &other) || other.types != run->types || !shared(other.majors, run->majors))
			continue;
		if (other.minors.hi == MINOR_MAX || !strcmp(k->name, series->name))
			return true;
	}
	return false;
}

/* "with mem, kmsg, input ...": of each kind the first, then each second, the most important kinds first. */
static const char *members(struct arena *a, const struct device_run *r)
{
	enum { SHOWN = 4 };
	const struct known_device *of[REACHES][SHOWN];
	size_t count[REACHES] = {0}, all = 0, n = 0;
	for EACH (k) {
		struct device_run one;
		if (!run_of(k, &one) || !(one.types & r->types) || !shared(one.majors, r->majors) || !shared(one.minors, r->minors) ||
		    (k->form == FORM_SERIES && is_told(k, &one)))
			continue;
		enum reach reach = device_reach(&one);
		if (count[reach] < SHOWN)
			of[reach][count[reach]++] = k;
		all++;
	}
	const char *text = "";
	for (size_t round = 0; round < SHOWN; round++)
		for (int i = 0; i < REACHES && n < SHOWN; i++)
			if (round < count[i]) {
				const struct known_device *k = of[i][round];
				text = arena_printf(a, "%s%s%s", text, n++ ? ", " : "with ", *k->path && k->form == FORM_KNOWN ? k->path : k->name);
			}
	return all > n ? arena_printf(a, "%s ...", text) : text;
}

/* "8,65-71" */
static bool major_in(const char *majors, int64_t major)
{
	long long lo, hi;
	for (const char *at = majors; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		int n = sscanf(at, "%lld-%lld", &lo, &hi);
		if (n == 2 ? major >= lo && major <= hi : n == 1 && major == lo)
			return true;
	}
	return false;
}

/* Whole majors of disks: "/dev/sd*". */
static const struct known_device *disks_of(const struct device_run *r)
{
	for EACH (k)
		if (k->form == FORM_DISKS && r->types == DEV_BLOCK && !r->minors.lo && r->minors.hi == MINOR_MAX) {
			bool all = true;
			for (int64_t major = r->majors.lo; major <= r->majors.hi && all; major++)
				all = major_in(k->numbers, major);
			if (all)
				return k;
		}
	return NULL;
}

/* Numbers that are given when a driver is loaded (devices.txt of the kernel: local use, dynamic). */
static const char *given_when_loaded(const struct device_run *r)
{
	static const struct { int type; struct interval majors; const char *what; } ranges[] = {
		{DEV_CHAR, {234, 254}, "of drivers that get a number when they load"},
		{DEV_CHAR, {384, 511}, "of drivers that get a number when they load"},
		{DEV_BLOCK, {240, 254}, "of drivers that get a number when they load"},
		{DEV_BLOCK, {259, 259}, "NVMe, and disks with many partitions"},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (ranges[i].type == r->types && within(r->majors, ranges[i].majors.lo, ranges[i].majors.hi))
			return ranges[i].what;
	return NULL;
}

struct device_called device_called(struct arena *a, const struct device_run *r)
{
	static const char *const every[] = {"", "every block device", "every character device", "every device"};
	if (is_all(r))
		return (struct device_called){.name = every[r->types], .what = ""};
	if (!r->majors.hi && !r->minors.hi)
		return (struct device_called){.name = "", .what = "no device: what systemd makes inaccessible"};
	const struct known_device *k = exactly(a, r);
	if (k)
		return (struct device_called){.name = family_name(a, k), .what = k->what};
	bool alone = r->types != (DEV_BLOCK | DEV_CHAR) && is_one(r->majors);
	const char *name = alone && is_one(r->minors) ? known_name_of(a, letter_of(r), r->majors.lo, r->minors.lo) : NULL;
	k = alone ? family_of(a, r) : NULL;
	if (name)
		return (struct device_called){.name = arena_printf(a, "/dev/%s", name), .what = k ? k->what : ""};
	if (k)
		return (struct device_called){.name = from_to(a, r, k), .what = k->what};
	k = disks_of(r);
	if (k)
		return (struct device_called){.name = arena_printf(a, "/dev/%s*", k->path), .what = k->what};
	k = part_of(r);
	if (k)
		return (struct device_called){.name = "", .what = k->what};
	const char *of_host = given_when_loaded(r);
	return (struct device_called){.name = "", .what = of_host ? of_host : members(a, r), .of_host = of_host};
}

/* ---- parts ---------------------------------------------------------------------------------------- */

/* Of a minor: the series it is of; or a name of its own. */
static const struct known_device *kin(struct arena *a, const struct device_run *one, bool *alone)
{
	const struct known_device *k = exactly(a, one);
	*alone = k != NULL;
	return k ? k : family_of(a, one);
}

void device_split(struct arena *a, const struct device_run *r, struct device_run **list, size_t *n, size_t *cap)
{
	enum { FEW = 256 };
	struct device_run part = *r;
	const struct known_device *before = NULL;
	bool alone, was_alone = true;
	if (exactly(a, r) || !is_one(r->majors) || r->types == (DEV_BLOCK | DEV_CHAR) || r->minors.hi - r->minors.lo >= FEW) {
		*ARENA_PUSH(a, *list, *n, *cap) = *r;
		return;
	}
	for (int64_t minor = r->minors.lo; minor <= r->minors.hi; minor++) {
		struct device_run one = {r->types, r->majors, {minor, minor}};
		const struct known_device *k = kin(a, &one, &alone);
		if (minor > r->minors.lo && (alone || was_alone || k != before)) {
			*ARENA_PUSH(a, *list, *n, *cap) = part;
			part.minors.lo = minor;
		}
		part.minors.hi = minor;
		before = k;
		was_alone = alone;
	}
	*ARENA_PUSH(a, *list, *n, *cap) = part;
}
