/*
 * said.h - what a policy's file said when it ran, and what is asked about it when a block
 * is lifted or an exception is explained.
 */
#ifndef DEVGUARD_COMPILER_RUBY_SAID_H
#define DEVGUARD_COMPILER_RUBY_SAID_H

#include "compiler/compiler.h"
#include "compiler/ruby/interpreter.h"
#include "policy/asked.h"
#include "policy/raw.h"

struct block {
	mrb_value proc;
	struct span at;
	int parameters; /* 0 or 1 */
	bool of_claim;
	/* captured variables as they were when the rule was made, to warn of changes */
	mrb_value *captured;
	size_t ncaptured;
};

/* A class whose `attr` have types: what is in memory. */
struct layout { struct RClass *class; struct raw_record record; };

/* What a file says of a raw program: section!, license!, classes with types, maps. */
struct raw_said {
	bool given;                /* it is one: section! or license! was said */
	enum raw_section section;
	const char *section_name, *license; /* NULL: not said */
	struct span untyped;       /* the first attr without a type, line 0: there is none */
	const char *untyped_word;  /* what stands there instead, NULL: nothing */
	struct layout *layouts;
	size_t nlayouts, layouts_cap;
	struct RClass *map_class[RAW_MAP_KINDS]; /* of what table, array ... return */
	struct raw_map *maps;
	size_t nmaps, maps_cap;
	mrb_value *objects;        /* of each map */
	size_t nobjects, objects_cap;
};

/* A block of the user half: of an event, a timer, the end. */
enum handler_of { ON_DENY, ON_ALLOW, ON_LINE, ON_RING, ON_INTERVAL, ON_EXIT };
struct handler {
	enum handler_of of;
	mrb_value proc;
	struct span at;
	bool takes;     /* the event, as its parameter */
	uint32_t map;   /* ON_RING: its number */
	uint64_t every; /* ON_INTERVAL: nanoseconds */
};

/* A group of users as the host has it. */
struct group_said { const char *name; uint32_t gid; };

struct said {
	struct policy *policy;
	const struct host *host; /* answers what devices are called here */
	struct param_setting *settings;
	size_t nsettings;
	struct group_said *groups; /* those that were asked for by name */
	size_t ngroups, groups_cap;
	/* parameters without a range: their value is part of the program */
	struct param *baked;
	size_t nbaked, baked_cap;
	struct block *blocks;
	size_t nblocks, blocks_cap;
	mrb_value keep; /* array of every proc of a rule: alive as long as we are */
	/* code that made a rule */
	const mrb_irep **made;
	size_t nmade, made_cap;
	bool running;   /* the file runs now: rules may be added */
	bool in_policy; /* the block of `policy` runs */
	bool named;
	struct handler *handlers; /* its user half: on, every, at_exit */
	size_t nhandlers, handlers_cap;
	/* Is it what `ring` returned? *map: its number. */
	bool (*is_ring)(mrb_state *mrb, mrb_value v, uint32_t *map);
	struct span printed; /* where the file prints, line 0: it does not */
	struct raw_said raw;
};

/* ---- reference.c ------------------------------------------------------------------- */

/* The input a method of ctx reads as it is, or -1. */
int ctx_input(const struct said *said, const char *method);

/* ---- who.c: what is asked of the calling task with an argument ----------------------- */

struct who_fault { const char *text, *hint; };
/* The value of a path that a file is compared with, a String. 0, or -1 with *f. */
int who_file(const struct said *said, struct interpreter *rb, mrb_value s, struct span at, int64_t *value, struct who_fault *f);
/* The enum ask_kind of a method of ctx, -1: it is none; how it is asked. */
int who_kind(const char *method);
const char *who_example(enum ask_kind kind);
/* Its argument as a question: kind, number, text. 0, or -1 with *f. */
int who_question(struct said *said, struct interpreter *rb, enum ask_kind kind, mrb_value v, struct span at, struct ask *out,
                 struct who_fault *f);
/* Is it about the root of the hierarchy, under which everybody is? Then it is no input. */
bool who_is_root(const struct ask *ask);

/* ---- hints.c: what to do about an exception ------------------------------------------ */

#define HINT_REGEXP "use start_with?, end_with? or include?, or compare with ==; ctx.exe is compared with == alone"

/* Each is a sentence, never NULL: for a method that ctx, main (in a block; ctx
 * is what the block calls its parameter there, NULL for a block without one) or
 * a value of a class has not, and a constant that is not there. */
const char *hint_ctx_method(struct interpreter *rb, const struct said *said, const char *name);
const char *hint_main_method(struct interpreter *rb, const struct said *said, const char *name,
                             const char *ctx);
const char *hint_value_method(struct interpreter *rb, const struct said *said, struct RClass *class,
                              const char *name);
const char *hint_constant(struct interpreter *rb, mrb_value in, const char *name);
/* What a policy has instead of a method, or NULL. */
const char *hint_method_instead(const char *name);
/* For "ArgumentError: ..." and "TypeError: ..." in a block. */
const char *hint_mistake(const char *text);
/* Has an object of Ruby a method that mruby has not? `of_nil`: has nil? */
bool ruby_alone_has(const char *name, bool of_nil);

#endif
