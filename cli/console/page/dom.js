/** An element: attributes and properties, listeners as `onclick`, and children; texts stay texts. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter(isThere));
  return element;
}

/** Whether a child is there; `condition && child` is not where the condition does not hold. */
export function isThere(child) {
  return child !== undefined && child !== null && child !== false;
}

/** A table; a cell is a text or an element. `columns` are [heading, row => cell]. */
export function table(caption, columns, rows) {
  const cell = (heading, content) => {
    const isEmpty = content === undefined || content === '';
    return el('td', { 'data-name': heading, class: isEmpty && 'empty' }, isEmpty ? '' : content);
  };
  return el(
    'table',
    {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...columns.map(([heading]) => el('th', { scope: 'col' }, heading)))),
    el('tbody', {}, ...rows.map((row) => el('tr', {}, ...columns.map(([heading, of]) => cell(heading, of(row)))))),
  );
}

/** A labelled field; `hint` names the option of the command. */
export function field(label, control, hint) {
  return el('label', {}, el('span', {}, label, hint && el('small', {}, ` ${hint}`)), control);
}

export function choice(name, options, more = {}) {
  return el('select', { name, ...more }, ...options.map(([value, text]) => el('option', { value }, text)));
}

/** A box for an option; a rare one is shown once a refusal names it. */
export function check(name, label, isRare = false) {
  return el(
    'label',
    { class: 'check', hidden: isRare },
    el('input', { type: 'checkbox', name }),
    ` ${label} `,
    el('code', {}, `--${name}`),
  );
}

/** Gives a text field the focus, so that what is typed replaces what was there. */
export function take(box) {
  box.focus();
  box.select();
}

/** Foreign text, isolated from the direction of the text around it. */
export function foreign(text) {
  return text ? el('bdi', {}, text) : '';
}

/** As in 2027-01-31 09:30. */
const MOMENT = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat('en');
const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** A time in the zone of the browser, with how long it is from now. */
export function time(iso) {
  if (!iso) return '';
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return foreign(String(iso));
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= 1.5 * length) ?? ['second', 1];
  const relative = RELATIVE.format(Math.round(seconds / length), unit);
  return el('time', { datetime: iso }, MOMENT.format(new Date(iso)), el('small', {}, relative));
}
