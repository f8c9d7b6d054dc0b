/*
 * raw.h - a program that does more than decide: what it does, step by step.
 *
 * The rules of a policy are one function of a request. A raw program is called once, and it prints, counts and
 * reads the clock on its way. So it is a list of steps in the order in which they happen, with lists below an `if`,
 * and a result. What steps compute with are terms. A step that learns something (the time, what a map holds)
 * makes a value: an input of terms behind INPUT_MAX, which never changes.
 */
#ifndef DEVGUARD_POLICY_RAW_H
#define DEVGUARD_POLICY_RAW_H

#include "policy/diag.h"
#include "policy/term.h"

/* Where a program is attached: `section!`. */
enum raw_section { RAW_DEVICE, RAW_KPROBE, RAW_KRETPROBE, RAW_TRACEPOINT, RAW_RAW_TRACEPOINT, RAW_SECTIONS };

/* A number in memory, or a text. */
struct raw_field {
	const char *name;
	uint32_t offset; /* bytes from the begin of its record, as C lays it out */
	uint8_t size;    /* bytes: 1, 2, 4 or 8; COMM_SIZE: a text, the name of a process */
	bool is_signed;
};
struct raw_record {
	struct raw_field *fields;
	size_t n;
	uint32_t size; /* bytes, with what C puts behind the last field */
};

enum raw_map_kind {
	RAW_TABLE,     /* hash */
	RAW_PERCPU,    /* hash, a value for each CPU */
	RAW_ARRAY,     /* of one u64 each */
	RAW_HISTOGRAM, /* array of u64, by the logarithm of what was put into it */
	RAW_RING,      /* ring buffer of records */
	RAW_LOST,      /* array of u64: for each map before it, how often there was no place in it */
	RAW_MAP_KINDS
};
/* Slot i of a histogram counts 2^(i-1) .. 2^i - 1, slot 1 also 0; slot 0 what is negative. */
enum { RAW_SLOTS = 64, RAW_MAPS_MAX = 32, RAW_RECORD_MAX = 128, RAW_PRINT_MAX = 128, RAW_PRINT_ARGS = 3 };
struct raw_map {
	const char *name; /* the constant's; of RAW_LOST "devguard_lost" */
	enum raw_map_kind kind;
	struct raw_record key;   /* n 0: a ring */
	struct raw_record value; /* of a ring: what one event has */
	uint32_t entries;        /* of a ring: bytes */
	struct span at;
};

/* What a term may read behind INPUT_MAX: TERM_INPUT number INPUT_MAX + i is value i. */
struct raw_value {
	const char *name; /* "ctx.regs", "COUNTS[pid]", "ktime_ns"; the second of a name "COUNTS[pid]#2" */
	int line;         /* where it is learned, 0: not known */
	bool is_field;    /* of the context: it is loaded, no step makes it */
	struct raw_field field;
	int64_t lo, hi;
};

enum { RAW_ARGS = 8 }; /* fields of a key or a record, at most */
enum step_kind {
	STEP_PRINT,  /* text, args: bpf_trace_printk */
	STEP_TIME,   /* value: bpf_ktime_get_ns */
	STEP_CPU,    /* value: bpf_get_smp_processor_id */
	STEP_PEEK,   /* value: field `peek` of what is at the address args[0], by bpf_probe_read_kernel; 0 where that fails */
	STEP_GET,    /* found (0, 1), value (0 where it is not found): map[args] */
	STEP_SET,    /* map[args] = operand */
	STEP_ADD,    /* map[args] += operand: where it is absent 0 is put in first, then it is added atomically */
	STEP_DELETE, /* map[args] is taken out */
	STEP_OUT,    /* a record of args to a ring */
	STEP_IF,     /* condition: yes, else no */
	STEP_KINDS
};
struct raw_operand {
	bool is_comm; /* the name of the process that runs; else t */
	term t;
};
struct step {
	enum step_kind kind;
	struct span at;
	struct step *next;
	const char *text; /* format of STEP_PRINT, ntext bytes and a 0 */
	size_t ntext;
	uint32_t map;
	struct raw_operand args[RAW_ARGS]; /* of a print; a key by its fields; a record by its fields */
	size_t nargs;
	struct raw_operand operand;
	struct raw_field peek;
	uint32_t found, value; /* values that it makes: by number */
	term condition;
	struct step *yes, *no;
};

struct raw {
	enum raw_section section;
	const char *section_name; /* "kprobe/tcp_connect" */
	const char *license;
	const char *function;     /* name of the method */
	struct span at;           /* of the method */
	struct raw_map *maps;
	size_t nmaps, maps_cap;
	struct raw_value *values;
	size_t nvalues, values_cap;
	struct step *steps;
	bool acts;                /* it has steps, which are not here: of a record only what it prints is */
	term result;              /* RAW_DEVICE: 0 denies; else what the program returns */
	/* RAW_DEVICE: values by which the verdict differs. In the policy's rule, whose `match` is result != 0, the k-th
	 * of them is input IN_PARAM_0 + nparams + k, a value that no request gives (policy/params.h). */
	uint32_t *asked;
	size_t nasked;
};

/* The number of the value that a term node of TERM_INPUT reads; -1: an input of requests. */
static inline int64_t raw_value_of(const struct term_node *n)
{
	return n->op == TERM_INPUT && n->a >= INPUT_MAX ? (int64_t)n->a - INPUT_MAX : -1;
}
/* Does a step make a value, and nothing else? */
static inline bool step_learns(const struct step *s)
{
	return s->kind == STEP_TIME || s->kind == STEP_CPU || s->kind == STEP_PEEK || s->kind == STEP_GET;
}
/* Does it nothing but decide by the request? Then it is compiled as a policy's rules are. */
static inline bool raw_only_decides(const struct raw *r) { return r->section == RAW_DEVICE && !r->steps && !r->acts; }

/* Does the program decide about devices? One of another section does not. */
struct policy;
bool policy_decides(const struct policy *p);
/* What a request says that maps hold, as facts of the inputs that the program asks for (raw->asked). */
struct request;
void raw_settle(const struct policy *p, struct request *r);
/* The name of the first that the verdict does not hang on; NULL: it hangs on all. */
const char *raw_not_asked(const struct policy *p, const struct request *r);
/* Calls `visit` for each term that its steps and its result are computed from. */
void raw_each_term(const struct raw *r, void (*visit)(void *self, term t), void *self);
/* The program as text, a line a step (--emit=terms). */
void raw_dump(FILE *out, const struct terms *ts, const struct raw *r);

/* Bytes of a ring that hold many records; entries of a table. */
enum { RAW_RING_BYTES = 256 << 10, RAW_TABLE_ENTRIES = 10240 };

#endif
