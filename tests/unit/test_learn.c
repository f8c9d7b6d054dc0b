/*
 * Recordings and what is learned of them. The policy of a random recording compiles, allows each request that was let
 * pass and, but for the families that a table has, nothing else: exactly, over all devices, by the classes of its
 * diagrams. Names of processes that hold anything stay in comments. Damaged files are refused; patches are as patch(1) has them.
 */
#include "policy/learn.h"
#include "policy/classes.h"
#include "policy/picture.h"
#include "policy/text.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- a host ------------------------------------------------------------------------------------- */

static const struct node_of_host { const char *path; int type, major, minor; } nodes[] = {
	{"/dev/hidraw0", DEV_CHAR, 240, 0}, {"/dev/hidraw3", DEV_CHAR, 240, 3},  {"/dev/rtc0", DEV_CHAR, 254, 0},
	{"/dev/foo-bar", DEV_CHAR, 242, 1}, {"/dev/nvme0n1", DEV_BLOCK, 259, 0}, {"/dev/nvme0n1p2", DEV_BLOCK, 259, 2},
	{"/dev/vsock", DEV_CHAR, 10, 121},  {"/dev/dm-3", DEV_BLOCK, 253, 3},    {"/dev/i2c-7", DEV_CHAR, 89, 7},
	{"/dev/moved", DEV_CHAR, 10, 99},
};

static void host_device(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	(void)h, (void)a;
	*out = (struct host_device){.error = ENOENT};
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (!strcmp(path, nodes[i].path))
			*out = (struct host_device){.mode = nodes[i].type == DEV_CHAR ? S_IFCHR : S_IFBLK, .major = nodes[i].major,
			                            .minor = nodes[i].minor};
}

static int host_groups(const struct host *h, struct arena *a, const char **listing)
{
	(void)h, (void)a;
	*listing = "Character devices:\n  1 mem\n  5 /dev/tty\n 10 misc\n240 hidraw\n241 bare\n242 foo\n243 nvidia-uvm\n254 rtc\n\n"
	           "Block devices:\n  7 loop\n253 device-mapper\n259 blkext\n";
	return 0;
}

static const struct host host = {.device = host_device, .groups = host_groups};

static const char *first_error(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].level == DIAG_ERROR)
			return d->items[i].text;
	return "failed";
}

static struct compiled compile(const char *text)
{
	struct compiled c = {.arena = arena_new()};
	diags_init(&c.diags, c.arena);
	if (ruby_compile(c.arena, &c.diags, &host, "t.rb", text, strlen(text), NULL, 0, &c.ruby, &c.policy) ||
	    compile_policy(c.policy, &c.diags, &c.pd, &c.image))
		fail_msg("%s in:\n%.9000s", first_error(&c.diags), text);
	return c;
}

/* ---- recordings ------------------------------------------------------------------------------------ */

static struct learned_request *add(struct learned *l, int type, int access, int major, int minor, int64_t uid, const char *comm,
                                   uint64_t n)
{
	char name[LEARN_COMM + 1] = {0};
	strncpy(name, comm, LEARN_COMM);
	struct learned_request *r = learned_request(l, type, access, major, minor, uid, NULL);
	learned_by(l, r, name, n);
	return r;
}

static void add_random(struct learned *l, struct rng *g)
{
	static const int sets[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	static const int known[][3] = {
		{DEV_CHAR, 1, 3},          {DEV_CHAR, 1, 8},     {DEV_CHAR, 5, 0},     {DEV_CHAR, 5, 2},    {DEV_CHAR, 136, 3},
		{DEV_CHAR, 136, 900},      {DEV_CHAR, 137, 1},   {DEV_BLOCK, 7, 2},    {DEV_BLOCK, 7, 300}, {DEV_CHAR, 10, 237},
		{DEV_CHAR, 13, 66},        {DEV_CHAR, 13, 63},   {DEV_CHAR, 13, 0},    {DEV_CHAR, 13, 40},  {DEV_CHAR, 13, 300},
		{DEV_CHAR, 166, 1},        {DEV_CHAR, 188, 0},   {DEV_CHAR, 189, 130}, {DEV_BLOCK, 8, 3},   {DEV_BLOCK, 66, 17},
		{DEV_CHAR, 4, 1},          {DEV_CHAR, 195, 255}, {DEV_CHAR, 226, 128}, {DEV_CHAR, 240, 0},  {DEV_CHAR, 240, 3},
		{DEV_CHAR, 241, 5},        {DEV_CHAR, 242, 1},   {DEV_CHAR, 243, 0},   {DEV_CHAR, 254, 0},  {DEV_BLOCK, 259, 0},
		{DEV_BLOCK, 259, 2},       {DEV_BLOCK, 253, 3},  {DEV_CHAR, 10, 121},  {DEV_CHAR, 89, 7},   {DEV_CHAR, 0, 0},
		{DEV_CHAR, 4095, 1048575}, {DEV_BLOCK, 4095, 0}};
	static const char *const drivers[] = {[240 - 240] = "hidraw", "bare", "foo", "nvidia-uvm"};
	static const int64_t uids[] = {0, 33, 1000, 1001, 1002, 1003, 1004, 4294967295};
	int type, major, minor;
	if (below(g, 3)) {
		const int *k = known[below(g, COUNT(known))];
		type = k[0], major = k[1], minor = k[2];
	} else {
		type = below(g, 2) ? DEV_CHAR : DEV_BLOCK;
		major = (int)(below(g, 2) ? 40 + below(g, 3) : below(g, MAJOR_MAX + 1));
		minor = (int)(below(g, 2) ? below(g, 9) : below(g, MINOR_MAX + 1));
	}
	uint64_t n = 1 + below(g, 50), kind = below(g, 6);
	struct learned_request *r = add(l, type, sets[below(g, COUNT(sets))], major, minor,
	                                l->by & LEARN_BY_UID ? uids[below(g, COUNT(uids))] : -1, below(g, 2) ? "sh" : "cat", n);
	*(kind == 0 ? &r->denied : kind == 1 ? &r->permitted : &r->allowed) += n;
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (nodes[i].type == type && nodes[i].major == major && nodes[i].minor == minor && below(g, 3))
			r->path = nodes[i].path;
	if (below(g, 40) == 0)
		r->path = "/dev/moved"; /* another device here */
	if (type == DEV_CHAR && major >= 240 && major <= 243)
		r->driver = drivers[major - 240];
}

static const char *ruby_of(struct arena *a, const struct learned *l)
{
	struct arena_stream s;
	const struct learn_text t = {.host = &host, .name = "t", .from = "/x"};
	learned_ruby(arena_stream(a, &s), a, l, &t);
	return arena_text(a, &s);
}

/* ---- exactly that ------------------------------------------------------------------------------------- */

/* Devices that the policy must allow alike: what one name means. */
struct box { struct learned_name name; int letters; bool looked; };
struct boxes { struct box list[512]; size_t n; };

static void boxes_for(struct arena *a, const struct learned *l, int64_t uid, struct boxes *out)
{
	struct learned_names names;
	learned_names_start(a, &host, l, &names);
	out->n = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct learned_request *r = &l->list[i];
		if (!learned_passed(r) || (l->by & LEARN_BY_UID && r->uid != uid))
			continue;
		struct learned_name name = learned_name(&names, r);
		assert_true(name.majors.lo == name.majors.hi && name.majors.lo == r->major && name.minors.lo <= r->minor &&
		            name.minors.hi >= r->minor);
		assert_true(name.why || (name.minors.lo == r->minor && name.minors.hi == r->minor));
		struct box *b = out->list;
		while (b < out->list + out->n && (b->name.type != name.type || b->name.majors.lo != name.majors.lo ||
		                                  b->name.minors.lo != name.minors.lo || b->name.minors.hi != name.minors.hi))
			b++;
		if (b == out->list + out->n) {
			assert_true(out->n < COUNT(out->list));
			out->list[out->n++] = (struct box){.name = name};
		}
		b->letters |= r->access;
	}
	for (size_t i = 0; i < l->n; i++) /* no family holds what was only denied */
		for (const struct box *b = out->list; b < out->list + out->n && !learned_passed(&l->list[i]); b++)
			assert_false(b->name.why && b->name.type == l->list[i].type && b->name.majors.lo == l->list[i].major &&
			             b->name.minors.lo <= l->list[i].minor && l->list[i].minor <= b->name.minors.hi);
}

static bool box_allows(const struct box *b, int asked)
{
	return !(asked & ~b->letters);
}

/* Two names may mean the same device (the driver, and a path of it): then each access is allowed by one of them. */
static bool boxes_allow(const struct boxes *all, int type, int64_t major, int64_t minor, int asked)
{
	int left = asked;
	bool any = false;
	for (const struct box *b = all->list; b < all->list + all->n; b++)
		if (b->name.type == type && b->name.majors.lo == major && b->name.minors.lo <= minor && minor <= b->name.minors.hi) {
			left &= ~b->letters;
			any = true;
		}
	return any && !left;
}

/* In every block of devices that are treated alike: the answer is that of each box that it meets, and a block that is allowed
 * is within boxes. Blocks are cut at the ends of boxes, so their first device stands for all. */
static void check_block(const struct boxes *all, const struct block_of_devices *b, int asked, bool allowed)
{
	int64_t cuts[2 * COUNT(all->list) + 2];
	for (size_t i = 0; i < b->nmajors; i++)
		for (size_t k = 0; k < b->nminors; k++) {
			struct interval majors = b->majors[i], minors = b->minors[k];
			for (const struct box *x = all->list; x < all->list + all->n; x++)
				if (!allowed && x->name.type == b->type && x->name.majors.lo >= majors.lo && x->name.majors.lo <= majors.hi &&
				    x->name.minors.lo <= minors.hi && x->name.minors.hi >= minors.lo)
					assert_false(box_allows(x, asked));
			if (!allowed)
				continue;
			for (int64_t major = majors.lo; major <= majors.hi; major++) {
				size_t n = 0;
				cuts[n++] = minors.lo;
				for (const struct box *x = all->list; x < all->list + all->n; x++) {
					if (x->name.majors.lo != major || x->name.type != b->type)
						continue;
					cuts[n++] = x->name.minors.lo;
					cuts[n++] = x->name.minors.hi + 1;
				}
				for (size_t c = 0; c < n; c++)
					if (cuts[c] >= minors.lo && cuts[c] <= minors.hi && !boxes_allow(all, b->type, major, cuts[c], asked))
						fail_msg("%d %lld:%lld asked %d is allowed, and was not recorded", b->type, (long long)major, (long long)cuts[c], asked);
			}
		}
}

static void check_exactly(struct arena *a, const struct learned *l, const char *text)
{
	static const int64_t uids[] = {0, 33, 1000, 1003, 1004, 5, 4294967295};
	static const int sets[] = {0, ACC_MKNOD, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE};
	static struct boxes all;
	struct compiled c = compile(text);
	struct policy_diagram pd;
	struct device_classes cs;
	assert_int_equal(policy_diagram(c.policy, &c.diags, ORDER_FACTS_LAST, &pd), 0);
	assert_true(device_classes(c.arena, &pd, 4096, &cs));
	for (size_t u = 0; u < (l->by & LEARN_BY_UID ? COUNT(uids) : 1); u++) {
		boxes_for(a, l, uids[u], &all);
		for (size_t i = 0; i < cs.n; i++)
			for (int k = 0; k < cs.nasked; k++) {
				int64_t inputs[INPUT_MAX] = {[IN_UID] = uids[u]};
				int missing;
				bool kernel = false;
				for (size_t s = 0; s < COUNT(sets); s++)
					kernel |= sets[s] == cs.asked[k];
				outcome o = diagram_eval(cs.dg, cs.list[i].answer[k], inputs, INPUT(IN_UID), &missing);
				assert_int_equal(missing, -1);
				for (size_t b = 0; b < cs.list[i].nblocks && kernel; b++)
					check_block(&all, &cs.list[i].blocks[b], cs.asked[k], OUTCOME_KIND(o) == OUT_ALLOW);
			}
	}
	compiled_free(&c);
}

static void test_random(void **state)
{
	struct rng g = {42};
	(void)state;
	for (int i = 0; i < 150; i++) {
		struct arena *a = arena_new();
		struct learned l, again;
		struct arena_stream s;
		struct diags d;
		learned_start(a, i % 3 == 2 ? LEARN_BY_UID : 0, &l);
		l.runs = 1;
		for (uint32_t n = below(&g, i % 2 ? 8 : 60); n > 0; n--)
			add_random(&l, &g);
		learned_sort(&l);
		const char *text = ruby_of(a, &l);
		check_exactly(a, &l, text);
		same_text("twice", ruby_of(a, &l), text);
		/* a recording is read as it was written, whatever its order was */
		learned_write(arena_stream(a, &s), &l);
		const char *file = arena_text(a, &s);
		learned_start(a, l.by, &again);
		diags_init(&d, a);
		if (learned_read(&d, "r", file, s.len, &again))
			fail_msg("%s in line %d", d.items[0].text, d.items[0].at.line);
		learned_sort(&again);
		same_text("read", ruby_of(a, &again), text);
		arena_free(a);
	}
}

/* ---- shapes ------------------------------------------------------------------------------------------- */

static void test_text(void **state)
{
	struct arena *a = *state;
	struct learned l;
	learned_start(a, 0, &l);
	l.runs = 2;
	add(&l, DEV_CHAR, ACC_READ | ACC_WRITE, 1, 3, -1, "sh", 3)->allowed = 3;
	add(&l, DEV_CHAR, ACC_READ, 1, 9, -1, "dd", 1)->allowed = 1;
	add(&l, DEV_CHAR, ACC_READ, 1, 5, -1, "dd", 1)->allowed = 1;
	add(&l, DEV_CHAR, ACC_WRITE, 136, 2, -1, "sh", 1)->allowed = 1;
	add(&l, DEV_CHAR, ACC_WRITE, 136, 7, -1, "sh", 1)->allowed = 1;
	add(&l, DEV_BLOCK, ACC_READ, 7, 2, -1, "cat", 1)->allowed = 1;
	add(&l, DEV_CHAR, 0, 10, 229, -1, "test", 1)->allowed = 1;
	add(&l, DEV_CHAR, ACC_READ, 1, 11, -1, "dmesg", 4)->denied = 4;
	add(&l, DEV_BLOCK, ACC_READ, 8, 0, -1, "fdisk", 2)->permitted = 2;
	learned_sort(&l);
	same_text("policy", ruby_of(a, &l),
	          "# Learned by rucy-devguard learn from /x: 15 requests, 9 different, in 2 recordings.\n"
	          "policy \"t\"\ndefault :deny\n\n"
	          "#   /dev/null  3 times by sh\n"
	          "allow :null, access: \"rw\", label: \"takes everything, gives nothing\"\n"
	          "#   /dev/zero     1 time by dd\n"
	          "#   /dev/urandom  1 time by dd\n"
	          "allow :zero, :urandom, access: \"r\", label: \"standard devices\"\n\n"
	          "#   /dev/pts/N  2 times by sh; 2 numbers: each terminal gets the next free number\n"
	          "allow :pts, access: \"w\", label: \"pseudo terminals\"\n\n"
	          "#   /dev/loop2  1 time by cat\n"
	          "allow :loop2, access: \"r\", label: \"loop devices\"\n"
	          "#   /dev/fuse  1 time by test\n"
	          "allow(:fuse, label: \"file systems in user space: only looked for\") { |ctx| ctx.requested == 0 }\n\n"
	          "#   /dev/sda  2 times by fdisk; filters denied it 2 times\n"
	          "allow :sda, access: \"r\", label: \"SCSI, SATA and USB disks, their partitions 1 to 15\"\n\n"
	          "# Denied while it was recorded, so denied here. Without the first # of a line it is allowed.\n"
	          "# #   /dev/kmsg  4 times by dmesg\n"
	          "# allow :kmsg, access: \"r\", label: \"the kernel's log\"\n");
	add(&l, DEV_CHAR, ACC_READ | ACC_WRITE, 10, 237, -1, "losetup", 1)->allowed = 1;
	learned_open_denied(&l);
	learned_sort(&l);
	const char *text = ruby_of(a, &l);
	assert_non_null(strstr(text, "\nallow :loop, access: \"r\""));
	assert_non_null(strstr(text, "\nallow :kmsg, access: \"r\""));
	assert_null(strstr(text, "Denied while"));
	l.lost = 7;
	assert_non_null(strstr(ruby_of(a, &l), "# INCOMPLETE: 7 more requests were not recorded."));
}

static struct learned_request *add_exe(struct learned *l, int access, int minor, int64_t uid, const char *exe, uint64_t n)
{
	struct learned_request *r = learned_request(l, DEV_CHAR, access, 1, minor, uid, exe);
	learned_by(l, r, "sh\0\0\0\0\0\0\0\0\0\0\0\0\0", n);
	r->allowed += n;
	return r;
}

/* Rules name programs, those without one come last, and say why; a recording keeps it all. */
static void test_exes(void **state)
{
	static const char rules[] =
		"#   /dev/null  4 times by sh\n"
		"allow(:null, access: \"rw\", label: \"takes everything, gives nothing\") { |ctx| [\"/usr/bin/a\", \"/usr/bin/b\"].include?(ctx.exe) }\n"
		"#   /dev/zero  1 time by sh\n"
		"allow(:zero, access: \"r\", label: \"gives zero bytes\") { |ctx| ctx.exe == \"/usr/bin/b\" }\n"
		"#   /dev/full  2 times by sh\n"
		"allow(:full, label: \"gives zero bytes, is always full: only looked for\") { |ctx| ctx.requested == 0 && ctx.exe == \"/usr/bin/b\" }\n"
		"#   /dev/null  7 times by sh; the programs of 2 had ended; 5 of a file that no rule may name\n"
		"#   /dev/zero  1 time by sh; the program of 1 had ended\n"
		"allow :null, :zero, access: \"r\", label: \"standard devices\"\n";
	struct arena *a = *state;
	struct learned l, again;
	struct arena_stream s;
	struct diags d;
	learned_start(a, LEARN_BY_EXE, &l);
	l.runs = 1;
	add_exe(&l, ACC_READ | ACC_WRITE, 3, -1, "/usr/bin/b", 1);
	add_exe(&l, ACC_READ, 3, -1, NULL, 7)->gone = 2;
	add_exe(&l, ACC_READ, 5, -1, "/usr/bin/b", 1);
	add_exe(&l, ACC_READ, 5, -1, NULL, 1)->gone = 1;
	add_exe(&l, ACC_READ, 3, -1, "/usr/bin/a", 2);
	add_exe(&l, ACC_WRITE, 3, -1, "/usr/bin/a", 1);
	add_exe(&l, 0, 7, -1, "/usr/bin/b", 2);
	learned_sort(&l);
	assert_int_equal(l.n, 7);
	const char *text = ruby_of(a, &l), *at = strstr(text, "\n\n");
	assert_non_null(at);
	same_text("rules", at + 2, rules);
	learned_write(arena_stream(a, &s), &l);
	const char *file = arena_text(a, &s);
	for (unsigned by = 0; by <= LEARN_BY_EXE; by += LEARN_BY_EXE) {
		learned_start(a, by, &again);
		diags_init(&d, a);
		assert_int_equal(learned_read(&d, "r", file, s.len, &again), 0);
		learned_sort(&again);
		assert_int_equal(again.n, by ? 7 : 5);
		assert_int_equal(learned_total(&again), learned_total(&l));
		if (by)
			same_text("read", ruby_of(a, &again), text);
		else
			assert_null(strstr(ruby_of(a, &again), "exe"));
	}
	/* by user and program: exactly the pairs that there were */
	learned_start(a, LEARN_BY_UID | LEARN_BY_EXE, &l);
	add_exe(&l, ACC_READ, 5, 33, "/a", 1);
	add_exe(&l, ACC_READ, 5, 34, "/a", 1);
	add_exe(&l, ACC_READ, 5, 33, "/b", 1);
	add_exe(&l, ACC_READ, 5, 34, "/b", 1);
	add_exe(&l, ACC_READ, 5, 33, "/c", 1);
	learned_sort(&l);
	text = ruby_of(a, &l);
	assert_non_null(strstr(text, "{ |ctx| ctx.uid == 33 && ctx.exe == \"/c\" }"));
	assert_non_null(strstr(text, "{ |ctx| [33, 34].include?(ctx.uid) && [\"/a\", \"/b\"].include?(ctx.exe) }"));
}

static void test_exe_paths(void **state)
{
	static const char *const wrong[] = {"", "/", "usr/bin/x", "/a b", "/a\"b", "/a\\b", "/a#{b}", "/a,b", "/a\nb", "/\x7f", "/\xc3\xa9"};
	char longest[LEARN_PATH_MAX + 2];
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(learned_exe_fits(wrong[i]));
	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '/';
	longest[LEARN_PATH_MAX + 1] = '\0';
	assert_false(learned_exe_fits(longest));
	longest[LEARN_PATH_MAX] = '\0';
	assert_true(learned_exe_fits(longest));
	assert_true(learned_exe_fits("/usr/bin/qemu-system-x86_64"));
}

static void test_empty(void **state)
{
	struct arena *a = *state;
	struct learned l;
	learned_start(a, 0, &l);
	l.runs = 1;
	learned_sort(&l);
	const char *text = ruby_of(a, &l);
	same_text("empty", text,
	          "# Learned by rucy-devguard learn from /x: 0 requests, 0 different, in 1 recording.\n"
	          "policy \"t\"\ndefault :deny\n\n# No device was used.\n");
	check_exactly(a, &l, text);
}

/* Names of processes hold what anybody wrote: no line of them ends, or is Ruby. */
static void test_hostile(void **state)
{
	static const char *const comms[] = {
		"a\nallow :mem", "#{exit}", "\"); allow(:mem", "\\", "\xff\xfe\x80", "\xe2\x80\xae" "abc", "=begin\n", "\n__END__\n",
		"\r\nallow", "", "x\x1b[31m", "\xe2\x80\xa8" "allow :mem", "%{a}", "'"};
	struct arena *a = *state;
	struct learned l, again;
	struct arena_stream s;
	struct diags d;
	learned_start(a, 0, &l);
	l.runs = 1;
	for (size_t i = 0; i < COUNT(comms); i++) {
		add(&l, DEV_CHAR, ACC_READ, 42, (int)i, -1, comms[i], 1)->allowed++;
		add(&l, DEV_CHAR, ACC_WRITE, 1, 3, -1, comms[i], 1)->allowed++;
		add(&l, DEV_CHAR, ACC_READ, 1, 1, -1, comms[i], 1)->denied++;
	}
	learned_request(&l, DEV_CHAR, ACC_READ, 42, 3, -1, NULL)->path = "/dev/#{`id`}";
	learned_request(&l, DEV_CHAR, ACC_READ, 42, 4, -1, NULL)->driver = "x\", :mem #";
	learned_sort(&l);
	const char *text = ruby_of(a, &l);
	assert_int_equal(text_unsafe(text, strlen(text)), strcspn(text, "\n"));
	for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
		size_t n = strcspn(at, "\n");
		assert_int_equal(text_unsafe(at, n), n);
		if (n && *at != '#' && strncmp(at, "policy \"t\"", 10) && strncmp(at, "default", 7) &&
		    strncmp(at, "allow \"c 42:0-13 r\"", 19) && strncmp(at, "allow :null, access: \"w\"", 24))
			fail_msg("what is this line: %.*s", (int)n, at);
	}
	check_exactly(a, &l, text);
	learned_write(arena_stream(a, &s), &l);
	const char *file = arena_text(a, &s);
	diags_init(&d, a);
	learned_start(a, 0, &again);
	assert_int_equal(learned_read(&d, "r", file, s.len, &again), 0);
	learned_sort(&again);
	same_text("read", ruby_of(a, &again), text);
}

/* 100,000 different requests, of 50,000 devices. */
static void test_many(void **state)
{
	enum { MANY = 100000 };
	struct arena *a = *state;
	struct learned l;
	learned_start(a, 0, &l);
	for (int i = 0; i < MANY; i++)
		add(&l, DEV_CHAR, i / 20 % 2 ? ACC_READ : ACC_WRITE, 300 + i % 20, i / 40 * 3, -1, "sh", 1)->allowed++;
	assert_int_equal(l.n, MANY);
	learned_sort(&l);
	struct compiled c = compile(ruby_of(a, &l));
	for (size_t i = 0; i < l.n; i += 997) {
		const struct learned_request *r = &l.list[i];
		for (int off = 0; off < 2; off++) {
			struct request q = {.type = r->type, .access = r->access, .major = r->major, .minor = r->minor + off};
			struct decision d;
			int missing;
			assert_int_equal(policy_decide(c.policy, &c.pd, &q, &d, &missing), 0);
			assert_int_equal(d.allow, !off);
		}
	}
	compiled_free(&c);
}

/* ---- files --------------------------------------------------------------------------------------------------- */

#define HEAD(lines) "{\"recording\":\"rucy-devguard/1\",\"lines\":" #lines ",\"runs\":1,\"by_uid\":false,\"permissive\":0,\"lost\":0}\n"
#define HEAD_EXE(lines) "{\"recording\":\"rucy-devguard/1\",\"lines\":" #lines ",\"runs\":1,\"by_uid\":false,\"by_exe\":true,\"permissive\":0,\"lost\":0}\n"
#define LINE(rest) "{\"type\":\"c\",\"major\":1,\"minor\":3,\"requested\":\"r\"," rest "}\n"
#define WHOLE "\"count\":2,\"allowed\":2,\"denied\":0,\"permitted\":0,\"programs\":[{\"comm\":\"sh\",\"count\":2}],\"others\":0"

static void test_damaged(void **state)
{
	static const struct { const char *text, *error; } all[] = {
		{"", "this is no recording: it is empty"},
		{"\n", "this is no recording"},
		{"allow :null\n", "this is no recording"},
		{"{\"decision\":\"deny\"}\n", "this is no recording"},
		{HEAD(1), "the recording is damaged: lines are missing at its end"},
		{HEAD(0) LINE(WHOLE), "the recording is damaged: more lines than it says"},
		{HEAD(2) LINE(WHOLE) HEAD(0), "the recording before this line is damaged: lines of it are missing"},
		{HEAD(1) "{\"type\":\"c\",", "the recording is damaged: its last line is cut off"},
		{HEAD(1) "nonsense\n", "the recording is damaged: this line is no JSON object"},
		{HEAD(1) LINE("\"count\":3,\"allowed\":2,\"denied\":0,\"permitted\":0,\"programs\":[{\"comm\":\"sh\",\"count\":2}],\"others\":0"),
	         "the recording is damaged: this line is no whole request"},
		{HEAD(1) LINE("\"count\":2,\"allowed\":2,\"denied\":0,\"permitted\":0,\"programs\":[{\"comm\":\"sh\",\"count\":1}],\"others\":0"),
	         "the recording is damaged: this line is no whole request"},
		{HEAD(1) LINE("\"count\":2,\"allowed\":2,\"denied\":0,\"permitted\":0,\"programs\":[{\"comm\":\"s\\nh\",\"count\":2}],\"others\":0"),
	         "the recording is damaged: this line is no whole request"},
		{HEAD(1) LINE(WHOLE ",\"path\":\"/dev/\\u0000\""), "the recording is damaged: this line is no JSON object"},
		{HEAD(1) LINE(WHOLE ",\"uid\":4"), "the recording is damaged: this line is no whole request"},
		{HEAD(1) "{\"type\":\"c\",\"major\":4096,\"minor\":3,\"requested\":\"r\"," WHOLE "}\n", "the recording is damaged: this line is no whole request"},
		{HEAD(1) "{\"type\":\"c\",\"major\":1,\"minor\":3,\"requested\":\"rx\"," WHOLE "}\n", "the recording is damaged: this line is no whole request"},
		{HEAD(1) LINE(WHOLE ",\"exe\":\"/x\""), "the recording is damaged: this line is no whole request"},
		{HEAD(1) LINE(WHOLE ",\"gone\":0"), "the recording is damaged: this line is no whole request"},
		{HEAD_EXE(1) LINE(WHOLE), "the recording is damaged: this line is no whole request"},
		{HEAD_EXE(1) LINE(WHOLE ",\"gone\":3"), "the recording is damaged: this line is no whole request"},
		{HEAD_EXE(1) LINE(WHOLE ",\"gone\":0,\"exe\":\"/x\""), "the recording is damaged: this line is no whole request"},
		{HEAD_EXE(1) LINE(WHOLE ",\"exe\":\"/x#{exit}\""), "the recording is damaged: this line is no whole request"},
		{"{\"recording\":\"rucy-devguard/2\",\"lines\":0}\n", "a recording of another version"},
		{"{\"recording\":\"rucy-devguard/1\",\"lines\":0}\n", "the recording is damaged: its first line is not whole"},
	};
	struct arena *a = *state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct learned l;
		struct diags d;
		diags_init(&d, a);
		learned_start(a, 0, &l);
		assert_int_equal(learned_read(&d, "r", all[i].text, strlen(all[i].text), &l), -1);
		same_text(all[i].text, d.items[0].text, all[i].error);
	}
}

static void test_added_up(void **state)
{
	static const char two[] = HEAD(1) LINE(WHOLE) HEAD(1) LINE(WHOLE);
	struct arena *a = *state;
	struct learned l;
	struct diags d;
	diags_init(&d, a);
	learned_start(a, 0, &l);
	assert_int_equal(learned_read(&d, "r", two, strlen(two), &l), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.runs, 2);
	assert_int_equal(l.list[0].allowed, 4);
	assert_int_equal(l.list[0].programs[0].count, 4);
	learned_start(a, LEARN_BY_UID, &l);
	assert_int_equal(learned_read(&d, "r", two, strlen(two), &l), -1);
	same_text("by uid", d.items[0].text, "it was recorded without --by uid: who made its requests is not known");
	diags_init(&d, a);
	learned_start(a, LEARN_BY_EXE, &l);
	assert_int_equal(learned_read(&d, "r", two, strlen(two), &l), -1);
	same_text("by exe", d.items[0].text, "it was recorded without --by exe: which programs made its requests is not known");
}

/* More programs than are kept: the others are counted. */
static void test_programs(void **state)
{
	struct arena *a = *state;
	struct learned l;
	learned_start(a, 0, &l);
	for (int i = 0; i < 1000; i++) {
		char comm[LEARN_COMM] = {0};
		snprintf(comm, sizeof comm, "p%d", i);
		learned_by(&l, learned_request(&l, DEV_CHAR, ACC_READ, 1, 3, -1, NULL), comm, 1);
	}
	assert_int_equal(l.list[0].nprograms, LEARN_PROGRAMS_MAX);
	assert_int_equal(l.list[0].others, 1000 - LEARN_PROGRAMS_MAX);
	learned_count(&l.list[0].others, UINT64_MAX);
	assert_true(l.list[0].others == LEARN_COUNT_MAX);
}

/* ---- patches ------------------------------------------------------------------------------------------------------ */

static void check_patch(struct arena *a, const char *text, int after, const char *added, const char *want, const char *diff)
{
	struct arena_stream s;
	same_text("inserted", learned_insert(a, text, strlen(text), after, added), want);
	learned_patch(arena_stream(a, &s), a, "p.rb", text, strlen(text), after, added);
	same_text("patch", arena_text(a, &s), diff);
}

static void test_patch(void **state)
{
	struct arena *a = *state;
	check_patch(a, "1\n2\n3\n4\n5\n6\n", 4, "x\ny\n", "1\n2\n3\n4\nx\ny\n5\n6\n",
	            "--- p.rb\n+++ p.rb\n@@ -2,5 +2,7 @@\n 2\n 3\n 4\n+x\n+y\n 5\n 6\n");
	check_patch(a, "1\n", 0, "x\n", "x\n1\n", "--- p.rb\n+++ p.rb\n@@ -1,1 +1,2 @@\n+x\n 1\n");
	check_patch(a, "1\n2", 2, "x\n", "1\n2\nx\n",
	            "--- p.rb\n+++ p.rb\n@@ -1,2 +1,3 @@\n 1\n-2\n\\ No newline at end of file\n+2\n+x\n");
	check_patch(a, "1\n2", 1, "x\n", "1\nx\n2", "--- p.rb\n+++ p.rb\n@@ -1,2 +1,3 @@\n 1\n+x\n 2\n\\ No newline at end of file\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), ARENA_TEST(test_text), ARENA_TEST(test_exes), cmocka_unit_test(test_exe_paths),
		ARENA_TEST(test_empty), ARENA_TEST(test_hostile), ARENA_TEST(test_many),
		ARENA_TEST(test_damaged), ARENA_TEST(test_added_up), ARENA_TEST(test_programs), ARENA_TEST(test_patch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
