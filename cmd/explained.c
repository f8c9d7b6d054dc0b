/*
 * explained.c - what a unit amounts to, in rules: as the judge says it, every byte checked.
 */
#include "cmd/cmd.h"
#include "cmd/room/record.h"
#include "cmd/unit.h"
#include "policy/explain.h"
#include "policy/host.h"

#include <string.h>

struct rules { struct arena *arena; struct explanation *out; bool there; };

static bool numbers_only(const char *text)
{
	return strchr("abc", text[0]) && text[0] && text[1] == ' ' && !text[2 + strspn(text + 2, "0123456789,-:*")];
}

/* One rule; false: it is none. */
static bool take_rule(struct rules *r, const unsigned char **at, size_t *left)
{
	struct explained_record h;
	const char *error, *hint;
	if (*left < sizeof h)
		return false;
	memcpy(&h, *at, sizeof h);
	*at += sizeof h;
	*left -= sizeof h;
	if (h.npattern > *left || h.nwhen > *left - h.npattern || h.verdict >= EXPLAIN_VERDICTS || h.access > ACC_ALL || h.asked < -1 ||
	    h.asked > ACC_ALL)
		return false;
	const char *numbers = arena_strndup(r->arena, (const char *)*at, strnlen((const char *)*at, h.npattern));
	const char *when = (const char *)*at + h.npattern;
	struct explained e = {.verdict = (enum explain_verdict)h.verdict, .asked = h.asked};
	if (!numbers_only(numbers) || pattern_parse(r->arena, &host_here, numbers, &e.pattern, &error, &hint))
		return false;
	e.pattern.access = (int)h.access;
	e.when = h.nwhen ? arena_strndup(r->arena, when, strnlen(when, h.nwhen)) : NULL;
	*ARENA_PUSH(r->arena, r->out->list, r->out->n, r->out->cap) = e;
	*at += h.npattern + h.nwhen;
	*left -= h.npattern + h.nwhen;
	return true;
}

static bool take_rules(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct rules *r = self;
	if (kind != FRAME_RULES || r->there)
		return false;
	while (len)
		if (!take_rule(r, &data, &len))
			return false;
	return r->there = true;
}

int unit_explain(struct cmd *c, const struct unit *u, struct explanation *out)
{
	struct rules r = {.arena = c->arena, .out = out};
	struct taker taker = {take_rules, &r, RECORD_MAX};
	struct about about = {.part = u->part};
	struct call call = {.kind = FRAME_EXPLAIN, .data = &about, .len = sizeof about};
	*out = (struct explanation){0};
	return unit_call(c, u, &call, &taker, &r.there);
}
