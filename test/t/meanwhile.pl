# What can happen on both sides between the first moment of a refresh and its switch, and after it: refreshes that are stopped at
# a certain moment.  Each either goes in, or the refresh says what was in its way and the target is what it was.
use strict;
use warnings;
use Test::More;
use Time::HiRes 'time';
use List::Util 'max';
use Prodsync;
use Gate;

my ($production, $uat) = saas(uat => [ 'autovacuum_naptime=1s', 'log_autovacuum_min_duration=0' ]);
{
	my $run = refresh();
	is($run->{exit}, 0, 'a refresh to begin with') or diag $run->{err};
}

# Refreshes up to the gate, does something, lets it go on.
sub meanwhile
{
	my ($do) = @_;
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	$do->($run);
	$gate->query('COMMIT');
	return $run->wait;
}
sub unchanged
{
	my ($name, $exit, $message, $do, $undo) = @_;
	my $before;
	my $run = meanwhile(sub { $do->(@_); $before = digest($uat) });
	is($run->{exit}, $exit, "$name: exit $exit") or diag $run->{err};
	like($run->{err}, $message, "$name: says so");
	is_unchanged($uat, $before, "$name: nothing was changed, no shadow is left");
	$undo->() if $undo;
	return $run;
}

{
	my $run = meanwhile(sub {
		$uat->sql(<<'SQL', 'app');
WITH t AS (
	INSERT INTO apps_tenants_tenant (schema_name, slug, name, is_active, created_on, plan_id, country_id, owner_id)
	SELECT 'test_new', 'test-new', 'Test New', true, now(), p.id, c.id, u.id FROM core_plan p, core_country c, auth_user u
	 WHERE p.code = 'pro' AND iso_code = 'DE' AND username = 'tester1' RETURNING id, country_id)
INSERT INTO apps_customers_customer (name, email, phone, notes, created_at, updated_at, tenant_id, country_id)
SELECT 'New customer ' || g, 'new' || g || '@example.com', '', 'new', now(), now(), id, country_id FROM t, generate_series(1, 5) g;
SQL
	});
	is($run->{exit}, 0, 'S1: refreshed') or diag $run->{err};
	is($uat->sql("SELECT count(*), count(DISTINCT t.id), min(iso_code), min(c.id) >= 1000000000 FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = tenant_id
		JOIN core_country l ON l.id = c.country_id WHERE schema_name = 'test_new'", 'app'), '5|1|DE|t', 'S1: a tenant made during the load is kept, with its rows');
}

# S2: nobody references the user, so that he can be deleted; the refresh has given him production's rows already.
{
	$uat->sql("INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
		VALUES ('!', false, 'leaving', '', '', '', false, true, now())", 'app');
	config([ qr/uat_admin/ => 'leaving' ]);
	my $run = unchanged('S2, the fallback user is deleted', 6, qr/foreign key|auth_user/, sub { $uat->sql("DELETE FROM auth_user WHERE username = 'leaving'", 'app') });
	unlike($run->{err}, qr/s_\d+_\d+/, 'S2: named as it is called, not as a shadow');
	config();
}

# S3: every table that is refreshed looks as before, or does not.
unchanged('S3, a table', 4, qr/schema/, sub { $uat->sql('CREATE TABLE meanwhile (id int PRIMARY KEY)', 'app') }, sub { $uat->sql('DROP TABLE meanwhile', 'app') });
unchanged('S3, a foreign key', 4, qr/schema/, sub { $uat->sql('CREATE TABLE meanwhile (code text REFERENCES gate)', 'app') }, sub { $uat->sql('DROP TABLE meanwhile', 'app') });
unchanged('S3, a foreign key between tables that were there', 4, qr/schema/, sub { $uat->sql('ALTER TABLE gate_copy ADD CONSTRAINT meanwhile FOREIGN KEY (code) REFERENCES gate', 'app') },
	sub { $uat->sql('ALTER TABLE gate_copy DROP CONSTRAINT meanwhile', 'app') });
unchanged('S3, a column', 4, qr/schema/, sub { $uat->sql('ALTER TABLE apps_crm_tag ADD COLUMN meanwhile int', 'app') },
	sub { $uat->sql('ALTER TABLE apps_crm_tag DROP COLUMN meanwhile', 'app') });
unchanged('S3, a policy', 4, qr/schema/, sub { $uat->sql('CREATE POLICY meanwhile ON apps_finance_bankaccount USING (false)', 'app') },
	sub { $uat->sql('DROP POLICY meanwhile ON apps_finance_bankaccount', 'app') });
# Its subscriber would see nothing of the switch, and go on with rows that are gone.
unchanged('S3, a publication', 4, qr/schema/, sub { $uat->sql('CREATE PUBLICATION meanwhile FOR TABLE apps_crm_tag', 'app') }, sub { $uat->sql('DROP PUBLICATION meanwhile', 'app') });
unchanged('S3, a publication of everything', 4, qr/schema/, sub { $uat->sql('CREATE PUBLICATION meanwhile FOR ALL TABLES', 'app') }, sub { $uat->sql('DROP PUBLICATION meanwhile', 'app') });
is(meanwhile(sub { $uat->sql($_, 'app') for 'VACUUM FULL apps_crm_tag', 'REINDEX TABLE apps_crm_tag', 'ANALYZE' })->{exit}, 0,
	'S3: what only maintains is no change');

# ---- locks that somebody holds ----
{
	my $holder = begin($uat, 'SELECT count(*) FROM apps_sales_invoice');
	my $reader = file('reader.sql', "SELECT count(*) FROM apps_sales_invoice;\n\\sleep 5 ms\n");
	my $reads = Prodsync::start('', 'pgbench', '-n', '-M', 'prepared', '-T', 600, '-f', $reader, '-l', "--log-prefix=$reader.log", $uat->dsn('app'));
	my $run = start_refresh();
	ok(wait_until(60, sub { $run->err =~ /^switch: .*apps_sales_invoice is in use.*pid $holder->{backend} \(.*psql/m }), 'a lock that is held: the holder is named')
		or diag $run->err;
	ok(wait_until(30, sub { $run->running && watch($uat, "SELECT count(*), min(state) FROM pg_stat_activity WHERE application_name = 'prodsync'") eq '1|idle' }),
		'it gives way and waits outside of a transaction');
	is(sessions($production), 0, "nothing of production's is held meanwhile");
	$holder->query('COMMIT');
	my $done = $run->wait;
	is($done->{exit}, 0, 'it goes on when the holder ends; the load was not lost') or diag $done->{err};
	like($done->{out}, qr/at try \d/, 'more than one try');
	$reads->signal('ALRM');
	is($reads->wait->{exit}, 0, 'no reader had an error');
	my @waits = sort { $b <=> $a } map { (split ' ')[2] / 1000 } split /\n/, slurp((glob "$reader.log*")[0]);
	note "the readers' longest waits: @waits[0 .. 4] ms";
	cmp_ok($waits[1], '<', 1000, 'other readers of the table wait no longer than a try');
}
{
	config([ lock_wait => '300ms' ]);
	my $holder = begin($uat, 'SELECT count(*) FROM apps_sales_invoice');
	my $before = digest($uat);
	my $run = refresh();
	is($run->{exit}, 4, 'lock_wait over: exit 4') or diag $run->{err};
	like($run->{err}, qr/error: .*apps_sales_invoice is in use, by pid $holder->{backend} \(postgres, psql, idle in transaction\).*not changed/, 'the holder is named');
	is_unchanged($uat, $before, 'nothing was changed, the load is gone');

	config([ lock_wait => '300ms' ], [ on_lock => 'cancel' ]);
	$holder->query('COMMIT');
	$holder->send('SELECT pg_sleep(600) FROM apps_sales_invoice LIMIT 1');
	$run = refresh();
	is($run->{exit}, 0, 'on_lock: cancel ends the statement that is in the way') or diag $run->{err};
	$holder->receive;
	like($holder->error, qr/canceling statement due to user request/, 'it was canceled, its session not ended');
	config();
}
{
	# An autovacuum that takes for ever.
	$uat->sql('ALTER TABLE apps_customers_customer SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)', 'app');
	$uat->sql('UPDATE apps_customers_customer SET updated_at = now()', 'app');
	my $vacuum = waiting_for($uat, "backend_type = 'autovacuum worker' AND query LIKE '%apps_customers_customer%'");
	config([ lock_wait => '20s' ]);
	my $run = refresh();
	config();
	is($run->{exit}, 0, 'S7: an autovacuum gives way to the tries') or diag $run->{err};
	like($uat->log, qr/\[$vacuum\].*canceling autovacuum task/, 'S7: that autovacuum');
	$uat->sql('ALTER TABLE apps_customers_customer RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit)', 'app');
}

# ---- production meanwhile ----
{
	# Some tables are read by now, others are not.
	my $run = meanwhile(sub { $production->sql(<<'SQL', 'app') });
BEGIN;
INSERT INTO gate_copy VALUES ('late', 'too late');
DELETE FROM apps_tickets_comment;
DELETE FROM apps_tickets_ticket_watchers;
DELETE FROM apps_tickets_ticket;
UPDATE apps_tenants_tenant SET name = 'too late';
COMMIT;
SQL
	is($run->{exit}, 0, 'E7: refreshed while production is written to') or diag $run->{err};
	is($uat->sql('SELECT (SELECT count(*) FROM gate_copy), (SELECT count(*) > 300 FROM apps_tickets_ticket), (SELECT count(*) > 600 FROM apps_tickets_comment)', 'app'),
		'0|t|t', "E7: all of it is of the first moment");
	is($uat->sql("SELECT count(*) FROM apps_tenants_tenant WHERE name = 'too late'", 'app'), 0, 'E7: no row is newer');
	my $gate = gate($production);
	my $later = start_refresh();
	at_gate($production);
	$gate->query("UPDATE gate SET note = 'too late'; INSERT INTO gate VALUES ('late'); DELETE FROM gate WHERE code = '1'");
	$gate->query('COMMIT');
	is($later->wait->{exit}, 0, 'E7: a table changed while it waits to be read');
	is($uat->sql('SELECT count(*), min(note), max(note) FROM gate', 'app'), '100|of the first moment|of the first moment', 'E7: is read as it was');
}
for my $case ([ truncated => 'TRUNCATE gate' ], [ rewritten => 'CLUSTER gate USING gate_pkey' ]) {
	my ($name, $sql) = @$case;
	my $before = digest($uat);
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	$gate->query($sql);
	$gate->query('COMMIT');
	my $done = $run->wait;
	is($done->{exit}, 1, "S6: a table that is $name while it waits to be read: exit 1") or diag $done->{err};
	like($done->{err}, qr/^prodsync: error: gate of production was truncated or rewritten.*\n  hint: .*run the refresh again/m, 'S6: named, and what to do');
	is_unchanged($uat, $before, 'S6: nothing was changed');
}
{
	my $before = digest($uat);
	# The refresh queues behind the vacuum, and this behind a reader.
	my $blocker = begin($production, 'SELECT count(*) FROM gate');
	my $vacuum = $production->session('app');
	$vacuum->send('VACUUM FULL gate');
	waiting_for($production, "query LIKE 'VACUUM FULL%' AND wait_event_type = 'Lock'");
	my $run = start_refresh();
	at_gate($production);
	$blocker->query('COMMIT');
	is($run->wait->{exit}, 1, 'S6: VACUUM FULL rewrites too');
	is_unchanged($uat, $before, 'S6: nothing was changed');
	$vacuum->receive;
}

# ---- lost sessions ----
{
	my $before = digest($uat);
	my $gate = gate($production);
	my $run = start_refresh();
	my $loader = at_gate($production);
	# Neither can the clean-up be done: the session it would use is gone, and nobody gets a new one.
	$uat->sql('ALTER DATABASE app ALLOW_CONNECTIONS false');
	$uat->sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareUpdateExclusiveLock'");
	$production->sql("SELECT pg_terminate_backend($loader)");
	my $done = $run->wait;
	$uat->sql('ALTER DATABASE app ALLOW_CONNECTIONS true');
	is($done->{exit}, 1, 'E9: exit 1');
	like($done->{err}, qr/^prodsync: error: (production ended our session|lost the connection to production)$/m, "E9: the first error is told, not the clean-up's");
	is(scalar(() = $done->{err} =~ /error:/g), 1, 'E9: and only this');
	like($done->{err}, qr/hint: .*dropped by the next run, or by prodsync clean/, 'E9: what is left is dropped later');
	$gate->query('COMMIT');
	my $clean = prodsync('clean', '--to', 'uat', '--config', config());
	is($clean->{exit}, 0, 'prodsync clean') or diag $clean->{err};
	is_unchanged($uat, $before, 'nothing was changed, and clean has dropped what was left');
}
{
	my $before = digest($uat);
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	$run->signal('STOP');
	my $number = $uat->sql("SELECT max(run) FROM sync_runs WHERE status = 'started'", 'app');
	1 while $uat->sql("SELECT sync_discard($number, 'given up')", 'app');
	is_unchanged($uat, $before, 'S9: a run that is discarded from outside is gone');
	$gate->query('COMMIT');
	$run->signal('CONT');
	my $done = $run->wait;
	like($done->{exit}, qr/^[14]$/, 'S9: its client finds out');
	is_unchanged($uat, $before, 'S9: and none of its workers left anything');
	is($uat->sql("SELECT status, reason FROM sync_runs WHERE run = $number", 'app'), 'failed|given up', 'S9: the ledger says who ended it');
}
for my $way ('pg_terminate_backend', 'kill -9') {
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	# From now on no COMMIT is answered, though it is done: a standby that is not there would have to confirm it.
	$uat->sql($_) for "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", 'SELECT pg_reload_conf()';
	$gate->query('COMMIT');
	my $committing = "application_name = 'prodsync' AND wait_event = 'SyncRep'";
	my $pid = waiting_for($uat, $committing);
	if ($way eq 'kill -9') { kill 'KILL', $pid }
	else { $uat->sql("SELECT pg_terminate_backend($pid)") }
	# It has found out, and goes on to what follows.
	waiting_for($uat, "$committing AND pid <> $pid");
	my $session = $uat->session('app');
	$session->query('SET synchronous_commit = off');
	$session->query($_) for 'ALTER SYSTEM RESET synchronous_standby_names', 'SELECT pg_reload_conf()';
	my $done = $run->wait;
	is($done->{exit}, 0, "S8: the connection dies in COMMIT ($way), and the client finds out that it was done") or diag $done->{err};
	is($uat->sql("SELECT status FROM sync_runs ORDER BY run DESC LIMIT 1", 'app'), 'done', 'S8: the ledger agrees');
	is($uat->sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relname ~ '^s_[0-9]'", 'app'), 0, 'S8: the old storage was dropped');
}

# ---- a right is granted beside the switch: that changes the table's row of the catalog and locks nothing else ----
{
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	my $grant = begin($uat, 'GRANT SELECT ON apps_customers_customer TO pg_monitor');
	$gate->query('COMMIT');
	waiting_for($uat, "application_name = 'prodsync' AND wait_event_type = 'Lock' AND wait_event = 'transactionid'");
	$grant->query('COMMIT');
	my $done = $run->wait;
	is($done->{exit}, 0, 'GRANT beside the switch: tried again') or diag $done->{err};
	is($uat->sql("SELECT has_table_privilege('pg_monitor', 'apps_customers_customer', 'SELECT')", 'app'), 't', 'and the right is there');
}

# ---- a database whose defaults are not the server's ----
{
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	$run->signal('KILL');
	$run->wait;
	$gate->query('COMMIT');
	$uat->sql("ALTER DATABASE app SET $_") for 'default_transaction_isolation = serializable', 'default_transaction_read_only = on';
	for my $command ('check', 'runs', 'clean') {
		my $done = prodsync($command, '--to', 'uat', '--config', config());
		is($done->{exit}, 0, "$command where transactions are serializable and read only by default") or diag $done->{err};
	}
	$uat->sql("SET default_transaction_read_only = off; ALTER DATABASE app RESET ALL", 'app');
	is($uat->sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relname ~ '^s_[0-9]'", 'app'), 0, 'what the killed client left is gone');
}

# ---- memory ----
{
	# Measured when all is loaded, while it waits for its locks.
	my @peaks;
	for my $rows (1, 200_000) {
		$production->sql("INSERT INTO gate_copy SELECT 'big' || g, repeat(md5(g::text), 16) FROM generate_series(1, $rows) g ON CONFLICT DO NOTHING", 'app');
		my $holder = begin($uat, 'SELECT count(*) FROM apps_sales_invoice');
		my $run = start_refresh();
		wait_until(120, sub { $run->err =~ /^switch: /m }) // die $run->err;
		push @peaks, slurp("/proc/$run->{pid}/status") =~ /VmHWM:\s+(\d+) kB/;
		$holder->query('COMMIT');
		is($run->wait->{exit}, 0, "E19: refreshed with a table of $rows rows");
	}
	is($uat->sql('SELECT count(*) FROM gate_copy', 'app'), 200_001, 'E19: all of it');
	note "E19: peak of the client: @peaks kB";
	cmp_ok($peaks[1], '<', 64 * 1024 + $peaks[0], 'E19: memory does not grow with the table (100 MB of rows)');
	cmp_ok($peaks[1], '<', 128 * 1024, 'E19: memory is small');
}

done_testing;
