// Requests through real HAProxys: without SPOE, with `acl -f` of 100,000 addresses, with the agent over a unix socket, and
// with `recentSeconds`.
// HAProxy answers by itself, so that nothing else is measured; `wrk` sends 20,000 client addresses in a header.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../config/load.ts';
import { formatAddress } from '../contract/address.ts';
import { freePort } from '../dev/free-port.ts';
import { SPOE_FILE, startHaproxy } from '../dev/haproxy.ts';
import { type HaproxyBuild, newerBuild, systemBuild } from '../dev/haproxy-builds.ts';
import { agentsBackend } from '../haproxy/generate/agents-backend.ts';
import { frontendRules } from '../haproxy/generate/frontend.ts';
import { spoeFile } from '../haproxy/generate/spoe.ts';
import { addressOf, isListed } from './notify-pool.ts';
import { cpuSecondsOf, pinned, startMeasured } from './process.ts';

const VISITORS = 20_000;
/** Visitors are not listed, neither in the file nor in the agent's cache. */
const VISITOR_RANKS = Array.from({ length: 2 * VISITORS }, (_, rank) => rank).filter((rank) => !isListed(rank));
const LISTED = 100_000;
const CONNECTIONS = 32;
const CLIENT = 'req.hdr_ip(x-client)';
const RECENT_SECONDS = 2;
/** Long enough for every visitor to come once: the first request of each is asked about. */
const WARM_UP_SECONDS = 1;

const GUARDS = ['none', 'acl -f', 'haverdict', 'haverdict, recentSeconds'] as const;
type Guard = (typeof GUARDS)[number];

export interface HaproxyRun {
  readonly guard: Guard;
  readonly release: string;
  readonly requestsPerSecond: number;
  /** Microseconds of CPU time for one request. */
  readonly haproxyUs: number;
  readonly agentUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Measures all guards alternately, on the system's HAProxy and on the newest that was fetched. */
export async function measureHaproxy(rounds: number, seconds: number): Promise<HaproxyRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-bench-'));
  const socket = join(folder, 'agent.sock');
  const list = join(folder, 'list');
  const script = join(folder, 'visitors.lua');
  writeFileSync(list, Array.from({ length: LISTED }, (_, rank) => `${text(2 * VISITORS + rank)}\n`).join(''));
  writeFileSync(script, lua());
  const agentJs = join(import.meta.dirname, 'agent.ts');
  // Beside `wrk`, so that HAProxy has a processor to itself and its requests a second are its own.
  const agent = await startMeasured(
    pinned(1, [process.execPath, agentJs, `unix:${socket}`, String(2 * VISITORS), 'ipv4']),
  );
  const env = { HAVERDICT_BACKEND_URL: 'http://127.0.0.1:1', HAVERDICT_LISTEN: `unix:${socket}` };
  const newest = newerBuild('experimental');
  const builds = newest === undefined ? [systemBuild()] : [systemBuild(), newest];
  const sites: Awaited<ReturnType<typeof startGuarded>>[] = [];
  const runs: HaproxyRun[] = [];
  try {
    for (const build of builds) for (const guard of GUARDS) sites.push(await startGuarded(build, guard, list, env));
    for (let round = 0; round < rounds; round++)
      for (const { build, guard, url, haproxy } of sites) {
        runWrk(url, script, WARM_UP_SECONDS);
        const before = { haproxy: cpuSecondsOf(haproxy.pid), agent: agent.cpuSeconds() };
        const { requests, ...wrk } = runWrk(url, script, seconds);
        const us = (from: number, to: number) => ((to - from) / requests) * 1e6;
        const haproxyUs = us(before.haproxy, cpuSecondsOf(haproxy.pid));
        const { release } = build;
        runs.push({ guard, release, ...wrk, haproxyUs, agentUs: us(before.agent, agent.cpuSeconds()) });
      }
  } finally {
    for (const { haproxy } of sites) await haproxy.stop();
    await agent.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return runs;
}

/** Starts one single-threaded HAProxy for each guard, so that none has the rules of another. */
async function startGuarded(build: HaproxyBuild, guard: Guard, list: string, env: NodeJS.ProcessEnv) {
  const port = await freePort();
  const loaded = loadSettings(undefined, env);
  const settings = {
    ...loaded,
    messages: loaded.messages.map((message) => ({ ...message, subjects: [{ kind: 'ip', expression: CLIENT }] })),
    haproxy: {
      ...loaded.haproxy,
      version: build.version,
      recentSeconds: guard === 'haverdict, recentSeconds' ? RECENT_SECONDS : 0,
    },
  };
  const rules = {
    none: '',
    'acl -f': `    http-request deny if { ${CLIENT} -f ${list} }\n`,
    haverdict: frontendRules(settings, SPOE_FILE),
    'haverdict, recentSeconds': frontendRules(settings, SPOE_FILE),
  };
  const config = `global
    nbthread 1
    cpu-map 1/1 0

defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend guarded
    bind 127.0.0.1:${port}
${rules[guard]}    default_backend origin

backend origin
    http-request return status 200 content-type text/plain string "passed"

${agentsBackend(settings)}`;
  const haproxy = await startHaproxy({ binary: build.binary, config, spoe: spoeFile(settings) });
  return { build, guard, url: `http://127.0.0.1:${port}/`, haproxy };
}

function runWrk(url: string, script: string, seconds: number) {
  const wrk = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, url];
  const [program = '', ...args] = pinned(1, wrk);
  const said = execFileSync(program, args, { encoding: 'utf8', timeout: (seconds + 20) * 1000 });
  const { requests, us, p50, p99 } = JSON.parse(said.slice(said.lastIndexOf('{'))) as Record<string, number>;
  return {
    requests: requests as number, // all four are in what the script prints
    requestsPerSecond: Math.round((requests as number) / ((us as number) / 1e6)),
    p50Ms: (p50 as number) / 1000,
    p99Ms: (p99 as number) / 1000,
  };
}

function lua(): string {
  const visitors = VISITOR_RANKS.map((rank) => `"${text(rank)}"`).join(',');
  return `local visitors = {${visitors}}
local requests, next = {}, 0
init = function() for i, v in ipairs(visitors) do requests[i] = wrk.format(nil, nil, {["x-client"] = v, Host = "shop.example"}) end end
request = function() next = next % #requests + 1; return requests[next] end
done = function(summary, latency)
  io.write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d}', summary.requests, summary.duration, latency:percentile(50), latency:percentile(99)))
end
`;
}

function text(rank: number): string {
  return formatAddress(addressOf(rank, 'ipv4'));
}
