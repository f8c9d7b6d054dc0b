/*
 * work_verify.c - is a program of the kernel the policy that was proven here?
 *
 * Both as diagrams of one set: equal functions are one node. Where they are not, a request is looked for that is
 * decided otherwise (policy/find.h), whatever is not understood of the program; it is told only when both, asked
 * about it, say so. Where a difference hangs on what is not understood, or on a comparison that cannot be
 * told, nothing is claimed.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "compiler/decode/decode.h"
#include "policy/callers.h"
#include "policy/dump.h"
#include "policy/find.h"
#include "policy/meaning.h"
#include "policy/params.h"

struct difference {
	struct arena *arena;
	struct diagrams *dg;
	struct terms *terms;
	node policy, program;
	input_set strange;       /* inputs that are not understood */
	long effort;             /* left for looking */
	struct verified *out;
	bool open;               /* whether they differ could not be told */
};

static bool allows(const struct difference *x, node n, const int64_t in[INPUT_MAX])
{
	int missing;
	return OUTCOME_KIND(diagram_eval(x->dg, n, in, ~(input_set)0, &missing)) == OUT_ALLOW;
}

static void witness_of(struct difference *x, const int64_t in[INPUT_MAX], input_set asked)
{
	const input_set comm = INPUT(IN_COMM_0) | INPUT(IN_COMM_1), facts = (INPUT(IN_PARAM_0) - 1) & ~(INPUT(IN_UID) - 1);
	struct request w = {.type = (int)in[IN_TYPE], .access = (int)in[IN_REQUESTED], .major = in[IN_MAJOR], .minor = in[IN_MINOR],
	                    .known = (asked | (asked & comm ? comm : 0)) & facts};
	memcpy(w.fact, in, sizeof w.fact);
	caller_words(terms_asked(x->terms), &w); /* of an impossible caller, its facts as they are */
	x->out->meaning = VERIFIED_DIFFERENT;
	x->out->allows = allows(x, x->program, in);
	x->out->witness = request_record(&w);
}

/* A request for some accesses that is decided otherwise. What the answer hangs on, if it does, is told. */
static bool differ(struct difference *x, node n, int set)
{
	int64_t in[INPUT_MAX] = {0};
	const int64_t none[INPUT_MAX] = {0};
	input_set asked;
	node sure = diagram_without(x->dg, n, x->strange, true);
	/* of a caller that there can be, if there is one */
	const node of[] = {callers_only(x->arena, x->dg, sure), sure};
	enum found found = FOUND_UNSURE;
	for (int i = 0; i < 2 && found != FOUND_ONE && diagram_ok(x->dg); i++)
		found = find_true(x->arena, x->dg, x->terms, of[i], none, &x->effort, in, &asked);
	in[IN_REQUESTED] = set;
	if (found == FOUND_ONE && allows(x, x->policy, in) != allows(x, x->program, in)) {
		witness_of(x, in, asked);
		return true;
	}
	const char *on = inputs_text(x->arena, x->terms, diagram_inputs(x->arena, x->dg, n) & x->strange);
	if (on || found != FOUND_NONE)
		record_text(x->out->unknown, sizeof x->out->unknown, on ? on : comparisons_asked(x->arena, x->dg, x->terms, n));
	x->open |= on || found != FOUND_NONE;
	return false;
}

static void compare(struct difference *x)
{
	static const int sets[] = {ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD, 0, ACC_READ | ACC_MKNOD,
	                           ACC_WRITE | ACC_MKNOD, ACC_ALL};
	const node pass = diagram_terminal(OUT_PASS), yes = diagram_terminal(OUT_ALLOW);
	const node each[] = {
		diagram_ite(x->dg, x->program, diagram_ite(x->dg, x->policy, pass, yes), pass),
		diagram_ite(x->dg, x->policy, diagram_ite(x->dg, x->program, pass, yes), pass),
	};
	if (x->policy == x->program)
		return;
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof sets / sizeof *sets && diagram_ok(x->dg); k++)
			if (differ(x, diagram_restrict(x->dg, each[i], IN_REQUESTED, sets[k]), sets[k]))
				return;
	if (x->open)
		x->out->meaning = VERIFIED_UNKNOWN;
}

/* A policy and a program: as functions of every request. */
static bool hold_against(struct judge *j, const struct policy *of, const struct dump *program, struct verified *v)
{
	struct arena *a = j->in->arena;
	struct diags *d = &j->in->diags;
	struct policy *p = policy_with_values(a, of);
	struct policy_diagram pd;
	struct decoded got;
	names_in_program(a, j->file, program, terms_asked(p->terms));
	if (policy_diagram_any(p, d, &pd) || decode_program(a, d, "the program", program, pd.dg, p->terms, of->nparams, &got))
		return false;
	node all = requests_within(pd.dg, diagram_terminal(OUT_ALLOW), diagram_terminal(OUT_DENY));
	struct difference x = {.arena = a, .dg = pd.dg, .terms = p->terms, .policy = p->mode == MODE_PERMISSIVE ? all : pd.verdict,
	                       .program = got.verdict, .strange = unknown_inputs(of->nparams), .effort = FIND_EFFORT, .out = v};
	compare(&x);
	if (got.untold && v->meaning == VERIFIED_DIFFERENT) { /* it denies what the policy has denied then */
		v->meaning = VERIFIED_UNKNOWN;
		record_text(v->unknown, sizeof v->unknown, "facts about the calling task, which this kernel does not tell");
	}
	return diagram_ok(pd.dg) || !diag_fail(d, NULL, "the program and the policy differ by more than can be compared");
}

/* The policy that stands in a program of ours, and the line before it, which has to be that policy's. */
static bool hold_against_own(struct judge *j, const struct dump *program, struct verified *v)
{
	struct arena *a = j->in->arena;
	struct policy_diagram pd;
	const char *line;
	struct policy *own = policy_in_program(a, j->file, program, &line);
	if (!own) {
		v->meaning = VERIFIED_NO_POLICY;
		return true;
	}
	if (!hold_against(j, own, program, v) || v->meaning != VERIFIED_EQUAL)
		return v->meaning != VERIFIED_EQUAL;
	if (policy_diagram_any(own, &j->in->diags, &pd))
		return false;
	if (strcmp(line, policy_meaning(a, own, &pd)))
		v->meaning = VERIFIED_OTHER_LINE;
	return true;
}

bool judge_verifies(struct judge *j, const struct frame *f)
{
	struct dump *list;
	size_t n;
	struct verified v = {.meaning = VERIFIED_EQUAL};
	bool done;
	budget_stage(&j->in->budget, STAGE_ASK);
	if (!f->len)
		done = j->nparts == 1 && hold_against_own(j, j->parts->program, &v);
	else
		done = dumps_read(j->in->arena, f->data, f->len, &list, &n) && n == 1 && hold_against(j, j->policy, &list[0], &v);
	if (done)
		inside_write(j->in, FRAME_VERIFIED, &v, sizeof v);
	return done;
}
