import type { Decision } from '../../agent/decision/decision.ts';
import { printable } from '../../contract/printable.ts';

type Outcome = Pick<Decision, 'action' | 'status' | 'vars' | 'shadow' | 'list'>;

/** What HAProxy does with a request of which this is decided, as docs/reference/decisions.md has it. */
export function effectOf({ action, status, vars = {}, shadow, list }: Outcome): string {
  switch (action) {
    case 'allow':
      return list === undefined ? 'passes: no entry counts' : `passes, whatever any other entry says${changes(vars)}`;
    case 'deny':
      return `is answered ${status ?? 403}${vars.body === undefined ? '' : ` with "${printable(vars.body)}"`}`;
    case 'tarpit':
      return `is answered ${status ?? 403} after the timeout tarpit of HAProxy`;
    case 'drop':
      return 'gets no answer at all';
    case 'redirect':
      return `is answered ${status ?? 302} with ${printable(vars.location ?? '')}`;
    case 'route':
      return `goes to ${destination(vars)}${changes(vars)}`;
    case 'tag':
      return `passes${changes(vars)}`;
    case 'log':
      return shadow === undefined ? 'passes, and is only logged' : `passes: this is on trial, and would be ${shadow}`;
    default:
      return action satisfies never;
  }
}

function destination({ split, backend }: Readonly<Record<string, string>>): string {
  if (split === undefined) return `backend ${printable(backend ?? '')}`;
  return `a backend by share, ${printable(split)}${backend === undefined ? '' : `, else ${printable(backend)}`}`;
}

function changes(vars: Readonly<Record<string, string>>): string {
  const own = Object.entries(vars).filter(([name]) => /^(path|query|req\.|res\.)/.test(name));
  return own.length === 0 ? '' : `, changed by ${own.map(([name, value]) => `${name}=${printable(value)}`).join(' ')}`;
}
