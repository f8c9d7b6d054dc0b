/*
 * lxc.c - a container's configuration, LXC's own or, where that is what the file turns out to
 * be, Proxmox's.
 */
#include "policy/import/lxc.h"

int foreign_lxc(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct lxc_config c = {.d = d, .out = out};
	if (lxc_is_proxmox((struct slice){text, len}))
		return foreign_proxmox(d, file, text, len, out);
	foreign_start(d, FOREIGN_LXC, file, out);
	c.open.depth = include_enter(&c.open, file); /* stdin is no file */
	lxc_read_text(&c, file, (struct slice){text, len});
	if (!c.lxc && !d->errors) {
		struct fault f = {.arena = d->arena};
		fault_set(&f, "give a container's config", "this is no LXC configuration: it has no lxc. key");
		foreign_fail(d, (struct span){.file = file}, NULL, &f);
	}
	if (d->errors)
		return -1;
	lxc_forget(&c);
	lxc_conclude(&c);
	foreign_compare(d->arena, out);
	return 0;
}
