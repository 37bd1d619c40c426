/** How far the failures of health checks are counted, and when the next is due, while the supervisor sleeps. */
import {readFileSync, rmSync, writeFileSync} from 'node:fs'
import * as z from 'zod'
import type {Ledger} from '../../../machines/ledger/ledger.ts'

const memorySchema = z.object({
  health: z.discriminatedUnion('type', [
    z.object({type: z.literal('starting')}),
    z.object({type: z.literal('counting'), failures: z.int().nonnegative()}),
  ]),
  /** Milliseconds since boot. */
  nextMs: z.number(),
})
export type RememberedHealth = Readonly<z.output<typeof memorySchema>>

export interface HealthMemory {
  /** Once. @returns undefined when there is nothing, or it is of another init */
  take(ledger: Ledger): RememberedHealth | undefined
  put(ledger: Ledger, health: RememberedHealth): void
  /** What was put down does not hold any more. */
  drop(): void
}

const ofInitSchema = memorySchema.extend({pid: z.int(), startTimeTicks: z.int()})

/** @param path in the run directory, which does not survive a boot */
export function createHealthMemory(path: string): HealthMemory {
  return {
    take: ({snapshot}) => {
      const {init} = snapshot.context
      try {
        const {pid, startTimeTicks, ...health} = ofInitSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
        rmSync(path, {force: true})
        return pid === init?.pid && startTimeTicks === init.startTimeTicks ? health : undefined
      } catch {
        // There is none: the failures are counted from 0.
        return undefined
      }
    },
    put: ({snapshot}, health) => {
      const {init} = snapshot.context
      try {
        if (init) writeFileSync(path, JSON.stringify({...health, pid: init.pid, startTimeTicks: init.startTimeTicks}), {mode: 0o600})
      } catch {
        // The disk is full.
      }
    },
    drop: () => {
      try {
        rmSync(path, {force: true})
      } catch {
        // A file system that cannot be written.
      }
    },
  }
}
