/* v1.c - devices.list of the v1 controller: nothing but rules, one a line. */
#include "policy/import/internal.h"

int foreign_v1(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct lines l = {.d = d, .out = out, .file = file, .rest = {text, len}};
	foreign_start(d, FOREIGN_V1, file, out);
	while (lines_next(&l)) {
		struct fault f = {.arena = d->arena};
		struct foreign_entry e = {.allow = true, .file = file, .place = (uint32_t)l.line};
		if (!l.text.n || l.text.s[0] == '#')
			continue;
		if (foreign_rule(&f, l.text, true, &e)) {
			lines_fail(&l, &f);
			continue;
		}
		if (e.types == (DEV_CHAR | DEV_BLOCK) && e.major == FOREIGN_ANY && e.minor == FOREIGN_ANY)
			foreign_note(d->arena, out, "The kernel lists a *:* alone while everything is allowed: what was "
			                            "denied after it is not in such a list.");
		foreign_add(d->arena, out, e);
	}
	if (!out->n) {
		out->silent = "the list is empty: nothing in it is about devices";
		out->silent_hint = "the kernel lists nothing where it denies everything: for that write the policy "
				   "default :deny; --empty-is-allow allows every device instead";
	}
	return d->errors ? -1 : 0;
}
