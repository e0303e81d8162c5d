# The pair of databases of test/fixtures/saas for tests of the whole client, and ways to stop a refresh at a certain moment.
#
#   use Gate;
#   my ($production, $uat) = saas(scale => 2, uat => ['autovacuum_naptime=1s']);   # databases "app", UAT labelled, extension there
#   is(refresh()->{exit}, 0);                                 # prodsync sync --from production --to uat --yes
#   my $before = digest($uat);  is_unchanged($uat, $before, 'name');   # all rows and sequences, and no shadow is left
#   my $gate = gate($production);                             # holds the last table that a refresh can get past
#   my $run = start_refresh();  at_gate($production);         # it has started and waits there, for sure
#   $gate->query('COMMIT');  my $done = $run->wait;
#   config('lock_wait: 1s')                                   # the fixture's YAML with other lines; used by the next refreshes
#
# Both databases have three tables more than the fixture: "gate", which no question of the planner reads, so that a lock on it stops the
# load and nothing before, and two more that tests fill.
package Gate;
use strict;
use warnings;
use Exporter 'import';
use Test::More ();
use Prodsync;

our @EXPORT = qw(saas saas_yaml config refresh start_refresh digest is_unchanged gate at_gate begin waiting_for sessions watch);

my $yaml;

sub saas
{
	my (%wanted) = @_;
	my ($production, $uat) = clusters([production => @{ $wanted{production} // [] }], [uat => @{ $wanted{uat} // [] }]);
	my @loads;
	for ([$production, 'production', $wanted{scale} // 1], [$uat, 'uat', $wanted{kept} // 1]) {
		my ($cluster, $content, $factor) = @$_;
		$cluster->sql('CREATE DATABASE app');
		push @loads, Prodsync::start('', 'test/fixtures/saas/load.sh', $cluster->dsn('app'), $content, $factor);
	}
	for my $load (@loads) {
		my $done = $load->wait;
		die $done->{err} if $done->{exit};
	}
	$_->sql(<<'SQL', 'app') for $production, $uat;
CREATE TABLE gate (code text PRIMARY KEY, note text);
CREATE TABLE gate_preference (code text PRIMARY KEY, preference_id bigint NOT NULL REFERENCES apps_tenants_preference);
CREATE TABLE gate_copy (code text PRIMARY KEY, note text);
SQL
	$production->sql("INSERT INTO gate SELECT g, 'of the first moment' FROM generate_series(1, 100) g", 'app');
	$uat->sql("CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", 'app');
	$ENV{PRODSYNC_SOURCE} = $production->dsn('app');
	$ENV{PRODSYNC_TARGET} = $uat->dsn('app');
	config();
	return ($production, $uat);
}

# The fixture's configuration, with top-level lines added, or parts replaced: saas_yaml([lock_wait => '1s'], [qr/.../ => '...']).
sub saas_yaml
{
	my $text = slurp('test/fixtures/saas/prodsync.yaml');
	for (@_) {
		my ($what, $with) = @$_;
		if (ref $what) { $text =~ s/$what/$with/ or die "nothing matches $what\n" }
		else { $text .= "$what: $with\n" }
	}
	return $text;
}
my $files = 0;
sub config { $yaml = file('prodsync' . $files++ . '.yaml', saas_yaml(@_)); return $yaml }

sub arguments { return ('sync', '--from', 'production', '--to', 'uat', '--config', $yaml, '--yes', @_) }
sub refresh { return prodsync(arguments(@_)) }
sub start_refresh { return start_prodsync(arguments(@_)) }

# What must be equal when nothing was changed: the rows of every table and materialized view, and the sequences.
sub digest
{
	my ($cluster, $db) = @_;
	return $cluster->sql(<<'SQL', $db // 'app');
SELECT format('SELECT %L, count(*), md5(string_agg(md5(t::text), '''' ORDER BY t::text)) FROM %s t', c.oid::regclass, c.oid::regclass)
  FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm') ORDER BY relname \gexec
SELECT format('SELECT %L, last_value, is_called FROM %s', oid::regclass, oid::regclass)
  FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace ORDER BY relname \gexec
SQL
}
# A test: the digest is $before still, and no shadow is left.
sub is_unchanged
{
	my ($cluster, $before, $name) = @_;
	my %seen = map { $_ => 1 } split /\n/, $before;
	my @other = grep { !delete $seen{$_} } split /\n/, digest($cluster);
	my $shadows = $cluster->sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relname ~ '^s_[0-9]'", 'app');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return Test::More::ok(!@other && !%seen && $shadows == 0, $name)
		|| Test::More::diag(join "\n", "$shadows shadows are left", map({ "was: $_" } sort keys %seen), map { "is:  $_" } @other);
}

# A session in a transaction that has done $sql.
sub begin
{
	my ($cluster, $sql) = @_;
	my $session = $cluster->session('app');
	$session->query('BEGIN');
	$session->query($sql);
	die $session->error if $session->error;
	return $session;
}
sub gate { return begin($_[0], 'LOCK TABLE gate IN ACCESS EXCLUSIVE MODE') }
# Waits until the refresh waits at the gate.
sub at_gate
{
	my ($production) = @_;
	return waiting_for($production, "application_name = 'prodsync' AND query LIKE 'LOCK TABLE ONLY public.gate %' AND wait_event_type = 'Lock'");
}
# Waits until a session of the database looks like that; returns its process id.
sub waiting_for
{
	my ($cluster, $condition) = @_;
	return wait_until(60, sub { watch($cluster, "SELECT pid FROM pg_stat_activity WHERE datname = 'app' AND $condition LIMIT 1") })
		// die "no session: $condition\n" . $cluster->sql('SELECT pid, application_name, state, wait_event, left(query, 100) FROM pg_stat_activity');
}
sub sessions { my ($cluster) = @_; return watch($cluster, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'prodsync'") }

# Asked again and again, so not with a new psql each time.  Empty while the server is down.
my %watchers;
sub watch
{
	my ($cluster, $sql) = @_;
	my $watcher = $watchers{ $cluster->{name} } //= eval { $cluster->session } // return '';
	my $answer = $watcher->query($sql);
	delete $watchers{ $cluster->{name} } if $watcher->error;
	return $answer;
}
END { %watchers = () }

1;
