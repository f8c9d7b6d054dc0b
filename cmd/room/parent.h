/* parent.h - the parent's side of one locked room: shared by room.c, ending.c and channel.c. */
#ifndef DEVGUARD_CMD_ROOM_PARENT_H
#define DEVGUARD_CMD_ROOM_PARENT_H

#include <time.h>

#include "cmd/room/room.h"
#include "policy/limits.h"

enum { SAID_MAX = 512 };

struct room {
	struct cmd *cmd;
	struct limits limits;
	bool unconfined;
	pid_t pid;
	clockid_t cpu_clock;
	int to, from, said_fd; /* pipes */
	int broken;            /* errno of one that does not work */
	struct progress *progress; /* shared with the child, which writes it */
	struct locked locked;
	bool is_locked;
	size_t questions, kept;    /* kept: bytes of questions, answers and messages */
	bool asks_too_much;
	char said[SAID_MAX]; /* what it wrote to stderr */
	size_t nsaid;
	/* bytes to the child that are not written yet */
	unsigned char *out;
	size_t nout, out_cap;
	/* the frame that arrives */
	uint32_t head[2];
	unsigned char *in;
	size_t nin;
};

/* ---- channel.c ---------------------------------------------------------------------- */

/* Puts a frame in two parts behind those that are to be sent. */
void channel_queue(struct room *r, enum frame_kind kind, const void *head, size_t nhead, const void *data, size_t len);
/* Writes what the pipe takes now. */
void channel_flush(struct room *r);
enum pulse { PULSE_MORE, PULSE_FRAME, PULSE_END, PULSE_GARBLED };
/* Reads on; PULSE_FRAME when one is whole: r->head, r->in. */
enum pulse channel_read(struct room *r, const struct taker *t);

/* ---- ending.c ----------------------------------------------------------------------- */

/* The host does not give what a room needs, see errno: always STATUS_FAILED. */
int room_failed(struct cmd *c, const char *what);
/* Asks the child where it is (sig: SIGXCPU; 0: it ends by itself), then ends it: its wait status. */
int room_reap(struct room *r, int sig);
/* Keeps the beginning of what the child wrote to stderr. */
void room_listen(struct room *r);
/* Its time is over, by the clock that `which` names: asks it where it is, and ends it. */
int room_out_of_time(struct room *r, const char *file, const char *which);
/* It is gone, or sent what no child of ours would (`garbled`); says how it ended. */
int room_ended(struct room *r, const char *file, bool garbled);
/* It says that it could not be locked in: STATUS_OK when that is allowed. */
int room_not_locked(struct room *r);

#endif
