# What the tests of the whole client share: clusters, sessions, and runs of the client with exit code, output and time.
#
#   use Prodsync;
#   my ($production, $uat) = clusters('production', 'uat');     # started side by side, stopped when the test ends
#   $uat->sql('CREATE DATABASE app');                            # dies when SQL fails; returns the rows as text
#   $uat->file('app', 'test/fixtures/saas/uat.sql');
#   my $run = prodsync('sync', '--config', file('prodsync.yaml', $yaml), '--yes');
#   is($run->{exit}, 0);  like($run->{err}, qr/.../);  $run->{out}, $run->{seconds}
#
# PostgreSQL has modules of its own for this (PostgreSQL::Test::Cluster), but not every package installs all of them, and
# their names and methods differ between the versions we run on.  This uses nothing but Perl's core modules and test/cluster.sh,
# which put us here: the working directory is a copy of the checkout, PATH begins with the copy of the server, and the client.
package Prodsync;
use strict;
use warnings;
use Exporter 'import';
use File::Basename 'basename';
use File::Temp 'tempdir';
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(clusters empty_pair environments tables_config prodsync start_prodsync prodsync_on_terminal execute file slurp shared_fixtures wait_until);

my $room = $ENV{PRODSYNC_ROOM} or die "run me by: make tap TAP=$0\n";
my $here = tempdir(CLEANUP => 1);
my $test = lc basename($0, '.pl');
$test =~ s/\W+/_/g;
$test = substr("t$test", 0, 18);
my @clusters;

# Starts new clusters, all at once.  A name may come with settings: clusters('production', [uat => 'wal_level=logical']).
sub clusters
{
	my (@made, @pids);
	for my $wanted (@_) {
		my ($name, @conf) = ref $wanted ? @$wanted : $wanted;
		my $self = bless { name => "${test}_$name", host => "$room/${test}_$name" }, 'Prodsync::Cluster';
		push @made, $self;
		my $pid = fork // die "fork: $!";
		if (!$pid) { exec 'test/cluster.sh', 'start', $self->{name}, @conf or POSIX::_exit(127) }
		push @pids, $pid;
	}
	push @clusters, @made;
	for my $pid (@pids) {
		waitpid $pid, 0;
		die "a cluster did not start\n" if $?;
	}
	return wantarray ? @made : $made[0];
}

END {
	my $status = $?;
	$_->stop('immediate') for grep { $_->{name} } @clusters;
	$? = $status;
}

# ---- programs ----
# Starts a program; its output goes to files, so that none can block.  $stdin is text.
sub start
{
	my ($stdin, @command) = @_;
	my $self = bless { dir => tempdir(DIR => $here), begin => time, command => "@command" }, 'Prodsync::Process';
	spew("$self->{dir}/in", $stdin // '');
	spew("$self->{dir}/$_", '') for 'out', 'err';          # there is something to read from now on
	$self->{pid} = fork // die "fork: $!";
	if (!$self->{pid}) {
		open STDIN, '<', "$self->{dir}/in" or POSIX::_exit(126);
		open STDOUT, '>', "$self->{dir}/out" or POSIX::_exit(126);
		open STDERR, '>', "$self->{dir}/err" or POSIX::_exit(126);
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	return $self;
}
# Runs a program to its end: {exit, out, err, seconds}.
sub execute { return start('', @_)->wait }

# Two clusters, each with an empty database app, which a configuration that begins with environments() means by production and uat.
sub empty_pair
{
	my ($production, $uat) = clusters('production', 'uat');
	$_->sql('CREATE DATABASE app') for $production, $uat;
	$ENV{PRODSYNC_SOURCE} = $production->dsn('app');
	$ENV{PRODSYNC_TARGET} = $uat->dsn('app');
	return ($production, $uat);
}
sub environments
{
	return <<'YAML';
environments:
  production: {dsn: "${PRODSYNC_SOURCE}"}
  uat:        {dsn: "${PRODSYNC_TARGET}"}
YAML
}

# A configuration for the same two: $head, then these tables (name => YAML), some of them changed, or left out where undef.
sub tables_config
{
	my ($head, $tables, @changes) = @_;
	my %all = (%$tables, @changes);
	return file('tables.yaml', environments() . $head . "tables:\n" . join('', map { defined $all{$_} ? "  $_: $all{$_}\n" : () } sort keys %all));
}

# The client.  start_prodsync() goes on at once: ->signal('INT'), ->running, ->err (so far), ->wait.
sub start_prodsync { return start('', 'prodsync', @_) }
sub prodsync { return start_prodsync(@_)->wait }
# The client on a terminal (util-linux's script is one), where it draws bars and colours; out has both streams.
sub prodsync_on_terminal
{
	my $command = join ' ', map { my $w = $_; $w =~ s/'/'\\''/g; "'$w'" } 'prodsync', @_;
	return execute('script', '-qefc', $command, '/dev/null');
}

# ---- small things ----
sub spew
{
	my ($path, $content) = @_;
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $content;
	close $f or die "$path: $!";
}
sub slurp
{
	my ($path) = @_;
	open my $f, '<:raw', $path or die "$path: $!";
	local $/;
	return scalar(<$f>) // '';
}
# A file for this test only; returns its path.
sub file
{
	my ($name, $content, $mode) = @_;
	spew("$here/$name", $content);
	chmod $mode // 0600, "$here/$name";
	return "$here/$name";
}
# A folder for this test only, a new one each time.
sub folder { return tempdir(DIR => $here) }
# Calls a function until it returns something true; undef after $seconds.
sub wait_until
{
	my ($seconds, $condition) = @_;
	my $end = time + $seconds;
	while (1) {
		my $value = $condition->();
		return $value if $value;
		return undef if time > $end;
		sleep 0.01;
	}
}
# A folder of fixtures that lies beside the checkout, not in it; where it is absent the whole test is skipped and says so.
sub shared_fixtures
{
	my ($name) = @_;
	my $path = "../shared/fixtures/$name";
	Test::More::plan(skip_all => "no fixtures $name beside the checkout") unless -d $path;
	return $path;
}

package Prodsync::Process;
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(sleep time);

sub running
{
	my ($self) = @_;
	return 0 if defined $self->{exit};
	return 1 if waitpid($self->{pid}, POSIX::WNOHANG()) == 0;
	# as a shell says it: 128 + signal
	$self->{exit} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	$self->{seconds} = time - $self->{begin};
	return 0;
}
# It has been heard when this returns: on a busy machine it can take longer than what the test does next.
sub signal
{
	my ($self, $name) = @_;
	return unless $self->running;
	kill $name, $self->{pid};
	return if $name eq 'KILL' || !-d '/proc/self';
	Prodsync::wait_until(10, sub { !$self->running || Prodsync::slurp("/proc/$self->{pid}/status") !~ /^(?:Sig|Shd)Pnd:\t0*[1-9a-f]/m });
	return;
}
sub out { my ($self) = @_; return Prodsync::slurp("$self->{dir}/out") }
sub err { my ($self) = @_; return Prodsync::slurp("$self->{dir}/err") }
sub wait
{
	my ($self, $limit) = @_;
	my $end = time + ($limit // 120);
	while ($self->running) {
		if (time > $end) {
			$self->signal('KILL');
			die "still running after " . ($limit // 120) . " s: $self->{command}\n" . $self->err;
		}
		sleep 0.002;
	}
	return { exit => $self->{exit}, out => $self->out, err => $self->err, seconds => $self->{seconds} };
}
sub DESTROY { my ($self) = @_; local ($?, $!); $self->signal('KILL'); return }

package Prodsync::Cluster;
use strict;
use warnings;

sub dsn { my ($self, $db, $user) = @_; return "host=$self->{host} port=5432 user=" . ($user // 'postgres') . " dbname=" . ($db // 'postgres') }
sub psql_command { my ($self, $db, @more) = @_; return ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $self->dsn($db), @more) }

# SQL, or psql's commands, in the database (postgres when not said).  {exit, out, err, seconds}; exit is 3 after an SQL error.
sub psql { my ($self, $sql, $db) = @_; return Prodsync::start($sql, $self->psql_command($db))->wait }
# The same for SQL that has to work.
sub sql
{
	my ($self, $sql, $db) = @_;
	my $run = $self->psql($sql, $db);
	die "$self->{name}: $run->{err}in: $sql\n" if $run->{exit};
	chomp $run->{out};
	return $run->{out};
}
sub file
{
	my ($self, $db, $path) = @_;
	my $run = Prodsync::execute($self->psql_command($db, '-f', $path));
	die "$path: $run->{err}\n" if $run->{exit};
	return;
}
# A pair of databases of one schema, with a content each; the second may be refreshed.
my $pairs = 0;
sub pair
{
	my ($self, $schema, $production, $uat) = @_;
	my $n = ++$pairs;
	for (["p$n", $production], ["u$n", $uat]) {
		my ($db, $content) = @$_;
		$self->sql("CREATE DATABASE $db");
		$self->sql("$schema;\n$content", $db);
	}
	$self->sql("CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", "u$n");
	return ("p$n", "u$n");
}

sub session { my ($self, $db) = @_; return Prodsync::Session->new($self->psql_command($db)) }

sub start { my ($self, @conf) = @_; system('test/cluster.sh', 'start', $self->{name}, @conf) == 0 or die; return }
sub stop { my ($self, $mode) = @_; system('test/cluster.sh', 'stop', $self->{name}, $mode // 'fast') == 0 or die; return }
sub restart { my ($self, @conf) = @_; $self->stop; $self->start(@conf); return }
# kill -9 of the postmaster: start() recovers from the log
sub crash { my ($self) = @_; system('test/cluster.sh', 'crash', $self->{name}) == 0 or die; return }
# A standby of it, which streams: another cluster.
sub standby
{
	my ($self, $name) = @_;
	my $made = bless { name => "${test}_$name", host => "$room/${test}_$name" }, 'Prodsync::Cluster';
	mkdir $made->{host} or die "$made->{host}: $!";
	my $backup = Prodsync::execute('pg_basebackup', '-d', $self->dsn, '-D', "$room/data/$made->{name}", '-R', '--checkpoint=fast', '--no-sync');
	die $backup->{err} if $backup->{exit};
	push @clusters, $made;
	$made->start("unix_socket_directories = '$made->{host}'", "cluster_name = '$made->{name}'");
	return $made;
}
# The server's log so far.
sub log { my ($self) = @_; return Prodsync::slurp("$self->{host}/log") }

# A psql that stays connected, for a tester at work beside a refresh.
package Prodsync::Session;
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use Time::HiRes 'time';

sub new
{
	my ($class, @command) = @_;
	pipe(my $in_r, my $in_w) && pipe(my $out_r, my $out_w) && pipe(my $err_r, my $err_w) or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		close $_ for $in_w, $out_r, $err_r;
		open STDIN, '<&', $in_r;
		open STDOUT, '>&', $out_w;
		open STDERR, '>&', $err_w;
		exec { $command[0] } grep { $_ ne '-v' && $_ ne 'ON_ERROR_STOP=1' } @command or POSIX::_exit(127);
	}
	close $_ for $in_r, $out_w, $err_w;
	$in_w->autoflush(1);
	my $self = bless { pid => $pid, in => $in_w, out => $out_r, err => $err_r, mark => 0, error => '' }, $class;
	$self->{backend} = $self->query('SELECT pg_backend_pid()') || die "no session: $self->{error}";
	return $self;
}
# Sends SQL and goes on; receive() waits for its end (60 s, or $seconds) and returns the rows as text.  What psql had to say on
# stderr is in ->error then, empty when all was well.
sub send
{
	my ($self, $sql) = @_;
	local $SIG{PIPE} = 'IGNORE';
	$self->{mark}++;
	print { $self->{in} } "$sql\n;\n\\echo -- $self->{mark} --\n\\warn -- $self->{mark} --\n";
	return;
}
sub receive
{
	my ($self, $seconds) = @_;
	my %text = (out => '', err => '');
	my $end = time + ($seconds // 60);
	my $mark = "-- $self->{mark} --\n";
	my $select = IO::Select->new(@$self{qw(out err)});
	while ($select->count) {
		my @ready = $select->can_read($end - time > 0 ? $end - time : 0);
		die "no answer: $text{out}$text{err}\n" unless @ready;
		for my $handle (@ready) {
			my $which = $handle == $self->{out} ? 'out' : 'err';
			my $n = sysread $handle, $text{$which}, 65536, length $text{$which};
			# psql ends when the connection is lost
			$select->remove($handle) if !$n || $text{$which} =~ s/(^|\n)\Q$mark\E\z/$1/;
		}
	}
	$self->{error} = $text{err};
	chomp $text{out};
	return $text{out};
}
sub query { my ($self, $sql, $seconds) = @_; $self->send($sql); return $self->receive($seconds) }
sub error { my ($self) = @_; return $self->{error} }
# Is an answer, or its beginning, there?
sub answered { my ($self) = @_; return scalar IO::Select->new(@$self{qw(out err)})->can_read(0) }
sub quit { my ($self) = @_; local $SIG{PIPE} = 'IGNORE'; if (my $pid = delete $self->{pid}) { close $self->{in}; waitpid $pid, 0 } return }
sub DESTROY { my ($self) = @_; local ($?, $!); if ($self->{pid}) { kill 'TERM', $self->{pid}; $self->quit } return }

1;
