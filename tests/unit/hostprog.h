/*
 * hostprog.h - the host program in the running kernel, for tests: programs of others that deny, requests put to them, grants.
 * Needs Linux 5.18, 6.1 for cgroups below; tests are skipped, with the reason, without it, and where a host program is attached
 * already.
 */
#ifndef DEVGUARD_TESTS_HOSTPROG_H
#define DEVGUARD_TESTS_HOSTPROG_H

#include "cgroup/guarded.h"
#include "cgroup/hostprog_internal.h"
#include "compiler/compiler.h"
#include "policy/request.h"
#include "tests/unit/scratch.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define assert_done(e, call) do { if (call) fail_msg("%s: %s", #call, (e)->d.n ? (e)->d.items[(e)->d.n - 1].text : "no reason"); } while (0)

/* A program of somebody else that denies all by that errno; by its result when 0. */
static inline int denier(int error)
{
	const struct bpf_insn deny[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0}, {.code = BPF_JMP | BPF_EXIT}};
	const struct bpf_insn by_errno[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = -error},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_set_retval},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "denier", "GPL", error ? by_errno : deny, error ? 4 : 2, &opts);
	assert_true(fd >= 0);
	return fd;
}

static inline void attach_denier(const struct cgroup *cg, int error)
{
	int fd = denier(error);
	assert_int_equal(bpf_prog_attach(fd, cg->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	close(fd);
}

/* One request by the process of the probe. */
static inline bool allowed(struct env *e, struct probe *pr, const char *text)
{
	struct request r;
	const char *why = NULL, *hint;
	if (request_parse(e->arena, NULL, text, &r, &why, &hint))
		fail_msg("%s: %s", text, why);
	enum probe_answer answer = probe_ask(pr, &r, &why);
	if (answer != PROBE_ALLOW && answer != PROBE_DENY)
		fail_msg("%s: %s", text, why);
	return answer == PROBE_ALLOW;
}

/* The same, once, by a new process in the cgroup. */
static inline bool allowed_in(struct env *e, const struct cgroup *cg, const char *text)
{
	struct probe *pr;
	assert_done(e, probe_open_in(e->arena, &e->d, cg, &pr));
	bool answer = allowed(e, pr, text);
	probe_close(pr);
	return answer;
}

/* A process in the cgroup that asks to read c 1:5 n times (0: until it is killed), and ends with 0 when each answer was `want`, with
 * 1 when one was not. */
static inline pid_t asks(const struct cgroup *cg, unsigned long n, int want)
{
	char directory[] = "/tmp/devguard-node-XXXXXX";
	assert_non_null(mkdtemp(directory));
	int at = open(directory, O_PATH | O_CLOEXEC);
	assert_int_equal(mknodat(at, "node", S_IFCHR | 0600, makedev(1, 5)), 0);
	int node = openat(at, "node", O_PATH | O_CLOEXEC);
	assert_true(node >= 0);
	unlinkat(at, "node", 0);
	close(at);
	rmdir(directory);
	pid_t parent = getpid(), pid = fork();
	if (pid) {
		close(node);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || file_write(cg->fd, "cgroup.procs", "0"))
		_exit(2);
	for (unsigned long i = 0; !n || i < n; i++)
		if ((syscall(SYS_faccessat2, node, "", R_OK, AT_EACCESS | AT_EMPTY_PATH) ? errno : 0) != want)
			_exit(1);
	_exit(0);
}

static inline void end_asking(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		fail_msg("an answer was not what it should be (%d)", WEXITSTATUS(status));
}

static inline struct host_grant make_grant(uint64_t cgroup, char type, uint32_t major, uint32_t minor, uint32_t access)
{
	struct host_grant g = {.key = {.cgroup = cgroup, .major = major, .minor = minor, .type = type == 'c' ? DEV_CHAR : DEV_BLOCK},
	                       .id = 1, .access = access, .time = 1};
	strcpy(g.device, "test");
	return g;
}

/* Takes all of them off the root, whatever state the test left. */
static inline void hostprog_off(struct env *e)
{
	struct hostprog_header header;
	struct cgroup *root;
	struct attached *list;
	size_t n;
	diags_init(&e->d, e->arena);
	assert_done(e, cgroup_open(e->arena, &e->d, cgroup_mount(e->arena), &root));
	assert_done(e, cgroup_query(e->arena, &e->d, root, &list, &n));
	for (size_t i = 0; i < n; i++) {
		int fd = bpf_prog_get_fd_by_id(list[i].id);
		if (hostmaps_header(fd, &header) == 1)
			bpf_prog_detach2(fd, root->fd, BPF_CGROUP_DEVICE);
		close(fd);
	}
	cgroup_close(root);
}

/* A program of our name and header with maps of its own, attached to the root; `make` has the instructions. Its id. */
static inline uint32_t attach_one(struct env *e, struct hostprog_header header, hostprog_maker *make)
{
	struct hostmaps maps;
	struct cgroup *root;
	const char *log;
	struct attached at = {0};
	assert_int_equal(hostmaps_new(&header, &maps), 0);
	int fd = hostprog_load(e->arena, make, &maps, header.parts, header.features, &log);
	assert_true(fd >= 0);
	hostmaps_close(&maps);
	assert_done(e, cgroup_open(e->arena, &e->d, cgroup_mount(e->arena), &root));
	assert_int_equal(bpf_prog_attach(fd, root->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	cgroup_close(root);
	assert_int_equal(describe_program(fd, &at), READ_OK);
	assert_true(at.host_parts == header.parts && !at.ours);
	close(fd);
	return at.id;
}

static int hostprog_teardown(void **state)
{
	hostprog_off(*state);
	return teardown(state);
}

/* Can there be one, and is there none? */
static inline bool hostprog_possible(const char *test)
{
	struct arena *a = arena_new();
	struct diags d;
	struct hostprog *hp = NULL;
	const char *hint, *closed = hostprog_closed(a, &hint);
	diags_init(&d, a);
	if (!closed && (hostprog_open(a, &d, &hp) || hp))
		closed = hp ? "a host program is attached" : d.items[0].text;
	if (closed)
		printf("%s: skipped: %s\n", test, closed);
	hostprog_close(hp);
	bool possible = !closed;
	arena_free(a);
	return possible;
}

#define HOSTPROG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, hostprog_teardown)

#endif
