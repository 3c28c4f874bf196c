import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { ACTIONS } from '../../contract/actions.ts';
import { CheckRequest, CheckResponse, Entry, Verdict } from '../../contract/check.ts';
import { contractDocument } from '../../contract/json-schema.ts';
import { Mirror, mirrorProblem, SegmentLine } from '../../contract/mirror.ts';
import { openApiDocument } from '../../contract/openapi.ts';
import { Change, pageProblem, UpdatesPage } from '../../contract/updates.ts';
import { classHash, ListDigest } from '../../updates/digest.ts';
import { satisfies } from '../support/json-schema.ts';

const reference = (name: string) => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8');
const schemaFile = JSON.parse(reference('contract.schema.json'));
const openApiFile = parse(reference('contract.openapi.yaml'));

describe('the contract as a document', () => {
  it('is in docs/reference as JSON Schema: `haverdict contract schema`', () => {
    assert.deepEqual(schemaFile, contractDocument());
  });

  it('is in docs/reference as OpenAPI: `haverdict contract openapi`', () => {
    assert.deepEqual(openApiFile, JSON.parse(JSON.stringify(openApiDocument())));
  });

  it('has the same parts in both', () => {
    const text = JSON.stringify(openApiFile.components.schemas).replaceAll('#/components/schemas/', '#/$defs/');
    assert.deepEqual(JSON.parse(text), schemaFile.$defs);
  });

  it('says of every part and every field that needs it what it is for', () => {
    for (const [name, part] of Object.entries<{ description?: string }>(schemaFile.$defs))
      assert.ok(part.description, name);
    assert.ok(schemaFile.$defs.CheckResponse.properties.ttl.description);
  });

  it('has examples that the agent and the function take', () => {
    const { requestBody, responses } = openApiFile.paths['/v1/check'].post;
    const request = CheckRequest.parse(requestBody.content['application/json'].example);
    const response = CheckResponse.parse(responses[200].content['application/json'].example);
    assert.deepEqual(
      response.verdicts.map(({ subject }) => subject),
      request.subjects,
    );
  });

  it('has an example of a page that an agent applies', () => {
    const { responses } = openApiFile.paths['/v1/updates'].get;
    const page = UpdatesPage.parse(responses[200].content['application/json'].example);
    assert.equal(pageProblem(page, ['manual', 'spamhaus-drop']), undefined);
  });

  it('has an example of a manifest and of a segment', () => {
    const { responses } = openApiFile.paths['/v1/mirror'].get;
    const mirror = Mirror.parse(responses[200].content['application/json'].example);
    assert.equal(mirrorProblem(mirror, ['manual', 'spamhaus-drop']), undefined);
    const segment = openApiFile.paths['/v1/mirror/{id}/{n}'].get.responses[200].content['application/x-ndjson'].example;
    const lines = segment.split('\n').slice(0, -1);
    for (const line of lines) SegmentLine.parse(JSON.parse(line));
    assert.equal(lines.length, 4);
    const [{ bytes, digest } = assert.fail()] = mirror.segments;
    assert.deepEqual([bytes, digest], [segment.length, createHash('sha256').update(segment).digest('hex')]);
    const list = new ListDigest();
    const hash = classHash(lines[0]);
    list.entry(1, 'ip:203.0.113.7', 'ip:203.0.113.7', undefined, hash);
    list.entry(1, 'ip:198.51.100.0/24', 'ip:198.51.100.0/24', 1_790_000_000, hash);
    list.entry(1, '192.0.2.1', 'ip:192.0.2.1', undefined, hash);
    assert.deepEqual(mirror.lists.manual, list.state);
  });
});

const scraps = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    'manual',
    'a b',
    'ip:203.0.113.7',
    'x'.repeat(1025),
    'a\r\nb',
    'ä',
    '\u202e',
    0,
    -1,
  ),
  fc.constantFrom<unknown>(1.5, 403, 418, '403', 86_400, 86_401, 1_800_000_000, true, [], {}, 'allow', 'deny', 'ban'),
);
const list = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('manual', 'a.b-c_9') }, scraps);
const subject = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('ip:203.0.113.7', 'host:a') }, scraps);
const entry = fc.record(
  {
    subject,
    list,
    action: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ACTIONS) }, scraps),
    reason: fc.oneof(fc.constantFrom('abuse', 'x'.repeat(200), 'x'.repeat(201)), scraps),
    status: fc.oneof(fc.constantFrom(403, 429, 504, 308), scraps),
    vars: fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.string(), scraps), { maxKeys: 2 }), scraps),
    shadow: fc.oneof(fc.constantFrom(...ACTIONS), scraps),
    expiresAt: fc.oneof(fc.nat(), scraps),
    colour: scraps,
  },
  { requiredKeys: ['subject', 'list', 'action'] },
);
const verdict = fc.record(
  { subject, entry: fc.oneof(entry, fc.constant(null), scraps), error: scraps },
  { requiredKeys: ['subject'] },
);
const lists = fc.oneof({ weight: 4, arbitrary: fc.array(list, { maxLength: 34 }) }, scraps);
const subjects = fc.oneof({ weight: 4, arbitrary: fc.array(subject, { maxLength: 102 }) }, scraps);
const ttl = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 60, 86_400) }, scraps);

const whole = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 840, 60_000, 60_001, -1, 0.5) }, scraps);
const change = fc.record({
  key: fc.oneof({ weight: 9, arbitrary: fc.record({ subject, list }) }, scraps),
  entry: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, entry),
});
const page = fc.record({
  cursor: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('5f.1042.9d', 'a b', 'x'.repeat(129)) }, scraps),
  changes: fc.array(change, { maxLength: 2 }),
  provenAgeMs: fc.oneof(fc.constant(null), whole),
  now: whole,
  more: fc.boolean(),
  waitMs: whole,
});

const state = fc.record({ count: whole, digest: fc.constantFrom('0123456789abcdef', '0123', 'x'.repeat(16)) });
const states = fc.dictionary(fc.constantFrom('manual', 'a b'), fc.oneof({ weight: 4, arbitrary: state }, scraps), {
  maxKeys: 1,
});
const segment = fc.record({
  n: whole,
  list: fc.constantFrom('manual', 'feed'),
  digest: fc.constantFrom('0'.repeat(64), '0'.repeat(63)),
  bytes: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(0, 2 * 1024 * 1024) }, scraps),
  entries: whole,
});
const mirror = fc.record({
  id: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('7c21fe', 'a-b', 'x'.repeat(33)) }, scraps),
  cursor: fc.constantFrom('5f.1042.9d', 'a b'),
  position: whole,
  lists: states,
  segments: fc.array(segment, { maxLength: 1 }),
  now: whole,
});
const line = fc.oneof(
  subject,
  entry,
  fc.tuple(subject, whole),
  fc.tuple(subject, fc.oneof(fc.constant(null), whole), subject),
  fc.array(scraps, { maxLength: 4 }),
);

describe('the JSON Schema in docs/reference', () => {
  for (const [name, ours, values] of [
    ['Entry', Entry, entry],
    ['Verdict', Verdict, verdict],
    [
      'CheckRequest',
      CheckRequest,
      fc.record({ lists, shadowLists: lists, subjects, colour: scraps }, { requiredKeys: [] }),
    ],
    ['CheckResponse', CheckResponse, fc.record({ verdicts: fc.array(verdict, { maxLength: 3 }), ttl })],
    ['Change', Change, change],
    ['UpdatesPage', UpdatesPage, page],
    ['Mirror', Mirror, mirror],
    ['SegmentLine', SegmentLine, line],
  ] as const)
    it(`takes and refuses the same as the code does: ${name}`, () => {
      let taken = 0;
      fc.assert(
        fc.property(values, (value: unknown) => {
          const accepted = ours.safeParse(value).success;
          if (accepted) taken++;
          assert.equal(satisfies(value, schemaFile.$defs[name], schemaFile), accepted, JSON.stringify(value));
        }),
        { numRuns: 2000 },
      );
      assert.ok(taken > 20 && taken < 1980, `${taken} of 2000 were right: neither side was tested`);
    });
});
