/*
 * world.h - a raw program run, and what it did: the steps themselves (walk.c) and their instructions (run.c) in
 * the same world, with the same log.
 *
 * A world is all that a program can ask of the kernel: the request or the context, the caller, the clock, bytes at
 * kernel addresses, maps and how much fits in them. A run changes the maps and the clock: to compare two runs each gets
 * a copy (world_copy()).
 */
#ifndef DEVGUARD_COMPILER_RAW_WORLD_H
#define DEVGUARD_COMPILER_RAW_WORLD_H

#include "compiler/compiler.h"
#include "policy/raw.h"

/* ---- what happened ---------------------------------------------------------------------------- */

enum raw_effect_kind {
	EFFECT_PRINT,  /* text, numbers; value: what %s stands for, COMM_SIZE bytes */
	EFFECT_PUT,    /* map[key] = value; an addition puts 0 in first where nothing was */
	EFFECT_ADD,    /* map[key] += numbers[0], of the size of its value */
	EFFECT_DELETE, /* map[key] was there and is gone */
	EFFECT_OUT,    /* value, a record, went to a ring */
	EFFECT_LOST,   /* there was no place in map */
};
struct raw_effect {
	enum raw_effect_kind kind;
	uint32_t map; /* of raw->maps */
	const unsigned char *key, *value;
	size_t nkey, nvalue;
	const char *text; /* a format, without its 0 */
	size_t ntext;
	int64_t numbers[RAW_PRINT_ARGS]; /* 0 where %s stands */
	size_t nnumbers;
	int line;
};

struct raw_log {
	struct arena *arena;
	struct raw_effect *effects;
	size_t n, cap;
	int64_t result; /* RAW_DEVICE: 0 or 1; else what the program returned */
};

/* ---- the world -------------------------------------------------------------------------------- */

struct raw_entry { unsigned char *key, *value; };
/* What is in a map. */
struct raw_store {
	struct raw_entry *entries;
	size_t n, cap;
	uint32_t room; /* entries that fit in a table, records in a ring */
};

struct raw_world {
	struct arena *arena;
	const struct policy *policy;
	int64_t inputs[INPUT_MAX];      /* the request and its caller; parameters are the policy's */
	const unsigned char *context;   /* of a program that is not RAW_DEVICE */
	size_t ncontext;
	uint64_t time, tick;            /* nanoseconds; it is `tick` later each time it is asked */
	uint32_t cpu;
	uint64_t seed;                  /* of what no program may depend on: registers, the stack */
	/* n bytes at an address of the kernel. False: there are none. */
	bool (*peek)(const struct raw_world *w, uint64_t address, void *to, size_t n);
	struct raw_store *stores;       /* by map */
};

/* ---- world.c: maps ---------------------------------------------------------------------------- */

/* Empty maps, with the room that they are declared with. */
void world_maps(struct raw_world *w);
struct raw_world world_copy(const struct raw_world *w);
/* The value at a key, NULL: there is none. An array has all of them. */
struct raw_entry *world_find(struct raw_world *w, uint32_t map, const void *key);
/* Puts a value at a key. False: there is no place, or with `absent` there is one already. */
bool world_put(struct raw_world *w, uint32_t map, const void *key, const void *value, bool absent);
bool world_delete(struct raw_world *w, uint32_t map, const void *key);
/* Is there room for a record? It takes it. */
bool world_out(struct raw_world *w, uint32_t map);
/* Little-endian bytes as a number, and back. */
int64_t raw_load(const void *from, size_t size, bool is_signed);
void raw_store(void *to, size_t size, int64_t value);
bool raw_is_array(enum raw_map_kind kind);
/* The number of the map that counts what did not fit, -1: there is none. */
int raw_lost_map(const struct raw *r);

/* ---- log.c: what happened ---------------------------------------------------------------------- */

/* Adds one; what it points to is copied. */
void raw_log_add(struct raw_log *log, const struct raw_effect *effect);
/* NULL: the same happened, with the same result; else what the first difference is. Lines make none. */
const char *raw_log_difference(const struct raw *r, const struct raw_log *x, const struct raw_log *y);
/* One effect as text. */
const char *raw_effect_text(struct arena *a, const struct raw *r, const struct raw_effect *effect);

/* ---- format.c: formats ------------------------------------------------------------------------- */

/* The letters of what a format asks for; how many, -1: the kernel does not print it. */
int raw_format(const char *format, size_t n, char letters[RAW_PRINT_ARGS]);

/* ---- places.c: steps by number ------------------------------------------------------------------ */

#define PLACE_END UINT32_MAX
/* A step, and what comes after it: of STEP_IF, what comes after it when neither list does anything. */
struct raw_place {
	const struct step *step;
	uint32_t next, yes, no;
};
struct raw_places {
	struct raw_place *list;
	size_t n, cap;
	uint32_t first;
};
enum { RAW_PLACES_MAX = 1 << 16 };
/* False: there are more steps than RAW_PLACES_MAX. */
bool raw_places(struct arena *a, const struct step *steps, struct raw_places *out);

/* ---- walk.c: the steps -------------------------------------------------------------------------- */

/* Runs the policy's raw program. 0, or -1 where it has too many steps. */
int raw_walk(struct raw_world *w, struct raw_log *log);

/* ---- run.c: their instructions ------------------------------------------------------------------- */

/* Runs a whole program; at the tail it ends with what is reported. 0, or -1 with *why where the kernel would not have
 * taken the program. */
int raw_run(struct raw_world *w, const struct image *image, struct raw_log *log, const char **why);

#endif
