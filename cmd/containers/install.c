/*
 * install.c - writes and removes the file by which podman and CRI-O find the OCI hook
 * (oci-hooks(5), schema 1.0.0), and the wrapper that it names (install_file.c).
 *
 * A hook that cannot work stops every container, so that everything it will need is
 * checked first.
 */
#include "cmd/containers/hook.h"
#include "cgroup/cgroup.h"
#include "cmd/containers/guard.h"
#include "cmd/options.h"
#include "cmd/unit.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What podman and CRI-O read when nothing else is configured; podman (4.3) does not read
 * /etc/containers/oci/hooks.d unless told to. */
#define DIRECTORY "/usr/share/containers/oci/hooks.d"

enum { HOOK_SECONDS = 30 }; /* then the runtime ends the hook, and the container with it */

enum { OPT_PRINT = OPT_HOOK_END, OPT_REMOVE, OPT_DIR, OPT_ANNOTATION, OPT_NAME, OPT_CONTAINERD, OPT_SPEC_FILE };
static const struct option options[] = {
	{"print", no_argument, NULL, OPT_PRINT},
	{"remove", no_argument, NULL, OPT_REMOVE},
	{"dir", required_argument, NULL, OPT_DIR},
	{"name", required_argument, NULL, OPT_NAME},
	{"annotation", required_argument, NULL, OPT_ANNOTATION},
	{"containerd", no_argument, NULL, OPT_CONTAINERD},
	{"spec", required_argument, NULL, OPT_SPEC_FILE},
	HOOK_OPTIONS,
	OPTION_HELP,
	{0},
};

struct install {
	const char *dir, *name, *path, *wrapper; /* dir, name: NULL when not given */
	const char *spec;                        /* of containerd, NULL when not given */
	bool print, remove, containerd;
	struct hook_options hook;
	json_t *annotations; /* pattern of the key to pattern of the value; NULL: all containers */
};

/* ---- the command line ---------------------------------------------------------------------- */

/* The schema takes a pattern also for the key: ours is meant as it stands. */
static const char *literal(struct cmd *c, const char *text)
{
	char *out = arena_alloc(c->args, 2 * strlen(text) + 3), *p = out;
	*p++ = '^';
	for (; *text; *p++ = *text++)
		if (strchr("\\.^$*+?()[]{}|", *text))
			*p++ = '\\';
	*p++ = '$';
	*p = '\0';
	return out;
}

static int add_annotation(struct cmd *c, struct install *in, const char *text)
{
	regex_t compiled;
	const char *eq = strchr(text, '='), *pattern = eq ? eq + 1 : ".*";
	const char *key = arena_strndup(c->args, text, eq ? (size_t)(eq - text) : strlen(text));
	if (!*key)
		return usage_error(c, "for example --annotation io.example.guard=^on$", "--annotation %s: no key", text);
	int error = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
	if (error) {
		char why[128];
		regerror(error, &compiled, why, sizeof why);
		return usage_error(c, "it is an extended regular expression, regex(7), and matches anywhere in the value",
		                   "--annotation %s: %s", text, why);
	}
	regfree(&compiled);
	if (!in->annotations)
		in->annotations = json_object();
	if (json_object_get(in->annotations, literal(c, key)))
		return usage_error(c, "give each annotation once", "--annotation %s: given twice", key);
	if (json_object_set_new(in->annotations, literal(c, key), json_string(pattern)))
		return usage_error(c, NULL, "--annotation %s: no valid UTF-8", text);
	return STATUS_OK;
}

static int option(struct cmd *c, struct install *in, int opt)
{
	switch (opt) {
	case OPT_PRINT: in->print = true; break;
	case OPT_REMOVE: in->remove = true; break;
	case OPT_DIR: in->dir = optarg; break;
	case OPT_NAME: in->name = optarg; break;
	case OPT_CONTAINERD: in->containerd = true; break;
	case OPT_SPEC_FILE: in->spec = optarg; break;
	case OPT_ANNOTATION: return add_annotation(c, in, optarg);
	default: return hook_option(c, opt, &in->hook);
	}
	return STATUS_OK;
}

static int check_containerd(struct cmd *c, struct install *in)
{
	if (in->dir || in->name || in->annotations || in->print)
		return usage_error(c, NULL, "--containerd takes neither --dir, --name, --annotation nor --print");
	if (!in->spec)
		in->spec = BASE_SPEC;
	return in->spec[0] == '/' ? STATUS_OK
	                          : usage_error(c, "name it from the root directory on", "--spec %s is no absolute path", in->spec);
}

static int check_place(struct cmd *c, struct install *in)
{
	if (in->spec)
		return usage_error(c, NULL, "--spec goes with --containerd");
	if (!in->dir)
		in->dir = DIRECTORY;
	if (!in->name)
		in->name = PROGRAM;
	if (in->dir[0] != '/')
		return usage_error(c, "name it from the root directory on", "--dir %s is no absolute path", in->dir);
	if (!*in->name || in->name[0] == '.' || strlen(in->name) > 200 ||
	    in->name[strspn(in->name, POLICY_NAME_BYTES)])
		return usage_error(c, "letters, digits, '-', '_' and '.'; the file is NAME.json",
		                   "--name %s: no name for a file", in->name);
	size_t n = strlen(in->dir);
	while (n > 1 && in->dir[n - 1] == '/')
		n--;
	in->dir = arena_strndup(c->args, in->dir, n);
	in->path = arena_printf(c->args, "%s/%s.json", in->dir, in->name);
	in->wrapper = arena_printf(c->args, "%s/%s.sh", in->dir, in->name);
	return STATUS_OK;
}

static int check_options(struct cmd *c, struct install *in)
{
	if (in->remove && (hook_options_given(c, &in->hook) || in->annotations || in->print))
		return usage_error(c, NULL, "--remove takes only %s", in->containerd ? "--containerd and --spec" : "--dir and --name");
	int status = hook_options_check(c, &in->hook);
	if (status)
		return status;
	return in->containerd ? check_containerd(c, in) : check_place(c, in);
}

/* STATUS_OK, another status, or -1: the help was printed. */
static int parse(struct cmd *c, int argc, char **argv, struct install *in)
{
	int opt, status;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status ? c->status : -1;
		if ((status = option(c, in, opt)))
			return status;
	}
	if (optind < argc)
		return usage_error(c, "a policy is named by --policy, a manifest by --config",
		                   "install-hook takes no operand: %s", argv[optind]);
	return check_options(c, in);
}

/* ---- what the hook will need --------------------------------------------------------------- */

/* The program that runs, as runtimes will find it. */
static int find_program(struct cmd *c, const char **out)
{
	char path[PATH_MAX];
	int fd;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n < 0) {
		diag_fail(&c->diags, "mount /proc", "cannot tell where this program is: %s", strerror(errno));
		return STATUS_FAILED;
	}
	*out = arena_strndup(c->args, path, (size_t)n);
	int status = open_trusted_file(c, *out, "runtimes start it as root, so that only root may be able to write it: `make "
	                                   "install`, and use the one installed", &fd);
	if (!status)
		close(fd);
	return status;
}

static int check_policy(struct cmd *c, const char *path)
{
	struct unit u;
	struct program *program;
	int fd, status = open_trusted_file(c, path, "chown root, chmod go-w, and no symbolic links", &fd);
	if (!status)
		status = unit_load_fd(c, &c->settings, fd, path, &(struct load){.depth = LOAD_IMAGE, .lint = true}, &u);
	if (status)
		return status;
	if (kernel_closed())
		return STATUS_OK;
	if (unit_program(c, &u, 0, &program))
		return STATUS_FAILED;
	program_close(program);
	return STATUS_OK;
}

static int check_rules(struct cmd *c, const struct install *in)
{
	if (in->hook.from_spec)
		return STATUS_OK; /* each bundle has its own */
	int status = in->hook.policy ? check_policy(c, in->hook.policy) : prove_manifest(c, hook_manifest(&in->hook));
	diags_flush(c);
	cmd_reset(c);
	return status;
}

/* ---- the file -------------------------------------------------------------------------------- */

static json_t *hook_json(struct cmd *c, const struct install *in, const char *program)
{
	json_t *when = in->annotations ? json_pack("{s:O}", "annotations", in->annotations)
	                               : json_pack("{s:b}", "always", 1);
	return json_pack("{s:s, s:{s:s, s:o, s:i}, s:o, s:[s]}", "version", "1.0.0", "hook", "path", program, "args",
	                 hook_arguments(c, &in->hook), "timeout", HOOK_SECONDS, "when", when, "stages", "createRuntime");
}

/* The wrapper first: there is no moment when the hook names what is not there. */
static int write_hook(struct cmd *c, const struct install *in, const char *program, const char *text)
{
	int there = hook_file_ours(c, in->path);
	if (there < 0 || wrapper_ours(c, in->wrapper) < 0 || (!there && make_directories(c, in->dir)))
		return STATUS_FAILED;
	int status = hook_file_write(c, in->wrapper, wrapper_text(c, program), 0755);
	if (!status)
		status = hook_file_write(c, in->path, text, 0644);
	if (status && !there)
		unlink(in->wrapper);
	if (status)
		return status;
	put_text(stdout, in->path);
	printf(": %s; for %s\n", there ? "replaced" : "installed",
	       in->annotations ? "containers with the annotation" : "every container");
	return STATUS_OK;
}

/* The hook first, for the same reason. */
static int remove_hook(struct cmd *c, const struct install *in)
{
	int there = hook_file_ours(c, in->path), wrapper = there < 0 ? 0 : wrapper_ours(c, in->wrapper);
	if (there < 0 || wrapper < 0)
		return STATUS_FAILED;
	const char *path = in->path;
	int failed = there && unlink(path) && errno != ENOENT;
	if (!failed && wrapper) {
		path = in->wrapper;
		failed = unlink(path) && errno != ENOENT;
	}
	if (failed) {
		diag_fail(&c->diags, hook_file_hint(errno), "cannot remove %s: %s", path, strerror(errno));
		return STATUS_FAILED;
	}
	put_text(stdout, in->path);
	puts(there ? ": removed; containers that run stay guarded" : ": not there");
	return STATUS_OK;
}

/* Root of a user namespace can have hooks run, and guard nothing. */
static int check_namespace(struct cmd *c, const struct install *in)
{
	if (initial_user_namespace() || in->hook.rootless_given)
		return STATUS_OK;
	diag_fail(&c->diags, "install it on the host; or give --rootless refuse, or skip, where the file is for another host",
	          "this is a user namespace, where no container can be guarded: all would start without a guard");
	return STATUS_FAILED;
}

/* The text goes to stdout, or to the hook's file. */
static int put_hook(struct cmd *c, const struct install *in, const char *program, json_t *hook)
{
	char *json = json_dumps(hook, JSON_INDENT(2));
	if (!json)
		cmd_no_memory(c);
	const char *text = arena_printf(c->args, "%s\n", json);
	free(json);
	if (!in->print)
		return write_hook(c, in, program, text);
	fputs(text, stdout); /* stdout_finish() says what went wrong */
	return STATUS_OK;
}

static int install(struct cmd *c, const struct install *in)
{
	const char *program;
	int status = check_namespace(c, in);
	if (!status)
		status = find_program(c, &program);
	if (!status)
		status = check_rules(c, in);
	if (status)
		return status;
	if (in->hook.let_start)
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "without --on-error allow they do not start",
		         "containers that cannot be guarded WILL START WITHOUT A DEVICE GUARD");
	json_t *hook = hook_json(c, in, in->print || in->containerd ? program : in->wrapper);
	if (!hook) {
		diag_fail(&c->diags, "use names in UTF-8", "a path is no valid UTF-8, as JSON must be");
		return STATUS_FAILED;
	}
	status = in->containerd ? base_spec_install(c, in->spec, json_object_get(hook, "hook"))
	                        : put_hook(c, in, program, hook);
	json_decref(hook);
	return status;
}

static int install_hook(struct cmd *c, int argc, char **argv)
{
	struct install in = {0};
	int status = parse(c, argc, argv, &in);
	if (!status && in.remove)
		status = in.containerd ? base_spec_remove(c, in.spec) : remove_hook(c, &in);
	else if (!status)
		status = install(c, &in);
	json_decref(in.annotations);
	return status < 0 ? STATUS_OK : status;
}

const struct verb verb_install_hook = {
	.name = "install-hook",
	.synopsis = "[--print | --remove] [--dir DIR] [--name NAME] [--annotation KEY[=REGEX]]...\n"
		    "                           [--containerd [--spec FILE]]\n"
		    "                           [--policy FILE | --config FILE | --policy-from-spec]\n"
		    "                           [--param K=V]... [--mode MODE] [--audit LEVEL] [--ring SIZE]\n"
		    "                           [--on-error refuse|allow] [--rootless refuse|skip]",
	.summary = "Have podman, CRI-O or containerd call oci-hook for containers they make",
	.help = "Writes DIR/NAME.json, once the manifest or policy was checked as the hook will\n"
		"find it, and DIR/NAME.sh, which it names: that runs this program, and refuses\n"
		"the container when this program is gone (engines pass over a hook that is not\n"
		"there). Other files are never changed.\n\n"
		"  --print              print the hook with this program itself, for runtimes\n"
		"                       that refuse a container whose hook is not there; write\n"
		"                       nothing\n"
		"  --remove             remove both; running containers stay guarded\n"
		"  --dir DIR            default " DIRECTORY "; any other\n"
		"                       one must be named in hooks_dir of the engine's\n"
		"                       configuration\n"
		"  --name NAME          of the file, default " PROGRAM "\n"
		"  --annotation K[=RE]  only containers with the annotation K, its value matching\n"
		"                       RE (several: all of them); the others start WITHOUT a\n"
		"                       guard\n"
		"  --containerd         write the specification that containerd begins with\n"
		"                       (CRI): the one on stdin, of `ctr oci spec`, with the\n"
		"                       hook, without the limit of 1,024 files; --remove takes\n"
		"                       the hook out, and the file stays\n"
		"  --spec FILE          where to; default\n"
		"                       " BASE_SPEC "\n"
		"  --policy FILE, --config FILE, --policy-from-spec, --on-error refuse|allow,\n"
		"  --rootless refuse|skip\n"
		"                       handed to oci-hook; default --config\n"
		"                       " MANIFEST "\n",
	.shorts = ":h",
	.longs = options,
	.json = false,
	.main = install_hook,
	.usage = "[--policy FILE | --config FILE | --policy-from-spec]",
	.example = PROGRAM " install-hook --print --policy-from-spec",
};
