import { change, run } from './command.js';
import { el, field, foreign } from './dom.js';
import { form, say } from './form.js';
import { count } from './working.js';

const dialog = document.getElementById('dialog');

/** Says what a command did, with a button that takes it back if it changed anything. */
export function sayWithUndo({ out, complaints, run }, again) {
  const lines = [...out.filter((line) => !line.startsWith('haverdict')), ...complaints];
  say(lines, run && el('button', { type: 'button', onclick: () => undo(run, lines[0], again) }, 'Undo'));
}

/** Shows what taking a run back would do, and does it once that is confirmed. `what` says what the run did. */
export async function undo(id, what, again) {
  const { code, out, cut, complaints } = await run('revert', [id], { 'dry-run': true });
  const isChange = code === 0 && out.some((line) => /^[-+~] /.test(line));
  const work = async (element) => {
    const reason = new FormData(element).get('reason');
    const done = await change('revert', [id], { yes: true, reason });
    dialog.close();
    await again();
    sayWithUndo(done, again);
  };
  const buttons = el(
    'div',
    { class: 'buttons' },
    isChange && el('button', {}, 'Undo it'),
    el('button', { type: 'button', onclick: () => dialog.close() }, 'Leave it'),
  );
  dialog.replaceChildren(
    form(
      work,
      el('h2', { id: 'dialog-title' }, 'Undo this change?'),
      el('p', {}, foreign(what)),
      ...(code === 0 ? preview(out.at(-1), out.slice(0, -1), cut) : preview(complaints.join('\n'), [], 0)),
      isChange && field('Why', el('input', { name: 'reason', autocomplete: 'off' })),
      buttons,
    ),
  );
  dialog.showModal();
}

/** A preview: what it comes to, then its lines: `+` comes, `-` goes, `~` changes, `=` stays. */
export function preview(sum, lines, cut) {
  const text = `${lines.join('').trimEnd()}${cut > 0 ? `\n(${count(cut)} more lines are not shown)` : ''}`;
  return [
    sum && el('p', { class: 'sum' }, sum),
    text !== '' && el('pre', { class: 'preview', tabindex: '0', 'aria-label': 'Preview' }, text),
  ].filter(Boolean);
}
