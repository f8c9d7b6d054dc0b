/*
 * list.c - every device program of the host, by the cgroup it is on: ours with what it amounts
 * to, others' by the hand that wrote them.
 *
 * One walk of the hierarchy. Of a cgroup without programs, nothing is asked but their number.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/hosted/hosted.h"
#include "cmd/names_now.h"
#include "cmd/options.h"
#include "cmd/proof.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

enum { OPT_VERIFY = OPT_VERB };
static const struct option options[] = {{"verify", no_argument, NULL, OPT_VERIFY}, OPTION_JSON, OPTION_HELP, {0}};

struct listing {
	struct cmd *c;
	const char *mount;
	struct cgroup_link *links;
	size_t nlinks;
	json_t *cgroups; /* NULL: as text */
	size_t seen, with, programs;
	int beyond;      /* asked at the root, and not attached to what can be seen */
	size_t untold;   /* programs of which something cannot be told */
	int why;         /* errno of the first of them */
	struct proofs proofs;
	struct hosted host;
};

/* ---- one program ----------------------------------------------------------------------------- */

/* The id of the link it is attached by, 0: by none. */
static uint32_t link_of(const struct listing *l, const struct attached *at, uint64_t cgroup)
{
	for (size_t i = 0; i < l->nlinks; i++)
		if (l->links[i].program == at->id && l->links[i].cgroup == cgroup)
			return l->links[i].id;
	return 0;
}

static const char *plural_text(struct arena *a, size_t n, const char *one, const char *many)
{
	return arena_printf(a, "%zu %s", n, n == 1 ? one : many);
}

static const char *amounts_to(const struct listing *l, const struct attached *at, const struct author *who)
{
	struct arena *a = l->c->arena;
	if (hosted_is(&l->host, at->id))
		return arena_printf(a, "host program: %s", hosted_words(a, &l->host));
	if (l->host.failed && l->host.id == at->id)
		return arena_printf(a, "NOT BELIEVED: %s", l->host.failed);
	if (!at->ours)
		return author_words(a, who);
	return *at->meaning ? at->meaning
	                    : arena_printf(a, "%s; it was compiled by a version that did not say what they amount to",
	                                   plural_text(a, at->nrules, "rule", "rules"));
}

static void print_program(struct listing *l, const struct attached *at, const struct author *who, uint32_t link,
                          bool pinned, const char *proof)
{
	struct arena *a = l->c->arena;
	fputs("  ", stdout);
	if (at->unreadable && !at->known)
		fputs("(cannot tell)", stdout);
	else
		put_text(stdout, at->ours ? at->name : *at->kernel_name ? at->kernel_name : "(no name)");
	printf("  program %u, %s", at->id,
	       at->unreadable ? "cannot tell whose" : hosted_is(&l->host, at->id) ? "ours" : !at->ours ? "not ours" : at->mode == MODE_PERMISSIVE ? "ours, PERMISSIVE" : "ours");
	if (at->ours && at->audit != AUDIT_NONE)
		printf(", audit %s", audit_word(at->audit));
	if (link)
		printf(", by %s %u", pinned ? "the pinned link" : "link", link);
	if (!(at->attach_flags & BPF_F_ALLOW_MULTI))
		printf(", attached %s", attach_word(at->attach_flags));
	if (at->insns)
		printf(", %s", plural_text(a, at->insns, "instruction", "instructions"));
	fputs("\n    ", stdout);
	put_text(stdout, at->unreadable ? arena_printf(a, "what it does cannot be told: %s", strerror(at->unreadable))
	                                : amounts_to(l, at, who));
	putchar('\n');
	if (proof) {
		fputs("    ", stdout);
		put_text(stdout, proof);
		putchar('\n');
	}
}

/* null is what cannot be told. */
static json_t *program_json(const struct attached *at, bool host, const struct author *who, uint32_t link, bool pinned)
{
	json_t *o = json_pack("{s:I, s:o, s:o, s:o, s:s}", "program", (json_int_t)at->id, "kernel_name",
	                      at->known ? text_json(at->kernel_name) : json_null(), "ours",
	                      at->unreadable ? json_null() : json_boolean(at->ours || host), "instructions",
	                      at->insns ? json_integer(at->insns) : json_null(), "attach_flags",
	                      attach_word(at->attach_flags));
	json_object_set_new(o, "link", link ? json_integer(link) : json_null());
	json_object_set_new(o, "pinned", json_boolean(pinned));
	json_object_set_new(o, "host", json_boolean(host));
	if (at->ours) {
		json_object_set_new(o, "policy", text_json(at->name));
		json_object_set_new(o, "mode", json_string(mode_word(at->mode)));
		json_object_set_new(o, "audit", json_string(audit_word(at->audit)));
		json_object_set_new(o, "rules", json_integer(at->nrules));
		json_object_set_new(o, "meaning", *at->meaning ? text_json(at->meaning) : json_null());
	} else if (!at->unreadable && !host) {
		author_json(o, who);
	}
	if (at->unreadable || who->unreadable)
		json_object_set_new(o, "cannot_tell",
		                    json_string(strerror(at->unreadable ? at->unreadable : who->unreadable)));
	return o;
}

/* ---- one cgroup --------------------------------------------------------------------------------- */

static void one_program(struct listing *l, const struct cgroup *cg, const struct attached *at, json_t *programs)
{
	struct author who = {.otherwise = -1};
	uint32_t link = link_of(l, at, cg->id);
	bool pinned = link && at->ours && link_program(cg) == at->id;
	bool host = hosted_is(&l->host, at->id);
	if (!at->ours && !host && !at->unreadable)
		program_author(at->id, &who);
	int why = at->unreadable ? at->unreadable : who.unreadable;
	l->untold += why != 0;
	l->why = l->why ? l->why : why;
	l->programs++;
	json_t *json = programs ? program_json(at, host, &who, link, pinned) : NULL;
	const char *proof = program_proof(l->c, at, &l->proofs, json);
	struct names_now names = {0};
	if (l->proofs.asked)
		program_names(l->c, at, cg, &names);
	if (programs && l->proofs.asked && at->ours)
		json_object_set_new(json, "names", names_now_json(&names));
	if (programs)
		json_array_append_new(programs, json);
	else
		print_program(l, at, &who, link, pinned, proof);
	if (!programs)
		names_now_print(l->c->arena, &names, 4);
}

static int show(struct listing *l, const struct cgroup *cg, const char *path)
{
	struct attached *list;
	size_t n;
	if (cgroup_query(l->c->arena, &l->c->diags, cg, &list, &n))
		return -1;
	json_t *programs = l->cgroups ? json_array() : NULL;
	l->with += n > 0;
	if (!programs && n) {
		put_text(stdout, path);
		putchar('\n');
	}
	for (size_t i = 0; i < n; i++)
		one_program(l, cg, &list[i], programs);
	if (programs && n)
		json_array_append_new(l->cgroups, json_pack("{s:o, s:o, s:I, s:O}", "path", text_json(path), "directory",
		                                            text_json(cg->path), "id", (json_int_t)cg->id, "programs",
		                                            programs));
	json_decref(programs);
	return 0;
}

/* A cgroup that is removed while it is looked at has no programs any more. */
static enum walk_step look(void *arg, const struct cgroup_dir *dir)
{
	struct listing *l = arg;
	struct cgroup cg = {.fd = dir->fd, .path = "", .mount = l->mount, .id = dir->id, .lock = -1};
	int n = cgroup_programs(&cg);
	bool root = !*dir->name;
	l->seen++;
	if (root && n >= 0)
		l->beyond = cgroup_effective(&cg) - n;
	if (!n || n == -ENODEV || n == -ENOENT)
		return WALK_DOWN;
	cg.path = arena_printf(l->c->arena, "%s%s", l->mount, root ? "" : dir->path);
	return show(l, &cg, dir->path) ? WALK_END : WALK_DOWN;
}

/* ---- the verb ------------------------------------------------------------------------------------- */

static void summary(struct listing *l)
{
	struct arena *a = l->c->arena;
	if (l->c->json.on) {
		json_object_set(l->c->json.out, "cgroups", l->cgroups);
		json_object_set_new(l->c->json.out, "host", hosted_json(a, &l->host, NULL));
		json_object_set_new(l->c->json.out, "mount", text_json(l->mount));
		json_object_set_new(l->c->json.out, "cgroups_seen", json_integer((json_int_t)l->seen));
		json_object_set_new(l->c->json.out, "programs_beyond", json_integer(l->beyond > 0 ? l->beyond : 0));
		return;
	}
	printf("%s on %zu of %s below ", plural_text(a, l->programs, "program", "programs"), l->with,
	       plural_text(a, l->seen, "cgroup", "cgroups"));
	put_text(stdout, l->mount);
	putchar('\n');
}

static int list(struct cmd *c, int argc, char **argv)
{
	struct listing l = {.c = c, .mount = cgroup_mount(c->arena)};
	int opt;
	while ((opt = options_next(c, argc, argv)) == OPT_VERIFY)
		l.proofs.asked = true;
	if (opt != OPT_END)
		return c->status;
	if (optind < argc)
		return usage_error(c, "programs of one cgroup: " PROGRAM " status CGROUP", "list takes no cgroup");
	if (!l.mount)
		return cgroup_no_mount(c->arena, &c->diags, errno), STATUS_FAILED;
	hosted_read(c, &l.host);
	int error = -cgroup_links(c->arena, &l.links, &l.nlinks);
	l.cgroups = c->json.on ? json_array() : NULL;
	if (!cgroup_walk(c->arena, &c->diags, look, &l) && !c->diags.errors)
		summary(&l);
	json_decref(l.cgroups);
	if (l.host.id && l.host.failed)
		diag_fail(&c->diags, l.host.hint, "%s", l.host.failed);
	if (l.untold)
		diag_fail(&c->diags, error_hint(c->arena, l.why, "see the kernel log"), "of %s it cannot be told what %s: %s",
		          plural_text(c->arena, l.untold, "program", "programs"), l.untold == 1 ? "it does" : "they do",
		          strerror(l.why));
	else if (error && !c->diags.errors)
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, error_hint(c->arena, error, "see the kernel log"),
		         "cannot tell which programs are attached by links: %s", strerror(error));
	if (l.beyond > 0)
		diag_add(&c->diags, DIAG_WARNING, (struct span){0}, "ask on the host",
		         "%s above what can be seen here: all that runs here asks %s, too",
		         plural_text(c->arena, (size_t)l.beyond, "program is attached", "programs are attached"),
		         l.beyond == 1 ? "it" : "them");
	return l.proofs.others ? STATUS_DENY : c->diags.errors || error || l.proofs.untold ? STATUS_FAILED : STATUS_OK;
}

const struct verb verb_list = {
	.name = "list",
	.synopsis = "[--verify] [--json]",
	.usage = "",
	.example = PROGRAM " list",
	.summary = "Show every device program of this host, by the cgroup that it is on",
	.help = "Ours with what they allow whoever asks, others' by the shape in which container\n"
		"engines and systemd write them. Cgroups are named as audit prints them, from the\n"
		"mount of the hierarchy on; status shows more of one. In a container: what can be\n"
		"seen from there.\n\n"
		"  --verify          read each of ours back: do its instructions amount to the\n"
		"                    line shown? Exit status 2: not; 1: it cannot be told.\n"
		"                    And which names stand for another file or cgroup now\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = list,
};
