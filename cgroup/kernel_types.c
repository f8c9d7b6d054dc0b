/* kernel_types.c - the kernel's own types: where a field is in one of its structs. */
#include "cgroup/kernel_types.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

struct btf *kernel_types(void)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL);
	struct btf *types = btf__load_vmlinux_btf();
	int error = errno;
	libbpf_set_print(before);
	errno = error;
	if (types)
		return types;
	if (errno != ENOMEM && errno != EACCES && errno != EPERM)
		errno = ENOENT;
	return NULL;
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

bool kernel_field(const struct btf *types, const char *type, const char *path, struct kernel_field *out)
{
	int id = btf__find_by_name_kind(types, type, BTF_KIND_STRUCT);
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
