import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { until } from './until.ts';

/**
 * Binds a unix datagram socket and prints each datagram in hexadecimal. Descriptors that come with one are not taken, so the
 * kernel closes them: that is what systemd's barrier waits for. In Perl, which every Debian has and which knows datagrams.
 */
const RECEIVER = `
use IO::Socket::UNIX;
$| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$ARGV[0]: $!";
print "\\n";
while (defined $socket->recv(my $datagram, 65536)) {
  print unpack('H*', $datagram), "\\n" if $datagram ne 'BARRIER=1';
}
`;

/** A service manager that only listens. */
export interface NotifySocket {
  readonly path: string;
  /** Each datagram, in order. */
  readonly told: readonly string[];
}

export async function openNotifySocket(t: TestContext): Promise<NotifySocket> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-notify-'));
  const path = join(folder, 'notify.sock');
  const receiver = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => {
    receiver.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const told: string[] = [];
  createInterface(receiver.stdout).on('line', (line) => told.push(Buffer.from(line, 'hex').toString()));
  await until(
    () => told.length > 0,
    () => 'the receiver did not start',
  );
  told.shift();
  return { path, told };
}
