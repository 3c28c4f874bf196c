import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { loadSettings } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { freePort } from '../../dev/free-port.ts';
import { checkHaproxy, type Haproxy, SPOE_FILE, startHaproxy } from '../../dev/haproxy.ts';
import { systemBuild } from '../../dev/haproxy-builds.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { createHandler } from '../../functions/check/handler.ts';
import { agentsBackend } from '../../haproxy/generate/agents-backend.ts';
import { frontendRoutes, frontendRules } from '../../haproxy/generate/frontend.ts';
import { spoeFile } from '../../haproxy/generate/spoe.ts';
import { functionEvent } from '../support/function-event.ts';
import { knock } from '../support/knock.ts';
import { startTable, storeAt } from '../support/local-table.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs/guides/from-the-article.md'), 'utf8');
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => ({ title: section.split('\n', 1)[0] ?? '', snippets: snippetsIn(section) }));

/** A visit as the page writes it: who comes, what is asked, what is answered. */
const VISIT =
  /^(?<client>[\d.]+) +(?<method>[A-Z]+) (?<target>\S+)(?: with (?:body (?<body>\S+)|(?<header>[\w-]+: \S+)))? +→ (?<status>\d+)(?: (?<without>without )?(?<answer>.+))?$/u;

describe('from the picture to what works', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-picture-'));
  let place: Place;
  let wiring: readonly string[];
  before(async () => {
    writeFileSync(join(folder, 'haverdict.yaml'), stringify(whole()));
    writeFileSync(join(folder, 'script.mjs'), snippetsOf('js').join('\n'));
    place = await startPlace(folder);
    wiring = linesOf(await run('haverdict wiring -c haverdict.yaml', folder));
  });
  after(async () => {
    await place?.stop();
    rmSync(folder, { recursive: true });
  });

  for (const { title, snippets } of sections)
    it(title, async () => {
      assert.ok(snippets.length > 0);
      for (const { language, code } of snippets) {
        if (language === 'yaml') accept(code, folder);
        else if (language === 'haproxy') assertPrinted(linesOf(code), wiring);
        else if (language === 'sh') await Promise.all(linesOf(code).map((line) => typed(line, place)));
        else if (language === 'text') for (const line of linesOf(code)) await visit(line, place);
        else assert.equal(language, 'js', 'a language that nothing here runs');
      }
    });

  it('says the mode of the socket', () => {
    assert.equal(statSync(place.socket).mode & 0o777, 0o660);
  });

  it('gives 503 when the agent cannot be asked', async () => {
    await place.agent.kill('SIGTERM');
    // Until HAProxy has noticed, a request waits for the whole deadline.
    while (!place.haproxy.lines.some((line) => line.includes('haverdict-agents/agent1 is DOWN'))) await pause(20);
    await visit('198.51.100.1 GET / → 503', place);
  });
});

interface Place {
  readonly folder: string;
  readonly table: string;
  readonly socket: string;
  readonly agent: AgentProcess;
  readonly haproxy: Haproxy;
  readonly port: number;
  stop(): Promise<void>;
}

/** The page's configuration in an agent and a HAProxy, before the real function on a real table. */
async function startPlace(folder: string): Promise<Place> {
  const started: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of started.reverse()) await end();
  };
  try {
    const table = await startTable();
    started.push(() => table.close());
    const backend = await startFunction(table.endpoint);
    started.push(() => backend.close());
    const socket = join(folder, 'agent.sock');
    const agent = await startAgent(folder, socket, backend.url);
    started.push(() => agent.kill('SIGTERM'));
    const port = await freePort();
    const haproxy = await startHaproxy({
      config: haproxyConfig(agent.settings, port),
      spoe: spoeFile(agent.settings),
    });
    started.push(() => haproxy.stop());
    return { folder, table: table.endpoint, socket, agent, haproxy, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startAgent(folder: string, socket: string, backendUrl: string): Promise<AgentProcess> {
  const { listen, ...config } = whole() as { readonly listen: readonly object[] }; // the page has one
  const ownFolder = join(folder, 'agent');
  mkdirSync(ownFolder);
  const own = { ...config, script: join(folder, 'script.mjs'), listen: [{ ...listen[0], unix: socket }] };
  return startAgentProcess(own, ownFolder, {
    HAVERDICT_BACKEND_URL: backendUrl,
    HAVERDICT_HAPROXY_VERSION: systemBuild().version,
    // Nothing here is about time.
    HAVERDICT_BACKEND_TIMEOUT_MS: '2000',
    HAVERDICT_DEADLINE_MS: '2000',
    HAVERDICT_CACHE_ALLOW_TTL_SECONDS: '0',
    HAVERDICT_CACHE_DENY_TTL_SECONDS: '0',
  });
}

async function startFunction(endpoint: string) {
  const handler = createHandler({ store: storeAt(endpoint), log: () => {}, clock: Date.now, ttlSeconds: 60 });
  const server = createServer(async (request, response) => {
    const { statusCode = 200, body } = await handler(
      functionEvent(request.method ?? '', request.url ?? '', await text(request)),
    );
    response.writeHead(statusCode, { 'content-type': 'application/json' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a listening TCP server has one
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Clients say who they are by the PROXY protocol; the servers say what they see. */
function haproxyConfig(settings: Settings, port: number): string {
  const servers = ['usual', ...settings.haproxy.backends];
  return `global
    log stdout format raw daemon

defaults
    log global
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
    bind 127.0.0.1:${port} accept-proxy
${frontendRules(settings, SPOE_FILE)}
${frontendRoutes(settings)}
    default_backend usual

${servers.map(serverSections).join('\n')}
${agentsBackend(settings)}`;
}

function serverSections(name: string): string {
  const answer = (more: string) =>
    `http-request return status 200 content-type text/plain hdr X-Powered-By "shop 1.2" lf-string "${name} sees %[method] %[path]${more}"`;
  return `backend ${name}
    server ${name} unix@${name}.sock

frontend server-${name}
    bind unix@${name}.sock
    http-request return status 500 if { path /broken }
    ${answer(' with X-Plan: %[req.hdr(x-plan)]')} if { req.hdr(x-plan) -m found }
    ${answer('')}
`;
}

/** The loader takes it, and HAProxy what comes of it, without a warning. */
function accept(yaml: string, folder: string): void {
  const file = join(folder, 'part.yaml');
  writeFileSync(file, yaml);
  const settings = loadSettings(file, {
    HAVERDICT_BACKEND_URL: 'http://127.0.0.1:8787',
    HAVERDICT_HAPROXY_VERSION: systemBuild().version,
  });
  checkHaproxy({ config: haproxyConfig(settings, 1), spoe: spoeFile(settings) });
}

function assertPrinted(lines: readonly string[], printed: readonly string[]): void {
  let from = 0;
  for (const line of lines) {
    const at = printed.indexOf(line, from);
    assert.ok(at >= 0, `${printed.includes(line) ? 'in another place' : 'not'} in the wiring: ${line}`);
    from = at + 1;
  }
}

/** A line as typed while all of it runs. */
async function typed(line: string, { folder, table, agent }: Place): Promise<void> {
  // This one does not end by itself, and runs already.
  if (line === 'haverdict agent -c haverdict.yaml') assert.match(agent.lines.join('\n'), /agent is listening/);
  else assert.notEqual(await run(line, folder, { AWS_ENDPOINT_URL_DYNAMODB: table }), '');
}

/** Runs a line in a shell, in this folder, and resolves with what it printed. */
function run(line: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = `haverdict() { '${process.execPath}' '${PROGRAM}' "$@"; }\n${line}`;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const options = { cwd: folder, env: { PATH, NODE_COMPILE_CACHE, HOME: '/nonexistent', ...env } };
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', script], options, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}

/** Goes there as the line says, and sees what it says. */
async function visit(line: string, { port, agent, haproxy }: Place): Promise<void> {
  const { client, method, target, body = '', header, status, without, answer } = VISIT.exec(line)?.groups ?? {};
  assert.ok(client, `not a visit: ${line}`);
  const request = [
    `PROXY TCP4 ${client} 127.0.0.1 40000 80`,
    `${method} ${target} HTTP/1.1`,
    'Host: shop.example',
    'Connection: close',
    ...(header === undefined ? [] : [header]),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
  const { received } = await knock({ port, from: '127.0.0.1', send: request, limitMs: 5000 });
  const explained = [line, received, ...agent.lines.slice(-3), ...haproxy.lines.slice(-3)].join('\n');
  assert.ok(received.startsWith(`HTTP/1.1 ${status} `), explained);
  const lines = linesOf(received);
  if (without !== undefined) assert.ok(!lines.some((line) => line.startsWith(`${answer}:`)), explained);
  else if (answer !== undefined) assert.ok(lines.includes(answer), explained);
}

/** All the parts of the configuration as one. */
function whole(): object {
  return snippetsOf('yaml').reduce((sum: unknown, yaml) => merged(sum, parse(yaml)), {}) as object; // each is a map
}

function merged(one: unknown, other: unknown): unknown {
  if (!isMap(one) || !isMap(other)) return other ?? one;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, merged(one[name], other[name])]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function snippetsOf(language: string): string[] {
  return sections.flatMap(({ snippets }) =>
    snippets.filter((snippet) => snippet.language === language).map(({ code }) => code),
  );
}

function snippetsIn(section: string): { language: string; code: string }[] {
  return [...section.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

function linesOf(of: string): string[] {
  return of
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
