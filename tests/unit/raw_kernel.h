/*
 * raw_kernel.h - raw programs run by the kernel: what it decides or returns, prints, sends, and leaves in maps, against what
 * a world says. A device program is asked by a process in a scratch cgroup, one of a raw tracepoint by a test run.
 */
#ifndef DEVGUARD_TESTS_RAW_KERNEL_H
#define DEVGUARD_TESTS_RAW_KERNEL_H

#include "cgroup/tracefs.h"
#include "compiler/raw/world.h"
#include "tests/unit/scratch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { NODES_MOST = 16 };

struct in_kernel {
	struct env *env;
	struct trace_instance instance;
	uint64_t cgroup_id;
	char tag[16], directory[32];
	int cpu, cpus;
};

/* ---- begin and end ------------------------------------------------------------------------------- */

static inline void kernel_file(const struct in_kernel *k, const char *path, const char *text, int flags)
{
	int fd = openat(k->instance.fd, path, O_WRONLY | O_CLOEXEC | flags);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* False: there is no tracefs here. */
static inline bool kernel_begin(struct in_kernel *k, struct env *e)
{
	*k = (struct in_kernel){.env = e, .cpu = sched_getcpu(), .cpus = libbpf_num_possible_cpus(), .directory = "/tmp/devguard-raw-XXXXXX"};
	char filter[64];
	int tracefs = tracefs_open(e->arena, &e->d);
	k->instance.fd = -1;
	if (tracefs < 0 || instance_new(&e->d, tracefs, &k->instance))
		return false;
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(k->cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0); /* a percpu value is that of one CPU */
	snprintf(k->tag, sizeof k->tag, "t%x ", getpid());
	struct stat st;
	assert_int_equal(stat(e->cg->path, &st), 0);
	k->cgroup_id = st.st_ino;
	assert_non_null(mkdtemp(k->directory));
	snprintf(filter, sizeof filter, "bpf_string ~ \"%s*\"", k->tag); /* others print, too */
	kernel_file(k, "events/bpf_trace/bpf_trace_printk/filter", filter, 0);
	kernel_file(k, "events/bpf_trace/bpf_trace_printk/enable", "1", 0);
	return true;
}

/* Also after a failure in the middle. */
static inline void kernel_end(struct in_kernel *k)
{
	char path[64];
	for (int i = 0; i < NODES_MOST; i++)
		for (const char *kind = "nm"; *kind; kind++) {
			snprintf(path, sizeof path, "%s/%c%d", k->directory, *kind, i);
			unlink(path);
		}
	rmdir(k->directory);
	if (k->instance.fd >= 0)
		instance_end(&k->instance);
}

/* ---- maps ---------------------------------------------------------------------------------------- */

static inline int kernel_map(const struct bpf_object *o, const struct raw_map *m)
{
	int fd = bpf_object__find_map_fd_by_name(o, m->name);
	assert_true(fd >= 0);
	return fd;
}

/* A value of each CPU has 8 bytes there. */
static inline void kernel_fill(const struct in_kernel *k, const struct bpf_object *o, struct raw_world *w)
{
	const struct raw *r = w->policy->raw;
	for (size_t i = 0; i < r->nmaps; i++)
		for (size_t n = 0; n < w->stores[i].n; n++) {
			unsigned char value[8 * 512] = {0};
			const struct raw_entry *e = &w->stores[i].entries[n];
			memcpy(value + (r->maps[i].kind == RAW_PERCPU ? 8 * k->cpu : 0), e->value, r->maps[i].value.size);
			assert_int_equal(bpf_map_update_elem(kernel_map(o, &r->maps[i]), e->key, value, 0), 0);
		}
}

static inline const char *kernel_value_differs(const struct in_kernel *k, int fd, struct raw_world *w, uint32_t map, const void *key)
{
	static const unsigned char zeros[RAW_RECORD_MAX];
	const struct raw_map *m = &w->policy->raw->maps[map];
	unsigned char value[8 * 512] = {0}, sum[8] = {0};
	const struct raw_entry *e = world_find(w, map, key);
	if (bpf_map_lookup_elem(fd, key, value))
		return arena_printf(w->arena, "%s: an entry is gone", m->name);
	for (int cpu = 0; cpu < (m->kind == RAW_PERCPU ? k->cpus : 1); cpu++)
		raw_store(sum, m->value.size, (int64_t)((uint64_t)raw_load(sum, m->value.size, false) + (uint64_t)raw_load(value + 8 * cpu, m->value.size, false)));
	if (!e && memcmp(sum, zeros, m->value.size))
		return arena_printf(w->arena, "%s: an entry too many", m->name);
	return e && memcmp(sum, e->value, m->value.size)
	       ? arena_printf(w->arena, "%s: %lld, and in the kernel %lld", m->name, (long long)raw_load(e->value, m->value.size, false),
	                      (long long)raw_load(sum, m->value.size, false))
	       : NULL;
}

static inline const char *kernel_map_differs(const struct in_kernel *k, const struct bpf_object *o, struct raw_world *w, uint32_t map)
{
	const struct raw_map *m = &w->policy->raw->maps[map];
	int fd = kernel_map(o, m);
	unsigned char key[RAW_RECORD_MAX], next[RAW_RECORD_MAX];
	size_t n = 0;
	for (bool first = true; !bpf_map_get_next_key(fd, first ? NULL : key, next); first = false, n++) {
		memcpy(key, next, sizeof key);
		const char *why = kernel_value_differs(k, fd, w, map, key);
		if (why)
			return why;
	}
	if (!raw_is_array(m->kind) && n != w->stores[map].n)
		return arena_printf(w->arena, "%s: %zu entries, and in the kernel %zu", m->name, w->stores[map].n, n);
	return NULL;
}

/* ---- what was printed, sent and lost --------------------------------------------------------------- */

/* The next line of the trace that this program printed; NULL: there is none. */
static inline char *kernel_line(const struct in_kernel *k, char **rest)
{
	static const char mark[] = "bpf_trace_printk: ";
	for (char *line; (line = strsep(rest, "\n"));) {
		char *text = strstr(line, mark);
		if (text && !strncmp(text + strlen(mark), k->tag, strlen(k->tag)))
			return text + strlen(mark);
	}
	return NULL;
}

struct kernel_records { const struct raw_log *log; uint32_t map; size_t at; const char *why; };

static inline int kernel_record(void *arg, void *data, size_t size)
{
	struct kernel_records *r = arg;
	while (r->at < r->log->n && !(r->log->effects[r->at].kind == EFFECT_OUT && r->log->effects[r->at].map == r->map))
		r->at++;
	const struct raw_effect *e = r->at < r->log->n ? &r->log->effects[r->at++] : NULL;
	if (!e || e->nvalue != size || memcmp(e->value, data, size))
		r->why = e ? "a record differs" : "a record too many";
	return 0;
}

static inline const char *kernel_ring_differs(const struct bpf_object *o, const struct raw_world *w, uint32_t map, const struct raw_log *log)
{
	struct kernel_records r = {.log = log, .map = map};
	size_t sent = 0;
	for (size_t i = 0; i < log->n; i++)
		sent += log->effects[i].kind == EFFECT_OUT && log->effects[i].map == map;
	struct ring_buffer *ring = ring_buffer__new(kernel_map(o, &w->policy->raw->maps[map]), kernel_record, &r, NULL);
	assert_non_null(ring);
	int n = ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return n != (int)sent ? arena_printf(w->arena, "%zu records, and in the kernel %d", sent, n) : r.why;
}

static inline const char *kernel_lost_differs(const struct bpf_object *o, const struct raw_world *w, uint32_t map, const struct raw_log *log)
{
	for (uint32_t i = 0; i < map; i++) {
		uint64_t lost = 0, want = 0;
		assert_int_equal(bpf_map_lookup_elem(kernel_map(o, &w->policy->raw->maps[map]), &i, &lost), 0);
		for (size_t n = 0; n < log->n; n++)
			want += log->effects[n].kind == EFFECT_LOST && log->effects[n].map == i;
		if (lost != want)
			return arena_printf(w->arena, "%s: %llu lost, and in the kernel %llu", w->policy->raw->maps[i].name, (unsigned long long)want,
			                    (unsigned long long)lost);
	}
	return NULL;
}

/* The effects of all runs are in `log`, prints as lines, and the world is as they left it. NULL, or what differs. */
static inline const char *kernel_differs(const struct in_kernel *k, const struct bpf_object *o, struct raw_world *w, const struct raw_log *log)
{
	size_t len;
	char *rest = tracefs_text(w->arena, k->instance.fd, "trace", &len);
	const char *why = NULL;
	if (!rest)
		return arena_printf(w->arena, "trace cannot be read: %s", strerror(errno));
	for (size_t i = 0; i < log->n; i++) {
		const struct raw_effect *e = &log->effects[i];
		const char *line = e->kind == EFFECT_PRINT ? kernel_line(k, &rest) : NULL;
		size_t n = e->ntext && e->text[e->ntext - 1] == '\n' ? e->ntext - 1 : e->ntext;
		if (e->kind == EFFECT_PRINT && (!line || strlen(line) != n || memcmp(line, e->text, n)))
			return arena_printf(w->arena, "line \"%s\", and in the kernel \"%s\"", e->text, line ? line : "");
	}
	const char *more = kernel_line(k, &rest);
	if (more)
		return arena_printf(w->arena, "a line too many: \"%s\"", more);
	for (uint32_t map = 0; map < w->policy->raw->nmaps && !why; map++) {
		enum raw_map_kind kind = w->policy->raw->maps[map].kind;
		why = kind == RAW_RING   ? kernel_ring_differs(o, w, map, log)
		      : kind == RAW_LOST ? kernel_lost_differs(o, w, map, log)
		                         : kernel_map_differs(k, o, w, map);
	}
	return why;
}

/* ---- running ---------------------------------------------------------------------------------------- */

/* Forgets what was printed before. */
static inline struct bpf_object *kernel_load(const struct in_kernel *k, const struct policy *p, const struct image *image)
{
	struct bytes object;
	kernel_file(k, "trace", "\n", O_TRUNC);
	assert_int_equal(object_write(p, image, &k->env->d, &object), 0);
	struct bpf_object *o = bpf_object__open_mem(object.data, object.len, NULL);
	if (!o || bpf_object__load(o)) {
		if (o)
			bpf_object__close(o);
		return NULL;
	}
	return o;
}

/* In the cgroup: each request by a system call of its own; the answers, a byte each. */
static inline int kernel_ask(const struct in_kernel *k, const char *comm, const struct request *all, size_t n, int answers)
{
	char path[PATH_MAX], pid[32];
	int fd = open(arena_printf(k->env->arena, "%s/cgroup.procs", k->env->cg->path), O_WRONLY | O_CLOEXEC);
	snprintf(pid, sizeof pid, "%d", getpid());
	if (fd < 0 || write(fd, pid, strlen(pid)) < 0 || prctl(PR_SET_NAME, comm))
		return 1;
	for (size_t i = 0; i < n; i++) {
		const struct request *r = &all[i];
		int how = (r->access & ACC_READ ? R_OK : 0) | (r->access & ACC_WRITE ? W_OK : 0), type = r->type == DEV_CHAR ? S_IFCHR : S_IFBLK;
		snprintf(path, sizeof path, "%s/%s%zu", k->directory, r->access == ACC_MKNOD ? "m" : "n", i);
		int failed = r->access == ACC_MKNOD ? mknod(path, (mode_t)type | 0600, makedev((unsigned)r->major, (unsigned)r->minor)) : access(path, how);
		char answer = failed && errno == EPERM ? 0 : failed ? 2 : 1;
		if (write(answers, &answer, 1) != 1)
			return 1;
	}
	return 0;
}

/* The verdicts, 0 or 1 each; the pid that asked. */
static inline pid_t kernel_decides(const struct in_kernel *k, const struct bpf_object *o, const char *comm, const struct request *all, size_t n, char *verdicts)
{
	int pipe_of[2];
	struct bpf_program *p = bpf_object__next_program(o, NULL);
	assert_int_equal(bpf_prog_attach(bpf_program__fd(p), k->env->cg->fd, BPF_CGROUP_DEVICE, 0), 0);
	for (size_t i = 0; i < n; i++)
		if (all[i].access != ACC_MKNOD)
			assert_int_equal(mknod(arena_printf(k->env->arena, "%s/n%zu", k->directory, i), (all[i].type == DEV_CHAR ? S_IFCHR : S_IFBLK) | 0666,
			                       makedev((unsigned)all[i].major, (unsigned)all[i].minor)), 0);
	assert_int_equal(pipe(pipe_of), 0);
	pid_t pid = fork();
	if (!pid)
		_exit(kernel_ask(k, comm, all, n, pipe_of[1]));
	close(pipe_of[1]);
	assert_int_equal(finish(pid), 0);
	assert_int_equal(read(pipe_of[0], verdicts, n), (ssize_t)n);
	close(pipe_of[0]);
	assert_int_equal(bpf_prog_detach2(bpf_program__fd(p), k->env->cg->fd, BPF_CGROUP_DEVICE), 0);
	for (size_t i = 0; i < n; i++)
		unlink(arena_printf(k->env->arena, "%s/%s%zu", k->directory, all[i].access == ACC_MKNOD ? "m" : "n", i));
	return pid;
}

/* What a program of a raw tracepoint returns, 32 bits of it. */
static inline uint32_t kernel_returns(const struct bpf_object *o, const void *context, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = context, .ctx_size_in = (uint32_t)size);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(bpf_object__next_program(o, NULL)), &opts), 0);
	return opts.retval;
}

#endif
