/*
 * host.h - what a policy may ask of the host it is compiled on, and nothing else.
 *
 * Whoever compiles in a process that may open nothing passes the questions on; the
 * answers here are those of this process.
 */
#ifndef DEVGUARD_POLICY_HOST_H
#define DEVGUARD_POLICY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* What is at a path. */
struct host_device {
	int error;            /* errno, 0: the rest is filled in */
	uint32_t mode;        /* as of stat(2) */
	int64_t major, minor; /* of a device node */
	const char *near;     /* ENOENT: a path that was probably meant, or NULL */
};

struct host {
	/* The device node at an absolute path; arena text. */
	void (*device)(const struct host *h, struct arena *a, const char *path, struct host_device *out);
	/* The text of /proc/devices: 0 or an errno. */
	int (*groups)(const struct host *h, struct arena *a, const char **listing);
	/* The number of a group of users: 0, or an errno; ENOENT: there is none, *near: the name that
	 * was probably meant, or NULL. */
	int (*group)(const struct host *h, struct arena *a, const char *name, uint32_t *gid, const char **near);
	/* The nodes whose path matches a shell pattern, whose last part alone has wildcards:
	 * "c 188:0 /dev/ttyUSB0\n" a line, by name. 0, or an errno and in *listing the path it
	 * is about or NULL. Never a part of them. */
	int (*matches)(const struct host *h, struct arena *a, const char *pattern, const char **listing);
	/* The text of a file that a policy loads, NUL-terminated, its name relative to the
	 * policy's directory: 0, or -1 with *why. NULL: there are no such files. */
	int (*file)(const struct host *h, struct arena *a, const char *name, const char **text,
	            size_t *len, const char **why);
	bool any_path; /* a device's path need not be below /dev */
	void *self;
};

/* For what a person asks: any path, by stat(2). */
extern const struct host host_here;
/* For what a policy asks: paths below /dev, resolved without leaving it, through
 * directories that root alone can write. A path that leaves it: EXDEV; through a
 * directory that others can write: EACCES. */
extern const struct host host_dev;

#endif
