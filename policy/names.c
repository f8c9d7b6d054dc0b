/*
 * names.c - devices by name: symbols of the table below; paths and groups as the
 * host says (host.h).
 *
 * The table holds what the kernel's admin-guide/devices.txt fixes for good, so
 * that a symbol means the same devices on every host. What has no fixed number
 * is refused with the text that looks it up, never guessed.
 */
#include "policy/names.h"
#include "policy/device.h"
#include "policy/diag.h"
#include "policy/host.h"
#include "policy/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- symbols --------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name, *text;
} well_known[] = {
	{"mem", "c 1:1"}, {"kmem", "c 1:2"}, {"null", "c 1:3"}, {"port", "c 1:4"},
	{"zero", "c 1:5"}, {"full", "c 1:7"}, {"random", "c 1:8"}, {"urandom", "c 1:9"},
	{"kmsg", "c 1:11"}, {"ram", "b 1:*"}, {"floppy", "b 2:*"},
	{"ttyS", "c 4:64-255"},
	{"tty", "c 5:0"}, {"console", "c 5:1"}, {"ptmx", "c 5:2"}, {"ttyprintk", "c 5:3"},
	{"lp", "c 6:*"}, {"vcs", "c 7:*"}, {"loop", "b 7:*"},
	{"sd", "b 8,65-71,128-135:*"}, {"st", "c 9:*"}, {"md", "b 9:*"},
	/* misc devices with a number of their own */
	{"psaux", "c 10:1"}, {"watchdog", "c 10:130"}, {"vhci", "c 10:137"},
	{"nvram", "c 10:144"}, {"hwrng", "c 10:183"}, {"microcode", "c 10:184"},
	{"vfio", "c 10:196"}, {"tun", "c 10:200"}, {"net_tun", "c 10:200"},
	{"cuse", "c 10:203"}, {"uinput", "c 10:223"}, {"tpm", "c 10:224"},
	{"mcelog", "c 10:227"}, {"hpet", "c 10:228"}, {"fuse", "c 10:229"},
	{"snapshot", "c 10:231"}, {"kvm", "c 10:232"}, {"btrfs_control", "c 10:234"},
	{"autofs", "c 10:235"}, {"mapper_control", "c 10:236"}, {"loop_control", "c 10:237"},
	{"vhost_net", "c 10:238"}, {"uhid", "c 10:239"}, {"userio", "c 10:240"},
	{"vhost_vsock", "c 10:241"}, {"rfkill", "c 10:242"},
	{"sr", "b 11:*"}, {"input", "c 13:*"}, {"sg", "c 21:*"}, {"fb", "c 29:*"},
	{"mtdblock", "b 31:*"}, {"nbd", "b 43:*"}, {"video", "c 81:*"}, {"i2c", "c 89:*"},
	{"mtd", "c 90:*"}, {"dasd", "b 94:*"}, {"parport", "c 99:*"}, {"ppp", "c 108:0"},
	{"snd", "c 116:*"},
	/* 137 to 143 are reserved for it too, but the kernel never uses them */
	{"pts", "c 136:*"},
	{"drbd", "b 147:*"}, {"ttyACM", "c 166:*"}, {"mmcblk", "b 179:*"}, {"ttyUSB", "c 188:*"},
	{"usb", "c 189:*"}, {"nvidia", "c 195:*"}, {"nvidia_modeset", "c 195:254"},
	{"nvidiactl", "c 195:255"}, {"msr", "c 202:*"}, {"xvd", "b 202:*"}, {"cpuid", "c 203:*"},
	{"dvb", "c 212:*"}, {"dri", "c 226:*"}, {"hvc", "c 229:*"}, {"infiniband", "c 231:*"},
};
enum { WELL_KNOWN = sizeof well_known / sizeof *well_known };

/* Names with a number: PREFIX<first + i> is minor + i. */
static const struct {
	const char *prefix;
	int major, minor, first, count;
} numbered[] = {
	{"tty", 4, 0, 0, 64}, {"ttyS", 4, 64, 0, 192}, {"js", 13, 0, 0, 32},
	{"mouse", 13, 32, 0, 31}, {"event", 13, 64, 0, 32}, {"fb", 29, 0, 0, 32},
	{"nvidia", 195, 0, 0, 254}, {"card", 226, 0, 0, 64}, {"renderD", 226, 128, 128, 64},
};

/* Names without a fixed number, and the text that finds them. */
static const struct {
	const char *name, *text;
} dynamic[] = {
	{"dm", "block-device-mapper"}, {"device_mapper", "block-device-mapper"},
	{"gpiochip", "char-gpiochip"}, {"hidraw", "char-hidraw"}, {"kfd", "char-kfd"},
	{"media", "char-media"}, {"nvidia_uvm", "char-nvidia-uvm"}, {"nvme", "/dev/nvme0n1"},
	{"rbd", "block-rbd"}, {"rtc", "char-rtc"}, {"udmabuf", "/dev/udmabuf"},
	{"uio", "char-uio"}, {"userfaultfd", "/dev/userfaultfd"}, {"vd", "block-virtblk"},
	{"vhost_scsi", "/dev/vhost-scsi"}, {"virtblk", "block-virtblk"}, {"vsock", "/dev/vsock"},
	{"zram", "block-zram"},
};

/* clang-format on */

/* Ruby writes symbols with '_' where a device's file has '-'. */
static bool same_name(struct slice s, const char *name)
{
	if (strlen(name) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.s[i] == '-' ? '_' : s.s[i]) != name[i])
			return false;
	return true;
}

/* The device text of a symbol, or NULL. */
static const char *symbol_text(struct arena *a, struct slice name)
{
	for (size_t i = 0; i < WELL_KNOWN; i++)
		if (same_name(name, well_known[i].name))
			return well_known[i].text;
	for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
		size_t n = strlen(numbered[i].prefix);
		struct fault ignored = {.arena = a};
		int64_t number;
		if (name.n > n && !memcmp(name.s, numbered[i].prefix, n) &&
		    !read_number(&ignored, "", (struct slice){name.s + n, name.n - n}, MINOR_MAX,
		                 &number) &&
		    number >= numbered[i].first && number < numbered[i].first + numbered[i].count)
			return arena_printf(a, "c %d:%d", numbered[i].major,
			                    numbered[i].minor + (int)number - numbered[i].first);
	}
	return NULL;
}

const char *device_known(struct slice name)
{
	for (size_t i = 0; i < WELL_KNOWN; i++)
		if (same_name(name, well_known[i].name))
			return well_known[i].name;
	return NULL;
}

/* "tty0 to tty63" for a name like tty64, else NULL. */
static const char *numbered_range(struct arena *a, const char *name)
{
	for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
		const char *prefix = numbered[i].prefix;
		size_t n = strlen(prefix);
		if (!strncmp(name, prefix, n) && name[n] &&
		    !name[n + strspn(name + n, "0123456789")])
			return arena_printf(a, "the names are %s%d to %s%d", prefix,
			                    numbered[i].first, prefix,
			                    numbered[i].first + numbered[i].count - 1);
	}
	return NULL;
}

static int unknown_symbol(struct fault *f, struct slice name)
{
	struct arena *a = f->arena;
	const char *safe = text_safe(a, name.s, name.n, 32), *candidates[WELL_KNOWN];
	for (size_t i = 0; i < sizeof dynamic / sizeof *dynamic; i++)
		if (same_name(name, dynamic[i].name))
			return fault_set(f,
			                 arena_printf(a,
			                              "write \"%s\": it is looked up on this host",
			                              dynamic[i].text),
			                 "device :%s has no fixed number", safe);
	for (size_t i = 0; i < WELL_KNOWN; i++)
		candidates[i] = well_known[i].name;
	const char *near = name.n ? did_you_mean(safe, candidates, WELL_KNOWN) : NULL;
	const char *hint = numbered_range(a, safe);
	if (!hint)
		hint = near ? arena_printf(a, "did you mean :%s?", near)
		            : "write its numbers (\"c 10:200\"), its path (\"/dev/net/tun\") "
		              "or its group (\"char-pts\")";
	return fault_set(f, hint, "unknown device :%s", safe);
}

const char *device_symbol(struct fault *f, struct slice name)
{
	const char *text = symbol_text(f->arena, name);
	if (!text)
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
	const char *text = device_known((struct slice){base, strlen(base)})
	                           ? symbol_text(a, (struct slice){base, strlen(base)})
	                           : NULL;
	const char *hint = "paths are looked up on this host: for a device it does not have, write "
			   "the numbers, such as \"c 1:3\"";
	if (text)
		hint = arena_printf(a, "this host does not have it: write \"%s\"", text);
	else if (near)
		hint = arena_printf(a, "did you mean %s?",
		                    text_quoted(a, (struct slice){near, strlen(near)}));
	return fault_set(f, hint, "no such file: %s", text_quoted(a, s));
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
	else if (name[0] && (near = did_you_mean(name, names, n)))
		hint = arena_printf(a, "did you mean \"%s-%s\"?", prefix, near);
	return fault_set(f, hint, "no %s device group %s in /proc/devices",
	                 block ? "block" : "character",
	                 text_quoted(a, (struct slice){name, strlen(name)}));
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
