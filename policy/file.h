/* file.h - files read whole, and written whole or not at all. */
#ifndef DEVGUARD_POLICY_FILE_H
#define DEVGUARD_POLICY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct stat;

/* Opens a regular file for reading, no symbolic link: its descriptor, or -errno; EINVAL, or ELOOP
 * of a link: it is something else. */
int open_regular(int dir, const char *path, struct stat *st);

/* Reads to the end of the file, or until `size` bytes are there: how many, or -errno. */
ssize_t read_whole(int fd, void *to, size_t size);

/* Text of any length: malloc, with a NUL behind it. */
struct file_text {
	char *data;
	size_t len, cap;
};
/* Reads on to the end of the file, or until there is more than `most`. 0, EFBIG, or another
 * errno; what was read before is there. */
int read_text(int fd, size_t most, struct file_text *t);
/* The same, for what may never end: ETIMEDOUT when it has not by `deadline` (CLOCK_MONOTONIC, in
 * milliseconds; 0: wait). */
int read_text_until(int fd, size_t most, int64_t deadline, struct file_text *t);
/* That clock. */
int64_t clock_milliseconds(void);

/* 0 or an errno. */
int write_whole(int fd, const void *from, size_t len);

/* A file in the making, that takes its place when it is whole. */
struct fresh_file {
	struct arena *arena;
	int dir;           /* `path` is below it, or AT_FDCWD */
	const char *path;
	int fd;
	char *temporary;   /* its name until then; NULL: it has none yet */
};
enum fresh_kind {
	FRESH_NAMELESS, /* where the file system can do that: nothing is left when we are killed */
	FRESH_NAMED,
};
/* Makes it in the directory of its path. 0 or an errno. */
int fresh_open(struct arena *a, struct fresh_file *f, int dir, const char *path, mode_t mode, enum fresh_kind kind);
/* To be called while it is open, by whoever then closes it. 0 or an errno. */
int fresh_name(struct fresh_file *f);
/* Takes its place, once it is closed. 0 or an errno. */
int fresh_place(struct fresh_file *f);
/* Forgets it, open or closed: nothing is left. */
void fresh_drop(struct fresh_file *f);

#endif
