/*
 * Verdicts as rules for people: they mean what the policy means, of every policy of the tests and of its
 * shipped ones; no rule can be left out, no two can be one. What devices are called, and what reaching them
 * means.
 */
#include "policy/explain.h"
#include "policy/params.h"
#include "policy/reach.h"
#include "tests/unit/compiled.h"
#include "tests/unit/random_policy.h"

#define NONE ((size_t)-1)
static const int asked[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};

/* ---- what the rules say -------------------------------------------------------------------------- */

struct device { int type; int64_t major, minor; };

static bool is_general(const struct explained *r)
{
	const struct pattern *p = &r->pattern;
	return !p->majors->lo && p->majors->hi == MAJOR_MAX && !p->minors->lo && p->minors->hi == MINOR_MAX;
}

/* The rule that decides a letter (0: no access) of a device, in a request for the set; NONE: the default. */
static size_t decider(const struct explanation *e, size_t left_out, struct device d, int letter, int set)
{
	for (int general = 0; general < 2; general++)
		for (int alone = 0; alone < 2; alone++)
			for (size_t i = 0; i < e->n; i++) {
				const struct explained *r = &e->list[i];
				bool about = letter ? r->pattern.access & letter : !r->pattern.access;
				if (i != left_out && is_general(r) == general && about && r->asked == (alone ? -1 : set) &&
				    r->pattern.types & d.type && intervals_have(r->pattern.majors, r->pattern.nmajors, d.major) &&
				    intervals_have(r->pattern.minors, r->pattern.nminors, d.minor))
					return i;
			}
	return NONE;
}

static bool allows(struct diagrams *dg, const struct explanation *e, size_t rule, const int64_t *inputs)
{
	int missing;
	return rule != NONE && OUTCOME_KIND(diagram_eval(dg, e->list[rule].allowed, inputs, ~(input_set)0, &missing)) == OUT_ALLOW;
}

static bool request_allowed(struct diagrams *dg, const struct explanation *e, struct device d, int set, const int64_t *inputs)
{
	bool all = true, any = false;
	if (!set && decider(e, NONE, d, 0, 0) != NONE)
		return allows(dg, e, decider(e, NONE, d, 0, 0), inputs);
	for (int letter = ACC_MKNOD; letter <= ACC_WRITE; letter <<= 1) {
		bool one = allows(dg, e, decider(e, NONE, d, letter, set ? set : letter), inputs);
		all &= one || !(set & letter);
		any |= one;
	}
	return set ? all : any;
}

/* ---- held against policies ------------------------------------------------------------------------ */

static size_t files, rules, conditions;

static void check_request(const char *name, struct compiled *c, struct diagrams *dg, const struct explanation *e, struct device d,
                          struct rng *g)
{
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct request q = {.type = d.type, .access = asked[i], .known = ~(input_set)0, .major = d.major, .minor = d.minor};
		struct decision want;
		int missing;
		q.fact[IN_UID] = below(g, 2) * 1000;
		q.fact[IN_GID] = below(g, 30);
		q.fact[IN_PID] = below(g, 5);
		q.fact[IN_UPTIME] = below(g, 200);
		int64_t inputs[INPUT_MAX];
		memcpy(inputs, q.fact, sizeof inputs);
		inputs[IN_TYPE] = d.type;
		inputs[IN_MAJOR] = d.major;
		inputs[IN_MINOR] = d.minor;
		inputs[IN_REQUESTED] = q.access;
		assert_int_equal(policy_decide(c->policy, &c->pd, &q, &want, &missing), 0);
		if (request_allowed(dg, e, d, q.access, inputs) != want.allow)
			fail_msg("%s: type %d %lld:%lld access %d: %s", name, d.type, (long long)d.major, (long long)d.minor, q.access,
			         want.allow ? "allowed, and told as denied" : "denied, and told as allowed");
	}
}

static int64_t clamp(int64_t n, int64_t most)
{
	return n < 0 ? 0 : n > most ? most : n;
}

/* Around every rule, and anywhere. */
static void check_meaning(const char *name, struct compiled *c, struct diagrams *dg, const struct explanation *e)
{
	struct rng g = {7};
	for (size_t i = 0; i < e->n && e->n < 400; i++)
		for (int k = 0; k < 6; k++) {
			const struct pattern *p = &e->list[i].pattern;
			const struct interval *major = &p->majors[below(&g, (uint32_t)p->nmajors)], *minor = &p->minors[below(&g, (uint32_t)p->nminors)];
			struct device d = {1 + k % 2, clamp(k & 1 ? major->lo : major->hi + k / 4, MAJOR_MAX),
			                   clamp(k & 2 ? minor->lo - k / 4 : minor->hi + k / 5, MINOR_MAX)};
			check_request(name, c, dg, e, d, &g);
		}
	for (int i = 0; i < 300; i++) {
		struct device d = {1 + (int)below(&g, 2), below(&g, 4) ? below(&g, 15) : below(&g, MAJOR_MAX),
		                   below(&g, 3) ? below(&g, 30) : below(&g, MINOR_MAX)};
		check_request(name, c, dg, e, d, &g);
	}
}

static bool same_intervals(const struct interval *x, size_t n, const struct interval *y, size_t m)
{
	return n == m && !memcmp(x, y, n * sizeof *x);
}

static void check_least(const char *name, const struct explanation *e)
{
	for (size_t i = 0; i < e->n && e->n < 60; i++) {
		const struct explained *r = &e->list[i];
		struct device d = {r->pattern.types & DEV_CHAR ? DEV_CHAR : DEV_BLOCK, r->pattern.majors->lo, r->pattern.minors->lo};
		bool needed = !r->pattern.access || is_general(r);
		for (int letter = ACC_MKNOD; letter <= ACC_WRITE; letter <<= 1) {
			size_t other = r->pattern.access & letter ? decider(e, i, d, letter, r->asked < 0 ? letter : r->asked) : i;
			needed |= (other == NONE ? diagram_terminal(OUT_DENY) : e->list[other].allowed) != r->allowed;
		}
		if (!needed)
			fail_msg("%s: the rule about %s is not needed", name, r->pattern.text);
		for (size_t k = 0; k < i; k++) {
			const struct explained *s = &e->list[k];
			if (s->pattern.access == r->pattern.access && s->asked == r->asked && s->allowed == r->allowed &&
			    s->pattern.types == r->pattern.types && is_general(s) == is_general(r) &&
			    (same_intervals(s->pattern.minors, s->pattern.nminors, r->pattern.minors, r->pattern.nminors)))
				fail_msg("%s: the rules about %s and %s are one", name, r->pattern.text, s->pattern.text);
		}
	}
}

static void try_text(const char *name, const char *text)
{
	struct compiled c = compiled_of(text);
	struct policy *p = policy_with_values(c.arena, c.policy);
	struct policy_diagram pd;
	struct explanation e;
	if (policy_diagram(p, &c.diags, ORDER_FACTS_LAST, &pd))
		fail_msg("%s: no diagram", name);
	if (policy_explain(c.arena, &c.diags, name, pd.dg, p->terms, pd.verdict, &e))
		fail_msg("%s: %s", name, c.diags.items[c.diags.n - 1].text);
	check_meaning(name, &c, pd.dg, &e);
	check_least(name, &e);
	files++;
	rules += e.n;
	for (size_t i = 0; i < e.n; i++)
		conditions += e.list[i].when != NULL;
	compiled_free(&c);
}

static void test_files(void **state)
{
	(void)state;
	each_policy_file(try_text);
	print_message("%zu files, %zu rules, %zu with a condition\n", files, rules, conditions);
	assert_true(files > 25 && conditions > 30);
}

static void test_random(void **state)
{
	(void)state;
	struct rng g = {2026};
	for (int i = 0; i < 300; i++) {
		struct arena *a = arena_new();
		const char *text = random_policy(a, &g, i & 1);
		try_text(text, text);
		arena_free(a);
	}
}

/* ---- words ------------------------------------------------------------------------------------------ */

static const char *as_text(struct arena *a, const struct explanation *e)
{
	const char *text = "";
	char letters[4];
	for (size_t i = 0; i < e->n; i++)
		text = arena_printf(a, "%s%s %s %s%s%s\n", text, explain_words[e->list[i].verdict],
		                    access_text(e->list[i].pattern.access, letters), e->list[i].pattern.text, e->list[i].when ? " " : "",
		                    e->list[i].when ? e->list[i].when : "");
	return text;
}

static void test_words(void **state)
{
	(void)state;
	static const char *const texts[][2] = {
		{"default :allow\n", "allow rwm a *:*\n"},
		{"default :deny\n", ""},
		{"allow :null, :zero, access: \"rw\"\nallow \"a *:* m\"\n", "allow rw c 1:3,5\nallow m a *:*\n"},
		{"default :allow\ndeny :mem\ndeny \"b *:*\", access: \"w\"\n", "deny rwm c 1:1\nallow rwm c *:*\nallow rm b *:*\n"},
		{"allow(:mem) { |c| c.uid == 0 }\nallow \"a *:* m\"\n", "allow rw c 1:1 only when uid is 0\nallow m a *:*\n"},
		{"default :allow\ndeny(:mem) { |c| c.uid == 1000 || c.gid == 5 }\n",
		 "deny rwm c 1:1 only when gid is 5 or uid is 1000\nallow rwm a *:*\n"},
		{"allow { |c| c.uid == 0 }\n", "allow rwm a *:* only when uid is 0\n"},
		{"allow(:null) { |c| c.comm != \"qemu\" }\n", "allow rwm c 1:3 unless comm is \"qemu\"\n"},
		{"allow(:null) { |c| c.comm == \"qemu-system-x86\" }\n", "allow rwm c 1:3 only when comm is \"qemu-system-x86\"\n"},
		{"allow(:null) { |c| c.comm.start_with?(\"qemu\") }\n", "allow rwm c 1:3 only when comm begins with \"qemu\"\n"},
		{"allow(:null) { |c| c.comm.start_with?(\"qemu-system\") }\n", "allow rwm c 1:3 only when comm begins with \"qemu-system\"\n"},
		{"allow(:null) { |c| c.uid.between?(1000, 1999) && (c.gid == 4 || c.gid == 27) }\n",
		 "allow rwm c 1:3 only when uid is 1000 to 1999 and gid is 4 or 27\n"},
		{"allow(:null) { |c| c.uptime < 60 && (c.uid == 0 || c.gid == 5) }\n",
		 "allow rwm c 1:3 only when uptime is at most 59 and (uid is 0 or gid is 5)\n"},
		{"allow(:null) { |c| c.uid >= 1000 }\n", "allow rwm c 1:3 only when uid is at least 1000\n"},
		{"allow(:null) { |c| (c.uid * 7 + c.gid) % 5 == 3 }\n", "allow rwm c 1:3 only when (((uid * 7) + gid) % 5) == 3\n"},
		{"allow(:null) { |c| (1..40).any? { |i| c.uid == 2 * i && c.gid == i } }\n", "allow rwm c 1:3 for some uid, gid (too many cases for a line)\n"},
		{"allow(:null) { |c| c.exe == \"/usr/bin/qemu-system-x86_64\" && c.in_group?(44) }\n",
		 "allow rwm c 1:3 only when the caller's executable is /usr/bin/qemu-system-x86_64 and the caller is in group 44\n"},
		{"allow(:null) { |c| c.exe != \"/bin/a\" && c.exe != \"/bin/b\" }\n", "allow rwm c 1:3 unless the caller's executable is /bin/a or /bin/b\n"},
		{"allow(:null) { |c| (1..9).map { |i| \"/bin/#{i}\" }.include?(c.parent_exe) }\n",
		 "allow rwm c 1:3 only when the executable of the caller's parent is /bin/1, /bin/2, /bin/3 or one of 6 more\n"},
		{"allow(:null) { |c| c.capable?(:sys_rawio) && c.under?(\"/system.slice/x.service\") }\n",
		 "allow rwm c 1:3 only when the caller has CAP_SYS_RAWIO in the host's user namespace and the caller is below /system.slice/x.service\n"},
		{"allow(:null) { |c| !c.in_group?(5) && c.euid == 0 && !c.capable?(:sys_admin) }\n",
		 "allow rwm c 1:3 unless the caller has CAP_SYS_ADMIN in the host's user namespace or the caller is in group 5 or euid is not 0\n"},
		{"allow(:null) { |c| c.host_user_ns? && !c.host_pid_ns? && !c.kernel_thread? }\n",
		 "allow rwm c 1:3 only when the caller is in the host's user namespace and the caller is in another pid namespace than the host's "
		 "and the caller is no kernel thread\n"},
		{"allow(:null) { |c| c.login_uid.nil? }\n", "allow rwm c 1:3 only when login uid is unset\n"},
		{"allow(:null) { |c| c.login_uid }\n", "allow rwm c 1:3 unless login uid is unset\n"},
		{"allow(:null) { |c| c.session && c.session >= 3 }\n", "allow rwm c 1:3 only when session is at least 3\n"},
		{"allow(:null) { |c| c.session.nil? || c.session == 7 }\n", "allow rwm c 1:3 only when session is 7 or unset\n"},
		{"allow(:null) { |c| c.login_uid && ![5, 7].include?(c.login_uid) && c.ppid == 1 }\n",
		 "allow rwm c 1:3 only when login uid is not 5 or 7 and set and ppid is 1\n"},
		{"allow(:null) { |c| c.requested != 6 }\n",
		 "allow r c 1:3 when r alone is asked for\nallow w c 1:3 when w alone is asked for\nallow m c 1:3\n"},
		{"allow(:null) { |c| c.read? }\n", "allow r c 1:3\ndeny - c 1:3\n"},
		{"param :gpu, 3, in: 0..15\nallow(\"c 195:0-15 r\") { |c| c.minor == c.gpu }\n", "allow r c 195:3\n"},
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct compiled c = compiled_of(texts[i][0]);
		struct policy *p = policy_with_values(c.arena, c.policy);
		struct policy_diagram pd;
		struct explanation e;
		assert_int_equal(policy_diagram(p, &c.diags, ORDER_FACTS_LAST, &pd), 0);
		assert_int_equal(policy_explain(c.arena, &c.diags, "it", pd.dg, p->terms, pd.verdict, &e), 0);
		same_text(texts[i][0], as_text(c.arena, &e), texts[i][1]);
		compiled_free(&c);
	}
}

/* A value that is not understood: named, and no answer. */
static void test_unknown(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct terms *ts = terms_new(a);
	struct diags d;
	struct explanation e;
	diags_init(&d, a);
	terms_param(ts, IN_PARAM_0, "a random number", INT64_MIN, INT64_MAX);
	struct diagrams *dg = diagrams_new(a, ts, ORDER_FACTS_LAST);
	term null = term_and(ts, term_eq(ts, term_input(ts, IN_MAJOR), term_const(ts, 1)), term_eq(ts, term_input(ts, IN_MINOR), term_const(ts, 3)));
	term odd = term_lt(ts, term_input(ts, IN_PARAM_0), term_const(ts, 5));
	node verdict = diagram_ite(dg, diagram_of_term(dg, term_and(ts, null, odd)), diagram_terminal(OUT_ALLOW), diagram_terminal(OUT_DENY));
	assert_int_equal(policy_explain(a, &d, "it", dg, ts, requests_within(dg, verdict, diagram_terminal(OUT_DENY)), &e), 0);
	same_text("unknown", as_text(a, &e), "unknown rwm a 1:3 hangs on a random number\n");
	arena_free(a);
}

/* ---- devices ------------------------------------------------------------------------------------------ */

static void test_called(void **state)
{
	(void)state;
	static const struct { struct device_run run; enum reach reach; const char *name, *what; } list[] = {
		{{DEV_CHAR, {1, 1}, {3, 3}}, REACH_STANDARD, "/dev/null", "takes everything, gives nothing"},
		{{DEV_CHAR, {1, 1}, {1, 1}}, REACH_MEMORY, "/dev/mem", "physical memory"},
		{{DEV_CHAR, {1, 1}, {0, MINOR_MAX}}, REACH_MEMORY, "", "with mem, kmsg, null, kmem ..."},
		{{DEV_CHAR, {136, 136}, {0, MINOR_MAX}}, REACH_STANDARD, "/dev/pts/*", "pseudo terminals"},
		{{DEV_CHAR, {136, 136}, {5, 5}}, REACH_STANDARD, "/dev/pts/5", "pseudo terminals"},
		{{DEV_CHAR, {4, 4}, {0, 63}}, REACH_TERMINAL, "/dev/tty0-63", "virtual consoles"},
		{{DEV_CHAR, {4, 4}, {0, MINOR_MAX}}, REACH_TERMINAL, "", "with ttyS, tty"},
		{{DEV_CHAR, {13, 13}, {0, MINOR_MAX}}, REACH_INPUT, ":input", "keyboards, mice, joysticks"},
		{{DEV_BLOCK, {8, 8}, {0, 15}}, REACH_DISK, "/dev/sda*", "SCSI, SATA and USB disks, their partitions 1 to 15"},
		{{DEV_BLOCK, {8, 8}, {0, 20}}, REACH_DISK, "/dev/sda to sdb4", "SCSI, SATA and USB disks, their partitions 1 to 15"},
		{{DEV_BLOCK, {8, 8}, {0, MINOR_MAX}}, REACH_DISK, "/dev/sd*", "SCSI, SATA and USB disks, their partitions 1 to 15"},
		{{DEV_BLOCK, {7, 7}, {0, MINOR_MAX}}, REACH_VIRTUAL, "/dev/loop*", "loop devices: files as disks"},
		{{DEV_BLOCK, {259, 259}, {0, 3}}, REACH_DISK, "", "NVMe, and disks with many partitions"},
		{{DEV_CHAR, {240, 250}, {0, MINOR_MAX}}, REACH_OTHER, "", "of drivers that get a number when they load"},
		{{DEV_CHAR, {3, 3}, {0, MINOR_MAX}}, REACH_OTHER, "", ""},
		{{DEV_CHAR, {0, MAJOR_MAX}, {0, MINOR_MAX}}, REACH_EVERYTHING, "every character device", ""},
		{{DEV_BLOCK | DEV_CHAR, {0, MAJOR_MAX}, {0, MINOR_MAX}}, REACH_EVERYTHING, "every device", ""},
		{{DEV_BLOCK | DEV_CHAR, {0, 0}, {0, 0}}, REACH_STANDARD, "", "no device: what systemd makes inaccessible"},
		{{DEV_CHAR, {2, 3}, {0, MINOR_MAX}}, REACH_OTHER, "", ""},
		{{DEV_CHAR, {0, 9}, {0, MINOR_MAX}}, REACH_DISK + 1, "", "with mem, kmsg, lp, ttyS ..."},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT(list); i++) {
		struct device_called got = device_called(a, &list[i].run);
		const char *of = arena_printf(a, "case %zu", i);
		same_text(of, got.name, list[i].name);
		same_text(of, got.what, list[i].what);
		same_text(of, reach_words[device_reach(&list[i].run)], reach_words[list[i].reach]);
	}
	arena_free(a);
}

/* No two lines of reach.def share a device: what is left of a run is counted. */
static void test_reach(void **state)
{
	(void)state;
	struct line { int kind, type; struct interval majors, minors; };
#define REACH(kind, letter, ...) {REACH_##kind, letter, REACH_RANGES(__VA_ARGS__)},
#define REACH_RANGES(...) REACH_FOUR(__VA_ARGS__)
#define REACH_FOUR(a, b, c, d) {a, b}, {c, d}
	static const struct line lines[] = {
#include "policy/reach.def"
	};
	for (size_t i = 0; i < COUNT(lines); i++)
		for (size_t k = 0; k < i; k++)
			if (lines[i].type == lines[k].type && intervals_meet(&lines[i].majors, 1, &lines[k].majors, 1) &&
			    intervals_meet(&lines[i].minors, 1, &lines[k].minors, 1))
				fail_msg("lines %zu and %zu", k, i);
}

static void test_split(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct device_run *list = NULL, run = {DEV_CHAR, {1, 1}, {3, 10}}, ttys = {DEV_CHAR, {4, 4}, {60, 70}}, all = {DEV_CHAR, {1, 1}, {0, 4000}};
	size_t n = 0, cap = 0;
	device_split(a, &run, &list, &n, &cap); /* null, 4: port, zero, 6, full, random, urandom, 10 */
	assert_int_equal(n, 8);
	n = 0;
	device_split(a, &ttys, &list, &n, &cap);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].minors.hi, 63);
	assert_int_equal(list[1].minors.lo, 64);
	n = 0;
	device_split(a, &all, &list, &n, &cap);
	assert_int_equal(n, 1);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files), cmocka_unit_test(test_random), cmocka_unit_test(test_words), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_called), cmocka_unit_test(test_reach), cmocka_unit_test(test_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
