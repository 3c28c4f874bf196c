import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of a Containerfile, a line each: comments are dropped, and continued lines joined. */
export function instructionsOf(file: string): Instruction[] {
  return readFileSync(file, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, rest };
    });
}

/** Of Debian's packages that each image of Debian has (coreutils, dash, libc-bin): what a RUN line or the agent may use. */
const PROGRAMS = 'sh env ln install mkdir chown chmod cp mv rm touch cat id test getent'.split(' ');
const NODE = '/usr/local/bin/node';
/** As the images of Node have them. */
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n';
const GROUP = 'root:x:0:\nnode:x:1000:\n';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEVICES = ['null', 'zero', 'random', 'urandom'];

/** One stage while it is played. */
interface Stage {
  readonly root: string;
  readonly env: Record<string, string>;
  folder: string;
  user: string;
  entrypoint: readonly string[];
  cmd: readonly string[];
  healthcheck: readonly string[];
}

/**
 * What a Containerfile makes, played into a folder: each COPY, RUN, ENV and USER as it stands. The base image is not at
 * hand, so its place is taken by this system's libc with a few programs, this Node, and the accounts of Node's images; nor
 * is a registry asked, so `npm ci` brings the packages of this checkout. It needs root, for chroot and namespaces.
 */
export class ContainerImage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'haverdict-image-'));
  readonly #stage: Stage;

  constructor(file: string) {
    const stages = new Map<string, Stage>();
    const base = join(this.#folder, 'base');
    writeBase(base);
    let stage: Stage | undefined;
    for (const { name, rest } of instructionsOf(file)) {
      if (name === 'ARG') continue;
      if (name === 'FROM') {
        const [, title = `${stages.size}`] = / AS (\S+)$/i.exec(rest) ?? [];
        stage = newStage(join(this.#folder, title), base);
        stages.set(title, stage);
      } else if (stage === undefined) throw new Error(`${name} stands before FROM`);
      else play(stage, name, rest, stages);
    }
    if (stage === undefined) throw new Error(`${file} has no FROM`);
    this.#stage = stage;
  }

  get root(): string {
    return this.#stage.root;
  }

  /** Starts what the image starts, as its user, with processes, network and mounts of its own. */
  start(env: Readonly<Record<string, string>>): Container {
    const { entrypoint, cmd } = this.#stage;
    return new Container(this.#stage, [...entrypoint, ...cmd], env);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A running image. */
export class Container {
  readonly #stage: Stage;
  readonly process;

  constructor(stage: Stage, command: readonly string[], env: Readonly<Record<string, string>>) {
    this.#stage = stage;
    const { root } = stage;
    const devices = DEVICES.map((device) => `mount --bind /dev/${device} ${root}/dev/${device}`);
    const script = ['set -e', 'ip link set lo up', `mount -t proc proc ${root}/proc`, ...devices, 'exec "$@"'].join(
      '\n',
    );
    const inside = enter(stage, { ...stage.env, ...env }, command);
    this.process = spawn(
      'unshare',
      ['--mount', '--net', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh', ...inside],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } },
    );
  }

  /** The first process of the container, by its number outside. */
  get pid(): number {
    const { pid } = this.process;
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return Number(first);
  }

  get userId(): number {
    return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]);
  }

  /** The HEALTHCHECK of the image. */
  isWell(): boolean {
    return this.exec(this.#stage.healthcheck).status === 0;
  }

  /** Another process inside, as `podman exec` starts it. */
  exec(command: readonly string[]): {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const namespaces = ['-t', String(this.pid), '--mount', '--net', '--pid'];
    return spawnSync('nsenter', [...namespaces, ...enter(this.#stage, this.#stage.env, command)], { encoding: 'utf8' });
  }
}

function enter(
  { root, user, folder }: Stage,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): string[] {
  const variables = Object.entries({ PATH, ...env }).map(([name, value]) => `${name}=${value}`);
  return ['chroot', `--userspec=${user}`, root, 'env', '-i', '-C', folder, ...variables, ...command];
}

function newStage(root: string, base: string): Stage {
  execFileSync('cp', ['-al', base, root]); // links: the program of Node is large
  return { root, env: {}, folder: '/', user: 'root', entrypoint: [], cmd: [], healthcheck: [] };
}

function play(stage: Stage, name: string, rest: string, stages: ReadonlyMap<string, Stage>): void {
  switch (name) {
    case 'WORKDIR':
      stage.folder = rest;
      mkdirSync(join(stage.root, rest), { recursive: true });
      return;
    case 'COPY':
      copy(stage, rest, stages);
      return;
    case 'RUN':
      run(stage, rest);
      return;
    case 'ENV':
      for (const pair of rest.split(/\s+/)) {
        const [key = '', ...value] = pair.split('=');
        stage.env[key] = value.join('=');
      }
      return;
    case 'USER':
      stage.user = rest;
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest);
      return;
    case 'CMD':
      stage.cmd = JSON.parse(rest);
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('CMD ') + 4));
      return;
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return;
    default:
      throw new Error(`${name} is played by nobody here`);
  }
}

/** As an engine does it: a folder brings what is in it, the target is made, all belongs to root unless --chown says else. */
function copy(stage: Stage, rest: string, stages: ReadonlyMap<string, Stage>): void {
  const options = { from: { type: 'string' }, chown: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: rest.split(/\s+/), options, allowPositionals: true });
  const source = values.from === undefined ? ROOT : stages.get(values.from)?.root;
  if (source === undefined) throw new Error(`COPY --from=${values.from}: there is no such stage`);
  if (values.chown !== undefined) throw new Error('COPY --chown is played by nobody here');
  const to = positionals.at(-1) ?? '';
  const target = join(stage.root, to.startsWith('/') ? to : join(stage.folder, to));
  for (const from of positionals.slice(0, -1)) {
    const path = join(source, from);
    const into = to.endsWith('/') && !statSync(path).isDirectory() ? join(target, basename(from)) : target;
    mkdirSync(dirname(into), { recursive: true });
    cpSync(path, into, { recursive: true, verbatimSymlinks: true });
  }
}

function run(stage: Stage, script: string): void {
  if (script.startsWith('npm ci ')) {
    mkdirSync(join(stage.root, stage.folder, 'node_modules'));
    return;
  }
  // they are those of this checkout, and there for one command
  const packages = join(stage.root, stage.folder, 'node_modules');
  const mounts = existsSync(packages) ? [`mount --bind ${realpathSync(join(ROOT, 'node_modules'))} ${packages}`] : [];
  const before = ['set -e', `mount -t proc proc ${stage.root}/proc`, ...mounts, 'exec "$@"'].join('\n');
  const inside = enter(stage, stage.env, ['sh', '-c', script]);
  execFileSync('unshare', ['--mount', 'sh', '-c', before, 'sh', ...inside], { stdio: ['ignore', 'inherit', 'pipe'] });
}

function writeBase(root: string): void {
  const folders =
    'bin dev etc home/node lib lib64 proc root run sbin tmp usr/bin usr/lib usr/sbin usr/local/bin var/lib var/run';
  for (const folder of folders.split(' ')) mkdirSync(join(root, folder), { recursive: true });
  const programs = PROGRAMS.map((name) => [which(name), `/usr/bin/${name}`] as const);
  for (const [from, to] of [...programs, [realpathSync(process.execPath), NODE] as const]) {
    bring(root, from, to);
    for (const library of librariesOf(from)) bring(root, library, library);
  }
  symlinkSync('../usr/bin/sh', join(root, 'bin/sh'));
  writeFileSync(join(root, 'etc/passwd'), PASSWD);
  writeFileSync(join(root, 'etc/group'), GROUP);
  for (const device of DEVICES) writeFileSync(join(root, 'dev', device), '');
  chmodSync(root, 0o755);
  chmodSync(join(root, 'tmp'), 0o1777);
  chownSync(join(root, 'home/node'), 1000, 1000);
}

function bring(root: string, from: string, to: string): void {
  const target = join(root, to);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(from, target);
  chmodSync(target, 0o755);
}

function which(name: string): string {
  const place = ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (place === undefined) throw new Error(`this system has no ${name}`);
  return realpathSync(place);
}

function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
