import { randomBytes } from 'node:crypto';

/** Temporary credentials as issued by STS, and their owner. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
  /** The ARN of the role or policy whose rights they carry. */
  readonly source: string;
}

const DEFAULT_LIFETIME_SECONDS = 3600;
/** Enough for an hour of rotation every second. */
const MAX_KEPT = 4096;

/** Issues temporary credentials and recognizes them, even expired ones. */
export class CredentialStore {
  readonly #clock: () => number;
  readonly #issued = new Map<string, Credentials>();

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  issue(source: string, lifetimeSeconds = DEFAULT_LIFETIME_SECONDS): Credentials {
    const credentials = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(300).toString('base64'), // as long as those of STS
      expiresAtMs: this.#clock() + lifetimeSeconds * 1000,
      source,
    };
    const [oldest] = this.#issued.keys();
    if (this.#issued.size >= MAX_KEPT && oldest !== undefined) this.#issued.delete(oldest);
    this.#issued.set(credentials.accessKeyId, credentials);
    return credentials;
  }

  find(accessKeyId: string): Credentials | undefined {
    return this.#issued.get(accessKeyId);
  }
}

/** The environment variables with credentials for an SDK. */
export function environmentOf({ accessKeyId, secretAccessKey, sessionToken }: Credentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}
