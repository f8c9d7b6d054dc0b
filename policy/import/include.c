/*
 * include.c - the files that lxc.include names: one, or the *.conf files of a
 * directory. What cannot be read is an error: without its `deny = a` a list would
 * mean another thing.
 */
#include "policy/file.h"
#include "policy/import/include.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INCLUDE_MAX = 4 << 20 };

static int cannot_include(struct fault *f, const char *path, const char *why)
{
	return fault_set(f, "import on the host of the container, or take the line out and import both files as one",
	                 "cannot include %s: %s", text_quoted(f->arena, (struct slice){path, strlen(path)}), why);
}

static int not_opened(struct fault *f, const char *path)
{
	if (errno == ENOMEM)
		arena_fail(f->arena);
	return cannot_include(f, path, strerror(errno));
}

bool include_enter(struct includes *open, const char *path)
{
	struct stat st;
	if (open->depth == INCLUDE_DEPTH_MAX || stat(path, &st))
		return false;
	for (int i = 0; i < open->depth; i++)
		if (open->file[i].dev == st.st_dev && open->file[i].ino == st.st_ino)
			return false;
	open->file[open->depth].dev = st.st_dev, open->file[open->depth].ino = st.st_ino;
	return true;
}

static int include_text(struct fault *f, const char *path, int fd, struct slice *out)
{
	struct file_text text = {0};
	int error = read_text(fd, INCLUDE_MAX, &text);
	char *kept = arena_strndup(f->arena, text.data ? text.data : "", error ? 0 : text.len);
	free(text.data);
	if (error == ENOMEM)
		arena_fail(f->arena);
	if (error)
		return cannot_include(f, path, "it cannot be read, or is larger than 4 MiB");
	if (memchr(kept, '\0', text.len))
		return cannot_include(f, path, "it is no text");
	*out = (struct slice){kept, text.len};
	return 0;
}

int include_read(struct includes *open_files, struct fault *f, const char *path, struct slice *out)
{
	if (++open_files->total > INCLUDES_MAX)
		return cannot_include(f, path, "more than 1024 files are included");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return not_opened(f, path);
	int failed = include_enter(open_files, path) ? include_text(f, path, fd, out)
	                                             : cannot_include(f, path, "the files include each other");
	close(fd);
	return failed;
}

static int is_conf(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 5 && !strcmp(e->d_name + n - 5, ".conf");
}

static int files_of_directory(struct fault *f, const char *path, const char ***files, size_t *count)
{
	struct dirent **names;
	int n = scandir(path, &names, is_conf, alphasort);
	if (n < 0)
		return not_opened(f, path);
	*files = arena_alloc(f->arena, ((size_t)n + 1) * sizeof **files);
	*count = (size_t)n;
	for (int i = 0; i < n; i++) {
		(*files)[i] = arena_printf(f->arena, "%s/%s", path, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return 0;
}

int include_files(struct fault *f, struct slice value, const char ***files, size_t *n)
{
	const char *path = arena_strndup(f->arena, value.s, value.n);
	struct stat st;
	*n = 0;
	if (stat(path, &st)) /* LXC's own userns.conf names a directory that few hosts have */
		return errno == ENOENT && value.n && value.s[value.n - 1] == '/' ? 0 : not_opened(f, path);
	if (S_ISDIR(st.st_mode))
		return files_of_directory(f, path, files, n);
	if (!S_ISREG(st.st_mode))
		return cannot_include(f, path, "it is no regular file");
	*files = arena_alloc(f->arena, sizeof **files);
	**files = path;
	*n = 1;
	return 0;
}
