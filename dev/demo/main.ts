import { parseArgs } from 'node:util';
import { DemoEnvironment } from './environment.ts';
import { STEPS } from './steps.ts';

const HELP = `usage: npm run demo [-- --once] [-- --port 8080]

Starts HAProxy, the agent, the function and DynamoDB on this machine, and shows step by step what they do.
  --once   run the steps and exit: 0, or 1 at the first unexpected result
  --port   port of the site with policy open (default: any free port)`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = readArguments();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  console.log('haverdict demo: client → HAProxy → agent → function → DynamoDB, all running on this machine');
  const demo = await DemoEnvironment.setUp(values.port === undefined ? undefined : Number(values.port));
  const stopped = untilInterrupted();
  try {
    const passed = await runSteps(demo);
    if (!passed || values.once) return passed ? 0 : 1;
    console.log(whatToTry(demo));
    await stopped;
    return 0;
  } finally {
    await demo.tearDown();
  }
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

function whatToTry({ table, open, closed }: DemoEnvironment): string {
  return `
The demo keeps running until Ctrl-C. The site is on port ${open.port} with policy open, and on port ${closed.port} with policy
closed. Any address of 127.0.0.0/8 can be the client:

  curl -i --interface 127.0.0.42 http://127.0.0.1:${open.port}/

In another terminal, in this directory:

  export HAVERDICT_TABLE=${table.tableName} AWS_ENDPOINT_URL_DYNAMODB=${table.endpoint}
  npm run --silent haverdict -- block 127.0.0.42 --force --reason mine --for 10m
  npm run --silent haverdict -- show 127.0.0.42
  npm run --silent haverdict -- list
  npm run --silent haverdict -- remove 127.0.0.42

Changes take effect in about a second: the stream of the table names them to the writer of updates, and the agents ask each
second. This measures it, with an address of its own:

  npm run --silent haverdict -- prove http://127.0.0.1:${open.port}/
`;
}

function readArguments() {
  try {
    return parseArgs({ options: { once: { type: 'boolean' }, port: { type: 'string' }, help: { type: 'boolean' } } });
  } catch (error) {
    console.error(`haverdict demo: ${(error as Error).message}\n${HELP}`);
    process.exit(2);
  }
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
