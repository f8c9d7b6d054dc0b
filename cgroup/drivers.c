/* drivers.c - which device numbers a driver of the running kernel has. */
#include "cgroup/internal.h"
#include "policy/access.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_major(int type, int64_t major)
{
	static const char *const heads[] = {"Character devices:", "Block devices:"};
	char line[128];
	bool there = false, part = false, read = false;
	FILE *f = fopen("/proc/devices", "re");
	while (f && fgets(line, sizeof line, f)) {
		if (strstr(line, "devices:"))
			part = !strncmp(line, heads[type == DEV_BLOCK], strlen(heads[type == DEV_BLOCK]));
		read |= part;
		there |= part && strtoll(line, NULL, 10) == major;
	}
	if (f)
		fclose(f);
	return there || !read;
}

/* Is the number itself there, of those kinds of which sysfs tells? */
static bool has_minor(struct arena *a, int type, int64_t major, int64_t minor)
{
	struct stat st;
	bool told = type == DEV_BLOCK || major == 1 || major == 10;
	const char *dir = arena_printf(a, "/sys/dev/%s", type == DEV_BLOCK ? "block" : "char");
	return !told || stat(dir, &st) || !stat(arena_printf(a, "%s/%lld:%lld", dir, (long long)major, (long long)minor), &st);
}

bool driver_has(struct arena *a, int type, int64_t major, int64_t minor)
{
	return has_major(type, major) && (minor < 0 || has_minor(a, type, major, minor));
}
