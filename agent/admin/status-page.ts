import { createHash } from 'node:crypto';
import { health, healthText } from './health.ts';
import { Html, html } from './html.ts';
import { configuration, reloads } from './page-configuration.ts';
import { duration, timeOfDay } from './page-format.ts';
import { SCRIPT } from './page-refresh.ts';
import { STYLE } from './page-style.ts';
import { backend, cache, decisions, figures, haproxy, mostDenied, recentDenies } from './page-traffic.ts';
import { SnapshotInterval } from './snapshot-interval.ts';
import type { Snapshot } from './snapshots.ts';

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
  const { state, before } = snapshot;
  const interval = new SnapshotInterval(snapshot);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>haverdict</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>haverdict</h1>
${status(snapshot, interval)}<p id="notice" role="status"></p>
</header>
<main>
${figures(state, interval)}<div class="panels">
${recentDenies(state)}${mostDenied(state)}${decisions(state, before, interval)}${backend(state)}${cache(state)}${haproxy(state)}${reloads(state)}${configuration(state)}</div>
</main>
<footer><p>For programs: <a href="metrics">metrics</a>, <a href="state.json">state</a>, <a href="readyz">readiness</a></p>
<noscript><p>Without JavaScript the page does not update itself: reload it for new numbers.</p></noscript></footer>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}

function status({ state }: Snapshot, interval: SnapshotInterval): Html {
  const found = health(state);
  const isGood = found.isReady && found.degraded.length === 0;
  const sign = isGood ? html`<p id="health" data-live>● ` : html`<p id="health" class="bad" data-live>▲ `;
  const rates = interval.isSinceStart ? 'since the start' : `over the last ${Math.round(interval.seconds)} s`;
  return html`${sign}${healthText(found)}</p>
<p id="about" data-live>${state.version}, up ${duration(state.takenAtMs - state.startedAtMs)}, process ${state.pid}</p>
<p id="taken" data-live>${timeOfDay(state.takenAtMs)} UTC, rates ${rates}</p>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
