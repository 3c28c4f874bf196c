import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeNotify, NotifyReader } from '../../spop/notify.ts';
import { frameIn, values } from '../support/spop/frames.ts';
import {
  bytesOf,
  frame,
  fromHex,
  type Message,
  messages,
  notify,
  type Pair,
  str,
} from '../support/spop/naive-codec.ts';

const decode = (...list: Message[]) => decodeNotify(frameIn(notify(1, 1, ...list)));
const payload = (hex: string) => frameIn(frame({ type: 3, stream: 1, frame: 1, payload: fromHex(hex) }));

const argument = fc.tuple(fc.string({ maxLength: 8 }), fc.constantFrom(...values)) satisfies fc.Arbitrary<Pair>;
const message = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.array(argument, { maxLength: 6 }))
  .map(([name, args]): Message => [name, ...args]);

describe('a NOTIFY', () => {
  it('is a list of messages with their arguments, in order', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (list) => {
        const expected = list.map(([name, ...args]) => ({
          name,
          args: args.map(([arg, value]) => ({ name: arg, value })),
        }));
        assert.deepEqual(decode(...list), expected);
      }),
    );
  });

  it('may have no message, as 3.1.0 and 3.2.0 send', () => {
    assert.deepEqual(decodeNotify(frameIn(fromHex('00000007 03 00000001 01 01'))), []);
  });

  it('may have a message without arguments, and up to 255 of them', () => {
    assert.deepEqual(decode(['m']), [{ name: 'm', args: [] }]);
    const args = Array.from({ length: 255 }, (_, index): Pair => [`a${index}`, { type: 'null' }]);
    assert.equal(decode(['m', ...args])[0]?.args.length, 255);
  });

  it('keeps unnamed and repeated arguments in their order', () => {
    const [only] = decode(['m', ['', str('1')], ['a', str('2')], ['', str('3')], ['a', { type: 'null' }]]);
    assert.deepEqual(
      only?.args.map(({ name }) => name),
      ['', 'a', '', 'a'],
    );
    assert.deepEqual(only?.args[3]?.value, { type: 'null' });
  });

  for (const [what, hex] of [
    ['announces more arguments than it has', '016d 02 0161 00'],
    ['announces fewer arguments than it has', '016d 01 0161 00 0162 08 0178'],
    ['has no argument count', '016d'],
    ['has a value of type 10', '016d 01 0161 0a'],
    ['has a value of type 15', '016d 01 0161 1f'],
    ['has a name past its end', '056d6d'],
    ['has an argument name past its end', '016d 01 7f61 00'],
    ['has a string past its end', '016d 01 0161 08 05 6161'],
    ['has a string of 2^64-1 bytes', '016d 01 0161 08 fff0fefefefefefefe0e'],
    ['has a varint of eleven bytes', '016d 01 0161 04 f080808080808080808000'],
    ['has half an address', '016d 01 0161 06 7f0000'],
    ['has a name of eleven length bytes', 'f080808080808080808000'],
  ] as const) {
    it(`that ${what} is refused, read or skipped`, () => {
      assert.throws(() => decodeNotify(payload(hex)), { name: 'SpopError', status: 4 });
      const reader = new NotifyReader();
      reader.open(payload(hex));
      assert.throws(() => while_(() => reader.nextMessage()), { name: 'SpopError', status: 4 });
    });
  }
});

describe('a reader of NOTIFYs', () => {
  it('skips the arguments that nobody asked for', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(6)), (list, asked) => {
        const reader = new NotifyReader();
        reader.open(frameIn(frame({ type: 3, stream: 1, frame: 1, payload: messages(list) })));
        for (const [index, [name, ...args]] of list.entries()) {
          assert.ok(reader.nextMessage());
          assert.equal(Buffer.from(reader.bytes.subarray(reader.messageAt, reader.messageEnd)).toString(), name);
          for (const [argName, value] of args.slice(0, asked[index] ?? 0)) {
            assert.ok(reader.nextArgument());
            assert.equal(Buffer.from(reader.bytes.subarray(reader.nameAt, reader.nameEnd)).toString(), argName);
            assert.deepEqual(reader.data(), value);
          }
        }
        assert.equal(reader.nextMessage(), false);
        assert.equal(reader.nextArgument(), false);
      }),
    );
  });

  it('finds the arguments of the names asked for, in the order sent', () => {
    fc.assert(
      fc.property(message, fc.array(fc.string({ maxLength: 3 })), ([name, ...args], others) => {
        const wanted = [...others, ...args.filter((_, index) => index % 2 === 0).map(([argName]) => argName)];
        const reader = new NotifyReader();
        reader.open(frameIn(frame({ type: 3, stream: 1, frame: 1, payload: messages([[name, ...args]]) })));
        reader.nextMessage();
        const names = wanted.map((argName) => bytesOf(argName));
        for (const [argName, value] of args.filter(([argName]) => wanted.includes(argName))) {
          assert.equal(reader.nextOf(names), wanted.indexOf(argName));
          assert.deepEqual(reader.data(), value);
        }
        assert.equal(reader.nextOf(names), -1);
        assert.equal(reader.nextMessage(), false);
      }),
    );
  });

  it('shows a string without its length, and an address as it is', () => {
    const reader = new NotifyReader();
    reader.open(payload('016d 02 0161 08 03 474554 0162 06 7f000001'));
    reader.nextMessage();
    for (const [type, hex] of [
      [8, '474554'],
      [6, '7f000001'],
    ] as const) {
      assert.ok(reader.nextArgument());
      assert.equal(reader.type, type);
      assert.equal(Buffer.from(reader.bytes.subarray(reader.valueAt, reader.valueEnd)).toString('hex'), hex);
    }
    assert.equal(reader.nextArgument(), false);
  });

  it('starts afresh with each frame, also in the middle of the last', () => {
    const reader = new NotifyReader();
    reader.open(payload('016d 03 0161 00 0162 00 0163 00'));
    reader.nextMessage();
    reader.nextArgument();
    reader.open(payload('016e 00'));
    assert.equal(reader.nextArgument(), false);
    assert.ok(reader.nextMessage());
    assert.equal(reader.nextMessage(), false);
  });
});

function while_(next: () => boolean): void {
  while (next());
}
