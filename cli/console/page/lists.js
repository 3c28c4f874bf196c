import { read, readLines } from './command.js';
import { el, field, foreign, table, time } from './dom.js';
import { form } from './form.js';
import { entriesTable } from './search.js';
import { count } from './working.js';

const MOST = 200;

/** The counts that are being made: they read every entry. */
let counting;

/** All lists, or one with its entries: `feed`, or those `feed?within=203.0.113.0/24`. */
export async function listsView(part, wanted) {
  if (wanted !== '') return listView(part, ...wanted.split('?within='));
  const rows = el('div');
  part.append(el('h1', {}, 'Lists'), rows);
  rows.append(listsTable(await read('lists print')));
  counting ??= read('lists print', [], { count: true }).finally(() => {
    counting = undefined;
  });
  rows.replaceChildren(listsTable(await counting));
}

function listsTable(lists) {
  return table(
    'Lists of the table',
    [
      ['List', ({ name }) => el('a', { href: `#lists/${name}` }, foreign(name))],
      ['Entries', ({ counted }) => (counted === undefined ? 'counting…' : count(counted))],
      ['Read from its source', ({ syncedAt }) => time(syncedAt)],
      ['Source', ({ source }) => foreign(source)],
      ['Owner', ({ owner }) => foreign(owner)],
      ['Description', ({ description }) => foreign(description)],
    ],
    lists,
  );
}

async function listView(part, name, within = '') {
  const entries = el('div');
  const search = async (element) => {
    const filters = Object.fromEntries(new FormData(element));
    const found = await readLines('list', [name], { ...filters, limit: String(MOST + 1) });
    const caption = found.length > MOST ? `The first ${MOST} entries: filter for others` : `${found.length} entries`;
    entries.replaceChildren(entriesTable(caption, found.slice(0, MOST), () => search(filters)));
  };
  const filters = form(
    search,
    el(
      'div',
      { class: 'fields' },
      field('Within', el('input', { name: 'within', value: within, autocomplete: 'off' }), '203.0.113.0/24'),
      field('Reason contains', el('input', { name: 'reason', autocomplete: 'off' })),
      field('By', el('input', { name: 'by', autocomplete: 'off' })),
      field('Ends within', el('input', { name: 'expiring', autocomplete: 'off' }), '24h'),
    ),
    el('button', {}, 'Filter'),
  );
  part.append(el('h1', {}, `List ${name}`), filters, entries);
  const { summary, record = {}, lease } = await read('lists describe', [name]);
  const counts = Object.entries(summary.byAction).map(([action, many]) => `${count(many)} ${action}`);
  const facts = [
    ['Entries', `${count(summary.entries)}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`],
    ['Expired, not yet deleted', summary.expired || undefined],
    ['Not valid', summary.bad || undefined],
    ['Read from its source', time(record.syncedAt)],
    ['Source', record.source],
    ['Owner', record.owner],
    ['Description', record.description],
    ['Changed now by', lease?.holder],
  ].filter(([, value]) => value !== undefined && value !== '');
  filters.before(el('dl', {}, ...facts.map(([what, value]) => el('div', {}, el('dt', {}, what), el('dd', {}, value)))));
  filters.before(el('p', {}, el('a', { href: `#history/list:${name}` }, 'What changed in it')));
  await search(filters);
}
