import { type Scope, VARIABLE_NAME, VARIABLE_NAME_RULE } from '../ack.ts';
import { checkName, checkObject, checkOptions, checkText, wrong } from '../options.ts';
import { type ArgumentValue, type Declared, VALUE_TYPES, type ValueTypes, type VariableValue } from './values.ts';

/** `AbortSignal`, where the program has it in its types: from `@types/node` or from the DOM. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer Known } } ? Known : unknown;

/**
 * Sets a variable of HAProxy, `<scope>.<prefix>.<name>` in its rules; null unsets it. The scope is `txn` unless it is given.
 *
 * @example
 * ```ts
 * import { createAgent, type SetVariable } from 'haverdict-spop';
 *
 * const verdict = (set: SetVariable, isDenied: boolean) => set('action', isDenied ? 'deny' : 'allow');
 * createAgent({ 'check-request': ({ args, set }) => verdict(set, args.path === '/internal') });
 * ```
 */
export type SetVariable = (name: string, value: VariableValue, scope?: Scope) => void;

/**
 * One message of HAProxy, for the function that answers it.
 *
 * @example
 * ```ts
 * import { createAgent, type MessageContext } from 'haverdict-spop';
 *
 * const allow = ({ set }: MessageContext) => set('action', 'allow');
 * createAgent({ 'check-request': allow, 'check-login': allow });
 * ```
 */
export interface MessageContext<Args = Readonly<Record<string, ArgumentValue>>, Set = SetVariable> {
  /** The name of the message. */
  readonly message: string;
  /** By name: what HAProxy sent. Null where it had no value, as for a header that a request does not have. */
  readonly args: Args;
  /** Has no effect once the message is answered. */
  readonly set: Set;
  /** Aborted when the message is answered without the function, because that is late. */
  readonly signal: Signal;
}

/**
 * Answers a message: with the variables that are set when it returns, or when its promise is resolved.
 *
 * @example
 * ```ts
 * import { createAgent, type MessageFunction } from 'haverdict-spop';
 *
 * const functionFor = (action: string): MessageFunction => ({ set }) => set('action', action);
 * createAgent({ 'check-request': functionFor('allow'), 'check-upload': functionFor('deny') });
 * ```
 */
export type MessageFunction = (context: MessageContext) => unknown;

/**
 * The values of declared arguments.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type ArgumentsOf, createAgent, message } from 'haverdict-spop';
 *
 * const declared = { ip: 'address', attempts: 'integer' } as const;
 * const isSuspicious = ({ attempts }: ArgumentsOf<typeof declared>) => (attempts ?? 0) > 5;
 * createAgent({ login: message({ args: declared }, ({ args, set }) => set('suspicious', isSuspicious(args))) });
 * assert.ok(isSuspicious({ ip: '203.0.113.7', attempts: 6 }));
 * ```
 */
export type ArgumentsOf<Args extends Declared> = { readonly [Name in keyof Args]: ValueTypes[Args[Name]] | null };

/**
 * Sets one of the declared variables.
 *
 * @example
 * ```ts
 * import { createAgent, message, type SetDeclared } from 'haverdict-spop';
 *
 * const vars = { action: 'text', score: 'integer' } as const;
 * const deny = (set: SetDeclared<typeof vars>, score: number) => {
 *   set('action', 'deny');
 *   set('score', score);
 * };
 * createAgent({ 'check-request': message({ vars }, ({ set }) => deny(set, 90)) });
 * ```
 */
export type SetDeclared<Vars extends Declared> = <Name extends keyof Vars & string>(
  name: Name,
  value: ValueTypes[Vars[Name]] | null,
  scope?: Scope,
) => void;

/**
 * A function for a message with what is declared about it: made by `message`.
 *
 * @example
 * ```ts
 * import { createAgent, type DeclaredMessage, message } from 'haverdict-spop';
 *
 * const checkRequest: DeclaredMessage = message({ vars: { action: 'text' } }, ({ set }) => set('action', 'allow'));
 * createAgent({ 'check-request': checkRequest });
 * ```
 */
export class DeclaredMessage {
  /** @internal */
  readonly args: Declared | undefined;
  /** @internal */
  readonly vars: Declared | undefined;
  /** @internal */
  readonly run: (context: MessageContext) => unknown;

  /** @internal */
  constructor(args: Declared | undefined, vars: Declared | undefined, run: (context: MessageContext) => unknown) {
    this.args = args;
    this.vars = vars;
    this.run = run;
  }
}

/**
 * Declares the arguments of a message, or its variables, or both: TypeScript then knows their types, and the agent checks
 * them. A message whose arguments are not as declared is answered by the fallback, and reported.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { createAgent, message } from 'haverdict-spop';
 *
 * createAgent({
 *   login: message(
 *     { args: { ip: 'address', user: 'text' }, vars: { blocked: 'boolean' } },
 *     ({ args, set }) => set('blocked', args.user === 'root' && args.ip !== '127.0.0.1'),
 *   ),
 * });
 * assert.throws(() => message({ args: { ip: 'ip' as 'address' } }, () => {}), /must be one of address, text/);
 * ```
 */
export function message<
  const Args extends Declared | undefined = undefined,
  const Vars extends Declared | undefined = undefined,
>(
  declared: { readonly args?: Args; readonly vars?: Vars },
  run: (context: MessageContext<DeclaredArguments<Args>, DeclaredSet<Vars>>) => unknown,
): DeclaredMessage {
  checkOptions('message', declared, ['args', 'vars']);
  const { args, vars } = declared;
  if (args === undefined && vars === undefined)
    throw new TypeError('message: must declare args or vars; without, createAgent takes the function alone');
  checkDeclared('args', args, (where, name) => checkName(where, name));
  checkDeclared('vars', vars, (where, name) => checkText(where, name, VARIABLE_NAME, VARIABLE_NAME_RULE));
  if (typeof run !== 'function') throw wrong('message: what answers it', run, 'a function');
  return new DeclaredMessage(args, vars, run as (context: MessageContext) => unknown); // the agent gives it what is declared
}

type DeclaredArguments<Args> = Args extends Declared ? ArgumentsOf<Args> : Readonly<Record<string, ArgumentValue>>;
type DeclaredSet<Vars> = Vars extends Declared ? SetDeclared<Vars> : SetVariable;

function checkDeclared(option: string, declared: unknown, check: (where: string, name: string) => void): void {
  if (declared === undefined) return;
  checkObject(`message: ${option}`, declared, 'an object of types by name');
  for (const [name, type] of Object.entries(declared)) {
    check(`message: a name in ${option}`, name);
    if (!VALUE_TYPES.has(type))
      throw wrong(`message: ${option}.${name}`, type, `one of ${[...VALUE_TYPES].join(', ')}`);
  }
}
