/*
 * learn_ruby.c - what was learned as Ruby.
 *
 * Of what was recorded only numbers, names that were checked to be devices, paths of programs that were checked to need
 * no escape, and names of processes get into the text; the last in comments alone, safe to print: so no byte of them ends a line.
 */
#include "policy/arena.h"
#include "policy/learn.h"
#include "policy/text.h"

#include <string.h>

enum { COLUMNS = 100, DEVICES_SHOWN = 32, PROGRAMS_SHOWN = 6, NAME_WIDTH = 24, ITEMS_OF_STRING = 12, RANGES_OF_LIST = 3 };

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "sh, cat and 3 more" */
static const char *programs_text(struct arena *a, const struct learned_use *u)
{
	const char *text = "";
	size_t shown = u->nprograms < PROGRAMS_SHOWN ? u->nprograms : PROGRAMS_SHOWN, more = u->nprograms - shown;
	for (size_t i = 0; i < shown; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", *u->programs[i].name ? u->programs[i].name : "(no name)");
	if (u->others)
		return arena_printf(a, "%s and more", text);
	return more ? arena_printf(a, "%s and %zu more", text, more) : text;
}

/* A line of comment for each device: how often, and by whom. */
static void put_uses(FILE *out, struct arena *a, const struct learned_rule *r)
{
	uint64_t rest = 0;
	int width = 0;
	for (size_t i = 0; i < r->n && i < DEVICES_SHOWN; i++) {
		int n = (int)strlen(r->uses[i].name.shown);
		width = n > width && n <= NAME_WIDTH ? n : width;
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct learned_use *u = &r->uses[i];
		if (i >= DEVICES_SHOWN) {
			learned_count(&rest, u->times);
			continue;
		}
		fprintf(out, "#   %-*s  %llu time%s by %s", width, u->name.shown, (unsigned long long)u->times, plural(u->times),
		        programs_text(a, u));
		if (u->name.why)
			fprintf(out, "; %zu number%s: %s", u->devices, plural(u->devices), u->name.why);
		if (u->denied)
			fprintf(out, "; filters denied it %llu time%s", (unsigned long long)u->denied, plural(u->denied));
		if (u->gone)
			fprintf(out, "; the program%s of %llu had ended", plural(u->gone), (unsigned long long)u->gone);
		if (u->unnamed)
			fprintf(out, "; %llu of a file that no rule may name", (unsigned long long)u->unnamed);
		putc('\n', out);
	}
	if (rest)
		fprintf(out, "#   and %zu more, %llu time%s\n", r->n - DEVICES_SHOWN, (unsigned long long)rest, plural(rest));
}

/* ---- devices ---------------------------------------------------------------------------------- */

/* The devices of a rule as they stand in it. */
struct items { const char **list; size_t n, cap; };

/* Neighbours among uses that are told by their numbers, of one major: as strings of a bearable length. How many. */
static size_t add_numbers(struct arena *a, const struct learned_use *u, size_t n, struct items *out)
{
	size_t count = 0, cap = 0, nmerged = 0;
	struct interval *minors = NULL;
	for (; count < n && !u[count].name.text && u[count].name.type == u->name.type &&
	       u[count].name.majors.lo == u->name.majors.lo;
	     count++)
		*ARENA_PUSH(a, minors, nmerged, cap) = u[count].name.minors;
	nmerged = intervals_merge(minors, nmerged);
	for (size_t i = 0; i < nmerged; i += ITEMS_OF_STRING) {
		size_t part = nmerged - i < ITEMS_OF_STRING ? nmerged - i : ITEMS_OF_STRING;
		*ARENA_PUSH(a, out->list, out->n, out->cap) =
			arena_printf(a, "\"%c %lld:%s\"", u->name.type == DEV_BLOCK ? 'b' : 'c', (long long)u->name.majors.lo,
		                     intervals_text(a, minors + i, part, MINOR_MAX));
	}
	return count;
}

static struct items items_of(struct arena *a, const struct learned_rule *r)
{
	struct items out = {0};
	for (size_t i = 0; i < r->n;) {
		if (!r->uses[i].name.text) {
			i += add_numbers(a, r->uses + i, r->n - i, &out);
			continue;
		}
		*ARENA_PUSH(a, out.list, out.n, out.cap) = r->uses[i++].name.text;
	}
	return out;
}

/* ---- users ----------------------------------------------------------------------------------------- */

/* A condition that they alone fulfil. */
static const char *users_text(struct arena *a, const struct learned_use *u)
{
	struct interval *list = arena_alloc(a, (u->nuids + 1) * sizeof *list);
	struct arena_stream s;
	bool ranges = false;
	for (size_t i = 0; i < u->nuids; i++)
		list[i] = (struct interval){u->uids[i], u->uids[i]};
	size_t n = intervals_merge(list, u->nuids);
	if (intervals_are_one(list, n))
		return arena_printf(a, "ctx.uid == %lld", (long long)list->lo);
	for (size_t i = 0; i < n; i++)
		ranges |= list[i].hi - list[i].lo >= RANGES_OF_LIST;
	FILE *out = arena_stream(a, &s);
	size_t column = 0;
	fputs("[", out);
	for (size_t i = 0; i < n; i++)
		for (int64_t uid = list[i].lo; uid <= list[i].hi; uid++) {
			const char *one = ranges ? arena_printf(a, "%lld..%lld", (long long)list[i].lo, (long long)list[i].hi)
			                         : arena_printf(a, "%lld", (long long)uid);
			bool first = !i && uid == list->lo;
			column += strlen(one) + 2;
			fprintf(out, "%s%s%s", first ? "" : ",", first ? "" : column > COLUMNS ? "\n      " : " ", one);
			column = column > COLUMNS ? 0 : column;
			if (ranges)
				break;
		}
	fputs(ranges ? "].any? { |uids| uids.include?(ctx.uid) }" : "].include?(ctx.uid)", out);
	return arena_text(a, &s);
}

/* ---- programs -------------------------------------------------------------------------------------- */

/* A condition that they alone fulfil. */
static const char *exes_text(struct arena *a, const struct learned_use *u)
{
	struct arena_stream s;
	if (u->nexes == 1)
		return arena_printf(a, "ctx.exe == \"%s\"", *u->exes);
	FILE *out = arena_stream(a, &s);
	size_t column = 0;
	for (size_t i = 0; i < u->nexes; i++) {
		column += strlen(u->exes[i]) + 4;
		fprintf(out, "%s%s\"%s\"", i ? "," : "[", !i ? "" : column > COLUMNS ? "\n      " : " ", u->exes[i]);
		column = column > COLUMNS ? strlen(u->exes[i]) : column;
	}
	fputs("].include?(ctx.exe)", out);
	return arena_text(a, &s);
}

/* The block of a rule, or "". */
static const char *block_text(struct arena *a, const struct learned_use *u)
{
	const char *parts[] = {u->letters ? NULL : "ctx.requested == 0", u->nuids ? users_text(a, u) : NULL,
	                       u->nexes ? exes_text(a, u) : NULL};
	const char *all = NULL;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i])
			all = all ? arena_printf(a, "%s && %s", all, parts[i]) : parts[i];
	return all ? arena_printf(a, " { |ctx| %s }", all) : "";
}

/* ---- a rule ------------------------------------------------------------------------------------------ */

static const char *label_of(struct arena *a, const struct learned_rule *r)
{
	const struct learned_name *n = &r->uses->name;
	const char *words =
		r->n == 1 && *n->what && strcspn(n->what, "\"\\#") == strlen(n->what) ? n->what : learned_section(r->section);
	return r->uses->letters ? words : arena_printf(a, "%s: only looked for", words);
}

static void put_rule(FILE *out, struct arena *a, const struct learned_rule *r)
{
	char letters[4];
	struct items items = items_of(a, r);
	const char *block = block_text(a, r->uses), *access = r->uses->letters ? access_text(r->uses->letters, letters) : NULL;
	if (access && items.n == 1 && *items.list[0] == '"') {
		size_t n = strlen(items.list[0]);
		items.list[0] = arena_printf(a, "%.*s %s\"", (int)n - 1, items.list[0], access);
		access = NULL;
	}
	if (access)
		*ARENA_PUSH(a, items.list, items.n, items.cap) = arena_printf(a, "access: \"%s\"", access);
	*ARENA_PUSH(a, items.list, items.n, items.cap) = arena_printf(a, "label: \"%s\"", label_of(a, r));
	size_t column = (size_t)fprintf(out, "allow%s", *block ? "(" : " ");
	for (size_t i = 0; i < items.n; i++) {
		size_t n = strlen(items.list[i]) + 2;
		if (i && column + n > COLUMNS) {
			fputs(",\n      ", out);
			column = strlen("      ");
		} else if (i) {
			fputs(", ", out);
		}
		fputs(items.list[i], out);
		column += n;
	}
	fprintf(out, "%s%s\n", *block ? ")" : "", block);
}

static void put_rules(FILE *out, struct arena *a, const struct learned_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i && rules[i].section != rules[i - 1].section)
			putc('\n', out);
		put_uses(out, a, &rules[i]);
		put_rule(out, a, &rules[i]);
	}
}

bool learned_ruby_rules(FILE *out, struct arena *a, const struct learned *l, const struct host *h, bool denied,
                        const char *indent)
{
	struct learned_rule *rules;
	struct arena_stream s;
	size_t n, len;
	learned_rules(a, h, l, denied, &rules, &n);
	put_rules(arena_stream(a, &s), a, rules, n);
	for (const char *at = arena_text(a, &s); *at; at += len + 1) {
		len = strcspn(at, "\n");
		if (len)
			fprintf(out, "%s%.*s", indent, (int)len, at);
		putc('\n', out);
	}
	return n > 0;
}

/* ---- the policy ------------------------------------------------------------------------------------------ */

static void put_head(FILE *out, const struct learned *l, const struct learn_text *t)
{
	uint64_t total = learned_total(l);
	fprintf(out, "# Learned by rucy-devguard learn%s%s: %llu request%s, %zu different, in %llu recording%s.\n",
	        t->from ? " from " : "",
	        t->from ? t->from : "", (unsigned long long)total, plural(total), l->n, (unsigned long long)l->runs, plural(l->runs));
	if (l->lost)
		fprintf(out, "# INCOMPLETE: %llu more request%s not recorded. What nothing else asked for is not allowed here.\n",
		        (unsigned long long)l->lost, l->lost == 1 ? " was" : "s were");
	if (l->permitted)
		fprintf(out, "# In %llu recording%s what filters deny was let pass (--permissive).\n",
		        (unsigned long long)l->permitted, plural(l->permitted));
	fprintf(out, "policy \"%s\"\ndefault :deny\n", t->name);
}

void learned_ruby(FILE *out, struct arena *a, const struct learned *l, const struct learn_text *t)
{
	struct arena_stream allowed, denied;
	FILE *rules = arena_stream(a, &allowed);
	bool some = learned_ruby_rules(rules, a, l, t->host, false, "");
	const char *text = arena_text(a, &allowed);
	put_head(out, l, t);
	rules = arena_stream(a, &denied);
	bool refused = learned_ruby_rules(rules, a, l, t->host, true, "# ");
	const char *comments = arena_text(a, &denied);
	fprintf(out, some ? "\n%s" : refused ? "\n# No device was let pass.\n%s" : "\n# No device was used.\n%s", text);
	if (refused)
		fprintf(out, "\n# Denied while it was recorded, so denied here. Without the first # of a line it is allowed.\n%s", comments);
}
