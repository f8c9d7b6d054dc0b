/*
 * walk.c - runs the steps of a raw program, as policy/raw.h says what they mean: no instructions, terms are evaluated.
 */
#include "compiler/raw/world.h"

#include <string.h>

struct walk {
	struct raw_world *w;
	const struct raw *raw;
	struct terms *terms;
	struct raw_log *log;
	int64_t *inputs; /* and values behind them */
	unsigned char key[RAW_RECORD_MAX], value[RAW_RECORD_MAX];
};

static int64_t eval(struct walk *k, term t)
{
	return term_eval(k->terms, t, k->inputs);
}

static void learn(struct walk *k, uint32_t value, int64_t is)
{
	k->inputs[INPUT_MAX + value] = is;
}

static void put_operand(struct walk *k, unsigned char *to, const struct raw_field *f, const struct raw_operand *o)
{
	if (o->is_comm) {
		memcpy(to + f->offset, &k->inputs[IN_COMM_0], 8);
		memcpy(to + f->offset + 8, &k->inputs[IN_COMM_1], 8);
	} else {
		raw_store(to + f->offset, f->size, eval(k, o->t));
	}
}

/* The fields, with zeros between them. */
static void put_record(struct walk *k, unsigned char *to, const struct raw_record *r, const struct raw_operand *from)
{
	memset(to, 0, RAW_RECORD_MAX);
	for (size_t i = 0; i < r->n; i++)
		put_operand(k, to, &r->fields[i], &from[i]);
}

/* ---- effects ------------------------------------------------------------------------------------ */

static struct raw_effect effect_of(struct walk *k, const struct step *s, enum raw_effect_kind kind, bool value)
{
	const struct raw_map *m = &k->raw->maps[s->map];
	struct raw_effect e = {.kind = kind, .map = s->map, .key = k->key, .nkey = m->key.size, .line = s->at.line};
	if (value) {
		e.value = k->value;
		e.nvalue = m->value.size;
	}
	return e;
}

static void log_effect(struct walk *k, const struct step *s, enum raw_effect_kind kind, bool value)
{
	struct raw_effect e = effect_of(k, s, kind, value);
	raw_log_add(k->log, &e);
}

static void lose(struct walk *k, const struct step *s)
{
	raw_log_add(k->log, &(struct raw_effect){.kind = EFFECT_LOST, .map = s->map, .numbers = {1}, .nnumbers = 1,
	                                         .line = s->at.line});
}

static void print(struct walk *k, const struct step *s)
{
	struct raw_effect e = {.kind = EFFECT_PRINT, .text = s->text, .ntext = s->ntext, .nnumbers = s->nargs,
	                       .line = s->at.line};
	char comm[COMM_SIZE];
	for (size_t i = 0; i < s->nargs; i++) {
		if (!s->args[i].is_comm) {
			e.numbers[i] = eval(k, s->args[i].t);
			continue;
		}
		memcpy(comm, &k->inputs[IN_COMM_0], COMM_SIZE);
		size_t n = strnlen(comm, COMM_SIZE);
		memset(comm + n, 0, COMM_SIZE - n);
		e.value = (const unsigned char *)comm;
		e.nvalue = COMM_SIZE;
	}
	raw_log_add(k->log, &e);
}

static void add(struct walk *k, const struct step *s)
{
	const struct raw_map *m = &k->raw->maps[s->map];
	const struct raw_field *f = &m->value.fields[0];
	put_record(k, k->key, &m->key, s->args);
	struct raw_entry *e = world_find(k->w, s->map, k->key);
	memset(k->value, 0, sizeof k->value);
	if (!e && world_put(k->w, s->map, k->key, k->value, true)) {
		log_effect(k, s, EFFECT_PUT, true);
		e = world_find(k->w, s->map, k->key);
	}
	if (!e) {
		lose(k, s);
		return;
	}
	raw_store(k->value, f->size, eval(k, s->operand.t));
	struct raw_effect effect = effect_of(k, s, EFFECT_ADD, false);
	effect.numbers[effect.nnumbers++] = raw_load(k->value, f->size, false);
	raw_log_add(k->log, &effect);
	raw_store(e->value + f->offset, f->size, (int64_t)((uint64_t)raw_load(e->value + f->offset, f->size, false) +
	                                                    (uint64_t)effect.numbers[0]));
}

static void set(struct walk *k, const struct step *s)
{
	const struct raw_map *m = &k->raw->maps[s->map];
	put_record(k, k->key, &m->key, s->args);
	put_record(k, k->value, &m->value, &s->operand);
	if (world_put(k->w, s->map, k->key, k->value, false))
		log_effect(k, s, EFFECT_PUT, true);
	else
		lose(k, s);
}

static void out(struct walk *k, const struct step *s)
{
	put_record(k, k->value, &k->raw->maps[s->map].value, s->args);
	if (world_out(k->w, s->map))
		log_effect(k, s, EFFECT_OUT, true);
	else
		lose(k, s);
}

/* ---- what is learned ------------------------------------------------------------------------------ */

static void get(struct walk *k, const struct step *s)
{
	const struct raw_map *m = &k->raw->maps[s->map];
	const struct raw_field *f = &m->value.fields[0];
	put_record(k, k->key, &m->key, s->args);
	const struct raw_entry *e = world_find(k->w, s->map, k->key);
	learn(k, s->found, e != NULL);
	learn(k, s->value, e ? raw_load(e->value + f->offset, f->size, f->is_signed) : 0);
}

static void peek(struct walk *k, const struct step *s)
{
	uint64_t bytes = 0;
	uint64_t at = (uint64_t)eval(k, s->args[0].t) + s->peek.offset;
	bool there = k->w->peek(k->w, at, &bytes, s->peek.size);
	learn(k, s->value, there ? raw_load(&bytes, s->peek.size, s->peek.is_signed) : 0);
}

static void load_fields(struct walk *k)
{
	const struct raw_world *w = k->w;
	for (uint32_t i = 0; i < k->raw->nvalues; i++) {
		const struct raw_field *f = &k->raw->values[i].field;
		if (k->raw->values[i].is_field && f->offset + f->size <= w->ncontext)
			learn(k, i, raw_load(w->context + f->offset, f->size, f->is_signed));
	}
}

static void step(struct walk *k, const struct step *s)
{
	switch (s->kind) {
	case STEP_PRINT: print(k, s); return;
	case STEP_TIME:
		learn(k, s->value, (int64_t)k->w->time);
		k->w->time += k->w->tick;
		return;
	case STEP_CPU: learn(k, s->value, k->w->cpu); return;
	case STEP_PEEK: peek(k, s); return;
	case STEP_GET: get(k, s); return;
	case STEP_SET: set(k, s); return;
	case STEP_ADD: add(k, s); return;
	case STEP_DELETE:
		put_record(k, k->key, &k->raw->maps[s->map].key, s->args);
		if (world_delete(k->w, s->map, k->key))
			log_effect(k, s, EFFECT_DELETE, false);
		return;
	default: out(k, s); return;
	}
}

int raw_walk(struct raw_world *w, struct raw_log *log)
{
	const struct policy *p = w->policy;
	struct walk k = {.w = w, .raw = p->raw, .terms = p->terms, .log = log};
	struct raw_places places;
	if (!raw_places(w->arena, p->raw->steps, &places))
		return -1;
	k.inputs = arena_alloc(w->arena, (INPUT_MAX + p->raw->nvalues) * sizeof *k.inputs);
	memcpy(k.inputs, w->inputs, sizeof w->inputs);
	for (size_t i = 0; i < p->nparams; i++)
		k.inputs[IN_PARAM_0 + i] = p->params[i].value;
	load_fields(&k);
	for (uint32_t at = places.first; at != PLACE_END;) {
		const struct raw_place *place = &places.list[at];
		at = place->next;
		if (place->step->kind == STEP_IF)
			at = eval(&k, place->step->condition) ? place->yes : place->no;
		else
			step(&k, place->step);
	}
	log->result = eval(&k, p->raw->result);
	if (p->raw->section == RAW_DEVICE)
		log->result = log->result != 0;
	return 0;
}
