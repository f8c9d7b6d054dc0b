/*
 * changer.c - a hash whose entries change all the time, and a program that decides by it.
 *
 *	changer CGROUP ENTRIES    prints the program's number, then writes until it is killed
 *
 * The program allows what the entry of the major number (from 1 on) says. The entries become 1 one after
 * the other, in ascending order, and then 0: at each moment the first of them are alike, and so are the others.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define INSN(c, d, s, o, i) {.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)}

int main(int argc, char **argv)
{
	unsigned n = argc == 3 ? (unsigned)atoi(argv[2]) : 0, zero = 0, one = 1;
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "changes", 4, 4, n, NULL);
	for (unsigned key = 1; key <= n; key++)
		if (map < 0 || bpf_map_update_elem(map, &key, &zero, BPF_ANY))
			return 1;
	const struct bpf_insn insns[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 4, 0), INSN(BPF_STX | BPF_MEM | BPF_W, 10, 2, -4, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4), INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0), INSN(BPF_LDX | BPF_MEM | BPF_W, 1, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0), INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_DEVICE);
	int prog = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "changes", "GPL", insns, sizeof insns / sizeof *insns, &opts);
	int cgroup = n ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	struct bpf_prog_info info = {0};
	__u32 len = sizeof info;
	if (prog < 0 || cgroup < 0 || bpf_prog_attach(prog, cgroup, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI) ||
	    bpf_obj_get_info_by_fd(prog, &info, &len))
		return 1;
	printf("%u\n", info.id);
	fflush(stdout);
	for (;; one = !one)
		for (unsigned key = 1; key <= n; key++)
			bpf_map_update_elem(map, &key, &one, BPF_ANY);
}
