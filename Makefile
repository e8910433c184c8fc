# asyncx: `make demo` runs the main job, `make test` passes the tests, `make fuzz` tests at length, `make bench`, `make bench-peers`
# and `make sizes` measure. The header itself needs no build.

CC ?= cc
CXX ?= c++
PREFIX ?= /usr/local
WARN = -Wall -Wextra -Wpedantic -Wshadow -Werror
CFLAGS ?= -O2 -g
STD = -std=c99 -D_GNU_SOURCE
SAN = -O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LIBS = -lpthread
B = build
VERSION := $(shell sed -n 's/^\#define ASYNCX_VERSION "\(.*\)"/\1/p' asyncx.h)

# An example or a test named in NEEDS_x is built with library x.
NEEDS_CURL = hn_pipeline curl
NEEDS_SQLITE = hn_pipeline sqlite
EXAMPLES := $(patsubst examples/%.c,%,$(wildcard examples/*.c))
TESTS := $(patsubst tests/%.c,%,$(wildcard tests/*.c)) conformance/conformance
SCRIPTS := $(wildcard tests/*.t)
HEADERS := asyncx.h $(wildcard tests/*.h) $(wildcard examples/*.h)

# The small examples, run by tests/examples.t; on a virtual clock but for those with a thread or a clock of their own.
SMALL := $(patsubst tests/examples/%.out,%,$(wildcard tests/examples/*.out))
VIRTUAL := $(filter-out to_thread post guest executor,$(SMALL))

libs_of = $(LIBS) $(if $(filter $(1),$(NEEDS_CURL)),-lcurl) $(if $(filter $(1),$(NEEDS_SQLITE)),-lsqlite3)

all: $(EXAMPLES:%=$(B)/examples/%)

$(B)/examples/%: examples/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) -I. -o $@ $< $(call libs_of,$*)
# The builds for tests of the examples share one object of the implementation.
$(B)/asyncx.o: asyncx.h
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) -O0 -DASYNCX_IMPLEMENTATION -x c -c -o $@ $<
$(B)/san/asyncx.o: asyncx.h
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) -DASYNCX_IMPLEMENTATION -x c -c -o $@ $<
$(B)/san/examples/%: examples/%.c $(B)/san/asyncx.o $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) -DASYNCX_IMPLEMENTED -I. -o $@ $< $(B)/san/asyncx.o $(call libs_of,$*)
$(B)/virtual/%: examples/%.c $(B)/asyncx.o tests/virtual.h $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) -O0 -DASYNCX_IMPLEMENTED -I. -include tests/virtual.h -o $@ $< $(B)/asyncx.o $(LIBS)
$(B)/san/virtual/%: examples/%.c $(B)/san/asyncx.o tests/virtual.h $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) -DASYNCX_IMPLEMENTED -I. -include tests/virtual.h -o $@ $< $(B)/san/asyncx.o $(LIBS)
$(B)/plain/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) -I. -Itests -Iexamples -o $@ $< $(call libs_of,$*)
$(B)/san/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) -I. -Itests -Iexamples -o $@ $< $(call libs_of,$*)

CONFORMANCE := $(wildcard tests/conformance/*.c tests/conformance/*.h)
HOSTS = musl m32 memory s390x
$(foreach d,plain san switch comma ndebug clang thread epoll select kqueue $(HOSTS),$(B)/$(d)/conformance/conformance): $(CONFORMANCE)
# What asyncx does in each case, in the form that its reference prints.
conformance: $(B)/plain/conformance/conformance
	$< --print > $(B)/conformance.txt

REAL := $(filter-out $(VIRTUAL),$(EXAMPLES))
# What meets descriptors runs under each backend; kqueue is the stand-in of tests/kqueue.
BACKENDS := $(foreach b,epoll select kqueue,$(addprefix $(B)/$(b)/,loop net threads syscalls hostile))
build-test: $(BACKENDS) $(REAL:%=$(B)/examples/%) $(REAL:%=$(B)/san/examples/%) $(TESTS:%=$(B)/plain/%) $(TESTS:%=$(B)/san/%) \
	$(VIRTUAL:%=$(B)/virtual/%) $(VIRTUAL:%=$(B)/san/virtual/%)

# Every test twice: plain, and under the address and undefined sanitizers. Scripts (*.t) do both themselves.
test:
	@$(MAKE) --no-print-directory -s -j2 CFLAGS='-O1 -g1' build-test
	prove -j2 --exec 'timeout 300' $(SCRIPTS) $(TESTS:%=$(B)/plain/%) $(TESTS:%=$(B)/san/%) $(BACKENDS)

# The pipeline end to end: a hundred stories, one at a time and twenty at a time. Leaves the database in build/hn.db.
demo: $(B)/examples/hn_server $(B)/examples/hn_pipeline
	@sh examples/demo.sh $(B)

# The same tests otherwise built: $(eval $(call variant,name,compiler,flags,but not)).
define variant
$(B)/$(1)/%: tests/%.c $(HEADERS)
	@mkdir -p $$(@D)
	$(2) $(WARN) $(3) -I. -Itests -Iexamples -o $$@ $$< $$(call libs_of,$$*)
VARIANTS += $(patsubst %,$(B)/$(1)/%,$(filter-out $(4),$(TESTS)))
endef
$(eval $(call variant,other,$(CC) $(STD),-O1 -g -DASYNCX_SWITCH -DASYNCX_COMMA)) # as by other compilers
$(eval $(call variant,ndebug,$(CC) -std=c11 -D_GNU_SOURCE,-O3 -DNDEBUG))
$(eval $(call variant,clang,clang $(STD),-O1 -g))
$(eval $(call variant,thread,$(CC) $(STD),-O1 -g -fsanitize=thread))
$(eval $(call variant,epoll,$(CC) $(STD),-O0 -g -DASYNCX_EPOLL,freestanding))
$(eval $(call variant,select,$(CC) $(STD),-O0 -g -DASYNCX_BACKEND='(&select_backend)' -include examples/select_backend.h,freestanding))
$(eval $(call variant,kqueue,$(CC) $(STD),-O0 -g -DASYNCX_KQUEUE -Itests/kqueue,freestanding))

# Ends a recipe's line if one of these tools is missing: it is skipped, and said; in CI it is an error.
needs = for tool in $(1); do command -v $$tool > /dev/null || { echo "SKIP: $$tool is not installed"; [ -z "$$CI" ]; exit; }; done
run-variants = $(MAKE) --no-print-directory -s -j2 $(1) && prove -j2 --exec 'timeout 300 $(2)' $(1)

# What takes longer than `make test` may: other compilers and forms, the thread sanitizer, valgrind.
check-more:
	@$(call run-variants,$(filter-out $(B)/clang/% $(HOSTS:%=$(B)/%/%),$(VARIANTS)))
	@$(call needs,clang); $(call run-variants,$(filter $(B)/clang/%,$(VARIANTS)))
	@$(call needs,valgrind); $(MAKE) --no-print-directory -s -j2 $(TESTS:%=$(B)/plain/%) && \
	prove -j2 --exec 'timeout 300 valgrind -q --leak-check=full --error-exitcode=9' $(TESTS:%=$(B)/plain/%)

# The same with another C library, in 32 bits, under the memory sanitizer, and big-endian in an emulator.
CC_musl = musl-gcc
CC_m32 = $(CC) -m32 -idirafter /usr/include/x86_64-linux-gnu
CC_memory = clang -fsanitize=memory -fno-omit-frame-pointer
CC_s390x = s390x-linux-gnu-gcc
RUN_s390x = qemu-s390x-static -L /usr/s390x-linux-gnu
$(foreach h,$(HOSTS),$(eval $(call variant,$(h),$(CC_$(h)) $(STD),-O1 -g,curl sqlite)))
hosts: $(HOSTS:%=host-%)
host-%:
	@mkdir -p $(B)
	@echo 'int main(void) { return 0; }' | $(CC_$*) -x c -o $(B)/one-$* - 2> /dev/null && $(RUN_$*) $(B)/one-$* || \
	{ echo "SKIP: $(CC_$*) makes nothing that runs here"; [ -z "$$CI" ]; exit; }; \
	$(call run-variants,$(filter $(B)/$*/%,$(VARIANTS)),$(RUN_$*))

# The tests that know nothing but the header and the C library, for Windows, run by wine.
WIN_CC = x86_64-w64-mingw32-gcc
WIN_TESTS := $(patsubst %,$(B)/windows/%.exe,$(filter-out cancel curl hostile loop loops memory net process signals soak sqlite syscalls threads,$(TESTS)))
$(B)/windows/conformance/conformance.exe: $(CONFORMANCE)
$(B)/windows/%.exe: tests/%.c $(HEADERS) tests/windows/errno.h
	@mkdir -p $(@D)
	$(WIN_CC) -std=c99 $(WARN) -O1 -g -static -include tests/windows/errno.h -I. -Itests -Iexamples -o $@ $< -lpthread -lws2_32
windows:
	prove tests/windows/compile.t
	@$(call needs,$(WIN_CC) wine); $(MAKE) --no-print-directory -s -j2 $(WIN_TESTS) && sh tests/windows/run.sh cmd /c exit && \
	prove -j2 --exec 'timeout 300 sh tests/windows/run.sh' $(WIN_TESTS)

# Long random runs from a seed of yours: `make fuzz SEED=7 RUNS=1000000`. A failure prints the seed of its program.
SEED = 1
RUNS = 100000
SAN_RUNS = 5000
fuzz: $(foreach t,random primitives cleanups signals freestanding,$(B)/plain/$(t) $(B)/san/$(t))
	@echo "# first seed $(SEED): $(RUNS) programs of each kind, $(SAN_RUNS) of them under the sanitizers too"
	$(B)/plain/random $(RUNS) $(SEED)
	$(B)/plain/primitives $(RUNS) $(SEED)
	$(B)/san/random $(SAN_RUNS) $(SEED)
	$(B)/san/primitives $(SAN_RUNS) $(SEED)
	$(B)/plain/cleanups $(RUNS) $(SEED)
	$(B)/san/cleanups $(SAN_RUNS) $(SEED)
	$(B)/plain/signals $(RUNS) $(SEED)
	$(B)/san/signals $(SAN_RUNS) $(SEED)
	$(B)/plain/freestanding $(RUNS) $(SEED)
	$(B)/san/freestanding $(RUNS) $(SEED)

# A thousand connections, dropped and cancelled at random, for a minute or so long: `make soak SECONDS=600`. Memory stays flat.
SECONDS = 60
soak: $(B)/plain/soak
	$(B)/plain/soak $(SECONDS)

$(B)/bench: tests/bench/bench.c asyncx.h
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) -O2 -DNDEBUG -I. -o $@ $< $(LIBS)
# Each figure stands beside a bare reference of the same run; best on an otherwise idle machine.
bench: $(B)/bench
	$(B)/bench
# The same work done by asyncx and by those of its peers that are installed, as tables; QUICK=1: one short round.
bench-peers:
	@sh tests/bench/peers/run.sh

# Tests and examples for microcontrollers on emulated boards, and what they weigh (TARGETS=quick: a share of it).
targets:
	prove -j2 --exec 'timeout 300' tests/targets/*.t
# Builds the programs whose flash and RAM the README tells, and writes its table.
footprint:
	@sh tests/footprint/readme.sh

# What each part adds to a program.
sizes:
	@sh tests/sizes.sh

# The header and a pkg-config file, so that `cc $$(pkg-config --cflags --libs asyncx)` works.
install:
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 asyncx.h $(DESTDIR)$(PREFIX)/include/
	printf 'prefix=%s\nName: asyncx\nDescription: async functions, tasks, groups and a poll() loop in one C header\nVersion: %s\nCflags: -I$${prefix}/include\nLibs: -lpthread\n' \
	  '$(PREFIX)' '$(VERSION)' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/asyncx.pc

clean:
	rm -rf $(B)

.PHONY: all build-test test check-more hosts windows fuzz soak demo bench bench-peers targets footprint sizes conformance install clean
