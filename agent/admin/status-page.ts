import { createHash } from 'node:crypto';
import { health } from './health.ts';
import { Html, html } from './html.ts';
import { configuration, reloads } from './page-configuration.ts';
import { mostDenied, recentDenies } from './page-denies.ts';
import { figures } from './page-figures.ts';
import { headline, notices, title } from './page-notices.ts';
import { SCRIPT } from './page-refresh.ts';
import { STYLE } from './page-style.ts';
import { backend, cache, decisions, haproxy, updates } from './page-traffic.ts';
import { SnapshotInterval } from './snapshot-interval.ts';
import type { Snapshot } from './snapshots.ts';

/** What may be wrong where no request comes; the panels that are empty then come last. */
const FIRST_IF_UNUSED = ['haproxy', 'backend', 'updates', 'cache', 'reloads', 'configuration'];

/** The content security policy of the page: its own style and script, and requests to this agent only. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page. Rates are those between the two snapshots; with only one, the means since the start. */
export function statusPage(snapshot: Snapshot): string {
  const { state } = snapshot;
  const interval = new SnapshotInterval(snapshot);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title(state)}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
${headline(state, interval)}<p id="clock"></p><p id="notice" role="status"></p>
</header>
<main>
${notices(state)}${figures(state, interval)}<div id="panels">
${panels(snapshot, interval)}</div>
</main>
<footer><p id="about" data-live>haverdict ${state.version}, PID ${state.pid}, ${state.workers === 1 ? '1 worker' : `${state.workers} workers`}</p>
<p>For programs: <a href="metrics">metrics</a>, <a href="state.json">state</a>, <a href="readyz">readiness</a></p>
<noscript><p>Without JavaScript the page does not update itself: reload it for new numbers.</p></noscript></footer>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}

/** In the order in which they are read: first those that a problem is about. */
function panels({ state, before }: Snapshot, interval: SnapshotInterval): readonly Html[] {
  const all = {
    top: mostDenied(state),
    recent: recentDenies(state),
    decisions: decisions(state, before, interval),
    backend: backend(state),
    updates: updates(state),
    cache: cache(state),
    haproxy: haproxy(state),
    reloads: reloads(state),
    configuration: configuration(state),
  };
  const { condition, problems } = health(state);
  const first = condition === 'unused' ? FIRST_IF_UNUSED : problems.map(({ about }) => about);
  return [...new Set([...first, ...Object.keys(all)])].map((name) => all[name as keyof typeof all]); // names of panels
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
