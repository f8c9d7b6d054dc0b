/*
 * outfile.c - where a verb writes what it makes: stdout, or a file.
 *
 * A file appears whole or not at all: it is written beside its place and then
 * renamed. What is no regular file (/dev/stdout, a FIFO) is written directly.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_write(struct cmd *c, const struct output *out, int err)
{
	if (out->temporary)
		unlink(out->temporary);
	const char *hint = err == ENOSPC || err == EDQUOT ? "make room, or name another place with -o"
	                   : err == EFBIG                 ? "raise the limit of file sizes (ulimit -f)"
	                   : err == ENAMETOOLONG          ? "a path has at most 4095 bytes, a name 255"
	                   : err == EMFILE                ? "raise the limit of open files (ulimit -n)"
	                                                  : "name a place that can be written with -o";
	return diag_fail(&c->diags, hint, "cannot write %s: %s", out->path ? out->path : "to stdout",
	                 strerror(err));
}

/* Where path leads, when it is a symbolic link: the link itself stays. */
static const char *resolve(struct cmd *c, const char *path)
{
	char *real = realpath(path, NULL);
	const char *kept = real ? arena_strdup(c->arena, real) : path;
	free(real);
	return kept;
}

int output_open(struct cmd *c, const char *path, struct output *out)
{
	struct stat st;
	*out = (struct output){.file = stdout};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	out->path = path;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return cannot_write(c, out, EISDIR);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		out->file = fopen(path, "we");
		return out->file ? 0 : cannot_write(c, out, errno);
	}
	out->path = resolve(c, path);
	char *temporary = arena_printf(c->arena, "%s.XXXXXX", out->path);
	int fd = mkstemp(temporary);
	if (fd < 0)
		return cannot_write(c, out, errno);
	out->temporary = temporary;
	mode_t mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	out->file = fdopen(fd, "w");
	if (!out->file) {
		int err = errno;
		close(fd);
		return cannot_write(c, out, err);
	}
	return 0;
}

int output_close(struct cmd *c, struct output *out)
{
	if (out->file == stdout)
		return 0; /* main() flushes it and looks for errors */
	errno = 0;
	int bad = ferror(out->file) ? EIO : 0;
	if (fflush(out->file) != 0)
		bad = errno;
	if (fclose(out->file) != 0 && !bad)
		bad = errno;
	if (!bad && out->temporary && rename(out->temporary, out->path) != 0)
		bad = errno;
	return bad ? cannot_write(c, out, bad) : 0;
}
