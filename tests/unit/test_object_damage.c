/*
 * test_object_damage.c - no foreign, cut, flipped or forged object gets through
 * the reader unnoticed, or harms it.
 */
#include "tests/unit/object_sample.h"

static void refused(const void *data, size_t len, const char *text)
{
	struct setup s = begin();
	struct diags *d = diags_of(&s);
	struct policy *p;
	struct image img;
	assert_int_equal(object_read(s.arena, d, "x.o", data, len, &p, &img), -1);
	assert_non_null(strstr(d->items[0].text, text));
	arena_free(s.arena);
}

static void test_foreign(void **state)
{
	(void)state;
	struct setup s = begin();
	struct bytes o = write_object(s.arena, sample(s.arena), &image);
	unsigned char *copy = arena_alloc(s.arena, o.len);
	Elf64_Ehdr *eh = (void *)copy;
	refused("", 0, "no ELF");
	refused("allow :null\n", 12, "no ELF");
	refused(o.data, 20, "cut off");
	memcpy(copy, o.data, o.len);
	eh->e_machine = EM_X86_64;
	refused(copy, o.len, "no BPF object");
	eh->e_machine = EM_BPF;
	eh->e_ident[EI_DATA] = ELFDATA2MSB;
	refused(copy, o.len, "no BPF object");
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = ET_EXEC;
	refused(copy, o.len, "not relocatable");
	memcpy(copy, o.data, o.len);
	char *name = memmem(copy, o.len, ".devguard", 10);
	assert_non_null(name);
	name[8] = 'X';
	refused(copy, o.len, "not made by rucy-devguard");
	memcpy(copy, o.data, o.len);
	copy[section(o, ".rodata").data - o.data + sizeof(struct image_header)] ^= 1;
	refused(copy, o.len, "a parameter's value differs");
	copy[section(o, ".devguard").data - o.data + 4] ^= 4;
	refused(copy, o.len, ".devguard");
	arena_free(s.arena);
}

/* Is byte i one of the header in .rodata that the policy decides? The tool's version and the
 * kernel's features are not. */
static bool in_header(struct bytes o, size_t i)
{
	struct bytes rodata = section(o, ".rodata");
	size_t at = i - (size_t)(rodata.data - o.data);
	return i >= (size_t)(rodata.data - o.data) &&
	       (at < offsetof(struct image_header, tool) ||
	        (at >= offsetof(struct image_header, nrules) && at < offsetof(struct image_header, features)));
}

static void test_damage(void **state)
{
	(void)state;
	struct setup s = begin();
	struct bytes o = write_object(s.arena, sample(s.arena), &image),
		     p = section(o, ".devguard");
	size_t begins = (size_t)(p.data - o.data);
	for (size_t n = 0; n < o.len; n++) {
		/* of its own size, so that a read past the end is seen */
		unsigned char *cut = malloc(n ? n : 1);
		memcpy(cut, o.data, n);
		assert_int_equal(try_read(cut, n), -1);
		free(cut);
	}
	unsigned char *copy = malloc(o.len);
	memcpy(copy, o.data, o.len);
	for (size_t i = 0; i < o.len; i++)
		for (int bit = 0; bit < 8; bit += i < sizeof(Elf64_Ehdr) ? 1 : 3) {
			copy[i] ^= (unsigned char)(1 << bit);
			int result = try_read(copy, o.len);
			bool checked = (i >= begins && i < begins + p.len) || in_header(o, i);
			if (checked)
				assert_int_equal(result, -1);
			copy[i] = o.data[i];
		}
	free(copy);
	arena_free(s.arena);
}

static void put_u64(unsigned char *at, uint64_t v)
{
	memcpy(at, &v, sizeof v);
}

/* Damage that carries right check sums must be survived too. */
static void test_forged(void **state)
{
	(void)state;
	struct setup s = begin();
	struct bytes o = write_object(s.arena, sample(s.arena), &image),
		     p = section(o, ".devguard");
	size_t body = p.len - SERIAL_HEADER_SIZE - 2 * 8 - SERIAL_CHECK_SIZE, accepted = 0;
	uint64_t seed = 7, digest;
	unsigned char *copy = malloc(p.len);
	for (int i = 0; i < 20000; i++) {
		memcpy(copy, p.data, p.len);
		for (int k = 0; k < 1 + i % 3; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			copy[SERIAL_HEADER_SIZE + (seed >> 40) % (body + 16)] =
				(unsigned char)(seed >> 32);
		}
		put_u64(copy + 8, serial_digest(copy + SERIAL_HEADER_SIZE, body));
		put_u64(copy + p.len - SERIAL_CHECK_SIZE,
		        serial_digest(copy, p.len - SERIAL_CHECK_SIZE));
		struct setup t = begin();
		struct policy *q = NULL;
		int result = serial_read(t.arena, diags_of(&t), "x.o", copy, p.len, &q, &digest);
		assert_int_equal(result ? 1 : 0, t.d.errors);
		accepted += !result;
		arena_free(t.arena);
	}
	assert_in_range(accepted, 1, 19999); /* the sums were right, the rest was looked at */
	free(copy);
	arena_free(s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_forged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
