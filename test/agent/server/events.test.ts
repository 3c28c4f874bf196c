import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectionLog, translatorLog } from '../../../agent/server/events.ts';
import { SpopError } from '../../../agent/spop/errors.ts';

function log() {
  const lines: [level: string, fields: object, message: string][] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
  return { lines, debug: at('debug'), warn: at('warn'), error: at('error') };
}

describe('the log of connections', () => {
  it('tells status and cause of what a peer broke', () => {
    const told = log();
    connectionLog(told).protocolError(new SpopError(3, 'frame of 9 bytes'));
    assert.deepEqual(told.lines, [
      ['warn', { status: 3, error: 'frame of 9 bytes' }, 'connection closed: peer broke the protocol'],
    ]);
  });

  it('tells what to do about HAProxy’s status 10, and only about that', () => {
    const told = log();
    connectionLog(told).peerComplained(10, 'fragmentation not supported');
    connectionLog(told).peerComplained(1, 'I/O error');
    assert.match(told.lines[0]?.[2] ?? '', /no option send-frag-payload/);
    assert.equal(told.lines[1]?.[2], 'HAProxy disconnects');
  });
});

describe('the log of messages', () => {
  it('tells each unknown name once, and no more than a hundred, since they come from the socket', () => {
    const told = log();
    const events = translatorLog(told);
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 150; index++) events.unknownMessage(`m${index}`);
    assert.equal(told.lines.length, 100);
  });

  it('tells a failure of our own as an error', () => {
    const told = log();
    const bug = new Error('bug');
    translatorLog(told).internalError(bug);
    assert.deepEqual(told.lines[0]?.slice(0, 2), ['error', { err: bug }]);
  });
});
