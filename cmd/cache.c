/*
 * cache.c - compiled policies, so that a container's start pays for loading only.
 *
 * A file in /run/rucy-devguard/cache holds all that the object was made from (this
 * tool's version, the policy's path and text, parameters, mode and audit) and the
 * object. It is used when that is the same byte for byte, and when the devices that
 * the host answers what the policy asked of it as it did. Its directory is root's
 * alone and checked before each use; an object from it is proven like any other. Nothing
 * fails for the cache: without it the policy is compiled.
 */
#include "cmd/cmd.h"
#include "cmd/room/questions.h"
#include "cmd/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN "/run/rucy-devguard"

static const char magic[8] = "DGCACH2";
enum { ENTRY_MAX = 64 << 20, NAME_SIZE = 32, ENTRIES_MAX = 1024 };

struct head {
	char magic[sizeof magic];
	uint64_t key, asked, object; /* bytes of each; they follow */
};

/* Root's own directory below another; its descriptor, or -1. */
static int own_directory(int parent, const char *name, bool make)
{
	struct stat st;
	if (make)
		mkdirat(parent, name, 0700);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || st.st_uid != 0 || st.st_mode & 022)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int open_cache(bool make)
{
	int run = own_directory(AT_FDCWD, RUN, make);
	int fd = run < 0 ? -1 : own_directory(run, "cache", make);
	if (run >= 0)
		close(run);
	return fd;
}

/* What the file is named after is the part that does not change with the policy's text: so
 * a changed policy takes the place of what it was. */
static const char *key_of(struct arena *a, const struct settings *s, const struct document *in, size_t *len,
                          char name[NAME_SIZE])
{
	char *settings = arena_printf(a, "%s\n%s\nmode %d audit %d\n", DEVGUARD_VERSION, in->file, s->mode, s->audit);
	for (size_t i = 0; i < s->nparams; i++)
		settings = arena_printf(a, "%s%s=%" PRId64 "\n", settings, s->params[i].name, s->params[i].value);
	size_t n = strlen(settings);
	char *key = arena_alloc(a, n + in->len);
	memcpy(key, settings, n);
	memcpy(key + n, in->text, in->len);
	*len = n + in->len;
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: only to find the file, whose key is then compared */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
	snprintf(name, NAME_SIZE, "%016" PRIx64, h);
	return key;
}

static bool read_whole(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, (char *)to + at, n - at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

/* The questions and answers of an entry, and whether they hold still. */
static bool fresh(struct cmd *c, const unsigned char *at, size_t len)
{
	const unsigned char *end = at + len;
	while (at < end) {
		uint64_t sizes[2];
		if ((size_t)(end - at) < sizeof sizes)
			return false;
		memcpy(sizes, at, sizeof sizes);
		at += sizeof sizes;
		if (sizes[0] > (uint64_t)(end - at) || sizes[1] > (uint64_t)(end - at) - sizes[0])
			return false;
		struct asked one = {at, sizes[0], at + sizes[0], sizes[1]};
		if (!asked_still(c, &one, 1))
			return false;
		at += sizes[0] + sizes[1];
	}
	return true;
}

/* The object of an open entry, if it has this key and the host answers as it did. */
static bool read_entry(struct cmd *c, int fd, const char *key, size_t len, struct bytes *object)
{
	struct head h;
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_mode & 022 ||
	    !read_whole(fd, &h, sizeof h) || memcmp(h.magic, magic, sizeof magic) || h.key != len ||
	    h.object > ENTRY_MAX || h.asked > ENTRY_MAX ||
	    (uint64_t)st.st_size != sizeof h + h.key + h.asked + h.object)
		return false;
	char *there = arena_alloc(c->arena, h.key + h.asked + h.object);
	if (!read_whole(fd, there, h.key + h.asked + h.object) || memcmp(there, key, len) ||
	    !fresh(c, (unsigned char *)there + h.key, h.asked))
		return false;
	*object = (struct bytes){(unsigned char *)there + h.key + h.asked, h.object};
	return true;
}

bool cache_find(struct cmd *c, const struct settings *s, const struct document *in, struct bytes *object)
{
	size_t len;
	char name[NAME_SIZE];
	int directory = open_cache(false);
	if (directory < 0)
		return false;
	const char *key = key_of(c->arena, s, in, &len, name);
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool found = fd >= 0 && read_entry(c, fd, key, len, object);
	if (fd >= 0)
		close(fd);
	close(directory);
	return found;
}

static bool write_whole(int fd, const void *from, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t put = write(fd, (const char *)from + at, n - at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += (size_t)put;
	}
	return true;
}

/* What the policy asked of the host while it was compiled, and the answers. */
static bool write_asked(const struct cmd *c, int fd)
{
	for (size_t i = 0; i < c->asking.nasked; i++) {
		const struct asked *q = &c->asking.asked[i];
		uint64_t sizes[2] = {q->nquestion, q->nanswer};
		if (!write_whole(fd, sizes, sizeof sizes) || !write_whole(fd, q->question, q->nquestion) ||
		    !write_whole(fd, q->answer, q->nanswer))
			return false;
	}
	return true;
}

/* A parameter from an annotation can make any number of entries, and a hook that is killed
 * leaves a file: when there are too many, all begins anew. */
static void make_room(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	size_t n = 0;
	while (readdir(dir))
		n++;
	rewinddir(dir);
	for (struct dirent *e; n > ENTRIES_MAX && (e = readdir(dir));)
		unlinkat(directory, e->d_name, 0); /* not . and .. */
	closedir(dir);
}

void cache_store(struct cmd *c, const struct settings *s, const struct document *in, const struct bytes *object)
{
	size_t len;
	char name[NAME_SIZE], fresh[2 * NAME_SIZE];
	int directory = open_cache(true);
	if (directory < 0)
		return;
	make_room(directory);
	const char *key = key_of(c->arena, s, in, &len, name);
	snprintf(fresh, sizeof fresh, "%s.%d", name, (int)getpid());
	int fd = openat(directory, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct head h = {.key = len, .object = object->len};
	for (size_t i = 0; i < c->asking.nasked; i++)
		h.asked += 2 * sizeof(uint64_t) + c->asking.asked[i].nquestion + c->asking.asked[i].nanswer;
	memcpy(h.magic, magic, sizeof magic);
	bool written = fd >= 0 && write_whole(fd, &h, sizeof h) && write_whole(fd, key, len) &&
	               write_asked(c, fd) && write_whole(fd, object->data, object->len);
	if (fd >= 0 && close(fd))
		written = false;
	/* in one step: a reader has the old entry or the new one, whole */
	if (!written || renameat(directory, fresh, directory, name))
		unlinkat(directory, fresh, 0);
	close(directory);
}
