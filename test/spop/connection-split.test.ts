import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AckActions, DynamicActions } from '../../spop/ack-payload.ts';
import { OutputBuffer } from '../../spop/output-buffer.ts';
import { Conversation, NOTHING, Pending, settled } from '../support/spop/conversation.ts';
import { Model } from '../support/spop/model.ts';
import { corpus, mutate, naiveFrame } from '../support/spop/mutate.ts';
import { disconnect, hello, join, notify, parseFrames } from '../support/spop/naive-codec.ts';
import { Random } from '../support/spop/random.ts';

/** The same bytes in up to nine pieces, some of them empty. */
function cut(random: Random, bytes: Uint8Array): Uint8Array[] {
  const at = [
    0,
    bytes.length,
    ...Array.from({ length: random.below(9) }, () => random.below(bytes.length + 1)),
  ].toSorted((left, right) => left - right);
  return at.slice(1).map((end, index) => bytes.slice(at[index], end));
}

function answers(chunks: readonly Uint8Array[]): string[] {
  const talk = new Conversation();
  for (const chunk of chunks) talk.receive(chunk);
  talk.clock.advance(100);
  return [...talk.said(), ...talk.problems, `ended ${talk.ended}`];
}

describe('a connection', () => {
  it('gives the same answers however the bytes are cut', () => {
    const random = new Random(2);
    const wounded = corpus(random);
    for (let run = 0; run < 4000; run++) {
      const frames = Array.from({ length: 1 + random.below(6) }, () =>
        random.oneIn(6) ? mutate(random, random.pick(wounded), wounded) : naiveFrame(random),
      );
      const stream = join(hello(), ...frames);
      const expected = answers([stream]);
      for (const chunks of [cut(random, stream), cut(random, stream)])
        assert.deepEqual(answers(chunks), expected, Buffer.from(stream).toString('hex'));
      if (run % 100 === 0) assert.deepEqual(answers(Array.from(stream, (byte) => Uint8Array.of(byte))), expected);
    }
  });

  it('sends exactly one ACK for each frame that waits, in whatever order the answers come', async () => {
    const random = new Random(3);
    for (let run = 0; run < 200; run++) {
      const pending = new Pending<typeof NOTHING>();
      let asked = 0;
      const talk = new Conversation(() => pending.make(asked++));
      // The connection itself does not look into payloads, so it asks for messages that nobody knows as well.
      const model = new Model(() => true);
      const stream = join(hello(), ...Array.from({ length: 8 }, () => naiveFrame(random)));
      talk.receive(...cut(random, stream));
      model.receive(stream);
      const atOnce = talk.said().filter((word) => word.startsWith('ack'));
      assert.deepEqual(atOnce, []);
      const order = Array.from({ length: asked }, (_, index) => index).toSorted(() => random.below(3) - 1);
      for (const index of order) pending.keep(index, NOTHING);
      await settled();
      const expected = [...model.waiting].map((ids) => `ack ${ids}`);
      assert.deepEqual(talk.said().toSorted(), expected.toSorted());
    }
  });

  it('never sends what belongs to another, though all share one output', async () => {
    const random = new Random(4);
    for (let run = 0; run < 150; run++) {
      const output = new OutputBuffer();
      const talks = Array.from({ length: 2 + random.below(6) }, (_, index) => new Talk(index, output, random));
      for (let step = 0; step < 60; step++) {
        random.pick(talks).step();
        assert.ok(output.isEmpty);
        if (random.oneIn(8)) await settled();
      }
      for (const talk of talks) talk.keepAll();
      await settled();
      for (const talk of talks) talk.check();
    }
  });
});

/** One of many connections: every answer to it is made of its own number. */
class Talk {
  readonly #number: number;
  readonly #random: Random;
  readonly #talk: Conversation;
  readonly #pending = new Pending<AckActions>();
  /** The streams that are owed an ACK, and those that got one if nothing was sent wrongly. */
  readonly #owed = new Set<number>();
  readonly #expected: number[] = [];
  #streams = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #isOver = false;

  constructor(number: number, output: OutputBuffer, random: Random) {
    this.#number = number;
    this.#random = random;
    this.#talk = new Conversation(
      (stream) => (stream % 2n === 0n ? this.#answer() : this.#pending.make(stream)),
      output,
    );
    this.#talk.takesAtOnce = !random.oneIn(3);
    this.#talk.receive(hello());
  }

  step(): void {
    if (this.#isOver) return;
    switch (this.#random.below(10)) {
      case 0:
        if (!this.#random.oneIn(6)) return;
        this.#talk.receive(this.#rest);
        this.#rest = new Uint8Array(0);
        this.#talk.receive(disconnect(0, 'normal'));
        this.#isOver = true;
        return;
      case 1:
        if (!this.#random.oneIn(6)) return;
        this.#talk.connection.abandon();
        this.#isOver = true;
        return;
      case 2:
      case 3:
      case 4: {
        const stream = this.#random.pick([...this.#owed, 0]);
        if (stream > 0) this.#keep(stream);
        return;
      }
      default:
        this.#ask();
    }
  }

  keepAll(): void {
    if (!this.#isOver) this.#talk.receive(this.#rest);
    for (const stream of this.#owed) this.#keep(stream);
  }

  check(): void {
    const frames = this.#talk.writes.flatMap(parseFrames);
    const acks = frames.filter(({ type }) => type === 103);
    for (const { payload } of acks) assert.ok(payload.every((byte) => byte === this.#number));
    const got = acks.map(({ streamId }) => Number(streamId));
    assert.equal(new Set(got).size, got.length);
    // What was answered in the turn in which the connection ended may be lost with it.
    if (this.#isOver) assert.ok(got.every((stream) => this.#expected.includes(stream)));
    else assert.deepEqual(got.toSorted(), this.#expected.toSorted());
    assert.equal(frames[0]?.type, 101);
    assert.ok(frames.slice(1).every(({ type }, index) => type === 103 || index === frames.length - 2));
  }

  /** A few frames, of which the last may come in two pieces. */
  #ask(): void {
    const frames = Array.from({ length: 1 + this.#random.below(4) }, () => {
      const stream = ++this.#streams;
      if (stream % 2 === 0) this.#expected.push(stream);
      else this.#owed.add(stream);
      return notify(stream, 1, ['m']);
    });
    const bytes = join(this.#rest, ...frames);
    const end = this.#random.oneIn(3) ? bytes.length - this.#random.below(12) : bytes.length;
    this.#rest = bytes.slice(end);
    this.#talk.receive(bytes.subarray(0, end));
  }

  #keep(stream: number): void {
    if (!this.#talk.asked.includes(BigInt(stream))) return;
    this.#owed.delete(stream);
    this.#pending.keep(stream, this.#answer());
    this.#expected.push(stream);
  }

  #answer(): AckActions {
    const bytes = (count: number) => new Uint8Array(count).fill(this.#number);
    const rest = bytes(this.#random.below(30));
    const dynamic: DynamicActions = {
      maxBytes: rest.length,
      write(out, at) {
        out.set(rest, at);
        return at + rest.length;
      },
    };
    const answer = { full: bytes(this.#random.below(700)), essential: bytes(3) };
    return this.#random.oneIn(2) ? { ...answer, dynamic } : answer;
  }
}
