/*
 * users.c - the groups of users that a host has, by name: what nsswitch.conf says, which may
 * load libraries and ask a daemon. So it is no part of an executable without shared libraries.
 */
#include "policy/users.h"
#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/text.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>

enum { BUFFER_FIRST = 4096, BUFFER_MOST = 16 << 20, NAMES_MOST = 1024, NAME_LIMIT = 32 };

/* A group may have many members: the buffer grows. */
static int look(struct arena *scratch, const char *name, uint32_t *gid)
{
	for (size_t size = BUFFER_FIRST; size <= BUFFER_MOST; size *= 4) {
		struct group group, *found = NULL;
		int error = getgrnam_r(name, &group, arena_alloc(scratch, size), size, &found);
		if (error == ERANGE)
			continue;
		if (found)
			*gid = found->gr_gid;
		/* what libraries say where there is none */
		bool none = !error || error == ESRCH || error == EBADF || error == EPERM;
		return found ? 0 : none ? ENOENT : error;
	}
	return ERANGE;
}

/* Only among those of the file: a directory service may have very many. */
static const char *near_name(struct arena *a, const char *name)
{
	const char *names[NAMES_MOST];
	char (*kept)[NAME_LIMIT + 1] = arena_alloc(a, NAMES_MOST * sizeof *kept);
	size_t n = 0;
	FILE *in = fopen("/etc/group", "re");
	if (!in)
		return NULL;
	for (struct group *g; n < NAMES_MOST && (g = fgetgrent(in));) {
		size_t len = strlen(g->gr_name);
		if (len > NAME_LIMIT || text_unsafe(g->gr_name, len) < len)
			continue;
		memcpy(kept[n], g->gr_name, len + 1);
		names[n] = kept[n];
		n++;
	}
	fclose(in);
	return did_you_mean(name, names, n);
}

int users_group(struct arena *a, const char *name, uint32_t *gid, const char **near)
{
	size_t n = strlen(name);
	*near = NULL;
	if (!n || n > GROUP_NAME_MAX || text_unsafe(name, n) < n || strpbrk(name, ":,"))
		return ENOENT;
	struct arena *scratch = arena_scratch(a);
	int error = look(scratch, name, gid);
	arena_free(scratch);
	if (error == ENOENT)
		*near = near_name(a, name);
	return error;
}
