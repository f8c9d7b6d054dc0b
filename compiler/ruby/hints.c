/*
 * hints.c - what to do about an exception: the name that was meant, or what a
 * policy has instead of what other Ruby programs have.
 *
 * Names of mruby are copied before anything else asks for one: short symbols
 * share one buffer.
 */
#include "compiler/ruby/ruby.h"
#include "policy/device.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CTX_METHODS(X)                                                                             \
	X("type") X("char?") X("block?") X("major") X("minor") X("read?") X("write?") X("mknod?") \
	X("access") X("requested") X("access_type")
#define HINT_ANSWER "the block's value is its answer, true when the rule matches; rules are made outside of it"
#define LISTED(name) name ", "
#define ELEMENT(name) name,

struct advice { const char *name, *hint; };

static const struct advice missing_methods[] = {
	{"puts", "a policy has no input or output: `eval` and `check` show what it does"},
	{"p", "a policy has no input or output: `eval` and `check` show what it does"},
	{"pp", "a policy has no input or output: `eval` and `check` show what it does"},
	{"print", "a policy has no input or output: `eval` and `check` show what it does"},
	{"printf", "a policy has no input or output: `eval` and `check` show what it does"},
	{"warn", "a policy has no input or output: `eval` and `check` show what it does"},
	{"gets", "a policy has no input: give it a value by `param` and --param"},
	{"require", "load a file of your own by require_relative; the classes of mruby are there without"},
	{"eval", "write the code itself: a policy runs no text as code"},
	{"instance_eval", "write the code itself: a policy runs no text as code"},
	{"system", "a policy runs no commands: give it a value by `param` and --param"},
	{"exec", "a policy runs no commands"},
	{"spawn", "a policy runs no commands"},
	{"fork", "a policy runs no commands"},
	{"`", "a policy runs no commands: give it a value by `param` and --param"},
	{"open", "a policy opens no files: ctx says all that is known of a request"},
	{"exit", "the value of a block is its answer; `raise` denies"},
	{"abort", "the value of a block is its answer; `raise` denies"},
	{"sleep", "a policy does not wait"},
	{"rand", "a policy decides by the request alone: there is no chance in it"},
	{"srand", "a policy decides by the request alone: there is no chance in it"},
	{"catch", "use `next` to end the block with a value, or `return` from a method (`def`)"},
	{"throw", "use `next` to end the block with a value, or `return` from a method (`def`)"},
	{"=~", HINT_REGEXP}, {"match", HINT_REGEXP}, {"match?", HINT_REGEXP}, {"!~", HINT_REGEXP},
	{"[]=", "a block changes what it made itself, one element at a time"},
	{"<<", "a block changes no string: write the whole string"},
	{"allow", HINT_ANSWER}, {"deny", HINT_ANSWER}, {"default", HINT_ANSWER}, {"policy", HINT_ANSWER},
	{"never", HINT_ANSWER}, {"always", HINT_ANSWER}, {"param", HINT_ANSWER}, {"set", HINT_ANSWER}, {"audit", HINT_ANSWER}, {"mode", HINT_ANSWER}, {"grants", HINT_ANSWER},
	{"set_backtrace", "leave it out: an error is told where it is raised"},
	{"fetch", "give a value for a missing key: fetch(key, nil)"},
	{"to_s", "compare the value itself: ctx.major == 1"},
	{"inspect", "compare the value itself: ctx.major == 1"},
	{NULL, NULL},
};

static const struct advice missing_constants[] = {
	{"Regexp", HINT_REGEXP},
	{"ENV", "a policy has no environment: give it a value by `param` and --param"},
	{"ARGV", "a policy has no arguments: give it a value by `param` and --param"},
	{"File", "a policy opens no files: ctx says all that is known of a request"},
	{"IO", "a policy opens no files: ctx says all that is known of a request"},
	{"Dir", "a policy opens no files: ctx says all that is known of a request"},
	{"Process", "ctx says what is known of the process: ctx.uid, euid, gid, pid, exe, comm, cgroup_id and more"},
	{"Time", "there is no clock but ctx.uptime, in seconds"},
	{"Date", "there is no clock but ctx.uptime, in seconds"},
	{"Random", "a policy decides by the request alone: there is no chance in it"},
	{"DeviceRequest", "ctx is given to the blocks of rules alone: allow { |ctx| ctx.major == 1 }"},
	{"GC", "a policy does not steer the interpreter: leave it out"},
	{"ObjectSpace", "a policy does not steer the interpreter: leave it out"},
	{"Set", "use an Array: [1, 2].include?(ctx.minor)"},
	{NULL, NULL},
};

#define HINT_GROUP "ask for one: ctx.in_group?(\"video\"), or ctx.in_group?(44)"
#define HINT_CAPABLE "ask for one: ctx.capable?(:sys_rawio)"
#define HINT_UNDER "ask whether it is that one, or below it: ctx.under?(\"/system.slice/x.service\")"
#define HINT_EXE "the file that runs is ctx.exe: ctx.exe == \"/usr/bin/qemu-system-x86_64\""

static const struct advice missing_facts[] = {
	{"group", HINT_GROUP}, {"groups", HINT_GROUP}, {"group?", HINT_GROUP}, {"member?", HINT_GROUP}, {"fsgid", HINT_GROUP},
	{"cap?", HINT_CAPABLE}, {"caps", HINT_CAPABLE}, {"capabilities", HINT_CAPABLE}, {"capability?", HINT_CAPABLE},
	{"cgroup", HINT_UNDER}, {"cgroup?", HINT_UNDER}, {"in_cgroup?", HINT_UNDER}, {"cgroup_path", HINT_UNDER},
	{"path", HINT_EXE}, {"executable", HINT_EXE}, {"binary", HINT_EXE}, {"program", HINT_EXE}, {"exe?", HINT_EXE},
	{"parent", "ctx.parent_exe is the file that the parent runs, ctx.ppid its number"},
	{"auid", "it is called ctx.login_uid, nil where nobody has logged in"},
	{NULL, NULL},
};

static const char *advice_for(const struct advice *list, const char *name)
{
	while (list->name && strcmp(list->name, name))
		list++;
	return list->hint;
}

const char *hint_method_instead(const char *name)
{
	return advice_for(missing_methods, name);
}

/* A question ends in `?`. */
#define MARK_NUMBER
#define MARK_OR_NONE
#define MARK_YES_NO "?"
#define MARK_FILE

static const char *const ctx_methods[] = {
	CTX_METHODS(ELEMENT)
#define FACT(id, number, name, lowest, highest, bits, helper) #name,
#define TEXT_FACT(id, number, name, helper) #name,
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) #name MARK_##kind,
#include "policy/facts.def"
	"in_group?", "capable?", "under?",
};
static const char ctx_list[] = "ctx has " CTX_METHODS(LISTED)
#define FACT(id, number, name, lowest, highest, bits, helper) #name ", "
#define TEXT_FACT(id, number, name, helper) #name ", "
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) #name MARK_##kind ", "
#include "policy/facts.def"
	"in_group?, capable?, under? and the parameters with a range";
enum { CTX_METHODS_N = sizeof ctx_methods / sizeof *ctx_methods };

static bool is_ctx_method(const struct said *said, const char *name)
{
	for (size_t i = 0; i < CTX_METHODS_N; i++)
		if (!strcmp(ctx_methods[i], name))
			return true;
	return ctx_input(said, name) >= 0;
}

/* ---- near names ------------------------------------------------------------------------- */

struct names { struct interpreter *rb; const char **list; size_t n, cap; };

static void add_name(struct names *to, const char *name)
{
	*ARENA_PUSH(to->rb->arena, to->list, to->n, to->cap) = NULL;
	size_t i = to->n - 1; /* mruby's tables are in no order that would stay */
	for (; i && strcmp(to->list[i - 1], name) > 0; i--)
		to->list[i] = to->list[i - 1];
	to->list[i] = arena_strdup(to->rb->arena, name);
}

/* Two words of one length that differ in two letters, not just swapped. */
static bool two_others(const char *a, const char *b)
{
	size_t n = strlen(a), first = n, differ = 0;
	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i]) {
			first = differ++ ? first : i;
		}
	return differ == 2 && !(first + 1 < n && a[first] == b[first + 1] && a[first + 1] == b[first]);
}

/* The candidate that was meant. Two letters off and another first letter is
 * more often another word than a typo. */
static const char *near(const struct names *from, const char *name)
{
	for (size_t i = 0; i < from->n; i++)
		if (!strcasecmp(from->list[i], name) && strcmp(from->list[i], name))
			return from->list[i];
	const char *found = did_you_mean(name, from->list, from->n);
	if (!found || !strcmp(found, name) || (strlen(name) <= 4 && two_others(name, found)))
		return NULL;
	return *found == *name || strstr(found, name) || strstr(name, found) ? found : NULL;
}

static const char *did_you(struct interpreter *rb, const struct names *from, const char *name)
{
	const char *found = near(from, name);
	return found ? arena_printf(rb->arena, "did you mean `%s`?", found) : NULL;
}

static const char *joined(struct interpreter *rb, const struct names *names)
{
	enum { SHOWN = 12 };
	const char *list = names->list[0];
	for (size_t i = 1; i < names->n && i < SHOWN; i++)
		list = arena_printf(rb->arena, "%s, %s", list, names->list[i]);
	return names->n > SHOWN ? arena_printf(rb->arena, "%s, ...", list) : list;
}

static int add_method(mrb_state *mrb, mrb_sym sym, mrb_method_t m, void *to)
{
	const char *name = mrb_sym_name(mrb, sym);
	if (!MRB_METHOD_UNDEF_P(m) && strncmp(name, "__", 2))
		add_name(to, name);
	return 0;
}

static int add_own(mrb_state *mrb, mrb_sym sym, mrb_method_t m, void *to)
{
	struct names *names = to;
	if (MRB_METHOD_UNDEF_P(m) || MRB_METHOD_CFUNC_P(m) || MRB_PROC_CFUNC_P(mruby_code(MRB_METHOD_PROC(m))))
		return 0;
	const char *file = mrb_debug_get_filename(mrb, mruby_code(MRB_METHOD_PROC(m))->body.irep, 0);
	if (ruby_source(names->rb, file))
		add_name(names, mrb_sym_name(mrb, sym));
	return 0;
}

/* ---- methods ------------------------------------------------------------------------------ */

static const char *assigned(struct interpreter *rb, const char *name)
{
	size_t n = strlen(name);
	if (n < 2 || name[n - 1] != '=' || !(isalnum((unsigned char)name[n - 2]) || name[n - 2] == '_'))
		return NULL;
	return arena_printf(rb->arena, "`=` assigns, `==` compares: ctx.%.*s == ...", (int)n - 1, name);
}

const char *hint_ctx_method(struct interpreter *rb, const struct said *said, const char *name)
{
	struct names names = {.rb = rb};
	const char *hint = assigned(rb, name);
	for (size_t i = 0; i < said->nbaked && !hint; i++)
		if (!strcmp(said->baked[i].name, name))
			hint = arena_printf(rb->arena,
			                    "give it a range to read it in a block, such as `param :%s, %lld, "
			                    "in: 0..%lld`, or use the value that `param` returns",
			                    name, (long long)said->baked[i].value,
			                    (long long)(said->baked[i].value > 15 ? said->baked[i].value : 15));
	for (size_t i = 0; i < CTX_METHODS_N; i++)
		add_name(&names, ctx_methods[i]);
	for (size_t i = 0; i < said->policy->nparams; i++)
		add_name(&names, said->policy->params[i].name);
	if (!hint)
		hint = advice_for(missing_facts, name);
	if (!hint)
		hint = did_you(rb, &names, name);
	return hint ? hint : ctx_list;
}

/* The file's variables; true when `name` is one. */
static bool add_variables(struct names *to, const char *name)
{
	const mrb_irep *irep = to->rb->source->irep;
	bool is_one = false;
	for (int i = 0; irep && irep->lv && i + 1 < irep->nlocals; i++) {
		if (!irep->lv[i])
			continue;
		add_name(to, mrb_sym_name(to->rb->mrb, irep->lv[i]));
		is_one |= !strcmp(to->list[to->n - 1], name);
	}
	return is_one;
}

const char *hint_main_method(struct interpreter *rb, const struct said *said, const char *name, const char *ctx)
{
	struct names names = {.rb = rb};
	if (add_variables(&names, name))
		return "a method (`def`) does not see the file's variables, and a block only those before it: "
		       "make it a constant";
	mrb_mt_foreach(rb->mrb, rb->mrb->object_class, add_own, &names);
	const char *hint = hint_method_instead(name);
	if (!hint && !strcmp(name, "ctx"))
		return ctx ? arena_printf(rb->arena, "the block's parameter is called %s", ctx)
		           : "write `{ |ctx| ... }`: ctx is the parameter of the block";
	if (!hint && is_ctx_method(said, name))
		return ctx ? arena_printf(rb->arena, "write `%s.%s`", ctx, name)
		           : arena_printf(rb->arena, "write `{ |ctx| ctx.%s }`", name);
	if (!hint)
		hint = did_you(rb, &names, name);
	for (size_t i = 0; i < CTX_METHODS_N; i++)
		add_name(&names, ctx_methods[i]);
	const char *found = hint ? NULL : near(&names, name);
	if (found)
		hint = arena_printf(rb->arena, "did you mean `%s.%s`?", ctx ? ctx : "ctx", found);
	return hint ? hint : "a block knows its parameter, the file's variables and constants, and what the "
	                     "file defines by `def`";
}

const char *hint_value_method(struct interpreter *rb, const struct said *said, struct RClass *class, const char *name)
{
	struct names names = {.rb = rb};
	const char *hint = hint_method_instead(name);
	if (class == rb->mrb->nil_class)
		return "test for nil first, or call it with `&.`";
	if (!hint && is_ctx_method(said, name))
		return arena_printf(rb->arena, "`%s` is a method of ctx: write `ctx.%s`", name, name);
	if (class->tt == MRB_TT_SCLASS && !hint) { /* a module: what it has itself */
		mrb_mt_foreach(rb->mrb, class, add_method, &names);
		hint = did_you(rb, &names, name);
		if (!hint && names.n)
			hint = arena_printf(rb->arena, "it has %s", joined(rb, &names));
		if (!hint)
			hint = "it has no methods of its own: define one by `def self.NAME`";
		return hint;
	}
	for (; class && class != rb->mrb->object_class && class != rb->mrb->module_class; class = class->super)
		mrb_mt_foreach(rb->mrb, class, add_method, &names);
	if (!hint)
		hint = did_you(rb, &names, name);
	return hint ? hint : "the classes are those of mruby 3.1: compare, compute and look up with what they "
	                     "have, or define a method by `def`";
}

/* ---- constants ------------------------------------------------------------------------------ */

static mrb_value constants_body(mrb_state *mrb, void *in)
{
	return mrb_funcall(mrb, *(mrb_value *)in, "constants", 0);
}

const char *hint_constant(struct interpreter *rb, mrb_value in, const char *name)
{
	struct names names = {.rb = rb};
	mrb_bool failed = FALSE;
	const char *hint = advice_for(missing_constants, name);
	if (hint)
		return hint;
	mrb_value all = mrb_protect_error(rb->mrb, constants_body, &in, &failed);
	for (mrb_int i = 0; !failed && mrb_array_p(all) && i < RARRAY_LEN(all); i++)
		if (mrb_symbol_p(RARRAY_PTR(all)[i]))
			add_name(&names, mrb_sym_name(rb->mrb, mrb_symbol(RARRAY_PTR(all)[i])));
	hint = did_you(rb, &names, name);
	return hint ? hint : "a constant is assigned in the file, outside of the block and before it is used";
}

/* ---- what Ruby alone has ------------------------------------------------------------------------ */

static bool in_words(const char *words, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = words; n && (at = strstr(at, name)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

bool ruby_alone_has(const char *name, bool of_nil)
{
	static const char of_all[] =
		"=~ display extend_object method public_method public_send singleton_method rationalize to_c to_r";
	static const char of_some[] =
		"% +@ -@ [] abs2 angle arg ascii_only? assoc b bit_length bsearch cause chain chunk chunk_while coerce compact "
		"compare_by_identity conj crypt deconstruct deconstruct_keys denominator digits each_entry each_grapheme_cluster "
		"encode encoding end_with? even? fdiv filter force_encoding full_message gcd gcdlcm grapheme_clusters grep_v "
		"id2name instance_method integer? key lazy lcm magnitude match match? next next_float numerator odd? ord pack "
		"pow pred prev_float rassoc receiver sample scan scrub shuffle size slice slice_after slice_before slice_when "
		"sort_by! start_with? step succ sum swapcase to_ary to_hash to_int unicode_normalize unpack unpack1 "
		"valid_encoding? ceildiv";
	return in_words(of_all, name) || (!of_nil && in_words(of_some, name));
}

/* ---- exceptions by their text ------------------------------------------------------------------ */

/* The word behind `before` in a text, up to one of `end`; NULL: not there. */
static const char *word_after(struct interpreter *rb, const char *text, const char *before, const char *end)
{
	const char *at = strstr(text, before);
	return at ? arena_strndup(rb->arena, at + strlen(before), strcspn(at + strlen(before), end)) : NULL;
}

/* At file level: the policy language, or a condition that belongs in a block. */
static const char *hint_file_method(struct interpreter *rb, const struct said *said, const char *name,
                                    const char *line)
{
	static const char *const language[] = {"policy", "default", "allow", "deny", "never", "always", "param", "section!", "license!",
	                                       "table", "percpu", "array", "histogram", "ring", "on", "every", "at_exit"};
	struct names names = {.rb = rb};
	const char *hint = hint_method_instead(name), *error;
	struct pattern device;
	if (hint)
		return hint;
	if (line && strstr(line, arena_printf(rb->arena, ".%s", name)))
		return arena_printf(rb->arena, "what stands before `.%s` is nil, or has no such method in mruby 3.1", name);
	if (!pattern_named(rb->arena, said->host, name, &device, &error, &hint))
		return arena_printf(rb->arena, "a device is a symbol or a string: write :%s", name);
	if (!strcmp(name, "ctx"))
		return "ctx is the parameter of a block: allow { |ctx| ctx.major == 1 }";
	if (is_ctx_method(said, name))
		return arena_printf(rb->arena, "conditions belong in a block: allow { |ctx| ctx.%s }", name);
	for (size_t i = 0; i < sizeof language / sizeof *language; i++)
		add_name(&names, language[i]);
	mrb_mt_foreach(rb->mrb, rb->mrb->object_class, add_own, &names);
	add_variables(&names, name);
	hint = did_you(rb, &names, name);
	return hint ? hint : "a policy is made of policy, default, allow, deny and param; "
	                     "conditions on ctx belong in a block";
}

/* What a wrong argument should have been, or NULL. */
static const char *wrong_argument(const char *text)
{
	if (strstr(text, "nil"))
		return "test for nil first";
	if (strstr(text, "comparison of") || strstr(text, "into Integer") || strstr(text, "to Integer"))
		return "an Integer is needed here: write 1, not \"1\"";
	if (strstr(text, "to String") || strstr(text, "into String"))
		return "give a String in quotes";
	if (strstr(text, "number of arguments"))
		return "give the method as many arguments as it takes";
	return NULL;
}

/* Of mruby 3.2 and newer. */
static const char *too_long(const char *text)
{
	return strstr(text, "array size too big") || strstr(text, "string too long")
	               ? "use ranges, or several smaller ones: this mruby has limits of its own (131,072 elements, 1 MiB of text)"
	               : NULL;
}

const char *hint_mistake(const char *text)
{
	const char *hint = too_long(text) ? too_long(text) : wrong_argument(text);
	return hint ? hint : "every access that comes here would be denied by this exception: correct the call";
}

const char *hint_exception(struct interpreter *rb, const struct said *said, const char *text, const char *line)
{
	const char *name;
	if (too_long(text))
		return too_long(text);
	if (strstr(text, "stack level too deep"))
		return "a method calls itself without end";
	if (strstr(text, "backquotes"))
		return hint_method_instead("`");
	if ((name = word_after(rb, text, "uninitialized constant ", " )")))
		return hint_constant(rb, mrb_obj_value(rb->mrb->object_class), name);
	if ((name = word_after(rb, text, "undefined method '", "'")))
		return hint_file_method(rb, said, name, line);
	if ((!strncmp(text, "ArgumentError", 13) || !strncmp(text, "TypeError", 9)) &&
	    (name = wrong_argument(text)))
		return name;
	return "the file is run once, when the policy is compiled";
}
