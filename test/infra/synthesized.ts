import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type DeploymentSettings, parseSettings } from '../../infra/deployment/settings.ts';
import { HaverdictStack } from '../../infra/stack.ts';
import { bundleFunctions } from '../../packaging/function-bundles.ts';

const CDK_JSON = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

bundleFunctions();

/**
 * An app with the feature flags of cdk.json. It checks the template against the schema of CloudFormation only if told to:
 * that takes longer than all the rest, and is tested once.
 */
export function testApp({ validates = false, folder = '' } = {}): App {
  return new App({
    ...(folder !== '' && { outdir: folder }),
    context: CDK_JSON.context,
    builtinCloudFormationValidation: validates,
  });
}

/** Valid settings, in us-east-1 unless they say otherwise. */
export function settingsOf(given: Readonly<Record<string, unknown>> = {}): DeploymentSettings {
  const settings = parseSettings({ region: 'us-east-1', ...given });
  if (Array.isArray(settings)) throw new Error(settings.map(({ message }) => message).join(', '));
  return settings;
}

/** What the app synthesizes from these settings. */
export function templateOf(settings: Readonly<Record<string, unknown>> = {}): Template {
  return Template.fromStack(new HaverdictStack(testApp(), settingsOf(settings)));
}

/** The only resource of this type whose logical id begins like this. */
export function only(template: Template, type: string, idStart = 'Backend'): Resource {
  return template.findResources(type)[idOf(template, type, idStart)] as Resource; // findResources is untyped
}

/** Its logical id. */
export function idOf(template: Template, type: string, idStart = 'Backend'): string {
  const [id, ...others] = Object.keys(template.findResources(type)).filter((id) => id.startsWith(idStart));
  if (id === undefined || others.length > 0) throw new Error(`${others.length + 1} of ${type} begin with ${idStart}`);
  return id;
}

/** The statements of the policy or role whose logical id begins like this. */
export function statementsOf(template: Template, idStart: string): Statement[] {
  const found = Object.entries(template.toJSON().Resources).find(([id]) => id.startsWith(idStart));
  if (found === undefined) throw new Error(`there is no ${idStart}`);
  return (found[1] as { Properties: { PolicyDocument: { Statement: Statement[] } } }).Properties.PolicyDocument
    .Statement; // a policy has it
}
