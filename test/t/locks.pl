# The server's lock table at the boundary: where the plan says that it suffices, the refresh runs; where one session less has room, the plan refuses.
use strict;
use warnings;
use Content;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
my $schema = join '', map { "CREATE TABLE t$_ (id serial PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenant, what text UNIQUE, more text);\n" } 1 .. 60;
$_->sql("CREATE TABLE tenant (id serial PRIMARY KEY, schema_name text NOT NULL UNIQUE);\n$schema", 'app') for $production, $uat;
$production->sql("INSERT INTO tenant (schema_name) VALUES ('acme')" . join('', map { "; INSERT INTO t$_ (tenant_id, what) SELECT 1, g FROM generate_series(1, 50) g" } 1 .. 60) . '; ANALYZE', 'app');
$uat->sql("INSERT INTO tenant (schema_name) VALUES ('test_a')" . join('', map { "; INSERT INTO t$_ (tenant_id, what) VALUES (1, 'kept')" } 1 .. 60)
	. "; INSERT INTO tenant (schema_name) VALUES ('old'); ANALYZE; CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", 'app');
my $config = file('prodsync.yaml', environments() . <<'YAML');
tenants:
  table: tenant
  keep: "schema_name LIKE 'test\\_%'"
anonymize: {policy: none}
YAML
my @names = qw(--from production --to uat --config);
my $plan = prodsync('plan', @names, $config, '--format', 'json');
is($plan->{exit}, 0, 'a server with room enough') or diag $plan->{err};
my ($needed) = $plan->{out} =~ /"([\d,]+) locks at the switch/;
ok($needed, 'the plan says how many locks it takes') or BAIL_OUT($plan->{out});
$needed =~ s/,//g;

# Room is max_locks_per_transaction for each of max_connections + max_prepared_transactions + max_worker_processes.
sub with_room_for
{
	my ($sessions) = @_;
	return $uat->restart('max_locks_per_transaction=10', 'max_prepared_transactions=0', 'max_worker_processes=8', 'max_connections=' . ($sessions - 8), 'superuser_reserved_connections=0', 'max_wal_senders=0', 'wal_level=minimal');
}
my $enough = int(($needed + 9) / 10);
with_room_for($enough - 1);
my $before = content($uat);
my $refused = prodsync('sync', @names, $config, '--yes');
is($refused->{exit}, 5, "room for $needed locks, but for those of one session: refused") or diag $refused->{err};
my $shown = $needed =~ s/(\d)(\d{3})$/$1,$2/r;
like($refused->{err}, qr/$shown locks at the switch, the target's server has room for .*\n +max_locks_per_transaction = \d+ +# postgresql\.conf of the target, then restart it/, 'with the numbers and what to type');
is(differs($before, content($uat)), '', 'and nothing was changed');
with_room_for($enough);
my $done = prodsync('sync', @names, $config, '--yes');
is($done->{exit}, 0, "room for $needed locks: refreshed") or diag $done->{err};
like($done->{out} . $done->{err}, qr/$shown locks at the switch, the target's server has room for .*, which other sessions use too/, 'with a warning');
is($uat->sql(join(' + ', map { "(SELECT count(*) FROM t$_)" } 1 .. 60) =~ s/^/SELECT /r, 'app'), 60 * 51, 'all rows are there, the kept ones too');
done_testing;
