/*
 * engine.c - --device, --device-cgroup-rule and --privileged of docker run and podman run.
 *
 * Options end at the image: what follows is the container's own command, and may have
 * options of the same names. So an option that is not known is an error.
 */
#include "policy/import/engine.h"

#include <string.h>

static bool makes_container(const char *word)
{
	return !strcmp(word, "run") || !strcmp(word, "create");
}

bool engine_starts(const struct engine_word *words, size_t n)
{
	if (n < 2)
		return false;
	const char *slash = strrchr(words[0].text, '/'), *base = slash ? slash + 1 : words[0].text, *verb = words[1].text;
	if (n > 2 && !strcmp(verb, "container"))
		verb = words[2].text;
	return (!strcmp(base, "docker") || !strcmp(base, "podman") || !strcmp(base, "nerdctl")) &&
	       (makes_container(verb) || *verb == '-');
}

int engine_fail(struct engine *e, const struct engine_word *at, const struct fault *f)
{
	struct fault placed = {.arena = e->d->arena};
	if (e->file)
		return foreign_fail(e->d, (struct span){.file = e->file, .line = (int)at->place}, NULL, f);
	fault_set(&placed, f->hint, "argument %u: %s", at->place, f->error);
	return foreign_fail(e->d, (struct span){0}, NULL, &placed);
}

/* ---- values -------------------------------------------------------------------------- */

int engine_device(struct foreign *out, struct fault *f, struct slice text, struct foreign_entry entry)
{
	static const char all[] = "rwm";
	struct slice rest = text, letters = {all, strlen(all)};
	if (foreign_is_cdi(text)) {
		foreign_skip_cdi(out, f, text, &entry);
		return 0;
	}
	struct slice host = cut_at(&rest, ':');
	bool more = memchr(rest.s, ':', rest.n) != NULL;
	struct slice inside = cut_at(&rest, ':');
	/* of two parts the second may be the letters */
	if (more)
		letters = rest;
	else if (inside.n && inside.s[0] != '/')
		letters = inside;
	if (!letters.n)
		return fault_set(f, "write them: /dev/fuse:/dev/fuse:rw", "no letters: nothing is granted");
	return foreign_add_tree(out, f, host, letters, entry);
}

static int read_truth(struct fault *f, struct slice value, bool *out)
{
	static const char *const words[] = {"1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_is(value, words[i])) {
			*out = i < 6;
			return 0;
		}
	return fault_set(f, "write true or false", "%s is neither true nor false", text_quoted(f->arena, value));
}

static void tell_found(struct engine *e, const struct engine_word *at, const char *option)
{
	diag_add(e->d, DIAG_WARNING, (struct span){.file = e->file, .line = e->file ? (int)at->place : 0},
	         "name them: --device /dev/nvidia0 --device /dev/nvidiactl",
	         "--%s: the devices that another program finds are not in the policy", option);
}

/* ---- options --------------------------------------------------------------------------- */

static int take(struct engine *e, struct fault *f, const struct engine_word *at, struct slice name, struct slice value)
{
	struct foreign_entry entry = {.allow = true, .file = e->file, .place = at->place};
	bool device = slice_is(name, "device"), rule = slice_is(name, "device-cgroup-rule"), yes = false;
	bool privileged = slice_is(name, "privileged");
	e->said |= device || rule || privileged;
	if ((device || rule || privileged) && at->variable)
		return fault_set(f, "write the value out", "variables are not expanded: %s", text_quoted(f->arena, value));
	if (device)
		return engine_device(e->out, f, value, entry);
	if (privileged) {
		int rc = value.s ? read_truth(f, value, &yes) : 0;
		e->out->open = NULL;
		if (rc == 0 && (!value.s || yes))
			foreign_privileged(e->out);
		return rc;
	}
	if (slice_is(name, "name"))
		e->name = foreign_name(f->arena, arena_strndup(f->arena, value.s, value.n));
	if (slice_is(name, "gpus") || (slice_is(name, "runtime") && slice_is(value, "nvidia")))
		tell_found(e, at, arena_strndup(f->arena, name.s, name.n));
	if (!rule)
		return 0;
	entry.in_rules = true;
	if (foreign_rule(f, trimmed(value), false, &entry))
		return -1;
	foreign_add(f->arena, e->out, entry);
	return 0;
}

static int unknown(struct fault *f, const char *word)
{
	struct slice s = {word, strlen(word)};
	return fault_set(f, "if it takes a value, write it as one word with '='; else leave it out", "unknown option %s",
	                 text_quoted(f->arena, s));
}

/* Options about devices that were probably meant. */
static int near_option(struct fault *f, struct slice name)
{
	static const char *const ours[] = {"device", "device-cgroup-rule", "privileged"};
	const char *near = engine_long(name) ? NULL : foreign_near(f->arena, name, ours, 3);
	return near ? fault_set(f, arena_printf(f->arena, "did you mean --%s?", near), "unknown option --%s",
	                        text_safe(f->arena, name.s, name.n, 64))
	            : 0;
}

static int long_option(struct engine *e, struct fault *f, const struct engine_word *w, size_t n, size_t *used)
{
	struct slice rest = {w->text + 2, strlen(w->text) - 2}, value = {0};
	const char *equals = memchr(rest.s, '=', rest.n);
	struct slice name = cut_at(&rest, '=');
	if (near_option(f, name))
		return -1;
	if (equals)
		value = rest;
	else if (engine_long(name) == OPTION_UNKNOWN)
		return unknown(f, w->text);
	else if (engine_long(name) == OPTION_VALUE && n < 2)
		return fault_set(f, NULL, "--%.*s needs a value", (int)name.n, name.s);
	else if (engine_long(name) == OPTION_VALUE) {
		value = (struct slice){w[1].text, strlen(w[1].text)};
		*used = 2;
	}
	return take(e, f, &w[*used - 1], name, value);
}

/* -it, -e A=b, -eA=b: none is about devices. */
static int short_options(struct fault *f, const struct engine_word *w, size_t n, size_t *used)
{
	for (const char *c = w->text + 1; *c; c++) {
		enum engine_option kind = engine_short(*c);
		if (kind == OPTION_UNKNOWN)
			return unknown(f, w->text);
		if (kind == OPTION_ALONE)
			continue;
		if (!c[1] && n < 2)
			return fault_set(f, NULL, "-%c needs a value", *c);
		*used = c[1] ? 1 : 2;
		return 0;
	}
	return 0;
}

int engine_options(struct engine *e, const struct engine_word *words, size_t n, size_t *used)
{
	size_t i = 0, step;
	int rc = 0;
	for (; i < n && words[i].text[0] == '-' && words[i].text[1] && e->d->errors <= FOREIGN_ERRORS; i += step) {
		struct fault f = {.arena = e->d->arena};
		step = 1;
		if (!strcmp(words[i].text, "--")) {
			i++;
			break;
		}
		bool is_long = words[i].text[1] == '-';
		if (is_long ? long_option(e, &f, &words[i], n - i, &step) : short_options(&f, &words[i], n - i, &step))
			rc = engine_fail(e, &words[i], &f);
	}
	*used = i;
	return rc;
}

/* ---- a command ---------------------------------------------------------------------------- */

int engine_command(struct engine *e, const struct engine_word *words, size_t n)
{
	struct fault f = {.arena = e->d->arena};
	size_t i = 1, used;
	if (i < n && !strcmp(words[i].text, "container"))
		i++;
	if (i >= n || !makes_container(words[i].text)) {
		fault_set(&f, "give a command like docker run --device /dev/fuse IMAGE, without options before run",
		          "no run or create after %s", text_safe(f.arena, words[0].text, strlen(words[0].text), 64));
		return engine_fail(e, &words[i < n ? i : n - 1], &f);
	}
	i++;
	if (engine_options(e, words + i, n - i, &used))
		return -1;
	i += used;
	if (i == n)
		fault_set(&f, "give the whole command", "the command has no image");
	else if (words[i].variable && strchr("$`", words[i].text[0]))
		fault_set(&f, "write the options out that it stands for", "variables are not expanded: %s",
		          text_quoted(f.arena, (struct slice){words[i].text, strlen(words[i].text)}));
	return f.error ? engine_fail(e, &words[i < n ? i : n - 1], &f) : 0;
}
