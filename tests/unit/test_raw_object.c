/*
 * test_raw_object.c - objects of raw programs: bpftool takes them and shows maps by the names of fields, they are read
 * back as they were, and what the kernel would refuse is said at its line, and nothing else.
 */
#include "compiler/bpf/internal.h"
#include "tests/unit/raw_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <unistd.h>

/* ---- what is refused, and where ------------------------------------------------------------- */

/* The program cannot be made: an error at that line says this, with a hint that says that. */
static void refused(struct building *b, int line, const char *text, const char *hint)
{
	struct image image;
	assert_int_equal(raw_emit(b->policy, &b->d, &image), -1);
	assert_int_equal(b->d.n, 1);
	const struct diag *d = &b->d.items[0];
	if (d->at.line != line || !strstr(d->text, text) || !d->hint || !strstr(d->hint, hint))
		fail_msg("line %d: %s (%s)", d->at.line, d->text, d->hint);
}

static void helpers_of_the_gpl_need_its_license(void **state)
{
	static const struct { const char *license; bool gpl; } licenses[] = {
		{NULL, true}, {"GPL", true}, {"GPL v2", true}, {"Dual BSD/GPL", true}, {"Dual MIT/GPL", true}, {"Dual MPL/GPL", true},
		{"GPL and additional rights", true}, {"MIT", false}, {"gpl", false}, {"GPLv2", false}, {"", false}, {"Proprietary", false}};
	for (size_t i = 0; i < COUNT(licenses); i++)
		for (int peeks = 0; peeks < 2; peeks++) {
			struct building *b = raw_begin(*state, RAW_KPROBE, "kprobe/tcp_connect");
			struct image image;
			b->raw->license = licenses[i].license;
			raw_time(b);
			if (peeks)
				raw_peek(b, constant(b, 4096), 0, 8);
			else
				raw_print(b, "hello");
			if (licenses[i].gpl)
				assert_int_equal(raw_emit(b->policy, &b->d, &image), 0);
			else
				refused(b, 7, peeks ? "bpf_probe_read_kernel to programs under the GPL only"
				                    : "bpf_trace_printk to programs under the GPL only", "license! \"GPL\"");
		}
}

static void what_makes_no_sense_is_said_at_its_line(void **state)
{
	struct building *b = raw_begin(*state, RAW_DEVICE, "cgroup/dev");
	raw_time(b);
	raw_peek(b, constant(b, 4096), 0, 8);
	refused(b, 7, "a device program may not read structures of the kernel", "tracing");

	b = raw_begin(*state, RAW_KPROBE, "kprobe/tcp_connect");
	uint32_t small = raw_map(b, "SMALL", RAW_ARRAY, "index:4", "value:2", 4);
	raw_lost(b);
	raw_add(b, small, number(constant(b, 0)), constant(b, 1));
	refused(b, 6, "a value of SMALL has 2", ":u32 or :u64");

	b = raw_begin(*state, RAW_DEVICE, "cgroup/dev");
	term any = T_FALSE, x = term_input(b->ts, IN_MINOR);
	for (int i = 0; i < 5000; i++)
		any = term_or(b->ts, any, term_eq(b->ts, term_op(b->ts, TERM_MOD, x, constant(b, i + 2)), constant(b, 1)));
	raw_if(b, any);
	raw_print(b, "never");
	raw_end(b);
	refused(b, 6, "more than 4096 comparisons", "look numbers up");
}

/* The stack: values that are kept, what a step needs at once, what an expression needs. */
static void a_stack_that_is_too_small_is_said(void **state)
{
	struct building *b = raw_begin(*state, RAW_DEVICE, "cgroup/dev");
	term sum = constant(b, 0);
	for (int i = 0; i < 60; i++)
		sum = term_op(b->ts, TERM_ADD, sum, raw_time(b));
	raw_arg(raw_print(b, "%d"), number(sum));
	refused(b, 5 + 60 - 1, "bytes of stack, the kernel gives 512", "keep fewer values");

	b = raw_begin(*state, RAW_DEVICE, "cgroup/dev");
	term kept[50];
	for (int i = 0; i < 50; i++)
		kept[i] = raw_time(b);
	for (int i = 0; i < 50; i++)
		raw_arg(raw_print(b, "%d"), number(kept[i]));
	struct image image;
	assert_int_equal(raw_emit(b->policy, &b->d, &image), 0);

	b = raw_begin(*state, RAW_DEVICE, "cgroup/dev");
	char text[RAW_PRINT_MAX];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	raw_print(b, text);
	assert_int_equal(raw_emit(b->policy, &b->d, &image), 0);
}

/* ---- loads of the context, held against the kernel ------------------------------------------- */

static bool kernel_loads(enum bpf_prog_type type, uint32_t offset, int size)
{
	uint8_t width = size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
	const struct bpf_insn insns[] = {
		{.code = (uint8_t)(BPF_LDX | BPF_MEM | width), .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = (int16_t)offset},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, NULL, "GPL", insns, COUNT(insns), NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void the_context_is_read_where_the_kernel_lets_it(void **state)
{
	static const struct { enum raw_section section; const char *name; enum bpf_prog_type type; } sections[] = {
		{RAW_KPROBE, "kprobe/f", BPF_PROG_TYPE_KPROBE}, {RAW_KRETPROBE, "kretprobe/f", BPF_PROG_TYPE_KPROBE},
		{RAW_TRACEPOINT, "tracepoint/a/b", BPF_PROG_TYPE_TRACEPOINT},
		{RAW_RAW_TRACEPOINT, "raw_tracepoint/b", BPF_PROG_TYPE_RAW_TRACEPOINT}};
	static const uint32_t offsets[] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 16, 20, 80, 88, 92, 95, 96, 104, 160, 164, 166, 167,
	                                   168, 176, 8184, 8188, 8190, 8191, 8192, 8200};
	if (geteuid() || !kernel_loads(BPF_PROG_TYPE_KPROBE, 0, 8))
		skip();
	for (size_t i = 0; i < COUNT(sections); i++)
		for (size_t k = 0; k < COUNT(offsets); k++)
			for (int size = 1; size <= 8; size *= 2) {
				struct building *b = raw_begin(*state, sections[i].section, sections[i].name);
				struct image image;
				raw_time(b);
				raw_arg(raw_print(b, "%lx"), number(raw_field(b, "ctx.it", offsets[k], size)));
				bool takes = kernel_loads(sections[i].type, offsets[k], size);
				if (takes)
					assert_int_equal(raw_emit(b->policy, &b->d, &image), 0);
				else
					refused(b, 7, "the kernel does not let this program read ctx.it", "attrs");
			}
}

/* ---- objects -------------------------------------------------------------------------------------- */

/* Maps of all kinds, a verdict that asks for a value, a record's tail behind. */
static struct building *whole(struct arena *a)
{
	struct building *b = raw_begin(a, RAW_DEVICE, "cgroup/dev");
	uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "pid:4 comm:16", "value:8", 64);
	uint32_t signs = raw_map(b, "SIGNS", RAW_PERCPU, "minor:4", "value:-2", 8);
	uint32_t cells = raw_map(b, "CELLS", RAW_ARRAY, "index:4", "value:4", 4);
	uint32_t hist = raw_map(b, "HIST", RAW_HISTOGRAM, "slot:4", "value:8", RAW_SLOTS);
	uint32_t events = raw_map(b, "EVENTS", RAW_RING, "", "pid:4 comm:16", 4096);
	raw_lost(b);
	b->policy->audit = AUDIT_DENIED;
	term minor = term_input(b->ts, IN_MINOR), found;
	struct step *s = raw_put(b, STEP_ADD, counts);
	raw_arg(s, number(term_input(b->ts, IN_PID)));
	raw_arg(s, the_comm());
	s->operand = number(constant(b, 1));
	raw_set(b, signs, number(minor), number(constant(b, -5)));
	raw_add(b, hist, number(constant(b, 3)), constant(b, 1));
	term first = raw_get(b, cells, number(constant(b, 0)), &found);
	s = raw_put(b, STEP_OUT, events);
	raw_arg(s, number(term_input(b->ts, IN_PID)));
	raw_arg(s, the_comm());
	b->raw->result = term_ite(b->ts, term_lt(b->ts, first, constant(b, 3)), constant(b, 1), constant(b, 0));
	b->policy->rules[0].match = term_lt(b->ts, raw_asks(b, first), constant(b, 3));
	b->raw->license = "GPL";
	raw_object(b);
	return b;
}

static void write_file(const struct bytes *object, char path[32])
{
	strcpy(path, "/tmp/devguard-raw-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, object->data, object->len) == (ssize_t)object->len);
	close(fd);
}

/* What a command prints, in one line. */
static const char *output(struct arena *a, const char *command)
{
	char line[4096];
	const char *all = "";
	FILE *f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		all = arena_printf(a, "%s%s", all, line);
	if (pclose(f))
		fail_msg("%s:\n%s", command, all);
	return all;
}

static void bpftool_shows_fields_by_name(void **state)
{
	struct arena *a = *state;
	struct building *b = whole(a);
	char path[32];
	const char *pin = arena_printf(a, "/sys/fs/bpf/devguard-raw-%d", getpid());
	if (geteuid() || access("/sys/fs/bpf", W_OK) || system("command -v bpftool >/dev/null"))
		skip();
	write_file(&b->object, path);
	output(a, arena_printf(a, "bpftool prog loadall %s %s 2>&1", path, pin));
	unlink(path);
	const char *lines = output(a, arena_printf(a, "bpftool prog dump xlated pinned %s/* linum 2>&1", pin));
	const char *each = arena_printf(a, "bpftool -j prog show pinned %s/* | jq -r '.map_ids[]' | while read i; do "
	                                   "bpftool -j map show id $i; done", pin);
	const char *maps = output(a, each);
	const char *update = "id=$(%s | jq -r 'select(.name == \"%s\") | .id'); bpftool map update id $id key %s value %s && "
	                     "bpftool -j map dump id $id | jq -c '.[0].formatted // .[0]'";
	const char *counts = output(a, arena_printf(a, update, each, "COUNTS", "7 0 0 0 98 97 115 104 0 0 0 0 0 0 0 0 0 0 0 0",
	                                            "9 0 0 0 0 0 0 0"));
	const char *cells = output(a, arena_printf(a, update, each, "CELLS", "0 0 0 0", "255 255 255 255"));
	char *remove = arena_printf(a, "rm -r %s", pin);
	assert_int_equal(system(remove), 0);
	assert_non_null(strstr(lines, "line_num:6 "));
	static const char *const shown[] = {
		"\"type\":\"hash\",\"name\":\"COUNTS\"", "\"type\":\"percpu_hash\",\"name\":\"SIGNS\"",
		"\"type\":\"array\",\"name\":\"CELLS\"", "\"type\":\"array\",\"name\":\"HIST\"",
		"\"type\":\"ringbuf\",\"name\":\"EVENTS\"", "\"name\":\"devguard_lost\"", "\"name\":\"devguard_tally\""};
	for (size_t i = 0; i < COUNT(shown); i++)
		if (!strstr(maps, shown[i]))
			fail_msg("no %s in\n%s", shown[i], maps);
	same_text("COUNTS", counts, "{\"key\":{\"pid\":7,\"comm\":\"bash\"},\"value\":9}\n");
	same_text("CELLS", cells, "{\"key\":0,\"value\":4294967295}\n");
}

static void an_object_is_read_back(void **state)
{
	struct arena *a = *state;
	struct building *b = whole(a);
	struct diags d;
	struct policy *p;
	struct policy_diagram pd;
	struct image image;
	struct bytes again;
	diags_init(&d, a);
	if (object_read(a, &d, "raw.o", b->object.data, b->object.len, &p, &image))
		fail_msg("%s", d.items[0].text);
	assert_int_equal(image.steps, b->image.steps);
	assert_int_equal(image.tail, b->image.tail);
	assert_int_equal(image.nrelocs, b->image.nrelocs);
	for (size_t i = 0; i < image.nrelocs; i++) {
		assert_int_equal(image.relocs[i].insn, b->image.relocs[i].insn);
		assert_int_equal(image.relocs[i].target, b->image.relocs[i].target);
	}
	assert_null(image_check(a, &image, p));
	if (prove_image(p, &d, &pd, &image))
		fail_msg("%s", d.items[0].text);
	assert_int_equal(object_write(p, &image, &d, &again), 0);
	assert_int_equal(again.len, b->object.len);
	assert_memory_equal(again.data, b->object.data, again.len);
}

/* Is it read, with a program that is proven? */
static bool taken(struct arena *a, const void *object, size_t len)
{
	struct diags d;
	struct policy *p;
	struct policy_diagram pd;
	struct image image;
	diags_init(&d, a);
	return !object_read(a, &d, "raw.o", object, len, &p, &image) && !image_check(a, &image, p) &&
	       !prove_image(p, &d, &pd, &image);
}

/* The object with the first `from` in it as `to`. */
static bool taken_with(struct arena *a, struct bytes object, const void *from, const void *to, size_t len)
{
	unsigned char *copy = memcpy(arena_alloc(a, object.len), object.data, object.len);
	unsigned char *at = memmem(copy, object.len, from, len);
	assert_non_null(at);
	memcpy(at, to, len);
	return taken(a, copy, object.len);
}

/* An object whose license or section was changed, or its mark of where it decides, is refused. */
static void changed_objects_are_refused(void **state)
{
	struct building *b = whole(*state);
	const uint64_t steps = b->image.steps * 8, mark[2] = {steps, 0}; /* the last symbol's value; its size is 0 */
	assert_false(taken_with(*state, b->object, "GPL", "MIT", 4));
	assert_false(taken_with(*state, b->object, "cgroup/dev", "kprobe/dev", 11));
	assert_false(taken_with(*state, b->object, ".relcgroup/dev", ".rehcgroup/dev", 15));
	for (int by = -16; by <= 16; by += 8)
		assert_int_equal(taken_with(*state, b->object, mark, (const uint64_t[2]){steps + (uint64_t)by, 0}, sizeof mark), by == 0);
}

static void a_program_of_a_policy_does_no_steps(void **state)
{
	struct arena *a = *state;
	struct building *b = whole(a);
	static const struct image_line line = {0, 1, 0};
	static const int helpers[] = {BPF_FUNC_trace_printk, BPF_FUNC_ktime_get_ns, BPF_FUNC_get_smp_processor_id,
	                              BPF_FUNC_probe_read_kernel, BPF_FUNC_map_delete_elem, BPF_FUNC_ringbuf_output};
	struct policy plain = *b->policy;
	plain.raw = NULL;
	for (size_t i = 0; i < COUNT(helpers); i++) {
		const struct bpf_insn insns[] = {{.code = BPF_JMP | BPF_CALL, .imm = helpers[i]}, {.code = BPF_JMP | BPF_EXIT}};
		struct image image = {.insns = insns, .ninsns = 2, .lines = &line, .nlines = 1, .tail = 2};
		assert_string_equal(image_check(a, &image, &plain), "its calls");
		assert_string_equal(image_check(a, &image, b->policy), "its calls");
		image.steps = 1;
		assert_string_equal(image_check(a, &image, &plain), "its steps");
		assert_null(image_check(a, &image, b->policy));
	}
	assert_string_equal(image_check(a, &b->image, &plain), "its steps");
	assert_null(image_check(a, &b->image, b->policy));
}

/* Lines of a file that is not the program's own are not told as lines of it. */
static void lines_are_those_of_the_steps(void **state)
{
	struct building *b = raw_begin(*state, RAW_DEVICE, "cgroup/dev");
	raw_print(b, "here");
	raw_print(b, "there")->at.file = "other.rb";
	raw_print(b, "and here");
	b->policy->rules[0].at.file = b->raw->at.file = "methods.rb";
	raw_print(b, "and there")->at.file = "methods.rb";
	raw_object(b);
	static const struct { int line; uint32_t file; } want[] = {{5, 1}, {6, 0}, {0, 0}, {8, 0}, {9, 1}, {5, 1}};
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(b->image.lines[i].line, want[i].line);
		assert_int_equal(b->image.lines[i].file, want[i].file);
	}
}

/* What a program needs is what its steps call, in a section where that is not old. */
static void needs_are_those_of_the_steps(void **state)
{
	struct kernel_need needs[KERNEL_NEEDS_MAX];
	for (int section = RAW_DEVICE; section <= RAW_KPROBE; section++) {
		struct building *b = raw_begin(*state, (enum raw_section)section, section ? "kprobe/f" : "cgroup/dev");
		struct step *s = raw_print(b, "%s %d");
		raw_arg(s, the_comm());
		raw_arg(s, number(term_input(b->ts, IN_PID)));
		raw_object(b);
		size_t n = image_needs(b->policy, &b->image, 0, needs);
		assert_int_equal(n, section == RAW_DEVICE ? 2 : 0);
		if (n)
			assert_int_equal(needs[0].major * 100 + needs[0].minor, 601);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(helpers_of_the_gpl_need_its_license),
		ARENA_TEST(what_makes_no_sense_is_said_at_its_line),
		ARENA_TEST(a_stack_that_is_too_small_is_said),
		ARENA_TEST(the_context_is_read_where_the_kernel_lets_it),
		ARENA_TEST(bpftool_shows_fields_by_name),
		ARENA_TEST(an_object_is_read_back),
		ARENA_TEST(changed_objects_are_refused),
		ARENA_TEST(a_program_of_a_policy_does_no_steps),
		ARENA_TEST(lines_are_those_of_the_steps),
		ARENA_TEST(needs_are_those_of_the_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
