/*
 * replaced.c - methods of mruby replaced by functions of ours. What was there before is
 * kept under a name that no Ruby text can spell.
 */
#include "compiler/ruby/differences.h"

#include <stdio.h>

#define KEPT "before "

static void replace(mrb_state *mrb, struct RClass *c, const char *name, mrb_func_t fn)
{
	char kept[64];
	struct RClass *owner = c;
	mrb_method_t m = mruby_method(mrb, &owner, mrb_intern_cstr(mrb, name));
	if (MRB_METHOD_UNDEF_P(m))
		return; /* not in this mruby: calls of it are refused as they are */
	snprintf(kept, sizeof kept, KEPT "%s", name);
	mrb_define_method_raw(mrb, c, mrb_intern_cstr(mrb, kept), m); /* an alias would call method_added */
	mrb_define_method(mrb, c, name, fn, MRB_METHOD_NOARG_P(m) ? MRB_ARGS_NONE() : MRB_ARGS_ANY());
}

mrb_value difference_before(mrb_state *mrb, mrb_value self, const char *name)
{
	char kept[64];
	const mrb_value *args;
	mrb_int n;
	mrb_value block;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	snprintf(kept, sizeof kept, KEPT "%s", name);
	return mrb_funcall_with_block(mrb, self, mrb_intern_cstr(mrb, kept), n, args, block);
}

mrb_value difference_argument(mrb_state *mrb, mrb_int i)
{
	return i < mrb_get_argc(mrb) ? mrb_get_argv(mrb)[i] : mrb_nil_value();
}

void difference_replace(mrb_state *mrb, struct RClass *c, const struct replacement *list)
{
	for (; list->name; list++)
		replace(mrb, c, list->name, list->fn);
}
