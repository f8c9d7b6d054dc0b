/*
 * request.c - one device request as people write it: `c 1:3 rw uid=1000`.
 *
 * Everything is decimal and in the kernel's domain, or refused: a request that
 * the kernel could never ask would make a test mean nothing. Two passes over the
 * text, one allocation.
 */
#include "policy/request.h"
#include "policy/comm_words.h"
#include "policy/diag.h"
#include "policy/names.h"
#include "policy/text.h"

#include <string.h>

#define REQUEST_HINT "a request is TYPE MAJOR:MINOR ACCESS, such as c 1:3 rw, then key=value facts"

/* ---- words ------------------------------------------------------------------- */

/* Length of the word at s: to a blank, but a value that opens with a quote runs
 * to the quote that closes it (or to the end when none does). */
static size_t word_length(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && s[i] != ' ' && s[i] != '\t' && s[i] != '=')
		i++;
	if (i + 1 < n && s[i] == '=') {
		size_t end = comm_quoted(s + i + 1, n - i - 1);
		if (end == SIZE_MAX)
			return n;
		i += end ? end + 1 : 0;
	}
	while (i < n && s[i] != ' ' && s[i] != '\t')
		i++;
	return i;
}

/* The text with one space between words and without comments. */
static struct slice fold(struct arena *a, const char *s, size_t n)
{
	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	char *out = arena_alloc(a, n + 1);
	size_t used = 0;
	for (size_t i = 0; i < n;) {
		if (s[i] == ' ' || s[i] == '\t') {
			i++;
		} else if (s[i] == '#') { /* to the end of its line; what follows one is refused */
			const char *end = memchr(s + i, '\n', n - i);
			i = end ? (size_t)(end - s) : n;
		} else {
			size_t len = word_length(s + i, n - i);
			if (used)
				out[used++] = ' ';
			memcpy(out + used, s + i, len);
			used += len, i += len;
		}
	}
	out[used] = '\0';
	return (struct slice){out, used};
}

/* Cuts the next word off a folded text. False at its end. */
static bool cut(struct slice *rest, struct slice *word)
{
	size_t n = word_length(rest->s, rest->n), skip = n < rest->n ? n + 1 : n;
	*word = (struct slice){rest->s, n};
	*rest = (struct slice){rest->s + skip, rest->n - skip};
	return n > 0;
}

/* ---- facts ------------------------------------------------------------------- */

static int read_comm(struct fault *f, struct slice value, struct request *r)
{
	if (comm_read(f, value, &r->fact[IN_COMM_0]))
		return -1;
	r->known |= INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
	return 0;
}

static int unknown_fact(struct fault *f, struct slice key)
{
	static const char *const names[] = {
#define FACT(id, number, name, lowest, highest, bits, helper) #name,
#define TEXT_FACT(id, number, name, helper) #name,
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) #name,
#include "policy/facts.def"
		"groups", "caps", "cgroup",
	};
	enum { NAMES = sizeof names / sizeof *names };
	const char *safe = text_safe(f->arena, key.s, key.n, 32), *all = names[0];
	const char *near = key.n ? did_you_mean(safe, names, NAMES) : NULL;
	for (size_t i = 1; i < NAMES; i++)
		all = arena_printf(f->arena, "%s%s%s", all, i + 1 < NAMES ? ", " : " and ", names[i]);
	return fault_set(f, near_hint(f->arena, near, arena_printf(f->arena, "facts are %s", all)),
	                 "unknown fact \"%s\"", safe);
}

uint64_t request_more_id(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return h;
}

/* Is it what a raw program learns, and not a fact about the caller? */
static bool is_more(struct slice key)
{
	static const char *const words[] = {"ktime_ns", "cpu"};
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(words[i]);
		if (key.n >= n && !memcmp(key.s, words[i], n) && (key.n == n || key.s[n] == '#'))
			return true;
	}
	return slice_has(key, '[');
}

static int read_more(struct fault *f, struct slice key, struct slice value, struct request *r)
{
	struct request_more more = {.name = arena_strndup(f->arena, key.s, key.n)};
	more.id = request_more_id(more.name);
	for (size_t i = 0; i < r->nmore; i++)
		if (r->more[i].id == more.id)
			return fault_set(f, "give each once", "%s is given twice", text_quoted(f->arena, key));
	if (r->nmore == REQUEST_MORE)
		return fault_set(f, "a request has four of them at most", "%s is one too many", text_quoted(f->arena, key));
	more.absent = slice_is(value, "nil") && slice_has(key, '[');
	bool negative = value.n > 1 && *value.s == '-';
	struct slice digits = {value.s + negative, value.n - negative};
	if (!more.absent && read_number(f, text_safe(f->arena, key.s, key.n, 64), digits, INT64_MAX, &more.value))
		return -1;
	more.value = negative ? -more.value : more.value;
	r->more[r->nmore++] = more;
	return 0;
}

static int read_fact(struct fault *f, struct slice word, struct request *r)
{
	const char *equals = memchr(word.s, '=', word.n);
	if (!equals)
		return fault_set(f,
		                 "after the access come facts, written key=value, such as uid=1000",
		                 "%s is not a fact", text_quoted(f->arena, word));
	struct slice key = {word.s, (size_t)(equals - word.s)};
	struct slice value = {equals + 1, word.n - key.n - 1};
	if (is_more(key))
		return read_more(f, key, value, r);
	int who = request_who_read(f, key, value, r);
	if (who <= 0)
		return who;
	enum input in = IN_UID;
	while (in < IN_ASK_0 && !slice_is(key, input_name(in)))
		in++;
	if (in == IN_ASK_0)
		return unknown_fact(f, key);
	if (r->known & INPUT(in))
		return fault_set(f, "give each fact once", "%s is given twice", input_name(in));
	if (in == IN_COMM_0)
		return read_comm(f, value, r);
	int64_t lo, hi;
	input_range(in, &lo, &hi);
	if (input_is_task(in) ? request_task_fact(f, in, value, r) : read_number(f, input_name(in), value, (uint64_t)hi, &r->fact[in]))
		return -1;
	r->known |= INPUT(in);
	return 0;
}

/* ---- the device and its access ------------------------------------------------- */

static int read_device(struct fault *f, char type, struct slice numbers, struct request *r)
{
	struct slice major, minor;
	if (read_pair(f, type, numbers, REQUEST_HINT, &major, &minor))
		return -1;
	if (slice_has(numbers, '*'))
		return fault_set(f, "'*' is for rules; write numbers, such as 1:3",
		                 "a request is about one device, not %s",
		                 text_quoted(f->arena, numbers));
	r->type = types_of(type);
	return read_number(f, "major", major, MAJOR_MAX, &r->major) ||
	                       read_number(f, "minor", minor, MINOR_MAX, &r->minor)
	               ? -1
	               : 0;
}

/* Do the letters stand there? Facts may, without them. */
static bool has_letters(struct slice rest)
{
	struct slice word;
	return cut(&rest, &word) && !slice_has(word, '=');
}

/* The letters behind a device, however it is named. A rule without letters means all three; a
 * request must say what is asked, as any fact that decides: the kernel never asks for all three
 * together, and reading is not assumed where perhaps writing was meant. */
static int read_letters(struct fault *f, const char *device, struct slice *rest, struct request *r)
{
	struct slice word;
	if (!has_letters(*rest) || !cut(rest, &word))
		return fault_set(f,
		                 arena_printf(f->arena,
		                              "write any of r, w and m after the device, or - for none: %s r", device),
		                 "missing access letters");
	if (slice_is(word, "-"))
		return r->access = 0;
	r->access = read_access(f, word);
	return r->access < 0 ? -1 : 0;
}

static int read_path_request(struct fault *f, const struct host *h, struct slice path,
                             struct slice *rest, struct request *r)
{
	if (device_at(f, h, path, &r->type, &r->major, &r->minor))
		return REQUEST_UNKNOWN;
	return read_letters(f, text_safe(f->arena, path.s, path.n, 64), rest, r);
}

/* For the name of a device in a rule, which a request has not: what to write instead. NULL: it is none. */
static const char *symbol_hint(struct fault *f, const struct host *h, struct slice first, struct slice rest)
{
	bool here;
	struct fault ignored = {.arena = f->arena};
	if (first.s[0] == ':')
		first.s++, first.n--;
	const char *name = device_known(f->arena, first), *numbers = name ? device_symbol(&ignored, h, first, &here) : NULL;
	if (!name)
		return NULL;
	if (numbers && !strpbrk(numbers, "*,-"))
		return arena_printf(f->arena, "a request has numbers, or a path: write \"%s%s%s%.*s\"", numbers,
		                    has_letters(rest) ? "" : " r", rest.n ? " " : "", (int)rest.n, rest.s);
	return arena_printf(f->arena, "a request has numbers, or a path: `rucy-devguard devices %s` tells them", name);
}

static int not_a_request(struct fault *f, const struct host *h, struct slice first, struct slice rest)
{
	struct slice next;
	const char *hint = symbol_hint(f, h, first, rest);
	bool numbers = cut(&rest, &next) && slice_has(next, ':');
	if (slice_is(first, "a"))
		return fault_set(f, "types are c (character) and b (block); a is for rules",
		                 "a request is about one device, not any type");
	if (not_a_type(f, first, numbers, "types are c (character) and b (block)"))
		return -1;
	return fault_set(f, hint ? hint : REQUEST_HINT, "%s is not a device type", text_quoted(f->arena, first));
}

static int read_numeric_request(struct fault *f, const struct host *h, struct slice type, struct slice *rest,
                                struct request *r)
{
	struct slice word;
	if (type.n != 1 || (type.s[0] != 'c' && type.s[0] != 'b'))
		return not_a_request(f, h, type, *rest);
	if (!cut(rest, &word))
		return fault_set(f, REQUEST_HINT, "missing major:minor after '%c'", type.s[0]);
	if (read_device(f, type.s[0], word, r))
		return -1;
	return read_letters(f, arena_printf(f->arena, "%c %lld:%lld", type.s[0], (long long)r->major, (long long)r->minor),
	                    rest, r);
}

/* ---- whole requests -------------------------------------------------------------- */

int request_read(struct arena *a, const struct host *h, const char *text, size_t n, struct request *r,
                 struct fault *f)
{
	struct slice all = fold(a, text, n), rest = all, word;
	struct request req = {.text = all.s};
	*f = (struct fault){.arena = a};
	if (text_check(f, all.s, all.n))
		return -1;
	if (!cut(&rest, &word))
		return fault_set(f, REQUEST_HINT, "no request");
	int failed = word.s[0] == '/' ? read_path_request(f, h, word, &rest, &req)
	                              : read_numeric_request(f, h, word, &rest, &req);
	if (failed)
		return failed;
	while (cut(&rest, &word))
		if (read_fact(f, word, &req))
			return -1;
	if (request_who_settle(f, &req))
		return -1;
	*r = req;
	return 0;
}

int request_parse(struct arena *a, const struct host *h, const char *text, struct request *r,
                  const char **error, const char **hint)
{
	struct fault f;
	int failed = request_read(a, h, text, strlen(text), r, &f);
	*error = f.error;
	*hint = f.hint;
	return failed;
}

/* The error of an interface without hints. */
static int fail(const struct fault *f, const char **error)
{
	*error = f->hint ? arena_printf(f->arena, "%s (%s)", f->error, f->hint) : f->error;
	return -1;
}

int request_fact(struct arena *a, const char *text, struct request *r, const char **error)
{
	struct fault f = {.arena = a};
	struct slice word = {text, strlen(text)};
	*error = NULL;
	if (text_check(&f, word.s, word.n))
		return fail(&f, error);
	if (word_length(word.s, word.n) != word.n) {
		fault_set(&f, "quote a name with spaces: comm=\"a b\"", "%s is more than one fact",
		          text_quoted(a, word));
		return fail(&f, error);
	}
	return read_fact(&f, word, r) ? fail(&f, error) : 0;
}

/* ---- as text ------------------------------------------------------------------ */

char *request_words(struct arena *a, const struct request *r)
{
	char letters[4];
	char *text = arena_printf(a, "%c %lld:%lld %s", r->type == DEV_BLOCK ? 'b' : 'c', (long long)r->major, (long long)r->minor,
	                          access_text(r->access, letters));
	for (int in = IN_UID; in < IN_COMM_0; in++)
		if (r->known & INPUT(in))
			text = arena_printf(a, "%s %s=%lld", text, input_name((enum input)in), (long long)r->fact[in]);
	if (r->known & (INPUT(IN_COMM_0) | INPUT(IN_COMM_1)))
		text = arena_printf(a, "%s comm=%s", text, comm_fact(a, &r->fact[IN_COMM_0]));
	text = request_who_words(a, r, text);
	for (size_t i = 0; i < r->nmore && r->more[i].name; i++)
		text = r->more[i].absent ? arena_printf(a, "%s %s=nil", text, r->more[i].name)
		                         : arena_printf(a, "%s %s=%lld", text, r->more[i].name, (long long)r->more[i].value);
	return text;
}
