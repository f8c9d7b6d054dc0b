/*
 * compare_count.c - how many requests a boolean function is true of, for some caller.
 *
 * A request is a type, a set of accesses that the kernel asks together, a major and a minor number. Behind
 * them, in the order of the inputs, stand facts about the caller and free variables: what is left of the
 * function for an interval of majors and one of minors is a cell. Of a cell without free variables the answer
 * is exact. One with them is divided until each part has an answer, or the work that it may take is done; what
 * is then not told counts as most, not as least.
 */
#include "policy/compare_internal.h"

#include <string.h>

enum { WORK = 40 * 1000 * 1000, WORK_OF_A_CELL = 20 * 1000, SETS = 5 };
#define DEVICE (INPUT(IN_MAJOR) | INPUT(IN_MINOR))

/* Devices whose requests have the same answer. */
struct cell {
	node answer;
	int type, set;
	struct interval majors, minors;
	uint64_t times; /* how many such there are, alike */
};

struct counting {
	struct search s;
	struct counted *out;
	struct cell *cells; /* those with free variables */
	size_t ncells, cap;
	struct table unique;
};

static uint64_t size_of(struct interval v)
{
	return (uint64_t)(v.hi - v.lo) + 1;
}

/* ---- what is below a node ------------------------------------------------------------------ */

static void note_below(struct counting *c, const node *roots, size_t nroots)
{
	struct search *s = &c->s;
	size_t n = diagram_nodes(s->dg);
	const bool *below = diagram_below(s->arena, s->dg, roots, nroots);
	s->callers = arena_alloc(s->arena, n + 1);
	s->reads = arena_alloc(s->arena, (n + 1) * sizeof *s->reads);
	for (node k = 0; k < n; k++) {
		struct switch_node sw = {0};
		if (!below[k])
			continue;
		sw = node_switch(s->dg, k);
		if (sw.var >= INPUT_MAX)
			s->reads[k] = HAS_FREE | diagram_var_inputs(s->dg, sw.var);
		for (uint32_t i = 0; i < sw.n; i++)
			s->reads[k] |= sw.edges[i].to & TERMINAL_BIT ? 0 : s->reads[sw.edges[i].to];
	}
}

static input_set reads(const struct counting *c, node n)
{
	return n & TERMINAL_BIT ? 0 : c->s.reads[n];
}

/* ---- one request ------------------------------------------------------------------------------ */

/* A device of the intervals that people know, or the first. */
static void choose_device(struct request *r, struct interval majors, struct interval minors)
{
	static const struct { int type; int64_t major, minor; } known[] = {
		{DEV_CHAR, 1, 1}, {DEV_CHAR, 1, 3}, {DEV_CHAR, 10, 229}, {DEV_CHAR, 5, 0}, {DEV_CHAR, 195, 0}, {DEV_BLOCK, 8, 0},
	};
	r->major = majors.lo;
	r->minor = minors.lo;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].type == r->type && majors.lo <= known[i].major && known[i].major <= majors.hi &&
		    minors.lo <= known[i].minor && known[i].minor <= minors.hi) {
			r->major = known[i].major;
			r->minor = known[i].minor;
			return;
		}
}

static void keep(struct counting *c, const struct cell *cell, struct interval majors, struct interval minors, bool any_device)
{
	struct counted *out = c->out;
	if (out->found)
		return;
	out->found = true;
	out->one = (struct request){.type = cell->type, .access = cell->set, .major = majors.lo, .minor = minors.lo};
	if (any_device)
		choose_device(&out->one, majors, minors);
	memcpy(out->one.fact, c->s.fact, sizeof out->one.fact);
}

/* ---- cells ---------------------------------------------------------------------------------------- */

static void count_exact(struct counting *c, const struct cell *cell)
{
	uint64_t n = size_of(cell->majors) * size_of(cell->minors);
	if (!caller_exists(&c->s, cell->answer))
		return;
	c->out->least += n;
	c->out->most += n;
	if (c->out->found)
		return;
	caller_choose(&c->s, cell->answer);
	keep(c, cell, cell->majors, cell->minors, true);
}

static bool same_cell(const struct cell *x, const struct cell *y)
{
	return x->answer == y->answer && x->majors.lo == y->majors.lo && x->majors.hi == y->majors.hi &&
	       x->minors.lo == y->minors.lo && x->minors.hi == y->minors.hi;
}

/* A cell with free variables, or one more like one that is there. What no condition reads makes no difference. */
static void add(struct counting *c, struct cell cell)
{
	input_set in = reads(c, cell.answer);
	if (!(in & INPUT(IN_MAJOR))) {
		cell.times *= size_of(cell.majors);
		cell.majors.hi = cell.majors.lo;
	}
	if (!(in & INPUT(IN_MINOR))) {
		cell.times *= size_of(cell.minors);
		cell.minors.hi = cell.minors.lo;
	}
	uint64_t h = table_mix(cell.answer, in & DEVICE);
	h = in & INPUT(IN_MAJOR) ? table_mix(table_mix(h, (uint64_t)cell.majors.lo), (uint64_t)cell.majors.hi) : h;
	h = in & INPUT(IN_MINOR) ? table_mix(table_mix(h, (uint64_t)cell.minors.lo), (uint64_t)cell.minors.hi) : h;
	for (struct table_look l = table_look(&c->unique, (uint32_t)h); table_next(&c->unique, &l);) {
		struct cell *same = &c->cells[l.place], alike = cell;
		if (!(in & INPUT(IN_MAJOR)))
			alike.majors = same->majors;
		if (!(in & INPUT(IN_MINOR)))
			alike.minors = same->minors;
		if (same_cell(same, &alike)) {
			same->times += cell.times;
			return;
		}
	}
	table_add(&c->unique, c->s.arena, (uint32_t)h, (uint32_t)c->ncells);
	*ARENA_PUSH(c->s.arena, c->cells, c->ncells, c->cap) = cell;
}

static void see(struct counting *c, const struct cell *cell)
{
	if (reads(c, cell->answer) & HAS_FREE)
		add(c, *cell);
	else if (cell->answer != NODE_FALSE)
		count_exact(c, cell);
}

/* ---- the walk over devices -------------------------------------------------------------------------- */

static void walk(struct counting *c, enum input in, node n, struct cell cell)
{
	static const int64_t most[] = {[IN_MAJOR] = MAJOR_MAX, [IN_MINOR] = MINOR_MAX};
	struct switch_node sw = {0};
	bool asks = !(n & TERMINAL_BIT) && (sw = node_switch(c->s.dg, n)).var == in;
	if (n == NODE_FALSE)
		return;
	for (uint32_t i = 0; i < (asks ? sw.n : 1); i++) {
		struct interval v = {asks ? switch_edge_lo(c->s.dg, &sw, i) : 0, asks ? sw.edges[i].hi : most[in]};
		v.hi = v.hi > most[in] ? most[in] : v.hi;
		if (v.lo > v.hi)
			break;
		*(in == IN_MAJOR ? &cell.majors : &cell.minors) = v;
		cell.answer = asks ? sw.edges[i].to : n;
		if (in == IN_MAJOR)
			walk(c, IN_MINOR, cell.answer, cell);
		else
			see(c, &cell);
	}
}

/* ---- division ---------------------------------------------------------------------------------------- */

static void not_told(struct counting *c, uint64_t n)
{
	c->out->most += n;
	if (c->s.hangs)
		c->out->hangs = diagram_free_term(c->s.dg, INPUT_MAX + c->s.hangs - 1);
}

static void divide(struct counting *c, const struct cell *cell, struct interval majors, struct interval minors)
{
	struct search *s = &c->s;
	uint64_t n = size_of(majors) * size_of(minors) * cell->times;
	s->lo[IN_TYPE] = s->hi[IN_TYPE] = cell->type;
	s->lo[IN_REQUESTED] = s->hi[IN_REQUESTED] = cell->set;
	s->lo[IN_ACCESS] = s->hi[IN_ACCESS] = 0;
	s->lo[IN_MAJOR] = majors.lo, s->hi[IN_MAJOR] = majors.hi;
	s->lo[IN_MINOR] = minors.lo, s->hi[IN_MINOR] = minors.hi;
	enum exists e = caller_for_each(s, cell->answer);
	if (e == NEVER)
		return;
	if (e == ALWAYS) {
		c->out->least += n;
		c->out->most += n;
		keep(c, cell, majors, minors, false);
		return;
	}
	if (s->work <= 0 || (majors.lo == majors.hi && minors.lo == minors.hi)) {
		not_told(c, n);
		return;
	}
	bool major = size_of(majors) * (MINOR_MAX / MAJOR_MAX) > size_of(minors) || minors.lo == minors.hi;
	major = major && majors.lo < majors.hi;
	struct interval *v = major ? &majors : &minors, whole = *v;
	int64_t mid = v->lo + (v->hi - v->lo) / 2;
	v->hi = mid;
	divide(c, cell, majors, minors);
	*v = (struct interval){mid + 1, whole.hi};
	divide(c, cell, majors, minors);
}

void requests_counted(struct arena *a, struct diagrams *dg, struct terms *ts, node n, struct counted *out)
{
	static const int sets[SETS] = {ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD, 0};
	struct arena *scratch = arena_scratch(a);
	struct counting c = {.s = {.arena = scratch, .dg = dg, .ts = ts, .nfree = dg->nfree}, .out = out};
	node of[DEV_CHAR + 1][SETS];
	*out = (struct counted){.hangs = T_FALSE};
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t i = 0; i < SETS; i++)
			of[type][i] = diagram_restrict(dg, diagram_restrict(dg, n, IN_TYPE, type), IN_REQUESTED, sets[i]);
	c.s.free = arena_alloc(scratch, (dg->nfree + 1) * sizeof *c.s.free);
	c.s.against = arena_alloc(scratch, 4 * dg->nfree * dg->nfree * (dg->nfree <= RELATED_MAX) + 1);
	c.s.literals = arena_alloc(scratch, (dg->nfree + 1) * sizeof *c.s.literals);
	c.s.skip = arena_alloc(scratch, dg->nfree + 1);
	note_below(&c, &of[DEV_BLOCK][0], (size_t)2 * SETS);
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--)
		for (size_t i = 0; i < SETS; i++)
			walk(&c, IN_MAJOR, of[type][i], (struct cell){.type = type, .set = sets[i], .times = 1});
	long long left = WORK;
	for (size_t i = 0; i < c.ncells; i++) {
		long long share = left / (long long)(c.ncells - i), least = left < WORK_OF_A_CELL ? left : WORK_OF_A_CELL;
		c.s.work = share > least ? share : least;
		left -= c.s.work;
		c.s.hangs = 0;
		divide(&c, &c.cells[i], c.cells[i].majors, c.cells[i].minors);
		left += c.s.work > 0 ? c.s.work : 0;
		left = left < 0 ? 0 : left;
	}
	arena_free(scratch);
}
