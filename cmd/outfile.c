/*
 * outfile.c - where a verb writes what it makes: stdout, or a file, which appears whole or not
 * at all (file.h). What is no regular file (/dev/stdout, a FIFO) is written directly.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_write(struct cmd *c, struct output *out, int err)
{
	fresh_drop(&out->fresh);
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

bool output_is_source(struct cmd *c, const char *path, const char *source)
{
	struct stat a, b;
	if (!path || stat(path, &a) || stat(source, &b) || !S_ISREG(a.st_mode) || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return false;
	usage_error(c, "name another file with -o", "%s is the policy itself: it would be gone", path);
	return true;
}

int output_open(struct cmd *c, const char *path, enum output_kind kind, struct output *out)
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
	int err = fresh_open(c->arena, &out->fresh, AT_FDCWD, out->path, kind == OUTPUT_PROGRAM ? 0755 : 0666, FRESH_NAMELESS);
	if (err)
		return cannot_write(c, out, err);
	out->file = fdopen(out->fresh.fd, "w");
	if (out->file)
		return 0;
	err = errno;
	close(out->fresh.fd);
	return cannot_write(c, out, err);
}

/* A stream keeps no reason: a further write, into a file that will not stay, has the same. */
static int reason_of(struct output *out)
{
	return out->fresh.path && write(fileno(out->file), "", 1) < 0 ? errno : EIO;
}

int output_close(struct cmd *c, struct output *out)
{
	if (out->file == stdout)
		return 0; /* cli.c flushes it and looks for errors */
	errno = 0;
	int bad = ferror(out->file) ? reason_of(out) : 0;
	if (fflush(out->file) != 0 && !bad)
		bad = errno;
	if (!bad && out->fresh.path)
		bad = fresh_name(&out->fresh);
	if (fclose(out->file) != 0 && !bad)
		bad = errno;
	if (!bad && out->fresh.path)
		bad = fresh_place(&out->fresh);
	return bad ? cannot_write(c, out, bad) : 0;
}
