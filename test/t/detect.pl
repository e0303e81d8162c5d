# Detection from end to end: detect alone, strict with what is inside of columns, rules written into the file, the list accepted. What was
# sampled is seen nowhere: not in what the client prints, not on the target.
use strict;
use warnings;
use Prodsync;
use Test::More;

my ($production, $uat) = clusters('production', [uat => 'log_statement=all', 'log_min_messages=debug1']);
$_->sql('CREATE DATABASE app') for $production, $uat;
$ENV{PRODSYNC_SOURCE} = $production->dsn('app');
$ENV{PRODSYNC_TARGET} = $uat->dsn('app');
$ENV{PRODSYNC_KEY} = 'a1' x 31 . 'b2';
my $raw = 'zq5raw';        # in every value that is personal
my $schema = <<'SQL';
CREATE TABLE customers (id integer PRIMARY KEY, full_name text, email text UNIQUE, segment text);
CREATE TABLE imports (id integer PRIMARY KEY, a text, b jsonb, c text, born date, label text, k jsonb);
CREATE TABLE locked (id integer PRIMARY KEY, note text);
CREATE TABLE secret (id integer PRIMARY KEY, x text);
SQL
$_->sql($schema, 'app') for $production, $uat;
$production->sql(<<SQL, 'app');
INSERT INTO customers SELECT i, 'Anna ${raw}', '$raw' || i || '\@leak.test', 'gold' FROM generate_series(1, 50) i;
INSERT INTO imports SELECT i, '$raw' || i || '\@leak.test', jsonb_build_object('rows', jsonb_build_array(jsonb_build_object('to', '$raw' || i || '\@leak.test'))),
	CASE i WHEN 7 THEN 'ask $raw\@leak.test for the rest' ELSE 'nothing of note' END, NULL, 'thing ' || i, jsonb_build_object('$raw' || i || '\@leak.test', i) FROM generate_series(1, 50) i;
COMMENT ON COLUMN imports.label IS 'PII: $raw in words';
INSERT INTO locked VALUES (1, 'x');
INSERT INTO secret VALUES (1, '$raw\@leak.test');
CREATE ROLE reader LOGIN;
GRANT SELECT ON customers, imports, locked TO reader;
ANALYZE;
SQL
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
my $head = environments();
my @all_output;
sub run { my $done = prodsync(@_); push @all_output, $done->{out}, $done->{err}; return $done }
my @detect = qw(detect --from production --config);
my @names = qw(--from production --to uat --config);

# ---- detect: production alone ----
my $file = file('prodsync.yaml', "# our refresh\n${head}# masking\nanonymize:\n  policy: strict    # the default\n  tables:\n    customers:   # people\n      - {column: segment, strategy: none}  # looked at\n\n# the end\n");
my $before = Prodsync::slurp($file);
$uat->stop;
my $found = run(@detect, $file);
is($found->{exit}, 0, 'detect needs no target') or diag $found->{err};
like($found->{out}, qr/customers +email +e-mail address +1\.00 +its name; 50 of 50 samples are e-mail addresses +\{column: email, strategy: email\}/, 'name and content');
like($found->{out}, qr/imports +a +e-mail address +0\.97 +50 of 50 samples/, 'C1: content alone, in a column that could be anything');
like($found->{out}, qr/imports +b +personal data in JSON .*\$\.rows\[\*\]\.to \(e-mail address\) +\{column: b, path: "\$\.rows\[\*\]\.to", strategy: email\}/, 'M10: inside of JSON, by its path, with a rule for it');
like($found->{out}, qr/imports +k +personal data in JSON .*\$ \(keys\) \(e-mail address\) +none fits jsonb/, 'names of members that are data themselves: nothing masks them');
like($found->{out}, qr/imports +c +personal data in text .* 1 of 50 samples have e-mail addresses in their text/, 'one row of text');
like($found->{out}, qr/imports +born +date of birth +0\.90 +its name +\{column: born, strategy: date_shift\}/, 'a column without a value, by its name');
like($found->{out}, qr/imports +label +personal +0\.90 +its comment/, 'by its comment');
like($found->{out}, qr/production: 9 columns look personal\n/, 'and no others') or diag $found->{out};
my $json = run(@detect, $file, '--format', 'json');
my ($leaf) = $json->{out} =~ /"leaves"\s*:\s*\[(\{[^\]]*"path"[^}]*\})/;
like($leaf // '', qr/"path"\s*:\s*"\$\.rows\[\*\]\.to"/, 'JSON has the paths');
like($json->{out}, qr/"column_name"\s*:\s*"a"[^}]*"confidence"\s*:\s*0\.97|"confidence"\s*:\s*0\.97[^}]*/, 'and numbers');
unlike(run(@detect, $file, '--min-confidence', '0.95')->{out}, qr/imports +born/, '--min-confidence');
is(run(@detect, $file, '--min-confidence', '2')->{exit}, 2, 'out of range: a usage error');
is(run('detect', '--config', $file)->{exit}, 2, 'no source: a usage error');
my $reader = run('detect', '--from', $production->dsn('app', 'reader'));
is($reader->{exit}, 0, 'by a role that may not read everything, without a configuration') or diag $reader->{err};
like($reader->{out}, qr/warning: the role reader may not read secret/, 'which is said');

# ---- --write ----
my $write = run(@detect, $file, '--write');
is($write->{exit}, 0, 'detect --write') or diag $write->{err};
like($write->{out}, qr/: 8 rules added; 1 column that no strategy fits is there as a comment/, 'says what it did') or diag $write->{out};
my $after = Prodsync::slurp($file);
my %kept = map { $_ => 1 } split /\n/, $after;
is(join("\n", grep { !$kept{$_} } split /\n/, $before), '', 'every line of the file is there still');
like($after, qr/\n    customers:   # people\n      - \{column: segment, strategy: none\}  # looked at\n      - \{column: full_name, strategy: full_name\}.*\n      - \{column: email, strategy: email\}.*\n    imports:\n/, 'rules stand where they belong');
like($after, qr/\n\n# the end\n$/, 'and what came last is last');
like($after, qr/\n      # - \{column: k, strategy: none\} +# personal data in JSON: \$ \(keys\) \(e-mail address\); no strategy fits jsonb/, 'what no strategy fits is a comment');
is(run(@detect, $file, '--write')->{exit}, 0, 'again');
is(Prodsync::slurp($file), $after, 'changes nothing');
my $flow = file('flow.yaml', "${head}anonymize: {policy: strict}\n");
my $refused = run(@detect, $flow, '--write');
like($refused->{out}, qr/flow\.yaml was left as it is: anonymize is written on one line.*Paste this:\n\nanonymize:\n  tables:\n    customers:\n      - \{column: full_name/s, 'a shape that cannot be edited: the block to paste');
is(Prodsync::slurp($flow), "${head}anonymize: {policy: strict}\n", 'and the file is what it was');

# ---- strict: names and content ----
$uat->start;
my $yaml = "${head}# mine\nanonymize:\n  tables:\n    locked:\n      - {column: note, strategy: none}\n";
my $strict = file('strict.yaml', $yaml);
my $plan = run('plan', @names, $strict);
is($plan->{exit}, 5, 'C6: strict stops the plan');
like($plan->{err}, qr/9 columns of 3 tables look personal and have no rule/, 'for names and content') or diag $plan->{err};
like($plan->{err}, qr/- \{column: a, strategy: email\} +# e-mail address: 50 of 50 samples are e-mail addresses/, 'with the rule to paste, and why');
my $sync = run('sync', @names, $strict, '--yes');
is($sync->{exit}, 5, 'C6: sync looks too');
like($sync->{err}, qr/column: c, strategy: free_text/, 'inside of texts');
is($uat->sql('SELECT count(*) FROM imports', 'app'), 0, 'and nothing was copied');
my $warn = run('plan', @names, file('warn.yaml', "${head}anonymize: {policy: warn}\n"));
is($warn->{exit}, 0, 'policy: warn goes on');
like($warn->{out}, qr/warning: 9 columns of 3 tables look personal.*column: a, strategy: email/s, 'with the same list');
my $none = run('plan', @names, file('none.yaml', "${head}anonymize: {policy: none}\n"));
unlike($none->{out}, qr/look personal/, 'policy: none does not look');
# ---- tables that somebody has locked in production ----
my $locker = $production->session('app');
$locker->query('BEGIN; LOCK TABLE imports, customers IN ACCESS EXCLUSIVE MODE');
my %waiting = (strict => start_prodsync('plan', @names, $strict), warn => start_prodsync('plan', @names, file('warn2.yaml', "${head}anonymize: {policy: warn}\n")),
	detect => start_prodsync(@detect, $strict));
# The extension's own look, in UAT.
my $tester = $uat->session('app');
$tester->query('BEGIN; LOCK TABLE imports IN ACCESS EXCLUSIVE MODE');
my $by_sql = $uat->session('app');
$by_sql->send("\\set VERBOSITY verbose\nSELECT count(*) FROM sync_detect_pii()");
my %waited = map { $_ => $waiting{$_}->wait(60) } sort keys %waiting;
push @all_output, map { $_->{out}, $_->{err} } values %waited;
is($waited{strict}{exit}, 1, 'D9: strict does not go on without a look');
like($waited{strict}{err}, qr/customers, imports are locked in production: no sample could be read within 10 seconds/, 'and names the tables') or diag $waited{strict}{err};
is($waited{warn}{exit}, 0, 'D9: policy: warn does') or diag $waited{warn}{err};
like($waited{warn}{out}, qr/warning: customers, imports are locked in production.*told by names only/, 'with a warning');
is($waited{detect}{exit}, 0, 'D9: so does detect') or diag $waited{detect}{err};
like($waited{detect}{out}, qr/customers +email +e-mail address +0\.90 +its name /, 'which goes by the names of locked tables');
like($waited{detect}{out}, qr/warning: customers, imports are locked by somebody: looked at by their names only/, 'with a warning');
cmp_ok($waited{detect}{seconds}, '<', 25, 'and waits for all of them together');
$by_sql->receive;
like($by_sql->error, qr/ERROR:  PS004: public\.imports is in use\nDETAIL: .*"pid": $tester->{backend}\b/, 'D9: sync_detect_pii() gives up as well, and says who is there');
$_->query('ROLLBACK'), $_->quit for $locker, $tester;
like($by_sql->query('SELECT count(*) FROM sync_detect_pii()'), qr/^\d+$/, 'and looks when nobody is');
$by_sql->quit;

# ---- samples are bounded: a bloated table, partitions ----
$production->sql($_, 'app') for 'CREATE TABLE bloated (id int PRIMARY KEY, a text, filler text) WITH (fillfactor = 10, autovacuum_enabled = off)',
	q{INSERT INTO bloated SELECT i, 'a' || i || '@leak.test', repeat('x', 700) FROM generate_series(1, 6000) i}, 'DELETE FROM bloated WHERE id BETWEEN 51 AND 5990', 'VACUUM bloated', 'ANALYZE bloated',
	'CREATE TABLE parts (id int, a text) PARTITION BY RANGE (id)', (map { "CREATE TABLE parts_$_ PARTITION OF parts FOR VALUES FROM ($_) TO ($_ + 1)" } 1 .. 40),
	q{INSERT INTO parts SELECT i, 'a' || i || '@leak.test' FROM generate_series(1, 40) i}, 'ANALYZE parts';
my $bounded = run(@detect, $strict);
is($bounded->{exit}, 0, 'D9: a bloated table, and a partitioned one') or diag $bounded->{err};
like($bounded->{out}, qr/parts +a +e-mail address +0\.97 +20 of 20 samples/, 'some partitions are read, each by itself') or diag $bounded->{out};
like($bounded->{out}, qr/bloated +a +e-mail address +0\.97 +60 of 60 samples/, 'of nearly empty pages those that are not') or diag $bounded->{out};
$production->sql('DROP TABLE bloated; DROP TABLE parts', 'app');

# ---- plan --accept ----
my $accept = run('plan', '--accept', @names, $strict);
is($accept->{exit}, 0, 'plan --accept leaves nothing in the way') or diag $accept->{err};
like($accept->{out}, qr/strict\.yaml: 8 rules added, and 1 column accepted as it is \(strategy: none\)\n.*Nothing stands in the way/s, 'says what it wrote, and shows the plan');
$after = Prodsync::slurp($strict);
like($after, qr/^\Q$yaml\E/, 'the file begins as it did');
like($after, qr/\n      - \{column: k, strategy: none\} +# personal data in JSON/, 'what no strategy fits is copied from now on');
like(run('plan', '--accept', @names, $strict)->{out}, qr/every column that looks personal has a rule/, 'once more: nothing to do');
is(Prodsync::slurp($strict), $after, 'and nothing written');
my $cannot = run('plan', '--accept', @names, $flow);
is($cannot->{exit}, 5, 'a file that cannot be edited');
like($cannot->{err}, qr/cannot be edited: .*paste this:.*column: full_name/s, 'is told, with the block') or diag $cannot->{err};
is(run('plan', '--accept', @names, file('none2.yaml', "${head}anonymize: {policy: none}\n"))->{exit}, 2, '--accept where nobody looks');
is(run('sync', @names, $strict, '--yes')->{exit}, 0, 'the night goes through');
is($uat->sql("SELECT count(*) FROM imports WHERE a LIKE 'user\\_%\@example.com' AND strpos(c || b, 'zq5' || 'raw') = 0", 'app'), 50, 'masked as the file says');

# ---- C6: a new part of a document stops the next night ----
$production->sql(q{UPDATE imports SET b = b || jsonb_build_object('home', jsonb_build_object('phone', '+4917112345' || (100 + id)))}, 'app');
my $part = run('sync', @names, $strict, '--yes');
is($part->{exit}, 5, 'C6: a rule for one part of a document is none for another');
like($part->{err}, qr/- \{column: b, path: "\$\.home\.phone", strategy: phone\}/, 'with the rule for it') or diag $part->{err};
$production->sql(q{UPDATE imports SET b = b - 'home'}, 'app');

# ---- C6: a new personal column stops the next night ----
$_->sql('ALTER TABLE customers ADD COLUMN extra text', 'app') for $production, $uat;
is(run('sync', @names, $strict, '--yes')->{exit}, 0, 'C6: a new column with nothing in it does not');
$production->sql("UPDATE customers SET extra = '+4917112345' || (100 + id)", 'app');
my $night = run('sync', @names, $strict, '--yes');
is($night->{exit}, 5, 'C6: a new personal column stops the night');
like($night->{err}, qr/1 column of 1 table looks personal.*customers:\n +- \{column: extra, strategy: phone\} +# phone number: 50 of 50/s, 'with its rule to paste');
is($uat->sql('SELECT count(extra) FROM customers', 'app'), 0, 'and the target is what it was');

# ---- whatever is suggested, the plan takes: one more schema, with tenants and users ----
for (['production', $production], ['uat', $uat]) {
	my ($content, $server) = @$_;
	$server->sql('CREATE DATABASE saas');
	my $loaded = execute('env', (map { "$_->[0]=$_->[1]" } [PGHOST => $server->{host}], [PGPORT => 5432], [PGUSER => 'postgres']), 'sh', 'test/fixtures/saas/load.sh', 'saas', $content);
	is($loaded->{exit}, 0, "saas, $content") or diag $loaded->{err};
}
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'saas');
{
	local $ENV{PRODSYNC_SOURCE} = $production->dsn('saas');
	local $ENV{PRODSYNC_TARGET} = $uat->dsn('saas');
	my $bare = slurp('test/fixtures/saas/prodsync.yaml') =~ s/^anonymize:.*//msr;
	my ($written, $accepted) = (file('saas1.yaml', $bare), file('saas2.yaml', $bare));
	is(run(@detect, $written, '--write')->{exit}, 0, 'detect --write');
	my $taken = run('plan', @names, $written);
	is($taken->{exit}, 0, 'its rules are all that the plan wants') or diag $taken->{err};
	is(run('plan', '--accept', @names, $accepted)->{exit}, 0, 'so are those of plan --accept');
	my $night = run('sync', @names, $accepted, '--yes');
	is($night->{exit}, 0, 'and the refresh goes through with them') or diag $night->{err};
}

# ---- nothing of a sample is seen ----
# (what is copied as it is was accepted above, on purpose: its log would have it; COPY's data are in no log)
unlike(join("\n", @all_output), qr/$raw/, 'no value in anything that the client printed');
unlike($uat->log, qr/$raw/, "none in the target's log, comments included");

done_testing;
