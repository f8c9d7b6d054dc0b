/*
 * test_trace.c - what is read without a kernel: pages of a trace buffer, whole and damaged; texts that a program's
 * formats can print.
 */
#include "tests/unit/fixture.h"

#include "cgroup/trace.h"
#include "cgroup/trace_ring.h"

enum { PAGE = 4096, DATA = 16 };
#define GAP (1u << 31)

struct page {
	_Alignas(8) unsigned char bytes[PAGE];
	size_t len;
};

static void word(struct page *p, uint32_t w)
{
	memcpy(p->bytes + DATA + p->len, &w, sizeof w);
	p->len += sizeof w;
}

static uint32_t head(unsigned kind, uint32_t delta) { return kind | delta << 5; }

static void page_end(struct page *p, uint64_t ns, unsigned long flags)
{
	unsigned long commit = p->len | flags;
	memcpy(p->bytes, &ns, sizeof ns);
	memcpy(p->bytes + sizeof ns, &commit, sizeof commit);
}

struct seen { struct ring_record list[8]; size_t n; const struct page *page; };

static void see(void *arg, const struct ring_record *r)
{
	struct seen *s = arg;
	assert_true(r->data >= s->page->bytes + DATA && r->data + r->len <= s->page->bytes + PAGE);
	if (s->n < COUNT(s->list))
		s->list[s->n] = *r;
	s->n++;
}

/* Records of every form: short, long, behind a time, between what was discarded. */
static void page_read(void **state)
{
	struct page p = {.len = 0};
	struct seen s = {.page = &p};
	(void)state;
	word(&p, head(2, 5)); /* 8 bytes */
	word(&p, 1), word(&p, 2);
	word(&p, head(30, 7)), word(&p, 1); /* 2^27 + 7 later */
	word(&p, head(0, 1)), word(&p, 4 + 4), word(&p, 3); /* its length in a word of its own */
	word(&p, head(29, 2)), word(&p, 4); /* discarded: not at the end of the page */
	word(&p, head(31, 9)), word(&p, 2); /* a time by itself */
	word(&p, head(1, 1)), word(&p, 4);
	word(&p, head(29, 0)); /* the rest is empty */
	word(&p, head(1, 0)), word(&p, 99);
	page_end(&p, 1000, 0);
	assert_true(ring_page(p.bytes, PAGE, see, &s));
	assert_int_equal(s.n, 3);
	assert_int_equal(s.list[0].ns, 1005);
	assert_int_equal(s.list[0].len, 8);
	assert_int_equal(s.list[1].ns, 1005 + (1 << 27) + 7 + 1);
	assert_int_equal(s.list[1].len, 4);
	assert_int_equal(s.list[1].data[0], 3);
	assert_int_equal(s.list[2].ns, (2u << 27) + 9 + 1);
	assert_int_equal(s.list[2].data[0], 4);
	assert_false(ring_gap(p.bytes, PAGE));
	page_end(&p, 1000, GAP);
	assert_true(ring_gap(p.bytes, PAGE));
	s.n = 0;
	assert_true(ring_page(p.bytes, PAGE, see, &s));
	assert_int_equal(s.n, 3);
}

/* No bytes lead out of a page. */
static void page_damaged(void **state)
{
	struct page p = {.len = 0};
	struct seen s = {.page = &p};
	size_t refused = 0;
	(void)state;
	assert_false(ring_page(p.bytes, DATA - 1, see, &s));
	page_end(&p, 0, PAGE - DATA + 1); /* longer than it can be */
	assert_false(ring_page(p.bytes, PAGE, see, &s));
	srandom(12);
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < PAGE; k += sizeof(int32_t)) {
			int32_t r = (int32_t)random();
			memcpy(p.bytes + k, &r, sizeof r);
		}
		p.len = (size_t)random() % (PAGE - DATA + 1);
		page_end(&p, 0, 0);
		refused += !ring_page(p.bytes, PAGE, see, &s);
	}
	assert_true(refused > 1000);
}

/* ---- texts ----------------------------------------------------------------------------- */

static bool matches(const char *format, const char *text)
{
	struct step print = {.kind = STEP_PRINT, .text = format, .ntext = strlen(format)};
	struct step other = {.kind = STEP_TIME, .next = NULL}, branch = {.kind = STEP_IF, .yes = &other, .no = &print};
	struct raw raw = {.steps = &branch};
	return trace_match(&raw, text, strlen(text));
}

static void texts(void **state)
{
	static const struct { const char *format, *text; bool fits; } table[] = {
		{"hello", "hello", true}, {"hello\n", "hello", true}, {"hello", "hello ", false}, {"hello", "hell", false}, {"", "", true},
		{"access %d", "access 17", true}, {"access %d", "access -1", true}, {"access %u", "access -1", false},
		{"access %d", "access ", false}, {"access %d", "access x", false}, {"%lld%d", "12", true}, {"%lld%d", "1", false},
		{"%x", "ff0", true}, {"%x", "FF", false}, {"%llx.", "ffffffffffffffff.", true}, {"%d", "123456789012345678901", false},
		{"%s ran", "a process ran", true}, {"%s ran", " ran", true}, {"%s", "fifteen letters", true}, {"%s", "sixteen letters.", false},
		{"%s\n%s", "a\nb\nc", true}, {"%c|", "x|", true}, {"%c|", "|", true}, {"100%%", "100%", true}, {"100%%", "100", false},
		{"%d:%d", "1:2", true}, {"%d:%d", "1:2:3", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (matches(table[i].format, table[i].text) != table[i].fits)
			fail_msg("'%s' and '%s'", table[i].format, table[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_read),
		cmocka_unit_test(page_damaged),
		cmocka_unit_test(texts),
	};
	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
