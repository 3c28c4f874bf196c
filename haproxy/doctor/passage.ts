import { holds, holdsGiven, type Truth, testsOf } from '../parse/condition.ts';
import type { HaproxyConfig, ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';

/** What is not known of a request is tried both ways, up to this many tests. */
const MAX_UNKNOWN = 10;

const ENDS = /^(deny|reject|tarpit|silent-drop|return|redirect|use-service|auth)$/;
const PASSES = /^(allow|accept)$/;

/**
 * The backends that requests of this section can reach, by name, or by what chooses one while HAProxy runs: rules that answer
 * all requests, or all that would get there, leave none. Tests that are not known are taken as independent of each other.
 */
export function reachableTargets(proxy: ProxySection): readonly string[] {
  const rules = proxy.rules.filter((rule) => isTaken(rule, proxy));
  const unknown = [...new Set(rules.flatMap(({ condition }) => testsIn(condition, proxy)))];
  if (unknown.length > MAX_UNKNOWN) return allTargets(proxy);
  const targets = Array.from({ length: 2 ** unknown.length }, (_, bits) =>
    targetOf(rules, proxy, (test) => known(test, proxy) ?? (bits & (1 << unknown.indexOf(test.join(' ')))) !== 0),
  );
  return [...new Set(targets.flat())];
}

function testsIn(condition: Rule['condition'], proxy: ProxySection): string[] {
  const named = (condition?.anyOf ?? []).flat().flatMap(({ test }) => (typeof test === 'string' ? [[test]] : []));
  const tests = [...testsOf(condition, proxy.acls), ...named.filter(([name = '']) => !proxy.acls.has(name))];
  return tests.filter((test) => known(test, proxy) === undefined).map((test) => test.join(' '));
}

/** Whether a request without TLS fails `ssl_fc`, where no `bind` line has TLS; HTTP is what mode http means. */
function known(test: readonly string[], { lines, mode }: ProxySection): boolean | undefined {
  const hasTls = lines.some(({ words }) => words[0] === 'bind' && words.includes('ssl'));
  const [expression = '', ...patterns] = test;
  const isFalse = /^(0|no|false|off)$/.test(patterns.at(-1) ?? '');
  if (expression === 'ssl_fc' && !hasTls) return isFalse;
  if (expression === 'ssl_fc,not' && !hasTls) return !isFalse;
  if (expression === 'HTTP' || expression === 'req_proto_http') return mode === 'http' ? true : undefined;
  return holds({ isUnless: false, anyOf: [[{ negated: false, test }]] }, new Map(), () => undefined);
}

function isTaken({ ruleset, action }: Rule, { mode }: ProxySection): boolean {
  if (ruleset === 'use_backend') return true;
  const isRequest = ruleset.startsWith('tcp-request') || (ruleset === 'http-request' && mode === 'http');
  return isRequest && (ENDS.test(action) || PASSES.test(action));
}

/** Where a request goes for which these tests hold; nowhere if a rule answers it. */
function targetOf(rules: readonly Rule[], proxy: ProxySection, truth: Truth): string[] {
  const left = new Set<string>();
  for (const rule of rules) {
    // redirects in the old form are the last rules of a request: no allow skips them
    const of = rule.words[0] === 'redirect' ? 'redirect' : rule.ruleset;
    if (left.has(of) || holdsGiven(rule.condition, proxy.acls, truth) !== true) continue;
    if (rule.ruleset === 'use_backend') return [targetKey(rule.action)];
    if (ENDS.test(rule.action)) return [];
    left.add(of);
  }
  return defaultTargets(proxy);
}

function allTargets(proxy: ProxySection): string[] {
  return [...usedBackends(proxy).map(targetKey), ...defaultTargets(proxy)];
}

/** A listen section without a backend is one itself. */
function defaultTargets(proxy: ProxySection): string[] {
  const written = defaultBackend(proxy);
  if (written !== undefined) return [targetKey(written)];
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

function isExpression(backend: string): boolean {
  return /[%$]/.test(backend);
}

/** The name of a backend; for one chosen by a map, the file of the map, and for any other the expression. */
function targetKey(action: string): string {
  if (!isExpression(action)) return action;
  return /,map(?:_\w+)?\(([^),]+)/.exec(action)?.[1] ?? action;
}

/** The backends that a guarded section leads to, as `reachableTargets` names them. */
export function guardedTargets(proxy: ProxySection): readonly string[] {
  return [proxy.name, ...allTargets(proxy)];
}
