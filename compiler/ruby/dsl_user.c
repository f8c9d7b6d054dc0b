/*
 * dsl_user.c - the words of the user half: on, every, at_exit.
 *
 * The blocks are kept, not called: they run in a process of their own beside the program (user.c). That they
 * can be called is looked at here, when the policy is compiled.
 */
#include "compiler/ruby/code.h"
#include "compiler/ruby/dsl.h"

#include <math.h>
#include <string.h>

enum { HANDLERS_MAX = 100, NSEC = 1000000000, EVERY_LEAST_MS = 125, EVERY_MOST_S = 366 * 86400 };

#define EXAMPLE_ON "write on(:deny) { |e| puts \"#{e.comm} wanted #{e.device}\" }"
#define EXAMPLE_EVERY "write every(5) { puts \"still here\" }"
#define EXAMPLE_EXIT "write at_exit { puts \"the end\" }"

/* ---- the block ------------------------------------------------------------------------- */

/* How many parameters a handler has: no more than `most`. */
static int parameters(mrb_state *mrb, const struct RProc *p, const char *what, int most, const char *example)
{
	struct insn in;
	if (MRB_PROC_CFUNC_P(p))
		dsl_fail(mrb, example, "the block of %s must be Ruby code", what);
	if (!insn_decode(p->body.irep, 0, &in) || in.op != OP_ENTER)
		return 0;
	int n = (int)(MRB_ASPEC_REQ(in.a) + MRB_ASPEC_POST(in.a));
	bool more = MRB_ASPEC_OPT(in.a) || MRB_ASPEC_REST(in.a) || MRB_ASPEC_KEY(in.a) || MRB_ASPEC_KDICT(in.a) || MRB_ASPEC_BLOCK(in.a);
	if ((n > most || more) && !most)
		dsl_fail(mrb, example, "the block of %s takes no parameter", what);
	if (n > most || more)
		dsl_fail(mrb, example, "the block of %s takes one parameter, the event", what);
	return n;
}

static void add(mrb_state *mrb, struct handler h, mrb_value block, const char *what, const char *example)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	if (mrb_nil_p(block))
		dsl_fail(mrb, example, "%s needs a block", what);
	h.takes = parameters(mrb, mrb_proc_ptr(block), what, h.of == ON_INTERVAL || h.of == ON_EXIT ? 0 : 1, example);
	if (said->nhandlers == HANDLERS_MAX)
		dsl_fail(mrb, "do several things in one block", "more than %d handlers", HANDLERS_MAX);
	h.proc = block;
	h.at = ruby_at(rb, statement_line(rb));
	mrb_ary_push(mrb, said->keep, block);
	*ARENA_PUSH(rb->arena, said->handlers, said->nhandlers, said->handlers_cap) = h;
}

/* ---- on ----------------------------------------------------------------------------------- */

static const char *const events[] = {[ON_DENY] = "deny", [ON_ALLOW] = "allow", [ON_LINE] = "line"};

static void refuse_event(mrb_state *mrb, mrb_value v)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const size_t n = sizeof events / sizeof *events;
	const char *said = mrb_symbol_p(v)   ? arena_printf(rb->arena, ":%s", ruby_name(rb, mrb_symbol(v)))
	                   : mrb_string_p(v) ? arena_printf(rb->arena, "\"%s\"", args_text(mrb, v, "the event of on"))
	                                     : mrb_obj_classname(mrb, v);
	const char *word = mrb_symbol_p(v) || mrb_string_p(v) ? said + 1 : "", *near = did_you_mean(word, events, n);
	for (size_t i = 0; i < n && !near; i++) /* "denied", and a string */
		near = !strncmp(word, events[i], 3) ? events[i] : NULL;
	dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean on(:%s)?", near) : EXAMPLE_ON,
	         "on(%s): there are on(:deny), on(:allow), on(:line), and on(RING) for what `ring` made", said);
}

mrb_value dsl_on(mrb_state *mrb, mrb_value self)
{
	struct ruby *ruby = ruby_of(mrb);
	struct handler h = {.of = ON_RING};
	mrb_value block, v = args_only(mrb, "on", "on(:deny) { |e| ... }", &block);
	const char *name = mrb_symbol_p(v) ? ruby_name(&ruby->rb, mrb_symbol(v)) : "";
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (!strcmp(name, events[i]))
			h.of = (enum handler_of)i;
	if (h.of == ON_RING && !(ruby->said.is_ring && ruby->said.is_ring(mrb, v, &h.map)))
		refuse_event(mrb, v);
	add(mrb, h, block, h.of == ON_RING ? "on(RING)" : arena_printf(ruby->rb.arena, "on(:%s)", name), EXAMPLE_ON);
	return self;
}

/* ---- every, at_exit ------------------------------------------------------------------------- */

mrb_value dsl_every(mrb_state *mrb, mrb_value self)
{
	struct handler h = {.of = ON_INTERVAL};
	mrb_value block, v = args_only(mrb, "every", "every(5) { ... }", &block);
	if (!mrb_integer_p(v) && !mrb_float_p(v))
		dsl_fail(mrb, EXAMPLE_EVERY, "every takes a number of seconds, not %s", mrb_obj_classname(mrb, v));
	double seconds = mrb_integer_p(v) ? (double)mrb_integer(v) : mrb_float(v);
	if (!(seconds * 1000 >= EVERY_LEAST_MS) || seconds > EVERY_MOST_S)
		dsl_fail(mrb, EXAMPLE_EVERY, "every %g: from 0.125 to %d seconds are possible", seconds, EVERY_MOST_S);
	h.every = (uint64_t)llround(seconds * NSEC);
	add(mrb, h, block, "every", EXAMPLE_EVERY);
	return self;
}

mrb_value dsl_at_exit(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "at_exit");
	if (n)
		dsl_fail(mrb, EXAMPLE_EXIT, "at_exit takes no value");
	add(mrb, (struct handler){.of = ON_EXIT}, block, "at_exit", EXAMPLE_EXIT);
	return self;
}

/* ---- what they ask for -------------------------------------------------------------------------- */

/* A handler that is never given anything would be a mistake without a word. */
static int reports(struct ruby *ruby, const struct handler *h, enum audit_level least)
{
	struct policy *p = ruby->said.policy;
	if (!p->audit_given && p->audit < least)
		p->audit = least;
	if (p->audit >= least)
		return 0;
	ruby_turn_to(&ruby->rb, h->at.file);
	return ruby_refuse(&ruby->rb, h->at.line,
	                   arena_printf(ruby->rb.arena, "write `audit :%s`, or leave `audit` out", audit_words[least]),
	                   arena_printf(ruby->rb.arena, "on(:%s) is given nothing: the policy says `audit :%s`", events[h->of],
	                                audit_words[p->audit]));
}

/* What the file is, and what it waits for. */
static int goes_with(struct ruby *ruby, const struct handler *h)
{
	const struct raw_said *raw = &ruby->said.raw;
	ruby_turn_to(&ruby->rb, h->at.file);
	if (h->of == ON_LINE && !raw->given)
		return ruby_refuse(&ruby->rb, h->at.line, "on(:deny) is given what the rules deny",
		                   "on(:line) is given what a raw program prints: rules print nothing");
	if ((h->of == ON_DENY || h->of == ON_ALLOW) && raw->given && raw->section != RAW_DEVICE)
		return ruby_refuse(&ruby->rb, h->at.line, "send what it finds through a ring: EVENTS = ring pid: :u32",
		                   arena_printf(ruby->rb.arena, "on(:%s) is given nothing: only a program of section \"cgroup/dev\" decides",
		                                events[h->of]));
	return 0;
}

int handlers_reported(struct ruby *ruby)
{
	const struct said *said = &ruby->said;
	for (size_t i = 0; i < said->nhandlers; i++) {
		const struct handler *h = &said->handlers[i];
		if (goes_with(ruby, h))
			return -1;
		if ((h->of == ON_DENY && reports(ruby, h, AUDIT_DENIED)) || (h->of == ON_ALLOW && reports(ruby, h, AUDIT_ALL)))
			return -1;
	}
	return 0;
}

/* ---- when the policy is compiled ---------------------------------------------------------------- */

/* Of the objects that stand for maps then. */
static bool is_ring(mrb_state *mrb, mrb_value v, uint32_t *map)
{
	const struct raw_said *raw = &ruby_of(mrb)->said.raw;
	for (size_t i = 0; i < raw->nobjects; i++)
		if (mrb_obj_eq(mrb, raw->objects[i], v)) {
			*map = (uint32_t)i;
			return raw->maps[i].kind == RAW_RING;
		}
	return false;
}

/* puts at the top of the file: it prints when the user half begins. */
static mrb_value dsl_puts(mrb_state *mrb, mrb_value self)
{
	struct said *said = &ruby_of(mrb)->said;
	(void)self;
	args_while_running(mrb, "puts");
	if (!said->printed.line)
		said->printed = ruby_at(&ruby_of(mrb)->rb, statement_line(&ruby_of(mrb)->rb));
	return mrb_nil_value();
}

int user_half_keep(struct ruby *ruby)
{
	struct said *said = &ruby->said;
	if (said->nhandlers)
		return code_keep(&ruby->rb, said);
	if (!said->printed.line)
		return 0;
	ruby_report(&ruby->rb, DIAG_ERROR, said->printed, "a policy without handlers (on, every, at_exit) prints nothing: `eval` and `check` show what it does",
	            "nobody would see what the file prints");
	return -1;
}

void dsl_user_define(struct interpreter *rb)
{
	static const char *const prints[] = {"puts", "print", "p", "printf"};
	struct RObject *main = mrb_obj_ptr(mrb_top_self(rb->mrb));
	for (size_t i = 0; i < sizeof prints / sizeof *prints; i++)
		mrb_define_singleton_method(rb->mrb, main, prints[i], dsl_puts, MRB_ARGS_ANY());
	mrb_define_method(rb->mrb, rb->mrb->kernel_module, "on", dsl_on, MRB_ARGS_ANY());
	mrb_define_method(rb->mrb, rb->mrb->kernel_module, "every", dsl_every, MRB_ARGS_ANY());
	mrb_define_method(rb->mrb, rb->mrb->kernel_module, "at_exit", dsl_at_exit, MRB_ARGS_ANY());
	ruby_of(rb->mrb)->said.is_ring = is_ring;
}
