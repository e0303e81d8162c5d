# Refreshes that something happens to at a certain moment, and what must be true afterwards.
#
#   use Faults;
#   set_up();                                        # the pair of databases of test/fixtures/small, in two clusters
#   my ($server, $client) = points();                # what a refresh passes: [name, name ...] on either side
#   visit_all('server', wanted_points(qr/^load/, @$server));    # at each a refresh for each fault that there is
#   trial(name => ..., during => sub { ... })        # one refresh to which something else happens
#   at_gate('Ctrl-C')                                # a fault in the middle of the load, for builds without points
#
# Every case begins with the same two databases.  Afterwards all that a user can see of the target (Content.pm) is what it was, or what a
# refresh makes of it, and the client's exit code says which; no session and no lock is left; the next refresh works and leaves nothing behind.
package Faults;
use strict;
use warnings;
use Exporter 'import';
use Test::More;
use Time::HiRes 'time';
use Prodsync;
use Content;

our @EXPORT = qw(set_up points visit_all wanted_points trial commit_trial at_gate config policy hang let_go committing $production $uat);
our ($production, $uat);
my $yaml;
my ($before, $after, $watcher, $folder, $stopped, $gate, @left, @limited);
my $key = 0x6661756c;                                # the lock that points of the server wait for (extension/fault_point.cpp)
my $run_lock = "locktype = 'advisory' AND objsubid = 28787";

sub set_up
{
	my (%settings) = @_;
	($production, $uat) = clusters([ production => @{ $settings{production} // [] } ], [ uat => @{ $settings{uat} // [] } ]);
	my $small = 'test/fixtures/small';
	$uat->sql('CREATE ROLE small_owner; CREATE ROLE small_tester');
	for ($production, $uat) {
		$_->sql('CREATE DATABASE first');
		$_->file('first', "$small/schema.sql");
	}
	$production->file('first', "$small/production.sql");
	$production->sql('ALTER DATABASE first RENAME TO app');
	$uat->file('first', "$small/uat.sql");
	$uat->sql('CREATE EXTENSION prodsync; CREATE EXTENSION amcheck', 'first');
	$ENV{PRODSYNC_SOURCE} = $production->dsn('app');
	$ENV{PRODSYNC_TARGET} = $uat->dsn('app');
	config();

	fresh();
	$before = content($uat);
	is(refresh()->{exit}, 0, 'a refresh that nothing happens to');
	$after = content($uat);
	isnt($after, $before, 'it changes something');
	is(refresh()->{exit}, 0, 'another one');
	is(differs($after, content($uat)), '', 'a refresh is repeatable: the same source gives the same content, ids and sequences included') or BAIL_OUT('nothing can be said of faults');
	return;
}

# The target as it is before every case.
sub fresh
{
	undef $watcher;
	$uat->sql($_) for 'DROP DATABASE IF EXISTS app WITH (FORCE)', 'CREATE DATABASE app TEMPLATE first';
	$uat->sql("SELECT sync_set_environment('uat', true)", 'app');
	return;
}
my $files = 0;
# The fixture's configuration, with lines added at the end.
sub config
{
	my (@lines) = @_;
	$yaml = file('faults' . $files++ . '.yaml', slurp('test/fixtures/small/prodsync.yaml') . join '', map { "$_\n" } @lines);
	return $yaml;
}
# The fixture's configuration with another policy: its own looks at no column.
sub policy { my ($policy) = @_; $yaml = file('faults' . $files++ . '.yaml', slurp('test/fixtures/small/prodsync.yaml') =~ s/policy: none/policy: $policy/r); return $yaml }
sub arguments { return ('sync', '--from', 'production', '--to', 'uat', '--config', $yaml, '--yes', '--format', 'json', '--jobs', 2, @_) }
sub refresh { return prodsync(arguments(@_)) }

# ---- points ----
# Which points a refresh passes, in order.
sub points
{
	my $log = length $uat->log;
	$folder = Prodsync::folder();
	local $ENV{PRODSYNC_FAULT_DIR} = $folder;
	fresh();
	my $run = refresh();
	is($run->{exit}, 0, 'a refresh that tells which points it passes') or diag $run->{err};
	my (%seen, @client, @server);
	for (split /\n/, slurp("$folder/passed")) { push @client, $_ unless $seen{$_}++ }
	%seen = ();
	for (substr($uat->log, $log) =~ /LOG:  fault point: (.+)/g) { push @server, $_ unless $seen{$_}++ }
	cmp_ok(@client, '>', 15, 'points of the client: ' . @client);
	cmp_ok(@server, '>', 25, 'points of the server: ' . @server);
	return (\@server, \@client);
}
sub wanted_points
{
	my ($which, @points) = @_;
	my $only = $ENV{PRODSYNC_TEST_FAULTS_ONLY} // '';
	return grep { $_ =~ $which && (!$only || $_ =~ /$only/) } @points;
}

# Asked again and again, so not with a new psql each time.
sub watch
{
	my ($sql) = @_;
	$watcher //= eval { $uat->session('app') } // return '';
	my $answer = $watcher->query($sql);
	if ($watcher->error) { undef $watcher; return '' }
	return $answer;
}

# A refresh that stops at a point.
sub start_at
{
	my ($side, $point) = @_;
	$folder = Prodsync::folder();
	local $ENV{PRODSYNC_FAULT_DIR} = $folder;
	local $ENV{PRODSYNC_FAULT_POINT} = $side eq 'client' ? $point : '';
	if ($side eq 'gate') {
		# No question reads this table, so nobody waits for it but its load.
		$gate = $production->session('app');
		$gate->query($_) for 'BEGIN', 'LOCK TABLE ticket';
	}
	if ($side eq 'server') {
		watch("SELECT pg_advisory_lock($key)");
		$uat->sql("ALTER DATABASE app SET prodsync.fault_point = '$point'");
	}
	my $run = start_prodsync(arguments());
	my $there = wait_until(20, sub { !$run->running || ($side eq 'client' ? -e "$folder/reached" : $side eq 'server' ? stopped() : gated()) });
	$run->running && $there or die "it did not come to $point: " . $run->err;
	return $run;
}
sub gated { return $production->sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'prodsync' AND query LIKE 'LOCK TABLE ONLY public.ticket %' AND wait_event_type = 'Lock'") }
sub stopped { return watch("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $key AND NOT granted ORDER BY pid LIMIT 1") }
sub go_on
{
	my ($side) = @_;
	if ($side eq 'client') { file_in($folder, 'go on') }
	elsif ($side eq 'server') { watch("SELECT pg_advisory_unlock($key)") }
	else { $gate->query('COMMIT'); $gate->quit }
	return;
}
sub file_in { my ($dir, $name) = @_; open my $f, '>', "$dir/$name" or die "$dir/$name: $!"; close $f; return }

# ---- faults ----
# Sessions of the run on the target: the one that controls it is the oldest.
sub control { return watch("SELECT pid FROM pg_stat_activity WHERE application_name = 'prodsync' ORDER BY backend_start LIMIT 1") }
sub workers { return split /\n/, watch("SELECT pid FROM pg_stat_activity WHERE application_name = 'prodsync' ORDER BY backend_start OFFSET 1") }
sub terminate { my (@pids) = @_; watch("SELECT pg_terminate_backend($_)") for @pids; return }
sub reading { return $production->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'prodsync'") }

# name => [what it does, or false where there is nothing to break; what the client has to name; may it be that nobody needs what was broken?]
my %faults = (
	'client killed' => [ sub { $_[0]->signal('KILL'); 1 }, qr// ],
	# It finds out by itself that nobody is there any more, in the middle of a statement.
	'client killed, server busy' => [ sub { $_[0]->signal('KILL'); $_[0]->wait; left_behind(); 1 }, qr// ],
	# Its statement is cancelled, but not in COMMIT.
	'Ctrl-C' => [ sub { my ($run) = @_; $run->signal('INT'); wait_until(2, sub { !$run->running || !stopped() }); 1 }, qr/interrupted/ ],
	'session terminated' => [ sub { my $pid = stopped() or return 0; terminate($pid); 1 }, qr/uat/ ],
	'control session terminated' => [ sub { my $pid = control() or return 0; terminate($pid); 1 }, qr/uat/ ],
	'workers terminated' => [ sub { my @pids = workers() or return 0; terminate(@pids); 1 }, qr/uat/, 1 ],
	'backend killed' => [ sub { my $pid = stopped() || control() || return 0; kill 'KILL', $pid; 1 }, qr/uat/ ],
	'target stopped' => [ sub { $uat->stop('immediate'); $uat->start; 1 }, qr/uat/ ],
	'error' => [ undef, qr/uat: SQLSTATE XX000/ ],
	# Whatever the session writes from now on fails.
	'no disk space' => [ sub { @limited = stopped() || workers() or return 0; system('prlimit', '--fsize=1:1', '--pid', $_) == 0 or die for @limited; 1 }, qr/uat/, 1 ],
	'source sessions terminated' => [ sub { reading() or return 0; $production->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'prodsync'"); 1 }, qr/production/, 1 ],
	'source stopped' => [ sub { reading() or return 0; $production->stop('immediate'); $stopped = 1 }, qr/production/, 1 ],
);

# ---- cases ----
# Runs a fault at a point and judges what came of it.
sub visit
{
	my ($side, $point, $fault) = @_;
	my ($do, $says, $perhaps_not_needed) = @{ $faults{$fault} };
	my ($done, $at, $skipped);
	my $begun = time;
	my $log = length $uat->log;
	my $ok = eval {
		fresh();
		if ($fault eq 'error') {
			$uat->sql("ALTER DATABASE app SET prodsync.fault_point = '$point'; ALTER DATABASE app SET prodsync.fault_action = 'error'");
			$done = start_prodsync(arguments())->wait(40);
			$at = 'either';
		} else {
			my $run = start_at($side, $point);
			# A signal may come too late to be heard before COMMIT.
			$at = $point =~ /^(COMMIT begins|before COMMIT)$/ ? 'either' : watch("SELECT status FROM sync_runs ORDER BY run DESC LIMIT 1") =~ /switched|done/ ? 'after' : 'before';
			$skipped = !$do->($run);
			go_on($side);
			$done = $run->wait(40);
		}
		1;
	};
	my $died = $@;
	$production->start if $stopped;
	$stopped = 0;
	# A moment after the kill the server still answers: it has not heard of it.
	wait_until(20, sub { substr($uat->log, $log) =~ /was terminated by signal 9/ }) if $fault eq 'backend killed' && $ok && !$skipped;
	# One that cannot write the log of transactions takes the server with it, and the server has heard of that once it is gone.
	wait_until(20, sub { !grep { kill 0, $_ } @limited }) // die 'a session without disk space is still there';
	@limited = ();
	recovered();
	$uat->sql('ALTER DATABASE app RESET ALL') if $ok;
	if ($skipped) { is($done->{exit}, 0, "$point, $fault: nothing to break, refreshed") or diag $done->{err}; return }
	return fail("$point, $fault: $died") unless $ok;
	return judge("$point | $fault", $begun, $done, $perhaps_not_needed && $done->{exit} == 0 ? 'either' : $at, $says);
}

# A server that has crashed is on its way back.
sub recovered { return wait_until(30, sub { $uat->psql('SELECT 1', 'app')->{exit} == 0 }) // die 'uat does not come back' }

sub at_gate { my ($fault) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1; return visit('gate', 'E14: in the middle of the load', $fault) }

# kill -9 of a backend, and the server's recovery.
sub crash
{
	my ($pid) = @_;
	my $log = length $uat->log;
	kill 'KILL', $pid;
	wait_until(20, sub { substr($uat->log, $log) =~ /was terminated by signal 9/ }) // die 'nobody noticed';
	return recovered();
}

# What happens otherwise: trial(name => 'who did what', at => [side, point], during => sub { my $run = shift; ... }, exit => 6, says => qr/.../).
# holds: what a session of somebody has done in its transaction until the refresh ends.
# prepare: before the refresh; undo: afterwards, so that the next refresh works.  What they and during change of the target is no fault.
sub trial
{
	my (%case) = @_;
	my $begun = time;
	my ($done, $was);
	my $ok = eval {
		fresh();
		$case{prepare}->() if $case{prepare};
		my $run = $case{at} ? start_at(@{ $case{at} }) : start_prodsync(arguments());
		$case{during}->($run) if $case{during};
		$was = content($uat);
		my $holder = $case{holds} && $uat->session('app');    # only while it runs: we have to look at the table, too
		$holder->query($_) for $holder ? ('BEGIN', $case{holds}) : ();
		go_on($case{at}[0]) if $case{at};
		$done = $run->wait(100);
		1;
	};
	my $died = $@;
	$uat->sql('ALTER DATABASE app RESET ALL');
	my $name = "$case{name} | " . ($case{at} ? "at: $case{at}[1]" : 'at the beginning');
	return fail("$name: $died") unless $ok;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($done->{exit}, $case{exit}, "$name: exit $case{exit}") or diag $done->{err};
	return judge($name, $begun, $done, 'before', $case{says}, was => $was, undo => $case{undo});
}

# The switch's COMMIT: commit_trial(name, [exit codes], outcome, where, sub { my ($run, $go_on) = @_; ... }), where is 'client': right before it is
# sent, or 'gate'.
sub commit_trial
{
	my ($name, $exits, $expected, $side, $do) = @_;
	my $begun = time;
	my $done;
	my $ok = eval {
		fresh();
		my $run = start_at($side, 'before COMMIT');
		$do->($run, sub { go_on($side) });
		$done = $run->wait(100);
		1;
	};
	return fail("COMMIT | $name: $@") unless $ok;
	recovered();
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok((grep { $_ == $done->{exit} } @$exits), "COMMIT | $name: exit @$exits") or diag "exit $done->{exit}: $done->{err}";
	return judge("COMMIT | $name", $begun, $done, $expected, qr/uat|COMMIT|refreshed/);
}

# From now on no COMMIT of a transaction that wrote is answered: a standby that is not there has to confirm it.
# What we do ourselves does not wait for the standby.
sub ourselves { my ($do) = @_; local $ENV{PGOPTIONS} = '-c synchronous_commit=off'; return $do->() }
sub hang
{
	ourselves(sub { $uat->sql($_) for "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", 'SELECT pg_reload_conf()' });
	# The setting counts when the checkpointer has seen it.
	my $probe = $uat->session('postgres');
	wait_until(20, sub {
		$probe->send("SELECT pg_logical_emit_message(true, 'probe', '')") unless $probe->{waiting}++;
		return 1 if waiting($probe->{backend});
		if ($probe->answered) { $probe->receive; $probe->{waiting} = 0 }
		return 0;
	}) // die 'no COMMIT hangs';
	$uat->sql("SELECT pg_terminate_backend($probe->{backend})");
	return;
}
sub let_go { ourselves(sub { $uat->sql($_) for 'ALTER SYSTEM RESET synchronous_standby_names', 'SELECT pg_reload_conf()' }); return }
sub waiting { my ($pid) = @_; return $uat->sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND wait_event = 'SyncRep'") }
# Sessions of the run whose COMMIT hangs.
sub committing
{
	my (@but) = @_;
	return wait_until(20, sub { $uat->sql("SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'prodsync' AND wait_event = 'SyncRep'" . join '', map { " AND pid <> $_" } @but) }) // die 'no COMMIT hangs';
}

sub head { my @lines = split /\n/, $_[0]; return @lines > 10 ? (@lines[0 .. 9], '...') : @lines }
# Which of the two the target is: before, after, 'after, views to come' (materialized views are refreshed after the switch, by the next command where
# the client died), or 'neither: what differs'.
sub outcome
{
	my ($was) = @_;
	$was //= $before;
	my $is = content($uat);
	return 'before' if $is eq $was;
	return 'after' if $is eq $after;
	return 'after, views to come' if !grep { !/^(?:was|is): +rows\|public\.sales/ } split /\n/, differs($after, $is);
	return "neither:\n" . join "\n", head(differs($was, $is)), '---', head(differs($after, $is));
}

# Sessions and locks that are still there when 3 seconds are over.
sub left_behind
{
	my $there;
	wait_until(3, sub { ($there = join "\n", grep { $_ } map { presence($_) } $production, $uat) eq '' }) and return;
	push @left, "3 s later there are still\n$there";
	return;
}

# $at: before, after, either: on which side of the COMMIT it happened; $says: what the error has to name.
sub judge
{
	my ($name, $begun, $done, $at, $says, %more) = @_;
	my $exit = $done->{exit};
	my @wrong;
	left_behind();
	push @wrong, splice @left;
	my $outcome = outcome($more{was});
	my ($which) = $outcome =~ /(\w+)/;
	push @wrong, "neither before nor after: $outcome" if $which eq 'neither';
	push @wrong, "it happened $at the COMMIT, the target is $outcome" if $at ne 'either' && $which ne $at;
	push @wrong, 'all is well, it says, but views are not refreshed' if $exit == 0 && $outcome =~ /views/;
	my %should = (0 => 'after', 10 => 'after', (map { $_ => 'before' } 1 .. 7));
	if ($exit != 9 && $exit != 137) {
		push @wrong, "exit code $exit, the target is $outcome" if ($should{$exit} // '') ne $which;
		push @wrong, "the wrong error: $done->{err}" if $exit && $done->{err} !~ $says;
		push @wrong, "exit code $exit after Ctrl-C" if $name =~ /Ctrl-C/ && $exit !~ /^(7|10|0)$/;
	}
	push @wrong, 'more than one error: ' . $done->{err} if (() = $done->{err} =~ /error:/g) > 1;
	push @wrong, "no error: $done->{err}" if $exit && $exit != 137 && $done->{err} !~ /error: /;
	# One object, whatever happens.
	push @wrong, "JSON says something else than exit code $exit: $done->{out}" if $exit != 137 && $done->{out} !~ /\A\{.*"exit_code":$exit\b.*\}\n\z/;
	if ($more{undo}) {
		$more{undo}->();
		push @wrong, 'the test has not undone: ' . differs($before, content($uat)) if content($uat) ne $before;
	}
	if ($outcome =~ /views/) {
		# The next command finishes it, whichever it is; for a view whose refresh failed (not: was never begun) the error says what to type.
		my $clean = prodsync('clean', '--to', 'uat', '--config', $yaml);
		push @wrong, "clean ends with $clean->{exit}: $clean->{err}" if $clean->{exit};
		my $then = outcome();
		if ($then =~ /views/ && $done->{err} =~ /SQLSTATE/) {
			$uat->sql($_, 'app') for $done->{err} =~ /when that is mended: (REFRESH MATERIALIZED VIEW \S+)/g;
			$then = outcome();
		}
		push @wrong, "after clean: $then" if $then ne 'after';
		if (my $shadows = leftovers($uat)) { push @wrong, "clean leaves $shadows" }
	}
	my $next = refresh();
	push @wrong, "the next run ends with $next->{exit}: $next->{err}" if $next->{exit};
	my $then = outcome();
	push @wrong, "after the next run: $then" if $then ne 'after';
	if (my $shadows = leftovers($uat)) { push @wrong, "the next run leaves $shadows" }
	if (my $broken = broken_indexes()) { push @wrong, $broken }
	note_visit($name, $exit, $outcome =~ /^(.*)/, time - $begun);
	local $Test::Builder::Level = $Test::Builder::Level + 2;
	return ok(!@wrong, $name) || diag join "\n", @wrong, "exit $exit", $done->{err};
}
sub note_visit { my ($name, $exit, $outcome, $seconds) = @_; note sprintf 'visited | %s | %s | %s | %.1f', $name, $exit, $outcome, $seconds; return }

sub broken_indexes
{
	my $run = $uat->psql(q{SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		WHERE amname = 'btree' AND relkind = 'i' AND indisvalid AND relnamespace = 'public'::regnamespace}, 'app');
	return $run->{exit} ? "amcheck: $run->{err}" : '';
}

# Visits points with the faults of their side.  A whole server goes away at every second point, in turn by the crash of a backend and by a stop.
sub visit_all
{
	my ($side, @points) = @_;
	my $n = 0;
	for my $point (@points) {
		my @at = ('client killed', 'Ctrl-C', 'control session terminated', ('backend killed', 'target stopped')[ $n % 2 ]);
		push @at, $side eq 'server' ? ('session terminated', 'error', 'no disk space') : 'workers terminated';
		push @at, 'client killed, server busy' if $side eq 'server' && $n % 4 == 1;
		# Nothing of production's is held from the preflight on.
		push @at, ('source stopped', 'source sessions terminated')[ $n % 2 ] unless $point =~ /preflight|switch|COMMIT|refresh|clean/;
		visit($side, $point, $_) for @at;
		$n++;
	}
	return;
}

1;
