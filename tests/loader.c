/*
 * loader.c - loads a device program of instructions and attaches it to a cgroup, as others do.
 *
 *	loader CGROUP <PROGRAM       prints the program's number
 *	loader CGROUP OBJECT         the program of an object, whatever it is
 *
 * Lines of the program: `insn CODE DST SRC OFF IMM` (an ldimm64 of the first map: SRC 1, IMM 0);
 * `map hash|array KEY VALUE ENTRIES` (sizes in bytes); `entry KEY VALUE` as bytes in hexadecimal digits.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int fail(const char *what)
{
	fprintf(stderr, "loader: %s: %s\n", what, strerror(errno));
	return 1;
}

static void bytes(const char *hex, unsigned char *out)
{
	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		*out++ = (unsigned char)byte;
}

/* The lines of stdin. A program, or -1. */
static int from_lines(void)
{
	static struct bpf_insn insns[4096];
	static char log[1 << 16];
	size_t n = 0;
	int maps[8], nmaps = 0;
	char line[512], kind[16], key[128], value[128];
	while (fgets(line, sizeof line, stdin)) {
		unsigned code, dst, src, k, v, entries;
		int off, imm;
		if (sscanf(line, "insn %u %u %u %d %d", &code, &dst, &src, &off, &imm) == 5 && n < 4096) {
			insns[n++] = (struct bpf_insn){.code = (unsigned char)code, .dst_reg = dst & 15, .src_reg = src & 15,
			                               .off = (short)off, .imm = src == 1 && code == 0x18 ? maps[imm] : imm};
		} else if (sscanf(line, "map %15s %u %u %u", kind, &k, &v, &entries) == 4 && nmaps < 8) {
			enum bpf_map_type type = kind[0] == 'h' ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY;
			maps[nmaps] = bpf_map_create(type, "others", k, v, entries, NULL);
			if (maps[nmaps++] < 0)
				return fail("map"), -1;
		} else if (sscanf(line, "entry %127s %127s", key, value) == 2 && nmaps) {
			unsigned char a[64] = {0}, b[64] = {0};
			bytes(key, a);
			bytes(value, b);
			if (bpf_map_update_elem(maps[nmaps - 1], a, b, BPF_ANY))
				return fail("entry"), -1;
		}
	}
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_level = 1, .log_buf = log, .log_size = sizeof log,
	            .expected_attach_type = BPF_CGROUP_DEVICE);
	int prog = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, NULL, "GPL", insns, n, &opts);
	if (prog < 0)
		fail(log);
	return prog;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

static int from_object(const char *path)
{
	libbpf_set_print(quiet);
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	if (!o || bpf_object__load(o))
		return fail(path), -1;
	return bpf_program__fd(bpf_object__next_program(o, NULL));
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		return 2;
	int prog = argc == 3 ? from_object(argv[2]) : from_lines();
	if (prog < 0)
		return 1;
	int cgroup = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (cgroup < 0 || bpf_prog_attach(prog, cgroup, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI))
		return fail(argv[1]);
	struct bpf_prog_info info = {0};
	__u32 len = sizeof info;
	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		return fail("info");
	printf("%u\n", info.id);
	return 0;
}
