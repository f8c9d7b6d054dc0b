/*
 * why.c - which program decides a request, of those that the kernel asks for a cgroup, whoever wrote
 * them; and what of the device's node would refuse it before any program is asked.
 */
#include "cmd/asked.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"
#include "cmd/where/where.h"
#include "policy/host.h"
#include "policy/request.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static const struct option options[] = {OPTION_SELF, OPTION_UNIT, OPTION_LIMIT, OPTION_UNCONFINED, OPTION_JSON, OPTION_HELP, {0}};

/* One program and what it says. */
struct opinion {
	uint32_t id;
	const char *path;           /* of the cgroup it is on; NULL: above what is mounted here */
	const struct attached *at;  /* NULL: likewise */
	const char *author;         /* by its shape, or NULL */
	enum { SAYS_ALLOW, SAYS_DENY, SAYS_UNKNOWN } says;
	const char *rule;           /* that decides, as explained; why it is not known */
};

struct inquiry {
	struct cmd *c;
	struct request request;
	uint32_t of_process; /* facts that are not of the request */
	struct opinion *list;
	size_t n, denials, unknown;
};

/* ---- whose they are ---------------------------------------------------------------------------- */

/* Of a cgroup and those above it, as far as they are mounted here. Closes cg. */
static int find_places(struct inquiry *q, struct cgroup *cg)
{
	struct cmd *c = q->c;
	int status = STATUS_OK;
	while (cg) {
		struct attached *list;
		size_t n;
		if (cgroup_query(c->arena, &c->diags, cg, &list, &n))
			status = STATUS_FAILED;
		for (size_t i = 0; i < q->n && !status; i++)
			for (size_t k = 0; k < n && !q->list[i].at; k++)
				if (list[k].id == q->list[i].id) {
					q->list[i].at = &list[k];
					q->list[i].path = cg->path;
				}
		struct cgroup *parent = status ? NULL : cgroup_parent(c->arena, &c->diags, cg);
		cgroup_close(cg);
		cg = parent;
	}
	return status;
}

static const char *name_of(struct arena *a, const struct opinion *o)
{
	if (o->at && o->at->ours)
		return arena_printf(a, "%s (ours)", o->at->name);
	const char *kernel = o->at && *o->at->kernel_name ? o->at->kernel_name : "a program";
	return o->author ? arena_printf(a, "%s as %s writes them", kernel, o->author) : arena_printf(a, "%s of others", kernel);
}

/* ---- what they say ------------------------------------------------------------------------------ */

static const char *line_of(struct arena *a, const char *text, int line)
{
	for (; line > 1 && *text; line--)
		text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
	return line > 0 ? arena_strndup(a, text, strcspn(text, "\n")) : NULL;
}

static void say(struct inquiry *q, struct opinion *o, const struct unit *u, const struct decision *d)
{
	const char *text;
	struct cmd *c = q->c;
	o->says = d->allow ? SAYS_ALLOW : SAYS_DENY;
	if (!d->rule || unit_listing(c, u, DUMP_RULES, &text))
		o->rule = d->allow ? "no rule matches, and its default is allow" : "no rule matches, and its default is deny";
	else
		o->rule = line_of(c->arena, text, d->rule->at.line);
	q->denials += !d->allow;
}

static void not_known(struct inquiry *q, struct opinion *o, const char *why)
{
	o->says = SAYS_UNKNOWN;
	o->rule = why;
	q->unknown++;
}

static const char *missing_text(struct arena *a, int missing)
{
	return missing >= IN_PARAM_0 ? "it hangs on what is not understood of the program"
	                             : arena_printf(a, "it hangs on %s, which the request does not give", input_name((enum input)missing));
}

/* What cannot be read is no error here: the others still say something. */
static void ask(struct inquiry *q, struct opinion *o)
{
	struct cmd *c = q->c;
	struct unit u;
	struct verdict_pair said;
	struct decision d;
	struct request_record record = request_record(&q->request);
	const struct load depth = {.depth = LOAD_DIAGRAM, .keep = true};
	struct diags kept = c->diags;
	struct author who;
	program_author(o->id, &who);
	o->author = who.name;
	diags_init(&c->diags, c->arena);
	int status = unit_load(c, &c->settings, arena_printf(c->arena, "prog:%u", o->id), &depth, &u);
	if (!status)
		status = unit_ask(c, &u, &record, 1, &said);
	struct diags told = c->diags;
	c->diags = kept;
	struct kernel_said asked;
	if (status == STATUS_FAILED && asked_program(c, o->id, &q->request, q->of_process, &asked)) {
		o->says = asked.allow ? SAYS_ALLOW : SAYS_DENY;
		o->rule = asked.text;
		q->denials += asked.known && !asked.allow;
		if (!asked.known)
			not_known(q, o, asked.text);
	} else if (status)
		not_known(q, o, told.n ? told.items[told.n - 1].text : "it cannot be read");
	else if (said.diagram.status == VERDICT_MISSING)
		not_known(q, o, missing_text(c->arena, said.diagram.missing));
	else if (said.diagram.status || !verdict_decision(c, u.policy, &said.diagram, &d))
		not_known(q, o, "the process that reads it gave no answer");
	else
		say(q, o, &u, &d);
	unit_end(&u);
}

/* ---- who asks --------------------------------------------------------------------------------------- */

/* The facts of a process, where CGROUP is one, and the request does not give others. 0 or -1. */
static int facts_of(struct inquiry *q, const char *text, const struct cgroup *cg)
{
	struct cmd *c = q->c;
	struct request *r = &q->request;
	struct cgroup_name name = {0};
	long long uid = -1, gid = -1;
	char line[256], comm[COMM_SIZE] = "";
	struct cgroup *again;
	struct stat st;
	if (!text || !stat(text, &st) || !cgroup_name_parse(c->arena, text, &name) || !name.pid)
		return 0;
	FILE *f = fopen(arena_printf(c->arena, "/proc/%d/status", (int)name.pid), "re");
	while (f && fgets(line, sizeof line, f)) {
		sscanf(line, "Uid: %lld", &uid);
		sscanf(line, "Gid: %lld", &gid);
	}
	if (f)
		fclose(f);
	f = fopen(arena_printf(c->arena, "/proc/%d/comm", (int)name.pid), "re");
	size_t n = f ? fread(comm, 1, sizeof comm - 1, f) : 0;
	if (f)
		fclose(f);
	if (cgroup_open_process(c->arena, &c->diags, name.pid, &again))
		return -1;
	bool stays = again->id == cg->id;
	cgroup_close(again);
	if (uid < 0 || gid < 0 || !n || !stays)
		return diag_fail(&c->diags, "try again", "process %d ended, or went to another cgroup", (int)name.pid);
	comm[n - (comm[n - 1] == '\n')] = '\0';
	int64_t facts[INPUT_MAX] = {[IN_UID] = uid, [IN_GID] = gid, [IN_PID] = name.pid, [IN_TID] = name.pid,
	                            [IN_CGROUP_ID] = (int64_t)cg->id};
	memcpy(&facts[IN_COMM_0], comm, sizeof comm);
	const uint32_t told = 1u << IN_UID | 1u << IN_GID | 1u << IN_PID | 1u << IN_TID | 1u << IN_CGROUP_ID | 1u << IN_COMM_0 | 1u << IN_COMM_1;
	for (int in = 0; in < INPUT_MAX; in++)
		if (told & ~r->known & 1u << in)
			r->fact[in] = facts[in];
	q->of_process = told & ~r->known;
	r->known |= told;
	return 0;
}

/* ---- the node itself ------------------------------------------------------------------------------ */

/* What would refuse the request before a program is asked, or instead of it: a warning each. */
static void look_at_node(struct inquiry *q, const char *path)
{
	struct cmd *c = q->c;
	const struct request *r = &q->request;
	struct span at = {.file = path};
	struct statvfs fs;
	struct stat st;
	if (*path != '/' || stat(path, &st))
		return;
	if (!statvfs(path, &fs) && fs.f_flag & ST_NODEV)
		diag_add(&c->diags, DIAG_WARNING, at, "mount it with the option dev, or use the node in /dev",
		         "its file system is mounted nodev: opening it is EACCES, whatever the programs say");
	if (!(r->known & 1u << IN_UID) || !r->fact[IN_UID])
		return;
	unsigned of_owner = (unsigned)st.st_mode >> 6 & 7, of_group = (unsigned)st.st_mode >> 3 & 7, of_others = (unsigned)st.st_mode & 7;
	unsigned wanted = (r->access & ACC_READ ? 4u : 0) | (r->access & ACC_WRITE ? 2u : 0);
	bool owner = r->fact[IN_UID] == (int64_t)st.st_uid, group = r->known & 1u << IN_GID && r->fact[IN_GID] == (int64_t)st.st_gid;
	unsigned has = owner ? of_owner : group ? of_group : of_others;
	if (wanted & ~has)
		diag_add(&c->diags, DIAG_WARNING, at, "supplementary groups and capabilities of the process may still allow it",
		         "mode %04o, owner %u, group %u: uid %lld has not these bits, and then no program is asked", (unsigned)st.st_mode & 07777,
		         st.st_uid, st.st_gid, (long long)r->fact[IN_UID]);
}

/* ---- telling ---------------------------------------------------------------------------------------- */

static const char *const words[] = {[SAYS_ALLOW] = "allow", [SAYS_DENY] = "deny", [SAYS_UNKNOWN] = "unknown"};

static const char *verdict_of(const struct inquiry *q)
{
	return q->denials ? "deny" : q->unknown ? "unknown" : "allow";
}

static void print(const struct inquiry *q)
{
	struct arena *a = q->c->arena;
	for (const struct opinion *o = q->list; o < q->list + q->n; o++) {
		printf("%-8s", words[o->says]);
		put_text(stdout, o->path ? o->path : "(above what is mounted here)");
		printf("  program %u, ", o->id);
		put_text(stdout, name_of(a, o));
		fputs("\n        ", stdout);
		put_text(stdout, o->rule);
		putchar('\n');
	}
	printf("%s: ", verdict_of(q));
	put_text(stdout, q->request.text);
	if (!q->n)
		puts(": no device program decides here");
	else if (q->denials)
		printf(": %zu of %zu programs den%s it, and all must allow\n", q->denials, q->n, q->denials == 1 ? "ies" : "y");
	else if (q->unknown)
		printf(": what %zu of %zu programs say is not known\n", q->unknown, q->n);
	else
		printf(": %s\n", q->n == 1 ? "the one program allows it" : "all programs allow it");
}

static void to_json(const struct inquiry *q)
{
	json_t *list = json_array(), *out = q->c->json.out;
	for (const struct opinion *o = q->list; o < q->list + q->n; o++)
		json_array_append_new(list, json_pack("{s:I, s:o, s:o, s:o, s:s, s:o}", "program", (json_int_t)o->id, "cgroup",
		                                      o->path ? text_json(o->path) : json_null(), "policy",
		                                      o->at && o->at->ours ? text_json(o->at->name) : json_null(), "author",
		                                      o->author ? json_string(o->author) : json_null(), "verdict", words[o->says], "rule",
		                                      text_json(o->rule)));
	json_object_set_new(out, "request", text_json(q->request.text));
	json_object_set_new(out, "verdict", json_string(verdict_of(q)));
	json_object_set_new(out, "programs", list);
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static int read_request(struct inquiry *q, int argc, char **argv)
{
	struct cmd *c = q->c;
	const char *text = "", *error, *hint;
	for (int i = 0; i < argc; i++)
		text = arena_printf(c->arena, "%s%s%s", text, i ? " " : "", argv[i]);
	int unread = request_parse(c->arena, &host_here, text, &q->request, &error, &hint);
	if (!unread)
		return STATUS_OK;
	if (unread != REQUEST_UNKNOWN)
		return usage_error(c, hint, "%s: %s", text, error);
	diag_fail(&c->diags, hint, "%s: %s", text, error);
	return STATUS_FAILED;
}

static int ask_all(struct inquiry *q, struct cgroup *cg)
{
	struct cmd *c = q->c;
	uint32_t *ids;
	int status = cgroup_effective_programs(c->arena, &c->diags, cg, &ids, &q->n) ? STATUS_FAILED : STATUS_OK;
	q->list = arena_alloc(c->arena, (q->n + 1) * sizeof *q->list);
	for (size_t i = 0; i < q->n && !status; i++)
		q->list[i].id = ids[i];
	if (status) {
		cgroup_close(cg);
		return status;
	}
	status = find_places(q, cg);
	for (size_t i = 0; i < q->n && !status; i++)
		ask(q, &q->list[i]);
	return status;
}

static int why(struct cmd *c, int argc, char **argv)
{
	struct inquiry q = {.c = c};
	struct cgroup *cg;
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	int cgroups = !where_given(c), n = argc - optind - cgroups;
	if (n < 1)
		return usage_error(c, NULL, n < 0 ? "no cgroup given" : "no request given");
	int status = read_request(&q, n, argv + optind + cgroups);
	if (!status && where_open(c, cgroups ? argv[optind] : NULL, WHERE_LOOK, &cg))
		status = STATUS_FAILED;
	if (!status && facts_of(&q, cgroups ? argv[optind] : NULL, cg)) {
		cgroup_close(cg);
		status = STATUS_FAILED;
	}
	if (!status)
		status = ask_all(&q, cg);
	if (status)
		return status;
	look_at_node(&q, argv[optind + cgroups]);
	if (c->json.on)
		to_json(&q);
	else
		print(&q);
	return q.denials ? STATUS_DENY : q.unknown ? STATUS_FAILED : STATUS_OK;
}

const struct verb verb_why = {
	.name = "why",
	.synopsis = "CGROUP REQUEST [--json] | --self REQUEST | --unit UNIT REQUEST",
	.usage = "CGROUP REQUEST",
	.example = PROGRAM " why --self c 1:3 rw",
	.summary = "Say which program, of anybody's, decides a request",
	.help = "Every program that the kernel asks for a process of CGROUP is read: whose it is, what it says,\n"
		"and the rule (as `explain` tells it). All must allow. Facts about the caller are those that the\n"
		"request gives (uid=1000); where CGROUP is a pid, those of that process. Of a path the node's\n"
		"mode and a nodev mount are looked at, too. Status 2: denied; 1: it is not known.\n\n",
	.shorts = "+:h",
	.longs = options,
	.json = true,
	.main = why,
};
