/*
 * diff_replay.c - requests that `audit --json` recorded, put to both sides: which would be decided otherwise?
 *
 * A record has the device, what was asked and facts about who asked. A fact that it does not have, and that
 * decides, leaves the request unknown. Requests that change alike are told once, with how often they were made.
 */
#include "cmd/audit/audit.h"
#include "cmd/verbs/diff.h"
#include "policy/access.h"
#include "policy/asked.h"
#include "policy/host.h"
#include "policy/table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 64 << 10, CHANGES_MAX = 10000, CHANGES_SHOWN = 100, BROKEN_SHOWN = 20 };
#define RECORD_HINT "records are the lines that rucy-devguard audit --json prints, or a recording of learn"

/* A record that waits for its answers. */
struct record { struct request request; uint64_t count; int line; };

/* Requests that are decided otherwise, by the same rules. */
struct changed {
	struct request first;
	struct decision was, is;
	uint64_t count;
	int line;
};

struct replaying {
	const struct diff *diff;
	struct cmd *cmd;
	FILE *in;
	const char *file;
	struct record waiting[ASK_MOST];
	struct request_record asked[ASK_MOST];
	size_t n;
	struct changed *list;
	size_t nlist, cap;
	struct table unique;
	uint64_t records, requests, allowed, denied, unknown, broken;
	uint64_t untold;  /* requests of changes that the list has no room for */
	input_set missing; /* facts that decide, and were not recorded */
	int failed;       /* a status: nobody answers any more */
};

/* ---- a line ------------------------------------------------------------------------------------- */

static void complain(struct replaying *r, int line, const char *what)
{
	if (r->broken++ < BROKEN_SHOWN)
		diag_add(&r->cmd->diags, DIAG_ERROR, (struct span){.file = r->file, .line = line}, RECORD_HINT, "%s", what);
}

static bool number_of(const json_t *o, const char *key, int64_t most, int64_t *out)
{
	const json_t *v = json_object_get(o, key);
	*out = json_is_integer(v) ? json_integer_value(v) : -1;
	return *out >= 0 && *out <= most;
}

/* The name, where it was recorded as it is. */
static void comm_of(const json_t *o, struct request *q)
{
	const json_t *v = json_object_get(o, "comm");
	const char *name = json_string_value(v);
	char bytes[2 * sizeof(int64_t)] = {0};
	if (!name || json_string_length(v) >= sizeof bytes || strlen(name) != json_string_length(v) || strstr(name, "\\x"))
		return;
	memcpy(bytes, name, strlen(name));
	memcpy(&q->fact[IN_COMM_0], bytes, sizeof bytes);
	q->known |= INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
}

/* Facts about the task: a record has them as a request, a recording of learn has a program's file. */
static const char *task_of(struct arena *a, const json_t *o, struct request *q)
{
	const char *words = json_string_value(json_object_get(o, "request")), *exe = json_string_value(json_object_get(o, "exe"));
	const char *error, *hint;
	struct request told;
	if (exe && !path_fault(exe, strlen(exe))) {
		q->fact[IN_EXE] = path_value(exe, strlen(exe));
		q->who.exe = arena_strdup(a, exe);
		q->known |= INPUT(IN_EXE);
	}
	if (!words)
		return NULL;
	if (request_parse(a, &host_dev, words, &told, &error, &hint) || told.type != q->type || told.access != q->access ||
	    told.major != q->major || told.minor != q->minor)
		return "the request of this record is not that of its other fields";
	*q = told;
	return NULL;
}

static const char *record_of(struct arena *a, const json_t *o, struct record *out)
{
	struct request *q = &out->request;
	const char *type = json_string_value(json_object_get(o, "type")), *letters = json_string_value(json_object_get(o, "requested"));
	int64_t count = 1;
	*out = (struct record){0};
	if (!json_is_object(o) || !type || !letters || (strcmp(type, "c") && strcmp(type, "b")))
		return "this line is no record of a request";
	q->type = *type == 'c' ? DEV_CHAR : DEV_BLOCK;
	q->access = strcmp(letters, "-") ? access_parse(letters) : 0;
	if (q->access < 0 || !number_of(o, "major", MAJOR_MAX, &q->major) || !number_of(o, "minor", MINOR_MAX, &q->minor))
		return "this record has no device, or no letters";
	if (json_object_get(o, "count") && !number_of(o, "count", INT64_MAX, &count))
		return "this record has no count";
	out->count = (uint64_t)count;
	for (int in = IN_UID; in < IN_COMM_0; in++) {
		int64_t least, most;
		input_range((enum input)in, &least, &most);
		if (number_of(o, input_name((enum input)in), most, &q->fact[in]))
			q->known |= INPUT(in);
	}
	comm_of(o, q);
	return task_of(a, o, q);
}

/* ---- answers --------------------------------------------------------------------------------------- */

static struct changed *changed_of(struct replaying *r, const struct request *q, const struct decision *was,
                                  const struct decision *is)
{
	uint64_t h = table_mix((uint64_t)q->type << 8 | (uint64_t)q->access, (uint64_t)q->major);
	h = table_mix(table_mix(h, (uint64_t)q->minor), is->allow);
	h = table_mix(table_mix(h, (uintptr_t)was->rule), (uintptr_t)is->rule);
	for (struct table_look l = table_look(&r->unique, (uint32_t)h); table_next(&r->unique, &l);) {
		struct changed *x = &r->list[l.place];
		if (x->first.type == q->type && x->first.access == q->access && x->first.major == q->major && x->first.minor == q->minor &&
		    x->is.allow == is->allow && x->was.rule == was->rule && x->is.rule == is->rule)
			return x;
	}
	if (r->nlist == CHANGES_MAX)
		return NULL;
	table_add(&r->unique, r->cmd->arena, (uint32_t)h, (uint32_t)r->nlist);
	struct changed *x = ARENA_PUSH(r->cmd->arena, r->list, r->nlist, r->cap);
	*x = (struct changed){.first = *q, .was = *was, .is = *is};
	x->first.text = request_words(r->cmd->arena, q);
	return x;
}

/* A sum that JSON can hold, and that never comes round to nothing. */
static void add_count(uint64_t *sum, uint64_t n)
{
	*sum = n > INT64_MAX - *sum ? INT64_MAX : *sum + n;
}

static void settle_one(struct replaying *r, const struct record *w, const struct verdict said[2])
{
	struct decision d[2];
	add_count(&r->requests, w->count);
	for (int i = 0; i < 2; i++) {
		if (!verdict_decision(r->cmd, r->diff->side[i].unit.policy, &said[i], &d[i]) || said[i].status == VERDICT_FAILED) {
			diag_fail(&r->cmd->diags, NULL, "the process that proves the policy gave no answer");
			r->failed = STATUS_FAILED;
			return;
		}
		if (said[i].status == VERDICT_MISSING) {
			add_count(&r->unknown, w->count);
			r->missing |= INPUT(said[i].missing);
			return;
		}
	}
	if (d[0].allow == d[1].allow)
		return;
	add_count(d[1].allow ? &r->allowed : &r->denied, w->count);
	struct changed *x = changed_of(r, &w->request, &d[0], &d[1]);
	if (!x) {
		add_count(&r->untold, w->count);
		return;
	}
	x->line = x->count ? x->line : w->line;
	add_count(&x->count, w->count);
}

static void settle(struct replaying *r)
{
	struct verdict_pair said[2][ASK_MOST];
	size_t n = r->n;
	r->n = 0;
	for (int i = 0; i < 2 && n && !r->failed; i++)
		r->failed = unit_ask(r->cmd, &r->diff->side[i].unit, r->asked, n, said[i]);
	for (size_t i = 0; i < n && !r->failed; i++)
		settle_one(r, &r->waiting[i], (struct verdict[]){said[0][i].diagram, said[1][i].diagram});
}

/* ---- the file ----------------------------------------------------------------------------------------- */

/* The next line without its end: false at the end of the file. *len is more than it has room for: too long. */
static bool next_line(FILE *in, char *line, size_t *len)
{
	int c = getc_unlocked(in);
	if (c == EOF)
		return false;
	for (*len = 0; c != EOF && c != '\n'; c = getc_unlocked(in))
		if (++*len < LINE_BYTES)
			line[*len - 1] = (char)c;
	return true;
}

static void take_line(struct replaying *r, const char *line, size_t len, int number)
{
	json_error_t error;
	if (len >= LINE_BYTES) {
		complain(r, number, "this line is too long for a record");
		return;
	}
	if (!len)
		return;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	struct record *w = &r->waiting[r->n];
	if (json_object_get(o, "recording")) { /* the first line of one that `learn` made */
		json_decref(o);
		return;
	}
	const char *wrong = o ? record_of(r->cmd->arena, o, w) : "this line is no JSON";
	json_decref(o);
	r->records++;
	if (wrong) {
		complain(r, number, wrong);
		return;
	}
	w->line = number;
	r->asked[r->n++] = request_record(&w->request);
	if (r->n == ASK_MOST)
		settle(r);
}

static int read_records(struct replaying *r)
{
	static char line[LINE_BYTES];
	size_t len;
	bool from_stdin = !strcmp(r->diff->replay, "-");
	int fd = from_stdin ? dup(STDIN_FILENO) : open(r->diff->replay, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	r->file = from_stdin ? "stdin" : r->diff->replay;
	r->in = fd < 0 ? NULL : fdopen(fd, "r");
	errno = r->in ? 0 : errno;
	for (int n = 1; r->in && !r->failed && next_line(r->in, line, &len); n++)
		take_line(r, line, len, n);
	int err = r->in && !ferror(r->in) ? 0 : errno ? errno : EIO;
	settle(r);
	if (r->in)
		fclose(r->in);
	if (err) {
		diag_add(&r->cmd->diags, DIAG_ERROR, (struct span){.file = r->file}, "check the path and the permissions", "%s", strerror(err));
		return STATUS_FAILED;
	}
	if (!r->failed && !r->records) {
		diag_add(&r->cmd->diags, DIAG_ERROR, (struct span){.file = r->file}, RECORD_HINT, "it has no records");
		return STATUS_FAILED;
	}
	if (r->broken > BROKEN_SHOWN)
		diag_add(&r->cmd->diags, DIAG_ERROR, (struct span){.file = r->file}, RECORD_HINT, "%llu more lines are no records",
		         (unsigned long long)(r->broken - BROKEN_SHOWN));
	return r->failed;
}

/* ---- what came of it ------------------------------------------------------------------------------------- */

static const char *missing_text(const struct replaying *r)
{
	const char *list = "";
	for (int in = 0; in < INPUT_MAX; in++) {
		bool second = in == IN_COMM_1 && r->missing & INPUT(IN_COMM_0);
		const char *name = in < IN_PARAM_0 ? input_name((enum input)in) : "what is not understood of a program";
		if (r->missing & INPUT(in) && !second)
			list = arena_printf(r->cmd->arena, "%s%s%s", list, *list ? ", " : "", name);
	}
	return list;
}

static void print_all(const struct replaying *r)
{
	printf("%llu recorded request%s: %llu newly allowed, %llu newly denied", (unsigned long long)r->requests, PLURAL(r->requests),
	       (unsigned long long)r->allowed, (unsigned long long)r->denied);
	printf(r->unknown ? ", %llu not known\n" : "\n", (unsigned long long)r->unknown);
	if (r->unknown)
		printf("not recorded, and they decide: %s\n", missing_text(r));
	for (size_t i = 0; i < r->nlist && i < CHANGES_SHOWN; i++) {
		const struct changed *x = &r->list[i];
		printf("\n%s ", x->is.allow ? "newly allowed" : "newly denied");
		put_text(stdout, x->first.text);
		printf("\n    %llu time%s, first in line %d\n", (unsigned long long)x->count, PLURAL(x->count), x->line);
		print_answer(r->diff, 0, &x->was);
		print_answer(r->diff, 1, &x->is);
	}
	if (r->nlist > CHANGES_SHOWN)
		printf("\n... (%s%zu more changes, with --json)\n", r->untold ? "more than " : "", r->nlist - CHANGES_SHOWN);
}

static void fill_json(const struct replaying *r)
{
	json_t *list = json_array(), *missing = json_array();
	for (int in = 0; in < INPUT_MAX; in++)
		if (r->missing & INPUT(in) && !(in == IN_COMM_1 && r->missing & INPUT(IN_COMM_0)))
			json_array_append_new(missing, json_string(input_name((enum input)in)));
	for (size_t i = 0; i < r->nlist; i++) {
		const struct changed *x = &r->list[i];
		json_array_append_new(list, json_pack("{s:o, s:I, s:i, s:o, s:o}", "request", text_json(x->first.text), "count",
		                                      (json_int_t)x->count, "line", x->line, "before",
		                                      answer_json(&r->diff->side[0], &x->was), "after",
		                                      answer_json(&r->diff->side[1], &x->is)));
	}
	json_object_set_new(r->cmd->json.out, "replay",
	                    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "records", (json_int_t)r->records, "broken",
	                              (json_int_t)r->broken, "requests", (json_int_t)r->requests, "allowed", (json_int_t)r->allowed,
	                              "denied", (json_int_t)r->denied, "unknown", (json_int_t)r->unknown, "untold",
	                              (json_int_t)r->untold, "missing", missing,
	                              "changes", list));
}

int replay(const struct diff *d)
{
	static struct replaying r;
	r = (struct replaying){.diff = d, .cmd = d->cmd};
	int status = read_records(&r);
	bool allowed = r.allowed && !d->looser_allowed, denied = r.denied && !d->stricter_allowed;
	if (status)
		return status;
	diags_flush(d->cmd);
	if (d->cmd->json.on)
		fill_json(&r);
	else if (!d->quiet)
		print_all(&r);
	return r.broken ? STATUS_FAILED : allowed || denied ? STATUS_DENY : r.unknown ? STATUS_FAILED : STATUS_OK;
}
