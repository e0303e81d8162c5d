# What people get wrong: each is one clear error with its exit code, nothing is changed, and no output has a password or a row's value.
use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Time::HiRes ();
use Prodsync;
use Gate;
use Wire;

my $password = 'hunter2-never-shown';
my ($production, $uat) = saas();
$_ .= " password=$password" for @ENV{qw(PRODSYNC_SOURCE PRODSYNC_TARGET)};       # nobody asks for it, but it is there to be leaked
my $yaml = config();
{
	my $run = refresh();
	is($run->{exit}, 0, 'a refresh to begin with') or diag $run->{err};
}
my $untouched = digest($uat);

sub reveals_nothing
{
	my ($run, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	unlike("$run->{out}$run->{err}", qr/\Q$password\E|PRODSECRET|customer\.\d+\@|Customer \d|\+1-555-/, "$name: no password, no row's value");
}
# One error: exit code, what stderr says, nothing changed; the same as JSON.
sub refused
{
	my ($name, $exit, $message, @arguments) = @_;
	@arguments = ('sync', '--from', 'production', '--to', 'uat', '--config', $yaml, '--yes') unless @arguments;
	my $run = prodsync(@arguments);
	is($run->{exit}, $exit, "$name: exit $exit") or diag $run->{err};
	like($run->{err}, $message, "$name: says so");
	is($run->{out}, '', "$name: nothing on stdout");
	reveals_nothing($run, $name);
	my $json = prodsync(@arguments, '--format', 'json');
	my $object = eval { JSON::PP->new->utf8->decode($json->{out}) };
	ok($object && !$object->{ok} && $object->{exit_code} == $exit && $json->{exit} == $exit && $object->{error}{text}, "$name: one JSON object says the same")
		or diag "$json->{exit}: $json->{out}";
	reveals_nothing($json, "$name, JSON");
	is_unchanged($uat, $untouched, "$name: nothing was changed");
	return $run;
}
sub with_yaml { my ($name, $text) = @_; return ('sync', '--from', 'production', '--to', 'uat', '--yes', '--config', file($name, $text)) }
sub sync_from_to { return ('sync', '--from', $_[0], '--to', $_[1], '--yes', '--config', $yaml) }

# ---- the command line ----
refused('unknown command', 2, qr/unknown command "snyc".*did you mean sync/, 'snyc', '--to', 'uat');
refused('unknown option', 2, qr/unknown option --form.*did you mean --from/, 'sync', '--form', 'production', '--to', 'uat');
refused('E3, an unknown table of --tables', 5, qr/unknown table "userz"/, sync_from_to('production', 'uat'), '--tables', 'userz');
refused('a value out of range', 2, qr/--jobs.*1 to 64/, sync_from_to('production', 'uat'), '--jobs', '0');
refused('unknown environment', 2, qr/unknown environment "uta".*did you mean uat.*\n.*production, uat/, sync_from_to('production', 'uta'));
refused('no terminal to ask on', 2, qr/--yes/, 'sync', '--from', 'production', '--to', 'uat', '--config', $yaml);
refused('malformed connection string', 2, qr/connection string that cannot be read/, sync_from_to("postgresql://u:$password\@%zz/x", 'uat'));

# ---- the file ----
refused('no such file', 5, qr/nowhere\.yaml: error: .*No such file/, 'sync', '--from', 'production', '--to', 'uat', '--yes', '--config', 'nowhere.yaml');
refused('malformed YAML', 5, qr/malformed\.yaml:[23]:\d+: error: /, with_yaml('malformed.yaml', "tenants:\n  table: [a, b\nusers: {}\n"));
refused('a double key', 5, qr/double\.yaml:\d+:3: error: "table" stands twice; the first is in line \d+/,
	with_yaml('double.yaml', saas_yaml([ qr/  label: schema_name\n/ => "  label: schema_name\n  table: auth_user\n" ])));
refused('an unknown key', 5, qr/unknown\.yaml:\d+:1: error: unknown key "tenant".*did you mean tenants/, with_yaml('unknown.yaml', saas_yaml([ qr/^tenants:/m => 'tenant:' ])));
refused('E2, an unknown mode', 5, qr/mode\.yaml:\d+:\d+: error: .*"kep".*did you mean keep/, with_yaml('mode.yaml', saas_yaml([ qr/authtoken_token:\s+\{mode: keep/ => 'authtoken_token: {mode: kep' ])));
refused('P1, E3, an unknown table', 5, qr/table\.yaml:\d+:\d+: error: unknown table "apps_accounts_profil".*did you mean apps_accounts_profile/,
	with_yaml('table.yaml', saas_yaml([ qr/apps_accounts_profile:/ => 'apps_accounts_profil:' ])));
refused('E3, a pattern that matches nothing', 5, qr/pattern\.yaml:\d+:\d+: error: .*post_ofice_\*/, with_yaml('pattern.yaml', saas_yaml([ qr/post_office_\*:/ => 'post_ofice_*:' ])));
refused('P3, an unknown column', 5, qr/column\.yaml:\d+:\d+: error: auth_user has no column "usrname".*did you mean username/, with_yaml('column.yaml', saas_yaml([ qr/match: \[username\]/ => 'match: [usrname]' ])));
refused('an unknown tenant table', 5, qr/tenant\.yaml:\d+:\d+: error: unknown table/, with_yaml('tenant.yaml', saas_yaml([ qr/table: apps_tenants_tenant/ => 'table: tenants' ])));
{
	my $two = refused('all problems at once', 5, qr/apps_accounts_profil\b/, with_yaml('two.yaml', saas_yaml([ qr/apps_accounts_profile:/ => 'apps_accounts_profil:' ], [ qr/match: \[username\]/ => 'match: [usrname]' ])));
	like($two->{err}, qr/usrname/, 'all problems at once: the other too');
}
refused('a missing variable', 5, qr/variable\.yaml:3:\d+: error: .*NO_SUCH_VARIABLE is not set/, with_yaml('variable.yaml', saas_yaml([ qr/\$\{PRODSYNC_SOURCE\}/ => '${NO_SUCH_VARIABLE}' ])));

# ---- masking ----
my $good_key = 'ab' x 31 . 'cd';
sub rules { my ($name, @rules) = @_; return with_yaml($name, saas_yaml([ qr/anonymize:\n  policy: none\n/ => join "\n", 'anonymize:', '  policy: none', '  tables:', @rules, '' ])) }
sub customer { my ($name, $rule) = @_; return rules($name, '    apps_customers_customer:', "      - $rule") }
{
	local $ENV{PRODSYNC_KEY} = $good_key;
	refused('P22, C6: columns that look personal', 5, qr/columns? of \d+ tables looks? personal and ha.* no rule/, with_yaml('policy.yaml', saas_yaml([ qr/anonymize:\n  policy: none\n/ => '' ])));
	refused('E2, an unknown strategy', 5, qr/strategy\.yaml:\d+:\d+: error: unknown strategy "emial".*did you mean email/, customer('strategy.yaml', '{column: email, strategy: emial}'));
	refused('E2, an unknown option', 5, qr/option\.yaml:\d+:\d+: error: unknown option "domian".*did you mean domain/, customer('option.yaml', '{column: email, strategy: email, domian: x}'));
	refused('an option of the wrong type', 5, qr/type\.yaml:\d+:\d+: error: .*\.percent must be a whole number from 1 to 100/, customer('type.yaml', '{column: id, strategy: number_noise, percent: "10"}'));
	refused('a number beyond every range', 5, qr/range\.yaml:\d+:\d+: error: .*\.most must be a whole number/, customer('range.yaml', '{column: id, strategy: number_range, least: 1, most: 18446744073709551615}'));
	refused('a path that is none', 5, qr/path\.yaml:\d+:\d+: error: .*must begin with \$/, customer('path.yaml', '{column: address, path: "street", strategy: redact}'));
	refused('a file that is no UTF-8', 5, qr/latin\.yaml:\d+:\d+: error: /, customer('latin.yaml', "{column: email, strategy: email, domain: \"M\xfcller\"}"));
	refused('E2, a rule for an unknown column', 5, qr/rule\.yaml:\d+:\d+: error: .*apps_customers_customer\.emial: there is no such column.*did you mean email/, customer('rule.yaml', '{column: emial, strategy: email}'));
	refused('E2, a rule for an unknown table', 5, qr/ruled\.yaml:\d+:\d+: error: unknown table "apps_customers_customr".*did you mean apps_customers_customer/, rules('ruled.yaml', '    apps_customers_customr:', '      - {column: email, strategy: email}'));
	refused('a rule in a kept table', 5, qr/auth_user\.email: the table is kept/, rules('kept.yaml', '    auth_user:', '      - {column: email, strategy: email}'));
	refused('two rules for one column', 5, qr/two rules for apps_customers_customer\.email/, rules('twice.yaml', '    apps_customers_customer:', '      - {column: email, strategy: email}', '      - {column: email, strategy: hash}'));
	refused('a mask that is too long', 5, qr/apps_customers_customer\.phone is too short for strategy email/, customer('long.yaml', '{column: phone, strategy: email}'));
	refused('C3, a mask that could collide', 5, qr/unique index apps_customers_customer_email_uniq/, customer('collide.yaml', '{column: email, strategy: phone}'));
	refused('a foreign key masked on one side', 5, qr/apps_products_price\.product_sku .*copied as it is.* references apps_products_product\.sku .*masked by hash/, rules('reference.yaml', '    apps_products_product:', '      - {column: sku, strategy: hash}'));
}
{
	local $ENV{PRODSYNC_KEY} = 'abc';
	refused('a short key', 5, qr/the masking key in PRODSYNC_KEY has 3 hex digits instead of 64/, customer('key.yaml', '{column: email, strategy: email}'));
	delete local $ENV{PRODSYNC_KEY};
	refused('no key', 5, qr/no masking key.*openssl rand/s, customer('key.yaml', '{column: email, strategy: email}'));
	my $open = file('open.key', "$good_key\n", 0644);
	refused('a key that others can read', 5, qr/can be read by others.*chmod 600/s, with_yaml('key.yaml', saas_yaml([ key_file => $open ], [ qr/  policy: none\n/ => "  policy: none\n  tables:\n    apps_customers_customer: [{column: email, strategy: email}]\n" ])));
}
refused('P2: keep is no SQL', 5, qr/tenants\.keep.* cannot be evaluated .*LIKEE.*\n.*condition over the columns of apps_tenants_tenant/, with_yaml('keep.yaml', saas_yaml([ qr/keep: .*\n/ => "keep: \"schema_name LIKEE 'x'\"\n" ])));
refused('keep fails', 5, qr/tenants\.keep.* cannot be evaluated .*22P02/, with_yaml('fails.yaml', saas_yaml([ qr/keep: .*\n/ => "keep: \"schema_name::integer = 1\"\n" ])));
refused('keep is more than a condition', 5, qr/tenants\.keep/, with_yaml('more.yaml', saas_yaml([ qr/keep: .*\n/ => "keep: \"true); DROP TABLE gate; --\"\n" ])));
refused('keep matches nothing', 5, qr/tenants\.keep matches none of the \d+ tenants/, with_yaml('none.yaml', saas_yaml([ qr/keep: .*\n/ => "keep: \"schema_name = 'nowhere'\"\n" ])));
refused('no fallback user', 5, qr/users\.fallback/, with_yaml('fallback.yaml', saas_yaml([ qr/uat_admin/ => 'nobody_at_all' ])));
{
	my $wild = prodsync('plan', '--from', 'production', '--to', 'uat', '--config', file('wild.yaml', saas_yaml([ qr/keep: .*\n/ => "keep: \"schema_name LIKE 'test_%'\"\n" ])));
	like("$wild->{out}$wild->{err}", qr/unescaped _.*kept are: test_acme, test_global, testament_books/, 'P7: an unescaped _ is warned of, the tenants are named');
}

# ---- the servers ----
{
	local $ENV{PRODSYNC_SOURCE} = "host=/nowhere dbname=app user=postgres password=$password";
	refused('no server', 3, qr/cannot connect to production: .*\/nowhere/);
	$ENV{PRODSYNC_SOURCE} = "host=127.0.0.1 port=1 dbname=app user=postgres password=$password";
	refused('unreachable', 3, qr/cannot connect to production: .*refused/);
	$ENV{PRODSYNC_SOURCE} = "postgresql://postgres:$password\@127.0.0.1:1/app";
	refused('unreachable, by URI', 3, qr/cannot connect to production: .*refused/);
	$ENV{PRODSYNC_SOURCE} = $production->dsn('no_such_database') . " password=$password";
	refused('no such database', 3, qr/cannot connect to production: there is no database "no_such_database"/);
	# What the server says is told by its SQLSTATE: it may say it in another language. (As many bytes, so that its messages keep their length.)
	my $german = Wire->new($production, sub { s/too many connections/zuviele Verbindungen/; s/does not exist/gibt es nicht./ });
	$production->sql('CREATE ROLE limited LOGIN CONNECTION LIMIT 0');
	$ENV{PRODSYNC_SOURCE} = $german->dsn('app') =~ s/user=postgres/user=limited/r;
	refused('no free connection, in German', 3, qr/cannot connect to production: the server at .* has no free connection\n.*hint: use fewer --jobs/);
	$ENV{PRODSYNC_SOURCE} = $german->dsn('no_such_database');
	refused('no such database, in German', 3, qr/cannot connect to production: there is no database "no_such_database"/);
	$german->close;
	my $hba = $production->sql('SHOW hba_file');
	$production->sql("CREATE ROLE checked LOGIN PASSWORD 'right'");
	my $rules = slurp($hba);
	Prodsync::spew($hba, "local all checked scram-sha-256\n$rules");
	$production->sql('SELECT pg_reload_conf()');
	$ENV{PRODSYNC_SOURCE} = $production->dsn('app', 'checked') . " password=$password";
	refused('wrong password', 3, qr/cannot connect to production: wrong password, or no such role: checked/);
	$ENV{PRODSYNC_SOURCE} = $production->dsn('app', 'checked');
	refused('no password', 3, qr/cannot connect to production: .*wants a password for checked/);
	# Secrets are data, wherever they come from: no shell reads them, and no other program is run.
	my $odd = q{a'b"c\\d $(touch shell) `touch shell`; touch shell & | %s ${HOME} # \\};
	$production->sql(sprintf q{ALTER ROLE checked SUPERUSER PASSWORD E'%s'}, $odd =~ s/(['\\])/\\$1/gr);
	local @ENV{qw(ODD_PASSWORD PATH)} = ($odd, '/nowhere');
	my $own = execute("$ENV{PRODSYNC_BINDIR}/prodsync", 'plan', '--from', 'production', '--to', 'uat', '--config',
		file('odd.yaml', saas_yaml([ qr/dsn: "\$\{PRODSYNC_SOURCE\}"/ => 'dsn: "host=' . $production->{host} . ' dbname=app user=checked password=${ODD_PASSWORD}"' ])));
	is($own->{exit}, 0, 'P20: a password with what a shell would read') or diag $own->{err};
	unlike("$own->{out}$own->{err}", qr/touch/, 'P20: is not shown');
	ok(!-e 'shell', 'P20: nor run');
}
# Reading a catalog opens relations, and waits for whoever holds one: not without end.
for ([production => $production], [uat => $uat]) {
	my ($name, $side) = @$_;
	my $table = 'apps_audit_history';    # partitioned: its key and bounds are expressions
	$side->sql(q{ALTER DATABASE app SET lock_timeout = '300ms'});
	my $holder = begin($side, "SET application_name = 'migration'; LOCK TABLE ONLY $table IN ACCESS EXCLUSIVE MODE");
	refused("a table of $name that somebody holds", 4,
		qr/the catalog of $name could not be read within [\d.]+ s: $table is locked by pid $holder->{backend} \(postgres, migration, idle in transaction\); nothing was changed\n.*hint: run it again/);
	$holder->query('ROLLBACK');
	$side->sql('ALTER DATABASE app RESET lock_timeout');
}
{
	$uat->sql('CREATE DATABASE bare');
	local $ENV{PRODSYNC_TARGET} = $uat->dsn('bare') . " password=$password";
	refused('missing extension', 4, qr/uat does not have the extension prodsync\n.*CREATE EXTENSION prodsync/);
	$ENV{PRODSYNC_TARGET} = $ENV{PRODSYNC_SOURCE};
	refused('E12, M3, target = source', 4, qr/uat does not have the extension prodsync/);
	$production->sql("CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", 'app');
	refused('E12, M3, target = source, and it is refreshable', 4, qr/production and uat are the same database/);
	my $elsewhere = Prodsync::folder();
	symlink "$production->{host}/.s.PGSQL.5432", "$elsewhere/.s.PGSQL.5432" or die "$elsewhere: $!";
	$ENV{PRODSYNC_TARGET} = "postgresql://postgres:$password\@/app?host=$elsewhere&port=5432";
	my $again = refused('E12: target = source, under another name', 4, qr/production and uat are the same database/);
	cmp_ok($again->{seconds}, '<', 20, 'E12: which does not wait for itself');
	$production->sql('DROP EXTENSION prodsync CASCADE', 'app');
}
{
	my $standby = $uat->standby('standby');
	{
		local $ENV{PRODSYNC_TARGET} = $standby->dsn('app') . " password=$password";
		refused('a standby as target', 4, qr/uat is a standby: it cannot be written to/);
	}
	local $ENV{PRODSYNC_SOURCE} = $standby->dsn('app') . " password=$password";
	refused('E12: source = standby of the target', 4, qr/production is a replica of the server of uat: it would be refreshed from itself/);
	$standby->sql('SELECT pg_promote()');
	my $copy = prodsync('plan', '--from', 'production', '--to', 'uat', '--config', $yaml);
	like("$copy->{out}$copy->{err}", qr/production and uat have the same system identifier: one is a physical copy/, 'E12: a copy of the target is another database, and said');
	$standby->stop('immediate');
}
{
	$uat->sql('CREATE DATABASE copied TEMPLATE app');
	local $ENV{PRODSYNC_TARGET} = $uat->dsn('copied');
	refused('C5, a copy of a refreshable database', 4, qr/uat is not marked as refreshable \(.*copy.*sync_set_environment/s);
	$uat->sql('DROP DATABASE copied');
}
refused('C5, the label of another name', 4, qr/the database behind staging carries the label "uat"; nothing was changed/,
	'sync', '--from', 'production', '--to', 'staging', '--yes', '--config', file('staging.yaml', saas_yaml([ qr/  uat: / => '  staging: ' ])));
$uat->sql("SELECT sync_set_environment('uat', false)", 'app');
refused('not refreshable', 4, qr/uat is not marked as refreshable.*nothing was changed\n.*sync_set_environment\('uat', true\)/);
$uat->sql("SELECT sync_set_environment('uat', true)", 'app');
$uat->sql("UPDATE pg_extension SET extversion = '0.0' WHERE extname = 'prodsync'", 'app');
refused('P20: another version of the SQL', 4, qr/the extension of uat is 0\.0\n.*ALTER EXTENSION prodsync UPDATE/);
$uat->sql("UPDATE pg_extension SET extversion = '0.1' WHERE extname = 'prodsync'", 'app');
$uat->sql("CREATE OR REPLACE FUNCTION sync_version() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT ''9.9''::text'", 'app');
refused('P20: another version of the library', 4, qr/the library of uat is 9\.9\n/);
$uat->sql("CREATE OR REPLACE FUNCTION sync_version() RETURNS text LANGUAGE C STABLE PARALLEL SAFE AS '\$libdir/prodsync', 'prodsync_version'", 'app');
{
	my $says_older = sub { s/server_version\0\K\d\d/12/ };
	for my $side (qw(SOURCE TARGET)) {
		my $old = Wire->new($side eq 'SOURCE' ? $production : $uat, $says_older);
		local $ENV{"PRODSYNC_$side"} = $old->dsn('app') . " password=$password";
		refused("P20: the $side is older than we know", 4, qr/is PostgreSQL 12\.\d+, prodsync needs 13 or later there/);
	}
}
{
	my $gate = gate($production);
	my $first = start_refresh();
	at_gate($production);
	my $second = prodsync(sync_from_to('production', 'uat'));
	is($second->{exit}, 4, 'a second run at the same time: exit 4');
	like($second->{err}, qr/run \d+ is at work: started by "postgres" at .*\n.*hint: /, 'a second run: says who is first');
	reveals_nothing($second, 'a second run');
	$gate->query('COMMIT');
	is($first->wait->{exit}, 0, 'a second run: the first goes on');
	$untouched = digest($uat);
}

# ---- rights ----
{
	$production->sql("CREATE ROLE reader LOGIN BYPASSRLS; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; REVOKE ALL ON apps_crm_tag, apps_sales_invoice FROM reader", 'app');
	$uat->sql('CREATE ROLE loader LOGIN BYPASSRLS');
	local $ENV{PRODSYNC_SOURCE} = $production->dsn('app', 'reader');
	my $run = refused('missing rights on the source', 5, qr/1 problem stands in the way\n.*may not read 2 tables.*GRANT SELECT ON public\.apps_crm_tag, public\.apps_sales_invoice TO reader;/s);
	$production->sql('GRANT SELECT ON apps_crm_tag, apps_sales_invoice TO reader', 'app');
	local $ENV{PRODSYNC_TARGET} = $uat->dsn('app', 'loader');
	refused('missing rights on the target', 4, qr/role loader may not refresh uat\n.*sync_grant\('loader'\)/);
	$uat->sql("SELECT sync_grant('loader'); GRANT SELECT ON ALL TABLES IN SCHEMA public TO loader", 'app');
	my $plain = prodsync(sync_from_to('production', 'uat'), '--format', 'json');
	is($plain->{exit}, 0, 'P16: a role that is no superuser refreshes') or diag $plain->{err};
	my $object = eval { JSON::PP->new->utf8->decode($plain->{out}) };
	ok($object && $object->{ok} && $object->{run} && !defined $object->{error}, 'success as one JSON object') or diag $plain->{out};
	my $tables = $object->{tables} // {};
	my %folded = map { $_ => 1 } qw(apps_suppliers_follow apps_tenants_membership apps_tenants_membership_roles apps_tenants_preference apps_tickets_ticket_watchers);
	my @wrong = grep { !$folded{$_} && $tables->{$_} != $production->sql("SELECT count(*) FROM $_", 'app') } sort keys %$tables;
	cmp_ok(scalar keys %$tables, '>', 50, 'E1: the rows of every table are told');
	is("@wrong", '', "E1: they are as many as production's");
	my $count = 'SELECT ' . join ', ', map { "(SELECT count(*) FROM $_)" } qw(core_region apps_audit_event apps_files_attachment gate);
	is($uat->sql($count, 'app'), $production->sql($count, 'app'), 'E1: and they are there');
	$untouched = digest($uat);
}

# ---- interruptions ----
sub interrupted_at_the_gate
{
	my ($signal) = @_;
	my $gate = gate($production);
	my $run = start_refresh();
	at_gate($production);
	my $begin = Time::HiRes::time();
	$run->signal($signal);
	my $done = $run->wait;
	$done->{took} = Time::HiRes::time() - $begin;
	$gate->query('COMMIT');
	return $done;
}
for my $signal (qw(INT TERM)) {
	my $done = interrupted_at_the_gate($signal);
	is($done->{exit}, 7, "SIG$signal in the load: exit 7") or diag $done->{err};
	cmp_ok($done->{took}, '<', 1.0, "SIG$signal: in $done->{took} s");
	like($done->{err}, qr/error: interrupted; the target is what it was/, "SIG$signal: says so");
	ok(wait_until(5, sub { sessions($production) == 0 && sessions($uat) == 0 }), "SIG$signal: no session is left");
	is_unchanged($uat, $untouched, "P18, SIG$signal: nothing was changed, nothing is left");
}
{
	my $done = interrupted_at_the_gate('KILL');
	is($done->{exit}, 137, 'kill -9 of the client');
	ok(wait_until(20, sub { sessions($production) == 0 && sessions($uat) == 0 }), 'kill -9: no session stays');
	is(digest($uat), $untouched, 'P18, E14, kill -9: nothing was changed');
	my $next = refresh();
	is($next->{exit}, 0, 'kill -9: the next run works') or diag $next->{err};
	is_unchanged($uat, $untouched, 'kill -9: and has dropped what was left');
	is($uat->sql("SELECT string_agg(status, ' ' ORDER BY run DESC) FROM (SELECT * FROM sync_runs ORDER BY run DESC LIMIT 2) r", 'app'), 'done discarded', 'kill -9: the ledger knows');
}

done_testing;
