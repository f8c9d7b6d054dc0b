/*
 * text.c - a list of another tool as a Ruby policy, or as a policy at once.
 *
 * Both are made from one plan and decide alike. The text says where every rule
 * comes from; nothing of the list's own text gets into it but what was checked to
 * be a device, and file names in comments, made safe.
 */
#include "policy/import/internal.h"

#include <stdlib.h>
#include <string.h>

enum { STRING_MAX = 96, NOTES_SHOWN = 4 };

static const char added_label[] = "every container has it", added_unit_label[] = "every unit has it",
                  added_machine_label[] = "every machine has it";

static const char *label_of(const struct foreign *f)
{
	return f->format == FOREIGN_SYSTEMD   ? added_unit_label
	       : f->format == FOREIGN_LIBVIRT ? added_machine_label
	                                      : added_label;
}

/* ---- places ---------------------------------------------------------------------- */

static const char *source_of(const struct foreign *f)
{
	static const char *const parts[FOREIGN_FORMATS] = {
		[FOREIGN_OCI] = "linux.resources.devices of ", [FOREIGN_DOCKER] = "its arguments"};
	return parts[f->format] && (f->format != FOREIGN_DOCKER || !f->file) ? parts[f->format] : "";
}

/* How its numbers were found: ", /dev/fuse here", or "". */
static const char *way_text(struct arena *a, const struct foreign_entry *e)
{
	const char *path = e->path ? arena_printf(a, ", %s here", e->path) : "";
	return e->via ? arena_printf(a, ", %s%s", e->via, path) : path;
}

static char *place_text(struct arena *a, const struct foreign *f, const struct foreign_entry *e)
{
	if (f->format == FOREIGN_OCI)
		return arena_printf(a, "devices[%u]", e->place);
	const char *path = way_text(a, e);
	if (f->format == FOREIGN_DOCKER && !e->file)
		return arena_printf(a, "%s %u%s", e->in_rules ? "rule" : "argument", e->place, path);
	if (f->format == FOREIGN_INSPECT)
		return arena_printf(a, "%s[%u]%s", foreign_member(e->in_rules, e->in_requests), e->place, path);
	if (e->file && e->file != f->file)
		return arena_printf(a, "%s:%u%s", text_safe(a, e->file, strlen(e->file), 200), e->place, path);
	return arena_printf(a, "line %u%s", e->place, path);
}

static char *places_text(struct arena *a, const struct foreign *f, const struct step *s)
{
	char *first = place_text(a, f, s->first), *last = place_text(a, f, s->last);
	if (s->first == s->last)
		return first;
	if (s->nentries == (size_t)(s->last - s->first) + 1)
		return arena_printf(a, "%s %s %s", first, s->nentries == 2 ? "and" : "to", last);
	return arena_printf(a, "%zu entries, %s to %s", s->nentries, first, last);
}

/* ---- Ruby ------------------------------------------------------------------------- */

/* A string literal: neither escapes nor #{} of its own. */
static void put_string(FILE *out, const char *s, size_t n)
{
	putc('"', out);
	for (size_t i = 0; i < n; i++) {
		if (strchr("\"\\#", s[i]))
			putc('\\', out);
		putc(s[i], out);
	}
	putc('"', out);
}

/* The pattern as strings of a bearable length, each a pattern of its own. */
static void put_pattern(FILE *out, struct arena *a, const struct pattern *p)
{
	struct pattern part = *p;
	if (p->text) {
		put_string(out, p->text, strlen(p->text));
		return;
	}
	enum { PAIR = 12 }; /* about as much text as an interval takes */
	size_t step = p->nminors > 1 ? STRING_MAX / PAIR : 1, room = STRING_MAX / PAIR;
	for (size_t i = 0; i < p->nmajors; i += room)
		for (size_t j = 0; j < p->nminors; j += step) {
			part.majors = p->majors + i, part.minors = p->minors + j;
			part.nmajors = p->nmajors - i < room ? p->nmajors - i : room;
			part.nminors = p->nminors - j < step ? p->nminors - j : step;
			const char *text = pattern_text(a, &part);
			fputs(i || j ? ",\n      " : "", out);
			put_string(out, text, strlen(text));
		}
}

static void put_notes(FILE *out, struct arena *a, const struct foreign *f, const struct step *s)
{
	for (size_t i = 0; i < s->nnoted && i < NOTES_SHOWN; i++)
		fprintf(out, "# %s: %s\n", place_text(a, f, s->noted[i]), s->noted[i]->note);
	if (s->nnoted > NOTES_SHOWN)
		fprintf(out, "# and so for %zu more\n", s->nnoted - NOTES_SHOWN);
}

static bool denies(const struct foreign *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->entries[i].allow)
			return true;
	return false;
}

/* May its text stand in a rule? Not a name of CDI, nor a path out of /dev. */
static bool is_rule(const struct foreign *f, const struct foreign_skip *s)
{
	static const char *const starts[] = {"/dev/", "char-", "block-"};
	bool device = false;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		device |= !strncmp(s->rule, starts[i], strlen(starts[i]));
	return device && (s->missing || f->format == FOREIGN_QUADLET); /* there, behind a '-' */
}

/* A comment that would be the rule. */
static void put_skipped(FILE *out, struct arena *a, const struct foreign *f)
{
	bool later = false;
	for (size_t i = 0; i < f->nskipped; i++)
		later |= is_rule(f, &f->skipped[i]);
	if (f->nskipped)
		fprintf(out, "\n# Left out: these lines grant nothing here.%s\n",
		        later ? " Without the # a rule is for the next compile that finds its device." : "");
	for (size_t i = 0; i < f->nskipped; i++) {
		const struct foreign_skip *s = &f->skipped[i];
		struct foreign_entry e = {.file = s->file, .place = s->line, .in_requests = s->in_requests};
		fputs(is_rule(f, s) ? "# allow " : "# ", out);
		put_string(out, s->rule, strlen(s->rule));
		fprintf(out, "%s # %s: %s\n", is_rule(f, s) ? ", missing: :skip" : "", place_text(a, f, &e), s->why);
	}
}

static void put_head(FILE *out, struct arena *a, const struct foreign *f, const struct plan *p)
{
	const char *file = f->file ? text_safe(a, f->file, strlen(f->file), 200) : "";
	fprintf(out, "# Made by rucy-devguard import %s from %s%s: %zu %s.\n", foreign_names[f->format],
	        source_of(f), file, f->n, f->n == 1 ? "entry" : "entries");
	if (denies(f) && f->n > 1)
		fprintf(out, "# There the last entry that matches an access decides, here the first rule.\n");
	for (size_t i = 0; i < f->nnotes; i++)
		fprintf(out, "# %s\n", f->notes[i]);
	for (size_t i = 0; i < p->ndropped && i < NOTES_SHOWN; i++)
		fprintf(out, "# Left out, others decide all it is about: %s\n", place_text(a, f, p->dropped[i]));
	if (p->ndropped > NOTES_SHOWN)
		fprintf(out, "# and %zu more, up to %s\n", p->ndropped - NOTES_SHOWN,
		        place_text(a, f, p->dropped[p->ndropped - 1]));
	if (f->open)
		fprintf(out, "# EVERY DEVICE IS ALLOWED: %s.\n", f->open);
	if (p->default_from && p->default_from->note)
		fprintf(out, "# %s: %s\n", place_text(a, f, p->default_from), p->default_from->note);
	fprintf(out, "policy \"%s\"\ndefault :%s", f->name, p->default_allow ? "allow" : "deny");
	fprintf(out, p->default_from ? " # %s\n" : "\n", p->default_from ? place_text(a, f, p->default_from) : "");
}

static void put_added_head(FILE *out, const struct foreign *f, bool again)
{
	if (again) {
		fputs("\n# The rest of what every container has.\n", out);
		return;
	}
	if (f->format == FOREIGN_SYSTEMD) {
		fputs("\n# What systemd allows beside the list, unless DevicePolicy=strict (not with --exact).\n", out);
		return;
	}
	if (f->format == FOREIGN_LIBVIRT) {
		fputs("\n# What libvirt allows every machine beside the list (not with --exact): its terminals.\n", out);
		return;
	}
	if (f->format == FOREIGN_PROXMOX) {
		fputs("\n# What LXC's common.conf, which Proxmox includes, gives every container (not with --exact), as\n"
		      "# LXC 5 to 7 have it; the file on this host was not read.\n", out);
		return;
	}
	fputs("\n# What runc and crun give every container, whatever its list says (not with --exact): to make\n"
	      "# any node, the devices every program counts on, its terminals, tun. They put these before\n"
	      "# the list; here what the list says of a single device comes first. Some give less: runc 1.1\n"
	      "# not c 5:1, crun 1.8 not c 10:200.\n", out);
}

void foreign_ruby(FILE *out, struct arena *a, const struct foreign *f)
{
	struct plan p;
	foreign_plan(a, f, &p);
	put_head(out, a, f, &p);
	put_skipped(out, a, f);
	bool again = false;
	for (size_t i = 0; i < p.nsteps; i++) {
		const struct step *s = &p.steps[i];
		bool begins = !i || s->builtin != s[-1].builtin || s->level != s[-1].level;
		if (begins && s->builtin)
			put_added_head(out, f, again);
		else if (begins)
			putc('\n', out);
		again |= s->builtin;
		put_notes(out, a, f, s);
		fprintf(out, "%s ", s->allow ? "allow" : "deny");
		put_pattern(out, a, &s->pattern);
		if (s->builtin)
			fprintf(out, ", label: \"%s\"\n", label_of(f));
		else
			fprintf(out, " # %s\n", places_text(a, f, s));
	}
}

/* ---- a policy -------------------------------------------------------------------------- */

static struct span span_of(const char *file, const struct foreign_entry *e)
{
	return (struct span){.file = e && e->file ? e->file : file, .line = !e ? 0 : e->file ? (int)e->place : (int)e->line};
}

/* Of a rule of one line nothing that its place says. */
static const char *rule_label(struct arena *a, const struct foreign *f, const struct step *s)
{
	if (s->builtin)
		return label_of(f);
	if (s->first != s->last || !s->first->file)
		return places_text(a, f, s);
	const char *way = way_text(a, s->first);
	return *way ? way + strlen(", ") : NULL;
}

int foreign_policy(struct arena *a, struct diags *d, const struct foreign *f, struct policy **out)
{
	enum { RULES_MAX = 1 << 20 }; /* far beyond what a diagram has room for */
	struct plan plan;
	struct policy *p = arena_alloc(a, sizeof *p);
	foreign_plan(a, f, &plan);
	if (plan.nsteps > RULES_MAX)
		return diag_fail(d, "merge entries about neighbouring numbers", "more than %d rules", RULES_MAX);
	*p = (struct policy){.arena = a, .terms = terms_new(a), .name = f->name, .file = f->file ? f->file : foreign_names[f->format],
	                     .default_allow = plan.default_allow, .nrules = plan.nsteps, .rules_cap = plan.nsteps};
	p->default_at = span_of(p->file, plan.default_from);
	p->rules = arena_alloc(a, (plan.nsteps + 1) * sizeof *p->rules);
	for (size_t i = 0; i < plan.nsteps; i++) {
		const struct step *s = &plan.steps[i];
		struct rule *r = &p->rules[i];
		struct pattern *pattern = arena_alloc(a, sizeof *pattern);
		*pattern = s->pattern;
		if (!pattern->text)
			pattern->text = pattern_text(a, pattern);
		*r = (struct rule){.deny = !s->allow, .patterns = pattern, .npatterns = 1, .block = -1,
		                   .source = pattern->text, .label = rule_label(a, f, s)};
		r->at = span_of(p->file, s->builtin ? NULL : s->first);
		r->devices = r->match = rule_devices(p, r);
	}
	*out = p;
	return 0;
}
