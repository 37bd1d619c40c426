/** Describes the fields of a schema as the documents do, so that a table can be compared with the code. */
import {z} from 'zod'
import {bundleRequestSchema, createRequestSchema, mountSchema} from '../../../machines/schemas/create-request.ts'
import {execSpecSchema} from '../../../machines/schemas/exec-spec.ts'
import {failureSchema, processIdentitySchema} from '../../../machines/ledger/events.ts'
import {idSchema} from '../../../machines/ledger/ids.ts'
import {topLevelStates} from '../../../machines/charts/states.ts'
import {processExitSchema} from '../../../machines/ledger/process-exit.ts'

export interface Field {
  readonly field: string
  readonly type: string
  readonly presence: 'always' | 'optional'
}

type Json = z.core.JSONSchema.JSONSchema
type Direction = 'input' | 'output'

/** Objects without a name of their own are flattened: `stop.dueAt`, `entries[].time`. */
export function describeFields(schema: z.ZodType, direction: Direction): readonly Field[] {
  return describeObject(toJson(schema, direction), direction, '', 'always')
}

function describeObject(json: Json, direction: Direction, prefix: string, outer: Field['presence']): readonly Field[] {
  return Object.entries(json.properties ?? {}).flatMap(([name, value]) => {
    const inner = isJson(value) ? value : {}
    const presence = outer === 'always' && json.required?.includes(name) ? 'always' : 'optional'
    const type = describeType(inner, direction)
    if (type === 'array of objects' && isJson(inner.items)) return describeObject(inner.items, direction, `${prefix}${name}[].`, presence)
    if (type === 'fields') return describeObject(inner, direction, `${prefix}${name}.`, presence)
    return {field: `${prefix}${name}`, type, presence}
  })
}

function describeType(json: Json, direction: Direction): string {
  const named = Object.entries(namedSchemas).find(([, schema]) => isSame(toJson(schema, direction), json))
  if (named) return named[0]
  if (json.anyOf) return json.anyOf.map((option) => (isJson(option) ? describeType(option, direction) : 'anything')).join(' or ')
  if (json.enum) return json.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')
  switch (json.type) {
    case 'integer':
      return `integer${describeRange(json)}`
    case 'string':
      return json.contentEncoding === 'base64' ? 'base64' : json.format === 'date-time' ? 'time' : 'string'
    case 'array': {
      const items = isJson(json.items) ? describeType(json.items, direction) : 'anything'
      return items === 'fields' ? 'array of objects' : `array of ${items}s${json.minItems ? `, at least ${json.minItems}` : ''}`
    }
    case 'object':
      return json.properties ? 'fields' : 'object'
    case undefined:
      // The only custom schema.
      return 'signal'
    default:
      return String(json.type)
  }
}

function describeRange({minimum, maximum, exclusiveMinimum}: Json): string {
  const least = typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : minimum
  const isOpen = (bound: number | undefined) => bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER
  if (isOpen(least)) return ''
  return isOpen(maximum) ? `, at least ${least}` : `, ${least} to ${maximum}`
}

const namedSchemas: Readonly<Record<string, z.ZodType>> = {
  id: idSchema,
  'absolute path': bundleRequestSchema.shape.bundle,
  'create request': createRequestSchema,
  mount: mountSchema,
  exec: execSpecSchema,
  failure: failureSchema,
  exit: processExitSchema,
  process: processIdentitySchema,
  state: z.enum(topLevelStates),
}

function toJson(schema: z.ZodType, direction: Direction): Json {
  const {$schema: _, ...json} = z.toJSONSchema(schema, {io: direction, unrepresentable: 'any'})
  return json
}

/** Whether two types are equal. A default is not part of the type. */
function isSame(a: Json, b: Json): boolean {
  const {default: _, ...rest} = b
  return JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(rest))
}

function sortKeys(json: Json): object {
  return Object.fromEntries(Object.entries(json).sort(([a], [b]) => a.localeCompare(b)))
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
