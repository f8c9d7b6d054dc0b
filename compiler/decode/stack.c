/*
 * stack.c - what a program wrote on its stack, piece by piece.
 *
 * Pieces are never changed in place: states share them.
 */
#include "compiler/decode/internal.h"

#include <string.h>

enum { PIECES_MAX = 64 };

static bool meets(const struct piece *p, uint32_t frame, int64_t at, unsigned size)
{
	return p->frame == frame && p->at < at + (int64_t)size && at < p->at + (int64_t)p->size;
}

static bool is_before(const struct piece *p, uint32_t frame, int64_t at)
{
	return p->frame != frame ? p->frame < frame : p->at < at;
}

static bool is_cut(const struct value *v)
{
	return v->kind == V_TERM || v->kind == V_WORD || v->kind == V_CONST;
}

/* A part of a piece: of a number the bytes above `behind`. */
static struct value part_of(struct decoder *r, const struct piece *p, unsigned behind, unsigned size)
{
	struct value v = p->v;
	int64_t of[WORDS];
	if (!behind && size == p->size)
		return v;
	if (v.kind == V_PAIR && behind == 4 && size == 4)
		return value_term(r, v.b);
	if (!behind)
		return value_cut(r, &v, size);
	if (!is_cut(&v))
		return (struct value){.kind = V_NONE};
	if (v.kind == V_CONST)
		v = value_const((int64_t)((uint64_t)v.k >> 8 * behind));
	else if (v.kind == V_TERM)
		v = value_term(r, term_op(r->terms, TERM_SHR, v.a, term_const(r->terms, 8 * behind)));
	else {
		for (int i = 0; i < WORDS; i++)
			of[i] = (int64_t)((uint64_t)r->words[v.a][i] >> 8 * behind);
		v = value_of_words(r, of);
	}
	return value_cut(r, &v, size);
}

/* What is left of a piece beside what is written over it: pieces as large as they can be. */
static void keep_rest(struct decoder *r, struct piece *out, size_t *n, const struct piece *p, int64_t from, int64_t to)
{
	while (from < to && *n < PIECES_MAX) {
		unsigned size = 8;
		while (size > (uint64_t)(to - from) || (from - p->at) % size)
			size /= 2;
		struct value v = part_of(r, p, (unsigned)(from - p->at), size);
		if (v.kind != V_NONE)
			out[(*n)++] = (struct piece){.at = (int16_t)from, .size = (uint8_t)size, .frame = p->frame, .v = v};
		from += size;
	}
}

void stack_write(struct decoder *r, struct state *st, uint32_t frame, int64_t at, unsigned size, const struct value *v)
{
	struct piece out[PIECES_MAX + 1];
	size_t n = 0, i = 0;
	if (at < -512 || at + (int64_t)size > 0 || st->npieces >= PIECES_MAX - 16) {
		stack_forget(st);
		if (at < -512 || at + (int64_t)size > 0)
			return;
	}
	for (; i < st->npieces && is_before(&st->pieces[i], frame, at); i++)
		if (meets(&st->pieces[i], frame, at, size))
			keep_rest(r, out, &n, &st->pieces[i], st->pieces[i].at, at);
		else
			out[n++] = st->pieces[i];
	if (v->kind != V_NONE)
		out[n++] = (struct piece){.at = (int16_t)at, .size = (uint8_t)size, .frame = (uint8_t)frame, .v = *v};
	/* one that begins before and ends behind leaves its end, too */
	for (size_t k = 0; k < st->npieces; k++)
		if (meets(&st->pieces[k], frame, at, size))
			keep_rest(r, out, &n, &st->pieces[k], at + (int64_t)size, st->pieces[k].at + st->pieces[k].size);
	for (; i < st->npieces; i++)
		if (!meets(&st->pieces[i], frame, at, size))
			out[n++] = st->pieces[i];
	st->pieces = arena_alloc(r->arena, n * sizeof *out);
	memcpy(st->pieces, out, n * sizeof *out);
	st->npieces = n;
}

void stack_forget(struct state *st)
{
	st->npieces = 0;
}

static const struct piece *piece_at(const struct state *st, uint32_t frame, int64_t at)
{
	for (size_t i = 0; i < st->npieces; i++)
		if (meets(&st->pieces[i], frame, at, 1))
			return &st->pieces[i];
	return NULL;
}

/* Two numbers side by side: low has `bytes`. */
static struct value joined(struct decoder *r, const struct value *low, const struct value *high, unsigned bytes)
{
	term a, b;
	if (low->kind == V_CONST && high->kind == V_CONST)
		return value_const((int64_t)((uint64_t)low->k | (uint64_t)high->k << 8 * bytes));
	if (low->kind == V_UNKNOWN || high->kind == V_UNKNOWN || !value_as_term(r, low, &a) || !value_as_term(r, high, &b))
		return (struct value){.kind = V_NONE};
	if (bytes == 4)
		return (struct value){.kind = V_PAIR, .a = a, .b = b};
	term moved = term_op(r->terms, TERM_SHL, b, term_const(r->terms, 8 * bytes));
	return value_term(r, term_op(r->terms, TERM_BOR, moved, a));
}

struct value stack_read(struct decoder *r, const struct state *st, uint32_t frame, int64_t at, unsigned size)
{
	struct value all = {.kind = V_NONE};
	for (unsigned done = 0; done < size;) {
		const struct piece *p = piece_at(st, frame, at + done);
		if (!p)
			return (struct value){.kind = V_NONE};
		unsigned behind = (unsigned)(at + done - p->at), n = p->size - behind;
		if (n > size - done)
			n = size - done;
		struct value part = part_of(r, p, behind, n);
		all = done ? joined(r, &all, &part, done) : part;
		if (all.kind == V_NONE)
			return all;
		done += n;
	}
	return all;
}
