# What the bench says: a Markdown table, the goals, the machine; and the same as data.
#
#   my $text = report($sides, \@ways, \%runs);     # name of a way => [results of run_way()]
#   my $data = data(...);                          # for JSON
#   median(3, 1, 2)
package Report;
use strict;
use warnings;
use Exporter 'import';
use List::Util qw(max min sum0);
use POSIX ();
use Prodsync;

our @EXPORT = qw(report data machine median line);

sub median { my @v = sort { $a <=> $b } @_; return @v ? ($v[$#v / 2] + $v[@v / 2]) / 2 : undef }
sub good { return grep { !$_->{failed} } @{ $_[0] // [] } }
sub seconds { return median(map { $_->{seconds} } good($_[0])) }
sub show { my ($format, $value) = @_; return defined $value ? sprintf $format, $value : '' }

# The longest wait (s) of all runs: "nobody waits longer" is about the worst of them.
sub longest { my ($runs, $who) = @_; return max map { $_->{$who}{longest} / 1000 } grep { $_->{$who} && $_->{$who}{count} } good($runs) }
# The same without the machine's own pauses, where they are known.
sub longest_own { my ($runs, $who) = @_; return max map { ($_->{$who}{own} // $_->{$who}{longest}) / 1000 } grep { $_->{$who} && $_->{$who}{count} } good($runs) }
sub errors { my ($runs, $who) = @_; return max(0, map { $_->{$who} ? $_->{$who}{errors} : 0 } good($runs)) }

sub machine
{
	my ($sides) = @_;
	my $cpuinfo = slurp('/proc/cpuinfo');
	my ($model) = $cpuinfo =~ /^model name\s*:\s*(.+)$/m;
	my ($memory) = slurp('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
	my ($load) = split ' ', slurp('/proc/loadavg');
	my ($system) = eval { slurp('/etc/os-release') =~ /^PRETTY_NAME="?([^"\n]+)/m };
	return {
		cores => scalar(() = $cpuinfo =~ /^processor\s*:/mg), cpu => $model // 'unknown', memory_gb => sprintf('%.0f', $memory / 1048576),
		kernel => join(' ', (POSIX::uname())[0, 2]), system => $system // 'unknown', postgresql => $sides->{uat}->sql('SHOW server_version'),
		settings => join(', ', @{ $sides->{conf} }), date => POSIX::strftime('%Y-%m-%d %H:%M', localtime), load => $load,
		commit => $ENV{PRODSYNC_TEST_COMMIT} // 'unknown',
		database => $sides->{production}->sql("SELECT pg_size_pretty(pg_database_size('app'))"),
		rows => $sides->{rows},
	};
}

# The faster of the two that everybody knows.
sub base { my ($runs) = @_; return min grep { defined } map { seconds($runs->{$_}) } qw(pg_restore pgcopydb) }

sub wait_text
{
	my ($way, $runs, $who) = @_;
	return $way->{readers} if ($way->{readers} // '') eq 'database gone';
	my $longest = longest($runs, $who);
	return '' unless defined $longest;
	my $own = longest_own($runs, $who);
	return sprintf('%.2f s', $longest) . ($longest - $own >= 0.02 ? sprintf(', %.2f s less the machine\'s pauses', $own) : '') . (errors($runs, $who) ? ', errors' : '') . ($who eq 'reader' && $way->{readers} ne 'old or new' ? " ($way->{readers})" : '');
}
sub row
{
	my ($way, $runs, $base) = @_;
	return "$way->{title} | left out: $way->{skip} | | | | | |" if $way->{skip};
	return "$way->{title} | failed: $runs->[0]{failed} | | | | | |" if @$runs && !good($runs);
	return unless @$runs;
	my $seconds = seconds($runs);
	my $time = $way->{timeless} ? '' : sprintf('**%.1f** (%s)', $seconds, join ', ', map { sprintf '%.1f', $_->{seconds} } good($runs));
	my $ratio = $base && !$way->{timeless} && $way->{group} !~ /^(memory|thousand|in_place)$/ ? sprintf('%.2f', $seconds / $base) : '';
	return join ' | ', $way->{title}, $time, $ratio, wait_text($way, $runs, 'reader'), wait_text($way, $runs, 'writer'),
		show('%.2f s', max(map { $_->{switch} // () } good($runs))), show('%.1f s', median(map { $_->{cpu} } good($runs))),
		show('%.0f MB', max(map { $_->{memory} / 1024 } good($runs)));
}

# What is to be reached: [sentence, value, limit, unit]. The value is undef where this run did not measure it.
sub goals
{
	my ($sides, $ways, $runs) = @_;
	my $base = base($runs);
	my $over = sub { my ($a, $b) = @_; return defined $a && $b ? $a / $b : undef };
	my ($masked, $plain, $first, $nightly) = map { seconds($runs->{$_}) } qw(masked_j2 prodsync_j2 first nightly);
	my @undisturbed = map { @{ $runs->{$_} // [] } } grep { /^(prodsync|masked)_j|^first$/ } keys %$runs;
	my @goals = (
		['prodsync, masked and verified, with --jobs 2, to the faster of pg_restore -j2 and pgcopydb', $over->($masked, $base), 0.75, ''],
		['the same, to the nightly script', $over->($masked, $nightly), 1 / 6, ''],
		['three masked columns, to nothing masked (--jobs 2)', $over->($masked, $plain), 1.05, ''],
		['a refresh of a refreshed UAT, to the very first one (--jobs 2, nothing masked)', $over->($plain, $first), 1.05, ''],
		['the longest wait of a reader of UAT in all runs', longest_own(\@undisturbed, 'reader'), 0.2, ' s'],
		['the same while somebody holds a lock', longest_own($runs->{held}, 'reader'), 0.3, ' s'],
		['the same with 49,673 kept rows (1 % of 5 million)', longest_own($runs->{kept}, 'reader'), 1.5, ' s']);
	# A job is a pair of connections, each of which has a row at a time.
	my $memory = sub { return max map { $_->{memory} / 1024 } map { good($runs->{$_}) } @_ };
	my $row = $sides->largest_row('large');
	return (@goals,
		['memory of the client, refreshing the ' . $sides->{rows} . ' rows', $memory->(grep { /^(prodsync|masked)_j|^first$|^held$/ } keys %$runs), 64, ' MB'],
		['prodsync anonymize, --jobs 2, to the UPDATE that a person would write', $over->(map { seconds($runs->{$_}) } qw(in_place_client in_place_update)), 0.5, ''],
		['sync_anonymize(), to the same', $over->(map { seconds($runs->{$_}) } qw(in_place_sql in_place_update)), 0.5, ''],
		['a plan of 1,000 tables and 2,000 foreign keys', seconds($runs->{plan_1000}), 5, ' s'],
		['a refresh of 1,000 small tables (--jobs 2)', seconds($runs->{refresh_1000}), 60, ' s'],
		['memory of the client, one long table', $memory->('memory_many'), 64, ' MB'],
		["memory of the client, rows of $row MB, 4 pairs of connections (64 MB and 8 x $row MB)", $memory->('memory_large'), 64 + 8 * $row, ' MB']);
}
sub goal_text
{
	my ($sentence, $value, $limit, $unit) = @{ $_[0] };
	my $digits = $unit eq ' MB' ? 0 : 2;
	return sprintf "| %s | %s | %.*f%s | %s |\n", $sentence, defined $value ? sprintf("%.*f%s", $digits, $value, $unit) : 'not measured', $digits, $limit, $unit,
		!defined $value ? '' : $value <= $limit ? 'met' : '**missed**';
}

sub pauses_text
{
	my ($sides) = @_;
	return ' Whether the machine itself stood still is not known: that needs real-time priority.' unless -e $sides->{pauses};
	my @ms = map { (split)[1] } split /\n/, slurp($sides->{pauses});
	return sprintf ' The machine itself stood still %d times for 15 ms and more, %.1f s in all, the longest %.0f ms; the goals of waits are about what is left without that.',
		scalar @ms, sum0(@ms) / 1000, max(@ms, 0);
}

# Where prodsync's time goes, of the run whose time is the median's, or the next longer one.
sub work_text
{
	my ($way, $runs) = @_;
	my ($run) = grep { $_->{work} && $_->{seconds} >= seconds($runs) } sort { $a->{seconds} <=> $b->{seconds} } good($runs) or return '';
	my %work = %{ $run->{work} };
	my $beside = delete $work{'beside and switch'} // 0;
	my $after = delete $work{'after the switch'} // 0;
	return sprintf "%s, a run of %.1f s: plan and the rest %.1f s, beside and switch %.1f s, afterwards %.1f s. The work beside, summed over its sessions: %s.\n",
		$way->{title}, $run->{seconds}, $run->{seconds} - $beside - $after, $beside, $after,
		join ', ', map { (my $kind = $_) =~ s/^step //; sprintf '%s %.1f s', $kind, $work{$_} } sort { $work{$b} <=> $work{$a} } keys %work;
}

sub report
{
	my ($sides, $ways, $runs, $minutes) = @_;
	my ($m, $base) = (machine($sides), base($runs));
	my $text = "Scale $sides->{scale}: $m->{rows} rows in production, $m->{database}; $m->{date}, commit $m->{commit}, " . sprintf('%.0f', $minutes) . " minutes in all.\n"
		. "$m->{cores} cores ($m->{cpu}), $m->{memory_gb} GB of memory, $m->{system}, $m->{kernel}, load average at the end $m->{load}.\n"
		. "PostgreSQL $m->{postgresql} on both sides, on this machine: $m->{settings}; else its defaults.\n\n"
		. "| way | seconds: median (runs) | ratio | longest wait of a reader | of a writer | switch | client: processor | client: memory |\n|---|---|---|---|---|---|---|---|\n";
	for my $way (@$ways) {
		my $row = row($way, $runs->{ $way->{name} } // [], $base) // next;
		$text .= "| $row |\n";
	}
	$text .= join '', "\n", map { work_text($_, $runs->{ $_->{name} }) } grep { ($_->{name} // '') =~ /^(prodsync|masked)_j2$/ } @$ways;
	$text .= "\nRatio: to the faster of pg_restore and pgcopydb. Waits and memory: the worst of the runs; processor: the median." . pauses_text($sides) . "\n\n"
		. "| goal | reached | at most | |\n|---|---|---|---|\n" . join '', map { goal_text($_) } goals($sides, $ways, $runs);
	return $text;
}

# One run as a line, for a person who waits, and for runs.tsv.
sub line
{
	my ($round, $way, $run) = @_;
	return join "\t", $round, $way->{name}, $run->{failed} // 'ok', map { show('%.3f', $_) } $run->{seconds}, $run->{cpu}, $run->{memory} / 1024,
		$run->{switch}, $run->{paused}, map { $_ ? ($_->{longest} / 1000, $_->{p99} / 1000, $_->{median} / 1000) : (undef) x 3 } @$run{qw(reader writer)};
}
sub data
{
	my ($sides, $ways, $runs, $minutes) = @_;
	return { machine => machine($sides), scale => $sides->{scale}, minutes => $minutes, runs => $runs,
		ways => [map { my $w = $_; +{ map { $_ => $w->{$_} } grep { defined $w->{$_} } qw(name title rounds readers skip) } } @$ways],
		goals => [map { +{ goal => $_->[0], reached => $_->[1], at_most => $_->[2] } } goals($sides, $ways, $runs)] };
}

1;
