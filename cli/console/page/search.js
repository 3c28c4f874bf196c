import { change, read } from './command.js';
import { check, el, field, foreign, table, time } from './dom.js';
import { entryFields, form, optionsOf } from './form.js';
import { sayWithUndo } from './undo.js';

const REFUSED = ['deny', 'tarpit', 'drop'];

/** What every agent would decide about a subject, and what can be done about it. */
export async function searchView(part, subject, again) {
  const box = el('input', {
    id: 'search-text',
    type: 'search',
    value: subject,
    'data-first': true,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const search = () => {
    const wanted = `#search/${encodeURIComponent(box.value.trim())}`;
    if (location.hash === wanted) return again();
    location.hash = wanted;
  };
  part.append(
    el('h1', {}, 'What happens to a visitor?'),
    form(
      search,
      el(
        'div',
        { class: 'line' },
        field('Who', box, 'an address or network, or like host:shop.example, path:/admin/*, country:XX'),
        el('button', {}, 'Search'),
      ),
    ),
  );
  if (subject === '') return;
  const [found, lists] = await Promise.all([read('explain', [subject]), read('lists print')]);
  const [{ subject: canonical }] = found.subjects;
  part.append(explained(found, again), changes(subject, canonical, lists, again));
}

function explained({ decision, effect, unsupported, why, subjects, entries, lists }, again) {
  const isRefused = REFUSED.includes(decision.action);
  const who = foreign(subjects.map(({ told }) => told).join(', '));
  return el(
    'section',
    { id: 'explained' },
    el('h2', { class: isRefused ? 'out' : 'in' }, isRefused ? '■ ' : '○ ', who, ` ${effect}`),
    why && !effect.includes(why) && el('p', {}, `Why: ${why}.`),
    unsupported && el('p', {}, unsupported),
    entries.length === 0
      ? el('p', {}, `No entry in any list matches. Looked in ${lists.join(', ')}.`)
      : entriesTable('Entries that match', entries, again, [
          ['Outcome', ({ outcome, why }) => foreign([outcome, why].filter(Boolean).join(': '))],
        ]),
  );
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
    const { out } = await change('remove', [subject], { list });
    await again();
    await sayWithUndo(out, subject, list, again);
  };
  return form(remove, el('button', { 'aria-label': `Remove ${subject} from list ${list}` }, 'Remove'));
}

function changes(typed, canonical, lists, again) {
  const work = async (element, command) => {
    const options = optionsOf(element);
    const { out, complaints } = await change(command, [typed], options);
    await again();
    await sayWithUndo([...out, ...complaints], canonical, options.list, again);
  };
  return form(
    work,
    el('h2', {}, 'Change it'),
    el('div', { class: 'fields' }, ...entryFields(lists.map(({ name }) => name))),
    check('new-list', 'Also if the list is not in the configuration'),
    el(
      'div',
      { class: 'buttons' },
      el('button', { value: 'block' }, 'Block'),
      el('button', { value: 'allow' }, 'Allow'),
    ),
    el('p', {}, el('a', { href: `#history/${encodeURIComponent(canonical)}` }, 'Who changed it before')),
  );
}
