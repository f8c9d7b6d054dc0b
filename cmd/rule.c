/* rule.c - asks the judge by which rule of its policy a program of ours decides. */
#include "cmd/rule.h"
#include "cmd/cmd.h"
#include "cmd/room/record.h"

#include <string.h>

struct answer {
	struct arena *arena;
	struct decider head;
	const char *texts[DECIDER_TEXTS];
	bool there;
};

/* A head and as many texts as there are: nothing else is taken. */
static bool take_answer(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct answer *a = self;
	size_t at = sizeof a->head;
	if (kind != FRAME_DECIDER || a->there || len < at)
		return false;
	memcpy(&a->head, data, at);
	for (int i = 0; i < DECIDER_TEXTS; i++) {
		const unsigned char *end = at < len ? memchr(data + at, 0, len - at) : NULL;
		if (!end)
			return false;
		a->texts[i] = arena_strdup(a->arena, (const char *)data + at);
		at = (size_t)(end - data) + 1;
	}
	return a->there = at == len;
}

int unit_rule(struct cmd *c, const struct unit *u, const struct request_record *request, struct rule_told *out)
{
	struct answer a = {.arena = c->arena};
	struct about about = {.part = u->part};
	struct taker taker = {take_answer, &a, RECORD_MAX};
	struct call call = {.kind = FRAME_RULE, .head = &about, .nhead = sizeof about, .data = request, .len = sizeof *request};
	int status = unit_call(c, u, &call, &taker, &a.there);
	*out = (struct rule_told){.known = false};
	if (status || !a.head.known)
		return status;
	*out = (struct rule_told){.known = true, .allow = a.head.allow, .permissive = a.head.permissive,
	                          .is_default = a.head.is_default, .policy = a.texts[DECIDER_POLICY], .file = a.texts[DECIDER_FILE],
	                          .line = a.head.line > 0 ? a.head.line : 0, .label = a.texts[DECIDER_LABEL],
	                          .source = a.texts[DECIDER_SOURCE], .error = a.texts[DECIDER_ERROR], .params = a.texts[DECIDER_PARAMS],
	                          .before_file = a.head.before_default ? NULL : a.texts[DECIDER_BEFORE],
	                          .before_line = a.head.before > 0 ? a.head.before : 0,
	                          .callers = a.head.callers, .callers_file = a.texts[DECIDER_CALLERS],
	                          .callers_source = a.texts[DECIDER_CALLERS_SOURCE],
	                          .callers_line = a.head.callers_line > 0 ? a.head.callers_line : 0};
	return STATUS_OK;
}
