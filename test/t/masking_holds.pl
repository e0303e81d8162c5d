# Masks and what has to hold afterwards: CHECK constraints are tried on masks of a sample before anything is written (M9), Confiture's masks are
# Confiture's, and another key gives another, whole database.
use strict;
use warnings;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
$uat->restart('log_statement=all');
for my $side ($production, $uat) {
	$side->sql(<<'SQL', 'app');
CREATE DOMAIN e164 AS varchar(20) CHECK (VALUE ~ '^\+[1-9][0-9]{6,14}$');
CREATE TABLE account (id int PRIMARY KEY, kind text NOT NULL, msisdn varchar(40), number text, mobile e164, owner text, amount numeric(8, 2), plain text,
	CONSTRAINT msisdn_of_kind CHECK (kind = 'bank' OR msisdn ~ '^\+[1-9][0-9]{6,14}$'),
	CONSTRAINT number_form CHECK (length(number) = 10),
	CONSTRAINT owner_known CHECK (owner <> plain),
	CONSTRAINT amount_positive CHECK (amount > 0));
SQL
}
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
$production->sql(<<'SQL', 'app');
INSERT INTO account SELECT n, CASE n % 3 WHEN 0 THEN 'bank' ELSE 'mobile' END, '+4989' || (1000000 + n), (2000000000 + n)::text, '+4989' || (2000000 + n), 'owner ' || n, n, 'zq7open ' || n FROM generate_series(1, 90) AS n;
SQL
$ENV{PRODSYNC_KEY} = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
my $config = sub { my ($rules, $head) = @_; return file('prodsync.yaml', environments() . "anonymize:\n  policy: none\n" . ($head // '') . "  tables:\n    account:\n" . join('', map { "      - {$_}\n" } @$rules)) };
my @plan = qw(plan --from production --to uat --config);
my @sync = qw(sync --from production --to uat --yes --config);

# ---- M9 ----
my $fits = prodsync(@plan, $config->(['column: msisdn, strategy: phone, form: e164', 'column: number, strategy: digits', 'column: mobile, strategy: phone, form: e164', 'column: amount, strategy: number_noise']));
is($fits->{exit}, 0, 'M9: masks that the CHECK constraints allow') or diag $fits->{err};
unlike($fits->{out}, qr/CHECK constraint/, 'are no warning: they were tried');
my $refused = sub {
	my ($rule, $expected, $name) = @_;
	my $plan = prodsync(@plan, $config->([$rule]));
	is($plan->{exit}, 5, "M9: $name: exit 5") or diag $plan->{out};
	like($plan->{err}, $expected, "M9: $name: said");
	return $plan;
};
my $said = $refused->('column: number, strategy: hash', qr/account\.number masked by strategy hash: CHECK constraint number_form does not allow 90 rows of a sample of 90\n.*\{column: number, strategy: digits\}    # number_form allows its masks/s, 'a mask of another length, and a rule that would do');
$refused->('column: msisdn, strategy: phone', qr/account\.msisdn masked by strategy phone: CHECK constraint msisdn_of_kind does not allow 60 rows of a sample of 90\n.*\{column: msisdn, strategy: phone, form: e164\}    # msisdn_of_kind allows its masks/s, 'that depends on another column');
$refused->('column: mobile, strategy: phone', qr/account\.mobile masked by strategy phone: CHECK constraint e164_check does not allow 90 rows/, 'of a domain');
$refused->('column: amount, strategy: constant, value: -1', qr/account\.amount masked by strategy constant: CHECK constraint amount_positive/, 'a constant');
my $untried = prodsync(@plan, $config->(['column: owner, strategy: name']));
is($untried->{exit}, 0, 'one that needs a text nobody masks is not tried');
like($untried->{out}, qr/account\.owner has CHECK constraint owner_known/, 'and stays a warning');
is($uat->sql('SELECT count(*) FROM account', 'app'), 0, 'nothing was written');
unlike($uat->log, qr/zq7open|owner 1|\+49891000001|\+49892000001|2000000001/, 'nothing of production is in the target\'s log: neither what is masked nor a text that is not');
like($uat->log, qr/sync_try_check/, 'which has the tries');
# text in production, a date in the target: the cast would fail, and write the text into the log
$_->sql('CREATE TABLE visit (id int PRIMARY KEY, phone text, said ' . ($_ == $uat ? 'date' : 'text') . ", CONSTRAINT said_or_called CHECK (phone <> '' OR said IS NOT NULL))", 'app') for $production, $uat;
$production->sql(q{INSERT INTO visit SELECT n, '+4989' || 1000000 + n, 'zq7said ' || n FROM generate_series(1, 90) AS n}, 'app');
my $typed = prodsync(@plan, file('visit.yaml', environments() . "anonymize:\n  policy: none\n  tables:\n    visit:\n      - {column: phone, strategy: phone, form: e164}\n"));
like($typed->{out} . $typed->{err}, qr/visit\.phone has CHECK constraint said_or_called/, 'M9: a text that the target has as a date is a text: not tried') or diag "$typed->{out}$typed->{err}";
unlike($uat->log, qr/zq7said/, 'M9: and not in its log');
$_->sql('DROP TABLE visit', 'app') for $production, $uat;

# Partitions with constraints of their own: two of one name that say different things, and one whose partition has no rows.
for my $side ($production, $uat) {
	$side->sql(<<'SQL', 'app');
CREATE TABLE reading (id int, meter text) PARTITION BY LIST (id);
CREATE TABLE reading_1 PARTITION OF reading (CONSTRAINT of_meter CHECK (length(meter) = 16)) FOR VALUES IN (1);
CREATE TABLE reading_2 PARTITION OF reading (CONSTRAINT of_meter CHECK (meter ~ '^[0-9a-f]*$')) FOR VALUES IN (2);
CREATE TABLE reading_3 PARTITION OF reading (CONSTRAINT of_nothing CHECK (meter = 'x')) FOR VALUES IN (3);
SQL
}
$production->sql(q{INSERT INTO reading SELECT 1 + n % 2, lpad(n::text, 16, '0') FROM generate_series(1, 40) AS n}, 'app');
my $parts = sub { my ($rule) = @_; return prodsync(@plan, file('prodsync.yaml', environments() . "anonymize:\n  policy: none\n  tables:\n    reading:\n      - {$rule}\n")) };
my $parted = $parts->('column: meter, strategy: hash');
is($parted->{exit}, 0, 'M9: constraints that only partitions have are tried') or diag $parted->{err};
unlike($parted->{out}, qr/of_meter/, 'and are no warning');
like($parted->{out}, qr/reading\.meter has CHECK constraint of_nothing:/, 'but for one whose partition gets no rows');
my $parted_wrong = $parts->('column: meter, strategy: hash, length: 32');
is($parted_wrong->{exit}, 5, 'one of two that have a name in common does not allow the masks: exit 5');
like($parted_wrong->{err}, qr/reading\.meter masked by strategy hash: CHECK constraint of_meter of reading_1 does not allow 20 rows of a sample of 20\n.*\{column: meter, strategy: digits\}    # of_meter of reading_1 allows its masks/s, 'and it is said whose');
unlike($parted_wrong->{err}, qr/of reading_2/, 'the other one is not named');

# The owner's code runs as the owner; whoever may refresh may ask.
$uat->sql(<<'SQL', 'app');
CREATE ROLE holds_owner; CREATE ROLE holds_refresher;
GRANT ALL ON SCHEMA public TO holds_owner;
CREATE TABLE tried_by (who text); ALTER TABLE tried_by OWNER TO holds_owner;
ALTER TABLE account OWNER TO holds_owner;
CREATE FUNCTION public.tells(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RETURN current_user = $1; END$$;
ALTER TABLE account ADD CONSTRAINT as_owner CHECK (number = '' OR NOT public.tells('holds_owner')) NOT VALID;
SELECT sync_grant('holds_refresher');
SQL
my $try = q{SELECT sync_try_check('public', 'account', '%s', '["number"]', '[["0123456789"], ["1"], [null]]')};
is($uat->sql('SET ROLE holds_refresher; ' . sprintf($try, 'as_owner'), 'app') =~ s/^\n+//r, 2, 'RIGHTS: a CHECK runs as the table\'s owner, asked by a role without rights on the table');
is($uat->sql('SET ROLE holds_refresher; ' . sprintf($try, 'number_form'), 'app') =~ s/^\n+//r, 1, 'what it does not allow is counted');
# A literal of a domain is read, and its CHECK run, by whoever parses the constraint.
$uat->sql(<<'SQL', 'app');
CREATE FUNCTION public.meddles(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE DOMAIN public.meddling AS text CHECK (public.meddles(VALUE));
CREATE TYPE public.of_meddling AS (m public.meddling);
CREATE TYPE public.shade AS ENUM ('dark', '1');
ALTER TABLE account ADD tags public.meddling[], ADD whole public.of_meddling,
	ADD CONSTRAINT of_array CHECK (tags <> '{x}'::public.meddling[] OR number = ''), ADD CONSTRAINT of_fields CHECK (whole <> '(x)'::public.of_meddling OR number = ''),
	ADD CONSTRAINT of_enum CHECK (number <> ALL (ARRAY['dark'::public.shade::text, 'x']));
CREATE OR REPLACE FUNCTION public.meddles(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'ran as %', current_user; END$$;
SQL
for my $constraint ('of_array', 'of_fields') {
	my $wrong = execute('psql', '-XqAt', $uat->dsn('app'), '-c', 'SET ROLE holds_refresher; ' . sprintf($try, $constraint) =~ s/"number"/"number", "tags", "whole"/r);
	like($wrong->{err}, qr/has a value of a domain.* cannot be tried/, "RIGHTS: $constraint: a CHECK whose literals run an owner's code is not tried");
}
is($uat->sql('SET ROLE holds_refresher; ' . sprintf($try, 'of_enum'), 'app') =~ s/^\n+//r, 0, 'one with a value of an enum is');
$uat->sql('ALTER TABLE account DROP tags, DROP whole, DROP CONSTRAINT of_enum', 'app');
for (['no_such', 'a constraint that is not there'], ['msisdn_of_kind', 'columns that are missing']) {
	my ($constraint, $name) = @$_;
	my $wrong = execute('psql', '-XqAt', $uat->dsn('app'), '-c', sprintf($try, $constraint));
	isnt($wrong->{exit}, 0, "$name: an error");
}
$uat->sql('ALTER TABLE account DROP CONSTRAINT as_owner', 'app');

# ---- Confiture's masks ----
$_->sql('CREATE TABLE users (id int PRIMARY KEY, email text, phone text, name text, notes text, code text UNIQUE)', 'app') for $production, $uat;
$production->sql(q{INSERT INTO users VALUES (1, 'alice@example.com', 'alice@example.com', 'Jürgen Müller', 'x', 'alice@example.com'), (2, '', '', '', '', ''), (3, NULL, '-1', '-1', NULL, '-1')}, 'app');
my $rules = file('confiture.yaml', "users:\n" . join('', map { "  - {column: $_->[0], strategy: $_->[1], seed: 12345}\n" } ['email', 'email'], ['phone', 'phone'], ['name', 'name'], ['notes', 'redact'], ['code', 'hash']));
my $compat = file('prodsync.yaml', environments() . "anonymize: {policy: none, compat: confiture}\n");
my $confiture = prodsync(@sync, $compat, '--anonymization-config', $rules);
is($confiture->{exit}, 0, 'compat: confiture') or diag $confiture->{err};
is($uat->sql('SELECT * FROM users ORDER BY id', 'app'), <<'ROWS' =~ s/\n\z//r, 'Confiture\'s five strategies, bit for bit; the empty string is hashed, NULL stays NULL');
1|user_ff8d9819@example.com|+1-555-9593|User 1403|[REDACTED]|ff8d9819fc0e12bf
2|user_e3b0c442@example.com|+1-555-2610|User E3B0|[REDACTED]|e3b0c44298fc1c14
3||+1-555-92|User 1BAD||1bad6b8cf97131fc
ROWS
{
	local $ENV{PRODSYNC_KEY};
	delete $ENV{PRODSYNC_KEY};
	my $keyless = prodsync(@plan, $compat, '--anonymization-config', $rules);
	is($keyless->{exit}, 0, 'it needs no key') or diag $keyless->{err};
	like($keyless->{out}, qr/users\.email is masked as Confiture does, by a hash without a key/, 'which is a warning');
}
$_->sql('CREATE UNIQUE INDEX ON users (name)', 'app') for $uat;
my $odds = prodsync(@plan, $compat, '--anonymization-config', $rules);
is($odds->{exit}, 0, 'E5: a unique column: no problem') or diag $odds->{err};
like($odds->{out}, qr/strategy confiture_name would give two of about .* the same value with odds of 1 in \d+/, 'but a warning with the odds');
my $option = prodsync(@plan, file('prodsync.yaml', environments() . "anonymize:\n  policy: none\n  compat: confiture\n  tables:\n    users:\n      - {column: email, strategy: email, form: name}\n"));
is($option->{exit}, 5, 'an option that Confiture does not have');
like($option->{err}, qr/strategy email in anonymize\.tables\.users\.0 has no options there/, 'said');
is(prodsync(@plan, file('prodsync.yaml', environments() . "anonymize: {compat: confitur}\n"))->{exit}, 5, 'another word is none');

# ---- another key ----
my @both = (['column: number, strategy: digits', 'column: owner, strategy: hash', 'column: msisdn, strategy: phone, form: e164']);
my $masks = sub { return $uat->sql('SELECT number, owner, msisdn FROM account ORDER BY id', 'app') };
my $first = prodsync(@sync, $config->(@both));
is($first->{exit}, 0, 'a refresh under one key') or diag $first->{err};
my $before = $masks->();
$ENV{PRODSYNC_KEY} = 'ff' . substr $ENV{PRODSYNC_KEY}, 2;
my $second = prodsync(@sync, $config->(@both));
is($second->{exit}, 0, 'rotation: the next one under another') or diag $second->{err};
my $after = $masks->();
isnt($after, $before, 'changes every mask');
my %old = map { $_ => 1 } map { split /\|/ } split /\n/, $before;
is(scalar(grep { $old{$_} } map { (split /\|/)[1] } split /\n/, $after), 0, 'none of the hashes is an old one');
is($uat->sql(q{SELECT count(*), count(*) FILTER (WHERE NOT ok) FROM sync_check()}, 'app') =~ /^[1-9]\d*\|0$/ ? 1 : 0, 1, 'sync_check() is content afterwards');
is($uat->sql('SELECT kind, amount, plain FROM account ORDER BY id LIMIT 1', 'app'), 'mobile|1.00|zq7open 1', 'what is not masked is as it was');

# ---- what sync_check() finds afterwards ----
$_->sql('CREATE DATABASE checked') for $production, $uat;
for my $side ($production, $uat) {
	$side->sql(<<'SQL', 'checked');
CREATE TABLE tenant (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text UNIQUE NOT NULL);
CREATE TABLE person (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, email text, login text, about jsonb);
CREATE TABLE device (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, token text);
SQL
}
$production->sql(<<'SQL', 'checked');
INSERT INTO tenant (name) VALUES ('acme');
INSERT INTO person (tenant_id, email, login, about) SELECT 1, n || '@zq7.example', 'zq7 ' || n, '{"mail": "zq7@zq7.example", "kind": "as it is"}' FROM generate_series(1, 9) n;
INSERT INTO device (tenant_id, token) SELECT 1, 'zq7 ' || n FROM generate_series(1, 9) n;
SQL
$uat->sql(<<'SQL', 'checked');
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);
INSERT INTO tenant (name) VALUES ('test_a'), ('old');
INSERT INTO person (tenant_id, email, login, about) VALUES (1, 'kept@zq7.example', 'zq7 kept', '{"mail": "kept@zq7.example"}');
INSERT INTO device (tenant_id, token) VALUES (1, 'zq7 kept');
SQL
my $checked = file('checked.yaml', <<"YAML" . <<'YAML');
environments:
  production: {dsn: "${\ $production->dsn('checked') }"}
  uat:        {dsn: "${\ $uat->dsn('checked') }"}
YAML
tenants: {table: tenant, keep: "name LIKE 'test\\_%'"}
anonymize:
  policy: none
  tables:
    person:
      - {column: email, strategy: email}
      - {column: login, strategy: username}
      - {column: about, path: "$.mail", strategy: email}
    device: [{column: token, strategy: hash}]
YAML
my $sync = prodsync(@sync, $checked);
is($sync->{exit}, 0, 'a refresh with a kept tenant') or diag $sync->{err};
my @check = ('check', '--to', 'uat', '--config', $checked);
is(prodsync(@check)->{exit}, 0, 'prodsync check: masks of production\'s rows, raw values of the kept tenant\'s');
$uat->sql(q{INSERT INTO person (tenant_id, email, login, about) SELECT id, 'born@zq7.example', 'zq7 born', '{"mail": "born@zq7.example"}' FROM tenant WHERE name = 'acme';
	INSERT INTO device (tenant_id, token) SELECT id, 'zq7 born' FROM tenant WHERE name = 'acme';
	INSERT INTO device (id, tenant_id, token) SELECT 500, id, 'zq7 chosen' FROM tenant WHERE name LIKE 'test%'}, 'checked');
my $born = prodsync(@check);
is($born->{exit}, 0, 'and of rows that were born here, and of a kept tenant\'s whatever their ids are') or diag $born->{out};
$uat->sql(q{UPDATE person SET email = 'raw@zq7.example' WHERE id IN (2, 3); UPDATE person SET about = '{"mail": "raw@zq7.example"}' WHERE id = 4; UPDATE device SET token = NULL WHERE id = 5}, 'checked');
my $found = prodsync(@check);
is($found->{exit}, 6, 'a raw value in an imported row: exit 6');
like($found->{out} . $found->{err}, qr/\bperson\.email\b/, 'its table and column are named');
like($found->{out} . $found->{err}, qr/\bperson\.about\b/, 'of a document as well');
unlike($found->{out} . $found->{err}, qr/zq7/, 'no value is shown');
is($uat->sql(q{SELECT object, violations, ok FROM sync_check() WHERE check_name = 'masked form' ORDER BY object}, 'checked'), "device.token|0|t\nperson.about|1|f\nperson.email|2|f\nperson.login|0|t",
	'each of them by number; NULL, kept rows and those that were born here are none');
is($uat->sql(<<'SQL', 'checked') =~ /^(\d+)\n\1$/ ? 'as often' : 'more often', 'as often', 'a table of three masked columns is read as often as one of one');
BEGIN;
DO $$ BEGIN PERFORM sync_check(); END $$;
SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname IN ('person', 'device');
COMMIT;
SQL
$uat->sql(q{UPDATE person SET email = 'user_0123456789abcdef@example.com' WHERE id IN (2, 3); UPDATE person SET about = '{}' WHERE id = 4}, 'checked');
is(prodsync(@check)->{exit}, 0, 'mended, it is content again');
done_testing();
