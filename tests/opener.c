/*
 * opener.c - asks the kernel for devices and names its answer, for the scripts.
 *
 *	opener open r|w|rw PATH            ok, or the name of errno
 *	opener mknod c|b MAJOR MINOR PATH  the same; the node is removed again
 *	opener loop COUNT GOOD BAD         opens both, at least COUNT times and until
 *	                                   stdin ends: GOOD must open, BAD must be EPERM
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int say(int rc)
{
	puts(rc >= 0 ? "ok" : strerrorname_np(errno));
	return rc < 0;
}

static int open_error(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int input_ended(void)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

static int loop(long count, const char *good, const char *bad)
{
	long n = 0, wrong = 0;
	for (; n < count || !input_ended(); n++)
		wrong += (open_error(good, O_RDONLY) != 0) + (open_error(bad, O_RDONLY) != EPERM);
	printf("rounds %ld wrong %ld\n", n, wrong);
	return wrong != 0;
}

static int make(const char *type, const char *major, const char *minor, const char *path)
{
	mode_t mode = 0600 | (*type == 'b' ? S_IFBLK : S_IFCHR);
	int rc = mknod(path, mode, makedev((unsigned)atoi(major), (unsigned)atoi(minor)));
	if (!rc)
		unlink(path);
	return say(rc);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "open")) {
		int flags = !strcmp(argv[2], "rw") ? O_RDWR : *argv[2] == 'w' ? O_WRONLY : O_RDONLY;
		errno = open_error(argv[3], flags);
		return say(errno ? -1 : 0);
	}
	if (argc == 6 && !strcmp(argv[1], "mknod"))
		return make(argv[2], argv[3], argv[4], argv[5]);
	if (argc == 5 && !strcmp(argv[1], "loop"))
		return loop(atol(argv[2]), argv[3], argv[4]);
	return 64;
}
