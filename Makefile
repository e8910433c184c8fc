# asyncx: `make demo` runs the main job, `make test` passes the tests, `make bench` measures. The header itself needs no build.

CC ?= cc
CXX ?= c++
PREFIX ?= /usr/local
WARN = -Wall -Wextra -Wpedantic -Wshadow -Werror
CFLAGS ?= -O2 -g
STD = -std=c99 -D_POSIX_C_SOURCE=200809L
SAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LIBS = -lpthread
B = build
VERSION := $(shell sed -n 's/^\#define ASYNCX_VERSION "\(.*\)"/\1/p' asyncx.h)

# An example named in NEEDS_x is built with library x.
NEEDS_CURL = hn_pipeline
NEEDS_SQLITE = hn_pipeline
EXAMPLES := $(patsubst examples/%.c,%,$(wildcard examples/*.c))
TESTS := $(patsubst tests/%.c,%,$(wildcard tests/*.c))
SCRIPTS := $(wildcard tests/*.t)
HEADERS := asyncx.h tests/tap.h $(wildcard examples/*.h)

libs_of = $(LIBS) $(if $(filter $(1),$(NEEDS_CURL)),-lcurl) $(if $(filter $(1),$(NEEDS_SQLITE)),-lsqlite3)

all: $(EXAMPLES:%=$(B)/examples/%)

$(B)/examples/%: examples/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) -I. -o $@ $< $(call libs_of,$*)
$(B)/san/examples/%: examples/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) -I. -o $@ $< $(call libs_of,$*)
$(B)/plain/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) -I. -Itests -Iexamples -o $@ $< $(LIBS)
$(B)/san/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(SAN) -I. -Itests -Iexamples -o $@ $< $(LIBS)

build-test: $(EXAMPLES:%=$(B)/examples/%) $(EXAMPLES:%=$(B)/san/examples/%) $(TESTS:%=$(B)/plain/%) $(TESTS:%=$(B)/san/%)

# Every test twice: plain, and under the address and undefined sanitizers. Scripts (*.t) do both themselves.
test:
	@$(MAKE) --no-print-directory -s -j2 build-test
	prove -j2 --exec '' $(TESTS:%=$(B)/plain/%) $(TESTS:%=$(B)/san/%) $(SCRIPTS)

clean:
	rm -rf $(B)

.PHONY: all build-test test demo bench conformance install clean
