import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../../../dev/local-cloud/credentials.ts';
import { SignatureError, type SignedRequest, verify } from '../../../dev/local-cloud/sigv4-verifier.ts';

/** Requests and signatures of AWS's own Signature Version 4 test suite, all signed with these. */
const SUITE = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: '',
  expiresAtMs: Number.POSITIVE_INFINITY,
  source: 'suite',
};
const SUITE_NOW = Date.UTC(2015, 7, 30, 12, 36, 0);
const VECTORS = [
  {
    name: 'get-vanilla',
    request: { method: 'GET', target: '/' },
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'post-vanilla',
    request: { method: 'POST', target: '/' },
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'get-vanilla-query-order-key-case',
    request: { method: 'GET', target: '/?Param2=value2&Param1=value1' },
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'post-x-www-form-urlencoded',
    request: { method: 'POST', target: '/', body: 'Param1=value1', type: 'application/x-www-form-urlencoded' },
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
] as const;

const NOW = Date.UTC(2026, 10, 22, 10, 0, 0);
const OURS: Credentials = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'token+/=',
  expiresAtMs: NOW + 60_000,
  source: 'arn:aws:iam::123456789012:role/agent',
};

describe('the signature verifier', () => {
  for (const { name, request, signature } of VECTORS) {
    it(`accepts ${name} of AWS's test suite, and that signature only`, () => {
      const options = { region: 'us-east-1', service: 'service', find: () => SUITE, clock: () => SUITE_NOW };
      const type = 'type' in request ? { 'content-type': request.type } : {};
      const names = [...Object.keys(type), 'host', 'x-amz-date'].join(';');
      const signed = (signature: string): SignedRequest => ({
        method: request.method,
        target: request.target,
        body: Buffer.from('body' in request ? request.body : ''),
        headers: {
          ...type,
          host: 'example.amazonaws.com',
          'x-amz-date': '20150830T123600Z',
          authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
        },
      });
      assert.equal(verify(signed(signature), options), SUITE);
      const other = signature.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      assert.throws(() => verify(signed(other), options), /does not match the signature you provided/);
    });
  }

  const TARGETS = ['/v1/check', '/', '/a%20b/%C3%A4', '/a?b=c&a=%20&a=1&empty=', '/x?name=a%2Fb', '/a/b+c,d(e)'];
  for (const target of TARGETS) {
    it(`agrees with the signer of the SDK about ${target}`, async () => {
      assert.equal(verifyAt(await signed({ target })), OURS);
    });
  }

  it('agrees with the signer of the SDK about headers with spaces in them', async () => {
    assert.equal(verifyAt(await signed({ headers: { 'x-thing': '  a   b ' } })), OURS);
  });

  const TAMPERINGS: readonly { what: string; change: (request: SignedRequest) => SignedRequest }[] = [
    { what: 'body', change: (request) => ({ ...request, body: Buffer.from('{"lists":[]}') }) },
    { what: 'path', change: (request) => ({ ...request, target: '/v1/health' }) },
    { what: 'query', change: (request) => ({ ...request, target: `${request.target}?a=1` }) },
    { what: 'method', change: (request) => ({ ...request, method: 'PUT' }) },
    { what: 'host', change: (request) => withHeader(request, 'host', 'other.example') },
    { what: 'signed header', change: (request) => withHeader(request, 'content-type', 'text/plain') },
    { what: 'hash of the body', change: (request) => withHeader(request, 'x-amz-content-sha256', 'a'.repeat(64)) },
    { what: 'unsigned payload', change: (request) => withHeader(request, 'x-amz-content-sha256', 'UNSIGNED-PAYLOAD') },
  ];
  for (const { what, change } of TAMPERINGS) {
    it(`refuses another ${what}`, async () => {
      const changed = change(await signed({}));
      assert.throws(() => verifyAt(changed), refused('InvalidSignatureException', /does not match the signature/));
    });
  }

  const REFUSALS: readonly {
    what: string;
    exception: string;
    message: RegExp;
    sign?: Parameters<typeof signed>[0];
    change?: (request: SignedRequest) => SignedRequest;
    atMs?: number;
  }[] = [
    {
      what: 'no signature',
      exception: 'MissingAuthenticationTokenException',
      message: /missing Authentication Token/,
      change: (request) => withHeader(request, 'authorization', undefined),
    },
    {
      what: 'an authorization of another kind',
      exception: 'IncompleteSignatureException',
      message: /Authorization=Bearer$/,
      change: (request) => withHeader(request, 'authorization', 'Bearer abc'),
    },
    {
      what: 'an unknown key',
      exception: 'UnrecognizedClientException',
      message: /security token included in the request is invalid/,
      sign: { credentials: { ...OURS, accessKeyId: 'ASIAOTHER' } },
    },
    {
      what: 'another session token',
      exception: 'UnrecognizedClientException',
      message: /security token included in the request is invalid/,
      sign: { credentials: { ...OURS, sessionToken: 'other' } },
    },
    {
      what: 'another secret',
      exception: 'InvalidSignatureException',
      message: /does not match the signature/,
      sign: { credentials: { ...OURS, secretAccessKey: 'other' } },
    },
    {
      what: 'another region',
      exception: 'InvalidSignatureException',
      message: /valid region, not 'us-east-1'/,
      sign: { region: 'us-east-1' },
    },
    {
      what: 'another service',
      exception: 'InvalidSignatureException',
      message: /correct service: 'lambda'/,
      sign: { service: 'execute-api' },
    },
    {
      what: 'a time more than five minutes ago',
      exception: 'InvalidSignatureException',
      message:
        /^Signature expired: 20261122T095459Z is now earlier than 20261122T095500Z \(20261122T100000Z - 5 min\.\)$/,
      sign: { atMs: NOW - 301_000 },
    },
    {
      what: 'a time more than five minutes ahead',
      exception: 'InvalidSignatureException',
      message: /^Signature not yet current: 20261122T100501Z is still later than/,
      sign: { atMs: NOW + 301_000 },
    },
    {
      what: 'expired credentials',
      exception: 'ExpiredTokenException',
      message: /security token included in the request is expired/,
      sign: { atMs: NOW + 60_000 },
      atMs: NOW + 60_000,
    },
    {
      what: 'an x-amz header that is not signed',
      exception: 'InvalidSignatureException',
      message: /'x-amz-target' must be a 'SignedHeader'/,
      change: (request) => withHeader(request, 'x-amz-target', 'DynamoDB_20120810.Scan'),
    },
    {
      what: 'a host that is not signed',
      exception: 'InvalidSignatureException',
      message: /'Host' must be a 'SignedHeader'/,
      change: (request) =>
        withHeader(request, 'authorization', String(request.headers.authorization).replace(';host;', ';')),
    },
  ];
  for (const { what, exception, message, sign = {}, change = unchanged, atMs = NOW } of REFUSALS) {
    it(`refuses ${what}`, async () => {
      const request = change(await signed(sign));
      assert.throws(() => verifyAt(request, atMs), refused(exception, message));
    });
  }

  it('accepts a time almost five minutes off, both ways', async () => {
    assert.equal(verifyAt(await signed({ atMs: NOW - 299_000 })), OURS);
    assert.equal(verifyAt(await signed({ atMs: NOW + 299_000 })), OURS);
  });
});

function verifyAt(request: SignedRequest, nowMs = NOW): Credentials {
  const find = (accessKeyId: string) => (accessKeyId === OURS.accessKeyId ? OURS : undefined);
  return verify(request, { region: 'eu-west-1', service: 'lambda', find, clock: () => nowMs });
}

/** A request to a function URL as the SDK's own signer signs it. */
async function signed({
  target = '/v1/check',
  headers = {},
  region = 'eu-west-1',
  service = 'lambda',
  credentials = OURS,
  atMs = NOW,
}: {
  target?: string;
  headers?: Record<string, string>;
  region?: string;
  service?: string;
  credentials?: Credentials;
  atMs?: number;
}): Promise<SignedRequest> {
  const [path = '', search = ''] = target.split('?');
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(search)) query[name] = [...(query[name] ?? []), value];
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const body = '{"lists":["manual"],"subjects":[]}';
  const request = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: 'abc.lambda-url.eu-west-1.on.aws',
      path,
      query,
      headers: { host: 'abc.lambda-url.eu-west-1.on.aws', 'content-type': 'application/json', ...headers },
      body,
    },
    { signingDate: new Date(atMs) },
  );
  return { method: 'POST', target, headers: request.headers, body: Buffer.from(body) };
}

function unchanged(request: SignedRequest): SignedRequest {
  return request;
}

function withHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

function refused(exception: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SignatureError);
    assert.equal(error.exception, exception);
    assert.match(error.message, message);
    return true;
  };
}
