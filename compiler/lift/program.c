/*
 * program.c - the method of a raw program, from bytecode to steps and a result; and what only it may call.
 *
 * It is lifted as a rule's block is. What it does is kept beside, in order (steps.c). It may not raise: there is
 * nobody to tell.
 */
#include "compiler/lift/run.h"

#include <string.h>

enum { PROGRAM_FUEL = 4000000 };

/* ---- values ---------------------------------------------------------------------------------- */

void raw_refuse_sum(struct lifter *l)
{
	lift_refuse(l, "read it again in the next statement", "the value of an assignment to a map is not known: the kernel adds");
}

bool raw_integer(struct lifter *l, struct state *st, struct val v, term *t)
{
	const struct arm *arms;
	size_t n = val_arms(l, st, v, &arms);
	for (size_t i = 0; i < n; i++)
		if (arms[i].v.kind == V_SUM)
			raw_refuse_sum(l);
	if (n > 1)
		n = val_join_integers(l, &arms, n);
	return n == 1 && val_as_term(l, arms[0].v, t);
}

int raw_map_of(const struct lifter *l, struct val v)
{
	const struct raw_said *said = &l->all->said->raw;
	for (size_t i = 0; v.kind == V_STATIC && i < said->nobjects; i++)
		if (mrb_obj_eq(l->mrb, said->objects[i], v.u.st))
			return (int)i;
	return -1;
}

/* ---- functions ------------------------------------------------------------------------------- */

static struct flow fact(struct lifter *l, struct state *st, int in)
{
	return flow_value(st, val_int(l, term_input(l->terms, (enum input)in)));
}

static struct flow learn(struct lifter *l, struct state *st, enum step_kind kind)
{
	bool time = kind == STEP_TIME;
	uint32_t value = trail_value(l, time ? "ktime_ns" : "cpu", 0, time ? INT64_MAX : UINT16_MAX);
	trail_step(l, st, kind)->value = value;
	*ARENA_PUSH(l->arena, l->makes, l->nmakes, l->makes_cap) = NULL;
	return flow_value(st, trail_read(l, value));
}

/* pid, printk ...: called without a receiver. False: no such function. */
static bool function(struct lifter *l, struct state *st, const struct call *c, struct flow *out)
{
	static const struct { const char *name; enum input in; } facts[] = {
		{"pid", IN_PID}, {"tid", IN_TID}, {"uid", IN_UID}, {"gid", IN_GID}, {"cgroup_id", IN_CGROUP_ID}};
	const char *name = ruby_name(l->rb, c->mid);
	bool print = !strcmp(name, "printk"), traced = !strcmp(name, "bpf_trace_printk");
	if (print || traced) {
		*out = raw_print(l, st, c, traced);
		return true;
	}
	int in = -1;
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		in = strcmp(name, facts[i].name) ? in : (int)facts[i].in;
	bool time = !strcmp(name, "ktime_ns"), cpu = !strcmp(name, "cpu"), comm = !strcmp(name, "comm");
	if (in < 0 && !time && !cpu && !comm)
		return false;
	if (c->n || !val_is_nil(c->block))
		lift_refuse(l, arena_printf(l->arena, "write %s alone", name), "`%s` takes nothing", name);
	*out = comm  ? flow_value(st, (struct val){.kind = V_COMM})
	       : time || cpu ? learn(l, st, time ? STEP_TIME : STEP_CPU)
	                     : fact(l, st, in);
	return true;
}

const char *raw_rules_ask(struct lifter *l, const char *name)
{
	int in = ctx_input(l->all->said, name);
	if (who_kind(name) < 0 && !(in >= 0 && input_is_task((enum input)in)))
		return NULL;
	return arena_printf(l->arena, "a rule asks for `%s`, in its block: allow { |ctx| ... }; a raw program has the instructions that it says and no others", name);
}

const char *raw_function_hint(struct lifter *l, const char *name)
{
	static const char *const names[] = {"pid", "tid", "uid", "gid", "comm", "cgroup_id", "ktime_ns", "cpu", "printk", "bpf_trace_printk"};
	const char *near = did_you_mean(name, names, sizeof names / sizeof *names), *rule = raw_rules_ask(l, name);
	if (rule)
		return rule;
	return near ? arena_printf(l->arena, "did you mean `%s`?", near)
	            : "a raw program has pid, tid, uid, gid, comm, cgroup_id, ktime_ns, cpu and printk";
}

static const struct layout *layout_of(const struct lifter *l, struct val v)
{
	const struct raw_said *said = &l->all->said->raw;
	if (v.kind != V_STATIC || mrb_type(v.u.st) != MRB_TT_CLASS)
		return NULL;
	for (size_t i = 0; i < said->nlayouts; i++)
		if (said->layouts[i].class == mrb_class_ptr(v.u.st))
			return &said->layouts[i];
	return NULL;
}

/* Has the policy, or mruby, a method of that name? */
static bool has_method(struct lifter *l, const struct call *c)
{
	struct RClass *class = val_class(l, c->recv);
	return !MRB_METHOD_UNDEF_P(mruby_method(l->mrb, &class, c->mid));
}

bool raw_send(struct lifter *l, struct state *st, const struct call *c, struct flow *out)
{
	int map = raw_map_of(l, c->recv);
	if (map >= 0) {
		*out = raw_map_call(l, st, c, (uint32_t)map);
		return true;
	}
	if (c->recv.kind == V_SUM)
		raw_refuse_sum(l);
	if (c->recv.kind == V_CTX)
		return raw_context(l, st, c, out);
	if (c->recv.kind == V_PEEK)
		return raw_structure(l, st, c, out);
	static const char *const prints[] = {"puts", "print", "p", "printf"};
	bool main = c->recv.kind == V_STATIC && mrb_obj_eq(l->mrb, c->recv.u.st, mrb_top_self(l->mrb));
	for (size_t i = 0; main && i < sizeof prints / sizeof *prints; i++)
		if (!strcmp(ruby_name(l->rb, c->mid), prints[i]))
			lift_refuse(l, "printk(\"pid %d\", pid) prints a line; handlers have puts: on(:line) { |l| puts l.text }", "`%s` in a raw program", prints[i]);
	const struct layout *layout = layout_of(l, c->recv);
	if (layout && !strcmp(ruby_name(l->rb, c->mid), "at") && !has_method(l, c)) {
		*out = raw_structure_at(l, st, layout, c);
		return true;
	}
	return main && !has_method(l, c) && function(l, st, c, out);
}

/* ---- the method ------------------------------------------------------------------------------- */

/* A raw program that raises has no result. */
static void refuse_raises(struct lifter *l)
{
	for (size_t i = 0; i < l->nraised; i++) {
		const struct raised *x = &l->raised[i];
		ruby_report(l->rb, DIAG_ERROR, x->at, x->hint ? x->hint : "test for the case before: a raw program that raises has no result",
		            arena_printf(l->arena, "this may raise %s", x->what));
	}
	if (l->nraised)
		longjmp(l->bail, 1);
}

static void refuse_result(struct lifter *l, struct val v)
{
	const char *what = val_describe(l, v);
	ruby_report(l->rb, DIAG_ERROR, l->raw->at, "end it with a number on every path: 0 denies, anything else allows",
	            arena_printf(l->arena, "the result of `%s` is %s%s", l->raw->function, what,
	                         v.kind == V_CHOICE ? ", and not always an Integer" : ", not an Integer"));
	longjmp(l->bail, 1);
}

/* The result as a term; nobody asks for that of a tracing program. */
static term result_of(struct lifter *l, struct state *st)
{
	const struct arm *arms;
	term t, result = T_FALSE;
	if (raw_integer(l, st, st->result, &t))
		return t;
	if (l->raw->section == RAW_DEVICE)
		refuse_result(l, st->result);
	size_t n = val_arms(l, st, st->result, &arms);
	result = term_const(l->terms, 0);
	for (size_t i = 0; i < n; i++)
		if (val_as_term(l, arms[i].v, &t))
			result = term_ite(l->terms, arms[i].guard, t, result);
	return result;
}

/* Values by which the result differs. */
static void ask_values(struct lifter *l)
{
	struct raw *raw = l->raw;
	bool *seen = arena_alloc(l->arena, terms_count(l->terms) * sizeof *seen);
	term *todo = arena_alloc(l->arena, (3 * terms_count(l->terms) + 4) * sizeof *todo), below[3];
	size_t n = 0, cap = 0;
	memset(seen, 0, terms_count(l->terms) * sizeof *seen);
	todo[n++] = raw->result;
	while (n) {
		term t = todo[--n];
		if (seen[t])
			continue;
		seen[t] = true;
		const struct term_node *k = term_get(l->terms, t);
		if (raw_value_of(k) >= 0)
			*ARENA_PUSH(l->rb->arena, raw->asked, raw->nasked, cap) = (uint32_t)raw_value_of(k);
		for (size_t i = term_operands(k, below); i-- > 0;)
			todo[n++] = below[i];
	}
	if (raw->nasked > INPUT_MAX - IN_PARAM_0)
		lift_refuse(l, "decide by fewer of them", "the result differs by %zu values of maps, more than %d", raw->nasked, INPUT_MAX - IN_PARAM_0);
}

static void lift_method(struct lifter *l, const struct RProc *method)
{
	struct state *st = state_new(l);
	struct closure *code = closure_of_proc(l, method);
	struct val ctx = {.kind = V_CTX};
	struct call given = {.args = &ctx, .n = 1, .block = val_nil(), .keywords = val_nil()};
	struct flow f = lift_invoke(l, st, code, code->self, &given);
	refuse_raises(l);
	if (!f.ret)
		lift_refuse(l, "end it with a number", "the program has no result");
	l->raw->result = result_of(l, f.ret);
	if (l->raw->section == RAW_DEVICE)
		ask_values(l);
	l->raw->steps = trail_steps(l, f.ret->trail, &l->raw->result, 1);
	trail_name(l, l->raw->steps);
}

int lift_program(struct lifting *all, struct raw *raw, struct RProc *method)
{
	struct interpreter *rb = all->rb;
	struct arena *scratch = arena_scratch(rb->arena);
	struct lifter *l = arena_alloc(scratch, sizeof *l);
	*l = (struct lifter){.all = all, .raw = raw, .rb = rb, .mrb = rb->mrb, .arena = scratch, .terms = all->said->policy->terms,
	                     .fuel = PROGRAM_FUEL, .memory_before = arena_size(rb->arena)};
	bool refused = setjmp(l->bail);
	if (!refused) {
		all->lifter = l;
		lift_method(l, method);
	}
	all->lifter = NULL;
	arena_free(scratch);
	return refused ? -1 : 0;
}
