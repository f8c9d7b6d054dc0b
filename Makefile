# Plain GNU make. `make help` lists what there is.

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= cc
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra
PKG     := libbpf libelf zlib libcgroup jansson yaml-0.1

PROGRAM := $(BUILD)/rucy-devguard
DIRS    := policy compiler cgroup cmd
SOURCES := $(filter-out %/make_prelude.c %/make_stubs.c,$(foreach d,$(DIRS),$(sort $(wildcard $(d)/*.c $(d)/*/*.c))))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)

# Looked up when a recipe needs them, not before `make deps` had its chance.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKG) 2>/dev/null)
PKG_LIBS   = $(shell pkg-config --libs $(PKG) 2>/dev/null || echo -lbpf -lelf -lz -lcgroup -ljansson -lyaml)
# compiler/ruby/seal.c gives mruby its own: no address gets into a text.
LIBS       = -Wl,--wrap=mrb_ptr_to_str -lmruby $(PKG_LIBS) -lm
MRUBY_VERSION = $(shell printf '\043include <mruby/version.h>\nV MRUBY_VERSION\n' | \
	$(CC) -E -P - 2>/dev/null | sed -n 's/^V //p' | tr -d '" ')
# The versions that compiler/ruby/mruby.h knows.
MRUBY_NEEDED  := 3.1 3.2 3.3

ALL_CPPFLAGS = -D_GNU_SOURCE -I. -DMRB_NO_PRESYM -DDEVGUARD_VERSION='"$(VERSION)"' \
	$(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS)

.PHONY: all help deps build-deps unit check quick demo static check-distros check-packages check-kernels bench asan faults fuzz lint golden mutants install uninstall clean
.DEFAULT_GOAL := all

all: $(PROGRAM)

help:
	@echo 'make                 build $(PROGRAM)'
	@echo 'make deps            install what building and testing needs (Debian, as root)'
	@echo 'make unit            build the unit tests (make check runs them)'
	@echo 'make check           deps, build, every test'
	@echo 'make quick           build, the tests that need no root and little time'
	@echo 'make demo            what building needs, build, an access allowed and one blocked by the kernel'
	@echo 'make bench           deps, build, what a request and compiling cost'
	@echo 'make asan            every test with the address and undefined behaviour sanitizers'
	@echo 'make faults          allocations and system calls fail, processes are killed (SECONDS=N: no longer)'
	@echo 'make fuzz SECONDS=N  inputs made up for every parser, for N seconds ($(SECONDS)), with clang'
	@echo 'make mutants N=$(N)    small faults put into compiler/ and policy/: which of them does no test notice?'
	@echo 'make lint            layers, gcc and clang with -Werror, cppcheck'
	@echo 'make golden          rewrite the golden files: review the diff'
	@echo 'make static          $(BUILD)/static/rucy-devguard: a binary without shared libraries'
	@echo 'make check-distros   make demo and make check in minimal Debian systems (root, mmdebstrap)'
	@echo 'make check-packages  what 90 Debian packages use is learned, then they run under it (root, mmdebstrap, PACKAGES=)'
	@echo 'make check-kernels   who is asking, on Linux 5.10, 6.1 and 6.12 in virtual machines (root, KERNELS=, PARTS=)'
	@echo 'make install         to $$(DESTDIR)$$(PREFIX), PREFIX=$(PREFIX)'
	@echo 'make uninstall clean (uninstall: not while a hook needs the tool; FORCE=1 leaves the hook)'
	@echo 'variables: CC CFLAGS BUILD PREFIX DESTDIR; V=1 shows the commands'

# ---- build ---------------------------------------------------------------------

# A line a file; `make V=1` shows the commands.
Q := $(if $(V),,@)

$(PROGRAM): $(OBJECTS)
	@echo '  LD  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Before anything is compiled: an mruby that the tool can work with? All is compiled anew when
# another one is found.
MRUBY := $(BUILD)/mruby
.PHONY: ask
$(MRUBY): ask
	@mkdir -p $(@D); found='$(MRUBY_VERSION)'; \
	for v in $(MRUBY_NEEDED); do case $$found in $$v.*) \
		[ "$$(cat $@ 2>/dev/null)" = "$$found" ] || { echo "  mruby $$found"; echo "$$found" >$@; }; exit 0;; \
	esac; done; \
	echo "make: found $${found:+mruby }$${found:-no mruby}, needs $(firstword $(MRUBY_NEEDED)) to $(lastword $(MRUBY_NEEDED)) (libmruby-dev)" >&2; \
	exit 1

$(BUILD)/%.o: %.c Makefile $(MRUBY)
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The locked room's filter of system calls: libseccomp makes it, once.
FILTER := $(BUILD)/cmd/room/filter.inc
$(FILTER): cmd/room/filter/filter.c Makefile $(MRUBY)
	@mkdir -p $(@D)
	@echo '  GEN $@'
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) $(shell pkg-config --cflags libseccomp 2>/dev/null) -o $(@D)/make_filter $< \
		$(shell pkg-config --libs libseccomp 2>/dev/null || echo -lseccomp)
	$(Q)$(@D)/make_filter >$@.new && mv $@.new $@

# The preludes' bytecode, by the mruby that the tool is linked with.
MAKE_PRELUDE := $(BUILD)/compiler/ruby/make_prelude
$(MAKE_PRELUDE): compiler/ruby/make_prelude.c compiler/ruby/mruby.h Makefile $(MRUBY)
	@mkdir -p $(@D)
	@echo '  GEN $@'
	$(Q)$(CC) -D_GNU_SOURCE -I. -std=gnu11 -DMRB_NO_PRESYM $(WARN) -o $@ $< -lmruby -lm

PRELUDE := $(BUILD)/compiler/ruby/prelude.inc $(BUILD)/compiler/ruby/user_prelude.inc
$(PRELUDE): $(BUILD)/compiler/ruby/%.inc: compiler/ruby/%.rb $(MAKE_PRELUDE)
	@echo '  GEN $@'
	$(Q)$(MAKE_PRELUDE) $< $* >$@.new && mv $@.new $@

$(BUILD)/cmd/room/confine.o: $(FILTER)
$(BUILD)/compiler/ruby/prelude.o $(BUILD)/compiler/ruby/user_maps.o: $(PRELUDE)
$(BUILD)/cmd/room/confine.o $(BUILD)/compiler/ruby/prelude.o $(BUILD)/compiler/ruby/user_maps.o: CPPFLAGS += -I$(BUILD)
lint-gcc lint-clang: $(FILTER) $(PRELUDE)
lint-gcc lint-clang: CPPFLAGS += -I$(BUILD)

$(BUILD)/cmd/main.o: CPPFLAGS += -DDEVGUARD_MRUBY_VERSION='"$(MRUBY_VERSION)"'

-include $(OBJECTS:.o=.d)

# ---- the stubs of `bundle` ---------------------------------------------------------

# An executable without shared libraries that has a policy put in, see cmd/bundle/payload.h. What it is made of: the
# judge, what attaches, and the verbs of a bundle; no interpreter, no lists, no manifest.
GUARD_CMD := cli cmd error document output outfile options input author verdict warn also judged explained program attach detach \
	each proof asked source who names_now
GUARD_SOURCES := $(filter-out policy/yaml.c policy/users.c,$(sort $(wildcard policy/*.c))) compiler/compile.c \
	$(sort $(wildcard compiler/bpf/*.c compiler/decode/*.c compiler/hostprog/*.c compiler/object/*.c compiler/raw/*.c compiler/task/*.c)) \
	$(sort $(wildcard cgroup/*.c)) $(GUARD_CMD:%=cmd/%.c) \
	$(filter-out %/work_ruby.c %/work_list.c %/work_user.c,$(sort $(wildcard cmd/room/*.c))) $(sort $(wildcard cmd/where/*.c)) \
	cmd/hosted/hosted.c cmd/hosted/words.c cmd/hosted/warn.c \
	cmd/audit/device_name.c cmd/audit/nodes.c cmd/audit/words.c cmd/audit/columns.c \
	cmd/explain/rows.c cmd/explain/print.c cmd/explain/json.c cmd/explain/tell.c cmd/verbs/status.c \
	cmd/bundle/digest.c cmd/bundle/segment.c cmd/bundle/libelf.c $(filter-out %/plain.c %/ruby.c %/watch.c,$(sort $(wildcard cmd/bundle/guard/*.c)))
# Of a policy with handlers: mruby, the child that runs them, and what reads the policy's reports.
GUARD_RUBY_SOURCES := cmd/bundle/guard/ruby.c cmd/bundle/guard/watch.c cmd/room/work_user.c $(sort $(wildcard cmd/watch/*.c)) \
	cmd/audit/source.c cmd/audit/told.c cmd/audit/find.c cmd/audit/watch.c \
	$(sort $(wildcard compiler/lift/*.c)) $(filter-out %/make_prelude.c,$(sort $(wildcard compiler/ruby/*.c)))
STUB               := $(BUILD)/stub
GUARDS             := $(STUB)/guard $(STUB)/guard-ruby
GUARD_OBJECTS      := $(GUARD_SOURCES:%.c=$(STUB)/%.o)
GUARD_PLAIN_OBJECTS := $(STUB)/cmd/bundle/guard/plain.o
GUARD_RUBY_OBJECTS := $(GUARD_RUBY_SOURCES:%.c=$(STUB)/%.o)
# Small: what nothing calls is left out. The payload's segment is the last one, so that it can grow.
GUARD_CFLAGS  := -Os -fPIE -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
GUARD_LDFLAGS := -static-pie -s -Wl,--gc-sections -Wl,-z,pack-relative-relocs -Wl,--section-start=.devguard.payload=0x4000000
GUARD_LIBS     = $(shell pkg-config --static --libs libbpf libelf zlib jansson 2>/dev/null || echo -lbpf -lelf -lz -ljansson)

$(GUARD_OBJECTS) $(GUARD_PLAIN_OBJECTS) $(GUARD_RUBY_OBJECTS): $(STUB)/%.o: %.c Makefile $(MRUBY)
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) -std=gnu11 $(WARN) $(GUARD_CFLAGS) -MMD -MP -c -o $@ $<

$(STUB)/cmd/room/confine.o: $(FILTER)
$(STUB)/compiler/ruby/prelude.o $(STUB)/compiler/ruby/user_maps.o: $(PRELUDE)
$(STUB)/cmd/room/confine.o $(STUB)/compiler/ruby/prelude.o $(STUB)/compiler/ruby/user_maps.o: CPPFLAGS += -I$(BUILD)
$(STUB)/cmd/bundle/guard/ruby.o: CPPFLAGS += -DDEVGUARD_MRUBY_VERSION='"$(MRUBY_VERSION)"'
-include $(GUARD_OBJECTS:.o=.d) $(GUARD_PLAIN_OBJECTS:.o=.d) $(GUARD_RUBY_OBJECTS:.o=.d)

$(STUB)/guard: $(GUARD_OBJECTS) $(GUARD_PLAIN_OBJECTS)
$(STUB)/guard-ruby: $(GUARD_OBJECTS) $(GUARD_RUBY_OBJECTS)
$(STUB)/guard-ruby: GUARD_MRUBY = -Wl,--wrap=mrb_ptr_to_str -lmruby -lm

# Without static libraries there is none, and the tool says so.
$(GUARDS):
	@echo '  LD  $@'
	$(Q)if echo 'int main(void) { return 0; }' | $(CC) -x c - -x none $(GUARD_CFLAGS) $(GUARD_LDFLAGS) -o $@ $(GUARD_LIBS) 2>/dev/null; then \
		$(CC) $(GUARD_CFLAGS) $(GUARD_LDFLAGS) -o $@ $^ $(GUARD_MRUBY) $(GUARD_LIBS); \
	else echo 'make: no static libraries: `bundle` will have nothing to make a bundle of' >&2; : >$@; fi

# What they are: the tool takes no others.
STUBS := $(BUILD)/cmd/bundle/stubs.inc
$(STUBS): cmd/bundle/make_stubs.c cmd/bundle/digest.c cmd/bundle/payload.h $(GUARDS)
	@mkdir -p $(@D)
	@echo '  GEN $@'
	$(Q)$(CC) -D_GNU_SOURCE -I. -std=gnu11 $(WARN) -O2 -o $(@D)/make_stubs $(filter %.c,$^)
	$(Q)$(@D)/make_stubs $(GUARDS) >$@.new && mv $@.new $@
$(BUILD)/cmd/bundle/stub.o: $(STUBS)
$(BUILD)/cmd/bundle/stub.o: CPPFLAGS += -I$(BUILD)
lint-gcc lint-clang: $(STUBS)

# Unit tests: one program a file, with everything but main().
UNIT := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
unit: $(UNIT)

$(UNIT): %: %.o $(filter-out $(BUILD)/cmd/%,$(OBJECTS))
	@echo '  LD  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(UNIT_LIBS) -lcmocka

-include $(UNIT:=.d)

# Of cmd/ only the locked room and the nodes of grants have unit tests.
$(BUILD)/tests/unit/test_room: UNIT_LIBS = -lseccomp # filters of a container, to be tried in
$(BUILD)/tests/unit/test_room: $(filter $(BUILD)/cmd/room/%,$(OBJECTS))
$(filter $(BUILD)/tests/unit/test_node%,$(UNIT)): $(filter $(BUILD)/cmd/grant/node%,$(OBJECTS))

# Calls every method of the library, past two checks.
LIBRARY := $(BUILD)/tests/library
$(LIBRARY): tests/library.c $(filter-out $(BUILD)/cmd/%,$(OBJECTS))
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -Wl,--wrap=dialect_check,--wrap=seal_library -o $@ $^ $(LIBS)

# A host program with grants and watchers, for scripts.
HOSTED := $(BUILD)/tests/hosted
$(HOSTED): tests/hosted.c $(filter-out $(BUILD)/cmd/%,$(OBJECTS))
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# What the host program costs (tests/bench_host.sh).
HOST_COST := $(BUILD)/tests/host_cost
$(HOST_COST): tests/host_cost.c $(filter-out $(BUILD)/cmd/%,$(OBJECTS))
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The tool with allocations that fail (tests/faults/faulty.c). ASan has a malloc of its own: then
# the linker gives ours the calls of our objects.
FAULTY        := $(BUILD)/tests/faulty
FAULT_NAMES   := malloc calloc realloc strdup strndup realpath fopen fdopen fmemopen open_memstream \
	opendir fdopendir getline posix_memalign
FAULT_LDFLAGS  = $(if $(findstring address,$(CFLAGS)),$(FAULT_NAMES:%=-Wl$(,)--wrap=%))
,             := ,

$(FAULTY): tests/faults/faulty.c $(OBJECTS)
	@mkdir -p $(@D)
	@echo '  LD  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) $(FAULT_LDFLAGS) -o $@ $^ $(LIBS)

# Harnesses for every parser (tests/README.md, Fuzzing): `replay` puts files to them, `target` is
# what libFuzzer runs, in a build of its own.
FUZZ      := $(BUILD)/tests/fuzz
FUZZ_BOTH := $(filter-out %/replay.o %/target.o %/mutate.o,$(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/fuzz/*.c))))
SECONDS   ?= 600

-include $(wildcard $(FUZZ)/*.d)

# The command's own main() makes room for that of the harnesses.
$(FUZZ)/main.o: cmd/main.c Makefile $(MRUBY)
	@mkdir -p $(@D)
	@echo '  CC  $@'
	$(Q)$(CC) $(ALL_CPPFLAGS) -DDEVGUARD_MRUBY_VERSION='"$(MRUBY_VERSION)"' -Dmain=command_main $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ)/target: $(FUZZ)/mutate.o
$(FUZZ)/replay $(FUZZ)/target: %: %.o $(FUZZ_BOTH) $(FUZZ)/main.o $(filter-out $(BUILD)/cmd/main.o,$(OBJECTS))
	@echo '  LD  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# ---- what a fresh Debian needs ---------------------------------------------------

BUILD_PACKAGES := gcc make pkg-config libmruby-dev libbpf-dev libelf-dev zlib1g-dev libcgroup-dev libseccomp-dev \
	libyaml-dev libjansson-dev
TEST_PACKAGES  := libcmocka-dev bpftool clang libclang-rt-dev mruby ruby busybox-static crun runc podman uidmap man-db cppcheck \
	clang-tidy jq procps python3 python3-yaml strace systemd btrfs-progs
# virtiofsd is a package of its own from Debian 13 on, and a part of qemu before.
KERNEL_PACKAGES = libcmocka-dev bpftool python3 qemu-system-x86 $(if $(shell apt-cache show virtiofsd 2>/dev/null),virtiofsd) busybox-static \
	btrfs-progs jq kmod xz-utils zstd e2fsprogs procps

# A package of its own in Debian 13. That of Debian 12 would start a server: the tool alone is
# taken out of it.
PROMTOOL := $(BUILD)/promtool

# $(1): packages, what for. On other systems, or without root, what is missing is only named.
define install_packages
@command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || exit 0; \
missing=; for p in $(1); do \
	dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || \
		missing="$$missing $$p"; \
done; \
[ -n "$$missing" ] || exit 0; \
if [ "$$(id -u)" != 0 ]; then \
	echo "make deps: not root, so not installed:$$missing" >&2; exit 0; \
fi; \
echo "make deps: installing, which may take some minutes:$$missing"; \
export DEBIAN_FRONTEND=noninteractive; \
get="apt-get install -qq -y --no-install-recommends"; \
$$get $$missing >/dev/null 2>&1 || { apt-get update -qq && $$get $$missing >/dev/null; } || \
for p in $$missing; do \
	$$get $$p >/dev/null 2>&1 || \
		echo "make deps: $$p cannot be installed: what needs it fails or is skipped" >&2; \
done
endef

build-deps:
	$(call install_packages,$(BUILD_PACKAGES))

deps: build-deps
	$(call install_packages,$(TEST_PACKAGES))
	@command -v promtool >/dev/null || [ -x $(PROMTOOL) ] || ! command -v apt-get >/dev/null || { \
		rm -rf $(PROMTOOL).d && mkdir -p $(PROMTOOL).d && cd $(PROMTOOL).d && \
		get() { apt-get download -qq promtool || apt-get download -qq prometheus; }; \
		{ get || { [ "$$(id -u)" = 0 ] && apt-get update -qq && get; }; } >/dev/null 2>&1 && \
		dpkg-deb --fsys-tarfile prom*.deb | tar -xf - ./usr/bin/promtool && \
		mv usr/bin/promtool ../promtool && rm -rf ../promtool.d; \
	} || echo "make deps: no promtool, its test is skipped" >&2

# ---- tests: tests/run and its like find the program in $DEVGUARD -------------------

check quick demo bench golden faults: export DEVGUARD := $(abspath $(PROGRAM))
check quick demo bench golden faults: export BUILD := $(BUILD)
check quick demo bench golden faults: export CC := $(CC)

check: deps
	@$(MAKE) --no-print-directory all unit $(LIBRARY) $(HOSTED) $(FAULTY) $(FUZZ)/replay
	tests/run

demo: build-deps
	@$(MAKE) --no-print-directory all
	tests/demo

# What one runs while editing: without root, and seconds.
quick: all unit
	UNIT_LEAVE="verify room cost" tests/run unit ruby policies errors golden

bench: deps
	@$(MAKE) --no-print-directory all $(HOST_COST)
	tests/bench

golden: all
	tests/golden --update
	tests/errors.sh --update
	tests/manifest.sh --update
	tests/cruby.sh --update

asan: deps
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'

# One binary without shared libraries: it runs on every x86-64 Linux that has the kernel for it.
static:
	@$(MAKE) --no-print-directory all BUILD=$(BUILD)/static LDFLAGS=-static

# The two commands in minimal systems of every Debian that is supported.
check-distros:
	tests/distros

# What the commands of Debian packages use is learned, and they run under it. PACKAGES= some of tests/packages/list.txt.
check-packages: static
	tests/packages/run $(PACKAGES)

# The facts about the calling task on other kernels, in virtual machines: KERNELS="5.10 6.1 6.12 6.12-lockdown",
# PARTS="unit who who_load who_read", UNIT_ONLY="task_kernel task_decode identity who". The variables reach the script as they are.
KERNEL_UNITS := $(or $(UNIT_ONLY),task_kernel task_decode identity who)
check-kernels: export DEVGUARD := $(abspath $(PROGRAM))
check-kernels: export BUILD := $(BUILD)
check-kernels: export UNIT_ONLY := $(KERNEL_UNITS)
check-kernels: build-deps
	$(call install_packages,$(KERNEL_PACKAGES))
	@$(MAKE) --no-print-directory all $(KERNEL_UNITS:%=$(BUILD)/tests/unit/test_%)
	tests/kernels/run

# SECONDS=N: no longer than that, else every fault there is.
faults: deps
	@$(MAKE) --no-print-directory all $(FAULTY)
	@$(MAKE) --no-print-directory $(BUILD)/faults/tests/faulty BUILD=$(BUILD)/faults \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
	tests/faults/run $(if $(filter-out undefined default file,$(origin SECONDS)),$(SECONDS))

# SEED= other changes, FILES= of these files.
N ?= 200
mutants: deps
	@BUILD=$(BUILD) tests/mutants $(N) $(FILES)

FUZZ_CFLAGS := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all

fuzz: deps
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory $(BUILD)/fuzz/tests/fuzz/target BUILD=$(BUILD)/fuzz CC=clang \
		CFLAGS='$(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined' LDFLAGS=-fsanitize=fuzzer
	BUILD=$(BUILD) DEVGUARD=$(abspath $(PROGRAM)) tests/fuzz/run $(SECONDS)

# ---- lint ---------------------------------------------------------------------------

# What the files of a folder may include: its own headers, and those of the folders below it.
# cmd -> compiler, cgroup, policy; compiler -> policy; cgroup -> policy.
CORE                  := policy/[a-z0-9_]+\.h|policy/(facts|maps|devices|reach)\.def
ALLOW_policy          := $(CORE)
ALLOW_policy/import   := $(CORE)|policy/import/.*
ALLOW_policy/manifest := $(CORE)|policy/manifest/.*
ALLOW_compiler        := $(CORE)|compiler/compiler\.h
ALLOW_compiler/bpf    := $(CORE)|compiler/(compiler|object/internal|task/task)\.h|compiler/bpf/.*
ALLOW_compiler/raw    := $(CORE)|compiler/compiler\.h|compiler/(bpf/internal|raw/.*)\.h
ALLOW_compiler/task   := $(CORE)|compiler/bpf/instructions\.h|compiler/task/.*
ALLOW_compiler/hostprog := $(CORE)|compiler/bpf/instructions\.h
ALLOW_compiler/decode := $(CORE)|compiler/(decode/.*|task/task\.h)
ALLOW_compiler/object := $(CORE)|compiler/(compiler|bpf/internal|task/task)\.h|compiler/object/.*
ALLOW_compiler/lift   := $(CORE)|compiler/(compiler|ruby/(said|mruby))\.h|compiler/lift/.*
ALLOW_compiler/ruby   := $(CORE)|compiler/(compiler|user|lift/lift|raw/world)\.h|compiler/ruby/.*
ALLOW_cgroup          := $(CORE)|cgroup/.*
BELOW                 := $(CORE)|policy/(import/import|manifest/manifest)\.h|policy/import/formats\.def|compiler/(compiler|user|decode/decode|task/task)\.h|cgroup/(cgroup|dump|hostprog|trace|who)\.h|cmd/(asked|child|cli|cmd|coverage|compare|document|foreign|each|judged|names_now|options|output|proof|rule|settings|source|unit)\.h|cmd/verbs\.def|cmd/room/rooms\.h|cmd/(hosted/hosted|where/where)\.h
ALLOW_cmd             := $(BELOW)|cmd/room/.*|cmd/audit/audit\.h
ALLOW_cmd/room        := $(BELOW)|cmd/room/.*
ALLOW_cmd/audit       := $(BELOW)|cmd/audit/.*
ALLOW_cmd/grant       := $(BELOW)|cmd/grant/.*|cmd/audit/audit\.h
ALLOW_cmd/observe     := $(BELOW)|cmd/observe/.*|cmd/(audit/audit|why/why)\.h
ALLOW_cmd/hosted      := $(BELOW)
ALLOW_cmd/explain     := $(BELOW)|cmd/explain/.*|cmd/audit/audit\.h|cmd/room/room\.h
ALLOW_cmd/learn       := $(BELOW)|cmd/learn/.*|cmd/audit/audit\.h|cmd/room/room\.h|cgroup/hostprog\.h
ALLOW_cmd/trace       := $(BELOW)|cmd/trace/.*|cmd/watch/watch\.h|compiler/user\.h
ALLOW_cmd/watch       := $(BELOW)|cmd/watch/.*|cmd/audit/audit\.h|cmd/room/room\.h
ALLOW_cmd/where       := $(BELOW)|cmd/where/.*
ALLOW_cmd/why         := $(BELOW)|cmd/why/.*
ALLOW_cmd/verbs       := $(BELOW)|cmd/verbs/diff\.h|cmd/(audit/audit|bundle/bundle|explain/explain|grant/grant|observe/observe|learn/learn|trace/trace|watch/watch|why/why)\.h|cmd/containers/(guard|installed)\.h|cmd/room/room\.h
ALLOW_cmd/bundle      := $(BELOW)|cmd/bundle/.*
ALLOW_cmd/bundle/guard := $(BELOW)|cmd/bundle/.*|cmd/(explain/explain|watch/watch)\.h|cmd/room/judge\.h
ALLOW_cmd/containers  := $(BELOW)|cmd/containers/.*|cmd/grant/grant\.h
# Of policy/, what is private to a file's relatives.
PRIVATE               := policy/(term|diagram|compare)_internal\.h
DENY_policy           := mruby|bpf/|linux/bpf|libelf|gelf|libcgroup
DENY_compiler         := bpf/(lib)?bpf\.h|libcgroup|jansson|yaml
DENY_cgroup           := mruby|libelf|gelf|jansson|yaml
DENY_cmd              := mruby|libelf|gelf|libcgroup|yaml
FOLDERS               := $(sort $(patsubst %/,%,$(dir $(SOURCES) $(GUARD_SOURCES) $(GUARD_RUBY_SOURCES))))

lint: lint-folders lint-papers lint-prototypes lint-gcc lint-clang lint-cppcheck

# A source file that a document or a comment names is there: FILE.c, FOLDER/FILE.h ...
lint-papers:
	@find $(DIRS) tests -name '*.[ch]' -o -name '*.def' >$(BUILD)/files; \
	grep -oE '[a-z0-9_/]+\.(c|h|def)\b' *.md */README.md $(wildcard cmd/*.md cmd/*/*.md) | grep -vE 'linux/|mruby/|libcgroup\.h' | sort -u | \
	while IFS=: read -r paper name; do \
		grep -qE "(^|/)$$name\$$" $(BUILD)/files || { echo "$$paper names $$name, which is not there" >&2; exit 1; }; \
	done

# Each prototype stands under the heading of the file that defines it.
lint-prototypes:
	@python3 tests/prototypes.py

.PHONY: lint-folders lint-papers lint-prototypes lint-gcc lint-clang lint-cppcheck
define FOLDER_RULE
lint-folders: lint-folder-$(1)
.PHONY: lint-folder-$(1)
lint-folder-$(1):
	@[ -n '$$(ALLOW_$(1))' ] || { echo 'lint: no rule says what $(1)/ may include' >&2; false; }
	@! grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' $(1)/*.[ch] | \
		grep -vE '"($$(ALLOW_$(1)))"|\.inc"' || { echo '$(1)/ includes what it must not know' >&2; false; }
	@! grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<($$(DENY_$(firstword $(subst /, ,$(1)))))' $(1)/*.[ch] || \
		{ echo '$(1)/ includes a library it must not know' >&2; false; }
	@[ '$(1)' = policy ] || ! grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"$$(PRIVATE)"' $(1)/*.[ch] || \
		{ echo '$(1)/ includes a header that is private to policy/' >&2; false; }
endef
$(foreach f,$(FOLDERS),$(eval $(call FOLDER_RULE,$(f))))

lint-gcc lint-clang: lint-%:
	@command -v $* >/dev/null || { echo 'lint: no $*, passed over'; exit 0; }; \
	$* $(ALL_CPPFLAGS) -std=gnu11 $(WARN) -Werror -fsyntax-only $(sort $(SOURCES) $(GUARD_SOURCES) $(GUARD_PLAIN_OBJECTS:$(STUB)/%.o=%.c) $(GUARD_RUBY_SOURCES))

lint-cppcheck:
	@command -v cppcheck >/dev/null || { echo 'lint: no cppcheck, passed over'; exit 0; }; \
	cppcheck -q --std=c11 --error-exitcode=1 --enable=warning,portability --suppress=shiftTooManyBitsSigned \
		--suppress=integerOverflow \
		--suppress=arrayIndexThenCheck --suppress=missingInclude --suppress=missingIncludeSystem --inline-suppr -I. \
		-D_GNU_SOURCE -DDEVGUARD_VERSION='"x"' $(DIRS)

# ---- install ----------------------------------------------------------------------

BINDIR  := $(DESTDIR)$(PREFIX)/bin
LIBDIR  := $(DESTDIR)$(PREFIX)/lib/rucy-devguard
SHARE   := $(DESTDIR)$(PREFIX)/share
MAN1    := $(wildcard cmd/*.1)
MAN5    := $(wildcard cmd/*.5)
MAN7    := $(wildcard policies/*.7)
SHIPPED := $(wildcard policies/*.rb policies/*.cases)

install: all
	install -d $(BINDIR) $(SHARE)/rucy-devguard/policies $(SHARE)/man/man1 $(SHARE)/man/man5 \
		$(SHARE)/man/man7 \
		$(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions
	install -m 755 $(PROGRAM) $(BINDIR)/
	! [ -s $(firstword $(GUARDS)) ] || { install -d $(LIBDIR) && install -m 755 $(GUARDS) $(LIBDIR)/; }
	$(if $(MAN1),install -m 644 $(MAN1) $(SHARE)/man/man1/)
	$(if $(MAN5),install -m 644 $(MAN5) $(SHARE)/man/man5/)
	$(if $(MAN7),install -m 644 $(MAN7) $(SHARE)/man/man7/)
	$(if $(SHIPPED),install -m 644 $(SHIPPED) $(SHARE)/rucy-devguard/policies/)
	install -m 755 cmd/containers/rucy-devguard-runtime cmd/containers/rucy-devguard-lxc $(BINDIR)/
	install -m 644 cmd/containers/kubernetes.yaml cmd/containers/containers.md cmd/services.md $(SHARE)/rucy-devguard/
	install -m 644 cmd/completion/rucy-devguard.bash \
		$(SHARE)/bash-completion/completions/rucy-devguard
	install -m 644 cmd/completion/_rucy-devguard $(SHARE)/zsh/site-functions/

# A hook that names what is gone stops every container it is for, or, if it is not one that
# `install-hook` wrote, guards none: it goes first.
HOOK_DIRS := /usr/share/containers/oci/hooks.d /etc/containers/oci/hooks.d
BASE_SPEC := /etc/rucy-devguard/containerd-spec.json
# So does a unit, and LXC's configuration.
USED_BY   := /etc/systemd/system /usr/share/lxc/config/common.conf.d /etc/lxc /var/lib/lxc/*/config

uninstall:
	@found=; for f in $(foreach d,$(HOOK_DIRS),$(DESTDIR)$(d)/*.json) $(DESTDIR)$(BASE_SPEC); do \
		! grep -qs '"rucy-devguard"' "$$f" || ! grep -qs '"oci-hook"' "$$f" || found="$$found $$f"; \
	done; \
	[ -z "$$found" ] || [ -n "$(FORCE)" ] || { \
		echo "make uninstall: these hooks need the tool:$$found" >&2; \
		echo "  hint: rucy-devguard install-hook --remove (with the --dir and --name, or --containerd, they were made with), or" >&2; \
		echo "  hint: make uninstall FORCE=1, which leaves them: no container that they are for starts then" >&2; \
		exit 1; }
	@found=$$(grep -rlsw rucy-devguard $(foreach d,$(USED_BY),$(DESTDIR)$(d)) | tr '\n' ' '); \
	[ -z "$$found" ] || [ -n "$(FORCE)" ] || { \
		echo "make uninstall: these units and configurations need the tool: $$found" >&2; \
		echo "  hint: take its lines out of them (cmd/services.md, cmd/containers/containers.md), or" >&2; \
		echo "  hint: make uninstall FORCE=1, which leaves them: what they guard does not start then" >&2; \
		exit 1; }
	rm -f $(BINDIR)/rucy-devguard $(BINDIR)/rucy-devguard-runtime $(BINDIR)/rucy-devguard-lxc $(MAN1:cmd/%=$(SHARE)/man/man1/%) \
		$(MAN5:cmd/%=$(SHARE)/man/man5/%) \
		$(MAN7:policies/%=$(SHARE)/man/man7/%) \
		$(SHARE)/bash-completion/completions/rucy-devguard \
		$(SHARE)/zsh/site-functions/_rucy-devguard
	rm -rf $(SHARE)/rucy-devguard $(LIBDIR)

clean:
	rm -rf $(BUILD)
