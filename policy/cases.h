/* cases.h - NAME.cases files: requests with the verdicts they should get. */
#ifndef DEVGUARD_POLICY_CASES_H
#define DEVGUARD_POLICY_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/diag.h"
#include "policy/request.h"

struct test_case {
	struct request request;
	bool allow;       /* the verdict expected */
	struct span at;
};
struct cases {
	struct test_case *items;
	size_t n, cap;
};
/* Parses a cases text (`allow c 1:3 rw [key=value...]`, `deny ...`, # comments,
 * blank lines). `deny b 8:0-15 w` is a case for each of the sixteen devices. `file` names it in diagnostics. 0 or -1; every bad line is
 * reported, none skipped silently. */
int cases_parse(struct diags *d, const char *file, const char *text, size_t len, struct cases *out);

#endif
