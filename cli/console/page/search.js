import { change, isSecret, read } from './command.js';
import { check, el, field, foreign, table, take, time } from './dom.js';
import { entryFields, form, optionsOf } from './form.js';
import { sayWithUndo } from './undo.js';

const HINT =
  'an address or network, or like host:shop.example, path:/admin/*, country:XX; several at once under Import';
const REFUSED = ['deny', 'tarpit', 'drop'];

/** What every agent would decide about a subject, and what can be done about it. */
export async function searchView(part, subject) {
  const box = el('input', {
    id: 'search-text',
    type: 'search',
    value: subject,
    'data-first': true,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const found = el('div');
  const look = async (text) => {
    const explanation = await read('explain', [text]);
    const again = () => look(text).then(() => take(box));
    found.replaceChildren(explained(explanation, again), changes(text, explanation, again));
  };
  const search = () => {
    const text = box.value.trim().replace(/^'(.*)'$/, '$1'); // as a hint writes it for a shell
    const place = `#search/${encodeURIComponent(text)}`;
    if (location.hash === place || isSecret(text)) return look(text); // a secret has no place in the history
    location.hash = place;
  };
  part.append(
    el('h1', {}, 'What happens to a visitor?'),
    form(search, el('div', { class: 'line' }, field('Who', box, HINT), el('button', {}, 'Search'))),
    found,
  );
  if (subject !== '') await look(subject);
}

function explained({ decision, effect, unsupported, why, subjects, entries, lists }, again) {
  const isRefused = REFUSED.includes(decision.action);
  const who = foreign(subjects.map(({ told }) => told).join(', '));
  const won = entries.find(({ outcome }) => outcome === 'wins');
  return el(
    'section',
    { id: 'explained' },
    el(
      'h2',
      { class: isRefused ? 'out' : 'in' },
      isRefused ? '■ ' : '○ ',
      who,
      isRefused && ' is blocked:',
      ` ${effect}`,
    ),
    won && el('p', {}, 'Why: ', foreign(toldOf(won)), effect.includes(why) ? '.' : `: ${why}.`),
    unsupported && el('p', {}, unsupported),
    !subjects[0].asked &&
      el('p', {}, 'Agents with this configuration do not look it up: an entry for it has no effect.'),
    ...subjects.flatMap(({ network }) => (network ? within(network, lists) : [])),
    entries.length === 0
      ? el('p', {}, `No entry in any list matches. Looked in ${lists.join(', ')}.`)
      : entriesTable('Entries that match', entries, again, [
          ['Outcome', ({ outcome, why }) => foreign([outcome, why].filter(Boolean).join(': '))],
        ]),
  );
}

function within(network, lists) {
  const links = lists.map((list) => [' ', el('a', { href: `#lists/${list}?within=${network}` }, foreign(list))]);
  return el('p', {}, 'Addresses in it may have entries of their own in', ...links.flat());
}

/** As in: deny in list feed, spam (SBL1), by anna. */
function toldOf({ subject, list, action, reason, note, createdBy }) {
  const said = [reason, note && `(${note})`].filter(Boolean).join(' ');
  return [`${action} ${subject} in list ${list}`, said, createdBy && `by ${createdBy}`].filter(Boolean).join(', ');
}

/** Entries, each with a button that removes it. */
export function entriesTable(caption, entries, again, more = []) {
  return table(
    caption,
    [
      ['Entry', ({ subject }) => el('a', { href: `#search/${encodeURIComponent(subject)}` }, foreign(subject))],
      ['List', ({ list }) => el('a', { href: `#lists/${list}` }, foreign(list))],
      ['Action', ({ action }) => foreign(action)],
      ['Ends', ({ expiresAt }) => (expiresAt === undefined ? 'never' : time(expiresAt))],
      ['Reason', ({ reason, note, problem }) => foreign([problem, reason, note].filter(Boolean).join(' · '))],
      ['By', ({ createdBy }) => foreign(createdBy)],
      ['Since', ({ createdAt }) => time(createdAt)],
      ...more,
      ['Change', (entry) => removal(entry, again)],
    ],
    entries,
  );
}

function removal({ subject, list }, again) {
  const remove = async () => {
    const done = await change('remove', [subject], { list });
    await again();
    sayWithUndo(done, again);
  };
  return form(remove, el('button', { 'aria-label': `Remove ${subject} from list ${list}` }, 'Remove'));
}

function changes(text, { subjects }, again) {
  const work = async (element, command) => {
    const done = await change(command, [text], optionsOf(element));
    await again();
    sayWithUndo(done, again);
  };
  return form(
    work,
    el('button', { hidden: true, disabled: true }), // what Enter would press: Block and Allow are opposites
    el('h2', {}, 'Change it'),
    el('div', { class: 'fields' }, ...entryFields()),
    check('new-list', 'Also if the list is not in the configuration', true),
    el(
      'div',
      { class: 'buttons' },
      el('button', { value: 'block' }, 'Block'),
      el('button', { value: 'allow' }, 'Allow'),
    ),
    el('p', {}, el('a', { href: `#history/${encodeURIComponent(subjects[0].subject)}` }, 'Who changed it before')),
  );
}
