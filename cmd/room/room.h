/*
 * room.h - the locked room: a child process without privileges in which a stranger's
 * policy is run, compiled and asked.
 *
 * The parent sends jobs and answers questions about the host; the child sends frames. What
 * comes out of the room is bytes from a stranger: each frame is bounded before it is read
 * and checked before it is used.
 *
 *   room.c       makes a child, gives it a frame, takes what comes back, watches the clock
 *   ending.c     ends a child, says how it ended
 *   channel.c    the pipes: frames that are sent as the child takes them, and read as they come
 *   confine.c    what the child may still do: the layers
 *   filter/      its system calls: a program that is run when the tool is built
 *   frame.c      frames on a pipe, messages among them: both sides
 *   questions.c  the questions a child may ask, and the answers
 *   inside.c     the child's side: its budget, its questions, its jobs
 *   work_*.c     what is done inside
 *   told.c       what was found out about a claim, checked
 *   record.c     a proven policy as fixed-size records
 *   request.c    requests as records, checked
 */
#ifndef DEVGUARD_CMD_ROOM_ROOM_H
#define DEVGUARD_CMD_ROOM_ROOM_H

#include "compiler/compiler.h"

/* ---- frame.c ------------------------------------------------------------------------ */

enum frame_kind {
	/* to the child */
	FRAME_JOB = 1, FRAME_ANSWER, FRAME_REQUESTS, FRAME_DUMP, FRAME_PLAIN, FRAME_EXPLAIN, FRAME_RULE, FRAME_COVER,
	FRAME_CLAIMS,   /* a policy as an object keeps it: its claims are put to the one that was proven */
	FRAME_SHARE,    /* the policy, for another judge: FRAME_POLICY */
	FRAME_COMPARE,  /* struct compare_head, a policy of another judge: FRAME_COMPARED */
	FRAME_VERIFY,   /* a program, as dumps_write() has it: is it the policy? */
	/* from the child */
	FRAME_LOCKED,   /* it is locked in: struct locked */
	FRAME_QUESTION, /* struct question, the text */
	FRAME_DIAG,     /* one message */
	FRAME_POLICY,   /* a policy as an object keeps it, for another child */
	FRAME_CLAIM,    /* struct claim_told, one a claim */
	FRAME_RECORD,   /* a proven policy, see record.h */
	FRAME_VERDICTS, /* struct verdict, as many as there were requests */
	FRAME_TEXT,     /* a listing */
	FRAME_RULES,    /* what a FRAME_EXPLAIN asked for: struct explained_record and two texts, as many as there are */
	FRAME_PART,     /* what of a program among several: struct part, text; before its record */
	FRAME_DECIDER,  /* struct decider, its texts */
	FRAME_COVERAGE, /* struct coverage_head, what it counts */
	FRAME_COMPARED, /* two struct change_record, texts */
	FRAME_VERIFIED, /* struct verified */
	FRAME_DONE,     /* all was done that the frame to the child asked for: int32_t failed */
	FRAME_KINDS
};

struct frame {
	uint32_t kind, len;
	unsigned char *data; /* malloc */
};

/* Writes a frame whole. 0 or an errno. */
int frame_write(int fd, enum frame_kind kind, const void *data, size_t len);
/* From here on this process writes frames only when there are many, or by frames_flush(). */
void frames_hold(void);
int frames_flush(int fd);
/* The same in two parts. */
int frame_write2(int fd, enum frame_kind kind, const void *head, size_t nhead, const void *data, size_t len);

enum { DIAG_FRAME_MAX = 32 << 10 };
/* A message as a frame, cut where it is very long; the parent checks what it reads. */
int diag_write(int fd, const struct diag *d);
/* Adds the message to d; one about no file is about `file`: only the tool itself speaks in
 * its own name. False: the bytes are no message. */
bool diag_read(struct diags *d, const char *file, const void *data, size_t len);

/* ---- what goes in ---------------------------------------------------------------- */

enum job_kind { JOB_RUBY, JOB_POLICY, JOB_OBJECT, JOB_OCI, JOB_DUMPS };
enum {
	JOB_IMAGE = 1, JOB_LINT = 2, JOB_BYTECODE = 4,
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

/* What a FRAME_REQUESTS (requests follow), FRAME_RULE (one follows), FRAME_DUMP or FRAME_EXPLAIN is about: part 0 is the whole, 1 + i program i
 * of a JOB_EACH. */
struct about { uint32_t part, kind /* enum dump_kind */; };

struct request_record {
	int32_t type, access;
	int64_t major, minor;
	uint32_t known, reserved;
	int64_t fact[INPUT_MAX];
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
/* What the judge says to one request. */
struct verdict_pair { struct verdict diagram, bpf; };

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

struct claims_told { struct claim_told *list; size_t n, cap; };

/* By which rule of the policy that stands in it a program decides a request. Its texts follow, each with
 * its 0, in the order of enum decider_text. */
struct decider {
	uint32_t known;      /* 0: nothing of it, there is no policy in it, or it says something else */
	uint32_t allow;      /* what the rule says, the mode aside */
	uint32_t permissive; /* and what is denied is let pass */
	uint32_t error;      /* it raised */
	uint32_t is_default, before_default;
	int32_t line, before; /* `before`: of the first rule that denies one of the accesses */
};
enum decider_text { DECIDER_POLICY, DECIDER_FILE, DECIDER_LABEL, DECIDER_SOURCE, DECIDER_ERROR, DECIDER_BEFORE, DECIDER_TEXTS };

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
enum { VERIFIED_EQUAL, VERIFIED_DIFFERENT, VERIFIED_UNKNOWN };
struct verified {
	uint32_t meaning;
	uint32_t allows;               /* different: the program allows the witness, and the policy does not */
	struct request_record witness; /* with the facts that it needs */
	char unknown[VERDICT_TEXT];    /* unknown: on what it hangs */
};

enum dump_kind { DUMP_ASM, DUMP_TERMS, DUMP_DIAGRAM, DUMP_DOT, DUMP_ORDERS, DUMP_RULES, DUMP_RUBY };

/* ---- request.c -------------------------------------------------------------------- */

struct request_record request_record(const struct request *r);
struct request request_of(const struct request_record *r);
/* One from a child, checked: the kernel can ask it, and it has facts within their ranges alone. */
bool request_taken(const struct request_record *r, struct request *out);

/* ---- told.c ----------------------------------------------------------------------- */

/* Adds what a frame says of a claim, checked. False: it is none. */
bool claim_take(struct arena *a, struct claims_told *to, const void *data, size_t len);

/* ---- the parent's side: room.c ------------------------------------------------- */

struct cmd;
struct inside;
struct room;
struct settings;

/* Makes a child that runs `work`, within the limits of the settings; nothing large must have
 * been read before. STATUS_OK or a status with a diagnostic: then there is no child. */
int room_open(struct cmd *c, const struct settings *s, void (*work)(struct inside *in), struct room **out);
/* Sends a frame and waits until it was dealt with (FRAME_DONE): messages are added to
 * c->diags, questions are answered, other frames are handed to `take` (NULL: refused).
 * The clock of the limits starts with each call, unless `go_on`. STATUS_OK, or a status
 * with a diagnostic; after that only room_close() may follow. */
struct taker {
	/* False: the frame is not what it should be. */
	bool (*take)(void *self, enum frame_kind kind, const unsigned char *data, size_t len);
	void *self;
	size_t most; /* bytes of its largest frame */
};
struct call {
	enum frame_kind kind;
	const void *head; /* two parts, one after the other */
	size_t nhead;
	const void *data;
	size_t len;
	bool go_on;       /* the time of the call before counts too */
	void (*meanwhile)(struct cmd *c); /* done while the child works: far less than a limit; or NULL */
};
int room_call(struct room *r, const char *file, const struct call *call, const struct taker *t);
/* Ends the child. NULL is allowed. */
void room_close(struct room *r);
/* Waits for the children that were ended. */
void rooms_reap(struct cmd *c);

/* The user namespace has no uid of nobody: the child kept the caller's. */
bool room_kept_uid(const struct room *r);
/* How a child is locked in: "uid 65534, no capabilities, 12 system calls". */
const char *room_layers(struct arena *a, bool kept_uid);

/* ---- the child's side: inside.c, work_ruby.c, work_judge.c ------------------------------------ */

void work_ruby(struct inside *in);
void work_judge(struct inside *in);
void work_nothing(struct inside *in); /* to see whether a child can be locked in */

#endif
