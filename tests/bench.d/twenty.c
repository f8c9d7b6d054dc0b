/* The policy of twenty.rb, one access at a time, as one would write it in C. */
struct request {
	unsigned access_type, major, minor;
};

enum { BLOCK = 1, CHAR = 2, MKNOD = 1, WRITE = 4 };

static int one(unsigned access, unsigned type, unsigned major, unsigned minor)
{
	if (access == MKNOD)
		return 0;
	if (type == BLOCK)
		return major == 8 && minor < 16 && access != WRITE;
	switch (major) {
	case 1: return minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9;
	case 5: return minor < 3;
	case 136: return 1;
	case 195: return minor < 3 || minor == 255;
	case 226: return minor >= 128 && minor % 2 == 0;
	default: return 0;
	}
}

__attribute__((section("cgroup/dev"), used)) int twenty(const struct request *r)
{
	unsigned type = r->access_type & 0xffff, access = r->access_type >> 16;
	if (type < BLOCK || type > CHAR || access > 7 || r->major > 4095 || r->minor > 1048575)
		return 0;
	for (unsigned bit = 1; bit <= WRITE; bit <<= 1)
		if (access & bit && !one(bit, type, r->major, r->minor))
			return 0;
	return access || one(0, type, r->major, r->minor);
}

char gpl[] __attribute__((section("license"), used)) = "GPL";
