import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { MessageSettings, Settings } from '../../config/settings.ts';
import { freePort } from '../../dev/free-port.ts';
import { startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { isSentAt, MESSAGE_EVENTS } from '../../haproxy/events.ts';
import { agentsBackend } from '../../haproxy/generate/agents-backend.ts';
import { backendRules } from '../../haproxy/generate/backend-rules.ts';
import { frontendRules } from '../../haproxy/generate/frontend.ts';
import { spoeFile } from '../../haproxy/generate/spoe.ts';
import { tcpBackendRules, tcpFrontendRules } from '../../haproxy/generate/tcp.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { startScriptedAgent } from '../support/scripted-agent.ts';
import { settingsWith } from '../support/settings.ts';

const DEADLINE_MS = 100;
/** HAProxy's own limit is the deadline and a little; the rest is for a busy machine. */
const LIMIT_MS = DEADLINE_MS + 1900;

type Mode = 'http' | 'tcp';
type Message = Pick<MessageSettings, 'event' | 'group' | 'paths' | 'shadow'>;

interface Guard {
  readonly name: string;
  readonly mode: Mode;
  readonly message: Partial<Message>;
  readonly path?: string;
  /** What a client gets under `closed`; under `open` all pass. */
  readonly closed: 'passed' | 'ended' | '503';
}

const TCP_EVENTS = MESSAGE_EVENTS.filter((event) => isSentAt({ event }, { mode: 'tcp' }));
const SOME = ['/login', '/admin'];

const GUARDS: readonly Guard[] = [
  ...MESSAGE_EVENTS.map((event) => ({
    name: event,
    mode: 'http' as const,
    message: { event },
    closed: '503' as const,
  })),
  ...TCP_EVENTS.map((event) => ({ name: event, mode: 'tcp' as const, message: { event }, closed: 'ended' as const })),
  {
    name: 'in shadow mode',
    mode: 'http',
    message: { event: 'on-frontend-http-request', shadow: true },
    closed: 'passed',
  },
  { name: 'in shadow mode', mode: 'tcp', message: { event: 'on-client-session', shadow: true }, closed: 'passed' },
  ...[{ event: 'on-frontend-http-request' } as const, { group: 'login' }].flatMap((trigger) => {
    const message = { ...trigger, paths: SOME };
    const name = JSON.stringify(message);
    return [
      { name, mode: 'http' as const, message, path: '/login', closed: '503' as const },
      { name, mode: 'http' as const, message, path: '/admin', closed: '503' as const },
      { name, mode: 'http' as const, message, path: '/else', closed: 'passed' as const },
    ];
  }),
];

describeOnEveryHaproxy('what clients get at every event', (build) => {
  it('while nobody listens where the agent should', async (t) => {
    await clientsGetWhatThePolicySays(t, build, await freePort());
  });

  it('while the agent takes what it is asked and never answers', async (t) => {
    const { port } = await startScriptedAgent(t, () => undefined);
    await clientsGetWhatThePolicySays(t, build, port);
  });
});

async function clientsGetWhatThePolicySays(t: TestContext, { binary, version }: HaproxyBuild, agentPort: number) {
  const folder = temporaryFolder(t);
  const origin = await startOrigin('usual');
  t.after(() => origin.close());
  const guarded = await Promise.all(
    GUARDS.flatMap((guard) =>
      (['open', 'closed'] as const).map(async (policy, index) => {
        const settings = settingsFor(guard, policy, version, agentPort);
        const id = `${GUARDS.indexOf(guard)}-${index}`;
        const port = await freePort();
        const spoe = join(folder, `${id}.spoe.cfg`);
        writeFileSync(spoe, spoeFile(settings));
        return { guard, policy, port, sections: sectionsOf(id, guard.mode, settings, spoe, port, origin), settings };
      }),
    ),
  );
  const [first] = guarded;
  assert.ok(first);
  const sections = guarded.map((each) => each.sections).join('\n');
  const config = `global
    log stdout format raw daemon

defaults
    timeout connect 2s
    timeout client 10s
    timeout server 10s

${sections}
${agentsBackend(first.settings)}`;
  const haproxy = await startHaproxy({ binary, config });
  t.after(() => haproxy.stop());
  const got = await Promise.all(
    guarded.map(async ({ guard, policy, port }) => {
      const { path = '/' } = guard;
      const send = `GET ${path} HTTP/1.1\r\nhost: site.example\r\nconnection: close\r\n\r\n`;
      const { end, received, tookMs } = await knock({ port, from: '127.0.0.1', send, limitMs: 5000 });
      assert.ok(tookMs < LIMIT_MS, `${guard.name}: ${tookMs} ms`);
      return [labelOf(guard, policy), wordFor(end, received)] as const;
    }),
  );
  const expected = guarded.map(
    ({ guard, policy }) => [labelOf(guard, policy), policy === 'open' ? 'passed' : guard.closed] as const,
  );
  assert.deepEqual(Object.fromEntries(got), Object.fromEntries(expected));
}

function wordFor(end: string, received: string): string {
  if (end === 'closed' && received === '') return 'ended';
  if (end === 'closed' && received.startsWith('HTTP/1.1 200 ')) return 'passed';
  return /^HTTP\/1.1 (\d+)/.exec(received)?.[1] ?? end;
}

function labelOf({ name, mode, path = '' }: Guard, policy: string): string {
  return `${policy} ${mode} ${name} ${path}`;
}

function settingsFor({ message }: Guard, policy: 'open' | 'closed', version: HaproxyBuild['version'], port: number) {
  const subjects = [{ kind: 'ip', expression: 'src' }];
  return settingsWith({
    deadlineMs: DEADLINE_MS,
    listen: [{ type: 'tcp', host: '127.0.0.1', port }],
    messages: [{ name: 'check', subjects, policy: { default: policy }, ...message }],
    haproxy: { version },
  });
}

function sectionsOf(id: string, mode: Mode, settings: Settings, spoe: string, port: number, origin: Origin): string {
  const [front, back] =
    mode === 'http'
      ? [frontendRules(settings, spoe), backendRules(settings)]
      : [tcpFrontendRules(settings, spoe), tcpBackendRules(settings)];
  return `frontend site-${id}
    mode ${mode}
    bind 127.0.0.1:${port}
${front}
    default_backend servers-${id}

backend servers-${id}
    mode ${mode}
${back}
    server usual 127.0.0.1:${origin.port}
`;
}
