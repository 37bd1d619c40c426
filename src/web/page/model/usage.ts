/** Computes current usage from samples of accumulated usage. Pure. */
import type {StatsReply} from '../../../../machines/views/stats.ts'

export interface Usage {
  /** Shares of one CPU, oldest first. */
  readonly cpu: readonly number[]
  /** Bytes in use, oldest first. */
  readonly memory: readonly number[]
  readonly latest: StatsReply
}

const keptSamples = 60

export function appendSample(usage: Usage | undefined, sample: StatsReply): Usage {
  const bytes = sample.memory?.workingSetBytes ?? sample.memory?.usageBytes
  return {
    cpu: append(usage?.cpu, usage && toCpu(usage.latest, sample)),
    memory: append(usage?.memory, bytes),
    latest: sample,
  }
}

/** Undefined when the host does not account for CPU time, or when the counter was reset by a restart. */
function toCpu(before: StatsReply, after: StatsReply): number | undefined {
  const elapsedNs = (Date.parse(after.time) - Date.parse(before.time)) * 1e6
  const usedNs = (after.cpu?.usageNs ?? Number.NaN) - (before.cpu?.usageNs ?? Number.NaN)
  return elapsedNs > 0 && usedNs >= 0 ? usedNs / elapsedNs : undefined
}

function append(values: readonly number[] = [], value: number | undefined): readonly number[] {
  return value === undefined ? values : [...values, value].slice(-keptSamples)
}
