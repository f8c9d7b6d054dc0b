/* files.c - the files of --record: read, added up, written. */
#include "cmd/learn/learn.h"
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDING_MAX = 512 << 20 };

static int cannot_read(struct learning *l, const char *file, int error)
{
	const char *hint = error == EFBIG ? "recordings are at most 512 MiB: begin another file" : "check the path and the permissions";
	diag_add(&l->cmd->diags, DIAG_ERROR, (struct span){.file = file}, hint, "cannot read the recording: %s", strerror(error));
	return STATUS_FAILED;
}

static int read_one(struct learning *l, const char *path, bool may_be_new)
{
	bool from_stdin = !strcmp(path, "-");
	struct stat st;
	struct file_text t = {0};
	int fd = from_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT && may_be_new)
		return STATUS_OK;
	if (fd < 0)
		return cannot_read(l, path, errno);
	bool device = may_be_new && !fstat(fd, &st) && !S_ISREG(st.st_mode);
	int error = device ? 0 : read_text(fd, RECORDING_MAX, &t);
	close(fd);
	int status = error ? cannot_read(l, path, error) : STATUS_OK;
	if (!status && may_be_new && !t.len) /* an empty file that was made for it */
		;
	else if (!status && learned_read(&l->cmd->diags, from_stdin ? "stdin" : path, t.data ? t.data : "", t.len, &l->all))
		status = STATUS_FAILED;
	free(t.data);
	return status;
}

int recordings_read(struct learning *l)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		int status = read_one(l, l->records[i], l->watches);
		if (status)
			return status;
	}
	return STATUS_OK;
}

static int can_write(struct cmd *c, const char *path)
{
	struct stat st;
	struct output out;
	if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return STATUS_OK; /* to open a FIFO may wait */
	if (output_open(c, path, OUTPUT_TEXT, &out))
		return STATUS_FAILED;
	if (out.file == stdout)
		return STATUS_OK;
	fclose(out.file);
	fresh_drop(&out.fresh);
	return STATUS_OK;
}

int outputs_check(struct learning *l)
{
	int status = l->output ? can_write(l->cmd, l->output) : STATUS_OK;
	return !status && l->nrecords ? can_write(l->cmd, l->records[0]) : status;
}

int recording_write(struct learning *l)
{
	struct output out;
	if (!l->watches || !l->nrecords)
		return STATUS_OK;
	if (output_open(l->cmd, l->records[0], OUTPUT_TEXT, &out))
		return STATUS_FAILED;
	learned_write(out.file, &l->all);
	return output_close(l->cmd, &out) ? STATUS_FAILED : STATUS_OK;
}
