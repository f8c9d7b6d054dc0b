/*
 * coverage_text.c - decisions and cases in words.
 */
#include "cmd/coverage.h"
#include "policy/arena.h"

#include <string.h>

/* "major 195"; types and accesses by their letters. */
static const char *value_text(struct arena *a, uint32_t input, int64_t value)
{
	char letters[4];
	if (input == IN_TYPE)
		return value == DEV_BLOCK ? "b" : "c";
	if (input == IN_ACCESS || input == IN_REQUESTED)
		return arena_strdup(a, access_text((int)(value & ACC_ALL), letters));
	if (value == ID_NONE && input < IN_PARAM_0 && input_kind((enum input)input) == FACT_OR_NONE)
		return "unset";
	return arena_printf(a, "%lld", (long long)value);
}

const char *decision_text(struct arena *a, const struct mutant_record *m)
{
	char letters[4];
	const char *what = "";
	switch ((enum mutant_kind)m->kind) {
	case MUTANT_DEFAULT: return "the default";
	case MUTANT_RULE: return "the rule";
	case MUTANT_VERDICT: return "its verdict";
	case MUTANT_VALUE:
		what = arena_printf(a, "%s %s%s%s", input_name((enum input)m->input), value_text(a, m->input, m->value),
		                    m->other == m->value ? "" : ", not ", m->other == m->value ? "" : value_text(a, m->input, m->other));
		break;
	case MUTANT_LETTER:
		what = arena_printf(a, "%s%s", !*m->text ? "access " : m->inside ? "" : "not ",
		                    access_text((int)(m->value & ACC_ALL), letters));
		break;
	case MUTANT_CONDITION:
		return arena_printf(a, "%s is %s", m->text, m->value ? "false" : "true");
	default: break;
	}
	return *m->text ? arena_printf(a, "%s: %s", m->text, what) : what;
}

const char *case_text(struct arena *a, const struct found_case *k)
{
	return arena_printf(a, "%s %s", k->allow ? "allow" : "deny", request_words(a, &k->request));
}
