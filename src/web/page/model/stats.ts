/** What containers use: the last minute of each, for sparklines. Followed only while somebody looks. */
import {type Signal, signal} from '@preact/signals'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import {type StatsSample, statsSampleSchema} from '../api/replies.ts'
import {followServerEvents} from '../api/server-events.ts'
import {appendSample, type Usage} from './usage.ts'

const usages = new Map<string, Signal<Usage | undefined>>()

/** A signal for good: the container may not have been heard of yet. */
export function usageOf(address: ContainerAddress): Signal<Usage | undefined> {
  const key = toKey(address)
  const known = usages.get(key)
  if (known) return known
  const made = signal<Usage | undefined>(undefined)
  usages.set(key, made)
  return made
}

/** @returns ends it */
export function followStats(): () => void {
  let samples: StatsSample[] = []
  const connection = followServerEvents(() => '/api/stats', {
    onData: (data) => samples.push(statsSampleSchema.parse(JSON.parse(data))),
  })
  // Three hundred containers tell something every second; they are drawn together.
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
