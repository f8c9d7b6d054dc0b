/* inside.h - the child's side of the locked room. */
#ifndef DEVGUARD_CMD_ROOM_INSIDE_H
#define DEVGUARD_CMD_ROOM_INSIDE_H

#include "cmd/room/room.h"
#include "policy/budget.h"
#include "policy/host.h"

/* How a child ends that does not wait for its end. */
enum {
	INSIDE_FAULT = 96, INSIDE_OVER, /* more memory than the limit */
	INSIDE_NO_MEMORY,               /* the host has no more */
	INSIDE_PIPE,                    /* a pipe does not work */
	INSIDE_TIME,                    /* asked to say where it is, and to end */
	INSIDE_PRINTED,                 /* a handler printed more than it may */
};

struct inside {
	struct arena *arena;
	struct diags diags;
	struct budget budget;
	struct host host;    /* asks the parent */
	const char *groups;  /* the answer to ASK_GROUPS, once it was put */
	struct ruby *ruby;   /* while there is an interpreter */
	struct user *user;   /* of the user half */
	int (*running_line)(const struct inside *in, unsigned *file); /* where it is, as ruby_running_line(); NULL: no Ruby here */
	jmp_buf no_memory;
};

/* To be called before the process is locked in: who handles its signals. */
void inside_prepare(void);
/* Runs `work`; memory: bytes it may take. */
_Noreturn void inside_run(void (*work)(struct inside *in), size_t memory, struct progress *progress);

/* The next frame from the parent; its bytes live in the arena, with a 0 behind them.
 * Ends the process at the end of the pipe. */
void inside_read(struct inside *in, struct frame *out);
/* Sends a frame; ends the process when nobody reads. */
void inside_write(struct inside *in, enum frame_kind kind, const void *data, size_t len);
/* Ends the process: a limit is passed, and where is told. */
_Noreturn void inside_stop(struct inside *in, int how);
/* Sends the messages there are and forgets them, then FRAME_DONE. */
void inside_done(struct inside *in, bool failed);

/* A job taken apart. */
struct order {
	struct job job;
	struct param_setting *params;
	const struct request_record *requests;
	const char *file, *text;
	size_t len;
};
void order_read(struct inside *in, const struct frame *f, struct order *out);

/* A text for a record: cut where it is long, a 0 behind it; NULL: none. */
void record_text(char *to, size_t size, const char *text);

/* Whatever failed must have said why. Returns `failed`. */
bool explained(struct inside *in, const char *file, bool failed);

/* The decision as a record. missing: enum input, when failed. */
void verdict_of(struct verdict *v, const struct policy *p, const struct decision *d, int failed,
                int missing);

#endif
