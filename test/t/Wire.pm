# A wire to a cluster that can be cut: a socket of our own, each connection passed on by a process of its own.
#
#   my $wire = Wire->new($uat);   $wire->dsn('app')
#   $wire->cut       connections that are there end, without a word to either side; new ones are passed on
#   $wire->close     no new ones either;  $wire->open  again
#   Wire->new($uat, sub { s/15/12/ })    a server that says something else: what it sends passes through that, in $_
package Wire;
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Prodsync;

sub new
{
	my ($class, $cluster, $says) = @_;
	my $self = bless { folder => Prodsync::folder(), to => "$cluster->{host}/.s.PGSQL.5432", says => $says }, $class;
	$self->{path} = "$self->{folder}/.s.PGSQL.5432";
	$self->open;
	return $self;
}
sub dsn { my ($self, $db) = @_; return "host=$self->{folder} port=5432 user=postgres dbname=$db" }

sub open
{
	my ($self) = @_;
	unlink $self->{path};
	my $listener = IO::Socket::UNIX->new(Local => $self->{path}, Listen => 20) or die "$self->{path}: $!";
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid}) { close $listener; return }
	$SIG{CHLD} = 'IGNORE';
	my @passing;
	# Asked to cut: ends those who pass on.
	$SIG{USR1} = sub { kill 'KILL', splice @passing };
	while (1) {
		my $client = $listener->accept or next;
		my $pid = fork // POSIX::_exit(1);
		if ($pid) { push @passing, $pid; close $client; next }
		pass_on($client, IO::Socket::UNIX->new(Peer => $self->{to}) || POSIX::_exit(1), $self->{says});
		POSIX::_exit(0);
	}
}
sub pass_on
{
	my ($client, $server, $says) = @_;
	my $both = IO::Select->new($client, $server);
	while (1) {
		for my $from ($both->can_read) {
			my $to = $from == $client ? $server : $client;
			sysread($from, my $bytes, 65536) or return;
			if ($says && $from == $server) { $says->() for $bytes }
			while (length $bytes) { my $n = syswrite($to, $bytes) // return; substr $bytes, 0, $n, '' }
		}
	}
}
sub cut { my ($self) = @_; kill 'USR1', $self->{pid}; return }
sub close { my ($self) = @_; my $pid = delete $self->{pid} or return; unlink $self->{path}; kill 'KILL', $pid; waitpid $pid, 0; return }
sub DESTROY { my ($self) = @_; local ($?, $!); $self->cut if $self->{pid}; $self->close; return }

1;
