import { type Html, html } from './html.ts';

interface Column {
  readonly name: string;
  readonly isNumber?: true;
}

/** A section with a table, or a sentence if it has no rows. Explicit roles, since phones show rows as blocks. What is beside the heading stays. */
export function tableSection(
  id: string,
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly Html[])[],
  none: string,
  control?: Html,
): Html {
  const body = rows.length === 0 ? html`<p>${none}</p>` : table(columns, rows);
  const heading = html`<h2 id="${id}-title">${title}</h2>`;
  if (control === undefined)
    return html`<section id="${id}" aria-labelledby="${id}-title" data-live>
${heading}
${body}
</section>
`;
  return html`<section id="${id}" aria-labelledby="${id}-title">
<div class="heading">${heading}${control}</div>
<div id="${id}-rows" data-live>${body}</div>
</section>
`;
}

function table(columns: readonly Column[], rows: readonly (readonly Html[])[]): Html {
  const kind = (column: Column | undefined) => (column?.isNumber ? html` class="number"` : html``);
  const head = columns.map((column) => html`<th role="columnheader" scope="col"${kind(column)}>${column.name}</th>`);
  const row = (cells: readonly Html[]) =>
    cells.map((cell, index) => {
      const column = columns[index];
      return html`<td role="cell" data-name="${column?.name ?? ''}"${kind(column)}>${cell}</td>`;
    });
  return html`<table role="table">
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${rows.map((cells) => html`<tr role="row">${row(cells)}</tr>\n`)}</tbody>
</table>`;
}

/** A section with a list of names and values. */
export function listSection(
  id: string,
  title: string,
  items: readonly (readonly [string, Html | string | number])[],
): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title" data-live>
<h2 id="${id}-title">${title}</h2>
<dl>
${items.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
</section>
`;
}

/** A bar for a number beside it. */
export function bar(part: number): Html {
  const width = Math.round(100 * Math.min(1, Math.max(0, part)));
  return html`<svg class="bar" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="2"/><rect width="${width}" height="2"/></svg>`;
}
