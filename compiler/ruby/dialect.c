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

/* ---- bytecode ------------------------------------------------------------------------------ */

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

static const char *symbol_name(struct scan *s, const mrb_irep *irep, uint32_t i)
{
	return ruby_name(s->rb, irep->syms[i]);
}

static int line_of(struct scan *s, const struct code_at *c, uint32_t pc)
{
	return mrb_debug_get_line(s->rb->mrb, c->irep, pc);
}

/* The operands of ENTER, 0 when there is none. */
static mrb_aspec parameters_of(const mrb_irep *irep, bool *has)
{
	struct insn in;
	*has = insn_decode(irep, 0, &in) && in.op == OP_ENTER;
	return *has ? in.a : 0;
}

static bool takes_keywords(const mrb_irep *irep)
{
	bool has;
	mrb_aspec a = parameters_of(irep, &has);
	return MRB_ASPEC_KEY(a) || MRB_ASPEC_KDICT(a);
}

/* `**rest`, and no keywords of their own. */
static bool takes_rest(const mrb_irep *irep)
{
	bool has;
	mrb_aspec a = parameters_of(irep, &has);
	return MRB_ASPEC_KDICT(a) && !MRB_ASPEC_KEY(a);
}

/* The last instruction before pc that writes a register, as the code is laid out. */
static bool writer_at(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out, uint32_t *where)
{
	struct insn in;
	bool found = false;
	for (uint32_t at = 0; at < pc && insn_decode(irep, at, &in); at = in.next)
		if (in.a == reg && in.op != OP_JMPIF && in.op != OP_JMPNOT && in.op != OP_JMPNIL && in.op != OP_JMP) {
			*out = in;
			*where = at;
			found = true;
		}
	return found;
}

static bool writer(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out)
{
	uint32_t where;
	return writer_at(irep, pc, reg, out, &where);
}

/* The same of a hash. Where it begins with `**hash` some mrubies add that to an empty one,
 * and others take it as it is: its writer is what wrote the first hash, in both. */
static bool hash_writer(const mrb_irep *irep, uint32_t pc, uint32_t reg, struct insn *out)
{
	struct insn empty;
	uint32_t where;
	if (!writer_at(irep, pc, reg, out, &where))
		return false;
	return out->op != OP_HASHCAT || !writer(irep, where, reg, &empty) || empty.op != OP_HASH || empty.b ||
	       writer(irep, where, reg + 1, out);
}

static bool named(const struct scan *s, mrb_sym name, const char *text)
{
	return !strcmp(ruby_name(s->rb, name), text);
}

static bool one_of(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

/* Functions of Kernel, and of a policy: private in Ruby, public in mruby. */
static const char *const private_functions[] = {
	"format", "sprintf", "Integer", "Float", "String", "Array", "Hash", "raise", "fail", "lambda", "proc", "loop",
	"block_given?", "initialize", "initialize_copy", "allow", "deny", "policy", "default", "param", "set", "mode",
	"audit", "never", "always", "load", "require_relative", "puts", "p", "print", "define_method_missing", NULL};

static bool is_private(struct scan *s, mrb_sym name)
{
	const char *text = ruby_name(s->rb, name);
	if (!strcmp(text, "initialize"))
		return true;
	return !holds(&s->other, name) && (holds(&s->top, name) || one_of(private_functions, text));
}

/* Is what the instruction leaves a hash that nobody else has? */
static bool makes_hash(struct scan *s, const mrb_irep *irep, const struct insn *w)
{
	static const char *const copies[] = {"dup", "merge", "slice", "except", "select", "reject", "to_h", NULL};
	return w->op == OP_HASH || w->op == OP_HASHADD || w->op == OP_HASHCAT ||
	       (w->op == OP_SEND && one_of(copies, symbol_name(s, irep, w->b)));
}

/* Might a method of that name keep the hash it is given as `**hash`? */
static bool may_keep(struct scan *s, mrb_sym name)
{
	return holds(&s->resting, name) || (s->rest && !holds(&s->top, name) && !holds(&s->other, name));
}

static void check_call(struct scan *s, const struct code_at *c, uint32_t pc, const struct insn *in)
{
	static const char *const compiled[] = {"__method__", "__send__", "__case_eqq", "__callee__", NULL};
	static const char *const statements[] = {"allow", "deny", "param", "never", "always", NULL};
	struct interpreter *rb = s->rb;
	mrb_sym name = c->irep->syms[in->b];
	const char *text = ruby_name(rb, name);
	bool to_self = in->op == OP_SSEND || in->op == OP_SSENDB;
	struct insn w;
	if (!strcmp(text, "defined?"))
		ruby_refuse(rb, line_of(s, c, pc), "give the variable a value first, and compare it with nil", "`defined?` is not in mruby");
	else if (!strcmp(text, "object_id") || !strcmp(text, "__id__"))
		ruby_refuse(rb, line_of(s, c, pc), "compare with ==", arena_printf(rb->arena, "`%s` is another number in Ruby", text));
	else if (!strcmp(text, "byteindex") && !holds(&s->other, name) && !holds(&s->top, name))
		ruby_refuse(rb, line_of(s, c, pc), "use index", "`byteindex` is not in mruby 3.1");
	else if (!strncmp(text, "__", 2) && !one_of(compiled, text) && !holds(&s->other, name) && !holds(&s->top, name))
		ruby_refuse(rb, line_of(s, c, pc), "use the methods that Ruby has",
		       arena_printf(rb->arena, "`%s` is a part of mruby's library, not of Ruby", text));
	else if (!to_self && is_private(s, name)) {
		if (writer(c->irep, pc, in->a, &w) &&
		    (w.op == OP_LOADSELF || (w.op == OP_GETCONST && named(s, c->irep->syms[w.b], "Kernel"))))
			return;
		ruby_refuse(rb, line_of(s, c, pc), arena_printf(rb->arena, "write %s(...) without a receiver", text),
		       arena_printf(rb->arena, "`%s` is called on an object, but private in Ruby", text));
	} else if (in->c >> 4 == 15 && may_keep(s, name) && !one_of(statements, text) && hash_writer(c->irep, pc, in->a + (in->c & 15) + 1, &w) &&
	           !makes_hash(s, c->irep, &w))
		ruby_refuse(rb, line_of(s, c, pc), "name the keywords, or pass a copy: **hash.dup",
		       "`**hash` alone hands over the hash itself in mruby, a copy in Ruby");
	else if (!strcmp(text, "lambda") && in->op == OP_SSENDB &&
	           (!writer(c->irep, pc, in->a + (in->c & 15) + 1, &w) || w.op != OP_BLOCK))
		ruby_refuse(rb, line_of(s, c, pc), "write the block there: lambda { |x| ... }",
		       "`lambda(&block)` makes a lambda of the block in mruby, not in Ruby");
}

static void check_global(struct scan *s, const struct code_at *c, uint32_t pc, const struct insn *in)
{
	static const char *const special[] = {"$stdout", "$stderr", "$stdin", "$PROGRAM_NAME", "$LOAD_PATH", "$LOADED_FEATURES",
		"$DEBUG", "$VERBOSE", "$FILENAME", NULL};
	const char *name = symbol_name(s, c->irep, in->b);
	if (one_of(special, name) || (name[0] == '$' && name[1] && !isalpha((unsigned char)name[1]) && name[1] != '_') || !strcmp(name, "$_"))
		ruby_refuse(s->rb, line_of(s, c, pc), "leave it out, or give a variable of your own a value",
		       arena_printf(s->rb->arena, "`%s` has a meaning in Ruby that it has not in mruby", name));
}

/* `def m(a: 1, b: a)`: mruby calls a method a. */
static void check_defaults(struct scan *s, const struct code_at *c)
{
	struct insn in;
	if (!takes_keywords(c->irep))
		return;
	for (uint32_t pc = 0; insn_decode(c->irep, pc, &in) && in.op != OP_KEYEND; pc = in.next)
		for (int i = 0; in.op == OP_SSEND && in.c == 0 && c->irep->lv && i + 1 < c->irep->nlocals; i++)
			if (c->irep->lv[i] == c->irep->syms[in.b])
				ruby_refuse(s->rb, line_of(s, c, pc), "set it in the body: b = a + 1 if b.nil?",
				       arena_printf(s->rb->arena, "the default of a keyword names another one, `%s`: mruby calls a method of that name",
				                    symbol_name(s, c->irep, in.b)));
}

static bool in_keyword_method(const struct code_at *c)
{
	while (c && c->kind == CODE_BLOCK)
		c = c->up;
	return c && c->kind == CODE_METHOD && takes_keywords(c->irep);
}

static void check_block(struct scan *s, const struct code_at *c)
{
	int line = irep_first_line(s->rb, c->irep);
	if ((c->kind == CODE_BLOCK || c->kind == CODE_RULE) && takes_keywords(c->irep))
		ruby_refuse(s->rb, line, "take a hash: { |options| options[:a] }, or write a lambda",
		       "a block with keyword parameters: mruby spreads its arguments in another way");
	if (c->kind == CODE_LAMBDA)
		for (int i = 0; c->irep->lv && i + 1 < c->irep->nlocals; i++)
			if (c->irep->lv[i] && named(s, c->irep->lv[i], "_1"))
				ruby_refuse(s->rb, line, "name the parameter: ->(x) { x + 1 }", "`_1` in a lambda: mruby gives it no parameters");
}

/* `def m = yield`: without parentheses mruby keeps no place for the block. */
static void check_endless(struct scan *s, const struct code_at *c, uint32_t pc, const struct insn *in)
{
	if (c->kind != CODE_METHOD || c->irep->nlocals > 1)
		return;
	if (in->op == OP_BLKPUSH || (in->op == OP_SSEND && named(s, c->irep->syms[in->b], "block_given?")))
		ruby_refuse(s->rb, line_of(s, c, pc), "write parentheses: def name() = ...",
		       "a method without parentheses that asks for its block: mruby looks in the wrong place");
}

static void check_handlers(struct scan *s, const struct code_at *c)
{
	const struct mrb_irep_catch_handler *table = mrb_irep_catch_handler_table(c->irep);
	for (uint16_t i = 0; i < c->irep->clen; i++) {
		struct insn in;
		uint32_t from = mrb_irep_catch_handler_unpack(table[i].target);
		int line = line_of(s, c, mrb_irep_catch_handler_unpack(table[i].begin));
		if (table[i].type == MRB_CATCH_RESCUE) {
			ruby_refuse(s->rb, line, "test for the case before: x.is_a?(Integer), list.include?(x), hash.fetch(key, nil)",
			       "`rescue`: mruby raises other exceptions than Ruby");
			return;
		}
		for (uint32_t pc = from; insn_decode(c->irep, pc, &in) && in.op != OP_RAISEIF; pc = in.next)
			if (in.op == OP_RETURN || in.op == OP_RETURN_BLK || in.op == OP_BREAK) {
				ruby_refuse(s->rb, line_of(s, c, pc), "return after the `end`", "`return` in `ensure` hides an exception, and mruby raises others than Ruby");
				return;
			}
	}
}

/* The number that a register is loaded with just before pc. */
static bool literal(const mrb_irep *irep, uint32_t pc, uint32_t reg, double *out)
{
	struct insn w;
	if (!writer(irep, pc, reg, &w))
		return false;
	if (w.op == OP_LOADL && irep->pool[w.b].tt == IREP_TT_FLOAT)
		*out = irep->pool[w.b].u.f;
	else if (w.op >= OP_LOADI_0 && w.op <= OP_LOADI_7)
		*out = w.op - OP_LOADI_0;
	else
		return false;
	return true;
}

/* Of two numbers written there, with a result that mruby holds as Ruby does. */
static bool is_exact(struct scan *s, const mrb_irep *irep, uint32_t pc, const struct insn *in)
{
	double a, b;
	if (!literal(irep, pc, in->a, &a) || !literal(irep, pc, in->a + 1, &b))
		return false;
	double x = in->op == OP_ADD ? a + b : in->op == OP_SUB ? a - b : in->op == OP_MUL ? a * b : a / b;
	return mrb_float(mrb_float_value(s->rb->mrb, x)) == x;
}

/* Arithmetic that mruby itself does: of Floats it keeps fewer digits than Ruby. What a
 * rule's block does is looked at when it is lifted. */
static void check_arithmetic(struct scan *s, const struct code_at *c, uint32_t pc, const struct insn *in)
{
	for (const struct code_at *up = c; up; up = up->up)
		if (up->kind == CODE_RULE)
			return;
	if (s->floats && !is_exact(s, c->irep, pc, in))
		ruby_refuse(s->rb, line_of(s, c, pc), "use Integers: compare x * 10 with 3, not x with 0.3",
		       "arithmetic in a file with Floats, which mruby holds with fewer digits than Ruby");
}

/* `i, a[i] = 1, 2`: Ruby looks at the index before it sets i, mruby after. A value that
 * comes from a register beyond the variables is one of several assigned together. */
static void check_targets(struct scan *s, const struct code_at *c, uint32_t pc, const struct insn *move)
{
	uint32_t variables = c->irep->nlocals, from = UINT32_MAX;
	bool read = false;
	struct insn in;
	if (move->a >= variables || move->b < variables)
		return;
	for (uint32_t at = move->next; insn_decode(c->irep, at, &in); at = in.next) {
		bool store = in.op == OP_SETIDX || (in.op == OP_SEND && symbol_name(s, c->irep, in.b)[strlen(symbol_name(s, c->irep, in.b)) - 1] == '=');
		if (store && read && from != UINT32_MAX && from >= variables && from > move->b)
			ruby_refuse(s->rb, line_of(s, c, pc), "assign them one after the other",
			       "an index that names a variable assigned by the same statement: mruby looks at it too late");
		if (in.op != OP_MOVE && !store && in.op != OP_GETIDX && in.op != OP_LOADSELF && in.op != OP_GETCONST)
			return;
		read |= in.op == OP_MOVE && in.b == move->a;
		if (in.op == OP_MOVE && in.a >= variables)
			from = in.b;
	}
}

static bool has_local(struct scan *s, const mrb_irep *irep, const char *name)
{
	for (int i = 0; irep->lv && i + 1 < irep->nlocals; i++)
		if (irep->lv[i] && named(s, irep->lv[i], name))
			return true;
	return false;
}

/* `def m(*) = other(*)`: mruby 3.1 cannot parse it. `...` is all three without names. */
static void check_nameless(struct scan *s, const struct code_at *c, uint32_t pc, uint32_t reg)
{
	if (!c->irep->lv || !reg || reg >= c->irep->nlocals || !c->irep->lv[reg - 1])
		return;
	mrb_sym name = c->irep->lv[reg - 1];
	bool all = has_local(s, c->irep, "*") && has_local(s, c->irep, "**") && has_local(s, c->irep, "&");
	if (!all && (named(s, name, "*") || named(s, name, "**")))
		ruby_refuse(s->rb, line_of(s, c, pc), "give it a name: def m(*rest) = other(*rest)",
		               arena_printf(s->rb->arena, "`%s` without a name as an argument is not in mruby 3.1", ruby_name(s->rb, name)));
}

static void check_insn(struct scan *s, const struct code_at *c, uint32_t pc, const struct insn *in)
{
	struct interpreter *rb = s->rb;
	struct insn next;
	switch (in->op) {
	case OP_SEND: case OP_SENDB: case OP_SSEND: case OP_SSENDB:
		check_call(s, c, pc, in);
		break;
	case OP_GETGV: case OP_SETGV:
		check_global(s, c, pc, in);
		break;
	case OP_RANGE_INC: case OP_RANGE_EXC:
		if (writer(c->irep, pc, in->a, &next) && next.op == OP_LOADNIL && writer(c->irep, pc, in->a + 1, &next) &&
		    next.op == OP_LOADNIL)
			ruby_refuse(rb, line_of(s, c, pc), "leave it out: everything is in it", "a range without ends");
		if (insn_decode(c->irep, in->next, &next) && next.a == in->a && (next.op == OP_JMPNOT || next.op == OP_JMPIF))
			ruby_refuse(rb, line_of(s, c, pc), "compare with >= and <=, or use a variable", "a range as a condition: a flip-flop in Ruby, always true in mruby");
		break;
	case OP_ARGARY:
		if (in_keyword_method(c))
			ruby_refuse(rb, line_of(s, c, pc), "write the arguments: super(a, b: b)", "`super` without arguments in a method with keywords: mruby passes others");
		break;
	case OP_HASHADD: case OP_HASHCAT:
		if (hash_writer(c->irep, pc, in->a, &next) && !makes_hash(s, c->irep, &next))
			ruby_refuse(rb, line_of(s, c, pc), "begin with a pair, {a: 1, **hash}, or write hash.merge({a: 1})",
			       "`**hash` before other pairs: mruby adds them to the hash itself");
		break;
	case OP_ADD: case OP_SUB: case OP_MUL: case OP_DIV:
		check_arithmetic(s, c, pc, in);
		break;
	case OP_MOVE:
		check_nameless(s, c, pc, in->b);
		check_targets(s, c, pc, in);
		break;
	case OP_DEF:
		if (named(s, c->irep->syms[in->b], "to_ary") || named(s, c->irep->syms[in->b], "method_missing"))
			ruby_refuse(rb, line_of(s, c, pc), "call a method of your own by its name",
			       arena_printf(rb->arena, "`def %s`: Ruby calls it where mruby does not", symbol_name(s, c->irep, in->b)));
		break;
	}
	check_endless(s, c, pc, in);
}

static void check_code(struct scan *s, const struct code_at *c)
{
	struct insn in;
	check_handlers(s, c);
	check_defaults(s, c);
	check_block(s, c);
	for (uint32_t pc = 0; insn_decode(c->irep, pc, &in); pc = in.next)
		check_insn(s, c, pc, &in);
}

/* ---- walking --------------------------------------------------------------------------------- */

/* Notes the names that code defines. */
static void note_names(struct scan *s, const struct code_at *c)
{
	struct insn in, w;
	s->rest |= takes_rest(c->irep);
	for (uint32_t i = 0; i < c->irep->plen; i++)
		s->floats |= c->irep->pool[i].tt == IREP_TT_FLOAT;
	for (uint32_t i = 0; i < c->irep->slen; i++)
		s->floats |= named(s, c->irep->syms[i], "to_f") || named(s, c->irep->syms[i], "Float");
	for (uint32_t pc = 0; insn_decode(c->irep, pc, &in); pc = in.next) {
		if (in.op == OP_LOADSYM)
			add(s, &s->other, c->irep->syms[in.b]);
		if (in.op == OP_DEF && writer(c->irep, pc, in.a + 1, &w) && w.op == OP_METHOD && takes_rest(c->irep->reps[w.b]))
			add(s, &s->resting, c->irep->syms[in.b]);
		if (in.op == OP_DEF)
			add(s, c->kind != CODE_FILE || !writer(c->irep, pc, in.a, &w) || w.op != OP_TCLASS ? &s->other : &s->top, c->irep->syms[in.b]);
	}
}

static enum kind kind_of_child(struct scan *s, const mrb_irep *irep, uint32_t i)
{
	struct insn in, next;
	for (uint32_t pc = 0; insn_decode(irep, pc, &in); pc = in.next)
		if (in.b == i)
			switch (in.op) {
			case OP_METHOD: return CODE_METHOD;
			case OP_BLOCK:
				if (insn_decode(irep, in.next, &next) && next.op == OP_SSENDB &&
				    (named(s, irep->syms[next.b], "allow") || named(s, irep->syms[next.b], "deny")))
					return CODE_RULE;
				return CODE_BLOCK;
			case OP_LAMBDA: return CODE_LAMBDA;
			case OP_EXEC: return CODE_CLASS;
			}
	return CODE_BLOCK;
}

static void walk(struct scan *s, const struct code_at *c, void (*visit)(struct scan *, const struct code_at *))
{
	visit(s, c);
	for (uint32_t i = 0; i < c->irep->rlen; i++) {
		struct code_at child = {c->irep->reps[i], kind_of_child(s, c->irep, i), c};
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
