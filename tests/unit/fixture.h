/*
 * fixture.h - what every unit test starts with: cmocka and the headers it must
 * have before it, a test with an arena as its state, texts compared.
 */
#ifndef DEVGUARD_TESTS_FIXTURE_H
#define DEVGUARD_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policy/arena.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline int arena_setup(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static inline int arena_teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* A test with an arena of its own as *state. */
#define ARENA_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

/* Equal texts, or both NULL. */
static inline void same_text(const char *what, const char *got, const char *want)
{
	if (!got || !want ? got != want : strcmp(got, want) != 0)
		fail_msg("%s:\n  got  %s\n  want %s", what, got ? got : "NULL", want ? want : "NULL");
}

#endif
