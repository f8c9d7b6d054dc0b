/*
 * stub.c - finds the stub for a bundle: beside the tool where it was built, below lib/ where it is installed.
 *
 * What a bundle runs as root is exactly what was built with the tool: a file that differs is not used.
 */
#include "cmd/bundle/bundle.h"
#include "cgroup/cgroup.h"
#include "cmd/bundle/payload.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct built {
	const char *file;
	size_t size; /* 0: none was built */
	uint64_t digest[2];
};

/* Made by make_stubs.c. */
#include "cmd/bundle/stubs.inc"

/* From the tool's directory. */
static const char *const places[] = {"stub", "../lib/" PROGRAM};

static const char install_hint[] = "the tool and its stubs are installed together: make install";

/* The directory of the tool, or NULL. */
static const char *own_directory(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	return slash ? arena_strndup(a, path, (size_t)(slash - path)) : NULL;
}

/* The version of another tool's stub, or NULL: its payload's segment is at the end. */
static const char *version_of(struct arena *a, const struct bytes *stub)
{
	struct payload_place place;
	for (size_t at = stub->len < sizeof place ? 0 : stub->len - sizeof place; at; at--)
		if (!memcmp(stub->data + at, PAYLOAD_PLACE, PAYLOAD_WORD)) {
			memcpy(&place, stub->data + at, sizeof place);
			return arena_strndup(a, place.version, strnlen(place.version, sizeof place.version));
		}
	return NULL;
}

static int not_ours(struct cmd *c, const char *path, const struct bytes *stub)
{
	const char *version = version_of(c->arena, stub);
	if (version && strcmp(version, DEVGUARD_VERSION))
		return diag_fail(&c->diags, install_hint, "%s is of " PROGRAM " %s, and this is " DEVGUARD_VERSION, path, version);
	return diag_fail(&c->diags, install_hint, "%s is not the one that this " PROGRAM " was built with: it is of another build, or damaged", path);
}

/* 0, an errno, or -1: it is another one, with a diagnostic. */
static int try_place(struct cmd *c, const char *path, const struct built *b, struct bytes *out)
{
	struct stat st;
	uint64_t digest[2];
	int fd = open_regular(AT_FDCWD, path, &st);
	if (fd < 0)
		return -fd;
	unsigned char *data = arena_alloc(c->arena, b->size + 1);
	ssize_t n = read_whole(fd, data, b->size + 1);
	close(fd);
	if (n < 0)
		return (int)-n;
	*out = (struct bytes){data, (size_t)n};
	payload_digest(data, (size_t)n, digest);
	return (size_t)n == b->size && !memcmp(digest, b->digest, sizeof digest) ? 0 : not_ours(c, path, out);
}

int stub_read(struct cmd *c, enum stub_kind kind, struct bytes *out)
{
	const struct built *b = &built[kind];
	const char *own = own_directory(c->arena);
	if (!b->size) {
		diag_fail(&c->diags, "have libbpf.a, libelf.a, libz.a and libjansson.a (Debian: make build-deps) and build it again",
		          "this " PROGRAM " was built without stubs: there were no static libraries");
		return STATUS_FAILED;
	}
	if (!own) {
		diag_fail(&c->diags, "mount -t proc proc /proc", "cannot tell where this program is, and so not where its stubs are: no /proc");
		return STATUS_FAILED;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *path = arena_printf(c->arena, "%s/%s/%s", own, places[i], b->file);
		int error = try_place(c, path, b, out);
		if (!error)
			return STATUS_OK;
		if (error > 0 && error != ENOENT && error != ENOTDIR)
			diag_fail(&c->diags, error_hint(c->arena, error, NULL), "cannot read %s: %s", path, strerror(error));
		if (c->diags.errors)
			return STATUS_FAILED;
	}
	diag_fail(&c->diags, install_hint, "there is no stub: neither %s/%s/%s nor %s/%s/%s", own, places[0], b->file, own, places[1], b->file);
	return STATUS_FAILED;
}
