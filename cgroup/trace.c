/*
 * trace.c - a raw program attached to what its section names, until this process lets go of it.
 *
 * An event's number is read from tracefs here, and kprobes are asked for by perf_event_open(2) only: libbpf's other
 * way to a kprobe writes into tracefs, where it would stay when the process is killed.
 */
#include "cgroup/trace.h"
#include "cgroup/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct traced {
	struct bpf_link *link;
};

/* "tcp_connect" of "kprobe/tcp_connect". */
static const char *target(const struct raw *raw)
{
	const char *slash = strchr(raw->section_name, '/');
	return slash ? slash + 1 : raw->section_name;
}

/* What is wrong is written there; -1. */
static int at_program(struct diags *d, const struct raw *raw)
{
	d->items[d->n - 1].at = raw->at;
	return -1;
}

/* ---- names that are spelled alike -------------------------------------------------------- */

struct words { const char **list; size_t n, cap; };

/* The words of a list of tracefs, one a line: functions (with their module), or "system:event". With `behind`, what
 * is behind the colon. */
static void words_read(struct arena *a, const char *file, bool behind, struct words *out)
{
	struct diags ignored;
	size_t len;
	diags_init(&ignored, a);
	int tracefs = tracefs_open(a, &ignored);
	char *text = tracefs < 0 ? NULL : tracefs_text(a, tracefs, file, &len), *save = NULL;
	if (tracefs >= 0)
		close(tracefs);
	for (char *word = text ? strtok_r(text, "\n", &save) : NULL; word; word = strtok_r(NULL, "\n", &save)) {
		word[strcspn(word, " \t")] = '\0';
		char *colon = strchr(word, ':');
		*ARENA_APPEND(a, out->list, out->n, out->cap) = behind && colon ? colon + 1 : word;
	}
}

/* A compiler may have made another function of one: tcp_connect.isra.0. */
static const char *made_of(const struct words *w, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < w->n; i++)
		if (!strncmp(w->list[i], name, n) && w->list[i][n] == '.')
			return w->list[i];
	return NULL;
}

static int no_function(struct arena *a, struct diags *d, const struct raw *raw)
{
	struct words w = {0};
	const char *name = target(raw);
	words_read(a, "available_filter_functions", false, &w);
	const char *made = made_of(&w, name), *near = made ? NULL : did_you_mean(name, w.list, w.n);
	diag_fail(d, made ? arena_printf(a, "the compiler made %s of it, which is called in another way: choose a function that is called by it or calls it", made)
	                         : near_hint(a, near, w.n ? "the functions are in available_filter_functions of tracefs; those of a module only while it is loaded"
	                                                  : "the functions are in /proc/kallsyms; those of a module only while it is loaded"),
	          "this kernel has no function '%s' that can be probed", name);
	return at_program(d, raw);
}

static int no_event(struct arena *a, struct diags *d, const struct raw *raw, bool by_name)
{
	struct words w = {0};
	char *name = arena_strdup(a, target(raw)), *slash = strchr(name, '/');
	if (!by_name && slash)
		*slash = ':';
	words_read(a, "available_events", by_name, &w);
	const char *near = did_you_mean(name, w.list, w.n);
	if (near && !by_name) {
		char *written = arena_strdup(a, near), *colon = strchr(written, ':');
		if (colon)
			*colon = '/';
		near = written;
	}
	diag_fail(d, near_hint(a, near, "the events are in available_events of tracefs, as CATEGORY:EVENT; those of a module only while it is loaded"),
	          "this kernel has no event '%s'", target(raw));
	return at_program(d, raw);
}

/* ---- why the kernel said no --------------------------------------------------------------- */

static const char *permission_hint(struct arena *a)
{
	if (kernel_locked_down())
		return tracefs_hint(a, EPERM);
	if (!capable(CAP_SYS_ADMIN) && !(capable(CAP_BPF) && capable(CAP_PERFMON)))
		return arena_printf(a, "run it as root; missing here: %sCAP_PERFMON", capable(CAP_BPF) ? "" : "CAP_BPF, ");
	return privilege_hint(a);
}

static int refused(struct arena *a, struct diags *d, const struct raw *raw, int error)
{
	if (error == EPERM || error == EACCES)
		return diag_fail(d, permission_hint(a), "no permission to attach to '%s'", raw->section_name);
	return diag_fail(d, error_hint(a, error, "see the kernel log"), "cannot attach to '%s': %s", raw->section_name, strerror(error));
}

/* ---- attaching ------------------------------------------------------------------------------ */

static int attach_kprobe(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, struct traced *t)
{
	struct bpf_kprobe_opts opts = {.sz = sizeof opts, .retprobe = raw->section == RAW_KRETPROBE};
	if (access("/sys/bus/event_source/devices/kprobe/type", R_OK))
		return diag_fail(d, "use a kernel with CONFIG_KPROBES=y and CONFIG_KPROBE_EVENTS=y; tracepoint/CATEGORY/EVENT and "
		                    "raw_tracepoint/EVENT need neither",
		                 "this kernel has no kprobes: '%s' cannot be attached", raw->section_name);
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	t->link = bpf_program__attach_kprobe_opts(program_of(p), target(raw), &opts);
	int error = errno;
	libbpf_set_print(before);
	if (t->link)
		return 0;
	if (error == ENOENT || error == EADDRNOTAVAIL)
		return no_function(a, d, raw);
	if (error == EINVAL)
		diag_fail(d, "choose a function that it is called by, or that it calls",
		          "the kernel lets nobody probe the function '%s'", target(raw));
	return error == EINVAL ? at_program(d, raw) : refused(a, d, raw, error);
}

/* The number of an event; 0 or -errno. */
static int event_number(struct arena *a, int tracefs, const struct raw *raw, uint64_t *out)
{
	char text[24];
	int n = file_read(tracefs, arena_printf(a, "events/%s/id", target(raw)), text, sizeof text);
	*out = n > 0 ? strtoull(text, NULL, 10) : 0;
	return n < 0 ? n : 0;
}

static int attach_tracepoint(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, struct traced *t)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof attr, .sample_period = 1};
	uint64_t number = 0;
	int tracefs = tracefs_open(a, d);
	if (tracefs < 0)
		return -1;
	int error = -event_number(a, tracefs, raw, &number);
	close(tracefs);
	if (error == ENOENT || error == ENOTDIR)
		return no_event(a, d, raw, false);
	attr.config = number;
	/* a program sees the event on every CPU, whichever the perf event is of */
	int fd = error ? -1 : (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return refused(a, d, raw, error ? error : errno);
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	t->link = bpf_program__attach_perf_event(program_of(p), fd);
	error = errno;
	libbpf_set_print(before);
	if (t->link)
		return 0;
	close(fd);
	if (error == EACCES)
		diag_fail(d, arena_printf(a, "compare the class with events/%s/format of tracefs", target(raw)),
		          "'%s' reads fields behind the end of the event '%s'", raw->function, target(raw));
	return error == EACCES ? at_program(d, raw) : refused(a, d, raw, error);
}

static int attach_raw_tracepoint(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, struct traced *t)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	t->link = bpf_program__attach_raw_tracepoint(program_of(p), target(raw));
	int error = errno;
	libbpf_set_print(before);
	if (t->link)
		return 0;
	if (error == ENOENT)
		return no_event(a, d, raw, true);
	if (error == EINVAL)
		diag_fail(d, "the event hands on fewer values than the program reads; its kernel source has them (TP_PROTO)",
		          "'%s' reads fields that the event '%s' does not have", raw->function, target(raw));
	return error == EINVAL ? at_program(d, raw) : refused(a, d, raw, error);
}

static int attach_device(struct arena *a, struct diags *d, const struct program *p, const struct cgroup *cg, struct traced *t)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	t->link = bpf_program__attach_cgroup(program_of(p), cg->fd);
	int error = errno;
	libbpf_set_print(before);
	return t->link ? 0 : attach_refused(a, d, cg, error);
}

int trace_attach(struct arena *a, struct diags *d, const struct program *p, const struct raw *raw, const struct cgroup *cg,
                 struct traced **out)
{
	struct traced *t = arena_alloc(a, sizeof *t);
	int result = -1;
	switch (raw->section) {
	case RAW_DEVICE: result = attach_device(a, d, p, cg, t); break;
	case RAW_KPROBE:
	case RAW_KRETPROBE: result = attach_kprobe(a, d, p, raw, t); break;
	case RAW_TRACEPOINT: result = attach_tracepoint(a, d, p, raw, t); break;
	case RAW_RAW_TRACEPOINT: result = attach_raw_tracepoint(a, d, p, raw, t); break;
	case RAW_SECTIONS: break;
	}
	*out = result ? NULL : t;
	return result;
}

void trace_detach(struct traced *t)
{
	if (t && t->link)
		bpf_link__destroy(t->link);
	if (t)
		t->link = NULL;
}
