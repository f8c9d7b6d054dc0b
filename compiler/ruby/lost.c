/*
 * lost.c - where a rule could vanish without a word.
 *
 * Ruby reads a file up to a mark, leaves it by `return`, lets a method be defined
 * anew, and runs no code that nothing calls. In a policy each of these would take
 * rules away, so they are refused, or (code that made no rule) warned of.
 */
#include "compiler/ruby/ruby.h"
#include "policy/utf8.h"

#include <string.h>

/* ---- the text ----------------------------------------------------------------------------- */

/* Does the character there let a text look other than it is read? */
static bool turns(const char *s, size_t left)
{
	uint32_t code;
	return (*s & 0x80) && utf8_code(s, left, &code) && utf8_turns(code);
}

static bool is_end_mark(const char *line, size_t n)
{
	n -= n && line[n - 1] == '\r';
	return n == 7 && !memcmp(line, "__END__", 7);
}

static int lost_in_line(struct interpreter *rb, int at, const char *line, size_t n)
{
	if (is_end_mark(line, n))
		return ruby_refuse(rb, at, "take the line away, or write # before each line below it",
		            "`__END__`: what stands below it would not be read");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)line[i];
		if (c == 4 || c == 26)
			return ruby_refuse(rb, at, "remove it",
			            arena_printf(rb->arena, "a control byte (0x%02x): Ruby would read nothing below it", c));
		if (c == '\r' && i + 1 < n)
			return ruby_refuse(rb, at, "end lines with a line feed",
			            "a carriage return inside a line: what looks like two lines is read as one");
		if (turns(line + i, n - i))
			return ruby_refuse(rb, at, "remove it",
			            "an invisible character that changes the direction of the text");
	}
	return 0;
}

int lost_in_text(struct interpreter *rb)
{
	const char *s = rb->source->text, *end = rb->source->text + rb->source->len;
	for (int at = 1; s < end; at++) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((nl ? nl : end) - s);
		if (lost_in_line(rb, at, s, n))
			return -1;
		s += n + 1;
	}
	return 0;
}

/* ---- definitions ---------------------------------------------------------------------------- */

/* The name that an instruction defines or undefines, or NULL. */
static const char *defines(struct interpreter *rb, const mrb_irep *irep, const struct insn *in)
{
	switch (in->op) {
	case OP_DEF: return irep_symbol(rb, irep, in->b);
	case OP_ALIAS: case OP_UNDEF: return irep_symbol(rb, irep, in->a);
	default: return NULL;
	}
}

/* The line a definition begins on; `body` is its method's code, or NULL. */
static int defined_at(struct interpreter *rb, const mrb_irep *irep, uint32_t pc, const mrb_irep *body, const char *name)
{
	int line = irep_line(rb, irep, pc), first = body ? irep_first_line(rb, body) : 0;
	return statement_word(rb, first > 0 && first < line ? first : line, name);
}

/* Refuses what the instruction takes from the language or the library; `body` is the code
 * that is defined. */
static int check_definition(struct ruby *ruby, const mrb_irep *irep, uint32_t pc, const struct insn *in,
                            const mrb_irep *body, bool in_class)
{
	struct interpreter *rb = &ruby->rb;
	const char *name = defines(rb, irep, in), *hint = name ? seal_reserved(name) : NULL;
	if (hint)
		return ruby_refuse(rb, defined_at(rb, irep, pc, body, name), hint,
		                   arena_printf(rb->arena, "`%s` is %s", name,
		                                in->op == OP_UNDEF ? "taken away" : "defined anew"));
	if (in->op == OP_SETCONST && !in_class && in->b < irep->slen && seal_is_constant(ruby, irep->syms[in->b]))
		return ruby_refuse(rb, irep_line(rb, irep, pc), SEAL_CONSTANT_HINT,
		                   arena_printf(rb->arena, SEAL_CONSTANT, irep_symbol(rb, irep, in->b)));
	return 0;
}

static int look_for_definitions(struct ruby *ruby, const mrb_irep *irep, bool in_class)
{
	struct insn in;
	const mrb_irep *body = NULL;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		if (check_definition(ruby, irep, pc, &in, body, in_class))
			return -1;
		body = in.op == OP_METHOD ? irep->reps[in.b] : NULL;
		bool nested = in.op == OP_METHOD || in.op == OP_EXEC || in.op == OP_BLOCK || in.op == OP_LAMBDA;
		if (nested && look_for_definitions(ruby, irep->reps[in.b], in_class || in.op == OP_EXEC))
			return -1;
	}
	return 0;
}

int lost_to_definitions(struct ruby *ruby, const mrb_irep *file)
{
	return look_for_definitions(ruby, file, false);
}

/* ---- after the run ----------------------------------------------------------------------------- */

static bool is_rule_block(const struct said *said, const mrb_irep *irep)
{
	for (size_t i = 0; i < said->nblocks; i++)
		if (mrb_proc_ptr(said->blocks[i].proc)->body.irep == irep)
			return true;
	return false;
}

/* The method that a block made at this instruction is given to; "": none. */
static const char *given_to(struct interpreter *rb, const mrb_irep *irep, const struct insn *block)
{
	struct insn in;
	bool sends = insn_decode(irep, block->next, &in) && (in.op == OP_SENDB || in.op == OP_SSENDB);
	return sends ? irep_symbol(rb, irep, in.b) : "";
}

/* A `return` in the file's own code, or in a block of it that is no method's body. */
static int lost_to_return(struct ruby *ruby, const mrb_irep *irep, bool is_body)
{
	struct interpreter *rb = &ruby->rb;
	static const char *const methods[] = {"lambda", "define_method", "define_singleton_method", NULL};
	struct insn in, next;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		bool last = !insn_decode(irep, in.next, &next) || next.op == OP_STOP;
		if (in.op == OP_RETURN_BLK || (in.op == OP_RETURN && is_body && !last))
			return ruby_refuse(rb, irep_line(rb, irep, pc),
			            "put what depends on a condition between `if` and `end`",
			            "`return` outside of a method: it would end the file, and no rule below it would count");
		if (in.op == OP_EXEC && lost_to_return(ruby, irep->reps[in.b], true))
			return -1;
		if (in.op == OP_BLOCK && !is_one_of(given_to(rb, irep, &in), methods) &&
		    !is_rule_block(&ruby->said, irep->reps[in.b]) && lost_to_return(ruby, irep->reps[in.b], false))
			return -1;
	}
	return 0;
}

static bool is_verb_call(struct interpreter *rb, const mrb_irep *irep, const struct insn *in)
{
	if (in->op != OP_SSEND && in->op != OP_SSENDB)
		return false;
	static const char *const verbs[] = {"allow", "deny", "never", "always", NULL};
	return is_one_of(irep_symbol(rb, irep, in->b), verbs);
}

/* What such a call makes. */
static const char *made_by(struct interpreter *rb, const mrb_irep *irep, const struct insn *in)
{
	const char *name = irep_symbol(rb, irep, in->b);
	return strcmp(name, "never") && strcmp(name, "always") ? "rule" : "claim";
}

struct ways { bool *reached; uint32_t *todo; size_t n; };

static void way_to(struct ways *w, const mrb_irep *irep, uint32_t pc)
{
	if (pc >= irep->ilen || w->reached[pc])
		return;
	w->reached[pc] = true;
	w->todo[w->n++] = pc;
}

/* May the next instruction be the one after it? */
static bool goes_on(const struct insn *in)
{
	return in->op != OP_JMP && in->op != OP_JMPUW && in->op != OP_RETURN && in->op != OP_RETURN_BLK && in->op != OP_BREAK;
}

/* Marks the instructions that some way through the code comes to. */
static void follow(struct ways *w, const mrb_irep *irep)
{
	struct insn in;
	uint32_t to;
	while (w->n) {
		uint32_t pc = w->todo[--w->n];
		if (!insn_decode(irep, pc, &in))
			continue;
		if (insn_jumps(&in, &to))
			way_to(w, irep, to);
		if (goes_on(&in))
			way_to(w, irep, in.next);
	}
}

/* A rule behind a `next`, `break` or `return` that nothing leads past. */
static int lost_to_dead_code(struct interpreter *rb, const mrb_irep *irep)
{
	struct insn in;
	const struct mrb_irep_catch_handler *h = mrb_irep_catch_handler_table(irep);
	struct ways w = {arena_alloc(rb->arena, irep->ilen * sizeof(bool)),
	                 arena_alloc(rb->arena, irep->ilen * sizeof(uint32_t)), 0};
	memset(w.reached, 0, irep->ilen * sizeof(bool));
	way_to(&w, irep, 0);
	for (uint16_t i = 0; i < irep->clen; i++)
		way_to(&w, irep, handler_target(&h[i]));
	follow(&w, irep);
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next)
		if (!w.reached[pc] && is_verb_call(rb, irep, &in))
			return ruby_refuse(rb, irep_line(rb, irep, pc),
			            arena_printf(rb->arena, "take the `next`, `break` or `return` above it away, or the %s", made_by(rb, irep, &in)),
			            arena_printf(rb->arena, "nothing leads to this %s", made_by(rb, irep, &in)));
	for (int i = 0; i < irep->rlen; i++)
		if (lost_to_dead_code(rb, irep->reps[i]))
			return -1;
	return 0;
}

/* Does the library call the block it is given there, as often as there is something? */
static bool is_loop(struct interpreter *rb, const char *name)
{
	static const char *const classes[] = {"Array", "Hash", "Range", "Integer", "Float", "String", "Struct",
	                                      "Enumerator", NULL};
	static const char *const keepers[] = {"lambda", "proc", "new", "", NULL};
	if (is_one_of(name, keepers))
		return false;
	if (!strcmp(name, "policy"))
		return true;
	for (const char *const *c = classes; *c; c++) {
		struct RClass *class = mrb_class_get(rb->mrb, *c);
		mrb_method_t m = mruby_method(rb->mrb, &class, mrb_intern_cstr(rb->mrb, name));
		if (MRB_METHOD_UNDEF_P(m))
			continue;
		const char *file = MRB_METHOD_CFUNC_P(m)
			? NULL : mrb_debug_get_filename(rb->mrb, MRB_METHOD_PROC(m)->body.irep, 0);
		if (!ruby_source(rb, file))
			return true;
	}
	return false;
}

struct body { int line; bool made; }; /* where it names allow, deny, never or always first, 0 = nowhere */

static struct body look_into(struct ruby *ruby, const mrb_irep *irep);

/* Code that runs only when something calls it. */
static void look_into_body(struct ruby *ruby, const mrb_irep *irep, const char *name)
{
	struct interpreter *rb = &ruby->rb;
	struct body b = look_into(ruby, irep);
	if (b.line && !b.made)
		ruby_report(rb, DIAG_WARNING, ruby_at(rb, b.line), "rules are made when the code that makes them runs: is it called?",
		            *name ? arena_printf(rb->arena, "no rule was made in `%s`", name)
		                  : "no rule was made in this block");
}

/* Code inside of code: of a block that the library calls, it counts as the code around it. */
static void look_inside(struct ruby *ruby, const mrb_irep *irep, const struct insn *in, struct body *around)
{
	struct interpreter *rb = &ruby->rb;
	struct insn next;
	if (in->op == OP_METHOD) {
		bool def = insn_decode(irep, in->next, &next) && next.op == OP_DEF;
		look_into_body(ruby, irep->reps[in->b], def ? irep_symbol(rb, irep, next.b) : "");
	} else if (in->op == OP_LAMBDA) {
		look_into_body(ruby, irep->reps[in->b], "");
	} else if (in->op == OP_EXEC) {
		look_into(ruby, irep->reps[in->b]);
	} else if (in->op == OP_BLOCK && !is_rule_block(&ruby->said, irep->reps[in->b])) {
		if (!is_loop(rb, given_to(rb, irep, in))) {
			look_into_body(ruby, irep->reps[in->b], "");
			return;
		}
		struct body inner = look_into(ruby, irep->reps[in->b]);
		around->line = around->line ? around->line : inner.line;
		around->made |= inner.made;
	}
}

static struct body look_into(struct ruby *ruby, const mrb_irep *irep)
{
	const struct said *said = &ruby->said;
	struct body b = {0};
	struct insn in;
	for (size_t i = 0; i < said->nmade && !b.made; i++)
		b.made = said->made[i] == irep;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next) {
		if (!b.line && is_verb_call(&ruby->rb, irep, &in))
			b.line = irep_line(&ruby->rb, irep, pc);
		look_inside(ruby, irep, &in, &b);
	}
	return b;
}

/* The line of `Object::NAME = ...`, 0 when there is none. */
static int set_at(struct interpreter *rb, const mrb_irep *irep, const char *name)
{
	struct insn in;
	int line = 0;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next)
		if (in.op == OP_SETMCNST && !strcmp(irep_symbol(rb, irep, in.b), name))
			return irep_line(rb, irep, pc);
	for (int i = 0; i < irep->rlen && !line; i++)
		line = set_at(rb, irep->reps[i], name);
	return line;
}

int lost_after_run(struct ruby *ruby, const mrb_irep *file)
{
	struct interpreter *rb = &ruby->rb;
	const char *name;
	if (!seal_constants_kept(ruby, &name))
		return ruby_refuse(rb, set_at(rb, file, name), SEAL_CONSTANT_HINT, arena_printf(rb->arena, SEAL_CONSTANT, name));
	if (lost_to_return(ruby, file, true) || lost_to_dead_code(rb, file))
		return -1;
	look_into(ruby, file);
	return 0;
}
