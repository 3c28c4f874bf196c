import type { NamedResource, NamedResources } from './named-resources.ts';
import { type Access, evaluate, parsePolicy, type Ruling, type Statement } from './policy.ts';

/** A principal with the permissions from the template. */
export interface Principal {
  /** The ARN of the session, as in access denials. */
  readonly arn: string;
  readonly roleArn: string;
  readonly account: string;
  readonly statements: readonly Statement[];
  /** The statements of the permissions boundary, which must allow whatever the others do. */
  readonly boundary?: readonly Statement[];
}

/** A caller without a signature. */
export const ANONYMOUS: Principal = {
  arn: 'anonymous',
  roleArn: 'anonymous',
  account: 'anonymous',
  statements: [],
};

/** A denial that AWS would issue as well, with the same message. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
  readonly action: string;

  constructor(principal: string, { action, resource }: Access, ruling: Ruling, document = 'policy') {
    const why =
      ruling === 'denied explicitly' ? 'with an explicit deny' : `because no ${document} allows the ${action} action`;
    super(`User: ${principal} is not authorized to perform: ${action} on resource: ${resource} ${why}`);
    this.action = action;
  }
}

/** Roles of other accounts: by their ARN, the policy that they have there. */
export type ForeignRoles = Readonly<Record<string, unknown>>;

/** The roles, policies and permissions of a template, and roles of other accounts. */
export class Principals {
  readonly #account: string;
  readonly #byArn: ReadonlyMap<string, Principal>;
  readonly #trust: ReadonlyMap<string, readonly Statement[]>;
  readonly #permissions: readonly Statement[];

  constructor(resources: NamedResources, foreignRoles: ForeignRoles = {}) {
    this.#account = resources.account;
    const roles = resources.ofType('AWS::IAM::Role');
    const managed = new Map(resources.ofType('AWS::IAM::ManagedPolicy').map((policy) => [policy.ref, policy]));
    const attached = [...resources.ofType('AWS::IAM::Policy'), ...managed.values()];
    for (const policy of attached) checkAttachments(policy);
    this.#byArn = new Map([
      ...roles.map((role) => {
        const boundary = boundaryOf(role, managed);
        const principal = this.#assumed(role.ref, rightsOf(role, attached, managed));
        return [arnOf(role), { ...principal, ...(boundary !== undefined && { boundary }) }] as const;
      }),
      // A policy alone represents a principal with only that policy.
      ...[...managed].map(
        ([arn, policy]) => [arn, this.#assumed(policy.ref.split('/').at(-1) ?? '', documentOf(policy))] as const,
      ),
      ...Object.entries(foreignRoles).map(([arn, document]) => [arn, foreign(arn, document)] as const),
    ]);
    this.#trust = new Map(
      roles.map((role) => [
        arnOf(role),
        parsePolicy(role.properties.AssumeRolePolicyDocument, `the trust of ${role.id}`),
      ]),
    );
    this.#permissions = resources.ofType('AWS::Lambda::Permission').map(permission);
  }

  /** The principal behind the ARN of a role or of a managed policy. */
  find(arn: string): Principal {
    const principal = this.#byArn.get(arn);
    if (principal === undefined) throw new Error(`there is neither a role nor a policy ${arn}`);
    return principal;
  }

  /** Throws unless the role trusts this service. */
  checkTrust(roleArn: string, service: string): void {
    const access = { action: 'sts:AssumeRole', resource: roleArn, context: {} };
    const trusting = (this.#trust.get(roleArn) ?? []).filter(({ principals }) =>
      principals.includes(`Service ${service}`),
    );
    const ruling = evaluate(trusting, access);
    if (ruling !== 'allowed') throw new AccessDenied(service, access, ruling);
  }

  /** Throws unless the policy of the resource lets this service do it. */
  checkService(service: string, access: Access): void {
    const named = this.#permissions.filter(({ principals }) => principals.includes(`Service ${service}`));
    const ruling = evaluate(named, access);
    if (ruling !== 'allowed') throw new AccessDenied(service, access, ruling);
  }

  /** Throws unless the principal may do it, by its own policies or, where there are any, those of the resource. */
  check(principal: Principal, access: Access): void {
    const context = {
      ...access.context,
      'aws:PrincipalAccount': principal.account,
      'aws:PrincipalArn': principal.roleArn,
      'aws:SecureTransport': 'true',
    };
    const permissionsFor = (...names: string[]) =>
      this.#permissions.filter(({ principals }) => principals.some((name) => names.includes(name)));
    const named = permissionsFor('AWS *', `AWS ${principal.roleArn}`);
    const asked = { ...access, context };
    // A permission for an account only leaves it to the account's own policies; both accounts must allow what crosses them.
    const ruling = this.#isForeign(principal)
      ? evaluateBoth(principal.statements, [...named, ...permissionsFor(`AWS ${principal.account}`)], asked)
      : evaluate([...principal.statements, ...named], asked);
    if (ruling !== 'allowed') throw new AccessDenied(principal.arn, access, ruling);
    const limit = principal.boundary === undefined ? 'allowed' : evaluate(principal.boundary, { ...access, context });
    if (limit !== 'allowed') throw new AccessDenied(principal.arn, access, limit, 'permissions boundary');
  }

  #isForeign({ account }: Principal): boolean {
    return account !== this.#account && account !== ANONYMOUS.account;
  }

  #assumed(name: string, statements: readonly Statement[]): Principal {
    const account = this.#account;
    const arn = `arn:aws:sts::${account}:assumed-role/${name}/local`;
    return { arn, roleArn: `arn:aws:iam::${account}:role/${name}`, account, statements };
  }
}

function foreign(roleArn: string, document: unknown): Principal {
  const [, account = '', name = ''] = /^arn:aws:iam::(\d{12}):role\/(.+)$/.exec(roleArn) ?? [];
  const arn = `arn:aws:sts::${account}:assumed-role/${name}/local`;
  return { arn, roleArn, account, statements: parsePolicy(document, roleArn) };
}

function evaluateBoth(own: readonly Statement[], ofResource: readonly Statement[], access: Access): Ruling {
  const rulings = [evaluate(own, access), evaluate(ofResource, access)];
  if (rulings.includes('denied explicitly')) return 'denied explicitly';
  return rulings.includes('not allowed') ? 'not allowed' : 'allowed';
}

function rightsOf(
  role: NamedResource,
  attached: readonly NamedResource[],
  managed: ReadonlyMap<string, NamedResource>,
): Statement[] {
  const { ManagedPolicyArns = [], Policies = [] } = role.properties as RoleProperties;
  const byArn = ManagedPolicyArns.flatMap((arn) => managedDocument(arn, role, managed));
  const byRole = attached.filter(({ properties }) => listOf(properties.Roles).includes(role.ref)).flatMap(documentOf);
  return [...byArn, ...byRole, ...Policies.flatMap(({ PolicyDocument }) => parsePolicy(PolicyDocument, role.id))];
}

function boundaryOf(role: NamedResource, managed: ReadonlyMap<string, NamedResource>): Statement[] | undefined {
  const { PermissionsBoundary: arn } = role.properties as RoleProperties;
  return arn === undefined ? undefined : managedDocument(arn, role, managed);
}

function managedDocument(arn: string, role: NamedResource, managed: ReadonlyMap<string, NamedResource>): Statement[] {
  const policy = managed.get(arn);
  if (policy === undefined) throw new Error(`policy ${arn} of ${role.id} is not in the template and not imitated`);
  return documentOf(policy);
}

interface RoleProperties {
  readonly ManagedPolicyArns?: readonly string[];
  readonly Policies?: readonly { readonly PolicyDocument: unknown }[];
  readonly PermissionsBoundary?: string;
}

function checkAttachments({ id, properties }: NamedResource): void {
  for (const kind of ['Users', 'Groups']) {
    if (properties[kind] !== undefined) throw new Error(`${kind} of policy ${id} are not imitated`);
  }
}

function documentOf(policy: NamedResource): Statement[] {
  return parsePolicy(policy.properties.PolicyDocument, policy.id);
}

/** A permission is one statement of the function's resource policy. */
function permission({ id, properties }: NamedResource): Statement {
  const { Action, FunctionName, Principal, FunctionUrlAuthType, InvokedViaFunctionUrl, SourceArn, ...others } =
    properties;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`${unknown} of permission ${id} is not imitated`);
  const Condition = {
    ...(FunctionUrlAuthType !== undefined && { StringEquals: { 'lambda:FunctionUrlAuthType': FunctionUrlAuthType } }),
    ...(InvokedViaFunctionUrl !== undefined && { Bool: { 'lambda:InvokedViaFunctionUrl': InvokedViaFunctionUrl } }),
    ...(SourceArn !== undefined && { ArnLike: { 'aws:SourceArn': SourceArn } }),
  };
  const principal = String(Principal).endsWith('.amazonaws.com') ? { Service: Principal } : { AWS: Principal };
  const statement = { Effect: 'Allow', Action, Resource: FunctionName, Principal: principal, Condition };
  const [parsed] = parsePolicy({ Statement: statement }, id);
  if (parsed === undefined) throw new Error(`permission ${id} has no statement`);
  return parsed;
}

function arnOf({ attributes }: NamedResource): string {
  return attributes.Arn ?? '';
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
