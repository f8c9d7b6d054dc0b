/* learn.c - what a cgroup or a command asks for, recorded, and the least policy that allows it. */
#include "cmd/learn/learn.h"
#include "cmd/options.h"
#include "cmd/where/where.h"
#include "policy/host.h"
#include "policy/image.h"
#include "policy/text.h"

#include <string.h>

enum { OPT_FOR = OPT_VERB, OPT_RECORD, OPT_PERMISSIVE, OPT_BY, OPT_UPDATE, OPT_NAME, OPT_DENIED };
static const struct option options[] = {
	{"for", required_argument, NULL, OPT_FOR},
	{"record", required_argument, NULL, OPT_RECORD},
	{"permissive", no_argument, NULL, OPT_PERMISSIVE},
	{"by", required_argument, NULL, OPT_BY},
	{"with-denied", no_argument, NULL, OPT_DENIED},
	{"update", required_argument, NULL, OPT_UPDATE},
	{"output", required_argument, NULL, 'o'},
	{"name", required_argument, NULL, OPT_NAME},
	OPTION_SELF,
	OPTION_UNIT,
	OPTION_PARAM,
	OPTION_LIMIT,
	OPTION_UNCONFINED,
	OPTION_JSON,
	OPTION_HELP,
	{0},
};

/* ---- the command line -------------------------------------------------------------------- */

static int option(struct learning *l, int opt)
{
	static const char *const by[] = {"uid", "exe"}; /* in the order of enum learn_by */
	int word;
	struct cmd *c = l->cmd;
	switch (opt) {
	case OPT_FOR:
		return optarg[strspn(optarg, "0123456789.")] ? option_duration(c, "--for", optarg, &l->for_ns)
		                                             : option_seconds(c, "--for", optarg, 1, &l->for_ns);
	case OPT_RECORD: *ARENA_PUSH(l->arena, l->records, l->nrecords, l->records_cap) = optarg; break;
	case OPT_PERMISSIVE: l->permissive = true; break;
	case OPT_BY:
		word = option_word(c, "--by", optarg, by, sizeof by / sizeof *by);
		if (word < 0)
			return c->status;
		l->by |= 1u << word;
		break;
	case OPT_UPDATE: l->update = optarg; break;
	case OPT_NAME: l->name = optarg; break;
	case OPT_DENIED: l->with_denied = true; break;
	default: l->output = optarg;
	}
	return STATUS_OK;
}

static bool all_options(struct learning *l, int argc, char **argv)
{
	int opt;
	while ((opt = options_next(l->cmd, argc, argv)) != OPT_END)
		if (opt == OPT_STOP || (l->cmd->status = option(l, opt)))
			return false;
	return true;
}

static int check(struct learning *l, int argc)
{
	struct cmd *c = l->cmd;
	size_t n = l->name ? strlen(l->name) : 1;
	bool given = where_given(c);
	if (!l->command && optind < argc)
		return usage_error(c, NULL, "more than one cgroup given (a command stands behind --)");
	if (l->said && given)
		return usage_error(c, NULL, "name one cgroup");
	if (l->command && (l->said || given))
		return usage_error(c, "a command is recorded in a cgroup of its own: leave the cgroup out", "a cgroup and a command");
	l->watches = l->command || l->said || given;
	if (!l->watches && !l->nrecords)
		return usage_error(c, NULL, "no cgroup and no command given");
	if (!l->watches && (l->for_ns || l->permissive))
		return usage_error(c, NULL, "%s is for what is recorded: no cgroup and no command given",
		                   l->permissive ? "--permissive" : "--for");
	if (l->watches && l->nrecords > 1)
		return usage_error(c, "add several up without a cgroup or command: " PROGRAM " learn --record A --record B",
		                   "one file at a time is recorded into");
	if (l->watches && l->nrecords && !strcmp(l->records[0], "-"))
		return usage_error(c, "name a file", "--record -: what is recorded is added to a file");
	if (c->settings.nparams && !l->update)
		return usage_error(c, NULL, "--param is for the policy of --update");
	if (l->name && l->update)
		return usage_error(c, NULL, "--update keeps the policy's name: leave --name out");
	if (!n || n >= IMAGE_NAME_MAX || (l->name && strspn(l->name, POLICY_NAME_BYTES) != n))
		return usage_error(c, "a policy's name has 1 to 63 letters, digits, '-', '_' and '.'", "--name %s", l->name);
	return STATUS_OK;
}

static bool parse(struct learning *l, int argc, char **argv)
{
	if (!all_options(l, argc, argv))
		return false;
	if (optind < argc && strcmp(argv[optind - 1], "--")) {
		l->said = argv[optind++];
		if (!all_options(l, argc, argv))
			return false;
	}
	if (optind < argc && !strcmp(argv[optind - 1], "--"))
		l->command = argv + optind;
	return !(l->cmd->status = check(l, argc));
}

/* ---- the policy ------------------------------------------------------------------------------- */

/* What was recorded, as a policy's name has it: the command, the cgroup, the file. */
static const char *policy_name(struct learning *l)
{
	struct cmd *c = l->cmd;
	const char *from = l->command ? l->command[0] : l->cgroup ? l->cgroup->path : l->records[0], *slash = strrchr(from, '/');
	char *name = arena_strndup(c->arena, slash && slash[1] ? slash + 1 : from, IMAGE_NAME_MAX - 1), *dot = strrchr(name, '.');
	bool unit = dot && (!strcmp(dot, ".service") || !strcmp(dot, ".scope") || !strcmp(dot, ".slice"));
	if (dot > name && !l->command && (unit || !l->cgroup))
		*dot = '\0';
	for (char *at = name; *at; at++)
		*at = strchr(POLICY_NAME_BYTES, *at) ? *at : '-';
	return *name ? name : "learned";
}

static const char *what_was_recorded(struct learning *l)
{
	struct cmd *c = l->cmd;
	const char *from = l->command ? l->command[0] : l->cgroup ? l->cgroup->path + strlen(l->cgroup->mount) : NULL;
	return from && *from ? text_safe(c->arena, from, strlen(from), 200) : NULL;
}

static int write_policy(struct learning *l)
{
	struct cmd *c = l->cmd;
	struct proof proof = {0};
	struct arena_stream s;
	struct output out;
	const struct learn_text t = {.host = &host_dev, .name = l->name ? l->name : policy_name(l), .from = what_was_recorded(l)};
	learned_ruby(arena_stream(c->arena, &s), c->arena, &l->all, &t);
	const char *text = arena_text(c->arena, &s);
	diags_flush(c);
	int status = learned_prove(l, text, s.len, l->output ? l->output : "the learned policy", &proof);
	if (!status && (l->output || !c->json.on)) {
		status = output_open(c, l->output, OUTPUT_TEXT, &out) ? STATUS_FAILED : STATUS_OK;
		if (!status)
			fwrite(text, 1, s.len, out.file);
		status = status ? status : output_close(c, &out) ? STATUS_FAILED : STATUS_OK;
	}
	if (!status)
		learned_tell(l, &proof);
	if (c->json.on && !status)
		learned_json(l, &proof, "policy", text);
	unit_end(&proof.unit);
	return status;
}

static int learned(struct learning *l)
{
	struct cmd *c = l->cmd;
	int status = recordings_read(l);
	if (!status && l->update && l->watches)
		status = learned_update_check(l);
	if (!status && l->watches)
		status = outputs_check(l);
	if (status)
		return status;
	if (l->watches && (status = requesters_check(l)))
		return status;
	if (l->watches) {
		if (!l->update)
			filters_load(l);
		diags_flush(c);
		if ((status = learn_record(l)))
			return status;
		learned_host_names(l);
	} else {
		learned_sort(&l->all);
	}
	if ((status = recording_write(l)))
		return status;
	if (l->with_denied)
		l->opened = learned_open_denied(&l->all);
	status = l->update ? learned_update(l) : write_policy(l);
	if (!status)
		status = l->status ? l->status : l->all.lost ? STATUS_FAILED : STATUS_OK;
	return status;
}

static int learn(struct cmd *c, int argc, char **argv)
{
	static struct learning l;
	l = (struct learning){.cmd = c, .arena = cmd_arena(c)};
	c->status = STATUS_OK;
	bool go_on = parse(&l, argc, argv);
	int status = c->status;
	learned_start(l.arena, l.by, &l.all);
	if (go_on && (l.said || where_given(c)) && where_open(c, l.said, WHERE_LOOK, &l.cgroup))
		status = STATUS_FAILED;
	else if (go_on)
		status = learned(&l);
	unit_end(&l.before);
	cgroup_close(l.cgroup);
	arena_free(l.arena);
	return status;
}

const struct verb verb_learn = {
	.name = "learn",
	.synopsis = "CGROUP | --self | --unit UNIT | -- COMMAND ARG... | --record FILE...\n"
		"       [--for T] [--record FILE] [--permissive] [--by uid|exe]... [--with-denied]\n"
		"       [--update POLICY [--param K=V]...] [--name NAME] [-o FILE] [--json]",
	.usage = "CGROUP | -- COMMAND ARG... | --record FILE...",
	.example = PROGRAM " learn -o cat.rb -- cat /dev/null",
	.summary = "Write the least policy for what a cgroup or a command asks for",
	.help = "Every device request of the cgroup and those below it is recorded, until Ctrl-C,\n"
		"--for, or the end of the cgroup; of a command in a transient cgroup until it\n"
		"ends. Then the policy goes to stdout: what was let pass, by name, with who used\n"
		"it how often. It is compiled, asked about all that was recorded, and compared\n"
		"with what filters now. Needs Linux 5.18; 6.1 to see what is below the cgroup.\n"
		"The exit status is that of the command, as of run; 1 if the recording is not\n"
		"complete.\n\n"
		"  --for T           end after that time: 60, 30m, 1h30m; a command is ended too\n"
		"  --record FILE     add the recording to FILE; without a cgroup and command the\n"
		"                    policy is for all the FILEs that are named\n"
		"  --permissive      let pass what filters deny, while it is recorded\n"
		"  --by uid          rules for the users who asked\n"
		"  --by exe          rules for the programs that asked, by their files\n"
		"  --with-denied     allow what was denied, too; else it is a comment\n"
		"  --update POLICY   instead of a policy a patch, with what is missing in POLICY\n"
		"  --name NAME       of the policy, by default the command's or the cgroup's\n"
		"  -o, --output FILE by default stdout\n",
	.shorts = "+:ho:",
	.longs = options,
	.json = true,
	.main = learn,
};
