/*
 * dsl.c - the words of the language, functions that a policy file calls: policy, param, mode and
 * so on. The table at the end has all; those that make rules are in dsl_rules.c.
 *
 * Each checks its arguments and says what is wrong at the line of the call; the
 * file then stops. Nothing is guessed from a wrong argument.
 */
#include "compiler/ruby/dsl.h"

#include <string.h>

/* ---- policy, default ------------------------------------------------------------------ */

static mrb_value dsl_policy(mrb_state *mrb, mrb_value self)
{
	struct said *said = &ruby_of(mrb)->said;
	mrb_value block, name = args_only(mrb, "policy", "policy \"gpu-worker\"", &block);
	const char *s = args_text(mrb, name, "a policy's name");
	if (said->in_policy)
		dsl_fail(mrb, "a file is one policy: make a file of each", "a policy inside a policy");
	if (said->named)
		dsl_fail(mrb, "keep one of them", "the policy is named twice");
	if (!*s || strlen(s) >= IMAGE_NAME_MAX)
		dsl_fail(mrb, "for example: policy \"gpu-worker\"", "a policy's name has 1 to %d bytes, this has %zu",
		     IMAGE_NAME_MAX - 1, strlen(s));
	if (s[strspn(s, POLICY_NAME_BYTES)])
		dsl_fail(mrb, "for example: policy \"gpu-worker\"", "a policy's name has letters, digits, '-', '_' and '.' only");
	said->policy->name = s;
	said->named = true;
	if (!mrb_nil_p(block)) {
		said->in_policy = true;
		mrb_yield_argv(mrb, block, 0, NULL);
		said->in_policy = false;
	}
	return self;
}

static mrb_value dsl_default(mrb_state *mrb, mrb_value self)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	mrb_value v = args_only(mrb, "default", "`default :deny` or `default :allow`", NULL);
	const char *s = mrb_symbol_p(v) ? ruby_name(rb, mrb_symbol(v)) : "";
	if (strcmp(s, "allow") && strcmp(s, "deny"))
		dsl_fail(mrb, "write `default :deny` or `default :allow`", "default is :deny or :allow");
	if (said->policy->default_at.line)
		dsl_fail(mrb, "keep one of them", "the default is set twice, first on line %d",
		     said->policy->default_at.line);
	said->policy->default_allow = !strcmp(s, "allow");
	said->policy->default_at = ruby_at(rb, statement_line(rb));
	return self;
}

/* ---- param ------------------------------------------------------------------------------------ */

static struct param_setting *setting_of(struct said *said, const char *name)
{
	struct param_setting *last = NULL;
	for (size_t i = 0; i < said->nsettings; i++)
		if (!strcmp(said->settings[i].name, name)) {
			said->settings[i].used = true;
			last = &said->settings[i];
		}
	return last;
}

/* `in: 0..15`: the range a parameter may be set in later. */
static void param_range(mrb_state *mrb, mrb_value range, struct param *p)
{
	if (mrb_type(range) != MRB_TT_RANGE)
		dsl_fail(mrb, "write in: 0..15", "in: must be a range");
	struct RRange *r = mrb_range_ptr(mrb, range);
	if (!mrb_integer_p(RANGE_BEG(r)) || !mrb_integer_p(RANGE_END(r)))
		dsl_fail(mrb, "write in: 0..15", "the range of a parameter has two Integer ends");
	p->lo = mrb_integer(RANGE_BEG(r));
	p->hi = mrb_integer(RANGE_END(r)) - (RANGE_EXCL(r) ? 1 : 0);
	if (p->lo > p->hi)
		dsl_fail(mrb, "write in: 0..15", "the range of a parameter is empty");
}

static void add_param(mrb_state *mrb, struct param p)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	size_t n = said->policy->nparams;
	if (n == INPUT_MAX - IN_PARAM_0)
		dsl_fail(mrb, "leave `in:` out where the value may be fixed when the policy is compiled",
		     "more than %d parameters with a range", INPUT_MAX - IN_PARAM_0);
	bool is_fact = false;
	for (enum input in = IN_UID; in < IN_ASK_0; in++)
		is_fact |= !strcmp(input_name(in), p.name);
	if (is_fact || ctx_input(said, p.name) >= 0 ||
	    mrb_obj_respond_to(mrb, rb->ctx_class, mrb_intern_cstr(mrb, p.name)))
		dsl_fail(mrb, "choose another name", "ctx.%s has a meaning already", p.name);
	terms_param(said->policy->terms, (enum input)(IN_PARAM_0 + n), p.name, p.lo, p.hi);
	*ARENA_PUSH(rb->arena, said->policy->params, said->policy->nparams, said->policy->params_cap) = p;
	reference_param(rb, p.name, n);
}

static mrb_value dsl_param(mrb_state *mrb, mrb_value self)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	static const char example[] = "write `gpu = param :gpu, 0` or `param :gpu, 0, in: 0..15`";
	static const char *const known[] = {"in"};
	mrb_sym names[] = {mrb_intern_lit(mrb, "in")};
	mrb_value values[1], others, block;
	const mrb_value *args;
	mrb_int n;
	mrb_kwargs keywords = {1, 0, names, values, &others};
	(void)self;
	mrb_get_args(mrb, "*:&", &args, &n, &keywords, &block);
	args_while_running(mrb, "param");
	args_no_block(mrb, block, "param");
	args_no_others(mrb, others, "param", "the range of a parameter is given by in:, as in `in: 0..15`", known, 1);
	if (n != 2 || !(mrb_symbol_p(args[0]) || mrb_string_p(args[0])))
		dsl_fail(mrb, example, "param takes a name and a value");
	mrb_value value = args[1];
	struct param p = {.name = ruby_name(rb, mrb_obj_to_sym(mrb, args[0])), .lo = INT64_MIN,
	                  .hi = INT64_MAX};
	if (!mrb_integer_p(value))
		dsl_fail(mrb, "for example: param :gpu, 0", "the value of parameter %s must be an Integer", p.name);
	struct param_setting *set = setting_of(said, p.name);
	p.value = set ? set->value : mrb_integer(value);
	if (!mrb_undef_p(values[0])) {
		param_range(mrb, values[0], &p);
		if (p.value < p.lo || p.value > p.hi)
			dsl_fail(mrb, "choose a value of the range", "parameter %s is %lld, out of %lld..%lld", p.name,
			     (long long)p.value, (long long)p.lo, (long long)p.hi);
		add_param(mrb, p);
	} else {
		*ARENA_PUSH(rb->arena, said->baked, said->nbaked, said->baked_cap) = p;
	}
	return mrb_int_value(mrb, p.value);
}

/* ---- mode, grants, audit ----------------------------------------------------------------------------- */

/* Which of the words the verb's symbol is. */
static size_t word_of(mrb_state *mrb, const char *verb, const char *const *words, size_t n, const char *said)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const char *example = arena_printf(rb->arena, "`%s :%s`", verb, words[1]);
	mrb_value value = args_only(mrb, verb, example, NULL);
	const char *s = mrb_symbol_p(value) ? ruby_name(rb, mrb_symbol(value)) : "";
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, words[i]))
			return i;
	const char *near = did_you_mean(s, words, n);
	dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean :%s?", near)
	               : arena_printf(rb->arena, "write %s", example),
	     "%s", said);
}

static mrb_value dsl_mode(mrb_state *mrb, mrb_value self)
{
	ruby_of(mrb)->said.policy->mode =
		(enum policy_mode)word_of(mrb, "mode", mode_words, POLICY_MODES, "mode is :enforce or :permissive");
	return self;
}

static mrb_value dsl_grants(mrb_state *mrb, mrb_value self)
{
	ruby_of(mrb)->said.policy->grants = word_of(mrb, "grants", grants_words, 2, "grants is :refused or :allowed");
	return self;
}

static mrb_value dsl_audit(mrb_state *mrb, mrb_value self)
{
	struct policy *p = ruby_of(mrb)->said.policy;
	p->audit = (enum audit_level)word_of(mrb, "audit", audit_words, AUDIT_LEVELS, "audit is :none, :denied or :all");
	p->audit_given = true;
	return self;
}

/* ---- what other versions have -------------------------------------------------------------------- */

static void __attribute__((noreturn)) absent(mrb_state *mrb, const char *verb, const char *hint)
{
	dsl_fail(mrb, hint, "`%s` is not available in this version", verb);
}

static mrb_value dsl_set(mrb_state *mrb, mrb_value self)
{
	(void)self;
	absent(mrb, "set", "name the devices in a rule: allow \"c 195:0\", \"c 195:255\"");
}

void dsl_define(struct ruby *ruby)
{
	struct interpreter *rb = &ruby->rb;
	static const struct { const char *name; mrb_func_t fn; mrb_aspec args; } functions[] = {
		{"policy", dsl_policy, MRB_ARGS_REQ(1)}, {"default", dsl_default, MRB_ARGS_REQ(1)},
		{"allow", dsl_allow, MRB_ARGS_ANY()},    {"deny", dsl_deny, MRB_ARGS_ANY()},
		{"never", dsl_never, MRB_ARGS_ANY()},    {"always", dsl_always, MRB_ARGS_ANY()},
		{"param", dsl_param, MRB_ARGS_ANY()},    {"mode", dsl_mode, MRB_ARGS_REQ(1)},
		{"audit", dsl_audit, MRB_ARGS_REQ(1)},   {"set", dsl_set, MRB_ARGS_ANY()},
		{"grants", dsl_grants, MRB_ARGS_REQ(1)}, {"load", dsl_load, MRB_ARGS_ANY()},
		{"require_relative", dsl_require_relative, MRB_ARGS_ANY()},
	};
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		mrb_define_method(rb->mrb, rb->mrb->kernel_module, functions[i].name, functions[i].fn,
		                  functions[i].args);
	dsl_raw_define(ruby);
	dsl_user_define(rb);
}
