/*
 * verify.c - is what the kernel runs on a cgroup this very policy?
 *
 * The program is read back and decoded (in the room), and its verdicts compared with the policy's: as functions of
 * every request. What a verdict does not show (errnos, reports, what a permissive policy would deny) is told
 * by the kernel's tag of the instructions: the policy's own program is loaded for a moment, and has
 * the same one. The values in the program (mode, audit, parameters) are those that it runs with.
 */
#include "cgroup/cgroup.h"
#include "cgroup/dump.h"
#include "cmd/cmd.h"
#include "cmd/names_now.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/proof.h"
#include "cmd/where/where.h"
#include "policy/known.h"

#include <endian.h>
#include <string.h>

static const struct option options[] = {OPTION_PARAM, OPTION_LIMIT, OPTION_UNCONFINED, OPTION_MODE, OPTION_AUDIT, OPTION_SELF,
                                        OPTION_UNIT, OPTION_JSON, OPTION_HELP, {0}};

enum { TRIES = 4, LINE_DIFFERENCES = 3 };

struct check {
	struct cmd *c;
	struct unit *u;
	struct cgroup *cg;
	const char *name;
	struct attached at;      /* id 0: it is not there */
	struct dump dump;
	struct image_header header;
	int64_t *params;
	struct verified seen;
	struct request witness;
	char tag[17];            /* of the policy's program, "" where it could not be loaded */
	const char *untagged;    /* then: why */
	enum dump_places places; /* of maps that it and the policy's program reach for */
	const char **differences;
	size_t n, cap;
	const char *unknown;     /* why it cannot be told, or NULL */
};

static void differs(struct check *k, const char *text)
{
	*ARENA_PUSH(k->c->arena, k->differences, k->n, k->cap) = text;
}

/* ---- what is there -------------------------------------------------------------------------------- */

/* The program of that name. More than one of them, or none, is a difference. STATUS_OK or a status. */
static int find(struct check *k)
{
	struct cmd *c = k->c;
	struct attached *list;
	size_t n, found = 0;
	const struct attached *unreadable = NULL;
	k->at = (struct attached){.id = 0};
	k->n = 0;
	if (cgroup_query(c->arena, &c->diags, k->cg, &list, &n))
		return STATUS_FAILED;
	for (size_t i = 0; i < n; i++) {
		if (list[i].ours && !strcmp(list[i].name, k->name) && !found++)
			k->at = list[i];
		if (list[i].unreadable)
			unreadable = &list[i];
	}
	if (unreadable && !found) {
		diag_fail(&c->diags, error_hint(c->arena, unreadable->unreadable, "see the kernel log"),
		          "cannot tell whose program %u on %s is: %s", unreadable->id, k->cg->path, strerror(unreadable->unreadable));
		return STATUS_FAILED;
	}
	if (!found)
		differs(k, n ? arena_printf(c->arena, "it is not attached there; %zu other program%s", n, n == 1 ? " is" : "s are")
		             : "it is not attached there, and nothing else is");
	if (found > 1)
		differs(k, arena_printf(c->arena, "%zu programs of that name are attached there", found));
	return STATUS_OK;
}

/* Read while it is attached: asked again, the cgroup has the same one. */
static int read_attached(struct check *k)
{
	struct cmd *c = k->c;
	struct diags kept = c->diags;
	for (int i = 0; i < TRIES; i++) {
		c->diags = kept;
		int status = find(k);
		uint32_t id = k->at.id;
		if (status || !id || k->n)
			return status;
		status = dump_of_program(c, id, &k->dump) ? STATUS_FAILED : STATUS_OK;
		struct diags said = c->diags;
		c->diags = kept;
		if (find(k))
			return STATUS_FAILED;
		if (k->at.id != id)
			continue;
		c->diags = said;
		return status;
	}
	diag_fail(&c->diags, "try again", "what is attached to %s changes while it is read", k->cg->path);
	return STATUS_FAILED;
}

/* ---- the values it runs with ------------------------------------------------------------------------- */

static const char *word_of(const char *const *words, size_t n, uint32_t value)
{
	return value < n ? words[value] : "what no version knows";
}

static void compare_values(struct check *k)
{
	struct arena *a = k->c->arena;
	const struct policy *p = k->u->policy;
	const struct image_header *h = &k->header;
	uint32_t mode = le32toh(h->mode), audit = le32toh(h->audit);
	if (mode != p->mode)
		differs(k, arena_printf(a, "its mode is %s, the policy's %s", word_of(mode_words, POLICY_MODES, mode), mode_words[p->mode]));
	if (audit != p->audit)
		differs(k, arena_printf(a, "its audit is %s, the policy's %s", word_of(audit_words, AUDIT_LEVELS, audit), audit_words[p->audit]));
	if (!(le32toh(h->features) & FEATURE_GRANTS) == p->grants)
		differs(k, arena_printf(a, "under it grants are %s, by the policy %s", grants_words[!p->grants], grants_words[p->grants]));
	if (le64toh(h->digest) != p->serial.digest || le32toh(h->nparams) != p->nparams)
		return; /* of another text: its parameters may be others */
	for (size_t i = 0; i < p->nparams; i++)
		if (k->params[i] != p->params[i].value)
			differs(k, arena_printf(a, "its parameter %s is %lld, the policy's %lld", p->params[i].name, (long long)k->params[i],
			                        (long long)p->params[i].value));
}

/* Is it a raw program that does more than decide? */
static bool acts(const struct check *k)
{
	const struct raw *raw = k->u->policy->raw;
	return raw && !raw_only_decides(raw);
}

/* ---- what it decides ------------------------------------------------------------------------------------ */

static void compare_verdicts(struct check *k)
{
	struct arena *a = k->c->arena;
	if (k->seen.meaning == VERIFIED_UNKNOWN)
		k->unknown = arena_printf(a, "whether it decides alike hangs on what is not understood: %s", k->seen.unknown);
	if (k->seen.meaning != VERIFIED_DIFFERENT)
		return;
	const char *name = known_name_of(a, k->witness.type == DEV_BLOCK ? 'b' : 'c', k->witness.major, k->witness.minor);
	differs(k, arena_printf(a, "it %s %s%s%s, which the policy %s", k->seen.allows ? "allows" : "denies",
	                        request_words(a, &k->witness), name ? ", /dev/" : "", name ? name : "",
	                        k->seen.allows ? "denies" : "allows"));
}

/* ---- what a verdict does not show ----------------------------------------------------------------------- */

/* The tag of the policy's program, as this kernel makes it. */
static void load_for_tag(struct check *k)
{
	struct cmd *c = k->c;
	struct program *p;
	struct diags kept = c->diags;
	diags_init(&c->diags, c->arena);
	if (!unit_program(c, k->u, 0, &p)) {
		struct dump own;
		program_tag(p, k->tag);
		k->places = dump_of_program(c, program_id(p), &own) ? PLACES_UNKNOWN : dump_places_compare(&own, &k->dump);
		program_close(p);
	} else {
		k->untagged = c->diags.n ? c->diags.items[0].text : "the kernel did not take it";
	}
	c->diags = kept;
}

/* Equal verdicts are all there is to a program that only decides, when the policy's does no more. */
static void compare_tags(struct check *k)
{
	struct arena *a = k->c->arena;
	bool plain = !acts(k) && !policy_has_tail(k->u->policy) && dump_only_decides(&k->dump);
	load_for_tag(k);
	if (plain || k->n || (!strcmp(k->tag, k->at.tag) && k->places == PLACES_SAME))
		return;
	if (!strcmp(k->tag, k->at.tag) && k->places == PLACES_OTHER)
		differs(k, "it has the policy's instructions, but they reach for other places of its maps: what it reports, or denies with, may "
		           "differ");
	else if (!strcmp(k->tag, k->at.tag))
		k->unknown = "whether it reports alike cannot be told: its constants are blinded (net.core.bpf_jit_harden), and the places in its "
		             "maps with them";
	else if (!*k->tag)
		k->unknown = arena_printf(a, "whether it reports and denies alike cannot be told, since the policy's own program cannot be loaded: %s",
		                          k->untagged);
	else
		differs(k, arena_printf(a, "its instructions are not the policy's (tag %s, not %s): what it reports, or denies with, may differ",
		                        k->at.tag, k->tag));
}

/* ---- which files and cgroups it takes for its names ------------------------------------------------------- */

static void compare_names(struct check *k)
{
	struct names_now names;
	if (k->n || acts(k)) /* another policy has other names */
		return;
	policy_names(k->c, &k->at, k->cg, policy_asks(k->u->policy), &names);
	if (names.unknown && !k->unknown)
		k->unknown = arena_printf(k->c->arena, "which files and cgroups its names are cannot be told: %s", names.unknown);
	for (size_t i = 0; i < names.n; i++) {
		if (!strcmp(names.list[i].file, k->u->policy->file))
			names.list[i].file = ""; /* which policy it is was said */
		if (name_differs(&names.list[i]))
			differs(k, name_now_text(k->c->arena, &names, &names.list[i]));
	}
}

static int compare(struct check *k)
{
	struct cmd *c = k->c;
	if (!dump_header(c->arena, &k->dump, &k->header, &k->params)) {
		k->unknown = "its .rodata is not one of this version, or changes while it is read";
		return STATUS_OK;
	}
	/* what a raw program does on its way is not read back: it is the policy's when its instructions are */
	int status = acts(k) ? STATUS_OK : unit_verify(c, k->u, &k->dump, &k->seen, &k->witness);
	if (status)
		return STATUS_FAILED;
	compare_values(k);
	compare_verdicts(k);
	compare_tags(k);
	compare_names(k);
	return STATUS_OK;
}

/* ---- telling ----------------------------------------------------------------------------------------------- */

static const char *digest_text(struct arena *a, uint64_t digest)
{
	return arena_printf(a, "%016llx", (unsigned long long)digest);
}

static const char *verdict_of(const struct check *k)
{
	return k->n ? "differs" : k->unknown ? "unknown" : "equal";
}

/* One line, whatever it is: for a monitor. */
static void print(const struct check *k)
{
	struct arena *a = k->c->arena;
	uint64_t digest = k->u->policy->serial.digest;
	printf("%s: ", verdict_of(k));
	put_text(stdout, arena_printf(a, "%s on %s", k->name, k->cg->path));
	if (k->at.id)
		printf(", program %u", k->at.id);
	for (size_t i = 0; i < k->n && i < LINE_DIFFERENCES; i++) {
		fputs(i ? "; " : ": ", stdout);
		put_text(stdout, k->differences[i]);
	}
	if (k->n > LINE_DIFFERENCES)
		printf("; and %zu more", k->n - LINE_DIFFERENCES);
	if (!k->n && k->unknown) {
		fputs(": ", stdout);
		put_text(stdout, k->unknown);
	}
	if (!k->n && !k->unknown)
		printf(", %s %s%s", !*k->tag ? "not compared as instructions: tag"
		                    : strcmp(k->tag, k->at.tag) ? "of another compilation: tag" : "tag", k->at.tag,
		       k->at.digest == digest ? arena_printf(a, ", digest %s", digest_text(a, digest))
		                              : arena_printf(a, ", made of another text that means the same: digest %s", digest_text(a, k->at.digest)));
	putchar('\n');
}

static json_t *witness_json(const struct check *k)
{
	struct arena *a = k->c->arena;
	if (!k->at.id || k->seen.meaning != VERIFIED_DIFFERENT)
		return json_null();
	const char *name = known_name_of(a, k->witness.type == DEV_BLOCK ? 'b' : 'c', k->witness.major, k->witness.minor);
	return json_pack("{s:o, s:o, s:s, s:s}", "request", text_json(request_words(a, &k->witness)), "device",
	                 name ? text_json(arena_printf(a, "/dev/%s", name)) : json_null(), "policy", k->seen.allows ? "deny" : "allow", "program",
	                 k->seen.allows ? "allow" : "deny");
}

static void to_json(const struct check *k)
{
	struct arena *a = k->c->arena;
	json_t *list = json_array(), *out = k->c->json.out;
	for (size_t i = 0; i < k->n; i++)
		json_array_append_new(list, text_json(k->differences[i]));
	json_object_set_new(out, "policy", text_json(k->name));
	json_object_set_new(out, "cgroup", text_json(k->cg->path));
	json_object_set_new(out, "relation", k->n || !k->unknown ? json_string(verdict_of(k)) : json_null());
	json_object_set_new(out, "program", k->at.id ? json_integer(k->at.id) : json_null());
	json_object_set_new(out, "differences", list);
	json_object_set_new(out, "cannot_tell", k->unknown ? text_json(k->unknown) : json_null());
	json_object_set_new(out, "witness", witness_json(k));
	json_object_set_new(out, "digest", json_string(digest_text(a, k->u->policy->serial.digest)));
	json_object_set_new(out, "program_digest", k->at.id ? json_string(digest_text(a, k->at.digest)) : json_null());
	json_object_set_new(out, "tag", *k->tag ? json_string(k->tag) : json_null());
	json_object_set_new(out, "program_tag", k->at.id ? json_string(k->at.tag) : json_null());
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static int verify_unit(struct cmd *c, struct unit *u, const char *where, const char *name)
{
	struct check k = {.c = c, .u = u, .name = name ? name : u->policy->name};
	if (where_open(c, where, WHERE_LOOK, &k.cg))
		return STATUS_FAILED;
	int status = read_attached(&k);
	if (!status && k.at.id && !k.n)
		status = compare(&k);
	if (!status && c->json.on)
		to_json(&k);
	else if (!status)
		print(&k);
	cgroup_close(k.cg);
	return status ? status : k.n ? STATUS_DENY : k.unknown ? STATUS_FAILED : STATUS_OK;
}

static int verify(struct cmd *c, int argc, char **argv)
{
	struct unit u;
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	int least = 1 + !where_given(c), n = argc - optind;
	if (n < least || n > least + 1)
		return usage_error(c, NULL, n > least ? "more than a policy, a cgroup and a name given" : n ? "no cgroup given" : "no policy given");
	if (source_is_kernels(argv[optind]))
		return usage_error(c, "the policy is a file: what it should be", "%s is what runs", argv[optind]);
	int status = unit_load(c, &c->settings, argv[optind], &(struct load){.depth = LOAD_IMAGE, .keep = true, .kernel = true}, &u);
	if (!status)
		status = verify_unit(c, &u, least == 2 ? argv[optind + 1] : NULL, n > least ? argv[optind + least] : NULL);
	unit_end(&u);
	return status;
}

const struct verb verb_verify = {
	.name = "verify",
	.synopsis = "POLICY CGROUP [NAME] | POLICY --self [NAME] | POLICY --unit UNIT [NAME]\n"
		"                         [--param K=V]... [--mode MODE] [--audit LEVEL] [--json]",
	.usage = "POLICY CGROUP [NAME]",
	.example = PROGRAM " verify policy.rb /web",
	.summary = "Prove that the kernel runs exactly this policy there",
	.help = "The program attached to CGROUP under the policy's name (or NAME) is read from\n"
		"the kernel, and compared with POLICY: its verdicts on every request, its mode,\n"
		"audit level and parameters, and its instructions. --param, --mode and --audit\n"
		"are to be those of apply. When a file or a cgroup that it names is another one\n"
		"now (replaced, gone, or new), it differs until it is applied again. Prints one\n"
		"line. Exit status 0: equal; 2: it differs, or is not attached; 1: it cannot be\n"
		"told.\n\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = verify,
};
