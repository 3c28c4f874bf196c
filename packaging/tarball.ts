import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Where it is unpacked: systemd, man and the shells look there, too. */
const PREFIX = '/usr/local';

/** Starts the program with the Node beside it, from wherever both are. */
const LAUNCHER = `#!/bin/sh
lib=$(dirname "$(readlink -f "$0")")/../lib/haverdict
exec "$lib/node" "$lib/cli/main.js" "$@"
`;

/** Makes a tarball for hosts without dpkg from a built Debian package; returns its path. */
export function tarballOf(deb: string, epochSeconds: number): string {
  const name = basename(deb, '.deb').replace(/_/g, '-');
  const work = `${deb}.tarball`;
  const tree = join(work, name);
  try {
    mkdirSync(work, { recursive: true });
    execFileSync('dpkg-deb', ['-x', deb, join(work, 'root')]);
    renameSync(join(work, 'root/usr'), tree);
    rmSync(join(tree, 'bin/haverdict'));
    writeFileSync(join(tree, 'bin/haverdict'), LAUNCHER);
    chmodSync(join(tree, 'bin/haverdict'), 0o755);
    cpSync(join(work, 'root/etc/haverdict/haverdict.yaml'), join(tree, 'share/haverdict/haverdict.yaml'));
    for (const file of ['share/haverdict/haverdict.yaml', 'lib/systemd/system/haverdict.service'])
      moved(join(tree, file), /\/usr\/(?=share\/haverdict|bin\/haverdict)/g);
    mkdirSync(join(tree, 'share/zsh/site-functions'));
    renameSync(
      join(tree, 'share/zsh/vendor-completions/_haverdict'),
      join(tree, 'share/zsh/site-functions/_haverdict'),
    );
    rmSync(join(tree, 'share/zsh/vendor-completions'), { recursive: true });
    const tarball = join(deb, '..', `${name}.tar.gz`);
    const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX']; // whatever the umask is
    const same = ['--sort=name', `--mtime=@${epochSeconds}`, ...owner];
    execFileSync('tar', [...same, '-I', 'gzip -n', '-cf', tarball, '-C', work, name]);
    return tarball;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function moved(file: string, paths: RegExp): void {
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(paths, `${PREFIX}/`));
}
