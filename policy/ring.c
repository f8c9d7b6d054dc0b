/*
 * ring.c - the size of the ring buffer that records wait in, as people write it.
 */
#include "policy/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

const char *ring_size_parse(const char *text, uint32_t *bytes)
{
	enum { MOST = 256 << 20 };
	char *end;
	unsigned long long unit = 1, page = (unsigned long long)sysconf(_SC_PAGESIZE);
	if (*text < '0' || *text > '9')
		return "not a size";
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'k')
		unit = 1024;
	else if (*end == 'M' || *end == 'm')
		unit = 1024 * 1024;
	if (end[unit > 1])
		return "not a size";
	if (errno || value > MOST / unit)
		return "larger than 256M";
	value *= unit;
	if (value < page || value & (value - 1))
		return "not a power of two, or less than a page";
	*bytes = (uint32_t)value;
	return NULL;
}
