import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { formatListenAddress } from '../config/listen-address.ts';
import type { ListenAddress, MessageSettings } from '../config/settings.ts';
import { decodeAck } from '../spop/ack.ts';
import { decodeText } from '../spop/cursor.ts';
import type { ReceivedData } from '../spop/data.ts';
import { decodeDisconnect } from '../spop/disconnect.ts';
import { type Frame, FrameType } from '../spop/frame.ts';
import { decodeAgentHello } from '../spop/hello.ts';
import { FrameReader } from '../spop/reader.ts';
import { VARIABLES } from '../vocabulary.ts';
import { encodeHaproxyHello, encodeNotify, type SentArgument } from './notify.ts';

/** What an agent answered to one step of the probe. */
export interface ProbeResult {
  readonly address: string;
  /** `healthcheck`, or the name of a message. */
  readonly step: string;
  readonly ok: boolean;
  /** One line: the decision and where it came from, or what went wrong. */
  readonly what: string;
  readonly ms: number;
}

const MAX_FRAME_BYTES = 16_380;
/** For documentation (RFC 5737, RFC 2606): nobody's address and nobody's name. */
const ADDRESS = Uint8Array.of(192, 0, 2, 1);
const TEXT = 'probe.haverdict.invalid';
const HARMLESS: Readonly<Record<string, string>> = {
  path: '/probe.haverdict.invalid',
  method: 'GET',
  country: 'ZZ',
  asn: '64496',
  ja4: 't13d1516h2_000000000000_000000000000',
};

/** Asks the agent at this address as HAProxy would: its health check first, then every message, each in its turn. */
export async function probe(
  address: ListenAddress,
  messages: readonly MessageSettings[],
  limitMs: number,
): Promise<ProbeResult[]> {
  const check = await timed(address, 'healthcheck', () => greet(address, true, limitMs, async () => 'answers'));
  if (!check.ok) return [check];
  const results = [check];
  for (const message of messages)
    results.push(
      await timed(address, message.name, () => greet(address, false, limitMs, (agent) => ask(agent, message))),
    );
  return results;
}

async function timed(address: ListenAddress, step: string, run: () => Promise<string>): Promise<ProbeResult> {
  const begin = performance.now();
  const told = { address: formatListenAddress(address), step };
  const outcome = await run().then(
    (what) => ({ ok: true, what }),
    (error: Error) => ({ ok: false, what: error.message }),
  );
  return { ...told, ...outcome, ms: Math.round((performance.now() - begin) * 100) / 100 };
}

async function greet(
  address: ListenAddress,
  healthcheck: boolean,
  limitMs: number,
  then: (agent: Agent) => Promise<string>,
): Promise<string> {
  const signal = AbortSignal.timeout(limitMs);
  const target = address.type === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  const socket = connect({ ...target, signal });
  try {
    await once(socket, 'connect');
    const agent = new Agent(socket);
    decodeAgentHello(await agent.exchange(encodeHaproxyHello(MAX_FRAME_BYTES, healthcheck), FrameType.agentHello));
    return await then(agent);
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${limitMs} ms`, { cause: error });
    throw error;
  } finally {
    socket.destroy();
  }
}

async function ask(agent: Agent, { name, subjects }: MessageSettings): Promise<string> {
  const args = subjects.map(({ kind }): SentArgument => ({ name: kind, value: harmless(kind) }));
  const actions = decodeAck(await agent.exchange(encodeNotify(name, args), FrameType.ack));
  const values = new Map(
    actions.flatMap((action) => (action.type === 'set-var' ? [[action.name, textOf(action.value)]] : [])),
  );
  const action = values.get(VARIABLES.action);
  if (action === undefined) throw new Error('the answer sets no action: the agent does not know this message');
  const reason = values.get(VARIABLES.reason);
  return `${action} from ${values.get(VARIABLES.source) ?? 'nowhere'}${reason === undefined ? '' : ` (${reason})`}`;
}

/** A value of this kind, so that the answer is no refusal of the probe's own. */
function harmless(kind: string): SentArgument['value'] {
  if (kind === 'ip') return { type: 'ipv4', value: ADDRESS };
  return { type: 'string', value: HARMLESS[kind] ?? TEXT };
}

function textOf(data: ReceivedData): string {
  if (data.type === 'null') return '';
  return data.value instanceof Uint8Array ? decodeText(data.value) : String(data.value);
}

/** One connection, one frame each way at a time. */
class Agent {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #reader = new FrameReader(MAX_FRAME_BYTES);

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async exchange(request: Uint8Array, expected: number): Promise<Frame> {
    this.#socket.write(request);
    for (;;) {
      const { value, done } = await this.#chunks.next();
      if (done) throw new Error('the agent closes without an answer');
      this.#reader.push(value);
      const frame = this.#reader.next();
      if (frame === undefined) continue;
      if (frame.type === FrameType.agentDisconnect)
        throw new Error(`the agent refuses: ${decodeDisconnect(frame).message}`);
      if (frame.type !== expected) throw new Error(`frame of type ${frame.type} instead of ${expected}`);
      return frame;
    }
  }
}
