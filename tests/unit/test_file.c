/* test_file.c - policy/file.c, trusted.c: files read whole, and written whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "policy/file.h"
#include "policy/trusted.h"

static char directory[] = "/tmp/dgtest.XXXXXX";
static int dir = -1;

static int make_directory(void **state)
{
	if (dir < 0 && (!mkdtemp(directory) || (dir = open(directory, O_RDONLY | O_DIRECTORY)) < 0))
		return -1;
	return arena_setup(state);
}

/* How many names there are. */
static int names(void)
{
	int n = 0, fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(fd);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static int remove_directory(void **state)
{
	(void)state;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(fd);
	for (struct dirent *e; (e = readdir(d));)
		unlinkat(dir, e->d_name, 0);
	closedir(d);
	close(dir);
	return rmdir(directory);
}

/* Makes NAME with that text, or not at all when `drop`. */
static void make(struct arena *a, const char *name, const char *text, enum fresh_kind kind, bool drop)
{
	struct fresh_file f;
	assert_int_equal(fresh_open(a, &f, dir, name, 0640, kind), 0);
	assert_int_equal(write_whole(f.fd, text, strlen(text)), 0);
	if (!drop)
		assert_int_equal(fresh_name(&f), 0);
	assert_int_equal(close(f.fd), 0);
	if (!drop)
		assert_int_equal(fresh_place(&f), 0);
	fresh_drop(&f);
}

static void is_text(const char *name, const char *text)
{
	struct file_text t = {0};
	struct stat st;
	int fd = open_regular(dir, name, &st);
	assert_true(fd >= 0);
	assert_int_equal(st.st_mode & 0137, 0);
	assert_int_equal(read_text(fd, 1 << 20, &t), 0);
	assert_string_equal(t.data, text);
	assert_int_equal(t.len, strlen(text));
	free(t.data);
	close(fd);
}

static void fresh(void **state)
{
	for (enum fresh_kind kind = FRESH_NAMELESS; kind <= FRESH_NAMED; kind++) {
		make(*state, "a", "first", kind, false);
		is_text("a", "first");
		make(*state, "a", "second, in its place", kind, false);
		is_text("a", "second, in its place");
		make(*state, "a", "never", kind, true);
		is_text("a", "second, in its place");
		assert_int_equal(names(), 1);
		unlinkat(dir, "a", 0);
	}
	struct fresh_file f;
	assert_int_equal(fresh_open(*state, &f, dir, "none/a", 0640, FRESH_NAMED), ENOENT);
	assert_int_equal(f.fd, -1);
	fresh_drop(&f);
}

static void texts(void **state)
{
	enum { N = 100000 };
	struct file_text t = {0};
	struct stat st;
	char *text = arena_alloc(*state, N + 1), small[10];
	memset(text, 'x', N);
	make(*state, "long", text, FRESH_NAMED, false);
	int fd = open_regular(dir, "long", &st);
	assert_true(fd >= 0);
	assert_int_equal(read_whole(fd, small, sizeof small), sizeof small);
	assert_int_equal(read_text(fd, N / 2, &t), EFBIG); /* and on, where it may be longer */
	assert_true(t.len > N / 2);
	assert_int_equal(read_text(fd, N, &t), 0);
	assert_int_equal(t.len, N - sizeof small);
	assert_int_equal(t.data[t.len], 0);
	assert_int_equal(read_whole(fd, small, sizeof small), 0);
	free(t.data);
	close(fd);
	assert_int_equal(read_whole(-1, small, sizeof small), -EBADF);
}

static void late(void **state)
{
	struct file_text t = {0};
	int ends[2];
	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "half", 4), 4);
	assert_int_equal(read_text_until(ends[0], 100, clock_milliseconds() + 10, &t), ETIMEDOUT);
	assert_string_equal(t.data, "half");
	close(ends[1]);
	assert_int_equal(read_text_until(ends[0], 100, clock_milliseconds() + 100000, &t), 0); /* the end is told */
	assert_int_equal(t.len, 4);
	free(t.data);
	close(ends[0]);
}

static void kinds(void **state)
{
	struct stat st;
	(void)state;
	assert_int_equal(symlinkat("long", dir, "link"), 0);
	assert_int_equal(mkfifoat(dir, "pipe", 0600), 0);
	assert_int_equal(open_regular(dir, "link", &st), -ELOOP);
	assert_int_equal(open_regular(dir, "pipe", &st), -EINVAL);
	assert_int_equal(open_regular(dir, ".", &st), -EINVAL);
	assert_int_equal(open_regular(dir, "none", &st), -ENOENT);
}

static void roots(void **state)
{
	struct stat st = {.st_mode = S_IFDIR | 0755};
	(void)state;
	assert_true(roots_alone(&st, 0, OTHERS_WRITE));
	assert_false(roots_alone(&st, 0, OTHERS_USE));
	st.st_mode = S_IFDIR | 0775;
	assert_false(roots_alone(&st, 0, OTHERS_WRITE));
	assert_true(roots_alone(&st, 0, 0));
	st = (struct stat){.st_mode = S_IFREG | 0600, .st_uid = 65534};
	assert_false(roots_alone(&st, 0, OTHERS_WRITE));
	assert_true(roots_alone(&st, 65534, OTHERS_WRITE));
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {FILE_TEST(fresh), FILE_TEST(texts), FILE_TEST(late), FILE_TEST(kinds), FILE_TEST(roots)};
	return cmocka_run_group_tests(tests, NULL, remove_directory);
}
