/** Flattens nested values into a list of paths, and compares two of them. Pure. */

/** A path such as `request.args`, and the value there. */
export type FlatValue = readonly [path: string, value: string]

/** An array is a single value; undefined values are left out. */
export function flatten(value: unknown, path = ''): readonly FlatValue[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, show(value)]]
  return Object.entries(value).flatMap(([key, within]) => flatten(within, path === '' ? key : `${path}.${key}`))
}

export interface Difference {
  readonly path: string
  /** Undefined when the path did not exist before. */
  readonly before: string | undefined
  readonly after: string | undefined
}

/** In the order of `after`; removed paths come last. */
export function findDifferences(before: unknown, after: unknown): readonly Difference[] {
  const [old, now] = [new Map(flatten(before)), new Map(flatten(after))]
  const changed = [...now].filter(([path, value]) => old.get(path) !== value)
  const gone = [...old].filter(([path]) => !now.has(path))
  return [
    ...changed.map(([path, value]) => ({path, before: old.get(path), after: value})),
    ...gone.map(([path, value]) => ({path, before: value, after: undefined})),
  ]
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? value.join(' ') || 'none' : JSON.stringify(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
