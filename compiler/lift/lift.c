/*
 * lift.c - one rule block from bytecode to terms.
 *
 * In: a proc of the policy and the devices its rule is narrowed to. Out: the
 * condition under which the rule matches and those under which the block raises,
 * all disjoint. A block that cannot be lifted is refused with its place; nothing
 * is guessed. Cost is linear in the instructions evaluated; FUEL bounds them, and
 * MEMORY_MAX (refuse.c) what they leave behind.
 */
#include "compiler/lift/run.h"
#include "policy/device.h"

#include <string.h>

enum { FUEL = 4000000 };

/* Refuses an exception that mruby raises and Ruby does not. */
static bool refuse_difference(struct lifter *l, const struct raised *x)
{
	static const char missing[] = "NoMethodError: undefined method '", overflow[] = "RangeError: integer overflow";
	const char *text = NULL, *hint = "an Integer of a policy has 64 bits";
	if (!strncmp(x->what, overflow, sizeof overflow - 1))
		text = x->what;
	if (!strncmp(x->what, missing, sizeof missing - 1)) {
		const char *name = x->what + sizeof missing - 1;
		name = arena_strndup(l->arena, name, strcspn(name, "'"));
		if (ruby_alone_has(name, strstr(x->what, "' for nil") != NULL))
			text = arena_printf(l->arena, "`%s` is a method that Ruby has and mruby has not", name);
		hint = x->hint ? x->hint : "compare the value itself";
	}
	if (text)
		ruby_report(l->rb, DIAG_ERROR, x->at, hint, text);
	return text != NULL;
}

/* The block's ways to raise, as the rule's: what cannot happen is dropped, what
 * was not meant is warned of. A claim is true or false of a request: there is no third. */
static void keep_raises(struct lifter *l, struct rule *r, bool of_claim)
{
	if (l->nraised)
		r->raises = arena_alloc(l->rb->arena, l->nraised * sizeof *r->raises);
	for (size_t i = 0; i < l->nraised; i++) {
		struct raised *x = &l->raised[i];
		term when = term_and(l->terms, r->devices, x->when);
		if (!path_possible(l, when))
			continue;
		if (refuse_difference(l, x))
			continue;
		if (of_claim) {
			ruby_report(l->rb, DIAG_ERROR, x->at, "write the claim so that it raises for no request",
			            arena_printf(l->arena, "the block of a claim may raise %s", x->what));
			continue;
		}
		r->raises[r->nraises++] = (struct raise){.when = when, .at = x->at, .what = arena_strdup(l->rb->arena, x->what)};
		if (!x->on_purpose)
			ruby_report(l->rb, DIAG_WARNING, x->at,
			       x->hint ? x->hint : "an access for which a block raises is denied by that rule",
			       arena_printf(l->arena, "this may raise %s", x->what));
	}
}

/* The range that the devices of a rule give to one of the inputs. */
static void assume_range(struct lifter *l, struct state *st, enum input in, struct interval r, int64_t most)
{
	if (r.lo > 0 || r.hi < most)
		path_assume(l, st, term_between(l->terms, term_input(l->terms, in), r.lo, r.hi));
}

/* The block is asked only about what a device of its rule may be: a shift by ctx.minor - 128
 * is sound behind "c 226:128-135". */
static void assume_devices(struct lifter *l, struct state *st, const struct rule *r)
{
	struct interval major = {MAJOR_MAX, 0}, minor = {MINOR_MAX, 0};
	int types = 0;
	for (const struct pattern *p = r->patterns; p < r->patterns + r->npatterns; p++) {
		if (!p->types) /* left out: it is not here */
			continue;
		types |= p->types;
		major = (struct interval){p->majors[0].lo < major.lo ? p->majors[0].lo : major.lo,
		                          p->majors[p->nmajors - 1].hi > major.hi ? p->majors[p->nmajors - 1].hi : major.hi};
		minor = (struct interval){p->minors[0].lo < minor.lo ? p->minors[0].lo : minor.lo,
		                          p->minors[p->nminors - 1].hi > minor.hi ? p->minors[p->nminors - 1].hi : minor.hi};
	}
	if (!types)
		return;
	if (types != (DEV_BLOCK | DEV_CHAR))
		path_assume(l, st, term_eq(l->terms, term_input(l->terms, IN_TYPE), term_const(l->terms, types)));
	assume_range(l, st, IN_MAJOR, major, MAJOR_MAX);
	assume_range(l, st, IN_MINOR, minor, MINOR_MAX);
}

/* The condition of a rule, from its block. */
static void lift_rule(struct lifter *l, struct rule *r, const struct block *block)
{
	struct state *st = state_new(l);
	struct closure *code = closure_of_proc(l, mrb_proc_ptr(block->proc));
	struct val ctx = {.kind = V_CTX};
	struct call given = {.args = &ctx, .n = (size_t)block->parameters};
	assume_devices(l, st, r);
	const struct guard *base = st->guard; /* the rule's devices say that themselves */
	struct flow f = lift_invoke(l, st, code, code->self, &given);
	term truth = T_FALSE;
	if (f.ret)
		truth = term_and(l->terms, path_since(l, f.ret->guard, base), val_truth(l, f.ret, f.ret->result));
	r->match = term_and(l->terms, r->devices, truth);
	keep_raises(l, r, block->of_claim);
}

struct lifting *lifting_new(struct interpreter *rb, struct said *said)
{
	struct lifting *all = arena_alloc(rb->arena, sizeof *all);
	*all = (struct lifting){.rb = rb, .said = said, .methods = methods_new(rb)};
	return all;
}

int lift_block(struct lifting *all, struct rule *r, const struct block *block)
{
	struct interpreter *rb = all->rb;
	struct arena *scratch = arena_scratch(rb->arena); /* states, values: only terms are kept */
	struct lifter *l = arena_alloc(scratch, sizeof *l);
	*l = (struct lifter){.all = all, .rb = rb, .mrb = rb->mrb, .arena = scratch, .terms = all->said->policy->terms,
	                     .fuel = FUEL, .memory_before = arena_size(rb->arena)};
	bool refused = setjmp(l->bail);
	if (!refused) {
		all->lifter = l;
		lift_rule(l, r, block);
	}
	all->lifter = NULL;
	arena_free(scratch);
	return refused ? -1 : 0;
}
