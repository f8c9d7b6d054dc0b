/*
 * asm.c - instructions as text, in bpftool's notation, with the policy's lines
 * between and a label where a jump lands.
 */
#include "compiler/bpf/internal.h"
#include "policy/event.h"

#include <inttypes.h>

static const char *const alu_ops[] = {"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>="};
static const char *const jump_ops[] = {"", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "", "<", "<=", "s<", "s<="};

static const char *width(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return "u8";
	case BPF_H: return "u16";
	case BPF_W: return "u32";
	default: return "u64";
	}
}

const char *asm_helper(int helper)
{
	switch (helper) {
#define HELPER(id, function, facts, slots, major, minor) case BPF_FUNC_##function: return #function;
#include "policy/facts.def"
	case BPF_FUNC_map_lookup_elem: return "map_lookup_elem";
	case BPF_FUNC_map_update_elem: return "map_update_elem";
	case BPF_FUNC_ringbuf_reserve: return "ringbuf_reserve";
	case BPF_FUNC_ringbuf_submit: return "ringbuf_submit";
	case BPF_FUNC_set_retval: return "set_retval";
	case BPF_FUNC_trace_printk: return "trace_printk";
	case BPF_FUNC_ktime_get_ns: return "ktime_get_ns";
	case BPF_FUNC_get_smp_processor_id: return "get_smp_processor_id";
	case BPF_FUNC_probe_read_kernel: return "probe_read_kernel";
	case BPF_FUNC_map_delete_elem: return "map_delete_elem";
	case BPF_FUNC_ringbuf_output: return "ringbuf_output";
	default: return NULL;
	}
}

/* What readers call, beside those. */
static const char *reader_helper(int helper)
{
	switch (helper) {
	case BPF_FUNC_get_current_task: return "get_current_task";
	case BPF_FUNC_get_current_task_btf: return "get_current_task_btf";
	case BPF_FUNC_get_current_ancestor_cgroup_id: return "get_current_ancestor_cgroup_id";
	default: return "?";
	}
}

static void write_operand(FILE *out, const struct bpf_insn *in, char r)
{
	if (BPF_SRC(in->code) == BPF_X)
		fprintf(out, "%c%d", r, in->src_reg);
	else
		fprintf(out, "%" PRId32, in->imm);
}

static void write_jump(FILE *out, const struct bpf_insn *in, size_t pc)
{
	size_t to = code_jump_target(in, pc);
	char r = BPF_CLASS(in->code) == BPF_JMP32 ? 'w' : 'r';
	switch (BPF_OP(in->code)) {
	case BPF_EXIT: fputs("exit", out); return;
	case BPF_CALL: {
		const char *name = asm_helper(in->imm);
		fprintf(out, "call %s#%d", name ? name : reader_helper(in->imm), in->imm);
		return;
	}
	case BPF_JA: fprintf(out, "goto L%zu", to); return;
	default: break;
	}
	fprintf(out, "if %c%d %s ", r, in->dst_reg, jump_ops[BPF_OP(in->code) >> 4]);
	write_operand(out, in, r);
	fprintf(out, " goto L%zu", to);
}

static void write_address(FILE *out, const struct policy *p, int reg, uint32_t target)
{
	static const char *const names[] = {
		"header",
#define MAP(id, name, type, key, value, entries, flags) #name,
#include "policy/maps.def"
	};
	if (target >= TARGET_HEADER && target < TARGETS_END)
		fprintf(out, "r%d = &%s", reg, names[target - TARGET_HEADER]);
	else if (target == TARGET_WHO)
		fprintf(out, "r%d = &who", reg);
	else if (target >= TARGET_RAW_MAP && p->raw && target - TARGET_RAW_MAP < p->raw->nmaps)
		fprintf(out, "r%d = &%s", reg, p->raw->maps[target - TARGET_RAW_MAP].name);
	else
		fprintf(out, "r%d = &param[%" PRIu32 "]", reg, target);
}

/* The function of ours that is called there. */
static const char *called(const struct image *image, size_t pc)
{
	enum reader reader = reader_called(image_reloc_at(image, pc));
	return reader != READERS ? reader_name(reader) : "?";
}

static void write_insn(FILE *out, const struct policy *p, const struct image *image, size_t pc)
{
	const struct bpf_insn *in = (const struct bpf_insn *)image->insns + pc;
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64: {
		char r = BPF_CLASS(in->code) == BPF_ALU ? 'w' : 'r';
		fprintf(out, "%c%d %s ", r, in->dst_reg, alu_ops[BPF_OP(in->code) >> 4]);
		write_operand(out, in, r);
		break;
	}
	case BPF_LDX:
		fprintf(out, "r%d = *(%s *)(r%d %+d)", in->dst_reg, width(in->code), in->src_reg, in->off);
		break;
	case BPF_ST:
		fprintf(out, "*(%s *)(r%d %+d) = %" PRId32, width(in->code), in->dst_reg, in->off, in->imm);
		break;
	case BPF_STX:
		if (BPF_MODE(in->code) == BPF_ATOMIC) {
			fprintf(out, "lock *(%s *)(r%d %+d) += r%d", width(in->code), in->dst_reg, in->off,
			        in->src_reg);
			break;
		}
		fprintf(out, "*(%s *)(r%d %+d) = r%d", width(in->code), in->dst_reg, in->off, in->src_reg);
		break;
	case BPF_LD: {
		uint64_t k = (uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm;
		const struct image_reloc *r = image_reloc_at(image, pc);
		if (r) {
			write_address(out, p, in->dst_reg, r->target);
			return;
		}
		fprintf(out, "r%d = 0x%" PRIx64 " ll", in->dst_reg, k);
		break;
	}
	default:
		if (in->code == (BPF_JMP | BPF_CALL) && in->src_reg == BPF_PSEUDO_CALL)
			fprintf(out, "call %s", called(image, pc));
		else
			write_jump(out, in, pc);
	}
}

static bool *targets(struct arena *a, const struct image *image)
{
	const struct bpf_insn *in = image->insns;
	bool *to = arena_alloc(a, image->ninsns + 1);
	for (size_t pc = 0; pc < image->ninsns; pc++) {
		uint8_t class = BPF_CLASS(in[pc].code), op = BPF_OP(in[pc].code);
		if ((class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT &&
		    code_jump_target(&in[pc], pc) < image->ninsns)
			to[code_jump_target(&in[pc], pc)] = true;
	}
	return to;
}

static const char *line_source(const struct policy *p, const uint32_t *files, const struct image_line *l)
{
	for (size_t i = 0; i < p->nrules; i++)
		if (p->rules[i].at.line == l->line && files[i] == l->file && p->rules[i].source)
			return p->rules[i].source;
	return p->default_allow ? "default :allow" : "default :deny";
}

/* A reader below the program, and the fields whose places this kernel has. */
static void write_reader(FILE *out, const struct policy *p, enum reader r)
{
	struct reader_code code = reader_code(p->arena, r);
	const struct image image = {.insns = code.insns, .ninsns = code.ninsns, .relocs = code.relocs, .nrelocs = code.nrelocs};
	const bool *to = targets(p->arena, &image);
	size_t next = 0;
	fprintf(out, "; %s: read of the calling task\n", reader_name(r));
	for (size_t pc = 0; pc < image.ninsns; pc++) {
		if (to[pc])
			fprintf(out, "L%zu:\n", pc);
		fprintf(out, "%5zu: ", pc);
		write_insn(out, p, &image, pc);
		if (next < code.nrecords && code.records[next].insn == pc) {
			const struct field_record *f = &code.records[next++];
			fprintf(out, f->question == FIELD_EXISTS ? " ; is there a %s.%s" : " ; %s.%s", task_structs[task_fields[f->field].owner],
			        task_fields[f->field].name);
		}
		fputc('\n', out);
		pc += code.insns[pc].code == (BPF_LD | BPF_DW | BPF_IMM);
	}
}

static void write_readers(FILE *out, const struct policy *p, const struct image *image)
{
	bool used[READERS + 1] = {0};
	for (size_t i = 0; i < image->nrelocs; i++)
		used[reader_called(&image->relocs[i])] = true;
	for (int r = 0; r < READERS; r++)
		if (used[r])
			write_reader(out, p, (enum reader)r);
}

void emit_asm(FILE *out, const struct policy *p, const struct image *image)
{
	const struct bpf_insn *in = image->insns;
	bool *to = targets(p->arena, image);
	const uint32_t *files = policy_files(p->arena, p);
	size_t next_line = 0;
	for (size_t pc = 0; pc < image->ninsns; pc++) {
		if (next_line < image->nlines && image->lines[next_line].insn == pc) {
			const struct image_line *l = &image->lines[next_line++];
			const char *file = l->file ? policy_file(p, l->file) : "";
			const char *source = pc < image->steps ? "" : line_source(p, files, l);
			fprintf(out, "; %s%s%d%s%s\n", file, *file ? ":" : "", l->line, *source ? ": " : "", source);
		}
		if (to[pc])
			fprintf(out, "L%zu:\n", pc);
		fprintf(out, "%5zu: ", pc);
		write_insn(out, p, image, pc);
		fputc('\n', out);
		pc += in[pc].code == (BPF_LD | BPF_DW | BPF_IMM);
	}
	write_readers(out, p, image);
}
