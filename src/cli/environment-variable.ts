/** `NAME=VALUE` as it is; `NAME` alone becomes the variable of our own environment, or nothing when that is not set. */
export function toVariable(entry: string): readonly string[] {
  if (entry.includes('=')) return [entry]
  const value = process.env[entry]
  return value === undefined ? [] : [`${entry}=${value}`]
}
