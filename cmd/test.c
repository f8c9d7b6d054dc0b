/*
 * test.c - runs a policy's cases through every engine there is: mruby itself
 * (the reference), the diagram, the BPF instructions in a simulator, and the
 * kernel. A case passes when all of them give the expected verdict and the first
 * two name the same rule.
 */
#include "cmd/cmd.h"

#include <string.h>

enum { OPT_CASES = OPT_VERB };
static const struct option options[] = {
	{"cases", required_argument, NULL, OPT_CASES}, OPTION_JSON, OPTION_PARAM, OPTION_HELP, {0},
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

struct trial {
	struct cmd *c;
	struct unit unit;
	struct program *program;
	struct probe *probe;
	const char *absent[ENGINES]; /* why an engine takes no part, NULL = it does */
	const struct test_case *now;
	size_t cases, failed, unasked; /* unasked: not put to the kernel */
	const char *unasked_why;
	json_t *results;
};

static const char *cases_path; /* --cases, or NULL: beside the policy */

/* ---- one case -------------------------------------------------------------------- */

static struct answer decided(int failed, const struct decision *d, int missing)
{
	struct answer a = {.decision = *d, .missing = -1};
	a.reply = failed ? REPLY_FAILED : d->allow ? REPLY_ALLOW : REPLY_DENY;
	a.missing = failed ? missing : -1;
	return a;
}

static struct answer ask_bpf(const struct trial *b, const struct request *r)
{
	struct answer a = {.missing = -1};
	struct simulated out;
	if (simulate(b->unit.policy, &b->unit.image, r, &out, &a.missing, &a.why))
		a.reply = REPLY_FAILED;
	else
		a.reply = out.allow ? REPLY_ALLOW : REPLY_DENY;
	if (a.reply != REPLY_FAILED && out.reported && out.event.rule)
		a.decision.rule = &b->unit.policy->rules[out.event.rule - 1];
	a.decision.error = out.reported && out.event.flags & EVENT_ERROR;
	a.names_rule = a.reply != REPLY_FAILED && out.reported;
	return a;
}

static struct answer ask_kernel(struct trial *b, const struct request *r)
{
	static const enum reply replies[] = {[PROBE_DENY] = REPLY_DENY,
	                                     [PROBE_ALLOW] = REPLY_ALLOW,
	                                     [PROBE_SKIPPED] = REPLY_SKIPPED,
	                                     [PROBE_FAILED] = REPLY_FAILED};
	struct answer a = {.missing = -1};
	a.reply = replies[probe_ask(b->probe, r, &a.why)];
	if (a.reply == REPLY_SKIPPED) {
		b->unasked++;
		b->unasked_why = a.why;
	}
	return a;
}

static struct answer ask(struct trial *b, enum engine e, const struct request *r)
{
	const struct policy *p = b->unit.policy;
	struct decision d = {0};
	int missing = -1;
	if (b->absent[e])
		return (struct answer){.reply = REPLY_SKIPPED, .why = b->absent[e], .missing = -1};
	if (e == RUBY)
		return decided(ruby_decide(b->c->ruby, p, r, &d, &missing), &d, missing);
	if (e == DIAGRAM)
		return decided(policy_decide(p, &b->unit.diagram, r, &d, &missing), &d, missing);
	return e == BPF ? ask_bpf(b, r) : ask_kernel(b, r);
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

/* 0 when the case passes; else the diagnostic is added. */
static int judge(struct trial *b, const struct answer *answers)
{
	const struct test_case *t = b->now;
	enum reply want = t->allow ? REPLY_ALLOW : REPLY_DENY;
	bool wrong = false, differ = false;
	const struct answer *first = NULL;
	for (int e = 0; e < ENGINES; e++) {
		const struct answer *x = &answers[e];
		if (x->missing >= 0)
			return missing_fact(b->c, b->unit.policy, t->at, t->request.text, x->missing), -1;
		if (x->reply == REPLY_SKIPPED)
			continue;
		wrong |= x->reply != want;
		differ |= first && first->reply != x->reply;
		first = first ? first : x;
	}
	if (!wrong && same_decider(&answers[RUBY], &answers[DIAGRAM]) &&
	    (!answers[BPF].names_rule || same_decider(&answers[DIAGRAM], &answers[BPF])))
		return 0;
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
		         decider_text(b->c->arena, b->unit.policy,
		                      &answers[DIAGRAM].decision));
	return -1;
}

static json_t *case_json(struct trial *b, const struct answer *answers, bool passed)
{
	json_t *got = json_object();
	for (int e = 0; e < ENGINES; e++)
		json_object_set_new(got, engine_names[e],
		                    json_string(reply_names[answers[e].reply]));
	json_t *o = json_pack("{s:i, s:o, s:s, s:b, s:o}", "line", b->now->at.line, "request",
	                      text_json(b->now->request.text), "expected",
	                      b->now->allow ? "allow" : "deny", "passed", passed, "got", got);
	if (answers[DIAGRAM].reply <= REPLY_ALLOW)
		json_object_set_new(o, "by", decider_json(b->unit.policy,
		                                          &answers[DIAGRAM].decision));
	return o;
}

static void run_case(struct trial *b, const struct test_case *t)
{
	struct answer answers[ENGINES];
	b->now = t;
	for (int e = 0; e < ENGINES; e++)
		answers[e] = ask(b, (enum engine)e, &t->request);
	int failed = judge(b, answers);
	b->cases++;
	b->failed += failed != 0;
	if (b->results)
		json_array_append_new(b->results, case_json(b, answers, !failed));
}

/* ---- a policy and its cases ---------------------------------------------------------- */

static int read_cases(struct cmd *c, const char *policy, struct cases *out)
{
	const char *path = cases_path;
	struct document *in;
	if (!path && strcmp(policy, "-") == 0)
		return usage_error(c, "name them with --cases FILE",
		                   "a policy from stdin has no cases beside it");
	if (path && strcmp(path, "-") == 0 && strcmp(policy, "-") == 0)
		return usage_error(c, NULL, "policy and cases cannot both be stdin");
	if (!path) {
		const char *slash = strrchr(policy, '/'), *dot = strrchr(policy, '.');
		size_t len = dot && dot > (slash ? slash + 1 : policy) ? (size_t)(dot - policy)
		                                                       : strlen(policy);
		path = arena_printf(c->arena, "%.*s.cases", (int)len, policy);
	}
	int status = input_read(c, path, INPUT_CASES, &in);
	if (status)
		return status;
	return cases_parse(&c->diags, in->file, in->text, in->len, out) ? STATUS_FAILED
	                                                                : STATUS_OK;
}

/* The policy's verdicts and nothing else, for the kernel: a test ignores the mode, and a
 * denial must not look like an answer of the device. */
static int verdicts_only(struct cmd *c, const struct unit *u, struct unit *out)
{
	struct policy *p = arena_alloc(c->arena, sizeof *p);
	*out = *u;
	if (!policy_has_tail(u->policy))
		return STATUS_OK;
	*p = *u->policy;
	p->audit = AUDIT_NONE;
	p->mode = MODE_ENFORCE;
	p->rules = arena_alloc(c->arena, p->nrules * sizeof *p->rules);
	for (size_t i = 0; i < p->nrules; i++) {
		p->rules[i] = u->policy->rules[i];
		p->rules[i].error = 0;
	}
	*out = (struct unit){.policy = p};
	return emit_policy(p, &c->diags, &out->diagram, &out->image) ? STATUS_REFUSED : STATUS_OK;
}

static int open_kernel(struct trial *b)
{
	struct cmd *c = b->c;
	struct bytes object;
	struct unit plain;
	b->absent[KERNEL] = probe_closed(c->arena);
	if (b->absent[KERNEL])
		return STATUS_OK;
	int status = verdicts_only(c, &b->unit, &plain);
	if (!status)
		status = unit_object(c, &plain, &object);
	if (status)
		return status;
	if (program_load(c->arena, &c->diags, b->unit.policy->name, object.data, object.len,
	                 &b->program) ||
	    probe_open(c->arena, &c->diags, b->program, &b->probe))
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
		                      (json_int_t)b->cases, "failed", (json_int_t)b->failed,
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
	printf(": %zu case%s, %d engine%s, %zu failed", b->cases, PLURAL(b->cases), engines,
	       PLURAL(engines), b->failed);
	for (int e = 0; e < ENGINES; e++)
		if (b->absent[e])
			printf(" (%s skipped: %s)", engine_names[e], b->absent[e]);
	if (b->unasked)
		printf(" (%zu not put to the kernel: %s)", b->unasked, b->unasked_why);
	putchar('\n');
}

static int test_one(struct cmd *c, const char *path, json_t *item)
{
	struct trial b = {.c = c, .results = item ? json_array() : NULL};
	struct cases cases = {0};
	if (item)
		json_object_set_new(item, "file", text_json(path));
	int status = unit_load(c, path, LOAD_IMAGE, &b.unit);
	if (!status)
		status = read_cases(c, path, &cases);
	if (!status)
		status = open_kernel(&b);
	if (!c->ruby)
		b.absent[RUBY] = "an object has no Ruby";
	for (size_t i = 0; !status && i < cases.n; i++)
		run_case(&b, &cases.items[i]);
	close_kernel(&b);
	if (status) {
		json_decref(b.results);
		return status;
	}
	diags_flush(c);
	summarize(&b, item);
	return b.failed ? STATUS_DENY : STATUS_OK;
}

static int test(struct cmd *c, int argc, char **argv)
{
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		cases_path = optarg;
	}
	if (optind == argc)
		return usage_error(c, NULL, "no policy given");
	c->quiet = true;
	return each_policy(c, argc - optind, argv + optind, test_one);
}

const struct verb verb_test = {
	.name = "test",
	.synopsis = "POLICY... [--cases FILE] [--param K=V]... [--json]",
	.summary = "Run a policy's cases through mruby, the diagram, a BPF simulator and the kernel",
	.help = "The cases of NAME.rb are in NAME.cases beside it, one a line: `allow c 1:3 rw` or\n"
		"`deny b 8:0 r uid=1000`; # starts a comment. The kernel is asked as root only, in a\n"
		"scratch cgroup. Exit status 2 when a case fails.\n\n"
		"  --cases FILE      these cases instead\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = test,
};
