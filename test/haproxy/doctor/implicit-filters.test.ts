import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { haproxyCheck } from '../../support/haproxy-check.ts';
import { longRuns } from '../../support/scope.ts';
import { BESIDE, findingsIn, generated, type HaproxySet } from './good-files.ts';

const COMPRESSION = ['compression algo gzip', 'compression type text/html', 'compression offload'];
const CACHES = [
  'http-request cache-use pages',
  'http-response cache-store pages',
  'http-request cache-use images if { path_beg /i }',
];
const DECLARED = ['filter compression', 'filter cache pages', 'filter cache images', 'filter trace'];

const lines = (of: readonly string[]) => fc.shuffledSubarray([...of]);
/** Where HAProxy has filters without a line for them, and which lines there are. */
const SITE = fc.record({
  kind: fc.constantFrom('frontend', 'listen'),
  defaults: lines(COMPRESSION),
  above: lines([...DECLARED, ...CACHES]),
  below: lines([...COMPRESSION, ...CACHES]),
  backend: lines([...COMPRESSION.slice(0, 1), ...CACHES]),
  hasFastcgi: fc.boolean(),
});
type Site = typeof SITE extends fc.Arbitrary<infer Value> ? Value : never;

describeOnEveryHaproxy('compression, caches and FastCGI beside the SPOE filter', ({ binary, version }) => {
  const open = generated('open', { haproxy: { version } });

  it('are taken by HAProxy if the doctor finds nothing, and after what it says is done', (t) => {
    const folder = temporaryFolder(t);
    const takes = ({ config, spoe }: HaproxySet) => {
      writeFileSync(join(folder, 'haproxy.cfg'), config);
      writeFileSync(join(folder, SPOE_FILE), spoe);
      return haproxyCheck(binary, folder).status === 0;
    };
    fc.assert(
      fc.property(SITE, (site) => {
        let set = { ...open, config: configOf(open.config, site) };
        const found = findingsIn(set);
        assert.equal(takes(set), found.length === 0, `${JSON.stringify(found)}\n${set.config}`);
        for (let round = 0; round < 8 && findingsIn(set).length > 0; round++)
          set = {
            ...set,
            config: done(set.config, findingsIn(set)[0]?.write ?? '', findingsIn(set)[0]?.place.line ?? 0),
          };
        assert.deepEqual(findingsIn(set), [], set.config);
        assert.ok(takes(set), set.config);
      }),
      { numRuns: longRuns(300, 30) },
    );
  });
});

function configOf(config: string, { kind, defaults, above, below, backend, hasFastcgi }: Site): string {
  const indented = (of: readonly string[]) => of.map((line) => `    ${line}\n`).join('');
  const isFastcgi = kind === 'listen' && hasFastcgi;
  const server = isFastcgi ? '    server php 192.0.2.20:9000 proto fcgi\n' : '    server app 192.0.2.20:80\n';
  const sections = ['pages', 'images'].map((name) => `cache ${name}\n    total-max-size 4\n\n`).join('');
  return config
    .replace(/^( {4}option httplog\n)/m, `$1${indented(defaults)}`)
    .replace('frontend web\n', `${sections}fcgi-app php\n    docroot /srv\n\n${kind} web\n`)
    .replace(/^( {4}filter spoe .*\n)/m, `${indented(above)}$1${isFastcgi ? '    use-fcgi-app php\n' : ''}`)
    .replace(/^( {4}default_backend origin\n)/m, `${indented(below)}${kind === 'listen' ? server : '$1'}`)
    .replace(/^backend origin\n/m, `$&${indented(backend)}`);
}

/** The file after somebody did what the finding on this line says. */
function done(config: string, write: string, at: number): string {
  const all = config.split('\n');
  const [line = '', comment = ''] = write.split(/ {3}# /);
  const filterAt = all.findIndex((text) => text.startsWith('    filter spoe'));
  if (line.startsWith('default_backend')) {
    const app = all[at - 1] ?? '';
    const rest = all.filter((text) => text !== app && !/^ {4}server php/.test(text));
    rest.splice(
      rest.findIndex((text) => text.startsWith('    filter spoe')),
      0,
      `    ${line}`,
    );
    const backend = '\nbackend web-fcgi\n    use-fcgi-app php\n    server php 192.0.2.20:9000 proto fcgi\n';
    return rest.join('\n').replace(BESIDE, backend);
  }
  const [, where, neighbour = ''] = /(above|below) (.*)$/.exec(comment) ?? [];
  if (comment.startsWith('above')) all.splice(at - 1, 1);
  const next = all.findIndex((text) => text.trim() === neighbour);
  all.splice(where === undefined ? filterAt + 1 : where === 'above' ? next : next + 1, 0, `    ${line}`);
  return all.join('\n');
}
