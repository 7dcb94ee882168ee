# SPDX-License-Identifier: MIT
# The commands by name; each sets up what it needs.  The work is done by
# CMake and by scripts/.

.PHONY: build install deb dist demo test bench soak e2e sizes format check-format clean

build:
	@scripts/setup
	@cmake --preset host >/dev/null
	@cmake --build --preset host

# make install DESTDIR=/tmp/root prefix=/usr; COMPONENT=tool takes the tool and
# the virtual chip alone, dev the library, firmware the bootloaders.
prefix = /usr/local
install: build
	@cmake --install build --prefix $(prefix) \
		$(if $(COMPONENT),--component $(COMPONENT))

# Debian packages of the tree as it is, in build/package.
deb:
	@scripts/setup
	@scripts/dist --deb

# Everything that is given to others, of the commit, in build/dist; built twice
# to see that it is the same.
dist:
	@scripts/setup
	@scripts/dist

# A bootloader on a virtual chip takes two updates from dfu-util.
demo:
	@scripts/demo

# Everything that has to hold; FORCE=1 runs it though nothing changed.
test:
	@FORCE=$(FORCE) scripts/test

# Updates, start of the application and bwPollTimeout in virtual time, against
# what the silicon needs; BOARDS="stm32f103ze" takes some of the boards.
# Into docs/figures.md as well.
bench: build
	@scripts/bench $(BOARDS)
	@scripts/figures.py

# Interrupted updates, deeper than `make test` goes, and fuzzers, FUZZ seconds
# (600) each; about an hour.  DEEP=9 SEED=2 goes further, and elsewhere.
soak: build
	@DEEP=$(DEEP) SEED=$(SEED) FUZZ=$(FUZZ) scripts/soak

# The end-to-end tests alone; CASES="unplug dfuse" takes some of them.
e2e: build
	@test/e2e/run.py $(CASES)

# Flash, RAM and stack of every bootloader, against its budget; into
# docs/figures.md as well.
sizes: build
	@scripts/sizes.py
	@scripts/figures.py

format:
	@scripts/format

check-format:
	@scripts/format --check

clean:
	@rm -rf build build-clang build-sanitize
