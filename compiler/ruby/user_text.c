/*
 * user_text.c - String#inspect for handlers, which are given the names of processes: any bytes.
 *
 * What may be shown stands as it is. Else it is escaped as Ruby does it; characters that are invisible or turn text are
 * escaped too, though Ruby shows some of them.
 */
#include "compiler/ruby/user.h"
#include "policy/utf8.h"

#include <stdio.h>
#include <string.h>

mrb_value user_name_text(mrb_state *mrb, const char *s, size_t n)
{
	mrb_value out = mrb_str_new(mrb, NULL, 0);
	char escape[8];
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != 0x7f) {
			mrb_str_cat(mrb, out, s + i, 1);
			continue;
		}
		snprintf(escape, sizeof escape, "\\x%02X", c);
		mrb_str_cat_cstr(mrb, out, escape);
	}
	return out;
}

/* Appends the character at s, of which n bytes are left; how many bytes it has. */
static size_t inspect_one(mrb_state *mrb, mrb_value out, const char *s, size_t n)
{
	static const char plain[] = "\a\b\t\n\v\f\r\033\"\\", letters[] = "abtnvfre\"\\";
	char escape[16];
	uint32_t code = 0;
	const char *at = *s ? strchr(plain, *s) : NULL;
	size_t shown = utf8_shown(s, n), valid = shown ? shown : utf8_code(s, n, &code);
	bool inserts = *s == '#' && n > 1 && strchr("{$@", s[1]) && s[1];
	if (at)
		snprintf(escape, sizeof escape, "\\%c", letters[at - plain]);
	else if (inserts)
		snprintf(escape, sizeof escape, "\\#");
	else if (valid && !shown)
		snprintf(escape, sizeof escape, "\\u%04X", code);
	else if (!valid)
		snprintf(escape, sizeof escape, "\\x%02X", (unsigned char)*s);
	if (shown && !at && !inserts)
		mrb_str_cat(mrb, out, s, shown);
	else
		mrb_str_cat_cstr(mrb, out, escape);
	return valid ? valid : 1;
}

static mrb_value text_inspect(mrb_state *mrb, mrb_value self)
{
	mrb_value out = mrb_str_new_lit(mrb, "\"");
	mrb_get_args(mrb, "");
	for (mrb_int i = 0; i < RSTRING_LEN(self);)
		i += (mrb_int)inspect_one(mrb, out, RSTRING_PTR(self) + i, (size_t)(RSTRING_LEN(self) - i));
	return mrb_str_cat_lit(mrb, out, "\"");
}

void user_text_define(struct user *u)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	mrb_define_method(mrb, mrb->string_class, "inspect", text_inspect, MRB_ARGS_NONE());
}
