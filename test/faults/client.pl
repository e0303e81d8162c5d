# The client, from its first connection to the end of the clean-up: at every point each kind of fault.
use strict;
use warnings;
use Test::More;
use Faults;

set_up();
my (undef, $client) = points();
visit_all('client', wanted_points(qr/./, @$client));
# Samples are read where a policy wants it.
policy('warn');
(undef, $client) = points();
my @sampling = wanted_points(qr/^sampling$/, @$client);
is("@sampling", 'sampling', 'a refresh under policy warn reads samples') unless $ENV{PRODSYNC_TEST_FAULTS_ONLY};
visit_all('client', @sampling);
done_testing;
