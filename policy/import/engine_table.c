/*
 * engine_table.c - which options of docker run, podman run and nerdctl run take a value. One
 * that is not here is not guessed: what follows it may be the image.
 */
#include "policy/import/engine.h"

#include <string.h>

/* clang-format off */
static const char *const alone[] = {
	"detach", "disable-content-trust", "env-host", "help", "http-proxy", "init", "interactive", "no-healthcheck",
	"no-hostname", "no-hosts", "oom-kill-disable", "passwd", "privileged", "publish-all", "quiet", "read-only",
	"read-only-tmpfs", "replace", "rm", "rmi", "rootfs", "sig-proxy", "tls-verify", "tty", "unsetenv-all",
	"use-api-socket",
};
static const char *const valued[] = {
	"add-host", "annotation", "arch", "attach", "authfile", "blkio-weight", "blkio-weight-device", "cap-add",
	"cap-drop", "cgroup-conf", "cgroup-parent", "cgroupns", "cgroups", "chrootdirs", "cidfile", "conmon-pidfile",
	"cpu-count", "cpu-percent", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus",
	"cpuset-cpus", "cpuset-mems", "creds", "decryption-key", "detach-keys", "device", "device-cgroup-rule",
	"device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops", "dns", "dns-opt", "dns-option",
	"dns-search", "domainname", "entrypoint", "env", "env-file", "env-merge", "expose", "gidmap", "gpus", "group-add",
	"group-entry", "health-cmd", "health-interval", "health-log-destination", "health-max-log-count",
	"health-max-log-size", "health-on-failure", "health-retries", "health-start-interval", "health-start-period",
	"health-startup-cmd", "health-startup-interval", "health-startup-retries", "health-startup-success",
	"health-startup-timeout", "health-timeout", "hostname", "hosts-file", "hostuser", "image-volume", "init-ctr",
	"init-path", "ip", "ip6", "ipc", "isolation", "kernel-memory", "label", "label-file", "link", "link-local-ip",
	"log-driver", "log-opt", "mac-address", "memory", "memory-reservation", "memory-swap", "memory-swappiness", "mount",
	"name", "net", "net-alias", "network", "network-alias", "oom-score-adj", "os", "passwd-entry", "personality", "pid",
	"pidfile", "pids-limit", "platform", "pod", "pod-id-file", "preserve-fd", "preserve-fds", "publish", "pull",
	"rdt-class", "requires", "restart", "retry", "retry-delay", "runtime", "sdnotify", "seccomp-policy", "secret",
	"security-opt", "shm-size", "shm-size-systemd", "stop-signal", "stop-timeout", "storage-opt", "subgidname",
	"subuidname", "sysctl", "systemd", "timeout", "tmpfs", "tz", "uidmap", "ulimit", "umask", "unsetenv", "user",
	"userns", "uts", "variant", "volume", "volume-driver", "volumes-from", "workdir",
};
/* clang-format on */

static bool among(struct slice name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, list[i]))
			return true;
	return false;
}

enum engine_option engine_long(struct slice name)
{
	if (among(name, alone, sizeof alone / sizeof *alone))
		return OPTION_ALONE;
	return among(name, valued, sizeof valued / sizeof *valued) ? OPTION_VALUE : OPTION_UNKNOWN;
}

enum engine_option engine_short(char letter)
{
	return !letter                      ? OPTION_UNKNOWN
	       : strchr("ditPq", letter)     ? OPTION_ALONE
	       : strchr("acehlmpuvw", letter) ? OPTION_VALUE
	                                     : OPTION_UNKNOWN;
}
