import type { HaproxySettings } from '../../../config/settings.ts';
import { REQUEST_SCOPE } from '../../events.ts';
import { type HeaderChange, headerVariable, VARIABLES } from '../../variables.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { formatVariable } from '../syntax.ts';

/** Headers are removed first, so that what is set or added stays. */
const ORDER: readonly HeaderChange[] = ['del', 'set', 'add'];

/** The choice of a backend: one rule for each, as HAProxy would answer 503 for a name that it does not know. */
export function routeRules(
  { backends }: Pick<HaproxySettings, 'backends'>,
  { is, variable }: DecisionVariables,
): string[] {
  return backends.map(
    (backend) => `use_backend ${backend} if ${is('route')} { ${variable(VARIABLES.backend)} -m str ${backend} }`,
  );
}

/** The changes of a request that passes: path, query, and the headers that the configuration names. */
export function requestChanges(
  { actions, requestHeaders }: Pick<HaproxySettings, 'actions' | 'requestHeaders'>,
  decision: DecisionVariables,
): string[] {
  const { variable, has } = decision;
  const change = (action: string, name: string) =>
    `http-request ${action} ${formatVariable(variable(name))} if ${has(name)}`;
  const rules = [
    ...(actions.includes('path') ? [change('set-path', VARIABLES.path)] : []),
    ...(actions.includes('query')
      ? [
          change('set-query', VARIABLES.query),
          // set-query would leave the question mark
          `http-request set-pathq "%[path]" if { ${variable(VARIABLES.query)} -m len 0 }`,
        ]
      : []),
    ...headerRules('http-request', 'req', requestHeaders, decision),
  ];
  return rules.length === 0 ? [] : ['# changed as the entry says', ...rules];
}

/** The changes of a response, including one that HAProxy makes itself, such as a deny. */
export function responseChanges(
  { responseHeaders }: Pick<HaproxySettings, 'responseHeaders'>,
  decision: DecisionVariables,
): string[] {
  return headerRules('http-after-response', 'res', responseHeaders, decision);
}

/** The variables of a backend's decision are gone when the response comes: those it needs are copied to the frontend's. */
export function keptForResponse(
  { prefix, responseHeaders }: Pick<HaproxySettings, 'prefix' | 'responseHeaders'>,
  { variable, has }: DecisionVariables,
): string[] {
  return [VARIABLES.ref, ...changesOf('res', responseHeaders).map(({ name }) => name)].map(
    (name) => `http-request set-var(${REQUEST_SCOPE}.${prefix}.${name}) ${variable(name)} if ${has(name)}`,
  );
}

function headerRules(
  ruleset: 'http-request' | 'http-after-response',
  side: 'req' | 'res',
  headers: readonly string[],
  { variable, has }: DecisionVariables,
): string[] {
  return changesOf(side, headers).map(({ change, header, name }) => {
    const value = change === 'del' ? '' : ` ${formatVariable(variable(name))}`;
    return `${ruleset} ${change}-header ${header}${value} if ${has(name)}`;
  });
}

function changesOf(side: 'req' | 'res', headers: readonly string[]) {
  return headers.flatMap((header) =>
    ORDER.map((change) => ({ change, header, name: headerVariable(side, change, header) })),
  );
}
