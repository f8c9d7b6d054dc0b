/*
 * foreign_systemd.c - DevicePolicy=, DeviceAllow= and what implies them, of a unit
 * file or of several one after the other, as `systemctl cat` prints them.
 *
 * What systemd warns of and passes over is an error here. Linear in the text.
 */
#include "policy/foreign_internal.h"

#include <string.h>
#include <strings.h>

enum device_policy { POLICY_AUTO, POLICY_CLOSED, POLICY_STRICT };

struct unit {
	struct lines l;
	struct slice section;
	bool devices, any;     /* this section, or any, may have device settings */
	enum device_policy policy;
	bool private_devices, protect_clock;
	const char *image;     /* a setting that makes systemd allow loop devices */
};

static bool has_devices(struct slice section)
{
	static const char *const sections[] = {"Service", "Slice", "Scope", "Socket", "Mount", "Swap"};
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		if (slice_is(section, sections[i]))
			return true;
	return false;
}

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
	return fault_set(f, near ? arena_printf(f->arena, "did you mean %s?", near)
	                         : "a DevicePolicy is auto, closed or strict",
	                 "unknown DevicePolicy %s", text_quoted(f->arena, value));
}

static bool starts(struct slice s, const char *prefix)
{
	return s.n > strlen(prefix) && !memcmp(s.s, prefix, strlen(prefix));
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
		if (starts(path, roots[i].prefix))
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

static int read_allow(struct fault *f, struct slice value, struct foreign_entry *e)
{
	struct slice rest = value, name, letters, more;
	if (text_check(f, value.s, value.n))
		return -1;
	if (memchr(value.s, '%', value.n))
		return fault_set(f, "write the value out", "specifiers (%%i) are not expanded: %s",
		                 text_quoted(f->arena, value));
	next_word(&rest, &name);
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
	int rc = numbered_path(f, name, e);
	e->access = (uint8_t)access;
	return rc == 1 ? named_device(f, name, e) : rc;
}

/* ---- lines ------------------------------------------------------------------------- */

/* "DeviceAlow", "deviceallow": a setting systemd would pass over. */
static int check_key(struct fault *f, const struct unit *u, const char *key)
{
	static const char *const known[] = {"DevicePolicy", "DeviceAllow"};
	bool is_known = !strcmp(key, known[0]) || !strcmp(key, known[1]);
	if (is_known && !u->devices)
		return fault_set(f, "put it into [Service], or [Slice], [Scope], [Socket], [Mount], [Swap]",
		                 "%s stands in [%.*s], where systemd does not read it", key,
		                 (int)u->section.n, u->section.s);
	if (is_known || strncasecmp(key, "Device", 6) || !u->devices)
		return 0;
	const char *near = did_you_mean(key, known, 2);
	return fault_set(f, near ? arena_printf(f->arena, "did you mean %s?", near)
	                         : "DevicePolicy= and DeviceAllow= are known",
	                 "unknown setting %s", text_safe(f->arena, key, strlen(key), 64));
}

static int device_allow(struct unit *u, struct fault *f, struct slice value)
{
	struct foreign_entry e = {.allow = true, .file = u->l.file, .place = (uint32_t)u->l.line};
	if (!value.n) { /* forgets those before */
		u->l.out->n = 0;
		return 0;
	}
	if (read_allow(f, value, &e))
		return -1;
	foreign_add(f->arena, u->l.out, e);
	return 0;
}

static int setting(struct unit *u, struct fault *f, const char *key, struct slice value)
{
	if (check_key(f, u, key))
		return -1;
	if (!u->devices)
		return 0;
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
	return 0;
}

static int unit_line(struct unit *u, struct fault *f, struct slice s)
{
	if (s.s[0] == '[') {
		if (s.s[s.n - 1] != ']')
			return fault_set(f, "a section is [Service]", "the section has no ']'");
		u->section = (struct slice){s.s + 1, s.n - 2};
		u->devices = has_devices(u->section);
		u->any |= u->devices;
		return 0;
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

/* Joins lines that end in a backslash; comments between them are passed over. */
static struct slice joined(struct unit *u)
{
	struct slice s = u->l.text;
	while (s.n && s.s[s.n - 1] == '\\') {
		s.n--;
		struct slice next = {"", 0};
		while (lines_next(&u->l) && u->l.text.n && strchr("#;", u->l.text.s[0]))
			;
		if (u->l.text.n && !strchr("#;", u->l.text.s[0]))
			next = u->l.text;
		char *text = arena_printf(u->l.d->arena, "%.*s %.*s", (int)s.n, s.s, (int)next.n, next.s);
		s = (struct slice){text, strlen(text)};
		if (!u->l.rest.n)
			break;
	}
	return trimmed(s);
}

/* ---- the whole ------------------------------------------------------------------------ */

static void add_own(struct arena *a, struct foreign *f)
{
	static const int16_t devices[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}};
	enum { PTS = 136, PTS_END = 144 };
	struct foreign_entry e = {.allow = true, .builtin = true, .types = DEV_CHAR, .access = ACC_ALL};
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++, e.place++) {
		e.major = devices[i][0], e.minor = devices[i][1];
		foreign_add(a, f, e);
	}
	e.access = ACC_READ | ACC_WRITE, e.minor = FOREIGN_ANY;
	for (e.major = PTS; e.major < PTS_END; e.major++, e.place++)
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
	if (u->protect_clock)
		allow_clock(u);
	if (u->image)
		foreign_note(a, f, arena_printf(a, "With %s= systemd allows loop and device mapper devices as well.", u->image));
	if (u->policy == POLICY_AUTO && u->private_devices) {
		u->policy = POLICY_CLOSED;
		foreign_note(a, f, "PrivateDevices=yes makes it DevicePolicy=closed.");
	}
	f->default_allow = u->policy == POLICY_AUTO && !f->n && !u->protect_clock;
	if (f->default_allow)
		foreign_note(a, f, "DevicePolicy=auto without DeviceAllow= denies nothing.");
	else if (u->policy != POLICY_STRICT)
		add_own(a, f);
}

int foreign_systemd(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct unit u = {.l = {.d = d, .out = out, .file = file, .rest = {text, len}}};
	foreign_start(d, FOREIGN_SYSTEMD, file, out);
	while (lines_next(&u.l)) {
		struct fault f = {.arena = d->arena};
		int line = u.l.line;
		if (!u.l.text.n || strchr("#;", u.l.text.s[0]))
			continue;
		struct slice whole = joined(&u);
		if (whole.n && unit_line(&u, &f, whole)) {
			u.l.line = line, u.l.text = whole;
			lines_fail(&u.l, &f);
		}
	}
	if (!u.any && !d->errors) {
		struct fault f = {.arena = d->arena};
		fault_set(&f, "give a unit file, or what systemctl cat UNIT prints",
		          "no section can have DeviceAllow=: [Service], [Slice], [Scope], [Socket], [Mount], [Swap]");
		foreign_fail(d, (struct span){.file = file}, NULL, &f);
	}
	if (d->errors)
		return -1;
	conclude(&u);
	foreign_compare(d->arena, out);
	return 0;
}
