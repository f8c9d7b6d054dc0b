/* policy.c - policy text: run, lifted, compiled, and what was made of it read back. */
#include "tests/fuzz/fuzz.h"

#include "compiler/compiler.h"

/* The child that proves gets it as bytes. */
static void packed(struct fuzz *f, struct policy *p, const struct image *image)
{
	struct bytes pack, object;
	struct policy *again;
	struct image program;
	struct policy_diagram pd;
	MUST(!pack_write(p, image, &f->diags, &pack));
	MUST(!pack_read(f->arena, &f->diags, "fuzz.rb", pack.data, pack.len, &again, &program));
	MUST(!prove_image(again, &f->diags, &pd, &program));
	MUST(!object_write(again, &program, &f->diags, &object));
	MUST(!object_read(f->arena, &f->diags, "fuzz.o", object.data, object.len, &again, &program));
	MUST(!prove_image(again, &f->diags, &pd, &program));
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
	if (emit_policy(p, &f->diags, &pd, &image))
		fuzz_refused(f);
	else
		packed(f, p, &image);
	ruby_close(ruby);
}
