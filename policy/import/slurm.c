/*
 * slurm.c - cgroup_allowed_devices_file.conf (paths, a line each, with * and ?) and the
 * files of gres.conf (File=/dev/nvidia[0-3]). After cgroup.conf(5) and gres.conf(5) of Slurm
 * 22.05. Linear in the text and what it names.
 */
#include "policy/import/internal.h"

#include <glob.h>
#include <string.h>
#include <strings.h>

enum { DEVICES_MAX = 4096 };

struct slurm {
	struct lines l;
	struct slice node;  /* the NodeName= of the lines so far */
	bool gres, any;     /* lines KEY=VALUE; a device is named */
	size_t named;
};

static int add(struct slurm *v, struct fault *f, const char *path)
{
	struct foreign_entry e = {.allow = true, .file = v->l.file, .place = (uint32_t)v->l.line};
	v->any = true;
	if (++v->named > DEVICES_MAX)
		return fault_set(f, "name fewer", "more than %d devices", DEVICES_MAX);
	return foreign_add_path(v->l.out, f, (struct slice){path, strlen(path)}, (struct slice){"rwm", 3}, e);
}

/* ---- paths with * ----------------------------------------------------------------------- */

/* Of what matches the nodes count, as Slurm takes them; directories and others do not. */
static int matching(struct slurm *v, struct fault *f, const char *pattern)
{
	glob_t found;
	int rc = glob(pattern, 0, NULL, &found);
	if (rc && rc != GLOB_NOMATCH)
		return fault_set(f, "name the devices", "cannot look for %s", text_quoted(f->arena, (struct slice){pattern, strlen(pattern)}));
	struct foreign_entry e = {.allow = true, .file = v->l.file, .place = (uint32_t)v->l.line};
	size_t before = v->named;
	int failed = 0;
	for (size_t i = 0; rc == 0 && i < found.gl_pathc && !failed; i++)
		if (foreign_path_is_node(found.gl_pathv[i]))
			failed = add(v, f, arena_strdup(f->arena, found.gl_pathv[i]));
	if (rc == 0)
		globfree(&found);
	if (failed || v->named > before)
		return failed;
	v->any = true;
	fault_set(f, NULL, "no device is called %s", text_quoted(f->arena, (struct slice){pattern, strlen(pattern)}));
	foreign_skip_missing(v->l.out, &e, f, arena_printf(f->arena, "%s rwm", pattern));
	return 0;
}

static int path_line(struct slurm *v, struct fault *f, struct slice path)
{
	const char *text = arena_strndup(f->arena, path.s, path.n);
	if (text_check(f, path.s, path.n) || foreign_path_check(f, path))
		return -1;
	return strpbrk(text, "*?[") ? matching(v, f, text) : add(v, f, text);
}

/* ---- gres.conf ---------------------------------------------------------------------------- */

/* "3" or "0-3", with as many digits as the first has. */
static int range(struct slurm *v, struct fault *f, struct slice prefix, struct slice numbers, struct slice suffix)
{
	const char *dash = memchr(numbers.s, '-', numbers.n);
	struct slice first = {numbers.s, dash ? (size_t)(dash - numbers.s) : numbers.n}, last = first;
	int64_t from, to;
	size_t zeros = 0;
	if (dash)
		last = (struct slice){dash + 1, numbers.n - first.n - 1};
	int width = (int)first.n;
	for (; zeros + 1 < first.n && first.s[zeros] == '0'; zeros++)
		;
	first.s += zeros, first.n -= zeros;
	for (; last.n > 1 && *last.s == '0'; last.s++, last.n--)
		;
	if (read_number(f, "number", first, MINOR_MAX, &from) || read_number(f, "number", last, MINOR_MAX, &to))
		return -1;
	if (to < from || to - from >= DEVICES_MAX)
		return fault_set(f, "write [0-3]", "%s is no range", text_quoted(f->arena, numbers));
	for (int64_t i = from; i <= to; i++)
		if (add(v, f, arena_printf(f->arena, "%.*s%0*d%.*s", (int)prefix.n, prefix.s, zeros ? width : 0, (int)i, (int)suffix.n, suffix.s)))
			return -1;
	return 0;
}

/* /dev/nvidia[0-3,5], and several behind commas. */
static int files(struct slurm *v, struct fault *f, struct slice value)
{
	while (value.n) {
		size_t n = strcspn(arena_strndup(f->arena, value.s, value.n), "[,");
		struct slice prefix = {value.s, n}, numbers, suffix;
		if (text_check(f, value.s, value.n) || foreign_path_check(f, prefix))
			return -1;
		if (n == value.n || value.s[n] == ',') {
			cut_at(&value, ',');
			if (add(v, f, arena_strndup(f->arena, prefix.s, prefix.n)))
				return -1;
			continue;
		}
		value = (struct slice){value.s + n + 1, value.n - n - 1};
		if (!memchr(value.s, ']', value.n))
			return fault_set(f, "write /dev/nvidia[0-3]", "a [ is not closed");
		numbers = cut_at(&value, ']');
		suffix = cut_at(&value, ',');
		while (numbers.n)
			if (range(v, f, prefix, cut_at(&numbers, ','), suffix))
				return -1;
	}
	return 0;
}

static bool key_is(struct slice key, const char *name)
{
	return key.n == strlen(name) && !strncasecmp(key.s, name, key.n);
}

static int gres_word(struct slurm *v, struct fault *f, struct slice word)
{
	static const char *const keys[] = {"AutoDetect", "Cores", "Count", "CPUs", "File", "Flags", "Links", "MultipleFiles",
	                                   "Name", "NodeName", "Type"};
	enum { KEYS = sizeof keys / sizeof *keys };
	struct slice value = word, key = cut_at(&value, '=');
	size_t known = 0;
	while (known < KEYS && !key_is(key, keys[known]))
		known++;
	if (known == KEYS)
		return fault_set(f, near_hint(f->arena, foreign_near(f->arena, key, keys, KEYS), "devices are named by File= and MultipleFiles="),
		                 "unknown key %s", text_quoted(f->arena, key));
	if (key_is(key, "File") || key_is(key, "MultipleFiles"))
		return files(v, f, value);
	if (key_is(key, "NodeName")) {
		bool other = v->node.s && (v->node.n != value.n || memcmp(v->node.s, value.s, value.n));
		v->node = value;
		return other ? fault_set(f, "keep the lines of one node", "lines of several nodes: %s, too", text_quoted(f->arena, value)) : 0;
	}
	if (key_is(key, "AutoDetect") && !key_is(value, "off"))
		diag_add(v->l.d, DIAG_WARNING, (struct span){.file = v->l.file, .line = v->l.line}, "name them: Name=gpu File=/dev/nvidia0",
		         "AutoDetect: the devices that Slurm finds by itself are not in the policy");
	return 0;
}

static int gres_line(struct slurm *v, struct fault *f, struct slice line)
{
	struct slice word;
	v->gres = true;
	while (next_word(&line, &word)) {
		if (*word.s == '#')
			return 0;
		if (!memchr(word.s, '=', word.n))
			return fault_set(f, "a line is Name=gpu File=/dev/nvidia0, or a path below /dev", "missing '='");
		if (gres_word(v, f, word))
			return -1;
	}
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------ */

int foreign_slurm(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct slurm v = {.l = {.d = d, .out = out, .file = file, .rest = {text, len}}};
	foreign_start(d, FOREIGN_SLURM, file, out);
	while (lines_next(&v.l)) {
		struct fault f = {.arena = d->arena};
		if (!v.l.text.n || v.l.text.s[0] == '#')
			continue;
		if (v.l.text.s[0] == '/' ? path_line(&v, &f, v.l.text) : gres_line(&v, &f, v.l.text))
			lines_fail(&v.l, &f);
	}
	if (!v.any && !d->errors) {
		struct fault f = {.arena = d->arena};
		fault_set(&f, "give cgroup_allowed_devices_file.conf, or a gres.conf with File=", "no device is named");
		foreign_fail(d, (struct span){.file = file}, NULL, &f);
	}
	if (d->errors)
		return -1;
	if (v.gres)
		foreign_note(d->arena, out, "Slurm gives a job only those of the devices of gres.conf that it was allocated.");
	else
		foreign_note(d->arena, out, "cgroup.conf(5) of Slurm 22.05 does not know this list.");
	foreign_note(d->arena, out, "Slurm filters nothing unless cgroup.conf has ConstrainDevices=yes, and then leaves every "
	                            "device open that no gres.conf names.");
	return 0;
}
