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
#include "policy/device.h"
#include "policy/image.h"
#include "policy/known.h"

#include <string.h>

enum { CLASSES_MAX = 4096, SETS = ACC_ALL + 1, NO_LETTERS = -1 };

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

/* What the kernel may ask: nothing, m, r, w, rw. */
static bool is_asked(int set)
{
	return !(set & ACC_MKNOD) || set == ACC_MKNOD;
}

/* The letters that a class's answers are, or NO_LETTERS. */
static int letters_of(const struct device_classes *cs, const struct device_class *c)
{
	int letters = 0;
	bool allow;
	for (int i = 0; i < cs->nasked; i++) {
		if (!decided(c->answer[i], &allow))
			return NO_LETTERS;
		if (allow && is_asked(cs->asked[i]))
			letters |= cs->asked[i];
	}
	for (int i = 0; i < cs->nasked; i++) {
		int set = cs->asked[i];
		decided(c->answer[i], &allow);
		bool by_letters = set ? !(set & ~letters) : letters != 0;
		if (is_asked(set) && allow != by_letters)
			return NO_LETTERS;
	}
	return letters;
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

/* A node of a boolean function as a term. */
static term term_of_node(struct recovery *rc, node n, term *made)
{
	struct terms *ts = rc->policy->terms;
	outcome o;
	if (node_is_terminal(n, &o))
		return OUTCOME_KIND(o) == OUT_ALLOW ? T_TRUE : T_FALSE;
	if (made[n])
		return made[n] - 1;
	struct switch_node s = node_switch(rc->dg, n);
	term any = T_FALSE;
	for (uint32_t i = 0; i < s.n; i++) {
		term below = term_of_node(rc, s.edges[i].to, made);
		int64_t lo = switch_edge_lo(rc->dg, &s, i);
		term here = s.var < INPUT_MAX ? term_between(ts, term_input(ts, (enum input)s.var), lo, s.edges[i].hi)
		            : lo == s.edges[i].hi ? (lo ? diagram_free_term(rc->dg, s.var) : term_not(ts, diagram_free_term(rc->dg, s.var)))
		                                  : T_TRUE;
		any = term_or(ts, any, term_and(ts, here, below));
	}
	made[n] = any + 1;
	return any;
}

/* A condition and Ruby for it, NULL: there is none. */
struct condition { term t; const char *ruby; };

static struct condition either(struct recovery *rc, struct condition x, struct condition y)
{
	struct condition out = {.t = term_or(rc->policy->terms, x.t, y.t)};
	if (x.t == T_FALSE)
		out.ruby = y.ruby;
	else if (x.ruby && y.ruby)
		out.ruby = arena_printf(rc->arena, "%s || %s", x.ruby, y.ruby);
	return out;
}

/* Requests for one of some sets: "[2, 6].include?(ctx.requested)". */
static struct condition requested(struct recovery *rc, unsigned sets)
{
	struct terms *ts = rc->policy->terms;
	struct condition out = {.t = T_FALSE};
	const char *list = "";
	for (int set = 0; set < SETS; set++)
		if (sets & 1u << set) {
			out.t = term_or(ts, out.t, term_eq(ts, term_input(ts, IN_REQUESTED), term_const(ts, set)));
			list = joined(rc, list, arena_printf(rc->arena, "%d", set));
		}
	out.ruby = strchr(list, ',') ? arena_printf(rc->arena, "[%s].include?(ctx.requested)", list)
	                             : arena_printf(rc->arena, "ctx.requested == %s", list);
	return out;
}

/* Answer n, to requests for these sets. */
static struct condition answer_to(struct recovery *rc, node n, unsigned sets, term *made)
{
	enum { ALL = 1u << 0 | 1u << ACC_MKNOD | 1u << ACC_READ | 1u << ACC_WRITE | 1u << (ACC_READ | ACC_WRITE) };
	struct terms *ts = rc->policy->terms;
	struct condition out = {.t = term_of_node(rc, n, made)};
	out.ruby = term_ruby(rc->arena, ts, rc->policy->nparams, out.t);
	if ((sets & ALL) == ALL || out.t == T_FALSE)
		return out;
	struct condition asked = requested(rc, sets & ALL);
	bool always = out.t == T_TRUE;
	out.t = term_and(ts, asked.t, out.t);
	out.ruby = always ? asked.ruby : out.ruby ? arena_printf(rc->arena, "(%s && %s)", asked.ruby, out.ruby) : NULL;
	return out;
}

static struct condition condition_of(struct recovery *rc, node n)
{
	term *made = arena_alloc(rc->arena, (diagram_nodes(rc->dg) + 1) * sizeof *made);
	struct condition out = {.t = term_of_node(rc, n, made)};
	out.ruby = term_ruby(rc->arena, rc->policy->terms, rc->policy->nparams, out.t);
	return out;
}

/* When a class without letters is allowed. */
static struct condition allowed_when(struct recovery *rc, const struct device_class *c)
{
	const struct device_classes *cs = &rc->classes;
	term *made = arena_alloc(rc->arena, (diagram_nodes(rc->dg) + 1) * sizeof *made);
	struct condition any = {.t = T_FALSE};
	unsigned done = 0;
	for (int i = 0; i < cs->nasked; i++) {
		unsigned sets = 0;
		for (int k = i; k < cs->nasked; k++)
			if (c->answer[k] == c->answer[i] && is_asked(cs->asked[k]) && !(done & 1u << cs->asked[k]))
				sets |= 1u << cs->asked[k];
		done |= sets;
		struct condition one = sets ? answer_to(rc, c->answer[i], sets, made) : (struct condition){.t = T_FALSE};
		if (one.t != T_FALSE)
			any = either(rc, any, one);
	}
	return any;
}

static bool rest_allows(const struct recovery *rc, int types)
{
	return (types & DEV_CHAR && rc->rest_letters[DEV_CHAR]) || (types & DEV_BLOCK && rc->rest_letters[DEV_BLOCK]);
}

/* Where one condition decides all that is allowed of a class: the letters that it allows. 0: it is not so. */
static int letters_if(const struct recovery *rc, const struct device_class *c, node *when)
{
	const struct device_classes *cs = &rc->classes;
	int letters = 0;
	bool allow;
	*when = diagram_terminal(OUT_DENY);
	for (int i = 0; i < cs->nasked; i++)
		if (!decided(c->answer[i], &allow)) {
			*when = c->answer[i];
			letters |= is_asked(cs->asked[i]) ? cs->asked[i] : 0;
		}
	for (int i = 0; i < cs->nasked; i++) {
		int set = cs->asked[i];
		node wanted = set & ~letters ? diagram_terminal(OUT_DENY) : *when;
		if (is_asked(set) && c->answer[i] != wanted && !(set & ~letters && decided(c->answer[i], &allow) && !allow))
			return 0;
	}
	return letters;
}

/* All that is allowed of a class, by request: before everything else, and nothing else of it. */
static void rules_of_requests(struct recovery *rc, size_t class, int *line)
{
	const struct device_class *c = &rc->classes.list[class];
	struct rule r = {.deny = false}, others = {.deny = true};
	size_t cap = 0;
	node one;
	int letters = letters_if(rc, c, &one);
	for (int type = DEV_CHAR; type >= DEV_BLOCK; type--) {
		const struct block_of_devices **blocks = arena_alloc(rc->arena, (c->nblocks + 1) * sizeof *blocks);
		size_t n = 0;
		for (size_t k = 0; k < c->nblocks; k++)
			if (c->blocks[k].type == type)
				blocks[n++] = &c->blocks[k];
		if (n)
			rule_add_blocks(rc->arena, &r, &cap, letters ? letters : ACC_ALL, blocks, n);
	}
	rule_join_types(&r);
	struct condition when = letters ? condition_of(rc, one) : allowed_when(rc, c);
	rc->in_ruby &= when.ruby != NULL;
	add_rule(rc, r, line, when.t, when.ruby ? when.ruby : term_text(rc->arena, rc->policy->terms, when.t, 400));
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

/* A name that a policy may have: prog:42 is prog-42, a path its last part. */
static const char *policy_name_of(struct arena *a, const char *source)
{
	const char *last = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
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
	for (int deny = 1; deny >= 0; deny--)
		for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
			rule_of_letters(rc, deny, sets[i], &line);
	rules_of_rest(rc, &line);
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
