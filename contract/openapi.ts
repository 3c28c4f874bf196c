import { type CheckRequest, type CheckResponse, ENDPOINTS, type Endpoint } from './check.ts';
import { contractSchemas, querySchemas } from './json-schema.ts';
import { MIRROR_ID, type Mirror, type SegmentLine } from './mirror.ts';
import type { UpdatesPage, UpdatesRequest } from './updates.ts';

const REQUEST_EXAMPLE: CheckRequest = {
  lists: ['manual', 'spamhaus-drop'],
  subjects: ['ip:203.0.113.7', 'host:shop.example'],
};

const RESPONSE_EXAMPLE: CheckResponse = {
  verdicts: [
    {
      subject: 'ip:203.0.113.7',
      entry: { subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny', reason: 'abuse', status: 403 },
    },
    { subject: 'host:shop.example', entry: null },
  ],
  ttl: 60,
};

const UPDATES_EXAMPLE: UpdatesPage = {
  cursor: '5f0c2a.1042.9d3be1',
  changes: [
    {
      key: { subject: 'ip:203.0.113.7', list: 'manual' },
      entry: { subject: 'ip:203.0.113.7', list: 'manual', action: 'deny', reason: 'abuse' },
    },
    { key: { subject: 'ip:198.51.100.0/24', list: 'spamhaus-drop' }, entry: null },
  ],
  provenAgeMs: 840,
  now: 1_790_000_000_000,
  more: false,
  waitMs: 1000,
};

const MIRROR_EXAMPLE: Mirror = {
  id: '7c21fe',
  cursor: '5f0c2a.1042.9d3be1',
  position: 1042,
  lists: {
    manual: { count: 3, digest: '264ec49b8a42f341' },
    'spamhaus-drop': { count: 0, digest: '0000000000000000' },
  },
  segments: [
    {
      n: 0,
      list: 'manual',
      digest: '465370b0da680f853d9aefff4f56a9da2fce937649e0c5dba1ae4d3117d5185f',
      bytes: 120,
      entries: 3,
    },
  ],
  now: 1_790_000_000_000,
};

const SEGMENT_EXAMPLE: readonly SegmentLine[] = [
  { action: 'deny', reason: 'abuse' },
  'ip:203.0.113.7',
  ['ip:198.51.100.0/24', 1_790_000_000],
  ['192.0.2.1', null, 'ip:192.0.2.1'],
];

/** The contract as an OpenAPI 3.1 document, for authors of backends in other languages. */
export function openApiDocument(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'haverdict backend',
      version: 'v1',
      description:
        'What the haverdict agent requests. Both sides ignore unknown fields, so either can be upgraded first.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: Object.fromEntries(Object.entries(ENDPOINTS).map(pathItem)),
    components: { schemas: contractSchemas((id) => `#/components/schemas/${id}`) },
  };
}

const LISTS_PARAMETER = parameter('lists', 'The names of the lists with commas between them', true);

const OPERATIONS: Readonly<Record<Endpoint, object>> = {
  check: {
    summary: 'Look up the winning entry for each subject',
    requestBody: { required: true, content: json('CheckRequest', REQUEST_EXAMPLE) },
    responses: {
      200: {
        description: 'A verdict for each subject, in order',
        content: json('CheckResponse', RESPONSE_EXAMPLE),
      },
      400: refusal('The request does not conform to this document; the agent does not retry it'),
      413: refusal('The body is too large'),
      429: refusal('Too many calls, which is not a failure; the agent sends fewer'),
      503: refusal('Nothing could be looked up; the agent applies its policy and retries later'),
    },
  },
  health: {
    summary: 'Whether this backend is running',
    responses: {
      200: { description: 'It is running', content: { 'application/json': { schema: { type: 'object' } } } },
    },
  },
  updates: {
    summary: 'The changes of some lists since a place in the log; optional',
    parameters: [
      parameter('after', 'The cursor of the last page; without it the answer has where the log ends now', false),
      LISTS_PARAMETER,
    ],
    responses: {
      200: { description: 'The changes after the cursor', content: json('UpdatesPage', UPDATES_EXAMPLE) },
      400: refusal('The request does not conform to this document'),
      404: refusal('This backend has no updates: the agent learns of a change when an answer ends'),
      410: refusal('The cursor is not in the log: the agent asks again without it, and keeps no answer from before'),
      429: refusal('Too many calls; the agent sends fewer'),
      503: refusal('The log cannot be read; the agent asks again with the same cursor'),
    },
  },
  mirror: {
    summary: 'Where all entries of some lists can be loaded; optional',
    parameters: [LISTS_PARAMETER],
    responses: {
      200: { description: 'The segments to load, with an ETag', content: json('Mirror', MIRROR_EXAMPLE) },
      304: { description: 'The mirror is still the one whose ETag was sent as If-None-Match' },
      400: refusal('The request does not conform to this document'),
      404: refusal('This backend has no mirror: the agent asks about each subject'),
      429: refusal('Too many calls; the agent sends fewer'),
      503: refusal(
        'There is no mirror yet, or none whose cursor is in the log; the agent asks again after Retry-After',
      ),
    },
  },
  segment: {
    summary: 'A part of a mirror; it never changes',
    parameters: [
      pathParameter('id', 'The id of the mirror', { type: 'string', pattern: MIRROR_ID.source }),
      pathParameter('n', 'The number of the segment', { type: 'integer', minimum: 0 }),
    ],
    responses: {
      200: {
        description:
          'One line of JSON for each class and each entry, each ended by a line feed; usually with content-encoding gzip',
        content: {
          'application/x-ndjson': {
            schema: { type: 'string', description: 'Each line is a SegmentLine' },
            example: SEGMENT_EXAMPLE.map((line) => `${JSON.stringify(line)}\n`).join(''),
          },
        },
      },
      404: refusal('There is no such segment any more: the agent asks for the manifest again'),
      429: refusal('Too many calls; the agent sends fewer'),
      503: refusal('The segment cannot be read; the agent asks again'),
    },
  },
};

function parameter(name: keyof UpdatesRequest, description: string, required: boolean): object {
  const schema = querySchemas()[name];
  return { name, in: 'query', required, style: 'form', explode: false, description, schema };
}

function pathParameter(name: string, description: string, schema: object): object {
  return { name, in: 'path', required: true, description, schema };
}

function pathItem([name, { method, path }]: [string, (typeof ENDPOINTS)[Endpoint]]): [string, object] {
  const operation = OPERATIONS[name as Endpoint]; // a key of ENDPOINTS
  return [path, { [method.toLowerCase()]: { operationId: name, ...operation } }];
}

function refusal(description: string): object {
  return { description, content: json('Refusal', { error: 'subjects must have at most 100 of them' }) };
}

function json(schema: string, example: object): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, example } };
}
