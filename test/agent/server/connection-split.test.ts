import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Conversation, NOTHING, Pending, settled } from '../../support/spop/conversation.ts';
import { Model } from '../../support/spop/model.ts';
import { corpus, mutate, naiveFrame } from '../../support/spop/mutate.ts';
import { hello, join } from '../../support/spop/naive-codec.ts';
import { Random } from '../../support/spop/random.ts';

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

  it('owes and gives each waiting frame exactly one ACK, in whatever order the answers come', async () => {
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
});
