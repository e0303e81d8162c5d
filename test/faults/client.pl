# The client, from its first connection to the end of the clean-up: at every point each kind of fault.
use strict;
use warnings;
use Test::More;
use Faults;

set_up();
my (undef, $client) = points();
visit_all('client', wanted_points(qr/./, @$client));
done_testing;
