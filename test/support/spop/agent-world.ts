import type { TestContext } from 'node:test';
import type { AgentError } from '../../../spop/agent/agent-error.ts';
import { Agent, type AgentFunctions, type AgentOptions } from '../../../spop/agent/create-agent.ts';
import { HandClock } from '../clock.ts';
import { Client } from './client.ts';
import { actions as encoded, hello, type Message, type NaiveAction, notify, toHex, type Value } from './naive-codec.ts';

/** An agent of `createAgent` with a clock in hand, on a port of its own. */
export interface AgentWorld {
  readonly agent: Agent;
  readonly clock: HandClock;
  readonly errors: AgentError[];
  /** A connection of HAProxy whose handshake is done. */
  connected(): Promise<Client>;
  /** The variables with which these messages are answered, in hexadecimal: compare with `variables`. */
  ask(...messages: Message[]): Promise<string>;
}

export async function startAgent(
  t: TestContext,
  functions: AgentFunctions,
  options: AgentOptions = {},
): Promise<AgentWorld> {
  const clock = new HandClock();
  const errors: AgentError[] = [];
  const agent = new Agent(functions, { onError: (error) => void errors.push(error), ...options }, clock);
  await agent.listen({ port: 0 });
  t.after(async () => {
    const closed = agent.close({ limitMs: 1 });
    clock.advance(10);
    await closed;
  });
  const connected = async () => {
    const client = await Client.connect({ host: '127.0.0.1', port: portOf(agent) });
    client.socket.write(hello());
    await client.received(1);
    return client;
  };
  const ask = async (...messages: Message[]) => {
    const client = await connected();
    client.socket.write(notify(1, 1, ...messages));
    const [, ack] = await client.received(2);
    client.socket.destroy();
    return toHex(ack?.payload ?? []);
  };
  return { agent, clock, errors, connected, ask };
}

export function portOf(agent: Agent): number {
  return Number(agent.addresses[0]?.split(':').at(-1));
}

/** The actions that set these, as `ask` returns them. */
export function variables(values: Readonly<Record<string, Value>>, scope = 'txn'): string {
  const actions = Object.entries(values).map(
    ([name, value]): NaiveAction =>
      value.type === 'null' ? { type: 'unset-var', scope, name } : { type: 'set-var', scope, name, value },
  );
  return toHex(encoded(actions));
}
