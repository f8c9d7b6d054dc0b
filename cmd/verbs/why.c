/*
 * why.c - which program decides a request, of those that the kernel asks for a cgroup, whoever wrote
 * them, and by which rule; and what would refuse it whatever they say.
 *
 * Of a process the facts, the node and the capabilities are its own. It is held by a pidfd: one that ended or
 * went to another cgroup meanwhile is an error.
 */
#include "cmd/options.h"
#include "cmd/where/where.h"
#include "cmd/why/why.h"
#include "policy/host.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_PID = OPT_VERB, OPT_CONTAINER };
static const struct option options[] = {OPTION_SELF, OPTION_UNIT, {"pid", required_argument, NULL, OPT_PID},
                                        {"container", required_argument, NULL, OPT_CONTAINER}, OPTION_LIMIT, OPTION_UNCONFINED,
                                        OPTION_JSON, OPTION_HELP, {0}};

/* ---- who asks --------------------------------------------------------------------------------------- */

/* What an option names is no file, also where there is one of that name. */
struct whom {
	const char *text; /* NULL: --self or --unit name it */
	bool by_option, container;
};

/* The process that a CGROUP is, or 0. */
static pid_t process_named(struct cmd *c, const struct whom *w)
{
	struct cgroup_name name = {0};
	struct stat st;
	return w->text && (w->by_option || stat(w->text, &st)) && cgroup_name_parse(c->arena, w->text, &name) ? name.pid : 0;
}

/* All that is known of the caller. Which file it runs, the kernel is asked only where a program would look at it. */
static int take_facts(struct inquiry *q)
{
	uint32_t *ids;
	size_t n;
	if (cgroup_effective_programs(q->c->arena, &q->c->diags, q->cg, &ids, &n))
		return STATUS_FAILED;
	process_task(q->c->arena, &q->held, &q->view, q->cg, why_names(ids, n), &q->task);
	why_take_facts(q);
	return STATUS_OK;
}

/* ---- the request -------------------------------------------------------------------------------------- */

static void device_there(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	why_find_device(h->self, a, path, out);
}

static int read_request(struct inquiry *q, int argc, char **argv)
{
	struct cmd *c = q->c;
	const char *text = "", *error, *hint;
	struct host host = host_here;
	host.device = device_there;
	host.self = q;
	for (int i = 0; i < argc; i++)
		text = arena_printf(c->arena, "%s%s%s", text, i ? " " : "", argv[i]);
	int unread = request_parse(c->arena, &host, text, &q->request, &error, &hint);
	if (!unread) {
		const char *path = q->request.text;
		q->path = *path == '/' ? arena_strndup(c->arena, path, strcspn(path, " ")) : NULL;
		return STATUS_OK;
	}
	if (unread != REQUEST_UNKNOWN)
		return usage_error(c, hint, "%s: %s", text, error);
	diag_fail(&c->diags, hint, "%s: %s", text, error);
	return STATUS_FAILED;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static int answer(struct inquiry *q, int argc, char **argv)
{
	struct cmd *c = q->c;
	int status = read_request(q, argc, argv);
	if (!status && q->caller)
		status = take_facts(q);
	if (!status)
		status = why_programs(q);
	if (status)
		return status;
	why_node(q);
	if (q->held.pid && process_confirm(c->arena, &c->diags, &q->held, q->cg))
		return STATUS_FAILED;
	if (c->json.on)
		why_json(q);
	else
		why_print(q);
	return q->verdict == SAYS_DENY ? STATUS_DENY : q->verdict == SAYS_UNKNOWN ? STATUS_FAILED : STATUS_OK;
}

/* The process that it names is held before its cgroup is looked for. In a container a path is what its
 * processes see there. */
static int find(struct inquiry *q, const struct whom *w)
{
	struct cmd *c = q->c;
	pid_t pid = process_named(c, w);
	q->caller = pid;
	if (pid && process_hold(c->arena, &c->diags, pid, &q->held))
		return STATUS_FAILED;
	if (w->by_option ? where_open_name(c, w->text, &q->cg) : where_open(c, w->text, WHERE_LOOK, &q->cg))
		return STATUS_FAILED;
	if (w->container && (pid = cgroup_first_process(q->cg)) && process_hold(c->arena, &c->diags, pid, &q->held))
		return STATUS_FAILED;
	return q->held.pid && process_view(c->arena, &c->diags, &q->held, &q->view) ? STATUS_FAILED : STATUS_OK;
}

static int inquire(struct inquiry *q, const struct whom *w, int argc, char **argv)
{
	int status = find(q, w);
	if (!status)
		status = answer(q, argc, argv);
	cgroup_close(q->cg);
	process_view_end(&q->view);
	process_let_go(&q->held);
	return status;
}

static int why(struct cmd *c, int argc, char **argv)
{
	struct inquiry q = {.c = c, .held = {.pidfd = -1}, .view = {.root = -1}};
	struct whom w = {0};
	int opt, given = 0;
	for (; (opt = options_next(c, argc, argv)) != OPT_END; given++) {
		if (opt == OPT_STOP)
			return c->status;
		if (opt == OPT_PID && (!*optarg || optarg[strspn(optarg, "0123456789")]))
			return usage_error(c, "for example --pid 1234", "--pid %s: not the number of a process", optarg);
		w.container = opt == OPT_CONTAINER;
		w.by_option = true;
		w.text = arena_printf(c->arena, "%s:%s", w.container ? "container" : "pid", optarg);
	}
	if (given + where_given(c) > 1)
		return usage_error(c, "name one cgroup", "--self, --unit, --pid and --container name a cgroup each");
	int cgroups = !where_given(c) && !w.by_option, n = argc - optind - cgroups;
	if (n < 1)
		return usage_error(c, NULL, n < 0 ? "no cgroup given" : "no request given");
	if (cgroups)
		w.text = argv[optind];
	return inquire(&q, &w, n, argv + optind + cgroups);
}

const struct verb verb_why = {
	.name = "why",
	.synopsis = "CGROUP REQUEST | --pid PID REQUEST | --container NAME REQUEST\n"
		"                         | --self REQUEST | --unit UNIT REQUEST [--json]",
	.usage = "CGROUP REQUEST",
	.example = PROGRAM " why --self c 1:3 rw",
	.summary = "Say which program decides a request, and what else would refuse it",
	.help = "CGROUP may be named as for apply. REQUEST is as for eval: c 1:3 rw, or a path:\n"
		"/dev/null rw.\n\n"
		"Every program that the kernel asks for a process of CGROUP is read, in the\n"
		"kernel's order: whose it is, what it says, and by which rule: of ours the line\n"
		"of the policy, of others the rule as `explain` tells it. All must allow. For one\n"
		"that denies, what would have to change is said in the words of the tool that\n"
		"made it. Of a process the facts about the caller are its own; else those that\n"
		"the request gives (uid=1000). What would refuse it whatever programs say is\n"
		"told, too: the node as the process sees it (mode, ACL, nodev), capabilities,\n"
		"user namespaces, drivers that are not there. Exit status 2: a program denies it;\n"
		"1: it is not known; 0: the programs allow it, also where something else refuses\n"
		"it.\n\n"
		REQUEST_FACTS
		"  --pid PID         the cgroup, the facts and the mounts of this process\n"
		"  --container NAME  the cgroup of this container; a path is what its processes\n"
		"                    see there\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = why,
};
