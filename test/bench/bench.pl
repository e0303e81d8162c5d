# The bench: bench.pl SCALE ROUNDS MINUTES RESULTS [WAY...], run by bench.sh, which says what it is for.
#
# Round after round, each way once, beginning with another one each time: a noisy minute hits all of them alike. Ways that take
# minutes, and those whose time is not compared, are left out of later rounds; so is a run that would end after MINUTES, judged by
# how long that way took before. The table shows how many runs each median is of.
use strict;
use warnings;
use File::Temp;
use JSON::PP;
use POSIX ();
use Prodsync;
use Measure;
use Report;
use Sides;
use Time::HiRes 'time';
use Ways;

my ($scale, $rounds, $limit, $results, @wanted) = @ARGV;
my $begun = time;
STDOUT->autoflush(1);
STDERR->autoflush(1);
sub say_so { printf STDERR "%4d s  %s\n", time - $begun, "@_"; return }

mkdir "$results/out" or die "$results/out: $!";
my $work = File::Temp->newdir(DIR => "$results/..");
my $sides = Sides->new($scale, "$work");
$sides->{pauses} = "$results/pauses.tsv";
my @ways = eval { ways($sides, @wanted) } or do { print STDERR "prodsync: error: $@"; exit 2 };
say_so("left out: $_->{name}: $_->{skip}") for grep { $_->{skip} } @ways;
say_so("two servers; production of scale $scale");
$sides->prepare;

my $columns = join "\t", qw(round way result seconds cpu_s memory_mb switch_s paused_s),
	map { my $who = $_; map { "${who}_${_}_s" } qw(longest p99 median) } qw(reader writer);
open my $tsv, '>', "$results/runs.tsv" or die "$results/runs.tsv: $!";
$tsv->autoflush(1);
print $tsv "$columns\n";

my (%runs, %took);
$runs{ $_->{name} } = [] for @ways;
my $failed = 0;
for my $round (1 .. $rounds) {
	my @now = grep { !$_->{skip} && $round <= ($_->{rounds} // $rounds) } @ways;
	my $first = POSIX::floor(@now * ($round - 1) / $rounds);
	@now = (@now[$first .. $#now], @now[0 .. $first - 1]);
	# What the goals are about comes first where the time may not suffice for all.
	@now = ((grep { $_->{goal} } @now), grep { !$_->{goal} } @now) if $round == $rounds && $round > 1;
	for my $way (@now) {
		next if grep { $_->{failed} } @{ $runs{ $way->{name} } };          # it would fail again
		my $start = time;
		if ($took{ $way->{name} } && $start + $took{ $way->{name} } > $begun + 60 * $limit) {
			say_so("round $round  $way->{name}: left out, $limit minutes would not be enough");
			next;
		}
		my $run = run_way($sides, $way, "$results/out/$way->{name}.$round");
		$took{ $way->{name} } = time - $start;              # with what goes before it
		push @{ $runs{ $way->{name} } }, $run;
		print $tsv line($round, $way, $run), "\n";
		say_so(sprintf 'round %d  %-13s %s', $round, $way->{name}, $run->{failed} ? "failed: $run->{failed}"
			: sprintf('%6.2f s%s', $run->{seconds}, $run->{reader} ? sprintf(', reader %.0f ms, writer %.0f ms', $run->{reader}{longest}, $run->{writer}{longest}) : ''));
		$failed = 1 if $run->{failed};
	}
}

my $minutes = (time - $begun) / 60;
my $text = report($sides, \@ways, \%runs, $minutes);
Prodsync::spew("$results/table.md", $text);
Prodsync::spew("$results/results.json", JSON::PP->new->pretty->canonical->encode(data($sides, \@ways, \%runs, $minutes)));
print $text;
exit $failed;
