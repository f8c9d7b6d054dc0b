/*
 * mruby.c - the interpreter: started and ended, asked for names, files, lines and the text
 * of exceptions.
 *
 * It has no input, output, eval or system calls: only the library parts below are started.
 * Memory counts against the arena's budget; time is bounded by the caller (an endless loop
 * at file level can only be ended from outside).
 */
#include "compiler/ruby/ruby.h"
#include "policy/budget.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1000 };

#define LIBRARY_PARTS(X)                                                                           \
	X(metaprog) X(kernel_ext) X(class_ext) X(compar_ext) X(enum_ext) X(string_ext) X(numeric_ext) \
	X(array_ext) X(hash_ext) X(range_ext) X(proc_ext) X(symbol_ext) X(object_ext) X(sprintf)      \
	X(math) X(struct) X(toplevel_ext) X(fiber) X(enumerator)
#define DECLARE(part) void GENERATED_TMP_mrb_mruby_##part##_gem_init(mrb_state *mrb);
LIBRARY_PARTS(DECLARE)

/* mruby's own calls every part there is. Without it those that open files and sockets or
 * evaluate text are not even linked. */
void mrb_init_mrbgems(mrb_state *mrb);
void mrb_init_mrbgems(mrb_state *mrb)
{
	(void)mrb;
}

/* ---- started and ended ----------------------------------------------------------------- */

/* mruby's allocator. What it takes counts against the budget of the compilation; that there
 * is no memory left is the end of it, and no exception that a policy could rescue. */
static void *allocate(mrb_state *mrb, void *p, size_t size, void *ud)
{
	struct interpreter *rb = ud;
	struct budget *b = arena_budget(rb->arena);
	size_t had = p && b ? malloc_usable_size(p) : 0;
	(void)mrb;
	if (size == 0) {
		if (b)
			b->used -= had;
		free(p);
		return NULL;
	}
	if (b && size > had)
		budget_take(b, size - had);
	void *q = realloc(p, size);
	if (!q)
		arena_fail(rb->arena);
	if (b)
		b->used += malloc_usable_size(q) - (size > had ? size : had);
	return q;
}

bool interpreter_open(struct interpreter *rb, void *ud)
{
	rb->mrb = mrb_open_core(allocate, rb);
	if (rb->mrb)
		rb->mrb->ud = ud;
	return rb->mrb;
}

void interpreter_library(struct interpreter *rb)
{
	mrb_state *mrb = rb->mrb;
	/* The collector does a whole round each time it runs: where the library forgets to
	 * tell it of a change (Hash#replace), an object in use was freed. */
	mrb->gc.generational = FALSE;
	mrb->gc.step_ratio = 1 << 30;
#define START(part) GENERATED_TMP_mrb_mruby_##part##_gem_init(mrb);
	LIBRARY_PARTS(START)
}

void interpreter_close(struct interpreter *rb)
{
	lines_close(rb);
	mrb_close(rb->mrb);
}

struct ruby *ruby_of(mrb_state *mrb)
{
	return mrb->ud;
}

/* ---- files and what runs of them --------------------------------------------------------- */

struct source *ruby_source(const struct interpreter *rb, const char *file)
{
	for (size_t i = 0; file && i < rb->nsources; i++)
		if (!strcmp(rb->sources[i]->file, file))
			return rb->sources[i];
	return NULL;
}

void ruby_turn_to(struct interpreter *rb, const char *file)
{
	struct source *s = ruby_source(rb, file);
	if (s)
		rb->source = s;
}

/* Called by mruby as a block, so that the file's frame is popped and its variables
 * outlive it; nothing that Ruby code could call. */
static mrb_value run_file(mrb_state *mrb, mrb_value self)
{
	return mrb_top_run(mrb, ruby_of(mrb)->rb.source->proc, self, 0);
}

void ruby_run(struct interpreter *rb)
{
	mrb_state *mrb = rb->mrb;
	mrb_value block = mrb_obj_value(mrb_proc_new_cfunc(mrb, run_file));
	mrb_yield_with_class(mrb, block, 0, NULL, mrb_top_self(mrb), mrb->object_class);
}

const mrb_callinfo *ruby_frame(struct interpreter *rb)
{
	const struct mrb_context *c = rb->mrb->c;
	for (const mrb_callinfo *ci = c->ci; ci >= c->cibase; ci--) {
		if (!ci->proc || MRB_PROC_CFUNC_P(ci->proc) || !ci->pc)
			continue;
		struct source *s = ruby_source(rb, mrb_debug_get_filename(rb->mrb, ci->proc->body.irep, 0));
		if (s) {
			rb->source = s;
			return ci;
		}
	}
	return NULL;
}

int ruby_line(struct interpreter *rb)
{
	const mrb_callinfo *ci = ruby_frame(rb);
	if (!ci)
		return 0;
	const mrb_irep *irep = ci->proc->body.irep;
	uint32_t pc = (uint32_t)(ci->pc - irep->iseq);
	return irep_line(rb, irep, pc ? pc - 1 : 0);
}

/* ---- texts ---------------------------------------------------------------------------------- */

char *ruby_name(struct interpreter *rb, mrb_sym name)
{
	return arena_strdup(rb->arena, mrb_sym_name(rb->mrb, name));
}

static mrb_value text_body(mrb_state *mrb, void *p)
{
	return mrb_funcall(mrb, *(mrb_value *)p, "message", 0);
}

char *ruby_exception_text(struct interpreter *rb, mrb_value exc)
{
	if (mrb_ptr(exc) == (void *)rb->mrb->stack_err) /* the collector of newer mrubies takes its message away */
		return arena_strdup(rb->arena, "SystemStackError: stack level too deep");
	mrb_bool failed = FALSE;
	mrb_value text = mrb_protect_error(rb->mrb, text_body, &exc, &failed);
	const char *class = mrb_obj_classname(rb->mrb, exc);
	if (failed || !mrb_string_p(text))
		return arena_strdup(rb->arena, class);
	int n = RSTRING_LEN(text) > TEXT_MAX ? TEXT_MAX : (int)RSTRING_LEN(text);
	return arena_printf(rb->arena, "%s: %.*s%s", class, n, RSTRING_PTR(text), n < RSTRING_LEN(text) ? "..." : "");
}

static mrb_value backtrace_body(mrb_state *mrb, void *p)
{
	return mrb_exc_backtrace(mrb, *(mrb_value *)p);
}

int ruby_exception_line(struct interpreter *rb, mrb_value exc)
{
	mrb_bool failed = FALSE;
	mrb_value trace = mrb_protect_error(rb->mrb, backtrace_body, &exc, &failed);
	if (failed || !mrb_array_p(trace))
		return 0;
	for (mrb_int i = 0; i < RARRAY_LEN(trace); i++) {
		mrb_value at = RARRAY_PTR(trace)[i];
		for (size_t k = 0; mrb_string_p(at) && k < rb->nsources; k++) {
			const char *file = rb->sources[k]->file;
			size_t n = strlen(file);
			if ((size_t)RSTRING_LEN(at) > n && !memcmp(RSTRING_PTR(at), file, n) && RSTRING_PTR(at)[n] == ':') {
				rb->source = rb->sources[k];
				return atoi(RSTRING_PTR(at) + n + 1);
			}
		}
	}
	return 0;
}

const char *ruby_source_line(struct interpreter *rb, int line)
{
	const char *s = rb->source->text, *end = rb->source->text + rb->source->len;
	int at = 1;
	if (line <= 0 || rb->code)
		return NULL;
	if (rb->source->found && rb->source->found_line <= line) { /* rules come in the order of their lines */
		s = rb->source->found;
		at = rb->source->found_line;
	}
	for (; at < line && s < end; at++) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		s = nl ? nl + 1 : end;
	}
	rb->source->found = s;
	rb->source->found_line = at;
	if (s == end)
		return NULL;
	const char *nl = memchr(s, '\n', (size_t)(end - s));
	size_t n = (size_t)((nl ? nl : end) - s);
	while (n && (s[n - 1] == '\r' || s[n - 1] == ' '))
		n--;
	return arena_strndup(rb->arena, s, n);
}

/* ---- diagnostics ------------------------------------------------------------------------------- */

struct span ruby_at(const struct interpreter *rb, int line)
{
	return (struct span){.file = rb->source->file, .line = line > 0 ? line : 0};
}

struct diag *ruby_report(struct interpreter *rb, enum diag_level level, struct span at, const char *hint,
                         const char *text)
{
	struct diag *d = diag_add(rb->diags, level, at, hint, "%s", text);
	ruby_turn_to(rb, at.file);
	d->source = ruby_source_line(rb, at.line);
	return d;
}

int ruby_refuse(struct interpreter *rb, int line, const char *hint, const char *text)
{
	ruby_report(rb, DIAG_ERROR, ruby_at(rb, line), hint, text);
	return -1;
}
