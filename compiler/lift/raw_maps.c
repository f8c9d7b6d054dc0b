/*
 * raw_maps.c - what a raw program does with its maps.
 */
#include "compiler/lift/methods.h"
#include "policy/raw_record.h"

#include <string.h>

static const char *const kinds[RAW_MAP_KINDS] = {
	[RAW_TABLE] = "a table", [RAW_PERCPU] = "a table for each CPU", [RAW_ARRAY] = "an array", [RAW_HISTOGRAM] = "a histogram",
	[RAW_RING] = "a ring", [RAW_LOST] = "a count"};

/* ---- operands ------------------------------------------------------------------------------- */

static struct raw_operand operand(struct lifter *l, struct state *st, const struct raw_field *f, struct val v, const char *what)
{
	term t;
	int64_t lo, hi, least, most;
	v = val_settle(l, st, v);
	if (raw_is_text(f)) {
		if (v.kind != V_COMM)
			lift_refuse(l, "give it comm", "%s is a text, the name of the process, and this is %s", what, val_describe(l, v));
		return (struct raw_operand){.is_comm = true};
	}
	if (!raw_integer(l, st, v, &t))
		lift_refuse(l, v.kind == V_COMM ? "declare it as :comm" : "give it an Integer on every path", "%s is a number, and this is %s", what,
		            val_describe(l, v));
	raw_bounds(f, &lo, &hi);
	term_range_given(l->terms, st->guard->full, t, &least, &most);
	if (least < lo || most > hi)
		lift_refuse(l, "declare it larger, :u64, or cut the number: n & 0xff", "%s is from %lld to %lld, and this may be from %lld to %lld", what,
		            (long long)lo, (long long)hi, (long long)least, (long long)most);
	return (struct raw_operand){.t = t};
}

/* An array never has what is beyond its end. */
static void check_index(struct lifter *l, struct state *st, const struct raw_map *m, struct val key)
{
	term t;
	int64_t lo, hi;
	if ((m->kind != RAW_ARRAY && m->kind != RAW_HISTOGRAM) || !raw_integer(l, st, key, &t))
		return;
	term_range_given(l->terms, st->guard->full, t, &lo, &hi);
	if (hi < 0 || lo >= m->entries)
		lift_refuse(l, "begin at 0, or declare more", "%s has the cells 0 to %u", m->name, m->entries - 1);
}

static void put_key(struct lifter *l, struct state *st, const struct raw_map *m, struct val key, struct step *s)
{
	const struct val *items;
	size_t n;
	if (m->kind == RAW_RING)
		lift_refuse(l, arena_printf(l->arena, "write %s << {...}", m->name), "a ring has no keys");
	if (m->key.n == 1) {
		check_index(l, st, m, key);
		s->args[s->nargs++] = operand(l, st, &m->key.fields[0], key, arena_printf(l->arena, "the key of %s", m->name));
		return;
	}
	if (!val_spread(l, st, key, &items, &n) || n != m->key.n)
		lift_refuse(l, "write it as a list: [pid, comm]", "a key of %s has %zu fields", m->name, m->key.n);
	for (size_t i = 0; i < n; i++)
		s->args[s->nargs++] = operand(l, st, &m->key.fields[i], items[i], arena_printf(l->arena, "`%s` of a key of %s", m->key.fields[i].name, m->name));
}

static bool same_key(const struct step *a, const struct step *b)
{
	if (a->nargs != b->nargs)
		return false;
	for (size_t i = 0; i < a->nargs; i++)
		if (a->args[i].is_comm != b->args[i].is_comm || (!a->args[i].is_comm && a->args[i].t != b->args[i].t))
			return false;
	return true;
}

/* Was the map written to since it was read? Nothing may stand between. */
static bool writes(const struct step *s, uint32_t map)
{
	if (s->kind == STEP_IF) {
		for (const struct step *x = s->yes; x; x = x->next)
			if (writes(x, map))
				return true;
		for (const struct step *x = s->no; x; x = x->next)
			if (writes(x, map))
				return true;
		return false;
	}
	return s->map == map && (s->kind == STEP_SET || s->kind == STEP_ADD || s->kind == STEP_DELETE);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* "COUNTS[pid]" */
static const char *read_name(struct lifter *l, const struct raw_map *m, const struct step *key)
{
	const char *text = "";
	for (size_t i = 0; i < key->nargs; i++)
		text = arena_printf(l->arena, "%s%s%s", text, i ? ", " : "", key->args[i].is_comm ? "comm" : term_text(l->arena, l->terms, key->args[i].t, 40));
	char *name = arena_printf(l->arena, "%s[%s]", m->name, text), *to = name;
	for (const char *c = name; *c; c++) /* one word of a request */
		if (*c != ' ')
			*to++ = *c;
	*to = 0;
	return name;
}

/* Is the key a number that the array always has? */
static bool always_there(struct lifter *l, const struct state *st, const struct raw_map *m, const struct step *key)
{
	int64_t lo, hi;
	if (m->kind != RAW_ARRAY && m->kind != RAW_HISTOGRAM)
		return false;
	term_range_given(l->terms, st->guard->full, key->args[0].t, &lo, &hi);
	return lo >= 0 && hi < m->entries;
}

static void made(struct lifter *l, struct step *by, size_t values)
{
	while (values--)
		*ARENA_PUSH(l->arena, l->makes, l->nmakes, l->makes_cap) = by;
}

enum { LOOKED_BACK = 256 };

/* The step that read the same entry before, when nothing was written to the map since: what Ruby reads twice is one. NULL:
 * there is none. */
static const struct step *read_before(const struct trail *t, const struct step *again)
{
	for (int i = 0; t && i < LOOKED_BACK; i++, t = t->up) {
		if (t->step.kind == STEP_GET && t->step.map == again->map && same_key(&t->step, again))
			return &t->step;
		if (writes(&t->step, again->map))
			return NULL;
	}
	return NULL;
}

static struct flow read_value(struct lifter *l, struct state *st, const struct raw_map *m, const struct step *s)
{
	struct val value = trail_read(l, s->value);
	if (always_there(l, st, m, s))
		return flow_value(st, value);
	term found = term_eq(l->terms, trail_read(l, s->found).u.t, term_const(l->terms, 1));
	return flow_value(st, val_choice2(l, found, value, term_not(l->terms, found), val_nil()));
}

static struct flow read_map(struct lifter *l, struct state *st, uint32_t map, struct val key)
{
	const struct raw_map *m = &l->raw->maps[map];
	struct step s = {.kind = STEP_GET, .at = lift_place(l), .map = map};
	int64_t lo, hi;
	put_key(l, st, m, key, &s);
	const struct step *before = read_before(st->trail, &s);
	if (before)
		return read_value(l, st, m, before);
	const char *name = read_name(l, m, &s);
	raw_bounds(&m->value.fields[0], &lo, &hi);
	s.found = trail_value(l, arena_printf(l->arena, "%s?", name), 0, 1);
	s.value = trail_value(l, name, lo, hi);
	struct step *kept = trail_step(l, st, STEP_GET);
	*kept = s;
	made(l, kept, 2);
	return read_value(l, st, m, kept);
}

/* ---- writing -------------------------------------------------------------------------------- */

static struct flow write_map(struct lifter *l, struct state *st, uint32_t map, struct val key, struct val value)
{
	const struct raw_map *m = &l->raw->maps[map];
	struct step s = {.kind = STEP_SET, .at = lift_place(l), .map = map};
	const struct frame *f = l->frame;
	if (value.kind == V_SUM && value.u.cell == map && f->irep == l->sum_irep && f->pc == l->sum_pc) /* added before */
		return flow_value(st, value);
	/* `MAP[key] += 0`: mruby leaves the addition out */
	struct val self = val_static(l->all->said->raw.objects[map]), nought = val_static(mrb_int_value(l->mrb, 0));
	if (value.kind == V_CHOICE && raw_map_sum(l, st, self, key, value, nought, false))
		return flow_value(st, value);
	put_key(l, st, m, key, &s);
	s.operand = operand(l, st, &m->value.fields[0], value, arena_printf(l->arena, "a value of %s", m->name));
	*trail_step(l, st, STEP_SET) = s;
	return flow_value(st, value);
}

static bool written_since(const struct trail *t, const struct step *read)
{
	for (; t && &t->step != read; t = t->up)
		if (writes(&t->step, read->map))
			return true;
	return !t; /* it was read on another way */
}

/* A sum is held to the size of its value as what is stored is. */
static void check_sum(struct lifter *l, const struct state *st, const struct raw_field *f, term delta, const char *map)
{
	int64_t lo, hi, most = f->size < 8 ? (INT64_C(1) << 8 * f->size) - 1 : INT64_MAX;
	term_range_given(l->terms, st->guard->full, delta, &lo, &hi);
	if (f->size < 8 && (lo < -most || hi > most))
		lift_refuse(l, "declare the value larger, :u64, or cut the number: n & 0xff", "a value of %s has %u bits, and this may be from %lld to %lld", map,
		            8u * f->size, (long long)lo, (long long)hi);
}

bool raw_map_sum(struct lifter *l, struct state *st, struct val map, struct val key, struct val old, struct val n, bool subtract)
{
	int number = raw_map_of(l, map);
	const struct arm *arms;
	struct step s = {.kind = STEP_ADD, .at = lift_place(l)};
	const struct step *read = NULL;
	term delta;
	if (number < 0 || !raw_integer(l, st, n, &delta))
		return false;
	size_t count = val_arms(l, st, old, &arms);
	const struct raw_field *field = &l->raw->maps[number].value.fields[0];
	for (size_t i = 0; i < count; i++) {
		int64_t value = arms[i].v.kind == V_INT ? raw_value_of(term_get(l->terms, arms[i].v.u.t)) : -1;
		read = value >= 0 ? l->makes[value] : read;
	}
	if (!read || read->map != (uint32_t)number)
		return false;
	s.map = (uint32_t)number;
	put_key(l, st, &l->raw->maps[number], key, &s);
	if (!same_key(&s, read) || written_since(st->trail, read))
		return false;
	check_sum(l, st, field, delta, l->raw->maps[number].name);
	s.operand.t = subtract ? term_op(l->terms, TERM_SUB, term_const(l->terms, 0), delta) : delta;
	*trail_step(l, st, STEP_ADD) = s;
	return true;
}

/* 1 + floor(log2(v)), 1 for 0, 0 below: as a histogram's slots are. */
static term slot_of(struct lifter *l, term v)
{
	struct terms *ts = l->terms;
	term sum = term_const(ts, 1), rest = v;
	for (int bits = 32; bits; bits /= 2) {
		term large = term_lt(ts, term_const(ts, (INT64_C(1) << bits) - 1), rest);
		term count = term_ite(ts, large, term_const(ts, bits), term_const(ts, 0));
		rest = term_op(ts, TERM_SHR, rest, count);
		sum = term_op(ts, TERM_ADD, sum, count);
	}
	return term_ite(ts, term_lt(ts, v, term_const(ts, 0)), term_const(ts, 0), sum);
}

static struct flow count_slot(struct lifter *l, struct state *st, const struct call *c, uint32_t map)
{
	struct step s = {.kind = STEP_ADD, .at = lift_place(l), .map = map, .nargs = 1};
	term v;
	if (!raw_integer(l, st, c->args[0], &v))
		lift_refuse(l, "put an Integer into it", "a histogram counts numbers, and this is %s", val_describe(l, c->args[0]));
	s.args[0].t = slot_of(l, v);
	s.operand.t = term_const(l->terms, 1);
	*trail_step(l, st, STEP_ADD) = s;
	return flow_value(st, c->recv);
}

/* The value of a field of an event; NULL: it is not given. */
static const struct val *given(struct lifter *l, const struct val *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i += 2)
		if (pairs[i].kind == V_STATIC && mrb_symbol_p(pairs[i].u.st) && !strcmp(ruby_name(l->rb, mrb_symbol(pairs[i].u.st)), name))
			return &pairs[i + 1];
	return NULL;
}

static struct flow send_event(struct lifter *l, struct state *st, const struct call *c, uint32_t map)
{
	const struct raw_map *m = &l->raw->maps[map];
	struct step s = {.kind = STEP_OUT, .at = lift_place(l), .map = map};
	const struct val *pairs;
	size_t n;
	if (!val_pairs(l, st, val_settle(l, st, c->args[0]), &pairs, &n))
		lift_refuse(l, arena_printf(l->arena, "write %s << {%s: ...}", m->name, m->value.fields[0].name), "an event of a ring is its fields, by name");
	for (size_t i = 0; i < m->value.n; i++) {
		const struct val *v = given(l, pairs, n, m->value.fields[i].name);
		if (!v)
			lift_refuse(l, arena_printf(l->arena, "add %s:", m->value.fields[i].name), "an event of %s without its field `%s`", m->name,
			            m->value.fields[i].name);
		s.args[s.nargs++] = operand(l, st, &m->value.fields[i], *v, arena_printf(l->arena, "`%s` of an event of %s", m->value.fields[i].name, m->name));
	}
	if (n / 2 != m->value.n)
		lift_refuse(l, arena_printf(l->arena, "declare it: %s = ring ...", m->name), "an event of %s with a field that it has not", m->name);
	*trail_step(l, st, STEP_OUT) = s;
	return flow_value(st, c->recv);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void takes(struct lifter *l, const struct call *c, size_t n)
{
	if (c->n != n || !val_is_nil(c->block))
		lift_refuse(l, "for example: COUNTS[pid] += 1", "`%s` of a map takes %zu value%s", ruby_name(l->rb, c->mid), n, n == 1 ? "" : "s");
}

static struct flow delete_key(struct lifter *l, struct state *st, const struct call *c, uint32_t map)
{
	const struct raw_map *m = &l->raw->maps[map];
	struct step s = {.kind = STEP_DELETE, .at = lift_place(l), .map = map};
	if (m->kind != RAW_TABLE && m->kind != RAW_PERCPU)
		lift_refuse(l, "set it to 0", "nothing is taken out of %s", kinds[m->kind]);
	struct flow was = read_map(l, st, map, c->args[0]); /* it is left out where nobody asks */
	put_key(l, st, m, c->args[0], &s);
	*trail_step(l, st, STEP_DELETE) = s;
	return flow_value(st, was.ret->result);
}

struct flow raw_map_call(struct lifter *l, struct state *st, const struct call *c, uint32_t map)
{
	const struct raw_map *m = &l->raw->maps[map];
	const char *name = ruby_name(l->rb, c->mid);
	if (!strcmp(name, "[]")) {
		takes(l, c, 1);
		return read_map(l, st, map, c->args[0]);
	}
	if (!strcmp(name, "[]=")) {
		takes(l, c, 2);
		return write_map(l, st, map, c->args[0], c->args[1]);
	}
	if (!strcmp(name, "<<") && (m->kind == RAW_HISTOGRAM || m->kind == RAW_RING)) {
		takes(l, c, 1);
		return m->kind == RAW_RING ? send_event(l, st, c, map) : count_slot(l, st, c, map);
	}
	if (!strcmp(name, "delete")) {
		takes(l, c, 1);
		return delete_key(l, st, c, map);
	}
	lift_refuse(l, "a program reads and writes a map by [], []=, += and delete, and puts into a histogram or a ring by <<",
	            "`%s` of %s in a raw program", name, kinds[m->kind]);
}
