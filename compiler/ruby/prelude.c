/*
 * prelude.c - methods of mruby's library that are not Ruby's, written anew in Ruby.
 *
 * prelude.rb is compiled when the tool is built (make_prelude.c) and run before the
 * policy, without debug information, so that it counts as library code: a block's calls
 * of it are lifted as any other Ruby code. What is cheaper said in C, or is refused, is in
 * differences.c. Each method there is one that tests/differences.txt found to differ;
 * mruby's own helpers begin with `__`.
 */
#include "compiler/ruby/differences.h"

#include "compiler/ruby/prelude.inc"

void prelude_run(struct interpreter *rb)
{
	mrb_load_irep_buf(rb->mrb, prelude, sizeof prelude);
	if (!rb->mrb->exc)
		return;
	mrb_value exc = mrb_obj_value(rb->mrb->exc);
	rb->mrb->exc = NULL;
	mrb_exc_raise(rb->mrb, exc);
}
