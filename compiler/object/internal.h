/*
 * internal.h - what object.c, object_read.c, btf.c and serial*.c share.
 *
 * An object holds a policy twice: as the program the kernel runs (cgroup/dev or that of a raw program,
 * with .rodata and BTF) and as itself (.devguard), so that it can be read back
 * without its source.
 */
#ifndef DEVGUARD_COMPILER_OBJECT_INTERNAL_H
#define DEVGUARD_COMPILER_OBJECT_INTERNAL_H

#include "compiler/compiler.h"
#include "policy/raw.h"

#define OBJECT_POLICY_SECTION  ".devguard"

enum { OBJECT_PARAMS_MAX = INPUT_MAX - IN_PARAM_0 };

/* ---- serial_put.c ---------------------------------------------------------------------------- */

/* Bytes that grow in an arena. */
struct buffer {
	struct arena *arena;
	unsigned char *data;
	size_t n, cap;
};
/* Appends n bytes and returns where they begin. */
size_t buffer_put(struct buffer *b, const void *data, size_t n);

enum {
	SERIAL_MAGIC = 0x50474456, /* "VDGP" */
	SERIAL_VERSION = 6,     /* that asks for the calling task */
	SERIAL_WITH_MORE = 5,   /* of a raw program, or one with a user half */
	SERIAL_WITH_CLAIMS = 4, /* others are as they were before there was that, */
	SERIAL_RULES_ONLY = 3,  /* or claims */
	SERIAL_GRANTS = 1 << 7, /* beside the mode: policy.grants */
	SERIAL_VALUES = 1 << 16, /* inputs from here on are values of a raw program */
	SERIAL_HEADER_SIZE = 4 + 4 + 8 + 4,
	SERIAL_CHECK_SIZE = 8,
	SERIAL_TERMS_MAX = 4 << 20,
	SERIAL_BODY_MAX = 64 << 20,
};
uint64_t serial_digest(const void *data, size_t n);
/* May `op` have operands of these kinds? */
bool serial_operands_ok(enum term_op op, bool a_is_bool, bool b_is_bool);

/* ---- serial.c --------------------------------------------------------------------------------- */

/* The policy as bytes. *digest is of everything in it but the values of the
 * parameters. 0, or -1 with a diagnostic. */
int serial_write(const struct policy *p, struct diags *d, struct buffer *out, uint64_t *digest);

/* ---- serial_input.c ---------------------------------------------------------- */

/* An input's number in objects, and back: -1 for a number that none has. */
uint32_t serial_of_input(enum input in);
int serial_to_input(uint64_t number);

/* ---- object.c ----------------------------------------------------------------- */

/* The variables of .rodata, in the order of their offsets. */
enum variable_kind { VARIABLE_HEADER, VARIABLE_PARAM, VARIABLE_TEXT };
struct variable {
	enum variable_kind kind;
	const char *name; /* a C identifier, no two alike */
	uint32_t offset, size;
};
enum { VARIABLES_MAX = 1 + OBJECT_PARAMS_MAX + IMAGE_TEXTS + 1 /* the policy */ };

/* The name in struct image_header: cut to IMAGE_NAME_MAX - 1 bytes, not inside a
 * character, the rest zeros. */
void object_header_name(const char *policy_name, char out[IMAGE_NAME_MAX]);

/* The section of a policy's program, and what its license section says. */
const char *object_section(const struct policy *p);
const char *object_license(const struct policy *p);

/* The instructions that begin one: entry i is false for the second half of an
 * ldimm64. NULL when the last ldimm64 has no second half. */
const bool *object_insn_starts(struct arena *a, const void *insns, size_t ninsns);

/* ---- btf.c ------------------------------------------------------------------------ */

/* A map as libbpf makes it: of a program that reports (policy/maps.def), or of a raw program. */
struct map_definition {
	const char *name;
	uint32_t type, key_size, value_size, max_entries, flags; /* 0: left out */
	const struct raw_map *raw; /* its keys and values have types; NULL: they have sizes */
	uint32_t target;           /* enum image_target */
};
enum { MAP_FIELDS = 5 };
/* The maps of a policy's program in the order of `.maps`; with readers that ask who, that one too. */
const struct map_definition *object_maps(struct arena *a, const struct policy *p, bool asks_who, size_t *n);
/* Bytes of a map's definition in `.maps`: a pointer for each field. */
size_t map_definition_size(const struct map_definition *m);

/* ---- btf.c ---------------------------------------------------------------------- */

/* Of a .BTF.ext: its head, with readers; records; bits of the column behind the line. Of a text in .BTF. */
enum {
	EXT_HEADER = 24, EXT_HEADER_READERS = 32,
	RECORD_FUNC = 8, RECORD_LINE = 16, RECORD_FIELD = 16,
	LINE_BITS = 10, TEXT_MAX = 240,
};

struct text;
/* Types of the program and of .rodata (.BTF), and which policy line each
 * instruction comes from (.BTF.ext). 0, or -1 with a diagnostic. */
int btf_sections(const struct policy *p, const struct image *image, const struct text *text, const bool *starts,
                 const char *function, const struct variable *vars, size_t nvars,
                 const struct map_definition *maps, size_t nmaps, struct diags *d,
                 struct bytes *types, struct bytes *ext);
/* ---- btf_types.c ---------------------------------------------------------------- */

/* Copies text, cut to `size` with "...", so that it is safe on a terminal: control
 * bytes and what is no UTF-8 as \xNN; with `ascii`, all but ASCII as `?` (bpftool
 * prints other metadata as lists of numbers, and spoils backslashes). Returns out. */
char *btf_clean_text(char *out, size_t size, const char *text, bool ascii);

/* ---- btf_read.c ----------------------------------------------------------------- */

/* What an object has for readers in .BTF and .BTF.ext, held against what it would be given today. NULL, or what is wrong. */
const char *btf_check_text(struct arena *a, const struct text *text, struct bytes btf, struct bytes ext);
/* The lines of a .BTF.ext read back, their files by the names in .BTF, checked against the instructions; behind them are
 * those of so many readers. 0, or -1 with *why. */
int btf_read_lines(struct arena *a, const struct policy *p, const void *btf, size_t nbtf, const void *ext,
                   size_t len, size_t nreaders, const bool *starts, size_t ninsns, struct image *image, const char **why);

#endif
