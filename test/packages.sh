#!/bin/sh
# The distribution's packages that prodsync is built and tested with.
#
#   test/packages.sh [PART...]         installs what is missing (as root, or through a sudo that asks for no password)
#   test/packages.sh --check PART...   installs nothing; if something is missing, says what to type and exits with 1
#
# PART is extension, client, unit or test (all three, and what their tests need); or bench: what `make bench` compares with, not
# part of test, and no error where the distribution has no such package; or fuzz: the compiler of `make fuzz`.  A package counts as there when its header or program
# is, wherever it came from, so a server of your own (PG_CONFIG=/path/to/pg_config) or libraries from elsewhere are fine.
set -eu

check=false
if [ "${1:-}" = --check ]; then check=true; shift; fi
parts="${*:-test}"
cxx="${CXX:-g++}"
pg_config="${PG_CONFIG:-pg_config}"
self="$0"

needs() { for p in $parts; do case " $* test " in *" $p "*) return 0 ;; esac; done; return 1; }
program() { command -v "$1" >/dev/null 2>&1; }
header()                                    # the compiler knows best; without one, the usual place
{
	if program "$cxx"; then
		printf '#if __has_include(<%s>)\nfound\n#endif\n' "$1" | "$cxx" -E -P -std=c++20 -x c++ - 2>/dev/null | grep -q found
	else
		[ -e "/usr/include/$1" ]
	fi
}
pg() { "$pg_config" "--$1" 2>/dev/null || :; }

missing=""
lacks() { case " $missing " in *" $1 "*) ;; *) missing="$missing${missing:+ }$1" ;; esac; }
needs extension client unit && {
	program "$cxx" || lacks g++
	header nlohmann/json.hpp || lacks nlohmann-json3-dev
	header sodium.h || lacks libsodium-dev
	header openssl/evp.h || lacks libssl-dev
	header crypt.h || lacks libcrypt-dev
}
needs client unit && {
	[ -e "$(pg includedir)/libpq-fe.h" ] || lacks libpq-dev
	header yaml-cpp/yaml.h || lacks libyaml-cpp-dev
}
needs client && { header CLI/CLI.hpp || lacks libcli11-dev; }
needs unit && { header catch2/catch.hpp || header catch2/catch_all.hpp || lacks catch2; }
needs extension && { { [ -e "$(pg pgxs)" ] && [ -e "$(pg includedir-server)/postgres.h" ]; } || lacks postgresql-server-dev; }
needs && {
	[ -x "$(pg bindir)/postgres" ] || lacks postgresql
	{ program prove && perl -MTest::More -e 1 2>/dev/null; } || lacks perl
}
case " $parts " in *" fuzz "*)
	echo 'extern "C" int LLVMFuzzerTestOneInput(const char *, unsigned long) { return 0; }' | "${CLANG:-clang++}" -fsanitize=fuzzer,address -x c++ -o /dev/null - 2>/dev/null || { lacks clang; lacks libclang-rt-dev; } ;;
esac
case " $parts " in *" bench "*)
	header benchmark/benchmark.h || lacks libbenchmark-dev
	program pgcopydb || lacks pgcopydb ;;
esac
[ -n "$missing" ] || exit 0

fail() { printf 'prodsync: error: %s\n' "$1" >&2; shift; printf '%s\n' "$@" >&2; exit 1; }
here="$(cd "$(dirname "$self")" && pwd)/$(basename "$self")"
case " $parts " in *" bench "* | *" fuzz "*) here="$here $parts" ;; esac
case " $missing " in *postgresql*) missing_text=$(echo "$missing" | sed 's/postgresql\(-server-dev\)\{0,1\}/&-N/g') ;; *) missing_text=$missing ;; esac

if ! program apt-get; then
	fail "something is missing to build prodsync with, and there is no apt-get to install it" \
		"detail: the names on Debian: $missing_text" "hint: install these with your system's package manager"
fi
if $check; then
	if [ "$(id -u)" = 0 ] || program sudo; then how="make packages"; else how="su -c '$here'"; fi
	case "$here" in *" bench"* | *" fuzz"*) how=$here ;; esac
	fail "packages are missing" "detail: $missing_text" "hint: $how"
fi
if [ "$(id -u)" = 0 ]; then
	sudo=""
elif program sudo && sudo -n true 2>/dev/null; then
	sudo="sudo"
elif program sudo; then
	fail "packages are missing, and sudo asks for a password" "detail: $missing_text" "hint: sudo $here"
else
	fail "packages are missing, and only root can install them" "detail: $missing_text" "hint: su -c '$here'"
fi

quietly()                                   # apt's hundreds of lines only when it fails
{
	log=$(mktemp)
	if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		rm -f "$log"
		fail "apt-get $* failed"
	fi
	rm -f "$log"
}

echo "prodsync: reading the lists of packages" >&2
quietly update
case " $missing " in *" pgcopydb "*)
	if [ -z "$(apt-cache madison pgcopydb)" ]; then
		echo "prodsync: this distribution has no package pgcopydb: the bench goes without it" >&2
		missing=$(echo "$missing" | sed 's/ *pgcopydb//')
		[ -n "$missing" ] || exit 0
	fi ;;
esac

# Server, headers and the server's development files have to be of one major version: that of the development files which are
# there, else of the server which is there, else the distribution's own.
case " $missing " in *postgresql*)
	major=""
	[ -e "$(pg pgxs)" ] && major=$(pg version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
	if [ -z "$major" ]; then
		for dir in /usr/lib/postgresql/*/bin/postgres; do
			[ -x "$dir" ] && major=$(printf '%s\n%s\n' "$major" "$(echo "$dir" | cut -d/ -f5)" | sort -n | tail -n 1)
		done
	fi
	[ -n "$major" ] || major=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	[ -n "$major" ] || fail "this distribution has no package postgresql"
	missing=$(echo "$missing" | sed "s/postgresql\(-server-dev\)\{0,1\}/&-$major/g") ;;
esac
echo "prodsync: installing from the distribution: $missing" >&2

# Debian makes and starts a cluster with each new server.  Nobody asked for one here, so the setting is changed while we
# install.  postgresql-common, which owns the setting, comes first: a file of ours in its place would stay for ever.
case " $missing " in *" postgresql-"[0-9]*)
	conf=/etc/postgresql-common/createcluster.conf
	[ -e $conf ] || quietly install -y --no-install-recommends postgresql-common
	if [ -e $conf ]; then
		[ -e $conf.prodsync ] || $sudo cp -p $conf $conf.prodsync       # it is there when a run before us was killed
		trap '$sudo mv -f $conf.prodsync $conf' EXIT
		trap 'exit 1' INT TERM HUP
		echo "create_main_cluster = false" | $sudo tee -a $conf >/dev/null
	fi ;;
esac
# shellcheck disable=SC2086
quietly install -y --no-install-recommends $missing
