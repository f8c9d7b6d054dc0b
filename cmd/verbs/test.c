/*
 * test.c - runs a policy's cases through every engine there is: mruby itself
 * (the reference), the diagram, the BPF instructions in a simulator, and the
 * kernel. A case passes when all of them give the expected verdict and the first
 * two name the same rule.
 */
#include "cmd/asked.h"
#include "cmd/cmd.h"
#include "cmd/coverage.h"
#include "cmd/hosted/hosted.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"
#include "policy/raw.h"
#include "policy/cases.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { OPT_CASES = OPT_VERB, OPT_COVERAGE, OPT_COMPLETE };
static const struct option options[] = {
	{"cases", required_argument, NULL, OPT_CASES}, {"coverage", no_argument, NULL, OPT_COVERAGE},
	{"complete", no_argument, NULL, OPT_COMPLETE}, {"output", required_argument, NULL, 'o'}, OPTION_JSON, OPTION_PARAM, OPTION_LIMIT,
	OPTION_UNCONFINED, OPTION_HELP, {0},
};

enum engine { RUBY, DIAGRAM, BPF, KERNEL, ENGINES };
static const char *const engine_names[ENGINES] = {"mruby", "diagram", "bpf", "kernel"};

enum reply { REPLY_DENY, REPLY_ALLOW, REPLY_SKIPPED, REPLY_FAILED };
static const char *const reply_names[] = {"deny", "allow", "skipped", "failed"};

struct answer {
	enum reply reply;
	const char *why; /* skipped, failed */
	struct decision decision; /* RUBY and DIAGRAM; BPF when it reports */
	bool names_rule;          /* BPF: it reports */
	int missing;              /* the fact that was missing, -1 = none */
};

/* The command line. */
struct wish {
	const char *cases, *output; /* or NULL */
	bool coverage, complete;
};

struct trial {
	struct cmd *c;
	const struct wish *wish;
	struct document *text; /* the cases as they were written; NULL: there are none yet */
	struct unit unit;
	struct program *program;
	struct probe *probe;
	const char *absent[ENGINES]; /* why an engine takes no part, NULL = it does */
	struct cases cases;
	struct verdict *ruby;        /* of mruby, one a case */
	struct verdict_pair *judged; /* of diagram and program */
	const struct test_case *now;
	size_t asked, failed;
	struct unasked { const char *why; size_t n; } *unasked; /* not put to the kernel, by their reasons */
	size_t nunasked, unasked_cap;
	json_t *results;
};

/* ---- one case -------------------------------------------------------------------- */

/* What an engine in the room said. */
static struct answer of_verdict(struct trial *b, const struct verdict *v)
{
	struct answer a = {.missing = -1};
	if (!verdict_decision(b->c, b->unit.policy, v, &a.decision)) {
		a.reply = REPLY_FAILED;
		a.why = "it did not answer";
		return a;
	}
	a.reply = v->status ? REPLY_FAILED : v->allow ? REPLY_ALLOW : REPLY_DENY;
	a.missing = v->status == VERDICT_MISSING ? v->missing : -1;
	if (v->status == VERDICT_FAILED && *v->text)
		a.why = arena_strndup(b->c->arena, v->text, strnlen(v->text, VERDICT_TEXT));
	a.names_rule = !v->status && v->reported;
	return a;
}

/* The reason, which lasts longer than the probe does. */
static const char *count_unasked(struct trial *b, const char *why)
{
	struct unasked *u = b->unasked;
	while (u < b->unasked + b->nunasked && strcmp(u->why, why))
		u++;
	if (u == b->unasked + b->nunasked) {
		u = ARENA_PUSH(b->c->arena, b->unasked, b->nunasked, b->unasked_cap);
		*u = (struct unasked){arena_strdup(b->c->arena, why), 0};
	}
	u->n++;
	return u->why;
}

static struct answer ask_kernel(struct trial *b, const struct request *r)
{
	static const enum reply replies[] = {[PROBE_DENY] = REPLY_DENY,
	                                     [PROBE_ALLOW] = REPLY_ALLOW,
	                                     [PROBE_SKIPPED] = REPLY_SKIPPED,
	                                     [PROBE_FAILED] = REPLY_FAILED};
	struct answer a = {.missing = -1};
	if (r->nmore) { /* its maps are empty there, and hold what others do */
		a.why = "nobody can tell it what maps hold";
		a.reply = REPLY_SKIPPED;
	} else {
		a.reply = replies[probe_ask(b->probe, r, &a.why)];
	}
	if (a.reply == REPLY_SKIPPED)
		a.why = count_unasked(b, a.why);
	return a;
}

static struct answer ask(struct trial *b, enum engine e, size_t i)
{
	if (b->absent[e])
		return (struct answer){.reply = REPLY_SKIPPED, .why = b->absent[e], .missing = -1};
	if (e == KERNEL)
		return ask_kernel(b, &b->cases.items[i].request);
	return of_verdict(b, e == RUBY ? &b->ruby[i] : e == DIAGRAM ? &b->judged[i].diagram : &b->judged[i].bpf);
}

/* "mruby allow (policy.rb:3), diagram deny (policy.rb:7), bpf deny" */
static const char *answers_text(struct trial *b, const struct answer *answers)
{
	struct arena *a = b->c->arena;
	const char *text = "";
	for (int e = 0; e < ENGINES; e++) {
		if (answers[e].reply == REPLY_SKIPPED)
			continue;
		const char *by = "";
		if ((e <= DIAGRAM || answers[e].names_rule) && answers[e].reply != REPLY_FAILED)
			by = arena_printf(a, " (%s)", decider_text(a, b->unit.policy,
			                                           &answers[e].decision));
		else if (answers[e].reply == REPLY_FAILED && answers[e].why)
			by = arena_printf(a, " (%s)", answers[e].why);
		text = arena_printf(a, "%s%s%s %s%s", text, *text ? ", " : "", engine_names[e],
		                    reply_names[answers[e].reply], by);
	}
	return text;
}

static bool same_decider(const struct answer *x, const struct answer *y)
{
	if (x->reply > REPLY_ALLOW || y->reply > REPLY_ALLOW)
		return true;
	return x->decision.rule == y->decision.rule && x->decision.error == y->decision.error;
}

enum { FAILURES_SHOWN = 500 }; /* the others are counted, and with --json among the results */

/* 0 when the case passes; else the diagnostic is added. */
static int judge(struct trial *b, const struct answer *answers)
{
	const struct test_case *t = b->now;
	enum reply want = t->allow ? REPLY_ALLOW : REPLY_DENY;
	bool wrong = false, differ = false;
	const struct answer *first = NULL;
	for (int e = 0; e < ENGINES; e++) {
		const struct answer *x = &answers[e];
		if (x->missing >= 0 && b->failed >= FAILURES_SHOWN)
			return -1;
		if (x->missing >= 0)
			return missing_fact(b->c, b->unit.policy, t->at, t->request.text, x->missing,
			                    e == KERNEL || !b->judged ? 0 : b->judged[t - b->cases.items].open), -1;
		if (x->reply == REPLY_SKIPPED)
			continue;
		wrong |= x->reply != want;
		differ |= first && first->reply != x->reply;
		first = first ? first : x;
	}
	if (!first) {
		diag_add(&b->c->diags, DIAG_ERROR, t->at, "leave it out, or ask as a process that can be", "%s: the kernel cannot be asked that: %s",
		         t->request.text, answers[KERNEL].why);
		return -1;
	}
	if (!wrong && same_decider(&answers[RUBY], &answers[DIAGRAM]) &&
	    (!answers[BPF].names_rule || same_decider(&answers[DIAGRAM], &answers[BPF])))
		return 0;
	if (b->failed >= FAILURES_SHOWN)
		return -1;
	const char *said = answers_text(b, answers);
	if (!wrong)
		diag_add(&b->c->diags, DIAG_ERROR, t->at,
		         "this is a fault of " PROGRAM ": please report it with the policy",
		         "%s: the engines disagree on the rule: %s", t->request.text, said);
	else if (differ)
		diag_add(&b->c->diags, DIAG_ERROR, t->at,
		         "this is a fault of " PROGRAM ", or another program decides here too",
		         "%s: expected %s, but the engines differ: %s", t->request.text,
		         reply_names[want], said);
	else
		diag_add(&b->c->diags, DIAG_ERROR, t->at, "correct the rule that decided, or the case",
		         "%s: expected %s, got %s from %s", t->request.text, reply_names[want],
		         reply_names[first->reply],
		         first == &answers[KERNEL] ? ASKED : decider_text(b->c->arena, b->unit.policy,
		                                                          &answers[DIAGRAM].decision));
	return -1;
}

static json_t *case_json(struct trial *b, const struct answer *answers, bool passed)
{
	json_t *got = json_object(), *skipped = json_object();
	for (int e = 0; e < ENGINES; e++) {
		json_object_set_new(got, engine_names[e], json_string(reply_names[answers[e].reply]));
		if (answers[e].reply == REPLY_SKIPPED)
			json_object_set_new(skipped, engine_names[e], text_json(answers[e].why));
	}
	json_t *o = json_pack("{s:i, s:o, s:s, s:b, s:o}", "line", b->now->at.line, "request",
	                      text_json(b->now->request.text), "expected",
	                      b->now->allow ? "allow" : "deny", "passed", passed, "got", got);
	if (answers[DIAGRAM].reply <= REPLY_ALLOW)
		json_object_set_new(o, "by", decider_json(b->unit.policy,
		                                          &answers[DIAGRAM].decision));
	if (json_object_size(skipped))
		json_object_set(o, "skipped", skipped);
	json_decref(skipped);
	return o;
}

static void run_case(struct trial *b, size_t i)
{
	struct answer answers[ENGINES];
	b->now = &b->cases.items[i];
	for (int e = 0; e < ENGINES; e++)
		answers[e] = ask(b, (enum engine)e, i);
	int failed = judge(b, answers);
	b->asked++;
	b->failed += failed != 0;
	if (b->results)
		json_array_append_new(b->results, case_json(b, answers, !failed));
}

/* ---- a policy and its cases ---------------------------------------------------------- */

/* Has it no line but blank ones and comments? */
static bool is_empty(const struct document *in)
{
	for (const char *at = in->text, *end = in->text + in->len; at < end; at++) {
		at += strspn(at, " \t\r\n");
		if (at < end && *at != '#')
			return false;
		const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
		at = newline ? newline : end;
	}
	return true;
}

/* --cases, or those beside the policy. To be completed they need not be there yet. */
static int read_cases(struct trial *b, const char *policy)
{
	struct cmd *c = b->c;
	const char *path = b->wish->cases;
	bool complete = b->wish->complete;
	struct document *in;
	const char *source = policy;
	policy = source_file(c->arena, source);
	if (!path && complete && (!policy || strcmp(policy, "-") == 0))
		return STATUS_OK;
	if (!path && !policy)
		return usage_error(c, "name them with --cases FILE", "%s: no file, and so no cases beside it", source);
	if (!path && strcmp(policy, "-") == 0)
		return usage_error(c, "name them with --cases FILE",
		                   "a policy from stdin has no cases beside it");
	if (path && policy && strcmp(path, "-") == 0 && strcmp(policy, "-") == 0)
		return usage_error(c, NULL, "policy and cases cannot both be stdin");
	if (!path) {
		const char *slash = strrchr(policy, '/'), *dot = strrchr(policy, '.');
		size_t len = dot && dot > (slash ? slash + 1 : policy) ? (size_t)(dot - policy)
		                                                       : strlen(policy);
		path = arena_printf(c->arena, "%.*s.cases", (int)len, policy);
		if (complete && access(path, F_OK) != 0 && errno == ENOENT)
			return STATUS_OK;
	}
	int status = input_read(c, path, INPUT_CASES, &in);
	if (status)
		return status;
	b->text = in;
	if (complete && is_empty(in))
		return STATUS_OK;
	return cases_parse(&c->diags, in->file, in->text, in->len, &b->cases) ? STATUS_FAILED : STATUS_OK;
}

static int open_kernel(struct trial *b)
{
	struct cmd *c = b->c;
	struct bytes object;
	struct unit plain;
	b->absent[KERNEL] = b->probe ? NULL : probe_closed(c->arena);
	if (b->absent[KERNEL] || b->probe)
		return STATUS_OK;
	int status = STATUS_OK;
	plain = b->unit;
	if (policy_has_tail(b->unit.policy))
		status = unit_plain(c, &b->unit, &plain);
	if (!status)
		status = unit_object(c, &plain, &object);
	if (status)
		return status;
	if (program_load(c->arena, &c->diags, b->unit.policy->name, object.data, object.len,
	                 &b->program) ||
	    hosted_unbelieved(c) || probe_open(c->arena, &c->diags, b->program, &b->probe))
		return STATUS_FAILED;
	return STATUS_OK;
}

static void close_kernel(struct trial *b)
{
	if (b->probe)
		probe_close(b->probe);
	if (b->program)
		program_close(b->program);
}

static void summarize(const struct trial *b, json_t *item)
{
	int engines = 0;
	for (int e = 0; e < ENGINES; e++)
		engines += !b->absent[e];
	if (item) {
		json_t *o = json_pack("{s:o, s:I, s:I, s:i, s:o}", "policy",
		                      text_json(b->unit.policy->name), "cases",
		                      (json_int_t)b->asked, "failed", (json_int_t)b->failed,
		                      "engines", engines, "results", b->results);
		json_t *absent = json_object();
		for (int e = 0; e < ENGINES; e++)
			if (b->absent[e])
				json_object_set_new(absent, engine_names[e],
				                    text_json(b->absent[e]));
		json_object_set_new(o, "skipped", absent);
		json_object_update(item, o);
		json_decref(o);
		return;
	}
	put_text(stdout, b->unit.policy->name);
	printf(": %zu case%s, %d engine%s, %zu failed", b->asked, PLURAL(b->asked), engines,
	       PLURAL(engines), b->failed);
	for (int e = 0; e < ENGINES; e++)
		if (b->absent[e])
			printf(" (%s skipped: %s)", engine_names[e], b->absent[e]);
	for (const struct unasked *u = b->unasked; u < b->unasked + b->nunasked; u++)
		printf(" (%zu not put to the kernel: %s)", u->n, u->why);
	putchar('\n');
}

/* What cannot be read: the kernel alone answers. */
static int ask_only_kernel(struct trial *b, const char *source)
{
	struct policy *p = arena_alloc(b->c->arena, sizeof *p);
	*p = (struct policy){.name = source, .file = source};
	b->unit = (struct unit){.policy = p};
	for (int e = 0; e < KERNEL; e++)
		b->absent[e] = "the kernel does not show its instructions";
	int status = asked_open(b->c, source, &b->probe);
	if (!status)
		asked_say(b->c, source);
	return status;
}

/* The policy with what mruby says to the cases, and what its program says. */
static int load_and_ask(struct trial *b, const char *path)
{
	struct cmd *c = b->c;
	size_t n = b->cases.n;
	struct request_record *requests = arena_alloc(c->arena, n * sizeof *requests);
	b->ruby = arena_alloc(c->arena, n * sizeof *b->ruby);
	b->judged = arena_alloc(c->arena, n * sizeof *b->judged);
	for (size_t i = 0; i < n; i++)
		requests[i] = request_record(&b->cases.items[i].request);
	struct ruby_ask ask = {requests, b->ruby, n};
	struct diags kept = c->diags;
	int status = unit_load(c, &c->settings, path, &(struct load){.depth = LOAD_IMAGE, .keep = true, .ask = &ask}, &b->unit);
	bool covers = b->wish->coverage || b->wish->complete; /* needs to see the instructions */
	if (status == STATUS_FAILED && !covers && asked_needed(c, path)) {
		c->diags = kept;
		return ask_only_kernel(b, path);
	}
	if (!status && covers && b->unit.policy->raw && b->unit.policy->raw->nasked) {
		diag_add(&c->diags, DIAG_ERROR, b->unit.policy->raw->at, "leave --coverage and --complete out: the cases themselves are tested",
		         "what cases cover is not known of a program that decides by what its maps hold");
		status = STATUS_REFUSED;
	}
	for (size_t i = 0; !status && i < n; i++)
		if (!more_fits(c, b->unit.policy, b->cases.items[i].at, &b->cases.items[i].request))
			status = STATUS_REFUSED;
	return status ? status : unit_ask(c, &b->unit, requests, n, b->judged);
}

/* What the cases cover, told; or the cases that are missing, written. */
static int cover(struct trial *b, const char *path, json_t *item)
{
	struct cmd *c = b->c;
	struct covered v;
	struct output out;
	int status = unit_coverage(c, &b->unit, &b->cases, &v);
	if (status)
		return status;
	if (item)
		json_object_set_new(item, "coverage", coverage_json(c->arena, &v));
	else if (b->wish->coverage)
		coverage_print(c->arena, &v);
	if (!b->wish->complete)
		return STATUS_OK;
	if (output_open(c, b->wish->output, OUTPUT_TEXT, &out))
		return STATUS_FAILED;
	bool before = b->wish->output && b->text && b->text->len;
	if (before)
		fwrite(b->text->text, 1, b->text->len, out.file);
	if (before && b->text->text[b->text->len - 1] != '\n')
		putc('\n', out.file);
	if (v.ncases)
		coverage_write(out.file, c->arena, &v, path, !b->text || !b->text->len);
	return output_close(c, &out) ? STATUS_FAILED : STATUS_OK;
}

static int test_one(struct cmd *c, const char *path, const void *wish, json_t *item)
{
	struct trial b = {.c = c, .wish = wish, .results = item ? json_array() : NULL};
	if (item)
		json_object_set_new(item, "file", text_json(path));
	int unread = read_cases(&b, path), status = STATUS_OK;
	if (unread != STATUS_USAGE)
		status = load_and_ask(&b, path);
	status = unread && !status ? unread : status;
	if (!status && b.cases.n)
		status = open_kernel(&b);
	if (b.unit.instead)
		b.absent[RUBY] = arena_printf(c->arena, "%s has no Ruby", b.unit.instead);
	for (size_t i = 0; !status && i < b.cases.n; i++)
		run_case(&b, i);
	close_kernel(&b);
	if (b.failed > FAILURES_SHOWN)
		diag_add(&c->diags, DIAG_ERROR, (struct span){.file = b.cases.items[0].at.file}, NULL, "%zu more cases failed that are not shown",
		         b.failed - FAILURES_SHOWN);
	if (status) {
		json_decref(b.results);
		return status;
	}
	diags_flush(c);
	if (!b.wish->complete)
		summarize(&b, item);
	if (b.wish->coverage || (b.wish->complete && !b.failed))
		status = cover(&b, path, item);
	return status ? status : b.failed ? STATUS_DENY : STATUS_OK;
}

static int test(struct cmd *c, int argc, char **argv)
{
	struct wish w = {0};
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		w.coverage |= opt == OPT_COVERAGE;
		w.complete |= opt == OPT_COMPLETE;
		w.cases = opt == OPT_CASES ? optarg : w.cases;
		w.output = opt == 'o' ? optarg : w.output;
	}
	if (optind == argc)
		return usage_error(c, NULL, "no source given");
	if (w.complete && (w.coverage || c->json.on))
		return usage_error(c, NULL, "--complete writes cases: leave %s out", w.coverage ? "--coverage" : "--json");
	if (w.complete && argc - optind > 1)
		return usage_error(c, NULL, "--complete writes the cases of one source");
	if (w.output && !w.complete)
		return usage_error(c, NULL, "-o is for --complete");
	c->quiet = true;
	return each_policy(c, argc - optind, argv + optind, test_one, &w);
}

const struct verb verb_test = {
	.name = "test",
	.synopsis = "SOURCE... [--cases FILE] [--coverage | --complete [-o FILE]] [--param K=V]... [--json]",
	.summary = "Put a policy's cases to mruby, the diagram, a BPF simulator and the kernel",
	.help = SOURCE_HELP
		"The cases of NAME.rb are in NAME.cases beside it, one a line: `allow c 1:3 rw`\n"
		"or `deny b 8:0 r uid=1000`, or of ranges: `deny b 8:0-15 w` is sixteen cases; #\n"
		"starts a comment. The kernel is asked as root only, in a scratch cgroup. Exit\n"
		"status 2 when a case fails.\n\n"
		REQUEST_FACTS
		"  --cases FILE      these cases instead\n"
		"  --coverage        also tell what no case covers: which change of which line\n"
		"                    would go unnoticed\n"
		"  --complete        write the cases that are missing, of which none can be left\n"
		"                    out\n"
		"  -o, --output FILE with --complete: the cases there are, and behind them the\n"
		"                    missing ones\n",
	.shorts = ":ho:",
	.longs = options,
	.json = true,
	.main = test,
	.usage = "SOURCE... [--cases FILE]",
	.example = "echo 'allow :null' | " PROGRAM " test - --cases <(echo 'allow c 1:3 rw')",
};
