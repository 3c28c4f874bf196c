/**
 * The JavaScript that keeps the page up to date: fetches the page every second and replaces the sections that changed, and says
 * how old they are. The recent denies hold still while they are paused, pointed at or selected.
 */
export const SCRIPT = `
'use strict';
const notice = document.getElementById('notice');
const pause = document.getElementById('pause');
const clock = document.getElementById('clock');
const held = document.getElementById('held');
let timer;
let isPaused = false;
let isPointedAt = false;
let answeredAt = new Date();
let rowsAt = answeredAt;

async function refresh() {
  try {
    const response = await fetch('./', { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
    answeredAt = new Date();
    document.title = fresh.title;
    const order = orderOf(fresh.getElementById('panels')); // the parts move from there
    const isHeld = mustHold();
    if (!isHeld) rowsAt = answeredAt;
    for (const part of fresh.querySelectorAll('[data-live]')) {
      const shown = document.getElementById(part.id);
      if (isHeld && part.id === 'recent-rows') continue;
      if (shown && shown.outerHTML !== part.outerHTML) shown.replaceWith(part);
    }
    arrange(order);
    show('');
  } catch {
    show('▲ no answer from the agent since ' + utc(answeredAt));
    document.title = '▲ no answer – ' + document.title.replace(/^▲ no answer – /, '');
  }
  tellHeld();
  tellAge();
  wait();
}

function orderOf(panels) {
  return [...panels.children].map(({ id }) => id);
}

function arrange(order) {
  const panels = document.getElementById('panels');
  if (orderOf(panels).join() !== order.join()) panels.append(...order.map((id) => document.getElementById(id)));
}

function mustHold() {
  const rows = document.getElementById('recent-rows');
  const { isCollapsed, anchorNode } = getSelection();
  return isPaused || isPointedAt || (!isCollapsed && rows.contains(anchorNode));
}

function tellHeld() {
  const text = mustHold() ? (isPaused ? 'paused' : 'held') + ' at ' + utc(rowsAt) : '';
  if (held.textContent !== text) held.textContent = text;
}

function tellAge() {
  const local = answeredAt.getTimezoneOffset() === 0 ? '' : ', ' + answeredAt.toTimeString().slice(0, 8) + ' local time';
  clock.textContent = 'updated ' + Math.round((Date.now() - answeredAt) / 1000) + ' s ago' + local;
}

function utc(date) {
  return date.toISOString().slice(11, 19) + ' UTC';
}

function show(text) {
  if (notice.textContent !== text) notice.textContent = text;
  document.body.classList.toggle('gone', text !== '');
}

function wait() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, 1000);
}

pause.hidden = false;
pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.textContent = isPaused ? 'Resume' : 'Pause';
  tellHeld();
});
const recent = document.getElementById('recent');
recent.addEventListener('pointermove', ({ pointerType, target }) => {
  isPointedAt = pointerType === 'mouse' && document.getElementById('recent-rows').contains(target);
  tellHeld();
});
recent.addEventListener('pointerleave', () => {
  isPointedAt = false;
  tellHeld();
});
document.addEventListener('visibilitychange', wait);
setInterval(tellAge, 1000);
tellAge();
wait();
`;
