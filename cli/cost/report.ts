import { table } from '../output/table.ts';
import { count, type Estimate, type WithoutMirror } from './estimate.ts';

/** Formats an estimate as text. */
export function report(estimate: Estimate): string {
  const { requests, items, totalUsd, withoutMirror, assumes, leavesOut, prices } = estimate;
  const rows = [...items.map((item) => [item.name, count(item.amount), item.unit, usd(item.usd)]), total(totalUsd)];
  return [
    `${count(requests)} requests per month need ${lookupsInWords(estimate)}`,
    '',
    numbersRight(['ITEM', 'AMOUNT', 'UNIT', 'USD/MONTH'], rows, [1, 3]),
    ...(withoutMirror ? [`Without mirror ${usd(withoutMirror.totalUsd)}: ${lookupsInWords(withoutMirror)}`] : []),
    '',
    'Assumptions',
    ...assumes.map((line) => `  ${line}`),
    'Not included',
    ...leavesOut.map((line) => `  ${line}`),
    `Prices of ${prices.date} in ${prices.region}: ${prices.source}`,
  ].join('\n');
}

function lookupsInWords({ lookups, usage }: WithoutMirror): string {
  return lookups === 0 ? 'no lookups' : `${count(lookups)} lookups, in ${count(usage.calls)} calls of the function`;
}

function total(totalUsd: number): string[] {
  return ['Total', '', '', usd(totalUsd)];
}

function usd(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function numbersRight(heading: readonly string[], rows: readonly string[][], columns: readonly number[]): string {
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows].map((row) => row[column]?.length ?? 0)));
  const right = (row: readonly string[]) =>
    row.map((cell, column) => (columns.includes(column) ? cell.padStart(widths[column] ?? 0) : cell));
  return table(right(heading), rows.map(right));
}
