/*
 * outfile.c - where a verb writes what it makes: stdout, or a file.
 *
 * A file appears whole or not at all: it is written without a name, where the file system
 * can do that, so that nothing is left when the tool is killed; else beside its place and then
 * renamed. What is no regular file (/dev/stdout, a FIFO) is written directly.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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
	                   : err == ENOMEM                ? "free memory, or raise the limit of this process"
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

/* A file without a name in the directory of `path`, or with one beside it: out->temporary. */
static int open_temporary(struct cmd *c, struct output *out)
{
	const char *directory = dirname(arena_strdup(c->arena, out->path));
	int fd = access("/proc/self/fd", X_OK) ? -1 : open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (fd >= 0)
		return fd;
	char *temporary = arena_printf(c->arena, "%s.XXXXXX", out->path);
	fd = mkstemp(temporary);
	if (fd < 0)
		return -1;
	out->temporary = temporary;
	mode_t mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	return fd;
}

/* Gives the open file the name. Where there is such a file it needs another name first, for
 * the moment until it takes its place. 0 or an errno. */
static int give_name(struct cmd *c, struct output *out)
{
	const char *self = arena_printf(c->arena, "/proc/self/fd/%d", fileno(out->file));
	if (!linkat(AT_FDCWD, self, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW))
		return 0;
	for (int i = 0; errno == EEXIST && i < 100; i++) {
		char *beside = arena_printf(c->arena, "%s.%d.%d", out->path, (int)getpid(), i);
		if (!linkat(AT_FDCWD, self, AT_FDCWD, beside, AT_SYMLINK_FOLLOW)) {
			out->temporary = beside;
			return 0;
		}
	}
	return errno;
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
	int fd = open_temporary(c, out);
	if (fd < 0)
		return cannot_write(c, out, errno);
	out->nameless = !out->temporary;
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
	if (!bad && out->nameless)
		bad = give_name(c, out);
	if (fclose(out->file) != 0 && !bad)
		bad = errno;
	if (!bad && out->temporary && rename(out->temporary, out->path) != 0)
		bad = errno;
	return bad ? cannot_write(c, out, bad) : 0;
}
