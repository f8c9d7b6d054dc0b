/*
 * dialect.c - what mruby's parser and VM make of Ruby text, where it is not Ruby.
 *
 * Runs between parsing and running: what mruby compiles to another meaning is
 * refused at its line. Most of it can be read from the bytecode; what the parser has
 * dropped already (`begin ... end while`) dialect_text.c finds in the text.
 */
#include "compiler/ruby/differences.h"
#include "compiler/ruby/ruby.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum kind { CODE_FILE, CODE_METHOD, CODE_BLOCK, CODE_RULE, CODE_LAMBDA, CODE_CLASS };

struct names { mrb_sym *list; size_t n, cap; };

struct scan {
	struct interpreter *rb;
	struct names top;   /* methods defined at the file's top level */
	struct names other; /* names that methods of a class may have */
	bool floats;        /* the file may make a Float */
	bool rest;          /* some code takes `**rest` and no other keywords */
	struct names resting; /* methods that do */
};

/* Code of the file, and what is around it. */
struct code_at {
	const mrb_irep *irep;
	enum kind kind;
	const struct code_at *up;
};

/* An instruction of it. */
struct spot {
	struct scan *s;
	const struct code_at *code;
	const mrb_irep *irep;
	uint32_t pc;
	const struct insn *in;
};

static void __attribute__((format(printf, 3, 4))) refuse(const struct spot *at, const char *hint, const char *fmt, ...)
{
	struct interpreter *rb = at->s->rb;
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(rb->arena, fmt, ap);
	va_end(ap);
	ruby_refuse(rb, mrb_debug_get_line(rb->mrb, at->irep, at->pc), hint, text);
}

/* ---- names --------------------------------------------------------------------------------- */

static bool holds(const struct names *list, mrb_sym name)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->list[i] == name)
			return true;
	return false;
}

static void add(struct scan *s, struct names *to, mrb_sym name)
{
	if (!holds(to, name))
		*ARENA_PUSH(s->rb->arena, to->list, to->n, to->cap) = name;
}

static bool named(const struct scan *s, mrb_sym name, const char *text)
{
	return !strcmp(ruby_name(s->rb, name), text);
}

/* Does the policy have a method of that name, of its own? */
static bool is_own(const struct scan *s, mrb_sym name)
{
	return holds(&s->other, name) || holds(&s->top, name);
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* Functions of Kernel, and of a policy: private in Ruby, public in mruby. Not print: a histogram has one. */
static const char *const private_functions[] = {
	"format", "sprintf", "Integer", "Float", "String", "Array", "Hash", "raise", "fail", "lambda", "proc", "loop",
	"block_given?", "initialize", "initialize_copy", "allow", "deny", "policy", "default", "param", "set", "mode", "grants",
	"audit", "never", "always", "on", "every", "at_exit", "load", "require_relative", "puts", "p", "define_method_missing", NULL};

static bool is_private(const struct scan *s, mrb_sym name)
{
	const char *text = ruby_name(s->rb, name);
	if (!strcmp(text, "initialize"))
		return true;
	return !holds(&s->other, name) && (holds(&s->top, name) || is_one_of(text, private_functions));
}

/* Is what the instruction leaves a hash that nobody else has? */
static bool makes_hash(const struct scan *s, const mrb_irep *irep, const struct insn *w)
{
	static const char *const copies[] = {"dup", "merge", "slice", "except", "select", "reject", "to_h", NULL};
	return w->op == OP_HASH || w->op == OP_HASHADD || w->op == OP_HASHCAT ||
	       (w->op == OP_SEND && is_one_of(irep_symbol(s->rb, irep, w->b), copies));
}

/* Might a method of that name keep the hash it is given as `**hash`? */
static bool may_keep(const struct scan *s, mrb_sym name)
{
	return holds(&s->resting, name) || (s->rest && !is_own(s, name));
}

/* Words that mean something else, or nothing, in mruby. */
static bool check_word(const struct spot *at, mrb_sym name, const char *text)
{
	static const char *const compiled[] = {"__method__", "__send__", "__case_eqq", "__callee__", NULL};
	if (!strcmp(text, "defined?"))
		refuse(at, "give the variable a value first, and compare it with nil", "`defined?` is not in mruby");
	else if (!strcmp(text, "object_id") || !strcmp(text, "__id__"))
		refuse(at, "compare with ==", "`%s` is another number in Ruby", text);
	else if (!strcmp(text, "byteindex") && !is_own(at->s, name))
		refuse(at, "use index", "`byteindex` is not in mruby 3.1");
	else if (!strncmp(text, "__", 2) && !is_one_of(text, compiled) && !is_own(at->s, name))
		refuse(at, "use the methods that Ruby has", "`%s` is a part of mruby's library, not of Ruby", text);
	else
		return false;
	return true;
}

/* A private method is called on itself alone; Kernel's functions on Kernel too. */
static void check_receiver(const struct spot *at, const char *text)
{
	struct insn w;
	if (irep_writer(at->irep, at->pc, at->in->a, &w) &&
	    (w.op == OP_LOADSELF || (w.op == OP_GETCONST && named(at->s, at->irep->syms[w.b], "Kernel"))))
		return;
	refuse(at, arena_printf(at->s->rb->arena, "write %s(...) without a receiver", text),
	       "`%s` is called on an object, but private in Ruby", text);
}

/* The register behind the arguments: of the keywords, or of the block. */
static uint32_t behind_arguments(const struct insn *in)
{
	return in->a + (in->c & 15) + 1;
}

/* `m(**hash)`: does it hand over the hash itself? */
static bool hands_over_hash(const struct spot *at, mrb_sym name, const char *text)
{
	static const char *const statements[] = {"allow", "deny", "param", "never", "always", NULL};
	struct insn w;
	return at->in->c >> 4 == 15 && may_keep(at->s, name) && !is_one_of(text, statements) &&
	       irep_hash_writer(at->irep, at->pc, behind_arguments(at->in), &w) && !makes_hash(at->s, at->irep, &w);
}

/* `lambda(&block)` */
static bool makes_lambda(const struct spot *at, const char *text)
{
	struct insn w;
	return at->in->op == OP_SSENDB && !strcmp(text, "lambda") &&
	       (!irep_writer(at->irep, at->pc, behind_arguments(at->in), &w) || w.op != OP_BLOCK);
}

static void check_call(const struct spot *at)
{
	mrb_sym name = at->irep->syms[at->in->b];
	const char *text = ruby_name(at->s->rb, name);
	bool to_self = at->in->op == OP_SSEND || at->in->op == OP_SSENDB;
	if (check_word(at, name, text))
		return;
	if (!to_self && is_private(at->s, name))
		check_receiver(at, text);
	else if (hands_over_hash(at, name, text))
		refuse(at, "name the keywords, or pass a copy: **hash.dup",
		       "`**hash` alone hands over the hash itself in mruby, a copy in Ruby");
	else if (makes_lambda(at, text))
		refuse(at, "write the block there: lambda { |x| ... }",
		       "`lambda(&block)` makes a lambda of the block in mruby, not in Ruby");
}

static bool in_keyword_method(const struct code_at *c)
{
	while (c && c->kind == CODE_BLOCK)
		c = c->up;
	return c && c->kind == CODE_METHOD && irep_takes_keywords(c->irep);
}

static void check_super(const struct spot *at)
{
	if (in_keyword_method(at->code))
		refuse(at, "write the arguments: super(a, b: b)", "`super` without arguments in a method with keywords: mruby passes others");
}

/* ---- variables, values ------------------------------------------------------------------------ */

static void check_global(const struct spot *at)
{
	static const char *const special[] = {"$stdout", "$stderr", "$stdin", "$PROGRAM_NAME", "$LOAD_PATH", "$LOADED_FEATURES",
		"$DEBUG", "$VERBOSE", "$FILENAME", NULL};
	const char *name = irep_symbol(at->s->rb, at->irep, at->in->b);
	if (is_one_of(name, special) || (name[0] == '$' && name[1] && !isalpha((unsigned char)name[1]) && name[1] != '_') || !strcmp(name, "$_"))
		refuse(at, "leave it out, or give a variable of your own a value", "`%s` has a meaning in Ruby that it has not in mruby", name);
}

static bool is_nil(const struct spot *at, uint32_t reg)
{
	struct insn w;
	return irep_writer(at->irep, at->pc, reg, &w) && w.op == OP_LOADNIL;
}

static void check_range(const struct spot *at)
{
	struct insn next;
	if (is_nil(at, at->in->a) && is_nil(at, at->in->a + 1))
		refuse(at, "leave it out: everything is in it", "a range without ends");
	if (insn_decode(at->irep, at->in->next, &next) && next.a == at->in->a && (next.op == OP_JMPNOT || next.op == OP_JMPIF))
		refuse(at, "compare with >= and <=, or use a variable", "a range as a condition: a flip-flop in Ruby, always true in mruby");
}

static void check_pairs(const struct spot *at)
{
	struct insn w;
	if (irep_hash_writer(at->irep, at->pc, at->in->a, &w) && !makes_hash(at->s, at->irep, &w))
		refuse(at, "begin with a pair, {a: 1, **hash}, or write hash.merge({a: 1})",
		       "`**hash` before other pairs: mruby adds them to the hash itself");
}

/* The number that a register is loaded with just before. */
static bool literal(const struct spot *at, uint32_t reg, double *out)
{
	struct insn w;
	if (!irep_writer(at->irep, at->pc, reg, &w))
		return false;
	if (w.op == OP_LOADL && at->irep->pool[w.b].tt == IREP_TT_FLOAT)
		*out = at->irep->pool[w.b].u.f;
	else if (w.op >= OP_LOADI_0 && w.op <= OP_LOADI_7)
		*out = w.op - OP_LOADI_0;
	else
		return false;
	return true;
}

/* Of two numbers written there, with a result that mruby holds as Ruby does. */
static bool is_exact(const struct spot *at)
{
	uint8_t op = at->in->op;
	double a, b;
	if (!literal(at, at->in->a, &a) || !literal(at, at->in->a + 1, &b))
		return false;
	double x = op == OP_ADD ? a + b : op == OP_SUB ? a - b : op == OP_MUL ? a * b : a / b;
	return mrb_float(mrb_float_value(at->s->rb->mrb, x)) == x;
}

/* Arithmetic that mruby itself does: of Floats it keeps fewer digits than Ruby. What a
 * rule's block does is looked at when it is lifted. */
static void check_arithmetic(const struct spot *at)
{
	for (const struct code_at *up = at->code; up; up = up->up)
		if (up->kind == CODE_RULE)
			return;
	if (at->s->floats && !is_exact(at))
		refuse(at, "use Integers: compare x * 10 with 3, not x with 0.3",
		       "arithmetic in a file with Floats, which mruby holds with fewer digits than Ruby");
}

/* ---- variables assigned ------------------------------------------------------------------------- */

static bool stores(const struct spot *at, const struct insn *in)
{
	if (in->op == OP_SETIDX)
		return true;
	const char *name = in->op == OP_SEND ? irep_symbol(at->s->rb, at->irep, in->b) : "-";
	return name[strlen(name) - 1] == '=';
}

/* What stands between the values and the stores of one assignment to several. */
static bool continues_assignment(const struct insn *in)
{
	return in->op == OP_MOVE || in->op == OP_GETIDX || in->op == OP_LOADSELF || in->op == OP_GETCONST;
}

/* `i, a[i] = 1, 2`: Ruby looks at the index before it sets i, mruby after. A value that
 * comes from a register beyond the variables is one of several assigned together. */
static void check_targets(const struct spot *at)
{
	const struct insn *move = at->in;
	uint32_t variables = at->irep->nlocals, from = 0; /* of the value that is stored; 0: none yet */
	bool read = false;
	struct insn in;
	if (move->a >= variables || move->b < variables)
		return;
	for (uint32_t pc = move->next; insn_decode(at->irep, pc, &in); pc = in.next) {
		bool store = stores(at, &in);
		if (store && read && from >= variables && from > move->b)
			refuse(at, "assign them one after the other",
			       "an index that names a variable assigned by the same statement: mruby looks at it too late");
		if (!store && !continues_assignment(&in))
			return;
		read |= in.op == OP_MOVE && in.b == move->a;
		if (in.op == OP_MOVE && in.a >= variables)
			from = in.b;
	}
}

/* `def m(*) = other(*)`: mruby 3.1 cannot parse it. `...` is all three without names. */
static void check_nameless(const struct spot *at)
{
	uint32_t reg = at->in->b;
	if (!at->irep->lv || !reg || reg >= at->irep->nlocals || !at->irep->lv[reg - 1])
		return;
	mrb_sym name = at->irep->lv[reg - 1];
	bool all = irep_has_local(at->s->rb, at->irep, "*") && irep_has_local(at->s->rb, at->irep, "**") && irep_has_local(at->s->rb, at->irep, "&");
	if (!all && (named(at->s, name, "*") || named(at->s, name, "**")))
		refuse(at, "give it a name: def m(*rest) = other(*rest)",
		       "`%s` without a name as an argument is not in mruby 3.1", ruby_name(at->s->rb, name));
}

/* ---- definitions -------------------------------------------------------------------------------- */

static void check_definition(const struct spot *at)
{
	mrb_sym name = at->irep->syms[at->in->b];
	if (named(at->s, name, "to_ary") || named(at->s, name, "method_missing"))
		refuse(at, "call a method of your own by its name", "`def %s`: Ruby calls it where mruby does not", ruby_name(at->s->rb, name));
}

/* `def m(a: 1, b: a)`: mruby calls a method a. */
static void check_defaults(struct scan *s, const struct code_at *c)
{
	struct insn in;
	if (!irep_takes_keywords(c->irep))
		return;
	for (uint32_t pc = 0; insn_decode(c->irep, pc, &in) && in.op != OP_KEYEND; pc = in.next)
		for (int i = 0; in.op == OP_SSEND && in.c == 0 && c->irep->lv && i + 1 < c->irep->nlocals; i++)
			if (c->irep->lv[i] == c->irep->syms[in.b])
				refuse(&(struct spot){s, c, c->irep, pc, &in}, "set it in the body: b = a + 1 if b.nil?",
				       "the default of a keyword names another one, `%s`: mruby calls a method of that name",
				       irep_symbol(s->rb, c->irep, in.b));
}

static void check_block(struct scan *s, const struct code_at *c)
{
	int line = irep_first_line(s->rb, c->irep);
	if ((c->kind == CODE_BLOCK || c->kind == CODE_RULE) && irep_takes_keywords(c->irep))
		ruby_refuse(s->rb, line, "take a hash: { |options| options[:a] }, or write a lambda",
		            "a block with keyword parameters: mruby spreads its arguments in another way");
	if (c->kind == CODE_LAMBDA && irep_has_local(s->rb, c->irep, "_1"))
		ruby_refuse(s->rb, line, "name the parameter: ->(x) { x + 1 }", "`_1` in a lambda: mruby gives it no parameters");
}

/* `def m = yield`: without parentheses mruby keeps no place for the block. */
static void check_endless(const struct spot *at)
{
	if (at->code->kind != CODE_METHOD || at->irep->nlocals > 1)
		return;
	if (at->in->op == OP_BLKPUSH || (at->in->op == OP_SSEND && named(at->s, at->irep->syms[at->in->b], "block_given?")))
		refuse(at, "write parentheses: def name() = ...",
		       "a method without parentheses that asks for its block: mruby looks in the wrong place");
}

/* `return` in `ensure`, which begins there. */
static bool check_ensure(struct scan *s, const struct code_at *c, uint32_t begin)
{
	struct insn in;
	for (uint32_t pc = begin; insn_decode(c->irep, pc, &in) && in.op != OP_RAISEIF; pc = in.next)
		if (in.op == OP_RETURN || in.op == OP_RETURN_BLK || in.op == OP_BREAK) {
			refuse(&(struct spot){s, c, c->irep, pc, &in}, "return after the `end`",
			       "`return` in `ensure` hides an exception, and mruby raises others than Ruby");
			return false;
		}
	return true;
}

static void check_handlers(struct scan *s, const struct code_at *c)
{
	const struct mrb_irep_catch_handler *table = mrb_irep_catch_handler_table(c->irep);
	for (uint16_t i = 0; i < c->irep->clen; i++) {
		if (table[i].type == MRB_CATCH_RESCUE) {
			uint32_t begin = mrb_irep_catch_handler_unpack(table[i].begin);
			refuse(&(struct spot){.s = s, .irep = c->irep, .pc = begin},
			       "test for the case before: x.is_a?(Integer), list.include?(x), hash.fetch(key, nil)",
			       "`rescue`: mruby raises other exceptions than Ruby");
			return;
		}
		if (!check_ensure(s, c, handler_target(&table[i])))
			return;
	}
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void check_insn(const struct spot *at)
{
	switch (at->in->op) {
	case OP_SEND: case OP_SENDB: case OP_SSEND: case OP_SSENDB:
		check_call(at);
		break;
	case OP_GETGV: case OP_SETGV:
		check_global(at);
		break;
	case OP_RANGE_INC: case OP_RANGE_EXC:
		check_range(at);
		break;
	case OP_ARGARY:
		check_super(at);
		break;
	case OP_HASHADD: case OP_HASHCAT:
		check_pairs(at);
		break;
	case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV:
		check_arithmetic(at);
		break;
	case OP_MOVE:
		check_nameless(at);
		check_targets(at);
		break;
	case OP_DEF:
		check_definition(at);
		break;
	}
	check_endless(at);
}

static void check_code(struct scan *s, const struct code_at *c)
{
	struct insn in;
	check_handlers(s, c);
	check_defaults(s, c);
	check_block(s, c);
	for (uint32_t pc = 0; insn_decode(c->irep, pc, &in); pc = in.next)
		check_insn(&(struct spot){s, c, c->irep, pc, &in});
}

/* ---- walking --------------------------------------------------------------------------------- */

/* Notes the name of a method that is defined. */
static void note_method(const struct spot *at)
{
	struct scan *s = at->s;
	mrb_sym name = at->irep->syms[at->in->b];
	struct insn w;
	if (irep_writer(at->irep, at->pc, at->in->a + 1, &w) && w.op == OP_METHOD && irep_takes_rest(at->irep->reps[w.b]))
		add(s, &s->resting, name);
	bool top = at->code->kind == CODE_FILE && irep_writer(at->irep, at->pc, at->in->a, &w) && w.op == OP_TCLASS;
	add(s, top ? &s->top : &s->other, name);
}

/* Notes what code names and may make. */
static void note_names(struct scan *s, const struct code_at *c)
{
	struct insn in;
	s->rest |= irep_takes_rest(c->irep);
	for (uint32_t i = 0; i < c->irep->plen; i++)
		s->floats |= c->irep->pool[i].tt == IREP_TT_FLOAT;
	for (uint32_t i = 0; i < c->irep->slen; i++)
		s->floats |= named(s, c->irep->syms[i], "to_f") || named(s, c->irep->syms[i], "Float");
	for (uint32_t pc = 0; insn_decode(c->irep, pc, &in); pc = in.next) {
		if (in.op == OP_LOADSYM)
			add(s, &s->other, c->irep->syms[in.b]);
		if (in.op == OP_DEF)
			note_method(&(struct spot){s, c, c->irep, pc, &in});
	}
}

static enum kind kind_of_child(struct scan *s, const mrb_irep *irep, uint32_t i)
{
	static const char *const rules[] = {"allow", "deny", "never", "always", NULL};
	struct insn in, next;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next)
		if (in.b == i)
			switch (in.op) {
			case OP_METHOD: return CODE_METHOD;
			case OP_BLOCK:
				if (insn_decode(irep, in.next, &next) && next.op == OP_SSENDB &&
				    is_one_of(irep_symbol(s->rb, irep, next.b), rules))
					return CODE_RULE;
				return CODE_BLOCK;
			case OP_LAMBDA: return CODE_LAMBDA;
			case OP_EXEC: return CODE_CLASS;
			}
	return CODE_BLOCK;
}

/* What a handler does decides nothing, and runs in mruby alone: there it means what mruby means. */
static bool is_handler(struct scan *s, const mrb_irep *irep, uint32_t i)
{
	static const char *const words[] = {"on", "every", "at_exit", NULL};
	struct insn in, next;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next)
		if (in.op == OP_BLOCK && in.b == i)
			return insn_decode(irep, in.next, &next) && next.op == OP_SSENDB && is_one_of(irep_symbol(s->rb, irep, next.b), words);
	return false;
}

static void walk(struct scan *s, const struct code_at *c, void (*visit)(struct scan *, const struct code_at *))
{
	visit(s, c);
	for (uint32_t i = 0; i < c->irep->rlen; i++) {
		struct code_at child = {c->irep->reps[i], kind_of_child(s, c->irep, i), c};
		if (!is_handler(s, c->irep, i))
			walk(s, &child, visit);
	}
}

int dialect_check(struct interpreter *rb, const struct RProc *proc)
{
	struct scan s = {.rb = rb};
	struct code_at file = {proc->body.irep, CODE_FILE, NULL};
	unsigned before = rb->diags->errors;
	dialect_text(rb);
	walk(&s, &file, note_names);
	walk(&s, &file, check_code);
	return rb->diags->errors != before ? -1 : 0;
}
