/*
 * lint.c - comparisons in a block that no request makes true.
 *
 * Said only where both classes are known whatever the request is, and of the
 * policy's own text; the meaning of the block is not touched.
 */
#include "compiler/lift/run.h"

#include <string.h>

enum class_of { OTHER, INTEGER, SYMBOL, STRING };

static const char *const class_names[] = {"another", "an Integer", "a Symbol", "a String"};

static enum class_of class_of(struct val v)
{
	if (val_is_integer(v))
		return INTEGER;
	if (v.kind == V_COMM || v.kind == V_PATH || (v.kind == V_STATIC && mrb_string_p(v.u.st)))
		return STRING;
	return v.kind == V_STATIC && mrb_symbol_p(v.u.st) ? SYMBOL : OTHER;
}

/* The class of all cases of a value. */
static enum class_of only_class(struct lifter *l, const struct state *st, struct val v)
{
	const struct arm *arms;
	size_t n = val_arms(l, st, v, &arms);
	enum class_of class = n ? class_of(arms[0].v) : OTHER;
	for (size_t i = 1; i < n; i++)
		if (class_of(arms[i].v) != class)
			return OTHER;
	return class;
}

static bool is_runtime(struct val v)
{
	return v.kind == V_INT || v.kind == V_COMM || v.kind == V_PATH || v.kind == V_CHOICE;
}

/* Is a text made of these only? */
static bool consists_of(const char *s, int n, const char *bytes)
{
	return n > 0 && strspn(s, bytes) == (size_t)n;
}

/* The literal as a value of the class it is compared with. */
static const char *rewrite(struct lifter *l, enum class_of want, mrb_value literal)
{
	mrb_value text = mrb_funcall(l->mrb, literal, "to_s", 0);
	if (!mrb_string_p(text))
		return "compare values of one class";
	int n = (int)RSTRING_LEN(text);
	const char *s = RSTRING_PTR(text);
	bool digits = consists_of(s, n, "0123456789");
	bool word = !digits && consists_of(s, n, "abcdefghijklmnopqrstuvwxyz_");
	if (want == INTEGER && digits)
		return arena_printf(l->arena, "write %.*s", n, s);
	if (want == SYMBOL && word)
		return arena_printf(l->arena, "write :%.*s", n, s);
	if (want == STRING && (digits || word))
		return arena_printf(l->arena, "write \"%.*s\"", n, s);
	if (want == INTEGER && (consists_of(s, n, "rwm") || !strcmp(s, "read") || !strcmp(s, "write")))
		return "ask ctx.read?, ctx.write? or ctx.mknod?";
	return arena_printf(l->arena, "compare it with %s", class_names[want]);
}

/* Is a literal never equal to a runtime value? Sets both classes. */
static bool never(struct lifter *l, const struct state *st, struct val runtime, struct val literal,
                  enum class_of *a, enum class_of *b)
{
	if (!is_runtime(runtime) || literal.kind != V_STATIC)
		return false;
	*a = only_class(l, st, runtime);
	*b = class_of(literal);
	return *a != OTHER && *b != OTHER && *a != *b && !class_redefines(l, l->mrb->string_class, "==") &&
	       !class_redefines(l, l->mrb->symbol_class, "==") && !class_redefines(l, l->mrb->integer_class, "==");
}

static void warn(struct lifter *l, enum class_of a, enum class_of b, struct val runtime, struct val literal)
{
	lift_warn(l, runtime.kind == V_PATH ? "compare it with the whole path, in quotes" : rewrite(l, a, literal.u.st),
	          arena_printf(l->arena, "%s is never equal to %s", class_names[a], class_names[b]));
}

/* A symbol that is none of those the runtime value can be, or a text that comm
 * has no room for. */
static void lint_value(struct lifter *l, const struct state *st, struct val runtime, struct val literal)
{
	const struct arm *arms;
	if (runtime.kind == V_COMM && literal.kind == V_STATIC && mrb_string_p(literal.u.st)) {
		if (RSTRING_LEN(literal.u.st) >= COMM_SIZE)
			lift_warn(l, arena_printf(l->arena, "the kernel keeps %d bytes: \"%.*s\"", COMM_SIZE - 1,
			                          COMM_SIZE - 1, RSTRING_PTR(literal.u.st)),
			          "ctx.comm is never this long");
		return;
	}
	if (runtime.kind != V_CHOICE || literal.kind != V_STATIC || !mrb_symbol_p(literal.u.st) ||
	    only_class(l, st, runtime) != SYMBOL)
		return;
	size_t n = val_arms(l, st, runtime, &arms);
	const char *list = "";
	for (size_t i = 0; i < n; i++) {
		if (mrb_symbol(arms[i].v.u.st) == mrb_symbol(literal.u.st))
			return;
		list = arena_printf(l->arena, "%s%s:%s", list, i ? ", " : "",
		                    ruby_name(l->rb, mrb_symbol(arms[i].v.u.st)));
	}
	lift_warn(l, arena_printf(l->arena, "it is one of %s", list),
	          arena_printf(l->arena, "the value is never :%s", ruby_name(l->rb, mrb_symbol(literal.u.st))));
}

void lint_equal(struct lifter *l, const struct state *st, struct val a, struct val b)
{
	enum class_of x, y;
	if (!lift_in_policy(l, l->frame))
		return;
	if (never(l, st, a, b, &x, &y))
		warn(l, x, y, a, b);
	else if (never(l, st, b, a, &x, &y))
		warn(l, x, y, b, a);
	if (!class_redefines(l, l->mrb->symbol_class, "==") && !class_redefines(l, l->mrb->string_class, "==")) {
		lint_value(l, st, a, b);
		lint_value(l, st, b, a);
	}
}

static void lint_include(struct lifter *l, const struct state *st, struct val list, struct val v)
{
	const struct val *items;
	size_t n;
	enum class_of x, y;
	if (!lift_in_policy(l, l->frame) || !is_runtime(v) || !val_items(l, st, list, &items, &n) || !n)
		return;
	for (size_t i = 0; i < n; i++)
		if (!never(l, st, v, items[i], &x, &y))
			return;
	warn(l, x, y, v, items[n - 1]);
}

void lint_send(struct lifter *l, const struct state *st, const struct call *c)
{
	if (c->n != 1)
		return;
	if (c->mid == mrb_intern_lit(l->mrb, "!=") || c->mid == mrb_intern_lit(l->mrb, "==="))
		lint_equal(l, st, c->recv, c->args[0]);
	else if (c->mid == mrb_intern_lit(l->mrb, "include?"))
		lint_include(l, st, c->recv, c->args[0]);
}
