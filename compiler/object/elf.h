/* elf.h - an ELF file of sections. */
#ifndef DEVGUARD_COMPILER_OBJECT_ELF_H
#define DEVGUARD_COMPILER_OBJECT_ELF_H

#include "compiler/object/internal.h"

#include <gelf.h>

/* ---- elf.c --------------------------------------------------------------------- */

struct section {
	const char *name;
	Elf64_Word type;
	Elf64_Xword flags;
	Elf_Type content;
	const void *data;
	size_t len, align, entsize;
	Elf64_Word link, info, name_offset;
};

/* The file of sections 1 to n - 1; 1 has the names of all. 0, or -1 with a diagnostic. */
int elf_make(const struct section *sections, size_t n, struct diags *d, struct bytes *out);

#endif
