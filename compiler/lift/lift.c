/*
 * lift.c - one rule block from bytecode to terms.
 *
 * In: a proc of the policy and the devices its rule is narrowed to. Out: the
 * condition under which the rule matches and those under which the block raises,
 * all disjoint. A block that cannot be lifted is refused with its place; nothing
 * is guessed. Cost is linear in the instructions evaluated; FUEL bounds them, and
 * MEMORY_MAX what they leave behind.
 */
#include "compiler/ruby/differences.h"

#include <string.h>

enum { FUEL = 4000000 };
#define MEMORY_MAX ((size_t)256 << 20)

bool lift_in_policy(const struct lifter *l, const struct frame *f)
{
	const char *file = mrb_debug_get_filename(l->mrb, f->irep, f->pc);
	return ruby_source(l->rb, file) != NULL;
}

const struct call *lift_user_call(const struct lifter *l, const struct call *c)
{
	for (const struct frame *f = l->frame; f && !lift_in_policy(l, f); f = f->up)
		if (!f->is_root)
			c = f->call;
	return c;
}

const char *lift_call_text(struct lifter *l, const struct call *c)
{
	const char *name = ruby_name(l->rb, c->mid), *of = val_describe(l, c->recv);
	if (!strcmp(name, "`"))
		return "a command in backquotes";
	if (!strcmp(of, "main"))
		return arena_printf(l->arena, "`%s`", name);
	return arena_printf(l->arena, "`%s` of %s", name, of);
}

struct span lift_place(const struct lifter *l)
{
	struct span at = {.file = l->rb->source->file};
	for (const struct frame *f = l->frame; f && at.line <= 0; f = f->up)
		if (lift_in_policy(l, f)) {
			at.file = ruby_source(l->rb, mrb_debug_get_filename(l->mrb, f->irep, f->pc))->file;
			at.line = irep_line(l->rb, f->irep, f->pc);
		}
	if (at.line < 0)
		at.line = 0;
	return at;
}

static void report(struct lifter *l, enum diag_level level, struct span at, const char *hint, const char *text)
{
	struct diag *d = diag_add(l->rb->diags, level, at, hint, "%s", text);
	ruby_turn_to(l->rb, at.file);
	d->source = ruby_source_line(l->rb, at.line);
}

void lift_refuse(struct lifter *l, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
	const struct call *c = lift_user_call(l, NULL);
	if (c)
		text = arena_printf(l->arena, "%s (in %s)", text, lift_call_text(l, c));
	report(l, DIAG_ERROR, lift_place(l), hint, text);
	longjmp(l->bail, 1);
}

void lift_spend(struct lifter *l)
{
	if (arena_size(l->rb->arena) > l->memory_before + MEMORY_MAX)
		lift_refuse(l, "loops must end by values known when the policy is compiled; make large tables outside of the block",
		            "the block does not finish without knowing ctx, or builds too much");
	if (l->fuel-- == 0)
		lift_refuse(l, "loops must end by values known when the policy is compiled",
		            "the block does not finish without knowing ctx");
}

void lift_refuse_method(struct lifter *l, const struct call *c, const char *why, const char *hint)
{
	c = lift_user_call(l, c);
	const char *instead = hint_method_instead(mrb_sym_name(l->mrb, c->mid));
	report(l, DIAG_ERROR, lift_place(l), instead ? instead : hint,
	       arena_printf(l->arena, "%s%s", lift_call_text(l, c), why));
	longjmp(l->bail, 1);
}

void lift_warn(struct lifter *l, const char *hint, const char *text)
{
	struct span at = lift_place(l);
	for (size_t i = 0; i < l->rb->diags->n; i++) {
		const struct diag *d = &l->rb->diags->items[i];
		if (d->at.line == at.line && !strcmp(d->text, text))
			return;
	}
	report(l, DIAG_WARNING, at, hint, text);
}

bool lift_possible(struct lifter *l, term guard)
{
	outcome o;
	struct ruby *rb = l->rb;
	if (!rb->guards)
		rb->guards = diagrams_new(rb->arena, l->terms, ORDER_FACTS_LAST);
	node n = diagram_of_term(rb->guards, guard);
	return !diagram_ok(rb->guards) || !node_is_terminal(n, &o) || o == OUT_ALLOW;
}

/* Exceptions that say the block itself is wrong, not the request. */
static bool is_mistake(struct lifter *l, struct RClass *class)
{
	static const char *const names[] = {"NameError", "NoMethodError", "ArgumentError", "TypeError"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (class == mrb_class_get(l->mrb, names[i]))
			return true;
	return false;
}

void lift_raise(struct lifter *l, struct state *st, struct RClass *class, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
	for (const struct frame *f = l->frame; f; f = f->up) {
		const struct mrb_irep_catch_handler *h = mrb_irep_catch_handler_table(f->irep);
		for (uint16_t i = 0; i < f->irep->clen; i++)
			if (handler_covers(&h[i], f->pc))
				lift_refuse(l, "test for the case before, an exception denies",
				            "an exception inside `rescue` or `ensure`: %s", text);
	}
	*ARENA_PUSH(l->arena, l->raised, l->nraised, l->raised_cap) = (struct raised){
		.when = st->guard->full, .at = lift_place(l), .certain_class = is_mistake(l, class),
		.what = arena_printf(l->arena, "%s: %s", mrb_class_name(l->mrb, class), text)};
}

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
		report(l, DIAG_ERROR, x->at, hint, text);
	return text != NULL;
}

/* The block's ways to raise, as the rule's: what cannot happen is dropped, what
 * was not meant is warned of. */
static void keep_raises(struct lifter *l, struct rule *r)
{
	if (l->nraised)
		r->raises = arena_alloc(l->rb->arena, l->nraised * sizeof *r->raises);
	for (size_t i = 0; i < l->nraised; i++) {
		struct raised *x = &l->raised[i];
		term when = term_and(l->terms, r->devices, x->when);
		if (!lift_possible(l, when))
			continue;
		if (refuse_difference(l, x))
			continue;
		r->raises[r->nraises++] = (struct raise){.when = when, .at = x->at, .what = arena_strdup(l->rb->arena, x->what)};
		if (!x->on_purpose)
			report(l, DIAG_WARNING, x->at,
			       x->hint ? x->hint : "an access for which a block raises is denied by that rule",
			       arena_printf(l->arena, "this may raise %s", x->what));
	}
}

/* The condition of a rule, from its block. */
static void lift_rule(struct lifter *l, struct rule *r, mrb_value proc)
{
	struct state *st = state_new(l);
	struct closure *code = closure_of_proc(l, mrb_proc_ptr(proc));
	struct val ctx = {.kind = V_CTX};
	struct call given = {.args = &ctx, .n = (size_t)l->rb->blocks[r->block].parameters};
	struct flow f = lift_invoke(l, st, code, code->self, &given);
	term truth = T_FALSE;
	if (f.ret)
		truth = term_and(l->terms, f.ret->guard->full, val_truth(l, f.ret, f.ret->result));
	r->match = term_and(l->terms, r->devices, truth);
	keep_raises(l, r);
}

int lift_block(struct ruby *rb, struct rule *r, mrb_value proc)
{
	struct arena *scratch = arena_scratch(rb->arena); /* states, values: only terms are kept */
	struct lifter *l = arena_alloc(scratch, sizeof *l);
	*l = (struct lifter){.rb = rb, .mrb = rb->mrb, .arena = scratch, .terms = rb->policy->terms,
	                     .fuel = FUEL, .memory_before = arena_size(rb->arena)};
	bool refused = setjmp(l->bail);
	if (!refused) {
		rb->lifter = l;
		lift_rule(l, r, proc);
	}
	rb->lifter = NULL;
	arena_free(scratch);
	return refused ? -1 : 0;
}
