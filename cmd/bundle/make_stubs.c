/* make_stubs.c - run when the tool is built: what its stubs are, as a C array for stub.c. make_stubs FILE... */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/bundle/payload.h"

int main(int argc, char **argv)
{
	puts("static const struct built built[] = {");
	for (int i = 1; i < argc; i++) {
		struct stat st;
		uint64_t digest[2] = {0, 0};
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		const char *slash = strrchr(argv[i], '/');
		if (fd < 0 || fstat(fd, &st)) {
			fprintf(stderr, "make_stubs: %s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		if (st.st_size) {
			void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
			if (bytes == MAP_FAILED) {
				perror("make_stubs");
				return 1;
			}
			payload_digest(bytes, (size_t)st.st_size, digest);
			munmap(bytes, (size_t)st.st_size);
		}
		close(fd);
		printf("\t{\"%s\", %lld, {0x%016" PRIx64 ", 0x%016" PRIx64 "}},\n", slash ? slash + 1 : argv[i], (long long)st.st_size, digest[0],
		       digest[1]);
	}
	puts("};");
	return 0;
}
