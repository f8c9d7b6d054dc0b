/*
 * user.h - the user half while it runs: shared by user.c and user_maps.c.
 */
#ifndef DEVGUARD_COMPILER_RUBY_USER_H
#define DEVGUARD_COMPILER_RUBY_USER_H

#include "compiler/ruby/ruby.h"
#include "compiler/user.h"
#include "policy/host.h"

struct user_maps;

struct user {
	struct ruby ruby; /* first: ruby_of() finds it. ruby.said.handlers has the handlers */
	struct user_calls calls;
	struct user_maps *maps; /* user_maps.c's own; NULL at first */
	struct host files;      /* those of its code; self: struct code */
	struct RClass *event_class, *line_class;
};

static inline struct user *user_of(mrb_state *mrb)
{
	return mrb->ud;
}

/* ---- user_maps.c -------------------------------------------------------------------- */

/* Defines the words that make maps (table, array, percpu, histogram, ring), and the classes of what they return. Before
 * the file runs; what goes wrong is raised. */
void user_maps_define(struct user *u);
/* Is it what `ring` returned? *map: its number. */
bool user_map_is_ring(struct user *u, mrb_value v, uint32_t *map);
/* The record of a ring as the object that handlers are given (e.pid, e.comm ...); other sizes than its raise. */
mrb_value user_map_record(struct user *u, uint32_t map, const void *bytes, size_t n);

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
