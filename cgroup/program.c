/*
 * program.c - loading an object into the kernel.
 *
 * libbpf loads without a log first and, when the kernel refuses, again with a log
 * that grows until it fits; what it would print is caught here and turned into
 * diagnostics. A load only counts when the kernel kept the BTF and the lines:
 * libbpf drops BTF that the kernel rejects without failing, and the program could
 * then not be told apart or explained.
 */
#include "cgroup/internal.h"
#include "cgroup/who.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct program {
	struct bpf_object *object;
	struct bpf_program *program;
	enum raw_section section;
	int fd;
	struct bpf_prog_info info;
	struct handover handover;
};

/* ---- what libbpf says --------------------------------------------------------- */

struct capture {
	char *text;
	size_t len;
	bool no_memory; /* for the text, or for something that libbpf went on without */
	libbpf_print_fn_t before;
};

enum { MESSAGE_MAX = 64 << 10 }; /* of one message its end is kept: a verifier log's reason */

/* libbpf's print function gets no user data; set only while capture_begin() ...
 * capture_end() run on this thread. */
static _Thread_local struct capture *capturing;

static int capture_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *message;
	struct capture *c = capturing;
	if (!c)
		return 0;
	c->no_memory |= errno == ENOMEM; /* it prints often, and nothing else is said of it */
	if (level == LIBBPF_DEBUG)
		return 0;
	int n = vasprintf(&message, fmt, ap);
	if (n < 0) {
		c->no_memory = true;
		return 0;
	}
	size_t skip = n > MESSAGE_MAX ? (size_t)n - MESSAGE_MAX : 0, add = (size_t)n - skip;
	char *grown = realloc(c->text, c->len + add + 1);
	if (grown) {
		memcpy(grown + c->len, message + skip, add + 1);
		c->text = grown;
		c->len += add;
	}
	c->no_memory |= !grown;
	free(message);
	return 0;
}

static void capture_begin(struct capture *c)
{
	*c = (struct capture){0};
	capturing = c;
	errno = 0;
	c->before = libbpf_set_print(capture_print);
}

/* The text moves to the arena. */
static char *capture_end(struct capture *c, struct arena *a)
{
	libbpf_set_print(c->before);
	capturing = NULL;
	char *text = arena_strdup(a, c->text ? c->text : "");
	free(c->text);
	return text;
}

/* libbpf goes on without what it can do without, and may say so in its words only. */
static bool short_of_memory(const struct capture *c, const char *text)
{
	char code[16];
	snprintf(code, sizeof code, ": -%d", ENOMEM);
	const char *at = strstr(text, code);
	return c->no_memory || strstr(text, "memory") || (at && !isdigit((unsigned char)at[strlen(code)]));
}

static int out_of_memory(struct arena *a, struct diags *d, const char *name)
{
	return diag_fail(d, error_hint(a, ENOMEM, NULL), "out of memory while loading '%s'", name);
}

/* ---- why a load failed ---------------------------------------------------------- */

enum { LOG_LINES = 6 };

/* Statistics that the verifier ends its log with, and markers of libbpf. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = {"processed ", "verification time ", "stack depth ",
	                                    "max_states", "libbpf: ", "-- "};
	for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
		if (!strncmp(line, noise[i], strlen(noise[i])))
			return true;
	return !*line;
}

/* What newer kernels (7.3) end the log with: the reason again, in paragraphs. */
static const char report[] = "Verification failed: ";

/* The last lines of the verifier's log that mean something: how many. */
static size_t verifier_lines(char *text, const char *lines[LOG_LINES])
{
	size_t n = 0;
	char *log = strstr(text, "BEGIN PROG LOAD LOG");
	if (!log && !strstr(text, "END PROG LOAD LOG"))
		return 0;
	char *end = strstr(log ? log : text, "-- END PROG LOAD LOG");
	if (end)
		*end = '\0';
	char *save = NULL, *line = strtok_r(log ? log : text, "\n", &save);
	/* the first is the marker itself, or cut in its middle */
	while (line && (line = strtok_r(NULL, "\n", &save))) {
		if (n && !strncmp(line, report, sizeof report - 1))
			break;
		if (is_noise(line))
			continue;
		if (n == LOG_LINES)
			memmove(lines, lines + 1, --n * sizeof *lines);
		lines[n++] = line;
	}
	return n;
}

/* What such programs are called. */
static const char *kind_of(enum raw_section section)
{
	return section == RAW_DEVICE ? "device programs" : "tracing programs";
}

static const char *verifier_hint(const char *reason)
{
	if (strstr(reason, "GPL-restricted") || strstr(reason, "GPL only") || strstr(reason, "non-GPL"))
		return "write `license! \"GPL\"` into the program: the kernel lends some of its functions to such programs only";
	if (strstr(reason, "too large") || strstr(reason, "too complex") || strstr(reason, "too many"))
		return "the policy is too big for this kernel's verifier: simplify it or split it into "
		       "several policies on the same cgroup";
	if (strstr(reason, "BPF_JA uses reserved fields"))
		return "a program with jumps over more than 32,767 instructions needs Linux 6.6: name devices by "
		       "ranges or fewer patterns";
	return "a compiled policy should always pass: please report it, with the output of "
	       "`rucy-devguard compile --emit=asm`";
}

/* The helper that the verifier does not know for device programs, as "name#number",
 * or NULL when it refuses for another reason. */
static const char *unknown_helper(const char *reason)
{
	static const char *const phrases[] = {"cannot use helper ", "unknown func ", "invalid func "};
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
		const char *at = strstr(reason, phrases[i]);
		if (at)
			return at + strlen(phrases[i]);
	}
	return NULL;
}

/* The lines before it say nothing more. */
static int helper_missing(struct arena *a, struct diags *d, const char *name, enum raw_section section, const char *helper)
{
	struct utsname u;
	int len = (int)strcspn(helper, "#"), number = helper[len] ? atoi(helper + len + 1) : 0;
	const char *hint = "compile the policy again with this version; if that does not help, please "
	                   "report it";
	uname(&u);
	for (size_t i = 0; i < FACT_HELPERS; i++)
		if (fact_helpers[i].number == number)
			hint = arena_printf(a, "%s; `rucy-devguard doctor` tells what this kernel can do",
			                    fact_hint(a, &fact_helpers[i], fact_helpers[i].facts));
	if (number == BPF_FUNC_set_retval) {
		hint = "an errno: other than :EPERM needs Linux 5.18 or later: leave it out, or use such a kernel";
		helper = "bpf_set_retval"; /* a kernel that lacks it has no name for it */
		len = (int)strlen(helper);
	}
	return diag_fail(d, hint, "Linux %s does not let %s call %.*s: '%s' cannot be loaded",
	                 u.release, kind_of(section), len, helper, name);
}

/* A field that this kernel's types lack, as libbpf names it in the log: "struct task_struct.loginuid". */
static const char *missing_field(struct arena *a, const char *const *lines, size_t n)
{
	static const char phrase[] = "failed to resolve CO-RE relocation ";
	for (size_t i = 0; i < n; i++) {
		const char *at = strstr(lines[i], phrase), *name = at ? strstr(at, "] ") : NULL;
		if (name)
			return arena_strndup(a, name + 2, strcspn(name + 2, "("));
	}
	return NULL;
}

static int refused_by_verifier(struct arena *a, struct diags *d, const char *name, enum raw_section section,
                               const char *const *lines, size_t n)
{
	const char *reason = lines[n - 1], *helper = unknown_helper(reason), *field = missing_field(a, lines, n);
	if (field)
		return diag_fail(d, "leave out what the policy asks of the calling task, or use another kernel",
		                 "this kernel's types lack what '%s' reads: %s", name, field);
	if (helper)
		return helper_missing(a, d, name, section, helper);
	diag_fail(d, verifier_hint(reason), "the kernel's verifier refuses '%s': %s", name, reason);
	for (size_t i = 0; i + 1 < n; i++)
		diag_add(d, DIAG_NOTE, (struct span){0}, NULL, "verifier: %s", lines[i]);
	return -1;
}

/* CAP_PERFMON stands beside CAP_BPF where the program looks into the kernel. */
static const char *load_hint(struct arena *a, enum raw_section section)
{
	bool some = capable(CAP_BPF), all = capable(CAP_SYS_ADMIN) || (some && capable(CAP_PERFMON));
	return section == RAW_DEVICE || all ? privilege_hint(a)
	                                    : arena_printf(a, "run it as root; missing here: %sCAP_PERFMON", some ? "" : "CAP_BPF, ");
}

static int load_failed(struct arena *a, struct diags *d, const char *name, enum raw_section section, int error, char *text)
{
	const char *lines[LOG_LINES];
	size_t n = verifier_lines(text, lines);
	if (n)
		return refused_by_verifier(a, d, name, section, lines, n);
	switch (error) {
	case EPERM:
	case EACCES:
		return diag_fail(d, load_hint(a, section), "no permission to load '%s' into the kernel", name);
	case ENOSYS:
		return diag_fail(d, "use a kernel with CONFIG_BPF_SYSCALL=y and CONFIG_CGROUP_BPF=y",
		                 "this kernel has no BPF: '%s' cannot be loaded", name);
	case EINVAL:
		return diag_fail(d, arena_printf(a, "Linux 5.10 or later with %s=y is needed, see `rucy-devguard doctor`",
		                                 section == RAW_DEVICE ? "CONFIG_CGROUP_BPF" : "CONFIG_BPF_EVENTS"),
		                 "this kernel does not take %s: '%s' cannot be loaded", kind_of(section), name);
	case E2BIG:
		return diag_fail(d, "simplify the policy or split it into several on the same cgroup",
		                 "'%s' is too long for this kernel", name);
	case ENOMEM: return out_of_memory(a, d, name);
	default:
		return diag_fail(d, error_hint(a, error, "see the kernel log and `rucy-devguard doctor`"),
		                 "the kernel refuses '%s': %s", name, strerror(error));
	}
}

/* libbpf's own reason for not taking an object: its first line, without the prefix. */
static const char *first_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	return strncmp(text, "libbpf: ", 8) ? text : text + 8;
}

static int open_failed(struct diags *d, const char *name, int error, char *text)
{
	const char *line = first_line(text);
	return diag_fail(d, "compile the policy again", "'%s' is not an object that can be loaded: %s",
	                 name, *line ? line : strerror(error));
}

/* ---- loading ---------------------------------------------------------------------- */

static const enum bpf_prog_type types[RAW_SECTIONS] = {
	[RAW_DEVICE] = BPF_PROG_TYPE_CGROUP_DEVICE,
	[RAW_KPROBE] = BPF_PROG_TYPE_KPROBE,
	[RAW_KRETPROBE] = BPF_PROG_TYPE_KPROBE,
	[RAW_TRACEPOINT] = BPF_PROG_TYPE_TRACEPOINT,
	[RAW_RAW_TRACEPOINT] = BPF_PROG_TYPE_RAW_TRACEPOINT,
};

/* The program of that type in an object, when it is the only one; nothing else in the
 * object is loaded. */
static struct bpf_program *only_program(struct bpf_object *object, enum bpf_prog_type type)
{
	struct bpf_program *p, *found = NULL;
	bpf_object__for_each_program(p, object) {
		if (bpf_program__type(p) != type) {
			bpf_program__set_autoload(p, false);
			continue;
		}
		if (found)
			return NULL;
		found = p;
	}
	return found;
}

/* The diagnostic for a load that the kernel did not keep whole; -1. */
static int check_kept(struct arena *a, struct diags *d, const char *name, struct program *p,
                      const struct capture *capture, char *text)
{
	uint32_t size = sizeof p->info;
	int error = bpf_obj_get_info_by_fd(p->fd, &p->info, &size);
	if (error)
		return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot ask the kernel about '%s': %s", name,
		                 strerror(-error));
	if (p->info.btf_id && p->info.nr_line_info)
		return 0;
	if (short_of_memory(capture, text))
		return out_of_memory(a, d, name);
	const char *line = first_line(text);
	return diag_fail(d, "compile the policy again with this version; if that does not help, "
	                    "please report it",
	                 "the kernel did not keep the type and line information of '%s'%s%s", name,
	                 *line ? ": " : "", line);
}

static int load(struct arena *a, struct diags *d, const char *name, struct program *p)
{
	p->program = only_program(p->object, types[p->section]);
	if (!p->program)
		return diag_fail(d, "compile it again: an object holds one program, in the section that it is for",
		                 "'%s' does not hold exactly one %.*s", name, (int)strlen(kind_of(p->section)) - 1, kind_of(p->section));
	struct capture capture;
	capture_begin(&capture);
	int error = bpf_object__load(p->object);
	char *text = capture_end(&capture, a);
	if (error)
		return load_failed(a, d, name, p->section, -error, text);
	p->fd = bpf_program__fd(p->program);
	return check_kept(a, d, name, p, &capture, text);
}

int program_load(struct arena *a, struct diags *d, const char *name, const void *object,
                 size_t len, struct program **out)
{
	return program_load_audited(a, d, name, object, len, 0, 0, NULL, 0, NULL, out);
}

/* Small blocks of libbpf that it does not look at twice: bpf_object__init_btf() (libbpf 1.1)
 * goes on without a few bytes for the line records, and loading breaks. So that they are
 * there, some are taken and given back to the C library first. */
static bool memory_reserved(void)
{
	enum { RESERVE = 96 << 10 }; /* less than glibc would give back to the kernel */
	char *volatile p = malloc(RESERVE); /* volatile: it would be left out */
	bool there = p != NULL;
	free(p);
	return there;
}

/* NULL with a diagnostic. When something was passed over for want of memory, the C library
 * may have found some at another place: the second time there is enough. */
static struct bpf_object *open_object(struct arena *a, struct diags *d, const char *name, const void *data, size_t len)
{
	struct bpf_object_open_opts opts = {.sz = sizeof opts, .object_name = *name ? name : "devguard"};
	struct bpf_object *object = NULL;
	struct capture capture;
	char *text = "";
	int error = 0;
	if (!memory_reserved())
		arena_fail(a);
	for (int i = 0; i == 0 || (i == 1 && capture.no_memory); i++) {
		bpf_object__close(object);
		capture_begin(&capture);
		object = bpf_object__open_mem(data, len, &opts);
		error = object ? 0 : errno;
		text = capture_end(&capture, a);
	}
	if (object && !capture.no_memory)
		return object;
	bpf_object__close(object);
	if (error == ENOMEM || short_of_memory(&capture, text))
		out_of_memory(a, d, name);
	else
		open_failed(d, name, error, text);
	return NULL;
}

struct bytes_of { const void *data; size_t len; };

/* What a device program takes over, and what its rules are called. */
struct taking {
	uint32_t from, ring;
	const struct rule_name *rules;
	size_t n;
	const struct who *who;
};

/* What it takes over is settled between opening and loading. */
static int load_taking(struct arena *a, struct diags *d, const char *name, struct program *p, const struct taking *t)
{
	int result = handover_begin(a, d, name, p->object, t->from, (struct report_size){t->n, t->ring}, &p->handover);
	if (!result && t->who)
		who_map_size(p->object, t->who);
	if (!result)
		result = load(a, d, name, p);
	if (!result && t->who)
		result = who_map_fill(d, name, p->object, t->who);
	return result ? result : handover_finish(a, d, name, p->fd, &p->handover, t->rules, t->n);
}

/* `taking` NULL: nothing. */
static int load_object(struct arena *a, struct diags *d, const char *name, const struct bytes_of *object, enum raw_section section,
                       const struct taking *taking, struct program **out)
{
	struct program *p = arena_alloc(a, sizeof *p);
	struct rlimit before;
	*out = NULL;
	p->section = section;
	report_maps_none(&p->handover.old);
	if (!(p->object = open_object(a, d, name, object->data, object->len)))
		return -1;
	memlock_raise(&before);
	int result = taking ? load_taking(a, d, name, p, taking) : load(a, d, name, p);
	setrlimit(RLIMIT_MEMLOCK, &before);
	if (result)
		program_close(p);
	else
		*out = p;
	return result;
}

int program_load_audited(struct arena *a, struct diags *d, const char *name, const void *object,
                         size_t len, uint32_t from, uint32_t ring, const struct rule_name *rules,
                         size_t n, const struct who *who, struct program **out)
{
	return load_object(a, d, name, &(struct bytes_of){object, len}, RAW_DEVICE, &(struct taking){from, ring, rules, n, who}, out);
}

int program_load_raw(struct arena *a, struct diags *d, const char *name, const void *object, size_t len,
                     enum raw_section section, struct program **out)
{
	return load_object(a, d, name, &(struct bytes_of){object, len}, section, NULL, out);
}

void program_close(struct program *p)
{
	if (!p)
		return;
	handover_end(&p->handover);
	bpf_object__close(p->object);
	p->object = NULL;
	p->fd = -1;
}

int program_settle(struct diags *d, const char *name, const struct program *p)
{
	return handover_settle(d, name, p->fd, &p->handover);
}

struct bpf_program *program_of(const struct program *p)
{
	return p->program;
}

int program_fd(const struct program *p)
{
	return p->fd;
}

uint32_t program_id(const struct program *p)
{
	return p->info.id;
}

void program_tag(const struct program *p, char out[17])
{
	tag_text(out, p->info.tag);
}

void program_size(const struct program *p, unsigned *insns, unsigned *jited)
{
	*insns = p->info.xlated_prog_len / (unsigned)sizeof(struct bpf_insn);
	*jited = p->info.jited_prog_len;
}
