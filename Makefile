# prodsync: the extension, the client and their tests.
#
#   make                     everything (add -j2)
#   make install             both parts; on two machines: install-extension, install-client
#   make demo, demo-stop     two throwaway databases and a refresh between them
#   make test                every test, on throwaway clusters under tmp_check/
#   make unit | replay | regress | isolation | tap    one kind of test; see CONTRIBUTING.md for single tests
#   make check-assert        the tests on a server that is built with assertions
#   make bench               compares with other ways, in half an hour: test/bench/README.md
#   make check-faults        breaks something at every moment of a refresh
#   make fuzz                looks for input that breaks a promise: FUZZ_SECONDS (60) for each target of test/fuzz, FUZZ=NAME for one
#
# `make demo`, `make test` and `make bench` install missing packages first; `make packages` does only that.

VERSION_STRING := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/prodsync.control)
PG_CONFIG     ?= pg_config
export PG_CONFIG
PREFIX        ?= /usr/local

objects        = $(patsubst %.cpp,%.o,$(wildcard $(1)/*.cpp))
CORE_OBJS     := $(call objects,extension/core)
SERVER_OBJS   := $(call objects,extension)
CLIENT        := client/prodsync
CLIENT_OBJS   := $(call objects,client)
UNIT_OBJS     := $(call objects,test/unit)
UNIT          := $(if $(UNIT_OBJS),test/unit/unit)
MASKS_BENCH   := test/bench/masks
REPLAY        := test/fuzz/replay
REPLAY_OBJS   := $(call objects,test/fuzz)
FUZZ_TARGETS  := $(filter-out replay,$(patsubst test/fuzz/%.cpp,%,$(wildcard test/fuzz/*.cpp)))
PURE_OBJS     := $(CORE_OBJS) $(CLIENT_OBJS) $(UNIT_OBJS) $(REPLAY_OBJS)
OBJS           = $(SERVER_OBJS) $(CORE_OBJS)

# -Wno-register: the headers of PostgreSQL 15 and older still say it.  -Wno-restrict: GCC 12 sees overlaps in "..." + string
# that are not there (its bug 105651).
FLAGS          = -std=c++20 -Wall -Wextra -Wshadow -Wno-register -Wno-restrict $(WERROR) -fvisibility=hidden -MMD -MP \
                 -DVERSION='"$(VERSION_STRING)"' $(if $(FAULTS),-DPRODSYNC_FAULTS)

# Lines for backtraces and profiles. For a debugger DEBUG=-g, which takes half as long again to compile.
DEBUG          = -g1

# ---- what PGXS is told ----
MODULE_big     = prodsync
EXTENSION      = extension/prodsync
DATA           = $(wildcard sql/prodsync--*.sql)
PG_CPPFLAGS    = -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CXXFLAGS    = $(FLAGS) $(DEBUG)
# The version script: nothing but the functions PostgreSQL calls is visible outside of the library.
SHLIB_LINK     = -lstdc++ -lsodium -lcrypto -lcrypt -Wl,--version-script=extension/exports.map
EXTRA_CLEAN    = $(CLIENT) $(UNIT) $(REPLAY) $(MASKS_BENCH) test/bench/masks.d $(PURE_OBJS) $(OBJS:.o=.d) $(PURE_OBJS:.o=.d) $(filter-out tmp_assert,$(wildcard tmp_*))
# No JIT bitcode: PGXS compiles it with clang and without PG_CXXFLAGS.
override with_llvm := no

all: build
PGXS          := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
else
$(MODULE_big).so install:
	@test/packages.sh --check extension
clean:
	rm -rf $(MODULE_big).so $(OBJS) $(EXTRA_CLEAN)
all-lib: $(MODULE_big).so
endif

# PGXS makes all before it installs, but a server's machine needs no client: PART says so.
ifeq ($(PART),extension)
build: all-lib
else
build: check-build all-lib $(CLIENT) $(UNIT)
install: install-client
uninstall: uninstall-client
endif
install-extension:
	$(MAKE) install PART=extension
install-client: $(CLIENT)
	install -D $(CLIENT) '$(DESTDIR)$(PREFIX)/bin/prodsync'
uninstall-client:
	rm -f '$(DESTDIR)$(PREFIX)/bin/prodsync'

# ---- compiling ----
# Core, client and unit tests get none of the server's flags: no header of the server can creep into them.  The objects of
# core go into the library and into the client as they are, so both mask and plan alike.
OPTIMIZE       = -O2 $(DEBUG)
PURE           = $(CXX) $(FLAGS) $(OPTIMIZE) -fPIC -fstack-protector-strong -pthread
LIBPQ          = -isystem $(shell $(PG_CONFIG) --includedir)
# Catch2 version 2 (Debian 12) is a header, version 3 a library.
CATCH_LIBS     = $(if $(wildcard /usr/include/catch2/catch_all.hpp /usr/local/include/catch2/catch_all.hpp),-lCatch2Main -lCatch2)
CLIENT_LIBS    = -L$(shell $(PG_CONFIG) --libdir) -lpq -lyaml-cpp -lsodium -lcrypto -lcrypt -pthread

$(CORE_OBJS): %.o: %.cpp
	$(PURE) -c -o $@ $<
$(CLIENT_OBJS): %.o: %.cpp
	$(PURE) -iquote extension $(LIBPQ) -c -o $@ $<
$(UNIT_OBJS): %.o: %.cpp
	$(PURE) -iquote extension -iquote client $(LIBPQ) -c -o $@ $<
$(SERVER_OBJS): %.o: %.cpp
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c -o $@ $<
$(CLIENT): $(CLIENT_OBJS) $(CORE_OBJS)
	$(CXX) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)
test/unit/unit: $(UNIT_OBJS) $(CORE_OBJS) $(filter-out client/main.o,$(CLIENT_OBJS))
	$(CXX) $(LDFLAGS) -o $@ $^ $(CATCH_LIBS) $(CLIENT_LIBS)
$(MODULE_big).so: extension/exports.map
# Tests are compiled in a third of the time; what they test is compiled as it is installed.
$(UNIT_OBJS) $(REPLAY_OBJS): OPTIMIZE = -O0
# The targets with a driver of our own, which calls each by its name.
$(REPLAY_OBJS): %.o: %.cpp
	$(PURE) -iquote extension -iquote client $(LIBPQ) -DLLVMFuzzerTestOneInput=fuzz_$(notdir $*) -c -o $@ $<
$(REPLAY): $(REPLAY_OBJS) $(CORE_OBJS) $(filter-out client/main.o,$(CLIENT_OBJS))
	$(CXX) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)
# Only `make bench` builds it.
$(MASKS_BENCH): test/bench/masks.cpp $(CORE_OBJS)
	$(PURE) -iquote extension $(LDFLAGS) -o $@ $^ -lbenchmark -lsodium -lcrypto -lcrypt

# The version is compiled in.  And before the compiler says that a header is missing, we say which package has it.
$(OBJS) $(PURE_OBJS): extension/prodsync.control
$(SERVER_OBJS) $(CORE_OBJS): | check-extension
$(CLIENT_OBJS):              | check-client
$(UNIT_OBJS) $(REPLAY_OBJS): | check-unit
check-build check-extension check-client check-unit: check-%:
	@test/packages.sh --check $(subst build,extension client unit,$*)
-include $(OBJS:.o=.d) $(PURE_OBJS:.o=.d)

# ---- testing ----
# All of it runs on a copy of the installed server with the extension added, under tmp_check/ (test/run.sh, test/cluster.sh).
# What is installed on this machine is not touched.  REGRESS=, ISOLATION=, TAP=, UNIT_ARGS= choose single ones.
# Unless -j was given, as many compilers as cores.
MAKE_ALL       = $(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) all

unit: $(UNIT)
	@test/run.sh unit
replay: $(REPLAY)
	@test/run.sh replay
regress isolation tap: build
	@test/run.sh $@
test: packages
	$(MAKE_ALL) $(REPLAY)
	@test/run.sh unit replay regress isolation tap
check-assert: packages
	$(MAKE_ALL)
	@test/assert.sh
# It measures what is compiled as users compile it.  Where pgcopydb cannot be installed, the bench says so and goes without.
bench: packages
	$(MAKE_ALL)
	@test/packages.sh bench || :
ifneq ($(or $(filter-out masks masked_columns,$(WAYS)),$(if $(WAYS),,all)),)
	@WAYS='$(filter-out masks masked_columns,$(WAYS))' test/bench/bench.sh
endif
ifneq ($(filter masked_columns,$(or $(WAYS),masked_columns)),)
	@test/bench/masked_columns.sh
endif
ifneq ($(filter masks,$(or $(WAYS),masks)),)
	$(MAKE) $(MASKS_BENCH)
	@$(MASKS_BENCH)
endif
# Everything once more by clang, with libFuzzer and the sanitizers, below tmp_fuzz/; what is found stays there.
fuzz:
	@test/packages.sh client fuzz
	$(if $(wildcard tmp_fuzz),,@mkdir tmp_fuzz)
	$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) -f test/fuzz/fuzz.mk $(addprefix tmp_fuzz/,$(or $(FUZZ),$(FUZZ_TARGETS)))
	@test/fuzz/fuzz.sh $(or $(FUZZ),$(FUZZ_TARGETS))
check-faults: packages
	$(MAKE_ALL)
	@test/faults.sh
demo: packages
	$(MAKE_ALL)
	@test/demo.sh
demo-stop:
	@test/cluster.sh -b tmp_demo close
packages:
	@test/packages.sh

# Clusters are stopped before their files go.  The server with assertions, two minutes of work, stays until distclean.
clean: close-clusters
distclean: clean
	rm -rf tmp_assert
close-clusters:
	@for room in $(wildcard tmp_*/private tmp_*/*/private); do test/cluster.sh -b $${room%/private} close; done

SOURCES        = $(wildcard extension/*.[ch]pp extension/core/*.[ch]pp client/*.[ch]pp test/unit/*.[ch]pp test/fuzz/*.[ch]pp)
TIDY_FLAGS     = $(filter-out -M% -Wno-restrict,$(FLAGS))
format:
	clang-format -i $(SOURCES)
tidy:
	clang-tidy --quiet $(filter extension/core/%.cpp client/%.cpp,$(SOURCES)) -- $(TIDY_FLAGS) -iquote extension $(LIBPQ)
	clang-tidy --quiet $(filter-out extension/core/%,$(filter extension/%.cpp,$(SOURCES))) -- $(TIDY_FLAGS) $(PG_CPPFLAGS)

.PHONY: build install-extension install-client uninstall-client check-build check-extension check-client check-unit \
	unit replay regress isolation tap test fuzz check-assert check-faults bench demo demo-stop packages clean distclean close-clusters format tidy
