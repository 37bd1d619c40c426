import {describe, expect, it} from 'vitest'
import {containerMachine} from '../../../../machines/charts/container.machine.ts'
import type {TopLevelState} from '../../../../machines/charts/states.ts'
import type {Command} from '../../../../machines/commands/commands.ts'
import type {Decision} from '../../../../machines/commands/decision.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {epoch, given, happen} from '../../../support/given.ts'
import {
  type CommandName,
  commands,
  type ContainerState,
  containerStates,
  type ExecCommandName,
  listStates,
} from '../../support/decision-cases.ts'
import {histories, killing, stopping} from '../../support/histories.ts'

type Row = Readonly<Partial<Record<Decision['type'], readonly ContainerCommandName[]>>>
type ContainerCommandName = Exclude<CommandName, ExecCommandName> | 'exec'

const deferred: Row = {
  defer: [
    'create',
    'start',
    'kill',
    'kill with SIGKILL',
    'stop',
    'pause',
    'resume',
    'close-stdin',
    'resize',
    'checkpoint',
    'update',
    'delete',
    'delete by force',
    'exec',
  ],
}
const runs: Row = {
  accept: ['kill', 'kill with SIGKILL', 'stop', 'pause', 'checkpoint', 'update', 'delete by force', 'exec'],
  reject: ['create', 'start', 'resume', 'close-stdin', 'resize', 'delete'],
}

const table: Readonly<Record<ContainerState, Row>> = {
  absent: {accept: ['create'], reject: without(deferred.defer, 'create')},
  creating: deferred,
  created: {
    accept: ['start', 'kill', 'kill with SIGKILL', 'update', 'delete', 'delete by force', 'exec'],
    reject: ['create', 'stop', 'pause', 'resume', 'close-stdin', 'resize', 'checkpoint'],
  },
  'created, from a checkpoint': {
    accept: ['start', 'delete', 'delete by force'],
    reject: without(deferred.defer, 'start', 'delete', 'delete by force'),
  },
  'created, being updated': deferred,
  starting: deferred,
  running: runs,
  'running, of which no check has succeeded yet': runs,
  'running, healthy': runs,
  'running, unhealthy': runs,
  'running, with a terminal and an input': {
    accept: [...(runs.accept ?? []), 'close-stdin', 'resize'],
    reject: ['create', 'start', 'resume', 'delete'],
  },
  'being paused': deferred,
  paused: {
    accept: ['kill', 'kill with SIGKILL', 'stop', 'resume', 'checkpoint', 'update', 'delete by force'],
    reject: ['create', 'start', 'pause', 'close-stdin', 'resize', 'delete', 'exec'],
  },
  'being resumed': deferred,
  'being stopped': runs,
  'being killed': {accept: without(runs.accept, 'stop'), join: ['stop'], reject: runs.reject ?? []},
  'being written to a checkpoint': deferred,
  'running, being updated': deferred,
  stopped: {
    accept: ['delete', 'delete by force'],
    satisfied: ['stop', 'close-stdin'],
    reject: ['create', 'start', 'pause', 'resume', 'resize', 'checkpoint', 'update', 'exec'],
    'reject-ended': ['kill', 'kill with SIGKILL'],
  },
  'about to be scheduled for a restart': {defer: without(deferred.defer, 'close-stdin'), satisfied: ['close-stdin']},
  waiting: {
    accept: ['stop', 'kill with SIGKILL', 'delete', 'delete by force'],
    reject: ['create', 'start', 'pause', 'resume', 'close-stdin', 'resize', 'checkpoint', 'update', 'exec'],
    'reject-ended': ['kill'],
  },
  failed: {
    accept: ['delete', 'delete by force'],
    satisfied: ['stop'],
    reject: ['create', 'start', 'pause', 'resume', 'close-stdin', 'resize', 'checkpoint', 'update', 'exec'],
    'reject-ended': ['kill', 'kill with SIGKILL'],
  },
  deleting: {defer: without(deferred.defer, 'delete', 'delete by force'), join: ['delete', 'delete by force']},
  deleted: {reject: deferred.defer ?? []},
}

function without(names: readonly ContainerCommandName[] = [], ...others: readonly ContainerCommandName[]): readonly ContainerCommandName[] {
  return names.filter((name) => !others.includes(name))
}

const commandOf = new Map<string, Command>(Object.entries(commands))
const containerHistories = new Map<string, readonly Draft[]>(Object.entries(containerStates))
const cases = Object.entries(table).flatMap(([state, row]) =>
  Object.entries(row).flatMap(([decision, names]) => names.map((name) => ({state, name, decision}))),
)
describe('a command meets a state', () => {
  it.each(cases)('$name in $state: $decision', ({state, name, decision}) => {
    const [history, command] = [containerHistories.get(state), commandOf.get(name)]
    expect(history && command && given(...history).when(command).type).toBe(decision)
  })

  it('is in the table for every command', () => {
    const all = Object.keys(commands).filter((name) => name === 'exec' || !name.startsWith('exec'))
    for (const row of Object.values(table)) expect(Object.values(row).flat().toSorted()).toEqual(all.toSorted())
  })

  it('is in the table for every state of the chart', () => {
    const reached = new Set(Object.values(containerStates).flatMap((history) => given(...history).ledger.snapshot._nodes))
    expect(listStates(containerMachine.root).filter((node) => !reached.has(node))).toEqual([])
  })

  it.each<[TopLevelState, readonly string[]]>([
    ['absent', []],
    ['created', ['start', 'kill', 'update', 'delete']],
    ['running', ['kill', 'stop', 'pause', 'checkpoint', 'update']],
    ['stopped', ['delete']],
    ['failed', ['delete']],
    ['deleted', []],
  ])('a rejection in %s names the state and the legal commands', (state, legal) => {
    const rejected = given(...histories[state]).when(state === 'absent' ? commands.start : commands.create)
    expect(rejected).toEqual({type: 'reject', state, legal})
  })
})

describe('an accepted command', () => {
  it.each<[CommandName, TopLevelState, unknown]>([
    ['create', 'absent', happen.createRequested],
    ['start', 'created', happen.startRequested],
    ['kill', 'running', happen.killRequested],
    ['stop', 'running', happen.stopRequested],
    ['delete', 'stopped', {type: 'container.delete-requested', data: {force: false}}],
    ['delete by force', 'running', {type: 'container.delete-requested', data: {force: true}}],
  ])('%s becomes its intent event', (name, state, draft) => {
    expect(given(...histories[state]).when(commands[name])).toEqual({type: 'accept', draft})
  })

  it('carries the reason of a delete', () => {
    expect(given(...histories.stopped).when({type: 'delete', force: false, reason: 'auto-remove'})).toEqual({
      type: 'accept',
      draft: {type: 'container.delete-requested', data: {force: false, reason: 'auto-remove'}},
    })
  })

  it('has a deadline that is the current time plus the grace period', () => {
    expect(given(...histories.running).when({type: 'stop', signal: 'SIGINT', graceMs: 1})).toEqual({
      type: 'accept',
      draft: {type: 'container.stop-requested', data: {signal: 'SIGINT', dueAt: new Date(epoch + 1).toISOString()}},
    })
  })
})

describe('a stop in progress', () => {
  it('accepts another deadline before the first has passed', () => {
    expect(given(...stopping).when({type: 'stop', signal: 'SIGTERM', graceMs: 0})).toMatchObject({type: 'accept'})
  })

  it('is joined once SIGKILL has been sent', () => {
    expect(given(...killing).when(commands.stop)).toEqual({type: 'join'})
  })

  it('does not prevent a kill or a forced delete', () => {
    for (const history of [stopping, killing]) {
      expect(given(...history).when(commands.kill).type).toBe('accept')
      expect(given(...history).when(commands['delete by force']).type).toBe('accept')
    }
  })
})
