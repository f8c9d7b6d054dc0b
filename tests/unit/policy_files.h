/* policy_files.h - the shipped policies and those of tests/ruby, and numbers without order. */
#ifndef DEVGUARD_TESTS_POLICY_FILES_H
#define DEVGUARD_TESTS_POLICY_FILES_H

#include "policy/file.h"
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <unistd.h>

struct rng { uint64_t x; };

static inline uint32_t below(struct rng *g, uint32_t n)
{
	g->x ^= g->x << 13;
	g->x ^= g->x >> 7;
	g->x ^= g->x << 17;
	return (uint32_t)(g->x >> 20) % n;
}

/* Calls `one` with each file and its text; skips the test without $DGTEST_ROOT. */
static inline void each_policy_file(void (*one)(const char *path, const char *text))
{
	const char *root = getenv("DGTEST_ROOT"), *folders[] = {"policies", "tests/ruby"};
	size_t files = 0;
	if (!root)
		skip();
	for (size_t i = 0; i < COUNT(folders); i++) {
		char pattern[PATH_MAX];
		glob_t found;
		snprintf(pattern, sizeof pattern, "%s/%s/*.rb", root, folders[i]);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		for (size_t k = 0; k < found.gl_pathc; k++, files++) {
			struct file_text text = {0};
			int fd = open(found.gl_pathv[k], O_RDONLY | O_CLOEXEC);
			assert_true(fd >= 0);
			assert_int_equal(read_text(fd, 1 << 20, &text), 0);
			close(fd);
			one(found.gl_pathv[k], text.data);
			free(text.data);
		}
		globfree(&found);
	}
	assert_true(files > 25);
}

#endif
