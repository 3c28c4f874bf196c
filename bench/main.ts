import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { relative } from 'node:path';
import { typedOptions } from '../dev/typed-options.ts';
import { type AgentRun, measureAgents } from './agents.ts';
import { measureCalls } from './calls.ts';
import { type HaproxyRun, measureHaproxy } from './haproxy.ts';
import { measureHostile } from './hostile.ts';
import { measureMemory } from './memory.ts';
import { measureMirror } from './mirror.ts';
import { type MirrorLoadRun, measureMirrorLoads } from './mirror-load.ts';
import type { PoolOptions } from './notify-pool.ts';
import { measureGrowth } from './parser-growth.ts';
import { measureParts } from './parts.ts';
import { measureChanges } from './updates.ts';
import { measurePages } from './updates-page.ts';
import { measureSpread } from './worker-spread.ts';

const SECTIONS = [
  'parts',
  'hostile',
  'growth',
  'agents',
  'spop',
  'spread',
  'haproxy',
  'memory',
  'calls',
  'pages',
  'updates',
  'mirror',
  'mirror-load',
] as const;
const HELP = `usage: npm run bench [-- OPTIONS]

Measures in turn, round after round, and prints medians.
  --only parts,hostile,growth,agents,spop,spread,haproxy,memory,calls,pages,updates,mirror,mirror-load
                                               instead of all of them
  --rounds 3          --seconds 1            of each run
  --family ipv4       or ipv6, mixed
  --shapes 16x20,1x1  connections × in flight, instead of all
  --rate 100000       agents: so many NOTIFYs a second in all, whatever comes back
  --against DIR       agents: the agent of that program too, with cli/main.js
  --cli MAIN,MAIN     memory: of these command lines in turn, instead of this checkout's
  --json FILE         every single run`;

const { values, number } = typedOptions('haverdict bench', {
  only: { type: 'string', default: SECTIONS.join() },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '1' },
  family: { type: 'string', default: 'ipv4' },
  shapes: { type: 'string', default: '1x1,16x1,16x4,16x20,64x16' },
  rate: { type: 'string', default: '0' },
  against: { type: 'string' },
  cli: { type: 'string', default: '' },
  json: { type: 'string' },
  help: { type: 'boolean' },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const rounds = number('rounds', { least: 1 });
const seconds = number('seconds', { whole: false });
const rate = number('rate');
const found: Record<string, unknown> = {};
const machine = `${cpus()[0]?.model ?? 'unknown processor'} × ${cpus().length}, Node ${process.version}`;
console.log(`${machine}, ${rounds} rounds of ${seconds} s`);

/** The daemon's agent, or agents of `createAgent`. */
async function measureShapes(isLibrary: boolean): Promise<AgentRun[]> {
  const runs = await measureAgents({
    family: values.family as PoolOptions['family'],
    shapes: values.shapes.split(',').map((shape) => shape.split('x').map(Number) as [number, number]),
    rounds,
    seconds,
    rate,
    against: values.against,
    isLibrary,
  });
  agentsTable(runs);
  return runs;
}

const SHOWN = {
  parts() {
    const parts = measureParts();
    table(['part', 'ns'], Object.entries(parts));
    return parts;
  },
  hostile() {
    const kinds = measureHostile();
    const tenths = (us: number) => us.toFixed(1);
    table(
      ['hostile values of', 'values', 'p50 µs', 'p99', 'most', 'by'],
      kinds.map((of) => [of.kind, of.values, tenths(of.p50Us), tenths(of.p99Us), tenths(of.mostUs), of.worst]),
    );
    return kinds;
  },
  async growth() {
    const parsers = await measureGrowth();
    table(
      ['parser', 'ms for 60,000 characters', 'times that of 15,000', 'with'],
      parsers.map(({ parser, mostMs, growth, worst }) => [parser, mostMs.toFixed(1), growth.toFixed(1), worst]),
    );
    return parsers;
  },
  agents: () => measureShapes(false),
  spop: () => measureShapes(true),
  async spread() {
    const spread = await measureSpread();
    table(
      ['by', 'workers', 'connections', 'share of the busiest', 'trials with an idle worker'],
      spread.map(({ by, workers, connections, busiest, idle }) => [by, workers, connections, busiest, idle]),
    );
    return spread;
  },
  async haproxy() {
    const runs = await measureHaproxy(rounds, seconds);
    table(
      ['HAProxy', 'guard', 'requests/s', 'of acl -f', 'HAProxy µs', 'agent µs', 'p50 ms', 'p99 ms'],
      haproxyRows(runs),
    );
    return runs;
  },
  async memory() {
    const clis = values.cli.split(',').filter((cli) => cli !== '');
    const memory = await measureMemory(clis, rounds, seconds);
    table(
      ['addresses', 'resident MB', 'peak', 'at the start', 'µs a lookup', 'cached p50 µs', 'p99 µs', 'command line'],
      memory.map(({ cli, state, residentMb, peakMb, emptyMb, lookupUs, p50Us, p99Us }) => {
        const figures = [residentMb, peakMb, emptyMb, lookupUs, p50Us, p99Us].map(Math.round);
        return [state, ...figures, relative('.', cli)];
      }),
    );
    return memory;
  },
  async calls() {
    const all = [];
    for (const [requestsPerSecond, zipf] of [
      [200, 1],
      [1000, 1],
      [5000, 1],
      [5000, 1.2],
    ] as const)
      all.push({ requestsPerSecond, zipf, ...(await measureCalls(requestsPerSecond, zipf)) });
    table(
      ['requests/s', 'Zipf exponent', 'lookups', 'calls'],
      all.map(({ requestsPerSecond, zipf, lookups, calls }) => [requestsPerSecond, zipf, lookups, calls]),
    );
    return all;
  },
  async pages() {
    const runs = await measurePages();
    table(
      ['page of', 'changes', 'KB', 'longest stretch to read, ms', 'to apply', 'all'],
      runs.map(({ kind, changes, kilobytes, readMs, applyMs, wholeMs }) => {
        return [kind, changes, kilobytes, readMs.toFixed(1), applyMs.toFixed(1), wholeMs.toFixed(1)];
      }),
    );
    return runs;
  },
  async updates() {
    const runs = await measureChanges();
    table(
      ['change by', 'changes', 'p50 ms', 'p99', 'longest'],
      runs.map(({ by, changes, p50, p99, longest }) => [by, changes, p50, p99, longest]),
    );
    return runs;
  },
  mirror() {
    const runs = (['ipv4', 'ipv6'] as const).map((family) => measureMirror(family, rounds));
    table(
      [
        'entries',
        'load ms',
        'longest slice',
        'MB',
        'sum anew ms',
        'cached ns',
        'mirror ns, half listed',
        'none listed',
        'half listed, and networks',
        'none listed, and networks',
      ],
      runs.map(({ entries, family, ...figures }) => [
        `${entries} ${family}`,
        ...Object.values(figures).map(Math.round),
      ]),
    );
    return runs;
  },
  async 'mirror-load'() {
    const runs: MirrorLoadRun[] = [];
    for (const family of ['ipv4', 'ipv6'] as const) runs.push(...(await measureMirrorLoads(family, rounds)));
    table(
      ['a million', 'load', 'ms', 'CPU ms', 'longest stall', 'of it at work', 'MB at most', 'MB afterwards'],
      [...Map.groupBy(runs, ({ family, load }) => `${family} ${load}`).values()].map((of) => {
        const { family, load } = of[0] as MirrorLoadRun; // groups are not empty
        const figure = (name: keyof Omit<MirrorLoadRun, 'family' | 'load'>, digits = 0) =>
          median(of.map((run) => run[name])).toFixed(digits);
        const stalls = [figure('longestStallMs', 1), figure('longestWorkMs', 1)];
        return [family, load, figure('tookMs'), figure('cpuMs'), ...stalls, figure('peakMb'), figure('residentMb')];
      }),
    );
    return runs;
  },
} as const satisfies Record<(typeof SECTIONS)[number], () => unknown>;

for (const section of SECTIONS.filter((name) => values.only.split(',').includes(name))) {
  console.log(`\n## ${section}\n`);
  found[section] = await SHOWN[section]();
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ machine, ...found }, null, 2));

function agentsTable(runs: readonly AgentRun[]): void {
  const rows = [...Map.groupBy(runs, ({ socket, shape, agent }) => `${socket} ${shape} ${agent}`).values()].map(
    (of) => {
      const [{ socket, shape, agent }] = of as [AgentRun]; // groups are not empty
      const ceiling = runs.filter((run) => run.socket === socket && run.shape === shape && run.agent === 'C ceiling');
      const cpuUs = median(of.map((run) => run.cpuUs));
      const ratio = ceiling.length === 0 ? '–' : (cpuUs / median(ceiling.map((run) => run.cpuUs))).toFixed(2);
      const latencies = (['p50', 'p99', 'p999'] as const).map((name) =>
        median(of.map((run) => run.result.latencyUs[name])),
      );
      const acks = median(of.map((run) => run.result.acksPerSecond));
      const load = median(of.map((run) => run.result.generatorCpu));
      const late = median(of.map((run) => run.result.lateUs.p99));
      return [socket, shape, agent, acks, cpuUs.toFixed(2), ratio, ...latencies, late, load];
    },
  );
  const figures = ['ACKs/s', 'CPU µs', '× C', 'p50 µs', 'p99 µs', 'p99.9 µs', 'sent late p99 µs', 'generator'];
  table(['socket', 'shape', 'agent', ...figures], rows);
  const wrong = runs.filter(({ agent, result }) => agent !== 'Node ceiling' && result.wrong > 0);
  if (wrong.length > 0) throw new Error(`${wrong.length} runs had wrong decisions`);
}

/** The share of `acl -f` is the median over the rounds: disturbances affect both sides of a round alike. */
function haproxyRows(runs: readonly HaproxyRun[]): (string | number)[][] {
  return [...Map.groupBy(runs, ({ release }) => release)].flatMap(([release, ofRelease]) => {
    const guards = Map.groupBy(ofRelease, ({ guard }) => guard);
    const yardstick = guards.get('acl -f') ?? [];
    return [...guards].map(([guard, of]) => {
      const [rate, ...rest] = haproxyFigures(of) as [string, ...string[]];
      const shares = of.map((run, round) => run.requestsPerSecond / (yardstick[round]?.requestsPerSecond ?? 0));
      return [release, guard, rate, median(shares).toFixed(2), ...rest];
    });
  });
}

function haproxyFigures(runs: readonly HaproxyRun[]): string[] {
  const of = (pick: (run: HaproxyRun) => number, digits: number) => median(runs.map(pick)).toFixed(digits);
  return [
    of((run) => run.requestsPerSecond, 0),
    of((run) => run.haproxyUs, 1),
    of((run) => run.agentUs, 1),
    of((run) => run.p50Ms, 2),
    of((run) => run.p99Ms, 2),
  ];
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
