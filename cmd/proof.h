/* proof.h - a program that the kernel runs, held against what it is said to be. */
#ifndef DEVGUARD_CMD_PROOF_H
#define DEVGUARD_CMD_PROOF_H

#include "cmd/unit.h"

struct attached;
struct dump;

/* The kernel's program, for decoding. 0, or -1 with a diagnostic. */
int dump_of_program(struct cmd *c, uint32_t id, struct dump *out);
/* Is a program of the kernel this policy? Understood by who answers for the unit. STATUS_OK or a status with
 * diagnostics: it cannot be told. `witness`: of VERIFIED_DIFFERENT. */
int unit_verify(struct cmd *c, const struct unit *u, const struct dump *program, struct verified *out, struct request *witness);

/* Programs of ours without their policies: how many are not what is written in them, and of how many that cannot be told. */
struct proofs { bool asked; size_t others, untold; };
/* Do the instructions of one amount to the line that is written in it? In words; NULL: it is not ours, or
 * nobody asked. Into its object of --json (or NULL): "verified" (null: not known) and "amounts_to". */
const char *program_proof(struct cmd *c, const struct attached *at, struct proofs *p, json_t *json);

#endif
