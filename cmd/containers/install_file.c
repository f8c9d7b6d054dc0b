/*
 * install_file.c - the two files of an installed hook: DIR/NAME.json, which engines read,
 * and DIR/NAME.sh, the program that it names.
 *
 * podman and CRI-O pass over a hook whose program does not exist, and start the
 * container without its guard. So the hook names a small wrapper, which belongs to no
 * package, lies beside the hook (engines read *.json only), and refuses the container
 * when the tool is gone. Each file appears whole or not at all, and only in a place that
 * root alone can write to; nothing is written over or removed that is not ours.
 */
#include "cmd/containers/hook.h"
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char wrapper_head[] =
	"#!/bin/sh\n"
	"# Written by rucy-devguard install-hook; rucy-devguard install-hook --remove takes it away.\n"
	"# Engines pass over a hook whose program is not there, and start the container without its\n"
	"# guard. This file stays: when the tool is gone, the container does not start. (A shell takes\n"
	"# an empty file for a script that does nothing, with success: so look whether it is a program.)\n";

static const char wrapper_rest[] =
	"head=\n"
	"[ -f \"$tool\" ] && [ -x \"$tool\" ] && IFS= read -r head <\"$tool\"\n"
	"case $head in ?ELF*) exec \"$tool\" \"$@\" ;; esac\n"
	"message=\"rucy-devguard: error: $tool is gone or no program: the container is not started without its device guard\"\n"
	"echo \"$message\" >&2\n"
	"{ echo \"<3>$message\" >/dev/kmsg; } 2>/dev/null\n"
	"exit 1\n";

const char *wrapper_text(struct cmd *c, const char *program)
{
	char *quoted = arena_alloc(c->args, 4 * strlen(program) + 1), *p = quoted;
	for (; *program; program++)
		if (*program == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *program;
	*p = '\0';
	return arena_printf(c->args, "%stool='%s'\n%s", wrapper_head, quoted, wrapper_rest);
}

/* ---- is it ours? --------------------------------------------------------------------------- */

bool hook_is_ours(const json_t *hook)
{
	const json_t *args = json_object_get(hook, "args");
	const char *name = json_string_value(json_array_get(args, 0)), *verb = json_string_value(json_array_get(args, 1));
	return name && verb && !strcmp(name, PROGRAM) && !strcmp(verb, HOOK_VERB);
}

static bool is_our_hook(int fd)
{
	json_t *root = json_loadfd(fd, 0, NULL);
	bool is = hook_is_ours(json_object_get(root, "hook"));
	json_decref(root);
	return is;
}

static bool is_our_wrapper(int fd)
{
	char text[sizeof wrapper_head];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	return n == (ssize_t)sizeof text - 1 && !memcmp(text, wrapper_head, sizeof text - 1);
}

/* 1 yes, 0 there is none, -1 with a diagnostic. */
static int ours(struct cmd *c, const char *path, bool (*is_ours)(int fd))
{
	struct stat st;
	int fd = open_regular(AT_FDCWD, path, &st);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0 && fd != -ELOOP && fd != -EINVAL)
		return diag_fail(&c->diags, hook_file_hint(-fd), "cannot read %s: %s", path, strerror(-fd));
	bool is = fd >= 0 && is_ours(fd);
	if (fd >= 0)
		close(fd);
	return is ? 1 : diag_fail(&c->diags, "choose another --name, or remove it yourself",
	                          "%s was not written by %s", path, PROGRAM);
}

int hook_file_ours(struct cmd *c, const char *path)
{
	return ours(c, path, is_our_hook);
}

int wrapper_ours(struct cmd *c, const char *path)
{
	return ours(c, path, is_our_wrapper);
}

/* ---- writing ---------------------------------------------------------------------------------- */

const char *hook_file_hint(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT: return "make room";
	case EFBIG: return "raise the limit of file sizes (ulimit -f)";
	case EMFILE:
	case ENFILE: return "raise the limit of open files (ulimit -n)";
	case ENAMETOOLONG: return "a path has at most 4095 bytes, a name 255";
	case EROFS: return "name another directory with --dir, which the engine's configuration must name too";
	default: return "run as root; hooks are in a directory";
	}
}

int make_directories(struct cmd *c, const char *dir)
{
	char *path = arena_strdup(c->args, dir);
	for (char *p = path + 1;; p++) {
		char end = *p;
		if (end && end != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return diag_fail(&c->diags, hook_file_hint(errno), "cannot make %s: %s", path, strerror(errno));
		*p = end;
		if (!end)
			return 0;
	}
}

/* Writes it beside its place. 0, or -1 with a diagnostic and nothing left. */
static int write_beside(struct cmd *c, struct fresh_file *f, const char *path, const char *text, mode_t mode)
{
	int error = fresh_open(c->args, f, AT_FDCWD, path, 0600, FRESH_NAMED); /* not read yet */
	bool noexec = false;
	if (!error) {
		error = write_whole(f->fd, text, strlen(text));
		if (!error && (fchmod(f->fd, mode) || fsync(f->fd)))
			error = errno;
		if (close(f->fd) && !error)
			error = errno;
		if (!error && mode & 0111 && access(f->temporary, X_OK))
			error = errno;
		noexec = error == EACCES;
	}
	if (!error)
		return 0;
	fresh_drop(f);
	return diag_fail(&c->diags, noexec ? "nothing there can be executed: is it mounted noexec? See --dir" : hook_file_hint(error),
	                 "cannot write %s: %s", path, strerror(error));
}

int hook_file_write(struct cmd *c, const char *path, const char *text, mode_t mode)
{
	struct fresh_file f;
	int fd, error;
	if (write_beside(c, &f, path, text, mode))
		return STATUS_FAILED;
	int status = open_trusted_file(c, f.temporary, "who can write there can replace the hook: chown root, chmod go-w, and no "
	                                               "symbolic links", &fd);
	if (!status) {
		close(fd);
		if ((error = fresh_place(&f))) {
			diag_fail(&c->diags, hook_file_hint(error), "cannot write %s: %s", path, strerror(error));
			status = STATUS_FAILED;
		}
	}
	fresh_drop(&f);
	return status;
}
