# Runs a program and measures what it takes on the client's side: time, processor, memory of all of its processes.
#
#   my $m = measure(['sh', 'way.sh'], {SOURCE => ...}, "$out/name", sub { ... called every 0.1 s ... });
#   $m->{exit}, {begun} (epoch), {seconds}, {cpu} (user + system), {memory} (kB), {out}, {err}
#
# Processor time is the kernel's own sum over the processes that were waited for (getrusage's children), so nothing is sampled.
# Memory, read ten times a second: the largest sum over the processes that are alive together, of each one's resident memory with shared
# pages counted in parts (Pss), and at least the high-water mark of the largest process (VmHWM). For a program of one process, as
# prodsync is, that is its high-water mark. The servers are not in it.
package Measure;
use strict;
use warnings;
use Exporter 'import';
use List::Util qw(max sum0);
use POSIX ();
use Prodsync;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(measure);

my $limit = 1800;                          # seconds; a program that hangs shall not hang the bench
my $every = 0.1;

sub measure
{
	my ($command, $environment, $files, $tick) = @_;
	my ($begin, $next, @before) = (time, 0, times);
	my %m = (memory => 0);
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		# A session of its own: that is how its processes are known, and ended.
		POSIX::setsid();
		%ENV = (%ENV, %$environment);
		open STDIN, '<', '/dev/null' or POSIX::_exit(126);
		open STDOUT, '>', "$files.out" or POSIX::_exit(126);
		open STDERR, '>', "$files.err" or POSIX::_exit(126);
		exec { $command->[0] } @$command or POSIX::_exit(127);
	}
	my %others;
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		if (time >= $next) {
			$next = time + $every;
			my @processes = processes($pid, \%others);
			$m{memory} = max($m{memory}, (map { kilobytes("/proc/$_/status", 'VmHWM') } @processes), sum0 map { kilobytes("/proc/$_/smaps_rollup", 'Pss') } @processes);
			$tick->() if $tick;
			if (time - $begin > $limit) { $m{late} = 1; kill 'KILL', -$pid }
		}
		sleep 0.005;
	}
	$m{exit} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	@m{qw(begun seconds)} = ($begin, time - $begin);
	my @after = times;
	$m{cpu} = $after[2] + $after[3] - $before[2] - $before[3];
	@m{qw(out err)} = (slurp("$files.out"), slurp("$files.err"));
	$m{err} .= "ended after $limit s\n" if $m{late};
	return \%m;
}

# The processes of a session. Those that are in another one stay there, so they are looked at once.
sub processes
{
	my ($session, $others) = @_;
	opendir my $proc, '/proc' or die "/proc: $!";
	my @found;
	for my $pid (grep { /^\d+$/ && !$others->{$_} } readdir $proc) {
		open my $f, '<', "/proc/$pid/stat" or next;
		my $line = <$f> // next;
		# "pid (name, with anything in it) state ppid pgrp session ..."
		next unless $line =~ /.*\) \S+ \d+ \d+ (\d+)/s;
		if ($1 == $session) { push @found, $pid }
		elsif ($pid != $session) { $others->{$pid} = 1 }
	}
	return @found;
}
sub kilobytes
{
	my ($file, $name) = @_;
	open my $f, '<', $file or return 0;
	while (my $line = <$f>) { return $1 if $line =~ /^$name:\s+(\d+) kB/ }
	return 0;                                  # the process has ended
}

1;
