# Who needs which right, and whose rights code runs with: a refresh by a role that has nothing but sync_grant() on the target and SELECT on the
# source, over tables whose owner is curious.  What he writes is declared as immutable and called with constants, so that even a plan runs it.
use strict;
use warnings;
use Prodsync;
use Saas;
use Test::More;

my ($production, $uat) = clusters('production', 'uat');
load_saas($production, $uat);
$production->sql('CREATE ROLE readonly LOGIN', 'app');
$uat->sql(<<'SQL', 'app');
CREATE ROLE refresher LOGIN;
SELECT sync_grant('refresher');
CREATE ROLE curious;
GRANT CREATE ON SCHEMA public TO curious;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
DO $$
DECLARE r regclass;
BEGIN
	FOR r IN SELECT c.oid FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e') ORDER BY relkind = 'm' LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO curious', r);
	END LOOP;
END $$;
-- Everything that he tries goes into the server's log.
CREATE FUNCTION look(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	who text = 'nobody';
	held text = 'restricted';
BEGIN
	BEGIN who = current_user; EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN PERFORM set_config('role', 'none', false); held = 'changed its role'; EXCEPTION WHEN insufficient_privilege THEN NULL; END;
	RAISE LOG 'curious: % as %, superuser %, %, path %, in %', what, who, current_setting('is_superuser'), held, current_setting('search_path'), current_setting('application_name');
	RETURN what;
END $$;
CREATE FUNCTION look_at(what text, anything anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM public.look(what); RETURN true; END$$;
ALTER FUNCTION look(text) OWNER TO curious;
ALTER FUNCTION look_at(text, anyelement) OWNER TO curious;
SET SESSION AUTHORIZATION curious;
CREATE DOMAIN curious_text AS text CHECK (look_at('domain', VALUE));
ALTER TABLE apps_customers_customer ADD curious text DEFAULT look('default'), ADD twice text GENERATED ALWAYS AS (look('generated') || name) STORED, ADD of_domain curious_text DEFAULT 'x',
	ADD CHECK (look_at('check', name));
CREATE INDEX ON apps_customers_customer (id) WHERE look('index predicate') > '';
CREATE INDEX ON apps_customers_customer ((look('index expression') || name));
CREATE INDEX ON apps_tenants_tenant (id) WHERE look('index predicate of tenants') > '';
CREATE INDEX ON auth_user (id) WHERE look('index predicate of users') > '';
CREATE STATISTICS curious_statistics ON (look('statistics') || name), id FROM apps_customers_customer;
ALTER TABLE apps_customers_customer ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY curious ON apps_customers_customer USING (look_at('policy', id) AND false);
SQL
my $config = saas_config($production, $uat, source => 'readonly', target => 'refresher');
my @names = qw(--from production --to uat --config);
my $read = length $uat->log;
# What code of the owner ran since the last time, otherwise than it should: as its owner or as nobody, restricted, with the pinned path.
my %ran;
sub owner_only
{
	my ($name) = @_;
	my $log = substr $uat->log, $read;
	$read += length $log;
	my @lines = $log =~ /curious: (.*, in prodsync.*)/g;
	$ran{ /^(.*?) as / ? $1 : '' }++ for @lines;
	my @wrong = grep { !/ as (curious|nobody), superuser off, restricted, path pg_catalog, pg_temp, in / } @lines;
	ok(@lines && !@wrong, "$name: the owner's code runs as the owner") or diag map { "$_\n" } @lines ? @wrong : 'nothing ran';
	return;
}

# ---- the source: what is missing is a problem of the plan, all at once ----
my $refused = prodsync('plan', @names, $config);
is($refused->{exit}, 5, 'a source role without any right: problems of the plan') or diag $refused->{err};
like($refused->{err}, qr/ALTER ROLE readonly BYPASSRLS/, 'P15: row security, and what to type');
like($refused->{err}, qr/GRANT SELECT ON [^;]*apps_customers_customer[^;]* TO readonly/, 'P16: SELECT, and what to type');
$production->sql('GRANT SELECT ON ALL TABLES IN SCHEMA public TO readonly; ALTER ROLE readonly BYPASSRLS', 'app');

# ---- the whole way ----
my %kept = kept_rows($uat, 'app');
my %should = production_rows($production, 'app');
$read = length $uat->log;
my $plan = prodsync('plan', @names, $config);
is($plan->{exit}, 0, 'plan with EXECUTE only') or diag $plan->{err};
owner_only('plan');
my $sync = sync_saas($config);
is($sync->{exit}, 0, 'sync with EXECUTE only') or BAIL_OUT($sync->{err} =~ s{\n}{ }gr);
owner_only('sync');
unlike("$plan->{out}$plan->{err}$sync->{out}$sync->{err}", qr/test_acme|uat_admin/, 'no label of a row that the role may not read');
{
	same({ kept_rows($uat, 'app') }, \%kept, 'kept rows are as they were');
	my %now = replaced_rows($uat, 'app');
	delete $_->{apps_customers_customer} for \%now, \%should;    # has columns that production lacks
	same(\%now, \%should, 'all others are those of production, users and content types by natural key');
	is($uat->sql("SELECT count(*) FROM apps_customers_customer WHERE curious = 'default' AND twice = 'generated' || name", 'app'), $uat->sql('SELECT count(*) FROM apps_customers_customer', 'app'),
		'columns that only UAT has got their values');
}
for my $command ([qw(runs --to uat --config), $config], [qw(runs --last --to uat --config), $config], [qw(check --to uat --config), $config], [qw(clean --to uat --config), $config], ['tenants', @names, $config]) {
	my $run = prodsync(@$command);
	is($run->{exit}, 0, "$command->[0] with EXECUTE only") or diag "$run->{out}$run->{err}";
	like($run->{out}, qr/^uat: \d+ tenants, 2 kept\n.*replaced, which this role may not read/ms, 'tenants: the kept ones, and how many others') if $command->[0] eq 'tenants';
}
owner_only('runs, check, clean, tenants');

# ---- by hand ----
sub as_refresher { my ($sql) = @_; return $uat->psql("SET SESSION AUTHORIZATION refresher; SET application_name = 'prodsync by hand'; $sql", 'app') }
for my $call ('sync_check()', 'sync_tables()', 'sync_remap_users()', 'sync_reset_sequences()', 'sync_clear()') {
	my $run = as_refresher("SELECT count(*) > 0 FROM $call;");
	is($run->{out}, "t\n", "$call with EXECUTE only") or diag $run->{err};
	owner_only($call);
}
is($ran{$_} ? 'ran' : 'did not', 'ran', "$_: was tried")
	for 'check', 'default', 'domain', 'generated', 'index expression', 'index predicate', 'index predicate of tenants', 'index predicate of users', 'statistics';
ok(!$ran{policy}, 'no policy was asked');

# ---- what the role cannot do ----
my %attempts = (
	'read a table' => 'SELECT id FROM auth_user;',
	'read the private schema' => 'TABLE prodsync_work.run;',
	'write a table' => "UPDATE auth_user SET password = 'x';",
	'COPY out' => 'COPY auth_user TO STDOUT;',
	'COPY into a table' => "COPY auth_group (name) FROM STDIN;\nmine\n\\.\n",
	'COPY into the ledger' => "COPY prodsync_work.run_step FROM STDIN;\n\\.\n",
	'create in the private schema' => 'CREATE TABLE prodsync_work.mine ();',
	'give itself the label' => "SELECT sync_set_environment('uat', true);",
	'let others in' => "SELECT sync_grant('curious');",
);
for my $what (sort keys %attempts) {
	my $run = $uat->psql("\\set VERBOSITY sqlstate\nSET SESSION AUTHORIZATION refresher;\n$attempts{$what}", 'app');
	like($run->{err}, qr/ERROR:  42501/, "not with EXECUTE only: $what") or diag "$run->{out}$run->{err}";
}
# The configuration may not bring functions of the role's own to values that it may not read; with SELECT it may.
my $own = slurp($config) =~ s/keep: .*/keep: "public.look(schema_name) LIKE 'test%'"/r;
$refused = prodsync('plan', @names, file('own.yaml', $own));
is($refused->{exit}, 5, 'a condition with a function of somebody: a problem of the plan') or diag $refused->{err};
like($refused->{err}, qr/tenants\.keep.*GRANT SELECT \(schema_name, id\) ON public\.apps_tenants_tenant TO refresher;/s, 'with what to type');
is($uat->sql("SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper", 'app'), 'postgres', 'nobody became a superuser');
done_testing;
