/*
 * What a record tells of the calling task. The simulated program's record, read as audit reads it, is a request that is decided
 * as the one that was made; what was not given is not told, and said. Of the entries of a map anything is expected.
 */
#include "policy/told.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

#include <string.h>

static const char text[] =
	"policy \"told\"\ndefault :deny\naudit :all\n"
	"deny(\"c 1:11\") { |ctx| ctx.euid == 0 && ctx.exe == \"/usr/bin/x y\" }\n"
	"allow(\"c 1:*\") { |ctx| ctx.capable?(:sys_rawio) || ctx.in_group?(44) || ctx.in_group?(4294967294) }\n"
	"deny(\"c 2:*\") { |ctx| ctx.login_uid.nil? || ctx.host_user_ns? || ctx.under?(\"/a/b\") || ctx.under?(\"/a\") }\n"
	"allow(\"c *:*\") { |ctx| ctx.session == 3 || ctx.parent_exe != \"/sbin/init\" || ctx.ppid > 1 }\n"
	"never(\"c 3:3\") { |ctx| ctx.in_group?(1) && ctx.uid == 5 && ctx.session == 3 && false }\n";

struct map { struct rule_name *list; size_t n, base; };

static const struct rule_name *entry(void *self, uint32_t number)
{
	const struct map *m = self;
	return number >= m->base && number - m->base < m->n ? &m->list[number - m->base] : NULL;
}

/* Any request; each word is left out now and then. */
static struct request random_request(struct rng *g)
{
	static const char *const exes[] = {"/usr/bin/x y", "/sbin/init", NULL};
	static const char *const cgroups[] = {"/", "/a", "/a/b", "/a/b/c", "/x"};
	struct request r = {.type = DEV_CHAR, .access = 1 << below(g, 3), .major = 1 + below(g, 3), .minor = below(g, 2) ? 11 : 3};
	r.known = INPUT(IN_UID);
	for (enum input in = IN_EUID; in < IN_ASK_0; in++) {
		int64_t lo, hi;
		input_range(in, &lo, &hi);
		if (!below(g, 8))
			continue;
		r.known |= INPUT(in);
		r.fact[in] = input_kind(in) == FACT_OR_NONE && below(g, 2) ? ID_NONE : below(g, hi < 5 ? 2 : 5);
		if (input_kind(in) == FACT_FILE) {
			const char *exe = exes[below(g, COUNT(exes))];
			*(in == IN_EXE ? &r.who.exe : &r.who.parent_exe) = exe;
			r.fact[in] = exe ? path_value(exe, strlen(exe)) : 0;
		}
	}
	r.who.known = below(g, 8) ? WHO_GROUPS | WHO_CAPS : WHO_CAPS;
	if (below(g, 2) && r.who.known & WHO_GROUPS)
		r.who.groups[r.who.ngroups++] = below(g, 2) ? 44 : UINT32_MAX - 1;
	r.who.caps = below(g, 2) ? 1u << 17 : 1;
	const char *cgroup = cgroups[below(g, COUNT(cgroups))];
	if (below(g, 8))
		request_cgroup(&r, cgroup, strlen(cgroup));
	return r;
}

static void records_are_decided_as_requests(void **state)
{
	struct compiled c = compiled_of(text);
	const struct asked *as = policy_asks(c.policy);
	struct map m = {.base = c.policy->nrules + 1};
	struct rng g = {7};
	size_t compared = 0, untold_ones = 0, denied = 0;
	(void)state;
	m.n = told_names(c.arena, as, &m.list);
	assert_int_equal(m.n, NAME_PARTS * (as->nasks + told_paths(as)));
	assert_int_equal(told_paths(as), 2);
	for (int i = 0; i < 3000; i++) {
		struct request r = random_request(&g), again = {0};
		struct simulated s;
		struct decision was, is;
		struct asked read;
		int missing;
		const char *why, *error, *hint;
		if (simulate(c.policy, &c.image, &r, &s, &missing, &why))
			continue; /* what decides was not given */
		assert_true(s.reported);
		assert_int_equal(s.event.size, sizeof s.event + offsetof(struct event_told, value) + 8 * __builtin_popcountll(s.told.which));
		assert_true(s.told.which == told_which(policy_inputs(c.policy)));
		told_asked(c.arena, &s.told, entry, &m, &read);
		assert_int_equal(read.nasks, as->nasks);
		again = (struct request){.type = r.type, .access = r.access, .major = r.major, .minor = r.minor, .known = INPUT(IN_UID)};
		const char *untold = told_request(c.arena, &s.told, &read, &again);
		untold_ones += untold != NULL;
		bool groups = r.who.known & WHO_GROUPS, cgroup = r.who.known & WHO_CGROUP;
		assert_int_equal(!untold || !strstr(untold, "in_group?(44)"), groups);
		assert_int_equal(!untold || !strstr(untold, "under?(\"/a/b\"), under?(\"/a\")"), cgroup);
		assert_int_equal(!untold || !strstr(untold, "login_uid"), !!(r.known & INPUT(IN_LOGIN_UID)));
		/* and its words are read again */
		const char *words = request_words(c.arena, &again);
		if (request_parse(c.arena, &host_here, words, &again, &error, &hint))
			fail_msg("%s: %s", words, error);
		assert_int_equal(policy_decide(c.policy, &c.pd, &r, &was, &missing), 0);
		if (policy_decide(c.policy, &c.pd, &again, &is, &missing))
			fail_msg("%s of %s was told, and %s decides", words, untold ? untold : "all", input_name((enum input)missing));
		assert_int_equal(was.allow, is.allow);
		assert_ptr_equal(was.rule, is.rule);
		compared++;
		denied += !is.allow;
	}
	assert_true(compared > 1000 && untold_ones > 100 && denied > 200);
	compiled_free(&c);
}

/* A policy that reads no such fact has the records of old. */
static void others_have_nothing_behind(void **state)
{
	struct compiled c = compiled_of("default :deny\naudit :denied\nallow(\"c 1:3\") { |ctx| ctx.uid == 5 }\n");
	struct request r = {.type = DEV_CHAR, .access = ACC_READ, .major = 1, .minor = 5, .known = INPUT(IN_UID)};
	struct simulated s;
	int missing;
	const char *why;
	(void)state;
	assert_int_equal(simulate(c.policy, &c.image, &r, &s, &missing, &why), 0);
	assert_int_equal(s.event.size, sizeof(struct event));
	assert_true(!s.told.which);
	assert_int_equal(told_which(policy_inputs(c.policy)), 0);
	compiled_free(&c);
}

/* The kernel told it nothing: that is said, and no word stands for it. */
static void what_is_not_told_is_named(void **state)
{
	struct arena *a = *state;
	struct asked as = {.arena = a};
	struct request r = {0};
	asked_ask(&as, ASK_GROUP, 44, NULL, (struct span){0});
	asked_ask(&as, ASK_GROUP, 45, NULL, (struct span){0});
	asked_ask(&as, ASK_CAPABLE, 17, "sys_rawio", (struct span){0});
	struct event_told t = {.which = 1u | (uint64_t)7 << EVENT_ASKS, .value = {-1, 1, -1, 0}};
	same_text("untold", told_request(a, &t, &as, &r), "euid, in_group?(44), in_group?(45)");
	same_text("words", request_who_words(a, &r, arena_strdup(a, "")), " caps=-sys_rawio");
	/* a file that no name is known of; a value that the fact cannot have */
	t = (struct event_told){.which = 1u << (IN_EXE - IN_EUID) | 1u << (IN_HOST_USER_NS - IN_EUID), .value = {2, 77}};
	r = (struct request){0};
	same_text("untold", told_request(a, &t, &as, &r), "host_user_ns, exe");
	assert_true(!r.known);
	/* another cgroup has the name now */
	as.nasks = 0;
	asked_ask(&as, ASK_UNDER, path_value("/a", 2), "/a", (struct span){0});
	asked_ask(&as, ASK_UNDER, path_value("/a/b", 4), "/a/b", (struct span){0});
	t = (struct event_told){.which = (uint64_t)3 << EVENT_ASKS, .value = {0, 1}};
	same_text("untold", told_request(a, &t, &as, &r), "under?(\"/a\"), under?(\"/a/b\")");
	assert_true(!r.who.known);
}

static void any_bytes_are_read(void **state)
{
	static const char *const bits[] = {"/usr/bin/x", "44", "sys_rawio", "", "/a/../b", "\xff\x1b[31m", "99999999999", "-1"};
	struct rng g = {99};
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct arena *a = arena_new();
		struct rule_name list[80];
		struct map m = {list, below(&g, COUNT(list)), 5};
		struct event_told t = {.names = 5, .asks = (uint16_t)below(&g, 40), .paths = (uint16_t)below(&g, 40)};
		struct asked as;
		struct request r = {0};
		t.which = (uint64_t)below(&g, UINT32_MAX) << 32 | below(&g, UINT32_MAX);
		while (__builtin_popcountll(t.which) > EVENT_VALUES_MAX)
			t.which &= t.which - 1;
		for (int k = 0; k < EVENT_VALUES_MAX; k++)
			t.value[k] = (int64_t)below(&g, 4) - 1;
		for (size_t k = 0; k < COUNT(list); k++) {
			list[k] = (struct rule_name){.line = below(&g, 3) ? below(&g, 5) : NAME_PATH};
			memset(list[k].label, 'x', below(&g, 2) ? sizeof list[k].label : 0);
			const char *bit = bits[below(&g, COUNT(bits))];
			memcpy(list[k].file, bit, strlen(bit));
		}
		told_asked(a, &t, entry, &m, &as);
		assert_true(as.nasks <= TASK_ASKS_MAX);
		told_request(a, &t, &as, &r);
		for (enum input in = IN_EUID; in < IN_ASK_0; in++) {
			int64_t lo, hi;
			input_range(in, &lo, &hi);
			assert_true(!(r.known & INPUT(in)) || (r.fact[in] >= lo && r.fact[in] <= hi));
		}
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_decided_as_requests), cmocka_unit_test(others_have_nothing_behind),
		ARENA_TEST(what_is_not_told_is_named), cmocka_unit_test(any_bytes_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
