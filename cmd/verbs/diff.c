/*
 * diff.c - what changes between two policies, lists or programs: exactly, for every request.
 */
#include "cmd/verbs/diff.h"
#include "cmd/options.h"
#include "cmd/source.h"

#include <string.h>

enum { OPT_QUIET = OPT_VERB, OPT_LOOSER, OPT_STRICTER, OPT_GITHUB, OPT_REPLAY };
static const struct option options[] = {
	{"quiet", no_argument, NULL, OPT_QUIET}, {"allow-looser", no_argument, NULL, OPT_LOOSER},
	{"allow-stricter", no_argument, NULL, OPT_STRICTER}, {"github", no_argument, NULL, OPT_GITHUB},
	{"replay", required_argument, NULL, OPT_REPLAY}, OPTION_PARAM, OPTION_LIMIT, OPTION_UNCONFINED, OPTION_JSON, OPTION_HELP, {0}
};

/* ---- both sides ------------------------------------------------------------------------------ */

/* Only policies have parameters: those that are given are of the other side. */
static int load_side(struct cmd *c, struct side *s)
{
	struct settings settings = c->settings;
	const struct load depth = {.depth = LOAD_DIAGRAM, .keep = true};
	s->files = !source_is_kernels(s->source);
	if (source_kind(s->source) != SOURCE_POLICY)
		settings.nparams = 0;
	int status = unit_load(c, &settings, s->source, &depth, &s->unit);
	if (!status)
		diags_flush(c);
	return status;
}

/* Are both the same programs of the kernel? Then what is not understood is the same too. */
static int same_programs(struct cmd *c, const struct diff *d, bool *same)
{
	struct source_programs of[2];
	*same = false;
	if (d->side[0].files || d->side[1].files)
		return STATUS_OK;
	for (int i = 0; i < 2; i++) {
		int status = source_programs(c, d->side[i].source, &of[i]);
		if (status)
			return status;
	}
	*same = of[0].n == of[1].n && !memcmp(of[0].ids, of[1].ids, of[0].n * sizeof *of[0].ids);
	return STATUS_OK;
}

/* ---- the verb ----------------------------------------------------------------------------------- */

/* A direction that is not allowed to differ. */
static int status_of(const struct change *x, bool allowed)
{
	return allowed || !x->most ? STATUS_OK : x->found ? STATUS_DENY : STATUS_FAILED;
}

static int compare(struct diff *d)
{
	struct cmd *c = d->cmd;
	struct comparison x;
	bool same;
	int status = same_programs(c, d, &same);
	if (!status)
		status = unit_compare(c, &d->side[0].unit, &d->side[1].unit, same, &x);
	if (status)
		return status;
	tell_comparison(d, &x);
	int looser = status_of(&x.allowed, d->looser_allowed), stricter = status_of(&x.denied, d->stricter_allowed);
	return looser > stricter ? looser : stricter; /* different, whatever else is not known */
}

static int both(struct diff *d)
{
	struct cmd *c = d->cmd;
	c->quiet = true;
	for (int i = 0; i < 2; i++) {
		int status = load_side(c, &d->side[i]);
		if (status)
			return status;
	}
	json_t *sources = json_array();
	if (c->json.on)
		json_object_set(c->json.out, "sources", sources);
	for (int i = 0; i < 2; i++) {
		const struct policy *p = d->side[i].unit.policy;
		json_array_append_new(sources,
		                      json_pack("{s:o, s:o, s:s}", "source", text_json(d->side[i].source), "name", text_json(p->name), "mode",
		                              mode_words[p->mode]));
	}
	json_decref(sources);
	return d->replay ? replay(d) : compare(d);
}

static int check_usage(struct cmd *c, const struct diff *d, int n)
{
	bool from_stdin = false;
	if (n != 2)
		return usage_error(c, NULL, n < 2 ? "two sources are compared" : "two sources at a time, please");
	if (d->quiet + d->github + c->json.on > 1)
		return usage_error(c, NULL, "one of --quiet, --github and --json");
	if (d->replay && d->github)
		return usage_error(c, NULL, "records have no line in a policy: leave --github out, or --replay");
	const char *const files[] = {source_file(c->arena, d->side[0].source), source_file(c->arena, d->side[1].source), d->replay};
	for (int i = 0; i < 3; i++) {
		bool this = files[i] && !strcmp(files[i], "-");
		if (this && from_stdin)
			return usage_error(c, NULL, "only one can be stdin");
		from_stdin |= this;
	}
	if (c->settings.nparams && source_kind(d->side[0].source) != SOURCE_POLICY && source_kind(d->side[1].source) != SOURCE_POLICY)
		return usage_error(c, NULL, "--param: only a policy has parameters");
	return STATUS_OK;
}

static int diff(struct cmd *c, int argc, char **argv)
{
	struct diff d = {.cmd = c};
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		switch (opt) {
		case OPT_STOP: return c->status;
		case OPT_QUIET: d.quiet = true; break;
		case OPT_LOOSER: d.looser_allowed = true; break;
		case OPT_STRICTER: d.stricter_allowed = true; break;
		case OPT_GITHUB: d.github = true; break;
		default: d.replay = optarg;
		}
	}
	int n = argc - optind;
	for (int i = 0; i < 2 && i < n; i++)
		d.side[i].source = argv[optind + i];
	int status = check_usage(c, &d, n);
	if (!status)
		status = both(&d);
	for (int i = 0; i < 2; i++)
		unit_end(&d.side[i].unit);
	return status;
}

const struct verb verb_diff = {
	.name = "diff",
	.synopsis = "SOURCE SOURCE [--param K=V]... [--allow-looser] [--allow-stricter]\n"
		"       [--replay FILE] [--quiet | --github | --json]",
	.usage = "SOURCE SOURCE",
	.example = "echo 'allow :null' | " PROGRAM " diff - policy.rb --allow-looser",
	.summary = "Tell what the second source allows and denies otherwise than the first",
	.help = SOURCE_HELP
		"Every request is compared: how many are newly allowed and newly denied for some\n"
		"caller, which, and one of each with the rules that decide it. Exit status 0: no\n"
		"difference; 2: there is one; 1: it is not known.\n\n"
		"  --allow-looser    what is newly allowed is no difference\n"
		"  --allow-stricter  what is newly denied is no difference\n"
		"  --replay FILE     instead of all requests those of FILE (- is stdin), lines of\n"
		"                    audit --json: which of them would be decided otherwise\n"
		"  --quiet           the exit status alone\n"
		"  --github          annotations for a workflow of GitHub, on the lines that\n"
		"                    decide\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = diff,
};
