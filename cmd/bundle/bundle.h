/* bundle.h - what the verb `bundle` writes: a stub with a policy in it. */
#ifndef DEVGUARD_CMD_BUNDLE_BUNDLE_H
#define DEVGUARD_CMD_BUNDLE_BUNDLE_H

#include "compiler/compiler.h"

struct cmd;

/* The stubs that the tool is built with: in the order of the Makefile. */
enum stub_kind { STUB_PLAIN, STUB_RUBY, STUBS };

/* ---- stub.c -------------------------------------------------------------------------- */

/* Finds the stub beside the tool, and reads it: the very one that was built with it, or none. STATUS_OK or a status with
 * diagnostics. */
int stub_read(struct cmd *c, enum stub_kind kind, struct bytes *out);

/* ---- join.c -------------------------------------------------------------------------- */

/* The stub with the object of a policy in it. The same input gives the same bytes. */
struct bytes bundle_join(struct arena *a, const struct bytes *stub, const char *policy, const struct bytes *object);

#endif
