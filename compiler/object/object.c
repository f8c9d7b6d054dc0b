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
#include "compiler/object/elf.h"
#include "compiler/object/text.h"
#include "policy/meaning.h"

#include <ctype.h>
#include <gelf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

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
	struct map_definition *maps; /* their names are taken too, */
	size_t nmaps;
	const struct text *text;     /* and those of readers */
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
	for (size_t i = 0; i < ro->text->n; i++)
		if (!strcmp(ro->text->readers[i].name, name))
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
	const struct map_definition *maps = object_maps(ro->bytes.arena, p, ro->text->asks_who, &n);
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

/* Symbols: of the readers, which are local, of the program, then one a variable of .rodata, the header first, then one a
 * map. */
static uint32_t symbol_program(const struct text *text)
{
	return 1 + (uint32_t)text->n;
}

static uint32_t symbol_variables(const struct text *text)
{
	return symbol_program(text) + 1;
}

/* The symbol of an address that the program uses; 0: there is none. */
static uint32_t symbol_of(const struct policy *p, const struct rodata *ro, uint32_t target)
{
	uint32_t variables = symbol_variables(ro->text);
	if (target < p->nparams)
		return variables + 1 + target;
	if (target == TARGET_HEADER)
		return variables;
	for (uint32_t i = 0; i < ro->nmaps; i++)
		if (ro->maps[i].target == target)
			return variables + (uint32_t)ro->nvars + i;
	return 0;
}

/* An ldimm64 of an address as libbpf takes it: of 0, and the symbol. */
static bool relocate_address(const struct policy *p, const struct rodata *ro, struct bpf_insn *in, uint32_t target,
                             size_t at, Elf64_Rel *rel)
{
	uint32_t symbol = symbol_of(p, ro, target);
	if (!symbol || in->code != (BPF_LD | BPF_IMM | BPF_DW))
		return false;
	in[0].src_reg = 0;
	in[0].imm = in[1].imm = 0;
	*rel = (Elf64_Rel){at * sizeof *in, ELF64_R_INFO((uint64_t)symbol, R_BPF_64_64)};
	return true;
}

/* A call of a reader: of -1, and its symbol. */
static bool relocate_call(const struct text *text, const struct text_reader *tr, struct bpf_insn *in, size_t at, Elf64_Rel *rel)
{
	if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg != BPF_PSEUDO_CALL)
		return false;
	in->imm = -1;
	*rel = (Elf64_Rel){at * sizeof *in, ELF64_R_INFO(1 + (uint64_t)(tr - text->readers), R_BPF_64_32)};
	return true;
}

/* The instructions and relocations of the program as libbpf takes them. NULL when a relocation does not fit. */
static struct bpf_insn *relocatable(const struct policy *p, const struct image *image,
                                    const struct rodata *ro, const bool *starts, struct arena *a, Elf64_Rel *rels)
{
	struct bpf_insn *code = arena_alloc(a, image->ninsns * sizeof *code);
	memcpy(code, image->insns, image->ninsns * sizeof *code);
	for (size_t i = 0; i < image->nrelocs; i++) {
		struct image_reloc r = image->relocs[i];
		const struct text_reader *tr = text_reader(ro->text, &r);
		if (r.insn >= image->ninsns || !starts[r.insn])
			return NULL;
		if (!(tr ? relocate_call(ro->text, tr, &code[r.insn], r.insn, &rels[i])
		         : relocate_address(p, ro, &code[r.insn], r.target, r.insn, &rels[i])))
			return NULL;
	}
	qsort(rels, image->nrelocs, sizeof *rels, by_insn);
	return code;
}

/* The relocations of .text. */
static Elf64_Rel *text_relocs(const struct policy *p, const struct rodata *ro, struct arena *a)
{
	const struct text *text = ro->text;
	Elf64_Rel *rels = arena_alloc(a, text->nrelocs * sizeof *rels), *rel = rels;
	for (size_t i = 0; i < text->n; i++) {
		const struct text_reader *tr = &text->readers[i];
		for (size_t k = 0; k < tr->code.nrelocs; k++, rel++) {
			uint32_t at = tr->at + tr->code.relocs[k].insn;
			relocate_address(p, ro, &text->insns[at], tr->code.relocs[k].target, at, rel);
		}
	}
	return rels;
}

/* ---- ELF ---------------------------------------------------------------------------------- */

/* Those from RELOCS on may be missing: then those behind move up. */
enum { STRTAB = 1, LICENSE, PROGRAM, RODATA, BTF, BTF_EXT, POLICY, SYMTAB, RELOCS, MAPS, TEXT, TEXT_RELOCS, SECTIONS };

/* The number of .text: where there are readers there are relocations. */
static Elf64_Half section_text(const struct rodata *ro)
{
	return ro->nmaps ? TEXT : MAPS;
}

static Elf64_Word put_name(struct buffer *strings, const char *name)
{
	return (Elf64_Word)buffer_put(strings, name, strlen(name) + 1);
}

/* Everything but the readers is global: one null symbol, the readers, the program, the variables, the maps; where a
 * program begins to decide that does steps before. */
static Elf64_Sym *make_symbols(struct buffer *strings, const struct rodata *ro, const struct image *image,
                               const char *function, size_t code_size, size_t *n)
{
	const struct text *text = ro->text;
	size_t program = symbol_program(text), variables = symbol_variables(text);
	size_t maps = variables + ro->nvars, nmaps = ro->nmaps, offset = 0;
	bool marked = image->steps && image->steps < image->ninsns;
	*n = maps + nmaps + marked;
	Elf64_Sym *s = arena_alloc(strings->arena, *n * sizeof *s);
	if (marked)
		s[maps + nmaps] = (Elf64_Sym){.st_name = put_name(strings, "devguard_decides"),
		                              .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		                              .st_shndx = PROGRAM,
		                              .st_value = image->steps * sizeof(struct bpf_insn)};
	for (size_t i = 0; i < text->n; i++)
		s[1 + i] = (Elf64_Sym){.st_name = put_name(strings, text->readers[i].name),
		                       .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
		                       .st_shndx = section_text(ro),
		                       .st_value = text->readers[i].at * sizeof(struct bpf_insn),
		                       .st_size = text->readers[i].code.ninsns * sizeof(struct bpf_insn)};
	s[program] = (Elf64_Sym){.st_name = put_name(strings, function),
	                                .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
	                                .st_shndx = PROGRAM,
	                                .st_size = code_size};
	for (size_t i = 0; i < ro->nvars; i++)
		s[variables + i] =
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

/* What goes into the sections. */
struct parts {
	const struct bpf_insn *code;
	size_t code_size;
	Elf64_Rel *rels, *text_rels;
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
	const struct text *text = parts->ro.text = object_text(a, image);
	name_maps(&parts->ro, p);
	make_rodata(&parts->ro, p, digest, &parts->policy);
	if (image->ninsns && starts && p->nparams <= OBJECT_PARAMS_MAX)
		parts->code = relocatable(p, image, &parts->ro, starts, a, parts->rels);
	if (!parts->code)
		return diag_fail(
			d, "this is a bug of the compiler: please report it with the policy",
			"cannot write the object: its instructions or parameters do not fit");
	parts->text_rels = text_relocs(p, &parts->ro, a);
	for (size_t i = 0; i < parts->ro.nmaps; i++)
		parts->maps.len += map_definition_size(&parts->ro.maps[i]);
	parts->maps.data = arena_alloc(a, parts->maps.len); /* zeros: the types say it all */
	parts->function = free_name(&parts->ro, "", p->name && *p->name ? p->name : "policy");
	return btf_sections(p, image, text, starts, parts->function, parts->ro.vars, parts->ro.nvars, parts->ro.maps,
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

static struct section relocs(const char *name, const Elf64_Rel *rels, size_t n, Elf64_Word of)
{
	return (struct section){.name = name,
	                        .type = SHT_REL,
	                        .content = ELF_T_REL,
	                        .data = rels,
	                        .len = n * sizeof *rels,
	                        .align = 8,
	                        .entsize = sizeof *rels,
	                        .link = SYMTAB,
	                        .info = of};
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
	const struct text *text = parts.ro.text;
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
	                    .info = symbol_program(text)},
		[RELOCS] = relocs(arena_printf(d->arena, ".rel%s", name), parts.rels, parts.nrels, PROGRAM),
		[MAPS] = plain(".maps", SHF_ALLOC | SHF_WRITE, parts.maps.data, parts.maps.len, 8),
	};
	size_t n = parts.ro.nmaps ? TEXT : parts.nrels ? MAPS : RELOCS;
	if (text->n) {
		s[n] = plain(".text", SHF_ALLOC | SHF_EXECINSTR, text->insns, text->ninsns * sizeof *text->insns, 8);
		s[n + 1] = relocs(".rel.text", parts.text_rels, text->nrelocs, (Elf64_Word)n);
		n += 2;
	}
	for (size_t i = 1; i < n; i++)
		s[i].name_offset = put_name(&strings, s[i].name);
	s[STRTAB].data = strings.data;
	s[STRTAB].len = strings.n;
	return elf_make(s, n, d, out);
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
