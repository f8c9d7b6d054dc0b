/*
 * main.c - the table of verbs, what `help` and `--version` print, and the way to a verb
 * and back.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/room/confine.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DEVGUARD_VERSION
#error "DEVGUARD_VERSION comes from the Makefile"
#endif
#ifndef DEVGUARD_MRUBY_VERSION
#define DEVGUARD_MRUBY_VERSION "unknown"
#endif

static const struct verb *const verbs[] = {
#define VERB(name) &verb_##name,
#include "cmd/verbs.def"
};
enum { NVERBS = sizeof verbs / sizeof *verbs };

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static void print_help(void)
{
	printf("%s: device policies written in Ruby, decided by the kernel.\n\nusage:\n", PROGRAM);
	for (size_t i = 0; i < NVERBS; i++) {
		print_synopsis(verbs[i], printf("  %s %s", PROGRAM, verbs[i]->name), (int)strlen("      " PROGRAM));
		printf("      %s\n", verbs[i]->summary);
	}
	printf("  %s help [VERB]\n  %s --version\n\n"
	       "POLICY is a Ruby policy (.rb), a compiled one (.o), or - for stdin.\n"
	       "SOURCE is a policy; or what the kernel has, whoever wrote it: prog:ID,\n"
	       "cgroup:CGROUP (what is attached there), effective:CGROUP (with all above it);\n"
	       "or a list of another tool, with a file behind its word: oci: docker: inspect:\n"
	       "compose: quadlet: cdi: systemd: lxc: proxmox: libvirt: slurm: v1:\n"
	       "CGROUP is a directory, /web as audit prints it, a unit (web.service), a\n"
	       "container's name or the beginning of its id, or a PID.\n"
	       "REQUEST is 'c 1:3 rw' (type, major:minor, any of r w m), or '/dev/null rw',\n"
	       "followed by what is known of the caller: 'c 1:3 rw uid=1000 comm=qemu'.\n\n"
	       "Exit status: 0 ok or allow; 1 failed; 2 deny, a test failed, or what is compared\n"
	       "differs; 3 the policy is refused; 4 what audit or stats read was detached;\n"
	       "64 the command line is wrong.\n",
	       PROGRAM, PROGRAM);
}

static void print_version(void)
{
	printf("%s %s (mruby %s, libbpf %s)\n", PROGRAM, DEVGUARD_VERSION, DEVGUARD_MRUBY_VERSION,
	       libbpf_version_string() + (libbpf_version_string()[0] == 'v'));
	if (confine_widened())
		puts(confine_widened());
}

static int unknown_verb(struct cmd *c, const char *name)
{
	const char *names[NVERBS + 2] = {[NVERBS] = "help", "--version"};
	for (size_t i = 0; i < NVERBS; i++)
		names[i] = verbs[i]->name;
	const char *near = did_you_mean(name, names, NVERBS + 2);
	if (name[0] == '-')
		return usage_error(c, "options come after the verb, see: " PROGRAM " help",
		                   "unknown option %s", name);
	return usage_error(c, near ? arena_printf(c->arena, "did you mean %s?", near) : NULL,
	                   "unknown verb '%s'", name);
}

static void print_help_help(void)
{
	puts("usage: " PROGRAM " help [VERB]\n\n"
	     "Without VERB: a list of all verbs. With it: what it takes, its options, and an example.\n\n"
	     "For example:\n  " PROGRAM " help eval");
}

/* n words: none, a verb, or --options for the completions and the tests: a line a verb. */
static int help(struct cmd *c, int n, char **words)
{
	const char *name = n ? words[0] : NULL;
	const struct verb *v = name ? find_verb(name) : NULL;
	if (n > 1)
		return usage_error(c, "usage: " PROGRAM " help [VERB]\nfor example: " PROGRAM " help eval",
		                   "help takes one verb");
	if (!name) {
		print_help();
	} else if (!strcmp(name, "--options")) {
		for (size_t i = 0; i < NVERBS; i++)
			print_verb_options(verbs[i]);
	} else if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
		print_help_help();
	} else if (v) {
		print_verb_help(v);
	} else {
		return unknown_verb(c, name);
	}
	return STATUS_OK;
}

static int dispatch(struct cmd *c, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	if (!name)
		return usage_error(c, "usage: " PROGRAM " VERB ...; the verbs: " PROGRAM " help\n"
		                      "for example: echo 'allow :null' | " PROGRAM " eval - 'c 1:3 rw'", "no verb given");
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(c, argc - 2, argv + 2);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		print_version();
		return STATUS_OK;
	}
	c->verb = find_verb(name);
	if (!c->verb)
		return unknown_verb(c, name);
	opterr = 0;
	optind = 0;
	int status = limits_from_environment(c);
	return status ? status : c->verb->main(c, argc - 1, argv + 1);
}

/* --json decides how everything is said, also the errors before it is parsed. */
static bool wants_json(int argc, char **argv)
{
	const struct verb *v = argc > 1 ? find_verb(argv[1]) : NULL;
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
		if (c->json.on)
			puts("{\"schema\": \"" JSON_SCHEMA "\", \"exit\": 1, \"diagnostics\": "
			     "[{\"level\": \"error\", \"text\": \"out of memory\"}]}");
		fputs(PROGRAM ": error: out of memory\n"
		              "  hint: a smaller policy, or a larger limit, is needed\n",
		      stderr);
		return STATUS_FAILED;
	}
	c->args = cmd_arena(c);
	cmd_reset(c);
	c->json.on = wants_json(argc, argv);
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

int main(int argc, char **argv)
{
	fill_standard_fds();
	static struct cmd c;
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
