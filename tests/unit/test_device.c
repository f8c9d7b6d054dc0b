/* test_device.c - policy/device.c and text.c: device patterns, and what is
 * said about the texts that are none. */
#include "tests/unit/patterns.h"

#define NOT_A_DEVICE_HINT "a device is \"c 1:3 rw\", \"/dev/null\", \"char-pts\" or a symbol such as " \
	":null; a label is given by label:"
#define MAJOR_HINT "numbers are decimal, from 0 to 4095"
#define MINOR_HINT "numbers are decimal, from 0 to 1048575"
#define SPACE_HINT "write MAJOR:MINOR without spaces, then the access letters: \"c 1:3 rw\""

/* ---- the numeric form -------------------------------------------------------- */

static void numeric_patterns(void **state)
{
	static const struct {
		const char *text, *canonical;
		int types, access;
	} table[] = {
		{"c 1:3", "c 1:3 rwm", DEV_CHAR, 0},
		{"c 1:3 rwm", "c 1:3 rwm", DEV_CHAR, ACC_ALL},
		{"c 1:3 mwr", "c 1:3 rwm", DEV_CHAR, ACC_ALL},
		{"c 1:3 wr", "c 1:3 rw", DEV_CHAR, ACC_READ | ACC_WRITE},
		{"b 8:* r", "b 8:* r", DEV_BLOCK, ACC_READ},
		{"c 5:0-2,7 rw", "c 5:0-2,7 rw", DEV_CHAR, ACC_READ | ACC_WRITE},
		{"a *:* m", "a *:* m", DEV_CHAR | DEV_BLOCK, ACC_MKNOD},
		{"a *:*", "a *:* rwm", 3, 0},
		{"c *:0 w", "c *:0 w", DEV_CHAR, ACC_WRITE},
		{"b 0:0", "b 0:0 rwm", DEV_BLOCK, 0},
		{"c 4095:1048575", "c 4095:1048575 rwm", DEV_CHAR, 0},
		/* sorted, merged where they overlap or touch */
		{"c 7,3,5:1", "c 3,5,7:1 rwm", DEV_CHAR, 0},
		{"c 1:5-9,0-6", "c 1:0-9 rwm", DEV_CHAR, 0},
		{"c 1:0-2,3", "c 1:0-3 rwm", DEV_CHAR, 0},
		{"c 1:0-2,4", "c 1:0-2,4 rwm", DEV_CHAR, 0},
		{"c 1:0-100,5,7-9,100", "c 1:0-100 rwm", DEV_CHAR, 0},
		{"c 1:3,3,3-3", "c 1:3 rwm", DEV_CHAR, 0},
		{"c 0-4095:0-1048575", "c *:* rwm", DEV_CHAR, 0},
		{"c 0-9,10-4095:1-1048575,0", "c *:* rwm", DEV_CHAR, 0},
		{"b 8,65-71,128-135:*", "b 8,65-71,128-135:* rwm", DEV_BLOCK, 0},
		/* spaces between the parts */
		{"  c   1:3    rw ", "c 1:3 rw", DEV_CHAR, ACC_READ | ACC_WRITE},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern p;
		same_text(table[i].text, parsed(*state, table[i].text, &p), table[i].canonical);
		assert_int_equal(p.types, table[i].types);
		assert_int_equal(p.access, table[i].access);
	}
}

static void intervals(void **state)
{
	struct pattern p;
	parsed(*state, "c 3,1-2,9:7,4-5", &p);
	assert_int_equal(p.nmajors, 2);
	assert_int_equal(p.majors[0].lo, 1);
	assert_int_equal(p.majors[0].hi, 3);
	assert_int_equal(p.majors[1].lo, 9);
	assert_int_equal(p.majors[1].hi, 9);
	assert_int_equal(p.nminors, 2);
	assert_int_equal(p.minors[0].lo, 4);
	assert_int_equal(p.minors[0].hi, 5);
	assert_int_equal(p.minors[1].lo, 7);
	parsed(*state, "b *:*", &p);
	assert_int_equal(p.nmajors, 1);
	assert_int_equal(p.majors[0].lo, 0);
	assert_int_equal(p.majors[0].hi, MAJOR_MAX);
	assert_int_equal(p.minors[0].hi, MINOR_MAX);
	assert_int_equal(intervals_merge(NULL, 0), 0);
}

/* A list of many numbers, none of them near another. */
static void long_lists(void **state)
{
	enum { N = 50000 };
	char *text = arena_alloc(*state, N * 8 + 16), *at = text;
	struct pattern p, again;
	at += sprintf(at, "b 8:");
	for (int i = N; i-- > 0;)
		at += sprintf(at, "%d%s", i * 2, i ? "," : "");
	const char *canonical = parsed(*state, text, &p);
	assert_int_equal(p.nminors, N);
	for (int i = 0; i < N; i++) {
		assert_int_equal(p.minors[i].lo, i * 2);
		assert_int_equal(p.minors[i].hi, i * 2);
	}
	same_text("again", parsed(*state, canonical, &again), canonical);
}

static void refused_numbers(void **state)
{
	static const struct {
		const char *text, *error, *hint;
	} table[] = {
		{"", "empty device text", "write a device, such as \"c 1:3 rw\" or \"/dev/null\""},
		{"   ", "empty device text", "write a device, such as \"c 1:3 rw\" or \"/dev/null\""},
		/* access letters */
		{"c 1:3 rwx", "unknown access letter 'x'", LETTERS_HINT},
		{"c 1:3 R", "unknown access letter 'R'", LETTERS_HINT},
		{"c 1:3 -", "unknown access letter '-'", LETTERS_HINT},
		{"c 1:3 r,w", "unknown access letter ','", LETTERS_HINT},
		{"c 1:3 \xc3\xa9", "unknown access letter '\\xc3'", LETTERS_HINT},
		{"c 1:3 rr", "access letter 'r' is written twice", "write each letter once"},
		{"c 1:3 rwmw", "access letter 'w' is written twice", "write each letter once"},
		{"c 1:3 r w", "unexpected \"w\" after \"r\"",
		 "write the access letters as one word, such as rw, and nothing after"},
		{"c 1:3 rw x y z", "unexpected \"x\" after \"rw\"",
		 "write the access letters as one word, such as rw, and nothing after"},
		{"c 1:3rw", "missing space before the access letters \"rw\"", "write \"c 1:3 rw\""},
		{"b 8:*m", "missing space before the access letters \"m\"", "write \"b 8:* m\""},
		/* the type */
		{"char 1:3", "unknown device type \"char\"",
		 "types are c (character), b (block) and a (any)"},
		{"C 1:3", "unknown device type \"C\"", "types are c (character), b (block) and a (any)"},
		{"p 1:3 rw", "unknown device type \"p\"",
		 "types are c (character), b (block) and a (any)"},
		{"c1:3", "missing space after the device type in \"c1:3\"", "write \"c 1:3\""},
		{"a*:* m", "missing space after the device type in \"a*:*\"", "write \"a *:* m\""},
		{"1:3", "missing device type before \"1:3\"", "write \"c 1:3\" or \"b 1:3\""},
		{"8:* r", "missing device type before \"8:*\"", "write \"c 8:* r\" or \"b 8:* r\""},
		{"c", "missing major:minor after 'c'", "write \"c 1:3\", or \"c *:*\" for all of them"},
		{"a", "missing major:minor after 'a'", "write \"a 1:3\", or \"a *:*\" for all of them"},
		/* the numbers */
		{"c 1", "missing ':' in \"1\"", "a device is MAJOR:MINOR; 1:* is every minor of major 1"},
		{"c * rw", "missing ':' in \"*\"", "a device is MAJOR:MINOR; 1:* is every minor of major 1"},
		{"c :3", "missing major", MAJOR_HINT},
		{"c 1:", "missing minor", MINOR_HINT},
		{"c :", "missing major", MAJOR_HINT},
		{"c 010:3", "major \"010\" is ambiguous: it has a leading zero",
		 "numbers are decimal: write 10, or 8 if octal was meant"},
		{"c 1:00", "minor \"00\" is ambiguous: it has a leading zero",
		 "numbers are decimal: write 0"},
		{"c 1:03", "minor \"03\" is ambiguous: it has a leading zero",
		 "numbers are decimal: write 3"},
		{"c 1:089", "minor \"089\" is ambiguous: it has a leading zero",
		 "numbers are decimal: write 89"},
		{"c -1:3", "major \"-1\" has a sign", MAJOR_HINT},
		{"c +1:3", "major \"+1\" has a sign", MAJOR_HINT},
		{"c 1:-3", "minor \"-3\" has a sign", MINOR_HINT},
		{"c 1:0--3", "minor \"-3\" has a sign", MINOR_HINT},
		{"c 0x1f:3", "major \"0x1f\" is not a decimal number", MAJOR_HINT},
		{"c 1:3:4", "minor \"3:4\" is not a decimal number", MINOR_HINT},
		{"c 1:x", "minor \"x\" is not a decimal number", MINOR_HINT},
		{"c 1:1-2-3", "minor \"2-3\" is not a decimal number", MINOR_HINT},
		{"c 1.5:3", "major \"1.5\" is not a decimal number", MAJOR_HINT},
		{"c 4096:0", "major 4096 is over the limit of 4095", MAJOR_HINT},
		{"c 1:1048576", "minor 1048576 is over the limit of 1048575", MINOR_HINT},
		{"c 0-4096:0", "major 4096 is over the limit of 4095", MAJOR_HINT},
		{"c 18446744073709551617:0", "major 18446744073709551617 is over the limit of 4095",
		 MAJOR_HINT},
		{"c 1:99999999999999999999999999999999999999999999999999999999999999999999999999",
		 "minor 9999999999999999999999999999999999999999999999999999999999999999... is over the "
		 "limit of 1048575", MINOR_HINT},
		{"c 1:3-1", "minor range 3-1 runs backwards", "write 1-3"},
		{"c 9-8:*", "major range 9-8 runs backwards", "write 8-9"},
		{"c 1:3-", "minor range \"3-\" has no end", "a range is LO-HI; * is every number"},
		{"c 1:1,,2", "missing minor in \"1,,2\"", "a list is numbers and ranges: 0-2,7"},
		{"c 1,:2", "missing major in \"1,\"", "a list is numbers and ranges: 0-2,7"},
		{"c ,1:2", "missing major in \",1\"", "a list is numbers and ranges: 0-2,7"},
		{"c 1:*,3", "'*' stands with something else in minor \"*,3\"",
		 "write '*' alone for all of them, or list numbers and ranges"},
		{"c **:3", "'*' stands with something else in major \"**\"",
		 "write '*' alone for all of them, or list numbers and ranges"},
		{"c 1:3-*", "'*' stands with something else in minor \"3-*\"",
		 "write '*' alone for all of them, or list numbers and ranges"},
		{"c 1: 3", "space inside \"1: 3\"", SPACE_HINT},
		{"c 1 :3 rw", "space inside \"1 :3 rw\"", SPACE_HINT},
		{"c 1:3, 4", "space inside \"1:3, 4\"", SPACE_HINT},
		{"c 1:3 ,4 r", "space inside \"1:3 ,4 r\"", SPACE_HINT},
		{"c 1 3", "space inside \"1 3\"", SPACE_HINT},
		{"c 1:3- 4", "space inside \"1:3- 4\"", SPACE_HINT},
		/* no device at all */
		{"gpu", "\"gpu\" is not a device", NOT_A_DEVICE_HINT},
		{"no raw disks", "\"no raw disks\" is not a device", NOT_A_DEVICE_HINT},
		{"rw", "\"rw\" is not a device", NOT_A_DEVICE_HINT},
		{"c:1:3", "\"c:1:3\" is not a device", NOT_A_DEVICE_HINT},
		{"characters-pts", "\"characters-pts\" is not a device", NOT_A_DEVICE_HINT},
		{"null", "\"null\" is not a device",
		 "as a symbol it is one: write :null, without quotes"},
		{":null", "\":null\" is not a device",
		 "as a symbol it is one: write :null, without quotes"},
		{"loop-control", "\"loop-control\" is not a device",
		 "as a symbol it is one: write :loop_control, without quotes"},
		{"ttyUSB0 rw", "\"ttyUSB0 rw\" is not a device", NOT_A_DEVICE_HINT},
		{"sda3", "\"sda3\" is not a device", "as a symbol it is one: write :sda3, without quotes"},
		{"nvme0n1", "\"nvme0n1\" is not a device", "as a symbol it is one: write :nvme0n1, without quotes"},
		{"dev/null", "path \"dev/null\" does not start with '/'",
		 "a device path is absolute: \"/dev/null\""},
		{"./null rw", "path \"./null\" does not start with '/'",
		 "a device path is absolute: \"/./null rw\""},
		/* bytes that must not be shown */
		{"c 1:3\trw", "unprintable byte \\x09 after \"c 1:3\"",
		 "write a space instead of the tab"},
		{"c 1:3\n", "unprintable byte \\x0a after \"c 1:3\"",
		 "write printable text, in UTF-8"},
		{"\033[31mc 1:3", "unprintable byte \\x1b after \"\"", "write printable text, in UTF-8"},
		{"/dev/\x7f", "unprintable byte \\x7f after \"/dev/\"",
		 "write printable text, in UTF-8"},
		{"caf\xe9", "unprintable byte \\xe9 after \"caf\"", "write printable text, in UTF-8"},
		{"a\xc2\x9b" "31m", "unprintable byte \\xc2 after \"a\"",
		 "write printable text, in UTF-8"},
		{"a\xe2\x80\xae", "unprintable byte \\xe2 after \"a\"",
		 "write printable text, in UTF-8"},
		{"caf\xc3\xa9", "\"caf\xc3\xa9\" is not a device", NOT_A_DEVICE_HINT},
	};
	for (size_t i = 0; i < COUNT(table); i++)
		refused(*state, table[i].text, table[i].error, table[i].hint);
}

/* ---- access and matching ------------------------------------------------------- */

static void access_letters(void **state)
{
	(void)state;
	static const struct {
		const char *letters;
		int set;
	} table[] = {
		{"r", ACC_READ}, {"w", ACC_WRITE}, {"m", ACC_MKNOD}, {"rw", 6}, {"wr", 6}, {"mr", 3},
		{"wm", 5}, {"rwm", 7}, {"mwr", 7}, {"", -1}, {"-", -1}, {"x", -1}, {"rx", -1},
		{"rr", -1}, {"rwr", -1}, {"R", -1}, {"r ", -1}, {" r", -1}, {"r w", -1}, {"rwmm", -1},
	};
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(access_parse(table[i].letters), table[i].set);
}

static void matching(void **state)
{
	static const struct {
		const char *pattern;
		int type, major, minor, access;
		bool allow, deny;
	} table[] = {
		{"c 1:3 rwm", DEV_CHAR, 1, 3, ACC_READ, true, true},
		{"c 1:3", DEV_CHAR, 1, 3, ACC_MKNOD, true, true},
		{"c 1:3", DEV_BLOCK, 1, 3, ACC_READ, false, false},
		{"c 1:3", DEV_CHAR, 1, 4, ACC_READ, false, false},
		{"c 1:3", DEV_CHAR, 2, 3, ACC_READ, false, false},
		{"a 1:3", DEV_BLOCK, 1, 3, ACC_READ, true, true},
		{"a 1:3", DEV_CHAR, 1, 3, ACC_READ, true, true},
		{"c 1:3 r", DEV_CHAR, 1, 3, ACC_READ, true, true},
		{"c 1:3 r", DEV_CHAR, 1, 3, ACC_WRITE, false, false},
		{"c 1:3 r", DEV_CHAR, 1, 3, ACC_MKNOD, false, false},
		{"c 1:3 rw", DEV_CHAR, 1, 3, ACC_WRITE, true, true},
		{"c 1:3 m", DEV_CHAR, 1, 3, ACC_MKNOD, true, true},
		/* no access bit: is the device there at all? */
		{"c 1:3 r", DEV_CHAR, 1, 3, 0, true, false},
		{"c 1:3 rw", DEV_CHAR, 1, 3, 0, true, false},
		{"c 1:3 rwm", DEV_CHAR, 1, 3, 0, true, true},
		{"c 1:3", DEV_CHAR, 1, 3, 0, true, true},
		{"c 1:3", DEV_CHAR, 1, 4, 0, false, false},
		{"c 1:3 rwm", DEV_BLOCK, 1, 3, 0, false, false},
		/* intervals and their ends */
		{"b 8,65-71:0-15,32", DEV_BLOCK, 8, 0, ACC_READ, true, true},
		{"b 8,65-71:0-15,32", DEV_BLOCK, 65, 15, ACC_READ, true, true},
		{"b 8,65-71:0-15,32", DEV_BLOCK, 71, 32, ACC_READ, true, true},
		{"b 8,65-71:0-15,32", DEV_BLOCK, 64, 32, ACC_READ, false, false},
		{"b 8,65-71:0-15,32", DEV_BLOCK, 72, 32, ACC_READ, false, false},
		{"b 8,65-71:0-15,32", DEV_BLOCK, 8, 16, ACC_READ, false, false},
		{"b 8,65-71:0-15,32", DEV_BLOCK, 8, 33, ACC_READ, false, false},
		{"a *:*", DEV_BLOCK, 0, 0, ACC_READ, true, true},
		{"a *:*", DEV_CHAR, MAJOR_MAX, MINOR_MAX, ACC_READ, true, true},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern p;
		parsed(*state, table[i].pattern, &p);
		for (int deny = 0; deny < 2; deny++)
			if (pattern_matches(&p, deny, table[i].type, table[i].major, table[i].minor,
			                    table[i].access) != (deny ? table[i].deny : table[i].allow))
				fail_msg("%s %s, request %d %d:%d %d", deny ? "deny" : "allow",
				         table[i].pattern, table[i].type, table[i].major,
				         table[i].minor, table[i].access);
	}
}

/* Canonical texts parse to themselves, and mean the same. */
static void canonical_text_round_trips(void **state)
{
	srand(1);
	for (int round = 0; round < 2000; round++) {
		char text[256], *at = text;
		struct pattern p, again;
		at += sprintf(at, "%c ", "cba"[rand() % 3]);
		for (int part = 0; part < 2; part++) {
			int n = rand() % 5;
			if (n == 0)
				at += sprintf(at, "*");
			for (int i = 0; i < n; i++) {
				int lo = rand() % 40;
				at += sprintf(at, "%s%d", i ? "," : "", lo);
				if (rand() % 2)
					at += sprintf(at, "-%d", lo + rand() % 6);
			}
			if (part == 0)
				at += sprintf(at, ":");
		}
		static const char *const letters[] = {"", " r", " w", " m", " wr", " rwm"};
		sprintf(at, "%s", letters[rand() % 6]);
		const char *canonical = parsed(*state, text, &p);
		same_text(text, parsed(*state, canonical, &again), canonical);
		for (int v = 0; v < 50; v++)
			assert_int_equal(pattern_matches(&p, false, DEV_CHAR, v, 49 - v, ACC_READ),
			                 pattern_matches(&again, false, DEV_CHAR, v, 49 - v, ACC_READ));
		for (size_t i = 1; i < p.nmajors; i++)
			assert_true(p.majors[i - 1].hi + 1 < p.majors[i].lo);
	}
}

/* ---- echoing --------------------------------------------------------------------- */

static void safe_text(void **state)
{
	static const struct {
		const char *text;
		size_t n, limit;
		const char *safe;
	} table[] = {
		{"plain", 5, 64, "plain"},
		{"", 0, 64, ""},
		{"a\0b", 3, 64, "a\\x00b"},
		{"\033]0;x\007", 6, 64, "\\x1b]0;x\\x07"},
		{"\x7f", 1, 64, "\\x7f"},
		{"\xc3\xa9", 2, 64, "\xc3\xa9"},
		{"\xc3", 1, 64, "\\xc3"},             /* cut sequence */
		{"\xc0\xaf", 2, 64, "\\xc0\\xaf"},    /* overlong */
		{"\xed\xa0\x80", 3, 64, "\\xed\\xa0\\x80"}, /* surrogate */
		{"\xf4\x90\x80\x80", 4, 64, "\\xf4\\x90\\x80\\x80"}, /* beyond Unicode */
		{"\xf0\x9f\x98\x80", 4, 64, "\xf0\x9f\x98\x80"},
		{"\xc2\x9b", 2, 64, "\\xc2\\x9b"},    /* C1: CSI */
		{"\xe2\x80\xa8", 3, 64, "\\xe2\\x80\\xa8"}, /* line separator */
		{"abcdef", 6, 6, "abcdef"},
		{"abcdef", 6, 5, "abcde..."},
		{"abcd\xc3\xa9", 6, 5, "abcd\xc3\xa9"},
		{"\n\n\n", 3, 2, "\\x0a..."},
		{"abc", 3, 0, "..."},
	};
	for (size_t i = 0; i < COUNT(table); i++)
		same_text(table[i].safe, text_safe(*state, table[i].text, table[i].n, table[i].limit),
		          table[i].safe);
	same_text("quoted", text_quoted(*state, (struct slice){"a\tb", 3}), "\"a\\x09b\"");
}

/* Nothing that is refused puts an unsafe byte into its message. */
static void errors_are_safe(void **state)
{
	srand(2);
	static const char *const starts[] = {"", "c ", "c 1:", "/dev/", "char-", "c 1:3 ", ":", "a"};
	for (int round = 0; round < 20000; round++) {
		char text[64];
		const char *error = NULL, *hint = NULL;
		struct pattern p;
		size_t n = (size_t)sprintf(text, "%s", starts[rand() % 8]);
		for (int i = rand() % 12; i-- > 0;)
			text[n++] = (char)(rand() % 3 ? "0:-,* rwmc/x"[rand() % 12] : 1 + rand() % 255);
		text[n] = '\0';
		for (int named = 0; named < 2; named++) {
			int rc = named ? pattern_named(*state, &host_here, text, &p, &error, &hint)
			               : pattern_parse(*state, &host_here, text, &p, &error, &hint);
			if (rc == 0) {
				assert_null(error);
				continue;
			}
			assert_non_null(error);
			assert_non_null(hint);
			assert_int_equal(text_unsafe(error, strlen(error)), strlen(error));
			assert_int_equal(text_unsafe(hint, strlen(hint)), strlen(hint));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(numeric_patterns), ARENA_TEST(intervals), ARENA_TEST(long_lists),
		ARENA_TEST(refused_numbers), ARENA_TEST(access_letters), ARENA_TEST(matching),
		ARENA_TEST(canonical_text_round_trips), ARENA_TEST(safe_text), ARENA_TEST(errors_are_safe),
	};
	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
