/*
 * frames.h - what the parent and a child in the locked room send each other.
 *
 * A frame is a kind, a length and that many bytes: records of a fixed size, and texts behind them. The parent checks
 * what it takes.
 */
#ifndef DEVGUARD_CMD_ROOM_FRAMES_H
#define DEVGUARD_CMD_ROOM_FRAMES_H

#include "compiler/compiler.h"

enum frame_kind {
	/* to the child */
	FRAME_JOB = 1,  /* struct job, what it has */
	FRAME_ANSWER,   /* to a question */
	/* to the judge: what it answers is below, in the same order */
	FRAME_DUMP,     /* struct about: a listing */
	FRAME_PLAIN,    /* nothing: the policy without audit, errnos and mode */
	FRAME_EXPLAIN,  /* struct about: what it amounts to */
	FRAME_REQUESTS, /* struct about, requests: the verdicts */
	FRAME_RULE,     /* struct about, a request: by which rule of the policy that stands in the program */
	FRAME_NAMES,    /* struct about: the files and cgroups that the policy which stands in the program names */
	FRAME_COVER,    /* requests: what they cover */
	FRAME_CLAIMS,   /* a policy as an object keeps it: its claims are put to the one that was proven */
	FRAME_SHARE,    /* nothing: the policy, for another judge */
	FRAME_COMPARE,  /* struct compare_head, a policy of another judge: what changes */
	FRAME_VERIFY,   /* a program, as dumps_write() has it: is it the policy? */
	/* to the user half: struct user_job, what it has; then what its handlers are given */
	FRAME_USER,
	FRAME_GIVE,     /* struct give, its bytes, one after the other */
	FRAME_ENTRIES,  /* to a question about a map: struct map_answer, entries or why not */
	/* from the child */
	FRAME_LOCKED,   /* it is locked in: struct locked */
	FRAME_QUESTION, /* struct question, the text */
	FRAME_DIAG,     /* one message */
	FRAME_DONE,     /* all was done that the frame to the child asked for: int32_t failed */
	FRAME_RECORD,   /* a proven policy, see record.h */
	FRAME_PART,     /* what of a program among several: struct part, text; before its record */
	FRAME_TEXT,     /* a listing */
	FRAME_RULES,    /* struct explained_record and two texts, as many as there are */
	FRAME_VERDICTS, /* struct verdict_pair (of mruby: struct verdict), as many as there were requests */
	FRAME_DECIDER,  /* struct decider, its texts */
	FRAME_NAMED,    /* struct named_head, struct named_record[n] */
	FRAME_COVERAGE, /* struct coverage_head, what it counts */
	FRAME_CLAIM,    /* struct claim_told, one a claim */
	FRAME_POLICY,   /* a policy as an object keeps it, for another child */
	FRAME_COMPARED, /* two struct change_record, texts */
	FRAME_VERIFIED, /* struct verified */
	FRAME_READY,    /* the file has run: struct user_ready */
	FRAME_PRINTED,  /* what a handler printed */
	FRAME_MAP,      /* struct map_question, a key, a value */
	FRAME_GIVEN,    /* all of a FRAME_GIVE was dealt with: struct given */
	FRAME_KINDS
};

/* ---- what goes in ---------------------------------------------------------------- */

enum job_kind { JOB_RUBY, JOB_POLICY, JOB_OBJECT, JOB_OCI, JOB_DUMPS };
enum {
	JOB_IMAGE = 1,    /* of a policy: its program, too */
	JOB_LINT = 2,     /* warn of rules that never decide */
	JOB_BYTECODE = 4, /* of Ruby: a listing of its bytecode */
	JOB_CLAIMS = 8,   /* the file has claims and nothing else */
	JOB_SETTLED = 16, /* a list must leave nothing open */
	JOB_EACH = 32,    /* of JOB_DUMPS: each program can be asked about by itself, too */
};

struct job {
	uint32_t kind;   /* enum job_kind */
	uint32_t flags;  /* JOB_IMAGE ... */
	int32_t mode, audit; /* 1 + value, 0: as the policy says */
	uint32_t nparams, nrequests;
	uint32_t file_len;
	uint32_t text_len;
	/* struct job_param[nparams], struct request_record[nrequests], file, text follow */
};
struct job_param { char name[64]; int64_t value; };

/* What a question is about: part 0 is the whole, 1 + i program i of a JOB_EACH. */
struct about { uint32_t part, kind /* enum dump_kind */; };

struct request_record {
	int32_t type, access;
	int64_t major, minor;
	input_set known;
	uint32_t nmore;
	int64_t fact[INPUT_MAX];
	struct request_who who; /* without texts */
	struct { uint64_t id; int64_t value; uint64_t absent; } more[REQUEST_MORE];
};

/* ---- what comes out --------------------------------------------------------------- */

struct locked {
	int32_t failed;   /* layer that could not be had: enum layer, 0: none */
	int32_t error;    /* errno */
	uint32_t kept_uid; /* the user namespace has no 65534: the uid stayed */
};

enum { VERDICT_OK, VERDICT_MISSING, VERDICT_FAILED };
enum { VERDICT_TEXT = 192 };
struct verdict {
	uint32_t status;
	int32_t missing;  /* enum input */
	uint8_t allow, error, reported, reserved;
	uint32_t rule;    /* 1 + index, 0: the default */
	uint32_t raise;   /* 1 + index among the rule's, 0: none */
	int32_t line;     /* of the raise, where that index is 0 */
	char text[VERDICT_TEXT]; /* of the exception, or why it failed */
};
_Static_assert(sizeof(struct verdict) % 8 == 0, "it has no padding");
/* What the judge says to one request. */
struct verdict_pair { struct verdict diagram, bpf; uint64_t open; /* missing: all facts that could decide, a set of enum input */ };

/* Of each program of a JOB_EACH, and then of all together. The text: why it cannot be read (then no record
 * follows), a line, and a line with a hint or none; else what it decides by that is not understood, a
 * line each. */
struct part { uint32_t failed, reserved; };

/* A rule of policy/explain.h. Its pattern and its condition (length 0: it has none) are behind it. */
struct explained_record { uint32_t verdict, access; int32_t asked; uint32_t npattern, nwhen; };

/* What was found out about a claim (policy/claims.h): texts end with a 0, and are cut where they are long. */
enum { TOLD_TEXT = 192 };
struct claim_told {
	uint32_t state, always, by_default; /* enum claim_state */
	int32_t line, by_line;              /* by_line 0: it has none */
	char file[TOLD_TEXT], label[TOLD_TEXT], request[TOLD_TEXT], device[TOLD_TEXT], params[TOLD_TEXT], on[TOLD_TEXT];
	char by_file[TOLD_TEXT], by_label[TOLD_TEXT];
};

/* By which rule of the policy that stands in it a program decides a request. Its texts follow, each with
 * its 0, in the order of enum decider_text. */
struct decider {
	uint32_t known;      /* 0: nothing of it, there is no policy in it, or it says something else */
	uint32_t allow;      /* what the rule says, the mode aside */
	uint32_t permissive; /* and what is denied is let pass */
	uint32_t error;      /* it raised */
	uint32_t is_default, before_default;
	int32_t line, before; /* `before`: of the first rule that denies one of the accesses */
	uint32_t callers;     /* other callers are allowed it: by the rule of this line, or by default */
	int32_t callers_line;
};
enum decider_text { DECIDER_POLICY, DECIDER_FILE, DECIDER_LABEL, DECIDER_SOURCE, DECIDER_ERROR, DECIDER_BEFORE, DECIDER_PARAMS,
                    DECIDER_CALLERS, DECIDER_CALLERS_SOURCE, DECIDER_TEXTS };

/* What the policy that stands in a program names, and where first. Texts end with a 0. */
struct named_head { uint32_t known, n; }; /* known 0: there is no policy in it */
enum { NAMED_PATH = 256 };
struct named_record {
	int32_t line;
	uint32_t is_cgroup;
	char path[NAMED_PATH], file[TOLD_TEXT]; /* file "": it is the policy's own */
};

/* The answer to requests in FRAME_COVER: what they cover of the policy (policy/coverage.h). */
struct coverage_head {
	uint32_t nmutants, ncases; /* struct mutant_record[nmutants], struct case_record[ncases] follow */
	uint32_t undecidable, reserved;
};
enum { MUTANT_TEXT = 64 };
struct mutant_record {
	uint32_t kind, fate; /* enum mutant_kind, enum fate */
	uint32_t rule;       /* 1 + index; 0: the default */
	uint32_t input;
	int64_t value, other;
	uint32_t inside, needed;
	uint32_t by;         /* 1 + the case: of the requests, or (FATE_LIVES) of the case records; 0: none */
	uint32_t reserved;
	char text[MUTANT_TEXT];
};
struct case_record { struct request_record request; uint32_t allow, reserved; };

/* What a FRAME_COMPARE is about: are both one program of the kernel? */
struct compare_head { uint32_t same, reserved; };
/* What changes from the policy to that of the frame: allowed, denied. The lengths of its texts, which
 * follow the records in this order; NO_TEXT: there is none. */
enum { CHANGE_RULES, CHANGE_HANGS, CHANGE_TEXTS };
#define NO_TEXT UINT32_MAX
struct change_record {
	uint64_t least, most;
	uint32_t found, texts[CHANGE_TEXTS], reserved;
	struct request_record witness;
	struct verdict was, is;
};

/* What the judge says to a program. */
enum {
	VERIFIED_EQUAL, VERIFIED_DIFFERENT, VERIFIED_UNKNOWN,
	/* of the policy that stands in it: there is none; it is that policy, and the line is not */
	VERIFIED_NO_POLICY, VERIFIED_OTHER_LINE
};
struct verified {
	uint32_t meaning;
	uint32_t allows;               /* different: the program allows the witness, and the policy does not */
	struct request_record witness; /* with the facts that it needs */
	char unknown[VERDICT_TEXT];    /* unknown: on what it hangs */
};

/* ---- the user half ---------------------------------------------------------------- */

struct user_job {
	uint32_t nparams, file_len, code_len, call_bytes; /* struct job_param[nparams], file and code follow; call_bytes: how
	                                                   * much one call of a handler may print */
};
#define EVERY_LEAST_NS UINT64_C(100000000)
#define EVERY_MOST_NS  (UINT64_C(366) * 86400 * 1000000000)
enum { INTERVALS_MAX = 100, PRINTED_MAX = 32 << 10, MAP_KEY_MAX = 256 };
struct user_ready {
	uint32_t denied, allowed, lines, rings, intervals, at_exit; /* handlers of each kind */
	uint64_t every[INTERVALS_MAX];                              /* nanoseconds */
};

/* What handlers are given, one after the other: `len` bytes follow. */
enum give_kind {
	GIVE_EVENT,  /* struct give_event, its texts: device, rule, label, cgroup, exe, parent_exe, facts */
	GIVE_LINE,   /* struct give_line, its texts: comm, text */
	GIVE_RECORD, /* of ring `number` */
	GIVE_TICK,   /* interval `number` */
	GIVE_EXIT,
	GIVE_KINDS
};
struct give { uint32_t kind, number, len, reserved; };
struct give_event {
	struct event event;
	uint64_t count;
	int64_t time;
	input_set told;
	int64_t fact[IN_ASK_0 - IN_EUID];
	uint32_t ndevice, nrule, nlabel, ncgroup, nexe, nparent_exe, nfacts, reserved;
};
struct give_line { int64_t time; uint32_t pid, cpu, ncomm, ntext; };
struct given { uint32_t raised; };

enum map_want { MAP_READ, MAP_READ_CPUS, MAP_CLEAR, MAP_CHANGE, MAP_DELETE, MAP_WANTS };
struct map_question { uint32_t want, map, nkey, nvalue; }; /* MAP_READ: nkey 0, all of it */
struct map_answer { int32_t failed; uint32_t n, key_size, value_size, cpus, reserved; };

enum dump_kind { DUMP_ASM, DUMP_TERMS, DUMP_DIAGRAM, DUMP_DOT, DUMP_ORDERS, DUMP_RULES, DUMP_RUBY };

#endif
