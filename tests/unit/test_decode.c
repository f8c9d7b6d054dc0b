/*
 * Reading programs. Those of the compiler mean their policies: a second proof, which shares
 * nothing with the first. Random instructions mean what the simulator computes. Look-ups in maps,
 * functions, loops: as far as they are understood, and no further.
 */
#include "compiler/bpf/internal.h"
#include "compiler/decode/decode.h"
#include "tests/unit/blind.h"
#include "tests/unit/compiled.h"
#include "tests/unit/policy_files.h"

#include <linux/bpf.h>

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (uint8_t)(c), .dst_reg = (uint8_t)(d), .src_reg = (uint8_t)(s), .off = (int16_t)(o), .imm = (int32_t)(i)})
#define MOV(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define LOAD(size, d, s, at) INSN(BPF_LDX | BPF_MEM | BPF_##size, d, s, at, 0)
#define STORE(size, d, s, at) INSN(BPF_STX | BPF_MEM | BPF_##size, d, s, at, 0)
#define IF(op, d, i, o) INSN(BPF_JMP | BPF_##op | BPF_K, d, 0, o, i)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define MAP(d, id) INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, id), INSN(0, 0, 0, 0, 0)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* ---- requests ------------------------------------------------------------------------------------- */

/* What the diagram says: OUT_ALLOW, OUT_DENY, or OUT_PASS: that hangs on what is not understood. */
static outcome read_as(struct diagrams *dg, node root, const struct request *q, size_t unknown)
{
	int64_t in[INPUT_MAX];
	int missing;
	memcpy(in, q->fact, sizeof in);
	in[IN_TYPE] = q->type;
	in[IN_REQUESTED] = q->access;
	in[IN_MAJOR] = q->major;
	in[IN_MINOR] = q->minor;
	input_set known = ~(input_set)0;
	for (size_t i = 0; i < unknown; i++)
		known &= ~INPUT(IN_PARAM_0 + i);
	outcome o = diagram_eval(dg, root, in, known, &missing);
	return missing >= 0 ? OUT_PASS : o;
}

/* The same program with its constants blinded means the same. */
static void try_blinded(struct arena *a, struct diags *d, const struct dump *dump, struct diagrams *dg, struct terms *ts, size_t first,
                        const struct decoded *plain)
{
	struct rng g = {dump->ninsns};
	struct dump hidden = *dump;
	struct decoded out;
	hidden.insns = blinded(a, &g, dump->insns, dump->ninsns, &hidden.ninsns);
	if (decode_program(a, d, "blinded", &hidden, dg, ts, first, &out))
		fail_msg("%s", d->items[d->n - 1].text);
	if (!plain->unknown && !out.unknown && out.verdict != plain->verdict)
		fail_msg("blinded, it means something else");
	if (!plain->unknown && out.unknown)
		fail_msg("blinded, it is not understood");
}

/* ---- of the compiler ---------------------------------------------------------------------------- */

static const char *const policies[] = {
	"default :allow\n",
	"allow :null, :zero, :full, :random, :urandom, :tty, :console, :ptmx, :pts\nallow \"a *:* m\"\n",
	"audit :denied\nallow \"c 1:3 rw\"\ndeny \"c 1:* r\", errno: :ENOENT\nallow \"c 1:* rm\"\n",
	"audit :all\nmode :permissive\ndefault :allow\ndeny \"b 8:1-3 w\"\ndeny { |c| c.uid == 7 && c.gid > 6 }\n",
	"allow { |c| c.uid == 0 && c.comm == \"qemu-kvm\" }\ndeny { |c| c.pid == 1 || c.uptime < 60 }\nallow { |c| c.cgroup_id > 99 && c.gid != 5 }\n",
	"allow { |c| c.minor % 4 == c.major && c.requested != 6 }\nallow { |c| (c.minor & 0xf0) == 0x30 && c.major > 7 }\n",
	"500.times { |i| allow \"c #{i * 7}:#{i * 131 % 4099} #{%w[r rw w m][i % 4]}\" }\n",
	"GPUS = 0b1011\nallow(\"c 226:128-135 rw\") { |c| GPUS >> (c.minor - 128) & 1 == 1 }\n",
};

/* A map with one value. */
static struct dump_map one_value(struct arena *a, uint32_t id, const void *value, size_t size)
{
	return (struct dump_map){.id = id, .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .n = 1, .known = true, .max_entries = 1,
	                         .value_size = (uint32_t)size, .keys = arena_alloc(a, 4), .values = value};
}

/* The program as the kernel has it: with its header (is what is denied allowed all the same?) and its
 * parameters in maps. What the maps of a program that reports hold is not known. */
static struct dump dump_of(struct compiled *c)
{
	enum { PARAMS_MAP = 7 };
	struct arena *a = c->arena;
	const struct policy *p = c->policy;
	struct image_header *header = arena_alloc(a, sizeof *header);
	struct dump_map *maps = arena_alloc(a, 2 * sizeof *maps);
	int64_t *values = arena_alloc(a, (p->nparams + 1) * sizeof *values);
	struct bpf_insn *insns = arena_alloc(a, c->image.ninsns * sizeof *insns);
	for (size_t i = 0; i < p->nparams; i++)
		values[i] = p->params[i].value;
	*header = (struct image_header){.audit = p->audit, .mode = p->mode, .features = FEATURE_PID};
	maps[0] = one_value(a, TARGET_HEADER, header, sizeof *header);
	maps[1] = one_value(a, PARAMS_MAP, values, p->nparams * sizeof *values);
	memcpy(insns, c->image.insns, c->image.ninsns * sizeof *insns);
	for (size_t i = 0; i < c->image.nrelocs; i++) {
		uint32_t target = c->image.relocs[i].target;
		struct bpf_insn *in = &insns[c->image.relocs[i].insn];
		in->src_reg = target <= TARGET_HEADER ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
		in->imm = target < TARGET_HEADER ? PARAMS_MAP : (int32_t)target;
		in[1].imm = target < TARGET_HEADER ? (int32_t)(8 * target) : 0;
	}
	return (struct dump){.insns = insns, .ninsns = c->image.ninsns, .maps = maps, .nmaps = 2};
}

static void test_compiled(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		struct compiled c = compiled_of(policies[i]);
		struct dump dump = dump_of(&c);
		struct decoded out;
		if (decode_program(c.arena, &c.diags, "it", &dump, c.pd.dg, c.policy->terms, 0, &out))
			fail_msg("%s: %s", policies[i], c.diags.items[c.diags.n - 1].text);
		if (c.policy->mode == MODE_PERMISSIVE) /* everything is allowed */
			assert_int_equal(out.verdict, requests_within(c.pd.dg, diagram_terminal(OUT_ALLOW), diagram_terminal(OUT_DENY)));
		else if (out.verdict != c.pd.verdict)
			fail_msg("%s: it means something else", policies[i]);
		try_blinded(c.arena, &c.diags, &dump, c.pd.dg, c.policy->terms, 0, &out);
		compiled_free(&c);
	}
}

/* With parameters, or values that are not understood, the diagrams are not one: the answers are. */
static void same_answers(const char *path, struct compiled *c, const struct decoded *out)
{
	struct rng g = {5};
	size_t known = 0;
	for (int i = 0; i < 4000; i++) {
		struct request q = {.type = 1 + (int)below(&g, 2), .access = (int)below(&g, 8), .known = ~(input_set)0,
		                    .major = below(&g, 4) ? below(&g, 12) : below(&g, MAJOR_MAX),
		                    .minor = below(&g, 3) ? below(&g, 20) : below(&g, MINOR_MAX)};
		struct decision want;
		int missing;
		assert_int_equal(policy_decide(c->policy, &c->pd, &q, &want, &missing), 0);
		outcome o = read_as(c->pd.dg, out->verdict, &q, c->policy->nparams + out->unknown);
		known += o != OUT_PASS;
		if (o != OUT_PASS && (o == OUT_ALLOW) != want.allow)
			fail_msg("%s: %d %lld:%lld access %d", path, q.type, (long long)q.major, (long long)q.minor, q.access);
	}
	assert_true(known > 3000);
}

static void try_file(const char *path, const char *text)
{
	struct compiled c = compiled_of(text);
	struct dump dump = dump_of(&c);
	struct decoded out;
	if (policy_reads_task(c.policy)) { /* its readers are of a kernel's own shape: test_task_decode.c */
		compiled_free(&c);
		return;
	}
	if (decode_program(c.arena, &c.diags, path, &dump, c.pd.dg, c.policy->terms, c.policy->nparams, &out))
		fail_msg("%s", c.diags.items[c.diags.n - 1].text);
	if (c.policy->mode == MODE_PERMISSIVE)
		assert_int_equal(out.verdict, requests_within(c.pd.dg, diagram_terminal(OUT_ALLOW), diagram_terminal(OUT_DENY)));
	else if (out.verdict != c.pd.verdict && !c.policy->nparams && !out.unknown)
		fail_msg("%s: its program means something else", path);
	else if (out.verdict != c.pd.verdict)
		same_answers(path, &c, &out);
	compiled_free(&c);
}

static void test_files(void **state)
{
	(void)state;
	each_policy_file(try_file);
}

/* ---- random instructions ------------------------------------------------------------------------ */

static int32_t odd_constant(struct rng *g)
{
	static const int32_t odd[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 63, 0xff, 0x10000, 0xffff, 0x20002, -1, -2, INT32_MIN, INT32_MAX};
	return below(g, 3) ? odd[below(g, COUNT(odd))] : (int32_t)below(g, 300);
}

enum { BODY = 24, HEAD = 13, PROGRAM = HEAD + BODY + 5 };

static struct bpf_insn random_alu(struct rng *g, uint8_t dst, uint8_t src)
{
	static const uint8_t ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND, BPF_LSH, BPF_RSH, BPF_NEG,
	                              BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH, BPF_AND, BPF_RSH, BPF_MOV};
	uint8_t op = ops[below(g, COUNT(ops))], class = below(g, 2) ? BPF_ALU64 : BPF_ALU;
	if (op == BPF_NEG)
		return INSN(class | op, dst, 0, 0, 0);
	bool shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	if (!shift && below(g, 3) == 0)
		return INSN(class | op | BPF_X, dst, src, 0, 0);
	int32_t k = shift ? (int32_t)below(g, class == BPF_ALU ? 32 : 64) : odd_constant(g);
	return INSN(class | op | BPF_K, dst, 0, 0, (op == BPF_DIV || op == BPF_MOD) && !k ? 3 : k);
}

static struct bpf_insn random_jump(struct rng *g, uint8_t dst, uint8_t src, uint32_t room)
{
	static const uint8_t ops[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT, BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE, BPF_JEQ, BPF_JNE};
	uint8_t op = ops[below(g, COUNT(ops))], class = below(g, 2) ? BPF_JMP : BPF_JMP32;
	int16_t off = (int16_t)below(g, room < 6 ? room + 1 : 6);
	if (below(g, 5) == 0)
		return INSN(class | op | BPF_X, dst, src, off, 0);
	return INSN(class | op | BPF_K, dst, 0, off, odd_constant(g));
}

static struct bpf_insn random_memory(struct rng *g, uint8_t dst, uint8_t src)
{
	static const uint8_t sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};
	uint8_t size = sizes[below(g, 4)];
	int bytes = size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8;
	int16_t at = (int16_t)(-16 + (int)below(g, (uint32_t)(16 / bytes)) * bytes);
	switch (below(g, 3)) {
	case 0: return INSN(BPF_STX | BPF_MEM | size, 10, src, at, 0);
	case 1: return INSN(BPF_ST | BPF_MEM | size, 10, 0, at, odd_constant(g));
	default: return INSN(BPF_LDX | BPF_MEM | size, dst, 10, at, 0);
	}
}

static size_t random_program(struct rng *g, struct bpf_insn out[PROGRAM])
{
	size_t n = 0;
	out[n++] = COPY(6, 1);
	out[n++] = LOAD(W, 2, 6, 0);
	out[n++] = LOAD(W, 3, 6, 4);
	out[n++] = LOAD(W, 4, 6, 8);
	out[n++] = LOAD(H, 5, 6, 0);
	out[n++] = MOV(1, odd_constant(g));
	out[n++] = MOV(7, odd_constant(g));
	out[n++] = LOAD(H, 8, 6, 2);
	out[n++] = COPY(9, below(g, 2) ? 3 : 4);
	out[n++] = STORE(W, 10, 3, -16);
	out[n++] = STORE(W, 10, 2, -12);
	out[n++] = STORE(DW, 10, 4, -8);
	out[n++] = MOV(0, 1);
	for (uint32_t i = 0; i < BODY; i++) {
		static const uint8_t regs[] = {1, 2, 3, 4, 5, 7, 8, 9};
		uint8_t dst = regs[below(g, 8)], src = regs[below(g, 8)];
		uint32_t kind = below(g, 10);
		out[n++] = kind < 5 ? random_alu(g, dst, src)
		           : kind < 8 ? random_jump(g, dst, src, BODY - 1 - i) : random_memory(g, dst, src);
	}
	out[n++] = random_jump(g, (uint8_t)(2 + below(g, 3)), 7, 1);
	out[n - 1].off = 1;
	out[n++] = MOV(0, 0);
	out[n++] = EXIT;
	return n;
}

struct tried { size_t programs, refused, asked, unknown; };

static void try_requests(struct rng *g, const struct bpf_insn *insns, size_t n, struct diagrams *dg, const struct decoded *d,
                         struct tried *t)
{
	static const int64_t majors[] = {0, 1, 2, 3, 5, 8, 10, 31, 64, 195, 255, 256, 1000, 4095};
	static const int64_t minors[] = {0, 1, 2, 3, 4, 7, 9, 64, 128, 229, 255, 65535, 65536, 1048575};
	struct policy p = {.nparams = 0};
	struct image image = {.insns = insns, .ninsns = n, .tail = n};
	for (int i = 0; i < 60; i++) {
		struct request q = {.type = 1 + (int)below(g, 2), .access = (int)below(g, 8), .known = ~(input_set)0,
		                    .major = below(g, 3) ? majors[below(g, COUNT(majors))] : below(g, MAJOR_MAX),
		                    .minor = below(g, 3) ? minors[below(g, COUNT(minors))] : below(g, MINOR_MAX)};
		struct simulated out;
		int missing;
		const char *why = "";
		if (simulate(&p, &image, &q, &out, &missing, &why))
			fail_msg("%s", why);
		outcome o = read_as(dg, d->verdict, &q, d->unknown);
		t->asked++;
		t->unknown += o == OUT_PASS;
		if (o != OUT_PASS && (o == OUT_ALLOW) != out.allow && getenv("SHOW"))
			for (size_t k = 0; k < n; k++)
				printf("%2zu: code %02x dst r%d src r%d off %d imm %d\n", k, insns[k].code, insns[k].dst_reg, insns[k].src_reg, insns[k].off, insns[k].imm);
		if (o != OUT_PASS && (o == OUT_ALLOW) != out.allow)
			fail_msg("program %zu: %s %lld:%lld access %d is %s", t->programs, q.type == DEV_BLOCK ? "b" : "c",
			         (long long)q.major, (long long)q.minor, q.access, out.allow ? "allowed" : "denied");
	}
}

static void test_random(void **state)
{
	(void)state;
	struct rng g = {0x9e3779b97f4a7c15ull};
	struct tried t = {0};
	const char *more = getenv("PROGRAMS");
	size_t programs = more ? (size_t)atol(more) : 400;
	for (; t.programs < programs; t.programs++) {
		struct arena *a = arena_new();
		struct diags d;
		struct bpf_insn insns[PROGRAM];
		struct decoded out;
		size_t n = random_program(&g, insns);
		struct dump dump = {.insns = insns, .ninsns = n};
		diags_init(&d, a);
		struct terms *ts = terms_new(a);
		struct diagrams *dg = diagrams_new(a, ts, ORDER_FACTS_LAST);
		if (decode_program(a, &d, "it", &dump, dg, ts, 0, &out))
			t.refused++;
		else
			try_requests(&g, insns, n, dg, &out, &t), try_blinded(a, &d, &dump, dg, ts, 0, &out);
		arena_free(a);
	}
	print_message("%zu programs, %zu not read; %zu requests, %zu hang on what is not understood\n", t.programs, t.refused,
	              t.asked, t.unknown);
	assert_true(t.refused * 100 < t.programs && t.unknown * 10 < t.asked);
}

/* ---- maps ------------------------------------------------------------------------------------------- */

/* Against a table: is the request allowed? */
typedef outcome (*expected)(const struct request *q);

static void check_requests(const struct bpf_insn *insns, size_t n, const struct dump_map *maps, size_t nmaps,
                           const struct dump_call *calls, size_t ncalls, expected want)
{
	struct arena *a = arena_new();
	struct diags d;
	struct decoded out;
	struct rng g = {77};
	diags_init(&d, a);
	struct terms *ts = terms_new(a);
	struct diagrams *dg = diagrams_new(a, ts, ORDER_FACTS_LAST);
	struct dump dump = {.insns = insns, .ninsns = n, .maps = maps, .nmaps = nmaps, .calls = calls, .ncalls = ncalls};
	if (decode_program(a, &d, "it", &dump, dg, ts, 0, &out))
		fail_msg("%s", d.items[0].text);
	for (int i = 0; i < 5000; i++) {
		struct request q = {.type = 1 + (int)below(&g, 2), .access = (int)below(&g, 8), .major = below(&g, 12), .minor = below(&g, 6), .known = ~(input_set)0};
		q.fact[IN_UID] = below(&g, 3);
		q.fact[IN_GID] = below(&g, 3);
		outcome o = read_as(dg, out.verdict, &q, out.unknown), wanted = want(&q);
		if (o != wanted)
			fail_msg("%d %lld:%lld access %d: %u, not %u", q.type, (long long)q.major, (long long)q.minor, q.access, o, wanted);
	}
	arena_free(a);
}

#define CHECK(insns, maps, want) check_requests(insns, COUNT(insns), maps, COUNT(maps), NULL, 0, want)

/* As libvirt does it: major and minor as one number of 64 bits, the letters as the value. */
static const uint64_t virt_keys[] = {1ull << 32 | 3, 5ull << 32 | 2, 10ull << 32 | 1, 7ull << 32 | 0xffffffff};
static const uint32_t virt_values[] = {2 << 16 | 6, 2 << 16 | 6, 2 << 16 | 2, 1 << 16 | 7}; /* type << 16 | access */
static const struct dump_map virt_map[] = {{.id = 9, .type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 4, .max_entries = 64,
                                            .keys = (void *)virt_keys, .values = (void *)virt_values, .n = 4, .known = true}};
static const struct bpf_insn virt[] = {
	COPY(6, 1), LOAD(W, 2, 6, 4), INSN(BPF_ALU64 | BPF_LSH | BPF_K, 2, 0, 0, 32), LOAD(W, 3, 6, 8),
	INSN(BPF_ALU64 | BPF_OR | BPF_X, 2, 3, 0, 0), STORE(DW, 10, 2, -8), MAP(1, 9), COPY(2, 10),
	INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8), CALL(BPF_FUNC_map_lookup_elem), IF(JNE, 0, 0, 8),
	/* any minor */
	INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -8, -1), MAP(1, 9), COPY(2, 10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8),
	CALL(BPF_FUNC_map_lookup_elem), IF(JNE, 0, 0, 1), EXIT,
	/* type and access */
	LOAD(W, 3, 0, 0), LOAD(W, 2, 6, 0), COPY(4, 2), INSN(BPF_ALU | BPF_AND | BPF_K, 4, 0, 0, 0xffff), COPY(5, 3),
	INSN(BPF_ALU64 | BPF_RSH | BPF_K, 5, 0, 0, 16), INSN(BPF_JMP | BPF_JNE | BPF_X, 4, 5, 6, 0),
	INSN(BPF_ALU64 | BPF_RSH | BPF_K, 2, 0, 0, 16), INSN(BPF_ALU64 | BPF_AND | BPF_K, 3, 0, 0, 7),
	INSN(BPF_ALU64 | BPF_XOR | BPF_K, 3, 0, 0, 7), INSN(BPF_JMP | BPF_JSET | BPF_X, 2, 3, 2, 0), MOV(0, 1), EXIT, MOV(0, 0), EXIT,
};

static outcome virt_allows(const struct request *q)
{
	for (size_t i = 0; i < COUNT(virt_keys); i++)
		if (q->major == (int64_t)(virt_keys[i] >> 32) &&
		    (q->minor == (int64_t)(virt_keys[i] & 0xffffffff) || (virt_keys[i] & 0xffffffff) == 0xffffffff))
			return (int)(virt_values[i] >> 16) == q->type && !(q->access & ~virt_values[i] & 7) ? OUT_ALLOW : OUT_DENY;
	return OUT_DENY;
}

/* The kernel's own look-up, and a key of fields; the address of the value is behind the element. */
static const struct { uint8_t type; uint8_t pad[3]; uint32_t major, minor; } snap_keys[] = {{2, {0}, 1, 3}, {2, {0}, 5, 2}, {1, {0}, 8, 0}};
static const uint8_t snap_values[] = {1, 1, 1};
static const struct dump_map snap_map[] = {{.id = 4, .type = BPF_MAP_TYPE_HASH, .key_size = 12, .value_size = 1, .max_entries = 500,
                                            .keys = (void *)snap_keys, .values = snap_values, .n = 3, .known = true}};
static const struct bpf_insn snap[] = {
	LOAD(W, 2, 1, 0), INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff), INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -12, 0), STORE(B, 10, 2, -12),
	LOAD(W, 2, 1, 4), STORE(W, 10, 2, -8), LOAD(W, 2, 1, 8), STORE(W, 10, 2, -4), MAP(1, 4), COPY(2, 10),
	INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -12), CALL(12345), IF(JEQ, 0, 0, 1), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 64),
	IF(JEQ, 0, 0, 1), LOAD(B, 0, 0, 0), EXIT,
};
static const struct dump_call snap_calls[] = {{12, DUMP_HASH_ELEMENT, "__htab_map_lookup_elem"}};

static outcome snap_allows(const struct request *q)
{
	for (size_t i = 0; i < COUNT(snap_keys); i++)
		if (q->type == snap_keys[i].type && q->major == snap_keys[i].major && q->minor == snap_keys[i].minor)
			return OUT_ALLOW;
	return OUT_DENY;
}

static void test_maps(void **state)
{
	(void)state;
	CHECK(virt, virt_map, virt_allows);
	check_requests(snap, COUNT(snap), snap_map, 1, snap_calls, 1, snap_allows);
}

/* ---- what is not known --------------------------------------------------------------------------- */

static outcome by_map(const struct request *q)
{
	return q->major == 3 ? OUT_DENY : OUT_PASS;
}

static outcome counted(const struct request *q)
{
	return q->major == 3 ? OUT_ALLOW : OUT_PASS;
}

/* A map that cannot be read, one that the program counts in, a function, a loop. */
static const struct bpf_insn unread[] = {
	LOAD(W, 2, 1, 4), MOV(0, 0), IF(JNE, 2, 3, 1), EXIT, STORE(DW, 10, 2, -8), MAP(1, 5), COPY(2, 10),
	INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8), CALL(BPF_FUNC_map_lookup_elem), IF(JEQ, 0, 0, 1), MOV(0, 1), EXIT,
};
static const uint32_t count_key[] = {0};
static const uint64_t count_value[] = {5};
static const struct dump_map count_map[] = {{.id = 6, .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
                                             .keys = (void *)count_key, .values = (void *)count_value, .n = 1, .known = true}};
static const struct bpf_insn counts[] = {
	LOAD(W, 6, 1, 4), INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0), MAP(1, 6), COPY(2, 10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
	CALL(BPF_FUNC_map_lookup_elem), IF(JEQ, 0, 0, 6), LOAD(DW, 3, 0, 0), MOV(2, 1), INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 2, 0, BPF_ADD),
	MOV(0, 1), IF(JEQ, 6, 3, 1), IF(JGT, 3, 100, 1), EXIT, MOV(0, 0), EXIT,
};
static const struct bpf_insn random_number[] = {
	LOAD(W, 6, 1, 4), CALL(BPF_FUNC_get_prandom_u32), IF(JNE, 6, 3, 1), MOV(0, 0), INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1), EXIT,
};
static const struct bpf_insn loop[] = {
	LOAD(W, 2, 1, 4), MOV(0, 0), IF(JNE, 2, 3, 1), EXIT, INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1), IF(JLT, 0, 9, -2), MOV(0, 1), EXIT,
};

static void test_unknown(void **state)
{
	(void)state;
	CHECK(unread, virt_map, by_map);
	CHECK(counts, count_map, counted);
	CHECK(random_number, virt_map, by_map);
	CHECK(loop, virt_map, by_map);
}

/* ---- functions of its own, facts ------------------------------------------------------------------ */

/* Both calls of one function, with other arguments. */
static const struct bpf_insn functions[] = {
	COPY(6, 1), LOAD(W, 1, 6, 4), MOV(2, 3), INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 7), COPY(7, 0), LOAD(W, 1, 6, 8), MOV(2, 2),
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 3), INSN(BPF_ALU64 | BPF_OR | BPF_X, 7, 0, 0, 0), COPY(0, 7), EXIT,
	COPY(6, 1), MOV(0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_X, 6, 2, 1, 0), MOV(0, 0), EXIT,
};

/* The same, the one function behind the other that calls it. */
static const struct bpf_insn nested[] = {
	COPY(6, 1), LOAD(W, 1, 6, 4), MOV(2, 3), INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 12), COPY(7, 0), LOAD(W, 1, 6, 8), MOV(2, 2),
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 3), INSN(BPF_ALU64 | BPF_OR | BPF_X, 7, 0, 0, 0), COPY(0, 7), EXIT,
	COPY(6, 1), MOV(0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_X, 6, 2, 1, 0), MOV(0, 0), EXIT,
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -6), EXIT,
};

/* As compilers lay code out: both ways end at what stands before them. What is on the stack is read there. */
static const struct bpf_insn shared_end[] = {
	LOAD(W, 2, 1, 4), LOAD(W, 3, 1, 8), MOV(4, 0), STORE(DW, 10, 4, -8), INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0),
	LOAD(DW, 0, 10, -8), EXIT,
	IF(JEQ, 2, 3, 3), IF(JEQ, 3, 2, 1), INSN(BPF_JMP | BPF_JA, 0, 0, -5, 0), MOV(5, 9),
	MOV(4, 1), STORE(DW, 10, 4, -8), INSN(BPF_JMP | BPF_JA, 0, 0, -9, 0),
};

/* A loop that is one all the same, in a function. */
static const struct bpf_insn loop_in_function[] = {
	LOAD(W, 6, 1, 4), COPY(1, 6), INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 3), IF(JNE, 6, 3, 1), MOV(0, 0), EXIT,
	MOV(0, 0), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1), IF(JLT, 0, 9, -2), EXIT,
};

static outcome either(const struct request *q)
{
	return q->major == 3 || q->minor == 2 ? OUT_ALLOW : OUT_DENY;
}

static outcome none_known(const struct request *q)
{
	(void)q;
	return OUT_PASS;
}

/* A function that decides by more than is told of a program: what it returns is told. It may write to every map. */
#define ODD CALL(BPF_FUNC_get_prandom_u32), IF(JNE, 0, 5, 2), MOV(0, 0), EXIT
#define ODD_4 ODD, ODD, ODD, ODD
static const struct bpf_insn too_odd[] = {
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1), EXIT,
	ODD_4, ODD_4, ODD_4, ODD_4, ODD_4, MOV(0, 1), EXIT,
};
static const struct bpf_insn too_odd_and_map[] = {
	LOAD(W, 6, 1, 4), INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 11), MOV(0, 0), IF(JEQ, 6, 3, 8),
	INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0), MAP(1, 6), COPY(2, 10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
	CALL(BPF_FUNC_map_lookup_elem), IF(JEQ, 0, 0, 1), LOAD(W, 0, 0, 0), EXIT,
	ODD_4, ODD_4, ODD_4, ODD_4, ODD_4, MOV(0, 1), EXIT,
};
/* Its verdict may be one that no function returns. */
static const struct bpf_insn too_odd_to_skip[] = {
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1), EXIT,
	MOV(1, -1), CALL(BPF_FUNC_set_retval), ODD_4, ODD_4, ODD_4, ODD_4, ODD_4, MOV(0, 1), EXIT,
};

static void test_odd_functions(void **state)
{
	(void)state;
	struct compiled c = compiled_of("default :allow\n");
	struct dump dump = {.insns = too_odd_to_skip, .ninsns = COUNT(too_odd_to_skip)};
	struct decoded out;
	CHECK(too_odd, virt_map, none_known);
	CHECK(too_odd_and_map, count_map, by_map);
	assert_int_equal(decode_program(c.arena, &c.diags, "it", &dump, c.pd.dg, c.policy->terms, 0, &out), -1);
	assert_non_null(strstr(c.diags.items[c.diags.n - 1].text, "more than 16 values"));
	compiled_free(&c);
}

static const struct bpf_insn facts[] = {
	CALL(BPF_FUNC_get_current_uid_gid), COPY(1, 0), INSN(BPF_ALU64 | BPF_RSH | BPF_K, 1, 0, 0, 32), INSN(BPF_ALU | BPF_MOV | BPF_X, 2, 0, 0, 0),
	MOV(0, 1), INSN(BPF_JMP32 | BPF_JEQ | BPF_K, 2, 0, 2, 0), IF(JEQ, 1, 2, 1), MOV(0, 0), EXIT,
};

static outcome root_or_group(const struct request *q)
{
	return q->fact[IN_UID] == 0 || q->fact[IN_GID] == 2 ? OUT_ALLOW : OUT_DENY;
}

static void test_functions(void **state)
{
	(void)state;
	CHECK(functions, virt_map, either);
	CHECK(nested, virt_map, either);
	CHECK(shared_end, virt_map, either);
	CHECK(loop_in_function, virt_map, none_known);
	CHECK(facts, virt_map, root_or_group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compiled),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_odd_functions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
