/*
 * serial_raw.c - a raw program in the .devguard section: values before the terms that read them; section, license,
 * maps and steps behind all else. Of an operand 0 is the name of the process, else 1 + the number of a term.
 */
#include "compiler/object/serial.h"

static void put_field(struct buffer *b, const struct raw_field *f)
{
	put_string(b, f->name);
	put_number(b, f->offset);
	put_fixed(b, (uint64_t)(f->size | (f->is_signed ? 0x80 : 0)), 1);
}

void serial_put_values(struct buffer *b, const struct policy *p)
{
	const struct raw *r = p->raw;
	put_number(b, r->nvalues);
	for (size_t i = 0; i < r->nvalues; i++) {
		const struct raw_value *v = &r->values[i];
		put_string(b, v->name);
		put_signed(b, v->lo);
		put_signed(b, v->hi);
		put_number(b, (uint64_t)v->line);
		put_fixed(b, v->is_field, 1);
		if (v->is_field)
			put_field(b, &v->field);
	}
	put_number(b, r->nasked);
	for (size_t i = 0; i < r->nasked; i++)
		put_number(b, r->asked[i]);
}

static void put_record(struct buffer *b, const struct raw_record *r)
{
	put_number(b, r->n);
	for (size_t i = 0; i < r->n; i++)
		put_field(b, &r->fields[i]);
}

struct writing { struct buffer *b; const struct policy *p; const uint32_t *numbers; };

static void put_operand(const struct writing *w, const struct raw_operand *o)
{
	put_number(w->b, o->is_comm ? 0 : 1 + (uint64_t)w->numbers[o->t]);
}

static void put_steps(const struct writing *w, const struct step *list);

static void put_step(const struct writing *w, const struct step *s)
{
	struct buffer *b = w->b;
	put_fixed(b, s->kind, 1);
	put_span(b, w->p, &s->at);
	if (s->kind == STEP_IF) {
		put_number(b, w->numbers[s->condition]);
		put_steps(w, s->yes);
		put_steps(w, s->no);
		return;
	}
	put_number(b, s->nargs);
	for (size_t i = 0; i < s->nargs; i++)
		put_operand(w, &s->args[i]);
	switch (s->kind) {
	case STEP_PRINT: put_string(b, s->text); break;
	case STEP_PEEK: put_field(b, &s->peek); break;
	case STEP_SET:
	case STEP_ADD: put_operand(w, &s->operand); break;
	default: break;
	}
	put_number(b, s->map);
	put_number(b, s->found);
	put_number(b, s->value);
}

static void put_steps(const struct writing *w, const struct step *list)
{
	size_t n = 0;
	for (const struct step *s = list; s; s = s->next)
		n++;
	put_number(w->b, n);
	for (const struct step *s = list; s; s = s->next)
		put_step(w, s);
}

void serial_put_raw(struct buffer *b, const struct policy *p, const uint32_t *numbers)
{
	const struct raw *r = p->raw;
	struct writing w = {b, p, numbers};
	put_fixed(b, r->section, 1);
	put_string(b, r->section_name);
	put_string(b, r->license);
	put_string(b, r->function);
	put_span(b, p, &r->at);
	put_number(b, r->nmaps);
	for (size_t i = 0; i < r->nmaps; i++) {
		put_string(b, r->maps[i].name);
		put_fixed(b, r->maps[i].kind, 1);
		put_number(b, r->maps[i].entries);
		put_record(b, &r->maps[i].key);
		put_record(b, &r->maps[i].value);
		put_span(b, p, &r->maps[i].at);
	}
	put_steps(&w, r->steps);
	put_number(b, numbers[r->result]);
}
