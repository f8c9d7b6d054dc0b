/* capability.c - the capabilities by name: capabilities(7), linux/capability.h. */
#include "policy/asked.h"

#include <string.h>

static const char *const names[CAPABILITIES] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
};

const char *capability_name(int number)
{
	return number >= 0 && number < CAPABILITIES ? names[number] : NULL;
}

int capability_number(const char *name, size_t n)
{
	for (int i = 0; i < CAPABILITIES; i++)
		if (strlen(names[i]) == n && !memcmp(names[i], name, n))
			return i;
	return -1;
}
