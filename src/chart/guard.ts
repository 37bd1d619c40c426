/**
 * Reads the condition of a transition as a tree, and renders it as text. xstate represents `and`, `or`, `not` and `stateIn` as functions
 * with their operands as properties.
 */
import * as z from 'zod'

export type Guard =
  /** A guard of the machine, such as `isForced`. */
  | {readonly type: 'named'; readonly name: string}
  /** The state is active. */
  | {readonly type: 'in'; readonly state: string}
  | {readonly type: 'not'; readonly of: Guard}
  | {readonly type: 'and' | 'or'; readonly of: readonly Guard[]}

/** A guard is a name, an object with a name and parameters, or a function of xstate. */
const rawSchema = z.union([
  z.string(),
  z.object({type: z.string()}).transform(({type}) => type),
  z.custom<Composite>((value) => typeof value === 'function'),
])
interface Composite {
  readonly name: string
  readonly guards?: readonly unknown[]
  readonly stateValue?: unknown
}

/** Nested `and`s are merged into one, as are nested `or`s. */
export function parseGuard(raw: unknown): Guard {
  const guard = rawSchema.parse(raw)
  if (typeof guard === 'string') return {type: 'named', name: guard}
  const of = (guard.guards ?? []).map(parseGuard)
  switch (guard.name) {
    case 'and':
    case 'or':
      return toFlat(guard.name, of)
    case 'not':
      return {type: 'not', of: toFlat('and', of)}
    case 'stateIn':
      return toFlat(
        'and',
        toPaths(guard.stateValue).map((state) => ({type: 'in', state})),
      )
    default:
      return {type: 'named', name: guard.name}
  }
}

/** `hasNoLiveExec and not (in running.execution.pausing or in created.updating) and isAutoRemoved` */
export function toGuardText(guard: Guard): string {
  switch (guard.type) {
    case 'named':
      return guard.name
    case 'in':
      return `in ${guard.state}`
    case 'not':
      return `not ${toOperand(guard.of)}`
    case 'and':
    case 'or':
      return guard.of.map(toOperand).join(` ${guard.type} `)
  }
}

/** A short form for pictures: `hasNoLiveExec and isAutoRemoved and …`. The ellipsis replaces nested conditions. */
export function toShortGuardText(guard: Guard): string {
  if (guard.type !== 'and') return isPlain(guard) ? toGuardText(guard) : '…'
  const plain = guard.of.filter(isPlain).map(toGuardText)
  return [...plain, ...(plain.length < guard.of.length ? ['…'] : [])].join(' and ')
}

/** The paths of the innermost states in a state value, such as `running.stop.killing`. */
export function toPaths(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, within]) => {
    const paths = toPaths(within)
    return paths.length > 0 ? paths.map((path) => `${key}.${path}`) : [key]
  })
}

function toFlat(type: 'and' | 'or', of: readonly Guard[]): Guard {
  const flat = of.flatMap((part) => (part.type === type ? part.of : [part]))
  const [only] = flat
  return flat.length === 1 && only ? only : {type, of: flat}
}

function toOperand(guard: Guard): string {
  return guard.type === 'and' || guard.type === 'or' ? `(${toGuardText(guard)})` : toGuardText(guard)
}

function isPlain(guard: Guard): boolean {
  return guard.type === 'named' || guard.type === 'in' || (guard.type === 'not' && isPlain(guard.of))
}
