# Nobody who uses the target is disturbed by a refresh: no error, no lost write, all old or all new.  (meanwhile.pl: what they may do meanwhile.)
use strict;
use warnings;
use Test::More;
use List::Util 'max';
use Prodsync;
use Gate;

my ($production, $uat) = saas(scale => 2);
my $kept = q{schema_name LIKE 'test\_%'};

# ---- the first refresh, and what S4 is about ----
{
	my $before = $uat->sql("SELECT p.theme, p.options, u.username, t.schema_name FROM apps_tenants_preference p JOIN auth_user u ON u.id = user_id
		JOIN apps_tenants_tenant t ON t.id = tenant_id WHERE $kept ORDER BY username", 'app');
	$production->sql("INSERT INTO gate_preference SELECT u.username, p.id FROM apps_tenants_preference p JOIN auth_user u ON u.id = p.user_id
		WHERE username IN ('alice.martin', 'bob.keller')", 'app');
	my $run = refresh();
	is($run->{exit}, 0, 'the first refresh') or diag $run->{err};
	is($uat->sql("SELECT p.theme, p.options, u.username, t.schema_name FROM apps_tenants_preference p JOIN auth_user u ON u.id = user_id
		JOIN apps_tenants_tenant t ON t.id = tenant_id WHERE $kept ORDER BY username", 'app'), $before, 'S4: the kept rows win');
	is($uat->sql("SELECT count(*) FROM apps_tenants_preference p JOIN apps_tenants_tenant t ON t.id = p.tenant_id WHERE NOT $kept", 'app'), '1',
		"S4: of production's rows only the one comes in that equals none");
	is($uat->sql("SELECT g.code, u.username, $kept FROM gate_preference g JOIN apps_tenants_preference p ON p.id = preference_id
		JOIN auth_user u ON u.id = p.user_id JOIN apps_tenants_tenant t ON t.id = p.tenant_id ORDER BY 1", 'app'),
		"alice.martin|alice.martin|t\nbob.keller|bob.keller|f", 'S4: references to what gave way move to the kept row');
	like($run->{out}, qr/2 rows of the source gave way to kept rows.*apps_tenants_preference_user_id_key/, 'S4: and it is told');
	$_->sql('DELETE FROM gate_preference', 'app') for $production, $uat;
}

# ---- sessions at work ----
# pgbench prepares each statement once and executes it through the extended protocol, as drivers do.  It ends with its first error.
sub load
{
	my ($name, $pause, @statements) = @_;
	my $script = file("$name.sql", join('', map { "$_;\n" } @statements) . "\\sleep $pause ms\n");
	(my $log = $script) =~ s/sql$/log/;
	return { log => $log, process => Prodsync::start('', 'pgbench', '-n', '-M', 'prepared', '-c', 1, '-T', 600, '-f', $script, '-l', "--log-prefix=$log", $uat->dsn('app')) };
}
sub end
{
	my ($load) = @_;
	$load->{process}->signal('ALRM');          # as if its time were over: it finishes its transaction and sums up
	my $done = $load->{process}->wait;
	my ($count) = $done->{out} =~ /actually processed: (\d+)/;
	my @waits = map { (split ' ')[2] / 1000 } split /\n/, slurp((glob "$load->{log}*")[0]);
	return { ok => $done->{exit} == 0 && $count, count => $count // 0, longest => max(0, @waits), err => join('', grep { /error|ERROR/ } split /^/m, $done->{err}) };
}

my @tables = split /\n/, $uat->sql("SELECT oid::regclass FROM pg_class c WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace ORDER BY relname", 'app');
cmp_ok(scalar @tables, '>', 55, 'there are tables to read');
my $old_or_new = "SELECT 1 / (count(DISTINCT g) = 1)::integer FROM (
	SELECT DISTINCT t.name FROM apps_tenants_tenant t WHERE NOT $kept
	UNION ALL SELECT DISTINCT c.notes FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = c.tenant_id WHERE NOT $kept
	UNION ALL SELECT DISTINCT i.status FROM apps_sales_invoice i JOIN apps_tenants_tenant t ON t.id = i.tenant_id WHERE NOT $kept) AS x(g)";
my $kept_there = "SELECT 1 / (count(*) = 6)::integer FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = c.tenant_id
	WHERE $kept AND c.name LIKE 'Test customer %' AND t.schema_name <> 'test_new'";
sub generation
{
	my ($n) = @_;
	$production->sql("UPDATE apps_tenants_tenant SET name = 'gen $n'; UPDATE apps_customers_customer SET notes = 'gen $n'; UPDATE apps_sales_invoice SET status = 'gen $n'", 'app');
}
{
	my ($customer, $tenant) = ("name = 'Test customer 2'", "(SELECT id FROM apps_tenants_tenant WHERE schema_name = 'test_acme')");
	$tenant = $uat->sql("SELECT schema_name FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = tenant_id WHERE c.$customer", 'app');
	$tenant = "(SELECT id FROM apps_tenants_tenant WHERE schema_name = '$tenant')";
	generation(0);
	is(refresh()->{exit}, 0, 'a generation to begin with');
	$uat->sql("UPDATE apps_customers_customer SET credit_limit = 0 WHERE $customer", 'app');
	my $logged = $uat->sql('SELECT count(*) FROM apps_activity_log WHERE verb = $$tested$$', 'app');
	my @readers = (
		load('all_tables', 5, map { "SELECT count(*), max(length(t::text)) FROM $_ t" } @tables),
		load('old_or_new', 5, $old_or_new),
		load('kept_there', 1, $kept_there));
	my @writers = (
		load('counter', 20, "UPDATE apps_customers_customer SET credit_limit = credit_limit + 1 WHERE $customer AND tenant_id = $tenant"),
		load('appended', 20, "INSERT INTO apps_activity_log (verb, happened_at, address, detail, tenant_id)
			SELECT 'tested', now(), '192.0.2.1', '{}', id FROM apps_tenants_tenant WHERE id = $tenant"),
		load('both', 20, 'BEGIN', "UPDATE apps_tenants_setting SET updated_at = now() WHERE tenant_id = $tenant", "UPDATE apps_tickets_ticket SET closed_at = now() WHERE title = 'Test ticket 2'", 'COMMIT'));
	for my $n (1 .. 3) {
		generation($n);
		my $run = refresh();
		is($run->{exit}, 0, "refresh $n beside readers and writers") or diag $run->{err};
	}
	my $longest = 0;
	for (@readers, @writers) {
		my ($name) = $_->{log} =~ m{([^/]+)\.log$};
		my $load = end($_);
		ok($load->{ok}, "$name: no error in $load->{count} transactions") or diag $load->{err};
		cmp_ok($load->{longest}, '<', 5000, "$name: waited at most $load->{longest} ms") if $name ne 'all_tables';
		note "$name: $load->{count} transactions, the longest took $load->{longest} ms";
		$_->{count} = $load->{count};
	}
	is($uat->sql("SELECT credit_limit::bigint FROM apps_customers_customer WHERE $customer", 'app'), $writers[0]{count}, 'no write is lost: the counter is exact');
	is($uat->sql("SELECT count(*) - $logged FROM apps_activity_log WHERE verb = 'tested'", 'app'), $writers[1]{count}, 'no write is lost: every row is there');
	is($uat->sql("SELECT DISTINCT name FROM apps_tenants_tenant WHERE NOT $kept", 'app'), 'gen 3', "production's tenants are the last generation's");
}

done_testing;
