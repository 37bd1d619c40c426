/** What a new supervisor does about the added processes of one that died. */
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {Effect} from '../../../machines/charts/effects.ts'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {Ledger, ProcessSnapshot} from '../../../machines/ledger/ledger.ts'
import type {Found} from './found.ts'

export interface ExecRecovery {
  readonly facts: readonly Draft[]
  readonly effects: readonly Effect[]
  /** Those whose FIFOs and log are opened again, to read what is left there. */
  readonly opened: readonly {readonly exec: string; readonly stdin: boolean; readonly terminal: boolean}[]
  /** Those to be watched. */
  readonly watched: readonly {readonly exec: string; readonly process: ProcessIdentity}[]
}

const nothing: ExecRecovery = {facts: [], effects: [], opened: [], watched: []}

export function planExecs({processes}: Ledger, found: Found): ExecRecovery {
  return [...processes].map(([exec, process]) => planExec(exec, process, found)).reduce(join, nothing)
}

function planExec(exec: string, snapshot: ProcessSnapshot, {findExec}: Found): ExecRecovery {
  const {context, value: state} = snapshot
  const {spec, unsentSignal} = context
  const opened = [{exec, stdin: spec?.stdin === true && !context.stdinClosed, terminal: spec?.terminal === true}]
  const removal: readonly Effect[] = spec?.autoRemove ? [{type: 'request.exec-delete', exec, reason: 'auto-remove'}] : []
  switch (state) {
    case 'starting': {
      const process = findExec(exec)
      if (process) return {facts: [{type: 'exec.started', data: {exec, process}}], effects: [], opened, watched: [{exec, process}]}
      return {...nothing, facts: [{type: 'exec.start-failed', data: {exec, error: interrupted}}]}
    }
    case 'running':
      return {
        facts: [],
        // Sent twice is better than never: the caller relies on it.
        effects: unsentSignal ? [{type: 'exec.kill', exec, signal: unsentSignal}] : [],
        opened,
        watched: context.process ? [{exec, process: context.process}] : [],
      }
    case 'stopped':
      return {...nothing, effects: [{type: 'exec.end', exec}, ...removal], opened}
    case 'created':
      // Where it failed to start and should have gone.
      return {...nothing, effects: context.error ? removal : []}
    case 'deleting':
      return {...nothing, effects: [{type: 'exec.delete', exec}]}
    case 'absent':
    case 'deleted':
      return nothing
  }
}

function join(all: ExecRecovery, one: ExecRecovery): ExecRecovery {
  return {
    facts: [...all.facts, ...one.facts],
    effects: [...all.effects, ...one.effects],
    opened: [...all.opened, ...one.opened],
    watched: [...all.watched, ...one.watched],
  }
}

const interrupted = {code: 'SUPERVISOR_FAILED', kind: 'unavailable', message: 'the supervisor died during the start', details: {}}
