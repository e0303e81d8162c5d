# Rules for parts of values (JSON documents, arrays, hstore), for rows (when), for persons (entity), for columns by pattern, and values that production
# itself makes (sql): what arrives is what the rules say, and the target never sees their SQL.
use strict;
use warnings;
use Gate;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
$uat->restart('log_statement=all', 'log_min_messages=info');
$_->sql(<<'SQL', 'app') for $production, $uat;
CREATE EXTENSION hstore;
CREATE TABLE person (id bigint PRIMARY KEY, staff boolean NOT NULL, email text, nick text, about jsonb, raw_about json, mails text[], extra hstore, born date,
	backup_email varchar(64), email_verified boolean,
	badge character(100), remark text, tags varchar(20)[]);
CREATE TABLE note (id int PRIMARY KEY, person_id bigint REFERENCES person, email text, text_form regclass);
SQL
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
$production->sql(<<'SQL', 'app');
INSERT INTO person VALUES
	(1, false, 'a@raw.example', 'Raw One', '{"mail": "a@raw.example", "tags": ["raw", {"mail": "b@raw.example"}], "n": 1.50, "ok": true}', '{"mail":  "a@raw.example", "mail": "c@raw.example"}',
		'{a@raw.example,NULL,""}', 'mail=>a@raw.example, plain=>open', '1980-02-29', 'a@raw.example', true, 'raw badge', 'raw remark', '{raw}'),
	(2, true, 'boss@open.example', 'Boss', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, repeat('a longer remark ', 9), NULL),
	(3, false, '', '', '[]', '"plain"', '{}', '', 'infinity', '', false, NULL, NULL, NULL);
INSERT INTO note VALUES (1, 1, 'a@raw.example', 'person'), (2, NULL, 'other@raw.example', NULL), (3, 2, NULL, NULL);
SQL
$ENV{PRODSYNC_KEY} = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
my $rules = <<'YAML';
  tables:
    person:
      - {column: email, strategy: email, when: "NOT staff"}
      - {column: nick, strategy: name, entity: id}
      - {column: about, path: "$..mail", strategy: email}
      - {column: about, path: "$.tags[0]", strategy: redact}
      - {column: raw_about, path: "$.mail", strategy: email}
      - {column: mails, strategy: email}
      - {column: extra, path: "$.mail", strategy: email}
      - {column: badge, strategy: hash}
      - {column: remark, strategy: redact, when: "NOT staff"}
      - {column: born, strategy: sql, expression: "pg_catalog.date_trunc('year', born)"}
    note:
      - {column: text_form, strategy: none}
      - {column: email, strategy: email, entity: person_id}
YAML
my $config = sub { my ($text) = @_; return file('prodsync.yaml', environments() . "anonymize:\n  policy: none\n$text") };
my $patterns = "  columns:\n    \"*email*\": {strategy: email}\n";
my @sync = qw(sync --from production --to uat --yes --config);
my $done = prodsync(@sync, $config->($patterns . $rules));
is($done->{exit}, 0, 'a refresh with rules for parts') or diag $done->{err};

my $mask = sub { my ($value, $strategy) = @_; return $uat->sql("SELECT sync_set_key('$ENV{PRODSYNC_KEY}'); SELECT sync_mask('$value', '" . ($strategy // 'email') . "')", 'app') =~ s/^\n//r };
my ($a, $b, $c) = map { $mask->("$_\@raw.example") } qw(a b c);
like($a, qr/^user_[0-9a-f]{16}\@example.com$/, 'the mask of an address');
my $row = sub { my ($columns, $id, $table) = @_; $table //= 'person'; return $uat->sql("SELECT $columns FROM $table WHERE id = $id", 'app') };
is($row->('email', 1), $a, 'when: rows of the condition are masked');
is($row->('email', 2), 'boss@open.example', 'others are not');
is($row->('nick', 1), $mask->(1, 'name'), 'M8: entity: what belongs to one row changes together');
is($row->('nick', 3), '', 'the empty string stays empty');
is($row->('about', 1), qq({"n": 1.50, "ok": true, "mail": "$a", "tags": ["[REDACTED]", {"mail": "$b"}]}), 'jsonb by path');
is($row->('raw_about', 1), qq({"mail": "$a", "mail": "$c"}), 'json by path, both of two members of one name');
is($row->('raw_about', 3), '"plain"', 'a document without the path');
is($row->('mails', 1), qq({$a,NULL,""}), 'an array, element by element');
is($row->('extra', 1), qq("mail"=>"$a", "plain"=>"open"), 'an hstore by key');
is($row->('born', 1), '1980-01-01', 'sql: production made it');
like($row->('badge', 1), qr/^[0-9a-f]{16} *$/, 'a value that is padded has the form of its mask');
is($row->('remark', 1) . length $row->('remark', 2), '[REDACTED]144', 'and a long one that a condition leaves alone is none');
is($row->('backup_email', 1), $a, 'a pattern masks what the table has no rule for');
is($row->('email_verified', 1), 't', 'but no type that the strategy does not take');
is($row->('email', 1, 'note'), $mask->(1), 'entity in a table that travels as text');
is($row->('email', 2, 'note'), $mask->('other@raw.example'), 'an entity that is NULL: the value itself');
is($uat->sql(q{SELECT count(*) FROM sync_run_checks WHERE NOT ok}, 'app'), 0, 'every check is ok');
unlike($uat->log, qr/date_trunc|NOT staff/, 'S5: no SQL of a rule reached the target');
like($uat->log, qr/SQL 1, which stays with the client/, 'what stands for it did');

# ---- what is wrong with a rule is said before anything is written ----
my @plan = qw(plan --from production --to uat --config);
my $refused = sub {
	my ($rule, $expected, $name) = @_;
	my $plan = prodsync(@plan, $config->("  tables:\n    person:\n      - {$rule}\n"));
	is($plan->{exit}, 5, "$name: exit 5") or diag $plan->{out};
	like("$plan->{out}$plan->{err}", $expected, "$name: said");
};
$refused->('column: about, strategy: email', qr/person\.about is jsonb, which strategy email does not take/, 'a text strategy for a document');
$refused->('column: nick, path: "$.a", strategy: email', qr/person\.nick is text, which has no parts/, 'a path into a text');
$refused->('column: about, path: "a.b", strategy: email', qr/the path a\.b in .* must begin with \$/, 'no path');
$refused->('column: about, path: "$.a", strategy: email, entity: id', qr/entity is for whole columns/, 'entity with a path');
$refused->('column: nick, strategy: name, entity: ids', qr/which production's table does not have.*id/s, 'an entity that is no column');
$refused->('column: nick, strategy: sql', qr/strategy sql needs expression/, 'no expression');
$refused->('column: nick, strategy: sql, expression: "nick2"', qr/the expression of the rule for person\.nick does not run in production: .*nick2/, 'an expression that does not run');
$refused->('column: nick, strategy: name, when: "staf"', qr/the condition \(when\) of the rule for person\.nick does not run/, 'a condition that does not run');
$refused->('column: about, path: "$.a", strategy: email}' . "\n      - {" . 'column: about, path: "$.a", strategy: redact', qr/two rules for person\.about/, 'two rules for one part');
$refused->('column: tags, strategy: email', qr/person\.tags is too short for strategy email: it gives 33 characters, the column holds 20/, 'elements that are too short');
$refused->('column: extra, path: "$.a.b", strategy: email', qr/person\.extra is .*hstore, whose keys have nothing below them/, 'a path into an hstore that names no key');
$refused->('column: nick, strategy: digits, entity: id', qr/strategy digits is made of the value itself, so entity has no effect/, 'an entity for a permutation');
my $order = prodsync(@plan, $config->("  columns: {\"*email*\": {strategy: email}, \"*\": {strategy: none}}\n"));
is($order->{exit}, 5, 'two patterns that say different things: exit 5');
like($order->{err}, qr/person\.email matches \*.* and \*.*which say different things/, 'said: no order decides');
is(prodsync(@plan, $config->("  columns: {\"*email*\": {strategy: email}, email: {strategy: hash}, backup_email: {strategy: hash}, email_verified: {strategy: none}}\n"))->{exit}, 0, 'a name comes before a pattern');
my $file_sql = prodsync(@plan, $config->(''), '--anonymization-config', file('rules.yaml', "person:\n  - {column: email, strategy: email, when: staff}\n"));
is($file_sql->{exit}, 5, 'S5: a rules file has no SQL');
like($file_sql->{err}, qr/a rules file has no SQL/, 'said');
is(prodsync(@plan, $config->("  tables:\n    person:\n      - {column: about, path: \"\$.a\", strategy: email, when: staff}\n      - {column: about, path: \"\$.b\", strategy: redact, when: staff}\n"))->{exit}, 0, 'one condition for all parts');
my $pattern = prodsync(@plan, $config->("  columns: {\"*emial*\": {strategy: email}}\n"));
is($pattern->{exit}, 5, 'a pattern that matches nothing: exit 5');
like($pattern->{err}, qr/no column of a copied table is called \*emial\*/, 'said');

# ---- a path that names nothing ----
my $typo = $rules =~ s/\$\.\.mail/\$..maill/r =~ s/extra, path: "\$\.mail"/extra, path: "\$.nail"/r;
my $warned = prodsync(@plan, $config->($patterns . $typo));
is($warned->{exit}, 0, 'a path that names nothing, policy: none') or diag $warned->{err};
like($warned->{out}, qr/warning: the rule for person\.about names \$\.\.maill, where a sample of 2 values of production has nothing/, 'is a warning under every policy');
unlike($warned->{out} . $warned->{err}, qr/looks? personal|raw\.example/, 'and nothing else is said of them');
$_->sql('CREATE TABLE doc (id int PRIMARY KEY, body jsonb); CREATE TABLE other (id int PRIMARY KEY, remark text)', 'app') for $production, $uat;
my $locker = $production->session('app');
$locker->query('BEGIN; LOCK TABLE doc, other IN ACCESS EXCLUSIVE MODE');
my $locked = prodsync(@plan, $config->("  tables: {doc: [{column: body, path: \"\$.mail\", strategy: email}]}\n"));
is($locked->{exit}, 0, 'locked documents are no reason to stop under policy: none') or diag $locked->{err};
like($locked->{out}, qr/warning: doc is locked in production: .* whether the paths of rules name anything there is not known/, 'but a warning; what has no paths is not sampled');
$locker->query('ROLLBACK'), $locker->quit;
$_->sql('DROP TABLE doc, other', 'app') for $production, $uat;
my $sampled = sub { my ($text) = @_; return file('prodsync.yaml', environments() . "anonymize:\n  policy: warn\n$text") };
$warned = prodsync(@plan, $sampled->($patterns . $typo));
is($warned->{exit}, 0, 'a path that names nothing is no problem') or diag $warned->{err};
like($warned->{out}, qr/warning: the rule for person\.about names \$\.\.maill, where a sample of 2 values of production has nothing; other rows were not looked at/, 'but a warning, which says how much was seen');
like($warned->{out}, qr/the rule for person\.extra names \$\.nail, where a sample of 1 value of production/, 'of hstore too');
unlike($warned->{out} . $warned->{err}, qr/names [^\n]*\$\.tags|for person\.raw_about|raw\.example/, 'nothing of paths that name something, and no value');
like(prodsync(@plan, $sampled->($patterns . $typo), '--format', 'json')->{out}, qr{"warnings":.*names \$\.\.maill, where}s, 'in JSON too');

# ---- plan --preview ----
my $preview = prodsync(@plan, $config->($patterns . $rules), '--preview', 2);
is($preview->{exit}, 0, 'plan --preview') or diag $preview->{err};
like($preview->{out}, qr/^person\n +row +email .*\n +1 +\Q$a\E +.*\n +2 +\(as it is\) /m, 'what masking makes of rows; what a condition leaves out is not shown');
unlike($preview->{out}, qr/raw\.example|open\.example|1980-02-29/, 'nothing raw');
like(prodsync(@plan, $config->($patterns . $rules), '--preview', 1, '--format', 'json')->{out}, qr/"preview".*\Q$b\E/s, 'in JSON');
# (what the rules leave alone in a document or an hstore is production's)
$production->sql(<<'SQL', 'app');
CREATE TABLE odd (id int PRIMARY KEY, doc jsonb, list text[], wide text, control text, nothing text, part text, story text, stories text[]);
INSERT INTO odd VALUES (1, '{"mail": "a@raw.example", "other": "zq5raw", "map": {"zq5raw@raw.example": {"mail": "b@raw.example"}}, "many": ["zq5raw", {"mail": "c@raw.example"}],
	"users": {"zqxuser": {"mail": "d@raw.example"}}, "by_name": {"zqxother": {"phone": "+49 171 1234567"}}, "told": "zq5raw wrote to e@raw.example"}',
	'{a@raw.example,"b@raw.example"}', repeat('zq5raw ä ', 40), E'zq5raw \033[31m\nx\u009b', NULL, E'\033zq5raw', 'zq5raw wrote to a@raw.example', '{"zq5raw wrote to a@raw.example"}');
SQL
$uat->sql('CREATE TABLE odd (id int PRIMARY KEY, doc jsonb, list text[], wide text, control text, nothing text, part text, story text, stories text[])', 'app');
my $odd = "  tables:\n    odd:\n" . join '', map { "      - {column: $_}\n" } 'doc, path: "$..mail", strategy: email', 'doc, path: "$.by_name.*.phone", strategy: redact', 'doc, path: "$.told", strategy: free_text',
	'story, strategy: free_text', 'stories, strategy: free_text', 'list, strategy: email', 'wide, strategy: shape', 'control, strategy: shape', 'nothing, strategy: redact',
	'part, strategy: partial, first: 1';
for my $format ('text', 'json') {
	my $shown = prodsync(@plan, $config->($odd), '--preview', 1, '--format', $format);
	is($shown->{exit}, 0, "preview of odd values as $format") or diag $shown->{err};
	unlike($shown->{out}, qr/zq5raw|zqx|raw\.example/, 'nothing raw in it: neither in the rest of a document nor in its keys');
	unlike($shown->{out} =~ s/\n//gr, qr/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]/, 'no control character');
	like($shown->{out}, $format eq 'json' ? qr/mail\W+\Q$a\E.*\(as it / : qr/mail\W+user_/, 'a document by its parts');
	like($shown->{out}, qr/\{\W+\Q$a\E\W+user_/, 'an array');
	is(() = $shown->{out} =~ /"?\(masked in parts\)/g, $format eq 'json' ? 3 : 2, 'free_text: the words that it leaves are production\'s, in an array and a document too');
}
my ($wide) = prodsync(@plan, $config->($odd), '--preview', 1)->{out} =~ /^odd\n(.*\n.*\n)/m;
like($wide // '', qr/\.\.\. /, 'wide values are cut');
like($wide // '', qr/ NULL /, 'NULL is told');
my $in_raw = prodsync_on_terminal(@plan, $config->($odd), '--preview', 1, '--show-raw');
like($in_raw->{out}, qr/zq5raw \\x1b\[31m\\nx\\x9b/, 'with --show-raw, control characters of production reach no terminal') or diag $in_raw->{out};
$_->sql('DROP TABLE odd', 'app') for $production, $uat;
is(prodsync(@plan, $config->($rules), '--show-raw')->{exit}, 2, '--show-raw without --preview: a usage error');
my $no_terminal = prodsync(@plan, $config->($rules), '--preview', 1, '--show-raw');
is($no_terminal->{exit}, 2, '--show-raw without a terminal is refused');
like($no_terminal->{err}, qr/shows production's values, and this is no terminal/, 'and said');
my $raw = prodsync_on_terminal(@plan, $config->($patterns . $rules), '--preview', 1, '--show-raw');
like($raw->{out}, qr/production +a\@raw\.example.*\n.* masked +\Q$a\E/, 'on a terminal: before and after') or diag $raw->{out};

# ---- E2: what cannot be masked ends the run ----
$production->sql(q{INSERT INTO person (id, staff, raw_about) VALUES (9, false, '"\ud800"')}, 'app');
my $before = $uat->sql('SELECT count(*) FROM person', 'app');
my $stopped = prodsync(@sync, $config->($rules));
is($stopped->{exit}, 6, 'a document that cannot be read ends the run') or diag $stopped->{out};
like($stopped->{err}, qr/person\.raw_about: the rule cannot mask a value that is no JSON document/, 'the column is named');
unlike($stopped->{err}, qr/d800/, 'the value is not');
is($uat->sql('SELECT count(*) FROM person', 'app'), $before, 'the target is as it was');
done_testing();
