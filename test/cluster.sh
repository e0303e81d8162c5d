#!/bin/bash
# Throwaway PostgreSQL clusters: on unix sockets only, of a copy of the installed server, in a private folder.
#
#   test/cluster.sh [-b BASE] open                  makes the private folder; what a killed run left there is cleaned up first
#   test/cluster.sh [-b BASE] tree                  puts a copy of the server into it, with extension and client installed
#   test/cluster.sh [-b BASE] start NAME [conf...]  starts a cluster; a new one is made with the settings given ('fsync=on')
#   test/cluster.sh [-b BASE] stop NAME [mode]      fast, or another mode of pg_ctl
#   test/cluster.sh [-b BASE] crash NAME            kill -9 of its postmaster
#   test/cluster.sh [-b BASE] env NAME              prints the lines for eval: PGHOST, PGPORT, PGUSER, PATH ...
#   test/cluster.sh [-b BASE] run COMMAND...        runs a command as the user that the clusters belong to, in the folder
#   test/cluster.sh [-b BASE] close                 stops what was started and removes the folder
#
# BASE (tmp_check when not said) is a folder of the checkout; start does open and tree when nobody did.
#
# PostgreSQL does not run as root, another user may be unable to read the checkout (in a home of mode 700), and the path of a
# socket has room for 107 bytes.  So everything lies in a folder /tmp/prodsync.XXXXXX of mode 700 that belongs to the user the
# servers run as: the caller, or for root postgres, else nobody.  BASE/private links to it, BASE/NAME to a cluster's socket.
#
# SOURCE_PG_CONFIG=/path/to/another/pg_config: clusters whose name ends with production are of that server, as it is.
#
#   tree/   the server, with its own paths below (a server finds its files relative to its program); source/: that of SOURCE_PG_CONFIG
#   NAME/   the cluster's socket and its log        data/NAME/   its files        home/, tmp/
#   src/    what test/run.sh copies for the tests   bindir, base  where the programs are, whose folder this is
set -euo pipefail
umask 022
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pg_config=${PG_CONFIG:-pg_config}

fail() { printf 'prodsync: error: %s\n' "$1" >&2; shift; (($# == 0)) || printf '%s\n' "$@" >&2; exit 1; }

base=tmp_check
if [[ ${1:-} == -b ]]; then base=$2; shift 2; fi
[[ $base == /* ]] || base=$top/$base
link=$base/private

# ---- who the servers run as ----
user=$(id -un)
if ((EUID == 0)); then
	user=nobody
	if getent passwd postgres >/dev/null; then user=postgres; fi
fi
as_user()
{
	if ((EUID == 0)); then
		setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --init-groups -- "$@"
	else
		"$@"
	fi
}

# ---- the folder ----
# Within it (the TAP tests start clusters of their own) PRODSYNC_ROOM says where we are, and the user is the right one already.
room=${PRODSYNC_ROOM:-}
bindir=${PRODSYNC_BINDIR:-}
find_room()
{
	if [[ -z $room && -L $link ]]; then room=$(readlink "$link"); fi
	[[ -n $room && -d $room ]] || return 1
	# It is removed with all that is in it one day, so be sure that it is ours.
	[[ $room == */prodsync.?????? && ! -L $room && $(stat -c %U "$room") == "$user" ]] || fail "$room is not a folder of ours" "hint: rm $link"
	# In a copy of a checkout the link leads to the folder of the original.
	if [[ -e $room/base && -z ${PRODSYNC_ROOM:-} && $(<"$room/base") != "$link" ]]; then room=; return 1; fi
	if [[ -z $bindir && -e $room/bindir ]]; then bindir=$(<"$room/bindir"); fi
}
need_room() { find_room || fail "there are no clusters under $base"; }

open_room()
{
	close_room
	local dir
	for dir in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
		# It has to be short, the user has to reach it, and programs in it have to run.
		((${#dir} < 40)) || continue
		room=$(cd / && as_user mktemp -d "$dir/prodsync.XXXXXX" 2>/dev/null) || continue
		if (cd / && as_user sh -c 'cp /bin/true "$1/try" && "$1/try" && rm "$1/try"' sh "$room" 2>/dev/null); then break; fi
		rm -rf "$room"
		room=
	done
	[[ -n $room ]] || fail "no folder for temporary clusters: tried ${TMPDIR:+$TMPDIR, }/tmp and /var/tmp as user $user"
	(cd / && as_user mkdir "$room/data" "$room/home" "$room/tmp")
	echo "$link" | as_user tee "$room/base" >/dev/null
	mkdir -p "$base"
	ln -sfn "$room" "$link"
}

copy_server()                               # to, its pg_config
{
	local dir
	rm -rf "$1"
	for dir in bindir pkglibdir sharedir; do
		dir=$("$2" --$dir)
		mkdir -p "$1$dir"
		cp -a --no-preserve=ownership "$dir/." "$1$dir/"
	done
}
# A copy of the server's own three folders, and ours installed on top.
make_tree()
{
	need_room
	local tree=$room/tree
	copy_server "$tree" "$pg_config"
	if [[ -n ${SOURCE_PG_CONFIG:-} ]]; then
		copy_server "$room/source" "$SOURCE_PG_CONFIG"
		echo "$room/source$("$SOURCE_PG_CONFIG" --bindir)" | as_user tee "$room/source_bindir" >/dev/null
	fi
	# MAKEFLAGS: everything is built, and its own settings (-j, WERROR) are not meant for this.
	# PART=extension in the environment leaves the client out.
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$top" install DESTDIR="$tree" PREFIX=/usr PG_CONFIG="$pg_config" >/dev/null ||
		fail "the extension or the client does not build"
	bindir=$tree$("$pg_config" --bindir)
	if [[ -e $tree/usr/bin/prodsync ]]; then mv "$tree/usr/bin/prodsync" "$bindir/"; fi
	# Whoever has this in the PATH should not build against it.
	rm -f "$bindir/pg_config"
	echo "$bindir" | as_user tee "$room/bindir" >/dev/null
}

# ---- clusters ----
# Runs a command as the user, in the folder, with nothing of the caller's environment (PGHOST, a HOME that is not readable ...).
in_room()
{
	local keep=() name
	for name in "${!PRODSYNC_TEST_@}" CI TERM; do [[ -z ${!name:-} ]] || keep+=("$name=${!name}"); done
	(cd "$room" && if [[ -d src ]]; then cd src; fi && as_user env -i "${keep[@]}" PRODSYNC_ROOM="$room" PRODSYNC_BINDIR="$bindir" \
		PATH="$bindir:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$room/home" TMPDIR="$room/tmp" USER="$user" LOGNAME="$user" \
		LC_ALL=C.UTF-8 LANG=C.UTF-8 PGUSER=postgres PGPORT=5432 "$@")
}
name_is_fine() { [[ $1 =~ ^[a-z][a-z0-9_]{0,30}$ && ! $1 =~ ^(tree|source|data|home|tmp|src|private)$ ]] || fail "'$1' is no name for a cluster"; }

# Where the programs of a cluster are.
programs_of()
{
	if [[ $1 == *production && -e $room/source_bindir ]]; then cat "$room/source_bindir"; else echo "$bindir"; fi
}

# The postmaster's process id, if it runs.  A file that a crash left may name a process of somebody else by now; the
# postmaster is the one that stands in the data directory.
postmaster()
{
	local pid
	pid=$(head -n 1 "$room/data/$1/postmaster.pid" 2>/dev/null) || return 1
	[[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/cwd") == "$room/data/$1" ]] && echo "$pid"
}

start_cluster()
{
	local name=$1 data line programs
	shift
	name_is_fine "$name"
	if ! find_room; then open_room; fi
	if [[ -z $bindir ]]; then make_tree; fi
	data=$room/data/$name
	programs=$(programs_of "$name")
	if [[ ! -e $data/PG_VERSION ]]; then
		in_room mkdir -p "$room/$name"
		in_room "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$room/$name/initdb.log" 2>&1 ||
			{ cat "$room/$name/initdb.log" >&2; fail "initdb failed"; }
		{
			echo "listen_addresses = ''"
			echo "unix_socket_directories = '$room/$name'"
			echo "port = 5432"
			echo "fsync = off"
			echo "log_line_prefix = '%m [%p] %q%a '"
			echo "cluster_name = '$name'"
		} | in_room tee -a "$data/postgresql.conf" >/dev/null
	fi
	for line in "$@"; do echo "$line"; done | in_room tee -a "$data/postgresql.conf" >/dev/null
	in_room "$programs/pg_ctl" -D "$data" -l "$room/$name/log" -w -t 60 start >"$room/tmp/pg_ctl.$name" 2>&1 </dev/null ||
		{ tail -n 20 "$room/$name/log" >&2; fail "cluster $name did not start"; }
	if [[ -z ${PRODSYNC_ROOM:-} ]]; then ln -sfn "$room/$name" "$base/$name"; fi
}
stop_cluster()
{
	local pid
	if pid=$(postmaster "$1"); then
		in_room "$(programs_of "$1")/pg_ctl" -D "$room/data/$1" -m "${2:-fast}" -w -t 60 stop >"$room/tmp/pg_ctl.$1" 2>&1 </dev/null ||
			fail "cluster $1 (process $pid) does not stop" "detail: $(tail -n 1 "$room/tmp/pg_ctl.$1")"
	fi
}
crash_cluster()
{
	local pid
	pid=$(postmaster "$1") || fail "cluster $1 is not running"
	kill -9 "$pid"
	# Its backends notice and end.  Until then the shared memory is in use and a new postmaster refuses to start; it also
	# refuses as long as nobody has waited for the dead one, which some containers' process 1 does late or never.
	for _ in {1..200}; do
		if [[ -z $(find /proc -maxdepth 2 -name cwd -lname "$room/data/$1" 2>/dev/null) ]]; then
			if ! kill -0 "$pid" 2>/dev/null; then return; fi
		fi
		sleep 0.02
	done
	if [[ -d /proc/$pid ]] && grep -q '^State:.Z' "/proc/$pid/status"; then rm -f "$room/data/$1/postmaster.pid"; return; fi
	fail "processes of cluster $1 are still there"
}
# What `run` started and a killed run left behind: it has our PRODSYNC_ROOM in its environment.  The servers have it too, but
# stand in their data directories; they are stopped properly.
end_programs()
{
	local process
	for process in /proc/[0-9]*; do
		if grep -qzxF "PRODSYNC_ROOM=$room" "$process/environ" 2>/dev/null && [[ $(readlink "$process/cwd") != "$room"/data/* ]]; then
			kill -9 "${process#/proc/}" 2>/dev/null || :
		fi
	done
}
close_room()
{
	local data
	if find_room; then
		end_programs
		for data in "$room"/data/*/; do
			data=${data%/}
			[[ -e $data/postmaster.pid ]] || continue
			stop_cluster "${data##*/}" immediate
		done
		rm -rf "$room"
	fi
	room=
	if [[ -d $base ]]; then find "$base" -maxdepth 1 -type l -lname '*/prodsync.??????*' -delete; fi
}

command=${1:-}
(($# == 0)) || shift
case $command in
open) open_room; echo "$room" ;;
tree) make_tree ;;
start) start_cluster "$@" ;;
stop) need_room; stop_cluster "$@" ;;
crash) need_room; crash_cluster "$@" ;;
env)
	need_room
	name_is_fine "$1"
	printf 'export PGHOST=%q PGPORT=5432 PGUSER=postgres PATH=%q:"$PATH"\n' "$room/$1" "$bindir"
	echo "unset PGHOSTADDR PGDATABASE PGSERVICE PGPASSWORD PGOPTIONS"
	;;
run) need_room; in_room "$@" ;;
close) close_room ;;
*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
