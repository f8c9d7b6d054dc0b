/* kernel_types.c - the kernel's own types: where a field is in one of its structs. */
#include "cgroup/kernel_types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

struct kernel_types {
	struct btf *kernel, *btrfs; /* btrfs: of the module, with those of the kernel; NULL: not looked for, or not there */
};

struct kernel_types *kernel_types_open(void)
{
	struct kernel_types *types = calloc(1, sizeof *types);
	if (!types)
		return NULL;
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	types->kernel = btf__load_vmlinux_btf();
	int error = errno;
	libbpf_set_print(before);
	if (types->kernel)
		return types;
	free(types);
	errno = error == ENOMEM || error == EACCES || error == EPERM ? error : ENOENT;
	return NULL;
}

void kernel_types_close(struct kernel_types *types)
{
	if (!types)
		return;
	btf__free(types->btrfs);
	btf__free(types->kernel);
	free(types);
}

int kernel_function(const struct kernel_types *types, const char *name)
{
	return btf__find_by_name_kind(types->kernel, name, BTF_KIND_FUNC);
}

/* The types that have the struct, if any have. */
static const struct btf *types_with(struct kernel_types *types, const char *name, int *id)
{
	*id = btf__find_by_name_kind(types->kernel, name, BTF_KIND_STRUCT);
	if (*id > 0 || strncmp(name, "btrfs_", strlen("btrfs_")))
		return types->kernel;
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	if (!types->btrfs)
		types->btrfs = btf__load_module_btf("btrfs", types->kernel);
	libbpf_set_print(before);
	if (!types->btrfs)
		return types->kernel;
	*id = btf__find_by_name_kind(types->btrfs, name, BTF_KIND_STRUCT);
	return types->btrfs;
}

/* Without const, volatile and typedefs; NULL: no struct. */
static const struct btf_type *struct_of(const struct btf *types, int id)
{
	const struct btf_type *t = id > 0 ? btf__type_by_id(types, (uint32_t)id) : NULL;
	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(types, t->type);
	return t && btf_is_composite(t) ? t : NULL;
}

struct found { uint32_t bits, type; };

/* One field by its name, also of structs in it that have none. */
static bool member(const struct btf *types, const struct btf_type *in, const char *name, size_t len, uint32_t bits,
                   struct found *out)
{
	for (uint32_t i = 0; i < btf_vlen(in); i++) {
		const struct btf_member *m = btf_members(in) + i;
		const char *called = btf__name_by_offset(types, m->name_off);
		uint32_t at = bits + btf_member_bit_offset(in, i);
		if (called && strlen(called) == len && len && !memcmp(called, name, len) && !btf_member_bitfield_size(in, i)) {
			*out = (struct found){at, m->type};
			return true;
		}
		const struct btf_type *inner = called && !*called ? struct_of(types, (int)m->type) : NULL;
		if (inner && member(types, inner, name, len, at, out))
			return true;
	}
	return false;
}

bool kernel_field(struct kernel_types *all, const char *type, const char *path, struct kernel_field *out)
{
	int id;
	const struct btf *types = types_with(all, type, &id);
	struct found f = {0, (uint32_t)id};
	for (const char *rest = path; rest; rest = strchr(rest, '.')) {
		rest += *rest == '.';
		const struct btf_type *in = struct_of(types, id);
		if (!in || !member(types, in, rest, strcspn(rest, "."), f.bits, &f))
			return false;
		id = (int)f.type;
	}
	int64_t size = btf__resolve_size(types, f.type);
	if (size < 0 || size > UINT32_MAX || f.bits % 8) /* 0: an array at the end */
		return false;
	*out = (struct kernel_field){f.bits / 8, (uint32_t)size};
	return true;
}
