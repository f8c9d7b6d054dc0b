/*
 * lint_who.c - warns of conditions on the caller that a caller gets round.
 *
 * What a name, a parent or a process id says, a process chooses itself: rules that read these are told by reading. Who
 * has an executable, a capability or a namespace cannot fake it, but can do without it: where a request is denied with
 * it and allowed without it, by the diagram, the denial stops nobody.
 */
#include "policy/lint_who.h"
#include "policy/arena.h"
#include "policy/callers.h"
#include "policy/diagram_internal.h"
#include "policy/find.h"

#include <string.h>

enum { PATHS_MAX = 200, ROOM = 64 << 10, TIMES = 8 };

struct lint {
	struct arena *arena;
	struct diags *diags;
	const struct policy *policy;
	const struct policy_diagram *pd;
	struct diagrams *dg;
	node allowed;       /* of whole requests: true where they are */
	input_set inputs;   /* that it reads */
	input_set compared; /* those of comparisons of several */
};

/* ---- what is read ------------------------------------------------------------------------------ */

static input_set read_by(const struct policy *p, const struct rule *r)
{
	input_set inputs = term_get(p->terms, r->match)->inputs;
	for (size_t i = 0; i < r->nraises; i++)
		inputs |= term_get(p->terms, r->raises[i].when)->inputs;
	return inputs;
}

/* The first rule that reads one, without another that helps. */
static void warn_of_reading(struct lint *l, enum input in, input_set without, const char *hint, const char *text)
{
	for (const struct rule *r = l->policy->rules; r < l->policy->rules + l->policy->nrules; r++)
		if ((read_by(l->policy, r) & (INPUT(in) | without)) == INPUT(in)) {
			diag_add(l->diags, DIAG_WARNING, r->at, hint, "%s", text)->source = r->source;
			return;
		}
}

static void lint_chosen(struct lint *l)
{
	static const char instead[] = "decide by ctx.exe, ctx.euid or ctx.in_group?, or take it as a help and not as a guard";
	warn_of_reading(l, IN_PPID, 0, instead, "ctx.ppid can be faked: who forks twice has another parent");
	warn_of_reading(l, IN_PARENT_EXE, 0, instead,
	                "ctx.parent_exe can be faked: who forks twice has another parent, and many programs start what they are told to");
	warn_of_reading(l, IN_LOGIN_UID, INPUT(IN_SESSION), "decide by ctx.session, ctx.euid or ctx.exe too",
	                "ctx.login_uid is chosen by a process that has none yet: a service takes any");
}

/* ---- what can be given up ------------------------------------------------------------------------ */

static node both(struct lint *l, node x, node y)
{
	return diagram_ite(l->dg, x, y, NODE_FALSE);
}

static node negated(struct lint *l, node x)
{
	return diagram_ite(l->dg, x, NODE_FALSE, NODE_TRUE);
}

/* Requests that are allowed with one value of an input and not with another, of callers that there can be with both. */
static node told_apart(struct lint *l, enum input in, int64_t allowed_with, int64_t denied_with)
{
	node with = diagram_restrict(l->dg, l->allowed, in, allowed_with), without = diagram_restrict(l->dg, l->allowed, in, denied_with);
	node can = callers_possible(l->dg, l->inputs);
	can = both(l, diagram_restrict(l->dg, can, in, allowed_with), diagram_restrict(l->dg, can, in, denied_with));
	return both(l, both(l, with, negated(l, without)), can);
}

/* One of them, and the rules that decide it. */
struct such { const char *request; const struct rule *denies, *allows; };

static bool decided_by(struct lint *l, struct request *r, enum input in, int64_t value, struct decision *out)
{
	int missing;
	r->fact[in] = value;
	return !policy_decide(l->policy, l->pd, r, out, &missing);
}

/* Of the requests for one set of accesses: the first set that has some. */
static bool find_one(struct lint *l, node n, int64_t inputs[INPUT_MAX])
{
	static const int sets[] = {ACC_READ | ACC_WRITE, ACC_READ, ACC_WRITE, ACC_MKNOD, 0};
	int64_t values[INPUT_MAX] = {0};
	input_set asked;
	for (size_t i = 0; i < l->policy->nparams; i++)
		values[IN_PARAM_0 + i] = l->policy->params[i].value;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		long effort = FIND_EFFORT / 8;
		node some = diagram_restrict(l->dg, n, IN_REQUESTED, sets[i]);
		if (diagram_ok(l->dg) && find_true(l->arena, l->dg, l->policy->terms, some, values, &effort, inputs, &asked) == FOUND_ONE) {
			inputs[IN_REQUESTED] = sets[i];
			return true;
		}
	}
	return false;
}

static bool one_of(struct lint *l, node n, enum input in, int64_t denied_with, int64_t allowed_with, struct such *out)
{
	int64_t inputs[INPUT_MAX];
	struct decision denied, allowed;
	if (n == NODE_FALSE || !find_one(l, n, inputs))
		return false;
	struct request r = {.type = (int)inputs[IN_TYPE], .access = (int)inputs[IN_REQUESTED], .major = inputs[IN_MAJOR],
	                    .minor = inputs[IN_MINOR], .known = ~(input_set)0};
	memcpy(r.fact, inputs, sizeof r.fact);
	if (!decided_by(l, &r, in, denied_with, &denied) || !decided_by(l, &r, in, allowed_with, &allowed))
		return false;
	r.known = 0;
	*out = (struct such){request_words(l->arena, &r), denied.rule, allowed.rule};
	return !denied.allow && allowed.allow;
}

/* Warns where a request is denied with `has`, and allowed with `lacks`. */
static void warn_of_giving_up(struct lint *l, enum input in, int64_t has, int64_t lacks, struct span at, const char *hint, const char *text)
{
	if (!(l->inputs & INPUT(in)) || l->compared & INPUT(in) || !diagram_ok(l->dg))
		return;
	struct such s;
	if (!one_of(l, told_apart(l, in, lacks, has), in, has, lacks, &s))
		return;
	const struct rule *r = s.denies ? s.denies : s.allows;
	struct diag *said = diag_add(l->diags, DIAG_WARNING, r ? r->at : at, hint, "%s, such as %s", text, s.request);
	said->source = r ? r->source : NULL;
}

static void lint_files(struct lint *l)
{
	const struct asked *as = policy_asks(l->policy);
	for (size_t i = 0; i < as->npaths && i < PATHS_MAX; i++) {
		const struct path_named *p = &as->paths[i];
		if (!p->is_cgroup)
			warn_of_giving_up(l, IN_EXE, p->value, 0, p->at, "allow the executables that may, and nothing to others",
			                  arena_printf(l->arena, "a copy of %s is another executable: what is denied to the one is allowed to the "
			                               "other", p->path));
	}
}

static void lint_given_up(struct lint *l)
{
	const struct asked *as = policy_asks(l->policy);
	static const char inside[] = "deny outside of it too, or allow nothing there that is denied inside";
	warn_of_giving_up(l, IN_HOST_USER_NS, 1, 0, l->policy->default_at, inside,
	                  "anybody can leave the host's user namespace (unshare --user), and is then allowed what is denied in it");
	warn_of_giving_up(l, IN_HOST_PID_NS, 1, 0, l->policy->default_at, inside,
	                  "anybody can start a process in another pid namespace (unshare --user --pid), which is then allowed what is denied "
	                  "in the host's");
	for (size_t i = 0; i < as->nasks; i++)
		if (as->asks[i].kind == ASK_CAPABLE)
			warn_of_giving_up(l, IN_ASK_0 + (int)i, 1, 0, as->asks[i].at, "allow those who have it, instead of denying",
			                  arena_printf(l->arena, "a process can drop its capabilities: without :%s it is allowed what it is denied with it",
			                               capability_name((int)as->asks[i].number)));
}

/* ---- what runs others -------------------------------------------------------------------------------- */

/* A name, with a version behind it or none: python3.11. */
static bool is_version_of(const char *name, const char *base)
{
	size_t n = strlen(base);
	return !strncmp(name, base, n) && !name[n + strspn(name + n, "0123456789.-")];
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_version_of(name, list[i]))
			return true;
	return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *runs_others(const char *path)
{
	static const char *const shells[] = {"sh", "bash", "dash", "rbash", "zsh", "ksh", "ksh93", "mksh", "csh", "tcsh", "fish", "ash",
	                                     "busybox", "toybox"};
	static const char *const interpreters[] = {"python", "pypy", "perl", "ruby", "irb", "mruby", "node", "nodejs", "deno", "bun", "lua",
	                                           "luajit", "php", "tclsh", "wish", "expect", "awk", "gawk", "mawk", "nawk", "sed", "java",
	                                           "guile", "racket", "sbcl", "ghci", "octave", "R", "make", "vim", "emacs"};
	static const char *const starters[] = {"env", "gdb", "lldb", "strace", "ltrace", "valgrind", "perf"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	bool loader = (!strncmp(name, "ld-", strlen("ld-")) && strstr(name, ".so")) || !strcmp(name, "ld.so");
	return loader                                          ? "the loader of programs"
	       : is_one_of(name, shells, COUNT(shells))        ? "a shell"
	       : is_one_of(name, interpreters, COUNT(interpreters)) ? "an interpreter"
	       : is_one_of(name, starters, COUNT(starters))    ? "a program that runs others"
	                                                       : NULL;
}

static bool is_script(const char *path)
{
	static const char *const ends[] = {".py", ".rb", ".pl", ".sh", ".js", ".lua", ".php", ".tcl", ".awk"};
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < COUNT(ends); i++)
		if (!strcmp(dot, ends[i]))
			return true;
	return false;
}

/* Where users have files. */
static bool is_of_others(const char *path)
{
	static const char *const places[] = {"/tmp/", "/var/tmp/", "/dev/shm/", "/home/", "/run/user/"};
	for (size_t i = 0; i < COUNT(places); i++)
		if (!strncmp(path, places[i], strlen(places[i])))
			return true;
	return false;
}

/* An executable that is allowed more than others. */
static void lint_executable(struct lint *l, const struct path_named *p)
{
	const char *what = runs_others(p->path);
	if (what)
		diag_add(l->diags, DIAG_WARNING, p->at, "name the program that does the work, compiled and installed by root",
		         "%s is %s: whatever it runs has this executable, and who starts it says what that is", p->path, what);
	if (is_script(p->path))
		diag_add(l->diags, DIAG_WARNING, p->at, "a script cannot be told from another by its executable",
		         "%s is a script by its name: while it runs, the executable is its interpreter", p->path);
	if (is_of_others(p->path))
		diag_add(l->diags, DIAG_WARNING, p->at, "install it where root alone writes, such as /usr/local/bin",
		         "%s is where others have files: who can write to a directory on its way says what is there at the next apply", p->path);
}

static void lint_executables(struct lint *l)
{
	const struct asked *as = policy_asks(l->policy);
	for (size_t i = 0; i < as->npaths && i < PATHS_MAX && l->inputs & INPUT(IN_EXE); i++)
		if (!as->paths[i].is_cgroup && told_apart(l, IN_EXE, as->paths[i].value, 0) != NODE_FALSE && diagram_ok(l->dg))
			lint_executable(l, &as->paths[i]);
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static outcome allowed_only(const void *arg, outcome o)
{
	(void)arg;
	return OUTCOME_KIND(o) == OUT_ALLOW ? OUT_ALLOW : OUT_PASS;
}

void lint_who(struct diags *d, const struct policy *p, const struct policy_diagram *pd)
{
	struct arena *scratch = arena_scratch(d->arena);
	struct lint l = {.arena = scratch, .diags = d, .policy = p, .pd = pd};
	node verdict = pd->verdict;
	lint_chosen(&l);
	l.dg = diagrams_kept(scratch, pd->dg, &verdict, 1);
	diagrams_allow(l.dg, TIMES * diagram_nodes(l.dg) + ROOM);
	l.allowed = diagram_relabel(l.dg, verdict, allowed_only, NULL, false);
	l.inputs = diagram_inputs(scratch, l.dg, l.allowed);
	for (size_t i = 0; i < l.dg->nfree; i++)
		l.compared |= diagram_var_inputs(l.dg, INPUT_MAX + (uint32_t)i);
	if (l.inputs >> IN_EUID && diagram_ok(l.dg)) {
		lint_files(&l);
		lint_given_up(&l);
		lint_executables(&l);
	}
	arena_free(scratch);
}
