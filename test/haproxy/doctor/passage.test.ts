import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { it } from 'node:test';
import fc from 'fast-check';
import { freePort } from '../../../dev/free-port.ts';
import { startHaproxy } from '../../../dev/haproxy.ts';
import { reachableTargets } from '../../../haproxy/doctor/passage.ts';
import { readLines } from '../../../haproxy/parse/preprocessor.ts';
import { readConfig } from '../../../haproxy/parse/proxy.ts';
import { readSections } from '../../../haproxy/parse/sections.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { longRuns } from '../../support/scope.ts';

/** In one HAProxy. */
const FRONTENDS = longRuns(150, 15);

const TESTS = [
  ...['path_beg /a', 'path /a/b', 'method POST', 'hdr(x-a) -m found', 'hdr(x-a) 1', 'src 127.0.0.2'],
  ...['ssl_fc', 'ssl_fc,not', 'always_false', 'bool(true)', 'req.hdr_cnt(x-a) gt 0', 'var(txn.mark) -m found'],
];
const NAMES = ['TRUE', 'FALSE', 'HTTP', 'METH_GET', 'own', 'other'];
const OF_CONNECTION = ['src 127.0.0.2', 'always_false', 'always_true', 'dst_port 1'];

const term = (tests: readonly string[], names: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom('', '', '!', '! '),
      fc.oneof(
        fc.constantFrom(...tests).map((test) => `{ ${test} }`),
        ...names.map((name) => fc.constant(name)),
      ),
    )
    .map(([not, test]) => `${not}${test}`);
const condition = (tests: readonly string[], names: readonly string[] = []) =>
  fc
    .tuple(
      fc.constantFrom('if', 'unless'),
      fc.array(term(tests, names), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(' ', ' or ', ' || '),
    )
    .map(([word, terms, between]) => ` ${word} ${terms.join(between)}`);
/** Only the last one may be without a condition: HAProxy warns of others below such a rule. */
const rules = (actions: readonly string[], when: fc.Arbitrary<string>, maxLength = 2) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom(...actions), when), { maxLength }),
      fc.constantFrom(undefined, undefined, undefined, ...actions),
    )
    .map(([some, last]) => [...some.map((parts) => parts.join('')), ...(last === undefined ? [] : [last])]);
const conditionOfRequest = condition(TESTS, NAMES);

/** The rules of a frontend, in the order in which HAProxy evaluates them, or it would warn. */
const FRONTEND = fc
  .tuple(
    rules(['tcp-request connection reject', 'tcp-request connection accept'], condition(OF_CONNECTION), 1),
    rules(['tcp-request content reject', 'tcp-request content accept'], condition(OF_CONNECTION), 1),
    fc.array(fc.tuple(fc.constantFrom('own', 'other'), fc.constantFrom(...TESTS)), { maxLength: 2 }),
    rules(
      [
        ...['redirect location /r', 'redirect scheme https', 'redirect prefix https://a.example code 301'],
        ...['deny', 'deny deny_status 404', 'return status 404', 'allow', 'allow', 'silent-drop'],
        ...['redirect location %[req.hdr(x-a)] ignore-empty', 'set-header x-b 1', 'set-var(txn.mark) int(1)', 'reject'],
      ].map((action) => `http-request ${action}`),
      conditionOfRequest,
      4,
    ),
    rules(['redirect location /r', 'redirect scheme https'], conditionOfRequest, 1),
    rules(['use_backend origin', 'use_backend sink'], conditionOfRequest),
    fc.constantFrom('default_backend origin', 'default_backend origin', 'default_backend sink', ''),
  )
  .map(([connection, content, acls, request, redirects, routes, last]) => [
    ...[...connection, ...content],
    // HAProxy knows an ACL only if it is defined
    ...['own always_false', 'other always_false', ...acls.map(([name, test]) => `${name} ${test}`)].map(
      (acl) => `acl ${acl}`,
    ),
    ...[...request, ...redirects, ...routes, ...(last === '' ? [] : [last])],
  ]);

const REQUESTS = ['/', '/a', '/a/b'].flatMap((path) =>
  ['GET', 'POST'].flatMap((method) =>
    [{}, { 'x-a': '1' }].flatMap((headers) =>
      ['127.0.0.1', '127.0.0.2'].map((from) => ({ path, method, headers, from })),
    ),
  ),
);

describeOnEveryHaproxy('the backends that requests of a frontend can reach', ({ binary }) => {
  it('have all those that a request does reach', async (t) => {
    const seed = Date.now();
    const ports = await Promise.all(Array.from({ length: FRONTENDS }, freePort));
    const frontends = fc.sample(FRONTEND, { seed, numRuns: FRONTENDS });
    const sections = frontends.map((lines, index) =>
      [`frontend f${index}`, `bind 127.0.0.1:${ports[index]}`, ...lines].join('\n    '),
    );
    const backends = ['origin', 'sink'].map(
      (name) => `backend ${name}\n    http-request return status 200 hdr x-reached ${name}`,
    );
    const config = `defaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n    timeout server 1s\n\n${[...sections, ...backends].join('\n\n')}\n`;
    const haproxy = await startHaproxy({ config, binary });
    t.after(() => haproxy.stop());
    const { proxies } = readConfig(['haproxy.cfg'], readSections(readLines('haproxy.cfg', config, '2.6')));
    let silent = 0;
    for (const [index, lines] of frontends.entries()) {
      const known = reachableTargets(proxies[index] ?? assert.fail(), (name) => [name]);
      const reached = await Promise.all(REQUESTS.map((one) => reachedBy(ports[index] ?? 0, one)));
      for (const [at, name] of reached.entries())
        if (name !== undefined)
          assert.ok(
            known.includes(name),
            `${JSON.stringify(REQUESTS[at])} reaches ${name}, known is ${known} (seed ${seed})\n${lines.join('\n')}`,
          );
      if (known.length === 0) silent++;
    }
    assert.ok(silent > 0, 'nothing is known to reach nobody');
  });
});

/** The backend that answers this request; undefined if none does. */
function reachedBy(
  port: number,
  { from, ...options }: { path: string; method: string; headers: Record<string, string>; from: string },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, localAddress: from, agent: new Agent(), timeout: 5000, ...options },
      (response) => {
        response.resume();
        resolve(response.headers['x-reached'] as string | undefined);
      },
    );
    asked.on('error', () => resolve(undefined)); // rejected before HTTP
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}
