import type { Decision } from '../../agent/decision/decision.ts';
import { printable } from '../../contract/printable.ts';

type Outcome = Pick<Decision, 'action' | 'status' | 'vars' | 'shadow' | 'list'>;

/** What HAProxy does with a request after this decision, as in docs/reference/decisions.md. */
export function effectOf({ action, status, vars = {}, shadow, list }: Outcome): string {
  switch (action) {
    case 'allow':
      return list === undefined
        ? 'passes: no entry applies'
        : `passes: an allow overrides every other entry${changes(vars)}`;
    case 'deny':
      return `gets status ${status ?? 403}${vars.body === undefined ? '' : ` with body "${printable(vars.body)}"`}`;
    case 'tarpit':
      return `gets status ${status ?? 403} after HAProxy's timeout tarpit`;
    case 'drop':
      return 'gets no response';
    case 'redirect':
      return `is redirected to ${printable(vars.location ?? '')} with status ${status ?? 302}`;
    case 'route':
      return `goes to ${destination(vars)}${changes(vars)}`;
    case 'tag':
      return `passes${changes(vars)}`;
    case 'log':
      return shadow === undefined ? 'passes, and is only logged' : `passes: in shadow mode, would be ${shadow}`;
    default:
      return action satisfies never;
  }
}

function destination({ split, backend }: Readonly<Record<string, string>>): string {
  if (split === undefined) return `backend ${printable(backend ?? '')}`;
  return `a backend chosen by share (${printable(split)})${backend === undefined ? '' : `, else ${printable(backend)}`}`;
}

function changes(vars: Readonly<Record<string, string>>): string {
  const own = Object.entries(vars).filter(([name]) => /^(path|query|req\.|res\.)/.test(name));
  return own.length === 0 ? '' : `, with ${own.map(([name, value]) => `${name}=${printable(value)}`).join(' ')}`;
}
