import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { loadSettings } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { freePort } from '../../dev/free-port.ts';
import { SPOE_FILE, startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { examine, type Finding } from '../../haproxy/doctor/doctor.ts';
import { readInstallation } from '../../haproxy/doctor/installation.ts';
import { markedSpoeFile, missingParts, partFor, SPOE_PART } from '../../haproxy/generate/fragment.ts';
import { readMarks, withParts } from '../../haproxy/generate/marks.ts';
import { startAgents } from './agents.ts';
import { type Origin, startOrigin } from './origin.ts';
import { startTableFunction, type TableFunction } from './table-function.ts';

const EXAMPLES = join(import.meta.dirname, '../../docs/examples/haproxy');
/** The folder that the examples name. */
const NAMED_FOLDER = '/etc/haproxy';
/** Where the files of others are that the examples name in their places. */
const OTHER_AGENTS = join(import.meta.dirname, 'other-agents');
/** So long that no machine is too busy to answer. */
const DEADLINE_MS = 10_000;

/** A documented configuration with the wiring in its places, for this machine. */
export interface Example {
  readonly name: string;
  readonly settings: Settings;
  readonly configPath: string;
  readonly config: string;
  /** Where HAProxy listens for what the example binds at this port. */
  port(written: number): number;
}

export interface ExampleSites {
  readonly examples: ReadonlyMap<string, Example>;
  readonly table: TableFunction;
  readonly origin: Origin;
  stop(): Promise<void>;
}

export interface ExampleOptions {
  readonly build: HaproxyBuild;
  readonly names: readonly string[];
  /** What the lists of trusted proxies hold here. */
  readonly trusted: string;
  /** The ports of agents of others, by the name of their server. */
  readonly others: Readonly<Record<string, number>>;
  /** The folder of their folders; by default that of the documented ones. */
  readonly root?: string;
  /** Writes files that an example names into its folder. */
  readonly prepare?: (folder: string) => void;
}

export const EXAMPLE_NAMES = globSync('*/haproxy.cfg', { cwd: EXAMPLES }).map((path) => path.split('/')[0] ?? '');

/** Starts these examples: one HAProxy each, their agents in one process, one function and one server for all. */
export async function startExamples(options: ExampleOptions): Promise<ExampleSites> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-examples-'));
  const [table, origin] = await Promise.all([startTableFunction(), startOrigin('app')]);
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.reverse()) await one();
    await Promise.all([table.close(), origin.close()]);
    rmSync(folder, { recursive: true });
  };
  try {
    const examples = await Promise.all(
      options.names.map((name) => exampleIn(join(folder, name), name, options, table.url, origin.port)),
    );
    const agents = await startAgents(examples.map(({ name }) => join(folder, name, 'haverdict.yaml')));
    stops.push(agents.stop);
    for (const { config } of examples) {
      const haproxy = await startHaproxy({ config, binary: options.build.binary });
      stops.push(haproxy.stop);
    }
    return { examples: new Map(examples.map((example) => [example.name, example])), table, origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function exampleIn(
  folder: string,
  name: string,
  { build, trusted, others, root = EXAMPLES, prepare }: ExampleOptions,
  url: string,
  originPort: number,
): Promise<Example> {
  mkdirSync(folder);
  prepare?.(folder);
  const yaml = parse(readFileSync(join(root, name, 'haverdict.yaml'), 'utf8'));
  const settings = loadHere(folder, {
    ...yaml,
    ...{ deadlineMs: DEADLINE_MS, listen: [{ unix: join(folder, 'agent.sock') }] },
    ...{ backend: { url, timeoutMs: DEADLINE_MS }, haproxy: { ...yaml.haproxy, version: build.version } },
  });
  for (const list of globSync('*.lst', { cwd: join(root, name) })) writeFileSync(join(folder, list), `${trusted}\n`);
  for (const file of globSync('*.cfg', { cwd: OTHER_AGENTS }))
    writeFileSync(join(folder, file), readFileSync(join(OTHER_AGENTS, file)));
  const spoePath = join(folder, SPOE_FILE);
  writeFileSync(spoePath, markedSpoeFile(settings));
  const ports = new Map<number, number>();
  const written = readFileSync(join(root, name, 'haproxy.cfg'), 'utf8');
  for (const [, at] of written.matchAll(/^ {4}bind \S*:(\d+)/gm)) ports.set(Number(at), await freePort());
  const here = written
    .replaceAll(`${NAMED_FOLDER}/`, `${folder}/`)
    .replace(/^( {4}bind )\S*:(\d+)/gm, (_, bind, at) => `${bind}127.0.0.1:${ports.get(Number(at))}`)
    .replace(/^( {4}server (\S+) )\S+/gm, (_, start, server) => `${start}127.0.0.1:${others[server] ?? originPort}`)
    .replace(/\/var\/lib\/\S+\.html/g, (path) => page(folder, path));
  const config = filled(here, settings, spoePath);
  const configPath = join(folder, 'haproxy.cfg');
  writeFileSync(configPath, config);
  return { name, settings, configPath, config, port: (at) => ports.get(at) ?? 0 };
}

function loadHere(folder: string, configuration: object): Settings {
  const file = join(folder, 'haverdict.yaml');
  writeFileSync(file, JSON.stringify(configuration)); // JSON is YAML
  return loadSettings(file, {});
}

/** A page of another agent's package, which HAProxy reads when it starts. */
function page(folder: string, path: string): string {
  const here = join(folder, basename(path));
  if (!existsSync(here)) writeFileSync(here, 'page\n');
  return here;
}

/** With each part where its marks are, and none missing, as `haverdict wiring --into` does it. */
export function filled(text: string, settings: Settings, spoePath: string): string {
  const { parts, broken } = readMarks(text);
  assert.deepEqual(broken, []);
  assert.deepEqual(missingParts(settings, new Set([SPOE_PART, ...parts.map(({ name }) => name)])), []);
  return withParts(
    text,
    parts.map((found) => ({ found, part: partFor(found, settings, spoePath) })),
  );
}

/** What the doctor finds in it. */
export function findingsIn({ settings, configPath, config }: Example): Finding[] {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  const isSocket = (path: string) => statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  return examine(readInstallation(settings, [{ file: configPath, text: config }], { read, isSocket }));
}
