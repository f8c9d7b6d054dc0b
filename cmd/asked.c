/*
 * asked.c - the kernel itself, where it does not show the instructions of a program: with net.core.bpf_jit_harden
 * it shows them only as kernel.kptr_restrict lets it.
 *
 * Then a request can be put to it still, one by one (cgroup/probe.c): what decides cannot be told, and who asks is
 * a process of ours, with the ids, groups and so on that the request gives.
 */
#include "cmd/asked.h"
#include "cgroup/dump.h"
#include "cmd/cmd.h"
#include "cmd/hosted/hosted.h"
#include "cmd/source.h"
#include "cmd/where/where.h"

#include <string.h>

/* The programs of the SOURCE; messages about them are for whoever reads them. */
static bool programs_of(struct cmd *c, const char *source, struct source_programs *out)
{
	struct diags kept = c->diags;
	if (source_kind(source) != SOURCE_PROGRAMS)
		return false;
	diags_init(&c->diags, c->arena);
	bool ok = !source_programs(c, source, out);
	c->diags = kept;
	return ok;
}

bool asked_needed(struct cmd *c, const char *source)
{
	struct source_programs all;
	bool hidden = false;
	if (!programs_of(c, source, &all))
		return false;
	for (size_t i = 0; i < all.n && !hidden; i++) /* a host program is known by its tag */
		hidden = !(all.host && hosted_is(all.host->host, all.ids[i])) && program_hidden(all.ids[i]);
	return hidden;
}

static int open_it(struct cmd *c, const char *source, struct probe **out)
{
	static const char effective[] = "effective:";
	struct source_programs all;
	struct cgroup *cg;
	int status;
	if (strncmp(source, effective, strlen(effective))) {
		status = source_programs(c, source, &all);
		if (status || !all.host) /* with one it is the root's: what is attached there decides there */
			return status                                                                    ? status
			       : probe_open_programs(c->arena, &c->diags, all.ids, all.n, out) ? STATUS_FAILED
			                                                                                      : STATUS_OK;
	}
	if (where_open(c, strchr(source, ':') + 1, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	status = probe_open_in(c->arena, &c->diags, cg, out) ? STATUS_FAILED : STATUS_OK;
	cgroup_close(cg);
	return status;
}

int asked_open(struct cmd *c, const char *source, struct probe **out)
{
	const char *closed = probe_closed(c->arena);
	*out = NULL;
	if (closed) {
		diag_fail(&c->diags, "as root on the host the kernel itself can be asked", "%s cannot be read, and the kernel cannot be asked: %s",
		          source, closed);
		return STATUS_FAILED;
	}
	return hosted_unbelieved(c) ? STATUS_FAILED : open_it(c, source, out);
}

/* By whom: what the request does not say. */
static const char *asker(struct arena *a, const struct request *r)
{
	const input_set who = INPUT(IN_UID) | INPUT(IN_GID) | INPUT(IN_COMM_0);
	if ((r->known & who) == who)
		return "";
	return arena_printf(a, "; as%s%s%s", r->known & INPUT(IN_UID) ? "" : " uid 0", r->known & INPUT(IN_GID) ? "" : " gid 0",
	                    r->known & INPUT(IN_COMM_0) ? "" : " comm " PROGRAM);
}

/* Puts the request to a probe that is open, or could not be. */
static void put(struct cmd *c, struct probe *probe, const char *told, const struct request *r, input_set may_lack, const char *place,
                struct kernel_said *out)
{
	struct request asked = *r;
	const char *why = told;
	/* the kernel numbers sessions, and the parent's number is taken */
	asked.known &= ~(may_lack & (~PROBE_FACTS | INPUT(IN_SESSION) | INPUT(IN_KERNEL_THREAD) | INPUT(IN_PPID)));
	if (may_lack) /* the process is in the cgroup that is asked about, or in one of the probe's */
		asked.who.known &= ~(uint32_t)WHO_CGROUP;
	enum probe_answer said = probe ? probe_ask(probe, &asked, &why) : PROBE_FAILED;
	out->known = said == PROBE_ALLOW || said == PROBE_DENY;
	out->allow = said == PROBE_ALLOW;
	out->text = out->known ? arena_printf(c->arena, ASKED ", because it does not show the instructions%s%s", asker(c->arena, &asked), place)
	                       : arena_printf(c->arena, "the kernel does not show the instructions, and cannot be asked: %s", why);
	if (out->known && asked.known != r->known)
		out->text = arena_printf(c->arena, "%s; by a process of another number", out->text);
	probe_close(probe);
}

bool asked_program(struct cmd *c, uint32_t id, const struct request *r, input_set may_lack, struct kernel_said *out)
{
	struct probe *probe;
	struct diags kept = c->diags;
	if (!program_hidden(id) || probe_closed(c->arena))
		return false;
	diags_init(&c->diags, c->arena);
	int failed = hosted_unbelieved(c) || probe_open_programs(c->arena, &c->diags, &id, 1, &probe);
	const char *told = c->diags.n ? c->diags.items[c->diags.n - 1].text : "no probe";
	c->diags = kept;
	put(c, failed ? NULL : probe, told, r, may_lack, "; in a cgroup of its own", out);
	return true;
}

void asked_inside(struct cmd *c, const struct cgroup *cg, const struct request *r, input_set may_lack, struct kernel_said *out)
{
	struct probe *probe;
	struct diags kept = c->diags;
	diags_init(&c->diags, c->arena);
	int failed = hosted_unbelieved(c) || probe_open_in(c->arena, &c->diags, cg, &probe);
	const char *told = c->diags.n ? c->diags.items[c->diags.n - 1].text : "no probe";
	c->diags = kept;
	put(c, failed ? NULL : probe, told, r, may_lack, "", out);
}

void asked_say(struct cmd *c, const char *source)
{
	struct diag said = {.level = DIAG_WARNING, .at = {.file = source}, .hint = "what it decides by cannot be told",
	                    .text = "the kernel does not show its instructions: it is asked itself, one request after the other, by uid 0, "
	                            "gid 0, comm " PROGRAM " where the request does not say who"};
	if (strncmp(source, "effective:", strlen("effective:")))
		said.text = arena_printf(c->arena, "%s, from a cgroup of its own", said.text);
	bool quiet = c->quiet;
	c->quiet = false;
	diag_show(c, &said);
	c->quiet = quiet;
}
