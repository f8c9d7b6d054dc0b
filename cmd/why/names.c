/*
 * names.c - the files and cgroups that a program of ours knows by name and that are others now, where that could change what
 * it says to the request.
 *
 * Whether it could, the program is asked: with a caller that the name stands for, and with one that it does not stand for. Of a
 * process only those names count that are its own file, its parent's, or a cgroup it is in: as they were, or as they are. A
 * process that was started before an upgrade runs a file that had the name: it is told, too. So are files that are there and that
 * the program does not know, of a request of a caller whose file no name stands for (exe=-, as audit writes it): it may be one.
 */
#include "cmd/each.h"
#include "cmd/why/why.h"
#include "policy/asked.h"

#include <string.h>
#include <unistd.h>

/* One program, and what it said. */
struct teller {
	struct inquiry *q;
	const struct program_unit *one;
	const struct request *r;         /* that was put to it */
	const struct verdict_pair *said;
};
/* What a name could change: something; a denial. */
struct effect { bool any, allows; };

/* ---- does a name have to do with the caller? ------------------------------------------------------ */

static bool is_key(const struct who_key *key, const struct who_key *other)
{
	return key->id && !memcmp(key, other, sizeof *key);
}

/* A name that is refused: which file it is was not told. */
static bool is_file(const struct process_file *file, const struct name_now *w)
{
	return !file->known || (w->why && !w->absent) || is_key(&w->was, &file->key) || is_key(&w->is, &file->key);
}

/* Is a file at that path which the program does not take for the name? */
static bool is_unknown(const struct name_now *w)
{
	return w->why ? !w->absent : w->is.id;
}

static bool may_be_file(const struct inquiry *q, const struct name_now *w, enum input in)
{
	if (w->is_cgroup)
		return false;
	if (q->request.known & INPUT(in))
		return q->request.fact[in] ? q->request.fact[in] == w->value : is_unknown(w);
	return !q->caller || is_file(in == IN_EXE ? &q->task.exe : &q->task.parent_exe, w);
}

static bool has_name(const struct request_who *who, int64_t value)
{
	for (size_t i = 0; i < who->nunder; i++)
		if (who->under[i] == value)
			return true;
	return false;
}

static bool may_be_above(const struct inquiry *q, const struct name_now *w)
{
	const struct process_task *t = &q->task;
	if (!w->is_cgroup)
		return false;
	if (q->request.who.known & WHO_CGROUP)
		return has_name(&q->request.who, w->value);
	bool is = !q->caller || !t->cgroups_known;
	for (size_t i = 0; i < t->ncgroups; i++)
		is |= t->cgroups[i] == w->was.id || t->cgroups[i] == w->is.id;
	return is;
}

/* ---- does it matter? ---------------------------------------------------------------------------------- */

/* Are both answers the same? Where other facts decide them, too, it is told of this one, as long as it is not known, whether it
 * could decide. */
static int tell_apart(const struct teller *t, bool known, enum input in, const struct request *with,
                      const struct request *without, struct effect *effect)
{
	const struct request_record both[2] = {request_record(with), request_record(without)};
	struct verdict_pair said[2];
	int status = unit_ask(t->q->c, &t->one->unit, both, 2, said);
	const struct verdict *x = &said[0].diagram, *y = &said[1].diagram;
	if (status)
		return status;
	bool answered = x->status == VERDICT_OK && y->status == VERDICT_OK;
	effect->any |= answered ? x->allow != y->allow : known || t->said->open & INPUT(in);
	effect->allows |= answered && x->allow && !y->allow;
	return STATUS_OK;
}

static int ask_of_file(const struct teller *t, const struct name_now *w, enum input in, struct effect *effect)
{
	struct request with = *t->r, without = *t->r;
	with.known |= INPUT(in);
	without.known |= INPUT(in);
	with.fact[in] = w->value;
	without.fact[in] = 0;
	return tell_apart(t, t->r->known & INPUT(in), in, &with, &without, effect);
}

static void forget_name(struct request_who *who, int64_t value)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < who->nunder; i++)
		if (who->under[i] != value)
			who->under[n++] = who->under[i];
	who->nunder = n;
}

/* Its place among the questions of the program, or -1: that does not ask it. */
static int place_of(const struct asked *as, int64_t value)
{
	for (size_t i = 0; i < as->nasks; i++)
		if (as->asks[i].kind == ASK_UNDER && as->asks[i].number == value)
			return (int)i;
	return -1;
}

static int ask_of_cgroup(const struct teller *t, const struct name_now *w, struct effect *effect)
{
	const int place = place_of(policy_asks(t->one->unit.policy), w->value);
	struct request with = *t->r, without;
	if (place < 0)
		return STATUS_OK;
	if (!(with.who.known & WHO_CGROUP))
		request_cgroup(&with, w->path, strlen(w->path));
	else if (!has_name(&with.who, w->value) && with.who.nunder < REQUEST_LEVELS)
		with.who.under[with.who.nunder++] = w->value;
	without = with;
	forget_name(&without.who, w->value);
	return tell_apart(t, t->r->who.known & WHO_CGROUP, IN_ASK_0 + place, &with, &without, effect);
}

static int ask_of(const struct teller *t, const struct name_now *w, struct effect *effect)
{
	int status = STATUS_OK;
	*effect = (struct effect){0};
	if (may_be_above(t->q, w))
		status = ask_of_cgroup(t, w, effect);
	if (!status && may_be_file(t->q, w, IN_EXE))
		status = ask_of_file(t, w, IN_EXE, effect);
	if (!status && may_be_file(t->q, w, IN_PARENT_EXE))
		status = ask_of_file(t, w, IN_PARENT_EXE, effect);
	return status;
}

/* ---- a process that runs what had the name ------------------------------------------------------------ */

/* The file that it runs had that name once, as the kernel remembers it. */
static bool is_older(const struct inquiry *q, const struct name_now *w)
{
	static const char gone[] = " (deleted)";
	char link[PATH_NAME_MAX + sizeof gone];
	const struct process_file *exe = &q->task.exe;
	if (!q->caller || w->is_cgroup || w->state != NAME_SAME || q->request.known & INPUT(IN_EXE) || !exe->known || is_key(&w->was, &exe->key))
		return false;
	ssize_t n = readlink(arena_printf(q->c->arena, "/proc/%d/exe", (int)q->held.pid), link, sizeof link);
	const size_t path = strlen(w->path);
	return n == (ssize_t)(path + sizeof gone - 1) && !memcmp(link, w->path, path) && !memcmp(link + path, gone, sizeof gone - 1);
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static int look_at(const struct teller *t, struct name_now *w, struct effect *effect)
{
	*effect = (struct effect){0};
	if (!is_older(t->q, w))
		return w->state == NAME_SAME ? STATUS_OK : ask_of(t, w, effect);
	w->state = NAME_OLDER;
	return ask_of_file(t, w, IN_EXE, effect);
}

/* The request itself says that the caller has that name. */
static bool is_given(const struct inquiry *q, const struct name_now *w)
{
	const struct request *r = &q->request;
	if (w->is_cgroup)
		return r->who.known & WHO_CGROUP && has_name(&r->who, w->value);
	return (r->known & INPUT(IN_EXE) && r->fact[IN_EXE] == w->value) ||
	       (r->known & INPUT(IN_PARENT_EXE) && r->fact[IN_PARENT_EXE] == w->value);
}

/* What makes the name that of this caller, where that is enough. */
static const char *remedy(const struct name_now *w, const struct effect *effect)
{
	return !effect->allows              ? NULL
	       : w->state == NAME_OLDER     ? "start the process again: it runs a file that had the name before"
	       : name_differs(w) && !w->why ? "apply the policy again: its files and cgroups are looked up then"
	                                    : NULL;
}

int why_find_names(struct inquiry *q, struct opinion *o, const struct program_unit *one, const struct request *r,
                   const struct verdict_pair *said)
{
	struct cmd *c = q->c;
	struct cgroup *on;
	struct names_now *names = &o->names;
	const struct teller t = {q, one, r, said};
	int status = STATUS_OK;
	size_t n = 0;
	if (!q->cg || !o->at || !o->at->ours)
		return STATUS_OK;
	if (cgroup_open(c->arena, &c->diags, o->path, &on))
		return STATUS_FAILED;
	program_names(c, o->at, on, names); /* in a child of its own: what fails there is no end of this one */
	cgroup_close(on);
	for (size_t i = 0; i < names->n && !one->failed && !status; i++) {
		struct effect effect;
		status = look_at(&t, &names->list[i], &effect);
		if (effect.any)
			names->list[n++] = names->list[i];
		o->of_others |= effect.allows && is_unknown(&names->list[i]) && is_given(q, &names->list[i]);
		if (!o->remedy && q->caller)
			o->remedy = remedy(&names->list[i], &effect);
	}
	names->n = one->failed ? names->n : n;
	return status;
}
