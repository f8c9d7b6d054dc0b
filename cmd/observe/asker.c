/*
 * asker.c - the process that finds out who decides, and whose a cgroup is.
 *
 * It is a copy of this one, with all rights; programs are understood in the locked room, as everywhere. It asks nothing
 * of the kernel by a request of its own: that would be one more denial to be told. What cannot be found out in the time of
 * the limits is not known. Programs that decide together are read once: their child answers for all requests.
 */
#include "cmd/observe/observe.h"

#include "cmd/each.h"
#include "cmd/why/why.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct asker {
	pid_t pid;
	int fd; /* -1: it has ended */
};

/* ---- in the process --------------------------------------------------------------------------- */

/* Programs that decide together, read. A command has at most four children in the room. */
enum { SETS = 3, ASK_SECONDS = 2 };
struct set {
	struct arena *arena; /* NULL: none */
	uint32_t asked[ASK_PROGRAMS], ids[ASK_PROGRAMS]; /* as they were asked for; without the host program */
	size_t nasked, n;
	struct placed *places;
	struct program_units units;
	const char *failed;  /* why they cannot be read, NULL: they can */
	uint64_t used;       /* the turn when they were asked last, */
	uint64_t read;       /* and when they were read */
};

struct finding {
	struct cmd *c;
	struct set sets[SETS];
	uint64_t turn;
};

/* A text into a field of the answer; what is too long is cut. */
#define PUT(field, text) put_field(field, sizeof(field), text)
static void put_field(char *out, size_t room, const char *text)
{
	snprintf(out, room, "%s", text ? text : "");
}

/* The reason of the first error, with which messages begin anew. */
static const char *reason(struct cmd *c, const char *otherwise)
{
	for (size_t i = 0; i < c->diags.n; i++)
		if (c->diags.items[i].level == DIAG_ERROR)
			return c->diags.items[i].text;
	return otherwise;
}

static void place(struct cmd *c, struct set *s, const char *path)
{
	const char *mount = cgroup_mount(c->arena);
	struct cgroup *cg = NULL;
	s->places = arena_alloc(c->arena, (s->n + 1) * sizeof *s->places);
	if (*path && mount && !cgroup_open(c->arena, &c->diags, arena_printf(c->arena, "%s%s", mount, path), &cg) &&
	    !placed_find(c, cg, true, s->ids, s->n, s->places)) {
		cgroup_close(cg);
		return;
	}
	cgroup_close(cg);
	for (size_t i = 0; i < s->n; i++) { /* the cgroup is gone, they are held */
		s->places[i] = (struct placed){.id = s->ids[i], .at.id = s->ids[i]};
		program_describe(&s->places[i].at);
		if (!s->places[i].at.ours)
			program_author(s->ids[i], &s->places[i].author);
	}
}

static void forget(struct set *s)
{
	if (!s->arena)
		return;
	programs_end(&s->units);
	arena_free(s->arena);
	*s = (struct set){0};
}

/* The host program itself denies nothing. */
static void leave_out_host(struct set *s)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->n; i++)
		if (!s->places[i].at.host_parts) {
			s->places[kept] = s->places[i];
			s->ids[kept++] = s->ids[i];
		}
	s->n = kept;
}

static void load(struct cmd *c, struct set *s, const struct question *q)
{
	memcpy(s->asked, q->ids, q->n * sizeof *q->ids);
	memcpy(s->ids, q->ids, q->n * sizeof *q->ids);
	s->n = s->nasked = q->n;
	place(c, s, q->path);
	leave_out_host(s);
	diags_init(&c->diags, c->arena);
	const struct source_programs of = {.ids = s->ids, .n = s->n};
	if (s->n && programs_load(c, &c->settings, arena_printf(c->arena, "effective:%s", q->path), &of, &s->units))
		s->failed = reason(c, "they cannot be read");
}

static struct set *set_of(struct finding *f, const struct question *q)
{
	struct cmd *c = f->c;
	struct set *oldest = f->sets;
	for (struct set *s = f->sets; s < f->sets + SETS; s++) {
		if (s->arena && s->nasked == q->n && !memcmp(s->asked, q->ids, q->n * sizeof *q->ids))
			return s;
		if (s->used < oldest->used)
			oldest = s;
	}
	struct arena *kept = c->arena;
	forget(oldest);
	c->arena = oldest->arena = cmd_arena(c);
	diags_init(&c->diags, c->arena);
	load(c, oldest, q);
	oldest->read = ++f->turn;
	rooms_reap(c);
	c->arena = kept;
	diags_init(&c->diags, c->arena);
	return oldest;
}

static struct request request_of_event(struct arena *a, const struct host_event *e, bool facts)
{
	struct request r = {.type = e->type, .access = e->requested & ACC_ALL, .major = e->major, .minor = e->minor};
	if (facts) {
		const input_set pid = e->flags & HOST_EVENT_NO_PID ? 0 : INPUT(IN_PID) | INPUT(IN_TID);
		const input_set comm = e->flags & HOST_EVENT_NO_COMM ? 0 : INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
		r.fact[IN_UID] = e->uid;
		r.fact[IN_GID] = e->gid;
		r.fact[IN_PID] = e->pid;
		r.fact[IN_TID] = e->tid;
		r.fact[IN_CGROUP_ID] = (int64_t)e->cgroup_id;
		r.fact[IN_UPTIME] = (int64_t)(e->time / NSEC);
		memcpy(&r.fact[IN_COMM_0], e->comm, sizeof e->comm);
		r.known = INPUT(IN_UID) | INPUT(IN_GID) | INPUT(IN_CGROUP_ID) | INPUT(IN_UPTIME) | pid | comm;
	}
	r.text = request_words(a, &r);
	return r;
}

/* Each of them is asked. False with the reason in c->diags. */
static bool ask_all(struct inquiry *q, struct set *s)
{
	q->list = arena_alloc(q->c->arena, (s->n + 1) * sizeof *q->list);
	q->n = s->n;
	q->denials = q->unknown = q->of_caller = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct placed *p = &s->places[i];
		q->list[i] = (struct opinion){.id = p->id, .path = p->path, .at = p->at.known ? &p->at : NULL, .author = p->author.name};
		if (why_ask(q, &q->list[i], &s->units.list[i]))
			return false;
	}
	return true;
}

/* Of those that the kernel asks one after the other, the first that denies; else one of which that is not known. */
static const struct opinion *decider(const struct inquiry *q)
{
	const struct opinion *unknown = NULL;
	for (const struct opinion *o = q->list; o < q->list + q->n; o++) {
		if (o->says == SAYS_DENY)
			return o;
		if (o->says == SAYS_UNKNOWN && !unknown)
			unknown = o;
	}
	return unknown;
}

static const char *place_of(const struct opinion *o, const char *mount)
{
	size_t n = mount ? strlen(mount) : 0;
	return !o->path || strncmp(o->path, mount, n) ? "" : o->path[n] ? o->path + n : "/";
}

static void put_decider(const struct inquiry *q, const struct opinion *o, struct answer *out)
{
	struct arena *a = q->c->arena;
	PUT(out->whose, why_name(a, o));
	PUT(out->text, why_shortened(a, o->rule));
	PUT(out->where, place_of(o, cgroup_mount(a)));
	PUT(out->author, o->author);
	PUT(out->policy, o->at && o->at->ours ? o->at->name : NULL);
	out->denials = (uint32_t)q->denials;
	if (o->says == SAYS_DENY) {
		out->program = o->id;
		PUT(out->file, o->own.known ? o->own.file : NULL);
		PUT(out->label, o->own.known ? o->own.label : NULL);
		out->line = o->own.known && o->own.line > 0 ? (uint32_t)o->own.line : 0;
	} else {
		PUT(out->text, arena_printf(a, "not known: of program %u, %s: %s", o->id, why_name(a, o), o->rule));
	}
}

/* First without the caller: then the answer is one for all callers. NULL: none denies, or *failed says why it is not known. */
static const struct opinion *ask(struct finding *f, struct inquiry *in, const struct question *q, struct answer *out, const char **failed)
{
	struct cmd *c = f->c;
	struct set *s = set_of(f, q);
	s->used = ++f->turn;
	in->request = request_of_event(c->arena, &q->event, false);
	bool told = !s->failed && ask_all(in, s);
	if (told && in->of_caller) {
		out->by_caller = true;
		in->request = request_of_event(c->arena, &q->event, true);
		told = ask_all(in, s);
	}
	if (!told && !s->failed)
		s->failed = arena_strdup(s->arena, reason(c, "the process that reads the programs did not answer"));
	*failed = s->failed ? arena_strdup(c->arena, s->failed) : NULL;
	const struct opinion *o = told ? decider(in) : NULL;
	bool fresh = s->used - s->read <= 1;
	if (!o && !fresh) /* what their maps hold may be another thing now: they are read again when they are asked for */
		forget(s);
	return o || fresh ? o : ask(f, in, q, out, failed);
}

static void find_who(struct finding *f, const struct question *q, struct answer *out)
{
	struct inquiry in = {.c = f->c};
	const char *failed;
	const struct opinion *o = ask(f, &in, q, out, &failed);
	if (o)
		put_decider(&in, o, out);
	else
		PUT(out->text, failed ? arena_printf(f->c->arena, "not known: %s", failed)
		                      : "not known: no program that decides there now denies it; one was replaced or removed");
}

static void find_container(struct cmd *c, const struct question *q, struct answer *out)
{
	struct container_told told;
	container_told(c, q->path, &told);
	PUT(out->engine, told.engine);
	PUT(out->id, told.id);
	PUT(out->name, told.name);
	PUT(out->pod, told.pod);
	PUT(out->unit, told.unit);
}

static _Noreturn void find_out(struct cmd *c, int fd)
{
	static struct question q;
	static struct answer out;
	static struct finding f;
	if (setjmp(c->no_memory))
		_exit(STATUS_FAILED);
	f.c = c;
	c->quiet = true;
	c->json.on = false;
	c->settings.limits.seconds = c->settings.limits.cpu = ASK_SECONDS;
	while (recv(fd, &q, sizeof q, 0) == (ssize_t)sizeof q) {
		struct arena *kept = c->arena;
		c->arena = cmd_arena(c);
		diags_init(&c->diags, c->arena);
		out = (struct answer){.number = q.number, .kind = q.kind};
		if (q.kind == ASK_WHO)
			find_who(&f, &q, &out);
		else
			find_container(c, &q, &out);
		arena_free(c->arena);
		c->arena = kept;
		if (send(fd, &out, sizeof out, MSG_NOSIGNAL) != (ssize_t)sizeof out)
			break;
	}
	_exit(0);
}

/* Nothing of this process is held open in it: a watcher is free as soon as this process is dead. */
static _Noreturn void become(struct cmd *c, int fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "devguard-asker");
	signal(SIGINT, SIG_IGN); /* a terminal's signals are the other's */
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (getppid() != parent || (fd > 3 && close_range(3, (unsigned)fd - 1, 0)) || close_range((unsigned)fd + 1, ~0u, 0))
		_exit(STATUS_FAILED);
	find_out(c, fd);
}

/* ---- beside it ----------------------------------------------------------------------------------- */

struct asker *asker_start(struct cmd *c)
{
	int fds[2];
	struct asker *a = arena_alloc(c->args, sizeof *a);
	*a = (struct asker){.fd = -1};
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		diag_fail(&c->diags, error_hint(c->arena, errno, NULL), "socketpair: %s", strerror(errno));
		return NULL;
	}
	a->pid = fork();
	if (a->pid == 0)
		become(c, fds[1], parent);
	int error = errno;
	close(fds[1]);
	a->fd = fds[0];
	if (a->pid > 0)
		return a;
	close(fds[0]);
	diag_fail(&c->diags, error_hint(c->arena, error, NULL), "cannot make a process: %s", strerror(error));
	return NULL;
}

void asker_end(struct asker *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	a->pid = 0;
}

int asker_fd(const struct asker *a)
{
	return a->fd;
}

bool asker_send(struct asker *a, const struct question *q)
{
	if (a->fd < 0)
		return false;
	if (send(a->fd, q, sizeof *q, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *q)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS)
		asker_end(a);
	return false;
}

bool asker_receive(struct asker *a, struct answer *out)
{
	if (a->fd < 0)
		return false;
	ssize_t n = recv(a->fd, out, sizeof *out, MSG_DONTWAIT);
	if (n == (ssize_t)sizeof *out)
		return true;
	if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		asker_end(a);
	return false;
}
