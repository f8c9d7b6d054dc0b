/*
 * host_cost.c - what a run of the host program takes, in ns as the kernel counts them (bench_host.sh, which turns its counting on).
 * Each of its forms is attached to a scratch cgroup, where it decides as it would on the root, and asked by a process below.
 *
 *	host_cost ROUNDS COUNT DIRECTORY
 *
 * Writes a line a round to DIRECTORY/NAME. In each round all are asked COUNT times, one after the other.
 */
#include "cgroup/hostprog_internal.h"
#include "compiler/compiler.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "devguard-cost"

/* A form, and what is asked of it. */
static const struct form {
	const char *name;
	uint32_t parts; /* 0: `return 1` */
	unsigned grants;
	bool denies, hits, watched;
} forms[] = {
	{"floor", 0, 0, false, false, false},
	{"observe", HOSTPROG_OBSERVE, 0, false, false, true},
	{"grants-0", HOSTPROG_GRANTS, 0, false, false, false},
	{"grants-10000", HOSTPROG_GRANTS, 10000, false, false, false},
	{"both", HOSTPROG_OBSERVE | HOSTPROG_GRANTS, 10000, false, false, true},
	{"denied-observe", HOSTPROG_OBSERVE, 0, true, false, true},
	{"denied-grants-0", HOSTPROG_GRANTS, 0, true, false, false},
	{"denied-grants-10000", HOSTPROG_GRANTS, 10000, true, false, false},
	{"denied-both", HOSTPROG_OBSERVE | HOSTPROG_GRANTS, 10000, true, false, true},
	{"granted", HOSTPROG_GRANTS, 10000, true, true, false},
};
enum { FORMS = sizeof forms / sizeof *forms };

struct one {
	struct cgroup *above, *below;
	int fd;
	FILE *out;
};

static void fail(const char *what, int error)
{
	fprintf(stderr, "host_cost: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(1);
}

static int returns(const char *name, int value)
{
	const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value}, {.code = BPF_JMP | BPF_EXIT}};
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, name, "Dual MIT/GPL", insns, 2, &opts);
	if (fd < 0)
		fail("load", fd);
	return fd;
}

/* Grants of other devices, and for a hit the one that is asked for. */
static void fill(const struct hostmaps *maps, const struct form *f, uint64_t cgroup)
{
	for (unsigned i = 0; i < f->grants; i++) {
		struct host_grant g = {.key = {.cgroup = cgroup, .major = 200 + i / 1000, .minor = i % 1000, .type = DEV_CHAR}, .id = i + 1, .access = ACC_READ};
		if (!i && f->hits)
			g.key.major = 1, g.key.minor = 5;
		int error = bpf_map_update_elem(maps->fd[HOSTPROG_MAP_GRANTS], &g.key, &g, BPF_ANY);
		if (error)
			fail("grant", error);
	}
}

/* A watcher of all cgroups, whose ring is soon full: what does not fit is counted. */
static void watch(const struct hostmaps *maps)
{
	uint32_t zero = 0;
	struct host_watcher w = {.flags = WATCHER_USED | WATCHER_EVERYWHERE};
	int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "devguard_ring", 0, 0, 1 << 20, NULL);
	if (ring < 0 || bpf_map_update_elem(maps->fd[HOSTPROG_MAP_RINGS], &zero, &ring, BPF_ANY) ||
	    bpf_map_update_elem(maps->fd[HOSTPROG_MAP_WATCH], &zero, &w, BPF_ANY))
		fail("watch", errno);
	close(ring);
}

static void make(struct arena *a, const struct form *f, struct one *o)
{
	struct hostprog_header header = hostprog_header_of(f->parts, hostprog_features());
	struct hostmaps maps;
	struct diags d;
	const char *log;
	diags_init(&d, a);
	if (transient_new(a, &d, NULL, PREFIX, &o->above) || transient_new(a, &d, o->above->path, PREFIX, &o->below))
		fail(d.items[0].text, 0);
	hostmaps_none(&maps);
	int error = f->parts ? hostmaps_new(&header, &maps) : 0;
	o->fd = error ? error : f->parts ? hostprog_load(a, hostprog_make, &maps, header.parts, header.features, &log) : returns("floor", 1);
	if (o->fd < 0)
		fail("load", o->fd);
	fill(&maps, f, o->below->id);
	if (f->watched)
		watch(&maps);
	hostmaps_close(&maps);
	error = bpf_prog_attach(o->fd, o->above->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
	int deny = f->denies ? returns("denies", 0) : -1;
	if (!error && deny >= 0)
		error = bpf_prog_attach(deny, o->below->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
	if (error)
		fail("attach", error);
	if (deny >= 0)
		close(deny);
}

static void ask(const struct one *o, int node, unsigned long count, bool open)
{
	pid_t pid = fork();
	int status;
	if (!pid) {
		if (file_write(o->below->fd, "cgroup.procs", "0"))
			_exit(1);
		for (unsigned long i = 0; i < count; i++)
			if (!syscall(SYS_faccessat2, node, "", R_OK, AT_EACCESS | AT_EMPTY_PATH) != open)
				_exit(2);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fail("the process that asks", pid < 0 ? errno : EPERM);
}

static double spent(const struct one *o, double *runs)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	if (bpf_obj_get_info_by_fd(o->fd, &info, &len))
		fail("info", errno);
	*runs = (double)info.run_cnt;
	return (double)info.run_time_ns;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct one all[FORMS];
	char directory[] = "/tmp/devguard-cost-XXXXXX";
	if (argc != 4 || !a || !mkdtemp(directory) || chdir(directory))
		return 1;
	if (mknod("node", S_IFCHR | 0600, makedev(1, 5)))
		fail("mknod", errno);
	int node = open("node", O_PATH | O_CLOEXEC);
	unlink("node");
	rmdir(directory);
	transient_sweep(cgroup_mount(a), PREFIX);
	for (int i = 0; i < FORMS; i++) {
		make(a, &forms[i], &all[i]);
		all[i].out = fopen(arena_printf(a, "%s/%s", argv[3], forms[i].name), "w");
		if (!all[i].out)
			fail(argv[3], errno);
	}
	for (int round = atoi(argv[1]); round > 0; round--)
		for (int k = 0; k < FORMS; k++) {
			const struct one *o = &all[(round + k) % FORMS];
			const struct form *f = &forms[(round + k) % FORMS];
			double runs, before, then = spent(o, &before);
			ask(o, node, strtoul(argv[2], NULL, 10), !f->denies || f->hits);
			double now = spent(o, &runs);
			fprintf(o->out, "%.3f\n", (now - then) / (runs - before));
		}
	for (int i = 0; i < FORMS; i++) {
		fclose(all[i].out);
		transient_end(all[i].below);
		transient_end(all[i].above);
	}
	arena_free(a);
	return 0;
}
