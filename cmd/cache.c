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
#include "policy/file.h"
#include "policy/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "DGCACH2";
#define CACHE "cache" /* in RUN_DIRECTORY */
enum { ENTRY_MAX = 64 << 20, NAME_SIZE = 32, ENTRIES_MAX = 1024 };

struct head {
	char magic[sizeof magic];
	uint64_t key, asked, object; /* bytes of each; they follow */
};

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

static bool read_all(int fd, void *to, size_t n)
{
	return read_whole(fd, to, n) == (ssize_t)n;
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
		struct room_asked one = {at, sizes[0], at + sizes[0], sizes[1]};
		if (!asked_still(c, &one, 1))
			return false;
		at += sizes[0] + sizes[1];
	}
	return true;
}

/* The object of an open entry, if it has this key and the host answers as it did. */
static bool read_entry(struct cmd *c, int fd, const struct stat *st, const char *key, size_t len, struct bytes *object)
{
	struct head h;
	if (!roots_alone(st, 0, OTHERS_WRITE) || !read_all(fd, &h, sizeof h) || memcmp(h.magic, magic, sizeof magic) || h.key != len ||
	    h.object > ENTRY_MAX || h.asked > ENTRY_MAX ||
	    (uint64_t)st->st_size != sizeof h + h.key + h.asked + h.object)
		return false;
	char *there = arena_alloc(c->arena, h.key + h.asked + h.object);
	if (!read_all(fd, there, h.key + h.asked + h.object) || memcmp(there, key, len) ||
	    !fresh(c, (unsigned char *)there + h.key, h.asked))
		return false;
	*object = (struct bytes){(unsigned char *)there + h.key + h.asked, h.object};
	return true;
}

bool cache_find(struct cmd *c, const struct settings *s, const struct document *in, struct bytes *object)
{
	size_t len;
	char name[NAME_SIZE];
	struct stat st;
	int directory = run_directory(CACHE, OTHERS_WRITE, false);
	if (directory < 0)
		return false;
	const char *key = key_of(c->arena, s, in, &len, name);
	int fd = open_regular(directory, name, &st);
	bool found = fd >= 0 && read_entry(c, fd, &st, key, len, object);
	if (fd >= 0)
		close(fd);
	close(directory);
	return found;
}

/* What the policy asked of the host while it was compiled, and the answers. */
static bool write_asked(const struct cmd *c, int fd)
{
	for (size_t i = 0; i < c->asking.nasked; i++) {
		const struct room_asked *q = &c->asking.asked[i];
		uint64_t sizes[2] = {q->nquestion, q->nanswer};
		if (write_whole(fd, sizes, sizeof sizes) || write_whole(fd, q->question, q->nquestion) ||
		    write_whole(fd, q->answer, q->nanswer))
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
	char name[NAME_SIZE];
	struct fresh_file f;
	int directory = run_directory(CACHE, OTHERS_WRITE, true);
	if (directory < 0)
		return;
	make_room(directory);
	const char *key = key_of(c->arena, s, in, &len, name);
	bool written = !fresh_open(c->arena, &f, directory, name, 0600, FRESH_NAMED);
	struct head h = {.key = len, .object = object->len};
	for (size_t i = 0; i < c->asking.nasked; i++)
		h.asked += 2 * sizeof(uint64_t) + c->asking.asked[i].nquestion + c->asking.asked[i].nanswer;
	memcpy(h.magic, magic, sizeof magic);
	written = written && !write_whole(f.fd, &h, sizeof h) && !write_whole(f.fd, key, len) && write_asked(c, f.fd) &&
	          !write_whole(f.fd, object->data, object->len);
	if (f.fd >= 0 && close(f.fd))
		written = false;
	/* in one step: a reader has the old entry or the new one, whole */
	if (!written || fresh_place(&f))
		fresh_drop(&f);
	close(directory);
}
