// Loaded before the agent: on SIGUSR2 it prints when its event loop stood still, for how long, and how much of that its own
// work took. The agent's metric looks each 20 ms, and has a stall of 10 ms by chance only.
import { execFileSync } from 'node:child_process';

const EVERY_MS = 1;
const NOTED_MS = 3;

try {
  execFileSync('chrt', ['--all-tasks', '--fifo', '--pid', '1', String(process.pid)]); // before all other programs
} catch {
  // not root, or another system: it waits for others
}
let stalls = [];
let last = now();
setInterval(() => {
  const next = now();
  const [ms, cpuMs] = [next.ms - last.ms - EVERY_MS, next.cpuMs - last.cpuMs];
  if (ms > NOTED_MS) stalls.push({ endedMs: performance.timeOrigin + next.ms, ms, cpuMs });
  last = next;
}, EVERY_MS).unref();
process.on('SIGUSR2', () => {
  console.log(JSON.stringify({ msg: 'stalls', stalls }));
  stalls = [];
});

function now() {
  const { user, system } = process.threadCpuUsage();
  return { ms: performance.now(), cpuMs: (user + system) / 1000 };
}
