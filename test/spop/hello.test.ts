import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerHello, decodeAgentHello, decodeHaproxyHello, encodeAgentHello } from '../../spop/hello.ts';
import { frameIn } from '../support/spop/frames.ts';
import {
  bytesOf,
  frame,
  fromHex,
  hello,
  pairs,
  parseFrames,
  parsePairs,
  str,
  toHex,
  u32,
  type Value,
} from '../support/spop/naive-codec.ts';
import { vectorBytes } from '../support/spop/vectors.ts';

const decode = (...args: Parameters<typeof hello>) => decodeHaproxyHello(frameIn(hello(...args)));
const truncated = () => {
  const payload = pairs([
    ['supported-versions', str('2.0')],
    ['max-frame-size', u32(16380)],
    ['capabilities', str('')],
  ]);
  return decodeHaproxyHello(frameIn(frame({ type: 1, payload: payload.slice(0, -1) })));
};

describe('HAPROXY-HELLO', () => {
  const refusals: readonly (readonly [what: string, status: number, act: () => unknown])[] = [
    ['stream-id 1', 4, () => decode({}, { stream: 1 })],
    ['frame-id 1', 4, () => decode({}, { frame: 1 })],
    ['FIN clear', 10, () => decode({}, { flags: 0 })],
    ['ABRT and no FIN', 10, () => decode({}, { flags: 2 })],
    ['no supported-versions', 5, () => decode({ 'supported-versions': undefined })],
    ['only version 1.0', 8, () => decode({ 'supported-versions': str('1.0') })],
    ['versions 1.0 and 3.0', 8, () => decode({ 'supported-versions': str('1.0, 3.0') })],
    ['version 12.0', 8, () => decode({ 'supported-versions': str('12.0') })],
    ['version 2.0beta', 8, () => decode({ 'supported-versions': str('2.0beta') })],
    ['an empty list of versions', 8, () => decode({ 'supported-versions': str('') })],
    ['versions as binary', 4, () => decode({ 'supported-versions': { type: 'binary', value: bytesOf('2.0') } })],
    ['versions as a number', 4, () => decode({ 'supported-versions': u32(2) })],
    ['no max-frame-size', 6, () => decode({ 'max-frame-size': undefined })],
    ['max-frame-size 255', 9, () => decode({ 'max-frame-size': u32(255) })],
    ['max-frame-size 0', 9, () => decode({ 'max-frame-size': u32(0) })],
    ['a negative max-frame-size', 9, () => decode({ 'max-frame-size': { type: 'int64', value: -1n } })],
    ['max-frame-size as text', 9, () => decode({ 'max-frame-size': str('16380') })],
    ['max-frame-size null', 9, () => decode({ 'max-frame-size': { type: 'null' } })],
    ['no capabilities', 7, () => decode({ capabilities: undefined })],
    ['capabilities as a number', 4, () => decode({ capabilities: u32(1) })],
    ['engine-id as a number', 4, () => decode({ 'engine-id': u32(1) })],
    ['healthcheck as text', 4, () => decode({ healthcheck: str('true') })],
    ['a truncated list', 4, truncated],
    [
      'a list that ends after a key',
      4,
      () => decodeHaproxyHello(frameIn(frame({ type: 1, payload: [3, 0x61, 0x62, 0x63] }))),
    ],
    [
      'an unknown key of a reserved type',
      4,
      () => decodeHaproxyHello(frameIn(frame({ type: 1, payload: [1, 0x61, 0x0b] }))),
    ],
    ['no keys at all', 5, () => decodeHaproxyHello(frameIn(frame({ type: 1 })))],
  ];
  for (const [what, status, act] of refusals) {
    it(`with ${what} is refused with status ${status}`, () => {
      assert.throws(act, { name: 'SpopError', status });
    });
  }

  it('may carry any integer type as its frame size, up to 32 bits of it', () => {
    for (const type of ['int32', 'uint32', 'int64', 'uint64'] as const) {
      assert.equal(decode({ 'max-frame-size': { type, value: 256n } }).maxFrameSize, 256);
      assert.equal(decode({ 'max-frame-size': { type, value: 2n ** 40n } }).maxFrameSize, 0xffffffff);
    }
  });

  it('may list versions with blanks, and any 2.x', () => {
    for (const versions of ['2.0', '1.0,2.0', ' 1.0 ,  2.0 ', '2.1', '3.0,2.17'])
      assert.doesNotThrow(() => decode({ 'supported-versions': str(versions) }), versions);
  });

  it('may have keys and capabilities that nobody knows', () => {
    const more: Record<string, Value> = { future: { type: 'null' }, '': str(''), 'max-frame-size-2': str('x') };
    const decoded = decode({ ...more, capabilities: str('pipelining, teleport,,async') });
    assert.deepEqual(decoded.capabilities, ['pipelining', 'teleport', 'async']);
  });

  it('says nothing of a health check unless it is one', () => {
    assert.equal(decode().healthcheck, false);
    assert.equal(decode({ healthcheck: { type: 'bool', value: false } }).healthcheck, false);
    assert.equal(decode({ healthcheck: { type: 'bool', value: true } }).healthcheck, true);
  });

  it('has the reserved flags ignored', () => {
    assert.doesNotThrow(() => decode({}, { flags: 0xfffffff1 }));
  });
});

describe('AGENT-HELLO', () => {
  const answer = (changes: Parameters<typeof hello>[0] = {}, own = 2 ** 20) => answerHello(decode(changes), own);

  it('says version, frame size and pipelining, in one frame with flags 1', () => {
    const [sent] = parseFrames(encodeAgentHello(answer()));
    assert.deepEqual({ ...sent, payload: [] }, { type: 101, flags: 1, streamId: 0n, frameId: 0n, payload: [] });
    assert.deepEqual(parsePairs(sent?.payload ?? fromHex('')), [
      ['version', str('2.0')],
      ['max-frame-size', u32(16380)],
      ['capabilities', str('pipelining')],
    ]);
  });

  it('is byte for byte agent-hello-pipelining.hex, which every HAProxy takes', () => {
    for (const version of ['2.6.12', '3.2.26']) {
      const greeting = decodeHaproxyHello(frameIn(vectorBytes(`haproxy-${version}-hello.hex`)));
      assert.equal(
        toHex(encodeAgentHello(answerHello(greeting, 2 ** 20))),
        toHex(vectorBytes('agent-hello-pipelining.hex')),
      );
    }
  });

  it('writes the other two vectors byte for byte as well', () => {
    for (const file of ['agent-hello-fragmentation.hex', 'agent-hello-no-capabilities.hex'])
      assert.equal(toHex(encodeAgentHello(decodeAgentHello(frameIn(vectorBytes(file))))), toHex(vectorBytes(file)));
  });

  it('never announces async or fragmentation, whatever is offered', () => {
    for (const offered of ['', 'pipelining,async', 'async,fragmentation', 'teleport'])
      assert.deepEqual(answer({ capabilities: str(offered) }).capabilities, ['pipelining']);
  });

  it('answers the smaller of both frame sizes', () => {
    assert.equal(answer({ 'max-frame-size': u32(256) }).maxFrameSize, 256);
    assert.equal(answer({ 'max-frame-size': u32(2 ** 31) }, 4096).maxFrameSize, 4096);
  });

  it('answers 256 to a health check, which announces 16380 whatever fits', () => {
    const check = decodeHaproxyHello(frameIn(vectorBytes('haproxy-3.2.26-healthcheck-hello.hex')));
    assert.equal(answerHello(check, 2 ** 20).maxFrameSize, 256);
  });

  it('is read with the status for what is wrong with it', () => {
    const read = (...list: Parameters<typeof pairs>[0]) =>
      decodeAgentHello(frameIn(frame({ type: 101, payload: pairs(list) })));
    assert.throws(() => read(['max-frame-size', u32(256)]), { status: 5 });
    assert.throws(() => read(['version', str('2.0')]), { status: 6 });
    assert.throws(() => read(['version', str('2.0')], ['max-frame-size', u32(1)]), { status: 9 });
    assert.deepEqual(read(['version', str('2.0')], ['max-frame-size', u32(256)]), {
      version: '2.0',
      maxFrameSize: 256,
      capabilities: [],
    });
  });
});
