/*
 * library.c - cgroups made by libcgroup.
 *
 * The only file that includes <libcgroup.h>. The library is initialised for each
 * question: it caches mounts, and the hierarchy may have changed. Its warnings
 * ("fts_read failed") are about files that are not there and mean nothing to a
 * user, so they are not shown; callers look at what was really made.
 */
#include "cgroup/library.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libcgroup.h>

static void quiet(void *userdata, int level, const char *fmt, va_list ap)
{
	(void)userdata, (void)level, (void)fmt, (void)ap;
}

static int initialise(void)
{
	cgroup_set_logger(quiet, CGROUP_LOG_ERROR, NULL);
	return cgroup_init();
}

bool library_works(const char **why)
{
	int error = initialise();
	*why = error ? cgroup_strerror(error) : NULL;
	return !error;
}

bool library_sees(const char *mount, const char *controller)
{
	char *point = NULL;
	if (initialise() || cgroup_get_subsys_mount_point(controller, &point))
		return false;
	bool same = !strcmp(point, mount);
	free(point);
	return same;
}

int library_create(const char *controller, const char *name)
{
	struct cgroup *group = cgroup_new_cgroup(name);
	if (!group)
		return -1;
	/* ignore_ownership: the files keep the owner the kernel gave them */
	int error = cgroup_add_controller(group, controller) ? cgroup_create_cgroup(group, 1) : -1;
	cgroup_free(&group);
	return error ? -1 : 0;
}
