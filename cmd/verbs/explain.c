/*
 * explain.c - what a policy, or a program of anybody's, amounts to: the rules that mean the same, of
 * which none can be left out.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/each.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"

#include <string.h>

enum { OPT_DOT = OPT_VERB, OPT_RUBY };
static const struct option options[] = {{"dot", no_argument, NULL, OPT_DOT}, {"ruby", no_argument, NULL, OPT_RUBY}, OPTION_PARAM, OPTION_LIMIT, OPTION_UNCONFINED,
                                        OPTION_JSON, OPTION_HELP, {0}};

/* The lines of the policy. */
static json_t *rules_json(const char *text)
{
	json_t *list = json_array();
	while (*text) {
		size_t n = strcspn(text, "\n");
		json_array_append_new(list, json_stringn(text, n));
		text += n + (text[n] == '\n');
	}
	return list;
}

static void print_lines(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		put_bytes(stdout, line, strcspn(line, "\n"));
		putchar('\n');
	}
}

/* What one source amounts to. */
static int rules_of(struct cmd *c, const char *source, enum dump_kind kind, const char **text)
{
	struct unit u;
	const struct load depth = {.depth = LOAD_DIAGRAM, .keep = true};
	int status = unit_load(c, &c->settings, source, &depth, &u);
	if (!status)
		status = unit_listing(c, &u, kind, text);
	unit_end(&u);
	return status;
}

static const char *whose(struct cmd *c, uint32_t id)
{
	struct author who;
	program_author(id, &who);
	return who.name ? arena_printf(c->arena, " (as %s writes them)", who.name) : "";
}

static int program_rules(struct cmd *c, const struct program_unit *one, const char **text)
{
	if (!one->failed)
		return unit_listing(c, &one->unit, DUMP_RULES, text);
	diag_fail(&c->diags, one->hint, "%s", one->failed);
	return STATUS_FAILED;
}

static void print_part(const char *head, const char *text)
{
	puts(head);
	print_lines(text);
	putchar('\n');
}

/* Each program, before what several are together; in JSON also one. */
static int explain_programs(struct cmd *c, const char *source)
{
	uint32_t *ids;
	size_t n;
	const char *text;
	struct program_units all;
	int status = source_programs(c, source, &ids, &n);
	if (status)
		return status;
	json_t *programs = json_array();
	status = programs_load(c, &c->settings, source, ids, n, &all);
	for (size_t i = 0; i < n && !status && (n > 1 || c->json.on); i++) {
		status = program_rules(c, &all.list[i], &text);
		if (c->json.on && !status)
			json_array_append_new(programs, json_pack("{s:I, s:o}", "program", (json_int_t)ids[i], "rules", rules_json(text)));
		else if (!status)
			print_part(arena_printf(c->arena, "# program %u%s", ids[i], whose(c, ids[i])), text);
	}
	if (!status)
		status = program_rules(c, &all.together, &text);
	programs_end(&all);
	if (c->json.on && !status) {
		json_object_set(c->json.out, "programs", programs);
		json_object_set_new(c->json.out, "source", text_json(source));
		json_object_set_new(c->json.out, "rules", rules_json(text));
	} else if (!status) {
		if (n > 1)
			puts("# together");
		print_lines(text);
	}
	json_decref(programs);
	return status;
}

static void print_head(const char *source)
{
	fputs("# What ", stdout);
	put_text(stdout, source);
	puts(" amounts to.");
}

struct wish { bool dot, ruby; };

static int explain_source(struct cmd *c, const char *source, const struct wish *w)
{
	const char *text;
	if (source_is_kernels(source) && !w->dot && !w->ruby)
		return explain_programs(c, source);
	int status = rules_of(c, source, w->dot ? DUMP_DOT : w->ruby ? DUMP_RUBY : DUMP_RULES, &text);
	if (status)
		return status;
	if (c->json.on) {
		json_object_set_new(c->json.out, "programs", json_array());
		json_object_set_new(c->json.out, "source", text_json(source));
		json_object_set_new(c->json.out, "rules", rules_json(text));
		return STATUS_OK;
	}
	diags_flush(c);
	if (w->ruby)
		print_head(source);
	print_lines(text);
	return STATUS_OK;
}

static int explain(struct cmd *c, int argc, char **argv)
{
	struct wish w = {0};
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		w.dot |= opt == OPT_DOT;
		w.ruby |= opt == OPT_RUBY;
	}
	if (argc - optind != 1)
		return usage_error(c, NULL, optind == argc ? "no source given" : "one source at a time, please");
	if (w.dot + w.ruby + c->json.on > 1)
		return usage_error(c, NULL, "one of --ruby, --dot and --json");
	return explain_source(c, argv[optind], &w);
}

const struct verb verb_explain = {
	.name = "explain",
	.synopsis = "SOURCE [--param K=V]... [--ruby | --dot | --json]",
	.usage = "SOURCE",
	.example = "echo 'allow :null; deny \"c *:*\"' | " PROGRAM " explain -",
	.summary = "Say what a policy, or a program of anybody's, allows and denies",
	.help = "SOURCE is a policy, prog:ID (a program of the kernel, whoever wrote it), cgroup:CGROUP (what\n"
		"is attached there) or effective:CGROUP (with all above it, as the kernel decides). Printed is\n"
		"a policy that means the same, of which no rule can be left out. What no rule matches is denied,\n"
		"unless its first line is `default :allow`.\n\n"
		"  --ruby            as a file, or an error where a condition cannot be said in Ruby\n"
		"  --dot             a picture for Graphviz\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = explain,
};
