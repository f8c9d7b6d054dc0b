/* test_names.c - policy/names.c: devices by path, group and symbol. */
#include "tests/unit/patterns.h"
#include "policy/diagram.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define GROUP_HINT "cat /proc/devices shows the groups of this host; a driver that is not loaded has none"
#define PATH_HINT "paths are looked up on this host: for a device it does not have, write the numbers, " \
	"such as \"c 1:3\""

/* ---- paths ------------------------------------------------------------------- */

static void paths(void **state)
{
	struct pattern p;
	same_text("null", parsed(*state, "/dev/null", &p), "c 1:3 rwm");
	assert_int_equal(p.types, DEV_CHAR);
	assert_int_equal(p.access, 0);
	same_text("zero", parsed(*state, "/dev/zero rw", &p), "c 1:5 rw");
	assert_int_equal(p.access, ACC_READ | ACC_WRITE);
	same_text("dots", parsed(*state, "  /dev/../dev/./full m ", &p), "c 1:7 m");
}

static void refused_paths(void **state)
{
	static const struct {
		const char *text, *error, *hint;
	} table[] = {
		{"/dev/nul", "no such file: \"/dev/nul\"", "did you mean \"/dev/null\"?"},
		{"/dev/nul rw", "no such file: \"/dev/nul\"", "did you mean \"/dev/null\"?"},
		{"/dev/uranodm", "no such file: \"/dev/uranodm\"", "did you mean \"/dev/urandom\"?"},
		{"/dev/null/x", "no such file: \"/dev/null/x\"", PATH_HINT},
		{"/dev/ no", "unknown access letter 'n'", LETTERS_HINT},
		{"/dev/qqqqqqqqqq", "no such file: \"/dev/qqqqqqqqqq\"", PATH_HINT},
		{"/nowhere/fuse", "no such file: \"/nowhere/fuse\"",
		 "this host does not have it: write \"c 10:229\""},
		{"/nowhere/sd", "no such file: \"/nowhere/sd\"",
		 "this host does not have it: write \"b 8,65-71,128-135:*\""},
		{"/nowhere/", "no such file: \"/nowhere/\"", PATH_HINT},
		{"/dev", "\"/dev\" is a directory, not a device",
		 "name the devices in it, or their group, such as \"char-pts\""},
		{"/", "\"/\" is a directory, not a device",
		 "name the devices in it, or their group, such as \"char-pts\""},
		{"/proc/self/status", "\"/proc/self/status\" is a regular file, not a device",
		 "name a device node, or write numbers, such as \"c 1:3\""},
		{"/dev/null rwx", "unknown access letter 'x'", LETTERS_HINT},
		{"/dev/null r w", "unexpected \"w\" after \"r\"",
		 "write the access letters as one word, such as rw, and nothing after"},
	};
	for (size_t i = 0; i < COUNT(table); i++)
		refused(*state, table[i].text, table[i].error, table[i].hint);

	char longer[400] = "/dev/";
	memset(longer + 5, 'x', sizeof longer - 6);
	refused(*state, longer, "cannot look at \"/dev/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	        "xxxxxxxx...\": File name too long", "write the device's numbers instead: \"c 1:3\"");
}

/* Files this test makes: a FIFO, near names, and (as root) a device node. */
static void made_paths(void **state)
{
	static const char *const files[] = {"fifo", "aab", "aac", "tty1"};
	char dir[] = "/tmp/devguard-test-XXXXXX";
	struct arena *a = *state;
	struct pattern p;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < COUNT(files); i++)
		assert_int_equal(mkfifo(arena_printf(a, "%s/%s", dir, files[i]), 0600), 0);
	char *node = arena_printf(a, "%s/disk", dir);
	bool have_node = mknod(node, S_IFBLK | 0600, makedev(4095, 1048575)) == 0;

	refused(a, arena_printf(a, "%s/fifo", dir),
	        arena_printf(a, "\"%s/fifo\" is a FIFO, not a device", dir),
	        "name a device node, or write numbers, such as \"c 1:3\"");
	/* of two names as near, the smaller, whatever the directory's order */
	refused(a, arena_printf(a, "%s/aad", dir), arena_printf(a, "no such file: \"%s/aad\"", dir),
	        arena_printf(a, "did you mean \"%s/aab\"?", dir));
	if (have_node)
		same_text("node", parsed(a, arena_printf(a, "%s r", node), &p),
		          "b 4095:1048575 r");
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(arena_printf(a, "%s/%s", dir, files[i]));
	unlink(node);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- groups ------------------------------------------------------------------ */

static const char listing[] =
	"Character devices:\n"
	"  1 mem\n"
	"  4 /dev/vc/0\n"
	"  4 tty\n"
	"  4 ttyS\n"
	"  5 /dev/tty\n"
	"136 pts\n"
	"202 cpu/msr\n"
	"203 cpu/cpuid\n"
	"511 hidraw\n"
	"\n"
	"Block devices:\n"
	"  7 loop\n"
	"128 sd\n"
	"  8 sd\n"
	" 65 sd\n"
	" 66 sd\n"
	"254 virtblk\n"
	"259 blkext";

static void groups(void **state)
{
	static const struct {
		const char *name, *canonical;
	} table[] = {
		{"char-pts", "c 136:* rwm"},
		{"char-mem", "c 1:* rwm"},
		{"char-tty", "c 4:* rwm"},
		{"char-/dev/tty", "c 5:* rwm"},
		{"char-cpu/*", "c 202-203:* rwm"},
		{"char-tty*", "c 4:* rwm"},
		{"char-*tty", "c 4-5:* rwm"},
		{"char-p?s", "c 136:* rwm"},
		{"char-[mp]*", "c 1,136:* rwm"},
		{"block-sd", "b 8,65-66,128:* rwm"},
		{"block-blkext", "b 259:* rwm"},
		{"block-*l*", "b 7,254,259:* rwm"},
		/* every device, also of drivers that are loaded later */
		{"char-*", "c *:* rwm"},
		{"block-*", "b *:* rwm"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct fault f = {.arena = *state};
		struct pattern p = {0};
		struct slice name = {table[i].name, strlen(table[i].name)};
		if (device_group(&f, name, listing, &p))
			fail_msg("%s: %s", table[i].name, f.error);
		same_text(table[i].name, pattern_text(*state, &p), table[i].canonical);
		assert_int_equal(p.types, table[i].name[0] == 'b' ? DEV_BLOCK : DEV_CHAR);
	}
}

static void refused_groups(void **state)
{
	static const struct {
		const char *name, *error, *hint;
	} table[] = {
		{"char-ptss", "no character device group \"ptss\" in /proc/devices",
		 "did you mean \"char-pts\"?"},
		{"block-ds", "no block device group \"ds\" in /proc/devices",
		 "did you mean \"block-sd\"?"},
		{"char-loop", "no character device group \"loop\" in /proc/devices",
		 "\"loop\" is a block device here: write \"block-loop\""},
		{"block-pts", "no block device group \"pts\" in /proc/devices",
		 "\"pts\" is a character device here: write \"char-pts\""},
		{"char-10", "no character device group \"10\" in /proc/devices",
		 "write \"c 10:*\" for a major number"},
		{"char-", "no character device group \"\" in /proc/devices", GROUP_HINT},
		{"char-nvidia-uvm", "no character device group \"nvidia-uvm\" in /proc/devices",
		 GROUP_HINT},
		{"char-x*y", "no character device group \"x*y\" in /proc/devices", GROUP_HINT},
		{"block-cpu/*", "no block device group \"cpu/*\" in /proc/devices", GROUP_HINT},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct fault f = {.arena = *state};
		struct pattern p = {0};
		struct slice name = {table[i].name, strlen(table[i].name)};
		assert_int_equal(device_group(&f, name, listing, &p), -1);
		same_text(table[i].name, f.error, table[i].error);
		same_text(f.error, f.hint, table[i].hint);
	}
	struct fault f = {.arena = *state};
	struct pattern p = {0};
	assert_int_equal(device_group(&f, (struct slice){"char-pts", 8}, "", &p), -1);
	assert_int_equal(device_group(&f, (struct slice){"char-pts", 8}, "nonsense\n\n 5\n", &p), -1);
}

static void groups_of_this_host(void **state)
{
	struct pattern p;
	same_text("mem", parsed(*state, "char-mem", &p), "c 1:* rwm");
	same_text("misc", parsed(*state, "char-misc rw", &p), "c 10:* rw");
	assert_int_equal(p.access, ACC_READ | ACC_WRITE);
	same_text("all", parsed(*state, "block-* m", &p), "b *:* m");
	refused(*state, "char-mem rwx", "unknown access letter 'x'", LETTERS_HINT);
	refused(*state, "char-mem r w", "unexpected \"w\" after \"r\"",
	        "write the access letters as one word, such as rw, and nothing after");
	refused(*state, "char-memm", "no character device group \"memm\" in /proc/devices",
	        "did you mean \"char-mem\"?");
}

/* ---- symbols ----------------------------------------------------------------- */

static void symbols(void **state)
{
	static const struct {
		const char *name, *canonical;
	} table[] = {
		{"mem", "c 1:1 rwm"}, {"kmem", "c 1:2 rwm"}, {"null", "c 1:3 rwm"},
		{"port", "c 1:4 rwm"}, {"zero", "c 1:5 rwm"}, {"full", "c 1:7 rwm"},
		{"random", "c 1:8 rwm"}, {"urandom", "c 1:9 rwm"}, {"kmsg", "c 1:11 rwm"},
		{"tty", "c 5:0 rwm"}, {"console", "c 5:1 rwm"}, {"ptmx", "c 5:2 rwm"},
		{"pts", "c 136:* rwm"}, {"fuse", "c 10:229 rwm"}, {"tun", "c 10:200 rwm"},
		{"net_tun", "c 10:200 rwm"}, {"kvm", "c 10:232 rwm"}, {"vhost_net", "c 10:238 rwm"},
		{"vhost-net", "c 10:238 rwm"}, {"vhost_vsock", "c 10:241 rwm"},
		{"loop_control", "c 10:237 rwm"}, {"loop", "b 7:* rwm"}, {"snapshot", "c 10:231 rwm"},
		{"hpet", "c 10:228 rwm"}, {"watchdog", "c 10:130 rwm"}, {"uinput", "c 10:223 rwm"},
		{"input", "c 13:* rwm"}, {"snd", "c 116:* rwm"}, {"video", "c 81:* rwm"},
		{"fb", "c 29:* rwm"}, {"dri", "c 226:* rwm"}, {"nvidia", "c 195:* rwm"},
		{"nvidiactl", "c 195:255 rwm"}, {"nvidia_modeset", "c 195:254 rwm"},
		{"sd", "b 8,65-71,128-135:* rwm"}, {"md", "b 9:* rwm"}, {"vfio", "c 10:196 rwm"},
		{"cuse", "c 10:203 rwm"}, {"btrfs_control", "c 10:234 rwm"},
		{"btrfs-control", "c 10:234 rwm"}, {"mapper_control", "c 10:236 rwm"},
		{"ttyS", "c 4:64-255 rwm"}, {"vcs", "c 7:* rwm"}, {"sr", "b 11:* rwm"},
		{"tty0", "c 4:0 rwm"}, {"tty63", "c 4:63 rwm"}, {"ttyS0", "c 4:64 rwm"},
		{"ttyS191", "c 4:255 rwm"}, {"event31", "c 13:95 rwm"}, {"mouse0", "c 13:32 rwm"},
		{"nvidia0", "c 195:0 rwm"}, {"card1", "c 226:1 rwm"}, {"renderD128", "c 226:128 rwm"},
		{"renderD191", "c 226:191 rwm"}, {"fb31", "c 29:31 rwm"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern p;
		const char *error, *hint;
		if (pattern_named(*state, table[i].name, &p, &error, &hint))
			fail_msg("%s: %s", table[i].name, error);
		assert_null(error);
		assert_null(hint);
		assert_int_equal(p.access, 0);
		same_text(table[i].name, pattern_text(*state, &p), table[i].canonical);
		same_text("text", p.text, arena_printf(*state, ":%s", table[i].name));
	}
}

static void refused_symbols(void **state)
{
	static const char no_idea[] = "write its numbers (\"c 10:200\"), its path (\"/dev/net/tun\") "
	                              "or its group (\"char-pts\")";
	static const struct {
		const char *name, *error, *hint;
	} table[] = {
		{"nul", "unknown device :nul", "did you mean :null?"},
		{"fues", "unknown device :fues", "did you mean :fuse?"},
		{"vhost_nte", "unknown device :vhost_nte", "did you mean :vhost_net?"},
		{"", "unknown device :", no_idea},
		{"gpu_of_mine", "unknown device :gpu_of_mine", no_idea},
		{"tty64", "unknown device :tty64", "the names are tty0 to tty63"},
		{"tty01", "unknown device :tty01", "the names are tty0 to tty63"},
		{"ttyS192", "unknown device :ttyS192", "the names are ttyS0 to ttyS191"},
		{"renderD127", "unknown device :renderD127",
		 "the names are renderD128 to renderD191"},
		{"renderD192", "unknown device :renderD192",
		 "the names are renderD128 to renderD191"},
		{"renderD", "unknown device :renderD", no_idea},
		{"\033[2J", "unknown device :\\x1b[2J", no_idea},
		{"nvme", "device :nvme has no fixed number",
		 "write \"/dev/nvme0n1\": it is looked up on this host"},
		{"rtc", "device :rtc has no fixed number",
		 "write \"char-rtc\": it is looked up on this host"},
		{"vhost-scsi", "device :vhost-scsi has no fixed number",
		 "write \"/dev/vhost-scsi\": it is looked up on this host"},
		{"nvidia_uvm", "device :nvidia_uvm has no fixed number",
		 "write \"char-nvidia-uvm\": it is looked up on this host"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern p = {.types = 77};
		const char *error = NULL, *hint = NULL;
		assert_int_equal(pattern_named(*state, table[i].name, &p, &error, &hint), -1);
		assert_int_equal(p.types, 77);
		same_text(table[i].name, error, table[i].error);
		same_text(error, hint, table[i].hint);
	}
}

/* Where this host has a device of that name, the table agrees with it. Left out:
 * what containers replace (console, kmsg, random...). */
static void symbols_agree_with_this_host(void **state)
{
	static const char *const table[][2] = {
		{"mem", "mem"}, {"null", "null"}, {"port", "port"}, {"zero", "zero"}, {"full", "full"},
		{"urandom", "urandom"}, {"tty", "tty"},
		{"ttyS0", "ttyS0"},
		{"psaux", "psaux"}, {"watchdog", "watchdog"}, {"nvram", "nvram"}, {"hwrng", "hwrng"},
		{"vfio", "vfio/vfio"}, {"tun", "net/tun"}, {"cuse", "cuse"}, {"uinput", "uinput"},
		{"mcelog", "mcelog"}, {"hpet", "hpet"}, {"fuse", "fuse"}, {"snapshot", "snapshot"},
		{"kvm", "kvm"}, {"btrfs_control", "btrfs-control"}, {"autofs", "autofs"},
		{"mapper_control", "mapper/control"}, {"loop_control", "loop-control"},
		{"vhost_net", "vhost-net"}, {"uhid", "uhid"}, {"vhost_vsock", "vhost-vsock"},
		{"rfkill", "rfkill"}, {"loop", "loop0"}, {"sd", "sda"}, {"sr", "sr0"}, {"vcs", "vcs"},
		{"fb", "fb0"}, {"input", "input/event0"}, {"event0", "input/event0"},
		{"dri", "dri/card0"}, {"renderD128", "dri/renderD128"}, {"snd", "snd/timer"},
		{"ppp", "ppp"}, {"nvidiactl", "nvidiactl"}, {"msr", "cpu/0/msr"}, {"cpuid", "cpu/0/cpuid"},
		{"sg", "sg0"}, {"md", "md0"}, {"mmcblk", "mmcblk0"}, {"nbd", "nbd0"}, {"hvc", "hvc0"},
	};
	size_t checked = 0;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *error, *hint, *path = arena_printf(*state, "/dev/%s", table[i][1]);
		struct pattern p;
		struct stat st;
		assert_int_equal(pattern_named(*state, table[i][0], &p, &error, &hint), 0);
		if (stat(path, &st) || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			continue;
		checked++;
		if (!pattern_matches(&p, false, S_ISCHR(st.st_mode) ? DEV_CHAR : DEV_BLOCK,
		                     major(st.st_rdev), minor(st.st_rdev), ACC_READ))
			fail_msg(":%s is %s, but %s is %u:%u", table[i][0], pattern_text(*state, &p),
			         path, major(st.st_rdev), minor(st.st_rdev));
	}
	assert_true(checked >= 3); /* null, zero, full... are everywhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(paths), ARENA_TEST(refused_paths), ARENA_TEST(made_paths), ARENA_TEST(groups),
		ARENA_TEST(refused_groups), ARENA_TEST(groups_of_this_host), ARENA_TEST(symbols),
		ARENA_TEST(refused_symbols), ARENA_TEST(symbols_agree_with_this_host),
	};
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
