/*
 * raw.c - from what a file said to a raw program: which method it is, what its maps are called, and what must not
 * stand beside it.
 */
#include "compiler/ruby/ruby.h"
#include "policy/raw_record.h"

#include <string.h>

/* ---- the method --------------------------------------------------------------------------- */

struct method_found { const char *name; mrb_sym sym; int line; bool takes_one; };
struct methods_found { struct method_found *list; size_t n, cap; };

/* Takes it one argument, and nothing else? */
static bool takes_one(const mrb_irep *irep)
{
	struct insn in;
	return insn_decode(irep, 0, &in) && in.op == OP_ENTER && in.a == MRB_ARGS_REQ(1);
}

/* Methods that the code of a file defines, outside of classes. */
static void find_methods(struct ruby *ruby, const mrb_irep *file, struct methods_found *to)
{
	struct interpreter *rb = &ruby->rb;
	struct insn in;
	const mrb_irep *body = NULL;
	for (uint32_t pc = 0; insn_decode(file, pc, &in); pc = in.next) {
		if (in.op == OP_DEF && body) {
			const char *name = irep_symbol(rb, file, in.b);
			int line = irep_line(rb, file, pc), first = irep_first_line(rb, body);
			*ARENA_PUSH(rb->arena, to->list, to->n, to->cap) = (struct method_found){
				name, file->syms[in.b], statement_word(rb, first > 0 && first < line ? first : line, name), takes_one(body)};
		}
		body = in.op == OP_METHOD ? file->reps[in.b] : NULL;
	}
}

static int no_method(struct ruby *ruby, const struct methods_found *m)
{
	static const char hint[] = "write def prog(ctx) ... end";
	if (!m->n)
		return ruby_refuse(&ruby->rb, 0, hint, "a raw program has no method");
	return ruby_refuse(&ruby->rb, m->list[0].line, "call the one that is the program prog",
	                   "a raw program has several methods, and none is called prog");
}

/* `prog`, or the only one there is. NULL, with a diagnostic. */
static const struct method_found *choose(struct ruby *ruby, const struct methods_found *m)
{
	const struct method_found *best = m->n == 1 ? m->list : NULL;
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->list[i].name, "prog"))
			best = &m->list[i];
	if (!best)
		no_method(ruby, m);
	else if (!best->takes_one)
		ruby_refuse(&ruby->rb, best->line, arena_printf(ruby->rb.arena, "write def %s(ctx)", best->name),
		            arena_printf(ruby->rb.arena, "`%s` takes one argument, ctx", best->name));
	return best && best->takes_one ? best : NULL;
}

/* ---- what else is in the file -------------------------------------------------------------- */

static int beside(struct ruby *ruby, struct span at, const char *what)
{
	ruby_report(&ruby->rb, DIAG_ERROR, at, "the result of its method decides; or leave section! and license! out, and write rules",
	            arena_printf(ruby->rb.arena, "%s in a raw program", what));
	return -1;
}

static int nothing_beside(struct ruby *ruby)
{
	const struct policy *p = ruby->said.policy;
	if (p->nrules)
		return beside(ruby, p->rules[0].at, "a rule");
	if (p->nclaims)
		return beside(ruby, p->claims[0].what.at, "a claim");
	if (p->default_at.line > 0)
		return beside(ruby, p->default_at, "a default");
	if (p->nparams)
		return ruby_refuse(&ruby->rb, 0, "leave `in:` out: the value is then part of the program",
		                   "a parameter with a range in a raw program");
	return 0;
}

/* A field that is left out would move those behind it. */
static int all_typed(struct ruby *ruby)
{
	const struct raw_said *said = &ruby->said.raw;
	struct arena *a = ruby->rb.arena;
	if (!said->untyped.line)
		return 0;
	size_t n;
	const char *const *words = raw_type_words(&n), *bare = said->untyped_word ? said->untyped_word + (*said->untyped_word == ':') : "";
	const char *near = *bare ? did_you_mean(bare, words, n) : NULL;
	ruby_report(&ruby->rb, DIAG_ERROR, said->untyped, near ? arena_printf(a, "did you mean :%s?", near) : "types are :u8 to :u64, :s8 to :s64, and :comm for 16 bytes of text",
	            said->untyped_word ? arena_printf(a, "%s is not a type", said->untyped_word) : "a field without a type");
	return -1;
}

/* ---- maps ---------------------------------------------------------------------------------- */

/* The constant that holds it; NULL: none does. */
static const char *name_of_map(struct ruby *ruby, mrb_value object)
{
	mrb_state *mrb = ruby->rb.mrb;
	mrb_value all = mrb_obj_value(mrb->object_class), names = mrb_funcall(mrb, all, "constants", 0);
	for (mrb_int i = 0; i < RARRAY_LEN(names); i++) {
		mrb_sym name = mrb_symbol(RARRAY_PTR(names)[i]);
		if (mrb_obj_eq(mrb, mrb_const_get(mrb, all, name), object))
			return ruby_name(&ruby->rb, name);
	}
	return NULL;
}

static int name_maps(struct ruby *ruby)
{
	struct raw_said *raw = &ruby->said.raw;
	for (size_t i = 0; i < raw->nmaps; i++) {
		const char *name = raw->maps[i].name = name_of_map(ruby, raw->objects[i]);
		ruby_turn_to(&ruby->rb, raw->maps[i].at.file);
		if (!name)
			return ruby_refuse(&ruby->rb, raw->maps[i].at.line, "for example: COUNTS = table :pid => :u64", "a map without a name");
		for (const char *c = name; *c; c++)
			if (*c & 0x80)
				return ruby_refuse(&ruby->rb, raw->maps[i].at.line, "use letters, digits and _", "the name of a map is not ASCII");
		if (strlen(name) > 15)
			return ruby_refuse(&ruby->rb, raw->maps[i].at.line, "choose a shorter name",
			                   arena_printf(ruby->rb.arena, "the kernel keeps 15 characters of a map's name, %s has %zu", name, strlen(name)));
	}
	return 0;
}

/* What counts, for each map, how often there was no place. */
static void add_lost(struct ruby *ruby)
{
	struct raw_said *raw = &ruby->said.raw;
	struct arena *a = ruby->rb.arena;
	struct raw_map lost = {.name = "devguard_lost", .kind = RAW_LOST, .entries = (uint32_t)raw->nmaps};
	struct raw_field type;
	if (!raw->nmaps)
		return;
	raw_type_of("u32", &type);
	raw_record_add(a, &lost.key, "map", type);
	raw_type_of("u64", &type);
	raw_record_add(a, &lost.value, "lost", type);
	*ARENA_PUSH(a, raw->maps, raw->nmaps, raw->maps_cap) = lost;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Maps belong to a program. */
static int not_raw(struct ruby *ruby)
{
	const struct raw_said *said = &ruby->said.raw;
	const struct policy *p = ruby->said.policy;
	struct methods_found methods = {0};
	if (!said->nmaps && !p->nrules && !p->nclaims && p->default_at.line <= 0) {
		find_methods(ruby, ruby->rb.sources[0]->irep, &methods);
		for (size_t i = 0; i < methods.n; i++)
			if (!strcmp(methods.list[i].name, "prog"))
				return ruby_refuse(&ruby->rb, methods.list[i].line, "begin the file with section! \"cgroup/dev\"",
				                   "a method prog and no section!: is this a raw program?");
	}
	if (!said->nmaps)
		return 0;
	ruby_report(&ruby->rb, DIAG_ERROR, said->maps[0].at, "a rule's block writes no map: say section! \"cgroup/dev\" and write def prog(ctx)",
	            "a map in a policy of rules");
	return -1;
}

int raw_find(struct ruby *ruby)
{
	struct interpreter *rb = &ruby->rb;
	struct said *said = &ruby->said;
	struct methods_found methods = {0};
	if (!said->raw.given)
		return not_raw(ruby);
	if (nothing_beside(ruby) || all_typed(ruby) || name_maps(ruby))
		return -1;
	for (size_t i = 0; i < rb->nsources; i++) {
		ruby_turn_to(rb, rb->sources[i]->file);
		find_methods(ruby, rb->sources[i]->irep, &methods);
	}
	ruby_turn_to(rb, rb->sources[0]->file);
	const struct method_found *m = choose(ruby, &methods);
	if (!m)
		return -1;
	struct RClass *owner = rb->mrb->object_class;
	mrb_method_t method = mruby_method(rb->mrb, &owner, m->sym);
	if (MRB_METHOD_UNDEF_P(method) || MRB_METHOD_CFUNC_P(method))
		return ruby_refuse(rb, m->line, "write it at the top of the file", "the method of a raw program is not there when the file has run");
	ruby->program = mrb_obj_value((void *)MRB_METHOD_PROC(method));
	add_lost(ruby);
	struct raw *raw = said->policy->raw = arena_alloc(rb->arena, sizeof *raw);
	*raw = (struct raw){.section = said->raw.section,
	                    .section_name = said->raw.section_name ? said->raw.section_name : "cgroup/dev",
	                    .license = said->raw.license ? said->raw.license : "Dual MIT/GPL",
	                    .function = m->name, .at = ruby_at(rb, m->line), .maps = said->raw.maps, .nmaps = said->raw.nmaps};
	return 0;
}

/* The verdict as the policy's one rule: values by which it differs become inputs behind the parameters. */
static void add_rule(struct ruby *ruby)
{
	struct policy *p = ruby->said.policy;
	struct raw *raw = p->raw;
	struct terms *ts = p->terms;
	struct rule r = {.block = -1, .at = raw->at, .devices = T_TRUE, .source = ruby_source_line(&ruby->rb, raw->at.line)};
	r.match = term_not(ts, term_eq(ts, raw->result, term_const(ts, 0)));
	for (size_t i = 0; i < raw->nasked; i++) {
		const struct raw_value *v = &raw->values[raw->asked[i]];
		enum input in = (enum input)(IN_PARAM_0 + i);
		terms_param(ts, in, v->name, v->lo, v->hi);
		r.match = term_replaced(ts, r.match, term_value(ts, raw->asked[i], v->lo, v->hi), term_input(ts, in));
	}
	*ARENA_PUSH(ruby->rb.arena, p->rules, p->nrules, p->rules_cap) = r;
}

void raw_finish(struct ruby *ruby)
{
	struct policy *p = ruby->said.policy;
	if (p->raw->section != RAW_DEVICE)
		return;
	add_rule(ruby);
	p->default_at = p->raw->at; /* the method denies, too */
}
