/** Samples of resource usage as a table. */
import {isFinalSample, type StatsReply} from '../../machines/views/stats.ts'
import {formatTable} from './format.ts'

/** The latest sample of a container, and the one before to compare with. */
export interface SamplePair {
  readonly id: string
  readonly sample: StatsReply
  readonly before: StatsReply | undefined
}

const head = ['CONTAINER', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'BLOCK I/O', 'PIDS'] as const

export function formatStats(pairs: readonly SamplePair[]): string {
  return formatTable(head, pairs.map(toRow))
}

function toRow(pair: SamplePair): readonly string[] {
  const {id, sample} = pair
  const {memory, io, pids} = sample
  return [
    isFinalSample(sample) ? `${id} (${sample.state})` : id,
    formatPercent(toCpuPercent(pair)),
    `${formatBytes(toUsedBytes(sample))} / ${formatBytes(memory?.limitBytes)}`,
    formatPercent(toMemoryPercent(sample)),
    `${formatBytes(io?.readBytes)} / ${formatBytes(io?.writeBytes)}`,
    pids ? String(pids.current) : '-',
  ]
}

/** 100 is one CPU for all of the time between the samples. Undefined for a first sample. */
export function toCpuPercent({sample, before}: Omit<SamplePair, 'id'>): number | undefined {
  if (!sample.cpu || !before?.cpu) return undefined
  const elapsedNs = (Date.parse(sample.time) - Date.parse(before.time)) * 1e6
  return elapsedNs > 0 ? (Math.max(0, sample.cpu.usageNs - before.cpu.usageNs) / elapsedNs) * 100 : undefined
}

/** Undefined without a limit. */
export function toMemoryPercent(sample: StatsReply): number | undefined {
  const [used, limit] = [toUsedBytes(sample), sample.memory?.limitBytes]
  return used === undefined || limit === undefined ? undefined : (used / limit) * 100
}

/** Without memory that the kernel can reclaim at once. */
function toUsedBytes({memory}: StatsReply): number | undefined {
  return memory?.workingSetBytes ?? memory?.usageBytes
}

function formatPercent(percent: number | undefined): string {
  return percent === undefined ? '-' : `${percent.toFixed(2)}%`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `12.5MiB`; `-` for what is not known. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-'
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(4))}${units[power]}`
}
