/*
 * serial.c - a policy as bytes: the .devguard section.
 *
 * Little-endian: a header (magic, version, digest and length of the body), the
 * body, the parameters' values, and a check sum of all that. In the body numbers
 * are LEB128, signed ones zigzag, and strings carry their length + 1 (0: NULL).
 * What is asked of the calling task stands behind the parameters (serial_asked.c).
 * Claims, if there are any, follow the rules and look like them. Of a raw program its values stand before the terms,
 * its maps and steps behind the claims, and then the bytecode of the user half (serial_raw.c).
 * Terms come in the order in which the rules and claims need them, operands before their users, each
 * naming its operands by how far back they are; false and true are terms 0 and 1.
 *
 * The same policy gives the same bytes, and a policy that was read is written as
 * it was. A digest is FNV-1a, which any change of one byte changes; it is against
 * damage, not against forgery.
 */
#include "compiler/object/serial.h"
#include "policy/asked.h"
#include "policy/device.h"

#include <string.h>

/* ---- terms ------------------------------------------------------------------------- */

/* Operands of an operation that has them in the order in which they were made. */
static bool has_order_of_making(const struct policy *p, const struct term_node *k)
{
	return term_commutes(k->op) && term_get(p->terms, k->b)->op != TERM_CONST;
}

/* Terms that are written, and their numbers: those of the rules, operands first, in the
 * order in which one comes to them from the first rule on. So it does not matter in which
 * order they were made. */
struct live {
	const struct policy *p;
	uint64_t *shape;  /* of each term, whatever its id: tells which operand comes first */
	uint32_t *number; /* 0: none yet; FALSE has it for good */
	bool *open;
	term *stack, *order;
	size_t count; /* to write, besides false and true */
};

static uint64_t shape_of(const struct live *l, const struct term_node *k)
{
	term x[3];
	uint64_t parts[5] = {k->op, k->op == TERM_INPUT ? serial_of_input((enum input)k->a) : 0, k->op == TERM_CONST ? (uint64_t)k->lo : 0};
	size_t n = term_operands(k, x);
	for (size_t i = 0; i < n; i++)
		parts[1 + i] = l->shape[x[i]];
	if (n == 2 && has_order_of_making(l->p, k) && parts[1] > parts[2]) {
		parts[1] = l->shape[x[1]];
		parts[2] = l->shape[x[0]];
	}
	return serial_digest(parts, sizeof parts);
}

/* Numbers t and what is below it. */
static void number_terms(struct live *l, term t)
{
	size_t depth = 0;
	l->stack[depth++] = t;
	while (depth) {
		t = l->stack[depth - 1];
		if (l->number[t] || t == T_FALSE || l->open[t]) {
			depth--;
			if (l->open[t] && !l->number[t]) {
				l->order[l->count] = t;
				l->number[t] = 2 + (uint32_t)l->count++;
			}
			continue;
		}
		term x[3];
		const struct term_node *k = term_get(l->p->terms, t);
		size_t n = term_operands(k, x);
		bool turned = n == 2 && has_order_of_making(l->p, k) && l->shape[x[0]] > l->shape[x[1]];
		l->open[t] = true;
		for (size_t i = n; i--;)
			l->stack[depth++] = x[turned ? 1 - i : i];
	}
}

static void number_rule(struct live *l, const struct rule *r)
{
	number_terms(l, r->devices);
	number_terms(l, r->match);
	for (size_t k = 0; k < r->nraises; k++)
		number_terms(l, r->raises[k].when);
}

static void number_one(void *l, term t)
{
	number_terms(l, t);
}

static struct live live_terms(const struct policy *p, struct arena *a)
{
	size_t n = terms_count(p->terms);
	struct live l = {.p = p};
	l.shape = arena_alloc(a, n * sizeof *l.shape);
	l.number = arena_alloc(a, n * sizeof *l.number);
	l.open = arena_alloc(a, n * sizeof *l.open);
	l.stack = arena_alloc(a, (3 * n + 1) * sizeof *l.stack);
	l.order = arena_alloc(a, n * sizeof *l.order);
	for (size_t t = 0; t < n; t++) /* operands have smaller ids than their term */
		l.shape[t] = shape_of(&l, term_get(p->terms, (term)t));
	l.number[T_TRUE] = T_TRUE;
	for (size_t i = 0; i < p->nrules; i++)
		number_rule(&l, &p->rules[i]);
	for (size_t i = 0; i < p->nclaims; i++)
		number_rule(&l, &p->claims[i].what);
	if (p->raw)
		raw_each_term(p->raw, number_one, &l);
	return l;
}

static int put_operation(struct buffer *b, const struct policy *p, term t, const struct live *l,
                         struct diags *d)
{
	const struct term_node *k = term_get(p->terms, t);
	term first = k->a, second = k->op == TERM_NOT ? k->a : k->b;
	if (has_order_of_making(p, k) && l->number[first] > l->number[second]) {
		first = k->b;
		second = k->a;
	}
	put_number(b, l->number[t] - l->number[first]);
	if (k->op != TERM_NOT)
		put_number(b, l->number[t] - l->number[second]);
	if (k->op == TERM_ITE)
		put_number(b, l->number[t] - l->number[k->c]);
	bool chooses = k->op != TERM_ITE || term_op_is_bool(term_get(p->terms, k->c)->op);
	if (chooses && serial_operands_ok(k->op, term_op_is_bool(term_get(p->terms, first)->op),
	                       term_op_is_bool(term_get(p->terms, second)->op)))
		return 0;
	return diag_fail(d, "this is a bug of the compiler: please report it with the policy",
	                 "cannot write the object: a condition mixes truth values and numbers");
}

static int put_terms(struct buffer *b, const struct policy *p, const struct live *l,
                     struct diags *d)
{
	put_number(b, l->count);
	for (size_t i = 0; i < l->count; i++) {
		const struct term_node *k = term_get(p->terms, l->order[i]);
		put_fixed(b, k->op, 1);
		if (k->op == TERM_CONST)
			put_signed(b, k->lo);
		else if (k->op == TERM_INPUT)
			put_number(b, serial_of_input((enum input)k->a));
		else if (put_operation(b, p, l->order[i], l, d))
			return -1;
	}
	return 0;
}

static void put_intervals(struct buffer *b, const struct interval *v, size_t n)
{
	put_number(b, n);
	for (size_t i = 0; i < n; i++) {
		put_signed(b, v[i].lo);
		put_signed(b, v[i].hi);
	}
}

static void put_rule(struct buffer *b, const struct policy *p, const struct rule *r,
                     const struct live *l)
{
	put_fixed(b, r->deny, 1);
	put_number(b, (uint64_t)r->error);
	put_span(b, p, &r->at);
	put_string(b, r->label);
	put_string(b, r->source);
	put_number(b, r->npatterns);
	for (size_t i = 0; i < r->npatterns; i++) {
		const struct pattern *pt = &r->patterns[i];
		put_fixed(b, (uint64_t)(pt->types << 4 | pt->access), 1);
		put_intervals(b, pt->majors, pt->nmajors);
		put_intervals(b, pt->minors, pt->nminors);
		put_string(b, pt->text);
	}
	put_number(b, l->number[r->devices]);
	put_number(b, l->number[r->match]);
	put_number(b, r->nraises);
	for (size_t i = 0; i < r->nraises; i++) {
		put_number(b, l->number[r->raises[i].when]);
		put_span(b, p, &r->raises[i].at);
		put_string(b, r->raises[i].what);
	}
}

/* Does it ask for the calling task? */
static bool has_task(const struct policy *p, const struct live *l)
{
	bool reads = policy_asks(p)->nasks || policy_asks(p)->npaths;
	for (size_t i = 0; i < l->count && !reads; i++) {
		const struct term_node *k = term_get(p->terms, l->order[i]);
		reads = k->op == TERM_INPUT && input_is_task((enum input)k->a);
	}
	return reads;
}

/* As new as it must be. */
static uint64_t version_of(const struct policy *p, const struct live *l)
{
	if (has_task(p, l))
		return SERIAL_VERSION;
	if (p->raw || p->handlers.len)
		return SERIAL_WITH_MORE;
	return p->nclaims ? SERIAL_WITH_CLAIMS : SERIAL_RULES_ONLY;
}

static int put_body(struct buffer *b, const struct policy *p, uint64_t *version, struct diags *d)
{
	struct live l = live_terms(p, b->arena);
	*version = version_of(p, &l);
	bool more = *version >= SERIAL_WITH_MORE;
	put_string(b, p->name ? p->name : "");
	put_string(b, p->file ? p->file : "");
	put_fixed(b, p->default_allow, 1);
	put_fixed(b, p->audit, 1);
	put_fixed(b, p->audit_given, 1);
	put_fixed(b, p->mode | (p->grants ? SERIAL_GRANTS : 0), 1);
	put_span(b, p, &p->default_at);
	put_number(b, p->nparams);
	for (size_t i = 0; i < p->nparams; i++) {
		put_string(b, p->params[i].name);
		put_signed(b, p->params[i].lo);
		put_signed(b, p->params[i].hi);
	}
	if (*version == SERIAL_VERSION)
		serial_put_asked(b, p);
	if (more) {
		put_fixed(b, p->raw != NULL, 1);
		if (p->raw)
			serial_put_values(b, p);
	}
	if (put_terms(b, p, &l, d))
		return -1;
	put_number(b, p->nrules);
	for (size_t i = 0; i < p->nrules; i++)
		put_rule(b, p, &p->rules[i], &l);
	if (p->nclaims || more)
		put_number(b, p->nclaims);
	for (size_t i = 0; i < p->nclaims; i++) {
		put_fixed(b, p->claims[i].always, 1);
		put_rule(b, p, &p->claims[i].what, &l);
	}
	if (p->raw)
		serial_put_raw(b, p, l.number);
	if (more) {
		put_number(b, p->handlers.len);
		buffer_put(b, p->handlers.data, p->handlers.len);
	}
	if (l.count > SERIAL_TERMS_MAX || b->n > SERIAL_BODY_MAX)
		return diag_fail(d, "split the policy, or write its rules as ranges",
		                 "the policy is too large for an object: %zu terms, %zu bytes",
		                 l.count, b->n);
	return 0;
}

int serial_write(const struct policy *p, struct diags *d, struct buffer *out, uint64_t *digest)
{
	struct buffer body = {.arena = out->arena};
	uint64_t version;
	if (put_body(&body, p, &version, d))
		return -1;
	*digest = serial_digest(body.data, body.n);
	size_t start = out->n;
	put_fixed(out, SERIAL_MAGIC, 4);
	put_fixed(out, version, 4);
	put_fixed(out, *digest, 8);
	put_fixed(out, body.n, 4);
	buffer_put(out, body.data, body.n);
	for (size_t i = 0; i < p->nparams; i++)
		put_fixed(out, (uint64_t)p->params[i].value, 8);
	put_fixed(out, serial_digest(out->data + start, out->n - start), SERIAL_CHECK_SIZE);
	return 0;
}

int serial_keep(struct policy *p, struct diags *d)
{
	struct buffer all = {.arena = d->arena};
	if (serial_write(p, d, &all, &p->serial.digest))
		return -1;
	p->serial.data = all.data;
	p->serial.len = all.n;
	return 0;
}
