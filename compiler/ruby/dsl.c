/*
 * dsl.c - the words of the language, functions that a policy file calls: allow, deny and so on
 * (the table at the end has all).
 *
 * Each checks its arguments and says what is wrong at the line of the call; the
 * file then stops. Nothing is guessed from a wrong argument.
 */
#include "compiler/ruby/ruby.h"
#include "policy/device.h"

#include <errno.h>
#include <string.h>

static void while_running(mrb_state *mrb, const char *what)
{
	if (!ruby_of(mrb)->said.running)
		dsl_fail(mrb, "rules are made when the file runs", "`%s` inside a rule's block", what);
}

/* A C string of a Ruby string without NUL bytes. */
static const char *plain(mrb_state *mrb, mrb_value s, const char *what)
{
	if (!mrb_string_p(s))
		dsl_fail(mrb, "write it in quotes", "%s must be a string, not %s", what, mrb_obj_classname(mrb, s));
	if (memchr(RSTRING_PTR(s), 0, (size_t)RSTRING_LEN(s)))
		dsl_fail(mrb, "remove the \\0", "%s contains a NUL byte", what);
	return arena_strndup(ruby_of(mrb)->rb.arena, RSTRING_PTR(s), (size_t)RSTRING_LEN(s));
}

/* A statement that has no use for a block would lose the rules in it. */
static void no_block(mrb_state *mrb, mrb_value block, const char *what)
{
	if (!mrb_nil_p(block))
		dsl_fail(mrb, "end the statement before `do`, and write the rules after it",
		         "`%s` takes no block: what is in it would not count", what);
}

/* The one argument of a call; block is NULL where it takes none. */
static mrb_value only_argument(mrb_state *mrb, const char *what, const char *example, mrb_value *block)
{
	const mrb_value *args;
	mrb_value given;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, block ? block : &given);
	while_running(mrb, what);
	if (!block)
		no_block(mrb, given, what);
	if (n != 1)
		dsl_fail(mrb, arena_printf(ruby_of(mrb)->rb.arena, "write %s", example), "%s takes one value, not %d", what,
		     (int)n);
	return args[0];
}

/* Keyword arguments that a function does not have. */
static void no_others(mrb_state *mrb, mrb_value others, const char *what, const char *has,
                      const char *const *names, size_t n)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	mrb_value keys = mrb_hash_keys(mrb, others);
	if (!RARRAY_LEN(keys))
		return;
	mrb_value key = RARRAY_PTR(keys)[0];
	const char *name = mrb_symbol_p(key) ? ruby_name(rb, mrb_symbol(key)) : "a key that is no symbol";
	const char *near = did_you_mean(name, names, n);
	dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean %s:?", near) : has, "%s does not take %s%s", what,
	     name, mrb_symbol_p(key) ? ":" : "");
}

/* ---- policy, default ------------------------------------------------------------------ */

static mrb_value dsl_policy(mrb_state *mrb, mrb_value self)
{
	struct said *said = &ruby_of(mrb)->said;
	mrb_value block, name = only_argument(mrb, "policy", "policy \"gpu-worker\"", &block);
	const char *s = plain(mrb, name, "a policy's name");
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
	mrb_value v = only_argument(mrb, "default", "`default :deny` or `default :allow`", NULL);
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

/* ---- allow, deny ------------------------------------------------------------------------- */

struct devices {
	struct pattern *list;
	size_t n, cap;
	bool skip;  /* what is not on this host is left out */
	bool allow; /* a device that comes later is not left open by that */
};

/* Literal patterns say themselves what they are; of names check prints it. */
static void note_name(struct interpreter *rb, const struct pattern *p, struct span at)
{
	char *meaning = pattern_text(rb->arena, p);
	if (p->types && strncmp(p->text, "c ", 2) && strncmp(p->text, "b ", 2) && strncmp(p->text, "a ", 2))
		diag_add(rb->diags, DIAG_NOTE, at, NULL, "%s is %s%s", p->text, meaning, p->here ? " on this host" : "");
}

/* What `missing: :skip` leaves out is told, and stays in the rule as what matches nothing. */
static void leave_out(struct interpreter *rb, struct devices *to, const char *text, int access, const char *error,
                      const char *hint)
{
	diag_add(rb->diags, DIAG_WARNING, ruby_at(rb, statement_line(rb)), hint, "%s is left out: %s", text, error);
	*ARENA_PUSH(rb->arena, to->list, to->n, to->cap) = pattern_left_out(rb->arena, text, access);
}

/* One that is a string or a symbol. */
static void add_named(mrb_state *mrb, struct devices *to, mrb_value v)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const struct host *host = ruby_of(mrb)->said.host;
	const char *error, *hint = NULL;
	const char *text = mrb_string_p(v) ? plain(mrb, v, "a device") : NULL;
	struct pattern one = {0}, *list = &one;
	size_t n = 1;
	int rc = !text ? pattern_named(rb->arena, host, mrb_sym_name(mrb, mrb_symbol(v)), &one, &error, &hint)
	         : pattern_is_glob(text) ? patterns_matching(rb->arena, host, text, &list, &n, &error, &hint)
	                                 : pattern_parse(rb->arena, host, text, &one, &error, &hint);
	if (rc == PATTERN_MISSING && to->skip) {
		leave_out(rb, to, text ? text : arena_printf(rb->arena, ":%s", ruby_name(rb, mrb_symbol(v))), one.access, error,
		          hint);
		return;
	}
	if (rc == PATTERN_MISSING && to->allow && hint && !strstr(hint, "missing: :skip") && strncmp(hint, "did you", strlen("did you")))
		hint = arena_printf(rb->arena, "%s; with missing: :skip the rule goes on without it", hint);
	if (rc)
		dsl_fail(mrb, hint, "%s", error);
	for (size_t i = 0; i < n; i++)
		*ARENA_PUSH(rb->arena, to->list, to->n, to->cap) = list[i];
}

static void add_device(mrb_state *mrb, struct devices *to, mrb_value v, int depth)
{
	if (mrb_array_p(v) && depth < 8) {
		if (!RARRAY_LEN(v))
			dsl_fail(mrb, "it would match nothing: name a device, or leave the rule out", "a list of devices is empty");
		for (mrb_int i = 0; i < RARRAY_LEN(v); i++)
			add_device(mrb, to, RARRAY_PTR(v)[i], depth + 1);
		return;
	}
	if (mrb_type(v) == MRB_TT_PROC)
		dsl_fail(mrb, "give it as the block: allow(&condition) or allow { |ctx| ... }",
		     "a device is a string or a symbol, not a Proc");
	if (!mrb_string_p(v) && !mrb_symbol_p(v))
		dsl_fail(mrb, "for example \"c 1:3 rw\", :null or \"/dev/null\"",
		     "a device is a string or a symbol, not %s", mrb_obj_classname(mrb, v));
	add_named(mrb, to, v);
}

/* `missing: :skip` */
static bool skips(mrb_state *mrb, mrb_value value)
{
	static const char *const words[] = {"error", "skip"};
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const char *s = mrb_symbol_p(value) ? ruby_name(rb, mrb_symbol(value)) : "";
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(s, words[i]))
			return i;
	const char *near = did_you_mean(s, words, 2);
	dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean :%s?", near) : "write missing: :skip, or leave it out",
	         "missing: is :skip or :error");
}

static void narrow_access(mrb_state *mrb, struct devices *to, mrb_value letters)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	const char *text = mrb_symbol_p(letters) ? mrb_sym_name(mrb, mrb_symbol(letters))
	                                         : plain(mrb, letters, "access:");
	int access = access_parse(text);
	if (access < 0)
		dsl_fail(mrb, "letters are r (read), w (write) and m (mknod), each once: access: \"rw\"",
		     "access: \"%s\" is not a set of accesses", text);
	if (!to->n) { /* a block about every device */
		const char *error, *hint;
		struct pattern any;
		pattern_parse(rb->arena, said->host, "a *:*", &any, &error, &hint);
		*ARENA_PUSH(rb->arena, to->list, to->n, to->cap) = any;
	}
	for (size_t i = 0; i < to->n; i++) {
		if (to->list[i].access)
			dsl_fail(mrb, "write the letters in one place", "%s has access letters, and so has access:",
			     to->list[i].text);
		to->list[i].access = access;
	}
}

/* A rule's block takes ctx and nothing else. Its number of parameters. */
static int block_parameters(mrb_state *mrb, const struct RProc *p)
{
	struct insn in;
	if (MRB_PROC_CFUNC_P(p))
		dsl_fail(mrb, "write { |ctx| ... }", "a rule's block must be Ruby code");
	if (!insn_decode(p->body.irep, 0, &in) || in.op != OP_ENTER)
		return 0;
	int req = (int)MRB_ASPEC_REQ(in.a);
	if (req > 1 || MRB_ASPEC_OPT(in.a) || MRB_ASPEC_REST(in.a) || MRB_ASPEC_POST(in.a) ||
	    MRB_ASPEC_KEY(in.a) || MRB_ASPEC_KDICT(in.a) || MRB_ASPEC_BLOCK(in.a))
		dsl_fail(mrb, "write { |ctx| ... }", "a rule's block takes one parameter, ctx");
	return req;
}

static int add_block(mrb_state *mrb, mrb_value proc, struct span at)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	struct RProc *p = mrb_proc_ptr(proc);
	struct block b = {.proc = proc, .at = at, .parameters = block_parameters(mrb, p)};
	struct REnv *env = MRB_PROC_ENV(p);
	struct insn in;
	/* the variables of the file that the block reads, as they are now */
	if (env) {
		b.ncaptured = (size_t)MRB_ENV_LEN(env);
		b.captured = arena_alloc(rb->arena, (b.ncaptured + 1) * sizeof *b.captured);
		for (size_t i = 0; i < b.ncaptured; i++)
			b.captured[i] = mrb_undef_value();
		for (uint32_t pc = 0; insn_decode(p->body.irep, pc, &in); pc = in.next)
			if (in.op == OP_GETUPVAR && in.c == 0 && in.b < b.ncaptured)
				b.captured[in.b] = env->stack[in.b];
	}
	/* as a lambda: `return` in it ends the block */
	p->flags |= MRB_PROC_STRICT;
	mrb_ary_push(mrb, said->keep, proc);
	*ARENA_PUSH(rb->arena, said->blocks, said->nblocks, said->blocks_cap) = b;
	return (int)said->nblocks - 1;
}

/* `errno: :ENODEV` */
static int errno_of(mrb_state *mrb, mrb_value value)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const char *names[ERRNO_MAX], *s = mrb_symbol_p(value) ? ruby_name(rb, mrb_symbol(value)) : "";
	size_t n = 0;
	for (int i = 1; i <= ERRNO_MAX; i++) {
		const char *name = strerrorname_np(i);
		if (name && !strcmp(name, s))
			return i == EPERM ? 0 : i;
		if (name)
			names[n++] = name;
	}
	const char *near = did_you_mean(s, names, n);
	dsl_fail(mrb, near ? arena_printf(rb->arena, "did you mean :%s?", near) : "write errno: :ENODEV, :ENOENT, :EACCES ...",
	     "errno: is the name of an error as a Symbol");
}

static mrb_value add_rule(mrb_state *mrb, mrb_value self, bool deny)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	const char *what = deny ? "deny" : "allow";
	mrb_sym names[] = {mrb_intern_lit(mrb, "access"), mrb_intern_lit(mrb, "label"),
	                   mrb_intern_lit(mrb, "errno"), mrb_intern_lit(mrb, "missing")};
	static const char *const known[] = {"access", "label", "errno", "missing"};
	mrb_value values[4], block, others;
	mrb_kwargs keywords = {4, 0, names, values, &others};
	const mrb_value *args;
	mrb_int n;
	struct devices devices = {.allow = !deny};
	mrb_get_args(mrb, "*:&", &args, &n, &keywords, &block);
	while_running(mrb, what);
	no_others(mrb, others, what, "a rule takes access:, label:, missing: and (deny) errno:", known, 4);
	if (!mrb_undef_p(values[2]) && !deny)
		dsl_fail(mrb, "write errno: at a deny", "an allow has no errno:");
	devices.skip = !mrb_undef_p(values[3]) && skips(mrb, values[3]);
	for (mrb_int i = 0; i < n; i++)
		add_device(mrb, &devices, args[i], 0);
	if (!devices.n && !mrb_undef_p(values[3]))
		dsl_fail(mrb, "name the device that may be missing", "missing: is about devices, and %s names none", what);
	if (!devices.n && mrb_nil_p(block))
		dsl_fail(mrb, arena_printf(rb->arena, "write `%s \"c 1:3 rw\"`, `%s :null` or `%s { |ctx| ... }`", what,
		                       what, what),
		     "%s needs a device or a block", what);
	if (!mrb_undef_p(values[0]))
		narrow_access(mrb, &devices, values[0]);
	struct span at = ruby_at(rb, statement_line(rb));
	for (size_t i = 0; i < devices.n; i++)
		note_name(rb, &devices.list[i], at);
	struct rule r = {.deny = deny, .block = -1, .patterns = devices.list, .npatterns = devices.n,
	                 .at = at};
	if (!mrb_undef_p(values[2]))
		r.error = errno_of(mrb, values[2]);
	if (!mrb_undef_p(values[1]))
		r.label = plain(mrb, values[1], "label:");
	if (!mrb_nil_p(block))
		r.block = add_block(mrb, block, r.at);
	r.source = ruby_source_line(rb, r.at.line);
	r.devices = r.match = rule_devices(said->policy, &r);
	*ARENA_PUSH(rb->arena, said->policy->rules, said->policy->nrules, said->policy->rules_cap) = r;
	statement_made(ruby);
	return self;
}

static mrb_value dsl_allow(mrb_state *mrb, mrb_value self)
{
	return add_rule(mrb, self, false);
}

static mrb_value dsl_deny(mrb_state *mrb, mrb_value self)
{
	return add_rule(mrb, self, true);
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
	if (ctx_input(said, p.name) >= 0 ||
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
	while_running(mrb, "param");
	no_block(mrb, block, "param");
	no_others(mrb, others, "param", "the range of a parameter is given by in:, as in `in: 0..15`", known, 1);
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

/* ---- mode, audit ----------------------------------------------------------------------------- */

/* Which of the words the verb's symbol is. */
static size_t word_of(mrb_state *mrb, const char *verb, const char *const *words, size_t n, const char *said)
{
	struct interpreter *rb = &ruby_of(mrb)->rb;
	const char *example = arena_printf(rb->arena, "`%s :%s`", verb, words[1]);
	mrb_value value = only_argument(mrb, verb, example, NULL);
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

#define LEAVE_OUT "leave the line out, and write rules with allow and deny"

static mrb_value dsl_license(mrb_state *mrb, mrb_value self)
{
	(void)self;
	absent(mrb, "license!", LEAVE_OUT);
}

static mrb_value dsl_section(mrb_state *mrb, mrb_value self)
{
	(void)self;
	absent(mrb, "section!", LEAVE_OUT);
}

void dsl_define(struct interpreter *rb)
{
	static const struct { const char *name; mrb_func_t fn; mrb_aspec args; } functions[] = {
		{"policy", dsl_policy, MRB_ARGS_REQ(1)}, {"default", dsl_default, MRB_ARGS_REQ(1)},
		{"allow", dsl_allow, MRB_ARGS_ANY()},    {"deny", dsl_deny, MRB_ARGS_ANY()},
		{"param", dsl_param, MRB_ARGS_ANY()},    {"mode", dsl_mode, MRB_ARGS_REQ(1)},
		{"audit", dsl_audit, MRB_ARGS_REQ(1)},   {"set", dsl_set, MRB_ARGS_ANY()},
		{"license!", dsl_license, MRB_ARGS_ANY()}, {"section!", dsl_section, MRB_ARGS_ANY()},
		{"load", dsl_load, MRB_ARGS_ANY()},
		{"require_relative", dsl_require_relative, MRB_ARGS_ANY()},
	};
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		mrb_define_method(rb->mrb, rb->mrb->kernel_module, functions[i].name, functions[i].fn,
		                  functions[i].args);
}
