/* work_names.c - the files and cgroups that the policy which stands in a program names. */
#include "cmd/room/judge.h"

#include <string.h>

#include "policy/asked.h"

_Static_assert((int)NAMED_PATH > (int)PATH_NAME_MAX, "each name has room");

bool judge_tells_names(struct judge *j, const struct frame *f)
{
	struct arena *a = j->in->arena;
	const char *meaning;
	if (f->len != sizeof(struct about))
		return false;
	const struct policy *p = j->program ? policy_in_program(a, j->file, j->program, &meaning) : NULL;
	const struct asked *asked = p ? policy_asks(p) : NULL;
	struct named_head head = {.known = p != NULL, .n = p ? (uint32_t)asked->npaths : 0};
	size_t len = sizeof head + head.n * sizeof(struct named_record);
	char *bytes = arena_alloc(a, len);
	memcpy(bytes, &head, sizeof head);
	for (uint32_t i = 0; i < head.n; i++) {
		const struct path_named *named = &asked->paths[i];
		struct named_record r = {.line = named->at.line, .is_cgroup = named->is_cgroup};
		record_text(r.path, sizeof r.path, named->path);
		record_text(r.file, sizeof r.file, named->at.file && p->file && strcmp(named->at.file, p->file) ? named->at.file : NULL);
		memcpy(bytes + sizeof head + i * sizeof r, &r, sizeof r);
	}
	inside_write(j->in, FRAME_NAMED, bytes, len);
	return true;
}
