/* dump.h - programs of anybody's, read back from the kernel. */
#ifndef DEVGUARD_CGROUP_DUMP_H
#define DEVGUARD_CGROUP_DUMP_H

#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/dump.h"

/* The functions of the kernel that programs call, and where in its structures the `fields` are that ours read: learned once,
 * when a program needs them. */
struct functions;
struct functions *functions_new(struct arena *a, const struct dump_field *fields, size_t n);

/* The instructions of a device program and what its maps hold. The kernel shows them as it changed
 * them: look-ups written out, functions by their place (kernel/bpf/syscall.c,
 * bpf_insn_prepare_dump()). Maps that others write to at the same time are taken as not known.
 * 0, or -1 with a diagnostic: it is gone, no device program, hidden (no right, or kernel.kptr_restrict
 * and net.core.bpf_jit_harden), too large. */
int program_dump(struct arena *a, struct diags *d, struct functions *known, uint32_t id, struct dump *out);
/* Does it call what opens a request that others deny (bpf_set_retval(), Linux 5.18)? */
bool dump_turns(const struct dump *d);
/* Is it a device program whose instructions the kernel does not show to this process? */
bool program_hidden(uint32_t id);

/* What a program of ours was loaded with: its head and the values of its parameters. False: it is none of
 * ours, or its .rodata was not read. */
struct image_header;
bool dump_header(struct arena *a, const struct dump *d, struct image_header *out, int64_t **params);
/* Does it nothing but decide: no call but for facts about the caller, no map but its own .rodata? */
bool dump_only_decides(const struct dump *d);
/* Do two programs with the same tag reach for the same places of maps that are alike? The tag leaves out which maps they are, and
 * where in them. Their .rodata is the one that dump_header() reads. Unknown: the places are not shown. */
enum dump_places { PLACES_SAME, PLACES_OTHER, PLACES_UNKNOWN };
enum dump_places dump_places_compare(const struct dump *a, const struct dump *b);

#endif
