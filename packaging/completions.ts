import { spawnSync } from 'node:child_process';

const PATHS = {
  bash: '/usr/share/bash-completion/completions/haverdict',
  zsh: '/usr/share/zsh/vendor-completions/_haverdict',
  fish: '/usr/share/fish/vendor_completions.d/haverdict.fish',
} as const;

/** The completion script of each shell, and its path. */
export function completions(program: string): { path: string; text: string }[] {
  return Object.entries(PATHS).flatMap(([shell, path]) => {
    const { status, stdout } = spawnSync(process.execPath, [program, 'completion', shell], { encoding: 'utf8' });
    return status === 0 ? [{ path, text: stdout }] : [];
  });
}
