/*
 * program.c - a proven policy as an object, and in the kernel: a program that reports is given the
 * names of its rules, which audit and stats then read, and of what its records tell by numbers.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"
#include "policy/raw.h"
#include "policy/told.h"

#include <string.h>

int unit_object(struct cmd *c, struct unit *u, struct bytes *out)
{
	return object_write(u->policy, &u->image, &c->diags, out) ? STATUS_FAILED : STATUS_OK;
}

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
	if (unit_who(c, u) || unit_object(c, u, &object))
		return -1;
	if (!policy_decides(p))
		return program_load_raw(c->arena, &c->diags, p->name, object.data, object.len, p->raw->section, out);
	if (p->audit == AUDIT_NONE)
		return program_load_audited(c->arena, &c->diags, p->name, object.data, object.len, 0, 0, NULL, 0, u->who, out);
	struct rule_name *told;
	size_t ntold = told_names(c->arena, policy_asks(p), &told), n = p->nrules + 1;
	struct rule_name *names = arena_alloc(c->arena, (n + ntold) * sizeof *names);
	name_rule(&names[0], p, p->default_at, "default");
	for (size_t i = 0; i < p->nrules; i++)
		name_rule(&names[i + 1], p, p->rules[i].at, p->rules[i].label);
	if (ntold)
		memcpy(names + n, told, ntold * sizeof *told);
	return program_load_audited(c->arena, &c->diags, p->name, object.data, object.len, from, u->ring,
	                            names, n + ntold, u->who, out);
}
