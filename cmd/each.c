/*
 * each.c - several programs of the kernel in one child.
 *
 * They are read from the kernel here, and understood in the child, each once. It hands out a part for
 * each, and one for all together: bytes that are not trusted, in that order and no other.
 */
#include "cmd/each.h"
#include "cgroup/dump.h"
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/hosted/hosted.h"
#include "cmd/room/record.h"

#include <string.h>

/* ---- what comes back --------------------------------------------------------------------------- */

struct parts {
	struct arena *arena;
	struct program_unit **list; /* as they were sent, then all together */
	size_t n, at;
	bool begun;                 /* the record of list[at] is next */
};

/* Lines of the child's, a 0 behind them. */
static void take_head(struct parts *p, const unsigned char *data, size_t len)
{
	struct part head;
	struct program_unit *to = p->list[p->at];
	memcpy(&head, data, sizeof head);
	const char *at = (const char *)data + sizeof head;
	char *text = arena_strndup(p->arena, at, strnlen(at, len - sizeof head));
	if (!head.failed) {
		to->unknown = text;
		p->begun = true;
		return;
	}
	char *hint = strchr(text, '\n');
	if (hint)
		*hint++ = '\0';
	to->failed = text;
	to->hint = hint;
	p->at++;
}

static bool take_part(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct parts *p = self;
	struct recorded record;
	if (p->at == p->n || kind != (p->begun ? FRAME_RECORD : FRAME_PART))
		return false;
	if (!p->begun) {
		if (len >= sizeof(struct part))
			take_head(p, data, len);
		return len >= sizeof(struct part);
	}
	if (!record_read(p->arena, data, len, &record))
		return false;
	p->list[p->at++]->unit = (struct unit){.instead = "a program of the kernel", .policy = record.policy, .null_denied = record.null_denied};
	p->begun = false;
	return true;
}

/* ---- the programs ---------------------------------------------------------------------------------- */

/* Those that the kernel shows, as bytes; *sent: which ones. */
static int read_programs(struct cmd *c, const char *source, const struct hosted_here *host, struct program_units *all,
                         struct parts *sent, void **bytes, size_t *len)
{
	struct dump *list = arena_alloc(c->arena, (all->n + 1) * sizeof *list);
	for (size_t i = 0; i < all->n; i++) {
		struct program_unit *one = &all->list[i];
		struct diags said;
		diags_init(&said, c->arena);
		struct dump *program = &list[sent->n];
		if (hosted_is(host ? host->host : NULL, one->id) ? hosted_dump(c->arena, host, program)
		                             : !program_dump(c->arena, &said, source_functions(c), one->id, program)) {
			one->turns = dump_turns(program);
			sent->list[sent->n++] = one;
			continue;
		}
		one->failed = said.items[said.n - 1].text;
		one->hint = said.items[said.n - 1].hint;
		all->together.failed = one->failed;
		all->together.hint = one->hint;
	}
	if (!sent->n)
		return STATUS_OK;
	*bytes = dumps_write(c->arena, list, sent->n, len);
	if (*bytes)
		return STATUS_OK;
	diag_fail(&c->diags, "ask about one of its programs: prog:ID", "%s: its programs and maps take more than %d MiB", source,
	          DUMPS_MAX >> 20);
	return STATUS_FAILED;
}

static int give(struct cmd *c, struct room *r, const char *source, const void *bytes, size_t len, struct parts *sent)
{
	struct job job = {.kind = JOB_DUMPS, .flags = JOB_EACH, .file_len = (uint32_t)strlen(source), .text_len = (uint32_t)len};
	unsigned char *head = arena_alloc(c->arena, sizeof job + job.file_len);
	memcpy(head, &job, sizeof job);
	memcpy(head + sizeof job, source, job.file_len);
	struct call call = {.kind = FRAME_JOB, .head = head, .nhead = sizeof job + job.file_len, .data = bytes, .len = len};
	struct taker taker = {take_part, sent, RECORD_MAX};
	int status = room_call(r, source, &call, &taker);
	if (status || (sent->at == sent->n && !sent->begun))
		return status;
	diag_fail(&c->diags, NULL, "%s: the process that reads its programs answered less than it was asked", source);
	return STATUS_FAILED;
}

int programs_load(struct cmd *c, const struct settings *s, const char *source, const struct source_programs *of,
                  struct program_units *out)
{
	const size_t n = of->n;
	struct parts sent = {.arena = c->arena, .list = arena_alloc(c->arena, (n + 1) * sizeof *sent.list)};
	void *bytes = NULL;
	size_t len = 0;
	*out = (struct program_units){.list = arena_alloc(c->arena, (n + 1) * sizeof *out->list), .n = n};
	for (size_t i = 0; i < n; i++)
		out->list[i].id = of->ids[i];
	int status = room_open(c, s, c->cli->judge, &out->judge); /* before much is read: what it inherits is small */
	if (!status)
		status = read_programs(c, source, of->host, out, &sent, &bytes, &len);
	struct program_unit *readable = &out->together, rest = {0};
	if (out->together.failed) /* not all of them: what the others are together is no answer */
		readable = &rest;
	if (!status && sent.n) {
		sent.list[sent.n++] = readable;
		status = give(c, out->judge, source, bytes, len, &sent);
	}
	for (uint32_t i = 0; i < sent.n && !status; i++) {
		sent.list[i]->turns &= sent.list[i]->failed != NULL;
		sent.list[i]->unit.judge = out->judge;
		sent.list[i]->unit.part = sent.list[i] == readable ? 0 : i + 1;
	}
	return status;
}

void programs_end(struct program_units *all)
{
	room_close(all->judge);
	all->judge = NULL;
}
