/* output.h - what a command says: messages, results, files, in text or as JSON. */
#ifndef DEVGUARD_CMD_OUTPUT_H
#define DEVGUARD_CMD_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policy/input.h"
#include "policy/diag.h"
#include "policy/file.h"

struct arena;
struct cmd;
struct decision;
struct policy;

#define JSON_SCHEMA "rucy-devguard/1"

/* With --json: one object on stdout instead of text. */
struct json_output {
	bool on;
	bool printed;        /* the verb has printed it already */
	bool notes;          /* notes too belong into it */
	json_t *out;         /* the object printed at the end */
	json_t *diagnostics; /* those shown since the last part of `out` took its own */
	json_t *taken;       /* those before */
};

/* "3 rules", "1 rule": for "%zu %s%s". */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* ---- output.c ----------------------------------------------------------------------- */

/* Copies text so that it is safe on a terminal: control bytes, bytes that are no
 * UTF-8 and characters that reorder a line become \xNN. Writes at most cap bytes
 * with the final NUL and returns the length; no allocation, no locale. */
size_t text_escape(char *out, size_t cap, const char *text, size_t len);
/* Writes text, escaped that way. */
void put_text(FILE *out, const char *text);
void put_bytes(FILE *out, const char *text, size_t len);
/* The text as a JSON string, also when it is no valid UTF-8. */
json_t *text_json(const char *text);
/* Shows the messages collected so far (stderr, or kept for the JSON object) and
 * forgets them. Notes are not shown as text: check puts them in its report. */
void diags_flush(struct cmd *c);
/* Shows one message now. */
void diag_show(struct cmd *c, struct diag *d);
/* The diagnostics shown since the last call, for a part of the object (a policy, a cgroup) to
 * have; the whole object has them too. */
json_t *json_take_diagnostics(struct cmd *c);
/* Prints c->json.out with all diagnostics and the exit status. */
void json_finish(struct cmd *c, int status);
/* Flushes stdout; a full disk is an error. Returns status or STATUS_FAILED. */
int stdout_finish(struct cmd *c, int status);
/* Ends this process as one ends whose reader is gone. */
void die_of_pipe(void);

/* ---- author.c ----------------------------------------------------------------------- */

struct author;
/* "as crun writes them" */
const char *author_text(struct arena *a, const struct author *who);
/* "as crun writes them: 12 rules, else denied" */
const char *author_words(struct arena *a, const struct author *who);
/* author, rules, otherwise: null is what is not known. */
void author_json(json_t *o, const struct author *who);

/* ---- outfile.c ------------------------------------------------------------------------ */

struct output {
	FILE *file;
	const char *path; /* NULL: stdout */
	struct fresh_file fresh; /* it takes its place when it is whole; path NULL: it is written directly */
};
enum output_kind { OUTPUT_TEXT, OUTPUT_PROGRAM /* it can be executed; nobody but its owner may write it */ };
/* Would what is written to path take the place of the source? Then that is an error of the command line. */
bool output_is_source(struct cmd *c, const char *path, const char *source);
/* NULL and "-" are stdout. 0, or -1 with a diagnostic. */
int output_open(struct cmd *c, const char *path, enum output_kind kind, struct output *out);
/* 0, or -1 with a diagnostic: then the file is as it was. */
int output_close(struct cmd *c, struct output *out);

/* ---- verdict.c --------------------------------------------------------------------------- */

/* "policy.rb:7 label", "policy.rb:3 default", "default". */
const char *decider_text(struct arena *a, const struct policy *p, const struct decision *d);
json_t *decider_json(const struct policy *p, const struct decision *d);
/* Does the verdict depend on all that the request says of maps? False: a diagnostic says on what not. */
struct request;
bool more_fits(struct cmd *c, const struct policy *p, struct span at, const struct request *r);
/* What decides, as people know it: "uid", "in_group?(44)"; and a word of a request that gives it: groups=44. */
const char *missing_name(const struct policy *p, enum input in);
const char *missing_word(struct arena *a, const struct policy *p, enum input in);
/* Adds the error that facts decide which the request does not give: the first, and all that could decide (0: it alone). */
struct diag *missing_fact(struct cmd *c, const struct policy *p, struct span at, const char *request,
                          int missing, input_set open);

#endif
