# What test/bench/masked_columns.sh runs in its folder: ROWS ROUNDS ROOM.
use strict;
use warnings;
use Time::HiRes 'time';

my ($rows, $rounds, $room) = @ARGV;
$ENV{PRODSYNC_KEY} = 'a1' x 31 . 'b2';
my %dsn = map { $_ => "host=$room/$_ port=5432 user=postgres dbname=bench" } qw(production uat);
sub run { system(@_) == 0 or die "failed: @_\n"; return }
sub sql { my ($side, $sql) = @_; run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $dsn{$side}, '-c', $sql); return }
sub spew { my ($path, $text) = @_; open my $f, '>', $path or die "$path: $!"; print $f $text; close $f or die "$path: $!"; return }

for my $side (qw(production uat)) {
	run('psql', '-Xq', '-d', $dsn{$side} =~ s/dbname=bench/dbname=postgres/r, '-c', 'CREATE DATABASE bench');
	run('psql', '-Xq', '-d', $dsn{$side}, '-f', 'test/bench/masked_columns.sql');
}
sql('production', "INSERT INTO people SELECT n, 'person.' || n || '\@company' || n % 997 || '.example', '+49891' || lpad(n::text, 8, '0'), 'First' || n % 4001, 'Last' || n % 9973, 'First' || n % 4001 || ' Last' || n % 9973,
	'user' || n, n % 200 || ' Main Street', 'Town ' || n % 3001, 'DE89370400' || lpad(n::text, 12, '0'), date '1950-01-01' + (n % 20000)::integer, now(), 'a note that is not masked, of usual length'
	FROM generate_series(1, $rows) n");
sql('production', 'VACUUM ANALYZE people');
sql('uat', $_) for 'CREATE EXTENSION prodsync', q{SELECT sync_set_environment('uat', true)};

my @rules = ('{column: email, strategy: email}', '{column: phone, strategy: phone}', '{column: full_name, strategy: name}', '{column: first_name, strategy: first_name}', '{column: last_name, strategy: last_name}',
	'{column: username, strategy: username}', '{column: street, strategy: street}', '{column: city, strategy: city}', '{column: iban, strategy: hash}', '{column: born, strategy: date_shift}');
my @ways = (['COPY pipe', undef], map { [$_ == 1 ? '1 masked column' : "$_ masked columns", $_] } 0, 1, 3, 10);
my %seconds;
sub once
{
	my ($columns) = @_;
	if (!defined $columns) {
		run('sh', '-c', qq{psql -Xq -d "$dsn{uat}" -c 'TRUNCATE people' && psql -Xq -d "$dsn{production}" -c 'COPY people TO STDOUT' | psql -Xq -v ON_ERROR_STOP=1 -d "$dsn{uat}" -c 'COPY people FROM STDIN'});
		return;
	}
	my $tables = $columns ? "  tables:\n    people:\n" . join '', map { "      - $_\n" } @rules[0 .. $columns - 1] : '';
	spew("$room/bench.yaml", "environments:\n  production: {dsn: \"$dsn{production}\"}\n  uat: {dsn: \"$dsn{uat}\"}\nanonymize:\n  policy: none\n$tables");
	run('sh', '-c', 'exec prodsync sync --from production --to uat --yes --config "$0" >"$0.out" 2>&1 || { cat "$0.out" >&2; exit 1; }', "$room/bench.yaml");
	return;
}
for my $round (0 .. $rounds) {    # the first one warms up
	for my $way (@ways) {
		sql($_, 'CHECKPOINT') for qw(production uat);
		my $begin = time;
		once($way->[1]);
		push @{ $seconds{ $way->[0] } }, time - $begin if $round;
	}
}
sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[$#sorted / 2] }
sub thousands { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }
my $pipe = median(@{ $seconds{'COPY pipe'} });
open my $load, '<', '/proc/loadavg' or die;
my ($average) = split / /, <$load>;
printf "%s rows of one table; medians of %d rounds; load average %s\n\n| way | seconds: median (runs) | rows per second | to the pipe |\n|---|---|---|---|\n", thousands($rows), $rounds, $average;
for my $way (@ways) {
	my @runs = @{ $seconds{ $way->[0] } };
	my $median = median(@runs);
	printf "| %s | %.2f (%s) | %s | %.2f |\n", $way->[0] =~ /masked/ ? "prodsync, $way->[0]" : 'a text COPY pipe into the indexed table', $median, join(', ', map { sprintf '%.2f', $_ } @runs), thousands(int($rows / $median)), $median / $pipe;
}
