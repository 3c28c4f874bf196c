import type { Caller } from './function-event.ts';
import type { Iam } from './iam.ts';
import type { NamedResource } from './named-resources.ts';
import { ANONYMOUS } from './principals.ts';
import type { SignedRequest } from './sigv4-verifier.ts';

/** The authorization of an `AWS::Lambda::Url`: checks both actions, each with the condition key that AWS sets for it. */
export function authorizerOf(
  { id, ref: functionArn, properties }: NamedResource,
  iam: Iam,
  callers: Set<string>,
): (request: SignedRequest) => Caller | undefined {
  const { AuthType, Cors, InvokeMode } = properties;
  if (AuthType !== 'AWS_IAM' && AuthType !== 'NONE') throw new Error(`AuthType ${AuthType} of ${id} is not imitated`);
  if (Cors !== undefined) throw new Error(`Cors of ${id} is not imitated`);
  if (InvokeMode !== undefined && InvokeMode !== 'BUFFERED') throw new Error(`${InvokeMode} of ${id} is not imitated`);
  const accesses = [
    {
      action: 'lambda:InvokeFunctionUrl',
      resource: functionArn,
      context: { 'lambda:FunctionUrlAuthType': AuthType },
    },
    { action: 'lambda:InvokeFunction', resource: functionArn, context: { 'lambda:InvokedViaFunctionUrl': 'true' } },
  ];
  if (AuthType === 'NONE')
    return () => {
      iam.authorize(ANONYMOUS, accesses);
      return undefined;
    };
  return (request) => {
    const { accessKeyId, principal } = iam.authenticate(request, 'lambda');
    iam.authorize(principal, accesses);
    callers.add(accessKeyId);
    return { accessKeyId, account: principal.account, arn: principal.arn };
  };
}
