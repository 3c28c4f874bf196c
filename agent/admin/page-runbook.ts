import { type Html, html } from './html.ts';

const RUNBOOK = 'https://github.com/haverdict/haverdict/blob/main/docs/runbook.md';

/** A link to a section of the runbook. */
export function runbookLink(section: string): Html {
  return html`<a href="${RUNBOOK}#${section.toLowerCase()}" rel="noreferrer">${section}</a>`;
}
