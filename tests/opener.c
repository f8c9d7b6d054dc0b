/*
 * opener.c - asks the kernel for devices and names its answer, for the scripts.
 *
 *	opener open r|w|rw PATH            ok, or the name of errno
 *	opener mknod c|b MAJOR MINOR PATH  the same; the node is removed again
 *	opener serve                       PATH r|w|rw|m a line of stdin (m: a null device is made): an answer a line
 *	opener loop COUNT GOOD BAD         opens both, at least COUNT times and until
 *	                                   stdin ends: GOOD must open, BAD must be EPERM
 *	opener grid LISTS                  requests about devices: `MAJORS:MINORS,...`, each as c and b,
 *	                                   for m, r, w, rw and nothing
 *	opener ask DIRECTORY CGROUP        reads requests, goes into the cgroup and puts each to the kernel:
 *	                                   the verdicts as eval prints them
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

static int serve(void)
{
	char path[512], letters[4];
	puts("ready");
	fflush(stdout);
	while (scanf("%511s %3s", path, letters) == 2) {
		if (!strcmp(letters, "m"))
			make("c", "1", "3", path);
		else
			say((errno = open_error(path, !strcmp(letters, "r") ? O_RDONLY : !strcmp(letters, "w") ? O_WRONLY : O_RDWR)) ? -1 : 0);
		fflush(stdout);
	}
	return 0;
}

/* ---- many requests ------------------------------------------------------------------ */

/* "0-511" */
static void range(const char *text, unsigned *from, unsigned *to)
{
	*from = *to = (unsigned)strtoul(text, (char **)&text, 10);
	if (*text == '-')
		*to = (unsigned)strtoul(text + 1, NULL, 10);
}

/* Numbers that one MAJORS:MINORS names; device 0:0 is none the kernel asks about. */
static void grid_of(const char *majors, const char *minors)
{
	static const char *const letters[] = {"m", "r", "w", "rw", "-"};
	unsigned from, to, low, high;
	range(majors, &from, &to);
	range(minors, &low, &high);
	for (unsigned major = from; major <= to; major++)
		for (unsigned minor = low; minor <= high; minor++)
			for (const char *type = "cb"; *type && (major || minor); type++)
				for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
					printf("%c %u:%u %s\n", *type, major, minor, letters[i]);
}

static int grid(char *lists)
{
	for (char *one = strtok(lists, ","); one; one = strtok(NULL, ",")) {
		char *minors = strchr(one, ':');
		if (!minors)
			return 64;
		*minors = '\0';
		grid_of(one, minors + 1);
	}
	return 0;
}

struct request {
	char type, letters[5];
	unsigned major, minor;
};

static const char *node_of(const struct request *r)
{
	static char name[64];
	snprintf(name, sizeof name, "%c%u.%u", r->type, r->major, r->minor);
	return name;
}

static int make_node(const struct request *r, const char *name)
{
	return mknod(name, 0600 | (r->type == 'b' ? S_IFBLK : S_IFCHR), makedev(r->major, r->minor));
}

/* EPERM is a denial; what else goes wrong is none of the filter's. */
static int is_denied(const struct request *r)
{
	int mode = (strchr(r->letters, 'r') ? R_OK : 0) | (strchr(r->letters, 'w') ? W_OK : 0);
	if (*r->letters != 'm')
		return faccessat(AT_FDCWD, node_of(r), mode, AT_EACCESS) && errno == EPERM;
	int denied = make_node(r, "made") && errno == EPERM;
	unlink("made");
	return denied;
}

/* The nodes are made outside, where nobody denies it. */
static int ask(const char *directory, const char *cgroup)
{
	static struct request all[1 << 20];
	size_t n = 0;
	FILE *procs;
	if (chdir(directory) || !(procs = fopen(cgroup, "a")))
		return 64;
	while (n < sizeof all / sizeof *all &&
	       scanf(" %c %u:%u %4s", &all[n].type, &all[n].major, &all[n].minor, all[n].letters) == 4) {
		if (make_node(&all[n], node_of(&all[n])) && errno != EEXIST)
			return say(-1);
		n++;
	}
	if (fprintf(procs, "%d\n", (int)getpid()) < 0 || fclose(procs))
		return say(-1);
	for (size_t i = 0; i < n; i++)
		printf("%s %c %u:%u %s\n", is_denied(&all[i]) ? "deny" : "allow", all[i].type, all[i].major, all[i].minor,
		       all[i].letters);
	return n == 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 3 && !strcmp(argv[1], "grid"))
		return grid(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "ask"))
		return ask(argv[2], argv[3]);
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
