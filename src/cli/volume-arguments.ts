/** Parsers of docker's short forms of mounts, `-v` and `--tmpfs`, for commander. */
import {resolve} from 'node:path'
import {InvalidArgumentError} from 'commander'
import {type Mount, mountSchema} from '../../machines/schemas/create-request.ts'
import {parseBytes} from './arguments.ts'

type Fields = Readonly<Record<string, unknown>>

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

/** `SOURCE:TARGET`, `SOURCE:TARGET:ro,rslave`; a relative source is one of the caller's. */
export function parseVolume(text: string): Mount {
  const [source = '', target = '', options, ...rest] = text.split(':')
  if (source === '' || target === '' || rest.length > 0)
    throw new InvalidArgumentError(`expected SOURCE:TARGET or SOURCE:TARGET:OPTION,…, got ${JSON.stringify(text)}`)
  return toMount(text, {type: 'bind', source: resolve(source), target, ...toFields(text, options, toVolumeField)})
}

function toVolumeField(option: string): Fields | undefined {
  if (option === 'rw') return {}
  if (option === 'ro') return {readOnly: true}
  if (option === 'rro') return {readOnly: true, recursive: 'readonly'}
  return propagations.includes(option) ? {propagation: option} : undefined
}

/** `TARGET`, `TARGET:rw,noexec,nosuid,size=64k,mode=700` */
export function parseTmpfs(text: string): Mount {
  const [target = '', options] = text.split(/:(.*)/s)
  return toMount(text, {type: 'tmpfs', target, ...toFields(text, options, toTmpfsField)})
}

const tmpfsFlags: Readonly<Record<string, Fields>> = {
  rw: {readOnly: undefined},
  ro: {readOnly: true},
  exec: {exec: true},
  noexec: {exec: undefined},
  suid: {suid: true},
  nosuid: {suid: undefined},
  dev: {dev: true},
  nodev: {dev: undefined},
  noatime: {atime: 'noatime'},
  relatime: {atime: 'relatime'},
  strictatime: {atime: 'strictatime'},
}

function toTmpfsField(option: string): Fields | undefined {
  const [name = '', value] = option.split(/=(.*)/s)
  if (value === undefined) return Object.hasOwn(tmpfsFlags, name) ? tmpfsFlags[name] : undefined
  if (name === 'size') return {sizeBytes: parseBytes(value)}
  if (name === 'mode' && /^[0-7]{1,5}$/.test(value)) return {mode: Number.parseInt(value, 8)}
  if ((name === 'uid' || name === 'gid') && /^\d{1,10}$/.test(value)) return {[name]: Number(value)}
  if (name === 'nr_inodes') return {inodes: parseBytes(value)}
  return undefined
}

/** A later option of the same kind counts, as for mount(8). @throws InvalidArgumentError for one that is not known */
function toFields(text: string, options: string | undefined, toField: (option: string) => Fields | undefined): Fields {
  const fields = (options?.split(',') ?? []).map((option) => {
    const field = toField(option)
    if (!field) throw new InvalidArgumentError(`expected another option than ${JSON.stringify(option)}, in ${JSON.stringify(text)}`)
    return field
  })
  return Object.assign({}, ...fields)
}

/** @throws InvalidArgumentError */
export function toMount(text: string, fields: Fields): Mount {
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  const parsed = mountSchema.safeParse(known)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InvalidArgumentError(`${issue?.path.join('.') || 'mount'}: ${issue?.message}, in ${JSON.stringify(text)}`)
}
