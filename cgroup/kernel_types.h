/* kernel_types.h - the kernel's own types: where a field is in one of its structs. */
#ifndef DEVGUARD_CGROUP_KERNEL_TYPES_H
#define DEVGUARD_CGROUP_KERNEL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

/* The types of the running kernel (btf__free()), or NULL with errno, ENOENT: it has none that can be read. */
struct btf *kernel_types(void);

struct kernel_field { uint32_t offset, size; /* in bytes */ };
/* A field of a struct by its name, as "f_inode" or "i_uid.val"; also in structs without a name within it. */
bool kernel_field(const struct btf *types, const char *type, const char *path, struct kernel_field *out);

#endif
