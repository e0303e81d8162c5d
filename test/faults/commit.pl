# S8: the connection is lost while COMMIT hangs, because a standby that is not there has to confirm it.
use strict;
use warnings;
use Test::More;
use Prodsync;
use Faults;
use Wire;

set_up(uat => [ 'wal_writer_delay = 10s' ]);
my $wire = Wire->new($uat);
# fault => [what it does, when COMMIT hangs in the session; exit codes that are right; with PRODSYNC_TARGET through the wire?]
my @cases = (
	[ 'session terminated' => [ 0 ], sub { my ($run, $pid) = @_; $uat->sql("SELECT pg_terminate_backend($pid)"); committing($pid); let_go() } ],
	[ 'statement cancelled' => [ 0 ], sub { my ($run, $pid) = @_; $uat->sql("SELECT pg_cancel_backend($pid)"); let_go() } ],
	[ 'client killed' => [ 137 ], sub { my ($run) = @_; $run->signal('KILL'); let_go() } ],
	[ 'Ctrl-C, then it goes through' => [ 10 ], sub { my ($run) = @_; $run->signal('INT'); let_go() } ],
	[ 'Ctrl-C twice' => [ 9 ], sub { my ($run) = @_; $run->signal('INT'); again($run); let_go() } ],
	[ 'backend killed' => [ 0 ], sub { my ($run, $pid) = @_; Faults::crash($pid); let_go() } ],
	[ 'target stopped, and started' => [ 0 ], sub { let_go_unread(); $uat->stop('immediate'); $uat->start } ],
	[ 'target stopped for longer than it is asked' => [ 9 ], sub { my ($run) = @_; let_go_unread(); $uat->stop('immediate'); $run->wait; $uat->start } ],
	[ 'connection cut, COMMIT goes through later' => [ 0 ], sub { my ($run, $pid) = @_; $wire->cut; asking($pid); let_go() }, 1 ],
	[ 'connection cut, and nobody answers any more; Ctrl-C twice' => [ 9 ], sub { my ($run) = @_; $wire->cut; $wire->close; $run->signal('INT'); again($run); let_go(); $wire->open }, 1 ],
	[ 'connection cut before the server has heard of COMMIT' => [ 1 ], sub {}, 1, sub { my ($run) = @_; $wire->cut } ],
);
# It has seen the first signal when the second comes: it does not take its session's COMMIT away, so its end is the only sign there is.
sub again { my ($run) = @_; wait_until(10, sub { $run->signal('INT'); !$run->running }) // die 'it does not end'; return }
# Its setting is read when the server is back.
sub let_go_unread { Faults::ourselves(sub { $uat->sql('ALTER SYSTEM RESET synchronous_standby_names') }); return }
# The session that asks what became of COMMIT has begun to ask.
sub asking { my ($pid) = @_; return wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'prodsync' AND query LIKE '%FROM public.sync_runs%' AND pid <> $pid") > 0 }) // die 'it does not ask' }

for my $case (@cases) {
	my ($name, $exits, $during, $wired, $instead) = @$case;
	local $ENV{PRODSYNC_TARGET} = $wired ? $wire->dsn('app') : $uat->dsn('app');
	commit_trial($name, $exits, $instead ? 'before' : 'after', 'client', sub {
		my ($run, $go_on) = @_;
		if ($instead) { $instead->($run); $go_on->(); return }
		hang();
		$go_on->();
		$during->($run, committing());
	});
}

# The crash takes the transaction's id with it, since nothing of it was written; it is given to another one, which is committed: that proves nothing.
commit_trial('the target crashes, and gives the same transaction id away', [1], 'before', 'client', sub {
	my ($run, $go_on) = @_;
	Faults::crash(Faults::control());
	$uat->sql("SELECT pg_current_xact_id();\n" x 200);
	$go_on->();
});
done_testing;
