/*
 * eval.c - what a policy says about requests, without any kernel: the verdict
 * and the rule that decided.
 *
 * One request a word of the command line, or `-`: one a line of stdin, answered
 * as they come. Memory for a line is given back, so a stream may have no end.
 */
#include "cmd/asked.h"
#include "cmd/audit/audit.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"
#include "policy/asked.h"
#include "policy/host.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {OPTION_JSON, OPTION_PARAM, OPTION_LIMIT, OPTION_UNCONFINED, OPTION_HELP, {0}};
enum { LINE_MAX_BYTES = 32 << 10 };
#define REQUEST_HINT "a request is TYPE MAJOR:MINOR ACCESS, such as c 1:3 rw (or /dev/null rw), then facts such as uid=1000"

struct waiting { struct request request; struct span at; };

struct evaluation {
	struct cmd *c;
	const struct unit *unit;
	struct probe *probe; /* NULL, or who is asked: the kernel does not show what it has */
	bool stream;   /* requests come from stdin: JSON is one object a line */
	json_t *results;
	struct device_names *names; /* of --json */
	bool denied, failed, wrong; /* wrong: one of the command line is no request */
	bool noted;    /* of a file that no rule names */
	int broken;    /* a status: nobody answers any more */
	/* read, and not answered yet */
	struct waiting waiting[ASK_MOST];
	struct request_record records[ASK_MOST];
	size_t n;
};

static json_t *result_json(const struct evaluation *ev, const struct request *r,
                           const struct decision *d)
{
	const char *path = device_path(ev->names, r->type, (uint32_t)r->major, (uint32_t)r->minor);
	return json_pack("{s:o, s:o, s:s, s:o}", "request", text_json(r->text), "device",
	                 path ? text_json(path) : json_null(), "verdict", d->allow ? "allow" : "deny", "by",
	                 ev->probe ? json_pack("{s:b, s:s}", "default", 0, "label", ASKED) : decider_json(ev->unit->policy, d));
}

static void print_line(json_t *o, int line)
{
	json_object_set_new(o, "schema", json_string(JSON_SCHEMA));
	json_object_set_new(o, "line", json_integer(line));
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(o);
}

static void tell_verdict(struct evaluation *ev, const struct request *r, const struct decision *d, int line)
{
	struct cmd *c = ev->c;
	ev->denied |= !d->allow;
	if (c->json.on && ev->stream) {
		print_line(result_json(ev, r, d), line);
	} else if (c->json.on) {
		json_array_append_new(ev->results, result_json(ev, r, d));
	} else {
		fputs(d->allow ? "allow " : "deny ", stdout);
		put_text(stdout, r->text);
		putchar('\t');
		put_text(stdout, ev->probe ? ASKED : decider_text(c->arena, ev->unit->policy, d));
		putchar('\n');
	}
}

static void complain(struct evaluation *ev, const char *text, int line)
{
	struct cmd *c = ev->c;
	ev->failed = true;
	if (ev->stream)
		for (size_t i = 0; i < c->diags.n; i++)
			c->diags.items[i].source = text;
	diags_flush(c);
	if (!c->json.on || !ev->stream)
		return;
	json_t *o = json_object();
	json_object_set_new(o, "diagnostics", c->json.diagnostics);
	c->json.diagnostics = NULL;
	print_line(o, line);
}

/* Has those that wait answered, in their order. */
static void settle(struct evaluation *ev)
{
	struct cmd *c = ev->c;
	const struct policy *p = ev->unit->policy;
	struct verdict_pair said[ASK_MOST];
	size_t n = ev->n;
	ev->n = 0;
	if (!n || ev->broken)
		return;
	ev->broken = unit_ask(c, ev->unit, ev->records, n, said);
	for (size_t i = 0; i < n && !ev->broken; i++) {
		const struct request *r = &ev->waiting[i].request;
		struct span at = ev->waiting[i].at;
		struct decision d;
		if (!verdict_decision(c, p, &said[i].diagram, &d) || said[i].diagram.status == VERDICT_FAILED) {
			diag_fail(&c->diags, NULL, "%s: the process that proves the policy gave no answer", r->text);
			ev->broken = STATUS_FAILED;
		} else if (said[i].diagram.status == VERDICT_MISSING) {
			missing_fact(c, p, at, r->text, said[i].diagram.missing, said[i].open);
			complain(ev, r->text, at.line);
		} else {
			tell_verdict(ev, r, &d, at.line);
		}
	}
}

/* Puts one to the kernel. */
static void ask_kernel(struct evaluation *ev, const struct request *r, struct span at)
{
	struct cmd *c = ev->c;
	const char *why;
	enum probe_answer said = ev->broken ? PROBE_FAILED : probe_ask(ev->probe, r, &why);
	if (ev->broken)
		return;
	if (said == PROBE_FAILED) {
		diag_fail(&c->diags, "ask again", "%s: the kernel gave no answer: %s", r->text, why);
		ev->broken = STATUS_FAILED;
	} else if (said == PROBE_SKIPPED) {
		diag_add(&c->diags, DIAG_ERROR, at, "leave it out, or ask as a process that can be", "%s: the kernel cannot be asked that: %s",
		         r->text, why);
		complain(ev, r->text, at.line);
	} else {
		tell_verdict(ev, r, &(struct decision){.allow = said == PROBE_ALLOW}, at.line);
	}
}

/* A path that no rule names is as good as "-". Of a mistake in it nothing else would be seen: that is said once. */
static void note_unnamed(struct evaluation *ev, enum input in, const char *path)
{
	struct cmd *c = ev->c;
	const struct asked *as = policy_asks(ev->unit->policy);
	const char *names = "";
	size_t n = 0;
	for (size_t i = 0; i < as->npaths; i++) {
		const struct path_named *named = &as->paths[i];
		if (named->is_cgroup)
			continue;
		if (!strcmp(named->path, path))
			return;
		if (n++ < 4)
			names = arena_printf(c->arena, "%s%s%s", names, *names ? ", " : "", named->path);
	}
	if (!n)
		return;
	struct diag said = {.level = DIAG_WARNING, .hint = arena_printf(c->arena, "it names %s%s", names, n > 4 ? ", ..." : ""),
	                    .text = arena_printf(c->arena, "%s=%s: no rule names that file: it is taken as %s=-", input_name(in), path, input_name(in))};
	bool quiet = c->quiet;
	c->quiet = false;
	diag_show(c, &said);
	c->quiet = quiet;
	ev->noted = true;
}

static void note_files(struct evaluation *ev, const struct request *r)
{
	if (!ev->noted && r->known & INPUT(IN_EXE) && r->fact[IN_EXE])
		note_unnamed(ev, IN_EXE, r->who.exe);
	if (!ev->noted && r->known & INPUT(IN_PARENT_EXE) && r->fact[IN_PARENT_EXE])
		note_unnamed(ev, IN_PARENT_EXE, r->who.parent_exe);
}

/* Takes one request in. `at` is its line on stdin. */
static void answer(struct evaluation *ev, const char *text, struct span at)
{
	struct cmd *c = ev->c;
	struct request r = {0};
	const char *error, *hint;
	int unread = request_parse(c->arena, &host_here, text, &r, &error, &hint);
	if (!unread && ev->probe) {
		ask_kernel(ev, &r, at);
		return;
	}
	if (!unread && !more_fits(c, ev->unit->policy, at, &r)) {
		settle(ev);
		ev->wrong |= !ev->stream;
		complain(ev, text, at.line);
		return;
	}
	if (!unread) {
		note_files(ev, &r);
		ev->records[ev->n] = request_record(&r);
		ev->waiting[ev->n++] = (struct waiting){r, at};
		if (ev->n == ASK_MOST)
			settle(ev);
		return;
	}
	settle(ev);
	ev->wrong |= !ev->stream && unread != REQUEST_UNKNOWN;
	hint = hint ? hint : REQUEST_HINT;
	if (ev->stream)
		diag_add(&c->diags, DIAG_ERROR, at, hint, "%s", error);
	else
		diag_add(&c->diags, DIAG_ERROR, at, hint, "%s: %s", *text ? text : "''", error);
	complain(ev, text, at.line);
}

/* ---- requests from stdin ------------------------------------------------------ */

struct reader {
	struct evaluation *ev;
	char buf[LINE_MAX_BYTES];
	size_t start, end; /* what was read and not yet taken */
	bool eof;
	int error;
};

/* More bytes; answers given so far go out first, so that a partner who waits
 * for them can go on. */
static void read_more(struct reader *in)
{
	settle(in->ev);
	fflush(stdout);
	memmove(in->buf, in->buf + in->start, in->end - in->start);
	in->end -= in->start;
	in->start = 0;
	ssize_t n;
	do
		n = read(STDIN_FILENO, in->buf + in->end, sizeof in->buf - 1 - in->end);
	while (n < 0 && errno == EINTR);
	in->error = n < 0 ? errno : 0;
	in->eof = n <= 0 || ferror(stdout) || in->ev->broken;
	in->end += n > 0 ? (size_t)n : 0;
}

/* The next line, NUL-terminated, or NULL at the end. *bad says what keeps it
 * from being a request; a line too long is read to its end. */
static char *next_line(struct reader *in, const char **bad)
{
	bool dropped = false;
	*bad = NULL;
	for (;;) {
		char *line = in->buf + in->start, *end;
		size_t have = in->end - in->start;
		if ((end = memchr(line, '\n', have)) || (in->eof && (have || dropped))) {
			size_t len = end ? (size_t)(end - line) : have;
			line[len] = '\0';
			in->start += len + (end != NULL);
			if (dropped)
				*bad = "this line is too long for a request";
			else if (strlen(line) != len)
				*bad = "this line has a NUL byte";
			return dropped ? in->buf + sizeof in->buf - 1 : line;
		}
		if (in->eof)
			return NULL;
		if (have == sizeof in->buf - 1) {
			dropped = true;
			in->start = in->end = 0;
			in->buf[sizeof in->buf - 1] = '\0';
		}
		read_more(in);
	}
}

static bool is_blank(const char *line)
{
	line += strspn(line, " \t\r\v\f");
	return !*line || *line == '#';
}

/* A fresh arena for what is said of the next requests. */
static void renew_arena(struct cmd *c)
{
	arena_free(c->arena);
	c->arena = NULL;
	c->arena = cmd_arena(c);
	diags_init(&c->diags, c->arena);
}

/* Answers every line; c->arena is a fresh one for every batch of them. */
static void answer_stream(struct evaluation *ev)
{
	static struct reader in;
	struct cmd *c = ev->c;
	struct arena *policy_arena = c->arena;
	const char *bad;
	char *line;
	in.ev = ev;
	c->arena = NULL;
	renew_arena(c);
	for (int n = 1; !ev->broken && (line = next_line(&in, &bad)); n++) {
		struct span at = {.file = "stdin", .line = n};
		if (!ev->n)
			renew_arena(c);
		if (bad) {
			settle(ev);
			diag_add(&c->diags, DIAG_ERROR, at, REQUEST_HINT, "%s", bad);
			complain(ev, NULL, n);
		} else if (!is_blank(line)) {
			answer(ev, line, at);
		}
	}
	settle(ev);
	diags_flush(c);
	arena_free(c->arena);
	c->arena = policy_arena;
	diags_init(&c->diags, c->arena);
	if (in.error) {
		diag_fail(&c->diags, NULL, "cannot read stdin: %s", strerror(in.error));
		ev->failed = true;
	}
	c->json.printed = true;
}

/* ---- requests from the command line ------------------------------------------- */

/* Does this word start a request? `c 1:3 rw uid=0` may be given as one word or
 * unquoted as four: a type letter or a path starts one, other words go on. */
static bool starts_request(const char *word)
{
	size_t first = strcspn(word, " \t");
	if (memchr(word, '=', first))
		return false;
	return word[first] || word[0] == '/' || strcmp(word, "c") == 0 || strcmp(word, "b") == 0;
}

static void answer_words(struct evaluation *ev, int argc, char **argv)
{
	for (int i = 0; i < argc;) {
		const char *text = argv[i++];
		while (i < argc && !starts_request(argv[i]))
			text = arena_printf(ev->c->arena, "%s %s", text, argv[i++]);
		answer(ev, text, (struct span){0});
	}
	settle(ev);
}

/* The unit, or, where it cannot be read, who is asked in its place. */
static int load(struct cmd *c, const char *source, struct unit *u, struct probe **probe)
{
	*probe = NULL;
	c->quiet = true;
	int status = unit_load(c, &c->settings, source, &(struct load){.depth = LOAD_DIAGRAM, .keep = true}, u);
	if (status != STATUS_FAILED || !asked_needed(c, source))
		return status;
	diags_init(&c->diags, c->arena);
	status = asked_open(c, source, probe);
	if (!status)
		asked_say(c, source);
	return status;
}

static int eval(struct cmd *c, int argc, char **argv)
{
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	int n = argc - optind - 1;
	if (n < 1)
		return usage_error(c, NULL, n < 0 ? "no source given" : "no request given");
	const char *path = argv[optind];
	bool stream = n == 1 && strcmp(argv[optind + 1], "-") == 0;
	const char *file = source_file(c->arena, path);
	if (stream && file && strcmp(file, "-") == 0)
		return usage_error(c, NULL, "policy and requests cannot both be stdin");
	struct unit u;
	struct probe *probe;
	int status = load(c, path, &u, &probe);
	if (status)
		return status;
	diags_flush(c);
	static struct evaluation ev;
	ev = (struct evaluation){.c = c, .unit = &u, .probe = probe, .stream = stream,
	                         .names = c->json.on ? device_names_new(c->arena) : NULL};
	if (c->json.on && !stream) {
		ev.results = json_array();
		json_object_set_new(c->json.out, "policy", text_json(probe ? path : u.policy->name));
		json_object_set_new(c->json.out, "results", ev.results);
	}
	if (stream)
		answer_stream(&ev);
	else
		answer_words(&ev, n, argv + optind + 1);
	probe_close(probe);
	return ev.broken ? ev.broken : ev.wrong ? STATUS_USAGE : ev.failed ? STATUS_FAILED : ev.denied ? STATUS_DENY : STATUS_OK;
}

const struct verb verb_eval = {
	.name = "eval",
	.synopsis = "SOURCE REQUEST... | -  [--param K=V]... [--json]",
	.summary = "Tell the verdict on requests and the rule that decided",
	.help = SOURCE_HELP
		"Where the kernel does not show a program, it is asked itself, and eval says so.\n\n"
		"REQUEST is 'c 1:3 rw': type, major:minor, any of r w m (- for none); or a path:\n"
		"'/dev/null rw'. Facts about the caller follow: 'b 8:0 r uid=1000 comm=qemu'. A\n"
		"fact that decides must be given. Unquoted words are joined: a type letter or a\n"
		"path starts the next request. `-` reads one request a line from stdin (with\n"
		"--json: one object a line); blank lines and # comments are passed over.\n\n"
		REQUEST_FACTS
		"Prints `allow c 1:3 rw`, a tab, and the deciding rule as FILE:LINE label. Exit\n"
		"status 2 when any request is denied, 1 when any could not be answered, 64 when\n"
		"one of the command line is no request. A request always has letters, or - for\n"
		"none of them.\n\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = eval,
	.usage = "SOURCE REQUEST... | -",
	.example = "echo 'allow :null' | " PROGRAM " eval - 'c 1:3 rw'",
};
