/*
 * settle.c - what a list leaves open is decided by the one who imports it,
 * and told: a file that says nothing about devices, lines that name what is not
 * there, a list whose own meaning is that everything is allowed.
 *
 * Nothing found never means that everything is allowed, unless somebody says so.
 */
#include "policy/import/internal.h"

enum { SKIPS_SHOWN = 20 };

static struct span place_of(const struct foreign *f, const struct foreign_skip *s)
{
	return (struct span){.file = s->file ? s->file : f->file, .line = s->file ? (int)s->line : 0};
}

/* "argument 2: ", where there is no line to name. */
static const char *before(struct diags *d, const struct foreign *f, const struct foreign_skip *s)
{
	if (f->format == FOREIGN_DOCKER && !s->file)
		return arena_printf(d->arena, "argument %u: ", s->line);
	if (f->format == FOREIGN_INSPECT)
		return arena_printf(d->arena, "HostConfig.%s[%u]: ", foreign_member(false, s->in_requests), s->line);
	return "";
}

static int settle_skipped(struct diags *d, const struct foreign *f, bool fails)
{
	size_t missing = 0;
	for (size_t i = 0; i < f->nskipped; i++) {
		const struct foreign_skip *s = &f->skipped[i];
		bool error = fails && s->missing;
		missing += error;
		if (i < SKIPS_SHOWN || (error && missing == 1))
			diag_add(d, error ? DIAG_ERROR : DIAG_WARNING, place_of(f, s), error || !s->missing || s->near ? s->hint : NULL,
			         "%s%s%s", before(d, f, s), s->why, error ? "" : ": left out");
	}
	if (f->nskipped > SKIPS_SHOWN)
		diag_add(d, missing ? DIAG_ERROR : DIAG_WARNING, (struct span){.file = f->file}, NULL,
		         "and so for %zu more lines", f->nskipped - SKIPS_SHOWN);
	return missing ? -1 : 0;
}

int foreign_settle(struct diags *d, struct foreign *f, bool empty_is_allow, bool skip_missing)
{
	struct span at = {.file = f->file};
	int rc = settle_skipped(d, f, !skip_missing);
	if (f->silent && !empty_is_allow) {
		diag_add(d, DIAG_ERROR, at, f->silent_hint, "%s", f->silent);
		return -1;
	}
	if (f->silent) {
		f->default_allow = true;
		f->open = "nothing in it is about devices, which --empty-is-allow takes as meant";
	}
	if (rc == 0 && f->open)
		diag_add(d, DIAG_WARNING, at, "for a policy that denies, write: default :deny",
		         "EVERY DEVICE IS ALLOWED: %s", f->open);
	return rc;
}
