/*
 * reference.c - mruby's own answer: the rules of a policy asked one by one, each
 * block called with a plain object that answers for the request.
 *
 * This shares nothing with the lifter but the policy's rules: patterns are
 * matched by pattern_matches(), blocks are run by the interpreter.
 */
#include "compiler/ruby/ruby.h"
#include "policy/device.h"

#include <stdlib.h>
#include <string.h>

/* Methods of ctx that are an input as it is, and those that compare one. */
#define FIELDS(X)                                                                                  \
	X(major, IN_MAJOR) X(minor, IN_MINOR) X(access, IN_ACCESS) X(requested, IN_REQUESTED)
#define TESTS(X)                                                                                   \
	X(char, q->request->type == DEV_CHAR) X(block, q->request->type == DEV_BLOCK)            \
	X(read, q->access == ACC_READ) X(write, q->access == ACC_WRITE)                          \
	X(mknod, q->access == ACC_MKNOD)
#define FIELD_NAME(name, in) {#name, in},

/* Its method's name: a question ends in `?`. */
#define TASK_METHOD(name, kind) (FACT_##kind == FACT_YES_NO ? #name "?" : #name)

static const struct { const char *name; enum input in; } fields[] = {
	FIELDS(FIELD_NAME)
#define FACT(id, number, name, lowest, highest, bits, helper) FIELD_NAME(name, IN_##id)
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) {TASK_METHOD(name, kind), IN_##id},
#include "policy/facts.def"
};

int ctx_input(const struct said *said, const char *method)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (!strcmp(fields[i].name, method))
			return fields[i].in;
	for (size_t i = 0; i < said->policy->nparams; i++)
		if (!strcmp(said->policy->params[i].name, method))
			return IN_PARAM_0 + (int)i;
	return -1;
}

/* A fact that was not given ends the question. */
static int64_t fact(mrb_state *mrb, enum input in)
{
	struct question *q = &ruby_of(mrb)->question;
	if (!(q->request->known & INPUT(in))) {
		q->missing = in;
		mrb_raise(mrb, mrb_class_get(mrb, "RuntimeError"), "fact not given");
	}
	return q->request->fact[in];
}

/* Every method of ctx is asked through these, whatever name it was called by: only of
 * ctx itself, and only while a request is asked about. */
static const struct question *asked_of(mrb_state *mrb, mrb_value self)
{
	const struct ruby *ruby = ruby_of(mrb);
	if (!ruby->question.request || mrb_type(self) != MRB_TT_OBJECT || mrb_obj_class(mrb, self) != ruby->rb.ctx_class)
		mrb_raise(mrb, mrb->eStandardError_class, "ctx answers in a rule's block only");
	return &ruby->question;
}

static const struct question *asked(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	return asked_of(mrb, self);
}

static mrb_value number(mrb_state *mrb, mrb_value self, enum input in)
{
	const struct question *q = asked(mrb, self);
	switch (in) {
	case IN_MAJOR: return mrb_int_value(mrb, q->request->major);
	case IN_MINOR: return mrb_int_value(mrb, q->request->minor);
	case IN_ACCESS: return mrb_int_value(mrb, q->access);
	case IN_REQUESTED: return mrb_int_value(mrb, q->request->access);
	default: return mrb_int_value(mrb, fact(mrb, in));
	}
}

#define DEFINE_FIELD(name, in)                                                                     \
	static mrb_value ctx_##name(mrb_state *mrb, mrb_value self) { return number(mrb, self, in); }
#define DEFINE_TEST(name, condition)                                                               \
	static mrb_value ctx_is_##name(mrb_state *mrb, mrb_value self)                             \
	{                                                                                          \
		const struct question *q = asked(mrb, self);                                       \
		return mrb_bool_value(condition);                                                  \
	}
FIELDS(DEFINE_FIELD)
#define FACT(id, number, name, lowest, highest, bits, helper) DEFINE_FIELD(name, IN_##id)
#include "policy/facts.def"
TESTS(DEFINE_TEST)

/* ---- the calling task ---------------------------------------------------------------- */

static mrb_value task_fact(mrb_state *mrb, mrb_value self, enum input in)
{
	asked(mrb, self);
	int64_t v = fact(mrb, in);
	const char *path;
	switch (input_kind(in)) {
	case FACT_YES_NO: return mrb_bool_value(v);
	case FACT_OR_NONE: return v == ID_NONE ? mrb_nil_value() : mrb_int_value(mrb, v);
	case FACT_FILE: /* of another file it is a text that is no path */
		path = asked_path_text(terms_asked(ruby_of(mrb)->said.policy->terms), v);
		return mrb_str_new_cstr(mrb, path ? path : "-");
	default: return mrb_int_value(mrb, v);
	}
}

#define TASK_FACT(id, number, name, lowest, highest, bits, kind)                                   \
	static mrb_value ctx_##name(mrb_state *mrb, mrb_value self) { return task_fact(mrb, self, IN_##id); }
#include "policy/facts.def"

/* What the request says to a question, one of the policy's or not. */
static mrb_value ask_who(mrb_state *mrb, mrb_value self, enum ask_kind kind)
{
	struct ruby *ruby = ruby_of(mrb);
	const struct asked *all = terms_asked(ruby->said.policy->terms);
	mrb_value argument;
	struct who_fault f;
	struct ask ask;
	mrb_get_args(mrb, "o", &argument);
	asked_of(mrb, self);
	if (who_question(&ruby->said, &ruby->rb, kind, argument, (struct span){0}, &ask, &f))
		mrb_raise(mrb, mrb_class_get(mrb, "ArgumentError"), f.text);
	if (who_is_root(&ask))
		return mrb_true_value();
	for (size_t i = 0; i < all->nasks; i++)
		if (all->asks[i].kind == kind && all->asks[i].number == ask.number)
			return mrb_bool_value(fact(mrb, IN_ASK_0 + (int)i));
	mrb_raise(mrb, mrb_class_get(mrb, "RuntimeError"), "a question that the policy does not ask");
}

static mrb_value ctx_in_group(mrb_state *mrb, mrb_value self) { return ask_who(mrb, self, ASK_GROUP); }
static mrb_value ctx_is_capable(mrb_state *mrb, mrb_value self) { return ask_who(mrb, self, ASK_CAPABLE); }
static mrb_value ctx_is_under(mrb_state *mrb, mrb_value self) { return ask_who(mrb, self, ASK_UNDER); }

/* ---- texts, and what is made of several ------------------------------------------------ */

static mrb_value ctx_comm(mrb_state *mrb, mrb_value self)
{
	char comm[COMM_SIZE + 1] = {0};
	asked(mrb, self);
	int64_t words[2] = {fact(mrb, IN_COMM_0), fact(mrb, IN_COMM_1)};
	memcpy(comm, words, sizeof words);
	return mrb_str_new_cstr(mrb, comm);
}

static mrb_value ctx_type(mrb_state *mrb, mrb_value self)
{
	bool is_char = asked(mrb, self)->request->type == DEV_CHAR;
	return mrb_symbol_value(mrb_intern_cstr(mrb, is_char ? "char" : "block"));
}

static mrb_value ctx_access_type(mrb_state *mrb, mrb_value self)
{
	const struct question *q = asked(mrb, self);
	return mrb_int_value(mrb, (mrb_int)q->access << 16 | q->request->type);
}

/* A parameter with a range: which one is kept with the function. */
static mrb_value ctx_param(mrb_state *mrb, mrb_value self)
{
	const struct policy *p = ruby_of(mrb)->said.policy;
	asked(mrb, self);
	size_t i = (size_t)mrb_integer(mrb_proc_cfunc_env_get(mrb, 0));
	return mrb_int_value(mrb, i < p->nparams ? p->params[i].value : 0);
}

void reference_param(struct interpreter *rb, const char *name, size_t index)
{
	mrb_value at = mrb_int_value(rb->mrb, (mrb_int)index);
	struct RProc *p = mrb_proc_new_cfunc_with_env(rb->mrb, ctx_param, 1, &at);
	mrb_method_t m;
	MRB_METHOD_FROM_PROC(m, p);
	mrb_define_method_raw(rb->mrb, rb->ctx_class, mrb_intern_cstr(rb->mrb, name), m);
}

/* The class has no name that a policy can say: nobody can make, reopen or inherit one. */
void reference_define(struct interpreter *rb)
{
	mrb_state *mrb = rb->mrb;
	struct RClass *c = rb->ctx_class = mrb_define_class(mrb, "DeviceRequest", mrb->object_class);
#define DEFINE(name, in) mrb_define_method(mrb, c, #name, ctx_##name, MRB_ARGS_NONE());
#define DEFINE_IS(name, condition) mrb_define_method(mrb, c, #name "?", ctx_is_##name, MRB_ARGS_NONE());
	FIELDS(DEFINE)
#define FACT(id, number, name, lowest, highest, bits, helper) DEFINE(name, IN_##id)
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) \
	mrb_define_method(mrb, c, TASK_METHOD(name, kind), ctx_##name, MRB_ARGS_NONE());
#include "policy/facts.def"
	TESTS(DEFINE_IS)
	mrb_define_method(mrb, c, "comm", ctx_comm, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "in_group?", ctx_in_group, MRB_ARGS_REQ(1));
	mrb_define_method(mrb, c, "capable?", ctx_is_capable, MRB_ARGS_REQ(1));
	mrb_define_method(mrb, c, "under?", ctx_is_under, MRB_ARGS_REQ(1));
	mrb_define_method(mrb, c, "type", ctx_type, MRB_ARGS_NONE());
	mrb_define_method(mrb, c, "access_type", ctx_access_type, MRB_ARGS_NONE());
	mrb_undef_class_method(mrb, c, "new");
	mrb_undef_class_method(mrb, c, "allocate");
	mrb_gc_register(mrb, mrb_obj_value(c));
	mrb_const_remove(mrb, mrb_obj_value(mrb->object_class), mrb_intern_lit(mrb, "DeviceRequest"));
}

/* ---- deciding ------------------------------------------------------------------------ */

static mrb_value ask_body(mrb_state *mrb, void *p)
{
	const struct block *b = p;
	mrb_value ctx = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, ruby_of(mrb)->rb.ctx_class));
	return mrb_yield_argv(mrb, b->proc, b->parameters, &ctx);
}

static bool patterns_match(const struct rule *r, const struct request *q, int access)
{
	for (size_t i = 0; i < r->npatterns; i++)
		if (pattern_matches(&r->patterns[i], r->deny, q->type, q->major, q->minor, access))
			return true;
	return !r->npatterns;
}

/* Does the rule decide this access? Fills out when it does. -1: a fact is missing. */
static int ask(struct ruby *ruby, const struct rule *r, struct decision *out)
{
	struct interpreter *rb = &ruby->rb;
	const struct question *q = &ruby->question;
	if (!patterns_match(r, q->request, q->access))
		return 0;
	*out = (struct decision){.allow = !r->deny, .rule = r};
	if (r->block < 0)
		return 1;
	mrb_bool failed = FALSE;
	int ai = mrb_gc_arena_save(rb->mrb);
	mrb_value v = mrb_protect_error(rb->mrb, ask_body, &ruby->said.blocks[r->block], &failed);
	if (failed && q->missing < 0) {
		struct raise *raise = arena_alloc(rb->arena, sizeof *raise);
		*raise = (struct raise){.at = r->at, .what = ruby_exception_text(rb, v)};
		*out = (struct decision){.error = true, .rule = r, .raise = raise};
	}
	mrb_gc_arena_restore(rb->mrb, ai);
	if (q->missing >= 0)
		return -1;
	return failed || mrb_test(v);
}

static int decide_access(struct ruby *ruby, const struct policy *p, int access, struct decision *out)
{
	ruby->question.access = access;
	for (size_t i = 0; i < p->nrules; i++) {
		int rc = ask(ruby, &p->rules[i], out);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	*out = (struct decision){.allow = p->default_allow};
	return 0;
}

static int decide(struct ruby *ruby, const struct policy *p, const struct request *r, struct decision *out)
{
	struct decision one;
	bool first = true;
	for (int bit = r->access ? ACC_MKNOD : 0; bit <= ACC_WRITE; bit = bit ? bit << 1 : ACC_ALL) {
		if (r->access && !(r->access & bit))
			continue;
		if (decide_access(ruby, p, bit, &one))
			return -1;
		if (first || !one.allow)
			*out = one;
		if (!one.allow)
			return 0;
		first = false;
	}
	return 0;
}

int ruby_decide(struct ruby *ruby, const struct policy *p, const struct request *r,
                struct decision *out, int *missing)
{
	if (p->raw) {
		*missing = -1;
		reference_raw_decide(ruby, p, r, out);
		return 0;
	}
	struct request asked = *r;
	asked_answer(policy_asks(p), &asked);
	ruby->question = (struct question){.request = &asked, .missing = -1};
	int rc = decide(ruby, p, r, out);
	*missing = ruby->question.missing;
	ruby->question.request = NULL;
	return rc;
}
