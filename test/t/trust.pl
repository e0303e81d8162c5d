# S5: the target is trusted with nothing of production's.  A target whose functions were replaced and that asks for more, or leaves a
# mask out, is refused before it gets a row, and no text of its own is ever run on the source.
use strict;
use warnings;
use Gate;
use Prodsync;
use Test::More;

my ($production, $uat) = saas(production => ['log_statement=all']);
$ENV{PRODSYNC_KEY} = 'c3' x 31 . 'd4';
config([qr/anonymize:\n  policy: none\n/ => <<'YAML']);
anonymize:
  policy: none
  tables:
    apps_customers_customer:
      - {column: email, strategy: email}
YAML
my $evil = 'zq7evil';
my $before = digest($uat);

# The real function goes on under another name; the one in its place changes what comes out of it.
sub replaced
{
	my ($function, $arguments, $returns, $body) = @_;
	my $names = join ', ', map { (split)[0] } split /, /, $arguments;
	my $types = join ', ', map { (split)[1] } split /, /, $arguments;
	my $row = join ' ', map { my ($column) = split; "$column := r.$column;" } split /, /, $returns =~ s/^TABLE \(|\)$//gr;
	$uat->sql(<<SQL, 'app');
ALTER FUNCTION $function($types) RENAME TO real_$function;
CREATE FUNCTION $function($arguments) RETURNS $returns LANGUAGE plpgsql AS \$f\$
DECLARE r record; BEGIN FOR r IN SELECT * FROM public.real_$function($names) LOOP $body $row RETURN NEXT; END LOOP; END \$f\$;
SQL
	return sub { $uat->sql("DROP FUNCTION $function($types); ALTER FUNCTION real_$function($types) RENAME TO $function; SELECT sync_discard()", 'app') };
}
my $log_from = length $production->log;
sub refused
{
	my ($name, $function, $arguments, $returns, $body) = @_;
	my $restore = replaced($function, $arguments, $returns, $body);
	my $from = length $production->log;
	my $run = refresh();
	is($run->{exit}, 4, "S5: $name: refused") or diag $run->{out}, $run->{err};
	like($run->{err}, qr/plans something else than this client|would do other steps than this client planned/, 'with words that say why');
	my $asked = substr $production->log, $from;
	unlike($asked, qr/\bCOPY\b/, 'no row left production');
	unlike($asked, qr/\Q$evil\E/, 'and nothing of the target was run there');
	$restore->();
	is_unchanged($uat, $before, 'the target is as it was');
	return;
}

my @plan = ('sync_plan', 'config jsonb, source jsonb, answers jsonb', 'TABLE (section text, object text, item jsonb)');
my @start = ('sync_start', 'config jsonb, source jsonb, answers jsonb',
	'TABLE (run integer, step integer, kind text, relation text, shadow text, depends_on integer[], est_bytes bigint, format text, columns jsonb, filter text)');
my $customers = q{r.relation LIKE '%apps_customers_customer' AND r.kind = 'load'};
my $item = q{r.section = 'step' AND r.item ->> 'kind' = 'load' AND r.item ->> 'relation' LIKE '%apps_customers_customer'};

# the mask left out: of every column that has one
my $unmasked = q{(SELECT jsonb_agg(c - 'mask' ORDER BY n) FROM jsonb_array_elements(%s) WITH ORDINALITY AS e(c, n))};
refused('sync_start() drops a mask', @start, "IF $customers THEN r.columns := ${\ sprintf $unmasked, 'r.columns' }; END IF;");
refused('sync_plan() drops a mask', @plan, "IF $item THEN r.item := jsonb_set(r.item, '{columns}', ${\ sprintf $unmasked, q{r.item -> 'columns'} }); END IF;");
refused('sync_start() masks by another strategy', @start, "IF $customers THEN r.columns := replace(r.columns::text, '\"strategy\": \"email\"', '\"strategy\": \"none\"')::jsonb; END IF;");

# more columns
my $added = qq{{"name": "$evil", "type": "text", "map": "", "cast": ""}};
refused('sync_start() adds a column', @start, "IF $customers THEN r.columns := r.columns || '$added'; END IF;");
refused('sync_plan() adds a column', @plan, "IF $item THEN r.item := jsonb_set(r.item, '{columns}', (r.item -> 'columns') || '$added'); END IF;");

# another table
refused('sync_start() names another table', @start, "IF $customers THEN r.relation := 'public.$evil'; END IF;");
refused('sync_plan() reads another table', @plan, "IF $item THEN r.item := jsonb_set(r.item, '{source_relation}', '\"public.auth_user\"'); END IF;");
refused('sync_plan() adds a step for another table', @plan, "IF $item THEN r.item := jsonb_set(r.item, '{relation}', '\"public.$evil\"'); END IF;");

# a filter of its own, which would run on the source
refused('sync_start() adds a filter', @start, "IF $customers THEN r.filter := '$evil()'; END IF;");
refused('sync_plan() adds a filter', @plan, "IF $item THEN r.item := jsonb_set(r.item, '{filter}', '\"$evil()\"'); END IF;");
refused('sync_plan() casts at the source', @plan, "IF $item THEN r.item := jsonb_set(r.item, '{columns,0,cast}', '\"$evil\"'); END IF;");

# a table copied that is to be kept
refused('sync_plan() copies the users', @plan, q{IF r.section = 'table' AND r.object LIKE '%auth_user' THEN r.item := jsonb_set(r.item, '{mode}', '"copy"'); END IF;});

# a shadow that is none
{
	my $restore = do {
		$uat->sql(<<'SQL', 'app');
ALTER FUNCTION sync_step(integer, integer) RENAME TO real_sync_step;
CREATE TABLE public.trap (LIKE apps_customers_customer);
CREATE FUNCTION sync_step(run integer, step integer) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM public.real_sync_step($1, $2); RETURN 'public.trap'; END$$;
SQL
		sub { $uat->sql('DROP FUNCTION sync_step(integer, integer); ALTER FUNCTION real_sync_step(integer, integer) RENAME TO sync_step; SELECT sync_discard(); DROP TABLE trap', 'app') };
	};
	my $run = refresh();
	is($run->{exit}, 4, 'S5: sync_step() names a table that is no shadow: refused') or diag $run->{err};
	$restore->();
	is_unchanged($uat, $before, 'the target is as it was');
}

# A catalog of its own making: predicates, names and types in it are never SQL for the source.
{
	my $predicates = qq{jsonb_set(x.value, '{predicate}', '"$evil()"') || '{"unique": true}'};
	$uat->sql(<<SQL, 'app');
ALTER FUNCTION sync_catalog() RENAME TO real_sync_catalog;
CREATE FUNCTION sync_catalog() RETURNS jsonb LANGUAGE sql AS \$\$
	SELECT jsonb_set(c, '{relations}', (SELECT jsonb_agg(CASE WHEN r.value ? 'indexes' AND r.value ->> 'name' LIKE 'apps\\_%' THEN
		jsonb_set(r.value, '{indexes}', (SELECT coalesce(jsonb_agg($predicates ORDER BY x.n), '[]') FROM jsonb_array_elements(r.value -> 'indexes') WITH ORDINALITY AS x (value, n)))
		|| jsonb_build_object('columns', replace((r.value -> 'columns')::text, '"type": "bigint"', '"type": "$evil"')::jsonb) ELSE r.value END ORDER BY r.n)
		FROM jsonb_array_elements(c -> 'relations') WITH ORDINALITY AS r (value, n))) FROM (SELECT public.real_sync_catalog()::jsonb AS c) AS of_catalog\$\$;
SQL
	like($uat->sql('SELECT sync_catalog()', 'app'), qr/"predicate": "$evil\(\)".*"type": "$evil"/s, 'a catalog that lies');
	my $from = length $production->log;
	my $run = refresh();
	like($run->{exit}, qr/^[45]$/, 'S5: sync_catalog() tells other predicates and types: refused') or diag $run->{err};
	my $asked = substr $production->log, $from;
	unlike($asked, qr/\bCOPY\b/, 'no row left production');
	unlike($asked, qr/\Q$evil\E/, 'and nothing of it was run there');
	$uat->sql('DROP FUNCTION sync_catalog(); ALTER FUNCTION real_sync_catalog() RENAME TO sync_catalog', 'app');
	is_unchanged($uat, $before, 'the target is as it was');
}

# Answers to what nobody asked of the target: what production was asked, production says.
{
	$uat->sql(<<SQL, 'app');
ALTER FUNCTION sync_answers(jsonb, jsonb, jsonb) RENAME TO real_sync_answers;
CREATE FUNCTION sync_answers(config jsonb, source jsonb, answers jsonb) RETURNS TABLE (question text, cells text[]) LANGUAGE sql AS
	\$\$SELECT r.question, r.cells FROM public.real_sync_answers(config, source, answers) AS r
	UNION ALL SELECT * FROM (VALUES ('source_tenants public.apps_tenants_tenant', ARRAY['1', '$evil']), ('maximum public.apps_customers_customer.id', ARRAY['1999999999']), ('$evil', ARRAY['$evil'])) AS v\$\$;
SQL
	my $run = refresh('--dry-run');
	is($run->{exit}, 0, 'S5: sync_answers() answers what production was asked: not heard') or diag $run->{err};
	unlike("$run->{out}$run->{err}", qr/$evil|1,?999,?999,?999|left out/, 'no tenant of production is left out, no largest id comes from there');
	$uat->sql('DROP FUNCTION sync_answers(jsonb, jsonb, jsonb); ALTER FUNCTION real_sync_answers(jsonb, jsonb, jsonb) RENAME TO sync_answers', 'app');
}

# Questions: whatever sync_questions() says, the client asks its own.
$uat->sql(<<SQL, 'app');
ALTER FUNCTION sync_questions(jsonb, jsonb) RENAME TO real_sync_questions;
CREATE FUNCTION sync_questions(config jsonb, source jsonb) RETURNS TABLE (question text, kind text, relation text, columns text[]) LANGUAGE sql AS
	\$\$SELECT '$evil', 'pairs', 'public.$evil', ARRAY['$evil']\$\$;
SQL
is(refresh()->{exit}, 0, 'with everything in its place again the refresh is done');
unlike(substr($production->log, $log_from), qr/\Q$evil\E/, 'S5: no text of the target was ever run on the source');
like(substr($production->log, $log_from), qr/COPY \(SELECT/, 'where every statement is in the log');
is($uat->sql("SELECT count(*) FROM apps_customers_customer WHERE id < 1000000000 AND email <> '' AND email !~ '^user_[0-9a-f]{16}\@example.com\$'", 'app'), 0, 'and what arrived is masked');

done_testing;
