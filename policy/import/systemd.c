/*
 * systemd.c - DevicePolicy=, DeviceAllow= and what implies them, of a unit
 * file with its drop-ins, one after the other, as `systemctl cat` prints them.
 *
 * Only the section that is of this type of unit counts. What systemd warns of and
 * passes over is an error here, but for a device that is not there: that line
 * grants nothing, and is told. Linear in the text.
 */
#include "policy/import/systemd.h"
#include "policy/host.h"

#include <string.h>
#include <strings.h>

/* ---- values --------------------------------------------------------------------- */

static int read_bool(struct fault *f, struct slice value, bool *out)
{
	static const char *const words[] = {"1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f", "off"};
	const char *text = arena_strndup(f->arena, value.s, value.n);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcasecmp(text, words[i])) {
			*out = i < 6;
			return 0;
		}
	return fault_set(f, "write yes or no", "%s is neither yes nor no", text_quoted(f->arena, value));
}

static int read_policy(struct fault *f, struct slice value, enum device_policy *out)
{
	static const char *const words[] = {"auto", "closed", "strict"};
	for (size_t i = 0; i < 3; i++)
		if (slice_is(value, words[i])) {
			*out = (enum device_policy)i;
			return 0;
		}
	const char *near = did_you_mean(arena_strndup(f->arena, value.s, value.n), words, 3);
	return fault_set(f, near_hint(f->arena, near, "a DevicePolicy is auto, closed or strict"),
	                 "unknown DevicePolicy %s", text_quoted(f->arena, value));
}

static bool starts(struct slice s, const char *prefix)
{
	return s.n > strlen(prefix) && !memcmp(s.s, prefix, strlen(prefix));
}

static bool is_number(struct slice s)
{
	size_t n = 0;
	while (n < s.n && s.s[n] >= '0' && s.s[n] <= '9')
		n++;
	return n && n == s.n;
}

/* "8:0"; "8:*" is none: systemd looks for a file of that name. */
static bool is_pair(struct slice s)
{
	struct slice major = cut_at(&s, ':');
	return is_number(major) && is_number(s);
}

/* Paths that stand for numbers, whether the node is there or not. */
static int numbered_path(struct fault *f, struct slice path, struct foreign_entry *e)
{
	static const struct { const char *prefix; char type; } roots[] = {{"/dev/char/", 'c'}, {"/dev/block/", 'b'}};
	const char *text = NULL;
	if (slice_is(path, "/run/systemd/inaccessible/chr"))
		text = "c 0:0 rwm";
	else if (slice_is(path, "/run/systemd/inaccessible/blk"))
		text = "b 0:0 rwm";
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(roots[i].prefix);
		if (starts(path, roots[i].prefix) && is_pair((struct slice){path.s + n, path.n - n}))
			text = arena_printf(f->arena, "%c %.*s rwm", roots[i].type, (int)(path.n - n), path.s + n);
	}
	return text ? foreign_rule(f, (struct slice){text, strlen(text)}, false, e) : 1;
}

static int named_device(struct fault *f, struct slice name, struct foreign_entry *e)
{
	char letters[4];
	struct pattern *p = arena_alloc(f->arena, sizeof *p);
	const char *text = arena_printf(f->arena, "%.*s %s", (int)name.n, name.s, access_text(e->access, letters));
	if (pattern_parse(f->arena, &host_dev, text, p, &f->error, &f->hint))
		return -1;
	e->named = p;
	e->types = (uint8_t)p->types;
	return 0;
}

/* As systemd does: `char-1` is the major number 1. 1: it is no number. */
static int numbered_group(struct fault *f, struct slice name, struct foreign_entry *e)
{
	bool block = name.s[0] == 'b';
	size_t prefix = strlen(block ? "block-" : "char-");
	struct slice digits = {name.s + prefix, name.n - prefix};
	int64_t major;
	if (!is_number(digits))
		return 1;
	if (read_number(f, "major", digits, MAJOR_MAX, &major))
		return -1;
	e->types = block ? DEV_BLOCK : DEV_CHAR;
	e->major = (int32_t)major, e->minor = FOREIGN_ANY;
	return 0;
}

/* What this host does not have: systemd passes over the line. */
static bool skipped(struct unit *u, const struct fault *f, struct slice name, const struct foreign_entry *e)
{
	char letters[4];
	if (name.s[0] == '/' && !foreign_path_absent(f->arena, name))
		return false;
	foreign_skip_missing(u->l.out, e, f, arena_printf(f->arena, "%.*s %s", (int)name.n, name.s,
	                                                  access_text(e->access, letters)));
	return true;
}

/* systemd warns of such a path and passes over the line, wherever it is. Always 1. */
static int out_of_dev(struct unit *u, struct fault *f, struct slice name, const struct foreign_entry *e)
{
	char letters[4];
	const char *rule = arena_printf(f->arena, "%s %s", text_safe(f->arena, name.s, name.n, 200),
	                                access_text(e->access, letters));
	fault_set(f, "systemd passes over the line: name the device by its path in /dev, such as /dev/fuse",
	          "%s is no path below /dev", text_quoted(f->arena, name));
	foreign_skip_fault(u->l.out, u->l.file, u->l.line, f, rule);
	return 1;
}

/* 0 with *e, 1: left out, -1. */
static int read_allow(struct unit *u, struct fault *f, struct slice value, struct foreign_entry *e)
{
	struct slice rest = value, name, letters, more;
	if (text_check(f, value.s, value.n))
		return -1;
	if (unit_word(f, &rest, &name) || unit_expand(f, u->called, name, &name))
		return -1;
	if (!starts(name, "char-") && !starts(name, "block-") && !starts(name, "/"))
		return fault_set(f, "DeviceAllow= takes a path such as /dev/fuse, or char-NAME, block-NAME",
		                 "%s is neither a path nor a group", text_quoted(f->arena, name));
	int access = next_word(&rest, &letters) ? read_access(f, letters) : ACC_ALL;
	if (access < 0)
		return -1;
	if (next_word(&rest, &more))
		return fault_set(f, "one device and its letters a line: DeviceAllow=/dev/fuse rw",
		                 "unexpected %s after %s", text_quoted(f->arena, more),
		                 text_quoted(f->arena, letters));
	int rc = name.s[0] == '/' ? numbered_path(f, name, e) : numbered_group(f, name, e);
	e->access = (uint8_t)access;
	if (rc < 1)
		return rc;
	if (name.s[0] == '/' && foreign_path_check(f, name))
		return out_of_dev(u, f, name, e);
	if (!named_device(f, name, e))
		return 0;
	u->passed_over = false;
	return skipped(u, f, name, e) ? 1 : -1;
}

/* ---- lines ------------------------------------------------------------------------- */

static int device_allow(struct unit *u, struct fault *f, struct slice value)
{
	struct foreign_entry e = {.allow = true, .file = u->l.file, .place = (uint32_t)u->l.line};
	if (!value.n) { /* forgets those before */
		u->l.out->n = u->l.out->nskipped = 0;
		u->listed = false;
		return 0;
	}
	u->passed_over |= !u->listed;
	int rc = read_allow(u, f, value, &e);
	if (rc == 0) {
		foreign_add(f->arena, u->l.out, e);
		u->passed_over = false;
	}
	u->listed |= rc >= 0;
	return rc < 0 ? -1 : 0;
}

static int setting(struct unit *u, struct fault *f, const char *key, struct slice value)
{
	if (unit_check_key(f, u, key))
		return -1;
	if (!u->counts)
		return 0;
	if (!strcmp(key, "DevicePolicy") || !strcmp(key, "DeviceAllow") || !strcmp(key, "PrivateDevices"))
		u->said = true;
	if (!strcmp(key, "DevicePolicy"))
		return read_policy(f, value, &u->policy);
	if (!strcmp(key, "DeviceAllow"))
		return device_allow(u, f, value);
	if (!strcmp(key, "PrivateDevices"))
		return read_bool(f, value, &u->private_devices);
	if (!strcmp(key, "ProtectClock"))
		return read_bool(f, value, &u->protect_clock);
	if (!strcmp(key, "RootImage") || !strcmp(key, "MountImages") || !strcmp(key, "ExtensionImages"))
		u->image = value.n ? arena_strdup(f->arena, key) : u->image;
	if (!strcmp(key, "BPFProgram") && starts(value, "device:"))
		u->program = u->l.line;
	return 0;
}

static int unit_line(struct unit *u, struct fault *f, struct slice s)
{
	if (s.s[0] == '[') {
		if (s.s[s.n - 1] != ']')
			return fault_set(f, "a section is [Service]", "the section has no ']'");
		return unit_section(f, u, (struct slice){s.s + 1, s.n - 2});
	}
	const char *eq = memchr(s.s, '=', s.n);
	if (!eq)
		return fault_set(f, "a line is NAME=VALUE, [SECTION], or a comment with # or ;", "missing '='");
	if (!u->section.s)
		return fault_set(f, "write [Service] before it", "a setting before the first section");
	struct slice key = trimmed((struct slice){s.s, (size_t)(eq - s.s)});
	struct slice value = trimmed((struct slice){eq + 1, s.n - (size_t)(eq + 1 - s.s)});
	return setting(u, f, arena_strndup(f->arena, key.s, key.n), value);
}

/* ---- the whole ------------------------------------------------------------------------ */

static void add_own(struct arena *a, struct foreign *f)
{
	static const int16_t devices[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}};
	enum { PTS = 136 }; /* char-pts there; Linux has no other major number for it */
	struct foreign_entry e = {.allow = true, .builtin = true, .types = DEV_CHAR, .access = ACC_ALL};
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++, e.place++) {
		e.major = devices[i][0], e.minor = devices[i][1];
		foreign_add(a, f, e);
	}
	e.access = ACC_READ | ACC_WRITE, e.major = PTS, e.minor = FOREIGN_ANY;
	foreign_add(a, f, e);
}

static void allow_clock(struct unit *u)
{
	struct fault f = {.arena = u->l.d->arena};
	struct foreign_entry e = {.allow = true, .file = u->l.file, .place = (uint32_t)u->l.line,
	                          .access = ACC_READ};
	if (named_device(&f, (struct slice){"char-rtc", strlen("char-rtc")}, &e) == 0)
		foreign_add(f.arena, u->l.out, e);
	else
		foreign_note(f.arena, u->l.out, "ProtectClock=yes allows char-rtc r, which this host does not have.");
}

static void conclude(struct unit *u)
{
	struct arena *a = u->l.d->arena;
	struct foreign *f = u->l.out;
	bool asked = u->said || u->protect_clock;
	if (!asked) {
		f->silent = "nothing in it is about devices: no DevicePolicy=, DeviceAllow= or PrivateDevices=";
		f->silent_hint = "systemd then denies nothing: write DevicePolicy=closed; to allow every device, give --empty-is-allow; "
				 "drop-ins may say more: systemctl cat UNIT | rucy-devguard import systemd -";
	}
	if (u->program)
		diag_add(u->l.d, DIAG_WARNING, (struct span){.file = u->l.file, .line = u->program}, NULL,
		         "what the program of BPFProgram= denies is not in the policy");
	if (u->protect_clock)
		allow_clock(u);
	if (u->image)
		foreign_note(a, f, arena_printf(a, "With %s= systemd allows loop and device mapper devices as well.", u->image));
	if (u->policy == POLICY_AUTO && u->private_devices) {
		u->policy = POLICY_CLOSED;
		foreign_note(a, f, "PrivateDevices=yes makes it DevicePolicy=closed.");
	}
	if (u->policy == POLICY_AUTO && u->listed && u->passed_over && !u->protect_clock)
		foreign_note(a, f, "systemd denies nothing here: it passes over every DeviceAllow= line, and DevicePolicy= is auto.");
	f->default_allow = u->policy == POLICY_AUTO && !u->listed && !u->protect_clock;
	if (f->default_allow && asked)
		f->open = "DevicePolicy=auto without DeviceAllow= denies nothing";
	else if (u->policy != POLICY_STRICT && !f->default_allow)
		add_own(a, f);
}

int foreign_systemd(struct diags *d, const char *file, const char *text, size_t len, const char *unit,
                    struct foreign *out)
{
	struct unit u = {.l = {.d = d, .out = out, .file = file, .rest = {text, len}}};
	foreign_start(d, FOREIGN_SYSTEMD, file, out);
	bool blank = true; /* the line before */
	unit_of_file(&u, file, unit);
	if (unit)
		out->name = foreign_file_name(d->arena, unit);
	while (lines_next(&u.l)) {
		struct fault f = {.arena = d->arena};
		int line = u.l.line;
		bool heads = blank;
		blank = !u.l.text.n;
		if (heads && unit_is_comment(u.l.text) && unit_of_comment(&f, &u, u.l.text))
			lines_fail(&u.l, &f);
		if (!u.l.text.n || unit_is_comment(u.l.text) || u.other)
			continue;
		struct slice whole = unit_joined(&u.l);
		if (whole.n && unit_line(&u, &f, whole)) {
			u.l.line = line, u.l.text = whole;
			lines_fail(&u.l, &f);
		}
	}
	if (!u.any && !d->errors) {
		struct fault f = {.arena = d->arena};
		unit_no_section(&f, &u);
		foreign_fail(d, (struct span){.file = file}, NULL, &f);
	}
	if (d->errors)
		return -1;
	conclude(&u);
	foreign_compare(d->arena, out);
	return 0;
}
