/*
 * source.c - a SOURCE by its words: a policy, a list of another tool, or programs of the kernel, by number or by
 * the cgroup they are attached to.
 *
 * The word before the first colon says what it is. A path with a colon is a policy, unless it begins with such a
 * word: then ./ goes before it.
 */
#include "cmd/source.h"
#include "cgroup/cgroup.h"
#include "cgroup/dump.h"
#include "cmd/cmd.h"
#include "cmd/foreign.h"
#include "cmd/where/where.h"

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

/* The numbers of the programs. */
struct numbers { uint32_t *list; size_t n, cap; };

static int by_number(struct cmd *c, const char *text, struct numbers *out)
{
	char *end;
	errno = 0;
	unsigned long id = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !id || id > UINT32_MAX)
		return usage_error(c, "for example prog:42; list shows the numbers", "prog:%s: a program is named by its number", text);
	*ARENA_PUSH(c->arena, out->list, out->n, out->cap) = (uint32_t)id;
	return STATUS_OK;
}

/* Those attached to the cgroup itself. */
static int attached_to(struct cmd *c, const struct cgroup *cg, struct numbers *out)
{
	struct attached *list;
	size_t n;
	if (cgroup_query(c->arena, &c->diags, cg, &list, &n))
		return STATUS_FAILED;
	for (size_t i = 0; i < n; i++)
		*ARENA_PUSH(c->arena, out->list, out->n, out->cap) = list[i].id;
	return STATUS_OK;
}

static int by_cgroup(struct cmd *c, const char *text, bool effective, struct numbers *out)
{
	struct cgroup *cg;
	if (where_open(c, text, WHERE_LOOK, &cg))
		return STATUS_FAILED;
	int status = effective ? cgroup_effective_programs(c->arena, &c->diags, cg, &out->list, &out->n) ? STATUS_FAILED : STATUS_OK
	                       : attached_to(c, cg, out);
	if (!status && !out->n) {
		diag_fail(&c->diags, effective ? "every request is allowed there, as far as programs go"
		                               : arena_printf(c->arena, "effective:%s has those above it too", cg->path),
		          "%s has no device program", cg->path);
		status = STATUS_FAILED;
	}
	cgroup_close(cg);
	return status;
}

int source_programs(struct cmd *c, const char *source, uint32_t **ids, size_t *n)
{
	struct numbers all = {.list = NULL};
	const char *rest = behind(source, "prog:");
	int status = rest                                ? by_number(c, rest, &all)
	             : (rest = behind(source, "cgroup:")) ? by_cgroup(c, rest, false, &all)
	                                                  : by_cgroup(c, behind(source, "effective:"), true, &all);
	*ids = all.list;
	*n = all.n;
	return status;
}

int source_read(struct cmd *c, const char *source, void **bytes, size_t *len)
{
	uint32_t *ids;
	size_t n;
	int status = source_programs(c, source, &ids, &n);
	if (status)
		return status;
	struct dump *list = arena_alloc(c->arena, n * sizeof *list);
	if (!c->functions)
		c->functions = functions_new(c->args);
	for (size_t i = 0; i < n; i++)
		if (program_dump(c->arena, &c->diags, c->functions, ids[i], &list[i]))
			return STATUS_FAILED;
	*bytes = dumps_write(c->arena, list, n, len);
	if (*bytes)
		return STATUS_OK;
	diag_fail(&c->diags, "ask about one of its programs: prog:ID", "%s: its programs and maps take more than %d MiB", source,
	          DUMPS_MAX >> 20);
	return STATUS_FAILED;
}
