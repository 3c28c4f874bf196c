import { spawnSync } from 'node:child_process';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** What HAProxy says of these files, its warnings included; where it refuses them, an error with its words. */
export function checkedByHaproxy(program: string, files: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, ['-c', ...files.flatMap((file) => ['-f', file])], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (error !== undefined)
    throw new CliError(EXIT.failed, `${program} cannot be run: --haproxy-program names it: ${String(error)}`, {
      cause: error,
    });
  const said = `${stdout}${stderr}`.replace(/^Configuration file is valid\n/m, '').trimEnd();
  if (status !== 0) throw new CliError(EXIT.failed, `nothing was replaced: haproxy -c refuses the result\n${said}`);
  return said;
}
