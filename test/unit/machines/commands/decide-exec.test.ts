import {describe, expect, it} from 'vitest'
import {processMachine} from '../../../../machines/charts/process.machine.ts'
import type {Command} from '../../../../machines/commands/commands.ts'
import type {Decision} from '../../../../machines/commands/decision.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {given} from '../../../support/given.ts'
import {commands, type ExecCommandName, listStates, type ProcessState, processStates} from '../../support/decision-cases.ts'

/** A decision, or why one of `reject-exec` was made. */
type Word = Exclude<Decision['type'], 'reject-exec'> | 'exists' | 'unknown' | 'ended' | 'illegal'
const unknown: Readonly<Record<ExecCommandName, Word>> = {
  exec: 'accept',
  'exec-start': 'unknown',
  'exec-kill': 'unknown',
  'exec-close-stdin': 'unknown',
  'exec-resize': 'unknown',
  'exec-delete': 'unknown',
}
const waitingToStart: Readonly<Record<ExecCommandName, Word>> = {
  exec: 'exists',
  'exec-start': 'accept',
  'exec-kill': 'illegal',
  'exec-close-stdin': 'accept',
  'exec-resize': 'accept',
  'exec-delete': 'accept',
}
const inFlight: Readonly<Record<ExecCommandName, Word>> = {
  exec: 'exists',
  'exec-start': 'defer',
  'exec-kill': 'defer',
  'exec-close-stdin': 'defer',
  'exec-resize': 'defer',
  'exec-delete': 'defer',
}
const processTable: Readonly<Record<ProcessState, Readonly<Record<ExecCommandName, Word>>>> = {
  absent: unknown,
  created: waitingToStart,
  'created, in a container that is being paused': {...waitingToStart, 'exec-start': 'defer'},
  'created, in a container that is paused': {...waitingToStart, 'exec-start': 'reject'},
  starting: inFlight,
  running: {
    exec: 'exists',
    'exec-start': 'illegal',
    'exec-kill': 'accept',
    'exec-close-stdin': 'accept',
    'exec-resize': 'accept',
    'exec-delete': 'illegal',
  },
  stopped: {
    exec: 'exists',
    'exec-start': 'illegal',
    'exec-kill': 'ended',
    'exec-close-stdin': 'satisfied',
    'exec-resize': 'illegal',
    'exec-delete': 'accept',
  },
  deleting: {...inFlight, 'exec-delete': 'join'},
  deleted: unknown,
}

const commandOf = new Map<string, Command>(Object.entries(commands))
const historyOf = new Map<string, readonly Draft[]>(Object.entries(processStates))
const cases = Object.entries(processTable).flatMap(([state, row]) =>
  Object.entries(row).map(([name, decision]) => ({state, name, decision})),
)

describe('a command meets an added process', () => {
  it.each(cases)('$name, $state: $decision', ({state, name, decision}) => {
    const [history, command] = [historyOf.get(state), commandOf.get(name)]
    if (!history || !command) throw new Error(`expected a history and the command ${name}`)
    const decided = given(...history).when(command)
    expect(decided.type === 'reject-exec' ? decided.reason : decided.type).toBe(decision)
  })

  it('is in the table for every state of the chart that has a process', () => {
    const reached = new Set(Object.values(processStates).flatMap((history) => given(...history).ledger.processes.get('x')?._nodes ?? []))
    const missing = listStates(processMachine.root).filter((node) => !reached.has(node))
    expect(missing.map(({key}) => key)).toEqual(['absent', 'deleted'])
  })
})
