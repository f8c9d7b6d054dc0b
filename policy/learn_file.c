/*
 * learn_file.c - recordings as JSON lines: written, read, added up. Linear in the text.
 *
 * Anybody may have written such a file: numbers are checked, texts must be safe to print, and what a first line
 * promises must follow. The counts of a request are also the sum of those of its programs, so a line that was
 * changed or cut is noticed.
 */
#include "policy/learn.h"
#include "policy/diag.h"
#include "policy/arena.h"
#include "policy/text.h"

#include <jansson.h>
#include <string.h>

enum { NAME_MAX_BYTES = 4 * LEARN_COMM, DRIVER_MAX = 64 };
#define RECORDING_HINT "a recording is what " "rucy-devguard learn --record FILE" " writes, whole"

/* ---- writing ---------------------------------------------------------------------------- */

static void put_string(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void put_request(FILE *out, const struct learned_request *r, bool by_exe)
{
	char letters[4];
	fprintf(out, "{\"type\":\"%c\",\"major\":%lld,\"minor\":%lld,\"requested\":\"%s\",", r->type == DEV_BLOCK ? 'b' : 'c',
	        (long long)r->major, (long long)r->minor, access_text(r->access, letters));
	if (r->uid >= 0)
		fprintf(out, "\"uid\":%lld,", (long long)r->uid);
	if (r->exe) {
		put_string(out, "exe", r->exe);
		putc(',', out);
	} else if (by_exe) {
		fprintf(out, "\"gone\":%llu,", (unsigned long long)r->gone);
	}
	fprintf(out, "\"count\":%llu,\"allowed\":%llu,\"denied\":%llu,\"permitted\":%llu,", (unsigned long long)learned_times(r),
	        (unsigned long long)r->allowed, (unsigned long long)r->denied, (unsigned long long)r->permitted);
	if (r->path) {
		put_string(out, "path", r->path);
		putc(',', out);
	}
	if (r->driver) {
		put_string(out, "driver", r->driver);
		putc(',', out);
	}
	fputs("\"programs\":[", out);
	for (size_t i = 0; i < r->nprograms; i++) {
		fputs(i ? ",{" : "{", out);
		put_string(out, "comm", r->programs[i].name);
		fprintf(out, ",\"count\":%llu}", (unsigned long long)r->programs[i].count);
	}
	fprintf(out, "],\"others\":%llu}\n", (unsigned long long)r->others);
}

void learned_write(FILE *out, const struct learned *l)
{
	bool by_exe = l->by & LEARN_BY_EXE;
	fprintf(out,
	        "{\"recording\":\"" LEARN_SCHEMA
	        "\",\"lines\":%zu,\"runs\":%llu,\"by_uid\":%s,%s\"permissive\":%llu,\"lost\":%llu}\n",
	        l->n, (unsigned long long)l->runs, l->by & LEARN_BY_UID ? "true" : "false", by_exe ? "\"by_exe\":true," : "",
	        (unsigned long long)l->permitted, (unsigned long long)l->lost);
	for (size_t i = 0; i < l->n; i++)
		put_request(out, &l->list[i], by_exe);
}

/* ---- reading ------------------------------------------------------------------------------ */

struct reading {
	struct diags *d;
	const char *file;
	int line;
	uint64_t left;     /* lines that the last first line promised, and did not follow yet */
	bool begun;
	unsigned by;       /* what it tells requests apart by */
	struct learned *into;
};

static int wrong_for(const struct reading *r, const char *hint, const char *what)
{
	diag_add(r->d, DIAG_ERROR, (struct span){.file = r->file, .line = r->line}, hint, "%s", what);
	return -1;
}

static int wrong(const struct reading *r, const char *what)
{
	return wrong_for(r, RECORDING_HINT, what);
}

static bool count_of(const json_t *o, const char *key, uint64_t *out)
{
	const json_t *v = json_object_get(o, key);
	*out = json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v) : UINT64_MAX;
	return *out <= LEARN_COUNT_MAX;
}

static bool number_of(const json_t *o, const char *key, int64_t most, int64_t *out)
{
	uint64_t n;
	bool fits = count_of(o, key, &n) && n <= (uint64_t)most;
	*out = fits ? (int64_t)n : -1;
	return fits;
}

/* A text that may be shown as it is, in *out; NULL: there is none. */
static bool text_of(const json_t *o, const char *key, size_t most, const char **out)
{
	const json_t *v = json_object_get(o, key);
	*out = json_string_value(v);
	size_t n = *out ? json_string_length(v) : 0;
	return !v || (*out && n <= most && strlen(*out) == n && text_unsafe(*out, n) == n);
}

static int begin(struct reading *r, const json_t *o)
{
	uint64_t lines, runs, lost, permitted;
	const char *schema = json_string_value(json_object_get(o, "recording"));
	const json_t *by_uid = json_object_get(o, "by_uid"), *by_exe = json_object_get(o, "by_exe");
	if (r->left)
		return wrong(r, "the recording before this line is damaged: lines of it are missing");
	if (strcmp(schema ? schema : "", LEARN_SCHEMA))
		return wrong(r, "a recording of another version");
	if (!count_of(o, "lines", &lines) || !count_of(o, "runs", &runs) || !count_of(o, "lost", &lost) ||
	    !count_of(o, "permissive", &permitted) || !json_is_boolean(by_uid) || (by_exe && !json_is_boolean(by_exe)) || permitted > runs)
		return wrong(r, "the recording is damaged: its first line is not whole");
	r->by = (json_is_true(by_uid) ? LEARN_BY_UID : 0u) | (json_is_true(by_exe) ? LEARN_BY_EXE : 0u);
	if (r->into->by & ~r->by & LEARN_BY_UID)
		return wrong_for(r, "record again, with --by uid, into a new file", "it was recorded without --by uid: who made its requests is not known");
	if (r->into->by & ~r->by & LEARN_BY_EXE)
		return wrong_for(r, "record again, with --by exe, into a new file", "it was recorded without --by exe: which programs made its requests is not known");
	r->begun = true;
	r->left = lines;
	learned_count(&r->into->runs, runs);
	learned_count(&r->into->lost, lost);
	learned_count(&r->into->permitted, permitted);
	return 0;
}

/* The programs of a request, and that their counts are its own. */
static bool programs_of(const json_t *o, struct learned *l, struct learned_request *q, uint64_t count)
{
	const json_t *list = json_object_get(o, "programs"), *one;
	uint64_t others, n, sum = 0;
	size_t i;
	if (!json_is_array(list) || json_array_size(list) > LEARN_PROGRAMS_MAX || !count_of(o, "others", &others))
		return false;
	json_array_foreach(list, i, one) {
		const char *name;
		if (!text_of(one, "comm", NAME_MAX_BYTES, &name) || !name || !count_of(one, "count", &n) || !n)
			return false;
		learned_named(l, q, name, n);
		learned_count(&sum, n);
	}
	learned_count(&sum, others);
	learned_count(&q->others, others);
	return sum == count;
}

/* The program's file, NULL: none is named, and *gone were gone. */
static bool exe_of(const struct reading *r, const json_t *o, uint64_t count, const char **exe, uint64_t *gone)
{
	bool told = json_object_get(o, "gone") != NULL;
	*gone = 0;
	if (!text_of(o, "exe", LEARN_PATH_MAX, exe) || (*exe && !learned_exe_fits(*exe)))
		return false;
	if (!(r->by & LEARN_BY_EXE))
		return !*exe && !told;
	return *exe ? !told : count_of(o, "gone", gone) && *gone <= count;
}

static bool request_of(struct reading *r, const json_t *o)
{
	const char *type = json_string_value(json_object_get(o, "type")), *letters = json_string_value(json_object_get(o, "requested"));
	const char *path, *driver, *exe;
	int64_t major, minor, uid = -1;
	uint64_t count, allowed, denied, permitted, gone, sum = 0;
	if (!type || !letters || (strcmp(type, "c") && strcmp(type, "b")))
		return false;
	int access = strcmp(letters, "-") ? access_parse(letters) : 0;
	if (access < 0 || !number_of(o, "major", MAJOR_MAX, &major) || !number_of(o, "minor", MINOR_MAX, &minor) ||
	    number_of(o, "uid", UINT32_MAX, &uid) != !!(r->by & LEARN_BY_UID) || !count_of(o, "count", &count) || !count_of(o, "allowed", &allowed) ||
	    !count_of(o, "denied", &denied) || !count_of(o, "permitted", &permitted) || !text_of(o, "path", LEARN_PATH_MAX, &path) ||
	    !text_of(o, "driver", DRIVER_MAX, &driver) || !exe_of(r, o, count, &exe, &gone))
		return false;
	struct learned *l = r->into;
	struct learned_request *q = learned_request(l, *type == 'c' ? DEV_CHAR : DEV_BLOCK, access, major, minor,
	                                            l->by & LEARN_BY_UID ? uid : -1, l->by & LEARN_BY_EXE ? exe : NULL);
	learned_count(&q->gone, l->by & LEARN_BY_EXE ? gone : 0);
	learned_count(&q->allowed, allowed);
	learned_count(&q->denied, denied);
	learned_count(&q->permitted, permitted);
	q->path = path ? arena_strdup(l->arena, path) : q->path;
	q->driver = driver ? arena_strdup(l->arena, driver) : q->driver;
	learned_count(&sum, allowed);
	learned_count(&sum, denied);
	learned_count(&sum, permitted);
	return count && sum == count && programs_of(o, l, q, count);
}

static int read_line(struct reading *r, const char *line, size_t len)
{
	json_error_t error;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	int failed;
	if (!json_is_object(o))
		failed = wrong(r, r->begun ? "the recording is damaged: this line is no JSON object" : "this is no recording");
	else if (json_object_get(o, "recording"))
		failed = begin(r, o);
	else if (!r->begun)
		failed = wrong(r, "this is no recording");
	else if (!r->left)
		failed = wrong(r, "the recording is damaged: more lines than it says");
	else
		failed = request_of(r, o) ? 0 : wrong(r, "the recording is damaged: this line is no whole request");
	r->left -= !failed && r->left && !json_object_get(o, "recording");
	json_decref(o);
	return failed;
}

int learned_read(struct diags *d, const char *file, const char *text, size_t len, struct learned *into)
{
	struct reading r = {.d = d, .file = file, .into = into};
	const char *end = text + len, *next;
	for (const char *at = text; at < end; at = next) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		next = stop ? stop + 1 : end;
		r.line++;
		if (stop ? read_line(&r, at, (size_t)(stop - at)) : wrong(&r, r.begun ? "the recording is damaged: its last line is cut off"
		                                                                        : "this is no recording"))
			return -1;
	}
	r.line = 0;
	if (!r.begun)
		return wrong(&r, "this is no recording: it is empty");
	return r.left ? wrong(&r, "the recording is damaged: lines are missing at its end") : 0;
}
