/* elf.c - sections as an ELF file, by libelf. */
#include "compiler/object/elf.h"
#include "policy/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Without memory libelf may give a section that is only half there, and says so only in
 * elf_errno(). */
static bool add_section(Elf *elf, const struct section *s)
{
	Elf_Scn *scn = elf_newscn(elf);
	if (!scn || elf_errno())
		return false;
	Elf_Data *data = elf_newdata(scn);
	Elf64_Shdr *sh = data ? elf64_getshdr(scn) : NULL;
	if (!sh)
		return false;
	data->d_buf = (void *)s->data; /* libelf only reads it */
	data->d_size = s->len;
	data->d_align = s->align;
	data->d_type = s->content;
	data->d_version = EV_CURRENT;
	sh->sh_name = s->name_offset;
	sh->sh_type = s->type;
	sh->sh_flags = s->flags;
	sh->sh_link = s->link;
	sh->sh_info = s->info;
	sh->sh_entsize = s->entsize;
	return true;
}

/* Lays the file out and writes it to fd; its size, or -1 with errno, or 0 there when only
 * libelf knows why. */
static int64_t write_elf(int fd, const struct section *sections, size_t n)
{
	int64_t size = -1;
	elf_version(EV_CURRENT);
	elf_errno(); /* forget an older one */
	errno = 0;
	Elf *elf = elf_begin(fd, ELF_C_WRITE, NULL);
	Elf64_Ehdr *eh = elf ? elf64_newehdr(elf) : NULL;
	bool ok = eh != NULL;
	if (ok) {
		eh->e_ident[EI_DATA] = ELFDATA2LSB;
		eh->e_type = ET_REL;
		eh->e_machine = EM_BPF;
		eh->e_version = EV_CURRENT;
		eh->e_shstrndx = 1;
	}
	for (size_t i = 1; ok && i < n; i++)
		ok = add_section(elf, &sections[i]);
	if (ok)
		size = elf_update(elf, ELF_C_WRITE);
	int error = errno;
	elf_end(elf);
	errno = error;
	return size;
}

int elf_make(const struct section *sections, size_t n, struct diags *d, struct bytes *out)
{
	int fd = memfd_create("rucy-devguard", MFD_CLOEXEC);
	if (fd < 0)
		return diag_fail(d, "check the limit of open files and the free memory",
		                 "cannot make a memory file for the object: %s", strerror(errno));
	int64_t size = write_elf(fd, sections, n);
	int error = size > 0 ? 0 : errno;
	if (error)
		close(fd);
	if (error == ENOMEM)
		arena_fail(d->arena);
	if (error) /* limits of files hold for memory files too */
		return diag_fail(d, error == EFBIG ? "raise the limit of file sizes (ulimit -f)" : "free some memory",
		                 "cannot write the object: %s", strerror(error));
	unsigned char *data = size > 0 ? arena_alloc(d->arena, (size_t)size) : NULL;
	bool ok = data && !lseek(fd, 0, SEEK_SET) && read_whole(fd, data, (size_t)size) == (ssize_t)size;
	close(fd);
	if (!ok)
		return diag_fail(d, "free some memory", "cannot write the object: %s",
		                 size > 0 ? "reading it back failed" : elf_errmsg(-1));
	*out = (struct bytes){data, (size_t)size};
	return 0;
}
