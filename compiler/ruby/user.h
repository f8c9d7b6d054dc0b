/*
 * user.h - the user half while it runs: shared by user.c and user_maps.c.
 */
#ifndef DEVGUARD_COMPILER_RUBY_USER_H
#define DEVGUARD_COMPILER_RUBY_USER_H

#include "compiler/ruby/ruby.h"
#include "compiler/user.h"
#include "policy/host.h"

struct user_records;

struct user {
	struct ruby ruby; /* first: ruby_of() finds it. ruby.said.handlers has the handlers */
	struct user_calls calls;
	struct user_records *records; /* user_record.c's own */
	struct host files;      /* those of its code; self: struct code */
	struct RClass *event_class, *line_class;
};

static inline struct user *user_of(mrb_state *mrb)
{
	return mrb->ud;
}

/* ---- user_named.c ------------------------------------------------------------------- */

/* The number of a map; -1: it is none. */
int64_t user_map_number(const struct user *u, mrb_value v);
/* The constant that has the map, or what kind it is. */
const char *user_map_name(struct user *u, uint32_t map);

/* ---- user_maps.c -------------------------------------------------------------------- */

/* Defines the words that make maps (table, array, percpu, histogram, ring), and the classes of what they return. Before
 * the file runs; what goes wrong is raised. */
void user_maps_define(struct user *u);
/* Is it what `ring` returned? *map: its number. */
bool user_map_is_ring(struct user *u, mrb_value v, uint32_t *map);

/* ---- user_record.c ------------------------------------------------------------------ */

/* Defines the class KernelRecord, to be taken when it is whole. */
void user_records_define(struct user *u);
/* A number or a text out of bytes. */
mrb_value user_field_value(mrb_state *mrb, const struct raw_field *f, const void *record);
/* The record of a ring as the object that handlers are given (e.pid, e.comm ...); other sizes than its raise. */
mrb_value user_map_record(struct user *u, uint32_t map, const void *bytes, size_t n);

/* ---- user_text.c -------------------------------------------------------------------- */

/* The name of a process: an attacker may have given it line feeds and escapes, which are shown as \xNN. */
mrb_value user_name_text(mrb_state *mrb, const char *s, size_t n);
/* String#inspect of any bytes. */
void user_text_define(struct user *u);

/* ---- user_event.c ------------------------------------------------------------------- */

void user_events_define(struct user *u);
mrb_value user_event_object(struct user *u, const struct user_event *e);
mrb_value user_line_object(struct user *u, const struct user_line *l);
/* The method of an event that was probably meant, or NULL. */
const char *user_event_hint(struct interpreter *rb, const char *method);

/* ---- user_print.c ------------------------------------------------------------------- */

/* puts, print, p, printf. */
void user_print_define(struct user *u);

#endif
