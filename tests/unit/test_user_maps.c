/*
 * test_user_maps.c - compiler/ruby/user_maps.c and user_prelude.rb: the maps that handlers see, through user.h, with
 * contents that are made up here.
 *
 * Whatever is asked of a map is asked of a Hash with the same contents too, in the same handler; and, where Ruby is
 * installed, of that Hash in Ruby.
 */
#include "tests/unit/fixture.h"

#include "compiler/user.h"
#include "policy/raw_record.h"

#include <stdio.h>
#include <unistd.h>

enum { TABLE, NAMES, CELLS, HIST, BUSY, SIGNED, EVENTS, MAPS };

static const char words[] =
	"COUNTS = table :pid => :u64\n"
	"NAMES = table [:pid, :comm] => :u64, max: 100\n"
	"CELLS = array 6\n"
	"HIST = histogram\n"
	"BUSY = percpu :uid => :u32\n"
	"SIGNED = table :s16 => :s64\n"
	"EVENTS = ring a: :u8, b: :s8, c: :u16, d: :s32, name: :comm, e: :u64, size: 65536\n";

/* What the maps hold, and what was done to them. */
struct world {
	unsigned char bytes[4096];
	struct raw_answer_of { uint32_t n, key_size, value_size, cpus; unsigned char bytes[4096]; } maps[MAPS];
	char out[1 << 16];
	size_t nout;
	int reads;
	const char *refuse; /* why nothing works */
	bool sums;          /* read_map adds CPUs up */
	bool wrong;         /* answers are about other maps */
	char done[256];
};

static void say(void *self, const char *bytes, size_t n)
{
	struct world *w = self;
	assert_true(w->nout + n < sizeof w->out);
	memcpy(w->out + w->nout, bytes, n);
	w->nout += n;
	w->out[w->nout] = '\0';
}

static size_t entry(const struct raw_answer_of *m)
{
	return (size_t)m->key_size + (size_t)m->cpus * m->value_size;
}

static int read_cpus(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why)
{
	struct world *w = self;
	const struct raw_answer_of *m = &w->maps[map];
	w->reads++;
	*why = w->refuse;
	if (w->refuse)
		return -1;
	*out = (struct user_entries){0, m->key_size, m->value_size, m->cpus, w->bytes};
	assert_true(!key || nkey == m->key_size);
	for (uint32_t i = 0; i < m->n; i++) {
		const unsigned char *at = m->bytes + i * entry(m);
		if (!key || !memcmp(at, key, nkey))
			memcpy(w->bytes + out->n++ * entry(m), at, entry(m));
	}
	if (w->wrong)
		out->key_size++;
	return 0;
}

static int read_map(void *self, uint32_t map, const void *key, size_t nkey, struct user_entries *out, const char **why)
{
	struct world *w = self;
	const struct raw_answer_of *m = &w->maps[map];
	if (read_cpus(self, map, key, nkey, out, why) || !w->sums || m->cpus == 1)
		return *why ? -1 : 0;
	for (uint32_t i = 0; i < out->n; i++) {
		unsigned char *at = w->bytes + i * entry(m), *to = w->bytes + i * (m->key_size + 8u);
		uint64_t sum = 0;
		for (uint32_t c = 0; c < m->cpus; c++) {
			uint32_t v;
			memcpy(&v, at + m->key_size + c * m->value_size, sizeof v);
			sum += v;
		}
		memmove(to, at, m->key_size);
		memcpy(to + m->key_size, &sum, 8);
	}
	out->cpus = 1;
	out->value_size = 8;
	return 0;
}

static int clear_map(void *self, uint32_t map, const char **why)
{
	struct world *w = self;
	*why = w->refuse;
	snprintf(w->done, sizeof w->done, "clear %u", map);
	return w->refuse ? -1 : 0;
}

static int change_map(void *self, uint32_t map, const void *key, size_t nkey, const void *value, size_t nvalue,
                      const char **why)
{
	struct world *w = self;
	size_t n = (size_t)snprintf(w->done, sizeof w->done, "%s %u", value ? "set" : "delete", map);
	*why = w->refuse;
	for (size_t i = 0; i < nkey; i++)
		n += (size_t)snprintf(w->done + n, sizeof w->done - n, "%s%02x", i ? "" : " ", ((const unsigned char *)key)[i]);
	for (size_t i = 0; i < nvalue; i++)
		n += (size_t)snprintf(w->done + n, sizeof w->done - n, "%s%02x", i ? "" : " ", ((const unsigned char *)value)[i]);
	return w->refuse ? -1 : 0;
}

/* ---- contents ----------------------------------------------------------------------------- */

#define ADD(m, type, v) add(m, &(type){v}, sizeof(type))
static void add(unsigned char **to, const void *bytes, size_t n)
{
	memcpy(*to, bytes, n);
	*to += n;
}

static void contents(struct world *w)
{
	static const struct { uint32_t pid; uint64_t n; } counts[] = {{10, 5}, {7, 900}, {4294967295u, 1}, {3, 0}, {8, 5}, {9, 61}};
	static const struct { uint32_t pid; char comm[16]; uint64_t n; } names[] = {{1, "systemd", 3}, {2, "", 4},
		{1, {'s','i','x','t','e','e','n',' ','b','y','t','e','s',' ','i','t'}, 1}, {77, "a\"b\xc3\xa9", 70}};
	static const uint64_t cells[6] = {4, 0, 18446744073709551615u, 2, 9, 0};
	static const uint32_t busy[][4] = {{0, 4000000000u, 4000000000u, 1}, {1000, 0, 0, 0}, {5, 1, 2, 3}};
	static const struct { int16_t key; int64_t v; } odd[] = {{-1, -5}, {-32768, -(INT64_C(1) << 61)}, {32767, (INT64_C(1) << 61) - 1}, {0, 0}};
	unsigned char *to = w->maps[TABLE].bytes;
	for (size_t i = 0; i < COUNT(counts); i++) {
		ADD(&to, uint32_t, counts[i].pid);
		ADD(&to, uint64_t, counts[i].n);
	}
	to = w->maps[NAMES].bytes;
	for (size_t i = 0; i < COUNT(names); i++) {
		ADD(&to, uint32_t, names[i].pid);
		add(&to, names[i].comm, 16);
		ADD(&to, uint64_t, names[i].n);
	}
	to = w->maps[CELLS].bytes;
	for (uint32_t i = 0; i < 6; i++) {
		ADD(&to, uint32_t, i);
		ADD(&to, uint64_t, cells[i]);
	}
	to = w->maps[HIST].bytes;
	for (uint32_t i = 0; i < RAW_SLOTS; i++) {
		ADD(&to, uint32_t, i);
		ADD(&to, uint64_t, i == 0 ? 2 : i == 1 ? 1 : i == 3 ? 12 : i == 5 ? 40 : 0);
	}
	to = w->maps[BUSY].bytes;
	for (size_t i = 0; i < COUNT(busy); i++)
		for (int k = 0; k < 4; k++)
			ADD(&to, uint32_t, busy[i][k]);
	to = w->maps[SIGNED].bytes;
	for (size_t i = 0; i < COUNT(odd); i++) {
		ADD(&to, int16_t, odd[i].key);
		ADD(&to, int64_t, odd[i].v);
	}
	static const struct { uint32_t n, key, value, cpus; } sizes[MAPS] = {
		[TABLE] = {COUNT(counts), 4, 8, 1}, [NAMES] = {COUNT(names), 20, 8, 1}, [CELLS] = {6, 4, 8, 1},
		[HIST] = {RAW_SLOTS, 4, 8, 1}, [BUSY] = {COUNT(busy), 4, 4, 3}, [SIGNED] = {COUNT(odd), 2, 8, 1}};
	for (int i = 0; i < MAPS; i++) {
		w->maps[i].n = sizes[i].n;
		w->maps[i].key_size = sizes[i].key;
		w->maps[i].value_size = sizes[i].value;
		w->maps[i].cpus = sizes[i].cpus;
	}
}

/* The same as Ruby has them, as texts in Ruby. */
static const struct { const char *map, *hash; } same_as[] = {
	{"COUNTS", "{10 => 5, 7 => 900, 4294967295 => 1, 3 => 0, 8 => 5, 9 => 61}"},
	{"NAMES", "{[1, 'systemd'] => 3, [2, ''] => 4, [1, 'sixteen bytes it'] => 1, [77, \"a\\\"b\\u00e9\"] => 70}"},
	{"CELLS", "{0 => 4, 1 => 0, 2 => -1, 3 => 2, 4 => 9, 5 => 0}"},
	{"BUSY", "{0 => 8000000001, 1000 => 0, 5 => 6}"},
	{"SIGNED", "{-1 => -5, -32768 => -2305843009213693952, 32767 => 2305843009213693951, 0 => 0}"},
};

/* What is asked of both. `x` is the map or the Hash. */
static const char *const asked[] = {
	"x[10]", "x[11]", "x[-1]", "x[nil]", "x['10']", "x[[1, 'systemd']]", "x[[1, 'system']]", "x[[1]]", "x[[1, 2]]",
	"x[[2, '']]", "x[[1, 'sixteen bytes it']]", "x[[1, 'seventeen bytes i']]", "x[4294967295]", "x[4294967296]",
	"x[-32768]", "x[-32769]", "x[0]", "x[5]", "x[6]",
	"x.key?(10)", "x.has_key?(5)", "x.include?([2, ''])", "x.member?('a')", "x.key?(nil)",
	"x.fetch(10)", "x.fetch(0, 77)", "x.fetch(11)", "x.fetch(11, 3)", "x.fetch(12) { |k| [k, k] }",
	"x.size", "x.length", "x.count", "x.empty?", "x.keys", "x.values", "x.to_a", "x.to_h", "x.entries",
	"x.to_h { |k, v| [v, k] }", "x.inspect", "x.to_s", "\"#{x}\"",
	"x.value?(5)", "x.has_value?(-1)", "x.key(5)", "x.key(12345)", "x.values_at(10, 5, 0)", "x.dig(10)", "x.invert",
	"x.fetch_values(0, 5)", "x.slice(0, 5, 99)", "x.except(0, 10)", "x.compact", "x.merge({1 => 2})", "x.flatten",
	"x.select { |k, v| v > 4 }", "x.filter { |k, v| v == 0 }", "x.reject { |k, v| v > 4 }",
	"x.transform_values { |v| v * 2 % 1000 }", "x.transform_keys { |k| k.to_s }",
	"x.any? { |k, v| v > 8 }", "x.all? { |k, v| v > 0 }", "x.none? { |k, v| v == 3 }", "x.one? { |k, v| v == 61 }",
	"x.any?", "x.none?",
	"x.count { |k, v| v > 3 }", "x.find { |k, v| v == 5 }", "x.detect { |k, v| v == 123 }", "x.find_all { |k, v| v < 6 }",
	"x.map { |k, v| v }", "x.collect { |k, v| [v, k] }", "x.flat_map { |k, v| [v, v] }", "x.map { |pair| pair }",
	"x.filter_map { |k, v| v if v > 4 }", "x.each_with_index.map { |kv, i| [i, kv] }",
	"x.sort_by { |k, v| [-v / 2, k.to_s] }", "x.sort_by { |k, n| n }.reverse.first(2)",
	"x.max_by { |k, v| v }", "x.min_by { |k, v| v }", "x.minmax_by { |k, v| v }", "x.sort { |a, b| a[1] <=> b[1] }.last",
	"x.max { |a, b| a[1] <=> b[1] }", "x.min { |a, b| a[1] <=> b[1] }",
	"x.first", "x.first(2)", "x.first(0)", "x.first(100)", "x.take(2)", "x.drop(2)", "x.take_while { |k, v| v > 3 }",
	"x.drop_while { |k, v| v > 3 }",
	"x.reduce(0) { |sum, kv| sum + kv[1] % 100 }", "x.inject { |a, b| a[1] > b[1] ? a : b }",
	"x.each_with_object([]) { |kv, list| list << kv[1] }", "x.group_by { |k, v| v % 2 }", "x.partition { |k, v| v > 4 }",
	"x.zip([1, 2])", "x.each_slice(2).to_a", "x.each_cons(2).to_a.size", "x.tally.size", "x.reverse_each.to_a", "x.uniq",
	"x.each.to_a", "x.each_pair.to_a", "x.each_key.to_a", "x.each_value.to_a", "x.each.next", "x.min_by(&:last)",
	"x.map(&:first)", "x.find_index { |k, v| v == 61 }",
	"a = []; x.each { |k, v| a << k << v }; a", "a = []; x.each { |kv| a << kv }; a", "a = []; x.each_pair { |k, v| a << v }; a",
	"a = []; x.each_key { |k| a << k }; a", "a = []; x.each_value { |v| a << v }; a",
	"a = []; x.each { |k, v| break if v == 4; a << k }; a", "for k, v in x do k end; [k, v]",
	"x == {}", "x == 5", "x == nil", "x == x.to_h", "x != x.to_h", "x == x", "x > {}", "x >= x.to_h", "x < {}",
	"x.sum { |k, v| v % 1000 }", "x.values.sum", "x.values.max", "x.values.sum(5)", "[[1], [2, 3]].sum([])", "x.each_with_object({}) { |(k, v), h| h[v] = k }",
};

/* ---- run ---------------------------------------------------------------------------------- */

static const struct user_calls all_calls = {.print = say, .read_map = read_map, .read_cpus = read_cpus,
                                            .clear_map = clear_map, .change_map = change_map};

static struct user *opened(struct arena *a, struct world *w, struct diags *d, const char *text, struct user_calls calls)
{
	struct user *u;
	struct user_file f = {.file = "maps.rb", .text = text, .len = strlen(text)};
	calls.self = w;
	diags_init(d, a);
	if (user_open(a, d, NULL, &f, &calls, &u))
		fail_msg("%s (%d: %s)", d->items[0].text, d->items[0].at.line, d->items[0].source);
	return u;
}

/* What `every(1) { text }` prints. */
static const char *printed_by(struct arena *a, struct world *w, const char *text, struct user_calls calls)
{
	struct diags d;
	char *whole = arena_printf(a, "%severy(1) {\n%s\n}\n", words, text);
	struct user *u = opened(a, w, &d, whole, calls);
	w->nout = 0;
	w->out[0] = '\0';
	if (user_every(u, 0))
		fail_msg("%s (%d: %s)", d.items[0].text, d.items[0].at.line, d.items[0].source);
	user_close(u);
	return w->out;
}

static const char *printed(struct arena *a, struct world *w, const char *text)
{
	return printed_by(a, w, text, all_calls);
}

static struct world *world_new(void **state)
{
	struct world *w = arena_alloc(*state, sizeof *w);
	contents(w);
	return w;
}

/* What is answered to each question, a line each: by calls of their own, since one may raise. */
static char *answers(struct arena *a, struct world *w, const char *of)
{
	struct arena_stream s;
	struct diags d;
	FILE *out = arena_stream(a, &s);
	fprintf(out, "%si = -1\nevery(1) {\ni += 1\nx = %s\na = case i\n", words, of);
	for (size_t i = 0; i < COUNT(asked); i++)
		fprintf(out, "when %zu then (%s)\n", i, asked[i]);
	fputs("end\nputs a.inspect }\n", out);
	struct user *u = opened(a, w, &d, arena_text(a, &s), all_calls);
	w->nout = 0;
	for (size_t i = 0; i < COUNT(asked); i++)
		if (user_every(u, 0)) {
			const char *text = d.items[d.n - 1].text;
			say(w, text, strcspn(text, ":"));
			say(w, "\n", 1);
		}
	user_close(u);
	return arena_strdup(a, w->out);
}

/* The same by Ruby. */
static char *answers_of_ruby(struct arena *a, const char *of)
{
	char file[] = "/tmp/devguard-unit-XXXXXX", *out = arena_alloc(a, 1 << 16);
	int fd = mkstemp(file);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	for (size_t i = 0; i < COUNT(asked); i++)
		fprintf(f, "puts(begin; x = %s; a = (%s); a.inspect; rescue => e; e.class.to_s; end)\n", of, asked[i]);
	assert_int_equal(fclose(f), 0);
	FILE *p = popen(arena_printf(a, "LC_ALL=C.UTF-8 ruby -W0 %s", file), "r");
	size_t n = fread(out, 1, (1 << 16) - 1, p);
	assert_int_equal(pclose(p), 0);
	unlink(file);
	assert_true(n > 0);
	return out;
}

static void same_lines(const char *what, const char *got, const char *want)
{
	for (size_t i = 0; i < COUNT(asked); i++) {
		size_t n = strcspn(got, "\n"), m = strcspn(want, "\n");
		if (n != m || memcmp(got, want, n))
			fail_msg("%s, %s:\n  got  %.*s\n  want %.*s", what, asked[i], (int)n, got, (int)m, want);
		got += n + (got[n] == '\n');
		want += m + (want[m] == '\n');
	}
	assert_true(!*got && !*want);
}

static void as_hashes(void **state)
{
	struct world *w = world_new(state);
	for (int sums = 0; sums < 2; sums++)
		for (size_t i = 0; i < COUNT(same_as); i++) {
			w->sums = sums;
			same_lines(same_as[i].map, answers(*state, w, same_as[i].map), answers(*state, w, same_as[i].hash));
		}
}

/* Ruby says the same of the Hash. */
static void as_ruby(void **state)
{
	struct world *w = world_new(state);
	if (system("command -v ruby >/dev/null")) {
		print_message("ruby is not installed\n");
		skip();
	}
	for (size_t i = 0; i < COUNT(same_as); i++)
		same_lines(same_as[i].map, answers(*state, w, same_as[i].map), answers_of_ruby(*state, same_as[i].hash));
}

static void one_read(void **state)
{
	static const char *const once[] = {"COUNTS.each { |k, v| k }", "COUNTS.sort_by { |k, n| -n }.first(5)", "COUNTS[10]",
		"COUNTS[1]", "COUNTS.key?(10)", "COUNTS.select { |k, v| v > 1 }", "COUNTS.inspect", "COUNTS.fetch(10)",
		"BUSY.each_cpu { |k, list| list }", "HIST.print", "CELLS.print_linear", "HIST.total", "COUNTS.each.to_a",
		"COUNTS.delete(10)", "COUNTS == {}"};
	static const char *const never[] = {"COUNTS['a']", "COUNTS[-1]", "COUNTS.clear", "COUNTS[1] = 2", "COUNTS.delete(nil)",
		"COUNTS.key?([])", "EVENTS.inspect", "COUNTS == nil", "COUNTS.each", "COUNTS == COUNTS"};
	struct world *w = world_new(state);
	for (size_t i = 0; i < COUNT(once); i++) {
		w->reads = 0;
		printed(*state, w, once[i]);
		if (w->reads != 1)
			fail_msg("%s reads %d times", once[i], w->reads);
	}
	for (size_t i = 0; i < COUNT(never); i++) {
		w->reads = 0;
		printed(*state, w, never[i]);
		if (w->reads)
			fail_msg("%s reads %d times", never[i], w->reads);
	}
}

/* ---- what a Hash has not ------------------------------------------------------------------------- */

static void cpus(void **state)
{
	struct world *w = world_new(state);
	static const char want[] = "0 [4000000000, 4000000000, 1]\n1000 [0, 0, 0]\n5 [1, 2, 3]\n"
	                           "[[0, 4000000001], [1000, 0], [5, 5]]\n[0, 1000, 5]\n";
	static const char text[] = "BUSY.each_cpu { |uid, list| puts \"#{uid} #{list}\" }\n"
		"p BUSY.each_cpu.map { |uid, list| [uid, list[0] + list[2] + (uid == 5 ? 1 : 0)] }\n"
		"p BUSY.each_cpu.map(&:first)";
	struct user_calls without = all_calls;
	without.read_cpus = NULL;
	same_text("each_cpu", printed(*state, w, text), want);
	same_text("by read_map", printed_by(*state, w, text, without), want);
	w->sums = true;
	same_text("beside sums", printed(*state, w, text), want);
}

static void histograms(void **state)
{
	struct world *w = world_new(state);
	static const char text[] =
		"     value               : count     distribution\n"
		"         0 -> 1          : 3        |***                                     |\n"
		"         2 -> 3          : 0        |                                        |\n"
		"         4 -> 7          : 12       |************                            |\n"
		"         8 -> 15         : 0        |                                        |\n"
		"        16 -> 31         : 40       |****************************************|\n";
	same_text("print", printed(*state, w, "HIST.print"), text);
	same_text("print_log2_hist", printed(*state, w, "HIST.print_log2_hist"), text);
	same_text("label", arena_strndup(*state, printed(*state, w, "HIST.print :usecs"), 50),
	          "     usecs               : count     distribution\n");
	same_text("slots", printed(*state, w, "p HIST[3], HIST[64], HIST.total, HIST.size, HIST.max_by { |slot, n| n }, HIST.sum { |slot, n| n }\n"
	                                      "p HIST.select { |slot, n| n > 0 }"),
	          "12\nnil\n55\n64\n[5, 40]\n55\n{0=>2, 1=>1, 3=>12, 5=>40}\n");
	memset(w->maps[HIST].bytes + 12 * 1 + 4, 0, 1); /* slots 0 and 1 */
	memset(w->maps[HIST].bytes + 4, 0, 1);
	same_text("strip", printed(*state, w, "HIST.print 'x', strip_leading_zero: true"),
	          "     x                   : count     distribution\n"
	          "         4 -> 7          : 12       |************                            |\n"
	          "         8 -> 15         : 0        |                                        |\n"
	          "        16 -> 31         : 40       |****************************************|\n");
	w->maps[HIST].bytes[12 * 3 + 4] = w->maps[HIST].bytes[12 * 5 + 4] = 0;
	same_text("empty", printed(*state, w, "HIST.print"), "");
	w->maps[CELLS].bytes[12 * 2 + 4] = 8;
	memset(w->maps[CELLS].bytes + 12 * 2 + 5, 0, 7);
	same_text("linear", printed(*state, w, "CELLS.print_linear 'major'; CELLS.print_linear_hist"),
	          "     major         : count     distribution\n"
	          "        0          : 4        |*****************                       |\n"
	          "        1          : 0        |                                        |\n"
	          "        2          : 8        |***********************************     |\n"
	          "        3          : 2        |********                                |\n"
	          "        4          : 9        |****************************************|\n"
	          "     value         : count     distribution\n"
	          "        0          : 4        |*****************                       |\n"
	          "        1          : 0        |                                        |\n"
	          "        2          : 8        |***********************************     |\n"
	          "        3          : 2        |********                                |\n"
	          "        4          : 9        |****************************************|\n");
}

static void changes(void **state)
{
	static const struct { const char *text, *done, *prints; } table[] = {
		{"p COUNTS.clear.class == COUNTS.class", "clear 0", "true\n"},
		{"HIST.clear", "clear 3", ""},
		{"BUSY.clear", "clear 4", ""},
		{"p COUNTS.delete(10)", "delete 0 0a000000", "5\n"},
		{"p COUNTS.delete(11)", "", "nil\n"},
		{"p BUSY.delete(5)", "delete 4 05000000", "6\n"},
		{"p NAMES.delete([1, 'systemd'])", "delete 1 0100000073797374656d64000000000000000000", "3\n"},
		{"p(COUNTS[9] = 258)", "set 0 09000000 0201000000000000", "258\n"},
		{"COUNTS[9] += 1", "set 0 09000000 3e00000000000000", ""},
		{"COUNTS.store(9, -1)", "set 0 09000000 ffffffffffffffff", ""},
		{"NAMES[[2, 'a']] = 1", "set 1 0200000061000000000000000000000000000000 0100000000000000", ""},
		{"NAMES[2, 'a'] = 1", "set 1 0200000061000000000000000000000000000000 0100000000000000", ""},
		{"p NAMES[1, 'systemd']", "", "3\n"},
		{"CELLS[5] = 7", "set 2 05000000 0700000000000000", ""},
		{"SIGNED[-2] = -3", "set 5 feff fdffffffffffffff", ""},
	};
	struct world *w = world_new(state);
	for (size_t i = 0; i < COUNT(table); i++) {
		w->done[0] = '\0';
		same_text(table[i].text, printed(*state, w, table[i].text), table[i].prints);
		same_text(table[i].text, w->done, table[i].done);
	}
}

/* The message of what a handler raises. */
static const char *raised(struct arena *a, struct world *w, const char *text, struct user_calls calls)
{
	struct diags d;
	struct user *u = opened(a, w, &d, arena_printf(a, "%severy(1) {\n%s\n}\n", words, text), calls);
	int n = user_every(u, 0);
	user_close(u);
	if (n != 1 || d.errors != 1 || d.items[0].at.line != 9)
		fail_msg("%s raises nothing", text);
	return d.items[0].text;
}

static void refused(void **state)
{
	static const struct { const char *text, *message; } table[] = {
		{"COUNTS[-1] = 1", "RangeError: COUNTS: -1 cannot be a key of it"},
		{"COUNTS['a'] = 1", "RangeError: COUNTS: \"a\" cannot be a key of it"},
		{"COUNTS[1] = 'b'", "RangeError: COUNTS: \"b\" cannot be a value of it"},
		{"COUNTS[1] = 1.5", "RangeError: COUNTS: 1.5 cannot be a value of it"},
		{"COUNTS[1] = nil", "RangeError: COUNTS: nil cannot be a value of it"},
		{"CELLS[6] = 1", "RangeError: CELLS: 6 cannot be a key of it"},
		{"NAMES[1] = 1", "RangeError: NAMES: 1 cannot be a key of it"},
		{"NAMES[[1, 'a', 2]] = 1", "RangeError: NAMES: [1, \"a\", 2] cannot be a key of it"},
		{"COUNTS[]", "ArgumentError: wrong number of arguments (given 0, expected 1)"},
		{"COUNTS.dup[1]", "TypeError: a copy is no map: use the map itself"},
		{"COUNTS.dup.size", "TypeError: a copy is no map: use the map itself"},
	};
	static const char *const none[] = {"BUSY[1] = 2", "HIST[1] = 2", "CELLS.delete(1)", "HIST.delete(1)", "COUNTS.each_cpu",
		"COUNTS.print_linear", "CELLS.total", "EVENTS.each", "EVENTS.clear", "EVENTS[0]", "EVENTS.size", "COUNTS.shift",
		"COUNTS.delete_if { true }", "COUNTS.merge!({})", "COUNTS.replace({})", "COUNTS.update({})", "COUNTS.select! { true }",
		"COUNTS.compact!", "COUNTS.class.new", "EVENTS.class.new", "COUNTS.default = 1", "COUNTS.transform_values! { 1 }",
		"KernelMap", "KernelTable", "KernelRecord"};
	struct world *w = world_new(state);
	struct user_calls only_read = {.print = say, .read_map = read_map};
	for (size_t i = 0; i < COUNT(table); i++)
		same_text(table[i].text, raised(*state, w, table[i].text, all_calls), table[i].message);
	for (size_t i = 0; i < COUNT(none); i++) {
		const char *got = raised(*state, w, none[i], all_calls);
		if (strncmp(got, "NoMethodError: ", 15) && strncmp(got, "NameError: uninitialized constant", 33))
			fail_msg("%s: %s", none[i], got);
	}
	assert_string_equal(w->done, "");
	same_text("[]=", raised(*state, w, "COUNTS[1] = 1", only_read), "RuntimeError: COUNTS cannot be changed: maps are only read here");
	same_text("clear", raised(*state, w, "HIST.clear", only_read), "RuntimeError: HIST cannot be cleared: maps are only read here");
	w->refuse = "the program does not use it";
	same_text("read", raised(*state, w, "COUNTS.size", all_calls), "RuntimeError: COUNTS cannot be read: the program does not use it");
	same_text("print", raised(*state, w, "HIST.print", all_calls), "RuntimeError: HIST cannot be read: the program does not use it");
	same_text("clear", raised(*state, w, "COUNTS.clear", all_calls), "RuntimeError: COUNTS cannot be cleared: the program does not use it");
	w->refuse = NULL;
	w->wrong = true;
	same_text("wrong", raised(*state, w, "COUNTS.to_a", all_calls), "RuntimeError: COUNTS cannot be read: the answer is not about this map");
	same_text("wrong", raised(*state, w, "COUNTS[10]", all_calls), "RuntimeError: COUNTS cannot be read: the answer is not about this map");
}

/* As Ruby writes a text of bytes. */
static void texts(void **state)
{
	static const struct { const char *comm, *inspect; } table[] = {
		{"plain", "\"plain\""}, {"q\"b\\", "\"q\\\"b\\\\\""}, {"\x01\x7f\x1b\n", "\"\\u0001\\u007F\\e\\n\""},
		{"\xff\xc3", "\"\\xFF\\xC3\""}, {"\xc3\xa9\xe2\x82\xac", "\"\xc3\xa9\xe2\x82\xac\""},
		{"#{x} #x #@a #$", "\"\\#{x} #x \\#@a \\#$\""}, {"#", "\"#\""},
		{"\xe2\x80\xae\xf0\x9f\x98\x80", "\"\\u202E\xf0\x9f\x98\x80\""}, /* turns text */
	};
	struct world *w = world_new(state);
	for (size_t i = 0; i < COUNT(table); i++) {
		memset(w->maps[NAMES].bytes + 4, 0, 16);
		memcpy(w->maps[NAMES].bytes + 4, table[i].comm, strlen(table[i].comm));
		same_text("inspect", printed(*state, w, "puts NAMES.first[0][1].inspect"), arena_printf(*state, "%s\n", table[i].inspect));
		/* and it is a key as it came */
		same_text("key", printed(*state, w, "p NAMES[NAMES.keys[0]]"), "3\n");
	}
}

/* While the file runs there is nothing to be read. */
static void not_while_the_file_runs(void **state)
{
	static const char *const lines[] = {"COUNTS[1]", "COUNTS.size", "COUNTS.each { |k, v| k }", "HIST.print", "COUNTS.clear"};
	struct world *w = world_new(state);
	struct user_calls calls = all_calls;
	calls.self = w;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct user *u;
		struct diags d;
		char *text = arena_printf(*state, "%s%s\nevery(1) { 1 }\n", words, lines[i]);
		struct user_file f = {.file = "maps.rb", .text = text, .len = strlen(text)};
		diags_init(&d, *state);
		assert_int_equal(user_open(*state, &d, NULL, &f, &calls, &u), -1);
		same_text(lines[i], d.items[0].text, "RuntimeError: a map is empty while the file runs: use it in a handler");
		assert_int_equal(d.items[0].at.line, 8);
		user_close(u);
	}
	assert_int_equal(w->reads, 0);
}

/* ---- records ------------------------------------------------------------------------------------- */

struct record { uint8_t a; int8_t b; uint16_t c; int32_t d; char name[16]; uint64_t e; };

static void records(void **state)
{
	static const char handler[] =
		"on(EVENTS) { |e|\n"
		"puts [e.a, e.b, e.c, e.d, e.name, e.e].inspect, e[:a], e['name'], e.to_h, e, e.inspect\n"
		"kept << e if kept.size < 2\n"
		"p kept[0] == e, kept[0].e\n"
		"p e.to_h.size, (e.to_h[:a] = 9), e.a, EVENTS, e.dup.a\n"
		"}\n";
	struct world *w = world_new(state);
	struct diags d;
	struct record r = {255, -128, 65535, INT32_MIN, "sh", 3};
	struct user *u = opened(*state, w, &d, arena_printf(*state, "%skept = []\n%s", words, handler), all_calls);
	assert_int_equal(user_has(u).rings, 1);
	assert_int_equal(user_record(u, EVENTS, &r, sizeof r), 0);
	same_text("a record", w->out,
	          "[255, -128, 65535, -2147483648, \"sh\", 3]\n255\nsh\n"
	          "{:a=>255, :b=>-128, :c=>65535, :d=>-2147483648, :name=>\"sh\", :e=>3}\n"
	          "#<EVENTS a=255, b=-128, c=65535, d=-2147483648, name=\"sh\", e=3>\n"
	          "#<EVENTS a=255, b=-128, c=65535, d=-2147483648, name=\"sh\", e=3>\n"
	          "true\n3\n6\n9\n255\n#<EVENTS>\n255\n");
	/* an object that is kept has bytes of its own */
	r = (struct record){1, 2, 3, 4, {0}, UINT64_MAX};
	memset(r.name, 'x', sizeof r.name);
	w->nout = 0;
	assert_int_equal(user_record(u, EVENTS, &r, sizeof r), 0);
	w->out[strcspn(w->out, "\n")] = '\0';
	same_text("the next", w->out, "[1, 2, 3, 4, \"xxxxxxxxxxxxxxxx\", -1]");
	assert_non_null(strstr(w->out + strlen(w->out) + 1, "false\n3\n"));
	assert_int_equal(d.errors, 0);
	assert_int_equal(user_record(u, EVENTS, &r, sizeof r - 1), 1);
	same_text("cut", d.items[0].text, "RuntimeError: a record of another size than the ring has");
	assert_int_equal(user_record(u, TABLE, &r, sizeof r), 0); /* nobody listens */
	user_close(u);
}

static void fields_that_are_not_there(void **state)
{
	static const struct { const char *text, *message; } table[] = {
		{"e.f", "NoMethodError: the record has no field f: it has a, b, c, d, name, e"},
		{"e.a = 1", "NoMethodError: the record has no field a=: it has a, b, c, d, name, e"},
		{"e[:f]", "KeyError: the record has no field :f: it has a, b, c, d, name, e"},
		{"e['f']", "KeyError: the record has no field :f: it has a, b, c, d, name, e"},
		{"e[0]", "KeyError: the record has no field 0: it has a, b, c, d, name, e"},
		{"e.class.new", "NoMethodError: undefined method 'new'"},
	};
	struct world *w = world_new(state);
	struct record r = {.name = "sh"};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct diags d;
		struct user *u = opened(*state, w, &d, arena_printf(*state, "%son(EVENTS) { |e| %s }\n", words, table[i].text), all_calls);
		assert_int_equal(user_record(u, EVENTS, &r, sizeof r), 1);
		user_close(u);
		if (strncmp(d.items[0].text, table[i].message, strlen(table[i].message)))
			fail_msg("%s: %s", table[i].text, d.items[0].text);
	}
}

/* Many records, and many reads, of one interpreter. */
static void many(void **state)
{
	struct world *w = world_new(state);
	struct diags d;
	struct record r = {.name = "sh"};
	struct user *u = opened(*state, w, &d, arena_printf(*state, "%ssum = 0\non(EVENTS) { |e| sum += e.e; COUNTS.sort_by { |k, n| n }; NAMES.to_h }\n"
	                        "at_exit { puts sum }\n", words), all_calls);
	size_t before = 0;
	for (uint64_t i = 0; i < 20000; i++) {
		r.e = i;
		assert_int_equal(user_record(u, EVENTS, &r, sizeof r), 0);
		if (i == 1000)
			before = arena_size(*state);
	}
	assert_int_equal(arena_size(*state), before);
	assert_int_equal(user_at_exit(u), 0);
	same_text("sum", w->out, "199990000\n");
	user_close(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(as_hashes),
		ARENA_TEST(as_ruby),
		ARENA_TEST(one_read),
		ARENA_TEST(cpus),
		ARENA_TEST(histograms),
		ARENA_TEST(changes),
		ARENA_TEST(refused),
		ARENA_TEST(texts),
		ARENA_TEST(not_while_the_file_runs),
		ARENA_TEST(records),
		ARENA_TEST(fields_that_are_not_there),
		ARENA_TEST(many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
