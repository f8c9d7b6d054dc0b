/*
 * request_who.c - what a request says of the calling task: exe=/usr/bin/x login_uid=none groups=44,105 caps=sys_rawio
 * cgroup=/system.slice/x.service, read and written. groups=44,-105 is not all its groups: it is in 44 and not in 105, and the
 * others are not known; so are caps=sys_rawio,-sys_admin.
 */
#include "policy/asked.h"
#include "policy/diag.h"
#include "policy/request.h"
#include "policy/text.h"

#include <string.h>

bool request_cgroup(struct request *r, const char *path, size_t n)
{
	r->who.nunder = 0;
	if (path_fault(path, n))
		return false;
	for (size_t i = 1; i <= n && n > 1; i++) {
		if (i < n && path[i] != '/')
			continue;
		if (r->who.nunder == REQUEST_LEVELS)
			return false;
		r->who.under[r->who.nunder++] = path_value(path, i);
	}
	r->who.cgroup = path;
	r->who.known |= WHO_CGROUP;
	return true;
}

/* ---- facts about the task ------------------------------------------------------------------- */

/* A path with blanks stands in quotation marks. */
static struct slice unquoted(struct slice value)
{
	bool quoted = value.n > 1 && (value.s[0] == '"' || value.s[0] == '\'') && value.s[value.n - 1] == value.s[0];
	return quoted ? (struct slice){value.s + 1, value.n - 2} : value;
}

static const char *path_word(struct arena *a, const char *path)
{
	return strchr(path, ' ') ? arena_printf(a, "\"%s\"", path) : path;
}

static int read_file(struct fault *f, enum input in, struct slice value, struct request *r)
{
	value = unquoted(value);
	const char **text = in == IN_EXE ? &r->who.exe : &r->who.parent_exe;
	const char *why = slice_is(value, "-") ? NULL : path_fault(value.s, value.n);
	if (why)
		return fault_set(f, arena_printf(f->arena, "write %s=/usr/bin/x, or %s=- for a file that no rule names", input_name(in), input_name(in)),
		                 "%s of %s is no path: %s", text_quoted(f->arena, value), input_name(in), why);
	*text = arena_strndup(f->arena, value.s, value.n);
	r->fact[in] = slice_is(value, "-") ? 0 : path_value(value.s, value.n);
	return 0;
}

static int read_yes_no(struct fault *f, enum input in, struct slice value, struct request *r)
{
	if (!slice_is(value, "yes") && !slice_is(value, "no"))
		return fault_set(f, arena_printf(f->arena, "write %s=yes or %s=no", input_name(in), input_name(in)), "%s is neither yes nor no",
		                 text_quoted(f->arena, value));
	r->fact[in] = slice_is(value, "yes");
	return 0;
}

int request_task_fact(struct fault *f, enum input in, struct slice value, struct request *r)
{
	int64_t lo, hi;
	switch (input_kind(in)) {
	case FACT_FILE: return read_file(f, in, value, r);
	case FACT_YES_NO: return read_yes_no(f, in, value, r);
	case FACT_OR_NONE:
		if (slice_is(value, "none")) {
			r->fact[in] = ID_NONE;
			return 0;
		}
		if (!read_number(f, input_name(in), value, ID_NONE - 1, &r->fact[in]))
			return 0;
		f->hint = arena_printf(f->arena, "write %s=1000, or %s=none where it is not set", input_name(in), input_name(in));
		return -1;
	default:
		input_range(in, &lo, &hi);
		return read_number(f, input_name(in), value, (uint64_t)hi, &r->fact[in]);
	}
}

/* ---- groups, capabilities, the cgroup ---------------------------------------------------------- */

/* A comma that nothing follows. */
static int ends_open(struct fault *f, struct slice list)
{
	return list.n && list.s[list.n - 1] == ',' ? fault_set(f, "leave out the last comma", "%s ends with a comma", text_quoted(f->arena, list)) : 0;
}

/* Takes a minus before a name away: it has not got that one. */
static bool is_not(struct slice *one)
{
	bool lacks = one->n > 1 && *one->s == '-';
	one->s += lacks;
	one->n -= lacks;
	return lacks;
}

static int contradicts(struct fault *f, const char *word, const char *one)
{
	return fault_set(f, "leave one of them out", "%s has %s and -%s", word, one, one);
}

static int read_groups(struct fault *f, struct slice list, struct request *r)
{
	struct request_who *w = &r->who;
	if (ends_open(f, list))
		return -1;
	while (list.n) {
		int64_t gid;
		struct slice one = cut_at(&list, ',');
		bool lacks = is_not(&one);
		uint32_t *n = lacks ? &w->nnot : &w->ngroups, *to = lacks ? w->not_groups : w->groups;
		if (read_number(f, "group", one, UINT32_MAX, &gid)) {
			if (one.n && (one.s[0] < '0' || one.s[0] > '9'))
				f->hint = "groups are numbers in a request, as in groups=44,105; write groups=none where there is none";
			return -1;
		}
		if (*n == REQUEST_GROUPS)
			return fault_set(f, "leave out those that no rule asks for", "more than %d groups", REQUEST_GROUPS);
		to[(*n)++] = (uint32_t)gid;
		w->partly |= lacks ? WHO_GROUPS : 0;
	}
	for (size_t i = 0; i < w->ngroups; i++)
		for (size_t k = 0; k < w->nnot; k++)
			if (w->groups[i] == w->not_groups[k])
				return contradicts(f, "groups=", arena_printf(f->arena, "%u", w->groups[i]));
	return 0;
}

/* CAP_CHOWN as chown. */
static const char *lower_name(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name);
	for (char *s = out; *s; s++)
		*s = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
	return strncmp(out, "cap_", 4) ? out : out + 4;
}

static int unknown_capability(struct fault *f, struct slice one)
{
	const char *names[CAPABILITIES];
	for (int i = 0; i < CAPABILITIES; i++)
		names[i] = capability_name(i);
	const char *safe = text_safe(f->arena, one.s, one.n, 32), *near = did_you_mean(lower_name(f->arena, safe), names, CAPABILITIES);
	return fault_set(f, near ? arena_printf(f->arena, "did you mean %s?", near) : "they are written as in caps=sys_admin,sys_rawio, or caps=none",
	                 "unknown capability \"%s\"", safe);
}

static int read_caps(struct fault *f, struct slice list, struct request *r)
{
	struct request_who *w = &r->who;
	if (slice_is(list, "all")) {
		w->caps = ((uint64_t)1 << CAPABILITIES) - 1;
		return 0;
	}
	if (ends_open(f, list))
		return -1;
	while (list.n) {
		struct slice one = cut_at(&list, ',');
		bool lacks = is_not(&one);
		int number = capability_number(one.s, one.n);
		if (number < 0)
			return unknown_capability(f, one);
		*(lacks ? &w->not_caps : &w->caps) |= (uint64_t)1 << number;
		w->partly |= lacks ? WHO_CAPS : 0;
	}
	for (int i = 0; i < CAPABILITIES; i++)
		if (w->caps & w->not_caps & (uint64_t)1 << i)
			return contradicts(f, "caps=", capability_name(i));
	return 0;
}

static int read_cgroup(struct fault *f, struct slice value, struct request *r)
{
	value = unquoted(value);
	const char *path = arena_strndup(f->arena, value.s, value.n), *why = path_fault(value.s, value.n);
	if (why || !request_cgroup(r, path, value.n))
		return fault_set(f, "write the path in the cgroup v2 hierarchy: cgroup=/system.slice/x.service",
		                 "%s is no cgroup: %s", text_quoted(f->arena, value), why ? why : "it is too deep");
	return 0;
}

int request_who_read(struct fault *f, struct slice key, struct slice value, struct request *r)
{
	static const struct {
		const char *name;
		uint32_t known;
		int (*read)(struct fault *, struct slice, struct request *);
	} words[] = {{"groups", WHO_GROUPS, read_groups}, {"caps", WHO_CAPS, read_caps}, {"cgroup", WHO_CGROUP, read_cgroup}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!slice_is(key, words[i].name))
			continue;
		if (r->who.known & words[i].known)
			return fault_set(f, "give each fact once", "%s is given twice", words[i].name);
		if (!value.n)
			return fault_set(f, i < 2 ? arena_printf(f->arena, "write %s=none where there is none", words[i].name) : NULL,
			                 "nothing stands behind %s=", words[i].name);
		r->who.known |= words[i].known;
		return i < 2 && slice_is(value, "none") ? 0 : words[i].read(f, value, r);
	}
	return 1;
}

/* No kernel has such a caller: a request about one would make a test mean nothing. */
int request_who_settle(struct fault *f, const struct request *r)
{
	bool thread = r->known & INPUT(IN_KERNEL_THREAD) && r->fact[IN_KERNEL_THREAD];
	bool elsewhere = r->known & INPUT(IN_HOST_USER_NS) && !r->fact[IN_HOST_USER_NS];
	if (thread && r->known & INPUT(IN_EXE) && r->fact[IN_EXE])
		return fault_set(f, "a thread of the kernel runs no file: leave out exe=, or write exe=-", "kernel_thread=yes has no executable");
	if (thread && (elsewhere || (r->known & INPUT(IN_HOST_PID_NS) && !r->fact[IN_HOST_PID_NS])))
		return fault_set(f, "the threads of the kernel are in the host's namespaces", "kernel_thread=yes is in no namespace of its own");
	return 0;
}

/* ---- as text ------------------------------------------------------------------------------------- */

static const char *fact_text(struct arena *a, const struct request *r, enum input in)
{
	const char *path = in == IN_EXE ? r->who.exe : r->who.parent_exe;
	int64_t v = r->fact[in];
	switch (input_kind(in)) {
	case FACT_FILE: return v && path ? path_word(a, path) : "-";
	case FACT_YES_NO: return v ? "yes" : "no";
	case FACT_OR_NONE:
		if (v == ID_NONE)
			return "none";
		/* fall through */
	default: return arena_printf(a, "%lld", (long long)v);
	}
}

static const char *one_more(struct arena *a, const char *list, const char *sign, const char *one)
{
	return arena_printf(a, "%s%s%s%s", list, *list ? "," : "", sign, one);
}

static const char *groups_text(struct arena *a, const struct request_who *w)
{
	const char *list = "";
	for (size_t i = 0; i < w->ngroups; i++)
		list = one_more(a, list, "", arena_printf(a, "%u", w->groups[i]));
	for (size_t i = 0; i < w->nnot; i++)
		list = one_more(a, list, "-", arena_printf(a, "%u", w->not_groups[i]));
	return *list ? list : "none";
}

static const char *caps_text(struct arena *a, const struct request_who *w)
{
	const char *list = "";
	if (w->caps == ((uint64_t)1 << CAPABILITIES) - 1)
		return "all";
	for (int sign = 0; sign < 2; sign++)
		for (int i = 0; i < CAPABILITIES; i++)
			if ((sign ? w->not_caps : w->caps) >> i & 1)
				list = one_more(a, list, sign ? "-" : "", capability_name(i));
	return *list ? list : "none";
}

char *request_who_words(struct arena *a, const struct request *r, char *text)
{
	for (enum input in = IN_EUID; in < IN_ASK_0; in++)
		if (r->known & INPUT(in))
			text = arena_printf(a, "%s %s=%s", text, input_name(in), fact_text(a, r, in));
	if (r->who.known & WHO_GROUPS)
		text = arena_printf(a, "%s groups=%s", text, groups_text(a, &r->who));
	if (r->who.known & WHO_CAPS)
		text = arena_printf(a, "%s caps=%s", text, caps_text(a, &r->who));
	if (r->who.known & WHO_CGROUP && r->who.cgroup)
		text = arena_printf(a, "%s cgroup=%s", text, path_word(a, r->who.cgroup));
	return text;
}
