import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Unpacked, unpackedEnvironment, unpackedPath } from '../../dev/debian-packages.ts';
import { NEWER_SUITES, type NewerSuite, newerBuild, systemBuild } from '../../dev/haproxy-builds.ts';
import { APACHE, DYNOXIDE, NGINX, PROMTOOL } from '../../dev/test-tools.ts';
import { CHROMIUM } from './chromium.ts';
import type { Scope } from './scope.ts';

/** What the tests of a scope run against, each with its version. */
export function versions(scope: Scope): string[] {
  const newer = (Object.keys(NEWER_SUITES) as NewerSuite[]).map(
    (suite) => newerBuild(suite)?.release ?? `none of ${suite}`,
  );
  const haproxys = [...(scope === 'newer' ? [] : [systemBuild().release]), ...(scope === 'usual' ? [] : newer)];
  return [
    `HAProxy ${haproxys.join(' and ')}`,
    `Node ${process.versions.node}`,
    ...(scope === 'newer' ? [] : [`dynalite ${dynaliteVersion()}`]),
    ...(scope === 'usual'
      ? []
      : [
          `Dynoxide ${told(DYNOXIDE, '--version')}`,
          `Chromium ${told(CHROMIUM ?? 'chromium', '--version')}`,
          `promtool ${told(PROMTOOL, '--version')}`,
          `nginx ${toldUnpacked(NGINX, 'usr/sbin/nginx')}`,
          `Apache ${toldUnpacked(APACHE, 'usr/sbin/apache2')}`,
        ]),
  ];
}

function dynaliteVersion(): string {
  const main = createRequire(import.meta.url).resolve('dynalite');
  return (JSON.parse(readFileSync(join(dirname(main), 'package.json'), 'utf8')) as { version: string }).version;
}

function toldUnpacked(unpacked: Unpacked, path: string): string {
  return told(unpackedPath(unpacked, path), '-v', unpackedEnvironment(unpacked));
}

function told(program: string, flag: string, env = process.env): string {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8', env });
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'not here';
}
