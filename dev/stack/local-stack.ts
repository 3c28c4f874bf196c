import { type Assembly, readAssembly } from '../local-cloud/assembly.ts';
import { type DeployOptions, deploy, type LocalCloud } from '../local-cloud/deploy.ts';
import { synthesized } from './synth.ts';

/** The users of the stack, and the stack outputs with their permissions. */
const PROFILES = { agent: 'AgentPolicyArn', operator: 'OperatorPolicyArn', reader: 'ReaderPolicyArn' } as const;
export type Profile = keyof typeof PROFILES;

/** The haverdict stack in the local cloud. */
export type LocalStack = LocalCloud<Profile>;

export interface StackOptions extends Omit<DeployOptions, 'profiles'> {
  /** What to deploy; by default the stack is synthesized from the sources. */
  readonly assembly?: Assembly;
  /** Called if the stack has to be synthesized first. */
  readonly report?: (line: string) => void;
}

/** Deploys the haverdict stack on this machine. */
export async function deployStack({ assembly, report, ...options }: StackOptions = {}): Promise<LocalStack> {
  const cloud = await deploy(assembly ?? readAssembly(await synthesized(report)), { ...options, profiles: PROFILES });
  const table = { HAVERDICT_TABLE: cloud.outputs.TableName ?? '' };
  return { ...cloud, environmentOf: (profile) => ({ ...cloud.environmentOf(profile), ...table }) };
}
