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
#include "cmd/grant/grant.h"
#include "cmd/options.h"
#include "cmd/unit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option options[] = {HOOK_OPTIONS, OPTION_HELP, {0}};

struct hook {
	struct hook_options options;
	struct hook_state state;
	struct container_process process;
	struct cgroup *cgroup;
	struct hook_root root;
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
		warn_of_names(c, u);
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

/* The first error there is. */
static const char *reason(const struct cmd *c)
{
	for (size_t i = 0; i < c->diags.n; i++)
		if (c->diags.items[i].level == DIAG_ERROR)
			return c->diags.items[i].text;
	return "no reason was given";
}

static const char *id_of(const struct hook *h)
{
	return h->state.id ? h->state.id : "(unknown)";
}

/* ---- without root's rights ------------------------------------------------------------------ */

/* A runtime that an ordinary user started is in a user namespace of that user's, and so is its hook.
 * Root's runtimes run their hooks (createRuntime, prestart) in the host's, also for a container that
 * has a user namespace. A hook that was put at a later stage is inside of the container: that one
 * is not taken for a user's. */
static bool is_rootless(const struct hook *h)
{
	return !initial_user_namespace() && container_elsewhere(h->state.pid);
}

/* Root itself may have gone into a user namespace (PrivateUsers= of systemd): its containers are
 * never skipped. */
static int without_root(struct cmd *c, const struct hook *h)
{
	static const char why[] = "(in a user namespace), where no BPF program can be loaded";
	bool ordinary = ordinary_user_namespace();
	if (!ordinary || h->options.rootless == ROOTLESS_REFUSE) {
		diag_fail(&c->diags,
		          ordinary ? "root can let such containers start without a guard: install-hook --rootless skip"
		                   : "run the engine in the host's user namespace, as root",
		          "it cannot be guarded: its runtime is %s %s", ordinary ? "rootless" : "root's, but not the host's", why);
		return STATUS_FAILED;
	}
	const char *text = arena_printf(c->arena, "container %s starts without a device guard: its runtime is rootless %s", id_of(h), why);
	hook_tell_syslog(text);
	hook_speak_up(true);
	diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "it opens what its user may open without it", "%s", text);
	return STATUS_OK;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static int guard(struct cmd *c, struct hook *h)
{
	struct unit u;
	int status = hook_state_read(c, &h->state);
	if (status)
		return status;
	link_sweep();
	if (h->state.status && !strcmp(h->state.status, "stopped"))
		return STATUS_OK; /* a poststop hook: nothing is left to do */
	if (is_rootless(h))
		return without_root(c, h);
	if (container_open(c->arena, &c->diags, h->state.pid, &h->process, &h->cgroup))
		return STATUS_FAILED;
	const struct hook_options *o = &h->options;
	status = o->policy      ? policy_of_file(c, o->policy, &u)
	         : o->from_spec ? policy_of_spec(c, h, &u)
	                        : policy_of_manifest(c, h, &u);
	if (!status && !h->unguarded)
		status = hook_root_find(c, &h->state, &h->process, h->cgroup, &u, &h->root);
	if (!status && !h->unguarded)
		status = attach(c, h, &u);
	hook_root_end(&h->root);
	if (!status)
		grants_rekey(c, h->state.id, h->cgroup);
	cgroup_close(h->cgroup);
	container_close(&h->process);
	return status;
}

static int start_anyway(struct cmd *c, const struct hook *h)
{
	int error = hook_tell_kernel(
		arena_printf(c->arena, "container %.100s STARTS WITHOUT ITS DEVICE GUARD: %s", id_of(h), reason(c)));
	if (error)
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "give the hook the host's /dev/kmsg",
		         "the kernel's log could not be told: %s", strerror(error));
	hook_speak_up(true);
	diags_flush(c);
	diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "without --on-error=allow it would not start",
	         "container %s STARTS WITHOUT ITS DEVICE GUARD, for the reason above", id_of(h));
	return STATUS_OK;
}

/* The reason, also where the host's own watchers look: engines do not all show what a hook prints. */
static int refused(struct cmd *c, const struct hook *h, int status)
{
	if (h->options.let_start)
		return start_anyway(c, h);
	hook_tell_kernel(arena_printf(c->arena, "container %.100s is refused: %s", id_of(h), reason(c)));
	return status;
}

/* Help was printed. A runtime that waits for a guard, its state on a pipe, must not take that for one. */
static int helped(struct cmd *c)
{
	struct stat st;
	if (fstat(STDIN_FILENO, &st) || !S_ISFIFO(st.st_mode))
		return STATUS_OK;
	return usage_error(c, "take --help out of the hook's arguments", "with --help nothing is guarded");
}

static int oci_hook(struct cmd *c, int argc, char **argv)
{
	struct hook h = {.process.pidfd = -1, .root.fd = -1};
	c->cache = true;
	hook_speak_up(false);
	int status = parse(c, argc, argv, &h.options);
	if (status)
		return status < 0 ? helped(c) : status;
	status = guard(c, &h);
	return status ? refused(c, &h, status) : STATUS_OK;
}

const struct verb verb_oci_hook = {
	.name = HOOK_VERB,
	.synopsis = "[--policy FILE | --config FILE | --policy-from-spec] [--param K=V]...\n"
		    "                           [--mode MODE] [--audit LEVEL] [--ring SIZE] [--on-error refuse|allow]\n"
		    "                           [--rootless refuse|skip]",
	.summary = "Guard a container that a runtime makes (createRuntime or prestart hook)",
	.help = "Reads the container's state from stdin, finds its cgroup by the pid, attaches\n"
		"the policy and reads back that the kernel asks it; only then the runtime goes\n"
		"on. What fails makes the container's creation fail. Nothing is needed when the\n"
		"container ends. Files that the policy names (ctx.exe) are the container's.\n\n"
		"  --policy FILE        this policy (.rb or .o), absolute; only root may have\n"
		"                       written it\n"
		"  --config FILE        the manifest that chooses; default\n"
		"                       " MANIFEST "\n"
		"  --policy-from-spec   the bundle's own linux.resources.devices, enforced as\n"
		"                       written\n"
		"  --on-error allow     start the container also without a guard (loudly)\n"
		"  --rootless refuse    a container that an ordinary user starts without root's\n"
		"                       rights cannot be guarded: refuse it (default skip: it\n"
		"                       starts, with a warning; it opens what that user may open\n"
		"                       anyway)\n",
	.shorts = ":h",
	.longs = options,
	.json = false,
	.main = oci_hook,
	.usage = "[--policy FILE | --config FILE | --policy-from-spec]",
	.example = PROGRAM " install-hook --print --policy-from-spec",
};
