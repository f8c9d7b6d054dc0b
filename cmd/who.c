/*
 * who.c - which files and cgroups the names in a policy are here: asked of the kernel before its program is loaded, and told.
 */
#include "cgroup/who.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"
#include "compiler/task/task.h"
#include "policy/lint_who.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the program's readers read. */
static struct who_reads reads_of(const struct image *image)
{
	struct who_reads reads = {0};
	for (size_t i = 0; i < image->nrelocs; i++) {
		uint32_t reader = image->relocs[i].target - TARGET_READER;
		if (reader < READER_GROUP)
			reads.facts |= INPUT(IN_EUID + reader);
		else if (reader < READERS)
			reads.asks |= 1u << (reader - READER_GROUP);
	}
	return reads;
}

bool unit_names_files(const struct unit *u)
{
	const struct asked *asked = policy_asks(u->policy);
	bool files = false;
	for (size_t i = 0; i < asked->npaths; i++)
		files |= !asked->paths[i].is_cgroup;
	return files && reads_of(&u->image).facts & (INPUT(IN_EXE) | INPUT(IN_PARENT_EXE));
}

int unit_who(struct cmd *c, struct unit *u)
{
	const struct who_reads reads = reads_of(&u->image);
	const struct asked *asked = policy_asks(u->policy);
	if (u->who || (!reads.facts && !reads.asks))
		return 0;
	struct who *who = arena_alloc(c->arena, sizeof *who);
	if (who_readable(c->arena, &c->diags, u->policy->name, &reads) ||
	    who_find(c->arena, &c->diags, asked, c->settings.exe_root, who))
		return -1;
	if (u->root)
		who->root = *u->root;
	u->who = who;
	return 0;
}

void warn_of_root(struct cmd *c, const struct unit *u, const struct cgroup *cg, uint32_t before)
{
	struct who_entry *list;
	struct who_root root = {0};
	size_t n;
	int map = before && !c->settings.exe_root && unit_names_files(u) ? who_map_of(before) : -1;
	int error = map < 0 ? -ENOENT : who_map_read(c->arena, map, &list, &n, &root);
	if (map >= 0)
		close(map);
	if (error || !root.inode)
		return;
	const char *now = who_root_find(c->arena, cg, &root);
	diag_add(&c->diags, DIAG_WARNING, (struct span){.file = u->policy->file},
	         arena_printf(c->arena, "to take the container's: --exe-root %s", now ? now : "/proc/PID/root, with a PID of the container"),
	         "program %u there knows files of a container; those that '%s' names here are this host's", before, u->policy->name);
}

static void warn_of_ways(struct cmd *c, const struct unit *u, const struct who_reads *reads)
{
	uint32_t ways = who_features();
	const char *name = u->policy->name;
	const struct span at = {.file = u->policy->file};
	if (!ways)
		diag_add(&c->diags, DIAG_WARNING, at, "use Linux 6.1 or later, or boot without lockdown=confidentiality",
		         "this kernel lets no program read the calling task: where '%s' asks for it, it denies", name);
	else if (!(ways & FEATURE_TASK_READ) && reads->asks & 1u << ASK_GROUP)
		diag_add(&c->diags, DIAG_WARNING, at, "boot without lockdown=confidentiality, or leave it so",
		         "this kernel forbids bpf_probe_read_kernel: where '%s' asks in_group?, callers in many groups are denied", name);
}

void warn_of_names(struct cmd *c, const struct unit *u)
{
	const struct who_reads reads = reads_of(&u->image);
	if (!u->who)
		return;
	warn_of_ways(c, u, &reads);
	for (size_t i = 0; i < u->who->n; i++) {
		const struct who_name *w = &u->who->list[i];
		if (w->why)
			diag_add(&c->diags, DIAG_WARNING, w->named->at, w->fix, "'%s' matches nothing: %s", w->named->path, w->why);
		else if (!w->named->is_cgroup && runs_others(w->real) && !runs_others(w->named->path))
			diag_add(&c->diags, DIAG_WARNING, w->named->at, "name the program that does the work, compiled and installed by root",
			         "'%s' leads to %s, which is %s: whatever it runs has this executable, and who starts it says what that is",
			         w->named->path, w->real, runs_others(w->real));
	}
}

void names_print(const struct unit *u)
{
	for (size_t i = 0; u->who && i < u->who->n; i++) {
		const struct who_name *w = &u->who->list[i];
		if (!w->why)
			continue;
		fputs("  ", stdout);
		if (w->named->at.file && *w->named->at.file && strcmp(w->named->at.file, u->policy->file)) {
			put_text(stdout, w->named->at.file);
			printf(":%d: ", w->named->at.line);
		} else if (w->named->at.line > 0) {
			printf("line %d: ", w->named->at.line);
		}
		fputs("matches nothing here: ", stdout);
		put_text(stdout, w->named->path);
		fputs(", ", stdout);
		put_text(stdout, w->why);
		putchar('\n');
	}
}

json_t *names_json(const struct unit *u)
{
	json_t *list = json_array();
	for (size_t i = 0; u->who && i < u->who->n; i++) {
		const struct who_name *w = &u->who->list[i];
		json_t *why = w->why ? text_json(w->why) : json_null();
		json_array_append_new(list, json_pack("{s:o, s:s, s:i, s:b, s:o}", "path", text_json(w->named->path), "is",
		                                      w->named->is_cgroup ? "cgroup" : "file", "line", w->named->at.line, "found", !w->why,
		                                      "why", why));
	}
	return list;
}
