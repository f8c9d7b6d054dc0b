/* devices_v1.c - the devices controller of cgroup v1, where a hybrid host has it beside programs. */
#include "cgroup/internal.h"
#include "policy/access.h"

#include <mntent.h>
#include <stdlib.h>
#include <string.h>

/* The v1 cgroup of a process with that controller: "5:devices:/a". */
static const char *path_v1(struct arena *a, pid_t pid)
{
	char *line = NULL;
	size_t room = 0;
	const char *found = NULL;
	FILE *f = fopen(arena_printf(a, "/proc/%d/cgroup", (int)pid), "re");
	while (f && !found && getline(&line, &room, f) > 0) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		for (char *name = strtok(names + 1, ","); name && !found; name = strtok(NULL, ","))
			if (!strcmp(name, "devices"))
				found = arena_strndup(a, path, strcspn(path, "\n"));
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static const char *mount_v1(struct arena *a)
{
	struct mntent entry;
	char text[4096];
	const char *found = NULL;
	FILE *f = setmntent("/proc/self/mounts", "re");
	while (f && !found && getmntent_r(f, &entry, text, sizeof text))
		if (!strcmp(entry.mnt_type, "cgroup") && hasmntopt(&entry, "devices"))
			found = arena_strdup(a, entry.mnt_dir);
	if (f)
		endmntent(f);
	return found;
}

const char *process_devices_v1(struct arena *a, pid_t pid)
{
	enum { LIST_MAX = 1 << 20 };
	const char *path = path_v1(a, pid), *mount = path ? mount_v1(a) : NULL;
	FILE *f = mount ? fopen(arena_printf(a, "%s%s/devices.list", mount, path), "re") : NULL;
	if (!f)
		return NULL;
	char *text = arena_alloc(a, LIST_MAX + 1);
	text[fread(text, 1, LIST_MAX, f)] = '\0';
	bool whole = feof(f) && !ferror(f);
	fclose(f);
	return whole ? text : NULL;
}

/* "c 1:3 rwm", "b *:* m" */
static bool line_allows(const char *line, int type, int64_t major, int64_t minor, int access)
{
	char kind, majors[12], minors[12], letters[4];
	if (sscanf(line, "%c %11[0-9*]:%11[0-9*] %3[rwm]", &kind, majors, minors, letters) != 4)
		return false;
	int allowed = access_parse(letters);
	return (kind == 'a' || kind == (type == DEV_BLOCK ? 'b' : 'c')) && (*majors == '*' || atoll(majors) == major) &&
	       (*minors == '*' || (minor >= 0 && atoll(minors) == minor)) && allowed > 0 && !(access & ~allowed);
}

bool devices_v1_allow(const char *list, int type, int64_t major, int64_t minor, int access)
{
	bool allowed = false;
	for (const char *line = list; *line && !allowed; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n'))
		allowed = line_allows(line, type, major, minor, access);
	return allowed;
}
