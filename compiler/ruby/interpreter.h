/*
 * interpreter.h - mruby with the files of a policy, and what one asks of it.
 *
 * In ruby/ and lift/ `rb` is an interpreter. What a policy's file said is in said.h, and
 * all of a compilation in ruby.h.
 */
#ifndef DEVGUARD_COMPILER_RUBY_INTERPRETER_H
#define DEVGUARD_COMPILER_RUBY_INTERPRETER_H

#include "compiler/ruby/mruby.h"
#include "policy/arena.h"
#include "policy/diag.h"

/* A file of the policy. */
struct source {
	const char *file;  /* as messages call it */
	const char *name;  /* relative to the policy's directory; NULL: the policy itself */
	unsigned number;   /* 0: the policy itself; n: the n-th file it loaded */
	const char *text;
	size_t len;
	const char *found; /* the line that ruby_source_line() found last */
	int found_line;
	const mrb_irep *irep;      /* of the file's own code: names its variables */
	const struct RProc *proc;
	bool once;         /* by require_relative */
};

struct interpreter {
	mrb_state *mrb;
	struct arena *arena;
	struct diags *diags;
	struct source *source;   /* that what is done now is about: ruby_turn_to() */
	struct source **sources; /* the policy, and what it loaded */
	size_t nsources, sources_cap;
	const struct mrb_parser_state *parser; /* at work now, or NULL; it began at that line */
	int parser_begin;
	struct line_indexes *lines; /* lines.c */
	struct { const mrb_irep *irep; uint32_t end; } statement; /* statement.c: read so far */
	struct RClass *ctx_class;   /* of what the block of a rule is given */
	const mrb_irep *class_new;  /* the code of Class#new, which alone may call `allocate` */
	bool differs;               /* differs() has refused something */
	bool code;                  /* the texts of its files are bytecode */
	bool bytes;                 /* texts may be no ASCII: then the library counts bytes, where Ruby counts characters */
};

/* ---- mruby.c -------------------------------------------------------------------- */

/* Is this the name of a file of the policy? NULL is none. */
struct source *ruby_source(const struct interpreter *rb, const char *file);
/* The name of a symbol: arena text. */
char *ruby_name(struct interpreter *rb, mrb_sym name);
/* "NoMethodError: undefined method ..." of an exception. */
char *ruby_exception_text(struct interpreter *rb, mrb_value exc);
/* Line of the policy that it came from, 0 = unknown; turns to its file. */
int ruby_exception_line(struct interpreter *rb, mrb_value exc);
/* Adds a diagnostic with the text of its line; what is done from now on is about its file. */
struct diag *ruby_report(struct interpreter *rb, enum diag_level level, struct span at, const char *hint,
                         const char *text);

/* ---- lines.c ---------------------------------------------------------------------- */

/* What mrb_debug_get_line() answers, by an index made once: -1 = unknown. */
int irep_line(struct interpreter *rb, const mrb_irep *irep, uint32_t pc);

/* ---- bytecode.c -------------------------------------------------------------------- */

struct insn {
	uint8_t op;
	uint32_t a, b, c;
	uint32_t next; /* offset of the instruction after it */
};
/* Decodes the instruction at an offset. False for an opcode this build of the
 * tool does not know. */
bool insn_decode(const mrb_irep *irep, uint32_t pc, struct insn *out);
const char *insn_name(uint8_t op);
/* Is an instruction in the range a rescue or ensure guards? */
bool handler_covers(const struct mrb_irep_catch_handler *h, uint32_t pc);
/* Where it goes on. */
uint32_t handler_target(const struct mrb_irep_catch_handler *h);

#endif
