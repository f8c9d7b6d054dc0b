/*
 * simulate.c - a BPF interpreter for one request: for what decides, behind the steps of a raw program.
 *
 * Its arithmetic and jumps are those of the instruction set (operate.c), not of the emitter.
 */
#include "compiler/bpf/internal.h"

#include <string.h>

enum { STACK_SIZE = 512, STEPS_MAX = 1 << 20 };

/* Addresses: each kind of memory has a base. Maps are empty but for their arrays'
 * elements, which are there. */
enum { CTX_BASE = 1 << 20, STACK_TOP = 2 << 20, PARAM_BASE = 3 << 20, HEADER_BASE = 4 << 20,
       MAP_BASE = 5 << 20, TALLY_BASE = 6 << 20, TOTALS_BASE = 7 << 20, CONFIG_BASE = 8 << 20,
       EVENT_BASE = 9 << 20 };

struct machine {
	uint64_t reg[11];
	unsigned char stack[STACK_SIZE];
	unsigned char ctx[12];
	struct image_header header;
	struct tally tally;
	bool has_tally;
	struct totals totals;
	struct audit_config config;
	struct event_record record;
	struct simulated *out;
	const struct policy *policy;
	const struct image *image;
	const struct request *request;
	int missing;
	const char *why;
};

static bool fault(struct machine *m, const char *why)
{
	m->why = why;
	return false;
}

static unsigned char *within(void *memory, size_t n, uint64_t base, uint64_t at, size_t size)
{
	return at >= base && at + size <= base + n ? (unsigned char *)memory + (at - base) : NULL;
}

static unsigned char *address(struct machine *m, uint64_t at, size_t size)
{
	const struct { void *memory; size_t n; uint64_t base; } areas[] = {
		{m->ctx, sizeof m->ctx, CTX_BASE},           {&m->header, sizeof m->header, HEADER_BASE},
		{&m->tally, sizeof m->tally, TALLY_BASE},    {&m->totals, sizeof m->totals, TOTALS_BASE},
		{&m->config, sizeof m->config, CONFIG_BASE}, {&m->record, sizeof m->record, EVENT_BASE},
	};
	for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
		unsigned char *p = within(areas[i].memory, areas[i].n, areas[i].base, at, size);
		if (p)
			return p;
	}
	if (at >= STACK_TOP - STACK_SIZE && at + size <= STACK_TOP)
		return m->stack + (at - (STACK_TOP - STACK_SIZE));
	return NULL;
}

static size_t width(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

/* A fact of the caller, if the request gives it. */
static bool fact(struct machine *m, enum input in, int64_t *value)
{
	if (!(m->request->known & INPUT(in))) {
		m->missing = in;
		return false;
	}
	*value = m->request->fact[in];
	return true;
}

/* What the steps of a raw program left for the verdict: known where the request says it. */
static bool asked(struct machine *m, uint64_t at, enum input *in)
{
	const uint64_t bottom = STACK_TOP - STACK_SIZE;
	if (at < bottom || at >= bottom + 8 * policy_asked(m->policy))
		return false;
	*in = (enum input)(IN_PARAM_0 + m->policy->nparams + (at - bottom) / 8);
	return true;
}

static bool load(struct machine *m, const struct bpf_insn *in)
{
	uint64_t at = m->reg[in->src_reg] + (uint64_t)(int64_t)in->off, value = 0;
	size_t size = width(in->code);
	enum input of_steps;
	if (asked(m, at, &of_steps)) {
		int64_t given = 0;
		bool known = fact(m, of_steps, &given);
		m->reg[in->dst_reg] = (uint64_t)given;
		return known;
	}
	if (at >= PARAM_BASE && at % 8 == 0 && size == 8 && (at - PARAM_BASE) / 8 < m->policy->nparams) {
		m->reg[in->dst_reg] = (uint64_t)m->policy->params[(at - PARAM_BASE) / 8].value;
		return true;
	}
	unsigned char *p = address(m, at, size);
	if (!p)
		return fault(m, "load from a bad address");
	memcpy(&value, p, size);
	m->reg[in->dst_reg] = value;
	return true;
}

static bool store(struct machine *m, const struct bpf_insn *in)
{
	uint64_t at = m->reg[in->dst_reg] + (uint64_t)(int64_t)in->off;
	uint64_t value = BPF_CLASS(in->code) == BPF_STX ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm;
	bool writable = at >= STACK_TOP - STACK_SIZE && (at < HEADER_BASE || at >= MAP_BASE);
	unsigned char *p = writable ? address(m, at, width(in->code)) : NULL;
	if (!p)
		return fault(m, "store to a bad address");
	if (BPF_CLASS(in->code) == BPF_STX && BPF_MODE(in->code) == BPF_ATOMIC) {
		uint64_t old = 0;
		if (in->imm != BPF_ADD || BPF_SIZE(in->code) != BPF_DW)
			return fault(m, "unknown atomic operation");
		memcpy(&old, p, 8);
		value += old;
	}
	memcpy(p, &value, width(in->code));
	return true;
}

static bool alu(struct machine *m, const struct bpf_insn *in)
{
	uint64_t y = BPF_SRC(in->code) == BPF_X ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm;
	uint64_t *x = &m->reg[in->dst_reg];
	if (BPF_OP(in->code) > BPF_ARSH || in->off)
		return fault(m, "unknown arithmetic");
	*x = insn_alu(in->code, *x, y);
	return true;
}

/* Both halves of a helper's result. A half that was not given is 0 here: whether
 * it decides is told by policy_decide(), which is exact. */
static bool halves(struct machine *m, enum input low, enum input high)
{
	input_set known = m->request->known;
	if (!(known & INPUT(low)) && !(known & INPUT(high))) {
		m->missing = low;
		return false;
	}
	m->reg[0] = (uint64_t)m->request->fact[high] << 32 | (uint32_t)m->request->fact[low];
	return true;
}

/* A fact that only the record needs: 0 when it was not given. */
static uint64_t known_or_zero(struct machine *m, enum input in)
{
	return m->request->known & INPUT(in) ? (uint64_t)m->request->fact[in] : 0;
}

/* The helpers that reporting uses. */
static bool report_call(struct machine *m, const struct bpf_insn *in)
{
	unsigned char *key;
	switch (in->imm) {
	case BPF_FUNC_map_lookup_elem:
		m->reg[0] = 0;
		if (m->reg[1] == MAP_BASE + TARGET_TOTALS)
			m->reg[0] = TOTALS_BASE;
		else if (m->reg[1] == MAP_BASE + TARGET_CONFIG)
			m->reg[0] = CONFIG_BASE;
		else if (m->reg[1] == MAP_BASE + TARGET_TALLY && m->has_tally)
			m->reg[0] = TALLY_BASE;
		return true;
	case BPF_FUNC_map_update_elem:
		key = address(m, m->reg[2], sizeof m->out->key);
		if (m->reg[1] != MAP_BASE + TARGET_TALLY || !key)
			return fault(m, "bad argument of a helper");
		memcpy(&m->out->key, key, sizeof m->out->key);
		m->has_tally = true;
		m->reg[0] = 0;
		return true;
	case BPF_FUNC_ringbuf_reserve:
		if (m->reg[1] != MAP_BASE + TARGET_EVENTS || m->reg[2] != report_size(m->policy))
			return fault(m, "bad argument of a helper");
		m->reg[0] = EVENT_BASE;
		return true;
	case BPF_FUNC_ringbuf_submit:
		m->out->event = m->record.event;
		m->out->told = m->record.told;
		m->out->reported = true;
		m->reg[0] = 0;
		return true;
	case BPF_FUNC_set_retval:
		m->out->error = -(int)(int64_t)m->reg[1];
		m->reg[0] = 0;
		return true;
	default: return fault(m, "unknown helper");
	}
}

/* In the tail facts are for the record only. */
static bool tail_call(struct machine *m, const struct bpf_insn *in)
{
	uint64_t comm[2] = {known_or_zero(m, IN_COMM_0), known_or_zero(m, IN_COMM_1)};
	unsigned char *p;
	switch (in->imm) {
	case BPF_FUNC_get_current_uid_gid:
		m->reg[0] = known_or_zero(m, IN_GID) << 32 | (uint32_t)known_or_zero(m, IN_UID);
		return true;
	case BPF_FUNC_get_current_pid_tgid:
		m->reg[0] = known_or_zero(m, IN_PID) << 32 | (uint32_t)known_or_zero(m, IN_TID);
		return true;
	case BPF_FUNC_get_current_cgroup_id: m->reg[0] = known_or_zero(m, IN_CGROUP_ID); return true;
	case BPF_FUNC_ktime_get_boot_ns: m->reg[0] = known_or_zero(m, IN_UPTIME) * NSEC_PER_SEC; return true;
	case BPF_FUNC_get_current_comm:
		p = address(m, m->reg[1], sizeof comm);
		if (!p || m->reg[2] != COMM_SIZE)
			return fault(m, "bad argument of a helper");
		memcpy(p, comm, sizeof comm);
		m->reg[0] = 0;
		return true;
	default: return report_call(m, in);
	}
}

/* A reader: what the request says. In the tail its facts are for the record only. */
static bool call_reader(struct machine *m, size_t pc)
{
	const struct asked *as = policy_asks(m->policy);
	enum reader reader = reader_called(image_reloc_at(m->image, pc));
	int in = reader < READER_GROUP ? IN_EUID + (int)reader : -1;
	for (size_t i = 0; i < as->nasks && in < 0 && reader < READERS; i++)
		if (reader_of_ask(as->asks[i].kind) == reader && (int64_t)m->reg[1] == reader_argument(&as->asks[i]) &&
		    (reader != READER_UNDER || (int64_t)m->reg[2] == as->asks[i].number))
			in = IN_ASK_0 + (int)i;
	int64_t value = -1;
	if (in < 0)
		return fault(m, "unknown function");
	if (pc < m->image->tail ? !fact(m, (enum input)in, &value) : m->request->known & INPUT(in) && !fact(m, (enum input)in, &value))
		return false;
	m->reg[0] = (uint64_t)value;
	return true;
}

static bool call(struct machine *m, const struct bpf_insn *in)
{
	int64_t a, b;
	switch (in->imm) {
	case BPF_FUNC_get_current_uid_gid: return halves(m, IN_UID, IN_GID);
	case BPF_FUNC_get_current_pid_tgid: return halves(m, IN_TID, IN_PID);
	case BPF_FUNC_get_current_cgroup_id:
		if (!fact(m, IN_CGROUP_ID, &a))
			return false;
		m->reg[0] = (uint64_t)a;
		return true;
	case BPF_FUNC_ktime_get_boot_ns:
		if (!fact(m, IN_UPTIME, &a))
			return false;
		m->reg[0] = (uint64_t)a * NSEC_PER_SEC;
		return true;
	case BPF_FUNC_get_current_comm: {
		unsigned char *p = address(m, m->reg[1], COMM_SIZE);
		if (!fact(m, IN_COMM_0, &a) || !fact(m, IN_COMM_1, &b))
			return false;
		if (!p || m->reg[2] != COMM_SIZE)
			return fault(m, "bad argument of a helper");
		memcpy(p, &a, 8);
		memcpy(p + 8, &b, 8);
		m->reg[0] = 0;
		return true;
	}
	default: return fault(m, "unknown helper");
	}
}

static uint64_t relocated(uint32_t target)
{
	if (target == TARGET_HEADER)
		return HEADER_BASE;
	return target > TARGET_HEADER ? MAP_BASE + (uint64_t)target : PARAM_BASE + 8 * (uint64_t)target;
}

static void wide_constant(struct machine *m, size_t pc)
{
	const struct bpf_insn *in = (const struct bpf_insn *)m->image->insns + pc;
	uint64_t value = (uint64_t)(uint32_t)in[1].imm << 32 | (uint32_t)in->imm;
	const struct image_reloc *r = image_reloc_at(m->image, pc);
	if (r)
		value = relocated(r->target);
	m->reg[in->dst_reg] = value;
}

static bool execute(struct machine *m, size_t *pc)
{
	const struct bpf_insn *in = (const struct bpf_insn *)m->image->insns + *pc;
	if (in->dst_reg > 10 || in->src_reg > 10)
		return fault(m, "unknown register");
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64: return alu(m, in);
	case BPF_LDX: return load(m, in);
	case BPF_ST:
	case BPF_STX: return store(m, in);
	case BPF_LD:
		if (in->code != (BPF_LD | BPF_DW | BPF_IMM) || *pc + 1 >= m->image->ninsns)
			return fault(m, "unknown load");
		wide_constant(m, (*pc)++);
		return true;
	default:
		if (in->code == (BPF_JMP | BPF_CALL) && in->src_reg == BPF_PSEUDO_CALL)
			return call_reader(m, *pc);
		if (in->code == (BPF_JMP | BPF_CALL))
			return *pc >= m->image->tail ? tail_call(m, in) : call(m, in);
		if (in->code == (BPF_JMP32 | BPF_JA)) /* the long jump of Linux 6.6 */
			*pc = (size_t)((int64_t)*pc + in->imm);
		else if (insn_taken(in->code, m->reg[in->dst_reg],
		                    BPF_SRC(in->code) == BPF_X ? m->reg[in->src_reg] : (uint64_t)(int64_t)in->imm))
			*pc = (size_t)((int64_t)*pc + in->off);
		return true;
	}
}

int simulate(const struct policy *p, const struct image *image, const struct request *r,
             struct simulated *out, int *missing, const char **why)
{
	struct request asked = *r;
	asked_answer(policy_asks(p), &asked);
	struct machine m = {.policy = p, .image = image, .request = &asked, .missing = -1, .out = out};
	const struct bpf_insn *insns = image->insns;
	uint32_t ctx[3] = {(uint32_t)r->access << 16 | (uint32_t)r->type, (uint32_t)r->major,
	                   (uint32_t)r->minor};
	*out = (struct simulated){0};
	memcpy(m.ctx, ctx, sizeof ctx);
	m.header = (struct image_header){.audit = p->audit, .generation = 1,
	                                 .features = FEATURE_PID | FEATURE_COMM};
	m.reg[1] = CTX_BASE;
	m.reg[10] = STACK_TOP;
	bool running = true;
	for (size_t pc = image->steps; running && pc < image->ninsns && out->steps < STEPS_MAX; pc++) {
		out->steps++;
		if (insns[pc].code == (BPF_JMP | BPF_EXIT)) {
			out->allow = m.reg[0] == 1;
			return 0;
		}
		running = execute(&m, &pc);
	}
	*missing = m.missing;
	*why = m.why ? m.why : "the program does not end";
	return -1;
}
