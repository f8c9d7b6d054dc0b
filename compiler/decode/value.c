/* value.c - what a register can hold, and what is known of it. */
#include "compiler/decode/internal.h"

#include <stdarg.h>
#include <string.h>

bool decoder_fail(struct decoder *r, const char *fmt, ...)
{
	va_list ap;
	if (r->why)
		return false;
	va_start(ap, fmt);
	r->why = arena_vprintf(r->arena, fmt, ap);
	va_end(ap);
	return false;
}

struct value value_const(int64_t k)
{
	return (struct value){.kind = V_CONST, .k = k};
}

struct value value_term(struct decoder *r, term t)
{
	const struct term_node *n = term_get(r->terms, t);
	return n->op == TERM_CONST ? value_const(n->lo) : (struct value){.kind = V_TERM, .a = t};
}

struct value value_of_words(struct decoder *r, const int64_t of[WORDS])
{
	bool one = true;
	for (int i = 1; i < WORDS; i++)
		one &= of[i] == of[0];
	if (one)
		return value_const(of[0]);
	for (size_t i = 0; i < r->nwords; i++)
		if (!memcmp(r->words[i], of, sizeof r->words[i]))
			return (struct value){.kind = V_WORD, .a = (uint32_t)i};
	memcpy(*ARENA_PUSH(r->arena, r->words, r->nwords, r->words_cap), of, sizeof *r->words);
	return (struct value){.kind = V_WORD, .a = (uint32_t)r->nwords - 1};
}

/* Which number it is: each call of a function has its own. */
static int64_t which(const struct state *st, uint32_t pc)
{
	uint64_t h = pc + 1;
	for (const struct caller *up = st->up; up; up = up->up)
		h = table_mix(h, up->back);
	return (int64_t)h;
}

struct value value_unknown(struct decoder *r, const struct state *st, uint32_t pc, const char *what)
{
	int64_t k = which(st, pc);
	const char *name = arena_printf(r->arena, "%s at instruction %u", what, pc);
	*ARENA_PUSH(r->arena, r->names, r->nnames, r->names_cap) = name;
	return (struct value){.kind = V_UNKNOWN, .a = (uint32_t)r->nnames - 1, .k = k};
}

/* As an input of its own. */
static bool unknown_term(struct decoder *r, const struct value *v, term *out)
{
	size_t i = 0, most = INPUT_MAX - IN_PARAM_0 - r->first_unknown;
	while (i < r->unknown && r->unknown_k[i] != v->k)
		i++;
	r->too_many |= i == most;
	if (i == most)
		return decoder_fail(r, "it decides by more than %zu values that are not understood, %s among them", most,
		                   r->names[v->a]);
	enum input in = (enum input)(IN_PARAM_0 + r->first_unknown + i);
	if (i == r->unknown) {
		r->unknown_k[r->unknown++] = v->k;
		terms_param(r->terms, in, arena_strdup(r->keep, r->names[v->a]), INT64_MIN, INT64_MAX);
	}
	*out = term_input(r->terms, in);
	return true;
}

bool value_as_term(struct decoder *r, const struct value *v, term *out)
{
	struct terms *ts = r->terms;
	switch (v->kind) {
	case V_CONST: *out = term_const(ts, v->k); return true;
	case V_TERM: *out = v->a; return true;
	case V_PAIR: {
		term high = term_op(ts, TERM_SHL, v->b, term_const(ts, 32));
		*out = term_op(ts, TERM_BOR, high, v->a);
		return true;
	}
	case V_UNKNOWN: return unknown_term(r, v, out);
	default: return false;
	}
}

bool value_same(const struct value *x, const struct value *y)
{
	return x->kind == y->kind && (x->kind == V_UNKNOWN || (x->a == y->a && x->b == y->b)) && x->k == y->k;
}

bool value_settled(const struct decoder *r, const struct value *v, uint16_t mask, int64_t *k)
{
	if (v->kind == V_CONST) {
		*k = v->k;
		return true;
	}
	return v->kind == V_WORD && mask && value_first_words(r, v, mask, k) == mask;
}

uint16_t value_first_words(const struct decoder *r, const struct value *v, uint16_t mask, int64_t *k)
{
	const int64_t *of = r->words[v->a];
	int first = mask ? __builtin_ctz(mask) : 0;
	uint16_t with = 0;
	*k = of[first];
	for (int i = first; i < WORDS; i++)
		if (mask & 1u << i && of[i] == *k)
			with |= (uint16_t)(1u << i);
	return with;
}

bool value_is_number(const struct value *v)
{
	return v->kind == V_CONST || v->kind == V_WORD;
}

bool value_is_address(const struct value *v)
{
	return v->kind == V_CTX || v->kind == V_STACK || v->kind == V_MAP || v->kind == V_ENTRY || v->kind == V_FOREIGN;
}

term term_low_bits(struct terms *ts, term t, int bits)
{
	const struct term_node *n = term_get(ts, t);
	int64_t mask = (int64_t)((1ull << bits) - 1);
	return n->lo >= 0 && n->hi <= mask ? t : term_op(ts, TERM_BAND, t, term_const(ts, mask));
}

/* The low bits as a signed number. */
term term_signed_bits(struct terms *ts, term t, int bits)
{
	const struct term_node *n = term_get(ts, t);
	int64_t sign = (int64_t)(1ull << (bits - 1));
	if (n->lo >= -sign && n->hi < sign)
		return t;
	term flipped = term_op(ts, TERM_BXOR, term_low_bits(ts, t, bits), term_const(ts, sign));
	return term_op(ts, TERM_SUB, flipped, term_const(ts, sign));
}

struct value value_cut(struct decoder *r, const struct value *v, unsigned size)
{
	uint64_t mask = size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1;
	int64_t of[WORDS];
	term t;
	if (size == 8 || v->kind == V_NONE)
		return *v;
	switch (v->kind) {
	case V_CONST: return value_const((int64_t)((uint64_t)v->k & mask));
	case V_WORD:
		for (int i = 0; i < WORDS; i++)
			of[i] = (int64_t)((uint64_t)r->words[v->a][i] & mask);
		return value_of_words(r, of);
	case V_PAIR:
		if (size == 4)
			return value_term(r, v->a);
		t = v->a;
		break;
	case V_TERM: t = v->a; break;
	case V_UNKNOWN: /* always the same part of the same number */
		return (struct value){.kind = V_UNKNOWN, .a = v->a, .k = (int64_t)table_mix((uint64_t)v->k, size)};
	default: return (struct value){.kind = V_NONE};
	}
	return value_term(r, term_low_bits(r->terms, t, 8 * (int)size));
}
