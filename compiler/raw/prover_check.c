/*
 * prover_check.c - the steps of a raw program by themselves, before they are held against instructions: maps and values
 * that there are, ranges that hold what is in them, formats that ask for what is given.
 */
#include "compiler/raw/verify.h"

#include <inttypes.h>
#include <string.h>

enum { VALUES_MAX = 4096, CPU_MOST = 8191 };

static bool wrong(struct prover *v, const struct step *s, const char *what)
{
	diag_add(v->d, DIAG_ERROR, s ? s->at : v->raw->at, "the program is damaged, or this is a bug of the compiler",
	         "the program cannot be proven: %s", what);
	v->failed = true;
	return false;
}

/* ---- layouts ------------------------------------------------------------------------------------------------- */

static bool is_number(const struct raw_field *f)
{
	return f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8;
}

static bool record_fits(const struct raw_record *r)
{
	if (r->size > RAW_RECORD_MAX || r->n > RAW_ARGS)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if ((!is_number(&r->fields[i]) && r->fields[i].size != COMM_SIZE) || r->fields[i].offset > r->size ||
		    r->fields[i].size > r->size - r->fields[i].offset)
			return false;
	return true;
}

static bool map_fits(const struct prover *v, size_t i)
{
	const struct raw_map *m = &v->raw->maps[i];
	const struct raw_field *key = m->key.fields, *value = m->value.fields;
	bool array = raw_is_array(m->kind), ring = m->kind == RAW_RING;
	if (!record_fits(&m->key) || !record_fits(&m->value) || !m->value.n || (ring ? m->key.n : !m->key.n))
		return false;
	if (array && (m->key.n != 1 || m->key.size != 4 || key->size != 4))
		return false;
	if (!ring && m->value.n != 1)
		return false;
	return m->kind != RAW_LOST || (m->value.size == 8 && value->size == 8 && m->entries >= i);
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* Does the range of a value have all that a number of these bytes can be? */
static bool range_holds(const struct prover *v, uint32_t value, const struct raw_field *f)
{
	const struct raw_value *x = &v->raw->values[value];
	unsigned unused = 64 - 8 * (unsigned)f->size;
	int64_t lo = f->is_signed || f->size == 8 ? INT64_MIN >> unused : 0;
	int64_t hi = f->size == 8 ? INT64_MAX : f->is_signed ? INT64_MAX >> unused : (int64_t)(UINT64_MAX >> unused);
	return x->lo <= lo && x->hi >= hi;
}

static bool range_is(const struct prover *v, uint32_t value, int64_t lo, int64_t hi)
{
	return v->raw->values[value].lo <= lo && v->raw->values[value].hi >= hi;
}

/* The first field of the same bytes. */
static uint32_t first_field(const struct raw_value *values, uint32_t value)
{
	const struct raw_field *f = &values[value].field;
	uint32_t i = 0;
	while (!values[i].is_field || values[i].field.offset != f->offset || values[i].field.size != f->size)
		i++;
	return i;
}

static bool check_values(struct prover *v)
{
	size_t n = v->raw->nvalues;
	v->partner = arena_alloc(v->arena, (n + 1) * sizeof *v->partner);
	v->field = arena_alloc(v->arena, (n + 1) * sizeof *v->field);
	memset(v->partner, 0xff, (n + 1) * sizeof *v->partner);
	for (uint32_t i = 0; i < n; i++) {
		const struct raw_value *x = &v->raw->values[i];
		const struct term_node *t = term_get(v->terms, prover_value(v, i));
		if (t->lo != x->lo || t->hi != x->hi)
			return wrong(v, NULL, "a value with two ranges");
		if (x->is_field && (v->raw->section == RAW_DEVICE || !is_number(&x->field) || !range_holds(v, i, &x->field)))
			return wrong(v, NULL, "a field of the context that cannot be");
		v->field[i] = x->is_field ? first_field(v->raw->values, i) : i;
	}
	return true;
}

/* ---- steps ----------------------------------------------------------------------------------------------------- */

/* A value that this step makes, and no other. */
static bool makes(struct prover *v, uint32_t value, bool *made)
{
	if (value >= v->raw->nvalues || v->raw->values[value].is_field || made[value])
		return false;
	return made[value] = true;
}

static bool operands_fit(const struct raw_record *r, const struct raw_operand *of, size_t n)
{
	if (r->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (of[i].is_comm != (r->fields[i].size == COMM_SIZE))
			return false;
	return true;
}

static bool print_fits(const struct step *s)
{
	char letters[RAW_PRINT_ARGS];
	if (s->ntext >= RAW_PRINT_MAX || s->nargs > RAW_PRINT_ARGS || memchr(s->text, 0, s->ntext) ||
	    raw_format(s->text, s->ntext, letters) != (int)s->nargs)
		return false;
	for (size_t i = 0; i < s->nargs; i++)
		if (s->args[i].is_comm != (letters[i] == 's'))
			return false;
	return true;
}

static bool get_fits(struct prover *v, const struct step *s, bool *made)
{
	const struct raw_field *f = &v->raw->maps[s->map].value.fields[0];
	if (!makes(v, s->found, made) || !makes(v, s->value, made) || !is_number(f))
		return false;
	v->partner[s->found] = s->value;
	return range_is(v, s->found, 0, 1) && range_holds(v, s->value, f);
}

static bool map_step_fits(struct prover *v, const struct step *s, bool *made)
{
	if (s->map >= v->raw->nmaps)
		return false;
	const struct raw_map *m = &v->raw->maps[s->map];
	uint8_t size = m->value.fields[0].size;
	if (s->kind == STEP_OUT)
		return m->kind == RAW_RING && operands_fit(&m->value, s->args, s->nargs);
	if (m->kind == RAW_RING || m->kind == RAW_LOST || !operands_fit(&m->key, s->args, s->nargs))
		return false;
	switch (s->kind) {
	case STEP_GET: return get_fits(v, s, made);
	case STEP_SET: return operands_fit(&m->value, &s->operand, 1);
	case STEP_ADD: return (size == 4 || size == 8) && !s->operand.is_comm;
	default: return true;
	}
}

static bool step_fits(struct prover *v, const struct step *s, bool *made)
{
	switch (s->kind) {
	case STEP_IF: return term_op_is_bool(term_get(v->terms, s->condition)->op);
	case STEP_PRINT: return print_fits(s);
	case STEP_TIME: return makes(v, s->value, made) && range_is(v, s->value, 0, INT64_MAX);
	case STEP_CPU: return makes(v, s->value, made) && range_is(v, s->value, 0, CPU_MOST);
	case STEP_PEEK:
		return s->nargs == 1 && !s->args[0].is_comm && is_number(&s->peek) && makes(v, s->value, made) &&
		       range_holds(v, s->value, &s->peek);
	case STEP_GET:
	case STEP_SET:
	case STEP_ADD:
	case STEP_DELETE:
	case STEP_OUT: return map_step_fits(v, s, made);
	default: return false;
	}
}

/* ---- the verdict -------------------------------------------------------------------------------------------------- */

/* The rule of a device program says that the result is not 0: values that it asks for are inputs behind the
 * parameters. */
static bool verdict_fits(struct prover *v)
{
	const struct policy *p = v->policy;
	const struct raw *r = v->raw;
	if (r->nasked + p->nparams > INPUT_MAX - IN_PARAM_0 || p->nrules != 1 || p->rules[0].deny || p->default_allow)
		return false;
	term match = term_not(v->terms, term_eq(v->terms, r->result, term_const(v->terms, 0)));
	for (size_t k = 0; k < r->nasked; k++) {
		if (r->asked[k] >= r->nvalues || r->values[r->asked[k]].is_field)
			return false;
		enum input in = (enum input)(IN_PARAM_0 + p->nparams + k);
		match = term_replaced(v->terms, match, prover_value(v, r->asked[k]), term_input(v->terms, in));
	}
	return match == p->rules[0].match;
}

bool prover_check(struct prover *v)
{
	const struct raw *r = v->raw;
	if (r->nvalues > VALUES_MAX || r->nmaps > RAW_MAPS_MAX)
		return wrong(v, NULL, "it has too many values or maps");
	bool *made = arena_alloc(v->arena, r->nvalues + 1);
	for (size_t i = 0; i < r->nmaps; i++)
		if (!map_fits(v, i))
			return wrong(v, NULL, "a map that cannot be");
	if (!check_values(v))
		return false;
	for (size_t i = 0; i < v->places.n; i++)
		if (!step_fits(v, v->places.list[i].step, made))
			return wrong(v, v->places.list[i].step, "a step that cannot be");
	return r->section != RAW_DEVICE || verdict_fits(v) || wrong(v, NULL, "a verdict that is not the result");
}
