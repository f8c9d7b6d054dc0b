/*
 * object_read.c - an ELF object back as a policy and its program.
 *
 * Nothing in the file is trusted. libelf finds the sections; each is then bounded
 * by the file's size and read from the caller's bytes. The parts must agree:
 * .rodata (what the kernel gets) with .devguard (what is evaluated), relocations
 * with parameters, lines with instructions. That the program does what the policy
 * says is not checked here: the caller proves it. Linear in the file's size.
 */
#include "compiler/bpf/internal.h"
#include "compiler/object/internal.h"
#include "compiler/object/text.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

enum part { PROGRAM, LICENSE, RODATA, BTF, BTF_EXT, SYMTAB, POLICY, RELOCS, MAPS, TEXT, TEXT_RELOCS, PARTS };

static const char *const part_names[PARTS] = {
	[PROGRAM] = "program",
	[LICENSE] = "license",
	[RODATA] = ".rodata",
	[BTF] = ".BTF",
	[BTF_EXT] = ".BTF.ext",
	[SYMTAB] = ".symtab",
	[POLICY] = OBJECT_POLICY_SECTION,
	[RELOCS] = "relocation",
	[MAPS] = ".maps",
	[TEXT] = ".text",
	[TEXT_RELOCS] = ".rel.text",
};

struct object {
	struct arena *arena;
	struct diags *d;
	const char *file;
	const unsigned char *data;
	size_t len;
	struct bytes parts[PARTS]; /* data NULL: not there */
	size_t index[PARTS];       /* section numbers */
	const char *program;       /* name of the program's section */
	const char *relocs;        /* and of its relocations */
	const struct map_definition *maps;
	size_t nmaps;
	struct reader_code *codes; /* of all readers */
	const struct text *text;   /* as it must be */
};

static const char HINT_COMPILE[] =
	"give a policy (.rb) or an object made by `rucy-devguard compile`";
static const char HINT_AGAIN[] = "compile the policy again";

static int refuse(const struct object *o, const char *hint, const char *text)
{
	diag_add(o->d, DIAG_ERROR, (struct span){.file = o->file}, hint, "%s", text);
	return -1;
}

bool object_is(const void *data, size_t len)
{
	return len >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

/* ---- sections ---------------------------------------------------------------------- */

static int check_header(const struct object *o)
{
	Elf64_Ehdr eh;
	if (!object_is(o->data, o->len))
		return refuse(o, HINT_COMPILE, "this is no ELF object");
	if (o->len < sizeof eh)
		return refuse(o, HINT_AGAIN, "the object is cut off in its ELF header");
	memcpy(&eh, o->data, sizeof eh);
	/* the machine field is at the same place in every class, but not in every byte order */
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh.e_machine != EM_BPF)
		return refuse(o, HINT_COMPILE,
		              "this ELF file is no BPF object (64-bit, little-endian)");
	if (eh.e_type != ET_REL || eh.e_version != EV_CURRENT)
		return refuse(o, HINT_COMPILE, "this BPF object is not relocatable");
	return 0;
}

/* Can a program stand in a section of this name? */
static bool is_program(const char *name)
{
	static const char *const begins[] = {"cgroup/dev", "kprobe/", "kretprobe/", "tracepoint/", "raw_tracepoint/"};
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

/* The part that a section of this name is; PARTS: none. */
static enum part part_of(const char *name)
{
	if (is_program(name))
		return PROGRAM;
	if (!strncmp(name, ".rel", 4) && is_program(name + 4))
		return RELOCS;
	for (int i = LICENSE; i < PARTS; i++)
		if (i != RELOCS && !strcmp(name, part_names[i]))
			return (enum part)i;
	return PARTS;
}

/* Takes one section if it is one of ours. NULL, or what is wrong with it. */
static const char *take_section(struct object *o, Elf *elf, size_t names, Elf_Scn *scn)
{
	GElf_Shdr sh; /* a copy: in a damaged file the table may be unaligned */
	const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
	if (!name)
		return "the object's section table is damaged";
	enum part i = part_of(name);
	Elf64_Word type = i == SYMTAB ? SHT_SYMTAB : i == RELOCS || i == TEXT_RELOCS ? SHT_REL : SHT_PROGBITS;
	if (i == PARTS)
		return NULL;
	if (o->parts[i].data)
		return "a section of the object is there twice";
	if (sh.sh_type != type || (sh.sh_flags & SHF_COMPRESSED))
		return "a section of the object has the wrong type";
	if (sh.sh_offset > o->len || sh.sh_size > o->len - sh.sh_offset)
		return "a section of the object lies outside the file";
	o->parts[i] = (struct bytes){o->data + sh.sh_offset, sh.sh_size};
	o->index[i] = elf_ndxscn(scn);
	if (i == PROGRAM || i == RELOCS) /* elf_strptr()'s are gone with the handle */
		*(i == PROGRAM ? &o->program : &o->relocs) = arena_strdup(o->arena, name);
	return NULL;
}

static const char *take_sections(struct object *o, Elf *elf)
{
	size_t n, names;
	if (elf_kind(elf) != ELF_K_ELF || elf_getshdrnum(elf, &n) || elf_getshdrstrndx(elf, &names))
		return "the object's section table is damaged";
	for (size_t i = 1; i < n; i++) {
		Elf_Scn *scn = elf_getscn(elf, i);
		const char *wrong = scn ? take_section(o, elf, names, scn)
		                        : "the object's section table is damaged";
		if (wrong)
			return wrong;
	}
	return NULL;
}

static int find_parts(struct object *o)
{
	elf_version(EV_CURRENT);
	/* libelf only reads a memory image, though its type says otherwise */
	errno = 0;
	Elf *elf = elf_memory((char *)o->data, o->len);
	const char *wrong = elf ? take_sections(o, elf) : "the object's ELF header is damaged";
	bool no_memory = errno == ENOMEM;
	elf_end(elf);
	if (wrong && no_memory)
		arena_fail(o->arena);
	if (wrong)
		return refuse(o, HINT_AGAIN, wrong);
	if (!o->parts[POLICY].data)
		return refuse(o, HINT_COMPILE,
		              "no " OBJECT_POLICY_SECTION
		              " section: this object was not made by rucy-devguard");
	for (int i = 0; i < RELOCS; i++)
		if (!o->parts[i].data)
			return refuse(o, HINT_AGAIN,
			              arena_printf(o->arena, "the object has no %s section",
			                           part_names[i]));
	return 0;
}

/* ---- .rodata ------------------------------------------------------------------------- */

/* NULL, or what of .rodata is not what the policy says. */
static const char *check_rodata(const struct object *o, const struct policy *p, uint64_t digest)
{
	struct image_header h;
	struct bytes ro = o->parts[RODATA];
	char name[IMAGE_NAME_MAX];
	if (ro.len < sizeof h + p->nparams * sizeof(int64_t))
		return "it is too short";
	memcpy(&h, ro.data, sizeof h);
	object_header_name(p->name, name);
	if (h.magic != IMAGE_MAGIC || h.version != IMAGE_VERSION || h.size != sizeof h)
		return "its header is not of this version";
	if (memcmp(h.name, name, sizeof name))
		return "the policy's name differs";
	if (h.nrules != p->nrules || h.nparams != p->nparams || h.digest != digest)
		return "the digest or the number of rules or parameters differs";
	if (!memchr(h.tool, 0, sizeof h.tool))
		return "the tool's version has no end";
	if (h.audit != (uint32_t)p->audit || h.mode != (uint32_t)p->mode || h.generation)
		return "the audit, mode or generation differs";
	if (h.features != (FEATURE_PID | FEATURE_COMM | (p->grants ? FEATURE_GRANTS : 0u)))
		return "its features differ";
	for (size_t i = 0; i < p->nparams; i++) {
		int64_t value;
		memcpy(&value, ro.data + sizeof h + i * sizeof value, sizeof value);
		if (value != p->params[i].value)
			return "a parameter's value differs";
	}
	return NULL;
}

/* ---- instructions ---------------------------------------------------------------------- */

/* What a symbol plus an offset is the address of (image_reloc.target), or -1. */
static int64_t target_at(const struct object *o, const struct policy *p, uint64_t symbol,
                         int64_t addend)
{
	Elf64_Sym s;
	struct bytes table = o->parts[SYMTAB];
	if (symbol >= table.len / sizeof s)
		return -1;
	memcpy(&s, table.data + symbol * sizeof s, sizeof s);
	int64_t at = (int64_t)(s.st_value & INT32_MAX) + addend;
	if (o->parts[MAPS].data && s.st_shndx == o->index[MAPS]) {
		int64_t map = 0;
		for (size_t i = 0; i < o->nmaps; i++) {
			if (map == at)
				return o->maps[i].target;
			map += (int64_t)map_definition_size(&o->maps[i]);
		}
		return -1;
	}
	if (s.st_shndx != o->index[RODATA] || s.st_value > o->parts[RODATA].len)
		return -1;
	if (at == 0)
		return TARGET_HEADER;
	int64_t offset = at - (int64_t)sizeof(struct image_header);
	bool fits = offset >= 0 && offset % 8 == 0 && offset / 8 < (int64_t)p->nparams;
	return fits ? offset / 8 : -1;
}

/* The reader whose instructions stand at a symbol; READERS: none. */
static enum reader reader_at(const struct object *o, uint64_t symbol)
{
	Elf64_Sym s;
	struct bytes table = o->parts[SYMTAB], text = o->parts[TEXT];
	if (symbol >= table.len / sizeof s)
		return READERS;
	memcpy(&s, table.data + symbol * sizeof s, sizeof s);
	if (!text.data || s.st_shndx != o->index[TEXT] || s.st_value > text.len)
		return READERS;
	for (int r = 0; r < READERS; r++) {
		const struct reader_code *code = &o->codes[r];
		size_t size = code->ninsns * sizeof *code->insns;
		if (text.len - s.st_value >= size && !memcmp(text.data + s.st_value, code->insns, size))
			return (enum reader)r;
	}
	return READERS;
}

/* A call's relocation; its instruction stays as it is. False: it is none of a reader. */
static bool read_call(const struct object *o, const struct bpf_insn *in, const Elf64_Rel *rel, struct image_reloc *out)
{
	enum reader r = reader_at(o, ELF64_R_SYM(rel->r_info));
	out->target = TARGET_READER + (uint32_t)r;
	return r != READERS && in->code == (BPF_JMP | BPF_CALL) && in->src_reg == BPF_PSEUDO_CALL && in->imm == -1;
}

/* An address's relocation; its instruction is left without one. */
static const char *read_address(const struct object *o, const struct policy *p, struct bpf_insn *lo, const Elf64_Rel *rel,
                                struct image_reloc *out)
{
	if (lo->code != (BPF_LD | BPF_IMM | BPF_DW) || lo->src_reg || lo[1].imm)
		return "a relocation is not of an address";
	int64_t target = target_at(o, p, ELF64_R_SYM(rel->r_info), lo->imm);
	if (target < 0)
		return "a relocation is not the address of a parameter or map";
	lo->imm = 0;
	out->target = (uint32_t)target;
	return NULL;
}

/* Relocations as the image has them: first those of calls, since they say which maps there are. NULL, or what is wrong. */
static const char *read_relocs(struct object *o, const struct policy *p, const bool *starts,
                               struct bpf_insn *code, struct image *image)
{
	struct bytes table = o->parts[RELOCS];
	size_t n = table.len / sizeof(Elf64_Rel);
	struct image_reloc *relocs = arena_alloc(o->arena, n * sizeof *relocs);
	Elf64_Rel *rels = arena_alloc(o->arena, n * sizeof *rels);
	if (table.len % sizeof(Elf64_Rel))
		return "its relocations are cut off";
	memcpy(rels, table.data, n * sizeof *rels);
	o->codes = arena_alloc(o->arena, READERS * sizeof *o->codes);
	for (int r = 0; r < READERS && o->parts[TEXT].data; r++)
		o->codes[r] = reader_code(o->arena, (enum reader)r);
	for (size_t i = 0; i < n; i++) {
		uint64_t insn = rels[i].r_offset / sizeof *code;
		bool is_call = ELF64_R_TYPE(rels[i].r_info) == R_BPF_64_32;
		if (rels[i].r_offset % sizeof *code || insn >= image->ninsns || !starts[insn] ||
		    (i && insn <= relocs[i - 1].insn) || (!is_call && ELF64_R_TYPE(rels[i].r_info) != R_BPF_64_64))
			return "a relocation does not fit its instructions";
		relocs[i].insn = (uint32_t)insn;
		if (is_call && !read_call(o, &code[insn], &rels[i], &relocs[i]))
			return "a call is not of a function that reads the calling task";
	}
	image->relocs = relocs;
	image->nrelocs = n;
	o->text = object_text(o->arena, image);
	o->maps = object_maps(o->arena, p, o->text->asks_who, &o->nmaps);
	for (size_t i = 0; i < n; i++) {
		if (ELF64_R_TYPE(rels[i].r_info) == R_BPF_64_32)
			continue;
		const char *wrong = read_address(o, p, &code[relocs[i].insn], &rels[i], &relocs[i]);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* ---- readers ------------------------------------------------------------------------------ */

/* Functions of .text are where the readers are, and nowhere else. */
static bool functions_fit(const struct object *o)
{
	struct bytes table = o->parts[SYMTAB];
	size_t n = 0;
	for (size_t i = 0; i < table.len / sizeof(Elf64_Sym); i++) {
		Elf64_Sym s;
		memcpy(&s, table.data + i * sizeof s, sizeof s);
		if (s.st_shndx != o->index[TEXT])
			continue;
		const struct text_reader *tr = &o->text->readers[n];
		if (n++ == o->text->n || ELF64_ST_TYPE(s.st_info) != STT_FUNC || s.st_value != tr->at * sizeof(struct bpf_insn) ||
		    s.st_size != tr->code.ninsns * sizeof(struct bpf_insn))
			return false;
	}
	return n == o->text->n;
}

/* The addresses that readers use are those that they should. */
static bool addresses_fit(const struct object *o, const struct policy *p)
{
	struct bytes table = o->parts[TEXT_RELOCS];
	if (table.len != o->text->nrelocs * sizeof(Elf64_Rel))
		return false;
	const unsigned char *at = table.data;
	for (size_t i = 0; i < o->text->n; i++) {
		const struct text_reader *tr = &o->text->readers[i];
		for (size_t k = 0; k < tr->code.nrelocs; k++, at += sizeof(Elf64_Rel)) {
			Elf64_Rel rel;
			memcpy(&rel, at, sizeof rel);
			if (rel.r_offset != (tr->at + tr->code.relocs[k].insn) * sizeof(struct bpf_insn) ||
			    ELF64_R_TYPE(rel.r_info) != R_BPF_64_64 ||
			    target_at(o, p, ELF64_R_SYM(rel.r_info), 0) != tr->code.relocs[k].target)
				return false;
		}
	}
	return true;
}

/* What an object has for readers must be what it would be given today, or they would read something else than their
 * names say. NULL, or what is wrong. */
static const char *check_text(const struct object *o, const struct policy *p)
{
	struct bytes text = o->parts[TEXT];
	if (!text.data && !o->parts[TEXT_RELOCS].data && !o->text->n)
		return NULL;
	if (text.len != o->text->ninsns * sizeof *o->text->insns || memcmp(text.data, o->text->insns, text.len))
		return "its functions that read the calling task are others";
	return functions_fit(o) && addresses_fit(o, p) ? NULL : "the symbols of its functions that read the calling task are others";
}

/* ---- the program --------------------------------------------------------------------------- */

/* Where a program begins to decide that does steps before: a symbol of no type. */
static size_t steps_of(const struct object *o, const struct policy *p, size_t ninsns)
{
	struct bytes table = o->parts[SYMTAB];
	if (!p->raw || raw_only_decides(p->raw))
		return 0;
	if (p->raw->section != RAW_DEVICE)
		return ninsns;
	for (size_t i = table.len / sizeof(Elf64_Sym); i-- > 0;) {
		Elf64_Sym s;
		memcpy(&s, table.data + i * sizeof s, sizeof s);
		if (s.st_shndx == o->index[PROGRAM] && ELF64_ST_TYPE(s.st_info) == STT_NOTYPE)
			return s.st_value / sizeof(struct bpf_insn);
	}
	return 0;
}

/* How many instructions at the end are the tail of this policy's programs; whether
 * they are is for verify_image() to find. */
static size_t tail_size(struct arena *a, const struct policy *p, const struct image *image)
{
	struct code tail = {.arena = a};
	if (!policy_has_tail(p))
		return 0;
	emit_tail(&tail, p);
	const struct bpf_insn *last = (const struct bpf_insn *)image->insns + image->ninsns;
	bool there = tail.n < image->ninsns && !memcmp(last - tail.n, tail.insns, tail.n * sizeof *last);
	return there ? tail.n : 0;
}

/* NULL, or what is wrong with the program. */
static const char *read_image(struct object *o, const struct policy *p, struct image *image)
{
	struct bytes program = o->parts[PROGRAM], ext = o->parts[BTF_EXT];
	const char *why;
	if (!program.len || program.len % sizeof(struct bpf_insn))
		return "it has no whole instructions";
	struct bpf_insn *code = arena_alloc(o->arena, program.len);
	memcpy(code, program.data, program.len);
	*image = (struct image){.insns = code, .ninsns = program.len / sizeof *code};
	const bool *starts = object_insn_starts(o->arena, code, image->ninsns);
	if (!starts)
		return "its last instruction is cut off";
	why = read_relocs(o, p, starts, code, image);
	if (!why)
		why = check_text(o, p);
	if (!why)
		why = btf_check_text(o->arena, o->text, o->parts[BTF], ext);
	if (why || btf_read_lines(o->arena, p, o->parts[BTF].data, o->parts[BTF].len, ext.data, ext.len, o->text->n, starts,
	                          image->ninsns, image, &why))
		return why;
	image->steps = steps_of(o, p, image->ninsns);
	image->tail = image->ninsns - tail_size(o->arena, p, image);
	image->longest = code_longest(o->arena, code, image->tail, readers_longest(o->arena, image->tail, image->relocs, image->nrelocs)); /* unproven jumps: any number */
	return NULL;
}

/* NULL, or what of the object's sections is not what the policy says. */
static const char *check_sections(const struct object *o, const struct policy *p)
{
	const char *license = object_license(p), *section = object_section(p);
	struct bytes said = o->parts[LICENSE];
	if (strcmp(o->program, section) || (o->relocs && strcmp(o->relocs + 4, section)))
		return "its section has another name";
	if (p->raw && (said.len != strlen(license) + 1 || memcmp(said.data, license, said.len)))
		return "its license is another";
	return NULL;
}

int object_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len,
                struct policy **policy, struct image *image)
{
	struct object o = {.arena = a, .d = d, .file = file, .data = data, .len = len};
	struct policy *p;
	uint64_t digest;
	if (check_header(&o) || find_parts(&o) ||
	    serial_read(a, d, file, o.parts[POLICY].data, o.parts[POLICY].len, &p, &digest))
		return -1;
	const char *wrong = check_rodata(&o, p, digest);
	if (wrong)
		return refuse(&o, HINT_AGAIN,
		              arena_printf(a,
		                           "the object's .rodata does not belong to its policy: %s",
		                           wrong));
	wrong = check_sections(&o, p);
	if (!wrong)
		wrong = read_image(&o, p, image);
	if (wrong)
		return refuse(&o, HINT_AGAIN,
		              arena_printf(a, "the object's program is damaged: %s", wrong));
	*policy = p;
	return 0;
}
