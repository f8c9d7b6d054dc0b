/*
 * where.c - from what a person types for a CGROUP to an open one.
 *
 * A path that exists is that path, whatever it is. Everything else is looked up in all its
 * meanings, and two cgroups that answer to one name are an error: a policy must not land on
 * one that happened to be found first. What was found is opened by its path and compared by its
 * id, so a cgroup made anew under that name meanwhile is not taken for it.
 */
#include "cmd/where/engines.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool where_given(const struct cmd *c)
{
	return c->where.self || c->where.unit;
}

/* ---- paths ------------------------------------------------------------------------------- */

static bool is_there(const char *path)
{
	struct stat st;
	return !*path || !stat(path, &st) || (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG);
}

/* The path with a name from the mount on: "/web" as audit prints it. */
static const char *below_mount(struct cmd *c, const char *path)
{
	const char *mount = cgroup_mount(c->arena);
	return mount ? arena_printf(c->arena, "%s%s", mount, strcmp(path, "/") ? path : "") : NULL;
}

/* What exists may be another thing of the same name. */
static int open_path(struct cmd *c, const char *text, struct cgroup **out)
{
	struct diags *d = &c->diags;
	const char *inside = *text == '/' ? below_mount(c, text) : NULL;
	if (!cgroup_open(c->arena, d, text, out))
		return 0;
	if (inside && is_there(inside))
		d->items[d->n - 1].hint = arena_printf(c->arena, "the cgroup that audit prints as %s is %s", text,
		                                        shell_word(c->arena, inside));
	else if (*text && *text != '.' && !strchr(text, '/')) /* no container's name begins with a dot */
		d->items[d->n - 1].hint = arena_printf(c->arena, "it was taken for the file or directory here; the "
		                                                 "container of that name is %s",
		                                        shell_word(c->arena, arena_printf(c->arena, "container:%s", text)));
	return -1;
}

/* ---- names ------------------------------------------------------------------------------- */

/* Different cgroups of those that may be taken. */
static size_t distinct(const struct cgroup_found *all, const struct cgroup_named **first)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++) {
		bool again = all->list[i].others;
		for (size_t k = 0; k < i && !again; k++)
			again = !all->list[k].others && all->list[k].id == all->list[i].id;
		if (!again && !n++)
			*first = &all->list[i];
	}
	return n;
}

static int ambiguous(struct cmd *c, const char *text, const struct cgroup_found *all)
{
	const char *list = "";
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i].others)
			list = arena_printf(c->arena, "%s%s%s (%s)", list, *list ? ", " : "",
			                    shell_word(c->arena, below_mount(c, all->list[i].path)), all->list[i].what);
	return diag_fail(&c->diags, "name one by its path, or say which kind: unit:NAME, container:NAME, pid:N",
	                 "'%s' names more than one cgroup: %s", text, list);
}

static int nothing_found(struct cmd *c, const char *text, const struct cgroup_name *name,
                         const struct cgroup_found *all, const struct engine_container *idle)
{
	struct diags *d = &c->diags;
	if (idle)
		return diag_fail(d, "start it; a container has a cgroup only while it runs",
		                 "the container '%s' of %s has no cgroup here: it does not run", name->container,
		                 idle->engine);
	for (size_t i = 0; i < all->n; i++) /* only those of others */
		return diag_fail(d, arena_printf(c->arena, "if that is the one, name its path: %s",
		                                 shell_word(c->arena, below_mount(c, all->list[i].path))),
		                 "only another user, or a container, has a cgroup of the name '%s' (%s): it is not taken",
		                 text, all->list[i].what);
	if (name->unit)
		return diag_fail(d, arena_printf(c->arena, "start it (systemctl start %s); names are as systemctl shows "
		                                           "them", name->unit),
		                 "there is no cgroup of the unit '%s': it does not run, or systemd has no such unit here",
		                 name->unit);
	if (!strncmp(text, "container:", strlen("container:")))
		return diag_fail(d, "a container has a cgroup while it runs: start it, or name its directory",
		                 "there is no running container '%s'", name->container);
	return 1;
}

/* By its path, if it is still the same. */
static int open_named(struct cmd *c, const struct cgroup_named *one, struct cgroup **out)
{
	if (cgroup_open(c->arena, &c->diags, below_mount(c, one->path), out))
		return -1;
	if ((*out)->id == one->id)
		return 0;
	diag_fail(&c->diags, "try again", "the cgroup '%s' was removed and made again meanwhile", (*out)->path);
	cgroup_close(*out);
	return -1;
}

/* crun runs a container one directory further down where systemd makes the first. A container that may write
 * to its cgroup can make a directory of that name, too: only what its runtime kept tells. */
static void enter_payload(struct cmd *c, struct cgroup_named *one)
{
	struct stat st;
	const char *path = one->container ? engines_payload(c, one->container, one->path) : one->path;
	if (path == one->path || stat(below_mount(c, path), &st))
		return;
	one->path = path;
	one->id = st.st_ino;
}

/* cgroup_find(), and into what was found. 0 or -1. */
static int find(struct cmd *c, const struct cgroup_name *name, struct cgroup_found *out)
{
	size_t before = out->n;
	if (cgroup_find(c->arena, &c->diags, name, out))
		return -1;
	for (size_t i = before; i < out->n; i++)
		enter_payload(c, &out->list[i]);
	return 0;
}

/* Containers by the files of their engines. *idle: one that has no cgroup now. 0 or -1. */
static int add_containers(struct cmd *c, const char *name, struct engine_answer *answer, struct cgroup_found *all,
                          const struct engine_container **idle)
{
	engines_ask(c, name, answer);
	for (size_t i = 0; i < answer->n; i++) {
		const struct engine_container *one = &answer->list[i];
		struct cgroup_found these = {0};
		struct stat st;
		if (one->id && find(c, &(struct cgroup_name){.id = one->id}, &these))
			return -1;
		if (one->path && !stat(below_mount(c, one->path), &st))
			*ARENA_PUSH(c->arena, these.list, these.n, these.cap) =
				(struct cgroup_named){.path = one->path, .id = st.st_ino};
		if (!these.n)
			*idle = one;
		for (size_t k = 0; k < these.n; k++) {
			these.list[k].what = arena_printf(c->arena, "the container %s of %s", name, one->engine);
			*ARENA_PUSH(c->arena, all->list, all->n, all->cap) = these.list[k];
		}
	}
	return 0;
}

/* By the names of directories; what a container that a runtime keeps made in itself is not root's. */
static int add_directories(struct cmd *c, const struct cgroup_name *name, struct cgroup_found *all)
{
	if (find(c, name, all))
		return -1;
	for (size_t i = 0; i < all->n; i++)
		all->list[i].others |= engines_hold(c, all->list[i].path);
	return 0;
}

/* A process is one more that may be meant. Its cgroup is left open in *process. 0 or -1. */
static int add_process(struct cmd *c, pid_t pid, bool only, struct cgroup_found *all, struct cgroup **process)
{
	struct diags ignored, *d = &c->diags;
	diags_init(&ignored, c->arena);
	if (!pid)
		return 0;
	if (cgroup_open_process(c->arena, only ? d : &ignored, pid, process))
		return only ? -1 : 0;
	*ARENA_PUSH(c->arena, all->list, all->n, all->cap) =
		(struct cgroup_named){.path = (*process)->path + strlen((*process)->mount),
	                              .what = arena_printf(c->arena, "process %d", (int)pid),
	                              .id = (*process)->id};
	return 0;
}

/* 0, -1, or 1: nothing has that name, and that was not told. */
static int open_name(struct cmd *c, const char *text, struct cgroup_name *name, struct cgroup **out)
{
	struct cgroup_found all = {0};
	struct cgroup *process = NULL;
	const struct cgroup_named *one = NULL;
	const struct engine_container *idle = NULL;
	struct engine_answer answer = {0};
	bool only_pid = name->pid && !name->container;
	if ((!only_pid && add_directories(c, name, &all)) ||
	    (name->container && add_containers(c, name->container, &answer, &all, &idle)) ||
	    add_process(c, name->pid, only_pid, &all, &process))
		return -1;
	size_t n = distinct(&all, &one);
	if (answer.unread)
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "it may have a container of that name, too",
		         "not read: %s", answer.unread);
	if (n == 1 && process) {
		*out = process;
		return 0;
	}
	cgroup_close(process);
	if (n > 1)
		return ambiguous(c, text, &all);
	return n ? open_named(c, one, out) : nothing_found(c, text, name, &all, idle);
}

static int no_such_name(struct cmd *c, const char *text)
{
	const char *inside = below_mount(c, arena_printf(c->arena, "/%s", text));
	const char *service = arena_printf(c->arena, "%s.service", text);
	struct cgroup_found units = {0};
	struct diags ignored;
	diags_init(&ignored, c->arena);
	cgroup_find(c->arena, &ignored, &(struct cgroup_name){.unit = service}, &units);
	return diag_fail(&c->diags,
	                 units.n && !units.list[0].others
	                         ? arena_printf(c->arena, "did you mean the unit %s?", shell_word(c->arena, service))
	                 : inside && is_there(inside)
	                         ? arena_printf(c->arena, "did you mean %s?", shell_word(c->arena, inside))
	                         : "`" PROGRAM " list` shows the cgroups that have programs; a unit and a container have a cgroup only "
	                           "while they run",
	                 "there is no cgroup '%s': no directory, unit, container or process has that name", text);
}

/* ---- all of it --------------------------------------------------------------------------------- */

static int open_text(struct cmd *c, const char *text, struct cgroup **out)
{
	struct cgroup_name name;
	const char *inside;
	if (is_there(text))
		return open_path(c, text, out);
	if (*text == '/' && (inside = below_mount(c, text)) && is_there(inside))
		return cgroup_open(c->arena, &c->diags, inside, out);
	int status = cgroup_name_parse(c->arena, text, &name) ? open_name(c, text, &name, out) : 1;
	if (status != 1)
		return status;
	return strchr(text, '/') || !*text ? cgroup_open(c->arena, &c->diags, text, out) /* the reason */
	                                   : no_such_name(c, text);
}

/* systemd runs `ExecStartPre=+` of a unit that delegates a subgroup in a cgroup of its own below
 * the unit's. */
static const char *service_of(struct cmd *c, const char *path)
{
	size_t n = strlen(path), cut = strlen("/.control");
	return n > cut && !strcmp(path + n - cut, "/.control") ? arena_strndup(c->arena, path, n - cut) : path;
}

static int open_given(struct cmd *c, struct cgroup **out)
{
	struct cgroup_name name;
	if (c->where.self) {
		const char *own = own_cgroup(c);
		return own ? cgroup_open(c->arena, &c->diags, service_of(c, own), out) : -1;
	}
	const char *text = arena_printf(c->arena, "unit:%s", c->where.unit);
	if (!cgroup_name_parse(c->arena, text, &name))
		return diag_fail(&c->diags, "for example --unit web.service", "--unit %s: not the name of a unit",
		                 c->where.unit);
	return open_name(c, text, &name, out);
}

/* Where a process happens to be is no wish to decide for the whole host. */
static int check_use(struct cmd *c, const char *text, enum where_use use, struct cgroup *cg)
{
	struct cgroup_name name = {0};
	bool by_process = text ? cgroup_name_parse(c->arena, text, &name) && name.pid : c->where.self;
	if (use != WHERE_ATTACH || !by_process || !cgroup_is_hosts_root(cg))
		return 0;
	return diag_fail(&c->diags,
	                 arena_printf(c->arena, "put it into a cgroup of its own (mkdir %s/NAME; echo PID >%s/NAME/"
	                                        "cgroup.procs); to guard the host, name %s",
	                              cg->path, cg->path, cg->path),
	                 "%s is in the root of the hierarchy: a policy there decides for every process of the host",
	                 text ? arena_printf(c->arena, "process %d", (int)name.pid) : "this process");
}

/* Who only looks at a cgroup that is not there has no wish to make it. */
static int not_opened(struct cmd *c, enum where_use use, size_t first)
{
	for (size_t i = first; i < c->diags.n && use == WHERE_LOOK; i++)
		if (c->diags.items[i].hint && !strncmp(c->diags.items[i].hint, "to make that cgroup", strlen("to make that cgroup")))
			c->diags.items[i].hint = "`" PROGRAM " list` shows the cgroups that have programs";
	return -1;
}

int where_open_name(struct cmd *c, const char *text, struct cgroup **out)
{
	struct cgroup_name name;
	*out = NULL;
	int status = cgroup_name_parse(c->arena, text, &name) ? open_name(c, text, &name, out) : 1;
	return status == 1 ? no_such_name(c, text) : status;
}

int where_open(struct cmd *c, const char *text, enum where_use use, struct cgroup **out)
{
	size_t before = c->diags.n;
	*out = NULL;
	if (text ? open_text(c, text, out) : open_given(c, out))
		return not_opened(c, use, before);
	if (!check_use(c, text, use, *out))
		return 0;
	cgroup_close(*out);
	*out = NULL;
	return -1;
}
