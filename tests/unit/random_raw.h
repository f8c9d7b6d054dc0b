/* random_raw.h - raw programs made up, and worlds for them to run in. */
#ifndef DEVGUARD_TESTS_RANDOM_RAW_H
#define DEVGUARD_TESTS_RANDOM_RAW_H

#include "compiler/raw/world.h"
#include "tests/unit/policy_files.h"
#include "tests/unit/raw_program.h"

enum { NUMBERS_MAX = 96, DEPTH_MOST = 3 };

struct maker {
	struct building *b;
	struct rng *g;
	term numbers[NUMBERS_MAX]; /* what an expression may read */
	size_t n;
	uint32_t nmaps; /* but the last, which counts what did not fit */
	int left;       /* steps */
};

/* ---- numbers and conditions ------------------------------------------------------------------ */

static inline int64_t some_number(struct rng *g)
{
	static const int64_t few[] = {0, 1, 2, 3, 5, 7, 8, 63, 255, 256, 4095, INT32_MAX, UINT32_MAX, -1, -2, INT64_MAX, INT64_MIN};
	return below(g, 4) ? below(g, 6) : few[below(g, COUNT(few))];
}

static inline term some_term(struct maker *m, int depth);

static inline term some_condition(struct maker *m, int depth)
{
	struct terms *ts = m->b->ts;
	term a = some_term(m, depth), b = below(m->g, 3) ? term_const(ts, some_number(m->g)) : some_term(m, depth);
	switch (below(m->g, depth > 0 ? 7 : 4)) {
	case 0: return term_lt(ts, a, b);
	case 1: return term_lt(ts, b, a);
	case 2: return term_eq(ts, a, b);
	case 3: return term_not(ts, term_eq(ts, a, b));
	case 4: return term_and(ts, some_condition(m, depth - 1), some_condition(m, depth - 1));
	case 5: return term_or(ts, some_condition(m, depth - 1), some_condition(m, depth - 1));
	default: return term_not(ts, some_condition(m, depth - 1));
	}
}

static inline term some_term(struct maker *m, int depth)
{
	static const enum term_op ops[] = {TERM_ADD, TERM_SUB, TERM_MUL, TERM_DIV, TERM_MOD, TERM_BAND, TERM_BOR, TERM_BXOR};
	struct terms *ts = m->b->ts;
	uint32_t choice = depth > 0 ? below(m->g, 8) : 0;
	if (choice < 3)
		return below(m->g, 6) ? m->numbers[below(m->g, (uint32_t)m->n)] : term_const(ts, some_number(m->g));
	term a = some_term(m, depth - 1);
	if (choice == 3)
		return term_op(ts, below(m->g, 2) ? TERM_SHL : TERM_SHR, a, term_const(ts, below(m->g, 64)));
	if (choice == 4)
		return term_ite(ts, some_condition(m, depth - 1), a, some_term(m, depth - 1));
	if (choice == 5)
		return term_op(ts, below(m->g, 2) ? TERM_DIV : TERM_MOD, a, term_const(ts, 1 + below(m->g, 100)));
	return term_op(ts, ops[below(m->g, COUNT(ops))], a, some_term(m, depth - 1));
}

static inline void readable(struct maker *m, term t)
{
	if (m->n < NUMBERS_MAX)
		m->numbers[m->n++] = t;
	else
		m->numbers[below(m->g, NUMBERS_MAX)] = t;
}

/* ---- what a program has --------------------------------------------------------------------------- */

static inline void make_inputs(struct maker *m, enum raw_section section)
{
	static const enum input device[] = {IN_TYPE, IN_REQUESTED, IN_MAJOR, IN_MINOR},
	                        facts[] = {IN_UID, IN_GID, IN_PID, IN_TID, IN_CGROUP_ID, IN_COMM_0};
	static const struct { uint32_t offset; int size; } fields[] = {{8, 8}, {16, 4}, {20, -4}, {24, 2}, {26, -2}, {28, 1},
	                                                               {29, -1}, {32, -8}, {16, -4}};
	for (size_t i = 0; section == RAW_DEVICE && i < COUNT(device); i++)
		readable(m, term_input(m->b->ts, device[i]));
	for (size_t i = 0; i < COUNT(facts); i++)
		if (!below(m->g, 3))
			readable(m, term_input(m->b->ts, facts[i]));
	for (size_t i = 0; section != RAW_DEVICE && i < COUNT(fields); i++) {
		struct raw *r = m->b->raw;
		struct raw_field f = {"field", fields[i].offset, (uint8_t)abs(fields[i].size), fields[i].size < 0};
		if (below(m->g, 2))
			continue;
		uint32_t v = build_number(m->b, "ctx.field", &f);
		r->values[v].is_field = true;
		r->values[v].field = f;
		readable(m, raw_term(m->b, v));
	}
	readable(m, term_const(m->b->ts, below(m->g, 9)));
}

static inline void make_maps(struct maker *m)
{
	static const struct { enum raw_map_kind kind; const char *key, *value; uint32_t entries; } kinds[] = {
		{RAW_TABLE, "pid:4", "n:8", 1024}, {RAW_TABLE, "pid:4 comm:16", "n:8", 16}, {RAW_TABLE, "a:1 b:8 c:2", "n:4", 64},
		{RAW_PERCPU, "id:8", "n:8", 256}, {RAW_ARRAY, "index:4", "n:8", 16}, {RAW_ARRAY, "index:4", "n:-4", 3},
		{RAW_HISTOGRAM, "slot:4", "n:8", RAW_SLOTS}, {RAW_TABLE, "a:-2 b:4", "n:-2", 8},
		{RAW_RING, "", "pid:4 comm:16 delta:8 last:-1", 4096}, {RAW_RING, "", "a:1 b:2", 4096}, {RAW_TABLE, "comm:16", "n:-8", 5}};
	static const char *const names[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"};
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!below(m->g, 2))
			raw_map(m->b, names[i], kinds[i].kind, kinds[i].key, kinds[i].value, kinds[i].entries);
	m->nmaps = (uint32_t)m->b->raw->nmaps;
	raw_lost(m->b);
}

/* ---- steps ----------------------------------------------------------------------------------------- */

static inline term new_value(struct maker *m, uint32_t *out, const char *name, int64_t lo, int64_t hi)
{
	*out = raw_new_value(m->b, name, lo, hi);
	return raw_term(m->b, *out);
}

static inline void give_record(struct maker *m, struct step *s, const struct raw_record *r)
{
	for (size_t i = 0; i < r->n; i++)
		raw_arg(s, r->fields[i].size == COMM_SIZE ? the_comm() : number(some_term(m, 1 + (int)below(m->g, 2))));
}

static inline void make_print(struct maker *m)
{
	static const char *const letters[] = {"%d", "%u", "%lld", "%llx"};
	size_t n = below(m->g, RAW_PRINT_ARGS + 1);
	char text[64], *at = text;
	struct step *s = raw_print(m->b, "");
	bool comm = false;
	at += sprintf(at, "%.*s", (int)below(m->g, 9), "programs");
	for (size_t i = 0; i < n; i++) {
		bool name = !comm && !below(m->g, 3);
		comm |= name;
		at += sprintf(at, " %s", name ? "%s" : letters[below(m->g, COUNT(letters))]);
		raw_arg(s, name ? the_comm() : number(some_term(m, (int)below(m->g, 3))));
	}
	s->text = arena_strdup(m->b->arena, text);
	s->ntext = strlen(text);
}

/* Steps on a map of its kind. */
static inline void make_map_step(struct maker *m)
{
	uint32_t map = below(m->g, m->nmaps);
	const struct raw_map *of = &m->b->raw->maps[map];
	const struct raw_field *f = &of->value.fields[0];
	bool adds = f->size >= 4, array = raw_is_array(of->kind);
	uint32_t choice = below(m->g, 4);
	if (of->kind == RAW_RING) {
		give_record(m, raw_put(m->b, STEP_OUT, map), &of->value);
	} else if (choice == 0 && adds) {
		struct step *s = raw_put(m->b, STEP_ADD, map);
		give_record(m, s, &of->key);
		s->operand = number(some_term(m, (int)below(m->g, 3)));
	} else if (choice == 1) {
		struct step *s = raw_put(m->b, STEP_SET, map);
		give_record(m, s, &of->key);
		s->operand = number(some_term(m, (int)below(m->g, 3)));
	} else if (choice == 2 && !array) {
		give_record(m, raw_put(m->b, STEP_DELETE, map), &of->key);
	} else {
		struct step *s = raw_put(m->b, STEP_GET, map);
		give_record(m, s, &of->key);
		readable(m, new_value(m, &s->found, "there?", 0, 1));
		s->value = build_number(m->b, "entry", f);
		readable(m, raw_term(m->b, s->value));
	}
}

static inline void make_step(struct maker *m, bool device)
{
	uint32_t choice = below(m->g, 8);
	struct raw_field f = {"peek", below(m->g, 64), (uint8_t)(1 << below(m->g, 4)), below(m->g, 2)};
	struct step *s;
	if (choice == 0) {
		make_print(m);
	} else if (choice == 1) {
		s = raw_put(m->b, STEP_TIME, 0);
		readable(m, new_value(m, &s->value, "ktime_ns", 0, INT64_MAX));
	} else if (choice == 2) {
		s = raw_put(m->b, STEP_CPU, 0);
		readable(m, new_value(m, &s->value, "cpu", 0, UINT16_MAX));
	} else if (choice == 3 && !device) {
		s = raw_put(m->b, STEP_PEEK, 0);
		raw_arg(s, number(some_term(m, 1)));
		s->peek = f;
		s->value = build_number(m->b, "peek", &f);
		readable(m, raw_term(m->b, s->value));
	} else if (m->nmaps) {
		make_map_step(m);
	} else {
		make_print(m);
	}
}

static inline void make_steps(struct maker *m, bool device, int depth)
{
	for (uint32_t n = 1 + below(m->g, 4); n-- > 0 && m->left > 0;) {
		m->left--;
		if (depth == DEPTH_MOST || below(m->g, 3)) {
			make_step(m, device);
			continue;
		}
		struct step *s = raw_if(m->b, some_condition(m, 2));
		make_steps(m, device, depth + 1);
		if (below(m->g, 2)) {
			raw_else(m->b, s);
			make_steps(m, device, depth + 1);
		}
		raw_end(m->b);
	}
}

/* The verdict, and the rule that says so. */
static inline void make_result(struct maker *m)
{
	struct raw *r = m->b->raw;
	struct terms *ts = m->b->ts;
	struct rule *rule = &m->b->policy->rules[0];
	size_t readable = m->n;
	for (size_t i = 0; i < m->n; i++) /* not too many values */
		if (raw_value_of(term_get(ts, m->numbers[i])) >= 0 && below(m->g, 4))
			m->numbers[i--] = m->numbers[--m->n];
	r->result = m->n ? some_term(m, 2) : term_const(ts, 1);
	m->n = readable;
	if (r->section != RAW_DEVICE)
		return;
	rule->match = term_not(ts, term_eq(ts, r->result, term_const(ts, 0)));
	for (uint32_t i = 0; i < r->nvalues; i++) {
		term value = raw_term(m->b, i), out = term_replaced(ts, rule->match, value, term_const(ts, 77));
		if (out != rule->match && r->nasked < INPUT_MAX - IN_PARAM_0)
			rule->match = term_replaced(ts, rule->match, value, raw_asks(m->b, value));
	}
}

static inline struct building *random_raw(struct arena *a, struct rng *g)
{
	static const enum raw_section sections[] = {RAW_DEVICE, RAW_DEVICE, RAW_KPROBE, RAW_RAW_TRACEPOINT, RAW_TRACEPOINT};
	static const char *const names[] = {"cgroup/dev", "kprobe/f", "kretprobe/f", "tracepoint/a/b", "raw_tracepoint/e"};
	enum raw_section section = sections[below(g, COUNT(sections))];
	struct maker m = {.b = raw_begin(a, section, names[section]), .g = g, .left = 4 + (int)below(g, 14)};
	make_inputs(&m, section);
	make_maps(&m);
	while (m.left > 0)
		make_steps(&m, section == RAW_DEVICE, 0);
	make_result(&m);
	for (uint32_t i = 0; i < m.b->raw->nvalues; i++)
		terms_value_name(m.b->ts, i, arena_printf(a, "%s%u", m.b->raw->values[i].is_field ? "ctx" : "v", i));
	return m.b;
}

/* ---- worlds -------------------------------------------------------------------------------------------- */

/* Memory of the kernel: what is at an address follows from it, and some have none. */
static inline bool some_memory(const struct raw_world *w, uint64_t address, void *to, size_t n)
{
	uint64_t x = (address ^ w->seed) * 0x9e3779b97f4a7c15ull;
	if (x >> 62 == 0)
		return false;
	x = x >> 60 == 4 ? x & 3 : x;
	memcpy(to, &x, n);
	return true;
}

static inline void fill_map(struct arena *a, struct rng *g, struct raw_world *w, uint32_t map)
{
	const struct raw_map *m = &w->policy->raw->maps[map];
	w->stores[map].room = m->kind == RAW_RING ? below(g, 3) : below(g, 9);
	if (m->kind == RAW_RING || m->kind == RAW_LOST)
		return;
	for (uint32_t i = below(g, 8); i-- > 0;) {
		unsigned char *key = arena_alloc(a, RAW_RECORD_MAX), *value = arena_alloc(a, RAW_RECORD_MAX);
		for (size_t k = 0; k < m->key.n; k++)
			if (m->key.fields[k].size == COMM_SIZE)
				memcpy(key + m->key.fields[k].offset, &w->inputs[IN_COMM_0], COMM_SIZE);
			else
				raw_store(key + m->key.fields[k].offset, m->key.fields[k].size, some_number(g));
		raw_store(value, m->value.fields[0].size, some_number(g));
		world_put(w, map, key, value, false);
	}
}

static inline struct raw_world random_world(struct arena *a, struct rng *g, const struct policy *p)
{
	enum { CONTEXT = 168 };
	static const char *const names[] = {"sh", "cat", "a process name!", ""};
	struct raw_world w = {.arena = a, .policy = p, .ncontext = CONTEXT, .peek = some_memory, .cpu = below(g, 4),
	                      .tick = below(g, 1000), .time = below(g, 3) ? below(g, 100) : (uint64_t)below(g, UINT32_MAX) << 20};
	unsigned char *context = arena_alloc(a, CONTEXT);
	for (uint32_t at = 0; at < CONTEXT; at += 1) {
		uint32_t kind = below(g, 8);
		context[at] = kind < 5 ? 0 : kind < 7 ? (unsigned char)below(g, 4) : (unsigned char)below(g, 256);
	}
	w.seed = (uint64_t)below(g, UINT32_MAX) << 32 | below(g, UINT32_MAX);
	w.context = context;
	for (int i = IN_UID; i < IN_PARAM_0; i++)
		w.inputs[i] = below(g, 3) ? below(g, 6) : below(g, 4194304);
	w.inputs[IN_TYPE] = 1 + below(g, 2);
	w.inputs[IN_REQUESTED] = below(g, 8);
	w.inputs[IN_MAJOR] = below(g, 2) ? below(g, 8) : below(g, 4096);
	w.inputs[IN_MINOR] = below(g, 2) ? below(g, 8) : below(g, 1 << 20);
	char comm[COMM_SIZE] = {0};
	strcpy(comm, names[below(g, COUNT(names))]);
	memcpy(&w.inputs[IN_COMM_0], comm, COMM_SIZE);
	world_maps(&w);
	for (uint32_t i = 0; i < p->raw->nmaps; i++)
		fill_map(a, g, &w, i);
	return w;
}

#endif
