/*
 * docker.c - what is given to docker run and podman run: values of --device-cgroup-rule,
 * options, or a whole command line as words or in a file.
 */
#include "policy/import/engine.h"

#include <string.h>

static int conclude(struct engine *e)
{
	if (e->d->errors)
		return -1;
	e->out->name = e->name ? e->name : e->out->name;
	foreign_container(e->d->arena, e->out, true); /* no option could be overlooked */
	return 0;
}

static int read_word(struct engine *e, const struct engine_word *w, size_t n, size_t *used)
{
	struct fault f = {.arena = e->d->arena}, numbered = f;
	struct foreign_entry entry = {.allow = true, .in_rules = true, .place = w->place};
	*used = 1;
	if (w->text[0] == '-')
		return engine_options(e, w, n, used);
	if (foreign_rule(&f, trimmed((struct slice){w->text, strlen(w->text)}), false, &entry) == 0) {
		foreign_add(e->d->arena, e->out, entry);
		return 0;
	}
	fault_set(&numbered, f.hint, "rule %u: %s", w->place, f.error);
	return foreign_fail(e->d, (struct span){0}, NULL, &numbered);
}

int foreign_docker(struct diags *d, const char *const *args, size_t n, struct foreign *out)
{
	struct engine e = {.d = d, .out = out};
	struct engine_word *words = arena_alloc(d->arena, (n + 1) * sizeof *words);
	foreign_start(d, FOREIGN_DOCKER, NULL, out);
	for (size_t i = 0; i < n; i++)
		words[i] = (struct engine_word){.text = args[i], .place = (uint32_t)i + 1};
	if (engine_starts(words, n)) {
		engine_command(&e, words, n);
		return conclude(&e);
	}
	for (size_t i = 0, used; i < n && d->errors <= FOREIGN_ERRORS; i += used)
		read_word(&e, &words[i], n - i, &used);
	return conclude(&e);
}

int foreign_docker_file(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct engine e = {.d = d, .out = out, .file = file};
	struct engine_word *words;
	size_t n;
	foreign_start(d, FOREIGN_DOCKER, file, out);
	if (shell_command(&e, text, len, &words, &n) || engine_command(&e, words, n))
		return -1;
	return conclude(&e);
}
