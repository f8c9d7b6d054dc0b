/*
 * test_author.c - whose hand a program shows. The programs are as the kernel gave them back of crun 1.21, runc 1.1,
 * LXC 6.0 and systemd 252, with fewer rules. Asks no kernel.
 */
#include "cgroup/cgroup.h"
#include "tests/unit/fixture.h"

#include <linux/bpf.h>
#include <string.h>

#define START                                                                                                \
	{0x61, 2, 1, 0, 0}, {0x54, 2, 0, 0, 0xffff}, {0x61, 3, 1, 0, 0}, {0x74, 3, 0, 0, 16}, {0x61, 4, 1, 4, 0}, \
		{0x61, 5, 1, 8, 0}
#define ACCESS(mask, off) {0xbc, 1, 3, 0, 0}, {0x54, 1, 0, 0, mask}, {0x5d, 1, 3, off, 0}
#define UNLIKE(reg, value, off) {0x55, reg, 0, off, value}
#define SET64(value) {0xb7, 0, 0, 0, value}
#define SET32(value) {0xb4, 0, 0, 0, value}
#define GO(off) {0x05, 0, 0, off, 0}
#define EXIT {0x95, 0, 0, 0, 0}

static const struct bpf_insn crun[] = {
	START,
	UNLIKE(2, 2, 4), UNLIKE(4, 5, 3), UNLIKE(5, 2, 2), SET64(1), EXIT,
	UNLIKE(2, 1, 5), ACCESS(1, 2), SET64(1), EXIT,
	SET64(0), EXIT,
};
static const struct bpf_insn runc[] = {
	START,
	UNLIKE(2, 1, 5), ACCESS(1, 2), SET32(1), EXIT,
	UNLIKE(2, 2, 4), UNLIKE(4, 1, 3), UNLIKE(5, 3, 2), SET32(1), EXIT,
	UNLIKE(2, 2, 3), UNLIKE(4, 136, 2), SET32(1), EXIT,
	SET32(0), EXIT,
};
static const struct bpf_insn lxc[] = {
	START,
	ACCESS(4, 5), UNLIKE(2, 2, 4), UNLIKE(4, 1, 3), UNLIKE(5, 3, 2), SET64(0), EXIT,
	SET64(1), EXIT,
};
static const struct bpf_insn crun_or_lxc[] = {
	START,
	UNLIKE(2, 2, 4), UNLIKE(4, 1, 3), UNLIKE(5, 3, 2), SET64(1), EXIT,
	SET64(0), EXIT,
};
static const struct bpf_insn systemd[] = {
	START,
	ACCESS(6, 4), UNLIKE(2, 2, 3), UNLIKE(4, 1, 2), UNLIKE(5, 3, 1), GO(4),
	UNLIKE(2, 2, 1), GO(2),
	SET64(0), GO(1), SET64(1), EXIT,
};
/* near misses */
static const struct bpf_insn wrong_target[] = {
	START, UNLIKE(2, 2, 4), UNLIKE(4, 5, 3), UNLIKE(5, 2, 4), SET64(1), EXIT, SET64(0), EXIT,
};
static const struct bpf_insn both_orders[] = {
	START, UNLIKE(2, 1, 5), ACCESS(1, 2), SET64(1), EXIT, ACCESS(1, 3), UNLIKE(2, 1, 2), SET64(1), EXIT, SET64(0), EXIT,
};
static const struct bpf_insn both_widths[] = {
	START, UNLIKE(2, 1, 2), SET64(1), EXIT, SET32(0), EXIT,
};
static const struct bpf_insn twice[] = {
	START, UNLIKE(2, 1, 3), UNLIKE(2, 2, 2), SET64(1), EXIT, SET64(0), EXIT,
};
static const struct bpf_insn more[] = {
	START, UNLIKE(2, 1, 2), SET64(1), EXIT, SET64(0), EXIT, EXIT,
};
static const struct bpf_insn two[] = {
	START, UNLIKE(2, 1, 2), SET64(2), EXIT, SET64(0), EXIT,
};
static const struct bpf_insn cut[] = {START, UNLIKE(2, 1, 2), SET64(1)};
static const struct bpf_insn other_jump[] = {
	START, UNLIKE(2, 2, 1), GO(1), SET64(0), GO(1), SET64(1), EXIT,
};
static const struct bpf_insn one[] = {SET64(1), EXIT};

#define PROGRAM(insns) insns, sizeof insns / sizeof *insns

static void shapes(void **state)
{
	static const struct {
		const struct bpf_insn *insns;
		size_t n;
		const char *author; /* NULL: not known */
		size_t rules;
		int otherwise;
	} all[] = {
		{PROGRAM(crun), "crun", 2, 0},
		{PROGRAM(runc), "runc", 3, 0},
		{PROGRAM(lxc), "LXC", 1, 1},
		{PROGRAM(crun_or_lxc), "crun or LXC", 1, 0},
		{PROGRAM(systemd), "systemd", 2, 0},
		{PROGRAM(wrong_target), NULL, 0, -1},
		{PROGRAM(both_orders), NULL, 0, -1},
		{PROGRAM(both_widths), NULL, 0, -1},
		{PROGRAM(twice), NULL, 0, -1},
		{PROGRAM(more), NULL, 0, -1},
		{PROGRAM(two), NULL, 0, -1},
		{PROGRAM(cut), NULL, 0, -1},
		{PROGRAM(other_jump), NULL, 0, -1},
		{PROGRAM(one), NULL, 0, -1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct author who;
		const char *name = author_of(all[i].insns, all[i].n, &who);
		if (strcmp(name ? name : "-", all[i].author ? all[i].author : "-"))
			fail_msg("program %zu: %s, expected %s", i, name ? name : "-", all[i].author ? all[i].author : "-");
		assert_int_equal(who.rules, all[i].rules);
		assert_int_equal(who.otherwise, all[i].otherwise);
		for (size_t n = 0; name && n < all[i].n; n++) /* no part of it is believed */
			assert_null(author_of(all[i].insns, n, &who));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shapes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
