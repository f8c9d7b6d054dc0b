/*
 * load.c - from a POLICY on the command line to what the verbs work with.
 *
 * Ruby is compiled; an object is read and then proven: its instructions must
 * compute the policy it carries, or nothing is done with either.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

const char *const audit_words[] = {[AUDIT_NONE] = "none", [AUDIT_DENIED] = "denied", [AUDIT_ALL] = "all"};
const char *const mode_words[] = {[MODE_ENFORCE] = "enforce", [MODE_PERMISSIVE] = "permissive"};

static int load_ruby(struct cmd *c, struct document *in, struct unit *u)
{
	for (size_t i = 0; i < c->nparams; i++)
		c->params[i].used = false;
	int status = compile_bounded(c, in, &u->policy);
	if (status)
		return status;
	if (u->policy->nrules || u->policy->default_at.line > 0)
		return STATUS_OK;
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = u->policy->file},
	         "to deny every device on purpose, write: default :deny", "policy has no rules");
	return STATUS_REFUSED;
}

/* Reads an object and proves that its instructions compute the policy it carries. */
static bool read_proven(struct cmd *c, struct diags *d, const char *file, const void *data, size_t len,
                        struct unit *u)
{
	return !object_read(c->arena, d, file, data, len, &u->policy, &u->image) &&
	       !policy_diagram(u->policy, d, ORDER_FACTS_LAST, &u->diagram) &&
	       !verify_image(u->policy, d, &u->diagram, &u->image);
}

static int load_object(struct cmd *c, struct document *in, struct unit *u)
{
	size_t before = c->diags.n;
	if (!read_proven(c, &c->diags, in->file, in->text, in->len, u)) {
		for (size_t i = before; i < c->diags.n; i++) /* the object is at fault, not its source */
			c->diags.items[i].at = (struct span){.file = in->file};
		return STATUS_REFUSED;
	}
	for (size_t i = 0; i < c->nparams; i++)
		if (object_set_param(u->policy, &c->diags, &c->params[i]))
			return STATUS_REFUSED;
	return STATUS_OK;
}

/* --mode and --audit go over what the policy says. What nobody would see, nobody
 * wants: permissive reports, unless told not to. True: the program differs. */
static bool override(struct cmd *c, struct policy *p)
{
	enum audit_level audit = p->audit;
	enum policy_mode mode = p->mode;
	if (c->mode)
		p->mode = (enum policy_mode)(c->mode - 1);
	if (c->audit)
		p->audit = (enum audit_level)(c->audit - 1);
	else if (c->mode && p->mode == MODE_PERMISSIVE && p->audit == AUDIT_NONE)
		p->audit = AUDIT_DENIED;
	if (c->audit && p->mode == MODE_PERMISSIVE && p->audit == AUDIT_NONE)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = p->file},
		         "leave --audit none out: what the rules deny is then reported",
		         "permissive without audit: nothing is denied and nothing is reported");
	return p->audit != audit || p->mode != mode;
}

/* Whatever failed must have said why; a silent failure is a message too. */
static int explained(struct cmd *c, const char *file, int status)
{
	if (status && !c->diags.errors)
		diag_add(&c->diags, DIAG_ERROR, (struct span){.file = file},
		         "this is a fault of " PROGRAM ": please report it with the policy",
		         "the policy is refused, but no reason was given");
	return status;
}

static int make(struct cmd *c, const char *file, enum load_depth depth, struct unit *u)
{
	int failed = depth == LOAD_IMAGE
	                     ? emit_policy(u->policy, &c->diags, &u->diagram, &u->image)
	                     : policy_diagram(u->policy, &c->diags, ORDER_FACTS_LAST, &u->diagram);
	return explained(c, file, failed ? STATUS_REFUSED : STATUS_OK);
}

/* An object made before from the same policy, proven again. False: there is none of use. */
static bool load_cached(struct cmd *c, const struct document *in, struct unit *u)
{
	struct bytes object;
	struct diags quiet;
	diags_init(&quiet, c->arena);
	*u = (struct unit){0};
	return cache_find(c, in, &object) && read_proven(c, &quiet, in->file, object.data, object.len, u) &&
	       cache_fresh(c, u->policy);
}

static int load(struct cmd *c, struct document *in, enum load_depth depth, struct unit *u)
{
	struct bytes object;
	bool from_object = object_is(in->text, in->len), cached = c->cache && !from_object;
	if (cached && load_cached(c, in, u))
		return STATUS_OK;
	*u = (struct unit){.from_object = from_object};
	int status = u->from_object ? load_object(c, in, u) : load_ruby(c, in, u);
	if (status)
		return explained(c, in->file, status);
	if (override(c, u->policy) || !u->from_object)
		status = make(c, in->file, depth, u);
	if (!status && cached && !unit_object(c, u, &object))
		cache_store(c, in, &object);
	return status;
}

int unit_from_policy(struct cmd *c, struct policy *p, enum load_depth depth, struct unit *u)
{
	*u = (struct unit){.policy = p};
	override(c, p);
	return make(c, p->file, depth, u);
}

int unit_load(struct cmd *c, const char *path, enum load_depth depth, struct unit *u)
{
	struct document *in;
	int status = input_read(c, path, INPUT_POLICY, &in);
	return status ? status : load(c, in, depth, u);
}

int unit_load_fd(struct cmd *c, int fd, const char *file, enum load_depth depth, struct unit *u)
{
	struct document *in;
	int status = input_read_fd(c, fd, file, INPUT_POLICY, &in);
	return status ? status : load(c, in, depth, u);
}

int unit_object(struct cmd *c, struct unit *u, struct bytes *out)
{
	int failed = object_write(u->policy, &u->image, &c->diags, out);
	return explained(c, u->policy->file, failed ? STATUS_REFUSED : STATUS_OK);
}

/* ---- into the kernel ------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Cut with "..." and not within a character. */
static void copy_cut(char *out, size_t cap, const char *text)
{
	size_t n = strlen(text);
	if (n >= cap) {
		n = cap - 4;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		memcpy(out + n, "...", 3);
	}
	memcpy(out, text, n);
}

static void name_rule(struct rule_name *out, const struct policy *p, struct span at,
                      const char *label)
{
	out->line = at.line > 0 ? (uint32_t)at.line : 0;
	copy_cut(out->file, sizeof out->file, base_name(at.file ? at.file : p->file));
	if (label)
		copy_cut(out->label, sizeof out->label, label);
}

int unit_program(struct cmd *c, struct unit *u, uint32_t from, struct program **out)
{
	const struct policy *p = u->policy;
	struct bytes object;
	if (unit_object(c, u, &object))
		return -1;
	if (p->audit == AUDIT_NONE)
		return program_load(c->arena, &c->diags, p->name, object.data, object.len, out);
	struct rule_name *names = arena_alloc(c->arena, (p->nrules + 1) * sizeof *names);
	name_rule(&names[0], p, p->default_at, "default");
	for (size_t i = 0; i < p->nrules; i++)
		name_rule(&names[i + 1], p, p->rules[i].at, p->rules[i].label);
	return program_load_audited(c->arena, &c->diags, p->name, object.data, object.len, from, c->ring ? c->ring : u->ring,
	                            names, p->nrules + 1, out);
}

/* ---- may the kernel be asked? ------------------------------------------------------- */

static bool has(int capability)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	if (syscall(SYS_capget, &head, data) != 0)
		return false;
	return data[capability / 32].effective >> capability % 32 & 1;
}

/* The kernel asks for BPF capabilities in the initial user namespace, whose inode
 * number is fixed; one that cannot be seen is taken for that. */
static bool in_user_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != 0xeffffffd;
}

const char *kernel_closed(void)
{
	enum { BPF_CAPABILITY = 39 }; /* CAP_BPF, since 5.8 */
	if (!has(CAP_SYS_ADMIN) && !(has(CAP_NET_ADMIN) && has(BPF_CAPABILITY)))
		return geteuid() ? "not root" : "root without CAP_SYS_ADMIN";
	return in_user_namespace() ? "root of a user namespace only" : NULL;
}

const char *probe_closed(struct arena *a)
{
	const char *closed = kernel_closed();
	if (closed)
		return closed;
	if (!has(CAP_SYS_ADMIN))
		return "root without CAP_SYS_ADMIN";
	if (!has(CAP_MKNOD))
		return "root without CAP_MKNOD";
	const char *mount = cgroup_mount(a);
	if (!mount)
		return "no cgroup v2 hierarchy is mounted";
	if (access(mount, W_OK) && errno == EROFS)
		return arena_printf(a, "%s is read-only", mount);
	return NULL;
}
