# The schema of a Sequelize application as it is (107 tables, enums, jsonb, mixed-case names; made-up rows): no tenants, no users
# that stay, so everything is production's afterwards.
use strict;
use warnings;
use JSON::PP;
use Prodsync;
use Test::More;

my $fixtures = shared_fixtures('mymoolah');
my $server = clusters('server');
for (['production', 'prod_data.sql'], ['uat', 'uat_data.sql']) {
	my ($db, $data) = @$_;
	$server->sql("CREATE DATABASE $db");
	$server->file($db, "$fixtures/schema.sql");
	$server->file($db, "$fixtures/$data");
	$server->sql('ANALYZE', $db);
}
$server->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'uat');
my $environments = "environments:\n  production: {dsn: \"${\ $server->dsn('production') }\"}\n  uat: {dsn: \"${\ $server->dsn('uat') }\"}\n";
my @names = qw(--from production --to uat --config);

# Every table of the schema: rows, and a digest of them as text, columns by name.  (json has no equality: text has.)
sub tables
{
	my ($db) = @_;
	my $statements = $server->sql(<<'SQL', $db);
SELECT format('SELECT %L, count(*) || '' rows, '' || coalesce(md5(string_agg(md5(r), '''' ORDER BY md5(r))), '''') FROM (SELECT ROW(%s)::text AS r FROM %s) AS t;',
	c.relname, string_agg(quote_ident(attname), ', ' ORDER BY attname), c.oid::regclass)
FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' GROUP BY c.oid ORDER BY c.relname;
SQL
	return map { split /\|/, $_, 2 } split /\n/, $server->sql("SET extra_float_digits = 3; SET TimeZone = 'UTC';\n$statements", $db);
}
sub differences { my ($a, $b) = @_; return join ' ', grep { $a->{$_} ne $b->{$_} } sort keys %$a }

# ---- C1: detection on all rows, against what people have labelled (the rules were made with a reduced copy of it: test/fixtures/detect) ----
my $detect = prodsync('detect', '--from', $server->dsn('production'), '--format', 'json');
is($detect->{exit}, 0, 'detect') or diag $detect->{err};
my %flagged = map { ("$_->{relation}.$_->{column_name}" => 1) } @{ decode_json($detect->{out})->{details} };
my (%count, @wrong);
for (split /\n/, Prodsync::slurp("$fixtures/pii_columns.tsv")) {
	my ($table, $column, undef, undef, $level) = split /\t/;
	next unless $level eq 'definite' || $level eq 'trap';
	my $is = $flagged{"$table.$column"} ? 1 : 0;
	$count{$level}{$is}++;
	push @wrong, "$level $table.$column" if $is != ($level eq 'definite');
}
my $hits = $count{definite}{1} // 0;
my $recall = $hits / ($hits + ($count{definite}{0} // 0));
my $precision = $hits / ($hits + ($count{trap}{1} // 0));
diag sprintf 'detection on %d labelled columns: recall %.3f, precision %.3f; detect took %.2f s for 107 tables', $hits + ($count{definite}{0} // 0) + ($count{trap}{0} // 0) + ($count{trap}{1} // 0), $recall, $precision, $detect->{seconds};
cmp_ok($recall, '>=', 0.95, 'C1: recall') or diag "@wrong";
cmp_ok($precision, '>=', 0.9, 'C1: precision') or diag "@wrong";
my $shown = $detect->{out} . prodsync('detect', '--from', $server->dsn('production'))->{out};
is(join(' ', grep { index($shown, $_) >= 0 } map { /\tstrong\t(.{6,})$/ ? $1 : () } split /\n/, Prodsync::slurp("$fixtures/prod_pii_values.tsv")), '', 'C1: no value of it is shown');

# ---- the rules that are suggested are rules that the plan takes (foreign keys over texts, unique and short columns) ----
{
	local $ENV{PRODSYNC_KEY} = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
	# A CHECK that allows two forms, where the unique key wants more than any strategy that keeps one of them gives: a person's to decide.
	my $number = q{CASE WHEN msisdn LIKE '+%' THEN '+999' || lpad(id::text, 9, '0') ELSE 'NON_MSI_' || id END};
	my $bare = $environments . "tables:\n  \"SequelizeMeta\": {mode: keep}\nanonymize:\n  tables:\n    beneficiaries:\n      - {column: msisdn, strategy: sql, expression: \"$number\"}\n";
	my ($written, $accepted) = (file('written.yaml', $bare), file('accepted.yaml', $bare));
	is(prodsync('detect', '--from', 'production', '--config', $written, '--write')->{exit}, 0, 'detect --write');
	my $taken = prodsync('plan', @names, $written);
	unlike($taken->{err}, qr/mask|reference|unique|too short/, 'no problem with a suggested rule') or diag $taken->{err};
	my $all = prodsync('plan', '--accept', @names, $accepted);
	is($all->{exit}, 0, 'plan --accept leaves nothing in the way') or diag $all->{err};
	my $rules = () = slurp($accepted) =~ /^ +- \{column/mg;
	cmp_ok($rules, '>', 500, "its $rules rules");
}

my %production = tables('production');
my %before = tables('uat');
my $schema = execute('pg_dump', '-s', '-d', $server->dsn('uat'))->{out} =~ s/^\\(un)?restrict .*//gmr;
is(keys %production, 107, 'all tables are there');
my @differing = split / /, differences(\%production, \%before);
cmp_ok(@differing, '>', 30, 'and their content differs at first');

# ---- C4, P5: known tables without a mode are an error, with what to write ----
my $yaml = $environments . "anonymize: {policy: none}\n";
my $config = file('bare.yaml', $yaml);
my $plan = prodsync('plan', @names, $config);
is($plan->{exit}, 5, 'SequelizeMeta without a mode: the plan says no');
like($plan->{err}, qr/SequelizeMeta/, 'and names it');
is(prodsync('sync', @names, $config, '--yes')->{exit}, 5, 'so does sync');
is(differences({ tables('uat') }, \%before), '', 'and nothing changed');
my $json = prodsync('plan', @names, $config, '--format', 'json');
is($json->{exit}, 5, 'the same as JSON');
like($json->{out}, qr/"fix"\s*:\s*"[^"]*SequelizeMeta[^"]*keep/, 'problems have their fix');

# The lines to paste: those below "tables:" that look like one.
my @lines = map { /^\s+("?[\w.*]+"?:\s*\{mode: \w+\})/ ? "  $1" : /under tables:\s*(\S+: \{mode: keep\})/ ? "  $1" : () } split /\n/, $plan->{err};
cmp_ok(scalar @lines, '>=', 1, 'there are lines to paste') or diag $plan->{err};
$config = file('pasted.yaml', $yaml . join("\n", 'tables:', do { my %seen; grep { !$seen{$_}++ } @lines }) . "\n");
$plan = prodsync('plan', @names, $config, '--all');
is($plan->{exit}, 0, 'with the lines pasted, nothing stands in the way') or diag $plan->{err};
my %keep = map { /"?([\w.*]+)"?: \{mode: keep/ ? ($1 => 1) : () } @lines;
is(join(' ', sort keys %keep), 'SequelizeMeta', 'and they keep no more than that');

# ---- the refresh ----
my $sync = prodsync('sync', @names, $config, '--yes', '--format', 'json');
is($sync->{exit}, 0, 'sync') or diag $sync->{err}, $sync->{out};
my %after = tables('uat');
my %expected = map { $_ => ($keep{$_} ? \%before : \%production)->{$_} } keys %production;
is(differences(\%after, \%expected), '', "every table's rows are production's: counts, enums, jsonb, all as text");
my %rows = map { $_ => $after{$_} =~ /^(\d+) rows/ } keys %after;
is(join(' ', grep { $rows{$_} != ($expected{$_} =~ /^(\d+)/)[0] } sort keys %rows), '', 'E1: every row count');
my ($reported) = $sync->{out} =~ /"total_rows"\s*:\s*(\d+)/;
my $copied = 0;
$copied += $rows{$_} for grep { !$keep{$_} } keys %rows;
is($reported, $copied, 'total_rows counts what is there');
is($server->sql('SELECT count(*) FROM sync_check() WHERE NOT ok', 'uat'), 0, 'sync_check');
is(execute('pg_dump', '-s', '-d', $server->dsn('uat'))->{out} =~ s/^\\(un)?restrict .*//gmr, $schema, 'pg_dump -s before and after');
# without tenants sequences go on at max + 1
is($server->sql(<<'SQL', 'uat'), '', 'sequences go on right above the largest id');
CREATE FUNCTION pg_temp.behind(s regclass, t regclass, c name) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE result boolean; BEGIN
	EXECUTE format('SELECT (SELECT last_value + is_called::integer FROM %s) <> coalesce((SELECT max(%I) FROM %s), 0) + 1', s, c, t) INTO result; RETURN result; END$$;
SELECT s.oid::regclass FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace AND pg_temp.behind(s.oid, d.refobjid, a.attname);
SQL

# ---- again ----
is(prodsync('sync', @names, $config, '--yes')->{exit}, 0, 'S10: again, with nothing changed');
is(differences({ tables('uat') }, \%after), '', 'S10: nothing is different');

done_testing;
