/*
 * source.c - a SOURCE by its words: a policy, a list of another tool, or programs of the kernel, by number or by
 * the cgroup they are attached to.
 *
 * The word before the first colon says what it is. A path with a colon is a policy, unless it begins with such a
 * word: then ./ goes before it.
 *
 * A host program among them (policy/hostprog.h) is not read: what its grants open in the cgroup, now, stands for it.
 */
#include "cmd/source.h"
#include "cgroup/cgroup.h"
#include "cgroup/dump.h"
#include "cmd/cmd.h"
#include "cmd/foreign.h"
#include "cmd/hosted/hosted.h"
#include "cmd/where/where.h"
#include "compiler/decode/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *behind(const char *source, const char *kind)
{
	size_t n = strlen(kind);
	return strncmp(source, kind, n) ? NULL : source + n;
}

bool source_is_kernels(const char *source)
{
	return behind(source, "prog:") || behind(source, "cgroup:") || behind(source, "effective:");
}

/* ---- lists ----------------------------------------------------------------------------------------- */

/* What follows the word of a list, and which list. NULL: it is none. */
static const char *behind_format(const char *source, enum foreign_format *format)
{
	for (*format = 0; *format < FOREIGN_FORMATS; (*format)++) {
		const char *rest = behind(source, foreign_names[*format]);
		if (rest && *rest == ':')
			return rest + 1;
	}
	return NULL;
}

enum source_kind source_kind(const char *source)
{
	enum foreign_format format;
	return source_is_kernels(source) ? SOURCE_PROGRAMS : behind_format(source, &format) ? SOURCE_LIST : SOURCE_POLICY;
}

void source_list(struct arena *a, const char *source, struct foreign_wish *out)
{
	*out = (struct foreign_wish){.source = true};
	const char *rest = behind_format(source, &out->format), *part = strrchr(rest, '#');
	bool parts = out->format == FOREIGN_COMPOSE || out->format == FOREIGN_SYSTEMD || out->format == FOREIGN_CDI;
	out->file = parts && part ? arena_strndup(a, rest, (size_t)(part - rest)) : rest;
	out->part = parts && part && part[1] ? part + 1 : NULL;
	if (out->format != FOREIGN_DOCKER || !foreign_is_rule(rest))
		return;
	const char **rule = arena_alloc(a, sizeof *rule);
	*rule = rest;
	*out = (struct foreign_wish){.source = true, .format = FOREIGN_DOCKER, .args = rule, .nargs = 1};
}

const char *source_file(struct arena *a, const char *source)
{
	struct foreign_wish w;
	if (source_kind(source) != SOURCE_LIST)
		return source_kind(source) == SOURCE_POLICY ? source : NULL;
	source_list(a, source, &w);
	return w.file;
}

const char *source_hint(struct arena *a, const char *source)
{
	const char *known[FOREIGN_FORMATS + 3] = {"prog", "cgroup", "effective"}, *colon = strchr(source, ':');
	if (!colon)
		return NULL;
	for (size_t i = 0; i < FOREIGN_FORMATS; i++)
		known[3 + i] = foreign_names[i];
	const char *near = did_you_mean(arena_strndup(a, source, (size_t)(colon - source)), known, FOREIGN_FORMATS + 3);
	if (near)
		return arena_printf(a, "did you mean %s%s?", near, colon);
	return (size_t)(colon - source) == strspn(source, "abcdefghijklmnopqrstuvwxyz0123456789") && colon[1]
	               ? "name a policy (.rb or .o), or - for stdin; of other sources `" PROGRAM " help` lists the words before the colon" : NULL;
}

/* ---- programs of the kernel -------------------------------------------------------------------------- */

static int by_number(struct cmd *c, const char *text, struct source_programs *out)
{
	struct hosted host;
	char *end;
	errno = 0;
	unsigned long id = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !id || id > UINT32_MAX)
		return usage_error(c, "for example prog:42; list shows the numbers", "prog:%s: a program is named by its number", text);
	hosted_read(c, &host);
	if (hosted_known(&host) && host.id == id) {
		diag_fail(&c->diags, "effective:CGROUP tells what its grants open there; grants lists them",
		          "prog:%lu is the host program: by itself it decides nothing", id);
		return STATUS_FAILED;
	}
	out->ids = arena_alloc(c->arena, sizeof *out->ids);
	out->ids[out->n++] = (uint32_t)id;
	return STATUS_OK;
}

/* Those attached to the cgroup itself. */
static int attached_to(struct cmd *c, const struct cgroup *cg, struct source_programs *out)
{
	struct attached *list;
	size_t n;
	if (cgroup_query(c->arena, &c->diags, cg, &list, &n))
		return STATUS_FAILED;
	out->ids = arena_alloc(c->arena, (n + 1) * sizeof *out->ids);
	for (size_t i = 0; i < n; i++)
		out->ids[out->n++] = list[i].id;
	return STATUS_OK;
}

/* The host program among them, and what it does there. */
static int find_host(struct cmd *c, const struct cgroup *cg, struct source_programs *out)
{
	struct hosted *host = arena_alloc(c->arena, sizeof *host);
	struct hosted_here *here = arena_alloc(c->arena, sizeof *here);
	hosted_read(c, host);
	for (size_t i = 0; i < out->n && host->id; i++)
		if (out->ids[i] == host->id)
			out->host = here;
	if (out->host && host->failed) {
		diag_fail(&c->diags, host->hint, "%s", host->failed);
		return STATUS_FAILED;
	}
	return out->host && hosted_at(c->arena, &c->diags, host, cg, here) ? STATUS_FAILED : STATUS_OK;
}

static int by_cgroup(struct cmd *c, const char *text, bool effective, struct source_programs *out)
{
	struct cgroup *cg;
	if (where_open(c, text, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	int status = effective ? cgroup_effective_programs(c->arena, &c->diags, cg, &out->ids, &out->n) ? STATUS_FAILED : STATUS_OK
	                       : attached_to(c, cg, out);
	if (!status)
		status = find_host(c, cg, out);
	if (!status && out->n == (out->host ? 1 : 0)) { /* without one that decides a host program has nothing to open */
		diag_fail(&c->diags, effective ? "every request is allowed there, as far as programs go"
		                               : arena_printf(c->arena, "effective:%s has those above it too", cg->path),
		          "%s has no device program", cg->path);
		status = STATUS_FAILED;
	}
	cgroup_close(cg);
	return status;
}

int source_programs(struct cmd *c, const char *source, struct source_programs *out)
{
	const char *rest = behind(source, "prog:");
	*out = (struct source_programs){.ids = NULL};
	return rest                                ? by_number(c, rest, out)
	       : (rest = behind(source, "cgroup:")) ? by_cgroup(c, rest, false, out)
	                                            : by_cgroup(c, behind(source, "effective:"), true, out);
}

struct functions *source_functions(struct cmd *c)
{
	size_t n;
	const struct dump_field *fields = c->functions ? NULL : decode_fields(c->args, &n);
	if (!c->functions)
		c->functions = functions_new(c->args, fields, n);
	return c->functions;
}

int source_read(struct cmd *c, const char *source, void **bytes, size_t *len)
{
	struct source_programs all;
	int status = source_programs(c, source, &all);
	if (status)
		return status;
	struct dump *list = arena_alloc(c->arena, all.n * sizeof *list);
	for (size_t i = 0; i < all.n; i++)
		if (!(all.host && hosted_is(all.host->host, all.ids[i]) ? hosted_dump(c->arena, all.host, &list[i])
		                                                         : !program_dump(c->arena, &c->diags, source_functions(c), all.ids[i], &list[i])))
			return STATUS_FAILED;
	if (all.host)
		hosted_warn(c, source, all.host);
	*bytes = dumps_write(c->arena, list, all.n, len);
	if (*bytes)
		return STATUS_OK;
	diag_fail(&c->diags, "ask about one of its programs: prog:ID", "%s: its programs and maps take more than %d MiB", source,
	          DUMPS_MAX >> 20);
	return STATUS_FAILED;
}
