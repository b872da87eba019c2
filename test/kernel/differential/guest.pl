# Builds the device-mapper lines of /share/tasks in the kernel and does their requests: one process for all of them, since
# a command costs a tenth of a second in the guest. It talks to device-mapper as dmsetup does (linux/dm-ioctl.h), and reads
# and writes past the page cache. Only perl-base is needed.
#
# A task is fields between tabs; an answer is `CASE <tab> WHAT <tab> VALUE`, where a number is an errno and 0 is success.
#   case N                          everything of the case before is removed
#   key TYPE DESCRIPTION HEX        into the keyring
#   slice NAME IMAGE START LENGTH   a medium: these sectors of an image
#   lower FLAGS NAME LINE           a device below; it must come up
#   line FLAGS LINE                 the line that is compared. FLAGS: ro or rw
#   read OFFSET LENGTH RESULT       everything that can be read, to this place of the results; says which blocks cannot be
#   write OFFSET LENGTH POOL        with bytes from this place of the pool
#   zero|discard OFFSET LENGTH
#   flush
# No module: the guest's perl does not find them.
my ($DIRECT, $BUFFER_SIZE, $POOL_SIZE) = (0x4000, 4 << 20, 1 << 20);
my $REQUEST = qr/^(?:read|write|zero|discard|flush)$/;

sub memory { my $at = syscall(9, 0, $_[0], 3, 0x22, -1, 0); die "mmap: $!" if $at <= 0; $at }
my ($buffer, $pool) = (memory($BUFFER_SIZE), memory($POOL_SIZE));

open(my $control, "+<", "/dev/mapper/control") or die "device-mapper: $!";
open(my $tasks, "<", "/share/tasks") or die "tasks: $!";
open(my $results, "+<", "/dev/img1") or die "results: $!";
open(my $random, "<", "/share/pool") or die "pool: $!";
syscall(17, fileno $random, $pool, $POOL_SIZE, 0) == $POOL_SIZE or die "pool: $!";

my ($case, $major, @made, %minor, $device, $block);

sub answer { print join("\t", $case, @_), "\n" }

# One request to device-mapper; what it answered, or undef and $!.
sub dm {
  my ($number, $name, $flags, @targets) = @_;
  my $data = "";
  for (@targets) {
    my $text = "$_->[3]\0";
    $text .= "\0" x (-length($text) % 8);
    $data .= pack("QQlLa16", @$_[0, 1], 0, 40 + length $text, $_->[2]) . $text;
  }
  my $size = 312 + length($data) + 65536;
  my $request = pack("L3LLLlLLLQa128a129x7", 4, 0, 0, $size, 312, scalar @targets, 0, $flags, 0, 0, 0, $name, "");
  $request .= $data . "\0" x 65536;
  return ioctl($control, 0xC138FD00 | $number, $request) ? $request : undef;
}

sub remove { my $name = pop @made; dm(4, $name, 0) or die "case $case: remove $name: $!\n" }

# A word with the name of a device of the case, alone or behind meta_device, as the kernel takes it.
sub operand {
  my ($before, $name) = $_[0] =~ /^(meta_device:|)(.*)$/s;
  return exists $minor{$name} ? "$before/dev/dm-$minor{$name}" : $_[0];
}

# 0, or the errno of what the kernel refused.
sub create {
  my ($name, $flags, $line) = @_;
  my ($start, $length, $type, $args) = split / /, $line, 4;
  $args = join " ", map { operand($_) } split / /, $args // "", -1;
  my $full = "$case.$name";
  my $made = dm(3, $full, 0) or die "case $case: create $name: $!\n";
  push @made, $full;
  my $number = unpack "Q", substr $made, 40, 8;
  $minor{$name} = ($number & 0xff) | (($number >> 12) & 0xfff00);
  $major = ($number >> 8) & 0xfff;
  my $is_read_only = $flags eq "ro" ? 1 : 0;
  return 0 if dm(9, $full, $is_read_only, [$start, $length, $type, $args]) and dm(6, $full, 0);
  my $error = $! + 0;
  remove();
  return $error;
}

# The line as the kernel has it, with the names of the case for device numbers.
sub table {
  my $answer = dm(12, "$case.x", 16) or die "case $case: table: $!\n";
  my ($start, $length, $type) = (unpack "QQlLa16", substr $answer, 312)[0, 1, 4];
  my $args = unpack "Z*", substr $answer, 352;
  my %name = map { ("$major:$minor{$_}" => $_) } keys %minor;
  $args =~ s/(?<!\S)(meta_device:|)(\d+:\d+)(?!\S)/$1 . ($name{$2} \/\/ $2)/ge;
  $type =~ s/\0.*//s;
  return join " ", $start, $length, $type, length $args ? $args : ();
}

# Until all tags are calculated: how far that is stands last in the status of a line.
sub await_tags {
  for (1 .. 500) {
    my $answer = dm(12, "$case.x", 0) or die "case $case: status: $!\n";
    my ($size, $done) = (split / /, unpack "Z*", substr $answer, 352)[1, 2];
    return if $done eq "-" or $done == $size;
    select undef, undef, undef, 0.01;
  }
  die "case $case: the tags are never calculated\n";
}

sub open_line {
  my ($flags) = @_;
  sysopen($device, "/dev/dm-$minor{x}", $DIRECT | ($flags eq "ro" ? 0 : 2)) or die "case $case: open: $!\n";
  my ($size, $unit) = ("\0" x 8, "\0" x 4);
  ioctl($device, 0x80081272, $size) or die "size: $!";
  ioctl($device, 0x1268, $unit) or die "block size: $!";
  $block = unpack "l", $unit;
  answer("geometry", unpack("Q", $size) . " $block");
}

sub read_at {
  my ($offset, $length) = @_;
  return syscall(17, fileno $device, $buffer, $length, $offset) == $length;
}

sub keep { syscall(18, fileno $results, $buffer, $_[0], $_[1]) == $_[0] or die "results: $!" }

sub read_all {
  my ($offset, $length, $result) = @_;
  my @bad;
  if (read_at($offset, $length)) { keep($length, $result) }
  else {
    for (my $at = 0; $at < $length; $at += $block) {
      if (read_at($offset + $at, $block)) { keep($block, $result + $at) } else { push @bad, $offset + $at }
    }
  }
  answer("read", join ",", @bad);
}

sub request { my ($number, $range) = @_; ioctl($device, $number, $range) ? 0 : $! + 0 }

my %run = (
  case => sub { finish(); $case = $_[0]; %minor = () },
  key => sub {
    my ($type, $name, $hex) = @_;
    my $bytes = pack "H*", $hex;
    syscall(248, $type, $name, $bytes, length $bytes, -5) > 0 or die "case $case: key: $!\n";
  },
  slice => sub {
    my ($name, $image, $start, $length) = @_;
    my $error = create($name, "rw", "0 $length linear /dev/img$image $start");
    die "case $case: medium: $error\n" if $error;
  },
  lower => sub {
    my ($flags, $name, $line) = @_;
    my $error = create($name, $flags, $line);
    die "case $case: refused below, $error: $line\n" if $error;
  },
  line => sub {
    my ($flags, $line) = @_;
    my $error = create("x", $flags, $line);
    answer("line", $error);
    return if $error;
    answer("table", table());
    await_tags() if $line =~ / (?:reset_)?recalculate\b/;
    open_line($flags);
  },
  read => \&read_all,
  write => sub {
    my ($offset, $length, $from) = @_;
    my $done = syscall(18, fileno $device, $pool + $from, $length, $offset);
    answer("write", $done == $length ? 0 : $done < 0 ? $! + 0 : 5);
  },
  zero => sub { answer("zero", request(0x127f, pack "QQ", @_)) },
  discard => sub { answer("discard", request(0x1277, pack "QQ", @_)) },
  flush => sub { answer("flush", syscall(74, fileno $device) == 0 ? 0 : $! + 0) },
);

sub finish {
  close $device if $device;
  $device = undef;
  remove() while @made;
}

while (my $task = <$tasks>) {
  chomp $task;
  my ($what, @fields) = split /\t/, $task, -1;
  # Requests to a line that the kernel refused are not done.
  next if !$device and $what =~ $REQUEST;
  # syscall takes the address of what was never a number.
  @fields = map { $_ + 0 } @fields if $what =~ $REQUEST;
  $run{$what}->(@fields);
}
finish();
close $results or die "results: $!";
print "done\n";
