/*
 * input.c - reads a POLICY, cases file, manifest or foreign list whole, from anywhere: a
 * file, a FIFO, stdin. Nothing the kernel says about its size is believed; how much is read
 * is bounded, and what can be no policy is refused before it is looked at.
 */
#include "cmd/cmd.h"
#include "compiler/compiler.h"
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1 << 20, OBJECT_MAX = 64 * MIB };

static const struct kind {
	const char *name, *suffix;
	size_t most;           /* bytes */
	int refused;           /* the status when it is too long, or no text */
	const char *too_long, *no_text; /* hints */
	int seconds;           /* it must be there within these; 0: it may take its time */
	bool regular;          /* nothing but a regular file will do */
} kinds[] = {
	[INPUT_POLICY] = {"policy", ".rb", 4 * MIB, STATUS_REFUSED, "make the rules in a Ruby loop",
	                  "a policy is Ruby text (.rb) or an object made by rucy-devguard compile (.o)", 0, false},
	[INPUT_CASES] = {"cases file", ".cases", 16 * MIB, STATUS_FAILED, "split the file", "cases are plain text", 0, false},
	/* manifest_read() has the better words */
	[INPUT_MANIFEST] = {"manifest", ".yaml", MIB, STATUS_REFUSED, NULL, NULL, 0, false},
	[INPUT_FOREIGN] = {"file", "", 32 * MIB, STATUS_REFUSED, "no device list is that long: is it the right file?",
	                   "give the list as its tool has it, as text", 0, false},
	[INPUT_STATE] = {"state", "", MIB, STATUS_REFUSED, "a container runtime sends less: is it a state?",
	                 "a container runtime sends its state as JSON text", 10, false},
	[INPUT_SPEC] = {"specification", ".json", 32 * MIB, STATUS_REFUSED, "no specification is that long",
	                "a specification is JSON text", 0, true},
};

static int fail_at(struct cmd *c, int status, const char *file, int line, const char *hint,
                   const char *text)
{
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = file, .line = line}, hint, "%s", text);
	return status;
}

/* For a policy that is not there: its file with the suffix, or one that is easily written. */
static const char *policy_hint(struct cmd *c, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	const char *file = dot ? path : arena_printf(c->arena, "%s.rb", path);
	if (!dot && access(file, F_OK) == 0)
		return arena_printf(c->arena, "did you mean %s?", file);
	const char *where = slash ? arena_strndup(c->arena, path, (size_t)(slash - path) + 1) : ".";
	if (path[strspn(path, plain)] || access(where, W_OK) || (dot && strcmp(dot, ".rb")))
		return "name a policy (.rb or .o), or - for stdin";
	return arena_printf(c->arena, "name a policy (.rb or .o), or - for stdin; to begin one: echo 'allow :null' >%s", file);
}

static int cannot_open(struct cmd *c, const char *path, enum input_kind kind, int err)
{
	const char *hint = "check the path and the permissions";
	if (err == ENOENT && kind == INPUT_MANIFEST) {
		hint = "name a manifest, see rucy-devguard-guard.yaml(5)";
	} else if (err == ENOENT && kind == INPUT_CASES) {
		hint = "write cases there (a line is: allow c 1:3 rw), or name the file with --cases";
	} else if (err == ENOENT && kind == INPUT_POLICY) {
		hint = policy_hint(c, path);
	} else if (err == ENOENT && kind == INPUT_FOREIGN) {
		hint = "name the file that has the list, or - for stdin";
	} else if (err == EACCES) {
		hint = arena_printf(c->arena, "uid %u must be allowed to read it",
		                    (unsigned)geteuid());
	}
	return fail_at(c, STATUS_FAILED, path, 0, hint, strerror(err));
}

/* To open a device may do something, to open a FIFO may take for ever: so look before. */
static int open_only_regular(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return -1;
	int fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	if (fd < 0 && S_ISREG(st.st_mode))
		return -1;
	if (fd >= 0)
		close(fd);
	errno = EINVAL;
	return -1;
}

static int open_input(struct cmd *c, const char *path, enum input_kind kind, int *fd)
{
	struct stat st;
	bool from_stdin = strcmp(path, "-") == 0;
	*fd = from_stdin                 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	      : kinds[kind].regular ? open_only_regular(path)
	                            : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0 && errno == EINVAL && kinds[kind].regular)
		return fail_at(c, STATUS_FAILED, path, 0, "it is read from a regular file only", "is not a regular file");
	if (*fd < 0)
		return cannot_open(c, path, kind, errno);
	if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(*fd);
		if (from_stdin)
			return fail_at(c, STATUS_FAILED, "stdin", 0, "redirect it from a file",
			               "is closed, or a directory");
		return fail_at(c, STATUS_FAILED, path, 0,
		               arena_printf(c->arena, "name a file in it: %s%sNAME%s", path,
		                            path[strlen(path) - 1] == '/' ? "" : "/",
		                            kinds[kind].suffix),
		               "is a directory");
	}
	return STATUS_OK;
}

static size_t limit_of(const struct document *in, enum input_kind kind)
{
	return kind == INPUT_POLICY && object_is(in->text, in->len) ? OBJECT_MAX : kinds[kind].most;
}

/* Reads to the end, or to one byte more than the limit: what it begins with says which that is.
 * 0 or an errno. */
static int read_all(struct document *in, int fd, enum input_kind kind)
{
	struct file_text t = {0};
	int64_t deadline = kinds[kind].seconds ? clock_milliseconds() + kinds[kind].seconds * 1000 : 0;
	int error;
	do {
		error = read_text_until(fd, limit_of(in, kind), deadline, &t);
		in->text = t.data;
		in->len = t.len;
	} while (error == EFBIG && in->len <= limit_of(in, kind));
	return error == EFBIG ? 0 : error;
}

/* Some editors put a byte order mark before UTF-8 text; it means nothing. */
static void drop_bom(struct document *in)
{
	if (in->len < 3 || memcmp(in->text, "\xef\xbb\xbf", 3) != 0)
		return;
	in->len -= 3;
	memmove(in->text, in->text + 3, in->len + 1);
}

static int line_of(const char *text, const char *at)
{
	int line = 1;
	for (const char *p = text; (p = memchr(p, '\n', (size_t)(at - p))); p++)
		line++;
	return line;
}

/* What is no text at all, before anybody tries to parse it. */
static int check_bytes(struct cmd *c, struct document *in, enum input_kind kind)
{
	const struct kind *k = &kinds[kind];
	size_t limit = limit_of(in, kind);
	if (kind == INPUT_MANIFEST)
		return STATUS_OK;
	if (in->len > limit)
		return fail_at(c, k->refused, in->file, 0, k->too_long,
		               arena_printf(c->arena, "larger than %zu MiB", limit / MIB));
	if (kind == INPUT_POLICY && object_is(in->text, in->len))
		return STATUS_OK;
	if (kind == INPUT_POLICY && !in->text[strspn(in->text, " \t\r\n")] && strlen(in->text) == in->len)
		return fail_at(c, k->refused, in->file, 0, "to deny every device on purpose, write: default :deny",
		               "policy is empty");
	if (in->len >= 4 && memcmp(in->text, "RITE", 4) == 0)
		return fail_at(c, k->refused, in->file, 0, "give the .rb it was compiled from",
		               "this is mruby bytecode, not a policy");
	const char *nul = memchr(in->text, '\0', in->len);
	return nul ? fail_at(c, k->refused, in->file, line_of(in->text, nul), k->no_text, "a NUL byte: this is not text")
	           : STATUS_OK;
}

int input_read_fd(struct cmd *c, int fd, const char *file, enum input_kind kind,
                  struct document **out)
{
	struct document *in = document_add(&c->inputs, file);
	if (!in) {
		close(fd);
		return STATUS_FAILED;
	}
	int err = read_all(in, fd, kind);
	close(fd);
	if (err == ENOMEM)
		cmd_no_memory(c);
	if (err == ETIMEDOUT && kinds[kind].seconds)
		return fail_at(c, STATUS_FAILED, in->file, 0, "whoever writes it must close it",
		               arena_printf(c->arena, "the %s did not end within %d seconds", kinds[kind].name, kinds[kind].seconds));
	if (err)
		return fail_at(c, STATUS_FAILED, in->file, 0, "it could be opened but not read",
		               strerror(err));
	drop_bom(in);
	int status = check_bytes(c, in, kind);
	if (!status)
		*out = in;
	return status;
}

int input_read(struct cmd *c, const char *path, enum input_kind kind, struct document **out)
{
	if (!*path)
		return usage_error(c, NULL, "the name of the %s is empty", kinds[kind].name);
	int fd, status = open_input(c, path, kind, &fd);
	return status ? status
	              : input_read_fd(c, fd, strcmp(path, "-") == 0 ? "stdin" : path, kind, out);
}
