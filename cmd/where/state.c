/*
 * state.c - reads the files in which engines keep their containers: root's alone, of a bounded size,
 * JSON. A symbolic link is followed for the directory of an engine only (/var/lib/docker is often one);
 * where it leads must be root's as well.
 */
#include "cmd/where/engines.h"
#include "policy/file.h"
#include "policy/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_MAX = 4 << 20, ENTRIES_MAX = 20000 };

static enum state_answer not_read(struct cmd *c, const char **why, const char *path, const char *text)
{
	*why = arena_printf(c->arena, "%s: %s", path, text);
	return STATE_NOT;
}

enum state_answer state_read(struct cmd *c, const char *path, json_t **out, const char **why)
{
	struct file_text text = {0};
	json_error_t error;
	int fd, opened = trusted_open(c->arena, path, &fd, why);
	*out = NULL;
	if (opened)
		return opened == 1 ? STATE_ABSENT : STATE_NOT;
	int failed = read_text(fd, STATE_MAX, &text);
	close(fd);
	if (failed == ENOMEM)
		cmd_no_memory(c);
	if (!failed)
		*out = json_loadb(text.data, text.len, 0, &error);
	free(text.data);
	if (failed)
		return not_read(c, why, path, failed == EFBIG ? "it has more than 4 MiB" : strerror(failed));
	return *out ? STATE_READ : not_read(c, why, path, arena_printf(c->arena, "no valid JSON: %s", error.text));
}

const char *state_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	for (const char *p = text; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
	return text && *text ? text : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum state_answer state_entries(struct cmd *c, const char *dir, const char *const **names, size_t *n, const char **why)
{
	const char **list = NULL;
	size_t cap = 0;
	struct dirent *e;
	DIR *open = opendir(dir);
	*n = 0;
	*names = NULL;
	if (!open && errno == ENOMEM)
		cmd_no_memory(c);
	if (!open)
		return errno == ENOENT || errno == ENOTDIR ? STATE_ABSENT : not_read(c, why, dir, strerror(errno));
	for (errno = 0; *n <= ENTRIES_MAX && (e = readdir(open)); errno = 0)
		if (e->d_name[0] != '.')
			*ARENA_PUSH(c->arena, list, *n, cap) = arena_strdup(c->arena, e->d_name);
	int error = errno;
	closedir(open);
	if (error || *n > ENTRIES_MAX)
		return not_read(c, why, dir, error ? strerror(error) : "it has more than 20000 entries");
	if (*n)
		qsort(list, *n, sizeof *list, by_name);
	*names = list;
	return STATE_READ;
}
