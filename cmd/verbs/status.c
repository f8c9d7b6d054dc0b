/*
 * status.c - what decides about a cgroup: every device program from it up to
 * the root of its hierarchy (all of them are asked, and all must allow), and
 * what about them would surprise.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/hosted/hosted.h"
#include "cmd/names_now.h"
#include "cmd/options.h"
#include "cmd/proof.h"
#include "cmd/where/where.h"

#include <linux/bpf.h>
#include <string.h>
#include <time.h>

enum { SLOTS_NEARLY = CGROUP_PROGRAMS_MAX - 8 };
enum { OPT_VERIFY = OPT_VERB };
static const struct option options[] = {{"verify", no_argument, NULL, OPT_VERIFY}, OPTION_SELF, OPTION_UNIT, OPTION_JSON, OPTION_HELP, {0}};

/* What is shown of a cgroup and those above it. */
struct shown {
	struct cmd *c;
	json_t *levels;
	struct proofs proven;
	struct hosted host;
	struct hosted_here here; /* for the cgroup itself */
	bool here_known;
};

static const char *time_text(struct arena *a, uint64_t seconds)
{
	char buf[32];
	time_t t = (time_t)seconds;
	struct tm tm;
	if (!localtime_r(&t, &tm) || !strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", &tm))
		return "?";
	return arena_strdup(a, buf);
}

/* What everybody may see of a program that may not be looked at. */
static void print_unknown(const struct attached *at)
{
	printf("  (cannot tell)  program %u  cannot tell whose\n    what it does cannot be told: %s; attached %s\n", at->id,
	       strerror(at->unreadable), attach_word(at->attach_flags));
}

static void print_numbers(struct cmd *c, const struct attached *at)
{
	if (at->ours)
		printf("    %u rule%s, ", at->nrules, PLURAL(at->nrules));
	else
		fputs("    ", stdout);
	if (at->insns)
		printf("%u instruction%s", at->insns, PLURAL(at->insns));
	else
		fputs("cannot tell how many instructions", stdout);
	printf(", attached %s, loaded %s by uid %u\n", attach_word(at->attach_flags), time_text(c->arena, at->loaded_at),
	       at->uid);
}

static void print_ours(const struct attached *at, const char *proof)
{
	printf("    digest %016llx, compiled by " PROGRAM " ", (unsigned long long)at->digest);
	put_text(stdout, at->tool);
	printf(", tag %s\n", at->tag);
	if (*at->meaning) {
		fputs("    ", stdout);
		put_text(stdout, at->meaning);
		putchar('\n');
	}
	if (proof) {
		fputs("    ", stdout);
		put_text(stdout, proof);
		putchar('\n');
	}
	if (at->audit != AUDIT_NONE || at->mode != MODE_ENFORCE)
		printf("    %saudit %s, generation %u\n",
		       at->mode == MODE_PERMISSIVE ? "PERMISSIVE: nothing is denied by it; " : "",
		       audit_word(at->audit), at->generation);
	if (at->grants)
		puts("    grants may open what it denies");
}

static void print_others(struct cmd *c, const struct attached *at)
{
	printf("    tag %s\n", at->tag);
	if (at->unreadable)
		return;
	struct author who;
	program_author(at->id, &who);
	fputs("    ", stdout);
	put_text(stdout, author_words(c->arena, &who));
	putchar('\n');
}

static void print_host(const struct shown *s, const struct attached *at)
{
	struct arena *a = s->c->arena;
	printf("  " HOSTPROG_NAME "  program %u  ours: the host program\n", at->id);
	print_numbers(s->c, at);
	hosted_put(arena_printf(a, "made by " PROGRAM " %s, tag %s\n%s\n%s", s->host.info.tool, at->tag, hosted_words(a, &s->host),
	                        s->here_known ? hosted_lines(a, &s->here) : ""), 4);
}

static void print_runs(const struct attached *at)
{
	if (at->run_count)
		printf("    runs: %llu, %.1f ns each\n", (unsigned long long)at->run_count,
		       (double)at->run_time_ns / (double)at->run_count);
}

static void print_program(const struct shown *s, const struct cgroup *cg, const struct attached *at, const char *proof)
{
	struct cmd *c = s->c;
	if (!at->known) {
		print_unknown(at);
		return;
	}
	if (hosted_is(&s->host, at->id)) {
		print_host(s, at);
		print_runs(at);
		return;
	}
	fputs("  ", stdout);
	put_text(stdout, at->ours ? at->name : *at->kernel_name ? at->kernel_name : "(no name)");
	printf("  program %u  %s\n", at->id, at->ours ? "ours" : at->unreadable ? "cannot tell whose" : "not ours");
	print_numbers(c, at);
	if (at->ours) {
		struct names_now names;
		print_ours(at, proof);
		program_names(c, at, cg, &names);
		names_now_print(c->arena, &names, 4);
	} else {
		print_others(c, at);
	}
	print_runs(at);
}

static json_t *number_if(bool known, uint64_t n)
{
	return known ? json_integer((json_int_t)n) : json_null();
}

/* null is what cannot be told. */
static json_t *program_json(const struct attached *at, bool host, json_t *proof)
{
	json_t *o = json_pack("{s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "program", (json_int_t)at->id, "kernel_name",
	                      at->known ? text_json(at->kernel_name) : json_null(), "ours",
	                      at->unreadable ? json_null() : json_boolean(at->ours || host), "attach_flags",
	                      attach_word(at->attach_flags), "instructions", number_if(at->insns, at->insns),
	                      "loaded_at", number_if(at->known, at->loaded_at), "loaded_by_uid",
	                      number_if(at->known, at->uid), "tag", at->known ? json_string(at->tag) : json_null());
	json_object_set_new(o, "host", json_boolean(host));
	if (at->unreadable)
		json_object_set_new(o, "cannot_tell", json_string(strerror(at->unreadable)));
	if (!at->ours && !host && !at->unreadable) {
		struct author who;
		program_author(at->id, &who);
		author_json(o, &who);
	}
	if (at->ours) {
		char digest[17];
		snprintf(digest, sizeof digest, "%016llx", (unsigned long long)at->digest);
		json_object_set_new(o, "policy", text_json(at->name));
		json_object_set_new(o, "tool", text_json(at->tool));
		json_object_set_new(o, "rules", json_integer(at->nrules));
		json_object_set_new(o, "meaning", *at->meaning ? text_json(at->meaning) : json_null());
		json_object_set_new(o, "digest", json_string(digest));
		json_object_set_new(o, "mode", json_string(mode_word(at->mode)));
		json_object_set_new(o, "grants", json_string(grants_words[at->grants]));
		json_object_set_new(o, "audit", json_string(audit_word(at->audit)));
		json_object_set_new(o, "generation", json_integer(at->generation));
		json_object_update(o, proof);
	}
	if (at->run_count) {
		json_object_set_new(o, "run_count", json_integer((json_int_t)at->run_count));
		json_object_set_new(o, "run_time_ns", json_integer((json_int_t)at->run_time_ns));
	}
	return o;
}

static void warn(struct cmd *c, const struct cgroup *cg, const char *hint, const char *what)
{
	diag_add(&c->diags, DIAG_WARNING, (struct span){.file = cg->path}, hint, "%s", what);
}

/* `above`: this is an ancestor of the cgroup asked about. */
static void warn_of_programs(struct cmd *c, const struct cgroup *cg, const struct attached *list,
                             size_t n, bool above)
{
	if (n >= SLOTS_NEARLY)
		warn(c, cg, "detach what is no longer needed; replacing needs a free slot too",
		     n >= CGROUP_PROGRAMS_MAX ? "all 64 program slots are in use: nothing more can be attached"
		                : arena_printf(c->arena, "%zu of 64 program slots are in use", n));
	for (size_t i = 0; i < n; i++)
		if (list[i].ours && list[i].mode == MODE_PERMISSIVE)
			warn(c, cg, arena_printf(c->arena, "to enforce it: " PROGRAM " apply POLICY %s --mode enforce", cg->path),
			     arena_printf(c->arena, "'%s' is permissive: nothing is denied by it%s",
			                  list[i].name,
			                  list[i].audit == AUDIT_NONE ? ", and nothing reported"
			                                              : ""));
	if (!n || list[0].attach_flags & BPF_F_ALLOW_MULTI)
		return;
	if (list[0].attach_flags & BPF_F_ALLOW_OVERRIDE)
		warn(c, cg, "have its owner attach it with BPF_F_ALLOW_MULTI",
		     above ? "this program does not run for cgroups below that have their own"
		           : "this program admits no other beside it");
	else
		warn(c, cg, "have its owner attach it with BPF_F_ALLOW_MULTI",
		     above ? "this exclusive program lets nothing be attached below it"
		           : "this exclusive program lets nothing be attached here or below");
}

/* What is attached may not even be asked; the reason is a message. */
static int show_closed(struct cmd *c, const struct cgroup *cg, json_t *levels)
{
	if (c->json.on) {
		json_array_append_new(levels, json_pack("{s:o, s:I, s:n}", "path", text_json(cg->path), "id",
		                                        (json_int_t)cg->id, "programs"));
		return -1;
	}
	put_text(stdout, cg->path);
	puts(": cannot tell");
	return -1;
}

/* An error: what is printed is not the whole truth. */
static void say_unknown(struct cmd *c, const struct cgroup *cg, const struct attached *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].unreadable) {
			diag_fail(&c->diags, error_hint(c->arena, list[i].unreadable, "see the kernel log"),
			          "cannot tell whose program %u on %s is: %s", list[i].id, cg->path,
			          strerror(list[i].unreadable));
			return;
		}
}

/* What a host program opens hangs on what it is. */
static void say_not_believed(struct shown *s, const struct attached *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s->host.failed && list[i].id == s->host.id)
			diag_fail(&s->c->diags, s->host.hint, "%s", s->host.failed);
}

static int show_level(struct shown *s, const struct cgroup *cg, bool above)
{
	struct cmd *c = s->c;
	json_t *levels = s->levels;
	struct proofs *p = &s->proven;
	struct attached *list;
	size_t n;
	if (cgroup_query(c->arena, &c->diags, cg, &list, &n))
		return show_closed(c, cg, levels);
	warn_of_programs(c, cg, list, n, above);
	say_unknown(c, cg, list, n);
	say_not_believed(s, list, n);
	if (c->json.on) {
		json_t *programs = json_array();
		for (size_t i = 0; i < n; i++) {
			json_t *proof = json_object();
			struct names_now names;
			program_proof(c, &list[i], p, proof);
			program_names(c, &list[i], cg, &names);
			if (list[i].ours)
				json_object_set_new(proof, "names", names_now_json(&names));
			json_array_append_new(programs, program_json(&list[i], hosted_is(&s->host, list[i].id), proof));
			json_decref(proof);
		}
		json_array_append_new(levels, json_pack("{s:o, s:I, s:o}", "path",
		                                        text_json(cg->path), "id",
		                                        (json_int_t)cg->id, "programs", programs));
		return 0;
	}
	put_text(stdout, cg->path);
	puts(n ? "" : ": no device program");
	for (size_t i = 0; i < n; i++)
		print_program(s, cg, &list[i], program_proof(c, &list[i], p, NULL));
	return 0;
}

/* The cgroup, its parent, ... the root. Closes them all. */
static int show_all(struct shown *s, struct cgroup *cg)
{
	struct cmd *c = s->c;
	bool above = false;
	int failed = 0;
	while (cg) {
		failed = failed || show_level(s, cg, above);
		struct cgroup *parent = failed ? NULL : cgroup_parent(c->arena, &c->diags, cg);
		cgroup_close(cg);
		cg = parent;
		above = true;
	}
	return s->proven.others ? STATUS_DENY : failed || c->diags.errors || s->proven.untold ? STATUS_FAILED : STATUS_OK;
}

static int status(struct cmd *c, int argc, char **argv)
{
	struct cgroup *cg;
	struct shown s = {.c = c};
	struct diags ignored;
	int opt;
	while ((opt = options_next(c, argc, argv)) == OPT_VERIFY)
		s.proven.asked = true;
	if (opt != OPT_END)
		return c->status;
	if (argc - optind > !where_given(c))
		return usage_error(c, NULL, "one cgroup at a time, please");
	const char *path = optind < argc ? argv[optind] : where_given(c) ? NULL : own_cgroup(c);
	if (c->diags.errors || where_open(c, path, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	s.levels = json_array();
	if (cgroup_hybrid(c->arena))
		warn(c, cg, "programs attached here decide for the processes that are in this v2 "
			    "cgroup (the 0:: line of /proc/PID/cgroup); v1 `devices` limits come on top",
		     "this host is hybrid: v1 hierarchies are mounted as well");
	diags_init(&ignored, c->arena); /* what cannot be told of the way is told level by level */
	hosted_read(c, &s.host);
	s.here_known = !hosted_at(c->arena, &ignored, &s.host, cg, &s.here);
	int result = show_all(&s, cg);
	if (c->json.on) {
		json_object_set(c->json.out, "cgroups", s.levels);
		json_object_set_new(c->json.out, "host", hosted_json(c->arena, &s.host, s.here_known ? &s.here : NULL));
	}
	json_decref(s.levels);
	return result;
}

const struct verb verb_status = {
	.name = "status",
	.synopsis = "[CGROUP | --self | --unit NAME] [--verify] [--json]",
	.summary = "Show the device programs of a cgroup and of those above it",
	.help = "Without CGROUP: the cgroup of the caller. CGROUP may be named as for apply. All\n"
		"programs shown are asked about every request of a process in CGROUP, and all of\n"
		"them must allow it. Of the host program what concerns CGROUP is shown: grants,\n"
		"guards that do not allow them, watchers. Runs are shown where the kernel counts\n"
		"them: sysctl kernel.bpf_stats_enabled=1\n\n"
		"  --verify          read each of ours back: do its instructions amount to the\n"
		"                    line shown? Exit status 2: not; 1: it cannot be told.\n"
		"                    `verify POLICY CGROUP` proves more\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = status,
	.usage = "[CGROUP | --self | --unit NAME]",
	.example = PROGRAM " status /web",
};
