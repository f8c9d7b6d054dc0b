/*
 * questions.c - the parent answers a child's questions about the host: one line of the
 * table each. A question is a kind and a text; everything else about it is decided here.
 */
#include "cmd/room/questions.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "policy/file.h"
#include "policy/host.h"
#include "policy/trusted.h"

/* ---- the answers ------------------------------------------------------------------------ */

/* Fills in the answer and returns its text, or NULL. */
static const char *device(struct cmd *c, const char *path, struct answer *out)
{
	struct host_device found;
	host_dev.device(&host_dev, c->arena, path, &found);
	out->error = found.error;
	out->mode = found.mode & S_IFMT;
	if (S_ISCHR(found.mode) || S_ISBLK(found.mode)) {
		out->major = found.major;
		out->minor = found.minor;
	}
	return found.near;
}

static const char *groups(struct cmd *c, const char *nothing, struct answer *out)
{
	const char *listing = NULL;
	(void)nothing;
	out->error = host_dev.groups(&host_dev, c->arena, &listing);
	return out->error ? NULL : listing;
}

static const char *group(struct cmd *c, const char *name, struct answer *out)
{
	const char *near = NULL;
	uint32_t gid = 0;
	out->error = host_dev.group(&host_dev, c->arena, name, &gid, &near);
	out->major = out->error ? 0 : gid;
	return near;
}

static const char *matches(struct cmd *c, const char *pattern, struct answer *out)
{
	const char *listing = NULL;
	out->error = strchr(pattern, '/') ? host_dev.matches(&host_dev, c->arena, pattern, &listing) : EXDEV;
	return listing;
}

/* No part of a name may lead elsewhere. */
static bool stays_below(const char *name)
{
	for (const char *s = name;; s++) {
		size_t n = strcspn(s, "/");
		if (!n || (n == 1 && *s == '.') || (n == 2 && !memcmp(s, "..", 2)))
			return false;
		s += n;
		if (!*s)
			return true;
	}
}

/* A file below the policy's directory, no symbolic link on the way. Of a policy that only
 * root may have written, the same holds for its files. -1 with *why. */
static int open_below(struct cmd *c, const char *name, const char **why)
{
	int fd = -1;
	if (!stays_below(name)) {
		*why = "it leads out of the directory of the policy";
		return -1;
	}
	if (c->asking.trusted) {
		int missing = trusted_open(c->arena, arena_printf(c->arena, "%s/%s", c->asking.directory, name), &fd, why);
		if (missing > 0)
			*why = strerror(ENOENT);
		return fd;
	}
	int dir = open(c->asking.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	fd = dir < 0 ? -1 : (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
	int error = errno;
	if (dir >= 0)
		close(dir);
	*why = error == ELOOP ? "a symbolic link is on the way" : strerror(error);
	return fd;
}

/* An open file as text; NULL when there is more than `most` bytes, it cannot be read, or has
 * a NUL byte. */
static const char *read_file(struct arena *a, int fd, size_t most)
{
	char *text = arena_alloc(a, most + 2);
	ssize_t n = read_whole(fd, text, most + 1);
	return n < 0 || (size_t)n > most || memchr(text, 0, (size_t)n) ? NULL : text;
}

/* On an error the text says why. */
static const char *file(struct cmd *c, const char *name, struct answer *out)
{
	enum { MOST = 4 << 20 };
	const char *why = NULL, *text = NULL;
	struct stat st;
	if (!c->asking.directory) {
		out->error = ENOENT;
		return "a policy from stdin has no directory";
	}
	int fd = open_below(c, name, &why);
	if (fd < 0) {
		out->error = ENOENT;
		return why;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		why = "it is no regular file";
	else if (st.st_size > MOST)
		why = "it is larger than 4 MiB";
	else if (!(text = read_file(c->arena, fd, (size_t)st.st_size)))
		why = "it cannot be read, or has a NUL byte";
	close(fd);
	if (!text) {
		out->error = EINVAL;
		return why;
	}
	*ARENA_PUSH(c->arena, c->asking.loaded, c->asking.nloaded, c->asking.loaded_cap) =
		strcmp(c->asking.directory, ".") ? arena_printf(c->arena, "%s/%s", c->asking.directory, name) : arena_strdup(c->arena, name);
	return text;
}

static const struct kind {
	const char *(*answer)(struct cmd *c, const char *text, struct answer *out);
	const char *what; /* for people who read this table */
} kinds[QUESTION_KINDS] = {
	[ASK_DEVICE] = {device, "the device node at a path below /dev: type and number, or a near name"},
	[ASK_GROUPS] = {groups, "the text of /proc/devices"},
	[ASK_FILE] = {file, "the text of a file that the policy loads, below its own directory"},
	[ASK_USERS] = {group, "the number of a group of users, or a near name"},
	[ASK_MATCHES] = {matches, "the device nodes of a directory below /dev whose names match: type, number, path"},
};

/* ---- asking ------------------------------------------------------------------------------ */

static bool answered(struct cmd *c, const unsigned char *data, size_t len, const unsigned char **answer, size_t *n)
{
	struct question q;
	struct answer head = {0};
	if (len < sizeof q)
		return false;
	memcpy(&q, data, sizeof q);
	if (q.kind >= QUESTION_KINDS || memchr(data + sizeof q, 0, len - sizeof q))
		return false;
	const char *text = arena_strndup(c->arena, (const char *)data + sizeof q, len - sizeof q);
	const char *said = kinds[q.kind].answer(c, text, &head);
	size_t nsaid = said ? strlen(said) : 0;
	head.has_text = said != NULL;
	unsigned char *all = arena_alloc(c->arena, sizeof head + nsaid);
	memcpy(all, &head, sizeof head);
	if (nsaid)
		memcpy(all + sizeof head, said, nsaid);
	*answer = all;
	*n = sizeof head + nsaid;
	return true;
}

bool question_answer(struct cmd *c, const unsigned char *data, size_t len, const unsigned char **answer,
                     size_t *n)
{
	if (!answered(c, data, len, answer, n))
		return false;
	unsigned char *question = arena_alloc(c->arena, len);
	memcpy(question, data, len);
	*ARENA_PUSH(c->arena, c->asking.asked, c->asking.nasked, c->asking.asked_cap) = (struct room_asked){question, len, *answer, *n};
	return true;
}

bool asked_still(struct cmd *c, const struct room_asked *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char *now;
		size_t len;
		if (!answered(c, list[i].question, list[i].nquestion, &now, &len) || len != list[i].nanswer ||
		    memcmp(now, list[i].answer, len))
			return false;
	}
	return true;
}
