/*
 * import.c - device lists of other tools, as a Ruby policy that means what their
 * authors expect. Nothing is written unless all of the list was understood.
 */
#include "cmd/cmd.h"
#include "cmd/foreign.h"
#include "cmd/options.h"
#include "policy/image.h"

#include <string.h>

enum { OPT_EXACT = OPT_VERB, OPT_NAME, OPT_RULE, OPT_EMPTY, OPT_SKIP, OPT_SERVICE, OPT_UNIT, OPT_DEVICE, OPT_PRIVILEGED,
       OPT_CDI };
static const struct option options[] = {
	{"exact", no_argument, NULL, OPT_EXACT},
	{"name", required_argument, NULL, OPT_NAME},
	{"output", required_argument, NULL, 'o'},
	{"device-cgroup-rule", required_argument, NULL, OPT_RULE},
	{"device", required_argument, NULL, OPT_DEVICE},
	{"privileged", no_argument, NULL, OPT_PRIVILEGED},
	{"cdi-spec-dir", required_argument, NULL, OPT_CDI},
	{"empty-is-allow", no_argument, NULL, OPT_EMPTY},
	{"service", required_argument, NULL, OPT_SERVICE},
	{"unit", required_argument, NULL, OPT_UNIT},
	{"skip-missing", no_argument, NULL, OPT_SKIP},
	OPTION_HELP,
	{0},
};

#define FORMAT(id, name) " " #name
static const char one_of[] = "one of:"
#include "policy/import/formats.def"
	;
#define EXAMPLE PROGRAM " import docker 'c 195:* rmw'"

struct import {
	const char *path;   /* -o */
	const char *name;   /* --name */
	const char *service; /* --service, of compose */
	const char *unit;    /* --unit, of systemd */
	bool exact, empty_is_allow, skip_missing;
	const char **args;  /* of docker: options and rules */
	size_t nargs, args_cap;
	const char **cdi;   /* directories of specifications */
	size_t ncdi, cdi_cap;
};

static void add_option(struct cmd *c, struct import *im, const char *word)
{
	*ARENA_PUSH(c->args, im->args, im->nargs, im->args_cap) = word;
}

/* CDI: what --device names. */
static void names_of_devices(struct cmd *c, const struct import *im, struct foreign_wish *w)
{
	const char **names = arena_alloc(c->arena, (im->nargs + 1) * sizeof *names);
	for (size_t i = 0; i < im->nargs; i++)
		names[i] = strchr(im->args[i], '=') + 1;
	w->args = names;
	w->nargs = im->nargs;
}

/* A file; of docker options and rules, a whole command, or the file with one. */
static int what_to_read(struct cmd *c, struct import *im, int argc, char **argv, struct foreign_wish *w)
{
	bool docker = w->format == FOREIGN_DOCKER;
	if (docker ? !im->nargs && !argc : argc != 1)
		return usage_error(c, NULL, docker ? "no rule given" : argc ? "one file at a time, please" : "no file given");
	if (w->format == FOREIGN_CDI)
		names_of_devices(c, im, w);
	if (!docker || (argc == 1 && !im->nargs && !foreign_is_rule(argv[0]))) {
		w->file = argv[0];
		return STATUS_OK;
	}
	for (int i = 0; i < argc; i++)
		add_option(c, im, argv[i]);
	w->args = im->args;
	w->nargs = im->nargs;
	return STATUS_OK;
}

static int check_name(struct cmd *c, const char *name)
{
	size_t n = strlen(name);
	if (n && n < IMAGE_NAME_MAX &&
	    strspn(name, POLICY_NAME_BYTES) == n)
		return STATUS_OK;
	return usage_error(c, "a policy's name has 1 to 63 letters, digits, '-', '_' and '.'", "--name %s", name);
}

static int find_format(struct cmd *c, const char *word, enum foreign_format *out)
{
	for (*out = 0; *out < FOREIGN_FORMATS; (*out)++)
		if (strcmp(word, foreign_names[*out]) == 0)
			return STATUS_OK;
	const char *near = did_you_mean(word, foreign_names, FOREIGN_FORMATS);
	return usage_error(c, near ? arena_printf(c->arena, "did you mean %s?", near)
	                           : one_of,
	                   "%s: unknown format", word);
}

static int write_policy(struct cmd *c, const char *path, const struct foreign *f)
{
	struct output out;
	diags_flush(c);
	if (output_open(c, path, OUTPUT_TEXT, &out))
		return STATUS_FAILED;
	foreign_ruby(out.file, c->arena, f);
	return output_close(c, &out) ? STATUS_FAILED : STATUS_OK;
}

static int read_option(struct cmd *c, int opt, struct import *im)
{
	if (opt == OPT_EXACT)
		im->exact = true;
	else if (opt == OPT_EMPTY)
		im->empty_is_allow = true;
	else if (opt == OPT_RULE)
		add_option(c, im, arena_printf(c->args, "--device-cgroup-rule=%s", optarg));
	else if (opt == OPT_DEVICE)
		add_option(c, im, arena_printf(c->args, "--device=%s", optarg));
	else if (opt == OPT_PRIVILEGED)
		add_option(c, im, "--privileged");
	else if (opt == OPT_CDI)
		*ARENA_PUSH(c->args, im->cdi, im->ncdi, im->cdi_cap) = optarg;
	else if (opt == OPT_SERVICE)
		im->service = optarg;
	else if (opt == OPT_UNIT)
		im->unit = optarg;
	else if (opt == OPT_SKIP)
		im->skip_missing = true;
	else
		*(opt == OPT_NAME ? &im->name : &im->path) = optarg;
	return STATUS_OK;
}

/* Options that are of one format alone. */
static int check_options(struct cmd *c, const struct import *im, enum foreign_format format)
{
	for (size_t i = 0; i < im->nargs && format != FOREIGN_DOCKER; i++)
		if (format != FOREIGN_CDI || strncmp(im->args[i], "--device=", strlen("--device=")))
			return usage_error(c, NULL, "%.*s is for import docker", (int)strcspn(im->args[i], "="), im->args[i]);
	if (im->service && format != FOREIGN_COMPOSE)
		return usage_error(c, NULL, "--service is for import compose");
	if (im->unit && format != FOREIGN_SYSTEMD)
		return usage_error(c, NULL, "--unit is for import systemd");
	if (im->ncdi && format != FOREIGN_DOCKER && format != FOREIGN_COMPOSE && format != FOREIGN_QUADLET &&
	    format != FOREIGN_INSPECT)
		return usage_error(c, NULL, "--cdi-spec-dir is for import docker, compose, quadlet and inspect");
	return im->name ? check_name(c, im->name) : STATUS_OK;
}

static int import(struct cmd *c, int argc, char **argv)
{
	struct import im = {0};
	struct foreign f;
	enum foreign_format format;
	int opt, status;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		if ((status = read_option(c, opt, &im)))
			return status;
	}
	if (optind == argc)
		return usage_error(c, arena_printf(c->arena, "%s\nfor example: %s", one_of, EXAMPLE), "no format given");
	if ((status = find_format(c, argv[optind], &format)) || (status = check_options(c, &im, format)))
		return status;
	struct foreign_wish w = {.format = format, .part = im.service ? im.service : im.unit, .cdi = im.cdi, .ncdi = im.ncdi,
	                         .empty_is_allow = im.empty_is_allow, .skip_missing = im.skip_missing};
	if ((status = what_to_read(c, &im, argc - optind - 1, argv + optind + 1, &w)) || (status = foreign_load(c, &w, &f)))
		return status;
	f.exact = im.exact;
	f.name = im.name ? im.name : f.name;
	return write_policy(c, im.path, &f);
}

const struct verb verb_import = {
	.name = "import",
	.synopsis = "oci|inspect|quadlet|lxc|proxmox|libvirt|slurm|v1 FILE | compose FILE [--service NAME]\n"
		    "                         | systemd FILE [--unit NAME] | cdi FILE [--device NAME]...\n"
		    "                         | docker FILE|RULE... [--device DEVICE]... [--device-cgroup-rule RULE]... [--privileged]\n"
		    "                         | docker -- docker run ...\n"
		    "                         [-o FILE] [--name NAME] [--exact] [--empty-is-allow] [--skip-missing]",
	.summary = "Write the device list of another tool as a Ruby policy",
	.help = "The policy means what the author of the list expects; comments say where the\n"
		"tool itself does otherwise. A line that is not understood is an error, and so is\n"
		"a file in which nothing is about devices.\n\n"
		"  oci FILE       linux.resources.devices of a bundle's config.json\n"
		"  docker RULE... values of --device-cgroup-rule: 'c 195:* rmw'; its options too,\n"
		"                 a whole command behind --, or a file with one, of docker or\n"
		"                 podman\n"
		"  inspect FILE   what docker inspect or crictl inspect prints of a container\n"
		"  quadlet FILE   AddDevice= and PodmanArgs= of a .container file\n"
		"  cdi FILE       devices of a Container Device Interface specification\n"
		"  compose FILE   a service of a compose file\n"
		"  systemd FILE   DevicePolicy= and DeviceAllow= of a unit file, or of systemctl\n"
		"                 cat\n"
		"  lxc FILE       lxc.cgroup2.devices.*, else lxc.cgroup.devices.*; lxc.include\n"
		"                 followed\n"
		"  proxmox FILE   the lxc.* and dev keys of /etc/pve/lxc/ID.conf, and what every\n"
		"                 container has\n"
		"  libvirt FILE   cgroup_device_acl of qemu.conf\n"
		"  slurm FILE     cgroup_allowed_devices_file.conf, or File= of gres.conf\n"
		"  v1 FILE        devices.list of a cgroup v1\n\n"
		"FILE may be - for stdin.\n\n"
		"  -o, --output FILE   by default stdout\n"
		"  --name NAME         of the policy, by default the container's or the file's\n"
		"  --exact             without what the tool allows beside its list\n"
		"  --service NAME      which service of a compose file, where there are several\n"
		"  --unit NAME         which unit, where systemctl cat printed several; of a\n"
		"                      template, which instance\n"
		"  --device DEVICE     of docker: HOST[:CONTAINER][:LETTERS]; of cdi:\n"
		"                      vendor.com/gpu=0\n"
		"  --device-cgroup-rule RULE\n"
		"                      one more rule of docker\n"
		"  --privileged        of docker: every device\n"
		"  --cdi-spec-dir DIR  where devices like vendor.com/gpu=0 are looked up, instead\n"
		"                      of /etc/cdi and /var/run/cdi; the last one wins\n"
		"  --empty-is-allow    a file that says nothing about devices is meant: all are\n"
		"                      allowed\n"
		"  --skip-missing      a device to allow that is not there: its line becomes a\n"
		"                      comment; without this it is an error\n",
	.shorts = ":ho:",
	.longs = options,
	.main = import,
	.usage = "FORMAT FILE",
	.example = EXAMPLE,
};
