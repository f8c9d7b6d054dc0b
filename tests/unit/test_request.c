/* test_request.c - policy/request.c: requests, facts, and the inputs' names and
 * ranges. */
#include "policy/asked.h"
#include "tests/unit/fixture.h"
#include "policy/comm.h"
#include "policy/comm_words.h"
#include "policy/device.h"
#include "policy/host.h"
#include "policy/request.h"
#include "tests/unit/policy_files.h"

#include <sys/stat.h>

#define FORM " (a request is TYPE MAJOR:MINOR ACCESS, such as c 1:3 rw, then key=value facts)"
#define MAJORS " (numbers are decimal, from 0 to 4095)"
#define MINORS " (numbers are decimal, from 0 to 1048575)"
#define LETTERS " (letters are r, w and m)"
#define NO_LETTERS " (write any of r, w and m after the device, or - for none: "
#define FACTS " (facts are uid, gid, pid, tid, cgroup_id, uptime, comm, euid, egid, fsuid, login_uid, session, host_user_ns, host_pid_ns, kernel_thread, ppid, exe, parent_exe, groups, caps and cgroup)"
#define KNOWN(in) (1u << (in))
#define COMM (KNOWN(IN_COMM_0) | KNOWN(IN_COMM_1))

static void parsed(struct arena *a, const char *text, struct request *r)
{
	const char *error = "not set", *hint;
	if (request_parse(a, &host_here, text, r, &error, &hint))
		fail_msg("%s: %s", text, error);
	assert_null(error);
}

static void refused(struct arena *a, const char *text, const char *want)
{
	struct request r = {.type = 77};
	const char *error = NULL, *hint = NULL;
	int unread = request_parse(a, &host_here, text, &r, &error, &hint);
	if (!unread)
		fail_msg("%s is accepted", text);
	/* the host's answer, not the request, is at fault where there is no such device */
	bool unknown = !strncmp(text, "/dev/nul ", 9) || !strncmp(text, "/dev ", 5);
	if (unknown != (unread == REQUEST_UNKNOWN))
		fail_msg("%s: %d", text, unread);
	assert_int_equal(r.type, 77);
	same_text(text, hint ? arena_printf(a, "%s (%s)", error, hint) : error, want);
}

/* ---- requests ------------------------------------------------------------------ */

static void devices(void **state)
{
	static const struct {
		const char *text, *folded;
		int type, major, minor, access;
	} table[] = {
		{"c 1:3 rw", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
		{"c 1:3 wr", "c 1:3 wr", DEV_CHAR, 1, 3, 6},
		{"b 8:0 r", "b 8:0 r", DEV_BLOCK, 8, 0, 2},
		{"b 8:0 w", "b 8:0 w", DEV_BLOCK, 8, 0, 4},
		{"b 8:0 m", "b 8:0 m", DEV_BLOCK, 8, 0, 1},
		{"b 8:0 mrw", "b 8:0 mrw", DEV_BLOCK, 8, 0, 7},
		{"c 5:2 -", "c 5:2 -", DEV_CHAR, 5, 2, 0},
		{"c 0:0 r", "c 0:0 r", DEV_CHAR, 0, 0, 2},
		{"c 4095:1048575 r", "c 4095:1048575 r", DEV_CHAR, 4095, 1048575, 2},
		/* white space is folded, comments are cut */
		{"  c\t 1:3   rw  ", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
		{"c 1:3 rw # uid=1", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
		{"c 1:3 rw #", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
		{"c 1:3 rw\n", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
		{"c 1:3 rw\r\n", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
		{"c 1:3 rw # caf\xe9\n", "c 1:3 rw", DEV_CHAR, 1, 3, 6},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct request r;
		parsed(*state, table[i].text, &r);
		same_text(table[i].text, r.text, table[i].folded);
		assert_int_equal(r.type, table[i].type);
		assert_int_equal(r.major, table[i].major);
		assert_int_equal(r.minor, table[i].minor);
		assert_int_equal(r.access, table[i].access);
		assert_int_equal(r.known, 0);
		for (int in = 0; in < INPUT_MAX; in++)
			assert_int_equal(r.fact[in], 0);
	}
}

static void facts(void **state)
{
	static const struct {
		const char *text;
		enum input in;
		int64_t value;
	} table[] = {
		{"c 1:3 rw uid=0", IN_UID, 0},
		{"c 1:3 rw uid=4294967295", IN_UID, 4294967295},
		{"c 1:3 rw gid=1000", IN_GID, 1000},
		{"c 1:3 rw pid=0", IN_PID, 0},
		{"c 1:3 rw pid=4194304", IN_PID, 4194304},
		{"c 1:3 rw tid=17", IN_TID, 17},
		{"c 1:3 rw cgroup_id=9223372036854775807", IN_CGROUP_ID, INT64_MAX},
		{"c 1:3 rw uptime=18446744073", IN_UPTIME, 18446744073},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct request r;
		parsed(*state, table[i].text, &r);
		assert_int_equal(r.known, KNOWN(table[i].in));
		assert_true(r.fact[table[i].in] == table[i].value);
	}
	struct request r;
	parsed(*state, " c 1:3 rw  uptime=5 comm='a  b'\tuid=1 # x", &r);
	same_text("order is free", r.text, "c 1:3 rw uptime=5 comm='a  b' uid=1");
	assert_int_equal(r.known, KNOWN(IN_UPTIME) | COMM | KNOWN(IN_UID));
	parsed(*state, "c 1:3 - uid=1 gid=2 pid=3 tid=4 comm=x cgroup_id=5 uptime=6", &r);
	assert_int_equal(r.known, KNOWN(IN_UID) | KNOWN(IN_GID) | KNOWN(IN_PID) | KNOWN(IN_TID) | COMM |
	                          KNOWN(IN_CGROUP_ID) | KNOWN(IN_UPTIME));
	for (int in = IN_UID; in <= IN_UPTIME; in++)
		assert_int_equal(r.fact[in], in - IN_UID + 1);
}

static void comm(void **state)
{
	static const struct {
		const char *text, *bytes; /* bytes: 16, NUL padded by the array */
		const char *folded;
	} table[] = {
		{"comm=qemu", "qemu", "comm=qemu"},
		{"comm=x", "x", "comm=x"},
		{"comm=exactly8", "exactly8", "comm=exactly8"},
		{"comm=exactly-9", "exactly-9", "comm=exactly-9"},
		{"comm=fifteen-bytes-x", "fifteen-bytes-x", "comm=fifteen-bytes-x"},
		{"comm=\"a b\"", "a b", "comm=\"a b\""},
		{"comm='a b'", "a b", "comm='a b'"},
		{"comm='a  b '", "a  b ", "comm='a  b '"},
		{"comm='say \"x\"'", "say \"x\"", "comm='say \"x\"'"},
		{"comm=\"it's\"", "it's", "comm=\"it's\""},
		{"comm=\"\"", "", "comm=\"\""},
		{"comm='a\\'", "a\\", "comm='a\\'"}, /* nothing is escaped */
		{"comm='a # b' # c", "a # b", "comm='a # b'"},
		{"comm=a#b", "a#b", "comm=a#b"},
		{"comm=a\"b", "a\"b", "comm=a\"b"},
		{"comm=k=v", "k=v", "comm=k=v"},
		{"comm=kworker/0:1", "kworker/0:1", "comm=kworker/0:1"},
		{"comm=caf\xc3\xa9", "caf\xc3\xa9", "comm=caf\xc3\xa9"},
		{"comm=$'it\\'s \"x\" #' # c", "it's \"x\" #", "comm=$'it\\'s \"x\" #'"},
		{"comm=$'\\x01\\xfF\\x0a\\\\'", "\x01\xff\n\\", "comm=$'\\x01\\xfF\\x0a\\\\'"},
		{"comm=$''", "", "comm=$''"},
		{"comm=$", "$", "comm=$"},
		{"comm=$x'y", "$x'y", "comm=$x'y"},
		{"comm=\"$'a\"", "$'a", "comm=\"$'a\""},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct request r;
		unsigned char want[COMM_SIZE] = {0}, got[COMM_SIZE];
		memcpy(want, table[i].bytes, strlen(table[i].bytes));
		parsed(*state, arena_printf(*state, "c 1:3 r %s", table[i].text), &r);
		assert_int_equal(r.known, COMM);
		for (int j = 0; j < COMM_SIZE; j++)
			got[j] = (unsigned char)((uint64_t)r.fact[IN_COMM_0 + j / 8] >> 8 * (j % 8));
		assert_memory_equal(got, want, COMM_SIZE);
		same_text("text", r.text, arena_printf(*state, "c 1:3 r %s", table[i].folded));
	}
	struct request r;
	parsed(*state, "c 1:3 r comm=A", &r);
	assert_int_equal(r.fact[IN_COMM_0], 0x41);
	parsed(*state, "c 1:3 r comm=aaaaaaa\xc3\xbf", &r);
	assert_true(r.fact[IN_COMM_0] == (int64_t)0xc361616161616161);
	assert_int_equal(r.fact[IN_COMM_1], 0xbf);
}

/* What is written of a name is read as that name, whatever its bytes are. */
static void written(void **state)
{
	static const struct { const char *bytes, *text; } table[] = {
		{"qemu", "qemu"}, {"", "\"\""}, {"a b", "\"a b\""}, {"a#b", "\"a#b\""}, {"it's", "\"it's\""}, {"say \"x\"", "'say \"x\"'"},
		{"it's \"x\"", "$'it\\x27s \"x\"'"}, {"\x01\n", "$'\\x01\\x0A'"}, {"a\tb", "$'a\\x09b'"}, {"\xff", "$'\\xFF'"},
		{"caf\xc3\xa9", "caf\xc3\xa9"}, {"\xe2\x80\xae", "$'\\xE2\\x80\\xAE'"}, {"\x7f", "$'\\x7F'"}, {"\\x41", "\\x41"}, {"$'a", "\"$'a\""},
	};
	struct rng g = {20261129};
	for (size_t i = 0; i < 3000; i++) {
		char name[COMM_SIZE] = "";
		int64_t half[2];
		struct request r;
		for (size_t k = 0, n = below(&g, COMM_SIZE); i >= COUNT(table) && k < n; k++)
			name[k] = below(&g, 2) ? "'\"\\ #$x="[below(&g, 8)] : (char)(1 + below(&g, 255));
		if (i < COUNT(table))
			memcpy(name, table[i].bytes, strlen(table[i].bytes));
		memcpy(half, name, sizeof half);
		assert_true(comm_is_name(half));
		const char *text = comm_fact(*state, half);
		if (i < COUNT(table))
			same_text("written", text, table[i].text);
		parsed(*state, arena_printf(*state, "c 1:3 r comm=%s uid=7", text), &r);
		assert_memory_equal(&r.fact[IN_COMM_0], half, sizeof half);
		assert_int_equal(r.fact[IN_UID], 7);
	}
	assert_false(comm_is_name((const int64_t[]){0, 1}));
	assert_false(comm_is_name((const int64_t[]){0x6100, 0}));
	assert_false(comm_is_name((const int64_t[]){-1, -1}));
}

static void paths(void **state)
{
	static const struct {
		const char *text, *folded;
		int minor, access;
	} table[] = {
		{"/dev/null rw", "/dev/null rw", 3, 6},
		{"/dev/null rwm", "/dev/null rwm", 3, 7},
		{"/dev/null wr uid=5", "/dev/null wr uid=5", 3, 6},
		{"/dev/null  -", "/dev/null -", 3, 0},
		{"/dev/zero m # x", "/dev/zero m", 5, 1},
		{"/dev/zero rw # x", "/dev/zero rw", 5, 6},
		{"/dev/full r uid=5", "/dev/full r uid=5", 7, 2},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct request r;
		parsed(*state, table[i].text, &r);
		same_text(table[i].text, r.text, table[i].folded);
		assert_int_equal(r.type, DEV_CHAR);
		assert_int_equal(r.major, 1);
		assert_int_equal(r.minor, table[i].minor);
		assert_int_equal(r.access, table[i].access);
		assert_int_equal(r.known, strstr(table[i].text, "uid") ? KNOWN(IN_UID) : 0);
	}
}

/* What is said of the calling task, and written again. */
static void task_facts(void **state)
{
	static const char *const same[] = {
		"c 1:3 r euid=0 egid=1 fsuid=2 login_uid=1000 session=3 host_user_ns=yes host_pid_ns=no kernel_thread=no ppid=4 exe=/usr/bin/x parent_exe=-",
		"c 1:3 r login_uid=none session=none groups=none caps=none cgroup=/",
		"c 1:3 r exe=\"/opt/a b/x\" groups=0,44,4294967295 caps=all cgroup=\"/a b/c\"",
		"c 1:3 r caps=chown,sys_rawio,checkpoint_restore cgroup=/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
		"c 1:3 r kernel_thread=yes exe=-",
	};
	struct request r;
	for (size_t i = 0; i < COUNT(same); i++) {
		parsed(*state, same[i], &r);
		same_text("written", request_words(*state, &r), same[i]);
	}
	parsed(*state, "c 1:3 r exe='/usr/bin/x' caps=sys_admin,chown", &r);
	same_text("in order", request_words(*state, &r), "c 1:3 r exe=/usr/bin/x caps=chown,sys_admin");
	assert_true(r.fact[IN_EXE] == path_value("/usr/bin/x", 10));
}

/* Questions answered by a request. */
static void task_answers(void **state)
{
	struct asked as = {.arena = *state};
	struct request r;
	assert_int_equal(asked_ask(&as, ASK_GROUP, 44, NULL, (struct span){0}), 0);
	assert_int_equal(asked_ask(&as, ASK_CAPABLE, 17, "sys_rawio", (struct span){0}), 1);
	assert_int_equal(asked_ask(&as, ASK_UNDER, path_value("/a/b", 4), "/a/b", (struct span){0}), 2);
	assert_int_equal(asked_ask(&as, ASK_GROUP, 44, "video", (struct span){0}), 0);
	static const struct { const char *text; int answers[3]; } table[] = { /* -1: not known */
		{"c 1:3 r", {-1, -1, -1}},
		{"c 1:3 r groups=none caps=none cgroup=/a", {0, 0, 0}},
		{"c 1:3 r groups=3,44 caps=all cgroup=/a/b", {1, 1, 1}},
		{"c 1:3 r groups=4 caps=sys_admin cgroup=/a/bc", {0, 0, 0}},
		{"c 1:3 r caps=all host_user_ns=no cgroup=/a/b/c", {-1, 0, 1}},
		{"c 1:3 r host_user_ns=no", {-1, 0, -1}},
		{"c 1:3 r host_user_ns=yes cgroup=/", {-1, -1, 0}},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		parsed(*state, table[i].text, &r);
		asked_answer(&as, &r);
		for (int k = 0; k < 3; k++)
			if ((r.known & KNOWN(IN_ASK_0 + k) ? (int)r.fact[IN_ASK_0 + k] : -1) != table[i].answers[k])
				fail_msg("%s: question %d", table[i].text, k);
	}
}

static void refused_requests(void **state)
{
	static const struct {
		const char *text, *error;
	} table[] = {
		{"", "no request" FORM},
		{"  \t", "no request" FORM},
		{"# c 1:3 rw", "no request" FORM},
		/* the type */
		{"a 1:3 r", "a request is about one device, not any type (types are c (character) and b "
		            "(block); a is for rules)"},
		{"char 1:3 r", "unknown device type \"char\" (types are c (character) and b (block))"},
		{"C 1:3 r", "unknown device type \"C\" (types are c (character) and b (block))"},
		{"c1:3 rw", "missing space after the device type in \"c1:3\" (write \"c 1:3\")"},
		{"1:3 rw", "missing device type before \"1:3\" (write \"c 1:3\" or \"b 1:3\")"},
		{"dev/null r", "path \"dev/null\" does not start with '/' (a device path is absolute: "
		               "\"/dev/null\")"},
		{"rw", "\"rw\" is not a device type" FORM},
		{"allow c 1:3 rw", "\"allow\" is not a device type" FORM},
		/* the numbers */
		{"c", "missing major:minor after 'c'" FORM},
		{"c 1 r", "missing ':' in \"1\"" FORM},
		{"c rw", "missing ':' in \"rw\"" FORM},
		{"c :3 r", "missing major" MAJORS},
		{"c 1: r", "missing minor" MINORS},
		{"c *:3 r", "a request is about one device, not \"*:3\" ('*' is for rules; write numbers, "
		            "such as 1:3)"},
		{"c 1:0-3 r", "minor \"0-3\" is not a decimal number" MINORS},
		{"c 1:3,4 r", "minor \"3,4\" is not a decimal number" MINORS},
		{"c 0x1:3 r", "major \"0x1\" is not a decimal number" MAJORS},
		{"c -1:3 r", "major \"-1\" has a sign" MAJORS},
		{"c 1:+3 r", "minor \"+3\" has a sign" MINORS},
		{"c 010:3 r", "major \"010\" is ambiguous: it has a leading zero (numbers are decimal: "
		              "write 10, or 8 if octal was meant)"},
		{"c 4096:0 r", "major 4096 is over the limit of 4095" MAJORS},
		{"c 0:1048576 r", "minor 1048576 is over the limit of 1048575" MINORS},
		{"c 99999999999999999999999:0 r",
		 "major 99999999999999999999999 is over the limit of 4095" MAJORS},
		{"c 1:3rw", "missing space before the access letters \"rw\" (write \"c 1:3 rw\")"},
		/* the access */
		{"c 1:3", "missing access letters" NO_LETTERS "c 1:3 r)"},
		{"c 1:3 # rw", "missing access letters" NO_LETTERS "c 1:3 r)"},
		{"c 1:3 uid=5", "missing access letters" NO_LETTERS "c 1:3 r)"},
		{"b 8:0 comm=\"rw\"", "missing access letters" NO_LETTERS "b 8:0 r)"},
		{"/dev/null", "missing access letters" NO_LETTERS "/dev/null r)"},
		{"/dev/null uid=5", "missing access letters" NO_LETTERS "/dev/null r)"},
		{"c 1:3 x", "unknown access letter 'x'" LETTERS},
		{"c 1:3 rwx", "unknown access letter 'x'" LETTERS},
		{"c 1:3 R", "unknown access letter 'R'" LETTERS},
		{"c 1:3 r-", "unknown access letter '-'" LETTERS},
		{"c 1:3 -r", "unknown access letter '-'" LETTERS},
		{"c 1:3 --", "unknown access letter '-'" LETTERS},
		{"c 1:3 rr", "access letter 'r' is written twice (write each letter once)"},
		{"/dev/null x", "unknown access letter 'x'" LETTERS},
		{"/dev/null rx uid=1", "unknown access letter 'x'" LETTERS},
		/* names are for rules */
		{"null rw", "\"null\" is not a device type (a request has numbers, or a path: write \"c 1:3 rw\")"},
		{":tty r uid=0", "\":tty\" is not a device type (a request has numbers, or a path: write \"c 5:0 r uid=0\")"},
		{"zero", "\"zero\" is not a device type (a request has numbers, or a path: write \"c 1:5 r\")"},
		{":tty uid=0", "\":tty\" is not a device type (a request has numbers, or a path: write \"c 5:0 r uid=0\")"},
		{"sd r", "\"sd\" is not a device type (a request has numbers, or a path: `rucy-devguard devices sd` tells them)"},
		{"fus r", "\"fus\" is not a device type" FORM},
		/* paths */
		{"/dev/nul rw", "no such file: \"/dev/nul\" (did you mean \"/dev/null\"?)"},
		{"/dev rw", "\"/dev\" is a directory, not a device (name the devices in it, or their "
		            "group, such as \"char-pts\")"},
		/* facts */
		{"c 1:3 r w", "\"w\" is not a fact (after the access come facts, written key=value, such "
		              "as uid=1000)"},
		{"c 1:3 r uid", "\"uid\" is not a fact (after the access come facts, written key=value, "
		                "such as uid=1000)"},
		{"c 1:3 r udi=5", "unknown fact \"udi\" (did you mean uid?)"},
		{"c 1:3 r com=x", "unknown fact \"com\" (did you mean comm?)"},
		{"c 1:3 r cgroupid=5", "unknown fact \"cgroupid\" (did you mean cgroup_id?)"},
		{"c 1:3 r UID=5", "unknown fact \"UID\"" FACTS},
		/* the calling task */
		{"c 1:3 r exe=x", "\"x\" of exe is no path: it is not absolute (write exe=/usr/bin/x, or exe=- for a file that no rule names)"},
		{"c 1:3 r exe=/usr//x", "\"/usr//x\" of exe is no path: it has two slashes in a row (write exe=/usr/bin/x, or exe=- for a file that no rule names)"},
		{"c 1:3 r exe=/usr/../x", "\"/usr/../x\" of exe is no path: it has a part that is . or .. (write exe=/usr/bin/x, or exe=- for a file that no rule names)"},
		{"c 1:3 r login_uid=-1", "login_uid \"-1\" has a sign (write login_uid=1000, or login_uid=none where it is not set)"},
		{"c 1:3 r host_user_ns=1", "\"1\" is neither yes nor no (write host_user_ns=yes or host_user_ns=no)"},
		{"c 1:3 r groups=", "nothing stands behind groups= (write groups=none where there is none)"},
		{"c 1:3 r groups=4,", "\"4,\" ends with a comma (leave out the last comma)"},
		{"c 1:3 r groups=4 groups=5", "groups is given twice (give each fact once)"},
		{"c 1:3 r caps=CAP_CHOWN", "unknown capability \"CAP_CHOWN\" (did you mean chown?)"},
		{"c 1:3 r caps=chown,", "\"chown,\" ends with a comma (leave out the last comma)"},
		{"c 1:3 r cgroup=a", "\"a\" is no cgroup: it is not absolute (write the path in the cgroup v2 hierarchy: cgroup=/system.slice/x.service)"},
		{"c 1:3 r cgroup=/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "\"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17\" is no cgroup: it is too deep (write the path in the cgroup v2 hierarchy: cgroup=/system.slice/x.service)"},
		{"c 1:3 r kernel_thread=yes exe=/usr/bin/x", "kernel_thread=yes has no executable (a thread of the kernel runs no file: leave out exe=, or write exe=-)"},
		{"c 1:3 r host_user_ns=no kernel_thread=yes", "kernel_thread=yes is in no namespace of its own (the threads of the kernel are in the host's namespaces)"},
		{"c 1:3 r major=5", "unknown fact \"major\"" FACTS},
		{"c 1:3 r gpu_count=5", "unknown fact \"gpu_count\"" FACTS},
		{"c 1:3 r =5", "unknown fact \"\"" FACTS},
		{"c 1:3 r uid=", "missing uid (numbers are decimal, from 0 to 4294967295)"},
		{"c 1:3 r uid=-1", "uid \"-1\" has a sign (numbers are decimal, from 0 to 4294967295)"},
		{"c 1:3 r login_uid=unset", "login_uid \"unset\" is not a decimal number (write login_uid=1000, or login_uid=none where it is not set)"},
		{"c 1:3 r session=4294967295", "session 4294967295 is over the limit of 4294967294 (write session=1000, or session=none where it is not set)"},
		{"c 1:3 r session=-", "session \"-\" has a sign (write session=1000, or session=none where it is not set)"},
		{"c 1:3 r groups=-", "group \"-\" has a sign (groups are numbers in a request, as in groups=44,105; write groups=none where there is none)"},
		{"c 1:3 r groups=4,video", "group \"video\" is not a decimal number (groups are numbers in a request, as in groups=44,105; write groups=none where there is none)"},
		{"c 1:3 r groups=4294967296", "group 4294967296 is over the limit of 4294967295 (numbers are decimal, from 0 to 4294967295)"},
		{"c 1:3 r caps=-", "unknown capability \"-\" (they are written as in caps=sys_admin,sys_rawio, or caps=none)"},
		{"c 1:3 r uid=root",
		 "uid \"root\" is not a decimal number (numbers are decimal, from 0 to 4294967295)"},
		{"c 1:3 r uid=\"5\"",
		 "uid \"\"5\"\" is not a decimal number (numbers are decimal, from 0 to 4294967295)"},
		{"c 1:3 r uid=01000", "uid \"01000\" is ambiguous: it has a leading zero (numbers are "
		                      "decimal: write 1000, or 512 if octal was meant)"},
		{"c 1:3 r uid=4294967296", "uid 4294967296 is over the limit of 4294967295 (numbers are "
		                           "decimal, from 0 to 4294967295)"},
		{"c 1:3 r gid=4294967296", "gid 4294967296 is over the limit of 4294967295 (numbers are "
		                           "decimal, from 0 to 4294967295)"},
		{"c 1:3 r pid=4194305",
		 "pid 4194305 is over the limit of 4194304 (numbers are decimal, from 0 to 4194304)"},
		{"c 1:3 r tid=4194305",
		 "tid 4194305 is over the limit of 4194304 (numbers are decimal, from 0 to 4194304)"},
		{"c 1:3 r cgroup_id=9223372036854775808",
		 "cgroup_id 9223372036854775808 is over the limit of 9223372036854775807 (numbers are "
		 "decimal, from 0 to 9223372036854775807)"},
		{"c 1:3 r cgroup_id=18446744073709551616",
		 "cgroup_id 18446744073709551616 is over the limit of 9223372036854775807 (numbers are "
		 "decimal, from 0 to 9223372036854775807)"},
		{"c 1:3 r uptime=18446744074", "uptime 18446744074 is over the limit of 18446744073 "
		                               "(numbers are decimal, from 0 to 18446744073)"},
		{"c 1:3 r uptime=1.5", "uptime \"1.5\" is not a decimal number (numbers are decimal, from "
		                       "0 to 18446744073)"},
		{"c 1:3 r uid=1 gid=2 uid=1", "uid is given twice (give each fact once)"},
		{"c 1:3 r comm=a comm=a", "comm is given twice (give each fact once)"},
		/* comm */
		{"c 1:3 r comm=", "missing comm (an empty name is comm=\"\")"},
		{"c 1:3 r comm= uid=1", "missing comm (an empty name is comm=\"\")"},
		{"c 1:3 r comm=$'a", "comm has no closing ' (quotes come in pairs; nothing is escaped in them, but in $'...')"},
		{"c 1:3 r comm=$'a\\'", "comm has no closing ' (quotes come in pairs; nothing is escaped in them, but in $'...')"},
		{"c 1:3 r comm=$'a\\n'", "comm has a backslash before \"n\" (in $'...' write \\xHH for a byte (not 00), \\\\ and \\')"},
		{"c 1:3 r comm=$'\\x00'", "comm has a backslash before \"x\" (in $'...' write \\xHH for a byte (not 00), \\\\ and \\')"},
		{"c 1:3 r comm=$'\\x1'", "comm has a backslash before \"x\" (in $'...' write \\xHH for a byte (not 00), \\\\ and \\')"},
		{"c 1:3 r comm=$'a'b", "text after the closing ' of comm (quote the whole name: comm=\"a b\" or comm='a b')"},
		{"c 1:3 r comm=sixteen-bytes-xx", "comm \"sixteen-bytes-xx\" has 16 bytes, over the limit "
		                                  "of 15 (the kernel keeps the first 15 bytes: "
		                                  "\"sixteen-bytes-x\")"},
		{"c 1:3 r comm='sixteen bytes xx'", "comm \"sixteen bytes xx\" has 16 bytes, over the "
		                                    "limit of 15 (the kernel keeps the first 15 bytes: "
		                                    "\"sixteen bytes x\")"},
		{"c 1:3 r comm=a b", "\"b\" is not a fact (after the access come facts, written "
		                     "key=value, such as uid=1000)"},
		{"c 1:3 r comm=\"a b", "comm has no closing \" (quotes come in pairs; nothing is escaped "
		                       "in them, but in $'...')"},
		{"c 1:3 r comm=\"", "comm has no closing \" (quotes come in pairs; nothing is escaped in "
		                    "them, but in $'...')"},
		{"c 1:3 r comm='a b\" uid=1", "comm has no closing ' (quotes come in pairs; nothing is "
		                              "escaped in them, but in $'...')"},
		{"c 1:3 r comm='a'b", "text after the closing ' of comm (quote the whole name: comm=\"a "
		                      "b\" or comm='a b')"},
		/* bytes */
		{"c 1:3 r\ndeny", "unprintable byte \\x0a after \"c 1:3 r\" (write printable text, in "
		                  "UTF-8)"},
		{"c 1:3 r # x\nuid=5", "unprintable byte \\x0a after \"c 1:3 r \" (write printable text, "
		                       "in UTF-8)"},
		{"c 1:3 r comm=\033[1m", "unprintable byte \\x1b after \"c 1:3 r comm=\" (write printable "
		                         "text, in UTF-8)"},
		{"c 1:3 r comm='a\tb'", "unprintable byte \\x09 after \"c 1:3 r comm='a\" (write a space "
		                        "instead of the tab)"},
		{"c 1:3 r comm=\xff", "unprintable byte \\xff after \"c 1:3 r comm=\" (write printable "
		                      "text, in UTF-8)"},
	};
	for (size_t i = 0; i < COUNT(table); i++)
		refused(*state, table[i].text, table[i].error);
}

/* ---- single facts ---------------------------------------------------------------- */

static void single_facts(void **state)
{
	struct request r = {.type = DEV_CHAR, .text = "kept"};
	const char *error = "not set";
	assert_int_equal(request_fact(*state, "uid=1000", &r, &error), 0);
	assert_null(error);
	assert_int_equal(request_fact(*state, "comm=\"a b\"", &r, &error), 0);
	assert_int_equal(r.fact[IN_UID], 1000);
	assert_int_equal(r.known, KNOWN(IN_UID) | COMM);
	assert_string_equal(r.text, "kept");

	static const struct {
		const char *text, *error;
	} table[] = {
		{"uid=5", "uid is given twice (give each fact once)"},
		{"comm=x", "comm is given twice (give each fact once)"},
		{"", "\"\" is not a fact (after the access come facts, written key=value, such as "
		     "uid=1000)"},
		{"gid", "\"gid\" is not a fact (after the access come facts, written key=value, such as "
		        "uid=1000)"},
		{"gid=1 pid=2", "\"gid=1 pid=2\" is more than one fact (quote a name with spaces: "
		                "comm=\"a b\")"},
		{"gid=1 ", "\"gid=1 \" is more than one fact (quote a name with spaces: comm=\"a b\")"},
		{"gdi=1", "unknown fact \"gdi\" (did you mean gid?)"},
		{"gid=x", "gid \"x\" is not a decimal number (numbers are decimal, from 0 to "
		          "4294967295)"},
		{"gid=1\n", "unprintable byte \\x0a after \"gid=1\" (write printable text, in UTF-8)"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_int_equal(request_fact(*state, table[i].text, &r, &error), -1);
		same_text(table[i].text, error, table[i].error);
	}
	assert_int_equal(r.known, KNOWN(IN_UID) | COMM);
	assert_int_equal(r.fact[IN_GID], 0);
}

/* ---- inputs ---------------------------------------------------------------------- */

static void inputs(void **state)
{
	(void)state;
	static const struct {
		enum input in;
		const char *name;
		int64_t lo, hi;
	} table[] = {
		{IN_TYPE, "type", 1, 2},
		{IN_REQUESTED, "requested", 0, 7},
		{IN_ACCESS, "access", 0, 4},
		{IN_MAJOR, "major", 0, 4095},
		{IN_MINOR, "minor", 0, 1048575},
		{IN_UID, "uid", 0, 4294967295},
		{IN_GID, "gid", 0, 4294967295},
		{IN_PID, "pid", 0, 4194304},
		{IN_TID, "tid", 0, 4194304},
		{IN_CGROUP_ID, "cgroup_id", 0, INT64_MAX},
		{IN_UPTIME, "uptime", 0, 18446744073},
		{IN_COMM_0, "comm", INT64_MIN, INT64_MAX},
		{IN_COMM_1, "comm", INT64_MIN, INT64_MAX},
		{IN_PARAM_0, "param", INT64_MIN, INT64_MAX},
		{INPUT_MAX - 1, "param", INT64_MIN, INT64_MAX},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t lo = 1, hi = 0;
		input_range(table[i].in, &lo, &hi);
		assert_true(lo == table[i].lo);
		assert_true(hi == table[i].hi);
		assert_string_equal(input_name(table[i].in), table[i].name);
	}
}

static void access_texts(void **state)
{
	(void)state;
	static const char *const want[] = {"-", "m", "r", "rm", "w", "wm", "rw", "rwm"};
	for (int set = 0; set < 8; set++) {
		char buf[4];
		assert_ptr_equal(access_text(set, buf), buf);
		assert_string_equal(buf, want[set]);
		assert_int_equal(access_parse(buf), set ? set : -1);
	}
}

/* ---- hostile texts and speed ------------------------------------------------------- */

/* Random texts never crash, and what is accepted parses again to the same. */
static void random_texts(void **state)
{
	static const char *const bits[] = {
		"c", "b", " ", "1:3", "rw", "-", "uid=", "5", "comm=", "\"", "'", "#", "=", "\t", "\n",
		"/dev/null", "gid=7", "x", ":", "*", "\x01", "\xff", " c 1:3 r ", "comm='a b'",
	};
	size_t accepted = 0;
	srand(3);
	for (int round = 0; round < 50000; round++) {
		char text[256] = "";
		const char *error, *hint;
		struct request r, again;
		if (rand() % 2)
			strcpy(text, "c 1:3 r ");
		for (int i = rand() % 8; i-- > 0;)
			strcat(text, bits[(size_t)rand() % COUNT(bits)]);
		if (request_parse(*state, &host_here, text, &r, &error, &hint)) {
			assert_non_null(error);
			for (const char *s = error; *s; s++)
				assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);
			continue;
		}
		accepted++;
		parsed(*state, r.text, &again);
		same_text("folded twice", again.text, r.text);
		assert_int_equal(again.known, r.known);
		assert_int_equal(again.access, r.access);
		assert_memory_equal(again.fact, r.fact, sizeof r.fact);
	}
	assert_true(accepted > 1000);
}

/* A megabyte of spaces, of digits, of a name: no limit but the error's length. */
static void long_texts(void **state)
{
	enum { N = 1 << 20 };
	char *text = arena_alloc(*state, N + 64);
	struct request r;
	const char *error, *hint;
	memset(text, ' ', N);
	strcpy(text + N, "c 1:3 r");
	parsed(*state, text, &r);
	assert_string_equal(r.text, "c 1:3 r");
	memcpy(text, "c ", 2);
	memset(text + 2, '7', N - 2);
	strcpy(text + N, ":1 r");
	assert_true(request_parse(*state, &host_here, text, &r, &error, &hint));
	assert_true(strlen(error) < 200);
}

/* `eval -` reads requests by the hundred thousand: one allocation each, of the text. */
static void many_requests(void **state)
{
	enum { N = 200000 };
	struct request r;
	size_t before = arena_size(*state);
	for (int i = 0; i < N; i++)
		parsed(*state, i & 1 ? "c 1:3 rw uid=1000 comm=qemu" : "b 259:1048575 r", &r);
	assert_true(arena_size(*state) - before < (size_t)N * 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(devices), ARENA_TEST(facts), ARENA_TEST(comm), ARENA_TEST(written), ARENA_TEST(paths),
		ARENA_TEST(task_facts), ARENA_TEST(task_answers), ARENA_TEST(refused_requests), ARENA_TEST(single_facts), ARENA_TEST(inputs),
		ARENA_TEST(access_texts), ARENA_TEST(random_texts), ARENA_TEST(long_texts),
		ARENA_TEST(many_requests),
	};
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
