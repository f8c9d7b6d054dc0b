/*
 * test_task_decode.c - programs that read the calling task, read back from this kernel in each way that it takes: which
 * facts and questions they decide by. A program that does anything else in the place of a reader is none.
 */
#include "cgroup/dump.h"
#include "compiler/decode/decode.h"
#include "tests/unit/fixture.h"
#include "tests/unit/task_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

static const unsigned ways[] = {0, FEATURE_TASK_BTF, FEATURE_TASK_READ, FEATURE_TASK_BTF | FEATURE_TASK_READ};
static const char exe[] = "/usr/bin/x", parent[] = "/usr/bin/y", cgroup[] = "/a/b";

static int64_t value_of(const char *path)
{
	return path_value(path, strlen(path));
}

/* What is allowed by a reader's answer. */
static int64_t wanted(enum reader r)
{
	int64_t lo, hi;
	if (r == READER_EXE || r == READER_PARENT_EXE)
		return value_of(r == READER_EXE ? exe : parent);
	input_range(r < READER_GROUP ? (enum input)(IN_EUID + (int)r) : IN_ASK_0, &lo, &hi);
	return hi < 7 ? 1 : 7;
}

/* Minor n is allowed when the n-th reader answers so. */
static struct image program(struct arena *a)
{
	struct code c = {.arena = a};
	size_t *deny = arena_alloc(a, 3 * READERS * sizeof *deny), n = 0;
	load(&c, BPF_W, BPF_REG_7, BPF_REG_1, 8);
	for (int r = 0; r < READERS; r++) {
		size_t next = jump_if(&c, BPF_JNE, BPF_REG_7, r);
		if (r >= READER_GROUP)
			code_const(&c, BPF_REG_1, r == READER_GROUP ? 44 : r == READER_CAPABLE ? 17 : 2);
		if (r == READER_UNDER)
			code_imm64(&c, BPF_REG_2, value_of(cgroup));
		task_call(&c, (enum reader)r);
		deny[n++] = jump_if(&c, BPF_JSLT, BPF_REG_0, 0);
		code_imm64(&c, BPF_REG_1, wanted((enum reader)r));
		deny[n++] = code_add(&c, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
		code_const(&c, BPF_REG_0, 1);
		code_add(&c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		code_land(&c, next);
	}
	while (n)
		code_land(&c, deny[--n]);
	code_const(&c, BPF_REG_0, 0);
	code_add(&c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return (struct image){.insns = c.insns, .ninsns = c.n, .lines = c.lines, .nlines = c.nlines, .relocs = c.relocs,
	                      .nrelocs = c.nrelocs, .tail = c.n};
}

/* Into the kernel, and back. False: it does not take it. */
static bool read_back(struct arena *a, unsigned features, struct dump *out)
{
	struct image image = program(a);
	struct bytes o = write_object(a, task_policy(a, AUDIT_NONE), &image);
	struct bpf_object *object = bpf_object__open_mem(o.data, o.len, NULL);
	struct bpf_map *map;
	struct bpf_prog_info info = {0};
	struct diags said;
	uint32_t len = sizeof info;
	size_t size, n;
	assert_non_null(object);
	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			((struct image_header *)bpf_map__initial_value(map, &size))->features |= features;
	bool loaded = !bpf_object__load(object);
	if (loaded) {
		struct dump *list;
		size_t nlist;
		const struct dump_field *fields = decode_fields(a, &n);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(bpf_object__next_program(object, NULL)), &info, &len), 0);
		diags_init(&said, a);
		if (program_dump(a, &said, functions_new(a, fields, n), info.id, out))
			fail_msg("%s", said.items[said.n - 1].text);
		void *bytes = dumps_write(a, out, 1, &size); /* as it comes into the room */
		assert_true(bytes && dumps_read(a, bytes, size, &list, &nlist) && nlist == 1);
		*out = list[0];
	}
	bpf_object__close(object);
	return loaded;
}

struct reading { struct terms *ts; struct diagrams *dg; struct decoded out; };

static bool decode(struct arena *a, const struct dump *dump, bool named, struct reading *out)
{
	struct diags said;
	diags_init(&said, a);
	out->ts = terms_new(a);
	out->dg = diagrams_new(a, out->ts, ORDER_FACTS_LAST);
	for (size_t i = 0; i < 3 && named; i++)
		assert_non_null(asked_path(terms_asked(out->ts), ((const char *[]){exe, parent, cgroup})[i], i == 2, (struct span){0}));
	return !decode_program(a, &said, "it", dump, out->dg, out->ts, 0, &out->out);
}

static enum input input_of(const struct reading *got, enum reader r)
{
	const struct asked *as = terms_asked(got->ts);
	if (r < READER_GROUP)
		return (enum input)(IN_EUID + (int)r);
	for (size_t i = 0; i < as->nasks; i++)
		if (as->asks[i].kind == (enum ask_kind)(r - READER_GROUP))
			return (enum input)(IN_ASK_0 + (int)i);
	return INPUT_MAX;
}

static outcome ask(const struct reading *got, enum reader r, int64_t answer)
{
	int64_t in[INPUT_MAX] = {[IN_TYPE] = 2, [IN_REQUESTED] = 2, [IN_MAJOR] = 1, [IN_MINOR] = (int)r};
	int missing;
	enum input of = input_of(got, r);
	if (of < INPUT_MAX)
		in[of] = answer;
	return diagram_eval(got->dg, got->out.verdict, in, ~(input_set)0, &missing);
}

/* Is all of it understood, and decides as it was written? */
static bool is_whole(const struct reading *got)
{
	bool whole = !got->out.unknown;
	for (enum reader r = 0; r < READERS && whole; r++)
		whole = ask(got, r, wanted(r)) == OUT_ALLOW && ask(got, r, wanted(r) - 1) == OUT_DENY;
	return whole;
}

static void test_readers(void **state)
{
	struct arena *a = *state;
	for (size_t w = 0; w < COUNT(ways); w++) {
		struct dump dump;
		struct reading got;
		if (!read_back(a, ways[w], &dump))
			continue;
		assert_true(decode(a, &dump, true, &got));
		print_message("features %u: %zu instructions\n", ways[w], dump.ninsns);
		assert_int_equal(got.out.unknown, 0);
		for (enum reader r = 0; r < READERS; r++) {
			bool told = ways[w] != 0 || (r == READER_UNDER && input_of(&got, r) < INPUT_MAX); /* since 6.1 a function tells it */
			outcome yes = ask(&got, r, wanted(r)), no = ask(&got, r, wanted(r) - 1);
			if (no != OUT_DENY || (yes == OUT_ALLOW) != told)
				fail_msg("features %u: %s: %u %u", ways[w], reader_name(r), yes, no);
		}
		assert_int_equal(got.out.untold, !ways[w]);
	}
}

/* Questions whose answers are told by names, when there are none. */
static void test_without_names(void **state)
{
	struct arena *a = *state;
	for (size_t w = 1; w < COUNT(ways); w++) {
		struct dump dump;
		struct reading got;
		if (!read_back(a, ways[w], &dump))
			continue;
		assert_true(decode(a, &dump, false, &got));
		assert_int_equal(got.out.unknown, 3);
		assert_int_equal(diagram_inputs(a, got.dg, got.out.verdict) & (INPUT(IN_EXE) | INPUT(IN_PARENT_EXE)), 0);
	}
}

static size_t first_function(const struct dump *d)
{
	const struct bpf_insn *in = d->insns;
	size_t first = d->ninsns;
	for (size_t i = 0; i < d->ninsns; i++)
		if (in[i].code == (BPF_JMP | BPF_CALL) && in[i].src_reg == BPF_PSEUDO_CALL && i + 1 + (size_t)in[i].imm < first)
			first = i + 1 + (size_t)in[i].imm;
	return first;
}

/* Every change of an instruction of a reader is seen. What the kernel itself has written behind a look-up, and jumps that it
 * has left, have no other form that it would write. */
static void test_changed(void **state)
{
	struct arena *a = *state;
	size_t tried = 0;
	for (size_t w = 1; w < 3; w++) {
		struct dump dump;
		struct reading plain;
		if (!read_back(a, ways[w], &dump))
			continue;
		assert_true(decode(a, &dump, true, &plain) && (is_whole(&plain) || !(ways[w] & FEATURE_TASK_READ)));
		struct bpf_insn *insns = arena_alloc(a, dump.ninsns * sizeof *insns);
		const struct bpf_insn *was = dump.insns;
		struct dump changed = dump;
		changed.insns = insns;
		for (size_t i = first_function(&dump); i < dump.ninsns; i++) {
			bool left = (was[i].code == (BPF_JMP | BPF_JA)) || (was[i].code == (BPF_ALU64 | BPF_ADD | BPF_K) && !was[i].dst_reg) ||
			            was[i].code == (BPF_JMP | BPF_CALL) || was[i].code == (BPF_JMP | BPF_EXIT);
			for (int how = 0; how < 4 && !left; how++) {
				struct arena *own = arena_new();
				struct reading got;
				memcpy(insns, was, dump.ninsns * sizeof *insns);
				if (how == 0)
					insns[i].imm ^= 4;
				else if (how == 1 && BPF_CLASS(was[i].code) == BPF_LDX)
					insns[i].off += 4;
				else if (how == 2 && i && BPF_CLASS(was[i].code) != BPF_JMP && was[i - 1].code != (BPF_LD | BPF_DW | BPF_IMM))
					insns[i].dst_reg ^= 1;
				else if (how == 3 && BPF_CLASS(was[i].code) == BPF_JMP && was[i].code != (BPF_JMP | BPF_EXIT))
					insns[i].code ^= BPF_JEQ ^ BPF_JNE;
				if (memcmp(&insns[i], &was[i], sizeof *insns) && decode(own, &changed, true, &got) && is_whole(&got))
					fail_msg("features %u: instruction %zu (%02x) of %zu changed (%d), and nobody saw it", ways[w], i, was[i].code, dump.ninsns, how);
				tried += memcmp(&insns[i], &was[i], sizeof *insns) != 0;
				arena_free(own);
			}
		}
	}
	print_message("%zu changes\n", tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ARENA_TEST(test_readers), ARENA_TEST(test_without_names), ARENA_TEST(test_changed)};
	if (geteuid() || access("/sys/kernel/btf/vmlinux", R_OK)) {
		print_message("test_task_decode: skipped: not root, or the kernel does not tell its types\n");
		return 0;
	}
	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
