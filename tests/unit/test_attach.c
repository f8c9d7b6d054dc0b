/*
 * test_attach.c - cgroup/program.c, query.c and attach.c against the running
 * kernel: loading, attaching, replacing, detaching, and every way to be refused.
 */
#define SCRATCH_OBJECT
#include "cgroup/internal.h"
#include "cgroup/link.h"
#include "tests/unit/scratch.h"
#include "policy/import/import.h"

#include <bpf/bpf.h>
#include <elf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

/* ---- programs -------------------------------------------------------------------- */

/* A program of somebody else. */
static int foreign(void)
{
	const struct bpf_insn allow[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
	                                 {.code = BPF_JMP | BPF_EXIT}};
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "foreign", "GPL", allow, 2, NULL);
	assert_true(fd >= 0);
	return fd;
}

static void attach_foreign(const struct cgroup *cg, unsigned flags)
{
	int fd = foreign();
	assert_int_equal(bpf_prog_attach(fd, cg->fd, BPF_CGROUP_DEVICE, flags), 0);
	close(fd);
}

static Elf64_Shdr *section(char *bytes, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)bytes;
	Elf64_Shdr *sh = (void *)(bytes + eh->e_shoff);
	for (unsigned i = 0; i < eh->e_shnum; i++)
		if (!strcmp(bytes + sh[eh->e_shstrndx].sh_offset + sh[i].sh_name, name))
			return &sh[i];
	fail_msg("no section %s", name);
	return NULL;
}

static void load_tells_why_not(void **state)
{
	struct env *e = *state;
	struct program *p;
	unsigned insns, jited;
	need_object();
	p = load_named(e, "unit");
	program_size(p, &insns, &jited);
	assert_true(program_fd(p) >= 0 && program_id(p) && insns > 1);
	program_close(p);

	assert_int_equal(program_load(e->arena, &e->d, "junk", "junk", 4, &p), -1);
	assert_null(p);
	assert_error(e, "'junk' is not an object that can be loaded", "compile");
	for (size_t len = 0; len < object_len; len += 41)
		assert_int_equal(program_load(e->arena, &e->d, "cut", object, len, &p), -1);
	diags_init(&e->d, e->arena);

	/* without .BTF */
	char *copy = arena_strndup(e->arena, object, object_len);
	section(copy, ".BTF")->sh_name = 0;
	assert_int_equal(load_bytes(e, copy, &p), -1);
	assert_error(e, "type and line information", "compile");

	/* without its last instruction */
	copy = arena_strndup(e->arena, object, object_len);
	struct bpf_insn nop = {.code = BPF_ALU64 | BPF_MOV | BPF_K};
	Elf64_Shdr *code = section(copy, "cgroup/dev");
	memcpy(copy + code->sh_offset + code->sh_size - sizeof nop, &nop, sizeof nop);
	assert_int_equal(load_bytes(e, copy, &p), -1);
	assert_error(e, "verifier refuses 'unit.rb': last insn is not an exit", "report");
}

/* The first helper it calls becomes one that no kernel has for device programs. */
static void load_names_the_missing_helper(void **state)
{
	struct env *e = *state;
	struct program *p;
	struct utsname u;
	need_object();
	char *copy = arena_strndup(e->arena, object, object_len);
	Elf64_Shdr *code = section(copy, "cgroup/dev");
	struct bpf_insn *insn = (void *)(copy + code->sh_offset), *end = insn + code->sh_size / sizeof *insn;
	while (insn < end && insn->code != (BPF_JMP | BPF_CALL))
		insn++;
	assert_true(insn < end);
	insn->imm = BPF_FUNC_skb_load_bytes;
	assert_int_equal(load_bytes(e, copy, &p), -1);
	assert_null(p);
	assert_int_equal(e->d.n, 1);
	uname(&u);
	assert_error(e, arena_printf(e->arena, "Linux %s does not let device programs call "
	                             "bpf_skb_load_bytes: 'unit.rb'", u.release), "compile");
}

/* ---- attach ------------------------------------------------------------------------ */

/* So many descriptors more, and no other. */
static struct rlimit few_descriptors(int n)
{
	struct rlimit before, few;
	int next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){(rlim_t)next + (rlim_t)n, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

static struct attached *query(struct env *e, size_t want)
{
	struct attached *list;
	size_t n;
	assert_int_equal(cgroup_query(e->arena, &e->d, e->cg, &list, &n), 0);
	assert_int_equal(n, want);
	return list;
}

static uint32_t attach(struct env *e, const char *name)
{
	uint32_t replaced;
	struct program *p = load_named(e, name);
	if (cgroup_attach(e->arena, &e->d, e->cg, p, name, &replaced))
		fail_msg("%s", e->d.items[0].text);
	program_close(p);
	return replaced;
}

static void cannot_attach(struct env *e, const char *name, const char *text, const char *hint)
{
	uint32_t replaced;
	struct program *p = load_named(e, name);
	assert_int_equal(cgroup_attach(e->arena, &e->d, e->cg, p, name, &replaced), -1);
	assert_int_equal(replaced, 0);
	program_close(p);
	assert_error(e, text, hint);
}

static void attach_replaces_in_place(void **state)
{
	struct env *e = *state;
	need_object();
	query(e, 0);
	attach_foreign(e->cg, BPF_F_ALLOW_MULTI);
	assert_int_equal(attach(e, "unit"), 0);
	attach_foreign(e->cg, BPF_F_ALLOW_MULTI);
	struct attached *before = query(e, 3);
	assert_true(before[1].ours && !before[0].ours && !before[2].ours);
	assert_string_equal(before[1].name, "unit");
	assert_string_equal(before[0].kernel_name, "foreign");
	assert_int_equal(before[1].attach_flags, BPF_F_ALLOW_MULTI);
	assert_true(before[1].insns > 1 && before[1].loaded_at > 1600000000);
	assert_int_equal(strlen(before[1].tag), 16);

	assert_int_equal(attach(e, "unit"), before[1].id);
	struct attached *after = query(e, 3);
	assert_int_equal(after[0].id, before[0].id);
	assert_int_equal(after[2].id, before[2].id);
	assert_true(after[1].ours && after[1].id != before[1].id);
	assert_int_equal(attach(e, "other"), 0);
	query(e, 4);
}

/* One descriptor is enough to attach, and too few to ask again: it is attached, and that is what is
 * said. */
static void what_cannot_be_confirmed_stays(void **state)
{
	struct env *e = *state;
	uint32_t replaced;
	need_object();
	struct program *p = load_named(e, "first");
	struct rlimit before = few_descriptors(1);
	int failed = cgroup_attach(e->arena, &e->d, e->cg, p, "first", &replaced);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(failed, -1);
	assert_error(e, arena_printf(e->arena, "'first': attached to '%s' as program %u, could not be confirmed: ", e->cg->path,
	                             program_id(p)), "ulimit -n");
	struct attached *list = query(e, 1);
	assert_true(list[0].ours && list[0].id == program_id(p));
	program_close(p);

	/* of what is there it cannot be told whose it is, so nothing else is done */
	p = load_named(e, "second");
	before = few_descriptors(1);
	failed = cgroup_attach(e->arena, &e->d, e->cg, p, "second", &replaced);
	int detached = cgroup_detach(e->arena, &e->d, e->cg, "first", NULL);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(failed, -1);
	assert_int_equal(detached, -1);
	assert_error(e, "cannot tell whose program", "ulimit -n");
	program_close(p);
	query(e, 1);
}

/* The same for a container's guard, which --on-error allow may be all that is left of; and its end
 * is at once. */
static void a_guard_that_cannot_be_confirmed_stays(void **state)
{
	struct env *e = *state;
	struct statfs fs;
	need_object();
	if (statfs("/sys/fs/bpf", &fs) || (uint32_t)fs.f_type != BPF_FS_MAGIC || kernel_before(5, 9)) {
		print_message("no BPF file system, or no BPF_LINK_DETACH\n");
		skip();
	}
	struct program *p = load_named(e, "first");
	struct rlimit before = few_descriptors(1);
	int failed = link_attach(e->arena, &e->d, e->cg, p, "first");
	setrlimit(RLIMIT_NOFILE, &before);
	uint32_t there = link_program(e->cg);
	int held = bpf_obj_get(arena_printf(e->arena, "%s/rucy-devguard/%llu", link_bpffs(), (unsigned long long)e->cg->id));
	int detached = link_detach(&e->d, e->cg);
	rmdir(arena_printf(e->arena, "%s/rucy-devguard", link_bpffs())); /* not when there are others */
	assert_int_equal(failed, -1);
	assert_error(e, "could not be confirmed", "ulimit -n");
	assert_int_equal(there, program_id(p));
	assert_true(held >= 0);
	assert_int_equal(detached, 1);
	query(e, 0); /* although somebody else still has the link */
	close(held);
	program_close(p);
}

static void detach_wants_one_of_ours(void **state)
{
	struct env *e = *state;
	struct attached was;
	need_object();
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, NULL, &was), -1);
	assert_error(e, "no policy is attached", "list");
	attach_foreign(e->cg, BPF_F_ALLOW_MULTI);
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, NULL, &was), -1);
	assert_error(e, "no policy is attached", "others");
	attach(e, "unit");
	attach(e, "camera");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, NULL, &was), -1);
	assert_error(e, "2 policies are attached", "'unit', 'camera'");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, "camrea", &was), -1);
	assert_error(e, "no policy 'camrea'", "did you mean 'camera'?");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, "foreign", &was), -1);
	assert_error(e, "no policy 'foreign'", "attached here: 'unit', 'camera'");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, "unit", &was), 0);
	assert_string_equal(was.name, "unit");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, NULL, &was), 0);
	assert_string_equal(was.name, "camera");
	assert_string_equal(query(e, 1)->kernel_name, "foreign");
}

static void attach_names_what_is_in_the_way(void **state)
{
	struct env *e = *state;
	need_object();
	attach_foreign(e->parent, 0);
	cannot_attach(e, "unit", "is attached exclusively", e->parent->path);
	query(e, 0);
	assert_int_equal(bpf_prog_detach(e->parent->fd, BPF_CGROUP_DEVICE), 0);
	attach_foreign(e->parent, BPF_F_ALLOW_OVERRIDE);
	attach(e, "unit");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, NULL, NULL), 0);
	attach_foreign(e->cg, BPF_F_ALLOW_OVERRIDE);
	cannot_attach(e, "unit", "is attached with BPF_F_ALLOW_OVERRIDE", e->cg->path);
	assert_string_equal(query(e, 1)->kernel_name, "foreign");
}

static void attach_stops_at_64(void **state)
{
	struct env *e = *state;
	need_object();
	attach(e, "unit");
	uint32_t id = query(e, 1)->id;
	for (int i = 1; i < 64; i++)
		attach_foreign(e->cg, BPF_F_ALLOW_MULTI);
	cannot_attach(e, "other", "already has 64 device programs", "parent cgroup");
	cannot_attach(e, "unit", "also when one is replaced", "detach");
	assert_int_equal(query(e, 64)->id, id);
}

static void links_are_left_to_their_owner(void **state)
{
	struct env *e = *state;
	need_object();
	struct program *p = load_named(e, "unit");
	int link = bpf_link_create(program_fd(p), e->cg->fd, BPF_CGROUP_DEVICE, NULL);
	assert_true(link >= 0);
	cannot_attach(e, "unit", "attached by a bpf_link", "bpftool link detach id");
	assert_int_equal(cgroup_detach(e->arena, &e->d, e->cg, NULL, NULL), -1);
	assert_error(e, "attached by a bpf_link", "bpftool link detach id");
	assert_int_equal(query(e, 1)->id, program_id(p));
	close(link);
	program_close(p);
	query(e, 0);
}

static void attach_refuses_a_strange_program(void **state)
{
	struct env *e = *state;
	uint32_t replaced;
	need_object();
	struct program *p = load_named(e, "unit");
	assert_int_equal(cgroup_attach(e->arena, &e->d, e->cg, p, "other", &replaced), -1);
	assert_error(e, "does not carry the name 'other'", "compile");
	assert_int_equal(cgroup_attach(e->arena, &e->d, e->cg, p, "unit", &replaced), 0);
	/* twice the same is one */
	assert_int_equal(cgroup_attach(e->arena, &e->d, e->cg, p, "unit", &replaced), 0);
	assert_int_equal(replaced, program_id(p));
	query(e, 1);
	/* by somebody who does not know our names */
	struct program *again = load_named(e, "unit");
	assert_int_equal(bpf_prog_attach(program_fd(again), e->cg->fd, BPF_CGROUP_DEVICE,
	                                 BPF_F_ALLOW_MULTI), 0);
	program_close(again);
	cannot_attach(e, "unit", "attached more than once", "bpftool cgroup detach");
	query(e, 2);
	rmdir(e->cg->path);
	assert_int_equal(cgroup_attach(e->arena, &e->d, e->cg, p, "unit", &replaced), -1);
	assert_error(e, "was removed meanwhile", "");
	program_close(p);
}

static int attach_locked(struct env *e)
{
	for (int i = 0; i < 20; i++) {
		struct cgroup *cg;
		uint32_t replaced;
		struct program *p = load_named(e, "unit");
		if (cgroup_open(e->arena, &e->d, e->cg->path, &cg) || cgroup_lock(cg, &e->d) ||
		    cgroup_attach(e->arena, &e->d, cg, p, "unit", &replaced))
			return 1;
		cgroup_close(cg);
		program_close(p);
	}
	return 0;
}

static void two_at_once_leave_one(void **state)
{
	struct env *e = *state;
	need_object();
	pid_t one = start(e, attach_locked), two = start(e, attach_locked);
	assert_int_equal(finish(one) + finish(two), 0);
	assert_true(query(e, 1)->ours);
}

static int without_privilege(struct env *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	struct program *p;
	struct attached *list;
	size_t n;
	uint32_t replaced;
	if (cgroup_attach(e->arena, &e->d, e->cg, p = load_named(e, "unit"), "unit", &replaced) ||
	    syscall(SYS_capset, &header, none))
		return 1;
	if (!load_bytes(e, object, &p))
		return 2;
	assert_error(e, "no permission to load", "CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN");
	if (!cgroup_query(e->arena, &e->d, e->cg, &list, &n))
		return 3;
	assert_error(e, "no permission to ask what is attached", "run it as root");
	if (!cgroup_detach(e->arena, &e->d, e->cg, "unit", NULL))
		return 4;
	assert_error(e, "no permission", "run it as root");
	return 0;
}

static void without_privilege_nothing_changes(void **state)
{
	struct env *e = *state;
	need_object();
	assert_int_equal(finish(start(e, without_privilege)), 0);
	query(e, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(load_tells_why_not),
		SCRATCH_TEST(load_names_the_missing_helper),
		SCRATCH_TEST(attach_replaces_in_place),
		SCRATCH_TEST(what_cannot_be_confirmed_stays),
		SCRATCH_TEST(a_guard_that_cannot_be_confirmed_stays),
		SCRATCH_TEST(detach_wants_one_of_ours),
		SCRATCH_TEST(attach_names_what_is_in_the_way),
		SCRATCH_TEST(attach_stops_at_64),
		SCRATCH_TEST(links_are_left_to_their_owner),
		SCRATCH_TEST(attach_refuses_a_strange_program),
		SCRATCH_TEST(two_at_once_leave_one),
		SCRATCH_TEST(without_privilege_nothing_changes),
	};
	if (!scratch_possible("test_attach"))
		return 0;
	/* before 5.11 the programs of somebody else are locked memory */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	read_object(argc > 1 ? argv[1] : getenv("DEVGUARD_TEST_OBJECT"));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(object);
	return failed ? 1 : 0;
}
