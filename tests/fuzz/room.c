/* room.c - what a child of the locked room sends its parent, and a container's state. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/containers/hook.h"
#include "cmd/room/questions.h"
#include "cmd/room/record.h"

/* What is accepted is written and read alike, and goes into an object. */
void fuzz_record(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct recorded r, again;
	struct bytes first, second, object;
	if (!record_read(f->arena, data, len, &r))
		return;
	MUST(!record_write(&f->diags, &r, &first));
	MUST(record_read(f->arena, first.data, first.len, &again));
	MUST(!record_write(&f->diags, &again, &second));
	MUST(first.len == second.len && !memcmp(first.data, second.data, first.len));
	if (r.image.ninsns && object_write(r.policy, &r.image, &f->diags, &object))
		MUST(f->diags.errors);
}

/* Through a pipe as large as the message. */
static void send(struct fuzz *f, const struct diag *d, unsigned char **data, size_t *len)
{
	static int fd = -1;
	if (fd < 0)
		fd = memfd_create("message", MFD_CLOEXEC);
	MUST(fd >= 0 && !ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET) && !diag_write(fd, d));
	off_t n = lseek(fd, 0, SEEK_CUR);
	*data = arena_alloc(f->arena, (size_t)n);
	*len = (size_t)n;
	MUST(pread(fd, *data, *len, 0) == n);
}

void fuzz_message(struct fuzz *f, const unsigned char *data, size_t len)
{
	enum { HEAD = 8 }; /* of a frame */
	unsigned char *sent;
	size_t n;
	if (!diag_read(&f->diags, "fuzz.rb", data, len)) {
		MUST(!f->diags.n);
		return;
	}
	MUST(f->diags.n == 1);
	send(f, &f->diags.items[0], &sent, &n);
	if (f->diags.items[0].at.file && strcmp(f->diags.items[0].at.file, "fuzz.rb")) /* else it may have named none */
		MUST(n == HEAD + len && !memcmp(sent + HEAD, data, len));
}

static struct cmd command_of(struct fuzz *f)
{
	struct cmd c = {.arena = f->arena, .args = f->arena};
	diags_init(&c.diags, f->arena);
	return c;
}

void fuzz_question(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct cmd c = command_of(f);
	const unsigned char *said;
	size_t n;
	if (!question_answer(&c, data, len, &said, &n))
		MUST(!c.asking.nasked);
	else
		MUST(c.asking.nasked == 1 && n >= sizeof(struct answer));
}

void fuzz_verdict(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct cmd c = command_of(f);
	struct raise raises[2] = {{.what = "a"}, {.what = "b"}};
	struct rule rules[2] = {{.raises = raises, .nraises = 2}, {.deny = true}};
	struct policy p = {.file = "fuzz.rb", .rules = rules, .nrules = 2};
	struct verdict v;
	struct decision d;
	if (len != sizeof v)
		return;
	memcpy(&v, data, sizeof v);
	if (!verdict_decision(&c, &p, &v, &d))
		return;
	MUST(!d.rule || (d.rule >= rules && d.rule < rules + 2));
	MUST(!d.raise || (d.raise >= raises && d.raise < raises + 2) || strlen(d.raise->what) <= VERDICT_TEXT);
}

/* The standard input is the state. */
static void stdin_is(const unsigned char *data, size_t len)
{
	static int fd = -1;
	if (fd < 0) {
		fd = memfd_create("state", MFD_CLOEXEC);
		MUST(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	}
	MUST(!ftruncate(fd, 0) && pwrite(fd, data, len, 0) == (ssize_t)len && !lseek(fd, 0, SEEK_SET));
}

void fuzz_state(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct cmd c = command_of(f);
	struct hook_state s;
	stdin_is(data, len);
	if (setjmp(c.no_memory))
		abort();
	if (hook_state_read(&c, &s))
		MUST(c.diags.errors);
	else
		MUST(s.id && *s.id && s.bundle && *s.bundle);
	documents_free(&c.inputs);
}
