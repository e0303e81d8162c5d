# Values that nobody expects in a masked column: the longest, and those that a rule or the target cannot take. What cannot be masked ends the run, and the
# target is what it was; no error has the value, and nothing of it is in the target's log.
use strict;
use warnings;
use Content;
use Prodsync;
use Test::More;

my ($production, $uat) = empty_pair();
$uat->restart('log_statement=all', 'log_min_messages=info');
$uat->sql(q{CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)}, 'app');
$ENV{PRODSYNC_KEY} = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
my $raw = 'zq7raw';
my @names = qw(--from production --to uat --config);

# A table with these columns and rows in both databases, and a refresh of it under these rules.
sub refresh_of
{
	my ($columns, $rows, @rules) = @_;
	$_->sql("DROP TABLE IF EXISTS odd; CREATE TABLE odd (id integer PRIMARY KEY, $columns)", 'app') for $production, $uat;
	$production->sql("INSERT INTO odd $rows", 'app');
	return file('prodsync.yaml', environments() . "anonymize:\n  policy: none\n  tables:\n    odd:\n" . join '', map { "      - $_\n" } @rules);
}

# ---- rows that cannot be masked, or whose masks the target cannot take ----
my @stopped = (
	# what, exit code, columns, row, rule, what the error says
	['a lone surrogate in json', 6, 'v json', qq{'{"a": "$raw \\ud800"}'}, '{column: v, path: "$.a", strategy: redact}', qr/odd\.v: the rule cannot mask a value that is no JSON document that can be read/],
	['a number beyond every floating type in jsonb', 6, 'v jsonb', qq{'{"a": "$raw", "n": 1e9999}'}, '{column: v, path: "$.a", strategy: redact}', qr/odd\.v: the rule cannot mask a value that is no JSON document/],
	['a CHECK that no mask satisfies', 5, "v text CHECK (v LIKE '$raw%')", qq{'$raw'}, '{column: v, strategy: redact}', qr/odd_v_check does not allow 1 row/],
	['a domain that no mask satisfies', 5, 'v short', qq{'$raw'}, '{column: v, strategy: hash}', qr/short_check does not allow 1 row/],
	# nobody tries those of documents beforehand
	['a CHECK of a document', 1, "v jsonb CHECK (v ->> 'a' LIKE '$raw%')", qq{'{"a": "$raw"}'}, '{column: v, path: "$.a", strategy: redact}', qr/odd_v_check/],
	['a domain of documents', 1, 'v short_document', qq{'{"a": "$raw"}'}, '{column: v, path: "$.a", strategy: hash}', qr/short_document_check/],
	['equal values of an expression in a unique column', 1, 'v text UNIQUE', qq{'$raw 2'), (3, '$raw 3'}, '{column: v, strategy: sql, expression: "left(v, 3)"}', qr/odd_v_key/],
	['NULL of an expression in a column that has none', 1, 'v text NOT NULL', qq{'$raw'}, '{column: v, strategy: sql, expression: "nullif(v, v)"}', qr/"?v"?/],
	['an expression that fails', 1, 'v text', qq{'$raw'}, '{column: v, strategy: sql, expression: "(v::integer)::text"}', qr/22P02|odd/],
	['a condition that fails', 1, 'v text', qq{'$raw'}, '{column: v, strategy: redact, when: "v::integer = 1"}', qr/22P02|odd/],
);
$_->sql("CREATE DOMAIN short AS text CHECK (length(VALUE) < 8); CREATE DOMAIN short_document AS jsonb CHECK (length(VALUE ->> 'a') < 8)", 'app') for $production, $uat;
for my $case (@stopped) {
	my ($what, $exit, $columns, $row, $rule, $says) = @$case;
	my $config = refresh_of($columns, "VALUES (2, $row)", $rule);
	my $before = content($uat);
	my $run = prodsync('sync', @names, $config, '--yes');
	is($run->{exit}, $exit, "$what: exit $exit") or diag "$run->{err}$run->{out}";
	like($run->{err}, $says, "$what: says which");
	unlike("$run->{out}$run->{err}", qr/\Q$raw\E/, "$what: not the value");
	is(differs($before, content($uat)), '', "$what: the target is what it was");
	is(leftovers($uat), '', "$what: nothing is left");
}
unlike($uat->log =~ s/^.*(?:CREATE TABLE odd|STATEMENT:|odd_v_check).*$//gmr, qr/\Q$raw\E/, 'no raw value in the log of the target') or diag grep { /\Q$raw\E/ } split /^/, $uat->log;

# ---- the longest: 100 MB, in a bounded memory ----
my $size = 100_000_000;
my $config = refresh_of('a text, b text, c jsonb, d text', qq{VALUES (1, repeat('$raw ', $size / 7), repeat('$raw ', $size / 7), jsonb_build_object('a', repeat('$raw ', 2000000), 'b', 1), 'short')},
	'{column: a, strategy: shape}', '{column: b, strategy: redact}', '{column: c, path: "$.a", strategy: hash}', '{column: d, strategy: hash}');
my $run = execute('sh', '-c', 'ulimit -v 2500000; exec "$@"', 'sh', 'prodsync', 'sync', @names, $config, '--yes', '--jobs', '1');
is($run->{exit}, 0, 'a row of 215 MB is masked in the memory of a few copies of it') or diag $run->{err};
is($uat->sql("SELECT length(a) = $size / 7 * 7 AND a !~ '$raw', b, c ->> 'a' ~ '^[0-9a-f]{16}\$', length(d) FROM odd", 'app'), 't|[REDACTED]|t|16', 'and is what the rules say');
done_testing();
