/*
 * reference.c - mruby's own answer: the rules of a policy asked one by one, each
 * block called with a plain object that answers for the request.
 *
 * This shares nothing with the lifter but the policy's rules: patterns are
 * matched by pattern_matches(), blocks are run by the interpreter.
 */
#include "compiler/lift.h"

#include <stdlib.h>
#include <string.h>

/* Methods of ctx that are an input as it is. */
static const struct { const char *name; enum input in; } fields[] = {
	{"major", IN_MAJOR}, {"minor", IN_MINOR}, {"access", IN_ACCESS}, {"requested", IN_REQUESTED},
	{"uid", IN_UID}, {"gid", IN_GID}, {"pid", IN_PID}, {"tid", IN_TID},
	{"cgroup_id", IN_CGROUP_ID}, {"uptime", IN_UPTIME},
};

int ctx_input(const struct ruby *rb, const char *method)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (!strcmp(fields[i].name, method))
			return fields[i].in;
	for (size_t i = 0; i < rb->policy->nparams; i++)
		if (!strcmp(rb->policy->params[i].name, method))
			return IN_PARAM_0 + (int)i;
	return -1;
}

/* A fact that was not given ends the question. */
static int64_t fact(mrb_state *mrb, enum input in)
{
	struct ruby *rb = ruby_of(mrb);
	if (!(rb->request->known & 1u << in)) {
		rb->missing = in;
		mrb_raise(mrb, mrb_class_get(mrb, "RuntimeError"), "fact not given");
	}
	return rb->request->fact[in];
}

static mrb_value ctx_field(mrb_state *mrb, mrb_value self)
{
	struct ruby *rb = ruby_of(mrb);
	int in = ctx_input(rb, mrb_sym_name(mrb, mrb_get_mid(mrb)));
	(void)self;
	switch (in) {
	case IN_MAJOR: return mrb_int_value(mrb, rb->request->major);
	case IN_MINOR: return mrb_int_value(mrb, rb->request->minor);
	case IN_ACCESS: return mrb_int_value(mrb, rb->access);
	case IN_REQUESTED: return mrb_int_value(mrb, rb->request->access);
	default: return mrb_int_value(mrb, fact(mrb, (enum input)in));
	}
}

static mrb_value ctx_comm(mrb_state *mrb, mrb_value self)
{
	char comm[COMM_SIZE + 1] = {0};
	int64_t words[2] = {fact(mrb, IN_COMM_0), fact(mrb, IN_COMM_1)};
	(void)self;
	memcpy(comm, words, sizeof words);
	return mrb_str_new_cstr(mrb, comm);
}

static mrb_value ctx_type(mrb_state *mrb, mrb_value self)
{
	(void)self;
	return mrb_symbol_value(mrb_intern_cstr(mrb, ruby_of(mrb)->request->type == DEV_CHAR ? "char" : "block"));
}

static mrb_value ctx_access_type(mrb_state *mrb, mrb_value self)
{
	struct ruby *rb = ruby_of(mrb);
	(void)self;
	return mrb_int_value(mrb, (mrb_int)rb->access << 16 | rb->request->type);
}

static mrb_value ctx_test(mrb_state *mrb, mrb_value self)
{
	struct ruby *rb = ruby_of(mrb);
	const char *name = mrb_sym_name(mrb, mrb_get_mid(mrb));
	(void)self;
	switch (*name) {
	case 'c': return mrb_bool_value(rb->request->type == DEV_CHAR);
	case 'b': return mrb_bool_value(rb->request->type == DEV_BLOCK);
	case 'r': return mrb_bool_value(rb->access == ACC_READ);
	case 'w': return mrb_bool_value(rb->access == ACC_WRITE);
	default: return mrb_bool_value(rb->access == ACC_MKNOD);
	}
}

void reference_define(struct ruby *rb)
{
	static const char *const tests[] = {"char?", "block?", "read?", "write?", "mknod?"};
	mrb_state *mrb = rb->mrb;
	struct RClass *c = rb->ctx_class = mrb_define_class(mrb, "DeviceRequest", mrb->object_class);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		mrb_define_method(mrb, c, fields[i].name, ctx_field, MRB_ARGS_NONE());
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		mrb_define_method(mrb, c, tests[i], ctx_test, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "comm", ctx_comm, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "type", ctx_type, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "access_type", ctx_access_type, MRB_ARGS_NONE());
}

/* ---- deciding ------------------------------------------------------------------------ */

struct question { struct ruby *rb; const struct block *block; };

static mrb_value ask_body(mrb_state *mrb, void *p)
{
	struct question *q = p;
	mrb_value ctx = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, q->rb->ctx_class));
	return mrb_yield_argv(mrb, q->block->proc, q->block->parameters, &ctx);
}

static bool patterns_match(const struct rule *r, const struct request *q, int access)
{
	for (size_t i = 0; i < r->npatterns; i++)
		if (pattern_matches(&r->patterns[i], r->deny, q->type, q->major, q->minor, access))
			return true;
	return !r->npatterns;
}

/* Does the rule decide this access? Fills out when it does. -1: a fact is missing. */
static int ask(struct ruby *rb, const struct rule *r, struct decision *out)
{
	if (!patterns_match(r, rb->request, rb->access))
		return 0;
	*out = (struct decision){.allow = !r->deny, .rule = r};
	if (r->block < 0)
		return 1;
	struct question q = {rb, &rb->blocks[r->block]};
	mrb_bool failed = FALSE;
	int ai = mrb_gc_arena_save(rb->mrb);
	mrb_value v = mrb_protect_error(rb->mrb, ask_body, &q, &failed);
	if (failed && rb->missing < 0) {
		struct raise *raise = arena_alloc(rb->arena, sizeof *raise);
		*raise = (struct raise){.at = r->at, .what = ruby_exception_text(rb, v)};
		*out = (struct decision){.error = true, .rule = r, .raise = raise};
	}
	mrb_gc_arena_restore(rb->mrb, ai);
	if (rb->missing >= 0)
		return -1;
	return failed || mrb_test(v);
}

static int decide_access(struct ruby *rb, const struct policy *p, int access, struct decision *out)
{
	rb->access = access;
	for (size_t i = 0; i < p->nrules; i++) {
		int rc = ask(rb, &p->rules[i], out);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	*out = (struct decision){.allow = p->default_allow};
	return 0;
}

int ruby_decide(struct ruby *rb, const struct policy *p, const struct request *r,
                struct decision *out, int *missing)
{
	struct decision one;
	bool first = true;
	rb->request = r;
	rb->missing = -1;
	*missing = -1;
	for (int bit = r->access ? ACC_MKNOD : 0; bit <= ACC_WRITE; bit = bit ? bit << 1 : ACC_ALL) {
		if (r->access && !(r->access & bit))
			continue;
		if (decide_access(rb, p, bit, &one)) {
			*missing = rb->missing;
			return -1;
		}
		if (first || !one.allow)
			*out = one;
		if (!one.allow)
			return 0;
		first = false;
	}
	return 0;
}
