import { about } from './command.js';
import { deniedView } from './denied.js';
import { el, take } from './dom.js';
import { say } from './form.js';
import { historyView } from './history.js';
import { importView } from './import.js';
import { listsView } from './lists.js';
import { searchView } from './search.js';

const VIEWS = {
  __proto__: null,
  search: searchView,
  lists: listsView,
  history: historyView,
  import: importView,
  ...(about.hasAgents && { denied: deniedView }),
};

const main = document.getElementById('main');
let shown = 0;

/** The address of a view: `#search/ip:203.0.113.7`. */
async function show() {
  const [name = '', ...rest] = location.hash.slice(1).split('/');
  const view = VIEWS[name] ?? searchView;
  const current = VIEWS[name] === undefined ? 'search' : name;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${current}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const turn = ++shown;
  const part = el('div');
  main.replaceChildren(part);
  document.title = `${current} – haverdict console`;
  try {
    await view(part, decodeURIComponent(rest.join('/')), show);
  } catch (error) {
    part.append(el('p', { role: 'alert', class: 'refused' }, error.message));
  }
  if (turn !== shown || main.contains(document.activeElement)) return;
  const first = main.querySelector('[data-first]');
  if (first) take(first);
  else main.focus();
}

document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target.closest('input, textarea, select, dialog')) return;
  event.preventDefault();
  const box = document.querySelector('#search-text');
  if (box) take(box);
  else location.hash = '#search';
});
// a file that misses its place would replace the page
for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
document.querySelector('nav').addEventListener('click', ({ target }) => {
  if (target.hash === location.hash) show(); // the same once more
});
addEventListener('hashchange', () => {
  say([]); // that was about the view before
  show();
});

document.querySelector('[href="#denied"]').hidden = !about.hasAgents;
document.getElementById('place').textContent = [
  `table ${about.table}${about.place ? ` at ${about.place}` : ''}`,
  `as ${about.by}`,
  about.config ?? 'without a configuration',
  `times in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`,
].join(' · ');
await show();
