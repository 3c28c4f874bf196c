import { read } from './command.js';
import { choice, el, field, foreign, table, time } from './dom.js';
import { form } from './form.js';
import { undo } from './undo.js';
import { count } from './working.js';

const SINCE = [
  ['24h', 'the last day'],
  ['7d', 'the last 7 days'],
  ['90d', 'the last 90 days'],
];

/** Who changed what, with undo. `wanted` is a subject, or `list:NAME`. */
export async function historyView(part, wanted) {
  const [, ofList] = /^list:(.*)$/.exec(wanted) ?? [];
  const changes = el('div');
  const show = async (element) => {
    const { subject, ...options } = Object.fromEntries(new FormData(element));
    const found = await read('history', subject.trim() === '' ? [] : [subject.trim()], { ...options, limit: '100' });
    changes.replaceChildren(
      found.changes.length === 0 ? el('p', {}, 'Nothing was changed.') : changesTable(found, () => show(filters)),
    );
  };
  const filters = form(
    show,
    el(
      'div',
      { class: 'fields' },
      field(
        'Subject',
        el('input', { name: 'subject', value: ofList === undefined ? wanted : '', autocomplete: 'off' }),
      ),
      field('List', el('input', { name: 'list', value: ofList ?? '', autocomplete: 'off' })),
      field('Since', choice('since', SINCE)),
    ),
    el('button', {}, 'Show'),
  );
  part.append(el('h1', {}, 'History'), filters, changes);
  await show(filters);
}

function changesTable({ changes, left }, again) {
  return table(
    left > 0 ? `The newest ${changes.length} changes; ${left} older ones are not shown` : 'Changes, newest first',
    [
      ['When', ({ at }) => time(at)],
      ['Who', ({ by }) => foreign(by)],
      ['List', ({ list }) => foreign(list)],
      ['Did', (one) => foreign(didOf(one))],
      ['Subjects', (one) => linked(one, foreign(subjectsOf(one)))],
      ['Until', ({ until }) => time(until)],
      ['Why', ({ why }) => foreign(why)],
      ['Source', ({ source }) => foreign(source)],
      [
        'Undo',
        (one) =>
          one.run &&
          el(
            'button',
            {
              type: 'button',
              'aria-label': `Undo the change of ${one.at}`,
              onclick: () =>
                undo(one.run, `${didOf(one)} ${subjectsOf(one)}: list ${one.list}, ${one.by}, ${one.at}`, again),
            },
            'Undo…',
          ),
      ],
    ],
    changes,
  );
}

const DID = {
  __proto__: null,
  put: 'wrote',
  remove: 'removed',
  import: 'imported',
  sync: 'synced',
  revert: 'undid',
  'list-created': 'created the list',
  'list-changed': 'changed the list',
  'list-deleted': 'deleted the list',
};

const TOTALS = { __proto__: null, put: 'written', kept: 'left alone' };

const didOf = ({ change, action = '' }) => `${DID[change] ?? change} ${action}`.trim();

function subjectsOf({ subjects = [], totals = {} }) {
  const [first, ...more] = subjects;
  if (first !== undefined) return more.length === 0 ? first : `${first} and ${more.length} more`;
  return Object.entries(totals)
    .filter(([, many]) => many > 0)
    .map(([what, many]) => `${count(many)} ${TOTALS[what] ?? what}`)
    .join(', ');
}

/** A subject leads to what happens to it. */
function linked({ subjects: [first] = [] }, text) {
  return first === undefined ? text : el('a', { href: `#search/${encodeURIComponent(first)}` }, text);
}
