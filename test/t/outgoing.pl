# E16: after a refresh nothing here acts on real people. Queues, schedules, webhooks and device tokens of production are asked about, emptied, and it is
# checked that none is left: by the run before it switches, and by sync_check() at any time.
use strict;
use warnings;
use Content;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
$production->restart('log_statement=all');
$_->sql(<<'SQL', 'app') for $production, $uat;
CREATE TABLE tenant (id serial PRIMARY KEY, slug text UNIQUE NOT NULL);
CREATE TABLE webhook_subscription (id serial PRIMARY KEY, tenant_id integer REFERENCES tenant, target_url text NOT NULL);
CREATE TABLE push_device (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), registration_token text);
CREATE TABLE train_schedule (id serial PRIMARY KEY, track integer);
CREATE TABLE report (title text PRIMARY KEY);    -- no question of the planner reads it
CREATE TABLE delayed_jobs (id serial PRIMARY KEY, handler text, run_at timestamptz);
SQL
$production->sql(<<'SQL', 'app');
INSERT INTO tenant (slug) VALUES ('acme'), ('globex');
INSERT INTO webhook_subscription (tenant_id, target_url) SELECT 1, 'https://customer.example/' || g FROM generate_series(1, 5) g;
INSERT INTO push_device (registration_token) SELECT 'token ' || g FROM generate_series(1, 3) g;
INSERT INTO train_schedule (track) VALUES (1);
INSERT INTO report (title) VALUES ('first');
INSERT INTO delayed_jobs (handler, run_at) VALUES ('send_invoice', now());
SQL
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true); INSERT INTO tenant VALUES (3, 'old'), (7, 'test_a'); INSERT INTO webhook_subscription VALUES (9, 7, 'https://old.example')}, 'app');
my $head = environments() . "anonymize: {policy: none}\ntenants: {table: tenant, keep: \"slug LIKE 'test\\\\_%'\", label: slug}\ntables:\n";
my $yaml = sub { my (@lines) = @_; return file('prodsync.yaml', $head . join '', map { "  $_\n" } @lines) };
my @names = qw(--from production --to uat --config);

# ---- the plan asks ----
my $plan = prodsync('plan', @names, $yaml->('report: {mode: copy}'));
is($plan->{exit}, 5, 'E16: a framework\'s queue without a mode stops the plan');
like($plan->{err}, qr/delayed_jobs \(queue\).*\n +tables:\n +delayed_jobs: \{mode: empty\}/, 'E16: with the line to paste');
$plan = prodsync('plan', @names, $yaml->('delayed_jobs: {mode: empty}'));
is($plan->{exit}, 0, 'E16: tables that only look so are no problem') or diag $plan->{err};
like($plan->{out}, qr/warning: copied, .*push_device \(device tokens\), webhook_subscription \(webhooks\); what works on these tables here acts on real people\n +tables:\n +push_device: \{mode: empty\}\n +webhook_subscription: \{mode: empty\}/,
	'E16: but a warning, with the lines to paste');
unlike($plan->{out}, qr/train_schedule \(|report \(/, 'E16: others are not suspected');
my @pasted = ('delayed_jobs: {mode: empty}', map { /^ +((?:push_device|webhook_subscription): \{mode: empty\})/ ? $1 : () } split /\n/, $plan->{out});
for (['pasted, nothing is left to say', @pasted], ['mode: copy is an answer too', map { s/empty/copy/r } @pasted]) {
	my ($name, @lines) = @$_;
	my $answered = prodsync('plan', @names, $yaml->(@lines));
	is($answered->{exit}, 0, "E16: the plan is made: $name") or diag $answered->{err};
	unlike($answered->{out}, qr/acts on real people/, "E16: $name");
}

# ---- the run checks: rows that somebody gets into what becomes such a table end it ----
my $config = $yaml->(@pasted);
my $before = content($uat);
my $hold = $production->session('app');
$hold->query('BEGIN; LOCK TABLE report IN ACCESS EXCLUSIVE MODE');
my $run = start_prodsync('sync', @names, $config, '--yes', '--jobs', '2');
my $shadow = wait_until(60, sub {
	return $uat->sql("SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attname = 'registration_token' WHERE relnamespace = 'prodsync_work'::regnamespace AND relkind = 'r'", 'app') });
ok($shadow, 'the run has made the table');
$uat->sql("INSERT INTO $shadow (registration_token) VALUES ('token 1')", 'app');
$hold->query('COMMIT');
my $done = $run->wait;
is($done->{exit}, 6, 'E16: a row in an emptied table ends the run') or diag $done->{err};
like($done->{err}, qr/emptied table push_device/, 'E16: and is named');
is(differs($before, content($uat)), '', 'E16: the target is what it was');

# ---- and a run that is right ----
$done = prodsync('sync', @names, $config, '--yes');
is($done->{exit}, 0, 'the refresh') or diag $done->{err};
like($done->{out}, qr/emptied tables +3 checked, +0 broken/, 'E16: the report says so');
unlike($production->log, qr/COPY [^\n]*(?:delayed_jobs|push_device|webhook_subscription)/, "C7: production's queues are not even read: at no moment are they here");
like($production->log, qr/COPY [^\n]*train_schedule/, 'as other tables are');
my $emptied = sub { return $uat->sql("SELECT string_agg(object || ' ' || violations || ' ' || ok, ',' ORDER BY object) FROM sync_check() WHERE check_name = 'emptied table'", 'app') };
is($emptied->(), 'delayed_jobs 0 true,push_device 0 true,webhook_subscription 0 true', 'E16: sync_check() finds none');
is($uat->sql('SELECT (SELECT count(*) FROM webhook_subscription) + (SELECT count(*) FROM push_device) + (SELECT count(*) FROM delayed_jobs)', 'app'), 0, 'E16: there is none');
$uat->sql("INSERT INTO webhook_subscription (target_url) VALUES ('https://uat.example'); INSERT INTO delayed_jobs (handler) VALUES ('of UAT')", 'app');
is($emptied->(), 'delayed_jobs 0 true,push_device 0 true,webhook_subscription 0 true', "E16: UAT's own rows since are told by their ids");
$uat->sql("INSERT INTO webhook_subscription VALUES (1, NULL, 'https://customer.example/1'); INSERT INTO push_device (registration_token) VALUES ('token 1')", 'app');
is($emptied->(), 'delayed_jobs 0 true,push_device 1 true,webhook_subscription 1 false', "E16: production's, imported by hand, are found; rows that nothing tells apart may be this database's own");
like($uat->sql("SELECT detail->>'text' FROM sync_check() WHERE check_name = 'emptied table' AND object = 'push_device'", 'app'), qr/may be this database's own; a refresh leaves none/, 'E16: and it is said');
is(prodsync('check', '--to', 'uat', '--config', $config)->{exit}, 6, 'E16: prodsync check: exit 6');
done_testing();
