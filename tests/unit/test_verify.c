/*
 * The proof catches every changed instruction that changes a verdict: each bit
 * of each field of each instruction is flipped; a flipped program that verifies
 * must decide every sampled request as the policy does.
 */
#include "tests/unit/compiled.h"

#include <linux/bpf.h>

static const char container[] =
	"allow 'a *:* m'\nallow :null, :zero, :full, :random, :urandom, :tty, :console, :ptmx, :pts\n";
static const char callers[] =
	"P = [[1, 3], [10, 229]]\n"
	"allow { |c| P.include?([c.major, c.minor]) && c.uid == 0 }\n"
	"deny { |c| (c.minor - 300) / 7 == c.major - 50 }\n"
	"allow { |c| c.comm.start_with?('qemu') && c.read? }\n";

static struct request request_of(int type, int access, int64_t major, int64_t minor, int64_t uid)
{
	struct request r = {.type = type, .access = access, .major = major, .minor = minor};
	r.known = ~0u;
	r.fact[IN_UID] = uid;
	memcpy(&r.fact[IN_COMM_0], "qemu-kvm", 8);
	return r;
}

/* Does the program decide every sampled request as the diagram does? */
static bool same_verdicts(const struct compiled *c, const struct image *image)
{
	static const int64_t majors[] = {0, 1, 4, 5, 6, 10, 49, 50, 51, 136, 137, 4095};
	static const int64_t minors[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 229, 293, 300, 307, 1048575};
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (int access = 0; access <= ACC_ALL; access++)
			for (size_t i = 0; i < COUNT(majors); i++)
				for (size_t k = 0; k < COUNT(minors); k++)
					for (int64_t uid = 0; uid < 2; uid++) {
						struct request r = request_of(type, access, majors[i], minors[k], uid);
						struct decision d;
						bool allow = false;
						unsigned steps;
						int missing;
						const char *why;
						policy_decide(c->policy, &c->pd, &r, &d, &missing);
						if (simulate(c->policy, image, &r, &allow, &steps, &missing, &why) ||
						    allow != d.allow)
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
	assert_true(same_verdicts(&c, &c.image));
	memcpy(bytes, c.image.insns, size);
	damaged.insns = bytes;
	for (size_t bit = 0; bit < size * 8; bit++) {
		struct diags quiet;
		diags_init(&quiet, c.arena);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (verify_image(c.policy, &quiet, &c.pd, &damaged) == 0) {
			assert_true(same_verdicts(&c, &damaged));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flips_of_devices),
		cmocka_unit_test(flips_of_callers),
		cmocka_unit_test(another_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
