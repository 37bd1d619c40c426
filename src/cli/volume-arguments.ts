/** Parsers of docker's short forms of mounts, `-v` and `--tmpfs`, for commander. */
import {resolve} from 'node:path'
import {InvalidArgumentError} from 'commander'
import {type Mount, mountSchema} from '../../machines/schemas/create-request.ts'
import {parseBytes} from './arguments.ts'

type Fields = Readonly<Record<string, unknown>>

/** What an option sets. Two options of one kind contradict each other. */
interface MountOption {
  readonly kind: string
  readonly fields: Fields
}

/** `SOURCE:TARGET`, `SOURCE:TARGET:ro,rslave`; a relative source is below the caller's working directory. */
export function parseVolume(text: string): Mount {
  const [source = '', target = '', options, ...rest] = text.split(':')
  if (source === '' || target === '' || rest.length > 0)
    throw new InvalidArgumentError(`expected SOURCE:TARGET or SOURCE:TARGET:OPTION,…, got ${JSON.stringify(text)}`)
  return toMount(text, {type: 'bind', source: resolve(source), target, ...toFields(text, options, findVolumeOption)})
}

const volumeOptions: Readonly<Record<string, MountOption>> = {
  rw: {kind: 'access', fields: {}},
  ro: {kind: 'access', fields: {readOnly: true}},
  rro: {kind: 'access', fields: {readOnly: true, recursive: 'readonly'}},
  ...toOptions('propagation', ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']),
}

function findVolumeOption(option: string): MountOption | undefined {
  return Object.hasOwn(volumeOptions, option) ? volumeOptions[option] : undefined
}

/** `TARGET`, `TARGET:rw,noexec,nosuid,size=64k,mode=700` */
export function parseTmpfs(text: string): Mount {
  const [target = '', options] = text.split(/:(.*)/s)
  return toMount(text, {type: 'tmpfs', target, ...toFields(text, options, findTmpfsOption)})
}

const tmpfsOptions: Readonly<Record<string, MountOption>> = {
  rw: {kind: 'access', fields: {}},
  ro: {kind: 'access', fields: {readOnly: true}},
  exec: {kind: 'exec', fields: {exec: true}},
  noexec: {kind: 'exec', fields: {}},
  suid: {kind: 'suid', fields: {suid: true}},
  nosuid: {kind: 'suid', fields: {}},
  dev: {kind: 'dev', fields: {dev: true}},
  nodev: {kind: 'dev', fields: {}},
  ...toOptions('atime', ['noatime', 'relatime', 'strictatime']),
}

function findTmpfsOption(option: string): MountOption | undefined {
  const [name = '', value] = option.split(/=(.*)/s)
  if (value === undefined) return Object.hasOwn(tmpfsOptions, name) ? tmpfsOptions[name] : undefined
  const fields = toTmpfsFields(name, value)
  return fields && {kind: name, fields}
}

function toTmpfsFields(name: string, value: string): Fields | undefined {
  if (name === 'size') return {sizeBytes: parseBytes(value)}
  if (name === 'mode' && /^[0-7]{1,5}$/.test(value)) return {mode: Number.parseInt(value, 8)}
  if ((name === 'uid' || name === 'gid') && /^\d{1,10}$/.test(value)) return {[name]: Number(value)}
  if (name === 'nr_inodes') return {inodes: parseBytes(value)}
  return undefined
}

/** Options whose names are the values of a field. */
function toOptions(field: string, names: readonly string[]): Readonly<Record<string, MountOption>> {
  return Object.fromEntries(names.map((name) => [name, {kind: field, fields: {[field]: name}}]))
}

/** @throws InvalidArgumentError for an unknown option, and for two of one kind */
function toFields(text: string, options: string | undefined, find: (option: string) => MountOption | undefined): Fields {
  const given = new Map<string, string>()
  const fields = (options?.split(',') ?? []).map((option) => {
    const found = find(option)
    if (!found) throw new InvalidArgumentError(`expected another option than ${JSON.stringify(option)}, in ${JSON.stringify(text)}`)
    const other = given.get(found.kind)
    if (other !== undefined) throw new InvalidArgumentError(toContradiction(other, option, text))
    given.set(found.kind, option)
    return found.fields
  })
  return Object.assign({}, ...fields)
}

function toContradiction(first: string, second: string, text: string): string {
  if (first === second) return `expected ${first} once, got it twice in ${JSON.stringify(text)}`
  return `expected either ${first} or ${second}, got both in ${JSON.stringify(text)}`
}

/** @throws InvalidArgumentError */
export function toMount(text: string, fields: Fields): Mount {
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  const parsed = mountSchema.safeParse(known)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InvalidArgumentError(`${issue?.path.join('.') || 'mount'}: ${issue?.message}, in ${JSON.stringify(text)}`)
}
