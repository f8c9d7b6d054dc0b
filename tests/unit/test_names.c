/* test_names.c - policy/names.c: devices by path, group and symbol. */
#include "tests/unit/patterns.h"
#include "policy/diagram.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define GROUP_HINT "cat /proc/devices shows the groups of this host; a driver that is not loaded has none"
#define HERE_HINT "its number is told by the host: plug it in, or load its driver"
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
		{"/dev/nul rw", "no such file: \"/dev/nul\"", "did you mean \"/dev/null rw\"?"},
		{"/dev/uranodm", "no such file: \"/dev/uranodm\"", "did you mean \"/dev/urandom\"?"},
		{"/dev/null/x", "no such file: \"/dev/null/x\"", PATH_HINT},
		{"/dev/ no", "unknown access letter 'n'", LETTERS_HINT},
		{"/dev/qqqqqqqqqq", "no such file: \"/dev/qqqqqqqqqq\"", PATH_HINT},
		{"/nowhere/fuse", "no such file: \"/nowhere/fuse\"",
		 "this host does not have it: write \"c 10:229\""},
		/* never more than what was asked for */
		{"/nowhere/sd", "no such file: \"/nowhere/sd\"", PATH_HINT},
		{"/dev/loop", "no such file: \"/dev/loop\"", "did you mean \"/dev/loop0\"?"},
		{"/dev/sdx", "no such file: \"/dev/sdx\"", "this host does not have it: write \"b 65:112\""},
		{"/nowhere/sdx3 r", "no such file: \"/nowhere/sdx3\"", "this host does not have it: write \"b 65:115 r\""},
		{"/dev/ttyUSB200", "no such file: \"/dev/ttyUSB200\"", "this host does not have it: write \"c 188:200\""},
		{"/dev/input/event31", "no such file: \"/dev/input/event31\"", "this host does not have it: write \"c 13:95\""},
		{"/dev/hidraw91", "no such file: \"/dev/hidraw91\"", "its number is told by the host: plug it in, or load its driver (modprobe hid)"},
		{"/dev/nvme91n1p2 rw", "no such file: \"/dev/nvme91n1p2\"", "its number is told by the host: plug it in, or load its driver (modprobe nvme)"},
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
		/* never the whole group for one of it */
		{"char-pts0", "no character device group \"pts0\" in /proc/devices", "it is one device and no group: write :pts0"},
		{"block-sda", "no block device group \"sda\" in /proc/devices", "it is one device and no group: write :sda"},
		{"char-hidraw7", "no character device group \"hidraw7\" in /proc/devices",
		 "it is one device and no group: write :hidraw7"},
		{"char-mem2", "no character device group \"mem2\" in /proc/devices", GROUP_HINT},
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
		/* numbers that devices.txt fixes */
		{"ttyUSB0", "c 188:0 rwm"}, {"ttyACM3", "c 166:3 rwm"}, {"loop0", "b 7:0 rwm"},
		{"loop255", "b 7:255 rwm"}, {"tpm0", "c 10:224 rwm"}, {"sr0", "b 11:0 rwm"},
		{"md0", "b 9:0 rwm"}, {"sg1", "c 21:1 rwm"}, {"st0", "c 9:0 rwm"}, {"nst1", "c 9:129 rwm"},
		{"fd0", "b 2:0 rwm"}, {"ram3", "b 1:3 rwm"}, {"lp0", "c 6:0 rwm"}, {"vcs1", "c 7:1 rwm"},
		{"vcsa63", "c 7:191 rwm"}, {"i2c_1", "c 89:1 rwm"}, {"i2c-1", "c 89:1 rwm"},
		{"mtd2", "c 90:4 rwm"}, {"mtdblock2", "b 31:2 rwm"}, {"pts0", "c 136:0 rwm"},
		{"ttyAMA0", "c 204:64 rwm"}, {"rfcomm0", "c 216:0 rwm"}, {"hvc0", "c 229:0 rwm"},
		{"drbd1", "b 147:1 rwm"}, {"card0", "c 226:0 rwm"},
		{"sda", "b 8:0 rwm"}, {"sda3", "b 8:3 rwm"}, {"sda15", "b 8:15 rwm"}, {"sdp", "b 8:240 rwm"},
		{"sdq", "b 65:0 rwm"}, {"sdz", "b 65:144 rwm"}, {"sdaa", "b 65:160 rwm"}, {"sdaf1", "b 65:241 rwm"},
		{"sddx", "b 71:240 rwm"}, {"sddy", "b 128:0 rwm"}, {"sdiv", "b 135:240 rwm"},
		{"sdiv15", "b 135:255 rwm"}, {"xvda", "b 202:0 rwm"}, {"xvdb2", "b 202:18 rwm"},
		{"dasda1", "b 94:1 rwm"}, {"dasdb", "b 94:4 rwm"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern p;
		const char *error, *hint;
		if (pattern_named(*state, &host_here, table[i].name, &p, &error, &hint))
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
		{"renderD", "unknown device :renderD", "write which one: :renderD128"},
		{"ttyUSB256", "device :ttyUSB256 is not on this host: there is no /dev/ttyUSB256", HERE_HINT " (modprobe usbserial)"},
		{"event991", "device :event991 is not on this host: there is no /dev/input/event991", HERE_HINT " (modprobe evdev)"},
		{"st32", "unknown device :st32", "the names are st0 to st31"},
		{"vcs0", "unknown device :vcs0", "the names are vcs1 to vcs63"},
		/* a number is never answered by a whole kind of devices */
		{"ttyUBS0", "unknown device :ttyUBS0", "did you mean :ttyUSB0?"},
		{"vidoe3", "unknown device :vidoe3", "did you mean :video3?"},
		{"ttyUSB_0", "unknown device :ttyUSB_0", "did you mean :ttyUSB0?"},
		{"sdaaaa", "unknown device :sdaaaa", no_idea},
		{"sda0", "device :sda0 is not on this host: there is no /dev/sda0", HERE_HINT},
		{"sda16", "device :sda16 is not on this host: there is no /dev/sda16", HERE_HINT},
		{"sdiw", "device :sdiw is not on this host: there is no /dev/sdiw", HERE_HINT},
		{"nvidiaa", "unknown device :nvidiaa", no_idea},
		{"vidoe", "unknown device :vidoe", "did you mean :video?"},
		{"hidrwa", "unknown device :hidrwa", "did you mean :hidraw?"},
		/* what has no fixed number and is not here */
		{"hidraw91", "device :hidraw91 is not on this host: there is no /dev/hidraw91", HERE_HINT " (modprobe hid)"},
		{"tpmrm91", "device :tpmrm91 is not on this host: there is no /dev/tpmrm91", HERE_HINT " (modprobe tpm_tis)"},
		{"tpm91", "device :tpm91 is not on this host: there is no /dev/tpm91", HERE_HINT " (modprobe tpm_tis)"},
		{"nvme91n1p2", "device :nvme91n1p2 is not on this host: there is no /dev/nvme91n1p2", HERE_HINT " (modprobe nvme)"},
		{"dm_91", "device :dm_91 is not on this host: there is no /dev/dm-91", HERE_HINT " (modprobe dm_mod)"},
		{"nvidia_cap91", "device :nvidia_cap91 is not on this host: there is no /dev/nvidia-caps/nvidia-cap91", HERE_HINT " (modprobe nvidia)"},
		{"loop91p1", "device :loop91p1 is not on this host: there is no /dev/loop91p1", HERE_HINT},
		{"tpmrm", "device :tpmrm has no fixed number", "write which one: :tpmrm0 is looked up on this host"},
		{"hidraw", "device :hidraw has no fixed number",
		 "write which one, :hidraw0, or \"char-hidraw\" for all: they are looked up on this host"},
		{"event", "unknown device :event", "write which one: :event0"},
		{"\033[2J", "unknown device :\\x1b[2J", no_idea},
		{"nvme", "device :nvme has no fixed number",
		 "write which one: :nvme0n1 is looked up on this host"},
		{"rtc", "device :rtc has no fixed number",
		 "write which one, :rtc0, or \"char-rtc\" for all: they are looked up on this host"},
		{"vhost-scsi", "device :vhost-scsi has no fixed number",
		 "write \"/dev/vhost-scsi\": it is looked up on this host"},
		{"nvidia_uvm", "device :nvidia_uvm has no fixed number",
		 "write \"char-nvidia-uvm\": it is looked up on this host"},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern p = {.types = 77};
		const char *error = NULL, *hint = NULL;
		bool absent = strstr(table[i].error, "is not on this host");
		assert_int_equal(pattern_named(*state, &host_here, table[i].name, &p, &error, &hint),
		                 absent ? PATTERN_MISSING : -1);
		assert_int_equal(p.types, 77);
		same_text(table[i].name, error, table[i].error);
		same_text(error, hint, table[i].hint);
	}
}

/* A host with devices that ours need not have. */
static void device_elsewhere(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	static const struct { const char *path; uint32_t mode; int major, minor; } has[] = {
		{"/dev/hidraw0", S_IFCHR, 245, 0}, {"/dev/nvme0n1", S_IFBLK, 259, 1}, {"/dev/nvme0n1p3", S_IFBLK, 259, 4},
		{"/dev/video0", S_IFCHR, 81, 2}, {"/dev/dm-1", S_IFBLK, 253, 1}, {"/dev/sda16", S_IFBLK, 259, 9},
		{"/dev/sdiw", S_IFBLK, 8, 256}, {"/dev/vda2", S_IFBLK, 254, 2}, {"/dev/nbd1", S_IFBLK, 43, 32},
		{"/dev/tpm1", S_IFCHR, 250, 1}, {"/dev/input/event40", S_IFCHR, 13, 296}, {"/dev/tpmrm0", S_IFCHR, 250, 65536}, {"/dev/loop3p1", S_IFBLK, 259, 12},
		{"/dev/iio:device0", S_IFCHR, 240, 0}, {"/dev/nvidia-caps/nvidia-cap1", S_IFCHR, 241, 1},
		{"/dev/snd/pcmC0D0p", S_IFCHR, 116, 5}, {"/dev/zram0", S_IFREG, 0, 0}, {"/dev/rtc0", S_IFBLK, 1, 1},
	};
	(void)h, (void)a;
	*out = (struct host_device){.error = ENOENT};
	for (size_t i = 0; i < COUNT(has); i++)
		if (!strcmp(has[i].path, path))
			*out = (struct host_device){.mode = has[i].mode, .major = has[i].major, .minor = has[i].minor};
}

static void symbols_that_the_host_tells(void **state)
{
	static const struct host elsewhere = {.device = device_elsewhere};
	static const char *const table[][2] = {
		{"hidraw0", "c 245:0 rwm"}, {"nvme0n1", "b 259:1 rwm"}, {"nvme0n1p3", "b 259:4 rwm"}, {"video0", "c 81:2 rwm"},
		{"dm_1", "b 253:1 rwm"}, {"dm-1", "b 253:1 rwm"}, {"sda16", "b 259:9 rwm"}, {"sdiw", "b 8:256 rwm"},
		{"vda2", "b 254:2 rwm"}, {"nbd1", "b 43:32 rwm"}, {"tpm1", "c 250:1 rwm"}, {"tpmrm0", "c 250:65536 rwm"},
		{"loop3p1", "b 259:12 rwm"}, {"iio:device0", "c 240:0 rwm"}, {"nvidia_cap1", "c 241:1 rwm"},
		{"pcmC0D0p", "c 116:5 rwm"}, {"event40", "c 13:296 rwm"},
	};
	struct pattern p;
	const char *error, *hint;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (pattern_named(*state, &elsewhere, table[i][0], &p, &error, &hint))
			fail_msg("%s: %s", table[i][0], error);
		same_text(table[i][0], pattern_text(*state, &p), table[i][1]);
		assert_true(p.here);
	}
	assert_int_equal(pattern_named(*state, &elsewhere, "sda", &p, &error, &hint), 0); /* fixed: not asked */
	assert_false(p.here);
	assert_int_equal(pattern_named(*state, &elsewhere, "zram0", &p, &error, &hint), -1);
	same_text("zram0", error, "\"/dev/zram0\" is a regular file, not a device");
	assert_int_equal(pattern_named(*state, &elsewhere, "rtc0", &p, &error, &hint), -1);
	same_text("rtc0", error, "/dev/rtc0 is no character device here");
}

/* ---- paths with wildcards --------------------------------------------------------------- */

static int matches_elsewhere(const struct host *h, struct arena *a, const char *pattern, const char **listing)
{
	(void)h, (void)a;
	*listing = !strcmp(pattern, "/dev/nvidia*")   ? "c 195:0 /dev/nvidia0\nc 195:255 /dev/nvidiactl\nc 511:0 /dev/nvidia-uvm\n"
	           : !strcmp(pattern, "/dev/loose*")  ? "/dev/loose1"
	           : !strcmp(pattern, "/dev/broken*") ? "c 1\n"
	                                              : "";
	return !strcmp(pattern, "/dev/loose*")        ? EACCES
	       : !strcmp(pattern, "/dev/many*")       ? E2BIG
	       : !strcmp(pattern, "/dev/out*")        ? EXDEV
	       : !strcmp(pattern, "/dev/usb/nothing*") ? ENOENT
	                                              : 0;
}
static const struct host elsewhere = {.device = device_elsewhere, .matches = matches_elsewhere};

static void paths_with_wildcards(void **state)
{
	static const char *const want[][2] = {{"/dev/nvidia0 rw", "c 195:0 rw"}, {"/dev/nvidiactl rw", "c 195:255 rw"},
	                                      {"/dev/nvidia-uvm rw", "c 511:0 rw"}};
	struct pattern *list;
	size_t n;
	const char *error, *hint;
	assert_int_equal(patterns_matching(*state, &elsewhere, "/dev/nvidia* rw", &list, &n, &error, &hint), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		same_text("its path", list[i].text, want[i][0]);
		same_text("its numbers", pattern_text(*state, &list[i]), want[i][1]);
	}
	assert_true(pattern_is_glob("/dev/ttyUSB? r") && pattern_is_glob("/dev/[ab]") && pattern_is_glob("/x/*"));
	assert_false(pattern_is_glob("c 1:*") || pattern_is_glob("char-*") || pattern_is_glob("/dev/null *") || pattern_is_glob(""));
	/* of this host */
	assert_int_equal(patterns_matching(*state, &host_dev, "/dev/nul[l]", &list, &n, &error, &hint), 0);
	assert_int_equal(n, 1);
	same_text("null", pattern_text(*state, list), "c 1:3 rwm");
	assert_int_equal(patterns_matching(*state, &host_dev, "/dev/?ull r", &list, &n, &error, &hint), 0);
	assert_true(n >= 2); /* full, null: by name */
	same_text("full", list[0].text, "/dev/full r");
	/* links out of /dev that are no devices, directories and so on are none */
	assert_int_equal(patterns_matching(*state, &host_dev, "/dev/fd*", &list, &n, &error, &hint), PATTERN_MISSING);
}

static void refused_wildcards(void **state)
{
	static const char not_there[] = "a path with wildcards is what is there when the policy is compiled; missing: :skip goes on "
	                                "without it";
	static const struct {
		const char *text, *error, *hint;
		int rc;
	} table[] = {
		{"/dev/ttyUSB*", "no device is at \"/dev/ttyUSB*\"", not_there, PATTERN_MISSING},
		{"/dev/usb/nothing* r", "no device is at \"/dev/usb/nothing*\"", not_there, PATTERN_MISSING},
		{"/dev/loose*", "\"/dev/loose1\" is not trusted: others than root can write a directory on the way",
		 "write a pattern that does not match it, or the numbers: \"c 1:3\"", -1},
		{"/dev/out*", "\"/dev/out*\" leads out of /dev", "write a pattern that does not match it, or the numbers: \"c 1:3\"", -1},
		{"/dev/many*", "more than 1024 devices are at \"/dev/many*\"",
		 "name their group, such as \"char-pts\", or their numbers", -1},
		{"/dev/broken*", "cannot look at \"/dev/broken*\": Bad message", "write the devices' numbers instead: \"c 1:3\"", -1},
		{"/tmp/x*", "\"/tmp/x*\" is not below /dev",
		 "a device's path begins with /dev/; of a device that is elsewhere, write the numbers: \"c 1:3\"", -1},
		{"/dev/*/null", "wildcards in a directory's name: \"/dev/*/null\"", "write a rule for each directory", -1},
		{"/dev/null* rx", "unknown access letter 'x'", LETTERS_HINT, -1},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct pattern *list;
		size_t n;
		const char *error = NULL, *hint = NULL;
		assert_int_equal(patterns_matching(*state, &elsewhere, table[i].text, &list, &n, &error, &hint), table[i].rc);
		same_text(table[i].text, error, table[i].error);
		same_text(error, hint, table[i].hint);
	}
}

/* A node that others could have put there is no reason to go on without it. */
static void untrusted_matches(void **state)
{
	const char *listing = "", *outside = "/tmp/devguard-node", *link = "/dev/devguard-link";
	bool made = !mknod(outside, S_IFCHR | 0600, makedev(1, 3)) && !symlink(outside, link);
	int rc = made ? host_dev.matches(&host_dev, *state, "/dev/devguard-lin?", &listing) : EXDEV;
	unlink(link);
	unlink(outside);
	assert_int_equal(rc, EXDEV);
	if (made)
		same_text("which", listing, link);
	assert_int_equal(host_dev.matches(&host_dev, *state, "/dev/shm/*", &listing), EACCES);
	assert_int_equal(host_dev.matches(&host_dev, *state, "/dev/../etc/*", &listing), EXDEV);
	assert_int_equal(host_dev.matches(&host_dev, *state, "/etc/*", &listing), EXDEV);
	assert_int_equal(host_dev.matches(&host_dev, *state, "/dev/null/*", &listing), ENOTDIR);
	assert_int_equal(host_dev.matches(&host_dev, *state, "/dev/absent/*", &listing), ENOENT);
}

/* Stable names are links: they mean the node they lead to, by themselves and where they match. */
static void stable_links(void **state)
{
	static const char link[] = "/dev/devguard-by-id-usb_adapter-port0";
	struct pattern p = {0}, *list = NULL;
	size_t n = 0;
	const char *error, *hint;
	if (symlink("../dev/zero", link))
		skip();
	int rc = pattern_parse(*state, &host_dev, arena_printf(*state, "%s rw", link), &p, &error, &hint);
	int all = patterns_matching(*state, &host_dev, "/dev/devguard-by-id-usb_*", &list, &n, &error, &hint);
	unlink(link);
	assert_int_equal(rc, -1); /* it leads out of /dev, and in again */
	same_text("out", error, arena_printf(*state, "\"%s\" leads out of /dev", link));
	assert_int_equal(all, -1);
	if (symlink("zero", link))
		skip();
	rc = pattern_parse(*state, &host_dev, arena_printf(*state, "%s rw", link), &p, &error, &hint);
	all = patterns_matching(*state, &host_dev, "/dev/devguard-by-id-usb_*", &list, &n, &error, &hint);
	unlink(link);
	assert_int_equal(rc, 0);
	same_text("zero", pattern_text(*state, &p), "c 1:5 rw");
	assert_int_equal(all, 0);
	assert_int_equal(n, 1);
	same_text("its own path", list[0].text, link);
	same_text("zero too", pattern_text(*state, list), "c 1:5 rwm");
}

/* What is left out matches nothing, and keeps the letters that were written. */
static void left_out(void **state)
{
	struct pattern p = {0};
	const char *error, *hint;
	assert_int_equal(pattern_parse(*state, &elsewhere, "/dev/sdb rw", &p, &error, &hint), PATTERN_MISSING);
	assert_int_equal(p.access, ACC_READ | ACC_WRITE);
	p = pattern_left_out(*state, "/dev/sdb rw", p.access);
	assert_int_equal(p.types, 0);
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		assert_false(pattern_matches(&p, false, type, 0, 0, ACC_READ) || pattern_matches(&p, true, type, 0, 0, 0));
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
		assert_int_equal(pattern_named(*state, &host_here, table[i][0], &p, &error, &hint), 0);
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
		ARENA_TEST(refused_symbols), ARENA_TEST(symbols_that_the_host_tells), ARENA_TEST(paths_with_wildcards),
		ARENA_TEST(refused_wildcards), ARENA_TEST(untrusted_matches), ARENA_TEST(stable_links), ARENA_TEST(left_out), ARENA_TEST(symbols_agree_with_this_host),
	};
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
