/*
 * The proof catches every changed instruction that changes a verdict: each bit
 * of each field of each instruction is flipped; a flipped program that verifies
 * must decide every sampled request as the policy does.
 */
#include "tests/unit/compiled.h"
#include "policy/budget.h"
#include "policy/manifest/manifest.h"

#include <linux/bpf.h>

static const char container[] =
	"allow 'a *:* m'\nallow :null, :zero, :full, :random, :urandom, :tty, :console, :ptmx, :pts\n";
static const char callers[] =
	"P = [[1, 3], [10, 229]]\n"
	"allow { |c| P.include?([c.major, c.minor]) && c.uid == 0 }\n"
	"deny { |c| (c.minor - 300) / 7 == c.major - 50 }\n"
	"allow { |c| c.comm.start_with?('qemu') && c.read? }\n";

/* More cases than a diagram splits, each kind of condition, and more values than registers. */
static const char choosing[] =
	"allow { |c| x = c.minor\n"
	" x = x > c.major + 2 ? x - 1 : x + 3\n"
	" x = x == c.major ? 7 - x : x + 5\n"
	" x = x != 9 && x > c.major ? x / 3 : -x\n"
	" x = c.minor - c.cgroup_id < c.cgroup_id ? x : 4\n"
	" y = x ^ c.minor; z = x * 3 - c.major; v = x + 2\n"
	" (x + y) * (z - v) - (x - z) * (y + v) == (y - x) * v }\n";

static struct request request_of(int type, int access, int64_t major, int64_t minor, int64_t uid)
{
	struct request r = {.type = type, .access = access, .major = major, .minor = minor};
	r.known = ~(input_set)0;
	r.fact[IN_UID] = uid;
	r.fact[IN_CGROUP_ID] = 3 + 40 * uid;
	memcpy(&r.fact[IN_COMM_0], "qemu-kvm", 8);
	return r;
}

/* The access whose verdict is the request's: the first denied one, else the first. */
static int deciding_access(const struct compiled *c, const struct request *r)
{
	int first = 0, missing;
	for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
		int64_t in[INPUT_MAX];
		if (!(r->access & bit))
			continue;
		memcpy(in, r->fact, sizeof in);
		in[IN_TYPE] = r->type;
		in[IN_REQUESTED] = r->access;
		in[IN_ACCESS] = bit;
		in[IN_MAJOR] = r->major;
		in[IN_MINOR] = r->minor;
		outcome o = diagram_eval(c->pd.dg, c->pd.access, in, ~(input_set)0, &missing);
		if (OUTCOME_KIND(o) != OUT_ALLOW)
			return bit;
		first = first ? first : bit;
	}
	return first;
}

static bool same_report(const struct compiled *c, const struct request *r, const struct decision *d,
                        const struct simulated *out)
{
	const struct policy *p = c->policy;
	bool wanted = p->audit == AUDIT_ALL || (p->audit == AUDIT_DENIED && !d->allow);
	uint32_t rule = d->rule ? (uint32_t)(d->rule - p->rules) + 1 : 0;
	if (out->error != (d->rule && !d->allow && !d->error ? d->rule->error : 0) || out->reported != wanted)
		return false;
	if (!wanted)
		return true;
	const struct event *e = &out->event;
	return e->rule == rule && e->decided == deciding_access(c, r) && e->requested == r->access &&
	       e->verdict == d->allow && !!(e->flags & EVENT_ERROR) == d->error && e->tally == 1 &&
	       e->type == r->type && e->major == r->major && e->minor == r->minor && e->size == sizeof *e &&
	       e->uid == r->fact[IN_UID] && out->key.rule == rule && out->key.decided == e->decided &&
	       !memcmp(e->comm, &r->fact[IN_COMM_0], sizeof e->comm) && e->pid == r->fact[IN_PID];
}

/* Does the program decide every sampled request as the diagram does? */
static bool same_verdicts(const struct compiled *c, const struct image *image, size_t every)
{
	static const int64_t majors[] = {0, 1, 4, 5, 6, 10, 49, 50, 51, 136, 137, 4095};
	static const int64_t minors[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 229, 293, 300, 307, 1048575};
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (int access = 0; access <= ACC_ALL; access++)
			for (size_t i = 0; i < COUNT(majors); i += every)
				for (size_t k = 0; k < COUNT(minors); k += every)
					for (int64_t uid = 0; uid < 2; uid++) {
						struct request r = request_of(type, access, majors[i], minors[k], uid);
						struct decision d;
						struct simulated out;
						int missing;
						const char *why;
						policy_decide(c->policy, &c->pd, &r, &d, &missing);
						if (simulate(c->policy, image, &r, &out, &missing, &why) ||
						    out.allow != d.allow || !same_report(c, &r, &d, &out))
							return false;
					}
	return true;
}

static void flip_all(const char *text)
{
	struct compiled c = compiled_of(text);
	size_t size = c.image.ninsns * sizeof(struct bpf_insn), caught = 0, harmless = 0;
	unsigned char *bytes = malloc(size);
	struct image damaged = c.image;
	size_t every = policy_has_tail(c.policy) ? 3 : 1; /* a record costs time */
	assert_true(same_verdicts(&c, &c.image, 1));
	memcpy(bytes, c.image.insns, size);
	damaged.insns = bytes;
	for (size_t bit = 0; bit < size * 8; bit++) {
		struct diags quiet;
		diags_init(&quiet, c.arena);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (verify_image(c.policy, &quiet, &c.pd, &damaged) == 0) {
			assert_true(same_verdicts(&c, &damaged, every));
			harmless++;
		} else {
			caught++;
		}
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_true(caught > harmless); /* bits of unused fields are harmless */
	free(bytes);
	compiled_free(&c);
}

static const char reports[] =
	"audit :denied\nallow :null, access: 'r'\nallow :null, access: 'w'\ndeny 'c 1:*', errno: :ENODEV\n"
	"deny(errno: :ENOENT, label: 'low') { |c| c.minor < 3 && c.uid == 1 }\n"
	"allow { |c| c.major / (c.minor - 4) > 3 }\n";
static const char reports_all[] =
	"audit :all\nallow 'c 1:3 rw'\nallow { |c| c.read? && c.uid == 0 }\ndeny 'c 10:* w'\ndefault :allow\n";
static const char errnos[] = "default :allow\ndeny 'c 1:3', errno: :ENODEV\ndeny 'c 5:* w'\n";
static const char permissive[] = "mode :permissive\naudit :none\nallow 'c 1:3 rw'\n";

static void flips_of_reports(void **state)
{
	(void)state;
	flip_all(reports);
	flip_all(reports_all);
	flip_all(errnos);
	flip_all(permissive);
}

/* An allowed request costs the same whether denials are reported or not. */
static void reports_cost_denials_only(void **state)
{
	static const char *const policies[] = {container, callers};
	(void)state;
	for (size_t k = 0; k < COUNT(policies); k++) {
		struct compiled quiet = compiled_of(policies[k]), loud;
		loud = compiled_of(arena_printf(quiet.arena, "audit :denied\n%s", policies[k]));
		size_t allowed = 0;
		for (int64_t major = 0; major < 140; major++)
			for (int64_t minor = 0; minor < 310; minor++)
				for (int access = 0; access <= ACC_ALL; access++) {
					struct request r = request_of(DEV_CHAR, access, major, minor, 0);
					struct simulated a, b;
					int missing;
					const char *why;
					assert_int_equal(simulate(quiet.policy, &quiet.image, &r, &a, &missing, &why), 0);
					assert_int_equal(simulate(loud.policy, &loud.image, &r, &b, &missing, &why), 0);
					assert_int_equal(a.allow, b.allow);
					allowed += a.allow;
					if (a.allow)
						assert_int_equal(a.steps, b.steps);
				}
		assert_true(allowed > 100);
		compiled_free(&loud);
		compiled_free(&quiet);
	}
}

static void flips_of_devices(void **state)
{
	(void)state;
	flip_all(container);
}

static void flips_of_callers(void **state)
{
	(void)state;
	flip_all(callers);
}

static size_t count_code(const struct image *image, uint8_t code)
{
	const struct bpf_insn *in = image->insns;
	size_t n = 0;
	for (size_t i = 0; i < image->ninsns; i++)
		n += in[i].code == code;
	return n;
}

static void flips_of_choices(void **state)
{
	(void)state;
	struct compiled c = compiled_of(choosing);
	assert_true(count_code(&c.image, BPF_ALU64 | BPF_RSH | BPF_K) > 5);  /* flags */
	assert_true(count_code(&c.image, BPF_STX | BPF_MEM | BPF_DW) > 1); /* the cgroup id, and spills */
	compiled_free(&c);
	flip_all(choosing);
}

/* What is kept on the stack is kept whole: another store is refused, also where no request of a
 * sample would tell. */
static void stores_are_whole(void **state)
{
	static const uint8_t others[] = {BPF_STX | BPF_MEM | BPF_W, BPF_STX | BPF_MEM | BPF_H, BPF_STX | BPF_MEM | BPF_B,
	                                 BPF_STX | BPF_ATOMIC | BPF_DW, BPF_ST | BPF_MEM | BPF_DW};
	(void)state;
	struct compiled c = compiled_of(choosing);
	size_t size = c.image.ninsns * sizeof(struct bpf_insn), seen = 0;
	struct bpf_insn *code = arena_alloc(c.arena, size);
	struct image damaged = c.image;
	memcpy(code, c.image.insns, size);
	damaged.insns = code;
	for (size_t i = 0; i < c.image.ninsns; i++) {
		if (code[i].code != (BPF_STX | BPF_MEM | BPF_DW))
			continue;
		seen++;
		for (size_t k = 0; k < COUNT(others); k++) {
			code[i].code = others[k];
			assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &damaged), -1);
		}
		code[i].code = BPF_STX | BPF_MEM | BPF_DW;
	}
	assert_true(seen > 1);
	assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &damaged), 0);
	compiled_free(&c);
}

/* There are eleven registers. */
static void registers(void **state)
{
	(void)state;
	struct compiled c = compiled_of("allow 'c 1:3 rw'\n");
	size_t size = c.image.ninsns * sizeof(struct bpf_insn), jumps = 0;
	struct bpf_insn *code = arena_alloc(c.arena, size);
	struct image damaged = c.image;
	memcpy(code, c.image.insns, size);
	damaged.insns = code;
	for (size_t i = 0; i < c.image.ninsns; i++) {
		struct bpf_insn kept = code[i];
		bool jump = (BPF_CLASS(kept.code) == BPF_JMP || BPF_CLASS(kept.code) == BPF_JMP32) && BPF_OP(kept.code) != BPF_JA &&
		            BPF_OP(kept.code) != BPF_EXIT;
		for (int source = 0; jump && source < 2; source++) {
			code[i].dst_reg = source ? kept.dst_reg : 11;
			code[i].src_reg = source ? 11 : kept.src_reg;
			assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &damaged), -1);
			assert_non_null(strstr(c.diags.items[c.diags.n - 1].text, "unknown operand"));
			code[i] = kept;
		}
		jumps += jump;
	}
	assert_true(jumps > 1);
	compiled_free(&c);
}

/* A choice jumps nowhere, and a program grows with the lines, not with their paths. */
static void choices_are_linear(void **state)
{
	size_t insns[2], jumps[2];
	(void)state;
	for (int k = 0; k < 2; k++) {
		char text[8192], *at = text + sprintf(text, "allow { |c| x = c.minor\n");
		for (int i = 0; i < 40 << k; i++)
			at += sprintf(at, " x = x > c.major + %d ? x - %d : x + %d\n", 3 * i, i + 1, 2 * i + 1);
		sprintf(at, " x == 5 }\n");
		struct compiled c = compiled_of(text);
		const struct bpf_insn *in = c.image.insns;
		insns[k] = c.image.ninsns;
		jumps[k] = 0;
		for (size_t i = 0; i < c.image.ninsns; i++)
			jumps[k] += BPF_CLASS(in[i].code) == BPF_JMP || BPF_CLASS(in[i].code) == BPF_JMP32;
		compiled_free(&c);
	}
	assert_true(insns[0] < 1000 && insns[1] < 2 * insns[0]);
	assert_int_equal(jumps[0], jumps[1]);
}

/* A program too long for 16-bit jumps: the same verdicts, proven, also read back from an
 * object; and a long jump that goes elsewhere is caught. */
static void long_jumps(void **state)
{
	enum { RULES = 9000 };
	char *text = malloc(RULES * 32), *end = text;
	uint32_t x = 7, majors[RULES], minors[RULES];
	(void)state;
	for (size_t i = 0; i < RULES; i++) {
		majors[i] = (x = x * 1103515245 + 12345) >> 20;
		minors[i] = (x = x * 1103515245 + 12345) >> 12;
		end += sprintf(end, "allow 'c %u:%u rw'\n", majors[i], minors[i]);
	}
	struct compiled c = compiled_of(text);
	assert_true(image_jumps_far(&c.image));
	for (size_t i = 0; i < RULES; i++)
		for (int64_t away = 0; away < 2; away++) {
			struct request r = request_of(DEV_CHAR, ACC_READ, majors[i], (minors[i] + away) & MINOR_MAX, 0);
			struct simulated out;
			struct decision d;
			int missing;
			const char *why;
			assert_int_equal(policy_decide(c.policy, &c.pd, &r, &d, &missing), 0);
			assert_int_equal(simulate(c.policy, &c.image, &r, &out, &missing, &why), 0);
			assert_int_equal(out.allow, d.allow);
			assert_true(away || d.allow);
		}
	struct bytes object;
	struct policy *p;
	struct image image;
	struct policy_diagram pd;
	assert_int_equal(object_write(c.policy, &c.image, &c.diags, &object), 0);
	assert_int_equal(object_read(c.arena, &c.diags, "x.o", object.data, object.len, &p, &image), 0);
	assert_int_equal(image.longest, c.image.longest);
	assert_int_equal(policy_diagram(p, &c.diags, ORDER_FACTS_LAST, &pd), 0);
	assert_int_equal(verify_image(p, &c.diags, &pd, &image), 0);
	struct bpf_insn *code = (struct bpf_insn *)image.insns;
	size_t far = 0;
	while (code[far].code != (BPF_JMP32 | BPF_JA))
		far++;
	code[far].imm += 3;
	assert_int_equal(verify_image(p, &c.diags, &pd, &image), -1);
	compiled_free(&c);
	free(text);
}

/* What reports must use the maps that are for it: each of them, at its instruction. */
static void maps_of_the_tail(void **state)
{
	(void)state;
	struct compiled c = compiled_of(reports);
	struct image damaged = c.image;
	struct image_reloc *relocs = arena_alloc(c.arena, c.image.nrelocs * sizeof *relocs);
	size_t seen = 0;
	memcpy(relocs, c.image.relocs, c.image.nrelocs * sizeof *relocs);
	damaged.relocs = relocs;
	for (size_t i = 0; i < c.image.nrelocs; i++) {
		struct image_reloc kept = relocs[i];
		if (kept.insn < c.image.tail)
			continue;
		seen++;
		for (int insn = 0; insn < 2; insn++) {
			if (insn)
				relocs[i].insn++;
			else
				relocs[i].target++;
			assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &damaged), -1);
			assert_non_null(strstr(c.diags.items[c.diags.n - 1].text, "its tail uses other maps"));
			relocs[i] = kept;
		}
	}
	assert_true(seen > 3);
	damaged.nrelocs--;
	assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &damaged), -1);
	damaged.nrelocs++;
	assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &damaged), 0);
	compiled_free(&c);
}

/* Leaving out the last rule is another policy: its program is refused. */
static void another_policy(void **state)
{
	(void)state;
	struct compiled a = compiled_of("allow :null\nallow :zero\n"), b = compiled_of("allow :null\n");
	assert_int_equal(verify_image(a.policy, &a.diags, &a.pd, &b.image), -1);
	assert_non_null(strstr(a.diags.items[a.diags.n - 1].text, "does not mean"));
	compiled_free(&a);
	compiled_free(&b);
}

/* The first comparison of several inputs is told as such: no request shows how it is answered. */
static void another_comparison(void **state)
{
	(void)state;
	struct compiled a = compiled_of("allow { |c| c.major == c.minor }\n"), b = compiled_of("allow { |c| c.major != c.minor }\n");
	assert_int_equal(verify_image(a.policy, &a.diags, &a.pd, &b.image), -1);
	assert_non_null(strstr(a.diags.items[a.diags.n - 1].text, "(in some case of a comparison of several inputs)"));
	compiled_free(&a);
	compiled_free(&b);
}

/* When its time ends, the proof can say at which line it is: backwards, so at the first last. */
static void line_is_told(void **state)
{
	(void)state;
	struct compiled c = compiled_of("\nallow 'c 1:3'\n\ndeny 'c 9:9'\ndefault :allow\n");
	struct progress progress = {.line = 0};
	struct budget budget = {.limit = SIZE_MAX, .progress = &progress};
	arena_charge(c.arena, &budget);
	assert_int_equal(verify_image(c.policy, &c.diags, &c.pd, &c.image), 0);
	assert_int_equal(progress.stage, STAGE_PROVE);
	assert_int_equal(progress.line, c.image.lines[0].line);
	assert_true(progress.line > 0);
	arena_charge(c.arena, NULL);
	compiled_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flips_of_devices),
		cmocka_unit_test(flips_of_callers),
		cmocka_unit_test(flips_of_choices),
		cmocka_unit_test(stores_are_whole),
		cmocka_unit_test(registers),
		cmocka_unit_test(choices_are_linear),
		cmocka_unit_test(flips_of_reports),
		cmocka_unit_test(reports_cost_denials_only),
		cmocka_unit_test(another_policy), cmocka_unit_test(another_comparison),
		cmocka_unit_test(maps_of_the_tail),
		cmocka_unit_test(long_jumps),
		cmocka_unit_test(line_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
