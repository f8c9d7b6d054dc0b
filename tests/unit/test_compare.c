/*
 * Two policies compared: counts equal to those of trying every cell between the numbers that the policies name,
 * for a thousand random pairs; witnesses are true; the shipped policies against each other.
 */
#include "policy/asked.h"
#include "policy/compare.h"
#include "policy/recover.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

/* ---- policies ------------------------------------------------------------------------------- */

struct one {
	struct arena *arena;
	struct diags diags;
	struct ruby *ruby;
	struct policy *policy;
	struct policy_diagram pd;
};

static struct one policy_of(const char *text)
{
	struct one o = {.arena = arena_new()};
	diags_init(&o.diags, o.arena);
	if (ruby_compile(o.arena, &o.diags, &host_here, "t.rb", text, strlen(text), NULL, 0, &o.ruby, &o.policy) ||
	    policy_diagram_any(o.policy, &o.diags, &o.pd))
		fail_msg("%s\n%s", o.diags.n ? o.diags.items[0].text : "failed", text);
	return o;
}

static void forget(struct one *o)
{
	ruby_close(o->ruby);
	arena_free(o->arena);
}

static struct comparison compared(struct one *a, struct one *b)
{
	struct comparison out;
	struct compared x = {a->policy, &a->pd}, y = {b->policy, &b->pd};
	if (policy_compare(a->arena, &a->diags, &x, &y, false, &out))
		fail_msg("%s", a->diags.items[a->diags.n - 1].text);
	return out;
}

/* ---- random ones ------------------------------------------------------------------------------ */

enum kind { PLAIN, FACTS, TERMS, WHO };
enum { RULES = 6, RULE_MAX = 300, TERM_MAJORS = 3, TERM_MINORS = 12, TERM_UIDS = 60 };

static const int majors[] = {1, 8, 195}, minors[] = {0, 3, 16}, uids[] = {0, 1000}, uptimes[] = {300};
static const char *const names[] = {"sh", "qemu-kvm", "qemu-system-x86"};

static void pattern(struct rng *g, char *out)
{
	static const char *const letters[] = {"", " r", " rw", " w", " m", " rwm"};
	char major[16] = "*", minor[16] = "*";
	int from = minors[below(g, 2)];
	if (below(g, 4))
		snprintf(major, sizeof major, "%d", majors[below(g, COUNT(majors))]);
	if (below(g, 3))
		snprintf(minor, sizeof minor, "%d", minors[below(g, COUNT(minors))]);
	else if (below(g, 2))
		snprintf(minor, sizeof minor, "%d-%d", from, 16);
	snprintf(out, RULE_MAX, "\"%c %s:%s%s\"", "cba"[below(g, 3)], major, minor, letters[below(g, COUNT(letters))]);
}

static void device_atom(struct rng *g, char *out, size_t n)
{
	switch (below(g, 6)) {
	case 0: snprintf(out, n, "ctx.major == %d", majors[below(g, COUNT(majors))]); break;
	case 1: snprintf(out, n, "ctx.minor < %d", minors[1 + below(g, 2)]); break;
	case 2: snprintf(out, n, "ctx.char?"); break;
	case 3: snprintf(out, n, "ctx.read?"); break;
	case 4: snprintf(out, n, "ctx.requested == %u", (unsigned)below(g, 8)); break;
	default: snprintf(out, n, "ctx.minor >= %d", minors[below(g, COUNT(minors))]);
	}
}

static void fact_atom(struct rng *g, char *out, size_t n)
{
	const char *name = names[below(g, COUNT(names))];
	switch (below(g, 6)) {
	case 0: snprintf(out, n, "ctx.uid == %d", uids[below(g, COUNT(uids))]); break;
	case 1: snprintf(out, n, "ctx.uid < %d", uids[1]); break;
	case 2: snprintf(out, n, "ctx.comm == \"%s\"", name); break;
	case 3: snprintf(out, n, "ctx.comm.start_with?(\"%.*s\")", (int)below(g, 6) + 1, name); break;
	case 4: snprintf(out, n, "ctx.uptime < %d", uptimes[0]); break;
	default: snprintf(out, n, "ctx.comm != \"%s\"", name);
	}
}

/* What is asked of the calling task. */
static void who_atom(struct rng *g, char *out, size_t n)
{
	static const char *const atoms[] = {
		"ctx.exe == \"/usr/bin/a\"", "ctx.exe != \"/usr/bin/b\"", "[\"/usr/bin/a\", \"/usr/bin/b\"].include?(ctx.exe)",
		"ctx.exe == \"/usr/bin/b\"", "ctx.capable?(:sys_rawio)", "!ctx.capable?(:sys_rawio)", "ctx.host_user_ns?", "!ctx.host_user_ns?",
		"ctx.under?(\"/a\")", "ctx.under?(\"/a/b\")", "!ctx.under?(\"/c\")", "ctx.under?(\"/c\")", "ctx.in_group?(44)",
		"ctx.login_uid.nil?", "ctx.login_uid == 5", "ctx.kernel_thread?"};
	const char *one = atoms[below(g, COUNT(atoms))], *two = atoms[below(g, COUNT(atoms))];
	snprintf(out, n, "%s %s %s", one, below(g, 3) ? "&&" : "||", two);
}

/* About two inputs, where devices and users are few. */
static void term_atom(struct rng *g, char *out, size_t n)
{
	int k = 1 + (int)below(g, 5), m = 2 + (int)below(g, 5);
	char about[128];
	switch (below(g, 8)) {
	case 0: snprintf(about, sizeof about, "ctx.major * %d > ctx.minor", k); break;
	case 1: snprintf(about, sizeof about, "(ctx.major * %d + ctx.minor) %% %d == %d", k, m, (int)below(g, 3)); break;
	case 2: snprintf(about, sizeof about, "ctx.uid == ctx.minor * %d", k); break;
	case 3: snprintf(about, sizeof about, "ctx.uid < ctx.minor + %d", k); break;
	case 4: snprintf(about, sizeof about, "ctx.uid %% %d == ctx.minor %% %d", m, m); break;
	case 5: snprintf(about, sizeof about, "(ctx.minor ^ ctx.major) > %d", k); break;
	case 6: snprintf(about, sizeof about, "ctx.uid * %d >= ctx.major + ctx.minor", k); break;
	default: snprintf(about, sizeof about, "ctx.minor - ctx.uid == %d", k);
	}
	snprintf(out, n, "ctx.major < %d && ctx.minor < %d && ctx.uid < %d && %s", TERM_MAJORS, TERM_MINORS, TERM_UIDS, about);
}

static void rule(struct rng *g, enum kind kind, char *out)
{
	char p[RULE_MAX], atom[200], more[80] = "";
	const char *verb = below(g, 2) ? "allow" : "deny";
	void (*const special)(struct rng *, char *, size_t) = kind == TERMS ? term_atom : kind == WHO ? who_atom : fact_atom;
	if (kind == PLAIN ? below(g, 3) : !below(g, 3)) {
		pattern(g, p);
		snprintf(out, RULE_MAX, "%s %.60s\n", verb, p);
		return;
	}
	if (kind != PLAIN && below(g, 4))
		special(g, atom, sizeof atom);
	else
		device_atom(g, atom, sizeof atom);
	if (below(g, 2))
		device_atom(g, more, sizeof more);
	snprintf(out, RULE_MAX, "%s { |ctx| %s%s%s%s }\n", verb, below(g, 4) ? "" : "!", "(", atom, *more ? " && " : ")");
	if (*more)
		snprintf(out + strlen(out) - 3, RULE_MAX - strlen(out), " %s) }\n", more);
}

struct rules { char rule[RULES][RULE_MAX]; int n; bool allow; };

static void text_of(const struct rules *r, char *out, size_t n)
{
	size_t at = (size_t)snprintf(out, n, "%s", r->allow ? "default :allow\n" : "");
	for (int i = 0; i < r->n; i++)
		at += (size_t)snprintf(out + at, n - at, "%s", r->rule[i]);
}

/* ---- brute force -------------------------------------------------------------------------------- */

/* Values of an input that stand for all: the first of each cell between named numbers, and how many are in it. */
struct values { int64_t first[80]; uint64_t size[80]; int n; };

static struct values cells(const int *named, size_t n, int64_t most)
{
	struct values v = {.n = 0};
	int64_t at = 0;
	for (size_t i = 0; i <= n; i++) {
		int64_t next = i < n ? named[i] : most + 1;
		if (next > at) {
			v.first[v.n] = at;
			v.size[v.n++] = (uint64_t)(next - at);
		}
		if (i < n) {
			v.first[v.n] = named[i];
			v.size[v.n++] = 1;
			at = named[i] + 1;
		}
	}
	return v;
}

/* One by one up to a bound, then the rest between named numbers. */
static struct values singly(int upto, const int *named, size_t n, int64_t most)
{
	struct values v = {.n = 0}, rest = cells(named, n, most);
	for (int i = 0; i < upto; i++) {
		v.first[v.n] = i;
		v.size[v.n++] = 1;
	}
	for (int i = 0; i < rest.n; i++) {
		int64_t end = rest.first[i] + (int64_t)rest.size[i], from = rest.first[i] < upto ? upto : rest.first[i];
		if (end <= from)
			continue;
		v.first[v.n] = from;
		v.size[v.n++] = (uint64_t)(end - from);
	}
	return v;
}

/* Callers that stand for all. */
struct callers { int64_t fact[1000][INPUT_MAX]; struct request_who who[1000]; int n; };

static void add_callers(struct callers *c, enum kind kind)
{
	static const char *const comms[] = {"", "s", "sh", "shx", "q", "qe", "qem", "qemu", "qemu-", "qemu-k", "qemu-s", "qemu-kvm", "qemu-kvmx",
	                                    "qemu-system-x86", "qemu-system-x8", "x", "another"};
	struct values uid = kind == TERMS ? singly(TERM_UIDS, uids, COUNT(uids), UINT32_MAX) : cells(uids, COUNT(uids), UINT32_MAX);
	struct values uptime = cells(uptimes, COUNT(uptimes), 1000000);
	c->n = 0;
	for (int u = 0; u < (kind == PLAIN ? 1 : uid.n); u++)
		for (int t = 0; t < (kind == FACTS ? uptime.n : 1); t++)
			for (size_t i = 0; i < (kind == FACTS ? COUNT(comms) : 1); i++) {
				int64_t *f = c->fact[c->n++], word[2] = {0, 0};
				memcpy(word, comms[i], strlen(comms[i]));
				memset(f, 0, sizeof c->fact[0]);
				f[IN_UID] = uid.first[u];
				f[IN_UPTIME] = uptime.first[t];
				f[IN_COMM_0] = word[0];
				f[IN_COMM_1] = word[1];
			}
}

/* Every task that there can be, as far as the policies ask: a capability is one of the host's user namespace. */
static void add_tasks(struct callers *c)
{
	static const char *const cgroups[] = {"/", "/a", "/a/b", "/c"}, *const files[] = {NULL, "/usr/bin/a", "/usr/bin/b"};
	c->n = 0;
	for (int i = 0; i < 3 * 2 * 2 * 2 * 2 * 3 * 4; i++) {
		int k = i;
		struct request r = {.who.known = WHO_GROUPS | WHO_CAPS | WHO_CGROUP};
		const char *exe = files[k % 3], *cgroup;
		bool host = (k /= 3) % 2, capable = (k /= 2) % 2, thread = (k /= 2) % 2, group = (k /= 2) % 2;
		r.fact[IN_LOGIN_UID] = (k /= 2) % 3 ? 4 + k % 3 : (int64_t)ID_NONE;
		cgroup = cgroups[(k /= 3) % 4];
		if (((capable || thread) && !host) || (thread && exe))
			continue;
		r.fact[IN_EXE] = exe ? path_value(exe, strlen(exe)) : 0;
		r.fact[IN_HOST_USER_NS] = host;
		r.fact[IN_KERNEL_THREAD] = thread;
		r.who.caps = capable ? 1ull << capability_number("sys_rawio", strlen("sys_rawio")) : 0;
		r.who.groups[0] = 44;
		r.who.ngroups = group;
		assert_true(request_cgroup(&r, cgroup, strlen(cgroup)));
		memcpy(c->fact[c->n], r.fact, sizeof r.fact);
		c->who[c->n++] = r.who;
	}
}

static bool allows(const struct one *o, const struct request *r)
{
	struct decision d;
	int missing;
	assert_int_equal(policy_decide(o->policy, &o->pd, r, &d, &missing), 0);
	return d.allow;
}

/* With the answers to its own questions. */
static struct request asked_of(const struct one *o, const struct request *r)
{
	struct request own = *r;
	own.known &= ~(INPUT(IN_PARAM_0) - INPUT(IN_ASK_0));
	asked_answer(policy_asks(o->policy), &own);
	return own;
}

/* Every caller as each policy sees it. */
static struct request seen[1000][2];

static void see(const struct callers *who, const struct one *a, const struct one *b)
{
	for (int w = 0; w < who->n; w++) {
		struct request r = {.known = INPUT(IN_PARAM_0) - 1, .who = who->who[w]};
		memcpy(r.fact, who->fact[w], sizeof r.fact);
		seen[w][0] = asked_of(a, &r);
		seen[w][1] = asked_of(b, &r);
	}
}

static bool decided(const struct one *o, struct request *caller, const struct request *device)
{
	caller->type = device->type;
	caller->access = device->access;
	caller->major = device->major;
	caller->minor = device->minor;
	return allows(o, caller);
}

static void brute_force(const struct one *a, const struct one *b, enum kind kind, uint64_t *allowed, uint64_t *denied)
{
	static const int asked[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	static struct callers who;
	bool few = kind == TERMS;
	struct values major = few ? singly(TERM_MAJORS, majors, COUNT(majors), MAJOR_MAX) : cells(majors, COUNT(majors), MAJOR_MAX);
	struct values minor = few ? singly(TERM_MINORS, minors, COUNT(minors), MINOR_MAX) : cells(minors, COUNT(minors), MINOR_MAX);
	if (kind == WHO)
		add_tasks(&who);
	else
		add_callers(&who, kind);
	see(&who, a, b);
	*allowed = *denied = 0;
	for (int i = 0; i < 2 * major.n * minor.n * (int)COUNT(asked); i++) {
		int k = i / 2 / (int)COUNT(asked);
		struct request r = {.type = 1 + i % 2, .access = asked[i / 2 % (int)COUNT(asked)]};
		r.major = major.first[k / minor.n];
		r.minor = minor.first[k % minor.n];
		bool more = false, less = false;
		for (int w = 0; w < who.n && !(more && less); w++) {
			bool was = decided(a, &seen[w][0], &r), is = decided(b, &seen[w][1], &r);
			more |= is && !was;
			less |= was && !is;
		}
		uint64_t n = major.size[k / minor.n] * minor.size[k % minor.n];
		*allowed += more ? n : 0;
		*denied += less ? n : 0;
	}
}

/* ---- pairs -------------------------------------------------------------------------------------------- */

static size_t exact, bounded, differing;

static void check_change(const char *what, const struct change *x, uint64_t n, const struct one *a, const struct one *b, bool allowed, const char *texts)
{
	if (x->least > n || x->most < n || (x->least == x->most) != !x->hangs || x->found != (x->least > 0))
		fail_msg("%s: %llu to %llu requests, not %llu\n%s", what, (unsigned long long)x->least, (unsigned long long)x->most, (unsigned long long)n, texts);
	exact += x->least == x->most;
	bounded += x->least != x->most;
	differing += n > 0;
	if (!x->found)
		return;
	struct request again;
	const char *error, *hint;
	if (request_parse(a->arena, &host_here, x->witness.text, &again, &error, &hint))
		fail_msg("%s: %s", x->witness.text, error);
	struct request before = asked_of(a, &again), after = asked_of(b, &again);
	if (allows(a, &before) == allowed || allows(b, &after) != allowed || !x->rules)
		fail_msg("%s: %s is no witness\n%s", what, x->witness.text, texts);
}

static void try_pair(struct rng *g, enum kind kind)
{
	static char texts[2][RULES * RULE_MAX + 64], both[sizeof texts + 32];
	struct rules r[2];
	struct comparison out;
	uint64_t allowed, denied;
	for (int i = 0; i < 2; i++) {
		r[i].n = 1 + (int)below(g, RULES);
		r[i].allow = !below(g, 4);
		for (int k = 0; k < r[i].n; k++)
			rule(g, kind, r[i].rule[k]);
		if (i && below(g, 2)) { /* the same with another rule */
			r[1] = r[0];
			rule(g, kind, r[1].rule[below(g, (uint32_t)r[1].n)]);
		}
		text_of(&r[i], texts[i], sizeof texts[i]);
	}
	struct one a = policy_of(texts[0]), b = policy_of(texts[1]);
	snprintf(both, sizeof both, "--- A\n%s--- B\n%s", texts[0], texts[1]);
	out = compared(&a, &b);
	brute_force(&a, &b, kind, &allowed, &denied);
	check_change("newly allowed", &out.allowed, allowed, &a, &b, true, both);
	check_change("newly denied", &out.denied, denied, &a, &b, false, both);
	forget(&b);
	forget(&a);
}

static void test_random(void **state)
{
	(void)state;
	static const int pairs[] = {[PLAIN] = 500, [FACTS] = 300, [TERMS] = 200, [WHO] = 50};
	struct rng g = {20261128};
	for (int kind = PLAIN; kind <= WHO; kind++) {
		exact = bounded = differing = 0;
		for (int i = 0; i < pairs[kind]; i++)
			try_pair(&g, (enum kind)kind);
		print_message("kind %d: %d pairs, %zu counts that are not 0, %zu exact, %zu bounds\n", kind, pairs[kind], differing, exact, bounded);
		assert_true(differing > (size_t)pairs[kind] / 2);
		if (kind != TERMS)
			assert_int_equal(bounded, 0);
		assert_true(bounded < 20);
	}
}

/* ---- single ones ------------------------------------------------------------------------------------------ */

static void test_texts(void **state)
{
	(void)state;
	static const struct { const char *a, *b; uint64_t allowed, denied; const char *witness, *rules; } pairs[] = {
		{"allow :null\n", "allow \"c 1:3 rwm\"\n", 0, 0, NULL, NULL},
		{"allow :null, access: \"r\"\n", "allow :null, access: \"rw\"\n", 2, 0, "c 1:3 w", "allow :null, access: \"w\"\n"},
		{"allow :null\n", "allow :null, :fuse\ndeny :null\n", 5, 0, "c 10:229 r", "allow :fuse\n"},
		{"", "allow :null, access: \"w\"\n", 2, 0, "c 1:3 w", "allow :null, access: \"w\"\n"},
		/* of a sum over 2 types and 5 requests of 3 * major, but for one device */
		{"allow :null\n", "allow { |ctx| ctx.major * 3 > ctx.minor }\n", 10ull * 3 * 4095 * 4096 / 2, 5, NULL, NULL},
		{"default :allow\n", "deny { |ctx| ctx.major * 4099 + ctx.minor == 77777 }\n", 0, 42949672960, NULL, NULL},
		{"", "allow(\"a *:*\") { |ctx| ctx.major * 4099 + ctx.minor == 77777 }\n", 190, 0, NULL, NULL},
		/* what no kernel asks: m together with others */
		{"allow :fuse\n", "allow(:fuse) { |ctx| ctx.requested < 7 && ctx.requested != 3 && ctx.requested != 5 }\n", 0, 0, NULL, NULL},
		/* callers that there cannot be */
		{"allow(:fuse) { |ctx| ctx.capable?(:sys_admin) }\n", "allow(:fuse) { |ctx| ctx.capable?(:sys_admin) && ctx.host_user_ns? }\n", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.under?(\"/a\") && ctx.under?(\"/b\") }\n", "", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.kernel_thread? && ctx.exe == \"/bin/a\" }\n", "", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.kernel_thread? && !ctx.host_pid_ns? }\n", "", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.under?(\"/a/b\") }\n", "allow(:fuse) { |ctx| ctx.under?(\"/a\") && ctx.under?(\"/a/b\") }\n", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.under?(\"/ab\") }\n", "allow(:fuse) { |ctx| ctx.under?(\"/a\") }\n", 5, 5, "c 10:229 r cgroup=/a",
		 "allow(:fuse) { |ctx| !ctx.under?(\"/ab\") && ctx.under?(\"/a\") }\n"},
		{"allow(:fuse) { |ctx| ctx.exe == \"/bin/a\" }\n", "allow(:fuse) { |ctx| [\"/bin/b\", \"/bin/a\"].include?(ctx.exe) }\n", 5, 0,
		 "c 10:229 r exe=/bin/b", "allow(:fuse) { |ctx| ctx.exe == \"/bin/b\" }\n"},
		{"allow(:fuse) { |ctx| ctx.exe == \"/bin/a\" }\n", "allow :fuse\n", 5, 0, "c 10:229 r exe=-", NULL},
		{"", "allow(:fuse) { |ctx| ctx.in_group?(44) && !ctx.in_group?(5) && ctx.login_uid.nil? }\n", 5, 0,
		 "c 10:229 r login_uid=none groups=44", NULL},
		/* the same questions at other places */
		{"allow(:fuse) { |ctx| ctx.in_group?(44) || ctx.capable?(:sys_admin) }\n", "allow(:fuse) { |ctx| ctx.capable?(:sys_admin) || ctx.in_group?(44) }\n",
		 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.login_uid == ctx.uid }\n", "allow(:fuse) { |ctx| (ctx.login_uid || 4294967295) == ctx.uid && ctx.login_uid }\n", 0, 0,
		 NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.pid >= 0 }\n", "allow(:fuse) { |ctx| ctx.pid < 4194305 }\n", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.uptime > 18446744073 }\n", "", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.comm == \"sixteen_letters!\" }\n", "", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.comm.start_with?(\"qemu\") }\n", "allow(:fuse) { |ctx| ctx.comm.start_with?(\"qe\") }\n", 5, 0,
		 "c 10:229 r comm=qe", NULL},
		{"allow(:fuse) { |ctx| ctx.comm.end_with?(\"d\") }\n", "allow(:fuse) { |ctx| ctx.comm.include?(\"d\") }\n", 5, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.comm.start_with?(\"abcdefgh\") && ctx.comm.size < 8 }\n", "", 0, 0, NULL, NULL},
		{"allow(:fuse) { |ctx| ctx.uid % 7 == 3 }\n", "allow(:fuse) { |ctx| ctx.uid % 7 == 4 }\n", 5, 5, NULL, NULL},
		{"param :gpu, 3, in: 0..15\nallow(\"c 195:0-15\") { |ctx| ctx.minor == ctx.gpu }\n", "allow \"c 195:3 rw\"\n", 0, 1, NULL, NULL},
	};
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct one a = policy_of(pairs[i].a), b = policy_of(pairs[i].b);
		char both[1000];
		snprintf(both, sizeof both, "%s---\n%s", pairs[i].a, pairs[i].b);
		struct comparison out = compared(&a, &b);
		check_change(both, &out.allowed, pairs[i].allowed, &a, &b, true, "");
		check_change(both, &out.denied, pairs[i].denied, &a, &b, false, "");
		assert_true(out.allowed.least == out.allowed.most && out.denied.least == out.denied.most);
		if (pairs[i].witness)
			same_text(both, out.allowed.witness.text, pairs[i].witness);
		if (pairs[i].rules)
			same_text(both, out.allowed.rules, pairs[i].rules);
		forget(&b);
		forget(&a);
	}
}

/* What cannot be counted is bounds, and says on what it hangs; the other direction is exact nevertheless. */
static void test_bounds(void **state)
{
	(void)state;
	struct one a = policy_of("allow :null\n"), b = policy_of("allow { |ctx| (ctx.major * 7 + ctx.minor) % 5 == 2 }\n");
	const uint64_t all = 42949672960;
	struct comparison out = compared(&a, &b);
	assert_true(out.allowed.found && out.allowed.least < all / 5 && out.allowed.most > all / 5);
	assert_non_null(strstr(out.allowed.hangs, "major * 7"));
	assert_true(out.denied.least == 5 && out.denied.most == 5 && !out.denied.hangs);
	forget(&b);
	forget(&a);
}

/* A parameter that has no value is what a program decides by, and what is not understood. */
static struct one unknown_of(const char *text)
{
	struct one o = policy_of(text);
	o.policy->nparams = 0;
	return o;
}

static void test_unknown(void **state)
{
	(void)state;
	static const struct { const char *text; uint64_t least, most; } texts[] = {
		{"param :x, 0, in: 0..3\nallow(:fuse) { |ctx| ctx.x == 1 }\nallow :kvm\n", 5, 10},
		{"param :x, 0, in: 0..3\nallow(:fuse) { |ctx| ctx.x * ctx.uid > 5 }\nallow :kvm\n", 5, 10},
		{"param :x, 0, in: 0..3\nallow(:fuse) { |ctx| ctx.x == 1 }\nallow(:fuse) { |ctx| ctx.x != 1 }\n", 5, 5},
		{"param :x, 0, in: 0..3\nallow(:fuse) { |ctx| ctx.x == 1 || ctx.uid == 7 }\n", 5, 5}, /* of uid 7, whatever x is */
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct one a = policy_of("default :deny\n"), b = unknown_of(texts[i].text), again = unknown_of(texts[i].text);
		struct comparison out = compared(&a, &b), same;
		if (out.allowed.least != texts[i].least || out.allowed.most != texts[i].most || out.denied.most)
			fail_msg("%s: %llu to %llu", texts[i].text, (unsigned long long)out.allowed.least, (unsigned long long)out.allowed.most);
		if (texts[i].least != texts[i].most)
			assert_non_null(strstr(out.allowed.hangs, "x"));
		struct compared x = {b.policy, &b.pd}, y = {again.policy, &again.pd};
		assert_int_equal(policy_compare(b.arena, &b.diags, &x, &y, true, &same), 0);
		assert_true(!same.allowed.most && !same.denied.most);
		if (texts[i].least != texts[i].most) { /* two programs: each decides by a value of its own */
			assert_int_equal(policy_compare(b.arena, &b.diags, &x, &y, false, &same), 0);
			assert_true(!same.allowed.least && same.allowed.most && strstr(same.allowed.hangs, "x (before)"));
		}
		forget(&again);
		forget(&b);
		forget(&a);
	}
}

/* ---- shipped ones, and those of the tests ------------------------------------------------------------------------------------------ */

enum { SHIPPED_MAX = 64 };
static struct one shipped[SHIPPED_MAX];
static bool slow[SHIPPED_MAX]; /* compared with itself only: a million devices are told one by one */
static size_t nshipped;

static void keep_shipped(const char *path, const char *text)
{
	assert_true(nshipped < SHIPPED_MAX);
	slow[nshipped] = strstr(path, "/paths.rb") || strstr(path, "/collections.rb") || strstr(path, "/arithmetic.rb");
	shipped[nshipped++] = policy_of(text);
}

/* The rules that a policy amounts to, as a policy; false: they are no Ruby. */
static bool recovered(struct one *o, struct one *out)
{
	struct policy_diagram pd;
	struct policy *p;
	const char *text;
	bool in_ruby;
	assert_int_equal(policy_diagram(o->policy, &o->diags, ORDER_FACTS_LAST, &pd), 0);
	assert_int_equal(policy_recover(o->arena, &o->diags, "it", o->policy, pd.dg, o->policy->terms, pd.verdict, &p, &text, &in_ruby), 0);
	if (in_ruby)
		*out = policy_of(text);
	return in_ruby;
}

static void check_equal(struct one *a, struct one *b)
{
	struct comparison out = compared(a, b);
	if (out.allowed.most || out.denied.most)
		fail_msg("%s is not what it amounts to: %s", a->policy->name, out.allowed.most ? out.allowed.rules : out.denied.rules);
}

static void test_shipped(void **state)
{
	(void)state;
	size_t stricter = 0, looser = 0, both = 0, again = 0;
	each_policy_file(keep_shipped);
	for (size_t i = 0; i < nshipped; i++) {
		struct one same;
		check_equal(&shipped[i], &shipped[i]);
		if (recovered(&shipped[i], &same)) {
			check_equal(&shipped[i], &same);
			check_equal(&same, &shipped[i]);
			forget(&same);
			again++;
		}
		for (size_t k = 0; k < i && !slow[i]; k++) {
			if (slow[k])
				continue;
			struct comparison to = compared(&shipped[i], &shipped[k]), back = compared(&shipped[k], &shipped[i]);
			assert_true(to.allowed.least == to.allowed.most && to.denied.least == to.denied.most);
			assert_true(to.allowed.least == back.denied.least && to.allowed.most == back.denied.most);
			assert_true(to.denied.least == back.allowed.least && to.denied.most == back.allowed.most);
			stricter += !to.allowed.most && to.denied.least;
			looser += to.allowed.least && !to.denied.most;
			both += to.allowed.least && to.denied.least;
		}
	}
	assert_true(again > 20);
	print_message("%zu policies, %zu recovered: %zu pairs stricter, %zu looser, %zu both\n", nshipped, again, stricter, looser, both);
	for (size_t i = 0; i < nshipped; i++)
		forget(&shipped[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
