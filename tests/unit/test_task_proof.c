/*
 * Programs that read the calling task: the program decides as the policy does, what the kernel does not tell is denied at the
 * rule that asks, and no damaged program passes the proof and decides otherwise.
 */
#include "compiler/compiler.h"
#include "compiler/task/task.h"
#include "tests/unit/fixture.h"
#include "tests/unit/policy_files.h"

#include <linux/bpf.h>

struct made {
	struct policy policy;
	struct policy_diagram pd;
	struct image image;
	struct diags diags;
};

static term is(struct terms *ts, enum input in, int64_t value)
{
	return term_eq(ts, term_input(ts, in), term_const(ts, value));
}

static term asks(struct terms *ts, enum ask_kind kind, int64_t number, const char *text)
{
	int place = asked_ask(terms_asked(ts), kind, number, text, (struct span){0});
	assert_true(place >= 0);
	return is(ts, IN_ASK_0 + place, 1);
}

/* Rules about /dev/null, a disk, and any device, of every kind of fact. */
static void rules_of(struct policy *p, struct rule *rules, bool errno_too)
{
	struct terms *ts = p->terms;
	const char *unit = "/system.slice/x.service", *exe = "/usr/bin/x";
	term null = term_and(ts, is(ts, IN_MAJOR, 1), is(ts, IN_MINOR, 3)), disk = is(ts, IN_MAJOR, 8);
	term group = asks(ts, ASK_GROUP, 44, NULL), raw = asks(ts, ASK_CAPABLE, 17, "sys_rawio");
	term under = asks(ts, ASK_UNDER, path_value(unit, strlen(unit)), unit);
	assert_non_null(asked_path(terms_asked(ts), exe, false, (struct span){0}));
	term by_exe = is(ts, IN_EXE, path_value(exe, strlen(exe)));
	const struct { bool deny; term match; } list[] = {
		{false, term_and(ts, null, term_or(ts, group, is(ts, IN_EUID, 0)))},
		{true, term_and(ts, disk, term_and(ts, term_not(ts, raw), term_not(ts, is(ts, IN_LOGIN_UID, ID_NONE))))},
		{false, term_and(ts, disk, by_exe)},
		{true, term_and(ts, under, is(ts, IN_KERNEL_THREAD, 1))},
		{false, term_lt(ts, term_input(ts, IN_MINOR), term_input(ts, IN_EUID))}, /* of several inputs */
	};
	p->nrules = COUNT(list);
	p->rules = rules;
	for (size_t i = 0; i < COUNT(list); i++)
		rules[i] = (struct rule){.deny = list[i].deny, .at = {.line = (int)i + 1}, .block = -1, .devices = T_TRUE, .match = list[i].match,
		                         .error = errno_too && list[i].deny ? 19 : 0};
}

static void make(struct arena *a, struct made *m, enum audit_level audit, enum policy_mode mode, bool errno_too)
{
	struct rule *rules = arena_alloc(a, 8 * sizeof *rules);
	diags_init(&m->diags, a);
	m->policy = (struct policy){.arena = a, .terms = terms_new(a), .name = "task", .file = "t.rb", .audit = audit, .mode = mode};
	rules_of(&m->policy, rules, errno_too);
	if (compile_policy(&m->policy, &m->diags, &m->pd, &m->image))
		fail_msg("%s", m->diags.n ? m->diags.items[0].text : "failed");
}

static struct request random_request(struct rng *g)
{
	static const int64_t majors[] = {1, 8, 10}, minors[] = {0, 3, 7};
	struct request r = {.type = 1 + (int)below(g, 2), .access = (int)below(g, 8), .major = majors[below(g, 3)], .minor = minors[below(g, 3)],
	                    .known = ~(input_set)0};
	for (enum input in = IN_EUID; in < IN_ASK_0; in++)
		r.fact[in] = below(g, 2);
	r.fact[IN_EUID] = below(g, 6);
	r.fact[IN_LOGIN_UID] = below(g, 2) ? 1000 : ID_NONE;
	r.fact[IN_EXE] = below(g, 2) ? path_value("/usr/bin/x", 10) : 0;
	r.who.known = WHO_GROUPS | WHO_CAPS;
	if (below(g, 2))
		r.who.groups[r.who.ngroups++] = 44;
	r.who.caps = below(g, 2) ? 1u << 17 : 0;
	const char *where = below(g, 2) ? "/system.slice/x.service/a" : "/user.slice";
	assert_true(request_cgroup(&r, where, strlen(where)));
	return r;
}

static bool agrees(struct made *m, const struct image *image, const struct request *r)
{
	struct decision d;
	struct simulated out;
	int missing;
	const char *why;
	assert_int_equal(policy_decide(&m->policy, &m->pd, r, &d, &missing), 0);
	return !simulate(&m->policy, image, r, &out, &missing, &why) && out.allow == d.allow;
}

static void programs(void **state)
{
	for (int audit = AUDIT_NONE; audit <= AUDIT_ALL; audit++)
		for (int mode = MODE_ENFORCE; mode <= MODE_PERMISSIVE; mode++)
			for (int errno_too = 0; errno_too < 2; errno_too++) {
				struct rng g = {7};
				struct made m;
				make(*state, &m, (enum audit_level)audit, (enum policy_mode)mode, errno_too);
				for (int i = 0; i < 4000; i++) {
					struct request r = random_request(&g);
					assert_true(agrees(&m, &m.image, &r));
				}
			}
}

/* Every bit of every instruction. */
static void flips(void **state)
{
	struct made m;
	make(*state, &m, AUDIT_NONE, MODE_ENFORCE, false);
	size_t size = m.image.ninsns * sizeof(struct bpf_insn), caught = 0, harmless = 0;
	unsigned char *bytes = malloc(size);
	struct image damaged = m.image;
	memcpy(bytes, m.image.insns, size);
	damaged.insns = bytes;
	for (size_t bit = 0; bit < size * 8; bit++) {
		struct diags quiet;
		diags_init(&quiet, *state);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (verify_image(&m.policy, &quiet, &m.pd, &damaged)) {
			caught++;
		} else {
			struct rng g = {bit};
			for (int i = 0; i < 400; i++) {
				struct request r = random_request(&g);
				assert_true(agrees(&m, &damaged, &r));
			}
			harmless++;
		}
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	free(bytes);
	assert_true(caught > harmless); /* bits of unused fields are harmless */
}

/* Where a fact is not told: no bit of what denies may differ. */
static void untold(void **state)
{
	for (int audit = AUDIT_NONE; audit <= AUDIT_ALL; audit++) {
		struct made m;
		size_t ends = 0;
		make(*state, &m, (enum audit_level)audit, MODE_ENFORCE, audit == AUDIT_DENIED);
		struct bpf_insn *insns = arena_alloc(*state, m.image.ninsns * sizeof *insns);
		struct image damaged = m.image;
		memcpy(insns, m.image.insns, m.image.ninsns * sizeof *insns);
		damaged.insns = insns;
		for (size_t pc = 0; pc < m.image.tail; pc++) {
			if (insns[pc].code != (BPF_JMP | BPF_JSLT | BPF_K) || insns[pc].dst_reg)
				continue;
			unsigned char *end = (unsigned char *)&insns[pc + 1 + (size_t)insns[pc].off];
			for (size_t bit = 0; bit < 8 * sizeof *insns; bit++) {
				struct diags quiet;
				diags_init(&quiet, *state);
				end[bit / 8] ^= (unsigned char)(1u << bit % 8);
				assert_int_not_equal(verify_image(&m.policy, &quiet, &m.pd, &damaged), 0);
				end[bit / 8] ^= (unsigned char)(1u << bit % 8);
			}
			ends++;
		}
		assert_true(ends >= 7);
		outcome o = policy_untold(&m.policy, IN_EXE);
		assert_int_equal(OUTCOME_KIND(o), OUT_ERROR);
		assert_int_equal(OUTCOME_RULE(o) >> REPORT_ACCESS_BITS, audit == AUDIT_NONE ? 0 : 3);
	}
}

/* Another reader, or none, at a call. */
static void other_readers(void **state)
{
	struct made m;
	make(*state, &m, AUDIT_DENIED, MODE_ENFORCE, true);
	struct image_reloc *relocs = arena_alloc(*state, m.image.nrelocs * sizeof *relocs);
	struct image damaged = m.image;
	size_t calls = 0;
	memcpy(relocs, m.image.relocs, m.image.nrelocs * sizeof *relocs);
	damaged.relocs = relocs;
	for (size_t i = 0; i < m.image.nrelocs; i++) {
		const uint32_t was = relocs[i].target;
		if (was < TARGET_READER || was - TARGET_READER >= READERS)
			continue;
		calls++;
		for (uint32_t other = 0; other <= READERS; other++) {
			struct diags quiet;
			diags_init(&quiet, *state);
			relocs[i].target = other == READERS ? TARGET_HEADER : TARGET_READER + other;
			if (relocs[i].target != was)
				assert_int_not_equal(verify_image(&m.policy, &quiet, &m.pd, &damaged), 0);
		}
		relocs[i].target = was;
	}
	assert_true(calls >= 7);
}

/* Each fact is read at most once on a path, and only where it decides. */
static void reads(void **state)
{
	struct made m;
	struct request r = {.type = DEV_CHAR, .access = ACC_READ, .major = 8, .minor = 7, .known = ~(input_set)0};
	struct decision d;
	struct simulated out;
	int missing;
	const char *why;
	make(*state, &m, AUDIT_NONE, MODE_ENFORCE, false);
	r.known = 0; /* nothing is asked of what no rule is about, outside the domain */
	r.major = 5000;
	assert_int_equal(simulate(&m.policy, &m.image, &r, &out, &missing, &why), 0);
	r.major = 1;
	assert_int_equal(simulate(&m.policy, &m.image, &r, &out, &missing, &why), -1);
	assert_int_equal(policy_decide(&m.policy, &m.pd, &r, &d, &missing), -1);
	assert_true(missing >= IN_EUID && missing < IN_PARAM_0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ARENA_TEST(programs), ARENA_TEST(flips), ARENA_TEST(untold), ARENA_TEST(other_readers), ARENA_TEST(reads)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
