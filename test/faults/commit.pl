# S8: the connection is lost while COMMIT hangs, because a standby that is not there has to confirm it.
use strict;
use warnings;
use lib 'test/faults';
use Test::More;
use Time::HiRes 'time';
use Prodsync;
use Content;
use Faults;
use Wire;

set_up();
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

my $wire = Wire->new($uat);
# fault => [what it does, when COMMIT hangs in the session; exit codes that are right; with PRODSYNC_TARGET through the wire?]
my @cases = (
	[ 'session terminated' => [ 0 ], sub { my ($run, $pid) = @_; $uat->sql("SELECT pg_terminate_backend($pid)"); committing($pid); let_go() } ],
	[ 'statement cancelled' => [ 0 ], sub { my ($run, $pid) = @_; $uat->sql("SELECT pg_cancel_backend($pid)"); let_go() } ],
	[ 'client killed' => [ 137 ], sub { my ($run) = @_; $run->signal('KILL'); let_go() } ],
	[ 'Ctrl-C, then it goes through' => [ 10 ], sub { my ($run) = @_; $run->signal('INT'); let_go() } ],
	[ 'Ctrl-C twice' => [ 9 ], sub { my ($run) = @_; $run->signal('INT'); again($run); let_go() } ],
	[ 'backend killed' => [ 0 ], sub { my ($run, $pid) = @_; let_go_unread(); kill 'KILL', $pid } ],
	[ 'target stopped, and started' => [ 0 ], sub { let_go_unread(); $uat->stop('immediate'); $uat->start } ],
	[ 'target stopped for longer than it is asked' => [ 9 ], sub { my ($run) = @_; let_go_unread(); $uat->stop('immediate'); $run->wait; $uat->start } ],
	[ 'connection cut, COMMIT goes through later' => [ 0 ], sub { my ($run, $pid) = @_; $wire->cut; asking($pid); let_go() }, 1 ],
	[ 'connection cut, and nobody answers any more; Ctrl-C twice' => [ 9 ], sub { my ($run) = @_; $wire->cut; $wire->close; $run->signal('INT'); again($run); let_go(); $wire->open }, 1 ],
	[ 'connection cut before the server has heard of COMMIT' => [ 1 ], sub {}, 1, sub { my ($run) = @_; $wire->cut } ],
);
# It has seen the first signal when the second comes: it does not take its session's COMMIT away, so its end is the only sign there is.
sub again { my ($run) = @_; wait_until(10, sub { $run->signal('INT'); !$run->running }) // die 'it does not end'; return }
# Its setting is read when the server is back.
sub let_go_unread { ourselves(sub { $uat->sql('ALTER SYSTEM RESET synchronous_standby_names') }); return }
# The session that asks what became of COMMIT has begun to ask.
sub asking { my ($pid) = @_; return wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'prodsync' AND query LIKE '%pg_xact_status%' AND pid <> $pid") > 0 }) // die 'it does not ask' }

for my $case (@cases) {
	my ($name, $exits, $during, $wired, $instead) = @$case;
	local $ENV{PRODSYNC_TARGET} = $wired ? $wire->dsn('app') : $uat->dsn('app');
	commit_trial($name, $exits, $instead ? 'before' : 'after', sub {
		my ($run, $go_on) = @_;
		if ($instead) { $instead->($run); $go_on->(); return }
		hang();
		$go_on->();
		$during->($run, committing());
	});
}
done_testing;
