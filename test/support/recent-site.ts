import { Agent, request } from 'node:http';
import type { TestContext } from 'node:test';
import type { MessageSettings } from '../../config/settings.ts';
import { OPT_IN } from '../../contract/actions.ts';
import { formatAddress } from '../../contract/address.ts';
import { freePort } from '../../dev/free-port.ts';
import { type Haproxy, startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { frontendConfig } from '../../dev/haproxy-config.ts';
import { spoeFile } from '../../haproxy/generate/spoe.ts';
import type { Action, Message } from '../../spop/spop.ts';
import { startScriptedAgent } from './scripted-agent.ts';
import { type Changes, settingsWith } from './settings.ts';

/** The variables of an answer; undefined: the agent never answers. */
export type Answer = Readonly<Record<string, string>> | undefined;
export const PLAIN = { action: 'allow', source: 'cache' } as const;
export const DENY = { action: 'deny', source: 'cache', list: 'manual', entry: 'ip:192.0.2.1' } as const;

/** One request as the client and HAProxy's clock saw it. */
export interface Response {
  readonly status: number;
  readonly action: string | undefined;
  readonly source: string | undefined;
  /** HAProxy's second when the rules began, and when the answer was sent. */
  readonly beganAt: number;
  readonly endedAt: number;
}

export interface RecentSiteOptions {
  readonly haproxy?: Changes['haproxy'];
  /** By default one message about the address in the header `x-client`. */
  readonly message?: Partial<MessageSettings>;
  readonly binds?: (port: number) => readonly string[];
  /** Lines of the frontend above the wiring. */
  readonly above?: readonly string[];
}

/** A HAProxy with `recentSeconds` and an agent that answers what the test says. */
export interface RecentSite {
  readonly port: number;
  readonly haproxy: Haproxy;
  /** What is answered about an address, `PLAIN` if nothing is said; and how often the agent was asked about it. */
  readonly answers: Map<string, Answer>;
  readonly asked: Map<string, number>;
  stopAgent(): void;
  ask(client: string | undefined, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export async function startRecentSite(
  t: TestContext,
  { binary, version }: Pick<HaproxyBuild, 'binary' | 'version'>,
  { haproxy: changes, message, binds = (at) => [`:::${at} v4v6`], above = [] }: RecentSiteOptions,
): Promise<RecentSite> {
  const answers = new Map<string, Answer>();
  const asked = new Map<string, number>();
  const agent = await startScriptedAgent(t, (messages) => {
    const address = addressIn(messages);
    asked.set(address, (asked.get(address) ?? 0) + 1);
    const answer = answers.has(address) ? answers.get(address) : PLAIN;
    return answer && actionsOf(answer);
  });
  const settings = settingsWith({
    deadlineMs: 2000,
    listen: [{ type: 'tcp', host: '127.0.0.1', port: agent.port }],
    haproxy: { version, recentSeconds: 2, actions: OPT_IN, requestHeaders: ['x-plan'], backends: ['blue'], ...changes },
    messages: [
      {
        name: 'check-request',
        event: 'on-frontend-http-request',
        subjects: [{ kind: 'ip', expression: 'req.hdr_ip(x-client)' }],
        policy: { default: 'closed' },
        ...message,
      },
    ],
  });
  const port = await freePort();
  const lines = [
    'http-request set-var(txn.began_at) date',
    'http-after-response set-header x-began-at %[var(txn.began_at)]',
    'http-after-response set-header x-ended-at %[date]',
    ...above,
  ];
  const config = frontendConfig({ settings, binds: binds(port) }).replace(
    /^ {4}filter/m,
    `${lines.map((line) => `    ${line}\n`).join('')}$&`,
  );
  const haproxy = await startHaproxy({ binary, config, spoe: spoeFile(settings) });
  const connections = new Agent({ keepAlive: true });
  t.after(async () => {
    connections.destroy();
    await haproxy.stop();
  });
  const ask = (client: string | undefined, headers = {}) =>
    askOnce(port, connections, { ...(client !== undefined && { 'x-client': client }), ...headers });
  const site = { port, haproxy, answers, asked, ask, stopAgent: agent.stop };
  await untilUp(site);
  return site;
}

/** The scripted agent is there before HAProxy, whose first health check may still be under way. */
async function untilUp({ ask, asked }: RecentSite): Promise<void> {
  while ((await ask('192.0.2.254')).status !== 200);
  asked.clear();
}

export function askOnce(
  port: number,
  agent: Agent | false,
  headers: Readonly<Record<string, string>>,
  localAddress = '127.0.0.1',
): Promise<Response> {
  const host = localAddress.includes(':') ? '::1' : '127.0.0.1';
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent, headers, localAddress, timeout: 10_000 }, (response) => {
      const told = response.headers as Readonly<Record<string, string | undefined>>; // none of ours comes twice
      response.resume().on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          action: told['x-haverdict-action'],
          source: told['x-haverdict-source'],
          beganAt: Number(told['x-began-at']),
          endedAt: Number(told['x-ended-at']),
        }),
      );
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')));
    sent.on('error', reject).end();
  });
}

function addressIn([message]: readonly Message[]): string {
  const value = message?.args.find(({ name }) => name === 'ip')?.value;
  return value?.type === 'ipv4' || value?.type === 'ipv6' ? formatAddress(value.value) : 'none';
}

function actionsOf(variables: NonNullable<Answer>): Action[] {
  return Object.entries(variables).map(([name, value]) => ({
    type: 'set-var',
    scope: 'txn',
    name,
    value: { type: 'string', value },
  }));
}
