/*
 * running.c - the parent's side of a child that lives on: its frames are taken as they come, beside other work,
 * and nothing here waits for it.
 */
#include "cmd/room/parent.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/room/inside.h"

enum { FRAMES_A_TURN = 64 };

void room_fds(const struct room *r, struct pollfd fds[ROOM_FDS])
{
	fds[0] = (struct pollfd){.fd = r->from, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = r->said_fd, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = r->nout ? r->to : -1, .events = POLLOUT};
}

void room_send(struct room *r, enum frame_kind kind, const void *head, size_t nhead, const void *data, size_t len)
{
	channel_queue(r, kind, head, nhead, data, len);
	channel_flush(r);
}

bool room_waits(const struct room *r)
{
	return r->nout;
}

/* The first frame: how it is locked in. */
static enum room_state take_locked(struct room *r)
{
	r->is_locked = r->head[0] == FRAME_LOCKED && r->head[1] == sizeof r->locked;
	if (!r->is_locked)
		return ROOM_GARBLED;
	memcpy(&r->locked, r->in, sizeof r->locked);
	return r->locked.failed && room_not_locked(r) ? ROOM_NOT_LOCKED : ROOM_ALIVE;
}

enum room_state room_turn(struct room *r, const struct taker *t)
{
	enum pulse pulse = PULSE_MORE;
	channel_flush(r);
	room_listen(r);
	for (int i = 0; i < FRAMES_A_TURN && (pulse = channel_read(r, t)) == PULSE_FRAME; i++) {
		enum room_state state = !r->is_locked ? take_locked(r)
		                        : t->take(t->self, (enum frame_kind)r->head[0], r->in, r->head[1]) ? ROOM_ALIVE : ROOM_GARBLED;
		if (state != ROOM_ALIVE)
			return state;
		channel_flush(r);
	}
	return r->broken || pulse == PULSE_END ? ROOM_GONE : pulse == PULSE_GARBLED ? ROOM_GARBLED : ROOM_ALIVE;
}

double room_cpu(const struct room *r)
{
	struct timespec t = {0};
	clock_gettime(r->cpu_clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void room_leave(struct room *r, double seconds)
{
	struct rlimit limit = {.rlim_cur = (rlim_t)(room_cpu(r) + seconds) + 1, .rlim_max = RLIM_INFINITY};
	prlimit(r->pid, RLIMIT_CPU, &limit, NULL);
}

uint32_t room_done(const struct room *r)
{
	return r->progress->done;
}

static enum room_end end_of(int status, bool garbled)
{
	if (WIFEXITED(status))
		switch (WEXITSTATUS(status)) {
		case INSIDE_TIME: return ROOM_ENDED_TIME;
		case INSIDE_OVER: return ROOM_ENDED_MEMORY;
		case INSIDE_PRINTED: return ROOM_ENDED_PRINTED;
		case INSIDE_NO_MEMORY: return ROOM_ENDED_NO_MEMORY;
		default: return garbled ? ROOM_ENDED_GARBLED : ROOM_ENDED_BROKEN;
		}
	switch (WTERMSIG(status)) {
	case SIGSYS: return ROOM_ENDED_CALL;
	case SIGXCPU: return ROOM_ENDED_TIME;
	case SIGKILL: return garbled ? ROOM_ENDED_GARBLED : ROOM_ENDED_KILLED;
	default: return ROOM_ENDED_BROKEN;
	}
}

struct room_ended room_stop(struct room *r, bool late, bool garbled)
{
	int status = room_reap(r, late ? SIGXCPU : garbled ? SIGKILL : 0);
	room_listen(r);
	struct room_ended e = {.how = late ? ROOM_ENDED_TIME : end_of(status, garbled), .file = r->progress->file, .line = r->progress->line,
	                       .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0, .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0};
	e.line = e.line > 0 ? e.line : 0;
	room_close(r);
	return e;
}
