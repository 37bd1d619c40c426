/** The resource usage of each container in the last minute, for sparklines. Followed only while the overview is shown. */
import {type Signal, signal} from '@preact/signals'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import {type StatsSample, statsSampleSchema} from '../api/replies.ts'
import {followServerEvents} from '../api/server-events.ts'
import {appendSample, type Usage} from './usage.ts'

const usages = new Map<string, Signal<Usage | undefined>>()

/** Always the same signal for an address, also before its first sample. */
export function usageOf(address: ContainerAddress): Signal<Usage | undefined> {
  const key = toKey(address)
  const known = usages.get(key)
  if (known) return known
  const made = signal<Usage | undefined>(undefined)
  usages.set(key, made)
  return made
}

/** @returns a function that stops following */
export function followStats(): () => void {
  let samples: StatsSample[] = []
  const connection = followServerEvents(() => '/api/stats', {
    onData: (data) => samples.push(statsSampleSchema.parse(JSON.parse(data))),
  })
  // All samples of a second are rendered together.
  const timer = setInterval(() => {
    const taken = samples
    samples = []
    for (const sample of taken) {
      const usage = usageOf(sample)
      usage.value = appendSample(usage.value, sample)
    }
  }, 1_000)
  return () => {
    clearInterval(timer)
    connection[Symbol.dispose]()
  }
}

function toKey({node, namespace, id}: ContainerAddress): string {
  return `${node}/${namespace}/${id}`
}
