/** One statement of an IAM policy, as it is evaluated. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  /** Empty in a trust policy, where the role itself is the resource. */
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
  /** Whom a resource policy means, e.g. `Service lambda.amazonaws.com`; empty in a policy of a principal. */
  readonly principals: readonly string[];
}

interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** What somebody wants to do. */
export interface Access {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

export type Ruling = 'allowed' | 'denied explicitly' | 'not allowed';

/** IAM's order: an explicit Deny wins, then an Allow, and silence is a no. */
export function evaluate(statements: readonly Statement[], access: Access): Ruling {
  const matching = statements.filter((statement) => matches(statement, access));
  if (matching.some(({ effect }) => effect === 'Deny')) return 'denied explicitly';
  return matching.length > 0 ? 'allowed' : 'not allowed';
}

/** The statements of a resolved policy document; throws for every element that is not imitated. */
export function parsePolicy(document: unknown, where: string): Statement[] {
  const { Statement: listed } = (document ?? {}) as { Statement?: unknown }; // checked below
  if (listed === undefined) throw new Error(`the policy of ${where} has no statement`);
  return listOf(listed).map((statement) => parseStatement(statement, where));
}

/** Does the pattern, with `*` and `?`, cover the whole value? */
export function covers(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}

const ELEMENTS = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Condition', 'Principal']);

/** Every operator that is imitated, asking one value of the request against one of the policy. */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringNotEquals: (value, wanted) => value !== wanted,
  StringLike: (value, wanted) => covers(wanted, value),
  ArnEquals: arnCovers,
  ArnLike: arnCovers,
  Bool: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
};

/** The keys that every request has, or those of its service. */
const CONTEXT_KEYS = new Set(
  [
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:SecureTransport',
    'lambda:FunctionUrlAuthType',
    'lambda:InvokedViaFunctionUrl',
  ].map((key) => key.toLowerCase()),
);

function parseStatement(statement: unknown, where: string): Statement {
  const given = statement as Record<string, unknown>; // checked element by element
  const unknown = Object.keys(given).find((element) => !ELEMENTS.has(element));
  if (unknown !== undefined) throw new Error(`${unknown} in a statement of ${where} is not imitated`);
  const { Effect, Action, Resource, Condition, Principal } = given;
  if (Effect !== 'Allow' && Effect !== 'Deny') throw new Error(`a statement of ${where} has effect ${Effect}`);
  const resources = textsOf(Resource);
  if (resources.length === 0 && Principal === undefined) throw new Error(`a statement of ${where} names no resource`);
  const variable = resources.find((resource) => resource.includes('${'));
  if (variable !== undefined) throw new Error(`the policy variable in ${variable} of ${where} is not imitated`);
  return {
    effect: Effect,
    actions: textsOf(Action),
    resources,
    conditions: parseConditions(Condition, where),
    principals: parsePrincipals(Principal),
  };
}

function parseConditions(block: unknown, where: string): Condition[] {
  return Object.entries((block ?? {}) as Record<string, Record<string, unknown>>).flatMap(([operator, keys]) => {
    if (operator !== 'Null' && partsOf(operator).test === undefined)
      throw new Error(`condition operator ${operator} of ${where} is not imitated`);
    return Object.entries(keys).map(([key, values]) => {
      if (!CONTEXT_KEYS.has(key.toLowerCase())) throw new Error(`condition key ${key} of ${where} is not imitated`);
      return { operator, key: key.toLowerCase(), values: textsOf(values) };
    });
  });
}

function parsePrincipals(principal: unknown): string[] {
  if (principal === undefined) return [];
  if (typeof principal === 'string') return [`AWS ${principal}`];
  return Object.entries(principal as object).flatMap(([kind, names]) =>
    textsOf(names).map((name) => `${kind} ${name}`),
  );
}

function matches(statement: Statement, { action, resource, context }: Access): boolean {
  return (
    statement.actions.some((pattern) => covers(pattern.toLowerCase(), action.toLowerCase())) &&
    (statement.resources.length === 0 || statement.resources.some((pattern) => covers(pattern, resource))) &&
    statement.conditions.every((condition) => holds(condition, context))
  );
}

function holds({ operator, key, values }: Condition, context: Access['context']): boolean {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key)?.[1];
  if (operator === 'Null') return values.includes(String(found === undefined));
  const { isNegated, ifExists, test } = partsOf(operator);
  if (test === undefined) throw new Error(`condition operator ${operator} is not imitated`);
  if (found === undefined) return ifExists || isNegated;
  // A negated operator must hold for every value, the others for any.
  return isNegated ? values.every((wanted) => test(found, wanted)) : values.some((wanted) => test(found, wanted));
}

function partsOf(operator: string) {
  const [, name = '', ifExists] = /^(\w+?)(IfExists)?$/.exec(operator) ?? [];
  return { test: OPERATORS[name], isNegated: name.includes('Not'), ifExists: ifExists !== undefined };
}

/** Each of the six parts by itself, so that a star does not reach over a colon but in the last. */
function arnCovers(value: string, wanted: string): boolean {
  const [ours, theirs] = [wanted, value].map((arn) => /^(.*?):(.*?):(.*?):(.*?):(.*?):(.*)$/s.exec(arn)?.slice(1));
  return (ours ?? []).length > 0 && (ours ?? []).every((part, index) => covers(part, theirs?.[index] ?? ''));
}

function textsOf(value: unknown): string[] {
  return value === undefined ? [] : listOf(value).map(String);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}
