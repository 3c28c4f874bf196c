import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../../../dev/local-cloud/credentials.ts';

/** What to sign, and with what. */
export interface SignedFetch {
  readonly url: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly body: string;
  /** What is sent instead of what was signed. */
  readonly sentBody?: string;
}

/** Posts a body, signed for a function URL by the SDK's own signer. */
export async function signedFetch({ url, credentials, region, body, sentBody = body }: SignedFetch): Promise<Response> {
  const { host, hostname, pathname } = new URL(url);
  const signer = new SignatureV4({ service: 'lambda', region, credentials, sha256: Sha256 });
  const headers = { host, 'content-type': 'application/json' };
  const signed = await signer.sign({
    ...{ method: 'POST', protocol: 'http:', hostname, path: pathname, query: {} },
    ...{ headers, body },
  });
  return await fetch(url, { method: 'POST', headers: signed.headers, body: sentBody });
}

/** What an agent asks about one subject. */
export function checkBody(subject: string): string {
  return JSON.stringify({ lists: ['manual'], subjects: [subject] });
}
