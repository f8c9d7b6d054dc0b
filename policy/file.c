/*
 * file.c - files read whole, and written whole or not at all.
 *
 * What is said of a size is not believed; what interrupts a call is no end. A file is written
 * without a name where the file system can do that, or beside its place, and then renamed: a
 * reader has the old file or the new one.
 */
#include "policy/arena.h"
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- reading ---------------------------------------------------------------------- */

int open_regular(int dir, const char *path, struct stat *st)
{
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = fstat(fd, st) ? errno : S_ISREG(st->st_mode) ? 0 : EINVAL;
	if (!error)
		return fd;
	close(fd);
	return -error;
}

ssize_t read_whole(int fd, void *to, size_t size)
{
	size_t len = 0;
	ssize_t n;
	while (len < size && (n = read(fd, (char *)to + len, size - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

int64_t clock_milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until there is something to read, the end also. 0 or an errno. */
static int wait_for(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	for (;;) {
		int64_t left = deadline - clock_milliseconds();
		int n = left > 0 ? poll(&p, 1, left < INT_MAX ? (int)left : INT_MAX) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		return n > 0 ? 0 : n ? errno : ETIMEDOUT;
	}
}

int read_text(int fd, size_t most, struct file_text *t)
{
	return read_text_until(fd, most, 0, t);
}

int read_text_until(int fd, size_t most, int64_t deadline, struct file_text *t)
{
	enum { FIRST = 16 << 10 };
	int late;
	while (t->len <= most) {
		if (t->len + 1 >= t->cap) {
			size_t cap = t->cap ? t->cap * 2 : FIRST;
			char *grown = realloc(t->data, cap);
			if (!grown)
				return ENOMEM;
			t->data = grown;
			t->cap = cap;
		}
		if (deadline && (late = wait_for(fd, deadline)))
			return late;
		ssize_t n = read(fd, t->data + t->len, t->cap - 1 - t->len);
		if (n < 0 && errno == EINTR)
			continue;
		t->len += n > 0 ? (size_t)n : 0;
		t->data[t->len] = '\0';
		if (n <= 0)
			return n ? errno : 0;
	}
	return EFBIG;
}

/* ---- writing ---------------------------------------------------------------------- */

int write_whole(int fd, const void *from, size_t len)
{
	for (const char *at = from; len;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno != EINTR)
			return errno;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

enum { NAMES_TRIED = 100 };

/* A name beside the file's place, that nobody else will choose. */
static char *name_beside(const struct fresh_file *f, int i)
{
	return arena_printf(f->arena, "%s.%d.%d", f->path, (int)getpid(), i);
}

static const char *directory_of(const struct fresh_file *f)
{
	const char *slash = strrchr(f->path, '/');
	if (!slash)
		return ".";
	return slash == f->path ? "/" : arena_strndup(f->arena, f->path, (size_t)(slash - f->path));
}

int fresh_open(struct arena *a, struct fresh_file *f, int dir, const char *path, mode_t mode, enum fresh_kind kind)
{
	*f = (struct fresh_file){.arena = a, .dir = dir, .path = path, .fd = -1};
	if (kind == FRESH_NAMELESS && !access("/proc/self/fd", X_OK)) /* it gets its name by that */
		f->fd = openat(dir, directory_of(f), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	int error = 0;
	for (int i = 0; f->fd < 0 && i < NAMES_TRIED; i++) {
		char *name = name_beside(f, i);
		f->fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		error = f->fd < 0 ? errno : 0;
		f->temporary = f->fd < 0 ? NULL : name;
		if (error && error != EEXIST)
			break;
	}
	return error;
}

/* Where there is a file in its place it needs another name first, for the moment until it takes
 * that place. */
int fresh_name(struct fresh_file *f)
{
	if (f->temporary)
		return 0;
	const char *self = arena_printf(f->arena, "/proc/self/fd/%d", f->fd);
	if (!linkat(AT_FDCWD, self, f->dir, f->path, AT_SYMLINK_FOLLOW))
		return 0;
	for (int i = 0; errno == EEXIST && i < NAMES_TRIED; i++) {
		char *name = name_beside(f, i);
		if (!linkat(AT_FDCWD, self, f->dir, name, AT_SYMLINK_FOLLOW)) {
			f->temporary = name;
			return 0;
		}
	}
	return errno;
}

int fresh_place(struct fresh_file *f)
{
	if (!f->temporary)
		return 0;
	if (renameat(f->dir, f->temporary, f->dir, f->path))
		return errno;
	f->temporary = NULL;
	return 0;
}

void fresh_drop(struct fresh_file *f)
{
	if (f->temporary)
		unlinkat(f->dir, f->temporary, 0);
	f->temporary = NULL;
}
