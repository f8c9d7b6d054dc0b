/* machine.h - running instructions in a world: memory.c is what they load and store, call.c the functions of the
 * kernel, run.c the instructions. */
#ifndef DEVGUARD_COMPILER_RAW_MACHINE_H
#define DEVGUARD_COMPILER_RAW_MACHINE_H

#include "compiler/bpf/internal.h"
#include "compiler/raw/world.h"

/* Addresses: each kind of memory has a base, each entry of a map a page. */
#define CONTEXT_BASE (UINT64_C(1) << 32)
#define STACK_TOP (UINT64_C(2) << 32)
#define PARAM_BASE (UINT64_C(3) << 32)
#define MAP_BASE (UINT64_C(4) << 32)
#define ENTRY_BASE (UINT64_C(5) << 32)
enum { STACK_SIZE = 512, ENTRY_PAGE = 4096, RUN_STEPS_MAX = 1 << 20 };

/* An entry of a map that the program got the address of. */
struct handle {
	uint32_t map;
	struct raw_entry entry;
};

struct machine {
	struct raw_world *world;
	const struct raw *raw;
	const struct image *image;
	struct raw_log *log;
	uint64_t reg[11];
	unsigned char stack[STACK_SIZE];
	unsigned char device[12]; /* the context of a device program */
	struct handle *handles;
	size_t nhandles, handles_cap;
	uint64_t noise;
	size_t pc;
	const char *why;
};

/* ---- memory.c: addresses ------------------------------------------------------------------------ */

/* The kernel would not have taken this program. Always false. */
bool machine_fault(struct machine *m, const char *why);
/* A number that no program may depend on. */
uint64_t machine_noise(struct machine *m);
/* The line of the instruction that runs. */
int machine_line(const struct machine *m);
/* Bytes to read, of the stack, an entry, the context; NULL: there are none. */
const unsigned char *machine_bytes(struct machine *m, uint64_t at, size_t size);
unsigned char *machine_stack(struct machine *m, uint64_t at, size_t size);
/* The address of the value of an entry. */
uint64_t machine_address(struct machine *m, uint32_t map, const struct raw_entry *e);
bool machine_load(struct machine *m, const struct bpf_insn *in);
bool machine_store(struct machine *m, const struct bpf_insn *in);

/* ---- call.c: functions of the kernel --------------------------------------------------------------- */

bool machine_call(struct machine *m, const struct bpf_insn *in);

#endif
