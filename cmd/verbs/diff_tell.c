/*
 * diff_tell.c - what changed, as text of 80 columns, as annotations of GitHub, as JSON.
 */
#include "cmd/verbs/diff.h"

#include <string.h>

enum { WIDTH = 79, LINES_SHOWN = 20 };
static const char *const directions[] = {"newly allowed", "newly denied"};

const char *relation_word(const struct comparison *x)
{
	bool looser = x->allowed.found, stricter = x->denied.found;
	if ((!looser && x->allowed.most) || (!stricter && x->denied.most))
		return NULL;
	return looser && stricter ? "both" : looser ? "looser" : stricter ? "stricter" : "equal";
}

/* ---- text --------------------------------------------------------------------------------- */

/* "2", "2 to 10". */
static const char *count_text(const struct diff *d, const struct change *x)
{
	struct arena *a = d->cmd->arena;
	return x->least == x->most ? arena_printf(a, "%llu", (unsigned long long)x->most)
	                           : arena_printf(a, "%llu to %llu", (unsigned long long)x->least, (unsigned long long)x->most);
}

static void print_head(const struct diff *d, const struct comparison *x)
{
	static const char *const words[][2] = {{"equal", "equal: every request is decided alike"},
	                                       {"looser", "looser"}, {"stricter", "stricter"}, {"both", "looser and stricter"}};
	const struct change *first = x->allowed.most ? &x->allowed : &x->denied;
	struct arena *a = d->cmd->arena;
	const char *relation = relation_word(x), *text = "not known";
	for (size_t i = 0; relation && i < sizeof words / sizeof *words; i++)
		text = strcmp(relation, words[i][0]) ? text : words[i][1];
	if (first->most)
		text = arena_printf(a, "%s: %s request%s newly %s", text, count_text(d, first), PLURAL(first->most),
		                    first == &x->allowed ? "allowed" : "denied");
	fputs(text, stdout);
	if (x->allowed.most && x->denied.most) {
		const char *more = arena_printf(a, "%s newly denied", count_text(d, &x->denied));
		printf(",%s%s", strlen(text) + strlen(more) + 2 > WIDTH ? "\n  " : " ", more);
	}
	putchar('\n');
}

/* The rules say which requests are newly allowed. Of those that are newly denied each says the contrary. */
static const char *rule_text_of(const struct diff *d, const char *line, size_t n, int direction)
{
	static const char *const words[][2] = {{"default :allow", "default :deny"}, {"allow", "deny"}, {"deny", "allow"}};
	for (size_t i = 0; direction && i < sizeof words / sizeof *words; i++) {
		size_t len = strlen(words[i][0]);
		if (n >= len && !memcmp(line, words[i][0], len))
			return arena_printf(d->cmd->arena, "%s%.*s", words[i][1], (int)(n - len), line + len);
	}
	return arena_strndup(d->cmd->arena, line, n);
}

/* Where a line of rules is broken that has more than `most` columns: behind a comma, else at a blank, else behind
 * what has none. */
static size_t break_at(const char *line, size_t n, size_t most)
{
	size_t blank = 0;
	if (n <= most)
		return n;
	for (size_t cut = most; cut; cut--) {
		if (line[cut] != ' ')
			continue;
		if (line[cut - 1] == ',')
			return cut;
		blank = blank ? blank : cut;
	}
	if (!blank)
		blank = strcspn(line, " ");
	return blank < n ? blank : n;
}

static void print_rule(const char *line, size_t n)
{
	size_t indent = 2;
	while (n) {
		size_t cut = break_at(line, n, WIDTH - indent);
		printf("%*s", (int)indent, "");
		put_bytes(stdout, line, cut);
		putchar('\n');
		cut += cut < n && line[cut] == ' ';
		line += cut;
		n -= cut;
		indent = 6;
	}
}

/* The first of the rules, and of a long one its beginning. */
static void print_rules(const struct diff *d, const char *rules, int direction)
{
	enum { RULE_SHOWN = 1200 };
	size_t left = 0, shown = 0;
	for (const char *at = rules; *at; at += strcspn(at, "\n") + 1) {
		const char *rule = rule_text_of(d, at, strcspn(at, "\n"), direction);
		size_t n = strlen(rule), some = n;
		if (shown++ >= LINES_SHOWN) {
			left++;
			continue;
		}
		if (n > RULE_SHOWN)
			for (some = RULE_SHOWN; some && rule[some] != ' '; some--)
				;
		print_rule(rule, some ? some : n);
		if (some && some < n)
			printf("      ... (%zu bytes more, all of it with --json)\n", n - some);
	}
	if (left)
		printf("  ... (%zu rule%s more, all of them with --json)\n", left, PLURAL(left));
}

void print_answer(const struct diff *d, int side, const struct decision *x)
{
	printf("    %s %s, ", side ? "after: " : "before:", x->allow ? "allow" : "deny");
	put_text(stdout, decider_text(d->cmd->arena, d->side[side].unit.policy, x));
	putchar('\n');
}

static void print_change(const struct diff *d, const struct change *x, int direction)
{
	if (!x->most)
		return;
	printf("\n%s%s\n", directions[direction], x->found ? "" : ", perhaps");
	if (x->rules)
		print_rules(d, x->rules, direction);
	else
		puts("  (too many different devices to be told in rules)");
	if (x->found) {
		fputs("  such as ", stdout);
		put_text(stdout, x->witness.text);
		putchar('\n');
		print_answer(d, 0, &x->was);
		print_answer(d, 1, &x->is);
	}
	if (x->hangs) {
		fputs("  how many, that hangs on ", stdout);
		put_text(stdout, x->hangs);
		putchar('\n');
	}
}

/* What a verdict does not say. */
static void print_modes(const struct diff *d)
{
	const struct policy *a = d->side[0].unit.policy, *b = d->side[1].unit.policy;
	if (a->mode != b->mode)
		printf("\nbefore, the mode was %s; after, it is %s (verdicts are compared without it)\n", mode_words[a->mode],
		       mode_words[b->mode]);
	if (a->grants != b->grants)
		printf("\nbefore, grants were %s; after, they are %s (verdicts are compared without them)\n", grants_words[a->grants],
		       grants_words[b->grants]);
}

/* ---- annotations ----------------------------------------------------------------------------- */

/* As a value of a workflow command: of a property (`,` and `:` too), or its message. */
static void put_command(const struct diff *d, const char *text, bool property)
{
	size_t n = strlen(text), cap = 4 * n + 1;
	char *safe = arena_alloc(d->cmd->arena, cap);
	n = text_escape(safe, cap, text, n);
	for (size_t i = 0; i < n; i++) {
		if (strchr(property ? "%,:\r\n" : "%\r\n", safe[i]))
			printf("%%%02X", (unsigned)(unsigned char)safe[i]);
		else
			putchar(safe[i]);
	}
}

/* On the line of one side that decides the witness. */
static void annotate(const struct diff *d, const struct change *x, int direction, int side)
{
	struct arena *a = d->cmd->arena;
	const struct side *s = &d->side[side];
	const struct policy *p = s->unit.policy;
	const struct decision *by = side ? &x->is : &x->was;
	struct span at = by->rule ? by->rule->at : p->default_at;
	bool allowed = direction ? d->stricter_allowed : d->looser_allowed;
	const char *file = at.file ? at.file : p->file;
	printf("::%s ", allowed ? "notice" : "error");
	if (s->files && file && strcmp(file, "-")) {
		fputs("file=", stdout);
		put_command(d, file, true);
		if (at.line > 0)
			printf(",line=%d", at.line);
		putchar(',');
	}
	printf("title=%s::", directions[direction]);
	const char *was = decider_text(a, d->side[0].unit.policy, &x->was), *is = decider_text(a, d->side[1].unit.policy, &x->is);
	put_command(d, arena_printf(a, "%s: %s. Before: %s, %s. After: %s, %s. Such requests: %s.", directions[direction],
	                            x->witness.text, x->was.allow ? "allow" : "deny", was, x->is.allow ? "allow" : "deny", is,
	                            count_text(d, x)), false);
	putchar('\n');
}

static void annotate_change(const struct diff *d, const struct change *x, int direction)
{
	if (x->found)
		for (int side = 0; side < 2; side++)
			if (side || d->side[0].files)
				annotate(d, x, direction, side);
	if (!x->found && x->most) {
		printf("::warning title=%s, perhaps::", directions[direction]);
		put_command(d, arena_printf(d->cmd->arena, "%s requests: that hangs on %s", count_text(d, x),
		                            x->hangs ? x->hangs : "what is not told"), false);
		putchar('\n');
	}
}

/* ---- JSON ------------------------------------------------------------------------------------- */

json_t *answer_json(const struct side *s, const struct decision *d)
{
	return json_pack("{s:s, s:o}", "verdict", d->allow ? "allow" : "deny", "by", decider_json(s->unit.policy, d));
}

static json_t *rules_json(const struct diff *d, const char *rules, int direction)
{
	json_t *list = json_array();
	for (const char *at = rules; *at; at += strcspn(at, "\n") + 1)
		json_array_append_new(list, text_json(rule_text_of(d, at, strcspn(at, "\n"), direction)));
	return list;
}

static json_t *change_json(const struct diff *d, const struct change *x, int direction)
{
	json_t *o = json_pack("{s:I, s:I}", "least", (json_int_t)x->least, "most", (json_int_t)x->most);
	json_object_set_new(o, "rules", x->most && !x->rules ? json_null() : rules_json(d, x->rules ? x->rules : "", direction));
	json_object_set_new(o, "hangs", x->hangs ? text_json(x->hangs) : json_null());
	json_t *witness = x->found ? json_pack("{s:o, s:o, s:o}", "request", text_json(x->witness.text), "before",
	                                       answer_json(&d->side[0], &x->was), "after", answer_json(&d->side[1], &x->is))
	                           : json_null();
	json_object_set_new(o, "witness", witness);
	return o;
}

static void fill_json(const struct diff *d, const struct comparison *x)
{
	json_t *out = d->cmd->json.out;
	const char *relation = relation_word(x);
	json_object_set_new(out, "relation", relation ? json_string(relation) : json_null());
	json_object_set_new(out, "allowed", change_json(d, &x->allowed, 0));
	json_object_set_new(out, "denied", change_json(d, &x->denied, 1));
}

void tell_comparison(const struct diff *d, const struct comparison *x)
{
	if (d->cmd->json.on) {
		fill_json(d, x);
	} else if (d->github) {
		annotate_change(d, &x->allowed, 0);
		annotate_change(d, &x->denied, 1);
	} else if (!d->quiet) {
		print_head(d, x);
		print_change(d, &x->allowed, 0);
		print_change(d, &x->denied, 1);
		print_modes(d);
	}
}
