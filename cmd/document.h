/* document.h - texts read whole, and their lines, which messages quote. */
#ifndef DEVGUARD_CMD_DOCUMENT_H
#define DEVGUARD_CMD_DOCUMENT_H

#include <stddef.h>

struct cmd;

struct document {
	const char *file; /* what messages call it */
	char *text;       /* NUL-terminated, malloc */
	size_t len;
	size_t *lines;    /* offsets of the lines, made when first asked for */
	size_t nlines;
};

/* What the messages of a command quote: a state, a manifest, a policy, its cases. */
struct documents {
	struct document items[4];
	size_t n;
};

/* ---- document.c ---------------------------------------------------------------------- */

/* A new one without text, or NULL: there are too many. */
struct document *document_add(struct documents *all, const char *file);
/* The text of a line (from 1), NULL when there is none; *len without newline. */
const char *document_line(struct document *in, int line, size_t *len);
/* Forgets them all. */
void documents_free(struct documents *all);

/* ---- input.c ------------------------------------------------------------------------- */

/* FOREIGN: another tool's list */
enum input_kind { INPUT_POLICY, INPUT_CASES, INPUT_MANIFEST, INPUT_FOREIGN, INPUT_STATE, INPUT_SPEC };
/* Reads a file or `-` (stdin) to its end; sizes reported by the kernel are not
 * trusted. STATUS_OK, or a status with a diagnostic. */
int input_read(struct cmd *c, const char *path, enum input_kind kind, struct document **out);
/* The same for a file that is open; `file` is what messages call it. Closes fd. */
int input_read_fd(struct cmd *c, int fd, const char *file, enum input_kind kind,
                  struct document **out);

#endif
