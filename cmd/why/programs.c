/* programs.c - what each program that the kernel asks says of a request, and by which rule. */
#include "cmd/asked.h"
#include "cmd/each.h"
#include "cmd/where/where.h"
#include "cmd/why/why.h"

#include <string.h>

/* ---- what they say ------------------------------------------------------------------------------ */

static void not_known(struct inquiry *q, struct opinion *o, const char *why)
{
	o->says = SAYS_UNKNOWN;
	o->rule = why;
	q->unknown++;
}

/* With what is not understood of it, or the first of several such things. */
static const char *unknown_text(struct arena *a, const struct program_unit *one)
{
	const int n = (int)strcspn(one->unknown, "\n");
	bool several = one->unknown[n] && one->unknown[n + 1];
	return arena_printf(a, "it depends on what is not understood of the program%s%.*s", !n ? "" : several ? ", such as " : ": ", n, one->unknown);
}

/* Of the caller's process what /proc does not tell; else what the request does not give. */
static const char *missing_text(const struct inquiry *q, const struct program_unit *one, int missing)
{
	struct arena *a = q->c->arena;
	const struct policy *p = one->unit.policy;
	if (missing >= IN_PARAM_0)
		return unknown_text(a, one);
	return arena_printf(a, "it depends on %s, which %s: add %s", missing_name(p, (enum input)missing),
	                    q->caller ? "cannot be told of the process, and the request does not give" : "the request does not give",
	                    missing_word(a, p, (enum input)missing));
}

static const char *line_of(struct arena *a, const char *text, int line)
{
	for (; line > 1 && *text; line--)
		text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
	return line > 0 ? arena_strndup(a, text, strcspn(text, "\n")) : NULL;
}

static const char *default_text(struct arena *a, bool allow, const char *place)
{
	return arena_printf(a, "no rule matches, and its default is %s%s", allow ? "allow" : "deny", place);
}

/* The policy's own rule: where it stands, and its text. */
static const char *own_text(struct arena *a, const struct rule_told *own)
{
	const char *place = own->line ? arena_printf(a, "%s:%d", own->file, own->line) : own->file;
	const char *said = *own->source ? own->source : *own->label ? own->label : own->allow ? "allow" : "deny";
	const char *text = own->is_default ? default_text(a, own->allow, own->line ? arena_printf(a, " (%s)", place) : "")
	                                   : arena_printf(a, "%s: %s", place, said);
	if (*own->error)
		text = arena_printf(a, "%s (error: %s)", text, own->error);
	return own->permissive && !own->allow ? arena_printf(a, "%s; but its mode is permissive: that is let pass", text) : text;
}

/* The rule as the program is explained: of those who wrote none, or whose policy is not in it. */
static const char *explained_text(struct inquiry *q, const struct unit *u, const struct decision *d)
{
	const char *text, *line = NULL;
	if (d->rule && !unit_listing(q->c, u, DUMP_RULES, &text))
		line = line_of(q->c->arena, text, d->rule->at.line);
	return line ? line : default_text(q->c->arena, d->allow, "");
}

static void decided(struct inquiry *q, struct opinion *o, bool allow)
{
	o->says = allow ? SAYS_ALLOW : SAYS_DENY;
	o->change = allow || !q->cg ? NULL : o->remedy ? o->remedy : why_change(q, o);
	q->denials += !allow;
}

static int say(struct inquiry *q, struct opinion *o, const struct unit *u, const struct request_record *r,
               const struct decision *d)
{
	if (o->at && o->at->ours && unit_rule(q->c, u, r, &o->own))
		return STATUS_FAILED;
	/* what a permissive program is read to say is none of its rules */
	bool unsaid = !o->own.known && o->at && o->at->ours && o->at->mode == MODE_PERMISSIVE;
	o->rule = o->own.known ? own_text(q->c->arena, &o->own)
	          : unsaid     ? "its mode is permissive: what its rules deny is let pass"
	                       : explained_text(q, u, d);
	decided(q, o, d->allow);
	return STATUS_OK;
}

/* What cannot be read is no error here: the others still say something. */
static void ask_kernel(struct inquiry *q, struct opinion *o, const char *why)
{
	struct kernel_said asked;
	if (!q->cg || !asked_program(q->c, o->id, &q->request, q->of_process, &asked)) {
		not_known(q, o, why);
		return;
	}
	if (!asked.known) {
		not_known(q, o, asked.text);
		return;
	}
	o->asked = true;
	o->rule = asked.text;
	decided(q, o, asked.allow);
}

/* How many of those of whom the kernel was asked alone say that, or of the others. */
static size_t count(const struct inquiry *q, bool asked, enum says says)
{
	size_t n = 0;
	for (const struct opinion *o = q->list; o < q->list + q->n; o++)
		n += o->asked == asked && o->says == says;
	return n;
}

/* What the kernel said of it alone does not count. */
static void take_back(struct inquiry *q, struct opinion *o)
{
	q->denials -= o->says == SAYS_DENY;
	o->change = NULL;
}

/* A program may decide by the cgroup that it is asked from, and alone it was asked from another. So all are asked together, in
 * the cgroup itself. What is allowed there, each allows; what is denied, and by none of the others, the only hidden
 * one denies. Of several hidden ones one has to deny it, as alone. */
static void ask_inside(struct inquiry *q)
{
	struct kernel_said all;
	size_t allows = count(q, true, SAYS_ALLOW), denies = count(q, true, SAYS_DENY), others = count(q, false, SAYS_DENY);
	if (!allows && !denies)
		return;
	asked_inside(q->c, q->cg, &q->request, q->of_process, &all);
	/* what is opened is allowed whatever they say */
	bool exact = q->answer.opens ? false : all.allow ? !others : !others && !q->unknown && allows + denies == 1;
	bool fits = !all.allow && (others || q->unknown || denies);
	const char *why = arena_printf(q->c->arena, "what it says in this cgroup is not known: %s",
	                               !all.known        ? all.text
	                               : q->answer.opens ? "asked there, the host program opens what it may deny"
	                                                 : "asked there, all of them together say something else than each alone");
	for (struct opinion *o = q->list; o < q->list + q->n; o++) {
		if (!o->asked || (all.known && !exact && fits))
			continue;
		take_back(q, o);
		if (all.known && exact) {
			o->rule = all.text;
			decided(q, o, all.allow);
		} else {
			not_known(q, o, why);
		}
	}
}

int why_ask(struct inquiry *q, struct opinion *o, const struct program_unit *one)
{
	struct cmd *c = q->c;
	struct verdict_pair said;
	struct decision d;
	o->turns = one->turns;
	if (o->id == q->host.id && q->host.failed) {
		o->turns = true;
		not_known(q, o, q->host.failed);
		return STATUS_OK;
	}
	if (one->failed) {
		ask_kernel(q, o, one->failed);
		return why_find_names(q, o, one, &q->request, NULL);
	}
	const struct request r = why_request(q, o->id, one->unit.policy);
	struct request_record record = request_record(&r);
	int status = unit_ask(c, &one->unit, &record, 1, &said);
	if (!status)
		status = why_find_names(q, o, one, &r, &said);
	if (status)
		return status;
	q->of_caller += said.diagram.status == VERDICT_MISSING && said.diagram.missing < IN_PARAM_0;
	if (said.diagram.status == VERDICT_MISSING)
		not_known(q, o, missing_text(q, one, said.diagram.missing));
	else if (said.diagram.status || !verdict_decision(c, one->unit.policy, &said.diagram, &d))
		not_known(q, o, "the process that reads it gave no answer");
	else
		return say(q, o, &one->unit, &record, &d);
	return STATUS_OK;
}

/* ---- all of them ----------------------------------------------------------------------------------- */

/* What the host program does in the cgroup, and with this request, if those before it deny it. */
static int find_host(struct inquiry *q)
{
	hosted_read(q->c, &q->host);
	int status = hosted_at(q->c->arena, &q->c->diags, &q->host, q->cg, &q->here) ? STATUS_FAILED : STATUS_OK;
	if (!status && hosted_known(&q->host))
		hosted_ask(q->c->arena, &q->here, &q->request, &q->answer);
	return status;
}

/* Each has a say about what those before it say. */
static void settle(struct inquiry *q)
{
	q->verdict = SAYS_ALLOW;
	q->denied_by = NULL;
	for (struct opinion *o = q->list; o < q->list + q->n; o++) {
		if (o->host) {
			bool needed = q->verdict != SAYS_ALLOW;
			o->says = needed && q->answer.opens ? SAYS_OPENS : SAYS_ALLOW;
			o->rule = needed ? q->answer.text : "it only opens what others deny";
			q->verdict = o->says == SAYS_OPENS ? SAYS_ALLOW : q->verdict;
		} else if (o->says == SAYS_DENY) {
			q->denied_by = q->verdict == SAYS_DENY ? q->denied_by : o;
			q->verdict = SAYS_DENY;
		} else if (o->says == SAYS_UNKNOWN && (o->turns || q->verdict == SAYS_ALLOW)) {
			q->verdict = SAYS_UNKNOWN;
		}
	}
	if (q->verdict != SAYS_DENY)
		q->denied_by = NULL;
}

static int ask_all(struct inquiry *q, uint32_t *ids)
{
	struct cmd *c = q->c;
	struct program_units units;
	struct placed *places = arena_alloc(c->arena, (q->n + 1) * sizeof *places);
	struct source_programs of = {.ids = ids, .n = q->n, .host = &q->here};
	q->list = arena_alloc(c->arena, (q->n + 1) * sizeof *q->list);
	q->denials = q->unknown = q->hosts = 0;
	if (!q->n)
		return STATUS_OK;
	int status = find_host(q);
	if (!status)
		status = placed_find(c, q->cg, true, ids, q->n, places);
	for (size_t i = 0; i < q->n; i++) {
		q->list[i] = (struct opinion){.id = ids[i], .path = places[i].path, .at = places[i].path ? &places[i].at : NULL,
		                              .author = places[i].author.name, .host = hosted_is(&q->host, ids[i])};
		q->hosts += q->list[i].host;
	}
	if (!q->hosts) {
		of.host = NULL;
		q->answer = (struct hosted_answer){.opens = false};
	}
	if (!status)
		status = programs_load(c, &c->settings, arena_printf(c->arena, "effective:%s", q->cg->path), &of, &units);
	for (size_t i = 0; i < q->n && !status; i++)
		status = q->list[i].host ? STATUS_OK : why_ask(q, &q->list[i], &units.list[i]);
	if (!status) {
		programs_end(&units);
		ask_inside(q);
		settle(q);
	}
	return status;
}

/* Programs may be replaced at any moment: what is told must have been all of them, at one. */
int why_programs(struct inquiry *q)
{
	struct cmd *c = q->c;
	uint32_t *before, *after;
	size_t n;
	if (cgroup_effective_programs(c->arena, &c->diags, q->cg, &before, &q->n))
		return STATUS_FAILED;
	for (int tries = 0; tries < 4; tries++, before = after, q->n = n) {
		int status = ask_all(q, before);
		if (status)
			return status;
		if (cgroup_effective_programs(c->arena, &c->diags, q->cg, &after, &n))
			return STATUS_FAILED;
		if (n == q->n && !memcmp(before, after, n * sizeof *after))
			return STATUS_OK;
	}
	diag_fail(&c->diags, "try again", "the programs of %s were changed again and again meanwhile", q->cg->path);
	return STATUS_FAILED;
}
