# Choosing: tables and tenants of one refresh, what the plan says of tenant paths, and the fallback user who joins what was imported.
# Clubs are the tenants here; a club can belong to another one (a federation).
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 'test/t';
use Prodsync;

my $server = clusters('both');
my $schema = <<'END';
CREATE TABLE app_user (id serial PRIMARY KEY, username text NOT NULL UNIQUE);
CREATE TABLE category (id serial PRIMARY KEY, name text NOT NULL UNIQUE, tenant_id integer);
CREATE TABLE club (id serial PRIMARY KEY, slug text NOT NULL UNIQUE, parent_id integer REFERENCES club, category_id integer REFERENCES category);
CREATE TABLE member (id serial PRIMARY KEY, club_id integer NOT NULL REFERENCES club, user_id integer NOT NULL REFERENCES app_user, role text NOT NULL,
	since date NOT NULL DEFAULT '2024-02-29', UNIQUE (club_id, user_id));
CREATE TABLE player (id serial PRIMARY KEY, club_id integer REFERENCES club, category_id integer REFERENCES category, name text NOT NULL);
CREATE TABLE game (id serial PRIMARY KEY, player_id integer NOT NULL REFERENCES player, score integer NOT NULL);
CREATE TABLE loan (id serial PRIMARY KEY, club_id integer NOT NULL REFERENCES club, player_id integer NOT NULL REFERENCES player);
CREATE TABLE news (id serial PRIMARY KEY, headline text NOT NULL);
CREATE TABLE old_news (archived boolean NOT NULL DEFAULT true) INHERITS (news);
END
my $of_production = <<'END';
INSERT INTO app_user (username) VALUES ('root'), ('alice'), ('bob');
INSERT INTO category (name, tenant_id) VALUES ('junior', 1), ('senior', 77);
INSERT INTO club (slug, parent_id, category_id) VALUES ('fed', NULL, 1), ('acme', 1, 1), ('globex', 1, 2), ('initech', NULL, 2);
INSERT INTO member (club_id, user_id, role) SELECT c, u, 'owner' FROM generate_series(1, 4) c, generate_series(2, 3) u WHERE c <> 4 OR u = 2;
INSERT INTO player (club_id, category_id, name) SELECT 1 + g % 4, 1 + g % 2, 'p' || g FROM generate_series(1, 8) g;
INSERT INTO player (category_id, name) VALUES (1, 'free agent');
INSERT INTO game (player_id, score) SELECT 1 + g % 8, g FROM generate_series(1, 24) g;
INSERT INTO loan (club_id, player_id) SELECT p.club_id, p.id FROM player p WHERE club_id IS NOT NULL;
INSERT INTO news (headline) VALUES ('one'), ('two');
INSERT INTO old_news (headline) VALUES ('old');
END
my $of_uat = <<'END';
INSERT INTO app_user (username) VALUES ('uat_admin'), ('tester');
INSERT INTO category (name) VALUES ('senior'), ('junior');
INSERT INTO club (slug, parent_id, category_id) VALUES ('left over', NULL, 1), ('fed', NULL, 1), ('test_one', 2, 1);
INSERT INTO member (club_id, user_id, role) VALUES (1, 1, 'owner'), (3, 2, 'tester');
INSERT INTO player (club_id, category_id, name) VALUES (1, 1, 'gone'), (3, 2, 'kept'), (NULL, 1, 'nobody''s');
INSERT INTO game (player_id, score) VALUES (1, 100), (2, 200), (3, 300);
INSERT INTO news (headline) VALUES ('of uat');
END
for (['production', $of_production], ['first', $of_uat]) {
	$server->sql("CREATE DATABASE $_->[0]");
	$server->sql($schema . $_->[1] . 'ANALYZE;', $_->[0]);
}
$server->sql('CREATE EXTENSION prodsync', 'first');
$ENV{PRODSYNC_SOURCE} = $server->dsn('production');
$ENV{PRODSYNC_TARGET} = $server->dsn('uat');

# The target as it is before every part.
sub fresh
{
	$server->sql($_) for 'DROP DATABASE IF EXISTS uat WITH (FORCE)', 'CREATE DATABASE uat TEMPLATE first';
	$server->sql("SELECT sync_set_environment('uat', true)", 'uat');
	return;
}
my $count = 0;
sub yaml
{
	my (%part) = @_;
	my $tenants = $part{tenants} // '';
	my $users = $part{users} // '';
	my $more = $part{more} // '';
	return file('choosing' . $count++ . '.yaml', <<"END");
environments:
  production: {dsn: "\${PRODSYNC_SOURCE}"}
  uat:        {dsn: "\${PRODSYNC_TARGET}"}
tenants:
  table: club
  keep: "slug LIKE 'test\\\\_%'"
  label: slug
$tenants
users:
  table: app_user
  fallback: {username: uat_admin}
$users
accept: {folded: [member]}
anonymize: {policy: none}
$more
END
}
my $yaml = yaml();
sub run { my ($command, $config, @more) = @_; return prodsync($command, '--from', 'production', '--to', 'uat', '--config', $config, ($command eq 'sync' ? '--yes' : ()), @more) }
sub uat { return $server->sql($_[0], 'uat') }
sub ok_run
{
	my ($name, @run) = @_;
	my $run = run(@run);
	is($run->{exit}, 0, $name) or diag $run->{err};
	return $run;
}
sub refused
{
	my ($name, $exit, $what, @run) = @_;
	my $before = rows(qw(app_user category club member player game loan news));
	my $run = run(@run);
	is($run->{exit}, $exit, "$name: exit $exit") or diag "$run->{out}$run->{err}";
	like($run->{err}, $what, "$name: says what");
	is(rows(qw(app_user category club member player game loan news)), $before, "$name: nothing was changed");
	return $run;
}
# What is in the tables, to the last column.
sub rows { return join "\n", map { "$_: " . uat("SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM ONLY $_ t") } @_ }
sub whole { return is(uat('SELECT count(*) FROM sync_check() WHERE NOT ok'), 0, "$_[0]: every check is ok") }

# ---- everything, twice ----
fresh();
ok_run('a refresh', 'sync', $yaml);
is(uat("SELECT string_agg(slug, ' ' ORDER BY slug) FROM club"), 'acme fed globex initech test_one', 'P8: old tenants are replaced like other rows');
is(uat("SELECT count(*) FROM player WHERE name = 'nobody''s'"), 0, 'P9: a NULL on the path means no tenant: replaced');
is(uat("SELECT count(*) FROM player WHERE name = 'free agent'"), 1, 'P9: and production\'s is copied');
is(uat('SELECT string_agg(score::text, \' \') FROM game WHERE score >= 100'), '200', 'P10: rows without a tenant column go and stay with the rows they hang from');
is(uat("SELECT username || ' ' || role FROM member JOIN app_user u ON u.id = user_id JOIN club c ON c.id = club_id WHERE slug = 'test_one'"), 'tester tester',
	'P25: the users and memberships of kept tenants survive');
is(uat("SELECT string_agg(name || tenant_id, ' ' ORDER BY name) FROM category"), 'junior1 senior77', 'P23: a tenant_id that is no foreign key is a number like others');
is(uat("SELECT p.id FROM club c JOIN club p ON p.id = c.parent_id WHERE c.slug = 'test_one'"), 1,
	'tenants of tenants: the kept club is in production\'s federation of the same name');
whole('a refresh');
my $all = rows(qw(app_user category club member player game loan news old_news));
ok_run('P8: a second refresh', 'sync', $yaml);
is(rows(qw(app_user category club member player game loan news old_news)), $all, 'P8: and the same again');
# ---- a clear that fails in its middle ----
fresh();
uat('CREATE INDEX failing ON player ((1 / (id - 1000000000)))');    # for the kept player alone, by the id that it gets
{
	my $run = refused('P2: a failed clear ends the run with its code', 1, qr/^prodsync: error: uat: SQLSTATE 22012\b/m, 'sync', $yaml);
	is($run->{out}, '', 'P2: and nothing is told as done');
	uat('UPDATE club SET parent_id = NULL');    # by hand there is nothing of production's to reference
	my $before = rows(qw(app_user category club member player game loan news));
	my $clear = $server->psql('SELECT relation FROM sync_clear()', 'uat');
	is($clear->{exit}, 3, 'P2: sync_clear() is an error in psql, too');
	like($clear->{err}, qr/ERROR:  division by zero/, 'P2: the one that it met');
	is($clear->{out}, '', 'P2: that names no table as cleared');
	is(rows(qw(app_user category club member player game loan news)), $before, 'P2: and clears none');
	uat('DROP INDEX failing');
	my $whole = $server->psql('SELECT count(*) FROM sync_clear() WHERE relation IN ($$player$$, $$game$$)', 'uat');
	is($whole->{out}, "2\n", 'P2: which it does where nothing fails') or diag $whole->{err};
}
{
	local $ENV{PRODSYNC_TARGET} = $server->dsn('federation');
	fresh();
	uat("UPDATE club SET slug = 'fed of uat' WHERE slug = 'fed'");
	$server->sql('DROP DATABASE IF EXISTS federation WITH (FORCE)');
	$ENV{PRODSYNC_TARGET} = $server->dsn('uat');
	refused('tenants of tenants, a federation that nothing keeps', 6, qr/supporting rows of other tenants.*club/s, 'sync', $yaml);
	uat("UPDATE club SET slug = 'test_fed' WHERE slug = 'fed of uat'");
	ok_run('tenants of tenants, both kept', 'sync', $yaml);
	is(uat("SELECT p.slug FROM club c JOIN club p ON p.id = c.parent_id WHERE c.slug = 'test_one'"), 'test_fed', 'tenants of tenants: the reference follows the federation\'s new id');
	is(uat("SELECT count(*) FROM club WHERE slug LIKE 'test%' AND id >= 1000000000"), 2, 'and both moved');
}

# ---- --tables, --exclude ----
fresh();
ok_run('before choosing', 'sync', $yaml);
uat("INSERT INTO news (headline) VALUES ('a tester''s')");
my @others = qw(app_user category club member player loan news old_news);
my $others = rows(@others);
$server->sql('UPDATE game SET score = score + 1000; INSERT INTO game (player_id, score) VALUES (3, 5000)', 'production');
my $plan = run('plan', $yaml, '--tables', 'game', '--format', 'json');
my ($stays) = grep { $_->{table} eq 'player' } @{ decode_json($plan->{out})->{details} };
is($stays->{what_happens}, 'stays as it is (not in --tables)', 'the plan says why a table stays');
ok_run('--tables', 'sync', $yaml, '--tables', 'game');
is(rows(@others), $others, '--tables: all other tables stay as they are');
is(uat('SELECT count(*) FROM game WHERE score > 1000'), 25, '--tables: production\'s rows found their parents by id');
is(uat("SELECT string_agg(score::text, ' ') FROM game JOIN player p ON p.id = player_id WHERE name = 'kept'"), '200', '--tables: kept rows stay with theirs');
is(uat("SELECT sync_config() ? 'choice'"), 'f', '--tables is not stored as the configuration');
whole('--tables');
my $in_news = uat("SELECT string_agg(headline, ' ' ORDER BY headline) FROM news");
ok_run('--exclude', 'sync', $yaml, '--exclude', 'ne*,loan', '--exclude', 'member');
is(uat("SELECT string_agg(headline, ' ' ORDER BY headline) FROM news"), $in_news, '--exclude: they stay, tables that inherit from them too');
$server->sql("UPDATE old_news SET headline = 'older'", 'production');
ok_run('--exclude of a parent', 'sync', $yaml, '--exclude', 'news');
is(uat('SELECT headline FROM old_news'), 'old', '--exclude closes over tables that inherit');
whole('--exclude');
{
	my $id = $server->sql("INSERT INTO player (club_id, name) VALUES (2, 'new') RETURNING id", 'production');
	$server->sql("INSERT INTO game (player_id, score) VALUES ($id, 1)", 'production');
	refused('a parent that is not there', 5, qr/game\.player_id -> player: 1 row of production references? rows of player, which stays.*--tables game,player/s, 'sync', $yaml, '--tables', 'game');
	ok_run('with its parent', 'sync', $yaml, '--tables', 'game,player');
	is(uat("SELECT count(*) FROM game JOIN player p ON p.id = player_id WHERE name = 'new'"), 1, 'with its parent: it is there');
	whole('with its parent');
}
for (['an unknown table', qr/unknown table "playr" \(did you mean player\?\)/, '--tables', 'playr'], ['a pattern that matches nothing', qr/no table matches "gamee\*" \(did you mean game\?\)/, '--exclude', 'gamee*'],
	['a table that is kept', qr/app_user is kept \(users\.table\)/, '--tables', 'app_user,game'], ['nothing left', qr/no table is left/, '--exclude', '*']) {
	my ($name, $what, @option) = @$_;
	refused("E3: $name", 5, $what, 'sync', $yaml, @option);
}
is(run('sync', $yaml, '--tables', '')->{exit}, 2, 'E3: --tables without a name is a usage error');
refused('a table that stays and hangs from what is replaced', 6, qr/game\.player_id -> player/, 'sync', $yaml, '--tables', 'player')
	if uat("INSERT INTO player (club_id, name) SELECT id, 'tester''s' FROM club WHERE slug = 'acme' RETURNING id") && uat("INSERT INTO game (player_id, score) SELECT id, 9 FROM player WHERE name = 'tester''s' RETURNING 1");

# Never refreshed before: nothing is known by id, so natural keys tell (production's junior is uat's 2).
fresh();
$server->sql('CREATE TABLE badge (id serial PRIMARY KEY, category_id integer NOT NULL REFERENCES category); INSERT INTO badge (category_id) VALUES (1), (2)', 'production');
uat('CREATE TABLE badge (id serial PRIMARY KEY, category_id integer NOT NULL REFERENCES category)');
ok_run('by natural key', 'sync', $yaml, '--tables', 'badge');
is(uat("SELECT string_agg(b.id || name, ' ' ORDER BY b.id) FROM badge b JOIN category c ON c.id = category_id"), '1junior 2senior', '--tables: parents that no run copied are found by their natural key');
$server->sql("INSERT INTO category (name) VALUES ('veteran'); INSERT INTO badge (category_id) VALUES (3)", 'production');
refused('by natural key, one is missing', 5, qr/badge\.category_id -> category: 1 row/, 'sync', $yaml, '--tables', 'badge');
$server->sql("DROP TABLE badge; DELETE FROM category WHERE name = 'veteran'", 'production');

# ---- tenants ----
fresh();
refused('a tenant whose federation stays behind', 5, qr/club\.parent_id -> club \(club_parent_id_fkey\): 1 row of the tenants that are copied/, 'sync', $yaml, '--tenants', 'acme');
refused('E3: an unknown tenant', 5, qr/production has no tenant "acmee" \(did you mean acme\?\)/, 'sync', $yaml, '--tenants', 'fed,acmee');
ok_run('--tenants', 'sync', $yaml, '--tenants', 'fed', '--tenants', 'acme');
is(uat("SELECT string_agg(slug, ' ' ORDER BY slug) FROM club"), 'acme fed test_one', '--tenants: only these are copied');
is(uat("SELECT string_agg(DISTINCT slug, ' ') FROM game JOIN player p ON p.id = player_id JOIN club c ON c.id = club_id WHERE score > 1000"), 'acme fed', '--tenants: with everything below');
is(uat("SELECT count(*) FROM player WHERE name = 'free agent'"), 0, '--tenants: a row without a tenant is not copied');
is(uat('SELECT count(*) FROM category'), 2, '--tenants: shared rows are all copied');
whole('--tenants');
ok_run('tenants.except', 'sync', yaml(tenants => '  except: [globex]'));
is(uat("SELECT string_agg(slug, ' ' ORDER BY slug) FROM club"), 'acme fed initech test_one', 'tenants.except: all others are copied');
is(uat("SELECT count(*) FROM player WHERE name = 'free agent'"), 1, 'tenants.except: and rows without a tenant');
ok_run('tenants.only', 'sync', yaml(tenants => '  only: [fed, initech]'));
is(uat("SELECT string_agg(slug, ' ' ORDER BY slug) FROM club"), 'fed initech test_one', 'tenants.only: only these are copied');
{
	my $list = run('tenants', yaml(tenants => '  only: [initech]'), '--rows', '--format', 'json');
	is($list->{exit}, 0, 'prodsync tenants --rows') or diag $list->{err};
	my %of = map { ("$_->{side} $_->{label}" => $_) } @{ decode_json($list->{out})->{details} };
	is($of{'source initech'}{fate}, 'copied', 'tenants: copied');
	is($of{'source acme'}{fate}, 'left out', 'tenants: left out');
	is($of{'target test_one'}{fate}, 'kept', 'tenants: kept');
	is($of{'source acme'}{rows}, $server->sql("SELECT 1 + (SELECT count(*) FROM member WHERE club_id = 2) + (SELECT count(*) FROM player WHERE club_id = 2) + (SELECT count(*) FROM loan WHERE club_id = 2)
		+ (SELECT count(*) FROM game JOIN player p ON p.id = player_id WHERE club_id = 2)", 'production'), 'tenants --rows: of all tables along their paths');
	like(run('tenants', $yaml, '--tenants', 'acme', '--rows')->{out}, qr/\n\s+2  acme\s+\d+  copied\n.*\n\s+3  globex\s+\d+  left out: not in --tenants/s, 'tenants: as text');
}

# ---- bad input ----
refused('keep matches everything', 5, qr/tenants\.keep matches every tenant of the target \(3\): none would be replaced +\(.*everything\.yaml:6:3\)\n.*--all-kept/, 'sync', file('everything.yaml', slurp($yaml) =~ s/keep: .*/keep: "slug <> ''"/r));
{
	my $run = run('plan', file('everything2.yaml', slurp($yaml) =~ s/keep: .*/keep: "slug <> ''"\n  exclude_source: "false"/r), '--all-kept', '--format', 'json');
	unlike($run->{out}, qr/keep-matches-everything/, '--all-kept: not refused for that');
}
refused('P1: a tenant path that leads nowhere', 5, qr/tenant_path of game game\.score is no foreign key to a copied table +\(.*path\.yaml:\d+:\d+\)/, 'sync', file('path.yaml', slurp($yaml) . "tables:\n  game: {tenant_path: [score]}\n"));
for (['goes nowhere near', "tables:\n  news: {tenant_path: [id]}", qr/tenant_path of news news\.id is no foreign key to a copied table/],
	['ends early', "tables:\n  game: {tenant_path: [player_id, category_id]}", qr/tenant_path of game ends at category, which does not lead to club/],
	['goes on behind it', "tables:\n  game: {tenant_path: [player_id, club_id, parent_id]}", qr/tenant_path of game goes on after it has reached club, at "parent_id"/],
	['of a table that is kept', "tables:\n  news: {mode: keep, tenant_path: [id]}", qr/news is not copied and needs no path/]) {
	my ($name, $lines, $what) = @$_;
	refused("P1: a tenant path that $name", 5, qr/$what +\(.*astray\.yaml:\d+:\d+\)/, 'sync', file('astray.yaml', slurp($yaml) . "$lines\n"));
}
refused('P1: a table of a preset that is missing', 5, qr/preset\.yaml:\d+:\d+: error: unknown table "authtoken_token"/, 'sync', file('preset.yaml', slurp($yaml) . "tables:\n  authtoken_token: {mode: keep}\n"));
refused('P5: a NOT NULL reference to a kept table that is not declared', 5, qr/game\.player_id references player, whose rows are not copied and are not mapped either, and may not be NULL \(game_player_id_fkey\)/, 'sync',
	file('undeclared.yaml', slurp($yaml) . "tables:\n  player: {mode: keep}\n"));
refused('a source maximum in the reserved range', 5, qr/player\.id goes up to \d+ in production, into the range from 5 .*reserved for rows of the target +\(.*reserved\.yaml:\d+:17\)\n +reserved_from: \{integer: 50\}/, 'sync', file('reserved.yaml', slurp($yaml) . "reserved_from: {integer: 5}\n"));
refused('a natural key that is not unique', 5, qr/rows of category are matched by tenant_id, which is not unique: 2 rows share it with others +\(.*twice\.yaml:\d+:\d+\)/, 'sync',
	file('twice.yaml', slurp($yaml) . "tables:\n  category: {mode: keep, match: [tenant_id]}\n")) if $server->sql('UPDATE category SET tenant_id = 5 RETURNING 1', 'production');
$server->sql("UPDATE category SET tenant_id = CASE name WHEN 'junior' THEN 1 ELSE 77 END", 'production');
{
	my $wild = run('plan', file('wild.yaml', slurp($yaml) =~ s/test\\\\_%/test_%/r));
	like($wild->{out}, qr/unescaped _.*kept are: test_one/, 'P7: an unescaped _ is warned of, and the tenants are named');
}

# ---- --all-kept ----
{
	fresh();
	my $clubs = uat("SELECT string_agg(slug, ' ' ORDER BY slug) FROM club");
	ok_run('--all-kept: refreshed', 'sync', file('everything3.yaml', slurp($yaml) =~ s/keep: .*/keep: "slug <> ''"/r), '--all-kept');
	is(uat("SELECT string_agg(slug, ' ' ORDER BY slug) FROM club"), $clubs, '--all-kept: no tenant is replaced, and none of production comes that the predicate matches');
	is(uat("SELECT string_agg(headline, ' ' ORDER BY headline) FROM ONLY news"), 'one two', '--all-kept: what is shared is refreshed');
	whole('--all-kept');
	fresh();
}

# ---- presets: recognized by their tables, shown in the plan, overridable ----
{
	fresh();
	my $framework = "CREATE TABLE schema_migrations (version text PRIMARY KEY); CREATE TABLE sessions (id serial PRIMARY KEY, session_id text, data text); CREATE TABLE delayed_jobs (id serial PRIMARY KEY, handler text, run_at date)";
	for my $db ('production', 'uat') {
		$server->sql("$framework; INSERT INTO schema_migrations VALUES ('$db'); INSERT INTO sessions (session_id) VALUES ('$db'); INSERT INTO delayed_jobs (handler) VALUES ('$db')", $db);
	}
	my $what = q{SELECT (SELECT string_agg(version, ' ') FROM schema_migrations), (SELECT string_agg(session_id, ' ') FROM sessions), (SELECT string_agg(handler, ' ') FROM delayed_jobs)};
	my $run = refused('P5: tables of a framework without a mode', 5, qr/not said what becomes of delayed_jobs \(queue\), schema_migrations \(migrations\), sessions \(sessions\)/, 'sync', $yaml);
	my ($lines) = $run->{err} =~ /^ +(tables:\n(?: +\w+: \{mode: \w+\}\n)+)/m;
	like($lines // '', qr/delayed_jobs: \{mode: empty\}\n +schema_migrations: \{mode: keep\}\n +sessions: \{mode: keep\}/, 'the lines to paste');
	my $pasted = file('presets.yaml', slurp($yaml) . "tables:\n  delayed_jobs: {mode: empty}\n  schema_migrations: {mode: keep}\n  sessions: {mode: keep}\n");
	like(run('plan', $pasted)->{out}, qr/Rails: delayed_jobs \(queue\), schema_migrations \(migrations\), sessions \(sessions\)/, 'the plan shows what was recognized');
	ok_run('presets, as pasted', 'sync', $pasted);
	is(uat($what), 'uat|uat|', 'presets: migrations and sessions stay, the queue is empty');
	ok_run('presets, overridden', 'sync', file('overridden.yaml', slurp($yaml) . "tables:\n  delayed_jobs: {mode: keep}\n  schema_migrations: {mode: copy}\n  sessions: {mode: empty}\n"));
	is(uat($what), 'production||', 'presets: whatever mode is said counts');
	$server->sql('DROP TABLE schema_migrations, sessions, delayed_jobs', 'production');
	fresh();
}

# ---- paths ----
{
	my $text = run('plan', $yaml, '--all')->{out};
	like($text, qr/tenant by +path\n(?:.*\n)*  game +player_id, club_id\n/, 'plan --all shows the paths');
	unlike($text, qr/would belong to another one/, 'another path that says the same is no matter');
	my ($game) = grep { $_->{table} eq 'game' } @{ decode_json(run('plan', $yaml, '--format', 'json')->{out})->{details} };
	is($game->{tenant_path}, 'player_id, club_id', 'and in JSON');
	$server->sql('UPDATE loan SET club_id = 1 WHERE club_id = 3', 'production');
	like(run('plan', $yaml)->{out}, qr/loan belongs to its tenant by club_id; by player_id, club_id \d rows of production would belong to another one\n +tables:\n +loan: \{tenant_path: \[player_id, club_id\]\}/, 'the plan warns where another path gives other rows');
	$server->sql('UPDATE loan SET club_id = 3 WHERE player_id IN (SELECT id FROM player WHERE club_id = 3)', 'production');
}

# ---- join_tenants ----
fresh();
refused('join_tenants without a value', 5, qr/a membership in member needs a value for role: NOT NULL, without a default/, 'sync', yaml(users => '  join_tenants: true'));
my $joining = yaml(users => '  join_tenants: {table: member, values: {role: guest}}');
my @seen;
for my $round (1 .. 3) {
	ok_run("join_tenants, refresh $round", 'sync', $joining);
	push @seen, uat("SELECT string_agg(slug || ' ' || role || ' ' || since || CASE WHEN m.id >= 1000000000 THEN ' here' ELSE '' END, ', ' ORDER BY slug) FROM member m JOIN club c ON c.id = club_id JOIN app_user u ON u.id = user_id WHERE username = 'uat_admin'");
}
is($seen[0], 'acme owner 2024-02-29, fed owner 2024-02-29, globex owner 2024-02-29, initech owner 2024-02-29', 'join_tenants: where folding left a membership there is no second one');
$server->sql('DELETE FROM member WHERE club_id = 4', 'production');
ok_run('join_tenants, a tenant without members', 'sync', $joining);
my $joined = "SELECT string_agg(slug || ' ' || role || ' ' || since || CASE WHEN m.id >= 1000000000 THEN ' here' ELSE '' END, ', ') FROM member m JOIN club c ON c.id = club_id JOIN app_user u ON u.id = user_id WHERE username = 'uat_admin' AND role = 'guest'";
is(uat($joined), 'initech guest 2024-02-29 here', 'join_tenants: the fallback user joins the others, by a row of the reserved range');
my $members = uat('SELECT count(*) FROM member');
ok_run('join_tenants, again', 'sync', $joining);
is(uat($joined), 'initech guest 2024-02-29 here', 'join_tenants: there is still one');
is(uat('SELECT count(*) FROM member'), $members, 'join_tenants: nothing grows');
is(uat("SELECT count(*) FROM member JOIN club c ON c.id = club_id WHERE slug = 'test_one'"), 1, 'join_tenants: nobody joins a kept tenant');
whole('join_tenants');
my $next = uat('INSERT INTO member (club_id, user_id, role) SELECT club_id, 2, \'x\' FROM member WHERE role = \'guest\' RETURNING id');
cmp_ok($next, '>', 1000000000, 'join_tenants: the sequence goes on behind');
done_testing;
