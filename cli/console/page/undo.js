import { change, read, run } from './command.js';
import { el, field } from './dom.js';
import { form, say } from './form.js';

const dialog = document.getElementById('dialog');

/** Says what a change did, with a button that takes it back: its run is the newest of its subject and list. */
export async function sayWithUndo(lines, subject, list, again) {
  const { changes } = await read('history', [subject], { list, limit: '1' });
  const [{ run } = {}] = changes;
  say(lines, run && el('button', { type: 'button', onclick: () => undo(run, again) }, 'Undo'));
}

/** Shows what taking a run back would do, and does it once that is confirmed. */
export async function undo(id, again) {
  const { code, out, cut, complaints } = await run('revert', [id], { 'dry-run': true });
  const lines = code === 0 ? out : complaints;
  const work = async (element) => {
    const reason = new FormData(element).get('reason');
    const { out, complaints } = await change('revert', [id], { yes: true, reason });
    dialog.close();
    await again();
    say([...out.filter((line) => !line.startsWith('haverdict')), ...complaints]);
  };
  const buttons = el(
    'div',
    { class: 'buttons' },
    code === 0 && el('button', {}, 'Undo it'),
    el('button', { type: 'button', onclick: () => dialog.close() }, 'Leave it'),
  );
  dialog.replaceChildren(
    form(
      work,
      el('h2', { id: 'dialog-title' }, 'Undo this change?'),
      preview(lines, cut),
      code === 0 && field('Why', el('input', { name: 'reason', autocomplete: 'off' })),
      buttons,
    ),
  );
  dialog.showModal();
}

/** Lines of a preview: `+` comes, `-` goes, `~` changes, `=` stays. */
export function preview(lines, cut) {
  return el(
    'pre',
    { class: 'preview', tabindex: '0', 'aria-label': 'Preview' },
    lines.join('').trimEnd(),
    cut > 0 && `\n(${cut} more lines are not shown)`,
  );
}
