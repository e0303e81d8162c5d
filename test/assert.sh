#!/bin/bash
# Runs the regression and isolation tests on a server with assertions, which catch what release builds hide, then every script
# in test/assert.d/ (they find that server's pg_config in PG_CONFIG and the checkout's copy as their working directory).
#
# The server is the distribution's own source of the version that is installed, built once (two minutes on two cores) into
# tmp_assert/server; tmp_assert/build is a copy of this checkout that is compiled against it.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD
work=$top/tmp_assert
installed=${PG_CONFIG:-pg_config}
jobs=$(nproc)
unset MAKEFLAGS MFLAGS MAKELEVEL            # PostgreSQL makes its headers only at level 0

fail() { printf 'prodsync: error: %s\n' "$1" >&2; shift; (($# == 0)) || printf '%s\n' "$@" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }
quietly()                                   # name of the log, command
{
	local log=$work/$1.log
	shift
	"$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; fail "'$*' failed; all of it: $log"; }
}

major=$("$installed" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
mkdir -p "$work"

# ---- the source ----
# apt knows where its binary packages come from; the same places hold the source.  Lists of sources of our own say so, so that
# the system's configuration stays as it is and no root is needed.
fetch()
{
	local package=postgresql-$major version tried='' places apt=$work/apt file
	rm -rf "$apt"
	mkdir -p "$apt/sources.d" "$apt/lists/partial" "$apt/cache/archives/partial" "$work/source"
	places=$(apt-cache madison "$package" | awk '{print $5}' | sort -u)
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		if ! grep -qF "$places" "$file" 2>/dev/null; then continue; fi
		sed -E 's/^Types:.*/Types: deb-src/; s/^deb[[:space:]]/deb-src /' "$file" >"$apt/sources.d/${file##*/}"
	done
	local options=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources.d" -o Dir::State::Lists="$apt/lists"
		-o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)")
	quietly apt-update apt-get -qq "${options[@]}" update
	# The installed version first; a mirror that has not got it may have another one of the same major version.
	for version in $(dpkg-query -W -f '${source:Version}' "$package" 2>/dev/null || :) \
		$(apt-cache "${options[@]}" madison "$package" | awk '$NF == "Sources" {print $3}'); do
		case " $tried " in *" $version "*) continue ;; esac
		tried+=" $version"
		# the tar file is enough: Debian's patches are about paths
		if (cd "$work/source" && apt-get -qq "${options[@]}" source --download-only "$package=$version") >"$work/apt-source.log" 2>&1; then
			echo "source: postgresql-$major $version"
			return
		fi
	done
	cat "$work/apt-source.log" >&2
	fail "the source of postgresql-$major cannot be fetched (tried:$tried)"
}

built_for=$("$installed" --version)
if [[ ! -x $work/server/bin/postgres || $(cat "$work/server/built_for" 2>/dev/null) != "$built_for" ]]; then
	say "building PostgreSQL $major with assertions"
	command -v apt-get >/dev/null || fail "there is no apt-get to fetch PostgreSQL's source with"
	rm -rf "$work/server" "$work/source" "$work/build"
	fetch
	mkdir "$work/source/tree"
	tar -x -C "$work/source/tree" --strip-components=1 \
		-f "$(find "$work/source" -name "postgresql-${major}_*.orig.tar.*" ! -name '*.asc')"
	cd "$work/source/tree"
	# What is not about storage and catalog is left out, so no more headers are needed than building an extension needs.
	# --disable-rpath: psql and its sisters take the installed libpq, which is of the same source.
	quietly configure ./configure --prefix="$work/server" --enable-cassert --enable-debug --disable-rpath \
		--without-icu --without-readline --without-zlib CFLAGS='-O1 -g'
	quietly make make -j"$jobs" -s
	quietly make-contrib make -j"$jobs" -s -C contrib
	quietly make-install make -s install
	quietly make-contrib-install make -s -C contrib install
	cd "$top"
	rm -rf "$work/source"
	# What psql prints changes even within a major version (15.20 passes over a \. that belongs to a COPY which failed, 15.18 does
	# not), and the source may be of another one than what is installed and the expected output was made with.
	cp -f "$("$installed" --bindir)/psql" "$work/server/bin/psql"
	echo "$built_for" >"$work/server/built_for"
fi

# ---- the extension ----
# Core and client do not depend on the server: their objects are taken as they are.
mkdir -p "$work/build"
rm -rf "$work"/build/{extension,client,sql,test,expected}
cp -a Makefile extension client sql test "$work/build/"
if [[ -d expected ]]; then cp -a expected "$work/build/"; fi
cd "$work/build"
rm -f extension/*.o extension/*.d prodsync.so
if [[ -d ../../../shared ]]; then ln -sfn ../../shared ../shared; fi
export PG_CONFIG=$work/server/bin/pg_config
say "building the extension"
quietly extension make -s -j"$jobs" all

status=0
CHECK=$work/check test/run.sh regress isolation || status=1
for script in "$top"/test/assert.d/*; do
	[[ -f $script && -x $script ]] || continue
	say "${script##*/}"
	if "test/assert.d/${script##*/}"; then echo "${script##*/}: ok"; else echo "${script##*/}: FAILED"; status=1; fi
done
exit $status
