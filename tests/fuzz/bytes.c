/*
 * bytes.c - what the compiler reads back: objects, policy sections, lines.
 *
 * Sums are put right before the bytes are read: anybody can do that, and what lies behind
 * them must hold by itself.
 */
#include "tests/fuzz/fuzz.h"

#include <elf.h>
#include <string.h>

#include "compiler/object/internal.h"

static void put(unsigned char *at, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		at[i] = (unsigned char)(v >> 8 * i);
}

static uint64_t get(const unsigned char *at, int size)
{
	uint64_t v = 0;
	for (int i = 0; i < size; i++)
		v |= (uint64_t)at[i] << 8 * i;
	return v;
}

/* The sums of a policy section; its digest, 0 when it has none. */
static uint64_t mend_section(unsigned char *at, size_t len)
{
	enum { DIGEST = 8, BODY = 16, AROUND = SERIAL_HEADER_SIZE + SERIAL_CHECK_SIZE };
	if (len < AROUND || get(at, 4) != SERIAL_MAGIC || get(at + BODY, 4) > len - AROUND)
		return 0;
	uint64_t digest = serial_digest(at + SERIAL_HEADER_SIZE, get(at + BODY, 4));
	put(at + DIGEST, digest);
	put(at + len - SERIAL_CHECK_SIZE, serial_digest(at, len - SERIAL_CHECK_SIZE));
	return digest;
}

/* Those of an object's policy, and the digest in its .rodata. */
static void mend_object(unsigned char *data, size_t len)
{
	Elf64_Ehdr eh;
	uint64_t digest = 0;
	memcpy(&eh, data, len < sizeof eh ? 0 : sizeof eh);
	if (len < sizeof eh || eh.e_shoff > len)
		return;
	for (int rodata = 0; rodata < 2; rodata++)
		for (size_t i = 0; i < eh.e_shnum && (i + 1) * sizeof(Elf64_Shdr) <= len - eh.e_shoff; i++) {
			Elf64_Shdr sh;
			memcpy(&sh, data + eh.e_shoff + i * sizeof sh, sizeof sh);
			if (sh.sh_offset > len || sh.sh_size > len - sh.sh_offset)
				continue;
			unsigned char *at = data + sh.sh_offset;
			if (!rodata && !digest)
				digest = mend_section(at, sh.sh_size);
			else if (rodata && sh.sh_size >= sizeof(struct image_header) && get(at, 8) == IMAGE_MAGIC)
				put(at + offsetof(struct image_header, digest), digest);
		}
}

/* What was read and proven is written, and read again. */
static void again(struct fuzz *f, struct policy *p, const struct image *image)
{
	struct bytes object;
	struct policy *q;
	struct image program;
	MUST(!object_write(p, image, &f->diags, &object));
	MUST(!object_read(f->arena, &f->diags, "fuzz.o", object.data, object.len, &q, &program));
	MUST(q->nrules == p->nrules && program.ninsns == image->ninsns);
}

/* Reads nothing but instructions that were checked. */
static void simulated(const struct policy *p, const struct image *image)
{
	const struct request r = {.type = DEV_CHAR, .major = 1, .minor = 3, .access = ACC_READ, .known = UINT32_MAX};
	struct simulated out;
	const char *why = NULL;
	int missing = -1;
	MUST(!simulate(p, image, &r, &out, &missing, &why) || missing >= 0 || why);
}

static void proven(struct fuzz *f, struct policy *p, struct image *image)
{
	struct policy_diagram pd;
	simulated(p, image);
	if (prove_image(p, &f->diags, &pd, image))
		MUST(f->diags.errors);
	else
		again(f, p, image);
}

void fuzz_object(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct policy *p;
	struct image image;
	mend_object((unsigned char *)data, len);
	if (object_read(f->arena, &f->diags, "fuzz.o", data, len, &p, &image))
		MUST(f->diags.errors);
	else
		proven(f, p, &image);
}

void fuzz_section(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct policy *p, *q;
	uint64_t digest, same;
	struct buffer first = {.arena = f->arena}, second = {.arena = f->arena};
	struct policy_diagram pd;
	struct image image;
	mend_section((unsigned char *)data, len);
	if (serial_read(f->arena, &f->diags, "fuzz.o", data, len, &p, &digest)) {
		MUST(f->diags.errors);
		return;
	}
	MUST(!serial_write(p, &f->diags, &first, &digest));
	MUST(!serial_read(f->arena, &f->diags, "fuzz.o", first.data, first.n, &q, &same) && same == digest);
	MUST(!serial_write(q, &f->diags, &second, &same) && same == digest);
	MUST(first.n == second.n && !memcmp(first.data, second.data, first.n));
	if (compile_policy(p, &f->diags, &pd, &image))
		MUST(f->diags.errors);
}

void fuzz_lines(struct fuzz *f, const unsigned char *data, size_t len)
{
	enum { INSNS = 64 };
	bool starts[INSNS];
	struct image image = {.ninsns = INSNS};
	const char *why = NULL;
	struct rule rules[2] = {{.at = {.file = "fuzz.rb", .line = 1}}, {.at = {.file = "lib/x.rb", .line = 2}}};
	const struct policy p = {.arena = f->arena, .file = "fuzz.rb", .rules = rules, .nrules = 2};
	size_t types = len ? data[len - 1] % len : 0; /* bytes of .BTF, which lines name files by */
	for (size_t i = 0; i < INSNS; i++)
		starts[i] = i % 7 != 6;
	if (btf_read_lines(f->arena, &p, data + len - types, types, data, len, len ? data[0] % 3 : 0, starts, INSNS, &image, &why)) {
		MUST(why);
		return;
	}
	for (size_t i = 0; i < image.nlines; i++)
		MUST(image.lines[i].insn < INSNS && starts[image.lines[i].insn] && image.lines[i].line >= 0 &&
		     image.lines[i].file <= p.nrules &&
		     (!i || image.lines[i - 1].insn < image.lines[i].insn));
}
