/*
 * channel.c - the pipes to a child of the room. Nothing here waits: what the child does not take
 * yet is kept, and a frame that has not come whole is read on later.
 */
#include "cmd/room/parent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/room/questions.h"

void channel_queue(struct room *r, enum frame_kind kind, const void *head, size_t nhead, const void *data, size_t len)
{
	uint32_t start[2] = {kind, (uint32_t)(nhead + len)};
	size_t need = r->nout + sizeof start + nhead + len;
	if (need > r->out_cap) {
		unsigned char *grown = realloc(r->out, need);
		if (!grown)
			cmd_no_memory(r->cmd);
		r->out = grown;
		r->out_cap = need;
	}
	memcpy(r->out + r->nout, start, sizeof start);
	if (nhead)
		memcpy(r->out + r->nout + sizeof start, head, nhead);
	if (len)
		memcpy(r->out + r->nout + sizeof start + nhead, data, len);
	r->nout = need;
}

/* Writes what the pipe takes now. SIGPIPE is no way to learn that the child is gone. */
void channel_flush(struct room *r)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	sigaction(SIGPIPE, &ignore, &old);
	size_t done = 0;
	while (done < r->nout) {
		ssize_t n = write(r->to, r->out + done, r->nout - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			r->broken = errno == EPIPE ? 0 : errno;
			done = r->nout; /* EPIPE: it is gone, the other pipe says so too */
		}
		if (n < 0)
			break;
		done += (size_t)n;
	}
	sigaction(SIGPIPE, &old, NULL);
	r->nout -= done;
	if (r->nout && done)
		memmove(r->out, r->out + done, r->nout);
	if (!r->nout) { /* a text of 4 MiB need not stay */
		free(r->out);
		r->out = NULL;
		r->out_cap = 0;
	}
}

/* The largest frame of a kind that a child may send. */
static size_t largest(const struct taker *t, uint32_t kind)
{
	switch (kind) {
	case FRAME_LOCKED:
		return sizeof(struct locked);
	case FRAME_QUESTION:
		return QUESTION_MAX;
	case FRAME_DIAG:
		return DIAG_FRAME_MAX;
	case FRAME_DONE:
		return sizeof(int32_t);
	case FRAME_CLAIM:
		return sizeof(struct claim_told);
	case FRAME_READY:
		return sizeof(struct user_ready);
	case FRAME_PRINTED:
		return PRINTED_MAX;
	case FRAME_MAP:
		return sizeof(struct map_question) + MAP_KEY_MAX * 2;
	case FRAME_GIVEN:
		return sizeof(struct given);
	case FRAME_POLICY:
	case FRAME_RECORD:
	case FRAME_VERDICTS:
	case FRAME_TEXT:
	case FRAME_RULES:
	case FRAME_PART:
	case FRAME_DECIDER:
	case FRAME_NAMED:
	case FRAME_COVERAGE:
	case FRAME_COMPARED:
	case FRAME_VERIFIED:
		return t ? t->most : 0;
	default:
		return 0;
	}
}

/* The head is there: room for what follows. False: it is no frame that may come. */
static bool frame_begins(struct room *r, const struct taker *t)
{
	if (r->head[1] > largest(t, r->head[0]))
		return false;
	free(r->in);
	if (!(r->in = malloc((size_t)r->head[1] + 1)))
		cmd_no_memory(r->cmd);
	return true;
}

/* The head, or what follows, as much of it as there is. */
static enum pulse read_part(struct room *r, bool head)
{
	size_t have = head ? r->nin : r->nin - sizeof r->head, want = (head ? sizeof r->head : r->head[1]) - have;
	unsigned char *to = (head ? (unsigned char *)r->head : r->in) + have;
	ssize_t n = 0;
	while (want && (n = read(r->from, to, want)) < 0 && errno == EINTR)
		;
	if (n < 0 && errno == EAGAIN)
		return PULSE_MORE;
	if (n < 0)
		r->broken = errno;
	r->nin += n > 0 ? (size_t)n : 0;
	return n > 0 || !want ? PULSE_FRAME : PULSE_END;
}

enum pulse channel_read(struct room *r, const struct taker *t)
{
	for (;;) {
		bool head = r->nin < sizeof r->head;
		enum pulse pulse = read_part(r, head);
		if (pulse != PULSE_FRAME)
			return pulse;
		if (head && r->nin == sizeof r->head && !frame_begins(r, t))
			return PULSE_GARBLED;
		if (r->nin >= sizeof r->head && r->nin == sizeof r->head + r->head[1]) {
			r->nin = 0;
			return PULSE_FRAME;
		}
	}
}
