/** A guard in words. xstate makes functions of `and`, `or`, `not` and `stateIn`, which carry what they were made of. */
import * as z from 'zod'

/** What such a function has beside its call; a guard by name has parameters at most. */
const guardSchema = z.union([
  z.string(),
  z.object({type: z.string()}).transform(({type}) => type),
  z.custom<Composite>((value) => typeof value === 'function'),
])
interface Composite {
  readonly name: string
  readonly guards?: readonly unknown[]
  readonly stateValue?: unknown
}

interface GuardTextOptions {
  /** Also what stands in an `or` or behind a `not`; otherwise an ellipsis stands for it. */
  readonly nested: boolean
}

/** `hasNoLiveExec and not (in running.execution.pausing or in created.updating) and isAutoRemoved` */
export function toGuardText(guard: unknown, options: GuardTextOptions = {nested: true}): string {
  const parts = toConjuncts(guardSchema.parse(guard)).map((part) => toPart(part, options))
  const known = parts.filter((part) => part !== '…')
  return [...known, ...(known.length < parts.length ? ['…'] : [])].join(' and ')
}

/** Of nested ands, one flat list. */
function toConjuncts(guard: z.infer<typeof guardSchema>): readonly z.infer<typeof guardSchema>[] {
  if (typeof guard === 'string' || guard.name !== 'and') return [guard]
  return (guard.guards ?? []).flatMap((part) => toConjuncts(guardSchema.parse(part)))
}

function toPart(guard: z.infer<typeof guardSchema>, options: GuardTextOptions): string {
  if (typeof guard === 'string') return guard
  const parts = (guard.guards ?? []).map((part) => guardSchema.parse(part))
  switch (guard.name) {
    case 'stateIn':
      return `in ${toPaths(guard.stateValue).join(' and ')}`
    case 'not': {
      const [part] = parts
      const isPlain = typeof part === 'string' || part?.name === 'stateIn'
      if (!options.nested && !isPlain) return '…'
      const text = part === undefined ? '' : toPart(part, options)
      return isPlain ? `not ${text}` : `not (${text})`
    }
    case 'and':
    case 'or':
      return options.nested ? parts.map((part) => toPart(part, options)).join(` ${guard.name} `) : '…'
    default:
      return guard.name || '…'
  }
}

/** Of a state value, `running.stop.killing`. */
export function toPaths(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, within]) => {
    const paths = toPaths(within)
    return paths.length > 0 ? paths.map((path) => `${key}.${path}`) : [key]
  })
}
