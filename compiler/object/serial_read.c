/*
 * serial_read.c - the bytes of a .devguard section as a policy.
 *
 * serial.c says what they look like. Nothing in them is trusted: counts are
 * bounded by the bytes that are left, so that memory and time are linear in the
 * input, nothing recurses, and terms are built through their constructors. What
 * the policy says is not proven here: the caller proves the program against it.
 */
#include "compiler/object/serial.h"
#include "policy/asked.h"
#include "policy/device.h"

#include <limits.h>
#include <string.h>

static void get_params(struct reader *r)
{
	struct policy *p = r->policy;
	p->nparams = p->params_cap =
		get_upto(r, OBJECT_PARAMS_MAX, "it has more parameters than there can be");
	p->params = arena_alloc(r->arena, p->nparams * sizeof *p->params);
	for (size_t i = 0; i < p->nparams; i++) {
		struct param *pm = &p->params[i];
		pm->name = get_text(r);
		pm->lo = get_signed(r);
		pm->hi = get_signed(r);
		if (pm->lo > pm->hi)
			serial_fail(r, "a parameter's range is empty");
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->params[k].name, pm->name))
				serial_fail(r, "two parameters have the same name");
		if (r->why)
			return;
		terms_param(p->terms, (enum input)(IN_PARAM_0 + i), pm->name, pm->lo, pm->hi);
	}
}

/* The term that is `back` places before the one being read. */
static term get_operand(struct reader *r)
{
	uint64_t back = get_number(r);
	if (back < 1 || back > r->nterms)
		return (term)serial_fail(r, "a term's operand does not come before it");
	return r->terms[r->nterms - back];
}

static bool term_is_bool(const struct reader *r, term t)
{
	return term_op_is_bool(term_get(r->policy->terms, t)->op);
}

static term get_operation(struct reader *r, enum term_op op)
{
	struct terms *ts = r->policy->terms;
	term a = get_operand(r), b = op == TERM_NOT ? a : get_operand(r);
	term c = op == TERM_ITE ? get_operand(r) : T_TRUE;
	if (r->why)
		return T_FALSE;
	if (!serial_operands_ok(op, term_is_bool(r, a), term_is_bool(r, b)) || !term_is_bool(r, c))
		return (term)serial_fail(r, "a term mixes truth values and numbers");
	if (!serial_files_ok(ts, op, a, b))
		return (term)serial_fail(r, "a file is compared with what is no path");
	switch (op) {
	case TERM_NOT:
		return term_not(ts, a);
	case TERM_AND:
		return term_and(ts, a, b);
	case TERM_EQ:
		return term_eq(ts, a, b);
	case TERM_LT:
		return term_lt(ts, a, b);
	case TERM_ITE:
		return term_ite(ts, c, a, b);
	default:
		return term_op(ts, op, a, b);
	}
}

static term get_input(struct reader *r)
{
	const struct policy *p = r->policy;
	uint64_t number = get_number(r);
	if (p->raw && number >= SERIAL_VALUES && number - SERIAL_VALUES < p->raw->nvalues) {
		const struct raw_value *v = &p->raw->values[number - SERIAL_VALUES];
		return term_value(p->terms, (uint32_t)(number - SERIAL_VALUES), v->lo, v->hi);
	}
	int in = serial_to_input(number);
	if (in >= 0 && input_is_task((enum input)in) && !r->task)
		return (term)serial_fail(r, "a term reads of the calling task what it does not ask for");
	if (in >= 0 && input_is_ask((enum input)in) && (size_t)(in - IN_ASK_0) >= terms_asked(p->terms)->nasks)
		return (term)serial_fail(r, "a term reads the answer to a question that is not asked");
	if (in < 0 || in >= IN_PARAM_0 + (int)(p->nparams + (p->raw ? p->raw->nasked : 0)))
		return (term)serial_fail(r, "a term reads an unknown input");
	return term_input(p->terms, (enum input)in);
}

static term get_term(struct reader *r)
{
	struct terms *ts = r->policy->terms;
	uint64_t op = get_fixed(r, 1);
	switch (op) {
	case TERM_CONST:
		return term_const(ts, get_signed(r));
	case TERM_INPUT:
		return get_input(r);
	case TERM_FALSE:
	case TERM_TRUE:
		break;
	default:
		if (op < TERM_OPS)
			return get_operation(r, (enum term_op)op);
	}
	return (term)serial_fail(r, "a term's operation is unknown");
}

static void get_terms(struct reader *r)
{
	size_t n = get_count(r, 2);
	if (n > SERIAL_TERMS_MAX)
		n = serial_fail(r, "it has too many terms");
	r->terms = arena_alloc(r->arena, (n + 2) * sizeof *r->terms);
	r->terms[T_FALSE] = T_FALSE;
	r->terms[T_TRUE] = T_TRUE;
	for (r->nterms = 2; r->nterms < n + 2 && !r->why; r->nterms++)
		r->terms[r->nterms] = get_term(r);
}

/* A condition: the number of a boolean term. */
static term get_condition(struct reader *r)
{
	uint64_t n = get_number(r);
	if (n >= r->nterms || !term_is_bool(r, r->terms[n]))
		return (term)serial_fail(r, "a condition is not a truth value");
	return r->terms[n];
}

static struct interval *get_intervals(struct reader *r, size_t *n)
{
	size_t count = get_count(r, 2);
	struct interval *v = arena_alloc(r->arena, count * sizeof *v);
	if (!count)
		serial_fail(r, "a device pattern has no numbers");
	for (size_t i = 0; i < count && !r->why; i++) {
		v[i].lo = get_signed(r);
		v[i].hi = get_signed(r);
		if (v[i].lo < (i ? v[i - 1].hi + 1 : 0) || v[i].hi < v[i].lo ||
		    v[i].hi > UINT32_MAX)
			serial_fail(r, "a device pattern's numbers are not ascending");
	}
	*n = count;
	return v;
}

static void get_pattern(struct reader *r, struct pattern *pt)
{
	uint64_t set = get_fixed(r, 1);
	pt->types = (int)(set >> 4);
	pt->access = (int)(set & 15);
	if (pt->types > (DEV_BLOCK | DEV_CHAR) || pt->access > ACC_ALL)
		serial_fail(r, "a device pattern has an unknown type or access");
	pt->majors = get_intervals(r, &pt->nmajors);
	pt->minors = get_intervals(r, &pt->nminors);
	pt->text = get_text(r);
}

static void get_rule(struct reader *r, struct rule *rule)
{
	rule->deny = get_flag(r);
	rule->error = (int)get_upto(r, ERRNO_MAX, "a rule has an unknown errno");
	if (rule->error && !rule->deny)
		serial_fail(r, "a rule that allows has an errno");
	rule->at = get_span(r);
	rule->label = get_string(r);
	rule->source = get_string(r);
	rule->block = -1;
	rule->npatterns = get_count(r, 8);
	rule->patterns = arena_alloc(r->arena, rule->npatterns * sizeof *rule->patterns);
	for (size_t i = 0; i < rule->npatterns && !r->why; i++)
		get_pattern(r, &rule->patterns[i]);
	rule->devices = get_condition(r);
	rule->match = get_condition(r);
	rule->nraises = get_count(r, 5);
	rule->raises = arena_alloc(r->arena, rule->nraises * sizeof *rule->raises);
	for (size_t i = 0; i < rule->nraises && !r->why; i++) {
		rule->raises[i].when = get_condition(r);
		rule->raises[i].at = get_span(r);
		rule->raises[i].what = get_text(r);
	}
}

static void get_claims(struct reader *r, bool may_be_none)
{
	struct policy *p = r->policy;
	p->nclaims = p->claims_cap = get_upto(r, CLAIMS_MAX, "it has more claims than there can be");
	if (!p->nclaims && !may_be_none)
		serial_fail(r, "it has no claims where they should be");
	p->claims = arena_alloc(r->arena, p->nclaims * sizeof *p->claims);
	for (size_t i = 0; i < p->nclaims && !r->why; i++) {
		p->claims[i].always = get_flag(r);
		get_rule(r, &p->claims[i].what);
		if (p->claims[i].what.deny || p->claims[i].what.nraises)
			serial_fail(r, "a claim denies or raises");
	}
}

static void get_handlers(struct reader *r)
{
	size_t n = get_count(r, 1);
	char *bytes = arena_alloc(r->arena, n + 1);
	for (size_t i = 0; i < n && !r->why; i++)
		bytes[i] = (char)get_fixed(r, 1);
	r->policy->handlers.data = n ? bytes : NULL;
	r->policy->handlers.len = n;
}

static void get_body(struct reader *r, uint64_t version)
{
	struct policy *p = r->policy;
	p->name = get_text(r);
	p->file = get_text(r);
	p->default_allow = get_flag(r);
	p->audit = (enum audit_level)get_upto(r, AUDIT_ALL, "it has an unknown audit");
	p->audit_given = get_flag(r);
	uint64_t mode = get_fixed(r, 1);
	p->grants = mode & SERIAL_GRANTS;
	p->mode = (enum policy_mode)(mode & ~(uint64_t)SERIAL_GRANTS);
	if (p->mode > MODE_PERMISSIVE)
		serial_fail(r, "it has an unknown mode");
	p->default_at = get_span(r);
	get_params(r);
	r->task = version == SERIAL_VERSION;
	if (r->task)
		serial_get_asked(r);
	bool more = version >= SERIAL_WITH_MORE, raw = more && get_flag(r);
	if (raw && r->task)
		serial_fail(r, "a raw program asks for the calling task");
	if (raw)
		serial_get_values(r);
	get_terms(r);
	p->nrules = p->rules_cap = get_count(r, 10);
	p->rules = arena_alloc(r->arena, p->nrules * sizeof *p->rules);
	for (size_t i = 0; i < p->nrules && !r->why; i++)
		get_rule(r, &p->rules[i]);
	if (version != SERIAL_RULES_ONLY && !r->why)
		get_claims(r, more);
	if (raw && !r->why)
		serial_get_raw(r);
	if (more && !r->why)
		get_handlers(r);
	if (r->p != r->end)
		serial_fail(r, "something follows the rules");
}

static void get_values(struct reader *r)
{
	struct policy *p = r->policy;
	for (size_t i = 0; i < p->nparams && !r->why; i++) {
		struct param *pm = &p->params[i];
		pm->value = (int64_t)get_fixed(r, 8);
		if (pm->value < pm->lo || pm->value > pm->hi)
			serial_fail(r, "a parameter's value is outside its range");
	}
	if (r->p != r->end)
		serial_fail(r, "something follows the parameters");
}

static struct policy *new_policy(struct arena *a)
{
	struct policy *p = arena_alloc(a, sizeof *p);
	p->arena = a;
	p->terms = terms_new(a);
	return p;
}

/* Checks the header and the sums, and leaves the reader at the body. Returns the
 * body's length. */
static size_t get_header(struct reader *r, const unsigned char *bytes, size_t len,
                         uint64_t *version, uint64_t *digest)
{
	enum { AROUND = SERIAL_HEADER_SIZE + SERIAL_CHECK_SIZE };
	uint64_t magic = get_fixed(r, 4);
	*version = get_fixed(r, 4);
	*digest = get_fixed(r, 8);
	uint64_t body = get_fixed(r, 4);
	if (magic != SERIAL_MAGIC || len < AROUND || body > SERIAL_BODY_MAX || body > len - AROUND)
		return serial_fail(r, "it has no valid header");
	struct reader sum = {.p = bytes + len - SERIAL_CHECK_SIZE, .end = bytes + len};
	if (get_fixed(&sum, SERIAL_CHECK_SIZE) != serial_digest(bytes, len - SERIAL_CHECK_SIZE) ||
	    *digest != serial_digest(bytes + SERIAL_HEADER_SIZE, body))
		return serial_fail(r, "its check sum is wrong");
	return body;
}

int serial_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len,
                struct policy **out, uint64_t *digest)
{
	const unsigned char *bytes = data;
	struct reader r = {.arena = a, .p = bytes, .end = bytes + len};
	uint64_t version;
	size_t body = get_header(&r, bytes, len, &version, digest);
	if (!r.why && (version < SERIAL_RULES_ONLY || version > SERIAL_VERSION)) {
		diag_add(d, DIAG_ERROR, (struct span){.file = file},
		         "compile the policy again with this version of rucy-devguard",
		         "the object has format %u, this version reads %d to %d", (unsigned)version,
		         SERIAL_RULES_ONLY, SERIAL_VERSION);
		return -1;
	}
	if (!r.why) {
		r.policy = new_policy(a);
		r.end = r.p + body;
		get_body(&r, version);
	}
	if (!r.why) {
		r.end = bytes + len - SERIAL_CHECK_SIZE;
		get_values(&r);
	}
	if (r.why) {
		diag_add(d, DIAG_ERROR, (struct span){.file = file}, "compile the policy again",
		         "the object's " OBJECT_POLICY_SECTION " section is damaged: %s", r.why);
		return -1;
	}
	*out = r.policy;
	return 0;
}
