/**
 * Whether the supervisor of a container has fallen asleep with nothing left to do: then all output of processes that have ended is in the log.
 * It is noted when it hands over, and is good for as long as nobody writes the journal: the next coordinator finds it as well.
 */
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {readLatestEvent} from '../../journal/latest-event.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'

/** A note that cannot be written costs a wake, and nothing else. */
export function noteCleanSleep(layout: ContainerLayout): void {
  try {
    const latest = readLatestEvent(layout.journal)
    if (latest) writeFileSync(toNote(layout), toText(latest), {mode: 0o600})
  } catch {}
}

export function isCleanSleep(layout: ContainerLayout, {latest}: Ledger): boolean {
  try {
    return latest !== undefined && readFileSync(toNote(layout), 'utf8') === toText(latest)
  } catch {
    // After a boot of the host, or when no pipe was ever made, there is nobody who could write.
    return !existsSync(layout.fifoDir)
  }
}

function toNote({runDir}: ContainerLayout): string {
  return join(runDir, 'asleep')
}

function toText({uid, sequence}: Pick<LedgerEvent, 'uid' | 'sequence'>): string {
  return `${uid}:${sequence}`
}
