# A reader and a writer of UAT, who work there while a way runs; what each of them had to wait is what the bench tells.
#
#   my $reader = Probe->reader($uat, $dir, $scale);  my $writer = Probe->writer($uat, $dir);
#   my $seen = $reader->end($file);      # {count, median, p99, longest (ms), errors, longest_at (epoch), own (ms)}
#
# Each is a pgbench with one session that prepares its statements, as drivers do. Statements come at a fixed rate on average, and
# each is measured from the moment it was due: a wait is not made to look better by the statements that were never sent meanwhile.
# A statement is a transaction of its own. A virtual machine stands still when its host wants it to, and everybody in it waits: "own" is the
# longest wait without the pauses that fell into it, as pauses.pl wrote them to the file; undef where it could not.
package Probe;
use strict;
use warnings;
use List::Util qw(max min sum0);
use Prodsync;

my $kept = q{(SELECT id FROM apps_tenants_tenant WHERE schema_name = 'test_acme')};

# Production's rows by key, the tenants, a kept row: all in tables that a refresh replaces.
sub reader
{
	my ($class, $uat, $dir, $scale) = @_;
	return $class->begin($uat, "$dir/reader", 100, ["customers=" . 1800 * $scale, "orders=" . 1300 * $scale],
		"\\set id random(1, :customers)\nSELECT name, email, segment FROM apps_customers_customer WHERE id = :id;\n",
		"\\set id random(1, :orders)\nSELECT * FROM apps_purchasing_order WHERE id = :id;\n",
		"SELECT count(*) FROM apps_tenants_tenant;\n",
		"SELECT credit_limit, updated_at FROM apps_customers_customer WHERE tenant_id = $kept AND name = 'Test customer 2';\n");
}
# A new row and a changed one of a kept tenant.
sub writer
{
	my ($class, $uat, $dir) = @_;
	return $class->begin($uat, "$dir/writer", 20, [],
		"INSERT INTO apps_activity_log (verb, happened_at, address, detail, tenant_id) SELECT 'bench', now(), '192.0.2.1', '{}', id FROM apps_tenants_tenant WHERE id = $kept;\n",
		"UPDATE apps_customers_customer SET credit_limit = 1 + random() WHERE tenant_id = $kept AND name = 'Test customer 2';\n");
}

sub begin
{
	my ($class, $uat, $prefix, $rate, $variables, @scripts) = @_;
	my @files;
	for my $script (@scripts) {
		my $path = "$prefix." . @files . '.sql';
		Prodsync::spew($path, $script);
		push @files, '-f', $path;
	}
	my $process = Prodsync::start('', 'pgbench', '-n', '-M', 'prepared', '-c', 1, '-T', 7200, '-R', $rate, (map { ('-D', $_) } @$variables),
		@files, '-l', "--log-prefix=$prefix.log", $uat->dsn('app'));
	my $self = bless { process => $process, prefix => $prefix }, $class;
	wait_until(20, sub { $uat->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench' AND datname = 'app'") > 0 })
		or die "no probe: " . $process->err;
	return $self;
}

sub end
{
	my ($self, $pauses) = @_;
	$self->{process}->signal('ALRM');          # as if its time were over: it finishes its transaction and writes the log to its end
	my $done = $self->{process}->wait;
	my @errors = grep { /error|ERROR|FATAL/ } split /^/m, $done->{err};
	my (@waits, $longest_at);
	my ($longest, $own) = (0, 0);
	for my $file (glob "$self->{prefix}.log*") {
		for (split /\n/, slurp($file)) {
			# session, number, microseconds since it was due, script, end: seconds, microseconds, how late it was sent
			my (undef, undef, $wait, undef, $seconds, $fraction) = split ' ';
			next unless $wait =~ /^\d+$/;
			push @waits, $wait / 1000;
			my ($ms, $at) = ($wait / 1000, $seconds + $fraction / 1e6);
			($longest, $longest_at) = ($ms, $at) if $ms > $longest;
			$own = max($own, $ms - 1000 * paused($pauses, $at - $ms / 1000, $at)) if $ms > $own;
		}
		unlink $file;
	}
	@waits = sort { $a <=> $b } @waits;
	return { count => scalar @waits, errors => scalar @errors, error => $errors[0] // '', longest => $longest, longest_at => $longest_at,
		own => -e $pauses ? $own : undef, median => $waits[@waits / 2] // 0, p99 => $waits[0.99 * @waits] // 0 };
}
# Seconds of a span in which the machine stood still.
sub paused
{
	my ($file, $from, $to) = @_;
	return 0 unless -e $file;
	return sum0 map { my ($end, $ms) = split; max(0, min($to, $end) - max($from, $end - $ms / 1000)) } split /\n/, slurp($file);
}

1;
