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
enum { LISTED = 8 /* so many sessions in a row are a list of them, more are a range */, VALUES_MAX = 64, NONE = -1 };

struct lint {
	struct arena *arena;
	struct diags *diags;
	const struct policy *policy;
	const struct policy_diagram *pd;
	struct diagrams *dg;
	node allowed;       /* of whole requests: true where they are */
	input_set inputs;   /* that it reads */
	input_set compared; /* those of comparisons of several */
	int64_t session;    /* the one that is spoken of; NONE: any */
};

/* ---- what is read ------------------------------------------------------------------------------ */

static input_set read_by(const struct policy *p, const struct rule *r)
{
	input_set inputs = term_get(p->terms, r->match)->inputs;
	for (size_t i = 0; i < r->nraises; i++)
		inputs |= term_get(p->terms, r->raises[i].when)->inputs;
	return inputs;
}

static const char instead[] = "decide by ctx.exe, ctx.euid or ctx.in_group?, or take it as a help and not as a guard";

/* The first rule that reads some of these, and none of those; NULL: there is none. */
static const struct rule *reader(const struct policy *p, input_set these, input_set those)
{
	for (const struct rule *r = p->rules; r < p->rules + p->nrules; r++)
		if (read_by(p, r) & these && !(read_by(p, r) & those))
			return r;
	return NULL;
}

static void warn_of_rule(struct lint *l, const struct rule *r, const char *hint, const char *text)
{
	if (r)
		diag_add(l->diags, DIAG_WARNING, r->at, hint, "%s", text)->source = r->source;
}

static void warn_of_reading(struct lint *l, enum input in, const char *hint, const char *text)
{
	warn_of_rule(l, reader(l->policy, INPUT(in), 0), hint, text);
}

static void lint_chosen(struct lint *l)
{
	warn_of_reading(l, IN_PPID, instead, "ctx.ppid can be faked: who forks twice has another parent");
	warn_of_reading(l, IN_PARENT_EXE, instead,
	                "ctx.parent_exe can be faked: who forks twice has another parent, and many programs start what they are told to");
}

/*
 * The name decides nothing that could be faked where only a file that is named, or a thread of the kernel, gets more by it: what
 * the one calls itself is the affair of that program, and the other is called so by the kernel.
 */
static void lint_comm(struct lint *l)
{
	static const input_set comm = INPUT(IN_COMM_0) | INPUT(IN_COMM_1), vouched = INPUT(IN_EXE) | INPUT(IN_KERNEL_THREAD);
	node others = diagram_restrict(l->dg, diagram_restrict(l->dg, l->allowed, IN_EXE, 0), IN_KERNEL_THREAD, 0);
	if (diagram_ok(l->dg) && !(diagram_inputs(l->arena, l->dg, others) & comm))
		return;
	const struct rule *r = reader(l->policy, comm, vouched);
	warn_of_rule(l, r ? r : reader(l->policy, comm, 0), instead, "ctx.comm can be faked: a process gives itself any name");
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
	if (l->session != NONE)
		r->fact[IN_SESSION] = l->session;
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

/* Warns where a request is denied with `has`, and allowed with `lacks`. Did it? */
static bool warn_of_giving_up(struct lint *l, enum input in, int64_t has, int64_t lacks, struct span at, const char *hint, const char *text)
{
	if (!(l->inputs & INPUT(in)) || l->compared & INPUT(in) || !diagram_ok(l->dg))
		return false;
	struct such s;
	if (!one_of(l, told_apart(l, in, lacks, has), in, has, lacks, &s))
		return false;
	const struct rule *r = s.denies ? s.denies : s.allows;
	struct diag *said = diag_add(l->diags, DIAG_WARNING, r ? r->at : at, hint, "%s, such as %s", text, s.request);
	said->source = r ? r->source : NULL;
	return true;
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

static const char *without_it(struct arena *a, const struct ask *ask)
{
	switch (ask->kind) {
	case ASK_GROUP:
		return arena_printf(a, "a process can leave a group (by setgroups(2)): without group %lld it is allowed what it is denied with it",
		                    (long long)ask->number);
	case ASK_CAPABLE:
		return arena_printf(a, "a process can drop its capabilities: without :%s it is allowed what it is denied with it",
		                    capability_name((int)ask->number));
	default:
		return arena_printf(a, "a cgroup that is made anew is another one: in a new %s is allowed what is denied in this one", ask->text);
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
		warn_of_giving_up(l, IN_ASK_0 + (int)i, 1, 0, as->asks[i].at,
		                  as->asks[i].kind == ASK_UNDER ? "allow what is in it, or put a policy on that cgroup, instead of denying"
		                                                : "allow those who have it, instead of denying",
		                  without_it(l->arena, &as->asks[i]));
}

/* ---- what can be taken, once ---------------------------------------------------------------------- */

/* Values of an input that the verdict tells apart: the lowest of each range that has more than `listed`. */
static size_t values_of(struct lint *l, enum input in, uint64_t listed, int64_t values[VALUES_MAX])
{
	const bool *below = diagram_below(l->arena, l->dg, &l->allowed, 1);
	size_t n = 0;
	for (node k = 0; k < diagram_nodes(l->dg); k++) {
		struct switch_node s;
		if (!below[k] || (s = node_switch(l->dg, k)).var != (uint32_t)in)
			continue;
		for (uint32_t i = 0; i < s.n && n < VALUES_MAX; i++) {
			int64_t none = ID_NONE, lo = switch_edge_lo(l->dg, &s, i), hi = s.edges[i].hi < none ? s.edges[i].hi : none - 1;
			if (hi >= lo && (uint64_t)(hi - lo) >= listed)
				values[n++] = lo;
		}
	}
	return n;
}

/* Where it is allowed with a value of its choice and denied with none. */
static bool warn_of_taking(struct lint *l, enum input in, const int64_t *values, size_t n, const char *hint, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (warn_of_giving_up(l, in, ID_NONE, values[i], l->policy->default_at, hint, text))
			return true;
	return false;
}

/*
 * Who has never logged in writes any login uid, and gets the next number of a session. So a session helps where it is
 * compared with a number: one that was given already is not given again. Each login uid is asked about with a session
 * that no rule names.
 */
static void lint_logins(struct lint *l)
{
	static const char compare[] = "compare ctx.session with the number of a session (a parameter), or take it as a help and not as a guard";
	static const char login[] = "ctx.login_uid is chosen by a process that has none yet: a service takes any";
	int64_t sessions[VALUES_MAX], logins[VALUES_MAX];
	size_t nsessions = values_of(l, IN_SESSION, LISTED, sessions), nlogins = values_of(l, IN_LOGIN_UID, 0, logins);
	warn_of_taking(l, IN_SESSION, sessions, nsessions, compare,
	               "a process that never logged in can begin a session of its own (it writes to /proc/self/loginuid), and is then allowed "
	               "what it is denied without one");
	if (l->compared & INPUT(IN_LOGIN_UID)) {
		warn_of_reading(l, IN_LOGIN_UID, compare, login);
		return;
	}
	node all = l->allowed;
	bool said = !nsessions && warn_of_taking(l, IN_LOGIN_UID, logins, nlogins, compare, login);
	for (size_t i = 0; i < nsessions && !said; i++) {
		l->session = sessions[i];
		l->allowed = diagram_restrict(l->dg, all, IN_SESSION, sessions[i]);
		said = warn_of_taking(l, IN_LOGIN_UID, logins, nlogins, compare, login);
	}
	l->session = NONE;
	l->allowed = all;
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
		diag_add(l->diags, DIAG_WARNING, p->at, "install it where root alone writes, such as /usr/bin or /usr/lib",
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
	struct lint l = {.arena = scratch, .diags = d, .policy = p, .pd = pd, .session = NONE};
	node verdict = pd->verdict;
	l.dg = diagrams_kept(scratch, pd->dg, &verdict, 1);
	diagrams_allow(l.dg, TIMES * diagram_nodes(l.dg) + ROOM);
	l.allowed = diagram_relabel(l.dg, verdict, allowed_only, NULL, false);
	l.inputs = diagram_inputs(scratch, l.dg, l.allowed);
	for (size_t i = 0; i < l.dg->nfree; i++)
		l.compared |= diagram_var_inputs(l.dg, INPUT_MAX + (uint32_t)i);
	lint_comm(&l);
	lint_chosen(&l);
	if (l.inputs >> IN_EUID && diagram_ok(l.dg)) {
		lint_files(&l);
		lint_given_up(&l);
		lint_logins(&l);
		lint_executables(&l);
	}
	arena_free(scratch);
}
