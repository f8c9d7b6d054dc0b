/*
 * rules.c - the rules of a policy: the devices each is about, what a denial by one does, and
 * which one decides a request.
 */
#include "policy/asked.h"
#include "policy/rules.h"
#include "policy/arena.h"
#include "policy/device.h"

#include <string.h>

const char *const audit_words[] = {[AUDIT_NONE] = "none", [AUDIT_DENIED] = "denied", [AUDIT_ALL] = "all"};
const char *const grants_words[] = {"refused", "allowed"};
const char *const mode_words[] = {[MODE_ENFORCE] = "enforce", [MODE_PERMISSIVE] = "permissive"};

void policy_permissive_reports(struct policy *p, bool audit_said)
{
	if (p->mode == MODE_PERMISSIVE && p->audit == AUDIT_NONE && !audit_said)
		p->audit = AUDIT_DENIED;
}

bool policy_override(struct policy *p, struct diags *d, int mode, int audit)
{
	const enum audit_level audit_before = p->audit;
	const enum policy_mode mode_before = p->mode;
	if (mode)
		p->mode = (enum policy_mode)(mode - 1);
	if (audit)
		p->audit = (enum audit_level)(audit - 1);
	if (mode)
		policy_permissive_reports(p, audit);
	if (audit && p->mode == MODE_PERMISSIVE && p->audit == AUDIT_NONE)
		diag_add(d, DIAG_WARNING, (struct span){.file = p->file},
		         "leave --audit none out: what the rules deny is then reported",
		         "permissive without audit: nothing is denied and nothing is reported");
	return p->audit != audit_before || p->mode != mode_before;
}

/* ---- devices ---------------------------------------------------------------------------- */

static term in_intervals(struct terms *ts, enum input in, const struct interval *list, size_t n)
{
	term any = T_FALSE, x = term_input(ts, in);
	for (size_t i = 0; i < n; i++)
		any = term_or(ts, any, term_between(ts, x, list[i].lo, list[i].hi));
	return any;
}

static term type_in(struct terms *ts, int types)
{
	if (types == (DEV_BLOCK | DEV_CHAR))
		return T_TRUE;
	/* One term a statement: C does not order arguments, and terms are numbered as
	 * they are made; objects shall not depend on the compiler they were built by. */
	term wanted = term_const(ts, types);
	return term_eq(ts, term_input(ts, IN_TYPE), wanted);
}

/* The accesses a rule's letters match; see README.md on requests without any. */
static term access_in(struct terms *ts, int letters, bool deny)
{
	int set = letters ? letters : ACC_ALL;
	term any = T_FALSE, x = term_input(ts, IN_ACCESS);
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1)
		if (!(set & bit))
			any = term_or(ts, any, term_eq(ts, x, term_const(ts, bit)));
	if (deny && set != ACC_ALL)
		any = term_or(ts, any, term_eq(ts, x, term_const(ts, 0)));
	return term_not(ts, any);
}

term rule_devices(struct policy *p, const struct rule *r)
{
	struct terms *ts = p->terms;
	if (!r->npatterns)
		return T_TRUE;
	term any = T_FALSE;
	for (size_t i = 0; i < r->npatterns; i++) {
		const struct pattern *d = &r->patterns[i];
		if (!d->types) /* left out */
			continue;
		term access = access_in(ts, d->access, r->deny);
		term one = term_and(ts, type_in(ts, d->types), access);
		one = term_and(ts, one, in_intervals(ts, IN_MAJOR, d->majors, d->nmajors));
		one = term_and(ts, one, in_intervals(ts, IN_MINOR, d->minors, d->nminors));
		any = term_or(ts, any, one);
	}
	return any;
}

/* ---- what a denial does ------------------------------------------------------------------- */

bool policy_has_errno(const struct policy *p)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].error)
			return true;
	return false;
}

int policy_outcome_errno(const struct policy *p, outcome o)
{
	uint32_t rule = OUTCOME_RULE(o) >> REPORT_ACCESS_BITS;
	if (p->audit == AUDIT_NONE)
		return (int)rule;
	bool exists = rule && rule <= p->nrules; /* asked also of programs that are not trusted */
	return exists && OUTCOME_KIND(o) == OUT_DENY ? p->rules[rule - 1].error : 0;
}

static input_set rule_inputs(const struct policy *p, const struct rule *r)
{
	input_set reads = term_get(p->terms, r->match)->inputs;
	for (size_t k = 0; k < r->nraises; k++)
		reads |= term_get(p->terms, r->raises[k].when)->inputs;
	return reads;
}

input_set policy_inputs(const struct policy *p)
{
	input_set reads = 0;
	for (size_t i = 0; i < p->nrules; i++)
		reads |= rule_inputs(p, &p->rules[i]);
	return reads;
}

bool policy_reads_task(const struct policy *p)
{
	return policy_inputs(p) & TASK_INPUTS;
}

/* The first rule that reads an input, 1 + its place; 0: none does. */
static uint32_t first_reader(const struct policy *p, enum input in)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (rule_inputs(p, &p->rules[i]) & INPUT(in))
			return (uint32_t)i + 1;
	return 0;
}

outcome policy_untold(const struct policy *p, enum input in)
{
	return OUTCOME(OUT_ERROR, p->audit == AUDIT_NONE ? 0 : first_reader(p, in) << REPORT_ACCESS_BITS);
}

bool policy_has_tail(const struct policy *p)
{
	return p->audit != AUDIT_NONE || p->mode == MODE_PERMISSIVE || policy_has_errno(p);
}

/* The order matters only where a rule reads a caller fact. */
int policy_orders(const struct policy *p)
{
	return policy_inputs(p) >> IN_UID ? DIAGRAM_ORDERS : 1;
}

/* ---- files ----------------------------------------------------------------------------- */

const char *policy_file(const struct policy *p, uint32_t file)
{
	const char *name = file && file <= p->nrules ? p->rules[file - 1].at.file : p->file;
	return name ? name : "";
}

const uint32_t *policy_files(struct arena *a, const struct policy *p)
{
	uint32_t *files = arena_alloc(a, (p->nrules + 1) * sizeof *files), *known = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		const char *file = p->rules[i].at.file;
		if (!file || file == p->file || !strcmp(file, p->file ? p->file : ""))
			continue;
		size_t k = 0;
		while (k < n && strcmp(policy_file(p, known[k]), file))
			k++;
		if (k == n)
			*ARENA_PUSH(a, known, n, cap) = (uint32_t)i + 1;
		files[i] = known[k];
	}
	return files;
}

/* ---- deciding one request -------------------------------------------------------------- */

/* The raise of `r` that holds for this access; the first when none is certain. */
static const struct raise *raise_of(const struct policy *p, const struct rule *r, int64_t *inputs,
                                    int set)
{
	for (int bit = set ? ACC_MKNOD : 0; bit <= ACC_WRITE; bit = bit ? bit << 1 : ACC_ALL) {
		if (set && !(set & bit))
			continue;
		inputs[IN_ACCESS] = bit;
		for (size_t i = 0; i < r->nraises; i++)
			if (term_eval(p->terms, r->raises[i].when, inputs))
				return &r->raises[i];
	}
	return r->nraises ? &r->raises[0] : NULL;
}

static const struct asked nothing_asked;

const struct asked *policy_asks(const struct policy *p)
{
	return p->asked ? p->asked : p->terms ? terms_asked(p->terms) : &nothing_asked;
}

/* The values of a request's inputs, and which of them are known. */
static input_set inputs_of(const struct policy *p, const struct request *request, int64_t inputs[INPUT_MAX])
{
	struct request r = *request;
	asked_answer(policy_asks(p), &r);
	input_set known = r.known | INPUT(IN_TYPE) | INPUT(IN_REQUESTED) | INPUT(IN_MAJOR) | INPUT(IN_MINOR);
	for (int i = 0; i < INPUT_MAX; i++)
		inputs[i] = r.fact[i];
	for (size_t i = 0; i < p->nparams; i++) {
		inputs[IN_PARAM_0 + i] = p->params[i].value;
		known |= INPUT(IN_PARAM_0 + i);
	}
	inputs[IN_TYPE] = r.type;
	inputs[IN_REQUESTED] = r.access;
	inputs[IN_MAJOR] = r.major;
	inputs[IN_MINOR] = r.minor;
	return known;
}

int policy_decide(const struct policy *p, const struct policy_diagram *pd, const struct request *r,
                  struct decision *out, int *missing)
{
	int64_t inputs[INPUT_MAX];
	input_set known = inputs_of(p, r, inputs);
	outcome o = diagram_eval(pd->dg, pd->attribution, inputs, known, missing);
	*out = (struct decision){0};
	if (*missing >= 0)
		return -1;
	out->allow = OUTCOME_KIND(o) == OUT_ALLOW;
	out->error = OUTCOME_KIND(o) == OUT_ERROR;
	out->rule = OUTCOME_RULE(o) ? &p->rules[OUTCOME_RULE(o) - 1] : NULL;
	if (out->error)
		out->raise = raise_of(p, out->rule, inputs, r->access);
	return 0;
}

struct policy_open policy_open(struct arena *a, const struct policy *p, const struct policy_diagram *pd, const struct request *r)
{
	int64_t inputs[INPUT_MAX];
	outcome allows;
	input_set known = inputs_of(p, r, inputs);
	struct policy_open out = {.facts = diagram_open(a, pd->dg, pd->attribution, inputs, known, &allows)};
	out.allows = OUTCOME_KIND(allows) == OUT_ALLOW;
	out.rule = OUTCOME_RULE(allows) ? &p->rules[OUTCOME_RULE(allows) - 1] : NULL;
	return out;
}
