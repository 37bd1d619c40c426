/** Parsers of what is mounted, for commander. */
import {resolve} from 'node:path'
import {InvalidArgumentError} from 'commander'
import {type Mount, mountSchema, type RootfsMount} from '../../machines/create-request.ts'
import {describeIssues} from '../kernel/issues.ts'
import {parseBytes} from './arguments.ts'

/** `type=overlay,source=overlay,target=/,options=lowerdir=/a:/b,upperdir=/u`: the options come last, since they have commas too. */
export function parseRootfsMount(text: string): RootfsMount {
  const [, before = '', options] = /^(.*?)(?:,options=(.*))?$/.exec(text) ?? []
  const fields = toFields(before, text, {type: 'type', source: 'source', src: 'source', target: 'target', dst: 'target'})
  const {type, source, target} = fields
  if (!type || !source) throw new InvalidArgumentError(`expected type=TYPE,source=SOURCE, got ${JSON.stringify(text)}`)
  return {type, source, ...(target !== undefined && {target}), ...(options !== undefined && {options: options.split(',')})}
}

const mountFields = {
  type: 'type',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  'bind-propagation': 'propagation',
  'tmpfs-size': 'size',
  'tmpfs-mode': 'mode',
} as const

/** As docker's `--mount`. */
export function parseMount(text: string): Mount {
  const {type = 'bind', source, target, readonly, propagation, size, mode} = toFields(text, text, mountFields)
  const isReadOnly = readonly !== undefined && readonly !== 'false' && readonly !== '0'
  const parsed = mountSchema.safeParse(
    {
      type,
      target,
      ...(source !== undefined && {source: type === 'bind' ? resolve(source) : source}),
      ...(isReadOnly && {readOnly: true}),
      ...(propagation !== undefined && {propagation}),
      ...(size !== undefined && {sizeBytes: parseBytes(size)}),
      ...(mode !== undefined && {mode: Number.parseInt(mode, 8)}),
    },
    {reportInput: true},
  )
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError(`${describeIssues(parsed.error).join('; ')}, in ${JSON.stringify(text)}`)
}

/** `name=value,name`: a name alone has an empty value. */
function toFields<K extends string>(
  fields: string,
  text: string,
  names: Readonly<Record<string, K>>,
): Readonly<Partial<Record<K, string>>> {
  const found: Partial<Record<K, string>> = {}
  for (const field of fields.split(',')) {
    const [name = '', value = ''] = field.split(/=(.*)/s)
    const key = names[name]
    if (key === undefined)
      throw new InvalidArgumentError(
        `expected one of ${Object.keys(names).join(', ')}, got ${JSON.stringify(name)} in ${JSON.stringify(text)}`,
      )
    found[key] = value
  }
  return found
}
