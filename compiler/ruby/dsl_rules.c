/*
 * dsl_rules.c - allow and deny, never and always: devices, a block, keywords.
 */
#include "compiler/ruby/dsl.h"
#include "policy/device.h"

#include <errno.h>
#include <string.h>

/* ---- allow, deny ------------------------------------------------------------------------- */

struct devices {
	struct pattern *list;
	size_t n, cap;
	bool skip;  /* what is not on this host is left out */
	const char *goes_on; /* what may go on without one that is not here; NULL: it would be left open */
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
	const char *text = mrb_string_p(v) ? args_text(mrb, v, "a device") : NULL;
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
	if (rc == PATTERN_MISSING && to->goes_on && hint && !strstr(hint, "missing: :skip") && strncmp(hint, "did you", strlen("did you")))
		hint = arena_printf(rb->arena, "%s; with missing: :skip the %s goes on without it", hint, to->goes_on);
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
	                                         : args_text(mrb, letters, "access:");
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

static int add_block(mrb_state *mrb, mrb_value proc, struct span at, bool of_claim)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	struct RProc *p = mrb_proc_ptr(proc);
	struct block b = {.proc = proc, .at = at, .parameters = block_parameters(mrb, p), .of_claim = of_claim};
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

/* What allow, deny, never and always have in common. errno_given: NULL, it takes none. */
static struct rule stated(mrb_state *mrb, const char *what, const char *has, const char *goes_on, mrb_value *errno_given)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	static const char *const known[] = {"access", "label", "missing", "errno"};
	const size_t takes = errno_given ? 4 : 3;
	mrb_sym names[] = {mrb_intern_lit(mrb, "access"), mrb_intern_lit(mrb, "label"), mrb_intern_lit(mrb, "missing"),
	                   mrb_intern_lit(mrb, "errno")};
	mrb_value values[4], block, others;
	mrb_kwargs keywords = {(mrb_int)takes, 0, names, values, &others};
	const mrb_value *args;
	mrb_int n;
	struct devices devices = {.goes_on = goes_on};
	mrb_get_args(mrb, "*:&", &args, &n, &keywords, &block);
	args_while_running(mrb, what);
	args_no_others(mrb, others, what, has, known, takes);
	if (errno_given)
		*errno_given = values[3];
	devices.skip = !mrb_undef_p(values[2]) && skips(mrb, values[2]);
	for (mrb_int i = 0; i < n; i++)
		add_device(mrb, &devices, args[i], 0);
	if (!devices.n && !mrb_undef_p(values[2]))
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
	struct rule r = {.block = -1, .patterns = devices.list, .npatterns = devices.n, .at = at};
	if (!mrb_undef_p(values[1]))
		r.label = args_text(mrb, values[1], "label:");
	if (!mrb_nil_p(block))
		r.block = add_block(mrb, block, r.at, !errno_given);
	r.source = ruby_source_line(rb, r.at.line);
	return r;
}

static mrb_value add_rule(mrb_state *mrb, mrb_value self, bool deny)
{
	struct policy *p = ruby_of(mrb)->said.policy;
	mrb_value error;
	struct rule r = stated(mrb, deny ? "deny" : "allow", "a rule takes access:, label:, missing: and (deny) errno:",
	                       deny ? NULL : "rule", &error);
	if (!mrb_undef_p(error) && !deny)
		dsl_fail(mrb, "write errno: at a deny", "an allow has no errno:");
	r.deny = deny;
	if (!mrb_undef_p(error))
		r.error = errno_of(mrb, error);
	r.devices = r.match = rule_devices(p, &r);
	*ARENA_PUSH(ruby_of(mrb)->rb.arena, p->rules, p->nrules, p->rules_cap) = r;
	statement_made(ruby_of(mrb));
	return self;
}

static mrb_value add_claim(mrb_state *mrb, mrb_value self, bool always)
{
	struct policy *p = ruby_of(mrb)->said.policy;
	struct rule r = stated(mrb, always ? "always" : "never", "a claim takes access:, label: and missing:", "claim", NULL);
	if (p->nclaims == CLAIMS_MAX)
		dsl_fail(mrb, "name several devices in one claim", "more than %d claims", CLAIMS_MAX);
	r.devices = r.match = rule_devices(p, &r);
	*ARENA_PUSH(ruby_of(mrb)->rb.arena, p->claims, p->nclaims, p->claims_cap) = (struct claim){always, r};
	statement_made(ruby_of(mrb));
	return self;
}

mrb_value dsl_allow(mrb_state *mrb, mrb_value self)
{
	return add_rule(mrb, self, false);
}

mrb_value dsl_deny(mrb_state *mrb, mrb_value self)
{
	return add_rule(mrb, self, true);
}

mrb_value dsl_never(mrb_state *mrb, mrb_value self)
{
	return add_claim(mrb, self, false);
}

mrb_value dsl_always(mrb_state *mrb, mrb_value self)
{
	return add_claim(mrb, self, true);
}
