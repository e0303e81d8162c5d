# The ways that are compared.
#
#   my @ways = ways($sides, @wanted);    # names, or groups; all when none is wanted
#   $way->{name}, {title}, {rounds} (at most), {goal} (whether a goal needs its time), {readers} (what they see), {skip} (why it cannot run here)
#   my $result = run_way($sides, $way, $files);
package Ways;
use strict;
use warnings;
use Exporter 'import';
use Measure;
use Probe;
use Prodsync;

our @EXPORT = qw(ways run_way);

my ($old_or_new, $gone, $half) = ('old or new', 'database gone', 'half-empty tables');

sub all
{
	my ($sides) = @_;
	my @ways;
	for my $masked (0, 1) {
		for my $jobs (1, 2, 4) {
			push @ways, { name => ($masked ? 'masked' : 'prodsync') . "_j$jobs", group => 'prodsync', jobs => $jobs, goal => $jobs == 2,
				title => 'prodsync, ' . ($masked ? 'three columns masked' : 'nothing masked') . ", --jobs $jobs",
				config => $masked ? $sides->{masked} : $sides->{plain} };
		}
	}
	push @ways,
		{ name => 'first', group => 'prodsync', title => 'prodsync, nothing masked, --jobs 2, the very first run', jobs => 2, goal => 1, template => 'small', config => $sides->{plain} },
		{ name => 'held', group => 'prodsync', title => 'prodsync, nothing masked, --jobs 2, a tester holds a lock for 3 s of the switch', jobs => 2, held => 1, rounds => 2,
			config => $sides->{plain}, timeless => 1 },
		{ name => 'kept', group => 'kept', title => 'prodsync, nothing masked, --jobs 2, 49,673 kept rows', jobs => 2, template => 'kept_full', rounds => 1, config => $sides->{plain}, timeless => 1 };
	$_->{readers} = $old_or_new for @ways;
	push @ways,
		script('pg_restore', version('pg_restore', 'pg_restore') . ': pg_dump -Fd -j2, then pg_restore -j2', readers => $gone, goal => 1),
		script('pgcopydb', version('pgcopydb', 'pgcopydb') . ' clone, 2 + 2 jobs', readers => $gone, goal => 1),
		script('copy_pipe', 'a text COPY pipe into the indexed tables', readers => $half, rounds => 2),
		script('nightly', 'a nightly script: DELETE, pg_dump --data-only, psql, one UPDATE per user column', readers => $half, rounds => 2),
		{ name => 'memory_many', group => 'memory', title => 'prodsync, one table of ' . thousands(20_000 * $sides->{scale}) . ' rows, --jobs 4', database => 'many', jobs => 4, rounds => 1 },
		{ name => 'memory_large', group => 'memory', title => 'prodsync, four tables of rows of ' . $sides->largest_row('large') . ' MB, --jobs 4', database => 'large', jobs => 4, rounds => 1 },
		{ name => 'in_place_client', group => 'in_place', title => 'prodsync anonymize, three columns of ' . thousands(20_000 * $sides->{scale}) . ' rows, --jobs 2', database => 'in_place', jobs => 2,
			arguments => ['anonymize', '--to', 'uat', '--jobs', 2, '--yes'], readers => '' },
		{ name => 'in_place_sql', group => 'in_place', title => 'sync_anonymize(), the same rows', database => 'in_place', script => 'test/bench/ways/in_place_sql.sh', needs => 'psql', readers => '' },
		{ name => 'in_place_update', group => 'in_place', title => 'UPDATE with sync_mask(), the same rows', database => 'in_place', script => 'test/bench/ways/in_place_update.sh', needs => 'psql', readers => '' },
		{ name => 'plan_1000', group => 'thousand', title => 'prodsync plan, 1,000 tables and 2,000 foreign keys', database => 'thousand', command => ['plan'], readers => '' },
		{ name => 'refresh_1000', group => 'thousand', title => 'prodsync, 1,000 tables of 20 rows, --jobs 2', database => 'thousand', jobs => 2, readers => '' };
	return @ways;
}
sub script { my ($name, $title, @more) = @_; return { name => $name, group => $name, title => $title, script => "test/bench/ways/$name.sh", needs => $name =~ /^pg/ ? $name : 'psql', @more } }
sub thousands { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }

# "pg_restore 15.4", of the package as installed where dpkg knows it: a distribution's version says more than the program's.
sub version
{
	my ($program, $package) = @_;
	my $run = execute('sh', '-c', "dpkg-query -W -f '\${Version}' $package 2>/dev/null || $program --version 2>/dev/null | head -n 1");
	my ($version) = $run->{out} =~ /(\d+[\d.]*\S*)/;
	return $version ? "$program $version" : $program;
}

sub ways
{
	my ($sides, @wanted) = @_;
	my @all = all($sides);
	my @chosen;
	for my $word (@wanted) {
		my @found = grep { $word eq $_->{name} || $word eq $_->{group} } @all;
		die "no way \"$word\"; there are: " . join(' ', map { $_->{name} } @all) . "\n" unless @found;
		push @chosen, @found;
	}
	my %chosen = map { $_->{name} => 1 } @chosen;
	@all = grep { !@wanted || $chosen{ $_->{name} } } @all;
	for (grep { $_->{needs} } @all) {
		$_->{skip} = "$_->{needs} is not installed (this distribution may have no package of it; see above)" if execute('sh', '-c', "command -v $_->{needs}")->{exit};
	}
	return @all;
}

# One run: {seconds, paused (s of them in which the machine stood still), cpu, memory, reader, writer, switch (s), failed}
sub run_way
{
	my ($sides, $way, $files) = @_;
	my (@probes, $tick);
	my $database = $way->{readers} && $way->{readers} eq $gone ? 'fresh' : $way->{database} // 'app';
	my $config = $way->{database} ? $sides->make_content($way->{database}) : $way->{config};
	$sides->reset($way->{template} // 'full') unless $way->{database};
	my @command = $way->{script} ? ($way->{script})
		: $way->{arguments} ? ('prodsync', @{ $way->{arguments} }, '--config', $config)
		: $way->{command} ? ('prodsync', @{ $way->{command} }, '--from', 'production', '--to', 'uat', '--config', $config)
		: ('prodsync', 'sync', '--from', 'production', '--to', 'uat', '--config', $config, '--jobs', $way->{jobs}, '--yes');
	my $environment = $sides->environment($way->{database});
	if ($way->{readers} && $way->{readers} ne $gone) {
		@probes = (Probe->reader($sides->{uat}, $sides->{dir}, $sides->{scale}), Probe->writer($sides->{uat}, $sides->{dir}));
	}
	$tick = $sides->holder if $way->{held};
	my $m = measure(\@command, $environment, $files, $tick);
	@$m{qw(reader writer)} = map { $_->end($sides->{pauses}) } @probes;
	$m->{paused} = Probe::paused($sides->{pauses}, $m->{begun}, $m->{begun} + $m->{seconds});
	$m->{failed} = 'exit ' . $m->{exit} . ': ' . first_error($m->{err}) if $m->{exit};
	# Who uses UAT waits, but gets no error.
	for my $who (grep { ($way->{readers} // '') eq $old_or_new && $m->{$_} && $m->{$_}{errors} } qw(reader writer)) {
		$m->{failed} //= "the $who got an error";
	}
	$m->{switch} = $1 if !$way->{script} && $m->{out} =~ /switched in ([\d.]+) s/;
	if (!$m->{failed} && !$way->{database}) {
		eval { $sides->demand_content($database); 1 } or chomp($m->{failed} = $@);
	}
	if (!$m->{failed} && $way->{group} eq 'in_place') {
		eval { $sides->demand_masked; 1 } or chomp($m->{failed} = $@);
	}
	$m->{work} = work($sides, $database) if !$m->{failed} && !$way->{script} && !$way->{command};
	delete @$m{qw(out err)};
	return $m;
}
# Where the time of the last refresh went, by its ledger: seconds of each kind of step, summed over the connections that worked side by
# side; and by the clock from the plan's end to the switch's, and after it.
sub work
{
	my ($sides, $database) = @_;
	return { map { split /\|/ } split /\n/, $sides->{uat}->sql(<<'SQL', $database) };
WITH last AS (SELECT * FROM sync_runs ORDER BY run DESC LIMIT 1),
spent (what, time) AS (
	SELECT 'step ' || s.kind, sum(s.ended - s.started) FROM last JOIN sync_run_steps s USING (run) GROUP BY s.kind
	UNION ALL SELECT 'beside and switch', switched - started FROM last
	UNION ALL SELECT 'after the switch', ended - switched FROM last)
SELECT what, round(extract(epoch FROM time)::numeric, 3) FROM spent WHERE time IS NOT NULL
SQL
}
sub first_error
{
	my @lines = grep { /\S/ } split /\n/, $_[0];
	my ($error) = grep { /error|ERROR|FATAL/ } @lines;
	# without the path of a folder that is about to go
	return ($error // $lines[-1] // 'it said nothing') =~ s{/\S+/}{}gr;
}

1;
