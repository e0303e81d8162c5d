# Every type that the server has, and what people make of them: after a refresh the values are those of production, byte for byte.
use strict;
use warnings;
use utf8;
use Prodsync;
use Test::More;
binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my ($production, $uat) = empty_pair();
my $config = file('prodsync.yaml', environments() . <<'YAML');
anonymize:
  policy: none
YAML
my @names = ('--from', 'production', '--to', 'uat', '--config', $config);

# ---- values ----
# Of each type those that have gone wrong somewhere: extremes, signs of zero, NaN, infinity, BC, the empty, what COPY escapes. As SQL text.
my @texts = ('', ' ', '\N', '\.', "\\\\", "a\tb", "a\nb", "a\rb\r\n", '\\x00', 'NULL', '"', "'", ',', '{}', "\x01\x7f", 'Jürgen 日本 🙂', 'x' x 3000);
my %values = (
	bool => ['t', 'f'],
	bytea => ['', '\x00', '\x5c2e0a', '\x' . join('', map { sprintf '%02x', $_ } 0 .. 255)],
	char => ['', 'a', '\\', "\t"],
	name => ['', 'user', 'Mixed Case', 'ü' x 31],
	int8 => ['-9223372036854775808', '9223372036854775807', '0'],
	int2 => ['-32768', '32767'],
	int2vector => ['', '1 -2 3'],
	int4 => ['-2147483648', '2147483647'],
	text => \@texts,
	oid => ['0', '4294967295'],
	tid => ['(0,0)', '(4294967295,65535)'],
	xid => ['0', '4294967295'],
	cid => ['0', '4294967295'],
	oidvector => ['', '1 4294967295'],
	json => ['null', '{}', ' { "b" : 1, "a" : 1, "a" : 2 } ', '"\u00e9\\\\n"', '1e400'],
	xml => ['', '<a/>', '<a b="&lt;">text &amp; more</a><b/>', ' text '],
	point => ['(0,-0)', '(1e-300,1e300)', '(NaN,Infinity)'],
	lseg => ['[(0,0),(1,1)]'],
	path => ['((0,0),(1,1))', '[(0,0),(1,1),(2,0)]'],
	box => ['(1,1),(0,0)'],
	polygon => ['((0,0),(1,1),(2,0))'],
	line => ['{1,-1,0}'],
	float4 => ['NaN', 'Infinity', '-Infinity', '-0', '1.17549435e-38', '3.4028235e38', '0.1'],
	float8 => ['NaN', 'Infinity', '-Infinity', '-0', '4.94065645841246544e-324', '1.7976931348623157e308', '0.1'],
	money => ['-92233720368547758.08', '92233720368547758.07', '0.01'],
	circle => ['<(0,0),0>', '<(1,-1),2.5>'],
	cidr => ['0.0.0.0/0', '10.1.0.0/16', '::/0', '2001:db8::/32'],
	inet => ['0.0.0.0', '192.168.0.1/24', '::1', '2001:db8::1/64'],
	macaddr => ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'],
	macaddr8 => ['00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'],
	aclitem => ['postgres=arwdDxt/postgres', '=r/postgres'],
	bpchar => ['', 'a', 'a  ', 'ü '],
	varchar => \@texts,
	date => ['infinity', '-infinity', '4713-01-01 BC', '0044-03-15 BC', '5874897-12-31'],
	time => ['00:00:00', '24:00:00', '23:59:59.999999'],
	timestamp => ['infinity', '-infinity', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999', '2024-02-29 12:00:00.000001'],
	timestamptz => ['infinity', '-infinity', '4713-01-02 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00', '2024-03-31 02:30:00+02'],
	interval => ['1 mon', '30 days', '720:00:00', '-178000000 years', '1 year -2 mons 3 days -04:05:06.000007', '0'],
	timetz => ['00:00:00+15:59', '24:00:00-15:59'],
	bit => ['0', '1'],
	varbit => ['', '0', '1010101'],
	numeric => ['NaN', 'Infinity', '-Infinity', '0', '0.00', '-1e-1000', '1e1000', '123456789012345678901234567890.0987654321000'],
	refcursor => ['', 'cursor'],
	uuid => ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
	pg_lsn => ['0/0', 'FFFFFFFF/FFFFFFFF'],
	tsvector => ['', q('a':1A,2B 'b c':3 '''d'), 'a'],
	tsquery => ['', q('a' & !'b c' | 'd':*A <2> 'e')],
	jsonb => ['null', '{}', '{"a": 1.50, "b": [null, "\\\\", "é"]}', '1e400'],
	txid_snapshot => ['10:20:10,14,15'],
	pg_snapshot => ['10:20:10,14,15'],
	xid8 => ['0', '18446744073709551615'],
	jsonpath => ['$', '$."a b"[*] ? (@ > 1.50)', 'strict $.a'],
	int4range => ['empty', '(,)', '[1,5)', '[-2147483648,)'],
	numrange => ['empty', '(,)', '[1.50,NaN]', '(0,1.0]'],
	tsrange => ['empty', '["infinity",]', '(2024-01-01,2024-02-01]'],
	tstzrange => ['empty', '[2024-01-01 00:00:00+02,2024-02-01)'],
	daterange => ['empty', '[2024-01-01,2024-02-01)', '[-infinity,infinity]'],
	int8range => ['empty', '[-9223372036854775808,9223372036854775807)'],
	int4multirange => ['{}', '{[1,3),[5,7)}'],
	nummultirange => ['{}', '{[1.50,2],(3,)}'],
	tsmultirange => ['{}', '{[2024-01-01,2024-02-01)}'],
	tstzmultirange => ['{}', '{[2024-01-01 00:00:00+00,)}'],
	datemultirange => ['{}', '{[2024-01-01,2024-02-01)}'],
	int8multirange => ['{}', '{[1,9223372036854775807)}'],
	# by name, wherever the relation is: another database has another number for it
	regclass => ['pg_catalog.pg_class', 'public."Odd Table"', '-', '4000000000'],
	regtype => ['integer', 'public.mood', 'public.mood[]', '-'],
	regproc => ['pg_catalog.now', '-'],
	regprocedure => ['pg_catalog.lower(text)', '-'],
	regoper => ['pg_catalog.||/', '0'],
	regoperator => ['pg_catalog.=(integer,integer)', '0'],
	regrole => ['postgres', '-'],
	regnamespace => ['public', '-'],
	regconfig => ['pg_catalog.english', '-'],
	regdictionary => ['pg_catalog.simple', '-'],
	regcollation => ['pg_catalog."C"', '-'],
);
my %refuses = map { $_ => 1 } qw(pg_node_tree pg_ndistinct pg_dependencies pg_mcv_list pg_brin_bloom_summary pg_brin_minmax_multi_summary gtsvector);    # their input does
my $by_name = qr/^reg|^aclitem$/;
is($production->sql(q{SELECT string_agg(typname, ' ' ORDER BY typname) FROM pg_type WHERE oid < 16384 AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A' AND typelem = 0 OR typname IN ('name', 'point', 'lseg', 'box', 'line', 'int2vector', 'oidvector')}, 'app'),
	join(' ', sort keys %values, keys %refuses), 'every type that the server has is here');

sub literal { my ($text) = @_; return 'NULL' unless defined $text; $text =~ s/'/''/g; return "'$text'" }
sub q_id { my ($name) = @_; $name =~ s/"/""/g; return qq("$name") }
sub list { my ($type, @of) = @_; return 'ARRAY[' . join(', ', map { literal($_) } @of) . "]::$type\[]" }
# The same with a NULL and bounds that nobody expects; an array of two dimensions.
sub array { my ($type, @of) = @_; return "('[-1:" . (@of - 1) . "]=' || ${\ list($type, @of, undef) }::text)::$type\[]" }
sub nested { my ($type, $one) = @_; return sprintf "('[2:3][-1:0]=' || ARRAY[[%s, NULL], [NULL, %s]]::$type\[]::text)::$type\[]", (literal($one)) x 2 }

my $types = <<'SQL';
SET search_path = public;
CREATE TABLE "Odd Table" (id integer PRIMARY KEY);
CREATE TYPE mood AS ENUM ('sad', '', 'it''s "ok", \N', 'happy');
CREATE DOMAIN positive AS numeric(12,2) CHECK (VALUE > 0);
CREATE DOMAIN short AS varchar(5) NOT NULL DEFAULT '';
CREATE DOMAIN shorter AS short CHECK (length(VALUE) < 5);
CREATE DOMAIN moods AS mood[];
CREATE TYPE inner_row AS (a integer, "b c" text, d mood);
CREATE TYPE outer_row AS (i inner_row, n inner_row[], r int4range, z regclass);
CREATE DOMAIN of_row AS inner_row CHECK ((VALUE).a IS DISTINCT FROM 13);
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C", multirange_type_name = text_ranges);
CREATE DOMAIN of_range AS text_range;
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
SQL
# What production has and the target not yet, so that the same names have other numbers there.
$production->sql("CREATE TABLE filler (id int); CREATE TYPE filler_type AS ENUM ('x'); DROP TABLE filler; DROP TYPE filler_type", 'app');
for ($production, $uat) { $_->sql($types, 'app') }
$uat->sql("CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)", 'app');

# A table with a column for each type and for arrays of it, and a row for each value.
sub table_of
{
	my ($name, @types) = @_;
	my (@columns, @values);
	my $rows = 2;
	for (@types) {
		my $type = $_ eq 'char' ? '"char"' : $_;
		my @of = @{ $values{$_} };
		$rows = @of if @of > $rows;
		push @columns, q_id($_) . " $type", q_id("$_\[]") . " $type\[]";
		push @values, q_id($_) . " = (${\ list($type, @of) })[id]";
		push @values, q_id("$_\[]") . " = CASE id WHEN 1 THEN ${\ array($type, @of) } WHEN 2 THEN ${\ nested($type, $of[0]) } WHEN 3 THEN '{}' END";
	}
	$_->sql("SET search_path = public; CREATE TABLE $name (id integer PRIMARY KEY, ${\ join ', ', @columns })", 'app') for $production, $uat;
	my $fill = "INSERT INTO $name SELECT g FROM generate_series(1, $rows + 1) g; UPDATE $name SET " . join(",\n", @values);
	utf8::encode($fill);
	$production->sql("SET search_path = public; $fill", 'app');
	return;
}
# Numbers of this database are no good in another one; a vector of numbers may be one of oids, and is not looked into.
my @wire = grep { !/$by_name|^oid|^tsquery$|vector$/ || $_ eq 'tsvector' } sort keys %values;
table_of('every_type', @wire);
table_of('every_type_by_name', sort keys %values);
table_of('queries', 'tsquery');

# Types that people make, and what they nest them in.
$_->sql(<<'SQL', 'app') for $production, $uat;
CREATE TABLE labels (id integer PRIMARY KEY, m mood, s shorter, p positive);
CREATE TABLE classes (id integer PRIMARY KEY, c regclass);
CREATE TABLE many_types (id integer PRIMARY KEY, t regtype[]);
CREATE TABLE made_types (id integer PRIMARY KEY, m mood, ma mood[], md moods, p positive[], s shorter[], i inner_row, ia inner_row[], o outer_row, oa outer_row[], r of_row, ra of_row[],
	t text_range, ts text_ranges, tr of_range, tra of_range[], h hstore, ha hstore[], c citext, ca citext[], l ltree, la ltree[], lq lquery, lt ltxtquery,
	b bit(8), vb varbit(9)[], n numeric(10,3), nn numeric(3,-2), ch char(5), v varchar(5)[], iv interval day to second(3), ts3 timestamp(3), t0 time(0), of_table "Odd Table", of_tables "Odd Table"[]);
SQL
$production->sql(<<'SQL', 'app');
INSERT INTO "Odd Table" VALUES (-1);
INSERT INTO classes VALUES (1, '"Odd Table"'), (2, 'pg_class');
INSERT INTO many_types VALUES (1, '{mood,integer}');
INSERT INTO labels VALUES (1, 'sad', '', 0.01), (2, '', 'a', 9999999999.99), (3, 'it''s "ok", \N', '\.', NULL), (4, NULL, '', 1);
INSERT INTO made_types SELECT 1, 'it''s "ok", \N', ARRAY['', NULL, 'it''s "ok", \N']::mood[], '[0:1]={sad,happy}', '{1,NULL,2.50}', '{"",a,"\\N","\""}', i, ARRAY[i, NULL, ROW(NULL, '', NULL)::inner_row],
	ROW(i, ARRAY[i], int4range '[1,3)', regclass 'public."Odd Table"')::outer_row, ARRAY[ROW(i, ARRAY[i, NULL], int4range 'empty', regclass 'pg_class')::outer_row], i, ARRAY[i]::of_row[],
	'["a ""b"" \\",zz)', '{[a,b),["x,y",)}', 'empty', ARRAY[text_range('', '{}'), NULL]::of_range[],
	'"a b"=>"1\"2", "\\N"=>NULL, ""=>""', ARRAY['a=>NULL', ''::hstore], 'MiXed', '{Ab,NULL,""}', 'Top.a_1.b', '{a.b,""}', 'Top.*{1,2}.!a|b@*', 'a & !b@%',
	'10000001', '{1,"",101010101}', 1234567.891, 12345, 'ab', '{abcde,"  "}', '3 days 04:05:06.789', '2024-02-29 01:02:03.456', '23:59:60', t, ARRAY[t, NULL]
FROM (SELECT ROW(7, E'tab\t"quoted" (\\.) \n, line', 'it''s "ok", \N')::inner_row AS i, t FROM "Odd Table" AS t) AS x;
INSERT INTO made_types (id, i, ia, o, h, c, l, ch) VALUES (2, ROW(NULL, NULL, NULL), '{}', ROW(NULL, NULL, NULL, NULL), '', '', '', ''), (3, ROW(NULL, '', NULL), NULL, NULL, NULL, NULL, NULL, NULL);
SQL

# Every column of every table as one line, in both forms: as text, and where no number of this database is in it, as bytes.
sub columns
{
	my ($cluster, $db, @tables) = @_;
	my %lines = map { /^(\S.*?)\|(.*)/s ? ($1 => $2) : () } split /\n/, $cluster->sql(<<"SQL", $db);
SET extra_float_digits = 3;
SELECT format('SELECT %L, md5(string_agg(coalesce(%I::text, ''NULL~''), ''|'' ORDER BY id)), count(%3\$I) FROM %s', attrelid::regclass || '.' || attname, attname, attname, attrelid::regclass)
	FROM pg_attribute WHERE attrelid = ANY (ARRAY[${\ join ', ', map { "'$_'" } @tables }]::regclass[]) AND attnum > 0 AND NOT attisdropped ORDER BY 1 \\gexec
SELECT 'bytes of every_type', md5(string_agg(record_send(t)::text, '' ORDER BY id)) FROM every_type t;
SELECT 'bytes of labels', md5(string_agg(concat(enum_send(m), textsend(s), numeric_send(p)), '' ORDER BY id)) FROM labels t;
SQL
	return \%lines;
}
my @typed = (qw(every_type every_type_by_name queries labels classes many_types made_types), '"Odd Table"');
my $plan = prodsync('plan', @names, '--all');
is($plan->{exit}, 0, 'a plan of every type') or diag $plan->{err};
like($plan->{out}, qr/\bevery_type .*\bbinary$/m, 'built-in types travel in binary');
like($plan->{out}, qr/\blabels .*\bbinary$/m, 'and so do enums, and domains over built-in types');
like($plan->{out}, qr/\bevery_type_by_name .*\btext$/m, 'E17: numbers of this database travel as names, in text');
like($plan->{out}, qr/\b$_ .*\btext$/m, "E17: $_, too") for 'classes', 'many_types';
like($plan->{out}, qr/\bqueries .*\btext$/m, 'so does tsquery: not every minor release receives an empty one in binary');
like($plan->{out}, qr/\bmade_types .*\btext$/m, 'and composites, which have numbers of types inside');
my $sync = prodsync('sync', @names, '--yes');
is($sync->{exit}, 0, 'a refresh of every type') or diag $sync->{err};
my ($should, $is) = map { columns($_, 'app', @typed) } $production, $uat;
cmp_ok(scalar(keys %$should), '>', 300, 'there is something to compare');
is(join("\n", grep { ($is->{$_} // '') ne $should->{$_} } sort keys %$should), '', 'E4: each column of each type is the same, byte for byte, in both formats');

done_testing;
