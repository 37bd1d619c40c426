/**
 * What the kernel counts for a control group (kernel documentation, cgroup-v2 and cgroup-v1). The files of version 1 and 2 have different
 * names, so the same code reads both, and hybrid hosts. What is not counted is absent.
 */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parseOomKills} from './oom.ts'

export interface CgroupStats {
  readonly cpu?: CpuStats
  readonly memory?: MemoryStats
  readonly pids?: {readonly current: number; readonly limit?: number | undefined}
  readonly io?: IoStats
}

export interface CpuStats {
  readonly usageNs: number
  readonly userNs?: number | undefined
  readonly systemNs?: number | undefined
  readonly periods?: number | undefined
  readonly throttledPeriods?: number | undefined
  readonly throttledNs?: number | undefined
}

export interface MemoryStats {
  readonly usageBytes: number
  readonly workingSetBytes?: number | undefined
  readonly limitBytes?: number | undefined
  readonly anonBytes?: number | undefined
  readonly fileBytes?: number | undefined
  readonly swapBytes?: number | undefined
  readonly oomKills?: number | undefined
}

export interface IoStats {
  readonly readBytes: number
  readonly writeBytes: number
  readonly readOps: number
  readonly writeOps: number
}

/** @param directories one for each hierarchy. @returns `{}` when the groups are gone */
export function readCgroupStats(directories: readonly string[]): CgroupStats {
  return toCgroupStats((name) => {
    const texts = directories.flatMap((directory) => readIfThere(join(directory, name)))
    return texts.length === 0 ? undefined : texts.join('\n')
  })
}

/** The text of a file of the group, by its name; of a file that several hierarchies have (`cpu.stat`), the texts one after the other. */
export type ReadCgroupFile = (name: string) => string | undefined

export function toCgroupStats(read: ReadCgroupFile): CgroupStats {
  const [cpu, memory, pids, io] = [toCpu(read), toMemory(read), toPids(read), toIo(read)]
  return {...(cpu && {cpu}), ...(memory && {memory}), ...(pids && {pids}), ...(io && {io})}
}

function toCpu(read: ReadCgroupFile): CpuStats | undefined {
  const stat = toPairs(read('cpu.stat'))
  const ns = (usName: string) => times(stat.get(usName), 1_000)
  const usageNs = toNumber(read('cpuacct.usage')) ?? ns('usage_usec')
  if (usageNs === undefined) return undefined
  return {
    usageNs,
    userNs: toNumber(read('cpuacct.usage_user')) ?? ns('user_usec'),
    systemNs: toNumber(read('cpuacct.usage_sys')) ?? ns('system_usec'),
    periods: stat.get('nr_periods'),
    throttledPeriods: stat.get('nr_throttled'),
    throttledNs: stat.get('throttled_time') ?? ns('throttled_usec'),
  }
}

function toMemory(read: ReadCgroupFile): MemoryStats | undefined {
  const usageBytes = toNumber(read('memory.usage_in_bytes')) ?? toNumber(read('memory.current'))
  if (usageBytes === undefined) return undefined
  const stat = toPairs(read('memory.stat'))
  // Numbers with `total_` include the groups below, as the numbers of version 2 do.
  const inactive = stat.get('total_inactive_file') ?? stat.get('inactive_file')
  return {
    usageBytes,
    workingSetBytes: inactive === undefined ? undefined : Math.max(0, usageBytes - inactive),
    limitBytes: toNumber(read('memory.limit_in_bytes')) ?? toNumber(read('memory.max')),
    anonBytes: stat.get('total_rss') ?? stat.get('anon'),
    fileBytes: stat.get('total_cache') ?? stat.get('file'),
    swapBytes: stat.get('total_swap') ?? toNumber(read('memory.swap.current')),
    oomKills: parseOomKills(read('memory.oom_control') ?? read('memory.events') ?? ''),
  }
}

function toPids(read: ReadCgroupFile): CgroupStats['pids'] | undefined {
  const current = toNumber(read('pids.current'))
  return current === undefined ? undefined : {current, limit: toNumber(read('pids.max'))}
}

function toIo(read: ReadCgroupFile): IoStats | undefined {
  const [bytes, ops] = ['io_service_bytes', 'io_serviced'].map(
    (name) => read(`blkio.throttle.${name}_recursive`) ?? read(`blkio.throttle.${name}`),
  )
  if (bytes !== undefined && ops !== undefined) {
    const sum = (text: string, direction: string) => sumMatches(text, new RegExp(`^\\d+:\\d+ ${direction} (\\d+)$`, 'gm'))
    return {readBytes: sum(bytes, 'Read'), writeBytes: sum(bytes, 'Write'), readOps: sum(ops, 'Read'), writeOps: sum(ops, 'Write')}
  }
  const stat = read('io.stat')
  if (stat === undefined) return undefined
  const sum = (name: string) => sumMatches(stat, new RegExp(` ${name}=(\\d+)`, 'g'))
  return {readBytes: sum('rbytes'), writeBytes: sum('wbytes'), readOps: sum('rios'), writeOps: sum('wios')}
}

/** Undefined for `max`, and for 2^63 less a page, which version 1 has instead. */
function toNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+\s*$/.test(text)) return undefined
  const number = Number(text)
  return number < 2 ** 62 ? number : undefined
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor
}

/** Lines of `name number`. */
function toPairs(text = ''): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^(\S+) (\d+)$/gm)].map(([, name = '', value]) => [name, Number(value)]))
}

function sumMatches(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Empty when the group is gone, or the controller is not enabled for it (ENOENT), or cannot be read now (EOPNOTSUPP). */
function readIfThere(path: string): readonly string[] {
  try {
    return [readFileSync(path, 'utf8')]
  } catch {
    return []
  }
}
