/* test_manifest.c - policy/manifest*.c, glob.c, trusted.c: which policy a manifest
 * chooses, and from where it may come. What is said of bad manifests is in
 * tests/manifest/. */
#include "tests/unit/fixture.h"

#include "policy/manifest/internal.h"
#include "policy/trusted.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct manifest *read_text(struct arena *a, struct diags *d, const char *text)
{
	struct manifest *m;
	size_t n = strlen(text);
	/* a copy of the exact size: a read past its end is seen */
	char *copy = malloc(n);
	memcpy(copy, text, n);
	diags_init(d, a);
	int failed = manifest_read(a, d, "g.yaml", copy, n, &m);
	memset(copy, 'X', n); /* nothing may point into it */
	free(copy);
	if (failed)
		fail_msg("line %d: %s", d->items[0].at.line, d->items[0].text);
	return m;
}

static void globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool text_matches, path_matches;
	} table[] = {
		{"*", "", true, true},
		{"*", "a/b", true, false},
		{"**", "a/b", true, true},
		{"web-*", "web-1", true, true},
		{"web-*", "web", false, false},
		{"web", "web-1", false, false},
		{"a*b*c", "a-b-b-c", true, true},
		{"a*b*c", "a-b-b-", false, false},
		{"/a/*", "/a/b", true, true},
		{"/a/*", "/a/b/c", true, false},
		{"/a/*", "/a", false, false},
		{"/a/**", "/a/b/c", true, true},
		{"/*/c", "/a/b/c", true, false},
		{"/**/c", "/a/b/c", true, true},
		{"/**/*b/*/d", "/ab/x/ab/c/d", true, true},
		{"/**/x/*-y", "/x/a/b/x/z-y", true, true},
		{"/**/x/*-y", "/x/a/b/x/z/-y", true, false},
		{"/a?b", "/a/b", true, false},
		{"/a[!x]b", "/a/b", true, false},
		{"?", "\xc3\xa4", true, true},
		{"??", "\xc3\xa4", false, false},
		{"[a-c]x", "bx", true, true},
		{"[a-c]x", "dx", false, false},
		{"[!a-c]x", "dx", true, true},
		{"[]]", "]", true, true},
		{"[-a]", "-", true, true},
		{"[a-]", "-", true, true},
		{"[*]", "*", true, true},
		{"[*]", "a", false, false},
		{"a\\x2d*", "a\\x2db", true, true},
		{"", "", true, true},
		{"", "a", false, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_null(glob_check(table[i].pattern));
		if (glob_matches(table[i].pattern, table[i].text, false) != table[i].text_matches ||
		    glob_matches(table[i].pattern, table[i].text, true) != table[i].path_matches)
			fail_msg("%s against %s", table[i].pattern, table[i].text);
	}
	assert_non_null(glob_check("[a"));
	assert_non_null(glob_check("a["));
	assert_non_null(glob_check("[]"));
	assert_non_null(glob_check("[!]"));
	assert_non_null(glob_check("[\xc3\xa4]"));
}

/* Time is the product of the lengths, not their power. */
static void slow_globs(void **state)
{
	char *text = arena_alloc(*state, 100001);
	memset(text, 'a', 100000);
	assert_false(glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text, false));
	assert_false(glob_matches("**a*a*a*a*a*a*a*a**a*a*a*a*a*a*a*a*b", text, false));
	text[4096] = '\0';
	assert_false(glob_matches("**a*a*a*a*a*a*a*a**a*a*a*a*a*a*a*a*b", text, true));
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} table[] = {
		{"0", true, 0},
		{"-1", true, -1},
		{"0x1F", true, 31},
		{"-0x10", true, -16},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"99999999999999999999999", false, 0},
		{"010", false, 0},
		{"0x", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1e3", false, 0},
		{"0o7", false, 0},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t value = 0;
		if (number_read(table[i].text, strlen(table[i].text), &value) != table[i].good ||
		    (table[i].good && value != table[i].value))
			fail_msg("%s", table[i].text);
	}
}

static const char sample[] =
	"version: 1\n"
	"policies: [/etc/p, /usr/share/p]\n"
	"default: {policy: base, params: {x: -1}}\n"
	"match:\n"
	"  - name: gpu\n"
	"    annotations: {io.example.gpu: '*', io.example.team: [ml, 'vision-*']}\n"
	"    rootless: false\n"
	"    policy: gpu\n"
	"    params: {gpu: 3, render: 0x80}\n"
	"    params_from: {gpu: {annotation: io.example.gpu, range: 0..15},\n"
	"                  uvm: {annotation: io.example.uvm, range: -1..600},\n"
	"                  one: {annotation: io.example.one, range: 4..4}}\n"
	"    policy_from: {annotation: io.example.policy, among: [gpu2, gpu3]}\n"
	"    mode: permissive\n"
	"    audit: all\n"
	"    ring: 64K\n"
	"  - {name: web, id: 'web-*', container_name: [front, back], image: 'docker.io/*', policy: web}\n"
	"  - {name: pick, id: pick, policy_from: {annotation: p, among: [a, b]}}\n"
	"  - {name: infra, cgroup: ['/infra/*', /other], none: true}\n"
	"  - {name: never, cgroup: '/never/**', refuse: true}\n"
	"  - {name: slice, cgroup: '/infra/**', policy: slice, params: {n: 1}}\n";

static struct annotation team[] = {{"io.example.gpu", "7"}, {"io.example.team", "vision-2"},
                                   {"extra", "x"}};

static void choose(struct arena *a, const struct container *who, struct ruling *out)
{
	struct diags d;
	struct manifest *m = read_text(a, &d, sample);
	if (manifest_choose(a, &d, m, who, out))
		fail_msg("%s", d.items[0].text);
	assert_int_equal(d.n, 0);
}

static void an_entry(void **state)
{
	struct container who = {.id = "1", .annotations = team, .nannotations = 3};
	struct ruling r;
	choose(*state, &who, &r);
	assert_string_equal(r.entry, "gpu");
	assert_int_equal(r.at.line, 5);
	assert_int_equal(r.at.column, 5);
	assert_int_equal(r.kind, RULING_POLICY);
	assert_string_equal(r.policy, "gpu");
	assert_int_equal(r.policy_at.line, 8);
	assert_int_equal(r.nparams, 2);
	assert_string_equal(r.params[0].name, "gpu");
	assert_int_equal(r.params[0].value, 7); /* the annotation goes over params */
	assert_int_equal(r.params[1].value, 0x80);
	assert_true(r.mode_given && r.mode == MODE_PERMISSIVE);
	assert_true(r.audit_given && r.audit == AUDIT_ALL);
	assert_int_equal(r.ring, 64 << 10);

	struct annotation more[] = {team[0], team[1], {"io.example.uvm", "-1"}, {"io.example.policy", "gpu3"}, {"io.example.one", "4"}};
	who = (struct container){.annotations = more, .nannotations = 5};
	choose(*state, &who, &r);
	assert_string_equal(r.policy, "gpu3");
	assert_int_equal(r.nparams, 4);
	assert_string_equal(r.params[2].name, "uvm");
	assert_int_equal(r.params[2].value, -1);
	assert_string_equal(r.params[3].name, "one");
	assert_int_equal(r.params[3].value, 4);
}

/* All conditions must hold, what is not known holds none, and the default is last. */
static void conditions(void **state)
{
	static const struct {
		struct container who;
		const char *entry;
		enum ruling_kind kind;
	} table[] = {
		{{.annotations = team, .nannotations = 2}, "gpu", RULING_POLICY},
		{{.annotations = team, .nannotations = 1}, "default", RULING_POLICY},
		{{.annotations = team, .nannotations = 2, .rootless = true}, "default", RULING_POLICY},
		{{.id = "web-1", .name = "back", .image = "docker.io/library/x"}, "web", RULING_POLICY},
		{{.id = "web-1", .name = "side", .image = "docker.io/library/x"}, "default", RULING_POLICY},
		{{.id = "web-1", .image = "docker.io/library/x"}, "default", RULING_POLICY},
		{{.id = "web-1", .name = "back"}, "default", RULING_POLICY},
		{{.id = "web", .name = "back", .image = "docker.io/library/x"}, "default", RULING_POLICY},
		{{.cgroup = "/infra/a"}, "infra", RULING_NONE},
		{{.cgroup = "/other"}, "infra", RULING_NONE},
		{{.cgroup = "/infra/a/b"}, "slice", RULING_POLICY},
		{{.cgroup = "/never/a/b"}, "never", RULING_REFUSE},
		{{.cgroup = "/infra"}, "default", RULING_POLICY},
		{{.id = NULL}, "default", RULING_POLICY},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct ruling r;
		choose(*state, &table[i].who, &r);
		same_text("entry", r.entry, table[i].entry);
		assert_int_equal(r.kind, table[i].kind);
		assert_int_equal(r.why != NULL, r.kind == RULING_REFUSE);
	}
}

/* An annotation that asks for what is not offered: an error, not the next entry. */
static void wishes(void **state)
{
	static const struct {
		struct annotation a[4];
		size_t n;
		const char *id, *error, *hint;
	} table[] = {
		{{{"io.example.gpu", "16"}, {"io.example.team", "ml"}}, 2, NULL, "\"io.example.gpu\" cannot be \"16\"",
		 "parameter \"gpu\" to 0..15"},
		{{{"io.example.gpu", "3; rm"}, {"io.example.team", "ml"}}, 2, NULL, "cannot be \"3; rm\"", "0..15"},
		{{{"io.example.gpu", ""}, {"io.example.team", "ml"}}, 2, NULL, "cannot be \"\"", "0..15"},
		{{{"io.example.gpu", "0"}, {"io.example.team", "ml"}, {"io.example.policy", "../../tmp/x"}}, 3, NULL,
		 "entry \"gpu\" offers no policy \"../../tmp/x\"", "it may be: gpu2, gpu3"},
		{{{"io.example.gpu", "0"}, {"io.example.team", "ml"}, {"io.example.policy", "gpu"}}, 3, NULL,
		 "offers no policy \"gpu\"", "it may be: gpu2, gpu3"},
		{{{"p", "\033[2J"}}, 1, "pick", "offers no policy \"\\x1b[2J\"", "it may be: a, b"},
		{{{"x", "y"}}, 1, "pick", "takes its policy from annotation \"p\", which is not there", "a, b"},
		{{{"p", "a"}, {"x", "1"}, {"p", "b"}}, 3, "pick", "has annotation \"p\" twice", "once"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct diags d;
		struct ruling r;
		struct manifest *m = read_text(*state, &d, sample);
		struct container who = {
			.id = table[i].id, .annotations = table[i].a, .nannotations = table[i].n};
		assert_int_equal(manifest_choose(*state, &d, m, &who, &r), -1);
		assert_int_equal(d.errors, 1);
		if (!strstr(d.items[0].text, table[i].error) || !strstr(d.items[0].hint, table[i].hint))
			fail_msg("%s (%s)", d.items[0].text, d.items[0].hint);
		assert_int_equal(r.kind, RULING_REFUSE);
		assert_null(r.policy);
	}
}

static void defaults(void **state)
{
	static const struct {
		const char *text;
		enum ruling_kind kind;
		const char *policy;
	} table[] = {
		{"version: 1\nmatch: [{name: a, id: b, none: true}]\n", RULING_REFUSE, NULL},
		{"version: 1\ndefault: refuse\n", RULING_REFUSE, NULL},
		{"version: 1\ndefault: none\n", RULING_NONE, NULL},
		{"version: 1\ndefault: {none: true}\n", RULING_NONE, NULL},
		{"\xef\xbb\xbfversion: 1\r\npolicies: [/p]\r\ndefault: {policy: x}\r\n", RULING_POLICY, "x"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct diags d;
		struct ruling r;
		struct container who = {.id = "x"};
		struct manifest *m = read_text(*state, &d, table[i].text);
		assert_int_equal(manifest_choose(*state, &d, m, &who, &r), 0);
		assert_int_equal(r.kind, table[i].kind);
		same_text("policy", r.policy, table[i].policy);
		assert_string_equal(r.entry, "default");
	}
}

static void by_cgroup(void **state)
{
	struct diags d;
	struct ruling r;
	const struct manifest_entry *list;
	struct manifest *m = read_text(*state, &d, sample);
	assert_int_equal(manifest_entries(m, &list), 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(list[i].by_cgroup, i >= 3);
	assert_true(manifest_choose_cgroup(*state, m, "/infra/a/b", &r));
	assert_string_equal(r.entry, "slice");
	assert_int_equal(r.nparams, 1);
	assert_false(manifest_choose_cgroup(*state, m, "/elsewhere", &r)); /* no default here */
}

static void variants(void **state)
{
	static const char *const want[] = {"gpu gpu 0 128 -1 4",  "gpu gpu 15 128 600 4",  "gpu gpu2 0 128 -1 4",
	                                   "gpu gpu2 15 128 600 4", "gpu gpu3 0 128 -1 4", "gpu gpu3 15 128 600 4",
	                                   "web web",             "pick a",            "pick b",
	                                   "slice slice 1",       "default base -1"};
	struct diags d;
	const struct ruling *list;
	size_t n;
	manifest_variants(*state, read_text(*state, &d, sample), &list, &n);
	assert_int_equal(n, COUNT(want));
	for (size_t i = 0; i < n; i++) {
		char *got = arena_printf(*state, "%s %s", list[i].entry, list[i].policy);
		for (size_t p = 0; p < list[i].nparams; p++)
			got = arena_printf(*state, "%s %lld", got, (long long)list[i].params[p].value);
		same_text("variant", got, want[i]);
	}
}

static void names(void **state)
{
	struct annotation crio[] = {{"io.kubernetes.container.name", "c"},
	                            {"io.kubernetes.cri-o.ImageName", "quay.io/x:1"}};
	struct annotation containerd[] = {{"io.kubernetes.cri.image-name", "docker.io/x"},
	                                  {"io.kubernetes.cri.container-name", "d"}};
	struct container a = {.annotations = crio, .nannotations = 2};
	struct container b = {.annotations = containerd, .nannotations = 2, .name = "given"};
	(void)state;
	container_describe(&a);
	container_describe(&b);
	assert_string_equal(a.name, "c");
	assert_string_equal(a.image, "quay.io/x:1");
	assert_string_equal(b.name, "given");
	assert_string_equal(b.image, "docker.io/x");
}

/* What one engine sets, people can give to another's container: two that differ are nobody's word. */
static void forged(void **state)
{
	static const char by_image[] = "version: 1\nmatch:\n  - {name: i, image: \"free/*\", none: true}\n";
	static const char by_name[] = "version: 1\nmatch:\n  - {name: n, container_name: \"free*\", none: true}\n";
	static const char by_id[] = "version: 1\nmatch:\n  - {name: i, id: \"*\", none: true}\n";
	static const struct {
		const char *manifest, *one, *other, *one_value, *other_value, *error;
	} table[] = {
		{by_image, "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "web", "free/x", "has two images: \"web\" by annotation"},
		{by_image, "io.kubernetes.cri-o.ImageName", "io.kubernetes.cri.image-name", "web", "free/x", "has two images"},
		{by_name, "io.kubernetes.cri.container-name", "io.kubernetes.container.name", "web", "free", "has two names"},
		{by_image, "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "free/x", "free/x", NULL},
		{by_name, "io.kubernetes.cri.image-name", "io.kubernetes.container.name", "web", "free", NULL},
		{by_id, "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "web", "free/x", NULL},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct diags d;
		struct ruling r;
		struct manifest *m = read_text(*state, &d, table[i].manifest);
		struct annotation a[] = {{table[i].one, table[i].one_value}, {table[i].other, table[i].other_value}};
		struct container who = {.id = "x", .annotations = a, .nannotations = 2};
		container_describe(&who);
		assert_int_equal(manifest_choose(*state, &d, m, &who, &r), table[i].error ? -1 : 0);
		assert_int_equal(r.kind, table[i].error ? RULING_REFUSE : RULING_NONE);
		if (table[i].error && !strstr(d.items[0].text, table[i].error))
			fail_msg("%s", d.items[0].text);
	}
}

/* Cut off anywhere, or with a byte changed: read or refused, with a message. */
static void damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * (sizeof sample - 1); i++) {
		struct arena *a = arena_new();
		struct diags d;
		struct manifest *m;
		size_t at = i / 2, n = i % 2 ? sizeof sample - 1 : at;
		char *copy = malloc(n ? n : 1);
		memcpy(copy, sample, n);
		if (i % 2)
			copy[at] = "{}[]:,*&!\n\t\"'|>#-?\0\xff"[at % 20];
		diags_init(&d, a);
		int failed = manifest_read(a, &d, "g.yaml", copy, n, &m);
		assert_int_equal(failed != 0, d.errors != 0);
		assert_int_equal(failed == 0, m != NULL);
		for (size_t e = 0; e < d.n; e++)
			assert_true(d.items[e].hint && d.items[e].at.line > 0 && d.items[e].at.column > 0);
		free(copy);
		arena_free(a);
	}
}

static void trusted(void **state)
{
	static const char *const bad[] = {"relative/path", "/", "/etc/", "/etc/../etc/passwd", "/etc//passwd",
	                                  "/etc/./passwd", "/proc/self/exe", "/dev/null", "/etc"};
	int fd;
	const char *why;
	assert_int_equal(trusted_open(*state, "/etc/passwd", &fd, &why), 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(trusted_open(*state, "/etc/no such file", &fd, &why), 1);
	assert_int_equal(trusted_open(*state, "/no such directory/file", &fd, &why), 1);
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (trusted_open(*state, bad[i], &fd, &why) != -1 || !why || fd != -1)
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(globs),      ARENA_TEST(slow_globs), ARENA_TEST(integers), ARENA_TEST(an_entry),
		ARENA_TEST(conditions), ARENA_TEST(wishes),     ARENA_TEST(defaults), ARENA_TEST(by_cgroup),
		ARENA_TEST(variants),   ARENA_TEST(names), ARENA_TEST(forged),      ARENA_TEST(damage),   ARENA_TEST(trusted),
	};
	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
