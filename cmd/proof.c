/*
 * proof.c - a program that the kernel runs, held against what it is said to be: a policy, or the line that
 * is written in it. Instructions are understood in the locked room only.
 */
#include "cgroup/cgroup.h"
#include "cgroup/dump.h"
#include "cmd/cmd.h"
#include "cmd/each.h"
#include "cmd/proof.h"
#include "cmd/source.h"
#include "policy/callers.h"

#include <string.h>

int dump_of_program(struct cmd *c, uint32_t id, struct dump *out)
{
	return program_dump(c->arena, &c->diags, source_functions(c), id, out);
}

/* ---- against a policy --------------------------------------------------------------------------- */

struct told { struct verified *out; struct request *witness; bool there; };

static bool take_verified(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct told *t = self;
	if (kind != FRAME_VERIFIED || t->there || len != sizeof *t->out)
		return false;
	memcpy(t->out, data, len);
	t->out->unknown[VERDICT_TEXT - 1] = '\0';
	t->there = t->out->meaning <= VERIFIED_OTHER_LINE;
	return t->there && (t->out->meaning != VERIFIED_DIFFERENT || request_taken(&t->out->witness, t->witness));
}

int unit_verify(struct cmd *c, const struct unit *u, const struct dump *program, struct verified *out, struct request *witness)
{
	size_t len;
	struct told t = {out, witness, false};
	const struct taker taker = {take_verified, &t, sizeof *out};
	void *bytes = dumps_write(c->arena, program, 1, &len);
	if (!bytes) {
		diag_fail(&c->diags, NULL, "the program and its maps take more than %d MiB", DUMPS_MAX >> 20);
		return STATUS_FAILED;
	}
	struct call call = {.kind = FRAME_VERIFY, .data = bytes, .len = len};
	int status = unit_call(c, u, &call, &taker, &t.there);
	if (!status && out->meaning == VERIFIED_DIFFERENT)
		request_names(policy_asks(u->policy), witness); /* what has no name here stays `-` */
	return status;
}

/* ---- against itself ------------------------------------------------------------------------------- */

/* Does the line leave open what is decided? Of a rule about the whole request, or about numbers that hang
 * on each other, another line may be written by the same program. */
static bool vague(const char *line)
{
	static const char *const inputs[] = {"requested", "type", "major", "minor", "param"};
	const char *more = strstr(line, "; more by ");
	for (size_t i = 0; more && i < sizeof inputs / sizeof *inputs; i++)
		if (strstr(more, inputs[i]))
			return true;
	return strstr(line, "too varied");
}

enum self_proof { PROOF_SAME, PROOF_OTHER, PROOF_NONE };

/* The line of what was decoded, where the policy does not stand in the program: it is too large. So nothing there says of which
 * names its map has the values. */
static enum self_proof held_by_line(struct arena *a, const struct attached *at, const struct program_unit *one, const char **text)
{
	if (!strcmp(*text, at->meaning))
		return PROOF_SAME;
	if (*one->unknown) {
		*text = arena_printf(a, "it hangs on %.*s: verify POLICY CGROUP compares all of it", (int)strcspn(one->unknown, "\n"),
		                     one->unknown);
		return PROOF_NONE;
	}
	if (!vague(*text) && !vague(at->meaning))
		return PROOF_OTHER;
	*text = "a line does not say all that it decides by: verify POLICY CGROUP compares all of it";
	return PROOF_NONE;
}

static enum self_proof held(struct cmd *c, const struct attached *at, const struct program_unit *one, const char **text,
                            const char **because)
{
	struct verified v;
	struct request witness;
	struct told t = {&v, &witness, false};
	const struct taker taker = {take_verified, &t, sizeof v};
	const struct call call = {.kind = FRAME_VERIFY};
	*text = one->failed;
	if (one->failed)
		return PROOF_NONE;
	if (unit_call(c, &one->unit, &call, &taker, &t.there)) {
		*text = c->diags.items[c->diags.n - 1].text;
		return PROOF_NONE;
	}
	if (v.meaning == VERIFIED_DIFFERENT) {
		request_names(policy_asks(one->unit.policy), &witness);
		*because = arena_printf(c->arena, " (it %s %s, which its policy %s)", v.allows ? "allows" : "denies",
		                        request_words(c->arena, &witness), v.allows ? "denies" : "allows");
	}
	*text = v.meaning == VERIFIED_UNKNOWN     ? arena_printf(c->arena, "it hangs on %s", v.unknown)
	        : one->unit.policy->meaning ? one->unit.policy->meaning
	                                    : "";
	return v.meaning == VERIFIED_EQUAL       ? PROOF_SAME
	       : v.meaning == VERIFIED_UNKNOWN   ? PROOF_NONE
	       : v.meaning == VERIFIED_NO_POLICY ? held_by_line(c->arena, at, one, text)
	                                         : PROOF_OTHER;
}

/* *text, for people: what was seen, or why nothing; *because: a request that shows the difference, or "". */
static enum self_proof prove(struct cmd *c, const struct attached *at, const char **text, const char **because)
{
	struct program_units units;
	uint32_t id = at->id;
	const struct source_programs one = {.ids = &id, .n = 1};
	const struct diags kept = c->diags;
	*text = "it cannot be read";
	*because = "";
	if (at->mode == MODE_PERMISSIVE || !*at->meaning) {
		*text = at->mode == MODE_PERMISSIVE ? "it is permissive: the kernel keeps nothing of what would be denied"
		                                    : "it was compiled by a version that did not say what it amounts to";
		return PROOF_NONE;
	}
	diags_init(&c->diags, c->arena);
	int status = programs_load(c, &c->settings, arena_printf(c->arena, "prog:%u", id), &one, &units);
	enum self_proof proof = status ? PROOF_NONE : held(c, at, units.list, text, because);
	programs_end(&units);
	c->diags = kept;
	return proof;
}

const char *program_proof(struct cmd *c, const struct attached *at, struct proofs *p, json_t *json)
{
	const char *text, *because;
	if (!p->asked || !at->ours)
		return NULL;
	enum self_proof proof = prove(c, at, &text, &because);
	p->others += proof == PROOF_OTHER;
	p->untold += proof == PROOF_NONE;
	if (json) {
		json_object_set_new(json, "verified", proof == PROOF_NONE ? json_null() : json_boolean(proof == PROOF_SAME));
		json_object_set_new(json, "amounts_to", proof == PROOF_NONE ? json_null() : text_json(text));
	}
	return proof == PROOF_SAME    ? "verified: its instructions amount to this"
	       : proof == PROOF_OTHER ? arena_printf(c->arena, "DIFFERS: its instructions amount to something else: %s%s", text, because)
	                              : arena_printf(c->arena, "not verified: %s", text);
}
