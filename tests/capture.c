/*
 * capture.c - a device program of anybody's as the kernel has it, in the lines that loader.c reads.
 *
 *	capture CGROUP       the first program of the cgroup, once there is one (waits for 3 s)
 *	capture CGROUP OLD   the same, but not program OLD
 *
 * The first line is a comment with the program's number. Beside loader.c's lines: `call INSN NAME`,
 * which function the call at that instruction calls; `key`s of a map are its entries. Needs no library, so
 * that it runs where engines do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof *attr);
}

/* The first program there, 0: none. */
static uint32_t program_of(const char *path)
{
	uint32_t ids[64] = {0};
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.query.target_fd = (uint32_t)fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = 64;
	int error = fd < 0 ? -1 : bpf(BPF_PROG_QUERY, &attr);
	if (fd >= 0)
		close(fd);
	return error ? 0 : ids[0];
}

static int by_id(int cmd, uint32_t id)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_id = id;
	return bpf(cmd, &attr);
}

static int info(int fd, void *out, size_t size)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = (uint32_t)size;
	attr.info.info = (uintptr_t)out;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* ---- functions of the kernel --------------------------------------------------------------------- */

static uint64_t base;

/* The symbol at that distance from the address that calls are relative to. */
static void name_call(size_t insn, int32_t imm)
{
	char line[512], name[256], kind;
	unsigned long long at;
	FILE *f = fopen("/proc/kallsyms", "re");
	while (f && !base && fgets(line, sizeof line, f))
		if (sscanf(line, "%llx %c %255s", &at, &kind, name) == 3 && !strcmp(name, "__bpf_call_base"))
			base = at;
	if (f)
		rewind(f);
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%llx %c %255s", &at, &kind, name) == 3 && at == base + (uint64_t)(int64_t)imm) {
			printf("call %zu %s\n", insn, name);
			break;
		}
	if (f)
		fclose(f);
}

/* ---- maps ------------------------------------------------------------------------------------------- */

static void hex(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

static void entries(int fd, const struct bpf_map_info *m)
{
	uint8_t key[256], next[256], value[4096];
	union bpf_attr attr;
	bool first = true;
	for (;; first = false) {
		memset(&attr, 0, sizeof attr);
		attr.map_fd = (uint32_t)fd;
		attr.key = first ? 0 : (uintptr_t)key;
		attr.next_key = (uintptr_t)next;
		if (bpf(BPF_MAP_GET_NEXT_KEY, &attr))
			return;
		memcpy(key, next, m->key_size);
		memset(&attr, 0, sizeof attr);
		attr.map_fd = (uint32_t)fd;
		attr.key = (uintptr_t)key;
		attr.value = (uintptr_t)value;
		if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
			return;
		fputs("entry ", stdout);
		hex(key, m->key_size);
		putchar(' ');
		hex(value, m->value_size);
		putchar('\n');
	}
}

static void map(uint32_t id)
{
	struct bpf_map_info m;
	memset(&m, 0, sizeof m);
	int fd = by_id(BPF_MAP_GET_FD_BY_ID, id);
	if (fd < 0 || info(fd, &m, sizeof m))
		return;
	if (m.key_size <= 256 && m.value_size <= 4096 && (m.type == BPF_MAP_TYPE_HASH || m.type == BPF_MAP_TYPE_ARRAY)) {
		printf("map %s %u %u %u\n", m.type == BPF_MAP_TYPE_HASH ? "hash" : "array", m.key_size, m.value_size, m.max_entries);
		entries(fd, &m);
	}
	close(fd);
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static bool is_call(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL) && !in->src_reg;
}

static int show(uint32_t id)
{
	struct bpf_prog_info p;
	uint32_t maps[64];
	int fd = by_id(BPF_PROG_GET_FD_BY_ID, id);
	memset(&p, 0, sizeof p);
	if (fd < 0 || info(fd, &p, sizeof p) || !p.xlated_prog_len)
		return 1;
	size_t n = p.xlated_prog_len / sizeof(struct bpf_insn);
	struct bpf_insn *insns = calloc(n, sizeof *insns);
	uint32_t len = p.xlated_prog_len, nmaps = p.nr_map_ids < 64 ? p.nr_map_ids : 64;
	memset(&p, 0, sizeof p);
	p.xlated_prog_len = len;
	p.xlated_prog_insns = (uintptr_t)insns;
	p.nr_map_ids = nmaps;
	p.map_ids = (uintptr_t)maps;
	if (!insns || info(fd, &p, sizeof p) || !p.xlated_prog_insns)
		return 1;
	printf("# program %u\n", id);
	for (uint32_t i = 0; i < nmaps; i++)
		map(maps[i]);
	for (size_t i = 0; i < n; i++) {
		const struct bpf_insn *in = &insns[i];
		int32_t imm = in->imm;
		if (in->code == (BPF_LD | BPF_IMM | BPF_DW) && in->src_reg)
			for (uint32_t k = 0; k < nmaps; k++)
				if (maps[k] == (uint32_t)in->imm)
					imm = (int32_t)k;
		printf("insn %u %u %u %d %d\n", in->code, in->dst_reg, in->src_reg, in->off, is_call(in) ? 0 : imm);
	}
	for (size_t i = 0; i < n; i++)
		if (is_call(&insns[i]))
			name_call(i, insns[i].imm);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		return 2;
	uint32_t id = 0, old = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
	for (int i = 0; i < 300 && (!id || id == old); i++, usleep(10000))
		id = program_of(argv[1]);
	if (id && id != old)
		return show(id);
	fprintf(stderr, "capture: %s has no program that is new\n", argv[1]);
	return 1;
}
