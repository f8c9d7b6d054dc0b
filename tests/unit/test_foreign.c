/*
 * test_foreign.c - policy/foreign*.c: lists made at random, their Ruby, their
 * policy and a model that asks the entries one by one, all on the same requests.
 */
#include "policy/device.h"
#include "compiler/compiler.h"
#include "tests/unit/fixture.h"
#include "policy/host.h"
#include "policy/import/import.h"

static const int majors[] = {FOREIGN_ANY, 0, 1, 5, 10, 136, 195, MAJOR_MAX};
static const int minors[] = {FOREIGN_ANY, 0, 3, 4, 5, 200, 255, MINOR_MAX};

static unsigned pick(unsigned n)
{
	static uint32_t seed = 2463534242u;
	seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
	return seed % n;
}

/* ---- the model ------------------------------------------------------------------ */

static bool matches(const struct foreign_entry *e, int type, int64_t major, int64_t minor, int access)
{
	return e->types & type && e->access & access && (e->major == FOREIGN_ANY || e->major == major) &&
	       (e->minor == FOREIGN_ANY || e->minor == minor);
}

static bool added(const struct foreign *f, int type, int64_t major, int64_t minor, int access)
{
	for (size_t i = 0; i < f->nadded && !f->exact; i++)
		if (matches(&f->added[i], type, major, minor, access))
			return true;
	return false;
}

static bool one_access(const struct foreign *f, int type, int64_t major, int64_t minor, int access)
{
	for (size_t i = f->n; i-- > 0;) {
		const struct foreign_entry *e = &f->entries[i];
		if (!matches(e, type, major, minor, access))
			continue;
		return e->allow || (e->major == FOREIGN_ANY && e->minor == FOREIGN_ANY &&
		                    added(f, type, major, minor, access));
	}
	return f->default_allow || added(f, type, major, minor, access);
}

static bool expected(const struct foreign *f, const struct request *r)
{
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1)
		if (r->access & bit && !one_access(f, r->type, r->major, r->minor, bit))
			return false;
	return true;
}

/* ---- three answers -------------------------------------------------------------- */


static char *ruby_of(struct arena *a, const struct foreign *f)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	foreign_ruby(out, a, f);
	fclose(out);
	char *kept = arena_strndup(a, text, len);
	free(text);
	return kept;
}

static bool asked(const struct policy *p, const struct policy_diagram *pd, const struct request *r)
{
	struct decision d;
	int missing;
	assert_int_equal(policy_decide(p, pd, r, &d, &missing), 0);
	return d.allow;
}

/* The policy made without Ruby goes the whole way to an object. */
static void object_of(struct arena *a, struct diags *d, struct policy *p)
{
	struct policy_diagram pd;
	struct image image, again;
	struct policy *read;
	struct bytes object;
	if (compile_policy(p, d, &pd, &image) || verify_image(p, d, &pd, &image) || object_write(p, &image, d, &object) ||
	    object_read(a, d, "x.o", object.data, object.len, &read, &again))
		fail_msg("%s", d->items[0].text);
	assert_int_equal(read->nrules, p->nrules);
}

static void compare(const struct foreign *f, struct arena *a, const char *list)
{
	struct diags d;
	struct policy *made, *compiled;
	struct policy_diagram made_pd, compiled_pd;
	struct ruby *ruby;
	char *text = ruby_of(a, f);
	diags_init(&d, a);
	assert_int_equal(foreign_policy(a, &d, f, &made), 0);
	if (ruby_compile(a, &d, &host_here, "t.rb", text, strlen(text), NULL, 0, &ruby, &compiled))
		fail_msg("%s\n%s", d.items[0].text, text);
	assert_int_equal(policy_diagram(made, &d, ORDER_FACTS_LAST, &made_pd), 0);
	assert_int_equal(policy_diagram(compiled, &d, ORDER_FACTS_LAST, &compiled_pd), 0);
	assert_string_equal(made->name, compiled->name);
	assert_int_equal(made->nrules, compiled->nrules);
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t i = 0; i < COUNT(majors); i++)
			for (size_t j = 0; j < COUNT(minors); j++)
				for (int access = 0; access <= ACC_ALL; access++) {
					struct request r = {.type = type, .access = access,
					                    .major = i ? majors[i] : 77, .minor = j ? minors[j] : 78};
					bool got = asked(made, &made_pd, &r), want = expected(f, &r);
					if (got != asked(compiled, &compiled_pd, &r) || (access && got != want))
						fail_msg("type %d %d:%d access %d\n%s\n%s", type, (int)r.major, (int)r.minor,
						         access, list, text);
				}
	object_of(a, &d, made);
	ruby_close(ruby);
}

/* ---- random lists ------------------------------------------------------------------ */

static char *random_entry(struct arena *a)
{
	static const char *const types[] = {"a", "b", "c", "c"};
	static const char *const letters[] = {"mr", "r", "w", "m", "rw", "rwm", "wm", "rw"};
	int major = majors[pick(COUNT(majors))], minor = minors[pick(COUNT(minors))];
	return arena_printf(a, "{\"allow\": %s, \"type\": \"%s\", \"major\": %d, \"minor\": %d, \"access\": \"%s\"}",
	                    pick(2) ? "true" : "false", types[pick(4)], major, minor, letters[pick(8)]);
}

static char *random_config(struct arena *a)
{
	char *list = arena_strdup(a, pick(2) ? "{\"allow\": false}" : random_entry(a));
	for (unsigned n = pick(14); n > 0; n--)
		list = arena_printf(a, "%s,\n%s", list, random_entry(a));
	return arena_printf(a, "{\"ociVersion\": \"1.0\", \"hostname\": \"r\", \"linux\": {\"resources\": "
	                       "{\"devices\": [%s]}}}", list);
}

static void random_lists(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		struct arena *a = arena_new();
		struct diags d;
		struct foreign f;
		char *text = random_config(a);
		diags_init(&d, a);
		if (foreign_oci(&d, "r.json", text, strlen(text), &f))
			fail_msg("%s\n%s", d.items[0].text, text);
		f.exact = i % 3 == 0;
		compare(&f, a, text);
		arena_free(a);
	}
}

static void random_lxc(void **state)
{
	(void)state;
	static const char *const letters[] = {"r", "w", "rw", "rwm"};
	for (int i = 0; i < 200; i++) {
		struct arena *a = arena_new();
		struct diags d;
		struct foreign f;
		char *text = pick(2) ? "lxc.cgroup2.devices.deny = a\n" : "lxc.uts.name = c1\n";
		for (unsigned n = pick(10); n > 0; n--)
			text = arena_printf(a, "%slxc.cgroup2.devices.%s = %c %d:%d %s\n", text, pick(2) ? "allow" : "deny",
			                    "abc"[pick(3)], majors[1 + pick(COUNT(majors) - 1)],
			                    minors[1 + pick(COUNT(minors) - 1)], letters[pick(4)]);
		diags_init(&d, a);
		if (foreign_lxc(&d, "c1", text, strlen(text), &f) || foreign_settle(&d, &f, true, true))
			fail_msg("%s\n%s", d.items[0].text, text);
		assert_true(f.default_allow == (f.silent != NULL));
		compare(&f, a, text);
		arena_free(a);
	}
}

/* ---- keys that are nearly one about devices -------------------------------------- */

/* Every key with one byte left out, doubled, changed, or two swapped: refused, and
 * with it the list. The key as it is is not. */
static char *misspelt(struct arena *a, const char *key, unsigned which, size_t at)
{
	char *text = arena_printf(a, "%s ", key);
	size_t n = strlen(key);
	text[n] = '\0';
	if (which == 0)
		memmove(text + at, text + at + 1, n - at);
	else if (which == 1)
		memmove(text + at + 1, text + at, n - at + 1);
	else if (which == 2)
		text[at] = text[at] == 'q' ? 'z' : 'q';
	else if (at + 1 < n)
		text[at] = key[at + 1], text[at + 1] = key[at];
	return text;
}

static int read_key(struct arena *a, const char *form, const char *key, struct foreign *f)
{
	struct diags d;
	char *text = arena_printf(a, form, key);
	diags_init(&d, a);
	return strstr(form, "lxc") ? foreign_lxc(&d, "c", text, strlen(text), f)
	                           : foreign_systemd(&d, "u.service", text, strlen(text), NULL, f);
}

static void near_keys(void **state)
{
	static const struct { const char *key, *form; } keys[] = {
		{"lxc.cgroup2.devices.allow", "lxc.cgroup2.devices.deny = a\n%s = c 1:3 rwm\n"},
		{"lxc.cgroup2.devices.deny", "lxc.cgroup2.devices.allow = a\n%s = c 1:3 rwm\n"},
		{"lxc.cgroup.devices.allow", "lxc.cgroup.devices.deny = a\n%s = c 1:3 rwm\n"},
		{"lxc.cgroup.devices.deny", "lxc.cgroup.devices.allow = a\n%s = c 1:3 rwm\n"},
		{"DevicePolicy", "[Service]\n%s=strict\n"},
		{"DeviceAllow", "[Service]\n%s=char-1 rw\n"},
		{"PrivateDevices", "[Service]\n%s=yes\n"},
		{"ProtectClock", "[Service]\n%s=yes\n"},
	};
	struct foreign f;
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_int_equal(read_key(*state, keys[i].form, keys[i].key, &f), 0);
		for (unsigned which = 0; which < 4; which++)
			for (size_t at = 0; keys[i].key[at]; at++) {
				char *key = misspelt(*state, keys[i].key, which, at);
				bool same = !strcmp(key, keys[i].key), other = false;
				for (size_t k = 0; k < COUNT(keys); k++)
					other |= k != i && !strcmp(key, keys[k].key);
				if (!other && read_key(*state, keys[i].form, key, &f) != (same ? 0 : -1))
					fail_msg("%s", key);
			}
	}
}

/* ---- long lists ---------------------------------------------------------------------- */

/* Every entry in the end by itself: the numbers become few patterns. */
static void long_list(void **state)
{
	struct foreign f = {.format = FOREIGN_OCI, .file = "x", .name = "x"};
	struct diags d;
	struct policy *p;
	enum { N = 100000 };
	f.entries = arena_alloc(*state, N * sizeof *f.entries);
	f.n = f.cap = N;
	for (unsigned i = 0; i < N; i++)
		f.entries[i] = (struct foreign_entry){.allow = i % 2 == 0, .types = DEV_CHAR, .access = ACC_READ,
		                                      .major = (int32_t)(i / 50), .minor = (int32_t)(i % 50), .place = i};
	diags_init(&d, *state);
	assert_int_equal(foreign_policy(*state, &d, &f, &p), 0);
	assert_int_equal(p->nrules, 2);
	assert_string_equal(p->rules[0].patterns[0].text, "c 0-1999:0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,"
	                                                  "36,38,40,42,44,46,48 r");
}

/* Truncated anywhere, a list is an error, never a shorter list. */
static void truncated(void **state)
{
	static const char text[] = "{\"ociVersion\": \"1.0\", \"linux\": {\"resources\": {\"devices\": "
				   "[{\"allow\": true, \"type\": \"c\", \"major\": 1, \"access\": \"r\"}]}}}";
	for (size_t n = 0; n < sizeof text - 1; n++) {
		struct diags d;
		struct foreign f;
		char *copy = malloc(n ? n : 1);
		memcpy(copy, text, n);
		diags_init(&d, *state);
		assert_int_equal(foreign_oci(&d, "x", copy, n, &f), -1);
		assert_int_equal(d.errors, 1);
		assert_non_null(d.items[0].hint);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(random_lists),
		ARENA_TEST(random_lxc),
		ARENA_TEST(near_keys),
		ARENA_TEST(long_list),
		ARENA_TEST(truncated),
	};
	return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
