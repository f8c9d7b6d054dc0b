/*
 * proxmox.c - a container of Proxmox VE, /etc/pve/lxc/ID.conf: lines KEY:
 * VALUE (KEY = VALUE too, for keys of LXC), then a section for each snapshot. Only
 * the lxc.* keys of the first section count. Linear in the text.
 *
 * Proxmox makes LXC's own config of it, which first includes common.conf: the
 * devices there are given to every container here. For an unprivileged one its
 * userns.conf says `allow = a` afterwards, so LXC filters nothing; that is told,
 * not followed. What this host's files say is not looked at.
 */
#include "policy/import/lxc.h"

#include <string.h>

enum { FUSE = 229 }; /* what the common.conf of LXC 5 to 7 allows beside the usual */

struct machine {
	struct lxc_config c;
	struct lines l;
	bool unprivileged, no_console;
};

/* "dev0: /dev/ttyUSB0,gid=20,deny-write=1": Proxmox allows it by itself. */
static int device_key(struct machine *m, struct fault *f, struct slice value)
{
	struct foreign_entry e = {.allow = true, .v2 = true, .file = m->l.file, .place = (uint32_t)m->l.line};
	struct slice path = {0}, letters = {"rw", 2}, rest = value, part;
	while (rest.n) {
		const char *comma = memchr(rest.s, ',', rest.n);
		part = (struct slice){rest.s, comma ? (size_t)(comma - rest.s) : rest.n};
		size_t used = part.n + (comma != NULL);
		rest = (struct slice){rest.s + used, rest.n - used};
		if (slice_is(part, "deny-write=1"))
			letters.n = 1;
		else if (part.n > 5 && !memcmp(part.s, "path=", 5))
			path = (struct slice){part.s + 5, part.n - 5};
		else if (!memchr(part.s, '=', part.n))
			path = part;
	}
	if (!path.n)
		return fault_set(f, "write dev0: /dev/ttyUSB0", "a dev key names no path");
	m->c.seen[1] = true;
	return foreign_add_path(m->c.out, f, path, letters, e);
}

static bool is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("._-", c);
}

static bool is_dev_key(struct slice key)
{
	return key.n > 3 && !memcmp(key.s, "dev", 3) && key.s[3] >= '0' && key.s[3] <= '9';
}

static int machine_line(struct machine *m, struct fault *f)
{
	struct slice key = m->l.text, value;
	for (key.n = 0; key.n < m->l.text.n && is_key_byte(key.s[key.n]); key.n++)
		;
	value = trimmed((struct slice){key.s + key.n, m->l.text.n - key.n});
	bool lxc = key.n > 4 && !memcmp(key.s, "lxc.", 4);
	if (!value.n || !key.n || (value.s[0] != ':' && (value.s[0] != '=' || !lxc))) {
		struct slice word = m->l.text; /* "Lxc.cgroup2.devices.allow: a" */
		return fault_set(f, "a line is KEY: VALUE, a comment with #, or the [NAME] of a snapshot",
		                 "missing ':' after the key in %s", text_quoted(f->arena, word));
	}
	value = trimmed((struct slice){value.s + 1, value.n - 1});
	if (is_dev_key(key))
		return device_key(m, f, value);
	m->unprivileged |= slice_is(key, "unprivileged") && !slice_is(value, "0");
	m->no_console |= slice_is(key, "console") && slice_is(value, "0");
	if (slice_is(key, "hostname")) {
		const char *name = foreign_name(f->arena, arena_strndup(f->arena, value.s, value.n));
		m->c.out->name = name ? name : m->c.out->name;
	}
	return lxc_key(&m->c, &m->l, f, key, value);
}

/* By its first line that says something. */
bool lxc_is_proxmox(struct slice text)
{
	struct diags none = {0};
	struct lines l = {.d = &none, .rest = text};
	while (lines_next(&l)) {
		if (!l.text.n || l.text.s[0] == '#')
			continue;
		const char *colon = memchr(l.text.s, ':', l.text.n), *equals = memchr(l.text.s, '=', l.text.n);
		return l.text.s[0] == '[' || (colon && (!equals || colon < equals));
	}
	return false;
}

static void conclude(struct machine *m)
{
	struct arena *a = m->c.d->arena;
	struct foreign *f = m->c.out;
	bool lone = false;
	lxc_forget(&m->c);
	m->c.seen[1] |= m->c.seen[0]; /* the files included have keys of v2 */
	for (size_t i = 0; i < f->n; i++)
		lone |= f->entries[i].v2 && f->entries[i].lone;
	if (m->c.seen[1] && !lone && !m->c.reset[1])
		foreign_add_usual(a, f, (struct usual){.misc = FUSE, .console = !m->no_console, .v2 = true});
	f->silent_hint = "Proxmox then gives the devices of LXC's common.conf, an unprivileged container every "
			 "device: write lxc.cgroup2.devices.allow: c 1:3 rwm; to allow every device, give --empty-is-allow";
	lxc_conclude(&m->c);
	if (m->unprivileged && !f->open && !f->silent)
		foreign_note(a, f, "The container is unprivileged: Proxmox says allow = a for it, so that its filter "
		                   "denies nothing.");
}

int foreign_proxmox(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct machine m = {.c = {.d = d, .out = out}, .l = {.d = d, .out = out, .file = file, .rest = {text, len}}};
	foreign_start(d, FOREIGN_PROXMOX, file, out);
	m.c.open.depth = include_enter(&m.c.open, file);
	while (lines_next(&m.l)) {
		struct fault f = {.arena = d->arena};
		if (m.l.text.n && m.l.text.s[0] == '[') {
			foreign_note(d->arena, out, "Snapshots and pending changes are not taken.");
			break;
		}
		if (m.l.text.n && m.l.text.s[0] != '#' && machine_line(&m, &f))
			lines_fail(&m.l, &f);
	}
	if (d->errors)
		return -1;
	conclude(&m);
	foreign_compare(d->arena, out);
	return 0;
}
