/*
 * foreign_notes.c - where the tool a list is from does otherwise than the list
 * says: read off its rules, so that the one who imports it can see it.
 *
 * runc, crun, systemd and LXC ask their rules about all accesses of a request
 * together, the last rule first: one that lacks a letter does not match. So a rule
 * that denies only writing lets reading and writing pass, and two rules that allow
 * one each refuse it. n entries take about n steps.
 */
#include "policy/foreign_internal.h"

/* What a cell's `last` holds here: 1 + the last entry with those letters. */
enum letters { WITH_READ, WITH_WRITE, WITH_BOTH, LETTERS };

static unsigned slot(int type, enum letters which)
{
	return (type == DEV_CHAR ? LETTERS : 0) + (unsigned)which;
}

static const struct foreign_entry *last_of(const struct foreign *f, const struct cell *const *cells, size_t n,
                                           int type, enum letters which)
{
	uint32_t last = 0;
	for (size_t i = 0; i < n; i++)
		if (cells[i]->last[0][slot(type, which)] > last)
			last = cells[i]->last[0][slot(type, which)];
	return last ? &f->entries[last - 1] : NULL;
}

static bool whole(const struct foreign_entry *e)
{
	return e->major == FOREIGN_ANY && e->minor == FOREIGN_ANY && e->types == (DEV_CHAR | DEV_BLOCK) &&
	       e->access == ACC_ALL;
}

/* Exactly one of reading and writing. */
static bool half(const struct foreign_entry *e)
{
	return !(e->access & ACC_READ) != !(e->access & ACC_WRITE);
}

static void remember(struct cells *c, const struct foreign_entry *e, size_t i)
{
	struct cell *cells[4];
	cells_telling(c, e->major, e->minor, cells);
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t k = 0; k < 4 && e->types & type; k++) {
			uint32_t *last = cells[k]->last[0];
			if (e->access & ACC_READ)
				last[slot(type, WITH_READ)] = (uint32_t)i + 1;
			if (e->access & ACC_WRITE)
				last[slot(type, WITH_WRITE)] = (uint32_t)i + 1;
			if (e->access & ACC_READ && e->access & ACC_WRITE)
				last[slot(type, WITH_BOTH)] = (uint32_t)i + 1;
		}
}

/* Of one type of an entry that has exactly one of r and w. */
static const char *half_note(struct arena *a, const struct foreign *f, const struct cells *c,
                             const struct foreign_entry *e, int type, const char *tool)
{
	const struct cell *cells[4] = {0};
	const struct foreign_entry *both, *other;
	if (!e->allow) {
		both = last_of(f, cells, cells_meeting(c, e->major, e->minor, cells), type, WITH_BOTH);
		return both && both->allow ? arena_printf(a, "%s O_RDWR pass here: a rule with %c alone does not match it", tool,
		                                          e->access & ACC_READ ? 'r' : 'w')
		                           : NULL;
	}
	size_t n = cells_covering(c, e->major, e->minor, cells);
	both = last_of(f, cells, n, type, WITH_BOTH);
	other = last_of(f, cells, n, type, e->access & ACC_READ ? WITH_WRITE : WITH_READ);
	if (!other || !other->allow || (both && both->allow))
		return NULL;
	return arena_printf(a, "%s O_RDWR here: no rule by itself has both r and w", tool);
}

static bool taken_by_runtime(const struct foreign *f, const struct foreign_entry *e)
{
	for (const struct foreign_entry *b = f->added; b < f->added + f->nadded; b++)
		if (b->types & e->types && b->access & e->access & (ACC_READ | ACC_WRITE) && b->major == e->major &&
		    (b->minor == e->minor || b->minor == FOREIGN_ANY || e->minor == FOREIGN_ANY))
			return true;
	return false;
}

static const char *note_of(struct arena *a, const struct foreign *f, const struct cells *c,
                           const struct foreign_entry *e)
{
	static const char *const let[FOREIGN_FORMATS] = {"runc and crun let", "runc lets", "systemd lets", "LXC lets"};
	static const char *const refuse[FOREIGN_FORMATS] = {"runc and crun refuse", "runc refuses", "systemd refuses",
	                                                    "LXC refuses"};
	const char *note = NULL;
	if (f->format == FOREIGN_OCI && e->types == (DEV_CHAR | DEV_BLOCK) && !whole(e))
		return "runc takes type a as every device and all accesses";
	if (!e->allow && taken_by_runtime(f, e))
		return "runc and crun allow it all the same: every container has it";
	if (f->format == FOREIGN_LXC && !e->v2)
		return NULL;
	for (int type = DEV_BLOCK; type <= DEV_CHAR && half(e) && !note; type++)
		if (e->types & type)
			note = half_note(a, f, c, e, type, e->allow ? refuse[f->format] : let[f->format]);
	return note;
}

/* With `a` denied LXC's program has allow rules only, with `a` allowed only deny
 * rules; with nothing else it makes none. */
static void compare_lxc(struct arena *a, struct foreign *f)
{
	bool denied = true, any = false, rule = false, v2 = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct foreign_entry *e = &f->entries[i];
		v2 |= e->v2;
		if (!e->v2)
			continue;
		rule |= !whole(e);
		any |= whole(e);
		denied = whole(e) ? !e->allow : denied;
	}
	if (v2 && any && denied && !rule)
		foreign_note(a, f, "On cgroup v2 LXC leaves every device open: deny = a alone makes no program.");
	for (size_t i = 0; i < f->n && v2; i++) {
		struct foreign_entry *e = &f->entries[i];
		if (e->v2 && !whole(e) && e->allow != denied)
			e->note = denied ? "LXC does not enforce it on cgroup v2: it takes allow lines only"
			                 : "LXC does not need it on cgroup v2: with allow = a it takes deny lines only";
	}
	if (v2 && !any && f->default_allow)
		foreign_note(a, f, "On cgroup v2 LXC denies everything else too: no line says allow = a.");
}

void foreign_compare(struct arena *a, struct foreign *f)
{
	struct cells c;
	bool any = false; /* without halves nothing needs remembering */
	cells_init(&c, a);
	for (size_t i = 0; i < f->n; i++)
		any |= half(&f->entries[i]);
	for (size_t i = 0; i < f->n; i++) {
		struct foreign_entry *e = &f->entries[i];
		if (e->named)
			continue;
		e->note = note_of(a, f, &c, e);
		if (any)
			remember(&c, e, i);
	}
	if (f->format == FOREIGN_LXC)
		compare_lxc(a, f);
}
