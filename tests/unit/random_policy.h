/* random_policy.h - policies by chance: lists of devices, and rules that ask about the caller. */
#ifndef DEVGUARD_TESTS_RANDOM_POLICY_H
#define DEVGUARD_TESTS_RANDOM_POLICY_H

#include "tests/unit/policy_files.h"

static inline const char *random_numbers(struct arena *a, struct rng *g, uint32_t most)
{
	uint32_t lo = below(g, most), more = below(g, 4);
	switch (below(g, 5)) {
	case 0: return "*";
	case 1: return arena_printf(a, "%u-%u", lo, lo + more);
	case 2: return arena_printf(a, "%u,%u", lo, lo + 2 + more);
	default: return arena_printf(a, "%u", lo);
	}
}

static inline const char *random_condition(struct arena *a, struct rng *g)
{
	static const char *const facts[] = {
		"c.uid == 0", "c.uid != 1000", "c.gid < 5", "[3, 7, 9].include?(c.gid)", "c.uptime > 60", "c.pid == 1", "c.read?", "!c.write?",
		"c.mknod?", "c.minor == c.gid", "c.minor % 3 == 1", "c.requested == 6", "c.uid.between?(500, 1500)", "c.comm == \"qemu\"",
		"c.major + c.gid == 9", "c.comm.start_with?(\"sh\")", "c.comm == \"qemu-system-x86\"",
	};
	enum { FACTS = sizeof facts / sizeof *facts };
	const char *one = facts[below(g, FACTS)], *two = facts[below(g, FACTS)];
	return below(g, 2) ? one : arena_printf(a, "%s %s %s", one, below(g, 2) ? "&&" : "||", two);
}

static inline const char *random_policy(struct arena *a, struct rng *g, bool callers)
{
	static const char *const letters[] = {"", " r", " w", " rw", " m", " rm", " rwm"};
	const char *text = below(g, 3) ? "" : "default :allow\n";
	for (uint32_t n = 1 + below(g, 8); n; n--) {
		const char *device = arena_printf(a, "\"%c %s:%s%s\"", "cba"[below(g, 3)], random_numbers(a, g, 8), random_numbers(a, g, 12),
		                                  letters[below(g, 7)]);
		const char *verb = below(g, 3) ? "allow" : "deny";
		text = callers && below(g, 2) ? arena_printf(a, "%s%s(%s) { |c| %s }\n", text, verb, device, random_condition(a, g))
		                              : arena_printf(a, "%s%s %s\n", text, verb, device);
	}
	return text;
}

#endif
