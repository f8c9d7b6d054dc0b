/*
 * engine.h - the options of docker run and podman run that are about devices, wherever they
 * stand: as arguments, in a saved command line, in a quadlet. Private to policy/.
 */
#ifndef DEVGUARD_POLICY_IMPORT_ENGINE_H
#define DEVGUARD_POLICY_IMPORT_ENGINE_H

#include "policy/import/internal.h"

struct engine_word {
	const char *text;
	uint32_t place;   /* line of the file, or number of the argument */
	bool variable;    /* it has a $ or ` that a shell would expand */
};

struct engine {
	struct diags *d;
	struct foreign *out;
	const char *file;   /* NULL: the words are arguments */
	bool said;          /* an option is about devices */
	const char *name;   /* --name */
};

/* ---- import/engine.c ------------------------------------------------------------- */

/* Adds the error of a word; always -1. */
int engine_fail(struct engine *e, const struct engine_word *at, const struct fault *f);
/* HOST[:CONTAINER][:LETTERS], or the name of a CDI device. 0 or -1. */
int engine_device(struct foreign *out, struct fault *f, struct slice text, struct foreign_entry entry);
/* Reads options up to the first word that is none, whose index is *used. 0 or -1. */
int engine_options(struct engine *e, const struct engine_word *words, size_t n, size_t *used);
/* `docker run OPTION... IMAGE ...`, from its first word on. 0 or -1. */
int engine_command(struct engine *e, const struct engine_word *words, size_t n);
/* Is that a command of an engine that makes a container, perhaps with options before its verb? */
bool engine_starts(const struct engine_word *words, size_t n);

/* ---- import/engine_table.c ---------------------------------------------------------- */

enum engine_option { OPTION_UNKNOWN, OPTION_ALONE, OPTION_VALUE };
/* A long option without its dashes; a letter. */
enum engine_option engine_long(struct slice name);
enum engine_option engine_short(char letter);

/* ---- import/shell.c ----------------------------------------------------------------- */

/* The words of the one command of a script that begins with an engine's name. 0 or -1. */
int shell_command(struct engine *e, const char *text, size_t len, struct engine_word **words, size_t *n);

#endif
