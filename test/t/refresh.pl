# The saas pair: what a refresh makes of UAT, seen by SQL alone (Saas.pm), by roles that are no superusers.
use strict;
use warnings;
use Prodsync;
use Saas;
use Test::More;

my ($production, $uat) = clusters('production', 'uat');
load_saas($production, $uat, drift => 1);
$production->sql('CREATE ROLE readonly LOGIN BYPASSRLS; GRANT SELECT ON ALL TABLES IN SCHEMA public TO readonly; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO readonly', 'app');
# What only the target has, and a refresh must not touch: states of triggers, grants, comments, statistics targets.
$uat->sql(<<'SQL', 'app');
CREATE ROLE refresher LOGIN;
SELECT sync_grant('refresher');
CREATE ROLE tester;
GRANT SELECT (id, name), UPDATE (name) ON apps_customers_customer TO tester;
GRANT ALL ON apps_plants_plant TO tester WITH GRANT OPTION;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER r BEFORE INSERT ON apps_customers_customer FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER a BEFORE INSERT ON apps_customers_customer FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER d BEFORE INSERT ON apps_customers_customer FOR EACH ROW EXECUTE FUNCTION noted();
ALTER TABLE apps_customers_customer ENABLE REPLICA TRIGGER r, ENABLE ALWAYS TRIGGER a, DISABLE TRIGGER d, ALTER COLUMN name SET STATISTICS 321;
SQL
my $config = saas_config($production, $uat, source => 'readonly', target => 'refresher');
my @names = qw(--from production --to uat);
$uat->sql('CREATE DATABASE before TEMPLATE app');

# What of the catalog is none of the refresh's business, line by line.
sub catalog
{
	return map { $_ => 'there' } split /\n/, $uat->sql(<<'SQL', 'app');
SELECT 'trigger', tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal;
SELECT 'internal', tgrelid::regclass, tgconstraint, tgfoid::regproc, tgenabled FROM pg_trigger WHERE tgisinternal;
SELECT 'relation', c.oid, c.relname, c.relowner, c.relacl, c.relpersistence, c.reloptions, c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.reltype, c.reltablespace
	FROM pg_class c WHERE relnamespace = 'public'::regnamespace;
SELECT 'column', a.* FROM (SELECT attrelid::regclass, attnum, attname, atttypid::regtype, attnotnull, attstattarget, attacl, attoptions, attstorage, attisdropped, attidentity, attgenerated
	FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)) a;
SELECT 'constraint', conrelid::regclass, conname, convalidated, condeferrable, pg_get_constraintdef(oid), conindid::regclass FROM pg_constraint WHERE connamespace = 'public'::regnamespace;
SELECT 'index', indexrelid, indisvalid, indisprimary, indisreplident, indisclustered, pg_get_indexdef(indexrelid) FROM pg_index
	WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace);
SELECT 'policy', polrelid::regclass, polname, pg_get_expr(polqual, polrelid) FROM pg_policy;
SELECT 'default', adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef;
SELECT 'comment', objoid, objsubid, description FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid >= 16384;
SELECT 'statistics', stxname, stxrelid::regclass, stxkeys FROM pg_statistic_ext;
SQL
}
my %kept = kept_rows($uat, 'app');
my %staying = content($uat, 'app');
delete $staying{$_} for grep { my $t = $_; !grep { $_ eq $t } @staying } keys %staying;

# ---- rights: what is missing is named ----
my $bare = prodsync('plan', @names, '--config', $config);
is($bare->{exit}, 0, 'P15, P16: EXECUTE is all that a role needs on UAT') or diag $bare->{err};
unlike($bare->{out} . $bare->{err}, qr/test_acme|uat_admin/, 'labels of rows that the role may not read are not shown');
like($bare->{out}, qr/^Kept tenants \(2 of 4\): \d+, \d+ /m, 'their keys are');
$uat->sql('GRANT SELECT (schema_name) ON apps_tenants_tenant TO refresher; GRANT SELECT (username) ON auth_user TO refresher', 'app');
my %catalog = catalog();
$production->sql('ALTER ROLE readonly NOBYPASSRLS; REVOKE SELECT ON core_plan FROM readonly', 'app');
my $refused = prodsync('plan', @names, '--config', $config);
is($refused->{exit}, 5, 'P15, P16: rights missing in production are problems of the plan');
like($refused->{err}, qr/ALTER ROLE readonly BYPASSRLS.*GRANT SELECT ON \S*core_plan TO readonly/s, 'with what to type');
$production->sql('ALTER ROLE readonly BYPASSRLS; GRANT SELECT ON core_plan TO readonly', 'app');

# ---- the plan ----
my $plan = prodsync('plan', @names, '--config', $config, '--all');
is($plan->{exit}, 0, 'plan: nothing stands in the way') or diag $plan->{err};
like($plan->{out}, qr/^Kept tenants \(2 of 4\): test_acme, test_global\b/m, 'P7: plan names the kept tenants');
like($plan->{out}, qr/^Will disappear from uat: 2 tenants/m, 'plan says what will disappear');
like($plan->{out}, qr/^Will move: ids of kept rows below 1,000,000,000/m, 'P11: plan says that kept ids move');
like($plan->{out}, qr/^Users: 84 in production -> uat_admin \(id 3\); 2 matched by username$/m, 'P3: plan says who becomes whom');
like($plan->{out}, qr/warning: apps_tenants_membership loses 47 of 59 rows/, 'P14: plan counts what folds together');
unlike($plan->{out} . $plan->{err}, qr/PRODSECRET/, 'no value of a row in the plan');
same({ content($uat, 'app') }, { content($uat, 'before') }, 'P22: plan changes nothing');
my $dry = sync_saas($config, '--dry-run');
is($dry->{exit}, 0, 'P22: sync --dry-run') or diag $dry->{err};
like($dry->{out}, qr/^Nothing stands in the way/m, 'P22: is the plan');
same({ content($uat, 'app') }, { content($uat, 'before') }, 'P22: and changes nothing');
is($uat->sql('SELECT count(*) FROM sync_runs', 'app'), 0, 'P22: nor is it a run');

# ---- the refresh ----
my $sync = sync_saas($config);
is($sync->{exit}, 0, 'P3, P4, P6, P14, P16: sync by roles that are no superusers') or BAIL_OUT($sync->{err} =~ s{\n}{ }gr);
like($sync->{out}, qr/26 user columns remapped/, 'P3, P4: all 26 columns by foreign key, on the way in');
like($sync->{out}, qr/281 kept rows brought over, with 7 rows that they reference/, 'kept and supporting rows are counted');

my %is = replaced_rows($uat, 'app');
my %should = production_rows($production, 'app');
same(\%is, \%should, 'P3, P6, P8-P10, P13, P14, P17, P23, E4, E11: production\'s rows are all there, and nothing else of old');
is($is{apps_lab_sample}, $should{apps_lab_sample}, 'E4, E17: odd values are the same to the last byte');
same({ kept_rows($uat, 'app') }, \%kept, 'P10, P11, P25: kept rows are as they were; ids in the same order, references follow');
my %now = content($uat, 'app');
same({ map { $_ => $now{$_} } @staying }, \%staying, 'P5, P22: tables that stay are untouched');
same({ catalog() }, \%catalog, 'E10: triggers, grants, constraints, indexes, policies are as before');

my $check = $uat->sql('SELECT check_name, object, violations FROM sync_check() WHERE NOT ok', 'app');
is($check, '', 'P21: sync_check finds nothing');
cmp_ok($uat->sql('SELECT count(*) FROM sync_check()', 'app'), '>', 250, 'and looked at everything');
is(prodsync('check', '--to', 'uat', '--config', $config)->{exit}, 0, 'prodsync check');
{
	my $next = $uat->sql('SELECT last_value FROM apps_crm_tag_id_seq', 'app');
	$uat->sql('ALTER SEQUENCE apps_crm_tag_id_seq RESTART WITH 1', 'app');
	my $out_of_step = prodsync('check', '--to', 'uat', '--config', $config);
	is($out_of_step->{exit}, 6, 'M4: prodsync check of what is out of step: exit 6');
	like($out_of_step->{err}, qr/error: 1 of \d+ checks failed on uat/, 'M4: said as an error');
	$uat->sql("ALTER SEQUENCE apps_crm_tag_id_seq RESTART WITH $next", 'app');
}
# every foreign key that leads to a tenant, not one column of one table
my $references = $uat->sql(q{SELECT count(*) FROM pg_constraint c, query_to_xml(format('SELECT 1 FROM %s WHERE (%s) IS NOT NULL LIMIT 1', conrelid::regclass,
	(SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1])), false, true, '') x WHERE contype = 'f' AND conparentid = 0 AND confrelid = 'apps_tenants_tenant'::regclass AND x::text <> ''}, 'app');
cmp_ok($references, '>', 20, 'P21: many foreign keys lead to tenants');
is($uat->sql(q{BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM apps_tenants_tenant; ALTER SEQUENCE apps_crm_tag_id_seq RESTART WITH 1;
	SELECT check_name, count(*) FROM sync_check() WHERE NOT ok GROUP BY 1 ORDER BY 1; ROLLBACK}, 'app'), "foreign key|$references\nsequence|1", 'P21: sync_check finds each that is broken, a sequence that is behind too');

# The same by name, in plain words.
sub facts
{
	my ($db, $which) = @_;
	my @facts = (
		['P8: the stale tenant is production\'s now', 'Northwind|northwind.example.com',
			"SELECT split_part(t.name, ' ', 1), string_agg(d.domain, ',') FROM apps_tenants_tenant t JOIN apps_tenants_tenantdomain d ON d.tenant_id = t.id AND d.is_primary WHERE schema_name = 'northwind' GROUP BY 1"],
		['P7: testing_grounds is gone', 0, "SELECT count(*) FROM apps_tenants_tenant WHERE schema_name = 'testing_grounds'"],
		['P9: rows without tenant are production\'s', '22|0', "SELECT count(*), count(*) FILTER (WHERE title LIKE 'UAT%') FROM apps_core_announcement WHERE tenant_id IS NULL"],
		['P14: memberships are unique', '0', 'SELECT count(*) - count(DISTINCT (tenant_id, user_id)) FROM apps_tenants_membership'],
		['P14: preferences: three kept, one of production', '3|1', 'SELECT count(*) FILTER (WHERE id >= 1000000000), count(*) FILTER (WHERE id < 1000000000) FROM apps_tenants_preference'],
		['P15: forced row security hides nothing', '24|4', 'SELECT count(*) FILTER (WHERE id < 1000000000), count(*) FILTER (WHERE id >= 1000000000) FROM apps_finance_bankaccount'],
		['P17: the cycle is whole', 't', 'SELECT count(*) > 100 FROM apps_suppliers_supplier s JOIN apps_plants_plant p ON p.id = s.plant_id'],
		['P23: a foreign system\'s tenant_id is as production has it', '200|60', "SELECT (SELECT count(*) FROM apps_integrations_externalref WHERE id < 1000000000), count(*) FROM apps_integrations_erpsync"],
		['P25: users and domains of testers', 'test-acme-shop.uat.example.com,test-acme.uat.example.com,test-global.uat.example.com|tester1,uat_admin',
			"SELECT (SELECT string_agg(domain, ',' ORDER BY domain) FROM apps_tenants_tenantdomain WHERE domain ~ '^test-[ag]'), (SELECT string_agg(username, ',' ORDER BY username) FROM apps_tenants_tenant t JOIN auth_user u ON u.id IN (t.owner_id, t.created_by_id) WHERE schema_name = 'test_acme')"],
		['E16: queues and webhooks are empty', 0, 'SELECT ' . join(' + ', map { "(SELECT count(*) FROM $_)" } @emptied)],
		['C2: no secret of production came over', 0, q{SELECT count(*) FROM pg_class c, query_to_xml(format('SELECT count(*) AS n FROM %s t WHERE t::text LIKE ''%%PRODSECRET%%''', c.oid::regclass), false, true, '') x
			WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND x::text NOT LIKE '%<n>0</n>%'}],
		['M12: materialized views are fresh', 't|t', 'SELECT (SELECT array_agg(s::text ORDER BY tenant_id) FROM apps_reports_tenant_sales s) = (SELECT array_agg(ROW(n.id, n.schema_name, n.invoices, n.total)::text ORDER BY n.id) FROM
			(SELECT n.id, n.schema_name, count(i.id) AS invoices, coalesce(sum(i.total), 0) AS total FROM apps_tenants_tenant n LEFT JOIN apps_sales_invoice i ON i.tenant_id = n.id GROUP BY 1, 2) n),
			(SELECT count(*) FROM apps_reports_sales_rank) = (SELECT count(*) FROM apps_tenants_tenant)'],
		['references of tables that stay follow', 'test-only|test_acme,seafood|test_global,|,meat|test_global',
			"SELECT string_agg(coalesce(c.slug, '') || '|' || coalesce(schema_name, ''), ',' ORDER BY p.id) FROM apps_accounts_profile p LEFT JOIN core_category c ON c.id = favourite_category_id LEFT JOIN apps_tenants_tenant t ON t.id = home_tenant_id"],
		['supporting rows: production\'s under its id, UAT\'s own in the range', 'Germany|Meat|3|1|1|1|1',
			q{SELECT (SELECT name FROM core_country WHERE iso_code = 'DE'), (SELECT name FROM core_category WHERE slug = 'meat'), (SELECT count(*) FROM core_category WHERE id >= 1000000000),
			(SELECT count(*) FROM core_country WHERE id >= 1000000000), (SELECT count(*) FROM core_role WHERE id >= 1000000000), (SELECT count(*) FROM core_plan WHERE id >= 30000), (SELECT count(*) FROM core_currency WHERE code = 'XTS')}],
		['supporting rows below others follow', 'food|NULL,meat|food,test-child|test-only,test-meat|meat,test-only|NULL',
			q{SELECT string_agg(c.slug || '|' || coalesce(p.slug, 'NULL'), ',' ORDER BY c.slug) FROM core_category c LEFT JOIN core_category p ON p.id = c.parent_id WHERE c.slug ~ '^test|^food$|^meat$'}],
		['E17: a regclass column names the relation, not a number', 0, q{SELECT count(*) FROM apps_lab_sample WHERE relation IS NOT NULL AND relation::text ~ '^\d+$'}],
	);
	is($uat->sql($_->[2], $db), $_->[1], "$_->[0] ($which)") for @facts;
}
facts('app', 'first refresh');
is($uat->sql('SELECT count(*) FROM apps_lab_sample WHERE relation IS NOT NULL', 'app') > 0, 1, 'E17: there are regclass values');

# Every integer key of a kept row is in the range, every sequence goes on there, and new rows are no trouble.
sub low
{
	return $uat->sql(join(' UNION ALL ', map {
		my $column = $_ eq 'Apps_Legacy_PriceList' ? 'Id' : 'id';
		my $start = /shift|core_plan/ ? 30000 : 1000000000;
		qq(SELECT DISTINCT '$_' FROM "$_" WHERE ${\ Saas::kept($_) } AND "$column" < $start)
	} @_), 'app');
}
is(low(grep { !/_setting|_dock$|_vipcustomer|_document/ } sort keys %path), '', 'P11: no kept row below the reserved range, in a partitioned table with a key of two columns neither');
my %next = sequences($uat, 'app');
my @behind = grep { $next{$_} < (/shift|core_plan/ ? 30000 : 1000000000) } grep { !/^(auth|django|post_office|apps_accounts|apps_sales_invoice_number)|_webhook_/ } sort keys %next;
is("@behind", '', 'P12: every sequence of a refreshed table goes on in the reserved range');
like($uat->sql("BEGIN; INSERT INTO apps_crm_tag (name, color, tenant_id) SELECT 'new', '', id FROM apps_tenants_tenant WHERE schema_name = 'test_acme' RETURNING id; ROLLBACK", 'app'), qr/^10000000\d\d$/, 'P12: a tester\'s next row is there, too');
is($uat->sql('SELECT count(*) FROM apps_sales_invoice WHERE number > (SELECT last_value FROM apps_sales_invoice_number)', 'app'), 0, 'P12: a sequence that no column owns is not behind');

# P24: what the target allows, it still allows.
is($uat->sql(q{SELECT count(*) FROM pg_attribute WHERE NOT attnotnull AND (attrelid::regclass::text, attname) IN (('apps_suppliers_supplier', 'email'), ('apps_customers_customer', 'segment'), ('apps_sales_payment', 'reference'))}, 'app'), 3, 'P24: 14 other nullabilities are no obstacle and stay');

# ---- again, with nothing changed ----
%now = content($uat, 'app');
$sync = sync_saas($config);
is($sync->{exit}, 0, 'S10: a second refresh') or diag $sync->{err};
same({ content($uat, 'app') }, \%now, 'S10: nothing changed, nothing is different: ids of kept and supporting rows, sequences');
facts('app', 'second refresh');

# ---- production goes on, and testers do ----
$production->sql(<<'SQL', 'app');
INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) VALUES ('PRODSECRET', true, 'new.user', '', '', '', false, true, now());
INSERT INTO core_category (slug, name) VALUES ('new', 'New');
INSERT INTO apps_tenants_tenant (schema_name, slug, name, is_active, created_on, plan_id, country_id, owner_id) SELECT 'newcomer', 'newcomer', 'Newcomer', true, now(), 1, 1, id FROM auth_user WHERE username = 'new.user';
INSERT INTO apps_customers_customer (name, email, phone, notes, created_at, updated_at, tenant_id, country_id) SELECT 'C', 'c@example.com', '', '', now(), now(), id, 1 FROM apps_tenants_tenant WHERE schema_name = 'newcomer';
UPDATE apps_customers_customer SET notes = 'changed' WHERE id % 10 = 0;
UPDATE apps_suppliers_supplier SET owner_id = (SELECT id FROM auth_user WHERE username = 'bob.keller') WHERE id % 5 = 0;
DELETE FROM apps_tickets_comment WHERE parent_id IS NOT NULL AND id % 3 = 0 AND id NOT IN (SELECT parent_id FROM apps_tickets_comment WHERE parent_id IS NOT NULL);
DELETE FROM apps_audit_history WHERE id % 2 = 0;
INSERT INTO apps_audit_history (happened_at, model, object_pk, changes, tenant_id) SELECT '2025-06-01', 'm', '', '{}', 5 FROM generate_series(1, 50);
ANALYZE;
SQL
$uat->sql(<<'SQL', 'app');
INSERT INTO apps_tenants_tenant (schema_name, slug, name, is_active, created_on, plan_id, country_id, owner_id) SELECT 'test_later', 'later', 'Later', true, now(), (SELECT id FROM core_plan WHERE code = 'pro'), (SELECT id FROM core_country WHERE iso_code = 'DE'), 4;
INSERT INTO apps_crm_tag (name, color, tenant_id) SELECT 'later', '', id FROM apps_tenants_tenant WHERE schema_name = 'test_later';
UPDATE apps_customers_customer SET notes = 'spoilt' WHERE id < 100;
SQL
my %kept_now = kept_rows($uat, 'app');
my $ids = $uat->sql("SELECT id, schema_name FROM apps_tenants_tenant WHERE schema_name LIKE 'test%' ORDER BY 1", 'app');
$sync = sync_saas($config);
is($sync->{exit}, 0, 'a third refresh, after changes on both sides') or diag $sync->{err};
my %third = replaced_rows($uat, 'app');
my %later = production_rows($production, 'app');
same(\%third, \%later, 'production\'s new, changed and deleted rows');
isnt($later{$_}, $should{$_}, "and $_ did change") for qw(apps_tenants_tenant apps_customers_customer apps_tickets_comment apps_audit_history core_category);
same({ kept_rows($uat, 'app') }, \%kept_now, 'kept rows once more');
is($uat->sql("SELECT id, schema_name FROM apps_tenants_tenant WHERE schema_name LIKE 'test%' ORDER BY 1", 'app'), $ids, 'P11: ids in the range move no more; S1: a new kept tenant is kept');
is($uat->sql('SELECT count(*) FROM sync_check() WHERE NOT ok', 'app'), 0, 'P21: sync_check after the third');
same({ catalog() }, \%catalog, 'E10: the catalog after three');
is($uat->sql("SELECT string_agg(status, ',' ORDER BY run) FROM sync_runs", 'app'), 'done,done,done', 'the ledger');

done_testing;
