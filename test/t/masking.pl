# Masking in flight: what arrives is what sync_mask() makes of production's values, in both formats of COPY; and of what is masked
# nothing raw is found in the target's files, WAL, log and memory, nor in what the client prints (C1, C7).
use strict;
use warnings;
no warnings "portable";       # addresses of 64 bits
use Gate;
use Prodsync;
use Test::More;

my ($production, $uat) = saas(uat => ['log_statement=all', 'log_min_messages=debug1', 'log_min_duration_statement=0']);
my $key = 'a1' x 31 . 'b2';
my $raw = 'zq7raw';        # in every value that is masked
my $open = 'zq7open';      # in values that are not: what finds these would find the others

# A table that travels as text (its regclass does), with everything that COPY's text format escapes.
$_->sql('CREATE TABLE odd (id integer PRIMARY KEY, about regclass, full_name text, code character(40), remark varchar(60) NOT NULL)', 'app') for $production, $uat;
$production->sql(<<SQL, 'app');
INSERT INTO odd VALUES (1, 'odd', E'$raw tab\\there', '$raw', E'$open\\t1'), (2, NULL, E'$raw \\\\N back\\\\slash', '$raw 2', '$open'),
	(3, 'pg_class', E'$raw new\\nline', '', '$open'), (4, 'odd', '', NULL, '$open'), (5, 'odd', NULL, '$raw 2', '$open');
UPDATE apps_customers_customer SET name = '$raw ' || id, email = '$raw' || id || '\@leak.test', notes = '$open ' || id WHERE email <> '';
UPDATE apps_customers_contact SET first_name = '$raw ' || id, last_name = '$raw', email = '$raw' || id || '\@leak.test', phone = '$raw' || id;
UPDATE apps_tenants_invitation SET email = '$raw' || id || '\@leak.test';
CREATE EXTENSION prodsync;
SQL
# People and what else a column can be, in both formats of COPY: regclass makes a table travel as text.
for my $cluster ($production, $uat) {
	$cluster->sql("CREATE TYPE mood AS ENUM ('happy', 'sad', 'mixed')", 'app');
	$cluster->sql("CREATE TABLE people_$_->[0] (id integer PRIMARY KEY, first_name text, last_name varchar(20), full_name text, login varchar(40), mood mood, tags text[], leave interval,
		document jsonb, extra json, balance numeric(10, 2), active boolean, born date, signature bytea, password varchar(128), remarks text, mobile varchar(20) CHECK (mobile ~ '^\\+[1-9][0-9]{6,14}\$'),
		site varchar(200), pin_code char(12), about $_->[1])", 'app') for ['binary', 'text'], ['text', 'regclass'];
}
$production->sql(<<SQL, 'app') for 'binary', 'text';
INSERT INTO people_$_ SELECT n, '$raw' || n, '$raw', '$raw', '$raw' || n, 'mixed', ARRAY['$raw'], '1 day', '{"$raw": 1}', '["$raw"]', 12.34, true, '1980-02-29', '$raw', '$raw', 'mail $raw\@leak.test now',
	'+49891234567', 'https://$raw.test/$raw', '$raw', NULL FROM generate_series(1, 20) AS n;
INSERT INTO people_$_ (id, mobile) VALUES (21, NULL);
SQL
my $people = <<'YAML';
      - {column: first_name, strategy: first_name}
      - {column: last_name, strategy: last_name}
      - {column: full_name, strategy: full_name}
      - {column: login, strategy: username}
      - { column: mood, strategy: choice}
      - {column: tags, strategy: "null"}
      - {column: leave, strategy: "null"}
      - {column: document, strategy: empty_json}
      - {column: extra, strategy: empty_json}
      - {column: balance, strategy: constant, value: 1.5}
      - { column: active, strategy: constant, value: false}
      - { column: born, strategy: constant, value: "1970-01-01"}
      - {column: signature, strategy: "null"}
      - {column: password, strategy: password, iterations: 3}
      - {column: remarks, strategy: free_text}
      - {column: mobile, strategy: phone, form: e164}
      - {column: site, strategy: url}
      - {column: pin_code, strategy: secret}
YAML
# Columns of many types, once in binary and once, for the same regclass, as text.
my $typed = 'id integer PRIMARY KEY, account bigint, customer_number integer UNIQUE, small smallint, amount numeric(8,2), weight double precision, score integer, born date, ' .
	'seen timestamptz, made timestamp, device uuid UNIQUE, address inet UNIQUE, network cidr, card macaddr, iban text UNIQUE, payment varchar(19), since text';
for my $side ($production, $uat) {
	$side->sql("CREATE TABLE typed ($typed); CREATE TABLE typed_as_text ($typed, about regclass)", 'app');
}
$production->sql("INSERT INTO $_ SELECT n, 9000000000000000000 + n, 2147483000 + n, 32767 - n, n * 1.25, n * 4, n, date '1990-02-28' + n, timestamptz '2024-02-29 12:34:56.789+00' + n * interval '1 hour',
	CASE n WHEN 1 THEN timestamp 'infinity' ELSE timestamp '2024-12-31 23:59:59' END, ('a0eebc99-9c0b-4ef8-bb6d-' || lpad(n::text, 12, '0'))::uuid,
	CASE n % 2 WHEN 0 THEN inet '10.0.0.0' ELSE inet '2001:db8::' END + n, set_masklen(inet '10.0.0.0' + n * 65536, 16)::cidr, '08:00:2b:01:02:03', 'DE89370400440532' || lpad(n::text, 6, '0'),
	'4111 1111 1111 1111', CASE n WHEN 2 THEN '$raw' ELSE '1999-12-31' END FROM generate_series(1, 200) n", 'app') for qw(typed), 'typed_as_text (' . join(', ', $typed =~ /(?:^|, )(\w+) /g) . ')';
my $rules = <<'YAML' . "    people_binary:\n$people    people_text:\n$people";
anonymize:
  policy: strict
  tables:
    odd:
      - {column: full_name, strategy: hash, length: 32}
      - {column: code, strategy: hash, domain: codes}
    gate:        # locked below: what has a rule is not sampled
      - {column: code, strategy: none}
      - {column: note, strategy: none}
YAML
$rules .= "    $_:\n" . <<'YAML' for qw(typed typed_as_text);
      - {column: account, strategy: digits}
      - {column: customer_number, strategy: digits, keep_first: 1}
      - {column: small, strategy: digits}
      - {column: amount, strategy: number_noise, percent: 20}
      - {column: weight, strategy: number_noise}
      - {column: score, strategy: number_range, least: 1, most: 6}
      - {column: born, strategy: date_shift}
      - {column: seen, strategy: date_shift, days: 30}
      - {column: made, strategy: date_truncate, to: year}
      - {column: device, strategy: uuid}
      - {column: address, strategy: ip}
      - {column: network, strategy: ip}
      - {column: card, strategy: mac, keep: vendor}
      - {column: iban, strategy: iban}
      - {column: payment, strategy: card, keep: bin}
      - {column: since, strategy: date_truncate}
YAML
my $yaml = sub { my ($text) = @_; return config([qr/anonymize:\n  policy: none\n/ => $text]) };
my @plan = qw(plan --from production --to uat --config);

# ---- strict: the block to paste ----
my $strict = prodsync(@plan, $yaml->($rules));
is($strict->{exit}, 5, 'C6: columns that look personal and have no rule stop the plan');
like($strict->{err}, qr/\d+ columns of \d+ tables look personal and have no rule/, 'and are counted');
my ($block) = $strict->{err} =~ /(^ +anonymize:\n +tables:\n(?: {9,}.*\n)+)/m;
ok($block, 'with one block of YAML');
$block =~ s/^ {5}//mg;
my ($tables) = $block =~ /tables:\n(.*)/s;
like($tables, qr/apps_customers_customer:\n +- \{column: name, strategy: full_name\} +# name.*\n +- \{column: email, strategy: email\} +# e-mail address.*\n +- \{column: phone, strategy: phone\}/, 'that has a fitting strategy for each');
like($tables, qr/- \{column: birthday, strategy: date_shift\} +# date of birth/, 'of any type');
like($tables, qr/- \{column: address, path: "\$\.street", strategy: street\} +# postal address/, 'and a rule for each part of a document');
unlike($tables, qr/^ +- \{[^}]*strategy: none/m, 'never one that copies');
unlike($strict->{err}, qr/email_sent|codename|schema_name/, 'what is not personal is not in it');
$tables =~ s/# - /- /g;
$rules .= $tables;
{
	local $ENV{PRODSYNC_KEY};
	delete $ENV{PRODSYNC_KEY};
	my $no_key = prodsync(@plan, $yaml->($rules));
	is($no_key->{exit}, 5, 'a pasted block leaves no problem but the missing key');
	like($no_key->{err}, qr/1 problem stands in the way\n.*no masking key\n.*openssl rand -hex 32/s, 'which says how to make one');
	is(prodsync(@plan, $yaml->($rules), '--ephemeral-key')->{exit}, 0, '--ephemeral-key');
}
my $warn = prodsync(@plan, $yaml->("anonymize: {policy: warn}\n"));
is($warn->{exit}, 0, 'policy: warn goes on') or diag $warn->{err};
like($warn->{out}, qr/warning: \d+ columns of \d+ tables look personal/, 'and says the same');
my $anonymize = prodsync(@plan, config(), '--anonymize');
is($anonymize->{exit}, 5, '--anonymize without a rule is refused');
like($anonymize->{err}, qr/no rule masks a column/, 'in words');

# ---- Confiture's rules file ----
{
	my $empty = "anonymize: {policy: none}\n";
	my $file = sub { my ($text) = @_; return ('--anonymization-config', file('confiture.yaml', $text), '--ephemeral-key') };
	my $taken = prodsync(@plan, $yaml->($empty), $file->("odd:\n  - {column: full_name, strategy: name, seed: 7}\n"), '--anonymize');
	is($taken->{exit}, 0, 'the rules of --anonymization-config mask') or diag $taken->{err};
	my $typo = prodsync(@plan, $yaml->($empty), $file->("odd:\n  - {column: full_nam, strategy: name}\n"));
	is($typo->{exit}, 5, 'E2: a column that is not there is a problem');
	like($typo->{err}, qr/there is no such column \(did you mean full_name\?\)/, 'with the nearest name');
	is(prodsync(@plan, $yaml->($empty), $file->("od:\n  - {column: full_name, strategy: name}\n"))->{exit}, 5, 'E2: so is a table');
}

# ---- the refresh ----
$ENV{PRODSYNC_KEY} = $key;
$yaml->($rules);
# Stopped before the last table is read, with everything else loaded: what the target's memory holds then.
my $gate = gate($production);
my $run = start_refresh('--jobs', '2', '--anonymize', '--format', 'json', '--show-progress');
at_gate($production);
wait_until(60, sub { watch($uat, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'prodsync' AND state LIKE 'idle%' HAVING count(*) >= 2") });
my $memory = memory_of($uat);
ok($memory->{$open}, 'the target\'s memory was read: what is not masked is in it');
ok(!$memory->{$raw}, 'nothing raw is in the memory of any of the target\'s processes');
$gate->query('COMMIT');
my $done = $run->wait;
is($done->{exit}, 0, 'the refresh is done') or diag $done->{err};
like($done->{out}, qr/"anonymized":true/, 'and says that it masked');
unlike("$done->{out}$done->{err}", qr/\Q$raw\E|\Q$key\E/, 'neither raw value nor key in what the client prints');

# What arrived is what the SQL functions make of production's values: the same objects in client and library.
my @columns;
for my $rule (split /\n/, $rules) {
	our $table = $1 if $rule =~ /^    (\w+):$/;
	my ($column, $strategy, $options) = $rule =~ /\{column: (\w+), strategy: (\w+)((?:, \w+: \w+)*)\}/ or next;
	my %options = $options =~ /(\w+): (\w+)/g;
	my $json = '{' . join(', ', map { qq("$_": ) . ($options{$_} =~ /^\d+$/ ? $options{$_} : qq("$options{$_}")) } sort keys %options) . '}';
	push @columns, [$table, $column, $strategy, $json] if $strategy ne 'none';
}
cmp_ok(scalar(@columns), '>', 8, 'columns were masked');
my (@got, @expected);
for (@columns) {
	my ($table, $column, $strategy, $options) = @$_;
	my $id = $table eq 'odd' ? 'id' : 'id';
	my $rows = qq(FROM "$table" WHERE $id < 1000000000 ORDER BY $id);
	push @got, "$table.$column\n" . $uat->sql(qq(SELECT $id, replace("$column"::text, E'\\n', '|') $rows), 'app');
	my $value = qq(sync_mask("$column"::text, '$strategy', '$options'));
	# arrays are masked element by element
	$value = qq((SELECT array_agg(sync_mask(e, '$strategy', '$options') ORDER BY n)::text FROM unnest("$column"::text[]) WITH ORDINALITY u (e, n)))
		if $strategy ne 'null' && $production->sql(qq(SELECT 1 FROM pg_attribute WHERE attrelid = '"$table"'::regclass AND attname = '$column' AND atttypid::regtype::text LIKE '%[]'), 'app');
	push @expected, "$table.$column\n" . $production->sql(qq(SELECT sync_set_key('$key')) . qq(; SELECT $id, $value $rows), 'app') =~ s/^\n+//r;
}
is($got[$_], $expected[$_], "$columns[$_][0].$columns[$_][1] is masked by $columns[$_][2]") for 0 .. $#columns;
is($uat->sql("SELECT count(*) FROM odd WHERE full_name = ''", 'app') . $uat->sql('SELECT count(*) FROM odd WHERE full_name IS NULL', 'app'), '11', 'empty stays empty, NULL stays NULL');
my $columns = join ', ', map { $_->[1] } grep { $_->[0] eq 'typed' } @columns;
is($uat->sql("SELECT count(*) FROM (SELECT id, $columns FROM typed EXCEPT SELECT id, $columns FROM typed_as_text) AS d", 'app'), 0, 'masks are the same in both formats of COPY');
is($uat->sql('SELECT count(DISTINCT (customer_number, device, address, iban)) FROM typed WHERE small BETWEEN 10000 AND 32767 AND score BETWEEN 1 AND 6', 'app'), 200, 'fit their types, and what was unique is');
is($uat->sql("SELECT count(*) FROM apps_customers_customer WHERE notes LIKE '$open%'", 'app') > 0, 1, 'what has no rule arrives as it is');

for my $form ('binary', 'text') {
	is($uat->sql(<<SQL, 'app'), 't|t|t|t|t|t|t|21', "every type is masked, in COPY's $form format");
SELECT count(DISTINCT mood) = 1, bool_and(tags IS NULL AND leave IS NULL AND signature IS NULL), bool_and(document = '{}' AND extra::text = '[]'),
	bool_and(balance = 1.5 AND NOT active AND born = '1970-01-01'), bool_and(full_name ~ '^[A-Z][a-z]+ [A-Z][a-z]+\$'), bool_and(mobile ~ '^\\+498[0-9]{8}\$'), bool_and(remarks ~ '^mail user_[0-9a-f]{16}\@example.com now\$'),
	count(*) FROM people_$form
SQL
	is($uat->sql("SELECT DISTINCT mood FROM people_$form WHERE mood IS NOT NULL", 'app'),
		$production->sql(qq(SELECT sync_set_key('$key')) . q(; SELECT sync_choice('mixed', '{"of": ["happy", "sad", "mixed"]}')), 'app') =~ s/^\n+//r, 'a choice without a list is one among the labels');
	is($uat->sql("SELECT count(DISTINCT first_name) > 5, count(DISTINCT login) FROM people_$form", 'app'), 't|20', 'and different people stay different');
}

# ---- nothing raw at rest ----
$uat->sql('CHECKPOINT');
my $data = $uat->sql('SHOW data_directory');
$uat->stop;
for ([$open, 1, 'found where it was looked for'], [$raw, 0, 'not found']) {
	my ($marker, $there, $what) = @$_;
	for (['data files', "$data/base"], ['WAL', "$data/pg_wal"]) {
		my ($name, $path) = @$_;
		my $found = execute('grep', '-rqaF', $marker, $path)->{exit};
		is($found, $there ? 0 : 1, "C7: the marker $marker in the target's $name: $what");
	}
}
unlike($uat->log, qr/\Q$raw\E|\Q$key\E/, 'nor anything raw, nor the key, in its log');
like($uat->log, qr/COPY prodsync_work/, 'which has every statement');

done_testing;

# Which of the two markers is in the memory of the cluster's processes, shared memory included.
sub memory_of
{
	my ($cluster) = @_;
	my %found = ($open => 0, $raw => 0);
	my @pids = split /\n/, $cluster->sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'checkpointer')");
	for my $pid (@pids) {
		# one that has ended meanwhile (psql's own) has no memory
		open my $maps, '<', "/proc/$pid/maps" or $!{ENOENT} ? next : die "maps of $pid: $!";
		open my $memory, '<:raw', "/proc/$pid/mem" or $!{ENOENT} ? next : die "memory of $pid: $!";
		while (<$maps>) {
			my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) r/ or next;
			next if /\[v(var|syscall)/;
			my ($at, $end, $tail) = (hex $from, hex $to, '');
			while ($at < $end) {
				my $size = $end - $at < 1 << 22 ? $end - $at : 1 << 22;
				sysseek $memory, $at, 0 or last;
				my $got = sysread $memory, my $piece, $size or last;
				$_ && ("$tail$piece" =~ /\Q$_\E/ and $found{$_}++) for keys %found;
				$tail = substr $piece, -16;
				$at += $got;
			}
		}
	}
	return \%found;
}
