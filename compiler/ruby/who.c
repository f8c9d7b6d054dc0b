/*
 * who.c - what a policy asks of the calling task with an argument: files and cgroups by their
 * paths, groups, capabilities. The argument as a question, or what is wrong with it.
 *
 * A group's name is what the compiling host says, once for each name.
 */
#include "compiler/ruby/said.h"
#include "policy/host.h"
#include "policy/text.h"
#include "policy/users.h"

#include <errno.h>
#include <string.h>

static int wrong(struct who_fault *f, const char *text, const char *hint)
{
	f->text = text;
	f->hint = hint;
	return -1;
}

static const char *quoted(struct arena *a, mrb_value s)
{
	return text_quoted(a, (struct slice){RSTRING_PTR(s), (size_t)RSTRING_LEN(s)});
}

/* "nil", "an Integer": what stands where something else should. */
static const char *described(struct interpreter *rb, mrb_value v)
{
	if (mrb_nil_p(v))
		return "nil";
	const char *name = mrb_obj_classname(rb->mrb, v);
	return arena_printf(rb->arena, "%s %s", strchr("AEIO", name[0]) ? "an" : "a", name);
}

/* ---- paths ------------------------------------------------------------------------------- */

/* The path without what path_fault() finds, below the root; "": nothing is left. */
static const char *cleaned(struct arena *a, const char *s, size_t n)
{
	char *out = arena_alloc(a, n + 2);
	size_t len = 0;
	for (size_t i = 0, end; i < n; i = end + 1) {
		for (end = i; end < n && s[end] != '/'; end++)
			;
		size_t part = end - i;
		if (!part || (part == 1 && s[i] == '.'))
			continue;
		if (part == 2 && !memcmp(s + i, "..", 2)) {
			while (len && out[--len] != '/')
				;
			continue;
		}
		out[len++] = '/';
		memcpy(out + len, s + i, part);
		len += part;
	}
	out[len] = '\0';
	return out;
}

/* A hint that writes the path as it should be; `otherwise` where that is nothing to write. */
static const char *write_path(struct arena *a, const char *path, const char *otherwise)
{
	size_t n = strlen(path);
	if (path_fault(path, n) || text_unsafe(path, n) < n || strpbrk(path, "\"\\#"))
		return otherwise;
	return arena_printf(a, "write \"%s\"", path);
}

static int no_path(struct arena *a, mrb_value s, const char *why, const char *example, struct who_fault *f)
{
	const char *path = RSTRING_PTR(s);
	size_t n = (size_t)RSTRING_LEN(s);
	const char *text = arena_printf(a, "%s cannot be compared with a file's path: %s", quoted(a, s), why);
	const char *otherwise = arena_printf(a, "write the whole path, such as \"%s\"", example);
	return wrong(f, text, n && *path == '/' && n <= PATH_NAME_MAX ? write_path(a, cleaned(a, path, n), otherwise) : otherwise);
}

int who_file(const struct said *said, struct interpreter *rb, mrb_value s, struct span at, int64_t *value, struct who_fault *f)
{
	const char *path = RSTRING_PTR(s);
	size_t n = (size_t)RSTRING_LEN(s);
	const char *why = n == 1 && *path == '/' ? "it is a directory" : path_fault(path, n);
	if (why)
		return no_path(rb->arena, s, why, "/usr/bin/qemu-system-x86_64", f);
	const struct path_named *p = asked_path(terms_asked(said->policy->terms), arena_strndup(rb->arena, path, n), false, at);
	if (!p)
		return wrong(f, arena_printf(rb->arena, "%s has the same number as another path of the policy", quoted(rb->arena, s)),
		             "make a policy of its own for it");
	*value = p->value;
	return 0;
}

/* ---- in_group? ------------------------------------------------------------------------------ */

static int no_group(struct arena *a, const char *name, int error, const char *near, struct who_fault *f)
{
	const char *safe = text_quoted(a, (struct slice){name, strlen(name)});
	if (error != ENOENT)
		return wrong(f, arena_printf(a, "cannot look up group %s: %s", safe, strerror(error)), "write its number: ctx.in_group?(44)");
	const char *hint = "make the group, or write its number: ctx.in_group?(44)";
	if (*name && !name[strspn(name, "0123456789")])
		hint = arena_printf(a, "write the number: ctx.in_group?(%s)", name);
	return wrong(f, arena_printf(a, "there is no group %s on this host", safe),
	             near ? arena_printf(a, "did you mean \"%s\"?", near) : hint);
}

/* The number of a group by its name; what the host says is told once. */
static int named_group(struct said *said, struct interpreter *rb, const char *name, struct span at, int64_t *gid, struct who_fault *f)
{
	const char *near = NULL;
	uint32_t found;
	for (size_t i = 0; i < said->ngroups; i++)
		if (!strcmp(said->groups[i].name, name)) {
			*gid = said->groups[i].gid;
			return 0;
		}
	int error = said->host->group(said->host, rb->arena, name, &found, &near);
	if (error)
		return no_group(rb->arena, name, error, near, f);
	*ARENA_PUSH(rb->arena, said->groups, said->ngroups, said->groups_cap) = (struct group_said){name, found};
	diag_add(rb->diags, DIAG_NOTE, at, NULL, "group %s is %u on this host", name, found);
	*gid = found;
	return 0;
}

static int group(struct said *said, struct interpreter *rb, mrb_value v, struct span at, struct ask *out, struct who_fault *f)
{
	struct arena *a = rb->arena;
	if (mrb_integer_p(v)) {
		out->number = mrb_integer(v);
		return out->number >= 0 && out->number < ID_NONE
		               ? 0
		               : wrong(f, arena_printf(a, "%lld is no number of a group", (long long)out->number), "they are 0 to 4294967294");
	}
	if (!mrb_string_p(v) && !mrb_symbol_p(v))
		return wrong(f, arena_printf(a, "`in_group?` takes a group, not %s", described(rb, v)),
		             "write its number or its name: ctx.in_group?(44), ctx.in_group?(\"video\")");
	if (mrb_symbol_p(v))
		v = mrb_sym_str(rb->mrb, mrb_symbol(v));
	const char *name = arena_strndup(a, RSTRING_PTR(v), (size_t)RSTRING_LEN(v));
	if (strlen(name) != (size_t)RSTRING_LEN(v))
		return wrong(f, "the name of a group contains a NUL byte", "remove the \\0");
	out->text = name;
	return named_group(said, rb, name, at, &out->number, f);
}

/* ---- capable? -------------------------------------------------------------------------------- */

static int no_capability(struct arena *a, const char *name, bool is_symbol, struct who_fault *f)
{
	const char *names[CAPABILITIES];
	char *plain = arena_strdup(a, name);
	for (char *c = plain; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	plain += !strncmp(plain, "cap_", 4) ? 4 : 0;
	for (int i = 0; i < CAPABILITIES; i++)
		names[i] = capability_name(i);
	const char *safe = text_safe(a, name, strlen(name), 32), *near = did_you_mean(plain, names, CAPABILITIES);
	const char *hint = "capabilities(7) has the names: ctx.capable?(:sys_rawio)";
	if (capability_number(plain, strlen(plain)) >= 0)
		hint = arena_printf(a, "write :%s", plain);
	else if (near)
		hint = arena_printf(a, "did you mean :%s?", near);
	return wrong(f, is_symbol ? arena_printf(a, "there is no capability :%s", safe)
	                          : arena_printf(a, "a capability is a symbol, not \"%s\"", safe),
	             hint);
}

static int capable(struct said *said, struct interpreter *rb, mrb_value v, struct span at, struct ask *out, struct who_fault *f)
{
	struct arena *a = rb->arena;
	(void)said, (void)at;
	const char *known = mrb_integer_p(v) && mrb_integer(v) >= 0 && mrb_integer(v) < CAPABILITIES ? capability_name((int)mrb_integer(v)) : NULL;
	if (!mrb_symbol_p(v) && !mrb_string_p(v))
		return wrong(f, arena_printf(a, "`capable?` takes the name of a capability, not %s", described(rb, v)),
		             arena_printf(a, "write ctx.capable?(:%s)", known ? known : "sys_rawio"));
	bool is_symbol = mrb_symbol_p(v);
	if (is_symbol)
		v = mrb_sym_str(rb->mrb, mrb_symbol(v));
	const char *name = arena_strndup(a, RSTRING_PTR(v), (size_t)RSTRING_LEN(v));
	int number = strlen(name) == (size_t)RSTRING_LEN(v) ? capability_number(name, strlen(name)) : -1;
	if (number < 0 || !is_symbol)
		return no_capability(a, name, is_symbol, f);
	out->number = number;
	out->text = name;
	return 0;
}

/* ---- under? ----------------------------------------------------------------------------------- */

static size_t depth_of(const char *path)
{
	size_t n = 0;
	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int no_cgroup(struct arena *a, mrb_value s, const char *path, const char *why, struct who_fault *f)
{
	static const char example[] = "write its path from the root of the cgroup v2 hierarchy, such as \"/system.slice/x.service\"";
	return wrong(f, arena_printf(a, "%s is no path of a cgroup: %s", quoted(a, s), why),
	             *path == '/' ? write_path(a, path, example) : example);
}

static int under(struct said *said, struct interpreter *rb, mrb_value v, struct span at, struct ask *out, struct who_fault *f)
{
	static const char *const mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	struct arena *a = rb->arena;
	if (!mrb_string_p(v))
		return wrong(f, arena_printf(a, "`under?` takes the path of a cgroup, not %s", described(rb, v)),
		             "write ctx.under?(\"/system.slice/x.service\")");
	const char *path = RSTRING_PTR(v);
	size_t n = (size_t)RSTRING_LEN(v);
	const char *why = path_fault(path, n);
	if (why)
		return no_cgroup(a, v, n && *path == '/' && n <= PATH_NAME_MAX ? cleaned(a, path, n) : "", why, f);
	path = arena_strndup(a, path, n);
	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		size_t len = strlen(mounts[i]);
		if (!strncmp(path, mounts[i], len) && (!path[len] || path[len] == '/'))
			return no_cgroup(a, v, path[len] ? path + len : "/", "it begins where the hierarchy is mounted", f);
	}
	if (n > 1 && depth_of(path) > REQUEST_LEVELS)
		return no_cgroup(a, v, "", arena_printf(a, "it has more than %d parts", REQUEST_LEVELS), f);
	const struct path_named *p = n > 1 ? asked_path(terms_asked(said->policy->terms), path, true, at) : NULL;
	if (n > 1 && !p)
		return wrong(f, arena_printf(a, "%s has the same number as another path of the policy", quoted(a, v)), "rename the cgroup");
	out->number = p ? p->value : 0;
	out->text = path;
	return 0;
}

/* ---- all ---------------------------------------------------------------------------------------- */

static const struct {
	const char *method;
	int (*argument)(struct said *said, struct interpreter *rb, mrb_value v, struct span at, struct ask *out, struct who_fault *f);
	const char *known; /* an argument that is known */
} questions[ASK_KINDS] = {
	[ASK_GROUP] = {"in_group?", group, "ctx.in_group?(44)"},
	[ASK_CAPABLE] = {"capable?", capable, "ctx.capable?(:sys_rawio)"},
	[ASK_UNDER] = {"under?", under, "ctx.under?(\"/system.slice/x.service\")"},
};

int who_kind(const char *method)
{
	for (int kind = 0; kind < ASK_KINDS; kind++)
		if (!strcmp(questions[kind].method, method))
			return kind;
	return -1;
}

const char *who_example(enum ask_kind kind)
{
	return questions[kind].known;
}

int who_question(struct said *said, struct interpreter *rb, enum ask_kind kind, mrb_value v, struct span at, struct ask *out,
                 struct who_fault *f)
{
	*out = (struct ask){.kind = kind, .at = at};
	return questions[kind].argument(said, rb, v, at, out, f);
}

bool who_is_root(const struct ask *ask)
{
	return ask->kind == ASK_UNDER && !strcmp(ask->text, "/");
}
