/*
 * dsl_user.c - the words of the user half: on, every, at_exit.
 *
 * Its blocks run when a program is watched, in another process. Here it is only checked that they can be called.
 */
#include "compiler/ruby/dsl.h"

#include <mruby/dump.h>
#include <string.h>

/* A handler's block. */
static void check_block(mrb_state *mrb, mrb_value block, const char *what, int most)
{
	struct insn in;
	if (mrb_nil_p(block))
		dsl_fail(mrb, most ? "for example: on(:deny) { |e| puts e.comm }" : "for example: every(5) { puts \"still here\" }",
		         "%s takes a block", what);
	const struct RProc *p = mrb_proc_ptr(block);
	if (MRB_PROC_CFUNC_P(p))
		dsl_fail(mrb, "write a block", "the block of %s must be Ruby code", what);
	bool enters = insn_decode(p->body.irep, 0, &in) && in.op == OP_ENTER;
	int takes = enters ? (int)MRB_ASPEC_REQ(in.a) + (int)MRB_ASPEC_POST(in.a) : 0;
	if (takes > most)
		dsl_fail(mrb, most ? "write { |e| ... }" : "write { ... }", "the block of %s takes %s", what,
		         most ? "one parameter, the event" : "no parameter");
	ruby_of(mrb)->said.user_half = true;
}

static bool is_ring(const struct raw_said *raw, mrb_state *mrb, mrb_value v)
{
	for (size_t i = 0; i < raw->nobjects; i++)
		if (mrb_obj_eq(mrb, raw->objects[i], v))
			return raw->maps[i].kind == RAW_RING;
	return false;
}

static mrb_value dsl_on(mrb_state *mrb, mrb_value self)
{
	static const char *const words[] = {"deny", "allow", "line"};
	struct ruby *ruby = ruby_of(mrb);
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "on");
	if (n != 1)
		dsl_fail(mrb, "for example: on(:deny) { |e| puts e.comm }", "on takes one value, not %d", (int)n);
	bool known = is_ring(&ruby->said.raw, mrb, args[0]);
	const char *word = mrb_symbol_p(args[0]) ? ruby_name(&ruby->rb, mrb_symbol(args[0])) : "";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		known |= !strcmp(words[i], word);
	if (!known) {
		const char *near = did_you_mean(word, words, sizeof words / sizeof *words);
		dsl_fail(mrb, near ? arena_printf(ruby->rb.arena, "did you mean :%s?", near)
		                   : "on takes :deny, :allow, :line, or a ring: EVENTS = ring pid: :u32",
		         "there are no such events");
	}
	check_block(mrb, block, "on", 1);
	return self;
}

static mrb_value dsl_every(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "every");
	double seconds = n != 1 ? 0 : mrb_integer_p(args[0]) ? (double)mrb_integer(args[0])
	                        : mrb_float_p(args[0]) ? mrb_float(args[0]) : 0;
	if (!(seconds >= 0.1 && seconds <= 86400))
		dsl_fail(mrb, "for example: every(5) { ... }", "every takes seconds, from 0.1 to 86400");
	check_block(mrb, block, "every", 0);
	return self;
}

static mrb_value dsl_at_exit(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	args_while_running(mrb, "at_exit");
	if (n)
		dsl_fail(mrb, "write at_exit { ... }", "at_exit takes a block alone");
	check_block(mrb, block, "at_exit", 0);
	return self;
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
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	uint8_t *bytes;
	size_t n;
	if (!said->user_half && said->printed.line) {
		ruby_report(rb, DIAG_ERROR, said->printed, "a policy without handlers (on, every, at_exit) prints nothing: `eval` and `check` show what it does",
		            "nobody would see what the file prints");
		return -1;
	}
	if (!said->user_half)
		return 0;
	if (rb->nsources > 1) {
		ruby_turn_to(rb, rb->sources[0]->file);
		return ruby_refuse(rb, 0, "write it as one file", "a file with a user half (on, every, at_exit) loads another file");
	}
	if (mrb_dump_irep(rb->mrb, rb->sources[0]->irep, DUMP_DEBUG_INFO, &bytes, &n) != MRB_DUMP_OK)
		return diag_fail(rb->diags, NULL, "the bytecode of the user half cannot be written");
	void *kept = arena_alloc(rb->arena, n);
	memcpy(kept, bytes, n);
	mrb_free(rb->mrb, bytes);
	said->policy->handlers.data = kept;
	said->policy->handlers.len = n;
	return 0;
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
}
