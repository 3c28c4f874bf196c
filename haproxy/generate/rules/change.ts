import type { Settings } from '../../../config/settings.ts';
import { REQUEST_SCOPE } from '../../events.ts';
import { type HeaderChange, headerVariable, VARIABLES } from '../../vocabulary.ts';
import type { Reading } from '../reading.ts';
import { formatOf } from '../word.ts';

/** Removed first: what is set or added stays. */
const ORDER: readonly HeaderChange[] = ['del', 'set', 'add'];

/** The changes of a request that passes: path, query, and the headers that the configuration names. */
export function requestChanges({ haproxy }: Settings, reading: Reading): string[] {
  const change = (action: string, name: string) =>
    `http-request ${action} ${formatOf(reading.variable(name))} if ${reading.has(name)}`;
  return [
    '# changed as the entry says',
    change('set-path', VARIABLES.path),
    change('set-query', VARIABLES.query),
    // set-query would leave the question mark
    `http-request set-pathq "%[path]" if { ${reading.variable(VARIABLES.query)} -m len 0 }`,
    ...headerRules('http-request', 'req', haproxy.requestHeaders, reading),
  ];
}

/** The changes of a response, also of one that HAProxy makes itself, such as a deny. */
export function responseChanges({ haproxy }: Settings, reading: Reading): string[] {
  return headerRules('http-after-response', 'res', haproxy.responseHeaders, reading);
}

/** A decision of the backend is gone when the response comes: what it says of that is put where the frontend reads it. */
export function keptForResponse({ haproxy }: Settings, reading: Reading): string[] {
  return [VARIABLES.ref, ...changesOf('res', haproxy.responseHeaders).map(({ name }) => name)].map(
    (name) =>
      `http-request set-var(${REQUEST_SCOPE}.${haproxy.prefix}.${name}) ${reading.variable(name)} if ${reading.has(name)}`,
  );
}

function headerRules(
  ruleset: 'http-request' | 'http-after-response',
  side: 'req' | 'res',
  headers: readonly string[],
  reading: Reading,
): string[] {
  return changesOf(side, headers).map(({ change, header, name }) => {
    const value = change === 'del' ? '' : ` ${formatOf(reading.variable(name))}`;
    return `${ruleset} ${change}-header ${header}${value} if ${reading.has(name)}`;
  });
}

function changesOf(side: 'req' | 'res', headers: readonly string[]) {
  return headers.flatMap((header) =>
    ORDER.map((change) => ({ change, header, name: headerVariable(side, change, header) })),
  );
}
