import type { Key } from 'node:readline';

/** What the operator has chosen to see. */
export interface View {
  readonly sort: Sort;
  /** Rows without this text are left out. */
  readonly filter: string;
  /** The filter is being typed. */
  readonly isTyping: boolean;
  readonly isPaused: boolean;
}

/** By what decisions and denied subjects are sorted. */
export const SORTS = ['rate', 'total', 'name'] as const;
export type Sort = (typeof SORTS)[number];

export const USUAL_VIEW: View = { sort: 'rate', filter: '', isTyping: false, isPaused: false };

const MAX_FILTER = 100;

/** The view after a key; `leave` if it ends the program. */
export function pressed(view: View, key: Key): View | 'leave' {
  if (key.ctrl === true && key.name === 'c') return 'leave';
  if (view.isTyping) return typed(view, key);
  switch (key.name ?? key.sequence) {
    case 'q':
      return 'leave';
    case 'p':
    case 'space':
      return { ...view, isPaused: !view.isPaused };
    case 's':
      return { ...view, sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length] ?? 'rate' };
    case '/':
      return { ...view, isTyping: true };
    case 'escape':
      return { ...view, filter: '' };
    default:
      return view;
  }
}

/** Escape removes the filter, Enter keeps it. */
function typed(view: View, { name, sequence = '' }: Key): View {
  if (name === 'escape') return { ...view, filter: '', isTyping: false };
  if (name === 'return' || name === 'enter') return { ...view, isTyping: false };
  if (name === 'backspace') return { ...view, filter: [...view.filter].slice(0, -1).join('') };
  const isText = /^\P{C}$/u.test(sequence) && view.filter.length < MAX_FILTER;
  return isText ? { ...view, filter: view.filter + sequence } : view;
}

/** The line that says what can be done. */
export function hintOf({ sort, filter, isTyping, isPaused }: View): string {
  if (isTyping) return `filter: ${filter}_   Enter keep  Esc remove`;
  const filtered = filter === '' ? '/ filter' : `/ filter: ${filter}  Esc remove`;
  return `q quit  p ${isPaused ? 'resume' : 'pause'}  s sort: ${sort}  ${filtered}`;
}
