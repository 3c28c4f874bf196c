import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Credentials } from './credentials.ts';

/** A request as received. */
export interface SignedRequest {
  readonly method: string;
  /** The request target: path and query, encoded as received. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface VerifierOptions {
  readonly region: string;
  readonly service: string;
  find(accessKeyId: string): Credentials | undefined;
  readonly clock?: () => number;
}

/** A request with an invalid signature, with the exception name and message of AWS. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  readonly exception: string;

  constructor(exception: string, message: string) {
    super(message);
    this.exception = exception;
  }
}

const CLOCK_SKEW_MS = 5 * 60_000;
const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/** Verifies AWS Signature Version 4 and returns the credentials. Independent of any signer, in order to check them. */
export function verify(request: SignedRequest, options: VerifierOptions): Credentials {
  const { find, clock = Date.now } = options;
  const { scope, signedHeaders, signature, accessKeyId } = parseAuthorization(header(request, 'authorization'));
  const date = header(request, 'x-amz-date');
  checkScope(scope, date, options);
  checkClock(date, clock());
  checkSignedHeaders(request, signedHeaders);
  const credentials = find(accessKeyId);
  if (credentials === undefined || header(request, 'x-amz-security-token') !== credentials.sessionToken)
    throw new SignatureError('UnrecognizedClientException', 'The security token included in the request is invalid.');
  const calculated = sign(stringToSign(request, signedHeaders, date, scope), credentials.secretAccessKey, scope);
  if (!timingSafeEqual(Buffer.from(calculated, 'hex'), Buffer.from(signature, 'hex'))) throw invalid(MISMATCH);
  if (credentials.expiresAtMs <= clock())
    throw new SignatureError('ExpiredTokenException', 'The security token included in the request is expired');
  return credentials;
}

function parseAuthorization(authorization: string) {
  if (authorization === '')
    throw new SignatureError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  const [, credential = '', names = '', signature = ''] = AUTHORIZATION.exec(authorization) ?? [];
  const [accessKeyId = '', ...scope] = credential.split('/');
  if (signature === '' || scope.length !== 4)
    throw new SignatureError(
      'IncompleteSignatureException',
      `Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters. Authorization=${authorization.split(' ')[0]}`,
    );
  return { accessKeyId, scope, signedHeaders: names.split(';'), signature };
}

function checkScope([day, region, service, end]: readonly string[], date: string, options: VerifierOptions): void {
  if (end !== 'aws4_request') throw invalid("Credential should be scoped with a valid terminator: 'aws4_request'.");
  if (region !== options.region) throw invalid(`Credential should be scoped to a valid region, not '${region}'.`);
  if (service !== options.service)
    throw invalid(`Credential should be scoped to correct service: '${options.service}'.`);
  if (day !== date.slice(0, 8))
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${date.slice(0, 8)}'.`,
    );
}

function checkClock(date: string, nowMs: number): void {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  if (parts.length === 0) throw invalid(`X-Amz-Date '${date}' is no date in ISO 8601 basic format.`);
  const [year = 0, month = 1, ...rest] = parts.map(Number);
  const signedMs = Date.UTC(year, month - 1, ...rest);
  if (signedMs < nowMs - CLOCK_SKEW_MS)
    throw invalid(
      `Signature expired: ${date} is now earlier than ${basic(nowMs - CLOCK_SKEW_MS)} (${basic(nowMs)} - 5 min.)`,
    );
  if (signedMs > nowMs + CLOCK_SKEW_MS)
    throw invalid(
      `Signature not yet current: ${date} is still later than ${basic(nowMs + CLOCK_SKEW_MS)} (${basic(nowMs)} + 5 min.)`,
    );
}

/** Throws if a header that must be signed is not: it could be changed in transit. */
function checkSignedHeaders({ headers }: SignedRequest, signed: readonly string[]): void {
  if (!signed.includes('host')) throw invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  const left = Object.keys(headers).find((name) => name.startsWith('x-amz-') && !signed.includes(name));
  if (left !== undefined) throw invalid(`'${left}' must be a 'SignedHeader' in the AWS Authorization.`);
}

function stringToSign(
  request: SignedRequest,
  signedHeaders: readonly string[],
  date: string,
  scope: readonly string[],
): string {
  const [path = '', query = ''] = request.target.split(/\?(.*)/s, 2);
  const canonicalRequest = [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${header(request, name).trim().replaceAll(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
  return ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonicalRequest)].join('\n');
}

/** The canonical path: every service except S3 encodes the path once more. */
function canonicalPath(path: string): string {
  return path.split('/').map(encode).join('/') || '/';
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((pair) => pair.split(/=(.*)/s, 2).map((part) => encode(decodeURIComponent(part))));
  return pairs
    .map(([name = '', value = '']) => `${name}=${value}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join('&');
}

function sign(text: string, secret: string, scope: readonly string[]): string {
  const key = scope.reduce<string | Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    `AWS4${secret}`,
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function header({ headers }: SignedRequest, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function basic(timeMs: number): string {
  return new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

function invalid(message: string): SignatureError {
  return new SignatureError('InvalidSignatureException', message);
}
