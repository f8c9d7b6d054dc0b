/*
 * lines.c - from an instruction to its line.
 *
 * mruby packs the lines of an irep as differences and adds them up at each
 * question: for a file of a rule a line that is quadratic. Here a large irep's
 * lines are unpacked once, and found by halves.
 */
#include "compiler/ruby/ruby.h"
#include "policy/table.h"

#include <string.h>

enum { SMALL = 64 }; /* entries of mruby's that are not worth an index */

struct line { uint32_t pc, line; }; /* from this instruction on */

struct line_index {
	const mrb_irep *irep; /* held: no other gets its address */
	struct line *lines;
	size_t n, cap;
};

struct line_indexes {
	struct line_index *list;
	size_t n, cap;
	struct table by_irep;
};

static void add_line(struct arena *a, struct line_index *x, uint32_t pc, uint32_t line)
{
	if (!x->n || x->lines[x->n - 1].line != line)
		*ARENA_PUSH(a, x->lines, x->n, x->cap) = (struct line){pc, line};
}

/* Seven bits a byte, the lowest first. */
static uint32_t unpack(const uint8_t **p, const uint8_t *end)
{
	uint32_t value = 0;
	for (int shift = 0; *p < end; shift += 7) {
		uint8_t byte = *(*p)++;
		value |= shift < 32 ? (uint32_t)(byte & 0x7f) << shift : 0;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static void unpack_lines(struct arena *a, struct line_index *x, const mrb_irep_debug_info *info)
{
	const mrb_irep_debug_info_file *f = info->files[0];
	uint32_t pc = 0, line = 0;
	switch (f->line_type) {
	case mrb_debug_line_ary:
		for (uint32_t i = 0; i < f->line_entry_count; i++)
			add_line(a, x, f->start_pos + i, f->lines.ary[i]);
		break;
	case mrb_debug_line_flat_map:
		for (uint32_t i = 0; i < f->line_entry_count; i++)
			add_line(a, x, f->lines.flat_map[i].start_pos, f->lines.flat_map[i].line);
		break;
	case mrb_debug_line_packed_map:
		for (const uint8_t *p = f->lines.packed_map, *end = p + f->line_entry_count; p < end;) {
			pc += unpack(&p, end);
			line += unpack(&p, end);
			add_line(a, x, pc, line);
		}
		break;
	}
}

/* The index of an irep, made when it is asked for; NULL: mruby's own way is as good. */
static const struct line_index *index_of(struct interpreter *rb, const mrb_irep *irep)
{
	const mrb_irep_debug_info *info = irep->debug_info;
	if (!info || info->flen != 1 || info->files[0]->line_entry_count < SMALL)
		return NULL;
	if (!rb->lines)
		rb->lines = arena_alloc(rb->arena, sizeof *rb->lines);
	struct line_indexes *all = rb->lines;
	uint32_t hash = (uint32_t)table_mix(0, (uintptr_t)irep);
	for (struct table_look l = table_look(&all->by_irep, hash); table_next(&all->by_irep, &l);)
		if (all->list[l.place].irep == irep)
			return &all->list[l.place];
	struct line_index made = {.irep = irep};
	unpack_lines(rb->arena, &made, info);
	table_add(&all->by_irep, rb->arena, hash, (uint32_t)all->n);
	*ARENA_PUSH(rb->arena, all->list, all->n, all->cap) = made;
	mrb_irep_incref(rb->mrb, (mrb_irep *)irep);
	return &all->list[all->n - 1];
}

int irep_line(struct interpreter *rb, const mrb_irep *irep, uint32_t pc)
{
	const struct line_index *x = index_of(rb, irep);
	if (!x || pc >= irep->debug_info->pc_count)
		return mrb_debug_get_line(rb->mrb, irep, pc);
	size_t lo = 0, hi = x->n;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (x->lines[mid].pc <= pc)
			lo = mid;
		else
			hi = mid;
	}
	return x->n && x->lines[lo].pc <= pc ? (int)x->lines[lo].line : -1;
}

void lines_close(struct interpreter *rb)
{
	for (size_t i = 0; rb->lines && i < rb->lines->n; i++)
		mrb_irep_decref(rb->mrb, (mrb_irep *)rb->lines->list[i].irep);
	rb->lines = NULL;
}
