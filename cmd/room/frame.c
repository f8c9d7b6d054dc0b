/*
 * frame.c - frames on a pipe: a kind, a length, bytes. And messages as frames.
 */
#include "cmd/room/room.h"
#include "policy/file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Frames that a child keeps back, so that the parent wakes up once for all of them. */
static struct { char data[32 << 10]; size_t n; bool on; } held;

void frames_hold(void)
{
	held.on = true;
}

int frames_flush(int fd)
{
	size_t n = held.n;
	held.n = 0;
	return write_whole(fd, held.data, n);
}

static void hold(const void *data, size_t len)
{
	if (len)
		memcpy(held.data + held.n, data, len);
	held.n += len;
}

int frame_write2(int fd, enum frame_kind kind, const void *head, size_t nhead, const void *data, size_t len)
{
	uint32_t start[2] = {kind, (uint32_t)(nhead + len)};
	if (nhead + len > UINT32_MAX)
		return EFBIG;
	int error = sizeof start + nhead + len > sizeof held.data - held.n ? frames_flush(fd) : 0;
	if (!error && sizeof start + nhead + len > sizeof held.data) {
		error = write_whole(fd, start, sizeof start);
		if (!error)
			error = write_whole(fd, head, nhead);
		return error ? error : write_whole(fd, data, len);
	}
	if (error)
		return error;
	hold(start, sizeof start); /* together: one system call */
	hold(head, nhead);
	hold(data, len);
	return held.on ? 0 : frames_flush(fd);
}

int frame_write(int fd, enum frame_kind kind, const void *data, size_t len)
{
	return frame_write2(fd, kind, NULL, 0, data, len);
}

/* ---- messages ------------------------------------------------------------------------- */

enum { FILE_TEXT, TEXT, HINT, SOURCE, PARAM, PARAM_TEXT, PARAM_HINT, TEXTS, NONE = -1 };
static const int32_t texts_max[TEXTS] = {PATH_MAX, 16 << 10, 4 << 10, 4 << 10, 256, 512, 512};

struct diag_head {
	uint32_t level;
	int32_t line, column;
	int32_t lens[TEXTS]; /* NONE: it has none */
};

/* As much of the text as is sent; not cut within a character. */
static int32_t text_len(const char *text, int32_t max)
{
	size_t n = strnlen(text, (size_t)max);
	if (n == (size_t)max)
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	return (int32_t)n;
}

int diag_write(int fd, const struct diag *d)
{
	const char *texts[TEXTS] = {d->at.file, d->text, d->hint, d->source, d->param, d->param_text, d->param_hint};
	struct diag_head h = {.level = d->level, .line = d->at.line, .column = d->at.column};
	char all[DIAG_FRAME_MAX];
	size_t n = sizeof h;
	for (int i = 0; i < TEXTS; i++) {
		h.lens[i] = texts[i] ? text_len(texts[i], texts_max[i]) : NONE;
		if (texts[i])
			memcpy(all + n, texts[i], (size_t)h.lens[i]);
		n += texts[i] ? (size_t)h.lens[i] : 0;
	}
	memcpy(all, &h, sizeof h);
	return frame_write(fd, FRAME_DIAG, all, n);
}

bool diag_read(struct diags *d, const char *file, const void *data, size_t len)
{
	const char *at = data, *end = at + len;
	struct diag_head h;
	const char *texts[TEXTS] = {[FILE_TEXT] = file};
	if (len < sizeof h)
		return false;
	memcpy(&h, at, sizeof h);
	at += sizeof h;
	if (h.level > DIAG_NOTE || h.line < 0 || h.column < 0 || h.lens[TEXT] < 0)
		return false;
	for (int i = 0; i < TEXTS; i++) {
		if (h.lens[i] == NONE)
			continue;
		if (h.lens[i] < 0 || h.lens[i] > texts_max[i] || h.lens[i] > end - at || memchr(at, 0, (size_t)h.lens[i]))
			return false;
		texts[i] = arena_strndup(d->arena, at, (size_t)h.lens[i]);
		at += h.lens[i];
	}
	if (at != end)
		return false;
	struct span place = {.file = texts[FILE_TEXT], .line = h.line, .column = h.column};
	struct diag *read = diag_add(d, (enum diag_level)h.level, place, texts[HINT], "%s", texts[TEXT]);
	read->source = texts[SOURCE];
	read->param = texts[PARAM];
	read->param_text = texts[PARAM_TEXT];
	read->param_hint = texts[PARAM_HINT];
	return true;
}
