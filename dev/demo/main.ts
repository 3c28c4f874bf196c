import { join } from 'node:path';
import { endOnSignals } from '../interruption.ts';
import { quoted } from '../quoted.ts';
import { typedOptions } from '../typed-options.ts';
import { DemoEnvironment } from './environment.ts';
import { STEPS } from './steps.ts';

const HELP = `usage: npm run demo [-- --once] [-- --port 8080]

Starts HAProxy, the agent, the function and DynamoDB on this machine, and shows step by step what they do.
  --once   run the steps and exit: 0, or 1 at the first unexpected result
  --port   port of the site with policy open (default: any free port)`;

await main().catch((error: Error) => {
  console.error(`haverdict demo: ${error.message}`);
  process.exit(1);
});

async function main(): Promise<void> {
  const { values, freePorts } = typedOptions('haverdict demo', {
    once: { type: 'boolean' },
    port: { type: 'string' },
    help: { type: 'boolean' },
  });
  if (values.help) return console.log(HELP);
  const [port] = values.port === undefined ? [] : await freePorts(['port'], 1, 'or leave it out for any free one');

  endOnSignals();
  console.log('haverdict demo: client → HAProxy → agent → function → DynamoDB, all running on this machine');
  const demo = await DemoEnvironment.setUp(port);
  const passed = await runSteps(demo);
  if (passed && !values.once) {
    const interrupted = Promise.withResolvers<void>();
    endOnSignals(() => interrupted.resolve());
    console.log(whatToTry(demo));
    await interrupted.promise;
  }
  await demo.tearDown();
  process.exitCode = passed ? 0 : 1;
}

async function runSteps(demo: DemoEnvironment): Promise<boolean> {
  const startedMs = performance.now();
  for (const [index, step] of STEPS.entries()) {
    console.log(`\n${index + 1}. ${step.title}`);
    try {
      for (const line of await step.run(demo)) console.log(`   ${line}`);
    } catch (error) {
      console.error(`   UNEXPECTED: ${error instanceof Error ? error.message : error}`);
      return false;
    }
  }
  console.log(`\nAll ${STEPS.length} steps passed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
  return true;
}

function whatToTry({ table, open, closed, page }: DemoEnvironment): string {
  const haverdict = 'npm run --silent haverdict --';
  return `
The demo keeps running until Ctrl-C. The site is on port ${open.port} with policy open, and on port ${closed.port} with policy
closed, for this machine only. Any address of 127.0.0.0/8 can be the client:

  curl -i --interface 127.0.0.42 http://127.0.0.1:${open.port}/

The status page of the agent: ${page}/

In another terminal:

  cd ${quoted(process.cwd())}
  export HAVERDICT_TABLE=${quoted(table.tableName)} AWS_ENDPOINT_URL_DYNAMODB=${quoted(table.endpoint)}
  export HAVERDICT_CONFIG=${quoted(open.agent.file)}
  ${haverdict} block 127.0.0.42 --force --reason mine --for 10m
  ${haverdict} explain 127.0.0.42
  ${haverdict} list
  ${haverdict} remove 127.0.0.42
  ${haverdict} top
  ${haverdict} console
  ${haverdict} doctor --live --haproxy ${quoted(join(open.haproxy.folder, 'haproxy.cfg'))}

Changes take effect in about a second: the stream of the table names them to the writer of updates, and the agents ask each
second. This measures it, with an address of its own:

  ${haverdict} prove http://127.0.0.1:${open.port}/
`;
}
