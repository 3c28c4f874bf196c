import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A system with nothing but dpkg's own files, beside the one that this runs on. */
export class TestRoot {
  readonly path = mkdtempSync(join(tmpdir(), 'haverdict-root-'));

  constructor() {
    for (const folder of ['var/lib/dpkg/info', 'var/lib/dpkg/updates', 'var/log', 'etc/systemd/system', 'tmp'])
      mkdirSync(join(this.path, folder), { recursive: true });
    for (const file of ['var/lib/dpkg/status', 'var/lib/dpkg/available']) this.write(file, '');
    for (const file of ['passwd', 'group', 'shadow', 'gshadow']) this.write(`etc/${file}`, '');
  }

  /** Runs dpkg on this root alone: its maintainer scripts run outside, and are told with DPKG_ROOT where to work. */
  async dpkg(...args: readonly string[]): Promise<string> {
    const forced = '--force-not-root,script-chrootless,depends,confold,bad-path';
    const { stdout } = await run(
      'dpkg',
      [`--root=${this.path}`, `--log=${this.in('var/log/dpkg.log')}`, forced, ...args],
      {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      },
    );
    return stdout;
  }

  in(path: string): string {
    return join(this.path, path);
  }

  read(path: string): string {
    return readFileSync(this.in(path), 'utf8');
  }

  write(path: string, text: string): void {
    writeFileSync(this.in(path), text);
  }

  /** Everything in it that is named for the package, outside of dpkg's own files. */
  traces(): string[] {
    const named = globSync('**/*haverdict*', { cwd: this.path }).filter((path) => !path.startsWith('var/lib/dpkg/'));
    const accounts = ['passwd', 'group', 'shadow', 'gshadow'].filter((file) =>
      /haverdict/.test(this.read(`etc/${file}`)),
    );
    return [...named, ...accounts.map((file) => `a line in etc/${file}`)].sort();
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
