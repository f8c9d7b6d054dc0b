/*
 * beside.c - devices that are denied while another way to the same hardware stays open: said
 * of policies that allow what no rule denies.
 *
 * The kernel's /dev/tpmrm0 is the TPM as /dev/tpm0 is; /dev/sg0 writes to the disk of
 * /dev/sda; a keyboard is an event device and a hidraw one. A device whose number is not
 * fixed counts as denied when a rule names it, or its driver's major number on this host.
 */
#include "policy/beside.h"
#include "policy/device.h"
#include "policy/names.h"
#include "policy/rules.h"
#include "policy/text.h"

#include <string.h>

static const struct beside {
	const char *denied, *numbers; /* what the rule is about */
	const char *open;             /* as it is said, and as rules write it */
	const char *fixed, *group;    /* its numbers, or the driver that has them */
	const char *reach;            /* what is reached by it */
	const char *rule;             /* what to write */
} table[] = {
	{"tpm", "c 10:224", "tpmrm", NULL, "char-tpm", "the same TPM", "deny \"/dev/tpmrm*\", missing: :skip"},
	{"sd", "b 8,65-71,128-135:*", "sg", "c 21:*", NULL, "the same disks", "deny :sg"},
	{"input", "c 13:*", "hidraw", NULL, "char-hidraw", "the same keyboards and mice",
	 "deny \"char-hidraw\", missing: :skip"},
	{"nvidia", "c 195:*", "nvidia-cap", NULL, "char-nvidia-caps", "parts of the same cards",
	 "deny \"char-nvidia-caps\", missing: :skip"},
};

static bool within(const struct interval *list, size_t n, const struct interval *all, size_t nall)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t k = 0; k < nall; k++)
			found |= list[i].lo >= all[k].lo && list[i].hi <= all[k].hi;
		if (!found)
			return false;
	}
	return true;
}

/* To make a node is not to reach what is behind it. */
static bool opens(const struct pattern *p)
{
	return !p->access || p->access & (ACC_READ | ACC_WRITE);
}

/* Is it about these devices and no others? */
static bool is_about(const struct pattern *p, const struct pattern *all)
{
	return p->types && p->types == all->types && opens(p) && within(p->majors, p->nmajors, all->majors, all->nmajors) &&
	       within(p->minors, p->nminors, all->minors, all->nminors);
}

/* Does it have all of these devices among its own: every block device, and so every disk? */
static bool has_all(const struct pattern *p, const struct pattern *all)
{
	return (p->types & all->types) == all->types && opens(p) && within(all->majors, all->nmajors, p->majors, p->nmajors) &&
	       within(all->minors, all->nminors, p->minors, p->nminors);
}

/* Do the letters, where '-' is '_' in a symbol, stand in the text? */
static bool names(const char *text, const char *word)
{
	for (; *text; text++) {
		size_t i = 0;
		while (word[i] && (text[i] == word[i] || (word[i] == '-' && text[i] == '_')))
			i++;
		if (!word[i])
			return true;
	}
	return false;
}

/* Does the rule say what becomes of the devices that stay open otherwise? */
static bool speaks_of(const struct rule *r, const struct beside *b, const struct pattern *open)
{
	for (const struct pattern *one = r->patterns; one < r->patterns + r->npatterns; one++) {
		bool some = one->types & open->types && intervals_meet(one->majors, one->nmajors, open->majors, open->nmajors);
		if ((!b->fixed && names(one->text, b->open)) || (r->deny ? some && opens(one) : is_about(one, open)))
			return true;
	}
	return r->deny && !r->npatterns; /* a block about any device may */
}

static bool is_decided(const struct policy *p, const struct beside *b, const struct pattern *open)
{
	for (const struct rule *r = p->rules; r < p->rules + p->nrules; r++)
		if (speaks_of(r, b, open))
			return true;
	return false;
}

/* The first rule that denies what the entry is about, or NULL. Of a wider one it can be told only
 * where the numbers that stay open are fixed: else they may be among its own. */
static const struct rule *denies(const struct policy *p, const struct beside *b, const struct pattern *all)
{
	for (const struct rule *r = p->rules; r < p->rules + p->nrules; r++)
		for (const struct pattern *one = r->patterns; r->deny && one < r->patterns + r->npatterns; one++)
			if (is_about(one, all) || (b->fixed && has_all(one, all)))
				return r;
	return NULL;
}

void lint_beside(struct diags *d, const struct policy *p, const struct host *h)
{
	for (const struct beside *b = table; p->default_allow && b < table + sizeof table / sizeof *table; b++) {
		struct pattern about, open = {0};
		const char *error, *hint;
		struct arena *a = p->arena;
		pattern_parse(a, h, b->numbers, &about, &error, &hint);
		const struct rule *r = denies(p, b, &about);
		if (!r)
			continue;
		if (b->fixed)
			pattern_parse(a, h, b->fixed, &open, &error, &hint);
		else if (pattern_parse(a, h, b->group, &open, &error, &hint))
			open = (struct pattern){0}; /* its driver is not loaded here: only a name can mean it */
		if (!is_decided(p, b, &open))
			diag_add(d, DIAG_WARNING, r->at, arena_printf(a, "write %s", b->rule),
			         "%s devices are denied, and %s devices, by which %s can be reached, are allowed by default",
			         b->denied, b->open, b->reach);
	}
}
