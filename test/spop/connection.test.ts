import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpopError } from '../../spop/errors.ts';
import { decodeNotify } from '../../spop/notify.ts';
import { OutputBuffer } from '../../spop/output-buffer.ts';
import { answerOfBytes, Conversation, NOTHING, Pending, settled } from '../support/spop/conversation.ts';
import {
  bytesOf,
  disconnect,
  frame,
  fromHex,
  HEALTH_CHECK,
  hello,
  join,
  messages,
  notify,
  parseFrames,
  parsePairs,
  prefixed,
  str,
  u32,
} from '../support/spop/naive-codec.ts';
import { vector, vectorBytes } from '../support/spop/vectors.ts';

const HELLO = hello();

/** A connection that HAProxy has introduced itself on. */
function open(...args: ConstructorParameters<typeof Conversation>): Conversation {
  const talk = new Conversation(...args).receive(HELLO);
  assert.deepEqual(talk.said(), ['hello']);
  return talk;
}

/*
 * The situations that cannot arise inside a connection are tested where they can: bytes split anywhere (the property at
 * the end), open and close without a byte, ECONNRESET, EPIPE, a listener that goes first (listener.test.ts), unknown
 * messages, unnamed, repeated or unknown arguments, null, text that is not UTF-8, a handler that throws
 * (translate.test.ts), the handler's deadline (engine.test.ts), names and scopes (ack.test.ts). Three do not apply:
 * reassembled payloads and FIN|ABRT for them, as fragmentation is never announced (an UNSET is D(11)); D(13), as that
 * ends without a word; what all connections take together, and the end of idle ones (limiter.test.ts).
 */
describe('before HELLO', () => {
  const refusals: readonly (readonly [what: string, status: number, bytes: Uint8Array])[] = [
    ['a NOTIFY', 4, notify(1, 1, ['m'])],
    ['an UNSET', 4, frame({ type: 0, stream: 1, frame: 1 })],
    ['a HAPROXY-DISCONNECT', 4, disconnect(0, 'normal')],
    ['an AGENT-HELLO', 4, vectorBytes('agent-hello-pipelining.hex')],
    ['an unknown type', 4, frame({ type: 77 })],
    ['a length of 0', 4, fromHex('00000000')],
    ['a length of 6', 4, fromHex('00000006')],
    ['a length above 4 KiB', 3, fromHex('00001001')],
    ['a request of HTTP', 3, bytesOf('GET / HTTP/1.1\r\n\r\n')],
    ['a TLS handshake', 3, fromHex('160301020001')],
    ['a HELLO with stream-id 1', 4, hello({}, { stream: 1 })],
    ['a HELLO with frame-id 1', 4, hello({}, { frame: 1 })],
    ['a HELLO with FIN clear', 10, hello({}, { flags: 0 })],
    ['a HELLO without versions', 5, hello({ 'supported-versions': undefined })],
    ['a HELLO without version 2', 8, hello({ 'supported-versions': str('1.0') })],
    ['a HELLO without a frame size', 6, hello({ 'max-frame-size': undefined })],
    ['a HELLO with frame size 255', 9, hello({ 'max-frame-size': u32(255) })],
    ['a HELLO with a frame size of text', 9, hello({ 'max-frame-size': str('16380') })],
    ['a HELLO without capabilities', 7, hello({ capabilities: undefined })],
    ['a HELLO with capabilities of another type', 4, hello({ capabilities: u32(1) })],
    ['a HELLO with its list truncated', 4, prefixed(HELLO.subarray(4, HELLO.length - 1))],
    ['ids of eleven bytes', 4, fromHex('00000011 01 00000001 f080808080808080808000 00')],
  ];
  for (const [what, status, bytes] of refusals) {
    it(`answers ${what} with status ${status}, but only after 100 ms, so that HAProxy 2.6 to 3.0 does not storm`, () => {
      const talk = new Conversation().receive(bytes);
      assert.deepEqual(talk.problems, [`error ${status}`]);
      talk.clock.advance(99);
      assert.deepEqual([talk.said(), talk.ended], [[], 0]);
      talk.receive(HELLO, notify(1, 1));
      talk.clock.advance(1);
      assert.deepEqual([talk.said(), talk.ended, talk.asked], [[`disconnect ${status}`], 1, []]);
      assert.equal(talk.clock.timers, 0);
    });
  }

  it('waits five seconds for it, then refuses with status 2', () => {
    const talk = new Conversation().receive(HELLO.subarray(0, 20));
    talk.clock.advance(4999);
    assert.deepEqual(talk.problems, []);
    talk.clock.advance(1);
    assert.deepEqual(talk.problems, ['error 2']);
    talk.clock.advance(100);
    assert.deepEqual([talk.said(), talk.ended, talk.clock.timers], [['disconnect 2'], 1, 0]);
  });

  it('leaves no timer behind when the socket goes, also while a refusal waits', () => {
    const silent = new Conversation();
    silent.connection.abandon();
    const refused = new Conversation().receive(fromHex('00000000'));
    refused.connection.abandon();
    for (const talk of [silent, refused]) {
      talk.clock.advance(60_000);
      assert.deepEqual([talk.clock.timers, talk.said(), talk.ended], [0, [], 0]);
    }
  });
});

describe('HELLO', () => {
  it('is answered with exactly one write, since 3.2 refuses an answer in pieces', () => {
    const talk = new Conversation().receive(HELLO);
    assert.equal(talk.writes.length, 1);
    const [sent] = parseFrames(talk.writes[0] as Uint8Array); // one write, just asserted
    assert.deepEqual(parsePairs(sent?.payload ?? fromHex('')), [
      ['version', str('2.0')],
      ['max-frame-size', u32(16380)],
      ['capabilities', str('pipelining')],
    ]);
    assert.ok(talk.connection.isOpen);
    assert.equal(talk.clock.timers, 0);
  });

  for (const version of ['2.6.12', '3.2.26'])
    it(`of HAProxy ${version} is answered byte for byte with the vector that all versions take`, () => {
      const talk = new Conversation().receive(vectorBytes(`haproxy-${version}-hello.hex`));
      assert.deepEqual(talk.writes, [vectorBytes('agent-hello-pipelining.hex')]);
    });

  it('may have keys and capabilities that nobody knows', () => {
    const talk = new Conversation().receive(hello({ future: { type: 'null' }, capabilities: str('teleport') }));
    assert.deepEqual(talk.said(), ['hello']);
  });

  it('a second time is an invalid frame, at once', () => {
    const talk = open().receive(HELLO);
    assert.deepEqual([talk.said(), talk.ended], [['disconnect 4'], 1]);
  });

  it('and a NOTIFY in one chunk are answered in one write', () => {
    const talk = new Conversation().receive(join(HELLO, notify(1, 1)));
    assert.equal(talk.writes.length, 1);
    assert.deepEqual(talk.said(), ['hello', 'ack 1:1']);
  });
});

describe('a health check', () => {
  it('gets one AGENT-HELLO of size 256 and nothing else, also when it stays', () => {
    for (const check of [
      HEALTH_CHECK,
      vectorBytes('haproxy-2.6.12-healthcheck-hello.hex'),
      vectorBytes('haproxy-3.2.26-healthcheck-hello.hex'),
    ]) {
      const talk = new Conversation().receive(check);
      assert.equal(talk.writes.length, 1);
      const [sent, ...more] = parseFrames(talk.writes[0] as Uint8Array); // one write, just asserted
      assert.deepEqual(more, []);
      assert.deepEqual(parsePairs(sent?.payload ?? fromHex(''))[1], ['max-frame-size', u32(256)]);
      talk.clock.advance(60_000);
      assert.deepEqual([talk.writes.length, talk.ended, talk.clock.timers], [1, 0, 0]);
    }
  });

  it('does not count as open', () => {
    assert.equal(new Conversation().receive(HEALTH_CHECK).connection.isOpen, false);
  });

  it('takes no NOTIFY', () => {
    const talk = new Conversation().receive(HEALTH_CHECK, notify(1, 1));
    assert.deepEqual([talk.said(), talk.asked], [['hello', 'disconnect 4'], []]);
  });

  it('gets no DISCONNECT at a shutdown, before or after its answer', () => {
    for (const chunks of [[], [HEALTH_CHECK], [HEALTH_CHECK.subarray(0, 10)]]) {
      const talk = new Conversation().receive(...chunks);
      talk.said();
      talk.connection.drain();
      assert.deepEqual([talk.said(), talk.ended, talk.clock.timers], [[], 1, 0]);
    }
  });
});

describe('a NOTIFY', () => {
  it('may have stream-id 0, as up to 3.0', () => {
    assert.deepEqual(open().receive(notify(0, 1)).said(), ['ack 0:1']);
  });

  it('is answered with its own ids, of any size', () => {
    const talk = open().receive(notify(2n ** 64n - 1n, 2288n), notify(240, 2n ** 32n));
    assert.deepEqual(talk.said(), ['ack 18446744073709551615:2288', 'ack 240:4294967296']);
  });

  it('with reserved flags is answered', () => {
    assert.deepEqual(
      open()
        .receive(frame({ type: 3, flags: 0xfffffff1, stream: 1, frame: 1 }))
        .said(),
      ['ack 1:1'],
    );
  });

  const offences: readonly (readonly [what: string, status: number, bytes: Uint8Array])[] = [
    ['a NOTIFY with frame-id 0', 4, notify(1, 0)],
    ['a NOTIFY with FIN clear', 10, frame({ type: 3, flags: 0, stream: 1, frame: 1 })],
    [
      'the first fragment that HAProxy sends',
      10,
      vector('haproxy-2.6.12-notify-fragmented.hex').lines[0] as Uint8Array,
    ], // there are four
    ['an UNSET', 11, frame({ type: 0, stream: 1, frame: 1 })],
    ['an UNSET that aborts', 11, frame({ type: 0, flags: 3, stream: 1, frame: 1 })],
    ['a frame above the announced size', 3, fromHex('00003ffd')],
    ['a length of 6', 4, fromHex('00000006')],
    ['a length of 0', 4, fromHex('00000000')],
    ['ids that run past the frame', 4, fromHex('00000007 03 00000001 f080')],
    ['a DISCONNECT with ids', 4, frame({ type: 2, stream: 1 })],
    ['a DISCONNECT in fragments', 10, frame({ type: 2, flags: 0 })],
  ];
  for (const [what, status, bytes] of offences) {
    it(`comes no more after ${what}, which ends the connection at once with status ${status}`, () => {
      const talk = open().receive(join(notify(1, 1), bytes, notify(3, 1)));
      assert.deepEqual(talk.said(), ['ack 1:1', `disconnect ${status}`]);
      assert.deepEqual([talk.problems, talk.ended, talk.asked], [[`error ${status}`], 1, [1n]]);
      talk.receive(notify(5, 1));
      assert.deepEqual([talk.said(), talk.ended], [[], 1]);
    });
  }

  it('above the agent’s own size but within the announced one is taken, as 3.1.0 sends it', () => {
    const size = 1024 * 1024;
    const talk = new Conversation().receive(hello({ 'max-frame-size': u32(2048) }));
    talk.receive(notify(1, 1, ['m', ['body', { type: 'binary', value: new Uint8Array(2020) }]]));
    assert.deepEqual(talk.said(), ['hello', 'ack 1:1']);
    const large = new Conversation().receive(
      hello({ 'max-frame-size': u32(2 * size) }),
      notify(1, 1, ['m', ['b', { type: 'binary', value: new Uint8Array(size - 40) }]]),
    );
    assert.deepEqual(large.said(), ['hello', 'ack 1:1']);
    large.receive(Uint8Array.of(0, 0x10, 0, 1)); // above 1 MiB, the most that is ever agreed to
    assert.deepEqual(large.said(), ['disconnect 3']);
  });

  it('after a type that nobody knows is answered, and that one is skipped', () => {
    for (const type of [4, 50, 101, 102, 103, 200, 255])
      assert.deepEqual(
        open()
          .receive(frame({ type, stream: 9, frame: 9 }), notify(1, 1))
          .said(),
        ['ack 1:1'],
      );
  });

  it('whose ids still wait is an invalid frame, and its twin gets no ACK', async () => {
    const pending = new Pending<typeof NOTHING>();
    const talk = open((streamId) => pending.make(streamId)).receive(notify(1, 1), notify(1, 2), notify(1, 1));
    assert.deepEqual([talk.said(), talk.asked], [['disconnect 4'], [1n, 1n]]);
    pending.keep(1, NOTHING);
    await settled();
    assert.deepEqual(talk.said(), []);
  });

  it('may have the ids of one that has been answered', async () => {
    const pending = new Pending<typeof NOTHING>();
    const talk = open((streamId) => pending.make(streamId)).receive(notify(1, 1));
    pending.keep(1, NOTHING);
    await settled();
    talk.receive(notify(1, 1));
    pending.keep(1, NOTHING);
    await settled();
    assert.deepEqual(talk.said(), ['ack 1:1', 'ack 1:1']);
  });

  it('gets its ACK on its own connection, whatever others with the same ids do', async () => {
    const pending = new Pending<typeof NOTHING>();
    const one = open(() => pending.make(1)).receive(notify(1, 1));
    const other = open(() => pending.make(2)).receive(notify(1, 1));
    pending.keep(2, NOTHING);
    await settled();
    assert.deepEqual([one.said(), other.said()], [[], ['ack 1:1']]);
  });
});

describe('pipelining', () => {
  it('answers everything known in one write for each chunk', () => {
    const stream = vectorBytes('haproxy-3.2.26-notify-pipelined.hex');
    const talk = open().receive(stream);
    assert.equal(talk.writes.length, 1);
    assert.deepEqual(
      talk.said(),
      vector('haproxy-3.2.26-notify-pipelined.hex').frames.map(({ streamId, frameId }) => `ack ${streamId}:${frameId}`),
    );
  });

  it('sends a fast answer before a slow one', async () => {
    const pending = new Pending<typeof NOTHING>();
    const talk = open((streamId) => (streamId === 5n ? NOTHING : pending.make(streamId))).receive(
      join(notify(1, 1), notify(3, 1), notify(5, 1)),
    );
    assert.deepEqual(talk.said(), ['ack 5:1']);
    pending.keep(3, NOTHING);
    await settled();
    assert.deepEqual(talk.said(), ['ack 3:1']);
    pending.keep(1, answerOfBytes(3));
    await settled();
    assert.deepEqual(talk.said(), ['ack 1:1 aaaaaa']);
  });

  it('sends answers that come in one turn with one write', async () => {
    const pending = new Pending<typeof NOTHING>();
    const talk = open((streamId) => pending.make(streamId)).receive(...[1, 3, 5, 7].map((id) => notify(id, 1)));
    for (const id of [7, 1, 5, 3]) pending.keep(id, NOTHING);
    await settled();
    assert.equal(talk.writes.length, 1);
    assert.deepEqual(talk.said(), ['ack 7:1', 'ack 1:1', 'ack 5:1', 'ack 3:1']);
  });

  it('keeps the ids of what waits when the chunk they came in is used again', async () => {
    const pending = new Pending<typeof NOTHING>();
    const talk = open((streamId) => pending.make(streamId));
    const chunk = Buffer.from(join(notify(2n ** 40n, 1), notify(7, 3)));
    talk.receive(chunk);
    chunk.fill(0xff);
    pending.keep(7, NOTHING);
    pending.keep(2n ** 40n, NOTHING);
    await settled();
    assert.deepEqual(talk.said(), ['ack 7:3', 'ack 1099511627776:1']);
  });

  it('does not touch bytes that the socket still holds', () => {
    const talk = open((streamId) => answerOfBytes(Number(streamId)));
    talk.takesAtOnce = false;
    for (const id of [1, 2, 3]) talk.receive(notify(id, 1));
    assert.deepEqual(talk.said(), ['ack 1:1 aa', 'ack 2:1 aaaa', 'ack 3:1 aaaaaa']);
  });

  it('answers at once what comes while 256 wait', async () => {
    const pending = new Pending<typeof NOTHING>();
    const talk = open((streamId) => pending.make(streamId));
    const ids = Array.from({ length: 260 }, (_, index) => index);
    talk.receive(join(...ids.map((id) => notify(id, 1))));
    assert.equal(talk.asked.length, 256);
    assert.deepEqual(talk.overloaded, [256n, 257n, 258n, 259n]);
    assert.deepEqual(talk.said(), ['ack 256:1 aaaa', 'ack 257:1 aaaa', 'ack 258:1 aaaa', 'ack 259:1 aaaa']);
    pending.keep(0, NOTHING);
    await settled();
    talk.receive(notify(300, 1));
    assert.deepEqual([talk.said(), talk.asked.length], [['ack 0:1'], 257]);
  });
});

describe('the size of an ACK', () => {
  for (const announced of [256, 1024, 4096, 16380, 65532]) {
    it(`never lets twenty of them reach ${announced} + 4 bytes, which kills a connection of 3.1 to 3.5`, () => {
      for (let bytes = 1; bytes <= announced; bytes = Math.ceil(bytes * 1.05)) {
        const talk = new Conversation(() => answerOfBytes(bytes, 0)).receive(
          hello({ 'max-frame-size': u32(announced) }),
        );
        talk.said();
        talk.receive(
          join(...Array.from({ length: 20 }, (_, index) => notify(2n ** 64n - BigInt(index + 1), 2n ** 64n - 1n))),
        );
        const total = talk.writes.reduce((sum, { length }) => sum + length, 0);
        // Twenty empty ACKs with ids of ten bytes are 580 bytes: nothing can be left out of those.
        assert.ok(total < announced + 4 || total === 580, `${total} bytes for answers of ${bytes}`);
      }
    });
  }

  it('has up to 790 bytes of full actions on a connection of the usual size, and else the essential ones', async () => {
    for (const wait of [false, true]) {
      const talk = open((streamId) => {
        const answer = answerOfBytes(Number(streamId), 3);
        return wait ? Promise.resolve(answer) : answer;
      }).receive(notify(790, 1), notify(791, 1), notify(100_000, 1));
      await settled();
      assert.deepEqual(talk.said(), ['ack 790:1 790 bytes', 'ack 791:1 eeeeee', 'ack 100000:1 eeeeee']);
    }
  });

  it('has the bare actions if even the essential ones do not fit', async () => {
    for (const wait of [false, true]) {
      const talk = open((streamId) => {
        const answer = { ...answerOfBytes(2000, Number(streamId)), bare: new Uint8Array(2).fill(0xbb) };
        return wait ? Promise.resolve(answer) : answer;
      }).receive(notify(790, 1), notify(791, 1));
      await settled();
      assert.deepEqual(talk.said(), ['ack 790:1 790 bytes', 'ack 791:1 bbbb']);
    }
  });

  it('counts dynamic actions with their maximum length', () => {
    const dynamic = { maxBytes: 10, write: (out: Uint8Array, at: number) => out.fill(0xbb, at, at + 4) && at + 4 };
    const talk = open((streamId) => ({ ...answerOfBytes(Number(streamId), 3), dynamic }));
    talk.receive(notify(780, 1), notify(781, 1));
    assert.deepEqual(talk.said(), ['ack 780:1 784 bytes', 'ack 781:1 eeeeee']);
  });
});

describe('the end of a connection', () => {
  const pending = () => {
    const answers = new Pending<typeof NOTHING>();
    return { answers, talk: open((streamId) => answers.make(streamId)) };
  };

  for (const [status, message] of [
    [0, 'normal'],
    [2, 'a timeout occurred'],
  ] as const) {
    it(`by a HAPROXY-DISCONNECT of status ${status} is routine: AGENT-DISCONNECT 0, no ACK for what waits`, async () => {
      const { answers, talk } = pending();
      talk.receive(notify(1, 1), disconnect(status, message));
      assert.deepEqual([talk.said(), talk.ended, talk.problems], [['disconnect 0'], 1, []]);
      answers.keep(1, NOTHING);
      await settled();
      talk.receive(notify(3, 1), disconnect(0, 'again'));
      assert.deepEqual([talk.said(), talk.ended], [[], 1]);
    });
  }

  it('by any other HAPROXY-DISCONNECT is reported, and answered in the same way', () => {
    for (const { file, frames } of vectorsOfDisconnect()) {
      const talk = open().receive(vectorBytes(file));
      assert.deepEqual([talk.said(), talk.ended], [['disconnect 0'], 1], file);
      const status = frames[0]?.kv?.[0]?.value;
      assert.equal(talk.problems.length, status === '0' || status === '2' ? 0 : 1, file);
      assert.match(talk.problems[0] ?? `complaint ${status} `, new RegExp(`^complaint ${status} `));
    }
  });

  it('drops answers that come after the socket is closed', async () => {
    const { answers, talk } = pending();
    talk.receive(notify(1, 1), notify(3, 1));
    answers.keep(3, NOTHING);
    talk.connection.abandon();
    answers.keep(1, NOTHING);
    await settled();
    talk.receive(notify(5, 1));
    assert.deepEqual([talk.said(), talk.ended, talk.problems], [[], 0, []]);
  });

  it('drops an answer that was ready but not sent when the connection closed', async () => {
    const { answers, talk } = pending();
    talk.receive(notify(1, 1));
    answers.keep(1, NOTHING);
    talk.receive(fromHex('00000000'));
    await settled();
    assert.deepEqual(talk.said(), ['disconnect 4']);
  });

  it('by a shutdown waits for pending frames, then sends DISCONNECT with status 0', async () => {
    const { answers, talk } = pending();
    talk.receive(notify(1, 1), notify(3, 1));
    talk.connection.drain();
    talk.connection.drain();
    answers.keep(1, NOTHING);
    await settled();
    assert.deepEqual([talk.said(), talk.ended], [['ack 1:1'], 0]);
    talk.receive(notify(5, 1));
    answers.keep(3, NOTHING);
    await settled();
    assert.deepEqual([talk.said(), talk.ended], [['ack 3:1'], 0]);
    answers.keep(5, NOTHING);
    await settled();
    assert.deepEqual([talk.said(), talk.ended], [['ack 5:1'], 0]);
    talk.clock.advance(10);
    assert.deepEqual([talk.said(), talk.ended, talk.clock.timers], [['disconnect 0'], 1, 0]);
  });

  it('by a shutdown comes after the answers of the same turn', async () => {
    for (const inOneTurn of [1, 2]) {
      const { answers, talk } = pending();
      talk.receive(notify(1, 1), notify(3, 1));
      if (inOneTurn === 1) {
        answers.keep(3, NOTHING);
        await settled();
        assert.deepEqual(talk.said(), ['ack 3:1']);
      } else answers.keep(3, NOTHING);
      answers.keep(1, NOTHING);
      // After the answer is noted and before it is sent.
      queueMicrotask(() => {
        assert.deepEqual(talk.said(), []);
        talk.connection.drain();
        talk.clock.advance(60);
        assert.deepEqual([talk.said(), talk.ended], [[], 0]);
      });
      await settled();
      const acks = inOneTurn === 1 ? ['ack 1:1'] : ['ack 3:1', 'ack 1:1'];
      assert.deepEqual([talk.said(), talk.ended], [[...acks, 'disconnect 0'], 1]);
    }
  });

  it('by a shutdown comes 60 ms later if no frame is pending and none comes', () => {
    const talk = open();
    talk.connection.drain();
    talk.clock.advance(59);
    assert.deepEqual([talk.said(), talk.ended], [[], 0]);
    talk.clock.advance(1);
    assert.deepEqual([talk.said(), talk.ended], [['disconnect 0'], 1]);
    talk.connection.drain();
    assert.deepEqual([talk.said(), talk.ended, talk.clock.timers], [[], 1, 0]);
  });

  it('by a shutdown goes out in one write with the last ACKs, once nothing was asked for 10 ms', () => {
    const talk = open();
    talk.connection.drain();
    talk.clock.advance(40);
    talk.receive(join(notify(1, 1), notify(3, 1)));
    talk.clock.advance(9);
    talk.receive(notify(5, 1));
    talk.clock.advance(9);
    assert.deepEqual([talk.said(), talk.ended], [[], 0]);
    talk.clock.advance(1);
    assert.deepEqual([talk.writes.length, talk.ended, talk.clock.timers], [1, 1, 0]);
    assert.deepEqual(talk.said(), ['ack 1:1', 'ack 3:1', 'ack 5:1', 'disconnect 0']);
  });

  it('by a shutdown comes at once when HAProxy waits for as many answers as it may', () => {
    const talk = open();
    talk.connection.drain();
    for (let id = 1; id < 39; id += 2) talk.receive(notify(id, 1));
    assert.deepEqual([talk.said(), talk.ended], [[], 0]);
    talk.receive(notify(39, 1));
    assert.deepEqual([talk.said().length, talk.ended, talk.clock.timers], [21, 1, 0]);
  });

  it('by a shutdown holds no answer longer than HAProxy waits for it: 20 ms, and none that was awaited', async () => {
    const { answers, talk } = pending();
    talk.receive(notify(1, 1));
    talk.connection.drain();
    answers.keep(1, NOTHING);
    await settled();
    assert.deepEqual([talk.said(), talk.ended], [['ack 1:1'], 0]);
    const busy = open();
    busy.connection.drain();
    for (const id of [1, 3, 5, 7]) {
      busy.receive(notify(id, 1));
      busy.clock.advance(5);
    }
    assert.deepEqual(busy.said(), ['ack 1:1', 'ack 3:1', 'ack 5:1', 'ack 7:1', 'disconnect 0']);
    assert.deepEqual([busy.ended, busy.clock.timers], [1, 0]);
  });

  it('by a shutdown comes after what has arrived when the time is over', () => {
    const talk = open();
    talk.connection.drain();
    talk.clock.after(59, () => talk.receive(notify(1, 1))); // read behind the timer, as a late process does
    talk.clock.advance(60);
    assert.deepEqual([talk.said(), talk.ended], [[], 0]);
    talk.clock.advance(9);
    assert.deepEqual([talk.said(), talk.ended], [['ack 1:1', 'disconnect 0'], 1]);
  });

  it('by a refusal is not hastened by a shutdown', () => {
    const talk = new Conversation().receive(fromHex('00000000'));
    talk.connection.drain();
    assert.deepEqual([talk.said(), talk.ended], [[], 0]);
    talk.clock.advance(100);
    assert.deepEqual([talk.said(), talk.ended], [['disconnect 4'], 1]);
  });

  it('is the end: nothing is written to a connection that was closed', async () => {
    const { answers, talk } = pending();
    talk.receive(join(notify(1, 1), disconnect(0, ''), notify(3, 1)));
    assert.deepEqual(talk.said(), ['disconnect 0']);
    talk.connection.drain();
    answers.keep(1, NOTHING);
    await settled();
    talk.clock.advance(60_000);
    assert.deepEqual([talk.said(), talk.ended, talk.clock.timers], [[], 1, 0]);
  });

  function vectorsOfDisconnect() {
    return [
      'bad-frame-size',
      'bad-version',
      'fragmented-ack',
      'frame-id-not-found',
      'frame-too-big',
      'idle-timeout',
      'invalid-frame',
      'io-error',
      'no-max-frame-size',
      'no-version',
      'soft-stop',
    ].map((what) => vector(`haproxy-2.6.12-disconnect-${what}.hex`));
  }
});

describe('connections that share their output', () => {
  it('send what was answered before a handler of theirs breaks, to nobody but their own peer', () => {
    const output = new OutputBuffer();
    const bug = new Error('bug');
    const broken = open((streamId) => {
      if (streamId === 3n) throw bug;
      return answerOfBytes(1);
    }, output);
    const other = open(() => answerOfBytes(2), output);
    assert.throws(() => broken.receive(join(notify(1, 1), notify(3, 1), notify(5, 1))), bug);
    assert.ok(output.isEmpty);
    assert.deepEqual(broken.said(), ['ack 1:1 aa']);
    other.receive(notify(7, 1));
    assert.deepEqual([broken.said(), other.said()], [[], ['ack 7:1 aaaa']]);
  });

  it('leave nothing in it when a connection ends in any way', async () => {
    const drainAtOnce = (talk: Conversation) => {
      talk.connection.drain();
      talk.clock.advance(60);
    };
    const endings: readonly (readonly [end: (talk: Conversation) => unknown, said: readonly string[]])[] = [
      [drainAtOnce, ['ack 1:1', 'ack 3:1', 'disconnect 0']],
      [(talk) => talk.connection.abandon(), []],
      [(talk) => talk.receive(join(notify(9, 1), disconnect(0, 'normal'))), ['ack 9:1 aa', 'disconnect 0']],
      [(talk) => talk.receive(join(notify(9, 1), fromHex('00000000'))), ['ack 9:1 aa', 'disconnect 4']],
    ];
    for (const [end, said] of endings) {
      const output = new OutputBuffer();
      const pending = new Pending<typeof NOTHING>();
      const talk = open((streamId) => (streamId === 9n ? answerOfBytes(1) : pending.make(streamId)), output);
      talk.receive(join(notify(1, 1), notify(3, 1)));
      pending.keep(1, NOTHING);
      await new Promise<void>((resolve) => {
        queueMicrotask(() => {
          end(talk);
          assert.ok(output.isEmpty);
          resolve();
        });
      });
      await settled();
      pending.keep(3, NOTHING);
      await settled();
      assert.ok(output.isEmpty);
      assert.deepEqual(talk.said(), said);
    }
  });
});

describe('a malformed payload', () => {
  const strict = () =>
    open((_streamId, asked) => {
      decodeNotify(asked);
      return NOTHING;
    });
  for (const [what, payload] of [
    ['a value of type 10', fromHex('016d 01 0161 0a')],
    ['a value of type 15', fromHex('016d 01 0161 0f')],
    ['a truncated value', Uint8Array.from(messages([['m', ['a', str('b')]]]).slice(0, -1))],
    ['fewer arguments than it says', fromHex('016d 02 0161 00')],
    ['more arguments than it says', fromHex('016d 00 0161 08 0178')],
    ['a varint of eleven bytes', fromHex('016d 01 0161 04 f080808080808080808000')],
    ['a length past its end', fromHex('7f6d')],
  ] as const) {
    it(`because of ${what} ends the connection with status 4, after the answers before it`, () => {
      const bad = frame({ type: 3, stream: 3, frame: 1, payload });
      const talk = strict().receive(join(notify(1, 1, ['m']), bad, notify(5, 1)));
      assert.deepEqual([talk.said(), talk.ended, talk.problems], [['ack 1:1', 'disconnect 4'], 1, ['error 4']]);
    });
  }
});

describe('a partial frame', () => {
  const frames = join(notify(1, 1, ['m'.repeat(50)]), notify(2, 1, ['m'.repeat(50)]));
  const begins = frames.length / 2;

  it('waits since its first byte, however slowly the rest comes and wherever the chunks end', () => {
    for (let size = 1; size <= frames.length; size++) {
      const talk = open();
      let beganAtMs: number | undefined;
      for (let at = 0; at < frames.length; at += size) {
        talk.clock.advance(10);
        const end = Math.min(frames.length, at + size);
        talk.receive(frames.subarray(at, end));
        // The byte by which a frame began: the first, or that behind the last whole one.
        const frameAt = end < begins ? 0 : begins;
        if (end === begins || end === frames.length) beganAtMs = undefined;
        else if (at <= frameAt) beganAtMs = talk.clock.nowMs();
        assert.equal(talk.connection.activity.partialSinceMs, beganAtMs, `${size} bytes each, up to ${end}`);
      }
      assert.deepEqual(talk.asked, [1n, 2n]);
    }
  });

  it('closes the connection with status 2 if the peer takes too long', () => {
    const talk = open().receive(frames.subarray(0, 20));
    talk.connection.fail(new SpopError(2, 'too long'));
    assert.deepEqual([talk.said(), talk.ended, talk.problems], [['disconnect 2'], 1, ['error 2']]);
    talk.connection.fail(new SpopError(2, 'again'));
    assert.deepEqual([talk.said(), talk.problems], [[], ['error 2']]);
  });
});

describe('the size of a NOTIFY', () => {
  it('may be what HAProxy announced to the byte, and not one more', () => {
    for (const announced of [256, 1000, 16380]) {
      const talk = new Conversation().receive(hello({ 'max-frame-size': u32(announced) }));
      talk.receive(frame({ type: 3, stream: 1, frame: 1, payload: new Uint8Array(announced - 7) }));
      assert.deepEqual(talk.said(), ['hello', 'ack 1:1']);
      talk.receive(frame({ type: 3, stream: 1, frame: 1, payload: new Uint8Array(announced - 6) }));
      assert.deepEqual(talk.said(), ['disconnect 3']);
    }
  });
});
