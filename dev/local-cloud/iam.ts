import { CredentialStore, type Credentials } from './credentials.ts';
import type { Access } from './policy.ts';
import { AccessDenied, type Principal, type Principals } from './principals.ts';
import { RecentLines } from './recent-lines.ts';
import { type SignedRequest, verify } from './sigv4-verifier.ts';

/** The signer of a request. */
export interface Identity {
  readonly accessKeyId: string;
  readonly principal: Principal;
}

/** Authenticates and authorizes every call like STS and IAM; records denials. */
export class Iam {
  readonly denials = new RecentLines();
  readonly principals: Principals;
  readonly #region: string;
  readonly #credentials = new CredentialStore();

  constructor(principals: Principals, region: string) {
    this.principals = principals;
    this.#region = region;
  }

  /** Temporary credentials with the rights of a role or managed policy, by its ARN. */
  issue(arn: string, lifetimeSeconds?: number): Credentials {
    this.principals.find(arn);
    return this.#credentials.issue(arn, lifetimeSeconds);
  }

  /** Returns the signer of a request to this service; throws `SignatureError` if the signature is invalid. */
  authenticate(request: SignedRequest, service: string): Identity {
    const find = (accessKeyId: string) => this.#credentials.find(accessKeyId);
    const { accessKeyId, source } = verify(request, { region: this.#region, service, find });
    return { accessKeyId, principal: this.principals.find(source) };
  }

  /** Throws `AccessDenied` unless the principal may do all of this. */
  authorize(principal: Principal, accesses: readonly Access[]): void {
    this.#recorded(() => {
      for (const access of accesses) this.principals.check(principal, access);
    });
  }

  /** Throws `AccessDenied` unless the resource lets this service do it. */
  authorizeService(service: string, access: Access): void {
    this.#recorded(() => this.principals.checkService(service, access));
  }

  #recorded(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (error instanceof AccessDenied) this.denials.add(error.message);
      throw error;
    }
  }
}
