/*
 * compare.c - two units compared by their judges: one is asked for its policy, the other is given it.
 *
 * What comes back is from a process that a stranger may have taken over: numbers are checked against what
 * there can be, texts are copied.
 */
#include "cmd/compare.h"
#include "cmd/cmd.h"
#include "cmd/room/record.h"
#include "policy/access.h"
#include "policy/callers.h"

#include <string.h>

struct share { struct cmd *cmd; unsigned char *data; size_t len; };

static bool take_policy(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct share *s = self;
	if (kind != FRAME_POLICY || s->data)
		return false;
	s->data = arena_alloc(s->cmd->arena, len + 1);
	s->len = len;
	memcpy(s->data, data, len);
	return true;
}

/* ---- the answer ----------------------------------------------------------------------------- */

struct answer {
	struct cmd *cmd;
	const struct policy *a, *b;
	struct comparison *out;
	bool there;
};

static bool read_change(struct answer *w, const struct change_record *r, const char **text, const char *end, bool allowed,
                        struct change *out)
{
	const uint64_t all = 2ull * 5 * (MAJOR_MAX + 1) * (MINOR_MAX + 1);
	const char **to[CHANGE_TEXTS] = {&out->rules, &out->hangs};
	*out = (struct change){.least = r->least, .most = r->most, .found = r->found};
	if (r->least > r->most || r->most > all || r->found != (r->least > 0))
		return false;
	for (int i = 0; i < CHANGE_TEXTS; i++) {
		if (r->texts[i] == NO_TEXT)
			continue;
		if (r->texts[i] > (size_t)(end - *text))
			return false;
		*to[i] = arena_strndup(w->cmd->arena, *text, r->texts[i]);
		*text += r->texts[i];
	}
	if (!r->found)
		return true;
	if (!request_taken(&r->witness, &out->witness) ||
	    (!request_names(policy_asks(w->a), &out->witness) && !request_names(policy_asks(w->b), &out->witness)))
		return false;
	out->witness.text = request_words(w->cmd->arena, &out->witness);
	return verdict_decision(w->cmd, w->a, &r->was, &out->was) &&
	       verdict_decision(w->cmd, w->b, &r->is, &out->is) && out->was.allow != allowed && out->is.allow == allowed;
}

static bool take_comparison(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct answer *w = self;
	struct change_record r[2];
	const char *text = (const char *)data + sizeof r, *end = (const char *)data + len;
	if (kind != FRAME_COMPARED || w->there || len < sizeof r)
		return false;
	memcpy(r, data, sizeof r);
	w->there = read_change(w, &r[0], &text, end, true, &w->out->allowed) &&
	           read_change(w, &r[1], &text, end, false, &w->out->denied) && text == end;
	return w->there;
}

int unit_compare(struct cmd *c, const struct unit *a, const struct unit *b, bool same, struct comparison *out)
{
	struct share s = {.cmd = c};
	struct taker from = {take_policy, &s, RECORD_MAX};
	struct call share = {.kind = FRAME_SHARE};
	int status = room_call(b->judge, b->policy->file, &share, &from);
	if (status)
		return status;
	struct answer w = {.cmd = c, .a = a->policy, .b = b->policy, .out = out};
	struct taker taker = {take_comparison, &w, RECORD_MAX};
	struct compare_head head = {.same = same};
	struct call compare = {.kind = FRAME_COMPARE, .head = &head, .nhead = sizeof head, .data = s.data, .len = s.len};
	if (s.data)
		status = room_call(a->judge, arena_printf(c->arena, "%s and %s", a->policy->file, b->policy->file), &compare, &taker);
	if (status == STATUS_REFUSED) /* both are as they should be, but together too much */
		status = STATUS_FAILED;
	if (!status && !w.there) {
		diag_fail(&c->diags, NULL, "the process that compares the policies did not answer");
		status = STATUS_FAILED;
	}
	return status;
}
