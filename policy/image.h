/* image.h - a program ready to be written to an object, and what programs of ours are known by. */
#ifndef DEVGUARD_POLICY_IMAGE_H
#define DEVGUARD_POLICY_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* From this instruction on; file: 0 the policy's, else 1 + the first rule that is in it. */
struct image_line { uint32_t insn; int line; uint32_t file; };
/* A call of a function that reads the calling task: TARGET_READER + enum reader (compiler/task/task.h). Else an ldimm64
 * of an address: of parameter `target`, or one of those below; from TARGET_RAW_MAP on, of the maps of a
 * raw program (policy/raw.h), in their order. */
struct image_reloc { uint32_t insn; uint32_t target; };
enum image_target {
	TARGET_HEADER = 1 << 16,
#define MAP(id, name, type, key, value, entries, flags) TARGET_##id,
#include "policy/maps.def"
	TARGETS_END,
	TARGET_MAPS = TARGET_HEADER + 1, /* the first of them */
	TARGET_RAW_MAP = 1 << 17,
	TARGET_READER = 1 << 12,
	TARGET_WHO = (1 << 12) + 256, /* the map devguard_who: of readers only */
};

/* The map devguard_who, a hash: which files and cgroups the names of a policy are. Filled by who loads the program, before
 * it is attached. Its value is path_value() of the name (policy/asked.h), 8 bytes. */
#define WHO_MAP_NAME "devguard_who"
enum { WHO_ENTRIES = 1024 };
#define WHO_DEVICE_CGROUP UINT32_MAX /* as a device: it is a cgroup */
#define WHO_DEVICE_ROOT (UINT32_MAX - 1) /* the root directory in which the files were looked for (--exe-root): id its inode, generation
                                            the number of its mount namespace, value WHO_ROOT and its device. No reader looks for it */
#define WHO_ROOT (1ull << 63)
struct who_key {
	uint64_t id;         /* inode; of a cgroup, its id */
	uint32_t device;     /* s_dev as the kernel has it (major << 20 | minor); of a cgroup, WHO_DEVICE_CGROUP */
	uint32_t generation; /* i_generation; of a cgroup, 0 */
	uint64_t volume;     /* of a file on btrfs, the id of its subvolume, where others have the same inodes; else 0 */
};
_Static_assert(sizeof(struct who_key) == 24, "keys have no padding");

struct image {
	const void *insns; /* 8-byte BPF instructions */
	size_t ninsns;
	const struct image_line *lines;
	size_t nlines;
	const struct image_reloc *relocs;
	size_t nrelocs;
	size_t tail;        /* first of the instructions that report and return a denial;
	                       ninsns: there are none */
	unsigned longest;   /* instructions on the longest path of a request that is not reported */
	size_t steps;       /* the first of them do the steps of a raw program; what decides follows. Of a program that
	                       does not decide: all */
};

/* The head of every program's .rodata, readable without BTF: how our programs
 * are found again in the kernel. Followed by nparams int64 values (in the order
 * of the policy's parameters), then bpf_metadata_* strings, each with its NUL, in the order of
 * enum image_text: new ones come last; then the policy itself as serial_read() takes it, where it
 * has at most IMAGE_POLICY_MAX bytes. Little-endian. */
#define IMAGE_MAGIC 0x4452414756454452ull
enum { IMAGE_VERSION = 2, IMAGE_NAME_MAX = 64, IMAGE_POLICY_MAX = 64 << 10 };
struct image_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;                /* of this header, in bytes */
	char name[IMAGE_NAME_MAX];    /* the policy's name, NUL-terminated */
	char tool[16];                /* version of the tool that compiled it */
	uint32_t nrules;
	uint32_t nparams;
	uint64_t digest;              /* FNV-1a 64 of the policy's canonical text */
	uint32_t audit;               /* enum audit_level */
	uint32_t mode;                /* enum policy_mode */
	uint32_t generation;          /* set when it is loaded: struct event */
	uint32_t features;            /* enum feature: cleared when loaded where the kernel lacks it */
};
enum image_text { IMAGE_TEXT_POLICY, IMAGE_TEXT_TOOL, IMAGE_TEXT_SOURCE, IMAGE_TEXT_RULES, IMAGE_TEXT_DIGEST, IMAGE_TEXT_MEANING, IMAGE_TEXTS };
enum feature {
	FEATURE_PID = 1, FEATURE_COMM = 2,
	FEATURE_TASK_BTF = 8,   /* the kernel takes loads of the calling task (6.1), */
	FEATURE_TASK_READ = 16, /* and bpf_probe_read_kernel (not under lockdown=confidentiality) */
	FEATURE_GRANTS = 4, /* the policy says `grants :allowed`; no instruction reads it */
};

/* What of a .rodata stands behind the header, the parameters and the first `texts` texts, *n bytes.
 * NULL: it is none of ours, or ends before. Any version of the header. */
const char *image_behind(const void *rodata, size_t size, int texts, size_t *n);

#endif
