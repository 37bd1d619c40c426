/** Parsers of mounts with named fields, for commander. */
import {resolve} from 'node:path'
import {InvalidArgumentError} from 'commander'
import type {Mount, RootfsMount} from '../../machines/schemas/create-request.ts'
import {parseBytes} from './arguments.ts'
import {toMount} from './volume-arguments.ts'

/** `type=overlay,source=overlay,target=/,options=lowerdir=/a:/b,upperdir=/u`: the options come last, since they contain commas. */
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
  'bind-recursive': 'recursive',
  'tmpfs-size': 'size',
  'tmpfs-mode': 'mode',
} as const
/** Fields that may have no value. */
const switches: readonly string[] = ['readonly', 'ro']

/** As in docker. */
export function parseMount(text: string): Mount {
  const {type = 'bind', source, target, readonly, propagation, recursive, size, mode} = toFields(text, text, mountFields)
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode))
    throw new InvalidArgumentError(`expected an octal number such as 1777, got ${JSON.stringify(mode)} in ${JSON.stringify(text)}`)
  return toMount(text, {
    type,
    target,
    source: source !== undefined && type === 'bind' ? resolve(source) : source,
    readOnly: readonly === undefined ? undefined : toSwitch(readonly, text) || undefined,
    propagation,
    recursive,
    sizeBytes: size === undefined ? undefined : parseBytes(size),
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
  })
}

/** Without a value it is on. */
function toSwitch(value: string, text: string): boolean {
  if (['', '1', 'true'].includes(value)) return true
  if (['0', 'false'].includes(value)) return false
  throw new InvalidArgumentError(`expected true or false, got ${JSON.stringify(value)} in ${JSON.stringify(text)}`)
}

/** `name=value,name`: each field once, and with a value unless it is a switch. */
function toFields<K extends string>(
  fields: string,
  text: string,
  names: Readonly<Record<string, K>>,
): Readonly<Partial<Record<K, string>>> {
  const found: Partial<Record<K, string>> = {}
  for (const field of fields.split(',')) {
    const [name = '', value = ''] = field.split(/=(.*)/s)
    const key = Object.hasOwn(names, name) ? names[name] : undefined
    if (key === undefined)
      throw new InvalidArgumentError(
        `expected one of ${Object.keys(names).join(', ')}, got ${JSON.stringify(name)} in ${JSON.stringify(text)}`,
      )
    if (found[key] !== undefined) throw new InvalidArgumentError(`expected one ${key}, got several in ${JSON.stringify(text)}`)
    if (value === '' && !switches.includes(name)) throw new InvalidArgumentError(`expected ${name}=VALUE in ${JSON.stringify(text)}`)
    found[key] = value
  }
  return found
}
