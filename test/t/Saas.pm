# The saas pair (test/fixtures/saas) for tests of whole refreshes, and an oracle: what UAT has to hold afterwards, worked out
# by plain SQL from production and from UAT as it was, without anything of prodsync's.
#
#   load_saas($production, $uat);                      # database app in both clusters, extension and label in UAT
#   my $config = saas_config($production, $uat);       # a file; sync_saas($config) runs the client
#   my %was = kept_rows($uat, 'app');                  # table => its kept rows, as text that re-keying does not change
#   my %is = replaced_rows($uat, 'app');               # table => its other rows, user and content type by name
#   my %should = production_rows($production, 'app');  # table => what they should be
#   my %all = content($uat, 'app');                    # table => digest of every row as it is; sequence => next value
#   same(\%is, \%should, 'name of the test');
package Saas;
use strict;
use warnings;
use Exporter 'import';
use Prodsync;
use Test::More;

our @EXPORT = qw(load_saas saas_config sync_saas kept_rows replaced_rows production_rows content sequences same %path @shared @emptied @staying);

# Which column leads to the tenant: column, table it references.
our %path = (
	apps_tenants_tenant => [],
	(map { $_ => [tenant_id => 'apps_tenants_tenant'] } map { "apps_$_" } qw(tenants_tenantdomain tenants_membership tenants_preference
		tenants_invitation tenants_setting suppliers_supplier plants_plant plants_shift customers_customer crm_tag crm_message
		products_product purchasing_order sales_invoice finance_bankaccount tickets_ticket notes_note documents_document activity_log
		audit_history core_announcement lab_sample)),
	Apps_Legacy_PriceList => [tenantId => 'apps_tenants_tenant'],
	apps_tenants_membership_roles => [membership_id => 'apps_tenants_membership'],
	apps_suppliers_supplier_categories => [supplier_id => 'apps_suppliers_supplier'],
	apps_suppliers_follow => [supplier_id => 'apps_suppliers_supplier'],
	apps_plants_dock => [plant_id => 'apps_plants_plant'],
	apps_plants_dockbooking => [dock_code => 'apps_plants_dock', 'code'],
	apps_customers_vipcustomer => [customer_ptr_id => 'apps_customers_customer'],
	apps_customers_customer_tags => [customer_id => 'apps_customers_customer'],
	apps_customers_contact => [customer_id => 'apps_customers_customer'],
	apps_integrations_externalref => [customer_id => 'apps_customers_customer'],
	apps_products_product_tags => [product_id => 'apps_products_product'],
	apps_products_price => [product_sku => 'apps_products_product', 'sku'],
	apps_purchasing_orderline => [order_id => 'apps_purchasing_order'],
	apps_sales_invoiceline => [invoice_id => 'apps_sales_invoice'],
	apps_sales_payment => [invoice_id => 'apps_sales_invoice'],
	apps_tickets_ticket_watchers => [ticket_id => 'apps_tickets_ticket'],
	apps_tickets_comment => [ticket_id => 'apps_tickets_ticket'],
	apps_documents_documentversion => [document_id => 'apps_documents_document'],
);
# Tables of no tenant, and what names a row where kept rows reference it.
my %natural = (core_country => 'iso_code', core_category => 'slug', core_plan => 'code', core_role => 'code');
our @shared = (keys %natural, qw(core_currency core_region core_role_permissions apps_audit_event apps_integrations_erpsync apps_files_attachment));
our @emptied = qw(post_office_email post_office_log post_office_attachment post_office_attachment_emails apps_integrations_webhook);
our @staying = qw(auth_user auth_group auth_permission auth_group_permissions auth_user_groups auth_user_user_permissions
	authtoken_token django_migrations django_session django_admin_log django_content_type);

sub kept
{
	my ($table) = @_;
	my ($column, $parent, $key) = @{ $path{$table} };
	return "schema_name IN ('test_acme', 'test_global', 'test_later')" unless $column;
	$key //= 'id';
	return qq("$column" IN (SELECT "$key" FROM "$parent" WHERE ${\ kept($parent) }));
}

sub load_saas
{
	my ($production, $uat, %vars) = @_;
	for ([$production, 'production.sql'], [$uat, 'uat.sql', %vars]) {
		my ($cluster, $data, %set) = @$_;
		$cluster->sql('CREATE DATABASE app');
		my $run = execute($cluster->psql_command('app', '-v', "data=$data", (map { ('-v', "$_=$set{$_}") } keys %set),
			'-f', 'test/fixtures/saas/schema.sql', '-c', 'ANALYZE'));
		die $run->{err} if $run->{exit};
	}
	$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
	return;
}
sub saas_config
{
	my ($production, $uat, %roles) = @_;
	$ENV{PRODSYNC_SOURCE} = $production->dsn('app', $roles{source});
	$ENV{PRODSYNC_TARGET} = $uat->dsn('app', $roles{target});
	return file('prodsync.yaml', slurp('test/fixtures/saas/prodsync.yaml'));
}
sub sync_saas
{
	my ($config, @more) = @_;
	return prodsync('sync', '--from', 'production', '--to', 'uat', '--config', $config, '--yes', @more);
}

# table => [[column, type, table referenced, column referenced], ...], by name
sub columns
{
	my ($cluster, $db) = @_;
	my %tables;
	for (split /\n/, $cluster->sql(<<'SQL', $db)) {
SELECT c.relname, a.attname, a.atttypid::regtype, coalesce(f.relname, ''), coalesce(fa.attname, '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = k.confkey[1]
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname, a.attname
SQL
		my ($table, @column) = split /\|/, $_, -1;
		push @{ $tables{$table} }, \@column;
	}
	return \%tables;
}
# Runs $setup and for each [table, FROM, [expressions]] a digest: 'rows, md5'.
sub digests
{
	my ($cluster, $db, $setup, @wanted) = @_;
	# Rolled back, so that no temporary table of ours goes away while somebody else is looking at the catalog.
	my $sql = "SET TimeZone = 'UTC'; SET extra_float_digits = 3; SET client_min_messages = warning;\nBEGIN;\n$setup\n";
	for (@wanted) {
		my ($table, $from, @columns) = @$_;
		my $row = 'ROW(' . join(', ', map { "($_)::text" } @columns) . ')::text';
		$sql .= "SELECT '$table', count(*) || ' rows, ' || coalesce(md5(string_agg(md5(r), '' ORDER BY md5(r))), '') FROM (SELECT $row AS r FROM $from) AS rows;\n";
		diag $cluster->sql("$setup\nSELECT $row FROM $from ORDER BY 1", $db) if ($ENV{PRODSYNC_TEST_SHOW} // '') eq $table;
	}
	return map { split /\|/, $_, 2 } split /\n/, $cluster->sql("$sql ROLLBACK;", $db);
}

# Kept rows.  An integer key is the row's rank among the kept ones, so re-keying has to keep the order and every reference;
# a reference to a shared row is its natural key.
sub kept_rows
{
	my ($cluster, $db) = @_;
	my $columns = columns($cluster, $db);
	my ($setup, @wanted) = ('');
	for my $table (sort keys %path) {
		my ($id) = grep { lc $_->[0] eq 'id' && $_->[1] =~ /int/ } @{ $columns->{$table} };
		next unless $id;
		$setup .= qq(CREATE TEMP TABLE "n_$table" AS SELECT "$id->[0]" AS key, 'kept ' || rank() OVER (ORDER BY "$id->[0]") AS name FROM "$table" WHERE ${\ kept($table) };\n);
		$id->[2] = $table;
	}
	$setup .= qq(CREATE TEMP TABLE "n_$_" AS SELECT id AS key, $natural{$_} AS name FROM $_;\n) for sort keys %natural;
	for my $table (sort keys %path) {
		my @columns = map {
			my ($column, $type, $to) = @$_;
			$to && $type =~ /int/ && ($path{$to} || $natural{$to}) ? qq(SELECT name FROM "n_$to" WHERE key = t."$column") : qq(t."$column")
		} @{ $columns->{$table} };
		push @wanted, [$table, qq("$table" t WHERE ${\ kept($table) }), @columns];
	}
	return digests($cluster, $db, $setup, @wanted);
}

# References to tables that stay, by the name of what they reference; a user of production by the user of UAT who takes over.
sub by_name
{
	my ($columns, $user) = @_;
	my %name = (
		auth_user => $user,
		auth_group => 'SELECT name FROM auth_group WHERE id = %s',
		django_content_type => q{SELECT app_label || '.' || model FROM django_content_type WHERE id = %s},
		auth_permission => q{SELECT c.app_label || '.' || c.model || '/' || p.codename FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id WHERE p.id = %s});
	return map { $name{ $_->[2] } ? sprintf($name{ $_->[2] }, qq(t."$_->[0]")) : qq(t."$_->[0]") } @$columns;
}
# What is neither kept nor one of UAT's own supporting rows (they have left the ids of production; a currency has none).
sub replaced_rows
{
	my ($cluster, $db) = @_;
	my $columns = columns($cluster, $db);
	return digests($cluster, $db, '', map {
		my $where = $path{$_} ? '(' . kept($_) . ') IS NOT TRUE'
			: $_ eq 'core_currency' ? "code <> 'XTS'" : $_ eq 'core_plan' ? 'id < 30000' : 'id < 1000000000';
		[$_, qq("$_" t WHERE $where), by_name($columns->{$_}, 'SELECT username FROM auth_user WHERE id = %s')]
	} sort keys %path, @shared);
}
# P14, S4: of rows that become equal the first stays; of those that equal a kept row, none.
my $folded = <<'SQL';
CREATE FUNCTION pg_temp.mapped(u integer) RETURNS text LANGUAGE sql AS
	$$SELECT CASE WHEN username IN ('alice.martin', 'bob.keller') THEN username ELSE 'uat_admin' END FROM auth_user WHERE id = u$$;
CREATE TEMP TABLE membership_survivor AS SELECT *, first_value(id) OVER (PARTITION BY tenant_id, pg_temp.mapped(user_id) ORDER BY id) AS survivor FROM apps_tenants_membership;
CREATE TEMP TABLE f_apps_tenants_membership AS SELECT * FROM membership_survivor WHERE id = survivor;
CREATE TEMP TABLE f_apps_tenants_membership_roles AS SELECT DISTINCT ON (s.survivor, r.role_id) r.id, s.survivor AS membership_id, r.role_id
	FROM apps_tenants_membership_roles r JOIN membership_survivor s ON s.id = r.membership_id ORDER BY s.survivor, r.role_id, r.id;
CREATE TEMP TABLE f_apps_tenants_preference AS SELECT * FROM (SELECT DISTINCT ON (pg_temp.mapped(user_id)) * FROM apps_tenants_preference
	ORDER BY pg_temp.mapped(user_id), id) AS first WHERE pg_temp.mapped(user_id) = 'bob.keller';
CREATE TEMP TABLE f_apps_tickets_ticket_watchers AS SELECT DISTINCT ON (ticket_id, pg_temp.mapped(user_id)) * FROM apps_tickets_ticket_watchers
	ORDER BY ticket_id, pg_temp.mapped(user_id), id;
CREATE TEMP TABLE f_apps_suppliers_follow AS SELECT * FROM apps_suppliers_follow WHERE muted UNION ALL
	(SELECT DISTINCT ON (supplier_id, pg_temp.mapped(user_id)) * FROM apps_suppliers_follow WHERE NOT muted ORDER BY supplier_id, pg_temp.mapped(user_id), id);
SQL
sub production_rows
{
	my ($cluster, $db) = @_;
	my $columns = columns($cluster, $db);
	return digests($cluster, $db, $folded, map { [$_, ($folded =~ /TABLE f_$_ / ? "f_$_" : qq("$_")) . ' t', by_name($columns->{$_}, 'pg_temp.mapped(%s)')] }
		sort keys %path, @shared);
}

# Everything as it is; where sequences stand, too.
sub content
{
	my ($cluster, $db) = @_;
	my $columns = columns($cluster, $db);
	return (digests($cluster, $db, '', map { my $t = $_; [$t, qq("$t" t), map { qq(t."$_->[0]") } @{ $columns->{$t} }] } sort keys %$columns),
		sequences($cluster, $db));
}
# sequence => the value that it gives next
sub sequences
{
	my ($cluster, $db) = @_;
	my @names = split /\n/, $cluster->sql("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'", $db);
	return map { split /\|/, $_, 2 } split /\n/, $cluster->sql(join(' UNION ALL ', map { qq(SELECT '$_', last_value + is_called::integer FROM "$_") } @names), $db);
}

# Compares two of these; what differs is named.
sub same
{
	my ($got, $expected, $name) = @_;
	my %all = (%$got, %$expected);
	my @differ = grep { ($got->{$_} // 'missing') ne ($expected->{$_} // 'missing') } sort keys %all;
	ok(!@differ && %all, $name . ' (' . keys(%all) . ' compared)')
		or diag map { "$_: got " . ($got->{$_} // 'nothing') . ', expected ' . ($expected->{$_} // 'nothing') . "; PRODSYNC_TEST_SHOW=$_ prints rows\n" } @differ;
	return;
}

1;
