/*
 * words.c - the words in which audit and stats tell a decision: rule,
 * access, verdict.
 */
#include "cmd/audit/audit.h"

#include <string.h>

void rule_text(const struct rule_name *name, uint32_t rule, char out[RULE_TEXT])
{
	size_t n = 0;
	if (name && name->line && name->file[0]) {
		n = text_escape(out, RULE_TEXT / 2, name->file, strnlen(name->file, sizeof name->file));
		n += (size_t)snprintf(out + n, 16, ":%u", name->line);
	}
	const char *label = name && name->label[0] ? name->label : rule == 0 ? "default" : "";
	if (*label && n)
		out[n++] = ' ';
	if (*label)
		text_escape(out + n, RULE_TEXT - n, label, strnlen(label, sizeof name->label));
	else if (!n)
		snprintf(out, RULE_TEXT, "rule %u", rule);
}

static const char *access_word(int access)
{
	switch (access) {
	case ACC_MKNOD: return "mknod";
	case ACC_READ: return "read";
	case ACC_WRITE: return "write";
	default: return "none";
	}
}

void access_words(int decided, int requested, char out[ACCESS_WORDS])
{
	char letters[8];
	if (decided == requested)
		snprintf(out, ACCESS_WORDS, "%s", access_word(decided));
	else
		snprintf(out, ACCESS_WORDS, "%s (of %s)", access_word(decided),
		         access_text(requested & ACC_ALL, letters));
}

void access_set_words(int access, char out[ACCESS_WORDS])
{
	bool two = access & ACC_READ && access & ACC_WRITE;
	snprintf(out, ACCESS_WORDS, "%s", two ? "read, write" : access_word(access & ACC_ALL));
}

const char *verdict_word(int verdict, uint32_t flags)
{
	return verdict ? "allow" : flags & EVENT_PERMISSIVE ? "permitted" : "deny";
}

const char *audit_word(int audit)
{
	return audit >= AUDIT_NONE && audit <= AUDIT_ALL ? audit_words[audit] : "?";
}

const char *mode_word(int mode)
{
	return mode >= MODE_ENFORCE && mode <= MODE_PERMISSIVE ? mode_words[mode] : "?";
}

void rule_json(json_t *o, const struct rule_name *name, uint32_t rule)
{
	bool placed = name && name->line && name->file[0];
	json_object_set_new(o, "rule", json_integer(rule));
	json_object_set_new(o, "label", name && name->label[0] ? text_json(name->label)
	                                : rule == 0            ? json_string("default")
	                                                       : json_null());
	json_object_set_new(o, "file", placed ? text_json(name->file) : json_null());
	json_object_set_new(o, "line", placed ? json_integer(name->line) : json_null());
}
