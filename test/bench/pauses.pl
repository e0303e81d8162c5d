# Tells when the machine itself stood still: pauses.pl FILE, until it is ended. A line for each pause: when it ended (epoch), how long it was (ms).
#
# It sleeps 5 ms at a time and looks how late it wakes. It does nothing else, and bench.sh gives it real-time priority, so no program of the bench can
# keep it from its processor: what makes it late is the host of a virtual machine, which had no processor for it or no memory.
use strict;
use warnings;
use Time::HiRes qw(sleep time);

my ($nap, $least) = (0.005, 0.015);
open my $out, '>', $ARGV[0] or die "$ARGV[0]: $!";
$out->autoflush(1);
for (my $last = time;;) {
	sleep $nap;
	my $now = time;
	printf $out "%.3f\t%.0f\n", $now, 1000 * ($now - $last - $nap) if $now - $last > $least;
	$last = $now;
}
