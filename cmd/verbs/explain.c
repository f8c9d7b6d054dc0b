/*
 * explain.c - what a policy, or a program of anybody's, amounts to: for people, as JSON, as Ruby.
 */
#include "cmd/audit/audit.h"
#include "cmd/cmd.h"
#include "cmd/each.h"
#include "cmd/explain/explain.h"
#include "cmd/hosted/hosted.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"

#include <string.h>

enum { OPT_DOT = OPT_VERB, OPT_RUBY };
static const struct option options[] = {{"dot", no_argument, NULL, OPT_DOT}, {"ruby", no_argument, NULL, OPT_RUBY}, OPTION_PARAM, OPTION_LIMIT, OPTION_UNCONFINED,
                                        OPTION_JSON, OPTION_HELP, {0}};

/* ---- programs of the kernel ------------------------------------------------------------------------- */

static int tell_program(struct cmd *c, const struct program_unit *one, struct device_names *here, json_t *o)
{
	if (!one->failed)
		return explain_unit(c, &one->unit, one->unknown, here, o);
	if (c->json.on)
		json_object_set_new(o, "cannot_tell", text_json(one->failed));
	else
		put_wrapped(arena_printf(c->arena, "it cannot be told: %s", one->failed), 2);
	diag_fail(&c->diags, one->hint, "%s", one->failed);
	return STATUS_FAILED;
}

static json_t *program_json(const struct placed *p)
{
	return json_pack("{s:I, s:b, s:o, s:o, s:o}", "program", (json_int_t)p->id, "host", p->host, "policy", p->at.ours ? text_json(p->at.name) : json_null(),
	                 "author", p->author.name ? json_string(p->author.name) : json_null(), "cgroup",
	                 p->path ? text_json(p->path) : json_null());
}

/* What the host program does there: of others its rules are not. */
static int tell_host(struct cmd *c, const struct hosted_here *host, const struct program_unit *one, struct device_names *here, json_t *o)
{
	const char *lines = hosted_lines(c->arena, host);
	if (c->json.on)
		return tell_program(c, one, here, o);
	hosted_put(arena_printf(c->arena, "%s\n%s", hosted_words(c->arena, host->host), lines), 2);
	return STATUS_OK;
}

/* "together (a request is allowed when all 3 allow it)" */
static const char *together_title(struct arena *a, const struct placed *list, size_t n)
{
	size_t host = 0;
	while (host < n && !list[host].host)
		host++;
	if (host == n)
		return arena_printf(a, "together (a request is allowed when all %zu allow it)", n);
	const char *before = host == 1 ? "the first allows" : arena_printf(a, "the first %zu allow", host);
	size_t rest = n - host - 1;
	return arena_printf(a, "together (a request is allowed when %s it or a grant opens it%s)", before,
	                    !rest      ? ""
	                    : rest == 1 ? ", and the last allows it"
	                                : arena_printf(a, ", and the last %zu allow it", rest));
}

/* Each, and then what several are together; in JSON that of one, too. */
static int tell_programs(struct cmd *c, const struct placed *list, const struct hosted_here *host, const struct program_units *all)
{
	struct device_names *here = device_names_new(c->arena);
	json_t *programs = json_array();
	int status = STATUS_OK;
	for (size_t i = 0; i < all->n; i++) {
		json_t *o = program_json(&list[i]);
		if (!c->json.on)
			explain_put_title(explain_title(c->arena, &list[i]));
		status = worse_status(status, list[i].host ? tell_host(c, host, &all->list[i], here, o) : tell_program(c, &all->list[i], here, o));
		if (!c->json.on && all->n > 1)
			putchar('\n');
		json_array_append_new(programs, o);
	}
	if (!c->json.on && all->n > 1)
		explain_put_title(together_title(c->arena, list, all->n));
	if (c->json.on || all->n > 1)
		status = worse_status(status, tell_program(c, &all->together, here, c->json.out));
	if (c->json.on) {
		json_object_set(c->json.out, "programs", programs);
		json_object_set_new(c->json.out, "host", host ? hosted_json(c->arena, host->host, host) : json_null());
	}
	json_decref(programs);
	return status;
}

static int explain_programs(struct cmd *c, const char *source)
{
	struct placed *list;
	struct program_units all;
	struct source_programs of;
	int status = explain_whose(c, source, &of, &list);
	if (status)
		return status;
	status = programs_load(c, &c->settings, source, &of, &all);
	if (!status)
		status = tell_programs(c, list, of.host, &all);
	programs_end(&all);
	return status;
}

/* ---- the verb ----------------------------------------------------------------------------------------- */

static int explain_policy(struct cmd *c, const char *source, enum explain_as as)
{
	struct unit u;
	const struct load depth = {.depth = LOAD_DIAGRAM, .keep = true};
	int status = unit_load(c, &c->settings, source, &depth, &u);
	if (!status)
		status = explain_kept(c, source, &u, as);
	unit_end(&u);
	return status;
}

static int explain_source(struct cmd *c, const char *source, enum explain_as as)
{
	if (c->json.on)
		json_object_set_new(c->json.out, "source", text_json(source));
	return source_is_kernels(source) && as == EXPLAIN_ROWS ? explain_programs(c, source) : explain_policy(c, source, as);
}

static int explain(struct cmd *c, int argc, char **argv)
{
	bool dot = false, ruby = false;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		dot |= opt == OPT_DOT;
		ruby |= opt == OPT_RUBY;
	}
	if (argc - optind != 1)
		return usage_error(c, NULL, optind == argc ? "no source given" : "one source at a time, please");
	if (dot + ruby + c->json.on > 1)
		return usage_error(c, NULL, "one of --ruby, --dot and --json");
	return explain_source(c, argv[optind], dot ? EXPLAIN_DOT : ruby ? EXPLAIN_RUBY : EXPLAIN_ROWS);
}

const struct verb verb_explain = {
	.name = "explain",
	.synopsis = "SOURCE [--param K=V]... [--ruby | --dot | --json]",
	.usage = "SOURCE",
	.example = "echo 'allow :null; deny \"c *:*\"' | " PROGRAM " explain -",
	.summary = "Say what a policy, a list or a program of anybody's allows and denies",
	.help = SOURCE_HELP
		"Prints a line for each device, the most important first, and then what is with\n"
		"all others. Of a cgroup each program is told, and then what they amount to\n"
		"together.\n\n"
		"  --ruby            a policy that means the same, with no rule to leave out\n"
		"  --dot             a picture for Graphviz\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = explain,
};
