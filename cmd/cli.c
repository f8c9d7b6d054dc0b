/*
 * cli.c - the way from a command line to a verb and back, for every program that has a table of verbs:
 * the tool, and what `bundle` writes.
 */
#include "cmd/cli.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/room/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct verb *find_verb(const struct cli *p, const char *name)
{
	for (size_t i = 0; i < p->nverbs; i++)
		if (strcmp(p->verbs[i]->name, name) == 0)
			return p->verbs[i];
	return NULL;
}

static void print_help(const struct cli *p)
{
	const int indent = (int)strlen("      ") + (int)strlen(p->name);
	put_text(stdout, p->name);
	printf(": %s\n\nusage:\n", p->summary);
	for (size_t i = 0; i < p->nverbs; i++) {
		printf("  ");
		put_text(stdout, p->name);
		print_synopsis(p->verbs[i], (int)strlen(p->name) + 2 + printf(" %s", p->verbs[i]->name), indent);
		printf("      %s\n", p->verbs[i]->summary);
	}
	fputs("  ", stdout);
	put_text(stdout, p->name);
	fputs(" help [VERB]\n  ", stdout);
	put_text(stdout, p->name);
	printf(" --version\n\n%s", p->words);
}

static int unknown_verb(struct cmd *c, const char *name)
{
	const struct cli *p = c->cli;
	const char **names = arena_alloc(c->arena, (p->nverbs + 2) * sizeof *names);
	for (size_t i = 0; i < p->nverbs; i++)
		names[i] = p->verbs[i]->name;
	names[p->nverbs] = "help";
	names[p->nverbs + 1] = "--version";
	const char *near = did_you_mean(name, names, p->nverbs + 2);
	if (name[0] == '-')
		return usage_error(c, arena_printf(c->arena, "options come after the verb, see: %s help", p->name),
		                   "unknown option %s", name);
	return usage_error(c, near ? arena_printf(c->arena, "did you mean %s?", near) : NULL,
	                   "unknown verb '%s'", name);
}

static void print_help_help(const struct cli *p)
{
	fputs("usage: ", stdout);
	put_text(stdout, p->name);
	fputs(" help [VERB]\n\n"
	      "Without VERB: a list of all verbs. With it: what it takes, its options, and an example.\n\n"
	      "For example:\n  ", stdout);
	put_text(stdout, p->name);
	printf(" help %s\n", p->helped);
}

/* n words: none, a verb, or --options for the completions and the tests: a line a verb. */
static int help(struct cmd *c, int n, char **words)
{
	const struct cli *p = c->cli;
	const char *name = n ? words[0] : NULL;
	const struct verb *v = name ? find_verb(p, name) : NULL;
	if (n > 1)
		return usage_error(c, arena_printf(c->arena, "usage: %s help [VERB]\nfor example: %s help %s", p->name, p->name, p->helped),
		                   "help takes one verb");
	if (!name) {
		print_help(p);
	} else if (!strcmp(name, "--options")) {
		for (size_t i = 0; i < p->nverbs; i++)
			print_verb_options(p->verbs[i]);
	} else if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
		print_help_help(p);
	} else if (v) {
		print_verb_help(c, v);
	} else {
		return unknown_verb(c, name);
	}
	return STATUS_OK;
}

static int dispatch(struct cmd *c, int argc, char **argv)
{
	const struct cli *p = c->cli;
	const char *name = argc > 1 ? argv[1] : NULL;
	if (!name)
		return usage_error(c, arena_printf(c->arena, "usage: %s VERB ...; the verbs: %s help\nfor example: %s", p->name, p->name,
		                                   example_text(c, p->example)),
		                   "no verb given");
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(c, argc - 2, argv + 2);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		p->print_version(c);
		if (confine_widened())
			puts(confine_widened());
		return STATUS_OK;
	}
	c->verb = find_verb(p, name);
	if (!c->verb)
		return unknown_verb(c, name);
	opterr = 0;
	optind = 0;
	int status = limits_from_environment(c);
	return status ? status : c->verb->main(c, argc - 1, argv + 1);
}

/* --json decides how everything is said, also the errors before it is parsed. */
static bool wants_json(const struct cli *p, int argc, char **argv)
{
	const struct verb *v = argc > 1 ? find_verb(p, argv[1]) : NULL;
	if (v && !v->json)
		return false;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

/* jansson answers a failed allocation with silence: say it instead. */
static void *json_memory(size_t size)
{
	void *p = malloc(size);
	if (!p) {
		fputs(PROGRAM ": error: out of memory\n", stderr);
		_Exit(STATUS_FAILED);
	}
	return p;
}

/* No verb needs more by itself; with fewer, what cannot be opened would be taken for what is not
 * there. */
static bool descriptors_suffice(struct cmd *c)
{
	enum { NEEDED = 32 };
	int fds[NEEDED], n = 0;
	while (n < NEEDED && (fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	bool suffice = n == NEEDED;
	int error = errno;
	while (n)
		close(fds[--n]);
	if (!suffice)
		diag_fail(&c->diags, error_hint(c->arena, error, NULL), "there must be room for %d open files: %s", NEEDED,
		          strerror(error));
	return suffice;
}

static int run(struct cmd *c, int argc, char **argv)
{
	if (setjmp(c->no_memory)) {
		const char *hint = c->changed ? "what was done stays done: " PROGRAM " status shows what is attached"
		                              : "a smaller policy, or a larger limit, is needed";
		if (c->json.on)
			printf("{\"schema\": \"" JSON_SCHEMA "\", \"exit\": 1, \"diagnostics\": "
			       "[{\"level\": \"error\", \"text\": \"out of memory\", \"hint\": \"%s\"}]}\n", hint);
		fprintf(stderr, PROGRAM ": error: out of memory\n  hint: %s\n", hint);
		return STATUS_FAILED;
	}
	c->args = cmd_arena(c);
	cmd_reset(c);
	c->json.on = wants_json(c->cli, argc, argv);
	if (c->json.on)
		c->json.out = json_object();
	int status = descriptors_suffice(c) ? dispatch(c, argc, argv) : STATUS_FAILED;
	diags_flush(c);
	if (c->json.on && !c->json.printed)
		json_finish(c, status);
	return stdout_finish(c, status);
}

/* With stdin, stdout or stderr closed, a file opened later would take its place
 * and be written to. O_PATH: neither read nor written, and no device is needed. */
static void fill_standard_fds(void)
{
	int fd;
	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int cli_main(const struct cli *p, int argc, char **argv)
{
	fill_standard_fds();
	static struct cmd c;
	c.cli = p;
	c.before.chld = signal(SIGCHLD, SIG_DFL); /* ignored, it would take the status of our children away */
	c.before.xfsz = signal(SIGXFSZ, SIG_IGN); /* beyond a limit, writing fails and says so */
	static char err_buffer[4096];
	setvbuf(stderr, err_buffer, _IOLBF, sizeof err_buffer);
	json_set_alloc_funcs(json_memory, free);
	int status = run(&c, argc, argv);
	cmd_forget(&c);
	arena_free(c.args);
	confine_plan_free(c.rooms.plan);
	json_decref(c.json.out);
	json_decref(c.json.diagnostics);
	json_decref(c.json.taken);
	return status;
}
