/* explain.c - what the policy that is carried amounts to. */
#include "cmd/bundle/guard/carried.h"
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/explain/explain.h"
#include "cmd/options.h"
#include "cmd/unit.h"

enum { OPT_DOT = OPT_VERB, OPT_RUBY };
static const struct option options[] = {{"dot", no_argument, NULL, OPT_DOT}, {"ruby", no_argument, NULL, OPT_RUBY}, OPTION_PARAM, OPTION_LIMIT, OPTION_UNCONFINED,
                                        OPTION_JSON, OPTION_HELP, {0}};

static int explain(struct cmd *c, int argc, char **argv)
{
	struct unit u;
	bool dot = false, ruby = false;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		dot |= opt == OPT_DOT;
		ruby |= opt == OPT_RUBY;
	}
	if (argc - optind)
		return usage_error(c, NULL, "it explains the policy that it carries, and no other");
	if (dot + ruby + c->json.on > 1)
		return usage_error(c, NULL, "one of --ruby, --dot and --json");
	if (c->json.on)
		json_object_set_new(c->json.out, "source", text_json(c->cli->name));
	const struct load how = {.depth = LOAD_DIAGRAM, .keep = true};
	int status = carried_load(c, &how, &u);
	if (!status)
		status = explain_kept(c, c->cli->name, &u, dot ? EXPLAIN_DOT : ruby ? EXPLAIN_RUBY : EXPLAIN_ROWS);
	unit_end(&u);
	return status;
}

const struct verb guard_explain = {
	.name = "explain",
	.synopsis = "[--param K=V]... [--ruby | --dot | --json]",
	.usage = "",
	.summary = "Say what the policy allows and denies",
	.help = "Prints a line for each device, the most important first, and then what is with\n"
		"all others.\n\n"
		"  --ruby            a policy that means the same, with no rule to leave out\n"
		"  --dot             a picture for Graphviz\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = explain,
	.example = PROGRAM " explain",
};
