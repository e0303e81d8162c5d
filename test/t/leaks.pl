# The proof of masking, from outside: after a refresh under rules that detection wrote, no value that tells who somebody is (thousands of them, listed
# from production) is in a dump of the target, its data files, its WAL, its log with every statement in it, or in what the client printed (C1, C2).
use strict;
use warnings;
use Prodsync;
use Test::More;

my ($production, $uat) = clusters('production', [uat => 'log_statement=all', 'log_min_messages=debug1', 'log_min_duration_statement=0', 'log_parameter_max_length=-1']);
$ENV{PRODSYNC_KEY} = 'a1' x 31 . 'b2';

# Which of the values are in these texts or below these folders: how many, and where the first few come from.
sub found
{
	my ($values, @where) = @_;
	my $list = file('values.txt', join "\n", sort keys %$values);
	my $run = execute('grep', '-raohF', '-f', $list, @where);
	die $run->{err} if $run->{exit} > 1;
	my %seen = map { $_ => 1 } split /\n/, $run->{out};
	return map { $values->{$_} } grep { $values->{$_} } sort keys %seen;
}
sub counts { my %of; $of{$_}++ for @_; return join ' ', map { "$_ ($of{$_})" } (sort keys %of) }

# Refreshes uat's database $db from production's of the same name by the configuration, and looks everywhere.  $values: value -> table.column of production.
sub proof
{
	my ($name, $db, $config, $values, $control) = @_;
	my @names = ('--from', 'production', '--to', 'uat', '--config', $config);
	my $output = '';
	for my $command (['plan', @names, '--all', '--preview', 3], ['sync', @names, '--yes']) {
		my $run = prodsync(@$command);
		$output .= $run->{out} . $run->{err};
		is($run->{exit}, 0, "$name: $command->[0]") or diag substr $run->{err}, 0, 6000;
	}
	cmp_ok(scalar keys %$values, '>', 200, "$name: " . keys(%$values) . ' values are looked for');
	is($uat->sql('SELECT count(*) FROM sync_check() WHERE NOT ok', $db), 0, "$name: sync_check()");
	my $dump = execute('pg_dump', '-d', $uat->dsn($db));
	is($dump->{exit}, 0, "$name: a dump");
	my $data = $uat->sql('SHOW data_directory');
	$uat->stop;
	my $dumped = file('dump.sql', $dump->{out});
	for (['a dump', $dumped], ['the data files', "$data/base"], ['the WAL', "$data/pg_wal"], ['the log', "$uat->{host}/log"], ["the client's output", file('output.txt', $output)]) {
		my ($what, $where) = @$_;
		is(counts(found($values, $where)), '', "C1: $name: none is in $what");
	}
	# what finds nothing has to be able to find something
	for (['a dump', $dumped], ['the data files', "$data/base"], ['the WAL', "$data/pg_wal"]) {
		is(counts(found({ $control => 'control' }, $_->[1])), 'control (1)', "$name: what is not masked is found in $_->[0]");
	}
	$uat->start;
}

sub environments_of { my ($db) = @_; return "environments:\n  production: {dsn: \"${\ $production->dsn($db) }\"}\n  uat: {dsn: \"${\ $uat->dsn($db) }\"}\n" }

# The rules that detection suggests, written into the file by it.
sub with_detected
{
	my ($file) = @_;
	my $detect = prodsync('detect', '--from', 'production', '--config', $file, '--write');
	is($detect->{exit}, 0, 'detect --write') or diag $detect->{err};
	return slurp($file);
}

# ---- the application of the demonstration ----
{
	for ([$production, 'production'], [$uat, 'uat']) {
		my ($cluster, $content) = @$_;
		$cluster->sql('CREATE DATABASE app');
		my $load = execute('test/fixtures/saas/load.sh', $cluster->dsn('app'), $content, 1);
		die $load->{err} if $load->{exit};
	}
	$production->sql(q{UPDATE apps_core_announcement SET title = 'control of what is open ' || id; ANALYZE}, 'app');
	$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
	my $yaml = slurp('test/fixtures/saas/prodsync.yaml');
	$yaml =~ s/environments:.*?(?=^tenants:)/environments_of('app')/mse;
	$yaml =~ s/^anonymize:.*//ms;
	my $config = file('saas.yaml', $yaml);
	with_detected($config);
	# every address, account and secret that stands anywhere in production, but for what UAT has had before
	my $was = execute('pg_dump', '-a', '-d', $uat->dsn('app'))->{out};
	my $dump = execute('pg_dump', '-a', '-d', $production->dsn('app'))->{out};
	my %values;
	for ([address => qr/[\w.+-]+\@[\w-]+(?:\.[\w-]+)+/], [account => qr/\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b/], [secret => qr/PRODSECRET\w+/]) {
		my ($kind, $form) = @$_;
		my %of = map { $_ => $kind } $dump =~ /($form)/g;
		delete @of{ grep { index($was, $_) >= 0 } keys %of };
		cmp_ok(scalar keys %of, '>', 20, 'saas: ' . keys(%of) . " of kind $kind");
		%values = (%values, %of);
	}
	proof('saas', 'app', $config, \%values, 'control of what is open 1');
}

# ---- a real schema with made-up people, where its fixture lies beside the checkout ----
SKIP: {
	my $fixtures = '../shared/fixtures/mymoolah';
	skip 'no fixtures mymoolah beside the checkout', 1 unless -d $fixtures;
	for ([$production, 'prod_data.sql'], [$uat, 'uat_data.sql']) {
		my ($cluster, $data) = @$_;
		$cluster->sql('CREATE DATABASE moolah');
		$cluster->file('moolah', "$fixtures/$_") for 'schema.sql', $data;
		$cluster->sql('ANALYZE', 'moolah');
	}
	$production->sql(q{CREATE TABLE control (id integer PRIMARY KEY, what text); INSERT INTO control VALUES (1, 'control of what is open')}, 'moolah');
	$uat->sql('CREATE TABLE control (id integer PRIMARY KEY, what text)', 'moolah');
	$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'moolah');
	my $config = file('moolah.yaml', environments_of('moolah') . "tables:\n  SequelizeMeta: {mode: keep}\n");
	# What the plan refuses of the suggestions is decided here: ids of wallets reference each other, so all of them are masked alike; what no strategy fits
	# is copied, as the comments say.
	my $rules = with_detected($config) =~ s/\{column: (walletId|wallet_id|receiverWalletId|senderWalletId|voucherCode), strategy: [^}]*\}/{column: $1, strategy: hash}/gr;
	# Its CHECKs want numbers with their country; and in free text stand addresses, which only the shape of the text hides.
	my $number = q{CASE WHEN msisdn LIKE '+%' THEN '+999' || lpad(id::text, 9, '0') ELSE 'NON_MSI_' || id END};    # one CHECK and one unique key over both forms
	$rules =~ s/(?<=\{column: msisdn, )strategy: [^}]*\}/strategy: sql, expression: "$number"}/g;
	$rules =~ s/strategy: phone\}/strategy: phone, form: e164}/g;
	$rules =~ s/strategy: free_text\}/strategy: free_text, form: shape}/g;
	$rules =~ s/^( +)# (- \{column: \w+, strategy: none\}|[\w"]+:$)/$1$2/mg;
	# What nothing but a person knows: some of these references are numbers of identity documents.
	my $reference = '      - {column: documentReference, strategy: hash}';
	$rules =~ s/^ +- \{column: documentReference, [^}]*\}.*$/$reference/m or $rules =~ s/^    compliance_records:\n/$&$reference\n/m or $rules =~ s/^anonymize:\n  tables:\n/$&    compliance_records:\n$reference\n/m or die;
	$config = file('moolah.yaml', $rules);
	my %values = map { my ($table, $column, undef, $strength, $value) = split /\t/; $strength eq 'strong' && length $value >= 6 ? ($value => "$table.$column") : () } split /\n/, slurp("$fixtures/prod_pii_values.tsv");
	proof('mymoolah', 'moolah', $config, \%values, 'control of what is open');
}
done_testing();
