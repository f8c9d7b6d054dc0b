/* code.h - the files of a policy as bytecode: see code.c. */
#ifndef DEVGUARD_COMPILER_RUBY_CODE_H
#define DEVGUARD_COMPILER_RUBY_CODE_H

#include "compiler/ruby/ruby.h"

/* The policy's files, after they have run, into said->policy->handlers. 0, or -1 with a diagnostic. */
int code_keep(struct interpreter *rb, const struct said *said);

struct code_piece {
	const char *name; /* relative to the policy's directory; NULL: the policy itself */
	const char *file; /* as its debug information calls it */
	const void *bytes;
	size_t n;
};
struct code {
	struct param_setting *params; /* as they were set */
	size_t nparams;
	struct code_piece *pieces;    /* the policy first */
	size_t npieces;
};
/* Takes it apart; `file` is what messages call it. 0, or -1 with a diagnostic. */
int code_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len, struct code *out);
/* rb->source, whose text is bytecode, as code; NULL, with a diagnostic: it is none. */
struct RProc *code_proc(struct interpreter *rb);

#endif
