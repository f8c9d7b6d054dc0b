/*
 * args.c - the arguments of a call, as the method or block that is called takes them.
 */
#include "compiler/lift/run.h"

#include <string.h>

/* ---- by position --------------------------------------------------------------------------- */

/* A parameter list: so many required ones, optional ones, perhaps `*rest`, required ones. */
struct parameters {
	size_t first, optional, rest, last;
	size_t n;      /* all of them; registers from 1 on */
	bool keywords; /* then one more */
	bool named;    /* some by name, not `**rest` alone */
};

struct arguments { const struct val *list; size_t n; };

static struct parameters parameters_of(const struct insn *in)
{
	struct parameters p = {.first = MRB_ASPEC_REQ(in->a), .optional = MRB_ASPEC_OPT(in->a),
	                       .rest = MRB_ASPEC_REST(in->a), .last = MRB_ASPEC_POST(in->a),
	                       .named = MRB_ASPEC_KEY(in->a)};
	p.n = p.first + p.optional + p.rest + p.last;
	p.keywords = p.named || MRB_ASPEC_KDICT(in->a);
	return p;
}

/* What the call gave; keywords that are not taken as such are a hash, the last argument. */
static struct arguments arguments_of(struct run *r, const struct parameters *p)
{
	const struct call *c = r->fr->call;
	if (p->keywords || val_is_nil(c->keywords))
		return (struct arguments){c->args, c->n};
	struct val *more = arena_alloc(r->l->arena, (c->n + 1) * sizeof *more);
	if (c->n)
		memcpy(more, c->args, c->n * sizeof *more);
	more[c->n] = c->keywords;
	return (struct arguments){more, c->n + 1};
}

static void wrong_count(struct run *r, struct state *st, size_t given, const struct parameters *p)
{
	const struct call *c = r->fr->call;
	size_t least = p->first + p->last;
	lift_raise(r->l, st, mrb_class_get(r->l->mrb, "ArgumentError"),
	           "wrong number of arguments (given %zu, expected %zu)", given, least);
	struct raised *x = &r->l->raised[r->l->nraised - 1];
	if (r->fr->is_root)
		return;
	if (p->rest)
		x->hint = arena_printf(r->l->arena, "%s takes %zu arguments or more", lift_call_text(r->l, c), least);
	else if (p->optional)
		x->hint = arena_printf(r->l->arena, "%s takes %zu to %zu arguments", lift_call_text(r->l, c), least,
		                       least + p->optional);
	else
		lift_hint_count(r->l, c);
}

/* One array for several parameters of a block. */
static struct arguments spread(struct run *r, struct state *st, struct val array)
{
	struct val *one = arena_alloc(r->l->arena, sizeof *one);
	struct arguments a;
	*one = val_settle(r->l, st, array);
	run_spread(r, st, one, &a.list, &a.n);
	return a;
}

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

/* Registers from `reg` on get n arguments from a place of the list, which ends before `end`: nil
 * for those beyond. Returns the register after them. */
static uint32_t lay_out(struct run *r, struct state *st, uint32_t reg, size_t n, const struct val *list, size_t from,
                        size_t end)
{
	for (size_t i = 0; i < n; i++)
		run_set(r, st, reg++, from + i < end ? list[from + i] : val_nil());
	return reg;
}

/* Fills the registers of the parameters; how many optional ones are given. A block takes as many
 * arguments as there are: the last parameters come before the optional ones. */
static size_t take_arguments(struct run *r, struct state *st, const struct parameters *p, struct arguments a)
{
	size_t beyond = a.n > p->first ? a.n - p->first : 0;
	size_t last = at_most(beyond, p->last);
	size_t optional = at_most(beyond - last, p->optional);
	size_t rest = p->rest ? beyond - last - optional : 0;
	size_t at = at_most(p->first, a.n);
	uint32_t reg = lay_out(r, st, 1, p->first, a.list, 0, at);
	reg = lay_out(r, st, reg, p->optional, a.list, at, at + optional);
	at += optional;
	if (p->rest)
		run_set(r, st, reg++, val_array(r->l, st, a.list + at, rest));
	at += rest; /* a block ignores what is left after the last ones */
	lay_out(r, st, reg, p->last, a.list, at, at + last);
	return optional;
}

/* A hash for the keywords; named ones are taken out of a copy. */
static struct val keywords_of(struct run *r, struct state *st, const struct parameters *p)
{
	struct val given = r->fr->call->keywords;
	const struct val *pairs;
	size_t n;
	if (!p->named && !val_is_nil(given))
		return given;
	if (!val_pairs(r->l, st, given, &pairs, &n))
		return val_hash(r->l, st, NULL, 0);
	return val_hash(r->l, st, pairs, n);
}

/* As the VM lays them out; the block comes last. */
bool run_enter(struct run *r, struct state *st, const struct insn *in, uint32_t *next)
{
	struct parameters p = parameters_of(in);
	struct arguments a = arguments_of(r, &p);
	if (r->fr->code->strict && (a.n < p.first + p.last || (!p.rest && a.n > p.n))) {
		wrong_count(r, st, a.n, &p);
		return false;
	}
	if (!r->fr->code->strict && p.n > 1 && a.n == 1)
		a = spread(r, st, a.list[0]);
	/* a table of jumps follows, one for each optional parameter not given */
	*next = in->next + 3 * (uint32_t)take_arguments(r, st, &p, a);
	uint32_t reg = 1 + (uint32_t)p.n;
	if (p.keywords) {
		r->fr->keywords_at = reg;
		run_set(r, st, reg++, keywords_of(r, st, &p));
	}
	run_set(r, st, reg, r->fr->call->block);
	return true;
}

/* ---- by name ------------------------------------------------------------------------------- */

static struct flow wrong_keyword(struct lifter *l, struct state *st, const char *what, struct val name)
{
	bool symbol = name.kind == V_STATIC && mrb_symbol_p(name.u.st);
	lift_raise(l, st, mrb_class_get(l->mrb, "ArgumentError"), "%s keyword: %s", what,
	           symbol ? ruby_name(l->rb, mrb_symbol(name.u.st)) : "?");
	return (struct flow){0};
}

/* Where a name is among pairs; n: nowhere. */
static size_t find_keyword(const struct val *pairs, size_t n, mrb_sym name)
{
	size_t at = 0;
	while (at < n && !(pairs[at].kind == V_STATIC && mrb_symbol_p(pairs[at].u.st) &&
	                   mrb_symbol(pairs[at].u.st) == name))
		at += 2;
	return at;
}

/* The value of a keyword, which is gone from the hash then. */
static struct flow take_keyword(struct lifter *l, struct state *st, struct val hash, const struct val *pairs, size_t n,
                                size_t at)
{
	struct val value = pairs[at + 1], *left = arena_alloc(l->arena, n * sizeof *left);
	memcpy(left, pairs, at * sizeof *left);
	memcpy(left + at, pairs + at + 2, (n - at - 2) * sizeof *left);
	val_set_items(l, st, hash, left, n - 2);
	return flow_value(st, value);
}

/* KEY_P, KARG, KEYEND: is a keyword given; its value; are there others? */
struct flow run_keyword(struct run *r, struct state *st, const struct insn *in)
{
	struct lifter *l = r->l;
	struct val hash = run_get(r, st, r->fr->keywords_at);
	const struct val *pairs;
	size_t n;
	if (!val_pairs(l, st, hash, &pairs, &n))
		lift_refuse(l, "pass the values by position", "keyword arguments that depend on the request");
	if (in->op == OP_KEYEND)
		return n ? wrong_keyword(l, st, "unknown", pairs[0]) : flow_value(st, val_nil());
	mrb_sym name = r->fr->irep->syms[in->b];
	size_t at = find_keyword(pairs, n, name);
	if (in->op == OP_KEY_P)
		return flow_value(st, val_static(mrb_bool_value(at < n)));
	if (at == n)
		return wrong_keyword(l, st, "missing", val_static(mrb_symbol_value(name)));
	return take_keyword(l, st, hash, pairs, n, at);
}
