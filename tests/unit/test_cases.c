/* test_cases.c - policy/cases.c: NAME.cases files. */
#include "tests/unit/fixture.h"
#include "policy/cases.h"

#define CASE_HINT "a case is \"allow c 1:3 rw\" or \"deny b 8:0 w uid=1000\""

static int parse(struct arena *a, struct diags *d, const char *text, size_t len, struct cases *out)
{
	/* a copy of the exact size: a read past its end is seen */
	char *copy = malloc(len ? len : 1);
	memcpy(copy, text, len);
	diags_init(d, a);
	int rc = cases_parse(d, "x.cases", copy, len, out);
	memset(copy, 'X', len); /* nothing may point into it */
	free(copy);
	return rc;
}

static void good_file(void **state)
{
	static const char text[] =
		"# what a container needs\n"
		"\n"
		"allow c 1:3 rw\n"
		"  deny\tb 8:0  r uid=1000   comm='a b' # raw disk\r\n"
		"\t \r\n"
		"   # allow c 1:1 r\n"
		"allow /dev/zero rw\n"
		"deny c 5:2 -";
	static const struct {
		bool allow;
		int line, type, major, minor, access;
		const char *text;
	} want[] = {
		{true, 3, DEV_CHAR, 1, 3, 6, "c 1:3 rw"},
		{false, 4, DEV_BLOCK, 8, 0, 2, "b 8:0 r uid=1000 comm='a b'"},
		{true, 7, DEV_CHAR, 1, 5, 6, "/dev/zero rw"},
		{false, 8, DEV_CHAR, 5, 2, 0, "c 5:2 -"},
	};
	struct diags d;
	struct cases cases;
	assert_int_equal(parse(*state, &d, text, sizeof text - 1, &cases), 0);
	assert_int_equal(d.n, 0);
	assert_int_equal(cases.n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		const struct test_case *c = &cases.items[i];
		assert_int_equal(c->allow, want[i].allow);
		assert_string_equal(c->at.file, "x.cases");
		assert_int_equal(c->at.line, want[i].line);
		assert_int_equal(c->request.type, want[i].type);
		assert_int_equal(c->request.major, want[i].major);
		assert_int_equal(c->request.minor, want[i].minor);
		assert_int_equal(c->request.access, want[i].access);
		same_text("text", c->request.text, want[i].text);
	}
	assert_int_equal(cases.items[1].request.fact[IN_UID], 1000);
}

/* A line of ranges is a case for each device. */
static void ranges(void **state)
{
	static const char text[] = "deny b 8:0-15 w # disks\nallow c 1-2:7-9 rw uid=5\nallow c 3:4 -\n";
	struct diags d;
	struct cases cases;
	assert_int_equal(parse(*state, &d, text, sizeof text - 1, &cases), 0);
	assert_int_equal(cases.n, 16 + 6 + 1);
	for (int i = 0; i < 16; i++) {
		assert_false(cases.items[i].allow);
		assert_int_equal(cases.items[i].request.minor, i);
		assert_int_equal(cases.items[i].at.line, 1);
	}
	for (int i = 0; i < 6; i++) {
		const struct request *r = &cases.items[16 + i].request;
		assert_int_equal(r->major, 1 + i / 3);
		assert_int_equal(r->minor, 7 + i % 3);
		assert_int_equal(r->access, ACC_READ | ACC_WRITE);
		assert_int_equal(r->fact[IN_UID], 5);
	}
	same_text("text", cases.items[21].request.text, "c 2:9 rw uid=5");
	assert_int_equal(cases.items[22].request.access, 0);
}

/* Files of one bad line: what is said about it, and the line as shown. */
static void bad_lines(void **state)
{
	static const struct {
		const char *line;
		size_t n; /* 0: strlen */
		const char *error, *hint, *source;
	} table[] = {
		{"alow c 1:3 rw", 0, "unknown verdict \"alow\"", "did you mean allow?", "alow c 1:3 rw"},
		{"dney\tc 1:3 rw", 0, "unknown verdict \"dney\"", "did you mean deny?", "dney c 1:3 rw"},
		{"Allow c 1:3 rw", 0, "unknown verdict \"Allow\"", "did you mean allow?",
		 "Allow c 1:3 rw"},
		{"c 1:3 rw", 0, "unknown verdict \"c\"", CASE_HINT, "c 1:3 rw"},
		{"permit c 1:3 rw", 0, "unknown verdict \"permit\"", CASE_HINT, "permit c 1:3 rw"},
		{"\033[2J", 0, "unknown verdict \"\\x1b[2J\"", CASE_HINT, "\\x1b[2J"},
		{"allow", 0, "no request",
		 "a request is TYPE MAJOR:MINOR ACCESS, such as c 1:3 rw, then key=value facts", "allow"},
		{"deny # c 1:3 rw", 0, "no request",
		 "a request is TYPE MAJOR:MINOR ACCESS, such as c 1:3 rw, then key=value facts",
		 "deny # c 1:3 rw"},
		{"allow c 1:3", 0, "missing access letters",
		 "write any of r, w and m after the device, or - for none: c 1:3 r", "allow c 1:3"},
		{"deny /dev/null", 0, "missing access letters",
		 "write any of r, w and m after the device, or - for none: /dev/null r", "deny /dev/null"},
		{"allow c 1:3 rwx", 0, "unknown access letter 'x'", "letters are r, w and m",
		 "allow c 1:3 rwx"},
		{"deny c 4096:0 r", 0, "major 4096 is over the limit of 4095",
		 "numbers are decimal, from 0 to 4095", "deny c 4096:0 r"},
		{"deny c 1:3 r udi=0", 0, "unknown fact \"udi\"", "did you mean uid?",
		 "deny c 1:3 r udi=0"},
		{"deny c 1:3 r uid=0 uid=0", 0, "uid is given twice", "give each fact once",
		 "deny c 1:3 r uid=0 uid=0"},
		{"allow /dev/nul rw", 0, "no such file: \"/dev/nul\"", "did you mean \"/dev/null\"?",
		 "allow /dev/nul rw"},
		{"allow c 1:3 r\0w", 15, "NUL byte in the line", "a cases file is text: remove it",
		 "allow c 1:3 r\\x00w"},
		{"# a comment with \0", 18, "NUL byte in the line", "a cases file is text: remove it",
		 "# a comment with \\x00"},
		{"# old\rdeny c 1:3 r", 0, "carriage return within the line", "end lines with a newline",
		 "# old\\x0ddeny c 1:3 r"},
		{"allow c 1:3 r\r", 14, NULL, NULL, NULL},
		{"allow c 1:3 r\r\r", 0, "carriage return within the line", "end lines with a newline",
		 "allow c 1:3 r\\x0d"},
		{"deny b 8:9-3 w", 0, "minor \"9-3\" ends before it begins", "write the smaller number first", "deny b 8:9-3 w"},
		{"deny b 8:1-2-3 w", 0, "minor \"2-3\" is not a decimal number", "numbers are decimal, from 0 to 1048575",
		 "deny b 8:1-2-3 w"},
		{"deny b 8:-3 w", 0, "missing minor", "numbers are decimal, from 0 to 1048575", "deny b 8:-3 w"},
		{"deny b 1-4096:3 w", 0, "major 4096 is over the limit of 4095", "numbers are decimal, from 0 to 4095",
		 "deny b 1-4096:3 w"},
		{"deny b 1-2:3-4 x", 0, "unknown access letter 'x'", "letters are r, w and m", "deny b 1-2:3-4 x"},
		{"deny b 0-4095:0-1048575 w", 0, "more than 100000 cases", "split the file, and name each part with --cases", NULL},
		{"allow c 1:3 r comm=\x01", 0, "unprintable byte \\x01 after \"c 1:3 r comm=\"",
		 "write printable text, in UTF-8", "allow c 1:3 r comm=\\x01"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		size_t n = table[i].n ? table[i].n : strlen(table[i].line);
		for (int newline = 0; newline < 2; newline++) {
			char text[128] = "allow c 1:3 rw\n\n";
			size_t len = strlen(text);
			struct diags d;
			struct cases cases;
			memcpy(text + len, table[i].line, n);
			len += n;
			if (newline)
				text[len++] = '\n';
			int rc = parse(*state, &d, text, len, &cases);
			assert_int_equal(rc, table[i].error ? -1 : 0);
			assert_int_equal(d.n, table[i].error ? 1 : 0);
			if (!table[i].error)
				continue;
			assert_int_equal(d.errors, 1);
			same_text(table[i].line, d.items[0].text, table[i].error);
			same_text(table[i].line, d.items[0].hint, table[i].hint);
			if (table[i].source)
				same_text(table[i].line, d.items[0].source, table[i].source);
			assert_string_equal(d.items[0].at.file, "x.cases");
			assert_int_equal(d.items[0].at.line, 3);
		}
	}
}

static void every_bad_line_is_reported(void **state)
{
	static const char text[] = "bad 1\nallow c 1:3 r\nbad 3\n\n# x\nallow c 1:3\nbad 7";
	static const int lines[] = {1, 3, 6, 7};
	struct diags d;
	struct cases cases;
	assert_int_equal(parse(*state, &d, text, sizeof text - 1, &cases), -1);
	assert_int_equal(d.n, COUNT(lines));
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(d.items[i].at.line, lines[i]);
}

static void no_cases(void **state)
{
	static const char *const texts[] = {"", "\n", "\n\n\r\n", "# allow c 1:3 r", "  \t  "};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct diags d;
		struct cases cases;
		assert_int_equal(parse(*state, &d, texts[i], strlen(texts[i]), &cases), -1);
		assert_int_equal(d.n, 1);
		same_text(texts[i], d.items[0].text, "no cases");
		same_text(texts[i], d.items[0].hint, CASE_HINT);
		assert_string_equal(d.items[0].at.file, "x.cases");
		assert_int_equal(d.items[0].at.line, 0);
	}
	/* bad lines alone are not reported twice */
	struct diags d;
	struct cases cases;
	assert_int_equal(parse(*state, &d, "nonsense", 8, &cases), -1);
	assert_int_equal(d.n, 1);
}

/* Errors that were there before do not fail a good file. */
static void other_errors_are_not_ours(void **state)
{
	struct diags d;
	struct cases cases;
	diags_init(&d, *state);
	diag_fail(&d, NULL, "something else");
	assert_int_equal(cases_parse(&d, NULL, "allow c 1:3 r", 13, &cases), 0);
	assert_int_equal(cases.n, 1);
	assert_null(cases.items[0].at.file);
	assert_int_equal(cases_parse(&d, "y", NULL, 0, &cases), -1);
	assert_int_equal(d.errors, 2);
}

static void long_lines_and_files(void **state)
{
	enum { LINES = 20000, PAD = 100000 };
	char *text = arena_alloc(*state, LINES * 24 + 2 * PAD + 64), *at = text;
	struct diags d;
	struct cases cases;
	for (int i = 0; i < LINES; i++)
		at += sprintf(at, "%s c 1:%d rw\n", i % 3 ? "allow" : "deny", i);
	at += sprintf(at, "allow%*s c 7:7 r #%*s\n", PAD, "", PAD, "x");
	assert_int_equal(parse(*state, &d, text, (size_t)(at - text), &cases), 0);
	assert_int_equal(cases.n, LINES + 1);
	for (int i = 0; i < LINES; i++) {
		assert_int_equal(cases.items[i].allow, i % 3 != 0);
		assert_int_equal(cases.items[i].request.minor, i);
		assert_int_equal(cases.items[i].at.line, i + 1);
	}
	same_text("folded", cases.items[LINES].request.text, "c 7:7 r");

	/* a long bad line is reported in short */
	memset(text, 'y', PAD);
	assert_int_equal(parse(*state, &d, text, PAD, &cases), -1);
	assert_int_equal(d.n, 1);
	assert_true(strlen(d.items[0].text) < 100);
	assert_true(strlen(d.items[0].source) < 200);
}

/* A long file of anything: some errors and their end; cases up to a number. */
static void files_without_end(void **state)
{
	enum { LINES = 100002, LINE = 13 };
	struct diags d;
	struct cases cases;
	char *text = arena_alloc(*state, LINES * LINE);
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + i * LINE, "alow c 1:300\n", LINE);
	assert_int_equal(parse(*state, &d, text, LINES * LINE, &cases), -1);
	assert_int_equal(d.n, 101);
	assert_string_equal(d.items[100].text, "100 errors: the rest of the file is not read");
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + i * LINE, i == 100000 ? "# a comment.\n" : "deny c 1:3 -\n", LINE);
	assert_int_equal(parse(*state, &d, text, (LINES - 1) * LINE, &cases), 0);
	assert_int_equal(cases.n, 100000);
	assert_int_equal(parse(*state, &d, text, LINES * LINE, &cases), -1);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.items[0].at.line, 100002);
	assert_string_equal(d.items[0].text, "more than 100000 cases");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(good_file), ARENA_TEST(ranges), ARENA_TEST(bad_lines), ARENA_TEST(every_bad_line_is_reported),
		ARENA_TEST(no_cases), ARENA_TEST(other_errors_are_not_ours),
		ARENA_TEST(long_lines_and_files), ARENA_TEST(files_without_end),
	};
	return cmocka_run_group_tests_name("cases", tests, NULL, NULL);
}
