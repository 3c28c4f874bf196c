import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/load.ts';
import { configFile } from '../support/config-file.ts';

const BACKEND = { HAVERDICT_BACKEND_URL: 'http://127.0.0.1:8787' };

describe('the environment', () => {
  it('is enough, without a file', () => {
    assert.equal(loadSettings(undefined, BACKEND).backend.targets[0]?.url, BACKEND.HAVERDICT_BACKEND_URL);
  });

  it('wins over the file, setting by setting', (t) => {
    const file = configFile(t, 'backend: { url: http://file, timeoutMs: 5 }\ndeadlineMs: 5\npolicy: closed\n');
    const settings = loadSettings(file, {
      ...BACKEND,
      HAVERDICT_DEADLINE_MS: '30',
      HAVERDICT_CACHE_MAX_ENTRIES: '7',
      HAVERDICT_POLICY: 'open',
      HAVERDICT_LOG_LEVEL: 'debug',
      HAVERDICT_HAPROXY_VERSION: '3.0',
      HAVERDICT_LISTEN: 'tcp://127.0.0.1:1, unix:/run/a.sock',
      HAVERDICT_LISTS: 'b,a',
    });
    assert.equal(settings.backend.targets[0]?.url, BACKEND.HAVERDICT_BACKEND_URL);
    assert.equal(settings.backend.timeoutMs, 5);
    assert.equal(settings.deadlineMs, 30);
    assert.equal(settings.cache.maxEntries, 7);
    assert.deepEqual(settings.messages[0]?.policy, { default: 'open' });
    assert.equal(settings.log.level, 'debug');
    assert.equal(settings.haproxy.version, '3.0');
    assert.deepEqual(settings.listen, [
      { type: 'tcp', host: '127.0.0.1', port: 1 },
      { type: 'unix', path: '/run/a.sock' },
    ]);
    assert.deepEqual(settings.lists, ['b', 'a']);
  });

  for (const [variable, value, written, urls] of [
    ['HAVERDICT_BACKEND_URLS', 'http://a,http://b', 'url: http://file', ['http://a', 'http://b']],
    ['HAVERDICT_BACKEND_URL', 'http://a', 'urls: [http://file]', ['http://a']],
    ['HAVERDICT_BACKEND_URL', 'http://a', 'url: x, urls: []', ['http://a']],
  ] as const)
    it(`wins with ${variable} over "${written}" in the file`, (t) => {
      const { backend } = loadSettings(configFile(t, `backend: { ${written} }\n`), { [variable]: value });
      assert.deepEqual(
        backend.targets.map(({ url }) => url),
        urls,
      );
    });

  it('has one of the URL and the URLs only', () => {
    assert.deepEqual(linesAbout({ ...BACKEND, HAVERDICT_BACKEND_URLS: 'http://a' }), [
      'HAVERDICT_BACKEND_URLS: backend.urls: must be omitted if backend.url is set, got ["http://a"]',
    ]);
  });

  it('is told by its variable where it is wrong', () => {
    assert.deepEqual(linesAbout({ ...BACKEND, HAVERDICT_DEADLINE_MS: 'soon', HAVERDICT_LISTS: 'a,B' }), [
      'HAVERDICT_DEADLINE_MS: deadlineMs: must be a whole number from 1 to 10000, got "soon"',
      'HAVERDICT_LISTS: lists[1]: must be a list name (^[a-z0-9][a-z0-9._-]{0,63}$), got "B"',
    ]);
  });

  it('has no variable that nothing reads', () => {
    assert.deepEqual(linesAbout({ ...BACKEND, HAVERDICT_DEADLINE: '40', HAVERDICT_FOO: '1' }), [
      'HAVERDICT_DEADLINE: unknown setting, did you mean HAVERDICT_DEADLINE_MS?',
      'HAVERDICT_FOO: unknown setting',
    ]);
  });

  it('leaves alone what is empty, what is not ours, and what others of ours read', () => {
    loadSettings(undefined, {
      ...BACKEND,
      HAVERDICT_DEADLINE_MS: '',
      HAVERDICT_TABLE: 'blocklist',
      HAVERDICT_TTL_SECONDS: '5',
      PATH: '/bin',
    });
  });

  it('does not hide that the file has no map where the setting belongs', (t) => {
    const file = configFile(t, 'backend: http://a\n');
    assert.deepEqual(linesAbout(BACKEND, file), [`${file}:1:10: backend: must be a map, got "http://a"`]);
  });
});

function linesAbout(env: NodeJS.ProcessEnv, file?: string): string[] {
  try {
    loadSettings(file, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return assert.fail('the configuration was taken');
}
