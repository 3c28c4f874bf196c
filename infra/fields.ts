import { Token } from 'aws-cdk-lib';
import { z } from 'zod';

/** Fields of props. Where CloudFormation could know the value, they accept a CDK token too. */

export const REGION = [/^[a-z]{2}(-[a-z]+)+-\d$/, 'regions such as eu-west-1'] as const;
export const TABLE_NAME = [/^[\w.-]{3,255}$/, '3 to 255 letters, digits, _ . or -'] as const;
export const E_MAIL = [/^[^\s@]+@[^\s@]+$/, 'an e-mail address'] as const;

/** Text that matches `form`. */
export function text(form: RegExp, mustBe: string) {
  return z.string(mustBe).refine((value) => Token.isUnresolved(value) || form.test(value), mustBe);
}

export function wholeNumber(min: number, max: number) {
  return bounded(min, max, `a whole number from ${min} to ${max}`);
}

export function wholeNumberOr<const Word extends string>(min: number, max: number, word: Word) {
  const mustBe = `a whole number from ${min} to ${max}, or ${word}`;
  return z.union([bounded(min, max, mustBe), z.literal(word)], mustBe);
}

export function flag() {
  return z.boolean('true or false');
}

export function list(form: RegExp, mustBe: string) {
  return z.array(text(form, mustBe), mustBe);
}

function bounded(min: number, max: number, mustBe: string) {
  const isRight = (value: number) =>
    Token.isUnresolved(value) || (Number.isInteger(value) && value >= min && value <= max);
  return z.number(mustBe).refine(isRight, mustBe);
}
