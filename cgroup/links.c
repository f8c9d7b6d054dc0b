/* links.c - which programs are attached to cgroups by a bpf_link: one walk over the kernel's links. */
#include "cgroup/link.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>

int cgroup_links(struct arena *a, struct cgroup_link **list, size_t *n)
{
	size_t cap = 0;
	uint32_t id = 0;
	int error;
	*list = NULL;
	*n = 0;
	while (!(error = bpf_link_get_next_id(id, &id))) {
		struct bpf_link_info info;
		int fd = bpf_link_get_fd_by_id(id);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (link_info(fd, &info) && info.cgroup.attach_type == BPF_CGROUP_DEVICE)
			*ARENA_PUSH(a, *list, *n, cap) = (struct cgroup_link){id, info.prog_id, info.cgroup.cgroup_id};
		close(fd);
	}
	return error == -ENOENT ? 0 : error;
}
