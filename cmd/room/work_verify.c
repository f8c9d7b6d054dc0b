/*
 * work_verify.c - is a program of the kernel the policy that was proven here?
 *
 * Both as diagrams of one set: equal functions are one node. Where they are not, a request is looked for
 * that is decided otherwise: one is told only when both, asked about it, say so. Comparisons of several
 * inputs are variables of their own, and what is not understood of the program too: where a difference hangs on
 * these alone, nothing is claimed.
 */
#include "cmd/room/judge.h"

#include <string.h>

#include "compiler/decode/decode.h"
#include "policy/dump.h"
#include "policy/known.h"
#include "policy/meaning.h"

enum { TRIES = 16384, SAMPLES = 96, DEPTH_MAX = 64, BEST = 8 };

struct search {
	struct arena *arena;
	struct diagrams *dg;
	node policy, program;
	uint32_t strange;     /* inputs that are not understood, as a set */
	uint32_t hangs;       /* those of them that a difference was seen to hang on */
	term condition;       /* likewise a comparison of several inputs; -1: none */
	int left;
	int best;             /* 0: no witness yet */
	bool allows;
	struct request_record witness;
	uint64_t random;
	/* the way: what values the inputs may have, which it says something about, and those of comparisons */
	int64_t lo[INPUT_MAX], hi[INPUT_MAX];
	uint32_t set, compared;
};

/* ---- one way ----------------------------------------------------------------------------------- */

/* How well a person knows the request: a device with a name, one access. */
static int rank(struct arena *a, const int64_t in[INPUT_MAX])
{
	int64_t asked = in[IN_REQUESTED];
	bool real = asked == ACC_READ || asked == ACC_WRITE || asked == (ACC_READ | ACC_WRITE) || asked == ACC_MKNOD;
	const char *name = known_name_of(a, in[IN_TYPE] == DEV_BLOCK ? 'b' : 'c', in[IN_MAJOR], in[IN_MINOR]);
	return 1 + (real ? 4 : asked ? 1 : 0) + (name ? 2 + (in[IN_TYPE] == DEV_CHAR) : 0);
}

/* Asks both. True: they differ. */
static bool differ(struct search *s, const int64_t in[INPUT_MAX], bool *allows)
{
	int missing[2];
	uint32_t known = ~s->strange;
	outcome policy = diagram_eval(s->dg, s->policy, in, known, &missing[0]);
	outcome program = diagram_eval(s->dg, s->program, in, known, &missing[1]);
	for (int i = 0; i < 2; i++)
		if (missing[i] >= 0)
			s->hangs |= 1u << missing[i];
	*allows = OUTCOME_KIND(program) == OUT_ALLOW;
	return missing[0] < 0 && missing[1] < 0 && *allows != (OUTCOME_KIND(policy) == OUT_ALLOW);
}

static bool try_request(struct search *s, const int64_t in[INPUT_MAX])
{
	bool allows;
	s->left--;
	if (!differ(s, in, &allows))
		return false;
	int good = rank(s->arena, in);
	if (good <= s->best)
		return true;
	s->best = good;
	s->allows = allows;
	s->witness = (struct request_record){.type = (int32_t)in[IN_TYPE], .access = (int32_t)in[IN_REQUESTED],
	                                     .major = in[IN_MAJOR], .minor = in[IN_MINOR]};
	for (int i = IN_MINOR + 1; i < IN_PARAM_0; i++)
		if ((s->set | s->compared) & 1u << i) {
			s->witness.known |= 1u << i;
			s->witness.fact[i] = in[i];
		}
	return true;
}

static int64_t clip(int64_t value, int64_t lo, int64_t hi)
{
	return value < lo ? lo : value > hi ? hi : value;
}

/* One of the values that an input may have: an end, one near it, or any. */
static int64_t sample(struct search *s, int input)
{
	int64_t lo = s->lo[input], hi = s->hi[input];
	uint64_t wide = (uint64_t)hi - (uint64_t)lo, k;
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	k = s->random >> 36;
	switch (s->random >> 33 & 3) {
	case 0: return lo + (int64_t)(k % 16 < wide ? k % 16 : wide);
	case 1: return hi - (int64_t)(k % 16 < wide ? k % 16 : wide);
	case 2: return lo + (int64_t)(k % 4096 < wide ? k % 4096 : wide);
	default: return wide == UINT64_MAX ? (int64_t)k : lo + (int64_t)(k % (wide + 1));
	}
}

/* Requests of the way: a well-known one where it may be; with comparisons, values that might satisfy them. */
static void try_way(struct search *s)
{
	static const int64_t common[INPUT_MAX] = {[IN_TYPE] = DEV_CHAR, [IN_REQUESTED] = ACC_READ, [IN_MAJOR] = 1, [IN_MINOR] = 3};
	int64_t in[INPUT_MAX];
	for (int i = 0; i < INPUT_MAX; i++)
		in[i] = clip(common[i], s->lo[i], s->hi[i]);
	bool found = try_request(s, in);
	for (int n = 0; n < SAMPLES && s->compared && !found; n++) {
		for (int i = 0; i < INPUT_MAX; i++)
			if (s->compared & 1u << i)
				in[i] = sample(s, i);
		found = try_request(s, in);
	}
}

static void walk(struct search *s, node n, int depth);

static void walk_edge(struct search *s, const struct switch_node *sw, uint32_t i, int depth)
{
	uint32_t set = s->set, var = sw->var;
	int64_t lo = s->lo[var], hi = s->hi[var];
	s->set |= 1u << var;
	s->lo[var] = switch_edge_lo(s->dg, sw, i);
	s->hi[var] = sw->edges[i].hi;
	walk(s, sw->edges[i].to, depth + 1);
	s->lo[var] = lo;
	s->hi[var] = hi;
	s->set = set;
}

/* Every way to a difference, as far as the tries go. */
static void walk(struct search *s, node n, int depth)
{
	outcome o;
	if (s->left <= 0 || s->best == BEST || depth == DEPTH_MAX)
		return;
	if (node_is_terminal(n, &o)) {
		if (OUTCOME_KIND(o) == OUT_ALLOW)
			try_way(s);
		return;
	}
	struct switch_node sw = node_switch(s->dg, n);
	uint32_t compared = s->compared;
	if (sw.var >= INPUT_MAX) {
		s->condition = diagram_free_term(s->dg, sw.var);
		s->compared |= diagram_var_inputs(s->dg, sw.var) & ~s->strange;
	}
	for (uint32_t i = 0; i < sw.n; i++) {
		if (sw.var < INPUT_MAX)
			walk_edge(s, &sw, i, depth);
		else
			walk(s, sw.edges[i].to, depth + 1);
	}
	s->compared = compared;
}

/* Requests that one allows and the other does not, each way a search of its own. */
static void find_witness(struct search *s)
{
	node pass = diagram_terminal(OUT_PASS), yes = diagram_terminal(OUT_ALLOW);
	node more = diagram_ite(s->dg, s->program, diagram_ite(s->dg, s->policy, pass, yes), pass);
	node less = diagram_ite(s->dg, s->policy, diagram_ite(s->dg, s->program, pass, yes), pass);
	for (int i = 0; i < INPUT_MAX; i++)
		input_range((enum input)i, &s->lo[i], &s->hi[i]);
	for (int i = 0; i < 2 && diagram_ok(s->dg); i++) {
		s->left = TRIES;
		walk(s, i ? less : more, 0);
	}
}

/* ---- the answer ------------------------------------------------------------------------------------ */

static void copy_text(char out[VERDICT_TEXT], const char *text)
{
	memcpy(out, text, strnlen(text, VERDICT_TEXT - 1));
}

static void say_unknown(struct search *s, const struct terms *ts, struct verified *v)
{
	v->meaning = VERIFIED_UNKNOWN;
	for (int in = 0; in < INPUT_MAX; in++)
		if (s->hangs & s->strange & 1u << in) {
			copy_text(v->unknown, terms_input_name(ts, (enum input)in));
			return;
		}
	if (s->condition != (term)-1)
		copy_text(v->unknown, term_text(s->arena, ts, s->condition, VERDICT_TEXT / 2));
	else
		copy_text(v->unknown, "more differences than are looked at");
}

static void compare(struct search *s, const struct terms *ts, struct verified *v)
{
	if (s->policy == s->program)
		return;
	find_witness(s);
	if (!s->best) {
		say_unknown(s, ts, v);
		return;
	}
	v->meaning = VERIFIED_DIFFERENT;
	v->allows = s->allows;
	v->witness = s->witness;
}

bool judge_verifies(struct judge *j, const struct frame *f)
{
	struct arena *a = j->in->arena;
	struct diags *d = &j->in->diags;
	struct policy *p = policy_with_values(a, j->policy);
	struct policy_diagram pd;
	struct decoded got;
	struct dump *list;
	size_t n, first = j->policy->nparams;
	struct verified v = {.meaning = VERIFIED_EQUAL};
	budget_stage(&j->in->budget, STAGE_ASK);
	if (!dumps_read(a, f->data, f->len, &list, &n) || n != 1)
		return false;
	if (policy_diagram_any(p, d, &pd) || decode_program(a, d, "the program", &list[0], pd.dg, p->terms, first, &got))
		return false;
	node all = requests_within(pd.dg, diagram_terminal(OUT_ALLOW), diagram_terminal(OUT_DENY));
	struct search s = {.arena = a, .dg = pd.dg, .policy = p->mode == MODE_PERMISSIVE ? all : pd.verdict, .program = got.verdict,
	                   .condition = (term)-1};
	for (size_t i = 0; i < got.unknown; i++)
		s.strange |= 1u << (IN_PARAM_0 + first + i);
	compare(&s, p->terms, &v);
	if (!diagram_ok(pd.dg))
		return !diag_fail(d, NULL, "the program and the policy differ by more than can be compared");
	inside_write(j->in, FRAME_VERIFIED, &v, sizeof v);
	return true;
}
