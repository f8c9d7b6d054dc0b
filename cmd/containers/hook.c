/*
 * hook.c - the OCI hook: guards a container before its first instruction.
 *
 * Everything is made ready, attached and read back before the runtime goes on; what
 * fails makes the container's creation fail. The guard is a pinned bpf_link, see
 * cgroup/README.md.
 */
#include "cmd/containers/hook.h"
#include "cgroup/cgroup.h"
#include "cmd/containers/guard.h"
#include "cmd/options.h"
#include "cmd/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const struct option options[] = {HOOK_OPTIONS, OPTION_HELP, {0}};

struct hook {
	struct hook_options options;
	struct hook_state state;
	struct container_process process;
	struct cgroup *cgroup;
	bool unguarded; /* the manifest says so */
};

/* STATUS_OK, another status, or -1: the help was printed. */
static int parse(struct cmd *c, int argc, char **argv, struct hook_options *o)
{
	int opt, status;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status ? c->status : -1;
		if ((status = hook_option(c, opt, o)))
			return status;
	}
	if (optind < argc)
		return usage_error(c, "the container comes on stdin; a policy is named by --policy",
		                   "oci-hook takes no operand: %s", argv[optind]);
	return hook_options_check(c, o);
}

/* ---- the policy ------------------------------------------------------------------------- */

static int policy_of_file(struct cmd *c, const char *policy, struct unit *u)
{
	int fd, status = open_trusted_file(c, policy, "chown root, chmod go-w, and no symbolic links", &fd);
	return status ? status
	              : unit_load_fd(c, &c->settings, fd, policy, &(struct load){.depth = LOAD_IMAGE, .kernel = true}, u);
}

/* The bundle's own linux.resources.devices. */
static int policy_of_spec(struct cmd *c, const struct hook *h, struct unit *u)
{
	const char *path = arena_printf(c->args, "%s/config.json", h->state.bundle);
	return unit_load_spec(c, &c->settings, path, &(struct load){.depth = LOAD_IMAGE, .kernel = true}, u);
}

static int policy_of_manifest(struct cmd *c, struct hook *h, struct unit *u)
{
	struct manifest *m;
	struct ruling r;
	int status = manifest_load(c, c->args, hook_manifest(&h->options), true, &m);
	if (status)
		return status;
	struct container who = {.id = h->state.id,
	                        .cgroup = h->cgroup->path + strlen(h->cgroup->mount),
	                        .rootless = geteuid() != 0,
	                        .annotations = h->state.annotations,
	                        .nannotations = h->state.nannotations};
	container_describe(&who);
	if (manifest_choose(c->arena, &c->diags, m, &who, &r))
		return STATUS_REFUSED;
	if (r.kind == RULING_POLICY)
		return ruling_load(c, &c->settings, m, &r, &(struct load){.depth = LOAD_IMAGE, .kernel = true}, u, NULL);
	h->unguarded = r.kind == RULING_NONE;
	if (h->unguarded)
		return STATUS_OK;
	manifest_fail(m, &c->diags, r.at, "add an entry that matches the container, or another default",
	              "container %s is refused: %s", h->state.id, r.why);
	return STATUS_REFUSED;
}

/* ---- the guard ---------------------------------------------------------------------------- */

static int attach(struct cmd *c, const struct hook *h, struct unit *u)
{
	struct program *program;
	if (cgroup_lock(h->cgroup, &c->diags))
		return STATUS_FAILED;
	int64_t before = link_program(h->cgroup);
	if (before < 0)
		diag_fail(&c->diags, error_hint(c->arena, (int)-before, "start the container again"),
		          "cannot tell what guards '%s': %s", h->cgroup->path, strerror((int)-before));
	int failed = before < 0 || unit_program(c, u, (uint32_t)before, &program);
	if (!failed) {
		failed = link_attach(c->arena, &c->diags, h->cgroup, program, u->policy->name);
		program_close(program);
	}
	cgroup_unlock(h->cgroup);
	if (!failed && container_confirm(c->arena, &c->diags, &h->process, h->cgroup)) {
		if (!before) /* what was there stays guarded */
			link_detach(&c->diags, h->cgroup);
		failed = -1;
	}
	/* also of a guard that is there and could not be confirmed: its container may start */
	if (!failed || (!before && link_program(h->cgroup)))
		link_keeper(c->arena, &c->diags, h->cgroup);
	return failed ? STATUS_FAILED : STATUS_OK;
}

static int guard(struct cmd *c, struct hook *h)
{
	struct unit u;
	int status = hook_state_read(c, &h->state);
	if (status)
		return status;
	link_sweep();
	if (h->state.status && !strcmp(h->state.status, "stopped"))
		return STATUS_OK; /* a poststop hook: nothing is left to do */
	if (container_open(c->arena, &c->diags, h->state.pid, &h->process, &h->cgroup))
		return STATUS_FAILED;
	const struct hook_options *o = &h->options;
	status = o->policy      ? policy_of_file(c, o->policy, &u)
	         : o->from_spec ? policy_of_spec(c, h, &u)
	                        : policy_of_manifest(c, h, &u);
	if (!status && !h->unguarded)
		status = attach(c, h, &u);
	cgroup_close(h->cgroup);
	container_close(&h->process);
	return status;
}

static bool is_null(int fd)
{
	struct stat st;
	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* crun throws away what its hooks say. Then the reason goes where the runtime itself
 * speaks to its user: pidfd_getfd(2), since Linux 5.6. */
static void speak_up(void)
{
	if (!is_null(STDOUT_FILENO) || !is_null(STDERR_FILENO))
		return;
	int runtime = (int)syscall(SYS_pidfd_open, getppid(), 0);
	int fd = runtime < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, runtime, STDERR_FILENO, 0);
	if (fd >= 0) {
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
	if (runtime >= 0)
		close(runtime);
}

/* The first error there is. */
static const char *reason(const struct cmd *c)
{
	for (size_t i = 0; i < c->diags.n; i++)
		if (c->diags.items[i].level == DIAG_ERROR)
			return c->diags.items[i].text;
	return "no reason was given";
}

/* One line for the kernel's log, where the host's own watchers look: what a hook prints, runtimes
 * throw away. The kernel takes no more than some 960 bytes. */
static void tell_kernel(struct cmd *c, const char *id, const char *why)
{
	enum { LINE = 900 };
	char line[LINE + 2], text[LINE];
	const char *plain = arena_printf(c->arena, "container %.100s STARTS WITHOUT ITS DEVICE GUARD: %s", id, why);
	text_escape(text, sizeof text - 32, plain, strlen(plain));
	int n = snprintf(line, sizeof line, "<3>" PROGRAM ": %s\n", text);
	int fd = open("/dev/kmsg", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "give the hook the host's /dev/kmsg",
		         "the kernel's log could not be told: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int oci_hook(struct cmd *c, int argc, char **argv)
{
	struct hook h = {.process.pidfd = -1};
	c->cache = true;
	speak_up();
	int status = parse(c, argc, argv, &h.options);
	if (status)
		return status < 0 ? STATUS_OK : status;
	status = guard(c, &h);
	if (status && h.options.let_start) {
		const char *id = h.state.id ? h.state.id : "(unknown)";
		tell_kernel(c, id, reason(c));
		diags_flush(c);
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "without --on-error=allow it would not start",
		         "container %s STARTS WITHOUT ITS DEVICE GUARD, for the reason above", id);
		status = STATUS_OK;
	}
	return status;
}

const struct verb verb_oci_hook = {
	.name = HOOK_VERB,
	.synopsis = "[--policy FILE | --config FILE | --policy-from-spec] [--param K=V]...\n"
		    "                           [--mode MODE] [--audit LEVEL] [--ring SIZE] [--on-error refuse|allow]",
	.summary = "Guard a container that a runtime is making (createRuntime or prestart hook)",
	.help = "Reads the container's state from stdin, finds its cgroup by the pid, attaches the policy\n"
		"and reads back that the kernel asks it; only then the runtime goes on. What fails makes\n"
		"the container's creation fail. Nothing is needed when the container ends.\n\n"
		"  --policy FILE        this policy (.rb or .o), absolute; only root may have written it\n"
		"  --config FILE        the manifest that chooses; default " MANIFEST "\n"
		"  --policy-from-spec   the bundle's own linux.resources.devices, enforced as written\n"
		"  --on-error allow     start the container also without a guard (loudly)\n",
	.shorts = ":h",
	.longs = options,
	.json = false,
	.main = oci_hook,
};
