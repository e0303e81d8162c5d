# prodsync anonymize: a database that was restored from a snapshot of production is masked where it stands. No raw value is left in its files, nobody who
# writes meanwhile loses anything, and what a failure leaves is the database as it was.
use strict;
use warnings;
use File::Find ();
use JSON::PP;
use Prodsync;
use Test::More;

my $uat = clusters([ 'uat', 'autovacuum=off' ]);
my $raw = 'zq7raw';    # in every personal value
my $key = 'a1' x 31 . 'b2';

# A database as a restore leaves it, with the extension and its label.
sub restored
{
	my ($db) = @_;
	$uat->sql("CREATE DATABASE $db");
	$uat->sql(<<SQL, $db);
CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN INSERT INTO audit VALUES (TG_TABLE_NAME || TG_OP); RETURN coalesce(NEW, OLD); END\$\$;
CREATE TABLE audit (what text);
CREATE TABLE contact (id int PRIMARY KEY, email text);
CREATE TABLE country (code text PRIMARY KEY);
CREATE TABLE tenant (id serial PRIMARY KEY, slug text UNIQUE);
CREATE TABLE customer (id bigserial PRIMARY KEY, tenant_id int REFERENCES tenant, country text REFERENCES country, email text UNIQUE, name varchar(60), phone text, iban text,
	mails text[], about jsonb, born date, note text, staff boolean NOT NULL DEFAULT false, shown text GENERATED ALWAYS AS (lower(name)) STORED);
ALTER TABLE customer ALTER note SET STORAGE EXTERNAL;
CREATE INDEX ON customer (lower(email));
CREATE INDEX ON customer (name);
CREATE STATISTICS customer_both (mcv) ON name, phone FROM customer;
CREATE TRIGGER fired BEFORE INSERT OR UPDATE OR DELETE ON customer FOR EACH ROW EXECUTE FUNCTION fired();
CREATE TABLE login (email text REFERENCES customer (email) ON UPDATE CASCADE, at int, PRIMARY KEY (email, at));
CREATE TABLE visit (id int, at date NOT NULL, who text, customer_id bigint REFERENCES customer) PARTITION BY RANGE (at);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM ('2021-01-01') TO ('2030-01-01');
CREATE TABLE queue (id int PRIMARY KEY, body text, customer_id bigint REFERENCES customer);
CREATE TABLE queue_log (id int PRIMARY KEY, queue_id int REFERENCES queue);
CREATE TABLE orders (id int PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer, total numeric);
INSERT INTO country VALUES ('DE'), ('FR');
INSERT INTO tenant (slug) VALUES ('acme'), ('test_one');
INSERT INTO customer (tenant_id, country, email, name, phone, iban, mails, about, born, note, staff)
	SELECT 1 + i % 2, 'DE', '$raw' || i || '\@leak.test', '$raw name ' || i % 50, '+49 $raw ' || i % 20, 'DE89370400440532013000', ARRAY['$raw' || i || '\@arr.test'],
		jsonb_build_object('mail', '$raw' || i || '\@json.test', 'n', i), '1980-01-01'::date + i, repeat('$raw ' || i || ' ', 600), i = 1 FROM generate_series(1, 2000) AS i;
INSERT INTO login SELECT email, 1 FROM customer;
INSERT INTO visit SELECT i, '2020-06-01'::date + i, '$raw' || i, i FROM generate_series(1, 500) AS i;
INSERT INTO queue SELECT i, '$raw mail ' || i, i FROM generate_series(1, 100) AS i;
INSERT INTO queue_log VALUES (1, 1), (2, NULL);
INSERT INTO orders SELECT i, i, i FROM generate_series(1, 2000) AS i;
CREATE MATERIALIZED VIEW addresses AS SELECT id, email FROM customer;
CREATE UNIQUE INDEX ON addresses (id);
TRUNCATE audit;
ANALYZE;
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);
SQL
	$ENV{PRODSYNC_TARGET} = $uat->dsn($db);
	return $db;
}

my $rules = <<'YAML';
    customer:
      - {column: email, strategy: email}
      - {column: name, strategy: full_name}
      - {column: phone, strategy: phone}
      - {column: iban, strategy: iban}
      - {column: mails, strategy: email}
      - {column: about, path: "$.mail", strategy: email}
      - {column: born, strategy: date_shift, entity: id}
      - {column: note, strategy: sql, expression: "'note of ' || t.id"}
    login:
      - {column: email, strategy: email}
    visit:
      - {column: who, strategy: redact}
      - {column: at, strategy: date_truncate}
YAML
# tenants and users are a refresh's: in place every row is production's.
sub config
{
	my ($masked, $more, $policy) = @_;
	return file('anonymize.yaml', <<"YAML" . ($more // ''));
environments: {uat: {dsn: "\${PRODSYNC_TARGET}"}}
tenants: {table: tenant, keep: "slug LIKE 'test%'"}
tables:
  queue: {mode: empty}
  queue_log: {references: {queue_id: {on_missing: null}}}
anonymize:
  policy: @{[$policy // 'none']}
  tables:
${\ ($masked // $rules)}
YAML
}
sub anonymize { my ($config, @more) = @_; return prodsync('anonymize', '--to', 'uat', '--config', $config, '--jobs', '2', @more) }

# Files of the database in which the text is.
sub files_with
{
	my ($db, $text) = @_;
	$uat->sql('CHECKPOINT', $db);
	my $dir = $uat->sql('SHOW data_directory') . '/base/' . $uat->sql("SELECT oid FROM pg_database WHERE datname = '$db'");
	my @found;
	File::Find::find(sub { push @found, $_ if -f && index(slurp($_), $text) >= 0 }, $dir);
	return sort @found;
}
sub digest { my ($db) = @_; return $uat->sql(join(' UNION ALL ', map { "SELECT '$_ ' || md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM $_ t" } qw(customer login visit queue queue_log orders tenant audit)), $db) }
sub shadows { my ($db) = @_; return $uat->sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relkind = 'r' AND relname LIKE 's\\_%'", $db) }
sub like_all { my ($text, @patterns) = @_; my $name = pop @patterns; my @missing = grep { $text !~ $_ } @patterns; ok(!@missing, $name) or diag("without @missing:\n$text"); return }

$ENV{PRODSYNC_KEY} = $key;
my $db = restored('one');
my $before = digest($db);

# ---- bad input ----
{
	my $run = anonymize(config('    {}'), '--yes');
	is($run->{exit}, 5, 'no rule: refused');
	like($run->{err}, qr/no rule masks a column of uat/, '... and says so');
	delete local $ENV{PRODSYNC_KEY};
	$run = anonymize(config(), '--yes');
	is($run->{exit}, 5, 'no key: refused');
	like($run->{err}, qr/no masking key/, '... and says so');
}
{
	my $run = anonymize(config(undef, undef, 'strict'), '--yes');
	is($run->{exit}, 5, 'C6: strict: a column that looks personal, in a table that no rule masks, stops it');
	like($run->{err}, qr/contact:\n.*column: email/, '... with the rule to paste');
	$run = anonymize(config("    login:\n      - {column: email, strategy: email}\n"), '--yes');
	is($run->{exit}, 5, 'a reference of which only one end is masked is refused');
	like($run->{err}, qr/would break/, '... and says so');
	$run = anonymize(config("    queue_log:\n      - {column: id, strategy: digits}\n", '') , '--tables', 'orders', '--yes');
	is($run->{exit}, 5, '--tables without a rule among them: refused');
	my $kept = config("    customer:\n      - {column: email, strategy: email}\n");
	my $yaml = slurp($kept);
	$yaml =~ s/^tables:/tables:\n  customer: {mode: keep}/m;
	$run = anonymize(file('kept.yaml', $yaml), '--yes');
	is($run->{exit}, 5, 'a rule for a kept table is refused');
	like($run->{err}, qr/the table is kept/, '... and says so');
	$yaml =~ s/strategy: email/strategy: none/;
	$yaml =~ s/policy: none/policy: strict/;
	$run = anonymize(file('kept.yaml', $yaml), '--yes');
	like($run->{err}, qr/customer\.name.* look personal, and the mode is keep/, 'a kept table that looks personal stops it: here its rows are production\'s');
	is(prodsync('anonymize', '--to', 'uat', '--config', config())->{exit}, 2, 'nobody to ask: --yes');
	is(prodsync('anonymize', '--from', 'uat', '--to', 'uat', '--config', config())->{exit}, 2, 'there is no source');
	$uat->sql("SELECT sync_set_environment('uat', false)", $db);
	$run = anonymize(config(), '--yes');
	is($run->{exit}, 4, 'not labelled as refreshable: refused');
	$uat->sql("SELECT sync_set_environment('production', true)", $db);
	is(anonymize(config(), '--yes')->{exit}, 4, 'another label than --to says: refused');
	$uat->sql("SELECT sync_set_environment('uat', true)", $db);
}
my $plan = anonymize(config(), '--dry-run');
is($plan->{exit}, 0, 'the plan') or diag($plan->{err});
like_all($plan->{out}, qr/customer +2,000 +masked: email, name/, qr/queue +100 +about 100 rows removed/, qr/orders .* stays as it is \(no rule masks it\)/, qr/writes to a table that is rewritten waits/, qr/Raw values may still be in: WAL/,
	'... says what is masked, emptied, stays, who waits, and where raw values may remain');
is(digest($db), $before, 'nothing was changed so far');
is(anonymize(config(), '--rehearse')->{exit}, 0, '--rehearse');
is(digest($db), $before, '... changes nothing');
is(shadows($db), 0, '... and leaves nothing');

# ---- killed at work, and writers meanwhile ----
# Foreign keys into country, which stays, are verified when customer is loaded: a lock there stops the run while writers are held.
sub begin_at_gate
{
	my ($config, $jobs) = @_;
	my $gate = $uat->session($db);
	$gate->query('BEGIN; LOCK country IN ACCESS EXCLUSIVE MODE');
	my $run = start_prodsync('anonymize', '--to', 'uat', '--config', $config, '--jobs', $jobs // 2, '--yes');
	wait_until(60, sub { !$run->running || $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'country'::regclass AND NOT granted", $db) > 0 });
	ok($run->running, 'it is at work') or diag($run->err);
	return ($gate, $run);
}
{
	my ($gate, $run) = begin_at_gate(config());
	is($uat->sql("SELECT count(*) FROM customer WHERE email LIKE '$raw%'", $db), 2000, 'readers go on and see what was');
	my $writer = $uat->session($db);
	$writer->send("INSERT INTO customer (email, name) VALUES ('$raw\@late.test', 'late')");
	ok(wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'customer'::regclass AND NOT granted AND mode = 'RowExclusiveLock'", $db) }), 'a writer waits');
	$run->signal('KILL');
	$gate->query('ROLLBACK');
	$writer->receive;
	is($writer->error, '', '... and goes on when the client is killed');
	$uat->sql("SET session_replication_role = replica; DELETE FROM customer WHERE email = '$raw\@late.test'; DELETE FROM audit", $db);
	is(digest($db), $before, 'kill -9: the database is what it was');
	is(prodsync('clean', '--to', 'uat', '--config', config())->{exit}, 0, 'prodsync clean');
	is(shadows($db), 0, '... drops what it left');
}
{
	# A transaction that has read and waits to write, and we for it: nobody can go on.
	my ($gate, $run) = begin_at_gate(config(undef, "lock_wait: 1s\n"));
	my $tester = $uat->session($db);
	$tester->query('BEGIN; SELECT count(*) FROM customer');
	$tester->send("UPDATE customer SET born = born WHERE id = 7");
	wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'customer'::regclass AND NOT granted", $db) });
	$gate->query('ROLLBACK');
	my $done = $run->wait;
	is($done->{exit}, 4, 'a transaction that has read and waits to write: given up after lock_wait');
	like($done->{err}, qr/customer is in use, by pid \d+.*uat was not changed/, '... naming it');
	$tester->receive;
	is($tester->error, '', '... which goes on');
	$tester->query('ROLLBACK');
	$uat->sql('DELETE FROM audit', $db);
	is(digest($db), $before, '... and nothing was changed');

	($gate, $run) = begin_at_gate(config(undef, "lock_wait: 1s\non_lock: cancel\n"));
	$tester->query('BEGIN; SELECT count(*) FROM customer');
	$tester->send("UPDATE customer SET born = born WHERE id = 7");
	wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'customer'::regclass AND NOT granted", $db) });
	my $writer = $uat->session($db);
	$writer->send("INSERT INTO customer (email, name) VALUES ('$raw\@late.test', 'late')");
	wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'customer'::regclass AND NOT granted", $db) > 1 });
	$gate->query('ROLLBACK');
	$done = $run->wait;
	is($done->{exit}, 0, 'on_lock: cancel ends its statement') or diag($done->{err});
	$tester->receive;
	like($tester->error, qr/cancel/, '... and the transaction hears of it');
	$tester->query('ROLLBACK');
	$writer->receive;
	is($writer->error, '', 'a writer that waited writes afterwards');
	is($uat->sql("SELECT count(*) FROM customer WHERE email = '$raw\@late.test'", $db), 1, '... and its row is there, raw: it came later');
	$uat->sql("DELETE FROM customer WHERE email = '$raw\@late.test'; VACUUM FULL", $db);
	is($uat->sql("SELECT count(*) FROM customer WHERE email LIKE '$raw%'", $db), 0, '... all others are masked');
	my $json = prodsync('anonymize', '--to', 'uat', '--config', config("    visit:\n      - {column: who, strategy: hash}\n"), '--yes', '--format', 'json');
	is($json->{exit}, 0, 'a second run') or diag($json->{err});
	my $said = decode_json($json->{out});
	is_deeply([ @$said{qw(command ok anonymized total_rows)}, scalar @{ $said->{may_remain} } ], [ 'anonymize', JSON::PP::true, JSON::PP::true, 502, 8 ], '... masks what is there, and says it as JSON');
	is($uat->sql("SELECT count(DISTINCT who) || ' ' || max(length(who)) FROM visit", $db), '1 16', '... masks of masks, as alike as the masks were');
}

# ---- all of it ----
$db = restored('two');
isnt(scalar(my @found = files_with($db, $raw)), 0, 'raw values are in its files');
my $old = $uat->sql("SELECT email FROM customer WHERE id = 5", $db);
my $shift = $uat->sql("SELECT string_agg(born::text, ',' ORDER BY id) FROM customer WHERE id < 4", $db);
my $run = anonymize(config(), '--yes');
is($run->{exit}, 0, 'masked in place') or diag($run->{err});
like_all($run->{out}, qr/uat masked in place in .*: 4,50\d rows, .*; 11 columns masked/, qr/nobody reading uat waited longer/, qr/emptied tables +1 checked, +0 broken/, qr/Raw values may still be in/, '... the report');
unlike($run->{out} . $run->{err}, qr/$raw/, '... shows no value');
is_deeply([ files_with($db, $raw) ], [], 'C1: no raw value is left in a heap, an index, a TOAST table, a statistic or a view\'s file');
is($uat->sql('SELECT count(*) FROM audit', $db), 0, 'no trigger fired');
is($uat->sql('SELECT (SELECT count(*) FROM queue), count(*), count(queue_id) FROM queue_log', $db), '0|2|0', 'C7, E16: the queue is empty, what referenced it lets go');
is($uat->sql('SELECT count(*) FROM customer c JOIN login l USING (email) JOIN orders o ON o.customer_id = c.id', $db), 2000, 'keys and references hold');
is($uat->sql("SELECT count(DISTINCT email), min(id), max(id), bool_and(shown = lower(name)), bool_and(note = 'note of ' || id), count(DISTINCT tenant_id) FROM customer", $db), '2000|1|2000|t|t|2',
	'ids stay, kept tenants are masked as well, generated columns follow, SQL of rules runs');
is($uat->sql("SELECT count(*) FROM customer WHERE about ->> 'mail' LIKE 'user\\_%\@example.com' AND (about ->> 'n')::int = id AND mails[1] LIKE 'user\\_%'", $db), 2000, 'parts of documents and elements of arrays');
isnt($uat->sql("SELECT string_agg(born::text, ',' ORDER BY id) FROM customer WHERE id < 4", $db), $shift, 'dates are shifted');
is($uat->sql("SELECT tableoid::regclass, count(*), count(DISTINCT who), bool_and(extract(day FROM at) = 1) FROM visit GROUP BY 1 ORDER BY 1", $db), "visit_1|213|1|t\nvisit_2|287|1|t",
	'a masked partition key: rows find their partition');
is($uat->sql("SELECT count(*) FROM addresses a JOIN customer USING (id, email)", $db), 2000, 'the materialized view is refreshed');
is($uat->sql("SELECT nextval('customer_id_seq')", $db), 2001, 'sequences go on');
is($uat->sql("SELECT count(*) FROM pg_stats_ext WHERE most_common_vals IS NOT NULL", $db), 1, 'extended statistics are gathered again');
is($uat->sql("SELECT string_agg(kind || ' ' || status, ',') FROM sync_runs", $db), 'anonymize done', 'the ledger has it');
is($uat->sql("SELECT count(*) FROM sync_check() WHERE NOT ok AND check_name <> 'kept tenants'", $db), 0, 'sync_check() finds nothing');
is(shadows($db), 0, 'nothing is left');
$uat->sql("SELECT sync_set_key('$key')", $db);
is($uat->sql("SELECT sync_set_key('$key'); SELECT email = sync_mask('$old', 'email') FROM customer WHERE id = 5", $db), "\nt", 'the masks are those of a refresh');

# ---- killed after the switch ----
$db = restored('three');
{
	my $reader = $uat->session($db);
	$reader->query('BEGIN; SELECT count(*) FROM addresses');    # its refresh waits
	my $killed = start_prodsync('anonymize', '--to', 'uat', '--config', config(), '--yes');
	wait_until(60, sub { !$killed->running || $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'addresses'::regclass AND NOT granted", $db) > 0 });
	$killed->signal('KILL');
	$reader->query('ROLLBACK');
	is($uat->sql("SELECT count(*) FROM customer WHERE email LIKE '$raw%'", $db), 0, 'kill -9 after the switch: it is masked');
	is($uat->sql('SELECT status FROM sync_runs', $db), 'switched', '... and something is owed');
	my $clean = prodsync('clean', '--to', 'uat', '--config', config());
	is($clean->{exit}, 0, 'prodsync clean') or diag($clean->{err});
	is($clean->{out}, "run 1: materialized view addresses is refreshed\nrun 1: the files of the statistics are written anew\nrun 1 was switched: its old storage is dropped, it is done\n", '... says what it has done');
	is($uat->sql('SELECT status FROM sync_runs', $db), 'done', '... does the rest');
	is_deeply([ files_with($db, $raw) ], [], '... until no raw value is left');
}

# ---- a view that cannot be refreshed ----
$db = restored('four');
{
	$uat->sql("CREATE FUNCTION broken() RETURNS int LANGUAGE plpgsql AS \$\$BEGIN RAISE 'broken'; END\$\$; "
		. "CREATE TABLE mode (raises boolean); INSERT INTO mode VALUES (false); CREATE MATERIALIZED VIEW never AS SELECT CASE WHEN raises THEN broken() ELSE 1 END AS one FROM mode; UPDATE mode SET raises = true", $db);
	my $unanalyzable = $uat->sql('SHOW server_version_num') >= 140000;    # statistics of expressions
	$uat->sql("CREATE FUNCTION refuses(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS \$\$BEGIN RAISE 'refused'; END\$\$; CREATE STATISTICS refused ON (refuses(name)) FROM customer", $db) if $unanalyzable;
	like($uat->psql('ANALYZE customer', $db)->{err}, qr/refused/, 'a table whose ANALYZE fails') if $unanalyzable;
	my $run = anonymize(config(), '--yes');
	is($run->{exit}, 10, 'a materialized view that cannot be refreshed: exit 10');
	is($uat->sql("SELECT status FROM sync_run_steps WHERE kind = 'clean'", $db), 'done', 'statistics that cannot be gathered do not keep their files from being written anew');
	like($run->{err}, qr/uat is masked, but something afterwards failed.*materialized view never was not refreshed/s, '... names it');
	like($run->{out}, qr/^  note: statistics of public\.customer could not be gathered: ANALYZE public\.customer; says why$/m, '... and tables whose statistics could not be gathered, with what to type') if $unanalyzable;
	is_deeply([ files_with($db, $raw) ], [], '... and all else is clean');
}

# ---- somebody waits to change a table while writers are held: he for us, we behind him, a circle that no server sees ----
$db = restored('five');
$before = digest($db);
{
	$uat->sql("ALTER DATABASE $db SET lock_timeout = '10s'", $db);
	my ($gate, $run) = begin_at_gate(config(), 1);
	my $admin = $uat->session($db);
	$admin->query('SET lock_timeout = 0');
	$admin->send('ALTER TABLE visit ADD late text');
	ok(wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_locks WHERE relation = 'visit'::regclass AND NOT granted AND mode = 'AccessExclusiveLock'", $db) }), 'an ALTER TABLE waits for the run');
	$gate->query('ROLLBACK');
	my $done = $run->wait;
	is($done->{exit}, 4, '... which does not wait behind it without end') or diag($done->{err});
	like($done->{err}, qr/waits to change or truncate.*nothing was changed/s, '... and says so');
	$admin->receive;
	is($admin->error, '', '... and it goes on');
	$uat->sql("ALTER TABLE visit DROP late; ALTER DATABASE $db RESET lock_timeout", $db);
	is(digest($db), $before, '... nothing was changed');
	is(shadows($db), 0, '... and nothing is left');
}
# ---- what is owed after the switch is done by the next command; tables of extensions are named ----
{
	$uat->sql("CREATE TABLE job (command text); INSERT INTO job VALUES ('$raw'); ALTER EXTENSION plpgsql ADD TABLE job; CREATE FUNCTION broken() RETURNS int LANGUAGE plpgsql AS \$\$BEGIN RAISE 'broken'; END\$\$; "
		. "CREATE TABLE mode (raises boolean); INSERT INTO mode VALUES (false); CREATE MATERIALIZED VIEW never AS SELECT CASE WHEN raises THEN broken() ELSE 1 END AS one FROM mode; UPDATE mode SET raises = true", $db);
	# as pg_extension_config_dump() marks them: rows of projections come with the extension, but for some; in settings they are the user's
	$uat->sql("CREATE TABLE projections (id int, of_user boolean); INSERT INTO projections VALUES (1, false); CREATE TABLE settings (what text); INSERT INTO settings VALUES ('x'); CREATE TABLE unused (); ANALYZE;
		ALTER EXTENSION plpgsql ADD TABLE projections; ALTER EXTENSION plpgsql ADD TABLE settings; ALTER EXTENSION plpgsql ADD TABLE unused;
		UPDATE pg_extension SET extconfig = ARRAY['settings', 'projections']::regclass[]::oid[], extcondition = ARRAY['', 'WHERE of_user'] WHERE extname = 'plpgsql'", $db);
	my $plan = anonymize(config(), '--ephemeral-key', '--dry-run');
	like_all($plan->{out}, qr/tables of extensions are not masked: job \(plpgsql\), settings \(plpgsql\)$/m, qr/Run it: .* --ephemeral-key$/m, 'the plan names tables of extensions, and the command that was planned');
	is(anonymize(config(), '--yes')->{exit}, 10, 'a view that cannot be refreshed');
	my @clean = ('clean', '--to', 'uat', '--config', config());
	my $not_yet = prodsync(@clean);
	is($not_yet->{exit}, 10, '... nor by prodsync clean');
	is($not_yet->{out}, '', '... which does not say that there is nothing to clean');
	$uat->sql('UPDATE mode SET raises = false', $db);
	my $finished = prodsync(@clean, '--format', 'json');
	is($finished->{exit}, 0, '... until it can');
	my $details = decode_json($finished->{out})->{details};
	is_deeply([ map { [ @$_{qw(was finished)} ] } @$details ], [ [ 'done', ['materialized view never is refreshed'] ] ], '... and says so');
	is(prodsync(@clean)->{out}, "uat: nothing to clean\n", '... once');
	is($uat->sql("SELECT count(*) FROM sync_run_steps WHERE run = (SELECT max(run) FROM sync_runs) AND kind IN ('refresh', 'clean') AND status <> 'done'", $db), 0, '... and nothing is owed');
	$uat->sql(q{SELECT sync_configure('{"users": {"table": "customer", "match": ["email"], "fallback": "id = 1"}}'); SELECT sync_remap_users()}, $db);
	is($uat->sql('SELECT min(customer_id), max(customer_id) FROM visit', $db), '1|1', 'rows that a run masked were not remapped by it: sync_remap_users() maps them');
}

done_testing;
