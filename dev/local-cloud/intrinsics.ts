import type { Template } from './assembly.ts';

/** The names of a resource: the values of `Ref` and `Fn::GetAtt`. */
export interface Names {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Scope {
  readonly template: Template;
  readonly pseudo: Readonly<Record<string, string>>;
  /** The names of a resource by its logical id; throws for an unsupported type. */
  names(logicalId: string): Names;
}

/** Resolves `Ref`, `Fn::…` and pseudo parameters in any part of a template; throws for unsupported ones. */
export class Intrinsics {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((part) => this.resolve(part)).filter((part) => part !== NO_VALUE);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name, argument] = entries[0] ?? [];
    if (entries.length === 1 && name !== undefined && (name === 'Ref' || name.startsWith('Fn::')))
      return this.#call(name, argument);
    return Object.fromEntries(
      entries.map(([key, part]) => [key, this.resolve(part)]).filter(([, part]) => part !== NO_VALUE),
    );
  }

  /** Resolves a value that must be text. */
  text(value: unknown): string {
    const resolved = this.resolve(value);
    if (typeof resolved === 'string' || typeof resolved === 'number' || typeof resolved === 'boolean')
      return String(resolved);
    throw new Error(`${JSON.stringify(value)} is not a string`);
  }

  /** Whether the named condition of the template holds; a part without a condition always does. */
  holds(name: string | undefined): boolean {
    if (name === undefined) return true;
    const condition = this.#scope.template.Conditions?.[name];
    if (condition === undefined) throw new Error(`unknown condition ${name}`);
    return this.#truth(condition);
  }

  #call(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument));
      case 'Fn::GetAtt':
        return this.#attribute(Array.isArray(argument) ? argument.map(String) : String(argument).split(/\.(.*)/s, 2));
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown]; // so the function is defined
        return this.#list(parts)
          .map((part) => this.text(part))
          .join(separator);
      }
      case 'Fn::Sub':
        return this.#substitute(argument);
      case 'Fn::Select': {
        const [index, list] = argument as [unknown, unknown]; // so the function is defined
        return this.#list(list)[Number(this.text(index))];
      }
      case 'Fn::Split': {
        const [separator, whole] = argument as [string, unknown]; // so the function is defined
        return this.text(whole).split(separator);
      }
      case 'Fn::If': {
        const [condition, then, otherwise] = argument as [string, unknown, unknown]; // so the function is defined
        return this.resolve(this.holds(condition) ? then : otherwise);
      }
      case 'Fn::FindInMap':
        return this.#find((argument as unknown[]).map((part) => this.text(part))); // so the function is defined
      default:
        throw new Error(`${name} is not imitated: ${JSON.stringify(argument)}`);
    }
  }

  #ref(name: string): unknown {
    if (name === 'AWS::NoValue') return NO_VALUE;
    if (name.startsWith('AWS::')) {
      const value = this.#scope.pseudo[name];
      if (value === undefined) throw new Error(`pseudo parameter ${name} is not imitated`);
      return value;
    }
    const parameter = this.#scope.template.Parameters?.[name];
    if (parameter === undefined) return this.#scope.names(name).ref;
    if (parameter.Default === undefined || parameter.Type.startsWith('AWS::SSM::'))
      throw new Error(`parameter ${name} of type ${parameter.Type} has no value here`);
    return parameter.Default;
  }

  #attribute([logicalId = '', name = '']: readonly string[]): string {
    const value = this.#scope.names(logicalId).attributes[name];
    if (value === undefined) {
      const { Type } = this.#scope.template.Resources[logicalId] ?? {};
      throw new Error(`attribute ${name} of ${logicalId} (${Type}) is not imitated`);
    }
    return value;
  }

  #substitute(argument: unknown): string {
    const [pattern, values] = (Array.isArray(argument) ? argument : [argument, {}]) as [
      string,
      Record<string, unknown>,
    ]; // so the function is defined
    return pattern.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      if (name in values) return this.text(values[name]);
      return this.text(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name });
    });
  }

  #find([map = '', key = '', name = '']: readonly string[]): unknown {
    const value = this.#scope.template.Mappings?.[map]?.[key]?.[name];
    if (value === undefined) throw new Error(`there is nothing in map ${map} under ${key}, ${name}`);
    return value;
  }

  #list(value: unknown): unknown[] {
    const list = this.resolve(value);
    if (!Array.isArray(list)) throw new Error(`${JSON.stringify(value)} is not a list`);
    return list;
  }

  #truth(condition: unknown): boolean {
    const [name, argument] = Object.entries(condition as object)[0] ?? []; // a condition is an object of one function
    const parts = argument as unknown[]; // all of them take a list, but Condition
    switch (name) {
      case 'Fn::Equals':
        return this.text(parts[0]) === this.text(parts[1]);
      case 'Fn::Not':
        return !this.#truth(parts[0]);
      case 'Fn::And':
        return parts.every((part) => this.#truth(part));
      case 'Fn::Or':
        return parts.some((part) => this.#truth(part));
      case 'Condition':
        return this.holds(String(argument));
      default:
        throw new Error(`condition function ${name} is not imitated`);
    }
  }
}

const NO_VALUE = Symbol('AWS::NoValue');
