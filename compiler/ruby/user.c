/*
 * user.c - the user half: the file runs once more, its handlers are kept and called.
 *
 * What the words of rules said when the policy was compiled stands in the kernel by now, so here they do nothing. The
 * library is the one that a policy has. Handlers may change what they like of their own: variables, Strings, Hashes.
 */
#include "compiler/ruby/code.h"
#include "compiler/ruby/differences.h"
#include "compiler/ruby/dsl.h"
#include "compiler/ruby/user.h"

#include <string.h>

/* ---- the words of rules --------------------------------------------------------------------- */

static mrb_value nothing(mrb_state *mrb, mrb_value self)
{
	(void)mrb;
	return self;
}

static mrb_value user_policy(mrb_state *mrb, mrb_value self)
{
	const mrb_value *args;
	mrb_value block;
	mrb_int n;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	if (!mrb_nil_p(block))
		mrb_yield_argv(mrb, block, 0, NULL);
	return self;
}

/* The value that it had when the policy was compiled. */
static mrb_value user_param(mrb_state *mrb, mrb_value self)
{
	struct ruby *ruby = ruby_of(mrb);
	const mrb_value *args;
	mrb_int n;
	(void)self;
	mrb_get_args(mrb, "*", &args, &n);
	if (n < 2 || !(mrb_symbol_p(args[0]) || mrb_string_p(args[0])))
		dsl_fail(mrb, "write `gpu = param :gpu, 0`", "param takes a name and a value");
	const char *name = ruby_name(&ruby->rb, mrb_obj_to_sym(mrb, args[0]));
	for (size_t i = ruby->said.nsettings; i-- > 0;)
		if (!strcmp(ruby->said.settings[i].name, name))
			return mrb_int_value(mrb, ruby->said.settings[i].value);
	return args[1];
}

static void define_words(mrb_state *mrb)
{
	static const struct { const char *name; mrb_func_t fn; } words[] = {
		{"allow", nothing}, {"deny", nothing}, {"never", nothing}, {"always", nothing}, {"default", nothing},
		{"mode", nothing}, {"grants", nothing}, {"audit", nothing}, {"set", nothing}, {"license!", nothing}, {"section!", nothing},
		{"policy", user_policy}, {"param", user_param}, {"on", dsl_on}, {"every", dsl_every}, {"at_exit", dsl_at_exit},
		{"load", dsl_load}, {"require_relative", dsl_require_relative}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		mrb_define_method(mrb, mrb->kernel_module, words[i].name, words[i].fn, MRB_ARGS_ANY());
}

static bool is_ring(mrb_state *mrb, mrb_value v, uint32_t *map)
{
	return user_map_is_ring(user_of(mrb), v, map);
}

/* ---- opened --------------------------------------------------------------------------------------- */

static mrb_value start_body(mrb_state *mrb, void *p)
{
	struct user *u = p;
	struct ruby *ruby = &u->ruby;
	mrb->gc.disabled = TRUE; /* the library is made of what stays */
	interpreter_library(&ruby->rb);
	seal_library(ruby);
	ruby->said.keep = mrb_ary_new(mrb);
	mrb_gc_register(mrb, ruby->said.keep);
	prelude_run(&ruby->rb);
	differences_define(&ruby->rb);
	define_words(mrb);
	user_print_define(u);
	user_events_define(u);
	user_maps_define(u);
	seal_constants(ruby);
	mrb->gc.disabled = FALSE;
	return mrb_nil_value();
}

static mrb_value run_body(mrb_state *mrb, void *rb)
{
	ruby_run(rb);
	(void)mrb;
	return mrb_nil_value();
}

/* What to do about an exception of a handler. */
static const char *hint_of(struct interpreter *rb, const char *text)
{
	static const char begin[] = "undefined method '";
	const char *at = strstr(text, begin);
	if (strstr(text, "stack level too deep"))
		return "a method calls itself without end";
	if (!at)
		return NULL;
	at += sizeof begin - 1;
	return user_event_hint(rb, arena_strndup(rb->arena, at, strcspn(at, "'")));
}

/* errors: how many there were before; the library may have said what is wrong. */
static void report(struct interpreter *rb, mrb_value exc, size_t errors)
{
	mrb_gc_protect(rb->mrb, exc);
	if (rb->diags->errors != errors)
		return;
	int line = ruby_exception_line(rb, exc);
	char *text = ruby_exception_text(rb, exc);
	ruby_refuse(rb, line, hint_of(rb, text), text);
}

static int run(struct user *u)
{
	struct interpreter *rb = &u->ruby.rb;
	mrb_bool failed = FALSE;
	mrb_value v = mrb_protect_error(rb->mrb, start_body, u, &failed);
	if (failed)
		return diag_fail(rb->diags, "this build of mruby lacks a library", "mruby does not start: %s", ruby_exception_text(rb, v));
	if (source_prepare(&u->ruby))
		return -1;
	u->ruby.said.running = true;
	size_t errors = rb->diags->errors;
	v = mrb_protect_error(rb->mrb, run_body, rb, &failed);
	u->ruby.said.running = false;
	if (failed)
		report(rb, v, errors);
	return failed || rb->diags->errors != errors ? -1 : 0;
}

/* The bytes of a file that the code loads. */
static int piece_of(const struct host *h, struct arena *a, const char *name, const char **text, size_t *len, const char **why)
{
	const struct code *code = h->self;
	(void)a;
	for (size_t i = 0; i < code->npieces; i++)
		if (code->pieces[i].name && !strcmp(code->pieces[i].name, name)) {
			*text = code->pieces[i].bytes;
			*len = code->pieces[i].n;
			return 0;
		}
	*why = "it was not loaded when the policy was compiled";
	return -1;
}

/* The settings that were kept, and after them those that are given now: the last one counts. */
static void settings(struct said *said, struct arena *a, const struct code *code, const struct user_file *f)
{
	said->nsettings = code->nparams + f->nparams;
	said->settings = arena_alloc(a, (said->nsettings + 1) * sizeof *said->settings);
	for (size_t i = 0; i < said->nsettings; i++)
		said->settings[i] = i < code->nparams ? code->params[i] : f->params[i - code->nparams];
}

int user_open(struct arena *a, struct diags *d, const struct host *host, const struct user_file *f,
              const struct user_calls *calls, struct user **out)
{
	struct user *u = arena_alloc(a, sizeof *u);
	struct policy *p = arena_alloc(a, sizeof *p);
	struct code *code = arena_alloc(a, sizeof *code);
	*out = NULL;
	*p = (struct policy){.arena = a, .file = f->file, .name = f->file};
	*u = (struct user){.ruby = {.rb = {.arena = a, .diags = d, .code = f->code, .bytes = true}, .question = {.missing = -1},
	                            .said = {.policy = p, .host = host, .is_ring = is_ring}},
	                   .calls = *calls};
	if (f->code) {
		if (code_read(a, d, f->file, f->code, f->ncode, code))
			return -1;
		u->files = (struct host){.file = piece_of, .self = code};
		u->ruby.said.host = &u->files;
	}
	settings(&u->ruby.said, a, code, f);
	source_add(&u->ruby.rb, f->code ? code->pieces[0].file : f->file, NULL, f->code ? code->pieces[0].bytes : f->text,
	           f->code ? code->pieces[0].n : f->len);
	if (!interpreter_open(&u->ruby.rb, u))
		return diag_fail(d, "free some memory", "mruby does not start");
	*out = u;
	return run(u);
}

void user_close(struct user *u)
{
	if (u && u->ruby.rb.mrb)
		interpreter_close(&u->ruby.rb);
}

void user_turn(struct user *u, struct arena *a, struct diags *d)
{
	lines_close(&u->ruby.rb); /* they are the arena's */
	u->ruby.rb.arena = a;
	u->ruby.rb.diags = d;
}

int user_running_line(const struct user *u, unsigned *file)
{
	return ruby_running_line(&u->ruby, file);
}

struct user_has user_has(const struct user *u)
{
	const struct said *said = &u->ruby.said;
	struct user_has has = {0};
	for (size_t i = 0; i < said->nhandlers; i++) {
		enum handler_of of = said->handlers[i].of;
		has.denied += of == ON_DENY;
		has.allowed += of == ON_ALLOW;
		has.lines += of == ON_LINE;
		has.rings += of == ON_RING;
		has.intervals += of == ON_INTERVAL;
		has.at_exit += of == ON_EXIT;
	}
	return has;
}

static const struct handler *interval(const struct user *u, size_t i)
{
	const struct said *said = &u->ruby.said;
	for (size_t k = 0; k < said->nhandlers; k++)
		if (said->handlers[k].of == ON_INTERVAL && !i--)
			return &said->handlers[k];
	return NULL;
}

uint64_t user_interval(const struct user *u, size_t i)
{
	const struct handler *h = interval(u, i);
	return h ? h->every : 0;
}

/* ---- called ------------------------------------------------------------------------------------------ */

struct call {
	struct user *user;
	const struct handler *handler;
	mrb_value (*object)(struct user *u, const struct call *c); /* what it is given; NULL: nothing */
	const struct user_event *event;
	const struct user_line *line;
	const void *bytes;
	size_t n;
};

static mrb_value event_of(struct user *u, const struct call *c)
{
	return user_event_object(u, c->event);
}

static mrb_value line_of(struct user *u, const struct call *c)
{
	return user_line_object(u, c->line);
}

static mrb_value record_of(struct user *u, const struct call *c)
{
	return user_map_record(u, c->handler->map, c->bytes, c->n);
}

static mrb_value call_body(mrb_state *mrb, void *p)
{
	const struct call *c = p;
	mrb_value given = c->object && c->handler->takes ? c->object(c->user, c) : mrb_nil_value();
	return mrb_yield_argv(mrb, c->handler->proc, c->handler->takes, &given);
}

/* 1: it raised. */
static int call(struct call *c, const struct handler *h)
{
	struct interpreter *rb = &c->user->ruby.rb;
	mrb_bool failed = FALSE;
	int ai = mrb_gc_arena_save(rb->mrb);
	size_t errors = rb->diags->errors;
	c->handler = h;
	mrb_value v = mrb_protect_error(rb->mrb, call_body, c, &failed);
	if (failed)
		report(rb, v, errors);
	mrb_gc_arena_restore(rb->mrb, ai);
	return failed;
}

static int call_all(struct call *c, enum handler_of of, uint32_t map)
{
	const struct said *said = &c->user->ruby.said;
	int raised = 0;
	for (size_t i = 0; i < said->nhandlers; i++)
		if (said->handlers[i].of == of && said->handlers[i].map == map)
			raised += call(c, &said->handlers[i]);
	return raised;
}

int user_event(struct user *u, const struct user_event *e)
{
	return call_all(&(struct call){.user = u, .object = event_of, .event = e}, e->event.verdict ? ON_ALLOW : ON_DENY, 0);
}

int user_line(struct user *u, const struct user_line *l)
{
	return call_all(&(struct call){.user = u, .object = line_of, .line = l}, ON_LINE, 0);
}

int user_record(struct user *u, uint32_t map, const void *bytes, size_t n)
{
	return call_all(&(struct call){.user = u, .object = record_of, .bytes = bytes, .n = n}, ON_RING, map);
}

int user_every(struct user *u, size_t i)
{
	const struct handler *h = interval(u, i);
	return h ? call(&(struct call){.user = u}, h) : 0;
}

int user_at_exit(struct user *u)
{
	const struct said *said = &u->ruby.said;
	struct call c = {.user = u};
	int raised = 0;
	for (size_t i = said->nhandlers; i-- > 0;) /* as Ruby does: the last one first */
		if (said->handlers[i].of == ON_EXIT)
			raised += call(&c, &said->handlers[i]);
	return raised;
}
