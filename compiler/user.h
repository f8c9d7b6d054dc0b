/*
 * user.h - the user half of a file: its handlers (on, every, at_exit), which run in mruby
 * beside the program that the kernel runs.
 *
 * The file is run once more, with the words that make rules as words that do nothing. What its
 * handlers print, and what they ask of maps, goes to the functions of struct user_calls. Nothing
 * here bounds time or output: whoever calls does.
 */
#ifndef DEVGUARD_COMPILER_USER_H
#define DEVGUARD_COMPILER_USER_H

#include "compiler/compiler.h"

struct user;

/* What a map holds: n entries, each a key and then a value for each CPU (not RAW_PERCPU: one). */
struct user_entries {
	uint32_t n, key_size, value_size, cpus;
	const unsigned char *bytes; /* until the next question */
};

/* What handlers do to the world. `map` is the number of a map: in the order in which the file makes them, from 0,
 * as struct raw has them. */
struct user_calls {
	void *self;
	void (*print)(void *self, const char *bytes, size_t n);
	/* All entries of a map, or (key not NULL) that of one key, n 0: there is none. 0, or -1 with *why. */
	int (*read_map)(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why);
	/* Takes all entries out; of an array or a histogram: makes them 0. */
	int (*clear_map)(void *self, uint32_t map, const char **why);
	/* As read_map, which may give the sum of a RAW_PERCPU's values as one of 8 bytes (cpus 1): this gives each. NULL:
	 * read_map gives each. */
	int (*read_cpus)(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why);
	/* Puts a value in (bytes as the map has them), or with `value` NULL takes the entry of a key out: none there is no
	 * failure. NULL: maps are only read. */
	int (*change_map)(void *self, uint32_t map, const void *key, size_t nkey, const void *value, size_t nvalue,
	                  const char **why);
};

/* A file with a user half. `text` (len bytes) is what a person wrote; or `code` (ncode bytes), what
 * the compilation kept as policy->handlers: then there is no text that messages could quote. */
struct user_file {
	const char *file;
	const char *text;
	size_t len;
	const void *code;
	size_t ncode;
	struct param_setting *params; /* they go over those that were kept with the code */
	size_t nparams;
};

/* Runs the file. *out is set as soon as the interpreter exists, for user_running_line(). 0, or -1 with diagnostics. Its
 * arena must outlive it. `host` is asked for files that a text loads. */
int user_open(struct arena *a, struct diags *d, const struct host *host, const struct user_file *f,
              const struct user_calls *calls, struct user **out);
void user_close(struct user *u);
/* From here on what is made in passing belongs to another arena, a scratch arena of that of user_open(), and messages go
 * to d. Before that arena is freed, this is called with the next one. */
void user_turn(struct user *u, struct arena *a, struct diags *d);
/* Where it is now: as ruby_running_line(). */
int user_running_line(const struct user *u, unsigned *file);

/* What a file has of handlers. */
struct user_has {
	size_t denied, allowed, lines, rings, intervals, at_exit;
};
struct user_has user_has(const struct user *u);
/* Nanoseconds of interval i. */
uint64_t user_interval(const struct user *u, size_t i);

/* An event of `on(:deny)` (verdict 0) or `on(:allow)`. Texts are UTF-8 or bytes, none is NULL. */
enum { USER_FACTS = IN_ASK_0 - IN_EUID };
struct user_event {
	struct event event;
	input_set told;            /* facts about the task that the kernel told (policy/facts.def, TASK_FACT), */
	int64_t fact[USER_FACTS];  /* from IN_EUID on; files by name: */
	const char *exe, *parent_exe; /* "": another file */
	const char *facts;         /* all of them as words of a request; "": the policy reads none */
	uint64_t count;  /* how many decisions it stands for */
	int64_t time;    /* nanoseconds since 1970 */
	const char *device, *rule, *label; /* "/dev/null" or "c 1:3"; "policy.rb:7"; "" none */
	const char *cgroup;                /* its path; "": not known */
};
/* A line that the program printed, for `on(:line)`. */
struct user_line {
	int64_t time; /* nanoseconds since boot */
	uint32_t pid, cpu;
	const char *comm, *text;
	size_t ntext;
};

/* Each calls the handlers of its kind one after the other, in the order of the file. What one raises is an error in
 * the diags at its line, and the others go on. How many raised. */
int user_event(struct user *u, const struct user_event *e);
int user_line(struct user *u, const struct user_line *l);
int user_record(struct user *u, uint32_t map, const void *bytes, size_t n); /* of a ring: `on(RING)` */
int user_every(struct user *u, size_t i);
int user_at_exit(struct user *u);

#endif
