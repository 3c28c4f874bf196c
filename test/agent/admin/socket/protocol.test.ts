import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRequest, RequestError } from '../../../../agent/admin/socket/protocol.ts';

const line = (fields: object) => JSON.stringify({ version: 1, ...fields });

describe('a request on the admin socket', () => {
  it('is read with its subjects in canonical form, each once', () => {
    const subjects = ['2001:DB8:0::1', 'ip:2001:db8::1', 'host:Shop.example:443', '203.0.113.7'];
    assert.deepEqual(parseRequest(line({ command: 'explain', subjects })), {
      command: 'explain',
      subjects: ['ip:2001:db8::1', 'host:shop.example', 'ip:203.0.113.7'],
    });
    assert.deepEqual(parseRequest(line({ command: 'flush', all: true })), { command: 'flush', all: true });
    assert.deepEqual(parseRequest(line({ command: 'log-level', level: 'warn' })), {
      command: 'log-level',
      level: 'warn',
    });
  });

  const wrong: readonly [text: string, says: RegExp][] = [
    ['', /must be a JSON object/],
    ['[]', /must be a JSON object/],
    ['null', /must be a JSON object/],
    ['{"version":1', /must be a JSON object/],
    ['{"command":"state"}', /^version must be 1$/],
    ['{"version":2,"command":"state"}', /^version must be 1$/],
    [line({ command: 'toString' }), /^command must be one of state, hits, explain, flush, log-level, reload$/],
    [line({ command: 'state', subjects: [] }), /^state takes nothing beside/],
    [line({ command: 'flush' }), /^flush takes either subjects or all: true$/],
    [line({ command: 'flush', all: false }), /^flush takes either/],
    [line({ command: 'flush', all: true, subjects: ['203.0.113.7'] }), /^flush takes either/],
    [line({ command: 'flush', subjets: ['203.0.113.7'] }), /^flush takes subjects or all beside/],
    [line({ command: 'flush', subjects: [] }), /^subjects must be a list of 1 to 100/],
    [line({ command: 'flush', subjects: Array(101).fill('203.0.113.7') }), /^subjects must be a list of 1 to 100/],
    [line({ command: 'explain', subjects: [7] }), /^subjects must be a list/],
    [line({ command: 'explain', subjects: ['nonsense'] }), /^"nonsense" is not an address/],
    [line({ command: 'log-level', level: 'loud' }), /^level must be one of trace, debug, info, warn, error$/],
  ];
  for (const [text, says] of wrong) {
    it(`is refused: ${text.slice(0, 60) || 'an empty line'}`, () => {
      assert.throws(
        () => parseRequest(text),
        (error) => error instanceof RequestError && says.test(error.message),
      );
    });
  }

  it('is read or refused, whatever JSON comes', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          version: fc.constant(1),
          command: fc.constantFrom('flush', 'explain', 'log-level', '__proto__'),
          subjects: fc.jsonValue(),
          all: fc.jsonValue(),
          level: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(value, (json) => {
        try {
          const request = parseRequest(JSON.stringify(json));
          if (request.command === 'flush' && 'all' in request) assert.equal(request.all, true);
        } catch (error) {
          assert.ok(error instanceof RequestError, String(error));
          assert.doesNotMatch(error.message, /\p{Cc}/u);
        }
      }),
    );
  });
});
