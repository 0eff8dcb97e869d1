# headway: build, run, check. Everything is built below build/<variant>/; nothing is written beside the sources.
#   make            both programs            make run     install what is missing, build, start, open the console
#   make check      every test, one summary  make bench   the tables of figures
#   make check-KIND one kind: build unit fuzz vectors interop console ... (a folder of tests/); VARIANT=asan for one variant
#   make soak       the long tests           make lint    what .ci/run checks besides
#   make deb        a Debian package         make dist    a tarball of the sources
# A tarball has no history to ask for its version: `make dist` writes it beside the Makefile.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || cat .version 2>/dev/null || echo 0.1.0)
VARIANT ?= release
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
B := build/$(VARIANT)
CC ?= cc
ifeq ($(origin CC),default)
CC := gcc
endif

LIBS_SERVER := libsystemd libmicrohttpd libnghttp2 libssl libcrypto libsodium jansson sqlite3 libcurl yaml-0.1 libzstd libpq cjose
LIBS_TUI := jansson libcurl yaml-0.1 ncursesw libcrypto libsodium
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wcast-qual -Wwrite-strings -Wpointer-arith -Wundef -Wimplicit-fallthrough
WARN_gcc := -Wduplicated-cond -Wduplicated-branches -Wlogical-op
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fno-common -D_FORTIFY_SOURCE=2 \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
FLAGS_release := -O2 -g $(HARDEN)
FLAGS_debug := -O1 -g -Werror -fno-omit-frame-pointer
FLAGS_asan := -O1 -g -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -Werror -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
LD_release := $(HARDEN_LD)
LD_asan := -fsanitize=address,undefined
LD_tsan := -fsanitize=thread
LD_fuzz := -fsanitize=address,undefined
ifeq ($(VARIANT),fuzz)
CC := clang
endif
ifeq ($(filter $(VARIANT),release debug asan tsan fuzz),)
$(error VARIANT=$(VARIANT) is not one of release debug asan tsan fuzz)
endif
CPPFLAGS += -D_GNU_SOURCE -Icommon
# WERROR=1 makes the release variant as strict as the others; it is no change of flags that rebuilds.
WERROR_FLAG := $(if $(WERROR),-Werror)
IS_GCC := $(if $(findstring clang,$(CC)),,1)
CFLAGS_ALL = -std=c17 $(WARN) $(if $(IS_GCC),$(WARN_gcc)) $(FLAGS_$(VARIANT)) $(CFLAGS) -MMD -MP -pthread
LDFLAGS_ALL = $(LD_$(VARIANT)) $(LDFLAGS) -pthread -Wl,--as-needed

sources = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
COMMON_SRC := $(call sources,common)
SERVER_SRC := $(filter-out server/main.c,$(call sources,server))
TUI_SRC := $(filter-out tui/main.c,$(call sources,tui))
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/bench_*.c))
VECTOR_SRC := $(sort $(wildcard tests/vectors/run_*.c tests/docs/run_*.c tests/durability/run_*.c))
SHARED_TEST_SRC := $(sort $(call sources,tests/shared))
obj = $(patsubst %.c,$(B)/%.o,$(1))

PROGRAMS := $(if $(wildcard server/main.c),$(B)/headwayd) $(if $(wildcard tui/main.c),$(B)/headway)
# Those that start a core.
MESSAGE_TEST_SRC := $(sort $(shell grep -lE 'shared/(core_rig|api_fixture|control_rig|daemon_fixture)\.h' tests/unit/*/test_*.c))
UNIT := $(patsubst %.c,$(B)/%,$(UNIT_SRC))
REPLAY := $(patsubst %.c,$(B)/%_replay,$(FUZZ_SRC))
BENCH := $(patsubst %.c,$(B)/%,$(BENCH_SRC))
VECTORS := $(patsubst %.c,$(B)/%,$(VECTOR_SRC))
LIBCOMMON := $(B)/libcommon.a
LIBSERVER := $(B)/libserver.a
LIBTUI := $(B)/libtui.a

# A kind of tests is one that the runner knows, or a folder of tests/ that holds scripts.
KINDS := build unit messages fuzz vectors $(sort $(patsubst tests/%/,%,$(dir $(wildcard tests/*/test_*.sh tests/*/test_*.py))))
CHECKS := $(addprefix check-,$(KINDS))

.PHONY: all run check $(CHECKS) check-clang check-tidy check-each-header check-common-alone build-tests build-messages print-message-tests build-fuzz lint format fuzz bench \
	vectors soak install uninstall install-headscale uninstall-headscale dist deb clean deps deps-check compile_commands.json
all: $(PROGRAMS)
build-tests: $(UNIT) $(REPLAY) $(BENCH) $(VECTORS)

# The one library whose header is in a folder of its own.
PQ_INCLUDE := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags libpq 2>/dev/null))
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $(2)";)
pc_libs = $(shell pkg-config --libs $(1) 2>/dev/null)
# The sanitizers bring a crypt() that calls the library's: it must be linked although nothing seems to need it.
LIBCRYPT := -Wl,--no-as-needed -lcrypt -Wl,--as-needed
SERVER_LIBS = $(call pc_libs,$(LIBS_SERVER)) $(LIBCRYPT) -lm
TUI_LIBS = $(call pc_libs,$(LIBS_TUI)) $(LIBCRYPT) -lm
TEST_LIBS = $(call pc_libs,$(LIBS_SERVER) ncursesw cmocka vterm) $(LIBCRYPT) -lm

# A change of flags rebuilds; objects of two sets of flags never mix.
STAMP := $(B)/flags
$(shell mkdir -p $(B); printf '%s\n' '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $(STAMP) || printf '%s\n' '$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)' >$(STAMP))
# The version is a file of its own, so that a commit relinks and does not recompile.
VERSION_C := $(B)/version.c
$(shell printf 'extern const char *const headway_version;\nconst char *const headway_version = "%s";\n' '$(VERSION)' | cmp -s - $(VERSION_C) || \
	printf 'extern const char *const headway_version;\nconst char *const headway_version = "%s";\n' '$(VERSION)' >$(VERSION_C))
$(B)/version.o: $(VERSION_C) $(STAMP)
	$(Q)$(CC) -std=c17 $(FLAGS_$(VARIANT)) -c -o $@ $<

$(B)/common/%.o: common/%.c $(STAMP)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(WERROR_FLAG) -c -o $@ $<
$(B)/server/%.o: server/%.c $(STAMP)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) -Iserver $(PQ_INCLUDE) $(CFLAGS_ALL) $(WERROR_FLAG) -c -o $@ $<
$(B)/tui/%.o: tui/%.c $(STAMP)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) -Itui $(CFLAGS_ALL) $(WERROR_FLAG) -c -o $@ $<
$(B)/tests/%.o: tests/%.c $(STAMP)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) -Iserver -Itui -Itests $(CFLAGS_ALL) $(WERROR_FLAG) -c -o $@ $<

$(LIBCOMMON): $(call obj,$(COMMON_SRC)) $(B)/version.o
$(LIBSERVER): $(call obj,$(SERVER_SRC))
$(LIBTUI): $(call obj,$(TUI_SRC))
$(LIBCOMMON) $(LIBSERVER) $(LIBTUI):
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/headwayd: $(B)/server/main.o $(LIBSERVER) $(LIBCOMMON)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(SERVER_LIBS)
$(B)/headway: $(B)/tui/main.o $(LIBTUI) $(LIBCOMMON)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(TUI_LIBS)

SHARED_TEST_OBJ := $(call obj,$(SHARED_TEST_SRC))
TEST_LINK = $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBSERVER) $(LIBTUI) $(LIBCOMMON) -Wl,--end-group $(TEST_LIBS)
$(UNIT) $(BENCH) $(VECTORS): $(B)/%: $(B)/%.o $(SHARED_TEST_OBJ) $(LIBCOMMON) $(LIBSERVER) $(LIBTUI)
	$(call say,LD,$@)
	$(Q)$(TEST_LINK)
# The core once more, so built that all that goes into it and comes out of it passes through bytes, as between two
# daemons; with it the tests that go by the core, and a daemon.
M := $(B)/messages
MESSAGE_CORE := $(patsubst %.c,$(M)/%.o,$(filter server/core/%,$(SERVER_SRC)))
MESSAGE_TESTS := $(patsubst %.c,$(M)/%,$(MESSAGE_TEST_SRC))
$(M)/server/%.o: server/%.c $(STAMP)
	$(call say,CC,$< for messages)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) -DCORE_ENCODES -Iserver $(CFLAGS_ALL) $(WERROR_FLAG) -c -o $@ $<
$(MESSAGE_TESTS): $(M)/%: $(B)/%.o $(MESSAGE_CORE) $(SHARED_TEST_OBJ) $(LIBCOMMON) $(LIBSERVER) $(LIBTUI)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(TEST_LINK)
$(M)/headwayd: $(B)/server/main.o $(MESSAGE_CORE) $(LIBSERVER) $(LIBCOMMON)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(SERVER_LIBS)
build-messages: $(MESSAGE_TESTS) $(M)/headwayd
print-message-tests:
	@echo $(MESSAGE_TEST_SRC)
# A fuzz target with a main that replays the corpus: the same code runs in make check without a fuzzer.
$(REPLAY): $(B)/%_replay: $(B)/%.o $(B)/tests/fuzz/replay.o $(SHARED_TEST_OBJ) $(LIBCOMMON) $(LIBSERVER) $(LIBTUI)
	$(call say,LD,$@)
	$(Q)$(TEST_LINK)
FUZZERS := $(patsubst %.c,build/fuzz/%,$(FUZZ_SRC))
ifeq ($(VARIANT),fuzz)
$(patsubst %.c,$(B)/%,$(FUZZ_SRC)): $(B)/%: $(B)/%.o $(SHARED_TEST_OBJ) $(LIBCOMMON) $(LIBSERVER) $(LIBTUI)
	$(Q)$(TEST_LINK) -fsanitize=fuzzer
build-fuzz: $(patsubst %.c,$(B)/%,$(FUZZ_SRC))
endif
.SECONDARY:

# FUZZ_SECONDS for each target, corpus in tests/fuzz/corpus/NAME/.
FUZZ_SECONDS ?= 60
fuzz:
	$(Q).ci/deps fuzz
	$(Q)$(MAKE) VARIANT=fuzz build-fuzz
	$(Q)for f in $(FUZZERS); do n=$$(basename $$f); n=$${n#fuzz_}; mkdir -p build/fuzz/corpus/$$n; echo "== $$n"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 build/fuzz/corpus/$$n $$(test -d tests/fuzz/corpus/$$n && echo tests/fuzz/corpus/$$n) || exit 1; done

DIR ?= ../shared/vectors/policy
vectors: $(B)/tests/vectors/run_vectors
	$(Q)$(B)/tests/vectors/run_vectors $(DIR)

check: deps-check
	$(Q)tests/run.sh
$(CHECKS): check-%: deps-check
	$(Q)tests/run.sh $*
soak: deps-check
	$(Q)tests/run.sh soak
bench:
	$(Q)$(MAKE) --no-print-directory all build-tests
	$(Q)tests/bench/run.sh
run: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)server/dist/run.sh $(B)

# What each part of the tree sees of the others; the include path is the first guard of the arrows between them.
see_server := -Iserver $(PQ_INCLUDE)
see_tui := -Itui
see_tests := -Iserver -Itui -Itests
see = $(see_$(firstword $(subst /, ,$(1))))
SOURCES := $(COMMON_SRC) $(call sources,server) $(call sources,tui) $(call sources,tests)
HEADERS := $(sort $(shell find common server tui tests -name '*.h' 2>/dev/null))

# The other compiler must be silent too. It only reads: nothing that it would build is used.
check-clang: $(patsubst %,build/clang/%.ok,$(SOURCES))
build/clang/%.c.ok: %.c Makefile
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D) && clang $(CPPFLAGS) $(call see,$<) -std=c17 $(WARN) -Werror -pthread -fsyntax-only -MD -MP -MF $(@:.ok=.d) -MT $@ $< && touch $@
check-tidy: $(patsubst %,build/tidy/%.ok,$(SOURCES))
build/tidy/%.c.ok: %.c .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D) && clang -E -MM -MP -MF $(@:.ok=.d) -MT $@ $(CPPFLAGS) $(call see,$<) -std=c17 $< && \
		clang-tidy --quiet $< -- $(CPPFLAGS) $(call see,$<) -std=c17 -Wno-everything 2>&1 | { ! grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header'; } && touch $@
# Each header stands alone: it includes what it uses.
check-each-header: $(patsubst %,build/headers/%.ok,$(HEADERS))
build/headers/%.h.ok: %.h Makefile
	$(call say,HEADER,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(call see,$<) -std=c17 $(WARN) -Werror -fsyntax-only -MD -MP -MF $(@:.ok=.d) -MT $@ -include $< -x c /dev/null && touch $@
# common/ needs nothing of the programs: the archive links by itself.
check-common-alone: $(LIBCOMMON)
	$(Q)mkdir -p build/check && printf 'int main(void)\n{\n    return 0;\n}\n' >build/check/alone.c
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o build/check/alone build/check/alone.c -Wl,--whole-archive $(LIBCOMMON) -Wl,--no-whole-archive \
		$(call pc_libs,$(filter-out ncursesw,$(LIBS_TUI))) $(LIBCRYPT) -lm

compile_commands.json:
	$(Q){ echo '['; sep=; $(foreach f,$(SOURCES),printf '%s{"directory":"%s","file":"%s","command":"%s"}\n' "$$sep" '$(CURDIR)' '$(f)' \
		'$(CC) $(CPPFLAGS) $(call see,$(f)) -std=c17 $(WARN) -c $(f)'; sep=,;) echo ']'; } >$@

deps:
	$(Q).ci/deps run
deps-check:
	$(Q).ci/deps check

lint:
	$(Q).ci/lint
format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

MAN := $(sort $(wildcard man/*.[1-9]))
install: all
	install -D -m 0755 $(B)/headwayd $(DESTDIR)$(PREFIX)/sbin/headwayd
	install -D -m 0755 $(B)/headway $(DESTDIR)$(PREFIX)/bin/headway
	for m in $(MAN); do install -D -m 0644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$(basename $$m); done
	server/dist/install.sh install "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" $(B)
# The command headscale, for scripts that were made for it: a real one is not overwritten.
install-headscale:
	server/dist/headscale.sh install "$(DESTDIR)" "$(PREFIX)" $(B)
uninstall-headscale:
	server/dist/headscale.sh uninstall "$(DESTDIR)" "$(PREFIX)" $(B)
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/headwayd $(DESTDIR)$(PREFIX)/bin/headway
	for m in $(MAN); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$(basename $$m); done
	server/dist/install.sh uninstall "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" $(B)
	server/dist/headscale.sh uninstall "$(DESTDIR)" "$(PREFIX)" $(B)
dist:
	$(Q)mkdir -p build && echo '$(VERSION)' >build/.version && git archive --prefix=headway-$(VERSION)/ --add-file=build/.version HEAD | gzip -9n >build/headway-$(VERSION).tar.gz && echo build/headway-$(VERSION).tar.gz
# Prints the paths of the packages, headway last.
deb: all
	$(Q)server/dist/debian/build.sh '$(VERSION)' $(B)
clean:
	rm -rf build compile_commands.json

-include $(shell find $(B) build/clang build/headers build/tidy -name '*.d' 2>/dev/null)
