import { holds, holdsGiven, type Truth, testsOf } from '../parse/condition.ts';
import type { HaproxyConfig, ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';
import type { Line } from '../parse/sections.ts';
import type { Tristate } from '../parse/tristate.ts';

/** What is not known of a request is tried both ways, but not more often than this. */
const MAX_TRIES = 1000;

const ENDS = /^(deny|reject|tarpit|silent-drop|return|redirect|use-service|auth)$/;
const PASSES = /^(allow|accept)$/;

/** What a backend that is chosen while HAProxy runs may be, in the names of `reachableTargets`. */
export type Chosen = (expression: string) => readonly string[];

/**
 * The backends that requests of this section can reach, by name, or by what chooses one while HAProxy runs: rules that answer
 * all requests, or all that would get there, leave none. Tests that are not known are taken as independent of each other.
 */
export function reachableTargets(proxy: ProxySection, chosen: Chosen): readonly string[] {
  const rules = proxy.rules.filter((rule) => isTaken(rule, proxy));
  let tries = 0;
  const explored = (assumed: ReadonlyMap<string, boolean>): readonly string[] | undefined => {
    if (tries++ === MAX_TRIES) return undefined;
    const end = endOf(rules, proxy, (test) => known(test, proxy) ?? assumed.get(test.join(' ')));
    if ('targets' in end) return end.targets.flatMap(chosen);
    const [test = ''] = testsIn(end.undecided, proxy).filter((unknown) => !assumed.has(unknown));
    const passing = explored(new Map([...assumed, [test, true]]));
    const failing = passing && explored(new Map([...assumed, [test, false]]));
    return failing && [...passing, ...failing];
  };
  return [...new Set(explored(new Map()) ?? allTargets(proxy).flatMap(chosen))];
}

function testsIn(condition: Rule['condition'], proxy: ProxySection): string[] {
  const named = (condition?.anyOf ?? []).flat().flatMap(({ test }) => (typeof test === 'string' ? [[test]] : []));
  const tests = [...testsOf(condition, proxy.acls), ...named.filter(([name = '']) => !proxy.acls.has(name))];
  return tests.filter((test) => known(test, proxy) === undefined).map((test) => test.join(' '));
}

/** What the `bind` lines say of every request: no TLS, or one port; HTTP is what mode http means. */
function known(test: readonly string[], { lines, mode }: ProxySection): boolean | undefined {
  const binds = lines.filter(({ words }) => words[0] === 'bind');
  const hasTls = binds.some(({ words }) => words.includes('ssl'));
  const [expression = '', ...patterns] = test;
  const isFalse = /^(0|no|false|off)$/.test(patterns.at(-1) ?? '');
  if (expression === 'ssl_fc' && !hasTls) return isFalse;
  if (expression === 'ssl_fc,not' && !hasTls) return !isFalse;
  if (expression === 'HTTP' || expression === 'req_proto_http') return mode === 'http' ? true : undefined;
  if (expression === 'dst_port') return isPort(patterns, lines);
  return holds({ isUnless: false, anyOf: [[{ negated: false, test }]] }, new Map(), () => undefined);
}

/** Whether all requests come to one of these ports, or none; what a proxy in front says of the port is not known. */
function isPort(patterns: readonly string[], lines: readonly Line[]): Tristate {
  const isPlain = !lines.some(({ words }) => words.some((word) => /^(accept-.*|transparent|set-dst-port)$/.test(word)));
  const binds = lines.filter(({ words }) => words[0] === 'bind');
  const ports = binds
    .flatMap(({ words }) => (words[1] ?? '').split(','))
    .map((bind) => /:(\d+)$/.exec(bind)?.[1] ?? '');
  const named = patterns.filter((pattern) => pattern !== 'eq');
  if (!isPlain || ![...ports, ...named].every((port) => /^\d+$/.test(port))) return undefined;
  const found = new Set(ports.map((port) => named.includes(port)));
  return found.size === 1 ? found.has(true) : undefined;
}

function isTaken({ ruleset, action, args }: Rule, { mode }: ProxySection): boolean {
  if (ruleset === 'use_backend') return true;
  const isRequest = ruleset.startsWith('tcp-request') || (ruleset === 'http-request' && mode === 'http');
  // where the location is empty, such a redirect does nothing
  return isRequest && (ENDS.test(action) || PASSES.test(action)) && !args.includes('ignore-empty');
}

/** Where a request goes for which these tests hold; nowhere if a rule answers it. Or the first condition that they leave open. */
function endOf(
  rules: readonly Rule[],
  proxy: ProxySection,
  truth: Truth,
): { readonly targets: readonly string[] } | { readonly undecided: Rule['condition'] } {
  const left = new Set<string>();
  for (const rule of rules) {
    // redirects in the old form are the last rules of a request: no allow skips them
    const of = rule.words[0] === 'redirect' ? 'redirect' : rule.ruleset;
    if (left.has(of)) continue;
    const holds = holdsGiven(rule.condition, proxy.acls, truth);
    if (holds === undefined) return { undecided: rule.condition };
    if (!holds) continue;
    if (rule.ruleset === 'use_backend') return { targets: [rule.action] };
    if (ENDS.test(rule.action)) return { targets: [] };
    left.add(of);
  }
  return { targets: defaultTargets(proxy) };
}

function allTargets(proxy: ProxySection): string[] {
  return [...usedBackends(proxy), ...defaultTargets(proxy)];
}

/** A listen section without a backend is one itself. */
function defaultTargets(proxy: ProxySection): string[] {
  const written = defaultBackend(proxy);
  if (written !== undefined) return [written];
  return proxy.kind === 'listen' ? [proxy.name] : [];
}

/** The backends that a section names. */
export function targetsOf(proxy: ProxySection): string[] {
  const written = new Set([...usedBackends(proxy), defaultBackend(proxy) ?? '']);
  return [...written].filter((name) => name !== '' && !isExpression(name));
}

/** Whether rules of this section choose backends while HAProxy runs. */
export function isDynamic(proxy: ProxySection): boolean {
  return usedBackends(proxy).some(isExpression);
}

/** The backends that requests of this section may get to. */
export function backendsBehind(proxy: ProxySection, { proxies }: Pick<HaproxyConfig, 'proxies'>): ProxySection[] {
  const targets = targetsOf(proxy);
  return proxies.filter(({ kind, name }) => kind === 'backend' && (isDynamic(proxy) || targets.includes(name)));
}

/** What `use_backend` rules name, as it is written. */
function usedBackends({ rules }: ProxySection): string[] {
  return rules.filter(({ ruleset }) => ruleset === 'use_backend').map(({ action }) => action);
}

function defaultBackend({ lines }: ProxySection): string | undefined {
  return lines.findLast(({ words }) => words[0] === 'default_backend')?.words[1];
}

export function isExpression(backend: string): boolean {
  return /[%$]/.test(backend);
}

/** The backends that a guarded section leads to, as `reachableTargets` names them. */
export function guardedTargets(proxy: ProxySection, chosen: Chosen): readonly string[] {
  return [proxy.name, ...allTargets(proxy).flatMap(chosen)];
}
