# `make fuzz` compiles by this: core, client and the targets with libFuzzer and the sanitizers, below tmp_fuzz/.
CLANG    ?= clang++
PG_CONFIG ?= pg_config
VERSION  := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/prodsync.control)
# Of the client no more than the targets need.
OBJECTS  := $(patsubst %.cpp,tmp_fuzz/%.o,$(wildcard extension/core/*.cpp)) $(patsubst %,tmp_fuzz/client/%.o,config leaves mask_column rewrite yaml yaml_edit)
# No -Wall: warnings are those of the compiler that everybody builds with.  A leak is an error too.
COMPILE   = $(CLANG) -std=c++20 -O1 -g1 -w -MMD -MP -DVERSION='"$(VERSION)"' -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
            -iquote extension -iquote client -isystem $(shell $(PG_CONFIG) --includedir) -pthread

tmp_fuzz/test/fuzz/%.o: test/fuzz/%.cpp
	@mkdir -p $(@D)
	$(COMPILE) -fsanitize=fuzzer-no-link -c -o $@ $<
tmp_fuzz/%.o: %.cpp
	@mkdir -p $(@D)
	$(COMPILE) -fsanitize=fuzzer-no-link -c -o $@ $<
# An archive: a target takes no more than it needs.
tmp_fuzz/prodsync.a: $(OBJECTS)
	rm -f $@
	ar -crs $@ $^
tmp_fuzz/%: tmp_fuzz/test/fuzz/%.o tmp_fuzz/prodsync.a
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ -L$(shell $(PG_CONFIG) --libdir) -lpq -lyaml-cpp -lsodium -lcrypto -lcrypt -pthread
.SECONDARY:
-include $(OBJECTS:.o=.d) $(wildcard tmp_fuzz/test/fuzz/*.d)
