# All that a user of the target can see, as lines "what|name|rest", to compare before and after.
#
#   my $before = content($uat);                  # every row's text, sequences, definitions of everything, grants, states of triggers
#   is(differs($before, content($uat)), '');     # the lines that differ, '' when none does
#   leftovers($uat)                              # shadows and runs that are not closed, '' when there are none
#   presence($production), presence($uat)        # sessions of a run and locks in the database, '' when there are none
#
# Without oids, statistics and storage: those change.  Without prodsync_work and the ledger: those are prodsync's own.
package Content;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(content differs leftovers presence);

my $sql = <<'SQL';
SET search_path = pg_catalog;
SET TimeZone = 'UTC';
SET extra_float_digits = 3;
SET row_security = off;
SELECT format('SELECT ''rows'', %L, count(*), md5(string_agg(md5(t::text), '''' ORDER BY t::text)) FROM %s%s t', c.oid::regclass, CASE relkind WHEN 'm' THEN '' ELSE 'ONLY ' END, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^(pg_|information_schema$|prodsync_work$)' AND relkind IN ('r', 'm') AND NOT (relkind = 'm' AND NOT relispopulated)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1 \gexec
SELECT format('SELECT ''sequence'', %L, last_value, is_called FROM %s', c.oid::regclass, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^(pg_|information_schema$|prodsync_work$)' AND relkind = 'S' ORDER BY 1 \gexec
WITH mine AS (
	SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^(pg_|information_schema$|prodsync_work$)'
	   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
SELECT 'relation', oid::regclass::text, concat_ws(' ', relkind, relowner::regrole, relpersistence, 'populated', relispopulated, 'replica identity', relreplident,
		'row security', relrowsecurity, relforcerowsecurity, relhasrules, relhassubclass, relispartition, pg_get_expr(relpartbound, oid), pg_get_partkeydef(oid)),
		relacl, reloptions, reltablespace, (SELECT reloptions FROM pg_class t WHERE t.oid = mine.reltoastrelid) FROM mine
UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, concat_ws(' ', attnum, format_type(atttypid, atttypmod), attnotnull, 'identity', attidentity, 'generated', attgenerated,
		attstorage, attcollation, attislocal, attinhcount, pg_get_expr(adbin, adrelid)), attacl, attoptions, attstattarget, NULL
	FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (SELECT oid FROM mine)
UNION ALL SELECT 'constraint', coalesce(conrelid::regclass::text, contypid::regtype::text) || '.' || conname, concat_ws(' ', pg_get_constraintdef(oid), 'validated', convalidated,
		condeferrable, condeferred, 'index', conindid::regclass), NULL, NULL, NULL, NULL FROM pg_constraint WHERE conrelid IN (SELECT oid FROM mine)
UNION ALL SELECT 'index', indexrelid::regclass::text, concat_ws(' ', pg_get_indexdef(indexrelid), 'valid', indisvalid, indisready, indislive, indisunique, indisprimary, indimmediate,
		'clustered', indisclustered, 'replica identity', indisreplident, 'checkxmin', indcheckxmin), NULL, NULL, NULL, NULL FROM pg_index WHERE indrelid IN (SELECT oid FROM mine)
UNION ALL SELECT 'view', oid::regclass::text, regexp_replace(pg_get_viewdef(oid), '\s+', ' ', 'g'), NULL, NULL, NULL, NULL FROM mine WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'sequence''s definition', seqrelid::regclass::text, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle), NULL, NULL, NULL, NULL
	FROM pg_sequence WHERE seqrelid IN (SELECT oid FROM mine)
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || CASE WHEN tgisinternal THEN concat_ws(' ', 'of', (SELECT conname FROM pg_constraint k WHERE k.oid = tgconstraint), tgfoid::regproc) ELSE tgname::text END,
		concat_ws(' ', 'state', tgenabled, CASE WHEN NOT tgisinternal THEN pg_get_triggerdef(oid) END), NULL, NULL, NULL, NULL FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM mine)
UNION ALL SELECT 'policy', polrelid::regclass || '.' || polname, concat_ws(' ', polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), NULL, NULL, NULL, NULL
	FROM pg_policy
UNION ALL SELECT 'rule', ev_class::regclass || '.' || rulename, concat_ws(' ', ev_enabled, regexp_replace(pg_get_ruledef(oid), '\s+', ' ', 'g')), NULL, NULL, NULL, NULL FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM mine)
UNION ALL SELECT 'statistics', stxnamespace::regnamespace || '.' || stxname, pg_get_statisticsobjdef(oid), NULL, NULL, NULL, NULL FROM pg_statistic_ext
UNION ALL SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', proowner::regrole, CASE WHEN prokind IN ('f', 'p') THEN md5(pg_get_functiondef(p.oid)) END), proacl, NULL, NULL, NULL
	FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname !~ '^(pg_|information_schema$)'
UNION ALL SELECT 'type', t.oid::regtype::text, concat_ws(' ', typtype, typowner::regrole, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)), typacl, NULL, NULL, NULL
	FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname !~ '^(pg_|information_schema$|prodsync_work$)'
UNION ALL SELECT 'comment', pg_describe_object(classoid, objoid, objsubid), description, NULL, NULL, NULL, NULL FROM pg_description WHERE objoid >= 16384
UNION ALL SELECT 'schema', nspname, nspowner::regrole::text, nspacl, NULL, NULL, NULL FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
UNION ALL SELECT 'default rights', concat_ws(' ', defaclrole::regrole, defaclnamespace, defaclobjtype), '', defaclacl, NULL, NULL, NULL FROM pg_default_acl
UNION ALL SELECT 'extension', extname, concat_ws(' ', extversion, extowner::regrole), NULL, NULL, NULL, NULL FROM pg_extension
UNION ALL SELECT 'event trigger', evtname, concat_ws(' ', evtevent, evtenabled, evtfoid::regproc), NULL, NULL, NULL, NULL FROM pg_event_trigger
UNION ALL SELECT 'publication', pubname, concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate), NULL, NULL, NULL, NULL FROM pg_publication
ORDER BY 1, 2;
SQL

# With $change: as it would be after that, which is rolled back.
sub content
{
	my ($cluster, $db, $change) = @_;
	return $cluster->sql(($change ? "BEGIN; $change;\n" : '') . $sql, $db // 'app');
}

sub differs
{
	my ($was, $is) = @_;
	my %was = map { $_ => 1 } split /\n/, $was;
	my @new = grep { !delete $was{$_} } split /\n/, $is;
	return join "\n", map({ "was: $_" } sort keys %was), map { "is:  $_" } @new;
}

sub leftovers
{
	my ($cluster, $db) = @_;
	return $cluster->sql(<<'SQL', $db // 'app');
SELECT 'shadow ' || relname FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relname ~ '^s_[0-9]' AND relkind IN ('r', 'p')
UNION ALL SELECT 'run ' || run || ' ' || status FROM sync_runs WHERE status IN ('started', 'switched')
SQL
}

sub presence
{
	my ($cluster, $db) = @_;
	$db //= 'app';
	# From another database, so that our own locks are not among these.
	return $cluster->sql(<<"SQL");
SELECT 'session ' || concat_ws(' ', pid, state, wait_event, left(query, 60)) FROM pg_stat_activity WHERE datname = '$db' AND application_name = 'prodsync'
UNION ALL SELECT 'lock ' || concat_ws(' ', locktype, mode, relation, objid, pid, a.query) FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
	WHERE l.database = (SELECT oid FROM pg_database WHERE datname = '$db') AND NOT coalesce(a.backend_type LIKE 'autovacuum%' OR a.application_name = 'psql', false)
SQL
}

1;
