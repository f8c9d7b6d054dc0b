/*
 * attach.c - a proven policy onto a cgroup, in one step, and what is said of it.
 *
 * Everything that can fail is done before the cgroup is touched; what touches
 * it is one system call made under the cgroup's lock.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cgroup/who.h"
#include "cmd/unit.h"

struct attachment {
	const struct unit *unit;
	const struct cgroup *cgroup;
	uint32_t id, replaced;
	bool dry_run;
	FILE *out;             /* where it is told */
	bool audit_ends;       /* what it replaced reported, and it does not */
	uint64_t denied;       /* counted before, and taken over */
	struct also also;      /* policies that decide there beside it */
	const char *not_asked; /* why the kernel was not asked (dry run) */
};

static const char *size_text(struct cmd *c, const struct unit *u)
{
	size_t n = image_instructions(c->arena, &u->image);
	return arena_printf(c->arena, "%zu rule%s, %zu instruction%s, at most %u a request",
	                    u->policy->nrules, PLURAL(u->policy->nrules), n, PLURAL(n), u->image.longest);
}

/* What of mode and audit is not as usual. */
static void print_mode(const struct attachment *at)
{
	const struct policy *p = at->unit->policy;
	if (p->mode == MODE_PERMISSIVE)
		fprintf(at->out, "; permissive: nothing is denied by it");
	if (p->audit != AUDIT_NONE)
		fprintf(at->out, "; audit %s", audit_word(p->audit));
	if (at->denied)
		fprintf(at->out, " continues: %llu denial%s so far", (unsigned long long)at->denied,
		       PLURAL(at->denied));
}

static void report(struct cmd *c, const struct attachment *at)
{
	const struct unit *u = at->unit;
	if (c->json.on) {
		json_t *o = json_pack("{s:o, s:o, s:b, s:I, s:I, s:i}", "policy",
		                      text_json(u->policy->name), "cgroup",
		                      text_json(at->cgroup->path), "dry_run", at->dry_run, "rules",
		                      (json_int_t)u->policy->nrules, "instructions",
		                      (json_int_t)image_instructions(c->arena, &u->image), "longest_path",
		                      (int)u->image.longest);
		json_object_set_new(o, "program", at->id ? json_integer(at->id) : json_null());
		json_object_set_new(o, "replaced",
		                    at->replaced ? json_integer(at->replaced) : json_null());
		json_object_set_new(o, "mode", json_string(mode_word(u->policy->mode)));
		json_object_set_new(o, "audit", json_string(audit_word(u->policy->audit)));
		json_object_set_new(o, "audit_ends", json_boolean(at->audit_ends));
		json_object_set_new(o, "denied_so_far", json_integer((json_int_t)at->denied));
		json_object_set_new(o, "also", also_json(&at->also));
		json_object_set_new(o, "grants", json_integer((json_int_t)at->also.grants));
		json_object_set_new(o, "grants_open", json_boolean(at->also.grants_open));
		json_object_set_new(o, "names", names_json(u));
		json_object_update(c->json.out, o);
		json_decref(o);
		return;
	}
	put_text(at->out, u->policy->name);
	if (at->replaced)
		fprintf(at->out, ": %s program %u on ", at->dry_run ? "would replace" : "replaced",
		       at->replaced);
	else
		fprintf(at->out, ": %s to ", at->dry_run ? "would be attached" : "attached");
	put_text(at->out, at->cgroup->path);
	fprintf(at->out, " (%s", size_text(c, u));
	if (at->not_asked)
		fprintf(at->out, "; the kernel and what is attached there were not asked: %s", at->not_asked);
	else if (at->dry_run)
		fprintf(at->out, "; accepted by the kernel");
	else
		fprintf(at->out, ", program %u", at->id);
	print_mode(at);
	fputs(")\n", at->out);
	if (at->audit_ends)
		fputs("note: the policy replaced reported; this one does not: its audit and its counts end\n", at->out);
	also_print(at->out, &at->also);
}

/* What attaching would do, without doing it. */
static int rehearse(struct cmd *c, struct attachment *at)
{
	const struct policy *p = at->unit->policy;
	const struct attached *old;
	if (cgroup_rehearse(c->arena, &c->diags, at->cgroup, p->name, &old))
		return STATUS_FAILED;
	at->replaced = old ? old->id : 0;
	at->audit_ends = old && old->audit != AUDIT_NONE && p->audit == AUDIT_NONE;
	return STATUS_OK;
}

/* Our program of that name on the cgroup, NULL: none, or it cannot be told. */
static const struct attached *predecessor(struct cmd *c, const struct cgroup *cg, const char *name)
{
	struct attached *list;
	size_t n;
	return cgroup_query(c->arena, &c->diags, cg, &list, &n) ? NULL : attached_named(list, n, name);
}

/* What was counted before, when it was taken over. */
static uint64_t denied_so_far(struct cmd *c, uint32_t program)
{
	struct audit *au;
	struct totals totals;
	struct diags ignored;
	diags_init(&ignored, c->arena);
	if (audit_open(c->arena, &ignored, program, &au))
		return 0;
	int failed = audit_totals(&ignored, au, &totals);
	audit_close(au);
	return failed ? 0 : totals.denied;
}

/* Files of a container are looked for only for what runs there. 0 or -1. */
static int root_checked(struct cmd *c, struct unit *u, const struct cgroup *cg)
{
	struct who_root *root = arena_alloc(c->arena, sizeof *root);
	if (!c->settings.exe_root)
		return 0;
	if (who_root_check(c->arena, &c->diags, cg, c->settings.exe_root, root))
		return -1;
	u->root = root;
	return 0;
}

/* The lock is held from the look at what is there to its replacement: the counts
 * taken over are those of the program replaced. */
static int attach(struct cmd *c, struct unit *u, struct cgroup *cg, struct attachment *at)
{
	struct program *program = NULL;
	const char *name = u->policy->name;
	if (cgroup_lock(cg, &c->diags))
		return STATUS_FAILED;
	const struct attached *old = predecessor(c, cg, name);
	warn_of_root(c, u, cg, old ? old->id : 0);
	bool reported = old && old->audit != AUDIT_NONE, reports = u->policy->audit != AUDIT_NONE;
	int failed = c->diags.errors || root_checked(c, u, cg) || unit_program(c, u, old ? old->id : 0, &program);
	c->changed |= !failed;
	failed = failed || cgroup_attach(c->arena, &c->diags, cg, program, name, &at->replaced);
	cgroup_unlock(cg);
	if (!failed) {
		at->id = program_id(program);
		at->audit_ends = reported && !reports;
		at->denied = reported && reports ? denied_so_far(c, at->id) : 0;
	}
	if (program)
		program_close(program);
	return failed ? STATUS_FAILED : STATUS_OK;
}

/* Everything but attaching. */
static int dry_run_of(struct cmd *c, struct unit *u, struct attachment *at)
{
	struct program *program;
	struct bytes object;
	at->not_asked = kernel_closed();
	if (at->not_asked)
		return unit_object(c, u, &object);
	if (root_checked(c, u, at->cgroup) || unit_program(c, u, 0, &program))
		return STATUS_FAILED;
	program_close(program);
	int status = rehearse(c, at);
	if (!status)
		warn_of_root(c, u, at->cgroup, at->replaced);
	return status;
}

int apply_unit(struct cmd *c, struct unit *u, struct cgroup *cg, bool dry_run, FILE *out)
{
	struct attachment at = {.unit = u, .cgroup = cg, .dry_run = dry_run, .out = out};
	warn_of_apply(c, u, cg);
	also_find(c, cg, u->policy, &at.also); /* before: once it is attached, no memory may be missing */
	int status = dry_run ? dry_run_of(c, u, &at) : attach(c, u, cg, &at);
	if (!status) {
		warn_of_names(c, u);
		diags_flush(c);
		report(c, &at);
	}
	return status;
}
