import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPT_IN, REDIRECT_STATUSES } from '../../../contract/actions.ts';
import { MESSAGE_EVENTS } from '../../../haproxy/events.ts';
import { backendRules } from '../../../haproxy/generate/backend-rules.ts';
import { frontendRoutes, frontendRules } from '../../../haproxy/generate/frontend.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import { tcpBackendRules, tcpFrontendRules } from '../../../haproxy/generate/tcp.ts';
import { type Changes, settingsWith } from '../../support/settings.ts';

const STATUSES = [400, 401, 403, 404, 410, 429, 451, 503];
const IP = [{ kind: 'ip', expression: 'src' }];
const OPEN = { default: 'open' } as const;
const CLOSED = { default: 'closed' } as const;
type Message = NonNullable<Changes['messages']>[number];
const request: Message = { name: 'request', event: 'on-frontend-http-request', subjects: IP, policy: OPEN };
const login: Message = { name: 'sign-in', group: 'login', subjects: IP, policy: CLOSED };

/** What only a configuration that names it may have. */
const RULES_OF: Readonly<Record<string, RegExp>> = {
  tarpit: /http-request tarpit/,
  drop: /silent-drop/,
  redirect: /http-re\w+ redirect/,
  body: /http-re\w+ return/,
  path: /set-path /,
  query: /set-query|set-pathq/,
};

/** The rules in a text, without comments. */
function rulesIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function matching(text: string, ...parts: readonly string[]): string[] {
  return rulesIn(text).filter((rule) => parts.every((part) => rule.includes(part)));
}

describe('the rules of a frontend', () => {
  const rules = frontendRules(settingsWith({ haproxy: { actions: OPT_IN, denyStatuses: STATUSES } }));

  it('have one for every status, and one for entries without', () => {
    for (const [start, action, statuses] of [
      ['http-request deny deny_status', '-m str deny', STATUSES],
      ['http-request return status', '-m str deny', STATUSES],
      ['http-request tarpit deny_status', '-m str tarpit', STATUSES],
      ['http-request redirect code', '-m str redirect', REDIRECT_STATUSES],
    ] as const) {
      const own = matching(rules, start, action);
      assert.deepEqual(
        own.map((rule) => Number(/(?:status|code) (\d+)/.exec(rule)?.[1])).sort(),
        [...statuses].sort(),
        start,
      );
      assert.equal(own.filter((rule) => !rule.includes('-m int')).length, 1, start);
      assert.ok(!own.at(-1)?.includes('-m int'), `${start}: the one without a status is the last`);
    }
  });

  it('try a body before a page, and stop before they change anything', () => {
    const all = rulesIn(rules);
    const last = (part: string) => all.findLastIndex((rule) => rule.includes(part));
    const first = (part: string) => all.findIndex((rule) => rule.includes(part));
    assert.ok(last('http-request return') < first('http-request deny deny_status 400 if { var(txn.haverdict.action)'));
    assert.ok(last('http-request deny') < first('set-path'));
  });

  it('never let a redirect pass that names no location', () => {
    assert.ok(matching(rules, 'http-request redirect').every((rule) => rule.includes('location) -m found')));
    assert.equal(matching(rules, 'http-request deny deny_status 403 if', '-m str deny tarpit drop redirect').length, 1);
  });

  it('are four, beside the filter, where the configuration names nothing', () => {
    assert.equal(frontendRoutes(settingsWith({})), '');
    assert.deepEqual(rulesIn(frontendRules(settingsWith({}))), [
      'filter spoe engine haverdict config /etc/haproxy/haverdict.spoe.cfg',
      'http-request del-header upgrade if { req.fhdr(upgrade) -m sub -i h2c }',
      'http-request deny deny_status 400 if { var(txn.haverdict.error) -m int 3 259 4 5 255 }',
      'http-request deny deny_status 403 if { var(txn.haverdict.action) -m str deny tarpit drop redirect }',
      'http-after-response set-header x-haverdict-ref "%[var(txn.haverdict.ref)]" if { var(txn.haverdict.ref) -m found }',
    ]);
  });

  it('deny every action that ends something, whatever the configuration names', () => {
    const sections = { frontendRules, backendRules, tcpFrontendRules, tcpBackendRules };
    for (let names = 0; names < 2 ** OPT_IN.length; names++) {
      const actions = OPT_IN.filter((_name, bit) => names & (1 << bit));
      for (const event of MESSAGE_EVENTS)
        for (const [section, rulesOf] of Object.entries(sections)) {
          const text = rulesOf(settingsWith({ messages: [{ ...request, event }], haproxy: { actions } }));
          const last = rulesIn(text).findLast((rule) => /^\S+ (content )?(deny|reject) /.test(rule));
          if (/haverdict\.action/.test(text))
            assert.match(last ?? '', /-m str deny tarpit drop redirect }$/, `${section}, ${event}: ${actions}`);
          for (const [name, rule] of Object.entries(RULES_OF))
            if (!actions.includes(name as (typeof OPT_IN)[number]))
              assert.doesNotMatch(text, rule, `${name} of ${actions}`);
        }
    }
  });

  it('remove a header before they set and add', () => {
    const settings = settingsWith({ haproxy: { requestHeaders: ['X-Plan'], responseHeaders: ['X-Plan'] } });
    const order = [...frontendRules(settings).matchAll(/http-(?:request|after-response) (\w+)-header X-Plan/g)];
    assert.deepEqual(
      order.map(([, change]) => change),
      ['del', 'set', 'add', 'del', 'set', 'add'],
    );
  });

  for (const [named, errors] of [
    [{}, '3 259 4 5 255'],
    [{ too_large: 'closed', client_gone: 'closed' }, '3 259 4 5 255'],
    [{ too_large: 'open' }, '4 5 255'],
    [{ client_gone: 'open' }, '3 259'],
    [{ too_large: 'open', client_gone: 'open' }, undefined],
  ] as const)
    for (const policy of ['open', 'closed'] as const)
      it(`answer 400 to what the client causes, and 503 to what it does not: ${policy}, ${JSON.stringify(named)}`, () => {
        const rules = frontendRules(
          settingsWith({ messages: [{ ...request, policy: { ...named, default: policy } }] }),
        );
        assert.deepEqual(
          matching(rules, 'deny_status 400', 'haverdict.error'),
          errors === undefined
            ? []
            : [`http-request deny deny_status 400 if { var(txn.haverdict.error) -m int ${errors} }`],
        );
        assert.equal(matching(rules, 'deny_status 503', '-m found').length, policy === 'closed' ? 2 : 0);
      });

  it('leave out the rules of closed for a message in shadow mode', () => {
    const closed = settingsWith({ messages: [{ ...request, policy: CLOSED }] });
    const shadowed = settingsWith({ messages: [{ ...request, policy: CLOSED, shadow: true }] });
    assert.equal(matching(frontendRules(closed), 'deny_status 503', '-m found').length, 2);
    assert.equal(matching(frontendRules(shadowed), 'deny_status 503', '-m found').length, 0);
    assert.deepEqual(matching(frontendRules(closed), '-m str'), matching(frontendRules(shadowed), '-m str'));
  });

  it('stop what was not asked only where the message is asked', () => {
    const settings = settingsWith({
      messages: [{ ...request, policy: CLOSED, condition: '{ method PUT } or { method GET }' }],
    });
    assert.match(spoeFile(settings), /^ {4}event on-frontend-http-request if \{ method PUT \} or \{ method GET \}$/m);
    assert.deepEqual(matching(frontendRules(settings), 'deny_status 503', '! {'), [
      'http-request deny deny_status 503 if { method PUT } ! { var(txn.haverdict.action) -m found } or { method GET } ! { var(txn.haverdict.action) -m found }',
    ]);
  });

  it('write what the configuration says as one word each', () => {
    const settings = settingsWith({
      haproxy: {
        actions: OPT_IN,
        denyStatuses: STATUSES,
        bodyContentType: 'text/html; charset=utf-8',
        denyPages: [{ status: 403, file: '/etc/a$b.html', contentType: 'text/html; charset="x"' }],
      },
    });
    assert.equal(matching(frontendRules(settings), 'content-type text/html;\\ charset=utf-8 lf-string "%[').length, 8);
    // of deny and of tarpit, each with and without the status
    assert.equal(
      matching(frontendRules(settings), 'content-type text/html;\\ charset=\\"x\\" file /etc/a$b.html if').length,
      2,
    );
  });

  it('wait for the body where it is sent', () => {
    const body = { ...request, arguments: [{ name: 'body', expression: 'req.body,sha2(256),hex' }] };
    assert.equal(matching(frontendRules(settingsWith({ messages: [body] })), 'option http-buffer-request').length, 1);
  });
});

describe('a group', () => {
  it('is listed, and sent by the operator above the rules that obey', () => {
    const settings = settingsWith({ messages: [{ ...login, policy: OPEN }] });
    assert.match(spoeFile(settings), /^ {4}groups login$/m);
    assert.match(spoeFile(settings), /^spoe-group login\n {4}messages sign-in$/m);
    assert.doesNotMatch(spoeFile(settings), /event|^ {4}messages .*\n {4}option/m);
    const text = frontendRules(settings);
    assert.match(text, /# {5}http-request send-spoe-group haverdict login if/);
    assert.equal(matching(text, 'send-spoe-group').length, 0);
    assert.ok(text.indexOf('send-spoe-group') < text.indexOf('login.action'));
  });

  it('is sent under its condition, and under closed stops what was not answered then, whatever the reason', () => {
    const condition = '{ method POST }';
    const [, , send, refused, failed, unasked] = rulesIn(
      frontendRules(settingsWith({ messages: [{ ...login, condition }] })),
    );
    assert.equal(send, `http-request send-spoe-group haverdict login if ${condition}`);
    assert.equal(
      refused,
      `http-request deny deny_status 400 if ${condition} { var(txn.haverdict.error) -m int 3 259 4 5 255 }`,
    );
    assert.equal(failed, `http-request deny deny_status 503 if ${condition} { var(txn.haverdict.error) -m found }`);
    assert.equal(
      unasked,
      `http-request deny deny_status 503 if ${condition} ! { var(txn.haverdict.login.action) -m found }`,
    );
  });

  it('routes before the event that came before it', () => {
    const settings = settingsWith({ messages: [request, login], haproxy: { backends: ['blue'] } });
    assert.match(frontendRoutes(settings), /login\.action.*\n.*txn\.haverdict\.action/);
  });
});

describe('the other sections', () => {
  it('are left out where nothing is sent there', () => {
    const settings = settingsWith({});
    assert.deepEqual([backendRules(settings), tcpFrontendRules(settings), tcpBackendRules(settings)], ['', '', '']);
  });

  it('obey in the scope of their event, and look for errors in that of the request', () => {
    for (const [event, scope, rules] of [
      ['on-client-session', 'sess', tcpFrontendRules],
      ['on-frontend-tcp-request', 'sess', tcpFrontendRules],
      ['on-tcp-response', 'res', tcpBackendRules],
      ['on-backend-http-request', 'req', backendRules],
    ] as const) {
      const text = rules(settingsWith({ messages: [{ ...request, event, policy: CLOSED }] }));
      const scopes = [
        ...rulesIn(text)
          .join('\n')
          .matchAll(/(?<!set-)var\((\w+)\.haverdict\.(\w+)/g),
      ];
      for (const [, read, name] of scopes) assert.equal(read, name === 'error' ? 'txn' : scope, `${event} ${name}`);
      assert.ok(scopes.some(([, , name]) => name === 'error') && scopes.some(([, , name]) => name === 'action'));
    }
  });

  it('close a connection for everything that stops but is not dropped', () => {
    const text = tcpFrontendRules(
      settingsWith({ messages: [{ ...request, event: 'on-client-session' }], haproxy: { actions: ['drop'] } }),
    );
    assert.deepEqual(rulesIn(text).slice(1), [
      'tcp-request content reject if { var(txn.haverdict.error) -m int 3 259 4 5 255 }',
      'tcp-request content silent-drop if { var(sess.haverdict.action) -m str drop }',
      'tcp-request content reject if { var(sess.haverdict.action) -m str deny tarpit drop redirect }',
    ]);
  });

  it('keep for the response what the backend says of it', () => {
    const settings = settingsWith({
      messages: [{ ...request, event: 'on-backend-http-request' }],
      haproxy: { responseHeaders: ['Server'] },
    });
    assert.equal(matching(backendRules(settings), 'set-var(txn.haverdict.res.').length, 3);
    assert.equal(matching(backendRules(settings), 'set-var(txn.haverdict.ref) var(req.haverdict.ref)').length, 1);
    assert.equal(matching(frontendRules(settings), 'http-after-response', 'txn.haverdict.res.').length, 3);
  });
});
