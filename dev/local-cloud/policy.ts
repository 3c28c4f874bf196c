/** One statement of an IAM policy, prepared for evaluation. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  /** Empty in a trust policy, where the role itself is the resource. */
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
  /** The principals of a resource policy, e.g. `Service lambda.amazonaws.com`; empty in an identity policy. */
  readonly principals: readonly string[];
}

interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** An action on a resource, with its context. */
export interface Access {
  readonly action: string;
  readonly resource: string;
  /** A key with several values has a list. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

export type Ruling = 'allowed' | 'denied explicitly' | 'not allowed';

/** Evaluates in IAM's order: an explicit deny wins, then an allow; the default is an implicit deny. */
export function evaluate(statements: readonly Statement[], access: Access): Ruling {
  const matching = statements.filter((statement) => matches(statement, access));
  if (matching.some(({ effect }) => effect === 'Deny')) return 'denied explicitly';
  return matching.length > 0 ? 'allowed' : 'not allowed';
}

/** Parses the statements of a resolved policy document; throws for unsupported elements. */
export function parsePolicy(document: unknown, where: string): Statement[] {
  const { Statement: listed } = (document ?? {}) as { Statement?: unknown }; // checked below
  if (listed === undefined) throw new Error(`the policy of ${where} has no statement`);
  return listOf(listed).map((statement) => parseStatement(statement, where));
}

/** Whether the pattern, with `*` and `?`, matches the whole value. */
export function covers(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}

const ELEMENTS = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Condition', 'Principal']);

/** The supported condition operators; each compares one value of the request with one of the policy. */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringNotEquals: (value, wanted) => value !== wanted,
  StringLike: (value, wanted) => covers(wanted, value),
  ArnEquals: arnCovers,
  ArnLike: arnCovers,
  Bool: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
};

/** The supported context keys, global and per service. */
const CONTEXT_KEYS = new Set(
  [
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:SecureTransport',
    'aws:SourceArn',
    'dynamodb:LeadingKeys',
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
  const { isNegated, ifExists, forAll, test } = partsOf(operator);
  if (test === undefined) throw new Error(`condition operator ${operator} is not imitated`);
  if (found === undefined) return ifExists || isNegated || forAll;
  // A negated operator must hold for every value of the policy, the others for any.
  const passes = (one: string) =>
    isNegated ? values.every((wanted) => test(one, wanted)) : values.some((wanted) => test(one, wanted));
  const given = [found].flat();
  if (given.length !== 1 && !forAll) throw new Error(`${key} has several values, but ${operator} is for one`);
  return given.every(passes);
}

function partsOf(operator: string) {
  const [, forAll, name = '', ifExists] = /^(ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const test = OPERATORS[name];
  return { test, isNegated: name.includes('Not'), ifExists: ifExists !== undefined, forAll: forAll !== undefined };
}

/** Matches each of the six parts of an ARN separately, so that a star matches a colon only in the last. */
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
