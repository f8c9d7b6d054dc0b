/*
 * arrays.c - C functions of arrays with runtime values, and arrays made in
 * a rule's block.
 */
#include "compiler/lift/methods.h"

#include <string.h>

enum { INDEXED_MAX = 4096 };

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

/* a[range]: *start and *n as they are. False: nil. */
static bool part_by_range(struct lifter *l, const struct call *c, size_t size, mrb_int *start, mrb_int *n)
{
	struct RRange *r = mrb_range_ptr(l->mrb, c->args[0].u.st);
	mrb_value end = RANGE_END(r);
	if (!mrb_integer_p(RANGE_BEG(r)) || !(mrb_integer_p(end) || mrb_nil_p(end)))
		method_needs_known(l, c);
	return mrb_range_beg_len(l->mrb, c->args[0].u.st, start, n, (mrb_int)size, TRUE) == MRB_RANGE_OK;
}

/* a[start, n] */
static bool part_by_length(struct lifter *l, const struct call *c, size_t size, mrb_int *start, mrb_int *n)
{
	if (c->n != 2 || !val_is_integer(c->args[0]) || !val_is_integer(c->args[1]))
		method_needs_known(l, c);
	mrb_int first = mrb_integer(c->args[0].u.st), count = mrb_integer(c->args[1].u.st);
	*start = first + (first < 0 ? (mrb_int)size : 0);
	if (*start < 0 || *start > (mrb_int)size || count < 0)
		return false;
	*n = count < (mrb_int)size - *start ? count : (mrb_int)size - *start;
	return true;
}

static bool part(struct lifter *l, const struct call *c, size_t size, mrb_int *start, mrb_int *n)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->args[i].kind != V_STATIC)
			method_needs_known(l, c);
	if (c->n == 1 && mrb_type(c->args[0].u.st) == MRB_TT_RANGE)
		return part_by_range(l, c, size, start, n);
	return part_by_length(l, c, size, start, n);
}

/* a[i], a[start, length], a[range] */
static struct flow h_array_at(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t size;
	mrb_int start, n;
	(void)unused;
	if (c->n == 1 && val_is_integer(c->args[0]))
		return lift_index(l, st, c->recv, c->args[0]);
	const struct val *items = items_of(l, st, c, &size);
	if (!part(l, c, size, &start, &n))
		return flow_value(st, val_nil());
	return flow_value(st, val_array(l, st, items + start, (size_t)n));
}

/* first, last, first(n), last(n) */
static struct flow h_array_end(struct lifter *l, struct state *st, const struct call *c, int last)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	if (!c->n)
		return flow_value(st, n ? items[last ? n - 1 : 0] : val_nil());
	struct val count = call_arg(c, 0);
	if (c->n > 1 || count.kind != V_STATIC || !mrb_integer_p(count.u.st) || mrb_integer(count.u.st) < 0)
		method_needs_known(l, c);
	size_t taken = (size_t)mrb_integer(count.u.st) < n ? (size_t)mrb_integer(count.u.st) : n;
	return flow_value(st, val_array(l, st, last ? items + n - taken : items, taken));
}

static struct flow h_array_size(struct lifter *l, struct state *st, const struct call *c, int empty)
{
	size_t n;
	items_of(l, st, c, &n);
	return flow_value(st, val_static(empty ? mrb_bool_value(n == 0) : mrb_int_value(l->mrb, (mrb_int)n)));
}

/* Arrays of the block itself may change; those that were there before may not. */
static const struct val *own_items(struct lifter *l, struct state *st, const struct call *c, size_t *n)
{
	if (c->recv.kind != V_ARRAY)
		method_refuse_write(l, c, "build a new array instead");
	lift_refuse_frozen(l, st, c->recv.u.cell);
	return items_of(l, st, c, n);
}

static struct val *with_room(struct lifter *l, const struct val *items, size_t n, size_t more)
{
	struct val *copy = arena_alloc(l->arena, (n + more + 1) * sizeof *copy);
	if (n)
		memcpy(copy, items, n * sizeof *copy);
	return copy;
}

static struct val *joined(struct lifter *l, const struct val *x, size_t n, const struct val *y, size_t m)
{
	struct val *all = with_room(l, x, n, m);
	if (m)
		memcpy(all + n, y, m * sizeof *all);
	return all;
}

static void reverse(struct val *to, const struct val *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = items[n - 1 - i];
}

/* ---- arrays of the block change ------------------------------------------------------------ */

static struct flow h_array_push(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	(void)unused;
	val_set_items(l, st, c->recv, joined(l, items, n, c->args, c->n), n + c->n);
	return flow_value(st, c->recv);
}

/* The first argument as an index from the beginning of n items. */
static int64_t known_index(struct lifter *l, struct state *st, const struct call *c, size_t n)
{
	struct val at = val_settle(l, st, call_arg(c, 0));
	if (at.kind != V_STATIC || !mrb_integer_p(at.u.st))
		method_needs_known(l, c);
	return mrb_integer(at.u.st) + (mrb_integer(at.u.st) < 0 ? (int64_t)n : 0);
}

enum { TAKE_FIRST, TAKE_LAST, TAKE_AT };

/* pop, shift, delete_at: takes one item out. */
static struct flow h_array_take(struct lifter *l, struct state *st, const struct call *c, int which)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	if (c->n != (which == TAKE_AT))
		method_needs_known(l, c);
	int64_t at = which == TAKE_AT ? known_index(l, st, c, n) : which == TAKE_LAST ? (int64_t)n - 1 : 0;
	if (at < 0 || at >= (int64_t)n)
		return flow_value(st, val_nil());
	struct val *left = with_room(l, items, n, 0), taken = items[at];
	memmove(left + at, left + at + 1, (n - (size_t)at - 1) * sizeof *left);
	val_set_items(l, st, c->recv, left, n - 1);
	return flow_value(st, taken);
}

static struct flow h_array_unshift(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	(void)unused;
	val_set_items(l, st, c->recv, joined(l, c->args, c->n, items, n), c->n + n);
	return flow_value(st, c->recv);
}

/* concat, and replace, which leaves nothing of what was there. */
static struct flow h_array_concat(struct lifter *l, struct state *st, const struct call *c, int replace)
{
	size_t n, m;
	const struct val *items = own_items(l, st, c, &n), *given;
	if (c->n != 1 || !val_items(l, st, val_settle(l, st, c->args[0]), &given, &m))
		method_needs_known(l, c);
	n = replace ? 0 : n;
	val_set_items(l, st, c->recv, joined(l, items, n, given, m), n + m);
	return flow_value(st, c->recv);
}

static struct flow h_array_clear(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	own_items(l, st, c, &n);
	(void)unused;
	if (c->n)
		method_needs_known(l, c);
	val_set_items(l, st, c->recv, NULL, 0);
	return flow_value(st, c->recv);
}

/* reverse! */
static struct flow h_array_reverse(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	struct val *all = with_room(l, items, n, 0);
	(void)unused;
	if (c->n)
		method_needs_known(l, c);
	reverse(all, items, n);
	val_set_items(l, st, c->recv, all, n);
	return flow_value(st, c->recv);
}

static struct flow h_array_store(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = own_items(l, st, c, &n);
	(void)unused;
	int64_t i = known_index(l, st, c, n);
	if (c->n != 2)
		method_needs_known(l, c);
	if (i < 0 || i > INDEXED_MAX)
		lift_refuse(l, "store within the array, or a little behind its end", "an index out of the array");
	size_t size = (size_t)i < n ? n : (size_t)i + 1;
	struct val *all = with_room(l, items, n, size - n);
	for (size_t k = n; k < size; k++)
		all[k] = val_nil();
	all[i] = c->args[1];
	val_set_items(l, st, c->recv, all, size);
	return flow_value(st, c->args[1]);
}

static struct flow h_array_plus(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n, m;
	const struct val *x = items_of(l, st, c, &n), *y;
	(void)unused;
	if (c->n != 1 || !val_items(l, st, call_arg(c, 0), &y, &m))
		method_needs_known(l, c);
	return flow_value(st, val_array(l, st, joined(l, x, n, y, m), n + m));
}

static struct flow h_array_copy(struct lifter *l, struct state *st, const struct call *c, int backwards)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	struct val *all = with_room(l, items, n, 0);
	if (backwards)
		reverse(all, items, n);
	return flow_value(st, val_array(l, st, all, n));
}

static struct flow h_array_compact(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n, kept = 0;
	const struct val *items = items_of(l, st, c, &n);
	struct val *all = with_room(l, items, n, 0);
	(void)unused;
	for (size_t i = 0; i < n; i++) {
		if (items[i].kind == V_CHOICE)
			method_needs_known(l, c);
		if (!val_is_nil(items[i]))
			all[kept++] = items[i];
	}
	return flow_value(st, val_array(l, st, all, kept));
}

/* index, and assoc: what the first item (or pair) equal to the argument gives. */
static struct flow h_array_find(struct lifter *l, struct state *st, const struct call *c, int assoc)
{
	size_t n, m;
	const struct val *items = items_of(l, st, c, &n), *pair;
	if (c->n != 1 || !val_is_nil(c->block) || n > INDEXED_MAX)
		method_needs_known(l, c);
	struct arm *arms = arena_alloc(l->arena, (n + 1) * sizeof *arms);
	term found = T_FALSE;
	for (size_t i = 0; i < n; i++) {
		struct val key = items[i];
		term here = T_FALSE;
		if (!assoc)
			here = lift_equal(l, st, key, c->args[0], false);
		else if (val_items(l, st, key, &pair, &m) && m)
			here = lift_equal(l, st, pair[0], c->args[0], false);
		else if (key.kind != V_STATIC)
			method_needs_known(l, c);
		arms[i] = (struct arm){term_and(l->terms, here, term_not(l->terms, found)),
		                       assoc ? key : val_static(mrb_int_value(l->mrb, (mrb_int)i))};
		found = term_or(l->terms, found, here);
	}
	arms[n] = (struct arm){term_not(l->terms, found), val_nil()};
	return flow_value(st, val_from_arms(l, arms, n + 1));
}

/* Array(x) */
static struct flow h_array_of(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	struct val x = call_arg(c, 0);
	(void)unused;
	if (x.kind == V_ARRAY && c->n == 1)
		return flow_value(st, x);
	if (c->n != 1 || val_responds(l, x, "to_a") || val_responds(l, x, "to_ary"))
		method_needs_known(l, c);
	return flow_value(st, val_array(l, st, &x, 1));
}

/* What Array#== of mruby's library asks first: true, false, or go on with the other. */
static struct flow h_array_eq(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	const struct val *x, *y;
	size_t n, m;
	struct val other = call_arg(c, 0);
	(void)unused;
	if (c->recv.kind == V_ARRAY && other.kind == V_ARRAY && c->recv.u.cell == other.u.cell)
		return flow_value(st, val_static(mrb_true_value()));
	if (!val_is_array(other))
		return flow_value(st, val_static(mrb_false_value()));
	if (!val_items(l, st, c->recv, &x, &n) || !val_items(l, st, other, &y, &m))
		method_needs_known(l, c);
	return flow_value(st, n == m ? other : val_static(mrb_false_value()));
}

/* The library's way to turn block arguments into one value. */
static struct flow h_svalue(struct lifter *l, struct state *st, const struct call *c, int unused)
{
	size_t n;
	const struct val *items = items_of(l, st, c, &n);
	(void)unused;
	return flow_value(st, n == 0 ? val_nil() : n == 1 ? items[0] : c->recv);
}

const struct method array_methods[] = {
	/* Array(x) */
	NEW("Object", "Array", h_array_of, 0),
	ONLY("Array", "[]", h_array_at, 0), ONLY("Array", "slice", h_array_at, 0),
	ONLY("Array", "at", h_array_at, 0), ONLY("Array", "first", h_array_end, 0),
	ONLY("Array", "last", h_array_end, 1), BOTH("Array", "size", h_array_size, 0),
	BOTH("Array", "length", h_array_size, 0), BOTH("Array", "empty?", h_array_size, 1),
	RAW("Array", "push", h_array_push, 0), RAW("Array", "append", h_array_push, 0),
	RAW("Array", "<<", h_array_push, 0), RAW("Array", "[]=", h_array_store, 0),
	RAW("Array", "pop", h_array_take, TAKE_LAST), RAW("Array", "shift", h_array_take, TAKE_FIRST),
	RAW("Array", "unshift", h_array_unshift, 0), RAW("Array", "prepend", h_array_unshift, 0),
	ONLY("Array", "concat", h_array_concat, 0), ONLY("Array", "replace", h_array_concat, 1),
	ONLY("Array", "delete_at", h_array_take, TAKE_AT), RAW("Array", "clear", h_array_clear, 0),
	RAW("Array", "reverse!", h_array_reverse, 0), NEW("Array", "+", h_array_plus, 0),
	NEW("Array", "reverse", h_array_copy, 1), BOTH("Array", "index", h_array_find, 0),
	BOTH("Array", "assoc", h_array_find, 1), BOTH("Array", "__ary_index", h_array_find, 0),
	BOTH("Array", "__ary_eq", h_array_eq, 0), RAW("Array", "__svalue", h_svalue, 0),
	FRESH("Array", "*"), NEW("Array", "compact", h_array_compact, 0), FRESH("Array", "rotate"),
	FRESH("Array", "values_at"), PURE("Array", "__ary_cmp"), PURE("Array", "rassoc"),
	PURE("Array", "rindex"), PURE("Array", "join"), PURE("Array", "hash"), PURE("Array", "inspect"),
	/* Ruby code of the library that mruby may run when all is known */
	FRESH("Array", "&"), FRESH("Array", "|"), FRESH("Array", "-"), FRESH("Array", "sort"),
	FRESH("Array", "zip"), FRESH("Array", "flatten"), FRESH("Array", "uniq"),
	FRESH("Array", "product"), FRESH("Array", "transpose"),
	METHODS_END,
};
