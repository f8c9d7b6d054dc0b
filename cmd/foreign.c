/*
 * foreign.c - lists of other tools: read from a file, from stdin or from the command line, whole, and
 * settled as strictly as `import` does it.
 *
 * They are read in this process: a list names files that it includes, directories of devices and
 * specifications of CDI, which a process that may open nothing could not follow.
 */
#include "cmd/foreign.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"

#include <string.h>

static int (*const readers[FOREIGN_FORMATS])(struct diags *d, const char *file, const char *text, size_t len,
                                             struct foreign *out) = {
#define FILE_FORMAT(id, name) [FOREIGN_##id] = foreign_##name,
#define FORMAT(id, name)
#include "policy/import/formats.def"
};

bool foreign_is_rule(const char *word)
{
	return strpbrk(word, " \t") || !strncmp(word, "--", 2);
}

static int read_document(struct diags *d, const struct foreign_wish *w, const struct document *in, struct foreign *f)
{
	switch (w->format) {
	case FOREIGN_DOCKER:
		return foreign_docker_file(d, in->file, in->text, in->len, f);
	case FOREIGN_COMPOSE:
		return foreign_compose(d, in->file, in->text, in->len, w->part, f);
	case FOREIGN_SYSTEMD:
		return foreign_systemd(d, in->file, in->text, in->len, w->part, f);
	case FOREIGN_CDI:
		return w->part ? foreign_cdi(d, in->file, in->text, in->len, &w->part, 1, f)
		               : foreign_cdi(d, in->file, in->text, in->len, w->args, w->nargs, f);
	default:
		return readers[w->format](d, in->file, in->text, in->len, f);
	}
}

static int settle(struct cmd *c, const struct foreign_wish *w, struct foreign *f)
{
	return foreign_cdi_resolve(&c->diags, f, w->cdi, w->ncdi) ||
	                       foreign_settle(&c->diags, f, w->empty_is_allow, w->skip_missing)
	               ? STATUS_REFUSED
	               : STATUS_OK;
}

/* ---- hints ------------------------------------------------------------------------------------- */

/* The text with the first `word` replaced; the text, where it has none. */
static const char *replaced(struct arena *a, const char *text, const char *word, const char *by)
{
	const char *at = text ? strstr(text, word) : NULL;
	return at ? arena_printf(a, "%.*s%s%s", (int)(at - text), text, by, at + strlen(word)) : text;
}

/* The command of `import` for what is read here, as far as the list. */
static const char *import_of(struct arena *a, const struct foreign_wish *w, const char *part)
{
	const char *what = shell_word(a, w->file ? w->file : w->args[0]);
	return arena_printf(a, PROGRAM " import %s %s %s%s", foreign_names[w->format], what, w->part ? part : "",
	                    w->part ? arena_printf(a, "%s ", shell_word(a, w->part)) : "");
}

void foreign_reword(struct cmd *c, const struct foreign_wish *w, size_t first)
{
	static const char *const parts[FOREIGN_FORMATS] = {
		[FOREIGN_COMPOSE] = "--service ", [FOREIGN_SYSTEMD] = "--unit ", [FOREIGN_CDI] = "--device "};
	static const struct { const char *said, *before, *option; } options[] = {
		{"--skip-missing", "", "--skip-missing"},
		{"give --empty-is-allow", "run ", "--empty-is-allow"},
		{"; --empty-is-allow", "; ", "--empty-is-allow"},
		{"--cdi-spec-dir", "", "--cdi-spec-dir DIRECTORY"},
	};
	struct arena *a = c->arena;
	const char *part = parts[w->format], *import = import_of(a, w, part);
	for (size_t i = first; i < c->diags.n; i++) {
		const char **hint = &c->diags.items[i].hint;
		if (part)
			*hint = replaced(a, *hint, part, arena_printf(a, "%s:%s#", foreign_names[w->format], w->file));
		for (size_t k = 0; k < sizeof options / sizeof *options; k++)
			*hint = replaced(a, *hint, options[k].said,
			                 arena_printf(a, "%s%s%s -o x.rb", options[k].before, import, options[k].option));
	}
}

/* A name of systemd where no file is. */
static void by_unit(struct cmd *c, const struct foreign_wish *w)
{
	if (w->format != FOREIGN_SYSTEMD || strchr(w->file, '/') || !c->diags.n)
		return;
	c->diags.items[c->diags.n - 1].hint =
		arena_printf(c->arena, "of a unit by its name: systemctl cat %s | %s %s %s", shell_word(c->arena, w->file), PROGRAM,
		             c->verb->name, !w->source ? "systemd -" : strcmp(c->verb->name, "eval") ? "systemd:-" : "systemd:- REQUEST");
}

/* ---- the whole --------------------------------------------------------------------------------- */

static int load(struct cmd *c, const struct foreign_wish *w, struct foreign *f)
{
	struct document *in = NULL;
	int status = w->file ? input_read(c, w->file, INPUT_FOREIGN, &in) : STATUS_OK;
	if (status == STATUS_FAILED)
		by_unit(c, w);
	if (status)
		return status;
	if (in ? read_document(&c->diags, w, in, f) : foreign_docker(&c->diags, w->args, w->nargs, f))
		return STATUS_REFUSED;
	return settle(c, w, f);
}

int foreign_load(struct cmd *c, const struct foreign_wish *w, struct foreign *out)
{
	size_t before = c->diags.n;
	int status = load(c, w, out);
	if (w->source)
		foreign_reword(c, w, before);
	return status;
}
