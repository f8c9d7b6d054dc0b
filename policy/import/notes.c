/*
 * notes.c - where the tool a list is from does otherwise than the list
 * says: read off its rules, so that the one who imports it can see it.
 *
 * Their programs ask the rules about all accesses of a request together: a rule
 * that lacks a letter does not match. So with crun, systemd and LXC a rule that
 * denies only writing lets O_RDWR pass, and two rules that allow one letter each
 * refuse it. runc puts entries about the same numbers together first; it refuses
 * to take a part out of a wider entry. n entries take about n steps.
 */
#include "policy/import/internal.h"

enum { EVERY_TYPE = DEV_CHAR | DEV_BLOCK };

/* What a cell holds here: 1 + the last entry with those letters. */
enum letters { WITH_READ, WITH_WRITE, WITH_BOTH, WITH_MKNOD };

static uint32_t *last_in(struct cell *c, int type, enum letters which)
{
	enum { EACH = PLANES / 2 };
	return which == WITH_MKNOD ? &c->last[1][type] : &c->last[0][(type == DEV_CHAR ? EACH : 0) + (int)which];
}

static const struct foreign_entry *last_of(const struct foreign *f, const struct cell *const *cells, size_t n,
                                           int type, enum letters which)
{
	uint32_t last = 0;
	for (size_t i = 0; i < n; i++)
		if (*last_in((struct cell *)cells[i], type, which) > last)
			last = *last_in((struct cell *)cells[i], type, which);
	return last ? &f->entries[last - 1] : NULL;
}

static bool whole(const struct foreign_entry *e)
{
	return e->major == FOREIGN_ANY && e->minor == FOREIGN_ANY && e->types == EVERY_TYPE && e->access == ACC_ALL;
}

/* Exactly one of reading and writing. */
static bool half(const struct foreign_entry *e)
{
	return !(e->access & ACC_READ) != !(e->access & ACC_WRITE);
}

static bool same_pair(const struct foreign_entry *e, const struct foreign_entry *o)
{
	return e->major == o->major && e->minor == o->minor;
}

static void remember(struct cells *c, const struct foreign_entry *e, size_t i)
{
	struct cell *cells[4];
	uint32_t number = (uint32_t)i + 1;
	cells_telling(c, e->major, e->minor, cells);
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t k = 0; k < 4 && e->types & type; k++) {
			if (e->access & ACC_READ)
				*last_in(cells[k], type, WITH_READ) = number;
			if (e->access & ACC_WRITE)
				*last_in(cells[k], type, WITH_WRITE) = number;
			if (e->access & ACC_READ && e->access & ACC_WRITE)
				*last_in(cells[k], type, WITH_BOTH) = number;
			if (e->access & ACC_MKNOD)
				*last_in(cells[k], type, WITH_MKNOD) = number;
		}
}

/* ---- one entry ------------------------------------------------------------------- */

struct view {
	struct arena *arena;
	const struct foreign *f;
	struct cells cells;            /* of the entries before */
	const struct foreign_entry *all; /* the last of type a: for runc the mode */
};

static const char *linear_tool(const struct foreign *f)
{
	return f->format == FOREIGN_OCI ? "crun" : f->format == FOREIGN_SYSTEMD ? "systemd" : "LXC";
}

/* Denies one of r and w. */
static const char *denies_half(const struct view *v, const struct foreign_entry *e, int type)
{
	const struct cell *cells[4] = {0};
	size_t n = cells_meeting(&v->cells, e->major, e->minor, cells);
	const struct foreign_entry *both = last_of(v->f, cells, n, type, WITH_BOTH);
	bool runc = v->f->format == FOREIGN_OCI && v->all && v->all->allow;
	if (!both || !both->allow)
		return NULL;
	return arena_printf(v->arena, "%s O_RDWR pass here: a rule with %c alone does not match it",
	                    runc ? "runc and crun let" : arena_printf(v->arena, "%s lets", linear_tool(v->f)),
	                    e->access & ACC_READ ? 'r' : 'w');
}

/* Allows one of r and w, where another entry allows the other. */
static const char *allows_half(const struct view *v, const struct foreign_entry *e, int type)
{
	const struct cell *cells[4] = {0};
	const struct foreign *f = v->f;
	size_t n = cells_covering(&v->cells, e->major, e->minor, cells);
	const struct foreign_entry *both = last_of(f, cells, n, type, WITH_BOTH);
	const struct foreign_entry *other = last_of(f, cells, n, type, e->access & ACC_READ ? WITH_WRITE : WITH_READ);
	if (!other || !other->allow || (both && both->allow))
		return NULL;
	bool runc = !same_pair(e, other) && !(v->all && v->all->allow);
	if (f->format == FOREIGN_DOCKER || f->format == FOREIGN_INSPECT || f->format == FOREIGN_COMPOSE)
		return runc ? "runc refuses O_RDWR here: no rule by itself has both r and w" : NULL;
	return arena_printf(v->arena, "%s O_RDWR here: no rule by itself has both r and w",
	                    f->format == FOREIGN_OCI && runc
	                            ? "runc and crun refuse"
	                            : arena_printf(v->arena, "%s refuses", linear_tool(f)));
}

/* Takes something out of an entry about more numbers than its own. */
static bool makes_hole(const struct view *v, const struct foreign_entry *e, int type)
{
	static const struct { int access; enum letters which; } letters[] = {
		{ACC_READ, WITH_READ}, {ACC_WRITE, WITH_WRITE}, {ACC_MKNOD, WITH_MKNOD}};
	const struct cell *cells[4] = {0};
	size_t n = cells_covering(&v->cells, e->major, e->minor, cells);
	if (e->allow == (v->all && v->all->allow))
		for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
			if (!(e->access & letters[i].access))
				continue;
			for (size_t k = 0; k < n; k++) {
				const struct foreign_entry *o = last_of(v->f, &cells[k], 1, type, letters[i].which);
				if (o && o > v->all && o->allow != e->allow && !same_pair(o, e))
					return true;
			}
		}
	return false;
}

static bool is_lxc(const struct foreign *f)
{
	return f->format == FOREIGN_LXC || f->format == FOREIGN_PROXMOX;
}

static bool every_container_has(const struct foreign *f, const struct foreign_entry *e)
{
	for (size_t i = 0; i < f->nadded; i++) {
		const struct foreign_entry *b = &f->added[i];
		if (b->types & e->types && b->access & e->access & (ACC_READ | ACC_WRITE) && b->major == e->major &&
		    (b->minor == e->minor || b->minor == FOREIGN_ANY || e->minor == FOREIGN_ANY))
			return true;
	}
	return false;
}

static const char *note_of(const struct view *v, const struct foreign_entry *e)
{
	enum foreign_format format = v->f->format;
	const char *note = NULL;
	bool hole = false;
	if (format == FOREIGN_OCI && e->types == EVERY_TYPE && !whole(e))
		return "runc takes type a as every device and all accesses";
	if (is_lxc(v->f) && !e->v2)
		return NULL;
	if (!is_lxc(v->f) && !e->allow && every_container_has(v->f, e))
		return "runc and crun allow it all the same: every container has it";
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++) {
		if (!(e->types & type))
			continue;
		if (half(e) && !note)
			note = e->allow ? allows_half(v, e, type) : denies_half(v, e, type);
		hole |= format == FOREIGN_OCI && e->types != EVERY_TYPE && makes_hole(v, e, type);
	}
	if (!hole)
		return note;
	return arena_printf(v->arena, "runc does not start with it: it cannot take a part out of a wider entry%s%s",
	                    note ? "; " : "", note ? note : "");
}

/* With `a` denied LXC's program has allow rules only, with `a` allowed only deny
 * rules; with nothing else it makes none. */
static void compare_lxc(struct arena *a, struct foreign *f)
{
	bool denied = true, any = false, rule = false;
	if (!f->n || !f->entries[0].v2)
		return;
	for (size_t i = 0; i < f->n; i++) {
		const struct foreign_entry *e = &f->entries[i];
		rule = !e->lone;
		any |= e->lone;
		denied = e->lone ? !e->allow : denied;
	}
	if (any && denied && !rule && !f->nadded)
		foreign_note(a, f, "On cgroup v2 LXC leaves every device open: deny = a alone makes no program.");
	for (size_t i = 0; i < f->n; i++) {
		struct foreign_entry *e = &f->entries[i];
		if (!whole(e) && e->allow != denied)
			e->note = e->path && !e->allow ? "LXC passes over it: only a line that allows takes a path"
			          : denied ? "LXC does not enforce it on cgroup v2: it takes allow lines only"
			                   : "LXC does not need it on cgroup v2: with allow = a it takes deny lines only";
	}
	if (!any && !f->nadded && !f->entries[0].allow)
		foreign_note(a, f, "On cgroup v2 LXC denies everything else too: no line says allow = a.");
}

/* Is there anything a tool could do otherwise? Else nothing needs remembering. */
static bool worth_it(const struct foreign *f)
{
	bool other = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct foreign_entry *e = &f->entries[i];
		if (half(e))
			return true;
		other |= !whole(e) && (!e->allow || (i && whole(&f->entries[i - 1]) && f->entries[i - 1].allow));
	}
	return other;
}

void foreign_compare(struct arena *a, struct foreign *f)
{
	struct view v = {.arena = a, .f = f};
	bool remembers = worth_it(f);
	cells_init(&v.cells, a);
	for (size_t i = 0; i < f->n; i++) {
		struct foreign_entry *e = &f->entries[i];
		if (e->named)
			continue;
		e->note = note_of(&v, e);
		if (e->types == EVERY_TYPE)
			v.all = e;
		if (remembers)
			remember(&v.cells, e, i);
	}
	if (is_lxc(f))
		compare_lxc(a, f);
}
