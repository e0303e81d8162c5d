# The server, from the switch to the end of the clean-up: at every point each kind of fault.
use strict;
use warnings;
use Test::More;
use Faults;

set_up();
my ($server) = points();
visit_all('server', wanted_points(qr/^(switch|COMMIT|refresh|clean-up)/, @$server));
done_testing;
