# What a switch leaves behind is a database like any other: amcheck, pg_dump, files, DDL, and a server that crashes right after
# the switch, with wal_level = replica and minimal (where a table that is filled in the transaction that made it has no WAL).
use strict;
use warnings;
use Prodsync;
use Saas;
use Test::More;

my ($production, $replica, $minimal) = clusters('production', 'replica', [minimal => 'wal_level=minimal', 'max_wal_senders=0']);
load_saas($production, $replica);
# What saas has not got: a table that no crash survives, one with an index in reverse order of columns, a materialized view that
# is refreshed under a strong lock, for want of a unique index.
$replica->sql(<<'SQL', 'app');
ALTER TABLE apps_integrations_erpsync SET UNLOGGED;
CREATE MATERIALIZED VIEW reports_waits AS SELECT count(*) AS tenants FROM apps_tenants_tenant;
CREATE EXTENSION amcheck;
SQL
my $dump = file('app.dump', '');
is(execute('pg_dump', '-Fc', '-f', $dump, '-d', $replica->dsn('app'))->{exit}, 0, 'pg_dump of UAT');
$minimal->sql('CREATE DATABASE app');
my $restore = execute('pg_restore', '--exit-on-error', '-d', $minimal->dsn('app'), $dump);
is($restore->{exit}, 0, 'and pg_restore, elsewhere') or diag $restore->{err};
$minimal->sql(q{SELECT sync_set_environment('uat', true)}, 'app');

sub schema { my ($uat) = @_; return { map { $_ => 'there' } grep { !/^\\(un)?restrict / } split /\n/, execute('pg_dump', '-s', '-d', $uat->dsn('app'))->{out} } }
# Relations of the private schema, their toast tables and indexes.
sub private
{
	my ($uat) = @_;
	return $uat->sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace ORDER BY 1; SELECT count(*) FROM pg_class; SELECT count(*) FROM pg_type;
		SELECT classid::regclass, deptype, count(*) FROM pg_depend GROUP BY 1, 2 ORDER BY 1, 2; SELECT count(*) FROM pg_shdepend; SELECT count(*) FROM pg_attribute; SELECT count(*) FROM pg_constraint}, 'app');
}
sub sound
{
	my ($uat, $when) = @_;
	is($uat->sql(<<'SQL', 'app'), '', "amcheck: every btree, with all of the heap's rows ($when)");
BEGIN;
CREATE FUNCTION pg_temp.check_index(index regclass) RETURNS text LANGUAGE plpgsql AS $$BEGIN
	PERFORM bt_index_check(index, true);
	IF (SELECT relpersistence = 'p' FROM pg_class WHERE oid = index) THEN PERFORM bt_index_parent_check(index, true, true); END IF;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN RETURN index || ': ' || SQLERRM; END$$;
SELECT message FROM (SELECT pg_temp.check_index(c.oid) AS message FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
	WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relpersistence <> 't') m WHERE message IS NOT NULL;
ROLLBACK;
SQL
	is($uat->sql(q{SELECT c.oid::regclass, v.* FROM pg_class c, verify_heapam(c.oid, check_toast => true) v WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'}, 'app'), '',
		"amcheck: every table ($when)");
	is($uat->sql(<<'SQL', 'app'), '', "files: none that belongs to nothing ($when)");
CHECKPOINT;
SELECT name FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())) name
WHERE name ~ '^\d+([._].*)?$' AND substring(name from '^\d+') NOT IN (SELECT pg_relation_filenode(oid)::text FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL);
SELECT c.oid::regclass, 'has no file' FROM pg_class c WHERE pg_relation_filenode(oid) IS NOT NULL AND pg_stat_file(pg_relation_filepath(oid), true) IS NULL;
SQL
	# of what is not in a btree: the same rows by index and by sequential scan
	is($uat->sql(<<'SQL', 'app'), 't|t|t|t|t', "GIN, GiST, BRIN, hash indexes find what is there ($when)");
BEGIN;
SET enable_seqscan = off;
CREATE TEMP TABLE by_index AS SELECT (SELECT count(*) FROM apps_customers_customer WHERE attributes @> '{"kept": []}') AS a, (SELECT count(*) FROM apps_products_product WHERE search @@ 'test') AS b,
	(SELECT count(*) FROM apps_plants_dockbooking WHERE during && '(,)') AS c, (SELECT count(*) FROM apps_activity_log WHERE happened_at < 'infinity') AS d,
	(SELECT count(*) FROM apps_documents_document WHERE title = 'Test document 1') AS e;
SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
SELECT a = (SELECT count(*) FROM apps_customers_customer WHERE attributes @> '{"kept": []}') AND a > 0, b = (SELECT count(*) FROM apps_products_product WHERE search @@ 'test') AND b > 0,
	c = (SELECT count(*) FROM apps_plants_dockbooking WHERE during && '(,)') AND c > 0, d = (SELECT count(*) FROM apps_activity_log WHERE happened_at < 'infinity') AND d > 0,
	e = (SELECT count(*) FROM apps_documents_document WHERE title = 'Test document 1') AND e > 0 FROM by_index;
ROLLBACK;
SQL
	return;
}

# ---- a refresh, and the server is killed as soon as it has switched ----
my %should = production_rows($production, 'app');
for my $uat ($replica, $minimal) {
	my $level = $uat->sql('SHOW wal_level');
	my $config = saas_config($production, $uat);
	my %kept = kept_rows($uat, 'app');
	my $schema = schema($uat);
	my $private = private($uat);
	$uat->sql('CHECKPOINT');
	my $tester = $uat->session('app');
	$tester->query('BEGIN; SELECT * FROM reports_waits');
	my $sync = start_prodsync('sync', '--from', 'production', '--to', 'uat', '--config', $config, '--yes');
	# In the middle of the refresh of a view the server would leave its new file behind.
	my $waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'reports_waits'::regclass";
	ok(wait_until(60, sub { !$sync->running || $uat->sql($waits, 'app') }) && $sync->running, "$level: switched, and waiting for the tester")
		or diag $sync->err;
	is($uat->sql('SELECT status FROM sync_runs ORDER BY run DESC LIMIT 1', 'app'), 'switched', "$level: nothing else is left to do");
	$uat->crash;
	my $ended = $sync->wait(30);
	# 0: its backend may outlive the postmaster for as long as it has not to wait for anything, and get to the end.
	like($ended->{exit}, qr/^(10|0)$/, "$level: the client says that it is refreshed") or diag $ended->{err};
	$uat->start;
	my %is = replaced_rows($uat, 'app');
	is(delete $is{apps_integrations_erpsync}, '0 rows, ', "$level: an unlogged table is empty after a crash, and usable");
	my %expected = %should;
	delete $expected{apps_integrations_erpsync};
	same(\%is, \%expected, "$level: production's rows survive a crash right after the switch");
	same({ kept_rows($uat, 'app') }, \%kept, "$level: so do the kept ones");
	$uat->sql('DELETE FROM apps_integrations_erpsync; INSERT INTO apps_integrations_erpsync (tenant_id, payload, received_at) VALUES (1, $$1$$, now())', 'app');
	is(prodsync('clean', '--to', 'uat', '--config', $config)->{exit}, 0, "$level: clean finishes it");
	is($uat->sql('SELECT status FROM sync_runs', 'app'), 'done', "$level: and the run is done");
	is(private($uat), $private, "$level: nothing is left in the private schema and the catalog");
	same(schema($uat), $schema, "$level: the schema as pg_dump sees it is what it was");
	sound($uat, "$level, after a crash");
	$sync = sync_saas($config);
	is($sync->{exit}, 0, "$level: the next refresh") or diag $sync->{err};
	same({ replaced_rows($uat, 'app') }, \%should, "$level: and all is there");
	is($uat->sql('SELECT tenants = (SELECT count(*) FROM apps_tenants_tenant) FROM reports_waits', 'app'), 't', "$level, M12: materialized views, too");
	sound($uat, "$level, after two refreshes") if $uat == $minimal;
}

# ---- what administrators and migrations do to tables afterwards ----
my $uat = $replica;
my $config = saas_config($production, $uat);
my %kept = kept_rows($uat, 'app');
my %content = content($uat, 'app');
$uat->sql($_, 'app') for split /;\n/, <<'SQL';
VACUUM (FULL, ANALYZE);
REINDEX DATABASE app;
REINDEX TABLE CONCURRENTLY apps_customers_customer;
CLUSTER apps_customers_customer USING apps_customers_customer_pkey;
CLUSTER apps_documents_document USING apps_documents_document_pkey
SQL
same({ content($uat, 'app') }, \%content, 'VACUUM FULL, REINDEX, CLUSTER: the content is the same');
sound($uat, 'after VACUUM FULL, REINDEX, CLUSTER');
is(sync_saas($config)->{exit}, 0, 'a refresh after VACUUM FULL, REINDEX, CLUSTER');
same({ replaced_rows($uat, 'app') }, \%should, 'and all is there');
same({ kept_rows($uat, 'app') }, \%kept, 'and all that was kept');

# Both sides migrate; one table of UAT is emptied by hand, one grows a column that production has not got.
my $migration = <<'SQL';
ALTER TABLE apps_crm_message ADD COLUMN channel text NOT NULL DEFAULT 'mail';
ALTER TABLE apps_products_product ALTER COLUMN weight TYPE double precision;
ALTER TABLE apps_suppliers_supplier DROP COLUMN rating;
ALTER TABLE apps_tickets_comment ADD COLUMN IF NOT EXISTS edited boolean, DROP COLUMN written_at;
ALTER TABLE apps_core_announcement ALTER COLUMN title TYPE text, ADD CHECK (title <> '');
ALTER TABLE apps_audit_history ADD COLUMN note text DEFAULT 'none';
DROP INDEX apps_sales_payment_invoice_id_ddd921ae;
CREATE INDEX again ON apps_sales_payment (invoice_id, amount DESC);
SQL
$production->sql($migration, 'app');
$uat->sql($migration . <<'SQL', 'app');
TRUNCATE apps_audit_event RESTART IDENTITY;
UPDATE apps_audit_history SET note = NULL WHERE id % 2 = 0;
SQL
%should = production_rows($production, 'app');
%kept = kept_rows($uat, 'app');
my $schema = schema($uat);
my $sync = sync_saas($config);
is($sync->{exit}, 0, 'a refresh after migrations') or diag $sync->{err};
same({ replaced_rows($uat, 'app') }, \%should, 'columns added, dropped, of another type; a table truncated: all is there');
same({ kept_rows($uat, 'app') }, \%kept, 'and all that was kept');
same(schema($uat), $schema, 'the schema is what the migrations made of it');
sound($uat, 'after migrations and a refresh');

done_testing;
