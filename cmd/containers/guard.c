/*
 * guard.c - guard.yaml: loading the policy that a manifest rules for, checking
 * all it may rule, and guarding the cgroups that exist.
 *
 * The manifest outlives the policies: it has an arena of its own, and each policy
 * is compiled in a fresh one.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/containers/guard.h"
#include "cmd/unit.h"
#include "policy/trusted.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool manifest_named(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

/* STATUS_OK with *fd, or a status: the file, if only root can have written it. */
static int open_trusted(struct cmd *c, const char *path, int *fd)
{
	const struct span at = {.file = path};
	const char *why;
	int status = trusted_open(c->arena, path, fd, &why);
	if (!status)
		return STATUS_OK;
	if (status > 0)
		diag_add(&c->diags, DIAG_ERROR, at, "write it, see rucy-devguard-guard.yaml(5)",
		         "there is no such manifest");
	else if (status == -2)
		diag_add(&c->diags, DIAG_ERROR, at, "see what the host lacks", "%s", why);
	else
		diag_add(&c->diags, DIAG_ERROR, at,
		         "a manifest and its directories must be root's, writable by root only, and no "
		         "symbolic links",
		         "the manifest is not trusted: %s", why);
	return status == -1 ? STATUS_REFUSED : STATUS_FAILED;
}

int manifest_load(struct cmd *c, struct arena *keep, const char *path, bool trusted,
                  struct manifest **m)
{
	struct document *in;
	int fd, status = trusted ? open_trusted(c, path, &fd) : STATUS_OK;
	if (!status)
		status = trusted ? input_read_fd(c, fd, path, INPUT_MANIFEST, &in) : input_read(c, path, INPUT_MANIFEST, &in);
	if (status)
		return status;
	return manifest_read(keep, &c->diags, in->file, in->text, in->len, m) ? STATUS_REFUSED
	                                                                      : STATUS_OK;
}

/* ---- the policy of a ruling ---------------------------------------------------------- */

/* "gpu=3 render=128", or "". */
static const char *params_text(struct arena *a, const struct ruling *r)
{
	const char *all = "";
	for (size_t i = 0; i < r->nparams; i++)
		all = arena_printf(a, "%s%s%s=%lld", all, i ? " " : "", r->params[i].name,
		                   (long long)r->params[i].value);
	return all;
}

/* The parameter of the ruling that a message is about, or NULL. */
static const struct ruling_param *accused(const struct ruling *r, const struct diag *d)
{
	for (size_t i = 0; d->param && i < r->nparams; i++)
		if (!strcmp(d->param, r->params[i].name))
			return &r->params[i];
	return NULL;
}

/* Says again where the manifest caused what the compiler complains about. */
static void place_in_manifest(struct cmd *c, const struct manifest *m, const struct ruling *r,
                              const char *path)
{
	struct diags said = c->diags;
	const char *params = params_text(c->arena, r);
	size_t placed = 0;
	diags_init(&c->diags, c->arena);
	for (size_t i = 0; i < said.n; i++) {
		const struct diag *d = &said.items[i];
		const struct ruling_param *p = accused(r, d);
		if (!p) {
			*diag_add(&c->diags, d->level, d->at, NULL, "%s", d->text) = *d;
			continue;
		}
		manifest_fail(m, &c->diags, p->at, d->param_hint ? d->param_hint : d->hint, "policy %s: %s", r->policy,
		              d->param_text ? d->param_text : d->text);
		placed++;
	}
	if (!placed)
		manifest_fail(m, &c->diags, r->policy_at, "see the message before this one",
		              "policy %s of entry %s is refused: %s%s%s%s", r->policy, r->entry, path,
		              *params ? " (" : "", params, *params ? ")" : "");
}

/* The command line goes over the manifest; parameters are the manifest's alone. */
static struct settings settings_of(struct arena *a, const struct settings *given, const struct ruling *r)
{
	struct settings s = *given;
	s.params = arena_alloc(a, r->nparams * sizeof *s.params);
	s.nparams = s.params_cap = r->nparams;
	for (size_t i = 0; i < r->nparams; i++)
		s.params[i] = (struct param_setting){.name = r->params[i].name, .value = r->params[i].value};
	if (!s.mode && r->mode_given)
		s.mode = 1 + (int)r->mode;
	if (!s.audit && r->audit_given)
		s.audit = 1 + (int)r->audit;
	if (!s.ring)
		s.ring = r->ring;
	if (r->limit && !s.limits_given)
		limits_parse(r->limit, &s.limits); /* the manifest's reader has checked it */
	return s;
}

int ruling_load(struct cmd *c, const struct settings *given, const struct manifest *m, const struct ruling *r,
                const struct load *l, struct unit *u, const char **path)
{
	struct policy_file file;
	int opened = manifest_policy_open(c->arena, &c->diags, m, r->policy, r->policy_at, &file);
	if (opened)
		return opened == -2 ? STATUS_FAILED : STATUS_REFUSED;
	if (path)
		*path = file.path;
	const struct settings s = settings_of(c->arena, given, r);
	int status = unit_load_fd(c, &s, file.fd, file.path, l, u);
	if (status)
		place_in_manifest(c, m, r, file.path);
	return status;
}

static int no_params(struct cmd *c)
{
	return c->settings.nparams ? usage_error(c, "write params: in the manifest",
	                                "--param does not go with a manifest")
	                  : STATUS_OK;
}

/* ---- check --------------------------------------------------------------------------- */

static bool same_ruling(const struct ruling *a, const struct ruling *b)
{
	bool same = !strcmp(a->policy, b->policy) && a->nparams == b->nparams &&
	            a->mode_given == b->mode_given && a->mode == b->mode &&
	            a->audit_given == b->audit_given && a->audit == b->audit && a->ring == b->ring &&
	            !strcmp(a->limit ? a->limit : "", b->limit ? b->limit : "");
	for (size_t i = 0; same && i < a->nparams; i++)
		same = a->params[i].value == b->params[i].value &&
		       !strcmp(a->params[i].name, b->params[i].name);
	return same;
}

static json_t *params_json(const struct ruling *r)
{
	json_t *o = json_object();
	for (size_t i = 0; i < r->nparams; i++)
		json_object_set_new(o, r->params[i].name, json_integer((json_int_t)r->params[i].value));
	return o;
}

/* Compiles it, and has the kernel look at it where that can be asked. */
static int prove_ruling(struct cmd *c, const struct manifest *m, const struct ruling *r,
                        const char **path)
{
	struct unit u;
	struct program *program;
	int status = ruling_load(c, &c->settings, m, r, &(struct load){.depth = LOAD_IMAGE, .lint = true}, &u, path);
	if (!status && !kernel_closed()) {
		status = unit_program(c, &u, 0, &program) ? STATUS_FAILED : STATUS_OK;
		if (!status)
			program_close(program);
	}
	return status;
}

static void report_ruling(struct cmd *c, const struct ruling *r, const char *path, int status,
                          json_t *list)
{
	if (c->json.on) {
		json_t *o = json_pack("{s:o, s:o, s:o, s:i}", "entry", text_json(r->entry), "policy",
		                      text_json(r->policy), "params", params_json(r), "exit", status);
		json_object_set_new(o, "file", text_json(path));
		json_array_append_new(list, o);
		return;
	}
	const char *params = params_text(c->arena, r);
	fputs("  ", stdout);
	put_text(stdout, r->entry);
	printf(": %s", r->policy);
	if (path) {
		fputs(" from ", stdout);
		put_text(stdout, path);
	}
	if (*params) {
		fputs(", ", stdout);
		put_text(stdout, params);
	}
	puts(status ? ": refused" : "");
}

/* item: of the report as JSON; path: its head as text, NULL for no report at all. */
static int check_rulings(struct cmd *c, struct arena *keep, const struct manifest *m,
                         const char *path, json_t *item)
{
	const struct ruling *list;
	const struct manifest_entry *entries;
	size_t n, nentries = manifest_entries(m, &entries);
	int status = STATUS_OK, refused = STATUS_OK;
	json_t *policies = c->json.on ? json_array() : NULL;
	manifest_variants(keep, m, &list, &n);
	if (path && !c->json.on) {
		put_text(stdout, path);
		printf(": %zu entr%s\n", nentries, nentries == 1 ? "y" : "ies");
	}
	for (size_t i = 0; i < n; i++) {
		/* the other end of a range would be refused for the same reason */
		bool again = refused && list[i].at.line == list[i - 1].at.line &&
		             !strcmp(list[i].policy, list[i - 1].policy);
		size_t before = 0;
		while (before < i && !same_ruling(&list[before], &list[i]))
			before++;
		if (before < i || again)
			continue;
		diags_flush(c);
		cmd_reset(c);
		const char *file = NULL;
		refused = prove_ruling(c, m, &list[i], &file);
		if (path)
			report_ruling(c, &list[i], file, refused, policies);
		status = worse_status(status, refused);
	}
	if (c->json.on) {
		json_object_set_new(item, "entries", json_integer((json_int_t)nentries));
		json_object_set_new(item, "rulings", policies);
	}
	return status;
}

/* As the hook will open it, by the same function; it gets the path from the root directory on. */
static int check_trust(struct cmd *c, const char *path)
{
	char *whole = path[0] == '/' ? NULL : realpath(path, NULL);
	int fd, status = open_trusted(c, whole ? arena_strdup(c->args, whole) : path, &fd);
	free(whole);
	if (!status)
		close(fd);
	return status;
}

struct checking {
	bool trusted; /* read it only if the hook would */
	bool report;
	int engine;   /* or -1 */
};

static int check_all(struct cmd *c, const char *path, const struct checking *how, json_t *item)
{
	struct manifest *m;
	struct arena *keep = cmd_arena(c);
	int status = no_params(c);
	if (!status)
		status = manifest_load(c, keep, path, how->trusted, &m);
	if (!status && how->engine >= 0)
		manifest_check_engine(keep, &c->diags, m, (size_t)how->engine);
	if (!status)
		status = check_rulings(c, keep, m, how->report ? path : NULL, item);
	if (!status && !how->trusted)
		status = check_trust(c, path);
	diags_flush(c); /* they point into the manifest */
	cmd_reset(c);
	arena_free(keep);
	return status;
}

int check_manifest(struct cmd *c, const char *path, int engine, json_t *item)
{
	return check_all(c, path, &(struct checking){.report = true, .engine = engine}, item);
}

int prove_manifest(struct cmd *c, const char *path)
{
	return check_all(c, path, &(struct checking){.trusted = true, .engine = -1}, NULL);
}
