// What the Lambda runtime does inside an execution environment: load the handler, then event after event.
// Plain JavaScript, so that a cold start has no TypeScript to strip.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env;
const api = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

function toErrorBody(error) {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return JSON.stringify({ errorType: name, errorMessage: message, stackTrace: stack?.split('\n') ?? [] });
}

async function post(path, body) {
  const response = await fetch(`${api}/${path}`, { method: 'POST', body });
  await response.arrayBuffer();
}

async function loadHandler() {
  const [module, name] = _HANDLER.split('.');
  const file = ['mjs', 'cjs', 'js'].map((end) => join(LAMBDA_TASK_ROOT, `${module}.${end}`)).find(existsSync);
  if (file === undefined) throw new Error(`Cannot find module '${module}'`);
  const handler = (await import(pathToFileURL(file).href))[name];
  if (typeof handler !== 'function') throw new Error(`${_HANDLER} is undefined or not exported`);
  if (handler.length > 2) throw new Error('Callback-based function handlers are not supported'); // as in nodejs24.x
  return handler;
}

try {
  const handler = await loadHandler();
  for (;;) {
    const next = await fetch(`${api}/invocation/next`);
    const requestId = next.headers.get('lambda-runtime-aws-request-id');
    const deadlineMs = Number(next.headers.get('lambda-runtime-deadline-ms'));
    const context = {
      awsRequestId: requestId,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: '$LATEST',
      invokedFunctionArn: next.headers.get('lambda-runtime-invoked-function-arn'),
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    };
    try {
      const result = await handler(await next.json(), context);
      await post(`invocation/${requestId}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      await post(`invocation/${requestId}/error`, toErrorBody(error));
    }
  }
} catch (error) {
  await post('init/error', toErrorBody(error)).catch(() => {});
  process.exit(1);
}
