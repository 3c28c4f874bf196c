import { execFileSync } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { bindConflicts } from './bind-conflicts.ts';
import type { ConfigProblem } from './config-error.ts';
import { duplicatedParts } from './duplicated-parts.ts';
import type { Finding } from './findings.ts';
import type { ListenAddress } from './listen-address.ts';
import { toProblem } from './load.ts';
import { readOverrides } from './overrides.ts';
import { sampleProblem } from './sample-expression.ts';
import type { Settings } from './settings.ts';
import { readYaml } from './yaml-file.ts';

/** Folders that the systemd units create at startup: it is not an error if they are missing before. */
export const UNIT_FOLDERS = ['/run/haverdict', '/var/lib/haverdict', '/var/lib/haproxy/run/haverdict'] as const;

/** Problems of this host with a configuration that is valid in itself. */
export interface HostReport {
  readonly problems: readonly ConfigProblem[];
  /** Problems that may be gone once the agent starts. */
  readonly warnings: readonly ConfigProblem[];
}

interface HostFinding extends Finding {
  readonly isWarning?: boolean;
}

/**
 * Looks for the folders, files and accounts of the settings on this host, for names that HAProxy may not know, and for
 * messages that a client can make too large.
 */
export function checkHost(settings: Settings, path: string | undefined, env: NodeJS.ProcessEnv): HostReport {
  const file = path === undefined ? undefined : readYaml(path);
  const { overrides } = readOverrides(env);
  const findings = findingsOn(settings, path);
  const problems = (isWarning: boolean) =>
    findings
      .filter((finding) => (finding.isWarning ?? false) === isWarning)
      .map((finding) => toProblem(finding, file, overrides));
  return { problems: problems(false), warnings: problems(true) };
}

function findingsOn(settings: Settings, configuration: string | undefined): HostFinding[] {
  const { listen, admin, cache, updates, script } = settings;
  return [
    ...listen.flatMap((address, index) => socketFindings(address, ['listen', index])),
    ...(admin.listen === undefined ? [] : socketFindings(admin.listen, ['admin', 'listen'])),
    ...(admin.socket === undefined ? [] : folderOf(admin.socket, ['admin', 'socket'])),
    ...fileFindings(cache.file, ['cache', 'file'], [configuration, script]),
    ...fileFindings(updates.file, ['updates', 'file'], [configuration, script]),
    ...bindConflicts(settings, resolved),
    ...unknownSamples(settings),
    ...largeMessages(settings),
  ];
}

/** A warning, since only a long request triggers it. */
function largeMessages({ messages }: Settings): HostFinding[] {
  return messages.flatMap((settings) =>
    duplicatedParts(settings).map(({ place, message }) => ({
      ...wrong(['messages', settings.name, ...place], message),
      isWarning: true,
    })),
  );
}

/** A warning, since a newer HAProxy may have the name; HAProxy itself rejects unknown names. */
function unknownSamples({ messages, haproxy }: Settings): HostFinding[] {
  return messages.flatMap((message) => {
    const subjects = message.subjects.map(({ kind, expression }) => ({ place: ['subjects', kind], expression }));
    const given = message.arguments.map(({ name, expression }) => ({ place: ['arguments', name], expression }));
    return [...subjects, ...given].flatMap(({ place, expression }) => {
      const problem = sampleProblem(expression, haproxy.version);
      if (problem === undefined) return [];
      return [{ ...wrong(['messages', message.name, ...place], problem.message), isWarning: true }];
    });
  });
}

function socketFindings(address: ListenAddress, path: readonly PropertyKey[]): HostFinding[] {
  if (address.type !== 'unix') return [];
  const { owner, group } = address;
  return [
    ...folderOf(address.path, path, 'unix'),
    ...(owner === undefined ? [] : accountFindings('passwd', owner, [...path, 'owner'])),
    ...(group === undefined ? [] : groupFindings(group, [...path, 'group'])),
  ];
}

function folderOf(file: string, path: readonly PropertyKey[], key?: string): HostFinding[] {
  const folder = resolved(dirname(file));
  const place = key === undefined ? path : [...path, key];
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return [];
  if (found !== undefined) return [wrong(place, `must be in a folder, but ${folder} is not a folder`)];
  if (UNIT_FOLDERS.some((made) => made === folder))
    return [
      { ...wrong(place, `the folder ${folder} does not exist yet; its systemd unit creates it`), isWarning: true },
    ];
  return [wrong(place, `must be in an existing folder, but ${folder} does not exist`)];
}

/** A file that the agent writes. */
function fileFindings(
  file: string | undefined,
  path: readonly PropertyKey[],
  others: readonly (string | undefined)[],
): HostFinding[] {
  if (file === undefined) return [];
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    return [wrong(path, `must be a file, but ${file} is a folder`)];
  const taken = others.find((other) => other !== undefined && resolved(other) === resolved(file));
  if (taken !== undefined)
    return [wrong(path, `must be a file of its own, but ${file} is already the configuration or the script`)];
  const missing = folderOf(file, path);
  return missing.length > 0 ? missing : unwritable(dirname(file), path);
}

/** A warning, since the agent may run as another user. */
function unwritable(folder: string, path: readonly PropertyKey[]): HostFinding[] {
  try {
    accessSync(folder, constants.W_OK);
    return [];
  } catch {
    const message = `${userInfo().username} cannot write to ${folder}; haverdict.service can write to ${UNIT_FOLDERS[1]}`;
    return [{ ...wrong(path, message), isWarning: true }];
  }
}

/** A warning, since the agent may run as another user, and sockets opened by systemd need no group membership. */
function groupFindings(group: string, path: readonly PropertyKey[]): HostFinding[] {
  const missing = accountFindings('group', group, path);
  if (missing.length > 0 || process.getuid?.() === 0 || ownGroups().includes(group)) return missing;
  const message = `${userInfo().username} is not a member of group ${group} and cannot assign the socket to it: set SupplementaryGroups=${group} in the systemd unit, or use haverdict.socket`;
  return [{ ...wrong(path, message), isWarning: true }];
}

/** The groups of this process, by ID and by name. */
function ownGroups(): string[] {
  return ['-G', '-Gn'].flatMap((which) => execFileSync('id', [which], { encoding: 'utf8' }).trim().split(' '));
}

/** getent reads all configured databases, not only /etc. A numeric ID needs no account. */
function accountFindings(database: 'passwd' | 'group', name: string, path: readonly PropertyKey[]): HostFinding[] {
  if (/^\d+$/.test(name)) return [];
  try {
    execFileSync('getent', [database, '--', name], { stdio: 'ignore' });
    return [];
  } catch {
    return [
      wrong(path, `must be a ${database === 'passwd' ? 'user' : 'group'} of this host, but "${name}" does not exist`),
    ];
  }
}

/** The path without symbolic links, as far as it exists. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(resolved(folder), basename(path));
  }
}

function wrong(path: readonly PropertyKey[], message: string): HostFinding {
  return { path, part: 'value', message };
}
