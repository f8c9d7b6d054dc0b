/*
 * device_name.c - what this host calls a device number: the DEVNAME that sysfs
 * has for it; /dev/pts, which sysfs does not know; a node below /dev, for drivers that
 * tell sysfs nothing (NVIDIA's).
 *
 * A name may change while we run, and denials come in thousands: what was found
 * is used for a second, in a table where a new device takes the place of another.
 */
#include "cmd/audit/audit.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

enum { SLOTS = 256, PATH_BYTES = 96, PTS_MAJOR = 136, WALKS_A_SECOND = 16 };

struct slot {
	int type;           /* 0: empty */
	uint32_t major, minor;
	time_t until;
	char path[PATH_BYTES]; /* empty: no name */
};

struct device_names {
	struct slot slots[SLOTS];
	time_t second; /* in it /dev was walked so often: a flood of strange numbers costs no more */
	unsigned walks;
};

struct device_names *device_names_new(struct arena *a)
{
	return arena_alloc(a, sizeof(struct device_names));
}

const char *device_type(int type)
{
	return type == DEV_BLOCK ? "b" : "c";
}

/* The DEVNAME= line of the device's uevent file. */
static void name_in_sysfs(struct slot *s)
{
	char file[64], line[256];
	snprintf(file, sizeof file, "/sys/dev/%s/%u:%u/uevent",
	         s->type == DEV_BLOCK ? "block" : "char", s->major, s->minor);
	FILE *f = fopen(file, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, "DEVNAME=", 8) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line + 8) + sizeof "/dev/" <= sizeof s->path)
			snprintf(s->path, sizeof s->path, "/dev/%.*s", PATH_BYTES - 6, line + 8);
	}
	if (f)
		fclose(f);
}

static void name_of_terminal(struct slot *s)
{
	struct stat st;
	if (s->type != DEV_CHAR || s->major != PTS_MAJOR)
		return;
	snprintf(s->path, sizeof s->path, "/dev/pts/%u", s->minor);
	if (stat(s->path, &st) || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(s->major, s->minor))
		s->path[0] = '\0';
}

static bool name_of_node(void *self, const struct dev_node *node)
{
	struct slot *s = self;
	if (node->type != s->type || node->major != s->major || node->minor != s->minor ||
	    strlen(node->path) >= sizeof s->path)
		return false;
	strcpy(s->path, node->path);
	return true;
}

static void name_below_dev(struct device_names *names, struct slot *s, time_t now)
{
	if (names->second != now)
		names->walks = 0;
	names->second = now;
	if (names->walks++ < WALKS_A_SECOND)
		dev_nodes(name_of_node, s);
}

const char *device_path(struct device_names *names, int type, uint32_t major, uint32_t minor)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	uint32_t hash = (major * 0x9e3779b1u) ^ (minor * 0x85ebca6bu) ^ (uint32_t)type;
	struct slot *s = &names->slots[(hash ^ hash >> 16) % SLOTS];
	if (s->type != type || s->major != major || s->minor != minor || now.tv_sec > s->until) {
		*s = (struct slot){.type = type, .major = major, .minor = minor,
		                   .until = now.tv_sec + 1};
		name_in_sysfs(s);
		if (!s->path[0])
			name_of_terminal(s);
		if (!s->path[0])
			name_below_dev(names, s, now.tv_sec);
	}
	return s->path[0] ? s->path : NULL;
}

void device_text(struct device_names *names, int type, uint32_t major, uint32_t minor,
                 char out[DEVICE_TEXT])
{
	const char *path = device_path(names, type, major, minor);
	char number[40];
	snprintf(number, sizeof number, "%s %u:%u", device_type(type), major, minor);
	size_t n = path ? text_escape(out, DEVICE_TEXT - sizeof number - 3, path, strlen(path)) : 0;
	snprintf(out + n, DEVICE_TEXT - n, path ? " (%s)" : "%s", number);
}
