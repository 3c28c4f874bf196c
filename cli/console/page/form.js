import { read } from './command.js';
import { el, field, isThere } from './dom.js';

const LIFETIMES = [
  ['1h', '1 hour'],
  ['24h', '1 day'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['never', 'no expiry'],
  ['until', 'until…'],
];

/** How long an entry stays, why, and in which list. */
export function entryFields(usual = '24h') {
  const until = el('input', { type: 'datetime-local', name: 'until', 'aria-label': 'until, in your time zone' });
  until.hidden = true;
  const lifetime = el(
    'select',
    { name: 'for', onchange: ({ target }) => (until.hidden = target.value !== 'until') },
    ...LIFETIMES.map(([value, text]) => el('option', { value, selected: value === usual }, text)),
  );
  return [
    el('div', { class: 'pair' }, field('For how long', lifetime), until),
    field('Why', el('input', { name: 'reason', autocomplete: 'off' }), 'the site gets it, too'),
    field('Note', el('input', { name: 'note', autocomplete: 'off' }), 'for you, such as a ticket'),
    field(
      'List',
      el('input', { name: 'list', value: 'manual', list: 'list-names', autocomplete: 'off', spellcheck: 'false' }),
    ),
    listNames(),
  ];
}

/** The names of the lists, as soon as they are known. */
function listNames() {
  const names = el('datalist', { id: 'list-names' });
  const show = (lists) => names.append(...lists.map(({ name }) => el('option', { value: name })));
  read('lists print').then(show, () => {}); // they can be typed as well
  return names;
}

/** The options of a command, from the fields of a form with their names. */
export function optionsOf(form) {
  const options = Object.fromEntries(new FormData(form));
  for (const { name, checked } of form.querySelectorAll('[type=checkbox]')) options[name] = checked;
  if (options.for === 'until') {
    if (!options.until) throw new Error('say until when');
    options.until = new Date(options.until).toISOString();
    delete options.for;
  } else delete options.until;
  return options;
}

/** A form whose work is done once at a time; what it refuses is said in it. */
export function form(work, ...children) {
  const refused = el('p', { role: 'alert', class: 'refused' });
  const element = el(
    'form',
    {
      async onsubmit(event) {
        event.preventDefault();
        if (element.ariaBusy === 'true') return;
        element.ariaBusy = 'true';
        refused.textContent = '';
        say([]);
        try {
          await work(element, event.submitter?.value);
        } catch (error) {
          refused.textContent = error.message;
          if (error.message.includes('--force'))
            refused.append('\nThis page has no --force: block less, or use the command line.');
          offerNamed(element, error.message);
        }
        element.ariaBusy = 'false';
        if (document.activeElement === document.body) document.getElementById('main').focus(); // its place is gone
      },
    },
    ...children,
    refused,
  );
  return element;
}

/** Marks, and shows, the checkboxes whose option a refusal names. */
function offerNamed(element, text) {
  for (const { name, parentElement } of element.querySelectorAll('[type=checkbox]')) {
    const isNamed = text.includes(`--${name}`);
    parentElement.classList.toggle('named', isNamed);
    if (isNamed) parentElement.hidden = false;
  }
}

/** What was done, until the next is said. */
export function say(lines, ...more) {
  const text = lines.map((line) => el('p', {}, line));
  const said = document.getElementById('said');
  said.replaceChildren(...text, ...more.filter(isThere));
  if (lines.length > 0) said.scrollIntoView({ block: 'nearest' });
}
