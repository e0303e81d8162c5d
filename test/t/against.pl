# Proof afterwards: prodsync check --against compares what is masked with production's values. A clean refresh has none of them; whatever is put back by
# hand is found, by table and column, and never shown.
use strict;
use warnings;
use JSON::PP;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
$uat->restart('log_statement=all', 'log_min_messages=debug1');
$_->sql(<<'SQL', 'app') for $production, $uat;
CREATE EXTENSION hstore;
CREATE TABLE site (id serial PRIMARY KEY, slug text NOT NULL UNIQUE);
CREATE TABLE person (id serial PRIMARY KEY, site_id integer REFERENCES site, email text, who text, phone varchar(40), account text, staff_mail text, staff boolean,
	mails text[], about jsonb, extra hstore, city text, chosen text, born date, serial_no bigint, shaped char(12), by_sql text, open_mail text, remark text, doc jsonb, token text);
CREATE TABLE note (id serial PRIMARY KEY, words text, labels text[], seen jsonb);
CREATE TABLE visit (id bigint, at date NOT NULL, email text) PARTITION BY RANGE (at);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
SQL
my $raw = 'zq5raw';        # in the texts of production
$production->sql(<<SQL, 'app');
INSERT INTO site VALUES (1, 'acme'), (2, 'globex');
INSERT INTO person SELECT i, 1 + i % 2, '$raw' || i || '\@leak.test', 'Zqanna Raw' || i, '+49 89 55' || 100000 + i, 100000000 + i, '$raw' || i % 7 || '\@leak.test', i % 7 = 0 OR i = 1,
	ARRAY['$raw' || i || '\@arr.test', NULL, ''], jsonb_build_object('mail', '$raw' || i || '\@json.test', 'kind', 'customer', 'tags', jsonb_build_array('vip', i)),
	hstore(ARRAY['mail', '$raw' || i || '\@hs.test', 'plain', 'a plain text']), 'Zqtown ' || i % 9, CASE i % 2 WHEN 0 THEN 'gold' ELSE 'silver' END, '1980-01-01'::date + i,
	7000000000 + i, 'AB-' || 1000 + i, 'Secret ' || i, '$raw' || i || '\@open.test', 'nothing', NULL, left(md5('$raw' || i), 16) FROM generate_series(1, 300) i;
INSERT INTO note SELECT i, 'see order ' || i || ' of 2020-01-01 12:00:00, customer AB-' || 1000 + i, ARRAY['a plain label'], '{"kind": "plain"}' FROM generate_series(1, 20) i;
INSERT INTO visit SELECT i, '2020-01-01'::date + i * 2, '$raw' || i || '\@visit.test' FROM generate_series(1, 300) i;
ANALYZE;
SQL
$uat->sql(<<'SQL', 'app');
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);
INSERT INTO site VALUES (5, 'test_one'), (6, 'old');
INSERT INTO person (site_id, email) VALUES (5, 'zq5raw1@leak.test'), (5, 'tester@corp.test');
ANALYZE;
SQL
$ENV{PRODSYNC_KEY} = 'a1' x 31 . 'b2';
my $rules = <<'YAML';
tenants: {table: site, keep: "slug LIKE 'test%'"}
tables:
  visit: {mode: copy}
anonymize:
  policy: warn
  tables:
    person:
      - {column: email, strategy: email}
      - {column: who, strategy: full_name}
      - {column: phone, strategy: phone, form: as_written}
      - {column: account, strategy: digits}
      - {column: staff_mail, strategy: email, when: "NOT staff"}
      - {column: mails, strategy: email}
      - {column: about, path: "$.mail", strategy: email}
      - {column: extra, path: "$.mail", strategy: email}
      - {column: city, strategy: city}
      - {column: chosen, strategy: choice, of: [gold, silver]}
      - {column: born, strategy: date_shift}
      - {column: serial_no, strategy: digits}
      - {column: shaped, strategy: shape}
      - {column: by_sql, strategy: sql, expression: "pg_catalog.md5(by_sql)"}
      - {column: open_mail, strategy: none}
      - {column: token, strategy: hash}
    visit:
      - {column: email, strategy: email}
YAML
my $config = file('prodsync.yaml', environments() . $rules);
my @against = ('check', '--against', 'production', '--to', 'uat', '--config', $config);
my @said;
sub check { my $run = prodsync(@against, @_); push @said, $run->{out}, $run->{err}; return $run }
sub found { my ($run) = @_; return join ', ', map { "$_->{relation}.$_->{column_name} $_->{survivors}" } grep { !$_->{ok} } @{ decode_json($run->{out})->{details} } }

# ---- a refresh without the rules: everything is there ----
(my $unruled = environments() . $rules) =~ s/^anonymize:.*//ms;
my $refresh = prodsync(qw(sync --from production --to uat --yes --config), file('raw.yaml', $unruled . "anonymize: {policy: none}\n"));
is($refresh->{exit}, 0, 'a refresh that masks nothing') or diag $refresh->{err};
my $everything = check('--format', 'json');
is($everything->{exit}, 6, 'C1: then what the rules name is all there: exit 6') or diag $everything->{err};
like(found($everything), qr/^person\.email 300, person\.who 300, person\.phone 300, person\.account 300, person\.staff_mail 215, person\.mails 300, person\.about 300, person\.extra 300, person\.city 300, person\.serial_no 300, person\.shaped 300, person\.by_sql 300, person\.token 300, visit\.email 300$/,
	'every column with as many values as production has');

# ---- a clean refresh ----
$refresh = prodsync(qw(sync --from production --to uat --yes --config), $config);
is($refresh->{exit}, 0, 'a refresh with the rules') or diag $refresh->{err};
is($uat->sql(q{SELECT count(*) FROM person WHERE email = 'zq5raw1@leak.test'}, 'app'), 1, 'a kept row has a value of production');
my $logged = length $uat->log;
my $clean = check();
my $log = substr $uat->log, $logged;
like($log, qr/statement: COPY \(SELECT t\.email, t\.who,/, 'the target was read');
unlike($log, qr/$raw|leak\.test|Zqanna|INSERT|UPDATE|FROM STDIN/, 'C1: nothing of production was sent to it, nothing written');
is($clean->{exit}, 0, 'C1: none survives a clean refresh: exit 0') or diag "$clean->{out}$clean->{err}";
like($clean->{out}, qr/uat: 15 columns compared with production, none of its values is there\n/, 'said');
like($clean->{out}, qr/person\.born: not compared \(strategy date_shift/, 'what is not compared is named');
unlike($clean->{out}, qr/open_mail/, 'a column of strategy none is none of those');
my @columns = map { $_->{column_name} } @{ decode_json(check('--format', 'json')->{out})->{details} };
is("@columns", 'email who phone account staff_mail mails about extra city chosen serial_no shaped by_sql token email', 'JSON lists every column that was compared');

# ---- one value put back, in each kind of column ----
sub put_back
{
	my ($sql, $expected, $name) = @_;
	$uat->sql("CREATE TABLE before AS TABLE person; CREATE TABLE visits AS TABLE visit; CREATE TABLE notes AS TABLE note; $sql", 'app');
	my $run = check('--format', 'json');
	is($run->{exit}, $expected ? 6 : 0, "$name: exit code") or diag $run->{err};
	is(found($run), $expected, $name);
	$uat->sql('DELETE FROM person; INSERT INTO person TABLE before; DELETE FROM visit; INSERT INTO visit TABLE visits; DELETE FROM note; INSERT INTO note TABLE notes; DROP TABLE before, visits, notes', 'app');
	return;
}
put_back("UPDATE person SET email = '${raw}250\@leak.test' WHERE id = 3", 'person.email 1', 'C1: a raw value of another row');
put_back("UPDATE person SET who = 'Zqanna Raw4' WHERE id IN (3, 4)", 'person.who 2', 'names');
put_back("UPDATE person SET phone = '+49 89 55100009' WHERE id = 9", 'person.phone 1', 'numbers that keep their form');
put_back("UPDATE person SET account = '100000009', serial_no = 7000000009 WHERE id = 9", 'person.account 1, person.serial_no 1', 'digits, as text and as number');
put_back("UPDATE person SET mails = ARRAY['x', '${raw}9\@arr.test', '${raw}8\@arr.test'] WHERE id = 9", 'person.mails 2', 'elements of an array');
put_back("UPDATE person SET about = jsonb_build_object('deep', jsonb_build_array('${raw}9\@json.test')) WHERE id = 9", 'person.about 1', 'C1: a leaf of JSON, at another path');
put_back("UPDATE person SET extra = hstore('other', '${raw}9\@hs.test') WHERE id = 9", 'person.extra 1', 'a value of an hstore');
put_back("UPDATE person SET about = jsonb_build_object('${raw}9\@json.test', 1), extra = hstore('${raw}9\@hs.test', NULL) WHERE id = 9", 'person.about 1, person.extra 1', 'names of members');
put_back("UPDATE note SET seen = jsonb_build_object('${raw}9\@leak.test', 1) WHERE id = 3", 'note.seen 1', 'M8: of another table');
put_back("UPDATE person SET shaped = 'AB-1009' WHERE id = 9", 'person.shaped 1', 'a padded text');
put_back("UPDATE person SET by_sql = 'Secret 9' WHERE id = 9", 'person.by_sql 1', 'what an expression of production replaced');
put_back("UPDATE person SET token = left(md5('${raw}9'), 16) WHERE id = 9", 'person.token 1', 'a raw value that has the form of a mask: the key tells');
put_back("UPDATE visit SET email = '${raw}200\@visit.test' WHERE id = 200", 'visit.email 1', 'E13: a row of a partition');
put_back("UPDATE person SET staff_mail = '${raw}1\@leak.test' WHERE id = 9", '', 'a value that the condition left alone is honest');
put_back("UPDATE person SET open_mail = '${raw}9\@leak.test', chosen = 'gold' WHERE id = 9", '', 'a column of strategy none');
put_back("UPDATE person SET email = 'abc' WHERE id = 9", '', 'a value that is none of production');
put_back("UPDATE note SET words = 'write to ${raw}9\@LEAK.test, or call +49 89 55100009 2 times' WHERE id = 3", 'note.words 2', 'M8: an address and a number in free text');
put_back("UPDATE note SET labels = ARRAY['x', 'account 100000009'], seen = '{\"a\": [{\"b\": \"${raw}9\@json.test\"}]}' WHERE id = 3", 'note.labels 1, note.seen 1', 'C8: in arrays and leaves of JSON of another table');
put_back("UPDATE person SET remark = '<${raw}9\@hs.test>' WHERE id = 9", 'person.remark 1', 'in a column that nobody named');
put_back("UPDATE person SET about = jsonb_build_object('else', '${raw}9\@leak.test') WHERE id = 9", 'person.about 1', 'M8: another column\'s value, in JSON that has a rule');
put_back("UPDATE person SET open_mail = 'mail ${raw}9\@leak.test' WHERE id = 9", '', 'not in a column of strategy none');
put_back("INSERT INTO note (id, words) VALUES (1000000005, '${raw}9\@leak.test')", '', 'not in a tester\'s row');
put_back("INSERT INTO person (site_id, email) VALUES (1, '${raw}7\@leak.test')", '', 'a row that testers made: its id is in the reserved range');

$uat->sql("UPDATE person SET email = '${raw}250\@leak.test' WHERE id = 3", 'app');
my $one = check();
like($one->{out}, qr/^  relation +column +strategy +survivors\n  person +email +email +1\n/, 'the table of what survived');
like($one->{err}, qr/^prodsync: error: 1 value of production is in uat, in 1 column\n  hint: /m, 'the error');

# ---- a column that looks personal and has no rule ----
(my $without = environments() . $rules) =~ s/^ +- \{column: who.*\n//m;
my $flagged = prodsync(@against[0 .. 4], '--config', file('without.yaml', $without =~ s/column: email, strategy: email\}\n( +- \{column: phone)/column: email, strategy: email}\n$1/r));
is($flagged->{exit}, 6, 'C1: the survivor is found without a rule for another column');
$uat->sql("UPDATE person SET who = 'Zqanna Raw4' WHERE id = 4", 'app');
$production->sql("COMMENT ON COLUMN person.who IS 'PII: the name'", 'app');
$flagged = prodsync(@against[0 .. 4], '--config', file('without.yaml', $without), '--format', 'json');
push @said, $flagged->{out};
is(found($flagged), 'person.email 1, person.who 1', 'C1: a column that looks personal is compared without a rule');

# ---- the key, and passes ----
{
	delete local $ENV{PRODSYNC_KEY};
	my $no_key = check();
	is($no_key->{exit}, 6, 'without the key');
	like($no_key->{out}, qr/person\.account: not compared \(the key is needed to tell masks of strategy digits/, 'what needs it is named');
	like($no_key->{out}, qr/person +email +email +1\n/, 'what does not is compared');
	local $ENV{PRODSYNC_KEY} = 'no key';
	is(check()->{exit}, 5, 'a key that is none: exit 5');
}
$production->sql("INSERT INTO visit SELECT i, '2021-03-01', '$raw' || i || '\@visit.test' FROM generate_series(1000, 400000) i", 'app');
$uat->sql("INSERT INTO visit SELECT i, '2021-03-01', '$raw' || i || '\@visit.test' FROM generate_series(2000, 3999) i", 'app');
my $passes = check('--memory', 1, '--format', 'json');
is(found($passes), 'person.email 1, person.who 1, visit.email 2000', 'more values than memory: in passes, none lost, none twice');

# ---- what goes wrong ----
is(prodsync(qw(check --to uat --memory 5 --config), $config)->{exit}, 2, '--memory without --against: a usage error');
is(prodsync(qw(check --against nowhere --to uat --config), $config)->{exit}, 2, 'an unknown environment');
my $same = prodsync(qw(check --against uat --to uat --config), $config);
is($same->{exit}, 4, 'a database against itself: refused');
$uat->sql('CREATE ROLE looker LOGIN; GRANT USAGE ON SCHEMA public TO looker; GRANT SELECT ON site TO looker', 'app');
my $looker = prodsync('check', '--against', 'production', '--to', $uat->dsn('app', 'looker'), '--config', $config);
is($looker->{exit}, 4, 'a role that may not read the target') or diag $looker->{err};
like($looker->{err}, qr/may not read person in .*hint: .*GRANT SELECT ON public\.person TO looker/s, 'with what to type') or diag $looker->{err};

unlike(join('', @said), qr/$raw|Zqanna|Secret \d/i, 'C1: no value was ever shown');
done_testing();
