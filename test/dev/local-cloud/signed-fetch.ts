import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../../../dev/local-cloud/credentials.ts';

/** What to sign, and with what. */
export interface SignedFetch {
  readonly url: string;
  readonly credentials: Credentials;
  readonly region: string;
  /** Nothing with GET. */
  readonly body?: string;
  readonly method?: 'GET' | 'POST';
  /** What is sent instead of what was signed. */
  readonly sentBody?: string;
}

/** A request that is signed for a function URL by the SDK's own signer. */
export async function signedFetch(request: SignedFetch): Promise<Response> {
  const { url, credentials, region, body, method = 'POST', sentBody = body } = request;
  const { host, hostname, pathname, searchParams } = new URL(url);
  const signer = new SignatureV4({ service: 'lambda', region, credentials, sha256: Sha256 });
  const headers = { host, 'content-type': 'application/json' };
  const signed = await signer.sign({
    ...{ method, protocol: 'http:', hostname, path: pathname, query: Object.fromEntries(searchParams) },
    ...{ headers, body },
  });
  return await fetch(url, { method, headers: signed.headers, ...(sentBody !== undefined && { body: sentBody }) });
}

/** What an agent asks about one subject. */
export function checkBody(subject: string): string {
  return JSON.stringify({ lists: ['manual'], subjects: [subject] });
}
