import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measure, type Run, SHAPES, startContenders } from './agents.ts';
import type { PoolOptions } from './pool.ts';

const HELP = `usage: npm run bench [-- --rounds 5] [-- --seconds 1] [-- --family ipv4|ipv6|mixed] [-- --rate N] [-- --json FILE]

Runs our agent and two yardsticks in turn, round after round, over TCP and a unix socket, and prints medians.
  --rate  so many NOTIFYs a second on 32 connections, whatever comes back, instead of as many as fit`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    family: { type: 'string', default: 'ipv4' },
    rate: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const family = values.family as PoolOptions['family'];
const shapes = values.rate === undefined ? SHAPES : ([[32, 1]] as const);
const options = [
  '--seconds',
  values.seconds,
  '--family',
  family,
  ...(values.rate === undefined ? [] : ['--rate', values.rate]),
];
const runs: (Run & { readonly socket: string })[] = [];

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'} × ${cpus().length}, Node ${process.version}, ${family}, ${values.rounds} rounds`,
);
for (const socket of ['tcp', 'unix'] as const) {
  const contenders = await startContenders(family, socket);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const shape of shapes) {
      for (const contender of contenders)
        runs.push({ socket, ...measure(contender, shape, [...options, '--seed', String(round + 1)]) });
    }
  }
  for (const { measured } of contenders) await measured.stop();
}
print();
if (values.json !== undefined)
  writeFileSync(values.json, JSON.stringify({ node: process.version, family, runs }, null, 2));

function print(): void {
  console.log(
    '\n| socket | shape | agent | ACKs/s | CPU µs | × C | p50 µs | p99 µs | p99.9 µs | MB | generator |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  for (const group of Map.groupBy(runs, ({ socket, shape, agent }) => `${socket} ${shape} ${agent}`).values()) {
    const [{ socket, shape, agent } = { socket: '', shape: '', agent: '' }] = group;
    const of = (pick: (run: Run) => number) => median(group.map(pick));
    const ceiling = runs
      .filter((run) => run.socket === socket && run.shape === shape && run.agent === 'C ceiling')
      .map(({ cpuUs }) => cpuUs);
    const ratio = ceiling.length === 0 ? '–' : (of(({ cpuUs }) => cpuUs) / median(ceiling)).toFixed(2);
    const latency = [
      of(({ result }) => result.latencyUs.p50),
      of(({ result }) => result.latencyUs.p99),
      of(({ result }) => result.latencyUs.p999),
    ];
    const row = [
      socket,
      shape,
      agent,
      of(({ result }) => result.acksPerSecond),
      of(({ cpuUs }) => cpuUs).toFixed(2),
      ratio,
      ...latency,
      of(({ residentMb }) => residentMb).toFixed(0),
      of(({ result }) => result.generatorCpu),
    ];
    console.log(`| ${row.join(' | ')} |`);
  }
  const wrong = runs.filter(({ agent, result }) => agent !== 'Node ceiling' && result.wrong > 0);
  if (wrong.length > 0) throw new Error(`${wrong.length} runs had wrong decisions`);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
