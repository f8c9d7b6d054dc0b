/*
 * lift_collections.c - C functions of strings, arrays, hashes and ranges on
 * runtime values.
 */
#include "compiler/lift_handlers.h"

#include <string.h>

enum { INDEXED_MAX = 4096 };

static struct val arg(const struct call *c, size_t i)
{
	return i < c->n ? c->args[i] : val_nil();
}

/* A symbol, or a string, compared with a runtime Integer: not comparable. */
struct flow h_never(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	(void)unused;
	if (c->n != 1 || c->args[0].kind != V_INT)
		method_needs_known(l, c);
	return flow_value(st, val_nil());
}

/* ---- comm ------------------------------------------------------------------------- */

/* comm is exactly this long: its last byte there, none after. */
static term comm_length_is(struct lifter *l, size_t n)
{
	term end = T_TRUE;
	for (int w = 0; w < 2; w++) {
		unsigned char mask[8] = {0};
		int64_t m;
		for (size_t i = 0; i < 8; i++)
			mask[i] = 8 * (size_t)w + i >= n ? 0xff : 0;
		memcpy(&m, mask, 8);
		term word = term_input(l->terms, w ? IN_COMM_1 : IN_COMM_0);
		term rest = term_op(l->terms, TERM_BAND, word, term_const(l->terms, m));
		end = term_and(l->terms, end, term_eq(l->terms, rest, term_const(l->terms, 0)));
	}
	return end;
}

static term comm_test(struct lifter *l, int which, const char *s, size_t n)
{
	term any = T_FALSE;
	if (n > COMM_SIZE - 1)
		return T_FALSE;
	if (n == 0)
		return T_TRUE;
	if (which == COMM_START)
		return comm_matches(l, 0, s, n, false);
	for (size_t at = 0; at + n <= COMM_SIZE - 1; at++)
		any = term_or(l->terms, any, comm_matches(l, at, s, n, which == COMM_END));
	return any;
}

struct flow h_comm(struct lifter *l, struct state *st, const struct call *c, int which)
{
	term any = T_FALSE;
	if (c->recv.kind != V_COMM || !c->n || (which == COMM_INCLUDE && c->n != 1))
		method_needs_known(l, c);
	for (size_t i = 0; i < c->n; i++) {
		mrb_value s;
		if (!val_known(l, st, c->args[i], &s))
			method_needs_known(l, c);
		if (!mrb_string_p(s)) {
			lift_raise(l, st, mrb_class_get(l->mrb, "TypeError"), "%s cannot be converted to String",
			           val_describe(l, c->args[i]));
			return (struct flow){0};
		}
		any = term_or(l->terms, any, comm_test(l, which, RSTRING_PTR(s), (size_t)RSTRING_LEN(s)));
	}
	return flow_value(st, val_bool(l, any));
}

struct flow h_comm_size(struct lifter *l, struct state *st, const struct call *c, int empty)
{
	struct arm arms[COMM_SIZE];
	term shorter = T_FALSE;
	if (c->recv.kind != V_COMM || c->n)
		method_needs_known(l, c);
	if (empty)
		return flow_value(st, val_bool(l, comm_length_is(l, 0)));
	for (size_t n = 0; n < COMM_SIZE; n++) {
		term ends = n == COMM_SIZE - 1 ? T_TRUE : comm_length_is(l, n);
		arms[n] = (struct arm){term_and(l->terms, ends, term_not(l->terms, shorter)),
		                       val_static(mrb_int_value(l->mrb, (mrb_int)n))};
		shorter = term_or(l->terms, shorter, ends);
	}
	return flow_value(st, val_from_arms(l, arms, COMM_SIZE));
}

/* ---- arrays --------------------------------------------------------------------------- */

static const struct val *items_of(struct lifter *l, struct state *st, const struct call *c, size_t *n)
{
	const struct val *items;
	if (!val_items(l, st, c->recv, &items, n))
		method_needs_known(l, c);
	return items;
}

struct flow lift_index(struct lifter *l, struct state *st, struct val array, struct val index)
{
	struct terms *ts = l->terms;
	const struct val *items;
	size_t n;
	term i;
	int64_t lo, hi;
	/* a loop over a long array: do not list its items each time */
	if (array.kind == V_STATIC && index.kind == V_STATIC)
		return flow_value(st, val_static(mrb_ary_entry(array.u.st, mrb_integer(index.u.st))));
	if (!val_items(l, st, array, &items, &n) || !val_as_term(l, index, &i))
		lift_refuse(l, "use an array of known length", "an index into an array that depends on the request");
	term_range_given(ts, st->guard->full, i, &lo, &hi);
	if (lo == hi) {
		int64_t k = lo < 0 ? lo + (int64_t)n : lo;
		return flow_value(st, k >= 0 && k < (int64_t)n ? items[k] : val_nil());
	}
	if (n > INDEXED_MAX)
		lift_refuse(l, "use a smaller table or ranges", "a table of more than %d elements", INDEXED_MAX);
	struct arm *arms = arena_alloc(l->arena, (2 * n + 1) * sizeof *arms);
	size_t count = 0;
	for (int64_t k = -(int64_t)n; k < (int64_t)n; k++)
		if (k >= lo && k <= hi)
			arms[count++] = (struct arm){term_eq(ts, i, term_const(ts, k)),
			                             items[k < 0 ? k + (int64_t)n : k]};
	arms[count++] = (struct arm){term_not(ts, term_between(ts, i, -(int64_t)n, (int64_t)n - 1)), val_nil()};
	return flow_value(st, val_from_arms(l, arms, count));
}

/* a[i], a[start, length] */
struct flow h_array_at(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	(void)unused;
	if (c->n == 1 && (c->args[0].kind == V_INT ||
	                  (c->args[0].kind == V_STATIC && mrb_integer_p(c->args[0].u.st))))
		return lift_index(l, st, c->recv, c->args[0]);
	const struct val *items = items_of(l, st, c, &n);
	if (c->n != 2 || c->args[0].kind != V_STATIC || c->args[1].kind != V_STATIC ||
	    !mrb_integer_p(c->args[0].u.st) || !mrb_integer_p(c->args[1].u.st))
		method_needs_known(l, c);
	int64_t start = mrb_integer(c->args[0].u.st), len = mrb_integer(c->args[1].u.st);
	start += start < 0 ? (int64_t)n : 0;
	if (start < 0 || start > (int64_t)n || len < 0)
		return flow_value(st, val_nil());
	len = len > (int64_t)n - start ? (int64_t)n - start : len;
	return flow_value(st, val_array(l, st, items + start, (size_t)len));
}

struct flow h_array_end(struct lifter *l, struct state *st, const struct call *c, int last)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	if (c->n)
		method_needs_known(l, c);
	return flow_value(st, n ? items[last ? n - 1 : 0] : val_nil());
}

struct flow h_array_size(struct lifter *l, struct state *st, const struct call *c, int empty)
{
	size_t n;
	items_of(l, st, c, &n);
	return flow_value(st, val_static(empty ? mrb_bool_value(n == 0) : mrb_int_value(l->mrb, (mrb_int)n)));
}

/* Arrays of the block itself may change; those that were there before may not. */
static const struct val *own_items(struct lifter *l, struct state *st, const struct call *c, size_t *n)
{
	if (c->recv.kind != V_ARRAY)
		lift_refuse(l, "build a new array instead",
		            "a rule's block reads; it does not write: `%s` of %s that was made outside of it",
		            mrb_sym_name(l->mrb, c->mid), val_describe(l, c->recv));
	return items_of(l, st, c, n);
}

static void set_items(struct lifter *l, struct state *st, uint32_t cell, const struct val *items, size_t n)
{
	struct tuple *t = arena_alloc(l->arena, sizeof *t + n * sizeof *items);
	t->n = n;
	if (n)
		memcpy(t->items, items, n * sizeof *items);
	for (size_t i = 0; i < n; i++)
		state_keeps(l, st, items[i]);
	state_set(l, st, cell, (struct val){.kind = V_TUPLE, .u.tuple = t});
}

static struct val *with_room(struct lifter *l, const struct val *items, size_t n, size_t more)
{
	struct val *copy = arena_alloc(l->arena, (n + more + 1) * sizeof *copy);
	if (n)
		memcpy(copy, items, n * sizeof *copy);
	return copy;
}

struct flow h_array_push(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	struct val *all = with_room(l, items, n, c->n);
	(void)unused;
	if (c->n)
		memcpy(all + n, c->args, c->n * sizeof *all);
	set_items(l, st, c->recv.u.cell, all, n + c->n);
	return flow_value(st, c->recv);
}

struct flow h_array_pop(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	(void)unused;
	if (c->n)
		method_needs_known(l, c);
	if (!n)
		return flow_value(st, val_nil());
	struct val popped = items[n - 1];
	set_items(l, st, c->recv.u.cell, items, n - 1);
	return flow_value(st, popped);
}

struct flow h_array_store(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	struct val at = val_settle(l, st, arg(c, 0));
	(void)unused;
	if (c->n != 2 || at.kind != V_STATIC || !mrb_integer_p(at.u.st))
		method_needs_known(l, c);
	int64_t i = mrb_integer(at.u.st) + (mrb_integer(at.u.st) < 0 ? (int64_t)n : 0);
	if (i < 0 || i > INDEXED_MAX)
		lift_refuse(l, NULL, "an index out of the array");
	size_t size = (size_t)i < n ? n : (size_t)i + 1;
	struct val *all = with_room(l, items, n, size - n);
	for (size_t k = n; k < size; k++)
		all[k] = val_nil();
	all[i] = c->args[1];
	set_items(l, st, c->recv.u.cell, all, size);
	return flow_value(st, c->args[1]);
}

struct flow h_array_plus(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n, m;
	const struct val *x = items_of(l, st, c, &n), *y;
	(void)unused;
	if (!val_items(l, st, arg(c, 0), &y, &m))
		method_needs_known(l, c);
	struct val *all = with_room(l, x, n, m);
	if (m)
		memcpy(all + n, y, m * sizeof *all);
	return flow_value(st, val_array(l, st, all, n + m));
}

struct flow h_array_copy(struct lifter *l, struct state *st, const struct call *c, int reverse)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	struct val *all = with_room(l, items, n, 0);
	for (size_t i = 0; reverse && i < n; i++)
		all[i] = items[n - 1 - i];
	return flow_value(st, val_array(l, st, all, n));
}

struct flow h_array_index(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	(void)unused;
	if (c->n != 1 || !val_is_nil(c->block) || n > INDEXED_MAX)
		method_needs_known(l, c);
	struct arm *arms = arena_alloc(l->arena, (n + 1) * sizeof *arms);
	term found = T_FALSE;
	for (size_t i = 0; i < n; i++) {
		term here = lift_equal(l, st, items[i], c->args[0], false);
		arms[i] = (struct arm){term_and(l->terms, here, term_not(l->terms, found)),
		                       val_static(mrb_int_value(l->mrb, (mrb_int)i))};
		found = term_or(l->terms, found, here);
	}
	arms[n] = (struct arm){term_not(l->terms, found), val_nil()};
	return flow_value(st, val_from_arms(l, arms, n + 1));
}

/* What Array#== of mruby's library asks first: true, false, or go on with the other. */
struct flow h_array_eq(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	const struct val *x, *y;
	size_t n, m;
	struct val other = arg(c, 0);
	(void)unused;
	if (c->recv.kind == V_ARRAY && other.kind == V_ARRAY && c->recv.u.cell == other.u.cell)
		return flow_value(st, val_static(mrb_true_value()));
	bool is_array = other.kind == V_ARRAY || (other.kind == V_STATIC && mrb_array_p(other.u.st));
	if (!is_array)
		return flow_value(st, val_static(mrb_false_value()));
	if (!val_items(l, st, c->recv, &x, &n) || !val_items(l, st, other, &y, &m))
		method_needs_known(l, c);
	return flow_value(st, n == m ? other : val_static(mrb_false_value()));
}

/* The library's way to turn block arguments into one value. */
struct flow h_svalue(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	(void)unused;
	return flow_value(st, n == 0 ? val_nil() : n == 1 ? items[0] : c->recv);
}

/* ---- hashes ------------------------------------------------------------------------------ */

struct flow h_hash(struct lifter *l, struct state *st, const struct call *c, int which)
{
	mrb_state *mrb = l->mrb;
	if (c->recv.kind != V_STATIC || !c->n || !val_is_nil(c->block))
		method_needs_known(l, c);
	mrb_value hash = c->recv.u.st, keys = mrb_hash_keys(mrb, hash);
	size_t n = (size_t)RARRAY_LEN(keys);
	struct arm *arms = arena_alloc(l->arena, (n + 1) * sizeof *arms);
	term any = T_FALSE;
	for (size_t i = 0; i < n; i++) {
		mrb_value key = RARRAY_PTR(keys)[i];
		term here = lift_equal(l, st, val_static(key), c->args[0], true);
		any = term_or(l->terms, any, here);
		arms[i] = (struct arm){here, val_static(mrb_hash_get(mrb, hash, key))};
	}
	if (which == HASH_KEY)
		return flow_value(st, val_bool(l, any));
	term none = term_not(l->terms, any);
	if (which == HASH_FETCH && c->n == 1) {
		struct state *without = state_fork(l, st);
		if (state_assume(l, without, none))
			lift_raise(l, without, mrb_class_get(mrb, "KeyError"), "key not found");
		if (!state_assume(l, st, any))
			return (struct flow){0};
		return flow_value(st, val_from_arms(l, arms, n));
	}
	struct RClass *class = mrb_class(mrb, hash);
	if (which == HASH_GET &&
	    !MRB_METHOD_CFUNC_P(mrb_method_search_vm(mrb, &class, mrb_intern_lit(mrb, "default"))))
		lift_refuse(l, "give the method another name", "Hash#default is redefined");
	if (which == HASH_GET && mrb_test(mrb_funcall(mrb, hash, "default_proc", 0)))
		lift_refuse(l, "give it a default value instead", "a hash with a default block");
	arms[n] = (struct arm){none, which == HASH_FETCH ? c->args[1]
	                                                 : val_static(mrb_funcall(mrb, hash, "default", 0))};
	return flow_value(st, val_from_arms(l, arms, n + 1));
}

/* ---- ranges ------------------------------------------------------------------------------- */

static struct range_val range_of(struct lifter *l, const struct call *c)
{
	if (c->recv.kind == V_RANGE)
		return *c->recv.u.range;
	if (c->recv.kind != V_STATIC || mrb_type(c->recv.u.st) != MRB_TT_RANGE)
		method_needs_known(l, c);
	struct RRange *r = mrb_range_ptr(l->mrb, c->recv.u.st);
	return (struct range_val){val_static(RANGE_BEG(r)), val_static(RANGE_END(r)), RANGE_EXCL(r)};
}

static bool is_number(struct val v)
{
	return v.kind == V_INT || (v.kind == V_STATIC && (mrb_integer_p(v.u.st) || mrb_float_p(v.u.st)));
}

/* a op b for numbers; what cannot be compared is outside of the range. */
static term ordered(struct lifter *l, struct state *st, enum compare_op op, struct val a, struct val b)
{
	if ((a.kind == V_STATIC && mrb_type(a.u.st) == MRB_TT_OBJECT))
		lift_refuse(l, "compare its fields", "a range of objects of the policy's own");
	if (!is_number(a) || !is_number(b))
		return T_FALSE;
	struct flow f = lift_compare(l, st, op, a, b);
	return val_truth(l, f.ret, f.ret->result);
}

struct flow h_range(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	struct range_val r = range_of(l, c);
	struct val x = arg(c, 0);
	(void)unused;
	if (c->n != 1 || (val_is_nil(r.lo) && val_is_nil(r.hi)) || x.kind == V_COMM || r.lo.kind == V_CHOICE || r.hi.kind == V_CHOICE)
		method_needs_known(l, c);
	term in = val_is_nil(r.lo) ? T_TRUE : ordered(l, st, OP2_LE, r.lo, x);
	if (!val_is_nil(r.hi))
		in = term_and(l->terms, in, ordered(l, st, r.exclusive ? OP2_LT : OP2_LE, x, r.hi));
	return flow_value(st, val_bool(l, in));
}

struct flow h_range_end(struct lifter *l, struct state *st, const struct call *c, int last)
{
	struct range_val r = range_of(l, c);
	if (c->n)
		method_needs_known(l, c);
	return flow_value(st, last ? r.hi : r.lo);
}
