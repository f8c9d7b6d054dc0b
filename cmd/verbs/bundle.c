/* bundle.c - writes a policy as one executable that applies itself: bundle/ makes it. */
#include "cmd/bundle/bundle.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"

#include <string.h>
#include <unistd.h>

static const struct option options[] = {
	{"output", required_argument, NULL, 'o'},
	OPTION_CLAIMS,
	OPTION_PARAM,
	OPTION_LIMIT,
	OPTION_UNCONFINED,
	OPTION_HELP,
	{0},
};

static int write_bundle(struct cmd *c, struct unit *u, const char *path)
{
	struct bytes stub, object, whole;
	struct output out;
	bool to_stdout = !strcmp(path, "-");
	if (to_stdout && isatty(STDOUT_FILENO)) {
		diag_fail(&c->diags, "name a file with -o, or redirect stdout", "an executable is not written to a terminal");
		return STATUS_FAILED;
	}
	bool handlers = u->policy->handlers.len;
	int status = stub_read(c, handlers ? STUB_RUBY : STUB_PLAIN, &stub);
	if (!status)
		status = unit_object(c, u, &object);
	if (status)
		return status;
	whole = bundle_join(c->arena, &stub, u->policy->name, &object);
	diags_flush(c);
	if (output_open(c, path, OUTPUT_PROGRAM, &out))
		return STATUS_FAILED;
	fwrite(whole.data, 1, whole.len, out.file);
	if (output_close(c, &out))
		return STATUS_FAILED;
	if (!to_stdout) {
		put_text(stdout, path);
		fputs(": ", stdout);
		put_text(stdout, u->policy->name);
		printf(" in one file of %zu bytes%s\n", whole.len, handlers ? ", with mruby for its handlers" : "");
	}
	return STATUS_OK;
}

static int bundle(struct cmd *c, int argc, char **argv)
{
	const char *path = NULL;
	struct unit u;
	int opt;
	while ((opt = options_next(c, argc, argv)) == 'o')
		path = optarg;
	if (opt != OPT_END)
		return c->status;
	if (argc - optind != 1)
		return usage_error(c, NULL, optind == argc ? "no policy given" : "one policy at a time, please");
	if (!path)
		return usage_error(c, NULL, "no file to write given: name it with -o");
	if (output_is_source(c, path, argv[optind]))
		return c->status;
	const struct load how = {.depth = LOAD_IMAGE, .policy_only = true, .keep = c->claims.n};
	int status = claims_open(c);
	if (!status)
		status = unit_load(c, &c->settings, argv[optind], &how, &u);
	if (!status)
		status = claims_ask(c, &u, NULL);
	return status ? status : write_bundle(c, &u, path);
}

const struct verb verb_bundle = {
	.name = "bundle",
	.synopsis = "POLICY -o FILE [--param K=V]... [--claims FILE]...",
	.usage = "POLICY -o FILE",
	.summary = "Write a policy as one executable that applies itself",
	.help = "FILE needs no library and no other file where it is run:\n\n"
		"  FILE apply CGROUP     proves the policy again, in a locked room like that of\n"
		"                        " PROGRAM ", and attaches it\n"
		"  FILE watch CGROUP     the same, and runs its handlers; an interpreter is in\n"
		"                        FILE only when the policy has any\n"
		"  FILE status [CGROUP]  what decides there\n"
		"  FILE detach CGROUP    takes it off\n"
		"  FILE explain          what it allows and denies\n"
		"  FILE help             has all of them, with their options\n\n"
		"Names of devices were looked up on the host that wrote FILE. Parameters that\n"
		"have a range can be set when it is applied.\n\n"
		"  -o, --output FILE     `-o -` is stdout\n",
	.shorts = ":ho:",
	.longs = options,
	.main = bundle,
	.example = "echo 'allow :null' | " PROGRAM " bundle - -o guard",
};
