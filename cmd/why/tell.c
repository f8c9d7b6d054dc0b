/* tell.c - what `why` found, as text and as JSON. */
#include "cmd/why/why.h"

#include <string.h>
#include <sys/stat.h>

enum { INDENT = 8 }; /* of what is told below a program or the node */
static const char *const words[] = {[SAYS_ALLOW] = "allow", [SAYS_DENY] = "deny", [SAYS_UNKNOWN] = "unknown", [SAYS_OPENS] = "opens"};

static const char *verdict_of(const struct inquiry *q)
{
	return words[q->verdict];
}

/* Did the host program open what others deny? */
static bool opened(const struct inquiry *q)
{
	for (const struct opinion *o = q->list; o < q->list + q->n; o++)
		if (o->says == SAYS_OPENS)
			return true;
	return false;
}

const char *why_name(struct arena *a, const struct opinion *o)
{
	if (o->at && o->at->ours)
		return arena_printf(a, "%s (ours)", o->at->name);
	if (o->host)
		return "the host program (ours)";
	const char *kernel = o->at && *o->at->kernel_name ? o->at->kernel_name : "a program";
	return o->author ? arena_printf(a, "%s as %s writes them", kernel, o->author) : arena_printf(a, "%s of others", kernel);
}

/* ---- text ------------------------------------------------------------------------------------------ */

static void line(const char *text)
{
	printf("%*s", INDENT, "");
	put_text(stdout, text);
	putchar('\n');
}

const char *why_shortened(struct arena *a, const char *rule)
{
	enum { LONGEST = 240, HEAD = 120 };
	const char *end = strrchr(rule, ',');
	size_t head = 0;
	if (strlen(rule) <= LONGEST || !end)
		return rule;
	for (const char *at = rule; (at = strstr(at, ", ")) && at < rule + HEAD; at++)
		head = (size_t)(at - rule);
	return head ? arena_printf(a, "%.*s, ...%s", (int)head, rule, strlen(end) < HEAD ? end : "") : rule;
}

static void print_opinion(const struct inquiry *q, const struct opinion *o)
{
	printf("%-8s", words[o->says]);
	put_text(stdout, o->path ? o->path : "(above what is mounted here)");
	printf("  program %u, ", o->id);
	put_text(stdout, why_name(q->c->arena, o));
	putchar('\n');
	line(why_shortened(q->c->arena, o->rule));
	names_now_print(q->c->arena, &o->names, INDENT);
	if (o->of_others)
		line("what has that name now is denied");
	if (o->change)
		line(arena_printf(q->c->arena, "to allow it: %s", o->change));
}

static void print_process(const struct inquiry *q)
{
	const struct process_view *v = &q->view;
	if (!q->caller)
		return;
	printf("process %d, ", (int)q->held.pid);
	put_text(stdout, v->comm);
	printf(": uid %u, gid %u", v->uid, v->gid);
	if (v->fsuid != v->uid || v->fsgid != v->gid)
		printf(", opens files as uid %u, gid %u", v->fsuid, v->fsgid);
	if (!v->initial_user_ns)
		printf(", in a user namespace of its own (uid %lld there)", (long long)id_inside(&v->uids, v->uid));
	puts(v->filtered ? ", with a seccomp filter: what that forbids is not known" : "");
}

static void print_node(const struct inquiry *q)
{
	const struct node *n = &q->node;
	if (!n->path && !n->n)
		return;
	printf("%-8s", "node");
	put_text(stdout, n->path ? n->path : q->request.text);
	if (n->there)
		printf("  mode %04o, owner %u, group %u", n->mode & 07777, n->uid, n->gid);
	putchar('\n');
	for (const struct refusal *r = n->list; r < n->list + n->n; r++) {
		line(arena_printf(q->c->arena, "%s%s: %s", r->perhaps ? "perhaps " : "", r->error, r->text));
		if (r->hint)
			line(arena_printf(q->c->arena, "hint: %s", r->hint));
	}
}

/* What the programs say together. */
static void print_programs(const struct inquiry *q)
{
	size_t n = q->n - q->hosts; /* the host program decides nothing by itself */
	if (!n)
		fputs("no device program decides here", stdout);
	else if (q->denials && q->verdict == SAYS_UNKNOWN)
		printf("%zu of %zu programs den%s it, and whether another opens it is not known", q->denials, n, q->denials == 1 ? "ies" : "y");
	else if (q->denials && n == 1)
		fputs("the one program denies it", stdout);
	else if (q->denials)
		printf("%zu of %zu programs den%s it%s", q->denials, n, q->denials == 1 ? "ies" : "y", opened(q) ? "" : ", and all must allow");
	else if (q->unknown)
		printf("what %zu of %zu programs say is not known", q->unknown, n);
	else
		fputs(n == 1 ? "the one program allows it" : "all programs allow it", stdout);
	if (opened(q))
		fputs(q->verdict == SAYS_DENY ? ", the host program opens it, and one behind that denies it" : ", and the host program opens it", stdout);
	if (q->denied_by && n > 1)
		printf(": program %u%s", q->denied_by->id, q->denials > 1 ? " first" : "");
}

void why_print(const struct inquiry *q)
{
	print_process(q);
	for (const struct opinion *o = q->list; o < q->list + q->n; o++)
		print_opinion(q, o);
	print_node(q);
	printf("%s: ", verdict_of(q));
	put_text(stdout, q->request.text);
	fputs(": ", stdout);
	print_programs(q);
	if (q->node.n) {
		const struct refusal *r = q->node.list;
		printf("; %s%s%s (%s)", q->verdict == SAYS_DENY ? "besides, " : q->verdict == SAYS_UNKNOWN ? "" : "but ", r->perhaps ? "perhaps " : "", r->what, r->error);
	}
	putchar('\n');
}

/* ---- JSON -------------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text && *text ? text_json(text) : json_null();
}

static json_t *opinion_json(const struct opinion *o)
{
	const struct rule_told *own = o->own.known ? &o->own : NULL;
	json_t *out = json_pack("{s:I, s:b, s:o, s:o, s:o, s:s, s:o}", "program", (json_int_t)o->id, "host", o->host, "cgroup", text_or_null(o->path),
	                        "policy", text_or_null(o->at && o->at->ours ? o->at->name : NULL), "author", text_or_null(o->author),
	                        "verdict", words[o->says], "text", text_json(o->rule));
	json_object_set_new(out, "file", text_or_null(own ? own->file : NULL));
	json_object_set_new(out, "line", own && own->line ? json_integer(own->line) : json_null());
	json_object_set_new(out, "label", text_or_null(own ? own->label : NULL));
	json_object_set_new(out, "permissive", json_boolean(own && own->permissive));
	json_object_set_new(out, "change", text_or_null(o->change));
	json_object_set_new(out, "names", names_now_json(&o->names));
	return out;
}

static json_t *node_json(const struct inquiry *q)
{
	const struct node *n = &q->node;
	json_t *list = json_array(), *out = json_object();
	for (const struct refusal *r = n->list; r < n->list + n->n; r++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:b}", "what", r->what, "errno", r->error, "text", text_json(r->text),
		                                      "hint", text_or_null(r->hint), "perhaps", r->perhaps));
	json_object_set_new(out, "path", text_or_null(n->path));
	json_object_set_new(out, "there", json_boolean(n->there));
	if (n->there) {
		json_object_set_new(out, "mode", json_integer(n->mode & 07777));
		json_object_set_new(out, "uid", json_integer(n->uid));
		json_object_set_new(out, "gid", json_integer(n->gid));
	}
	json_object_set_new(out, "refusals", list);
	return out;
}

static json_t *process_json(const struct inquiry *q)
{
	const struct process_view *v = &q->view;
	return json_pack("{s:I, s:o, s:I, s:I, s:b, s:b}", "pid", (json_int_t)q->held.pid, "comm", text_json(v->comm), "uid",
	                 (json_int_t)v->uid, "gid", (json_int_t)v->gid, "host_user_ns", v->initial_user_ns, "seccomp", v->filtered);
}

void why_json(const struct inquiry *q)
{
	json_t *list = json_array(), *out = q->c->json.out;
	for (const struct opinion *o = q->list; o < q->list + q->n; o++)
		json_array_append_new(list, opinion_json(o));
	json_object_set_new(out, "request", text_json(q->request.text));
	json_object_set_new(out, "verdict", json_string(verdict_of(q)));
	json_object_set_new(out, "denied_by", q->denied_by ? json_integer(q->denied_by->id) : json_null());
	json_object_set_new(out, "opened_by", opened(q) && q->answer.grant ? json_integer((json_int_t)q->answer.grant->id) : json_null());
	json_object_set_new(out, "host", q->hosts ? hosted_json(q->c->arena, &q->host, &q->here) : json_null());
	json_object_set_new(out, "programs", list);
	json_object_set_new(out, "node", node_json(q));
	json_object_set_new(out, "process", q->caller ? process_json(q) : json_null());
}
