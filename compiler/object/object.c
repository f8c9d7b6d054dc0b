/*
 * object.c - a policy and its program as the ELF object that libbpf loads.
 *
 * Needs an image whose instructions are complete but for the addresses of
 * parameters (image->relocs). Gives the same bytes for the same input: nothing
 * of the host, the time or addresses goes in. Linear in the policy and program.
 *
 * .rodata: struct image_header, the parameters as int64 variables in the order
 * of the policy, then bpf_metadata_* texts, which bpftool prints for a program, then the policy
 * as .devguard has it: so a program that runs still tells by which rule it decides.
 */
#include "compiler/object/internal.h"
#include "policy/file.h"
#include "policy/meaning.h"

#include <ctype.h>
#include <errno.h>
#include <gelf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "objects and their reader are little-endian");

/* ---- names ------------------------------------------------------------------------- */

enum { IDENTIFIER_MAX = 60 };

/* Any text as a C identifier: other characters become one `_` each. */
static const char *identifier(struct arena *a, const char *prefix, const char *text)
{
	char out[IDENTIFIER_MAX + 1];
	size_t n = (size_t)snprintf(out, sizeof out, "%s", prefix);
	if (!n && isdigit((unsigned char)*text))
		out[n++] = '_';
	for (const unsigned char *s = (const unsigned char *)text; *s && n < IDENTIFIER_MAX; s++)
		if ((*s & 0xc0) != 0x80) /* not inside a UTF-8 character */
			out[n++] = *s < 0x80 && isalnum(*s) ? (char)*s : '_';
	return arena_strndup(a, out, n);
}

void object_header_name(const char *policy_name, char out[IMAGE_NAME_MAX])
{
	size_t n = strnlen(policy_name, IMAGE_NAME_MAX);
	if (n == IMAGE_NAME_MAX)
		for (n--; n && ((unsigned char)policy_name[n] & 0xc0) == 0x80;)
			n--;
	memset(out, 0, IMAGE_NAME_MAX);
	memcpy(out, policy_name, n);
}

/* ---- .rodata ------------------------------------------------------------------------ */

struct rodata {
	struct buffer bytes;
	struct map_definition *maps; /* their names are taken too */
	size_t nmaps;
	struct variable vars[VARIABLES_MAX];
	size_t nvars;
};

static bool name_taken(const struct rodata *ro, const char *name)
{
	for (size_t i = 0; i < ro->nvars; i++)
		if (!strcmp(ro->vars[i].name, name))
			return true;
	for (size_t i = 0; i < ro->nmaps; i++)
		if (!strcmp(ro->maps[i].name, name))
			return true;
	return false;
}

/* An identifier that no variable has. */
static const char *free_name(const struct rodata *ro, const char *prefix, const char *text)
{
	struct arena *a = ro->bytes.arena;
	const char *base = identifier(a, prefix, text), *name = base;
	for (size_t i = ro->nvars; name_taken(ro, name); i++)
		name = arena_printf(a, "%s_%zu", base, i);
	return name;
}

/* The maps, with names that are identifiers. */
static void name_maps(struct rodata *ro, const struct policy *p)
{
	size_t n;
	const struct map_definition *maps = object_maps(ro->bytes.arena, p, &n);
	ro->maps = arena_alloc(ro->bytes.arena, n * sizeof *ro->maps);
	for (size_t i = 0; i < n; i++) {
		const char *name = maps[i].raw ? free_name(ro, "", maps[i].name) : maps[i].name;
		ro->maps[i] = maps[i];
		ro->maps[i].name = name;
		ro->nmaps++;
	}
}

static void add_variable(struct rodata *ro, enum variable_kind kind, const char *name,
                         const void *data, size_t size)
{
	size_t offset = buffer_put(&ro->bytes, data, size);
	ro->vars[ro->nvars++] = (struct variable){kind, name, (uint32_t)offset, (uint32_t)size};
}

static void add_metadata(struct rodata *ro, const char *name, const char *text)
{
	char clean[MEANING_MAX + 8];
	btf_clean_text(clean, sizeof clean, text, true);
	add_variable(ro, VARIABLE_TEXT, name, clean, strlen(clean) + 1);
}

static void make_rodata(struct rodata *ro, const struct policy *p, uint64_t digest, const struct buffer *whole)
{
	struct arena *a = ro->bytes.arena;
	struct image_header h = {.magic = IMAGE_MAGIC,
	                         .version = IMAGE_VERSION,
	                         .size = sizeof h,
	                         .tool = "",
	                         .nrules = (uint32_t)p->nrules,
	                         .nparams = (uint32_t)p->nparams,
	                         .digest = digest,
	                         .audit = p->audit,
	                         .mode = p->mode,
	                         .features = FEATURE_PID | FEATURE_COMM | (p->grants ? FEATURE_GRANTS : 0)};
	object_header_name(p->name ? p->name : "", h.name);
	snprintf(h.tool, sizeof h.tool, "%s", DEVGUARD_VERSION);
	add_variable(ro, VARIABLE_HEADER, "devguard_header", &h, sizeof h);
	for (size_t i = 0; i < p->nparams; i++)
		add_variable(ro, VARIABLE_PARAM, free_name(ro, "param_", p->params[i].name),
		             &p->params[i].value, sizeof p->params[i].value);
	const char *file = p->file ? p->file : "", *slash = strrchr(file, '/');
	add_metadata(ro, "bpf_metadata_policy", p->name ? p->name : "");
	add_metadata(ro, "bpf_metadata_tool", "rucy-devguard " DEVGUARD_VERSION);
	add_metadata(ro, "bpf_metadata_source", slash ? slash + 1 : file);
	add_metadata(ro, "bpf_metadata_rules", arena_printf(a, "%zu", p->nrules));
	add_metadata(ro, "bpf_metadata_digest",
	             arena_printf(a, "%016llx", (unsigned long long)digest));
	if (!p->meaning) /* the policy stands behind it */
		return;
	add_metadata(ro, "bpf_metadata_meaning", p->meaning);
	if (whole->n <= IMAGE_POLICY_MAX)
		add_variable(ro, VARIABLE_TEXT, free_name(ro, "devguard_policy", ""), whole->data, whole->n);
}

/* ---- instructions --------------------------------------------------------------------- */

const bool *object_insn_starts(struct arena *a, const void *insns, size_t ninsns)
{
	const struct bpf_insn *code = insns;
	bool *starts = arena_alloc(a, ninsns * sizeof *starts);
	for (size_t i = 0; i < ninsns; i++) {
		starts[i] = true;
		if (code[i].code == (BPF_LD | BPF_IMM | BPF_DW) && ++i == ninsns)
			return NULL;
	}
	return starts;
}

static int by_insn(const void *x, const void *y)
{
	const Elf64_Rel *a = x, *b = y;
	return a->r_offset < b->r_offset ? -1 : a->r_offset > b->r_offset;
}

/* Then one a variable of .rodata, the header first, then one a map. */
enum { SYMBOL_PROGRAM = 1, SYMBOL_VARIABLES = 2 };

/* The symbol of an address that the program uses; 0: there is none. */
static uint32_t symbol_of(const struct policy *p, const struct rodata *ro, uint32_t target)
{
	if (target < p->nparams)
		return SYMBOL_VARIABLES + 1 + target;
	if (target == TARGET_HEADER)
		return SYMBOL_VARIABLES;
	for (uint32_t i = 0; i < ro->nmaps; i++)
		if (ro->maps[i].target == target)
			return SYMBOL_VARIABLES + (uint32_t)ro->nvars + i;
	return 0;
}

/* The instructions and relocations as libbpf takes them: an ldimm64 of 0 and
 * the parameter's symbol. NULL when a relocation does not fit. */
static struct bpf_insn *relocatable(const struct policy *p, const struct image *image,
                                    const struct rodata *ro, const bool *starts, struct arena *a, Elf64_Rel *rels)
{
	struct bpf_insn *code = arena_alloc(a, image->ninsns * sizeof *code);
	memcpy(code, image->insns, image->ninsns * sizeof *code);
	for (size_t i = 0; i < image->nrelocs; i++) {
		struct image_reloc r = image->relocs[i];
		uint32_t symbol = symbol_of(p, ro, r.target);
		if (r.insn >= image->ninsns || !starts[r.insn] || !symbol ||
		    code[r.insn].code != (BPF_LD | BPF_IMM | BPF_DW))
			return NULL;
		code[r.insn].src_reg = 0;
		code[r.insn].imm = code[r.insn + 1].imm = 0;
		rels[i] = (Elf64_Rel){r.insn * sizeof *code,
		                      ELF64_R_INFO((uint64_t)symbol, R_BPF_64_64)};
	}
	qsort(rels, image->nrelocs, sizeof *rels, by_insn);
	return code;
}

/* ---- ELF ---------------------------------------------------------------------------------- */

enum { STRTAB = 1, LICENSE, PROGRAM, RODATA, BTF, BTF_EXT, POLICY, SYMTAB, RELOCS, MAPS,
       SECTIONS };

struct section {
	const char *name;
	Elf64_Word type;
	Elf64_Xword flags;
	Elf_Type content;
	const void *data;
	size_t len, align, entsize;
	Elf64_Word link, info, name_offset;
};

static Elf64_Word put_name(struct buffer *strings, const char *name)
{
	return (Elf64_Word)buffer_put(strings, name, strlen(name) + 1);
}

/* Everything is global: one null symbol, the program, the variables, the maps; where a program begins to decide that
 * does steps before. */
static Elf64_Sym *make_symbols(struct buffer *strings, const struct rodata *ro, const struct image *image,
                               const char *function, size_t code_size, size_t *n)
{
	size_t maps = SYMBOL_VARIABLES + ro->nvars, nmaps = ro->nmaps, offset = 0;
	bool marked = image->steps && image->steps < image->ninsns;
	*n = maps + nmaps + marked;
	Elf64_Sym *s = arena_alloc(strings->arena, *n * sizeof *s);
	if (marked)
		s[maps + nmaps] = (Elf64_Sym){.st_name = put_name(strings, "devguard_decides"),
		                              .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		                              .st_shndx = PROGRAM,
		                              .st_value = image->steps * sizeof(struct bpf_insn)};
	s[SYMBOL_PROGRAM] = (Elf64_Sym){.st_name = put_name(strings, function),
	                                .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
	                                .st_shndx = PROGRAM,
	                                .st_size = code_size};
	for (size_t i = 0; i < ro->nvars; i++)
		s[SYMBOL_VARIABLES + i] =
			(Elf64_Sym){.st_name = put_name(strings, ro->vars[i].name),
		                    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
		                    .st_shndx = RODATA,
		                    .st_value = ro->vars[i].offset,
		                    .st_size = ro->vars[i].size};
	for (size_t i = 0; i < nmaps; i++) {
		size_t size = map_definition_size(&ro->maps[i]);
		s[maps + i] = (Elf64_Sym){.st_name = put_name(strings, ro->maps[i].name),
		                          .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
		                          .st_shndx = MAPS,
		                          .st_value = offset,
		                          .st_size = size};
		offset += size;
	}
	return s;
}

/* Without memory libelf may give a section that is only half there, and says so only in
 * elf_errno(). */
static bool add_section(Elf *elf, const struct section *s)
{
	Elf_Scn *scn = elf_newscn(elf);
	if (!scn || elf_errno())
		return false;
	Elf_Data *data = elf_newdata(scn);
	Elf64_Shdr *sh = data ? elf64_getshdr(scn) : NULL;
	if (!sh)
		return false;
	data->d_buf = (void *)s->data; /* libelf only reads it */
	data->d_size = s->len;
	data->d_align = s->align;
	data->d_type = s->content;
	data->d_version = EV_CURRENT;
	sh->sh_name = s->name_offset;
	sh->sh_type = s->type;
	sh->sh_flags = s->flags;
	sh->sh_link = s->link;
	sh->sh_info = s->info;
	sh->sh_entsize = s->entsize;
	return true;
}

/* Lays the file out and writes it to fd; its size, or -1 with errno, or 0 there when only
 * libelf knows why. */
static int64_t write_elf(int fd, const struct section *sections, size_t n)
{
	int64_t size = -1;
	elf_version(EV_CURRENT);
	elf_errno(); /* forget an older one */
	errno = 0;
	Elf *elf = elf_begin(fd, ELF_C_WRITE, NULL);
	Elf64_Ehdr *eh = elf ? elf64_newehdr(elf) : NULL;
	bool ok = eh != NULL;
	if (ok) {
		eh->e_ident[EI_DATA] = ELFDATA2LSB;
		eh->e_type = ET_REL;
		eh->e_machine = EM_BPF;
		eh->e_version = EV_CURRENT;
		eh->e_shstrndx = STRTAB;
	}
	for (size_t i = 1; ok && i < n; i++)
		ok = add_section(elf, &sections[i]);
	if (ok)
		size = elf_update(elf, ELF_C_WRITE);
	int error = errno;
	elf_end(elf);
	errno = error;
	return size;
}

static int make_elf(const struct section *sections, size_t n, struct diags *d, struct bytes *out)
{
	int fd = memfd_create("rucy-devguard", MFD_CLOEXEC);
	if (fd < 0)
		return diag_fail(d, "check the limit of open files and the free memory",
		                 "cannot make a memory file for the object: %s", strerror(errno));
	int64_t size = write_elf(fd, sections, n);
	int error = size > 0 ? 0 : errno;
	if (error)
		close(fd);
	if (error == ENOMEM)
		arena_fail(d->arena);
	if (error) /* limits of files hold for memory files too */
		return diag_fail(d, error == EFBIG ? "raise the limit of file sizes (ulimit -f)" : "free some memory",
		                 "cannot write the object: %s", strerror(error));
	unsigned char *data = size > 0 ? arena_alloc(d->arena, (size_t)size) : NULL;
	bool ok = data && !lseek(fd, 0, SEEK_SET) && read_whole(fd, data, (size_t)size) == (ssize_t)size;
	close(fd);
	if (!ok)
		return diag_fail(d, "free some memory", "cannot write the object: %s",
		                 size > 0 ? "reading it back failed" : elf_errmsg(-1));
	*out = (struct bytes){data, (size_t)size};
	return 0;
}

/* What goes into the sections. */
struct parts {
	const struct bpf_insn *code;
	size_t code_size;
	Elf64_Rel *rels;
	size_t nrels;
	struct rodata ro;
	const char *function;
	struct bytes btf, ext;
	struct buffer policy;
	struct bytes maps;
};

static int make_parts(struct parts *parts, const struct policy *p, const struct image *image,
                      struct diags *d)
{
	struct arena *a = d->arena;
	const bool *starts = object_insn_starts(a, image->insns, image->ninsns);
	parts->rels = arena_alloc(a, image->nrelocs * sizeof *parts->rels);
	parts->nrels = image->nrelocs;
	parts->code_size = image->ninsns * sizeof *parts->code;
	uint64_t digest = p->serial.digest;
	parts->policy.arena = parts->ro.bytes.arena = a;
	if (p->serial.data)
		parts->policy = (struct buffer){.arena = a, .data = (void *)p->serial.data, .n = p->serial.len};
	else if (serial_write(p, d, &parts->policy, &digest))
		return -1;
	name_maps(&parts->ro, p);
	make_rodata(&parts->ro, p, digest, &parts->policy);
	if (image->ninsns && starts && p->nparams <= OBJECT_PARAMS_MAX)
		parts->code = relocatable(p, image, &parts->ro, starts, a, parts->rels);
	if (!parts->code)
		return diag_fail(
			d, "this is a bug of the compiler: please report it with the policy",
			"cannot write the object: its instructions or parameters do not fit");
	for (size_t i = 0; i < parts->ro.nmaps; i++)
		parts->maps.len += map_definition_size(&parts->ro.maps[i]);
	parts->maps.data = arena_alloc(a, parts->maps.len); /* zeros: the types say it all */
	parts->function = free_name(&parts->ro, "", p->name && *p->name ? p->name : "policy");
	return btf_sections(p, image, starts, parts->function, parts->ro.vars, parts->ro.nvars, parts->ro.maps,
	                    parts->ro.nmaps, d, &parts->btf, &parts->ext);
}

static struct section plain(const char *name, Elf64_Xword flags, const void *data, size_t len,
                            size_t align)
{
	return (struct section){.name = name,
	                        .type = SHT_PROGBITS,
	                        .flags = flags,
	                        .content = ELF_T_BYTE,
	                        .data = data,
	                        .len = len,
	                        .align = align};
}

const char *object_section(const struct policy *p)
{
	return p->raw && p->raw->section != RAW_DEVICE ? p->raw->section_name : "cgroup/dev";
}

const char *object_license(const struct policy *p)
{
	return p->raw && p->raw->license ? p->raw->license : "Dual MIT/GPL"; /* some helpers are for GPL programs only */
}

int object_write(const struct policy *p, const struct image *image, struct diags *d,
                 struct bytes *out)
{
	struct parts parts = {0};
	if (make_parts(&parts, p, image, d))
		return -1;
	struct buffer strings = {.arena = d->arena};
	put_name(&strings, "");
	size_t nsymbols;
	const Elf64_Sym *symbols =
		make_symbols(&strings, &parts.ro, image, parts.function, parts.code_size, &nsymbols);
	const char *name = object_section(p), *license = object_license(p);
	struct section s[SECTIONS] = {
		[STRTAB] = {.name = ".strtab",
	                    .type = SHT_STRTAB,
	                    .content = ELF_T_BYTE,
	                    .align = 1},
		[LICENSE] = plain("license", SHF_ALLOC | SHF_WRITE, license,
	                          strlen(license) + 1, 1),
		[PROGRAM] = plain(name, SHF_ALLOC | SHF_EXECINSTR, parts.code,
	                          parts.code_size, 8),
		[RODATA] = plain(".rodata", SHF_ALLOC, parts.ro.bytes.data, parts.ro.bytes.n, 8),
		[BTF] = plain(".BTF", 0, parts.btf.data, parts.btf.len, 4),
		[BTF_EXT] = plain(".BTF.ext", 0, parts.ext.data, parts.ext.len, 4),
		[POLICY] = plain(OBJECT_POLICY_SECTION, 0, parts.policy.data, parts.policy.n, 1),
		[SYMTAB] = {.name = ".symtab",
	                    .type = SHT_SYMTAB,
	                    .content = ELF_T_SYM,
	                    .data = symbols,
	                    .len = nsymbols * sizeof *symbols,
	                    .align = 8,
	                    .entsize = sizeof *symbols,
	                    .link = STRTAB,
	                    .info = SYMBOL_PROGRAM},
		[RELOCS] = {.name = arena_printf(d->arena, ".rel%s", name),
	                    .type = SHT_REL,
	                    .content = ELF_T_REL,
	                    .data = parts.rels,
	                    .len = parts.nrels * sizeof *parts.rels,
	                    .align = 8,
	                    .entsize = sizeof *parts.rels,
	                    .link = SYMTAB,
	                    .info = PROGRAM},
		[MAPS] = plain(".maps", SHF_ALLOC | SHF_WRITE, parts.maps.data, parts.maps.len, 8),
	};
	size_t n = parts.ro.nmaps ? SECTIONS : parts.nrels ? MAPS : RELOCS;
	for (size_t i = 1; i < n; i++)
		s[i].name_offset = put_name(&strings, s[i].name);
	s[STRTAB].data = strings.data;
	s[STRTAB].len = strings.n;
	return make_elf(s, n, d, out);
}

/* What is wrong with a setting: always -1. */
static int refuse_param(struct diags *d, const char *name, const char *hint, const char *text)
{
	diag_add(d, DIAG_ERROR, (struct span){0}, hint, "%s", text)->param = name;
	return -1;
}

int object_set_param(struct policy *p, struct diags *d, struct param_setting *s)
{
	const char *names[OBJECT_PARAMS_MAX];
	size_t n = p->nparams < OBJECT_PARAMS_MAX ? p->nparams : OBJECT_PARAMS_MAX;
	for (size_t i = 0; i < n; i++) {
		struct param *pm = &p->params[i];
		names[i] = pm->name;
		if (strcmp(pm->name, s->name))
			continue;
		s->used = true;
		if (s->value < pm->lo || s->value > pm->hi)
			return refuse_param(d, s->name, "give a value within the range that the policy declares",
			                    arena_printf(d->arena, "parameter '%s' cannot be %lld: it must be within %lld..%lld",
			                                 pm->name, (long long)s->value, (long long)pm->lo, (long long)pm->hi));
		pm->value = s->value;
		return 0;
	}
	const char *near = did_you_mean(s->name, names, n);
	const char *hint = near ? arena_printf(d->arena, "did you mean '%s'?", near)
	                        : "only a parameter declared with a range (`in: 0..15`) can be set "
	                          "after the policy was compiled";
	return refuse_param(d, s->name, hint,
	                    arena_printf(d->arena, "the policy has no parameter '%s' that can be set", s->name));
}
