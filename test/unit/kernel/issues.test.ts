import {describe, expect, it} from 'vitest'
import * as z from 'zod'
import {describeIssues} from '../../../src/kernel/issues.ts'

const describeFor = (schema: z.ZodType, value: unknown) => {
  const parsed = schema.safeParse(value, {reportInput: true})
  return parsed.success ? [] : describeIssues(parsed.error)
}

describe('the issues of a schema', () => {
  const pets = z.discriminatedUnion('type', [z.strictObject({type: z.literal('cat')}), z.strictObject({type: z.literal('dog')})])
  it.each<[z.ZodType, unknown, string]>([
    [z.string().min(1), '', 'request: expected at least 1 character, got ""'],
    [z.string().max(3), 'abcd', 'request: expected at most 3 characters, got "abcd"'],
    [z.array(z.string()).min(1), [], 'request: expected at least 1 element, got []'],
    [z.int().min(2), 1, 'request: expected at least 2, got 1'],
    [z.int().max(2), 3, 'request: expected at most 2, got 3'],
    [z.number().positive(), 0, 'request: expected more than 0, got 0'],
    [z.number().negative(), 0, 'request: expected less than 0, got 0'],
    [z.int(), 1.5, 'request: expected a whole number, got 1.5'],
    [z.int(), 2 ** 60, `request: expected at most ${Number.MAX_SAFE_INTEGER}, got ${2 ** 60}`],
    [z.enum(['a', 'b']), 'c', 'request: expected one of "a", "b", got "c"'],
    [z.literal('a'), 'b', 'request: expected "a", got "b"'],
    [z.string().regex(/^a$/), 'b', 'request: expected text that matches /^a$/, got "b"'],
    [z.strictObject({a: z.int()}), {a: 1, b: 2}, 'request: expected no field "b"'],
    [z.strictObject({a: z.int()}), {a: 1, b: 2, c: 3}, 'request: expected no fields "b", "c"'],
    [z.record(z.string().min(1), z.string()), {'': 'x'}, 'request: as a name, expected at least 1 character, got ""'],
    [z.object({pet: pets}), {pet: {type: 'cow'}}, 'pet.type: expected one of "cat", "dog", got "cow"'],
    [z.object({pet: pets}), {pet: {}}, 'pet.type: expected one of "cat", "dog", got nothing'],
    [z.string().regex(/^a$/, 'expected an a'), 'b', 'request: expected an a'],
  ])('are described with expected and actual values (%#)', (schema, value, expected) => {
    expect(describeFor(schema, value)).toEqual([expected])
  })
})
