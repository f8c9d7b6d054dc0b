/*
 * hostload.c - the host program's instructions brought into the kernel: what this kernel offers them, and the load.
 */
#include "cgroup/hostprog_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* ---- what this kernel offers ----------------------------------------------------------- */

/* Does it take a device program that calls a helper with a number or nothing? */
static bool offers(int function)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1},
		{.code = BPF_JMP | BPF_CALL, .imm = function},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "devguard_try", "Dual MIT/GPL", insns, sizeof insns / sizeof *insns, &opts);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

uint32_t hostprog_features(void)
{
	uint32_t features = 0;
	if (offers(BPF_FUNC_get_retval) && offers(BPF_FUNC_set_retval))
		features |= HOSTPROG_RETVAL;
	if (offers(BPF_FUNC_get_current_ancestor_cgroup_id))
		features |= HOSTPROG_ANCESTORS;
	if (offers(BPF_FUNC_get_current_pid_tgid))
		features |= HOSTPROG_PID;
	for (size_t i = 0; i < FACT_HELPERS; i++)
		if (fact_helpers[i].number == BPF_FUNC_get_current_comm && fact_offered(&fact_helpers[i]))
			features |= HOSTPROG_COMM;
	return features;
}

const char *hostprog_closed(struct arena *a, const char **hint)
{
	const char *closed = kernel_closed();
	*hint = closed ? privilege_hint(a) : NULL;
	if (closed || hostprog_features() & HOSTPROG_RETVAL)
		return closed;
	*hint = kernel_before(5, 18) ? "boot Linux 5.18 or later (6.1 for cgroups below the one that is named)" : "see `rucy-devguard doctor` and the kernel log";
	return "this needs Linux 5.18 or later: here device programs may not ask what the programs below decided (bpf_get_retval)";
}

/* ---- the load ---------------------------------------------------------------------------- */

struct hostprog_header hostprog_header_of(uint32_t parts, uint32_t features)
{
	struct hostprog_header header = {.magic = HOSTPROG_MAGIC, .version = HOSTPROG_VERSION, .size = sizeof header, .parts = parts,
	                                 .features = features};
	strncpy(header.tool, DEVGUARD_VERSION, sizeof header.tool - 1);
	return header;
}

/* Puts the maps' descriptors into the instructions. */
static struct bpf_insn *with_maps(struct arena *a, const struct image *image, const struct hostmaps *maps)
{
	struct bpf_insn *insns = arena_alloc(a, image->ninsns * sizeof *insns);
	memcpy(insns, image->insns, image->ninsns * sizeof *insns);
	for (size_t i = 0; i < image->nrelocs; i++) {
		struct bpf_insn *at = &insns[image->relocs[i].insn];
		at->src_reg = BPF_PSEUDO_MAP_FD;
		at->imm = maps->fd[image->relocs[i].target];
	}
	return insns;
}

/* The last line but its statistics. */
static const char *last_line(char *log)
{
	const char *last = "";
	for (char *line = log, *end; *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = '\0';
		if (*line && strncmp(line, "processed ", 10))
			last = line;
	}
	return last;
}

int hostprog_load(struct arena *a, hostprog_maker *make, const struct hostmaps *maps, uint32_t parts, uint32_t features,
                  const char **log)
{
	enum { LOG_SIZE = 1 << 20 };
	struct image image = {0};
	make(a, parts, features, &image);
	const struct bpf_insn *insns = with_maps(a, &image, maps);
	struct bpf_prog_load_opts opts = {.sz = sizeof opts, .expected_attach_type = BPF_CGROUP_DEVICE};
	*log = "";
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, HOSTPROG_NAME, "Dual MIT/GPL", insns, image.ninsns, &opts);
	if (fd == -EACCES || fd == -EINVAL) { /* once more, for the reason */
		opts.log_buf = arena_alloc(a, LOG_SIZE);
		opts.log_size = LOG_SIZE;
		opts.log_level = 1;
		int again = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, HOSTPROG_NAME, "Dual MIT/GPL", insns, image.ninsns, &opts);
		*log = last_line(opts.log_buf);
		fd = again;
	}
	/* the next program finds also those that no instruction of this one has */
	for (int i = 0, error = 0; fd >= 0 && i < HOSTPROG_MAPS; i++)
		if ((error = bpf_prog_bind_map(fd, maps->fd[i], NULL)) && error != -EEXIST) {
			close(fd);
			fd = error;
		}
	return fd;
}
