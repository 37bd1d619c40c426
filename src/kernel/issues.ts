/** What a schema finds wrong, worded as in all our messages: which field, what was expected, what it got. */
import type * as z from 'zod'

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** @param error of a `safeParse` with `reportInput`. @returns `graceMs: expected number, got "1"`, one for each field */
export function describeIssues({issues}: z.ZodError): readonly string[] {
  return issues.flatMap(flatten).map(({path, message}) => `${path.join('.') || 'request'}: ${message}`)
}

/** The issue of a union says only that no alternative matched: the alternative with the fewest mistakes says why. */
function flatten(issue: z.core.$ZodIssue): readonly Issue[] {
  if (issue.code === 'invalid_union') {
    const [closest] = [...issue.errors].sort((a, b) => countMistakes(a) - countMistakes(b))
    if (closest) return closest.flatMap(flatten).map((inner) => ({...inner, path: [...issue.path, ...inner.path]}))
  }
  if (issue.code === 'invalid_key')
    return issue.issues.flatMap(flatten).map(({message}) => ({path: issue.path, message: `as a name, ${message}`}))
  // The schema has a message of its own.
  if (/^expected /.test(issue.message)) return [issue]
  const expected = toExpected(issue)
  return [{path: issue.path, message: expected === undefined ? issue.message : `expected ${expected}${toGot(issue)}`}]
}

/** All unknown fields of an object are one issue. */
function countMistakes(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
}

function toExpected(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : issue.expected
    case 'invalid_value':
      return issue.values.length === 1 ? toList(issue.values) : `one of ${toList(issue.values)}`
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? `one of ${toList(issue.options)}` : undefined
    case 'too_small':
      return toBound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)
    case 'too_big':
      return toBound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)
    case 'unrecognized_keys':
      return `no ${issue.keys.length === 1 ? 'field' : 'fields'} ${toList(issue.keys)}`
    case 'invalid_format':
      return issue.format === 'regex' ? `text that matches ${issue.pattern}` : issue.format
    default:
      return undefined
  }
}

function toList(values: readonly unknown[]): string {
  return values.map(describe).join(', ')
}

const units: Readonly<Record<string, string>> = {string: 'character', array: 'element', set: 'element', map: 'element'}

function toBound(origin: string, how: string, count: number | bigint): string {
  const unit = units[origin]
  return unit === undefined ? `${how} ${count}` : `${how} ${count} ${unit}${Number(count) === 1 ? '' : 's'}`
}

function toGot(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return ''
  const {input} = issue
  return `, got ${describe(issue.code === 'invalid_union' && issue.discriminator !== undefined ? readField(input, issue.discriminator) : input)}`
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? typeof value
  } catch {
    // Nested too deeply for the stack.
    return typeof value
  }
}
