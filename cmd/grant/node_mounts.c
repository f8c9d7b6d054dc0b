/* node_mounts.c - tables of mounts: what a mount is of, and whether something of it is to be seen on this host. */
#include "cmd/grant/node_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One line: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
struct line {
	uint64_t id;
	uint64_t dev;
	char type[MOUNT_TYPE];
};

static bool read_line(const char *text, struct line *out)
{
	unsigned long long id;
	unsigned major, minor;
	const char *type = strstr(text, " - ");
	if (!type || sscanf(text, "%llu %*u %u:%u ", &id, &major, &minor) != 3)
		return false;
	*out = (struct line){.id = id, .dev = makedev(major, minor)};
	snprintf(out->type, sizeof out->type, "%.*s", (int)strcspn(type + 3, " \n"), type + 3);
	return true;
}

/* Gives each line to `one` until it returns true. Did it? True, too, when there is no such table. */
static bool each_line(int dir, const char *name, bool (*one)(void *arg, const struct line *line), void *arg)
{
	char *text = NULL;
	size_t room = 0;
	struct line line;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool found = !f;
	if (!f && fd >= 0)
		close(fd);
	while (!found && getline(&text, &room, f) > 0)
		found = read_line(text, &line) && one(arg, &line);
	free(text);
	if (f)
		fclose(f);
	return found;
}

struct finding { uint64_t id; char *type; };

static bool is_mount(void *arg, const struct line *line)
{
	const struct finding *f = arg;
	if (line->id != f->id)
		return false;
	memcpy(f->type, line->type, MOUNT_TYPE);
	return true;
}

void mounts_type(int proc, const char *name, uint64_t id, char out[MOUNT_TYPE])
{
	struct finding f = {id, out};
	out[0] = '\0';
	each_line(proc, name, is_mount, &f);
}

static bool is_here(void *arg, const struct line *line)
{
	return line->dev == *(const uint64_t *)arg;
}

bool mounts_here(uint64_t dev)
{
	return each_line(AT_FDCWD, "/proc/self/mountinfo", is_here, &dev) || each_line(AT_FDCWD, "/proc/1/mountinfo", is_here, &dev);
}
