/*
 * check.c - everything about a policy that can be known without attaching it:
 * that it compiles, that the program was proven, which devices the names stand
 * for, rules that never decide, what it costs and needs, and as root whether
 * this kernel accepts it.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/containers/guard.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"
#include "policy/asked.h"
#include "policy/raw.h"

#include <string.h>
#include <unistd.h>

enum { OPT_ENGINE = OPT_VERB };
static const struct option options[] = {{"verbose", no_argument, NULL, 'v'}, {"engine", required_argument, NULL, OPT_ENGINE}, OPTION_JSON, OPTION_CLAIMS, OPTION_PARAM,
                                        OPTION_LIMIT, OPTION_UNCONFINED, OPTION_HELP, {0}};

struct report {
	const struct policy *policy;
	const struct image *image;
	const struct unit *unit;
	size_t instructions;  /* of the program and its readers */
	input_set reads;
	const char *inputs;   /* "type, major, uid" */
	const char *helpers;  /* "bpf_get_current_comm", or "" */
	const char *kernel;   /* "5.10" */
	bool verbose;
	const char *locked;   /* how the compilation was locked in */
	const char *not_asked; /* why the kernel was not asked, or NULL */
	unsigned insns, jited; /* as the kernel has it */
	const struct claims_told *claims;   /* of the policy */
	const struct claims_told *of_files; /* by file of --claims */
};

static const char *join(struct arena *a, const char *list, const char *word)
{
	return arena_printf(a, "%s%s%s", list, *list ? ", " : "", word);
}

/* What it reads. */
static const char *inputs_text(struct cmd *c, const struct report *r)
{
	const struct asked *as = policy_asks(r->policy);
	bool comm = false;
	const char *list = "";
	for (int in = 0; in < INPUT_MAX; in++) {
		if (!(r->reads & INPUT(in)))
			continue;
		bool is_comm = in == IN_COMM_0 || in == IN_COMM_1;
		size_t param = (size_t)(in - IN_PARAM_0), asked = param - r->policy->nparams;
		if (in >= IN_PARAM_0 && param < r->policy->nparams)
			list = join(c->arena, list, r->policy->params[param].name);
		else if (in >= IN_PARAM_0 && r->policy->raw && asked < r->policy->raw->nasked)
			list = join(c->arena, list, r->policy->raw->values[r->policy->raw->asked[asked]].name);
		else if (input_is_ask((enum input)in) && (size_t)in - IN_ASK_0 < as->nasks)
			list = join(c->arena, list, as->asks[in - IN_ASK_0].name);
		else if (!is_comm || !comm)
			list = join(c->arena, list, input_name((enum input)in));
		comm |= is_comm;
	}
	return list;
}

static bool is_newer(const struct kernel_need *a, const struct kernel_need *b)
{
	return a->major != b->major ? a->major > b->major : a->minor > b->minor;
}

static void describe_inputs(struct cmd *c, struct report *r)
{
	struct kernel_need needs[KERNEL_NEEDS_MAX], most = KERNEL_OLDEST;
	size_t n = image_needs(r->policy, r->image, r->reads, needs);
	r->inputs = inputs_text(c, r);
	r->instructions = image_instructions(c->arena, r->image);
	r->helpers = "";
	for (size_t i = 0; i < n; i++) {
		r->helpers = join(c->arena, r->helpers, needs[i].what);
		if (is_newer(&needs[i], &most))
			most = needs[i];
	}
	r->kernel = arena_printf(c->arena, "%d.%d", most.major, most.minor);
}

static int ask_kernel(struct cmd *c, struct unit *u, struct report *r)
{
	struct bytes object;
	struct program *program;
	int status = unit_object(c, u, &object);
	r->not_asked = kernel_closed();
	if (status || r->not_asked)
		return status;
	if (unit_who(c, u)) {
		r->not_asked = "see the error";
		return STATUS_FAILED;
	}
	const struct policy *p = u->policy;
	if (policy_decides(p) ? program_load(c->arena, &c->diags, p->name, object.data, object.len, &program)
	                      : program_load_raw(c->arena, &c->diags, p->name, object.data, object.len, p->raw->section, &program))
		return STATUS_FAILED;
	program_size(program, &r->insns, &r->jited);
	program_close(program);
	return STATUS_OK;
}

static void print_notes(const struct policy *p, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->items[i].level != DIAG_NOTE)
			continue;
		fputs("  ", stdout);
		const struct span *at = &d->items[i].at;
		if (at->line > 0 && at->file && strcmp(at->file, p->file)) { /* a file it loaded */
			put_text(stdout, at->file);
			printf(":%d: ", at->line);
		} else if (at->line > 0) {
			printf("line %d: ", at->line);
		}
		put_text(stdout, d->items[i].text);
		putchar('\n');
	}
}

static void print_reads(const struct report *r)
{
	fputs("  reads: ", stdout);
	put_text(stdout, *r->inputs ? r->inputs : "nothing");
	putchar('\n');
}

static void print_raw(const struct raw *raw, const char *outcome)
{
	static const char *const kinds[RAW_MAP_KINDS] = {
		[RAW_TABLE] = "table", [RAW_PERCPU] = "percpu", [RAW_ARRAY] = "array", [RAW_HISTOGRAM] = "histogram", [RAW_RING] = "ring"};
	printf(": %s (raw program, section ", outcome);
	put_text(stdout, raw->section_name);
	puts(")");
	for (size_t i = 0; i < raw->nmaps; i++) {
		if (!kinds[raw->maps[i].kind])
			continue;
		fputs("  map ", stdout);
		put_text(stdout, raw->maps[i].name);
		printf(": %s, %u %s\n", kinds[raw->maps[i].kind], raw->maps[i].entries, raw->maps[i].kind == RAW_RING ? "bytes" : "entries");
	}
}

static void print_report(const struct cmd *c, const struct report *r, const char *outcome)
{
	const struct policy *p = r->policy;
	put_text(stdout, p->name);
	if (p->raw)
		print_raw(p->raw, outcome);
	else
		printf(": %s (%zu rule%s, default %s)\n", outcome, p->nrules, PLURAL(p->nrules), p->default_allow ? "allow" : "deny");
	print_notes(p, &c->diags);
	for (size_t i = 0; i < p->nparams; i++) {
		fputs("  parameter ", stdout);
		put_text(stdout, p->params[i].name);
		printf(": %lld (%lld..%lld)\n", (long long)p->params[i].value,
		       (long long)p->params[i].lo, (long long)p->params[i].hi);
	}
	if (p->audit != AUDIT_NONE || p->mode != MODE_ENFORCE)
		printf("  reports: %s%s\n", audit_words[p->audit],
		       p->mode == MODE_PERMISSIVE ? "; permissive: nothing is denied by it" : "");
	if (p->grants)
		puts("  grants: allowed (`rucy-devguard grant` may open what it denies)");
	claims_print(r->claims, NULL, r->verbose);
	for (size_t i = 0; i < c->claims.n; i++)
		claims_print(&r->of_files[i], claims_name(c, i), r->verbose);
	if (!r->image->ninsns) { /* what runs already is not compiled again */
		print_reads(r);
		return;
	}
	printf("  program: %zu instruction%s, at most %u a %s; proven equal to %s\n", r->instructions, PLURAL(r->instructions),
	       r->image->longest, p->raw ? "run" : "request", p->raw ? "the method" : "the rules");
	print_reads(r);
	printf("  needs: Linux %s%s%s%s\n", r->kernel, *r->helpers ? " (" : "", r->helpers,
	       *r->helpers ? ")" : "");
	names_print(r->unit);
	if (r->verbose)
		printf("  compiled in a process locked in: %s\n", r->locked);
	if (r->not_asked)
		printf("  kernel: not asked (%s)\n", r->not_asked);
	else if (!r->insns)
		puts("  kernel: refused");
	else if (!r->verbose) /* what the kernel makes of it is another with each version */
		puts("  kernel: accepted");
	else if (r->jited)
		printf("  kernel: accepted (%u instructions, %u bytes of machine code)\n", r->insns,
		       r->jited);
	else
		printf("  kernel: accepted (%u instructions, interpreted)\n", r->insns);
}

static void fill_json(const struct report *r, json_t *item)
{
	const struct policy *p = r->policy;
	json_t *params = json_array(), *inputs = json_array();
	for (size_t i = 0; i < p->nparams; i++)
		json_array_append_new(params,
		                      json_pack("{s:o, s:I, s:I, s:I}", "name",
		                                text_json(p->params[i].name), "value",
		                                (json_int_t)p->params[i].value, "lo",
		                                (json_int_t)p->params[i].lo, "hi",
		                                (json_int_t)p->params[i].hi));
	for (const char *s = r->inputs; *s;) {
		size_t len = strcspn(s, ",");
		json_array_append_new(inputs, json_stringn(s, len));
		s += len + (s[len] ? 2 : 0);
	}
	json_t *kernel = r->not_asked ? json_pack("{s:b, s:s}", "asked", 0, "why", r->not_asked)
	                              : json_pack("{s:b, s:b, s:i, s:i}", "asked", 1, "accepted",
	                                          r->insns > 0, "instructions", (int)r->insns,
	                                          "jited_bytes", (int)r->jited);
	json_t *all = json_pack("{s:o, s:I, s:s, s:o, s:I, s:i, s:o, s:s, s:s, s:o}", "policy",
	                        text_json(p->name), "rules", (json_int_t)p->nrules, "default",
	                        p->default_allow ? "allow" : "deny", "parameters", params,
	                        "instructions", (json_int_t)r->instructions, "longest_path",
	                        (int)r->image->longest, "reads", inputs, "needs_linux", r->kernel,
	                        "needs_helpers", r->helpers, "kernel", kernel);
	json_object_set_new(item, "audit", json_string(audit_words[p->audit]));
	json_object_set_new(item, "names", names_json(r->unit));
	json_object_set_new(item, "locked_in", json_string(r->locked));
	json_object_set_new(item, "mode", json_string(mode_words[p->mode]));
	json_object_set_new(item, "grants", json_string(grants_words[p->grants]));
	json_object_update(item, all);
	json_decref(all);
}

struct wishes {
	bool verbose;
	int engine; /* whose hooks read the manifest, or -1 */
};

/* What is known of a policy that was proven. */
static int report_one(struct cmd *c, struct unit *u, const struct wishes *w, json_t *item, json_t *claims)
{
	struct claims_told *of_files = arena_alloc(c->arena, (c->claims.n + 1) * sizeof *of_files);
	struct report r = {.policy = u->policy, .unit = u, .image = &u->image, .reads = u->inputs, .verbose = w->verbose,
	                   .claims = &u->claims, .of_files = of_files,
	                   .locked = c->rooms.unconfined_said ? "NOT whole, see the warning" : room_layers(c->arena, u->kept_uid)};
	describe_inputs(c, &r);
	int status = claims_ask(c, u, of_files);
	unit_end(u);
	if (u->image.ninsns)
		status = worse_status(status, ask_kernel(c, u, &r));
	else
		r.not_asked = "it runs already";
	for (size_t i = 0; claims && i < c->claims.n; i++)
		claims_json(&of_files[i], claims);
	if (c->json.on)
		fill_json(&r, item);
	else
		print_report(c, &r, status ? "failed" : "ok");
	return status;
}

static int check_one(struct cmd *c, const char *path, const void *options, json_t *item)
{
	const struct wishes *w = options;
	struct unit u;
	if (c->json.on)
		json_object_set_new(item, "file", text_json(path));
	if (manifest_named(path) && source_kind(path) == SOURCE_POLICY && c->claims.n)
		return usage_error(c, "write them into the policies that the manifest names", "--claims does not go with a manifest");
	if (manifest_named(path) && source_kind(path) == SOURCE_POLICY)
		return check_manifest(c, path, w->engine, item);
	if (w->engine >= 0)
		return usage_error(c, "it says whose hooks read a manifest (.yaml, .yml)", "--engine does not go with a policy");
	/* what a program that runs already claims is asked of what can be understood of it */
	bool runs = c->claims.n && source_is_kernels(path);
	const struct load how = {.depth = runs ? LOAD_DIAGRAM : LOAD_IMAGE, .lint = true, .keep = c->claims.n, .any_section = !c->claims.n};
	int status = unit_load(c, &c->settings, path, &how, &u);
	json_t *claims = c->json.on ? json_array() : NULL;
	if (claims)
		claims_json(&u.claims, claims);
	if (!status)
		status = report_one(c, &u, w, item, claims);
	if (claims)
		json_object_set_new(item, "claims", claims);
	return status;
}

static int check(struct cmd *c, int argc, char **argv)
{
	struct wishes w = {.engine = -1};
	const char *const *engines;
	size_t n = manifest_engines(&engines);
	int opt;
	while ((opt = options_next(c, argc, argv)) == 'v' || opt == OPT_ENGINE) {
		if (opt == 'v')
			w.verbose = true;
		else if ((w.engine = option_word(c, "--engine", optarg, engines, n)) < 0)
			return c->status;
	}
	if (opt != OPT_END)
		return c->status;
	if (optind == argc)
		return usage_error(c, NULL, "no source given");
	int status = claims_open(c);
	diags_flush(c);
	if (status)
		return status;
	c->json.notes = true;
	return each_policy(c, argc - optind, argv + optind, check_one, &w);
}

const struct verb verb_check = {
	.name = "check",
	.synopsis = "SOURCE|MANIFEST... [--param K=V]... [--claims FILE]... [--engine ENGINE] [--json]",
	.summary = "Compile, prove and lint policies; attach nothing",
	.help = SOURCE_HELP
		"Prints which devices the names of the policy stand for, warns of rules that\n"
		"never decide, and tells what the program costs and needs. As root the kernel's\n"
		"verifier is asked too. Of a manifest (.yaml, .yml) every policy it may choose is\n"
		"checked, and whether the hook will read it: that it is root's alone, and all\n"
		"above it. Of prog:ID, cgroup:CGROUP and effective:CGROUP what the kernel runs is\n"
		"compiled again; with --claims it is asked as it runs.\n\n"
		"  --engine ENGINE   warn of what can never match on docker, containerd, cri-o or\n"
		"                    podman\n"
		"  -v, --verbose     tell also how the compilation was locked in, which claims\n"
		"                    are proven, and the size of what the kernel made of it\n",
	.shorts = ":hv",
	.longs = options,
	.json = true,
	.main = check,
	.usage = "SOURCE|MANIFEST...",
	.example = "echo 'allow :null' | " PROGRAM " check -",
};
