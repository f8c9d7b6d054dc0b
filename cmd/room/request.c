/* request.c - requests as records. */
#include "cmd/room/room.h"

#include <string.h>

/* Of another process nothing is believed but numbers that fit. */
static struct request_who without_texts(const struct request_who *w)
{
	struct request_who out = *w;
	out.cgroup = out.exe = out.parent_exe = NULL;
	out.ngroups = w->ngroups < REQUEST_GROUPS ? w->ngroups : REQUEST_GROUPS;
	out.nnot = w->nnot < REQUEST_GROUPS ? w->nnot : REQUEST_GROUPS;
	out.nunder = w->nunder < REQUEST_LEVELS ? w->nunder : REQUEST_LEVELS;
	return out;
}

struct request_record request_record(const struct request *r)
{
	struct request_record out = {.type = r->type, .access = r->access, .major = r->major, .minor = r->minor,
	                             .known = r->known, .nmore = (uint32_t)r->nmore};
	memcpy(out.fact, r->fact, sizeof out.fact);
	out.who = without_texts(&r->who);
	for (size_t i = 0; i < r->nmore; i++) {
		out.more[i].id = r->more[i].id;
		out.more[i].value = r->more[i].value;
		out.more[i].absent = r->more[i].absent;
	}
	return out;
}

struct request request_of(const struct request_record *r)
{
	struct request out = {.type = r->type, .access = r->access, .major = r->major, .minor = r->minor,
	                      .known = r->known};
	memcpy(out.fact, r->fact, sizeof out.fact);
	out.who = without_texts(&r->who);
	out.nmore = r->nmore < REQUEST_MORE ? r->nmore : REQUEST_MORE;
	for (size_t i = 0; i < out.nmore; i++)
		out.more[i] = (struct request_more){.id = r->more[i].id, .value = r->more[i].value, .absent = r->more[i].absent};
	return out;
}

bool request_taken(const struct request_record *r, struct request *out)
{
	const input_set facts = (INPUT(IN_PARAM_0) - 1) & ~(INPUT(IN_UID) - 1);
	bool one = (r->type == DEV_BLOCK || r->type == DEV_CHAR) && r->access >= 0 && r->access <= ACC_ALL && r->major >= 0 &&
	           r->major <= MAJOR_MAX && r->minor >= 0 && r->minor <= MINOR_MAX && !(r->known & ~facts) && !r->nmore;
	for (enum input in = IN_UID; in < IN_PARAM_0 && one; in++) {
		int64_t lo, hi;
		input_range(in, &lo, &hi);
		one = !(r->known & INPUT(in)) || (r->fact[in] >= lo && r->fact[in] <= hi);
	}
	*out = request_of(r);
	return one;
}
