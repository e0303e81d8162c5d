# Each kind of check fails once: by what production has, by what the target has, and by what somebody does to the target after the preflight,
# when only the switch itself can notice.
use strict;
use warnings;
use Test::More;
use Prodsync;
use Faults;

set_up();
my @late = (at => [ client => 'before the switch' ]);
sub uat { my ($sql) = @_; return sub { $uat->sql($sql, 'app') } }
sub production { my ($sql) = @_; return sub { $production->sql($sql, 'app') } }

# ---- production's rows do not fit ----
trial(name => 'foreign key: a parent is missing', exit => 6, says => qr/foreign key .*Order.*customer/,
	prepare => production('ALTER TABLE "Order" DROP CONSTRAINT "Order_customer_id_fkey"; UPDATE "Order" SET customer_id = 4711 WHERE id = 77'),
	undo => production('UPDATE "Order" SET customer_id = 1 + id % 120 WHERE id = 77; ALTER TABLE "Order" ADD CONSTRAINT "Order_customer_id_fkey" FOREIGN KEY (customer_id) REFERENCES customer'));
trial(name => 'unique key: twice in a small table', exit => 1, says => qr/23505.*ticket.*ticket_pkey/,
	prepare => production("ALTER TABLE ticket DROP CONSTRAINT ticket_pkey; INSERT INTO ticket VALUES ('T1', 1, 1000)"),
	undo => production('DELETE FROM ticket WHERE position = 1000; ALTER TABLE ticket ADD PRIMARY KEY (code)'));
trial(name => 'unique key: twice in a large table', exit => 1, says => qr/23505.*Order.*Order_pkey/,
	prepare => production('ALTER TABLE "Order" DROP CONSTRAINT "Order_pkey"; INSERT INTO "Order" SELECT * FROM "Order" WHERE id = 9000'),
	undo => production('DELETE FROM "Order" WHERE id = 9000 AND ctid <> (SELECT min(ctid) FROM "Order" WHERE id = 9000); ALTER TABLE "Order" ADD PRIMARY KEY (id)'));
trial(name => 'CHECK constraint', exit => 1, says => qr/23514.*customer.*customer_notes_check/,
	prepare => production("ALTER TABLE customer DROP CONSTRAINT customer_notes_check; UPDATE customer SET notes = 'no' WHERE id = 7"),
	undo => production("UPDATE customer SET notes = repeat(md5('c7'), 1) WHERE id = 7; ALTER TABLE customer ADD CHECK (notes <> 'no')"));
trial(name => 'NOT NULL', exit => 1, says => qr/23502.*country.*name/,
	prepare => production("ALTER TABLE country ALTER name DROP NOT NULL; UPDATE country SET name = NULL WHERE iso = 'FR'"),
	undo => production("UPDATE country SET name = 'France' WHERE iso = 'FR'; ALTER TABLE country ALTER name SET NOT NULL"));
trial(name => 'row count: fewer rows arrive than were sent', exit => 6, says => qr/row count|arrived/,
	prepare => uat(q{ALTER FUNCTION sync_loaded(integer, integer, bigint) RENAME TO really_loaded;
		CREATE FUNCTION sync_loaded(run integer, step integer, rows bigint) RETURNS void LANGUAGE sql AS 'SELECT public.really_loaded($1, $2, $3 + 1)'}),
	undo => uat('DROP FUNCTION sync_loaded(integer, integer, bigint); ALTER FUNCTION really_loaded(integer, integer, bigint) RENAME TO sync_loaded'));
trial(name => 'file node: a table of production is rewritten before it is read', at => [ client => 'started' ], exit => 1, says => qr/rewritten while it waited/,
	during => production('VACUUM FULL tenant'));

# ---- what is kept does not fit: found by the preflight, and by the switch when it happens after the preflight ----
my %wrong = (
	'collision: a kept row has a key of production' => [ qr/collision.*customer_email_key/,
		"UPDATE customer SET email = 'customer7\@example.com' WHERE id = 2", "UPDATE customer SET email = 'uat2\@example.com' WHERE id = 2" ],
	'supporting rows of other tenants' => [ qr/supporting rows of other tenants.*customer/,
		'UPDATE "Order" SET customer_id = 3 WHERE id = 6', 'UPDATE "Order" SET customer_id = 2 WHERE id = 6' ],
	# Nobody's foreign key looks at it: as after a restore that switched triggers off.
	'reference of a kept row' => [ qr/reference of a kept row.*Order.*customer/,
		'SET session_replication_role = replica; UPDATE "Order" SET customer_id = 4711 WHERE id = 6', 'UPDATE "Order" SET customer_id = 2 WHERE id = 6' ],
	'rows that go away under a table that stays' => [ qr/profile/,
		'UPDATE profile SET tenant_id = 1 WHERE id = 3', 'UPDATE profile SET tenant_id = NULL WHERE id = 3' ],
	'sequence: no room' => [ qr/sequence.*customer_id_seq/,
		'ALTER SEQUENCE customer_id_seq MAXVALUE 1000000010', 'ALTER SEQUENCE customer_id_seq MAXVALUE 9223372036854775807' ]);
for my $name (sort keys %wrong) {
	my ($says, $do, $undo) = @{ $wrong{$name} };
	trial(name => $name, exit => 6, says => $says, prepare => uat($do), undo => uat($undo));
	# Somebody else's ALTER SEQUENCE is a migration.
	trial(name => $name, exit => $name =~ /^sequence/ ? 4 : 6, says => $name =~ /^sequence/ ? qr/schema was changed/ : $says, during => uat($do), undo => uat($undo), @late);
}
trial(name => 'S2, a key in a table that stays: the user of production\'s rows is deleted', exit => 6, says => qr/app_user/, @late,
	prepare => uat("INSERT INTO app_user VALUES (77, 'carol')"), during => uat('DELETE FROM app_user WHERE id = 77'), undo => sub {});

# A superuser's trigger on a shadow: what is brought over is not what was kept.
for (['one is altered', 'NEW.email := NEW.email || \'.\'; RETURN NEW', qr/kept rows public\.customer.*are not what they were|kept rows customer.*are not what they were/s],
	['one is left out', 'IF NEW.email ~ \'^uat2\' THEN RETURN NULL; END IF; RETURN NEW', qr/kept rows (?:public\.)?customer.*missing after they were brought over/s]) {
	my ($name, $body, $says) = @$_;
	trial(name => "kept rows, $name", exit => 6, says => $says, @late,
		during => uat("CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS \$f\$ BEGIN $body; END \$f\$;
			DO \$\$ DECLARE shadow regclass := (SELECT s.shadow FROM prodsync_work.shadow s JOIN prodsync_work.run USING (run) WHERE status = 'started' AND original = 'customer'::regclass);
			BEGIN EXECUTE format('CREATE TRIGGER meddle BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION public.meddle(); ALTER TABLE %1\$s ENABLE ALWAYS TRIGGER meddle', shadow); END \$\$"),
		undo => uat('DROP FUNCTION IF EXISTS meddle() CASCADE'));
}

# ---- the schema: S3 ----
my %migration = (
	'a column' => [ 'ALTER TABLE ticket ADD COLUMN meanwhile int', 'ALTER TABLE ticket DROP COLUMN meanwhile' ],
	'an index' => [ 'CREATE INDEX meanwhile ON ticket (position)', 'DROP INDEX meanwhile' ],
	'a table with a foreign key' => [ 'CREATE TABLE meanwhile (ticket text REFERENCES ticket)', 'DROP TABLE meanwhile' ],
	'a policy' => [ 'CREATE POLICY meanwhile ON ticket USING (false)', 'DROP POLICY meanwhile ON ticket' ]);
trial(name => "fingerprint: $_", exit => 4, says => qr/schema was changed/, during => uat($migration{$_}[0]), undo => uat($migration{$_}[1]), @late) for sort keys %migration;

# ---- locks and the guard ----
{
	my $holder;
	config('lock_wait: 300ms');
	trial(name => 'locks: somebody holds one', exit => 4, says => qr/ticket is in use, by pid/, @late,
		during => sub { $holder = $uat->session('app'); $holder->query($_) for 'BEGIN', 'SELECT count(*) FROM ticket' },
		undo => sub { $holder->query('COMMIT'); $holder->quit; config() });
}
# Like the plan before it, the start reads the catalog, and waits for whoever holds a table.
trial(name => 'locks: somebody holds a table when the run starts', exit => 4, at => [ client => 'before the start' ], holds => 'LOCK TABLE ONLY history',
	says => qr/the catalog of uat could not be read within [\d.]+ s: history is locked by pid \d+ \(.*psql.*\); nothing was changed\n.*hint: run it again/s,
	prepare => uat("ALTER DATABASE app SET lock_timeout = '300ms'"), undo => sub {});
trial(name => 'guard: the label is taken away', exit => 4, says => qr/may not be refreshed/, at => [ client => 'before the start' ],
	during => uat("SELECT sync_set_environment('uat', false)"), undo => uat("SELECT sync_set_environment('uat', true)"));
done_testing;
