/*
 * quadlet.c - a .container file of podman: AddDevice= and the options about devices in
 * PodmanArgs=. As podman reads it: a value has several words, an empty one forgets those
 * before, a device behind `-` may be missing. Linear in the text.
 */
#include "policy/import/engine.h"
#include "policy/import/systemd.h"

#include <string.h>

struct quadlet {
	struct engine e;
	struct lines l;
	struct slice section;
	bool container;                 /* there was a [Container] */
	struct word_list { struct engine_word *words; size_t n, cap; } devices, args;
};

static const char *const keys[] = {"AddDevice", "PodmanArgs"};

/* The words of a value, behind those before. */
static int add_words(struct quadlet *q, struct fault *f, struct slice value, struct word_list *to)
{
	struct slice word;
	q->e.said |= to == &q->devices;
	if (!value.n)
		to->n = 0;
	while (value.n) {
		if (unit_word(f, &value, &word))
			return -1;
		if (memchr(word.s, '%', word.n))
			return fault_set(f, "write the value out", "specifiers (%%i) are not expanded: %s", text_quoted(f->arena, word));
		*ARENA_PUSH(f->arena, to->words, to->n, to->cap) =
			(struct engine_word){arena_strndup(f->arena, word.s, word.n), (uint32_t)q->l.line, false};
	}
	return 0;
}

static int setting(struct quadlet *q, struct fault *f, struct slice key, struct slice value)
{
	struct arena *a = f->arena;
	const char *plain = foreign_plain(a, key), *near;
	if (slice_is(q->section, "Service") && (strstr(plain, "device") || !strcmp(plain, "protectclock"))) {
		foreign_note(a, q->e.out, arena_printf(a, "Not taken: line %d, which systemd enforces for the service's cgroup, above "
		                                          "the container's.", q->l.line));
		return 0;
	}
	if (!slice_is(q->section, "Container"))
		return 0;
	if (slice_is(key, "AddDevice"))
		return add_words(q, f, value, &q->devices);
	if (slice_is(key, "PodmanArgs"))
		return add_words(q, f, value, &q->args);
	if (slice_is(key, "ContainerName"))
		q->e.name = foreign_name(a, arena_strndup(a, value.s, value.n));
	near = foreign_near(a, key, keys, 2);
	if (!near && !strstr(plain, "device"))
		return 0;
	return fault_set(f, near_hint(a, near, "the key about devices is AddDevice="), "unknown key %s",
	                 text_safe(a, key.s, key.n, 64));
}

static int quadlet_line(struct quadlet *q, struct fault *f, struct slice s)
{
	if (s.s[0] == '[') {
		if (s.s[s.n - 1] != ']')
			return fault_set(f, "a section is [Container]", "the section has no ']'");
		q->section = (struct slice){s.s + 1, s.n - 2};
		q->container |= slice_is(q->section, "Container");
		return 0;
	}
	const char *eq = memchr(s.s, '=', s.n);
	if (!eq)
		return fault_set(f, "a line is NAME=VALUE, [SECTION], or a comment with # or ;", "missing '='");
	struct slice key = trimmed((struct slice){s.s, (size_t)(eq - s.s)});
	return setting(q, f, key, trimmed((struct slice){eq + 1, s.n - (size_t)(eq + 1 - s.s)}));
}

/* ---- the whole ------------------------------------------------------------------------ */

static void add_device(struct quadlet *q, const struct engine_word *w)
{
	struct fault f = {.arena = q->e.d->arena};
	struct foreign_entry entry = {.allow = true, .file = q->e.file, .place = w->place};
	struct slice text = {w->text, strlen(w->text)}, host;
	bool optional = text.n > 1 && text.s[0] == '-';
	if (optional)
		text.s++, text.n--;
	struct slice rest = text;
	host = cut_at(&rest, ':');
	if (optional && foreign_path_absent(f.arena, host)) {
		fault_set(&f, NULL, "no such file: %s, as the '-' allows", text_quoted(f.arena, host));
		foreign_skip_fault(q->e.out, q->e.file, (int)w->place, &f,
		                   arena_printf(f.arena, "%s rwm", text_safe(f.arena, host.s, host.n, 200)));
		return;
	}
	if (engine_device(q->e.out, &f, text, entry))
		engine_fail(&q->e, w, &f);
}

static void read_args(struct quadlet *q)
{
	size_t used;
	struct fault f = {.arena = q->e.d->arena};
	if (engine_options(&q->e, q->args.words, q->args.n, &used) || used == q->args.n)
		return;
	fault_set(&f, "write options of podman run", "%s is no option",
	          text_quoted(f.arena, (struct slice){q->args.words[used].text, strlen(q->args.words[used].text)}));
	engine_fail(&q->e, &q->args.words[used], &f);
}

static int conclude(struct quadlet *q)
{
	struct foreign *out = q->e.out;
	for (size_t i = 0; i < q->devices.n && q->e.d->errors <= FOREIGN_ERRORS; i++)
		add_device(q, &q->devices.words[i]);
	read_args(q);
	if (!q->container && !q->e.d->errors) {
		struct fault f = {.arena = q->e.d->arena};
		fault_set(&f, "give a .container file", "there is no [Container]");
		foreign_fail(q->e.d, (struct span){.file = q->e.file}, NULL, &f);
	}
	if (q->e.d->errors)
		return -1;
	out->name = q->e.name ? q->e.name : out->name;
	foreign_container(q->e.d->arena, out, q->e.said);
	if (out->silent) {
		out->silent = "nothing in it is about devices: no AddDevice=";
		out->silent_hint = "the container then has the devices every container has, and no others: say so with a line "
				   "AddDevice= without a value; to allow every device, give --empty-is-allow";
	}
	return 0;
}

int foreign_quadlet(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct quadlet q = {.e = {.d = d, .out = out, .file = file},
	                    .l = {.d = d, .out = out, .file = file, .rest = {text, len}}};
	foreign_start(d, FOREIGN_QUADLET, file, out);
	while (lines_next(&q.l)) {
		struct fault f = {.arena = d->arena};
		int line = q.l.line;
		if (!q.l.text.n || unit_is_comment(q.l.text))
			continue;
		struct slice whole = unit_joined(&q.l);
		if (whole.n && quadlet_line(&q, &f, whole)) {
			q.l.line = line, q.l.text = whole;
			lines_fail(&q.l, &f);
		}
	}
	return conclude(&q);
}
