/*
 * The devices that a policy treats alike: every device is in one class, and its answers are those
 * of the policy. The picture made of them: names, how large, nothing that a label could break.
 */
#include "policy/classes.h"
#include "policy/known.h"
#include "policy/picture.h"
#include "policy/text.h"
#include "tests/unit/compiled.h"

static const char *const policies[] = {
	"deny { |c| false }\n",
	"allow \"c 1:3 rw\"\n",
	"allow \"c 1:3 r\", \"c 1:5 w\"\nallow \"c 1:* rw\"\nallow \"b 8:0-15,17 r\"\nallow \"a 9:1-3,7 m\"\n",
	"default :allow\ndeny \"c 1:9 rw\"\ndeny(\"c 1:* w\") { |c| c.minor > 4 }\ndeny \"b *:* m\"\nallow \"b 8:* m\"\n",
	"allow \"a *:* m\"\nallow(\"c 1:* rw\") { |c| c.uid == 0 }\nallow \"c 1:3 r\"\nallow(\"c 1:5 rw\") { |c| c.uid > 999 }\n",
	"allow \"c 5:* rw\"\ndeny \"c 5:1 rw\"\nallow { |c| c.requested == 6 && c.major == 4 }\n"
	"deny { |c| 10 / c.minor == 3 && c.major == 7 }\nallow \"a 7:* rw\"\n",
	"allow { |c| c.major * 3 > c.minor && c.comm == \"qemu\" }\n",
	"allow \"b 8,65-71:0-1048575 rw\", \"c 4095:1048575 rw\", \"c 0:0 r\"\n",
};

static bool in_block(const struct block_of_devices *b, int type, int64_t major, int64_t minor)
{
	return b->type == type && intervals_have(b->majors, b->nmajors, major) &&
	       intervals_have(b->minors, b->nminors, minor);
}

static const struct device_class *class_of(const struct device_classes *cs, int type, int64_t major, int64_t minor)
{
	const struct device_class *found = NULL;
	for (const struct device_class *c = cs->list; c < cs->list + cs->n; c++)
		for (size_t i = 0; i < c->nblocks; i++)
			if (in_block(&c->blocks[i], type, major, minor)) {
				assert_null(found);
				found = c;
			}
	assert_non_null(found);
	return found;
}

static outcome asked_of(struct diagrams *dg, node root, const int64_t *inputs)
{
	int missing;
	outcome o = diagram_eval(dg, root, inputs, ~(input_set)0, &missing);
	assert_int_equal(missing, -1);
	return o;
}

/* The class's answers about one device are the policy's. */
static void same_answers(const struct policy_diagram *pd, const struct device_classes *cs, int type, int64_t major,
                         int64_t minor)
{
	static const int64_t uids[] = {0, 7, 1000};
	const struct device_class *c = class_of(cs, type, major, minor);
	bool one = cs->nasked < ASKED_MAX;
	for (int k = 0; k < cs->nasked; k++)
		for (size_t u = 0; u < COUNT(uids); u++) {
			int64_t inputs[INPUT_MAX] = {[IN_TYPE] = type, [IN_MAJOR] = major, [IN_MINOR] = minor,
			                             [IN_UID] = uids[u], [IN_COMM_0] = u ? 0x756d6571 : 0};
			inputs[IN_ACCESS] = inputs[IN_REQUESTED] = cs->asked[k];
			outcome want = asked_of(pd->dg, one ? pd->access : pd->attribution, inputs);
			assert_int_equal(asked_of(pd->dg, c->answer[k], inputs), want);
		}
}

static void check_classes(const char *text)
{
	static const int64_t majors[] = {0, 1, 2, 4, 5, 7, 8, 9, 10, 64, 65, 71, 72, 4094, 4095};
	static const int64_t minors[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18, 22, 1048574, 1048575};
	struct compiled c = compiled_of(text);
	struct policy_diagram pd;
	struct device_classes cs;
	uint64_t all[DEV_CHAR + 1] = {0};
	assert_int_equal(policy_diagram(c.policy, &c.diags, ORDER_FACTS_LAST, &pd), 0);
	assert_true(device_classes(c.arena, &pd, PICTURE_NODES_MAX, &cs));
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++) {
		for (size_t i = 0; i < COUNT(majors); i++)
			for (size_t k = 0; k < COUNT(minors); k++)
				same_answers(&pd, &cs, type, majors[i], minors[k]);
		for (size_t i = 0; i < cs.n; i++)
			all[type] += cs.list[i].devices[type];
		assert_int_equal(all[type], (MAJOR_MAX + 1ull) * (MINOR_MAX + 1ull));
	}
	assert_false(device_classes(c.arena, &pd, cs.n - 1, &cs));
	compiled_free(&c);
}

static void test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++)
		check_classes(policies[i]);
}

/* Names of numbers are the names that have these numbers. */
static void test_names(void **state)
{
	(void)state;
	static const char *const names[] = {"null", "net/tun", "tty0", "tty63", "ttyS0", "ttyUSB0", "ttyUSB12",
	                                    "sda", "sdp15", "sdq", "sdz3", "sdaa", "sdiv15", "loop7", "tpm0",
	                                    "dri/renderD128", "input/event3", "nvidiactl", "nvidia0", "sr1", "st0"};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT(names); i++) {
		char type;
		int major, minor;
		const char *numbers = known_path_numbers(a, (struct slice){names[i], strlen(names[i])});
		if (!numbers)
			fail_msg("%s has no numbers", names[i]);
		assert_int_equal(sscanf(numbers, "%c %d:%d", &type, &major, &minor), 3);
		same_text(names[i], known_name_of(a, type, major, minor), names[i]);
	}
	assert_null(known_name_of(a, 'c', 4000, 1));
	assert_null(known_name_of(a, 'b', 4000, 3));
	same_text("pts", known_name_of_numbers("c 136:*"), "pts");
	arena_free(a);
}

/* Quotes that are not escaped come in pairs in each line; nodes that are defined. */
static size_t nodes_of(const char *dot)
{
	size_t nodes = 0;
	for (const char *line = dot; *line; line += strcspn(line, "\n") + 1) {
		size_t quotes = 0, n = strcspn(line, "\n");
		for (size_t i = 0; i < n; i++) {
			if (line[i] == '\\')
				i++;
			else
				quotes += line[i] == '"';
		}
		assert_int_equal(quotes % 2, 0);
		nodes += n > 3 && line[0] == ' ' && line[2] != ' ' && !memmem(line, n, " -> ", 4) &&
		         memmem(line, n, "label=", 6) && strncmp(line, "  graph", 7) && strncmp(line, "  node", 6);
	}
	return nodes;
}

static const char *picture_of(struct compiled *c)
{
	struct arena_stream s;
	policy_picture(arena_stream(c->arena, &s), c->policy);
	return arena_text(c->arena, &s);
}

static void has(const char *picture, const char *part)
{
	if (!strstr(picture, part))
		fail_msg("no %s in\n%s", part, picture);
}

static void test_picture(void **state)
{
	(void)state;
	struct compiled c = compiled_of(
		"allow :null, :zero, access: \"rw\"\nallow \"c 188:0-7 rw\", label: 'two \" and \\\\ three'\n"
		"deny(\"b 8:* w\", errno: :EROFS) { |c| c.uid > 0 }\nallow(\"c 9:* rw\") { |c| 6 / c.minor > c.uid }\n");
	const char *p = picture_of(&c);
	assert_true(nodes_of(p) <= PICTURE_NODES_MAX);
	has(p, "null, zero");
	has(p, "ttyUSB0 to ttyUSB7");
	has(p, "two \\\" and \\\\ three");
	has(p, "deny with EROFS");
	has(p, "deny: the block raises");
	has(p, "any other device");
	has(p, "no rule matches");
	compiled_free(&c);
}

/* A policy with many rules is its rules in order. */
static void test_long(void **state)
{
	(void)state;
	struct compiled c = compiled_of("200.times { |i| i % 3 == 0 ? deny(\"c #{i}:1 rw\") : allow(\"c #{i}:* rw\") }\n");
	const char *p = picture_of(&c);
	assert_int_equal(nodes_of(p), PICTURE_NODES_MAX);
	has(p, "more rules");
	compiled_free(&c);
	c = compiled_of("allow \"c 1:1\"\n(2..200).each { |i|\n  allow \"c #{i}:#{i}\" }\ndeny \"b *:*\"\nallow \"c *:3 r\"\n");
	p = picture_of(&c);
	assert_int_equal(nodes_of(p), 5);
	has(p, "200 rules, lines 1 to 3");
	compiled_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
