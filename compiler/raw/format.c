/* format.c - what bpf_trace_printk() takes out of a format. */
#include "compiler/raw/world.h"

#include <string.h>

int raw_format(const char *f, size_t n, char letters[RAW_PRINT_ARGS])
{
	int count = 0;
	for (size_t i = 0; i < n; i++) {
		if (f[i] != '%')
			continue;
		if (++i < n && f[i] == '%')
			continue;
		while (i < n && strchr("-+ #0123456789l", f[i]))
			i++;
		if (i >= n || count == RAW_PRINT_ARGS || !strchr("diuxscp", f[i]))
			return -1;
		letters[count++] = f[i];
	}
	return count;
}
