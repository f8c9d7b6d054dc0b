/*
 * container.c - what the lists of containers have in common: the devices that every
 * container has, and those with all of them.
 */
#include "policy/import/internal.h"

enum { TUN = 200 };

void foreign_add_usual(struct arena *a, struct foreign *f, struct usual u)
{
	enum { MISC = 10, CONSOLE = 1 };
	const struct { uint8_t types, access; int32_t major, minor; } devices[] = {
		{DEV_CHAR | DEV_BLOCK, ACC_MKNOD, FOREIGN_ANY, FOREIGN_ANY},
		{DEV_CHAR, ACC_ALL, 1, 3}, {DEV_CHAR, ACC_ALL, 1, 5}, {DEV_CHAR, ACC_ALL, 1, 7},
		{DEV_CHAR, ACC_ALL, 1, 8}, {DEV_CHAR, ACC_ALL, 1, 9}, {DEV_CHAR, ACC_ALL, 5, 0},
		{DEV_CHAR, ACC_ALL, 5, CONSOLE}, {DEV_CHAR, ACC_ALL, 5, 2}, {DEV_CHAR, ACC_ALL, MISC, u.misc},
		{DEV_CHAR, ACC_ALL, 136, FOREIGN_ANY},
	};
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		if (u.console || devices[i].major != 5 || devices[i].minor != CONSOLE)
			foreign_add(a, f, (struct foreign_entry){
				.allow = true, .builtin = true, .v2 = u.v2, .types = devices[i].types, .access = devices[i].access,
				.major = devices[i].major, .minor = devices[i].minor, .place = (uint32_t)i});
}

void foreign_add_runtime(struct arena *a, struct foreign *f)
{
	foreign_add_usual(a, f, (struct usual){.misc = TUN, .console = true});
}

void foreign_privileged(struct foreign *out)
{
	out->open = "the container is privileged: its runtime filters nothing";
}

void foreign_container(struct arena *a, struct foreign *out, bool said)
{
	if (!said) {
		out->silent = "nothing in it is about devices: no privileged, devices or rules for them";
		out->silent_hint = "the container then has the devices every container has, and no others: say so with an "
				   "empty list of devices; to allow every device, give --empty-is-allow";
	}
	if (out->open) {
		out->n = 0;
		out->default_allow = true;
	}
	foreign_add_runtime(a, out);
	foreign_compare(a, out);
}
