/* call.c - what functions of the kernel tell a program, but for look-ups in maps. */
#include "compiler/decode/internal.h"

int32_t called_function(const struct decoder *r, uint32_t pc, const char **name)
{
	const struct dump *d = r->dump;
	size_t lo = 0, hi = d->ncalls;
	*name = "a function of the kernel";
	if (!d->calls)
		return r->insns[pc].imm;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (d->calls[mid].insn < pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == d->ncalls || d->calls[lo].insn != pc)
		return DUMP_UNKNOWN_FUNCTION;
	if (d->calls[lo].name)
		*name = d->calls[lo].name;
	return d->calls[lo].function;
}

static struct value pair(struct decoder *r, enum input low, enum input high)
{
	term a = term_input(r->terms, low), b = term_input(r->terms, high);
	return (struct value){.kind = V_PAIR, .a = a, .b = b};
}

/* The name of the process, into the stack. */
static void comm(struct decoder *r, struct state *st)
{
	struct value to = st->reg[1], size = st->reg[2];
	struct value first = value_term(r, term_input(r->terms, IN_COMM_0));
	struct value second = value_term(r, term_input(r->terms, IN_COMM_1));
	if (to.kind == V_FOREIGN || to.kind == V_ENTRY)
		return;
	if (to.kind != V_STACK || size.kind != V_CONST || size.k != COMM_SIZE) {
		stack_forget(st);
		return;
	}
	stack_write(r, st, to.a, to.k, 8, &first);
	stack_write(r, st, to.a, to.k + 8, 8, &second);
}

static bool set_retval(struct decoder *r, struct state *st, uint32_t pc)
{
	struct value v = st->reg[1];
	if (v.kind != V_CONST)
		return decoder_fail(r, "instruction %u sets an error that is not known", pc);
	int32_t error = (int32_t)v.k;
	if (error > 0)
		return true; /* the kernel refuses it */
	if (!error)
		return decoder_fail(r, "instruction %u lets pass what other programs deny (bpf_set_retval(0))", pc);
	st->retval = error;
	st->sets = true;
	return true;
}

/* Those that write only where they say, or nowhere. */
static bool leaves_the_stack(int32_t function)
{
	switch (function) {
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_get_prandom_u32:
	case BPF_FUNC_get_smp_processor_id:
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_perf_event_output:
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_ringbuf_reserve:
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard:
	case BPF_FUNC_ringbuf_query:
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_get_retval:
	case BPF_FUNC_get_current_task:
	case BPF_FUNC_get_current_ancestor_cgroup_id: return true;
	default: return false;
	}
}

static void note_writes(struct decoder *r, const struct state *st, int32_t function)
{
	bool writes = function == BPF_FUNC_map_update_elem || function == BPF_FUNC_map_delete_elem ||
	              !leaves_the_stack(function);
	for (int i = 1; writes && i <= 5; i++)
		if ((st->reg[i].kind == V_MAP || st->reg[i].kind == V_ENTRY) && st->reg[i].a < r->dump->nmaps)
			r->written[st->reg[i].a] = true;
}

bool call_step(struct decoder *r, struct state *st, uint32_t pc, int32_t function, const char *name)
{
	struct value out;
	switch (function) {
	case BPF_FUNC_get_current_uid_gid: out = pair(r, IN_UID, IN_GID); break;
	case BPF_FUNC_get_current_pid_tgid: out = pair(r, IN_TID, IN_PID); break;
	case BPF_FUNC_get_current_cgroup_id: out = value_term(r, term_input(r->terms, IN_CGROUP_ID)); break;
	case BPF_FUNC_ktime_get_boot_ns: out = (struct value){.kind = V_NANOS}; break;
	case BPF_FUNC_get_current_comm:
		comm(r, st);
		out = value_const(0);
		break;
	case BPF_FUNC_set_retval:
		if (!set_retval(r, st, pc))
			return false;
		out = value_const(0);
		break;
	case BPF_FUNC_ringbuf_reserve: /* or NULL: a comparison with it is not known */
		out = (struct value){.kind = V_FOREIGN};
		break;
	default:
		note_writes(r, st, function);
		if (!leaves_the_stack(function))
			stack_forget(st);
		out = value_unknown(r, st, pc, arena_printf(r->arena, "what %s returns", name));
	}
	for (int i = 1; i <= 5; i++)
		st->reg[i] = (struct value){.kind = V_NONE};
	st->reg[0] = out;
	return true;
}
