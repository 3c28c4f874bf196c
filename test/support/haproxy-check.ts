import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WITHOUT_HTTP_CLIENT } from '../../dev/haproxy.ts';

/** Runs `haproxy -c` on the `haproxy.cfg` of a folder, whatever it says. */
export function haproxyCheck(binary: string, folder: string): SpawnSyncReturns<string> {
  writeFileSync(join(folder, 'first.cfg'), WITHOUT_HTTP_CLIENT);
  const args = ['-c', '-f', 'first.cfg', '-f', 'haproxy.cfg'];
  return spawnSync(binary, args, { cwd: folder, encoding: 'utf8' });
}
