import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a command in a terminal; as soon as the output has a text, it is closed, or the command alone gets SIGINT. */
const TERMINAL = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[3], sys.argv[3:])
seen = b''
while sys.argv[1].encode() not in seen: seen += os.read(terminal, 4096)
if sys.argv[2] == 'closed': os.close(terminal)
else:
  os.kill(pid, signal.SIGINT)
  try:
    while os.read(terminal, 4096): pass
  except OSError: pass
os.waitpid(pid, 0)
`;

/**
 * What a command leaves behind when its terminal is closed, or it alone is interrupted, once it has said a text: its
 * temporary files, and processes with its environment.
 */
export function leftBy(
  command: readonly string[],
  after: string,
  how: 'closed' | 'interrupted' = 'closed',
): { files: string[]; processes: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'closed-terminal-'));
  try {
    const { status, stderr } = spawnSync('python3', ['-c', TERMINAL, after, how, ...command], {
      // the npm that runs the tests is silent, and one within it would be too
      env: { ...process.env, TMPDIR: folder, NODE_DISABLE_COMPILE_CACHE: '1', npm_config_loglevel: 'notice' },
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (status !== 0) throw new Error(`"${after}" did not come: ${stderr}`);
    return { files: readdirSync(folder), processes: globSync('/proc/[0-9]*/environ').filter(has(`TMPDIR=${folder}`)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function has(variable: string): (file: string) => boolean {
  return (file) => {
    try {
      return readFileSync(file, 'utf8').split('\0').includes(variable);
    } catch {
      return false; // it has ended, or is another user's
    }
  };
}
