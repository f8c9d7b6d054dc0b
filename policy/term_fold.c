/*
 * term_fold.c - operations, choices and comparisons, simplified where they are made.
 *
 * Every term carries a sound range of its values, by which comparisons fold. Each costs
 * amortised O(1) (a choice looks at the arms of a table).
 */
#include "policy/term_internal.h"

/* x + 0, x * 1, x & -1 ...: the operand itself, or no term (T_FALSE). */
static term identity(struct terms *ts, enum term_op op, term a, term b)
{
	int64_t k = ts->nodes[b].lo;
	if (ts->nodes[b].op != TERM_CONST)
		return T_FALSE;
	switch (op) {
	case TERM_ADD:
	case TERM_SUB:
	case TERM_BOR:
	case TERM_BXOR:
	case TERM_SHL:
	case TERM_SHR: return k == 0 ? a : T_FALSE;
	case TERM_MUL: return k == 1 ? a : k == 0 ? b : T_FALSE;
	case TERM_DIV: return k == 1 ? a : T_FALSE;
	case TERM_MOD: return k == 1 ? term_const(ts, 0) : T_FALSE;
	case TERM_BAND: return k == -1 ? a : k == 0 ? b : T_FALSE;
	default: return T_FALSE;
	}
}

/* a - (a / b) * b is a % b for every a and b: one form of both. */
static term as_modulo(struct terms *ts, term a, term b)
{
	const struct term_node *m = &ts->nodes[b];
	if (m->op != TERM_MUL)
		return T_FALSE;
	const struct term_node *x = &ts->nodes[m->a], *y = &ts->nodes[m->b];
	if (x->op == TERM_DIV && x->a == a && x->b == m->b)
		return term_op(ts, TERM_MOD, a, m->b);
	if (y->op == TERM_DIV && y->a == a && y->b == m->a)
		return term_op(ts, TERM_MOD, a, m->a);
	return T_FALSE;
}

/* ---- choices of integers ------------------------------------------------------- */

static bool is_op(const struct terms *ts, term t, enum term_op op)
{
	return ts->nodes[t].op == op;
}

static bool has_value(const struct terms *ts, term t, int64_t k)
{
	return is_op(ts, t, TERM_CONST) && ts->nodes[t].lo == k;
}

static struct term_range range_of(const struct terms *ts, term t)
{
	return (struct term_range){ts->nodes[t].lo, ts->nodes[t].hi};
}

/* ite(c, 1, 0) */
static bool is_flag(const struct terms *ts, term t)
{
	return is_op(ts, t, TERM_ITE) && has_value(ts, ts->nodes[t].a, 1) && has_value(ts, ts->nodes[t].b, 0);
}

enum { TABLE_MAX = 1024 };

/* A choice of constants (one after the other: a table) with a constant as the other operand: a
 * choice of constants again. */
static term each_arm(struct terms *ts, enum term_op op, term a, term b)
{
	bool left = is_op(ts, a, TERM_ITE);
	term k = left ? b : a, arms[TABLE_MAX], out = left ? a : b;
	size_t n = 0;
	if (!is_op(ts, k, TERM_CONST))
		return T_FALSE;
	while (is_op(ts, out, TERM_ITE) && n < TABLE_MAX) {
		arms[n++] = out;
		out = is_op(ts, ts->nodes[out].a, TERM_CONST) ? ts->nodes[out].b : ts->nodes[out].a;
		if (!is_op(ts, ts->nodes[arms[n - 1]].a, TERM_CONST) && !is_op(ts, ts->nodes[arms[n - 1]].b, TERM_CONST))
			return T_FALSE;
	}
	if (!is_op(ts, out, TERM_CONST))
		return T_FALSE;
	out = left ? term_op(ts, op, out, k) : term_op(ts, op, k, out);
	while (n-- > 0) {
		struct term_node x = ts->nodes[arms[n]];
		bool first = is_op(ts, x.a, TERM_CONST);
		term arm = first ? x.a : x.b;
		arm = left ? term_op(ts, op, arm, k) : term_op(ts, op, k, arm);
		out = term_ite(ts, x.c, first ? arm : out, first ? out : arm);
	}
	return out;
}

/* Operations on choices that have a simpler form; T_FALSE: none. Whatever an emitted choice is
 * computed by (b + flag * (a - b)) comes out as that choice. */
static term with_choice(struct terms *ts, enum term_op op, term a, term b)
{
	term simpler = each_arm(ts, op, a, b);
	if (simpler)
		return simpler;
	if (op == TERM_MUL && (is_flag(ts, a) || is_flag(ts, b))) {
		bool left = is_flag(ts, a);
		return term_ite(ts, ts->nodes[left ? a : b].c, left ? b : a, term_const(ts, 0));
	}
	if (op == TERM_BAND && is_flag(ts, a) && is_flag(ts, b)) {
		term both = term_and(ts, ts->nodes[a].c, ts->nodes[b].c);
		return term_ite(ts, both, term_const(ts, 1), term_const(ts, 0));
	}
	for (int i = 0; op == TERM_ADD && i < 2; i++) {
		struct term_node n = ts->nodes[i ? b : a];
		term other = i ? a : b;
		if (n.op == TERM_ITE && has_value(ts, n.b, 0) && is_op(ts, n.a, TERM_SUB) && ts->nodes[n.a].b == other)
			return term_ite(ts, n.c, ts->nodes[n.a].a, other);
	}
	return T_FALSE;
}

/* An arm that is a choice itself, where its condition is known by the outer one. */
static term decided_arm(const struct terms *ts, term holds, term arm)
{
	while (is_op(ts, arm, TERM_ITE)) {
		enum term_relation says = term_relate(ts, holds, ts->nodes[arm].c);
		if (says == UNRELATED)
			break;
		arm = says == IMPLIES ? ts->nodes[arm].a : ts->nodes[arm].b;
	}
	return arm;
}

/* c ? a : b where a is a choice with b for an arm: one condition does. T_FALSE: it is none. */
static term shared_arm(struct terms *ts, term c, term a, term b)
{
	struct term_node x = ts->nodes[a];
	if (x.op != TERM_ITE || (x.a != b && x.b != b))
		return T_FALSE;
	term both = term_and(ts, c, x.b == b ? x.c : term_not(ts, x.c));
	return term_ite(ts, both, x.b == b ? x.a : x.b, b);
}

term term_ite(struct terms *ts, term c, term a, term b)
{
	if (c == T_FALSE || c == T_TRUE || a == b)
		return c == T_FALSE ? b : a;
	if (is_op(ts, c, TERM_NOT))
		return term_ite(ts, ts->nodes[c].a, b, a);
	term not = term_not(ts, c);
	a = decided_arm(ts, c, a);
	b = decided_arm(ts, not, b);
	if (a == b)
		return a;
	if (is_op(ts, c, TERM_EQ) && ts->nodes[c].a == b && ts->nodes[c].b == a) /* x == k ? k : x */
		return b;
	term simpler = shared_arm(ts, c, a, b);
	if (!simpler)
		simpler = shared_arm(ts, not, b, a);
	if (simpler)
		return simpler;
	struct term_range r = range_hull(term_range_near(ts, c, a), term_range_near(ts, not, b));
	if (r.lo == r.hi)
		return term_const(ts, r.lo);
	return term_intern(ts, &(struct term_node){.op = TERM_ITE, .a = a, .b = b, .c = c, .lo = r.lo, .hi = r.hi});
}

term term_op(struct terms *ts, enum term_op op, term a, term b)
{
	if (ts->nodes[a].op == TERM_CONST && ts->nodes[b].op == TERM_CONST)
		return term_const(ts, term_apply(op, ts->nodes[a].lo, ts->nodes[b].lo));
	if (term_commutes(op))
		term_order(ts, &a, &b);
	term same = identity(ts, op, a, b);
	if (!same && op == TERM_SUB)
		same = as_modulo(ts, a, b);
	if (!same && (is_op(ts, a, TERM_ITE) || is_op(ts, b, TERM_ITE)))
		same = with_choice(ts, op, a, b);
	if (same)
		return same;
	struct term_range r = term_op_range(op, range_of(ts, a), range_of(ts, b));
	if (r.lo == r.hi)
		return term_const(ts, r.lo);
	return term_intern(ts, &(struct term_node){.op = (uint8_t)op, .a = a, .b = b, .lo = r.lo, .hi = r.hi});
}

/* ---- comparisons --------------------------------------------------------------- */

static term compare(struct terms *ts, enum term_op op, term a, term b)
{
	return term_intern(ts, &(struct term_node){.op = (uint8_t)op, .a = a, .b = b, .lo = 0, .hi = 1});
}

/* a == b or a < b by ranges only: T_TRUE, T_FALSE; false: not known. */
static bool by_range(const struct terms *ts, enum term_op op, term a, term b, term *out)
{
	struct term_range x = range_of(ts, a), y = range_of(ts, b);
	bool yes = op == TERM_EQ ? a == b : x.hi < y.lo;
	bool no = op == TERM_EQ ? x.hi < y.lo || y.hi < x.lo : a == b || x.lo >= y.hi;
	*out = yes ? T_TRUE : T_FALSE;
	return yes || no;
}

/* A comparison whose left operand is a choice, when that of an arm is known. T_FALSE and
 * T_TRUE may be the answer: says whether there is one. */
static bool compare_choice(struct terms *ts, enum term_op op, term a, term b, term *out)
{
	struct term_node n = ts->nodes[a];
	term yes, no;
	bool first = n.op == TERM_ITE && by_range(ts, op, n.a, b, &yes);
	bool second = n.op == TERM_ITE && by_range(ts, op, n.b, b, &no);
	if (!first && !second)
		return false;
	if (!first)
		yes = op == TERM_EQ ? term_eq(ts, n.a, b) : term_lt(ts, n.a, b);
	if (!second)
		no = op == TERM_EQ ? term_eq(ts, n.b, b) : term_lt(ts, n.b, b);
	*out = term_or(ts, term_and(ts, n.c, yes), term_and(ts, term_not(ts, n.c), no));
	return true;
}

term term_eq(struct terms *ts, term a, term b)
{
	term_order(ts, &a, &b);
	struct term_node nodes[] = {ts->nodes[a], ts->nodes[b]};
	const struct term_node *x = &nodes[0], *y = &nodes[1];
	if (a == b)
		return T_TRUE;
	if (x->hi < y->lo || y->hi < x->lo)
		return T_FALSE;
	if (x->op == TERM_CONST && y->op == TERM_CONST)
		return T_FALSE; /* equal constants are one term */
	term out;
	if (compare_choice(ts, TERM_EQ, a, b, &out) || compare_choice(ts, TERM_EQ, b, a, &out))
		return out;
	/* of two values keep one form: type == BLOCK is not (type == CHAR) */
	if (y->op == TERM_CONST && x->lo + 1 == x->hi && y->lo == x->lo)
		return term_not(ts, compare(ts, TERM_EQ, a, term_const(ts, x->hi)));
	return compare(ts, TERM_EQ, a, b);
}

term term_lt(struct terms *ts, term a, term b)
{
	struct term_node nodes[] = {ts->nodes[a], ts->nodes[b]};
	const struct term_node *x = &nodes[0], *y = &nodes[1];
	term out;
	if (a == b || x->lo >= y->hi)
		return T_FALSE;
	if (x->hi < y->lo)
		return T_TRUE;
	if (compare_choice(ts, TERM_LT, a, b, &out))
		return out;
	/* keep the constant on the right: k < x is not (x < k + 1) */
	if (x->op == TERM_CONST)
		return term_not(ts, term_lt(ts, b, term_const(ts, x->lo + 1)));
	if (y->op == TERM_CONST) {
		if (y->lo == x->lo + 1)
			return term_eq(ts, a, term_const(ts, x->lo));
		if (y->lo == x->hi)
			return term_not(ts, term_eq(ts, a, b));
	}
	return compare(ts, TERM_LT, a, b);
}

term term_le(struct terms *ts, term a, term b)
{
	return term_not(ts, term_lt(ts, b, a));
}

term term_between(struct terms *ts, term a, int64_t lo, int64_t hi)
{
	if (lo > hi)
		return T_FALSE;
	if (lo == hi)
		return term_eq(ts, a, term_const(ts, lo));
	term below = term_le(ts, a, term_const(ts, hi));
	term above = term_le(ts, term_const(ts, lo), a);
	return term_and(ts, above, below);
}
