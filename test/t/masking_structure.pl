# Columns that belong together: made by the database from masked ones (tsvector, generated, filled by a trigger), fields of composite types, and groups
# that one entity holds together (names and e-mail address, an encrypted column and its blind index: M8).
use strict;
use warnings;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
for my $side ($production, $uat) {
	$side->sql(<<'SQL', 'app');
CREATE TABLE article (id int PRIMARY KEY, title text, body text NOT NULL, words tsvector, author text, author_key text, author_again text GENERATED ALWAYS AS (upper(author)) STORED,
	found tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(author, ''))) STORED, touched timestamptz);
CREATE FUNCTION fill_article() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE plain text;
BEGIN
	plain := lower(NEW.author);    -- as people type it
	IF NEW.author_key IS NULL OR NEW.author_key = '' THEN NEW.author_key := plain; END IF;
	NEW.touched = now();
	RETURN NEW;
END $$;
CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON article FOR EACH ROW EXECUTE FUNCTION fill_article();
CREATE TRIGGER search BEFORE INSERT OR UPDATE ON article FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.simple', title, body);
CREATE TYPE geo AS (place text, height int);
CREATE TYPE address AS (street text, zip varchar(10), country char(2), geo geo, mails text[]);
CREATE TABLE person (id int PRIMARY KEY, home address, others address[], first text, last text, whole text, mail text, cipher text, blind text);
CREATE TABLE line (id int PRIMARY KEY, phone text);
CREATE TABLE call (id int PRIMARY KEY, from_phone text, seconds int);
SQL
}
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
$production->sql(<<'SQL', 'app');
INSERT INTO article (id, title, body, author) VALUES (1, 'Zq7title one', 'zq7body', 'Zq7Author'), (2, NULL, '', NULL);
INSERT INTO person (id, home, others, first, last, whole, mail, cipher, blind) VALUES
	(1, ROW('12 "Main" Street, Zq7', '12345', 'DE', ROW('Zq7 hill', 7), ARRAY['zq7@raw.example', NULL, '']), ARRAY[ROW('Zq7 1', NULL, 'FR', NULL, NULL)::address, NULL], 'a', 'b', 'a b', 'a@raw.example', 'c1', 'x'),
	(2, ROW(NULL, '', NULL, NULL, '{}'), '{}', 'a', 'b', 'a b', 'a@raw.example', 'c2', 'x'),
	(3, NULL, NULL, 'a', 'b', 'a b', 'a@raw.example', 'c3', 'y');
INSERT INTO line SELECT g, '+49151000' || 1000 + g FROM generate_series(1, 50) g;
INSERT INTO call SELECT g, '+49151000' || 1000 + g % 50 + 1, g FROM generate_series(1, 200) g;
SQL
$ENV{PRODSYNC_KEY} = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
my $config = sub { my ($text) = @_; return file('prodsync.yaml', environments() . "anonymize:\n  policy: strict\n$text") };
my @plan = qw(plan --from production --to uat --config);
my @sync = qw(sync --from production --to uat --yes --config);
my $person = <<'YAML';
    person:
      - {column: home, path: "$.street", strategy: redact}
      - {column: home, path: "$.zip", strategy: postcode}
      - {column: home, path: "$.geo.place", strategy: city}
      - {column: home, path: "$.mails", strategy: email}
      - {column: others, path: "$[*].street", strategy: redact}
      - {column: first, strategy: first_name, entity: id}
      - {column: last, strategy: last_name, entity: id}
      - {column: whole, strategy: full_name, entity: id}
      - {column: mail, strategy: email, form: name, entity: id}
      - {column: cipher, strategy: hash, length: 32, entity: blind}
      - {column: blind, strategy: hash}
    line:
      - {column: phone, strategy: phone, form: e164}
    call:
      - {column: from_phone, strategy: phone, form: e164}
YAML
my $article = <<'YAML';
    article:
      - {column: title, strategy: shape}
      - {column: body, strategy: hash}
      - {column: author, strategy: name}
YAML

# ---- C6: what the database makes from masked columns has a rule, or stops the run ----
my $missing = prodsync(@plan, $config->("  tables:\n$article$person"));
is($missing->{exit}, 5, 'C6: columns made from masked ones stop the plan') or diag $missing->{out};
like($missing->{err}, qr/2 columns of 1 table look personal/, 'and are counted');
like($missing->{err}, qr/- \{column: words, strategy: "null"\} +# made from personal columns: trigger search, of title, body\n/, 'a tsvector that tsvector_update_trigger() fills');
like($missing->{err}, qr/- \{column: author_key, strategy: name\} +# made from personal columns: trigger fill, of author\n/, 'a text that a function of a trigger fills, by the rule of what it is made from');
unlike($missing->{err}, qr/column: (author_again|found|touched)/, 'not what is generated on the target, nor what has nothing of it');
my ($lines) = $missing->{err} =~ /article:\n((?: +- \{.*\n)+)/;
$lines =~ s/^ +/      /mg;
my $done = prodsync(@sync, $config->("  tables:\n$article$lines$person"));
is($done->{exit}, 0, 'with the lines that it says the refresh runs') or diag $done->{err};
is($uat->sql('SELECT words IS NULL FROM article WHERE id = 1', 'app'), 't', 'no raw word is left in the tsvector');
is($uat->sql('SELECT author_again = upper(author), found = to_tsvector($$simple$$, author) FROM article WHERE id = 1', 'app'), 't|t', 'generated columns are made anew from the masks');
is($uat->sql(q{SELECT author ~ '^User [0-9A-F]{8}$', author_key ~ '^User [0-9A-F]{8}$' FROM article WHERE id = 1}, 'app'), 't|t', 'what was filled is masked');
is($uat->sql('SELECT count(*) FROM article AS a WHERE a::text ILIKE $$%zq7%$$', 'app'), 0, 'C1: nothing raw in the row');

# Production makes the column, the target has it as an ordinary one: then it would be copied.
$uat->sql('ALTER TABLE article ALTER author_again DROP EXPRESSION', 'app');
my $generated = prodsync(@plan, $config->("  tables:\n$article$lines$person"));
is($generated->{exit}, 5, 'a column that only production generates would be copied: exit 5');
like($generated->{err}, qr/- \{column: author_again, strategy: name\} +# made from personal columns: generated, of author\n/, 'said');
is(prodsync(@plan, $config->("  tables:\n$article$lines      - {column: author_again, strategy: none}\n$person"))->{exit}, 0, 'unless somebody has looked');
$uat->sql('ALTER TABLE article DROP author_again; ALTER TABLE article ADD author_again text GENERATED ALWAYS AS (upper(author)) STORED', 'app');

# NOT NULL: an empty tsvector takes its place.
$_->sql(q{UPDATE article SET words = '' WHERE words IS NULL; ALTER TABLE article ALTER words SET NOT NULL}, 'app') for $production, $uat;
(my $empty = $lines) =~ s/(column: words, strategy: )"null"/${1}constant, value: ""/;
like(prodsync(@plan, $config->("  tables:\n$article$person"))->{err}, qr/\{column: words, strategy: constant, value: ""\}/, 'a tsvector that is NOT NULL');
my $again = prodsync(@sync, $config->("  tables:\n$article$empty$person"));
is($again->{exit}, 0, 'becomes empty') or diag $again->{err};
is($uat->sql(q{SELECT count(*) FROM article WHERE words = ''}, 'app'), 2, 'in every row');

# ---- fields of composite types ----
my $mask = sub { my ($value, $strategy) = @_; return $uat->sql("SELECT sync_set_key('$ENV{PRODSYNC_KEY}'); SELECT sync_mask('$value', '$strategy')", 'app') =~ s/^\n//r };
is($uat->sql('SELECT (home).street, (home).country, ((home).geo).height FROM person WHERE id = 1', 'app'), '[REDACTED]|DE|7', 'a field is masked, others are as they were');
is($uat->sql('SELECT (home).zip FROM person WHERE id = 1', 'app'), $mask->('12345', 'postcode'), 'the mask is that of a column');
is($uat->sql('SELECT ((home).geo).place FROM person WHERE id = 1', 'app'), $mask->('Zq7 hill', 'city'), 'a field of a field');
is($uat->sql('SELECT (home).mails FROM person WHERE id = 1', 'app'), '{' . $mask->('zq7@raw.example', 'email') . ',NULL,""}', 'a field that is an array');
is($uat->sql('SELECT others[1].street, others[1].country, others[1].zip IS NULL, others[2] IS NULL FROM person WHERE id = 1', 'app'), '[REDACTED]|FR|t|t', 'an array of composite values');
is($uat->sql('SELECT (home).street IS NULL, (home).zip, (home).geo IS NULL, (home).mails, others FROM person WHERE id = 2', 'app'), 't||t|{}|{}', 'NULL and empty fields are kept');
is($uat->sql('SELECT home IS NULL AND others IS NULL FROM person WHERE id = 3', 'app'), 't', 'NULL is kept');
is($uat->sql('SELECT count(*) FROM person AS p WHERE p::text ILIKE $$%zq7%$$', 'app'), 0, 'nothing raw in the row');
is($uat->sql(q{SELECT count(*) FROM sync_run_checks WHERE NOT ok}, 'app'), 0, 'every check is ok');
my $refused = sub {
	my ($rule, $expected, $name) = @_;
	my $plan = prodsync(@plan, file('prodsync.yaml', environments() . "anonymize:\n  policy: none\n  tables:\n    person:\n      - {$rule}\n"));
	is($plan->{exit}, 5, "$name: exit 5");
	like($plan->{err}, $expected, "$name: said");
};
$refused->('column: home, path: "$.stret", strategy: redact', qr/the path \$\.stret names no field of person\.home.*fields: street, zip, country, geo\.place, geo\.height, mails/s, 'a field that is not there');
$refused->('column: home, path: "$.geo.height", strategy: email', qr/person\.home\.geo\.height is integer, which strategy email does not take/, 'a strategy that does not take the field');
$refused->('column: home, path: "$.zip", strategy: hash', qr/person\.home\.zip is too short for strategy hash: it gives 16 characters, the column holds 10/, 'a field that is too short');

# ---- M8: groups ----
is($uat->sql(q{SELECT count(*) FROM person WHERE whole = first || ' ' || last AND mail LIKE lower(first || '.' || last || '.') || '%@example.com'}, 'app'), 3, 'M8: names and e-mail address are one person\'s');
is($uat->sql('SELECT count(DISTINCT mail) FROM person', 'app'), 3, 'of each row another one');
is($uat->sql('SELECT count(DISTINCT blind), count(DISTINCT cipher), count(DISTINCT (blind, cipher)) FROM person', 'app'), '2|2|2', 'M8: an encrypted column changes with its blind index');
is($uat->sql('SELECT count(*) FROM person p JOIN person q USING (blind) WHERE p.cipher <> q.cipher', 'app'), 0, 'what is found by the index is the same value');
my $calls = 'SELECT count(*), sum(seconds), min(seconds), count(DISTINCT line.id) FROM call JOIN line ON from_phone = phone';
is($uat->sql($calls, 'app'), $production->sql($calls, 'app'), 'M8: one column equals another table\'s phone, as it did');
is($uat->sql(q{SELECT count(*) FROM line WHERE phone LIKE '+491510001%'}, 'app'), 0, 'M8: which is masked');
done_testing();
