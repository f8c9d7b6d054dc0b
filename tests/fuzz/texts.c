/* texts.c - devices, requests, cases, manifests, options: what people write. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "policy/device.h"
#include "policy/limits.h"
#include "policy/manifest/manifest.h"
#include "policy/names.h"
#include "policy/request.h"
#include "policy/text.h"
#include "policy/cases.h"

/* ---- devices -------------------------------------------------------------------------------- */

static bool same_intervals(const struct interval *x, size_t n, const struct interval *y, size_t m)
{
	for (size_t i = 0; n == m && i < n; i++)
		if (x[i].lo != y[i].lo || x[i].hi != y[i].hi)
			return false;
	return n == m;
}

/* The text of a pattern is that pattern. */
static void same_pattern(struct fuzz *f, const struct pattern *p)
{
	struct pattern q;
	const char *error, *hint, *text = pattern_text(f->arena, p);
	MUST(p->types > 0 && p->types <= 3 && p->nmajors && p->nminors);
	MUST(!pattern_parse(f->arena, &fuzz_host, text, &q, &error, &hint));
	MUST(q.types == p->types && q.access == (p->access ? p->access : ACC_ALL));
	MUST(same_intervals(p->majors, p->nmajors, q.majors, q.nmajors));
	MUST(same_intervals(p->minors, p->nminors, q.minors, q.nminors));
}

void fuzz_device(struct fuzz *f, const unsigned char *data, size_t len)
{
	const char *text = (const char *)data, *error = NULL, *hint = NULL;
	struct pattern p;
	(void)len;
	if (pattern_parse(f->arena, &fuzz_host, text, &p, &error, &hint))
		MUST(error);
	else
		same_pattern(f, &p);
	if (pattern_is_glob(text)) {
		struct pattern *list;
		size_t n;
		MUST(!patterns_matching(f->arena, &fuzz_host, text, &list, &n, &error, &hint) ? n > 0 : error != NULL);
	}
	if (pattern_named(f->arena, &fuzz_host, text, &p, &error, &hint))
		MUST(error);
	else if (p.nmajors)
		same_pattern(f, &p);
}

/* A listing of groups, and the first line's group looked up in it: it is one by its name. */
void fuzz_groups(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct fault fault = {.arena = f->arena};
	const char *newline = memchr(data, '\n', len);
	size_t n = newline ? (size_t)(newline - (const char *)data) : len;
	struct pattern p = {0};
	if (!(n >= 5 && !memcmp(data, "char-", 5)) && !(n >= 6 && !memcmp(data, "block-", 6)))
		return;
	if (device_group(&fault, (struct slice){(const char *)data, n}, (const char *)data + n, &p))
		MUST(fault.error);
	else
		same_pattern(f, &p);
}

/* ---- requests ------------------------------------------------------------------------------- */

/* The text that is kept of a request is that request. */
static void same_request(struct fuzz *f, const struct request *r)
{
	struct request q;
	const char *error, *hint;
	MUST(!request_parse(f->arena, &fuzz_host, r->text, &q, &error, &hint));
	MUST(q.type == r->type && q.major == r->major && q.minor == r->minor && q.access == r->access);
	MUST(q.known == r->known && !memcmp(q.fact, r->fact, sizeof q.fact) && !strcmp(q.text, r->text));
	for (enum input in = IN_UID; in < IN_PARAM_0; in++) {
		int64_t lo, hi;
		input_range(in, &lo, &hi);
		MUST(!(r->known >> in & 1) || (lo <= r->fact[in] && r->fact[in] <= hi));
	}
}

void fuzz_request(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct request r = {0};
	const char *error = NULL, *hint;
	(void)len;
	if (request_parse(f->arena, &fuzz_host, (const char *)data, &r, &error, &hint))
		MUST(error);
	else
		same_request(f, &r);
	r = (struct request){0};
	if (request_fact(f->arena, (const char *)data, &r, &error))
		MUST(error);
}

/* Cases that are printed and read again are the same. */
void fuzz_cases(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct cases cases, again;
	const char *all = "";
	if (cases_parse(&f->diags, "fuzz.cases", (const char *)data, len, &cases)) {
		fuzz_refused(f);
		return;
	}
	for (size_t i = 0; i < cases.n; i++)
		all = arena_printf(f->arena, "%s%s %s\n", all, cases.items[i].allow ? "allow" : "deny",
		                   cases.items[i].request.text);
	MUST(!cases_parse(&f->diags, "fuzz.cases", all, strlen(all), &again) && again.n == cases.n);
	for (size_t i = 0; i < cases.n; i++) {
		const struct request *r = &cases.items[i].request, *q = &again.items[i].request;
		MUST(cases.items[i].allow == again.items[i].allow && r->type == q->type && r->major == q->major &&
		     r->minor == q->minor && r->access == q->access && r->known == q->known &&
		     !memcmp(r->fact, q->fact, sizeof r->fact));
	}
}

/* ---- manifests -------------------------------------------------------------------------------- */

static void ruled(const struct fuzz *f, int failed, const struct ruling *r)
{
	MUST(failed ? f->diags.errors : r->kind == RULING_POLICY ? r->policy && *r->policy : r->kind == RULING_NONE || r->why);
}

void fuzz_manifest(struct fuzz *f, const unsigned char *data, size_t len)
{
	static const struct annotation annotations[] = {{"devguard.policy", "gpu"}, {"a", "1"}, {"run.oci.handler", "x"}};
	struct container who = {.id = "0123456789ab", .name = "web", .image = "docker.io/library/nginx:1",
	                        .cgroup = "/machine.slice/x.scope", .annotations = annotations, .nannotations = 3};
	const struct manifest_entry *entries;
	const struct ruling *variants;
	struct manifest *m;
	struct ruling ruling;
	size_t n;
	if (manifest_read(f->arena, &f->diags, "guard.yaml", (const char *)data, len, &m)) {
		fuzz_refused(f);
		return;
	}
	ruled(f, manifest_choose(f->arena, &f->diags, m, &who, &ruling), &ruling);
	for (size_t i = manifest_entries(m, &entries); i-- > 0;)
		MUST(entries[i].name && entries[i].at.line > 0);
	if (manifest_choose_cgroup(f->arena, m, who.cgroup, &ruling))
		ruled(f, 0, &ruling);
	manifest_variants(f->arena, m, &variants, &n);
	for (size_t i = 0; i < n; i++)
		MUST(variants[i].kind == RULING_POLICY && variants[i].policy);
}

/* ---- options ------------------------------------------------------------------------------------ */

void fuzz_options(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct limits limits = {LIMIT_SECONDS, LIMIT_CPU, LIMIT_MEMORY}, before = limits;
	uint32_t bytes;
	(void)f, (void)len;
	if (!ring_size_parse((const char *)data, &bytes))
		MUST(bytes && !(bytes & (bytes - 1)));
	if (limits_parse((const char *)data, &limits))
		MUST(!memcmp(&limits, &before, sizeof limits)); /* all of it, or nothing */
	else
		MUST(limits.seconds > 0 && limits.cpu > 0 && limits.memory >= 8 << 20);
}
