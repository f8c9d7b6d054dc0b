/*
 * term_arith.c - the operations on integers: of two values, and of two ranges.
 *
 * Ranges are sound and found by looking at the operands' ranges only; what may wrap has all of
 * 64 bits.
 */
#include "policy/term_internal.h"

/* ---- values ---------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	uint64_t s = (uint64_t)(a >> 63);
	uint64_t q = b ? ((uint64_t)a ^ s) / (uint64_t)b : 0;
	return (int64_t)(q ^ s);
}

int64_t term_apply(enum term_op op, int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;
	switch (op) {
	case TERM_ADD: return (int64_t)(x + y);
	case TERM_SUB: return (int64_t)(x - y);
	case TERM_MUL: return (int64_t)(x * y);
	/* the sign mask of a negative dividend is all ones also for x / 0 */
	case TERM_DIV: return floor_div(a, b);
	case TERM_MOD: return (int64_t)(x - y * (uint64_t)floor_div(a, b));
	case TERM_BAND: return a & b;
	case TERM_BOR: return a | b;
	case TERM_BXOR: return a ^ b;
	case TERM_SHL: return (int64_t)(x << (y & 63));
	case TERM_SHR: return a >> (y & 63);
	case TERM_EQ: return a == b;
	case TERM_LT: return a < b;
	case TERM_AND: return a & b;
	default: return 0;
	}
}

/* ---- ranges ---------------------------------------------------------------------- */

static const struct term_range ANY = {INT64_MIN, INT64_MAX};

/* What the four ends come to; they are the extremes of sums, differences and products. */
static struct term_range corners(bool (*wraps)(int64_t a, int64_t b, int64_t *out), struct term_range a, struct term_range b)
{
	int64_t c[4];
	if (wraps(a.lo, b.lo, &c[0]) || wraps(a.lo, b.hi, &c[1]) || wraps(a.hi, b.lo, &c[2]) || wraps(a.hi, b.hi, &c[3]))
		return ANY;
	struct term_range r = {c[0], c[0]};
	for (int i = 1; i < 4; i++)
		r = range_hull(r, (struct term_range){c[i], c[i]});
	return r;
}

static bool sum_wraps(int64_t a, int64_t b, int64_t *out)
{
	return __builtin_add_overflow(a, b, out);
}

static struct term_range sum(struct term_range a, struct term_range b)
{
	return corners(sum_wraps, a, b);
}

static bool difference_wraps(int64_t a, int64_t b, int64_t *out)
{
	return __builtin_sub_overflow(a, b, out);
}

static struct term_range difference(struct term_range a, struct term_range b)
{
	return corners(difference_wraps, a, b);
}

static bool product_wraps(int64_t a, int64_t b, int64_t *out)
{
	return __builtin_mul_overflow(a, b, out);
}

static struct term_range product(struct term_range a, struct term_range b)
{
	return corners(product_wraps, a, b);
}

/* Of what goes towards zero, or from below it towards -1. */
static struct term_range shrunk(struct term_range a)
{
	return (struct term_range){a.lo < 0 ? a.lo : 0, a.hi < 0 ? -1 : a.hi};
}

/* The quotient's magnitude never exceeds the dividend's. */
static struct term_range quotient(struct term_range a, struct term_range b)
{
	if (b.lo == b.hi && b.lo > 0)
		return (struct term_range){floor_div(a.lo, b.lo), floor_div(a.hi, b.lo)};
	return shrunk(a);
}

static struct term_range remainder_of(struct term_range a, struct term_range b)
{
	if (b.lo > 0)
		return (struct term_range){0, a.lo >= 0 && a.hi < b.hi - 1 ? a.hi : b.hi - 1};
	return a.lo >= 0 && b.lo >= 0 ? (struct term_range){0, a.hi} : ANY;
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

static struct term_range common_bits(struct term_range a, struct term_range b)
{
	if (a.lo >= 0 || b.lo >= 0)
		return (struct term_range){0, a.lo < 0 ? b.hi : b.lo < 0 ? a.hi : smaller(a.hi, b.hi)};
	int64_t hi = a.hi < 0 && b.hi < 0 ? smaller(a.hi, b.hi) : larger(a.hi, b.hi);
	int64_t bits = larger(bits_of((struct term_range){a.lo, -1}), bits_of((struct term_range){b.lo, -1}));
	return (struct term_range){~bits, hi};
}

static struct term_range joined_bits(struct term_range a, struct term_range b)
{
	return inverted(common_bits(inverted(a), inverted(b)));
}

static struct term_range other_bits(struct term_range a, struct term_range b)
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

static struct term_range shifted_right(struct term_range a, struct term_range b)
{
	if (b.lo == b.hi)
		return (struct term_range){a.lo >> (b.lo & 63), a.hi >> (b.lo & 63)};
	return shrunk(a);
}

struct term_range term_op_range(enum term_op op, struct term_range a, struct term_range b)
{
	static struct term_range (*const range_of[TERM_OPS])(struct term_range a, struct term_range b) = {
		[TERM_ADD] = sum,          [TERM_SUB] = difference,   [TERM_MUL] = product,
		[TERM_DIV] = quotient,     [TERM_MOD] = remainder_of, [TERM_BAND] = common_bits,
		[TERM_BOR] = joined_bits,  [TERM_BXOR] = other_bits,  [TERM_SHL] = shifted_left,
		[TERM_SHR] = shifted_right,
	};
	return range_of[op] ? range_of[op](a, b) : ANY;
}
