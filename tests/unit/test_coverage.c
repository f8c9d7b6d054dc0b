/*
 * What cases cover of a policy, and the cases that are missing: against mutants that another generator
 * makes, of the policy's text, and that are compiled.
 */
#include "policy/coverage.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

/* ---- random policies and their mutants, as text ---------------------------------------------------- */

enum { RULES = 4, PATTERNS = 2, RANGES = 2, MAJORS = 12, MINORS = 20, UIDS = 8 };
enum block {
	NO_BLOCK, MINOR_IS, MINOR_BELOW, UID_IS, UID_BELOW, READS, MINOR_UID, MAJOR_MINOR, BLOCKS, /* of mutants only: */
	ALWAYS = BLOCKS, NEVER, MAJOR_MINOR_TOO, MAJOR_MINOR_NOT, READS_WRITES, READS_MAKES
};

struct ends { int lo, hi; }; /* lo > hi: gone */
struct text_pattern { int types; struct ends major[RANGES], minor[RANGES]; int letters; };
struct text_rule {
	bool gone, deny;
	struct text_pattern pattern[PATTERNS];
	int npatterns;
	enum block block;
	int k, also; /* the number of the block, and one more for which it holds; -1: none */
};
struct text_policy { bool allow; struct text_rule rule[RULES]; int nrules; };

static void random_ranges(struct rng *g, struct ends *e, int most)
{
	e[0].lo = (int)below(g, (uint32_t)most / 3);
	e[0].hi = e[0].lo + (below(g, 2) ? 0 : (int)below(g, 4));
	e[1].lo = e[0].hi + 2 + (int)below(g, 3);
	e[1].hi = below(g, 3) ? -1 : e[1].lo + (int)below(g, 3);
}

/* Would the devices decide what the block compares? Then it is not asked at all. */
static bool idle_block(const struct text_rule *r)
{
	for (int n = 0; n < r->npatterns; n++) {
		const struct ends *e = r->pattern[n].minor;
		if ((r->block == MINOR_IS || r->block == MINOR_BELOW) && (r->k <= e[0].lo || r->k > e[0].hi))
			return true;
	}
	return r->block == READS;
}

static struct text_policy random_policy(struct rng *g)
{
	struct text_policy p = {.allow = !below(g, 3), .nrules = 1 + (int)below(g, RULES)};
	for (int i = 0; i < p.nrules; i++) {
		struct text_rule *r = &p.rule[i];
		r->deny = below(g, 2);
		r->npatterns = 1 + (int)below(g, PATTERNS);
		r->block = below(g, 2) ? NO_BLOCK : (enum block)below(g, BLOCKS);
		r->k = 1 + (int)below(g, 6);
		r->also = -1;
		for (int n = 0; n < r->npatterns; n++) {
			struct text_pattern *t = &r->pattern[n];
			t->types = 1 + (int)below(g, 3);
			t->letters = 1 + (int)below(g, 7);
			random_ranges(g, t->major, MAJORS);
			random_ranges(g, t->minor, MINORS);
		}
		if (idle_block(r) && below(g, 4))
			r->block = UID_IS;
		if (idle_block(r)) {
			r->npatterns = 1;
			r->pattern[0].letters = 7;
			r->pattern[0].minor[0] = (struct ends){0, 9};
			r->pattern[0].minor[1] = (struct ends){12, 13};
		}
	}
	return p;
}

static bool no_range(const struct ends *e)
{
	return e[0].lo > e[0].hi && e[1].lo > e[1].hi;
}

static void print_ranges(FILE *out, const struct ends *e)
{
	const char *comma = "";
	for (int i = 0; i < RANGES; i++)
		if (e[i].lo <= e[i].hi) {
			fprintf(out, e[i].lo == e[i].hi ? "%s%d" : "%s%d-%d", comma, e[i].lo, e[i].hi);
			comma = ",";
		}
}

static void print_block(FILE *out, const struct text_rule *r)
{
	static const char *const texts[] = {[MINOR_IS] = "c.minor == %d", [MINOR_BELOW] = "c.minor < %d", [UID_IS] = "c.uid == %d",
	                                    [UID_BELOW] = "c.uid < %d", [READS] = "c.read?", [MINOR_UID] = "c.minor == c.uid",
	                                    [MAJOR_MINOR] = "c.major * 2 > c.minor + 3", [MAJOR_MINOR_TOO] = "c.major * 2 >= c.minor + 3",
	                                    [MAJOR_MINOR_NOT] = "c.major * 2 != c.minor + 3",
	                                    [READS_WRITES] = "c.read? || c.write?", [READS_MAKES] = "c.read? || c.mknod?",
	                                    [ALWAYS] = "true", [NEVER] = "false"};
	if (r->block == NO_BLOCK)
		return;
	fputs(" { |c| ", out);
	fprintf(out, texts[r->block], r->k);
	if (r->also >= 0)
		fputs(" || ", out), fprintf(out, texts[r->block], r->also);
	fputs(" }", out);
}

/* False: nothing is left of it. */
static bool print_rule(FILE *out, const struct text_rule *r)
{
	const char *before = r->deny ? "deny(" : "allow(";
	bool any = false;
	for (int i = 0; i < r->npatterns && !r->gone; i++) {
		const struct text_pattern *t = &r->pattern[i];
		if (!t->types || !t->letters || no_range(t->major) || no_range(t->minor))
			continue;
		fprintf(out, "%s\"%c ", any ? ", " : before, " bca"[t->types]);
		print_ranges(out, t->major);
		putc(':', out);
		print_ranges(out, t->minor);
		fprintf(out, " %s%s%s\"", t->letters & ACC_READ ? "r" : "", t->letters & ACC_WRITE ? "w" : "",
		        t->letters & ACC_MKNOD ? "m" : "");
		any = true;
	}
	if (any) {
		putc(')', out);
		print_block(out, r);
	}
	putc('\n', out);
	return any;
}

static char *text_of(struct arena *a, const struct text_policy *p)
{
	struct arena_stream s;
	FILE *out = arena_stream(a, &s);
	fprintf(out, "default :%s\n", p->allow ? "allow" : "deny");
	for (int i = 0; i < p->nrules; i++)
		print_rule(out, &p->rule[i]);
	return arena_text(a, &s);
}

/* ---- mutants of such a policy ------------------------------------------------------------------------ */

struct mutated {
	char *text;
	bool beside; /* it has more requests, about which the block was not asked before: see policy/README.md */
	bool turned; /* so has it, for requests without an access only */
};
struct texts { struct arena *arena; struct mutated *list; size_t n, cap; bool beside, turned; };

static void mutant_text(struct texts *t, const struct text_policy *p)
{
	*ARENA_PUSH(t->arena, t->list, t->n, t->cap) = (struct mutated){text_of(t->arena, p), t->beside, t->turned};
}

static void mutate_ranges(struct texts *t, struct text_policy *p, struct ends *e)
{
	for (int i = 0; i < RANGES; i++) {
		const struct ends was = e[i];
		const struct ends moved[] = {{was.lo - 1, was.hi}, {was.lo + 1, was.hi}, {was.lo, was.hi - 1}, {was.lo, was.hi + 1}};
		if (was.lo > was.hi)
			continue;
		for (size_t k = 0; k < COUNT(moved); k++) {
			bool joined = i == 1 && moved[k].lo <= e[0].hi + 1 && e[0].lo <= e[0].hi;
			bool joins = i == 0 && e[1].lo <= e[1].hi && moved[k].hi + 1 >= e[1].lo;
			if (moved[k].lo < 0)
				continue;
			e[i] = moved[k];
			if (!joined && !joins)
				mutant_text(t, p);
		}
		/* two that meet are one: as text, the numbers between them */
		e[i] = was;
	}
	if (e[0].lo <= e[0].hi && e[1].lo <= e[1].hi && e[1].lo == e[0].hi + 2) {
		const struct ends was[] = {e[0], e[1]};
		e[0].hi = e[1].hi;
		e[1].hi = -1;
		mutant_text(t, p);
		e[0] = was[0];
		e[1] = was[1];
	}
}

static void mutate_pattern(struct texts *t, struct text_policy *p, struct text_pattern *pt)
{
	mutate_ranges(t, p, pt->major);
	mutate_ranges(t, p, pt->minor);
	for (int bit = 1; bit < 8; bit *= 2) {
		pt->letters ^= bit;
		mutant_text(t, p);
		pt->letters ^= bit;
	}
	for (int bit = 1; bit < 4; bit *= 2) {
		pt->types ^= bit;
		mutant_text(t, p);
		pt->types ^= bit;
	}
}

static void mutate_block(struct texts *t, struct text_policy *p, struct text_rule *r)
{
	static const struct { enum block from, to; } others[] = {
		{MINOR_IS, NEVER}, {UID_IS, NEVER}, {MINOR_UID, NEVER}, {MINOR_UID, ALWAYS}, {MAJOR_MINOR, NEVER}, {MAJOR_MINOR, ALWAYS},
		{MAJOR_MINOR, MAJOR_MINOR_TOO}, {MAJOR_MINOR, MAJOR_MINOR_NOT}, {READS, NEVER}, {READS, READS_WRITES}, {READS, READS_MAKES}};
	const struct text_rule was = *r;
	bool is = r->block == MINOR_IS || r->block == UID_IS, less = r->block == MINOR_BELOW || r->block == UID_BELOW;
	for (int step = -1; step <= 1 && (is || less); step += 2) {
		if (is)
			r->also = r->k + step;
		else
			r->k += step;
		mutant_text(t, p);
		*r = was;
	}
	for (size_t i = 0; i < COUNT(others); i++)
		if (others[i].from == was.block) {
			r->block = others[i].to;
			mutant_text(t, p);
			*r = was;
		}
}

static struct texts mutants_of(struct arena *a, const struct text_policy *from)
{
	struct texts t = {.arena = a};
	struct text_policy p = *from;
	p.allow = !p.allow;
	mutant_text(&t, &p);
	p.allow = !p.allow;
	for (int i = 0; i < p.nrules; i++) {
		struct text_rule *r = &p.rule[i];
		r->gone = true;
		mutant_text(&t, &p);
		r->gone = false;
		t.beside = t.turned = r->deny && r->block != NO_BLOCK;
		r->deny = !r->deny;
		mutant_text(&t, &p);
		r->deny = !r->deny;
		t.turned = false;
		t.beside = r->block != NO_BLOCK;
		for (int n = 0; n < r->npatterns; n++)
			mutate_pattern(&t, &p, &r->pattern[n]);
		t.beside = false;
		mutate_block(&t, &p, r);
	}
	return t;
}

/* ---- the comparison ------------------------------------------------------------------------------------- */

struct plain { struct arena *arena; struct diags diags; struct ruby *ruby; struct policy *policy; struct policy_diagram pd; };

static struct plain plain_of(const char *text)
{
	struct plain c = {.arena = arena_new()};
	diags_init(&c.diags, c.arena);
	if (ruby_compile(c.arena, &c.diags, &host_here, "t.rb", text, strlen(text), NULL, 0, &c.ruby, &c.policy) ||
	    policy_diagram_any(c.policy, &c.diags, &c.pd))
		fail_msg("%s: %s", text, c.diags.n ? c.diags.items[0].text : "failed");
	return c;
}

static void plain_free(struct plain *c)
{
	ruby_close(c->ruby);
	arena_free(c->arena);
}

/* -1: it hangs on a fact that is not given. */
static int verdict(const struct plain *c, const struct request *r)
{
	int64_t inputs[INPUT_MAX];
	int missing;
	memcpy(inputs, r->fact, sizeof inputs);
	inputs[IN_TYPE] = r->type;
	inputs[IN_REQUESTED] = r->access;
	inputs[IN_MAJOR] = r->major;
	inputs[IN_MINOR] = r->minor;
	outcome o = diagram_eval(c->pd.dg, c->pd.verdict, inputs, r->known | (INPUT(IN_UID) - 1), &missing);
	return missing >= 0 ? -1 : OUTCOME_KIND(o) == OUT_ALLOW;
}

/* Every number that such policies tell apart, and those beside them. */
static bool same_everywhere(const struct plain *x, const struct plain *y)
{
	static const int sets[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	struct request r = {.known = INPUT(IN_UID)};
	for (r.type = DEV_BLOCK; r.type <= DEV_CHAR; r.type++)
		for (r.major = 0; r.major < MAJORS + 6; r.major++)
			for (r.minor = 0; r.minor < MINORS + 4; r.minor++)
				for (int i = 0; i < UIDS + MINORS; i++)
					for (size_t k = 0; k < COUNT(sets); k++) {
						r.fact[IN_UID] = i;
						r.access = sets[k];
						if (verdict(x, &r) != verdict(y, &r))
							return false;
					}
	return true;
}

struct sums { size_t policies, mutants, equal, cases, undecided, beside; };

static void check_policy(struct rng *g, struct sums *all)
{
	struct arena *a = arena_new();
	struct text_policy p = random_policy(g);
	const char *text = text_of(a, &p);
	struct plain c = plain_of(text);
	struct coverage v;
	struct decision d;
	int missing;
	if (policy_coverage(c.arena, &c.diags, c.policy, NULL, 0, &v))
		fail_msg("%s: %s", text, c.diags.items[0].text);
	struct texts mutants = mutants_of(a, &p);
	size_t *alone = arena_alloc(a, (v.nfound + 1) * sizeof *alone);
	for (size_t i = 0; i < v.nfound; i++)
		if (policy_decide(c.policy, &c.pd, &v.found[i].request, &d, &missing) || d.allow != v.found[i].allow)
			fail_msg("%s: case %zu has the wrong verdict", text, i);
	for (size_t m = 0; m < mutants.n; m++) {
		struct plain other = plain_of(mutants.list[m].text);
		size_t kills = 0, last = 0;
		for (size_t i = 0; i < v.nfound; i++)
			if (verdict(&other, &v.found[i].request) == !v.found[i].allow && (v.found[i].request.access || !mutants.list[m].turned))
				kills++, last = i;
		if (kills == 1)
			alone[last]++;
		bool lives = !kills && !same_everywhere(&c, &other);
		if (lives && !v.count[FATE_UNDECIDED] && !mutants.list[m].beside)
			fail_msg("lives:\n%s\nfrom:\n%s", mutants.list[m].text, text);
		all->equal += !kills && !lives;
		all->beside += lives && mutants.list[m].beside;
		plain_free(&other);
	}
	for (size_t i = 0; i < v.nfound; i++)
		if (!alone[i])
			fail_msg("%s: case %zu can be left out: type %d %lld:%lld access %d", text, i, v.found[i].request.type,
			         (long long)v.found[i].request.major, (long long)v.found[i].request.minor, v.found[i].request.access);
	all->policies++;
	all->mutants += mutants.n;
	all->cases += v.nfound;
	all->undecided += v.count[FATE_UNDECIDED];
	plain_free(&c);
	arena_free(a);
}

static void test_random(void **state)
{
	(void)state;
	struct sums all = {0};
	struct rng g = {getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 2024};
	int want = getenv("POLICIES") ? atoi(getenv("POLICIES")) : 40;
	for (int i = 0; i < want; i++)
		check_policy(&g, &all);
	print_message("%zu policies, %zu mutants, %zu equal, %zu cases, %zu not decided, %zu beside a block\n", all.policies,
	              all.mutants, all.equal, all.cases, all.undecided, all.beside);
	assert_true(all.undecided < all.mutants / 50 && all.beside < all.mutants / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
