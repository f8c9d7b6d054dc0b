/*
 * trusted_file.c - a file that a hook will use: a runtime starts it as root, in any directory, so
 * that its path must be absolute and only root may have written it.
 */
#include "cmd/containers/hook.h"
#include "policy/trusted.h"

int open_trusted_file(struct cmd *c, const char *path, const char *hint, int *fd)
{
	enum { MISSING = 1, HOST = -2 };
	const char *why;
	if (path[0] != '/')
		return usage_error(c, "a runtime starts its hooks in any directory", "%s is no absolute path", path);
	int result = trusted_open(c->arena, path, fd, &why);
	if (!result)
		return STATUS_OK;
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = path},
	         result == MISSING ? "name a file that is there" : result == HOST ? "see what the host lacks" : hint, "%s",
	         result == MISSING ? "no such file" : why);
	return result == MISSING || result == HOST ? STATUS_FAILED : STATUS_REFUSED;
}
