# The two servers of the bench, and UAT as it is before each run.
#
#   my $sides = Sides->new($scale, $folder);
#   $sides->prepare;                                # servers, content
#   $sides->reset('full');                          # UAT as a refresh of last week left it; 'small': as the fixture makes it
#   $sides->{production}, {uat}, {plain}, {masked}, {rows}
#   my $holder = $sides->holder;                    # somebody who holds a lock that the switch wants
#   my $config = $sides->make_content('large');     # a database for the client's memory
#
# A run must not profit from the one before it: UAT is a fresh copy of a template each time, both servers have just made a
# checkpoint, production's tables have just been read, and memory for new files has just been in use (use_memory).
package Sides;
use strict;
use warnings;
use Prodsync;
use Time::HiRes 'time';
use Ways ();

my $fixture = 'test/fixtures/saas';
# What UAT is before a run: as the fixture makes it with a number of kept rows, or as a refresh of that left it.
my %templates = (
	small => [100],                        # 9,983 kept rows
	full => ['small'],
	kept_small => [500],                   # 49,673
	kept_full => ['kept_small']);

sub new
{
	my ($class, $scale, $dir) = @_;
	my @conf = grep { /^\w/ } split /\n/, slurp('test/bench/postgresql.conf');
	my $self = bless { scale => $scale, dir => $dir, conf => \@conf }, $class;
	$self->{$_} = $self->configuration($_) for 'plain', 'masked';
	return $self;
}
sub prepare
{
	my ($self) = @_;
	@$self{qw(production uat)} = clusters(['production', @{ $self->{conf} }], ['uat', @{ $self->{conf} }]);
	my @loads;
	for (['production', 'app', 'production', $self->{scale}], ['uat', 'small', 'uat', @{ $templates{small} }]) {
		push @loads, $self->load(@$_);
	}
	loaded($_) for @loads;
	$self->{production}->sql('VACUUM FREEZE', 'app');
	$self->{uat}->sql('CREATE EXTENSION prodsync', 'small');
	$self->{rows} = Ways::thousands($self->read_production);
	return;
}

sub load
{
	my ($self, $side, $db, @content) = @_;
	$self->{$side}->sql("CREATE DATABASE $db");
	return Prodsync::start('', "$fixture/load.sh", $self->{$side}->dsn($db), @content);
}
sub loaded
{
	my $done = $_[0]->wait(3600);
	die $done->{err} if $done->{exit};
	return;
}

# The fixture's configuration; masked: with the bench's rules.
sub configuration
{
	my ($self, $which) = @_;
	my $yaml = slurp("$fixture/prodsync.yaml");
	if ($which eq 'masked') {
		my $rules = slurp('test/bench/anonymize.yaml');
		$yaml =~ s/^anonymize:.*/$rules/ms or die "no anonymize: in the fixture's configuration\n";
	}
	return file("$which.yaml", $yaml);
}
sub environment
{
	my ($self, $db) = @_;
	return {
		SOURCE => $self->{production}{host}, TARGET => $self->{uat}{host}, SCRATCH => $self->scratch,
		PRODSYNC_SOURCE => $self->{production}->dsn($db // 'app'), PRODSYNC_TARGET => $self->{uat}->dsn($db // 'app'),
		PRODSYNC_KEY => join('', map { sprintf '%02x', $_ } 0 .. 31),
	};
}
# An empty folder for what a way writes.
sub scratch
{
	my ($self) = @_;
	my $path = "$self->{dir}/scratch";
	system('rm', '-rf', $path) == 0 && mkdir $path or die "$path: $!";
	return $path;
}

# ---- before each run ----
sub copy_database
{
	my ($self, $template, $db) = @_;
	my $uat = $self->{uat};
	$uat->sql("DROP DATABASE IF EXISTS $db");
	# Files are copied; through the WAL, the default since 15, it is slower and leaves the buffers in another state.
	my $strategy = $uat->sql('SHOW server_version_num') >= 150000 ? 'STRATEGY file_copy' : '';
	$uat->sql("CREATE DATABASE $db TEMPLATE $template $strategy");
	# The label is the database's own, a copy has none.
	$uat->sql("SELECT sync_set_environment('uat', true)", $db);
	return;
}
# Each is made once. Last week's refresh is part of the full ones: what is refreshed is a database full of production's rows, not an empty one.
sub make_template
{
	my ($self, $name) = @_;
	return if $name eq 'small' || $self->{has}{$name}++;
	my ($from) = @{ $templates{$name} };
	if ($from =~ /^\d/) {
		loaded($self->load('uat', $name, 'uat', $from));
		$self->{uat}->sql('CREATE EXTENSION prodsync', $name);
		return;
	}
	$self->make_template($from);
	$self->copy_database($from, 'app');
	local %ENV = (%ENV, %{ $self->environment });
	my $run = prodsync('sync', '--from', 'production', '--to', 'uat', '--config', $self->{plain}, '--yes');
	die "the refresh to begin with failed\n$run->{err}" if $run->{exit};
	$self->{uat}->sql(qq(ALTER DATABASE app RENAME TO "$name"));
	return;
}
sub reset
{
	my ($self, $template) = @_;
	my $uat = $self->{uat};
	$uat->sql('DROP DATABASE IF EXISTS fresh');
	$self->make_template($template);
	$self->copy_database(qq("$template"), 'app');
	$self->read_production;
	# The tables that people are looking at are in memory.
	$uat->sql('SELECT count(*) FROM apps_customers_customer', 'app');
	$_->sql('CHECKPOINT') for $uat, $self->{production};
	$self->use_memory;
	return;
}
# A virtual machine gives memory that is free back to its host, and a page that then is used anew costs four times as much as one that was in use a
# moment ago.  So that every way finds the same, whatever ran before it, more than any of them needs is used and freed.
sub use_memory
{
	my ($self) = @_;
	my ($path, $block) = ("$self->{dir}/memory", "\0" x 1_048_576);
	open my $file, '>', $path or die "$path: $!";
	for (1 .. 12 * $self->{scale}) { print $file $block or die "$path: $!" }
	close $file or die "$path: $!";
	unlink $path or die "$path: $!";
	return;
}
# Reads every row there; says how many.
sub read_production
{
	my ($self) = @_;
	my $counts = $self->{production}->sql("SELECT string_agg(format('(SELECT count(*) FROM %s)', oid::regclass), '+') FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace", 'app');
	return $self->{production}->sql("SELECT $counts", 'app');
}
# Dies unless the biggest tables are there: a way that did half of its work shall not look fast.
sub demand_content
{
	my ($self, $db) = @_;
	for my $table (qw(apps_purchasing_orderline apps_customers_customer apps_sales_invoiceline)) {
		my ($want, $have) = map { $_->[0]->sql("SELECT count(*) FROM $table", $_->[1]) } [$self->{production}, 'app'], [$self->{uat}, $db];
		die "$table has $have rows, production $want\n" if $have < $want;
	}
	return;
}

# ---- somebody who holds a lock ----
# A transaction of a tester that has read a table and stays open until the switch has been trying for three seconds.
sub holder
{
	my ($self) = @_;
	my ($session, $watcher) = map { $self->{uat}->session('app') } 1, 2;
	$session->query('BEGIN');
	$session->query('SELECT 1 FROM apps_sales_invoice LIMIT 1');
	my ($seen, $released);
	return sub {
		return if $released;
		$seen //= time if $watcher->query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'prodsync' AND query LIKE '%sync_switch(%'") > 0;
		return unless $seen && time - $seen >= 3;
		$session->query('COMMIT');
		$released = 1;
		return;
	};
}

# ---- databases of a few tables, for the memory of the client ----
my $megabytes = 16;
my %content = (
	many => ['CREATE TABLE many (id bigint PRIMARY KEY, a integer, b text)',
		sub { "INSERT INTO many SELECT g, g, 'row ' || g FROM generate_series(1, " . 20_000 * $_[0] . ') g' }],
	large => [join(';', map { "CREATE TABLE large_$_ (id bigint PRIMARY KEY, document bytea); ALTER TABLE large_$_ ALTER document SET STORAGE external" } 1 .. 4),
		sub { my $rows = 1 + int($_[0] / 25); join ';', map { "INSERT INTO large_$_ SELECT g, convert_to(repeat('x', $megabytes * 1048576), 'UTF8') FROM generate_series(1, $rows) g" } 1 .. 4 }],
);
# 1,000 tables of 20 rows and 2,000 foreign keys; UAT has a kept tenant.
sub make_thousand
{
	my ($self) = @_;
	return $self->{has_thousand} if $self->{has_thousand};
	for ([$self->{production}, 1], [$self->{uat}, 0]) {
		my ($side, $fill) = @$_;
		$side->sql('CREATE DATABASE thousand');
		my $run = execute($side->psql_command('thousand', '-v', 'tables=1000', '-v', 'rows=20', '-v', "fill=$fill", '-f', 'test/bench/thousand.sql'));
		die $run->{err} if $run->{exit};
	}
	$self->{uat}->sql("INSERT INTO tenant (schema_name) VALUES ('test_a'), ('old'); CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", 'thousand');
	return $self->{has_thousand} = file('thousand.yaml', environments() . <<'YAML');
tenants:
  table: tenant
  keep: "schema_name LIKE 'test\\_%'"
anonymize:
  policy: none
YAML
}
# A table as a snapshot of production leaves it, four indexes, another that references it; each run begins with it as it was.
sub make_in_place
{
	my ($self) = @_;
	my $uat = $self->{uat};
	my $rules = <<'YAML';
anonymize:
  policy: none
  tables:
    person:
      - {column: email, strategy: email}
      - {column: name, strategy: full_name}
      - {column: phone, strategy: phone}
YAML
	if (!$self->{has_in_place}++) {
		$uat->sql('CREATE DATABASE in_place_raw');
		$uat->sql(<<"SQL", 'in_place_raw');
CREATE TABLE person (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, phone text, city text, born date, points integer, created timestamptz, note text);
CREATE TABLE visit (id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES person);
INSERT INTO person SELECT g, 'raw' || g || '\@example.org', 'Raw Person ' || g, '+49 30 ' || 1000000 + g, 'Town ' || g % 5000, date '1950-01-01' + g % 20000, g % 1000,
	timestamptz '2020-01-01' + g * interval '10 seconds', repeat('n', g % 80) FROM generate_series(1, @{[20_000 * $self->{scale}]}) g;
CREATE INDEX ON person (name);
CREATE INDEX ON person (created);
INSERT INTO visit SELECT g, g FROM generate_series(1, @{[2_000 * $self->{scale}]}) g;
CREATE EXTENSION prodsync;
SELECT sync_configure('{"anonymize": {"policy": "none", "tables": {"person": [{"column": "email", "strategy": "email"}, {"column": "name", "strategy": "full_name"}, {"column": "phone", "strategy": "phone"}]}}}');
VACUUM (FREEZE, ANALYZE);
SQL
	}
	$self->copy_database('in_place_raw', 'in_place');
	$uat->sql('SELECT count(*) FROM person', 'in_place');
	$uat->sql('CHECKPOINT');
	$self->use_memory;
	return file('in_place.yaml', environments() . $rules);
}
# Dies unless every row is there, and masked.
sub demand_masked
{
	my ($self) = @_;
	my ($rows, $raw) = split /\|/, $self->{uat}->sql("SELECT count(*), count(*) FILTER (WHERE email LIKE 'raw%' OR name LIKE 'Raw%' OR phone LIKE '+49 30 %') FROM person", 'in_place');
	die "person has $rows rows, $raw of them raw\n" if $rows != 20_000 * $self->{scale} || $raw;
	return;
}
sub largest_row { return { many => 0, large => $megabytes }->{ $_[1] } }
sub make_content
{
	my ($self, $name) = @_;
	return $self->make_thousand if $name eq 'thousand';
	return $self->make_in_place if $name eq 'in_place';
	return $self->{"has_$name"} if $self->{"has_$name"};
	my ($schema, $rows) = @{ $content{$name} };
	for (@$self{qw(production uat)}) {
		$_->sql("CREATE DATABASE $name");
		$_->sql($schema, $name);
	}
	$self->{production}->sql($rows->($self->{scale}), $name);
	$self->{production}->sql('VACUUM (FREEZE, ANALYZE)', $name);
	$self->{uat}->sql("CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", $name);
	return $self->{"has_$name"} = file("$name.yaml", environments() . <<'YAML');
anonymize:
  policy: none
YAML
}

1;
