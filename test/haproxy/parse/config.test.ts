import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds, readCondition } from '../../../haproxy/parse/condition.ts';
import { durationMs } from '../../../haproxy/parse/duration.ts';
import { readLines } from '../../../haproxy/parse/preprocessor.ts';
import { readConfig } from '../../../haproxy/parse/proxy.ts';
import { readSections } from '../../../haproxy/parse/sections.ts';
import { hasKeyword, readServers } from '../../../haproxy/parse/server.ts';
import { readEngine } from '../../../haproxy/parse/spoe-engine.ts';
import { wordsOf } from '../../../haproxy/parse/words.ts';
import { longRuns } from '../../support/scope.ts';
import { settingsWith } from '../../support/settings.ts';
import { findingsIn, generated } from '../doctor/good-files.ts';

const read = (text: string, version = '2.6') => readSections(readLines('a.cfg', text, version));
const linesOf = (text: string, version: string) => readLines('', text, version).lines.map((line) => line.text);

describe('the sections of haproxy.cfg', () => {
  it('know their file and line', () => {
    const [, second] = read('global\n    user a\n\n# b\nfrontend web\n    bind :80\n');
    assert.deepEqual(second?.place, { file: 'a.cfg', line: 5 });
    assert.deepEqual(second?.lines, [{ words: ['bind', ':80'], place: { file: 'a.cfg', line: 6 } }]);
  });

  it('take the defaults above them, or those they name, with theirs', () => {
    const text = `defaults a
  mode http
  timeout server 1s
defaults b from a
  timeout server 2s
defaults
  mode tcp
frontend one
frontend two from b
  timeout server 3s
`;
    const [one, two] = readConfig([], read(text)).proxies;
    assert.deepEqual([one?.mode, two?.mode], ['tcp', 'http']);
    assert.deepEqual(
      two?.lines.map(({ words }) => words.join(' ')),
      ['mode http', 'timeout server 1s', 'timeout server 2s', 'timeout server 3s'],
    );
  });

  it('leave out what .if leaves out for this version', () => {
    const text = '.if version_atleast(3.1)\nnew\n.elif version_atleast(2.8)\nmiddle\n.else\nold\n.endif\nend';
    assert.deepEqual(linesOf(text, '2.6'), ['old', 'end']);
    assert.deepEqual(linesOf(text, '3.0'), ['middle', 'end']);
    assert.deepEqual(linesOf(text, '3.2'), ['new', 'end']);
    assert.deepEqual(linesOf('.if defined(A)\na\n.else\nb\n.endif', '2.6'), ['a', 'b']);
    assert.deepEqual(linesOf('.if !true\na\n.if true\nb\n.endif\n.endif\nc', '2.6'), ['c']);
  });

  it('of an SPOE file stand under their scope', () => {
    const sections = read('[a]\nspoe-agent x\n[b]\nspoe-agent y\nspoe-message m\n  args n=src src,upper\n  event e\n');
    const engine = readEngine(sections, 'b');
    assert.equal(engine?.agent.name, 'y');
    assert.deepEqual(
      engine?.messages[0]?.args.map(({ name, expression }) => [name, expression]),
      [
        ['n', 'src'],
        ['', 'src,upper'],
      ],
    );
    assert.equal(readEngine(sections, 'c'), undefined);
  });

  it('never throw, whatever the files are', () => {
    const word = fc.constantFrom(
      ...['frontend', 'backend', 'defaults', 'from', '[haverdict]', 'spoe-agent', 'spoe-message', 'filter', 'spoe'],
      ...['engine', 'config', 'haverdict', 'haverdict.spoe.cfg', 'http-request', 'deny', 'if', '{', '}', '!', 'or'],
      ...[
        'var(txn.haverdict.action)',
        '-m',
        'str',
        '"',
        "'",
        '\\',
        '#',
        '\n',
        '.if',
        '.else',
        '.endif',
        'acl',
        'server',
      ],
      ...['send-spoe-group', 'timeout', 'option', 'no', 'args', 'event', 'use_backend', 'default_backend', '-f', '$A'],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(word, { maxLength: 60 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, text, (before, spoe) => {
        const good = generated('closed');
        findingsIn({ ...good, config: before, spoe });
        findingsIn({ ...good, config: `${before}\n${good.config}`, spoe: `${good.spoe}\n${spoe}` });
      }),
      { numRuns: longRuns(200) },
    );
  });
});

describe('a condition', () => {
  const values = (variable: string) => ({ 'txn.a': 'deny', 'txn.n': null })[variable];
  const acls = new Map([['is_deny', [['var(txn.a)', '-m', 'str', 'deny']]]]);
  const truth = (text: string) => holds(readCondition(['rule', ...wordsOf(text)]).condition, acls, values);
  const CASES: readonly (readonly [string, boolean | undefined])[] = [
    ['', true],
    ['if { var(txn.a) -m str deny }', true],
    ['if { var(txn.a) -m str -i DENY }', true],
    ['if { var(txn.a) -m str DENY }', false],
    ['if { var(txn.a) -m beg d } { var(txn.a) -m sub en } { var(txn.a) -m end y }', true],
    ['if { var(txn.a) -m bool }', false],
    ['if { var(txn.a) -m found }', true],
    ['if ! { var(txn.n) -m found }', true],
    ['if !{ var(txn.n) -m found }', true],
    ['if { var(txn.n) -m str deny }', false],
    ['if { var(txn.n,deny) -m str deny }', true],
    ['unless is_deny', false],
    ['if is_deny { path / }', undefined],
    ['if !is_deny { path / }', false],
    ['if { path / } or is_deny', true],
    ['if { path / } || FALSE', undefined],
    ['if { var(txn.a) -m reg ^d }', undefined],
    ['if { var(txn.a),upper -m str DENY }', undefined],
    ['if { var(txn.other) -m str deny }', undefined],
  ];
  for (const [text, expected] of CASES)
    it(`is ${expected ?? 'not known'}: ${text || 'none'}`, () => assert.equal(truth(text), expected));
});

describe('a server', () => {
  it('has what the default-server lines above it say, the last word counting', () => {
    const text = `backend b
  server a x:1
  default-server check inter 1s
  server b x:1
  server c x:1 no-check
  server-template d 3 x:1 disabled enabled
`;
    const [{ lines = [] } = {}] = read(text);
    const servers = readServers(lines);
    assert.deepEqual(
      servers.map((server) => [server.name, server.address, hasKeyword(server, 'check')]),
      [
        ['a', 'x:1', false],
        ['b', 'x:1', true],
        ['c', 'x:1', false],
        ['d', 'x:1', true],
      ],
    );
    assert.equal(
      hasKeyword(servers[3] ?? { name: '', address: '', words: [], place: { file: '' } }, 'disabled'),
      false,
    );
  });
});

describe('a duration', () => {
  for (const [text, ms] of [
    ['60', 60],
    ['60us', 0.06],
    ['2s', 2000],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['x', undefined],
    ['$T', undefined],
  ] as const)
    it(`${text} is ${ms} ms`, () => assert.equal(durationMs(text), ms));
});

describe('files that only look wrong', () => {
  it('are fine where other agents have filters and variables of the same names', () => {
    const good = generated('closed');
    const config = good.config.replace(
      / {4}filter /,
      '    filter spoe engine coraza config coraza.cfg\n    http-request deny if { var(txn.coraza.action) -m str drop }\n$&',
    );
    assert.deepEqual(findingsIn({ ...good, config }), []);
  });

  it('are fine where an address comes from the environment, and a path with a blank is quoted', () => {
    const good = generated('open', { listen: settingsWith({}).listen });
    const config = good.config
      .replace('127.0.0.1:9000', '"$AGENT"')
      .replace('config haverdict.spoe.cfg', 'config "haverdict.spoe.cfg"');
    assert.deepEqual(findingsIn({ ...good, config }), []);
  });
});
