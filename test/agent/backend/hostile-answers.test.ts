import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { BackendClient } from '../../../agent/backend/client.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import { decisionOf, LookupError } from '../../../agent/decision/decision.ts';
import { encodeDecision } from '../../../agent/server/encode-decision.ts';
import { varsOf } from '../../../haproxy/variables.ts';
import { hostileEntry, isHarmless } from '../../support/hostile-values.ts';
import { parseActions } from '../../support/spop/naive-codec.ts';

const SUBJECT = 'header.x-key:k';
/** Everything HAProxy can be told with these headers declared. */
const TARGET = { scope: 'txn', vars: varsOf({ requestHeaders: ['X-Plan'], responseHeaders: [] }) } as const;
const TELLABLE =
  /^(action|source|reason|list|entry|status|shadow|location|ref|backend|path|query|body|req\.(set|add|del)\.x_plan)$/;
const MAX_ANSWER_BYTES = 8192;

describe('a backend that answers entries with anything in them', () => {
  let answer: unknown;
  const told: string[] = [];
  const server = createServer((_request, response) => response.end(JSON.stringify(answer)));
  let client: BackendClient;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a listening TCP server has one
    const settings = { url: `http://127.0.0.1:${port}`, timeoutMs: 5000, maxConcurrent: 4 };
    const events = {
      badEntry: (_subject: string, problem: string) => void told.push(problem),
      ignoresShadow() {},
      notCounted() {},
    };
    client = new BackendClient(settings, ['manual'], events, systemClock);
  });
  after(async () => {
    await client.close();
    server.close();
  });

  it('makes the agent tell HAProxy harmless text under known names, and refuse the rest in one line', async () => {
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(
        hostileEntry,
        fc.constantFrom(SUBJECT, SUBJECT, SUBJECT, 'header.x-key:other\r\n'),
        async (entry, subject) => {
          told.length = 0;
          answer = { ttl: 60, verdicts: [{ subject, entry }] };
          const asked = await client.check([SUBJECT]).catch((error) => {
            assert.ok(error instanceof LookupError);
            told.push(error.message);
          });
          for (const line of told) assert.ok(isHarmless(line), JSON.stringify(line));
          const lookup = asked?.lookups[0];
          if (lookup === undefined || 'error' in lookup) return assert.notEqual(told.length, 0);
          kept++;
          const { full } = encodeDecision(decisionOf(lookup.entry, 'backend'), TARGET, undefined);
          assert.ok(full.length <= MAX_ANSWER_BYTES, `${full.length} bytes`);
          for (const action of parseActions(full)) {
            assert.match(action.name, TELLABLE);
            assert.ok(action.type === 'set-var');
            const text = action.value.type === 'string' ? Buffer.from(action.value.value).toString() : '';
            assert.ok(action.name === 'entry' ? !/[\0\r\n]/.test(text) : isHarmless(text), JSON.stringify(text));
          }
        },
      ),
      { numRuns: 1500 },
    );
    assert.ok(kept > 50, `only ${kept} of them were used at all`);
  });
});
