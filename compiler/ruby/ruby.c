/*
 * ruby.c - runs a policy file once in mruby and lifts its blocks.
 *
 * The interpreter has no input, output, eval or system calls: only the library
 * parts below are started. Memory counts against the arena's budget; time is bounded by
 * the caller (an endless loop at file level can only be ended from outside).
 */
#include "compiler/ruby/differences.h"
#include "policy/budget.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1000, NAME_MAX_LEN = IMAGE_NAME_MAX - 1 };

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

struct ruby *ruby_of(mrb_state *mrb)
{
	return mrb->ud;
}

/* mruby's allocator. What it takes counts against the budget of the compilation; that there
 * is no memory left is the end of it, and no exception that a policy could rescue. */
static void *allocate(mrb_state *mrb, void *p, size_t size, void *ud)
{
	struct ruby *rb = ud;
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

/* ---- places ----------------------------------------------------------------------- */

struct source *ruby_source(const struct ruby *rb, const char *file)
{
	for (size_t i = 0; file && i < rb->nsources; i++)
		if (!strcmp(rb->sources[i]->file, file))
			return rb->sources[i];
	return NULL;
}

void ruby_turn_to(struct ruby *rb, const char *file)
{
	struct source *s = ruby_source(rb, file);
	if (s)
		rb->source = s;
}

int ruby_line(mrb_state *mrb)
{
	struct ruby *rb = ruby_of(mrb);
	for (mrb_callinfo *ci = mrb->c->ci; ci >= mrb->c->cibase; ci--) {
		if (!ci->proc || MRB_PROC_CFUNC_P(ci->proc) || !ci->pc)
			continue;
		const mrb_irep *irep = ci->proc->body.irep;
		uint32_t pc = (uint32_t)(ci->pc - irep->iseq);
		const char *file = mrb_debug_get_filename(mrb, irep, pc ? pc - 1 : 0);
		if (ruby_source(rb, file)) {
			ruby_turn_to(rb, file);
			return irep_line(rb, irep, pc ? pc - 1 : 0);
		}
	}
	return 0;
}

struct span ruby_place(mrb_state *mrb, int (*line)(mrb_state *mrb))
{
	struct ruby *rb = ruby_of(mrb);
	if (rb->lifter)
		return lift_place(rb->lifter);
	struct span at = {.line = line(mrb)};
	at.file = rb->source->file; /* line() has turned to it */
	return at;
}

int irep_first_line(mrb_state *mrb, const mrb_irep *irep)
{
	struct insn in;
	int first = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		int line = irep_line(ruby_of(mrb), irep, pc);
		if (line > 0 && (!first || line < first))
			first = line;
	}
	return first;
}

char *ruby_name(struct ruby *rb, mrb_sym name)
{
	return arena_strdup(rb->arena, mrb_sym_name(rb->mrb, name));
}

const char *ruby_source_line(struct ruby *rb, int line)
{
	const char *s = rb->source->text, *end = rb->source->text + rb->source->len;
	int at = 1;
	if (line <= 0)
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

/* Line of the only loop of an irep, 0 when there is none or several. */
static int only_loop(mrb_state *mrb, const mrb_irep *irep)
{
	struct insn in;
	uint32_t head = UINT32_MAX, last = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		bool jump = in.op == OP_JMP || in.op == OP_JMPUW;
		if (!jump && in.op != OP_JMPIF && in.op != OP_JMPNOT)
			continue;
		int16_t offset = (int16_t)(jump ? in.a : in.b);
		uint32_t to = in.next + (uint32_t)(int32_t)offset;
		if (offset >= 0)
			continue;
		if (head != UINT32_MAX && to != head)
			return 0;
		head = to;
		last = pc;
	}
	int first = 0;
	for (uint32_t pc = head; pc <= last && insn_decode(irep, pc, &in); pc = in.next) {
		int line = mrb_debug_get_line(mrb, irep, pc);
		first = line > 0 && (!first || line < first) ? line : first;
	}
	return first;
}

/* The line of an irep that has one line only, else 0. */
static int only_line(mrb_state *mrb, const mrb_irep *irep)
{
	struct insn in;
	int only = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		int line = mrb_debug_get_line(mrb, irep, pc);
		if (only && line > 0 && line != only)
			return 0;
		only = line > 0 ? line : only;
	}
	return only;
}

/* How many of the files was loaded this one: 0 the policy itself. */
static unsigned number_of(const struct ruby *rb, const char *file)
{
	for (size_t i = 0; file && i < rb->nsources; i++)
		if (!strcmp(rb->sources[i]->file, file))
			return (unsigned)i;
	return 0;
}

/* *in: the name of the file. */
static int running_line(const struct ruby *rb, const char **in)
{
	mrb_state *mrb = rb->mrb;
	bool innermost = true;
	if (rb->parser) { /* mruby counts lines in 16 bits */
		*in = rb->source->file;
		return rb->parser_begin + (uint16_t)(rb->parser->lineno - rb->parser_begin);
	}
	if (rb->lifter) {
		struct span at = lift_place(rb->lifter);
		*in = at.file;
		return at.line;
	}
	for (mrb_callinfo *ci = mrb->c->ci; ci >= mrb->c->cibase; ci--) {
		if (!ci->proc || MRB_PROC_CFUNC_P(ci->proc)) {
			innermost = false;
			continue;
		}
		const mrb_irep *irep = ci->proc->body.irep;
		const char *file = mrb_debug_get_filename(mrb, irep, 0);
		if (ruby_source(rb, file)) {
			*in = file;
			int line = innermost ? only_line(mrb, irep) : 0;
			if (innermost && !line)
				line = only_loop(mrb, irep);
			if (line || ci == mrb->c->cibase)
				return line;
			if (innermost) { /* the call it is in is certain */
				innermost = false;
				continue;
			}
			return ci->pc ? mrb_debug_get_line(mrb, irep, (uint32_t)(ci->pc - irep->iseq - 1)) : 0;
		}
		innermost = false;
	}
	return 0;
}

int ruby_running_line(const struct ruby *rb, unsigned *file)
{
	const char *in = NULL;
	int line = running_line(rb, &in);
	*file = number_of(rb, in);
	return line;
}

/* ---- diagnostics --------------------------------------------------------------------- */

static void report(struct ruby *rb, enum diag_level level, int line, const char *hint, const char *text)
{
	struct span at = {.file = rb->source->file, .line = line > 0 ? line : 0};
	diag_add(rb->diags, level, at, hint, "%s", text)->source = ruby_source_line(rb, at.line);
}

static mrb_value text_body(mrb_state *mrb, void *p)
{
	return mrb_funcall(mrb, *(mrb_value *)p, "message", 0);
}

char *ruby_exception_text(struct ruby *rb, mrb_value exc)
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

/* Line of the policy that an exception came from; turns to its file. */
static int exception_line(struct ruby *rb, mrb_value exc)
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

static void report_exception(struct ruby *rb, mrb_value exc)
{
	if (rb->diags->errors)
		return; /* the policy language has said what is wrong */
	mrb_gc_protect(rb->mrb, exc);
	int line = exception_line(rb, exc);
	char *text = ruby_exception_text(rb, exc); /* may run code of the policy, within the limits */
	const char *hint = hint_exception(rb, text, ruby_source_line(rb, line));
	if (strstr(text, "uninitialized constant Regexp"))
		text = arena_printf(rb->arena, "%s: regular expressions are not available in policies", text);
	report(rb, DIAG_ERROR, line, hint, text);
}

/* ---- parsing ---------------------------------------------------------------------------- */

/* Splits "FILE:LINE: what": the line (0 = none) apart. */
static const char *place_said(struct ruby *rb, const char *text, int *line)
{
	size_t n = strlen(rb->source->file);
	const char *colon = strrchr(text, ':');
	*line = !strncmp(text, rb->source->file, n) && text[n] == ':' ? atoi(text + n + 1) : 0;
	return arena_strdup(rb->arena, colon ? colon + 1 + (colon[1] == ' ') : text);
}

static FILE *memory_stream(struct arena *a, char *text, size_t size)
{
	FILE *f = fmemopen(text, size, "w");
	if (!f)
		arena_fail(a);
	return f;
}

/* Code generation complains on stderr: what it says is caught in a stream of memory, for
 * which the C library needs no system call. */
static struct RProc *generate(struct ruby *rb, struct mrb_parser_state *parser, int *line, const char **said)
{
	char text[512] = "";
	FILE *kept = stderr, *memory = memory_stream(rb->arena, text, sizeof text);
	stderr = memory;
	struct RProc *proc = mrb_generate_code(rb->mrb, parser);
	stderr = kept;
	fclose(memory);
	text[sizeof text - 1] = 0;
	text[strcspn(text, "\n")] = 0;
	*said = place_said(rb, text, line);
	return proc;
}

/* A rule of devices alone: no block begins on its line. */
static bool is_device_rule(const char *line)
{
	if (!line)
		return false;
	line += strspn(line, " \t");
	return (!strncmp(line, "allow ", 6) || !strncmp(line, "deny ", 5)) && !strchr(line, '{') &&
	       !strstr(line, " do");
}

static const char *syntax_hint(const char *message, const char *line)
{
	if (strstr(message, "unexpected end of file") || strstr(message, "unexpected $end"))
		return "an `end`, `}` or `)` is missing, or a line ends in a comma or operator";
	if (strstr(message, "regexp"))
		return "a path is a string: allow \"/dev/null\"";
	if (strstr(message, "yield"))
		return "a rule's block is given no block to call: leave it out";
	if (strstr(message, "octal"))
		return "a number that begins with 0 is octal: write it without the 0";
	if (is_device_rule(line))
		return "devices are strings and symbols, with commas between: allow \"c 1:3 rw\", :null";
	return "a policy is Ruby: rules look like  allow { |ctx| ctx.char? && ctx.major == 1 }";
}

/* Newer parsers' words for what they did not expect, as mruby 3.1 has them. */
static const char *syntax_text(struct ruby *rb, const char *text)
{
	static const struct { const char *newer, *word; } words[] = {
		{"end of file", "$end"}, {"\"'alis'\"", "keyword_alias"}, {"\"'do' for condition\"", "keyword_do_cond"},
		{"\"'do' for block\"", "keyword_do_block"}, {"\"'do' for lambda\"", "keyword_do_LAMBDA"}};
	const char *at = text;
	if (!strstr(text, "unexpected"))
		return text;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		while ((at = strstr(text, words[i].newer)))
			text = arena_printf(rb->arena, "%.*s%s%s", (int)(at - text), text, words[i].word, at + strlen(words[i].newer));
	while ((at = strstr(text, "\"'"))) { /* "'if'" and "'if' modifier" */
		int n = (int)strcspn(at + 2, "'");
		const char *rest = at + 2 + n + (at[2 + n] != 0), *end = rest + strcspn(rest, "\"");
		text = arena_printf(rb->arena, "%.*s%s_%.*s%s", (int)(at - text), text, end > rest ? "modifier" : "keyword",
		                    n, at + 2, end + (*end != 0));
	}
	return text;
}

static void report_syntax(struct ruby *rb, const struct mrb_parser_message *m, bool first)
{
	report(rb, DIAG_ERROR, m->lineno,
	       first ? syntax_hint(m->message, ruby_source_line(rb, m->lineno))
	             : "correct what is above first: this may only follow from it",
	       syntax_text(rb, m->message));
}

static struct RProc *parse(struct ruby *rb)
{
	mrbc_context *cx = mrbc_context_new(rb->mrb);
	cx->capture_errors = TRUE;
	cx->lineno = 1;
	mrbc_filename(rb->mrb, cx, rb->source->file);
	struct pieces pieces = {0};
	struct mrb_parser_state *parser = pieces_parse(rb, cx, &pieces);
	struct RProc *proc = NULL;
	if (!parser) {
		report(rb, DIAG_ERROR, 0, "the file is too large or too deeply nested", "mruby cannot parse this");
	} else if (parser->nerr) {
		size_t n = parser->nerr < 10 ? parser->nerr : 10;
		for (size_t i = 0; i < n; i++)
			report_syntax(rb, &parser->error_buffer[i], i == 0);
	} else {
		for (size_t i = 0; i < parser->nwarn && i < 10; i++)
			report(rb, DIAG_WARNING, parser->warn_buffer[i].lineno, "mruby's parser says so: add parentheses",
			       parser->warn_buffer[i].message);
		const char *said;
		int line;
		proc = generate(rb, parser, &line, &said);
		if (!proc)
			report(rb, DIAG_ERROR, line,
			       strstr(said, "complex") || strstr(said, "too")
			               ? "make several rules of it, or look the value up: [1, 2, 3].include?(ctx.minor)"
			               : syntax_hint(said, NULL),
			       *said ? arena_printf(rb->arena, "mruby cannot compile this: %s", said)
			             : "mruby cannot compile this");
	}
	pieces_free(&pieces);
	mrbc_context_free(rb->mrb, cx);
	return proc;
}

/* ---- running ---------------------------------------------------------------------------- */

/* Called by mruby as a block, so that the file's frame is popped and its variables
 * outlive it; nothing that Ruby code could call. */
static mrb_value run_file(mrb_state *mrb, mrb_value self)
{
	return mrb_top_run(mrb, ruby_of(mrb)->source->proc, self, 0);
}

static mrb_value run_body(mrb_state *mrb, void *unused)
{
	(void)unused;
	mrb_value block = mrb_obj_value(mrb_proc_new_cfunc(mrb, run_file));
	return mrb_yield_with_class(mrb, block, 0, NULL, mrb_top_self(mrb), mrb->object_class);
}

/* From the text of rb->source to code that may run. */
static int prepare(struct ruby *rb)
{
	struct source *s = rb->source;
	budget_stage(arena_budget(rb->arena), STAGE_PARSE);
	struct RProc *proc = lost_in_text(rb) ? NULL : parse(rb);
	if (!proc || dialect_check(rb, proc) || lost_to_definitions(rb, proc->body.irep))
		return -1;
	s->irep = proc->body.irep;
	s->proc = proc;
	mrb_gc_register(rb->mrb, mrb_obj_value(proc));
	mrb_state *mrb = rb->mrb; /* the macro names it */
	MRB_PROC_SET_TARGET_CLASS(proc, mrb->object_class);
	budget_stage(arena_budget(rb->arena), STAGE_RUN);
	return 0;
}

int ruby_run_source(struct ruby *rb)
{
	if (prepare(rb))
		return -1;
	run_body(rb->mrb, NULL);
	return 0;
}

static int run(struct ruby *rb)
{
	mrb_bool failed = FALSE;
	rb->running = true;
	mrb_value v = mrb_protect_error(rb->mrb, run_body, NULL, &failed);
	rb->running = false;
	if (rb->policy->mode == MODE_PERMISSIVE && !rb->policy->audit_given)
		rb->policy->audit = AUDIT_DENIED; /* it is there to report */
	if (failed)
		report_exception(rb, v);
	for (size_t i = 0; i < rb->nsources && !rb->diags->errors; i++) {
		rb->source = rb->sources[i];
		lost_after_run(rb, rb->source->irep);
	}
	rb->source = rb->sources[0];
	return rb->diags->errors ? -1 : 0;
}

static void warn_changed(struct ruby *rb, const struct block *b)
{
	const struct RProc *p = mrb_proc_ptr(b->proc);
	struct REnv *env = MRB_PROC_ENV(p);
	for (size_t i = 1; env && p->upper && i < b->ncaptured && (mrb_int)i < MRB_ENV_LEN(env); i++) {
		mrb_sym name = p->upper->body.irep->lv ? p->upper->body.irep->lv[i - 1] : 0;
		if (mrb_undef_p(b->captured[i]) || mrb_obj_eq(rb->mrb, b->captured[i], env->stack[i]))
			continue;
		report(rb, DIAG_WARNING, b->at.line,
		       "a block sees the last value a variable had in the file; use a new variable",
		       arena_printf(rb->arena, "`%s` changed after this rule was made",
		                    name ? ruby_name(rb, name) : "a variable"));
	}
}

int lift_all(struct ruby *rb)
{
	struct policy *p = rb->policy;
	int rc = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		struct rule *r = &p->rules[i];
		int ai = mrb_gc_arena_save(rb->mrb);
		ruby_turn_to(rb, r->at.file);
		if (r->block >= 0) {
			budget_line(arena_budget(rb->arena), r->at.line);
			warn_changed(rb, &rb->blocks[r->block]);
			rc |= lift_block(rb, r, rb->blocks[r->block].proc);
		}
		mrb_gc_arena_restore(rb->mrb, ai);
	}
	return rc;
}

static mrb_value lift_body(mrb_state *mrb, void *p)
{
	return mrb_bool_value(lift_all(p) == 0 || !mrb);
}

static int lift(struct ruby *rb)
{
	mrb_bool failed = FALSE;
	/* values found while lifting are held by the arena, where the collector does not look */
	rb->mrb->gc.disabled = TRUE;
	mrb_value v = mrb_protect_error(rb->mrb, lift_body, rb, &failed);
	rb->source = rb->sources[0];
	rb->lifter = NULL;
	rb->mrb->gc.disabled = FALSE; /* what is asked of mruby later leaves no garbage */
	if (failed && !rb->diags->errors)
		report(rb, DIAG_ERROR, 0, "write the block in a simpler way", ruby_exception_text(rb, v));
	return failed || rb->diags->errors ? -1 : 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static mrb_value start_body(mrb_state *mrb, void *p)
{
	struct ruby *rb = p;
	/* The collector does a whole round each time it runs: where the library forgets to
	 * tell it of a change (Hash#replace), an object in use was freed. */
	mrb->gc.generational = FALSE;
	mrb->gc.step_ratio = 1 << 30;
	mrb->gc.disabled = TRUE; /* the library is made of what stays */
#define START(part) GENERATED_TMP_mrb_mruby_##part##_gem_init(mrb);
	LIBRARY_PARTS(START)
	seal_library(rb);
	rb->keep = mrb_ary_new(mrb);
	mrb_gc_register(mrb, rb->keep);
	prelude_run(rb);
	differences_define(rb);
	seal_constants(rb);
	rb->methods = methods_new(rb);
	reference_define(rb);
	dsl_define(rb);
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
static const char *parameter_list(struct ruby *rb)
{
	const char *list = "";
	for (size_t i = 0; i < rb->nbaked; i++)
		list = arena_printf(rb->arena, "%s%s%s = %lld", list, *list ? ", " : "", rb->baked[i].name,
		                    (long long)rb->baked[i].value);
	for (size_t i = 0; i < rb->policy->nparams; i++) {
		const struct param *p = &rb->policy->params[i];
		list = arena_printf(rb->arena, "%s%s%s = %lld (%lld..%lld)", list, *list ? ", " : "", p->name,
		                    (long long)p->value, (long long)p->lo, (long long)p->hi);
	}
	return list;
}

/* Values given for parameters that the policy does not have. */
static int unknown_settings(struct ruby *rb)
{
	int rc = 0;
	size_t n = 0;
	const char **names = arena_alloc(rb->arena, (rb->nbaked + rb->policy->nparams + 1) * sizeof *names);
	for (size_t i = 0; i < rb->nbaked; i++)
		names[n++] = rb->baked[i].name;
	for (size_t i = 0; i < rb->policy->nparams; i++)
		names[n++] = rb->policy->params[i].name;
	for (size_t i = 0; i < rb->nsettings; i++) {
		const char *name = rb->settings[i].name, *near = did_you_mean(name, names, n);
		if (rb->settings[i].used)
			continue;
		report(rb, DIAG_ERROR, 0,
		       near ? arena_printf(rb->arena, "did you mean --param %s=...?", near)
		       : n  ? arena_printf(rb->arena, "its parameters: %s", parameter_list(rb))
		            : "declare it in the policy: gpu = param :gpu, 0",
		       arena_printf(rb->arena, "--param %s: the policy has no such parameter", name));
		rc = -1;
	}
	return rc;
}

static int compile(struct ruby *rb)
{
	mrb_bool failed = FALSE;
	mrb_value v = mrb_protect_error(rb->mrb, start_body, rb, &failed);
	if (failed)
		return diag_fail(rb->diags, "this build of mruby lacks a library", "mruby does not start: %s",
		                 ruby_exception_text(rb, v));
	if (prepare(rb) || run(rb))
		return -1;
	budget_stage(arena_budget(rb->arena), STAGE_LIFT);
	return unknown_settings(rb) ? -1 : lift(rb);
}

int ruby_compile(struct arena *a, struct diags *d, const struct host *host, const char *file,
                 const char *text, size_t len, struct param_setting *params, size_t nparams,
                 struct ruby **out, struct policy **policy)
{
	struct ruby *rb = arena_alloc(a, sizeof *rb);
	struct policy *p = arena_alloc(a, sizeof *p);
	*p = (struct policy){.arena = a, .terms = terms_new(a), .file = file,
	                     .name = name_of_file(a, file), .default_at = {.file = file}};
	*rb = (struct ruby){.arena = a, .diags = d, .policy = p,
	                    .settings = params, .nsettings = nparams, .host = host, .missing = -1};
	source_add(rb, file, NULL, text, len);
	*out = NULL;
	rb->mrb = mrb_open_core(allocate, rb);
	if (!rb->mrb)
		return diag_fail(d, "free some memory", "mruby does not start");
	rb->mrb->ud = rb;
	*out = rb;
	if (compile(rb)) {
		*out = NULL;
		ruby_close(rb);
		return -1;
	}
	*policy = p;
	return 0;
}

void ruby_close(struct ruby *rb)
{
	if (rb && rb->mrb) {
		lines_close(rb);
		mrb_close(rb->mrb);
	}
}
