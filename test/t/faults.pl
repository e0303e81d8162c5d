# All or nothing: eight things that happen to a refresh, with the client and the extension as they are installed.  Each end is one of two, and the
# next refresh works.  `make check-faults` (test/faults/) does this at every point of a refresh, with a build that can stop there.
use strict;
use warnings;
use Test::More;
use Prodsync;
use Content;
use Faults;

set_up();
# What is compared sees each of these.
{
	my $as_is = content($uat);
	for ('UPDATE profile SET id = id + 100 WHERE id = 1', "UPDATE history SET what = what || ' ' WHERE id = 1", 'ALTER SEQUENCE invoice_number RESTART 21',
		'ALTER TABLE profile ENABLE TRIGGER always', 'ALTER TABLE customer ENABLE TRIGGER disabled', 'REVOKE UPDATE (notes) ON customer FROM small_tester', 'GRANT SELECT ON tenant TO small_tester',
		'ALTER TABLE ticket OWNER TO postgres', "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'membership_user_id_idx'::regclass", 'ALTER TABLE ticket DISABLE ROW LEVEL SECURITY',
		'DROP POLICY of_testers ON ticket', 'DROP RULE no_delete ON mail', 'ALTER TABLE customer ALTER segment DROP DEFAULT', 'DROP INDEX customer_tenant_id_idx',
		'ALTER TABLE membership DROP CONSTRAINT membership_user_id_fkey', 'ALTER TABLE customer DISABLE TRIGGER ALL', 'ALTER SEQUENCE invoice_number INCREMENT 2', 'CREATE VIEW more AS SELECT 1') {
		isnt(differs($as_is, content($uat, 'app', $_)), '', "seen: $_");
	}
	is(differs($as_is, content($uat)), '', 'and nothing where nothing is');
}

at_gate($_) for 'client killed, server busy', 'Ctrl-C', 'workers terminated', 'backend killed', 'source stopped', 'no disk space';
trial(name => 'E14: a check fails: a kept row has a key of production', exit => 6, says => qr/collision.*customer_email_key/,
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
