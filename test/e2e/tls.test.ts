import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { it } from 'node:test';
import { freePort } from '../../dev/free-port.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { startTableSite } from '../support/table-site.ts';

describeOnEveryHaproxy('what messages are about in TLS', (build) => {
  it('is the server name and the version', async (t) => {
    const port = await freePort();
    const config = {
      ...{ deadlineMs: 2000, backend: { timeoutMs: 2000 } },
      haproxy: { denyStatuses: [410, 429] },
      messages: { 'check-request': { subjects: { host: 'ssl_fc_sni', 'header.tls': 'ssl_fc_protocol' } } },
    };
    const lines = [`bind 127.0.0.1:${port} ssl crt ${certificateIn(temporaryFolder(t))}`];
    const place = await startTableSite({ haproxy: build, config, lines });
    t.after(() => place.stop());
    place.table.type({ subject: 'host:evil.example', status: 429 });
    place.table.type({ subject: 'header.tls:TLSv1.2', status: 410 });
    assert.equal(await statusOf(port, { servername: 'good.example' }), 200);
    assert.equal(await statusOf(port, { servername: 'evil.example' }), 429);
    assert.equal(await statusOf(port, { servername: 'good.example', maxVersion: 'TLSv1.2' }), 410);
  });
});

/** A key and a certificate for it, in one file as HAProxy wants them. */
function certificateIn(folder: string): string {
  const [key, certificate, both] = ['key.pem', 'certificate.pem', 'both.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]; // one for each name
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=site.example'];
  const made = spawnSync('openssl', ['req', '-x509', ...options, '-keyout', key, '-out', certificate]);
  assert.equal(made.status, 0, String(made.stderr));
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return both;
}

function statusOf(port: number, tls: { servername: string; maxVersion?: 'TLSv1.2' }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, agent: false, rejectUnauthorized: false, ...tls }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}
