import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import type { MessageSettings } from '../../config/settings.ts';
import { decodeAck } from '../../spop/ack.ts';
import { decodeText } from '../../spop/cursor.ts';
import { decodeDisconnect } from '../../spop/disconnect.ts';
import { type Frame, FrameType } from '../../spop/frame.ts';
import { FrameReader } from '../../spop/frame-reader.ts';
import { decodeAgentHello } from '../../spop/hello.ts';
import type { ReceivedData } from '../../spop/typed-data.ts';
import { VARIABLES } from '../variables.ts';
import { encodeHaproxyHello, encodeNotify, type SentArgument, unusedValue } from './haproxy-frames.ts';

/** The outcome of one step of the probe. */
export interface ProbeResult {
  readonly address: string;
  /** `healthcheck`, or the name of a message. */
  readonly step: string;
  /** False also if the policy decided: the backend was not asked then. */
  readonly ok: boolean;
  /** One line: the decision and its source, or what went wrong. */
  readonly what: string;
  readonly ms: number;
}

type Outcome = Pick<ProbeResult, 'ok' | 'what'>;

const MAX_FRAME_BYTES = 16_380;

/** What each reason of the policy means for the operator. */
const POLICY_REASONS: Readonly<Record<string, string>> = {
  timeout: 'no answer before deadlineMs; the function may have been idle and starting up, so try again',
  backend_error: 'the function failed or cannot be reached; haverdict check-backend -c FILE says why',
  breaker_open: 'the function failed so often that it is not called for a while; run haverdict check-backend -c FILE',
  overload: 'the agent has reached its limits of calls to the function',
  no_subject: 'the running agent has other subjects configured for this message; reload it',
  bad_subject: 'the running agent reads this value as another kind; reload it',
  script_error: 'the script failed; see the log of the agent',
  internal_error: 'internal error in the agent; see its log',
};

/** Asks the agent at this address as HAProxy would: a health check first, then every message, one after the other. */
export async function probe(
  address: ListenAddress,
  messages: readonly MessageSettings[],
  limitMs: number,
): Promise<ProbeResult[]> {
  const check = await timed(address, 'healthcheck', () =>
    greet(address, true, limitMs, async () => ({ ok: true, what: 'answers' })),
  );
  if (!check.ok) return [check];
  const results = [check];
  for (const message of messages)
    results.push(
      await timed(address, message.name, () => greet(address, false, limitMs, (agent) => ask(agent, message))),
    );
  return results;
}

async function timed(address: ListenAddress, step: string, run: () => Promise<Outcome>): Promise<ProbeResult> {
  const begin = performance.now();
  const place = { address: formatListenAddress(address), step };
  const outcome = await run().then(
    (seen) => seen,
    (error: Error) => ({ ok: false, what: error.message }),
  );
  return { ...place, ...outcome, ms: Math.round((performance.now() - begin) * 100) / 100 };
}

async function greet(
  address: ListenAddress,
  healthcheck: boolean,
  limitMs: number,
  then: (agent: Agent) => Promise<Outcome>,
): Promise<Outcome> {
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

async function ask(agent: Agent, { name, group, subjects, arguments: given }: MessageSettings): Promise<Outcome> {
  const names = [...subjects.map(({ kind }) => kind), ...given.map((argument) => argument.name)];
  const args = names.map((argument): SentArgument => ({ name: argument, value: unusedValue(argument) }));
  const actions = decodeAck(await agent.exchange(encodeNotify(name, args), FrameType.ack));
  const values = new Map(
    actions.flatMap((action) => (action.type === 'set-var' ? [[action.name, textOf(action.value)]] : [])),
  );
  const read = (variable: string) => values.get(group === undefined ? variable : `${group}.${variable}`);
  const action = read(VARIABLES.action);
  if (action === undefined) throw new Error('the answer sets no action; the agent does not know this message');
  return toOutcome(action, read(VARIABLES.source), read(VARIABLES.reason));
}

/** A decision is good only if it comes from the lists or the script: the policy and stale verdicts mean that nobody was asked. */
function toOutcome(action: string, source: string | undefined, reason: string | undefined): Outcome {
  const what = `${action} from ${source ?? 'nowhere'}${reason === undefined ? '' : ` (${reason})`}`;
  if (source === 'policy')
    return { ok: false, what: `${what}: ${POLICY_REASONS[reason ?? ''] ?? 'the function was not asked'}` };
  if (source === 'stale')
    return { ok: false, what: `${what}: the function cannot be reached, so an expired verdict is used` };
  if (source === undefined) return { ok: false, what: `${what}: the answer has no source` };
  return { ok: true, what: source === 'cache' ? `${what}: the function was asked earlier` : what };
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
      if (done) throw new Error('the agent closed the connection without an answer');
      this.#reader.push(value);
      const frame = this.#reader.next();
      if (frame === undefined) continue;
      if (frame.type === FrameType.agentDisconnect)
        throw new Error(`the agent refused: ${decodeDisconnect(frame).message}`);
      if (frame.type !== expected) throw new Error(`received a frame of type ${frame.type} instead of ${expected}`);
      return frame;
    }
  }
}
