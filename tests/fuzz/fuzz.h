/*
 * fuzz.h - harnesses: each gives the bytes of a stranger to one reader, and asks what must
 * hold of what it made of them.
 *
 *   fixture.c  the table; one run: its arena, its budget, what a run that is ended leaves
 *   policy.c   policy text
 *   bytes.c    objects, policy sections, lines: what the compiler reads back
 *   room.c     what a child of the locked room sends, and the state of a container
 *   lists.c    device lists of other tools
 *   texts.c    devices, requests, cases, manifests, options
 *   target.c   what libFuzzer calls; mutate.c: how it makes texts
 *   replay.c   runs harnesses on files, without a fuzzer
 */
#ifndef DEVGUARD_TESTS_FUZZ_H
#define DEVGUARD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/arena.h"
#include "policy/diag.h"

/* One run. Its arena counts against a budget: more than that is the run's end, and no find. */
struct fuzz {
	struct arena *arena;
	struct diags diags;
	FILE *stream; /* open while text is written; closed when the run ends early */
};

/* len bytes and, for a harness of texts, a 0 behind them and none among them. */
typedef void fuzz_run(struct fuzz *f, const unsigned char *data, size_t len);

fuzz_run fuzz_policy, fuzz_object, fuzz_section, fuzz_lines, fuzz_record, fuzz_message,
	fuzz_question, fuzz_verdict, fuzz_state, fuzz_oci, fuzz_docker, fuzz_inspect, fuzz_compose,
	fuzz_quadlet, fuzz_cdi, fuzz_command, fuzz_libvirt, fuzz_slurm, fuzz_systemd, fuzz_lxc, fuzz_proxmox, fuzz_v1, fuzz_manifest, fuzz_cases, fuzz_request,
	fuzz_device, fuzz_groups, fuzz_options;

struct harness {
	const char *name;
	fuzz_run *run;
	enum {
		BYTES,
		TEXT,
		FREES = 2, /* its reader has allocations beside the arena that a run ended early must free */
	} flags;
};
extern const struct harness fuzz_harnesses[];
extern const size_t fuzz_nharnesses;
const struct harness *fuzz_harness(const char *name);

/* Runs one input. */
void fuzz_one(const struct harness *h, const unsigned char *data, size_t len);

/* A host with the same devices everywhere. */
extern const struct host fuzz_host;

/* What does not hold ends the process. */
#define MUST(holds) ((holds) ? (void)0 : fuzz_must(#holds, __FILE__, __LINE__))
_Noreturn void fuzz_must(const char *what, const char *file, int line);
/* What was refused was said so, and nothing was blamed on the tool itself. */
void fuzz_refused(const struct fuzz *f);

#endif
