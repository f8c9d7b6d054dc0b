/*
 * hook.h - the OCI hook: what `oci-hook` and `install-hook` share.
 */
#ifndef DEVGUARD_CMD_CONTAINERS_HOOK_H
#define DEVGUARD_CMD_CONTAINERS_HOOK_H

#include <sys/types.h>

#include "cgroup/who.h"
#include "cmd/cmd.h"
#include "cmd/containers/guard.h"
#include "cmd/options.h"

struct container_process;

/* The manifest, unless another one is named. */
#define MANIFEST "/etc/rucy-devguard/guard.yaml"
/* The specification that containerd takes the hook from, unless another one is named. */
#define BASE_SPEC "/etc/rucy-devguard/containerd-spec.json"
/* The verb that runtimes run. */
#define HOOK_VERB "oci-hook"

/* ---- hook_state.c ---------------------------------------------------------------------- */

struct hook_state {
	const char *id, *bundle;
	const char *status; /* NULL: not told */
	int64_t pid;        /* 0: not told */
	const struct annotation *annotations;
	size_t nannotations;
};
/* Reads and checks stdin. STATUS_OK or a status with a diagnostic; what it gives lives
 * as long as the command. */
int hook_state_read(struct cmd *c, struct hook_state *out);

/* ---- hook_root.c ----------------------------------------------------------------------- */

/* The container's root directory, while its policy's files are looked for. fd -1: it is not needed, or that of this host. */
struct hook_root {
	int fd;
	struct who_root root;
};
/* For a policy that names files: from now on they are looked for in the root directory that the container is about to have.
 * *out, fd -1 before, must stay while the policy is used. STATUS_OK or a status with a diagnostic. */
int hook_root_find(struct cmd *c, const struct hook_state *s, const struct container_process *p, const struct cgroup *cg,
                   struct unit *u, struct hook_root *out);
void hook_root_end(struct hook_root *r);

/* ---- hook_options.c -------------------------------------------------------------------- */

/* What containers are guarded with; --param, --mode ... are in c->settings. */
struct hook_options {
	const char *policy, *config; /* NULL: not given */
	bool from_spec, let_start;
	enum { ROOTLESS_SKIP, ROOTLESS_REFUSE } rootless; /* containers of ordinary users */
	bool rootless_given;
};
enum { OPT_POLICY = OPT_VERB, OPT_CONFIG, OPT_SPEC, OPT_ON_ERROR, OPT_ROOTLESS, OPT_HOOK_END };
#define HOOK_OPTIONS                                                                                        \
	{"policy", required_argument, NULL, OPT_POLICY}, {"config", required_argument, NULL, OPT_CONFIG},   \
	{"policy-from-spec", no_argument, NULL, OPT_SPEC}, {"on-error", required_argument, NULL, OPT_ON_ERROR}, \
	{"rootless", required_argument, NULL, OPT_ROOTLESS},                                                \
	OPTION_MODE, OPTION_AUDIT, OPTION_RING, OPTION_PARAM, OPTION_LIMIT

/* Takes one of them; another one is passed over. STATUS_OK or a usage error. */
int hook_option(struct cmd *c, int opt, struct hook_options *o);
/* Was any of them given? */
bool hook_options_given(const struct cmd *c, const struct hook_options *o);
/* Do they go together? STATUS_OK or a usage error. */
int hook_options_check(struct cmd *c, const struct hook_options *o);
/* The manifest that is read where neither --policy nor --policy-from-spec is given. */
const char *hook_manifest(const struct hook_options *o);
/* The command line of oci-hook that they come to. */
json_t *hook_arguments(struct cmd *c, const struct hook_options *o);

/* ---- hook_say.c ---------------------------------------------------------------------------- */

/* From here on stderr is where the runtime itself speaks to its user, if that can be had; not
 * always: only when the hook's own goes nowhere. */
void hook_speak_up(bool always);
/* One line for the kernel's log, where the host's own watchers look. 0 or an errno. */
int hook_tell_kernel(const char *text);
/* The same for syslog(3), where a user's own messages go; nobody may be there to take it. */
void hook_tell_syslog(const char *text);

/* ---- trusted_file.c -------------------------------------------------------------------- */

/* STATUS_OK with *fd, if only root can have written the file; else a status with a diagnostic;
 * hint: what to do when others can. */
int open_trusted_file(struct cmd *c, const char *path, const char *hint, int *fd);

/* ---- install_file.c: the files of an installed hook -------------------------------------- */

/* The wrapper that a hook names, for this program. */
const char *wrapper_text(struct cmd *c, const char *program);
/* Is this entry of a configuration a call of our hook? */
bool hook_is_ours(const json_t *hook);
/* Was it written by install-hook? 1 yes, 0 there is none, -1 with a diagnostic. */
int hook_file_ours(struct cmd *c, const char *path);
int wrapper_ours(struct cmd *c, const char *path);
/* The directory and those above it. 0 or -1. */
int make_directories(struct cmd *c, const char *dir);
/* The file whole, or as it was. STATUS_OK or a status with a diagnostic. */
int hook_file_write(struct cmd *c, const char *path, const char *text, mode_t mode);
/* What to do about an errno. */
const char *hook_file_hint(int error);

/* ---- base_spec.c: the specification that containerd begins with -------------------------- */

/* Writes it: the one on stdin with the hook, whole or as it was. STATUS_OK or a status. */
int base_spec_install(struct cmd *c, const char *path, json_t *hook);
/* Takes the hook out of it; the file stays. STATUS_OK or a status. */
int base_spec_remove(struct cmd *c, const char *path);

#endif
