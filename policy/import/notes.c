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

static bool is_lxc(const struct foreign *f)
{
	return f->format == FOREIGN_LXC || f->format == FOREIGN_PROXMOX;
}

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

static const char *and_also(struct arena *a, const char *note, const char *more)
{
	return note && more ? arena_printf(a, "%s; %s", note, more) : note ? note : more;
}

/* A rule with some letters matches a request without any. */
static const char *denies_existence(const struct foreign_entry *e, const char *text)
{
	return !e->allow && e->access != ACC_ALL ? text : NULL;
}

static const char *oci_note(const struct view *v, const struct foreign_entry *e, bool hole, const char *note)
{
	struct arena *a = v->arena;
	if (e->no_letters)
		return whole(e) ? "runc does not start with it: access is missing"
		                : "runc does not start with it, crun passes over it: access is missing";
	if (e->types == EVERY_TYPE && !whole(e))
		return "runc takes type a as every device and all accesses";
	if (hole)
		note = and_also(a, "runc does not start with it: it cannot take a part out of a wider entry", note);
	bool open = v->all && v->all->allow;
	if (open)
		note = and_also(a, note, denies_existence(e, "runc denies access(F_OK)"));
	if (!e->allow && e->access & ACC_MKNOD && !whole(e) && (open || e->major != FOREIGN_ANY))
		note = and_also(a, note, "crun lets the node be made: every container may");
	return note;
}

static const char *note_of(const struct view *v, const struct foreign_entry *e)
{
	const char *note = NULL;
	bool hole = false;
	if (is_lxc(v->f) && !e->v2)
		return NULL;
	if (!is_lxc(v->f) && !e->allow && every_container_has(v->f, e))
		return "runc and crun allow it all the same: every container has it";
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++) {
		if (!(e->types & type))
			continue;
		if (half(e) && !note)
			note = e->allow ? allows_half(v, e, type) : denies_half(v, e, type);
		hole |= v->f->format == FOREIGN_OCI && e->types != EVERY_TYPE && makes_hole(v, e, type);
	}
	return v->f->format == FOREIGN_OCI ? oci_note(v, e, hole, note) : note;
}

/* What LXC's program is made of: `a` alone forgets the rules before it, and is allowed unless
 * a line says otherwise. */
struct lxc_list {
	bool denied, any, rule; /* `a` is denied, some line says so; a rule is left */
};

static struct lxc_list lxc_takes(const struct foreign *f)
{
	struct lxc_list l = {.denied = true};
	for (size_t i = 0; i < f->n; i++) {
		const struct foreign_entry *e = &f->entries[i];
		l.rule = !e->lone && (l.rule || (!e->passed_over && (e->allow || !e->path)));
		l.any |= e->lone;
		l.denied = e->lone ? !e->allow : l.denied;
	}
	return l;
}

static const char *lxc_note(struct arena *a, const struct foreign_entry *e, bool denied)
{
	if (e->path && !e->allow)
		return "LXC passes over it: only a line that allows takes a path";
	if (whole(e) && e->allow && !e->lone)
		return "LXC does not start with it: it takes a alone";
	if (!denied && !e->allow)
		return and_also(a, e->note, denies_existence(e, "LXC denies access(F_OK)"));
	if (whole(e) || e->allow == denied)
		return e->note;
	return denied ? "LXC does not enforce it on cgroup v2: it takes allow lines only"
	              : "LXC does not take it on cgroup v2: with allow = a only deny lines count, before it too";
}

/* With `a` denied LXC's program has allow rules only, with `a` allowed only deny
 * rules; with nothing else it makes none. */
static void compare_lxc(struct arena *a, struct foreign *f)
{
	struct lxc_list l = lxc_takes(f);
	if (f->n ? !f->entries[0].v2 : !f->nskipped)
		return;
	if (l.any && l.denied && !l.rule && !f->nadded)
		foreign_note(a, f, "On cgroup v2 LXC leaves every device open: deny = a alone makes no program.");
	if (!l.any && !l.rule && !f->nadded)
		foreign_note(a, f, "On cgroup v2 LXC leaves every device open: it passes over every line.");
	for (size_t i = 0; i < f->n; i++)
		if (!f->entries[i].passed_over)
			f->entries[i].note = lxc_note(a, &f->entries[i], l.denied);
	if (!l.any && l.rule && !f->nadded && !f->entries[0].allow && !whole(&f->entries[0]))
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
		if (!e->passed_over)
			e->note = note_of(&v, e);
		if (e->types == EVERY_TYPE)
			v.all = e;
		if (remembers)
			remember(&v.cells, e, i);
	}
	if (is_lxc(f))
		compare_lxc(a, f);
}
