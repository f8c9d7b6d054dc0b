/*
 * serial_raw_read.c - a raw program out of a .devguard section. Nothing in it is trusted: what emits, proves and runs
 * it relies on what is checked here.
 */
#include "compiler/object/serial.h"
#include "policy/raw_record.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

enum { DEPTH_MAX = 2000, SECTION_NAME_MAX = 127, LICENSE_MAX = 127, FIELD_NAME_MAX = 127 };

static bool is_name(const char *s, size_t most)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return n && n <= most;
}

static bool is_printable(const char *s, size_t most)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)s[i]))
			return false;
	return n && n <= most;
}

static struct raw_field get_field(struct reader *r)
{
	struct raw_field f = {.name = get_text(r), .offset = (uint32_t)get_upto(r, 1 << 16, "a field is too far")};
	uint64_t type = get_fixed(r, 1);
	f.size = (uint8_t)(type & 0x7f);
	f.is_signed = type & 0x80;
	if (!is_name(f.name, FIELD_NAME_MAX))
		serial_fail(r, "a field has no such name");
	if (f.size != 1 && f.size != 2 && f.size != 4 && f.size != 8 && f.size != COMM_SIZE) {
		serial_fail(r, "a field has no such size");
		f.size = 1;
	}
	return f;
}

/* ---- values --------------------------------------------------------------------------------- */

static void get_value(struct reader *r, struct raw_value *v)
{
	v->name = get_text(r);
	v->lo = get_signed(r);
	v->hi = get_signed(r);
	v->line = (int)get_upto(r, INT_MAX, "a line number is out of range");
	v->is_field = get_flag(r);
	if (v->lo > v->hi)
		serial_fail(r, "a value's range is empty");
	if (!v->is_field)
		return;
	int64_t lo, hi;
	v->field = get_field(r);
	if (r->why)
		return;
	raw_bounds(&v->field, &lo, &hi);
	if (raw_is_text(&v->field) || lo != v->lo || hi != v->hi)
		serial_fail(r, "a field has another range than its type");
}

void serial_get_values(struct reader *r)
{
	struct policy *p = r->policy;
	struct raw *raw = p->raw = arena_alloc(r->arena, sizeof *raw);
	*raw = (struct raw){.nvalues = get_count(r, 4)};
	raw->values = arena_alloc(r->arena, (raw->nvalues + 1) * sizeof *raw->values);
	for (size_t i = 0; i < raw->nvalues && !r->why; i++) {
		get_value(r, &raw->values[i]);
		terms_value_name(p->terms, (uint32_t)i, raw->values[i].name);
	}
	size_t n = get_upto(r, OBJECT_PARAMS_MAX, "it asks for more values than it can");
	if (p->nparams)
		serial_fail(r, "a raw program has parameters");
	raw->asked = arena_alloc(r->arena, (n + 1) * sizeof *raw->asked);
	for (size_t i = 0; i < n && !r->why; i++) {
		uint32_t number = raw->asked[i] = (uint32_t)get_number(r);
		if (number >= raw->nvalues || raw->values[number].is_field) {
			serial_fail(r, "it asks for a value that it has not");
			return;
		}
		terms_param(p->terms, (enum input)(IN_PARAM_0 + i), raw->values[number].name, raw->values[number].lo, raw->values[number].hi);
	}
	raw->nasked = r->why ? 0 : n;
}

/* ---- maps ----------------------------------------------------------------------------------- */

static void get_record(struct reader *r, struct raw_record *to)
{
	size_t n = get_upto(r, RAW_ARGS, "a record has too many fields");
	for (size_t i = 0; i < n && !r->why; i++) {
		struct raw_field f = get_field(r);
		if (!r->why && (raw_record_add(r->arena, to, f.name, f) != RAW_ADDED || to->fields[i].offset != f.offset))
			serial_fail(r, "a record is laid out in another way than C does");
	}
}

/* What each kind of map has; the compiler makes no others. */
static bool map_fits(const struct raw_map *m)
{
	bool array = m->kind == RAW_ARRAY || m->kind == RAW_HISTOGRAM || m->kind == RAW_LOST;
	const struct raw_field *key = m->key.fields, *value = m->value.fields;
	if (m->kind == RAW_RING)
		return !m->key.n && m->value.n && m->entries >= 4096 && m->entries <= 256 << 20 && !(m->entries & (m->entries - 1));
	if (!m->key.n || m->value.n != 1 || raw_is_text(value) || !m->entries || m->entries > 1 << 20)
		return false;
	return !array || (m->key.n == 1 && key->size == 4 && !key->is_signed && value->size >= 4 &&
	                  (m->kind == RAW_ARRAY || (value->size == 8 && !value->is_signed)));
}

static void get_map(struct reader *r, struct raw *raw, size_t i)
{
	struct raw_map *m = &raw->maps[i];
	*m = (struct raw_map){.name = get_text(r)};
	m->kind = (enum raw_map_kind)get_upto(r, RAW_MAP_KINDS - 1, "a map of an unknown kind");
	m->entries = (uint32_t)get_upto(r, UINT32_MAX, "a map is too large");
	get_record(r, &m->key);
	get_record(r, &m->value);
	m->at = get_span(r);
	for (size_t k = 0; k < i; k++)
		if (!strcmp(raw->maps[k].name, m->name))
			serial_fail(r, "two maps have one name");
	if (r->why)
		return;
	if (!map_fits(m) || !is_name(m->name, 15) || (m->kind == RAW_LOST) != (i + 1 == raw->nmaps))
		serial_fail(r, "a map is not as maps of its kind are");
}

/* ---- steps ---------------------------------------------------------------------------------- */

static bool is_number_term(const struct reader *r, term t)
{
	return !term_op_is_bool(term_get(r->policy->terms, t)->op);
}

static term get_numbered(struct reader *r, uint64_t number, bool truth)
{
	if (number >= r->nterms || is_number_term(r, r->terms[number]) == truth)
		return (term)serial_fail(r, truth ? "a condition is not a truth value" : "an operand is not a number");
	return r->terms[number];
}

static struct raw_operand get_operand(struct reader *r)
{
	uint64_t number = get_number(r);
	struct raw_operand o = {.is_comm = !number};
	if (number)
		o.t = get_numbered(r, number - 1, false);
	return o;
}

/* Do operands go with fields: a text where a text is? */
static bool operands_fit(const struct raw_operand *args, size_t n, const struct raw_record *to)
{
	if (n != to->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (args[i].is_comm != raw_is_text(&to->fields[i]))
			return false;
	return true;
}

/* Conversions as raw_print.c writes them: d i u x with ll or without, s; as many as there are operands. */
static bool format_fits(const struct step *s)
{
	size_t n = 0, texts = 0;
	if (!s->ntext || s->ntext >= RAW_PRINT_MAX || s->nargs > RAW_PRINT_ARGS)
		return false;
	for (size_t i = 0; i < s->ntext; i++) {
		unsigned char c = (unsigned char)s->text[i];
		if (!isprint(c) && !isspace(c))
			return false;
		if (c != '%')
			continue;
		i += s->text[i + 1] == 'l' && s->text[i + 2] == 'l' ? 3 : 1;
		bool text = s->text[i] == 's' && s->text[i - 1] == '%';
		if (n == s->nargs || s->args[n].is_comm != text || !(text || (s->text[i] && strchr("diux", s->text[i]))))
			return false;
		texts += text;
		n++;
	}
	return n == s->nargs && texts <= 1;
}

static bool map_step_fits(const struct raw *raw, const struct step *s)
{
	const struct raw_map *m = s->map < raw->nmaps ? &raw->maps[s->map] : NULL;
	if (!m || m->kind == RAW_LOST)
		return false;
	if (s->kind == STEP_OUT)
		return m->kind == RAW_RING && operands_fit(s->args, s->nargs, &m->value);
	if (m->kind == RAW_RING || !operands_fit(s->args, s->nargs, &m->key))
		return false;
	return (s->kind != STEP_DELETE || m->kind == RAW_TABLE || m->kind == RAW_PERCPU) && !s->operand.is_comm;
}

static bool learns(const struct raw *raw, uint32_t value)
{
	return value < raw->nvalues && !raw->values[value].is_field;
}

static bool step_fits(const struct raw *raw, const struct step *s)
{
	switch (s->kind) {
	case STEP_PRINT: return format_fits(s);
	case STEP_TIME:
	case STEP_CPU: return !s->nargs && learns(raw, s->value);
	case STEP_PEEK:
		return s->nargs == 1 && !s->args[0].is_comm && !raw_is_text(&s->peek) && learns(raw, s->value) && raw->section != RAW_DEVICE;
	case STEP_GET: return map_step_fits(raw, s) && learns(raw, s->value) && learns(raw, s->found) && s->found != s->value;
	default: return map_step_fits(raw, s);
	}
}

static struct step *get_steps(struct reader *r, int depth);

static struct step *get_step(struct reader *r, int depth)
{
	struct step *s = arena_alloc(r->arena, sizeof *s);
	*s = (struct step){.kind = (enum step_kind)get_fixed(r, 1), .at = get_span(r)};
	if (s->kind >= STEP_KINDS)
		serial_fail(r, "a step of an unknown kind");
	if (s->kind == STEP_IF) {
		s->condition = get_numbered(r, get_number(r), true);
		s->yes = get_steps(r, depth + 1);
		s->no = get_steps(r, depth + 1);
		return s;
	}
	s->nargs = get_upto(r, RAW_ARGS, "a step has too many operands");
	for (size_t i = 0; i < s->nargs && !r->why; i++)
		s->args[i] = get_operand(r);
	if (s->kind == STEP_PRINT) {
		s->text = get_text(r);
		s->ntext = strlen(s->text);
	}
	if (s->kind == STEP_PEEK)
		s->peek = get_field(r);
	if (s->kind == STEP_SET || s->kind == STEP_ADD)
		s->operand = get_operand(r);
	s->map = (uint32_t)get_number(r);
	s->found = (uint32_t)get_number(r);
	s->value = (uint32_t)get_number(r);
	if (!r->why && !step_fits(r->policy->raw, s))
		serial_fail(r, "a step is not as steps of its kind are");
	return s;
}

static struct step *get_steps(struct reader *r, int depth)
{
	struct step *first = NULL, **at = &first;
	size_t n = get_count(r, 3);
	if (depth > DEPTH_MAX)
		n = serial_fail(r, "its steps are nested too deeply");
	for (; n && !r->why; n--) {
		*at = get_step(r, depth);
		at = &(*at)->next;
	}
	return first;
}

void serial_get_raw(struct reader *r)
{
	struct raw *raw = r->policy->raw;
	raw->section = (enum raw_section)get_upto(r, RAW_SECTIONS - 1, "it has an unknown section");
	raw->section_name = get_text(r);
	raw->license = get_text(r);
	raw->function = get_text(r);
	raw->at = get_span(r);
	if (!is_printable(raw->section_name, SECTION_NAME_MAX) || !is_printable(raw->license, LICENSE_MAX))
		serial_fail(r, "its section or license cannot be");
	if ((raw->section == RAW_DEVICE) != (r->policy->nrules == 1) || (raw->section == RAW_DEVICE) != !strcmp(raw->section_name, "cgroup/dev"))
		serial_fail(r, "its section does not go with its rules");
	raw->nmaps = raw->maps_cap = get_upto(r, RAW_MAPS_MAX, "it has too many maps");
	raw->maps = arena_alloc(r->arena, (raw->nmaps + 1) * sizeof *raw->maps);
	for (size_t i = 0; i < raw->nmaps && !r->why; i++)
		get_map(r, raw, i);
	raw->steps = r->why ? NULL : get_steps(r, 0);
	raw->result = get_numbered(r, get_number(r), false);
}
