/*
 * room.h - the locked room: a child process without privileges in which a stranger's
 * policy is run, compiled and asked.
 *
 * The parent sends jobs and answers questions about the host; the child sends frames. What
 * comes out of the room is bytes from a stranger: each frame is bounded before it is read
 * and checked before it is used.
 *
 *   room.c       makes a child, gives it a frame, takes what comes back, watches the clock
 *   running.c    the same for a child that lives on and is not waited for
 *   ending.c     ends a child, says how it ended
 *   channel.c    the pipes: frames that are sent as the child takes them, and read as they come
 *   confine.c    what the child may still do: the layers
 *   filter/      its system calls: a program that is run when the tool is built
 *   frames.h     what is in a frame: both sides
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

#include <poll.h>

#include "cmd/room/frames.h"

/* ---- frame.c ------------------------------------------------------------------------ */

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

/* ---- request.c -------------------------------------------------------------------- */

struct request_record request_record(const struct request *r);
struct request request_of(const struct request_record *r);
/* One from a child, checked: the kernel can ask it, and it has facts within their ranges alone. */
bool request_taken(const struct request_record *r, struct request *out);

/* ---- told.c ----------------------------------------------------------------------- */

struct claims_told { struct claim_told *list; size_t n, cap; };
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

/* ---- running.c: a child that lives on, and is not waited for ------------------------------ */

enum { ROOM_FDS = 3 };
void room_fds(const struct room *r, struct pollfd fds[ROOM_FDS]);
/* Puts a frame in two parts behind those that are to be sent. */
void room_send(struct room *r, enum frame_kind kind, const void *head, size_t nhead, const void *data, size_t len);
/* Is there something that the child has not taken yet? */
bool room_waits(const struct room *r);
/* Sends what the child takes now, and takes some of the frames that have come; none is kept. ROOM_GONE: it has ended.
 * ROOM_GARBLED: it sent what it should not. After both only room_stop() may follow. */
enum room_state { ROOM_ALIVE, ROOM_GONE, ROOM_GARBLED, ROOM_NOT_LOCKED /* with a diagnostic in c->diags */ };
enum room_state room_turn(struct room *r, const struct taker *t);
/* Seconds of CPU time that it took so far. */
double room_cpu(const struct room *r);
/* So many seconds of CPU time are left to it, also when we end first. */
void room_leave(struct room *r, double seconds);
/* How much it is done with of what it was given, in all: a number that it writes. */
uint32_t room_done(const struct room *r);

enum room_end {
	ROOM_ENDED_TIME,      /* it was asked to say where it is (`late`) */
	ROOM_ENDED_MEMORY, ROOM_ENDED_PRINTED,
	ROOM_ENDED_NO_MEMORY, /* the host has none */
	ROOM_ENDED_CALL,      /* a system call that is not allowed */
	ROOM_ENDED_KILLED,    /* by somebody else */
	ROOM_ENDED_BROKEN,    /* by a fault: `signal` or `exit_status` */
	ROOM_ENDED_GARBLED
};
struct room_ended {
	enum room_end how;
	int signal, exit_status;
	unsigned file; /* where it was: 0 the policy, n the n-th file it loaded */
	int line;      /* 0: not known */
};
/* Ends it, closes the room, and says how it ended. late: its time is over; garbled: what it sent was wrong. */
struct room_ended room_stop(struct room *r, bool late, bool garbled);

/* ---- the child's side: inside.c, work_ruby.c, work_list.c, work_user.c ------------------------------ */

void work_ruby(struct inside *in);
void work_judge(struct inside *in);
void work_user(struct inside *in);
void work_nothing(struct inside *in); /* to see whether a child can be locked in */

#endif
