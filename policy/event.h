/*
 * event.h - what a program reports: the record of one decision, and the counts
 * kept in the kernel. The one place where their layout is fixed.
 *
 * Records go to a BPF ring buffer, counts to BPF maps; both are native byte order
 * and without padding. A program that reports carries these maps (policy/maps.def; names as
 * the kernel shows them), and hands them on to the program that replaces it:
 *
 *   devguard_events  ring buffer of struct event, behind which a policy that reads facts of the task has
 *                    a struct event_told; the program's own is the first, those
 *                    after it are of programs before it and hold what nobody read yet
 *   devguard_tally   hash: struct tally_key to struct tally
 *   devguard_totals  per-CPU array of one: struct totals
 *   devguard_config  array of one: struct audit_config, written by the reader
 *   devguard_names   hash: NAME_KEY(generation, rule) to struct rule_name, behind the rules of a policy what its
 *                    records mean by numbers (event_told.names); no
 *                    instruction uses it, it is bound to the program
 *
 * Exact sums: every decision reported on counts in `denied` or `allowed`, and in
 * exactly one of `submitted`, `folded` and `dropped`.
 */
#ifndef DEVGUARD_POLICY_EVENT_H
#define DEVGUARD_POLICY_EVENT_H

#include <stdint.h>

enum {
	EVENT_VERSION = 1,
	EVENTS_BYTES = 256 << 10, /* of the ring buffer, unless asked otherwise: about 2,700 records */
	TALLY_ENTRIES = 10240,    /* at most; for a policy of few rules: */
	TALLY_RULE = 192,         /* for each rule and the default */
	NAME_ENTRIES = 65536,     /* at most; for a policy of few rules: */
	NAME_GENERATIONS = 8,     /* of its rules and the default */
	NAME_LEAST = 64,
};

enum event_flag {
	EVENT_PERMISSIVE = 1, /* the rules deny it, permissive mode let it pass */
	EVENT_ERROR = 2,      /* a predicate raised: it was denied for that */
	EVENT_NO_PID = 4,     /* this kernel does not tell pid and tid (before 6.1): 0 */
	EVENT_NO_COMM = 8,    /* nor comm: empty */
};

/* One decision. */
struct event {
	uint16_t version;     /* EVENT_VERSION */
	uint16_t size;        /* of this record, bytes */
	uint32_t generation;  /* of the policy: 1 when first attached, one more each apply */
	uint64_t time;        /* nanoseconds since boot (CLOCK_BOOTTIME) */
	uint64_t cgroup_id;   /* of the caller: the inode number of its cgroup directory */
	uint32_t pid, tid;    /* in the first pid namespace */
	uint32_t uid, gid;    /* in the first user namespace */
	char comm[16];        /* NUL-terminated */
	uint32_t major, minor;
	uint8_t type;         /* DEV_CHAR, DEV_BLOCK */
	uint8_t requested;    /* set of ACC_*: all that was asked together */
	uint8_t decided;      /* the one that decided, 0 when none was asked */
	uint8_t verdict;      /* of the rules: 0 deny, 1 allow */
	uint32_t rule;        /* 1 + index in the policy, 0 the default */
	uint32_t flags;       /* enum event_flag */
	uint32_t reserved;    /* 0 */
	uint64_t tally;       /* how often this happened so far (struct tally), 0: not counted */
};
_Static_assert(sizeof(struct event) == 88, "records have no padding");

/* What the kernel said of the task, behind a record of a policy that reads it: one value of each fact and ask of `which`, in the
 * order of its bits. A value is that of the reader (compiler/task/task.h): negative, the kernel does not tell it. */
enum { EVENT_VALUES_MAX = 32, EVENT_ASKS = 32 /* bit of which: of the policy's first ask; below, of the facts: TOLD_FACT() */ };
#define TOLD_FACT(in) ((in) - IN_EUID)
struct event_told {
	uint64_t which;
	uint32_t names;       /* where devguard_names tells it: NAME_PARTS entries for each ask, then for each path; 0: nowhere */
	uint16_t asks, paths; /* how many the policy has */
	int64_t value[EVENT_VALUES_MAX];
};
_Static_assert(sizeof(struct event_told) == 16 + 8 * EVENT_VALUES_MAX, "records have no padding");

/* A record as it is read. told.which 0: it has nothing behind it. */
struct event_record { struct event event; struct event_told told; };

/* What is counted together; also what --fold takes for identical. */
struct tally_key {
	uint32_t generation, rule, major, minor, uid;
	uint8_t type, requested, decided, verdict;
	uint32_t flags; /* EVENT_PERMISSIVE, EVENT_ERROR */
	uint32_t reserved;
};
_Static_assert(sizeof(struct tally_key) == 32, "keys have no padding");

struct tally {
	uint64_t count;
	uint64_t last; /* when a record of it was submitted last under --fold, as event.time */
};

struct totals {
	uint64_t denied;    /* by the rules, also those that permissive mode let pass */
	uint64_t allowed;   /* under `audit :all` */
	uint64_t submitted; /* records in the ring buffer, read or not */
	uint64_t folded;    /* no record: an identical one came less than fold_ns before */
	uint64_t dropped;   /* no record: the ring buffer was full */
	uint64_t untallied; /* in no tally: it had no room for another */
	uint64_t reserved[2];
};

struct audit_config {
	uint64_t fold_ns; /* 0: a record for every decision */
};

/* A rule for people; the key's rule is as in struct event. */
#define NAME_KEY(generation, rule) ((uint64_t)(generation) << 32 | (uint32_t)(rule))
struct rule_name {
	uint32_t line;   /* in the policy file, 0 unknown */
	char file[64];   /* without its directory */
	char label[92];  /* empty: none; cut with "..." */
};
_Static_assert(sizeof(struct rule_name) == 160, "names have no padding");

/* An ask or a path, in NAME_PARTS such entries: `line` is 1 + its kind (enum ask_kind) or NAME_PATH; its text is `file`, then `label`, each
 * with a NUL, then those of the next. */
enum { NAME_PARTS = 2, NAME_PATH = 255, NAME_PART_BYTES = 64 - 1 + 92 - 1, NAME_BYTES = NAME_PARTS * NAME_PART_BYTES };

#endif
