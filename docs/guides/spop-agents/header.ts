// Tells the servers behind HAProxy what kind of client asks, in a header.
//   node header.ts          listens
//   node header.ts FOLDER   writes HAProxy's configuration for it
import { writeFileSync } from 'node:fs';
import { createAgent, haproxyFiles, message } from 'haverdict-spop';

const name = 'header';
const listen = { path: process.env.AGENT_SOCKET ?? `/run/${name}/agent.sock` };

const agent = createAgent({
  'check-request': message({ args: { agent: 'text' }, vars: { kind: 'text' } }, ({ args, set }) => {
    if (args.agent === null) set('kind', 'unnamed');
    else set('kind', /bot|crawl|spider/i.test(args.agent) ? 'bot' : 'browser');
  }),
});

const [, , folder] = process.argv;
if (folder === undefined) {
  await agent.listen(listen);
  process.once('SIGTERM', () => void agent.close());
} else {
  const files = haproxyFiles({
    name,
    listen,
    messages: { 'check-request': { args: { agent: 'req.fhdr(user-agent)' } } },
  });
  for (const [part, text] of Object.entries(files)) writeFileSync(`${folder}/${name}.${part}.cfg`, text);
}
