/* host_names.c - what this host calls the devices of a recording: their paths, and their drivers by /proc/devices. */
#include "cmd/audit/audit.h"
#include "cmd/learn/learn.h"
#include "policy/host.h"

#include <stdlib.h>
#include <string.h>

/* The first name of a major number in the listing that is no path; NULL: it has none. */
static const char *driver_of(struct arena *a, const char *listing, const struct learned_request *r)
{
	const char *block = strstr(listing, "Block devices:");
	const char *at = r->type == DEV_BLOCK ? block : listing;
	const char *end = r->type == DEV_BLOCK || !block ? listing + strlen(listing) : block;
	for (; at && at < end; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n')) {
		char *rest;
		long long major = strtoll(at, &rest, 10);
		size_t n = strcspn(rest, "\n");
		if (rest != at && major == r->major && n > 1 && n < 64 && rest[1] != '/')
			return arena_strndup(a, rest + 1, n - 1);
	}
	return NULL;
}

void learned_host_names(struct learning *l)
{
	struct device_names *names = device_names_new(l->cmd->arena);
	const char *listing;
	if (host_dev.groups(&host_dev, l->cmd->arena, &listing))
		listing = "";
	for (size_t i = 0; i < l->all.n; i++) {
		struct learned_request *r = &l->all.list[i];
		const char *path = r->path ? NULL : device_path(names, r->type, (uint32_t)r->major, (uint32_t)r->minor);
		if (path && learned_path_fits(path))
			r->path = arena_strdup(l->arena, path);
		r->driver = r->driver ? r->driver : driver_of(l->arena, listing, r);
	}
}
