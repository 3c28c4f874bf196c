import { change, DONE, Refusal, run } from './command.js';
import { check, choice, el, field } from './dom.js';
import { entryFields, form, optionsOf } from './form.js';
import { preview, sayWithUndo } from './undo.js';

const KINDS = [
  ['ip', 'addresses and networks'],
  ['host', 'host names'],
  ['path', 'paths'],
  ['ua', 'user agents'],
  ['asn', 'networks by number (ASN)'],
  ['country', 'countries'],
  ['ja4', 'TLS fingerprints (JA4)'],
];

/** A file into a list: first what it would do, with every guard of the command line, then the same once more in earnest. */
export function importView(part) {
  const input = el('input', { type: 'file', id: 'file' });
  const lines = el('textarea', { id: 'lines', rows: '4', spellcheck: 'false' });
  const shown = el('div', { id: 'preview' });
  const write = el('button', { value: 'write', disabled: true }, 'Write');
  const work = async (element, button) => {
    const [file = new File([lines.value], 'pasted lines')] = input.files;
    if (file.size === 0) throw new Error('choose a file, or paste lines');
    const options = { ...optionsOf(element), ...(button !== 'write' && { 'dry-run': true }) };
    write.disabled = true;
    shown.replaceChildren();
    if (button === 'write') {
      const { out, complaints, run: id } = await change('import', ['-'], options, file);
      return sayWithUndo({ out: out.slice(-1), complaints: complaints.slice(-1), run: id }, () => {}); // all else was previewed
    }
    const { code, out, cut, complaints } = await run('import', ['-'], options, file);
    const last = code === 0 ? [] : complaints.splice(-1); // what was refused, or how much would be skipped
    const reports = complaints.map((line) => `${line}\n`);
    if (!DONE.includes(code)) {
      shown.append(...preview('', reports, 0));
      throw new Refusal({ complaints: last });
    }
    const sum = [...out.splice(-1), ...last].map((line) => line.trim()).join('; ');
    shown.append(...preview(sum, [...reports, ...out], cut));
    write.disabled = false;
    write.focus();
  };
  const element = form(
    work,
    el(
      'div',
      { class: 'drop' },
      field('File', input, 'or drop it here'),
      field('Or lines', lines, 'one address a line'),
    ),
    el('div', { class: 'fields' }, ...entryFields('never'), field('What is in it', choice('kind', KINDS))),
    check('skip-invalid', 'Skip lines that cannot be read'),
    check('skip-protected', 'Skip what is protected'),
    check('new-list', 'Also if the list is not in the configuration', true),
    check('yes', 'Also new allows and redirects of a file that was imported before', true),
    el('div', { class: 'buttons' }, el('button', { value: 'preview' }, 'Preview'), write),
  );
  element.addEventListener('input', () => (write.disabled = true)); // what is written was previewed
  element.addEventListener('drop', ({ dataTransfer }) => {
    input.files = dataTransfer.files;
    element.requestSubmit(element.querySelector('[value=preview]'));
  });
  part.append(el('h1', {}, 'Import'), element, shown);
}
