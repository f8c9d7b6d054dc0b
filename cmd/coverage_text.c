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

/* The bytes of a name, which need no quotes in a case when they have no blanks. */
static const char *comm_text(struct arena *a, const int64_t half[2])
{
	char name[COMM_SIZE];
	for (int i = 0; i < COMM_SIZE; i++)
		name[i] = (char)((uint64_t)half[i / 8] >> 8 * (i % 8));
	return arena_strndup(a, name, strnlen(name, COMM_SIZE - 1));
}

const char *case_text(struct arena *a, const struct case_record *k)
{
	const struct request_record *r = &k->request;
	char letters[4];
	const char *text = arena_printf(a, "%s %c %lld:%lld %s", k->allow ? "allow" : "deny", r->type == DEV_BLOCK ? 'b' : 'c',
	                                (long long)r->major, (long long)r->minor, access_text(r->access, letters));
	for (enum input in = IN_UID; in < IN_COMM_0; in++)
		if (r->known & 1u << in)
			text = arena_printf(a, "%s %s=%lld", text, input_name(in), (long long)r->fact[in]);
	if (r->known & 1u << IN_COMM_0)
		text = arena_printf(a, "%s %s=%s", text, input_name(IN_COMM_0), comm_text(a, &r->fact[IN_COMM_0]));
	return text;
}
