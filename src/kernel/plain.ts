/** Any value as one that JSON can have, for diagnostics: errors with what they tell, and neither cycles nor depth without end. */
const deepest = 8

/** @returns a value for which JSON.stringify never throws */
export function toPlain(value: unknown, above: readonly object[] = []): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (above.includes(value)) return '[Circular]'
  if (above.length >= deepest) return Array.isArray(value) ? '[Array]' : '[Object]'
  const below = [...above, value]
  if (value instanceof Error) return {...toErrorFields(value, below), ...toPlainFields(value, below)}
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return `[${value.length} bytes]`
  if (Array.isArray(value)) return value.map((one) => toPlain(one, below))
  if (value instanceof Map) return toPlainFields(Object.fromEntries(value), below)
  if (value instanceof Set) return [...value].map((one) => toPlain(one, below))
  return toPlainFields(value, below)
}

function toPlainFields(value: object, above: readonly object[]): object {
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toPlain(field, above)]))
}

/** What an error has that is not enumerable. */
function toErrorFields({name, message, stack, cause}: Error, above: readonly object[]): object {
  return {type: name, message, stack, ...(cause !== undefined && {cause: toPlain(cause, above)})}
}
