/*
 * sources.c - a policy of several files: `load "lib/gpu.rb"`, `require_relative "lib/gpu"`.
 *
 * A name is relative to the file that says it and may not lead out of the directory of the
 * policy; whoever compiles says what is there (struct host). A file is run once: where Ruby
 * would run it again, its rules would be made twice, which is refused.
 */
#include "compiler/ruby/code.h"
#include "compiler/ruby/differences.h"
#include "compiler/ruby/ruby.h"
#include "policy/budget.h"
#include "policy/host.h"

#include <string.h>

#define EXAMPLE "write load \"lib/gpu.rb\" or require_relative \"lib/gpu\""
enum { NAME_LIMIT = 1024 };

void source_add(struct interpreter *rb, const char *file, const char *name, const char *text, size_t len)
{
	struct source *s = arena_alloc(rb->arena, sizeof *s);
	*s = (struct source){.file = file, .name = name, .number = (unsigned)rb->nsources, .text = text, .len = len};
	*ARENA_PUSH(rb->arena, rb->sources, rb->nsources, rb->sources_cap) = s;
	rb->source = s;
}

int source_prepare(struct ruby *ruby)
{
	struct interpreter *rb = &ruby->rb;
	mrb_state *mrb = rb->mrb; /* the macro names it */
	struct source *s = rb->source;
	budget_stage(arena_budget(rb->arena), STAGE_PARSE);
	struct RProc *proc = rb->code ? code_proc(rb) : lost_in_text(rb) ? NULL : parse_source(rb);
	if (!proc || (!rb->code && (dialect_check(rb, proc) || lost_to_definitions(ruby, proc->body.irep))))
		return -1;
	s->irep = proc->body.irep;
	s->proc = proc;
	mrb_gc_register(mrb, mrb_obj_value(proc));
	MRB_PROC_SET_TARGET_CLASS(proc, mrb->object_class);
	budget_stage(arena_budget(rb->arena), STAGE_RUN);
	return 0;
}

/* ---- files that a policy loads ----------------------------------------------------------- */

/* The length of the directory part of a name, with its slash. */
static size_t directory(const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;
	return slash ? (size_t)(slash - name) + 1 : 0;
}

/* `said` in a file of that name, without . and ..; NULL: it leads out, or to a directory. */
static char *resolve(struct arena *a, const char *from, const char *said)
{
	size_t base = directory(from), n = 0;
	char *whole = arena_printf(a, "%.*s%s", (int)base, from ? from : "", said), *out = arena_strdup(a, whole);
	for (const char *s = whole; *s;) {
		size_t len = strcspn(s, "/");
		if (len == 2 && !memcmp(s, "..", 2)) {
			if (!n)
				return NULL;
			for (n--; n && out[n - 1] != '/'; n--)
				;
		} else if (len && !(len == 1 && *s == '.')) {
			memmove(out + n, s, len);
			n += len;
			out[n++] = '/';
		}
		s += len + (s[len] == '/');
	}
	if (!n || whole[strlen(whole) - 1] == '/')
		return NULL;
	out[n - 1] = '\0';
	return out;
}

static const struct source *loaded(const struct interpreter *rb, const char *name)
{
	for (size_t i = 0; i < rb->nsources; i++)
		if (rb->sources[i]->name && !strcmp(rb->sources[i]->name, name))
			return rb->sources[i];
	return NULL;
}

/* The name that a call gives, resolved; does not return when it is none. */
static const char *name_of_call(mrb_state *mrb, const char *verb, const char *ending)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	const mrb_value *args;
	mrb_int n;
	mrb_value block;
	mrb_get_args(mrb, "*&", &args, &n, &block);
	if (!ruby->said.running)
		dsl_fail(mrb, "load it where the rules are made", "`%s` inside a rule's block", verb);
	if (n != 1 || !mrb_string_p(args[0]) || !mrb_nil_p(block))
		dsl_fail(mrb, EXAMPLE, "%s takes one file name, as a String", verb);
	const char *said = RSTRING_PTR(args[0]);
	size_t len = (size_t)RSTRING_LEN(args[0]);
	if (!len || len > NAME_LIMIT || memchr(said, 0, len) || memchr(said, '\n', len))
		dsl_fail(mrb, EXAMPLE, "%s: this is no file name", verb);
	said = arena_strndup(rb->arena, said, len);
	if (*said == '/')
		dsl_fail(mrb, "a file is named relative to the one that loads it", "%s \"%s\": a policy loads files of its own directory only",
		         verb, said);
	size_t had = strlen(said), more = strlen(ending);
	if (had < more || strcmp(said + had - more, ending))
		said = arena_printf(rb->arena, "%s%s", said, ending);
	ruby_frame(rb); /* turns to the file that says it */
	const char *name = resolve(rb->arena, rb->source->name, said);
	if (!name)
		dsl_fail(mrb, "move the file below the directory of the policy", "%s \"%s\": it leads out of the directory of the policy",
		         verb, said);
	return name;
}

static void load_file(mrb_state *mrb, const char *verb, const char *name, bool once)
{
	struct ruby *ruby = ruby_of(mrb);
	struct interpreter *rb = &ruby->rb;
	const struct host *host = ruby->said.host;
	struct source *from = rb->source;
	const char *text, *why = NULL, *policy = rb->sources[0]->file;
	size_t len;
	if (!host->file)
		dsl_fail(mrb, "write what it has into the policy", "%s \"%s\": this policy has no directory", verb, name);
	if (host->file(host, rb->arena, name, &text, &len, &why))
		dsl_fail(mrb, "files are named relative to the one that loads them, with their ending", "%s: cannot load %s: %s", verb, name, why);
	source_add(rb, arena_printf(rb->arena, "%.*s%s", (int)directory(policy), policy, name), name, text, len);
	rb->source->once = once;
	if (source_prepare(ruby)) /* what is wrong was said */
		mrb_raise(mrb, mrb_class_get(mrb, "ArgumentError"), "the file is refused");
	ruby_run(rb);
	rb->source = from;
}

mrb_value dsl_load(mrb_state *mrb, mrb_value self)
{
	const char *name = name_of_call(mrb, "load", "");
	(void)self;
	if (loaded(&ruby_of(mrb)->rb, name))
		dsl_fail(mrb, "leave the second one out: it would make the same rules again",
		         "load: %s was loaded before", name);
	load_file(mrb, "load", name, false);
	return mrb_true_value();
}

mrb_value dsl_require_relative(mrb_state *mrb, mrb_value self)
{
	const char *name = name_of_call(mrb, "require_relative", ".rb");
	const struct source *before = loaded(&ruby_of(mrb)->rb, name);
	(void)self;
	if (before && !before->once)
		dsl_fail(mrb, "use require_relative in both places",
		         "require_relative: %s was loaded by `load`, and Ruby would run it again", name);
	if (before)
		return mrb_false_value();
	load_file(mrb, "require_relative", name, true);
	return mrb_true_value();
}
