import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Decision } from '../../agent/decision/decision.ts';
import type { Question } from '../../agent/decision/engine.ts';
import { MessageHandler } from '../../agent/server/message-handler.ts';
import { formatAddress, parseAddress } from '../../contract/address.ts';
import { Connection } from '../../spop/connection.ts';
import { OutputBuffer } from '../../spop/output-buffer.ts';
import { HandClock } from '../support/clock.ts';
import { longRuns } from '../support/scope.ts';
import { settled } from '../support/spop/conversation.ts';
import { type AckPayload, Model } from '../support/spop/model.ts';
import { corpus, mutate } from '../support/spop/mutate.ts';
import {
  hello,
  type Message,
  numberUnder,
  type ParsedFrame,
  parseActions,
  parseFrames,
  type Value,
} from '../support/spop/naive-codec.ts';
import { Random } from '../support/spop/random.ts';

const FRAMES = Number(process.env.FUZZ_FRAMES ?? longRuns(1_000_000, 40_000));
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** A connection that survives so many frames makes way for a new one. */
const FRAMES_A_CONNECTION = 40;
const MAX_GROWTH_BYTES = 24 * 1024 * 1024;

const HELLO = hello();
const RULES = ['m', 'check', 'check-request', 'first'].map((name) => ({
  name,
  policy: { default: 'open' } as const,
  // The usual message is answered on the hot path.
  kinds: name === 'check-request' ? ['ip'] : ['ip', 'host', 'path', 'key', 'asn'],
  target: { scope: 'txn', vars: new Map() } as const,
}));
const isKnown = (messages: readonly Message[]) => messages.some(([name]) => RULES.some((rule) => rule.name === name));
const DENY: Decision = { action: 'deny', source: 'cache', reason: 'abuse', status: 403 };
const DENY_ADDRESS: Decision = { action: 'deny', source: 'cache', list: 'manual', ofAddress: true };
/** One for all connections, as a listener has it. */
const output = new OutputBuffer();

/** The agent and the model, fed the same bytes. */
class Pair {
  readonly clock = new HandClock();
  readonly model: Model;
  readonly connection: Connection;
  readonly #release: (() => void)[] = [];
  #written: Uint8Array[] = [];
  #ended = 0;

  constructor(answersLater: boolean) {
    this.model = new Model((messages) => answersLater && isKnown(messages));
    const decided = (decision: Decision) =>
      answersLater ? new Promise<Decision>((resolve) => this.#release.push(() => resolve(decision))) : decision;
    const handler = new MessageHandler(
      RULES,
      {
        decide: ({ address }: Question) => decided(address.words === 0 ? DENY : DENY_ADDRESS),
        decideAddress: () => decided(DENY_ADDRESS),
        decideKnown: () => assert.fail('never so many wait'),
        cached: () => (answersLater ? undefined : DENY_ADDRESS),
      },
      { unknownMessage() {}, internalError: (error) => assert.fail(String(error)) },
    );
    const write = (bytes: Uint8Array) => {
      this.#written.push(bytes.slice());
      return true;
    };
    const peer = { write, end: () => this.#ended++ };
    const events = {
      protocolError() {},
      disconnectReceived() {},
      answered() {},
      answeredLate() {},
      healthChecked() {},
    };
    this.connection = new Connection(peer, { current: handler }, this.clock, events, output);
  }

  receive(chunk: Uint8Array): void {
    this.connection.receive(chunk);
    const expected = this.model.receive(chunk);
    assert.ok(output.isEmpty);
    if (expected.some(({ type }) => type === 'disconnect')) this.clock.advance(100);
    this.#compare(this.#take(), expected);
    assert.equal(this.#ended, this.model.isClosed ? 1 : 0);
  }

  /** Lets the decisions come that are still owed, and expects an ACK for each frame that waits. */
  async finish(): Promise<void> {
    for (const release of this.#release) release();
    if (this.#release.length > 0) await settled();
    const said = this.#take().map(({ streamId, frameId, payload, type }) => {
      assert.equal(type, 103);
      assert.ok(parseActions(payload).length > 0);
      return `${streamId}:${frameId}`;
    });
    assert.equal(said.length, this.model.waiting.size);
    assert.equal(new Set(said).size, said.length);
    this.connection.abandon();
    this.clock.advance(10_000);
    assert.equal(this.clock.timers + this.#written.length, 0);
  }

  #compare(said: readonly ParsedFrame[], expected: readonly AckPayload[]): void {
    assert.equal(said.length, expected.length, 'as many answers as the model has');
    for (let index = 0; index < said.length; index++)
      expectSame(said[index] as ParsedFrame, expected[index] as AckPayload); // same length
  }

  #take(): ParsedFrame[] {
    const written = this.#written;
    if (written.length === 0) return [];
    this.#written = [];
    return written.flatMap(parseFrames);
  }
}

function expectSame(said: ParsedFrame, expected: AckPayload): void {
  assert.equal(said.flags, 1);
  switch (expected.type) {
    case 'hello':
      assert.equal(said.type, 101);
      assert.equal(numberUnder('max-frame-size', said.payload), expected.maxFrameSize);
      return;
    case 'ack':
      assert.equal(said.type, 103);
      assert.equal(idsOf(said), expected.ids);
      assert.equal(parseActions(said.payload).length > 0, isKnown(expected.messages));
      // Long answers are cut down to what is essential on a connection with small frames.
      if (said.payload.length > 60) assert.equal(entryIn(said.payload), addressIn(expected.messages));
      return;
    default: {
      assert.equal(said.type, 102);
      const status = numberUnder('status-code', said.payload);
      assert.ok(expected.statuses.includes(status), `status ${status}, not one of ${expected.statuses}`);
    }
  }
}

/** The entry that an ACK names. */
function entryIn(payload: Uint8Array): string | undefined {
  const action = parseActions(payload).find(({ name }) => name === 'entry');
  return action !== undefined && 'value' in action ? textOf(action.value) : undefined;
}

/** What the first message that somebody knows asks of an address, which is the last it names. */
function addressIn(messages: readonly Message[]): string | undefined {
  const [, ...args] = messages.find((message) => isKnown([message])) ?? [''];
  const addresses = args.flatMap(([name, value]) => (name === 'ip' ? [textOfAddress(value)] : []));
  const last = addresses.findLast((address) => address !== undefined);
  return last === undefined ? undefined : `ip:${last}`;
}

function textOfAddress(value: Value): string | undefined {
  switch (value.type) {
    case 'ipv4':
    case 'ipv6':
      return formatAddress(value.value);
    case 'string':
    case 'binary': {
      const bytes = parseAddress(textOf(value) ?? '');
      return bytes === undefined ? undefined : formatAddress(bytes);
    }
    default:
      return undefined;
  }
}

const textOf = (value: Value) =>
  'value' in value && value.value instanceof Uint8Array ? Buffer.from(value.value).toString() : undefined;

const idsOf = ({ streamId, frameId }: ParsedFrame) => `${streamId}:${frameId}`;

describe('a connection under fire', () => {
  it(`answers ${FRAMES} wounded frames as the naive model does, and keeps nothing of them`, async (t) => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    // Most frames end in an error, and half of the time would go into stack traces that nobody reads.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    t.after(() => {
      Error.stackTraceLimit = stackTraceLimit;
    });
    const random = new Random(SEED);
    const frames = corpus(random);
    let kept = 0;
    let pair: Pair | undefined;
    let age = 0;
    let closed = 0;
    for (let count = 0; count < FRAMES; count++) {
      const isFirst = pair === undefined;
      pair ??= new Pair(random.oneIn(8));
      const wounded = mutate(random, random.pick(frames), frames);
      const chunk = isFirst && !random.oneIn(5) ? join2(HELLO, wounded) : wounded;
      const cut = random.oneIn(4) ? random.below(chunk.length + 1) : chunk.length;
      try {
        pair.receive(chunk.subarray(0, cut));
        if (cut < chunk.length) pair.receive(chunk.subarray(cut));
      } catch (error) {
        throw new Error(`frame ${count} of seed ${SEED}: ${Buffer.from(chunk).toString('hex')}`, { cause: error });
      }
      age++;
      if (pair.model.isClosed || pair.model.isHalfway || age > FRAMES_A_CONNECTION) {
        if (pair.model.isClosed) closed++;
        await pair.finish();
        pair = undefined;
        age = 0;
      }
      if (count === Math.floor(FRAMES / 10)) {
        collect();
        kept = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
      }
    }
    await pair?.finish();
    collect();
    const growth = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - kept;
    assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more than after a tenth`);
    assert.ok(closed > FRAMES / 20 && closed < FRAMES, `${closed} of ${FRAMES} frames closed their connection`);
  });
});

function join2(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
