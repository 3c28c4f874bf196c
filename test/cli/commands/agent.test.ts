import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configFile } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';

describe('haverdict agent --check', () => {
  it('says that a file is right, and what it comes to', async (t) => {
    const file = configFile(
      t,
      `backend: { url: http://127.0.0.1:8787 }
listen: ["tcp://[::1]:9000", "unix:/run/a.sock"]
policy: { timeout: open, default: closed }
messages: { check: { subjects: { ip: src, host: req.hdr(host) } } }
`,
    );
    assert.deepEqual(await runHaverdict('agent', '--check', '-c', file), {
      status: 0,
      stdout: `${file}: ok
  listens on tcp://[::1]:9000, unix:/run/a.sock
  will ask http://127.0.0.1:8787 (not contacted); deadline 40 ms
  lists manual
  uses at most 1722 MB: MemoryMax=1722M
  check: looks up ip, host; policy default closed, timeout open
`,
      stderr: '',
    });
  });

  it('ends with 78 and every line about a file that is wrong', async (t) => {
    const file = configFile(t, 'backend: { url: x }\ndeadlineMs: 0\n');
    const { status, stdout, stderr } = await runHaverdict('agent', '--check', '-c', file);
    assert.equal(status, 78);
    assert.equal(stdout, '');
    assert.deepEqual(stderr.split('\n').slice(1), [
      `${file}:1:17: backend.url: must be an http or https URL without user, query or fragment, got "x"`,
      `${file}:2:13: deadlineMs: must be a whole number from 1 to 10000, got 0`,
      '',
    ]);
  });
});
