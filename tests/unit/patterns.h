/* patterns.h - device patterns that must parse, and texts that must not. */
#ifndef DEVGUARD_TESTS_PATTERNS_H
#define DEVGUARD_TESTS_PATTERNS_H

#include "policy/device.h"
#include "policy/names.h"
#include "policy/request.h"
#include "policy/text.h"
#include "tests/unit/fixture.h"
#include "policy/host.h"

#define LETTERS_HINT "letters are r, w and m"

/* The canonical text of a pattern that parses. */
static inline const char *parsed(struct arena *a, const char *text, struct pattern *p)
{
	const char *error = "not set", *hint = "not set";
	if (pattern_parse(a, &host_here, text, p, &error, &hint))
		fail_msg("%s: %s (%s)", text, error, hint);
	assert_null(error);
	assert_null(hint);
	same_text("text as written", p->text, text);
	return pattern_text(a, p);
}

static inline void refused(struct arena *a, const char *text, const char *want, const char *want_hint)
{
	struct pattern p = {.types = 77};
	const char *error = NULL, *hint = NULL;
	if (pattern_parse(a, &host_here, text, &p, &error, &hint) == 0)
		fail_msg("%s is accepted", text);
	assert_int_equal(p.types, 77);
	same_text(text, error, want);
	same_text(error, hint, want_hint);
}

#endif
