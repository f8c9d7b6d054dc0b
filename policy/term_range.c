/*
 * term_range.c - what values an operation can have.
 *
 * Ranges are sound and found by looking at the operands' ranges only; what may wrap has all of
 * 64 bits. A condition that is known to hold narrows the range of a term.
 */
#include "policy/term_internal.h"

static const struct term_range ANY = {INT64_MIN, INT64_MAX};

static bool corner(enum term_op op, int64_t a, int64_t b, int64_t *out)
{
	switch (op) {
	case TERM_ADD: return !__builtin_add_overflow(a, b, out);
	case TERM_SUB: return !__builtin_sub_overflow(a, b, out);
	default: return !__builtin_mul_overflow(a, b, out);
	}
}

static struct term_range corners(enum term_op op, struct term_range a, struct term_range b)
{
	int64_t c[4];
	if (!corner(op, a.lo, b.lo, &c[0]) || !corner(op, a.lo, b.hi, &c[1]) ||
	    !corner(op, a.hi, b.lo, &c[2]) || !corner(op, a.hi, b.hi, &c[3]))
		return ANY;
	struct term_range r = {c[0], c[0]};
	for (int i = 1; i < 4; i++) {
		r.lo = c[i] < r.lo ? c[i] : r.lo;
		r.hi = c[i] > r.hi ? c[i] : r.hi;
	}
	return r;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* All bits that differ from the sign in a value of the range: 2^k - 1. */
static int64_t bits_of(struct term_range r)
{
	int64_t most = larger(r.lo < 0 ? ~r.lo : r.lo, r.hi < 0 ? ~r.hi : r.hi);
	return most == 0 ? 0 : (int64_t)(~0ull >> __builtin_clzll((uint64_t)most));
}

static struct term_range inverted(struct term_range r)
{
	return (struct term_range){~r.hi, ~r.lo};
}

static struct term_range band(struct term_range a, struct term_range b)
{
	if (a.lo >= 0 || b.lo >= 0)
		return (struct term_range){0, a.lo < 0 ? b.hi : b.lo < 0 ? a.hi : smaller(a.hi, b.hi)};
	int64_t hi = a.hi < 0 && b.hi < 0 ? smaller(a.hi, b.hi) : larger(a.hi, b.hi);
	int64_t bits = larger(bits_of((struct term_range){a.lo, -1}), bits_of((struct term_range){b.lo, -1}));
	return (struct term_range){~bits, hi};
}

static struct term_range bxor(struct term_range a, struct term_range b)
{
	if (b.lo == -1 && b.hi == -1)
		return inverted(a);
	int64_t bits = larger(bits_of(a), bits_of(b));
	bool signs_known = (a.lo >= 0 || a.hi < 0) && (b.lo >= 0 || b.hi < 0);
	if (!signs_known)
		return (struct term_range){~bits, bits};
	return (a.lo < 0) == (b.lo < 0) ? (struct term_range){0, bits} : (struct term_range){~bits, -1};
}

static struct term_range shifted_left(struct term_range a, struct term_range b)
{
	if (b.lo == b.hi && b.lo >= 0 && b.lo < 63 && a.lo >= INT64_MIN >> b.lo && a.hi <= INT64_MAX >> b.lo)
		return (struct term_range){a.lo * (1ll << b.lo), a.hi * (1ll << b.lo)};
	if (a.lo >= 0 && b.lo >= 0 && b.hi < 63 && a.hi <= INT64_MAX >> b.hi)
		return (struct term_range){0, a.hi << b.hi};
	return ANY;
}

struct term_range term_op_range(enum term_op op, struct term_range a, struct term_range b)
{
	switch (op) {
	case TERM_ADD:
	case TERM_SUB:
	case TERM_MUL: return corners(op, a, b);
	case TERM_DIV: /* the quotient's magnitude never exceeds the dividend's */
		if (b.lo == b.hi && b.lo > 0)
			return (struct term_range){term_apply(TERM_DIV, a.lo, b.lo), term_apply(TERM_DIV, a.hi, b.lo)};
		return (struct term_range){a.lo < 0 ? a.lo : 0, a.hi < 0 ? -1 : a.hi};
	case TERM_MOD:
		if (b.lo <= 0)
			return a.lo >= 0 && b.lo >= 0 ? (struct term_range){0, a.hi} : ANY;
		return (struct term_range){0, a.lo >= 0 && a.hi < b.hi - 1 ? a.hi : b.hi - 1};
	case TERM_BAND: return band(a, b);
	case TERM_BOR: return inverted(band(inverted(a), inverted(b)));
	case TERM_BXOR: return bxor(a, b);
	case TERM_SHL: return shifted_left(a, b);
	case TERM_SHR:
		if (b.lo == b.hi)
			return (struct term_range){a.lo >> (b.lo & 63), a.hi >> (b.lo & 63)};
		return (struct term_range){a.lo < 0 ? a.lo : 0, a.hi < 0 ? -1 : a.hi};
	default: return ANY;
	}
}

/* ---- what a condition says ------------------------------------------------------------ */

enum { CONJUNCTS_SCANNED = 96 };

/* Narrows *r, a range of t; and says what the conjunction says about `cond`, a condition (or
 * T_FALSE). */
static enum term_relation narrow(const struct terms *ts, term given, term t, term cond, struct term_range *r)
{
	enum term_relation found = UNRELATED;
	term todo[16];
	int n = 0, budget = CONJUNCTS_SCANNED;
	todo[n++] = given;
	while (n && budget--) {
		term c = todo[--n];
		struct window w;
		bool about = term_window(ts, c, &w) && w.of == t;
		if (about && !w.outside) {
			r->lo = larger(w.lo, r->lo);
			r->hi = smaller(w.hi, r->hi);
		} else if (about) {
			r->lo += w.lo <= r->lo && r->lo <= w.hi && r->lo < r->hi;
			r->hi -= w.lo <= r->hi && r->hi <= w.hi && r->lo < r->hi;
		}
		if (cond && found == UNRELATED)
			found = term_relate(ts, c, cond);
		if (ts->nodes[c].op == TERM_AND && n + 2 <= 16) {
			todo[n++] = ts->nodes[c].a;
			todo[n++] = ts->nodes[c].b;
		}
	}
	return found;
}

enum { DEPTH_MAX = 6 };

static struct term_range range_given(const struct terms *ts, term given, term t, int depth)
{
	struct term_node n = ts->nodes[t];
	struct term_range r = {n.lo, n.hi}, q = r;
	bool below = depth < DEPTH_MAX, chooses = n.op == TERM_ITE;
	enum term_relation says = narrow(ts, given, t, below && chooses ? n.c : T_FALSE, &r);
	if (below && chooses) {
		struct term_range a = range_given(ts, given, n.a, depth + 1), b = range_given(ts, given, n.b, depth + 1);
		q = says == IMPLIES    ? a
		    : says == EXCLUDES ? b
		                       : (struct term_range){smaller(a.lo, b.lo), larger(a.hi, b.hi)};
	} else if (below && n.op >= TERM_ADD) {
		q = term_op_range(n.op, range_given(ts, given, n.a, depth + 1), range_given(ts, given, n.b, depth + 1));
	}
	r.lo = larger(q.lo, r.lo);
	r.hi = smaller(q.hi, r.hi);
	return r;
}

struct term_range term_range_near(const struct terms *ts, term given, term t)
{
	return range_given(ts, given, t, DEPTH_MAX - 2);
}

void term_range_given(const struct terms *ts, term given, term t, int64_t *lo, int64_t *hi)
{
	struct term_range r = range_given(ts, given, t, 0);
	*lo = r.lo;
	*hi = r.hi;
}
