/* A policy compiled from text, for tests of what the compiler makes of it. */
#ifndef DEVGUARD_TESTS_COMPILED_H
#define DEVGUARD_TESTS_COMPILED_H

#include "compiler/compiler.h"
#include "tests/unit/fixture.h"
#include "policy/host.h"

struct compiled {
	struct arena *arena;
	struct diags diags;
	struct ruby *ruby;
	struct policy *policy;
	struct policy_diagram pd;
	struct image image;
};

static inline struct compiled compiled_of(const char *text)
{
	struct compiled c = {.arena = arena_new()};
	diags_init(&c.diags, c.arena);
	if (ruby_compile(c.arena, &c.diags, &host_here, "t.rb", text, strlen(text), NULL, 0, &c.ruby, &c.policy) ||
	    compile_policy(c.policy, &c.diags, &c.pd, &c.image))
		fail_msg("%s", c.diags.n ? c.diags.items[0].text : "failed");
	return c;
}

static inline void compiled_free(struct compiled *c)
{
	ruby_close(c->ruby);
	arena_free(c->arena);
}

#endif
