/*
 * code.c - BPF instructions under construction, and what every stage that
 * reads or writes them knows about their layout.
 */
#include "compiler/internal.h"

int input_home(enum input in)
{
	switch (in) {
	case IN_UID:
	case IN_GID: return HOME_UID_GID;
	case IN_PID:
	case IN_TID: return HOME_PID_TGID;
	case IN_CGROUP_ID: return HOME_CGROUP;
	case IN_UPTIME: return HOME_UPTIME;
	case IN_COMM_0:
	case IN_COMM_1: return HOME_COMM;
	default: return -1;
	}
}

int home_helper(enum fact_home home)
{
	static const int helpers[HOMES] = {
		[HOME_UID_GID] = BPF_FUNC_get_current_uid_gid,
		[HOME_PID_TGID] = BPF_FUNC_get_current_pid_tgid,
		[HOME_CGROUP] = BPF_FUNC_get_current_cgroup_id,
		[HOME_UPTIME] = BPF_FUNC_ktime_get_boot_ns,
		[HOME_COMM] = BPF_FUNC_get_current_comm,
	};
	return helpers[home];
}

/* access_type is access << 16 | type: its halves are loaded by themselves. */
int ctx_offset(enum input in)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "programs are emitted for little-endian kernels"
#endif
	switch (in) {
	case IN_TYPE: return 0;
	case IN_REQUESTED: return 2;
	case IN_MAJOR: return 4;
	case IN_MINOR: return 8;
	default: return -1;
	}
}

int ctx_load_size(enum input in)
{
	return in == IN_TYPE || in == IN_REQUESTED ? BPF_H : BPF_W;
}

size_t code_add(struct code *c, uint8_t op, int dst, int src, int off, int32_t imm)
{
	if (!c->nlines || c->lines[c->nlines - 1].line != c->line)
		*ARENA_PUSH(c->arena, c->lines, c->nlines, c->lines_cap) =
			(struct image_line){(uint32_t)c->n, c->line};
	*ARENA_PUSH(c->arena, c->insns, c->n, c->cap) =
		(struct bpf_insn){.code = op, .dst_reg = dst & 15, .src_reg = src & 15,
	                          .off = (int16_t)off, .imm = imm};
	return c->n - 1;
}

void code_imm64(struct code *c, int dst, int64_t value)
{
	code_add(c, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (int32_t)(uint32_t)(uint64_t)value);
	code_add(c, 0, 0, 0, 0, (int32_t)(uint32_t)((uint64_t)value >> 32));
}

void code_const(struct code *c, int dst, int64_t value)
{
	if (value >= INT32_MIN && value <= INT32_MAX)
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)value);
	else
		code_imm64(c, dst, value);
}

void code_land(struct code *c, size_t at)
{
	size_t distance = c->n - at - 1;
	if (distance > INT16_MAX)
		c->too_far = true;
	c->insns[at].off = (int16_t)distance;
}

unsigned code_longest(struct arena *a, const struct bpf_insn *insns, size_t n)
{
	unsigned *longest = arena_alloc(a, (n + 1) * sizeof *longest);
	for (size_t i = n; i-- > 0;) {
		uint8_t op = insns[i].code, class = BPF_CLASS(op);
		unsigned next = 0, taken = 0;
		if (op == (BPF_LD | BPF_DW | BPF_IMM))
			next = i + 2 <= n ? longest[i + 2] : 0;
		else if (op != (BPF_JMP | BPF_EXIT) && op != (BPF_JMP | BPF_JA))
			next = longest[i + 1];
		bool jumps = (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(op) != BPF_EXIT &&
		             BPF_OP(op) != BPF_CALL;
		if (jumps && insns[i].off >= 0 && i + 1 + (size_t)insns[i].off < n)
			taken = longest[i + 1 + (size_t)insns[i].off];
		longest[i] = 1 + (next > taken ? next : taken);
	}
	return n ? longest[0] : 0;
}
