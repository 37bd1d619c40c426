/**
 * Whether the supervisor of a container has fallen asleep with nothing left to do. It notes that before it ends, and the next one takes the
 * note away: so one that finds it has nothing to look into, and without it whatever was in flight has to be found out.
 */
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {Ledger} from '../../machines/ledger/ledger.ts'
import {readBootId} from '../linux/process-table.ts'
import type {ContainerLayout} from './container-layout.ts'

type Place = Pick<ContainerLayout, 'runDir'>

/** One that cannot be written costs the next supervisor a look, and nothing else. */
export function writeSleepNote(layout: Place, {latest}: Pick<Ledger, 'latest'>): void {
  try {
    if (latest) writeFileSync(toNote(layout), toText(latest), {mode: 0o600})
  } catch {}
}

export function removeSleepNote(layout: Place): void {
  rmSync(toNote(layout), {force: true})
}

/** @returns false when events have come after it, or a boot of the host */
export function hasSleepNote(layout: Place, {latest}: Pick<Ledger, 'latest'>): boolean {
  try {
    return latest !== undefined && readFileSync(toNote(layout), 'utf8') === toText(latest)
  } catch {
    return false
  }
}

/** Also after a boot of the host, or when no pipe was ever made: there is nobody who could write. */
export function isOutputComplete(layout: Place & Pick<ContainerLayout, 'fifoDir'>, ledger: Pick<Ledger, 'latest'>): boolean {
  return hasSleepNote(layout, ledger) || !existsSync(layout.fifoDir)
}

function toNote({runDir}: Place): string {
  return join(runDir, 'asleep')
}

function toText({uid, sequence}: Pick<LedgerEvent, 'uid' | 'sequence'>): string {
  return `${readBootId()}:${uid}:${sequence}`
}
