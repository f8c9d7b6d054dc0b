/* policy.c - policy text: run, lifted, compiled, and what was made of it read back. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "compiler/compiler.h"

/* The child that proves gets it as bytes, and makes the same program of it. */
static void sent(struct fuzz *f, struct policy *p, const struct image *image)
{
	struct bytes object;
	struct policy *again;
	struct image program;
	struct policy_diagram pd;
	uint64_t digest;
	MUST(!serial_keep(p, &f->diags));
	MUST(!serial_read(f->arena, &f->diags, "fuzz.rb", p->serial.data, p->serial.len, &again, &digest));
	MUST(!compile_policy(again, &f->diags, &pd, &program));
	MUST(program.ninsns == image->ninsns &&
	     !memcmp(program.insns, image->insns, image->ninsns * sizeof *image->insns));
	MUST(!object_write(again, &program, &f->diags, &object));
	MUST(!object_read(f->arena, &f->diags, "fuzz.o", object.data, object.len, &again, &program));
	MUST(!prove_image(again, &f->diags, &pd, &program));
}

/* Requests of every kind, with every fact. */
static const struct request requests[] = {
	{.type = DEV_CHAR, .major = 1, .minor = 3, .access = ACC_READ | ACC_WRITE},
	{.type = DEV_BLOCK, .major = 8, .minor = 0, .access = ACC_READ},
	{.type = DEV_CHAR, .major = 195, .minor = 2, .access = ACC_WRITE, .fact = {[IN_UID] = 1000, [IN_GID] = 3}},
	{.type = DEV_CHAR, .major = 10, .minor = 200, .access = ACC_MKNOD, .fact = {[IN_PID] = 7, [IN_UPTIME] = 59}},
	{.type = DEV_BLOCK, .major = 253, .minor = 1048575, .access = ACC_ALL, .fact = {[IN_UID] = UINT32_MAX}},
	{.type = DEV_CHAR, .major = 5, .minor = 1, .fact = {[IN_COMM_0] = 0x756d6571, [IN_TID] = 1}},
};

/* The engines agree, also on the rule: what mruby says is what the policy means. */
static void same_verdict(struct ruby *ruby, struct policy *p, const struct policy_diagram *pd,
                         const struct image *image, struct request r)
{
	struct decision said, d;
	struct simulated s;
	const char *why = NULL;
	int missing = -1;
	for (enum input in = IN_UID; in < IN_PARAM_0; in++)
		r.known |= 1u << in;
	for (size_t i = 0; i < p->nparams; i++)
		r.fact[IN_PARAM_0 + i] = p->params[i].value;
	MUST(!ruby_decide(ruby, p, &r, &said, &missing));
	MUST(!policy_decide(p, pd, &r, &d, &missing));
	MUST(said.allow == d.allow && said.error == d.error && said.rule == d.rule);
	MUST(!simulate(p, image, &r, &s, &missing, &why) && s.allow == d.allow);
}

void fuzz_policy(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct ruby *ruby;
	struct policy *p;
	struct policy_diagram pd;
	struct image image;
	if (ruby_compile(f->arena, &f->diags, &fuzz_host, "fuzz.rb", (const char *)data, len, NULL, 0, &ruby, &p)) {
		fuzz_refused(f);
		return;
	}
	if (compile_policy(p, &f->diags, &pd, &image))
		fuzz_refused(f);
	else {
		sent(f, p, &image);
		for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
			same_verdict(ruby, p, &pd, &image, requests[i]);
	}
	ruby_close(ruby);
}
