/*
 * test_task.c - readers of the calling task, as code and in objects: what they may do, that libbpf opens an object with them,
 * and that nothing of them can be changed without being refused.
 */
#include "tests/unit/task_program.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

static bool is_jump(const struct bpf_insn *in)
{
	uint8_t class = BPF_CLASS(in->code), op = BPF_OP(in->code);
	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static bool is_helper(int number)
{
	static const int helpers[] = {BPF_FUNC_map_lookup_elem, BPF_FUNC_get_current_task, BPF_FUNC_get_current_task_btf,
	                              BPF_FUNC_probe_read_kernel, BPF_FUNC_get_current_ancestor_cgroup_id};
	for (size_t i = 0; i < COUNT(helpers); i++)
		if (helpers[i] == number)
			return true;
	return false;
}

/* Forward jumps within it, few functions of the kernel, little stack; each place of a field has its record. */
static void test_code(void **state)
{
	(void)state;
	struct setup s = begin();
	for (int r = 0; r < READERS; r++) {
		struct reader_code code = reader_code(s.arena, (enum reader)r);
		size_t record = 0;
		assert_true(code.longest > 0 && code.longest <= code.ninsns);
		assert_int_equal(code.insns[code.ninsns - 1].code, BPF_JMP | BPF_EXIT);
		for (size_t i = 0; i < code.ninsns; i++) {
			const struct bpf_insn *in = &code.insns[i];
			bool recorded = record < code.nrecords && code.records[record].insn == i;
			record += recorded;
			if (is_jump(in))
				assert_true(in->off >= 0 && i + 1 + (size_t)in->off < code.ninsns);
			if (in->code == (BPF_JMP | BPF_CALL))
				assert_true(is_helper(in->imm));
			if (BPF_CLASS(in->code) == BPF_STX || BPF_CLASS(in->code) == BPF_ST)
				assert_true(in->dst_reg == BPF_REG_10 && in->off >= -READER_STACK && in->off < 0);
			if (recorded)
				assert_true(BPF_CLASS(in->code) == BPF_LDX || BPF_CLASS(in->code) == BPF_ALU64);
		}
		assert_int_equal(record, code.nrecords);
	}
	arena_free(s.arena);
}

/* No two fields of a structure at one place; what readers of different facts look at differs. */
static void test_fields(void **state)
{
	(void)state;
	struct setup s = begin();
	for (int i = 0; i < TASK_FIELDS; i++)
		for (int k = 0; k < i; k++) {
			enum task_field x = (enum task_field)i, y = (enum task_field)k;
			if (task_fields[x].shape == FIELD_INSIDE || task_fields[y].shape == FIELD_INSIDE || field_root(x) != field_root(y))
				continue;
			assert_int_not_equal(field_offset(x), field_offset(y));
			assert_string_not_equal(field_path(s.arena, x), field_path(s.arena, y));
		}
	assert_string_equal(field_path(s.arena, FIELD_NS_INUM), "0:0:0");
	assert_int_equal(field_root(FIELD_NS_INUM), STRUCT_USER_NS);
	assert_string_equal(field_path(s.arena, FIELD_GROUPS_GID), "0:1:0");
	for (int r = 0; r < READERS; r++)
		for (int k = 0; k < r; k++) {
			struct reader_code x = reader_code(s.arena, (enum reader)r), y = reader_code(s.arena, (enum reader)k);
			size_t n = x.ninsns < y.ninsns ? x.ninsns : y.ninsns;
			assert_int_not_equal(memcmp(x.insns, y.insns, n * sizeof *x.insns), 0);
		}
	arena_free(s.arena);
}

static void test_argument(void **state)
{
	(void)state;
	const struct { const char *path; int parts; } paths[] = {{"/", 0}, {"/a", 1}, {"/system.slice/x.service", 2}};
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct ask ask = {.kind = ASK_UNDER, .number = 5, .text = paths[i].path};
		assert_int_equal(reader_argument(&ask), paths[i].parts);
	}
	struct ask ask = {.kind = ASK_GROUP, .number = UINT32_MAX - 1};
	assert_int_equal(reader_argument(&ask), UINT32_MAX - 1);
}

static void test_listing(void **state)
{
	(void)state;
	static const char *const shown[] = {
		"call euid", "; euid: read of the calling task", "; task_struct.real_cred", "; cred.euid", "; ns_common.inum",
		"; is there a cgroup.ancestor_ids", "= &who", "call get_current_task_btf#", "call probe_read_kernel#",
		"call get_current_ancestor_cgroup_id#"};
	struct setup s = begin();
	struct arena_stream stream;
	struct image all = task_image_all(s.arena);
	emit_asm(arena_stream(s.arena, &stream), task_policy(s.arena, AUDIT_NONE), &all);
	const char *text = arena_text(s.arena, &stream);
	for (size_t i = 0; i < COUNT(shown); i++)
		if (!strstr(text, shown[i]))
			fail_msg("%s", shown[i]);
	assert_null(strchr(text, '?'));
	for (int r = 0; r < READERS; r++)
		assert_non_null(strstr(text, arena_printf(s.arena, "; %s: read of", reader_name((enum reader)r))));
	arena_free(s.arena);
}

/* ---- objects ------------------------------------------------------------------------------- */

static void test_round_trip(void **state)
{
	(void)state;
	for (int r = 0; r <= READERS; r++) {
		struct setup s = begin();
		struct policy *p = task_policy(s.arena, r % 2 ? AUDIT_DENIED : AUDIT_NONE), *q;
		struct image in = task_image_all(s.arena), out;
		if (r < READERS && r % 2)
			in = task_image(s.arena, (enum reader)r, 7);
		struct bytes o = write_object(s.arena, p, &in), again;
		assert_int_equal(object_read(s.arena, diags_of(&s), "x.o", o.data, o.len, &q, &out), 0);
		assert_int_equal(out.ninsns, in.ninsns);
		assert_memory_equal(out.insns, in.insns, in.ninsns * sizeof(struct bpf_insn));
		assert_int_equal(out.nrelocs, in.nrelocs);
		assert_memory_equal(out.relocs, in.relocs, in.nrelocs * sizeof *in.relocs);
		again = write_object(s.arena, q, &out);
		assert_int_equal(again.len, o.len);
		assert_memory_equal(again.data, o.data, o.len);
		arena_free(s.arena);
	}
}

/* Reading takes memory by the length of a program, not by its calls times the readers. */
static void test_many_calls(void **state)
{
	(void)state;
	enum { CALLS = 20000 };
	struct setup s = begin(), t = begin();
	struct code c = {.arena = s.arena};
	struct policy *q;
	struct image out;
	for (int i = 0; i < CALLS; i++)
		task_call(&c, READER_EUID);
	code_add(&c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	struct image in = {.insns = c.insns, .ninsns = c.n, .lines = c.lines, .nlines = c.nlines, .relocs = c.relocs,
	                   .nrelocs = c.nrelocs, .tail = c.n};
	struct bytes o = write_object(s.arena, task_policy(s.arena, AUDIT_NONE), &in);
	assert_int_equal(object_read(t.arena, diags_of(&t), "x.o", o.data, o.len, &q, &out), 0);
	assert_int_equal(out.nrelocs, CALLS);
	assert_true(arena_size(t.arena) < 4 << 20);
	arena_free(s.arena);
	arena_free(t.arena);
}

/* Without readers there is nothing of them; the map is there when a reader asks it. */
static void test_only_when_called(void **state)
{
	(void)state;
	static const struct { enum reader r; bool who; } readers[] = {
		{READER_EUID, false}, {READER_GROUP, false}, {READER_CAPABLE, false}, {READER_EXE, true}, {READER_PARENT_EXE, true},
		{READER_UNDER, true}, {READER_SESSION, false}};
	struct setup s = begin();
	struct bytes none = write_object(s.arena, sample(s.arena), &image);
	assert_null(section(none, ".text").data);
	assert_null(memmem(none.data, none.len, "task_struct", 11));
	for (size_t i = 0; i < COUNT(readers); i++) {
		struct image one = task_image(s.arena, readers[i].r, 0);
		struct bytes o = write_object(s.arena, task_policy(s.arena, AUDIT_DENIED), &one);
		struct bpf_object *object = bpf_object__open_mem(o.data, o.len, NULL);
		assert_non_null(object);
		assert_int_equal(bpf_object__find_map_by_name(object, WHO_MAP_NAME) != NULL, readers[i].who);
		assert_int_equal(section(o, ".text").len, reader_code(s.arena, readers[i].r).ninsns * 8);
		bpf_object__close(object);
	}
	arena_free(s.arena);
}

/* A bit of a part of an object changed: refused, for each of them. */
static void each_bit_refused(struct bytes o, struct bytes part, size_t step)
{
	unsigned char *copy = malloc(o.len);
	memcpy(copy, o.data, o.len);
	assert_non_null(part.data);
	for (size_t i = (size_t)(part.data - o.data), end = i + part.len; i < end; i += step)
		for (int bit = 0; bit < 8; bit++) {
			copy[i] ^= (unsigned char)(1 << bit);
			if (!try_read(copy, o.len))
				fail_msg("byte %zu of %zu, bit %d", i - (size_t)(part.data - o.data), part.len, bit);
			copy[i] = o.data[i];
		}
	free(copy);
}

/* Where the types and texts for readers end. */
static struct bytes first_part(struct bytes btf, size_t at, const char *last)
{
	uint32_t where, len;
	memcpy(&where, btf.data + at, sizeof where);
	memcpy(&len, btf.data + at + 4, sizeof len);
	const unsigned char *begin = btf.data + 24 + where, *end = memmem(begin, len, last, strlen(last) + 1);
	assert_non_null(end);
	return (struct bytes){begin, (size_t)(end - begin) + strlen(last) + 1};
}

static void test_damage(void **state)
{
	(void)state;
	struct setup s = begin();
	struct image in = task_image(s.arena, READER_CAPABLE, 0);
	struct bytes o = write_object(s.arena, task_policy(s.arena, AUDIT_DENIED), &in), ext = section(o, ".BTF.ext");
	each_bit_refused(o, section(o, ".text"), 1);
	each_bit_refused(o, section(o, ".rel.text"), 1);
	uint32_t records[2];
	memcpy(records, ext.data + 24, sizeof records);
	each_bit_refused(o, (struct bytes){ext.data + 32 + records[0], records[1]}, 1);
	each_bit_refused(o, (struct bytes){ext.data + 4, 4}, 1);
	each_bit_refused(o, (struct bytes){ext.data + 24, 8}, 1);
	each_bit_refused(o, first_part(section(o, ".BTF"), 16, ".text"), 1);
	struct bytes types = section(o, ".BTF");
	types.data += 24 + 5 * 16; /* behind the integers: structures up to the one of a cgroup */
	types.len = 700;
	each_bit_refused(o, types, 7);
	/* an object without readers has no place for records */
	struct bytes none = write_object(s.arena, sample(s.arena), &image);
	each_bit_refused(none, (struct bytes){section(none, ".BTF.ext").data + 4, 4}, 1);
	arena_free(s.arena);
}

/* One reader in another's place, with everything else as it should be. */
static void test_exchanged(void **state)
{
	(void)state;
	struct setup s = begin();
	struct image euid = task_image(s.arena, READER_EUID, 0), egid = task_image(s.arena, READER_EGID, 0);
	struct policy *p = task_policy(s.arena, AUDIT_DENIED), *q;
	struct bytes x = write_object(s.arena, p, &euid), y = write_object(s.arena, p, &egid);
	struct image out;
	assert_int_equal(x.len, y.len);
	unsigned char *copy = arena_alloc(s.arena, x.len);
	memcpy(copy, x.data, x.len);
	memcpy(copy + (section(x, ".text").data - x.data), section(y, ".text").data, section(y, ".text").len);
	assert_int_equal(try_read(copy, x.len), -1); /* the records say euid */
	memcpy(copy + (section(x, ".BTF.ext").data - x.data), section(y, ".BTF.ext").data, section(y, ".BTF.ext").len);
	assert_int_equal(object_read(s.arena, diags_of(&s), "x.o", copy, x.len, &q, &out), 0);
	assert_int_equal(out.relocs[1].target, TARGET_READER + READER_EGID); /* what it reads is what counts, whatever it is called */
	arena_free(s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_argument),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_many_calls),
		cmocka_unit_test(test_only_when_called),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_exchanged),
	};
	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
