/** The JavaScript that keeps the page up to date: fetches the page every second and replaces the sections that changed. */
export const SCRIPT = `
'use strict';
const notice = document.getElementById('notice');
let timer;
let answeredAt = new Date();

async function refresh() {
  try {
    const response = await fetch('./', { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const part of fresh.querySelectorAll('[data-live]')) {
      const shown = document.getElementById(part.id);
      if (shown && shown.outerHTML !== part.outerHTML) shown.replaceWith(part);
    }
    answeredAt = new Date();
    show('');
  } catch {
    show('▲ no answer from the agent since ' + answeredAt.toISOString().slice(11, 19) + ' UTC');
  }
  wait();
}

function show(text) {
  if (notice.textContent !== text) notice.textContent = text;
  document.body.classList.toggle('gone', text !== '');
}

function wait() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, 1000);
}

document.addEventListener('visibilitychange', wait);
wait();
`;
