# All or nothing: eight things that happen to a refresh, with the client and the extension as they are installed.  Each end is one of two, and the
# next refresh works.  `make check-faults` (test/faults/) does this at every point of a refresh, with a build that can stop there.
use strict;
use warnings;
use Test::More;
use Prodsync;
use Faults;

set_up();
at_gate($_) for 'client killed, server busy', 'Ctrl-C', 'workers terminated', 'backend killed', 'source stopped', 'no disk space';
trial(name => 'a check fails: a kept row has a key of production', exit => 6, says => qr/collision.*customer_email_key/,
	prepare => sub { $uat->sql("UPDATE customer SET email = 'customer7\@example.com' WHERE id = 2", 'app') },
	undo => sub { $uat->sql("UPDATE customer SET email = 'uat2\@example.com' WHERE id = 2", 'app') });
commit_trial('S8, the session is ended while COMMIT hangs', [0], 'after', 'gate', sub {
	my ($run, $go_on) = @_;
	hang();
	$go_on->();
	my $pid = committing();
	$uat->sql("SELECT pg_terminate_backend($pid)");
	committing($pid);
	let_go();
});

# What is installed cannot be stopped at a point.
for my $file ("$ENV{PRODSYNC_BINDIR}/prodsync", $uat->sql("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'") . '/prodsync.so') {
	my $content = slurp($file);
	like($content, qr/prodsync: error|sync_switch/, "$file is ours");
	unlike($content, qr/prodsync\.fault|PRODSYNC_FAULT|fault point:|11fault_point/, 'no trace of fault points in it');
}
done_testing;
