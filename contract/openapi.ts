import { type CheckRequest, type CheckResponse, ENDPOINTS, type Endpoint } from './check.ts';
import { contractSchemas, querySchemas } from './json-schema.ts';
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
      parameter('lists', 'The names of the lists with commas between them', true),
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
};

function parameter(name: keyof UpdatesRequest, description: string, required: boolean): object {
  const schema = querySchemas()[name];
  return { name, in: 'query', required, style: 'form', explode: false, description, schema };
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
