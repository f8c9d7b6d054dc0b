/*
 * methods.c - mruby's C functions inside a rule's block.
 *
 * They are known by the function that dispatch finds in an untouched
 * interpreter, so a policy that redefines a method gets its own; Ruby code of the
 * library by its bytecode. A function of the table may be run by mruby itself when
 * all it needs is known (PURE), and may have a meaning on runtime values (a handler).
 * Whatever is not there is refused.
 */
#include "compiler/lift/methods.h"
#include "policy/table.h"

#include <string.h>

struct known { uintptr_t code; const struct method *method; };

struct methods {
	struct arena *arena;
	struct known *list;
	size_t n, cap;
	struct table by_code;
};

static uint32_t hash_of(uintptr_t code)
{
	return (uint32_t)table_mix(0, code);
}

/* NULL: it is not known. */
static const struct method *find(const struct methods *m, uintptr_t code)
{
	for (struct table_look l = table_look(&m->by_code, hash_of(code)); table_next(&m->by_code, &l);)
		if (m->list[l.place].code == code)
			return m->list[l.place].method;
	return NULL;
}

struct methods *methods_empty(struct arena *a)
{
	struct methods *m = arena_alloc(a, sizeof *m);
	m->arena = a;
	return m;
}

void methods_learn(struct methods *m, mrb_state *mrb, struct RClass *class, const struct method *method)
{
	struct RClass *owner = class;
	mrb_method_t found = mruby_method(mrb, &owner, mrb_intern_cstr(mrb, method->name));
	if (MRB_METHOD_UNDEF_P(found))
		return; /* not in this mruby */
	uintptr_t code = MRB_METHOD_CFUNC_P(found) ? (uintptr_t)MRB_METHOD_CFUNC(found)
	                                           : (uintptr_t)MRB_METHOD_PROC(found)->body.irep;
	if (find(m, code))
		return;
	table_add(&m->by_code, m->arena, hash_of(code), (uint32_t)m->n);
	*ARENA_PUSH(m->arena, m->list, m->n, m->cap) = (struct known){code, method};
}

/* ---- calls --------------------------------------------------------------------------------- */

static struct flow apply(struct lifter *l, struct state *st, const struct call *c, const struct method *m)
{
	struct flow out;
	struct call known = *c;
	if (m->flags & METHOD_CLASS_ONLY) {
		struct val *args = arena_alloc(l->arena, (c->n + 1) * sizeof *args);
		for (size_t i = 0; i < c->n; i++)
			args[i] = native_stand_in(l, c->args[i]);
		known.recv = native_stand_in(l, c->recv);
		known.args = args;
	}
	/* the block's own arrays keep their identity in a handler */
	bool own = m->handler && (val_is_own(c->recv) || (c->n && val_is_own(c->args[0])));
	if (!own && m->flags & METHOD_PURE && native_run(l, st, &known, m->flags, &out))
		return out;
	if (m->handler)
		return m->handler(l, st, c, m->arg);
	method_needs_known(l, c);
}

/* Every combination of the arguments' cases on a path of its own. */
static struct flow expand(struct lifter *l, struct state *st, const struct call *c, const struct method *m,
                          size_t from)
{
	for (size_t i = from; i < c->n; i++) {
		const struct arm *arms;
		size_t n = val_arms(l, st, c->args[i], &arms);
		if (n == 1 && c->args[i].kind != V_CHOICE)
			continue;
		struct region r = flow_open(l, st);
		struct flow all = {0};
		struct call one = *c;
		struct val *args = arena_alloc(l->arena, c->n * sizeof *args);
		memcpy(args, c->args, c->n * sizeof *args);
		one.args = args;
		for (size_t k = 0; k < n; k++) {
			struct state *s = state_fork(l, st);
			args[i] = arms[k].v;
			if (path_assume(l, s, arms[k].guard))
				all = flow_join(l, all, expand(l, s, &one, m, i + 1));
		}
		return flow_close(l, r, all);
	}
	return apply(l, st, c, m);
}

bool lift_library(struct lifter *l, struct state *st, const struct call *c, const mrb_irep *irep,
                  struct flow *out)
{
	const struct method *m = find(l->all->methods, (uintptr_t)irep);
	return m && val_is_nil(c->keywords) && native_run(l, st, c, m->flags, out);
}

struct flow lift_cfunc(struct lifter *l, struct state *st, const struct call *c, mrb_func_t fn,
                       struct RClass *owner)
{
	if (c->recv.kind == V_CTX && owner == l->rb->ctx_class)
		return ctx_method(l, st, c);
	const struct method *m = find(l->all->methods, (uintptr_t)fn);
	const char *name = ruby_name(l->rb, c->mid);
	if (!strcmp(name, "equal?")) /* one C function with Object#==, another question */
		lift_refuse(l, "compare with ==", "`equal?` inside a rule's block: identity is not a value");
	if (!m)
		lift_refuse_path(l, c);
	if (!m)
		lift_refuse_method(l, c, " is not supported inside a rule's block",
		                   "a block may compare, compute and look up; do the rest before it");
	if (m->flags & METHOD_RAW)
		return m->handler(l, st, c, m->arg);
	return expand(l, st, c, m, 0);
}
