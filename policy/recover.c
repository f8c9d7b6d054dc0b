/*
 * recover.c - a decision about requests as a policy: what some program does, in rules.
 *
 * Devices that are treated alike are classes (classes.c). A class whose requests are decided access
 * by access has letters: r, w, m. Most devices of a type have the same ones (the rest of it); each
 * other class is denied what the rest has too much, and allowed what it lacks. Classes that need
 * the same are one rule, so there is a rule for each set of letters at most.
 */
#include "policy/recover.h"
#include "policy/recover_patterns.h"
#include "policy/arena.h"
#include "policy/classes.h"
#include "policy/conditions.h"
#include "policy/device.h"
#include "policy/image.h"
#include "policy/known.h"

#include <string.h>

enum { CLASSES_MAX = 4096, NO_LETTERS = -1 };

struct recovery {
	struct arena *arena;
	struct diagrams *dg;
	struct policy *policy;
	struct device_classes classes;
	int *letters;          /* by class; NO_LETTERS: its answers are no letters */
	const struct device_class *rest[DEV_CHAR + 1];
	int rest_letters[DEV_CHAR + 1];
	struct arena_stream text;
	bool in_ruby; /* all of it is */
};

/* ---- letters ---------------------------------------------------------------------------- */

static bool decided(node n, bool *allow)
{
	outcome o;
	bool terminal = node_is_terminal(n, &o);
	*allow = terminal && OUTCOME_KIND(o) == OUT_ALLOW;
	return terminal;
}

static node answer_of(const struct device_classes *cs, const struct device_class *c, int set)
{
	for (int i = 0; i < cs->nasked; i++)
		if (cs->asked[i] == set)
			return c->answer[i];
	return diagram_terminal(OUT_DENY);
}

/* The letters that are always allowed, where the answer to each request is that to its letters; a
 * letter's own answer may be a condition. Else NO_LETTERS. */
static int letters_of(const struct device_classes *cs, const struct device_class *c)
{
	node any = diagram_terminal(OUT_DENY), allow = diagram_terminal(OUT_ALLOW);
	int letters = 0;
	bool always;
	for (int letter = ACC_MKNOD; letter <= ACC_WRITE; letter <<= 1) {
		node own = answer_of(cs, c, letter);
		letters |= decided(own, &always) && always ? letter : 0;
		any = diagram_ite(cs->dg, own, allow, any);
	}
	node both = diagram_ite(cs->dg, answer_of(cs, c, ACC_READ), answer_of(cs, c, ACC_WRITE), diagram_terminal(OUT_DENY));
	bool each = cs->nasked < ASKED_MAX || answer_of(cs, c, ACC_READ | ACC_WRITE) == both;
	return each && answer_of(cs, c, 0) == any ? letters : NO_LETTERS;
}

/* ---- text ------------------------------------------------------------------------------------- */

static const char *joined(struct recovery *rc, const char *list, const char *item)
{
	return *list ? arena_printf(rc->arena, "%s, %s", list, item) : item;
}

/* Devices of one major, each by its symbol; "": one of them has none. */
static const char *symbols_of(struct recovery *rc, char type, int64_t major, const struct pattern *p)
{
	enum { SEVERAL = 16 };
	const char *list = "";
	size_t n = 0;
	for (size_t i = 0; i < p->nminors; i++)
		for (int64_t minor = p->minors[i].lo; minor <= p->minors[i].hi; minor++) {
			const char *symbol = n++ < SEVERAL ? known_symbol_of(arena_printf(rc->arena, "%c %lld:%lld", type, (long long)major,
			                                                                  (long long)minor))
			                                   : NULL;
			if (!symbol)
				return "";
			list = joined(rc, list, arena_printf(rc->arena, ":%s", symbol));
		}
	return list;
}

/* A pattern as Ruby, without letters: by symbols where there are. */
static const char *pattern_ruby(struct recovery *rc, const struct pattern *p)
{
	const char *text = pattern_text(rc->arena, p), *list = "";
	text = arena_strndup(rc->arena, text, (size_t)(strrchr(text, ' ') - text));
	const char *symbol = known_symbol_of(text);
	if (symbol)
		return arena_printf(rc->arena, ":%s", symbol);
	if (intervals_are_one(p->majors, p->nmajors) && p->types != (DEV_BLOCK | DEV_CHAR))
		list = symbols_of(rc, text[0], p->majors->lo, p);
	return *list ? list : arena_printf(rc->arena, "\"%s\"", text);
}

static const char *rule_ruby(struct recovery *rc, const struct rule *r, const char *block)
{
	const char *text = r->deny ? "deny" : "allow";
	char letters[4];
	for (size_t i = 0; i < r->npatterns; i++)
		text = arena_printf(rc->arena, "%s%s%s", text, i ? ", " : block ? "(" : " ", pattern_ruby(rc, &r->patterns[i]));
	int access = r->npatterns ? r->patterns[0].access : 0;
	if (access && access != ACC_ALL)
		text = arena_printf(rc->arena, "%s, access: \"%s\"", text, access_text(access, letters));
	return block ? arena_printf(rc->arena, "%s) { |ctx| %s }", text, block) : text;
}

/* ---- rules ------------------------------------------------------------------------------------ */

static void add_line(struct recovery *rc, const char *line)
{
	fprintf(rc->text.out, "%s\n", line);
}

/* The rule gets its terms and its line. `also`: besides its devices; `block` is that in Ruby. */
static void add_rule(struct recovery *rc, struct rule r, int *line, term also, const char *block)
{
	struct policy *p = rc->policy;
	r.at = (struct span){.file = p->file, .line = ++*line};
	r.block = -1;
	for (size_t i = 0; i < r.npatterns; i++)
		r.patterns[i].text = pattern_text(rc->arena, &r.patterns[i]);
	r.source = rule_ruby(rc, &r, block);
	r.devices = rule_devices(p, &r);
	r.match = term_and(p->terms, r.devices, also);
	*ARENA_PUSH(rc->arena, p->rules, p->nrules, p->rules_cap) = r;
	add_line(rc, r.source);
}

/* Does the class need to be denied (or allowed) these letters more than the rest of its type? */
static int more_than_rest(const struct recovery *rc, size_t class, int type, bool deny)
{
	int own = rc->letters[class], rest = rc->rest_letters[type];
	if (own == NO_LETTERS || &rc->classes.list[class] == rc->rest[type])
		return 0;
	if (!deny)
		return own & ~rest;
	return !own && rest ? ACC_ALL : rest & ~own; /* all three: it must not be seen to be there */
}

/* One rule for the classes that need the same letters. */
static void rule_of_letters(struct recovery *rc, bool deny, int letters, int *line)
{
	struct rule r = {.deny = deny};
	size_t cap = 0;
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--) {
		const struct block_of_devices **blocks = NULL;
		size_t n = 0, room = 0;
		for (size_t i = 0; i < rc->classes.n; i++)
			for (size_t k = 0; more_than_rest(rc, i, type, deny) == letters && k < rc->classes.list[i].nblocks; k++)
				if (rc->classes.list[i].blocks[k].type == type)
					*ARENA_PUSH(rc->arena, blocks, n, room) = &rc->classes.list[i].blocks[k];
		if (n)
			rule_add_blocks(rc->arena, &r, &cap, letters, blocks, n);
	}
	rule_join_types(&r);
	if (r.npatterns)
		add_rule(rc, r, line, T_TRUE, NULL);
}

static struct pattern everything(struct recovery *rc, int types, int letters)
{
	struct interval *all = arena_alloc(rc->arena, 2 * sizeof *all);
	all[0] = (struct interval){0, MAJOR_MAX};
	all[1] = (struct interval){0, MINOR_MAX};
	return (struct pattern){.types = types, .majors = &all[0], .nmajors = 1, .minors = &all[1], .nminors = 1, .access = letters};
}

static void rule_of_rest(struct recovery *rc, int types, int letters, int *line)
{
	struct rule r = {.deny = rc->policy->default_allow, .npatterns = 1, .patterns = arena_alloc(rc->arena, sizeof *r.patterns)};
	if (!letters)
		return;
	r.patterns[0] = everything(rc, types, letters);
	add_rule(rc, r, line, T_TRUE, NULL);
}

/* How many rules it takes to say the letters of both types. */
static int count_rest(int c, int b)
{
	return !!(c & b) + !!(c & ~b) + !!(b & ~c);
}

/* What the default does not say: letters that are allowed, or denied. */
static void rules_of_rest(struct recovery *rc, int *line)
{
	int denied = rc->policy->default_allow ? ACC_ALL : 0;
	int c = rc->rest_letters[DEV_CHAR] ^ denied, b = rc->rest_letters[DEV_BLOCK] ^ denied;
	rule_of_rest(rc, DEV_CHAR | DEV_BLOCK, c & b, line);
	rule_of_rest(rc, DEV_CHAR, c & ~b, line);
	rule_of_rest(rc, DEV_BLOCK, b & ~c, line);
}

/* ---- classes without letters --------------------------------------------------------------------- */

static bool rest_allows(const struct recovery *rc, int types)
{
	return (types & DEV_CHAR && rc->rest_letters[DEV_CHAR]) || (types & DEV_BLOCK && rc->rest_letters[DEV_BLOCK]);
}

/* The devices of a class, for these letters. */
static void add_class(struct recovery *rc, struct rule *r, size_t *cap, const struct device_class *c, int letters)
{
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--) {
		const struct block_of_devices **blocks = arena_alloc(rc->arena, (c->nblocks + 1) * sizeof *blocks);
		size_t n = 0;
		for (size_t k = 0; k < c->nblocks; k++)
			if (c->blocks[k].type == type)
				blocks[n++] = &c->blocks[k];
		if (n)
			rule_add_blocks(rc->arena, r, cap, letters, blocks, n);
	}
}

static void add_conditional(struct recovery *rc, struct rule r, int *line, struct condition when)
{
	rule_join_types(&r);
	rc->in_ruby &= when.ruby != NULL;
	add_rule(rc, r, line, when.t, when.ruby ? when.ruby : term_text(rc->arena, rc->policy->terms, when.t, 400));
}

/* All that is allowed of a class, by request: before everything else, and nothing else of it. */
static void rules_of_requests(struct recovery *rc, size_t class, int *line)
{
	const struct device_class *c = &rc->classes.list[class];
	struct rule r = {.deny = false}, others = {.deny = true};
	size_t cap = 0;
	add_class(rc, &r, &cap, c, ACC_ALL);
	rule_join_types(&r);
	add_conditional(rc, r, line, condition_of_requests(rc->arena, &rc->classes, rc->policy, c));
	/* and what later rules would allow of it */
	others.patterns = arena_alloc(rc->arena, r.npatterns * sizeof *others.patterns);
	for (size_t i = 0; i < r.npatterns; i++)
		if (rest_allows(rc, r.patterns[i].types)) {
			others.patterns[others.npatterns] = r.patterns[i];
			others.patterns[others.npatterns++].access = ACC_ALL;
		}
	if (others.npatterns)
		add_rule(rc, others, line, T_TRUE, NULL);
}

/* Letters that are allowed under one condition. */
struct conditional { node when; int letters; size_t *classes; size_t n, cap; };

static void find_conditionals(struct recovery *rc, size_t class, struct conditional **list, size_t *n, size_t *cap)
{
	const struct device_class *c = &rc->classes.list[class];
	int told = 0;
	bool allow;
	for (int letter = ACC_MKNOD; letter <= ACC_WRITE; letter <<= 1) {
		node when = answer_of(&rc->classes, c, letter);
		int letters = 0;
		if (told & letter || decided(when, &allow))
			continue;
		for (int k = letter; k <= ACC_WRITE; k <<= 1)
			letters |= answer_of(&rc->classes, c, k) == when ? k : 0;
		told |= letters;
		size_t at = 0;
		while (at < *n && !((*list)[at].when == when && (*list)[at].letters == letters))
			at++;
		if (at == *n)
			*ARENA_PUSH(rc->arena, *list, *n, *cap) = (struct conditional){.when = when, .letters = letters};
		*ARENA_PUSH(rc->arena, (*list)[at].classes, (*list)[at].n, (*list)[at].cap) = class;
	}
}

/* Before all that says nothing of the caller: a rule for each condition. */
static void rules_of_conditions(struct recovery *rc, int *line)
{
	struct conditional *list = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < rc->classes.n; i++)
		if (rc->letters[i] != NO_LETTERS)
			find_conditionals(rc, i, &list, &n, &cap);
	for (size_t i = 0; i < n; i++) {
		struct rule r = {.deny = false};
		size_t room = 0;
		for (int type = DEV_CHAR; type >= DEV_BLOCK; type--) {
			const struct block_of_devices **blocks = NULL;
			size_t count = 0, more = 0;
			for (size_t k = 0; k < list[i].n; k++) {
				const struct device_class *c = &rc->classes.list[list[i].classes[k]];
				for (size_t m = 0; m < c->nblocks; m++)
					if (c->blocks[m].type == type)
						*ARENA_PUSH(rc->arena, blocks, count, more) = &c->blocks[m];
			}
			if (count)
				rule_add_blocks(rc->arena, &r, &room, list[i].letters, blocks, count);
		}
		add_conditional(rc, r, line, condition_of(rc->arena, rc->dg, rc->policy, list[i].when));
	}
}

/* A name that a policy may have: prog:42 is prog-42, effective:web web, a path its last part. */
static const char *policy_name_of(struct arena *a, const char *source)
{
	const char *last = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	const char *word = strchr(last, ':');
	last = word && strncmp(last, "prog:", strlen("prog:")) ? word + 1 : last;
	last = *last ? last : "root";
	char *name = arena_strndup(a, last, strnlen(last, IMAGE_NAME_MAX - 1));
	for (char *at = name; *at; at++)
		if (!strchr(POLICY_NAME_BYTES, *at))
			*at = '-';
	return name;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static void find_rest(struct recovery *rc, int type)
{
	const struct device_class *most = NULL;
	for (size_t i = 0; i < rc->classes.n; i++)
		if (!most || rc->classes.list[i].devices[type] > most->devices[type])
			most = &rc->classes.list[i];
	bool any = rc->letters[most - rc->classes.list] != NO_LETTERS;
	rc->rest[type] = any ? most : NULL;
	rc->rest_letters[type] = any ? rc->letters[most - rc->classes.list] : 0;
}

static void all_rules(struct recovery *rc)
{
	static const int sets[] = {ACC_ALL, ACC_READ | ACC_WRITE, ACC_READ, ACC_WRITE, ACC_READ | ACC_MKNOD, ACC_WRITE | ACC_MKNOD, ACC_MKNOD};
	struct policy *p = rc->policy;
	int line = 0;
	int c = rc->rest_letters[DEV_CHAR], b = rc->rest_letters[DEV_BLOCK];
	p->default_allow = count_rest(c ^ ACC_ALL, b ^ ACC_ALL) < count_rest(c, b);
	p->default_at = (struct span){.file = p->file, .line = p->default_allow ? ++line : 0};
	if (p->default_allow)
		add_line(rc, "default :allow");
	for (size_t i = 0; i < p->nparams; i++, line++)
		add_line(rc, arena_printf(rc->arena, "param :%s, %lld, in: %lld..%lld", p->params[i].name, (long long)p->params[i].value,
		                          (long long)p->params[i].lo, (long long)p->params[i].hi));
	for (size_t i = 0; i < rc->classes.n; i++)
		if (rc->letters[i] == NO_LETTERS)
			rules_of_requests(rc, i, &line);
	rules_of_conditions(rc, &line);
	for (int deny = 1; deny >= 0; deny--)
		for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
			rule_of_letters(rc, deny, sets[i], &line);
	rules_of_rest(rc, &line);
	if (!p->nrules && !p->default_allow)
		add_line(rc, "default :deny");
}

int policy_recover(struct arena *a, struct diags *d, const char *name, const struct policy *of, struct diagrams *dg,
                   struct terms *ts, node verdict, struct policy **out, const char **text, bool *in_ruby)
{
	struct recovery rc = {.arena = a, .dg = dg, .in_ruby = true};
	const struct policy_diagram pd = {.dg = dg, .access = verdict, .attribution = verdict};
	struct policy *p = arena_alloc(a, sizeof *p);
	*p = (struct policy){.arena = a, .terms = ts, .name = policy_name_of(a, name), .file = name};
	rc.policy = p;
	if (of) {
		p->params = of->params;
		p->nparams = p->params_cap = of->nparams;
	}
	if (!device_classes(a, &pd, CLASSES_MAX, &rc.classes))
		return diag_fail(d, "eval answers single requests", "%s treats too many devices differently to be told in rules", name);
	rc.letters = arena_alloc(a, (rc.classes.n + 1) * sizeof *rc.letters);
	for (size_t i = 0; i < rc.classes.n; i++)
		rc.letters[i] = letters_of(&rc.classes, &rc.classes.list[i]);
	find_rest(&rc, DEV_BLOCK);
	find_rest(&rc, DEV_CHAR);
	arena_stream(a, &rc.text);
	all_rules(&rc);
	*text = arena_text(a, &rc.text);
	*in_ruby = rc.in_ruby;
	*out = p;
	return 0;
}
