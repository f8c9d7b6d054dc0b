/*
 * update.c - what a policy lacks of what was recorded, as a patch of its text.
 *
 * A request that it denies by default, or by a rule that denies everything, is missing: rules for those are put behind
 * the last one, before that which denies everything. One that a rule about it denies is denied on purpose: that is
 * said, and not changed; so is one that a claim forbids. No place in a text of Ruby is certain, so the changed text is
 * compiled and asked: only one that has these rules more, and allows what was missing, becomes a patch.
 */
#include "cgroup/cgroup.h"
#include "cmd/audit/audit.h"
#include "cmd/learn/learn.h"
#include "policy/claims.h"
#include "policy/host.h"

#include <string.h>

enum { PLACES_MAX = 24, PROBES = 18, CLAIMED_MAX = 64 };

struct updating {
	struct learning *l;
	struct unit unit;         /* the policy as it is */
	const char *file, *text;
	size_t len;
	const struct rule *last;  /* denies everything; NULL: no rule does */
	struct learned missing;
	size_t denied, unknown;   /* requests that stay as they are */
	const char *patch;
};

/* ---- the policy -------------------------------------------------------------------------------- */

static int load_policy(struct updating *u)
{
	struct cmd *c = u->l->cmd;
	const struct load depth = {.depth = LOAD_IMAGE, .keep = true, .policy_only = true};
	int status = unit_load(c, &c->settings, u->l->update, &depth, &u->unit);
	if (status)
		return status;
	if (u->unit.instead || !c->inputs.n || !c->inputs.items[0].text) {
		diag_add(&c->diags, DIAG_ERROR, (struct span){.file = u->l->update}, "name the .rb",
		         "--update changes the text of a policy: this is %s", u->unit.instead ? u->unit.instead : "none");
		return STATUS_FAILED;
	}
	u->file = u->unit.policy->file;
	u->len = c->inputs.items[0].len;
	u->text = arena_strndup(u->l->arena, c->inputs.items[0].text, u->len);
	diags_flush(c);
	return STATUS_OK;
}

/* Requests that nobody makes: a rule that decides all of them denies everything. */
static int find_last(struct updating *u)
{
	static const int64_t numbers[][2] = {{4095, 1048575}, {3583, 524287}, {611, 99991}};
	struct request_record asked[PROBES];
	struct verdict_pair said[PROBES];
	struct decision d;
	size_t n = 0;
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
			for (int access = ACC_MKNOD; access <= ACC_WRITE; access <<= 1) {
				struct request q = {.type = type, .access = access, .major = numbers[i][0], .minor = numbers[i][1]};
				for (int in = IN_UID; in < IN_PARAM_0; in++) {
					int64_t least;
					input_range((enum input)in, &least, &q.fact[in]);
					q.fact[in] = in == IN_COMM_0 || in == IN_COMM_1 ? 'x' : input_is_task((enum input)in) ? least : q.fact[in];
					q.known |= INPUT(in);
				}
				q.who.known = WHO_GROUPS | WHO_CAPS | WHO_CGROUP;
				asked[n++] = request_record(&q);
			}
	int status = unit_ask(u->l->cmd, &u->unit, asked, n, said);
	for (size_t i = 0; i < n && !status; i++) {
		bool decided = said[i].diagram.status == VERDICT_OK && verdict_decision(u->l->cmd, u->unit.policy, &said[i].diagram, &d);
		if (!decided || d.allow || d.error || !d.rule || (i && d.rule != u->last)) {
			u->last = NULL;
			return STATUS_OK;
		}
		u->last = d.rule;
	}
	return status;
}

/* ---- what it lacks ------------------------------------------------------------------------------- */

static void add_missing(struct learned *to, const struct learned_request *r)
{
	struct learned_request *m = learned_request(to, r->type, r->access, r->major, r->minor, r->uid, r->exe);
	m->allowed = r->allowed;
	m->permitted = r->permitted;
	m->others = r->others;
	m->gone = r->gone;
	m->path = r->path;
	m->driver = r->driver;
	m->exact = r->exact;
	for (size_t i = 0; i < r->nprograms; i++)
		learned_named(to, m, r->programs[i].name, r->programs[i].count);
}

static const char *request_line(struct updating *u, const struct learned_request *r)
{
	char letters[4];
	struct arena *a = u->l->cmd->arena;
	return arena_printf(a, "%c %lld:%lld %s%s%s (%llu time%s by %s%s)", r->type == DEV_BLOCK ? 'b' : 'c', (long long)r->major,
	                    (long long)r->minor, access_text(r->access, letters), r->path ? " " : "", r->path ? r->path : "",
	                    (unsigned long long)learned_times(r), PLURAL(learned_times(r)),
	                    r->nprograms && *r->programs[0].name ? r->programs[0].name : "(no name)",
	                    r->nprograms > 1 || r->others ? " and more" : "");
}

static void stays_denied(struct updating *u, const struct learned_request *r, struct span at, const char *by)
{
	u->denied++;
	diag_add(&u->l->cmd->diags, DIAG_WARNING, at, "if it may, change that by hand", "%s, and is not added: %s", by,
	         request_line(u, r));
}

static bool sort_out(void *self, size_t i, const struct verdict *v)
{
	struct updating *u = self;
	struct cmd *c = u->l->cmd;
	const struct learned_request *r = &u->l->all.list[i];
	struct decision d;
	if (v->status == VERDICT_MISSING) {
		u->unknown++;
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = u->file},
		         v->missing == IN_UID                                  ? "record it with --by uid"
		         : v->missing == IN_EXE && !(u->l->by & LEARN_BY_EXE) ? "record it with --by exe"
		                                                               : NULL, "%s decides, and was not recorded: %s",
		         v->missing < IN_PARAM_0 ? input_name((enum input)v->missing) : "a parameter", request_line(u, r));
		return true;
	}
	if (v->status != VERDICT_OK || !verdict_decision(c, u->unit.policy, v, &d))
		return diag_fail(&c->diags, NULL, "the process that proves the policy gave no answer") == 0;
	if (d.allow)
		return true;
	if (d.error)
		stays_denied(u, r, d.rule->at, "a rule raises an exception for it");
	else if (d.rule && d.rule != u->last)
		stays_denied(u, r, d.rule->at,
		             d.rule->label ? arena_printf(c->arena, "a rule denies it (%s)", d.rule->label) : "a rule denies it");
	else
		add_missing(&u->missing, r);
	return true;
}

/* ---- a changed text --------------------------------------------------------------------------------- */

static const char *rules_text(struct updating *u, const struct learned *of, const char *indent, size_t *n)
{
	bool before_last = u->last != NULL;
	struct arena_stream s;
	struct arena *a = u->l->cmd->arena;
	FILE *out = arena_stream(a, &s);
	learned_ruby_rules(out, a, of, &host_dev, false, indent);
	if (before_last)
		putc('\n', out);
	const char *text = arena_text(a, &s);
	*n = 0;
	for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		*n += !strncmp(at + strspn(at, " \t"), "allow", 5);
	return text;
}

/* Compiled without a word. */
static int try(struct updating *u, const char *text, struct unit *out)
{
	struct cmd *c = u->l->cmd;
	struct diags kept = c->diags;
	size_t rooms = c->rooms.n;
	diags_init(&c->diags, c->arena);
	documents_free(&c->inputs);
	int status = learned_compile(u->l, text, strlen(text), u->file, out);
	while (status && c->rooms.n > rooms) /* what refused it */
		room_close(c->rooms.open[c->rooms.n - 1]);
	c->diags = kept;
	return status;
}

static bool allows(void *self, size_t i, const struct verdict *v)
{
	struct decision d;
	const struct updating *u = self;
	(void)i;
	return v->status == VERDICT_OK && verdict_decision(u->l->cmd, u->unit.policy, v, &d) && d.allow;
}

/* Does the text with these rules behind that line mean what is wanted: that many rules more, all of it allowed? False, and in
 * *claims: a claim forbids it. */
static bool fits(struct updating *u, const struct learned *of, int after, const char *added, size_t n, bool *claims)
{
	struct learning asked = *u->l;
	struct unit changed;
	const char *text = learned_insert(u->l->cmd->arena, u->text, u->len, after, added);
	int status = try(u, text, &changed);
	struct updating with = {.l = &asked, .unit = changed};
	asked.all = *of;
	for (size_t i = 0; status && i < changed.claims.n; i++)
		*claims |= changed.claims.list[i].state == CLAIM_FALSE;
	bool right = !status && changed.policy->nrules == u->unit.policy->nrules + n &&
	             !learned_ask(&asked, &changed, ASK_PASSED, allows, &with);
	unit_end(&changed);
	return right;
}

/* ---- places ---------------------------------------------------------------------------------------------- */

static const char *line_of(const struct updating *u, int line, size_t *n)
{
	const char *at = u->text, *end = u->text + u->len;
	for (int i = 1; i < line && at < end; i++)
		at += strcspn(at, "\n") + 1;
	at = at < end ? at : end;
	*n = at < end ? strcspn(at, "\n") : 0;
	return at;
}

static int lines(const struct updating *u)
{
	int n = u->len && u->text[u->len - 1] != '\n';
	for (size_t i = 0; i < u->len; i++)
		n += u->text[i] == '\n';
	return n;
}

static const char *indent_of(struct updating *u, int line)
{
	size_t n;
	const char *at = line_of(u, line, &n);
	return arena_strndup(u->l->cmd->arena, at, strspn(at, " \t"));
}

/* Before a rule, and the comments that are its own. */
static int before(const struct updating *u, int line)
{
	for (size_t n; line > 1; line--) {
		const char *at = line_of(u, line - 1, &n);
		at += strspn(at, " \t");
		if (*at != '#')
			break;
	}
	return line - 1;
}

/* The line of the last rule in the policy's own text that is indented least. 0: there is none. */
static int last_rule(struct updating *u)
{
	const struct policy *p = u->unit.policy;
	size_t least = SIZE_MAX;
	int line = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		const struct span *at = &p->rules[i].at;
		if (at->line <= 0 || !at->file || strcmp(at->file, u->file) || at->line > lines(u))
			continue;
		size_t n = strlen(indent_of(u, at->line));
		if (n < least || (n == least && at->line > line)) {
			least = n;
			line = at->line;
		}
	}
	return line;
}

/* What a line stands in: the last one before it that is indented less; 0: nothing. */
static int around(struct updating *u, int line)
{
	size_t n, own = strlen(indent_of(u, line));
	for (int i = line - 1; i > 0; i--) {
		line_of(u, i, &n);
		if (n > strlen(indent_of(u, i)) && strlen(indent_of(u, i)) < own)
			return i;
	}
	return 0;
}

/* Out of loops and conditions, if the text is indented: the line that ends the outermost one, but a policy's block. */
static int outside(struct updating *u, int line)
{
	int opener;
	size_t n;
	while (line && (opener = around(u, line))) {
		const char *text = line_of(u, opener, &n), *indent = indent_of(u, opener);
		if (!strncmp(text + strlen(indent), "policy", 6))
			break;
		for (line++; line < lines(u); line++) {
			line_of(u, line, &n);
			if (n > strlen(indent_of(u, line)) && strlen(indent_of(u, line)) <= strlen(indent))
				break;
		}
	}
	return line;
}

/* A place behind which the rules fit; -1: none was found. */
static int place_for(struct updating *u, const struct learned *of, const char **added, bool *claims)
{
	bool own = u->last && u->last->at.file && !strcmp(u->last->at.file, u->file) && u->last->at.line > 0;
	int rule = own ? u->last->at.line : outside(u, last_rule(u)), end = lines(u);
	int first = own ? before(u, rule) : rule ? rule : end, step = own ? -1 : 1;
	const char *indent = rule ? indent_of(u, rule) : "";
	size_t n;
	for (int i = 0, at = first; i < PLACES_MAX && at >= 0 && at <= end && !*claims; i++, at += step) {
		*added = rules_text(u, of, indent, &n);
		if (fits(u, of, at, *added, n, claims))
			return at;
	}
	*added = rules_text(u, of, "", &n);
	return !own && !*claims && fits(u, of, end, *added, n, claims) ? end : -1;
}

/* ---- claims ------------------------------------------------------------------------------------------------- */

/* Takes out what a claim forbids, each tried alone, at last by its number. 0, or -1 with a diagnostic. */
static int take_out_claimed(struct updating *u)
{
	struct cmd *c = u->l->cmd;
	struct learned rest;
	if (u->missing.n > CLAIMED_MAX)
		return diag_fail(&c->diags, "record less at once", "%s: a claim forbids some of %zu requests", u->file, u->missing.n);
	learned_start(u->l->arena, u->l->by, &rest);
	rest.part_of = &u->l->all;
	for (size_t i = 0; i < u->missing.n; i++) {
		struct learned one;
		const char *added;
		bool claims = false;
		learned_start(u->l->arena, u->l->by, &one);
		one.part_of = &u->l->all;
		add_missing(&one, &u->missing.list[i]);
		place_for(u, &one, &added, &claims);
		if (claims) { /* forbids it what is asked for, or only the rest of its family? */
			claims = false;
			one.list->exact = u->missing.list[i].exact = true;
			place_for(u, &one, &added, &claims);
		}
		if (claims)
			stays_denied(u, &u->missing.list[i], (struct span){.file = u->file}, "a claim of the policy (never) forbids it");
		else
			add_missing(&rest, &u->missing.list[i]);
	}
	u->missing = rest;
	return 0;
}

/* ---- the patch --------------------------------------------------------------------------------------------------- */

static int write_patch(struct updating *u, int after, const char *added)
{
	struct cmd *c = u->l->cmd;
	struct arena_stream s;
	struct output out;
	learned_patch(arena_stream(c->arena, &s), c->arena, u->file, u->text, u->len, after, added);
	u->patch = arena_text(c->arena, &s);
	diags_flush(c);
	if (c->json.on && !u->l->output)
		return STATUS_OK;
	if (output_open(c, u->l->output, OUTPUT_TEXT, &out))
		return STATUS_FAILED;
	fwrite(u->patch, 1, s.len, out.file);
	if (output_close(c, &out))
		return STATUS_FAILED;
	const char *to = u->l->output && strcmp(u->l->output, "-") ? shell_word(c->arena, u->l->output) : "PATCH";
	if (strcmp(u->l->update, "-"))
		say(c, "to apply it: patch %s <%s", shell_word(c->arena, u->l->update), to);
	return STATUS_OK;
}

static int propose(struct updating *u)
{
	struct cmd *c = u->l->cmd;
	const char *added;
	bool claims = false;
	int at = place_for(u, &u->missing, &added, &claims);
	if (at < 0 && claims && take_out_claimed(u))
		return STATUS_FAILED;
	if (at < 0 && claims && u->missing.n) {
		claims = false;
		at = place_for(u, &u->missing, &added, &claims);
	}
	if (!u->missing.n)
		return STATUS_OK;
	if (at >= 0) {
		say(c, "%s lacks rules for %zu different request%s: the patch adds them, compiled and proven", u->file,
		     u->missing.n, PLURAL(u->missing.n));
		return write_patch(u, at, added);
	}
	size_t n;
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = u->file}, "put them in by hand, before what denies it",
	         "there is no place in the text where these rules could be added:\n%s", rules_text(u, &u->missing, "  ", &n));
	return STATUS_FAILED;
}

int learned_update_check(struct learning *l)
{
	struct updating u = {.l = l};
	int status = load_policy(&u);
	unit_end(&u.unit);
	documents_free(&l->cmd->inputs);
	return status;
}

int learned_update(struct learning *l)
{
	struct cmd *c = l->cmd;
	struct updating u = {.l = l};
	learned_start(l->arena, l->by, &u.missing);
	u.missing.part_of = &l->all;
	int status = load_policy(&u);
	if (!status)
		status = find_last(&u);
	if (!status)
		status = learned_ask(l, &u.unit, ASK_AS_RECORDED, sort_out, &u);
	if (!status && u.unit.policy->default_allow)
		say(c, "%s: its default is :allow, so what no rule denies is allowed already", u.file);
	if (!status && u.missing.n)
		status = propose(&u);
	else if (!status && !u.denied && !u.unknown)
		say(c, "%s allows all that was recorded: nothing is missing", u.file);
	unit_end(&u.unit);
	if (!status)
		learned_tell(l, NULL);
	if (!status && c->json.on)
		learned_json(l, NULL, "patch", u.patch);
	return status ? status : u.denied ? STATUS_DENY : u.unknown ? STATUS_FAILED : STATUS_OK;
}
