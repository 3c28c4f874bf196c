import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the visitors of one run got. */
export interface WrkResult {
  /** How many answers had each status; `0` are connections that broke. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Which sources the decisions came from. */
  readonly sources: Readonly<Record<string, number>>;
  /** The longest time that HAProxy waited for the agent, by its own `set-process-time`. */
  readonly worstProcessMs: number;
}

/** How many visitors a group has. */
export const VISITORS = 200;

/** Visitors from `10.SITE.GROUP.1` to `.VISITORS`, in turn, as fast as they are answered; or from random addresses below 11. */
export async function runWrk(
  port: number,
  visitors: { site: number; group: number } | 'strangers',
  seconds: number,
): Promise<WrkResult> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-wrk-'));
  try {
    const script = join(folder, 'visit.lua');
    writeFileSync(script, scriptFor(visitors));
    const output = await outputOf('wrk', [
      '-t1',
      '-c8',
      `-d${seconds}s`,
      '--timeout',
      '5s',
      '-s',
      script,
      `http://127.0.0.1:${port}/`,
    ]);
    const [, json] = /^RESULT (.*)$/m.exec(output) ?? [];
    if (json === undefined) throw new Error(`wrk said:\n${output}`);
    return JSON.parse(json);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function scriptFor(visitors: Parameters<typeof runWrk>[1]): string {
  const address =
    visitors === 'strangers'
      ? '"11." .. math.random(0, 255) .. "." .. math.random(0, 255) .. "." .. math.random(0, 255)'
      : `"10.${visitors.site}.${visitors.group}." .. turn`;
  return `
local turn = 0
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() statuses = ""; sources = ""; worst = 0; counts = {}; from = {} end
function request()
  turn = turn % ${VISITORS} + 1
  return wrk.format("GET", "/", { ["X-Client"] = ${address} })
end
local function text(counted)
  local parts = {}
  for key, count in pairs(counted) do table.insert(parts, '"' .. key .. '":' .. count) end
  return "{" .. table.concat(parts, ",") .. "}"
end
function response(status, headers)
  counts[status] = (counts[status] or 0) + 1
  local source = headers["x-haverdict-source"] or headers["X-Haverdict-Source"] or "none"
  from[source] = (from[source] or 0) + 1
  local ms = tonumber(headers["x-haverdict-process-ms"] or headers["X-Haverdict-Process-Ms"] or 0)
  if ms > worst then worst = ms end
  statuses = text(counts); sources = text(from)
end
function done(summary)
  local thread = threads[1]
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  local counted = thread:get("statuses")
  if counted == "" then counted = "{}" end
  if broken > 0 then counted = counted:sub(1, -2) .. (#counted > 2 and "," or "") .. '"0":' .. broken .. "}" end
  local from = thread:get("sources")
  if from == "" then from = "{}" end
  print('RESULT {"statuses":' .. counted .. ',"sources":' .. from .. ',"worstProcessMs":' .. thread:get("worst") .. "}")
end
`;
}

function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output += part;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}
