/* raw_program.h - raw programs (policy/raw.h) written by hand, step by step. */
#ifndef DEVGUARD_TESTS_RAW_PROGRAM_H
#define DEVGUARD_TESTS_RAW_PROGRAM_H

#include "compiler/compiler.h"
#include "policy/raw.h"
#include "tests/unit/fixture.h"

struct building {
	struct arena *arena;
	struct diags d;
	struct policy *policy;
	struct terms *ts;
	struct raw *raw;
	struct step **next[16]; /* where the next step goes, by depth */
	int depth, line;
	struct policy_diagram pd;
	struct image image;
	struct bytes object;
};

/* A program that does nothing yet; a device program allows all. */
static inline struct building *raw_begin(struct arena *a, enum raw_section section, const char *name)
{
	struct building *b = arena_alloc(a, sizeof *b);
	struct policy *p = arena_alloc(a, sizeof *p);
	struct raw *r = arena_alloc(a, sizeof *r);
	b->arena = a;
	diags_init(&b->d, a);
	*p = (struct policy){.arena = a, .terms = terms_new(a), .name = "raw", .file = "raw.rb", .raw = r};
	*r = (struct raw){.section = section, .section_name = name, .function = "prog", .at = {"raw.rb", 5, 1}, .result = T_FALSE};
	b->policy = p;
	b->ts = p->terms;
	b->raw = r;
	r->result = term_const(p->terms, 1);
	if (section == RAW_DEVICE) {
		p->nrules = p->rules_cap = 1;
		p->rules = arena_alloc(a, sizeof *p->rules);
		p->rules[0] = (struct rule){.at = {"raw.rb", 5, 1}, .source = "def prog(ctx)", .block = -1, .devices = T_TRUE, .match = T_TRUE};
	}
	b->next[0] = &r->steps;
	b->line = 5;
	return b;
}

/* ---- maps ------------------------------------------------------------------------------ */

/* Fields as "pid:4 comm:16 delta:-8", negative: signed; laid out as C does. */
static inline struct raw_record raw_fields(struct arena *a, const char *text)
{
	struct raw_record r = {.fields = arena_alloc(a, RAW_ARGS * sizeof(struct raw_field))};
	uint32_t most = 1;
	char *copy = arena_strdup(a, text), *state;
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		char *colon = strchr(word, ':');
		int size = atoi(colon + 1);
		struct raw_field *f = &r.fields[r.n++];
		*colon = '\0';
		*f = (struct raw_field){.name = word, .size = (uint8_t)abs(size), .is_signed = size < 0};
		uint32_t align = f->size == COMM_SIZE ? 1 : f->size;
		f->offset = (r.size + align - 1) / align * align;
		r.size = f->offset + f->size;
		most = align > most ? align : most;
	}
	r.size = (r.size + most - 1) / most * most;
	return r;
}

static inline uint32_t raw_map(struct building *b, const char *name, enum raw_map_kind kind, const char *key,
                               const char *value, uint32_t entries)
{
	struct raw *r = b->raw;
	*ARENA_PUSH(b->arena, r->maps, r->nmaps, r->maps_cap) = (struct raw_map){
		.name = name, .kind = kind, .key = raw_fields(b->arena, key), .value = raw_fields(b->arena, value),
		.entries = entries, .at = {"raw.rb", 2, 1}};
	return (uint32_t)r->nmaps - 1;
}

/* To be called behind all maps. */
static inline void raw_lost(struct building *b)
{
	raw_map(b, "devguard_lost", RAW_LOST, "index:4", "value:8", (uint32_t)b->raw->nmaps);
}

/* ---- values and operands ------------------------------------------------------------------ */

static inline uint32_t raw_new_value(struct building *b, const char *name, int64_t lo, int64_t hi)
{
	struct raw *r = b->raw;
	*ARENA_PUSH(b->arena, r->values, r->nvalues, r->values_cap) = (struct raw_value){.name = name, .lo = lo, .hi = hi};
	return (uint32_t)r->nvalues - 1;
}

/* One that is loaded from memory. */
static inline uint32_t build_number(struct building *b, const char *name, const struct raw_field *f)
{
	int bits = 8 * f->size;
	int64_t lo = f->size == 8 ? INT64_MIN : f->is_signed ? -(INT64_C(1) << (bits - 1)) : 0;
	int64_t hi = f->size == 8 ? INT64_MAX : (INT64_C(1) << (bits - f->is_signed)) - 1;
	return raw_new_value(b, name, lo, hi);
}

static inline term raw_term(struct building *b, uint32_t value)
{
	return term_value(b->ts, value, b->raw->values[value].lo, b->raw->values[value].hi);
}

/* A field of the context. */
static inline term raw_field(struct building *b, const char *name, uint32_t offset, int size)
{
	struct raw_field f = {name, offset, (uint8_t)abs(size), size < 0};
	uint32_t v = build_number(b, name, &f);
	b->raw->values[v].is_field = true;
	b->raw->values[v].field = f;
	return raw_term(b, v);
}

static inline struct raw_operand number(term t) { return (struct raw_operand){.t = t}; }
static inline struct raw_operand the_comm(void) { return (struct raw_operand){.is_comm = true}; }
static inline term constant(struct building *b, int64_t v) { return term_const(b->ts, v); }

/* ---- steps ---------------------------------------------------------------------------------- */

static inline struct step *raw_put(struct building *b, enum step_kind kind, uint32_t map)
{
	struct step *s = arena_alloc(b->arena, sizeof *s);
	*s = (struct step){.kind = kind, .at = {"raw.rb", ++b->line, 1}, .map = map};
	*b->next[b->depth] = s;
	b->next[b->depth] = &s->next;
	return s;
}

static inline void raw_arg(struct step *s, struct raw_operand o) { s->args[s->nargs++] = o; }

static inline struct step *raw_print(struct building *b, const char *text)
{
	struct step *s = raw_put(b, STEP_PRINT, 0);
	s->text = text;
	s->ntext = strlen(text);
	return s;
}

static inline term raw_time(struct building *b)
{
	struct step *s = raw_put(b, STEP_TIME, 0);
	s->value = raw_new_value(b, "ktime_ns", INT64_MIN, INT64_MAX);
	return raw_term(b, s->value);
}

static inline term raw_cpu(struct building *b)
{
	struct step *s = raw_put(b, STEP_CPU, 0);
	s->value = raw_new_value(b, "cpu", 0, UINT32_MAX);
	return raw_term(b, s->value);
}

static inline term raw_peek(struct building *b, term address, uint32_t offset, int size)
{
	struct step *s = raw_put(b, STEP_PEEK, 0);
	raw_arg(s, number(address));
	s->peek = (struct raw_field){"peek", offset, (uint8_t)abs(size), size < 0};
	s->value = build_number(b, "peek", &s->peek);
	return raw_term(b, s->value);
}

/* *found: 0 or 1. */
static inline term raw_get(struct building *b, uint32_t map, struct raw_operand key, term *found)
{
	struct step *s = raw_put(b, STEP_GET, map);
	raw_arg(s, key);
	s->found = raw_new_value(b, "there?", 0, 1);
	s->value = build_number(b, "entry", &b->raw->maps[map].value.fields[0]);
	*found = raw_term(b, s->found);
	return raw_term(b, s->value);
}

static inline struct step *raw_add(struct building *b, uint32_t map, struct raw_operand key, term more)
{
	struct step *s = raw_put(b, STEP_ADD, map);
	raw_arg(s, key);
	s->operand = number(more);
	return s;
}

static inline struct step *raw_set(struct building *b, uint32_t map, struct raw_operand key, struct raw_operand value)
{
	struct step *s = raw_put(b, STEP_SET, map);
	raw_arg(s, key);
	s->operand = value;
	return s;
}

/* What follows is done where the condition holds, behind raw_else() where it does not, until raw_end(). */
static inline struct step *raw_if(struct building *b, term condition)
{
	struct step *s = raw_put(b, STEP_IF, 0);
	s->condition = condition;
	b->next[++b->depth] = &s->yes;
	return s;
}

static inline void raw_else(struct building *b, struct step *s) { b->next[b->depth] = &s->no; }
static inline void raw_end(struct building *b) { b->depth--; }

/* The verdict is a value: the k-th that it asks for. */
static inline term raw_asks(struct building *b, term value)
{
	struct raw *r = b->raw;
	uint32_t k = (uint32_t)r->nasked, of = term_get(b->ts, value)->a - INPUT_MAX;
	uint32_t *more = arena_alloc(b->arena, (k + 1) * sizeof *more);
	if (k)
		memcpy(more, r->asked, k * sizeof *more);
	more[k] = of;
	r->asked = more;
	r->nasked = k + 1;
	enum input in = (enum input)(IN_PARAM_0 + b->policy->nparams + k);
	terms_param(b->ts, in, r->values[of].name, r->values[of].lo, r->values[of].hi);
	return term_input(b->ts, in);
}

/* ---- the program ------------------------------------------------------------------------------- */

static inline void raw_object(struct building *b)
{
	if (compile_policy(b->policy, &b->d, &b->pd, &b->image) || object_write(b->policy, &b->image, &b->d, &b->object))
		fail_msg("%s", b->d.n ? b->d.items[0].text : "failed");
}

#endif
