/*
 * ruby.c - the stages from a policy's text to its rules: the library is made ready, the
 * file runs once in mruby, its blocks are lifted.
 */
#include "compiler/lift/lift.h"
#include "compiler/ruby/differences.h"
#include "compiler/ruby/dsl.h"
#include "compiler/ruby/ruby.h"
#include "policy/beside.h"
#include "policy/budget.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = IMAGE_NAME_MAX - 1 };

/* ---- running the file ------------------------------------------------------------------- */

static void report_exception(struct ruby *ruby, mrb_value exc)
{
	struct interpreter *rb = &ruby->rb;
	if (rb->diags->errors)
		return; /* the policy language has said what is wrong */
	mrb_gc_protect(rb->mrb, exc);
	int line = ruby_exception_line(rb, exc);
	char *text = ruby_exception_text(rb, exc); /* may run code of the policy, within the limits */
	const char *hint = hint_exception(rb, &ruby->said, text, ruby_source_line(rb, line));
	if (strstr(text, "uninitialized constant Regexp"))
		text = arena_printf(rb->arena, "%s: regular expressions are not available in policies", text);
	ruby_refuse(rb, line, hint, text);
}

static mrb_value run_body(mrb_state *mrb, void *rb)
{
	ruby_run(rb);
	(void)mrb;
	return mrb_nil_value();
}

static int run(struct ruby *ruby)
{
	struct interpreter *rb = &ruby->rb;
	struct policy *p = ruby->said.policy;
	mrb_bool failed = FALSE;
	ruby->said.running = true;
	mrb_value v = mrb_protect_error(rb->mrb, run_body, rb, &failed);
	ruby->said.running = false;
	policy_permissive_reports(p, p->audit_given);
	if (failed)
		report_exception(ruby, v);
	for (size_t i = 0; i < rb->nsources && !rb->diags->errors; i++) {
		rb->source = rb->sources[i];
		lost_after_run(ruby, rb->source->irep);
	}
	rb->source = rb->sources[0];
	return rb->diags->errors || handlers_reported(ruby) ? -1 : 0;
}

/* ---- lifting its blocks ---------------------------------------------------------------------- */

static void warn_changed(struct interpreter *rb, const struct block *b)
{
	const struct RProc *p = mrb_proc_ptr(b->proc);
	struct REnv *env = MRB_PROC_ENV(p);
	for (size_t i = 1; env && p->upper && i < b->ncaptured && (mrb_int)i < MRB_ENV_LEN(env); i++) {
		mrb_sym name = p->upper->body.irep->lv ? p->upper->body.irep->lv[i - 1] : 0;
		if (mrb_undef_p(b->captured[i]) || mrb_obj_eq(rb->mrb, b->captured[i], env->stack[i]))
			continue;
		ruby_report(rb, DIAG_WARNING, b->at,
		            "a block sees the last value a variable had in the file; use a new variable",
		            arena_printf(rb->arena, "`%s` changed after this rule was made",
		                         name ? ruby_name(rb, name) : "a variable"));
	}
}

static int lift_rule(struct ruby *ruby, struct rule *r)
{
	struct interpreter *rb = &ruby->rb;
	int ai = mrb_gc_arena_save(rb->mrb), rc = 0;
	ruby_turn_to(rb, r->at.file);
	if (r->block >= 0) {
		const struct block *b = &ruby->said.blocks[r->block];
		budget_line(arena_budget(rb->arena), r->at.line);
		warn_changed(rb, b);
		rc = lift_block(ruby->lifting, r, b);
	}
	mrb_gc_arena_restore(rb->mrb, ai);
	return rc;
}

static int lift_rules(struct ruby *ruby)
{
	struct policy *p = ruby->said.policy;
	int rc = 0;
	for (size_t i = 0; i < p->nrules; i++)
		rc |= lift_rule(ruby, &p->rules[i]);
	for (size_t i = 0; i < p->nclaims; i++)
		rc |= lift_rule(ruby, &p->claims[i].what);
	if (p->raw && !rc && !(rc = lift_program(ruby->lifting, p->raw, mrb_proc_ptr(ruby->program))))
		raw_finish(ruby);
	return rc;
}

static mrb_value lift_body(mrb_state *mrb, void *ruby)
{
	return mrb_bool_value(lift_rules(ruby) == 0 || !mrb);
}

static int lift(struct ruby *ruby)
{
	struct interpreter *rb = &ruby->rb;
	mrb_bool failed = FALSE;
	/* values found while lifting are held by the arena, where the collector does not look */
	rb->mrb->gc.disabled = TRUE;
	mrb_value v = mrb_protect_error(rb->mrb, lift_body, ruby, &failed);
	rb->source = rb->sources[0];
	ruby->lifting->lifter = NULL;
	rb->mrb->gc.disabled = FALSE; /* what is asked of mruby later leaves no garbage */
	if (failed && !rb->diags->errors)
		ruby_refuse(rb, 0, "write the block in a simpler way", ruby_exception_text(rb, v));
	return failed || rb->diags->errors ? -1 : 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static mrb_value start_body(mrb_state *mrb, void *p)
{
	struct ruby *ruby = p;
	struct interpreter *rb = &ruby->rb;
	mrb->gc.disabled = TRUE; /* the library is made of what stays */
	interpreter_library(rb);
	seal_library(ruby);
	ruby->said.keep = mrb_ary_new(mrb);
	mrb_gc_register(mrb, ruby->said.keep);
	prelude_run(rb);
	differences_define(rb);
	seal_constants(ruby);
	ruby->lifting = lifting_new(rb, &ruby->said);
	reference_define(rb);
	dsl_define(ruby);
	mrb->gc.disabled = FALSE;
	return mrb_nil_value();
}

/* The file's name without directory and ending, as a policy's name. */
static const char *name_of_file(struct arena *a, const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file, *dot = strrchr(base, '.');
	size_t n = dot && dot != base ? (size_t)(dot - base) : strlen(base);
	char *name = arena_strndup(a, n ? base : "policy", n ? (n < NAME_MAX_LEN ? n : NAME_MAX_LEN) : 6);
	for (char *c = name; *c; c++)
		if (!strchr(POLICY_NAME_BYTES, *c))
			*c = '_';
	return name;
}

/* "gpu = 0, slot = 2 (0..15)" */
static const char *parameter_list(struct arena *a, const struct said *said)
{
	const char *list = "";
	for (size_t i = 0; i < said->nbaked; i++)
		list = arena_printf(a, "%s%s%s = %lld", list, *list ? ", " : "", said->baked[i].name,
		                    (long long)said->baked[i].value);
	for (size_t i = 0; i < said->policy->nparams; i++) {
		const struct param *p = &said->policy->params[i];
		list = arena_printf(a, "%s%s%s = %lld (%lld..%lld)", list, *list ? ", " : "", p->name,
		                    (long long)p->value, (long long)p->lo, (long long)p->hi);
	}
	return list;
}

/* Values given for parameters that the policy does not have. */
static int unknown_settings(struct interpreter *rb, const struct said *said)
{
	int rc = 0;
	size_t n = 0;
	const char **names = arena_alloc(rb->arena, (said->nbaked + said->policy->nparams + 1) * sizeof *names);
	for (size_t i = 0; i < said->nbaked; i++)
		names[n++] = said->baked[i].name;
	for (size_t i = 0; i < said->policy->nparams; i++)
		names[n++] = said->policy->params[i].name;
	for (size_t i = 0; i < said->nsettings; i++) {
		const char *name = said->settings[i].name, *near = did_you_mean(name, names, n);
		if (said->settings[i].used)
			continue;
		struct diag *d = ruby_report(rb, DIAG_ERROR, ruby_at(rb, 0),
		                        near ? arena_printf(rb->arena, "did you mean --param %s=...?", near)
		                        : n  ? arena_printf(rb->arena, "its parameters: %s", parameter_list(rb->arena, said))
		                             : "declare it in the policy: gpu = param :gpu, 0",
		                        arena_printf(rb->arena, "--param %s: the policy has no such parameter", name));
		d->param = name;
		d->param_text = arena_printf(rb->arena, "it has no parameter '%s'", name);
		d->param_hint = near ? arena_printf(rb->arena, "did you mean %s?", near) : NULL;
		rc = -1;
	}
	return rc;
}

static int compile(struct ruby *ruby)
{
	struct interpreter *rb = &ruby->rb;
	mrb_bool failed = FALSE;
	mrb_value v = mrb_protect_error(rb->mrb, start_body, ruby, &failed);
	if (failed)
		return diag_fail(rb->diags, "this build of mruby lacks a library", "mruby does not start: %s",
		                 ruby_exception_text(rb, v));
	if (source_prepare(ruby) || run(ruby))
		return -1;
	budget_stage(arena_budget(rb->arena), STAGE_LIFT);
	return unknown_settings(rb, &ruby->said) || raw_find(ruby) || lift(ruby) ? -1 : user_half_keep(ruby);
}

int ruby_compile(struct arena *a, struct diags *d, const struct host *host, const char *file,
                 const char *text, size_t len, struct param_setting *params, size_t nparams,
                 struct ruby **out, struct policy **policy)
{
	struct ruby *ruby = arena_alloc(a, sizeof *ruby);
	struct policy *p = arena_alloc(a, sizeof *p);
	*p = (struct policy){.arena = a, .terms = terms_new(a), .file = file,
	                     .name = name_of_file(a, file), .default_at = {.file = file}};
	*ruby = (struct ruby){.rb = {.arena = a, .diags = d}, .question = {.missing = -1},
	                      .said = {.policy = p, .host = host, .settings = params, .nsettings = nparams}};
	source_add(&ruby->rb, file, NULL, text, len);
	*out = NULL;
	if (!interpreter_open(&ruby->rb, ruby))
		return diag_fail(d, "free some memory", "mruby does not start");
	*out = ruby;
	if (compile(ruby)) {
		*out = NULL;
		ruby_close(ruby);
		return -1;
	}
	lint_beside(d, p, host);
	*policy = p;
	return 0;
}

void ruby_close(struct ruby *ruby)
{
	if (ruby && ruby->rb.mrb)
		interpreter_close(&ruby->rb);
}
