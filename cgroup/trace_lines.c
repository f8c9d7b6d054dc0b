/*
 * trace_lines.c - what a program prints, out of an instance of tracefs of our own.
 *
 * A printed line does not say which program printed it. So the instance has the option `stacktrace`: behind each
 * line the kernel writes where it came from. The first place in it that is not the kernel's own text is the program
 * that printed, and the kernel tells where ours is (jited_ksyms). A line of another program with the same text is
 * so told from ours, also one of the same file that another `trace` runs.
 *
 * The pages are read as they are (trace_ring.h), not as text. Each CPU has a queue of lines of ours; the one with
 * the earliest is given first, unless another CPU may still have an earlier one. A CPU is read only when its queue is
 * empty, so that the memory needed is a page for each.
 */
#include "cgroup/trace.h"
#include "cgroup/trace_names.h"
#include "cgroup/trace_ring.h"
#include "cgroup/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum {
	NESTED = 4,       /* a line, one of an interrupt in it, of one in that, of an NMI */
	TEXT_MAX = 1024,  /* as long as the kernel makes a line (BPF_TRACE_PRINTK_SIZE) */
	PAGES_AT_ONCE = 4096,
	AT_ONCE_NS = 100000000,
	PLACES = 8,       /* programs and their functions */
	BUFFERS = 64 << 20, BUFFER_LEAST = 256 << 10, BUFFER_MOST = 4 << 20, /* bytes of all CPUs, of each */
};

/* A line of which it is not told yet whose it is. */
struct held {
	uint64_t ns;
	int32_t pid;
	unsigned level; /* of interrupts in which it was printed */
	size_t len;
	char text[TEXT_MAX];
};
struct queued {
	uint64_t ns;
	int32_t pid;
	size_t text, len;
};
struct cpu {
	struct trace_lines *of;
	uint32_t number;
	int fd;
	struct held held[NESTED];
	size_t nheld;
	struct queued *lines;
	size_t first, n;     /* of the queue: what is left */
	char *texts;
	size_t used;
	uint64_t until;      /* all before it has been read */
	bool drained;
};
/* Where in memory. */
struct place { uint64_t from, to; };
struct trace_lines {
	const struct raw *raw;
	struct trace_instance instance;
	int poll;
	struct cpu *cpus;
	size_t ncpus, page, most; /* bytes of a page, lines in one at most */
	unsigned char *bytes;
	struct place ours[PLACES], text; /* the program, the kernel */
	size_t nours;
	const char *unsure;
	struct { unsigned line, stack, flags, pid, string, caller; } at; /* numbers of events, offsets of fields */
	uint64_t halves; /* of lines whose other half was lost */
	bool broken;
	struct trace_names *names;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- whose a line is ------------------------------------------------------------------ */

static bool within(const struct place *p, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		if (at >= p[i].from && at < p[i].to)
			return true;
	return false;
}

/* The callers, from the inside: functions of the kernel, then the program that printed. */
static bool is_ours(const struct trace_lines *t, const unsigned char *callers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned long at;
		memcpy(&at, callers + i * sizeof at, sizeof at);
		if (within(t->ours, t->nours, at))
			return true;
		if (!within(&t->text, 1, at))
			return false;
	}
	return false;
}

static void queue(struct cpu *c, const struct held *h)
{
	struct queued *q = &c->lines[c->first + c->n++];
	*q = (struct queued){h->ns, h->pid, c->used, h->len};
	memcpy(c->texts + c->used, h->text, h->len + 1);
	c->used += h->len + 1;
	for (; q > c->lines + c->first && q[-1].ns > q->ns; q--) { /* of an interrupt in it: it was told first */
		struct queued one = q[-1];
		q[-1] = *q;
		*q = one;
	}
}

/* The other half of a line was lost. */
static void give_up(struct cpu *c, size_t from)
{
	if (from < c->nheld) {
		c->of->halves += c->nheld - from;
		c->nheld = from;
	}
}

static unsigned level_of(unsigned char flags)
{
	enum { HARDIRQ = 0x08, SOFTIRQ = 0x10, NMI = 0x40 };
	return flags & NMI ? 3 : flags & HARDIRQ ? 2 : flags & SOFTIRQ ? 1 : 0;
}

static void line_record(struct cpu *c, const struct ring_record *r, int32_t pid, unsigned level)
{
	struct trace_lines *t = c->of;
	uint32_t where;
	if (r->len < t->at.string + sizeof where)
		return;
	memcpy(&where, r->data + t->at.string, sizeof where);
	size_t at = where & 0xffff, len = where >> 16;
	if (at >= r->len || len > r->len - at)
		return;
	/* what is held of this level or a higher one ended without a word of where it came from */
	size_t below = 0;
	while (below < c->nheld && c->held[below].level < level)
		below++;
	give_up(c, below);
	struct held *h = &c->held[c->nheld];
	*h = (struct held){.ns = r->ns, .pid = pid, .level = level};
	h->len = strnlen((const char *)r->data + at, len < TEXT_MAX ? len : TEXT_MAX - 1);
	memcpy(h->text, r->data + at, h->len);
	if (h->len && h->text[h->len - 1] == '\n')
		h->len--;
	h->text[h->len] = '\0';
	if (!t->unsure)
		c->nheld++;
	else if (trace_match(t->raw, h->text, h->len))
		queue(c, h);
}

static void stack_record(struct cpu *c, const struct ring_record *r, int32_t pid, unsigned level)
{
	struct trace_lines *t = c->of;
	size_t i = c->nheld;
	/* written at once: what came later is of another line, behind a gap that is not told yet */
	while (i && (c->held[i - 1].level != level || c->held[i - 1].pid != pid || r->ns - c->held[i - 1].ns > AT_ONCE_NS))
		i--;
	t->halves += !i;
	if (!i || r->len < t->at.caller)
		return;
	give_up(c, i);
	if (is_ours(t, r->data + t->at.caller, (r->len - t->at.caller) / sizeof(unsigned long)))
		queue(c, &c->held[i - 1]);
	c->nheld = i - 1;
}

static void record(void *arg, const struct ring_record *r)
{
	struct cpu *c = arg;
	const struct trace_lines *t = c->of;
	uint16_t event;
	int32_t pid;
	if (r->len < t->at.flags + 1 || r->len < t->at.pid + sizeof pid)
		return;
	memcpy(&event, r->data, sizeof event);
	memcpy(&pid, r->data + t->at.pid, sizeof pid);
	unsigned level = level_of(r->data[t->at.flags]);
	c->until = r->ns > c->until ? r->ns : c->until;
	if (event == t->at.line)
		line_record(c, r, pid, level);
	else if (event == t->at.stack)
		stack_record(c, r, pid, level);
}

/* ---- reading ------------------------------------------------------------------------- */

/* A page of a CPU whose queue is empty. False: there is none now. */
static bool read_page(struct cpu *c)
{
	struct trace_lines *t = c->of;
	ssize_t n = read(c->fd, t->bytes, t->page);
	if (n <= 0)
		return false;
	c->first = c->n = c->used = 0;
	if (ring_gap(t->bytes, (size_t)n))
		give_up(c, 0);
	t->broken |= !ring_page(t->bytes, (size_t)n, record, c);
	return true;
}

/* The CPU with the earliest line that is known to be the next of all; NULL: there is none now. */
static struct cpu *next_line(struct trace_lines *t, uint64_t now, size_t *pages)
{
	struct cpu *earliest = NULL;
	uint64_t until = UINT64_MAX;
	for (struct cpu *c = t->cpus; c < t->cpus + t->ncpus; c++) {
		while (!c->n && !c->drained && *pages) {
			--*pages;
			c->drained = !read_page(c);
		}
		if (c->drained && now > c->until)
			c->until = now;
		if (!c->n)
			until = c->until < until ? c->until : until;
		else if (!earliest || c->lines[c->first].ns < earliest->lines[earliest->first].ns)
			earliest = c;
	}
	return earliest && earliest->lines[earliest->first].ns <= until ? earliest : NULL;
}

static bool give(struct cpu *c, bool (*one)(void *arg, const struct trace_line *l), void *arg)
{
	const struct queued *q = &c->lines[c->first++];
	c->n--;
	struct trace_line line = {q->ns, q->pid, c->number, trace_name(c->of->names, q->pid), c->texts + q->text, q->len};
	return one(arg, &line);
}

static bool some_wait(const struct trace_lines *t)
{
	for (size_t i = 0; i < t->ncpus; i++)
		if (t->cpus[i].n)
			return true;
	return false;
}

int trace_lines_read(struct diags *d, struct trace_lines *t, bool last, bool (*one)(void *arg, const struct trace_line *l), void *arg)
{
	size_t pages = PAGES_AT_ONCE;
	int given = 0;
	bool more = true;
	trace_names_forget(t->names);
	/* a line that came after `now` waits for a later one, as another CPU may have one before it */
	do {
		uint64_t now = last ? UINT64_MAX : now_ns();
		for (size_t i = 0; i < t->ncpus; i++)
			t->cpus[i].drained = false;
		for (struct cpu *c; more && (c = next_line(t, now, &pages)); given++)
			more = give(c, one, arg);
	} while (more && pages && some_wait(t));
	for (size_t i = 0; last && more && pages && i < t->ncpus; i++)
		give_up(&t->cpus[i], 0);
	if (t->broken)
		return diag_fail(d, "please report it, with the kernel's version", "the kernel's trace buffer cannot be understood");
	return given;
}

/* The number behind a word of a CPU's statistics. */
static uint64_t counted(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

/* Records that the kernel wrote over, or had no place for. (What a page says of a gap before it is left out where the page
 * is full.) A line has two, but for those at the edges of a gap: their other half is before and behind it. */
uint64_t trace_lines_lost(const struct trace_lines *t)
{
	uint64_t missed = 0;
	for (size_t i = 0; i < t->ncpus; i++) {
		char path[48], text[512];
		snprintf(path, sizeof path, "per_cpu/cpu%u/stats", t->cpus[i].number);
		if (file_read(t->instance.fd, path, text, sizeof text) > 0)
			missed += counted(text, "\noverrun: ") + counted(text, "\ncommit overrun: ") + counted(text, "\ndropped events: ");
	}
	return t->unsure ? missed : (missed + t->halves + 1) / 2;
}

const char *trace_lines_unsure(const struct trace_lines *t)
{
	return t->unsure;
}

int trace_lines_fd(const struct trace_lines *t)
{
	return t->poll;
}

/* ---- opening ------------------------------------------------------------------------- */

/* Does a line end with that word? Its number, else `otherwise`. */
static uint64_t number_of(const char *line, size_t len, const char *word, uint64_t otherwise)
{
	size_t n = strlen(word);
	return len > n && !memcmp(line + len - n, word, n) ? strtoull(line, NULL, 16) : otherwise;
}

/* Where the kernel's own text is. The list is long. */
static bool kernel_text(struct place *out)
{
	char line[512];
	FILE *f = fopen("/proc/kallsyms", "re");
	*out = (struct place){0};
	while (f && (!out->from || !out->to) && fgets(line, sizeof line, f)) {
		size_t len = strlen(line);
		out->from = number_of(line, len, " _stext\n", out->from);
		out->to = number_of(line, len, " _etext\n", out->to);
	}
	if (f)
		fclose(f);
	return out->from && out->to;
}

/* Where our program is. NULL, or why that is not known. */
static const char *program_places(struct trace_lines *t, int fd)
{
	struct bpf_prog_info info = {0};
	uint64_t at[PLACES] = {0};
	uint32_t len[PLACES] = {0}, size = sizeof info;
	info.nr_jited_ksyms = info.nr_jited_func_lens = PLACES;
	info.jited_ksyms = (uintptr_t)at;
	info.jited_func_lens = (uintptr_t)len;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return "the kernel does not describe the program";
	if (!info.jited_prog_len)
		return "net.core.bpf_jit_enable is 0";
	for (size_t i = 0; i < info.nr_jited_ksyms && i < info.nr_jited_func_lens && i < PLACES && at[i]; i++)
		t->ours[t->nours++] = (struct place){at[i], at[i] + len[i]};
	return t->nours && kernel_text(&t->text) ? NULL : "kernel.kptr_restrict hides where programs are";
}

/* Where a field lies, by a format file: the number behind "offset:". */
static bool field_at(const char *format, const char *field, unsigned *out)
{
	const char *at = strstr(format, field);
	return at && sscanf(at + strlen(field), "; offset:%u;", out) == 1;
}

static int formats_read(struct arena *a, struct diags *d, struct trace_lines *t)
{
	size_t len;
	char *line = tracefs_text(a, t->instance.tracefs, "events/bpf_trace/bpf_trace_printk/format", &len);
	int error = errno;
	char *stack = tracefs_text(a, t->instance.tracefs, "events/ftrace/kernel_stack/format", &len);
	if (!line)
		return diag_fail(d, error == ENOENT ? "use Linux 5.10 or later, with CONFIG_BPF_EVENTS=y" : tracefs_hint(a, error),
		                 "this kernel does not show what programs print: %s", strerror(error));
	const char *id = strstr(line, "\nID: "), *stack_id = stack ? strstr(stack, "\nID: ") : NULL;
	if (!id || sscanf(id, "\nID: %u", &t->at.line) != 1 || !field_at(line, "common_flags", &t->at.flags) ||
	    !field_at(line, "common_pid", &t->at.pid) || !field_at(line, "bpf_string", &t->at.string))
		return diag_fail(d, "please report it, with the kernel's version", "the kernel's event bpf_trace_printk cannot be understood");
	if (!stack_id || sscanf(stack_id, "\nID: %u", &t->at.stack) != 1 || !field_at(stack, "caller[8]", &t->at.caller))
		t->unsure = "this kernel does not note where lines come from";
	return 0;
}

static int set(struct arena *a, struct diags *d, const struct trace_lines *t, const char *file, const char *text)
{
	int error = -file_write(t->instance.fd, file, text);
	return error ? diag_fail(d, tracefs_hint(a, error), "cannot set %s of a tracefs instance: %s", file, strerror(error)) : 0;
}

static int open_cpu(struct arena *a, struct diags *d, struct trace_lines *t, uint32_t number, struct cpu *c)
{
	const char *path = arena_printf(a, "per_cpu/cpu%u/trace_pipe_raw", number);
	struct epoll_event wanted = {.events = EPOLLIN};
	*c = (struct cpu){.of = t, .number = number, .fd = openat(t->instance.fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
	if (c->fd < 0 || epoll_ctl(t->poll, EPOLL_CTL_ADD, c->fd, &wanted))
		return diag_fail(d, tracefs_hint(a, errno), "cannot read %s of a tracefs instance: %s", path, strerror(errno));
	c->lines = arena_alloc(a, t->most * sizeof *c->lines);
	c->texts = arena_alloc(a, t->page + NESTED * TEXT_MAX);
	return 0;
}

static int open_cpus(struct arena *a, struct diags *d, struct trace_lines *t)
{
	uint32_t n = 0;
	while (!faccessat(t->instance.fd, arena_printf(a, "per_cpu/cpu%u", n), F_OK, 0))
		n++;
	if (!n)
		return diag_fail(d, NULL, "a tracefs instance has no CPUs");
	size_t each = BUFFERS / n;
	each = each < BUFFER_LEAST ? BUFFER_LEAST : each > BUFFER_MOST ? BUFFER_MOST : each;
	t->cpus = arena_alloc(a, n * sizeof *t->cpus);
	if (set(a, d, t, "buffer_size_kb", arena_printf(a, "%zu", each >> 10)))
		return -1;
	for (; t->ncpus < n; t->ncpus++)
		if (open_cpu(a, d, t, (uint32_t)t->ncpus, &t->cpus[t->ncpus])) {
			t->ncpus++;
			return -1;
		}
	return 0;
}

/* By the same clock as programs, and each with where it came from. */
static int arrange(struct arena *a, struct diags *d, struct trace_lines *t)
{
	t->page = (size_t)sysconf(_SC_PAGESIZE);
	t->most = t->page / 16 + NESTED; /* 4 of head, 8 of every event, 4 of a line's place */
	t->bytes = arena_alloc(a, t->page);
	t->poll = epoll_create1(EPOLL_CLOEXEC);
	if (t->poll < 0)
		return diag_fail(d, error_hint(a, errno, NULL), "epoll: %s", strerror(errno));
	if (formats_read(a, d, t) || set(a, d, t, "trace_clock", "mono"))
		return -1;
	file_write(t->instance.fd, "buffer_percent", "0"); /* not there: it is woken by each page */
	if (!t->unsure && file_write(t->instance.fd, "options/stacktrace", "1"))
		t->unsure = "this kernel does not note where lines come from";
	if (open_cpus(a, d, t))
		return -1;
	return set(a, d, t, "events/bpf_trace/bpf_trace_printk/enable", "1");
}

int trace_lines_open(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, struct trace_lines **out)
{
	struct trace_lines *t = arena_alloc(a, sizeof *t);
	struct diags ignored;
	*out = NULL;
	t->raw = raw;
	t->poll = -1;
	t->instance.fd = -1;
	int tracefs = tracefs_open(a, d);
	if (tracefs < 0 || instance_new(d, tracefs, &t->instance))
		return -1;
	t->names = trace_names_new(a, t->instance.tracefs);
	t->unsure = program_places(t, program_fd(p));
	diags_init(&ignored, a);
	if (arrange(a, d, t)) {
		trace_lines_close(&ignored, t);
		return -1;
	}
	*out = t;
	return 0;
}

int trace_lines_close(struct diags *d, struct trace_lines *t)
{
	if (!t)
		return 0;
	for (size_t i = 0; i < t->ncpus; i++)
		if (t->cpus[i].fd >= 0)
			close(t->cpus[i].fd);
	t->ncpus = 0;
	if (t->poll >= 0)
		close(t->poll);
	t->poll = -1;
	if (instance_end(&t->instance))
		return 0;
	return diag_fail(d, "end what reads it; the next `rucy-devguard trace` removes it",
	                 "the tracefs instance %s could not be removed", t->instance.name);
}
