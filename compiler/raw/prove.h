/* prove.h - the proof of the steps of a raw program. */
#ifndef DEVGUARD_COMPILER_RAW_PROVE_H
#define DEVGUARD_COMPILER_RAW_PROVE_H

#include "policy/diag.h"
#include "policy/image.h"
#include "policy/rules.h"

/* ---- verify.c ------------------------------------------------------------------------------------ */

/* Proves that the first image->steps instructions of a RAW_DEVICE program do its steps, leave the values that its
 * verdict asks for where the rest of the program looks for them, and the context in r1; of another program, that all
 * of it does the steps and returns the result. 0, or -1 with a diagnostic at the step that differs. */
int raw_verify(const struct policy *p, struct diags *d, const struct image *image);

#endif
